"""The promises of the core over a whole cycle: settled, partial, ours only, nothing lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from pmosync.contract import Person, Slot
from pmosync.cycle import apply, retract
from pmosync.errors import Misconfigured, PlanMoved, StoreTrouble, Unavailable
from pmosync.judge import masks
from pmosync.plan import Guard, load, save
from pmosync.standards import Standard
from pmosync.store import Store, write_meta
from pmosync.store.tables import blind, finding, task
from tests.core.memory import World


def findings(world: World) -> dict[tuple[int, str], str]:
    with world.store.reading() as connection:
        rows = connection.execute(select(finding.c.subject_id, finding.c.standard, finding.c.state))
        return {(number, standard): state for number, standard, state in rows}


def busy(world: World) -> None:
    world.tool.put("1", assignee=None)
    world.tool.put("2", due=dt.date(2026, 11, 2), status="Doing")
    world.tool.put("3", waits_for=("4",))
    world.tool.put("4", waits_for=("3",))
    world.tool.put("5", assignee=Person("bob"))


@pytest.mark.parametrize("full", [False, True])
def test_a_second_run_with_nothing_changed_writes_nothing(world: World, full: bool) -> None:
    busy(world)
    assert world.run(full=full).plan.changes
    for _ in range(2):
        world.run(full=full)
        assert world.tool.writes == []


def test_a_rebuilt_store_plans_nothing_and_keeps_the_since_days(world: World) -> None:
    busy(world)
    world.run(full=True)
    before = dict(world.tool.marks)
    world.now += dt.timedelta(days=3)
    world.run(full=True)
    world.rebuild()
    outcome = world.run(full=True)
    assert outcome.plan.changes == []
    assert {k: v for k, v in world.tool.marks.items() if k.subject == "task" and k.name == "property"} == {
        k: v for k, v in before.items() if k.subject == "task" and k.name == "property"
    }


def test_a_project_that_cannot_be_read_keeps_its_findings_and_marks(world: World) -> None:
    busy(world)
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    world.tool.put("9", project="p2", assignee=None)
    world.run(full=True)
    marks, before = dict(world.tool.marks), findings(world)
    world.tool.hidden.add("p2")
    world.now += dt.timedelta(days=30)
    outcome = world.run(full=True)
    assert outcome.sites["acme"].pulled is not None
    assert list(outcome.sites["acme"].pulled.unobserved) == ["project:p2"]
    label = Slot("task", "9", "label")
    assert world.tool.marks[label] == marks[label]
    kept = {key for key, state in before.items() if state != "resolved"}
    assert kept <= {key for key, state in findings(world).items() if state != "resolved"}


def test_a_site_that_is_down_changes_nothing_and_the_next_run_goes_on(world: World) -> None:
    busy(world)
    world.run(full=True)
    before = findings(world)
    world.tool.down = Unavailable("acme does not answer", 60)
    world.tool.put("1", assignee=Person("ana"))
    world.now += dt.timedelta(days=20)
    outcome = world.run()
    assert isinstance(outcome.sites["acme"].trouble, Unavailable)
    assert world.tool.writes == []
    assert {k: v for k, v in findings(world).items() if v != "resolved"}.keys() == before.keys()
    world.tool.down = None
    world.run()
    assert Slot("task", "1", "label") not in world.tool.marks


def test_a_predecessor_that_cannot_be_read_freezes_the_verdict_that_counts_it(world: World) -> None:
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    world.tool.put("8", project="p2", due=dt.date(2026, 12, 1))
    world.tool.put("1", waits_for=("8",), start=dt.date(2026, 11, 25), due=dt.date(2026, 12, 11))
    world.run(full=True)
    assert world.tool.marks[Slot("task", "1", "label")] == "high"
    world.tool.hidden.add("p2")
    world.tool.put("1", start=dt.date(2026, 12, 5))
    world.run()
    assert world.tool.marks[Slot("task", "1", "label")] == "high", "frozen: it was judged with p2's dates"
    world.tool.hidden.clear()
    world.run()
    assert Slot("task", "1", "label") not in world.tool.marks


def test_a_scope_that_loses_half_of_its_tasks_at_once_is_not_believed(world: World) -> None:
    busy(world)
    world.run(full=True)
    for number in list(world.tool.tasks)[:25]:
        del world.tool.tasks[number]
    outcome = world.run(full=True)
    assert outcome.sites["acme"].pulled is not None
    assert "vanished at once" in outcome.sites["acme"].pulled.unobserved["project:p1"]
    with world.store.reading() as connection:
        assert len(connection.execute(select(task.c.id)).all()) == 35


def test_receipts_that_got_lost_are_recognised_by_what_stands_there(world: World) -> None:
    busy(world)
    world.tool.lose = True
    outcome = world.run()
    assert outcome.sites["acme"].pushed is not None
    assert outcome.sites["acme"].pushed.unknown
    world.tool.lose = False
    world.run(full=True)
    assert world.tool.writes == []


def test_a_refused_write_is_reported_and_the_rest_is_done(world: World) -> None:
    busy(world)
    world.tool.refuses = "label"
    outcome = world.run()
    pushed = outcome.sites["acme"].pushed
    assert pushed is not None
    assert len(pushed.refused) == 4
    assert "the tool says no" in pushed.refused[0]
    assert pushed.done == 5


def test_a_slot_that_may_not_be_written_is_a_limitation_told_once(world: World) -> None:
    busy(world)
    world.tool.limited["label"] = "needs project admin"
    outcome = world.run(full=True)
    assert outcome.sites["acme"].notes == ["acme label (everywhere): needs project admin"]
    assert {line.slot for line in outcome.plan.changes} == {"property", "rollup"}
    assert world.run(full=True).sites["acme"].notes == []


def test_retract_leaves_the_tool_as_if_we_had_never_been_there(world: World) -> None:
    busy(world)
    world.run(full=True)
    del world.tool.tasks["1"]
    retract(world.store, world.setup(), lambda: world.now, write=True)
    assert world.tool.marks == {}


def test_a_supportive_profile_reports_and_flags_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(profile="supportive")
    busy(world)
    outcome = world.run()
    assert {line.slot for line in outcome.plan.changes} == {"rollup"}
    assert outcome.settled.new == 4


def test_a_changed_profile_takes_the_flags_away(world: World) -> None:
    busy(world)
    world.run()
    world.profile = "supportive"
    outcome = world.run()
    assert {(line.verb, line.causes) for line in outcome.plan.changes if line.subject == "task"} == {
        ("clear", "standard")
    }


def test_the_guard_refuses_a_plan_that_changes_too_much_and_says_how_to_approve(make_world: Any) -> None:
    world = make_world(guard=Guard(0.3, 1000))
    for number in range(30):
        world.tool.put(str(number), assignee=None)
    outcome = world.run()
    assert world.tool.writes == []
    assert "31 of 30" in str(outcome.refused) or "30 of 30" in str(outcome.refused)
    assert "--approve" in str(outcome.refused)


def test_a_saved_plan_is_applied_as_it_stands(world: World) -> None:
    busy(world)
    plan = world.run(write=False).plan
    assert world.tool.marks == {}
    path = world.folder / "plan.jsonl"
    save(plan, path)
    apply(world.store, world.setup(), load(path), lambda: world.now)
    assert world.tool.marks[Slot("task", "1", "label")] == "medium"
    world.run()
    assert world.tool.writes == []


def test_a_saved_plan_is_refused_when_a_slot_moved(world: World) -> None:
    busy(world)
    plan = world.run(write=False).plan
    world.tool.marks[Slot("task", "1", "label")] = "low"
    with pytest.raises(PlanMoved, match="T-1: the slot label"):
        apply(world.store, world.setup(), plan, lambda: world.now)
    assert world.tool.writes == []


def test_a_saved_plan_is_refused_when_a_standard_moved(world: World) -> None:
    busy(world)
    plan = world.run(write=False).plan
    world.replace_standard("SCH201", fix="Other words.")
    with pytest.raises(PlanMoved, match="another standards"):
        apply(world.store, world.setup(), plan, lambda: world.now)


def test_a_plan_that_was_edited_or_cut_off_is_refused(world: World) -> None:
    busy(world)
    path = world.folder / "plan.jsonl"
    save(world.run(write=False).plan, path)
    text = path.read_text()
    path.write_text(text.replace('"after":"medium"', '"after":"low"'))
    with pytest.raises(Misconfigured, match="changed or cut off"):
        load(path)
    path.write_text(text[: len(text) // 2])
    with pytest.raises(Misconfigured, match="no saved plan"):
        load(path)


def test_a_store_of_a_newer_version_is_refused(world: World) -> None:
    with world.store.begin() as connection:
        write_meta(connection, "schema", "99")
    with pytest.raises(StoreTrouble, match="newer pmosync"):
        Store(world.store.path)


def test_a_file_that_is_no_store_is_refused(world: World) -> None:
    path = world.folder / "other.db"
    path.write_text("this is not a database, and it is longer than a header would be" * 20)
    with pytest.raises(StoreTrouble, match="not a usable pmosync store"):
        Store(path)


def test_the_store_belongs_to_its_owner_alone(world: World) -> None:
    assert world.store.path.stat().st_mode & 0o777 == 0o600


def test_a_standard_that_the_database_cannot_run_is_switched_off_and_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(world)
    world.run()
    genuine = masks.fail_condition

    def broken(standard: Standard, columns: Any) -> Any:
        return func.no_such_function(1) == 1 if standard.id == "SCH201" else genuine(standard, columns)

    monkeypatch.setattr(masks, "fail_condition", broken)
    monkeypatch.setattr(masks, "_statement", masks._statement.__wrapped__)
    world.tool.put("1", assignee=Person("ana"))
    outcome = world.run(full=True)
    assert outcome.switched_off == {"SCH201": "no such function: no_such_function"}
    assert Slot("task", "1", "label") not in world.tool.marks, "the others go on"
    assert world.tool.marks[Slot("task", "2", "label")] == "high", "its own verdicts stay as they were"


def test_a_standard_that_can_never_fail_in_a_project_is_blind_there_and_not_passed(world: World) -> None:
    for number in world.tool.tasks:
        del world.tool.tasks[number]["due"]
    world.run()
    with world.store.reading() as connection:
        found = {row.standard: row.fields for row in connection.execute(select(blind))}
    assert found["SCH201"] == "due_on, workdays_late"
    assert found["SCH202"] == "workdays_late"
    assert "DAT101" not in found


def test_a_project_that_the_mapping_names_no_longer_leaves_the_scope_and_its_flags_go(world: World) -> None:
    busy(world)
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    world.tool.put("9", project="p2", assignee=None)
    world.run(full=True)
    world.mapping = world.mapping.replace("scope: {{}}", "scope: {{projects: [p1]}}")
    world.tool.listed = {"p1"}
    outcome = world.run(full=True)
    label = next(line for line in outcome.plan.changes if line.rid == "9" and line.slot == "label")
    assert (label.verb, label.causes) == ("clear", "left the scope")
    assert outcome.sites["acme"].pulled is not None
    assert outcome.sites["acme"].pulled.unobserved == {}


def test_a_project_that_the_site_lists_no_longer_is_unobserved_and_not_gone(world: World) -> None:
    busy(world)
    world.tool.projects["p2"] = {"name": "Two", "lead": Person("ana")}
    world.tool.put("9", project="p2", assignee=None)
    world.run(full=True)
    world.tool.listed = {"p1"}
    outcome = world.run(full=True)
    assert outcome.sites["acme"].pulled is not None
    assert "access may be lost" in outcome.sites["acme"].pulled.unobserved["project:p2"]
    assert world.tool.marks[Slot("task", "9", "label")] == "medium"


def test_a_site_that_cannot_be_asked_for_the_names_of_its_mapping_is_left_as_it_was(world: World) -> None:
    busy(world)
    world.run(full=True)
    before, marks = findings(world), dict(world.tool.marks)
    (world.folder / "acme.lock.yaml").unlink()
    world.tool.down = Unavailable("acme does not answer")
    outcome = world.run()
    assert isinstance(outcome.sites["acme"].trouble, Unavailable)
    assert {key for key, state in findings(world).items() if state != "resolved"} == before.keys()
    world.tool.down = None
    outcome = world.run()
    assert (outcome.settled.new, outcome.settled.resolved, world.tool.writes) == (0, 0, [])
    assert world.tool.marks == marks
