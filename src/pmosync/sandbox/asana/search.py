"""Asana's task search: many filters, one page, and an index that runs behind.

The answer is never paged: whoever wants more than a hundred sorts by when tasks were made and moves the bound. What
changed within the last `search_lag_s` seconds (a switch) is not in the index yet.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.asana import access, edits, portfolios, select, tables, taskedit
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.asana.views import Ref
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.state import from_json

MAX_RESULTS = 100
SORTS = {"due_date": "due_on", "created_at": "created_at", "completed_at": "completed_at",
         "modified_at": "modified_at", "likes": "gid", "relevance": "gid"}  # fmt: skip
PEOPLE = ("assignee", "followers", "created_by")
DAYS = ("due_on", "start_on", "created_on", "completed_on", "modified_on")
INSTANTS = ("due_at", "created_at", "completed_at", "modified_at")
ON_PAGE = frozenset({"opt_fields", "opt_pretty", "sort_by", "sort_ascending", "limit"})

Test = Callable[[Call, Row, str], bool]


def search_tasks(call: Call) -> Response:
    access.see_workspace(call.args["workspace_gid"])
    edits.premium(call, "Searches")
    tests = [(name, _test(name), value) for name, value in call.query.items() if name not in ON_PAGE]
    order = SORTS.get(call.query.get("sort_by", "modified_at"))
    if order is None:
        raise bad(f"sort_by: {call.query['sort_by']} is not one of {', '.join(SORTS)}")
    limit = call.query.get("limit", str(MAX_RESULTS))
    if not limit.isdigit() or not 1 <= int(limit) <= MAX_RESULTS:
        raise bad(f"limit: Must be between 1 and {MAX_RESULTS}, inclusive.")
    lag = timedelta(seconds=float(tables.switch(call.state, "search_lag_s")))
    indexed = tables.instant(call.state.now() - lag) if lag else "9999"
    up = "ASC" if call.query.get("sort_ascending") == "true" else "DESC"
    sql = f"SELECT * FROM asana_task WHERE trashed = 0 AND touched_at <= ? ORDER BY {order} {up}, gid {up}"
    view, names, found = select.view_of(call), select.wanted(call), []
    for task in rows(call.state, sql, indexed):
        if all(test(call, task, value) for _, test, value in tests) and _visible(call, task):
            ref = Ref("task", task["gid"])
            found.append(select.compact(view, ref) if names is None else select.selected(view, ref, names))
            if len(found) == int(limit):
                break
    return json_answer({"data": found})


def _visible(call: Call, task: Row) -> bool:
    return access.at_least(access.task_level(call.state, task, access.me(call)), "viewer")


# -- filters -------------------------------------------------------------------------------------------------------


def _test(name: str) -> Test:
    """What a filter asks of a task; one that is not known is overlooked, as Asana does."""
    what, _, how = name.partition(".")
    if what == "custom_fields":
        return _of_field(*how.rpartition(".")[::2])
    if what in DAYS or what in INSTANTS:
        return _of_time(what, how)
    if what in HELD and how in ("any", "not", "all"):
        return _of_set(what, how)
    return PLAIN.get(name, lambda call, task, value: True)


def _of_time(what: str, how: str) -> Test:
    column = {"created_on": "created_at", "completed_on": "completed_at", "modified_on": "modified_at"}.get(what, what)

    def test(call: Call, task: Row, value: str) -> bool:
        held = task[column]
        if not how:
            return held is None if value == "null" else (held or "")[:10] == value
        if held is None:
            return False
        if what in INSTANTS:
            bound = str(taskedit.moment(what, value))
            return bool(held < bound if how == "before" else held > bound)
        return bool(held[:10] <= value if how == "before" else held[:10] >= value)

    return test


def _of_set(what: str, how: str) -> Test:
    def test(call: Call, task: Row, value: str) -> bool:
        wanted = _wanted(call, what, value)
        held = set(HELD[what](call, task))
        if how == "not":
            return not wanted & held
        return wanted <= held if how == "all" else bool(wanted & held)

    return test


def _wanted(call: Call, what: str, value: str) -> set[str]:
    given = [part.strip() for part in value.split(",") if part.strip()]
    if what in PEOPLE:
        return {str(access.see_user(call, one, what)["gid"]) if one != "null" else "" for one in given}
    if what == "portfolios":
        return {held for one in given for held in portfolios.below(call, access.see_portfolio(call, one)["gid"])}
    return set(given)


def _gids(sql: str) -> Callable[[Call, Row], list[str]]:
    return lambda call, task: [found["gid"] for found in rows(call.state, sql, task["gid"])]


def _projects(call: Call, task: Row) -> list[str]:
    return tables.projects_of(call.state, task["gid"], inherited=False)


def _teams(call: Call, task: Row) -> list[str]:
    return [
        str(scalar(call.state, "SELECT team FROM asana_project WHERE gid = ?", gid)) for gid in _projects(call, task)
    ]


HELD: dict[str, Callable[[Call, Row], list[str]]] = {
    "assignee": lambda call, task: [task["assignee"] or ""],
    "created_by": lambda call, task: [task["created_by"] or ""],
    "followers": _gids("SELECT user AS gid FROM asana_follower WHERE item = ?"),
    "projects": _projects,
    "portfolios": _projects,
    "sections": _gids("SELECT section AS gid FROM asana_placement WHERE task = ?"),
    "tags": _gids("SELECT tag AS gid FROM asana_tagging WHERE task = ?"),
    "teams": _teams,
}
"""The gids that a task has of what is filtered by; a project without tasks of its own lends them to nobody."""


def _ties(sql: str) -> Test:
    def test(call: Call, task: Row, value: str) -> bool:
        return (scalar(call.state, sql, task["gid"]) is not None) == (value == "true")

    return test


OPEN_BEFORE = (
    "SELECT 1 FROM asana_dependency d JOIN asana_task t ON t.gid = d.depends_on AND t.trashed = 0 AND t.completed = 0"
    " WHERE d.task = ?"
)
WAITING = (
    "SELECT 1 FROM asana_dependency d JOIN asana_task t ON t.gid = d.task AND t.trashed = 0 WHERE d.depends_on = ?"
)
PLAIN: dict[str, Test] = {
    "text": lambda call, task, value: value.lower() in f"{task['name']}\n{task['notes']}".lower(),
    "resource_subtype": lambda call, task, value: task["resource_subtype"] == value,
    "completed": lambda call, task, value: bool(task["completed"]) == (value == "true"),
    "is_subtask": lambda call, task, value: bool(task["parent"]) == (value == "true"),
    "has_attachment": lambda call, task, value: value == "false",
    "is_blocked": _ties(OPEN_BEFORE),
    "is_blocking": lambda call, task, value: _ties(WAITING)(call, task, value) and not task["completed"],
}


def _of_field(field: str, how: str) -> Test:
    """`custom_fields.{gid}.value`, `.is_set`, `.contains`, `.starts_with`, `.greater_than`, `.less_than` and so on."""

    def test(call: Call, task: Row, value: str) -> bool:
        sql = "SELECT value FROM asana_value WHERE item = ? AND field = ?"
        held = from_json(scalar(call.state, sql, task["gid"], field))
        if how == "is_set":
            return (held is not None) == (value == "true")
        return held is not None and _holds(how, held, value)

    return test


def _holds(how: str, held: Any, value: str) -> bool:
    if how in ("less_than", "greater_than"):
        return float(held) <= float(value) if how == "less_than" else float(held) >= float(value)
    if isinstance(held, list):
        return value in held
    if isinstance(held, int | float):
        return float(held) == float(value)
    matches = {"contains": value in held, "starts_with": held.startswith(value), "ends_with": held.endswith(value)}
    return bool(matches.get(how, held == value))


RULES: list[Rule] = [(("GET",), "/api/1.0/workspaces/{workspace_gid}/tasks/search", search_tasks)]
