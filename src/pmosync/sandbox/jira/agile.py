"""Serves boards and sprints under /rest/agile/1.0, and people's edits of sprints: dates, start and completion.

It keeps the promise that a sprint's edit is an edit of nothing else: no issue in it gets a new date.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, from_json
from . import access, edit, issues, planning, render
from .access import refusal
from .tables import CATEGORIES, SITE, things
from .values import set_field

AGILE = "/rest/agile/1.0"
STATES = ("future", "active", "closed")
DATES = {"startDate": "start_at", "endDate": "end_at"}
TOGETHER = 50
"""Issues that can be moved into a sprint at once."""
NO_SPRINT = "Sprint with id {} does not exist, or you do not have permission to view it."
NO_BOARD = (
    "The requested board cannot be viewed because it either does not exist or you do not have permission to view it."
)


def rules(state: State) -> list[Rule]:
    """The agile API, as far as sprints go."""
    return [
        (("GET",), f"{AGILE}/board", _boards),
        (("GET",), f"{AGILE}/board/{{boardId}}", _board),
        (("GET",), f"{AGILE}/board/{{boardId}}/configuration", _configuration),
        (("GET",), f"{AGILE}/board/{{boardId}}/sprint", _sprints),
        (("POST",), f"{AGILE}/sprint", _create),
        (("GET",), f"{AGILE}/sprint/{{sprintId}}", _get),
        (("POST", "PUT"), f"{AGILE}/sprint/{{sprintId}}", _edit),
        (("POST",), f"{AGILE}/sprint/{{sprintId}}/issue", _fill),
    ]


def _paged(call: Call, values: list[Any]) -> Response:
    start, size = access.page_asked(call, 50, 50)
    body = {
        "maxResults": size, "startAt": start, "total": len(values), "isLast": start + size >= len(values),
        "values": values[start : start + size],
    }  # fmt: skip
    return render.answer(call, body)


# -- boards -----------------------------------------------------------------------------------------------------------


def _shown_board(call: Call, row: planning.Row) -> dict[str, Any]:
    project = call.state.row("SELECT * FROM jira_project WHERE id = ?", (row["project_id"],)) or {}
    document = from_json(project["document"])
    location = {
        "projectId": project["id"], "displayName": f"{project['name']} ({project['key']})",
        "projectName": project["name"], "projectKey": project["key"], "name": f"{project['name']} ({project['key']})",
        "projectTypeKey": document["projectTypeKey"],
    }  # fmt: skip
    address = f"{SITE}{AGILE}/board/{row['id']}"
    return {"id": row["id"], "self": address, "name": row["name"], "type": row["type"], "location": location}


def _boards(call: Call) -> Response:
    query = call.query
    found = []
    for row in call.state.rows("SELECT * FROM jira_board ORDER BY id"):
        if access.may(call.state, call.user["id"], row["project_id"], "BROWSE_PROJECTS"):
            found.append(_shown_board(call, row))
    if wanted := query.get("projectKeyOrId"):
        access.seen_project(call, wanted)
        found = [b for b in found if wanted in (b["location"]["projectKey"], str(b["location"]["projectId"]))]
    if "type" in query:
        found = [board for board in found if board["type"] in query["type"].split(",")]
    found = [board for board in found if query.get("name", "").lower() in board["name"].lower()]
    return _paged(call, found)


def _seen_board(call: Call, reference: Any) -> planning.Row:
    text = str(reference)
    row = call.state.row("SELECT * FROM jira_board WHERE id = ?", (int(text) if text.isdigit() else -1,))
    if row is None or not access.may(call.state, call.user["id"], row["project_id"], "BROWSE_PROJECTS"):
        raise Refused(404, refusal(NO_BOARD))
    return row


def _board(call: Call) -> Response:
    return render.answer(call, _shown_board(call, _seen_board(call, call.args["boardId"])))


def _configuration(call: Call) -> Response:
    """A board's columns, and what it estimates by."""
    board = _seen_board(call, call.args["boardId"])
    columns = [
        {"name": label, "statuses": [{"id": one["id"], "self": one["self"]} for one in things(call.state, "status")
                                     if (one.get("statusCategory") or {}).get("key") == key]}
        for key, (_, _, label) in CATEGORIES.items() if key != "undefined"
    ]  # fmt: skip
    number = str(10000 + board["id"])
    project = call.state.row("SELECT key FROM jira_project WHERE id = ?", (board["project_id"],)) or {}
    body: dict[str, Any] = {
        "id": board["id"], "name": board["name"], "type": board["type"],
        "self": f"{SITE}{AGILE}/board/{board['id']}/configuration",
        "location": {"type": "project", "projectKeyOrId": project["key"]},
        "filter": {"id": number, "self": f"{SITE}/rest/api/3/filter/{number}"},
        "columnConfig": {"columns": columns, "constraintType": "none"}, "ranking": {"rankCustomFieldId": 10019},
    }  # fmt: skip
    if board["type"] == "kanban":
        body["subQuery"] = {"query": "fixVersion in unreleasedVersions() OR fixVersion is EMPTY"}
        return render.answer(call, body)
    sql = (
        "SELECT f.id, f.name FROM jira_board_estimate AS e JOIN jira_field AS f ON f.id = e.field_id "
        "WHERE e.board_id = ?"
    )
    field = call.state.row(sql, (board["id"],))
    body["estimation"] = (
        {"type": "field", "field": {"fieldId": field["id"], "displayName": field["name"]}}
        if field
        else {"type": "issueCount"}
    )
    return render.answer(call, body)


# -- sprints ----------------------------------------------------------------------------------------------------------


def _shown(row: planning.Row) -> dict[str, Any]:
    found = planning.embedded_sprint(row)
    found["originBoardId"] = found.pop("boardId")
    return found | {"self": f"{SITE}{AGILE}/sprint/{row['id']}"}


def _sprints(call: Call) -> Response:
    board = _seen_board(call, call.args["boardId"])
    if board["type"] != "scrum":
        raise Refused(400, refusal("The board does not support sprints"))
    wanted = call.query.get("state", ",".join(STATES)).split(",")
    if not set(wanted) <= set(STATES):
        raise Refused(400, refusal("The state has to be one of: future, active, closed"))
    rows = call.state.rows("SELECT * FROM jira_sprint WHERE board_id = ? ORDER BY id", (board["id"],))
    order = ("closed", "active", "future")
    rows.sort(key=lambda row: order.index(row["state"]))
    return _paged(call, [_shown(row) for row in rows if row["state"] in wanted])


def _seen(call: Call) -> planning.Row:
    given = call.args["sprintId"]
    row = call.state.row("SELECT * FROM jira_sprint WHERE id = ?", (int(given) if given.isdigit() else -1,))
    if row is None or not planning.sees_sprint(call.state, call.user["id"], row):
        raise Refused(404, refusal(NO_SPRINT.format(given)))
    return row


def _get(call: Call) -> Response:
    return render.answer(call, _shown(_seen(call)))


def _create(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    board = _seen_board(call, given.get("originBoardId"))
    _need(call, board)
    name = str(given.get("name") or "").strip()
    if not name:
        raise Refused(400, refusal(name="Sprint name is required"))
    row: planning.Row = {
        "board_id": board["id"], "name": name, "state": "future", "goal": given.get("goal", ""), "complete_at": None,
        **{column: _instant(given.get(asked)) for asked, column in DATES.items()},
    }  # fmt: skip
    number = planning.insert(call.state, "jira_sprint", row, 1)
    call.state.changed("jira", call.user["name"], f"sprint {number}", "created", None, name)
    return render.answer(call, _shown(row | {"id": number}), 201)


def _edit(call: Call) -> Response:
    """POST changes what is given, PUT everything. Of a closed sprint only name and goal change."""
    before = _seen(call)
    _need(call, _board_of(call.state, before))
    given = call.body if isinstance(call.body, dict) else {}
    if call.request.method == "PUT":
        given = {"goal": "", "startDate": None, "endDate": None} | given
    row = dict(before)
    row |= {name: given[name] for name in ("name", "goal") if name in given}
    if before["state"] != "closed":
        row |= {column: _instant(given[name]) for name, column in DATES.items() if name in given}
        _move(call, row, given.get("state", row["state"]))
    for name, value in row.items():
        if value != before[name]:
            call.state.db.execute(f"UPDATE jira_sprint SET {name} = ? WHERE id = ?", (value, row["id"]))
            call.state.changed("jira", call.user["name"], f"sprint {row['id']}", name, before[name], value)
    return render.answer(call, _shown(row))


def _fill(call: Call) -> Response:
    """Move issues into an open sprint: each of them is edited."""
    sprint = _seen(call)
    given = call.body.get("issues") if isinstance(call.body, dict) else None
    if sprint["state"] == "closed" or not isinstance(given, list) or not 0 < len(given) <= TOGETHER:
        raise Refused(400, refusal(f"Between 1 and {TOGETHER} issues can be moved into a sprint that is not closed"))
    rows = [access.seen_issue(call, str(one)) for one in given]
    for row in rows:
        access.need(call, row["project_id"], "EDIT_ISSUES")
    for row in rows:
        fields, errors = issues.fields_of(row), dict[str, str]()
        before = dict(fields)
        for name in planning.sprint_fields(call.state):
            set_field(call, fields, name, sprint["id"], errors)
        if errors:
            raise Refused(400, refusal(**errors))
        edit.write_back(call, row, before, fields, None, quiet=False)
    return empty_answer()


def _move(call: Call, row: planning.Row, wanted: str) -> None:
    """Start a future sprint, or complete an active one; nothing else."""
    step = (row["state"], wanted)
    if step == ("future", "active"):
        if not (row["start_at"] and row["end_at"]):
            raise Refused(400, refusal("Start and end dates are required to start a sprint"))
    elif step == ("active", "closed"):
        row["complete_at"] = planning.zulu(call.state.now())
    elif row["state"] != wanted:
        raise Refused(400, refusal(f"The sprint cannot go from {row['state']} to {wanted}"))
    row["state"] = wanted


def _board_of(state: State, sprint: planning.Row) -> planning.Row:
    return state.row("SELECT * FROM jira_board WHERE id = ?", (sprint["board_id"],)) or {}


def _need(call: Call, board: planning.Row) -> None:
    no = Refused(403, refusal("You do not have the permission 'Manage sprints' in this project."))
    planning.need(call, board["project_id"], no)


def _instant(given: Any) -> str | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(str(given))
    except ValueError:
        raise Refused(400, refusal(f"The date '{given}' is not of the form yyyy-MM-ddTHH:mm:ss.SSSZ")) from None
    return planning.zulu(found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC))
