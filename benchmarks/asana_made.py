"""An Asana workspace made for counting: so many projects and tasks, with subtasks down to the fifth level.

It is the same each time. Some tasks are in two projects, some subtasks are in a project of their own, some wait for
others; a few lists are longer than a page. So many open tasks have no owner: for each of them one standard asks for
one, in the same words.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pmosync.sandbox.asana import seed, tables
from pmosync.sandbox.jira import seed as jira_seed
from pmosync.sandbox.state import State

BOT = "sandbox-asana-token"
PERSON = "person-{}"
LEVELS = (0.62, 0.24, 0.09, 0.035, 0.015)
"""How the subtasks are spread over the levels below the tasks of a project; the last is as deep as Asana goes."""
CHILDREN = 3
SECTIONS = ("To do", "In progress", "Waiting", "Done")
OWNER = (
    "OWN001",
    "Open work has no owner",
    "assignee IS EMPTY AND status != done",
    "{status: todo}",
    "{assignee: ana}",
)
CONFIG = """\
organisation: Made
timezone: Europe/Berlin
calendar: {{workdays: mon-fri, holidays: DE}}
store: sqlite:///pmosync.db
profile: controlling
push: {push}
sites:
  made:
    connector: asana
    base_url: {url}/api/1.0
    auth: {{token: env:MADE_TOKEN}}
    calls_per_minute: 1000000
    mapping: mappings/made.yaml
standards: [standards/made.yaml]
guard: {{max_share: 100%, max_changes: 1000000}}
"""
MAPPING = """\
site: made
scope: {}
project: {title: name, lead: owner, start_on: start_on, due_on: due_on}
task:
  title: name
  assignee: assignee
  start_on: start_on
  due_on: [due_on, due_at]
  done_on: completed_at
  estimate: {custom: "Estimated time"}
  parent: parent
  status:
    - {field: completed, values: {done: true}}
    - {field: {custom: Stage}, values: {blocked: [Waiting], in_progress: [Doing, Review]}}
    - {default: todo}
links: {blocks: dependencies}
write: {task: [field, text_field]}
"""


@dataclass
class Made:
    """What was made: gids by kind."""

    projects: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    """The tasks of projects, without subtasks."""
    subtasks: list[list[str]] = field(default_factory=list)
    """By level, the first directly below a task."""
    parents: int = 0
    """Tasks and subtasks that have subtasks."""
    unowned: list[str] = field(default_factory=list)
    """The names of the open tasks that nobody owns."""
    multi_homed: int = 0
    dependencies: int = 0

    def all_tasks(self) -> list[str]:
        """Tasks and subtasks."""
        return [*self.tasks, *(gid for level in self.subtasks for gid in level)]

    def told(self) -> str:
        """What there is, in a line."""
        deep = ", ".join(str(len(level)) for level in self.subtasks)
        return (
            f"{len(self.projects)} projects, {len(self.all_tasks())} tasks, of which {sum(map(len, self.subtasks))} are"
            f" subtasks ({deep} by level), {self.parents} tasks with subtasks, {self.multi_homed} in a second project,"
            f" {self.dependencies} dependencies, {len(self.people)} people"
        )


def site(
    path: Path, *, projects: int = 100, tasks: int = 10_000, subtasks: int = 3_000, unowned: int = 1_000,
    people: int = 60,
) -> Made:  # fmt: skip
    """A state file with the workspace; every person's token is `person-<n>`, from 1 on."""
    state = State(str(path), dt.datetime.now(dt.UTC).date())
    jira_seed.prepare(state)
    tables.prepare(state)
    with state.transaction():
        made = _Maker(state, random.Random(5), unowned).make(projects, tasks, subtasks, people)
    state.close()
    return made


class _Maker:
    """Makes one workspace."""

    def __init__(self, state: State, dice: random.Random, unowned: int) -> None:
        self.state, self.dice, self.count, self.made = state, dice, unowned, Made()
        self.began_at = dt.datetime.combine(state.as_of, dt.time(8), dt.UTC) - dt.timedelta(days=200)
        self.sections: dict[str, list[str]] = {}
        self.fields: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}

    def make(self, projects: int, tasks: int, subtasks: int, people: int) -> Made:
        """Everything, in one order."""
        seed.add_workspace(self.state, "Made")
        bot = seed.add_user(self.state, "PMO bot", "pmo-bot@acme.example")
        seed.add_token(self.state, bot, BOT)
        for number in range(1, people + 1):
            gid = seed.add_user(self.state, f"Person {number}", f"person{number}@acme.example")
            seed.add_token(self.state, gid, PERSON.format(number))
            self.made.people.append(gid)
        self._fields()
        for number in range(projects):
            self._project(number, bot)
        seed.add_portfolio(self.state, "All", bot, created_at=self.began_at, items=self.made.projects)
        self._tasks(tasks, subtasks)
        self._ties()
        return self.made

    def _fields(self) -> None:
        for name, options in (("Stage", ("Waiting", "Doing", "Review")), ("Priority", ("High", "Medium", "Low"))):
            gid = seed.add_field(self.state, name, "enum", options=[(option, "blue") for option in options])
            self.fields[name], self.options[gid] = gid, list(seed.options(self.state, gid).values())
        self.fields["Estimated time"] = seed.add_field(
            self.state, "Estimated time", "number", number_format="duration", asana_created_field="estimated_time"
        )

    def _project(self, number: int, bot: str) -> None:
        lead = self.dice.choice(self.made.people)
        members = {bot: "admin", **dict.fromkeys(self.made.people, "editor")}
        due = self.state.as_of + dt.timedelta(days=30 + number)
        gid = seed.add_project(
            self.state, f"Project {number}", lead, created_at=self.began_at, members=members, due_on=due.isoformat()
        )
        self.sections[gid] = [
            seed.add_section(self.state, gid, name, created_at=self.began_at) for name in SECTIONS
        ]  # fmt: skip
        for one in self.fields.values():
            seed.add_setting(self.state, "project", gid, one)
        self.made.projects.append(gid)

    def _tasks(self, tasks: int, subtasks: int) -> None:
        """Those of the projects, of which every tenth has three times as many as the others; then level after level."""
        counts = [int(subtasks * share) for share in LEVELS]
        counts[0] += subtasks - sum(counts)
        open_ones = set(self.dice.sample(range(tasks), self.count))
        numbers = iter(range(tasks))
        weights = [3 if number % 10 == 0 else 1 for number in range(len(self.made.projects))]
        homes = [project for project, weight in zip(self.made.projects, weights, strict=True) for _ in range(weight)]
        for at in range(tasks - subtasks):
            number = next(numbers)
            home = homes[at % len(homes)]
            self.made.tasks.append(self._task(number, number in open_ones, project=home))
        above = self.made.tasks
        for count in counts:
            parents = self.dice.sample(above, min(len(above), -(-count // CHILDREN)))
            level = []
            for at in range(count):
                number = next(numbers)
                level.append(self._task(number, number in open_ones, parent=parents[at % len(parents)]))
            self.made.subtasks.append(level)
            self.made.parents += len(parents)
            above = level

    def _task(
        self, number: int, open_without_owner: bool, *, project: str | None = None, parent: str | None = None
    ) -> str:
        dice = self.dice
        created_at = self.began_at + dt.timedelta(minutes=number * 7)
        modified_at = created_at + dt.timedelta(days=dice.randrange(1, 60))
        done = not open_without_owner and dice.random() < 0.4
        kind = "milestone" if dice.random() < 0.03 else "approval" if dice.random() < 0.03 else "default_task"
        due = self.state.as_of + dt.timedelta(days=dice.randrange(-60, 120)) if dice.random() < 0.7 else None
        if open_without_owner:
            self.made.unowned.append(f"Piece {number}")
        section = None
        values: dict[str, object] = {}
        if project:
            section = self.sections[project][3 if done else dice.randrange(3)]
            values = self._values()
        return seed.add_task(
            self.state, f"Piece {number}", created_at=created_at, modified_at=modified_at, project=project,
            section=section, parent=parent, resource_subtype=kind, fields=values,
            approval_status=("approved" if done else "pending") if kind == "approval" else None,
            assignee=None if open_without_owner else dice.choice(self.made.people),
            created_by=dice.choice(self.made.people), due_on=due.isoformat() if due else None,
            completed_at=modified_at if done else None,
            completed_by=dice.choice(self.made.people) if done else None,
        )  # fmt: skip

    def _values(self) -> dict[str, object]:
        values: dict[str, object] = {}
        for name in ("Stage", "Priority"):
            if self.dice.random() < 0.6:
                values[self.fields[name]] = self.dice.choice(self.options[self.fields[name]])
        if self.dice.random() < 0.5:
            values[self.fields["Estimated time"]] = 60 * self.dice.randrange(1, 40)
        return values

    def _ties(self) -> None:
        """Second homes, and who waits for whom."""
        homes = {
            row["task"]: row["project"] for row in tables.rows(self.state, "SELECT task, project FROM asana_placement")
        }
        second = self.dice.sample(self.made.tasks, len(self.made.tasks) // 50)
        second += self.dice.sample(self.made.subtasks[0], len(self.made.subtasks[0]) // 50)
        for task in second:
            others = [project for project in self.made.projects if project != homes.get(task)]
            if others:
                project = self.dice.choice(others)
                seed.place(self.state, task, project, self.sections[project][0])
                self.made.multi_homed += 1
        every = self.made.all_tasks()
        ends = self.dice.sample(every, len(every) // 5)
        for task, before in zip(ends[::2], ends[1::2], strict=False):
            seed.add_dependency(self.state, task, before)
            self.made.dependencies += 1


def only(name: str) -> tuple[str, ...]:
    """The same standard in the same words, but about one task."""
    code, title, when, _, _ = OWNER
    owned, other = f"{{status: todo, title: {name}, assignee: ana}}", f"{{status: todo, title: {name}}}"
    return code, title, f"{when} AND title = '{name}'", other, owned


def office(folder: Path, url: str, rule: Sequence[str] = OWNER, *, push: bool = False) -> None:
    """The files of a set-up with one standard; `push`: flags are written."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mappings").mkdir(parents=True)
    (folder / "standards").mkdir()
    (folder / "pmosync.yaml").write_text(CONFIG.format(url=url, push="on" if push else "off"))
    (folder / "mappings" / "made.yaml").write_text(MAPPING)
    ask(folder, rule)


def ask(folder: Path, rule: Sequence[str]) -> None:
    """Ask for something else from now on."""
    name, title, when, fail, passes = rule
    (folder / "standards" / "made.yaml").write_text(f"""\
pack: made
today: 2026-11-20
standards:
  - id: {name}
    title: "{title}"
    subject: task
    severity: high
    when: {when}
    why: For counting.
    fix: Change it.
    serves: counting
    phase: planning
    examples:
      fail: [{fail}]
      pass: [{passes}]
""")
