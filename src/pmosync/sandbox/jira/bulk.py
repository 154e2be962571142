"""Does Jira's bulk operations: editing labels of many issues, setting properties of many, and reading many histories.

It keeps the promise that each issue succeeds or fails by itself, told by the task, and that mail is sent only if asked.
"""

from __future__ import annotations

import secrets
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, edit, issues, render
from .access import refusal
from .tables import SITE, milliseconds, stamp

BULK_ISSUES = 1000
MULTI_ISSUES = 100
MULTI_PROPERTIES = 10
HISTORY_ISSUES = 1000
HISTORY_FIELDS = 10


def rules(state: State) -> list[Rule]:
    """The bulk part of the API."""
    api = "/rest/api/3"
    return [
        (("POST",), f"{api}/bulk/issues/fields", _edit_labels),
        (("GET",), f"{api}/bulk/queue/{{taskId}}", _queue),
        (("POST",), f"{api}/issue/properties/multi", _set_properties),
        (("GET",), f"{api}/task/{{taskId}}", _task),
        (("POST",), f"{api}/changelog/bulkfetch", _histories),
    ]


def _edit_labels(call: Call) -> Response:
    """Edit the labels of up to 1000 issues. It is done at once; the task says so."""
    given = call.body if isinstance(call.body, dict) else {}
    if not access.may_globally(call.state, call.user["id"], "BULK_CHANGE"):
        raise Refused(403, refusal("You do not have the global permission 'Make bulk changes'."))
    references = given.get("selectedIssueIdsOrKeys") or []
    if not 0 < len(references) <= BULK_ISSUES:
        raise Refused(400, refusal(f"Between 1 and {BULK_ISSUES} issues can be edited at once."))
    fields = (given.get("editedFieldsInput") or {}).get("labelsFields")
    if given.get("selectedActions") != ["labels"] or not fields:
        raise Refused(400, refusal("This sandbox edits labels in bulk, and nothing else."))
    done: list[int] = []
    failed: dict[str, list[str]] = {}
    unknown = 0
    quiet = given.get("sendBulkNotification") is False
    for reference in references:
        row = issues.find(call.state, str(reference))
        if row is None or not access.may(call.state, call.user["id"], row["project_id"], "BROWSE_PROJECTS"):
            unknown += 1
        elif not access.may(call.state, call.user["id"], row["project_id"], "EDIT_ISSUES"):
            failed[str(row["id"])] = ["You do not have permission to edit this issue."]
        else:
            _edit_one(call, row, fields[0], quiet=quiet)
            done.append(row["id"])
    now = stamp(milliseconds(call.state.now()))
    progress = {
        "status": "COMPLETE", "progressPercent": 100, "processedAccessibleIssues": done,
        "failedAccessibleIssues": failed, "invalidOrInaccessibleIssueCount": unknown,
        "totalIssueCount": len(references), "created": now, "started": now, "updated": now,
        "submittedBy": {"accountId": call.user["id"]},
    }  # fmt: skip
    return render.answer(call, {"taskId": _keep(call, progress)}, 201)


def _edit_one(call: Call, row: dict[str, Any], wanted: dict[str, Any], *, quiet: bool) -> None:
    fields = issues.fields_of(row)
    before = dict(fields)
    names = [str(one.get("name")) for one in wanted.get("labels") or []]
    if any(not name or len(name.split()) != 1 for name in names):
        raise Refused(400, refusal(labels="A label contains spaces which is invalid."))
    present = list(fields.get("labels") or [])
    verb = wanted.get("bulkEditMultiSelectFieldOption")
    results = {
        "ADD": sorted({*present, *names}),
        "REMOVE": [one for one in present if one not in names],
        "REPLACE": sorted(set(names)),
        "REMOVE_ALL": [],
    }
    if verb not in results:
        raise Refused(400, refusal(f"Unknown bulkEditMultiSelectFieldOption '{verb}'."))
    if set(results[verb]) != set(present):
        fields["labels"] = results[verb]
    edit.write_back(call, row, before, fields, None, quiet=quiet)


def _set_properties(call: Call) -> Response:
    """Set up to ten properties of up to a hundred issues, different ones for each."""
    given = (call.body if isinstance(call.body, dict) else {}).get("issues") or []
    if not 0 < len(given) <= MULTI_ISSUES:
        raise Refused(400, refusal(f"Between 1 and {MULTI_ISSUES} issues can be given."))
    failed: dict[str, list[str]] = {}
    for one in given:
        properties = one.get("properties") or {}
        if not 0 < len(properties) <= MULTI_PROPERTIES:
            raise Refused(400, refusal(f"Between 1 and {MULTI_PROPERTIES} properties can be given for an issue."))
        row = issues.find(call.state, str(one.get("issueID")))
        if row is None or not access.may(call.state, call.user["id"], row["project_id"], "EDIT_ISSUES"):
            failed[str(one.get("issueID"))] = ["Issue does not exist or you do not have permission to edit it."]
            continue
        for key, value in properties.items():
            edit.put_property(call, "issue", row["id"], row["key"], key, value)
    now = milliseconds(call.state.now())
    task_id = _keep(
        call,
        {
            "status": "COMPLETE", "progress": 100, "submitted": now, "started": now, "finished": now,
            "lastUpdate": now, "elapsedRuntime": 0, "submittedBy": 0, "description": "Set issue properties",
            "result": {"errors": failed},
        },
    )  # fmt: skip
    answer = render.answer(call, None, 303)
    answer.headers["Location"] = f"{call.request.host_url}rest/api/3/task/{task_id}"
    return answer


def _keep(call: Call, document: dict[str, Any]) -> str:
    task_id = secrets.token_hex(8)
    call.state.db.execute("INSERT INTO jira_task (id, document) VALUES (?, ?)", (task_id, as_json(document)))
    return task_id


def _found(call: Call) -> dict[str, Any]:
    row = call.state.row("SELECT document FROM jira_task WHERE id = ?", (call.args["taskId"],))
    if row is None:
        raise Refused(404, refusal("The task does not exist."))
    document: dict[str, Any] = from_json(row["document"])
    return document


def _queue(call: Call) -> Response:
    return render.answer(call, {"taskId": call.args["taskId"], **_found(call)})


def _task(call: Call) -> Response:
    task_id = call.args["taskId"]
    return render.answer(call, {"self": f"{SITE}/rest/api/3/task/{task_id}", "id": task_id, **_found(call)})


def _histories(call: Call) -> Response:
    """The histories of many issues, oldest first, by page; optionally of some fields only."""
    given = call.body if isinstance(call.body, dict) else {}
    references, wanted = given.get("issueIdsOrKeys") or [], given.get("fieldIds") or []
    if not 0 < len(references) <= HISTORY_ISSUES or len(wanted) > HISTORY_FIELDS:
        raise Refused(400, refusal(f"At most {HISTORY_ISSUES} issues and {HISTORY_FIELDS} fields can be asked for."))
    found: list[tuple[str, dict[str, Any]]] = []
    for reference in references:
        row = issues.find(call.state, str(reference))
        if row is None or not access.may(call.state, call.user["id"], row["project_id"], "BROWSE_PROJECTS"):
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
