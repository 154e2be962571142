"""Serves comments as Data Center does: wiki text, people by name, and properties at a resource of their own.

It keeps the promise that a comment's properties move no date and mail nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from werkzeug.wrappers import Response

from ...answers import Refused, empty_answer
from ...call import Call, Handler, Rule
from ...state import as_json, from_json
from .. import access, render, talk
from ..access import refusal
from ..tables import SITE
from . import shapes
from .reuse import API, Cloud, in_shape

USUAL, MOST = 50, 1000
KEY_LENGTH, VALUE_LENGTH = 255, 32768
VISIBILITY = ("group", "role")


def rules(cloud: Cloud) -> list[Rule]:
    """The comments' part of the API."""
    one = f"{API}/issue/{{issueIdOrKey}}/comment"
    kept = f"{API}/comment/{{commentId}}/properties"
    found: list[Rule] = [
        (("GET",), one, _list),
        (("GET",), kept, _keys),
        (("GET",), f"{kept}/{{propertyKey}}", _value),
        (("PUT",), f"{kept}/{{propertyKey}}", _put),
        (("DELETE",), f"{kept}/{{propertyKey}}", _delete),
    ]
    for method, path, shape in (("POST", one, "/issue/{}/comment"), ("PUT", f"{one}/{{id}}", "/issue/{}/comment/{}")):
        handler = cloud.handler(method, shape)
        if handler:
            found.append(((method,), path, _writing(handler)))
    return found


def _list(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    start, size = access.page_asked(call, USUAL, MOST)
    newest = call.query.get("orderBy", "").startswith("-")
    found = talk.comments_page(call.state, row["id"], 0 if newest else start, 10**9 if newest else size, True)
    if newest:
        found["comments"] = found["comments"][::-1][start : start + size]
    found |= {"startAt": start, "maxResults": size, "comments": [_plain(one) for one in found["comments"]]}
    return shapes.answer(call, found)


def _plain(comment: dict[str, Any]) -> dict[str, Any]:
    """A comment without its properties, which have a resource of their own."""
    return {name: value for name, value in comment.items() if name != "properties"}


def _writing(handler: Handler) -> Handler:
    """Adding and changing a comment; `visibility` names a group or a role, and nobody can ask for no mail."""

    def handle(call: Call) -> Response:
        given = call.body if isinstance(call.body, dict) else {}
        shown_to = given.get("visibility")
        if shown_to is not None and (not isinstance(shown_to, dict) or shown_to.get("type") not in VISIBILITY
                                     or not shown_to.get("value")):  # fmt: skip
            raise Refused(400, refusal(commentLevel="Group or role does not exist: give type and value."))
        found = handler(replace(call, query={}))
        found.set_data(orjson.dumps(_plain(orjson.loads(found.get_data()))))
        return in_shape(call, found)

    return handle


# -- properties -------------------------------------------------------------------------------------------------------


def _comment(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    given = call.args["commentId"]
    row = call.state.row("SELECT * FROM jira_comment WHERE id = ?", (int(given) if given.isdigit() else -1,))
    if row is None:
        raise Refused(404, refusal(f"Can not find a comment for the id: {given}."))
    return row, access.seen_issue(call, str(row["issue_id"]))


def _own(call: Call) -> dict[str, Any]:
    row, issue = _comment(call)
    if row["author"] != call.user["id"]:
        access.need(call, issue["project_id"], "ADMINISTER_PROJECTS")
    return row


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one.get("value") for one in from_json(row["properties"]) or []}


def _save(call: Call, row: dict[str, Any], kept: dict[str, Any]) -> None:
    listed = as_json([{"key": key, "value": value} for key, value in kept.items()])
    call.state.db.execute("UPDATE jira_comment SET properties = ? WHERE id = ?", (listed, row["id"]))


def _keys(call: Call) -> Response:
    row, _ = _comment(call)
    address = f"{SITE}{API}/comment/{row['id']}/properties/"
    return render.answer(call, {"keys": [{"self": address + key, "key": key} for key in sorted(_kept(row))]})


def _there(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    kept, key = _kept(row), call.args["propertyKey"]
    if key not in kept:
        raise Refused(404, refusal(f"The property with key '{key}' does not exist."))
    return kept


def _value(call: Call) -> Response:
    row, _ = _comment(call)
    key = call.args["propertyKey"]
    return render.answer(call, {"key": key, "value": _there(call, row)[key]})


def _put(call: Call) -> Response:
    row, key = _own(call), call.args["propertyKey"]
    if not call.request.get_data():
        raise Refused(400, refusal("The property value must be a valid, non-empty JSON."))
    if len(key) > KEY_LENGTH or len(as_json(call.body)) > VALUE_LENGTH:
        raise Refused(400, refusal(f"A key has at most {KEY_LENGTH} and a value {VALUE_LENGTH} characters."))
    kept = _kept(row)
    _save(call, row, kept | {key: call.body})
    return empty_answer(200 if key in kept else 201)


def _delete(call: Call) -> Response:
    row = _own(call)
    kept = _there(call, row)
    del kept[call.args["propertyKey"]]
    _save(call, row, kept)
    return empty_answer()
