"""What pmosync.yaml says about running unattended: when each site is synced and reconciled, and where health is told.

A schedule is five cron fields, as cron itself reads them (0 and 7 are Sunday; days of the month and days of the week
together mean either), in the zone of the site. One that never comes is refused when it is read.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from pmosync.workdays import WEEKDAYS

Verb = Literal["sync", "reconcile"]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SUNDAY_FIRST = (WEEKDAYS[-1], *WEEKDAYS)
"""The days of the week at the places of their cron numbers: 0 and 7 are Sunday."""
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("", *MONTHS)),
    ("day of the week", 0, 7, SUNDAY_FIRST),
)
"""Each field's name, its first and last number, and the words for its numbers."""
HINT = 'write five fields such as "*/5 * * * *" (every five minutes) or "0 2 * * *" (at two in the night)'
SOME_DAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
"""The beginning of a leap year: every day that a schedule can mean comes after it."""


@dataclass(frozen=True, slots=True)
class Cron:
    """One schedule."""

    text: str
    numbers: tuple[tuple[int, ...], ...]
    """Of each field, those that count; empty: all."""

    def trigger(self, zone: ZoneInfo) -> BaseTrigger:
        """What a scheduler takes."""
        minute, hour, day, month, weekday = (",".join(map(str, one)) or "*" for one in self.numbers)
        fixed: dict[str, Any] = {"minute": minute, "hour": hour, "month": month, "second": "0", "timezone": zone}
        named = ",".join(dict.fromkeys(SUNDAY_FIRST[number] for number in self.numbers[-1]))
        if day != "*" and weekday != "*":
            return OrTrigger([CronTrigger(day=day, **fixed), CronTrigger(day_of_week=named, **fixed)])
        return CronTrigger(day=day, day_of_week=named or "*", **fixed)

    def next_after(self, instant: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
        """The first time that it comes after this instant, in UTC; None: never."""
        later = (instant.astimezone(dt.UTC) + dt.timedelta(microseconds=1)).astimezone(zone)  # local sums lose the fold
        found: dt.datetime | None = self.trigger(zone).get_next_fire_time(None, later)
        return found and found.astimezone(dt.UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a site is read for what changed, and when everything is read and proven."""

    sync: Cron
    reconcile: Cron

    def of(self, verb: Verb) -> Cron:
        """The schedule of one verb."""
        return self.sync if verb == "sync" else self.reconcile


def cron(value: Any) -> Cron:
    """Five cron fields as text."""
    if not isinstance(value, str):
        raise ValueError(f"'{value}' is no schedule; {HINT}")
    fields = value.split()
    if len(fields) != len(FIELDS):
        raise ValueError(f"'{value}' has {len(fields)} fields and not five; {HINT}")
    numbers = tuple(_numbers(text.lower(), *field) for text, field in zip(fields, FIELDS, strict=True))
    found = Cron(" ".join(fields), numbers)
    if found.next_after(SOME_DAY, ZoneInfo("UTC")) is None:
        raise ValueError(f"'{value}' never comes: no such month has such a day; {HINT}")
    return found


def _numbers(text: str, name: str, first: int, last: int, words: tuple[str, ...]) -> tuple[int, ...]:
    """The numbers that a field means; empty: all."""
    if text == "*":
        return ()
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = (str(first), "-", str(last)) if span == "*" else span.partition("-")
        low = _number(begin, words)
        high = _number(end, words) if dash else last if slash else low
        if span == "*" and words is SUNDAY_FIRST:
            high = last - 1  # so that Sunday does not come twice
        width = _number(step, ()) if slash else 1
        if low is None or high is None or not width:
            raise ValueError(f"'{part}' is no {name}; {HINT}")
        if not first <= low <= high <= last:
            raise ValueError(f"'{part}' is no {name}: it goes from {first} to {last}")
        found.update(range(low, high + 1, width))
    return tuple(sorted(found))


def _number(text: str, words: tuple[str, ...]) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    return words.index(text) if text and text in words else None


# --- where health is told ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback


def address(value: str) -> Address:
    """`127.0.0.1:9464`, `[::1]:9464` or `localhost:9464`; port 0 takes a free one."""
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(port)
        if host != "localhost":
            ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"'{value}' is no address to listen on; write one such as 127.0.0.1:9464") from None
    return Address(host, int(port))


def loopback(value: Any) -> Address:
    """An address that a file may name: who opens it to other machines says so where the daemon is started."""
    found = address(str(value))
    if not found.loopback:
        raise ValueError(
            f"'{value}' can be reached from other machines; write 127.0.0.1:{found.port}, or start the daemon with "
            f"`--listen {found}` if that is meant"
        )
    return found
