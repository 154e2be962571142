"""A baseline is set by command, moves only by a gate or an approved change, and is one new file each time."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from tests.core.memory import Tool, World

from pmosync.config import load, load_register
from pmosync.contract import Duration
from pmosync.decisions.baselines import text

from .conftest import Ran, Run, write_config
from .test_json import documented, keys_of, prefixes

NOW = ("--now", "2026-11-20T12:00:00Z")
LATER = ("--now", "2026-11-25T12:00:00Z")
SET = ("baseline", "set", "p1", "--reason")
GATES = """\
gates:
  - {id: G1, title: Charter agreed, from: initiation, to: planning}
  - {id: G2, title: Plan approved, from: planning, to: execution}
"""
REGISTER = """\
projects:
  - id: one
    containers: [acme-jira/p1]
    changes: [{id: CR-7, approved_on: 2026-11-23, tasks: 1, effort_h: 8}]
"""


@pytest.fixture
def held(folder: Path) -> World:
    """A project of five tasks that was read once, and the configuration that names its store."""
    write_config(folder, "http://127.0.0.1:1", more="register: projects.yaml\n")
    (folder / "projects.yaml").write_text("projects: []\n")
    world = World(folder, Tool(name="acme-jira"))
    world.tool.projects["p1"]["status_on"] = dt.date(2027, 3, 31)
    world.mapping = world.mapping.replace("lead: lead}}", "lead: lead, due_on: status_on}}")
    for number in ("1", "2", "3"):
        world.tool.put(number, due=dt.date(2026, 12, 4), start=dt.date(2026, 12, 1))
    world.tool.put("4", type="Epic", due=None, estimate=None)
    world.tool.put("3", parent="4")
    world.tool.put("5", status="Dropped")
    world.tool.put("6", type="Risk")
    world.run(full=True)
    return world


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((folder / "decisions/baselines").glob("*"))}


def refused(ran: Ran, *parts: str) -> None:
    assert ran.code == 2, ran.out
    assert all(part in ran.err for part in parts), ran.err


def test_the_first_baseline_needs_a_reason_and_holds_the_planned_work_without_what_was_cancelled_or_is_a_record(
    held: World, folder: Path, run: Run
) -> None:
    ran = run(*SET, "approved by the board", "--as", "ana", *NOW)
    assert ran.code == 0, ran.err
    assert "4 tasks, 3 with a due date, 3 with an estimate; due 2027-03-31" in ran.out
    ((name, written),) = files(folder).items()
    assert name == "acme-jira-p1.2026-11-20.yaml"
    assert [line.split() for line in written.splitlines()[-5:]] == [
        ["site,key,id,type,work,leaf,start_on,due_on,estimate_h"],
        ["acme-jira,T-1,1,task,1,1,2026-12-01,2026-12-04,1.0"],
        ["acme-jira,T-2,2,task,1,1,2026-12-01,2026-12-04,1.0"],
        ["acme-jira,T-3,3,task,1,1,2026-12-01,2026-12-04,1.0"],
        ["acme-jira,T-4,4,epic,0,0,,,"],
    ]
    shown = run("baseline", "show", "p1", "--json").data
    (row,) = shown["baselines"]
    assert (row["by"], row["reason"], row["due_on"], row["tasks"]) == ("ana", "approved by the board", "2027-03-31", 4)
    refused(run("baseline", "set", "p1", "--reason", " ", *NOW), "--reason")


def test_it_is_set_again_only_by_a_gate_or_by_an_approved_change_that_has_moved_none_before(
    held: World, folder: Path, run: Run
) -> None:
    refused(run("baseline", "diff", "p1"), "acme-jira/p1 has no baseline yet", "pmosync baseline set")
    assert run(*SET, "first", *NOW).code == 0
    first = files(folder)
    held.tool.put("7", type="Change")
    held.tool.put("8", status="Done")
    held.run()
    refused(run(*SET, "again", *LATER), "moves only by a decision", "--change acme-jira/PAY-99", "--gate")
    refused(run(*SET, "again", "--change", "acme-jira/T-7", *LATER), "is no approved change", "decided in the tool")
    refused(run(*SET, "again", "--change", "acme-jira/T-8", *LATER), "is no approved change")
    refused(run(*SET, "again", "--change", "acme-jira/T-9", *LATER), "there is no task acme-jira/T-9")
    refused(run(*SET, "again", "--change", "CR-7", *LATER), "the register lists no change 'CR-7'")
    assert files(folder) == first, "nothing was written"
    held.tool.put("7", status="Done")
    held.run()
    assert run(*SET, "re-planned", "--change", "acme-jira/T-7", *LATER).code == 0
    refused(
        run(*SET, "once more", "--change", "acme-jira/T-7", *LATER), "moved a baseline already: acme-jira-p1.2026-11-25"
    )
    assert run(*SET, "passed", "--gate", "G2", *LATER).code == 0
    names = list(files(folder))
    assert names == ["acme-jira-p1.2026-11-20.yaml", "acme-jira-p1.2026-11-25.2.yaml", "acme-jira-p1.2026-11-25.yaml"]
    assert files(folder)[names[0]] == first[names[0]]
    rows = run("baseline", "show", "p1", "--json").data["baselines"]
    assert [(row["gate"], row["change"], row["replaces"]) for row in rows] == [
        (None, None, None), (None, "acme-jira/T-7", names[0]), ("G2", None, names[2]),
    ]  # fmt: skip
    told = run("baseline", "show", "p1").out
    assert "G2" in told
    assert f"the last one counts: decisions/baselines/{names[1]}" in " ".join(told.split()).replace(f"{folder}/", "")


@pytest.mark.slow
def test_a_gate_moves_it_once_and_only_when_it_is_approved_as_the_last_run_read_it(
    held: World, folder: Path, run: Run
) -> None:
    (folder / "pmosync.yaml").write_text((folder / "pmosync.yaml").read_text() + "gates: gates.yaml\n")
    (folder / "gates.yaml").write_text(GATES)

    def decided(decision: str, day: str) -> None:
        told = f"{{decision: {decision}, on: {day}}}" if decision else "{}"
        entry = f"{{id: one, containers: [acme-jira/p1], gates: {{G2: {told}}}}}"
        (folder / "projects.yaml").write_text(f"projects: [{entry}]")
        held.register = load_register(load(folder / "pmosync.yaml", os.environ))
        held.run()

    passed = ("baseline", "set", "one", "--reason", "passed", "--gate")
    decided("", "")
    refused(run(*passed, "G3", *NOW), "one has no gate 'G3'", "its gates are G1, G2")
    refused(run(*passed, "G2", *NOW), "G2 is not decided for one", "pmosync gates one")
    decided("changes_requested", "2026-11-19")
    refused(run(*passed, "G2", *NOW), "G2 is changes requested for one")
    assert not (folder / "decisions/baselines").exists()
    decided("approved", "2026-11-19")
    assert run(*passed, "G2", *NOW).code == 0
    refused(run(*passed, "G2", *LATER), "G2 moved the baseline already: one.2026-11-20.yaml", "decided anew")
    decided("approved", "2026-11-24")
    assert run(*passed, "G2", *LATER).code == 0


def test_a_change_that_only_the_register_holds_moves_it_and_the_project_keeps_its_baseline_by_what_it_holds(
    held: World, folder: Path, run: Run
) -> None:
    assert run(*SET, "first", *NOW).code == 0
    (folder / "projects.yaml").write_text(REGISTER)
    held.register = load_register(load(folder / "pmosync.yaml", os.environ))
    held.run()
    assert len(run("baseline", "show", "one", "--json").data["baselines"]) == 1
    refused(run("baseline", "set", "one", "--reason", "again", *LATER), "one has a baseline since 2026-11-20")
    assert run("baseline", "set", "one", "--reason", "again", "--change", "CR-7", *LATER).code == 0
    assert list(files(folder)) == ["acme-jira-p1.2026-11-20.yaml", "one.2026-11-25.yaml"]


def test_the_difference_is_told_task_by_task_and_an_edited_file_stops_the_next_baseline(
    held: World, folder: Path, run: Run
) -> None:
    assert run(*SET, "first", *NOW).code == 0
    held.tool.put("1", due=dt.date(2026, 12, 18), estimate=Duration(7200.0))
    held.tool.put("2", status="Dropped")
    held.tool.put("9", due=None)
    held.tool.projects["p1"]["status_on"] = dt.date(2027, 4, 30)
    held.run(full=True)
    told = run("baseline", "diff", "p1", "--json").data
    assert told["totals"] == [{"field": "due_on", "baseline": "2027-03-31", "now": "2027-04-30"}]
    by_task: dict[str, Any] = {one["task"]: (one["change"], one["fields"]) for one in told["tasks"]}
    assert {name: change for name, (change, _) in by_task.items()} == {
        "acme-jira/T-1": "changed", "acme-jira/T-2": "gone", "acme-jira/T-9": "added",
    }  # fmt: skip
    assert by_task["acme-jira/T-1"][1] == [
        {"field": "due_on", "baseline": "2026-12-04", "now": "2026-12-18"},
        {"field": "estimate_h", "baseline": 1.0, "now": 2.0},
    ]
    shown = " ".join(run("baseline", "diff", "p1", "--against", "acme-jira-p1.2026-11-20.yaml").out.split())
    assert "due_on 2026-12-04 → 2026-12-18" in shown
    refused(run("baseline", "diff", "p1", "--against", "acme-jira-p1.2026-11-21.yaml"), "did you mean")
    refused(run("baseline", "show", "acme-jira/p2"), "there is no project", "did you mean 'acme-jira/p1'?")
    (path,) = (folder / "decisions/baselines").glob("*")
    path.write_text(path.read_text().replace("2026-12-04,1.0", "2026-12-24,1.0", 1))
    line = path.read_text()[: path.read_text().index("checksum")].count("\n") + 1
    refused(run(*SET, "again", "--gate", "G3", *LATER), f"{path.name}:{line}:1", "was edited", "restore the file")


def test_a_project_that_was_not_read_as_a_whole_or_is_too_large_gets_no_baseline(
    held: World, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.tool.hidden = {"p1"}
    held.run()
    refused(run(*SET, "first", *NOW), "was not read as a whole", "pmosync reconcile")
    held.tool.hidden = set()
    held.run(full=True)
    monkeypatch.setattr("pmosync.decisions.baselines.folder.MOST_TASKS", 3)
    refused(run(*SET, "first", *NOW), "has 4 tasks, a baseline holds 3", "several projects")
    assert text.MOST_TASKS == 100_000
    assert files(folder) == {}


def test_the_documents_have_the_keys_that_are_described(held: World, folder: Path, run: Run) -> None:
    one = set(keys_of({"baselines": [run(*SET, "first", "--json", *NOW).data]}))
    (folder / "decisions/baselines/other.2026-11-20.yaml").write_text("")
    held.tool.projects["p1"]["status_on"] = None
    held.tool.put("1", due=None)
    held.run(full=True)
    for verb, seen in (
        ("baseline show", set(keys_of(run("baseline", "show", "p1", "--json").data))),
        ("baseline diff", set(keys_of(run("baseline", "diff", "p1", "--json").data))),
    ):
        expected = documented()[verb]
        assert seen - {part for key in expected for part in (key, *prefixes(key))} == set()
        assert expected - seen == set()
    assert one - {"baselines"} <= documented()["baseline set"]
