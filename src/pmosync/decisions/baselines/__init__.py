"""Baselines of projects: the approved dates, estimates and totals, frozen by a decision, in `decisions/baselines/`.

One file is one baseline of one project, written once and never changed; the newest one that is clear counts. A file
that somebody edited is not clear: it is told with its line, and what is known of its project stays as it is.
"""

from __future__ import annotations

from pmosync.decisions.baselines.folder import FOLDER, Baselines, Unclear, read_baselines, write_baseline
from pmosync.decisions.baselines.keeping import keep_baselines
from pmosync.decisions.baselines.taking import Plan, check_leave, plan_of
from pmosync.decisions.baselines.text import MOST_TASKS, Baseline, Planned

__all__ = [
    "FOLDER",
    "MOST_TASKS",
    "Baseline",
    "Baselines",
    "Plan",
    "Planned",
    "Unclear",
    "check_leave",
    "keep_baselines",
    "plan_of",
    "read_baselines",
    "write_baseline",
]
