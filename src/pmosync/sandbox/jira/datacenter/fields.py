"""Gives the site the fields that only Data Center has, and shows the list of fields as Data Center does.

It keeps the promise that a parent is told as Data Center tells it: `parent` for subtasks only, Epic Link (a key) for
what is in an epic, Parent Link for what is above; all three are the same parent that the Cloud mode shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ...state import State, from_json
from .. import planning, seed, switches
from ..tables import things

EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"
EPIC_NAME = "com.pyxis.greenhopper.jira:gh-epic-label"
PARENT_LINK = "com.atlassian.jpo:jpo-custom-field-parent"
OWN = (
    ("Epic Link", {"type": "any", "custom": EPIC_LINK}),
    ("Epic Name", {"type": "string", "custom": EPIC_NAME}),
    ("Parent Link", {"type": "any", "custom": PARENT_LINK}),
    ("Sprint", planning.SPRINT_SCHEMA),
)
NOT_HERE = frozenset({"parent", "statuscategorychangedate", "statusCategory"})
ARCHIVING = (
    {"id": "archiveddate", "name": "Archived", "schema": {"type": "datetime", "system": "archiveddate"}},
    {"id": "archivedby", "name": "Archiver", "schema": {"type": "user", "system": "archivedby"}},
)
FIRST = 10100
SCHEMA = """
CREATE TABLE IF NOT EXISTS jira_login (name TEXT PRIMARY KEY, failures INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jira_pat (
    token TEXT PRIMARY KEY, name TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER);
"""


def prepare(state: State) -> None:
    """Create what Data Center needs beside the Cloud site's tables: its own fields, if they are not there yet."""
    state.define(SCHEMA)
    for table in ("jira_login", "jira_pat"):
        state.leave_out(table)
    known = _by_kind(state)
    number = FIRST
    for name, schema in OWN:
        if schema["custom"] in known:
            continue
        while state.row("SELECT 1 FROM jira_field WHERE id = ?", (f"customfield_{number}",)):
            number += 1
        seed.add_field(state, f"customfield_{number}", name, schema)


def _by_kind(state: State) -> dict[str, str]:
    sql = "SELECT id, json_extract(document, '$.schema.custom') AS kind FROM jira_field ORDER BY rowid DESC"
    return {row["kind"]: row["id"] for row in state.rows(sql) if row["kind"]}


def listed(state: State) -> list[dict[str, Any]]:
    """The list of fields."""
    rows = state.rows("SELECT document FROM jira_field ORDER BY rowid")
    found = [from_json(row["document"]) for row in rows]
    shown = [
        {name: value for name, value in one.items() if name not in ("key", "scope", "untranslatedName")}
        for one in found
        if one["id"] not in NOT_HERE
    ]
    return shown + [
        one | {"custom": False, "orderable": False, "navigable": True, "searchable": False, "clauseNames": []}
        for one in ARCHIVING
    ]


@dataclass(frozen=True)
class Links:
    """Where the site keeps an issue's parent, read once for a request."""

    state: State

    @cached_property
    def ids(self) -> dict[str, str]:
        """The ids of the site's fields by kind."""
        return _by_kind(self.state)

    @property
    def epic_link(self) -> str:
        """The id of the field Epic Link."""
        return self.ids[EPIC_LINK]

    @property
    def epic_name(self) -> str:
        """The id of the field Epic Name."""
        return self.ids[EPIC_NAME]

    @property
    def parent_link(self) -> str:
        """The id of the field Parent Link."""
        return self.ids[PARENT_LINK]

    @cached_property
    def levels(self) -> dict[str, int]:
        """The level of each type of issue; types of an export have none but their name."""
        return {one["id"]: level_of(one) for one in things(self.state, "issuetype")}

    @cached_property
    def _parents(self) -> dict[int, dict[str, Any] | None]:
        return {}

    def parent(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """The row of an issue's parent."""
        number = row["parent_id"]
        if number is None:
            return None
        if number not in self._parents:
            sql = "SELECT id, key, type_id FROM jira_issue WHERE id = ?"
            self._parents[number] = self.state.row(sql, (number,))
        return self._parents[number]

    def kind(self, row: dict[str, Any], parent: dict[str, Any]) -> str:
        """Which field tells this parent of this issue."""
        mine, above = self.levels.get(row["type_id"], 0), self.levels.get(parent["type_id"], 0)
        if mine < 0:
            return "parent"
        return self.epic_link if mine == 0 and above == 1 else self.parent_link

    def of_level(self, *levels: int) -> list[str]:
        """The ids of the types of these levels."""
        return [type_id for type_id, level in self.levels.items() if level in levels]


def level_of(kind: dict[str, Any]) -> int:
    """The level of a type of issue."""
    if kind.get("subtask"):
        return -1
    known = {"epic": 1, "initiative": 2, "theme": 3}
    return int(kind.get("hierarchyLevel", known.get(str(kind.get("name")).lower(), 0)))


def parent_link(state: State, parent: dict[str, Any]) -> Any:
    """The value of Parent Link: the parent's key, or the object that newer servers answer."""
    if switches.get(state, "parent_link") == "key":
        return parent["key"]
    data = {"id": parent["id"], "key": parent["key"], "keyNum": int(parent["key"].rpartition("-")[2])}
    return {"hasEpicLinkFieldDependency": False, "showField": True, "data": data}


def sprint_text(sprint: dict[str, Any], zone: ZoneInfo) -> str:
    """A sprint as older servers answer it: what Java's toString says."""

    def told(value: Any) -> Any:
        return "<null>" if value is None else value

    def instant(name: str) -> str:
        text = sprint.get(name)
        if text is None:
            return "<null>"
        return datetime.fromisoformat(text).astimezone(zone).isoformat(timespec="milliseconds")

    parts = {
        "id": sprint["id"], "rapidViewId": sprint["boardId"], "state": str(sprint["state"]).upper(),
        "name": sprint["name"], "startDate": instant("startDate"), "endDate": instant("endDate"),
        "completeDate": instant("completeDate"), "activatedDate": instant("startDate"), "sequence": sprint["id"],
        "goal": told(sprint.get("goal")), "synced": "false", "autoStartStop": "false",
        "incompleteIssuesDestinationId": "<null>",
    }  # fmt: skip
    told_parts = ",".join(f"{name}={value}" for name, value in parts.items())
    return f"com.atlassian.greenhopper.service.sprint.Sprint@{0x1F3A2B00 + sprint['id']:x}[{told_parts}]"
