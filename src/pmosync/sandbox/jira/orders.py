"""Does over the control API what a test cannot do over Jira's own: grant rights, write a past, move and hide issues.

It keeps the promise that each order is one of the functions that seed the site, called with the names its parameters
have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from ..state import State
from . import credentials, moves, options, planning, seed
from .webhooks import mark_app

ORDERS: dict[str, Callable[..., Any]] = {
    "add_app": credentials.add_app,
    "add_board": planning.add_board,
    "add_component": planning.add_component,
    "add_field": seed.add_field,
    "add_history": seed.add_history,
    "add_options": options.add,
    "add_project": seed.add_project,
    "add_scoped_token": credentials.add_scoped_token,
    "add_sprint": planning.add_sprint,
    "add_token": seed.add_token,
    "add_user": seed.add_user,
    "add_version": planning.add_version,
    "add_watcher": seed.add_watcher,
    "add_worklog": seed.add_worklog,
    "archive_issue": moves.archive_issue,
    "disable_option": options.disable,
    "hide_issue": seed.hide_issue,
    "mark_app": mark_app,
    "move_issue": moves.move_issue,
    "rename_project": moves.rename_project,
    "set_permission": seed.set_permission,
    "set_project_status": moves.set_project_status,
    "set_role": seed.set_role,
}


def obey(state: State, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out orders such as `{"set_role": {...}}`, several of a kind as a list; gives what each returned.

    Values of parameters whose names end in `_at` (or are `at`) are instants, of those in `_on` dates, in ISO form.
    """
    found: dict[str, Any] = {}
    for name, given in wanted.items():
        if name not in ORDERS:
            raise ValueError(f"no order {name!r} to the Jira site; there are: {', '.join(sorted(ORDERS))}")
        done = [ORDERS[name](state, **_read(one)) for one in (given if isinstance(given, list) else [given])]
        found[name] = done if isinstance(given, list) else done[0]
    return found


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in given.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str) and (name == "at" or name.endswith("_at")):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and name.endswith("_on"):
        return date.fromisoformat(value)
    return value
