"""Serves what people and programs attach to issues: comments, watchers, links between issues, and links to elsewhere.

It keeps the promise that these move an issue's `updated` date, as they do in Jira, while properties do not.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, edit, issues, render, seed, text
from .access import refusal
from .tables import SITE, milliseconds, stamp, thing, things


def rules(state: State) -> list[Rule]:
    """Comments, watchers, links and remote links."""
    one = "/rest/api/3/issue/{issueIdOrKey}"
    return [
        (("GET",), f"{one}/comment", _comments),
        (("POST",), f"{one}/comment", _add_comment),
        (("GET",), f"{one}/comment/{{id}}", _comment),
        (("PUT",), f"{one}/comment/{{id}}", _edit_comment),
        (("DELETE",), f"{one}/comment/{{id}}", _delete_comment),
        (("POST",), f"{one}/watchers", _watch),
        (("GET",), f"{one}/remotelink", _remote_links),
        (("POST",), f"{one}/remotelink", _put_remote_link),
        (("DELETE",), f"{one}/remotelink", _delete_remote_link_by_global_id),
        (("DELETE",), f"{one}/remotelink/{{linkId}}", _delete_remote_link),
        (("POST",), "/rest/api/3/issueLink", _add_link),
        (("GET",), "/rest/api/3/issueLink/{linkId}", _link),
        (("DELETE",), "/rest/api/3/issueLink/{linkId}", _delete_link),
        (("GET",), "/rest/api/3/issueLinkType", _link_types),
    ]


# -- comments ---------------------------------------------------------------------------------------------------------


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


def _watch(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    seed.add_watcher(call.state, row["key"], str(call.body or call.user["id"]))
    return empty_answer()


# -- links between issues ---------------------------------------------------------------------------------------------


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
    for row in ends:
        edit.touch(call, row["id"])
    what = f"{found['outward']} {ends[1]['key']}"
    call.state.changed("jira", call.user["name"], ends[0]["key"], "link", None, what)
    return empty_answer(201)


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
    for end in ends:
        edit.touch(call, end["id"])
    call.state.changed("jira", call.user["name"], ends[0]["key"], "link", ends[1]["key"], None)
    return empty_answer()


# -- links to elsewhere -----------------------------------------------------------------------------------------------


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
    edit.touch(call, issue["id"])
    before = from_json(old["document"]) if old else None
    call.state.changed("jira", call.user["name"], issue["key"], "remote link", before, document)
    return _remote_identity(call, issue, link_id, 200 if old else 201)


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
    edit.touch(call, issue["id"])
    call.state.changed("jira", call.user["name"], issue["key"], "remote link", from_json(row["document"]), None)
    return empty_answer()
