"""Reads projects.yaml, the register of the PMO's projects, and refuses what cannot be meant.

A container (a Jira or Asana project) belongs to one registered project at most, so nothing is counted twice. What is
not in the register stays what it is by default: one project for each project of a tool.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pmosync import model
from pmosync.config.governing import (
    ClassKeys,
    GateToldKeys,
    TolerancesKeys,
    classes_of,
    load_gates,
    mistakes_of_entries,
)
from pmosync.config.load import Config
from pmosync.config.schema import Profile
from pmosync.config.values import one_of
from pmosync.contract import Level, canonical
from pmosync.errors import Misconfigured
from pmosync.register import (
    ApprovedChange,
    Container,
    EarnedValue,
    Gate,
    Group,
    ProjectClass,
    Register,
    RegisteredProject,
    Totals,
    slug,
)
from pmosync.yamlfile import At, Doc, did_you_mean, together
from pmosync.yamlfile import load as load_yaml

LATER = {
    "issue_type": "projects made of one issue type come with a later version; register the Jira project instead",
    "query": "projects made of a query come with a later version; register the Jira project instead",
}


class BaselineKeys(BaseModel):
    """`baseline: {due_on: 2027-03-31, tasks: 80, effort_h: 1200}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    due_on: dt.date | None = None
    tasks: int | None = Field(default=None, ge=1)
    effort_h: float | None = Field(default=None, gt=0)


class ChangeKeys(BaseModel):
    """`{id: CR-7, approved_on: 2026-11-02, tasks: 4, effort_h: 60}`"""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    id: str = Field(min_length=1, max_length=200, pattern=r"^[^/\s]+$")
    approved_on: dt.date
    tasks: int = Field(default=0, ge=0)
    effort_h: float = Field(default=0, ge=0)


class EarnedValueKeys(BaseModel):
    """`earned_value: {progress: 50/50, hour_cost: 80}`"""

    model_config = ConfigDict(extra="forbid", frozen=True)
    progress: Literal["0/100", "50/50"] = "0/100"
    hour_cost: float | None = Field(default=None, gt=0)


class ProjectKeys(BaseModel):
    """One entry of projects.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    id: str = Field(min_length=1)
    containers: list[str] = Field(min_length=1)
    title: str | None = None
    phase: Annotated[str, AfterValidator(one_of(model.PHASES, "phase"))] | None = None
    sponsor: str | None = None
    charter_url: str | None = None
    phase_due_on: dt.date | None = None
    project_class: str | None = Field(default=None, alias="class")
    lessons_url: str | None = None
    closure_url: str | None = None
    benefits_owner: str | None = None
    strategic_goal: str | None = None
    priority_score: float | None = None
    priority_scored_on: dt.date | None = None
    funded: float | None = Field(default=None, ge=0)
    spent: float | None = Field(default=None, ge=0)
    path_to_green: str | None = None
    exception_url: str | None = None
    tolerances: TolerancesKeys = TolerancesKeys()
    gates: dict[str, GateToldKeys] = Field(default_factory=dict)
    program: str | None = None
    portfolio: str | None = None
    profile: Profile | None = None
    reported_health: Annotated[str, AfterValidator(one_of(model.HEALTHS, "health"))] | None = None
    baseline: BaselineKeys = BaselineKeys()
    changes: list[ChangeKeys] = Field(default_factory=list)
    home: dict[str, str] = Field(default_factory=dict)
    earned_value: EarnedValueKeys | None = None


class GroupKeys(BaseModel):
    """One program or portfolio."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str | None = None
    profile: Profile | None = None
    home: dict[str, str] = Field(default_factory=dict)


class ProgramKeys(GroupKeys):
    """One program."""

    portfolio: str | None = None


class RegisterKeys(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
    projects: list[ProjectKeys]
    programs: list[ProgramKeys] = Field(default_factory=list)
    portfolios: list[GroupKeys] = Field(default_factory=list)
    home: dict[str, str] = Field(default_factory=dict)
    classes: dict[str, ClassKeys] = Field(default_factory=dict)
    earned_value: EarnedValueKeys = EarnedValueKeys()


def load_register(config: Config) -> Register:
    """The register that the configuration names; an empty one when it names none."""
    if config.register is None:
        return _register((), gates=load_gates(config, ()))
    if not config.register.is_file():
        raise config.wrong(
            ("register",), f"there is no register {config.register}", "write one, or remove the key `register`"
        )
    doc = load_yaml(config.register)
    _refuse_later(doc)
    keys = doc.validated(RegisterKeys)
    gates = load_gates(config, list(keys.classes))
    mistakes = [
        *_unknown_sites(doc, keys.projects, config),
        *_unknown_homes(doc, keys, config),
        *_twice(doc, keys),
        *_unclear(doc, keys),
        *mistakes_of_entries(doc, keys.projects, list(keys.classes), gates, config),
    ]
    if mistakes:
        raise together(mistakes, where=str(config.register))
    projects = tuple(_project(entry, keys, doc.place(("projects", n))) for n, entry in enumerate(keys.projects))
    return _register(
        projects, _groups(doc, keys), keys.home, classes_of(keys.classes), gates, _counted(keys.earned_value)
    )


def homes_of(register: Register, site: str) -> dict[str, str]:
    """Where the rollups of a site's projects are written, by what the register calls the project: its key or id."""
    return {
        container.key: home
        for project in register.projects
        for container in project.containers
        if container.site == site and (home := project.home.get(site) or register.home.get(site))
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
    return mistakes


def _unknown_homes(doc: Doc, keys: RegisterKeys, config: Config) -> Iterator[Misconfigured]:
    places: list[tuple[At, Mapping[str, str]]] = [((), keys.home)]
    for name in ("projects", "programs", "portfolios"):
        places += [((name, n), entry.home) for n, entry in enumerate(getattr(keys, name))]
    for at, home in places:
        for site in home:
            if site not in config.sites:
                yield doc.wrong((*at, "home", site), f"there is no site '{site}'", _sites(site, config), key=True)


def _sites(name: str, config: Config) -> str:
    return did_you_mean(name, config.sites) or f"sites of {config.path}: {', '.join(config.sites)}"


def _twice(doc: Doc, keys: RegisterKeys) -> list[Misconfigured]:
    """Ids and containers that stand in the register twice."""
    first: dict[str, int] = {}
    mistakes = []
    named: list[tuple[str, At]] = []
    for n, entry in enumerate(keys.projects):
        named.append((f"the project '{entry.id}'", ("projects", n, "id")))
        named += [
            (f"the change '{one.id}'", ("projects", n, "changes", m, "id")) for m, one in enumerate(entry.changes)
        ]
        named += [
            (f"the container '{container}'", ("projects", n, "containers", position))
            for position, container in enumerate(entry.containers)
        ]
    named += [(f"the program '{one.id}'", ("programs", n, "id")) for n, one in enumerate(keys.programs)]
    named += [(f"the portfolio '{one.id}'", ("portfolios", n, "id")) for n, one in enumerate(keys.portfolios)]
    for name, at in named:
        line = doc.place(at).rsplit(":", 2)[1]
        if name in first:
            mistakes.append(doc.wrong(at, f"{name} stands here twice (first in line {first[name]})", "keep one"))
        first.setdefault(name, int(line))
    return mistakes


def _unclear(doc: Doc, keys: RegisterKeys) -> Iterator[Misconfigured]:
    """A project that would count in two portfolios, and two rollups that would be written into one place."""
    groups = _groups(doc, keys)
    above = {one.id: one.portfolio for one in groups if one.level == "program"}
    for n, entry in enumerate(keys.projects):
        of_program = above.get(_named(entry.program, keys.programs)) if entry.program else None
        own = _named(entry.portfolio, keys.portfolios) if entry.portfolio else None
        if own and of_program and own != of_program:
            what = f"its program '{entry.program}' belongs to the portfolio '{of_program}', not to '{entry.portfolio}'"
            yield doc.wrong(("projects", n, "portfolio"), what, "remove the portfolio here, or correct the program's")
    first: dict[tuple[str, str], str] = {}
    for name in ("programs", "portfolios"):
        for n, group in enumerate(getattr(keys, name)):
            for site, home in group.home.items():
                if not home.isdigit():
                    continue  # a Jira project holds the status issues of many
                twin = first.setdefault((site, home), group.id)
                if twin != group.id:
                    what = f"{home} holds the rollup of '{twin}' already"
                    yield doc.wrong((name, n, "home", site), what, "name an Asana portfolio of its own")


def _named(text: str, groups: Sequence[GroupKeys]) -> str:
    """The id of the program or portfolio that a text names: by id, by title, or by an id made of the text."""
    found = next((one.id for one in groups if text in (one.id, one.title)), None)
    return found or slug(text)


def _groups(doc: Doc, keys: RegisterKeys) -> tuple[Group, ...]:
    """Every program and portfolio that the register describes, and those that projects and programs merely name."""
    found: dict[tuple[Level, str], Group] = {}
    for n, one in enumerate(keys.portfolios):
        place = doc.place(("portfolios", n, "profile"))
        found["portfolio", one.id] = Group("portfolio", one.id, one.title or one.id, None, one.home, one.profile, place)
    for n, program in enumerate(keys.programs):
        portfolio = _named(program.portfolio, keys.portfolios) if program.portfolio else None
        place = doc.place(("programs", n, "profile"))
        found["program", program.id] = Group(
            "program", program.id, program.title or program.id, portfolio, program.home, program.profile, place
        )
    texts: list[tuple[Level, str | None, Sequence[GroupKeys]]] = []
    texts += [("program", entry.program, keys.programs) for entry in keys.projects]
    texts += [("portfolio", entry.portfolio, keys.portfolios) for entry in keys.projects]
    texts += [("portfolio", entry.portfolio, keys.portfolios) for entry in keys.programs]
    for level, text, groups in texts:
        if text:
            name = _named(text, groups)
            found.setdefault((level, name), Group(level, name, text))
    return tuple(found.values())


def _project(entry: ProjectKeys, keys: RegisterKeys, place: str) -> RegisteredProject:
    told = {
        **dict(entry),
        "containers": tuple(Container(*text.split("/", 1)) for text in entry.containers),
        "program": _named(entry.program, keys.programs) if entry.program else None,
        "portfolio": _named(entry.portfolio, keys.portfolios) if entry.portfolio else None,
        "baseline": Totals(**dict(entry.baseline)),
        "changes": tuple(ApprovedChange(**dict(one)) for one in entry.changes),
        "tolerances": entry.tolerances.value(),
        "gates": {name: one.value() for name, one in entry.gates.items()},
        "home": dict(entry.home),
        "earned_value": _counted(entry.earned_value) if entry.earned_value else None,
    }
    return RegisteredProject(**told, place=place)


def _counted(keys: EarnedValueKeys) -> EarnedValue:
    return EarnedValue(keys.hour_cost, keys.progress == "50/50")


def _register(
    projects: tuple[RegisteredProject, ...],
    groups: tuple[Group, ...] = (),
    home: Mapping[str, str] | None = None,
    classes: tuple[ProjectClass, ...] = (),
    gates: tuple[Gate, ...] = (),
    earned_value: EarnedValue | None = None,
) -> Register:
    meaning = [{**asdict(project), "place": ""} for project in sorted(projects, key=lambda project: project.id)]
    above = [{**asdict(one), "place": ""} for one in sorted(groups, key=lambda one: (one.level, one.id))]
    governing = [[asdict(one) for one in classes], [{**asdict(one), "places": ()} for one in gates]]
    counted = earned_value or EarnedValue()
    text = canonical([meaning, above, dict(home or {}), governing, asdict(counted)])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Register(projects, digest, groups, dict(home or {}), classes, gates, counted)
