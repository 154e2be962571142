"""What a change leaves behind in Asana: the story on the task, the event, the mail, the new `modified_at`.

Every change by a client goes through here, ours like anybody's, so a quiet way of writing shows as quiet and a loud
one as loud. A value that is written again unchanged leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pmosync.sandbox.asana import access, events, fields, seed, tables
from pmosync.sandbox.asana.problems import bad, forbidden, payment_required
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.call import Call
from pmosync.sandbox.state import State, as_json, from_json


def premium(call: Call, what: str) -> None:
    """Refuse what a free plan does not have."""
    if tables.switch(call.state, "premium") != "yes":
        raise payment_required(what)


def touch(state: State, task: str, *, modified: bool = True) -> None:
    """The task counts as modified; a move between containers does not show in its `modified_at`."""
    at = tables.now(state)
    tables.update(state, "task", task, {"touched_at": at, **({"modified_at": at} if modified else {})})


def tell_followers(call: Call, task: str, why: str) -> None:
    found = rows(
        call.state,
        "SELECT u.email FROM asana_follower f JOIN asana_user u ON u.gid = f.user"
        " WHERE f.item = ? AND f.user <> ? AND u.active = 1 ORDER BY u.email",
        task,
        access.me(call),
    )
    if found:
        call.state.mail("asana", [person["email"] for person in found], task, why)


def add_story(call: Call, task: str, subtype: str, text: str, **detail: Any) -> str:
    """A system story: the line in the task's feed that says who did what."""
    return _story(call, task, "system", subtype, f"{call.user['name']} {text}", None, detail)


def add_comment(call: Call, task: str, text: str, html: str | None, *, pinned: bool) -> str:
    """A comment: it mails the followers, and makes its author one of them."""
    gid = _story(call, task, "comment", "comment_added", text, html, {})
    if pinned:
        tables.update(call.state, "comment", gid, {"is_pinned": 1})
    tell_followers(call, task, "comment added")
    tables.follow(call.state, task, (access.me(call),))
    touch(call.state, task)
    return gid


def _story(call: Call, task: str, kind: str, subtype: str, text: str, html: str | None, detail: Row) -> str:
    state = call.state
    gid = tables.new_gid(state, "story")
    tables.insert(
        state,
        "comment" if kind == "comment" else "system_story",
        {
            "gid": gid,
            "task": task,
            "type": kind,
            "resource_subtype": subtype,
            "text": text,
            "html_text": html or f"<body>{fields.escaped(text)}</body>",
            "created_by": access.me(call),
            "is_pinned": 0,
            "is_edited": 0,
            "detail": as_json(detail),
            "created_at": tables.now(state),
        },
    )
    resource = {"gid": gid, "resource_type": "story", "resource_subtype": subtype}
    heard_by = events.scopes(state, task)
    events.record(state, access.me(call), resource, "added", heard_by, parent=events.named(state, "task", task))
    return gid


def task_event(call: Call, task: str, action: str, **more: Any) -> None:
    resource = events.named(call.state, "task", task)
    events.record(call.state, access.me(call), resource, action, events.scopes(call.state, task), **more)


def task_changed(call: Call, task: str, name: str, before: Any, after: Any) -> None:
    """The event and the record of one changed property."""
    task_event(call, task, "changed", change={"field": name, "action": "changed"})
    call.state.changed("asana", str(call.user["name"]), task, name, before, after)


def write_values(call: Call, kind: str, item: str, given: Any, offered: Iterable[str]) -> bool:
    """Write custom field values on a task, project or portfolio; tells whether any value changed."""
    if not isinstance(given, Mapping):
        raise bad("custom_fields: Must be an object of custom field gids and values.")
    premium(call, "Custom fields")
    allowed = set(offered)
    changed = False
    for gid, value in given.items():
        changed |= _write_value(call, kind, item, str(gid), value, offered_here=str(gid) in allowed)
    return changed


def _write_value(call: Call, kind: str, item: str, gid: str, value: Any, *, offered_here: bool) -> bool:
    state = call.state
    field = tables.get(state, "field", gid)
    held = scalar(state, "SELECT value FROM asana_value WHERE item = ? AND field = ?", item, gid)
    old = from_json(held)
    if field is None or not (offered_here or (held is not None and value is None)):
        raise bad(f"custom_fields: Custom field with ID {gid} is not on given object")
    if field["locked"]:
        raise forbidden(f"custom_fields: The value of custom field {gid} is locked.")
    new = fields.accepted(state, field, value, old)
    if new == old:
        return False
    seed.set_value(state, item, gid, new)
    _tell_value(call, kind, item, field, old, new)
    return True


def _tell_value(call: Call, kind: str, item: str, field: Row, old: Any, new: Any) -> None:
    state = call.state
    definition = fields.definition(state, field["gid"])
    before, after = fields.display(state, definition, old), fields.display(state, definition, new)
    call.state.changed("asana", str(call.user["name"]), item, field["name"], before, after)
    short = events.named(state, "custom_field", field["gid"])
    short["resource_subtype"] = field["type"]
    change = {"field": "custom_fields", "action": "changed", "new_value": short}
    if kind != "task":
        events.record(state, access.me(call), events.named(state, kind, item), "changed", [item], change=change)
        return
    text = f'changed {field["name"]} to "{after}"' if after is not None else f"cleared {field['name']}"
    detail: Row = {"custom_field": short}
    if field["type"] in ("text", "number"):
        detail |= {f"old_{field['type']}_value": old, f"new_{field['type']}_value": new}
    if field["type"] == "enum":
        by_gid = {option["gid"]: option for option in definition["enum_options"]}
        detail |= {"old_enum_value": by_gid.get(old), "new_enum_value": by_gid.get(new)}
    task_event(call, item, "changed", change=change)
    add_story(call, item, f"{field['type']}_custom_field_changed", text, **detail)
    if field["notifications"]:
        tell_followers(call, item, f"{field['name']} changed")
