"""Serves the links from issues to pages elsewhere.

It keeps the promise that a link with a known global id is replaced, never added a second time.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, edit, log, render, switches
from .access import refusal
from .tables import SITE


def rules(state: State) -> list[Rule]:
    """The remote links' part of the API."""
    one = "/rest/api/3/issue/{issueIdOrKey}/remotelink"
    return [
        (("GET",), one, _remote_links),
        (("POST",), one, _put_remote_link),
        (("DELETE",), one, _delete_remote_link_by_global_id),
        (("DELETE",), f"{one}/{{linkId}}", _delete_remote_link),
    ]


def _remote_document(row: dict[str, Any], issue: dict[str, Any]) -> dict[str, Any]:
    address = f"{SITE}/rest/api/3/issue/{issue['key']}/remotelink/{row['id']}"
    found: dict[str, Any] = {"id": row["id"], "self": address, **from_json(row["document"])}
    return found


def _remote_links(call: Call) -> Response:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    rows = call.state.rows("SELECT * FROM jira_remote_link WHERE issue_id = ? ORDER BY id", (issue["id"],))
    wanted = call.query.get("globalId")
    if wanted is None:
        return render.answer(call, [_remote_document(row, issue) for row in rows])
    for row in rows:
        if row["global_id"] == wanted:
            return render.answer(call, _remote_document(row, issue))
    raise Refused(404, refusal(f"No remote issue link with global id '{wanted}' exists for this issue."))


def _put_remote_link(call: Call) -> Response:
    """Create a link, or replace the one with the same `globalId`: what is not sent becomes empty."""
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, issue["project_id"], "LINK_ISSUES")
    given = call.body if isinstance(call.body, dict) else {}
    target = given.get("object") or {}
    missing = [name for name in ("url", "title") if not target.get(name)]
    if missing:
        raise Refused(400, refusal(**{name: f"'{name}' is required." for name in missing}))
    if len(str(given.get("globalId") or "")) > 255 or len(str(target["title"])) > 255:
        raise Refused(400, refusal("The global id and the title cannot be longer than 255 characters."))
    kept = ("globalId", "application", "relationship", "object")
    document = {name: given[name] for name in kept if given.get(name) is not None}
    sql = "SELECT * FROM jira_remote_link WHERE issue_id = ? AND global_id = ?"
    old = call.state.row(sql, (issue["id"], given.get("globalId")))
    if old and from_json(old["document"]) == document:
        return _remote_identity(call, issue, old["id"], 200)
    if old:
        call.state.db.execute("UPDATE jira_remote_link SET document = ? WHERE id = ?", (as_json(document), old["id"]))
        link_id = old["id"]
    else:
        link_id = call.state.db.execute(
            "INSERT INTO jira_remote_link (issue_id, global_id, document) VALUES (?, ?, ?)",
            (issue["id"], given.get("globalId"), as_json(document)),
        ).lastrowid
    before = from_json(old["document"]) if old else None
    edit.touch(call, issue["id"], _items(call, link_id, before, document))
    call.state.changed("jira", call.user["name"], issue["key"], "remote link", before, document)
    return _remote_identity(call, issue, link_id, 200 if old else 201)


def _items(call: Call, link_id: Any, before: Any, after: Any) -> list[log.Item]:
    """What the history says of a link: nothing, unless the switch says that this site's histories do."""
    if not switches.get(call.state, "remote_link_history"):
        return []
    old, new = (
        (str(link_id), f'This work item links to "{one["object"]["title"]} (Web Link)"') if one else (None, None)
        for one in (before, after)
    )
    return [log.plain("RemoteIssueLink", old, new)]


def _remote_identity(call: Call, issue: dict[str, Any], link_id: Any, status: int) -> Response:
    address = f"{SITE}/rest/api/3/issue/{issue['key']}/remotelink/{link_id}"
    return render.answer(call, {"id": link_id, "self": address}, status)


def _delete_remote_link(call: Call) -> Response:
    return _remove_remote_link(call, "id", call.args["linkId"])


def _delete_remote_link_by_global_id(call: Call) -> Response:
    return _remove_remote_link(call, "global_id", call.query.get("globalId", ""))


def _remove_remote_link(call: Call, column: str, value: str) -> Response:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, issue["project_id"], "LINK_ISSUES")
    sql = f"SELECT * FROM jira_remote_link WHERE issue_id = ? AND {column} = ?"
    row = call.state.row(sql, (issue["id"], value))
    if row is None:
        raise Refused(404, refusal("No remote issue link found."))
    call.state.db.execute("DELETE FROM jira_remote_link WHERE id = ?", (row["id"],))
    before = from_json(row["document"])
    edit.touch(call, issue["id"], _items(call, row["id"], before, None))
    call.state.changed("jira", call.user["name"], issue["key"], "remote link", before, None)
    return empty_answer()
