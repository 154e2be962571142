"""What supports a goal of Asana: projects, portfolios, tasks and other goals, and how much each counts.

A goal never supports itself, over however many others.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, goals, planseed, tables
from pmosync.sandbox.asana.problems import bad, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, row, rows, run, scalar
from pmosync.sandbox.call import Call, Rule

SUBTYPES = ("subgoal", "supporting_work")
KIND = "goal_relationship"


def list_ties(call: Call) -> Response:
    if not call.query.get("supported_goal"):
        raise bad("supported_goal: Missing input")
    goal = goals.see_goal(call, call.query["supported_goal"], kind="supported_goal")
    subtype = call.query.get("resource_subtype")
    if subtype not in (None, *SUBTYPES):
        raise bad(f"resource_subtype: {subtype} is not one of {', '.join(SUBTYPES)}")
    found = rows(call.state, "SELECT * FROM asana_goal_relationship WHERE goal = ? ORDER BY position", goal["gid"])
    kept = [tie["gid"] for tie in found if subtype is None or (tie["item_kind"] == "goal") == (subtype == "subgoal")]
    return listing(call, KIND, kept)


def _see(call: Call) -> Row:
    gid = access.checked(KIND, call.args["goal_relationship_gid"])
    tie = tables.get(call.state, "goal_relationship", gid)
    if tie is None:
        raise unknown(KIND, gid)
    goals.see_goal(call, tie["goal"], kind=KIND)
    return tie


def get_tie(call: Call) -> Response:
    return one(call, KIND, _see(call)["gid"])


def update_tie(call: Call) -> Response:
    tie = _see(call)
    for name, value in data(call).items():
        if name != "contribution_weight":
            raise bad(f"{name}: Cannot write this property")
        tables.update(call.state, "goal_relationship", tie["gid"], {"weight": _weight(value)})
    return one(call, KIND, tie["gid"])


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise bad(f"contribution_weight: Must be between 0 and 1: {value}")
    return float(value)


def _supporter(call: Call) -> tuple[str, str]:
    """The kind and the gid of what is to support a goal."""
    gid = access.checked("supporting_resource", str(required(call, "supporting_resource")))
    for kind, see in (
        ("project", access.see_project),
        ("portfolio", access.see_portfolio),
        ("task", access.see_task),
        ("goal", goals.see_goal),
    ):
        if tables.get(call.state, kind, gid):
            return kind, str(see(call, gid)["gid"])
    raise unknown("supporting_resource", gid)


def add_tie(call: Call) -> Response:
    goal = goals.see_goal(call, call.args["goal_gid"], "editor")
    kind, item = _supporter(call)
    if kind == "goal" and goal["gid"] in (item, *_below(call, item)):
        raise bad("supporting_resource: A goal cannot support itself.")
    if scalar(call.state, "SELECT 1 FROM asana_goal_relationship WHERE goal = ? AND item = ?", goal["gid"], item):
        raise bad("supporting_resource: This already supports the goal.")
    weight = _weight(data(call).get("contribution_weight", 1))
    gid = planseed.add_goal_relationship(call.state, goal["gid"], kind, item, weight=weight)
    _tell(call, goal["gid"], "added", None, item)
    return one(call, KIND, gid)


def _below(call: Call, goal: str) -> list[str]:
    found = [goal]
    for upper in found:
        sql = "SELECT item FROM asana_goal_relationship WHERE goal = ? AND item_kind = 'goal'"
        found += [tie["item"] for tie in rows(call.state, sql, upper) if tie["item"] not in found]
    return found


def remove_tie(call: Call) -> Response:
    goal = goals.see_goal(call, call.args["goal_gid"], "editor")
    item = str(required(call, "supporting_resource"))
    tie = row(call.state, "SELECT * FROM asana_goal_relationship WHERE goal = ? AND item = ?", goal["gid"], item)
    if tie is None:
        raise bad("supporting_resource: This does not support the goal.")
    run(call.state, "DELETE FROM asana_goal_relationship WHERE gid = ?", tie["gid"])
    _tell(call, goal["gid"], "removed", item, None)
    return nothing()


def _tell(call: Call, goal: str, action: str, before: str | None, after: str | None) -> None:
    goals.tell(call, goal, {"field": "supporting_relationships", "action": action})
    call.state.changed("asana", str(call.user["name"]), goal, "supporting work", before, after)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/goal_relationships", list_ties),
    (("GET",), "/api/1.0/goal_relationships/{goal_relationship_gid}", get_tie),
    (("PUT",), "/api/1.0/goal_relationships/{goal_relationship_gid}", update_tie),
    (("POST",), "/api/1.0/goals/{goal_gid}/addSupportingRelationship", add_tie),
    (("POST",), "/api/1.0/goals/{goal_gid}/removeSupportingRelationship", remove_tie),
]
