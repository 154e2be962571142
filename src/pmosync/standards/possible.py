"""What a condition can become when some fields are never provided: the reading without any data.

A standard that can never say "fail" on a site asks about something the site does not have: it is listed as blind there
instead of leaving thousands of unknowns. Fields are taken as independent, so "can" may be said too often, never too
seldom.
"""

from __future__ import annotations

from typing import Literal

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
    Length,
    Not,
    Or,
    Today,
    Value,
)

Truth = Literal["true", "false", "unknown"]
_EVERY: frozenset[Truth] = frozenset(("true", "false", "unknown"))
_KNOWN: frozenset[Truth] = frozenset(("true", "false"))
_UNKNOWN: frozenset[Truth] = frozenset(("unknown",))
_OPPOSITE: dict[Truth, Truth] = {"true": "false", "false": "true", "unknown": "unknown"}


def outcomes(tree: Condition, missing: frozenset[str]) -> frozenset[Truth]:
    """Every truth that the condition can have while the missing fields are never provided."""
    match tree:
        case Comparison(_, left, right) | Contains(left, right):
            return _EVERY if _may_be_there(left, missing) and _may_be_there(right, missing) else _UNKNOWN
        case Among(value, items):
            some = any(_may_be_there(item, missing) for item in items)
            return _EVERY if some and _may_be_there(value, missing) else _UNKNOWN
        case Empty(field):
            return _UNKNOWN if field.name in missing else _KNOWN
        case Not(inner):
            return frozenset(_OPPOSITE[truth] for truth in outcomes(inner, missing))
        case And(conditions):
            return _joined([outcomes(each, missing) for each in conditions], decides="false")
        case Or(conditions):
            return _joined([outcomes(each, missing) for each in conditions], decides="true")


def _joined(parts: list[frozenset[Truth]], decides: Truth) -> frozenset[Truth]:
    """AND is decided by one false, OR by one true; undecided, one unknown makes the whole unknown."""
    found: set[Truth] = {decides} if any(decides in part for part in parts) else set()
    undecided = [part - {decides} for part in parts]
    if all(undecided):
        if any("unknown" in part for part in undecided):
            found.add("unknown")
        if all(_OPPOSITE[decides] in part for part in undecided):
            found.add(_OPPOSITE[decides])
    return frozenset(found)


def _may_be_there(value: Value, missing: frozenset[str]) -> bool:
    """Whether the value is something on at least some subjects."""
    match value:
        case Constant() | Today():
            return True
        case FieldRef(name) | DayOf(name):
            return name not in missing
        case Coalesce(_, values):
            return any(_may_be_there(each, missing) for each in values)
        case Length(of):
            return _may_be_there(of, missing)
        case Arithmetic(_, _, left, right):
            return _may_be_there(left, missing) and _may_be_there(right, missing)
