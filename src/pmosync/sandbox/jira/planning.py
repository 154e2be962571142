"""Keeps versions, boards and sprints, and puts them into issues as they are now.

It keeps the promise that an issue only refers to them: releasing a version, moving its date, starting or closing a
sprint changes what every issue in it shows, and gives no issue a new date or a line of history, as in Jira.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from ..answers import Refused
from ..call import Call
from ..state import State
from . import access, issues
from .tables import SITE

VERSION_FIELDS = ("fixVersions", "versions")
SPRINT_TYPE = "com.pyxis.greenhopper.jira:gh-sprint"
SPRINT_SCHEMA = {"type": "array", "items": "json", "custom": SPRINT_TYPE}

Errors = dict[str, str]
Row = dict[str, Any]


# -- what is there ----------------------------------------------------------------------------------------------------


def add_version(
    state: State, project_key: str, name: str, *, description: str | None = None, start_on: date | None = None,
    release_on: date | None = None, released: bool = False, archived: bool = False,
) -> int:  # fmt: skip
    """Add a version to a project and return its id."""
    project = state.row("SELECT id FROM jira_project WHERE key = ?", (project_key,))
    if project is None:
        raise KeyError(f"no Jira project {project_key}: add_project first")
    row = {
        "project_id": project["id"], "name": name, "description": description, "archived": int(archived),
        "released": int(released), "start_on": _day(start_on), "release_on": _day(release_on),
    }  # fmt: skip
    return insert(state, "jira_version", row, 10000)


def add_component(state: State, project_key: str, name: str, description: str = "", lead: str | None = None) -> int:
    """Add a component to a project and return its id; `lead` is an account id."""
    project = state.row("SELECT id FROM jira_project WHERE key = ?", (project_key,))
    if project is None:
        raise KeyError(f"no Jira project {project_key}: add_project first")
    row = {"project_id": project["id"], "name": name, "description": description, "lead": lead}
    return insert(state, "jira_component", row, 10000)


def add_board(state: State, name: str, project_key: str, kind: str = "scrum", estimation: str | None = None) -> int:
    """Add a board (`kind`: scrum or kanban) over a project and return its id.

    `estimation` is the field it estimates by; None: it counts issues.
    """
    project = state.row("SELECT id FROM jira_project WHERE key = ?", (project_key,))
    if project is None:
        raise KeyError(f"no Jira project {project_key}: add_project first")
    number = insert(state, "jira_board", {"name": name, "type": kind, "project_id": project["id"]}, 1)
    state.db.execute("INSERT OR REPLACE INTO jira_board_estimate VALUES (?, ?)", (number, estimation))
    return number


def add_sprint(
    state: State, board_id: int, name: str, status: str = "future", *, start_at: datetime | None = None,
    end_at: datetime | None = None, complete_at: datetime | None = None, goal: str = "",
) -> int:  # fmt: skip
    """Add a sprint (`status`: future, active or closed) to a board and return its id."""
    row = {
        "board_id": board_id, "name": name, "state": status, "goal": goal, "start_at": zulu(start_at),
        "end_at": zulu(end_at), "complete_at": zulu(complete_at),
    }  # fmt: skip
    return insert(state, "jira_sprint", row, 1)


def insert(state: State, table: str, row: Row, first: int) -> int:
    """Add a row under the next id."""
    last = state.row(f"SELECT max(id) AS last FROM {table}")
    number: int = max(first - 1, (last and last["last"]) or 0) + 1
    names = ", ".join(["id", *row])
    marks = ", ".join(f":{name}" for name in ("id", *row))
    state.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row | {"id": number})
    return number


def zulu(instant: datetime | None) -> str | None:
    """An instant as sprints have it: in UTC, with milliseconds."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z" if instant else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


# -- as issues show them ----------------------------------------------------------------------------------------------


def embedded_version(row: Row) -> dict[str, Any]:
    """A version inside an issue: Jira leaves out its start, and what is not set."""
    found = {
        "self": f"{SITE}/rest/api/3/version/{row['id']}", "id": str(row["id"]), "description": row["description"],
        "name": row["name"], "archived": bool(row["archived"]), "released": bool(row["released"]),
        "releaseDate": row["release_on"],
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def embedded_sprint(row: Row) -> dict[str, Any]:
    """A sprint inside an issue."""
    found = {
        "id": row["id"], "name": row["name"], "state": row["state"], "boardId": row["board_id"], "goal": row["goal"],
        "startDate": row["start_at"], "endDate": row["end_at"], "completeDate": row["complete_at"],
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def show(state: State, name: str, stored: list[Any]) -> list[dict[str, Any]]:
    """What an issue refers to in a field, as it is now."""
    table, render = _of(name)
    rows = [state.row(f"SELECT * FROM {table} WHERE id = ?", (int(one["id"]),)) for one in stored]
    return [render(row) for row in rows if row]


def _of(name: str) -> tuple[str, Callable[[Row], dict[str, Any]]]:
    return ("jira_version", embedded_version) if name in VERSION_FIELDS else ("jira_sprint", embedded_sprint)


# -- as queries find them ---------------------------------------------------------------------------------------------


def versions_called(state: State, account_id: str, text: str) -> list[int]:
    """Versions with this id or name in projects that the account sees."""
    sql = "SELECT id, project_id FROM jira_version WHERE id = ? OR name = ? COLLATE NOCASE"
    rows = state.rows(sql, (int(text) if text.isdigit() else -1, text))
    return [row["id"] for row in rows if access.may(state, account_id, row["project_id"], "BROWSE_PROJECTS")]


def sprints_called(state: State, account_id: str, text: str) -> list[int]:
    """Sprints with this id or name that the account sees."""
    sql = "SELECT * FROM jira_sprint WHERE id = ? OR name = ? COLLATE NOCASE"
    rows = state.rows(sql, (int(text) if text.isdigit() else -1, text))
    return [row["id"] for row in rows if sees_sprint(state, account_id, row)]


def sees_sprint(state: State, account_id: str, sprint: Row) -> bool:
    """Whether an account sees a sprint: its board, or one of its issues."""
    board = state.row("SELECT project_id FROM jira_board WHERE id = ?", (sprint["board_id"],))
    if board and access.may(state, account_id, board["project_id"], "BROWSE_PROJECTS"):
        return True
    hidden = set(access.hidden_projects(state, account_id))
    return any(row["project_id"] not in hidden for row in _in_sprint(state, sprint["id"]))


def sprint_fields(state: State) -> list[str]:
    """The ids of the fields that hold sprints."""
    sql = "SELECT id FROM jira_field WHERE json_extract(document, '$.schema.custom') = ?"
    return [row["id"] for row in state.rows(sql, (SPRINT_TYPE,))]


def _in_sprint(state: State, sprint_id: int) -> list[Row]:
    found: list[Row] = []
    for name in sprint_fields(state):
        each = f"json_each(fields, '$.{name}') AS one WHERE json_extract(one.value, '$.id') = ?"
        sql = f"SELECT DISTINCT project_id FROM jira_issue WHERE EXISTS (SELECT 1 FROM {each})"
        found += state.rows(sql, (sprint_id,))
    return found


# -- as edits of issues name them -------------------------------------------------------------------------------------


def versions_asked(call: Call, fields: issues.Fields, value: Any, name: str, errors: Errors) -> list[dict[str, str]]:
    """The versions that an edit names by id or name, of the issue's own project."""
    if not isinstance(value, list):
        errors[name] = "data was not an array"
        return []
    found = []
    for one in value:
        reference = one if isinstance(one, Mapping) else {}
        column = "id" if "id" in reference else "name"
        sql = f"SELECT * FROM jira_version WHERE project_id = ? AND {column} = ?"
        row = call.state.row(sql, (int(fields["project"]["id"]), reference.get(column)))
        if row is None:
            told = f"{column} '{reference.get(column)}'"
            errors[name] = f"Version {told} is not valid for the project '{fields['project']['key']}'."
            return []
        found.append({"id": str(row["id"]), "name": row["name"]})
    return found


def sprint_asked(
    call: Call, present: list[dict[str, Any]] | None, value: Any, name: str, errors: Errors
) -> list[dict[str, Any]] | None:
    """What an issue's sprints become: the closed ones stay, the open one is replaced, or with null taken away."""
    rows = [call.state.row("SELECT * FROM jira_sprint WHERE id = ?", (one["id"],)) for one in present or []]
    kept = [{"id": row["id"], "name": row["name"]} for row in rows if row and row["state"] == "closed"]
    if value is None:
        return kept or None
    number = int(value) if re.fullmatch(r"\d+", str(value)) else None
    row = call.state.row("SELECT * FROM jira_sprint WHERE id = ?", (number,)) if number is not None else None
    if number is None:
        errors[name] = "Number value expected as the Sprint id."
    elif row is None or not sees_sprint(call.state, call.user["id"], row):
        errors[name] = f"Sprint with id {number} does not exist, or you do not have permission to view it."
    elif row["state"] == "closed":
        errors[name] = "Issue can be assigned only active or future sprints."
    return [*kept, {"id": number, "name": row["name"]}] if row else kept


def need(call: Call, project_id: int, refused: Refused) -> None:
    """Refuse unless the account administers the project."""
    if not access.may(call.state, call.user["id"], project_id, "ADMINISTER_PROJECTS"):
        raise refused
