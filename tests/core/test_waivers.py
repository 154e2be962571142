"""Waivers: who they are about, and until when; decided by one expression."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, select, text

from pmosync import reports
from pmosync.contract import Duration, Slot
from pmosync.register import Container, Group, Register, RegisteredProject
from pmosync.store.tables import waiver_subject
from pmosync.waiving import to_announce
from pmosync.workdays import day_number
from tests.core.memory import World, waiver_row

LABEL = Slot("task", "1", "label")


@pytest.fixture
def late(world: World) -> World:
    world.tool.put("1", due=dt.date(2026, 11, 2))
    return world


@pytest.mark.parametrize(
    ("changes", "waived"),
    [
        ({}, True),
        ({"key": "1"}, True),
        ({"standard": "SCH"}, True),
        ({"key": "p1", "covers": "project"}, True),
        ({"standard": "SCH202"}, False),
        ({"standard": "SC"}, False),
        ({"standard": "SCH20"}, False),
        ({"standard": "SCH2011"}, False),
        ({"key": "T-2"}, False),
        ({"key": "p1"}, False),
        ({"key": "T-1", "covers": "project"}, False),
        ({"site": "other"}, False),
        ({"until": day_number(dt.date(2026, 11, 20))}, True),
        ({"until": day_number(dt.date(2026, 11, 19))}, False),
    ],
)
def test_a_waiver_holds_for_what_it_names_and_for_nothing_else(
    late: World, changes: dict[str, Any], waived: bool
) -> None:
    late.waivers = [waiver_row(**changes)]
    outcome = late.run()
    assert (LABEL not in late.tool.marks) is waived
    assert outcome.settled.waived == int(waived)
    assert outcome.rollups[-1].figures.waived == int(waived)


def test_the_last_day_ends_at_midnight_of_the_site(late: World) -> None:
    late.waivers = [waiver_row(until=day_number(dt.date(2026, 11, 20)))]
    late.now = dt.datetime(2026, 11, 20, 22, 59, tzinfo=dt.UTC)
    late.run()
    assert LABEL not in late.tool.marks
    late.now = dt.datetime(2026, 11, 20, 23, 0, tzinfo=dt.UTC)
    assert late.run().settled.lapsed == 1
    assert LABEL in late.tool.marks


def test_the_longest_of_several_waivers_counts(late: World) -> None:
    late.waivers = [
        waiver_row(until=day_number(dt.date(2026, 11, 21))),
        waiver_row(until=day_number(dt.date(2026, 11, 25))),
    ]
    late.run()
    late.now += dt.timedelta(days=4)
    late.run()
    assert LABEL not in late.tool.marks


REGISTER = Register(
    (RegisteredProject("pay", (Container("acme", "p1"),), program="core"),),
    "with a program",
    (Group("program", "core", "Core", portfolio="banking"), Group("portfolio", "banking", "Banking")),
)


@pytest.mark.parametrize(
    ("changes", "waived"),
    [
        ({"covers": "program", "key": "core"}, True),
        ({"covers": "program", "key": "other"}, False),
        ({"covers": "portfolio", "key": "banking"}, True),
        ({"covers": "portfolio", "key": "core"}, False),
        ({"covers": "project", "site": "acme", "key": "pay"}, True),
        ({"covers": "program", "key": "core", "predicate": "type = risk"}, True),
        ({"covers": "program", "key": "core", "predicate": "type = epic"}, False),
        ({"covers": "program", "key": "core", "predicate": "tasks > 0", "about": "project"}, False),
    ],
)
def test_a_waiver_of_a_program_or_portfolio_holds_for_what_is_in_it(
    late: World, changes: dict[str, Any], waived: bool
) -> None:
    late.register = REGISTER
    late.tool.put("1", type="Risk")
    late.waivers = [waiver_row(**({"site": ""} | changes))]
    assert late.run().settled.waived == int(waived)


def test_a_predicate_covers_what_it_is_true_of_and_follows_the_data(late: World) -> None:
    late.tool.put("2", due=dt.date(2026, 11, 2), type="Risk")
    where = waiver_row(covers="where", site="", key="", predicate="type = risk AND due_on < today ( )")
    late.waivers = [where]
    assert late.run().settled.waived == 1
    assert [slot.id for slot in late.tool.marks if slot.name == "label"] == ["1"]
    late.tool.put("1", type="Risk")
    assert late.run().settled.waived == 1
    late.tool.put("2", type="Epic")
    assert late.run().settled.lapsed == 1
    assert [slot.id for slot in late.tool.marks if slot.name == "label"] == ["2"]
    late.waivers = []
    assert late.run().settled.lapsed == 1
    with late.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(waiver_subject)) == 0


def test_a_predicate_that_is_unknown_covers_nothing(late: World) -> None:
    late.waivers = [waiver_row(covers="where", site="", key="", predicate="start_on < today ( )")]
    assert late.run().settled.waived == 0


def test_a_predicate_keeps_what_it_covers_while_a_scope_is_not_observed(late: World) -> None:
    late.tool.put("1", estimate=Duration(7200.0))
    late.reads = "worklogs"
    late.tool.log("w1", "1", 1, dt.date(2026, 11, 3))
    late.waivers = [waiver_row(covers="where", site="", key="", predicate="logged_h > 0")]
    assert late.run(full=True).settled.waived == 1
    late.tool.worklogs.clear()
    late.tool.hidden.add("worklogs")
    assert late.run(full=True).settled.lapsed == 0
    late.tool.hidden.clear()
    assert late.run(full=True).settled.lapsed == 1


def test_a_predicate_that_the_database_cannot_run_covers_nothing_and_is_named(
    late: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    late.waivers = [waiver_row(covers="where", site="", key="", predicate="type = task")]
    assert late.run().settled.waived == 1
    monkeypatch.setattr("pmosync.judge.covering.condition_sql", lambda tree, columns: text("no_such_function() = 1"))
    outcome = late.run(full=True)
    assert outcome.switched_off == {"waiver W-1": "no such function: no_such_function"}
    assert outcome.settled.lapsed == 1


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-11-15", []),
        ("2026-11-16", ["waiver W-1 (SCH201, acme/T-1) ends on 2026-11-30: 1 finding will be back"]),
        ("2026-11-30", ["waiver W-1 (SCH201, acme/T-1) ends on 2026-11-30: 1 finding will be back"]),
        ("2026-12-01", ["waiver W-1 (SCH201, acme/T-1) ended on 2026-11-30: 1 finding is back"]),
        ("2026-12-14", ["waiver W-1 (SCH201, acme/T-1) ended on 2026-11-30: 1 finding is back"]),
        ("2026-12-15", []),
    ],
)
def test_a_waiver_is_told_two_weeks_before_and_after_its_end(late: World, day: str, told: list[str]) -> None:
    late.waivers = [waiver_row()]
    number = day_number(dt.date.fromisoformat(day))
    late.now = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    late.run()
    with late.store.reading() as connection:
        assert [reports.told(row) for row in reports.ending(connection, number)] == told
    assert len(to_announce(late.waivers, number)) == len(told)


def test_a_waiver_that_waives_nothing_is_told(late: World) -> None:
    unused = waiver_row(waiver="W-2", standard="DAT101", until=day_number(dt.date(2027, 1, 31)))
    late.waivers = [waiver_row(until=unused["until"]), unused, unused | {"waiver": "W-3", "approved_on": 30_000}]
    late.run()
    with late.store.reading() as connection:
        (row,) = reports.ending(connection, day_number(dt.date(2026, 11, 20)))
        assert reports.uses(connection) == {"W-1": 1, "W-2": 0, "W-3": 0}
    assert reports.told(row) == "waiver W-2 (DAT101, acme/T-1) holds until 2027-01-31 and waives nothing"
