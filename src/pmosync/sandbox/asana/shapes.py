"""How each kind of thing in Asana looks to a client: every property by name, the compact and the ordinary record.

A property is computed only when it is asked for; what a client did not ask for is not in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pmosync.sandbox.asana import fields, tables
from pmosync.sandbox.asana.tables import WORKSPACE, Row, rows
from pmosync.sandbox.state import State, from_json


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
    _known: dict[Ref, Row | None] = field(default_factory=dict)
    _fields: dict[str, Row] = field(default_factory=dict)

    def row(self, ref: Ref) -> Row | None:
        if ref not in self._known:
            table = {"custom_field": "field", "custom_field_setting": "setting"}.get(ref.kind, ref.kind)
            self._known[ref] = tables.get(self.state, table, ref.gid)
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


def _ref(kind: str, column: str) -> Getter:
    return lambda view, row: Ref(kind, row[column]) if row[column] else None


def _column(name: str) -> Getter:
    return lambda view, row: row[name]


def _yes_no(name: str) -> Getter:
    return lambda view, row: bool(row[name])


def _constant(value: Any) -> Getter:
    return lambda view, row: value


def _refs(kind: str, sql: str) -> Getter:
    return lambda view, row: [Ref(kind, found["gid"]) for found in rows(view.state, sql, row["gid"])]


def _memberships(view: View, row: Row) -> list[dict[str, Ref]]:
    placed = rows(view.state, "SELECT project, section FROM asana_placement WHERE task = ? ORDER BY rowid", row["gid"])
    return [{"project": Ref("project", at["project"]), "section": Ref("section", at["section"])} for at in placed]


def _task_link(view: View, row: Row) -> str:
    projects = tables.projects_of(view.state, row["gid"], inherited=True)
    return f"{view.base}/0/{projects[0] if projects else 0}/{row['gid']}"


def _values(offered: Callable[[State, str], list[str]]) -> Getter:
    def getter(view: View, row: Row) -> list[Row]:
        return fields.entries(view.state, row["gid"], offered(view.state, row["gid"]), view.definition)

    return getter


def _settings(view: View, row: Row) -> list[Ref]:
    found = rows(view.state, "SELECT gid FROM asana_setting WHERE parent = ? ORDER BY position", row["gid"])
    return [Ref("custom_field_setting", setting["gid"]) for setting in found]


def _status(view: View, row: Row) -> Ref | None:
    """The newest status update on a project or portfolio."""
    newest = "SELECT gid FROM asana_status_update WHERE parent = ? ORDER BY created_at DESC, gid DESC LIMIT 1"
    gid = tables.scalar(view.state, newest, row["gid"])
    return Ref("status_update", gid) if gid else None


def _subtasks(view: View, row: Row) -> int:
    return int(
        tables.scalar(view.state, "SELECT count(*) FROM asana_task WHERE parent = ? AND trashed = 0", row["gid"])
    )


def _live_tasks(near: str, far: str) -> str:
    return (
        f"SELECT d.{far} AS gid FROM asana_dependency d JOIN asana_task t ON t.gid = d.{far} AND t.trashed = 0"
        f" WHERE d.{near} = ? ORDER BY d.rowid"
    )


def _detail(view: View, row: Row, name: str) -> Any:
    return from_json(row["detail"]).get(name, ABSENT)


COMMON: dict[str, Getter] = {"name": _column("name")}
WORKSPACE_REF = _constant(Ref("workspace", WORKSPACE))

TASK: dict[str, Getter] = {
    **COMMON,
    "resource_subtype": _column("resource_subtype"),
    "approval_status": lambda view, row: row["approval_status"] or ABSENT,
    "assignee": _ref("user", "assignee"),
    "assignee_status": _constant("upcoming"),
    "completed": _yes_no("completed"),
    "completed_at": _column("completed_at"),
    "completed_by": _ref("user", "completed_by"),
    "created_at": _column("created_at"),
    "created_by": _ref("user", "created_by"),
    "modified_at": _column("modified_at"),
    "due_on": _column("due_on"),
    "due_at": _column("due_at"),
    "start_on": _column("start_on"),
    "start_at": _column("start_at"),
    "notes": _column("notes"),
    "html_notes": lambda view, row: f"<body>{fields.escaped(row['notes'])}</body>",
    "is_rendered_as_separator": _yes_no("is_separator"),
    "num_subtasks": _subtasks,
    "parent": _ref("task", "parent"),
    "projects": lambda view, row: [
        Ref("project", p) for p in tables.projects_of(view.state, row["gid"], inherited=False)
    ],
    "memberships": _memberships,
    "tags": _refs(
        "tag", "SELECT t.gid FROM asana_tagging g JOIN asana_tag t ON t.gid = g.tag WHERE g.task = ? ORDER BY t.gid"
    ),
    "followers": _refs("user", "SELECT user AS gid FROM asana_follower WHERE item = ? ORDER BY rowid"),
    "dependencies": _refs("task", _live_tasks("task", "depends_on")),
    "dependents": _refs("task", _live_tasks("depends_on", "task")),
    "custom_fields": _values(fields.offered_to_task),
    "actual_time_minutes": _column("actual_minutes"),
    "hearted": _constant(False),
    "hearts": _constant([]),
    "num_hearts": _constant(0),
    "liked": _constant(False),
    "likes": _constant([]),
    "num_likes": _constant(0),
    "workspace": WORKSPACE_REF,
    "permalink_url": _task_link,
}

PROJECT: dict[str, Getter] = {
    **COMMON,
    "archived": _yes_no("archived"),
    "color": _column("color"),
    "icon": _constant("list"),
    "created_at": _column("created_at"),
    "modified_at": _column("modified_at"),
    "current_status": _constant(None),
    "current_status_update": _status,
    "custom_field_settings": _settings,
    "custom_fields": _values(fields.offered_to_project),
    "default_view": _constant("list"),
    "default_access_level": _column("default_access"),
    "minimum_access_level_for_customization": _constant("editor"),
    "minimum_access_level_for_sharing": _constant("editor"),
    "due_on": _column("due_on"),
    "due_date": _column("due_on"),
    "start_on": _column("start_on"),
    "notes": _column("notes"),
    "html_notes": lambda view, row: f"<body>{fields.escaped(row['notes'])}</body>",
    "members": _refs("user", "SELECT user AS gid FROM asana_member WHERE project = ? ORDER BY rowid"),
    "followers": _refs("user", "SELECT user AS gid FROM asana_member WHERE project = ? AND access = 'admin'"),
    "owner": _ref("user", "owner"),
    "team": _constant(None),
    "privacy_setting": _column("privacy"),
    "public": lambda view, row: row["privacy"] == "public_to_workspace",
    "completed": _yes_no("completed"),
    "completed_at": _column("completed_at"),
    "completed_by": _constant(None),
    "workspace": WORKSPACE_REF,
    "permalink_url": lambda view, row: f"{view.base}/0/{row['gid']}",
}

PORTFOLIO: dict[str, Getter] = {
    **COMMON,
    "archived": _constant(False),
    "color": _column("color"),
    "created_at": _column("created_at"),
    "created_by": _ref("user", "created_by"),
    "owner": _ref("user", "owner"),
    "start_on": _column("start_on"),
    "due_on": _column("due_on"),
    "public": _yes_no("public"),
    "privacy_setting": lambda view, row: "public_to_domain" if row["public"] else "members_only",
    "default_access_level": _constant("viewer"),
    "current_status_update": _status,
    "custom_field_settings": _settings,
    "custom_fields": _values(fields.offered_to_portfolio),
    "members": lambda view, row: [Ref("user", row["owner"])],
    "workspace": WORKSPACE_REF,
    "permalink_url": lambda view, row: f"{view.base}/",
}

STORY: dict[str, Getter] = {
    "created_at": _column("created_at"),
    "created_by": _ref("user", "created_by"),
    "resource_subtype": _column("resource_subtype"),
    "type": _column("type"),
    "text": _column("text"),
    "html_text": _column("html_text"),
    "is_pinned": _yes_no("is_pinned"),
    "is_edited": _yes_no("is_edited"),
    "is_editable": lambda view, row: row["type"] == "comment",
    "source": _constant("api"),
    "target": _ref("task", "task"),
    "task": _ref("task", "task"),
    **{
        name: (lambda view, row, name=name: _detail(view, row, name))  # type: ignore[misc]
        for name in (
            "custom_field",
            "old_name",
            "new_name",
            "old_text_value",
            "new_text_value",
            "old_number_value",
            "new_number_value",
            "old_enum_value",
            "new_enum_value",
        )
    },
}

KINDS: dict[str, dict[str, Getter]] = {
    "task": TASK,
    "project": PROJECT,
    "portfolio": PORTFOLIO,
    "story": STORY,
    "user": {
        **COMMON,
        "email": _column("email"),
        "photo": _constant(None),
        "workspaces": _constant([Ref("workspace", WORKSPACE)]),
    },
    "workspace": {**COMMON, "is_organization": _constant(True), "email_domains": _constant(["acme.example"])},
    "section": {
        **COMMON,
        "created_at": _column("created_at"),
        "project": _ref("project", "project"),
        "projects": lambda view, row: [Ref("project", row["project"])],
    },
    "tag": {
        **COMMON,
        "color": _column("color"),
        "notes": _column("notes"),
        "created_at": _column("created_at"),
        "followers": _constant([]),
        "workspace": WORKSPACE_REF,
        "permalink_url": lambda view, row: f"{view.base}/0/{row['gid']}/{row['gid']}",
    },
    "status_update": {
        "title": _column("title"),
        "resource_subtype": lambda view, row: f"{row['parent_kind']}_status_update",
        "status_type": _column("status_type"),
        "text": _column("text"),
        "html_text": _column("html_text"),
        "author": _ref("user", "author"),
        "created_by": _ref("user", "author"),
        "created_at": _column("created_at"),
        "modified_at": _column("created_at"),
        "parent": lambda view, row: Ref(row["parent_kind"], row["parent"]),
        "hearted": _constant(False),
        "hearts": _constant([]),
        "num_hearts": _constant(0),
        "liked": _constant(False),
        "likes": _constant([]),
        "num_likes": _constant(0),
        "reaction_summary": _constant([]),
    },
    "custom_field_setting": {
        "parent": lambda view, row: Ref(row["parent_kind"], row["parent"]),
        "project": lambda view, row: Ref("project", row["parent"]) if row["parent_kind"] == "project" else ABSENT,
        "is_important": _yes_no("is_important"),
        "custom_field": lambda view, row: view.definition(row["field"]),
    },
}

COMPACT: dict[str, tuple[str, ...]] = {
    "task": ("name", "resource_subtype"),
    "status_update": ("title", "resource_subtype"),
    "story": ("created_at", "created_by", "resource_subtype", "text", "type"),
    "custom_field_setting": ("parent", "project", "is_important", "custom_field"),
}
NAME_ONLY = ("name",)

# Left out of an ordinary record: the client must ask for them by name.
ON_REQUEST: dict[str, frozenset[str]] = {
    "task": frozenset({"html_notes", "is_rendered_as_separator", "num_subtasks", "dependencies", "dependents",
                       "created_by", "completed_by"}),
    "project": frozenset({"html_notes", "icon", "completed_by"}),
    "story": frozenset({"html_text", "is_pinned", "is_edited", "is_editable", "task"}),
    "section": frozenset({"projects"}),
    "status_update": frozenset({"html_text", "reaction_summary"}),
}  # fmt: skip


def ordinary(kind: str) -> tuple[str, ...]:
    """The properties of a single record when the client names none."""
    return tuple(name for name in KINDS[kind] if name not in ON_REQUEST.get(kind, frozenset()))
