"""Serves projects as Data Center does: one unpaged list, archived ones on request, and what can be created in them.

It keeps the promise that an archived project is there for whoever asks for archived ones, and for no search.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused, empty_answer
from ...call import Call, Rule
from ...state import from_json
from .. import access, planning, seed
from ..access import refusal
from ..tables import milliseconds, stamp, types_of
from . import shapes
from .reuse import API

SHOWN = ("self", "id", "key", "name", "avatarUrls", "projectCategory", "projectTypeKey")
REQUIRED = ("summary", "issuetype", "project")


def rules() -> list[Rule]:
    """The projects' part of the API."""
    one = f"{API}/project/{{projectIdOrKey}}"
    made = f"{API}/issue/createmeta/{{projectIdOrKey}}/issuetypes"
    return [
        (("GET",), f"{API}/project", _all),
        (("GET",), one, _one),
        (("GET",), f"{one}/components", _components),
        (("PUT",), f"{one}/archive", _archive),
        (("PUT",), f"{one}/restore", _restore),
        (("GET",), made, _types),
        (("GET",), f"{made}/{{issueTypeId}}", _fields),
    ]


def _shown(call: Call, row: dict[str, Any], expand: Collection[str]) -> dict[str, Any]:
    document = from_json(row["document"])
    found: dict[str, Any] = {"expand": "description,lead,issueTypes,url,projectKeys"}
    found |= {name: document[name] for name in SHOWN if name in document}
    found["archived"] = _archived(call, row) is not None
    if "lead" in expand and document.get("lead"):
        found["lead"] = document["lead"]
    if "description" in expand:
        found["description"] = document.get("description", "")
    if "projectKeys" in expand:
        found["projectKeys"] = [row["key"]]
    if "issueTypes" in expand:
        found["issueTypes"] = types_of(call.state, row)
    return found


def _all(call: Call) -> Response:
    expand = call.query.get("expand", "").split(",")
    archived = call.query.get("includeArchived", "").lower() == "true"
    found = [
        _shown(call, row, expand)
        for row in call.state.rows("SELECT * FROM jira_project ORDER BY name COLLATE NOCASE")
        if access.may(call.state, call.user["id"], row["id"], "BROWSE_PROJECTS")
        and (archived or not _archived(call, row))
    ]
    return shapes.answer(call, found)


def _one(call: Call) -> Response:
    row = access.seen_project(call, call.args["projectIdOrKey"])
    expand = ("lead", "description", "issueTypes", *call.query.get("expand", "").split(","))
    found = _shown(call, row, expand)
    versions = call.state.rows("SELECT * FROM jira_version WHERE project_id = ? ORDER BY id", (row["id"],))
    found |= {"components": [], "versions": [planning.embedded_version(one) for one in versions], "roles": {}}
    since = _archived(call, row)
    if since:
        found |= {
            "archivedDate": stamp(since["at_ms"]),
            "archivedBy": seed.user_document(call.state, since["actor"]),
        }
    return shapes.answer(call, found)


def _components(call: Call) -> Response:
    access.seen_project(call, call.args["projectIdOrKey"])
    return shapes.answer(call, [])


# -- archiving --------------------------------------------------------------------------------------------------------


def _administered(call: Call) -> dict[str, Any]:
    row = access.seen_project(call, call.args["projectIdOrKey"])
    if not access.is_admin(call.state, call.user["id"]):
        raise Refused(403, refusal("You must be a Jira administrator to archive and to restore projects."))
    return row


def _archived(call: Call, row: dict[str, Any]) -> dict[str, Any] | None:
    """Since when a project is archived and by whom, or None."""
    sql = "SELECT * FROM jira_project_state WHERE project_id = ? AND status = 'archived'"
    return call.state.row(sql, (row["id"],))


def _archive(call: Call) -> Response:
    row = _administered(call)
    if not _archived(call, row):
        sql = "INSERT OR REPLACE INTO jira_project_state (project_id, status, at_ms, actor) VALUES (?, ?, ?, ?)"
        now = milliseconds(call.state.now())
        call.state.db.execute(sql, (row["id"], "archived", now, call.user["id"]))
        call.state.changed("jira", call.user["name"], row["key"], "archived", False, True)
    return empty_answer()


def _restore(call: Call) -> Response:
    row = _administered(call)
    if _archived(call, row):
        call.state.db.execute("DELETE FROM jira_project_state WHERE project_id = ?", (row["id"],))
        call.state.changed("jira", call.user["name"], row["key"], "archived", True, False)
    return empty_answer(202)


# -- what can be created ----------------------------------------------------------------------------------------------


def _creatable(call: Call) -> dict[str, Any]:
    reference = call.args["projectIdOrKey"]
    try:
        row = access.seen_project(call, reference)
    except Refused as refused:
        raise Refused(400, refused.body) from None
    if not access.may(call.state, call.user["id"], row["id"], "CREATE_ISSUES"):
        raise Refused(400, refusal(f"You cannot create issues in the project '{reference}'."))
    return row


def _page(call: Call, values: list[Any]) -> Response:
    start, size = access.page_asked(call, 50, 1000)
    body = {
        "maxResults": size, "startAt": start, "total": len(values), "isLast": start + size >= len(values),
        "values": values[start : start + size],
    }  # fmt: skip
    return shapes.answer(call, body)


def _types(call: Call) -> Response:
    """The types of issue that the caller can make in a project."""
    return _page(call, types_of(call.state, _creatable(call)))


def _fields(call: Call) -> Response:
    """The fields that an issue of a type can be made with."""
    row = _creatable(call)
    kind = next((one for one in types_of(call.state, row) if one["id"] == call.args["issueTypeId"]), None)
    if kind is None:
        raise Refused(400, refusal("The issue type does not exist in this project."))
    found = []
    for one in call.state.rows("SELECT document, projects FROM jira_field ORDER BY rowid"):
        document, keys = from_json(one["document"]), from_json(one["projects"])
        offered = document["orderable"] and (keys is None or row["key"] in keys)
        if not offered and document["id"] != "project" and not (document["id"] == "parent" and kind["subtask"]):
            continue
        allowed = {"issuetype": [kind], "project": [_shown(call, row, ())]}.get(document["id"])
        found.append({
            "required": document["id"] in REQUIRED or document["id"] == "parent", "schema": document["schema"],
            "name": document["name"], "fieldId": document["id"], "hasDefaultValue": False, "operations": ["set"],
        } | ({"allowedValues": allowed} if allowed else {}))  # fmt: skip
    return _page(call, found)
