"""What ties an Asana task to other things: its projects and sections, dependencies, tags and followers.

Each call tells whoever listens to the task or to the project, and counts as a modification as far as the vendor says
so.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.asana import access, edits, events, notifications, seed, tables
from pmosync.sandbox.asana.access import see_project, see_task
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run, scalar
from pmosync.sandbox.call import Call, Rule

MAX_PROJECTS = 20
MAX_DEPENDENCIES = 30


def plain(found: Row) -> Response:
    return json_answer({"data": found})


def see_section(call: Call, gid: str, wanted: str = "viewer") -> Row:
    section = tables.get(call.state, "section", access.checked("section", gid))
    if section is None:
        raise unknown("section", gid)
    see_project(call, section["project"], wanted, "section")
    return section


def see_tag(call: Call, gid: str) -> Row:
    tag = tables.get(call.state, "tag", access.checked("tag", gid))
    if tag is None:
        raise unknown("tag", gid)
    return tag


# -- projects and sections ---------------------------------------------------------------------------------------


def wanted_places(call: Call, projects: list[str], memberships: list[Row]) -> list[tuple[str, str | None]]:
    """The (project, section) pairs that a new task is to be put into."""
    places: dict[str, str | None] = dict.fromkeys(projects)
    places |= {place["project"]: place.get("section") for place in memberships}
    if len(places) > MAX_PROJECTS:
        raise bad(f"projects: A task can be in at most {MAX_PROJECTS} projects.")
    for project in places:
        see_project(call, project, "editor", "projects")
    return list(places.items())


def put(call: Call, task: str, project: str, section: str | None) -> None:
    """Into a project, or, if it is there already, into another section of it."""
    state = call.state
    if section is not None and see_section(call, section, "editor")["project"] != project:
        raise bad("section: This section is not in the project.")
    first = scalar(state, "SELECT gid FROM asana_section WHERE project = ? ORDER BY position LIMIT 1", project)
    run(state, "DELETE FROM asana_placement WHERE task = ? AND project = ?", task, project)
    seed.place(state, task, project, section or first)


def add_project(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    given = data(call)
    project = see_project(call, required(call, "project"), "editor")
    already = tables.projects_of(call.state, task["gid"], inherited=False)
    if project["gid"] not in already and len(already) >= MAX_PROJECTS:
        raise bad(f"project: A task can be in at most {MAX_PROJECTS} projects.")
    if project["gid"] in already and not given.get("section"):
        return nothing()
    before = _section_of(call, task["gid"], project["gid"])
    put(call, task["gid"], project["gid"], given.get("section"))
    _tell_place(call, task["gid"], project, before)
    return nothing()


def add_to_section(call: Call) -> Response:
    """`POST /sections/{s}/addTask`: the task moves into the section."""
    section = see_section(call, call.args["section_gid"], "editor")
    task = see_task(call, required(call, "task"), "editor")
    project = see_project(call, section["project"], "editor")
    before = _section_of(call, task["gid"], project["gid"])
    put(call, task["gid"], project["gid"], section["gid"])
    _tell_place(call, task["gid"], project, before)
    return nothing()


def _section_of(call: Call, task: str, project: str) -> str | None:
    found: str | None = scalar(
        call.state, "SELECT section FROM asana_placement WHERE task = ? AND project = ?", task, project
    )
    return found


def _tell_place(call: Call, task: str, project: Row, before: str | None) -> None:
    state, actor = call.state, str(call.user["name"])
    after = str(_section_of(call, task, project["gid"]))
    if before == after:
        return
    name = scalar(state, "SELECT name FROM asana_section WHERE gid = ?", after)
    if before is None:
        edits.task_event(call, task, "added", parent=events.named(state, "project", project["gid"]))
        there = events.named(state, "project", project["gid"])
        edits.add_story(call, task, "added_to_project", f"added this task to {project['name']}", project=there)
    else:
        both = {
            "old_section": events.named(state, "section", before),
            "new_section": events.named(state, "section", after),
        }
        edits.task_event(call, task, "removed", parent=both["old_section"])
        edits.add_story(call, task, "section_changed", f"moved this task to {name} in {project['name']}", **both)
    edits.task_event(call, task, "added", parent=events.named(state, "section", after))
    old = scalar(state, "SELECT name FROM asana_section WHERE gid = ?", before)
    state.changed("asana", actor, task, f"section in {project['name']}", old, name)
    edits.touch(state, task, modified=False)


def remove_project(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    project = see_project(call, required(call, "project"), "editor")
    if project["gid"] not in tables.projects_of(call.state, task["gid"], inherited=False):
        raise bad("project: This task is not in the project.")
    edits.task_event(call, task["gid"], "removed", parent=events.named(call.state, "project", project["gid"]))
    there, words = events.named(call.state, "project", project["gid"]), f"removed this task from {project['name']}"
    edits.add_story(call, task["gid"], "removed_from_project", words, project=there)
    run(call.state, "DELETE FROM asana_placement WHERE task = ? AND project = ?", task["gid"], project["gid"])
    call.state.changed("asana", str(call.user["name"]), task["gid"], "project", project["name"], None)
    edits.touch(call.state, task["gid"], modified=False)
    return nothing()


def list_projects(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"])
    return listing(call, "project", tables.projects_of(call.state, task["gid"], inherited=False))


# -- dependencies ------------------------------------------------------------------------------------------------


def add_dependencies(call: Call) -> Response:
    edits.premium(call, "Dependencies")
    task = see_task(call, call.args["task_gid"], "editor")
    for gid in required(call, "dependencies"):
        other = see_task(call, gid, kind="dependencies")
        if other["gid"] == task["gid"]:
            raise bad("dependencies: A task cannot depend on itself.")
        for tied in (task["gid"], other["gid"]):
            ties = "SELECT count(*) FROM asana_dependency WHERE task = ? OR depends_on = ?"
            if scalar(call.state, ties, tied, tied) >= MAX_DEPENDENCIES:
                raise bad(f"dependencies: A task can have at most {MAX_DEPENDENCIES} dependencies and dependents.")
        sql = "INSERT OR IGNORE INTO asana_dependency (task, depends_on) VALUES (?, ?)"
        if run(call.state, sql, task["gid"], other["gid"]):
            _tell_dependency(call, task["gid"], other["gid"], "added")
    return nothing()


def remove_dependencies(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    for gid in required(call, "dependencies"):
        if run(call.state, "DELETE FROM asana_dependency WHERE task = ? AND depends_on = ?", task["gid"], gid):
            _tell_dependency(call, task["gid"], gid, "removed")
    return nothing()


def _tell_dependency(call: Call, task: str, other: str, action: str) -> None:
    for gid, name, value in ((task, "dependencies", other), (other, "dependents", task)):
        tied = events.named(call.state, "task", value)
        change = {"field": name, "action": action, f"{action}_value": tied}
        edits.task_event(call, gid, "changed", change=change)
        kind = "dependency" if name == "dependencies" else "dependent"
        edits.add_story(call, gid, f"{kind}_{action}", f"{action} {kind} {tied.get('name')}", dependency=tied)
        edits.touch(call.state, gid)
    before, after = (None, other) if action == "added" else (other, None)
    call.state.changed("asana", str(call.user["name"]), task, "dependencies", before, after)


def _list_ties(sql: str) -> Any:
    def handler(call: Call) -> Response:
        task = see_task(call, call.args["task_gid"])
        return listing(call, "task", [found["gid"] for found in rows(call.state, sql, task["gid"])])

    return handler


list_dependencies = _list_ties("SELECT depends_on AS gid FROM asana_dependency WHERE task = ? ORDER BY rowid")
list_dependents = _list_ties("SELECT task AS gid FROM asana_dependency WHERE depends_on = ? ORDER BY rowid")


# -- tags and followers ------------------------------------------------------------------------------------------


def add_tag(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    tag = see_tag(call, required(call, "tag"))
    if run(call.state, "INSERT OR IGNORE INTO asana_tagging (task, tag) VALUES (?, ?)", task["gid"], tag["gid"]):
        _tell_tag(call, task["gid"], tag, "added")
    return nothing()


def remove_tag(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    tag = see_tag(call, required(call, "tag"))
    if run(call.state, "DELETE FROM asana_tagging WHERE task = ? AND tag = ?", task["gid"], tag["gid"]):
        _tell_tag(call, task["gid"], tag, "removed")
    return nothing()


def _tell_tag(call: Call, task: str, tag: Row, action: str) -> None:
    there = events.named(call.state, "tag", tag["gid"])
    change = {"field": "tags", "action": action, f"{action}_value": there}
    edits.task_event(call, task, "changed", change=change)
    before, after = (None, tag["name"]) if action == "added" else (tag["name"], None)
    words = f"added to {tag['name']}" if action == "added" else f"removed from {tag['name']}"
    edits.add_story(call, task, f"{action}_{'to' if action == 'added' else 'from'}_tag", words, tag=there)
    if tables.switch(call.state, "tags_notify") == "yes":
        edits.tell_followers(call, task, "tag", f"tag {tag['name']} {action}")
    call.state.changed("asana", str(call.user["name"]), task, "tags", before, after)
    edits.touch(call.state, task)


def list_task_tags(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"])
    found = rows(call.state, "SELECT tag FROM asana_tagging WHERE task = ? ORDER BY tag", task["gid"])
    return listing(call, "tag", [tagging["tag"] for tagging in found])


def list_tags(call: Call) -> Response:
    access.see_workspace(call.args.get("workspace_gid") or call.query.get("workspace", tables.WORKSPACE))
    return listing(call, "tag", [tag["gid"] for tag in rows(call.state, "SELECT gid FROM asana_tag ORDER BY gid")])


def get_tag(call: Call) -> Response:
    return one(call, "tag", see_tag(call, call.args["tag_gid"])["gid"])


def create_tag(call: Call) -> Response:
    given = data(call)
    access.see_workspace(call.args.get("workspace_gid") or str(required(call, "workspace")))
    name = required(call, "name")
    gid = seed.add_tag(
        call.state, name, created_at=call.state.now(), color=given.get("color"), notes=given.get("notes", "")
    )
    call.state.changed("asana", str(call.user["name"]), gid, "tag", None, name)
    return one(call, "tag", gid, 201)


def delete_tag(call: Call) -> Response:
    tag = see_tag(call, call.args["tag_gid"])
    run(call.state, "DELETE FROM asana_tagging WHERE tag = ?", tag["gid"])
    run(call.state, "DELETE FROM asana_tag WHERE gid = ?", tag["gid"])
    call.state.changed("asana", str(call.user["name"]), tag["gid"], "tag", tag["name"], None)
    return nothing()


def add_followers(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    people = [access.see_user(call, gid, "followers")["gid"] for gid in required(call, "followers")]
    already = notifications.followers(call.state, task["gid"])
    for gid in (person for person in people if person not in already):
        tables.follow(call.state, task["gid"], [gid])
        _tell_follower(call, task["gid"], gid, "added")
    return one(call, "task", task["gid"])


def remove_followers(call: Call) -> Response:
    """A follower may remove oneself without being an editor."""
    people = [access.see_user(call, gid, "followers")["gid"] for gid in required(call, "followers")]
    task = see_task(call, call.args["task_gid"], "viewer" if people == [access.me(call)] else "editor")
    for person in people:
        if run(call.state, "DELETE FROM asana_follower WHERE item = ? AND user = ?", task["gid"], person):
            _tell_follower(call, task["gid"], person, "removed")
    return one(call, "task", task["gid"])


def _tell_follower(call: Call, task: str, person: str, action: str) -> None:
    """Asana tells events of it; no story, and `modified_at` stays."""
    change = {"field": "followers", "action": action, f"{action}_value": events.named(call.state, "user", person)}
    edits.task_event(call, task, "changed", change=change)
    if action == "added":
        notifications.tell(call, [person], task, "followed", "added as a collaborator")


RULES: list[Rule] = [
    (("POST",), "/api/1.0/tasks/{task_gid}/addProject", add_project),
    (("POST",), "/api/1.0/tasks/{task_gid}/removeProject", remove_project),
    (("GET",), "/api/1.0/tasks/{task_gid}/projects", list_projects),
    (("POST",), "/api/1.0/sections/{section_gid}/addTask", add_to_section),
    (("POST",), "/api/1.0/tasks/{task_gid}/addDependencies", add_dependencies),
    (("POST",), "/api/1.0/tasks/{task_gid}/removeDependencies", remove_dependencies),
    (("GET",), "/api/1.0/tasks/{task_gid}/dependencies", list_dependencies),
    (("GET",), "/api/1.0/tasks/{task_gid}/dependents", list_dependents),
    (("POST",), "/api/1.0/tasks/{task_gid}/addTag", add_tag),
    (("POST",), "/api/1.0/tasks/{task_gid}/removeTag", remove_tag),
    (("GET",), "/api/1.0/tasks/{task_gid}/tags", list_task_tags),
    (("POST",), "/api/1.0/tasks/{task_gid}/addFollowers", add_followers),
    (("POST",), "/api/1.0/tasks/{task_gid}/removeFollowers", remove_followers),
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/tags", list_tags),
    (("POST",), "/api/1.0/workspaces/{workspace_gid}/tags", create_tag),
    (("GET",), "/api/1.0/tags", list_tags),
    (("POST",), "/api/1.0/tags", create_tag),
    (("GET",), "/api/1.0/tags/{tag_gid}", get_tag),
    (("DELETE",), "/api/1.0/tags/{tag_gid}", delete_tag),
]
