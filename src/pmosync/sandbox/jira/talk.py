"""Serves the comments of issues.

It keeps the promise that a comment moves its issue's `updated` date and makes no entry in the history, as in Jira.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, edit, issues, render, text
from .access import refusal
from .tables import SITE, milliseconds, stamp


def rules(state: State) -> list[Rule]:
    """The comments' part of the API."""
    one = "/rest/api/3/issue/{issueIdOrKey}/comment"
    return [
        (("GET",), one, _comments),
        (("POST",), one, _add_comment),
        (("GET",), f"{one}/{{id}}", _comment),
        (("PUT",), f"{one}/{{id}}", _edit_comment),
        (("DELETE",), f"{one}/{{id}}", _delete_comment),
    ]


def comments_page(state: State, issue_id: int, start: int, size: int, version_2: bool) -> dict[str, Any]:
    """A page of an issue's comments, oldest first."""
    rows = state.rows("SELECT * FROM jira_comment WHERE issue_id = ? ORDER BY id", (issue_id,))
    shown = [_comment_document(state, row, version_2) for row in rows[start : start + size]]
    return {"startAt": start, "maxResults": size, "total": len(rows), "comments": shown}


def _comment_document(state: State, row: dict[str, Any], version_2: bool, expand: str = "") -> dict[str, Any]:
    author = render.user_reference(state, row["author"])
    found = {
        "self": f"{SITE}/rest/api/3/issue/{row['issue_id']}/comment/{row['id']}",
        "id": str(row["id"]),
        "author": author,
        "body": render.shown_text(from_json(row["body"]), version_2),
        "updateAuthor": author,
        "created": stamp(row["created_ms"]),
        "updated": stamp(row["updated_ms"]),
        "jsdPublic": True,
    }
    return found | ({"properties": from_json(row["properties"])} if "properties" in expand else {})


def _comments(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    start, size = access.page_asked(call, 100, 100)
    body = comments_page(call.state, row["id"], start, size, render.is_version_2(call))
    if "properties" in call.query.get("expand", ""):
        rows = call.state.rows("SELECT * FROM jira_comment WHERE issue_id = ? ORDER BY id", (row["id"],))
        for document, one in zip(body["comments"], rows[start : start + size], strict=True):
            document["properties"] = from_json(one["properties"])
    return render.answer(call, body)


def _body_text(call: Call) -> Any:
    given = (call.body or {}).get("body") if isinstance(call.body, dict) else None
    fits = isinstance(given, str) if render.is_version_2(call) else text.is_document(given)
    if not fits or not (given if isinstance(given, str) else text.text_of(given)).strip():
        raise Refused(400, refusal(comment="Comment body is not valid!" if given else "Comment body can not be empty!"))
    return given


def _add_comment(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, row["project_id"], "ADD_COMMENTS")
    given, now = _body_text(call), milliseconds(call.state.now())
    cursor = call.state.db.execute(
        "INSERT INTO jira_comment (issue_id, author, created_ms, updated_ms, body, properties) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (row["id"], call.user["id"], now, now, as_json(given), as_json(call.body.get("properties") or [])),
    )
    edit.touch(call, row["id"])
    call.state.changed("jira", call.user["name"], row["key"], "comment", None, given)
    edit.notify(call, row["id"], issues.fields_of(row), row["key"], "commented")
    found = call.state.row("SELECT * FROM jira_comment WHERE id = ?", (cursor.lastrowid,))
    assert found is not None
    return render.answer(call, _comment_document(call.state, found, render.is_version_2(call), "properties"), 201)


def _comment_row(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    sql = "SELECT * FROM jira_comment WHERE issue_id = ? AND id = ?"
    row = call.state.row(sql, (issue["id"], call.args["id"]))
    if row is None:
        raise Refused(404, refusal(f"Can not find a comment for the id: {call.args['id']}."))
    return issue, row


def _comment(call: Call) -> Response:
    _, row = _comment_row(call)
    expand = call.query.get("expand", "")
    return render.answer(call, _comment_document(call.state, row, render.is_version_2(call), expand))


def _own_comment(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    issue, row = _comment_row(call)
    if row["author"] != call.user["id"]:
        access.need(call, issue["project_id"], "ADMINISTER_PROJECTS")
    return issue, row


def _edit_comment(call: Call) -> Response:
    issue, row = _own_comment(call)
    quiet = call.query.get("notifyUsers") == "false"
    if quiet and not access.may(call.state, call.user["id"], issue["project_id"], "ADMINISTER_PROJECTS"):
        raise Refused(403, refusal(edit.NOTIFY))
    given = _body_text(call)
    kept = call.body.get("properties") or from_json(row["properties"])
    changed = {"updated_ms": milliseconds(call.state.now()), "body": as_json(given), "properties": as_json(kept)}
    call.state.db.execute(
        "UPDATE jira_comment SET updated_ms = :updated_ms, body = :body, properties = :properties WHERE id = :id",
        changed | {"id": row["id"]},
    )
    edit.touch(call, issue["id"])
    call.state.changed("jira", call.user["name"], issue["key"], "comment", from_json(row["body"]), given)
    if not quiet:
        edit.notify(call, issue["id"], issues.fields_of(issue), issue["key"], "comment edited")
    return render.answer(call, _comment_document(call.state, row | changed, render.is_version_2(call), "properties"))


def _delete_comment(call: Call) -> Response:
    issue, row = _own_comment(call)
    call.state.db.execute("DELETE FROM jira_comment WHERE id = ?", (row["id"],))
    edit.touch(call, issue["id"])
    call.state.changed("jira", call.user["name"], issue["key"], "comment", from_json(row["body"]), None)
    return empty_answer()
