"""Put teams, templates, briefs, goals, budgets, allocations, booked time and types of tasks into the sandbox's Asana.

As with everything seeded, nobody is told: a client that starts now sees what has always been there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.tables import insert, instant, new_gid, next_position
from pmosync.sandbox.state import State, as_json

PERIODS = {"Q1": (1, 3), "Q2": (4, 6), "Q3": (7, 9), "Q4": (10, 12), "H1": (1, 6), "H2": (7, 12), "FY": (1, 12)}
WITHIN = {"Q1": "H1", "Q2": "H1", "Q3": "H2", "Q4": "H2", "H1": "FY", "H2": "FY"}


def add_team(
    state: State, name: str, *, members: Iterable[str] = (), description: str = "", visibility: str = "public"
) -> str:
    gid = new_gid(state, "team")
    insert(state, "team", {"gid": gid, "name": name, "description": description, "visibility": visibility})
    for user in members:
        insert(state, "team_member", {"team": gid, "user": user})
    return gid


def share_with_team(state: State, project: str, team: str | None) -> None:
    """Let a project be a team's, or, with None, nobody's."""
    tables.update(state, "project", project, {"team": team})


def add_template(
    state: State, name: str, *, team: str | None = None, owner: str | None = None, description: str = ""
) -> str:
    gid = new_gid(state, "template")
    row = {"gid": gid, "name": name, "description": description, "team": team, "owner": owner, "color": "light-blue"}
    insert(state, "template", row)
    return gid


def make_from_template(state: State, project: str, template: str | None) -> None:
    """Let a project have been made from a template."""
    tables.update(state, "project", project, {"template": template})


def add_brief(state: State, project: str, title: str, text: str, html_text: str) -> str:
    gid = new_gid(state, "brief")
    row = {"gid": gid, "project": project, "title": title, "text": text, "html_text": html_text}
    insert(state, "brief", row)
    return gid


def add_budget(
    state: State,
    project: str,
    budget_type: str,
    *,
    total: float | None = None,
    estimate_source: str = "tasks",
    estimate_enabled: bool = True,
    estimate_filter: str = "billable",
    actual_filter: str = "billable",
    total_enabled: bool = True,
) -> str:
    """`total` is in minutes, or, where the type is `cost`, in money."""
    gid = new_gid(state, "budget")
    row = {
        "gid": gid, "project": project, "type": budget_type, "estimate_source": estimate_source,
        "estimate_filter": estimate_filter, "estimate_enabled": int(estimate_enabled), "actual_filter": actual_filter,
        "total_enabled": int(total_enabled), f"total_{budget_type}": total,
    }  # fmt: skip
    insert(state, "budget", row)
    return gid


def add_placeholder(state: State, name: str) -> str:
    """Somebody who is planned for and still sought."""
    gid = new_gid(state, "placeholder")
    insert(state, "placeholder", {"gid": gid, "name": name})
    return gid


def add_allocation(
    state: State,
    project: str,
    assignee: str,
    start_on: str,
    end_on: str,
    *,
    effort_type: str | None = "percent",
    effort: float | None = 50,
    created_by: str | None = None,
) -> str:
    """`assignee` is a person or a placeholder."""
    gid = new_gid(state, "allocation")
    row = {
        "gid": gid, "project": project, "assignee": assignee, "start_on": start_on,
        "end_on": end_on, "effort_type": effort_type, "effort": effort, "created_by": created_by,
    }  # fmt: skip
    insert(state, "allocation", row)
    return gid


def add_time_entry(
    state: State,
    task: str,
    user: str,
    minutes: int,
    entered_on: str,
    *,
    created_at: datetime,
    project: str | None = None,
    billable_status: str = "billable",
    approval_status: str = "DRAFT",
    description: str = "",
) -> str:
    """Time that somebody booked on a task; the task's actual time follows."""
    gid = new_gid(state, "time_entry")
    row = {
        "gid": gid, "task": task, "minutes": minutes, "entered_on": entered_on, "project": project,
        "created_by": user, "created_at": instant(created_at), "approval_status": approval_status,
        "billable_status": billable_status, "description": description,
    }  # fmt: skip
    insert(state, "time_entry", row)
    count_minutes(state, task)
    return gid


def count_minutes(state: State, task: str) -> float | None:
    """Let a task's actual time be the sum of its entries."""
    minutes: float | None = tables.scalar(state, "SELECT sum(minutes) FROM asana_time_entry WHERE task = ?", task)
    tables.update(state, "task", task, {"actual_minutes": minutes})
    return minutes


def add_time_periods(state: State, year: int) -> dict[str, str]:
    """The quarters, halves and the whole of a year; gives their gids by name."""
    gids = {period: new_gid(state, "time_period") for period in PERIODS}
    for period, (first, last) in PERIODS.items():
        end = date(year + last // 12, last % 12 + 1, 1) - timedelta(days=1)
        row = {
            "gid": gids[period], "period": period, "start_on": date(year, first, 1).isoformat(),
            "end_on": end.isoformat(), "name": f"{period} FY{year % 100:02d}".removeprefix("FY "),
            "parent": gids.get(WITHIN.get(period, "")),
        }  # fmt: skip
        insert(state, "time_period", row)
    return gids


def add_goal(
    state: State,
    name: str,
    owner: str | None,
    *,
    created_at: datetime,
    team: str | None = None,
    notes: str = "",
    start_on: str | None = None,
    due_on: str | None = None,
    status: str | None = None,
    time_period: str | None = None,
    metric: dict[str, Any] | None = None,
    privacy: str = "public_to_workspace",
    supported_by: Iterable[tuple[str, str]] = (),
) -> str:
    """A goal of the workspace, or, with a `team`, of that team; `supported_by` are (kind, gid)."""
    gid = new_gid(state, "goal")
    row = {
        "gid": gid, "name": name, "notes": notes, "owner": owner, "team": team, "workspace_level": int(team is None),
        "start_on": start_on, "due_on": due_on, "status": status, "time_period": time_period,
        "metric": as_json(metric) if metric else None, "privacy": privacy, "created_by": owner,
        "created_at": instant(created_at),
    }  # fmt: skip
    insert(state, "goal", row)
    tables.follow(state, gid, [owner])
    for kind, item in supported_by:
        add_goal_relationship(state, gid, kind, item)
    return gid


def add_goal_relationship(state: State, goal: str, item_kind: str, item: str, *, weight: float = 1) -> str:
    """Let a project, portfolio, task or another goal support a goal."""
    gid = new_gid(state, "goal_relationship")
    position = next_position(state, "goal_relationship", "goal", goal)
    row = {"gid": gid, "goal": goal, "item": item, "item_kind": item_kind, "weight": weight, "position": position}
    insert(state, "goal_relationship", row)
    return gid


def add_custom_type(
    state: State, project: str, name: str, *, statuses: Sequence[tuple[str, str]] = (("Open", "Incomplete"),
                                                                                    ("Closed", "Complete"))
) -> str:  # fmt: skip
    """A type of tasks; `statuses` are (name, `Incomplete` or `Complete`) in their order."""
    gid = new_gid(state, "custom_type")
    insert(state, "custom_type", {"gid": gid, "project": project, "name": name})
    for position, (status, completion) in enumerate(statuses, 1):
        row = {
            "gid": new_gid(state, "custom_status"), "custom_type": gid, "name": status, "position": position,
            "completion_state": completion, "color": "none", "enabled": 1,
        }  # fmt: skip
        insert(state, "custom_status", row)
    return gid


def statuses(state: State, custom_type: str) -> dict[str, str]:
    """The gids of a type's status options by name."""
    sql = "SELECT gid, name FROM asana_custom_status WHERE custom_type = ? ORDER BY position"
    return {found["name"]: found["gid"] for found in tables.rows(state, sql, custom_type)}


def give_type(state: State, task: str, custom_type: str, status: str) -> None:
    """Make a task one of a custom type, in the status with this name."""
    option = statuses(state, custom_type)[status]
    tables.update(
        state,
        "task",
        task,
        {"resource_subtype": "custom", "custom_type": custom_type, "custom_type_status_option": option},
    )
