"""What the day makes of earned value, as expressions over the tables, which never contain today.

Planned value counts the days that are over: what is due today may still be done today. So does the time that passed;
it ends with the work when all of it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, and_, case, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from pmosync.earned.schedule import WEEK_D
from pmosync.earned.value import DECIMALS
from pmosync.store.tables import project, project_earned, project_pv, site

LAST_DAY = 29_219
"""The last day of 2049: what a forecast puts behind it is not known."""
WHOLE = 3
"""Decimals of a day: what is less than that over a whole number of them begins no other one."""
_of = project_earned.c


class _round(FunctionElement[float]):
    """`_round(value, decimals)`: PostgreSQL rounds to decimals only what is an exact number."""

    name = "round"
    type = Float()
    inherit_cache = True


@compiles(_round)
def _round_sqlite(element: _round, compiler: SQLCompiler, **options: Any) -> str:
    value, decimals = (compiler.process(clause, **options) for clause in element.clauses)
    return f"round({value}, {decimals})"


@compiles(_round, "postgresql")
def _round_postgresql(element: _round, compiler: SQLCompiler, **options: Any) -> str:
    value, decimals = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(round(CAST({value} AS NUMERIC), {decimals}) AS DOUBLE PRECISION)"


def _pv() -> ColumnElement[Any]:
    planned = (
        select(project_pv.c.pv + project_pv.c.slope * (site.c.yesterday_w - project_pv.c.at_w))
        .where(project_pv.c.project_id == project.c.id, project_pv.c.at_w <= site.c.yesterday_w)
        .order_by(project_pv.c.at_w.desc())
        .limit(1)
        .correlate(project, site)
        .scalar_subquery()
    )
    known = and_(_of.plan_begin_on.is_not(None), site.c.yesterday_w.is_not(None))
    return case((known, _round(func.coalesce(planned, 0.0), DECIMALS)))


def _ratio(part: ColumnElement[Any], whole: ColumnElement[Any]) -> ColumnElement[Any]:
    return _rounded(part / func.nullif(whole, 0.0))


def _rounded(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return _round(cast(value, Float), DECIMALS)


def _spi() -> ColumnElement[Any]:
    return _ratio(_of.ev, _pv())


def _eacs() -> tuple[ColumnElement[Any], ...]:
    """The three forecasts: at the cost index so far; the rest as budgeted; at both indices so far."""
    left = _of.bac - _of.ev
    return _of.eac, _of.ac + left, _of.ac + left / func.nullif(_of.cpi * _spi(), 0.0)


def _one_of(better: Callable[[Any, Any], ColumnElement[bool]]) -> ColumnElement[Any]:
    """One of the forecasts; unknown where one of them is."""

    def chosen(one: Any, other: Any) -> ColumnElement[Any]:
        return case((better(one, other), one), (better(other, one), other), (one == other, one))

    return _rounded(reduce(chosen, _eacs()))


def _passed_days() -> ColumnElement[Any]:
    """Calendar days from the first planned one to the end of yesterday, or of the day on which all was done."""
    days = case((_of.ev >= _of.bac, _of.ev_last_on - _of.plan_begin_on + 1), else_=site.c.today - _of.plan_begin_on)
    return case((days > 0, days))


def _spi_t() -> ColumnElement[Any]:
    return _rounded(_of.es_weeks * float(WEEK_D) / _passed_days())


def _sv_t() -> ColumnElement[Any]:
    return _rounded(_of.es_weeks - _passed_days() / float(WEEK_D))


def _finish() -> ColumnElement[Any]:
    """The planned duration over the index, counted from the first planned day; a begun day is a whole one."""
    planned = cast(_of.plan_end_on - _of.plan_begin_on + 1, Float)
    days = _round(planned * _passed_days() / func.nullif(_of.es_weeks * float(WEEK_D), 0.0), WHOLE)
    near = case((days <= LAST_DAY, days))
    whole = cast(near, Integer)
    day = _of.plan_begin_on - 1 + whole + case((near > whole, 1), else_=0)
    return case((day <= LAST_DAY, day))


DAILY: Mapping[str, Callable[[], ColumnElement[Any]]] = {
    "pv": _pv,
    "sv": lambda: _rounded(_of.ev - _pv()),
    "spi": _spi,
    "eac_low": lambda: _one_of(lambda one, other: one < other),
    "eac_high": lambda: _one_of(lambda one, other: one > other),
    "spi_t": _spi_t,
    "sv_t_weeks": _sv_t,
    "ieac_t_on": _finish,
}
"""Facts of projects that depend on the day, by name; the statement around them holds project, site, project_earned."""
