"""Who may see and change what in the sandbox's Asana.

A project gives its members a level (admin, editor, commenter, viewer); a project public to the workspace gives
everybody its default level; a task has the best level among its projects and its parents' projects, and its assignee
and followers may edit it.
"""

from __future__ import annotations

from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.tables import Row
from pmosync.sandbox.call import Call
from pmosync.sandbox.state import State

LEVELS = ("none", "viewer", "commenter", "editor", "admin")


def project_level(state: State, project: Row, user: str) -> str:
    own = tables.scalar(state, "SELECT access FROM asana_member WHERE project = ? AND user = ?", project["gid"], user)
    if own:
        return str(own)
    return str(project["default_access"]) if project["privacy"] == "public_to_workspace" else "none"


def task_level(state: State, task: Row, user: str) -> str:
    line = [task["gid"], *tables.ancestors(state, task["gid"])]
    marks = ", ".join("?" for _ in line)
    if task["assignee"] == user or tables.scalar(
        state, f"SELECT 1 FROM asana_follower WHERE user = ? AND item IN ({marks})", user, *line
    ):
        return "editor"
    best = "none"
    for gid in tables.projects_of(state, task["gid"], inherited=True):
        project = tables.get(state, "project", gid)
        if project:
            best = max(best, project_level(state, project, user), key=LEVELS.index)
    return best


def at_least(level: str, wanted: str) -> bool:
    return LEVELS.index(level) >= LEVELS.index(wanted)


def see_project(call: Call, gid: str, wanted: str = "viewer", kind: str = "project") -> Row:
    """The project, or the refusal that Asana gives for it."""
    project = tables.get(call.state, "project", checked(kind, gid))
    if project is None:
        raise unknown(kind, gid)
    if not at_least(project_level(call.state, project, me(call)), wanted):
        raise forbidden(f"{kind}: You do not have access to this project.")
    return project


def see_task(call: Call, gid: str, wanted: str = "viewer", kind: str = "task") -> Row:
    """The task, unless it is unknown, in the trash or out of reach."""
    task = tables.get(call.state, "task", checked(kind, gid))
    if task is None or task["trashed"]:
        raise unknown(kind, gid)
    if not at_least(task_level(call.state, task, me(call)), wanted):
        raise forbidden(f"{kind}: You do not have access to this task.")
    return task


def see_portfolio(call: Call, gid: str, wanted: str = "viewer") -> Row:
    portfolio = tables.get(call.state, "portfolio", checked("portfolio", gid))
    if portfolio is None:
        raise unknown("portfolio", gid)
    if portfolio["owner"] != me(call) and (wanted != "viewer" or not portfolio["public"]):
        raise forbidden("portfolio: You do not have access to this portfolio.")
    return portfolio


def see_workspace(gid: str) -> str:
    if checked("workspace", gid) != tables.WORKSPACE:
        raise unknown("workspace", gid)
    return gid


def see_user(call: Call, gid: str, kind: str = "user") -> Row:
    """A person by gid, by e-mail or as `me`."""
    if gid == "me":
        gid = me(call)
    found = tables.row(call.state, "SELECT * FROM asana_user WHERE gid = ? OR email = ?", gid, gid)
    if found is None:
        if "@" not in gid:
            checked(kind, gid)
        raise unknown(kind, gid)
    return found


def checked(kind: str, gid: object) -> str:
    """A gid is a text of digits; anything else is told at once."""
    if not isinstance(gid, str) or not gid.isdigit():
        raise bad(f"{kind}: Not a recognized ID: {gid}")
    return gid


def me(call: Call) -> str:
    return str(call.user["gid"])
