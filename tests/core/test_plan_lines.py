"""What a line of a plan tells: whose slot, of what item, since which event, and in which order lines stand."""

from __future__ import annotations

import datetime as dt

import pytest

from pmosync.contract import Person, Slot
from pmosync.cycle import retract
from tests.core.memory import World


def test_where_nothing_is_to_be_done_nothing_is_told(world: World) -> None:
    plan = world.run(full=True).plan
    (line,) = plan.changes
    assert (line.site, line.subject, line.rid, line.key, line.project) == ("acme", "project", "p1", "p1", "p1")
    assert (line.slot, line.verb, line.before, line.title, line.note) == ("rollup", "write", None, "One", "")
    assert line.event_id == 0, "no finding has changed yet: the first that does has to be told"
    assert plan.left == []
    assert plan.subjects == {"acme": 30}
    assert world.run(full=True).plan.left == []


def test_a_task_is_told_by_its_key_its_title_and_its_project(world: World) -> None:
    world.tool.put("1", assignee=None)
    plan = world.run().plan
    told = [(line.rid, line.key, line.title, line.project, line.slot) for line in plan.changes if line.rid == "1"]
    assert told == [("1", "T-1", "Deliver part 1", "p1", "label"), ("1", "T-1", "Deliver part 1", "p1", "property")]
    assert all(line.event_id > 0 for line in plan.changes if line.rid == "1")


def test_tasks_stand_before_projects_and_each_by_its_number_and_slot(world: World) -> None:
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    for number, project in (("9", "p1"), ("1", "p2"), ("5", "p1")):
        world.tool.put(number, project=project, assignee=None)
    plan = world.run(full=True).plan
    assert [(line.rid, line.slot) for line in plan.changes] == [
        *((number, slot) for number in "159" for slot in ("label", "property")),
        ("p1", "rollup"),
        ("p2", "rollup"),
    ]


def test_a_slot_that_may_not_be_written_is_left_with_the_reason(world: World) -> None:
    world.tool.limited["label"] = "needs project admin"
    world.tool.put("1", assignee=None)
    plan = world.run(full=True).plan
    assert [(line.rid, line.slot, line.verb, line.note) for line in plan.left] == [
        ("1", "label", "", "needs project admin")
    ]


def test_retract_clears_every_mark_and_names_itself_as_the_cause(world: World) -> None:
    world.tool.put("1", assignee=None)
    world.run(full=True)
    plan = retract(world.store, world.setup(), lambda: world.now, write=False).plan
    assert {(line.rid, line.slot, line.verb, line.after, line.causes) for line in plan.changes} == {
        ("1", "label", "clear", None, "retract"),
        ("1", "property", "clear", None, "retract"),
        ("p1", "rollup", "clear", None, "retract"),
    }
    assert world.tool.marks, "it was only planned"


@pytest.mark.parametrize(("days", "verb"), [(6, ""), (7, "write")])
def test_a_dispute_lasts_seven_days_from_the_last_contest(world: World, days: int, verb: str) -> None:
    label = Slot("task", "1", "label")
    world.tool.put("1", assignee=None, due=dt.date(2027, 6, 1))
    world.run()
    for _ in range(2):
        world.tool.marks.pop(label, None)
        world.run(full=True)
    world.now += dt.timedelta(days=days)
    plan = world.run(full=True).plan
    assert [line.verb for line in [*plan.changes, *plan.left] if line.slot == "label"] == [verb]


def test_a_rollup_names_all_of_its_causes_and_those_that_stood_still_are_not_among_them(world: World) -> None:
    world.run(full=True)
    world.tool.put("1")
    world.now += dt.timedelta(days=1)
    assert [line.causes for line in world.run(full=True).plan.changes] == ["time, data"]
    world.tool.put("2")
    assert [line.causes for line in world.run(full=True).plan.changes] == ["data"]
    world.tool.put("3", assignee=None)
    world.replace_standard("SCH201", fix="Do it now.")
    rollup = next(line for line in world.run(full=True).plan.changes if line.slot == "rollup")
    assert rollup.causes == "standard, data"
