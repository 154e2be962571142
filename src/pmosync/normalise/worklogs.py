"""Reads the time booked on tasks, entry by entry, where the mapping asks for it.

A task is looked at again when an entry on it is new, changed, moved to another task, or gone.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, and_, delete, literal, select, update

from pmosync.contract import Duration, Extra, Kind, Person, Record, Reference
from pmosync.normalise.stored import as_column, in_chunks, records
from pmosync.normalise.touching import touch
from pmosync.site import Site
from pmosync.store import upsert
from pmosync.store.tables import record, scope, site, task, worklog
from pmosync.workdays import day_number

KIND: Kind = "worklog"
SCOPE: Extra = "worklogs"


def worklogs(connection: Connection, source: Site, *, again: bool) -> None:
    """Read the site's changed worklogs (all of them, with `again`); forget them where nobody asks for them."""
    if SCOPE not in source.mapping.reads:
        connection.execute(delete(worklog).where(worklog.c.site == source.name))
        return
    _touch_booked(connection, source.name)
    which = record.c.site == source.name if again else and_(record.c.site == source.name, record.c.dirty == 1)
    for some in in_chunks(records(connection, source.name, KIND, which, with_gone=True)):
        rows = [row for number, found in some if found is not None and (row := _row(number, found, source))]
        kept = {row["id"] for row in rows}
        connection.execute(
            delete(worklog).where(worklog.c.id.in_([number for number, _ in some if number not in kept]))
        )
        upsert(connection, worklog, rows)
    _touch_booked(connection, source.name)


def _touch_booked(connection: Connection, name: str) -> None:
    """Touch the tasks on which changed worklogs are booked, as the table has it now; their neighbours do not count."""
    changed = (
        select(literal("task"), task.c.id, literal(1))
        .select_from(record)
        .join(worklog, worklog.c.id == record.c.id)
        .join(task, and_(task.c.site == worklog.c.site, task.c.rid == worklog.c.task))
        .where(record.c.site == name, record.c.kind == KIND, record.c.dirty == 1)
        .distinct()
    )
    touch(connection, changed, seed=False)


def _row(number: int, found: Record, source: Site) -> dict[str, Any] | None:
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


def observe_worklogs(connection: Connection, source: Site) -> None:
    """Remember whether the time booked on the site is observed; when that turns, all its tasks are looked at again."""
    here = and_(scope.c.site == source.name, scope.c.scope == SCOPE)
    seen = connection.scalar(select(scope.c.observed).where(here)) or 0
    now = seen if SCOPE in source.mapping.reads else 1
    before = connection.scalar(select(site.c.worklogs_observed).where(site.c.name == source.name))
    if now != before:
        touch(connection, select(literal("task"), task.c.id, literal(1)).where(task.c.site == source.name), seed=False)
        connection.execute(update(site).where(site.c.name == source.name).values(worklogs_observed=now))
