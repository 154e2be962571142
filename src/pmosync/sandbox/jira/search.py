"""Answers searches and bulk fetches: pages behind opaque tokens, only the asked fields, only what the caller may see.

It keeps the promise that a page begins exactly after the last row of the page before it, by the sort order, whatever
changed in between.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import orjson
from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call, Rule
from ..state import State
from . import access, issues, lag, old_search, render, switches
from .access import refusal
from .jql import compile_jql

LONG_PAGE = 5000
PAGE = 100
RECONCILED = 50
Found = list[tuple[Any, ...]]


@dataclass
class _Cache:
    """The rows of the last few searches, while nothing is written."""

    found: OrderedDict[tuple[Any, ...], tuple[Found, list[bool]]] = field(default_factory=OrderedDict)

    def rows(self, call: Call, jql: str, reconciled: tuple[int, ...] = ()) -> tuple[Found, list[bool]]:
        """(id, sort values...) of all that match, in order; and which sort values descend."""
        if switches.get(call.state, "index_lag_s"):
            return _matching(call.state, call.user["id"], jql, reconciled)
        name = (call.user["id"], jql, call.state.version)
        minute = int(call.state.now().timestamp() // 60)
        key = (*name, minute)
        if key not in self.found:
            self.found[key] = _matching(call.state, call.user["id"], jql)
            while len(self.found) > 8:
                self.found.popitem(last=False)
        self.found.move_to_end(key)
        return self.found[key]


def rules(state: State) -> list[Rule]:
    """The searching part of the API."""
    cache = _Cache()

    def search(call: Call) -> Response:
        return _search(call, cache)

    return [
        (("GET", "POST"), "/rest/api/3/search/jql", search),
        (("GET", "POST"), "/rest/api/3/search", lambda call: _old(call, cache)),
        (("POST",), "/rest/api/3/search/approximate-count", lambda call: _count(call, cache)),
        (("POST",), "/rest/api/3/issue/bulkfetch", _bulk_fetch),
    ]


def _matching(state: State, account_id: str, jql: str, reconciled: tuple[int, ...] = ()) -> tuple[Found, list[bool]]:
    query = compile_jql(state, account_id, jql)
    terms = [*query.order, ("id", query.order[-1][1] if query.order else True)]
    columns = ", ".join(f"{sql} AS k{number}" for number, (sql, _) in enumerate(terms))
    order = ", ".join(f"k{number} {'DESC' if down else 'ASC'}" for number, (_, down) in enumerate(terms))
    source = lag.source(state, reconciled)
    sql = f"SELECT id, {columns} FROM {source} WHERE {query.where} ORDER BY {order}"
    return state.tuples(sql, tuple(query.parameters)), [down for _, down in terms]


def _asked_by(call: Call) -> tuple[dict[str, Any], render.Asked]:
    """The parameters of a search, whether they came in the query or the body, and what it wants to see."""
    if call.request.method == "POST":
        given = call.body if isinstance(call.body, dict) else {}
        expand = given.get("expand") or ""
        asked = render.Asked(
            _strings(given.get("fields")), _strings(given.get("properties")), tuple(expand.split(",")) if expand else ()
        )
        return given, asked
    return dict(call.query), asked_in_query(call)


def asked_in_query(call: Call) -> render.Asked:
    """What a GET wants to see: `fields`, `properties` and `expand`, each given once with commas or several times."""

    def listed(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for text in call.request.args.getlist(name) for part in text.split(",") if part)

    return render.Asked(listed("fields"), listed("properties"), listed("expand"))


def _search(call: Call, cache: _Cache) -> Response:
    given, asked = _asked_by(call)
    if len(asked.properties) > 5:
        raise Refused(400, refusal("The maximum number of issue properties that can be requested is 5."))
    jql = str(given.get("jql") or "")
    size = _page_size(given.get("maxResults"), asked)
    reconciled = _reconciled(call, given)
    rows, descending = cache.rows(call, jql, reconciled)
    purpose = _purpose(call, f"{jql} {reconciled}" if reconciled else jql)
    start = _start(rows, descending, given.get("nextPageToken"), purpose)
    chosen = rows[start : start + size]
    scope = render.scope_of(call)
    asked = asked if asked.fields else render.Asked(("id",), asked.properties, asked.expand)
    body: dict[str, Any] = {"issues": _shown(call, scope, [row[0] for row in chosen], asked, reconciled)}
    more = start + size < len(rows)
    if more:
        body["nextPageToken"] = _token(purpose, start + size, chosen[-1])
    return render.answer(call, body | {"isLast": not more})


def _page_size(given: Any, asked: render.Asked) -> int:
    try:
        size = int(50 if given is None else given)
    except (TypeError, ValueError):
        raise Refused(400, refusal(f"The value '{given}' for maxResults is not a number.")) from None
    if not 0 < size <= LONG_PAGE:
        raise Refused(400, refusal(f"The maxResults parameter must be between 1 and {LONG_PAGE}."))
    return size if asked.light else min(size, PAGE)


def _reconciled(call: Call, given: dict[str, Any]) -> tuple[int, ...]:
    """The issues that a search must show as they are, by id."""
    asked = given.get("reconcileIssues") if call.request.method == "POST" else call.request.args.getlist(
        "reconcileIssues"
    )  # fmt: skip
    found = [str(one) for one in asked or []]
    if len(found) > RECONCILED or not all(one.isdigit() for one in found):
        raise Refused(400, refusal(f"reconcileIssues takes at most {RECONCILED} ids of issues."))
    return tuple(sorted(map(int, found)))


def _shown(
    call: Call, scope: render.Scope, ids: list[int], asked: render.Asked, reconciled: tuple[int, ...] = ()
) -> list[dict[str, Any]]:
    if asked.id_only:
        return [{"id": str(one)} for one in ids]
    source = lag.source(call.state, reconciled)
    found = [render.issue(scope, row, asked) for row in _rows(call.state, ids, source)]
    if "transitions" in asked.expand:
        moves = render.transitions(call.state)
        return [one | {"transitions": moves} for one in found]
    return found


def _rows(state: State, ids: list[int], source: str) -> list[dict[str, Any]]:
    """The rows of issues, in the order of their ids given."""
    found: dict[int, dict[str, Any]] = {}
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        marks = ", ".join("?" * len(some))
        for row in state.rows(f"SELECT * FROM {source} WHERE id IN ({marks})", tuple(some)):
            found[row["id"]] = row
    return [found[one] for one in ids]


def _purpose(call: Call, jql: str) -> str:
    return hashlib.sha256(f"{call.user['id']}\n{jql}".encode()).hexdigest()[:16]


def _token(purpose: str, offset: int, last: tuple[Any, ...]) -> str:
    """An opaque token: whom and what it is for, where the page ended, and a number that makes each token its own."""
    data = orjson.dumps([purpose, offset, list(last), secrets.token_hex(4)])
    return base64.urlsafe_b64encode(data).decode()


def _start(rows: Found, descending: list[bool], token: Any, purpose: str) -> int:
    """Where the page of a token begins."""
    if not token:
        return 0
    try:
        owner, offset, last, _ = orjson.loads(base64.urlsafe_b64decode(str(token)))
    except (binascii.Error, ValueError):
        owner, offset, last = None, 0, []
    if owner != purpose:
        raise Refused(400, refusal("The provided next page token is invalid or expired."))
    if 0 < offset <= len(rows) and list(rows[offset - 1]) == last:
        return int(offset)
    return sum(1 for row in rows if not _after(row[1:], last[1:], descending))


def _after(row: tuple[Any, ...], last: list[Any], descending: list[bool]) -> bool:
    """Whether a row sorts after the last one seen; SQLite sorts null before everything."""
    for value, seen, down in zip(row, last, descending, strict=True):
        if value == seen:
            continue
        greater = seen is None if value is None or seen is None else value > seen
        return greater != down
    return False


def _count(call: Call, cache: _Cache) -> Response:
    rows, _ = cache.rows(call, str((call.body or {}).get("jql") or ""))
    return render.answer(call, {"count": len(rows)})


def _old(call: Call, cache: _Cache) -> Response:
    return old_search.answer(call, *_asked_by(call), lambda jql: cache.rows(call, jql)[0], _shown)


def _bulk_fetch(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    references = _strings(given.get("issueIdsOrKeys"))
    if not references:
        raise Refused(400, refusal("At least one issue ID or key must be provided."))
    if len(references) > PAGE:
        raise Refused(400, refusal(f"The maximum number of issues that can be fetched at once is {PAGE}."))
    fields = _strings(given.get("fields")) or ("*navigable",)
    asked = render.Asked(fields, _strings(given.get("properties")), _strings(given.get("expand")))
    rows = _named(call.state, references)
    projects = set(access.hidden_projects(call.state, call.user["id"]))
    hidden = access.hidden_issues(call.state, call.user["id"])
    scope = render.scope_of(call)
    seen = [row for row in rows if row["project_id"] not in projects and row["id"] not in hidden]
    found = [render.issue(scope, row, asked) for row in seen]
    return render.answer(call, {"issues": found, "issueErrors": []})


def _named(state: State, references: tuple[str, ...]) -> list[dict[str, Any]]:
    ids = [int(one) for one in references if one.isdigit()]
    keys = [one.upper() for one in references if not one.isdigit()]
    sql = (
        f"SELECT * FROM jira_issue WHERE id IN ({', '.join('?' * len(ids))}) "
        f"OR key IN ({', '.join('?' * len(keys))}) ORDER BY id"
    )
    found = state.rows(sql, (*ids, *keys))
    present = {row["key"] for row in found}
    moved = [issues.find(state, key) for key in keys if key not in present]
    by_id = {row["id"]: row for row in (*found, *moved) if row}
    return [by_id[number] for number in sorted(by_id)]


def _strings(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise Refused(400, refusal("Invalid request payload. Refer to the REST API documentation and try again."))
    return tuple(str(one) for one in given)
