"""What happens between two runs: people work in both tools, so that flags have to be raised, changed and cleared.

Also reads the marks out of the servers' whole state, by item and by project.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.acceptance.office import Office, State
from tests.conftest import Sandbox

PROJECTS = {"jira": ("CRM", "PLAT"), "asana": ("1202000000000001", "1202000000000002")}
ADMINISTERED = "CRM"
"""The Jira project where the bot's token may do everything."""
HOME = """\
projects:
  - {id: brand, containers: [acme-asana/1202000000000001], home: {acme-asana: "1201000000000001"}}
"""
REGISTER = f"""\
{HOME}  - {{id: move, containers: [acme-asana/1202000000000002], home: {{acme-asana: "1201000000000001"}}}}
"""
LONG_LIST = 101
"""Enough for a second page in either tool."""

Row = dict[str, Any]
Mark = tuple[str, str, str]
"""Project, item, slot."""


def settled(make: Callable[..., Office], **scope: Sequence[str]) -> Office:
    """An office of these projects, else all four, whose marks stand, and that has nothing more to say."""
    office = make(**{**PROJECTS, **scope}, register=HOME if scope else REGISTER)
    for _ in range(2):
        run = office.run("reconcile")
        assert run.code == 0, run
    assert run.writes == 0, run
    return office


def lengthen(sandbox: Sandbox) -> None:
    """Tasks that are done, so that a project's list does not fit one page."""
    gid = PROJECTS["asana"][0]
    for number in range(LONG_LIST):
        data = {"name": f"Sign off page {number}", "projects": [gid], "completed": True}
        sandbox.asana("POST", "tasks", {"data": data}, token="person-1")


def work(sandbox: Sandbox, jira: Sequence[str] = PROJECTS["jira"], asana: Sequence[str] = PROJECTS["asana"]) -> None:
    """One day's work of people in these projects."""
    state = sandbox.state()
    flags = marks(state)
    late = _days_ago(sandbox, 40)
    for key in jira:
        _work_in_jira(sandbox, key, state, flags, late)
    for gid in asana:
        _work_in_asana(sandbox, gid, state, flags, late)


def _work_in_jira(sandbox: Sandbox, key: str, state: State, flags: Mapping[Mark, Any], late: str) -> None:
    flagged = {item for _, item, slot in flags if slot == "property"}
    mine = _open_issues(state, key)
    healthy = [row["key"] for row in mine if str(row["id"]) not in flagged]
    unowned = [row["key"] for row in mine if str(row["id"]) in flagged and not row["assignee"]]
    faulty = [row["key"] for row in mine if str(row["id"]) in flagged and row["assignee"]]
    _edit_issue(sandbox, healthy[0], assignee=None)
    _edit_issue(sandbox, healthy[1], duedate=late)
    _edit_issue(sandbox, healthy[2], assignee=None, duedate=late)
    for one in faulty[:1]:
        _edit_issue(sandbox, one, assignee=None)
    for one in unowned[:2]:
        _edit_issue(sandbox, one, assignee={"accountId": "712020:00000000-0000-4000-8000-000000000001"})
    if key == ADMINISTERED:
        sandbox.jira("DELETE", f"issue/{faulty[1]}", deleteSubtasks="true")
    fields = {"project": {"key": key}, "issuetype": {"name": "Task"}, "summary": "Order the cables", "duedate": late}
    sandbox.jira("POST", "issue", {"fields": fields}, token="person-1")


def _work_in_asana(sandbox: Sandbox, gid: str, state: State, flags: Mapping[Mark, Any], late: str) -> None:
    flagged = {item for _, item, slot in flags if slot == "PMO compliance"}
    mine = _open_tasks(state, gid)
    healthy = [row["gid"] for row in mine if row["gid"] not in flagged and row["assignee"]]
    unowned = [row["gid"] for row in mine if row["gid"] in flagged and not row["assignee"]]
    faulty = [row["gid"] for row in mine if row["gid"] in flagged and row["assignee"]]
    _edit_task(sandbox, healthy[0], assignee=None)
    _edit_task(sandbox, healthy[1], start_on=None, due_on=late)
    _edit_task(sandbox, healthy[2], assignee=None, start_on=None, due_on=late)
    for one in faulty[:1]:
        _edit_task(sandbox, one, assignee=None)
    for one in unowned[:2]:
        _edit_task(sandbox, one, assignee="me")
    for one in faulty[1:2]:
        sandbox.asana("DELETE", f"tasks/{one}", token="person-1")
    data = {"name": "Order the cables", "projects": [gid], "due_on": late}
    sandbox.asana("POST", "tasks", {"data": data}, token="person-1")


def touch(sandbox: Sandbox) -> None:
    """Somebody puts a label on many issues, so that what changed does not fit one page."""
    state = sandbox.state()
    keys = [row["key"] for project in PROJECTS["jira"] for row in _issues(state, project)]
    for key in keys[:LONG_LIST]:
        sandbox.jira("PUT", f"issue/{key}", {"update": {"labels": [{"add": "tower-b"}]}}, token="person-1")


def _edit_issue(sandbox: Sandbox, key: str, **fields: Any) -> None:
    sandbox.jira("PUT", f"issue/{key}", {"fields": fields}, token="person-1")


def _edit_task(sandbox: Sandbox, gid: str, **data: Any) -> None:
    sandbox.asana("PUT", f"tasks/{gid}", {"data": data}, token="person-1")


def _days_ago(sandbox: Sandbox, days: int) -> str:
    now = dt.datetime.fromisoformat(sandbox.control("POST", "clock", {"advance_s": 0})["now"])
    return (now.date() - dt.timedelta(days=days)).isoformat()


def _issues(state: State, key: str) -> list[Row]:
    return sorted(
        (row for row in state["jira_issue"] if row["key"].startswith(f"{key}-")), key=lambda row: row["number"]
    )


def _open_issues(state: State, key: str) -> list[Row]:
    return [
        row
        for row in _issues(state, key)
        if row["fields"]["status"]["statusCategory"]["key"] != "done"
        and row["fields"]["issuetype"]["name"] == "Task"
        and row["due"]
    ]


def _open_tasks(state: State, gid: str) -> list[Row]:
    inside = {row["task"] for row in state["asana_placement"] if row["project"] == gid}
    rows = [row for row in state["asana_task"] if row["gid"] in inside and not row["completed"] and row["due_on"]]
    return sorted(rows, key=lambda row: str(row["gid"]))


# --- marks ------------------------------------------------------------------------------------------------------------


def marks(state: State) -> dict[Mark, Any]:
    """Everything of ours that stands on items and projects."""
    return dict([*_jira_marks(state), *_asana_marks(state)])


def _jira_marks(state: State) -> Iterator[tuple[Mark, Any]]:
    keys = {row["id"]: row["key"] for row in state["jira_project"]}
    homes = {row["id"]: keys[row["project_id"]] for row in state["jira_issue"]}
    for row in state["jira_property"]:
        if row["key"].startswith("pmosync."):
            home = keys[row["entity_id"]] if row["entity"] == "project" else homes.get(row["entity_id"], "")
            slot = "property" if row["entity"] == "issue" else "rollup"
            yield (home, str(row["entity_id"]), slot), row["value"]
    for row in state["jira_issue"]:
        for label in row["fields"]["labels"]:
            if label.startswith("pmo-"):
                yield (homes[row["id"]], str(row["id"]), "label"), label


def _asana_marks(state: State) -> Iterator[tuple[Mark, Any]]:
    ours = {row["gid"]: row["name"] for row in state["asana_field"] if row["name"].startswith("PMO ")}
    homes: dict[str, str] = {}
    for row in state["asana_placement"]:
        # What is in two projects can be read through either, and belongs to neither alone.
        homes[row["task"]] = "several" if row["task"] in homes else row["project"]
    projects = {row["gid"] for row in state["asana_project"]}
    for row in state["asana_value"]:
        if row["field"] in ours:
            home = row["item"] if row["item"] in projects else homes.get(row["item"], "")
            yield (home, row["item"], ours[row["field"]]), row["value"]
