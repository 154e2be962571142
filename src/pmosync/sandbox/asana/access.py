"""Who may see and change what in the sandbox's Asana.

A project gives its members a level (admin, editor, commenter, viewer); a project public to the workspace gives
everybody but guests its default level; a task has the best level among its projects and its parents' projects, and
its assignee and followers may edit it. An account that may only view changes nothing anywhere.
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
    open_to_all = project["privacy"] == "public_to_workspace" and not is_guest(state, user)
    return str(project["default_access"]) if open_to_all else "none"


def is_guest(state: State, user: str) -> bool:
    """Whether somebody is from outside, and sees only what was shared with them."""
    return bool(tables.scalar(state, "SELECT guest FROM asana_user WHERE gid = ?", user))


def is_view_only(state: State, user: str) -> bool:
    return bool(tables.scalar(state, "SELECT view_only FROM asana_user WHERE gid = ?", user))


def is_service_account(call: Call) -> bool:
    """Whether the caller is a bot while bots are service accounts here, as the switch says."""
    name = str(call.user.get("email", "")).partition("@")[0]
    return name.endswith("bot") and tables.switch(call.state, "service_account") == "yes"


def see_customizable(call: Call, gid: str) -> Row:
    """A project whose fields the caller may add and take: an editor of it, or an admin where the project says so."""
    project = see_project(call, gid, "editor")
    if not at_least(project_level(call.state, project, me(call)), project["customization"]):
        raise forbidden("project: You do not have the access level to customize this project.")
    return project


def must_write(call: Call) -> None:
    """Refuse what an account that may only view tries to change."""
    if is_view_only(call.state, me(call)):
        raise forbidden("You have view-only access and cannot make changes.")


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


def sees_project(call: Call, gid: str | None) -> bool:
    """Whether the caller sees the project with this gid, if there is one."""
    project = tables.get(call.state, "project", gid) if gid else None
    return project is not None and at_least(project_level(call.state, project, me(call)), "viewer")


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
    open_to_me = portfolio["public"] or is_service_account(call)
    if portfolio["owner"] != me(call) and (wanted != "viewer" or not open_to_me):
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
