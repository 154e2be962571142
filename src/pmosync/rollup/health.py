"""Health: green, amber, red or grey, computed from four dimensions, with the one reason that decides it.

| dimension | judged by | green | amber | red |
|---|---|---|---|---|
| time | share of the tasks due by now that are done | from 95 % | from 90 % | less |
| time | slip of open work behind the planned end, in working days | up to 5 | up to 20 | more |
| time | SPI(t) of earned schedule, from a tenth of the plan on | from 0.95 | from 0.90 | less |
| cost | estimated / booked hours of done tasks (from 5 tasks on) | from 0.95 | from 0.90 | less |
| cost | hours expected at the end over those of the baseline | up to 5 % | up to 10 % | more |
| cost | CPI of earned value, from a tenth of the budget on | from 0.95 | from 0.90 | less |
| cost | forecast (EAC) over the budget | up to 5 % | up to 10 % | more |
| scope | what was added to the baseline | up to 5 % | up to 10 % | more |
| scope | without one: tasks (not cancelled) over the register's totals | up to 5 % | up to 10 % | more |
| risk | the highest priority of an open risk | lower | high | critical |

There is no standard for these bands; they are those of SPI(t) and CPI as published for earned schedule (0.95 / 0.90),
and of common PMO practice for slip and growth. A dimension without the data for it is not known, and says what is
missing. The worst dimension that is known decides; with fewer than two known the health is grey. Of a program or a
portfolio, the worst of its projects decides, grey ones apart. Compliance stands beside the health, never inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pmosync.model import HEALTHS
from pmosync.rollup.figures import Evidence, Figures

Colour = Literal["green", "amber", "red", "grey"]
DIMENSIONS = ("time", "cost", "scope", "risk")
KNOWN_FROM = 2
"""With fewer dimensions known the health is grey."""
BOOKED_FROM = 5
"""So many done tasks with an estimate and booked hours make a cost index."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension; grey: not known, and the reason says what is missing."""

    colour: Colour
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """The computed health. `decided_by` is a dimension, or the id of the project that decides; empty when grey."""

    colour: Colour
    decided_by: str
    reason: str
    dimensions: Mapping[str, Dimension]


def of_project(figures: Figures) -> Health:
    """The health of one project."""
    evidence = figures.evidence
    dimensions = {
        "time": _worst(
            [_on_time(evidence), _slip(evidence), _earned_time(evidence)],
            "no task has a due date and the project no planned end",
        ),
        "cost": _worst(
            [_cost_index(evidence), _overrun(evidence), _earned_cost(evidence), _forecast(evidence)],
            f"fewer than {BOOKED_FROM} done tasks have an estimate and booked hours, and the "
            + ("baseline has no estimates" if evidence.baselined else "register has no baseline of effort"),
        ),
        "scope": _worst(
            [_growth(figures)],
            "nobody can tell what was added to its baseline"
            if evidence.baselined
            else "the register has no baseline of tasks",
        ),
        "risk": _worst([_risk(evidence)], "nothing in it is mapped as a risk"),
    }
    known = [name for name in DIMENSIONS if dimensions[name].colour != "grey"]
    if len(known) < KNOWN_FROM:
        missing = "; ".join(f"{name}: {dimensions[name].reason}" for name in DIMENSIONS if name not in known)
        return Health("grey", "", f"too little is known: {missing}", dimensions)
    decides = max(known, key=lambda name: (_rank(dimensions[name].colour), -DIMENSIONS.index(name)))
    return Health(dimensions[decides].colour, decides, f"{decides}: {dimensions[decides].reason}", dimensions)


def of_members(members: Sequence[tuple[str, str, Health]]) -> Health:
    """The health of a program or portfolio.

    Args:
        members: id, title and health of each of its projects.
    """
    dimensions = {}
    for name in DIMENSIONS:
        known = [(title, health.dimensions[name]) for _, title, health in members]
        known = [(title, one) for title, one in known if one.colour != "grey"]
        if known:
            title, worst = max(known, key=lambda one: _rank(one[1].colour))
            dimensions[name] = Dimension(worst.colour, f"{title}: {worst.reason}")
        else:
            dimensions[name] = Dimension("grey", "not known of any project in it")
    judged = [one for one in members if one[2].colour != "grey"]
    if not judged:
        return Health("grey", "", "too little is known of every project in it", dimensions)
    member, title, health = max(judged, key=lambda one: _rank(one[2].colour))
    return Health(health.colour, member, f"{title}: {health.reason}", dimensions)


def worst_colour(colours: Iterable[str]) -> str | None:
    """The worst of these colours; None of none."""
    return max(colours, key=_rank, default=None)


def _rank(colour: str) -> int:
    return HEALTHS.index(colour) if colour in HEALTHS else -1


def _worst(judged: Sequence[Dimension | None], missing: str) -> Dimension:
    known = [one for one in judged if one is not None]
    return max(known, key=lambda one: _rank(one.colour)) if known else Dimension("grey", missing)


def _band(value: float, green: float, amber: float, *, more_is_better: bool) -> Colour:
    value = round(value, 6)  # 105 / 100 - 1 is a little more than 0.05
    if more_is_better:
        value, green, amber = -value, -green, -amber
    return "green" if value <= green else "amber" if value <= amber else "red"


def _on_time(evidence: Evidence) -> Dimension | None:
    if not evidence.dated:
        return None
    if not evidence.due:
        return Dimension("green", "nothing was due yet")
    colour = _band(evidence.due_done / evidence.due, 0.95, 0.90, more_is_better=True)
    late = evidence.due - evidence.due_done
    told = (
        f"{late} of {evidence.due} tasks due by now are not done" if late else f"all {evidence.due} due tasks are done"
    )
    return Dimension(colour, told)


def _slip(evidence: Evidence) -> Dimension | None:
    if evidence.slip is None:
        return None
    colour = _band(evidence.slip, 5, 20, more_is_better=False)
    told = f"open work ends {evidence.slip} working days after the planned end" if evidence.slip else "within its plan"
    return Dimension(colour, told)


def _earned_time(evidence: Evidence) -> Dimension | None:
    """Told without the number, which a new day alone would change."""
    if evidence.spi_t is None:
        return None
    colour = _band(evidence.spi_t, 0.95, 0.90, more_is_better=True)
    told = {"green": "on its baseline: SPI(t) is 0.95 or more", "amber": "behind its baseline: SPI(t) is below 0.95"}
    return Dimension(colour, told.get(colour, "far behind its baseline: SPI(t) is below 0.90"))


def _earned_cost(evidence: Evidence) -> Dimension | None:
    if evidence.cpi is None:
        return None
    return Dimension(_band(evidence.cpi, 0.95, 0.90, more_is_better=True), f"its CPI is {evidence.cpi:.2f}")


def _forecast(evidence: Evidence) -> Dimension | None:
    if evidence.vac_share is None:
        return None
    colour = _band(-evidence.vac_share, 0.05, 0.10, more_is_better=False)
    side = "over" if evidence.vac_share < 0 else "within"
    return Dimension(colour, f"the forecast is {abs(evidence.vac_share) * 100:.0f} % {side} the budget")


def _cost_index(evidence: Evidence) -> Dimension | None:
    if evidence.booked < BOOKED_FROM:
        return None
    index = evidence.earned_h / evidence.spent_h
    colour = _band(index, 0.95, 0.90, more_is_better=True)
    return Dimension(colour, f"done tasks took {_hours(evidence.spent_h)} for {_hours(evidence.earned_h)} estimated")


def _overrun(evidence: Evidence) -> Dimension | None:
    if not evidence.planned_effort_h:
        return None
    over = evidence.expected_h / evidence.planned_effort_h - 1
    colour = _band(over, 0.05, 0.10, more_is_better=False)
    return Dimension(
        colour, f"{_hours(evidence.expected_h)} expected at the end, {_hours(evidence.planned_effort_h)} planned"
    )


def _growth(figures: Figures) -> Dimension | None:
    planned, growth = figures.evidence.planned_tasks, figures.evidence.growth
    if growth is not None:
        colour = _band(growth, 0.05, 0.10, more_is_better=False)
        return Dimension(colour, f"{growth:.0%} was added to its baseline" if growth else "as its baseline has it")
    if not planned:
        return None
    now = figures.tasks - figures.cancelled
    colour = _band(now / planned - 1, 0.05, 0.10, more_is_better=False)
    return Dimension(colour, f"{now} tasks, {planned} planned")


def _risk(evidence: Evidence) -> Dimension | None:
    if not evidence.risks:
        return None
    colour: Colour = ("green", "amber", "red")[evidence.top_risk]
    told = ("no open risk of high priority", "an open risk of high priority", "an open risk of critical priority")
    return Dimension(colour, told[evidence.top_risk])


def _hours(value: float) -> str:
    return f"{value:.0f} h"
