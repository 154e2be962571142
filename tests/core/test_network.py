"""The facts of linked work over whole cycles: what a day makes of them, what moves them, what leaves them unknown."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from pmosync.judge.columns import SubjectColumns
from pmosync.model import Subject
from pmosync.network import Work
from pmosync.standards import Standard, load_packs
from pmosync.store.tables import event, finding, project_fact, project_network, task_fact, task_network
from tests.core.memory import World
from tests.network import second

DUE = "lead: lead, due_on: status_on}}"
MONDAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def dcma() -> tuple[Standard, ...]:
    return load_packs(["dcma-14"], Path())


@pytest.fixture
def planned(world: World, dcma: tuple[Standard, ...]) -> World:
    """A project that is due on the fourth Friday from here: 1 then 2 then 3, a week each, and 4 beside them."""
    world.standards = dcma
    world.mapping = world.mapping.replace("lead: lead}}", DUE)
    world.tool.tasks.clear()
    world.tool.projects["p1"]["status_on"] = MONDAY + dt.timedelta(days=25)
    for number, before in (("1", ()), ("2", ("1",)), ("3", ("2", "4")), ("4", ())):
        begin = MONDAY + dt.timedelta(weeks=min(int(number), 3) - 1 if number != "4" else 0)
        world.tool.put(number, start=begin, due=begin + dt.timedelta(days=4), waits_for=before)
    return world


def told(world: World, subject: Subject, *names: str) -> dict[str, tuple[Any, ...]]:
    """Facts as the judge reads them, by key."""
    columns = SubjectColumns(subject)
    with world.store.reading() as connection:
        rows = connection.execute(
            select(columns.own.c.key, *(columns.column(name) for name in names)).select_from(columns.source())
        )
        return {key: tuple(values) for key, *values in rows}


def tables(world: World) -> list[Any]:
    with world.store.reading() as connection:
        return [
            sorted(map(repr, connection.execute(select(one)).all()))
            for one in (task_network, task_fact, project_network, project_fact)
        ]


def failing(world: World) -> set[str]:
    with world.store.reading() as connection:
        broken = connection.scalars(select(finding.c.standard).where(finding.c.state.in_(("new", "open"))))
        return {standard for standard in broken if standard.startswith(("LOG", "RES"))}


SHARES = ("missing_logic_share", "high_float_share", "negative_float_tasks", "critical_path_ok", "cpli")


def test_a_plan_of_three_weeks_has_a_week_of_float_until_days_pass_without_work(planned: World) -> None:
    planned.now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    planned.run(full=True)
    facts = ("total_float", "is_critical", "missing_pred", "missing_succ")
    assert told(planned, "task", *facts) == {
        "T-1": (5, 1, 1, 0),
        "T-2": (5, 1, 0, 0),
        "T-3": (5, 1, 0, 1),
        "T-4": (10, 0, 1, 0),
    }
    assert told(planned, "project", *SHARES, "unresourced_share")["p1"] == (0.75, 0, 0, 1, pytest.approx(20 / 15), 0)
    assert failing(planned) == {"LOG301"}
    planned.now += dt.timedelta(days=8)  # six working days later nobody has begun
    before = tables(planned)
    planned.run()
    assert told(planned, "task", "total_float")["T-1"] == (-1,)
    assert told(planned, "project", *SHARES)["p1"] == (0.75, 0, 3, 1, pytest.approx(14 / 15))
    assert failing(planned) == {"LOG301", "LOG307", "LOG314"}
    assert tables(planned) == before, "a new day changes no table"
    with planned.store.reading() as connection:
        causes = dict(connection.execute(select(event.c.standard, event.c.causes)).all())
    assert (causes["LOG307"], causes["LOG314"]) == ("time", "time")
    planned.tool.put("1", status="Done")
    planned.tool.put("2", status="Doing")
    planned.run()
    assert told(planned, "task", "total_float", "is_critical") == {
        "T-1": (None, None),
        "T-2": (5, 0),
        "T-3": (4, 1),
        "T-4": (4, 1),
    }
    assert failing(planned) == {"LOG301"}


def test_a_missing_date_and_a_circle_make_unknown_what_depends_on_them(planned: World) -> None:
    planned.tool.put("1", start=None)
    planned.run(full=True)
    assert told(planned, "task", "total_float") == {"T-1": (None,), "T-2": (None,), "T-3": (None,), "T-4": (10,)}
    assert told(planned, "project", "critical_path_ok", "cpli")["p1"] == (None, None)
    planned.tool.put("1", start=MONDAY, waits_for=("2",))
    planned.run()
    assert told(planned, "task", "total_float", "missing_pred")["T-1"] == (None, 0)
    assert told(planned, "project", "critical_path_ok", "cpli")["p1"] == (None, None)
    planned.tool.put("1", waits_for=())
    planned.tool.put("5", start=MONDAY + dt.timedelta(weeks=3), due=MONDAY + dt.timedelta(days=25))
    planned.run()
    assert told(planned, "project", "critical_path_ok")["p1"] == (0,), "nothing leads to what is planned last"
    assert failing(planned) == {"LOG301", "LOG313"}


def test_where_no_links_are_read_nothing_is_said_about_the_network(planned: World) -> None:
    planned.mapping = planned.mapping.replace("links: {{blocks: waits_for}}", "")
    planned.run(full=True)
    assert told(planned, "task", "total_float", "missing_pred", "missing_succ")["T-1"] == (None, None, None)
    assert told(planned, "project", *SHARES)["p1"] == (None,) * len(SHARES)
    assert failing(planned) == set()


def test_sub_tasks_are_steps_of_their_parent_and_summaries_risks_and_closed_work_are_not_asked(planned: World) -> None:
    planned.tool.put("1a", type="Sub", parent="1", assignee=None)
    planned.tool.put("9", type="Epic")
    planned.tool.put("3", parent="9", assignee=None)
    planned.tool.put("8", type="Risk")
    planned.tool.put("7", status="Dropped")
    planned.tool.put("5", start=MONDAY, due=MONDAY, waits_for=("7",))
    planned.tool.put("6", status="Done", waits_for=("5",))
    planned.run(full=True)
    lacks = told(planned, "task", "missing_pred", "missing_succ")
    assert {key for key, values in lacks.items() if values == (None, None)} == {"T-1a", "T-9", "T-8", "T-7", "T-6"}
    assert lacks["T-5"] == (1, 0), "a cancelled predecessor is none, a finished successor is one"
    assert told(planned, "project", "missing_logic_share", "unresourced_share")["p1"] == (0.8, 0.2)


@pytest.mark.slow
def test_what_a_pass_over_some_groups_leaves_is_what_a_pass_over_all_of_them_makes(planned: World) -> None:
    dice = random.Random(6)
    planned.tool.projects["p2"] = {"name": "Two", "status_on": None}
    planned.run(full=True)
    names = [str(number) for number in range(1, 25)]
    for turn in range(8):
        for number in dice.sample(names, 5):
            begin = MONDAY + dt.timedelta(days=dice.randint(-20, 60))
            waits = tuple(sorted({dice.choice(names) for _ in range(dice.randint(0, 2))}))
            status = dice.choice(("Open", "Open", "Open", "Open", "Doing", "Done", "Dropped"))
            project = dice.choice(("p1", "p2"))
            due = begin + dt.timedelta(days=dice.randint(0, 20))
            start = None if dice.random() < 0.1 else begin
            planned.tool.put(number, project=project, start=start, due=due, waits_for=waits, status=status)
        if turn % 4 == 3:
            planned.tool.projects["p2"]["status_on"] = MONDAY + dt.timedelta(days=dice.randint(10, 60))
        if turn % 4 == 1:
            planned.tool.tasks.pop(dice.choice(sorted(planned.tool.tasks)))
            planned.run(full=True)
        planned.run()
        partly = tables(planned)
        planned.run(full=True)
        assert tables(planned) == partly, turn
    works, links, yesterday = stored(planned)
    expected = second.answers(works, links, yesterday)
    linked = {number for pair in links for number in pair}
    assert len(linked & works.keys()) >= 10
    found = numbered(planned, "total_float", "is_critical")
    for number in linked & works.keys():
        answer = expected[number]
        assert found[number] == (answer.total_float, None if answer.critical is None else int(answer.critical)), number


def numbered(world: World, *names: str) -> dict[int, tuple[Any, ...]]:
    columns = SubjectColumns("task")
    with world.store.reading() as connection:
        rows = connection.execute(
            select(columns.id, *(columns.column(name) for name in names)).select_from(columns.source())
        )
        return {number: tuple(values) for number, *values in rows}


def stored(world: World) -> tuple[dict[int, Work], list[tuple[int, int]], int]:
    """The tasks and links of the tool as the definitions read them, counted by hand on a calendar without holidays."""

    def position(day: dt.date) -> int:
        weeks, rest = divmod((day - dt.date(2026, 1, 5)).days + 1, 7)
        return 5 * weeks + min(rest, 5)

    columns = SubjectColumns("task")
    with world.store.reading() as connection:
        ids = dict(connection.execute(select(columns.own.c.rid, columns.id)).all())
    works, links = {}, []
    for name, held in world.tool.tasks.items():
        due = world.tool.projects[held["projects"][0]]["status_on"]
        begin, finish = held["start"], position(held["due"])
        length = 0 if held["status"] == "Doing" else finish - position(begin - dt.timedelta(days=1)) if begin else None
        if held["status"] in ("Open", "Doing"):
            works[ids[name]] = Work(finish, length, position(due) if due else None)
        links += [
            (ids[other], ids[name])
            for other in held["waits_for"]
            if other in world.tool.tasks and "Dropped" not in (held["status"], world.tool.tasks[other]["status"])
        ]
    return works, links, position(world.now.date() - dt.timedelta(days=1))


@pytest.mark.slow
def test_an_unread_project_freezes_what_was_said_of_the_groups_that_reach_into_it(planned: World) -> None:
    planned.tool.projects["p2"] = {"name": "Two", "status_on": None}
    planned.tool.put("21", project="p2", start=MONDAY, due=MONDAY, waits_for=("3",))
    planned.run(full=True)
    before = failing(planned)
    assert "LOG307" not in before
    planned.tool.put("1", due=MONDAY + dt.timedelta(days=60))
    planned.tool.hidden = {"p2"}
    planned.run()
    assert told(planned, "project", "negative_float_tasks")["p1"] == (3,)
    assert failing(planned) == before, "what is read there may have changed"
    planned.tool.hidden = set()
    planned.run(full=True)
    assert "LOG307" in failing(planned)


def test_a_store_of_the_version_before_gets_its_network(planned: World) -> None:
    planned.run(full=True)
    facts = tables(planned)
    with planned.store.begin() as connection:
        for name in ("task_network", "project_network"):
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("ALTER TABLE task DROP COLUMN linkable"))
        connection.execute(text("ALTER TABLE site DROP COLUMN yesterday_w"))
        for name, last in (("task_fact", "logged_on"), ("project_fact", "allocations_observed")):
            columns = [column["name"] for column in inspect(connection).get_columns(name)]
            for column in columns[columns.index(last) + 1 :]:
                connection.execute(text(f"ALTER TABLE {name} DROP COLUMN {column}"))
        connection.execute(text("UPDATE meta SET value = '5' WHERE key = 'schema'"))
    planned.store.close()
    planned.open()
    assert planned.run().plan.changes == []
    planned.run(full=True)
    assert tables(planned) == facts
