"""Gives the generated organisation's Asana what stands beside its tasks: teams, templates, briefs, money, goals, time.

Nothing of it changes a task, a date or a field: two of its five projects plan in detail, one is nobody's team's.
"""

from __future__ import annotations

from collections.abc import Mapping

from pmosync.sandbox.asana import planseed
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.state import State

TEAMS = {"Marketing": ("BRAND", "EVT"), "Workplace": ("HQ", "ONB")}
FROM_TEMPLATE = ("BRAND", "HQ", "SUS")
BRIEFS = {
    "BRAND": ("Everything our customers see looks like one bank.", "The old logo is nowhere to be found by autumn."),
    "SUS": ("We report what the directive asks for.", "The auditors sign the report without a remark."),
}
"""What each brief says: why the project is done, and how it is known to be done."""
BUDGETS = {"BRAND": ("time", 120_000), "EVT": ("cost", 240_000)}
"""The type and the total, in minutes or in money."""
GOALS = {"Known and trusted by every customer": ("BRAND", "EVT"), "A sustainable place to work": ("HQ", "SUS")}
ALLOCATIONS = {"BRAND": (60, 40), "EVT": (50, 50), "HQ": (30,)}
"""How many per cent of the first members of each team are planned on a project."""
PLANNED = (-28, 56)


def write_plans(
    state: State,
    organisation: Organisation,
    days: Days,
    people: list[str],
    projects: Mapping[str, str],
    gids: Mapping[int, str],
) -> None:
    """`projects` are the gids by key, `gids` those of the tasks by identity."""
    leads = {key: people[organisation.leads[key]] for key in projects}
    template = planseed.add_template(state, "PMO project", owner=people[0], description="How we start a project.")
    for name, keys in TEAMS.items():
        members = {people[person] for key in keys for person in organisation.teams[key]}
        team = planseed.add_team(state, name, members=sorted(members))
        for key in keys:
            planseed.share_with_team(state, projects[key], team)
    for key in FROM_TEMPLATE:
        planseed.make_from_template(state, projects[key], template)
    for key, (why, done) in BRIEFS.items():
        text = f"Why\n{why}\nDone when\n{done}"
        html = f"<body><h2>Why</h2>{why}\n<h2>Done when</h2>{done}</body>"
        planseed.add_brief(state, projects[key], "Project brief", text, html)
    for key, (kind, total) in BUDGETS.items():
        planseed.add_budget(state, projects[key], kind, total=total, actual_filter="any", estimate_filter="any")
    periods = planseed.add_time_periods(state, days.as_of.year)
    for name, keys in GOALS.items():
        supported_by = [("project", projects[key]) for key in keys]
        planseed.add_goal(
            state, name, people[0], created_at=days.at(-120), status="green", time_period=periods["FY"],
            start_on=f"{days.as_of.year}-01-01", due_on=f"{days.as_of.year}-12-31", supported_by=supported_by,
        )  # fmt: skip
    _allocate(state, organisation, days, people, projects, leads)
    _book(state, days, people, projects, gids, organisation.tasks)


def _allocate(
    state: State, organisation: Organisation, days: Days, people: list[str], projects: Mapping[str, str],
    leads: Mapping[str, str],
) -> None:  # fmt: skip
    first, last = (str(days.text(day)) for day in PLANNED)
    for key, shares in ALLOCATIONS.items():
        for person, share in zip(organisation.teams[key], shares, strict=False):
            planseed.add_allocation(
                state, projects[key], people[person], first, last, effort=share, created_by=leads[key]
            )
    sought = planseed.add_placeholder(state, "Designer")
    planseed.add_allocation(
        state, projects["BRAND"], sought, first, last, effort_type="hours", effort=120, created_by=leads["BRAND"]
    )


def _book(
    state: State, days: Days, people: list[str], projects: Mapping[str, str], gids: Mapping[int, str],
    tasks: list[Task],
) -> None:  # fmt: skip
    """Half of what was estimated is booked on what is under way in the projects with a budget."""
    for n, task in enumerate(tasks):
        if task.project.key not in BUDGETS or task.status != "in_progress" or not task.estimate_h:
            continue
        if task.assignee is None:
            continue
        at, user, minutes = days.at(task.updated, n), people[task.assignee], int(task.estimate_h * 30)
        for part in (minutes // 2, minutes - minutes // 2):
            planseed.add_time_entry(
                state, gids[id(task)], user, part, at.date().isoformat(), created_at=at,
                project=projects[task.project.key],
            )  # fmt: skip
