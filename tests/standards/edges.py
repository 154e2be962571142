"""Tables of edge-case rows in a database, with the types that the model's fields have in the store.

Many predicates are asked in one SELECT, through the compiler that judges real work, and compared with the plain
reading.
"""

from __future__ import annotations

import random
from collections import Counter
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
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    select,
)
from tests.standards.authors import Author, edge_rows
from tests.standards.reading import Rows, truth, value

from pmosync.judge.columns import SubjectColumns
from pmosync.model import FIELDS, Subject, Type
from pmosync.standards import fold, verdict
from pmosync.standards.compiler import condition_sql
from pmosync.standards.syntax import DayOf, Predicate

AT_ONCE = 40
"""Predicates in one SELECT: their columns and parameters are well below what either database takes."""
_TYPES: Mapping[Type, Any] = {
    Type.NUMBER: Double,
    Type.DATE: Integer,
    Type.INSTANT: BigInteger,
    Type.YESNO: Integer,
}
_ANSWERS = {1: True, 0: False, 2: None}


@dataclass(frozen=True)
class TableColumns:
    """The columns of such a table."""

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


@dataclass(frozen=True)
class Edges:
    """The edge-case rows of one subject, and the table that holds them in a database."""

    subject: Subject
    rows: Rows
    table: Table

    def lay(self, connection: Connection) -> None:
        """Make the table and fill it."""
        self.table.create(connection)
        stored = []
        days = {name: value(DayOf(name), self.rows) for name in self._instants()}
        for number, today in enumerate(self.rows.today):
            one: dict[str, Any] = {"id": number, "today()": today}
            one |= {name: each[number] for name, each in self.rows.values.items()}
            one |= {f"provided({name})": each[number] for name, each in self.rows.provided.items()}
            stored.append(one | {f"day({name})": each[number] for name, each in days.items()})
        connection.execute(self.table.insert(), stored)

    def ask(self, connection: Connection, predicates: Sequence[Predicate]) -> list[list[bool | None]]:
        """The answers of the database, predicate by predicate."""
        columns = TableColumns(self.table)
        asked = [verdict(condition_sql(each.tree, columns)) for each in predicates]
        rows = connection.execute(select(*asked).order_by(self.table.c.id)).all()
        return [[_ANSWERS[each] for each in answers] for answers in zip(*rows, strict=True)]

    def row(self, number: int) -> dict[str, Any]:
        """One row, to be shown beside a disagreement."""
        values = {name: each[number] for name, each in self.rows.values.items()}
        missing = sorted(name for name, each in self.rows.provided.items() if not each[number])
        return {**values, "not_provided": missing, "today()": self.rows.today[number]}

    def _instants(self) -> list[str]:
        return [name for name, field in FIELDS[self.subject].items() if field.type is Type.INSTANT]


def made(subject: Subject, seed: int, count: int) -> Edges:
    """Edge-case rows of a subject; a number is whole where it is in the store."""
    columns = SubjectColumns(subject)
    numbers = [name for name, field in FIELDS[subject].items() if field.type is Type.NUMBER]
    whole = frozenset(name for name in numbers if isinstance(columns.column(name).type, Integer))
    types = {
        name: Integer if name in whole else _TYPES.get(field.type, Text) for name, field in FIELDS[subject].items()
    }
    parts: list[Column[Any]] = [Column("id", Integer, primary_key=True), Column("today()", Integer)]
    for name, kind in types.items():
        parts += [Column(name, kind), Column(f"provided({name})", Boolean)]
        if FIELDS[subject][name].type is Type.INSTANT:
            parts.append(Column(f"day({name})", Integer))
    rows = edge_rows(subject, whole, random.Random(f"{seed} rows {subject}"), count)
    return Edges(subject, rows, Table(f"edge_{subject}", MetaData(), *parts))


def compare(engines: Sequence[Engine], seed: int, predicates: int, rows: int) -> Counter[bool | None]:
    """Ask so many predicates about so many rows of every subject, in each database; how often each answer was given.

    Raises:
        AssertionError: names the predicate, the row and the answers when they differ.
    """
    told: Counter[bool | None] = Counter()
    plain = {"compiled_cache": None}  # no statement comes twice, and the key of a long one takes its time
    connections = [engine.connect().execution_options(**plain) for engine in engines]
    for subject in FIELDS:
        edges, author = made(subject, seed, rows), Author(subject, random.Random(f"{seed} {subject}"))
        for connection in connections:
            edges.lay(connection)
        left = predicates // len(FIELDS)
        while left > 0:
            some = [author.predicate() for _ in range(min(left, AT_ONCE))]
            left -= len(some)
            expected = [truth(each.tree, edges.rows) for each in some]
            for connection in connections:
                _same(edges, some, expected, edges.ask(connection, some), connection.dialect.name)
            for answers in expected:
                told.update(answers)
    for connection in connections:
        connection.close()
    return told


def _same(
    edges: Edges,
    predicates: Sequence[Predicate],
    expected: Sequence[Sequence[bool | None]],
    found: Sequence[Sequence[bool | None]],
    where: str,
) -> None:
    for predicate, right, got in zip(predicates, expected, found, strict=True):
        if list(right) != list(got):
            number = next(at for at, pair in enumerate(zip(right, got, strict=True)) if pair[0] is not pair[1])
            raise AssertionError(
                f"{edges.subject}: {predicate.text}\n{where} says {got[number]}, the plain reading {right[number]}, "
                f"of {edges.row(number)}"
            )


def sqlite() -> Engine:
    """A database in memory, as the store opens it."""
    engine = create_engine("sqlite://")
    event.listen(
        engine, "connect", lambda connection, _: connection.create_function("fold", 1, fold, deterministic=True)
    )
    return engine
