"""The words of the model: options, best or worst first, and the modes that profiles ask in."""

from __future__ import annotations

from typing import Literal

Subject = Literal["task", "project", "person", "person_week", "role_month", "portfolio"]
ABOUT_PEOPLE: tuple[Subject, ...] = ("person", "person_week")
"""What is found about these is for the person and their lead: never written to a tool, and counted without a name."""
PASSING: tuple[Subject, ...] = ("person_week", "role_month")
"""These come into sight and lie behind us as the days go by."""

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""Worst first."""

STATUSES = ("todo", "in_progress", "blocked", "done", "cancelled")
TYPES = ("epic", "task", "subtask", "milestone", "request", "risk", "issue", "change", "decision", "exception", "gate")
PRIORITIES = ("critical", "high", "medium", "low")
PHASES = ("initiation", "planning", "execution", "closing", "closed")
HEALTHS = ("green", "amber", "red")
"""Best first."""
LEVELS = ("very_low", "low", "medium", "high", "very_high")
"""How likely a risk is, or how much it would cost: 1 to 5, and their product is its score."""
SPRINTS = ("future", "active", "closed")
DECISIONS = ("approved", "rejected", "changes_requested")
PROFILES = ("supportive", "controlling", "directive")
MODES = ("observe", "advise", "require")
MODE_OF_PROFILE = {"supportive": "observe", "controlling": "advise", "directive": "require"}

CONSTRAINTS = ("none", "not_before", "not_after", "fixed")
"""What holds the dates of work beside its links; the last two are hard: the links cannot move it later."""
HARD = CONSTRAINTS[2:]

FINISH_TO_START = "blocks"
OTHER_LINKS = ("start_to_start", "finish_to_finish", "start_to_finish")
LINK_TYPES = (FINISH_TO_START, *OTHER_LINKS)
"""`blocks`: the successor may start when the predecessor is finished. The others are counted, and move no date."""


def severity_rank(severity: str) -> int:
    """5 for critical down to 1 for info; the number that SQL compares."""
    return len(SEVERITIES) - SEVERITIES.index(severity)
