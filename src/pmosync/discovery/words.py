"""What fields and options are usually called: the only knowledge from which a mapping is suggested.

Only whole names count, without regard to case, spaces and hyphens; what is called otherwise is left for a person to
decide.
"""

from __future__ import annotations

from collections.abc import Mapping

Groups = tuple[tuple[str, ...], ...]
"""Ids or names of fields. The first group of which the site has any is taken; its fields answer in this order."""

TASK: Mapping[str, Groups] = {
    "title": (("summary",), ("name",), ("title",)),
    "assignee": (("assignee",),),
    "start_on": (("start_on", "start_at"), ("Start date",), ("Target start",), ("Planned start",)),
    "due_on": (("duedate",), ("due_on", "due_at"), ("Due date",)),
    "done_on": (("resolutiondate",), ("completed_at",)),
    "estimate": (("timeoriginalestimate",), ("Estimated time",), ("Estimated hours",)),
    "spent": (("timespent",), ("actual_time_minutes",), ("Actual time",)),
    "resolution": (("resolution",),),
    "parent": (("parent",),),
}

TASK_MORE: Mapping[str, Groups] = {
    "started_on": (("Actual start",), ("Actual start date",)),
    "percent_done": (
        ("% complete",), ("Percent complete",), ("Percentage complete",), ("% done",), ("Percent done",),
    ),
    "blocked_reason": (("Blocked reason",), ("Reason blocked",), ("Reason for blocking",)),
    "risk_response": (("Risk response",), ("Risk response strategy",), ("Risk strategy",), ("Risk treatment",)),
    "risk_score": (("Risk score",),),
    "reviewed_on": (("Reviewed on",), ("Last reviewed",), ("Last reviewed on",), ("Last review date",)),
    "decided_on": (("Decided on",), ("Decision date",), ("Approved on",), ("Approval date",)),
}  # fmt: skip
"""What few tools hold of a task."""

DESCRIPTION = ("description", "notes")
"""Where people write what a task is about. A mapping that asks for it has the whole text of every task read."""
SPRINT = "Sprint.latest"

PROJECT: Mapping[str, Groups] = {
    "title": (("name",),),
    "lead": (("lead",), ("owner",)),
    "start_on": (("start_on",), ("Start date",)),
    "due_on": (("due_on",), ("Due date",), ("End date",)),
}

PROJECT_MORE: Mapping[str, Groups] = {
    "reported_on": (("status_on",),),
    "team": (("team",),),
    "template": (("template",),),
    "has_brief": (("brief",),),
    "goals": (("goals",),),
    "budget_h": (("budget_time",),),
    "budget_used_h": (("budget_time_used",),),
    "budget_cost": (("budget_cost",),),
    "budget_used_cost": (("budget_cost_used",),),
}
"""What few tools hold of a project."""

PROJECT_GOVERNED: Mapping[str, Groups] = {
    "sponsor": (("Sponsor",), ("Project sponsor",), ("Executive sponsor",)),
    "charter_url": (("Charter",), ("Project charter",), ("Charter URL",), ("Charter link",)),
    "phase_due_on": (("Phase end",), ("Phase end date",), ("Phase due date",)),
    "project_class": (("Project class",),),
    "lessons_url": (("Lessons learned",), ("Lessons learned URL",), ("Lessons learned link",)),
    "closure_url": (("Closure report",), ("Project closure report",)),
    "benefits_owner": (("Benefits owner",), ("Benefit owner",)),
    "strategic_goal": (("Strategic goal",), ("Strategic objective",)),
    "priority_score": (("Priority score",), ("Prioritization score",), ("Prioritisation score",)),
    "priority_scored_on": (("Scored on",), ("Priority scored on",)),
    "funded": (("Funded",), ("Approved funding",), ("Released funds",)),
    "spent": (("Spent",), ("Actual cost",), ("Actual costs",), ("Cost to date",)),
    "path_to_green": (("Path to green",),),
    "exception_url": (("Exception report",),),
}
"""What the register holds of a project, where no field of the tool does."""

UPDATED = ("updated", "modified_at")
"""Where a tool says when a task was changed last."""

STATUS_FIELDS = ("status", "Stage", "Status", "Task status", "Task stage", "Task progress", "section")
"""Lists that say where work stands, the most telling first; `section` is what a board without a field uses."""
TYPE_FIELDS = ("issuetype", "resource_subtype")
PRIORITY_FIELDS = ("priority", "Priority", "Task priority")
PHASE_FIELDS = ("Project phase", "Phase")
DECISION_FIELDS = ("approval_status", "Decision", "Approval status")
PROBABILITY_FIELDS = ("Risk probability", "Risk likelihood", "Probability", "Likelihood")
IMPACT_FIELDS = ("Risk impact",)
IMPACT_BESIDE = ("Impact",)
"""A name that says the impact of a risk only where another field says how likely one is: incidents have an impact."""

HEALTH_FIELDS = ("status", "Status", "Health", "RAG")
"""Lists in which a project manager says how a project is."""

STATUS: Mapping[str, tuple[str, ...]] = {
    "blocked": (
        "blocked", "on hold", "hold", "waiting", "waiting for vendor", "waiting for customer", "waiting for support",
        "waiting for approval", "waiting on others", "pending", "paused", "impeded", "stuck", "suspended",
    ),
    "cancelled": (
        "cancelled", "canceled", "won't do", "won't fix", "rejected", "declined", "abandoned", "dropped", "duplicate",
        "obsolete", "withdrawn",
    ),
    "todo": (
        "to do", "to-do", "open", "backlog", "new", "not started", "planned", "ready", "reopened", "next", "later",
        "selected for development",
    ),
    "in_progress": (
        "in progress", "doing", "started", "active", "working on it", "in development", "in review", "review",
        "in testing", "testing", "code review", "ongoing", "this week",
    ),
    "done": ("done", "closed", "resolved", "complete", "completed", "finished", "released", "accepted"),
}  # fmt: skip

STATUS_CATEGORIES = {"todo": "new", "in_progress": "indeterminate", "done": "done"}

TYPE: Mapping[str, tuple[str, ...]] = {
    "epic": ("epic",),
    "task": (
        "task", "story", "user story", "bug", "improvement", "new feature", "feature", "technical task", "spike",
        "default_task", "approval", "custom",
    ),
    "subtask": ("sub-task", "subtask"),
    "milestone": ("milestone",),
    "request": ("request", "service request", "support request", "[system] service request"),
    "risk": ("risk",),
    "issue": ("project issue",),
    "change": ("change", "change request", "[system] change"),
    "decision": ("decision",),
    "exception": ("exception", "exception report"),
    "gate": ("gate", "phase gate", "stage gate"),
}  # fmt: skip

TYPE_CATEGORIES = {"epic": "1", "task": "0", "subtask": "-1"}
"""Levels of a hierarchy, as text."""

PRIORITY: Mapping[str, tuple[str, ...]] = {
    "critical": ("highest", "critical", "blocker", "urgent", "immediate"),
    "high": ("high", "major"),
    "medium": ("medium", "normal"),
    "low": ("low", "lowest", "minor", "trivial"),
    "empty": ("none", "not set", "no priority", "unset"),
}

HEALTH: Mapping[str, tuple[str, ...]] = {
    "green": ("green", "on track", "complete"),
    "amber": ("amber", "yellow", "at risk", "on hold"),
    "red": ("red", "off track", "dropped"),
}

PHASE: Mapping[str, tuple[str, ...]] = {
    "initiation": ("initiation", "initiating"),
    "planning": ("planning",),
    "execution": ("execution", "executing"),
    "closing": ("closing", "closure", "close-out"),
    "closed": ("closed",),
}

DECISION: Mapping[str, tuple[str, ...]] = {
    "approved": ("approved",),
    "rejected": ("rejected", "declined"),
    "changes_requested": ("changes requested", "request changes"),
    "empty": ("pending", "not decided", "undecided"),
}

PROBABILITY: Mapping[str, tuple[str, ...]] = {
    "very_low": ("very low", "rare"),
    "low": ("low", "unlikely"),
    "medium": ("medium", "possible"),
    "high": ("high", "likely"),
    "very_high": ("very high", "almost certain"),
}

IMPACT: Mapping[str, tuple[str, ...]] = {
    "very_low": ("very low", "negligible", "insignificant"),
    "low": ("low", "minor"),
    "medium": ("medium", "moderate"),
    "high": ("high", "major"),
    "very_high": ("very high", "catastrophic"),
}

SPRINT_CATEGORIES = {"future": "future", "active": "active", "closed": "closed"}

PREDECESSOR_LINKS = ("blocks",)
"""Names or outward wordings of links between a task and one that must wait for it."""
