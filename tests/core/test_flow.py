"""The facts of flow over whole cycles agree with a plain reading of the same histories, in full, in part and by day."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from pmosync.flow import LEAST_D, LEAST_FINISHED, PACE_D
from pmosync.judge.columns import SubjectColumns
from pmosync.model import Subject
from pmosync.standards import load_packs
from pmosync.store.tables import event, finding, project_fact, project_pace, task, task_fact, type_pace
from pmosync.workdays import date_of, day_number
from tests.core.memory import BERLIN, World
from tests.flow.second import days_until

FLOW = tuple(one for one in load_packs(["flow"], Path()) if one.id in ("FLW502", "FLW510", "FLW511"))
TASK_FACTS = ("started_on", "cycle_d", "age_d", "blocked_d", "cycle_p85_d", "children_started")
PROJECT_FACTS = ("wip", "oldest_d", "throughput_week", "cycle_p85_d", "p50_finish_on", "p85_finish_on")
STATES = {"Open": "todo", "Doing": "in_progress", "Waiting": "blocked", "Done": "done", "Dropped": "cancelled"}
UPDATED = "  updated_at: updated\n"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """An empty project of a team that is asked how its work flows."""
    made = make_world(standards=FLOW, reads="history")
    made.mapping = made.mapping.replace("  assignee: assignee\n", f"  assignee: assignee\n{UPDATED}")
    made.mapping = made.mapping.replace("lead: lead}}", "lead: lead, due_on: status_on}}")
    return made


def told(world: World, subject: Subject, *names: str) -> dict[str, tuple[Any, ...]]:
    """Facts as the judge reads them, by the tool's id."""
    columns = SubjectColumns(subject)
    own = columns.own.c.key
    with world.store.reading() as connection:
        rows = connection.execute(select(own, *(columns.column(name) for name in names)).select_from(columns.source()))
        return {key.removeprefix("T-"): tuple(values) for key, *values in rows}


def failing(world: World) -> set[str]:
    with world.store.reading() as connection:
        return set(connection.scalars(select(finding.c.standard).where(finding.c.state.in_(("new", "open")))))


def tables(world: World) -> list[Any]:
    with world.store.reading() as connection:
        return [
            sorted(map(repr, connection.execute(select(one)).all()))
            for one in (project_pace, type_pace, task_fact, project_fact)
        ]


def at(world: World, days_ago: float) -> dt.datetime:
    return world.now - dt.timedelta(days=days_ago)


def finish(world: World, number: str, *, took: int, ago: float, kind: str = "Task", project: str = "p1") -> None:
    """An item that was begun and finished, `ago` days before today, after as many days as it took."""
    world.tool.put(number, project=project, type=kind, created_at=at(world, 200), status="Open")
    world.tool.put(number, at=at(world, ago + took - 1), status="Doing")
    world.tool.put(number, at=at(world, ago), status="Done", done=at(world, ago).astimezone(BERLIN).date())


# --- a second reading ---------------------------------------------------------------------------------------------


def by_hand(world: World, today: int) -> tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]:
    """The same facts from the tool's own histories, one task at a time."""

    def day(moment: dt.datetime) -> int:
        return day_number(moment.astimezone(BERLIN).date())

    tool = world.tool
    state = {number: STATES[held["status"]] for number, held in tool.tasks.items()}
    started: dict[str, int | None] = {}
    since: dict[str, int] = {}
    for number, held in tool.tasks.items():
        steps = [(held["created_at"], "Open" if tool.moves.get(number) else held["status"])]
        steps += [(one.at, one.after.name) for one in tool.moves.get(number, ()) if one.field == "status"]
        started[number] = next((day(moment) for moment, name in steps if name == "Doing"), None)
        since[number] = day(steps[-1][0])
    done = {number: day_number(held["done"]) for number, held in tool.tasks.items() if held["done"] is not None}
    recent = {n for n in done if state[n] == "done" and today - PACE_D <= done[n] < today}

    def within(project: str, kind: str) -> int | None:
        took = sorted(
            done[n] - begun + 1
            for n in recent
            if tool.tasks[n]["type"] == kind and project in tool.tasks[n]["projects"]
            if (begun := started[n]) is not None and begun <= done[n]
        )
        return took[math.ceil(0.85 * len(took)) - 1] if len(took) >= LEAST_FINISHED else None

    tasks = {}
    for number, held in tool.tasks.items():
        begun, going = started[number], state[number] in ("in_progress", "blocked")
        parts = [other for other, one in tool.tasks.items() if one["parent"] == number]
        tasks[number] = (
            begun,
            done[number] - begun + 1 if state[number] == "done" and begun is not None else None,
            today - begun if going and begun is not None else None,
            today - since[number] if state[number] == "blocked" else None,
            within(held["projects"][0], held["type"]),
            sum(state[part] in ("in_progress", "blocked", "done") for part in parts),
        )
    projects = {}
    for name in tool.projects:
        inside = [n for n, held in tool.tasks.items() if name in held["projects"]]
        items = [n for n in inside if tool.tasks[n]["type"] == "Task"]
        going = [n for n in items if state[n] in ("in_progress", "blocked")]
        begins = [begun for n in going if (begun := started[n]) is not None]
        first = min((min(day(tool.tasks[n]["created_at"]), done.get(n, today)) for n in inside), default=today)
        counts = [
            sum(n in recent and done[n] == one for n in items) for one in range(max(today - PACE_D, first), today)
        ]
        left = sum(state[n] not in ("done", "cancelled") for n in items)
        dates: list[int | None] = [None, None]
        known = len(counts) >= LEAST_D
        if known and left and sum(counts) >= LEAST_FINISHED:
            dates = [today + days for days in days_until(left, counts, (0.5, 0.85))]
        pace = sum(counts) / len(counts) * 7 if known else None
        oldest = today - min(begins) if begins else None
        projects[name] = (len(going), oldest, pytest.approx(pace), within(name, "Task"), *dates)
    return tasks, projects


def shake(world: World, dice: random.Random, number: str) -> None:
    """Something happens to a task, or it is entered."""
    tool, when = world.tool, at(world, dice.choice((0, 1, 2, 5, 20)))
    if number not in tool.tasks:
        kind = dice.choice(("Task", "Task", "Task", "Epic", "Sub"))
        parent = dice.choice((None, None, *list(tool.tasks)[:3]))
        name = dice.choice(("p1", "p2"))
        tool.put(number, project=name, type=kind, created_at=at(world, dice.randint(0, 120)), parent=parent)
        steps = dice.choice((("Doing",), ("Doing", "Done"), ("Doing", "Done"), ("Waiting", "Doing"), ("Done",), ()))
        day = (world.now - tool.tasks[number]["created_at"]).days
        for status in steps:
            day = dice.randint(0, day)
            tool.put(number, at=at(world, day), status=status)
    else:
        last = max((one.at for one in tool.moves.get(number, ())), default=when)
        tool.put(number, at=max(when, last + dt.timedelta(seconds=1)), status=dice.choice(list(STATES)))
    if tool.tasks[number]["status"] == "Done":
        ended = max(one.at for one in tool.moves[number])
        tool.put(number, done=ended.astimezone(BERLIN).date())
    else:
        tool.put(number, done=None)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_random_histories_give_what_a_plain_reading_gives_in_full_in_part_and_on_the_next_day(
    world: World, seed: int
) -> None:
    dice = random.Random(seed)
    world.tool.projects = {name: {"name": name, "status_on": dt.date(2026, 12, 1)} for name in ("p1", "p2", "p3")}
    for number in range(150):
        shake(world, dice, str(number))
    world.run(full=True)
    seen: set[Any] = set()
    for turn in range(5):
        today = day_number(world.now.astimezone(BERLIN).date())
        tasks, projects = by_hand(world, today)
        assert told(world, "task", *TASK_FACTS) == tasks
        assert told(world, "project", *PROJECT_FACTS) == projects
        seen |= {found is not None for row in projects.values() for found in row[4:]}
        stored = tables(world)
        if turn in (2, 4):
            world.run(full=True)
            assert tables(world) == stored, "a pass over everything finds what the passes over parts found"
        world.now += dt.timedelta(days=(turn == 2) + 3 * (turn == 3), minutes=10)
        for _ in range(6):
            shake(world, dice, str(dice.randint(0, 155)))
        world.run()
    assert seen == {True, False}


# --- what moves a verdict -----------------------------------------------------------------------------------------


def test_work_is_too_old_when_the_team_gets_faster_and_the_cause_is_the_data(world: World) -> None:
    for number in range(11):
        finish(world, f"1{number}", took=20, ago=3 + number)
    world.tool.put("1", created_at=at(world, 60))
    world.tool.put("1", at=at(world, 15), status="Doing")
    world.run()
    assert told(world, "task", "age_d", "cycle_p85_d")["1"] == (15, 20)
    assert failing(world) == set()
    for number in range(80):
        finish(world, f"2{number}", took=3, ago=2)
    world.run()
    assert told(world, "task", "age_d", "cycle_p85_d")["1"] == (15, 3)
    assert failing(world) == {"FLW502"}
    with world.store.reading() as connection:
        causes = connection.scalars(select(event.c.causes).where(event.c.standard == "FLW502")).all()
    assert causes == ["data"]


def test_of_ten_finished_items_nobody_knows_how_long_the_next_one_takes(world: World) -> None:
    for number in range(10):
        finish(world, f"1{number}", took=2, ago=3)
    world.tool.put("1", at=at(world, 40), created_at=at(world, 60), status="Open")
    world.tool.put("1", at=at(world, 40), status="Doing")
    world.run()
    assert told(world, "task", "cycle_p85_d")["1"] == (None,)
    assert told(world, "project", "throughput_week", "p85_finish_on")["p1"] == (pytest.approx(10 / 12), None)
    finish(world, "20", took=2, ago=3)
    world.run()
    assert told(world, "task", "cycle_p85_d")["1"] == (2,)
    assert failing(world) == {"FLW502"}


def test_a_forecast_is_computed_once_a_day_and_on_a_new_day_without_new_data(world: World) -> None:
    world.tool.projects["p1"]["status_on"] = dt.date(2026, 12, 20)
    for number in range(24):
        finish(world, f"1{number}", took=2, ago=7 * (number // 2) + 3)
    for number in range(8):
        world.tool.put(f"3{number}", created_at=at(world, 90), due=dt.date(2027, 3, 1))
    world.run()
    first = told(world, "project", "throughput_week", "p50_finish_on", "p85_finish_on")["p1"]
    assert first[0] == 2
    assert dt.date(2026, 12, 15) < date_of(first[1]) < date_of(first[2]) < dt.date(2027, 1, 10)
    assert failing(world) == {"FLW511"}
    written = world.run().plan.changes
    assert (written, told(world, "project", "throughput_week", "p50_finish_on", "p85_finish_on")["p1"]) == ([], first)
    with world.store.begin() as connection:
        connection.execute(text("UPDATE project_pace SET p85_finish_on = 1"))  # it is not computed again on this day
    world.run(full=True)
    assert told(world, "project", "p85_finish_on")["p1"] == (1,)
    world.now += dt.timedelta(days=1)
    world.run()
    later = told(world, "project", "p50_finish_on", "p85_finish_on")["p1"]
    assert later[0] > first[1], "a day without anything finished puts the end off"
    world.now += dt.timedelta(days=1)
    assert world.run().plan.changes == [], "a forecast that moves by a day writes nothing"


def test_work_is_counted_only_where_its_finish_has_a_day_and_never_before_the_project_began(world: World) -> None:
    for number in range(20):
        finish(world, f"1{number}", took=1, ago=1 + number % 10)
        world.tool.put(f"1{number}", created_at=at(world, 20))
    world.tool.put("1")
    world.tool.put("1", created_at=at(world, 20))
    world.run()
    assert told(world, "project", "throughput_week")["p1"] == (7,), "twenty days, one each"
    world.mapping = world.mapping.replace("  done_on: done\n", "")
    world.run()
    assert told(world, "project", "throughput_week", "cycle_p85_d", "p50_finish_on")["p1"] == (None, None, None)


def test_without_a_history_nothing_is_started_and_a_field_of_the_tool_may_say_it(world: World) -> None:
    for number in range(12):
        finish(world, f"1{number}", took=4, ago=3)
    world.tool.put("1", created_at=at(world, 60), start=at(world, 9).date())
    world.tool.put("1", at=at(world, 3), status="Doing")
    world.mapping = world.mapping.replace(UPDATED, "")
    world.reads = ""
    world.run()
    assert told(world, "task", "started_on", "age_d", "cycle_d")["1"] == (None, None, None)
    assert told(world, "project", "throughput_week", "cycle_p85_d")["p1"] == (1, None)
    world.mapping = world.mapping.replace("  done_on: done\n", "  done_on: done\n  started_on: start\n")
    world.run()
    assert told(world, "task", "age_d")["1"] == (9,)
    world.reads = "history"
    world.run()
    assert told(world, "task", "age_d")["1"] == (9,), "what the tool says goes before its history"
    assert told(world, "task", "cycle_d")["10"] == (4,), "where it says nothing, the history does"


def test_looking_ahead_takes_the_pace_of_that_day(world: World) -> None:
    from pmosync.reports.ahead import ahead
    from pmosync.workdays import workdays

    world.tool.projects["p1"]["status_on"] = dt.date(2027, 1, 20)
    for number in range(24):
        finish(world, f"1{number}", took=2, ago=number + 3)
    for number in range(8):
        world.tool.put(f"3{number}", created_at=at(world, 90), due=dt.date(2027, 3, 1))
    world.run()
    assert failing(world) == set()
    day = dt.date(2027, 1, 10)
    setup = world.setup()
    asked = setup.modes, setup.ladder
    with ahead(world.store, FLOW, [], workdays(range(5), ()), day, *asked) as (connection, _):
        found = set(connection.scalars(select(finding.c.standard).where(finding.c.state.in_(("new", "open")))))
        stored = connection.scalar(select(project_pace.c.day))
    assert found == {"FLW511"}
    assert stored == day_number(day)
    with world.store.reading() as connection:
        assert connection.scalar(select(project_pace.c.day)) == day_number(dt.date(2026, 11, 20)), "it keeps nothing"


def test_what_leaves_a_project_takes_its_pace_along(world: World) -> None:
    for number in range(12):
        finish(world, f"1{number}", took=2, ago=3)
    world.run(full=True)
    assert told(world, "project", "cycle_p85_d")["p1"] == (2,)
    world.tool.tasks.clear()
    world.tool.fates = {f"1{number}": "deleted" for number in range(12)}
    world.run(full=True)
    with world.store.reading() as connection:
        assert connection.execute(select(project_pace)).all() == connection.execute(select(type_pace)).all() == []
        assert connection.execute(select(task)).all() == []
