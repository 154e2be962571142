"""Flow and the records of a PMO in the generated organisation: what is planted there, and what it breaks, by hand.

Written down from the guidance of each standard before there was a predicate. Day zero is today.

| standards | broken by a task that is open, as far as its status can be read, and ... |
|---|---|
| DAT107 | (a deliverable or a piece of work) is in progress with a description of fewer than forty characters |
| SCH206 | (or not) was finished before it was started |
| SCH216 | stands in a sprint that is over, and in no other |
| FLW502 | goes on for longer than 85 of 100 of its kind took in its project in the last twelve weeks |
| FLW510 | has not begun, but something below it has |
| RSK801 | is a risk without an owner, or without an answer |
| RSK802 | is a risk that nobody looked at for a month, since it was entered or looked at |
| RSK803 | is a risk of fifteen points or more, with nothing open below it and nothing that it waits for |
| RSK804 | is an issue whose date has passed |
| RSK805 | is a change request that nobody decided about for a fortnight |

FLW511 is broken by a project in execution that, at its pace of twelve weeks, has less than 85 % to keep its end.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.flow.second import days_until
from tests.sandbox.standards_by_hand import MAPPED

from pmosync.sandbox.jira import seed as jira_seed
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.organisation.portfolio import PROJECTS, ProjectPlan
from pmosync.sandbox.organisation.releases import SPRINT
from pmosync.sandbox.state import State

RECORDS = ("risk", "issue", "change")
FIELDS = {
    "Response": ("customfield_10201", "string"),
    "Score": ("customfield_10202", "number"),
    "Reviewed on": ("customfield_10203", "date"),
    "Decided on": ("customfield_10204", "date"),
    "Actual start": ("customfield_10205", "date"),
}
MAPPING = """  risk_response: Response
  risk_score: Score
  reviewed_on: Reviewed on
  decided_on: Decided on
  started_on: Actual start
  description: description
  sprint_state:
    - {field: Sprint.latest, values: {active: category=active, future: category=future, closed: category=closed}}
"""
"""What the shipped mapping of Jira leaves to those whose site has such fields."""
WINDOW, FEWEST = 84, 11


@dataclass
class Records:
    """What the tool holds that no task of the organisation says, by the identity of the task."""

    values: dict[int, dict[str, Any]] = field(default_factory=dict)
    started: dict[int, int] = field(default_factory=dict)
    described: dict[int, int] = field(default_factory=dict)
    left_behind: set[int] = field(default_factory=set)


def kind_of(task: Task, kinds: Mapping[str, str]) -> str:
    """What kind of work it is; a record is told by its label, and the steps of Asana are tasks."""
    record = next((label for label in task.labels if label in RECORDS), None)
    kind = record or kinds.get(task.kind, task.kind)
    return "task" if task.project.tool == "asana" and kind == "subtask" else kind


def plant(organisation: Organisation, two: Callable[[str, Callable[[Task], bool]], list[Task]]) -> Records:
    """Two faults of everything that is not found there anyway, and beside each what just is none."""
    made, tasks = Records(), organisation.tasks
    for task in tasks:
        moved = MAPPED[task.status] in ("in_progress", "blocked", "done")
        if task.project.tool == "jira" and moved and task.start is not None:
            made.started[id(task)] = min(task.start, task.start if task.done is None else task.done)

    def planned(task: Task) -> bool:
        return (task.project.key, task.status) == ("PAY", "todo") and task.kind in ("task", "story")

    def begun(task: Task) -> bool:
        return MAPPED[task.status] == "in_progress" and task.kind in ("epic", "task", "story")

    def untouched(task: Task) -> bool:
        return task.parent is not None and (task.status, task.parent.status) == ("todo", "todo")

    for task in two("jira", lambda task: task.done is not None and id(task) in made.started and task.done < -8):
        made.started[id(task)] = (task.done or 0) + 1
    for task, length in zip(two("jira", begun), (39, 40), strict=True):
        made.described[id(task)] = length
    made.left_behind = {id(task) for task in two("jira", planned)}
    for tool in ("jira", "asana"):
        for task in two(tool, untouched):
            task.status = "in_progress"
    lead = organisation.leads["PAY"]

    def record(label: str, created: int, owner: int | None = lead, due: int | None = None, **values: Any) -> Task:
        task = Task(PROJECTS[0], "task", f"Record {len(made.values)} of the PMO", "todo", created, owner, lead, due=due)
        task.labels = (label,)
        tasks.append(task)
        made.values[id(task)] = values
        return task

    answered = {"Response": "reduce", "Score": 6, "Reviewed on": -30}
    record("risk", -90, **answered)
    record("risk", -90, None, **answered)
    record("risk", -90, **answered | {"Response": None})
    record("risk", -90, **answered | {"Reviewed on": -31})
    record("risk", -31, **answered | {"Reviewed on": None})
    record("risk", -30, **answered | {"Reviewed on": None})
    record("risk", -90, **answered | {"Score": 15})
    record("risk", -90, **answered | {"Score": 25})
    record("risk", -90, **answered | {"Score": 14})
    record("risk", -90, **answered | {"Score": 16}).waits_for.append(two("jira", planned)[0])
    for due in (-1, -20, 0):
        record("issue", -40, due=due)
    for created in (-15, -60, -14):
        record("change", created)
    record("change", -60, **{"Decided on": -2})
    return made


def write(state: State, made: Records, keys: Mapping[int, str], days: Days) -> None:
    """Give the site its fields, and the issues what stands in them."""
    for name, (number, kind) in FIELDS.items():
        jira_seed.add_field(state, number, name, {"type": kind})
    for number, values in made.values.items():
        for name, value in values.items():
            told = days.text(value) if isinstance(value, int) and name.endswith(" on") else value
            _put(state, keys[number], FIELDS[name][0], told)
    for number, day in made.started.items():
        _put(state, keys[number], FIELDS["Actual start"][0], days.text(day))
    for number, length in made.described.items():
        text = {"type": "paragraph", "content": [{"type": "text", "text": "x" * length}]}
        _put(state, keys[number], "description", {"type": "doc", "version": 1, "content": [text]})
    over = state.row(
        f"SELECT json_extract(fields, '$.{SPRINT}') AS told FROM jira_issue "
        f"WHERE json_extract(fields, '$.{SPRINT}[0].name') = 'PAY Sprint 1' "
        f"AND json_array_length(json_extract(fields, '$.{SPRINT}')) = 1"
    )
    assert over
    for number in made.left_behind:
        _put(state, keys[number], SPRINT, json.loads(over["told"]))


def _put(state: State, key: str, name: str, value: Any) -> None:
    change = f"UPDATE jira_issue SET fields = json_set(fields, '$.{name}', json(?)) WHERE key = ?"
    state.db.execute(change, (json.dumps(value), key))


# --- by hand ----------------------------------------------------------------------------------------------------------


def broken(task: Task, kind: str, parts: list[Task], made: Records, within: Mapping[Any, int]) -> Iterator[str]:
    """The ids of the standards that a task breaks."""
    status, started, jira = MAPPED[task.status], made.started.get(id(task)), task.project.tool == "jira"
    if started is not None and task.done is not None and task.resolution and task.done < started:
        yield "SCH206"
    if status is None or status in ("done", "cancelled"):
        return
    if jira and status == "in_progress" and kind in ("epic", "task") and made.described.get(id(task), 0) < 40:
        yield "DAT107"
    if id(task) in made.left_behind:
        yield "SCH216"
    if status != "todo" and started is not None and -started > within.get((task.project.key, kind), 10_000):
        yield "FLW502"
    if status == "todo" and any(MAPPED[part.status] in ("in_progress", "blocked", "done") for part in parts):
        yield "FLW510"
    values = made.values.get(id(task), {})
    if kind == "risk":
        if task.assignee is None or not values["Response"]:
            yield "RSK801"
        if (values["Reviewed on"] if values["Reviewed on"] is not None else task.created) < -30:
            yield "RSK802"
        if values["Score"] >= 15 and not any(other.open for other in (*parts, *task.waits_for)):
            yield "RSK803"
    if kind == "issue" and task.due is not None and task.due < 0:
        yield "RSK804"
    if kind == "change" and values.get("Decided on") is None and task.created < -14:
        yield "RSK805"


def usual(tasks: list[Task], kinds: Mapping[str, str], made: Records) -> dict[tuple[str, str], int]:
    """Within how many days 85 of 100 were finished, by project and kind, where at least eleven were."""
    took: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for task in tasks:
        started = made.started.get(id(task))
        if task.status != "done" or not task.resolution or task.done is None or started is None:
            continue
        if -WINDOW <= task.done < 0 and started <= task.done:
            took[task.project.key, kind_of(task, kinds)].append(task.done - started + 1)
    return {place: sorted(days)[math.ceil(0.85 * len(days)) - 1] for place, days in took.items() if len(days) >= FEWEST}


def late_by_its_pace(project: ProjectPlan, inside: list[Task], kinds: Mapping[str, str], end: int) -> bool:
    """Whether its items will, with 85 %, not be finished by its end."""
    first = min(min(task.created, task.created if task.done is None else task.done) for task in inside)
    items = [task for task in inside if kind_of(task, kinds) == "task"]
    left = sum(task.open for task in items)
    days = range(max(-WINDOW, first), 0)
    counts = [sum(task.status == "done" and task.done == day for task in items) for day in days]
    assert project.tool == "asana"
    return bool(left) and sum(counts) >= FEWEST and days_until(left, counts, (0.85,))[0] > end
