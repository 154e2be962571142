"""Somebody else's values stay: people edit before, during and after our runs, and whole states are compared.

The measure is a world in which the same people did the same and pmosync was never there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.office import ASANA, JIRA, Forge, Office, Run, State, difference
from tests.acceptance.settled import (
    FEW_ASANA,
    LABELS,
    Person,
    as_told,
    events,
    findings,
    flagged,
    furnished,
    spotless,
    without_ours,
)
from tests.conftest import Sandbox

pytestmark = pytest.mark.slow

Settled = Callable[..., Office]
STORY_POINTS = "customfield_10016"


@dataclass(frozen=True)
class Items:
    """Issues and tasks that people work on; some are flagged."""

    issues: list[str]
    tasks: list[str]


def items_of(office: Office) -> Items:
    """Flagged and spotless ones of both tools."""
    issues = [*flagged(office, JIRA)[:3], *spotless(office, JIRA)[:2]]
    reachable = _in_public_projects(office.sandbox.state())
    tasks = [one for one in [*flagged(office, ASANA), *spotless(office, ASANA)] if one in reachable]
    return Items(issues, [*tasks[:3], *tasks[-2:]])


def _in_public_projects(state: State) -> set[str]:
    private = {row["gid"] for row in state["asana_project"] if row["privacy"] == "private"}
    return {row["task"] for row in state["asana_placement"] if row["project"] not in private}


def edit(sandbox: Sandbox, items: Items, round_: int) -> None:
    """People set and change everything that is theirs, beside our slots and with names like ours."""
    person = Person(sandbox)
    for n, issue in enumerate(items.issues):
        _edit_issue(person, issue, f"{round_}.{n}")
    one, other = items.issues[-2:]
    if round_ == 0:
        kind = {"name": "Relates"}
        person.jira("POST", "issueLink", {"type": kind, "inwardIssue": {"id": one}, "outwardIssue": {"id": other}})
        person.jira("PUT", "project/CRM/properties/team.board", {"columns": 4})
    state = sandbox.state()
    for n, task in enumerate(items.tasks):
        _edit_task(state, person, task, f"{round_}.{n}")
    before, after = items.tasks[-2:]
    verb = ("addDependencies", "removeDependencies")[round_ % 2]
    person.asana("POST", f"tasks/{after}/{verb}", {"dependencies": [before]})


def _edit_issue(person: Person, issue: str, mark: str) -> None:
    labels = [{"add": f"team-{mark}"}, {"add": "pmo-board"}, {"add": "pmo-highlight"}]
    person.jira("PUT", f"issue/{issue}", {"update": {"labels": labels}})
    person.jira("PUT", f"issue/{issue}", {"fields": {"summary": f"Said better {mark}", STORY_POINTS: 5}})
    person.jira("PUT", f"issue/{issue}/properties/team.notes", {"round": mark})
    person.jira("PUT", f"issue/{issue}/properties/pmo", {"by": "the PMO itself", "round": mark})
    target = {"url": "https://wiki.example/page", "title": f"PMO: our notes {mark}"}
    person.jira("POST", f"issue/{issue}/remotelink", {"globalId": "wiki", "object": target})
    text = {"type": "text", "text": f"Looked at it {mark}"}
    body = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}
    person.jira("POST", f"issue/{issue}/comment", {"body": body})


def _edit_task(state: State, person: Person, task: str, mark: str) -> None:
    fields = {row["name"]: row["gid"] for row in state["asana_field"]}
    options = [row["gid"] for row in state["asana_option"] if row["field"] == fields["Priority"]]
    values = {fields["Priority"]: sorted(options)[len(mark) % 3], fields["Estimated time"]: 90}
    person.asana("PUT", f"tasks/{task}", {"name": f"Said better {mark}", "custom_fields": values})
    person.asana("POST", f"tasks/{task}/addTag", {"tag": state["asana_tag"][0]["gid"]})
    person.asana("POST", f"tasks/{task}/stories", {"text": f"Looked at it {mark}"})


def during(office: Office, act: Callable[[], None], *line: str) -> Run:
    """Run a command, and act when it has pulled everything and is writing: its first write to Jira hangs meanwhile."""
    office.sandbox.forget_requests()  # what people wrote until now is not the run's
    office.sandbox.fault({"kind": "hang", "match": {"tool": "jira", "write": True}, "seconds": 5, "times": 1})
    done: list[Run] = []
    running = threading.Thread(target=lambda: done.append(office.run(*line)))
    running.start()
    while running.is_alive() and office.sandbox.requests()["writes"] == 0:
        time.sleep(0.01)
    act()
    assert running.is_alive(), "the run was over before the people were"
    running.join(timeout=60)
    office.sandbox.heal()
    return done[0]


@pytest.fixture
def office(sandbox: Sandbox, forge: Forge, tmp_path: Path) -> Office:
    """An office that was never run, on an untouched sandbox."""
    return furnished(tmp_path / "mine", sandbox, forge)


@pytest.fixture
def items(settled: Settled, sandbox: Sandbox) -> Items:
    """What people will work on, chosen in another world; the sandbox is untouched again."""
    beginning = sandbox.snapshot()
    chosen = items_of(settled())
    sandbox.restore(beginning)
    return chosen


def undisturbed(sandbox: Sandbox, acts: Callable[[], None]) -> tuple[State, list[Mapping[str, Any]]]:
    """The world and its mail if only people act; then everything is as it was."""
    beginning = sandbox.snapshot()
    acts()
    state, mail = sandbox.state(), sandbox.mail()
    sandbox.restore(beginning)
    return state, _told(mail)


def _told(mail: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [{name: one[name] for name in ("tool", "recipient", "about", "why")} for one in mail]


@pytest.mark.slow
def test_what_people_do_before_and_during_a_run_stays(office: Office, items: Items) -> None:
    sandbox = office.sandbox

    def both() -> None:
        edit(sandbox, items, 0)
        edit(sandbox, items, 1)

    wanted, mail = undisturbed(sandbox, both)
    edit(sandbox, items, 0)
    run = during(office, lambda: edit(sandbox, items, 1), "sync")
    assert run.code == 0, str(run)
    assert run.writes > len(items.issues)
    assert difference(without_ours(sandbox.state()), wanted) == []
    assert _told(sandbox.mail()) == mail, "nobody was mailed but by people"
    _settles(office)
    assert difference(without_ours(sandbox.state()), wanted) == []
    retracted = office.run("retract", "--yes")
    assert retracted.code == 0, retracted
    assert difference(sandbox.state(), wanted) == []
    assert _told(sandbox.mail()) == mail


def _settles(office: Office) -> None:
    """What people did during the run is judged in the next one; then nothing moves any more."""
    assert office.run("sync").code == 0
    told, known = events(office), findings(office)
    for verb in ("reconcile", "sync"):
        run = office.run(verb)
        assert run.code == 0, str(run)
        assert (events(office), findings(office)) == (told, known), f"{verb} changed a verdict"
    assert run.writes == 0


def test_what_people_put_into_our_places_goes_with_us(office: Office, items: Items) -> None:
    sandbox, person = office.sandbox, Person(office.sandbox)
    before = sandbox.state()
    assert office.run("sync").code == 0
    for issue in items.issues:
        person.jira("PUT", f"issue/{issue}", {"update": {"labels": [{"add": "pmo-low"}]}})
        person.jira("PUT", f"issue/{issue}/properties/pmosync.compliance", {"mine": True})
    fields = {row["name"]: row["gid"] for row in sandbox.state()["asana_field"]}
    for task in items.tasks:
        person.asana("PUT", f"tasks/{task}", {"custom_fields": {fields["PMO reasons"]: "Nothing is wrong here"}})
    assert office.run("retract", "--yes").code == 0
    assert difference(sandbox.state(), before) == []


# --- retract ----------------------------------------------------------------------------------------------------------


def leave(sandbox: Sandbox, items: Items) -> None:
    """A task leaves its projects: then only its people see it."""
    task = items.tasks[0]
    for row in sandbox.state()["asana_placement"]:
        if row["task"] == task:
            Person(sandbox).asana("POST", f"tasks/{task}/removeProject", {"project": row["project"]})


@pytest.mark.slow
def test_retract_reaches_what_left_the_scope(office: Office, items: Items) -> None:
    sandbox = office.sandbox
    wanted, _ = undisturbed(sandbox, lambda: leave(sandbox, items))
    assert office.run("sync").code == 0
    leave(sandbox, items)
    office.edit(f"mappings/{JIRA}.yaml", '"PLAT", "CRM"]', '"PLAT"]')
    office.edit(f"mappings/{ASANA}.yaml", f'"{FEW_ASANA[0]}", ', "")
    run = office.run("retract", "--yes")
    assert run.code == 11, "the account may not see the task any more, and that is told"
    assert "You do not have access to this task" in run.text
    assert difference(sandbox.state(), wanted) == []
    again = office.run("retract", "--yes")
    assert (again.code, again.writes) == (0, 0), str(again)


@pytest.mark.slow
def test_retract_reaches_what_was_written_before_the_store_was_lost(settled: Settled, sandbox: Sandbox) -> None:
    before = sandbox.state()
    office = settled()
    for path in office.folder.glob("pmosync.db*"):
        path.rename(path.with_name(f"lost-{path.name}"))
    run = office.run("retract", "--yes")
    assert run.code == 0, str(run)
    assert difference(sandbox.state(), before) == []


def test_retract_without_yes_writes_nothing_and_tells_what_it_would(settled: Settled) -> None:
    office = settled()
    state = office.sandbox.state()
    run = office.run("retract", "--json")
    assert (run.code, run.writes) == (0, 0), run
    marks = sum(len(LABELS & set(row["fields"]["labels"] or ())) for row in state["jira_issue"])
    told = {row["slot"]: row["changes"] for row in run.json["plan"]["by_kind"]}
    assert told["label"] == marks
    assert office.sandbox.state() == state


@pytest.mark.slow
def test_after_a_retraction_the_next_run_begins_anew(settled: Settled) -> None:
    office = settled()
    state = office.sandbox.state()
    assert office.run("retract", "--yes").code == 0
    assert office.run("reconcile").code == 0
    assert _by_name(as_told(office.sandbox.state())) == _by_name(as_told(state))


def _by_name(state: State) -> State:
    """A state with the gids of our fields and options replaced by their names: those are new every time."""
    fields = {row["gid"]: row["name"] for row in state["asana_field"]}
    options = {f'"{row["gid"]}"': row["name"] for row in state["asana_option"]}
    rest = {name: [dict(row) for row in rows] for name, rows in state.items() if name != "asana_setting"}
    for row in rest["asana_value"]:
        row["field"], row["value"] = fields[row["field"]], options.get(str(row["value"]), row["value"])
    rest["asana_field"] = [row | {"gid": ""} for row in rest["asana_field"]]
    rest["asana_option"] = [row | {"gid": "", "field": fields[row["field"]]} for row in rest["asana_option"]]
    return {name: sorted(rows, key=str) for name, rows in rest.items()}
