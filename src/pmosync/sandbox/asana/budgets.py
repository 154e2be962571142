"""Asana's budgets: what a project may take in time or money, and what it took.

A project has one budget at most, which is a thing of its own: the project does not name it.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, plan, planseed, tables
from pmosync.sandbox.asana.access import see_project
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run, scalar
from pmosync.sandbox.call import Call, Rule

TYPES = ("cost", "time")
FILTERS = ("billable", "non_billable", "any")
SOURCES = ("none", "tasks", "capacity_plans")


def _see(call: Call, wanted: str = "viewer") -> Row:
    plan.has(call, "budgets")
    gid = access.checked("budget", call.args["budget_gid"])
    budget = tables.get(call.state, "budget", gid)
    if budget is None:
        raise unknown("budget", gid)
    see_project(call, budget["project"], wanted, "budget")
    return budget


def list_budgets(call: Call) -> Response:
    plan.has(call, "budgets")
    if not call.query.get("parent"):
        raise bad("parent: Missing input")
    project = see_project(call, call.query["parent"], "viewer", "parent")
    found = rows(call.state, "SELECT gid FROM asana_budget WHERE project = ?", project["gid"])
    return listing(call, "budget", [budget["gid"] for budget in found])


def get_budget(call: Call) -> Response:
    return one(call, "budget", _see(call)["gid"])


def create_budget(call: Call) -> Response:
    plan.has(call, "budgets")
    project = see_project(call, str(required(call, "parent")), "editor", "parent")
    kind = _one_of("budget_type", required(call, "budget_type"), TYPES)
    if scalar(call.state, "SELECT 1 FROM asana_budget WHERE project = ?", project["gid"]):
        raise bad("parent: This project already has a budget.")
    given = data(call)
    new = _columns({"type": kind, "estimate_source": "none", "estimate_enabled": 0}, given)
    gid = planseed.add_budget(call.state, project["gid"], kind, estimate_source="none", estimate_enabled=False)
    tables.update(call.state, "budget", gid, new)
    call.state.changed("asana", str(call.user["name"]), project["gid"], "budget", None, given)
    return one(call, "budget", gid, 201)


def update_budget(call: Call) -> Response:
    budget = _see(call, "editor")
    given = data(call)
    if "parent" in given and str(given["parent"]) != budget["project"]:
        raise bad("parent: Cannot write this property")
    kind = _one_of("budget_type", given.get("budget_type", budget["type"]), TYPES)
    new = {"type": kind} | _columns(budget | {"type": kind}, given)
    tables.update(call.state, "budget", budget["gid"], new)
    call.state.changed("asana", str(call.user["name"]), budget["project"], "budget", None, given)
    return one(call, "budget", budget["gid"])


def _columns(budget: Row, given: Row) -> Row:
    """What the three parts of a budget say, each checked."""
    estimate, actual, total = (_part(given, name) for name in ("estimate", "actual", "total"))
    new: Row = {}
    if "billable_status_filter" in estimate:
        new["estimate_filter"] = _one_of("estimate", estimate["billable_status_filter"], FILTERS)
    if "source" in estimate:
        new["estimate_source"] = _one_of("estimate", estimate["source"], SOURCES)
    if "enabled" in estimate:
        new["estimate_enabled"] = int(bool(estimate["enabled"]))
    after = budget | new
    if after["estimate_enabled"] and after["estimate_source"] == "none":
        raise bad("estimate: source must not be none when enabled is true.")
    if "billable_status_filter" in actual:
        new["actual_filter"] = _one_of("actual", actual["billable_status_filter"], FILTERS)
    if "enabled" in total:
        new["total_enabled"] = int(bool(total["enabled"]))
    if "value" in total:
        new[f"total_{budget['type']}"] = _amount(total["value"])
    return new


def _part(given: Row, name: str) -> Row:
    part = given.get(name) or {}
    if not isinstance(part, dict):
        raise bad(f"{name}: Not an object: {part}")
    return part


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise bad(f"{name}: {value} is not one of {', '.join(allowed)}")
    return str(value)


def _amount(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
        raise bad(f"total: Not a positive number: {value}")
    return value


def delete_budget(call: Call) -> Response:
    budget = _see(call, "editor")
    run(call.state, "DELETE FROM asana_budget WHERE gid = ?", budget["gid"])
    call.state.changed("asana", str(call.user["name"]), budget["project"], "budget", budget["type"], None)
    return nothing()


RULES: list[Rule] = [
    (("GET",), "/api/1.0/budgets", list_budgets),
    (("POST",), "/api/1.0/budgets", create_budget),
    (("GET",), "/api/1.0/budgets/{budget_gid}", get_budget),
    (("PUT",), "/api/1.0/budgets/{budget_gid}", update_budget),
    (("DELETE",), "/api/1.0/budgets/{budget_gid}", delete_budget),
]
