"""Waivers: who they are about, and until when; decided by one expression."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pmosync.contract import Slot
from pmosync.workdays import day_number
from tests.core.memory import World

LABEL = Slot("task", "1", "label")


def waiver(**changes: Any) -> dict[str, Any]:
    row = {"site": "acme", "key": "T-1", "whole_project": 0, "standard": "SCH201", "reason": "agreed"}
    return row | {"until": day_number(dt.date(2026, 11, 30)), "approved_by": "the sponsor"} | changes


@pytest.fixture
def late(world: World) -> World:
    world.tool.put("1", due=dt.date(2026, 11, 2))
    return world


@pytest.mark.parametrize(
    ("changes", "waived"),
    [
        ({}, True),
        ({"key": "1"}, True),
        ({"standard": "SCH"}, True),
        ({"key": "p1", "whole_project": 1}, True),
        ({"standard": "SCH202"}, False),
        ({"standard": "SC"}, False),
        ({"standard": "SCH20"}, False),
        ({"standard": "SCH2011"}, False),
        ({"key": "T-2"}, False),
        ({"key": "p1"}, False),
        ({"key": "T-1", "whole_project": 1}, False),
        ({"site": "other"}, False),
        ({"until": day_number(dt.date(2026, 11, 20))}, True),
        ({"until": day_number(dt.date(2026, 11, 19))}, False),
    ],
)
def test_a_waiver_holds_for_what_it_names_and_for_nothing_else(
    late: World, changes: dict[str, Any], waived: bool
) -> None:
    late.waivers = [waiver(**changes)]
    outcome = late.run()
    assert (LABEL not in late.tool.marks) is waived
    assert outcome.settled.waived == int(waived)
    assert outcome.rollups[-1].figures.waived == int(waived)


def test_the_last_day_ends_at_midnight_of_the_site(late: World) -> None:
    late.waivers = [waiver(until=day_number(dt.date(2026, 11, 20)))]
    late.now = dt.datetime(2026, 11, 20, 22, 59, tzinfo=dt.UTC)
    late.run()
    assert LABEL not in late.tool.marks
    late.now = dt.datetime(2026, 11, 20, 23, 0, tzinfo=dt.UTC)
    assert late.run().settled.lapsed == 1
    assert LABEL in late.tool.marks


def test_the_longest_of_several_waivers_counts(late: World) -> None:
    late.waivers = [waiver(until=day_number(dt.date(2026, 11, 21))), waiver(until=day_number(dt.date(2026, 11, 25)))]
    late.run()
    late.now += dt.timedelta(days=4)
    late.run()
    assert LABEL not in late.tool.marks
