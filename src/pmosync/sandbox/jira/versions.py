"""Serves the versions of projects: the lists, one version, and people's edits of them.

It keeps the promise that an edit of a version is an edit of nothing else: no issue in it gets a new date.
"""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State
from . import access, edit, issues, planning, render, site
from .access import refusal
from .tables import SITE

ORDERS = {"sequence": "id", "name": "name", "description": "description", "startDate": "start_on",
          "releaseDate": "release_on"}  # fmt: skip
GIVEN = {"name": "name", "description": "description", "archived": "archived", "released": "released",
         "startDate": "start_on", "releaseDate": "release_on"}  # fmt: skip
STATES = {
    "released": "released AND NOT archived",
    "unreleased": "NOT released AND NOT archived",
    "archived": "archived",
}
LENGTH = 255
NOT_THERE = "Could not find version for id '{}'"


def rules(state: State) -> list[Rule]:
    """The versions' part of the API."""
    api = "/rest/api/3"
    return [
        (("GET",), f"{api}/project/{{projectIdOrKey}}/version", _paged),
        (("GET",), f"{api}/project/{{projectIdOrKey}}/versions", _all),
        (("POST",), f"{api}/version", _create),
        (("GET",), f"{api}/version/{{id}}", _get),
        (("PUT",), f"{api}/version/{{id}}", _put),
        (("DELETE",), f"{api}/version/{{id}}", _delete),
    ]


def document(call: Call, row: planning.Row) -> dict[str, Any]:
    """A version as its own resource shows it: more than an issue embeds."""
    found = planning.embedded_version(row) | {"projectId": row["project_id"]}
    for name, column, shown in (
        ("startDate", "start_on", "userStartDate"),
        ("releaseDate", "release_on", "userReleaseDate"),
    ):
        if row[column]:
            found |= {name: row[column], shown: row[column]}
    if row["release_on"] and not row["released"]:
        found["overdue"] = row["release_on"] < call.state.now().date().isoformat()
    return found


def _of(call: Call, condition: str = "1", order: str = "id") -> list[dict[str, Any]]:
    project = access.seen_project(call, call.args["projectIdOrKey"])
    sql = f"SELECT * FROM jira_version WHERE project_id = ? AND ({condition}) ORDER BY {order}"
    return [document(call, row) for row in call.state.rows(sql, (project["id"],))]


def _all(call: Call) -> Response:
    return render.answer(call, _of(call))


def _paged(call: Call) -> Response:
    asked = [one for one in call.query.get("status", "").split(",") if one]
    order = call.query.get("orderBy", "sequence")
    column = ORDERS.get(order.lstrip("+-"))
    if column is None or not set(asked) <= STATES.keys():
        raise Refused(400, refusal("The orderBy or status parameter is not valid."))
    direction = "DESC" if order.startswith("-") else "ASC"
    found = _of(call, " OR ".join(STATES[one] for one in asked) or "1", f"{column} {direction} NULLS LAST, id")
    wanted = call.query.get("query", "").lower()
    found = [one for one in found if wanted in one["name"].lower() or wanted in one.get("description", "").lower()]
    start, size = access.page_asked(call, 50, 50)
    address = f"{SITE}{call.request.path}"
    return render.answer(call, site.page_of(found[start : start + size], start, size, len(found), address))


def _seen(call: Call) -> planning.Row:
    given = call.args["id"]
    row = call.state.row("SELECT * FROM jira_version WHERE id = ?", (int(given) if given.isdigit() else -1,))
    if row is None or not access.may(call.state, call.user["id"], row["project_id"], "BROWSE_PROJECTS"):
        raise Refused(404, refusal(NOT_THERE.format(given)))
    return row


def _get(call: Call) -> Response:
    return render.answer(call, document(call, _seen(call)))


def _create(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    column = "id" if "projectId" in given else "key"
    wanted = given.get("projectId", given.get("project"))
    project = call.state.row(f"SELECT * FROM jira_project WHERE {column} = ?", (wanted,))
    no = Refused(404, refusal("Project must be specified to create a version, and you must administer it."))
    if project is None:
        raise no
    planning.need(call, project["id"], no)
    blank: planning.Row = {
        "project_id": project["id"], "name": None, "description": None, "archived": 0, "released": 0,
        "start_on": None, "release_on": None,
    }  # fmt: skip
    row = _checked(call, blank, given)
    number = planning.insert(call.state, "jira_version", row, 10000)
    call.state.changed("jira", call.user["name"], f"version {number}", "created", None, row["name"])
    return render.answer(call, document(call, row | {"id": number}), 201)


def _put(call: Call) -> Response:
    before = _seen(call)
    planning.need(call, before["project_id"], Refused(400, refusal("You must administer the project.")))
    row = _checked(call, before, call.body if isinstance(call.body, dict) else {})
    for name, value in row.items():
        if value != before[name]:
            call.state.db.execute(f"UPDATE jira_version SET {name} = ? WHERE id = ?", (value, row["id"]))
            call.state.changed("jira", call.user["name"], f"version {row['id']}", name, before[name], value)
    return render.answer(call, document(call, row))


def _checked(call: Call, row: planning.Row, given: dict[str, Any]) -> planning.Row:
    """A version with what a request gives; a date may be taken away with null."""
    found = row | {column: given[name] for name, column in GIVEN.items() if name in given}
    found |= {name: int(bool(found[name])) for name in ("archived", "released")}
    name = str(found["name"] or "").strip()
    if not name:
        raise Refused(400, refusal(name="You must specify a valid version name"))
    if len(name) > LENGTH:
        raise Refused(400, refusal(name=f"The version name must not exceed {LENGTH} characters."))
    for given_as, column in (("startDate", "start_on"), ("releaseDate", "release_on")):
        if found[column] is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(found[column])):
            raise Refused(400, refusal(**{given_as: "The date has to be of the form yyyy-MM-dd."}))
    if found["start_on"] and found["release_on"] and found["start_on"] > found["release_on"]:
        raise Refused(400, refusal(startDate="The start date must be before the release date."))
    twin = "SELECT id FROM jira_version WHERE project_id = ? AND name = ? COLLATE NOCASE AND id IS NOT ?"
    if call.state.row(twin, (found["project_id"], name, found.get("id"))):
        raise Refused(400, refusal(name="A version with this name already exists in this project."))
    return found | {"name": name}


def _delete(call: Call) -> Response:
    """Delete a version; unlike all other edits, this one changes the issues that were in it."""
    row = _seen(call)
    planning.need(call, row["project_id"], Refused(401, refusal("You must administer the project.")))
    for issue in call.state.rows("SELECT * FROM jira_issue WHERE project_id = ?", (row["project_id"],)):
        before = issues.fields_of(issue)
        left = {
            name: [one for one in before.get(name) or [] if one["id"] != str(row["id"])]
            for name in planning.VERSION_FIELDS
            if name in before
        }
        edit.write_back(call, issue, before, before | left, None, quiet=True)
    call.state.db.execute("DELETE FROM jira_version WHERE id = ?", (row["id"],))
    call.state.changed("jira", call.user["name"], f"version {row['id']}", "deleted", row["name"], None)
    return empty_answer()
