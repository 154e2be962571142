"""Serves the histories of many issues with one call.

It keeps the promise that rows come oldest first, whichever issue they are of, and that a token goes on after the last.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call, Rule
from ..state import State
from . import access, render
from .access import refusal

HISTORY_ISSUES = 1000
HISTORY_FIELDS = 10


def rules(state: State) -> list[Rule]:
    """The histories' part of the API."""
    return [(("POST",), "/rest/api/3/changelog/bulkfetch", _histories)]


def _histories(call: Call) -> Response:
    """The histories of many issues, oldest first, by page; optionally of some fields only."""
    given = call.body if isinstance(call.body, dict) else {}
    references, wanted = given.get("issueIdsOrKeys") or [], given.get("fieldIds") or []
    if not 0 < len(references) <= HISTORY_ISSUES or len(wanted) > HISTORY_FIELDS:
        raise Refused(400, refusal(f"At most {HISTORY_ISSUES} issues and {HISTORY_FIELDS} fields can be asked for."))
    found: list[tuple[str, dict[str, Any]]] = []
    for reference in references:
        row = access.visible_issue(call, str(reference))
        if row is None:
            continue
        for history in render.changelog(call.state, row["id"]):
            items = [one for one in history["items"] if not wanted or one.get("fieldId") in wanted]
            if items:
                found.append((str(row["id"]), history | {"items": items}))
    start, size = _cursor(given.get("nextPageToken")), int(given.get("maxResults") or 1000)
    by_issue: dict[str, list[dict[str, Any]]] = {}
    for issue_id, history in found[start : start + size]:
        by_issue.setdefault(issue_id, []).append(history)
    logs = [{"issueId": issue_id, "changeHistories": histories} for issue_id, histories in by_issue.items()]
    body: dict[str, Any] = {"issueChangeLogs": logs}
    if start + size < len(found):
        body["nextPageToken"] = f"from-{start + size}"
    return render.answer(call, body)


def _cursor(token: Any) -> int:
    if not token:
        return 0
    number = str(token).removeprefix("from-")
    if not number.isdigit():
        raise Refused(400, refusal("The provided next page token is invalid or expired."))
    return int(number)
