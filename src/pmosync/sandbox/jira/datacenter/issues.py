"""Serves issues one by one: reading, creating, editing, archiving; Epic Link and Parent Link are edits of the parent.

It keeps the promise that an edit does in this mode exactly what the same edit does in Cloud's: history, mail, dates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused, empty_answer
from ...call import Call, Handler, Rule
from ...state import from_json
from .. import access, issues, render, search
from ..access import refusal
from ..tables import milliseconds, thing
from .fields import Links, level_of
from .people import account_called
from .reuse import API, Cloud, renamed, shaped
from .view import View

ONE = f"{API}/issue/{{issueIdOrKey}}"
NOT_ON_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


def rules(cloud: Cloud) -> list[Rule]:
    """The issues' part of the API."""
    found: list[Rule] = [
        (("GET",), ONE, _get),
        (("PUT",), f"{ONE}/archive", _archive),
        (("PUT",), f"{ONE}/restore", _restore),
    ]
    for method, path, shape, before in (
        ("POST", f"{API}/issue", "/issue", _creation),
        ("PUT", ONE, "/issue/{}", _edit),
        ("PUT", f"{ONE}/assignee", "/issue/{}/assignee", _assignment),
    ):
        handler = cloud.handler(method, shape)
        if handler:
            found.append(((method,), path, _translated(handler, before)))
    return found


def _get(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    asked = search.asked_in_query(call)
    asked = render.Asked(asked.fields or ("*all",), asked.properties, asked.expand)
    return render.answer(call, View(call).issue(row, asked))


# -- archiving --------------------------------------------------------------------------------------------------------


def _archivable(call: Call) -> dict[str, Any]:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    if not access.may(call.state, call.user["id"], row["project_id"], "ADMINISTER_PROJECTS"):
        raise Refused(403, refusal("You do not have the permission 'Archive Issues' in this project."))
    return row


def _with_subtasks(call: Call, row: dict[str, Any]) -> list[int]:
    children = call.state.rows("SELECT * FROM jira_issue WHERE parent_id = ?", (row["id"],))
    return [row["id"], *(one["id"] for one in children if issues.fields_of(one)["issuetype"].get("subtask"))]


def _archive(call: Call) -> Response:
    row = _archivable(call)
    if issues.fields_of(row)["issuetype"].get("subtask"):
        raise Refused(400, refusal("A sub-task is archived with its parent."))
    now = milliseconds(call.state.now())
    for number in _with_subtasks(call, row):
        sql = "INSERT OR IGNORE INTO jira_archived (issue_id, at_ms, actor) VALUES (?, ?, ?)"
        call.state.db.execute(sql, (number, now, call.user["id"]))
    call.state.changed("jira", call.user["name"], row["key"], "archived", False, True)
    return empty_answer()


def _restore(call: Call) -> Response:
    row = _archivable(call)
    for number in _with_subtasks(call, row):
        call.state.db.execute("DELETE FROM jira_archived WHERE issue_id = ?", (number,))
    call.state.changed("jira", call.user["name"], row["key"], "archived", True, False)
    return empty_answer()


# -- edits as the Cloud mode takes them -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Turned:
    """A call as the Cloud mode takes it, and how the caller named the fields that were renamed."""

    call: Call
    names: dict[str, str]


def _translated(handler: Handler, before: Callable[[Call], _Turned]) -> Handler:
    inner = shaped(handler, keep=("notifyUsers",))

    def handle(call: Call) -> Response:
        turned = before(call)
        try:
            return inner(turned.call)
        except Refused as refused:
            raise renamed(refused, turned.names) from None

    return handle


def _body(call: Call) -> dict[str, Any]:
    if not isinstance(call.body, dict):
        raise Refused(400, refusal("Can not deserialize the request: it is not an object of JSON."))
    return call.body


def _creation(call: Call) -> _Turned:
    given = _body(call).get("fields")
    asked = (given if isinstance(given, dict) else {}).get("issuetype")
    asked = asked if isinstance(asked, dict) else {}
    kind = thing(call.state, "issuetype", str(asked.get("id") or asked.get("name") or ""))
    return _turned(call, level_of(kind or {}))


def _edit(call: Call) -> _Turned:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    if call.state.row("SELECT 1 FROM jira_archived WHERE issue_id = ?", (row["id"],)):
        raise Refused(400, refusal("This issue is archived. Restore it to make changes."))
    return _turned(call, Links(call.state).levels.get(row["type_id"], 0))


def _turned(call: Call, level: int) -> _Turned:
    """An edit with people by account id, and Epic Link or Parent Link as the parent."""
    body, links = dict(_body(call)), Links(call.state)
    names: dict[str, str] = {}
    errors: dict[str, str] = {}
    people = _person_fields(call)

    def value_of(name: str, value: Any) -> Any:
        if name in people:
            return _person(call, value)
        return (
            _parent(call, links, name, value, level, errors) if name in (links.epic_link, links.parent_link) else value
        )

    def turned(name: str) -> str:
        if name in (links.epic_link, links.parent_link):
            names["parent"] = name
            return "parent"
        if name == "parent" and level >= 0:
            errors[name] = NOT_ON_SCREEN.format(name)
        return name

    fields, update = body.get("fields"), body.get("update")
    if isinstance(fields, dict):
        body["fields"] = {turned(name): value_of(name, value) for name, value in fields.items()}
    if isinstance(update, dict):
        body["update"] = {turned(name): [
            {verb: value_of(name, value) for verb, value in one.items()} for one in operations
        ] for name, operations in update.items()}  # fmt: skip
    if errors:
        raise Refused(400, refusal(**errors))
    return _Turned(replace(call, body=body), names)


def _person_fields(call: Call) -> set[str]:
    sql = "SELECT id FROM jira_field WHERE json_extract(document, '$.schema.type') = 'user'"
    return {row["id"] for row in call.state.rows(sql)}


def _person(call: Call, value: Any) -> Any:
    """A person as the Cloud mode takes one: unknown names stay unknown, and `null` and an empty name clear."""
    if not isinstance(value, dict):
        return value
    by = "key" if value.get("key") and not value.get("name") else "name"
    wanted = value.get(by) if {"name", "key"} & value.keys() else "without a name"
    return {"accountId": account_called(call.state, wanted, by=(by,)) or f"nobody {wanted}"} if wanted else None


def _parent(call: Call, links: Links, name: str, value: Any, level: int, errors: dict[str, str]) -> Any:
    """The parent that Epic Link or Parent Link names by its key."""
    if value is None or value == "":
        return None
    row = issues.find(call.state, str(value)) if isinstance(value, str) else None
    if row is None or not access.sees(call.state, call.user["id"], row):
        errors[name] = f"Issue with key '{value}' does not exist."
        return None
    above = links.levels.get(row["type_id"], 0)
    if level < 0 or (name == links.epic_link and (above != 1 or level != 0)):
        errors[name] = f"Issue '{value}' is not an Epic." if level >= 0 else NOT_ON_SCREEN.format(name)
    elif name == links.parent_link and above <= max(level, 1) and not (level == 1 and above > 1):
        errors[name] = f"Issue '{value}' cannot be the parent of this issue."
    return {"key": row["key"]}


def _assignment(call: Call) -> _Turned:
    given = _body(call)
    name, key = given.get("name"), given.get("key")
    if name == "-1":
        row = access.seen_issue(call, call.args["issueIdOrKey"])
        project = call.state.row("SELECT document FROM jira_project WHERE id = ?", (row["project_id"],)) or {}
        return _Turned(replace(call, body=from_json(project["document"]).get("lead") or {}), {})
    found = account_called(call.state, name or key, by=("name",) if name else ("key",)) if name or key else None
    if (name or key) and found is None:
        raise Refused(400, refusal(assignee=f"User '{name or key}' does not exist."))
    return _Turned(replace(call, body={"accountId": found}), {})
