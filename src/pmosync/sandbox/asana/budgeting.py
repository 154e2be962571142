"""What a project's budget says: planned, used and allowed, in minutes or in money.

The estimate adds up what tasks or the capacity plan say, what is used adds up the booked time; money is time at the
one rate of this workspace.
"""

from __future__ import annotations

from datetime import date, timedelta

from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.state import State, from_json

CURRENCY = "EUR"
RATE = 100.0
"""What an hour of anybody costs."""
HOURS_A_DAY = 8
BILLABLE = {"billable": ("billable",), "non_billable": ("nonBillable",),
            "any": ("billable", "nonBillable", "notApplicable")}  # fmt: skip
BELOW = (
    "WITH RECURSIVE mine (gid) AS (SELECT p.task FROM asana_placement p WHERE p.project = ?"
    " UNION SELECT t.gid FROM asana_task t JOIN mine ON t.parent = mine.gid)"
)
"""The tasks of a project, and everything under them."""


def _amount(budget: Row, minutes: float) -> float:
    return minutes if budget["type"] == "time" else round(minutes / 60 * RATE, 2)


def _units(budget: Row) -> str:
    return "minutes" if budget["type"] == "time" else CURRENCY


def estimate(state: State, budget: Row) -> Row:
    shown = {
        "billable_status_filter": budget["estimate_filter"],
        "source": budget["estimate_source"],
        "enabled": bool(budget["estimate_enabled"]),
    }
    if budget["estimate_source"] == "none":
        return {**shown, "units": None, "value": None}
    minutes = _planned(state, budget) if budget["estimate_source"] == "tasks" else _staffed(state, budget)
    return {**shown, "units": _units(budget), "value": _amount(budget, minutes)}


def _planned(state: State, budget: Row) -> float:
    sql = (
        f"{BELOW} SELECT v.value FROM mine JOIN asana_task t ON t.gid = mine.gid AND t.trashed = 0"
        " JOIN asana_value v ON v.item = mine.gid JOIN asana_field f ON f.gid = v.field"
        " WHERE f.asana_created_field = 'estimated_time'"
    )
    return sum(float(from_json(held["value"])) for held in rows(state, sql, budget["project"]))


def _staffed(state: State, budget: Row) -> float:
    found = rows(state, "SELECT * FROM asana_allocation WHERE project = ?", budget["project"])
    return sum(_hours(allocation) for allocation in found) * 60


def _hours(allocation: Row) -> float:
    if allocation["effort_type"] == "hours":
        return float(allocation["effort"])
    start, end = date.fromisoformat(allocation["start_on"]), date.fromisoformat(allocation["end_on"])
    days = [start + timedelta(n) for n in range((end - start).days + 1)]
    return sum(day.weekday() < 5 for day in days) * HOURS_A_DAY * float(allocation["effort"] or 0) / 100


def actual(state: State, budget: Row) -> Row:
    counted = BILLABLE[budget["actual_filter"]]
    marks = ", ".join("?" for _ in counted)
    sql = f"SELECT coalesce(sum(minutes), 0) FROM asana_time_entry WHERE project = ? AND billable_status IN ({marks})"
    minutes = float(scalar(state, sql, budget["project"], *counted))
    return {
        "billable_status_filter": budget["actual_filter"], "units": _units(budget), "value": _amount(budget, minutes),
    }  # fmt: skip


def total(budget: Row) -> Row:
    enabled = bool(budget["total_enabled"])
    value = budget["total_time" if budget["type"] == "time" else "total_cost"]
    return {"enabled": enabled, "units": _units(budget) if enabled else None, "value": value}
