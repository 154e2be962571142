"""How single figures are written."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from pmosync.reports import words
from tests.reports.sample import AS_OF, REFUSED, entry, figures, health, rollup


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(0, "just now"), (1, "1 minute ago"), (12, "12 minutes ago"), (119, "119 minutes ago"), (120, "2 hours ago"),
     (2879, "47 hours ago"), (2880, "2 days ago"), (14400, "10 days ago"), (-5, "just now")],
)  # fmt: skip
def test_an_age_is_told_in_the_unit_that_fits(minutes: int, told: str) -> None:
    assert words.age(AS_OF - dt.timedelta(minutes=minutes), AS_OF) == told


def test_what_was_never_read_has_no_age() -> None:
    assert words.age(None, AS_OF) == "never"
    assert words.age_min(None, AS_OF) is None


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Europe/Berlin", "2026-11-22 02:10 UTC+1"),
        ("UTC", "2026-11-22 01:10 UTC"),
        ("Asia/Kolkata", "2026-11-22 06:40 UTC+5:30"),
        ("America/St_Johns", "2026-11-21 21:40 UTC-3:30"),
    ],
)
def test_an_instant_names_its_distance_from_utc(zone: str, told: str) -> None:
    assert words.clock(dt.datetime(2026, 11, 22, 1, 10, tzinfo=dt.UTC).astimezone(ZoneInfo(zone))) == told


@pytest.mark.parametrize(
    ("reported", "computed", "told"),
    [
        ("green", "red", "reported green, computed red: reported better than the data says"),
        ("red", "amber", "reported red, computed amber: reported worse than the data says"),
        ("amber", "amber", "reported and computed amber"),
        ("green", "grey", "reported green, computed grey"),
        (None, "red", "not reported, computed red"),
    ],
)
def test_the_reported_health_stands_beside_the_computed_one(reported: str | None, computed: str, told: str) -> None:
    one = rollup("project/x", "X", None, figures(1, 1, 1, 0, {}), health(computed, "", ""), reported)
    assert words.difference(one) == told


def test_a_site_of_which_a_part_was_not_observed_is_told_so() -> None:
    one = rollup("project/x", "X", None, figures(1, 1, 1, 0, {}), health("grey", "", ""), None)
    assert words.missing(entry(one, unobserved=(REFUSED,))) == "part of acme-jira not observed"
    assert words.missing(entry(one)) == ""


@pytest.mark.parametrize(
    ("url", "opens"),
    [("https://a.b/c", True), ("http://127.0.0.1:1/x", True), ("javascript:alert(1)", False), ("", False),
     (" https://a.b", False), ("https://a.b/c d", False), ("data:text/html,x", False), ("//a.b", False)],
)  # fmt: skip
def test_only_addresses_of_pages_become_links(url: str, opens: bool) -> None:
    assert words.opens(url) is opens
