"""The standards of the packs `standard` and `full`, planted in the generated organisation and worked out by hand there.

What is counted here follows the guidance of each standard, on the organisation's own tasks. Nothing of the product is
used but the generator. Exactly the standards that stand in these tables are compared.

| standards | broken by a task that is open, as far as its status can be read, and ... |
|---|---|
| DAT106 | has a title of fewer than ten characters, or one that says it is still to be found |
| DAT109 | has no priority, though work of its kind is ranked (epics, tasks, requests) |
| DAT110 | has the title of another open task beside it: in the same project, under the same parent |
| DAT111 | hangs below nothing a week after it was entered, in a project that is cut into deliverables |
| DAT112 | hangs below something that is not read |
| DAT113 | is a deliverable under way with nothing below it |
| SCH205 | (open or not) was finished, or worked on, after today |
| SCH207, RES405 | is one task of more than 44 working days, of more than 80 hours |
| SCH212 | is a milestone with effort, or that lasts |
| SCH213 | ends after what it is a part of |
| SCH215 | is due on a day on which nobody works |
| LOG309 | (or done) is under way, while something that it waits for is open |
| LOG311 | waits for open work of another project that has no date |
| RES406, RES407 | took more than 1.2 times its estimate; took time and has not begun |
| FLW505 | says how it was closed |
| FLW509 | has only finished parts, the last of them more than a week ago |
| PRT903 | is a request of more than 14 days that nobody has begun |

| standards | broken by a project that is not over, and ... |
|---|---|
| GOV601, GOV602 | is in the register, without a charter, without a sponsor (also while it closes) |
| GOV604 | has no dates, team, brief or template, where the tool holds such things |
| GOV605 | was not reported on for 35 days, where the tool holds reports (also while it closes; not in its initiation) |
| GOV606 | was reported better than a recount says: HQ has far more tasks than were agreed, and is told to be on track |
| GOV607 | has begun with stories, which are work of its execution, before anybody approved that it goes there |
| GOV608 | was to end its phase, and nobody decided on that day or later how it goes on |
| GOV609 | (closing or closed) has open work |
| GOV610 | (closed) has no lessons, no closure report, or nobody for its benefits |
| GOV611 | has grown further than was agreed, while no exception waits for a decision |
| GOV612 | was reported amber or red, and nothing is written about how it comes back |
| GOV613 | has a waiver that ends within thirty days |
| PRT902 | was not weighed against the others, or not for ninety days |
| EVM705 | has used more than nine tenths of its budget |
| PRT901 | serves no goal, where the tool holds goals |
| SCH214 | has open work that is due after its own end |
| SCH210 | is in execution by the register (its plan was never frozen, or two tasks of it alone) |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.sandbox import histories_by_hand, people_by_hand, plans_by_hand, records_by_hand
from tests.sandbox.standards_by_hand import MAPPED

from pmosync.sandbox import organisation as generated
from pmosync.sandbox.asana import tables as asana_tables
from pmosync.sandbox.jira import seed as jira_seed
from pmosync.sandbox.organisation.asana_plans import BRIEFS, FROM_TEMPLATE, GOALS, TEAMS
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.organisation.portfolio import PROJECTS, ProjectPlan
from pmosync.sandbox.organisation.to_asana import REPORTED, write_asana
from pmosync.sandbox.organisation.to_jira import write_jira
from pmosync.sandbox.state import State

AS_OF = date(2026, 3, 2)
HOLIDAYS = {(12, 25), (12, 26), (1, 1), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (10, 3)}
"""The days of 2026 on which all of Germany rests, with those of Christmas before it."""
UNREAD = "MOB"
"""A project that the PMO does not read."""
KIND = {"story": "task", "bug": "request", "approval": "task"}
"""Bugs are requests here, so that there are some."""
ASANA = [project for project in PROJECTS if project.tool == "asana"]
PHASES = {"PAY": "execution", "PLAT": "planning", "CRM": "closing", "DWH": "closed", "LOAN": "initiation",
          "ARC": "execution",
          "BRAND": "execution", "HQ": "execution", "ONB": "planning", "SUS": "initiation"}  # fmt: skip
UNREGISTERED = "EVT"
WITHOUT_CHARTER, WITHOUT_SPONSOR = ("PAY", "CRM", "DWH", "SUS"), ("PLAT", "DWH", "ONB")
NOT_REPORTED = ("HQ", "ONB")
"""HQ's last report is made forty days old; on ONB there was none."""

GATES = {"PLAT": {"G1": "2026-02-20"}, "LOAN": {"G1": "2026-02-01", "G2": "2026-03-01"}}
"""The day on which each gate was approved; the second one opens the execution."""
PHASE_ENDS = {"PAY": "2026-02-27", "PLAT": "2026-02-20", "LOAN": "2026-03-02", "BRAND": "2026-02-27"}
SCORED = {"PAY": "2025-12-02", "PLAT": "2025-12-01", "CRM": "2025-01-01", "HQ": "2026-02-01"}
AGREED = {"HQ": 10, "PAY": 10}
"""Tasks that were agreed, where a tenth more is tolerated; of PAY an exception waits for a decision."""
WAIVED = ("PAY", "2026-03-31"), ("PLAT", "2026-04-01")
"""Until when a standard that nobody breaks is waived."""


@dataclass
class Planted:
    """The organisation with its faults, and what the tools hold that no task of it says."""

    organisation: Organisation
    spent: dict[int, float] = field(default_factory=dict)
    no_priority: set[int] = field(default_factory=set)
    booked_ahead: set[int] = field(default_factory=set)
    records: records_by_hand.Records = field(default_factory=records_by_hand.Records)
    plans: plans_by_hand.Plans = field(default_factory=plans_by_hand.Plans)
    histories: histories_by_hand.Histories = field(default_factory=histories_by_hand.Histories)

    def numbered(self, tool: str) -> list[Task]:
        """The tasks of a tool in the order in which they are written."""
        return [task for task in self.organisation.tasks if task.project.tool == tool]


def planted() -> Planted:
    """The generated organisation, with two faults of everything that is not found in it anyway."""
    made = Planted(generated.generate())
    tasks = made.organisation.tasks
    used: set[int] = set()

    def two(tool: str, fits: Callable[[Task], bool]) -> list[Task]:
        free = [
            task for task in tasks
            if task.project.tool == tool and task.project.key != UNREAD and id(task) not in used
            and task.status != "parked" and fits(task)
        ]  # fmt: skip
        used.update(map(id, free[:2]))
        assert len(free) >= 2
        return free[:2]

    def work(status: str) -> Callable[[Task], bool]:
        return lambda task: task.status == status and task.kind in ("task", "story") and task.due is not None

    for tool in ("jira", "asana"):
        one, other = two(tool, work("todo"))
        one.title, other.title = "TBD with the board", "A letter"
        pairs = (
            (one, other) for one in tasks for other in tasks
            if one is not other and one.project is other.project and one.parent is other.parent
            and one.project.tool == tool and one.title != other.title and work("todo")(one) and work("todo")(other)
            and not {id(one), id(other)} & used and one.project.key != UNREAD
        )  # fmt: skip
        one, other = next(pairs)
        used |= {id(one), id(other)}
        other.title = one.title
        for task in two(tool, work("todo")):
            task.due = (task.start or 0) + 90
        for task in two(tool, work("in_progress")):
            task.estimate_h = 80.5
            task.waits_for.append(
                next(
                    other
                    for other in tasks
                    if other.parent is task.parent
                    and other.open
                    and other.project is task.project
                    and other is not task
                )
            )
        done, logged = two(tool, work("done"))
        done.done = 2
        made.booked_ahead |= {id(logged)} if tool == "jira" else set()
    for task in two("asana", work("todo")):
        made.no_priority.add(id(task))
    _in_jira(made, two, work)
    _undated(tasks)
    made.records = records_by_hand.plant(made.organisation, two)
    people_by_hand.plant(tasks, UNREAD)
    made.plans = plans_by_hand.plant(tasks)
    made.histories = histories_by_hand.plant(tasks, UNREAD)
    return made


def _in_jira(
    made: Planted,
    two: Callable[[str, Callable[[Task], bool]], list[Task]],
    work: Callable[[str], Callable[[Task], bool]],
) -> None:
    tasks = made.organisation.tasks
    for task in two("jira", work("todo")):
        task.parent = None
    elsewhere = next(task for task in tasks if task.project.key == UNREAD and task.kind == "epic")
    later = [project.key for project in PROJECTS][[project.key for project in PROJECTS].index(UNREAD) :]
    for task in two("jira", lambda task: work("todo")(task) and task.project.key in later):
        task.parent = elsewhere
    for task in two("jira", work("todo")):
        task.resolution = "Done"
    for task in two("jira", work("todo")):
        made.spent[id(task)] = 0.5

    def begun(task: Task) -> bool:
        return task.status in ("in_progress", "in_review") and bool(task.estimate_h)

    for task, factor in zip(two("jira", begun), (1.2, 1.25), strict=True):
        made.spent[id(task)] = factor * (task.estimate_h or 0)
    for task, hours in zip(two("jira", lambda task: task.kind == "milestone" and task.open), (0, 3), strict=True):
        task.estimate_h = float(hours)
    for epic in two("jira", lambda task: task.kind == "epic" and task.status == "done" and (task.done or 0) < -8):
        epic.status, epic.done, epic.resolution = "in_progress", None, None
    project, lead = PROJECTS[0], made.organisation.leads["PAY"]
    tasks.append(Task(project, "epic", "Nobody broke this down", "in_progress", -40, lead, lead, start=-9, due=40))


def _undated(tasks: list[Task]) -> None:
    """Work that others of another project wait for loses its dates, once in each tool."""
    for tool in ("jira", "asana"):
        before = next(
            before for task in tasks for before in task.waits_for
            if task.project.tool == tool and task.status == "todo" and before.open and before.status != "parked"
            and before.project is not task.project and UNREAD not in (task.project.key, before.project.key)
        )  # fmt: skip
        before.start = before.due = None


# --- into the tools ---------------------------------------------------------------------------------------------------


def write(state: State, made: Planted) -> dict[int, tuple[str, str]]:
    """Fill the tools; returns the tool and the number that each task has there, by identity."""
    days = Days(AS_OF)
    jira_seed.prepare(state)
    asana_tables.prepare(state)
    with state.transaction():
        write_jira(state, made.organisation, days)
        write_asana(state, made.organisation, days)
        issues = state.rows("SELECT id, key FROM jira_issue ORDER BY id")
        written = [row["gid"] for row in state.rows("SELECT gid FROM asana_task ORDER BY gid")]
        keys = {id(task): row["key"] for task, row in zip(made.numbered("jira"), issues, strict=True)}
        ids = {id(task): ("jira", str(row["id"])) for task, row in zip(made.numbered("jira"), issues, strict=True)}
        ids |= {id(task): ("asana", gid) for task, gid in zip(made.numbered("asana"), written, strict=True)}
        for number, hours in made.spent.items():
            change = "UPDATE jira_issue SET fields = json_set(fields, '$.timespent', ?) WHERE key = ?"
            state.db.execute(change, (int(hours * 3600), keys[number]))
        for number in made.booked_ahead:
            jira_seed.add_worklog(
                state, keys[number], _somebody(state), 3600, started_at=days.at(1), logged_at=days.at(-1), counted=False
            )
        for number in made.no_priority:
            ranked = "field = (SELECT gid FROM asana_field WHERE name = 'Priority')"
            state.db.execute(f"DELETE FROM asana_value WHERE item = ? AND {ranked}", (ids[number][1],))
        records_by_hand.write(state, made.records, keys, days)
        plans_by_hand.write(state, made.plans, keys)
        histories_by_hand.write(state, made.histories, keys, days)
        _projects(state, days)
    return ids


def _somebody(state: State) -> str:
    row = state.row("SELECT account_id FROM jira_user ORDER BY account_id DESC")
    assert row
    return str(row["account_id"])


def _projects(state: State, days: Days) -> None:
    """A budget that is used up, a report that is old, and a project that ends before its work."""
    numbers = gids()
    used = "SELECT sum(minutes) / 0.95 FROM asana_time_entry WHERE project = asana_budget.project"
    state.db.execute(f"UPDATE asana_budget SET total_time = ({used}) WHERE project = ?", (numbers["BRAND"],))
    old = f"{days.text(-40)}T07:00:00.000Z"
    state.db.execute("UPDATE asana_status_update SET created_at = ? WHERE parent = ?", (old, numbers["HQ"]))
    state.db.execute("UPDATE asana_project SET due_on = ? WHERE gid = ?", (days.text(1), numbers["EVT"]))


def register() -> dict[str, dict[str, Any]]:
    """What the PMO's register says of each project that is in it."""
    told: dict[str, dict[str, Any]] = {}
    for project in PROJECTS:
        if project.key not in (UNREAD, UNREGISTERED):
            entry = {"phase": PHASES[project.key]} if project.key in PHASES else {}
            entry |= {} if project.key in WITHOUT_SPONSOR else {"sponsor": "Hanna Weber"}
            entry |= {} if project.key in WITHOUT_CHARTER else {"charter_url": "https://acme.example/charter"}
            entry |= {"portfolio": people_by_hand.PORTFOLIO} if project.key == people_by_hand.WAREHOUSE else {}
            told[project.key] = entry | _governed(project.key)
    return told


def _governed(key: str) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if key in GATES:
        entry["gates"] = {
            gate: {"decision": "approved", "on": date.fromisoformat(on)} for gate, on in GATES[key].items()
        }
    if key in PHASE_ENDS:
        entry["phase_due_on"] = date.fromisoformat(PHASE_ENDS[key])
    if key in SCORED:
        entry |= {"priority_score": 7, "priority_scored_on": date.fromisoformat(SCORED[key])}
    if key in AGREED:
        entry |= {"baseline": {"tasks": AGREED[key]}, "tolerances": {"scope_share": 0.1}}
    own = {
        "PAY": {"exception_url": "https://acme.example/exception"},
        "DWH": {"closure_url": "https://acme.example/end", "benefits_owner": "Hanna Weber"},
        "CRM": {"lessons_url": "https://acme.example/learned"},
        "SUS": {"reported_health": "amber"},
        "BRAND": {"path_to_green": "The agency sends a second team."},
    }
    return entry | own.get(key, {})


def waivers() -> list[dict[str, Any]]:
    """The decisions file of waivers."""
    told = {"standard": "PRT906", "reason": "agreed", "approved_by": "pmo@acme.example"}
    begins = AS_OF.isoformat()
    return [
        {"id": f"W-{key}", "project": f"acme-jira/{key}", **told}
        | {"approved_on": date.fromisoformat(begins), "until": date.fromisoformat(until)}
        for key, until in WAIVED
    ]


# --- by hand ----------------------------------------------------------------------------------------------------------


def works(day: int) -> bool:
    """Whether anybody works on that day."""
    found = AS_OF + timedelta(days=day)
    return found.weekday() < 5 and (found.month, found.day) not in HOLIDAYS


def broken(task: Task, made: Planted) -> Iterator[str]:
    """The ids of the standards that a task breaks."""
    status = MAPPED[task.status]
    kind = records_by_hand.kind_of(task, KIND)
    if (task.done or 0) > 0 or id(task) in made.booked_ahead:
        yield "SCH205"
    waits = [before for before in task.waits_for if before.open and before.project.key != UNREAD]
    if status in ("in_progress", "done") and waits:
        yield "LOG309"
    if status is None or status in ("done", "cancelled"):
        return
    if len(task.title) < 10 or "tbd" in task.title.lower():
        yield "DAT106"
    if id(task) in made.no_priority and kind in ("epic", "task", "request"):
        yield "DAT109"
    others = [other for other in made.organisation.tasks if other is not task and other.kind != "separator"]
    if any(
        other.open and other.title == task.title and other.parent is task.parent and home(other) is home(task)
        for other in others
    ):
        yield "DAT110"
    yield from _in_its_place(task, kind, status, [other for other in others if other.parent is task])
    yield from _by_its_dates(task, kind)
    if any(before.due is None and home(before) is not home(task) for before in waits):
        yield "LOG311"
    yield from _by_its_hours(task, kind, status, made.spent.get(id(task), 0))
    if task.project.tool == "jira" and task.resolution is not None:
        yield "FLW505"
    if kind == "request" and status == "todo" and task.created < -14:
        yield "PRT903"


def _in_its_place(task: Task, kind: str, status: str, parts: list[Task]) -> Iterator[str]:
    if kind == "task" and task.parent is None and task.created < -7 and task.project.tool == "jira":
        yield "DAT111"
    if task.parent is not None and task.parent.project.key == UNREAD:
        yield "DAT112"
    if kind == "epic" and status == "in_progress" and not parts:
        yield "DAT113"
    finished = [part.done for part in parts if part.done is not None]
    if finished and max(finished) < -7 and not any(part.open for part in parts):
        yield "FLW509"


def _by_its_dates(task: Task, kind: str) -> Iterator[str]:
    if task.due is None:
        return
    if kind in ("task", "subtask") and task.start is not None:
        days = range(task.start, task.due + 1)
        if sum(works(day) for day in days) > 44:
            yield "SCH207"
    above = task.parent
    if above is not None and above.project.key != UNREAD and above.due is not None and task.due > above.due:
        yield "SCH213"
    if not works(task.due):
        yield "SCH215"


def _by_its_hours(task: Task, kind: str, status: str, spent: float) -> Iterator[str]:
    hours = task.estimate_h
    if kind == "milestone" and hours:
        yield "SCH212"
    if kind in ("task", "subtask") and hours is not None and hours > 80:
        yield "RES405"
    if hours and spent > 1.2 * hours:
        yield "RES406"
    if status == "todo" and spent > 0:
        yield "RES407"


def places(task: Task) -> list[ProjectPlan]:
    """The projects that a task is in: its own, or those of what it is a part of."""
    top = task
    while top.project.tool == "asana" and top.parent is not None:
        top = top.parent
    return [project for project in PROJECTS if project is top.project or project in top.also_in]


def home(task: Task) -> ProjectPlan:
    """The project in which a task is judged."""
    return places(task)[0]


def task_findings(made: Planted) -> set[tuple[int, str]]:
    """The identity of each task, with each standard that it breaks."""
    read = [one for one in made.organisation.tasks if one.kind != "separator" and one.project.key != UNREAD]
    within = records_by_hand.usual(read, KIND, made.records)
    flow = (
        (id(task), standard)
        for task in read
        for standard in records_by_hand.broken(
            task, records_by_hand.kind_of(task, KIND), [one for one in read if one.parent is task], made.records, within
        )
    )
    found = {(id(task), standard) for task in read for standard in broken(task, made)} | set(flow)
    jira = (one for one in read if one.project.tool == "jira")
    found |= {(id(task), standard) for task in jira for standard in histories_by_hand.broken(task, made.histories)}
    return found | set(people_by_hand.task_findings(read, works)) | set(plans_by_hand.task_findings(made.plans))


def other_findings(made: Planted) -> set[tuple[str, str]]:
    """Persons, their weeks, roles and portfolios, with each standard that they break."""
    read = [one for one in made.organisation.tasks if one.kind != "separator" and one.project.key != UNREAD]
    return set(
        people_by_hand.other_findings(read, lambda one: records_by_hand.kind_of(one, KIND), made.spent, works, AS_OF)
    )


def project_findings(made: Planted) -> set[tuple[str, str]]:
    """The key of each project, with each standard that it breaks."""
    read = [project for project in PROJECTS if project.key != UNREAD]
    return {(project.key, standard) for project in read for standard in _broken(project, made)}


def _broken(project: ProjectPlan, made: Planted) -> Iterator[str]:
    key, entry = project.key, register().get(project.key)
    phase = (entry or {}).get("phase", "execution")
    going = [task for task in made.organisation.tasks if task.open and task.kind != "separator"]
    going = [task for task in going if project in places(task)]
    if entry is not None and phase != "closed":
        yield from ["GOV601"] * ("charter_url" not in entry)
        yield from ["GOV602"] * ("sponsor" not in entry)
    yield from _broken_gates(key, phase, made)
    if key == "PAY":
        yield "GOV613"
    scored = SCORED.get(key, "")
    if entry is not None and phase in ("initiation", "planning", "execution") and scored < "2025-12-02":
        yield "PRT902"
    if phase in ("closing", "closed") and going:
        yield "GOV609"
    if key == "DWH":
        yield "GOV610"
    if key == "SUS":
        yield "GOV612"
    if key == "HQ":
        yield from ("GOV606", "GOV611")
    if entry is not None and entry.get("phase") == "execution":
        yield "SCH210"
    inside = [one for one in made.organisation.tasks if one.kind != "separator" and project in places(one)]
    tasks = [one for one in made.organisation.tasks if one.kind != "separator"]

    def is_piece(task: Task) -> bool:
        parts = [one for one in tasks if one.parent is task]
        steps = all(records_by_hand.kind_of(part, KIND) == "subtask" for part in parts)
        return records_by_hand.kind_of(task, KIND) == "task" and steps

    end = _end(project, made)
    yield from plans_by_hand.broken(project, phase, inside, end, made.plans, works, _is_read, tasks, is_piece)
    if project.tool == "jira":
        return
    team = any(key in keys for keys in TEAMS.values())
    if not (team and key in FROM_TEMPLATE and key in BRIEFS) and phase not in ("closing", "closed"):
        yield "GOV604"
    if (key in NOT_REPORTED or key not in REPORTED) and phase not in ("initiation", "closed"):
        yield "GOV605"
    if key == "BRAND":
        yield "EVM705"
    if not any(key in keys for keys in GOALS.values()) and phase in ("initiation", "planning", "execution"):
        yield "PRT901"
    end = _end(project, made)
    assert end is not None
    if phase == "execution" and records_by_hand.late_by_its_pace(project, inside, KIND, end):
        yield "FLW511"
    if any(task.due is not None and task.due > end for task in going) and phase not in ("closing", "closed"):
        yield "SCH214"


def _end(project: ProjectPlan, made: Planted) -> int | None:
    """The last day of a project, where its tool knows one."""
    if project.tool == "jira":
        return None
    mine = [task.due for task in made.organisation.tasks if task.project is project and task.due is not None]
    return 1 if project.key == "EVT" else max(mine) + 14


def _is_read(task: Task) -> bool:
    return task.project.key != UNREAD


def _broken_gates(key: str, phase: str, made: Planted) -> Iterator[str]:
    stories = [task for task in made.organisation.tasks if task.project.key == key and task.kind == "story"]
    begun = any(MAPPED[task.status] in ("in_progress", "done") for task in stories)
    if phase in ("initiation", "planning") and begun and "G2" not in GATES.get(key, {}):
        yield "GOV607"
    ends, decided = PHASE_ENDS.get(key, "9999"), max(GATES.get(key, {"": ""}).values())
    if ends < AS_OF.isoformat() and decided < ends:
        yield "GOV608"


def gids() -> dict[str, str]:
    """What the projects in Asana are numbered, by key."""
    return {project.key: f"12020000000000{n:02}" for n, project in enumerate(ASANA, 1)}
