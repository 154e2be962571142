"""Answers the search that Jira Cloud removed in 2025, by offset and with a total, for clients that never left it.

It keeps the promise that it answers only where a switch says so; else it is gone, as it is from every real site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call
from . import render, switches
from .access import refusal

SWITCH = "old_search"
PAGE = 100

Found = list[tuple[Any, ...]]
Show = Callable[[Call, render.Scope, list[int], render.Asked], list[dict[str, Any]]]


def answer(
    call: Call, given: Mapping[str, Any], asked: render.Asked, found: Callable[[str], Found], show: Show
) -> Response:
    """One page of the removed search.

    Args:
        found: the rows that match a query, in order, with the id of the issue first.
        show: issues as they are answered.
    """
    if not switches.get(call.state, SWITCH):
        raise Refused(410, refusal(
            "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
            "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
        ))  # fmt: skip
    rows = found(str(given.get("jql") or ""))
    start, size = (_number(given, name, usual) for name, usual in (("startAt", 0), ("maxResults", 50)))
    size = min(size, PAGE)
    ids = [row[0] for row in rows[start : start + size]]
    wanted = asked if asked.fields else render.Asked(("*navigable",), asked.properties, asked.expand)
    page = {"expand": "schema,names", "startAt": start, "maxResults": size, "total": len(rows)}
    return render.answer(call, page | {"issues": show(call, render.scope_of(call), ids, wanted)})


def _number(given: Mapping[str, Any], name: str, usual: int) -> int:
    text = str(given.get(name, usual))
    if not text.isdigit():
        raise Refused(400, refusal(f"The value '{text}' for {name} is not a whole number, or negative."))
    return int(text)
