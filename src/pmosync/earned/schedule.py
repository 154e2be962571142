"""The arithmetic of earned schedule: planned value as a curve, and the day by which what is earned was planned.

Planned value grows evenly over the working days of each task, so it is a line with bends; days are told by their
position, the number of working days up to and including them. Nothing here knows today.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pmosync.earned.value import DECIMALS

WEEK_D = 7
FLAT = 1e-9
"""A slope below this is what is left of sums that cancel each other."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Planned value: at each bend its position, the value there, and how much each working day from there on adds."""

    positions: tuple[int, ...]
    values: tuple[float, ...]
    slopes: tuple[float, ...]

    def at(self, position: int) -> float:
        """What was planned up to the end of the working day of this position."""
        last = bisect_right(self.positions, position) - 1
        return self.values[last] + self.slopes[last] * (position - self.positions[last]) if last >= 0 else 0.0


def curve(bends: Iterable[tuple[int, float]]) -> Curve:
    """The curve of a plan.

    Args:
        bends: positions in their order, each with what is planned for a working day more than before, or less.
    """
    positions: list[int] = []
    values: list[float] = []
    slopes: list[float] = []
    value = slope = 0.0
    for position, change in bends:
        value += slope * (position - positions[-1]) if positions else 0.0
        slope += change
        positions.append(position)
        values.append(round(value, DECIMALS))
        slopes.append(slope if slope > FLAT else 0.0)
    if slopes:
        slopes[-1] = 0.0
    return Curve(tuple(positions), tuple(values), tuple(slopes))


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned project: its budget, its curve, and its first and last day."""

    bac: float
    curve: Curve
    begin_on: int
    end_on: int

    @property
    def days(self) -> int:
        """Its planned duration in calendar days."""
        return self.end_on - self.begin_on + 1

    def earned_days(self, ev: float, position: Callable[[int], int]) -> float:
        """Earned schedule in calendar days: the weeks whose planned value is earned, and the earned part of the next.

        Weeks are counted from the first day; the last one may be short, so that all of the budget is earned with the
        planned duration.

        Args:
            position: of a day.
        """
        weeks = -(-self.days // WEEK_D)

        def end(week: int) -> int:
            return min(self.begin_on - 1 + WEEK_D * week, self.end_on)

        def planned(week: int) -> float:
            if week in (0, weeks):
                return self.bac if week else 0.0
            return min(self.bac, round(self.curve.at(position(end(week))), DECIMALS))

        if ev >= self.bac:
            return float(self.days)
        whole = bisect_right(range(weeks), ev, key=planned) - 1
        before, after = planned(whole), planned(whole + 1)
        part = (ev - before) / (after - before)
        return end(whole) - self.begin_on + 1 + part * (end(whole + 1) - end(whole))
