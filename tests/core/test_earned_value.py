"""Earned value and earned schedule: worked examples of others, a second computation, and whole cycles."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from pmosync import facts
from pmosync.contract import Duration
from pmosync.decisions.baselines import Baseline, Planned, write_baseline
from pmosync.judge.columns import SubjectColumns
from pmosync.model import BIT, FIELDS
from pmosync.register import Container, EarnedValue, Register, RegisteredProject
from pmosync.rollup.figures import Evidence, Figures
from pmosync.rollup.health import of_project
from pmosync.standards import Standard, load_packs
from pmosync.store import insert_all
from pmosync.store.tables import (
    finding,
    project,
    project_baseline,
    project_earned,
    project_pv,
    site,
    task,
    task_baseline,
    task_project,
)
from pmosync.workdays import Workdays, date_of, day_number, workdays
from tests.core.memory import World
from tests.earned import second

MONDAY = dt.date(2026, 11, 2)
OFF = (dt.date(2026, 11, 18), dt.date(2026, 12, 25))
NAMES = [name for name, one in FIELDS["project"].items() if one.observed in ("earned_observed", "cost_observed")]


Row = tuple[Table, dict[str, Any]]


def of_projects(connection: Connection) -> dict[str, dict[str, Any]]:
    """The facts of earned value as the judge reads them, by the project's key."""
    columns = SubjectColumns("project")
    rows = select(project.c.key, *(columns.column(name).label(name) for name in NAMES)).select_from(columns.source())
    return {key: dict(zip(NAMES, values, strict=True)) for key, *values in connection.execute(rows)}


# --- a second computation ---------------------------------------------------------------------------------------------


def random_task(dice: random.Random) -> second.Task:
    begin = MONDAY + dt.timedelta(days=dice.randrange(60))
    due = begin + dt.timedelta(days=dice.choice((-3, 0, 0, 1, 4, 11, 25)))
    done = dice.choice((0.0, 0.0, 0.25, 0.5, 1.0, 1.0))
    return second.Task(
        begin if dice.random() < 0.8 else None,
        due if dice.random() < 0.9 else None,
        float(dice.choice((1, 2.5, 8, 20, 80))),
        done if dice.random() < 0.998 else None,
        float(dice.choice((1, 4, 30))) if dice.random() < (0.999 if done else 0.2) else 0.0,
    )


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=2e-5, abs_tol=2e-5)


def rows_of(number: int, tasks: list[second.Task], due_on: dt.date | None, done_on: dt.date) -> Iterator[Row]:
    """A project with its baseline, as rows of the store's tables."""
    key = f"P{number}"
    due = None if due_on is None else day_number(due_on)
    yield (
        project,
        {"id": number, "uid": f"acme/{key}", "site": "acme", "key": key, "url": "", "portfolio": "organisation"},
    )
    yield project_baseline, {"project_id": number, "file": "f", "hash": "h", "due_on": due}
    for place, one in enumerate(tasks):
        name = {"site": "acme", "rid": f"{number}-{place}", "key": ""}
        status: str | None = "in_progress"
        percent = None if one.done is None else one.done * 100
        if one.done in (None, 1):
            status, percent = "done" if one.done else None, None
        yield task, {
            **name, "id": number * 100 + place, "url": "", "status": status, "percent_done": percent,
            "done_on": day_number(done_on) if status == "done" else None, "spent_h": one.booked_h or None,
            "offered": BIT["task"]["spent_h"] | BIT["task"]["status"],
        }  # fmt: skip
        yield task_project, {"task_id": number * 100 + place, "project_id": number}
        days = {"start_on": one.start_on, "due_on": one.due_on}
        yield task_baseline, {
            **name, "project_id": number, "task_id": number * 100 + place, "leaf": 1, "estimate_h": one.hours,
            **{name: None if day is None else day_number(day) for name, day in days.items()},
        }  # fmt: skip


def on_a_day(connection: Connection, today: dt.date, calendar: Workdays) -> None:
    day = day_number(today)
    connection.execute(site.delete())
    connection.execute(
        insert(site).values(name="acme", today=day, today_w=calendar.at(day), yesterday_w=calendar.at(day - 1))
    )


def test_two_hundred_projects_earn_what_a_second_computation_says(world: World) -> None:
    dice = random.Random(6)
    calendar = workdays(range(5), OFF)
    made = {}
    found: dict[Table, list[dict[str, Any]]] = {}
    with world.store.begin() as connection:
        facts.keep_calendar(connection, calendar)
        done_on = MONDAY + dt.timedelta(days=70)
        for number in range(1, 201):
            tasks = [random_task(dice) for _ in range(dice.randint(1, 12))]
            if number % 20 == 0:
                tasks = [second.Task(one.start_on, one.due_on, one.hours, 1.0, 5.0) for one in tasks]
            due_on = MONDAY + dt.timedelta(days=dice.randrange(40, 90)) if dice.random() < 0.8 else None
            made[f"P{number}"] = tasks, due_on
            for table, row in rows_of(number, tasks, due_on, done_on):
                found.setdefault(table, []).append(row)
        for table, rows in found.items():
            insert_all(connection, table, rows)
        on_a_day(connection, MONDAY, calendar)
        facts.derive(connection, everything=True, links_changed=False)
        known = dict.fromkeys(NAMES, 0)
        for days in (0, 1, 12, 40, 95):
            today = MONDAY + dt.timedelta(days=days)
            on_a_day(connection, today, calendar)
            for key, told in of_projects(connection).items():
                tasks, due_on = made[key]
                answers = second.answers(tasks, today, due_on, OFF, done_on)
                finish = answers.finish()
                assert told["ieac_t_on"] == (None if finish is None else day_number(finish)), (key, today)
                for name, wanted in answers.facts().items():
                    assert same(told[name], wanted), (key, today, name, told[name], wanted)
                    known[name] += wanted is not None
    assert min(known[name] for name in answers.facts()) > 100


# --- worked examples of others ----------------------------------------------------------------------------------------


def approved(world: World, *rows: Planned, **values: Any) -> None:
    """Write the baseline of the first project, as the command does."""
    one = Baseline("acme/p1", ("acme/p1",), set_at=world.now, set_on=world.now.date(), by="ana", reason="approved",
                   tasks=len(rows), **values)  # fmt: skip
    write_baseline(world.folder, one, rows)


def line(number: int, start_on: dt.date | None, due_on: dt.date | None, hours: float | None) -> Planned:
    return Planned("acme", f"T-{number}", str(number), "task", True, True, start_on, due_on, hours)


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def told(world: World) -> dict[str, Any]:
    with world.store.reading() as connection:
        return of_projects(connection)["p1"]


@pytest.fixture(scope="module")
def pack() -> tuple[Standard, ...]:
    return load_packs(["earned-value"], Path())


@pytest.fixture
def empty(world: World, pack: tuple[Standard, ...]) -> World:
    """A PMO that reads how much of each task is done, and the time booked on it; no task yet."""
    world.tool.tasks.clear()
    world.mapping = world.mapping.replace("done_on: done", "done_on: done\n  percent_done: percent")
    world.reads = "worklogs"
    world.standards = pack
    return world


def put(world: World, number: int, status: str, percent: float | None = None, **values: Any) -> None:
    if status == "Done":
        values["done"] = world.now.date()
    world.tool.put(str(number), status=status, percent=percent, estimate=Duration(36000.0), **values)


@pytest.fixture
def fence(empty: World) -> World:
    """Four sides of a fence, a day and 1,000 each; on the morning of the fourth day two and a half of them stand."""
    sides = ((10, "Done", None), (12, "Done", None), (6, "Doing", 50), (0, "Open", None))
    for number, (hours, status, percent) in enumerate(sides, 1):
        empty.now = noon(MONDAY + dt.timedelta(days=number - 1))
        put(empty, number, status, percent)
        if hours:
            empty.tool.log(f"w{number}", str(number), hours, empty.now.date())
    days = [MONDAY + dt.timedelta(days=n) for n in range(4)]
    approved(empty, *(line(number, day, day, 10) for number, day in enumerate(days, 1)))
    empty.register = Register((), "money", earned_value=EarnedValue(hour_cost=100))
    return empty


def documented() -> dict[str, str]:
    """The numbers of the worked example in the documentation, by fact."""
    page = (Path(__file__).parents[2] / "docs" / "earned-value.md").read_text("utf-8")
    table = page.partition("## A worked example")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \|.*\| (\S+) \|$", table, re.MULTILINE))


def test_a_fence_of_four_sides_has_the_numbers_of_the_textbook_and_of_the_documentation(fence: World) -> None:
    rollups = fence.run(full=True).rollups
    (health,) = [one.health for one in rollups if one.level == "project"]
    assert health.dimensions["time"].colour == health.dimensions["cost"].colour == "red"
    assert health.dimensions["cost"].reason == "its CPI is 0.89"
    found = told(fence)
    book = {"pv": 3000, "ev": 2500, "ac": 2800, "bac": 4000, "cv": -300, "sv": -500}
    assert {name: found[name] for name in book} == book
    assert (round(found["cpi"], 3), round(found["spi"], 3)) == (0.893, 0.833)
    rounded = 4000 / 0.893  # the textbook goes on with three decimals
    for name, one in (("eac", rounded), ("etc", rounded - 2800), ("vac", 4000 - rounded)):
        assert found[name] == pytest.approx(one, abs=1), name
    shown = documented()
    assert shown.keys() == set(NAMES)
    for name, text in shown.items():
        if text == "unknown":
            assert found[name] is None, name
        elif name.endswith("_on"):
            assert date_of(found[name]).isoformat() == text, name
        else:
            plain = text.replace(",", "").replace("−", "-")
            assert f"{found[name]:.{len(plain.partition('.')[2])}f}" == plain, name
    with fence.store.reading() as connection:
        failing = set(connection.scalars(select(finding.c.standard)))
    assert failing == {"EVM701", "EVM702", "EVM703", "EVM704"}


@pytest.fixture
def late(empty: World) -> World:
    """Ten weeks of ten hours each; on the morning of the eighth Monday five of them are done."""
    weeks = [MONDAY + dt.timedelta(weeks=n) for n in range(10)]
    empty.now = noon(weeks[7])
    for number in range(1, 11):
        put(empty, number, "Done" if number <= 5 else "Open")
        if number <= 5:
            empty.tool.log(f"w{number}", str(number), 10, weeks[number])
    approved(empty, *(line(n, begin, begin + dt.timedelta(days=4), 10) for n, begin in enumerate(weeks, 1)))
    return empty


def test_earned_schedule_tells_the_delay_that_spi_forgets_once_all_is_done(late: World) -> None:
    """Lipke's own picture: seven months gone by, and the project has earned the schedule of five."""
    late.run(full=True)
    found = told(late)
    assert (found["pv"], found["ev"], found["bac"], found["es_weeks"], found["sv_t_weeks"]) == (70, 50, 100, 5, -2)
    assert found["spi_t"] == pytest.approx(5 / 7, abs=1e-6)
    days = 4 + 9 * 7 + 1
    assert date_of(found["ieac_t_on"]) == MONDAY + dt.timedelta(days=math.ceil(days * 7 / 5) - 1)
    late.now = noon(MONDAY + dt.timedelta(weeks=13, days=4))
    for number in range(6, 11):
        put(late, number, "Done")
        late.tool.log(f"w{number}", str(number), 10, late.now.date())
    late.run()
    found = told(late)
    assert (found["spi"], found["sv"]) == (1, 0), "as if it had been on time"
    assert found["spi_t"] == pytest.approx(days / (13 * 7 + 5), abs=1e-6)
    assert date_of(found["ieac_t_on"]) == late.now.date()
    late.now += dt.timedelta(weeks=9)
    late.run()
    assert told(late) == found, "time ends with the work"


def kept(world: World) -> list[Any]:
    with world.store.reading() as connection:
        return [sorted(map(repr, connection.execute(select(one)).all())) for one in (project_earned, project_pv)]


def test_a_sync_keeps_what_a_full_pass_computes_and_a_new_day_changes_no_table(late: World) -> None:
    late.run(full=True)
    before = kept(late)
    late.now += dt.timedelta(days=1)
    late.run()
    assert kept(late) == before
    with late.store.reading() as connection:
        assert connection.scalar(select(finding.c.causes)) == "data", "it was behind from the first day"
    late.tool.projects["p2"] = {"name": "Two", "lead": None}
    seen = []

    def finish() -> None:
        put(late, 6, "Done")
        late.tool.log("w6", "6", 9, late.now.date())

    for change in (
        lambda: put(late, 6, "Doing", 20),
        lambda: late.tool.log("w5", "5", 25, late.now.date()),
        lambda: late.tool.tasks["6"].update(projects=("p2",), version="1000"),
        finish,
        lambda: put(late, 7, "Dropped"),
        lambda: late.tool.tasks.pop("8"),
    ):
        change()
        late.tool.version = max(late.tool.version, 1000)
        late.run(full="8" not in late.tool.tasks)
        seen.append((told(late)["ev"], told(late)["ac"]))
        if len(seen) in (3, 5):  # the last one was a full pass anyhow
            partial = kept(late)
            late.run(full=True)
            assert kept(late) == partial
    assert seen == [(52, 50), (52, 65), (52, 65), (60, 74), (60, 74), (60, 74)], "what left stays in the budget"
    assert told(late)["bac"] == 100


def test_what_nobody_knows_is_unknown_and_never_nothing(late: World) -> None:
    late.run(full=True)
    whole = told(late)
    cost = {"ac", "cv", "cpi", "eac", "eac_low", "eac_high", "etc", "vac", "vac_share", "tcpi_bac"}

    def unknown() -> set[str]:
        late.run(full=True)
        return {name for name, value in told(late).items() if value is None and name not in ("tcpi_eac", "eac_own")}

    del late.tool.worklogs["w5"]
    assert unknown() == cost, "a fifth of what is earned has no booking"
    late.tool.log("w5", "5", 10, late.now.date())
    assert unknown() == set()
    late.tool.put("9", status="Parked")
    assert unknown() >= {"ev", "sv", "spi", "es_weeks", "spi_t", "ieac_t_on", *cost}
    assert (told(late)["bac"], told(late)["pv"]) == (whole["bac"], whole["pv"])
    put(late, 9, "Doing", 130)
    assert "ev" in unknown(), "nothing is done to 130 %"
    put(late, 9, "Open")
    late.tool.put("5", done=None)
    assert unknown() == {"ev_last_on"}
    (late.folder / "baselines").rename(late.folder / "elsewhere")
    assert unknown() == {*NAMES} - {"tcpi_eac", "eac_own"}
    with late.store.reading() as connection:
        assert set(connection.scalars(select(finding.c.state))) == {"resolved"}


@pytest.mark.parametrize(
    ("lines", "unknown"),
    [
        ([line(1, None, MONDAY, 10), line(2, None, None, 10)], {"pv", "es_weeks"}),
        ([line(1, None, MONDAY, 10), line(2, None, MONDAY, None)], {"bac", "pv", "ev", "es_weeks"}),
        ([line(n, None, MONDAY, 10 if n < 20 else None) for n in range(1, 21)], set()),
        ([Planned("acme", "T-1", "1", "milestone", False, True, None, MONDAY), line(2, None, MONDAY, 10)], set()),
        ([Planned("acme", "T-1", "1", "task", True, False, None, MONDAY, 99), line(2, None, MONDAY, 10)], set()),
    ],
    ids=["a task without a day", "half of them without an estimate", "one in twenty", "a milestone", "a parent"],
)
def test_a_baseline_is_added_up_where_enough_of_it_is_known(
    empty: World, lines: list[Planned], unknown: set[str]
) -> None:
    for number in range(1, 21):
        put(empty, number, "Open")
    empty.now = noon(MONDAY + dt.timedelta(days=30))
    approved(empty, *lines)
    empty.run(full=True)
    found = told(empty)
    assert {name for name in ("bac", "pv", "ev", "es_weeks") if found[name] is None} == unknown
    assert found["bac"] in (None, sum(one.estimate_h or 0 for one in lines if one.leaf))


def test_begun_work_counts_half_and_money_is_counted_where_the_pmo_says_so(late: World) -> None:
    put(late, 6, "Doing")
    budgets = "lead: lead, budget_used_cost: budget_cost_used, budget_used_h: budget_time_used}}"
    late.mapping = late.mapping.replace("lead: lead}}", budgets)
    late.reads = "worklogs, budgets"
    late.run(full=True)
    assert (told(late)["ev"], told(late)["ac"]) == (50, 50)
    own = RegisteredProject("one", (Container("acme", "p1"),), earned_value=EarnedValue(20, half_when_begun=True))
    late.register = Register((own,), "own", earned_value=EarnedValue(7))
    late.run()
    found = told(late)
    assert (found["bac"], found["ev"], found["ac"], found["es_weeks"]) == (2000, 1100, 1000, 5.5)
    late.tool.projects["p1"]["budget_cost_used"] = 900.0
    late.run(full=True)
    assert told(late)["ac"] == 900, "what the tool says was spent goes before"
    late.register = Register((), "none")
    late.run()
    assert (told(late)["ev"], told(late)["ac"]) == (50, 50)
    late.tool.worklogs.clear()
    late.tool.projects["p1"]["budget_time_used"] = Duration(61 * 3600.0)
    late.run(full=True)
    assert (told(late)["bac"], told(late)["ac"]) == (100, 61), "where nobody books, the budget's own account"


def test_a_verdict_about_cost_stays_while_the_time_booked_cannot_be_read(fence: World) -> None:
    fence.run(full=True)
    fence.tool.hidden.add("worklogs")
    fence.tool.log("w4", "1", -20, fence.now.date())
    put(fence, 3, "Done")
    fence.run(full=True)
    with fence.store.reading() as connection:
        open_now = set(connection.scalars(select(finding.c.standard).where(finding.c.state != "resolved")))
    assert open_now == {"EVM701", "EVM703", "EVM704"}, "EVM702 needs no cost"


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        ("time", [("spi_t", 0.95, "green"), ("spi_t", 0.9499, "amber"), ("spi_t", 0.8999, "red")]),
        ("cost", [("cpi", 0.95, "green"), ("cpi", 0.9499, "amber"), ("cpi", 0.9, "amber"), ("cpi", 0.8999, "red")]),
        ("cost", [("vac_share", -0.05, "green"), ("vac_share", -0.0501, "amber"), ("vac_share", -0.1001, "red")]),
    ],
)
def test_health_judges_what_is_earned_by_the_bands_that_are_written(
    dimension: str, values: list[tuple[str, float, str]]
) -> None:
    for name, value, colour in values:
        health = of_project(Figures(evidence=Evidence(**{name: value})))
        assert health.dimensions[dimension].colour == colour, (name, value)
    assert of_project(Figures()).dimensions[dimension].colour == "grey"
