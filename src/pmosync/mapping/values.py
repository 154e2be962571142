"""Turns one decoded value of a tool into a value of the model's type.

Never a crash and never a guess: a value of another type is a `Mismatch` that says what stood there.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

from pmosync.contract import Choice, Duration, Link, Person, Reference, Value
from pmosync.model import Field, Type

LONGEST = 80

ModelValue = dt.date | dt.datetime | str | float | bool | Person | None


class Mismatch(Exception):
    """The value is of a type that the model field cannot hold; the text says why."""


def shown(value: Value) -> str:
    """A value for people, in at most 80 characters."""
    text = ", ".join(shown(item) for item in value) if isinstance(value, tuple) else as_text(value) or "empty"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def convert(value: Value, model: Field, zone: ZoneInfo) -> ModelValue:
    """The value as this field of the model holds it; None when it is observed and empty."""
    if model.type is Type.TEXT:
        return as_text(value) or None
    if model.measured:
        return float(len(as_text(value)))
    if model.counted and isinstance(value, tuple):
        return float(len(value))
    if isinstance(value, tuple):
        value = value[0] if value else None
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if model.type is Type.NUMBER and model.unit != "h" and not isinstance(value, int | float):
        raise Mismatch(f"{_kind(value)}, not a number")
    return _SCALARS[model.type](value, zone)


def as_text(value: Value) -> str:
    """The value as plain text, trimmed; empty when there is none."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case Choice():
            return value.name.strip() or value.id
        case Person():
            return value.name.strip() or value.id
        case Reference():
            return value.id
        case Duration():
            return f"{value.seconds / 3600:g} h"
        case Link():
            return f"{value.name} {value.other}"
        case dt.date():
            return value.isoformat()
        case tuple():
            return ", ".join(text for text in map(as_text, value) if text)
        case _:
            return str(value)


def _date(value: Any, zone: ZoneInfo) -> ModelValue:
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).date()
    if isinstance(value, dt.date):
        return value
    raise Mismatch(f"{_kind(value)}, not a date")


def _instant(value: Any, _: ZoneInfo) -> ModelValue:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    raise Mismatch(f"{_kind(value)}, not an instant: the time of day is not known")


def _number(value: Any, _: ZoneInfo) -> ModelValue:
    number = value.seconds / 3600 if isinstance(value, Duration) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Mismatch(f"{_kind(value)}, not a number or a duration")
    if not math.isfinite(number):
        raise Mismatch("not a number that can be counted with")
    return float(number)


def _yesno(value: Any, _: ZoneInfo) -> ModelValue:
    if isinstance(value, bool):
        return value
    raise Mismatch(f"{_kind(value)}, not yes or no")


def _person(value: Any, _: ZoneInfo) -> ModelValue:
    if isinstance(value, Person):
        return value
    raise Mismatch(f"{_kind(value)}, not a person")


def _task(value: Any, _: ZoneInfo) -> ModelValue:
    if isinstance(value, Reference) and value.kind == "task":
        return value.id
    raise Mismatch(f"{_kind(value)}, not another task")


_SCALARS = {
    Type.DATE: _date,
    Type.INSTANT: _instant,
    Type.NUMBER: _number,
    Type.YESNO: _yesno,
    Type.PERSON: _person,
    Type.TASK: _task,
}


def _kind(value: object) -> str:
    match value:
        case bool():
            return "yes/no"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case dt.datetime():
            return "an instant"
        case dt.date():
            return "a day"
        case Duration():
            return "a duration"
        case Choice():
            return "a choice"
        case Person():
            return "a person"
        case Link():
            return "a link"
        case Reference():
            return f"a {value.kind}"
        case _:
            return type(value).__name__
