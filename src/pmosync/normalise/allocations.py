"""Reads the time of people that is promised to projects: it is about both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, literal, select

from pmosync.contract import Duration, Person, Record, Reference
from pmosync.normalise.entries import Entries, Row
from pmosync.normalise.stored import as_column
from pmosync.site import Site
from pmosync.store.people import account
from pmosync.store.tables import allocation, container, record


def _row(number: int, found: Record, source: Site) -> Row | None:
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


def _about() -> Sequence[Select[Any]]:
    projects = (
        select(literal("project"), container.c.project_id, literal(1))
        .select_from(record)
        .join(allocation, allocation.c.id == record.c.id)
        .join(container, and_(container.c.site == allocation.c.site, container.c.rid == allocation.c.project))
    )
    people = (
        select(literal("person"), account.c.human_id, literal(1))
        .select_from(record)
        .join(allocation, allocation.c.id == record.c.id)
        .join(account, and_(account.c.site == allocation.c.site, account.c.rid == allocation.c.person))
    )
    return projects, people


def _whole(name: str) -> Sequence[Select[Any]]:
    projects = select(literal("project"), container.c.project_id, literal(1)).where(container.c.site == name)
    people = select(literal("person"), account.c.human_id, literal(1)).where(account.c.site == name)
    return projects.distinct(), people.distinct()


ALLOCATIONS = Entries("allocation", "allocations", allocation, _row, _about, _whole, seed=True)
