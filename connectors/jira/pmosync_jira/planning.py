"""Reads the dates that live in an issue's versions and sprints, as further fields that a mapping may name.

It keeps the promise that nothing is guessed: of an issue's several versions or sprints, one rule says which counts.

| field id                            | what it is                                                     | kind    |
|-------------------------------------|----------------------------------------------------------------|---------|
| `fixVersions.latest`                | the version that counts; category `released`, `unreleased`     | choice  |
| `fixVersions.latest.releaseDate`    | its release date                                               | date    |
| `fixVersions.earliest...`           | the same of the earliest one                                   | both    |
| `customfield_N.latest`              | the sprint that counts; category `active`, `future`, `closed`  | choice  |
| `customfield_N.latest.startDate`    | its start; also `.endDate` (planned), `.completeDate` (closed) | instant |

| of several           | counts                                                                                |
|----------------------|---------------------------------------------------------------------------------------|
| versions, `latest`   | the latest release date, released or not; never an archived one; one without a date   |
|                      | only when none has a date                                                             |
| versions, `earliest` | the earliest release date, by the same rules                                          |
| sprints, `latest`    | the active one (of several: that ends last); else the future one that starts first    |
|                      | (without a start after all others); else the closed one that was completed last       |

An issue embeds no version's start date, so there is no such field: it could not be read from the issue.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pmosync.contract import Choice, FieldInfo, Value

from .decode import Reader, choice, date, instant, listed, reader_of
from .sprint_text import sprint_json

SPRINT_FIELD = "com.pyxis.greenhopper.jira:gh-sprint"
"""How Jira's description of a field says that it holds sprints: the field's id differs from site to site."""

Read = Callable[[Any], Value]

_NEVER = dt.date.min
_ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)
_SOME_DAY = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """A version, as issues embed it and as its project lists it."""

    id: str
    name: str
    state: str
    """`unreleased`, `released`, `archived`."""
    release_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Sprint:
    """A sprint, as issues embed it and as the agile API gives it."""

    id: str
    name: str
    state: str
    """`future`, `active`, `closed`."""
    start_at: dt.datetime | None
    end_at: dt.datetime | None
    complete_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A field of the site that holds versions or sprints."""

    id: str
    what: Literal["version", "sprint"]
    clause: str
    """How JQL names it."""

    def read(self, raw: Any) -> Version | Sprint:
        """One of its items; raises one of `ODD` when it is of another shape."""
        return version(raw) if self.what == "version" else sprint(raw)


def planned(field: Mapping[str, Any]) -> Planned | None:
    """What Jira's description of a field (from `GET /field`) says of versions or sprints in it."""
    schema = field.get("schema") or {}
    clause = f"cf[{schema['customId']}]" if "customId" in schema else next(iter(field.get("clauseNames") or ()), "")
    if schema.get("type") != "array" or not clause:
        return None
    if schema.get("custom") == SPRINT_FIELD:
        return Planned(str(field["id"]), "sprint", clause)
    return Planned(str(field["id"]), "version", clause) if schema.get("items") == "version" else None


def version(raw: Mapping[str, Any]) -> Version:
    """A version of Jira's JSON."""
    state = "archived" if raw["archived"] else "released" if raw["released"] else "unreleased"
    release_on = date(raw["releaseDate"]) if raw.get("releaseDate") else None
    return Version(str(raw["id"]), str(raw["name"]), state, release_on)


def sprint(raw: Mapping[str, Any] | str) -> Sprint:
    """A sprint of Jira's JSON, or of the text that old servers give."""
    raw = sprint_json(raw)
    state = str(raw["state"]).lower()
    if state not in ("future", "active", "closed"):
        raise ValueError(f"a sprint of state {state}")
    start_at, end_at, complete_at = (
        instant(raw[name]) if raw.get(name) else None for name in ("startDate", "endDate", "completeDate")
    )
    return Sprint(str(raw["id"]), str(raw["name"]), state, start_at, end_at, complete_at)


def fingerprint(thing: Version | Sprint) -> str:
    """A short text that differs when what a mapping can read of it differs, whoever tells it and in which zone."""
    dates = (
        [str(thing.release_on)]
        if isinstance(thing, Version)
        else [str(at and int(at.timestamp())) for at in (thing.start_at, thing.end_at, thing.complete_at)]
    )
    return hashlib.sha256("\n".join([thing.name, thing.state, *dates]).encode()).hexdigest()[:8]


# --- which one counts -----------------------------------------------------------------------------------------------


def latest_version(versions: Iterable[Version]) -> Version | None:
    """The version with the latest release date."""
    return max(_counted(versions), key=lambda one: (one.release_on or _NEVER, _rank(one.id)), default=None)


def earliest_version(versions: Iterable[Version]) -> Version | None:
    """The version with the earliest release date."""
    return min(_counted(versions), key=lambda one: (one.release_on or _NEVER, _rank(one.id)), default=None)


def _counted(versions: Iterable[Version]) -> Sequence[Version]:
    alive = [one for one in versions if one.state != "archived"]
    return [one for one in alive if one.release_on] or alive


def latest_sprint(sprints: Iterable[Sprint]) -> Sprint | None:
    """The sprint that the issue is in, will be in, or was in last."""
    known = list(sprints)
    active = [one for one in known if one.state == "active"]
    future = [one for one in known if one.state == "future"]
    if active:
        return max(active, key=lambda one: (one.end_at or _ALWAYS, _rank(one.id)))
    if future:
        return min(future, key=lambda one: (one.start_at or _SOME_DAY, _rank(one.id)))
    return max(known, key=lambda one: (one.complete_at or one.end_at or _ALWAYS, _rank(one.id)), default=None)


def _rank(thing_id: str) -> tuple[int, str]:
    return len(thing_id), thing_id


# --- as fields of a mapping -----------------------------------------------------------------------------------------


def _choice(one: Version | Sprint) -> Choice:
    return Choice(one.id, one.name, one.state)


def _sprints(raw: Any) -> Value:
    return tuple(choice(sprint_json(one)) for one in listed(raw))


def _of_versions(choose: Callable[[Iterable[Version]], Version | None], tell: Callable[[Version], Value]) -> Read:
    def read(raw: Any) -> Value:
        found = choose([version(one) for one in listed(raw)])
        return tell(found) if found else None

    return read


def _of_sprints(tell: Callable[[Sprint], Value]) -> Read:
    def read(raw: Any) -> Value:
        found = latest_sprint([sprint(one) for one in listed(raw)])
        return tell(found) if found else None

    return read


_PARTS: Mapping[str, Mapping[str, Reader]] = {
    "version": {
        "latest": Reader("choice", _of_versions(latest_version, _choice)),
        "latest.releaseDate": Reader("date", _of_versions(latest_version, lambda one: one.release_on)),
        "earliest": Reader("choice", _of_versions(earliest_version, _choice)),
        "earliest.releaseDate": Reader("date", _of_versions(earliest_version, lambda one: one.release_on)),
    },
    "sprint": {
        "latest": Reader("choice", _of_sprints(_choice)),
        "latest.startDate": Reader("instant", _of_sprints(lambda one: one.start_at)),
        "latest.endDate": Reader("instant", _of_sprints(lambda one: one.end_at)),
        "latest.completeDate": Reader("instant", _of_sprints(lambda one: one.complete_at)),
    },
}


def readers_of(field: Mapping[str, Any]) -> dict[str, Reader]:
    """How a field is read, and everything that can be read out of it, by the id that a mapping names."""
    found = planned(field)
    parts = _PARTS[found.what] if found else {}
    whole = Reader("list", _sprints) if found and found.what == "sprint" else reader_of(field)
    return {field["id"]: whole, **{f"{field['id']}.{part}": reader for part, reader in parts.items()}}


def parts_of(field: FieldInfo, raw: Mapping[str, Any]) -> list[FieldInfo]:
    """What can be read out of a field, as fields of their own: called like it, with the part after a dot."""
    found = planned(raw)
    parts: Mapping[str, Reader] = _PARTS[found.what] if found else {}
    return [
        FieldInfo(f"{field.id}.{part}", f"{field.name}.{part}", reader.kind, (), field.projects, custom=field.custom)
        for part, reader in parts.items()
    ]


@functools.cache
def base_of(field_id: str) -> str:
    """The field of Jira's that holds what a mapping names: `fixVersions` of `fixVersions.latest.releaseDate`."""
    base, _, part = field_id.partition(".")
    return base if any(part in parts for parts in _PARTS.values()) else field_id
