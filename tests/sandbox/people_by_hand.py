"""What is asked of people and portfolios, planted in the generated organisation and worked out by hand there.

One person, in both tools, is away from the day of the clock on, has no working hours, was trained until the day before,
and has six things in progress: more than five. So every week and month into which the plan puts work of theirs is too
much, and their planned tasks miss their owner for the part of them that is still to come. The reporting warehouse is a
portfolio of its own, whose planned work was all called critical.

| standards | broken by |
|---|---|
| RES402 | somebody with more than five pieces of work in progress |
| PRT907 | somebody whose training has ended |
| RES401, RES403 | a week, a month of a role, with more work than its hours; of the role, more than nine tenths |
| RES408 | a task whose owner is away for half of its working days, or more |
| PRT904 | a portfolio in which more than a fifth of the open work comes first |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from tests.sandbox.standards_by_hand import MAPPED

from pmosync.sandbox.organisation.people import email
from pmosync.sandbox.organisation.plan import Task
from pmosync.sandbox.organisation.portfolio import INACTIVE, PEOPLE
from pmosync.sandbox.organisation.to_jira import account

AWAY = 18
WAREHOUSE = "DWH"
PORTFOLIO = "warehouse"
ROLE = "developer"
Works = Callable[[int], bool]
"""Whether anybody works on a day, counted from the day of the clock."""


def people(jira: str, as_of: Any) -> str:
    """The people file."""
    assert AWAY not in INACTIVE
    return f"""
- email: {email(PEOPLE[AWAY])}
  accounts: {{{jira}: "{account(AWAY)}"}}
  works_as: {ROLE}
  hours_per_week: 0
  absences: [{{from: {as_of}, to: {as_of.year}-12-31}}]
  training_valid_until: {as_of - timedelta(days=1)}
- {{email: pmo@acme.example, role: director}}
"""


def plant(tasks: list[Task], unread: str) -> None:
    """Give the person six things to do at once, and call what is planned in the warehouse critical."""
    begun = [
        task
        for task in tasks
        if task.project.key != unread
        and MAPPED[task.status] == "in_progress"
        and task.kind in ("task", "story")
        and not any(other.parent is task for other in tasks)
    ]
    for task in begun[:6]:
        task.assignee = AWAY
    for task in tasks:
        if task.project.key == WAREHOUSE and task.status == "todo":
            task.priority = "Highest"


def task_findings(read: list[Task], works: Works) -> Iterator[tuple[int, str]]:
    """Tasks whose owner is away for half of their days or more."""
    for task in read:
        closed = MAPPED[task.status] in (None, "done", "cancelled")
        if task.assignee != AWAY or closed or task.start is None or task.due is None:
            continue
        planned = [day for day in range(task.start, task.due + 1) if works(day)]
        if planned and 2 * sum(day >= 0 for day in planned) >= len(planned):
            yield id(task), "RES408"


def other_findings(
    read: list[Task], kind: Callable[[Task], str], spent: dict[int, float], works: Works, as_of: Any
) -> Iterator[tuple[str, str]]:
    """Whom or what it is about, as the store calls it, and the standard."""
    mail, name = email(PEOPLE[AWAY]), PEOPLE[AWAY]
    begun: dict[int, int] = {}
    for task in pieces(read, kind):
        if task.assignee is not None and MAPPED[task.status] == "in_progress":
            begun[task.assignee] = begun.get(task.assignee, 0) + 1
    for person, number in begun.items():
        if number > 5:
            yield f"person {email(PEOPLE[person])}", "RES402"
    yield f"person {mail}", "PRT907"
    busy = {day for task in pieces(read, kind) if task.assignee == AWAY for day in days_left(task, spent, works)}
    for week in {day // 7 for day in busy if day < 12 * 7}:
        yield f"person_week {name}, week of {as_of + timedelta(days=7 * week)}", "RES401"
    months = {(as_of + timedelta(days=day)).replace(day=1) for day in busy}
    for month in months:
        if month.year == as_of.year and month.month < as_of.month + 4:
            yield f"role_month {ROLE}, {month:%Y-%m}", "RES403"
    ranked = [task for task in read if task.project.key == WAREHOUSE and task.open]
    if sum(task.priority == "Highest" for task in ranked) > 0.2 * len(ranked):
        yield f"portfolio {PORTFOLIO}", "PRT904"


def pieces(read: list[Task], kind: Callable[[Task], str]) -> list[Task]:
    """Open work that is no milestone, no request (bugs are, here) and no summary."""
    above = {id(task.parent) for task in read if task.parent is not None}
    return [
        task for task in read
        if MAPPED[task.status] not in ("done", "cancelled") and kind(task) not in ("milestone", "request")
        and id(task) not in above
    ]  # fmt: skip


def days_left(task: Task, spent: dict[int, float], works: Works) -> list[int]:
    """The days on which what is left of it is to be done; of work in progress two fifths are done, of none all."""
    if not task.estimate_h or task.due is None or spent.get(id(task), 0) >= task.estimate_h:
        return []
    first, last = (0, 6) if task.due < 0 else (min(max(task.start or 0, 0), task.due), task.due)
    return [day for day in range(first, last + 1) if works(day)] or [last]
