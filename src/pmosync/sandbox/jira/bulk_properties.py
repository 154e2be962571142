"""Sets and deletes properties of many issues with one call, each an asynchronous task that redirects to its progress.

It keeps the promise that the resources that Jira calls transactional change all eligible issues or none, and that an
issue takes part in one of them at a time.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, properties, render, tasks
from .access import refusal
from .tables import SITE

ISSUES = 10_000
MULTI_ISSUES = 100
PROPERTIES = 10


def rules(state: State) -> list[Rule]:
    """The resources over properties of many issues, and the tasks they make."""
    tasks.WORKS["set same"] = tasks.Work(_set_same, whole=True)
    tasks.WORKS["set each"] = tasks.Work(_set_each, whole=False)
    tasks.WORKS["delete"] = tasks.Work(_delete_all, whole=True)
    api = "/rest/api/3"
    return [
        (("POST",), f"{api}/issue/properties", _post),
        (("POST",), f"{api}/issue/properties/multi", _post_multi),
        (("PUT",), f"{api}/issue/properties/{{propertyKey}}", _put),
        (("DELETE",), f"{api}/issue/properties/{{propertyKey}}", _delete),
        (("GET",), f"{api}/task/{{taskId}}", _task),
    ]


def _post(call: Call) -> Response:
    """The same properties on many issues."""
    given = call.body if isinstance(call.body, dict) else {}
    wanted, values = given.get("entitiesIds") or [], given.get("properties") or {}
    if not 0 < len(wanted) <= ISSUES:
        raise Refused(400, refusal(f"Between 1 and {ISSUES} issues can be given."))
    _check(values)
    numbers = _editable(call, wanted)
    if not numbers:
        raise Refused(400, refusal("No issue exists that you have permission to edit."))
    return _accept(call, "set same", {"properties": values}, numbers, "Set issue properties")


def _post_multi(call: Call) -> Response:
    """Up to ten properties on each of up to a hundred issues, different ones for each."""
    given = (call.body if isinstance(call.body, dict) else {}).get("issues") or []
    if not 0 < len(given) <= MULTI_ISSUES:
        raise Refused(400, refusal(f"Between 1 and {MULTI_ISSUES} issues can be given."))
    wanted: dict[str, Any] = {}
    for one in given:
        _check(one.get("properties") or {})
        wanted[str(one.get("issueID"))] = one["properties"]
    numbers = [int(number) for number in wanted if number.isdigit()]
    return _accept(call, "set each", {"wanted": wanted}, numbers, "Set issue properties")


def _put(call: Call) -> Response:
    """One property on the issues of a filter; without one, on every issue that the account may edit."""
    given = call.body if isinstance(call.body, dict) else {}
    if "value" not in given:
        raise Refused(400, refusal("This sandbox sets constant values: the body must have 'value'."))
    chosen = given.get("filter") or {}
    if "currentValue" in chosen and chosen.get("hasProperty") is False:
        raise Refused(400, refusal("currentValue and hasProperty=false cannot match any issue together."))
    values = {call.args["propertyKey"]: given["value"]}
    _check(values)
    numbers = _filtered(call, chosen)
    return _accept(call, "set same", {"properties": values}, numbers, "Set issue property")


def _delete(call: Call) -> Response:
    chosen = (call.body if isinstance(call.body, dict) else {}) | {"hasProperty": True}
    given = {"key": call.args["propertyKey"]}
    return _accept(call, "delete", given, _filtered(call, chosen), "Delete issue property")


def _check(values: dict[str, Any]) -> None:
    if not 0 < len(values) <= PROPERTIES:
        raise Refused(400, refusal(f"Between 1 and {PROPERTIES} properties can be given for an issue."))
    for key, value in values.items():
        properties.check(key, as_json(value))


def _editable(call: Call, wanted: list[Any]) -> list[int]:
    """The issues among these that the account may edit: the others are not eligible."""
    rows = access.visible_issues(call, wanted)
    may = {row["project_id"]: access.may(call.state, call.user["id"], row["project_id"], "EDIT_ISSUES")
           for row in {row["project_id"]: row for row in rows if row}.values()}  # fmt: skip
    return [row["id"] for row in rows if row and may[row["project_id"]]]


def _filtered(call: Call, chosen: dict[str, Any]) -> list[int]:
    """The issues that a filter leaves: by id, by having the property, by its value."""
    wanted = chosen.get("entityIds")
    everything = [row["id"] for row in call.state.rows("SELECT id FROM jira_issue ORDER BY id")]
    numbers = _editable(call, everything if wanted is None else wanted)
    sql = "SELECT entity_id, value FROM jira_property WHERE entity = 'issue' AND key = ?"
    rows = call.state.rows(sql, (call.args["propertyKey"],))
    present = {row["entity_id"]: from_json(row["value"]) for row in rows}
    if "hasProperty" in chosen:
        numbers = [number for number in numbers if (number in present) == chosen["hasProperty"]]
    if "currentValue" in chosen:
        numbers = [number for number in numbers if number in present and present[number] == chosen["currentValue"]]
    return numbers


def _accept(call: Call, work: str, given: tasks.Document, numbers: list[int], about: str) -> Response:
    """Submit the task and redirect to it; an issue that another one works on is a conflict."""
    busy = {number for task in tasks.running(call.state, "task") for number in task["issues"]}
    if busy & set(numbers):
        raise Refused(409, refusal("Another bulk update of the same issues is in progress. Try again later."))
    task_id = tasks.submit(call, "task", work, given, numbers, about)
    answer = render.answer(call, None, 303)
    answer.headers["Location"] = render.address(call, f"/rest/api/3/task/{task_id}")
    return answer


def _task(call: Call) -> Response:
    found, task_id = tasks.poll(call, "task"), call.args["taskId"]
    body: dict[str, Any] = {
        "self": f"{SITE}/rest/api/3/task/{task_id}", "id": task_id, "description": found["about"],
        "status": found["status"], "progress": tasks.percent(found), "submittedBy": 10000,
        "submitted": found["created"], "lastUpdate": found["updated"],
        "elapsedRuntime": found["updated"] - (found["started"] or found["updated"]),
    }  # fmt: skip
    body |= {"started": found["started"]} if found["started"] else {}
    body |= {"message": found["message"]} if found["message"] else {}
    if found["status"] not in ("ENQUEUED", "RUNNING"):
        body |= {"finished": found["updated"], "result": {"errors": found["failed"]}}
    return render.answer(call, body)


# -- what is done -----------------------------------------------------------------------------------------------------


def _set_same(call: Call, given: tasks.Document, numbers: list[int]) -> tasks.Document:
    for number in numbers:
        _set(call, number, given["properties"])
    return {}


def _set_each(call: Call, given: tasks.Document, numbers: list[int]) -> tasks.Document:
    unusable = [one for one in given["wanted"] if not one.isdigit()]
    able = set(_editable(call, numbers))
    refused = [*unusable, *(str(number) for number in numbers if number not in able)]
    for number in numbers:
        if number in able:
            _set(call, number, given["wanted"][str(number)])
    return {one: ["Issue does not exist or you do not have permission to edit it."] for one in refused}


def _set(call: Call, number: int, values: dict[str, Any]) -> None:
    row = access.visible_issue(call, str(number))
    if row:
        for key, value in values.items():
            properties.put(call, "issue", number, row["key"], key, value)


def _delete_all(call: Call, given: tasks.Document, numbers: list[int]) -> tasks.Document:
    for number in numbers:
        row = access.visible_issue(call, str(number))
        if row:
            properties.remove(call, "issue", number, row["key"], given["key"])
    return {}
