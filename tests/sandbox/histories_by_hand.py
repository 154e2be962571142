"""What happened to work in Jira: what is planted in the generated organisation, and what it breaks, by hand.

Asked once the histories of Jira are read. Day zero is today.

| standards | broken by a task in Jira that ... |
|---|---|
| FLW501 | is in progress, and nobody changed it for more than fourteen days |
| FLW503 | is blocked for more than seven days |
| FLW506 | is open, and was opened again twice |
| FLW507 | has not begun, and nobody changed it for more than 180 days |
| SCH208 | is open, and its date was moved three times |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.standards_by_hand import MAPPED

from pmosync.sandbox.jira import seed as jira_seed
from pmosync.sandbox.jira.tables import thing
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.plan import Task
from pmosync.sandbox.organisation.to_jira import STATUS, account
from pmosync.sandbox.state import State

STANDARDS = ("FLW501", "FLW503", "FLW506", "FLW507", "SCH208", "PRT905")
"""Those that find nothing where no history is read."""


@dataclass
class Histories:
    """Tasks by how often they were opened again, and by how often their date was moved."""

    opened: dict[int, int] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)


def plant(tasks: list[Task], unread: str) -> Histories:
    """Let some planned work lie still, and give some of what goes on a past; beside each what just is no fault."""
    made = Histories()
    here = [one for one in tasks if one.project.tool == "jira" and one.project.key not in (unread, "ARC")]
    planned = [one for one in here if one.status == "todo" and one.kind in ("task", "story") and not one.labels]
    for task, day in zip(planned, (-181, -200, -180), strict=False):
        task.created = task.updated = day
    stuck = [one for one in here if MAPPED[one.status] == "blocked" and one.created < -10]
    for task, day in zip(stuck[:2], (-8, -7), strict=True):
        task.updated = day
    going = [one for one in here if one.status == "in_progress" and one.updated > -30 and one.created < -41]
    made.opened = {id(task): times for task, times in zip(going, (1, 2, 3), strict=False)}
    made.moved = {id(task): times for task, times in zip(going[3:], (2, 3, 4), strict=False)}
    assert (len(made.opened), len(made.moved)) == (3, 3)
    return made


def write(state: State, made: Histories, keys: Mapping[int, str], days: Days) -> None:
    """Write these pasts, well before the last change of each task."""
    todo, done = (thing(state, "status", STATUS[name]) for name in ("todo", "done"))

    def past(number: int, day: int, name: str, before: Any, after: Any) -> None:
        jira_seed.add_history(state, keys[number], account(0), days.at(day), name, before, after, bump=False)

    for number, times in made.opened.items():
        for time in range(times):
            past(number, -40 + 2 * time, "status", todo, done)
            past(number, -39 + 2 * time, "status", done, todo)
    for number, times in made.moved.items():
        for time in range(times):
            past(number, -40 + time, "duedate", days.text(time), days.text(time + 1))


# --- by hand ----------------------------------------------------------------------------------------------------------


def broken(task: Task, made: Histories) -> Iterator[str]:
    """The ids of the standards that a task in Jira breaks."""
    status, changed = MAPPED[task.status], max(task.created, task.updated)
    if status == "in_progress" and changed < -14:
        yield "FLW501"
    if status == "blocked" and task.updated < -7:
        yield "FLW503"
    if made.opened.get(id(task), 0) >= 2:
        yield "FLW506"
    if status == "todo" and changed < -180 and "risk" not in task.labels:
        yield "FLW507"
    if made.moved.get(id(task), 0) > 2:
        yield "SCH208"
