"""Keeps the baselines that count in the store's tables, for the facts to read.

A file is read again only when it is another one than last time. What is known of a project stays as it is while a file
about it is not clear; it is marked as unobserved then, so that nothing is concluded from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, case, delete, exists, func, literal, or_, select, union, update
from sqlalchemy.dialects.sqlite import insert

from pmosync.decisions.baselines.folder import Baselines, order
from pmosync.decisions.baselines.text import Baseline, Planned
from pmosync.register import ApprovedChange, Register
from pmosync.store import insert_all, upsert
from pmosync.store.tables import (
    container,
    project,
    project_baseline,
    project_gate,
    task,
    task_baseline,
    task_project,
    touched,
)
from pmosync.workdays import day_number

CHUNK = 5_000


def keep_baselines(connection: Connection, read: Baselines, register: Register, *, everything: bool) -> None:
    """Bring the tables up to date; what a baseline moves is touched.

    Args:
        everything: look for the task of every line, else for those of touched tasks.
    """
    stored = {row.project_id: row._asdict() for row in connection.execute(select(project_baseline))}
    wanted = _wanted(connection, read, register, stored)
    for number in stored.keys() - wanted.keys():
        _touch(connection, number)
        connection.execute(delete(task_baseline).where(task_baseline.c.project_id == number))
        connection.execute(delete(project_baseline).where(project_baseline.c.project_id == number))
    for number, (row, newest) in wanted.items():
        before = stored.get(number)
        if newest is not None and (before is None or before["hash"] != row["hash"]):
            if before is not None:
                _touch(connection, number)
            connection.execute(delete(task_baseline).where(task_baseline.c.project_id == number))
            row |= _store(connection, number, newest.rows())
            _find(connection, task_baseline.c.project_id == number)
        if before != row:
            upsert(connection, project_baseline, [row])
            _touch(connection, number)
    if everything:
        _find(connection, literal(True))
    else:
        _find_touched(connection)


def _wanted(
    connection: Connection, read: Baselines, register: Register, stored: Mapping[int, Mapping[str, Any]]
) -> dict[int, tuple[dict[str, Any], Baseline | None]]:
    """The rows of projects that have, or should have, a baseline, each with the file it is to be read from."""
    if not read.all and not read.unclear:
        return {}
    held: dict[int, set[str]] = {}
    for row in connection.execute(select(container.c.project_id, container.c.site, container.c.rid)):
        held.setdefault(row.project_id, set()).add(f"{row.site}/{row.rid}")
    refused = {name for name, approved in changes(connection, [one.change for one in read.all]).items() if not approved}
    closed: dict[int, set[str]] = {}
    for row in connection.execute(select(project_gate).where(func.coalesce(project_gate.c.decision, "") != "approved")):
        closed.setdefault(row.project_id, set()).add(row.gate)
    found: dict[int, tuple[dict[str, Any], Baseline | None]] = {}
    by_name = read.by_name()
    registered = {one.id: one.changes for one in register.projects}
    for number, uid in connection.execute(select(project.c.id, project.c.uid)):
        theirs = sorted({one for name in (uid, *held.get(number, ())) for one in by_name.get(name, ())}, key=order)
        known = stored.get(number) or _nothing(number)
        if any(one.about(uid) for one in read.unclear):
            found[number] = {**known, "observed": 0}, None
        elif theirs:
            since = theirs[-1].set_on
            added = [one for one in registered.get(uid, ()) if one.approved_on > since]
            found[number] = {**known, **_row(theirs, refused, closed.get(number, ())), **_sums(added)}, theirs[-1]
    return found


def changes(connection: Connection, names: Iterable[str]) -> dict[str, bool]:
    """Whether these records of changes (site/key, or site/id) are approved: done. What no tool holds is left out."""
    found = {}
    for name in sorted({*names} - {""}):
        site, _, key = name.partition("/")
        row = connection.execute(
            select(task.c.type, task.c.status).where(task.c.site == site, or_(task.c.rid == key, task.c.key == key))
        ).first()
        if row is not None:
            found[name] = row.type == "change" and row.status == "done"
    return found


def _nothing(number: int) -> dict[str, Any]:
    row = {column.name: None for column in project_baseline.c}
    return {**row, "project_id": number, "file": "", "hash": "", "observed": 1}


def _row(theirs: Sequence[Baseline], refused: Collection[str], closed: Collection[str]) -> dict[str, Any]:
    """Of a change or gate that is no longer there, what was true when the baseline was set goes on being true."""
    newest = theirs[-1]
    approved = [(one.gate and one.gate not in closed) or (one.change and one.change not in refused) for one in theirs]
    decisions = [one.set_on for one, decided in list(zip(theirs, approved, strict=True))[1:] if decided]
    return {
        "file": newest.name,
        "hash": newest.hash,
        "set_on": day_number(newest.set_on),
        "first_set_on": day_number(theirs[0].set_on),
        "changed_on": day_number(newest.set_on) if len(theirs) > 1 else None,
        "decided_on": day_number(max(decisions)) if decisions else None,
        "due_on": _day(newest.due_on),
        "budget_h": newest.budget_h,
        "budget_cost": newest.budget_cost,
        "observed": 1,
    }


def _sums(added: Sequence[ApprovedChange]) -> dict[str, Any]:
    """What changes add that the register holds, approved since the baseline was set."""
    return {"changes_tasks": sum(one.tasks for one in added), "changes_h": sum(one.effort_h for one in added)}


def _day(day: dt.date | None) -> int | None:
    return None if day is None else day_number(day)


def _store(connection: Connection, number: int, rows: Iterable[Planned]) -> dict[str, Any]:
    """Store the lines of a baseline, some thousand at a time; returns what is counted on the way."""
    sums = {"tasks": 0, "leaves": 0, "estimated": 0, "effort_h": 0.0}
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(
            {
                "project_id": number,
                "site": row.site,
                "rid": row.rid,
                "key": row.key,
                "type": row.type or None,
                "work": int(row.work),
                "leaf": int(row.leaf),
                "start_on": _day(row.start_on),
                "due_on": _day(row.due_on),
                "estimate_h": row.estimate_h,
            }
        )
        sums["tasks"] += 1
        sums["leaves"] += row.leaf
        if row.leaf and row.estimate_h:
            sums["estimated"] += 1
            sums["effort_h"] += row.estimate_h
        if len(some) == CHUNK:
            insert_all(connection, task_baseline, some)
            some = []
    insert_all(connection, task_baseline, some)
    return sums


# --- which task a line is about ---------------------------------------------------------------------------------------


def _find(connection: Connection, these: Any) -> None:
    """Find the task of each of these lines: by its id in the tool, else by its key."""
    same = and_(task.c.site == task_baseline.c.site, task.c.rid == task_baseline.c.rid)
    own = select(task.c.id).where(same).scalar_subquery()
    connection.execute(update(task_baseline).where(these).values(task_id=own))
    lost = and_(these, task_baseline.c.task_id.is_(None))
    if not connection.scalar(select(exists().where(lost))):
        return
    other = task_baseline.alias("other")
    taken = exists().where(other.c.project_id == task_baseline.c.project_id, other.c.task_id == task.c.id)
    keyed = (
        select(func.min(task_baseline.c.id), task.c.id)
        .join(task, and_(task.c.site == task_baseline.c.site, task.c.key == task_baseline.c.key))
        .where(lost, ~taken)
        .group_by(task_baseline.c.project_id, task.c.id)
    )
    for line, number in connection.execute(keyed).all():
        connection.execute(update(task_baseline).where(task_baseline.c.id == line).values(task_id=number))


def _find_touched(connection: Connection) -> None:
    """The same for tasks that came, or came back, since the last cycle."""
    here = (
        select(task_baseline.c.id)
        .join(task, and_(task.c.site == task_baseline.c.site, task.c.rid == task_baseline.c.rid))
        .join(touched, and_(touched.c.subject == "task", touched.c.subject_id == task.c.id))
        .where(task_baseline.c.task_id.is_distinct_from(task.c.id))
    )
    lines = connection.scalars(here).all()
    for begin in range(0, len(lines), CHUNK):
        _find(connection, task_baseline.c.id.in_(lines[begin : begin + CHUNK]))


def _touch(connection: Connection, number: int) -> None:
    """Look again at a project, its tasks, and those that stand in its baseline."""
    inside = select(task_project.c.task_id.label("id")).where(task_project.c.project_id == number)
    planned = select(task_baseline.c.task_id).where(
        task_baseline.c.project_id == number, task_baseline.c.task_id.is_not(None)
    )
    tasks = union(inside, planned).subquery()
    for rows in (
        select(literal("task"), tasks.c.id, literal(1)),
        select(literal("project"), literal(number), literal(1)),
    ):
        statement = insert(touched).from_select(["subject", "subject_id", "data"], rows.where(literal(True)))
        stronger = case((statement.excluded.data > touched.c.data, statement.excluded.data), else_=touched.c.data)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_={"data": stronger})
        )
    connection.execute(update(project).where(project.c.id == number).values(seq=project.c.seq + 1))
