"""The forecast is what adding up all chances gives, what drawing them tends to, and quick enough for any project."""

from __future__ import annotations

import random
import re
import time
from bisect import bisect_right
from pathlib import Path

import pytest

from pmosync.flow import CHANCES, LONGEST_D, days_until
from tests.flow import second


def days_that_were(dice: random.Random) -> list[int]:
    most = dice.choice((1, 2, 5, 20))
    days = [dice.choice((0, 0, 1, dice.randint(0, most))) for _ in range(dice.choice((14, 30, 84)))]
    return [*days[:-1], max(1, days[-1])]


def test_two_hundred_random_forecasts_are_what_adding_up_all_chances_gives() -> None:
    dice = random.Random(5)
    for _ in range(200):
        left, days = dice.choice((1, 2, 3, 7, 40)), days_that_were(dice)
        assert days_until(left, days, CHANCES) == second.days_until(left, days, CHANCES), (left, days)


@pytest.mark.parametrize(
    ("left", "days", "expected"),
    [
        (1, [1], [1, 1]),
        (10, [2], [5, 5]),
        (1, [0, 1], [1, 3]),  # 1/2, 3/4, 7/8
        (1, [0, 0, 0, 1], [3, 7]),  # 1 - 0.75^3 = 0.58; 1 - 0.75^7 = 0.87
        (2, [0, 1, 2], [2, 3]),  # 1/3; 6/9; 23/27
        (10_000, [0, 1], [LONGEST_D, LONGEST_D]),
        (3, [100, 0, 0, 0], [3, 7]),
    ],
)
def test_small_forecasts_are_those_that_one_can_work_out(left: int, days: list[int], expected: list[int]) -> None:
    assert days_until(left, days, CHANCES) == expected


@pytest.mark.parametrize("left", [12, pytest.param(150, marks=pytest.mark.slow)])
def test_ten_thousand_drawn_runs_keep_the_computed_days_as_often_as_they_should(left: int) -> None:
    days = days_that_were(random.Random(left))
    ends = second.drawn(left, days, 10_000, f"acme/10042 2026-11-20 {left}")
    for chance, day in zip(CHANCES, days_until(left, days, CHANCES), strict=True):
        error = 4 * (chance * (1 - chance) / 10_000) ** 0.5
        assert bisect_right(ends, day) / 10_000 >= chance - error
        assert bisect_right(ends, day - 1) / 10_000 < chance + error


def test_five_thousand_open_items_are_forecast_within_a_second() -> None:
    dice = random.Random(1)
    days = [dice.randint(0, 40) for _ in range(84)]
    begun = time.process_time()
    half, most = days_until(5000, days, CHANCES)
    assert time.process_time() - begun < 1
    assert 5000 / (sum(days) / 84) - 10 < half < most < 5000 / (sum(days) / 84) + 20


def test_the_examples_of_the_page_are_what_is_computed() -> None:
    page = Path(__file__).parents[2] / "docs" / "flow.md"
    rows = re.findall(
        r"^\| ([\d ]+) \| (\d+) \| in (\d+) days \| in (\d+) days \|$", page.read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) == 3
    for days, left, half, most in rows:
        assert days_until(int(left), [int(one) for one in days.split()], CHANCES) == [int(half), int(most)]
