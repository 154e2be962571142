"""Asana's batch call: up to ten actions in one request, each with a status and a body of its own.

The actions are independent: one that is refused leaves nothing behind and does not stop the others, and nobody
promises in which order they are carried out (the switch `batch_order` turns it round). Each counts against the limits.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from werkzeug.wrappers import Response

from pmosync.sandbox.answers import error_body, json_answer
from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.select import required
from pmosync.sandbox.call import Call, Rule

MAX_ACTIONS = 10
METHODS = ("get", "post", "put", "delete", "patch", "head")
NOT_HERE = re.compile(r"^/(batch|attachments|organization_exports|scim)(/|$)|/attachments$", re.IGNORECASE)
"""What a batch does not do."""


def run_batch(call: Call) -> Response:
    actions = required(call, "actions")
    if not isinstance(actions, list) or not actions:
        raise bad("actions: Missing input")
    if len(actions) > MAX_ACTIONS:
        raise bad(f"actions: A batch request can have at most {MAX_ACTIONS} actions.")
    for action in actions:
        _check(action)
    order = list(range(len(actions)))
    if tables.switch(call.state, "batch_order") == "reversed":
        order.reverse()
    results = {n: _run(call, actions[n]) for n in order}
    return json_answer({"data": [results[n] for n in range(len(actions))]})


def _check(action: Any) -> None:
    if not isinstance(action, dict) or not str(action.get("relative_path", "")).startswith("/"):
        raise bad("relative_path: Missing input")
    if str(action.get("method", "")).lower() not in METHODS:
        raise bad(f"method: {action.get('method')} is not one of {', '.join(METHODS)}")


def _run(call: Call, action: dict[str, Any]) -> dict[str, Any]:
    method = action["method"].upper()
    url = urlsplit(action["relative_path"])
    if NOT_HERE.search(url.path) and not (method == "GET" and "attachments" in url.path):
        message = f"relative_path: {url.path} cannot be accessed through the batch API."
        return {"status_code": 400, "headers": {}, "body": error_body("asana", message)}
    data, options = action.get("data") or {}, action.get("options") or {}
    query = {**call.query, **dict(parse_qsl(url.query, keep_blank_values=True))}
    query |= {name: str(options[name]) for name in ("limit", "offset") if name in options}
    if options.get("fields"):
        fields = options["fields"]
        query["opt_fields"] = fields if isinstance(fields, str) else ",".join(fields)
    if method in ("GET", "DELETE"):
        query |= {name: str(value) for name, value in data.items()}
    body = None if method in ("GET", "DELETE") else {"data": data}
    answer = call.perform(method, f"/api/1.0{url.path}", query, body)
    headers = {name.lower(): value for name, value in answer.headers if name.lower() == "location"}
    return {"status_code": answer.status_code, "headers": headers, "body": orjson.loads(answer.get_data() or b"{}")}


RULES: list[Rule] = [(("POST",), "/api/1.0/batch", run_batch)]
