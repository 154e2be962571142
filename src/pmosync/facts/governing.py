"""Facts of projects by which they are governed: what was begun early, what waits for a decision, who was there last."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, func

from pmosync.facts.tasks import is_open
from pmosync.store.tables import project, task


def governing() -> tuple[Any, ...]:
    """Columns of the SELECT over the tasks of each project."""
    begun = and_(task.c.phase == "execution", task.c.status.in_(("in_progress", "done")))
    waiting = and_(task.c.type == "exception", is_open(task))
    registered = case((project.c.exception_url.is_not(None), 1), else_=0)
    return (
        func.coalesce(func.sum(case((begun, 1), else_=0)), 0).label("execution_tasks_started"),
        (func.coalesce(func.sum(case((waiting, 1), else_=0)), 0) + registered).label("exception_reports_open"),
        func.max(task.c.updated_day).label("last_activity_on"),
    )
