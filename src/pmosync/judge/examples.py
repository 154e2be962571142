"""Runs the examples of standards on an SQLite in memory, through the very compiler that judges real work.

An example is a row like any other: nothing here knows what a predicate means, so an example that agrees says something
about the SQL and not about a twin of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    literal,
    select,
)

from pmosync.model import FIELDS, Subject, Type
from pmosync.standards import Example, ExampleKind, Standard, fail_condition, fold, scope_condition, verdict

_TYPES: Mapping[Type, Any] = {
    Type.NUMBER: Double,
    Type.YESNO: Integer,
    Type.DATE: Integer,
    Type.INSTANT: BigInteger,
}
_DAY_US = 86_400_000_000
_ANSWERS: Mapping[int, ExampleKind] = {0: "pass", 1: "fail", 2: "unknown"}


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What an example should give, and what it gave."""

    standard: str
    kind: ExampleKind
    index: int
    expected: ExampleKind
    got: ExampleKind
    values: Mapping[str, float | int | str | None]
    place: str

    @property
    def agrees(self) -> bool:
        return self.expected == self.got


@dataclass(frozen=True, slots=True)
class _ExampleColumns:
    """The columns of the table of examples; their zone is UTC."""

    table: Table

    @property
    def today(self) -> ColumnElement[int]:
        return self.table.c["today()"]

    def column(self, name: str) -> ColumnElement[Any]:
        return self.table.c[name]

    def day(self, name: str) -> ColumnElement[int]:
        return self.table.c[f"day({name})"]

    def provided(self, name: str) -> ColumnElement[bool]:
        return self.table.c[f"provided({name})"]


def run_examples(standards: Sequence[Standard]) -> list[ExampleResult]:
    """Every example of every standard, in their order."""
    engine = create_engine("sqlite://")

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _: object) -> None:
        connection.create_function("fold", 1, fold, deterministic=True)

    with engine.begin() as connection:
        results = run_on(connection, standards)
    engine.dispose()
    return results


def run_on(connection: Connection, standards: Sequence[Standard]) -> list[ExampleResult]:
    """The same on an empty database, SQLite or PostgreSQL, in which tables are made for them."""
    metadata = MetaData()
    tables: dict[Subject, Table] = {subject: _table(subject, metadata) for subject in FIELDS}
    metadata.create_all(connection)
    return [result for standard in standards for result in _run(connection, tables[standard.subject], standard)]


def _table(subject: Subject, metadata: MetaData) -> Table:
    columns: list[Column[Any]] = [Column("id", Integer, primary_key=True), Column("today()", Integer)]
    for name, field in FIELDS[subject].items():
        columns += [Column(name, _TYPES.get(field.type, Text)), Column(f"provided({name})", Boolean)]
        if field.type is Type.INSTANT:
            columns.append(Column(f"day({name})", Integer))
    return Table(f"example_{subject}", metadata, *columns)


def _run(connection: Connection, table: Table, standard: Standard) -> list[ExampleResult]:
    if not standard.examples:
        return []
    connection.execute(table.delete())
    rows = [{"id": number, **_row(standard.subject, each)} for number, each in enumerate(standard.examples)]
    connection.execute(table.insert(), rows)
    columns = _ExampleColumns(table)
    scope = scope_condition(standard, columns)
    applies = literal(1) if scope is None else verdict(scope)
    asked = select(applies, verdict(fail_condition(standard, columns))).order_by(table.c.id)
    answers = connection.execute(asked).all()
    return [_result(standard, each, *answer) for each, answer in zip(standard.examples, answers, strict=True)]


def _row(subject: Subject, example: Example) -> dict[str, Any]:
    row: dict[str, Any] = {"today()": example.today}
    for name, field in FIELDS[subject].items():
        value = example.values.get(name)
        row |= {name: value, f"provided({name})": name not in example.not_provided}
        if field.type is Type.INSTANT:
            row[f"day({name})"] = None if value is None else int(value) // _DAY_US
    return row


def _result(standard: Standard, example: Example, applies: int, answer: int) -> ExampleResult:
    """Out of scope where it does not apply, or nobody can say that it does: as the judge has it."""
    got: ExampleKind = _ANSWERS[answer] if applies == 1 else "out_of_scope"
    return ExampleResult(standard.id, example.kind, example.index, example.kind, got, example.values, example.place)
