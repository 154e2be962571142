"""Asana's goals: what the workspace or a team wants to reach, and the periods that goals are set for.

A goal for members only is out of reach for everybody but its owner and followers: 403, never an empty answer.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, markup, plan, planseed, tables, taskedit
from pmosync.sandbox.asana.access import me
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run, scalar
from pmosync.sandbox.call import Call, Rule

STATUSES = ("green", "yellow", "red", "missed", "achieved", "partial", "dropped")
IGNORED = frozenset({"workspace", "liked", "followers", "gid", "resource_type"})
NO_FILTER = "You should specify one of: portfolio, project, task, team, workspace"


def visible(call: Call, goal: Row) -> bool:
    """Whether the caller may see a goal."""
    if goal["privacy"] == "public_to_workspace" or goal["owner"] == me(call):
        return True
    sql = "SELECT 1 FROM asana_follower WHERE item = ? AND user = ?"
    return scalar(call.state, sql, goal["gid"], me(call)) is not None


def see_goal(call: Call, gid: object, wanted: str = "viewer", kind: str = "goal") -> Row:
    """The goal, or the refusal; people who see a goal may edit it."""
    plan.has(call, "goals")
    checked = access.checked(kind, gid)
    goal = tables.get(call.state, "goal", checked)
    if goal is None:
        raise unknown(kind, checked)
    if not visible(call, goal):
        raise forbidden(f"{kind}: You do not have access to this goal.")
    return goal


def list_goals(call: Call) -> Response:
    """By what supports them, by team, or of the workspace."""
    plan.has(call, "goals")
    query = call.query
    supporting = [name for name in ("portfolio", "project", "task") if query.get(name)]
    if not supporting and not query.get("team") and not query.get("workspace"):
        raise bad(NO_FILTER)
    if "is_workspace_level" in query and not query.get("workspace"):
        raise bad("is_workspace_level: Must be used with the workspace parameter.")
    found = rows(call.state, "SELECT * FROM asana_goal ORDER BY gid")
    for name in supporting:
        item = _supporter(call, name, query[name])
        goals = {
            held["goal"] for held in rows(call.state, "SELECT goal FROM asana_goal_relationship WHERE item = ?", item)
        }
        found = [goal for goal in found if goal["gid"] in goals]
    if query.get("workspace"):
        access.see_workspace(query["workspace"])
    if query.get("team"):
        team = see_team(call, query["team"])["gid"]
        found = [goal for goal in found if goal["team"] == team]
    if "is_workspace_level" in query:
        level = query["is_workspace_level"] == "true"
        found = [goal for goal in found if bool(goal["workspace_level"]) == level]
    if query.get("time_periods"):
        # each is sent by itself or all in one, with commas between them
        wanted = {gid for part in call.request.args.getlist("time_periods") for gid in part.split(",")}
        found = [
            goal for goal in found if goal["time_period"] in wanted or goal["time_period"] == query["time_periods"]
        ]
    return listing(call, "goal", [goal["gid"] for goal in found if visible(call, goal)])


def _supporter(call: Call, kind: str, gid: str) -> str:
    sees = {"portfolio": access.see_portfolio, "project": access.see_project, "task": access.see_task}
    return str(sees[kind](call, gid)["gid"])


def see_team(call: Call, gid: str) -> Row:
    team = tables.get(call.state, "team", access.checked("team", gid))
    if team is None:
        raise unknown("team", gid)
    return team


def get_goal(call: Call) -> Response:
    return one(call, "goal", see_goal(call, call.args["goal_gid"])["gid"])


def create_goal(call: Call) -> Response:
    plan.has(call, "goals")
    given = data(call)
    access.see_workspace(str(required(call, "workspace")))
    new: Row = {"owner": me(call), "team": None, "workspace_level": 1} | _columns(call, given)
    if not str(new.get("name") or "").strip():
        raise bad("name: Missing input")
    if "is_workspace_level" not in given:
        new["workspace_level"] = int(new["team"] is None)
    if not new["workspace_level"] and new["team"] is None:
        raise bad("team: A goal that is not of the workspace needs a team.")
    gid = planseed.add_goal(call.state, new["name"], new["owner"], created_at=call.state.now())
    tables.update(call.state, "goal", gid, new)
    tables.follow(call.state, gid, [access.see_user(call, user)["gid"] for user in given.get("followers") or []])
    call.state.changed("asana", str(call.user["name"]), gid, "goal", None, new["name"])
    return one(call, "goal", gid, 201)


def update_goal(call: Call) -> Response:
    goal = see_goal(call, call.args["goal_gid"], "editor")
    given = data(call)
    values = given.pop("custom_fields", None)
    if "status" in given:
        goal_status = given.pop("status")
        if goal_status not in STATUSES:
            raise bad(f"status: {goal_status} is not one of {', '.join(STATUSES)}")
        if not goal["metric"]:
            raise bad("status: You can only write this property if the goal has a metric.")
        given["status"] = goal_status
    new = _columns(call, given)
    differing = {name: value for name, value in new.items() if value != goal[name]}
    tables.update(call.state, "goal", goal["gid"], differing)
    for name, value in differing.items():
        tell(call, goal["gid"], {"field": name, "action": "changed"})
        call.state.changed("asana", str(call.user["name"]), goal["gid"], name, goal[name], value)
    if values is not None:
        edits.write_values(call, "goal", goal["gid"], values, fields.offered_to_goal(call.state, goal["gid"]))
    return one(call, "goal", goal["gid"])


def tell(call: Call, goal: str, change: Row, action: str = "changed") -> None:
    """Let whoever listens to the goal hear of it."""
    events.record(call.state, me(call), events.named(call.state, "goal", goal), action, [goal], change=change)


def _columns(call: Call, given: Row) -> Row:
    new: Row = {}
    for name, value in given.items():
        if name in IGNORED:
            continue
        if name in ("name", "notes"):
            new[name] = str(value)
        elif name == "html_notes":
            new["notes"] = markup.check(value, "task", call.state)
        elif name in ("due_on", "start_on"):
            new[name] = taskedit.day(name, value)
        elif name == "is_workspace_level":
            new["workspace_level"] = int(bool(value))
        elif name == "owner":
            new[name] = access.see_user(call, str(value), "owner")["gid"] if value else None
        elif name == "team":
            new[name] = see_team(call, str(value))["gid"] if value else None
        elif name == "time_period":
            new |= _period(call, value)
        elif name == "status":
            new[name] = value
        else:
            raise bad(f"{name}: Cannot write this property")
    return new


def _period(call: Call, given: Any) -> Row:
    """A goal that is given a period has its days."""
    if given is None:
        return {"time_period": None}
    period = _see_period(call, str(given))
    return {"time_period": period["gid"], "start_on": period["start_on"], "due_on": period["end_on"]}


def delete_goal(call: Call) -> Response:
    goal = see_goal(call, call.args["goal_gid"], "admin")
    events.record(call.state, me(call), events.named(call.state, "goal", goal["gid"]), "deleted", [goal["gid"]])
    for sql in (
        "DELETE FROM asana_goal_relationship WHERE ? IN (goal, item)",
        "DELETE FROM asana_value WHERE item = ?",
        "DELETE FROM asana_setting WHERE parent = ?",
        "DELETE FROM asana_status_update WHERE parent = ?",
        "DELETE FROM asana_goal WHERE gid = ?",
    ):
        run(call.state, sql, goal["gid"])
    call.state.changed("asana", str(call.user["name"]), goal["gid"], "goal", goal["name"], None)
    return nothing()


# -- the periods that goals are for --------------------------------------------------------------------------------


def _see_period(call: Call, gid: str) -> Row:
    period = tables.get(call.state, "time_period", access.checked("time_period", gid))
    if period is None:
        raise unknown("time_period", gid)
    return period


def get_period(call: Call) -> Response:
    return one(call, "time_period", _see_period(call, call.args["time_period_gid"])["gid"])


def list_periods(call: Call) -> Response:
    workspace = call.query.get("workspace")
    if not workspace:
        raise bad("workspace: Missing input")
    access.see_workspace(workspace)
    first, last = (taskedit.day(name, call.query.get(name)) for name in ("start_on", "end_on"))
    sql = "SELECT gid FROM asana_time_period WHERE end_on >= ? AND start_on <= ? ORDER BY gid"
    return listing(call, "time_period", [p["gid"] for p in rows(call.state, sql, first or "", last or "9999")])


def parent_goals(call: Call) -> Response:
    goal = see_goal(call, call.args["goal_gid"])
    sql = (
        "SELECT g.* FROM asana_goal_relationship r JOIN asana_goal g ON g.gid = r.goal WHERE r.item = ? ORDER BY g.gid"
    )
    found = [above for above in rows(call.state, sql, goal["gid"]) if visible(call, above)]
    return listing(call, "goal", [above["gid"] for above in found])


RULES: list[Rule] = [
    (("GET",), "/api/1.0/goals", list_goals),
    (("POST",), "/api/1.0/goals", create_goal),
    (("GET",), "/api/1.0/goals/{goal_gid}", get_goal),
    (("PUT",), "/api/1.0/goals/{goal_gid}", update_goal),
    (("DELETE",), "/api/1.0/goals/{goal_gid}", delete_goal),
    (("GET",), "/api/1.0/goals/{goal_gid}/parentGoals", parent_goals),
    (("GET",), "/api/1.0/time_periods", list_periods),
    (("GET",), "/api/1.0/time_periods/{time_period_gid}", get_period),
]
