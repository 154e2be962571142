"""Plans and baselines in the generated organisation: what is planted there, and what it breaks, by hand.

Written down from the guidance of each standard. Day zero is today.

| standards | broken by a project in its planning or execution, and ... |
|---|---|
| SCH211 | has a time ahead of more than six weeks without a milestone, up to its end where that is known |
| LOG301 | has more than one in twenty open pieces of work that wait for nothing, or that nothing waits for |
| RES404 | has an open piece of work of a day or longer that is nobody's |
| LOG302 | has work that is planned to begin while something that it waits for goes on |
| LOG303 | leaves working days free behind more than one in twenty of its links |
| LOG304 | has more than one in ten links by which work begins together, where the tool tells such links |
| LOG305 | holds the dates of more than one in twenty of its open pieces of work by hand, where a label tells it |

The archive migration is in its execution and has two baselines of the same two tasks, the second without any decision.
One of the tasks, of 100 hours, was finished in time long ago; the other, of 400 hours, is late by two months. Far more
was booked on the project than the hundred hours, and hundreds of hours are left by the estimates of its open work.

| standards | broken by the archive migration, which ... |
|---|---|
| SCH209 | (the late task) is later than was approved |
| LOG312, LOG315 | has finished one of two that were due |
| EVM701, EVM703, EVM704 | costs more than it earns, will cost more than was approved, and counts on doing far better |
| EVM702, EVM706 | is behind its plan, and has earned nothing for more than 45 days |
| PRT905 | was touched by nobody for 31 days; asked of Jira alone, where the histories are read afterwards |
| RSK806, RSK807 | has grown by all its other work, and has another baseline that nobody decided about |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from pmosync.sandbox.jira import seed as jira_seed
from pmosync.sandbox.organisation.plan import Task
from pmosync.sandbox.organisation.portfolio import ProjectPlan
from pmosync.sandbox.state import State

KEY = "ARC"
FIXED = "fixed-date"
MAPPING = f"""  date_constraint:
    - {{field: labels, values: {{fixed: [{FIXED}]}}}}
    - {{default: none}}
"""
LINKS = "\n  start_to_start: {type: Relates}\n"
"""What the shipped mapping of Jira leaves to those whose site has such labels and links."""
PLANNED = {"finished": (-80, -50, 100.0), "late": (-80, -60, 400.0)}
"""First day, last day and hours of the two tasks in the baseline."""
SET = (-82, -40)
SILENT = -31
"""The days of the two baselines."""
Works = Callable[[int], bool]
"""Whether anybody works on a day, counted from the day of the clock."""


@dataclass
class Plans:
    """What stands in the baseline, and what is linked otherwise than by what waits."""

    finished: Task | None = None
    late: Task | None = None
    together: list[tuple[Task, Task]] = field(default_factory=list)


def plant(tasks: list[Task]) -> Plans:
    """Choose the tasks of the baseline and estimate the work of its project. In others put milestones off, hold dates,
    and let work begin together."""

    def here(task: Task) -> bool:
        alone = not any(other.parent is task for other in tasks)
        return task.project.key == KEY and task.kind in ("task", "story") and bool(task.estimate_h) and alone

    made = Plans()
    made.finished = next(one for one in tasks if here(one) and one.status == "done" and -75 < (one.done or 0) < -50)
    made.late = next(one for one in tasks if here(one) and one.status == "todo" and (one.due or -99) > -50)
    for task in tasks:
        if task.project.key == KEY and task.open and task.kind in ("task", "story") and task.estimate_h is None:
            task.estimate_h = 8.0
    for task in tasks:
        if task.project.key == KEY:
            task.created, task.updated = min(task.created, SILENT), min(task.updated, SILENT)
    for key in ("PLAT", "HQ"):
        last = max((one for one in tasks if one.project.key == key and milestone(one)), key=lambda one: one.due or 0)
        last.due = (last.due or 0) + 60
    for key, held in (("PLAT", 5), ("PAY", 1)):
        for task in [one for one in tasks if one.project.key == key and piece(one, tasks)][:held]:
            task.labels = (*task.labels, FIXED)
    going = [one for one in tasks if one.project.key == "PLAT" and piece(one, tasks)]
    made.together = list(zip(going[:8], going[8:16], strict=True))
    return made


def write(state: State, made: Plans, keys: Mapping[int, str]) -> None:
    """Link in Jira what is to begin together."""
    for one, other in made.together:
        jira_seed.add_link(state, "Relates", keys[id(one)], keys[id(other)])


def baselined(made: Plans) -> dict[str, Task]:
    """The two tasks of the baseline, by what they are called above."""
    assert made.finished is not None
    assert made.late is not None
    return {"finished": made.finished, "late": made.late}


# --- by hand ----------------------------------------------------------------------------------------------------------


def milestone(task: Task) -> bool:
    """Whether it is a milestone that is still to come."""
    return task.kind == "milestone" and task.open and task.due is not None and task.due > 0


def piece(task: Task, tasks: list[Task]) -> bool:
    """An open piece of work in Jira: no epic, no milestone, no request, and nothing below it but steps."""
    parts = [other for other in tasks if other.parent is task and other.kind != "subtask"]
    return task.open and task.kind in ("task", "story") and not task.labels and not parts


def task_findings(made: Plans) -> Iterator[tuple[int, str]]:
    """The identity of the late task, with what it breaks."""
    yield id(baselined(made)["late"]), "SCH209"


def broken(
    project: ProjectPlan,
    phase: str,
    inside: list[Task],
    end: int | None,
    made: Plans,
    works: Works,
    read: Callable[[Task], bool],
    everything: list[Task],
    is_piece: Callable[[Task], bool],
) -> Iterator[str]:
    """The ids of the standards that a project breaks."""
    if project.key == KEY:
        yield from ("LOG312", "LOG315", "EVM701", "EVM702", "EVM703", "EVM704", "EVM706", "RSK806", "RSK807")
    if phase not in ("planning", "execution"):
        return
    if project.tool == "jira" and max(max(one.created, one.updated) for one in inside) < -30:
        yield "PRT905"
    going = [one for one in inside if one.open]
    ahead = sorted({one.due or 0 for one in going if milestone(one)})
    stops = [0, *ahead, *([end] if end is not None and end > (ahead or [0])[-1] else [])]
    unseen = not any(one.kind == "milestone" for one in going) and len(stops) == 1
    if unseen or any(later - earlier > 42 for earlier, later in pairwise(stops)):
        yield "SCH211"
    yield from _links(going, works, read)
    yield from _pieces([one for one in going if is_piece(one)], made, everything, works)
    if project.tool == "asana":
        return
    together = sum(other in going and one.open for one, other in made.together)
    if together > 0.1 * (together + sum(len([b for b in one.waits_for if b.open and read(b)]) for one in going)):
        yield "LOG304"
    held = [FIXED in one.labels for one in going if one.kind in ("task", "story") and _alone(one, inside)]
    if sum(held) > 0.05 * len(held):
        yield "LOG305"


def _alone(task: Task, inside: list[Task]) -> bool:
    record = {"risk", "issue", "change"} & set(task.labels)
    return not record and not any(other.parent is task and other.kind != "subtask" for other in inside)


def _pieces(pieces: list[Task], made: Plans, everything: list[Task], works: Works) -> Iterator[str]:
    before = {id(one): list(one.waits_for) for one in everything}
    for one, other in made.together:
        before[id(other)].append(one)
    alive = {id(one) for one in everything if one.status != "cancelled"}
    first = {id(one) for one in everything if not any(id(other) in alive for other in before[id(one)])}
    waited_for = {id(other) for one in everything if id(one) in alive for other in before[id(one)]}
    loose = sum(id(one) in first or id(one) not in waited_for for one in pieces)
    if loose > 0.05 * len(pieces):
        yield "LOG301"
    dated = [one for one in pieces if one.start is not None and one.due is not None]
    days = (one for one in dated if any(works(day) for day in range(one.start or 0, (one.due or 0) + 1)))
    if any(one.assignee is None for one in days):
        yield "RES404"


def _links(going: list[Task], works: Works, read: Callable[[Task], bool]) -> Iterator[str]:
    dated = leads = lags = 0
    for task in going:
        waits = [before for before in task.waits_for if before.open and read(before)]
        dues = [before.due for before in waits if before.due is not None]
        if task.start is None or not dues:
            continue
        dated += len(dues)
        leads += sum(task.start <= due for due in dues)
        lags += len(dues) == len(waits) and any(works(day) for day in range(max(dues) + 1, task.start))
    if leads:
        yield "LOG302"
    if lags > 0.05 * dated:
        yield "LOG303"
