"""How each kind of thing in Asana looks to a client: every property by name, the compact and the ordinary record.

A property is computed only when it is asked for; what a client did not ask for is not in the answer.
"""

from __future__ import annotations

from typing import Any

from pmosync.sandbox.asana import changeshapes, fields, planshapes, tables
from pmosync.sandbox.asana.tables import WORKSPACE, Row, rows
from pmosync.sandbox.asana.views import (
    ABSENT,
    NAME,
    WORKSPACE_REF,
    Getter,
    Ref,
    View,
    column,
    constant,
    refs,
    settings,
    status,
    to,
    values,
    yes_no,
)


def _places(view: View, row: Row) -> list[Row]:
    """Where a task stands. Whether a subtask stands where its parents do is not documented: the switch says."""
    placed = "SELECT project, section FROM asana_placement WHERE task = ? ORDER BY rowid"
    found = rows(view.state, placed, row["gid"])
    if row["parent"] and tables.switch(view.state, "subtask_projects") == "yes":
        for parent in tables.ancestors(view.state, row["gid"]):
            here = {at["project"] for at in found}
            found += [at for at in rows(view.state, placed, parent) if at["project"] not in here]
    return found


def _memberships(view: View, row: Row) -> list[dict[str, Ref]]:
    return [
        {"project": Ref("project", at["project"]), "section": Ref("section", at["section"])}
        for at in _places(view, row)
    ]


def _projects(view: View, row: Row) -> list[Ref]:
    return [Ref("project", at["project"]) for at in _places(view, row)]


def _day(which: str) -> Getter:
    """The day of a date. Whether it is told where there is a time as well is not documented: the switch says."""

    def getter(view: View, row: Row) -> Any:
        told = not row[f"{which}_at"] or tables.switch(view.state, "due_on_with_due_at") == "yes"
        return row[f"{which}_on"] if told else None

    return getter


def _minutes(view: View, row: Row) -> Any:
    """The minutes booked on a task, where the plan has time tracking."""
    return row["actual_minutes"] if tables.switch(view.state, "time_tracking") == "yes" else None


def _custom_status(view: View, row: Row) -> Row | None:
    """In short: what a status means for completion is told by its type only."""
    option = view.row(Ref("custom_type_status_option", row["custom_type_status_option"] or ""))
    kind = "custom_type_status_option"
    return {"gid": option["gid"], "resource_type": kind, "name": option["name"]} if option else None


def _brief(view: View, row: Row) -> Ref | None:
    gid = tables.scalar(view.state, "SELECT gid FROM asana_brief WHERE project = ?", row["gid"])
    return Ref("project_brief", gid) if gid else None


def _task_link(view: View, row: Row) -> str:
    projects = tables.projects_of(view.state, row["gid"], inherited=True)
    return f"{view.base}/0/{projects[0] if projects else 0}/{row['gid']}"


def _subtasks(view: View, row: Row) -> int:
    return int(
        tables.scalar(view.state, "SELECT count(*) FROM asana_task WHERE parent = ? AND trashed = 0", row["gid"])
    )


def _live_tasks(near: str, far: str) -> str:
    return (
        f"SELECT d.{far} AS gid FROM asana_dependency d JOIN asana_task t ON t.gid = d.{far} AND t.trashed = 0"
        f" WHERE d.{near} = ? ORDER BY d.rowid"
    )


TASK: dict[str, Getter] = {
    **NAME,
    "resource_subtype": column("resource_subtype"),
    "approval_status": lambda view, row: row["approval_status"] or ABSENT,
    "assignee": to("user", "assignee"),
    "assignee_status": constant("upcoming"),
    "completed": yes_no("completed"),
    "completed_at": column("completed_at"),
    "completed_by": to("user", "completed_by"),
    "created_at": column("created_at"),
    "created_by": to("user", "created_by"),
    "modified_at": column("modified_at"),
    "due_on": _day("due"),
    "due_at": column("due_at"),
    "start_on": _day("start"),
    "start_at": column("start_at"),
    "notes": column("notes"),
    "html_notes": lambda view, row: f"<body>{fields.escaped(row['notes'])}</body>",
    "is_rendered_as_separator": yes_no("is_separator"),
    "num_subtasks": _subtasks,
    "parent": to("task", "parent"),
    "projects": _projects,
    "memberships": _memberships,
    "tags": refs(
        "tag", "SELECT t.gid FROM asana_tagging g JOIN asana_tag t ON t.gid = g.tag WHERE g.task = ? ORDER BY t.gid"
    ),
    "followers": refs("user", "SELECT user AS gid FROM asana_follower WHERE item = ? ORDER BY rowid"),
    "dependencies": refs("task", _live_tasks("task", "depends_on")),
    "dependents": refs("task", _live_tasks("depends_on", "task")),
    "custom_fields": values(fields.offered_to_task),
    "actual_time_minutes": _minutes,
    "custom_type": to("custom_type", "custom_type"),
    "custom_type_status_option": _custom_status,
    "hearted": constant(False),
    "hearts": constant([]),
    "num_hearts": constant(0),
    "liked": constant(False),
    "likes": constant([]),
    "num_likes": constant(0),
    "workspace": WORKSPACE_REF,
    "permalink_url": _task_link,
}

PROJECT: dict[str, Getter] = {
    **NAME,
    "archived": yes_no("archived"),
    "color": column("color"),
    "icon": constant("list"),
    "created_at": column("created_at"),
    "modified_at": column("modified_at"),
    "current_status": constant(None),
    "current_status_update": status,
    "custom_field_settings": settings,
    "custom_fields": values(fields.offered_to_project),
    "default_view": constant("list"),
    "default_access_level": column("default_access"),
    "minimum_access_level_for_customization": column("customization"),
    "minimum_access_level_for_sharing": constant("editor"),
    "due_on": column("due_on"),
    "due_date": column("due_on"),
    "start_on": column("start_on"),
    "notes": column("notes"),
    "html_notes": lambda view, row: f"<body>{fields.escaped(row['notes'])}</body>",
    "members": refs("user", "SELECT user AS gid FROM asana_member WHERE project = ? ORDER BY rowid"),
    "followers": refs("user", "SELECT user AS gid FROM asana_member WHERE project = ? AND access = 'admin'"),
    "owner": to("user", "owner"),
    "team": to("team", "team"),
    "project_brief": _brief,
    "created_from_template": to("project_template", "template"),
    "privacy_setting": column("privacy"),
    "public": lambda view, row: row["privacy"] == "public_to_workspace",
    "completed": yes_no("completed"),
    "completed_at": column("completed_at"),
    "completed_by": constant(None),
    "workspace": WORKSPACE_REF,
    "permalink_url": lambda view, row: f"{view.base}/0/{row['gid']}",
}

PORTFOLIO: dict[str, Getter] = {
    **NAME,
    "archived": yes_no("archived"),
    "color": column("color"),
    "created_at": column("created_at"),
    "created_by": to("user", "created_by"),
    "owner": to("user", "owner"),
    "start_on": column("start_on"),
    "due_on": column("due_on"),
    "public": yes_no("public"),
    "privacy_setting": lambda view, row: "public_to_domain" if row["public"] else "members_only",
    "default_access_level": constant("viewer"),
    "current_status_update": status,
    "custom_field_settings": settings,
    "custom_fields": values(fields.offered_to_portfolio),
    "members": lambda view, row: [Ref("user", row["owner"])],
    "workspace": WORKSPACE_REF,
    "permalink_url": lambda view, row: f"{view.base}/",
}

KINDS: dict[str, dict[str, Getter]] = {
    "task": TASK,
    "project": PROJECT,
    "portfolio": PORTFOLIO,
    "story": changeshapes.STORY,
    "webhook": changeshapes.WEBHOOK,
    "user": {
        **NAME,
        "email": column("email"),
        "photo": constant(None),
        "workspaces": constant([Ref("workspace", WORKSPACE)]),
    },
    "workspace": {**NAME, "is_organization": constant(True), "email_domains": constant(["acme.example"])},
    "section": {
        **NAME,
        "created_at": column("created_at"),
        "project": to("project", "project"),
        "projects": lambda view, row: [Ref("project", row["project"])],
    },
    "tag": {
        **NAME,
        "color": column("color"),
        "notes": column("notes"),
        "created_at": column("created_at"),
        "followers": constant([]),
        "workspace": WORKSPACE_REF,
        "permalink_url": lambda view, row: f"{view.base}/0/{row['gid']}/{row['gid']}",
    },
    "status_update": {
        "title": column("title"),
        "resource_subtype": lambda view, row: f"{row['parent_kind']}_status_update",
        "status_type": column("status_type"),
        "text": column("text"),
        "html_text": column("html_text"),
        "author": to("user", "author"),
        "created_by": to("user", "author"),
        "created_at": column("created_at"),
        "modified_at": column("created_at"),
        "parent": lambda view, row: Ref(row["parent_kind"], row["parent"]),
        "hearted": constant(False),
        "hearts": constant([]),
        "num_hearts": constant(0),
        "liked": constant(False),
        "likes": constant([]),
        "num_likes": constant(0),
        "reaction_summary": constant([]),
    },
    "custom_field_setting": {
        "parent": lambda view, row: Ref(row["parent_kind"], row["parent"]),
        "project": lambda view, row: Ref("project", row["parent"]) if row["parent_kind"] == "project" else ABSENT,
        "is_important": yes_no("is_important"),
        "custom_field": lambda view, row: view.definition(row["field"]),
    },
    **planshapes.KINDS,
}

COMPACT: dict[str, tuple[str, ...]] = {
    "task": ("name", "resource_subtype"),
    "status_update": ("title", "resource_subtype"),
    "story": ("created_at", "created_by", "resource_subtype", "text", "type"),
    "custom_field_setting": ("parent", "project", "is_important", "custom_field"),
    "webhook": ("active", "resource", "target"),
    **planshapes.COMPACT,
}
NAME_ONLY = ("name",)

# Left out of an ordinary record: the client must ask for them by name.
ON_REQUEST: dict[str, frozenset[str]] = {
    "task": frozenset({"html_notes", "is_rendered_as_separator", "num_subtasks", "dependencies", "dependents",
                       "created_by", "completed_by"}),
    "project": frozenset({"html_notes", "icon", "completed_by", "project_brief", "created_from_template"}),
    "story": frozenset({"html_text"}),
    "section": frozenset({"projects"}),
    "status_update": frozenset({"html_text", "reaction_summary"}),
    **planshapes.ON_REQUEST,
}  # fmt: skip


def ordinary(kind: str) -> tuple[str, ...]:
    """The properties of a single record when the client names none."""
    return tuple(name for name in KINDS[kind] if name not in ON_REQUEST.get(kind, frozenset()))
