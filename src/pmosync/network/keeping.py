"""Keeps the network in tables: reads the groups of linked tasks that something moved in, and writes their places.

A pass over a few groups and one over all of them are the same text: they differ in what stands in `linked`. What a pass
finds different touches the tasks and their projects, so that their facts are computed and judged again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, literal, or_, select, union
from sqlalchemy.dialects.sqlite import Insert, insert

from pmosync.network.chains import Place, Work, path_holds, solve
from pmosync.network.plans import CLOSED, is_work, length_w
from pmosync.store import insert_all, upsert
from pmosync.store.tables import (
    calendar,
    link,
    linked,
    project,
    project_network,
    task,
    task_network,
    task_project,
    touched,
)

_due, _begin = calendar.alias("due"), calendar.alias("begin")
_pred, _succ = task.alias("pred"), task.alias("succ")


def refresh(connection: Connection, *, everything: bool) -> None:
    """Bring the network up to date: all of it, or the groups in which a task or the due date of a project moved."""
    connection.execute(delete(linked))
    _touch_dated(connection)
    wanted = _all_linked() if everything else _moved(connection)
    connection.execute(insert(linked).from_select(["task_id"], wanted).on_conflict_do_nothing())
    connection.exec_driver_sql("ANALYZE linked")
    _touch(connection, _places(connection))
    _paths(connection, everything=everything)


# --- which tasks ------------------------------------------------------------------------------------------------------


def _pairs(*columns: ColumnElement[Any]) -> Select[Any]:
    """Links between tasks that are read and not cancelled."""
    alive = [func.coalesce(end.c.status, "") != "cancelled" for end in (_pred, _succ)]
    return (
        select(*columns)
        .select_from(link)
        .join(_pred, and_(_pred.c.site == link.c.site, _pred.c.rid == link.c.pred))
        .join(_succ, and_(_succ.c.site == link.c.site, _succ.c.rid == link.c.succ))
        .where(*alive)
    )


@functools.cache
def _all_linked() -> Select[Any]:
    known = select(task_network.c.task_id)  # a task that lost its links has to lose its place
    return select(union(_pairs(_pred.c.id), _pairs(_succ.c.id), known).subquery().c[0]).where(literal(True))


def _moved(connection: Connection) -> Any:
    """The groups, as they were, of what was touched and of what it is linked to now; a new link touches both ends."""
    connection.execute(_near())
    chains = select(task_network.c.chain).where(task_network.c.task_id.in_(select(linked.c.task_id)))
    return select(task_network.c.task_id).where(task_network.c.chain.in_(chains))


@functools.cache
def _near() -> Insert:
    """What was touched and stands in the network, and what it is linked to now."""
    here = select(touched.c.subject_id).where(touched.c.subject == "task")
    ahead = _pairs(_succ.c.id).where(_pred.c.id.in_(here))
    behind = _pairs(_pred.c.id).where(_succ.c.id.in_(here))
    held = select(task_network.c.task_id).where(task_network.c.task_id.in_(here))
    linked_now = [_pairs(end.c.id).where(end.c.id.in_(here)) for end in (_pred, _succ)]
    first = union(held, ahead, behind, *linked_now).subquery()
    return insert(linked).from_select(["task_id"], select(first).where(literal(True)))


def _touch_dated(connection: Connection) -> None:
    """Look again at all tasks of the projects whose due date is not the one that their places were computed with."""
    dated = (
        select(project.c.id)
        .join(project_network, project_network.c.project_id == project.c.id)
        .where(project.c.due_on.is_distinct_from(project_network.c.due_on))
    )
    for number in connection.scalars(dated).all():
        theirs = connection.scalars(select(task.c.id).where(task.c.project_id == number))
        _touch(connection, dict.fromkeys(theirs, True))


# --- places -----------------------------------------------------------------------------------------------------------

_PLACED = ("finish_w", "least_w", "late_w", "after_w", "end_w", "end_least_w", "observed")


def _places(connection: Connection) -> dict[int, bool]:
    """Compute the places of the tasks in `linked`; returns those that stand differently, and whether data moved them.

    A changed calendar or mapping moves places, too; a task of the same group that changed itself is what tells data.
    """
    here = select(linked.c.task_id)
    works, seen = _works(connection)
    network = solve(works, ((pred, succ) for pred, succ in connection.execute(_linked_pairs()) if succ in seen))
    calm: dict[int, int] = {}
    for number, group in network.groups.items():
        calm[group] = min(calm.get(group, 1), seen[number])
    rows = {
        number: {"task_id": number, "chain": group, **_row(network.places.get(number)), "observed": calm[group]}
        for number, group in network.groups.items()
    }
    before = {
        row.task_id: row._asdict()
        for row in connection.execute(select(task_network).where(task_network.c.task_id.in_(here)))
    }
    edited = select(touched.c.subject_id).where(touched.c.subject == "task", touched.c.data == 1)
    changed = set(connection.scalars(edited.where(touched.c.subject_id.in_(here))))
    stirred = {found[number]["chain"] for found in (before, rows) for number in changed if number in found}
    connection.execute(delete(task_network).where(task_network.c.task_id.in_(here)))
    insert_all(connection, task_network, list(rows.values()))
    moved = {}
    for number in before.keys() | rows.keys():
        was, now = before.get(number), rows.get(number)
        if _placed(was) != _placed(now):
            moved[number] = any(one is not None and one["chain"] in stirred for one in (was, now))
    return moved


@functools.cache
def _linked_pairs() -> Select[Any]:
    return _pairs(_pred.c.id, _succ.c.id).where(_pred.c.id.in_(select(linked.c.task_id)))


@functools.cache
def _linked_plans() -> Select[Any]:
    bound = calendar.alias("bound")
    return (
        _plans(bound.c.n.label("bound"))
        .outerjoin(project, project.c.id == task.c.project_id)
        .outerjoin(bound, bound.c.day == project.c.due_on)
        .where(task.c.id.in_(select(linked.c.task_id)))
    )


def _works(connection: Connection) -> tuple[dict[int, Work], dict[int, int]]:
    """The open ones among the tasks in `linked`, and which of all of them are observed."""
    works, seen = {}, {}
    for row in connection.execute(_linked_plans()):
        seen[row.id] = row.observed
        if row.status not in CLOSED:
            works[row.id] = Work(None if row.status is None else row.due, row.length, row.bound)
    return works, seen


def _placed(row: Mapping[str, Any] | None) -> tuple[Any, ...] | None:
    return None if row is None else tuple(row[name] for name in _PLACED)


def _plans(*more: ColumnElement[Any]) -> Select[Any]:
    """What the plan says about tasks: the position of the finish, what is left, whether it is observed."""
    length = length_w(task, _due.c.n, _begin.c.n).label("length")
    return (
        select(task.c.id, task.c.status, _due.c.n.label("due"), length, task.c.observed, *more)
        .select_from(task)
        .outerjoin(_due, _due.c.day == task.c.due_on)
        .outerjoin(_begin, _begin.c.day == task.c.start_on - 1)
    )


def _row(place: Place | None) -> dict[str, int | None]:
    """A done task holds its group together and has no place in it."""
    if place is None:
        return dict.fromkeys(_PLACED)
    return {
        "finish_w": place.finish,
        "least_w": place.least,
        "late_w": place.late,
        "after_w": place.after,
        "end_w": place.end,
        "end_least_w": place.end_least,
    }


def _touch(connection: Connection, moved: Mapping[int, bool]) -> None:
    """Look again at these tasks, and at the projects that they count in."""
    for data in (0, 1):
        numbers = [number for number, by_data in moved.items() if by_data == bool(data)]
        for begin in range(0, len(numbers), 5000):
            some = numbers[begin : begin + 5000]
            tasks = select(literal("task"), task.c.id, literal(data)).where(task.c.id.in_(some))
            theirs = select(literal("project"), task_project.c.project_id, literal(data))
            for rows in (tasks, theirs.where(task_project.c.task_id.in_(some)).distinct()):
                statement = insert(touched).from_select(["subject", "subject_id", "data"], rows)
                stronger = case(
                    (statement.excluded.data > touched.c.data, statement.excluded.data), else_=touched.c.data
                )
                connection.execute(
                    statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_={"data": stronger})
                )


# --- the critical path test -------------------------------------------------------------------------------------------


def _paths(connection: Connection, *, everything: bool) -> None:
    """Test the critical path of the touched projects, or of all; a project is tested by the links inside it."""
    if everything:
        connection.execute(delete(project_network).where(project_network.c.project_id.not_in(_tested(True))))
    last_due, dates = _ends(everything)
    last = {row[0]: row[1] for row in connection.execute(last_due)}
    rows = {
        row.id: {"project_id": row.id, "due_on": row.due_on, "critical_path_ok": None}
        for row in connection.execute(dates)
    }
    for number, works, candidates, pairs in _projects(connection, everything):
        holds = path_holds(works, pairs, last.get(number), candidates)
        rows[number]["critical_path_ok"] = None if holds is None else int(holds)
    upsert(connection, project_network, list(rows.values()))


def _tested(everything: bool) -> Select[tuple[int]]:
    """The projects that are tested: the touched ones, or all."""
    here = select(project.c.id)
    if everything:
        return here
    return here.where(project.c.id.in_(select(touched.c.subject_id).where(touched.c.subject == "project")))


@functools.cache
def _ends(everything: bool) -> tuple[Select[Any], Select[Any]]:
    """The last planned day of each project, as a working-day index, and its own due date."""
    here = _tested(everything)
    last_due = (
        select(task.c.project_id, func.max(_due.c.n))
        .join(_due, _due.c.day == task.c.due_on)
        .where(task.c.project_id.in_(here), or_(is_work(task), and_(task.c.type == "milestone", _open())))
        .group_by(task.c.project_id)
    )
    return last_due, select(project.c.id, project.c.due_on).where(project.c.id.in_(here))


@functools.cache
def _inner(everything: bool) -> tuple[Select[Any], Select[Any]]:
    """The links inside the tested projects, and their open linked tasks."""
    here = _tested(everything)
    inside = _pairs(_pred.c.project_id, _pred.c.id, _succ.c.id)
    tasks = (
        _plans(task.c.project_id, is_work(task).label("work"))
        .join(task_network, task_network.c.task_id == task.c.id)
        .where(task.c.project_id.in_(here), _open())
    )
    return inside.where(_pred.c.project_id == _succ.c.project_id, _pred.c.project_id.in_(here)), tasks


def _projects(
    connection: Connection, everything: bool
) -> Iterator[tuple[int, dict[int, Work], set[int], list[tuple[int, int]]]]:
    """The open linked tasks of each project, which of them are pieces of work, and the links among them."""
    links: dict[int, list[tuple[int, int]]] = {}
    inside, tasks = _inner(everything)
    for number, pred, succ in connection.execute(inside):
        links.setdefault(number, []).append((pred, succ))
    works: dict[int, dict[int, Work]] = {}
    candidates: dict[int, set[int]] = {}
    for row in connection.execute(tasks):
        held = works.setdefault(row.project_id, {})
        held[row.id] = Work(None if row.status is None else row.due, row.length)
        if row.work:
            candidates.setdefault(row.project_id, set()).add(row.id)
    for number, held in works.items():
        yield number, held, candidates.get(number, set()), links.get(number, [])


def _open() -> ColumnElement[bool]:
    return func.coalesce(task.c.status, "").not_in(CLOSED)
