"""Compute what people have to do and can do, by week and month, and what portfolios look like as a whole.

| fact | from |
|---|---|
| open_tasks, wip, unplanned_tasks | the tasks assigned to any account of a person |
| allocated_h of a week | what is left of their open pieces of work, spread over the working days that each has left |
| capacity_h | working days less absences, times the hours of a day |
| promised_h | the time promised to projects, on the working days that it is promised for |
| demand_h, requested_h, capacity_h of a month | the same by month, of all people who work as the same |
| projects, open_tasks, top_priority_share, reported_red_share | the facts of the projects of a portfolio |

What is left of a task is its estimate less what was spent or booked on it, at least 0. It is spread evenly over the
working days from start_on (from this week's Monday, when that is later or there is no start_on) to due_on. Overdue work
is to be done this week; work between whose dates nobody works, on its due day. Working days are differences of the
calendar's running count, so a task costs the same however long it takes. The first week is kept in `period`: a new day
derives everything, so facts say nothing of today. Persons are derived in full or as far as they were touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Float,
    Select,
    and_,
    case,
    cast,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.sqlite import insert

from pmosync.facts.days import working_day
from pmosync.facts.groups import EACH, add_up_portfolios, filled, hours, role_statements
from pmosync.network import CLOSED
from pmosync.store.people import (
    absence,
    account,
    human,
    human_fact,
    period,
    person_month,
    person_week,
    role_month,
)
from pmosync.store.tables import allocation, calendar, site, task, task_fact, touched
from pmosync.workdays import date_of, day_number

WEEKS = 12
MONTHS = 4
"""This month and the three after it: never less than the twelve weeks."""
_MONDAY = day_number(dt.date(1970, 1, 5))


def derive_load(connection: Connection, *, everything: bool) -> None:
    """Bring the facts of persons, roles and portfolios up to date: of all, or of the touched ones."""
    if everything:
        _look_ahead(connection)
    for statement in (*_statements(everything), *role_statements(everything), *_touching()):
        connection.execute(statement)
    add_up_portfolios(connection)


@cache
def _statements(everything: bool) -> tuple[Executable, ...]:
    """Put what is known of everybody, or of the touched ones, in the place of what was."""
    here = select(touched.c.subject_id).where(touched.c.subject == "person")

    def among(number: ColumnElement[int]) -> ColumnElement[bool]:
        return true() if everything else number.in_(here)

    found: list[Executable] = [delete(human_fact).where(among(human_fact.c.human_id))]
    found.append(filled(human_fact, _person_facts().where(among(human.c.id))))
    for table, kind in ((person_week, "week"), (person_month, "month")):
        names = [column.name for column in table.c if column.name != "url"]
        rows = _periods(kind, names, among(account.c.human_id)).where(among(human.c.id))
        found += [delete(table).where(among(table.c.human_id)), filled(table, rows)]
    return tuple(found)


@cache
def _touching() -> tuple[Executable, ...]:
    """Touch the weeks and the roles of touched persons."""
    weeks = select(literal("person_week"), person_week.c.id, touched.c.data).join(
        touched, and_(touched.c.subject == "person", touched.c.subject_id == person_week.c.human_id)
    )
    months = (
        select(literal("role_month"), role_month.c.id, func.max(touched.c.data))
        .join(human, human.c.role == role_month.c.role)
        .join(touched, and_(touched.c.subject == "person", touched.c.subject_id == human.c.id))
        .group_by(role_month.c.id)
    )
    return tuple(
        insert(touched).from_select(["subject", "subject_id", "data"], rows.where(true())).on_conflict_do_nothing()
        for rows in (weeks, months)
    )


# --- weeks and months -------------------------------------------------------------------------------------------------


def _look_ahead(connection: Connection) -> None:
    """The weeks and months from the present one on; without a day that was judged there are none."""
    connection.execute(delete(period))
    today = connection.scalar(select(func.max(site.c.today)))
    if today is None:
        return
    monday = today - (today - _MONDAY) % 7
    rows = [_week(connection, monday + 7 * ahead) for ahead in range(WEEKS)]
    rows += [_month(connection, monday, ahead) for ahead in range(MONTHS)]
    connection.execute(
        period.insert(), [row for row in rows if row["before_w"] is not None and row["last_w"] is not None]
    )


def _week(connection: Connection, monday: int) -> dict[str, Any]:
    label = date_of(monday).isoformat()
    return _period(connection, "week", (monday - _MONDAY) // 7, label, monday, monday, monday + 6)


def _month(connection: Connection, monday: int, ahead: int) -> dict[str, Any]:
    """A month; the first one is that in which this week ends, and counts from this week's Monday on."""
    present = date_of(monday + 6)
    no = present.year * 12 + present.month - 1 + ahead
    first, after = (dt.date(number // 12, number % 12 + 1, 1) for number in (no, no + 1))
    begin = day_number(first) if ahead else monday
    return _period(connection, "month", no, f"{first:%Y-%m}", day_number(first), begin, day_number(after) - 1)


def _period(
    connection: Connection, kind: str, no: int, label: str, start_on: int, from_on: int, to_on: int
) -> dict[str, Any]:
    return {
        "kind": kind,
        "no": no,
        "label": label,
        "start_on": start_on,
        "from_on": from_on,
        "to_on": to_on,
        "before_w": working_day(connection, from_on - 1),
        "last_w": working_day(connection, to_on),
    }


# --- what people have -------------------------------------------------------------------------------------------------

_begin, _end = calendar.alias("begin"), calendar.alias("end")


def _is_piece() -> ColumnElement[bool]:
    """Whether hours and progress are its own: a summary has those of its parts, a milestone none."""
    return and_(func.coalesce(task.c.type, "task") != "milestone", func.coalesce(task_fact.c.children, 0) == 0)


def _is_request() -> ColumnElement[bool]:
    return func.coalesce(task.c.type, "task") == "request"


def _is_open() -> ColumnElement[bool]:
    return func.coalesce(task.c.status, "").not_in(CLOSED)


def _person_facts() -> Select[Any]:
    """The facts of everybody, whatever accounts they have."""
    there = task.c.id.is_not(None)
    piece = and_(there, _is_open(), _is_piece())
    planned = and_(task.c.estimate_h.is_not(None), calendar.c.n.is_not(None))
    return (
        select(
            human.c.id.label("human_id"),
            func.count(task.c.id).label("tasks"),
            _count(and_(there, _is_open())).label("open_tasks"),
            _count(and_(piece, ~_is_request(), task.c.status == "in_progress")).label("wip"),
            _count(and_(piece, planned)).label("planned_tasks"),
            _count(and_(piece, ~planned)).label("unplanned_tasks"),
            func.coalesce(func.min(task.c.observed), 1).label("work_observed"),
        )
        .select_from(human)
        .outerjoin(account, account.c.human_id == human.c.id)
        .outerjoin(task, and_(task.c.site == account.c.site, task.c.assignee == account.c.rid))
        .outerjoin(task_fact, task_fact.c.task_id == task.c.id)
        .outerjoin(calendar, calendar.c.day == task.c.due_on)
        .group_by(human.c.id)
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _pieces(theirs: ColumnElement[bool]) -> Any:
    """What is left of each open piece of work, whose it is, and from when to when it is to be done."""
    this_week = select(func.min(period.c.from_on)).scalar_subquery()
    spent, logged = func.coalesce(task.c.spent_h, 0.0), func.coalesce(task_fact.c.logged_h, 0.0)
    left = task.c.estimate_h - case((logged > spent, logged), else_=spent)
    overdue = task.c.due_on < this_week
    begin_on = case(
        (overdue, this_week),
        (task.c.start_on > task.c.due_on, task.c.due_on),
        (task.c.start_on > this_week, task.c.start_on),
        else_=this_week,
    )
    end_on = case((overdue, this_week + 6), else_=task.c.due_on)
    return (
        select(
            account.c.human_id,
            left.label("left_h"),
            _is_request().label("is_request"),
            begin_on.label("begin_on"),
            end_on.label("end_on"),
            _begin.c.n.label("begin_w"),
            _end.c.n.label("end_w"),
        )
        .select_from(account)
        .join(task, and_(task.c.site == account.c.site, task.c.assignee == account.c.rid))
        .join(task_fact, task_fact.c.task_id == task.c.id)
        .join(_begin, _begin.c.day == begin_on - 1)
        .join(_end, _end.c.day == end_on)
        .where(theirs, _is_open(), _is_piece(), left > 0)
        .subquery("piece")
    )


def _work(kind: str, theirs: ColumnElement[bool]) -> Any:
    """The hours of everybody in each week or month in which they have any."""
    piece = _pieces(theirs)
    worked = _within(piece.c.begin_w, piece.c.end_w)
    share = case(
        (piece.c.end_w > piece.c.begin_w, cast(worked, Float) / (piece.c.end_w - piece.c.begin_w)),
        (piece.c.end_on.between(period.c.from_on, period.c.to_on), 1.0),
        else_=0.0,
    )
    part = piece.c.left_h * share
    meets = and_(period.c.kind == kind, period.c.from_on <= piece.c.end_on, period.c.to_on >= piece.c.begin_on)
    return (
        select(
            piece.c.human_id,
            period.c.no,
            hours(func.sum(case((piece.c.is_request, 0.0), else_=part))).label("allocated_h"),
            hours(func.sum(case((piece.c.is_request, part), else_=0.0))).label("requested_h"),
        )
        .join(period, meets)
        .group_by(piece.c.human_id, period.c.no)
        .subquery("work")
    )


def _within(begin_w: ColumnElement[Any], end_w: ColumnElement[Any]) -> ColumnElement[Any]:
    """Working days after one position, up to another, that lie in a week or month."""
    low = case((begin_w > period.c.before_w, begin_w), else_=period.c.before_w)
    high = case((end_w < period.c.last_w, end_w), else_=period.c.last_w)
    return case((high > low, high - low), else_=0)


# --- what people can do -----------------------------------------------------------------------------------------------


def _capacity() -> Any:
    """The hours of a person in a week or month, without holidays and absences."""
    begin_w, end_w = _in_calendar(absence.c.start_on, absence.c.end_on)
    away = (
        select(func.coalesce(func.sum(_within(begin_w, end_w)), 0))
        .select_from(absence)
        .outerjoin(_begin, _begin.c.day == absence.c.start_on - 1)
        .outerjoin(_end, _end.c.day == absence.c.end_on)
        .where(
            absence.c.human_id == human.c.id,
            absence.c.start_on <= period.c.to_on,
            absence.c.end_on >= period.c.from_on,
        )
        .correlate(human, period)
        .scalar_subquery()
    )
    return hours(_per_day(human.c.hours_per_week) * (period.c.last_w - period.c.before_w - away))


def _promised() -> Any:
    """The hours of a person in a week that are promised to projects."""
    begin_w, end_w = _in_calendar(allocation.c.start_on, allocation.c.end_on)
    weekly = func.coalesce(allocation.c.share * human.c.hours_per_week, allocation.c.weekly_s / 3600.0)
    mine = (
        select(func.sum(_per_day(weekly) * _within(begin_w, end_w)))
        .select_from(account)
        .join(allocation, and_(allocation.c.site == account.c.site, allocation.c.person == account.c.rid))
        .outerjoin(_begin, _begin.c.day == allocation.c.start_on - 1)
        .outerjoin(_end, _end.c.day == allocation.c.end_on)
        .where(
            account.c.human_id == human.c.id,
            allocation.c.start_on <= period.c.to_on,
            allocation.c.end_on >= period.c.from_on,
        )
        .correlate(human, period)
        .scalar_subquery()
    )
    return hours(mine)


def _in_calendar(start_on: ColumnElement[Any], end_on: ColumnElement[Any]) -> tuple[Any, Any]:
    """The positions of a first and a last day, as far as they matter for a week or month: the rest may lie outside."""
    begin_w = case((start_on <= period.c.from_on, period.c.before_w), else_=_begin.c.n)
    return begin_w, case((end_on >= period.c.to_on, period.c.last_w), else_=_end.c.n)


def _per_day(weekly: ColumnElement[Any]) -> ColumnElement[Any]:
    return weekly / cast(human.c.days_per_week, Float)


def _periods(kind: str, names: Collection[str], theirs: ColumnElement[bool]) -> Select[Any]:
    """What everybody has to do and can do in each week or month: the columns of these names.

    People without any task, of whom the people file says nothing, are left out.
    """
    work = _work(kind, theirs)
    unknown = and_(human_fact.c.planned_tasks == 0, human_fact.c.unplanned_tasks > 0)
    seen = select(func.min(site.c.allocations_observed)).join(account, account.c.site == site.c.name)
    columns: dict[str, ColumnElement[Any]] = {
        "id": human.c.id * EACH + period.c.no,
        "human_id": human.c.id,
        "site": human.c.site,
        "key": human.c.key,
        "title": func.coalesce(human.c.title, human.c.key).concat(", week of ").concat(period.c.label),
        "no": period.c.no,
        f"{kind}_on": period.c.start_on,
        "role": human.c.role,
        "listed": human.c.listed,
        "allocated_h": case((unknown, null()), else_=func.coalesce(work.c.allocated_h, 0.0)),
        "requested_h": case((unknown, null()), else_=func.coalesce(work.c.requested_h, 0.0)),
        "capacity_h": _capacity(),
        "promised_h": _promised(),
        "work_observed": human_fact.c.work_observed,
        "promises_observed": func.coalesce(
            seen.where(account.c.human_id == human.c.id).correlate(human).scalar_subquery(), 1
        ),
    }
    return (
        select(*(columns[name].label(name) for name in names))
        .select_from(human)
        .join(human_fact, human_fact.c.human_id == human.c.id)
        .join(period, period.c.kind == kind)
        .outerjoin(work, and_(work.c.human_id == human.c.id, work.c.no == period.c.no))
        .where(or_(human_fact.c.tasks > 0, human.c.listed == 1))
    )
