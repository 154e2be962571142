"""How the values of pmosync.yaml are spelled: switches, shares, days, holidays, time zones, the store, addresses.

Whatever is refused here is told with the value in it and with what to write instead; nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import holidays

from pmosync.standards.params import held_days
from pmosync.workdays import WEEKDAYS
from pmosync.yamlfile import did_you_mean

_MOST_WORKING_DAYS = 250
_HOLIDAY_YEARS = range(1990, 2051)
"""Holidays outside these years are unknown; the range is fixed so that a new year changes no calendar."""


def one_of(options: Collection[str], kind: str) -> Callable[[str], str]:
    """A check that a word is one of these."""

    def check(word: str) -> str:
        if word in options:
            return word
        hint = did_you_mean(word, options) or "known: " + ", ".join(options)
        raise ValueError(f"there is no {kind} '{word}'; {hint}")

    return check


def switch(value: Any) -> bool:
    """`on` and `off`; YAML 1.2 reads them as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("on", "true", "off", "false"):
        return value.lower() in ("on", "true")
    raise ValueError(f"write on or off, not {_shown(value)}")


def share(value: Any) -> float:
    """`30%` or `0.3`, more than nothing and at most everything."""
    number = value
    if isinstance(value, str):
        try:
            number = float(value.rstrip("% ")) / (100 if value.rstrip().endswith("%") else 1)
        except ValueError:
            number = None
    if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
        raise ValueError(f"write a share such as 30%, not {_shown(value)}")
    if not 0 < number <= 1:
        raise ValueError(f"a share is more than 0% and at most 100%, not {_shown(value)}")
    return float(number)


def held(value: Any) -> int:
    """How long a finding must have held before it is told: `2d`, `1w`."""
    return held_days(str(value))


def working_days(value: Any) -> int:
    """`5d`: a number of working days."""
    text = value.removesuffix("d") if isinstance(value, str) else str(value)
    if not text.isdecimal() or not text.isascii() or int(text) > _MOST_WORKING_DAYS:
        raise ValueError(f"write working days from 0d to {_MOST_WORKING_DAYS}d, not {_shown(value)}")
    return int(text)


def weekdays(value: Any) -> frozenset[int]:
    """`mon-fri`, `sun-thu`, or a list of days; the numbers of the days that are worked."""
    if isinstance(value, str) and "-" in value:
        first, last = (_weekday(name.strip()) for name in value.split("-", 1))
        return frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    days = value.split(",") if isinstance(value, str) else value
    if not isinstance(days, list) or not days:
        raise ValueError(f"write a range such as mon-fri or a list of days, not {_shown(value)}")
    return frozenset(_weekday(str(name).strip()) for name in days)


def _weekday(name: str) -> int:
    return WEEKDAYS.index(one_of(WEEKDAYS, "day of the week")(name.lower()))


def holiday_dates(value: Any) -> tuple[dt.date, ...]:
    """A country (`DE`, with a region `DE-BY`) or a list of dates; empty: no holidays."""
    if value is None:
        return ()
    if isinstance(value, list):
        for day in value:
            if not isinstance(day, dt.date):
                raise ValueError(f"write dates as 2026-12-24, not {_shown(day)}")
        return tuple(sorted(set(value)))
    if not isinstance(value, str):
        raise ValueError(f"write a country such as DE, a list of dates, or null, not {_shown(value)}")
    country, _, region = value.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(f"no holidays are known for '{country}'; write a two-letter country code, or a list of dates")
    if region and region not in known[country]:
        regions = ", ".join(known[country]) or "none"
        raise ValueError(f"no holidays are known for the region '{region}' of {country}; known: {regions}")
    return _of_country(country, region)


@lru_cache
def _of_country(country: str, region: str) -> tuple[dt.date, ...]:
    return tuple(sorted(holidays.country_holidays(country, subdiv=region or None, years=_HOLIDAY_YEARS)))


def time_zone(name: str) -> str:
    """A name of the time zone database, so never an abbreviation that means two zones."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = did_you_mean(name, available_timezones()) if "/" in name else ""
        raise ValueError(f"there is no time zone '{name}'; {close or 'write one such as Europe/Berlin'}") from None
    return name


def store_path(url: str | Path) -> Path:
    """The file of a `sqlite:///` URL; four slashes for an absolute path, as SQLAlchemy writes it."""
    if isinstance(url, Path):  # the default
        return url
    scheme, _, rest = url.partition("://")
    if scheme.split("+")[0] in ("postgresql", "postgres"):
        raise ValueError("PostgreSQL comes with a later version; use sqlite:///pmosync.db")
    if scheme != "sqlite" or not rest.startswith("/") or rest in ("/", "/:memory:") or "?" in rest:
        raise ValueError("write sqlite:/// and the path of a file, such as sqlite:///pmosync.db")
    return Path(rest[1:])


def web_address(value: Any) -> str:
    """Where pages are published: an http(s) address with a slash at its end; empty: nowhere."""
    if value in ("", None):
        return ""
    if not isinstance(value, str) or any(sign.isspace() or not sign.isprintable() for sign in value):
        raise ValueError("write an address such as https://pmo.acme.example/standards/")
    try:
        parts = urlsplit(value)
        host = parts.hostname
        parts.port  # noqa: B018 -- raises when it is no number
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("write an address that begins with https:// or http:// and a host")
    if parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ValueError("write the address of a folder, without ? and #; the names of the pages are added to it")
    return value if value.endswith("/") else f"{value}/"


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)
