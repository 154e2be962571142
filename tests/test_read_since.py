"""The day since which a finding stands is read back from our own flags, whatever the standard is called."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from pmosync.marks import Flagged, flag, read_since
from pmosync.standards import load_packs
from pmosync.workdays import day_number, workdays

STARTER = load_packs(["starter"], Path())
DAY = day_number(dt.date(2026, 11, 20))
CALENDAR = workdays(frozenset(range(5)), ())


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("limit", [32_000, 600, 120])
@pytest.mark.parametrize("name", ["SCH201", "ACME101", "OUR-RULE_7"])
@pytest.mark.parametrize("guidance", ["", "https://pmo.acme.example/standards/"])
def test_every_flag_says_since_when_each_finding_stands(form: str, limit: int, name: str, guidance: str) -> None:
    standards = [replace(STARTER[0], id=name, title="Late, since 2020-01-01 or before"), STARTER[1], STARTER[2]]
    text = flag([Flagged(one, DAY - n) for n, one in enumerate(standards)], form, limit, CALENDAR, guidance)
    assert text is not None
    assert read_since(text) == {one.id: DAY - n for n, one in enumerate(standards)}


@pytest.mark.parametrize("text", ["", "high", "Please look since 2026-11-20", "{", '{"findings": 3}', "[1]"])
def test_what_is_no_flag_of_ours_says_nothing(text: str) -> None:
    assert read_since(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "SCH201 Overdue, since 2026-11-20, fix by 2026-11-27: Close it.",
        '{"findings":[{"fix":"Close it.","id":"SCH201","severity":"high","since":"2026-11-20"}],"format":1}',
    ],
)
def test_flags_that_an_earlier_version_wrote_are_still_read(text: str) -> None:
    assert read_since(text) == {"SCH201": DAY}
