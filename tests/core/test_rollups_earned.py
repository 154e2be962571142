"""What a project is measured against once it has a baseline, and what its earned value comes to above it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from pmosync.contract import Duration, Person
from pmosync.decisions.baselines import Baseline, Planned, write_baseline
from pmosync.register import Container, Register, RegisteredProject, Tolerances, Totals
from pmosync.reports import words
from pmosync.rollup import Rollup
from pmosync.rollup.earned import Earned, together
from tests.core.memory import World

MONDAY = dt.date(2026, 11, 16)
THURSDAY = dt.date(2026, 11, 19)


def rollups(world: World) -> dict[str, Rollup]:
    return {one.id: one for one in world.run(full=True).rollups}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Four pieces of work of ten hours, a day each from Monday on; two are done on Friday, and took longer."""
    world = make_world(reads="worklogs")
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    for number in range(4):
        day = MONDAY + dt.timedelta(days=number)
        world.tool.put(str(number), start=day, due=day, estimate=Duration(36_000.0), assignee=Person("ana"))
        if number < 2:
            world.tool.put(str(number), status="Done", done=day)
            world.tool.log(f"w{number}", str(number), 12.5, day)
    world.tool.put("9", project="p2")
    return world


def registered(**told: Any) -> Register:
    entry = RegisteredProject("one", (Container("acme", "p1"),), **told)
    return Register((entry,), repr(told))


def approve(world: World) -> None:
    rows = [
        Planned("acme", f"T-{number}", str(number), "task", True, True, day, day, 10.0)
        for number, day in ((number, MONDAY + dt.timedelta(days=number)) for number in range(4))
    ]
    at = world.now - dt.timedelta(days=7)
    told = {"set_at": at, "set_on": at.date(), "by": "ana", "reason": "approved"}
    write_baseline(world.folder, Baseline("one", ("acme/p1",), due_on=THURSDAY, **told), rows)


def test_a_project_with_a_baseline_is_measured_against_that_and_no_longer_against_the_register(world: World) -> None:
    promised = Totals(tasks=2, effort_h=400.0, due_on=dt.date(2027, 1, 29))
    world.register = registered(baseline=promised, tolerances=Tolerances(scope_share=0.2))
    before = rollups(world)["project/one"]
    assert before.health.dimensions["scope"].reason == "4 tasks, 2 planned"
    assert (before.figures.evidence.planned_effort_h, before.figures.evidence.slip) == (400, 0)
    assert before.figures.earned is None
    assert words.earned(before) == "not known: no baseline"
    approve(world)
    after = rollups(world)["project/one"]
    assert (after.health.dimensions["scope"].colour, after.health.dimensions["scope"].reason) == (
        "green", "as its baseline has it",
    )  # fmt: skip
    assert (after.figures.evidence.planned_effort_h, after.figures.evidence.slip) == (40, 1)
    world.tool.put("5", estimate=Duration(36_000.0))
    grown = rollups(world)["project/one"].health.dimensions["scope"]
    assert (grown.colour, grown.reason) == ("red", "25% was added to its baseline")


def test_its_earned_value_is_told_of_it_and_of_what_it_is_in_and_says_of_how_many(world: World) -> None:
    world.register = registered()
    approve(world)
    found = rollups(world)
    told = {"unit": "h", "bac": 40.0, "ev": 20.0, "ac": 25.0, "cpi": 0.8, "eac": 50.0, "vac": -10.0, "spi_t": 0.5}
    for name in ("project/one", "portfolio/organisation"):
        earned = found[name].figures.earned
        assert earned is not None
        assert {key: earned.measures()[key] for key in told} == told
        assert "earned" not in found[name].measures(), "what moves with the day stands in no mark"
    line = "SPI(t) 0.50, CPI 0.80, EAC 50 h (BAC 40 h, VAC -10 h)"
    assert words.earned(found["project/one"]) == line
    above = "; the forecast of 1 of 1 projects with a baseline"
    assert words.earned(found["portfolio/organisation"]) == line + above
    assert found["project/acme/p2"].figures.earned is None


def test_what_is_not_known_is_no_zero_and_hours_and_money_are_not_added_up() -> None:
    begun = Earned(forecast=1, unit="h", bac=100, ev=40, ac=50, eac=125, vac=-25, cpi=0.8, es_weeks=2, sv_t_weeks=-2)
    other = Earned(forecast=1, unit="h", bac=300, ev=90, ac=90, eac=300, vac=0, cpi=1, es_weeks=4, sv_t_weeks=0)
    unknown = Earned(unit="h", bac=500, ev=0)
    assert together([None, None]) is None
    found = together([begun, None, other, unknown])
    assert found == Earned(3, 2, "h", 400, 130, 140, 0.75, 0.9286, 425, -25)
    assert together([unknown]) == Earned(1, 0)
    money = Earned(forecast=1, unit="money", bac=9000, ev=1, ac=1, eac=9000, vac=0, cpi=1)
    mixed = together([begun, money])
    assert mixed == Earned(2, 2, None, spi_t=0.5)
