"""Facts of tasks and projects against their baselines.

What was added is compared in hours where at least half of the baselined and half of the added work is estimated, else
in tasks. Only leaves count (nobody's parent), so that nothing is added up twice, and what is broken out of a baselined
leaf is no addition.
"""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Select, and_, case, cast, delete, exists, func, literal, select
from sqlalchemy.dialects.sqlite import insert

from pmosync.network import is_planned, is_work
from pmosync.store.tables import (
    calendar,
    project,
    project_baseline,
    project_scope,
    task,
    task_baseline,
    task_project,
    touched,
)

ESTIMATED_FROM = 0.5
"""Work is compared in hours when so much of it, before and after, has an estimate."""
_base, _now, _then = calendar.alias("base"), calendar.alias("now"), calendar.alias("then")
_of_project = project_baseline.alias("of_project")


def with_baseline(facts: Select[Any]) -> Select[Any]:
    """The facts of tasks, and what the baseline of the project says of each.

    Another project's baseline says nothing: in this one the task was added.
    """
    slip = case(
        (task.c.status == "cancelled", None),
        (task.c.status == "done", _then.c.n - _base.c.n),
        else_=_now.c.n - _base.c.n,
    )
    own = and_(task_baseline.c.task_id == task.c.id, task_baseline.c.project_id == task.c.project_id)
    return (
        facts.add_columns(
            task_baseline.c.start_on.label("baseline_start_on"),
            task_baseline.c.due_on.label("baseline_due_on"),
            task_baseline.c.estimate_h.label("baseline_estimate_h"),
            slip.label("slip_d"),
            func.coalesce(_of_project.c.observed, 1).label("baseline_observed"),
        )
        .outerjoin(task_baseline, own)
        .outerjoin(_of_project, _of_project.c.project_id == task.c.project_id)
        .outerjoin(_base, _base.c.day == task_baseline.c.due_on)
        .outerjoin(_now, _now.c.day == task.c.due_on)
        .outerjoin(_then, _then.c.day == task.c.done_on)
    )


def with_scope(facts: Select[Any]) -> Select[Any]:
    """The facts of projects, and what became of the plan since it was approved."""
    one, now = project_baseline, project_scope
    hours = and_(
        one.c.effort_h > 0,
        one.c.estimated >= one.c.leaves * ESTIMATED_FROM,
        now.c.added_estimated >= now.c.added * ESTIMATED_FROM,
    )
    tasks = one.c.leaves > 0
    grown = case((hours, now.c.added_h / one.c.effort_h), (tasks, cast(now.c.added, Float) / one.c.leaves))
    changed_h, changed = now.c.change_h + one.c.changes_h, cast(now.c.change_tasks + one.c.changes_tasks, Float)
    told = {
        "baseline_on": one.c.first_set_on,
        "baselined_share": cast(now.c.baselined, Float) / func.nullif(now.c.work, 0),
        "baseline_changed_on": one.c.changed_on,
        "last_change_approved_on": one.c.decided_on,
        "scope_unit": case((hours, "hours"), (tasks, "tasks")),
        "scope_growth": grown,
        "approved_change_share": case((hours, changed_h / one.c.effort_h), (tasks, changed / one.c.leaves)),
        "baseline_observed": func.coalesce(one.c.observed, 1),
    }
    return (
        facts.add_columns(*(func.max(value).label(name) for name, value in told.items()))
        .outerjoin(one, one.c.project_id == project.c.id)
        .outerjoin(now, now.c.project_id == project.c.id)
    )


# --- what became of the plan ------------------------------------------------------------------------------------------


def keep_scope(connection: Connection, *, everything: bool) -> None:
    """Count what was added to each project since its baseline, and what approved changes add.

    A task may become a leaf, or none, by a change in another project: those of all touched tasks are looked at.
    """
    here = select(project_baseline.c.project_id).where(project_baseline.c.set_on.is_not(None))
    if not everything:
        _touch_projects(connection)
        here = here.where(
            project_baseline.c.project_id.in_(select(touched.c.subject_id).where(touched.c.subject == "project"))
        )
    gone = project_scope.c.project_id.not_in(select(project_baseline.c.project_id))
    connection.execute(delete(project_scope).where(project_scope.c.project_id.in_(here) | gone))
    rows = _scopes().where(project_baseline.c.project_id.in_(here))
    connection.execute(insert(project_scope).from_select([column.name for column in project_scope.c], rows))


def _touch_projects(connection: Connection) -> None:
    """Look again at the baselined projects of touched tasks."""
    rows = (
        select(literal("project"), task_project.c.project_id, func.max(touched.c.data))
        .join(touched, and_(touched.c.subject == "task", touched.c.subject_id == task_project.c.task_id))
        .join(project_baseline, project_baseline.c.project_id == task_project.c.project_id)
        .group_by(task_project.c.project_id)
    )
    statement = insert(touched).from_select(["subject", "subject_id", "data"], rows)
    connection.execute(statement.on_conflict_do_nothing())


@functools.cache
def _scopes() -> Select[Any]:
    """One row for each project with a baseline, in the order of the table's columns."""
    child, above = task.alias("child"), task_baseline.alias("above")
    leaf = ~exists().where(child.c.site == task.c.site, child.c.parent == task.c.rid)
    broken_out = exists().where(
        above.c.project_id == project_baseline.c.project_id,
        above.c.site == task.c.site,
        above.c.rid == task.c.parent,
        above.c.leaf == 1,
    )
    known = task_baseline.c.id.is_not(None)
    added = and_(is_planned(task), leaf, ~known, ~broken_out)
    work = is_work(task)
    change = and_(
        task.c.type == "change",
        task.c.status == "done",
        func.coalesce(task.c.decided_on, task.c.done_on, task.c.created_day) > project_baseline.c.set_on,
    )
    count, hours = _changed()
    return (
        select(
            project_baseline.c.project_id,
            _sum(work),
            _sum(and_(work, task_baseline.c.due_on.is_not(None))),
            _sum(added),
            _sum(and_(added, task.c.estimate_h.is_not(None))),
            _sum(added, task.c.estimate_h, 0.0),
            _sum(change, count),
            _sum(change, hours, 0.0),
        )
        .select_from(project_baseline)
        .join(task_project, task_project.c.project_id == project_baseline.c.project_id)
        .join(task, task.c.id == task_project.c.task_id)
        .outerjoin(
            task_baseline,
            and_(task_baseline.c.task_id == task.c.id, task_baseline.c.project_id == task_project.c.project_id),
        )
        .group_by(project_baseline.c.project_id)
    )


def _sum(which: ColumnElement[bool], value: Any = 1, nothing: Any = 0) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((which, value))), nothing)


def _changed() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """How many tasks, and hours, a change adds: what hangs under it; where nothing does, itself."""
    part = task.alias("part")
    under = and_(part.c.site == task.c.site, part.c.parent == task.c.rid, is_planned(part))
    count = select(func.count()).select_from(part).where(under).correlate(task).scalar_subquery()
    hours = select(func.sum(part.c.estimate_h)).where(under).correlate(task).scalar_subquery()
    return case((count > 0, count), else_=1), case((count > 0, hours), else_=task.c.estimate_h)
