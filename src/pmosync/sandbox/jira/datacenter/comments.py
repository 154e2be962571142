"""Serves comments as Data Center does: wiki text, people by name, and no properties in an answer.

It keeps the promise that a comment's properties are told at their own resource only, which both modes share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from werkzeug.wrappers import Response

from ...answers import Refused
from ...call import Call, Handler, Rule
from .. import access, talk
from ..access import refusal
from . import shapes
from .reuse import API, Cloud, in_shape

USUAL, MOST = 50, 1000


def rules(cloud: Cloud) -> list[Rule]:
    """The comments' part of the API, as far as it differs from the Cloud mode's."""
    one = f"{API}/issue/{{issueIdOrKey}}/comment"
    found: list[Rule] = [(("GET",), one, _list)]
    for method, path, shape in (("POST", one, "/issue/{}/comment"), ("PUT", f"{one}/{{id}}", "/issue/{}/comment/{}")):
        handler = cloud.handler(method, shape)
        if handler:
            found.append(((method,), path, _writing(handler)))
    return found


def _list(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    start, size = access.page_asked(call, USUAL, MOST)
    newest = call.query.get("orderBy", "").startswith("-")
    found = talk.comments_page(call.state, row["id"], start, size, True, call.user["id"], descending=newest)
    return shapes.answer(call, found)


def _writing(handler: Handler) -> Handler:
    """Adding and changing a comment; `visibility` has a type and a value, and nobody can ask for no mail."""

    def handle(call: Call) -> Response:
        given: dict[str, Any] = call.body if isinstance(call.body, dict) else {}
        shown_to = given.get("visibility")
        if shown_to is not None and not (isinstance(shown_to, dict) and shown_to.get("value")):
            raise Refused(400, refusal(commentLevel="A visibility names a group or a role: give its type and value."))
        found = handler(replace(call, query={}))
        comment = {name: value for name, value in orjson.loads(found.get_data()).items() if name != "properties"}
        found.set_data(orjson.dumps(comment))
        return in_shape(call, found)

    return handle
