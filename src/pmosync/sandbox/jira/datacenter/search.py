"""Answers Data Center's search: pages by offset with a total, capped, and failing beyond the result window.

It keeps the promise that a search says only what its official document lets it say: no properties of issues, and a
body that holds anything unknown is refused.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused
from ...call import Call, Rule
from .. import lag, switches
from ..access import refusal
from ..render import Asked, answer
from ..search import asked_in_query
from .jql import compile_jql
from .view import View

BEAN = "com.atlassian.jira.rest.v2.search.SearchRequestBean"
KNOWN: dict[str, type] = {"jql": str, "startAt": int, "maxResults": int, "validateQuery": bool, "fields": list,
                          "expand": list}  # fmt: skip
USUAL = 50


def rules() -> list[Rule]:
    """The searching part of the API."""
    return [(("GET",), "/rest/api/2/search", _get), (("POST",), "/rest/api/2/search", _post)]


def _get(call: Call) -> Response:
    query = call.query
    given: dict[str, Any] = {"jql": query.get("jql", "")}
    for name in ("startAt", "maxResults"):
        if name in query:
            given[name] = _number(name, query[name])
    given["validateQuery"] = query.get("validateQuery", "true").lower() != "false"
    asked = asked_in_query(call)
    return _search(call, given, Asked(asked.fields, (), asked.expand))


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refused(404, refusal(f"The parameter {name} is no number: {text}")) from None


def _post(call: Call) -> Response:
    given = call.body
    if not isinstance(given, dict):
        raise Refused(400, refusal("The request body is not an object of JSON."))
    for name, value in given.items():
        if name not in KNOWN:
            raise Refused(400, refusal(
                f'Unrecognized field "{name}" (class {BEAN}), not marked as ignorable ({len(KNOWN)} known properties: '
                f'{", ".join(sorted(KNOWN))})'
            ))  # fmt: skip
        if value is not None and (
            not isinstance(value, KNOWN[name]) or (isinstance(value, bool) != (KNOWN[name] is bool))
        ):
            raise Refused(400, refusal(
                f"Cannot deserialize value of type {KNOWN[name].__name__} from {type(value).__name__}: {name}"
            ))  # fmt: skip
    fields = tuple(str(one) for one in given.get("fields") or ())
    return _search(call, given, Asked(fields, (), tuple(given.get("expand") or ())))


def _search(call: Call, given: dict[str, Any], asked: Asked) -> Response:
    start, size = given.get("startAt") or 0, given.get("maxResults")
    cap = switches.get(call.state, "page_cap")
    size = min(USUAL if size is None else size, cap) if size is None or size >= 0 else cap
    start = max(0, start)
    _within(call, start, size)
    asked = Asked(asked.fields or ("*navigable",), (), asked.expand)
    query = compile_jql(call.state, call.user["id"], given.get("jql") or "", given.get("validateQuery") is not False)
    found = f"FROM {lag.source(call.state)} WHERE {query.where}"
    total = call.state.tuples(f"SELECT count(*) {found}", tuple(query.parameters))[0][0]
    order = ", ".join(f"{sql} {'DESC' if down else 'ASC'}" for sql, down in query.order)
    sql = f"SELECT * {found} ORDER BY {order} LIMIT ? OFFSET ?"
    rows = call.state.rows(sql, (*query.parameters, size, start)) if size else []
    view = View(call)
    shown = [view.issue(row, Asked(asked.fields, (), [one for one in asked.expand if one == "changelog"]))
             for row in rows]  # fmt: skip
    body: dict[str, Any] = {
        "expand": "schema,names", "startAt": start, "maxResults": size, "total": total, "issues": shown,
    }  # fmt: skip
    fields = {name: None for one in shown for name in one.get("fields", {})}
    if "names" in asked.expand:
        body["names"] = view.names(fields)
    if "schema" in asked.expand:
        body["schema"] = view.schema(fields)
    return answer(call, body)


def _within(call: Call, start: int, size: int) -> None:
    """Refuse a page that ends beyond what the search engine serves, as Jira does: with a failure of its own."""
    window = switches.get(call.state, "result_window")
    if start + size > window:
        message = (
            "Search limit exceeded. We couldn't complete your search because it requests "
            f"{start + size:,} results which exceeded the search platform limit of {window:,}. Try refining your query "
            "or contact your Jira administrator. Repeating the same search may not work."
        )
        raise Refused(switches.get(call.state, "result_window_status"), refusal(message))
