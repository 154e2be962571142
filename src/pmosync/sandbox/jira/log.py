"""Keeps the histories of issues: who moved which field from what to what, and when.

It keeps the promise that an entry looks as Jira's do, gaps included: a parent, a link and a moved key name no field id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..state import State, as_json, from_json
from . import text

Item = dict[str, Any]

SECONDS = ("timeoriginalestimate", "timeestimate", "timespent")
CALLED = {"parent": "IssueParentAssociation", "fixVersions": "Fix Version", "versions": "Version",
          "components": "Component"}  # fmt: skip
"""What a history calls a field where that is not the field's id."""
WITHOUT_ID = ("IssueParentAssociation", "Link", "RemoteIssueLink", "Key", "WorklogId", "Workflow")


def add(state: State, issue_id: int, author: str, created_ms: int, items: Sequence[Item], metadata: Any = None) -> None:
    """Add an entry; its author is an account id."""
    state.db.execute(
        "INSERT INTO jira_history (issue_id, author, created_ms, items, metadata) VALUES (?, ?, ?, ?, ?)",
        (issue_id, author, created_ms, as_json(list(items)), as_json(metadata) if metadata else None),
    )


def moved(state: State, name: str, before: Any, after: Any) -> list[Item]:
    """What a history says of a field that went from one value to another; versions and the like one by one."""
    if name in ("fixVersions", "versions", "components"):
        old, new = before or [], after or []
        gone = [one for one in old if one["id"] not in [other["id"] for other in new]]
        come = [one for one in new if one["id"] not in [other["id"] for other in old]]
        return [_item(state, name, one, None) for one in gone] + [_item(state, name, None, one) for one in come]
    return [_item(state, name, before, after)]


def plain(field: str, before: tuple[str | None, str | None], after: tuple[str | None, str | None]) -> Item:
    """An item of what is no field: a link, a moved key; each side is an id and a text."""
    item: Item = {"field": field, "fieldtype": "jira"}
    item |= {} if field in WITHOUT_ID else {"fieldId": field}
    return item | {"from": before[0], "fromString": before[1], "to": after[0], "toString": after[1]}


def _item(state: State, name: str, before: Any, after: Any) -> Item:
    row = state.row("SELECT document FROM jira_field WHERE id = ?", (name,))
    document = from_json(row["document"]) if row else {"name": name, "custom": False}
    shown = document["name"] if document["custom"] else CALLED.get(name, name)
    item: Item = {"field": shown, "fieldtype": "custom" if document["custom"] else "jira", "fieldId": name}
    if shown in WITHOUT_ID:
        del item["fieldId"]
    item["from"], item["fromString"] = _told(name, before)
    item["to"], item["toString"] = _told(name, after)
    return item


def _told(name: str, value: Any) -> tuple[str | None, str | None]:
    """A value's id and its text, as histories have them."""
    if value is None:
        return None, None
    if name in SECONDS:
        return str(value), str(value)
    if name == "duedate":
        return str(value), f"{value} 00:00:00.0"
    if isinstance(value, float):
        return None, f"{value:g}"
    if isinstance(value, dict):
        if text.is_document(value):
            return None, text.text_of(value)
        shown = value.get("displayName") or value.get("name") or value.get("value") or value.get("key")
        found = value.get("accountId") or value.get("id")
        return None if found is None else str(found), None if shown is None else str(shown)
    if isinstance(value, list):
        return _told_list(value)
    return None, str(value)


def _told_list(value: list[Any]) -> tuple[str | None, str | None]:
    """Labels have a text only, between blanks; sprints have ids and names, between commas."""
    if value and isinstance(value[0], dict):
        ids, names = ([str(one.get(part) or "") for one in value] for part in ("id", "name"))
        return ", ".join(ids), ", ".join(names)
    return None, " ".join(str(one) for one in value)
