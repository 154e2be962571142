"""What a predicate is once it is understood: a tree of typed values and conditions.

The tree holds no spelling and no positions: bare words have become options, an instant that is compared with a date has
become its local day. Every back end (SQL, the reading without data, the reading in the tests) sees the same few nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What kind of value stands there; the types of the model, and durations."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    YESNO = "yes/no"
    OPTION = "option"
    PERSON = "person"
    TASK = "task"
    DAYS = "duration"


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal or the value of a parameter. Dates are day numbers, durations are days, yes is 1 and no is 0."""

    kind: Kind
    value: float | int | str


@dataclass(frozen=True, slots=True)
class FieldRef:
    """The value of a field or fact."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Today:
    """The day number of today in the subject's zone."""


@dataclass(frozen=True, slots=True)
class DayOf:
    """The local day number of an instant."""

    name: str


@dataclass(frozen=True, slots=True)
class Coalesce:
    """The first of these values that is not empty."""

    kind: Kind
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """How many characters a text has."""

    of: Value


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A calculation; dividing by zero gives unknown."""

    kind: Kind
    op: Literal["+", "-", "*", "/"]
    left: Value
    right: Value


Value = Constant | FieldRef | Today | DayOf | Coalesce | Length | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Contains:
    """Whether the part occurs in the text, small and capital letters alike."""

    text: Value
    part: Value


@dataclass(frozen=True, slots=True)
class Among:
    """Whether the value equals one of these."""

    value: Value
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """Whether the field holds nothing; unknown where the field is not provided."""

    field: FieldRef


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    conditions: tuple[Condition, ...]


Condition = Comparison | Contains | Among | Empty | Not | And | Or


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition that was read and checked; `text` has one space between any two words, however it was typed."""

    text: str
    tree: Condition
    fields: frozenset[str]
    uses_today: bool


def kind_of(value: Value) -> Kind:
    """What kind of value this is."""
    match value:
        case Today() | DayOf():
            return Kind.DATE
        case Length():
            return Kind.NUMBER
        case _:
            return value.kind
