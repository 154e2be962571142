"""Asana's allocations: who is planned on which project, from which day to which, and with how much of their time.

An allocation is seen by whoever sees its project; lists are silently limited to those.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, plan, tables, taskedit
from pmosync.sandbox.asana.access import me, see_project
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule

UNITS = ("hours", "percent")
NO_FILTER = "You should specify one of: parent, assignee, workspace"


def _see(call: Call, wanted: str = "viewer") -> Row:
    plan.has(call, "allocations")
    gid = access.checked("allocation", call.args["allocation_gid"])
    allocation = tables.get(call.state, "allocation", gid)
    if allocation is None:
        raise unknown("allocation", gid)
    see_project(call, allocation["project"], wanted, "allocation")
    return allocation


def list_allocations(call: Call) -> Response:
    """By project, by person or placeholder, of the whole workspace, or several of these at once."""
    plan.has(call, "allocations")
    query = call.query
    if not any(query.get(name) for name in ("parent", "assignee", "workspace")):
        raise bad(NO_FILTER)
    if "workspace" in query:
        access.see_workspace(query["workspace"])
    found = rows(call.state, "SELECT * FROM asana_allocation ORDER BY gid")
    if "parent" in query:
        wanted = see_project(call, query["parent"], "viewer", "parent")["gid"]
        found = [allocation for allocation in found if allocation["project"] == wanted]
    if "assignee" in query:
        person = _assignee(call, query["assignee"])
        found = [allocation for allocation in found if allocation["assignee"] == person]
    seen = {gid for gid in {allocation["project"] for allocation in found} if access.sees_project(call, gid)}
    return listing(call, "allocation", [allocation["gid"] for allocation in found if allocation["project"] in seen])


def _assignee(call: Call, given: Any) -> str:
    """A person, or a placeholder by its gid."""
    placeholder = tables.get(call.state, "placeholder", str(given))
    return str(placeholder["gid"] if placeholder else access.see_user(call, str(given), "assignee")["gid"])


def get_allocation(call: Call) -> Response:
    return one(call, "allocation", _see(call)["gid"])


def create_allocation(call: Call) -> Response:
    plan.has(call, "allocations")
    for name in ("assignee", "parent", "start_date", "end_date"):
        required(call, name)
    new: Row = {"effort_type": None, "effort": None} | _columns(call, data(call))
    _check_days(new)
    gid = tables.new_gid(call.state, "allocation")
    tables.insert(call.state, "allocation", {"gid": gid, "created_by": me(call)} | new)
    call.state.changed("asana", str(call.user["name"]), new["project"], "allocation", None, gid)
    return one(call, "allocation", gid, 201)


def update_allocation(call: Call) -> Response:
    allocation = _see(call, "editor")
    new = _columns(call, data(call))
    _check_days(allocation | new)
    tables.update(call.state, "allocation", allocation["gid"], new)
    call.state.changed("asana", str(call.user["name"]), allocation["project"], "allocation", allocation["gid"], new)
    return one(call, "allocation", allocation["gid"])


def _columns(call: Call, given: Row) -> Row:
    new: Row = {}
    for name, value in given.items():
        if name in ("start_date", "end_date"):
            new[name.replace("_date", "_on")] = taskedit.day(name, value)
        elif name == "assignee":
            new[name] = _assignee(call, value)
        elif name == "parent":
            new["project"] = see_project(call, str(value), "editor", "parent")["gid"]
        elif name == "effort":
            new |= _effort(value)
        else:
            raise bad(f"{name}: Cannot write this property")
    return new


def _effort(value: Any) -> Row:
    if value is None:
        return {"effort_type": None, "effort": None}
    amount = value.get("value") if isinstance(value, dict) else None
    if not isinstance(value, dict) or value.get("type") not in UNITS:
        raise bad(f"effort: type is one of {', '.join(UNITS)}")
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount < 0:
        raise bad(f"effort: Not a positive number: {amount}")
    return {"effort_type": value["type"], "effort": amount}


def _check_days(allocation: Row) -> None:
    if not allocation["start_on"] or not allocation["end_on"] or allocation["start_on"] > allocation["end_on"]:
        raise bad("start_date: The start date must not be after the end date.")


def delete_allocation(call: Call) -> Response:
    allocation = _see(call, "editor")
    run(call.state, "DELETE FROM asana_allocation WHERE gid = ?", allocation["gid"])
    call.state.changed("asana", str(call.user["name"]), allocation["project"], "allocation", allocation["gid"], None)
    return nothing()


RULES: list[Rule] = [
    (("GET",), "/api/1.0/allocations", list_allocations),
    (("POST",), "/api/1.0/allocations", create_allocation),
    (("GET",), "/api/1.0/allocations/{allocation_gid}", get_allocation),
    (("PUT",), "/api/1.0/allocations/{allocation_gid}", update_allocation),
    (("DELETE",), "/api/1.0/allocations/{allocation_gid}", delete_allocation),
]
