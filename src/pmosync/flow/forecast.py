"""The arithmetic of a forecast: in how many days what is left will be finished, and with which chance.

Pure: it takes counts, never a table or a clock. The question is the one that a Monte Carlo simulation answers: draw the
pace of each coming day, with replacement, from the days that were, until everything is finished. Its chances are
computed here instead of drawn, so the same data always give the same day, and nothing flickers.
"""

from __future__ import annotations

import cmath
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import cache

CHANCES = (0.5, 0.85)
"""That a forecast is kept: as often as not, and the one that a PMO plans with."""
LONGEST_D = 3650
"""Ten years: what takes longer is told as this."""
_ERROR = 1e-10
"""What the inversion may be wrong by, as a chance."""
_NOTHING = 1e-14
"""What adds less to a chance is left out."""
_SAME = 1e-8
"""Chances that differ by less are the same: a rounding error moves no day."""


def days_until(left: int, finished: Sequence[int], chances: Sequence[float]) -> list[int]:
    """For each chance, the fewest days in which what is left is finished with at least that chance.

    The chance that the sum of `d` days stays below `left` is the sum of the first `left` coefficients of F(x)^d, where
    F is the generating function of the days that were. They are read off by the discrete Fourier inversion of Abate and
    Whitt (Numerical inversion of probability generating functions, 1992), at `2 * left` points of a circle a little
    smaller than the unit circle. No power series is multiplied out, so more days cost nothing.

    Args:
        left: how many are to be finished, at least one.
        finished: how many were finished on each day that was, days with none among them; on one at least there were.
        chances: between 0 and 1.
    """
    fewest = -(-left // max(finished))
    points = [
        (share, weight) for share, weight in _points(left, finished) if abs(share) ** fewest * abs(weight) > _NOTHING
    ]

    @cache
    def within(days: int) -> float:
        return 1.0 - sum((share**days * weight).real for share, weight in points)

    return [
        fewest + bisect_left(range(fewest, LONGEST_D), chance - _SAME, key=within) if fewest < LONGEST_D else LONGEST_D
        for chance in chances
    ]


def _points(left: int, finished: Sequence[int]) -> list[tuple[complex, complex]]:
    """F at each point of the upper half of the circle, and what its powers weigh in the sum of coefficients."""
    around = 2 * left
    radius = _ERROR ** (1 / around)
    roots = [cmath.rect(1.0, math.tau * number / around) for number in range(around)]
    days = len(finished)
    shares = [
        (count, number / days * radius**count) for count, number in Counter(min(one, left) for one in finished).items()
    ]
    points = []
    for number in range(left + 1):
        generated = sum(share * roots[number * count % around] for count, share in shares)
        turned = (-1) ** number * radius**-left
        weight = (1 - turned) / (1 - 1 / (radius * roots[number])) / around
        points.append((generated, weight if number in (0, left) else 2 * weight))
    return points
