"""Rollups over a whole cycle: what is counted, how health is judged, where marks go and when they are left alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest

from pmosync.contract import Duration, Slot
from pmosync.register import Container, Group, Register, RegisteredProject, Totals
from pmosync.rollup import Rollup
from pmosync.rollup.figures import Evidence, Figures
from pmosync.rollup.health import of_project
from tests.core.memory import World

pytestmark = pytest.mark.slow

TODAY = dt.date(2026, 11, 20)
PAST, LATER = dt.date(2026, 11, 10), dt.date(2026, 12, 11)
TOP = "portfolio/organisation"


def registered(*numbers: str, **more: Any) -> RegisteredProject:
    containers = tuple(Container("acme", number) for number in numbers)
    return RegisteredProject(**{"id": numbers[0], "containers": containers, "title": numbers[0].upper(), **more})


def register(*projects: RegisteredProject, groups: tuple[Group, ...] = (), **home: str) -> Register:
    return Register(projects, repr((projects, groups, home)), groups, home)


def told(world: World, **how: Any) -> dict[str, Rollup]:
    return {one.id: one for one in world.run(**how).rollups}


def two_projects(world: World) -> None:
    """Projects p1 and p2 in one program, each with tasks of its own and one in both."""
    world.tool.projects["p2"] = {"name": "Two", "lead": None}
    world.tool.put("1", status="Done", due=PAST, done=PAST)
    world.tool.put("2", project="p2", status="Doing", due=PAST, start=PAST)
    world.tool.put("3", project="p2", status="Waiting")
    world.tool.tasks["3"]["projects"] = ("p1", "p2")
    world.register = register(
        registered("p1", program="cards"),
        registered("p2", program="cards"),
        groups=(Group("program", "cards", "Cards"),),
        acme="PMO",
    )
    world.rollups = "rollup, page"


def test_a_task_in_two_projects_counts_once_in_each_and_once_above(world: World) -> None:
    two_projects(world)
    found = told(world)
    assert [found[name].figures.tasks for name in ("project/p1", "project/p2")] == [32, 2]
    assert found["program/cards"].figures.tasks == found[TOP].figures.tasks == 33
    assert found["program/cards"].figures.blocked == 1
    assert (found["program/cards"].figures.projects, found["program/cards"].members) == (
        2,
        ("project/p1", "project/p2"),
    )
    assert [one.level for one in world.run().rollups] == ["portfolio", "program", "project", "project"]


def test_progress_by_effort_weighs_leaf_tasks_by_their_estimates(world: World) -> None:
    world.tool.tasks.clear()
    world.tool.put("1", estimate=Duration(100 * 3600.0))
    world.tool.put("2", parent="1", status="Done", done=PAST, estimate=Duration(3 * 3600.0))
    world.tool.put("3", parent="1", estimate=Duration(3600.0))
    world.tool.put("4", parent="1", status="Dropped", estimate=Duration(9 * 3600.0))
    figures = told(world)["project/acme/p1"].figures
    assert (figures.effort_h, figures.effort_done_h, figures.progress_effort) == (4.0, 3.0, 0.75)
    world.tool.put("5", estimate=None)
    world.tool.put("6", estimate=None)
    world.tool.put("7", estimate=None)
    assert told(world)["project/acme/p1"].figures.progress_effort is None


def test_what_the_register_puts_nowhere_is_in_the_organisations_portfolio(world: World) -> None:
    world.tool.projects["p2"] = {"name": "Two", "lead": None}
    world.register = register(
        registered("p2", portfolio="change"), groups=(Group("portfolio", "change", "Change the bank"),)
    )
    found = told(world)
    assert found["project/acme/p1"].parent == TOP
    assert found[TOP].title == "Acme"
    assert found["project/p2"].parent == "portfolio/change"
    assert found["portfolio/change"].title == "Change the bank"


# --- health -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "dimension", "colour"),
    [
        ({"dated": 100, "due": 100, "due_done": 95}, "time", "green"),
        ({"dated": 100, "due": 100, "due_done": 94}, "time", "amber"),
        ({"dated": 100, "due": 100, "due_done": 90}, "time", "amber"),
        ({"dated": 100, "due": 100, "due_done": 89}, "time", "red"),
        ({"dated": 1}, "time", "green"),
        ({}, "time", "grey"),
        ({"slip": 5}, "time", "green"),
        ({"slip": 6}, "time", "amber"),
        ({"slip": 20}, "time", "amber"),
        ({"slip": 21}, "time", "red"),
        ({"dated": 1, "slip": 21}, "time", "red"),
        ({"booked": 5, "earned_h": 95.0, "spent_h": 100.0}, "cost", "green"),
        ({"booked": 5, "earned_h": 94.0, "spent_h": 100.0}, "cost", "amber"),
        ({"booked": 5, "earned_h": 90.0, "spent_h": 100.0}, "cost", "amber"),
        ({"booked": 5, "earned_h": 89.0, "spent_h": 100.0}, "cost", "red"),
        ({"booked": 4, "earned_h": 10.0, "spent_h": 100.0}, "cost", "grey"),
        ({"planned_effort_h": 100.0, "expected_h": 105.0}, "cost", "green"),
        ({"planned_effort_h": 100.0, "expected_h": 106.0}, "cost", "amber"),
        ({"planned_effort_h": 100.0, "expected_h": 111.0}, "cost", "red"),
        ({"planned_tasks": 20}, "scope", "green"),
        ({"planned_tasks": 19}, "scope", "amber"),
        ({"planned_tasks": 18}, "scope", "red"),
        ({}, "scope", "grey"),
        ({"risks": 1}, "risk", "green"),
        ({"risks": 1, "top_risk": 1}, "risk", "amber"),
        ({"risks": 1, "top_risk": 2}, "risk", "red"),
        ({}, "risk", "grey"),
    ],
)
def test_a_dimension_has_the_colour_of_its_band(evidence: dict[str, Any], dimension: str, colour: str) -> None:
    health = of_project(Figures(tasks=21, cancelled=1, evidence=Evidence(**evidence)))
    assert health.dimensions[dimension].colour == colour


def test_the_worst_known_dimension_decides_and_fewer_than_two_are_too_few() -> None:
    one = of_project(Figures(evidence=Evidence(dated=1)))
    assert (one.colour, one.decided_by) == ("grey", "")
    assert "risk: nothing in it is mapped as a risk" in one.reason
    two = of_project(Figures(evidence=Evidence(dated=1, risks=1, top_risk=1)))
    assert (two.colour, two.decided_by, two.reason) == ("amber", "risk", "risk: an open risk of high priority")
    equal = of_project(Figures(evidence=Evidence(dated=1, risks=1)))
    assert (equal.colour, equal.decided_by) == ("green", "time")


def test_health_comes_from_the_tasks_and_the_registers_baseline(world: World) -> None:
    hour = 3600.0
    for number in range(1, 7):
        world.tool.put(
            str(number), status="Done", done=PAST, due=PAST, estimate=Duration(10 * hour), spent=Duration(11 * hour)
        )
    world.tool.put("7", type="Risk", priority="Critical")
    baseline = Totals(due_on=dt.date(2026, 12, 4), tasks=30, effort_h=90.0)
    world.register = register(registered("p1", baseline=baseline, reported_health="green"))
    found = told(world)["project/p1"]
    reasons = {name: (one.colour, one.reason) for name, one in found.health.dimensions.items()}
    # 6 done tasks took 66 of 60 estimated hours; 31 open ones have an hour each: 97 hours against 90 planned
    assert reasons == {
        "time": ("green", "all 6 due tasks are done"),
        "cost": ("amber", "done tasks took 66 h for 60 h estimated"),
        "scope": ("red", "37 tasks, 30 planned"),
        "risk": ("red", "an open risk of critical priority"),
    }
    assert (found.health.colour, found.health.decided_by) == ("red", "scope")
    assert (found.reported, found.difference) == ("green", "better")
    above = told(world)[TOP]
    assert (above.health.colour, above.health.decided_by) == ("red", "project/p1")
    assert above.health.reason == "P1: scope: 37 tasks, 30 planned"
    assert (above.reported, above.difference) == ("green", "better")


def test_grey_projects_decide_nothing_above_them(world: World) -> None:
    world.tool.projects["p2"] = {"name": "Two", "lead": None}
    world.tool.put("1", project="p2", type="Risk")
    world.register = register(registered("p1"), registered("p2"))
    found = told(world)
    assert found["project/p1"].health.colour == "grey"
    assert (found[TOP].health.colour, found[TOP].health.decided_by) == ("green", "project/p2")
    assert found[TOP].difference is None


# --- marks ------------------------------------------------------------------------------------------------------------


def page(world: World, name: str) -> str:
    return world.tool.marks[Slot("rollup", name, "page")]


def test_every_rollup_with_a_home_has_a_page_and_a_second_run_writes_none(world: World) -> None:
    two_projects(world)
    world.run(full=True)
    names = {slot.id for slot in world.tool.marks if slot.name == "page"}
    assert names == {TOP, "program/cards", "project/p1", "project/p2"}
    assert {one.project for one in world.tool.writes if one.slot.name == "page"} == {"PMO"}
    lines = page(world, "program/cards").split("\n")
    assert lines[0] == "PMO status: Cards: grey"
    assert "- Tasks: 33, of them 1 done, 0 cancelled, 32 open (1 late, 1 blocked)" in lines
    assert "- P2 (project): grey, 0% done, 2 open, 1 late, 2 findings" in lines
    for full in (False, True):
        world.run(full=full)
        assert world.tool.writes == []
    world.rebuild()
    for full in (False, True):
        world.run(full=full)
        assert world.tool.writes == []


def test_a_home_that_is_the_thing_itself_is_only_for_the_rollup_that_names_it(world: World) -> None:
    two_projects(world)
    world.rollups = "rollup, own"
    cards = Group("program", "cards", "Cards", home={"acme": "77"})
    world.register = register(registered("p1", program="cards"), groups=(cards,), acme="88")
    world.run(full=True)
    own = {slot.id: orjson.loads(text) for slot, text in world.tool.marks.items() if slot.name == "own"}
    assert own.keys() == {"77"}
    assert (own["77"]["health"], own["77"]["open"], own["77"]["late"]) == ("grey", 31, 0)
    world.register = register(registered("p1", program="cards"), groups=(Group("program", "cards", "Cards"),))
    world.run(full=True)
    assert not [slot for slot in world.tool.marks if slot.name == "own"]


def test_a_sync_writes_a_standing_rollup_only_when_its_health_or_what_decides_it_changed(world: World) -> None:
    two_projects(world)
    world.tool.put("90", type="Risk", priority="Low")
    world.run(full=True)
    before = page(world, "project/p1")
    assert before.startswith("PMO status: P1: green\nHealth: green. Time: ")
    world.tool.put("91")
    world.run()
    assert page(world, "project/p1") == before
    world.tool.put("90", priority="Critical")
    outcome = world.run()
    assert page(world, "project/p1").startswith("PMO status: P1: red\nHealth: red. Risk: an open risk of critical")
    assert {line.causes for line in outcome.plan.changes if line.rid == "project/p1"} == {"data"}
    world.tool.put("92")
    outcome = world.run(full=True)
    assert "Tasks: 35" in page(world, "project/p1")


def test_a_rollup_with_a_project_that_could_not_be_read_stays_as_it_stands(world: World) -> None:
    two_projects(world)
    world.run(full=True)
    before = {slot: text for slot, text in world.tool.marks.items() if slot.name == "page"}
    world.tool.hidden = {"p2"}
    world.tool.put("90", type="Risk", priority="Critical")
    world.run(full=True)
    now = {slot: text for slot, text in world.tool.marks.items() if slot.name == "page"}
    assert {slot.id for slot in now if now[slot] != before[slot]} == {"project/p1"}


def test_places_that_cannot_be_looked_at_are_left_alone(world: World) -> None:
    two_projects(world)
    world.run(full=True)
    world.tool.hidden = {"rollups"}
    world.tool.put("90", type="Risk", priority="Critical")
    outcome = world.run(full=True)
    assert not [one for one in world.tool.writes if one.slot.name == "page"]
    assert {line.note for line in outcome.plan.left if line.slot == "page"} == {"not observed: left as it is"}


def test_a_page_that_somebody_edited_is_written_again_and_one_that_left_the_register_is_taken_away(
    world: World,
) -> None:
    two_projects(world)
    world.run(full=True)
    world.tool.marks[Slot("rollup", "program/cards", "page")] = "All is well\nTrust me."
    outcome = world.run(full=True)
    assert {line.rid: line.causes for line in outcome.plan.changes} == {"program/cards": "edited by somebody"}
    world.register = register(registered("p1"), registered("p2"), acme="PMO")
    world.run(full=True)
    assert Slot("rollup", "program/cards", "page") not in world.tool.marks
    assert Slot("rollup", TOP, "page") in world.tool.marks


def test_a_page_that_somebody_deleted_is_made_once_more_by_the_next_reconcile_and_then_left(world: World) -> None:
    two_projects(world)
    world.run(full=True)
    place = Slot("rollup", "program/cards", "page")
    for causes in ("edited by somebody", None):
        del world.tool.marks[place]
        outcome = world.run(full=True)
        told_why = {line.rid: line.causes for line in outcome.plan.changes}
        assert told_why == ({place.id: causes} if causes else {})
        assert {one.before for one in world.tool.writes if one.slot == place} <= {None}
        world.tool.writes.clear()
        if causes:
            assert page(world, place.id).startswith("PMO status: Cards")
    assert [line.note for line in outcome.plan.left if line.slot == "page"] == ["dispute: removed again within 7 days"]


def test_the_project_that_holds_status_issues_is_no_project_itself(world: World) -> None:
    two_projects(world)
    world.tool.projects["PMO"] = {"name": "Project office", "lead": None}
    assert not [name for name in told(world, full=True) if "PMO" in name]
    world.rollups = "rollup"
    assert "project/acme/PMO" in told(world, full=True)


def test_a_write_whose_answer_got_lost_tells_the_tool_when_it_was_tried(world: World) -> None:
    two_projects(world)
    world.tool.lose = True
    world.run(full=True)
    first = world.now
    assert {one.tried_at for one in world.tool.writes} == {None}
    world.tool.lose = False
    world.tool.marks.clear()
    world.now += dt.timedelta(minutes=5)
    world.run()
    assert {one.tried_at for one in world.tool.writes if one.slot.name == "page"} == {first}
    assert page(world, TOP)


# --- stand-ins --------------------------------------------------------------------------------------------------------


def test_a_stand_in_is_written_only_where_its_slot_may_not_be(world: World) -> None:
    world.slots = "property, label, stand_in"
    world.tool.put("1", assignee=None)
    world.run(full=True)
    assert {slot.name for slot in world.tool.marks if slot.subject == "task"} == {"property", "label"}
    world.tool.marks.clear()
    world.tool.limited = {"label": "custom fields are not licensed"}
    world.rebuild()
    outcome = world.run(full=True)
    assert {slot.name for slot in world.tool.marks if slot.subject == "task"} == {"property", "stand_in"}
    assert not outcome.plan.left
    world.run(full=True)
    assert world.tool.writes == []


# --- two runs at once -------------------------------------------------------------------------------------------------


def test_what_another_run_wrote_meanwhile_is_not_written_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from pmosync.cycle import cycle, pushing

    two_projects(world)
    world.tool.put("1", assignee=None)
    plain = pushing.push_site

    def after_another(*args: Any, **more: Any) -> None:
        monkeypatch.setattr(pushing, "push_site", plain)
        cycle(world.store, world.setup(), lambda: world.now, write=True)
        world.tool.writes.clear()
        plain(*args, **more)

    monkeypatch.setattr(pushing, "push_site", after_another)
    outcome = world.run(full=True)
    assert world.tool.writes == []
    pushed = outcome.sites["acme"].pushed
    assert pushed is not None
    assert (pushed.done, pushed.moved) == (0, len(outcome.plan.changes))
