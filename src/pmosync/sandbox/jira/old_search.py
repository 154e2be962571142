"""Answers the search that Jira Cloud removed in 2025, pages by offset with a total, for clients that never moved off it.

It keeps the promise that it answers only where a switch says so; else it is gone, as it is from every real site.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call, Rule
from ..state import State
from . import render, switches
from .access import page_asked, refusal

PAGE = 100
SWITCH = "old_search"
Ids = Callable[[Call, str], Sequence[int]]
"""The ids of all issues that match, in order."""
Issues = Callable[[Call, Sequence[int], render.Asked], list[dict[str, Any]]]


def rules(state: State, ids: Ids, issues: Issues, asked: Callable[[Call], tuple[dict[str, Any], render.Asked]]) -> list[Rule]:
    """The removed endpoint."""

    def search(call: Call) -> Response:
        if not switches.get(state, SWITCH):
            raise _gone()
        given, wanted = asked(call)
        start, size = _page(given)
        found = ids(call, str(given.get("jql") or ""))
        wanted = wanted if wanted.fields else render.Asked(("*navigable",), wanted.properties, wanted.expand)
        body = {
            "expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found),
            "issues": issues(call, found[start : start + size], wanted),
        }  # fmt: skip
        return render.answer(call, body)

    return [(("GET", "POST"), "/rest/api/3/search", search)]
