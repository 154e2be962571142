"""Serves the links between issues, and who watches them.

It keeps the promise that both ends of a link get a new date and an entry in their histories, as in Jira.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State
from . import access, edit, log, render, seed
from .access import refusal
from .tables import SITE, thing, things


def rules(state: State) -> list[Rule]:
    """Links, their types, and watchers."""
    return [
        (("POST",), "/rest/api/3/issue/{issueIdOrKey}/watchers", _watch),
        (("POST",), "/rest/api/3/issueLink", _add_link),
        (("GET",), "/rest/api/3/issueLink/{linkId}", _link),
        (("DELETE",), "/rest/api/3/issueLink/{linkId}", _delete_link),
        (("GET",), "/rest/api/3/issueLinkType", _link_types),
    ]


def _watch(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    seed.add_watcher(call.state, row["key"], str(call.body or call.user["id"]))
    return empty_answer()


def _link_types(call: Call) -> Response:
    return render.answer(call, {"issueLinkTypes": things(call.state, "issueLinkType")})


def _add_link(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    kind = given.get("type") or {}
    found = thing(call.state, "issueLinkType", str(kind.get("id") or kind.get("name") or ""))
    if found is None:
        raise Refused(404, refusal(f"No issue link type with name '{kind.get('name')}' found."))
    ends = [access.seen_issue(call, _reference(given.get(name))) for name in ("inwardIssue", "outwardIssue")]
    access.need(call, ends[0]["project_id"], "LINK_ISSUES")
    if ends[0]["id"] == ends[1]["id"]:
        raise Refused(400, refusal("You cannot link an issue to itself."))
    seed.add_link(call.state, found["name"], ends[0]["key"], ends[1]["key"])
    for row, told in zip(ends, _told(found, ends), strict=True):
        edit.touch(call, row["id"], [log.plain("Link", (None, None), told)])
    what = f"{found['outward']} {ends[1]['key']}"
    call.state.changed("jira", call.user["name"], ends[0]["key"], "link", None, what)
    return empty_answer(201)


def _told(kind: dict[str, Any], ends: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the histories of both ends of a link say of it: the key of the other, and a sentence."""
    inward, outward = (row["key"] for row in ends)
    return [
        (outward, f"This work item {kind['outward']} {outward}"),
        (inward, f"This work item {kind['inward']} {inward}"),
    ]


def _reference(given: Any) -> str:
    return str((given or {}).get("key") or (given or {}).get("id") or "?")


def _link_row(call: Call) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    row = call.state.row("SELECT * FROM jira_link WHERE id = ?", (call.args["linkId"],))
    if row is None:
        raise Refused(404, refusal(f"No issue link with id '{call.args['linkId']}' exists."))
    return row, [access.seen_issue(call, str(row[name])) for name in ("inward_id", "outward_id")]


def _link(call: Call) -> Response:
    row, (inward, outward) = _link_row(call)
    body = {
        "id": str(row["id"]),
        "self": f"{SITE}/rest/api/3/issueLink/{row['id']}",
        "type": thing(call.state, "issueLinkType", row["type_id"]),
        "inwardIssue": render.embedded(call.state, inward),
        "outwardIssue": render.embedded(call.state, outward),
    }
    return render.answer(call, body)


def _delete_link(call: Call) -> Response:
    row, ends = _link_row(call)
    access.need(call, ends[0]["project_id"], "LINK_ISSUES")
    call.state.db.execute("DELETE FROM jira_link WHERE id = ?", (row["id"],))
    kind = thing(call.state, "issueLinkType", row["type_id"]) or {"outward": "", "inward": ""}
    for end, told in zip(ends, _told(kind, ends), strict=True):
        edit.touch(call, end["id"], [log.plain("Link", told, (None, None))])
    call.state.changed("jira", call.user["name"], ends[0]["key"], "link", ends[1]["key"], None)
    return empty_answer()
