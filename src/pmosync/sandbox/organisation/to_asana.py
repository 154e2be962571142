"""Writes the generated organisation's Asana projects into the sandbox's Asana.

The bot's token is `sandbox-asana-token`, the nth person's `person-<n>`. A state is told as teams do it: by the
section, the Stage field and the tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pmosync.sandbox.asana import seed
from pmosync.sandbox.asana.statusupdates import add_status_update
from pmosync.sandbox.organisation.asana_plans import write_plans
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.people import BOT_EMAIL, BOT_NAME, email
from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.organisation.portfolio import INACTIVE, PEOPLE, PROJECTS, ProjectPlan
from pmosync.sandbox.state import State

SECTIONS = ("To do", "In progress", "Waiting", "Done")
PLACE = {
    "todo": ("To do", None),
    "in_progress": ("In progress", "Doing"),
    "in_review": ("In progress", "Review"),
    "on_hold": ("Waiting", "Waiting"),
    "done": ("Done", None),
}
SUBTYPE = {"milestone": "milestone", "approval": "approval"}
REPORTED = {
    "BRAND": ("on_track", "Guidelines are with the agency, the website copy is written."),
    "HQ": ("on_track", "All good. The move weekend stands."),
    "EVT": ("at_risk", "The hall is booked, but one keynote speaker has not confirmed yet."),
    "SUS": ("on_track", "Data collection goes on as planned."),
}
"""The last status update of each project. Nobody leads ONB, so nobody reports; HQ is not what its manager says."""
REPORTED_ON = -5
COMMENTS = (
    "Talked to the supplier, we get an answer on Thursday.",
    "First version is in the shared folder, please have a look.",
    "We need one more round with the works council.",
    "Looks good to me 👍",
)


@dataclass(frozen=True)
class Fields:
    """The workspace's custom fields and the options of those that have some."""

    stage: str
    priority: str
    estimate: str
    stages: dict[str, str]
    priorities: dict[str, str]


@dataclass(frozen=True)
class Site:
    """What was made so far: gids by person, project key, section and task."""

    people: list[str]
    bot: str
    fields: Fields
    projects: dict[str, str]
    sections: dict[tuple[str, str], str]


def write_asana(state: State, organisation: Organisation, days: Days) -> None:
    site = _site(state, organisation, days)
    gids: dict[int, str] = {}
    mine = [task for task in organisation.tasks if task.project.tool == "asana"]
    for n, task in enumerate(mine):
        gids[id(task)] = _task(state, task, site, gids, days, n)
    past = (told for n, task in enumerate(mine) for told in _past(task, site, gids[id(task)], days, n))
    seed.add_stories(state, list(past))
    for task in mine:
        for before in task.waits_for:
            seed.add_dependency(state, gids[id(task)], gids[id(before)])
    for n, task in enumerate(task for task in mine if task.status in ("in_progress", "on_hold") and task.assignee):
        if n % 4 == 0:
            author = site.people[task.reporter]
            text = COMMENTS[n // 4 % len(COMMENTS)]
            seed.add_comment(state, gids[id(task)], author, text, created_at=days.at(task.updated, n))
    write_plans(state, organisation, days, site.people, site.projects, gids)


def _site(state: State, organisation: Organisation, days: Days) -> Site:
    seed.add_workspace(state, "Acme")
    bot = seed.add_user(state, BOT_NAME, BOT_EMAIL)
    seed.add_token(state, bot, "sandbox-asana-token")
    people = [seed.add_user(state, name, email(name), active=n not in INACTIVE) for n, name in enumerate(PEOPLE)]
    for n, gid in enumerate(people, 1):
        seed.add_token(state, gid, f"person-{n}")
    fields = _fields(state, people[0])
    site = Site(people, bot, fields, {}, {})
    for project in PROJECTS:
        if project.tool == "asana":
            _project(state, project, organisation, site, days)
    seed.add_portfolio(state, "PMO portfolio", bot, created_at=days.at(-150), items=site.projects.values())
    for program in dict.fromkeys(project.program for project in PROJECTS):
        mine = [
            site.projects[project.key] for project in PROJECTS if project.program == program and project.tool == "asana"
        ]
        seed.add_portfolio(state, program, bot, created_at=days.at(-150), items=mine)
    seed.add_tag(state, "customer facing", created_at=days.at(-200), color="light-green")
    return site


def _fields(state: State, owner: str) -> Fields:
    stages = (("Waiting", "orange"), ("Doing", "blue"), ("Review", "purple"))
    stage = seed.add_field(state, "Stage", "enum", options=stages, asana_created_field="stage", created_by=owner)
    levels = (("High", "red"), ("Medium", "yellow"), ("Low", "aqua"))
    priority = seed.add_field(
        state, "Priority", "enum", options=levels, asana_created_field="priority", notifications=True, created_by=owner
    )
    estimate = seed.add_field(
        state,
        "Estimated time",
        "number",
        number_format="duration",
        asana_created_field="estimated_time",
        created_by=owner,
    )
    return Fields(stage, priority, estimate, seed.options(state, stage), seed.options(state, priority))


def _project(state: State, project: ProjectPlan, organisation: Organisation, site: Site, days: Days) -> None:
    lead = site.people[organisation.leads[project.key]]
    mine = [task for task in organisation.tasks if task.project is project]
    team = {site.people[person]: "editor" for person in organisation.teams[project.key]}
    team |= {lead: "admin", site.bot: "admin" if project.bot_admin else "editor"}
    gid = seed.add_project(
        state,
        project.name,
        lead if project.has_owner else None,
        created_at=days.at(-150),
        notes=f"Part of the program {project.program}.",
        start_on=days.text(min(task.start for task in mine if task.start is not None)),
        due_on=days.text(max(task.due for task in mine if task.due is not None) + 14),
        privacy="private" if project.private else "public_to_workspace",
        members=team,
    )
    site.projects[project.key] = gid
    if project.key in REPORTED:
        status, text = REPORTED[project.key]
        at = days.at(REPORTED_ON)
        add_status_update(state, "project", gid, lead, status, f"Status of {project.name}", text, created_at=at)
    for name in SECTIONS:
        site.sections[project.key, name] = seed.add_section(state, gid, name, created_at=days.at(-150))
    for field in (site.fields.stage, site.fields.priority, site.fields.estimate):
        seed.add_setting(state, "project", gid, field)


def _task(state: State, task: Task, site: Site, gids: dict[int, str], days: Days, n: int) -> str:
    section, stage = PLACE[task.status]
    plain = task.kind in ("separator", "milestone")
    values = {
        site.fields.stage: site.fields.stages[stage] if stage and not plain else None,
        site.fields.priority: None if plain else site.fields.priorities[task.priority],
        site.fields.estimate: int(task.estimate_h * 60) if task.estimate_h else None,
    }
    gid = seed.add_task(
        state,
        task.title,
        created_at=days.at(task.created, n),
        modified_at=days.at(task.updated, n),
        project=None if task.parent else site.projects[task.project.key],
        section=None if task.parent else site.sections[task.project.key, section],
        parent=gids[id(task.parent)] if task.parent else None,
        resource_subtype=SUBTYPE.get(task.kind, "default_task"),
        approval_status="pending" if task.kind == "approval" else None,
        assignee=None if task.assignee is None else site.people[task.assignee],
        created_by=site.people[task.reporter],
        notes=task.notes,
        start_on=days.text(task.start) if task.kind != "milestone" and task.due is not None else None,
        due_on=days.text(task.due),
        completed_at=days.at(task.done, n) if task.done is not None else None,
        completed_by=site.people[task.assignee] if task.done is not None and task.assignee is not None else None,
        is_separator=task.kind == "separator",
        fields=values,
    )
    for other in task.also_in:
        seed.place(state, gid, site.projects[other.key], site.sections[other.key, section])
    return gid


Told = tuple[str, str, str, str, datetime, dict[str, Any]]


def _past(task: Task, site: Site, gid: str, days: Days, n: int) -> Iterator[Told]:
    """What the task's feed tells of how it came to be as it is; as much as its dates say, and no more."""
    made, author = days.at(task.created, n), site.people[task.reporter]
    for project in [] if task.parent else [task.project, *task.also_in]:
        there = {"gid": site.projects[project.key], "resource_type": "project", "name": project.name}
        yield gid, author, "added_to_project", f"added this task to {project.name}", made, {"project": there}
    if task.assignee is None:
        return
    person, name = site.people[task.assignee], PEOPLE[task.assignee]
    told = {"gid": person, "resource_type": "user", "name": name}
    yield gid, author, "assigned", f"assigned to {name}", made, {"assignee": told}
    if task.done is not None:
        yield gid, person, "marked_complete", "completed this task", days.at(task.done, n), {}
