"""Gives some of the organisation's Jira projects releases and sprints, and puts their work into them.

Where a task goes follows from its own dates alone, so nothing else of the organisation depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pmosync.sandbox.jira import planning, seed
from pmosync.sandbox.organisation.calendar import Days
from pmosync.sandbox.organisation.plan import Task
from pmosync.sandbox.state import State

SPRINT = "customfield_10020"
RELEASES = {
    "PAY": (("Closed pilot", -45), ("Launch", 35), ("Follow-up", 90)),
    "LOAN": (("1.0", -40), ("1.1", 21), ("2.0", 75)),
}
"""Versions of a project: name, and the day of the release."""
DROPPED = {"PAY": ("Old numbering", -80)}
"""A version that was archived, with nothing in it."""
TEAMS = ("PAY", "MOB")
"""Projects that work in sprints, on a scrum board."""
BEGINS = (-47, -33, -19, -5, 9)
"""The days on which sprints begin: three were completed, one is under way, one is to come; a last one has no dates."""
LENGTH = 14
WORK = ("story", "task", "bug")


@dataclass(frozen=True)
class Releases:
    """The ids of what was made, by project: versions with their days, and sprints in their order."""

    versions: dict[str, list[tuple[int, dict[str, str]]]]
    sprints: dict[str, list[dict[str, Any]]]

    def fields(self, task: Task) -> dict[str, Any]:
        """The version in which a task is due, and the sprints that it was and is in."""
        found: dict[str, Any] = {}
        due = task.due
        fitting = [one for day, one in self.versions.get(task.project.key, ()) if due is not None and due <= day]
        if fitting and task.kind != "subtask":
            found["fixVersions"] = fitting[:1]
        if task.project.key in self.sprints and task.kind in WORK and task.start is not None:
            found[SPRINT] = self._sprints(task, task.start) or None
        return found

    def _sprints(self, task: Task, start: int) -> list[dict[str, Any]]:
        """From the sprint in which the work begins; what is not finished is carried into the active one."""
        sprints = self.sprints[task.project.key]
        first = max((n for n, begin in enumerate(BEGINS) if begin <= start), default=None)
        if first is None:
            return []
        active = len(BEGINS) - 2
        if start >= BEGINS[-1] + LENGTH:
            return sprints[-1:]
        if not task.open or first >= active:
            return [sprints[first]]
        return [sprints[first], sprints[active]]


def release(state: State, days: Days) -> Releases:
    """Make the versions, boards and sprints."""
    seed.add_field(state, SPRINT, "Sprint", planning.SPRINT_SCHEMA)
    versions: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for key, releases in RELEASES.items():
        for name, day in releases:
            number = planning.add_version(state, key, name, release_on=days.on(day), released=day < 0)
            versions.setdefault(key, []).append((day, {"id": str(number), "name": name}))
    for key, (name, day) in DROPPED.items():
        planning.add_version(state, key, name, release_on=days.on(day), archived=True)
    return Releases(versions, {key: _sprints_of(state, key, days) for key in TEAMS})


def _sprints_of(state: State, key: str, days: Days) -> list[dict[str, Any]]:
    board = planning.add_board(state, f"{key} board", key)
    found = []
    for number, begin in enumerate((*BEGINS, None), 1):
        dates: dict[str, Any] = {}
        status = "future"
        if begin is not None:
            end = begin + LENGTH
            status = "closed" if end <= 0 else "active" if begin <= 0 else "future"
            dates = {"start_at": days.at(begin), "end_at": days.at(end)}
            dates |= {"complete_at": days.at(end - 1)} if status == "closed" else {}
        name = f"{key} Sprint {number}"
        sprint = planning.add_sprint(state, board, name, status, goal=f"Everything planned for {name}", **dates)
        found.append({"id": sprint, "name": name})
    return found
