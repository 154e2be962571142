"""What the day makes of a baseline, as expressions over its lines and the tasks that they are about.

The base set is that of the DCMA: pieces of work (no milestones, summaries or sub-tasks) with a due date in the
baseline, without those that were cancelled or are gone. The status date is the last day that is over, so a task may
still be finished on the day on which it is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, or_, select

from pmosync.store.tables import project, site, task, task_baseline, task_project

HIT_DAYS = 28
"""The days before today in which work that was due is counted as hit, or not."""

_task = task.alias("planned")


def _of_baseline(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """One number about the pieces of work in the baseline of a project; the day is that of the project."""
    member = and_(task_project.c.task_id == _task.c.id, task_project.c.project_id == task_baseline.c.project_id)
    return (
        select(value)
        .select_from(task_baseline.join(_task, _task.c.id == task_baseline.c.task_id).join(task_project, member))
        .where(
            task_baseline.c.project_id == project.c.id,
            task_baseline.c.work == 1,
            task_baseline.c.due_on.is_not(None),
            func.coalesce(_task.c.status, "") != "cancelled",
        )
        .correlate(project, site)
        .scalar_subquery()
    )


def _done() -> ColumnElement[bool]:
    return _task.c.status == "done"


def _due() -> ColumnElement[bool]:
    return task_baseline.c.due_on < site.c.today


def _in_time() -> ColumnElement[bool]:
    return and_(_done(), _task.c.done_on <= task_baseline.c.due_on)


def _known(which: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value, unless of one of these nobody knows when it was finished."""
    unread = and_(which, or_(_task.c.status.is_(None), and_(_done(), _task.c.done_on.is_(None))))
    return case((func.coalesce(func.sum(case((unread, 1))), 0) == 0, value))


def _missed_share() -> ColumnElement[Any]:
    missed = cast(func.avg(case((and_(_due(), _in_time()), 0.0), (_due(), 1.0))), Float)
    return _of_baseline(_known(_due(), missed))


def _hit_share() -> ColumnElement[Any]:
    lately = and_(_due(), task_baseline.c.due_on >= site.c.today - HIT_DAYS)
    hit = cast(func.avg(case((and_(lately, _in_time()), 1.0), (lately, 0.0))), Float)
    return _of_baseline(_known(lately, hit))


def _bei() -> ColumnElement[Any]:
    finished, due = func.sum(case((_done(), 1.0), else_=0.0)), func.sum(case((_due(), 1), else_=0))
    unread = func.coalesce(func.sum(case((_task.c.status.is_(None), 1))), 0)
    return _of_baseline(case((unread == 0, cast(finished / func.nullif(due, 0), Float))))


BASELINE: Mapping[str, Callable[[], ColumnElement[Any]]] = {
    "missed_share": _missed_share,
    "bei": _bei,
    "hit_share": _hit_share,
}
"""Facts of projects that depend on the day, by name."""
