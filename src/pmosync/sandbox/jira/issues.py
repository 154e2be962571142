"""Stores and finds issues: the fields document as it is answered, and beside it the columns that searches use.

It keeps the promise that the columns always say what the document says.
"""

from __future__ import annotations

from typing import Any

from ..state import State, as_json, from_json
from . import lag
from .tables import milliseconds_of

Fields = dict[str, Any]
OF_AN_ISSUE = ("jira_comment", "jira_watcher", "jira_history", "jira_remote_link", "jira_worklog", "jira_hidden",
               "jira_archived")  # fmt: skip


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
    """An issue's row by id or key; a key that it had before it was moved is as good."""
    if reference.isdigit():
        return state.row("SELECT * FROM jira_issue WHERE id = ?", (int(reference),))
    row = state.row("SELECT * FROM jira_issue WHERE key = ?", (reference.upper(),))
    if row is None:
        sql = "SELECT * FROM jira_issue WHERE id = (SELECT number FROM jira_old_key WHERE key = ? AND kind = 'issue')"
        row = state.row(sql, (reference.upper(),))
    return row


def remove(state: State, issue_id: int) -> None:
    """Delete an issue and what belongs to it."""
    lag.remember(state, issue_id)
    state.db.execute("DELETE FROM jira_issue WHERE id = ?", (issue_id,))
    state.db.execute("DELETE FROM jira_property WHERE entity = 'issue' AND entity_id = ?", (issue_id,))
    state.db.execute("DELETE FROM jira_link WHERE inward_id = ? OR outward_id = ?", (issue_id, issue_id))
    for table in OF_AN_ISSUE:
        state.db.execute(f"DELETE FROM {table} WHERE issue_id = ?", (issue_id,))


def fields_of(row: dict[str, Any]) -> Fields:
    """The fields document of an issue's row."""
    found: Fields = from_json(row["fields"])
    return found


def next_number(state: State, project_id: int) -> int:
    """The number of a project's next issue key: none that an issue of it ever had."""
    sql = (
        "SELECT max(number) AS last FROM (SELECT number FROM jira_issue WHERE project_id = :id UNION ALL "
        "SELECT CAST(substr(o.key, length(p.key) + 2) AS INTEGER) FROM jira_old_key AS o, jira_project AS p "
        "WHERE p.id = :id AND o.kind = 'issue' AND o.key LIKE p.key || '-%')"
    )
    row = state.row(sql, {"id": project_id})
    return ((row and row["last"]) or 0) + 1


def next_id(state: State) -> int:
    """The next issue id of the site."""
    row = state.row("SELECT max(id) AS last FROM jira_issue")
    return max(10000, (row and row["last"]) or 0) + 1
