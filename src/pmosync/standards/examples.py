"""Reads the examples of a standard, checked against the registry of fields like the predicates themselves.

An example gives only what it needs: a field that is not named is empty, though provided; `not_provided` lists fields
that the imagined site does not have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pmosync.model import FIELDS, Field, Subject, Type
from pmosync.standards.standard import Example, ExampleKind
from pmosync.standards.values import EPOCH
from pmosync.yamlfile import At, Doc, did_you_mean

KINDS: tuple[ExampleKind, ...] = ("fail", "pass", "unknown", "out_of_scope")
_MICROSECOND = dt.timedelta(microseconds=1)
_INSTANT_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read_examples(doc: Doc, at: At, subject: Subject, today: dt.date, scoped: bool) -> tuple[Example, ...]:
    """All examples of the standard that stands at `at`, in the order fail, pass, unknown, out_of_scope."""
    entries = doc.data
    for step in at:
        entries = entries[step]
    examples = []
    for kind in KINDS:
        if kind == "out_of_scope" and kind in entries and not scoped:
            raise doc.wrong((*at, kind), "without applies_to nothing is out of scope", "add applies_to", key=True)
        if kind in ("fail", "pass") and not entries.get(kind):
            raise doc.wrong(
                (*at, kind), f"no example of kind {kind}", "give one that fails and one that passes", key=True
            )
        for index, values in enumerate(entries.get(kind) or ()):
            examples.append(_example(doc, (*at, kind, index), kind, index, values, subject, today))
    return tuple(examples)


def _example(
    doc: Doc, at: At, kind: ExampleKind, index: int, entry: Mapping[str, Any], subject: Subject, today: dt.date
) -> Example:
    fields = FIELDS[subject]
    own_day = entry.get("today", today)
    if type(own_day) is not dt.date:
        raise doc.wrong((*at, "today"), "today is not a date", "write it like 2026-11-20")
    missing = entry.get("not_provided") or []
    if not isinstance(missing, list):
        raise doc.wrong((*at, "not_provided"), "not_provided is a list of fields", "write [due_on]")
    for position, name in enumerate(missing):
        if name not in fields:
            raise doc.wrong((*at, "not_provided", position), f"unknown field '{name}'", _which(str(name), fields))
    values = {}
    for name, value in entry.items():
        if name in ("today", "not_provided"):
            continue
        if name not in fields:
            raise doc.wrong((*at, name), f"unknown field '{name}'", _which(name, fields), key=True)
        if value is not None and name in missing:
            raise doc.wrong((*at, name), f"{name} has a value and is not provided", "remove one of the two", key=True)
        values[name] = _value(doc, (*at, name), value, fields[name])
    return Example(kind, index, values, (own_day - EPOCH).days, frozenset(missing), doc.place_of_key(at))


def _which(name: str, fields: Mapping[str, Field]) -> str:
    return did_you_mean(name, fields) or "fields are: " + ", ".join(fields)


def _value(doc: Doc, at: At, value: object, field: Field) -> float | int | str | None:
    """The value as the store would hold it."""
    stored: float | int | str | None = None
    wanted = ""
    match field.type:
        case _ if value is None:
            return None
        case Type.NUMBER:
            stored, wanted = (float(value) if type(value) in (int, float) else None), "a number"  # type: ignore[arg-type]
        case Type.YESNO:
            stored, wanted = (int(value) if isinstance(value, bool) else None), "true or false"
        case Type.DATE:
            stored, wanted = ((value - EPOCH).days if type(value) is dt.date else None), "a date like 2026-11-20"
        case Type.INSTANT:
            stored, wanted = _instant(value), "an instant like 2026-11-20T09:00:00Z, or a date"
        case Type.OPTION:
            stored = value if isinstance(value, str) and value in field.options else None
            wanted = f"{did_you_mean(str(value), field.options)} one of {', '.join(field.options)}".strip()
        case _:
            stored, wanted = (value if isinstance(value, str) else None), "a text, in quotes if it looks like a number"
    if stored is None:
        raise doc.wrong(at, f"{field.name} cannot be {value!r}", wanted)
    return stored


def _instant(value: object) -> int | None:
    """A date stands for its noon, so that it is the same day in every zone that an example may be read in."""
    if type(value) is dt.date:
        moment = dt.datetime(value.year, value.month, value.day, 12, tzinfo=dt.UTC)
    else:
        try:
            moment = dt.datetime.fromisoformat(str(value))
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
    return (moment - _INSTANT_EPOCH) // _MICROSECOND
