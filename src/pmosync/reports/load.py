"""The load of people against what they can do, week by week, as the last run left it.

Without a wish for more it is added up, and names nobody; one by one it is for the persons themselves and their lead.
Whose hours or whose working time nobody knows is counted apart, and never as free or as nothing to do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from pmosync.network import CLOSED
from pmosync.store.people import account, human, human_fact, person_week
from pmosync.store.tables import task, task_project
from pmosync.workdays import date_of

HOURS = ("allocated_h", "requested_h", "promised_h", "capacity_h")
DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Week:
    """What somebody has to do in a week, and can."""

    week_on: dt.date
    allocated_h: float | None
    requested_h: float | None
    promised_h: float | None
    capacity_h: float | None

    @property
    def known(self) -> bool:
        return self.allocated_h is not None and self.capacity_h is not None

    @property
    def over(self) -> bool:
        """Whether it is more than they can do."""
        return self.allocated_h is not None and self.capacity_h is not None and self.allocated_h > self.capacity_h


@dataclass(frozen=True, slots=True)
class Loaded:
    """One person."""

    id: str
    name: str
    role: str | None
    weeks: tuple[Week, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """Everybody in a week, as far as it is known."""

    week_on: dt.date
    people: int
    """Whose hours and working time are both known: the sums are theirs."""
    over: int
    """Those of them who have more to do than they can."""
    allocated_h: float | None
    capacity_h: float | None


@dataclass(frozen=True, slots=True)
class Load:
    """The weeks ahead; persons stand in it only when somebody asked for them."""

    people: int
    totals: tuple[Total, ...]
    persons: tuple[Loaded, ...] | None

    @property
    def weeks(self) -> tuple[dt.date, ...]:
        """The Mondays."""
        return tuple(one.week_on for one in self.totals)

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        persons = None if self.persons is None else [_plain(asdict(one)) for one in self.persons]
        return {"people": self.people, "weeks": [_plain(asdict(one)) for one in self.totals], "persons": persons}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def load(connection: Connection, projects: Collection[int] | None, *, persons: bool) -> Load | None:
    """The load of everybody; None where no week is known.

    Args:
        projects: only of those who have open work in these, by their number in the store; None: everybody who has
            work, or is in the people file.
        persons: tell them one by one.
    """
    rows = (
        select(person_week, human.c.uid, human.c.title.label("name"))
        .join(human, human.c.id == person_week.c.human_id)
        .join(human_fact, human_fact.c.human_id == human.c.id)
        .where(_among(projects))
        .order_by(human.c.title, human.c.uid, person_week.c.week_on)
    )
    found: dict[str, Loaded] = {}
    for row in connection.execute(rows):
        week = Week(date_of(row.week_on), *(getattr(row, name) for name in HOURS))
        before = found.get(row.uid)
        weeks = (*before.weeks, week) if before else (week,)
        found[row.uid] = Loaded(row.uid, row.name or row.uid, row.role, weeks)
    if not found:
        return None
    mondays = sorted({week.week_on for one in found.values() for week in one.weeks})
    every = [week for one in found.values() for week in one.weeks]
    totals = tuple(_total(monday, [week for week in every if week.week_on == monday]) for monday in mondays)
    return Load(len(found), totals, tuple(found.values()) if persons else None)


def _among(projects: Collection[int] | None) -> Any:
    if projects is None:
        return or_(human_fact.c.open_tasks > 0, human.c.listed == 1)
    open_work = (
        select(account.c.human_id)
        .join(task, (task.c.site == account.c.site) & (task.c.assignee == account.c.rid))
        .join(task_project, task_project.c.task_id == task.c.id)
        .where(task_project.c.project_id.in_(projects), or_(task.c.status.is_(None), task.c.status.not_in(CLOSED)))
    )
    return human.c.id.in_(open_work)


def _total(monday: dt.date, weeks: Sequence[Week]) -> Total:
    known = [one for one in weeks if one.known]
    over = sum(one.over for one in known)
    allocated_h, capacity_h = _sum(one.allocated_h for one in known), _sum(one.capacity_h for one in known)
    return Total(monday, len(known), over, allocated_h, capacity_h)


def _sum(values: Iterable[float | None]) -> float | None:
    """Of nobody it is not known."""
    found = [value for value in values if value is not None]
    return round(sum(found), DECIMALS) if found else None
