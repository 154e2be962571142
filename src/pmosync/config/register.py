"""Reads projects.yaml, the register of the PMO's projects, and refuses what cannot be meant.

A container (a Jira or Asana project) belongs to one registered project at most, so nothing is counted twice. What is
not in the register stays what it is by default: one project for each project of a tool.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pmosync import model
from pmosync.config.load import Config
from pmosync.config.schema import Profile
from pmosync.config.values import one_of
from pmosync.contract import canonical
from pmosync.errors import Misconfigured
from pmosync.register import Container, Register, RegisteredProject
from pmosync.yamlfile import At, Doc, did_you_mean, together
from pmosync.yamlfile import load as load_yaml

LATER = {
    "issue_type": "projects made of one issue type come with a later version; register the Jira project instead",
    "query": "projects made of a query come with a later version; register the Jira project instead",
}


class ProjectKeys(BaseModel):
    """One entry of projects.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    id: str = Field(min_length=1)
    containers: list[str] = Field(min_length=1)
    title: str | None = None
    phase: Annotated[str, AfterValidator(one_of(model.PHASES, "phase"))] | None = None
    sponsor: str | None = None
    charter_url: str | None = None
    program: str | None = None
    portfolio: str | None = None
    profile: Profile | None = None
    home: dict[str, str] = Field(default_factory=dict)


class RegisterKeys(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    projects: list[ProjectKeys]


def load_register(config: Config) -> Register:
    """The register that the configuration names; an empty one when it names none."""
    if config.register is None:
        return _register(())
    if not config.register.is_file():
        raise config.wrong(
            ("register",), f"there is no register {config.register}", "write one, or remove the key `register`"
        )
    doc = load_yaml(config.register)
    _refuse_later(doc)
    entries = doc.validated(RegisterKeys).projects
    mistakes = [*_unknown_sites(doc, entries, config), *_twice(doc, entries)]
    if mistakes:
        raise together(mistakes, where=str(config.register))
    return _register(tuple(_project(entry, doc.place(("projects", n))) for n, entry in enumerate(entries)))


def homes_of(register: Register, site: str) -> dict[str, str]:
    """Where the rollups of a site's projects are written, by what the register calls the project: its key or id."""
    return {
        container.key: project.home[site]
        for project in register.projects
        for container in project.containers
        if container.site == site and site in project.home
    }


def _refuse_later(doc: Doc) -> None:
    projects = doc.data.get("projects") if isinstance(doc.data, dict) else None
    for n, entry in enumerate(projects if isinstance(projects, list) else []):
        for key in LATER.keys() & (entry if isinstance(entry, dict) else {}).keys():
            raise doc.wrong(("projects", n, key), f"{key}: {LATER[key]}", "remove the key", key=True)


def _unknown_sites(doc: Doc, entries: list[ProjectKeys], config: Config) -> list[Misconfigured]:
    mistakes = []
    for n, entry in enumerate(entries):
        at: At = ("projects", n)
        for position, container in enumerate(entry.containers):
            site, slash, key = container.partition("/")
            place = (*at, "containers", position)
            if not slash or not key:
                mistakes.append(doc.wrong(place, f"'{container}' is no container", "write site/KEY: acme-jira/PAY"))
            elif site not in config.sites:
                mistakes.append(doc.wrong(place, f"there is no site '{site}'", _sites(site, config)))
        for site in entry.home:
            if site not in config.sites:
                what = f"there is no site '{site}'"
                mistakes.append(doc.wrong((*at, "home", site), what, _sites(site, config), key=True))
    return mistakes


def _sites(name: str, config: Config) -> str:
    return did_you_mean(name, config.sites) or f"sites of {config.path}: {', '.join(config.sites)}"


def _twice(doc: Doc, entries: list[ProjectKeys]) -> list[Misconfigured]:
    """Ids and containers that stand in the register twice."""
    first: dict[str, int] = {}
    mistakes = []
    for n, entry in enumerate(entries):
        named: list[tuple[str, At]] = [(f"the project '{entry.id}'", ("projects", n, "id"))]
        named += [
            (f"the container '{container}'", ("projects", n, "containers", position))
            for position, container in enumerate(entry.containers)
        ]
        for name, at in named:
            line = doc.place(at).rsplit(":", 2)[1]
            if name in first:
                mistakes.append(doc.wrong(at, f"{name} stands here twice (first in line {first[name]})", "keep one"))
            first.setdefault(name, int(line))
    return mistakes


def _project(entry: ProjectKeys, place: str) -> RegisteredProject:
    containers = tuple(Container(*text.split("/", 1)) for text in entry.containers)
    return RegisteredProject(**{**dict(entry), "containers": containers, "home": dict(entry.home)}, place=place)


def _register(projects: tuple[RegisteredProject, ...]) -> Register:
    meaning = [{**asdict(project), "place": ""} for project in sorted(projects, key=lambda project: project.id)]
    return Register(projects, hashlib.sha256(canonical(meaning).encode()).hexdigest()[:16])
