"""What the plan says about one task, as SQL: the same expressions for the network pass and for the facts.

A day's position is the number of working days up to and including it, so a task from `start_on` to `due_on` takes the
position of `due_on` less that of the day before `start_on`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, exists, func, not_, or_

from pmosync.store.tables import task

CLOSED = ("done", "cancelled")
STARTED = ("in_progress", "blocked")
PLANNED = ("epic", "task", "subtask", "milestone")
"""The types of work that is planned; risks, decisions, requests and the like are records about it."""
STEPS = "subtask"
"""Sub-tasks are steps of their parent: they do not make a summary of it, and are not asked for links of their own."""


def worked_days(of: FromClause, due_w: ColumnElement[Any], begin_w: ColumnElement[Any]) -> ColumnElement[Any]:
    """Working days that the plan gives it; unknown where a date is missing, or the start lies behind the finish."""
    return case((of.c.start_on <= of.c.due_on, due_w - begin_w))


def length_w(of: FromClause, due_w: ColumnElement[Any], begin_w: ColumnElement[Any]) -> ColumnElement[Any]:
    """Working days that it still needs once what it waits for is finished.

    Of work that was started nobody knows how much is left: it ends as planned, or from the day after on any day now.
    """
    return case(
        (of.c.status.is_(None), None),
        (of.c.type == "milestone", 0),
        (of.c.status.in_(STARTED), 0),
        else_=worked_days(of, due_w, begin_w),
    )


def is_planned(of: FromClause) -> ColumnElement[bool]:
    """Work that a baseline holds: it is not cancelled, and none of the PMO's records."""
    kind = or_(of.c.type.is_(None), of.c.type.in_(PLANNED))
    return and_(func.coalesce(of.c.status, "") != "cancelled", kind)


def is_piece(of: FromClause) -> ColumnElement[bool]:
    """A task that is no milestone, no summary, no sub-task and none of the PMO's records (risks, decisions)."""
    part = task.alias("part")
    kind = func.coalesce(part.c.type, "task")
    summary = exists().where(part.c.site == of.c.site, part.c.parent == of.c.rid, kind != STEPS)
    return and_(func.coalesce(of.c.type, "task") == "task", not_(summary))


def is_work(of: FromClause) -> ColumnElement[bool]:
    """A piece of work that is open."""
    return and_(func.coalesce(of.c.status, "").not_in(CLOSED), is_piece(of))
