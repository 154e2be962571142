"""Facts of tasks, as one SELECT: each column is called as in the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select

from pmosync.model import BIT
from pmosync.network import CLOSED, STARTED, is_work, length_w, worked_days
from pmosync.store.people import absence, account, human
from pmosync.store.tables import (
    calendar,
    link,
    other_link,
    person,
    project,
    site,
    task,
    task_cycle,
    task_network,
    worklog,
)

_begin, _bound, _before_due, _freed = (calendar.alias(name) for name in ("begin", "bound", "before_due", "freed"))
"""The working days up to the day before the start, the due date of the project, the day before the due date, and the
finish of the latest that it waits for."""


def is_open(one: Any) -> ColumnElement[bool]:
    """Neither done nor cancelled; a status that could not be read is neither."""
    return or_(one.c.status.is_(None), one.c.status.not_in(CLOSED))


def task_facts() -> Select[Any]:
    """The facts of every task."""
    children, preds, others = _children(), _preds(), _others()
    parent = task.alias("parent")
    preds_observed = func.coalesce(preds.c.preds_observed, 1)
    children_observed = func.coalesce(children.c.children_observed, 1)
    return (
        select(
            task.c.id.label("task_id"),
            person.c.active.label("assignee_active"),
            func.coalesce(children.c.children, 0).label("children"),
            func.coalesce(children.c.children_open, 0).label("children_open"),
            children.c.last_child_done_on,
            func.coalesce(children.c.children_started, 0).label("children_started"),
            children_observed.label("children_observed"),
            func.coalesce(preds.c.open_preds, 0).label("open_preds"),
            preds.c.latest_pred_due_on,
            func.coalesce(preds.c.undated_external_preds, 0).label("undated_external_preds"),
            *_links(preds, others),
            preds_observed.label("preds_observed"),
            case((task_cycle.c.task_id.is_not(None), 1), else_=0).label("in_cycle"),
            task_cycle.c.cycle,
            func.coalesce(task_cycle.c.observed, preds_observed).label("cycle_observed"),
            *_days(),
            _away().label("owner_absent_d"),
            *_booked(),
            *_of_parent(parent),
            *_twins(),
            *_network(),
            _mitigations(children.c.children_open, preds.c.open_preds).label("mitigations_open"),
            (
                func.coalesce(task_network.c.observed, 1)
                * preds_observed
                * children_observed
                * func.coalesce(others.c.others_observed, 1)
            ).label("network_observed"),
        )
        .select_from(task)
        .outerjoin(task_network, task_network.c.task_id == task.c.id)
        .outerjoin(_begin, _begin.c.day == task.c.start_on - 1)
        .outerjoin(project, project.c.id == task.c.project_id)
        .outerjoin(_bound, _bound.c.day == project.c.due_on)
        .outerjoin(person, and_(person.c.site == task.c.site, person.c.rid == task.c.assignee))
        .outerjoin(calendar, calendar.c.day == task.c.due_on)
        .outerjoin(_before_due, _before_due.c.day == task.c.due_on - 1)
        .outerjoin(parent, and_(parent.c.site == task.c.site, parent.c.rid == task.c.parent))
        .outerjoin(children, and_(children.c.site == task.c.site, children.c.parent == task.c.rid))
        .outerjoin(preds, and_(preds.c.site == task.c.site, preds.c.succ == task.c.rid))
        .outerjoin(others, and_(others.c.site == task.c.site, others.c.succ == task.c.rid))
        .outerjoin(_freed, _freed.c.day == preds.c.latest_pred_due_on)
        .outerjoin(task_cycle, task_cycle.c.task_id == task.c.id)
    )


def _children() -> Any:
    """What hangs under each task, by site and parent."""
    child = task.alias("child")
    return (
        select(
            func.count().label("children"),
            func.coalesce(func.sum(case((is_open(child), 1), else_=0)), 0).label("children_open"),
            func.coalesce(func.min(child.c.observed), 1).label("children_observed"),
            func.max(child.c.done_on).label("last_child_done_on"),
            func.sum(case((child.c.status.in_((*STARTED, "done")), 1), else_=0)).label("children_started"),
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
    pred, succ = task.alias("pred"), task.alias("succ")
    could_have = pred.c.offered.op("&")(BIT["task"]["due_on"]) != 0
    undated = and_(is_open(pred), pred.c.due_on.is_(None), could_have)
    elsewhere = pred.c.project_id != succ.c.project_id
    dated = and_(is_open(pred), is_open(succ), pred.c.due_on.is_not(None), succ.c.start_on.is_not(None))
    return (
        select(
            pairs.c.site,
            pairs.c.succ,
            func.sum(case((is_open(pred), 1), else_=0)).label("open_preds"),
            func.max(case((is_open(pred), pred.c.due_on))).label("latest_pred_due_on"),
            func.sum(case((and_(undated, elsewhere), 1), else_=0)).label("undated_external_preds"),
            func.sum(case((dated, 1), else_=0)).label("dated_links"),
            func.sum(case((and_(dated, succ.c.start_on <= pred.c.due_on), 1), else_=0)).label("leads"),
            func.min(pred.c.observed).label("preds_observed"),
        )
        .join(pred, and_(pred.c.site == pairs.c.site, pred.c.rid == pairs.c.pred))
        .outerjoin(succ, and_(succ.c.site == pairs.c.site, succ.c.rid == pairs.c.succ))
        .group_by(pairs.c.site, pairs.c.succ)
        .subquery("preds")
    )


def _others() -> Any:
    """The links of other types that lead to each open task, by site and successor."""
    pairs = select(other_link.c.site, other_link.c.pred, other_link.c.succ, other_link.c.type).distinct()
    one, pred, succ = pairs.subquery("typed"), task.alias("earlier"), task.alias("later")
    return (
        select(
            one.c.site,
            one.c.succ,
            func.sum(case((and_(is_open(pred), is_open(succ)), 1), else_=0)).label("other_links"),
            func.min(pred.c.observed).label("others_observed"),
        )
        .join(pred, and_(pred.c.site == one.c.site, pred.c.rid == one.c.pred))
        .join(succ, and_(succ.c.site == one.c.site, succ.c.rid == one.c.succ))
        .group_by(one.c.site, one.c.succ)
        .subquery("others")
    )


def _links(preds: Any, others: Any) -> tuple[Any, ...]:
    """Its links by their kind. It has a lag when all that it waits for is dated, and the latest ends well before it
    begins."""
    late = and_(preds.c.dated_links == preds.c.open_preds, _begin.c.n > _freed.c.n)
    return (
        func.coalesce(preds.c.dated_links, 0).label("dated_links"),
        func.coalesce(preds.c.leads, 0).label("leads"),
        case((late, 1), else_=0).label("lags"),
        func.coalesce(others.c.other_links, 0).label("other_links"),
    )


def _mitigations(below: Any, before: Any) -> ColumnElement[int]:
    """Of a risk, the open tasks below it and those that it waits for, each once."""
    child = task.alias("child")
    twice = (
        select(func.count(link.c.pred.distinct()))
        .select_from(link.join(child, and_(child.c.site == link.c.site, child.c.rid == link.c.pred)))
        .where(link.c.site == task.c.site, link.c.succ == task.c.rid, child.c.parent == task.c.rid, is_open(child))
        .correlate(task)
        .scalar_subquery()
    )
    return case((task.c.type == "risk", func.coalesce(below, 0) + func.coalesce(before, 0) - twice))


def _days() -> tuple[Any, ...]:
    """What the calendar says of its dates."""
    return (
        calendar.c.n.label("due_w"),
        worked_days(task, calendar.c.n, _begin.c.n).label("workdays"),
        (calendar.c.n - _before_due.c.n).label("due_is_workday"),
    )


def _away() -> ColumnElement[Any]:
    """Working days from its start to its due day on which its owner is absent; unknown of whom the people file does not
    know."""
    first, last = calendar.alias("first"), calendar.alias("last")
    low = case((absence.c.start_on <= task.c.start_on, _begin.c.n), else_=first.c.n)
    high = case((absence.c.end_on >= task.c.due_on, calendar.c.n), else_=last.c.n)
    meets = and_(absence.c.start_on <= task.c.due_on, absence.c.end_on >= task.c.start_on)
    return (
        select(func.coalesce(func.sum(high - low), 0))
        .select_from(account)
        .join(human, human.c.id == account.c.human_id)
        .outerjoin(absence, and_(absence.c.human_id == human.c.id, meets))
        .outerjoin(first, first.c.day == absence.c.start_on - 1)
        .outerjoin(last, last.c.day == absence.c.end_on)
        .where(
            account.c.site == task.c.site,
            account.c.rid == task.c.assignee,
            human.c.listed == 1,
            task.c.start_on <= task.c.due_on,
            calendar.c.n.is_not(None),
            _begin.c.n.is_not(None),
        )
        .group_by(human.c.id)
        .correlate(task, calendar, _begin)
        .scalar_subquery()
    )


def _booked() -> tuple[Any, ...]:
    """The time booked on it; looked up task by task: grouped, all of them would be added up for a few touched ones."""
    booked = and_(worklog.c.site == task.c.site, worklog.c.task == task.c.rid)
    hours = select(func.coalesce(func.sum(worklog.c.seconds), 0.0) / 3600.0).where(booked).scalar_subquery()
    last_day = select(func.max(worklog.c.day)).where(booked).scalar_subquery()
    return (
        case((task.c.offered.op("&")(BIT["task"]["logged_h"]) != 0, hours)).label("logged_h"),
        case((task.c.offered.op("&")(BIT["task"]["logged_on"]) != 0, last_day)).label("logged_on"),
    )


def _of_parent(parent: Any) -> tuple[Any, ...]:
    """What is known of the task that it names as its parent; it can be missing only where all of the site was read."""
    found = case((task.c.parent.is_not(None), case((parent.c.id.is_not(None), 1), else_=0)))
    all_read = select(site.c.projects_observed).where(site.c.name == task.c.site).scalar_subquery()
    return (
        found.label("parent_found"),
        parent.c.due_on.label("parent_due_on"),
        case((found == 0, all_read), else_=func.coalesce(parent.c.observed, 1)).label("parent_observed"),
    )


def _twins() -> tuple[Any, ...]:
    """How many other open tasks of its project have its title and its parent, and whether all are observed."""
    twin = task.alias("twin")
    same = and_(
        twin.c.project_id == task.c.project_id,
        twin.c.title == task.c.title,
        twin.c.parent.is_not_distinct_from(task.c.parent),
        twin.c.id != task.c.id,
    )
    count = func.coalesce(func.sum(case((is_open(twin), 1), else_=0)), 0)
    observed = func.coalesce(func.min(twin.c.observed), 1)
    return (
        select(count).where(same).correlate(task).scalar_subquery().label("dup_titles"),
        select(observed).where(same).correlate(task).scalar_subquery().label("titles_observed"),
    )


def _network() -> tuple[Any, ...]:
    """Where it stands among linked work; a task without links stands alone, by its own dates."""
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
    asked = and_(work, task.c.linkable == 1)
    return (
        case((asked, case((_has_link("succ", "pred"), 0), else_=1))).label("missing_pred"),
        case((asked, case((_has_link("pred", "succ"), 0), else_=1))).label("missing_succ"),
        case((work, 1), else_=0).label("is_work"),
        *(case((linked, task_network.c[name]), (alone, value)).label(name) for name, value in own.items()),
        task_network.c.end_w,
        task_network.c.end_least_w,
    )


def _has_link(own: str, others: str) -> Any:
    """Whether a link of any type leads to work that is not cancelled; of work that is not read here, nobody knows that
    it is."""
    return or_(_leads(link, own, others), _leads(other_link, own, others))


def _leads(links: Any, own: str, others: str) -> Any:
    other = task.alias("other")
    cancelled = exists().where(
        other.c.site == links.c.site, other.c.rid == links.c[others], other.c.status == "cancelled"
    )
    return exists().where(links.c.site == task.c.site, links.c[own] == task.c.rid, ~cancelled)
