"""What the day makes of started, blocked and finished work, as expressions over tables that never contain today.

Days are days of the calendar: work that goes on over a weekend gets older on it. What depends on the pace of a project
is looked up where it is kept with its day (`pmosync.flow`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, select

from pmosync.flow import kind_of
from pmosync.model import Subject
from pmosync.network import STARTED
from pmosync.store.tables import project, project_fact, project_pace, site, task, type_pace


def _paced(name: str) -> ColumnElement[Any]:
    here = project_pace.c.project_id == project.c.id
    return select(project_pace.c[name]).where(here).correlate(project).scalar_subquery()


def _within(number: ColumnElement[Any], kind: Any, of: Table) -> ColumnElement[Any]:
    here = and_(type_pace.c.project_id == number, type_pace.c.type == kind)
    return select(type_pace.c.cycle_p85_d).where(here).correlate(of).scalar_subquery()


FLOW: Mapping[Subject, Mapping[str, Callable[[], ColumnElement[Any]]]] = {
    "task": {
        "cycle_d": lambda: case((task.c.status == "done", task.c.done_on - task.c.started_on + 1)),
        "age_d": lambda: case((task.c.status.in_(STARTED), site.c.today - task.c.started_on)),
        "blocked_d": lambda: case((task.c.status == "blocked", site.c.today - task.c.status_since_day)),
        "cycle_p85_d": lambda: _within(task.c.project_id, kind_of(task), task),
    },
    "project": {
        "oldest_d": lambda: site.c.today - project_fact.c.oldest_started_on,
        "cycle_p85_d": lambda: _within(project.c.id, "task", project),
        "throughput_week": lambda: _paced("throughput_week"),
        "p50_finish_on": lambda: _paced("p50_finish_on"),
        "p85_finish_on": lambda: _paced("p85_finish_on"),
    },
}
"""Facts about the flow of work, by subject and name."""
