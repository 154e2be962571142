"""Does over the control API what a test cannot do over Asana's own: change roles, bring back, expire, write a past.

Each order is a function of the names that its parameters have; what people could have done leaves events and stories
as if they had, what a test only prepares leaves none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pmosync.sandbox.asana import access, events, planorders, seed, tables
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.state import State


def expire_tokens(state: State, resource: str = "*") -> None:
    """Every sync token given out until now is too old: of one resource, or of all."""
    events.forget(state, resource)


def restore_task(state: State, task: str, actor: str | None = None) -> None:
    """Somebody takes a deleted task and what was under it out of the trash."""
    row = _there(state, "task", task)
    if not row["trashed"]:
        raise ValueError(f"task {task} is not in the trash")
    for gid in _under(state, task):
        at = tables.now(state)
        tables.update(state, "task", gid, {"trashed": 0, "touched_at": at})
        events.record(state, actor, events.named(state, "task", gid), "undeleted", events.scopes(state, gid))
    state.changed("asana", _name(state, actor), task, "task", None, row["name"])


def _under(state: State, task: str) -> list[str]:
    found = [task]
    for child in rows(state, "SELECT gid FROM asana_task WHERE parent = ? AND trashed = 1", task):
        found += _under(state, child["gid"])
    return found


def set_member(state: State, project: str, user: str, access_level: str) -> None:
    """What somebody is in a project: admin, editor, commenter, viewer, or none."""
    if access_level not in access.LEVELS:
        raise ValueError(f"no access level {access_level!r}; there are: {', '.join(access.LEVELS)}")
    _there(state, "project", project)
    person = _person(state, user)
    tables.run(state, "DELETE FROM asana_member WHERE project = ? AND user = ?", project, person)
    if access_level != "none":
        tables.insert(state, "member", {"project": project, "user": person, "access": access_level})


def set_project(
    state: State, project: str, privacy: str | None = None, default_access: str | None = None,
    customization: str | None = None,
) -> None:  # fmt: skip
    """Who sees a project, as what, and from which level on its fields may be changed: editor or admin."""
    _there(state, "project", project)
    given = {"privacy": privacy, "default_access": default_access, "customization": customization}
    tables.update(state, "project", project, {name: value for name, value in given.items() if value is not None})


def set_user(state: State, user: str, **given: bool) -> None:
    """Whether somebody is `active`, a `guest`, or may only view (`view_only`)."""
    wrong = sorted(set(given) - {"active", "guest", "view_only"})
    if wrong:
        raise ValueError(f"no {wrong[0]}: an account is active, guest, view_only")
    tables.update(state, "user", _person(state, user), {name: int(value) for name, value in given.items()})


def lock_field(state: State, field: str, locked: bool = True) -> None:
    """Whether the values of a custom field can be written."""
    _there(state, "field", field)
    tables.update(state, "field", field, {"locked": int(locked)})


def add_story(state: State, task: str, actor: str, subtype: str, text: str, at: datetime, **detail: Any) -> str:
    """What somebody did to a task in the past, with the fields that such a story has."""
    _there(state, "task", task)
    return seed.add_story(state, task, _person(state, actor), subtype, text, created_at=at, **detail)


def add_comment(state: State, task: str, actor: str, text: str, at: datetime) -> str:
    """What somebody wrote on a task in the past."""
    _there(state, "task", task)
    return seed.add_comment(state, task, _person(state, actor), text, created_at=at)


def _there(state: State, kind: str, gid: str) -> Row:
    found = tables.get(state, kind, gid)
    if found is None:
        raise ValueError(f"no {kind} {gid} in this Asana")
    return found


def _person(state: State, user: str) -> str:
    """Somebody by gid or by e-mail."""
    found = scalar(state, "SELECT gid FROM asana_user WHERE gid = ? OR email = ?", user, user)
    if found is None:
        raise ValueError(f"no user {user} in this Asana")
    return str(found)


def _name(state: State, user: str | None) -> str:
    return str(scalar(state, "SELECT name FROM asana_user WHERE gid = ?", user) or "somebody")


ORDERS: dict[str, Callable[..., Any]] = {
    "add_comment": add_comment,
    "add_story": add_story,
    "expire_tokens": expire_tokens,
    "lock_field": lock_field,
    "restore_task": restore_task,
    "set_member": set_member,
    "set_project": set_project,
    "set_user": set_user,
    **planorders.ORDERS,
}


def obey(state: State, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out orders such as `{"set_member": {...}}`, several of a kind as a list; gives what each returned."""
    found: dict[str, Any] = {}
    for name, given in wanted.items():
        if name not in ORDERS:
            raise ValueError(f"no order or switch {name!r} of Asana; orders are: {', '.join(sorted(ORDERS))}")
        done = [ORDERS[name](state, **_read(one)) for one in (given if isinstance(given, list) else [given])]
        found[name] = done if isinstance(given, list) else done[0]
    return found


def _read(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """An instant is sent as a text in ISO form."""
    return {
        name: datetime.fromisoformat(value) if _is_instant(name) and isinstance(value, str) else value
        for name, value in (given or {}).items()
    }


def _is_instant(name: str) -> bool:
    return name == "at" or name.endswith("_at")
