"""What an answer of Asana is written from: references to other things, what was read already, ways to get a property.

A thing is read from the state once for one answer, however often it is named in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pmosync.sandbox.asana import fields, tables
from pmosync.sandbox.asana.tables import WORKSPACE, Row, rows
from pmosync.sandbox.state import State

TABLES = {
    "custom_field": "field",
    "custom_field_setting": "setting",
    "project_brief": "brief",
    "project_template": "template",
    "time_tracking_entry": "time_entry",
    "custom_type_status_option": "custom_status",
}
"""The tables of the kinds that are not named as their tables are."""


@dataclass(frozen=True)
class Ref:
    """Another thing, named by kind and gid."""

    kind: str
    gid: str


@dataclass
class View:
    """One answer being written: the state, the address of this server, and what was read for it already."""

    state: State
    base: str
    me: str = ""
    """Who asks."""
    _known: dict[Ref, Row | None] = field(default_factory=dict)
    _fields: dict[str, Row] = field(default_factory=dict)

    def row(self, ref: Ref) -> Row | None:
        if ref not in self._known:
            self._known[ref] = tables.get(self.state, TABLES.get(ref.kind, ref.kind), ref.gid)
        return self._known[ref]

    def definition(self, gid: str) -> Row:
        """A custom field's own record, without a value."""
        if gid not in self._fields:
            self._fields[gid] = fields.definition(self.state, gid)
        return self._fields[gid]


class Absent:
    """What a property is on a thing that does not have it."""


ABSENT = Absent()
Getter = Callable[[View, Row], Any]


def to(kind: str, column: str) -> Getter:
    """The thing whose gid is in a column."""
    return lambda view, row: Ref(kind, row[column]) if row[column] else None


def column(name: str) -> Getter:
    return lambda view, row: row[name]


def yes_no(name: str) -> Getter:
    return lambda view, row: bool(row[name])


def constant(value: Any) -> Getter:
    return lambda view, row: value


def refs(kind: str, sql: str) -> Getter:
    """The things of one kind whose gids a query finds for this one."""
    return lambda view, row: [Ref(kind, found["gid"]) for found in rows(view.state, sql, row["gid"])]


def settings(view: View, row: Row) -> list[Ref]:
    """The custom fields that a thing offers."""
    found = rows(view.state, "SELECT gid FROM asana_setting WHERE parent = ? ORDER BY position", row["gid"])
    return [Ref("custom_field_setting", setting["gid"]) for setting in found]


def values(offered: Callable[[State, str], list[str]]) -> Getter:
    """The values of the custom fields that are offered to a thing."""

    def getter(view: View, row: Row) -> list[Row]:
        return fields.entries(view.state, row["gid"], offered(view.state, row["gid"]), view.definition)

    return getter


def status(view: View, row: Row) -> Ref | None:
    """The newest status update on a project, portfolio or goal."""
    newest = "SELECT gid FROM asana_status_update WHERE parent = ? ORDER BY created_at DESC, gid DESC LIMIT 1"
    gid = tables.scalar(view.state, newest, row["gid"])
    return Ref("status_update", gid) if gid else None


NAME: dict[str, Getter] = {"name": column("name")}
WORKSPACE_REF = constant(Ref("workspace", WORKSPACE))
