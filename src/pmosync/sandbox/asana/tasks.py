"""Asana's tasks: lists of them, reading, making, changing and deleting one.

A list of a project's tasks leaves out the subtasks; a deleted task is gone from every list and unknown by its gid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, relations, tables, taskedit
from pmosync.sandbox.asana.access import see_project, see_task
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.select import data, listing, nothing, one
from pmosync.sandbox.asana.tables import Row, rows
from pmosync.sandbox.call import Call, Rule

NO_FILTER = "You should specify one of: project, tag, section, user_task_list, or assignee + workspace"
ONE_FILTER = "Must specify exactly one of project, tag, section, user_task_list, or assignee + workspace"


def get_task(call: Call) -> Response:
    return one(call, "task", see_task(call, call.args["task_gid"])["gid"])


def list_tasks(call: Call) -> Response:
    """`GET /tasks`: by project, section, tag, or assignee and workspace (which finds subtasks as well)."""
    query = call.query
    if "assignee" in query and ("project" in query or "section" in query):
        raise bad(ONE_FILTER)
    if "project" in query:
        return _of_project(call, query["project"])
    if "section" in query:
        return _of_section(call, query["section"])
    if "tag" in query:
        return _tagged(call, query["tag"])
    if "assignee" in query and "workspace" in query:
        access.see_workspace(query["workspace"])
        person = access.see_user(call, query["assignee"], "assignee")["gid"]
        found = rows(
            call.state, "SELECT t.* FROM asana_task t WHERE t.assignee = ? AND t.trashed = 0 ORDER BY t.gid", person
        )
        mine = [
            task for task in found if access.at_least(access.task_level(call.state, task, access.me(call)), "viewer")
        ]
        return listing(call, "task", [task["gid"] for task in mine if _passes(call, task)])
    raise bad(NO_FILTER)


def list_project_tasks(call: Call) -> Response:
    return _of_project(call, call.args["project_gid"])


def list_section_tasks(call: Call) -> Response:
    return _of_section(call, call.args["section_gid"])


def list_tag_tasks(call: Call) -> Response:
    return _tagged(call, call.args["tag_gid"])


def _tagged(call: Call, gid: str) -> Response:
    tag = relations.see_tag(call, gid)
    found = rows(
        call.state,
        "SELECT t.* FROM asana_tagging g JOIN asana_task t ON t.gid = g.task"
        " WHERE g.tag = ? AND t.trashed = 0 ORDER BY t.gid",
        tag["gid"],
    )
    seen = [task for task in found if access.at_least(access.task_level(call.state, task, access.me(call)), "viewer")]
    return listing(call, "task", [task["gid"] for task in seen])


def _of_project(call: Call, gid: str) -> Response:
    see_project(call, gid)
    return _placed(call, "p.project = ?", gid)


def _of_section(call: Call, gid: str) -> Response:
    section = relations.see_section(call, gid)
    return _placed(call, "p.section = ?", section["gid"])


def _placed(call: Call, where: str, gid: str) -> Response:
    found = rows(
        call.state,
        "SELECT t.gid, t.completed, t.completed_at, t.touched_at FROM asana_placement p"
        " JOIN asana_task t ON t.gid = p.task JOIN asana_section s ON s.gid = p.section"
        f" WHERE {where} AND t.trashed = 0 ORDER BY s.position, p.position, t.gid",
        gid,
    )
    return listing(call, "task", [task["gid"] for task in found if _passes(call, task)])


def _passes(call: Call, task: Row) -> bool:
    """The two filters by time; both bounds are part of the interval."""
    modified, completed = call.query.get("modified_since"), call.query.get("completed_since")
    if modified and task["touched_at"] < str(taskedit.moment("modified_since", modified)):
        return False
    if not completed or not task["completed"]:
        return True
    since = tables.now(call.state) if completed == "now" else str(taskedit.moment("completed_since", completed))
    return bool(task["completed_at"] >= since)


def list_subtasks(call: Call) -> Response:
    parent = see_task(call, call.args["task_gid"])
    found = rows(
        call.state, "SELECT gid FROM asana_task WHERE parent = ? AND trashed = 0 ORDER BY position", parent["gid"]
    )
    return listing(call, "task", [task["gid"] for task in found])


def create_task(call: Call) -> Response:
    given = data(call)
    if not (given.get("workspace") or given.get("projects") or given.get("parent") or given.get("memberships")):
        raise bad("You should specify one of workspace, parent, projects")
    return _create(call, given, given.pop("parent", None))


def create_subtask(call: Call) -> Response:
    given = data(call)
    return _create(call, given, call.args["task_gid"])


def _create(call: Call, given: Row, parent: str | None) -> Response:
    state = call.state
    if parent:
        see_task(call, parent, "editor", "parent")
    places = relations.wanted_places(call, given.pop("projects", None) or [], given.pop("memberships", None) or [])
    followers, tags = given.pop("followers", None) or [], given.pop("tags", None) or []
    values = given.pop("custom_fields", None)
    task = _blank(call, parent)
    columns = {**task, **taskedit.new_columns(call, task, given)}
    tables.insert(state, "task", columns)
    gid = columns["gid"]
    tables.follow(state, gid, [access.me(call), columns["assignee"]])
    for follower in followers:
        tables.follow(state, gid, [access.see_user(call, follower, "followers")["gid"]])
    for project, section in places:
        relations.put(call, gid, project, section)
    for tag in tags:
        tables.insert(state, "tagging", {"task": gid, "tag": relations.see_tag(call, tag)["gid"]})
    taskedit.tell_created(call, gid, parent)
    if values is not None:
        edits.write_values(call, "task", gid, values, fields.offered_to_task(state, gid))
    state.changed("asana", str(call.user["name"]), gid, "task", None, columns["name"])
    return one(call, "task", gid, 201)


def _blank(call: Call, parent: str | None) -> Row:
    at = tables.now(call.state)
    nothing_yet: dict[str, Any] = dict.fromkeys(
        ("approval_status", "assignee", "completed_at", "completed_by", "start_on", "start_at", "due_on", "due_at",
         "actual_minutes")
    )  # fmt: skip
    return {
        "gid": tables.new_gid(call.state, "task"),
        "name": "",
        "notes": "",
        "resource_subtype": "default_task",
        "parent": parent,
        "position": tables.next_position(call.state, "task", "parent", parent),
        "completed": 0,
        "is_separator": 0,
        "created_by": access.me(call),
        "created_at": at,
        "modified_at": at,
        "touched_at": at,
        **nothing_yet,
    }


def update_task(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    taskedit.change_task(call, task, data(call))
    return one(call, "task", task["gid"])


def delete_task(call: Call) -> Response:
    """Into the trash, with everything under it."""
    task = see_task(call, call.args["task_gid"], "editor")
    for gid in _with_subtasks(call, task["gid"]):
        edits.task_event(call, gid, "deleted")
        tables.update(call.state, "task", gid, {"trashed": 1})
    call.state.changed("asana", str(call.user["name"]), task["gid"], "task", task["name"], None)
    return nothing()


def _with_subtasks(call: Call, gid: str) -> list[str]:
    found = [gid]
    for child in rows(call.state, "SELECT gid FROM asana_task WHERE parent = ? AND trashed = 0", gid):
        found += _with_subtasks(call, child["gid"])
    return found


def set_parent(call: Call) -> Response:
    task = see_task(call, call.args["task_gid"], "editor")
    parent = data(call).get("parent")
    if parent is not None:
        see_task(call, parent, "editor", "parent")
        if task["gid"] in (parent, *tables.ancestors(call.state, parent)):
            raise bad("parent: A task cannot be its own parent.")
    heard_by = events.scopes(call.state, task["gid"])
    tables.update(
        call.state,
        "task",
        task["gid"],
        {"parent": parent, "position": tables.next_position(call.state, "task", "parent", parent)},
    )
    resource = events.named(call.state, "task", task["gid"])
    change = {"field": "parent", "action": "changed"}
    both = [*heard_by, *events.scopes(call.state, task["gid"])]
    events.record(call.state, access.me(call), resource, "changed", both, change=change)
    if parent != task["parent"]:
        taskedit.tell_parent(call, task["gid"], task["parent"], parent)
    call.state.changed("asana", str(call.user["name"]), task["gid"], "parent", task["parent"], parent)
    edits.touch(call.state, task["gid"])
    return one(call, "task", task["gid"])


def task_counts(call: Call) -> Response:
    """How many tasks the caller's project has; every number is asked for by name."""
    project = see_project(call, call.args["project_gid"])
    found = rows(
        call.state,
        "SELECT t.completed, t.resource_subtype FROM asana_placement p JOIN asana_task t ON t.gid = p.task"
        " WHERE p.project = ? AND t.trashed = 0",
        project["gid"],
    )
    milestones = [task for task in found if task["resource_subtype"] == "milestone"]
    counts: dict[str, Callable[[], int]] = {
        "num_tasks": lambda: len(found),
        "num_completed_tasks": lambda: sum(task["completed"] for task in found),
        "num_incomplete_tasks": lambda: sum(not task["completed"] for task in found),
        "num_milestones": lambda: len(milestones),
        "num_completed_milestones": lambda: sum(task["completed"] for task in milestones),
        "num_incomplete_milestones": lambda: sum(not task["completed"] for task in milestones),
    }
    names = call.query.get("opt_fields", "").split(",")
    return relations.plain({name: counts[name]() for name in names if name in counts})


RULES: list[Rule] = [
    (("GET",), "/api/1.0/tasks", list_tasks),
    (("POST",), "/api/1.0/tasks", create_task),
    (("GET",), "/api/1.0/tasks/{task_gid}", get_task),
    (("PUT",), "/api/1.0/tasks/{task_gid}", update_task),
    (("DELETE",), "/api/1.0/tasks/{task_gid}", delete_task),
    (("GET",), "/api/1.0/tasks/{task_gid}/subtasks", list_subtasks),
    (("POST",), "/api/1.0/tasks/{task_gid}/subtasks", create_subtask),
    (("POST",), "/api/1.0/tasks/{task_gid}/setParent", set_parent),
    (("GET",), "/api/1.0/projects/{project_gid}/tasks", list_project_tasks),
    (("GET",), "/api/1.0/projects/{project_gid}/task_counts", task_counts),
    (("GET",), "/api/1.0/sections/{section_gid}/tasks", list_section_tasks),
    (("GET",), "/api/1.0/tags/{tag_gid}/tasks", list_tag_tasks),
]
