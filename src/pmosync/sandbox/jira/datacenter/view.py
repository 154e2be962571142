"""Renders issues as Data Center answers them: its own fields, wiki text, the whole changelog.

It keeps the promise that one stored issue is the same issue in both modes; a loaded export is shown as it was given.
"""

from __future__ import annotations

from typing import Any

from ...call import Call
from ...state import State, from_json
from .. import issues, planning, render, switches
from ..render import Asked
from ..tables import SITE, stamp
from .fields import NOT_HERE, Links, parent_link, sprint_text
from .shapes import Shapes

EXPANDABLE = "operations,versionedRepresentations,editmeta,changelog,renderedFields"


class View:
    """Renders the issues of one request."""

    def __init__(self, call: Call) -> None:
        state = call.state
        self.state: State = state
        self.shapes = Shapes(state)
        self.links = Links(state)
        self._scope = render.scope_of(call)
        self._sprints = planning.sprint_fields(state) if switches.get(state, "sprints") == "text" else []
        self._nested = switches.get(state, "issue_properties") == "nested"

    def issue(self, row: dict[str, Any], asked: Asked) -> dict[str, Any]:
        """An issue as answered."""
        found: dict[str, Any] = {
            "expand": EXPANDABLE,
            "id": str(row["id"]),
            "self": f"{SITE}/rest/api/2/issue/{row['id']}",
            "key": row["key"],
        }
        if set(asked.fields) - {"id", "key"}:
            found["fields"] = self.shapes.of(self._fields(row, asked.fields))
        if asked.properties:
            properties = render.properties(self.state, row["id"], asked.properties)
            found["properties"] = {"properties": properties} if self._nested else properties
        if "changelog" in asked.expand:
            histories = [self._history(row, one) for one in render.changelog(self.state, row["id"])]
            count = len(histories)
            found["changelog"] = {"startAt": 0, "maxResults": count, "total": count, "histories": histories}
        if "names" in asked.expand:
            found["names"] = self.names(found.get("fields", {}))
        if "schema" in asked.expand:
            found["schema"] = self.schema(found.get("fields", {}))
        return found

    def names(self, fields: dict[str, Any]) -> dict[str, str]:
        """The names of fields by id."""
        rows = self.state.rows("SELECT id, name FROM jira_field")
        return {row["id"]: row["name"] for row in rows if row["id"] in fields}

    def schema(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The schemas of fields by id."""
        rows = self.state.rows("SELECT id, document FROM jira_field")
        found = {row["id"]: from_json(row["document"]).get("schema") for row in rows if row["id"] in fields}
        return {name: schema for name, schema in found.items() if schema}

    def _fields(self, row: dict[str, Any], wanted: Any) -> issues.Fields:
        names = set(wanted)
        everything = any(name.startswith(("*", "-")) for name in names)
        found = render.whole(self._scope, row, wanted)
        if not row["loaded"]:
            found = {name: value for name, value in found.items() if name not in NOT_HERE or name == "parent"}
            self._put_parent(row, found)
            for name in self._sprints:
                if found.get(name) and (everything or name in names):
                    found[name] = [sprint_text(one, self.shapes.zone) for one in found[name]]
            if self.links.levels.get(row["type_id"]) == 1 and not found.get(self.links.epic_name):
                found[self.links.epic_name] = found.get("summary")
        if everything or names & {"archiveddate", "archivedby"}:
            self._put_archived(row, found)
        return render.chosen(found, wanted)

    def _put_parent(self, row: dict[str, Any], found: issues.Fields) -> None:
        parent = self.links.parent(row)
        kind = self.links.kind(row, parent) if parent else None
        if kind != "parent":
            found.pop("parent", None)
        found[self.links.epic_link] = parent["key"] if parent and kind == self.links.epic_link else None
        above = parent if kind == self.links.parent_link else None
        found[self.links.parent_link] = parent_link(self.state, above) if above else None

    def _put_archived(self, row: dict[str, Any], found: issues.Fields) -> None:
        one = self.state.row("SELECT * FROM jira_archived WHERE issue_id = ?", (row["id"],))
        found["archiveddate"] = stamp(one["at_ms"]) if one else None
        found["archivedby"] = render.user_reference(self.state, one["actor"]) if one else None

    def _history(self, row: dict[str, Any], history: dict[str, Any]) -> dict[str, Any]:
        items = [self._item(row, item) for item in history["items"]]
        metadata = history.get("historyMetadata")
        shown: dict[str, Any] = self.shapes.of({name: history[name] for name in ("id", "author", "created")})
        return shown | {"items": items} | ({"historyMetadata": metadata} if metadata else {})

    def _item(self, row: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
        found = {name: value for name, value in item.items() if name not in ("fieldId", "tmpFromAccountId",
                                                                             "tmpToAccountId")}  # fmt: skip
        if item["field"] == "IssueParentAssociation":
            level = self.links.levels.get(row["type_id"], 0)
            if level < 0:
                return found | {"field": "Parent"}
            return found | {"field": "Epic Link" if level == 0 else "Parent Link", "fieldtype": "custom"}
        for side in ("from", "to"):
            person = self.shapes.people.shown(str(item[side])) if item.get(side) else None
            if person:
                found[side] = person["key"]
        return found
