"""The standards of the pack `starter`, worked out by hand on the generated organisation, independently of the product.

A task's day numbers are compared with day zero; what a tool cannot hold is not asked of its tasks.
"""

from __future__ import annotations

from collections.abc import Iterator

from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.organisation.portfolio import INACTIVE, PROJECTS
from pmosync.sandbox.organisation.to_asana import REPORTED

OPEN = ("todo", "in_progress", "in_review", "on_hold", "vendor")
MAPPED = {
    "todo": "todo",
    "in_progress": "in_progress",
    "in_review": "in_progress",
    "on_hold": "blocked",
    "vendor": "blocked",
    "done": "done",
    "cancelled": "cancelled",
    "parked": None,
}
KIND = {"story": "task", "bug": "task", "approval": "task"}


def broken(task: Task, everything: list[Task]) -> Iterator[str]:
    """The ids of the standards that a task breaks."""
    if task.kind == "separator":
        return
    status, kind = MAPPED[task.status], KIND.get(task.kind, task.kind)
    if status is None:
        yield "DAT108"
        return
    is_open = status not in ("done", "cancelled")
    waits = [before for before in task.waits_for if MAPPED[before.status] not in ("done", "cancelled")]
    if is_open and task.assignee is None and task.created < -3:
        yield "DAT101"
    if status in ("in_progress", "blocked") and task.assignee is None:
        yield "DAT102"
    if is_open and task.assignee in INACTIVE:
        yield "DAT103"
    if is_open and kind in ("epic", "task", "milestone") and task.due is None and task.created < -7:
        yield "DAT104"
    soon = task.start is not None and task.start <= 14
    if (
        kind in ("task", "subtask")
        and task.estimate_h is None
        and (status == "in_progress" or (status == "todo" and soon))
    ):
        yield "DAT105"
    if is_open and task.due is not None and task.due < 0:
        yield "SCH201"
        if task.due < -20 and task.priority == "High":
            yield "SCH202"
    if status == "todo" and task.start is not None and task.start < -3:
        yield "SCH203"
    if task.start is not None and task.due is not None and task.start > task.due:
        yield "SCH204"
    dues = [before.due for before in task.waits_for if before.due is not None]
    if is_open and waits and dues and task.start is not None and task.start <= max(dues):
        yield "LOG308"
    if in_circle(task):
        yield "LOG310"
    if status == "done" and task.project.tool == "jira" and task.resolution is None:
        yield "FLW504"
    if status == "done" and any(t.parent is task and t.open and t.kind != "separator" for t in everything):
        yield "FLW508"


def in_circle(task: Task) -> bool:
    seen: set[int] = set()
    line = list(task.waits_for)
    while line:
        before = line.pop()
        if before is task:
            return True
        if id(before) not in seen:
            seen.add(id(before))
            line += before.waits_for
    return False


def findings(organisation: Organisation) -> list[tuple[Task, list[str]]]:
    return [(task, list(broken(task, organisation.tasks))) for task in organisation.tasks]


def project_findings(organisation: Organisation) -> list[tuple[str, str]]:
    found = [(project.key, "GOV603") for project in PROJECTS if not project.has_owner]
    found += [
        (project.key, "GOV605") for project in PROJECTS if project.tool == "asana" and project.key not in REPORTED
    ]
    for project in PROJECTS:
        mine = [task for task in organisation.tasks if task.project is project]
        if sum(task.status == "parked" for task in mine) > 0.05 * len(mine):
            found.append((project.key, "PRT906"))
    return found
