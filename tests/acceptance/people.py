"""What the people of the organisation do in both tools during a week, day by day, and the same in every world.

Whom and what it concerns is chosen once, from the state that the week begins with, so that two worlds that began alike
can be lived through alike, whatever became of the marks in them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tests.acceptance.office import State
from tests.acceptance.settled import Person
from tests.conftest import Sandbox

ME = "712020:00000000-0000-4000-8000-000000000001"
MADE = "Order the cables of day"
LABELLED = "CRM"
"""The Jira project where the account may set labels."""
JIRA_PROJECTS = ("PLAT", LABELLED, "PAY")
PLACES = ("1202000000000001", "1202000000000003")
LASTING = 4
"""What is made on this day stays: made again and again, and deleted two days later, on all others."""
NOTE = "Can we talk about this one?"

Row = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """One call of a tool's API by a person.

    Args:
        path: `{...}` stands for the id of an item that is found by its name.
    """

    tool: str
    method: str
    path: str
    body: Any = None
    person: int = 1

    def apply(self, sandbox: Sandbox) -> None:
        """Make it in this world."""
        path = self.path
        if "{" in path:
            before, _, rest = path.partition("{")
            name, _, after = rest.partition("}")
            path = before + ids(sandbox.state())[self.tool][name] + after
        person = Person(sandbox, self.person)
        (person.jira if self.tool == "jira" else person.asana)(self.method, path, self.body)


def ids(state: State) -> dict[str, dict[str, str]]:
    """The ids of what was made during the week, and of our status issues, by name and tool."""
    found = {row["fields"]["summary"]: str(row["id"]) for row in state["jira_issue"] if row["fields"]["summary"]}
    keys = {str(row["id"]): row["key"] for row in state["jira_issue"]}
    told = {
        f"status of {row['value']['id']}": str(row["entity_id"])
        for row in state["jira_property"]
        if row["key"] == "pmosync.status" and str(row["entity_id"]) in keys
    }
    fields = {row["name"]: row["gid"] for row in state["asana_field"]}
    return {"jira": found | told, "asana": {row["name"]: row["gid"] for row in state["asana_task"]} | fields}


class People:
    """The people of an organisation whose marks stand.

    Args:
        state: what the week begins with.
        today: its first day.
    """

    def __init__(self, state: State, today: dt.date) -> None:
        self._today = today
        self._persons, self._admins = _persons(state), _admins(state)
        self._fields = {row["name"]: row["gid"] for row in state["asana_field"]}
        self._options = {row["name"]: row["gid"] for row in state["asana_option"] if row["field"] == self._fields[WORD]}
        flagged = {str(row["entity_id"]) for row in state["jira_property"] if row["key"] == "pmosync.compliance"}
        flagged |= {row["item"] for row in state["asana_value"] if row["field"] == self._fields[WORD]}
        issues = {key: _issues(state, key) for key in JIRA_PROJECTS}
        tasks = [row for gid in PLACES for row in _tasks(state, gid)]
        self._issues = {key: (str(one["id"]) for one in _sound(rows, flagged)) for key, rows in issues.items()}
        self._tasks = iter([(str(one["gid"]), self._person(one)) for one in _sound(tasks, flagged)])
        self._wrong_issues = iter([str(one["id"]) for one in issues["PAY"] if _is(one, flagged)])
        self._wrong_tasks = iter([(str(one["gid"]), self._person(one)) for one in tasks if _is(one, flagged)])
        self._marked = iter([str(one["id"]) for one in issues[LABELLED] if _is(one, flagged)])
        self._dropped: list[str] = []
        self._late: list[str] = []
        self._first_marked = ""

    def work(self, day: int) -> tuple[list[Edit], list[Edit]]:
        """What they do in the morning and in the afternoon of a day, counted from 1."""
        today = self._today + dt.timedelta(days=day - 1)
        past, soon, far = (str(today + dt.timedelta(days=days)) for days in (-40, 1, 30))
        morning, afternoon = [], []
        dropped, late, due, wavering = islice(self._issues[JIRA_PROJECTS[day % 3]], 4)
        morning += [_issue(dropped, assignee=None), _issue(due, duedate=soon), _issue(wavering, assignee=None)]
        morning += [_issue(one, assignee={"accountId": ME}) for one in self._dropped[-1:]]
        afternoon += [_issue(late, duedate=past), _issue(wavering, assignee={"accountId": ME})]
        afternoon += [_issue(one, duedate=far) for one in self._late[-1:] if day % 2]
        self._dropped, self._late = [*self._dropped, dropped], [*self._late, late]
        fields = {"project": {"key": LABELLED}, "issuetype": {"name": "Task"}, "summary": f"{MADE} {day}"}
        morning.append(Edit("jira", "POST", "issue", {"fields": {**fields, "duedate": past}}))
        if day % 2:
            afternoon.append(Edit("jira", "DELETE", f"issue/{next(self._wrong_issues)}", None, self._admins["PAY"]))
        more = [*self._asana_morning(day, past, soon), *self._marks(day)]
        if day > 2 and day - 2 != LASTING:
            afternoon += [Edit("jira", "DELETE", f"issue/{{{MADE} {day - 2}}}", None, self._admins[LABELLED])]
            afternoon += [Edit("asana", "DELETE", f"tasks/{{{MADE} {day - 2}}}")]
        return morning + more, afternoon + self._asana_afternoon(day, past)

    def _asana_morning(self, day: int, past: str, soon: str) -> Iterator[Edit]:
        (dropped, one), (due, two) = next(self._tasks), next(self._tasks)
        yield _task(dropped, one, assignee=None)
        yield _task(due, two, start_on=None, due_on=soon)
        data = {"name": f"{MADE} {day}", "projects": [PLACES[day % 2]], "due_on": past}
        yield Edit("asana", "POST", "tasks", data)

    def _asana_afternoon(self, day: int, past: str) -> list[Edit]:
        (late, one), (finished, two) = next(self._tasks), next(self._tasks)
        wrong = islice(self._wrong_tasks, int(day in (2, 6)))
        gone = [Edit("asana", "DELETE", f"tasks/{task}", None, person) for task, person in wrong]
        return [_task(late, one, start_on=None, due_on=past), _task(finished, two, completed=True), *gone]

    def _marks(self, day: int) -> list[Edit]:
        """Somebody edits what is ours."""
        issue = next(self._marked)
        word, reasons = self._fields[WORD], self._fields[REASONS]
        unlabelled = {"update": {"labels": [{"remove": f"pmo-{one}"} for one in ("high", "medium", "low", "critical")]}}
        match day:
            case 1:
                self._first_marked = issue
                return [Edit("jira", "PUT", f"issue/{issue}", unlabelled), self._field(word, None)]
            case 2:
                broken = Edit("jira", "PUT", f"issue/{issue}/properties/pmosync.compliance", {"worst": "none"})
                return [broken, self._field(reasons, "Nothing is wrong here")]
            case 3:
                link = Edit("jira", "DELETE", f"issue/{issue}/remotelink?globalId=pmosync.compliance")
                comment = Edit("jira", "POST", "issue/{status of project/J-CRM}/comment", {"body": _document(NOTE)})
                return [link, comment, self._field(word, self._options["Info"])]
            case 4:
                return [Edit("jira", "PUT", f"issue/{issue}", unlabelled), self._field(reasons, None)]
            case 5:
                again = Edit("jira", "PUT", f"issue/{self._first_marked}", unlabelled)
                page = {"fields": {"summary": "All is well"}}
                return [again, Edit("jira", "PUT", "issue/{status of portfolio/organisation}", page)]
            case 6:
                return [Edit("jira", "DELETE", "issue/{status of project/J-PLAT}", None, self._admins["PMO"])]
            case _:
                added = {"update": {"labels": [{"add": "pmo-info"}, {"add": "tower-b"}]}}
                return [Edit("jira", "PUT", f"issue/{issue}", added)]

    def _field(self, field: str, value: str | None) -> Edit:
        task, person = next(self._wrong_tasks)
        return Edit("asana", "PUT", f"tasks/{task}", {"custom_fields": {field: value}}, person)

    def _person(self, task: Row) -> int:
        return self._persons.get(task["assignee"], 1)


WORD, REASONS = "PMO compliance", "PMO reasons"


def _issue(item: str, **fields: Any) -> Edit:
    return Edit("jira", "PUT", f"issue/{item}", {"fields": fields})


def _task(item: str, person: int, **data: Any) -> Edit:
    return Edit("asana", "PUT", f"tasks/{item}", data, person)


def _document(text: str) -> Row:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def _persons(state: State) -> dict[str, int]:
    """The number of each person, by gid."""
    gids = sorted(row["gid"] for row in state["asana_user"] if not row["email"].startswith("pmo-bot"))
    return {gid: number for number, gid in enumerate(gids, 1)}


def _admins(state: State) -> dict[str, int]:
    """The number of somebody who administers a Jira project, by its key."""
    keys = {row["id"]: row["key"] for row in state["jira_project"]}
    rows = [row for row in state["jira_role"] if row["role"] == "admin" and int(row["account_id"][-12:])]
    return {keys[row["project_id"]]: int(row["account_id"][-12:]) for row in rows}


def _is(row: Row, flagged: set[str]) -> bool:
    return str(row.get("id", row.get("gid"))) in flagged


def _sound(rows: Sequence[Row], flagged: set[str]) -> list[Row]:
    """Open work with an owner that nothing is found about."""
    return [row for row in rows if not _is(row, flagged) and row["assignee"]]


def _issues(state: State, key: str) -> list[Row]:
    """Open tasks of a Jira project that stand alone."""
    parents = {row["parent_id"] for row in state["jira_issue"]}
    return sorted(
        (
            row
            for row in state["jira_issue"]
            if row["key"].startswith(f"{key}-")
            and row["id"] not in parents
            and row["fields"]["status"]["statusCategory"]["key"] != "done"
        ),
        key=lambda row: int(row["number"]),
    )


def _tasks(state: State, gid: str) -> list[Row]:
    """Open tasks of an Asana project that stand alone."""
    homes: dict[str, list[str]] = {}
    for row in state["asana_placement"]:
        homes.setdefault(row["task"], []).append(row["project"])
    parents = {row["parent"] for row in state["asana_task"]}
    rows = [
        row
        for row in state["asana_task"]
        if homes.get(row["gid"]) == [gid] and not row["completed"] and row["gid"] not in parents and row["due_on"]
    ]
    return sorted(rows, key=lambda row: str(row["gid"]))
