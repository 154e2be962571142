"""A tool that lives in memory, for tests of the core that need no HTTP: whole cycles in milliseconds.

What real tools do is tested against the sandbox; this one only has to be honest about what it holds and counts writes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pmosync import mapping as mappings
from pmosync.commands import Desk
from pmosync.contract import (
    Batch,
    Capabilities,
    Catalog,
    Change,
    Choice,
    Duration,
    Estimate,
    Event,
    Extra,
    Fallen,
    FieldInfo,
    Known,
    Limitation,
    Link,
    Person,
    Prepared,
    ProjectInfo,
    Reading,
    Receipt,
    Record,
    Reference,
    Scope,
    Slot,
    SlotKind,
    Value,
)
from pmosync.cycle import Outcome, Setup, cycle
from pmosync.decisions import read_baselines
from pmosync.decisions.accepted import append_ended, read_accepted
from pmosync.errors import SiteTrouble
from pmosync.ladder import USUAL, Ladder
from pmosync.mapping import SiteMapping
from pmosync.modes import Said
from pmosync.people import Staff
from pmosync.plan import Guard
from pmosync.register import Register
from pmosync.site import Site
from pmosync.standards import Standard, load_packs
from pmosync.store import Store
from pmosync.workdays import day_number, workdays

BERLIN = ZoneInfo("Europe/Berlin")
SLOTS = (
    SlotKind("property", "task", "json", 30_000),
    SlotKind("label", "task", "word", 50),
    SlotKind("note", "task", "text", 1024),
    SlotKind("comment", "task", "text", 4_000, opt_in=True),
    SlotKind("link", "task", "link", 255),
    SlotKind("choice", "task", "word", 50, ours="receipt"),
    SlotKind("stand_in", "task", "word", 50, instead_of="label"),
    SlotKind("rollup", "project", "json", 30_000),
    SlotKind("news", "project", "update", 4_000, opt_in=True, rest_days=7),
    SlotKind("top_news", "rollup", "update", 4_000, rest_days=7, levels=("program", "portfolio"), home="itself"),
    SlotKind("page", "rollup", "page", 30_000, levels=("project", "program", "portfolio")),
    SlotKind("own", "rollup", "measures", 30_000, levels=("program", "portfolio"), home="itself"),
)
RESTING = [slot.name for slot in SLOTS if slot.rest_days]
MAPPING = """
site: {site}
scope: {{}}
project: {{title: name, lead: lead}}
task:
  title: name
  assignee: assignee
  start_on: start
  due_on: due
  estimate: estimate
  spent: spent
  parent: parent
  resolution: resolution
  done_on: done
  status:
    - field: status
      values: {{todo: [Open], in_progress: [Doing], blocked: [Waiting], done: [Done], cancelled: [Dropped]}}
    - {{default: report}}
  type:
    - {{field: type, values: {{epic: [Epic], task: [Task], subtask: [Sub], risk: [Risk], change: [Change]}}}}
    - {{default: task}}
  priority: priority
links: {{blocks: waits_for}}
read: [{reads}]
write: {{task: [{slots}], project: [{rollups}]}}
"""
FIELDS = {
    "name": "text",
    "assignee": "person",
    "start": "date",
    "due": "date",
    "estimate": "duration",
    "spent": "duration",
    "parent": "reference",
    "resolution": "text",
    "done": "date",
    "status": "choice",
    "type": "choice",
    "priority": "choice",
    "waits_for": "list",
    "joins": "list",
    "held": "choice",
    "percent": "number",
    "created_at": "instant",
    "updated": "instant",
}
PROJECT_FIELDS = {
    "name": "text",
    "lead": "person",
    "status": "choice",
    "status_on": "date",
    "team": "choice",
    "template": "choice",
    "brief": "yes/no",
    "goals": "list",
    "budget_time": "duration",
    "budget_time_used": "duration",
    "budget_cost": "number",
    "budget_cost_used": "number",
}
"""What a project may hold; each one holds what was put there."""
OPTIONS = {
    "status": ("Open", "Doing", "Waiting", "Done", "Dropped", "Parked"),
    "type": ("Epic", "Task", "Sub", "Milestone", "Risk", "Change", "Gate", "Exception"),
    "priority": ("Critical", "High", "Medium", "Low"),
    "held": ("Free", "Not before", "Not after", "Fixed"),
}


@cache
def starter() -> tuple[Standard, ...]:
    """The shipped pack, read once."""
    return load_packs(["starter"], Path())


@dataclass
class Tool:
    """What the tool holds. Tasks and projects are plain dicts; marks stand beside them."""

    name: str = "acme"
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    projects: dict[str, dict[str, Any]] = field(default_factory=lambda: {"p1": {"name": "One", "lead": Person("ana")}})
    people: dict[str, bool] = field(default_factory=lambda: {"ana": True, "bob": True})
    emails: dict[str, str] = field(default_factory=dict)
    marks: dict[Slot, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Projects that cannot be read now; `rollups` hides the places of rollups."""
    listed: set[str] | None = None
    """The projects that the tool shows at all; None: every one."""
    down: SiteTrouble | None = None
    refuses: str = ""
    """A slot that refuses every write."""
    lose: bool = False
    """Whether the next receipts get lost: written, but nobody hears of it."""
    limited: dict[str, str] = field(default_factory=dict)
    writes: list[Change] = field(default_factory=list)
    version: int = 0
    moves: dict[str, list[Event]] = field(default_factory=dict)
    """The history of each task; only what is put with `at` has a place in it."""
    worklogs: dict[str, dict[str, Any]] = field(default_factory=dict)
    allocations: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, dict[str, Any]] = field(default_factory=dict)
    later: str = ""
    """Why the tool's connector puts off what it is to write into a slot that rests."""
    fates: dict[str, Any] = field(default_factory=dict)
    """What the tool says about tasks that are no longer there."""
    echoes: bool = False
    """Whether a write raises the version of its task, and brings the task back, as real tools do."""

    def put(self, number: str, *, project: str = "p1", at: dt.datetime | None = None, **fields: Any) -> None:
        """Create or edit a task as a person would."""
        self.version += 1
        if at is not None and number in self.tasks:
            self.remember(number, at, fields)
        task = self.tasks.setdefault(
            number,
            {
                "name": f"Deliver part {number}",
                "assignee": Person("ana"),
                "start": None,
                "due": dt.date(2026, 12, 11),
                "estimate": Duration(3600.0),
                "spent": None,
                "parent": None,
                "resolution": None,
                "done": None,
                "status": "Open",
                "type": "Task",
                "priority": "Medium",
                "waits_for": (),
                "percent": None,
                "created_at": dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC),
            },
        )
        task.update(fields, version=str(self.version), projects=task.get("projects", (project,)))
        task["updated"] = at or task.get("updated", task["created_at"])

    def remember(self, number: str, at: dt.datetime, fields: Mapping[str, Any]) -> None:
        """Write the moves of these fields into the history, as one save."""
        history = self.moves.setdefault(number, [])
        before = self.tasks[number]
        history += [
            Event(
                f"{number}/{self.version}", at, Person("ana"), name, value_of(name, before[name]), value_of(name, now)
            )
            for name, now in fields.items()
            if before[name] != now
        ]

    def promise(self, name: str, project: str, who: str | None, start_on: dt.date, end_on: dt.date, **how: Any) -> None:
        """Promise somebody's time to a project, or edit such a promise. The project itself does not change by that."""
        self.version += 1
        values = {
            "project": Reference("project", project),
            "person": Person(who) if who else None,
            "start_on": start_on,
            "end_on": end_on,
            "share": None,
            "weekly": None,
            **how,
        }
        self.allocations[name] = {"values": values, "version": str(self.version)}

    def say(self, name: str, task: str, who: str, text: str, at: dt.datetime) -> None:
        """Comment on a task, or edit that comment. It is brought while a mark of ours is on the task."""
        self.version += 1
        values = {"task": Reference("task", task), "author": Person(who), "created": at, "text": text}
        self.comments[name] = {"task": task, "values": values, "version": str(self.version)}

    def log(self, name: str, task: str, hours: float, started: dt.date) -> None:
        """Book time on a task, or edit what is booked. The task itself does not change by that."""
        self.version += 1
        spent = Duration(hours * 3600)
        self.worklogs[name] = {"task": task, "started": started, "spent": spent, "version": str(self.version)}


def value_of(name: str, plain: Any) -> Value:
    """A plain value of the tool as the connector decodes it."""
    if name in OPTIONS and isinstance(plain, str):
        return Choice(plain, plain)
    if name == "parent" and plain:
        return Reference("task", plain)
    if name in ("waits_for", "joins"):
        return tuple(Link("d", "dependency", "inward", other) for other in plain)
    return plain  # type: ignore[no-any-return]


@dataclass
class MemoryConnector:
    """The contract over a `Tool`. An incremental pull brings what changed since the version in the cursor."""

    tool: Tool
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(SLOTS, reads=get_args(Extra)))
    scope: Scope = field(default_factory=Scope)

    def describe(self) -> Catalog:
        if self.tool.down:
            raise self.tool.down
        fields = tuple(
            FieldInfo(name, name, kind, tuple(Choice(one, one) for one in OPTIONS.get(name, ())))  # type: ignore[arg-type]
            for name, kind in FIELDS.items()
        )
        own = tuple(FieldInfo(name, name, kind, subject="project") for name, kind in PROJECT_FIELDS.items())  # type: ignore[arg-type]
        projects = tuple(ProjectInfo(number, number, one["name"]) for number, one in self.tool.projects.items())
        return Catalog(Person("bot"), fields + own, projects)

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        if self.tool.down:
            raise self.tool.down
        self.scope = scope
        for number, one in self.tool.projects.items():
            if self.tool.listed is not None and number not in self.tool.listed:
                continue
            where = (f"project:{number}",)
            if number in self.tool.hidden:
                yield Batch(where, "unobserved", why=f"{number} answers 403; ask its admin for access")
                continue
            marks = {
                slot.name: self.tool.marks.get(Slot("project", number, slot.name))
                for slot in SLOTS
                if slot.subject == "project"
            }
            values = {name: one[name] for name in PROJECT_FIELDS if name in one}
            yield Batch(
                where, "observed", [Record("project", number, number, f"x:/{number}", "1", where, values, marks)]
            )
            tasks = [task for task, held in self.tool.tasks.items() if number in held["projects"]]
            changed = [t for t in tasks if since is None or int(self.tool.tasks[t]["version"]) > since["version"]]
            yield Batch(where, "observed", [self.record(task) for task in changed])
            if since is None:
                yield Batch(where, "complete", kinds=("task",), census=tasks)
        if since is None and scope.rollups:
            yield self.rollups()
        if scope.worklogs:
            yield from self.worklogs(since)
        if scope.allocations:
            yield from self.allocations(since)
        if scope.comments:
            yield from self.comments(since)
        people = [
            Record("person", name, name, "", "1", ("people",), {"name": name, "active": active} | self.address(name))
            for name, active in self.tool.people.items()
        ]
        yield Batch(("people",), "observed", people, cursor={"version": self.tool.version})

    def address(self, name: str) -> dict[str, Value]:
        return {"email": self.tool.emails[name]} if name in self.tool.emails else {}

    def worklogs(self, since: Mapping[str, Any] | None) -> Iterator[Batch]:
        where = ("worklogs",)
        if "worklogs" in self.tool.hidden:
            yield Batch(where, "unobserved", why="the time booked answers 403; ask for access")
            return
        records = [
            Record(
                "worklog",
                name,
                name,
                "",
                held["version"],
                where,
                {
                    "task": Reference("task", held["task"]),
                    "author": Person("ana"),
                    "started": held["started"],
                    "spent": held["spent"],
                },
            )
            for name, held in self.tool.worklogs.items()
            if since is None or int(held["version"]) > since["version"]
        ]
        yield Batch(where, "observed", records)
        if since is None:
            yield Batch(where, "complete", kinds=("worklog",), census=list(self.tool.worklogs))

    def allocations(self, since: Mapping[str, Any] | None) -> Iterator[Batch]:
        where = ("allocations",)
        if "allocations" in self.tool.hidden:
            yield Batch(where, "unobserved", why="the time promised answers 403; ask for access")
            return
        records = [
            Record("allocation", name, name, "", held["version"], where, held["values"])
            for name, held in self.tool.allocations.items()
            if since is None or int(held["version"]) > since["version"]
        ]
        yield Batch(where, "observed", records)
        if since is None:
            yield Batch(where, "complete", kinds=("allocation",), census=list(self.tool.allocations))

    def comments(self, since: Mapping[str, Any] | None) -> Iterator[Batch]:
        where = ("comments",)
        marked = {slot.id for slot in self.tool.marks if slot.subject == "task"}
        seen = {name: held for name, held in self.tool.comments.items() if held["task"] in marked}
        records = [
            Record("comment", name, name, "", held["version"], where, held["values"]) for name, held in seen.items()
        ]
        yield Batch(where, "observed", records)
        if since is None:
            yield Batch(where, "complete", kinds=("comment",), census=list(seen))

    def rollups(self) -> Batch:
        if "rollups" in self.tool.hidden:
            return Batch(("rollups",), "unobserved", why="the places of rollups answer 403; ask for access")
        names = sorted({slot.id for slot in self.tool.marks if slot.subject == "rollup"})
        records = [
            Record("rollup", name, f"R-{name}", f"x:/{name}", "1", ("rollups",), {}, self.told(name)) for name in names
        ]
        return Batch(("rollups",), "complete", records, kinds=("rollup",), census=names)

    def told(self, name: str) -> dict[str, str | None]:
        return {
            slot.name: text for slot, text in self.tool.marks.items() if (slot.subject, slot.id) == ("rollup", name)
        }

    def record(self, number: str) -> Record:
        held = self.tool.tasks[number]
        asked = {*FIELDS, "updated"} if "updated" in self.scope.fields else {*FIELDS} - {"updated"}
        values = {name: value_of(name, held[name]) for name in FIELDS if name in held and name in asked}
        moves = [event for event in self.tool.moves.get(number, ()) if event.field in self.scope.history]
        scopes = tuple(f"project:{project}" for project in held["projects"])
        marks = {
            slot.name: self.tool.marks.get(Slot("task", number, slot.name)) for slot in SLOTS if slot.subject == "task"
        }
        history = tuple(moves) if self.scope.history else None
        return Record("task", number, f"T-{number}", f"x:/{number}", held["version"], scopes, values, marks, history)

    def whereabouts(self, scope: Scope, tasks: Sequence[str]) -> Mapping[str, Fallen]:
        return {task: fate for task, fate in self.tool.fates.items() if task in tasks}

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        found = tuple(Limitation("*", slot, why) for slot, why in self.tool.limited.items())
        return Prepared(limitations=found)

    def release(self, scope: Scope) -> Sequence[str]:
        return ()

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        for slot in slots:
            yield Reading(slot, self.tool.marks.get(slot))

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        for change in changes:
            if change.slot.name == self.tool.refuses:
                yield Receipt(change, "refused", why="the tool says no")
                continue
            if self.tool.later and change.after is not None and change.slot.name in RESTING:
                yield Receipt(change, "later", why=self.tool.later)
                continue
            self.tool.writes.append(change)
            if change.after is None:
                self.tool.marks.pop(change.slot, None)
            else:
                self.tool.marks[change.slot] = change.after
            if self.tool.lose:
                yield Receipt(change, "unknown", why="the answer got lost")
            else:
                yield Receipt(change, "done", change.after, record=self.echo(change))

    def echo(self, change: Change) -> Record | None:
        """The task as a write brings it back: later by the write, and without its history."""
        if not self.tool.echoes or change.slot.subject != "task":
            return None
        self.tool.version += 1
        self.tool.tasks[change.slot.id]["version"] = str(self.tool.version)
        return replace(self.record(change.slot.id), history=None)

    def cost(self, changes: Sequence[Change]) -> Estimate:
        return Estimate({"PUT": len(changes)})

    def close(self) -> None:
        return None


def waiver_row(**changes: Any) -> dict[str, Any]:
    """A row of the store's table of waivers: of SCH201 for the task T-1, in November 2026."""
    row = {"waiver": "W-1", "covers": "subject", "site": "acme", "key": "T-1", "predicate": "", "about": "task"}
    days = {"approved_on": day_number(dt.date(2026, 11, 1)), "until": day_number(dt.date(2026, 11, 30))}
    words = {"standard": "SCH201", "reason": "agreed", "approved_by": "the sponsor", "scope": "acme/T-1"}
    return row | days | words | changes


_mappings: dict[tuple[Path, str, str], SiteMapping] = {}


def read_mapping(path: Path, lock: Path, text: str) -> SiteMapping:
    """A mapping with this text; read once for each text and each state of its lock file."""
    known = (path, text, lock.read_text() if lock.exists() else "")
    if known not in _mappings:
        path.write_text(text)
        _mappings[known] = mappings.load(path, lock)
    return _mappings[known]


@dataclass
class World:
    """A tool, a store and a clock: one PMO with one site."""

    folder: Path
    tool: Tool = field(default_factory=Tool)
    now: dt.datetime = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    standards: tuple[Standard, ...] = ()
    profile: str = "controlling"
    register: Register = field(default_factory=lambda: Register((), "none"))
    waivers: list[dict[str, Any]] = field(default_factory=list)
    guard: Guard = field(default_factory=lambda: Guard(1.0, 10_000))
    slots: str = "property, label"
    rollups: str = "rollup"
    reads: str = ""
    mapping: str = MAPPING
    holidays: tuple[dt.date, ...] = ()
    guidance: str = ""
    desk: Desk | None = None
    said: tuple[Said, ...] = ()
    ladder: Ladder = USUAL
    staff: Staff = field(default_factory=Staff)
    decisions: bool = False
    """Whether what is accepted stands in a folder, and what was put right is written there."""

    def __post_init__(self) -> None:
        self.standards = self.standards or starter()
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder / "pmosync.db")

    def setup(self) -> Setup:
        path, lock = self.folder / "acme.yaml", self.folder / "acme.lock.yaml"
        text = self.mapping.format(site=self.tool.name, slots=self.slots, rollups=self.rollups, reads=self.reads)
        connector = MemoryConnector(self.tool)
        mapping, name = read_mapping(path, lock, text), self.tool.name
        homes = self.register.rollup_homes(name)
        site = Site(name, connector, connector.capabilities, mapping, BERLIN, lock, rollups=homes)
        calendar = workdays(range(5), self.holidays)
        return Setup(
            [site],
            "Acme",
            self.register,
            self.profile,
            self.standards,
            calendar,
            self.guard,
            self.waivers,
            read_baselines(self.folder),
            guidance=self.guidance,
            desk=self.desk,
            said=self.said,
            ladder=self.ladder,
            staff=self.staff,
            **self.accepted(),
        )

    def accepted(self) -> dict[str, Any]:
        if not self.decisions:
            return {}
        day, folder = self.now.date(), self.folder
        return {"accepted": read_accepted(folder), "end": lambda debts: append_ended(folder, debts, day)}

    def run(self, *, full: bool = False, write: bool = True) -> Outcome:
        """One cycle; `tool.writes` holds what this one wrote."""
        self.tool.writes.clear()
        return cycle(self.store, self.setup(), lambda: self.now, full=full, write=write)

    def rebuild(self) -> None:
        """Delete the store, as an operator may at any time."""
        self.store.close()
        for path in self.folder.glob("pmosync.db*"):
            if path.is_file():
                path.unlink()
        self.open()

    def replace_standard(self, name: str, **changes: Any) -> None:
        self.standards = tuple(replace(one, **changes) if one.id == name else one for one in self.standards)
