"""Asana's projects: lists, reading, changing, deleting, their sections and the fields they offer to their tasks.

A private project is out of reach for everybody but its members: 403, never an empty list.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, goals, planseed, relations, seed, tables, taskedit
from pmosync.sandbox.asana.access import me, see_project
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule

WRITABLE = ("name", "notes", "owner", "due_on", "due_date", "start_on", "archived", "color", "completed")
IGNORED = frozenset({"workspace", "team", "default_view", "privacy_setting", "public", "followers", "html_notes"})


def list_projects(call: Call) -> Response:
    """The projects that the caller can see; `archived` and `team` filter when they are given."""
    access.see_workspace(call.args.get("workspace_gid") or call.query.get("workspace", tables.WORKSPACE))
    team = call.args.get("team_gid") or call.query.get("team")
    if team:
        team = goals.see_team(call, team)["gid"]
    found = rows(call.state, "SELECT * FROM asana_project WHERE ? IS NULL OR team = ? ORDER BY gid", team, team)
    archived = call.query.get("archived")
    seen = [
        project["gid"]
        for project in found
        if access.at_least(access.project_level(call.state, project, me(call)), "viewer")
        and archived in (None, "true" if project["archived"] else "false")
    ]
    return listing(call, "project", seen)


def get_project(call: Call) -> Response:
    return one(call, "project", see_project(call, call.args["project_gid"])["gid"])


def create_project(call: Call) -> Response:
    given = data(call)
    access.see_workspace(call.args.get("workspace_gid") or str(required(call, "workspace")))
    gid = seed.add_project(
        call.state,
        str(required(call, "name")),
        me(call),
        created_at=call.state.now(),
        notes=given.get("notes", ""),
        color=given.get("color", "none"),
        start_on=taskedit.day("start_on", given.get("start_on")),
        due_on=taskedit.day("due_on", given.get("due_on")),
        privacy=given.get("privacy_setting", "public_to_workspace"),
    )
    seed.add_section(call.state, gid, "Untitled section", created_at=call.state.now())
    if given.get("team"):
        planseed.share_with_team(call.state, gid, goals.see_team(call, given["team"])["gid"])
    resource = events.named(call.state, "project", gid)
    parent = events.named(call.state, "workspace", tables.WORKSPACE)
    events.record(call.state, me(call), resource, "added", [gid], parent=parent)
    call.state.changed("asana", str(call.user["name"]), gid, "project", None, given["name"])
    return one(call, "project", gid, 201)


def update_project(call: Call) -> Response:
    project = see_project(call, call.args["project_gid"], "editor")
    given = data(call)
    values = given.pop("custom_fields", None)
    new = _columns(call, given)
    differing = {name: value for name, value in new.items() if value != project[name]}
    resource = events.named(call.state, "project", project["gid"])
    tables.update(call.state, "project", project["gid"], differing)
    for name, value in differing.items():
        change = {"field": name, "action": "changed"}
        events.record(call.state, me(call), resource, "changed", [project["gid"]], change=change)
        call.state.changed("asana", str(call.user["name"]), project["gid"], name, project[name], value)
    changed = bool(differing)
    if values is not None:
        offered = fields.offered_to_project(call.state, project["gid"])
        changed |= edits.write_values(call, "project", project["gid"], values, offered)
    if changed:
        tables.update(call.state, "project", project["gid"], {"modified_at": tables.now(call.state)})
    return one(call, "project", project["gid"])


def _columns(call: Call, given: Row) -> Row:
    new: Row = {}
    for name, value in given.items():
        if name in IGNORED:
            continue
        if name not in WRITABLE:
            raise bad(f"{name}: Cannot write this property")
        if name in ("due_on", "start_on", "due_date"):
            new["due_on" if name == "due_date" else name] = taskedit.day(name, value)
        elif name == "owner":
            new[name] = access.see_user(call, value, "owner")["gid"] if value else None
        elif name in ("archived", "completed"):
            new[name] = int(bool(value))
        else:
            new[name] = value
    return new


def delete_project(call: Call) -> Response:
    """Only an admin of the project may; its tasks stay, without it."""
    project = see_project(call, call.args["project_gid"], "admin")
    resource = events.named(call.state, "project", project["gid"])
    events.record(call.state, me(call), resource, "deleted", [project["gid"]])
    gid = project["gid"]
    for sql in (
        "DELETE FROM asana_placement WHERE project = ?",
        "DELETE FROM asana_section WHERE project = ?",
        "DELETE FROM asana_member WHERE project = ?",
        "DELETE FROM asana_setting WHERE parent = ?",
        "DELETE FROM asana_value WHERE item = ?",
        "DELETE FROM asana_portfolio_item WHERE item = ?",
        "DELETE FROM asana_goal_relationship WHERE item = ?",
        "DELETE FROM asana_brief WHERE project = ?",
        "DELETE FROM asana_budget WHERE project = ?",
        "DELETE FROM asana_allocation WHERE project = ?",
        "UPDATE asana_time_entry SET project = NULL WHERE project = ?",
        "DELETE FROM asana_project WHERE gid = ?",
    ):
        run(call.state, sql, gid)
    call.state.changed("asana", str(call.user["name"]), gid, "project", project["name"], None)
    return nothing()


def list_sections(call: Call) -> Response:
    project = see_project(call, call.args["project_gid"])
    found = rows(call.state, "SELECT gid FROM asana_section WHERE project = ? ORDER BY position", project["gid"])
    return listing(call, "section", [section["gid"] for section in found])


def create_section(call: Call) -> Response:
    project = see_project(call, call.args["project_gid"], "editor")
    gid = seed.add_section(call.state, project["gid"], str(required(call, "name")), created_at=call.state.now())
    _told(call, {"gid": gid, "project": project["gid"]}, "added")
    return one(call, "section", gid, 201)


def get_section(call: Call) -> Response:
    return one(call, "section", relations.see_section(call, call.args["section_gid"])["gid"])


def update_section(call: Call) -> Response:
    """Nothing of a section can be changed but its name; the tasks in it hear nothing of it."""
    section = relations.see_section(call, call.args["section_gid"], "editor")
    name = str(required(call, "name"))
    if name != section["name"]:
        tables.update(call.state, "section", section["gid"], {"name": name})
        _told(call, section, "changed", {"field": "name", "action": "changed"})
        call.state.changed("asana", str(call.user["name"]), section["gid"], "name", section["name"], name)
    return one(call, "section", section["gid"])


def delete_section(call: Call) -> Response:
    """Only one without tasks, and never the last of its project."""
    section = relations.see_section(call, call.args["section_gid"], "editor")
    held = "SELECT count(*) FROM asana_placement WHERE section = ?"
    if tables.scalar(call.state, held, section["gid"]):
        raise bad("section: Sections must be empty to be deleted.")
    among = "SELECT count(*) FROM asana_section WHERE project = ?"
    if tables.scalar(call.state, among, section["project"]) == 1:
        raise bad("section: The last remaining section cannot be deleted.")
    _told(call, section, "deleted")
    run(call.state, "DELETE FROM asana_section WHERE gid = ?", section["gid"])
    call.state.changed("asana", str(call.user["name"]), section["gid"], "section", section["name"], None)
    return nothing()


def _told(call: Call, section: Row, action: str, change: Row | None = None) -> None:
    """The section's project hears of it."""
    resource = events.named(call.state, "section", section["gid"])
    parent = events.named(call.state, "project", section["project"])
    events.record(call.state, me(call), resource, action, [section["project"]], parent=parent, change=change)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/projects", list_projects),
    (("POST",), "/api/1.0/projects", create_project),
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/projects", list_projects),
    (("POST",), "/api/1.0/workspaces/{workspace_gid}/projects", create_project),
    (("GET",), "/api/1.0/teams/{team_gid}/projects", list_projects),
    (("GET",), "/api/1.0/projects/{project_gid}", get_project),
    (("PUT",), "/api/1.0/projects/{project_gid}", update_project),
    (("DELETE",), "/api/1.0/projects/{project_gid}", delete_project),
    (("GET",), "/api/1.0/projects/{project_gid}/sections", list_sections),
    (("POST",), "/api/1.0/projects/{project_gid}/sections", create_section),
    (("GET",), "/api/1.0/sections/{section_gid}", get_section),
    (("PUT",), "/api/1.0/sections/{section_gid}", update_section),
    (("DELETE",), "/api/1.0/sections/{section_gid}", delete_section),
]
