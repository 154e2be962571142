"""Looks ahead: the findings that a run on a later day would leave if nothing changed until then.

The very code of a cycle judges the stored data, in a transaction that is undone at its end: nothing is stored, no site
is asked, and what is frozen, waived or blind is so on that day for the same reasons as in a run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select, update

from pmosync import facts, settle
from pmosync.cycle import Outcome, keep_health, verdicts
from pmosync.errors import Misconfigured
from pmosync.facts.days import LAST_DAY
from pmosync.ladder import Ladder
from pmosync.modes import Modes, keep_modes
from pmosync.standards import Standard
from pmosync.store import Store, read_meta
from pmosync.store.tables import site
from pmosync.workdays import Workdays, date_of, day_number


@contextmanager
def ahead(
    store: Store,
    standards: Sequence[Standard],
    waivers: Sequence[Mapping[str, Any]],
    workdays: Workdays,
    day: dt.date,
    modes: Modes,
    ladder: Ladder,
) -> Iterator[tuple[Connection, Outcome]]:
    """The store as it would be on that day, as long as the block lasts, and which findings come and go until then.

    Args:
        waivers: rows of the store's table, as they stand in the decisions.
    """
    number = day_number(day)
    outcome = Outcome()
    with store.trial() as connection:
        _check(connection, number)
        calendar = facts.keep_calendar(connection, workdays)
        if calendar:
            facts.derive(connection, everything=True, links_changed=False)
        days = set(connection.scalars(select(site.c.name).where(site.c.today != number)))
        counted = {
            "today_w": facts.working_day(connection, number),
            "yesterday_w": facts.working_day(connection, number - 1),
        }
        connection.execute(update(site).values(today=number, **counted))
        facts.begin_day(connection)
        keep_health(connection, standards, workdays, everything=True)
        asking = keep_modes(connection, modes, standards, ladder.hash)
        moved = settle.Inputs(calendar=calendar, days=days, asking=asking)
        verdicts(connection, standards, waivers, outcome, moved, ladder, everything=True)
        yield connection, outcome


def _check(connection: Connection, number: int) -> None:
    """Facts are those of now: no earlier day can be judged by them."""
    if read_meta(connection, "judged") is None:
        raise Misconfigured("nothing was judged yet", where="--as-of", hint="run `pmosync sync` first")
    latest = connection.scalar(select(func.max(site.c.today))) or 0
    if not latest <= number <= LAST_DAY:
        raise Misconfigured(
            f"{date_of(number)} cannot be judged: what is stored is that of {date_of(latest)}",
            where="--as-of",
            hint=f"give a day from {date_of(latest)} to {date_of(LAST_DAY)}, or a distance such as +7d",
        )
