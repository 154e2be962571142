"""Asana's project briefs: the one page that a project has about itself.

Its text is written whole: whoever writes a part of it sends back everything else that stands there.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, markup, planseed, tables
from pmosync.sandbox.asana.access import me, see_project
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import data, nothing, one
from pmosync.sandbox.asana.tables import Row, run, scalar
from pmosync.sandbox.call import Call, Rule


def _see(call: Call, wanted: str = "viewer") -> Row:
    edits.premium(call, "Project briefs")
    gid = access.checked("project_brief", call.args["project_brief_gid"])
    brief = tables.get(call.state, "brief", gid)
    if brief is None:
        raise unknown("project_brief", gid)
    see_project(call, brief["project"], wanted, "project_brief")
    return brief


def get_brief(call: Call) -> Response:
    return one(call, "project_brief", _see(call)["gid"])


def create_brief(call: Call) -> Response:
    edits.premium(call, "Project briefs")
    project = see_project(call, call.args["project_gid"], "editor")
    if scalar(call.state, "SELECT 1 FROM asana_brief WHERE project = ?", project["gid"]):
        raise bad("project: This project already has a project brief.")
    new = {"title": "Project brief", "text": "", "html_text": "<body></body>"} | _columns(call)
    gid = planseed.add_brief(call.state, project["gid"], **new)
    _tell(call, project["gid"], None, new["text"])
    return one(call, "project_brief", gid, 201)


def update_brief(call: Call) -> Response:
    brief = _see(call, "editor")
    new = _columns(call)
    tables.update(call.state, "brief", brief["gid"], new)
    if any(brief[name] != value for name, value in new.items()):
        _tell(call, brief["project"], brief["html_text"], new.get("html_text", brief["html_text"]))
    return one(call, "project_brief", brief["gid"])


def _columns(call: Call) -> dict[str, str]:
    given = data(call)
    new: dict[str, str] = {}
    if "text" in given and "html_text" in given:
        raise bad("You may only provide one of text or html_text.")
    for name, value in given.items():
        if name not in ("title", "text", "html_text"):
            raise bad(f"{name}: Cannot write this property")
        if not isinstance(value, str):
            raise bad(f"{name}: Not a string: {value}")
        new[name] = value
    if "html_text" in new:
        new["text"] = markup.check(new["html_text"], "brief", call.state)
    elif "text" in new:
        new["html_text"] = f"<body>{fields.escaped(new['text'])}</body>"
    return new


def delete_brief(call: Call) -> Response:
    brief = _see(call, "editor")
    run(call.state, "DELETE FROM asana_brief WHERE gid = ?", brief["gid"])
    _tell(call, brief["project"], brief["html_text"], None)
    return nothing()


def _tell(call: Call, project: str, before: str | None, after: str | None) -> None:
    """A brief is a property of its project: the project's listeners hear of it, and the project counts as changed."""
    change = {"field": "project_brief", "action": "changed"}
    resource = events.named(call.state, "project", project)
    events.record(call.state, me(call), resource, "changed", [project], change=change)
    tables.update(call.state, "project", project, {"modified_at": tables.now(call.state)})
    call.state.changed("asana", str(call.user["name"]), project, "project brief", before, after)


RULES: list[Rule] = [
    (("POST",), "/api/1.0/projects/{project_gid}/project_briefs", create_brief),
    (("GET",), "/api/1.0/project_briefs/{project_brief_gid}", get_brief),
    (("PUT",), "/api/1.0/project_briefs/{project_brief_gid}", update_brief),
    (("DELETE",), "/api/1.0/project_briefs/{project_brief_gid}", delete_brief),
]
