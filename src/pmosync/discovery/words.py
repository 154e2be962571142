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

UPDATED = ("updated", "modified_at")
"""Where a tool says when a task was changed last."""

STATUS_FIELDS = ("status", "Stage", "Status", "Task status", "Task stage", "Task progress", "section")
"""Lists that say where work stands, the most telling first; `section` is what a board without a field uses."""
TYPE_FIELDS = ("issuetype", "resource_subtype")
PRIORITY_FIELDS = ("priority", "Priority", "Task priority")

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
    "request": ("request", "service request", "support request"),
    "risk": ("risk",),
    "issue": ("project issue",),
    "change": ("change", "change request"),
    "decision": ("decision",),
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

PREDECESSOR_LINKS = ("blocks",)
"""Names or outward wordings of links between a task and one that must wait for it."""
