"""How hard is asked decides who is told what and when: modes with days, what is held back, the steps of the ladder."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from pmosync.contract import Slot
from pmosync.cycle import Outcome
from pmosync.ladder import FAILING, STEPS, Ladder, blocks_gate
from pmosync.model import MODES
from pmosync.modes import REQUIRE, Said
from pmosync.reports import Wanted, items
from pmosync.store.tables import event, finding
from pmosync.workdays import day_number, workdays
from tests.core.memory import World

FRIDAY = dt.date(2026, 11, 20)
NOTE = Slot("task", "1", "note")
LEAD = ", for the project lead from 2026-12-04"


def causes(outcome: Outcome) -> dict[str, str]:
    return {line.key: line.causes for line in outcome.plan.changes if line.slot == "note"}


def at(world: World, day: dt.date) -> Outcome:
    world.now = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
    return world.run()


def states(world: World) -> list[str]:
    with world.store.reading() as connection:
        return list(connection.scalars(select(finding.c.state).order_by(finding.c.subject_id, finding.c.standard)))


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """One task that is overdue, and must be put right within five working days."""
    world = make_world(slots="property, note", profile="directive")
    world.tool.put("1", due=dt.date(2026, 11, 2))
    return world


def test_a_required_finding_climbs_on_the_days_that_its_mark_has_told_from_the_beginning(world: World) -> None:
    at(world, FRIDAY)
    first = world.tool.marks[NOTE]
    head = "SCH201 Overdue, since 2026-11-20, fix by 2026-11-27"
    assert first.startswith(f"{head}, lead from 2026-12-04, gate from 2026-12-11: ")
    steps = {
        dt.date(2026, 11, 27): ("open", ", reminder, lead from 2026-12-04, gate from 2026-12-11: "),
        dt.date(2026, 12, 4): ("escalated", f"{LEAD}, gate from 2026-12-11: "),
        dt.date(2026, 12, 11): ("escalated", f"{LEAD}, blocks the gate from 2026-12-11: "),
    }
    for offset in (1, 6, 7, 10, 13, 14, 20, 21, 29):
        day = FRIDAY + dt.timedelta(days=offset)
        outcome = at(world, day)
        if day not in steps:
            assert outcome.plan.changes == []
            continue
        assert causes(outcome) == {"T-1": "time"}
        assert states(world) == [steps[day][0]]
        assert world.tool.marks[NOTE].startswith(head + steps[day][1])
    told = json.loads(world.tool.marks[Slot("task", "1", "property")])["findings"][0]
    assert (told["step"], told["lead_on"], told["gate_on"]) == ("gate", "2026-12-04", "2026-12-11")
    measures = outcome.rollups[-1].measures()
    assert (measures["escalated"], measures["blocking"], measures["findings"]) == (1, 1, {"high": 1})
    world.run(full=True)
    world.rebuild()
    assert world.run(full=True).plan.changes == []
    world.tool.put("1", due=dt.date(2027, 1, 15))
    assert causes(world.run()) == {"T-1": "data"}


def test_nobody_is_told_more_of_what_cannot_be_looked_at(world: World) -> None:
    at(world, FRIDAY)
    world.tool.hidden.add("p1")
    assert at(world, dt.date(2026, 12, 20)).plan.changes == []
    assert states(world) == ["open"]
    world.tool.hidden.clear()
    assert causes(world.run()) == {"T-1": "time"}


def test_what_is_announced_for_a_day_is_required_from_it_and_climbs_from_it(world: World) -> None:
    world.profile = "controlling"
    world.said = (Said("organisation", "", REQUIRE, "SCH201", from_on=day_number(dt.date(2026, 12, 5))),)
    at(world, FRIDAY)
    assert "lead" not in world.tool.marks[NOTE]
    assert at(world, dt.date(2026, 12, 4)).plan.changes == []
    assert causes(at(world, dt.date(2026, 12, 5))) == {"T-1": "time"}, "a Saturday: it climbs as if from Monday on"
    assert "fix by 2026-11-27, lead from 2026-12-14, gate from 2026-12-21" in world.tool.marks[NOTE]
    assert causes(at(world, dt.date(2026, 12, 14))) == {"T-1": "time"}
    assert states(world) == ["escalated"]


def test_somebody_who_asks_harder_or_more_softly_is_the_standard_as_a_cause(world: World) -> None:
    world.profile = "controlling"
    at(world, FRIDAY)
    world.said = (Said("organisation", "", REQUIRE, "SCH2"),)
    assert causes(world.run()) == {"T-1": "standard"}
    world.said = (Said("organisation", "", MODES.index("observe"), "SCH201"),)
    outcome = world.run()
    assert causes(outcome) == {"T-1": "standard"}
    assert NOTE not in world.tool.marks
    assert outcome.rollups[-1].measures()["findings"] == {"high": 1}, "what is observed is reported"


def test_a_finding_that_must_persist_counts_at_once_and_is_told_when_it_has(world: World) -> None:
    world.profile = "controlling"
    world.replace_standard("SCH201", persist_d=2)
    outcome = at(world, FRIDAY)
    assert outcome.rollups[-1].measures()["findings"] == {"high": 1}
    assert (states(world), NOTE in world.tool.marks) == (["new"], False)
    world.rebuild()
    assert at(world, FRIDAY + dt.timedelta(days=1)).plan.changes == []
    at(world, FRIDAY + dt.timedelta(days=2))
    assert (states(world), NOTE in world.tool.marks) == (["new"], False), "nobody knows any more since when it was so"
    assert causes(at(world, FRIDAY + dt.timedelta(days=3))) == {"T-1": "data, time"}
    assert world.tool.marks[NOTE].startswith("SCH201 Overdue, since 2026-11-21, fix by 2026-11-30: ")
    at(world, FRIDAY + dt.timedelta(days=4))
    assert states(world) == ["open"]
    world.rebuild()
    assert world.run(full=True).plan.changes == []


# --- every path says the same -----------------------------------------------------------------------------------------


def plainly(since: dt.date, day: dt.date, mode: str, began: dt.date | None, persist: int, ladder: Ladder) -> str:
    """The step of an overdue task, read from docs/modes.md and counted day by day; fix within five working days."""
    told = since + dt.timedelta(days=persist)
    if day < told:
        return "held"
    if mode != "require":
        return "flag"
    begins = after(told, 5)
    if began is not None:
        begins = max(begins, began if began.weekday() < 5 else after(began, 1))
    step = "flag"
    for name, days in (("reminder", ladder.remind_d), ("lead", ladder.lead_d), ("gate", ladder.gate_d)):
        step = name if day >= after(begins, days) else step
    return step


def after(day: dt.date, working_days: int) -> dt.date:
    """So many working days later, Monday to Friday."""
    while working_days:
        day += dt.timedelta(days=1)
        working_days -= day.weekday() < 5
    return day


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_judge_plan_report_and_rollup_agree_with_a_plain_reading_on_random_days(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.profile = chance.choice(("supportive", "controlling", "directive"))
    persist = chance.choice((0, 0, 2, 5))
    world.replace_standard("SCH201", persist_d=persist)
    world.ladder = Ladder(*sorted(chance.randrange(12) for _ in range(3)))
    usual = {"supportive": "observe", "controlling": "advise", "directive": "require"}[world.profile]
    began = FRIDAY + dt.timedelta(days=chance.randrange(-5, 20))
    later = chance.choice(MODES)
    world.said = (Said("organisation", "", MODES.index(later), "SCH", from_on=day_number(began)),)
    at(world, FRIDAY)
    for offset in sorted(chance.sample(range(1, 45), 6)):
        day = FRIDAY + dt.timedelta(days=offset)
        outcome = at(world, day)
        mode = later if day >= began else usual
        known = began if mode != usual else None
        step = plainly(FRIDAY, day, mode, known, persist, world.ladder)
        with world.store.reading() as connection:
            row = connection.execute(select(finding)).one()
            blocking = connection.execute(select(finding.c.standard).where(blocks_gate())).all()
            calendar = workdays(range(5))
            (item,) = items(connection, world.standards, calendar, world.ladder, Wanted(states=FAILING))
        assert (MODES[row.mode], STEPS[row.step]) == (mode, step)
        assert (item["mode"], item["step"], item["state"]) == (mode, step, row.state)
        assert (row.state == "escalated") == (step in ("lead", "gate")) == bool(outcome.rollups[-1].figures.escalated)
        assert bool(blocking) == (step == "gate") == bool(outcome.rollups[-1].figures.blocking)
        mark = flagged(world)
        assert (mark is not None) == (mode != "observe" and step != "held")
        if mark is not None:
            assert mark.get("step") == (step if mode == "require" else None)
            assert (mark["since"], mark["fix_by"]) == (item["since"], item["fix_by"])
            assert (mark.get("lead_on"), mark.get("gate_on")) == (item["lead_on"], item["gate_on"])
        assert world.run().plan.changes == []
    world.run(full=True)
    world.rebuild()
    if flagged(world) is not None:
        assert world.run(full=True).plan.changes == []


def flagged(world: World) -> dict[str, Any] | None:
    text = world.tool.marks.get(Slot("task", "1", "property"))
    return None if text is None else json.loads(text)["findings"][0]  # type: ignore[no-any-return]


def test_each_step_is_an_event_that_names_its_cause(world: World) -> None:
    for day in (FRIDAY, dt.date(2026, 11, 27), dt.date(2026, 12, 4), dt.date(2026, 12, 11)):
        at(world, day)
    with world.store.reading() as connection:
        rows = connection.execute(select(event.c.was, event.c.now, event.c.causes).order_by(event.c.id)).all()
    assert [tuple(row) for row in rows[1:]] == [
        ("open", "open", "time"), ("open", "escalated", "time"), ("escalated", "escalated", "time"),
    ]  # fmt: skip
