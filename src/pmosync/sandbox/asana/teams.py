"""Asana's teams, the templates that projects are made from, and who is a member of what.

A project that is no team's is told as one without a team; a team sees only that it is shared with it.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, goals, select, tables
from pmosync.sandbox.asana.access import me, see_project
from pmosync.sandbox.asana.goals import see_team
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import listing, one
from pmosync.sandbox.asana.tables import PREFIX, Row, rows, scalar
from pmosync.sandbox.asana.views import Ref
from pmosync.sandbox.call import Call, Rule


def list_teams(call: Call) -> Response:
    access.see_workspace(call.args["workspace_gid"])
    return listing(call, "team", [team["gid"] for team in rows(call.state, "SELECT gid FROM asana_team ORDER BY gid")])


def get_team(call: Call) -> Response:
    return one(call, "team", see_team(call, call.args["team_gid"])["gid"])


def list_team_users(call: Call) -> Response:
    team = see_team(call, call.args["team_gid"])
    sql = "SELECT u.gid FROM asana_team_member m JOIN asana_user u ON u.gid = m.user WHERE m.team = ? ORDER BY u.name"
    return listing(call, "user", [user["gid"] for user in rows(call.state, sql, team["gid"])])


def list_user_teams(call: Call) -> Response:
    if not call.query.get("organization"):
        raise bad("organization: Missing input")
    access.see_workspace(call.query["organization"])
    person = access.see_user(call, call.args["user_gid"])
    sql = "SELECT team FROM asana_team_member WHERE user = ? ORDER BY team"
    return listing(call, "team", [held["team"] for held in rows(call.state, sql, person["gid"])])


# -- templates -----------------------------------------------------------------------------------------------------


def list_templates(call: Call) -> Response:
    """Of a team, or of the workspace."""
    team = call.args.get("team_gid") or call.query.get("team")
    if team:
        team = see_team(call, team)["gid"]
    elif not call.query.get("workspace"):
        raise bad("You should specify one of: workspace, team")
    else:
        access.see_workspace(call.query["workspace"])
    found = rows(call.state, "SELECT gid FROM asana_template WHERE ? IS NULL OR team = ? ORDER BY gid", team, team)
    return listing(call, "project_template", [template["gid"] for template in found])


def get_template(call: Call) -> Response:
    gid = access.checked("project_template", call.args["project_template_gid"])
    if tables.get(call.state, "template", gid) is None:
        raise unknown("project_template", gid)
    return one(call, "project_template", gid)


# -- memberships ---------------------------------------------------------------------------------------------------


def membership(kind: str, parent: str, member_kind: str, member: str, access_level: str) -> Row:
    """A membership's record; its gid is made of those of the two whom it ties."""
    number = f"{int(parent[4:]) % 10**5:05d}{int(member[4:]) % 10**6:06d}"
    return {
        "gid": f"{PREFIX[f'{kind}_membership']}{'1' if member_kind == 'team' else '0'}{number}",
        "resource_type": "membership",
        "resource_subtype": f"{kind}_membership",
        "parent": Ref(kind, parent),
        "member": Ref(member_kind, member),
        "access_level": access_level,
    }


def _of_project(call: Call, project: Row) -> list[Row]:
    sql = "SELECT user, access FROM asana_member WHERE project = ? ORDER BY rowid"
    found = [
        membership("project", project["gid"], "user", held["user"], held["access"])
        for held in rows(call.state, sql, project["gid"])
    ]
    if project["team"]:
        found.append(membership("project", project["gid"], "team", project["team"], "editor"))
    return found


def _of_portfolio(call: Call, portfolio: Row) -> list[Row]:
    return [membership("portfolio", portfolio["gid"], "user", portfolio["owner"], "admin")]


def _of_goal(call: Call, goal: Row) -> list[Row]:
    sql = "SELECT user FROM asana_follower WHERE item = ? ORDER BY rowid"
    found = []
    for held in rows(call.state, sql, goal["gid"]):
        record = membership("goal", goal["gid"], "user", held["user"], "editor")
        found.append(record | {"role": "editor", "goal": Ref("goal", goal["gid"])})
    return found


def _members(call: Call, parent: str) -> list[Row]:
    """Everybody's membership in a project, portfolio or goal."""
    checked = access.checked("parent", parent)
    if tables.get(call.state, "project", checked):
        return _of_project(call, see_project(call, checked, "viewer", "parent"))
    if tables.get(call.state, "portfolio", checked):
        return _of_portfolio(call, access.see_portfolio(call, checked))
    if tables.get(call.state, "goal", checked):
        return _of_goal(call, goals.see_goal(call, checked, kind="parent"))
    raise unknown("parent", checked)


def list_memberships(call: Call) -> Response:
    """Of a parent, of one member in it, or, for a team, of all projects that are shared with it."""
    query = call.query
    member = query.get("member")
    if query.get("parent"):
        found = _members(call, query["parent"])
        if member:
            gid = member if tables.get(call.state, "team", member) else access.see_user(call, member, "member")["gid"]
            found = [record for record in found if record["member"].gid == gid]
        return _answer(call, found)
    if query.get("resource_subtype") != "project_membership":
        raise bad("parent: Missing input")
    team = see_team(call, member or "")
    shared = rows(call.state, "SELECT * FROM asana_project WHERE team = ? ORDER BY gid", team["gid"])
    seen = [p for p in shared if access.at_least(access.project_level(call.state, p, me(call)), "viewer")]
    return _answer(call, [membership("project", p["gid"], "team", team["gid"], "editor") for p in seen])


def _answer(call: Call, found: list[Row]) -> Response:
    return select.records(call, found)


def get_membership(call: Call) -> Response:
    gid = access.checked("membership", call.args["membership_gid"])
    return select.record(call, _found(call, gid))


def _found(call: Call, gid: str) -> Row:
    kinds: dict[str, Any] = {str(PREFIX[f"{kind}_membership"]): kind for kind in ("project", "portfolio", "goal")}
    kind = kinds.get(gid[:4])
    parent = f"{PREFIX[kind]}{int(gid[5:10] or 0):012d}" if kind else ""
    if kind and scalar(call.state, f"SELECT 1 FROM asana_{kind} WHERE gid = ?", parent):
        for record in _members(call, parent):
            if record["gid"] == gid:
                return record
    raise unknown("membership", gid)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/teams", list_teams),
    (("GET",), "/api/1.0/teams/{team_gid}", get_team),
    (("GET",), "/api/1.0/teams/{team_gid}/users", list_team_users),
    (("GET",), "/api/1.0/users/{user_gid}/teams", list_user_teams),
    (("GET",), "/api/1.0/project_templates", list_templates),
    (("GET",), "/api/1.0/teams/{team_gid}/project_templates", list_templates),
    (("GET",), "/api/1.0/project_templates/{project_template_gid}", get_template),
    (("GET",), "/api/1.0/memberships", list_memberships),
    (("GET",), "/api/1.0/memberships/{membership_gid}", get_membership),
]
