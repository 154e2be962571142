"""Asana's workspace and its people: who they are and whether they are still active.

That somebody left shows in the workspace membership only (`is_active`), as the vendor has it.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, goals, select, tables
from pmosync.sandbox.asana.problems import unknown
from pmosync.sandbox.asana.select import listing, one
from pmosync.sandbox.asana.tables import WORKSPACE, Row, rows
from pmosync.sandbox.asana.views import Ref
from pmosync.sandbox.call import Call, Rule


def list_workspaces(call: Call) -> Response:
    return listing(call, "workspace", [WORKSPACE])


def get_workspace(call: Call) -> Response:
    return one(call, "workspace", access.see_workspace(call.args["workspace_gid"]))


def get_user(call: Call) -> Response:
    return one(call, "user", access.see_user(call, call.args["user_gid"])["gid"])


def list_users(call: Call) -> Response:
    """Everybody, or the members of a team."""
    access.see_workspace(call.args.get("workspace_gid") or call.query.get("workspace", WORKSPACE))
    team = call.query.get("team")
    if team:
        team = goals.see_team(call, team)["gid"]
    sql = (
        "SELECT gid FROM asana_user WHERE ? IS NULL OR gid IN (SELECT user FROM asana_team_member WHERE team = ?)"
        " ORDER BY gid"
    )
    return listing(call, "user", [user["gid"] for user in rows(call.state, sql, team, team)])


def membership(user: Row) -> Row:
    """What the workspace knows of a person."""
    return {
        "gid": f"{tables.PREFIX['membership']}{user['gid'][4:]}",
        "resource_type": "workspace_membership",
        "user": Ref("user", user["gid"]),
        "workspace": Ref("workspace", WORKSPACE),
        "is_active": bool(user["active"]),
        "is_admin": False,
        "is_guest": bool(user["guest"]),
        "is_view_only": bool(user["view_only"]),
    }


SHORT = ("gid", "resource_type", "user", "workspace")


def _memberships(call: Call, people: list[Row]) -> Response:
    found = [membership(person) for person in people]
    if "opt_fields" not in call.query:
        found = [{name: record[name] for name in SHORT} for record in found]
    return select.records(call, found)


def list_workspace_memberships(call: Call) -> Response:
    access.see_workspace(call.args["workspace_gid"])
    if "user" in call.query:
        return _memberships(call, [access.see_user(call, call.query["user"])])
    return _memberships(call, rows(call.state, "SELECT * FROM asana_user ORDER BY gid"))


def list_user_memberships(call: Call) -> Response:
    return _memberships(call, [access.see_user(call, call.args["user_gid"])])


def get_membership(call: Call) -> Response:
    gid = access.checked("workspace_membership", call.args["workspace_membership_gid"])
    person = tables.get(call.state, "user", f"{tables.PREFIX['user']}{gid[4:]}")
    if person is None:
        raise unknown("workspace_membership", gid)
    return select.record(call, membership(person))


RULES: list[Rule] = [
    (("GET",), "/api/1.0/workspaces", list_workspaces),
    (("GET",), "/api/1.0/workspaces/{workspace_gid}", get_workspace),
    (("GET",), "/api/1.0/users", list_users),
    (("GET",), "/api/1.0/users/{user_gid}", get_user),
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/users", list_users),
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/workspace_memberships", list_workspace_memberships),
    (("GET",), "/api/1.0/users/{user_gid}/workspace_memberships", list_user_memberships),
    (("GET",), "/api/1.0/workspace_memberships/{workspace_membership_gid}", get_membership),
]
