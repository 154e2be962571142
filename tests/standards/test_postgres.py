"""PostgreSQL gives the answers of SQLite: asked of a real one, by the standards that are shipped."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, Connection, Double, Engine, Text, cast, create_engine, func, literal, select
from sqlalchemy.dialects import postgresql as dialect
from sqlalchemy.exc import DataError

from pmosync.earned.days import _round as rounded
from pmosync.judge.columns import SubjectColumns
from pmosync.judge.examples import run_examples, run_on
from pmosync.standards import Standard, fail_condition, load_packs, parse_predicate, scope_condition, verdict
from pmosync.standards.compiler import _occurs, condition_sql, fold

FOLDER = Path(__file__).resolve().parents[2] / "src/pmosync/standards/packs"
SHIPPED = load_packs(sorted(path.stem for path in FOLDER.glob("*.yaml")), Path())


@pytest.mark.parametrize("standard", SHIPPED, ids=lambda one: one.id)
def test_each_shipped_standard_compiles_for_postgresql_over_the_tables_of_the_store(standard: Standard) -> None:
    columns = SubjectColumns(standard.subject)
    scope = scope_condition(standard, columns)
    asked = select(verdict(fail_condition(standard, columns)), literal(1) if scope is None else verdict(scope))
    statement = str(asked.select_from(columns.source()).compile(dialect=dialect.dialect()))
    assert statement.startswith("SELECT coalesce(CAST((")
    assert "?" not in statement


def test_every_example_of_the_shipped_packs_gives_the_same_answer_in_postgresql(postgresql: Engine) -> None:
    with postgresql.connect() as connection:
        assert run_on(connection, SHIPPED) == run_examples(SHIPPED)


def test_every_letter_has_the_same_capital_in_postgresql_and_in_sqlite(postgresql: Engine) -> None:
    """Of the letters that Python knows: each of the two has the Unicode version of its own day."""
    letters = [chr(code) for code in range(1, sys.maxunicode) if unicodedata.category(chr(code))[0] in "LMN"]
    each = func.unnest(cast(letters, dialect.ARRAY(Text))).column_valued("letter")
    folded = func.upper(func.lower(each.collate("und-x-icu")))
    with postgresql.connect() as connection:
        found = {one: other for one, other in connection.execute(select(each, folded)) if one != other}
        word, parts = literal("ΜΈΓΕΘΟΣ STRAẞE"), ("μέγεθος", "σ str", "rass", "τ")
        said = connection.execute(select(*(_occurs(word, literal(part)) for part in parts))).one()
    assert said == (True, True, True, False)
    assert found == {letter: fold(letter) for letter in letters if fold(letter) != letter}
    assert len(found) > 1_400


class Estimated(SubjectColumns):
    """A task whose estimate is this number."""

    def __init__(self, estimate_h: float) -> None:
        super().__init__("task")
        self.estimate_h = estimate_h

    def column(self, name: str) -> ColumnElement[float]:
        return literal(self.estimate_h, Double())


def asked(connection: Connection, predicate: str, estimate_h: float) -> int:
    tree = parse_predicate(predicate, "task", {}).tree
    return connection.execute(select(verdict(condition_sql(tree, Estimated(estimate_h))))).scalar_one()


@pytest.mark.parametrize(
    ("predicate", "estimate_h", "in_sqlite", "why"),
    [
        ("estimate_h * estimate_h > 1", 1e200, 1, "overflow"),
        ("estimate_h * estimate_h - estimate_h * estimate_h > 1", 1e200, 2, "overflow"),
        ("estimate_h * estimate_h > 0", 1e-200, 0, "underflow"),
    ],
)
def test_numbers_that_no_computer_holds_are_infinite_or_nothing_in_sqlite_and_refused_by_postgresql(
    postgresql: Engine, predicate: str, estimate_h: float, in_sqlite: int, why: str
) -> None:
    with create_engine("sqlite://").connect() as connection:
        assert asked(connection, predicate, estimate_h) == in_sqlite
    with postgresql.connect() as connection, pytest.raises(DataError, match=f"value out of range: {why}"):
        asked(connection, predicate, estimate_h)
    with postgresql.connect() as connection:
        assert asked(connection, "estimate_h > 1", estimate_h) == (estimate_h > 1), "as a value it is no trouble"


def test_what_lies_between_two_roundings_is_rounded_alike(postgresql: Engine) -> None:
    """Shares and indices of earned value are rounded before they are compared."""
    between = [number / 20_000 for number in range(-1_999, 10_001, 2)]
    each = func.unnest(cast(between, dialect.ARRAY(Double))).column_valued("number")
    with postgresql.connect() as connection, create_engine("sqlite://").connect() as other:
        theirs = {row[0]: row[1] for row in connection.execute(select(each, rounded(each, 4)))}
        ours = {number: other.exec_driver_sql("SELECT round(?, 4)", (number,)).scalar_one() for number in between}
    assert theirs == ours
    assert theirs[0.00005] == 0.0001
