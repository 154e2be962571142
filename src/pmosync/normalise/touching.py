"""Remembers, for this cycle, which subjects changed, and which of their neighbours have to be looked at again."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from pmosync.store.people import account
from pmosync.store.tables import link, other_link, task, touched


def touch(connection: Connection, rows: Select[Any], *, seed: bool = True) -> None:
    """Add (subject, id, data) rows to the touched ones; what is there already keeps the stronger reason."""
    connection.execute(touching(rows, seed=seed))


def touching(rows: Select[Any], *, seed: bool = True) -> Executable:
    """The statement of `touch`, for those who keep it."""
    source = rows.subquery()
    statement = insert(touched).from_select(
        ["subject", "subject_id", "data", "seed"], select(*source.c, literal(int(seed))).where(literal(True))
    )
    new = statement.excluded
    stronger = {
        name: case((new[name] > touched.c[name], new[name]), else_=touched.c[name]) for name in ("data", "seed")
    }
    return statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_=stronger)


def touch_ids(connection: Connection, subject: str, ids: Sequence[int]) -> None:
    """Add subjects whose data changed."""
    if ids:
        rows = [{"subject": subject, "subject_id": number, "data": 1, "seed": 1} for number in ids]
        connection.execute(insert(touched).on_conflict_do_nothing(), rows)


def touch_neighbours(connection: Connection, name: str) -> None:
    """The parents, children, successors, namesakes and owners of touched tasks: the facts about them tell of those that
    changed."""
    for statement in _neighbours():
        connection.execute(statement, {"site_name": name})


@functools.cache
def _neighbours() -> tuple[Executable, ...]:
    name: ColumnElement[str] = bindparam("site_name", type_=Text)
    changed = task.alias("changed")
    parents = _beside(name, changed, and_(task.c.site == changed.c.site, task.c.rid == changed.c.parent))
    successors = (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(changed, changed.c.id == touched.c.subject_id)
        .join(link, and_(link.c.site == changed.c.site, link.c.pred == changed.c.rid))
        .join(task, and_(task.c.site == link.c.site, task.c.rid == link.c.succ))
        .where(touched.c.subject == "task", touched.c.seed == 1, changed.c.site == name)
        .group_by(task.c.id)
    )
    both_ends = (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(link, link.c.owner_id == touched.c.subject_id)
        .join(task, and_(task.c.site == link.c.site, or_(task.c.rid == link.c.succ, task.c.rid == link.c.pred)))
        .where(touched.c.subject == "task", touched.c.seed == 1, link.c.site == name)
        .group_by(task.c.id)
    )
    joined = (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(changed, changed.c.id == touched.c.subject_id)
        .join(
            other_link,
            and_(
                other_link.c.site == changed.c.site,
                or_(other_link.c.pred == changed.c.rid, other_link.c.succ == changed.c.rid),
            ),
        )
        .join(
            task,
            and_(
                task.c.site == other_link.c.site,
                or_(task.c.rid == other_link.c.pred, task.c.rid == other_link.c.succ),
            ),
        )
        .where(touched.c.subject == "task", touched.c.seed == 1, changed.c.site == name)
        .group_by(task.c.id)
    )
    children = _beside(name, changed, and_(task.c.site == changed.c.site, task.c.parent == changed.c.rid))
    namesakes = _beside(
        name,
        changed,
        and_(
            task.c.project_id == changed.c.project_id,
            task.c.title == changed.c.title,
            task.c.parent.is_not_distinct_from(changed.c.parent),
            task.c.id != changed.c.id,
        ),
    )
    tied = (parents, successors, both_ends, joined, children, namesakes, _owners(name))
    return tuple(touching(rows, seed=False) for rows in tied)


def _owners(name: ColumnElement[str]) -> Select[Any]:
    """The people whom the touched tasks of the site belong to."""
    return (
        select(literal("person"), account.c.human_id, func.max(touched.c.data))
        .select_from(touched)
        .join(task, task.c.id == touched.c.subject_id)
        .join(account, and_(account.c.site == task.c.site, account.c.rid == task.c.assignee))
        .where(touched.c.subject == "task", task.c.site == name)
        .group_by(account.c.human_id)
    )


def _beside(name: ColumnElement[str], changed: Any, tie: ColumnElement[bool]) -> Select[Any]:
    """The tasks that are tied to one of the site's that changed."""
    return (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(changed, changed.c.id == touched.c.subject_id)
        .join(task, tie)
        .where(touched.c.subject == "task", touched.c.seed == 1, changed.c.site == name)
        .group_by(task.c.id)
    )
