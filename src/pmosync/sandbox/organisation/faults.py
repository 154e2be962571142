"""Plants what goes wrong in real projects: one fault of every shipped standard, many times, in both tools.

Each function breaks one standard on one task and leaves the rest of it sound. What a tool cannot hold is not planted
there: Asana refuses a start after the due date and knows no resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pmosync.sandbox.organisation.plan import STARTED, Organisation, Task
from pmosync.sandbox.organisation.portfolio import INACTIVE, PROJECTS, ProjectPlan

WORK = ("task", "story", "bug")


def plant(organisation: Organisation, dice: Random) -> None:
    """Break each project as much as its plan says."""
    for project in PROJECTS:
        mine = [task for task in organisation.tasks if task.project is project]
        _park(project, mine, dice)
        _one_by_one(project, organisation.tasks, mine, dice)
    for key in ("CRM", "HQ"):
        _circle([t for t in organisation.tasks if t.project.key == key], organisation.tasks)
    _finished_too_early(organisation.tasks, dice)


def _park(project: ProjectPlan, mine: list[Task], dice: Random) -> None:
    """DAT108 and PRT906: a status that no mapping knows."""
    work = [t for t in mine if t.open and t.kind in WORK and t.created < -7]
    many = round(project.parked * len(mine)) if project.parked else int(project.key in ("CRM", "LOAN"))
    for task in dice.sample(work, min(many, len(work))):
        task.status = "parked"


def _one_by_one(project: ProjectPlan, everything: list[Task], mine: list[Task], dice: Random) -> None:
    waited_for = {id(before) for task in everything for before in task.waits_for}
    faults = [name for name in FAULTS if project.tool == "jira" or name not in ONLY_JIRA]
    dice.shuffle(faults)
    target = round(project.faults * sum(task.open for task in mine))
    broken: set[int] = set()
    turn = 0
    while len(broken) < target and turn < 20 * len(faults):
        fits, apply = FAULTS[faults[turn % len(faults)]]
        turn += 1
        left = [t for t in mine if id(t) not in broken and t.created < -9 and t.status != "parked" and fits(t)]
        left = [t for t in left if not (t.waits_for or id(t) in waited_for) or fits is _has_open_predecessor] or left
        if left:
            chosen = dice.choice(left)
            apply(chosen, dice)
            broken.add(id(chosen))


def _is_open(task: Task) -> bool:
    return task.open and task.kind in WORK and task.due is not None


def _is_todo(task: Task) -> bool:
    return _is_open(task) and task.status == "todo" and not any(before.open for before in task.waits_for)


def _is_started(task: Task) -> bool:
    return _is_open(task) and task.status in STARTED


def _needs_estimate(task: Task) -> bool:
    return _is_started(task) or (_is_open(task) and task.status == "todo" and (task.start or 99) <= 14)


def _has_open_predecessor(task: Task) -> bool:
    return _is_open(task) and task.status == "todo" and any(t.open and t.due for t in task.waits_for)


def _is_done(task: Task) -> bool:
    return task.status == "done" and task.kind in WORK


def _nobody(task: Task, dice: Random) -> None:
    task.assignee = None


def _somebody_gone(task: Task, dice: Random) -> None:
    task.assignee = dice.choice(INACTIVE)


def _no_date(task: Task, dice: Random) -> None:
    task.start = task.due = None


def _no_estimate(task: Task, dice: Random) -> None:
    task.estimate_h = None


def _late(task: Task, dice: Random) -> None:
    task.due = -dice.randint(6, 11)
    task.start, task.priority = task.due - 5, "Medium"


def _very_late(task: Task, dice: Random) -> None:
    task.due = -dice.randint(24, 40)
    task.start, task.priority = task.due - 5, "High"
    task.created = min(task.created, task.start - 10)


def _not_begun(task: Task, dice: Random) -> None:
    task.start, task.due = -dice.randint(6, 12), dice.randint(4, 12)


def _backwards(task: Task, dice: Random) -> None:
    task.due = dice.randint(5, 9)
    task.start = task.due + dice.randint(6, 12)


def _too_soon(task: Task, dice: Random) -> None:
    latest = max(before.due for before in task.waits_for if before.open and before.due is not None)
    task.start = min(latest, max(-1, latest - 2))
    task.due = max(task.due or 0, task.start + 1)


def _no_resolution(task: Task, dice: Random) -> None:
    task.resolution = None


Fault = tuple[Callable[[Task], bool], Callable[[Task, Random], None]]
FAULTS: dict[str, Fault] = {
    "DAT101": (_is_todo, _nobody),
    "DAT102": (_is_started, _nobody),
    "DAT103": (_is_open, _somebody_gone),
    "DAT104": (_is_open, _no_date),
    "DAT105": (_needs_estimate, _no_estimate),
    "SCH201": (_is_started, _late),
    "SCH202": (_is_started, _very_late),
    "SCH203": (_is_todo, _not_begun),
    "SCH204": (_is_todo, _backwards),
    "LOG308": (_has_open_predecessor, _too_soon),
    "FLW504": (_is_done, _no_resolution),
}
ONLY_JIRA = frozenset({"SCH204", "FLW504"})


def _circle(mine: list[Task], everything: list[Task]) -> None:
    """LOG310: three tasks that wait for each other."""
    tied = {id(t) for task in everything if task.waits_for for t in (task, *task.waits_for)}
    free = [t for t in mine if t.status == "todo" and t.kind in WORK and t.due and id(t) not in tied][:3]
    if len(free) < 3:
        free = [t for t in mine if t.status == "todo" and t.kind in WORK and t.due][:3]
    for before, after in zip(free, [*free[1:], free[0]], strict=True):
        if before not in after.waits_for:
            after.waits_for.append(before)


def _finished_too_early(tasks: list[Task], dice: Random) -> None:
    """FLW508: done, while something under it is not."""
    for tool, many in (("jira", 4), ("asana", 4)):
        children = [
            t for t in tasks
            if t.project.tool == tool and t.kind == "subtask" and t.parent and t.parent.status == "done"
            and t.parent.kind in WORK and not any(other.parent is t for other in tasks)
        ]  # fmt: skip
        for child in dice.sample(children, min(many, len(children))):
            child.status, child.done, child.resolution, child.updated = "in_progress", None, None, -3
            child.due = dice.randint(3, 12)
