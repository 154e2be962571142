"""Facts of projects, as one SELECT over their tasks: each column is called as in the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, or_, select

from pmosync.facts.governing import governing
from pmosync.facts.tasks import is_open
from pmosync.flow import is_item
from pmosync.model import BIT, HARD
from pmosync.network import STARTED
from pmosync.store.tables import (
    allocation,
    calendar,
    container,
    project,
    project_network,
    site,
    task,
    task_fact,
    task_network,
    task_project,
)

_bound = calendar.alias("bound")
"""The working days up to the project's due date."""


def project_facts() -> Select[Any]:
    """The facts of every project."""
    readable = case((task.c.gaps == 0, 1.0), else_=0.0)
    is_task = task.c.id.is_not(None)
    return (
        select(
            project.c.id.label("project_id"),
            func.count(task.c.id).label("tasks"),
            _count(is_open(task)).label("open_tasks"),
            cast(func.avg(case((is_task, readable))), Float).label("mapping_coverage"),
            func.max(case((is_open(task), task.c.due_on))).label("max_task_due_on"),
            _count(and_(is_open(task), task.c.priority == "critical")).label("top_tasks"),
            _count(and_(is_open(task), task.c.priority.is_not(None))).label("ranked_tasks"),
            *_promised(),
            *_schedule(),
            *_links(),
            _count(and_(is_open(task), task.c.type == "milestone")).label("milestones_open"),
            *_going(),
            *_records(),
            *governing(),
            func.coalesce(func.min(task_fact.c.network_observed), 1).label("network_observed"),
        )
        .select_from(project)
        .outerjoin(task_project, task_project.c.project_id == project.c.id)
        .outerjoin(task, task.c.id == task_project.c.task_id)
        .outerjoin(task_fact, task_fact.c.task_id == task.c.id)
        .outerjoin(task_network, task_network.c.task_id == task.c.id)
        .outerjoin(project_network, project_network.c.project_id == project.c.id)
        .outerjoin(_bound, _bound.c.day == project.c.due_on)
        .group_by(project.c.id)
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(task.c.id.is_not(None), condition), 1), else_=0)), 0)


def _promised() -> tuple[Any, ...]:
    """The time of people that is promised to it."""
    promised = and_(
        container.c.project_id == project.c.id,
        allocation.c.site == container.c.site,
        allocation.c.project == container.c.rid,
    )
    named = allocation.c.site.concat("/").concat(allocation.c.person)
    people = select(func.count(named.distinct())).where(promised).correlate(project).scalar_subquery()
    last_day = select(func.max(allocation.c.end_on)).where(promised).correlate(project).scalar_subquery()
    seen = (
        select(func.min(site.c.allocations_observed))
        .join(container, container.c.site == site.c.name)
        .where(container.c.project_id == project.c.id)
        .correlate(project)
        .scalar_subquery()
    )
    offered = project.c.offered
    return (
        case((offered.op("&")(BIT["project"]["allocated_people"]) != 0, people)).label("allocated_people"),
        case((offered.op("&")(BIT["project"]["allocated_until_on"]) != 0, last_day)).label("allocated_until_on"),
        func.coalesce(seen, 1).label("allocations_observed"),
    )


def _schedule() -> tuple[Any, ...]:
    """What the network says of its open pieces of work."""
    lacks = or_(task_fact.c.missing_pred == 1, task_fact.c.missing_succ == 1)
    asked = and_(task_fact.c.is_work == 1, task_fact.c.missing_pred.is_not(None))
    planned = and_(task_fact.c.is_work == 1, task_fact.c.workdays >= 1)
    staffed = and_(planned, task.c.offered.op("&")(BIT["task"]["assignee"]) != 0)
    linked = and_(task_network.c.task_id.is_not(None), is_open(task))
    counted = or_(task_fact.c.is_work == 1, linked, and_(task.c.type == "milestone", is_open(task)))
    undated = func.sum(case((and_(linked, task_fact.c.finish_w.is_(None)), 1), else_=0))
    return (
        share(asked, lacks).label("missing_logic_share"),
        share(staffed, task.c.assignee.is_(None)).label("unresourced_share"),
        func.max(project_network.c.critical_path_ok).label("critical_path_ok"),
        func.max(_bound.c.n).label("due_w"),
        case((undated == 0, func.max(case((counted, task_fact.c.finish_w))))).label("end_w"),
        case((undated == 0, func.max(case((counted, task_fact.c.least_w))))).label("end_least_w"),
    )


def _links() -> tuple[Any, ...]:
    """What kinds of links lead to its open tasks, and how many of its dates do not go by them."""
    read = and_(is_open(task), task.c.linkable == 1)
    dated = func.nullif(func.sum(case((read, task_fact.c.dated_links))), 0)
    typed = and_(is_open(task), task.c.links_typed == 1)
    links = func.nullif(func.sum(case((typed, task_fact.c.other_links + task_fact.c.open_preds))), 0)
    told = and_(task_fact.c.is_work == 1, task.c.offered.op("&")(BIT["task"]["date_constraint"]) != 0)
    return (
        case((dated > 0, func.sum(case((read, task_fact.c.leads))))).label("leads"),
        (cast(func.sum(case((read, task_fact.c.lags))), Float) / dated).label("lag_share"),
        (cast(func.sum(case((typed, task_fact.c.other_links))), Float) / links).label("non_fs_share"),
        share(told, task.c.date_constraint.in_(HARD)).label("hard_constraint_share"),
    )


def _going() -> tuple[Any, ...]:
    """What of its items is going on, and since when."""
    going = and_(is_item(task), task.c.status.in_(STARTED))
    return (
        func.coalesce(func.sum(case((going, 1), else_=0)), 0).label("wip"),
        func.min(case((going, task.c.started_on))).label("oldest_started_on"),
    )


def _records() -> tuple[Any, ...]:
    """Its open risks, issues and changes."""
    counts = (
        func.coalesce(func.sum(case((and_(task.c.type == kind, is_open(task)), 1), else_=0)), 0).label(name)
        for kind, name in (("risk", "open_risks"), ("issue", "open_issues"), ("change", "open_changes"))
    )
    score = case((and_(task.c.type == "risk", is_open(task)), task.c.risk_score))
    return (*counts, func.max(score).label("top_risk_score"), func.sum(score).label("risk_exposure"))


def share(among: Any, which: Any) -> ColumnElement[float]:
    """How many of them, 0 to 1; unknown where there are none."""
    return cast(func.avg(case((and_(among, which), 1.0), (among, 0.0))), Float)
