"""Serves the comments of issues, with their properties and their circles of readers.

It keeps the promise that a comment moves its issue's `updated` date and makes no entry in the history, and that a new
one always mails; a comment's property does neither.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, edit, issues, properties, render, switches, text
from .access import refusal
from .tables import SITE, milliseconds, stamp

IDS = 1000
PAGE = 100
INTERNAL = "sd.public.comment"
"""The property that makes a comment of a service project internal."""
ORDERS = ("", "created", "+created", "-created")


def rules(state: State) -> list[Rule]:
    """The comments' part of the API."""
    one = "/rest/api/3/issue/{issueIdOrKey}/comment"
    kept = "/rest/api/3/comment/{commentId}/properties"
    return [
        (("GET",), one, _comments),
        (("POST",), one, _add_comment),
        (("GET",), f"{one}/{{id}}", _comment),
        (("PUT",), f"{one}/{{id}}", _edit_comment),
        (("DELETE",), f"{one}/{{id}}", _delete_comment),
        (("POST",), "/rest/api/3/comment/list", _list),
        (("GET",), kept, _keys),
        (("GET",), f"{kept}/{{propertyKey}}", _value),
        (("PUT",), f"{kept}/{{propertyKey}}", _put_value),
        (("DELETE",), f"{kept}/{{propertyKey}}", _delete_value),
    ]


# -- as they are shown ------------------------------------------------------------------------------------------------


def comments_page(
    state: State, issue_id: int, start: int, size: int, version_2: bool, account_id: str | None = None,
    expand: str = "", descending: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A page of an issue's comments, oldest first; with an account, only those that it may read."""
    order = "DESC" if descending else "ASC"
    sql = f"SELECT * FROM jira_comment WHERE issue_id = ? ORDER BY created_ms {order}, id {order}"
    rows = state.rows(sql, (issue_id,))
    if account_id is not None and any(row["visibility"] for row in rows):
        issue = issues.find(state, str(issue_id)) or {"project_id": 0}
        rows = [row for row in rows if _may_read(state, account_id, issue, row)]
    shown = [document(state, row, version_2, expand) for row in rows[start : start + size]]
    return {"startAt": start, "maxResults": size, "total": len(rows), "comments": shown}


def _may_read(state: State, account_id: str, issue: dict[str, Any], row: dict[str, Any]) -> bool:
    return access.in_circle(state, account_id, issue["project_id"], from_json(row["visibility"]))


def document(state: State, row: dict[str, Any], version_2: bool, expand: str = "") -> dict[str, Any]:
    """A comment as answered, by its row."""
    kept = from_json(row["properties"])
    found = {
        "self": f"{SITE}/rest/api/3/issue/{row['issue_id']}/comment/{row['id']}",
        "id": str(row["id"]),
        "author": render.user_reference(state, row["author"]),
        "body": render.shown_text(from_json(row["body"]), version_2),
        "updateAuthor": render.user_reference(state, row["editor"] or row["author"]),
        "created": stamp(row["created_ms"]),
        "updated": stamp(row["updated_ms"]),
        "jsdPublic": not _is_internal(state, row["issue_id"], kept),
    }
    found |= {"visibility": from_json(row["visibility"])} if row["visibility"] else {}
    return found | ({"properties": kept} if "properties" in expand else {})


def _is_internal(state: State, issue_id: int, kept: list[dict[str, Any]]) -> bool:
    """Whether the customers of a service project do not see a comment: a property says so."""
    value = next((one.get("value") for one in kept if one["key"] == INTERNAL), None)
    if not (isinstance(value, dict) and value.get("internal")):
        return False
    sql = (
        "SELECT json_extract(document, '$.projectTypeKey') AS kind FROM jira_project "
        "WHERE id = (SELECT project_id FROM jira_issue WHERE id = ?)"
    )
    row = state.row(sql, (issue_id,))
    return row is not None and row["kind"] == "service_desk"


def _comments(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    order = call.query.get("orderBy", "").strip()
    if order not in ORDERS:
        raise Refused(400, refusal("Comments can be ordered by created only."))
    start, size = access.page_asked(call, PAGE, PAGE)
    body = comments_page(
        call.state, row["id"], start, size, render.is_version_2(call), call.user["id"], call.query.get("expand", ""),
        order.startswith("-"),
    )  # fmt: skip
    return render.answer(call, body)


def _list(call: Call) -> Response:
    """Comments by their ids, those that the account may read."""
    ids = (call.body if isinstance(call.body, dict) else {}).get("ids") or []
    if not 0 < len(ids) <= IDS:
        raise Refused(400, refusal(f"Between 1 and {IDS} comment ids can be given."))
    marks = ", ".join("?" * len(ids))
    rows = call.state.rows(f"SELECT * FROM jira_comment WHERE id IN ({marks}) ORDER BY id", tuple(ids))
    found = []
    for row in rows:
        issue = access.visible_issue(call, str(row["issue_id"]))
        if issue and _may_read(call.state, call.user["id"], issue, row):
            expand = call.query.get("expand", "")
            found.append(document(call.state, row, render.is_version_2(call), expand))
    body = {"startAt": 0, "maxResults": IDS, "total": len(found), "isLast": True, "values": found}
    return render.answer(call, body)


def _readable(call: Call, row: dict[str, Any] | None, number: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An issue and its comment, or the refusal of one that the account cannot read."""
    issue = access.visible_issue(call, str(row["issue_id"])) if row else None
    if row is None or issue is None or not _may_read(call.state, call.user["id"], issue, row):
        raise Refused(404, refusal(f"Can not find a comment for the id: {number}."))
    return issue, row


def _comment_row(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    issue = access.seen_issue(call, call.args["issueIdOrKey"])
    sql = "SELECT * FROM jira_comment WHERE issue_id = ? AND id = ?"
    return _readable(call, call.state.row(sql, (issue["id"], call.args["id"])), call.args["id"])


def _comment(call: Call) -> Response:
    _, row = _comment_row(call)
    expand = call.query.get("expand", "")
    return render.answer(call, document(call.state, row, render.is_version_2(call), expand))


# -- as they are written ----------------------------------------------------------------------------------------------


def _body_text(call: Call) -> Any:
    given = (call.body or {}).get("body") if isinstance(call.body, dict) else None
    fits = isinstance(given, str) if render.is_version_2(call) else text.is_document(given)
    if not fits or not (given if isinstance(given, str) else text.text_of(given)).strip():
        raise Refused(400, refusal(comment="Comment body is not valid!" if given else "Comment body can not be empty!"))
    return given


def _circle(call: Call) -> str | None:
    """To whom a request restricts a comment."""
    given = call.body.get("visibility")
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("type") not in ("group", "role"):
        raise Refused(400, refusal(commentLevel="The visibility must be of the type group or role."))
    if not given.get("value") and not given.get("identifier"):
        raise Refused(400, refusal(commentLevel="The visibility must name a group or role."))
    return as_json(given)


def _add_comment(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    if not access.may(call.state, call.user["id"], row["project_id"], "ADD_COMMENTS"):
        raise Refused(400, refusal("You do not have the permission to comment on this issue."))
    most = int(switches.get(call.state, "comments_per_issue"))
    count = call.state.tuples("SELECT count(*) FROM jira_comment WHERE issue_id = ?", (row["id"],))[0][0]
    if most and count >= most:
        raise Refused(413, refusal("The maximum number of comments for this issue has been reached."))
    given, now = _body_text(call), milliseconds(call.state.now())
    kept = [_checked(one["key"], one.get("value")) for one in call.body.get("properties") or []]
    cursor = call.state.db.execute(
        "INSERT INTO jira_comment (issue_id, author, created_ms, updated_ms, body, properties, visibility) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row["id"], call.user["id"], now, now, as_json(given), as_json(kept), _circle(call)),
    )
    edit.touch(call, row["id"])
    call.state.changed("jira", call.user["name"], row["key"], "comment", None, given)
    edit.notify(call, row["id"], issues.fields_of(row), row["key"], "commented")
    found = call.state.row("SELECT * FROM jira_comment WHERE id = ?", (cursor.lastrowid,))
    assert found is not None
    return render.answer(call, document(call.state, found, render.is_version_2(call), "properties"), 201)


def _may_change(call: Call, issue: dict[str, Any], row: dict[str, Any], verb: str) -> bool:
    own = row["author"] == call.user["id"]
    allowed = [f"{verb}_ALL_COMMENTS", *([f"{verb}_OWN_COMMENTS"] if own else [])]
    return any(access.may(call.state, call.user["id"], issue["project_id"], one) for one in allowed)


def _edit_comment(call: Call) -> Response:
    issue, row = _comment_row(call)
    if not _may_change(call, issue, row, "EDIT"):
        raise Refused(400, refusal("You do not have the permission to edit this comment."))
    quiet = call.query.get("notifyUsers") == "false"
    administers = access.may(call.state, call.user["id"], issue["project_id"], "ADMINISTER_PROJECTS")
    if quiet and not administers and switches.get(call.state, "quiet_comment_needs_admin"):
        raise Refused(403, refusal(edit.NOTIFY))
    given = _body_text(call)
    kept = {one["key"]: one for one in from_json(row["properties"])}
    kept |= {one["key"]: _checked(one["key"], one.get("value")) for one in call.body.get("properties") or []}
    changed = {
        "updated_ms": milliseconds(call.state.now()), "body": as_json(given), "editor": call.user["id"],
        "properties": as_json(list(kept.values())), "visibility": _circle(call) or row["visibility"],
    }  # fmt: skip
    call.state.db.execute(
        "UPDATE jira_comment SET updated_ms = :updated_ms, body = :body, properties = :properties, editor = :editor, "
        "visibility = :visibility WHERE id = :id",
        changed | {"id": row["id"]},
    )
    edit.touch(call, issue["id"])
    call.state.changed("jira", call.user["name"], issue["key"], "comment", from_json(row["body"]), given)
    if not quiet:
        edit.notify(call, issue["id"], issues.fields_of(issue), issue["key"], "comment edited")
    return render.answer(call, document(call.state, row | changed, render.is_version_2(call), "properties"))


def _delete_comment(call: Call) -> Response:
    issue, row = _comment_row(call)
    if not _may_change(call, issue, row, "DELETE"):
        raise Refused(400, refusal("You do not have the permission to delete this comment."))
    call.state.db.execute("DELETE FROM jira_comment WHERE id = ?", (row["id"],))
    edit.touch(call, issue["id"])
    call.state.changed("jira", call.user["name"], issue["key"], "comment", from_json(row["body"]), None)
    return empty_answer()


# -- their properties -------------------------------------------------------------------------------------------------


def _checked(key: str, value: Any) -> dict[str, Any]:
    properties.check(key, as_json(value))
    return {"key": key, "value": value}


def _with_properties(call: Call) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    given = call.args["commentId"]
    if not given.isdigit():
        raise Refused(400, refusal("The comment id is invalid."))
    row = call.state.row("SELECT * FROM jira_comment WHERE id = ?", (int(given),))
    issue, row = _readable(call, row, given)
    return issue, row, {one["key"]: one.get("value") for one in from_json(row["properties"])}


def _keys(call: Call) -> Response:
    _, row, kept = _with_properties(call)
    address = f"{SITE}/rest/api/3/comment/{row['id']}/properties/"
    return render.answer(call, {"keys": [{"self": f"{address}{key}", "key": key} for key in sorted(kept)]})


def _value(call: Call) -> Response:
    _, _, kept = _with_properties(call)
    key = call.args["propertyKey"]
    if key not in kept:
        raise Refused(404, refusal(f"The property with key '{key}' does not exist."))
    return render.answer(call, {"key": key, "value": kept[key]})


def _put_value(call: Call) -> Response:
    issue, row, kept = _with_properties(call)
    key = call.args["propertyKey"]
    new = key not in kept
    _keep(call, issue, row, kept, kept | {key: _checked(key, call.body)["value"]})
    return render.answer(call, None, 201 if new else 200)


def _delete_value(call: Call) -> Response:
    issue, row, kept = _with_properties(call)
    key = call.args["propertyKey"]
    if key not in kept:
        raise Refused(404, refusal(f"The property with key '{key}' does not exist."))
    _keep(call, issue, row, kept, {name: value for name, value in kept.items() if name != key})
    return empty_answer()


def _keep(call: Call, issue: dict[str, Any], row: dict[str, Any], before: Any, after: dict[str, Any]) -> None:
    """Store a comment's properties: no date moves."""
    if not _may_change(call, issue, row, "EDIT"):
        raise Refused(403, refusal("You do not have the permission to edit this comment."))
    listed = as_json([{"key": key, "value": value} for key, value in after.items()])
    call.state.db.execute("UPDATE jira_comment SET properties = ? WHERE id = ?", (listed, row["id"]))
    call.state.changed("jira", call.user["name"], issue["key"], "comment property", before, after)
