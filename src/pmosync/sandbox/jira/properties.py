"""Keeps the properties of issues, projects and comments: small JSON values under a key, which no page shows.

It keeps the promise that writing one moves no date of its owner, makes no history and mails nobody.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, lag, render
from .access import refusal
from .tables import SITE

LENGTH = 32768
KEY_LENGTH = 255


def rules(state: State) -> list[Rule]:
    """The properties of single issues and projects."""
    return [
        *_rules("issue", "/rest/api/3/issue/{issueIdOrKey}/properties"),
        *_rules("project", "/rest/api/3/project/{projectIdOrKey}/properties"),
    ]


def check(key: str, text: str) -> None:
    """Refuse a key or a value that is too long."""
    if len(key) > KEY_LENGTH:
        raise Refused(400, refusal(f"The property key cannot be longer than {KEY_LENGTH} characters."))
    if len(text) > LENGTH:
        raise Refused(400, refusal(f"The property value cannot be longer than {LENGTH} characters."))


def put(call: Call, entity: str, entity_id: int, about: str, key: str, value: Any) -> bool:
    """Write a property; says whether it is new."""
    text = as_json(value)
    check(key, text)
    old = _row(call.state, entity, entity_id, key)
    if entity == "issue":
        lag.remember(call.state, entity_id)
    call.state.db.execute(
        "INSERT OR REPLACE INTO jira_property (entity, entity_id, key, value) VALUES (?, ?, ?, ?)",
        (entity, entity_id, key, text),
    )
    before = from_json(old["value"]) if old else None
    call.state.changed("jira", call.user["name"], about, f"property {key}", before, value)
    return old is None


def remove(call: Call, entity: str, entity_id: int, about: str, key: str) -> None:
    """Delete a property that may be there."""
    old = _row(call.state, entity, entity_id, key)
    if old:
        if entity == "issue":
            lag.remember(call.state, entity_id)
        sql = "DELETE FROM jira_property WHERE entity = ? AND entity_id = ? AND key = ?"
        call.state.db.execute(sql, (entity, entity_id, key))
        call.state.changed("jira", call.user["name"], about, f"property {key}", from_json(old["value"]), None)


def _row(state: State, entity: str, entity_id: int, key: str) -> dict[str, Any] | None:
    sql = "SELECT value FROM jira_property WHERE entity = ? AND entity_id = ? AND key = ?"
    return state.row(sql, (entity, entity_id, key))


def _rules(entity: str, path: str) -> list[Rule]:
    def seen(call: Call) -> dict[str, Any]:
        find = access.seen_issue if entity == "issue" else access.seen_project
        return find(call, call.args["issueIdOrKey" if entity == "issue" else "projectIdOrKey"])

    def writable(call: Call) -> dict[str, Any]:
        row = seen(call)
        if entity == "issue":
            access.need(call, row["project_id"], "EDIT_ISSUES")
        else:
            access.need(call, row["id"], "ADMINISTER_PROJECTS")
        return row

    def keys(call: Call) -> Response:
        row = seen(call)
        sql = "SELECT key FROM jira_property WHERE entity = ? AND entity_id = ? ORDER BY key"
        found = [one["key"] for one in call.state.rows(sql, (entity, row["id"]))]
        address = f"{SITE}/rest/api/3/{entity}/{row['key']}/properties/"
        return render.answer(call, {"keys": [{"self": f"{address}{key}", "key": key} for key in found]})

    def value_of(call: Call, row: dict[str, Any]) -> Any:
        sql = "SELECT value FROM jira_property WHERE entity = ? AND entity_id = ? AND key = ?"
        found = call.state.row(sql, (entity, row["id"], call.args["propertyKey"]))
        if found is None:
            raise Refused(404, refusal(f"The property with key '{call.args['propertyKey']}' does not exist."))
        return from_json(found["value"])

    def get(call: Call) -> Response:
        return render.answer(call, {"key": call.args["propertyKey"], "value": value_of(call, seen(call))})

    def write(call: Call) -> Response:
        row = writable(call)
        if not call.request.get_data():
            raise Refused(400, refusal("The property value must be a valid, non-empty JSON."))
        new = put(call, entity, row["id"], row["key"], call.args["propertyKey"], call.body)
        return empty_answer(201 if new else 200)

    def delete(call: Call) -> Response:
        row = writable(call)
        value_of(call, row)
        remove(call, entity, row["id"], row["key"], call.args["propertyKey"])
        return empty_answer()

    one = f"{path}/{{propertyKey}}"
    return [(("GET",), path, keys), (("GET",), one, get), (("PUT",), one, write), (("DELETE",), one, delete)]
