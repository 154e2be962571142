"""Reads pmosync.yaml and what the environment overrides, and says what it means.

Everything is checked before anything is opened: a mistake is told with file, line, what and the fix, and nothing was
written anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError, create_model

from pmosync.config.connectors import ConnectorModule, installed, module_of
from pmosync.config.overrides import CONFIG_VARIABLE, laid_over, leaves, overrides, variable
from pmosync.config.schema import LATER, Keys, LadderKeys, ModeKeys, ScheduleKeys, SiteKeys
from pmosync.config.secrets import references, replaced, rotating, rotating_paths, secret_paths, written_out
from pmosync.config.unattended import Address, Cron, Schedule, cron
from pmosync.errors import Misconfigured
from pmosync.ladder import Ladder
from pmosync.people import APPROVES
from pmosync.plan import Guard
from pmosync.standards import other_pack, shipped_packs
from pmosync.workdays import Workdays, workdays
from pmosync.yamlfile import At, Doc, did_you_mean, together
from pmosync.yamlfile import load as load_yaml

DEFAULT_FILE = Path("pmosync.yaml")
SITE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
SCHEDULE = Schedule(sync=cron("*/5 * * * *"), reconcile=cron("0 2 * * *"))
"""Of a site, where nothing else is written."""


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """One site; `own` holds the connector's own keys as written, secrets as references."""

    name: str
    connector: str
    module: ConnectorModule = field(repr=False)
    mapping: Path
    zone: ZoneInfo
    max_wait_s: float | None
    timeout_s: float | None
    schedule: Schedule
    own: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Config:
    """What pmosync.yaml means; all paths are relative to where the command runs."""

    path: Path
    organisation: str
    zone: ZoneInfo
    workdays: Workdays
    store: Path
    profile: str
    push: bool
    sites: Mapping[str, SiteConfig]
    standards: tuple[str | Path, ...]
    """A text names a shipped pack, a path one of the organisation's own files."""
    register: Path | None
    gates: Path | None
    """The file that says what projects must meet to go on."""
    decisions: Path
    people: Path | None
    """Who may approve waivers; None: whoever is named in one."""
    hours_per_week: float | None
    """Of those of whom the people file does not say how long they work; None: nobody knows."""
    longest_waiver_d: int
    approves: Mapping[str, str]
    """The worst severity that each role may waive."""
    askers: tuple[str, ...]
    """Who may ask for a waiver in a comment."""
    guard: Guard
    listen: Address
    """Where the daemon tells its health and its metrics."""
    modes: tuple[ModeKeys, ...]
    """How hard is asked, beside the profiles, as written."""
    ladder: Ladder
    guidance: str
    """Where the page of each standard stands, with a slash at its end; empty: they are not published."""
    environ: Mapping[str, str] = field(repr=False)
    doc: Doc = field(repr=False)
    overridden: frozenset[At] = field(repr=False)

    def place(self, at: At) -> str:
        """Where a value was given: `file:line:column`, or the environment variable."""
        return f"environment variable {variable(at)}" if at in self.overridden else self.doc.place(at)

    def wrong(self, at: At, what: str, hint: str = "") -> Misconfigured:
        """The error to raise about a value."""
        return _wrong(self.doc, self.overridden, at, what, hint)

    def site(self, name: str) -> SiteConfig:
        """The site that somebody named, e.g. with `--site`."""
        if name not in self.sites:
            hint = did_you_mean(name, self.sites) or f"sites of {self.path}: {', '.join(self.sites)}"
            raise Misconfigured(f"there is no site '{name}'", hint=hint)
        return self.sites[name]


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration.

    Args:
        path: the file; None: what `PMOSYNC_CONFIG` names, else `pmosync.yaml` here.
    """
    path = path or Path(environ.get(CONFIG_VARIABLE, "") or DEFAULT_FILE)
    if not path.exists():
        raise Misconfigured(
            "there is no such file", where=str(path), hint="write one with `pmosync init`, or name yours with --config"
        )
    doc = load_yaml(path)
    if not isinstance(doc.data, dict):
        raise doc.wrong((), "a configuration is a list of keys", "write them as `organisation: Acme`")
    _refuse_later(doc)
    names = _site_names(doc)
    over = overrides(environ, names, _secret_variables(doc, environ))
    given = frozenset(leaves(over)) if over else frozenset()
    data = laid_over(doc.data, over)
    keys = _checked(Keys, data, doc, given)
    assert isinstance(keys, Keys)
    return _config(keys, doc, given, environ)


def _refuse_later(doc: Doc) -> None:
    for key, sentence in LATER.items():
        if key in doc.data:
            raise doc.wrong((key,), f"{key}: {sentence}", "remove the key", key=True)


def _site_names(doc: Doc) -> list[str]:
    """Names that can be told apart in environment variables and in `site/KEY`."""
    sites = doc.data.get("sites")
    if not isinstance(sites, dict):
        return []
    by_variable: dict[str, str] = {}
    for name in sites:
        if not SITE_NAME.fullmatch(name):
            raise doc.wrong(
                ("sites", name),
                f"'{name}' is no name for a site",
                "use lower-case letters, digits and hyphens, such as acme-jira",
                key=True,
            )
        twin = by_variable.setdefault(variable((name,)), name)
        if twin != name:
            raise doc.wrong(
                ("sites", name), f"'{name}' and '{twin}' are the same in environment variables", "rename one", key=True
            )
    return list(sites)


def _secret_variables(doc: Doc, environ: Mapping[str, str]) -> set[str]:
    """Variables that hold secrets: they may be called PMOSYNC_... and are no overrides."""
    texts = (*references(doc.data).values(), *environ.values())
    return {text.removeprefix("env:") for text in texts if text.startswith("env:")}


def _checked(model: type[BaseModel], data: Any, doc: Doc, given: frozenset[At]) -> BaseModel:
    """The data as this model; a mistake names the line, or the environment variable it came from."""
    try:
        return model(**data)
    except ValidationError as error:
        told = [
            Misconfigured(_message(item), where=f"environment variable {variable(at)}", hint="correct or unset it")
            for item in error.errors(include_url=False, include_input=False)
            if (at := _overridden_at(item["loc"], given))
        ]
        raise together(told, where="environment variables") if told else doc.explained(error, model) from None


def _message(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return f"there is no key '{item['loc'][-1]}'"
    return str(item["msg"]).removeprefix("Value error, ")


def _overridden_at(loc: tuple[int | str, ...], given: frozenset[At]) -> At | None:
    return next((at for at in given if at == loc[: len(at)]), None)


def _wrong(doc: Doc, given: frozenset[At], at: At, what: str, hint: str) -> Misconfigured:
    if at in given:
        return Misconfigured(what, where=f"environment variable {variable(at)}", hint=hint)
    return doc.wrong(at, what, hint)


def _config(keys: Keys, doc: Doc, given: frozenset[At], environ: Mapping[str, str]) -> Config:
    folder = doc.path.parent
    sites = {name: _site(name, site, keys, doc, given) for name, site in keys.sites.items()}
    return Config(
        path=doc.path,
        organisation=keys.organisation,
        zone=ZoneInfo(keys.timezone),
        workdays=workdays(keys.calendar.workdays, keys.calendar.holidays),
        store=folder / keys.store,
        profile=keys.profile,
        push=keys.push,
        sites=sites,
        standards=tuple(_pack(name, n, folder, doc, given) for n, name in enumerate(keys.standards)),
        register=folder / keys.register_ if keys.register_ else None,
        gates=folder / keys.gates if keys.gates else None,
        decisions=folder / keys.decisions,
        people=folder / keys.people if keys.people else None,
        hours_per_week=keys.capacity.hours_per_week,
        longest_waiver_d=keys.waivers.longest_days,
        approves=dict(APPROVES) | {str(role): worst for role, worst in keys.waivers.approve.items()},
        askers=keys.commands.ask,
        guard=Guard(keys.guard.max_share, keys.guard.max_changes),
        listen=keys.daemon.listen,
        modes=keys.modes,
        ladder=_ladder(keys.ladder, doc, given),
        guidance=_published(keys.guidance, doc, given),
        environ=environ,
        doc=doc,
        overridden=given,
    )


def _ladder(keys: LadderKeys, doc: Doc, given: frozenset[At]) -> Ladder:
    """Nobody stands on a step before the one below it."""
    if not keys.remind <= keys.lead <= keys.gate:
        what = f"the steps do not follow each other: remind {keys.remind}d, lead {keys.lead}d, gate {keys.gate}d"
        raise _wrong(doc, given, ("ladder",), what, "write ladder: {remind: 0d, lead: 5d, gate: 10d}")
    return Ladder(keys.remind, keys.lead, keys.gate)


def _published(address: str, doc: Doc, given: frozenset[At]) -> str:
    if (parts := urlsplit(address)).username is not None or parts.password is not None:
        at: At = ("guidance",)  # told without the line: there may be a password in it
        where = f"environment variable {variable(at)}" if at in given else doc.place(at)
        what = "an address that is shown to teams carries no user and no password"
        raise Misconfigured(what, where=where, hint="write it without them, and replace a password that stood here")
    return address


def _pack(name: str, position: int, folder: Path, doc: Doc, given: frozenset[At]) -> str | Path:
    """A name without slash and ending is a shipped pack."""
    at: At = ("standards",) if ("standards",) in given else ("standards", position)
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        if name not in shipped_packs():
            raise _wrong(doc, given, at, f"there is no pack '{name}'", other_pack(name))
        return name
    path = folder / name
    if not path.is_file():
        raise _wrong(doc, given, at, f"there is no file {path}", "correct the path; it is relative to this file")
    return path


def _site(name: str, site: SiteKeys, keys: Keys, doc: Doc, given: frozenset[At]) -> SiteConfig:
    at: At = ("sites", name)
    if site.connector not in installed():
        known = installed()
        hint = did_you_mean(site.connector, known) or f"installed: {', '.join(known) or 'none'}"
        raise _wrong(doc, given, (*at, "connector"), f"there is no connector '{site.connector}'", hint)
    module = module_of(site.connector)
    own = dict(site.model_extra or {})
    places = secret_paths(module.Settings)
    for secret in written_out(own, places):
        place = (*at, *secret)
        where = f"environment variable {variable(place)}" if place in given else doc.place(place)
        raise Misconfigured(
            f"a secret is written out in {'.'.join(secret)}",
            where=where,
            hint=f"write {_nested(secret, places)} and never the secret itself; replace the one that stood here",
        )
    _refuse_fixed(module, own, doc, given, at)
    _check_own(module, name, own, doc, given)
    return SiteConfig(
        name=name,
        connector=site.connector,
        module=module,
        mapping=doc.path.parent / site.mapping,
        zone=ZoneInfo(site.timezone or keys.timezone),
        max_wait_s=site.max_wait_s,
        timeout_s=site.timeout_s,
        schedule=_schedule(site.schedule, keys.schedule),
        own=own,
    )


def _refuse_fixed(module: ConnectorModule, own: Mapping[str, Any], doc: Doc, given: frozenset[At], at: At) -> None:
    """A secret that is replaced has to stand where it can be replaced."""
    for place in sorted(rotating_paths(module.Settings)):
        reference = references(own).get(place, "")
        if reference.startswith("env:"):
            raise _wrong(
                doc,
                given,
                (*at, *place),
                f"{'.'.join(place)} cannot stand in an environment variable: each use replaces it, and a variable "
                "cannot be written back",
                "write it into a file that only this account can read and write, and name that: file:/path",
            )


def _schedule(own: ScheduleKeys, common: ScheduleKeys) -> Schedule:
    """A site's schedule: its own, else the organisation's, else the usual one."""
    sync: Cron = own.sync or common.sync or SCHEDULE.sync
    return Schedule(sync, own.reconcile or common.reconcile or SCHEDULE.reconcile)


def _nested(found: At, places: Collection[tuple[str, ...]]) -> str:
    """How the reference is written, from the key that was found: `token: env:NAME`, `auth: {token: env:NAME}`."""
    whole = min((place for place in places if place[: len(found)] == found), key=lambda place: (len(place), place))
    text = "env:NAME or file:/path" if whole == found else "env:NAME"
    for key in reversed(whole[len(found) :]):
        text = f"{{{key}: {text}}}"
    return f"{found[-1]}: {text}"


def _check_own(module: ConnectorModule, name: str, own: Mapping[str, Any], doc: Doc, given: frozenset[At]) -> None:
    """Let the connector check its keys before any secret is read; common keys stand beside them for did-you-mean."""
    common: dict[str, Any] = dict.fromkeys(SiteKeys.model_fields, (Any, None))
    site = create_model("Site", __base__=module.Settings, **common)
    sites = create_model("Sites", sites=(dict[str, site], ...))  # type: ignore[valid-type]
    stand_ins: dict[tuple[str, ...], object] = dict.fromkeys(references(own), "reference")
    rotate = rotating_paths(module.Settings)
    stand_ins |= {place: rotating(text, Path(), "") for place, text in references(own).items() if place in rotate}
    _checked(sites, {"sites": {name: replaced(own, stand_ins)}}, doc, given)
