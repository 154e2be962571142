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
