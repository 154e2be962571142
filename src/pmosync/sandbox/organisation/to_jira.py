"""Writes the generated organisation's Jira projects into the sandbox's Jira site.

Accounts sign in as `<e-mail>:<token>`: the bot with `sandbox-jira-token`, the nth person with `person-<n>`.
"""

from __future__ import annotations

from itertools import pairwise

from pmosync.sandbox.jira import seed
from pmosync.sandbox.jira.tables import thing
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.people import BOT_EMAIL, BOT_NAME, email
from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.organisation.portfolio import INACTIVE, PEOPLE, PROJECTS
from pmosync.sandbox.organisation.releases import Releases, release
from pmosync.sandbox.state import State

BOT = "712020:00000000-0000-4000-8000-000000000000"
START_DATE, STORY_POINTS = "customfield_10015", "customfield_10016"
STATUS = {
    "todo": "To Do",
    "in_progress": "In Progress",
    "in_review": "In Review",
    "on_hold": "On Hold",
    "vendor": "Waiting for Vendor",
    "parked": "Parked",
    "done": "Done",
    "cancelled": "Won't Do",
}
TYPE = {
    "epic": "Epic",
    "story": "Story",
    "task": "Task",
    "bug": "Bug",
    "milestone": "Milestone",
    "subtask": "Sub-task",
}
OFFICE_KEY, OFFICE_NAME, OFFICE_LEAD = "PMO", "Project office", 7
"""The project office's own project, where status issues may live: nothing is planned in it."""
POINTS = {4: 1, 6: 2, 8: 2, 12: 3, 16: 5, 20: 5, 24: 8}


def account(person: int) -> str:
    return f"712020:00000000-0000-4000-8000-{person + 1:012d}"


def write_jira(state: State, organisation: Organisation, days: Days) -> None:
    _accounts(state)
    seed.add_field(state, START_DATE, "Start date", {"type": "date"})
    seed.add_field(state, STORY_POINTS, "Story point estimate", {"type": "number"})
    for project in PROJECTS:
        if project.tool == "jira":
            lead = account(organisation.leads[project.key])
            seed.add_project(state, project.key, project.name, lead, style=project.style, category=project.program)
            seed.set_role(state, project.key, BOT, "admin" if project.bot_admin else "member")
    seed.add_project(state, OFFICE_KEY, OFFICE_NAME, account(OFFICE_LEAD), types=["Task"])
    seed.set_role(state, OFFICE_KEY, BOT, "admin")
    releases = release(state, days)
    keys: dict[int, str] = {}
    mine = [task for task in organisation.tasks if task.project.tool == "jira"]
    for n, task in enumerate(mine):
        keys[id(task)] = _issue(state, task, keys, days, n, releases)
    for task in mine:
        for before in task.waits_for:
            seed.add_link(state, "Blocks", keys[id(before)], keys[id(task)])
    for task in mine[::9]:
        seed.add_watcher(state, keys[id(task)], account(organisation.leads[task.project.key]))


def _accounts(state: State) -> None:
    seed.add_user(state, BOT, BOT_NAME, BOT_EMAIL)
    seed.add_token(state, BOT, "sandbox-jira-token")
    for n, name in enumerate(PEOPLE):
        seed.add_user(state, account(n), name, email(name), active=n not in INACTIVE, admin=n == 0)
        seed.add_token(state, account(n), f"person-{n + 1}")


def _issue(state: State, task: Task, keys: dict[int, str], days: Days, n: int, releases: Releases) -> str:
    hours = task.estimate_h
    done = task.status in ("done", "cancelled")
    spent = hours * (0.9 if done else 0.4) if hours and task.status not in ("todo", "parked") else None
    points = POINTS.get(int(hours or 0)) if task.kind == "story" else None
    key = seed.add_issue(
        state,
        task.project.key,
        TYPE[task.kind],
        task.title,
        status=STATUS[task.status],
        assignee=None if task.assignee is None else account(task.assignee),
        reporter=account(task.reporter),
        priority=task.priority,
        due_on=days.on(task.due),
        start_on=days.on(task.start),
        estimate_s=None if hours is None else int(hours * 3600),
        spent_s=None if spent is None else int(spent) * 3600 or None,
        parent_key=keys[id(task.parent)] if task.parent else None,
        labels=task.labels,
        resolution=task.resolution,
        resolved_at=days.at(task.done, n) if task.done is not None and task.resolution else None,
        created_at=days.at(task.created, n),
        updated_at=days.at(task.updated, n),
        fields=({STORY_POINTS: float(points)} if points else {}) | releases.fields(task),
    )
    _past(state, task, key, days, n)
    if spent and task.assignee is not None:
        at = days.at(task.updated, n)
        seed.add_worklog(state, key, account(task.assignee), int(spent) * 3600, started_at=at, counted=False)
    return key


def _past(state: State, task: Task, key: str, days: Days, n: int) -> None:
    """Why the issue is not as it was entered: each update of an issue has a line in its history."""
    who = account(task.reporter if task.assignee is None else task.assignee)
    if task.status == "todo":
        if task.updated > task.created:
            seed.add_history(
                state, key, who, days.at(task.updated, n), "summary", f"Draft: {task.title}", task.title, bump=False
            )
        return
    steps = [STATUS["todo"], STATUS[task.status]]
    at = [days.at(task.updated, n)]
    if task.status == "done" and task.start is not None and task.created <= task.start < task.updated:
        steps.insert(1, STATUS["in_progress"])
        at.insert(0, days.at(task.start, n))
    documents = [thing(state, "status", name) for name in steps]
    for (before, after), moved_at in zip(pairwise(documents), at, strict=True):
        seed.add_history(state, key, who, moved_at, "status", before, after, bump=False)
