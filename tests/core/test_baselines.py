"""Baselines over whole cycles: read from the decisions folder, found again by id, frozen where a file is not clear."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pmosync.decisions import read_baselines
from pmosync.decisions.baselines import Baseline, Planned, plan_of, write_baseline
from pmosync.register import Container, Gate, GateTold, Register, RegisteredProject
from pmosync.store.tables import project_baseline, task, task_baseline
from pmosync.workdays import day_number
from tests.core.memory import World

FRIDAY = dt.date(2026, 11, 20)


def planned(number: str, **values: Any) -> Planned:
    return Planned("acme", f"T-{number}", number, "task", True, True, **values)


def approved(world: World, *rows: Planned, **values: Any) -> Path:
    """Write a baseline of the first project, as the command does."""
    at = values.pop("at", world.now)
    project = values.pop("project", "acme/p1")
    before = read_baselines(world.folder).of(project)
    told: dict[str, Any] = {"by": "ana", "reason": "approved", "replaces": before[-1].name if before else ""}
    one = Baseline(project, (project,), set_at=at, set_on=at.date(), **told | values)
    return write_baseline(world.folder, one, rows).path


def freeze(world: World, name: str = "p1", **values: Any) -> Path:
    """Freeze the plan of a project as it is stored, as the command does."""
    with world.store.reading() as connection:
        plan = plan_of(connection, name)
    return approved(world, *plan.tasks, project=plan.project, **plan.totals | values)


def kept(world: World) -> dict[str, Any]:
    with world.store.reading() as connection:
        row = connection.execute(select(project_baseline)).first()
        return {} if row is None else row._asdict()


def lines(world: World) -> dict[str, tuple[Any, ...]]:
    """The lines of the baseline that found their task, by the task's key."""
    columns = [task_baseline.c[name] for name in ("start_on", "due_on", "estimate_h", "type", "work", "leaf")]
    rows = select(task.c.key, *columns).join(task_baseline, task_baseline.c.task_id == task.c.id)
    with world.store.reading() as connection:
        return {key: tuple(rest) for key, *rest in connection.execute(rows)}


def test_a_baseline_is_read_into_tables_once_and_its_tasks_are_found_by_id_or_by_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = Planned("acme", "T-101", "no such id", "task", True, False, estimate_h=8.0)
    approved(world, planned("100", due_on=FRIDAY, estimate_h=4.5), moved, planned("7"), due_on=FRIDAY, budget_h=40)
    world.run(full=True)
    assert lines(world) == {
        "T-100": (None, day_number(FRIDAY), 4.5, "task", 1, 1),
        "T-101": (None, None, 8, "task", 1, 0),
    }
    row = kept(world)
    assert (row["set_on"], row["first_set_on"], row["changed_on"]) == (day_number(FRIDAY), day_number(FRIDAY), None)
    assert (row["tasks"], row["leaves"], row["estimated"], row["effort_h"], row["budget_h"]) == (3, 2, 1, 4.5, 40)
    monkeypatch.setattr(Baseline, "rows", lambda one: pytest.fail("it was read already"))
    world.tool.put("7")
    world.run()
    assert set(lines(world)) == {"T-100", "T-101", "T-7"}, "it came back"
    world.tool.tasks.pop("100")
    world.run(full=True)
    assert set(lines(world)) == {"T-101", "T-7"}


def test_the_newest_baseline_counts_and_is_there_again_after_the_store_was_deleted(world: World) -> None:
    approved(world, planned("100", due_on=FRIDAY))
    world.run(full=True)
    approved(world, planned("101", due_on=FRIDAY), at=world.now + dt.timedelta(days=3), gate="G2")
    world.run()
    assert set(lines(world)) == {"T-101"}
    row = kept(world)
    days = tuple(row[name] - day_number(FRIDAY) for name in ("first_set_on", "set_on", "changed_on", "decided_on"))
    assert days == (0, 3, 3, 3)
    world.rebuild()
    world.run(full=True)
    assert kept(world) == row
    assert set(lines(world)) == {"T-101"}


@pytest.mark.slow
def test_a_gate_that_is_not_approved_any_more_stands_behind_no_baseline(world: World) -> None:
    gate = Gate("G2", "Plan approved", "planning", "execution")

    def decided(decision: str, gates: tuple[Gate, ...] = (gate,)) -> int | None:
        told = {"G2": GateTold(None, decision, FRIDAY)}
        entry = RegisteredProject("one", (Container("acme", "p1"),), gates=told)
        world.register = Register((entry,), repr((entry, gates)), gates=gates)
        world.run()
        return kept(world)["decided_on"]  # type: ignore[no-any-return]

    approved(world, planned("100"))
    approved(world, planned("100"), gate="G2")
    world.run(full=True)
    assert decided("approved") == day_number(FRIDAY)
    assert decided("rejected") is None
    assert decided("rejected", ()) == day_number(FRIDAY), "of a gate that is no longer there, what was true goes on"


def test_an_edited_file_is_told_with_its_line_and_leaves_what_was_known_as_it_was(world: World) -> None:
    path = approved(world, planned("100", due_on=FRIDAY))
    world.run(full=True)
    text = path.read_text()
    for edit, line, what in (
        (("2026-11-20,", "2026-12-24,"), 16, "the file was edited after it was written"),
        (("2026-11-20,", "20.11.2026,"), 19, "this line of a task cannot be read"),
        (('by: "ana"', 'bye: "ana"'), 7, "this line is not as pmosync wrote it"),
        (("rows: |", "rows:"), 1, "no baseline: the line 'rows: |' is missing"),
        (("budget_h: null", "budget_h: -1"), 13, "the value of budget_h cannot be read"),
    ):
        path.write_text(text.replace(*edit))
        read = read_baselines(world.folder)
        assert not read.all
        (one,) = read.unclear
        assert (one.error.where, one.error.what) == (f"{path}:{line}:1", what)
        assert "restore the file from version control" in one.error.hint
        world.run()
        assert kept(world)["observed"] == 0
        assert lines(world)["T-100"][1] == day_number(FRIDAY)
    path.write_text(text.replace("\n", "\r\n"))
    world.run()
    assert kept(world)["observed"] == 1, "the ends of lines are version control's"
