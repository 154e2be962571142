"""The working days of the organisation as a table, so that SQL can count them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, delete, literal, select

from pmosync.store import insert_all, read_meta, write_meta
from pmosync.store.tables import calendar
from pmosync.workdays import Workdays, day_number

FIRST_DAY = day_number(dt.date(1995, 1, 1))
LAST_DAY = day_number(dt.date(2049, 12, 31))


def keep_calendar(connection: Connection, workdays: Workdays) -> bool:
    """Write the working-day index when the calendar is not the stored one; returns whether it changed."""
    if read_meta(connection, "calendar") == workdays.hash:
        return False
    connection.execute(delete(calendar))
    index = workdays.index(FIRST_DAY, LAST_DAY)
    insert_all(connection, calendar, [{"day": FIRST_DAY + i, "n": n} for i, n in enumerate(index)])
    write_meta(connection, "calendar", workdays.hash)
    return True


def working_day(connection: Connection, day: int) -> int | None:
    """The working-day index of a day, None outside the calendar."""
    return connection.scalar(select(calendar.c.n).where(calendar.c.day == literal(day)))
