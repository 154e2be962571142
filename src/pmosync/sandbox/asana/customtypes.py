"""Asana's custom types of tasks, with the statuses that each has in place of a tick.

A status says whether its tasks are complete, so setting one completes or reopens the task as the tick would.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, tables
from pmosync.sandbox.asana.access import see_project
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import listing, one
from pmosync.sandbox.asana.tables import Row, row, rows
from pmosync.sandbox.call import Call, Rule


def list_types(call: Call) -> Response:
    if not call.query.get("project"):
        raise bad("project: Missing input")
    project = see_project(call, call.query["project"])
    sql = "SELECT gid FROM asana_custom_type WHERE project = ? ORDER BY gid"
    return listing(call, "custom_type", [found["gid"] for found in rows(call.state, sql, project["gid"])])


def get_type(call: Call) -> Response:
    return one(call, "custom_type", _see(call, call.args["custom_type_gid"])["gid"])


def _see(call: Call, gid: object) -> Row:
    checked = access.checked("custom_type", gid)
    found = tables.get(call.state, "custom_type", checked)
    if found is None:
        raise unknown("custom_type", checked)
    see_project(call, found["project"], "viewer", "custom_type")
    return found


def typed(call: Call, task: Row, value: Any) -> Row:
    """The columns of a task that is given a custom type, or loses it with None."""
    if value is None:
        return {"custom_type": None, "custom_type_status_option": None, "resource_subtype": "default_task"}
    found = _see(call, str(value))
    first = "SELECT gid FROM asana_custom_status WHERE custom_type = ? AND enabled = 1 ORDER BY position LIMIT 1"
    option = row(call.state, first, found["gid"])
    if task["custom_type"] == found["gid"]:
        return {}
    new = {"custom_type": found["gid"], "custom_type_status_option": (option or {}).get("gid")}
    return new | {"resource_subtype": "custom", "approval_status": None}


def in_status(call: Call, task: Row, value: Any) -> tuple[str, bool]:
    """The gid of the status that a task is put in, and whether it completes the task."""
    gid = access.checked("custom_type_status_option", value)
    option = tables.get(call.state, "custom_status", gid)
    if option is None or option["custom_type"] != task.get("custom_type"):
        raise bad(f"custom_type_status_option: {gid} is not an option of this task's custom type.")
    if not option["enabled"]:
        raise bad(f"custom_type_status_option: {gid} is disabled.")
    return gid, option["completion_state"] == "Complete"


def told_by_tick(call: Call, task: Row, complete: bool) -> Row:
    """The status that a tick puts a task of a custom type in: the first that says the same."""
    if not task.get("custom_type"):
        return {}
    sql = (
        "SELECT gid FROM asana_custom_status WHERE custom_type = ? AND completion_state = ? AND enabled = 1"
        " ORDER BY position LIMIT 1"
    )
    option = row(call.state, sql, task["custom_type"], "Complete" if complete else "Incomplete")
    return {"custom_type_status_option": option["gid"]} if option else {}


RULES: list[Rule] = [
    (("GET",), "/api/1.0/custom_types", list_types),
    (("GET",), "/api/1.0/custom_types/{custom_type_gid}", get_type),
]
