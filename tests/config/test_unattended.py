"""Schedules and the address to listen on: what is understood, and what is refused with a sentence."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from tests.config.conftest import Configured

from pmosync.config.unattended import address, cron, loopback
from pmosync.errors import Misconfigured

BERLIN = ZoneInfo("Europe/Berlin")


def times(text: str, begin: str, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """The next times of a schedule, as people in the zone see them."""
    found, now = [], dt.datetime.fromisoformat(begin).replace(tzinfo=zone)
    for _ in range(count):
        following = cron(text).next_after(now, zone)
        assert following is not None
        assert following > now
        now = following
        found.append(now.astimezone(zone).strftime("%a %m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/20 * * * *", ["Fri 11-20 09:20", "Fri 11-20 09:40", "Fri 11-20 10:00"]),
        ("0 2 * * *", ["Sat 11-21 02:00", "Sun 11-22 02:00", "Mon 11-23 02:00"]),
        ("30 6 * * 1-5", ["Mon 11-23 06:30", "Tue 11-24 06:30", "Wed 11-25 06:30"]),
        ("30 6 * * 0", ["Sun 11-22 06:30", "Sun 11-29 06:30", "Sun 12-06 06:30"]),
        ("30 6 * * 7", ["Sun 11-22 06:30", "Sun 11-29 06:30", "Sun 12-06 06:30"]),
        ("30 6 * * mon,THU", ["Mon 11-23 06:30", "Thu 11-26 06:30", "Mon 11-30 06:30"]),
        ("0 0 1 jan-feb *", ["Fri 01-01 00:00", "Mon 02-01 00:00", "Sat 01-01 00:00"]),
        ("0 0 1 * mon", ["Mon 11-23 00:00", "Mon 11-30 00:00", "Tue 12-01 00:00"]),
        ("0 0 * * */3", ["Sat 11-21 00:00", "Sun 11-22 00:00", "Wed 11-25 00:00"]),
        ("5/20 9 * * *", ["Fri 11-20 09:05", "Fri 11-20 09:25", "Fri 11-20 09:45"]),
    ],
)
def test_a_schedule_comes_when_cron_would_let_it_come(text: str, expected: list[str]) -> None:
    assert times(text, "2026-11-20 09:00:00", len(expected)) == expected


def test_a_time_that_the_change_to_summer_skips_comes_that_day_nevertheless() -> None:
    spring = times("30 2 * * *", "2026-03-28 12:00:00", 3)
    assert [one.split()[1] for one in spring] == ["03-29", "03-30", "03-31"]


def test_no_interval_is_left_out_in_the_hour_that_comes_twice() -> None:
    assert times("*/30 * * * *", "2026-10-25 01:45:00", 5) == [
        "Sun 10-25 02:00", "Sun 10-25 02:30", "Sun 10-25 02:00", "Sun 10-25 02:30", "Sun 10-25 03:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "has 1 fields and not five"),
        ("* * * * * *", "has 6 fields and not five"),
        ("61 * * * *", "'61' is no minute: it goes from 0 to 59"),
        ("0 24 * * *", "'24' is no hour: it goes from 0 to 23"),
        ("0 0 0 * *", "'0' is no day of the month: it goes from 1 to 31"),
        ("0 0 * * fri-mon", "'fri-mon' is no day of the week"),
        ("0 0 * * someday", "'someday' is no day of the week"),
        ("*/0 * * * *", "'*/0' is no minute"),
        ("0 0 30 2 *", "never comes"),
        ("5- * * * *", "'5-' is no minute"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_line(configured: Configured, text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        configured(("push: on", f'push: on\nschedule: {{sync: "{text}"}}'))
    assert told in str(caught.value)
    assert "pmosync.yaml:7:" in str(caught.value)


def test_a_site_may_have_one_of_its_schedules_for_itself(configured: Configured) -> None:
    config = configured(
        ("push: on", 'push: on\nschedule: {reconcile: "0 3 * * *"}'),
        ("    timezone: Asia/Tokyo", '    timezone: Asia/Tokyo\n    schedule: {sync: "*/2 * * * *"}'),
    )
    (own,) = (site for site in config.sites.values() if site.zone.key == "Asia/Tokyo")
    (other,) = (site for site in config.sites.values() if site is not own)
    assert (own.schedule.sync.text, own.schedule.reconcile.text) == ("*/2 * * * *", "0 3 * * *")
    assert (other.schedule.sync.text, other.schedule.reconcile.text) == ("*/5 * * * *", "0 3 * * *")


def test_a_file_opens_nothing_to_other_machines(configured: Configured) -> None:
    assert str(configured().listen) == "127.0.0.1:9464"
    assert str(configured(("push: on", "push: on\ndaemon: {listen: '[::1]:0'}")).listen) == "[::1]:0"
    with pytest.raises(Misconfigured, match=r"start the daemon with `--listen 0\.0\.0\.0:9464`"):
        configured(("push: on", "push: on\ndaemon: {listen: 0.0.0.0:9464}"))


@pytest.mark.parametrize("text", ["9464", "host:9464", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no address to listen on"):
        address(text)
    with pytest.raises(ValueError, match="no address to listen on"):
        loopback(text)
