"""Makes the organisation's work: tasks with people, dates, states and links that a sound project would have.

Everything is counted in days from a day zero, so the same work lies around every day; what is made here breaks no
standard (`faults.py` adds what does).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from pmosync.sandbox.organisation.portfolio import DETAILS, INACTIVE, PEOPLE, PROJECTS, STEPS, VERBS, ProjectPlan

OPEN = ("todo", "in_progress", "in_review", "on_hold", "vendor", "parked")
STARTED = ("in_progress", "in_review")


@dataclass(eq=False)
class Task:
    """One piece of work. Dates are days from day zero; people are places in `PEOPLE`."""

    project: ProjectPlan
    kind: str
    title: str
    status: str
    created: int
    assignee: int | None
    reporter: int
    start: int | None = None
    due: int | None = None
    done: int | None = None
    updated: int = -1
    parent: Task | None = None
    priority: str = "Medium"
    estimate_h: float | None = None
    resolution: str | None = None
    waits_for: list[Task] = field(default_factory=list)
    also_in: list[ProjectPlan] = field(default_factory=list)
    labels: tuple[str, ...] = ()
    notes: str = ""

    @property
    def open(self) -> bool:
        return self.status in OPEN

    def finish(self, day: int) -> None:
        """Done on that day, with everything a finished task has."""
        self.status, self.done, self.updated, self.resolution = "done", day, day, "Done"


@dataclass(frozen=True)
class Organisation:
    """Everybody and everything, in no tool's terms."""

    tasks: list[Task]
    leads: dict[str, int]
    teams: dict[str, tuple[int, ...]]


def sound(seed: int) -> tuple[Organisation, Random]:
    """The whole organisation without a fault, and the dice to go on with."""
    dice = Random(seed)
    active = [n for n in range(len(PEOPLE)) if n not in INACTIVE]
    leads = {project.key: active[2 + 3 * n % 30] for n, project in enumerate(PROJECTS)}
    teams = {key: (lead, *dice.sample([n for n in active if n != lead], 6)) for key, lead in leads.items()}
    tasks: list[Task] = []
    for project in PROJECTS:
        tasks += _project(project, teams[project.key], dice)
    _across(tasks, dice)
    return Organisation(tasks, leads, teams), dice


def _project(project: ProjectPlan, team: tuple[int, ...], dice: Random) -> list[Task]:
    found: list[Task] = []
    for n, (stream, things) in enumerate(project.streams.items()):
        first = -86 + 27 * n + dice.randint(-4, 4)
        found += _stream(project, stream, things, first, team, dice)
    for thing in ("weekly status note", "supplier question"):
        day = dice.choice((-1, -2))
        found.append(
            Task(project, "task", f"Look into the {thing}", "todo", day, None, team[0], updated=day, notes="Just in.")
        )
    return found


def _stream(
    project: ProjectPlan, stream: str, things: tuple[str, ...], first: int, team: tuple[int, ...], dice: Random
) -> list[Task]:
    """A work stream: pairs of tasks in order, small steps under some of them, a milestone, in Jira an epic above."""
    lead = team[0]
    epic = Task(project, "epic", stream, "todo", min(first - 30, -12), lead, lead)
    work: list[Task] = []
    last: list[Task] = []
    begin = first
    for thing, verbs in zip(things, VERBS, strict=True):
        one = _dated(project, verbs[0].format(thing), begin, dice.randint(5, 12), team, dice)
        two = _dated(
            project, verbs[1].format(thing), (one.due or 0) + dice.randint(1, 3), dice.randint(4, 10), team, dice
        )
        two.waits_for = [one]
        if last and dice.random() < 0.5:
            one.waits_for = [task for task in last if (task.due or 0) < (one.start or 0)]
        begin, last = begin + dice.randint(6, 9), [two]
        work += [one, two]
    steps = [step for task in work for step in _steps(task, team, dice)]
    end = max(task.due or 0 for task in work) + 2
    milestone = Task(project, "milestone", f"{stream} complete", "todo", min(first - 30, -12), lead, lead, due=end)
    _set_state(milestone, dice)
    if project.tool == "asana":
        return [*work, *steps, milestone]
    for task in [*work, milestone]:
        task.parent = epic
    epic.start, epic.due = min(task.start or 0 for task in work), end + 1
    _sum_up(epic, [*work, milestone], dice)
    return [epic, *work, *steps, milestone]


def _dated(project: ProjectPlan, title: str, begin: int, length: int, team: tuple[int, ...], dice: Random) -> Task:
    kinds = ("story", "task", "task", "bug") if project.tool == "jira" else ("task",)
    task = Task(project, dice.choice(kinds), title, "todo", begin - dice.randint(20, 45), dice.choice(team), team[0])
    task.start, task.due = begin, begin + length
    task.estimate_h = float(dice.choice((4, 6, 8, 12, 16, 20, 24)))
    task.priority = dice.choices(("High", "Medium", "Low"), (2, 6, 2))[0]
    task.created = min(task.created, -10)
    _set_state(task, dice)
    return task


def _set_state(task: Task, dice: Random) -> None:
    """What the dates say: past is done, present is under way, future is to do."""
    begin, due = task.start, task.due or 0
    if due <= 0:
        task.finish(min(-1, max(due - dice.randint(0, 2), begin if begin is not None else due - 2)))
        if task.kind in ("story", "bug", "task") and dice.random() < 0.04 and task.project.tool == "jira":
            task.status, task.resolution = "cancelled", "Won't Do"
    elif begin is not None and begin <= 0:
        states = ("in_progress", "in_progress", "in_progress", "in_review", "on_hold")
        task.status = dice.choice((*states, "vendor", "vendor") if task.project.tool == "jira" else states)
        task.updated = -dice.randint(1, 6)
    else:
        task.updated = max(task.created, -dice.randint(2, 30))


def _steps(task: Task, team: tuple[int, ...], dice: Random) -> list[Task]:
    """Subtasks inside the task's dates; in Asana some have subtasks of their own."""
    if dice.random() > (0.12 if task.project.tool == "jira" else 0.16) or task.status == "cancelled":
        return []
    found = [_step(task, title, team, dice) for title in dice.sample(STEPS, 2)]
    if task.project.tool == "asana" and dice.random() < 0.4:
        for title in DETAILS:
            found.append(_step(found[-1], title, team, dice))
    return found


def _step(parent: Task, title: str, team: tuple[int, ...], dice: Random) -> Task:
    step = Task(parent.project, "subtask", title, "todo", parent.created + 1, dice.choice(team), team[0], parent=parent)
    step.start, step.due, step.estimate_h = parent.start, parent.due, float(dice.choice((1, 2, 4)))
    step.updated = max(step.created, parent.updated)
    if parent.status == "done":
        step.finish(parent.done or -1)
    elif parent.status != "todo" and parent.kind != "subtask" and dice.random() < 0.5:
        step.finish(-1)
        step.start = min(step.start or -2, -2)
    elif parent.status != "todo":
        step.status = "in_progress"
    return step


def _sum_up(epic: Task, children: list[Task], dice: Random) -> None:
    if not any(child.open for child in children):
        epic.finish(max(child.done or -1 for child in children))
    elif any(child.status != "todo" for child in children):
        epic.status, epic.updated = "in_progress", -dice.randint(1, 9)
    else:
        epic.updated = max(epic.created, -20)


def _across(tasks: list[Task], dice: Random) -> None:
    """Links between projects of one tool, tasks in two Asana projects, and the rows that are not quite tasks."""
    for tool in ("jira", "asana"):
        later = [t for t in tasks if t.project.tool == tool and t.status == "todo" and t.kind in ("task", "story")]
        under_way = [t for t in tasks if t.project.tool == tool and t.status in STARTED and t.kind != "subtask"]
        for task in dice.sample([t for t in later if t.start is not None], 14):
            others = [t for t in under_way if t.project is not task.project and (t.due or 0) < (task.start or 0)]
            others = [t for t in others if t.kind != "epic"]
            if others:
                task.waits_for.append(dice.choice(others))
    asana = [project for project in PROJECTS if project.tool == "asana"]
    for task in dice.sample([t for t in tasks if t.project.tool == "asana" and t.kind == "task" and t.start], 6):
        task.also_in = [dice.choice([project for project in asana if project is not task.project])]
    _odd_rows(tasks)


def _odd_rows(tasks: list[Task]) -> None:
    """An approval, a separator row, an emoji and characters that must be escaped wherever they are shown."""
    asana = [t for t in tasks if t.project.key == "EVT"]
    parents = [t.parent for t in asana if t.kind == "subtask" and t.parent and t.parent.kind == "task"]
    parent = next((t for t in parents if t.open), parents[0])
    project, lead = parent.project, parent.reporter
    tasks.append(Task(project, "separator", "Before the doors open:", "todo", -40, None, lead, parent=parent))
    tasks.append(
        Task(project, "approval", "Approve the final budget", "todo", -12, lead, lead, start=3, due=9, estimate_h=1.0)
    )
    named = {
        "EVT": "Celebrate the launch with the branch teams 🎉",
        "PLAT": 'Replace <b>legacy</b> "R&D" codes & fix <script> in notices',
        "SUS": 'Check the <em>Umlaut</em> titles & "quotes" in the report',
    }
    for key, title in named.items():
        next(
            t for t in tasks if t.project.key == key and t.status == "todo" and t.kind == "task" and t.due
        ).title = title
