"""Keeps pace, cycle times and forecasts in tables, each row with the day that it was computed for.

A pass over a few projects and one over all of them are the same text: they differ in which projects are asked about. A
forecast is computed again only when the day, the pace or what is left is another one than that it was computed from.
What moves an answer about tasks touches them, so that they are judged again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, delete, func, literal, or_, select
from sqlalchemy.dialects.sqlite import insert

from pmosync.flow.forecast import CHANCES, days_until
from pmosync.model import BIT
from pmosync.network import CLOSED, STARTED
from pmosync.store import insert_all, upsert
from pmosync.store.tables import project, project_pace, site, task, task_project, touched, type_pace

PACE_D = 84
"""The days before today, twelve weeks, whose pace is taken: whole weeks, so that each weekday counts alike."""
LEAST_D = 14
"""Of a younger project nobody knows the pace."""
LEAST_FINISHED = 11
"""Fewer finished items say nothing about the next one."""


def is_item(of: FromClause) -> ColumnElement[bool]:
    """What the pace counts: work, and none of its steps (sub-tasks), headings (epics, milestones) and records."""
    return kind_of(of) == "task"


def kind_of(of: FromClause) -> ColumnElement[str]:
    """The type of a task; where none is mapped, all of them are work."""
    return func.coalesce(of.c.type, "task")


def refresh(connection: Connection, *, everything: bool) -> None:
    """Bring the pace of the touched projects up to date, or of all of them."""
    here = select(project.c.id)
    if everything:
        for table in (project_pace, type_pace):
            connection.execute(delete(table).where(table.c.project_id.not_in(here)))
    else:
        changed = select(touched.c.subject_id).where(touched.c.subject == "project")
        here = here.where(project.c.id.in_(changed))
    _keep_paces(connection, here)
    _keep_cycles(connection, here)


# --- pace and forecast ------------------------------------------------------------------------------------------------


def _keep_paces(connection: Connection, here: Select[Any]) -> None:
    stored = {
        row.project_id: (row.day, row.inputs)
        for row in connection.execute(select(project_pace).where(project_pace.c.project_id.in_(here)))
    }
    finished = _finished(connection, here)
    rows = []
    for number, today, left, first, dated in connection.execute(_left(here)):
        days = min(PACE_D, today - first) if dated and first is not None else 0
        counts = [finished[number].get(today - before, 0) for before in range(1, days + 1)]
        inputs = f"{left} of {' '.join(map(str, counts))}"
        if stored.get(number) != (today, inputs):
            rows.append({"project_id": number, "day": today, "inputs": inputs, **_pace(today, left, counts)})
        stored.pop(number, None)
    upsert(connection, project_pace, rows)
    for begin in range(0, len(stored), 5000):  # what is left of them holds no work any more
        some = list(stored)[begin : begin + 5000]
        connection.execute(delete(project_pace).where(project_pace.c.project_id.in_(some)))


def _pace(today: int, left: int, counts: Sequence[int]) -> dict[str, Any]:
    """What is told about a project, from what was finished on each day before today; None is not known."""
    known = len(counts) >= LEAST_D
    dates: list[int | None] = [None for _ in CHANCES]
    if known and left and sum(counts) >= LEAST_FINISHED:
        dates = [today + days for days in days_until(left, counts, CHANCES)]
    return {
        "throughput_week": sum(counts) / len(counts) * 7 if known else None,
        "p50_finish_on": dates[0],
        "p85_finish_on": dates[1],
    }


def _left(here: Select[Any]) -> Select[Any]:
    """Of each project its day, the open items, the first day that anything is known of, whether finishes have days."""
    still_open = or_(task.c.status.is_(None), task.c.status.not_in(CLOSED))
    born = case(
        (and_(task.c.status == "done", task.c.done_on < task.c.created_day), task.c.done_on), else_=task.c.created_day
    )
    return (
        select(
            project.c.id,
            site.c.today,
            func.sum(case((and_(is_item(task), still_open), 1), else_=0)),
            func.min(func.coalesce(born, task.c.done_on)),
            func.max(task.c.offered.op("&")(BIT["task"]["done_on"])),
        )
        .join(site, site.c.name == project.c.site)
        .join(task_project, task_project.c.project_id == project.c.id)
        .join(task, task.c.id == task_project.c.task_id)
        .where(project.c.id.in_(here))
        .group_by(project.c.id)
    )


def _finished(connection: Connection, here: Select[Any]) -> defaultdict[int, dict[int, int]]:
    """How many items were finished on each of the days before today, by project."""
    counts: defaultdict[int, dict[int, int]] = defaultdict(dict)
    rows = _recent(task_project.c.project_id, task.c.done_on, func.count()).where(is_item(task), project.c.id.in_(here))
    for number, day, count in connection.execute(rows.group_by(task_project.c.project_id, task.c.done_on)):
        counts[number][day] = count
    return counts


def _recent(*columns: ColumnElement[Any]) -> Select[Any]:
    """Work that was finished on the days before today that count."""
    return (
        select(*columns)
        .select_from(project)
        .join(site, site.c.name == project.c.site)
        .join(task_project, task_project.c.project_id == project.c.id)
        .join(task, task.c.id == task_project.c.task_id)
        .where(task.c.status == "done", task.c.done_on.between(site.c.today - PACE_D, site.c.today - 1))
    )


# --- cycle times ------------------------------------------------------------------------------------------------------


def _keep_cycles(connection: Connection, here: Select[Any]) -> None:
    """Within how many days 85 of 100 items of a type were finished, by nearest rank."""
    kind, cycle = kind_of(task), task.c.done_on - task.c.started_on + 1
    same = (task_project.c.project_id, kind)
    ranked = (
        _recent(
            task_project.c.project_id,
            kind.label("type"),
            cycle.label("cycle_p85_d"),
            func.row_number().over(partition_by=same, order_by=cycle).label("rank"),
            func.count().over(partition_by=same).label("finished"),
        )
        .where(task.c.started_on <= task.c.done_on, project.c.id.in_(here))
        .subquery()
    )
    asked = select(ranked.c.project_id, ranked.c.type, ranked.c.cycle_p85_d).where(
        ranked.c.finished >= LEAST_FINISHED, ranked.c.rank == (85 * ranked.c.finished + 99) // 100
    )
    known = select(type_pace).where(type_pace.c.project_id.in_(here))
    before = {(row.project_id, row.type): row.cycle_p85_d for row in connection.execute(known)}
    now = {(row.project_id, row.type): row.cycle_p85_d for row in connection.execute(asked)}
    moved: defaultdict[str, list[int]] = defaultdict(list)
    for number, name in before.keys() | now.keys():
        if before.get((number, name)) != now.get((number, name)):
            moved[name].append(number)
    for name, numbers in moved.items():
        for begin in range(0, len(numbers), 5000):
            some = numbers[begin : begin + 5000]
            gone = and_(type_pace.c.type == name, type_pace.c.project_id.in_(some))
            connection.execute(delete(type_pace).where(gone))
            _touch(connection, name, some)
    rows = [
        {"project_id": number, "type": name, "cycle_p85_d": days}
        for (number, name), days in now.items()
        if before.get((number, name)) != days
    ]
    insert_all(connection, type_pace, rows)


def _touch(connection: Connection, name: str, numbers: Sequence[int]) -> None:
    """Look again at the work of this type that goes on in these projects, for the reason for which they were touched.

    In a pass over everything, that is those where data changed; the others are looked at anyway.
    """
    owner = touched.alias("owner")
    works = (
        select(literal("task"), task.c.id, owner.c.data)
        .select_from(task)
        .join(owner, and_(owner.c.subject == "project", owner.c.subject_id == task.c.project_id))
        .where(task.c.project_id.in_(numbers), kind_of(task) == name, task.c.status.in_(STARTED))
    )
    statement = insert(touched).from_select(["subject", "subject_id", "data"], works)
    stronger = case((statement.excluded.data > touched.c.data, statement.excluded.data), else_=touched.c.data)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_={"data": stronger})
    )
