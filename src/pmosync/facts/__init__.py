"""Compute facts: values about a task or project that come from its neighbours, its people and the calendar.

Each set of facts is one SELECT with an optional join to what was touched, so the full and the partial pass are the same
text. Facts never contain today: what depends on the day is an expression over them.

| fact | from |
|---|---|
| children, children_open, last_child_done_on | tasks of the same site that name this one as their parent |
| parent_found, parent_due_on | the task that this one names as its parent; not found: once all of the site was read |
| open_preds, latest_pred_due_on | tasks that this one waits for by a finish-to-start link, neither done nor cancelled |
| undated_external_preds | those of them that belong to another project and have no due_on, though they could |
| dup_titles | other open tasks of its project with its title and its parent |
| children_started, mitigations_open | its children, and for a risk what it waits for as well |
| dated_links, leads, lags, other_links | its links from open tasks, by what their dates and types say |
| in_cycle, cycle | strongly connected components of the links (networkx, linear in tasks and links) |
| missing_pred, missing_succ | links of open pieces of work; unknown where no links are read |
| finish_w, least_w, late_w, after_w, end_w | the network pass (`pmosync.network`), for total_float and is_critical |
| assignee_active | the assignee's account |
| logged_h, logged_on | the time booked on it; empty where nobody asks for that |
| due_w | working days up to and including due_on, in the organisation's calendar; empty outside 1995 to 2049 |
| missing_logic_share, unresourced_share | the project's open pieces of work |
| leads, lag_share, non_fs_share | the links of the project's open tasks |
| hard_constraint_share, milestones_open | the project's open pieces of work, and its open milestones |
| critical_path_ok | the network pass |
| end_w, end_least_w, due_w | when the last of the project is finished by plan, and its due date, for cpli |
| workdays, due_is_workday | the same calendar, between start_on and due_on, and around due_on |
| project_has_epics | the tasks of its project; kept with the project, and all its tasks are touched when it turns |
| tasks, open_tasks, mapping_coverage, max_task_due_on | the project's tasks, each counted once |
| wip, oldest_started_on | its items that are in progress or blocked |
| open_risks, open_issues, open_changes, top_risk_score, risk_exposure | its open records of these types |
| execution_tasks_started, exception_reports_open, last_activity_on | the project's tasks, and its exception_url |
| bac, ev, ac and what follows from them | the project's baseline (`pmosync.earned`), kept in tables of their own |
| allocated_people, allocated_until_on | the time of people promised to it; empty where nobody asks for that |
| baseline_start_on, baseline_due_on, baseline_estimate_h, slip_d | the lines of the baseline of the task's project |
| baseline_on to approved_change_share | the baseline of the project, and what was added to it since |
| owner_absent_d | the absences of its owner in the people file, between start_on and due_on |
| what persons, roles and portfolios have | see `pmosync.facts.load` |

Pace, cycle times and forecasts depend on the day: `pmosync.flow` keeps them in tables of their own, with their day.

A fact that was read from an unobserved task says so in its `…_observed` companion.
"""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import Connection, Executable, Select, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from pmosync import earned, flow, network
from pmosync.facts.baselines import keep_scope, with_baseline, with_scope
from pmosync.facts.circles import find_circles
from pmosync.facts.days import keep_calendar, working_day
from pmosync.facts.load import derive_load
from pmosync.facts.projects import project_facts
from pmosync.facts.tasks import task_facts
from pmosync.model import BIT
from pmosync.store.tables import project, project_fact, task, task_fact, task_project, touched

__all__ = ["begin_day", "derive", "keep_calendar", "working_day"]


def derive(connection: Connection, *, everything: bool, links_changed: bool) -> None:
    """Bring the facts up to date: of all subjects, or of the touched ones."""
    if everything or links_changed:
        find_circles(connection)
    network.refresh(connection, everything=everything)
    flow.refresh(connection, everything=everything)
    keep_scope(connection, everything=everything)
    _write(connection, everything=everything)
    if _members(connection, everything=everything) and not everything:
        _write(connection, everything=False)
    earned.refresh(connection, everything=everything)
    derive_load(connection, everything=everything)


def begin_day(connection: Connection) -> None:
    """Bring what depends on the day up to that of the sites, when nothing else changed."""
    flow.refresh(connection, everything=True)
    derive_load(connection, everything=True)


def _write(connection: Connection, *, everything: bool) -> None:
    """Compute the rows of all subjects, or of the touched ones."""
    if not everything:
        connection.exec_driver_sql("ANALYZE touched")
    for statement in _writing(everything):
        connection.execute(statement)


@functools.cache
def _writing(everything: bool) -> tuple[Executable, ...]:
    """Kept: to put them together takes longer than to run them for a few touched subjects."""
    statements: list[Executable] = []
    for table, key, facts, own in (
        (task_fact, task_fact.c.task_id, with_baseline(task_facts()), task.c.id),
        (project_fact, project_fact.c.project_id, with_scope(project_facts()), project.c.id),
    ):
        here = select(touched.c.subject_id).where(touched.c.subject == own.table.name)
        names = [column.name for column in facts.selected_columns]
        statements.append(delete(table) if everything else delete(table).where(key.in_(here)))
        statements.append(table.insert().from_select(names, facts if everything else facts.where(own.in_(here))))
    return tuple(statements)


def _members(connection: Connection, *, everything: bool) -> bool:
    """Which fields the tasks of each project offer, and whether it has epics; where that changed, all its tasks are
    touched. Returns whether it did."""
    moved = connection.execute(_turned(everything)).all()
    for number, now, has_epics in moved:
        values = {"task_offered": now, "has_epics": has_epics}
        connection.execute(update(project).where(project.c.id == number).values(**values))
        members = select(literal("task"), task.c.id, literal(1)).where(task.c.project_id == number)
        statement = insert(touched).from_select(["subject", "subject_id", "data"], members)
        connection.execute(statement.on_conflict_do_nothing())
    return bool(moved)


@functools.cache
def _turned(everything: bool) -> Select[Any]:
    """The projects whose tasks offer other fields than before, or that got an epic or lost the last one: of all
    projects, or of the touched ones and those of touched tasks."""
    bits = BIT["task"].values()
    mask = sum((func.max(task.c.offered.op("&")(bit)) for bit in bits), literal(0))
    epics = func.max(case((task.c.type == "epic", 1), else_=0))
    rows = (
        select(task_project.c.project_id, mask.label("mask"), epics.label("epics"))
        .join(task, task.c.id == task_project.c.task_id)
        .group_by(task_project.c.project_id)
    )
    if not everything:
        tasks = select(touched.c.subject_id).where(touched.c.subject == "task")
        projects = select(touched.c.subject_id).where(touched.c.subject == "project")
        theirs = select(task_project.c.project_id).where(task_project.c.task_id.in_(tasks))
        rows = rows.where(task_project.c.project_id.in_(projects.union(theirs)))
    found = rows.subquery()
    return (
        select(project.c.id, found.c.mask, found.c.epics)
        .join(found, found.c.project_id == project.c.id)
        .where(or_(project.c.task_offered != found.c.mask, project.c.has_epics != found.c.epics))
    )
