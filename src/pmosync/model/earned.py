"""Earned value and earned schedule as facts of a project: see `pmosync.earned`."""

from __future__ import annotations

from pmosync.model.field import Field, Type

EARNED_SEEN, COST_SEEN = "earned_observed", "cost_observed"
_UNIT = "h or money"


def _fact(
    name: str, meaning: str, *, type: Type = Type.NUMBER, unit: str = "", cost: bool = False, day: bool = False
) -> Field:
    """A fact that is made of the baseline; with `cost`, of what was spent as well."""
    return Field(
        name,
        type,
        meaning,
        source="fact",
        unit=unit,
        observed=COST_SEEN if cost else EARNED_SEEN,
        day=day,
        calendar=day or name == "es_weeks",
    )


EARNED = (
    _fact(
        "bac",
        "budget at completion: the estimates of its baseline added up; unknown without a baseline, or when more than "
        "one in twenty of its tasks has no estimate",
        unit=_UNIT,
    ),
    _fact(
        "pv",
        "planned value: what of that budget was planned for the days before today, each task evenly over its working "
        "days; unknown when a task has no planned finish, nor the project",
        unit=_UNIT,
        day=True,
    ),
    _fact(
        "ev",
        "earned value: the budget of each task times the share of it that is done; unknown when nobody can read how "
        "one of them stands",
        unit=_UNIT,
    ),
    _fact(
        "ac",
        "actual cost: what was booked on all of its tasks, or what the tool says was spent of its budget; unknown when "
        "more than a twentieth of what is earned has no booking",
        unit=_UNIT,
        cost=True,
    ),
    _fact("sv", "schedule variance: EV − PV", unit=_UNIT, day=True),
    _fact("cv", "cost variance: EV − AC", unit=_UNIT, cost=True),
    _fact("spi", "schedule performance index: EV / PV; unknown while nothing was planned", day=True),
    _fact("cpi", "cost performance index: EV / AC", cost=True),
    _fact("eac", "estimate at completion: BAC / CPI; unknown while nothing is earned", unit=_UNIT, cost=True),
    _fact(
        "eac_low",
        "the lowest of the forecasts BAC / CPI, AC + BAC − EV and AC + (BAC − EV) / (CPI × SPI); unknown when one is",
        unit=_UNIT,
        cost=True,
        day=True,
    ),
    _fact("eac_high", "the highest of these three forecasts", unit=_UNIT, cost=True, day=True),
    _fact(
        "eac_own",
        "estimate at completion by its own estimates: AC and what is left of the estimates of its open tasks; unknown "
        "when more than one in twenty of these has none",
        unit=_UNIT,
        cost=True,
    ),
    _fact("etc", "estimate to complete: EAC − AC", unit=_UNIT, cost=True),
    _fact("vac", "variance at completion: BAC − EAC", unit=_UNIT, cost=True),
    _fact("vac_share", "VAC / BAC; below 0 the forecast exceeds the budget", cost=True),
    _fact("tcpi_bac", "the index that keeps the budget: (BAC − EV) / (BAC − AC); unknown once it is spent", cost=True),
    _fact(
        "tcpi_eac",
        "the index that keeps its own estimate: (BAC − EV) / (eac_own − AC); against BAC / CPI it would be CPI itself",
        cost=True,
    ),
    _fact(
        "es_weeks",
        "earned schedule: the week of the plan by which what is earned now was planned; between two weeks evenly",
        unit="weeks",
    ),
    _fact(
        "sv_t_weeks",
        "schedule variance in time: ES − the weeks since the plan began, up to the day on which all was done",
        unit="weeks",
        day=True,
    ),
    _fact("spi_t", "schedule performance index in time: ES / the weeks that passed", day=True),
    _fact(
        "ieac_t_on",
        "the forecast finish: the planned duration / SPI(t), counted from the first planned day; unknown while nothing "
        "is earned, and after 2049",
        type=Type.DATE,
        day=True,
    ),
    _fact(
        "ev_last_on",
        "the latest day on which a task of the baseline was finished, an open one that is told in percent changed, or, "
        "where half counts then, begun; unknown when such a day is missing",
        type=Type.DATE,
    ),
    _fact(
        "ac_last_on",
        "the latest day for which time is booked on any of its tasks; unknown where entries are not read",
        type=Type.DATE,
        cost=True,
    ),
)
