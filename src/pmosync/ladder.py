"""The notice ladder: whom a finding is told, step by step, as working days go by.

| step | from | where it is asked |
|---|---|---|
| held | the day it is found | everywhere, while the standard lets it `persist` first: nobody is told in the tool |
| flag | when it persisted | advised and required |
| reminder | its fix-by date and `remind` working days | required |
| lead | its fix-by date and `lead` working days: the lead's attention | required |
| gate | its fix-by date and `gate` working days: it blocks the gate | required |

What is required from a day on climbs as if that day were the fix-by date of everything older. Steps are compared by
working-day index, and their dates are the first days of that index, so what a mark says and what happens agree.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, null, select

from pmosync.modes import REQUIRE
from pmosync.store.tables import asked, calendar, finding, site
from pmosync.workdays import Workdays, date_of

STEPS = ("held", "flag", "reminder", "lead", "gate")
HELD, FLAG, REMINDER, LEAD, GATE = range(len(STEPS))
FAILING = ("new", "open", "escalated")
"""States of a finding that is neither waived nor accepted nor resolved."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Working days after the fix-by date."""

    remind_d: int = 0
    lead_d: int = 5
    gate_d: int = 10

    @property
    def hash(self) -> str:
        """Equal ladders have equal texts; a changed one is a cause of changed steps."""
        return f"{self.remind_d} {self.lead_d} {self.gate_d}"


USUAL = Ladder()


@dataclass(frozen=True, slots=True)
class Climb:
    """The dates of a required finding that its mark tells."""

    lead_on: dt.date
    gate_on: dt.date


def climb(climb_w: int | None, since: int, ladder: Ladder, workdays: Workdays) -> Climb | None:
    """When a finding reaches the lead and the gate; None: it does not climb.

    Args:
        climb_w: as the store has it.
    """
    if climb_w is None:
        return None
    lead, gate = (max(since, workdays.reaching(climb_w + days)) for days in (ladder.lead_d, ladder.gate_d))
    return Climb(date_of(lead), date_of(gate))


# --- in SQL: the statement holds finding, site and (outer) asked ------------------------------------------------------


def mode_now() -> ColumnElement[int]:
    """How hard a finding's standard is asked of its subject."""
    return func.coalesce(asked.c.mode, 0)


def climb_now() -> ColumnElement[Any]:
    """The working-day index from which a required finding climbs; NULL where it is not required."""
    told = finding.c.since + asked.c.persist_d
    fix = select(calendar.c.n + asked.c.fix_within_d).where(calendar.c.day == told).scalar_subquery()
    first = select(calendar.c.n + 1).where(calendar.c.day == asked.c.began - 1).scalar_subquery()
    return case((asked.c.mode != REQUIRE, null()), (first > fix, first), else_=fix)


def step_now(ladder: Ladder) -> ColumnElement[int]:
    """The step that a finding has reached on its site's day, which may lie before that of the finding: a clock was set
    back, or the zone of the site. What needs not persist is told all the same."""
    since, today_w = climb_now(), site.c.today_w
    return case(
        (and_(asked.c.persist_d > 0, site.c.today < finding.c.since + asked.c.persist_d), HELD),
        (today_w >= since + ladder.gate_d, GATE),
        (today_w >= since + ladder.lead_d, LEAD),
        (today_w >= since + ladder.remind_d, REMINDER),
        else_=FLAG,
    )


def told() -> ColumnElement[bool]:
    """Findings that are told on their task: asked for, not held back, neither waived nor accepted."""
    return and_(finding.c.state.in_(FAILING), finding.c.mode > 0, finding.c.step > HELD)


def blocks_gate() -> ColumnElement[bool]:
    """Findings that block the gate of their project: required, and on the last step."""
    return and_(finding.c.state == "escalated", finding.c.step == GATE)
