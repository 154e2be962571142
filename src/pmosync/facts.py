"""Compute facts: values about a task or project that come from its neighbours, its people and the calendar.

Each set of facts is one SELECT with an optional join to what was touched, so the full and the partial pass are the same
text. Facts never contain today: what depends on the day is an expression over them.

| fact | from |
|---|---|
| children, children_open | tasks of the same site that name this one as their parent |
| open_preds, latest_pred_due_on | tasks that this one waits for by a finish-to-start link, neither done nor cancelled |
| in_cycle, cycle | strongly connected components of the links (networkx, linear in tasks and links) |
| missing_pred, missing_succ | links of open pieces of work; unknown where no links are read |
| finish_w, least_w, late_w, after_w, end_w | the network pass (`pmosync.network`), for total_float and is_critical |
| assignee_active | the assignee's account |
| logged_h, logged_on | the time booked on it; empty where nobody asks for that |
| due_w | working days up to and including due_on, in the organisation's calendar; empty outside 1995 to 2049 |
| tasks, open_tasks, mapping_coverage | the project's tasks, each counted once |
| missing_logic_share, unresourced_share | the project's open pieces of work |
| critical_path_ok | the network pass |
| end_w, end_least_w, due_w | when the last of the project is finished by plan, and its due date, for cpli |
| allocated_people, allocated_until_on | the time of people promised to it; empty where nobody asks for that |

A fact that was read from an unobserved task says so in its `…_observed` companion.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import networkx as nx
from sqlalchemy import Connection, Float, and_, case, cast, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from pmosync import network
from pmosync.model import BIT
from pmosync.network import CLOSED, is_work, length_w, worked_days
from pmosync.store import read_meta, write_meta
from pmosync.store.tables import (
    allocation,
    calendar,
    container,
    link,
    person,
    project,
    project_fact,
    project_network,
    site,
    task,
    task_cycle,
    task_fact,
    task_network,
    task_project,
    touched,
    worklog,
)
from pmosync.workdays import Workdays, day_number

FIRST_DAY = day_number(dt.date(1995, 1, 1))
LAST_DAY = day_number(dt.date(2049, 12, 31))
_begin, _bound = calendar.alias("begin"), calendar.alias("bound")
SHOWN_IN_CYCLE = 6
"""A circle is shown by at most this many keys."""


def keep_calendar(connection: Connection, workdays: Workdays) -> bool:
    """Write the working-day index when the calendar is not the stored one; returns whether it changed."""
    if read_meta(connection, "calendar") == workdays.hash:
        return False
    connection.execute(delete(calendar))
    index = workdays.index(FIRST_DAY, LAST_DAY)
    connection.execute(calendar.insert(), [{"day": FIRST_DAY + i, "n": n} for i, n in enumerate(index)])
    write_meta(connection, "calendar", workdays.hash)
    return True


def derive(connection: Connection, *, everything: bool, links_changed: bool) -> None:
    """Bring the facts up to date: of all subjects, or of the touched ones."""
    if everything or links_changed:
        _cycles(connection)
    network.refresh(connection, everything=everything)
    _write(connection, everything=everything)
    if _offered(connection) and not everything:
        _write(connection, everything=False)


def _write(connection: Connection, *, everything: bool) -> None:
    """Compute the rows of all subjects, or of the touched ones."""
    touched_tasks = select(touched.c.subject_id).where(touched.c.subject == "task")
    touched_projects = select(touched.c.subject_id).where(touched.c.subject == "project")
    if everything:
        connection.execute(delete(task_fact))
        connection.execute(delete(project_fact))
    else:
        connection.exec_driver_sql("ANALYZE touched")
        connection.execute(delete(task_fact).where(task_fact.c.task_id.in_(touched_tasks)))
        connection.execute(delete(project_fact).where(project_fact.c.project_id.in_(touched_projects)))
    facts = _task_facts()
    connection.execute(
        task_fact.insert().from_select(
            [column.name for column in task_fact.c],
            facts if everything else facts.where(task.c.id.in_(touched_tasks)),
        )
    )
    shares = _project_facts()
    connection.execute(
        project_fact.insert().from_select(
            [column.name for column in project_fact.c],
            shares if everything else shares.where(project.c.id.in_(touched_projects)),
        )
    )


def _offered(connection: Connection) -> bool:
    """Which task fields each project offers; where that changed, all its tasks are touched. Returns whether it did."""
    bits = BIT["task"].values()
    mask = sum((func.max(task.c.offered.op("&")(bit)) for bit in bits), literal(0))
    found = (
        select(task_project.c.project_id, mask.label("mask"))
        .join(task, task.c.id == task_project.c.task_id)
        .group_by(task_project.c.project_id)
        .subquery()
    )
    moved = connection.execute(
        select(project.c.id, found.c.mask)
        .join(found, found.c.project_id == project.c.id)
        .where(project.c.task_offered != found.c.mask)
    ).all()
    for number, now in moved:
        connection.execute(update(project).where(project.c.id == number).values(task_offered=now))
        members = select(literal("task"), task.c.id, literal(1)).where(task.c.project_id == number)
        statement = insert(touched).from_select(["subject", "subject_id", "data"], members)
        connection.execute(statement.on_conflict_do_nothing())
    return bool(moved)


def _children() -> Any:
    """What hangs under each task, by site and parent."""
    child = task.alias("child")
    return (
        select(
            func.count().label("children"),
            func.coalesce(func.sum(case((child.c.status.not_in(CLOSED), 1), else_=0)), 0).label("children_open"),
            func.coalesce(func.min(child.c.observed), 1).label("children_observed"),
            child.c.site,
            child.c.parent,
        )
        .where(child.c.parent.is_not(None))
        .group_by(child.c.site, child.c.parent)
        .subquery("children")
    )


def _preds() -> Any:
    """What each task waits for, by site and successor; two links between the same two count once."""
    pairs = select(link.c.site, link.c.pred, link.c.succ).distinct().subquery("pairs")
    pred = task.alias("pred")
    return (
        select(
            pairs.c.site,
            pairs.c.succ,
            func.sum(case((pred.c.status.not_in(CLOSED), 1), else_=0)).label("open_preds"),
            func.max(case((pred.c.status.not_in(CLOSED), pred.c.due_on))).label("latest_pred_due_on"),
            func.min(pred.c.observed).label("preds_observed"),
        )
        .join(pred, and_(pred.c.site == pairs.c.site, pred.c.rid == pairs.c.pred))
        .group_by(pairs.c.site, pairs.c.succ)
        .subquery("preds")
    )


def _task_facts() -> Any:
    children, preds = _children(), _preds()
    preds_observed = func.coalesce(preds.c.preds_observed, 1)
    # Looked up task by task: grouped, all of them would be added up for a few touched ones.
    booked = and_(worklog.c.site == task.c.site, worklog.c.task == task.c.rid)
    hours = select(func.coalesce(func.sum(worklog.c.seconds), 0.0) / 3600.0).where(booked).scalar_subquery()
    last_day = select(func.max(worklog.c.day)).where(booked).scalar_subquery()
    return (
        select(
            task.c.id,
            person.c.active,
            calendar.c.n,
            func.coalesce(children.c.children, 0),
            func.coalesce(children.c.children_open, 0),
            func.coalesce(children.c.children_observed, 1),
            func.coalesce(preds.c.open_preds, 0),
            preds.c.latest_pred_due_on,
            preds_observed,
            case((task_cycle.c.task_id.is_not(None), 1), else_=0),
            task_cycle.c.cycle,
            func.coalesce(task_cycle.c.observed, preds_observed),
            case((task.c.offered.op("&")(BIT["task"]["logged_h"]) != 0, hours)),
            case((task.c.offered.op("&")(BIT["task"]["logged_on"]) != 0, last_day)),
            *_network_facts(),
            func.coalesce(task_network.c.observed, 1) * preds_observed * func.coalesce(children.c.children_observed, 1),
        )
        .select_from(task)
        .outerjoin(task_network, task_network.c.task_id == task.c.id)
        .outerjoin(_begin, _begin.c.day == task.c.start_on - 1)
        .outerjoin(project, project.c.id == task.c.project_id)
        .outerjoin(_bound, _bound.c.day == project.c.due_on)
        .outerjoin(person, and_(person.c.site == task.c.site, person.c.rid == task.c.assignee))
        .outerjoin(calendar, calendar.c.day == task.c.due_on)
        .outerjoin(children, and_(children.c.site == task.c.site, children.c.parent == task.c.rid))
        .outerjoin(preds, and_(preds.c.site == task.c.site, preds.c.succ == task.c.rid))
        .outerjoin(task_cycle, task_cycle.c.task_id == task.c.id)
    )


def _network_facts() -> tuple[Any, ...]:
    """From missing_pred to end_least_w; a task without links stands alone, by its own dates."""
    work = is_work(task)
    linked = task_network.c.task_id.is_not(None)
    length = length_w(task, calendar.c.n, _begin.c.n)
    alone = and_(task.c.linkable == 1, task.c.status.not_in(CLOSED), length.is_not(None), calendar.c.n.is_not(None))
    own = {
        "finish_w": calendar.c.n,
        "least_w": case((length > 1, length), else_=1),
        "late_w": _bound.c.n,
        "after_w": literal(0),
    }
    return (
        case((and_(work, task.c.linkable == 1), case((_has_link(link.c.succ, link.c.pred), 0), else_=1))),
        case((and_(work, task.c.linkable == 1), case((_has_link(link.c.pred, link.c.succ), 0), else_=1))),
        worked_days(task, calendar.c.n, _begin.c.n),
        case((work, 1), else_=0),
        *(case((linked, task_network.c[name]), (alone, value)) for name, value in own.items()),
        task_network.c.end_w,
        task_network.c.end_least_w,
    )


def _has_link(own: Any, others: Any) -> Any:
    """Whether a link leads to work that is not cancelled; of work that is not read here, nobody knows that it is."""
    other = task.alias("other")
    cancelled = exists().where(other.c.site == link.c.site, other.c.rid == others, other.c.status == "cancelled")
    return exists().where(link.c.site == task.c.site, own == task.c.rid, ~cancelled)


def _project_facts() -> Any:
    readable = case((task.c.gaps == 0, 1.0), else_=0.0)
    still_open = or_(task.c.status.is_(None), task.c.status.not_in(CLOSED))
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
    return (
        select(
            project.c.id,
            func.count(task.c.id),
            func.coalesce(func.sum(case((and_(task.c.id.is_not(None), still_open), 1), else_=0)), 0),
            cast(func.avg(case((task.c.id.is_not(None), readable))), Float),
            case((project.c.offered.op("&")(BIT["project"]["allocated_people"]) != 0, people)),
            case((project.c.offered.op("&")(BIT["project"]["allocated_until_on"]) != 0, last_day)),
            func.coalesce(seen, 1),
            *_schedule_facts(still_open),
            func.coalesce(func.min(task_fact.c.network_observed), 1),
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


def _schedule_facts(still_open: Any) -> tuple[Any, ...]:
    """From missing_logic_share to end_least_w: over the open pieces of work of the project."""
    lacks = or_(task_fact.c.missing_pred == 1, task_fact.c.missing_succ == 1)
    asked = and_(task_fact.c.is_work == 1, task_fact.c.missing_pred.is_not(None))
    planned = and_(task_fact.c.is_work == 1, task_fact.c.work_w >= 1)
    staffed = and_(planned, task.c.offered.op("&")(BIT["task"]["assignee"]) != 0)
    linked = and_(task_network.c.task_id.is_not(None), still_open)
    counted = or_(task_fact.c.is_work == 1, linked, and_(task.c.type == "milestone", still_open))
    undated = func.sum(case((and_(linked, task_fact.c.finish_w.is_(None)), 1), else_=0))
    return (
        _share(asked, lacks),
        _share(staffed, task.c.assignee.is_(None)),
        func.max(project_network.c.critical_path_ok),
        func.max(_bound.c.n),
        case((undated == 0, func.max(case((counted, task_fact.c.finish_w))))),
        case((undated == 0, func.max(case((counted, task_fact.c.least_w))))),
    )


def _share(among: Any, which: Any) -> Any:
    """How many of them, 0 to 1; unknown where there are none."""
    return cast(func.avg(case((and_(among, which), 1.0), (among, 0.0))), Float)


def _cycles(connection: Connection) -> None:
    """Find circles of links; touch the tasks that came to stand in one, left one, or whose circle changed."""
    before = {row.task_id: (row.cycle, row.observed) for row in connection.execute(select(task_cycle))}
    rows = _circles(connection)
    connection.execute(delete(task_cycle))
    if rows:
        connection.execute(task_cycle.insert(), rows)
    now = {row["task_id"]: (row["cycle"], row["observed"]) for row in rows}
    moved = [number for number in before.keys() | now.keys() if before.get(number) != now.get(number)]
    if moved:
        statement = insert(touched).on_conflict_do_nothing()
        connection.execute(statement, [{"subject": "task", "subject_id": number, "data": 1} for number in moved])


def _circles(connection: Connection) -> list[dict[str, Any]]:
    pred, succ = task.alias("pred"), task.alias("succ")
    edges = (
        select(pred.c.id, succ.c.id)
        .select_from(link)
        .join(pred, and_(pred.c.site == link.c.site, pred.c.rid == link.c.pred))
        .join(succ, and_(succ.c.site == link.c.site, succ.c.rid == link.c.succ))
        .distinct()
    )
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from(tuple(row) for row in connection.execute(edges))
    groups = [
        members
        for members in nx.strongly_connected_components(graph)
        if len(members) > 1 or graph.has_edge(*(list(members) * 2))
    ]
    ids = [number for members in groups for number in members]
    known: dict[int, tuple[str, int]] = {}
    for begin in range(0, len(ids), 5000):
        wanted = select(task.c.id, task.c.key, task.c.observed).where(task.c.id.in_(ids[begin : begin + 5000]))
        known.update((number, (key, observed)) for number, key, observed in connection.execute(wanted))
    rows = []
    for members in groups:
        shown = _walk(graph, members, known)
        observed = min(known[number][1] for number in members)
        rows += [{"task_id": number, "cycle": shown, "observed": observed} for number in members]
    return rows


def _walk(graph: Any, members: set[int], known: dict[int, tuple[str, int]]) -> str:
    """One circle through the members, by their keys, beginning with the smallest id so that the text is stable."""
    start = min(members)
    part = graph.subgraph(members)
    path = [start]
    for after in sorted(part.successors(start)):
        path = [start, *nx.shortest_path(part, after, start)]
        break
    keys = [known[number][0] for number in path]
    if len(keys) > SHOWN_IN_CYCLE:
        keys = [*keys[: SHOWN_IN_CYCLE - 1], "…", keys[-1]]
    return " → ".join(keys)


def working_day(connection: Connection, day: int) -> int | None:
    """The working-day index of a day, None outside the calendar."""
    return connection.scalar(select(calendar.c.n).where(calendar.c.day == literal(day)))
