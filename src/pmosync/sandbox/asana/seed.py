"""Put people, projects, tasks and fields into the sandbox's Asana directly, as if they had always been there.

Nothing seeded makes an event, a story or a mail: a client that starts now sees a site with a past, not a flood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pmosync.sandbox.asana import fields, tables
from pmosync.sandbox.asana.tables import WORKSPACE, insert, instant, new_gid, next_position
from pmosync.sandbox.state import State, as_json


def add_workspace(state: State, name: str) -> str:
    """The one workspace; its gid is fixed. The tables must be there: `tables.prepare`."""
    insert(state, "workspace", {"gid": WORKSPACE, "name": name})
    return WORKSPACE


def add_user(
    state: State, name: str, email: str, *, active: bool = True, guest: bool = False, view_only: bool = False
) -> str:
    gid = new_gid(state, "user")
    kept = {"active": int(active), "guest": int(guest), "view_only": int(view_only)}
    insert(state, "user", {"gid": gid, "name": name, "email": email, **kept})
    return gid


def add_token(state: State, user: str, token: str) -> None:
    """Let a token stand for a user."""
    account = tables.get(state, "user", user)
    if account is None:
        raise ValueError(f"no Asana user {user}: add the user before the token")
    state.add_token("asana", token, {"gid": user, "name": account["name"], "email": account["email"]})


def add_project(
    state: State,
    name: str,
    owner: str | None,
    *,
    created_at: datetime,
    notes: str = "",
    color: str = "none",
    start_on: str | None = None,
    due_on: str | None = None,
    privacy: str = "public_to_workspace",
    members: Mapping[str, str] | None = None,
) -> str:
    """`members` maps a user's gid to admin, editor, commenter or viewer; the owner is an admin."""
    gid = new_gid(state, "project")
    row = {
        "gid": gid, "name": name, "notes": notes, "owner": owner, "archived": 0, "color": color, "privacy": privacy,
        "default_access": "editor", "start_on": start_on, "due_on": due_on, "completed": 0,
        "created_at": instant(created_at), "modified_at": instant(created_at),
    }  # fmt: skip
    insert(state, "project", row)
    access = dict(members or {})
    if owner:
        access[owner] = "admin"
    for user, level in access.items():
        insert(state, "member", {"project": gid, "user": user, "access": level})
    return gid


def add_section(state: State, project: str, name: str, *, created_at: datetime) -> str:
    gid = new_gid(state, "section")
    position = next_position(state, "section", "project", project)
    insert(
        state,
        "section",
        {"gid": gid, "project": project, "name": name, "position": position, "created_at": instant(created_at)},
    )
    return gid


def add_task(
    state: State,
    name: str,
    *,
    created_at: datetime,
    modified_at: datetime,
    project: str | None = None,
    section: str | None = None,
    parent: str | None = None,
    resource_subtype: str = "default_task",
    approval_status: str | None = None,
    assignee: str | None = None,
    created_by: str | None = None,
    notes: str = "",
    start_on: str | None = None,
    due_on: str | None = None,
    completed_at: datetime | None = None,
    completed_by: str | None = None,
    is_separator: bool = False,
    actual_minutes: float | None = None,
    due_at: datetime | None = None,
    fields: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
) -> str:
    """`fields` maps a custom field's gid to its stored value: text, number, option gid, date, list of gids."""
    gid = new_gid(state, "task")
    row = {
        "gid": gid, "name": name, "notes": notes, "resource_subtype": resource_subtype,
        "approval_status": approval_status, "parent": parent,
        "position": next_position(state, "task", "parent", parent), "assignee": assignee,
        "completed": int(completed_at is not None), "completed_at": instant(completed_at) if completed_at else None,
        "completed_by": completed_by, "start_on": start_on, "due_on": instant(due_at)[:10] if due_at else due_on,
        "due_at": instant(due_at) if due_at else None, "is_separator": int(is_separator),
        "actual_minutes": actual_minutes, "created_by": created_by, "created_at": instant(created_at),
        "modified_at": instant(modified_at), "touched_at": instant(modified_at),
    }  # fmt: skip
    insert(state, "task", row)
    if project:
        first = "SELECT gid FROM asana_section WHERE project = ? ORDER BY position LIMIT 1"
        place(state, gid, project, section or str(tables.scalar(state, first, project)))
    tables.follow(state, gid, (created_by, assignee))
    for field, value in (fields or {}).items():
        set_value(state, gid, field, value)
    for tag in tags:
        insert(state, "tagging", {"task": gid, "tag": tag})
    return gid


def place(state: State, task: str, project: str, section: str) -> None:
    """Put a task into one more project."""
    position = next_position(state, "placement", "project", project)
    insert(state, "placement", {"task": task, "project": project, "section": section, "position": position})


def add_dependency(state: State, task: str, depends_on: str) -> None:
    insert(state, "dependency", {"task": task, "depends_on": depends_on})


def add_tag(state: State, name: str, *, created_at: datetime, color: str | None = None, notes: str = "") -> str:
    gid = new_gid(state, "tag")
    insert(state, "tag", {"gid": gid, "name": name, "color": color, "notes": notes, "created_at": instant(created_at)})
    return gid


def add_field(
    state: State,
    name: str,
    field_type: str,
    *,
    options: Sequence[tuple[str, str]] = (),
    description: str = "",
    precision: int | None = None,
    number_format: str | None = None,
    asana_created_field: str | None = None,
    notifications: bool = False,
    locked: bool = False,
    created_by: str | None = None,
    is_global: bool = True,
    default_access: str = "user",
    privacy: str = "public",
    representation: str | None = None,
    id_prefix: str | None = None,
    currency: str | None = None,
) -> str:
    """A custom field of the workspace; `options` are (name, colour) in their order.

    `representation` is `formula` or `custom_id` where the value is computed, and stored with `set_value` alone.
    """
    gid = new_gid(state, "field")
    row = {
        "gid": gid, "name": name, "type": field_type, "description": description, "is_global": int(is_global),
        "notifications": int(notifications),
        "numeric_precision": precision if precision is not None else (0 if field_type == "number" else None),
        "format": number_format or ("none" if field_type == "number" else None),
        "asana_created_field": asana_created_field, "default_access": default_access, "privacy": privacy,
        "locked": int(locked), "created_by": created_by, "representation": representation, "id_prefix": id_prefix,
        "currency": currency,
    }  # fmt: skip
    insert(state, "field", row)
    for option, color in options:
        add_option(state, gid, option, color)
    return gid


def add_option(state: State, field: str, name: str, color: str = "none", *, enabled: bool = True) -> str:
    gid = new_gid(state, "option")
    position = next_position(state, "option", "field", field)
    insert(
        state,
        "option",
        {"gid": gid, "field": field, "name": name, "color": color, "enabled": int(enabled), "position": position},
    )
    return gid


def options(state: State, field: str) -> dict[str, str]:
    """The option gids of a field by name."""
    found = tables.rows(state, "SELECT gid, name FROM asana_option WHERE field = ? ORDER BY position", field)
    return {option["name"]: option["gid"] for option in found}


def add_setting(state: State, parent_kind: str, parent: str, field: str, *, important: bool = True) -> str:
    """Offer a custom field in a project (to its tasks) or in a portfolio (to its projects)."""
    gid = new_gid(state, "setting")
    position = next_position(state, "setting", "parent", parent)
    row = {
        "gid": gid, "parent": parent, "parent_kind": parent_kind, "field": field, "is_important": int(important),
        "position": position,
    }  # fmt: skip
    insert(state, "setting", row)
    return gid


def set_value(state: State, item: str, field: str, value: Any) -> None:
    """Store the value of a custom field on a task, project or portfolio; None clears it."""
    if value is None or value == []:
        tables.run(state, "DELETE FROM asana_value WHERE item = ? AND field = ?", item, field)
        return
    tables.run(
        state,
        "INSERT INTO asana_value (item, field, value) VALUES (?, ?, ?)"
        " ON CONFLICT (item, field) DO UPDATE SET value = excluded.value",
        item,
        field,
        as_json(value),
    )


def add_portfolio(
    state: State, name: str, owner: str, *, created_at: datetime, items: Iterable[str] = (), color: str = "dark-blue"
) -> str:
    gid = new_gid(state, "portfolio")
    row = {
        "gid": gid, "name": name, "color": color, "owner": owner, "public": 0, "created_by": owner,
        "created_at": instant(created_at),
    }  # fmt: skip
    insert(state, "portfolio", row)
    for item in items:
        add_portfolio_item(state, gid, item)
    return gid


def add_portfolio_item(state: State, portfolio: str, item: str) -> None:
    position = next_position(state, "portfolio_item", "portfolio", portfolio)
    insert(state, "portfolio_item", {"portfolio": portfolio, "item": item, "position": position})


def add_story(
    state: State, task: str, actor: str, subtype: str, text: str, /, *, created_at: datetime, **detail: Any
) -> str:
    """What somebody did to a task; `detail` has the fields that a story of its subtype tells, as clients read them."""
    return add_stories(state, [(task, actor, subtype, text, created_at, detail)])[0]


def add_stories(state: State, told: Sequence[tuple[str, str, str, str, datetime, Mapping[str, Any]]]) -> list[str]:
    """Many stories at once: on which task, by whom, of which subtype, in which words, when, with which fields."""
    gids = tables.new_gids(state, "story", len(told))
    names = {user["gid"]: user["name"] for user in tables.rows(state, "SELECT gid, name FROM asana_user")}
    lines = []
    for gid, (task, actor, subtype, text, at, detail) in zip(gids, told, strict=True):
        words = f"{names[actor]} {text}"
        html = f"<body>{fields.escaped(words)}</body>"
        lines.append((gid, task, "system", subtype, words, html, actor, 0, 0, as_json(detail), instant(at)))
    sql = "INSERT INTO asana_system_story VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    state.db.conn.executemany(sql, lines)
    return gids


def add_comment(state: State, task: str, author: str, text: str, *, created_at: datetime) -> str:
    """What somebody wrote on a task."""
    gid = new_gid(state, "story")
    row = {
        "gid": gid, "task": task, "type": "comment", "resource_subtype": "comment_added", "text": text,
        "html_text": f"<body>{fields.escaped(text)}</body>", "created_by": author, "is_pinned": 0, "is_edited": 0,
        "detail": "{}", "created_at": instant(created_at),
    }  # fmt: skip
    insert(state, "comment", row)
    tables.follow(state, task, (author,))
    return gid
