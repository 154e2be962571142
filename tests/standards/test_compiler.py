"""What the SQL looks like: bound values, both dialects, and nothing that a text in a predicate could reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import case, column, create_engine, literal, not_, or_, select, table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from pmosync.standards import Mistake, parse_predicate, verdict
from pmosync.standards.compiler import condition_sql


@dataclass(frozen=True)
class PlainColumns:
    everywhere: bool = True

    @property
    def today(self) -> ColumnElement[int]:
        return column("today")

    def column(self, name: str) -> ColumnElement[Any]:
        return column(name)

    def day(self, name: str) -> ColumnElement[int]:
        return column(f"{name}_day")

    def provided(self, name: str) -> ColumnElement[bool] | None:
        return None if self.everywhere else column(f"{name}_provided")


def sql(predicate: str, dialect: Any = None, everywhere: bool = True) -> str:
    condition = condition_sql(parse_predicate(predicate, "task").tree, PlainColumns(everywhere))
    return " ".join(str(verdict(condition).compile(dialect=dialect or sqlite.dialect())).split())


def test_sqlite_gets_the_case_form_and_postgresql_the_coalesce_form() -> None:
    assert sql("in_cycle = TRUE") == "CASE WHEN (in_cycle = ?) THEN 1 WHEN NOT (in_cycle = ?) THEN 0 ELSE 2 END"
    assert sql("in_cycle = TRUE", postgresql.dialect()).startswith("coalesce(CAST((in_cycle = %(param_1)s")


def test_values_are_bound_and_never_part_of_the_statement() -> None:
    evil = "'; DROP TABLE task; --'"
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        statement = sql(f'title ~ "{evil}" OR resolution = "{evil}" OR children > 41', dialect)
        assert "DROP" not in statement
        assert "41" not in statement


def test_text_is_folded_by_our_function_in_sqlite_and_by_unicode_rules_in_postgresql() -> None:
    assert "ELSE instr(fold(nullif(title, ?)), fold(?)) > 0 END" in sql("title ~ 'x'")
    assert "strpos(upper(lower(nullif(title" in sql("title ~ 'x'", postgresql.dialect())


def test_whole_numbers_are_calculated_with_as_floats_and_compared_as_they_are() -> None:
    assert "CAST(children AS DOUBLE) * CAST(open_preds AS DOUBLE) > ?" in sql("children * open_preds > 1")
    assert "(children > ?)" in sql("children > 1")
    assert "due_on - start_on > ?" in sql("due_on - start_on > 3d")


def test_is_empty_asks_first_whether_the_field_is_provided() -> None:
    assert "CASE WHEN assignee_provided THEN assignee IS NULL END" in sql("assignee IS EMPTY", everywhere=False)
    assert "CASE WHEN (assignee IS NULL) THEN" in sql("assignee IS EMPTY")


@pytest.mark.parametrize(
    ("due_on", "provided", "answers"),
    [(9, 1, (1, 0, 0)), (11, 1, (0, 1, 0)), (None, 1, (2, 2, 1)), (None, 0, (2, 2, 2))],
    ids=["yesterday", "tomorrow", "empty", "not provided"],
)
def test_the_three_answers_are_those_of_the_manual(due_on: int | None, provided: int, answers: tuple[int, ...]) -> None:
    texts = ("due_on < today()", "NOT due_on < today()", "due_on IS EMPTY")
    asked = [verdict(condition_sql(parse_predicate(each, "task").tree, PlainColumns(False))) for each in texts]
    row = text("(SELECT :due_on AS due_on, :provided AS due_on_provided, 10 AS today)").bindparams(
        due_on=due_on, provided=provided
    )
    with create_engine("sqlite://").connect() as connection:
        assert tuple(connection.execute(select(*asked).select_from(row)).one()) == answers


def deepest(start: str, opening: str, middle: str, closing: str) -> str:
    """The pattern repeated until one more would be refused."""
    accepted = ""
    for levels in range(1, 100):
        predicate = start + opening * levels + middle + closing * levels
        try:
            parse_predicate(predicate, "task")
        except Mistake:
            break
        accepted = predicate
    return accepted


@pytest.mark.parametrize(
    "predicate",
    [
        deepest("", "children=1 OR (", "children=3", ") AND children=2"),
        deepest("", "NOT (children=1 OR ", "children=3", ")"),
        deepest("children > ", "children/(", "children", ")"),
        deepest("children > ", "(", "children", "/2)"),
        deepest("children > ", "coalesce(children,", "1", ")"),
        deepest("children > ", "coalesce(children,1/coalesce(children,", "1", "))"),
        deepest("title = ", "coalesce(title,", "title", ")"),
        deepest("children > ", "1-", "1", ""),
        deepest("children > ", "-(", "children", ")"),
        " OR ".join(["children=1"] * 285),
        "children IN (" + ",".join("1" * 1_980) + ")",
    ],
    ids=lambda predicate: predicate[:40],
)
def test_the_deepest_and_the_longest_predicates_run_in_sqlite_inside_the_statement_of_the_judge(predicate: str) -> None:
    assert len(predicate) > 30
    condition = condition_sql(parse_predicate(predicate, "task").tree, PlainColumns())
    outside = or_(not_(condition), condition.is_(None), column("own").in_(select(text("1"))))
    asked = case((column("seen") == 1, case((outside, 3), else_=verdict(condition))), else_=column("own").op(">>")(2))
    mask = literal(0) + literal(1).op("<<")(2) + asked.op("<<")(4)
    rows = select(mask).select_from(text("(SELECT 1 AS children, 'x' AS title, 1 AS own, 1 AS seen)"))
    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("CREATE TABLE fresh (mask)"))
        connection.execute(table("fresh", column("mask")).insert().from_select(["mask"], rows))
        assert connection.execute(text("SELECT count(*) FROM fresh")).scalar() == 1
