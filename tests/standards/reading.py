"""A second reading of the language in plain Python, written from docs/language.md: no SQL, nothing of the compiler.

A predicate is read for all rows at once: what a part of the tree is, is a list with one entry a row. None is empty, and
of a condition unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.standards.syntax import (
    Among,
    And,
    Arithmetic,
    Coalesce,
    Comparison,
    Condition,
    Constant,
    Contains,
    DayOf,
    Empty,
    FieldRef,
    Kind,
    Length,
    Not,
    Or,
    Today,
    Value,
)

Answers = list[bool | None]
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


@dataclass(frozen=True)
class Rows:
    """Subjects as lists: of each field its values, and whether it is provided; of each row its day and its zone."""

    values: Mapping[str, Sequence[Any]]
    provided: Mapping[str, Sequence[bool]]
    today: Sequence[int]
    zone_h: Sequence[int]

    def __len__(self) -> int:
        return len(self.today)


def truth(tree: Condition, rows: Rows) -> Answers:
    """What the condition says of each row: True, False, or None where that is unknown."""
    match tree:
        case Comparison(sign, left, right):
            return _both(_SIGNS[sign], value(left, rows), value(right, rows))
        case Contains(text, part):
            return _both(_occurs, value(text, rows), value(part, rows))
        case Among(wanted, items):
            return _any([truth(Comparison("=", wanted, item), rows) for item in items])
        case Empty(field):
            asked = zip(rows.provided[field.name], value(field, rows), strict=True)
            return [each is None if provided else None for provided, each in asked]
        case Not(inner):
            return [None if each is None else not each for each in truth(inner, rows)]
        case And(conditions):
            all_of = zip(*(truth(each, rows) for each in conditions), strict=True)
            return [False if False in each else None if None in each else True for each in all_of]
        case Or(conditions):
            return _any([truth(each, rows) for each in conditions])


def value(tree: Value, rows: Rows) -> list[Any]:
    """What stands there in each row."""
    match tree:
        case Constant(_, constant):
            return [constant] * len(rows)
        case FieldRef(name, Kind.NUMBER):
            return [None if each is None else float(each) for each in rows.values[name]]
        case FieldRef(name, Kind.TEXT):
            return [each or None for each in rows.values[name]]
        case FieldRef(name):
            return list(rows.values[name])
        case Today():
            return list(rows.today)
        case DayOf(name):
            return _both(lambda at, zone_h: (at + zone_h * HOUR_US) // DAY_US, rows.values[name], rows.zone_h)
        case Coalesce(_, values):
            first_of = zip(*(value(each, rows) for each in values), strict=True)
            return [next((one for one in each if one is not None), None) for each in first_of]
        case Length(of):
            return [None if each is None else float(len(each)) for each in value(of, rows)]
        case Arithmetic(_, "/", left, right):
            return _both(lambda one, other: None if other == 0 else one / other, value(left, rows), value(right, rows))
        case Arithmetic(_, sign, left, right):
            return _both(_SIGNS[sign], value(left, rows), value(right, rows))


def _both(sign: Callable[[Any, Any], Any], left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    """Where one side is empty nobody knows."""
    pairs = zip(left, right, strict=True)
    return [None if one is None or other is None else sign(one, other) for one, other in pairs]


def _any(parts: Sequence[Answers]) -> Answers:
    return [True if True in each else None if None in each else False for each in zip(*parts, strict=True)]


def _occurs(text: str, part: str) -> bool:
    """Small and capital letters are alike, and the capital of a Turkish ı is I."""
    folded, wanted = (each.casefold().replace("ı", "i") for each in (text, part))
    return wanted in folded
