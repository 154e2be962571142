"""How teams, templates, briefs, goals, budgets, allocations and booked time look to a client.

What the vendor computes (what a budget has used, what a goal's status is) is computed here from what was entered.
"""

from __future__ import annotations

from typing import Any

from pmosync.sandbox.asana import budgeting, fields
from pmosync.sandbox.asana.tables import WORKSPACE, Row, rows
from pmosync.sandbox.asana.views import (
    NAME,
    WORKSPACE_REF,
    Getter,
    Ref,
    View,
    column,
    constant,
    refs,
    settings,
    status,
    to,
    values,
    yes_no,
)
from pmosync.sandbox.state import from_json

GOAL_STATUS = {"on_track": "green", "at_risk": "yellow", "off_track": "red"}
"""How a goal shows what its newest status update says; the other types are told by their own names."""


def _html(name: str) -> Getter:
    return lambda view, row: f"<body>{fields.escaped(row[name])}</body>"


def _effort(view: View, row: Row) -> Row | None:
    return {"type": row["effort_type"], "value": row["effort"]} if row["effort_type"] else None


def _assignee(view: View, row: Row) -> Ref:
    """A person, or the placeholder for somebody who is still sought."""
    person = view.row(Ref("user", row["assignee"]))
    return Ref("user" if person else "placeholder", row["assignee"])


def _goal_status(view: View, row: Row) -> str | None:
    newest = status(view, row)
    update = view.row(newest) if newest else None
    if update is None:
        return str(row["status"]) if row["status"] else None
    return GOAL_STATUS.get(update["status_type"], update["status_type"])


def _metric(view: View, row: Row) -> Any:
    return from_json(row["metric"])


def _options(view: View, row: Row) -> list[Ref]:
    sql = "SELECT gid FROM asana_custom_status WHERE custom_type = ? ORDER BY position"
    return [Ref("custom_type_status_option", found["gid"]) for found in rows(view.state, sql, row["gid"])]


def _subgoal(view: View, row: Row) -> str:
    return "subgoal" if row["item_kind"] == "goal" else "supporting_work"


ONLY_ADMINS = constant("only_team_admins")
ALL_MEMBERS = constant("all_team_members")

KINDS: dict[str, dict[str, Getter]] = {
    "team": {
        **NAME,
        "description": column("description"),
        "html_description": _html("description"),
        "organization": constant(Ref("workspace", WORKSPACE)),
        "permalink_url": lambda view, row: f"{view.base}/0/{row['gid']}/overview",
        "visibility": column("visibility"),
        "edit_team_name_or_description_access_level": ALL_MEMBERS,
        "edit_team_visibility_or_trash_team_access_level": ONLY_ADMINS,
        "member_invite_management_access_level": ALL_MEMBERS,
        "guest_invite_management_access_level": ONLY_ADMINS,
        "join_request_management_access_level": ALL_MEMBERS,
        "team_member_removal_access_level": ONLY_ADMINS,
        "team_content_management_access_level": constant("no_restriction"),
        "endorsed": constant(False),
        "custom_field_settings": settings,
    },
    "project_template": {
        **NAME,
        "description": column("description"),
        "html_description": _html("description"),
        "public": constant(True),
        "owner": to("user", "owner"),
        "team": to("team", "team"),
        "requested_dates": constant([]),
        "color": column("color"),
        "requested_roles": constant([]),
    },
    "project_brief": {
        "title": column("title"),
        "html_text": column("html_text"),
        "text": column("text"),
        "permalink_url": lambda view, row: f"{view.base}/0/{row['project']}/{row['gid']}",
        "project": to("project", "project"),
    },
    "budget": {
        "budget_type": column("type"),
        "estimate": lambda view, row: budgeting.estimate(view.state, row),
        "actual": lambda view, row: budgeting.actual(view.state, row),
        "total": lambda view, row: budgeting.total(row),
        "parent": to("project", "project"),
    },
    "placeholder": NAME,
    "allocation": {
        "start_date": column("start_on"),
        "end_date": column("end_on"),
        "effort": _effort,
        "assignee": _assignee,
        "created_by": to("user", "created_by"),
        "parent": to("project", "project"),
        "resource_subtype": constant("project_allocation"),
    },
    "time_tracking_entry": {
        "duration_minutes": column("minutes"),
        "entered_on": column("entered_on"),
        "attributable_to": to("project", "project"),
        "created_by": to("user", "created_by"),
        "categories": constant([]),
        "task": to("task", "task"),
        "created_at": column("created_at"),
        "approval_status": column("approval_status"),
        "billable_status": column("billable_status"),
        "description": column("description"),
    },
    "time_period": {
        "start_on": column("start_on"),
        "end_on": column("end_on"),
        "period": column("period"),
        "display_name": column("name"),
        "parent": to("time_period", "parent"),
    },
    "goal": {
        **NAME,
        "owner": to("user", "owner"),
        "notes": column("notes"),
        "html_notes": _html("notes"),
        "start_on": column("start_on"),
        "due_on": column("due_on"),
        "is_workspace_level": yes_no("workspace_level"),
        "liked": constant(False),
        "likes": constant([]),
        "num_likes": constant(0),
        "team": to("team", "team"),
        "workspace": WORKSPACE_REF,
        "followers": refs("user", "SELECT user AS gid FROM asana_follower WHERE item = ? ORDER BY rowid"),
        "time_period": to("time_period", "time_period"),
        "metric": _metric,
        "current_status_update": status,
        "status": _goal_status,
        "privacy_setting": column("privacy"),
        "default_access_level": constant("editor"),
        "custom_field_settings": settings,
        "custom_fields": values(fields.offered_to_goal),
    },
    "goal_relationship": {
        "resource_subtype": _subgoal,
        "supporting_resource": lambda view, row: Ref(row["item_kind"], row["item"]),
        "contribution_weight": column("weight"),
        "supported_goal": to("goal", "goal"),
    },
    "custom_type": {**NAME, "status_options": _options},
    "custom_type_status_option": {
        **NAME,
        "completion_state": column("completion_state"),
        "enabled": yes_no("enabled"),
        "color": column("color"),
    },
}

COMPACT: dict[str, tuple[str, ...]] = {
    "project_brief": (),
    "budget": ("budget_type", "estimate", "actual", "total", "parent"),
    "allocation": ("start_date", "end_date", "effort", "assignee", "created_by", "parent", "resource_subtype"),
    "time_tracking_entry": ("duration_minutes", "entered_on", "attributable_to", "created_by", "categories"),
    "time_period": ("start_on", "end_on", "period", "display_name"),
    "goal": ("name", "owner"),
    "goal_relationship": ("resource_subtype", "supporting_resource", "contribution_weight"),
}

# Left out of an ordinary record: the client must ask for them by name.
ON_REQUEST: dict[str, frozenset[str]] = {
    "team": frozenset({"description", "html_description", "custom_field_settings"}),
    "project_template": frozenset({"html_description"}),
    "project_brief": frozenset({"text"}),
    "goal": frozenset({"html_notes", "default_access_level"}),
}
