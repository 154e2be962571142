"""The organisation's working days: which days of the week are worked, and which dates are holidays.

A working-day index is counted from one fixed day, so the index of a date depends on the calendar alone, never on the
range that somebody asked for. Days are numbers: days since 1970-01-01.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

_EPOCH = dt.date(1970, 1, 1)
_EPOCH_WEEKDAY = _EPOCH.weekday()

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Names of the days in calendars, Monday first, as `date.weekday` counts them."""


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def date_of(day: int) -> dt.date:
    """The opposite of `day_number`."""
    return _EPOCH + dt.timedelta(days=day)


@dataclass(frozen=True, slots=True)
class Workdays:
    """Days of the week that are worked (0 is Monday), less the holidays.

    `holidays` holds day numbers in order, and only of days that would be worked otherwise: see `workdays`.
    """

    weekdays: frozenset[int]
    holidays: tuple[int, ...]

    @property
    def hash(self) -> str:
        """Equal calendars have equal hashes; a changed one is a cause of changed findings."""
        text = f"{sorted(self.weekdays)} {self.holidays}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def at(self, day: int) -> int:
        """Working days from 1970-01-01 up to and including this day; less than 0 before that."""
        weeks, rest = divmod(day + 1, 7)
        count = weeks * len(self.weekdays)
        count += sum((_EPOCH_WEEKDAY + offset) % 7 in self.weekdays for offset in range(rest))
        return count - (bisect_right(self.holidays, day) - bisect_right(self.holidays, -1))

    def index(self, first_day: int, last_day: int) -> list[int]:
        """The index of every day from the first to the last, both included.

        The working days from a (not counted) to b (counted) are `at(b) - at(a)`.
        """
        off = set(self.holidays)
        count = self.at(first_day - 1)
        indices = []
        for day in range(first_day, last_day + 1):
            count += (day + _EPOCH_WEEKDAY) % 7 in self.weekdays and day not in off
            indices.append(count)
        return indices

    def reaching(self, index: int) -> int:
        """The first day whose index is at least this."""
        day = index * 7 // len(self.weekdays)
        while (missing := index - self.at(day)) > 0:
            day += missing
        while self.at(day - 1) >= index:
            day -= 1
        return day

    def works(self, day: int) -> bool:
        return (day + _EPOCH_WEEKDAY) % 7 in self.weekdays and day not in self.holidays


def workdays(weekdays: Iterable[int], holidays: Iterable[dt.date] = ()) -> Workdays:
    """A calendar; holidays on days that are free anyway change nothing, not even the hash."""
    worked = frozenset(weekdays)
    off = sorted({day_number(day) for day in holidays if day.weekday() in worked})
    return Workdays(worked, tuple(off))
