"""Serves the histories of issues: of one by page, of many with one call.

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
from .tables import SITE

ISSUES = 1000
FIELDS = 10
ROWS = 10_000


def rules(state: State) -> list[Rule]:
    """The histories' part of the API."""
    return [
        (("GET",), "/rest/api/3/issue/{issueIdOrKey}/changelog", _changelog),
        (("POST",), "/rest/api/3/changelog/bulkfetch", _bulk_fetch),
    ]


def _changelog(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    start, size = access.page_asked(call, 100, 100)
    found = render.changelog(call.state, row["id"])
    page = found[start : start + size]
    address = f"{SITE}/rest/api/3/issue/{row['key']}/changelog?maxResults={size}&startAt="
    body = {
        "self": f"{address}{start}", "maxResults": size, "startAt": start, "total": len(found),
        "isLast": start + size >= len(found), "values": page,
    }  # fmt: skip
    if not body["isLast"]:
        body["nextPage"] = f"{address}{start + size}"
    return render.answer(call, body)


def _bulk_fetch(call: Call) -> Response:
    """The histories of many issues, oldest first, by page; optionally of some fields only, by their ids."""
    given = call.body if isinstance(call.body, dict) else {}
    references, wanted = given.get("issueIdsOrKeys") or [], given.get("fieldIds") or []
    if not 0 < len(references) <= ISSUES or len(wanted) > FIELDS:
        raise Refused(400, refusal(f"At most {ISSUES} issues and {FIELDS} fields can be asked for."))
    found: list[tuple[int, int, int, dict[str, Any]]] = []
    for row in {row["id"]: row for row in access.visible_issues(call, references) if row}.values():
        for created_ms, history in render.timed_changelog(call.state, row["id"]):
            items = [one for one in history["items"] if not wanted or one.get("fieldId") in wanted]
            if items:
                found.append((created_ms, row["id"], int(history["id"]), history | {"items": items}))
    found.sort(key=lambda one: one[:3])
    start, size = _cursor(given.get("nextPageToken")), _size(given.get("maxResults"))
    by_issue: dict[int, list[dict[str, Any]]] = {}
    for _, issue_id, _, history in found[start : start + size]:
        by_issue.setdefault(issue_id, []).append(history)
    logs = [{"issueId": str(issue_id), "changeHistories": histories} for issue_id, histories in by_issue.items()]
    body: dict[str, Any] = {"issueChangeLogs": logs}
    if start + size < len(found):
        body["nextPageToken"] = f"from-{start + size}"
    return render.answer(call, body)


def _size(given: Any) -> int:
    if given is not None and (not isinstance(given, int) or not 0 < given <= ROWS):
        raise Refused(400, refusal(f"maxResults must be between 1 and {ROWS}."))
    return given or 1000


def _cursor(token: Any) -> int:
    if not token:
        return 0
    number = str(token).removeprefix("from-")
    if not number.isdigit():
        raise Refused(400, refusal("The provided next page token is invalid or expired."))
    return int(number)
