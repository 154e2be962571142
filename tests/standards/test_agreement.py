"""SQL says what the language means: random predicates, read once more in plain Python, give the same three answers."""

from __future__ import annotations

import operator
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    select,
)

from pmosync.model import FIELDS, Type
from pmosync.standards import fold, parse_predicate, verdict
from pmosync.standards.compiler import condition_sql
from pmosync.standards.possible import outcomes
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

DAY_US = 86_400_000_000
TODAY = 20_777
PARTS = ("ä", "ß", "TBD", "100%", "_", "x")
Row = Mapping[str, Any]

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


# --- the language in plain Python: None is unknown, None is empty


def truth(tree: Condition, row: Row) -> bool | None:
    match tree:
        case Comparison(op, left, right):
            a, b = value(left, row), value(right, row)
            return None if a is None or b is None else _SIGNS[op](a, b)
        case Contains(text, part):
            a, b = value(text, row), value(part, row)
            return None if a is None or b is None else b.casefold() in a.casefold()
        case Among(wanted, items):
            return either([truth(Comparison("=", wanted, item), row) for item in items])
        case Empty(field):
            return None if field.name in row["missing"] else value(field, row) is None
        case Not(inner):
            answer = truth(inner, row)
            return None if answer is None else not answer
        case And(conditions):
            answers = [truth(each, row) for each in conditions]
            return False if False in answers else None if None in answers else True
        case Or(conditions):
            return either([truth(each, row) for each in conditions])


def either(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def value(tree: Value, row: Row) -> Any:
    match tree:
        case Constant(_, constant):
            return constant
        case FieldRef(name):
            return None if row[name] == "" else row[name]
        case Today():
            return TODAY
        case DayOf(name):
            return None if row[name] is None else row[name] // DAY_US
        case Coalesce(_, values):
            return next((found for each in values if (found := value(each, row)) is not None), None)
        case Length(of):
            text = value(of, row)
            return None if text is None else len(text)
        case Arithmetic(_, op, left, right):
            a, b = value(left, row), value(right, row)
            if a is None or b is None or (op == "/" and b == 0):
                return None
            return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[op](a, b)


# --- random predicates, as text


class Author:
    """Writes predicates that are well typed, with a bias to the edges of the rows below."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def condition(self, depth: int = 2) -> str:
        pick = self.dice.random()
        if depth == 0 or pick < 0.4:
            return self.leaf()
        if pick < 0.55:
            return f"NOT ({self.condition(depth - 1)})"
        word = self.dice.choice((" AND ", " OR "))
        return "(" + word.join(self.condition(depth - 1) for _ in range(2)) + ")"

    def leaf(self) -> str:
        sign = self.dice.choice(tuple(_SIGNS))
        return self.dice.choice(
            (
                lambda: f"{self.number(2)} {sign} {self.number(1)} + 0 * children",
                lambda: f"{self.date(2)} {sign} {self.date(1)} + 0 * (due_on - start_on)",
                lambda: f"created_at {sign} {self.date(1)}",
                lambda: f"due_on - start_on {sign} {self.duration()}",
                lambda: f"{self.number(1)} + spent_h BETWEEN {self.number(1)} AND {self.number(1)}",
                lambda: f"status {self.dice.choice(('=', '!='))} {self.option('status')}",
                lambda: f"coalesce(priority, {self.option('priority')}) {self.dice.choice(('=', '!='))} medium",
                lambda: f"type {self.dice.choice(('', 'NOT '))}IN ({self.option('type')}, {self.option('type')})",
                lambda: f"children IN ({self.number(1)}, {self.number(1)})",
                lambda: f"due_on NOT IN ({self.date(1)}, start_on)",
                lambda: f"in_cycle {self.dice.choice(('=', '!='))} {self.dice.choice(('TRUE', 'FALSE'))}",
                lambda: (
                    f"title {self.dice.choice(('~', '!~'))} '{self.dice.choice(('ä', 'ß', 'TBD', '100%', '_', 'x'))}'"
                ),
                lambda: f"coalesce(resolution, title) {self.dice.choice(('=', '!='))} 'Fixed'",
                lambda: f"length(title) {sign} {self.dice.choice((0, 1, 3))}",
                lambda: f"{self.dice.choice(list(FIELDS['task']))} IS {self.dice.choice(('', 'NOT '))}EMPTY",
            )
        )()

    def option(self, name: str) -> str:
        return self.dice.choice(FIELDS["task"][name].options)

    def duration(self) -> str:
        return self.dice.choice(("0d", "1d", "2w", "5", "0.5", "7d / 2", "1d * 0.5"))

    def number(self, depth: int) -> str:
        plain = ("children", "open_preds", "estimate_h", "workdays_late", "0", "1", "0.5", "-1", "10", "length(title)")
        if depth == 0 or self.dice.random() < 0.5:
            return self.dice.choice(plain)
        return self.dice.choice(
            (
                f"({self.number(depth - 1)} {self.dice.choice('+-*/')} {self.number(depth - 1)})",
                f"coalesce({self.number(depth - 1)}, {self.number(depth - 1)})",
                f"-({self.number(depth - 1)})",
                f"(({self.date(depth - 1)} - due_on) / 2d)",
            )
        )

    def date(self, depth: int) -> str:
        plain = ("due_on", "start_on", "today()", "2026-11-20", "done_on", "latest_pred_due_on")
        if depth == 0 or self.dice.random() < 0.5:
            return self.dice.choice(plain)
        return self.dice.choice(
            (
                f"({self.date(depth - 1)} {self.dice.choice('+-')} {self.dice.choice(('0d', '1d', '1w'))})",
                f"coalesce({self.date(depth - 1)}, created_at, today())",
                f"(created_at {self.dice.choice('+-')} 1d)",
            )
        )


_EDGES: dict[Type, tuple[Any, ...]] = {
    Type.TEXT: (None, "", "x", "tbd", "Straße ÄÖ", "100%_", "Fixed", " "),
    Type.NUMBER: (None, 0.0, 1.0, -1.0, 0.5, 10.0, 1e9),
    Type.DATE: (None, TODAY, TODAY - 1, TODAY + 1, TODAY - 7, 0, -1, 60_000),
    Type.INSTANT: (None, TODAY * DAY_US, TODAY * DAY_US - 1, (TODAY + 1) * DAY_US - 1, -1, 0),
    Type.YESNO: (None, 0, 1),
    Type.PERSON: (None, "p1"),
    Type.TASK: (None, "7"),
}


def edge_rows(seed: int, count: int) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    rows = []
    for number in range(count):
        row: dict[str, Any] = {}
        for name, field in FIELDS["task"].items():
            edges = (None, *field.options) if field.type is Type.OPTION else _EDGES[field.type]
            row[name] = None if number == 0 else dice.choice(edges)
        row["missing"] = {name for name, each in row.items() if each is None and (number == 1 or dice.random() < 0.3)}
        rows.append(row)
    return rows


@dataclass(frozen=True)
class TableColumns:
    table: Table

    @property
    def today(self) -> Any:
        return self.table.c["_today"]

    def column(self, name: str) -> Any:
        return self.table.c[name]

    def day(self, name: str) -> Any:
        return self.table.c[f"{name}_day"]

    def provided(self, name: str) -> Any:
        return self.table.c[f"{name}_provided"]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return edge_rows(7, 24)


@pytest.fixture(scope="module")
def database(rows: list[dict[str, Any]]) -> Iterator[tuple[Connection, TableColumns]]:
    types = {Type.NUMBER: Double, Type.DATE: Integer, Type.INSTANT: BigInteger, Type.YESNO: Integer}
    columns: list[Column[Any]] = [Column("_id", Integer, primary_key=True), Column("_today", Integer)]
    for name, field in FIELDS["task"].items():
        columns += [Column(name, types.get(field.type, Text)), Column(f"{name}_provided", Boolean)]
        if field.type is Type.INSTANT:
            columns.append(Column(f"{name}_day", Integer))
    table = Table("edge", MetaData(), *columns)
    engine = create_engine("sqlite://")

    @event.listens_for(engine, "connect")
    def _(connection: sqlite3.Connection, _: object) -> None:
        connection.create_function("fold", 1, fold)

    with engine.begin() as connection:
        table.create(connection)
        stored = []
        for number, row in enumerate(rows):
            one = {"_id": number, "_today": TODAY}
            for name, field in FIELDS["task"].items():
                one |= {name: row[name], f"{name}_provided": name not in row["missing"]}
                if field.type is Type.INSTANT:
                    one[f"{name}_day"] = None if row[name] is None else row[name] // DAY_US
            stored.append(one)
        connection.execute(table.insert(), stored)
        yield connection, TableColumns(table)
    engine.dispose()


def test_two_thousand_random_predicates_give_the_same_three_answers_in_sql_and_in_plain_python(
    database: tuple[Connection, TableColumns], rows: list[dict[str, Any]]
) -> None:
    connection, columns = database
    author = Author(20261120)
    seen = {True: 0, False: 0, None: 0}
    for _ in range(50):
        predicates = [parse_predicate(author.condition(), "task") for _ in range(40)]
        asked = [verdict(condition_sql(each.tree, columns)) for each in predicates]
        answers = connection.execute(select(*asked).order_by(columns.table.c["_id"])).all()
        for row, answer in zip(rows, answers, strict=True):
            for predicate, got in zip(predicates, answer, strict=True):
                expected = truth(predicate.tree, row)
                seen[expected] += 1
                assert {1: True, 0: False, 2: None}[got] is expected, (predicate.text, row)
    assert min(seen.values()) > 3_000, seen


def test_what_cannot_happen_without_a_field_never_happens_on_rows_that_lack_it(rows: list[dict[str, Any]]) -> None:
    author = Author(11)
    words = {True: "true", False: "false", None: "unknown"}
    impossible = 0
    for _ in range(300):
        predicate = parse_predicate(author.condition(), "task")
        for row in rows:
            allowed = outcomes(predicate.tree, frozenset(row["missing"]))
            impossible += "true" not in allowed
            assert words[truth(predicate.tree, row)] in allowed, (predicate.text, row)
    assert impossible > 300
