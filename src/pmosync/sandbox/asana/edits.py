"""What a change leaves behind in Asana: the story on the task, the event, the mail, the new `modified_at`.

Every change by a client goes through here, ours like anybody's, so a quiet way of writing shows as quiet and a loud
one as loud. A value that is written again unchanged leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pmosync.sandbox.asana import access, events, fields, notifications, seed, tables
from pmosync.sandbox.asana.problems import bad, forbidden, payment_required
from pmosync.sandbox.asana.tables import Row, scalar
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


def tell_followers(call: Call, task: str, why: str, what: str) -> None:
    notifications.tell(call, notifications.followers(call.state, task), task, why, what)


def add_story(call: Call, on: str, subtype: str, text: str, /, **detail: Any) -> str:
    """A system story: the line in the task's feed that says who did what."""
    return _story(call, on, "system", subtype, f"{call.user['name']} {text}", None, detail)


def add_comment(call: Call, task: str, text: str, html: str | None, *, pinned: bool) -> str:
    """A comment: it is told to the followers and to whom it names, who follow from now on; its author mostly too."""
    gid = _story(call, task, "comment", "comment_added", text, html, {})
    if pinned:
        tables.update(call.state, "comment", gid, {"is_pinned": 1})
    named = notifications.mentioned(call.state, html)
    others = [gid for gid in notifications.followers(call.state, task) if gid not in named]
    notifications.tell(call, others, task, "comment", "comment added")
    mention(call, task, named)
    if tables.switch(call.state, "comment_follows") == "yes":
        tables.follow(call.state, task, (access.me(call),))
    touch(call.state, task)
    return gid


def mention(call: Call, task: str, people: list[str]) -> None:
    """Somebody is named in what was written: they hear of it, and follow the task from then on."""
    tables.follow(call.state, task, people)
    notifications.tell(call, people, task, "mention", "you were mentioned")


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
    task_event(call, item, "changed", change=change)
    detail = {"custom_field": short, **_both(state, definition, old, new)}
    add_story(call, item, f"{field['type']}_custom_field_changed", text, **detail)
    if field["notifications"]:
        tell_followers(call, item, "field", f"{field['name']} changed")
    if tables.switch(state, "fields_follow") == "yes":
        tables.follow(state, item, (access.me(call),))


def _both(state: State, definition: Row, old: Any, new: Any) -> Row:
    """A custom field's value before and after, as the story of its type has them."""
    kind = definition["type"]
    if kind == "enum":
        by_gid = {option["gid"]: option for option in definition["enum_options"]}
        return {"old_enum_value": by_gid.get(old), "new_enum_value": by_gid.get(new)}
    if kind == "multi_enum":
        sides = {"old": old or (), "new": new or ()}
        return {
            f"{side}_multi_enum_values": [one for one in definition["enum_options"] if one["gid"] in held]
            for side, held in sides.items()
        }
    if kind == "people":
        return {
            "old_people_value": [events.named(state, "user", gid) for gid in old or ()],
            "new_people_value": [events.named(state, "user", gid) for gid in new or ()],
        }
    if kind == "date":
        return {"old_date_value": dates(due=old), "new_date_value": dates(due=new)}
    return {f"old_{kind}_value": old, f"new_{kind}_value": new}


def dates(*, due: str | None, start_on: str | None = None, due_at: str | None = None) -> Row:
    """Dates as stories tell them; `due` is a day, or a moment where no `due_at` is given."""
    at = due_at or (due if due and len(due) > 10 else None)
    return {"start_on": start_on, "due_on": due[:10] if due else None, "due_at": at}
