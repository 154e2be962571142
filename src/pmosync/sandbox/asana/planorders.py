"""The orders to the sandbox's Asana about what there is to plan with: teams, goals, money, time, types, deep trees.

Each is one of the functions that seed the site, called with the names its parameters have. They tell nobody: they
prepare a test.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pmosync.sandbox.asana import planseed, seed, statusupdates, tables
from pmosync.sandbox.state import State


def add_subtasks(state: State, parent: str, number: int, created_at: datetime, depth: int = 1) -> list[str]:
    """Put `number` subtasks under a task, and under the last of them again as many, `depth` times; gives the gids."""
    made: list[str] = []
    for level in range(1, depth + 1):
        for n in range(1, number + 1):
            name = f"Step {level}.{n}"
            made.append(seed.add_task(state, name, created_at=created_at, modified_at=created_at, parent=parent))
        parent = made[-1]
    return made


def archive_project(state: State, project: str, archived: bool = True) -> None:
    """Put a project into the archive, or take it out."""
    tables.update(state, "project", project, {"archived": int(archived)})


def set_subtype(state: State, task: str, resource_subtype: str) -> None:
    """Make a task one of any subtype, also of one that the vendor has not invented yet."""
    tables.update(state, "task", task, {"resource_subtype": resource_subtype})


ORDERS: dict[str, Callable[..., Any]] = {
    "add_allocation": planseed.add_allocation,
    "add_brief": planseed.add_brief,
    "add_budget": planseed.add_budget,
    "add_custom_type": planseed.add_custom_type,
    "add_dependency": seed.add_dependency,
    "add_field": seed.add_field,
    "add_goal": planseed.add_goal,
    "add_goal_relationship": planseed.add_goal_relationship,
    "add_placeholder": planseed.add_placeholder,
    "add_portfolio": seed.add_portfolio,
    "add_portfolio_item": seed.add_portfolio_item,
    "add_project": seed.add_project,
    "add_section": seed.add_section,
    "add_setting": seed.add_setting,
    "add_status_update": statusupdates.add_status_update,
    "add_subtasks": add_subtasks,
    "add_tag": seed.add_tag,
    "add_task": seed.add_task,
    "add_team": planseed.add_team,
    "add_template": planseed.add_template,
    "add_time_entry": planseed.add_time_entry,
    "add_time_periods": planseed.add_time_periods,
    "add_token": seed.add_token,
    "add_user": seed.add_user,
    "archive_project": archive_project,
    "give_type": planseed.give_type,
    "make_from_template": planseed.make_from_template,
    "place": seed.place,
    "set_subtype": set_subtype,
    "set_value": seed.set_value,
    "share_with_team": planseed.share_with_team,
}
