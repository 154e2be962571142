"""Reads the time of people that is promised to projects, entry by entry, where the mapping asks for it.

A project is looked at again when an entry about it is new, changed, moved to another project, or gone.
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
from pmosync.store.tables import allocation, container, record, scope, site

KIND: Kind = "allocation"
SCOPE: Extra = "allocations"


def allocations(connection: Connection, source: Site, *, again: bool) -> None:
    """Read the site's changed allocations (all of them, with `again`); forget them where nobody asks for them."""
    if SCOPE not in source.mapping.reads:
        connection.execute(delete(allocation).where(allocation.c.site == source.name))
        return
    _touch_promised(connection, source.name)
    which = record.c.site == source.name if again else and_(record.c.site == source.name, record.c.dirty == 1)
    for some in in_chunks(records(connection, source.name, KIND, which, with_gone=True)):
        rows = [row for number, found in some if found is not None and (row := _row(number, found, source))]
        kept = {row["id"] for row in rows}
        connection.execute(
            delete(allocation).where(allocation.c.id.in_([number for number, _ in some if number not in kept]))
        )
        upsert(connection, allocation, rows)
    _touch_promised(connection, source.name)


def _touch_promised(connection: Connection, name: str) -> None:
    """Touch the projects that changed allocations are about, as the table has it now."""
    changed = (
        select(literal("project"), container.c.project_id, literal(1))
        .select_from(record)
        .join(allocation, allocation.c.id == record.c.id)
        .join(container, and_(container.c.site == allocation.c.site, container.c.rid == allocation.c.project))
        .where(record.c.site == name, record.c.kind == KIND, record.c.dirty == 1)
        .distinct()
    )
    touch(connection, changed)


def _row(number: int, found: Record, source: Site) -> dict[str, Any] | None:
    """None: an entry that does not say what it is for, or for which days."""
    values = found.values
    to, who, start, end = (values.get(name) for name in ("project", "person", "start_on", "end_on"))
    if not (isinstance(to, Reference) and _is_day(start) and _is_day(end)):
        return None
    share, weekly = values.get("share"), values.get("weekly")
    return {
        "id": number,
        "site": source.name,
        "project": to.id,
        "person": who.id if isinstance(who, Person) else None,
        "start_on": as_column(start),
        "end_on": as_column(end),
        "share": float(share) if isinstance(share, int | float) and not isinstance(share, bool) else None,
        "weekly_s": weekly.seconds if isinstance(weekly, Duration) else None,
    }


def _is_day(value: Any) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def observe_allocations(connection: Connection, source: Site) -> None:
    """Remember whether the time promised on the site is observed; when that turns, all its projects are looked at."""
    here = and_(scope.c.site == source.name, scope.c.scope == SCOPE)
    seen = connection.scalar(select(scope.c.observed).where(here)) or 0
    now = seen if SCOPE in source.mapping.reads else 1
    before = connection.scalar(select(site.c.allocations_observed).where(site.c.name == source.name))
    if now != before:
        theirs = select(literal("project"), container.c.project_id, literal(1)).where(container.c.site == source.name)
        touch(connection, theirs.distinct())
        connection.execute(update(site).where(site.c.name == source.name).values(allocations_observed=now))
