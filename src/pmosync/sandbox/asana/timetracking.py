"""Asana's time tracking: minutes that somebody booked on a task, on a day, on account of a project.

A task's actual time is the sum of its entries, and moves with each of them. A list of entries does not tell their
tasks: who wants those asks the tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, plan, planseed, portfolios, tables, taskedit
from pmosync.sandbox.asana.access import me, see_portfolio, see_project, see_task
from pmosync.sandbox.asana.planshapes import COMPACT
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule

BILLABLE = ("billable", "nonBillable", "notApplicable")
NO_FILTER = "You should specify one of: task, attributable_to, portfolio, user, workspace"
NO_DAYS = "workspace: You must specify entered_on_start_date or entered_on_end_date when filtering by workspace."
KIND = "time_tracking_entry"


def _see(call: Call, *, own: bool = False) -> Row:
    plan.has(call, "time_tracking")
    gid = access.checked(KIND, call.args["time_tracking_entry_gid"])
    entry = tables.get(call.state, "time_entry", gid)
    if entry is None:
        raise unknown(KIND, gid)
    see_task(call, entry["task"], kind=KIND)
    if own and entry["created_by"] != me(call):
        raise forbidden(f"{KIND}: You can only change your own time tracking entries.")
    return entry


def list_task_entries(call: Call) -> Response:
    plan.has(call, "time_tracking")
    task = see_task(call, call.args["task_gid"])
    found = rows(call.state, "SELECT gid FROM asana_time_entry WHERE task = ? ORDER BY entered_on, gid", task["gid"])
    return listing(call, KIND, [entry["gid"] for entry in found], told=COMPACT[KIND])


def list_entries(call: Call) -> Response:
    """By task, project, portfolio or person, or, between days, all of the workspace."""
    plan.has(call, "time_tracking")
    query = call.query
    if not any(query.get(name) for name in ("task", "attributable_to", "portfolio", "user", "workspace")):
        raise bad(NO_FILTER)
    first, last = (taskedit.day(name, query.get(name)) for name in ("entered_on_start_date", "entered_on_end_date"))
    if "workspace" in query:
        access.see_workspace(query["workspace"])
        if not first and not last:
            raise bad(NO_DAYS)
    kept = _filters(call)
    found = rows(
        call.state,
        "SELECT e.* FROM asana_time_entry e JOIN asana_task t ON t.gid = e.task AND t.trashed = 0"
        " WHERE e.entered_on >= ? AND e.entered_on <= ? ORDER BY e.entered_on, e.gid",
        first or "",
        last or "9999",
    )
    wanted = [entry for entry in found if all(entry[name] in allowed for name, allowed in kept.items())]
    out = [entry["gid"] for entry in _visible(call, wanted)]
    return listing(call, KIND, out, told=COMPACT[KIND])


def _visible(call: Call, entries: list[Row]) -> Iterator[Row]:
    """Those on tasks that the caller sees: everybody who sees the project that an entry is on account of does."""
    projects: dict[str | None, bool] = {}
    tasks: dict[str, bool] = {}
    for entry in entries:
        project, task = entry["project"], entry["task"]
        if project not in projects:
            projects[project] = access.sees_project(call, project)
        if not projects[project] and task not in tasks:
            found = tables.get(call.state, "task", task) or {}
            tasks[task] = access.at_least(access.task_level(call.state, found, me(call)), "viewer")
        if projects[project] or tasks[task]:
            yield entry


def _filters(call: Call) -> dict[str, set[str]]:
    """Which values of which columns are wanted."""
    query = call.query
    kept: dict[str, set[str]] = {}
    if "task" in query:
        kept["task"] = {see_task(call, query["task"])["gid"]}
    if "user" in query:
        kept["created_by"] = {access.see_user(call, query["user"])["gid"]}
    if "timesheet_approval_status" in query:
        kept["approval_status"] = {query["timesheet_approval_status"]}
    if "portfolio" in query:
        kept["project"] = set(portfolios.below(call, see_portfolio(call, query["portfolio"])["gid"]))
    if "attributable_to" in query:
        project = see_project(call, query["attributable_to"], "viewer", "attributable_to")["gid"]
        kept["project"] = kept.get("project", {project}) & {project}
    return kept


def get_entry(call: Call) -> Response:
    return one(call, KIND, _see(call)["gid"])


def create_entry(call: Call) -> Response:
    plan.has(call, "time_tracking")
    task = see_task(call, call.args["task_gid"], "editor")
    required(call, "duration_minutes")
    mine = tables.projects_of(call.state, task["gid"], inherited=True)
    new = {
        "gid": tables.new_gid(call.state, "time_entry"), "task": task["gid"], "created_by": me(call),
        "entered_on": tables.now(call.state)[:10], "project": mine[0] if mine else None, "approval_status": "DRAFT",
        "billable_status": "billable", "description": "", "created_at": tables.now(call.state),
    } | _columns(call, task["gid"], data(call))  # fmt: skip
    tables.insert(call.state, "time_entry", new)
    _count(call, task["gid"])
    return one(call, KIND, new["gid"], 201)


def update_entry(call: Call) -> Response:
    entry = _see(call, own=True)
    tables.update(call.state, "time_entry", entry["gid"], _columns(call, entry["task"], data(call)))
    _count(call, entry["task"])
    return one(call, KIND, entry["gid"])


def _columns(call: Call, task: str, given: Row) -> Row:
    new: Row = {}
    for name, value in given.items():
        if name == "duration_minutes":
            new["minutes"] = _minutes(value)
        elif name == "entered_on":
            new[name] = taskedit.day(name, value) or tables.now(call.state)[:10]
        elif name == "attributable_to":
            new["project"] = _account(call, task, value)
        elif name == "billable_status":
            if value not in BILLABLE:
                raise bad(f"{name}: {value} is not one of {', '.join(BILLABLE)}")
            new[name] = value
        elif name == "description":
            new[name] = str(value or "")
        elif name != "categories":
            raise bad(f"{name}: Cannot write this property")
    return new


def _minutes(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise bad(f"duration_minutes: Must be greater than 0: {value}")
    return value


def _account(call: Call, task: str, value: Any) -> str | None:
    """The project that the time is on account of: one that the task is in."""
    if value is None:
        return None
    project = see_project(call, str(value), "viewer", "attributable_to")["gid"]
    if project not in tables.projects_of(call.state, task, inherited=True):
        raise bad("attributable_to: The task is not in this project.")
    return str(project)


def delete_entry(call: Call) -> Response:
    entry = _see(call, own=True)
    run(call.state, "DELETE FROM asana_time_entry WHERE gid = ?", entry["gid"])
    _count(call, entry["task"])
    return nothing()


def _count(call: Call, task: str) -> None:
    before = (tables.get(call.state, "task", task) or {}).get("actual_minutes")
    after = planseed.count_minutes(call.state, task)
    if before != after:
        edits.task_changed(call, task, "actual_time_minutes", before, after)
        edits.touch(call.state, task)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/tasks/{task_gid}/time_tracking_entries", list_task_entries),
    (("POST",), "/api/1.0/tasks/{task_gid}/time_tracking_entries", create_entry),
    (("GET",), "/api/1.0/time_tracking_entries", list_entries),
    (("GET",), "/api/1.0/time_tracking_entries/{time_tracking_entry_gid}", get_entry),
    (("PUT",), "/api/1.0/time_tracking_entries/{time_tracking_entry_gid}", update_entry),
    (("DELETE",), "/api/1.0/time_tracking_entries/{time_tracking_entry_gid}", delete_entry),
]
