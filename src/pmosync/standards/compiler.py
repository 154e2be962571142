"""Turns a checked predicate into one SQL condition with bound parameters, for SQLite and PostgreSQL alike.

True means the standard is broken, false that it is met, and unknown stays unknown: nothing here turns a missing value
into an answer. Field names never reach the SQL text; only `Columns` knows where a value comes from.
"""

from __future__ import annotations

import operator
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    Float,
    Integer,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

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
    kind_of,
)


class Columns(Protocol):
    """How the names of a subject become SQL.

    Dates are day numbers (days since 1970-01-01), instants microseconds UTC, yes/no is 0 or 1, options, texts, persons
    and tasks are text or an id, numbers are floats; NULL is empty.
    """

    @property
    def today(self) -> ColumnElement[int]:
        """The day number of today in the subject's zone."""
        ...

    def column(self, name: str) -> ColumnElement[Any]:
        """The value of a field."""
        ...

    def day(self, name: str) -> ColumnElement[int]:
        """The local day number of an instant."""
        ...

    def provided(self, name: str) -> ColumnElement[bool] | None:
        """Whether the field is provided for the subject at hand; None: it always is."""
        ...


_TYPES: dict[Kind, Any] = {
    Kind.TEXT: Text(),
    Kind.OPTION: Text(),
    Kind.NUMBER: Double(),
    Kind.DATE: BigInteger(),
    Kind.DAYS: BigInteger(),
    Kind.INSTANT: BigInteger(),
    Kind.YESNO: Integer(),
}
_SIGNS: dict[str, Any] = {
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


def fold(value: str | float | int | None) -> str | float | int | None:
    """The SQL function `fold` that SQLite needs: text without the difference of small and capital letters.

    First small and then capital, so that ß is SS, ẞ is SS too, and a sigma is a sigma wherever it stands in a word:
    PostgreSQL can do the same in any language, and has no `casefold` before its 18th version.
    """
    return value.lower().upper() if isinstance(value, str) else value


class verdict(FunctionElement[int]):
    """`verdict(p)`: 1 where the condition holds (fail), 0 where it does not (pass), 2 where that is unknown.

    SQLite short-circuits only in jump position and PostgreSQL everywhere, so each gets the form it is fast with.
    """

    name = "verdict"
    type = Integer()
    inherit_cache = True


@compiles(verdict)
def _verdict(element: verdict, compiler: SQLCompiler, **options: Any) -> str:
    condition = compiler.process(element.clauses, **options)
    return f"CASE WHEN ({condition}) THEN 1 WHEN NOT ({condition}) THEN 0 ELSE 2 END"


@compiles(verdict, "postgresql")
def _verdict_postgresql(element: verdict, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(CAST(({compiler.process(element.clauses, **options)}) AS INTEGER), 2)"


class _occurs(FunctionElement[bool]):
    """`_occurs(text, part)`: whether the part stands in the text, small and capital letters alike."""

    name = "occurs"
    type = Boolean()
    inherit_cache = True


@compiles(_occurs)
def _occurs_sqlite(element: _occurs, compiler: SQLCompiler, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in element.clauses)
    ours, builtin = (f"instr({capitals}({text}), fold({part})) > 0" for capitals in ("fold", "upper"))
    # of plain ASCII SQLite knows the capitals itself, ten times as fast as a function of ours
    return f"CASE WHEN length({text}) = length(CAST({text} AS BLOB)) THEN {builtin} ELSE {ours} END"


@compiles(_occurs, "postgresql")
def _occurs_postgresql(element: _occurs, compiler: SQLCompiler, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in element.clauses)
    folded = [f'upper(lower({one} COLLATE "und-x-icu"))' for one in (text, part)]
    return f"(strpos({folded[0]}, {folded[1]}) > 0)"


def condition_sql(tree: Condition, columns: Columns) -> ColumnElement[bool]:
    """The condition as SQL."""
    match tree:
        case Comparison(op, left, right):
            return _SIGNS[op](value_sql(left, columns), value_sql(right, columns))  # type: ignore[no-any-return]
        case Contains(text, part):
            return _occurs(value_sql(text, columns), value_sql(part, columns))
        case Among(value, items):
            return value_sql(value, columns).in_([value_sql(item, columns) for item in items])
        case Empty(field):
            empty = value_sql(field, columns).is_(None)
            provided = columns.provided(field.name)
            return empty if provided is None else case((provided, empty))
        case Not(inner):
            return not_(condition_sql(inner, columns))
        case And(conditions):
            return and_(*(condition_sql(each, columns) for each in conditions))
        case Or(conditions):
            return or_(*(condition_sql(each, columns) for each in conditions))


def value_sql(value: Value, columns: Columns) -> ColumnElement[Any]:
    """The value as SQL; an empty text is NULL, so that it is empty everywhere."""
    match value:
        case Constant(kind, constant):
            return literal(constant, Double() if isinstance(constant, float) else _TYPES[kind])
        case FieldRef(name, Kind.TEXT):
            return func.nullif(columns.column(name), "", type_=Text())
        case FieldRef(name):
            return columns.column(name)
        case Today():
            return columns.today
        case DayOf(name):
            return columns.day(name)
        case Coalesce(_, values):
            return func.coalesce(*(value_sql(each, columns) for each in values))
        case Length(of):
            return func.length(value_sql(of, columns), type_=Integer())
        case Arithmetic():
            return _arithmetic(value, columns)


def _arithmetic(value: Arithmetic, columns: Columns) -> ColumnElement[Any]:
    left, right = _counted(value.left, columns), _counted(value.right, columns)
    if value.op == "/":  # days would be divided as whole numbers
        left = left if kind_of(value.left) is Kind.NUMBER else cast(left, Double())
        return left.op("/", precedence=8)(func.nullif(right, 0))
    return _SIGNS[value.op](left, right)  # type: ignore[no-any-return]


def _counted(value: Value, columns: Columns) -> ColumnElement[Any]:
    """The value as one to calculate with. Whole numbers are divided and overflow differently in each database."""
    counted = value_sql(value, columns)
    exact = isinstance(value, Constant | Arithmetic) or (
        isinstance(value, FieldRef) and isinstance(counted.type, Float)
    )
    return cast(counted, Double()) if kind_of(value) is Kind.NUMBER and not exact else counted
