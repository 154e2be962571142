"""Keeps earned value in tables, some hundred projects at a time.

A pass over a few projects and one over all of them are the same text: they differ in which projects are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, case, delete, func, literal, select
from sqlalchemy.dialects.sqlite import insert

from pmosync.earned import reading
from pmosync.earned.schedule import WEEK_D, Plan, curve
from pmosync.earned.value import DECIMALS, measures
from pmosync.store import insert_all
from pmosync.store.tables import calendar, project_baseline, project_earned, project_pv, task_baseline, touched

TOGETHER = 200
"""Projects that are read at once: what is held in memory does not grow with their number."""
COVERED_FROM = 0.95
"""The share of the work that has to have an estimate, of the earned value that has to have bookings, to be added up."""


def refresh(connection: Connection, *, everything: bool) -> None:
    """Bring earned value up to date: of all projects, or of the touched ones and those whose baseline holds a touched
    task."""
    if not everything:
        _touch(connection)
    asked = select(project_baseline.c.project_id)
    if everything:
        connection.execute(delete(project_earned))
        connection.execute(delete(project_pv))
    else:
        here = select(touched.c.subject_id).where(touched.c.subject == "project")
        connection.execute(delete(project_earned).where(project_earned.c.project_id.in_(here)))
        connection.execute(delete(project_pv).where(project_pv.c.project_id.in_(here)))
        asked = asked.where(project_baseline.c.project_id.in_(here))
    numbers = connection.scalars(asked.order_by(project_baseline.c.project_id)).all()
    position = _positions(connection) if numbers else {}
    for begin in range(0, len(numbers), TOGETHER):
        _refresh(connection, numbers[begin : begin + TOGETHER], position.__getitem__)


def _touch(connection: Connection) -> None:
    """A task that left the project still stands in its baseline."""
    rows = (
        select(literal("project"), task_baseline.c.project_id, func.max(touched.c.data))
        .join(touched, and_(touched.c.subject == "task", touched.c.subject_id == task_baseline.c.task_id))
        .group_by(task_baseline.c.project_id)
    )
    statement = insert(touched).from_select(["subject", "subject_id", "data"], rows)
    stronger = case((statement.excluded.data > touched.c.data, statement.excluded.data), else_=touched.c.data)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_={"data": stronger})
    )


def _positions(connection: Connection) -> dict[int, int]:
    return {row.day: row.n for row in connection.execute(select(calendar.c.day, calendar.c.n))}


def _refresh(connection: Connection, numbers: Sequence[int], position: Callable[[int], int]) -> None:
    terms = _by_project(connection, reading.terms(numbers))
    budgets = _by_project(connection, reading.budgets(numbers))
    spent = _by_project(connection, reading.spent(numbers))
    missing = _by_project(connection, reading.missing(numbers))
    bends: dict[int, list[tuple[int, float]]] = {}
    for number, at, change in connection.execute(reading.bends(numbers)):
        bends.setdefault(number, []).append((at, change))
    rows, lines = [], []
    for number, told in terms.items():
        found = _Found(told, budgets.get(number, _NOTHING), spent.get(number, _NOTHING), missing.get(number, _NOTHING))
        plan = found.plan(bends.get(number, ()))
        rows.append({"project_id": number, **found.row(plan, position)})
        if plan is not None:
            drawn = plan.curve
            lines += [
                {"project_id": number, "at_w": at, "pv": pv, "slope": slope}
                for at, pv, slope in zip(drawn.positions, drawn.values, drawn.slopes, strict=True)
            ]
    insert_all(connection, project_earned, rows)
    insert_all(connection, project_pv, lines)


def _by_project(connection: Connection, rows: Select[Any]) -> dict[int, Mapping[str, Any]]:
    return {row.project_id: row._asdict() for row in connection.execute(rows)}


# --- what is made of it -----------------------------------------------------------------------------------------------

_COUNTED = (
    *("tasks", "hours", "earned_h", "unread", "unbooked_h", "undated", "grown_unknown", "missing"),
    *("booked_h", "left_h", "open", "open_unsized", "unlogged"),
)
_NOTHING: Mapping[str, Any] = dict.fromkeys(_COUNTED, 0)
"""What was read where there is nothing to read: no tasks, no hours."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of one project: see `reading`."""

    terms: Mapping[str, Any]
    budget: Mapping[str, Any]
    spent: Mapping[str, Any]
    missing: Mapping[str, Any]

    @property
    def bac(self) -> float | None:
        """The budget; unknown where too little of the work has an estimate."""
        tasks = self.budget["tasks"]
        known = tasks and tasks >= COVERED_FROM * (tasks + self.missing["missing"])
        return self._told(self.budget["hours"] * self.price) if known else None

    @property
    def ev(self) -> float | None:
        """What is earned of it; unknown where nobody can read how a budgeted task stands."""
        known = self.bac is not None and not self.budget["unread"]
        return self._told(self.budget["earned_h"] * self.price) if known else None

    @property
    def price(self) -> float:
        """What an hour of the baseline counts: what it costs by the register, or by the budget; else one hour."""
        if self.terms["hour_cost"] is not None:
            return float(self.terms["hour_cost"])
        return float(self.terms["budget_cost"] / self.budget["hours"]) if self._costed else 1.0

    @property
    def _in_money(self) -> bool:
        return self.terms["hour_cost"] is not None or self._costed

    @property
    def _costed(self) -> bool:
        """Whether the baseline has a budget of money, and the tool tells what of it is spent."""
        return bool(self.terms["budget_cost"] and self.budget["hours"]) and self.terms["used_cost"] is not None

    @property
    def ac(self) -> float | None:
        """What it cost: money as the tool tells it, else the hours booked; unknown where bookings are missing."""
        terms, booked_h = self.terms, self._booked_h
        if self._in_money:
            booked = None if booked_h is None else booked_h * self.price
            return self._told(booked if terms["used_cost"] is None else terms["used_cost"])
        return self._told(terms["used_h"] if booked_h is None else booked_h)

    @property
    def _booked_h(self) -> float | None:
        """The hours booked; unknown where nobody books, or too much of what is earned has no booking."""
        spent, budget = self.spent, self.budget
        if not spent["booked_h"] or spent["unread"] or budget["unread"]:
            return None
        missing = budget["unbooked_h"] > (1 - COVERED_FROM) * budget["earned_h"] + 10**-DECIMALS
        return None if missing else float(spent["booked_h"])

    @property
    def own(self) -> float | None:
        """The cost at the end by the project's own estimates; unknown where too much of the open work has none."""
        ac, spent = self.ac, self.spent
        if ac is None or spent["open_unsized"] > (1 - COVERED_FROM) * spent["open"]:
            return None
        return ac + float(spent["left_h"]) * self.price

    @staticmethod
    def _told(value: float | None) -> float | None:
        return None if value is None else round(float(value), DECIMALS)

    def plan(self, bends: Iterable[tuple[int, float]]) -> Plan | None:
        """The plan; unknown where a budgeted task has no planned end, nor its project one."""
        bac, price = self.bac, self.price
        if bac is None or self.budget["undated"]:
            return None
        drawn = curve((at, change * price) for at, change in bends)
        return Plan(bac, drawn, self.budget["begin_on"], self.budget["end_on"])

    def row(self, plan: Plan | None, position: Callable[[int], int]) -> dict[str, Any]:
        """The row of `project_earned`."""
        budget, spent, ev = self.budget, self.spent, self.ev
        earned_d = None if plan is None or ev is None else plan.earned_days(ev, position)
        observed = min(self.terms["observed"], budget.get("observed", 1))
        return {
            "unit": None if self.bac is None else "money" if self._in_money else "h",
            **measures(self.bac, ev, self.ac, self.own),
            "es_weeks": None if earned_d is None else round(earned_d / WEEK_D, DECIMALS),
            "plan_begin_on": None if plan is None else plan.begin_on,
            "plan_end_on": None if plan is None else plan.end_on,
            "ev_last_on": budget.get("grown_on") if not budget["grown_unknown"] else None,
            "ac_last_on": spent.get("booked_on") if not spent["unlogged"] else None,
            "earned_observed": observed,
            "cost_observed": min(observed, self.terms["booked_observed"]),
        }
