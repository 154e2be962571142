"""The project model: what a task, a project and a person are, whichever tool they live in.

This is the one registry of fields and facts. The mapping may fill what is marked `mapped`, the register what is marked
`register`; what is marked `history`, `worklogs` or `allocations` is there where the mapping reads these; facts are
computed. The predicate language, the documentation and `standards list` read the same table, so a name means the same
everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Subject = Literal["task", "project"]

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""Worst first."""

STATUSES = ("todo", "in_progress", "blocked", "done", "cancelled")
TYPES = ("epic", "task", "subtask", "milestone", "request", "risk", "issue", "change", "decision")
PRIORITIES = ("critical", "high", "medium", "low")
PHASES = ("initiation", "planning", "execution", "closing", "closed")
HEALTHS = ("green", "amber", "red")
"""Best first."""
PROFILES = ("supportive", "controlling", "directive")
MODES = ("observe", "advise", "require")
MODE_OF_PROFILE = {"supportive": "observe", "controlling": "advise", "directive": "require"}


class Type(StrEnum):
    """What kind of value a field holds; it decides what it can be compared with."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    YESNO = "yes/no"
    OPTION = "option"
    PERSON = "person"
    TASK = "task"


HIGH_FLOAT_D = 44
"""Working days of total float, two months, above which a link is probably missing."""

Source = Literal["mapped", "register", "history", "worklogs", "allocations", "fact", "core"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field or fact of a subject.

    `observed` names the fact that says whether everything this one was computed from was observed; without a name it
    depends on the subject's own scopes alone. `day` marks what changes with the calendar day alone.
    """

    name: str
    type: Type
    meaning: str
    source: Source = "mapped"
    unit: str = ""
    options: tuple[str, ...] = ()
    observed: str | None = None
    day: bool = False
    calendar: bool = False
    """Whether the organisation's working days decide the value."""
    needs: tuple[str, ...] = ()
    """Mapped fields without which a project cannot have this fact."""
    shows: tuple[str, ...] = ()
    """Other fields that stand beside it in the evidence of a finding."""
    counted: bool = False
    """Whether a list that is mapped to it is counted; of any other list the first entry is the value."""
    read: str = ""
    """What a mapping has to `read:` for it where the tool itself holds it, and not a custom field."""


NETWORK = "network_observed"
LOGGED = "worklogs_observed"
ALLOCATED = "allocations_observed"

_task = (
    Field("title", Type.TEXT, "what the work is called"),
    Field("status", Type.OPTION, "where the work stands", options=STATUSES),
    Field("type", Type.OPTION, "what kind of work it is", options=TYPES),
    Field("priority", Type.OPTION, "how important it is", options=PRIORITIES),
    Field("assignee", Type.PERSON, "the one person accountable for it"),
    Field("start_on", Type.DATE, "planned start, a local day"),
    Field("due_on", Type.DATE, "planned finish, a local day"),
    Field("done_on", Type.DATE, "the day it was finished"),
    Field("created_at", Type.INSTANT, "when it was entered in the tool"),
    Field("estimate_h", Type.NUMBER, "estimated effort", unit="h"),
    Field("spent_h", Type.NUMBER, "effort booked on it", unit="h"),
    Field("resolution", Type.TEXT, "how it was closed, in the tool's words"),
    Field("parent", Type.TASK, "the work that it is a part of"),
    Field(
        "status_mapped",
        Type.YESNO,
        "whether the mapping knows the status and the priority that stand in the tool",
        source="core",
    ),
    Field(
        "assignee_active",
        Type.YESNO,
        "whether the assignee's account is active; unknown where the tool does not say",
        source="fact",
        needs=("assignee",),
    ),
    Field(
        "workdays_late",
        Type.NUMBER,
        "working days from due_on (not counted) up to today (counted); negative before the due day",
        source="fact",
        unit="working days",
        day=True,
        calendar=True,
        needs=("due_on",),
    ),
    Field(
        "children",
        Type.NUMBER,
        "how many tasks have it as their parent",
        source="fact",
        observed="children_observed",
    ),
    Field(
        "children_open",
        Type.NUMBER,
        "how many of its children are neither done nor cancelled",
        source="fact",
        observed="children_observed",
    ),
    Field(
        "open_preds",
        Type.NUMBER,
        "how many tasks that it waits for (finish to start) are neither done nor cancelled",
        source="fact",
        observed="preds_observed",
    ),
    Field(
        "latest_pred_due_on",
        Type.DATE,
        "the latest due_on among the open tasks that it waits for",
        source="fact",
        observed="preds_observed",
    ),
    Field(
        "in_cycle",
        Type.YESNO,
        "whether it waits, through its predecessors, for itself (a strongly connected component of two or more, "
        "or a link to itself)",
        source="fact",
        observed="cycle_observed",
        shows=("cycle",),
    ),
    Field(
        "cycle",
        Type.TEXT,
        "one circle that it stands in, by the keys of the tasks",
        source="fact",
        observed="cycle_observed",
    ),
    Field("updated_at", Type.INSTANT, "when anybody but pmosync changed it last"),
    Field("status_since_at", Type.INSTANT, "when it came to stand in its present status", source="history"),
    Field("due_moves", Type.NUMBER, "how often due_on was moved from one date to another", source="history"),
    Field("reopenings", Type.NUMBER, "how often it was done and then was not", source="history"),
    Field("logged_h", Type.NUMBER, "the time booked on it, entry by entry", "worklogs", "h", observed=LOGGED),
    Field("logged_on", Type.DATE, "the latest day for which time is booked on it", "worklogs", observed=LOGGED),
    Field(
        "total_float",
        Type.NUMBER,
        "working days that it may finish later without missing the due date of a project that it leads to or, where "
        "none has one, moving the end of its group of linked tasks; negative when that date cannot be kept. Unknown of "
        "closed work, without dates, and along chains with a missing date or a circle",
        source="fact",
        unit="working days",
        observed=NETWORK,
        day=True,
        calendar=True,
        needs=("due_on",),
        shows=("is_critical",),
    ),
    Field(
        "is_critical",
        Type.YESNO,
        "whether it stands on the longest chain of its group of linked tasks, so that any delay of it moves the end; "
        "unknown without links and wherever dates of the group are missing",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
        needs=("due_on",),
    ),
    Field(
        "missing_pred",
        Type.YESNO,
        "whether an open piece of work (no milestone, summary or sub-task) waits for nothing that is not cancelled; "
        "unknown where no links are read",
        source="fact",
        observed=NETWORK,
    ),
    Field(
        "missing_succ",
        Type.YESNO,
        "whether nothing that is not cancelled waits for an open piece of work; unknown where no links are read",
        source="fact",
        observed=NETWORK,
    ),
)

_project = (
    Field("title", Type.TEXT, "what the project is called"),
    Field("lead", Type.PERSON, "the project manager"),
    Field("start_on", Type.DATE, "planned start of the project"),
    Field("due_on", Type.DATE, "planned end of the project"),
    Field("phase", Type.OPTION, "where the project stands in its life", source="register", options=PHASES),
    Field("sponsor", Type.TEXT, "who owns the business case", source="register"),
    Field("charter_url", Type.TEXT, "where the signed charter is", source="register"),
    Field("archived", Type.YESNO, "whether the tool shows it as archived", source="core"),
    Field("tasks", Type.NUMBER, "tasks in it", source="fact"),
    Field("open_tasks", Type.NUMBER, "tasks in it that are neither done nor cancelled", source="fact"),
    Field(
        "mapping_coverage",
        Type.NUMBER,
        "share of its tasks that the mapping could read without a gap, 0 to 1; unknown in an empty project",
        source="fact",
    ),
    Field("reported_health", Type.OPTION, "how its manager reports it", options=HEALTHS),
    Field("reported_on", Type.DATE, "the day of that report"),
    Field("team", Type.TEXT, "the team that it belongs to"),
    Field("template", Type.TEXT, "what it was made from"),
    Field("has_brief", Type.YESNO, "whether it has a brief that says what it is for"),
    Field("goals", Type.NUMBER, "how many goals it serves", counted=True, read="goals"),
    Field("budget_h", Type.NUMBER, "the time that may be spent on it", unit="h", read="budgets"),
    Field("budget_used_h", Type.NUMBER, "the time of that budget that is used up", unit="h", read="budgets"),
    Field("budget_cost", Type.NUMBER, "the money that may be spent on it", read="budgets"),
    Field("budget_used_cost", Type.NUMBER, "the money of that budget that is used up", read="budgets"),
    Field(
        "allocated_people",
        Type.NUMBER,
        "how many people have or had time promised to it",
        source="allocations",
        observed=ALLOCATED,
    ),
    Field(
        "allocated_until_on",
        Type.DATE,
        "the last day for which time is promised to it",
        source="allocations",
        observed=ALLOCATED,
    ),
    Field(
        "missing_logic_share",
        Type.NUMBER,
        "share of its open pieces of work that lack a predecessor, a successor or both, 0 to 1; unknown when it has "
        "none, or no links are read",
        source="fact",
        observed=NETWORK,
    ),
    Field(
        "high_float_share",
        Type.NUMBER,
        f"share of its open pieces of work with a known total float that have more than {HIGH_FLOAT_D} working days of "
        "it, 0 to 1; unknown when none is known",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
    ),
    Field(
        "negative_float_tasks",
        Type.NUMBER,
        "how many of its open pieces of work would miss the due date of a project that they lead to; unknown when no "
        "such date or no float is known",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
        needs=("due_on",),
    ),
    Field(
        "critical_path_ok",
        Type.YESNO,
        "whether a delay of 600 working days on its critical task moves what is planned last by as much, through the "
        "links inside the project; unknown when no open work is linked, dates are missing there, or it has a circle",
        source="fact",
        observed=NETWORK,
        calendar=True,
    ),
    Field(
        "cpli",
        Type.NUMBER,
        "critical path length index: (working days to its planned end + its total float) / working days to its planned "
        "end; 1 when the plan just keeps the due date. Unknown without a due date, without open work, or when linked "
        "open work has no dates",
        source="fact",
        observed=NETWORK,
        day=True,
        calendar=True,
        needs=("due_on",),
    ),
    Field(
        "unresourced_share",
        Type.NUMBER,
        "share of its open pieces of work of a working day or longer that have no assignee, 0 to 1; unknown when none "
        "is that long or has both dates",
        source="fact",
        observed=NETWORK,
        calendar=True,
    ),
)

FIELDS: Mapping[Subject, Mapping[str, Field]] = {
    "task": {f.name: f for f in _task},
    "project": {f.name: f for f in _project},
}

# Bits are kept in stores: new fields come last.
BIT: Mapping[Subject, Mapping[str, int]] = {
    subject: {name: 1 << position for position, name in enumerate(fields)} for subject, fields in FIELDS.items()
}
"""The bit of each field in the store's masks of fields that a project offers."""

LINK_TYPES = ("blocks",)
"""`blocks`: the successor may start when the predecessor is finished (finish to start)."""


def severity_rank(severity: str) -> int:
    """5 for critical down to 1 for info; the number that SQL compares."""
    return len(SEVERITIES) - SEVERITIES.index(severity)
