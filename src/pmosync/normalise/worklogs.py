"""Reads the time booked on tasks. The neighbours of such a task do not depend on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, literal, select

from pmosync.contract import Duration, Person, Record, Reference
from pmosync.normalise.entries import Entries, Row
from pmosync.normalise.stored import as_column
from pmosync.site import Site
from pmosync.store.tables import record, task, worklog
from pmosync.workdays import day_number


def _row(number: int, found: Record, source: Site) -> Row | None:
    """None: an entry that does not say on what, when or how long."""
    values = found.values
    on, author, started, spent = (values.get(name) for name in ("task", "author", "started", "spent"))
    if not (isinstance(on, Reference) and isinstance(started, dt.date) and isinstance(spent, Duration)):
        return None
    at = started if isinstance(started, dt.datetime) else None
    return {
        "id": number,
        "site": source.name,
        "task": on.id,
        "person": author.id if isinstance(author, Person) else None,
        "at": as_column(at),
        "day": day_number(at.astimezone(source.zone).date() if at else started),
        "seconds": spent.seconds,
    }


def _about() -> Sequence[Select[Any]]:
    rows = select(literal("task"), task.c.id, literal(1)).select_from(record)
    rows = rows.join(worklog, worklog.c.id == record.c.id)
    return (rows.join(task, and_(task.c.site == worklog.c.site, task.c.rid == worklog.c.task)),)


def _whole(name: str) -> Sequence[Select[Any]]:
    return (select(literal("task"), task.c.id, literal(1)).where(task.c.site == name),)


WORKLOGS = Entries("worklog", "worklogs", worklog, _row, _about, _whole, seed=False)
