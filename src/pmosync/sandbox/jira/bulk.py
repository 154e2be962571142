"""Edits many issues with one call, as Jira's bulk operations do: labels, select fields, texts; the task is asked later.

It keeps the promise that each issue succeeds or fails by itself, told by the task, and that mail is sent unless the
call says not to.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, json_answer
from ..call import Call, Rule
from ..state import State
from . import access, edit, issues, moves, options, render, switches, tasks, text, values
from .tables import stamp

ISSUES = 1000
FIELDS = 200
CLEARED = -1
EDITABLE = (":select", ":textfield", ":textarea")
VERBS = ("ADD", "REMOVE", "REPLACE", "REMOVE_ALL")


def rules(state: State) -> list[Rule]:
    """The bulk operations."""
    tasks.WORKS["edit"] = tasks.Work(_edit_all, whole=False)
    api = "/rest/api/3/bulk"
    return [
        (("POST",), f"{api}/issues/fields", _submit),
        (("GET",), f"{api}/queue/{{taskId}}", _progress),
    ]


def refusal(message: str) -> dict[str, Any]:
    """The error body of bulk operations, which is not that of the other resources."""
    return {"errors": [{"message": message}]}


def permit(call: Call) -> None:
    """Refuse an account without the global permission."""
    if not access.may_globally(call.state, call.user["id"], "BULK_CHANGE"):
        status = int(switches.get(call.state, "bulk_denied_status"))
        raise Refused(status, refusal("You do not have the global permission 'Make bulk changes'."))


def make_room(call: Call) -> None:
    """Refuse while as many bulk operations run as the site runs at a time, whoever submitted them."""
    most = int(switches.get(call.state, "bulk_at_once"))
    if len(tasks.running(call.state, "bulk")) >= most:
        message = f"At most {most} bulk operations can run at a time. Try again when one has ended."
        raise Refused(int(switches.get(call.state, "bulk_busy_status")), refusal(message))


def accessible(call: Call, references: list[Any]) -> tuple[list[int], int]:
    """The issues that the account sees among those named, once each, and how many names are of none."""
    rows = access.visible_issues(call, references)
    return list(dict.fromkeys(row["id"] for row in rows if row)), rows.count(None)


def _submit(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    permit(call)
    references = given.get("selectedIssueIdsOrKeys") or []
    if not 0 < len(references) <= ISSUES:
        raise Refused(400, refusal(f"Between 1 and {ISSUES} issues can be edited at once."))
    edits = _edits(call, given.get("editedFieldsInput") or {})
    named = {one["field"] for one in edits}
    if not 0 < len(edits) <= FIELDS or named != set(given.get("selectedActions") or []):
        raise Refused(400, refusal("selectedActions must name exactly the fields that editedFieldsInput has."))
    make_room(call)
    numbers, unknown = accessible(call, references)
    quiet = given.get("sendBulkNotification") is False
    wanted = {"edits": edits, "quiet": quiet, "unknown": unknown, "total": len(references)}
    return json_answer({"taskId": tasks.submit(call, "bulk", "edit", wanted, numbers, "Bulk edit")}, 201)


def _progress(call: Call) -> Response:
    permit(call)
    try:
        found = tasks.poll(call, "bulk")
    except Refused as refused:
        # a bulk operation that is not there is an invalid request, says the vendor's document
        message = refused.body["errorMessages"][0]
        raise Refused(400 if refused.status == 404 else refused.status, refusal(message)) from None
    ended = found["status"] not in ("ENQUEUED", "RUNNING")
    body: dict[str, Any] = {
        "taskId": call.args["taskId"], "status": found["status"], "progressPercent": tasks.percent(found),
        "submittedBy": {"accountId": found["owner"]["id"]}, "created": stamp(found["created"]),
        "updated": stamp(found["updated"]),
    }  # fmt: skip
    body |= {"started": stamp(found["started"])} if found["started"] else {}
    if ended:
        body |= {
            "processedAccessibleIssues": found["done"], "failedAccessibleIssues": found["failed"],
            "invalidOrInaccessibleIssueCount": found["given"]["unknown"], "totalIssueCount": found["given"]["total"],
        }  # fmt: skip
    return render.answer(call, body)


# -- what is asked ----------------------------------------------------------------------------------------------------


def _edits(call: Call, given: dict[str, Any]) -> list[dict[str, Any]]:
    """The edits in the order given, each checked as far as it can be without looking at the issues."""
    readers = {
        "labelsFields": _labels, "singleSelectFields": _select, "singleLineTextFields": _line, "richTextFields": _rich,
    }  # fmt: skip
    unknown = [name for name, value in given.items() if name not in readers and value]
    if unknown:
        raise Refused(400, refusal(f"This sandbox edits {', '.join(readers)} in bulk, not {unknown[0]}."))
    return [
        {"field": str(one.get("fieldId")), **readers[name](call, str(one.get("fieldId")), one)}
        for name in readers
        for one in given.get(name) or []
    ]


def _labels(call: Call, field: str, one: dict[str, Any]) -> dict[str, Any]:
    names = [str(label.get("name") or "") for label in one.get("labels") or []]
    verb = one.get("bulkEditMultiSelectFieldOption")
    if field != "labels" or verb not in VERBS:
        raise Refused(400, refusal(f"'{field}' is no field of labels, or '{verb}' is none of {', '.join(VERBS)}."))
    errors: values.Errors = {}
    values.read_labels(call, names, "labels", errors)
    if errors:
        raise Refused(400, refusal(errors["labels"]))
    return {"verb": verb, "labels": names}


def _select(call: Call, field: str, one: dict[str, Any]) -> dict[str, Any]:
    _need_type(call, field, ":select")
    number = (one.get("option") or {}).get("optionId")
    if number == CLEARED:
        return {"value": None}
    found = options.asked(call.state, field, {"id": number})
    if not isinstance(number, int) or found is None:
        raise Refused(400, refusal(f"Option id '{number}' is not valid for the field '{field}'."))
    return {"value": found}


def _line(call: Call, field: str, one: dict[str, Any]) -> dict[str, Any]:
    _need_type(call, field, ":textfield")
    errors: values.Errors = {}
    found = values.read_line(call, one.get("text"), field, errors)
    if errors:
        raise Refused(400, refusal(errors[field]))
    return {"value": found or None}


def _rich(call: Call, field: str, one: dict[str, Any]) -> dict[str, Any]:
    if field not in render.TEXT_FIELDS:
        _need_type(call, field, ":textarea")
    given = one.get("richText")
    if given == {}:
        return {"value": None}
    found: Any = given.get("adfValue") if isinstance(given, dict) else None
    if not text.is_document(found):
        raise Refused(400, refusal(f"The value of the field '{field}' is no Atlassian Document."))
    return {"value": found if found["content"] else None}


def _need_type(call: Call, field: str, ending: str) -> None:
    row = call.state.row("SELECT json_extract(document, '$.schema.custom') AS kind FROM jira_field WHERE id = ?",
                         (field,))  # fmt: skip
    if row is None or not str(row["kind"]).endswith(ending):
        raise Refused(400, refusal(f"The field '{field}' does not exist or is not of the type {ending[1:]}."))


# -- what is done -----------------------------------------------------------------------------------------------------


def _edit_all(call: Call, given: tasks.Document, numbers: list[int]) -> tasks.Document:
    failed: tasks.Document = {}
    for number in numbers:
        row = access.visible_issue(call, str(number))
        if row is None:
            failed[str(number)] = ["Issue does not exist or you do not have permission to see it."]
        elif not access.may(call.state, call.user["id"], row["project_id"], "EDIT_ISSUES"):
            failed[str(number)] = ["You do not have permission to edit this issue."]
        elif moves.is_archived(call.state, number):
            failed[str(number)] = ["This issue is archived."]
        elif why := _edit_one(call, row, given):
            failed[str(number)] = [why]
    return failed


def _edit_one(call: Call, row: dict[str, Any], given: tasks.Document) -> str | None:
    """Apply all edits to an issue with one history, or say why it takes none of them."""
    fields = issues.fields_of(row)
    before = dict(fields)
    for one in given["edits"]:
        if not values.is_offered(call.state, one["field"], fields["project"]["key"]):
            return f"Field '{one['field']}' is not available in this project."
        if "verb" in one:
            _edit_labels(fields, one)
        elif fields.get(one["field"]) != one["value"]:
            fields[one["field"]] = one["value"]
    edit.write_back(call, row, before, fields, None, quiet=given["quiet"])
    return None


def _edit_labels(fields: issues.Fields, one: dict[str, Any]) -> None:
    present, names = list(fields.get("labels") or []), one["labels"]
    results = {
        "ADD": sorted({*present, *names}),
        "REMOVE": [label for label in present if label not in names],
        "REPLACE": sorted(set(names)),
        "REMOVE_ALL": [],
    }
    if set(results[one["verb"]]) != set(present):
        fields["labels"] = results[one["verb"]]
