"""Serves projects: the lists, one project, its components, and what administrators do with projects and issues.

It keeps the promise that a project is in exactly one of the lists of live, archived and deleted ones, and that a
deleted one is to everything else as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, empty_answer
from ..call import Call, Rule
from ..state import State, as_json, from_json
from . import access, issues, moves, render, seed
from .access import refusal
from .site import page_of
from .tables import SITE, stamp, things, types_of

RETENTION_MS = 60 * 24 * 3600 * 1000
ISSUES = 1000
NO_ADMIN = "You are not authorized to perform this action. Administrator privileges are required."


def rules(state: State) -> list[Rule]:
    """The projects' part of the API."""
    api = "/rest/api/3"
    project = f"{api}/project/{{projectIdOrKey}}"
    return [
        (("GET",), f"{api}/project", _all),
        (("GET",), f"{api}/project/search", _search),
        (("GET",), project, _get),
        (("PUT",), project, _put),
        (("DELETE",), project, _delete),
        (("POST",), f"{project}/archive", _archive),
        (("POST",), f"{project}/restore", _restore),
        (("GET",), f"{project}/statuses", _statuses),
        (("GET",), f"{project}/component", _components_paged),
        (("GET",), f"{project}/components", _components),
        (("PUT",), f"{api}/issue/archive", _archive_issues),
        (("PUT",), f"{api}/issue/unarchive", _unarchive_issues),
    ]


# -- as they are shown ------------------------------------------------------------------------------------------------


def _shown(call: Call, row: dict[str, Any], expand: Iterable[str], properties: Iterable[str]) -> dict[str, Any]:
    document = from_json(row["document"])
    found: dict[str, Any] = {name: value for name, value in document.items() if name != "lead" or "lead" in expand}
    found.pop("types", None)
    if "description" in expand:
        found.setdefault("description", "")
    if "issueTypes" in expand:
        found["issueTypes"] = types_of(call.state, row)
    for name in properties:
        sql = "SELECT value FROM jira_property WHERE entity = 'project' AND entity_id = ? AND key = ?"
        value = call.state.row(sql, (row["id"], name))
        if value:
            found["properties"] = found["properties"] | {name: from_json(value["value"])}
    return found | _aside(call.state, row["id"])


def _aside(state: State, project_id: int) -> dict[str, Any]:
    """What a project says of itself when it is archived or in the trash."""
    since = state.row("SELECT * FROM jira_project_state WHERE project_id = ?", (project_id,))
    if since is None:
        return {}
    word, at_ms = since["status"], since["at_ms"]
    found = {word: True, f"{word}Date": stamp(at_ms)}
    by = seed.user_document(state, since["actor"])
    found |= {f"{word}By": by} if by else {}
    return found | ({"retentionTillDate": stamp(at_ms + RETENTION_MS)} if word == "deleted" else {})


def _seen(call: Call, wanted: Iterable[str] = ("live",)) -> list[dict[str, Any]]:
    """The projects the account sees, of the given statuses; in the trash it sees what it saw before."""
    sql = (
        "SELECT p.*, coalesce(s.status, 'live') AS status FROM jira_project AS p "
        "LEFT JOIN jira_project_state AS s ON s.project_id = p.id ORDER BY p.key"
    )
    rows = [row for row in call.state.rows(sql) if row["status"] in wanted]
    return [row for row in rows if access.may_when_live(call.state, call.user["id"], row["id"], "BROWSE_PROJECTS")]


def _all(call: Call) -> Response:
    expand = call.query.get("expand", "").split(",")
    return render.answer(call, [_shown(call, row, expand, ()) for row in _seen(call)])


def _search(call: Call) -> Response:
    given, query = call.request.args, call.query
    wanted = [part for text in given.getlist("status") for part in text.split(",") if part] or ["live"]
    if not set(wanted) <= set(moves.STATUSES):
        raise Refused(400, refusal(f"The status must be one of {', '.join(moves.STATUSES)}."))
    found = _seen(call, wanted)
    keys, ids = given.getlist("keys"), given.getlist("id")
    if keys:
        found = [row for row in found if row["key"] in keys]
    if ids:
        found = [row for row in found if str(row["id"]) in ids]
    if query.get("query"):
        text = query["query"].lower()
        found = [row for row in found if text in row["key"].lower() or text in row["name"].lower()]
    if query.get("action") == "edit":
        found = [row for row in found if access.may(call.state, call.user["id"], row["id"], "ADMINISTER_PROJECTS")]
    if query.get("orderBy", "key").lstrip("+-") == "name":
        found.sort(key=lambda row: row["name"].lower())
    if query.get("orderBy", "").startswith("-"):
        found.reverse()
    start, size = access.page_asked(call, 50, 100)
    expand = [part for text in given.getlist("expand") for part in text.split(",")]
    page = [_shown(call, row, expand, given.getlist("properties")) for row in found[start : start + size]]
    return render.answer(call, page_of(page, start, size, len(found), f"{SITE}/rest/api/3/project/search"))


def _whole(call: Call, row: dict[str, Any]) -> Response:
    shown = _shown(call, row, ("lead", "description", "issueTypes"), call.request.args.getlist("properties"))
    return render.answer(call, shown)


def _get(call: Call) -> Response:
    return _whole(call, access.seen_project(call, call.args["projectIdOrKey"]))


def _statuses(call: Call) -> Response:
    row = access.seen_project(call, call.args["projectIdOrKey"])
    statuses = things(call.state, "status")
    kept = ("self", "id", "name", "subtask")
    kinds = types_of(call.state, row)
    return render.answer(
        call, [{name: kind[name] for name in kept if name in kind} | {"statuses": statuses} for kind in kinds]
    )


# -- components -------------------------------------------------------------------------------------------------------


def _of_project(call: Call) -> list[dict[str, Any]]:
    project = access.seen_project(call, call.args["projectIdOrKey"])
    rows = call.state.rows("SELECT * FROM jira_component WHERE project_id = ? ORDER BY name", (project["id"],))
    found = []
    for row in rows:
        lead = seed.user_document(call.state, row["lead"])
        one = {
            "self": f"{SITE}/rest/api/3/component/{row['id']}", "id": str(row["id"]), "name": row["name"],
            "description": row["description"], "assigneeType": "PROJECT_DEFAULT", "realAssigneeType": "PROJECT_DEFAULT",
            "isAssigneeTypeValid": True, "project": project["key"], "projectId": project["id"],
        }  # fmt: skip
        found.append(one | ({"lead": lead} if lead else {}))
    return found


def _components(call: Call) -> Response:
    return render.answer(call, _of_project(call))


def _components_paged(call: Call) -> Response:
    wanted = call.query.get("query", "").lower()
    found = [one for one in _of_project(call) if wanted in one["name"].lower()]
    if call.query.get("orderBy", "").startswith("-"):
        found.reverse()
    start, size = access.page_asked(call, 50, 50)
    sql = (
        "SELECT count(*) AS n FROM jira_issue, json_each(fields, '$.components') WHERE json_extract(value, '$.id') = ?"
    )
    page = [one | {"issueCount": (call.state.row(sql, (one["id"],)) or {"n": 0})["n"]}
            for one in found[start : start + size]]  # fmt: skip
    return render.answer(call, page_of(page, start, size, len(found), f"{SITE}{call.request.path}"))


# -- as administrators change them ------------------------------------------------------------------------------------


def _administered(call: Call, status: int) -> dict[str, Any]:
    """The row of a project that an administrator of Jira names, wherever it is; others are refused with `status`."""
    reference = call.args["projectIdOrKey"]
    column = "id" if reference.isdigit() else "key"
    row = call.state.row(f"SELECT * FROM jira_project WHERE {column} = ?", (reference,))
    if row is None:
        raise Refused(404, refusal(f"No project could be found with {column} '{reference}'."))
    if not access.is_admin(call.state, call.user["id"]):
        raise Refused(status, refusal(NO_ADMIN))
    return row


def _put(call: Call) -> Response:
    """Change a project's name, description or key."""
    row = access.seen_project(call, call.args["projectIdOrKey"])
    access.need(call, row["id"], "ADMINISTER_PROJECTS")
    given = call.body if isinstance(call.body, dict) else {}
    document = from_json(row["document"]) | {name: given[name] for name in ("name", "description") if name in given}
    sql = "UPDATE jira_project SET name = ?, document = ? WHERE id = ?"
    call.state.db.execute(sql, (document["name"], as_json(document), row["id"]))
    key = str(given.get("key") or row["key"])
    if key != row["key"]:
        if not access.is_admin(call.state, call.user["id"]):
            raise Refused(403, refusal(NO_ADMIN))
        if (
            not key.isalnum()
            or key != key.upper()
            or call.state.row("SELECT 1 FROM jira_project WHERE key = ?", (key,))
        ):
            raise Refused(400, refusal(projectKey="The project key is invalid or in use."))
        moves.rename_project(call.state, row["key"], key)
    return _whole(call, access.seen_project(call, str(row["id"])))


def _archive(call: Call) -> Response:
    moves.set_project_status(call.state, _administered(call, 403)["key"], "archived", call.user["id"])
    return empty_answer()


def _restore(call: Call) -> Response:
    row = _administered(call, 404)
    moves.set_project_status(call.state, row["key"], "live", call.user["id"])
    return _whole(call, row)


def _delete(call: Call) -> Response:
    """Put a project into the trash, or with `enableUndo=false` end it and everything in it."""
    row = _administered(call, 404)
    if call.query.get("enableUndo") != "false":
        moves.set_project_status(call.state, row["key"], "deleted", call.user["id"])
        return empty_answer()
    for issue in call.state.rows("SELECT id FROM jira_issue WHERE project_id = ?", (row["id"],)):
        issues.remove(call.state, issue["id"])
    call.state.db.execute("DELETE FROM jira_project WHERE id = ?", (row["id"],))
    call.state.changed("jira", call.user["name"], f"project {row['key']}", "deleted", row["name"], None)
    return empty_answer()


def _archive_issues(call: Call) -> Response:
    return _put_aside(call, lambda key: moves.archive_issue(call.state, key, call.user["id"]))


def _unarchive_issues(call: Call) -> Response:
    return _put_aside(call, lambda key: moves.archive_issue(call.state, key, call.user["id"], archived=False))


def _put_aside(call: Call, act: Callable[[str], int]) -> Response:
    """Archive or restore up to a thousand issues; subtasks only with their parents."""
    if not access.is_admin(call.state, call.user["id"]):
        raise Refused(403, refusal(NO_ADMIN))
    references = [str(one) for one in (call.body or {}).get("issueIdsOrKeys") or []]
    done, failed = 0, {"issuesNotFound": list[str](), "issueIsSubtask": list[str]()}
    for reference in references[:ISSUES]:
        row = issues.find(call.state, reference)
        if row is None:
            failed["issuesNotFound"].append(reference)
        elif issues.fields_of(row)["issuetype"].get("subtask"):
            failed["issueIsSubtask"].append(reference)
        else:
            done += act(row["key"])
    errors = {
        name: {"count": len(named), "issueIdsOrKeys": named, "message": "These issues could not be changed."}
        for name, named in failed.items() if named
    }  # fmt: skip
    if not done:
        raise Refused(400, refusal("None of the issues can be archived or restored."))
    status = 412 if len(references) > ISSUES else 200
    return render.answer(call, {"errors": errors, "numberOfIssuesUpdated": done}, status)
