"""The forecast a second time, in the plain way: days are added one by one, and drawn one by one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence


def days_until(left: int, finished: Sequence[int], chances: Sequence[float]) -> list[int]:
    """The chances of every count of items after each day, until enough of them say that nothing is left."""
    days = Counter(finished)
    open_with = [1.0] + [0.0] * (left - 1)
    wanted, found, day = list(chances), [], 0
    while wanted:
        if 1 - sum(open_with) >= wanted[0] - 1e-8 or day == 3650:
            found.append(day)
            wanted.pop(0)
            continue
        day += 1
        after = [0.0] * left
        for count, often in days.items():
            for before in range(left - count):
                after[before + count] += open_with[before] * often / len(finished)
        open_with = after
    return found


def drawn(left: int, finished: Sequence[int], runs: int, seed: str) -> list[int]:
    """Monte Carlo: in how many days it was finished, run by run, sorted."""
    dice = random.Random(seed)
    ends = []
    for _ in range(runs):
        day = done = 0
        while done < left:
            done += dice.choice(finished)
            day += 1
        ends.append(day)
    return sorted(ends)
