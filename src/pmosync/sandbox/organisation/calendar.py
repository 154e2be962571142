"""Turns the organisation's day numbers into dates and instants around the day it is made for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Days:
    """Day zero is `as_of`."""

    as_of: date

    def on(self, day: int | None) -> date | None:
        return None if day is None else self.as_of + timedelta(days=day)

    def text(self, day: int | None) -> str | None:
        found = self.on(day)
        return found.isoformat() if found else None

    def at(self, day: int, salt: int = 0) -> datetime:
        """An instant of working time on that day; `salt` spreads things that happened on one day."""
        start = datetime.combine(self.as_of + timedelta(days=day), time(7, 0), tzinfo=UTC)
        return start + timedelta(minutes=salt * 7 % 480, milliseconds=salt * 13 % 1000)
