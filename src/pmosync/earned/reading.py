"""Reads what earned value is made of, as SQL: plans, progress, bookings, each as one row a project.

What a baseline holds stays in the budget whatever becomes of the task, until the baseline is set again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select

from pmosync.model import BIT
from pmosync.network.plans import CLOSED, STARTED
from pmosync.store.tables import (
    calendar,
    container,
    project,
    project_baseline,
    site,
    task,
    task_baseline,
    task_fact,
    task_project,
)

UNSIZED = ("milestone", "epic", "risk", "issue", "change", "decision")
"""Types that nobody estimates: they are not missed in a budget."""

_due, _begin, _end = calendar.alias("due"), calendar.alias("begin"), calendar.alias("end")
_part, _part_fact = task.alias("part"), task_fact.alias("part_fact")


def terms(numbers: Sequence[int]) -> Select[Any]:
    """By which rules a project counts, what its tool holds of its budget, and whether all of that is observed."""
    seen = (
        select(func.min(site.c.worklogs_observed))
        .join(container, container.c.site == site.c.name)
        .where(container.c.project_id == project.c.id)
        .correlate(project)
        .scalar_subquery()
    )
    return (
        select(
            project.c.id.label("project_id"),
            project.c.hour_cost,
            project_baseline.c.budget_cost,
            project.c.budget_used_cost.label("used_cost"),
            project.c.budget_used_h.label("used_h"),
            project_baseline.c.observed,
            func.coalesce(seen, 1).label("booked_observed"),
        )
        .join(project_baseline, project_baseline.c.project_id == project.c.id)
        .where(project.c.id.in_(numbers))
    )


def _done() -> ColumnElement[Any]:
    """The share of a task that is done, 0 to 1; unknown where nobody can read how it stands."""
    told = case((task.c.percent_done.between(0.0, 100.0), task.c.percent_done / 100.0))
    begun = and_(project.c.half_when_begun == 1, task.c.status.in_(STARTED))
    return case(
        (task.c.id.is_(None), 0.0),
        (task.c.status == "done", 1.0),
        (task.c.status == "cancelled", 0.0),
        (task.c.percent_done.is_not(None), told),
        (task.c.status.is_(None), None),
        (begun, 0.5),
        else_=0.0,
    )


def _booked_h(of: Any, facts: Any) -> ColumnElement[Any]:
    """The hours booked on a task: entry by entry where these are read, else as its field says; unknown without both."""
    return case(
        (of.c.offered.op("&")(BIT["task"]["logged_h"]) != 0, func.coalesce(facts.c.logged_h, 0.0)),
        (of.c.offered.op("&")(BIT["task"]["spent_h"]) != 0, func.coalesce(of.c.spent_h, 0.0)),
    )


def _planned(numbers: Sequence[int], *columns: Any) -> Select[Any]:
    """The tasks of the baselines that carry a budget: with an estimate, and nobody's parent."""
    return (
        select(task_baseline.c.project_id.label("project_id"), *columns)
        .select_from(task_baseline)
        .join(project, project.c.id == task_baseline.c.project_id)
        .join(project_baseline, project_baseline.c.project_id == project.c.id)
        .outerjoin(task, task.c.id == task_baseline.c.task_id)
        .outerjoin(task_fact, task_fact.c.task_id == task.c.id)
        .outerjoin(_due, _due.c.day == task_baseline.c.due_on)
        .outerjoin(_begin, _begin.c.day == task_baseline.c.start_on - 1)
        .outerjoin(_end, _end.c.day == project_baseline.c.due_on)
        .where(task_baseline.c.project_id.in_(numbers), task_baseline.c.leaf == 1, task_baseline.c.estimate_h > 0)
    )


_end_on = func.coalesce(_due.c.day, _end.c.day)
"""The last planned day of a task; without one of its own, that of its project."""
_end_w = func.coalesce(_due.c.n, _end.c.n)
_begin_w = case((_begin.c.n < _end_w, _begin.c.n), else_=_end_w - 1)
"""The position of the day before its first one; what has no planned working day but its last takes that one alone."""
_begin_on = case((task_baseline.c.start_on <= _end_on, task_baseline.c.start_on), else_=_end_on)


def budgets(numbers: Sequence[int]) -> Select[Any]:
    """The sums over the budgeted tasks of each project, in hours."""
    hours, done = task_baseline.c.estimate_h, _done()
    parts = (
        select(literal(1))
        .select_from(_part.join(_part_fact, _part_fact.c.task_id == _part.c.id))
        .where(_part.c.site == task.c.site, _part.c.parent == task.c.rid, _booked_h(_part, _part_fact) > 0)
        .correlate(task)
    )
    booked = or_(_booked_h(task, task_fact) > 0, exists(parts))
    half = and_(project.c.half_when_begun == 1, task.c.status.in_(STARTED))
    told = and_(func.coalesce(task.c.percent_done, 0.0) > 0, task.c.status.not_in(CLOSED))
    finished = task.c.status == "done"
    grown_on = case((finished, task.c.done_on), (told, task.c.updated_day), (half, task.c.status_since_day))
    grown = or_(finished, told, half)
    return _planned(
        numbers,
        func.count().label("tasks"),
        func.sum(hours).label("hours"),
        func.sum(hours * done).label("earned_h"),
        _count(done.is_(None)).label("unread"),
        func.sum(case((or_(booked, and_(half, ~told)), 0.0), else_=hours * done)).label("unbooked_h"),
        _count(_end_w.is_(None)).label("undated"),
        func.min(_begin_on).label("begin_on"),
        func.max(_end_on).label("end_on"),
        func.max(grown_on).label("grown_on"),
        _count(and_(grown, grown_on.is_(None))).label("grown_unknown"),
        func.min(func.coalesce(task.c.observed, 1)).label("observed"),
    ).group_by(task_baseline.c.project_id)


def missing(numbers: Sequence[int]) -> Select[Any]:
    """How many tasks of the baselines lack the estimate that they should have."""
    return (
        select(task_baseline.c.project_id.label("project_id"), func.count().label("missing"))
        .where(
            task_baseline.c.project_id.in_(numbers),
            task_baseline.c.leaf == 1,
            func.coalesce(task_baseline.c.estimate_h, 0.0) <= 0,
            func.coalesce(task_baseline.c.type, "task").not_in(UNSIZED),
        )
        .group_by(task_baseline.c.project_id)
    )


def bends(numbers: Sequence[int]) -> Select[Any]:
    """Where planned value begins to grow faster or slower, in hours a working day."""
    pace = task_baseline.c.estimate_h / (_end_w - _begin_w)
    dated = _end_w.is_not(None)
    begins = _planned(numbers, _begin_w.label("at_w"), pace.label("change")).where(dated)
    ends = _planned(numbers, _end_w.label("at_w"), (-pace).label("change")).where(dated)
    each = begins.union_all(ends).subquery()
    return (
        select(each.c.project_id, each.c.at_w, func.sum(each.c.change))
        .group_by(each.c.project_id, each.c.at_w)
        .order_by(each.c.project_id, each.c.at_w)
    )


def spent(numbers: Sequence[int]) -> Select[Any]:
    """What was booked on all tasks of the project, now or in its baseline, and what is left of the open estimates."""
    here = select(task_project.c.project_id, task_project.c.task_id).where(task_project.c.project_id.in_(numbers))
    planned = select(task_baseline.c.project_id, task_baseline.c.task_id).where(task_baseline.c.project_id.in_(numbers))
    inside = here.union(planned).subquery()
    booked = _booked_h(task, task_fact)
    logged = task.c.offered.op("&")(BIT["task"]["logged_h"]) != 0
    leaf = and_(func.coalesce(task.c.status, "").not_in(CLOSED), task_fact.c.children == 0)
    sized = and_(leaf, func.coalesce(task.c.type, "task").not_in(UNSIZED))
    left = case((task.c.estimate_h > func.coalesce(booked, 0.0), task.c.estimate_h - func.coalesce(booked, 0.0)))
    return (
        select(
            inside.c.project_id,
            func.sum(booked).label("booked_h"),
            _count(booked.is_(None)).label("unread"),
            func.coalesce(func.sum(case((leaf, left))), 0.0).label("left_h"),
            _count(sized).label("open"),
            _count(and_(sized, task.c.estimate_h.is_(None))).label("open_unsized"),
            _count(~logged).label("unlogged"),
            func.max(task_fact.c.logged_on).label("booked_on"),
        )
        .join(task, task.c.id == inside.c.task_id)
        .join(task_fact, task_fact.c.task_id == task.c.id)
        .group_by(inside.c.project_id)
    )


def _count(condition: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
