"""Shows the Jira site's projects and issues as pages, the way the people of a team see them.

It keeps the promise that what a program wrote is as prominent on the page as Jira makes it: labels as chips, and the
issue's properties, which Jira itself hides, in a panel of their own.
"""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused, error_body, page
from ..call import Call, Rule
from ..state import State, from_json
from . import issues, render, talk, text
from .tables import stamp

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
TILES = {"new": "grey", "indeterminate": "blue", "done": "green", "undefined": "plain"}


def rules(state: State) -> list[Rule]:
    """The pages."""
    return [(("GET",), "/browse/{key}", _issue_page), (("GET",), "/projects/{key}", _project_page)]


def _project_page(call: Call) -> Response:
    row = call.state.row("SELECT * FROM jira_project WHERE key = ?", (call.args["key"].upper(),))
    if row is None:
        raise Refused(404, error_body("jira", f"No project could be found with key '{call.args['key']}'."))
    found = call.state.rows("SELECT * FROM jira_issue WHERE project_id = ? ORDER BY number LIMIT 1000", (row["id"],))
    count = call.state.tuples("SELECT count(*) FROM jira_issue WHERE project_id = ?", (row["id"],))[0][0]
    document = from_json(row["document"])
    return page(
        "jira_project.html",
        project=document,
        lead=(document.get("lead") or {}).get("displayName"),
        issues=[_line(one) for one in found],
        count=count,
        properties=_properties(call.state, "project", row["id"]),
    )


def _issue_page(call: Call) -> Response:
    state = call.state
    row = issues.find(state, call.args["key"])
    if row is None:
        raise Refused(404, error_body("jira", "Issue does not exist or you do not have permission to see it."))
    fields = render.whole(render.scope_of(call), row)
    names = {one["id"]: one["name"] for one in state.rows("SELECT id, name FROM jira_field")}
    remote = [from_json(one["document"]) for one in state.rows(
        "SELECT document FROM jira_remote_link WHERE issue_id = ? ORDER BY id", (row["id"],))]  # fmt: skip
    comments = fields.get("comment") if row["loaded"] else talk.comments_page(state, row["id"], 0, 100, True)
    return page(
        "jira_issue.html",
        issue=_line(row),
        parent=fields.get("parent"),
        project=fields["project"],
        description=_blocks(fields.get("description")),
        facts=_facts(fields, names),
        properties=_properties(state, "issue", row["id"]),
        links=[_link(link) for link in fields.get("issuelinks") or []],
        remote=remote,
        subtasks=fields.get("subtasks") or [],
        comments=[one | {"text": _text(one.get("body"))} for one in (comments or {}).get("comments", [])],
        history=list(reversed(render.changelog(state, row["id"]))),
    )


def _line(row: dict[str, Any]) -> dict[str, Any]:
    """What a list shows of an issue."""
    fields = issues.fields_of(row)
    status = fields["status"]
    person = fields.get("assignee") or {}
    return {
        "key": row["key"],
        "summary": fields.get("summary") or "(no summary)",
        "type": fields["issuetype"]["name"],
        "status": status["name"],
        "tile": TILES.get((status.get("statusCategory") or {}).get("key", ""), "plain"),
        "assignee": person.get("displayName"),
        "active": person.get("active", True),
        "due": fields.get("duedate"),
        "labels": fields.get("labels") or [],
        "updated": stamp(row["updated_ms"])[:16].replace("T", " ") if row["updated_ms"] else "",
    }


def _facts(fields: issues.Fields, names: dict[str, str]) -> list[tuple[str, str]]:
    """The side panel: name and value of the filled fields that nothing else on the page shows."""
    wanted = ["priority", "reporter", "duedate", "resolution", "resolutiondate", "components", "fixVersions", "created"]
    found = [(names.get(name, name), _shown(fields[name])) for name in wanted if fields.get(name)]
    for name in ("timeoriginalestimate", "timespent"):
        if fields.get(name):
            found.append((names[name], render.duration(fields[name])))
    found += [
        (names.get(name, name), _shown(value))
        for name, value in fields.items()
        if name.startswith("customfield_") and value not in (None, [], "")
    ]
    return found


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        if text.is_document(value):
            return text.text_of(value)
        return str(value.get("displayName") or value.get("name") or value.get("value") or value.get("key") or "")
    shown = str(value)[:300]
    return shown[:16].replace("T", " ") if INSTANT.match(shown) else shown


def _text(value: Any) -> str:
    return text.text_of(value) if text.is_document(value) else str(value or "")


def _blocks(value: Any) -> list[tuple[str, str]]:
    if text.is_document(value):
        return text.blocks_of(value)
    return [("paragraph", str(value))] if value else []


def _link(link: dict[str, Any]) -> dict[str, Any]:
    outward = "outwardIssue" in link
    other = link["outwardIssue" if outward else "inwardIssue"]
    return {"verb": link["type"]["outward" if outward else "inward"], "other": other}


def _properties(state: State, entity: str, entity_id: int) -> list[dict[str, Any]]:
    """Properties as a panel shows them: a path and a value on each line."""
    sql = "SELECT key, value FROM jira_property WHERE entity = ? AND entity_id = ? ORDER BY key"
    rows = state.rows(sql, (entity, entity_id))
    return [{"key": row["key"], "lines": _leaves(from_json(row["value"]), "")} for row in rows]


def _leaves(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [leaf for name, one in value.items() for leaf in _leaves(one, f"{path}.{name}" if path else str(name))]
    if isinstance(value, list) and value and all(_is_flat(one) for one in value):
        return [(f"{path} {number}".strip(), _on_one_line(one)) for number, one in enumerate(value, 1)]
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return [leaf for number, one in enumerate(value, 1) for leaf in _leaves(one, f"{path} {number}".strip())]
    if isinstance(value, list):
        return [(path, ", ".join(str(one) for one in value) or "none")]
    return [(path, "none" if value is None or value == {} else str(value))]


def _is_flat(value: Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(one, dict | list) for one in value.values())


def _on_one_line(value: dict[str, Any]) -> str:
    return " · ".join(f"{name}: {one}" for name, one in value.items() if one is not None)
