"""The values that a connector decodes: what a field of a tool can hold, and how that is kept as plain data.

It keeps the promise that a value comes back from its plain form as it was, type and all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Clock = Callable[[], dt.datetime]
"""Says what time it is, in UTC with a zone. Always an argument."""

Kind = Literal["project", "task", "person", "worklog", "comment", "allocation", "rollup"]
"""`rollup`: a place that holds nothing but a rollup of ours, e.g. a status issue; never evidence."""
SubjectKind = Literal["task", "project"]
MarkedKind = Literal["task", "project", "rollup"]


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a list: a status, a type, a priority, a select field, a section."""

    id: str
    name: str
    category: str | None = None
    """The tool's own class of the option, e.g. Jira's status category `new`, `indeterminate`, `done`."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as another record mentions them; `active` is None where the tool does not say."""

    id: str
    name: str = ""
    email: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Another record of the same site, by the tool's stable id."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in seconds, whatever unit the tool uses."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Link:
    """A link from the record that carries it to another task of the same site."""

    type: str
    """The tool's stable id of the link type, e.g. `10000`; `dependency` in Asana."""
    name: str
    """The tool's name of the link type, e.g. `Blocks`."""
    direction: Literal["outward", "inward"]
    """`outward`: the carrying record does it to the other (A blocks B, seen from A)."""
    other: str
    """The other record's id."""


Scalar = str | float | int | bool | dt.date | dt.datetime | Choice | Person | Reference | Duration | Link
Value = Scalar | tuple[Scalar, ...] | None
"""None: observed and empty. A field that is missing from a record's values was *not provided*.
A `datetime` is an instant and always has a zone; a `date` is a local day; text is plain text."""


def encode(value: Value) -> Any:
    """One value as plain JSON data, with the type kept."""
    match value:
        case None | bool() | str() | int() | float():
            return value
        case dt.datetime():
            return {"i": value.astimezone(dt.UTC).isoformat()}
        case dt.date():
            return {"d": value.isoformat()}
        case Choice():
            return {"c": [value.id, value.name, value.category]}
        case Person():
            return {"p": [value.id, value.name, value.email, value.active]}
        case Reference():
            return {"r": [value.kind, value.id]}
        case Duration():
            return {"s": value.seconds}
        case Link():
            return {"l": [value.type, value.name, value.direction, value.other]}
        case tuple():
            return [encode(item) for item in value]


def decode(data: Any) -> Value:
    """The opposite of `encode`."""
    if isinstance(data, dict):
        ((tag, body),) = data.items()
        return _DECODERS[tag](body)
    if isinstance(data, list):
        return tuple(decode(item) for item in data)  # type: ignore[misc]
    return data  # type: ignore[no-any-return]


_DECODERS: Mapping[str, Callable[[Any], Scalar]] = {
    "i": dt.datetime.fromisoformat,
    "d": dt.date.fromisoformat,
    "c": lambda body: Choice(*body),
    "p": lambda body: Person(*body),
    "r": lambda body: Reference(*body),
    "l": lambda body: Link(*body),
    "s": Duration,
}


def canonical(data: Any) -> str:
    """JSON text with sorted keys: equal data gives equal text, whoever wrote it."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
