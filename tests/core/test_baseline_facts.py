"""What is measured against a baseline: slip, growth, and the DCMA's points 11 and 14, compared with a second count."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import select, update

from pmosync.contract import Duration
from pmosync.decisions.baselines import Planned
from pmosync.judge.baseline import HIT_DAYS
from pmosync.register import ApprovedChange, Container, Register, RegisteredProject
from pmosync.store.tables import project_fact, project_scope, site, task_baseline, task_fact
from pmosync.workdays import day_number
from tests.core.memory import World
from tests.core.test_baselines import approved, freeze
from tests.core.test_network import told

MONDAY = dt.date(2026, 11, 23)
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
DAYS = ("missed_share", "bei", "hit_share")
SCOPE = ("scope_unit", "scope_growth", "approved_change_share")


def day(number: int) -> dt.date:
    """Days after the Monday of the plan."""
    return MONDAY + dt.timedelta(days=number)


@pytest.fixture
def planned(make_world: Callable[..., World]) -> World:
    """An epic with three tasks of eight hours, due on Wednesday, Friday and the Monday after, frozen on the Monday."""
    world = make_world(now=NOON, holidays=(day(3),))
    world.tool.put("9", type="Epic", due=None, estimate=None)
    for number, due in (("1", day(2)), ("2", day(4)), ("3", day(7))):
        world.tool.put(number, parent="9", start=MONDAY, due=due, estimate=Duration(8 * 3600.0))
    world.run(full=True)
    freeze(world)
    world.run()
    return world


def project(world: World, *names: str) -> tuple[Any, ...]:
    return told(world, "project", *names)["p1"]


def at(world: World, number: int) -> None:
    """Go on to noon of a day, and run."""
    world.now = NOON + dt.timedelta(days=number)
    world.run()


def tables(world: World) -> list[Any]:
    """Everything that is measured, without the numbers of lines."""
    lines = select(*(column for column in task_baseline.c if column.name != "id"))
    with world.store.reading() as connection:
        rows = (lines, select(task_fact), select(project_fact), select(project_scope))
        return [sorted(map(repr, connection.execute(one).all())) for one in rows]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_slip_counts_working_days_and_ends_with_the_work(planned: World) -> None:
    slips = {"T-1": (0,), "T-2": (0,), "T-3": (0,), "T-9": (None,)}
    assert told(planned, "task", "slip_d") == slips
    planned.tool.put("1", due=day(4))  # Thursday is a holiday
    planned.tool.put("2", due=day(1))
    planned.tool.put("3", status="Done", done=day(9))
    planned.tool.put("4", due=day(30))
    planned.run()
    assert told(planned, "task", "slip_d") == slips | {"T-1": (1,), "T-2": (-2,), "T-3": (2,), "T-4": (None,)}
    planned.tool.put("1", status="Dropped")
    planned.tool.put("3", done=None)
    planned.run()
    assert told(planned, "task", "slip_d")["T-1"] == told(planned, "task", "slip_d")["T-3"] == (None,)
    assert told(planned, "task", "baseline_start_on", "baseline_due_on", "baseline_estimate_h")["T-1"] == (
        day_number(MONDAY), day_number(day(2)), 8.0,
    )  # fmt: skip


def test_days_pass_and_what_was_due_is_missed_or_hit_without_any_table_moving(planned: World) -> None:
    assert project(planned, "baseline_on", "baselined_share", *DAYS) == (day_number(MONDAY), 1, None, None, None)
    planned.tool.put("2", status="Done", done=day(1))
    at(planned, 2)
    assert project(planned, *DAYS) == (None, None, None), "the first is due today, and may still be finished"
    before = tables(planned)
    at(planned, 3)
    assert project(planned, *DAYS) == (1, 1, 0)
    at(planned, 5)
    assert project(planned, *DAYS) == (0.5, 0.5, 0.5)
    assert tables(planned) == before
    planned.tool.put("1", status="Done", done=day(2))
    at(planned, 5)
    assert project(planned, *DAYS) == (0, 1, 1)
    at(planned, 8)
    assert project(planned, *DAYS) == (pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3))
    at(planned, 7 + HIT_DAYS)
    assert project(planned, *DAYS) == (pytest.approx(1 / 3), pytest.approx(2 / 3), 0), "only the last is of these days"
    planned.tool.put("1", done=None)
    at(planned, 8)
    assert project(planned, *DAYS) == (None, pytest.approx(2 / 3), None), "nobody knows on which day it was finished"
    planned.tool.put("3", status="Parked")
    at(planned, 8)
    assert project(planned, *DAYS) == (None, None, None), "a status that cannot be read"
    planned.tool.put("3", status="Dropped")
    planned.tool.put("1", done=day(3))
    at(planned, 8)
    assert project(planned, *DAYS) == (0.5, 1, 0.5), "cancelled work is left out"
    planned.tool.tasks.pop("1")
    planned.run(full=True)
    assert project(planned, *DAYS) == (0, 1, 1), "so is what is gone"


def test_growth_is_told_in_hours_or_in_tasks_and_approved_changes_beside_it(planned: World) -> None:
    assert project(planned, *SCOPE) == ("hours", 0, 0)
    planned.tool.put("4", parent="9", estimate=Duration(6 * 3600.0))
    planned.tool.put("1a", type="Sub", parent="1", estimate=Duration(36_000.0))
    planned.tool.put("7", type="Risk")
    planned.run()
    assert project(planned, *SCOPE) == ("hours", 0.25, 0), "a step of a baselined task is no addition, nor is a record"
    assert project(planned, "baselined_share") == (0.75,)
    planned.tool.put("5", parent="9", estimate=None)
    planned.tool.put("6", parent="9", estimate=None)
    planned.run()
    assert project(planned, *SCOPE) == ("tasks", 1, 0)
    planned.tool.put("6", status="Dropped")
    planned.tool.put("c", type="Change", status="Open", estimate=Duration(4 * 3600.0))
    planned.run()
    assert project(planned, *SCOPE) == ("hours", 0.25, 0), "a change that is not decided adds nothing"
    planned.tool.put("c", status="Done", done=day(1))
    planned.tool.put("d", type="Change", status="Done", done=day(0))
    planned.run()
    assert project(planned, *SCOPE) == ("hours", 0.25, pytest.approx(1 / 6)), "the other one was approved before"
    planned.tool.put("4", parent="c")
    planned.run()
    assert project(planned, *SCOPE) == ("hours", 0.25, 0.25), "what hangs under a change is what it adds"
    entry = RegisteredProject("acme/p1", (Container("acme", "p1"),))
    for effort_h, share in ((12.0, 0.75), (0.0, 0.25)):
        change = ApprovedChange("CR-1", day(1), 2, effort_h)
        known = (change, ApprovedChange("CR-0", MONDAY, 9, 99.0))
        planned.register = Register((RegisteredProject(entry.id, entry.containers, changes=known),), str(share))
        planned.run()
        assert project(planned, "approved_change_share") == (share,)


def test_a_baseline_that_moves_is_decided_as_long_as_its_change_is(planned: World) -> None:
    moved = ("baseline_on", "baseline_changed_on", "last_change_approved_on")
    assert project(planned, *moved) == (day_number(MONDAY), None, None)
    planned.tool.put("c", type="Change", status="Done", done=day(1))
    planned.tool.put("1", due=day(20))
    planned.run()
    freeze(planned, at=NOON + dt.timedelta(days=2), change="acme/T-c")
    planned.run()
    assert project(planned, *moved) == tuple(map(day_number, (MONDAY, day(2), day(2))))
    assert told(planned, "task", "slip_d")["T-1"] == (0,)
    planned.tool.put("c", status="Open")
    planned.run()
    assert project(planned, *moved) == (day_number(MONDAY), day_number(day(2)), None), "it was opened again"
    planned.tool.tasks.pop("c")
    planned.run(full=True)
    assert project(planned, *moved)[2] == day_number(day(2)), "what is gone says nothing against it"


def test_the_baseline_of_another_project_says_nothing_here(planned: World) -> None:
    planned.tool.projects["p2"] = {"name": "Two"}
    planned.tool.put("1")
    planned.tool.tasks["1"]["projects"] = ("p2",)
    planned.run(full=True)
    assert told(planned, "task", "slip_d", "baseline_due_on")["T-1"] == (None, None)
    planned.tool.put("1", due=day(9))
    planned.tool.tasks["1"]["projects"] = ("p1", "p2")
    planned.run(full=True)
    freeze(planned, "p2", at=NOON + dt.timedelta(hours=1))
    planned.run()
    assert told(planned, "task", "slip_d")["T-1"] == (4,), "it counts in both, and is judged in the first"
    assert told(planned, "project", "baselined_share", "scope_growth")["p2"] == (1, 0)
    assert told(planned, "project", "baselined_share", "scope_growth")["p1"] == (1, 0)


# --- a second computation ---------------------------------------------------------------------------------------------

SCHEDULES = Path(__file__).parents[2].parent / "shared" / "data" / "schedules"
REAL = sorted([*SCHEDULES.glob("*/*.xer"), *SCHEDULES.glob("*/*.xml")])
MSPDI = "{http://schemas.microsoft.com/project}"
Row = tuple[dt.date, dt.date | None, dt.date | None]
"""Baseline finish, actual finish, forecast finish of one piece of work."""


def second(rows: list[Row], today: dt.date) -> tuple[float | None, float | None]:
    """Points 11 and 14 as the DCMA words them, counted one by one: missed tasks, and the baseline execution index."""
    status_date = today - dt.timedelta(days=1)
    count = missed = finished = 0
    for baseline, actual, forecast in rows:
        if actual is not None:
            finished += 1
        if baseline <= status_date:
            count += 1
            # what is not finished is forecast for its date, or for today when that has passed
            finish = actual if actual is not None else max(forecast or today, today)
            if finish > baseline:
                missed += 1
    return (missed / count, finished / count) if count else (None, None)


def on(world: World, today: dt.date) -> dict[str, tuple[Any, ...]]:
    """Points 11 and 14 of every project on a day: the facts hold no day, so nothing is computed again."""
    with world.store.begin() as connection:
        connection.execute(update(site).values(today=day_number(today)))
    return told(world, "project", "missed_share", "bei")


def close(found: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    return all(
        a == b if b is None or a is None else a == pytest.approx(b) for a, b in zip(found, expected, strict=True)
    )


def finishes(path: Path) -> Iterator[tuple[str, Row, bool]]:
    """The tasks of a real schedule, with whether each is a piece of work."""
    if path.suffix == ".xer":
        yield from _xer(path)
        return
    for task in ElementTree.parse(path).iter(f"{MSPDI}Task"):
        told = {child.tag.removeprefix(MSPDI): child.text or "" for child in task}
        frozen = task.findtext(f"{MSPDI}Baseline/{MSPDI}Finish")
        if told.get("IsNull") == "1" or not told.get("Finish") or not frozen:
            continue
        work = told.get("Summary") != "1" and told.get("Milestone") != "1"
        actual = _day(told.get("ActualFinish")) if told.get("PercentComplete") == "100" else None
        yield told["UID"], (dt.date.fromisoformat(frozen[:10]), actual, _day(told["Finish"])), work


def _xer(path: Path) -> Iterator[tuple[str, Row, bool]]:
    table, names = "", []
    for line in path.read_text("cp1252").splitlines():
        mark, *cells = line.split("\t")
        table = cells[0] if mark == "%T" else table
        names = cells if mark == "%F" else names
        if mark == "%R" and table == "TASK":
            row = dict(zip(names, cells, strict=False))
            if row["target_end_date"]:
                finish = _day(row["target_end_date"]) or dt.date.min
                yield (
                    row["task_id"],
                    (finish, _day(row["act_end_date"]), _day(row["early_end_date"])),
                    (row["task_type"] in ("TT_Task", "TT_Rsrc")),
                )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text[:10]) if text else None


@pytest.mark.shared
@pytest.mark.skipif(not REAL, reason="the reference data does not lie beside the project")
def test_missed_tasks_and_bei_of_real_schedules_agree_with_a_second_count(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.tool.projects = {}
    rows: dict[str, list[Row]] = {}
    for path in REAL:
        found = list(finishes(path))
        if not found:
            continue
        world.tool.projects[path.name] = {"name": path.name}
        for number, (_, actual, forecast), _ in found:
            status = "Open" if actual is None else "Done"
            world.tool.put(f"{path.name}-{number}", project=path.name, status=status, done=actual, due=forecast)
        lines = [
            Planned("acme", f"T-{path.name}-{n}", f"{path.name}-{n}", "task", work, due_on=one[0])
            for n, one, work in found
        ]
        approved(world, *lines, project=f"acme/{path.name}")
        rows[path.name] = [one for _, one, work in found if work]
    world.run(full=True)
    seen = set()
    days = sorted({one[0] for those in rows.values() for one in those})
    for today in days[:: max(1, len(days) // 40)]:
        facts = on(world, today)
        for name, those in rows.items():
            expected = second(those, today)
            assert close(facts[name], expected), (name, today, expected)
            seen.add(expected)
    assert len(rows) >= 5
    assert sum(map(len, rows.values())) > 150
    assert len(seen) > 12


def evolve(dice: random.Random, world: World, number: str) -> Row | None:
    """Let a frozen task go its way; what the second count knows of it."""
    frozen = world.tool.tasks[number]["due"]
    chance = dice.random()
    due = day(dice.randint(-40, 60))
    done = None if chance < 0.5 else day(dice.randint(-40, 10))
    if chance > 0.95:
        world.tool.put(number, status="Dropped")
        return None
    world.tool.put(number, due=due, done=done, status="Open" if done is None else "Done")
    return None if frozen is None else (frozen, done, due)


def test_missed_tasks_and_bei_of_generated_projects_agree_with_a_second_count(make_world: Callable[..., World]) -> None:
    dice, world = random.Random(14), make_world(now=NOON)
    world.tool.projects = {f"p{number}": {"name": "Made"} for number in range(20)}
    sizes = {name: dice.randint(0, 30) for name in world.tool.projects}
    for name, size in sizes.items():
        for number in range(size):
            due = None if dice.random() < 0.1 else day(dice.randint(-40, 40))
            world.tool.put(f"{name}-{number}", project=name, due=due, status=dice.choice(("Open", "Doing")))
    world.run(full=True)
    rows = {}
    for name, size in sizes.items():
        freeze(world, f"acme/{name}")
        found = [evolve(dice, world, f"{name}-{number}") for number in range(size)]
        rows[name] = [one for one in found if one is not None]
        world.tool.put(f"{name}-new", project=name, due=day(-30), status="Done", done=day(-20))
    world.run()
    seen = set()
    for number in range(-45, 46, 3):
        facts = on(world, day(number))
        for name, those in rows.items():
            expected = second(those, day(number))
            assert close(facts[name], expected), (name, number, expected)
            seen.add(expected)
    assert len(seen) > 100


@pytest.mark.slow
def test_what_a_pass_over_some_tasks_leaves_is_what_a_pass_over_all_of_them_makes(planned: World) -> None:
    dice = random.Random(8)
    planned.tool.projects["p2"] = {"name": "Two"}
    names = [str(number) for number in range(1, 20)]
    for turn in range(12):
        for number in dice.sample(names, 5):
            status = dice.choice(("Open", "Doing", "Done", "Dropped"))
            kind = dice.choice(("Task", "Task", "Task", "Epic", "Sub", "Change"))
            hours = dice.choice((None, 3600.0, 7200.0))
            planned.tool.put(
                number,
                project=dice.choice(("p1", "p2")),
                status=status,
                type=kind,
                parent=dice.choice((None, *names)),
                due=dice.choice((None, day(dice.randint(-9, 30)))),
                done=day(dice.randint(-9, 9)) if status == "Done" else None,
                estimate=hours and Duration(hours),
            )
        if turn % 4 == 1:
            planned.tool.tasks.pop(dice.choice(sorted(planned.tool.tasks)))
            planned.run(full=True)
        if turn % 4 == 2:
            freeze(planned, dice.choice(("acme/p1", "acme/p2")), at=NOON + dt.timedelta(minutes=turn), gate="G")
        planned.run()
        partly = tables(planned)
        planned.run(full=True)
        assert tables(planned) == partly, turn
