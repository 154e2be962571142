"""Stores and finds issues: the fields document as it is answered, and beside it the columns that searches use.

It keeps the promise that the columns always say what the document says.
"""

from __future__ import annotations

from typing import Any

from ..state import State, as_json, from_json
from . import lag
from .tables import milliseconds_of

Fields = dict[str, Any]


def account_id_of(user: dict[str, Any] | None) -> str | None:
    """The id of an embedded user; an export from a Data Center site has names in place of account ids."""
    if not user:
        return None
    found = user.get("accountId") or user.get("name") or user.get("key")
    return None if found is None else str(found)


def columns(fields: Fields) -> dict[str, Any]:
    """What searches need of a fields document."""

    def identity(name: str) -> str | None:
        value = fields.get(name)
        return str(value["id"]) if value and "id" in value else None

    parent = fields.get("parent")
    return {
        "type_id": identity("issuetype"),
        "status_id": identity("status"),
        "priority_id": identity("priority"),
        "resolution_id": identity("resolution"),
        "assignee": account_id_of(fields.get("assignee")),
        "reporter": account_id_of(fields.get("reporter")),
        "parent_id": int(parent["id"]) if parent else None,
        "due": fields.get("duedate"),
        "created_ms": milliseconds_of(fields.get("created")),
        "updated_ms": milliseconds_of(fields.get("updated")),
        "resolved_ms": milliseconds_of(fields.get("resolutiondate")),
        "fields": as_json(fields),
    }


def insert(state: State, issue_id: int, key: str, project_id: int, fields: Fields, *, loaded: bool) -> None:
    """Add an issue; `loaded` ones are answered exactly as given, nothing is added to them."""
    row = {
        "id": issue_id, "key": key, "number": int(key.rpartition("-")[2]), "project_id": project_id,
        "loaded": int(loaded), **columns(fields),
    }  # fmt: skip
    lag.remember(state, issue_id)
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    state.db.execute(f"INSERT INTO jira_issue ({names}) VALUES ({marks})", row)


def save(state: State, issue_id: int, fields: Fields) -> None:
    """Write an issue's fields back."""
    lag.remember(state, issue_id)
    row = columns(fields)
    changes = ", ".join(f"{name} = :{name}" for name in row)
    state.db.execute(f"UPDATE jira_issue SET {changes} WHERE id = :id", row | {"id": issue_id})


def find(state: State, reference: str) -> dict[str, Any] | None:
    """An issue's row by id or key."""
    if reference.isdigit():
        return state.row("SELECT * FROM jira_issue WHERE id = ?", (int(reference),))
    return state.row("SELECT * FROM jira_issue WHERE key = ?", (reference.upper(),))


def fields_of(row: dict[str, Any]) -> Fields:
    """The fields document of an issue's row."""
    found: Fields = from_json(row["fields"])
    return found


def next_number(state: State, project_id: int) -> int:
    """The number of a project's next issue key."""
    row = state.row("SELECT max(number) AS last FROM jira_issue WHERE project_id = ?", (project_id,))
    return ((row and row["last"]) or 0) + 1


def next_id(state: State) -> int:
    """The next issue id of the site."""
    row = state.row("SELECT max(id) AS last FROM jira_issue")
    return max(10000, (row and row["last"]) or 0) + 1
