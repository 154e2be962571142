"""The rollups of the generated organisation, counted by hand on its own tasks, independently of the product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.sandbox.standards_by_hand import MAPPED, findings, project_findings

from pmosync.sandbox.organisation.plan import Organisation, Task
from pmosync.sandbox.organisation.portfolio import PROJECTS, ProjectPlan
from pmosync.sandbox.organisation.to_asana import REPORTED

ENDED = ("done", "cancelled")
ON_TRACK, GROWN = "on_track", ("BRAND", "HQ")
"""What managers report of work that goes well, and the projects that have outgrown what was agreed for them."""


def rollups(organisation: Organisation, severities: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By the name of each project and program, and `all`."""
    broken = {id(task): ids for task, ids in findings(organisation)}
    of_projects = Counter[str]()
    about: dict[str, list[str]] = {}
    watermelons = [(key, "GOV606") for key in GROWN if REPORTED[key][0] == ON_TRACK]
    for key, standard in project_findings(organisation) + watermelons:
        about.setdefault(key, []).append(standard)
        of_projects[key] += 1

    def told(projects: Iterable[ProjectPlan]) -> dict[str, Any]:
        mine = list(projects)
        tasks = [task for task in organisation.tasks if task.kind != "separator" and _within(task, mine)]
        ids = [standard for task in tasks for standard in broken[id(task)]]
        ids += [standard for project in mine for standard in about.get(project.key, [])]
        return _count(organisation, tasks, ids, severities, broken) | {"projects": len(mine)}

    found = {project.name: told([project]) for project in PROJECTS}
    for program in dict.fromkeys(project.program for project in PROJECTS):
        found[program] = told(project for project in PROJECTS if project.program == program)
    return found | {"all": told(PROJECTS)}


def _within(task: Task, projects: list[ProjectPlan]) -> bool:
    """A task in several projects is in each of them, and so is what is below it."""
    line: Task | None = task
    while line is not None:
        if line.project in projects or any(project in projects for project in line.also_in):
            return True
        line = line.parent
    return False


def _count(
    organisation: Organisation,
    tasks: list[Task],
    ids: list[str],
    severities: dict[str, str],
    broken: dict[int, list[str]],
) -> dict[str, Any]:
    status = {id(task): MAPPED[task.status] for task in tasks}
    going = [task for task in tasks if status[id(task)] not in ENDED]
    counted = [task for task in tasks if status[id(task)] != "cancelled"]
    parents = {id(task.parent) for task in organisation.tasks if task.parent and task.kind != "separator"}
    leaves = [task for task in counted if id(task) not in parents]
    done = [task for task in tasks if status[id(task)] == "done"]
    effort = sum(task.estimate_h or 0 for task in leaves)
    effort_done = sum(task.estimate_h or 0 for task in leaves if task in done)
    failing = [task for task in counted if broken[id(task)]]
    due = [task for task in counted if task.due is not None and task.due < 0]
    by_severity = Counter(severities[standard] for standard in ids)
    return {
        "tasks": len(tasks),
        "open": len(going),
        "done": len(done),
        "cancelled": len(tasks) - len(counted),
        "blocked": sum(status[id(task)] == "blocked" for task in tasks),
        "late": sum(task.due is not None and task.due < 0 for task in going),
        "progress": round(len(done) / len(counted), 2),
        "effort_h": effort,
        "effort_done_h": effort_done,
        "progress_effort": round(effort_done / effort, 2),
        "compliance": round(1 - len(failing) / len(counted), 2),
        "findings": dict(by_severity),
        "due": len(due),
        "due_done": sum(task in done for task in due),
    }
