"""The five promises on an Asana where everything is switched on: all that can be read, and every slot there is."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.office import ASANA, PORTFOLIO, Forge, Office, Run, Saved, State, difference
from tests.acceptance.settled import (
    DAY_S,
    OWN_PORTFOLIO,
    Person,
    abandon,
    events,
    findings,
    forget_store,
    opened,
    owner_of,
)
from tests.acceptance.whole import (
    BOOKED,
    BRAND,
    BUDGET,
    GOALS,
    HQ,
    MOVED,
    PROMISED,
    REPORT,
    STANDARDS,
    comments,
    fine,
    last_changes,
    of_people,
    people_at_work,
    person,
    told,
    updates,
    whole,
)
from tests.conftest import Sandbox

pytestmark = pytest.mark.slow
QUIET = 1 + 2
"""A listing of the workspace, and what happened in each of two projects."""
HOUR_S = 3700


@dataclass(frozen=True)
class World:
    """An office that has settled, and what was there before it wrote anything."""

    saved: Saved
    before: State
    changed_at: dict[str, int]
    """When tasks were changed last, as it was read before anything was written."""


@pytest.fixture(scope="module")
def world(sandbox_process: tuple[Sandbox, int], forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Everything switched on, after a first run and the echo of it."""
    sandbox, beginning = sandbox_process
    sandbox.heal()
    sandbox.restore(beginning)
    people_at_work(sandbox)
    office = whole(tmp_path_factory.mktemp("whole") / "office", sandbox, forge)
    before = sandbox.state()
    first = office.run("reconcile")
    assert first.code == 0, first
    changed_at = last_changes(office)
    echo = office.run("sync")
    assert (echo.code, echo.writes) == (0, 0), echo
    return World(office.save(), before, changed_at)


@pytest.fixture
def office(world: World) -> Office:
    """The office as it has settled."""
    return world.saved.restore()


# --- settled ----------------------------------------------------------------------------------------------------------


def test_with_everything_on_a_lost_store_writes_nothing_and_a_quiet_run_asks_next_to_nothing(
    office: Office, world: World
) -> None:
    before, known = office.sandbox.state(), findings(office)
    assert len(comments(before)) == len(set(comments(before))) > 20
    assert {row["parent_kind"] for row in updates(before)} == {"project", "portfolio"}
    forget_store(office)
    rebuilt = office.run("sync")
    assert (rebuilt.code, rebuilt.writes) == (0, 0), rebuilt
    assert findings(office) == known
    assert last_changes(office) == world.changed_at, "no date was moved by what we wrote"
    quiet = office.run("plan", "--json")
    assert (quiet.code, quiet.writes, quiet.json["lines"]) == (0, 0, []), quiet
    assert quiet.requests["reads"] == QUIET, quiet.requests["by_endpoint"]
    assert difference(before, office.sandbox.state()) == []


def test_with_everything_on_no_later_run_writes_anything(office: Office, world: World) -> None:
    before = office.sandbox.state()
    for verb, wait_s in (("reconcile", 0), ("sync", 0), ("sync", HOUR_S), ("sync", 6 * HOUR_S), ("reconcile", 0)):
        office.sandbox.advance(wait_s)
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), f"{verb} after {wait_s} s: {run}"
        assert last_changes(office) == world.changed_at
    assert difference(before, office.sandbox.state()) == []


# --- never judge on partial data --------------------------------------------------------------------------------------


def refused(path: str, status: int = 400, **more: Any) -> dict[str, Any]:
    """A call that Asana refuses for once."""
    return {"kind": "status", "status": status, "match": {"tool": "asana", "path": path}, **more}


PROJECTS = f"project:{BRAND}", f"project:{HQ}"
FAULTS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "stories": (refused(r"/tasks/\d+/stories$"), ("comments", *PROJECTS)),
    "booked time": (refused(r"/time_tracking_entries$"), ("worklogs",)),
    "a plan without booked time": (refused(r"/time_tracking_entries$", 402), ("worklogs",)),
    "allocations": (refused("/allocations$"), ("allocations",)),
    "a plan without allocations": (refused("/allocations$", 402), ("allocations",)),
    "budgets": (refused("/budgets$"), PROJECTS),
    "goals": (refused("/goals$"), PROJECTS),
    "status updates": (refused("/status_updates$"), (*PROJECTS, "rollups")),
    "briefs": (refused(r"/project_briefs/\d+$"), PROJECTS),
    "the subtasks of a task": (refused("/tasks/PARENT/subtasks$", 504), PROJECTS[:1]),
    "streams of events": (refused("/events$"), PROJECTS),
    "one action of a batch": (refused("/tasks/PARENT/subtasks$", times=2), PROJECTS[:1]),
    "lists of tasks": ({"kind": "empty_page", "match": {"tool": "asana", "path": "/tasks$"}}, PROJECTS),
    "portfolios": (refused(r"/portfolios/\d+$", 403), ("rollups",)),
    "people": (refused("/users$", 403), ("people",)),
    "a right to budgets": (refused("/budgets$", 403), PROJECTS),
    "a right to goals": (refused("/goals$", 403), PROJECTS),
    "a right to status updates": (refused("/status_updates$", 404), PROJECTS),
}
"""What goes wrong, and what a reconcile then says that it did not observe."""
TRIED = (
    FAULTS
    if os.environ.get("EVERY_POINT")
    else ("stories", "budgets", "the subtasks of a task", "streams of events", "lists of tasks", "a right to goals")
)
"""Those that are tried one by one; all of them with EVERY_POINT=1."""
TOGETHER = ("booked time", "allocations", "people", "portfolios")


def unobserved(run: Run) -> set[str]:
    """The scopes that a run says it left as they were."""
    return set(run.json["sites"][ASANA]["pulled"]["unobserved"])


def of_ours(office: Office) -> dict[Any, Any]:
    """The findings of the standards that ask for what is read beside projects and tasks."""
    return {key: state for key, state in findings(office).items() if key[2] in STANDARDS}


def fail_and_heal(office: Office, faults: Sequence[dict[str, Any]], scopes: set[str]) -> None:
    """Somebody abandons a task, and a reconcile meets these faults; one without them makes all good."""
    given_up = fine(office)[0]
    abandon(office.sandbox, ASANA, given_up)
    known, before = findings(office), office.sandbox.state()
    own = of_ours(office)
    assert {standard for _, _, standard in own} == set(STANDARDS)
    parent = next(row["parent"] for row in before["asana_task"] if row["parent"] and in_brand(before, row["parent"]))
    office.sandbox.fault(*(json.loads(json.dumps(fault).replace("PARENT", parent)) for fault in faults))
    run = office.run("reconcile", "--json")
    assert run.code == 11, run
    assert unobserved(run) == scopes
    assert of_ours(office) == own
    if PROJECTS[0] in scopes:
        assert run.writes == 0, run
        assert findings(office) == known
        assert difference(before, office.sandbox.state()) == []
    else:
        assert set(comments(office.sandbox.state())) - set(comments(before)) == {given_up}
    office.sandbox.heal()
    healed = office.run("reconcile")
    assert healed.code == 0, healed
    now = findings(office)
    assert {key: now[key] for key in known} == known
    assert {item for _, item, _ in now.keys() - known.keys()} == {f"task {given_up}"}
    after = office.sandbox.state()
    assert comments(after) == sorted([*comments(before), given_up])
    assert difference(of_people(before), of_people(after)) == []


def in_brand(state: State, task: str) -> bool:
    """Whether a task was put into the first project itself."""
    return any((row["task"], row["project"]) == (task, BRAND) for row in state["asana_placement"])


@pytest.mark.parametrize("name", TRIED)
def test_what_cannot_be_read_changes_nothing_and_is_made_good_by_the_next_run(office: Office, name: str) -> None:
    fault, scopes = FAULTS[name]
    fail_and_heal(office, [fault], set(scopes))


def test_several_things_that_cannot_be_read_change_nothing_and_are_made_good(office: Office) -> None:
    faults = [FAULTS[name] for name in TOGETHER]
    fail_and_heal(office, [fault for fault, _ in faults], {one for _, scopes in faults for one in scopes})


@pytest.mark.timeout(300)
def test_definitions_of_our_fields_that_cannot_be_read_for_once_bring_no_tags(office: Office) -> None:
    before = office.sandbox.state()
    office.sandbox.fault(refused(r"/workspaces/\d+/custom_fields$", 503))
    run = office.run("reconcile")
    assert (run.code, run.writes) == (0, 0), run
    assert difference(before, office.sandbox.state()) == []


def test_a_batch_that_is_refused_whole_changes_nothing(office: Office) -> None:
    known, before = findings(office), office.sandbox.state()
    office.sandbox.fault(
        {"kind": "retry_after", "status": 429, "value": 600, "match": {"tool": "asana", "path": "/batch$"}}
    )
    for verb in ("sync", "reconcile"):
        run = office.run(verb)
        assert (run.code, run.writes) == (1, 0), run
        assert "asks us to wait" in run.text
    assert (findings(office), difference(before, office.sandbox.state())) == (known, [])
    office.sandbox.heal()
    healed = office.run("reconcile")
    assert (healed.code, healed.writes, findings(office)) == (0, 0, known), healed


# --- ours only --------------------------------------------------------------------------------------------------------


def test_what_people_wrote_stays_and_retract_leaves_no_trace(office: Office, world: World) -> None:
    settled = office.sandbox.state()
    assert difference(of_people(world.before), of_people(settled)) == []
    assert {row["parent"] for row in updates(settled)} == {BRAND, PORTFOLIO, OWN_PORTFOLIO}, "the other is grey"
    assert [row["status_type"] for row in updates(settled) if row["parent"] == BRAND] == ["on_track"], "the owner's"
    before = Counter(told(office.sandbox))
    assert before.keys() == {"comment", "status_update"}
    gone = office.run("retract", "--yes")
    assert gone.code == 0, gone
    assert difference(world.before, office.sandbox.state()) == []
    assert told(office.sandbox) == before, "nobody hears of what is taken away"


# --- every line says why ----------------------------------------------------------------------------------------------


def test_each_change_beside_projects_and_tasks_is_the_data_and_moves_one_finding(office: Office) -> None:
    office.sandbox.advance(HOUR_S)
    state = office.sandbox.state()
    booked, moved = fine(office)[:2]
    of_brand, of_move = lead(office.sandbox, BRAND), lead(office.sandbox, HQ)
    budget = one_of(state["asana_budget"], project=BRAND)
    of_brand.asana("PUT", f"budgets/{budget['gid']}", {"total": {"value": 2 * budget["total_time"]}})
    allocation = one_of(state["asana_allocation"], project=HQ)
    of_move.asana("PUT", f"allocations/{allocation['gid']}", {"end_date": allocation["start_on"]})
    owner_of(office.sandbox, booked).asana("POST", f"tasks/{booked}/time_tracking_entries", hours(office, 2))
    due = dt.date.fromisoformat(one_of(state["asana_task"], gid=moved)["due_on"])
    for days in (30, 31):
        owner_of(office.sandbox, moved).edit(ASANA, moved, due_on=(due + dt.timedelta(days=days)).isoformat())
    office.sandbox.control("POST", "asana", {"add_goal_relationship": another_goal(state)})
    news = {"parent": HQ, "status_type": "on_track", "title": "This week", "text": "The lorries are ordered."}
    of_move.asana("POST", "status_updates", news)
    first = events(office)
    run = office.run("sync")
    assert run.code == 0, run
    with opened(office) as store:
        found = store.execute(
            "SELECT coalesce(t.rid, c.rid), e.standard, e.now, e.causes FROM event e"
            " LEFT JOIN task t ON e.subject = 'task' AND t.id = e.subject_id"
            " LEFT JOIN container c ON e.subject = 'project' AND c.project_id = e.subject_id"
            " ORDER BY e.id LIMIT -1 OFFSET ?",
            (first,),
        ).fetchall()
    assert sorted(found) == sorted(
        [
            (BRAND, BUDGET, "resolved", "data"),
            (BRAND, GOALS, "resolved", "data"),
            (HQ, PROMISED, "resolved", "data"),
            (HQ, REPORT, "resolved", "data"),
            (booked, BOOKED, "new", "data"),
            (moved, MOVED, "new", "data"),
        ]
    )


def lead(sandbox: Sandbox, project: str) -> Person:
    """Whoever owns a project."""
    return person(sandbox, one_of(sandbox.state()["asana_project"], gid=project)["owner"])


def one_of(rows: list[dict[str, Any]], **wanted: str) -> dict[str, Any]:
    """The first row with these values."""
    return next(row for row in rows if wanted.items() <= row.items())


def hours(office: Office, number: int) -> dict[str, Any]:
    """Time booked today."""
    return {"duration_minutes": 60 * number, "entered_on": office.now()[:10]}


def another_goal(state: State) -> dict[str, str]:
    """What links the first project to a goal that it does not serve yet."""
    served = {row["goal"] for row in state["asana_goal_relationship"] if row["item"] == BRAND}
    goal = next(row["gid"] for row in state["asana_goal"] if row["gid"] not in served)
    return {"goal": goal, "item_kind": "project", "item": BRAND}


# --- updates rest -----------------------------------------------------------------------------------------------------


def test_an_update_is_sent_at_most_once_in_seven_days_in_the_colour_of_the_owner(office: Office) -> None:
    sent = updates(office.sandbox.state())
    heard = told(office.sandbox)["status_update"]
    for days, tasks in ((1, 41), (2, 78)):
        plan_tasks(office, tasks)
        office.sandbox.advance(days * DAY_S)
        run = office.run("sync")
        assert run.code == 0, run
        assert "rests until" in run.text
        assert updates(office.sandbox.state()) == sent
    assert told(office.sandbox)["status_update"] == heard
    plan_tasks(office, 41)
    office.sandbox.advance(4 * DAY_S)
    run = office.run("sync")
    assert run.code == 0, run
    new = [row for row in updates(office.sandbox.state()) if row not in sent]
    assert {row["parent"] for row in new} == {BRAND, PORTFOLIO, OWN_PORTFOLIO}
    assert {row["title"].rpartition(": ")[2] for row in new} == {"red"}
    assert {row["parent"]: row["status_type"] for row in new} == {
        BRAND: "on_track",
        PORTFOLIO: "off_track",
        OWN_PORTFOLIO: "off_track",
    }
    again = office.run("sync")
    assert (again.code, again.writes) == (0, 0), again


def plan_tasks(office: Office, number: int) -> None:
    """Another baseline for the first project: of half as many tasks its scope has grown until it is red."""
    office.write("projects.yaml", re.sub(r"tasks: \d+", f"tasks: {number}", office.read("projects.yaml")))
