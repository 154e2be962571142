"""Keeps the options of select fields, and reads the option an edit names.

It keeps the promise that an option is only taken by the field it belongs to, and that a field without a list of
options of its own (those of a loaded export) takes any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..state import State
from .tables import SITE

FIRST = 10100


def add(state: State, field_id: str, values: Sequence[str]) -> list[int]:
    """Add options to a field and return their ids."""
    found = []
    for value in values:
        last = state.row("SELECT max(id) AS last FROM jira_option")
        number = max(FIRST - 1, (last and last["last"]) or 0) + 1
        state.db.execute("INSERT INTO jira_option VALUES (?, ?, ?, 0)", (number, field_id, value))
        found.append(number)
    return found


def disable(state: State, field_id: str, value: str, disabled: bool = True) -> None:
    """Take an option off the list people choose from; issues that have it keep it."""
    sql = "UPDATE jira_option SET disabled = ? WHERE field_id = ? AND value = ?"
    state.db.execute(sql, (int(disabled), field_id, value))


def of(state: State, field_id: str) -> list[dict[str, Any]]:
    """The options of a field, in their order."""
    return state.rows("SELECT * FROM jira_option WHERE field_id = ? ORDER BY id", (field_id,))


def embedded(row: dict[str, Any]) -> dict[str, Any]:
    """An option as issues and the metadata of editing show it."""
    address = f"{SITE}/rest/api/3/customFieldOption/{row['id']}"
    return {"self": address, "value": row["value"], "id": str(row["id"])}


def asked(state: State, field_id: str, value: Any) -> dict[str, Any] | None:
    """The option that an edit names by `id` or `value`, as issues show it; None when it is none of the field's."""
    if not isinstance(value, dict) or not {"id", "value"} & value.keys():
        return None
    known = of(state, field_id)
    if not known:
        return value
    name = "id" if "id" in value else "value"
    for row in known:
        if str(row[name]) == str(value[name]) and not row["disabled"]:
            return embedded(row)
    return None
