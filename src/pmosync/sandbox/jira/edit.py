"""Changes issues as the API asks: fields, labels, properties, status; with history, mail and the refusals Jira has.

It keeps the promise that an edit that changes nothing leaves no trace, and that properties are written without a
history, a mail or a new date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State
from . import access, issues, log, properties, render, search, seed
from .access import refusal
from .tables import SITE, milliseconds, stamp, thing, things, types_of
from .values import Errors, named_thing, operate, parent_reference, set_field

NOTIFY = "To discard the user notification either admin or project admin permissions are required."
FOLLOWING = frozenset({
    "resolutiondate", "statuscategorychangedate", "aggregatetimeestimate", "aggregatetimeoriginalestimate",
    "aggregatetimespent", "workratio",
})  # fmt: skip


def rules(state: State) -> list[Rule]:
    """The editing part of the API."""
    one = "/rest/api/3/issue/{issueIdOrKey}"
    return [
        (("POST",), "/rest/api/3/issue", _create),
        (("GET",), one, _get),
        (("PUT",), one, _put),
        (("DELETE",), one, _delete),
        (("GET",), f"{one}/transitions", _transitions),
        (("POST",), f"{one}/transitions", _transition),
        (("PUT",), f"{one}/assignee", _assign),
    ]


def _get(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    asked = search.asked_in_query(call)
    asked = render.Asked(asked.fields or ("*all",), asked.properties, asked.expand)
    return render.answer(call, render.issue(render.scope_of(call), row, asked))


# -- creating and deleting --------------------------------------------------------------------------------------------


def _create(call: Call) -> Response:
    given = _body(call)
    wanted = dict(given.get("fields") or {})
    project = _reference(call.state, "jira_project", wanted.pop("project", None))
    if project is None or not access.may(call.state, call.user["id"], project["id"], "CREATE_ISSUES"):
        raise Refused(400, refusal(project="Specify a valid project ID or key"))
    kind = named_thing(call.state, "issuetype", wanted.pop("issuetype", None))
    if kind is None or kind not in types_of(call.state, project):
        raise Refused(400, refusal(issuetype="Specify an issue type"))
    if not str(wanted.get("summary") or "").strip():
        raise Refused(400, refusal(summary="You must specify a summary of the issue."))
    now = milliseconds(call.state.now())
    me = seed.user_document(call.state, call.user["id"])
    fields = seed.new_fields(call.state, project, kind, now) | {"reporter": me, "creator": me}
    parent = wanted.pop("parent", None)
    if kind["subtask"] and parent is None:
        raise Refused(400, refusal(parent="Issue type is a sub-task but parent issue key or id not specified."))
    if parent is not None:
        fields["parent"] = parent_reference(call, parent)
    errors: Errors = {}
    for name, value in wanted.items():
        set_field(call, fields, name, value, errors)
    for name, operations in (given.get("update") or {}).items():
        operate(call, fields, name, operations, errors)
    if errors:
        raise Refused(400, refusal(**errors))
    key = f"{project['key']}-{issues.next_number(call.state, project['id'])}"
    issue_id = issues.next_id(call.state)
    issues.insert(call.state, issue_id, key, project["id"], fields, loaded=False)
    for one in given.get("properties") or []:
        properties.put(call, "issue", issue_id, key, one["key"], one.get("value"))
    call.state.changed("jira", call.user["name"], key, "created", None, fields["summary"])
    notify(call, issue_id, fields, key, "created")
    return render.answer(call, {"id": str(issue_id), "key": key, "self": f"{SITE}/rest/api/3/issue/{issue_id}"}, 201)


def _delete(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, row["project_id"], "DELETE_ISSUES")
    children = call.state.rows("SELECT * FROM jira_issue WHERE parent_id = ?", (row["id"],))
    subtasks = [child for child in children if issues.fields_of(child)["issuetype"].get("subtask")]
    if subtasks and call.query.get("deleteSubtasks") != "true":
        message = f"The issue '{row['key']}' has subtasks.  You must specify the 'deleteSubtasks' parameter."
        raise Refused(400, refusal(message))
    for child in children:
        if child not in subtasks:
            fields = issues.fields_of(child)
            del fields["parent"]
            issues.save(call.state, child["id"], fields)
    for gone in [*subtasks, row]:
        call.state.changed(
            "jira", call.user["name"], gone["key"], "deleted", issues.fields_of(gone).get("summary"), None
        )
        issues.remove(call.state, gone["id"])
    return empty_answer()


# -- editing ----------------------------------------------------------------------------------------------------------


def _put(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, row["project_id"], "EDIT_ISSUES")
    quiet = call.query.get("notifyUsers") == "false"
    if quiet and not access.may(call.state, call.user["id"], row["project_id"], "ADMINISTER_PROJECTS"):
        raise Refused(403, refusal(NOTIFY))
    given = _body(call)
    fields = issues.fields_of(row)
    before = dict(fields)
    errors: Errors = {}
    for name, value in (given.get("fields") or {}).items():
        set_field(call, fields, name, value, errors)
    for name, operations in (given.get("update") or {}).items():
        if name in (given.get("fields") or {}):
            errors[name] = f"Field '{name}' cannot be in both fields and update."
        else:
            operate(call, fields, name, operations, errors)
    if errors:
        raise Refused(400, refusal(**errors))
    write_back(call, row, before, fields, given.get("historyMetadata"), quiet=quiet)
    for one in given.get("properties") or []:
        properties.put(call, "issue", row["id"], row["key"], one["key"], one.get("value"))
    if call.query.get("returnIssue") != "true":
        return empty_answer()
    fresh = access.seen_issue(call, str(row["id"]))
    asked = search.asked_in_query(call)
    asked = render.Asked(asked.fields or ("*all",), asked.properties or ("*all",), asked.expand)
    return render.answer(call, render.issue(render.scope_of(call), fresh, asked))


def write_back(
    call: Call, row: dict[str, Any], before: issues.Fields, fields: issues.Fields, metadata: Any, *, quiet: bool,
    more: Sequence[log.Item] = (),
) -> bool:  # fmt: skip
    """Store an edit, its history (with `more` items in it) and its mails; says whether it changed anything."""
    changed = [name for name in fields if fields[name] != before.get(name) or name not in before]
    changed += [name for name in before if name not in fields]
    if not changed:
        return False
    now = milliseconds(call.state.now())
    fields["updated"] = stamp(now)
    issues.save(call.state, row["id"], fields)
    told = [name for name in changed if name not in FOLLOWING]
    items = [item for name in told for item in log.moved(call.state, name, before.get(name), fields.get(name))]
    items += more
    log.add(call.state, row["id"], call.user["id"], now, items, metadata)
    for item in items:
        call.state.changed("jira", call.user["name"], row["key"], item["field"], item["fromString"], item["toString"])
    if not quiet:
        notify(call, row["id"], fields, row["key"], "edited: " + ", ".join(sorted(item["field"] for item in items)))
    return True


def touch(call: Call, issue_id: int, items: Sequence[log.Item] = ()) -> None:
    """Give an issue a new `updated` date: something that belongs to it, but is no field, was changed.

    `items` say so in its history, where Jira has it there.
    """
    now = milliseconds(call.state.now())
    row = issues.find(call.state, str(issue_id))
    if row:
        issues.save(call.state, issue_id, issues.fields_of(row) | {"updated": stamp(now)})
        if items:
            log.add(call.state, issue_id, call.user["id"], now, items)


def notify(call: Call, issue_id: int, fields: issues.Fields, key: str, why: str) -> None:
    """Mail watchers, assignee and reporter, but never the person who did it."""
    people = [row["account_id"] for row in call.state.rows(
        "SELECT account_id FROM jira_watcher WHERE issue_id = ?", (issue_id,))]  # fmt: skip
    people += [issues.account_id_of(fields.get(name)) for name in ("assignee", "reporter")]
    addresses: list[str] = []
    for account_id in people:
        document = seed.user_document(call.state, account_id)
        if document and document["active"] and account_id != call.user["id"]:
            addresses.append(document.get("emailAddress") or str(account_id))
    call.state.mail("jira", list(dict.fromkeys(addresses)), key, why)


def _reference(state: State, table: str, value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    return state.row(f"SELECT * FROM {table} WHERE id = ? OR key = ?", (value.get("id"), value.get("key")))


def _body(call: Call) -> dict[str, Any]:
    if not isinstance(call.body, dict):
        raise Refused(400, refusal("Invalid request payload. Refer to the REST API documentation and try again."))
    return call.body


# -- history and status -----------------------------------------------------------------------------------------------


def _transitions(call: Call) -> Response:
    access.seen_issue(call, call.args["issueIdOrKey"])
    return render.answer(call, {"expand": "transitions", "transitions": render.transitions(call.state)})


def _transition(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, row["project_id"], "TRANSITION_ISSUES")
    given = _body(call)
    wanted = str((given.get("transition") or {}).get("id") or "")
    known = {str(number): status for number, status in enumerate(things(call.state, "status"), 11)}
    if wanted not in known:
        raise Refused(400, refusal(f"Transition id '{wanted}' is not valid for this issue."))
    fields = issues.fields_of(row)
    before = dict(fields)
    errors: Errors = {}
    for name, value in (given.get("fields") or {}).items():
        set_field(call, fields, name, value, errors)
    if errors:
        raise Refused(400, refusal(**errors))
    _move(call.state, fields, known[wanted])
    write_back(call, row, before, fields, given.get("historyMetadata"), quiet=False)
    return empty_answer()


def _move(state: State, fields: issues.Fields, status: dict[str, Any]) -> None:
    """Give an issue a status; into and out of "done" the resolution follows, as in Jira's own workflow."""
    old, new = fields["status"]["statusCategory"]["key"], status["statusCategory"]["key"]
    now = stamp(milliseconds(state.now()))
    fields["status"] = status
    if old != new and "statuscategorychangedate" in fields:
        fields["statuscategorychangedate"] = now
    if new == "done" and not (fields.get("resolution") and fields.get("resolutiondate")):
        named = thing(state, "resolution", status["name"]) or thing(state, "resolution", "Done")
        fields["resolution"] = fields.get("resolution") or named
        fields["resolutiondate"] = now
    elif new != "done":
        fields["resolution"] = fields["resolutiondate"] = None


def _assign(call: Call) -> Response:
    row = access.seen_issue(call, call.args["issueIdOrKey"])
    access.need(call, row["project_id"], "ASSIGN_ISSUES")
    fields = issues.fields_of(row)
    before = dict(fields)
    errors: Errors = {}
    given = _body(call)
    set_field(call, fields, "assignee", given if given.get("accountId") else None, errors)
    if errors:
        raise Refused(400, refusal(**errors))
    write_back(call, row, before, fields, None, quiet=False)
    return empty_answer()
