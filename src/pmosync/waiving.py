"""Decides what is waived on a day: one SQL expression, used wherever somebody asks.

Judging, the list of waivers, what is announced and what the doctor says all come from `in_force` and `covers`; a second
opinion about a waiver's last day, or about whom it covers, exists nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    create_engine,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)

from pmosync.model import ABOUT_PEOPLE, Subject
from pmosync.store.people import SUBJECT_TABLES, account
from pmosync.store.tables import dispute, project, task, task_project, waiver, waiver_project, waiver_subject

ANNOUNCED_DAYS = 14
"""A waiver is told so many days before it ends and after it ended."""


def in_force(day: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a waiver holds on a day: from the day of its approval to its last day, both included."""
    return and_(waiver.c.approved_on <= day, day <= waiver.c.until)


def covers(subject: Subject, standard: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a waiver is about a subject and a standard.

    The statement around it holds the subject's table and, for a task, the table of its project (outer).
    """
    own = SUBJECT_TABLES[subject]
    named = waiver.c.standard.in_([standard, func.rtrim(standard, "0123456789")])
    reached = or_(*_reached(subject), waiver.c.covers == "where")
    true_of = (
        exists()
        .where(
            waiver_subject.c.about == waiver.c.about,
            waiver_subject.c.predicate == waiver.c.predicate,
            waiver_subject.c.subject_id == own.c.id,
        )
        .correlate_except(waiver_subject)
    )
    narrowed = or_(waiver.c.predicate == "", and_(waiver.c.about == literal(subject), true_of))
    return and_(named, reached, narrowed)


def _reached(subject: Subject) -> list[ColumnElement[bool]]:
    """The ways in which a waiver may name a subject."""
    own = SUBJECT_TABLES[subject]
    if subject == "portfolio":
        return [and_(waiver.c.covers == "portfolio", waiver.c.key == own.c.key)]
    if subject == "role_month":
        return [and_(waiver.c.covers == "subject", waiver.c.key == own.c.role)]
    if subject in ABOUT_PEOPLE:
        whose = own.c.id if subject == "person" else own.c.human_id
        theirs = and_(account.c.site == waiver.c.site, account.c.rid == waiver.c.key, account.c.human_id == whose)
        known = or_(own.c.key == func.lower(waiver.c.key), exists().where(theirs).correlate_except(account))
        return [and_(waiver.c.covers == "subject", known)]
    names = [task.c.key, task.c.rid] if subject == "task" else [project.c.key, project.c.uid]
    return [
        and_(waiver.c.covers == "subject", waiver.c.site == own.c.site, waiver.c.key.in_(names)),
        and_(
            waiver.c.covers == "project",
            waiver.c.site.in_([own.c.site, project.c.site]),
            waiver.c.key.in_([project.c.key, project.c.uid]),
        ),
        and_(waiver.c.covers == "program", waiver.c.key == project.c.program),
        and_(waiver.c.covers == "portfolio", waiver.c.key == project.c.portfolio),
    ]


def waived_at(subject: Subject, standard: ColumnElement[str], day: ColumnElement[int]) -> ColumnElement[Any]:
    """The last day of the longest waiver that holds for a subject and a standard on a day; NULL when none does."""
    longest = select(func.max(waiver.c.until)).where(covers(subject, standard), in_force(day))
    return longest.correlate_except(waiver).scalar_subquery()


def announced(day: ColumnElement[int]) -> ColumnElement[str]:
    """Whether a waiver is to be told on a day: `ends` within `ANNOUNCED_DAYS`, or `ended` within as many; else NULL."""
    return case(
        (and_(in_force(day), waiver.c.until <= day + ANNOUNCED_DAYS), "ends"),
        (and_(waiver.c.until < day, in_force(waiver.c.until), waiver.c.until >= day - ANNOUNCED_DAYS), "ended"),
    )


def keep_waivers(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the stored waivers by those of the decisions folder."""
    connection.execute(delete(waiver))
    if rows:
        connection.execute(waiver.insert(), [dict(row) for row in rows])


def keep_disputes(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the stored disputes by those of the decisions folder."""
    connection.execute(delete(dispute))
    if rows:
        connection.execute(dispute.insert(), [dict(row) for row in rows])


def disputed(subject: Subject, standard: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether somebody disputes a standard for a subject. The statement around it holds the subject's table."""
    own = task if subject == "task" else project
    names = [task.c.key, task.c.rid] if subject == "task" else [project.c.key, project.c.uid]
    here = exists().where(dispute.c.site == own.c.site, dispute.c.key.in_(names), dispute.c.standard == standard)
    return here.correlate_except(dispute)


def keep_reach(connection: Connection) -> None:
    """Find anew which projects the stored waivers are about: as a whole, or about something in them."""
    named = or_(
        and_(
            waiver.c.covers.in_(("subject", "project")),
            waiver.c.site == project.c.site,
            waiver.c.key.in_([project.c.key, project.c.uid]),
        ),
        and_(waiver.c.covers == "program", waiver.c.key == project.c.program),
        and_(waiver.c.covers == "portfolio", waiver.c.key == project.c.portfolio),
    )
    same = and_(waiver_subject.c.about == waiver.c.about, waiver_subject.c.predicate == waiver.c.predicate)
    where = or_(waiver.c.covers == "where", named)
    task_of = task.join(task_project, task_project.c.task_id == task.c.id)
    whole = select(project.c.id, waiver.c.id).join(waiver, and_(waiver.c.predicate == "", named))
    one = select(task_project.c.project_id, waiver.c.id).select_from(
        task_of.join(
            waiver,
            and_(
                waiver.c.covers == "subject",
                waiver.c.site == task.c.site,
                waiver.c.key.in_([task.c.key, task.c.rid]),
            ),
        )
    )
    about = (
        select(project.c.id, waiver.c.id)
        .select_from(waiver.join(waiver_subject, same))
        .join(project, and_(waiver.c.about == "project", waiver_subject.c.subject_id == project.c.id, where))
    )
    inside = (
        select(project.c.id, waiver.c.id)
        .select_from(waiver.join(waiver_subject, same))
        .join(task_project, and_(waiver.c.about == "task", task_project.c.task_id == waiver_subject.c.subject_id))
        .join(project, and_(project.c.id == task_project.c.project_id, where))
    )
    connection.execute(delete(waiver_project))
    if connection.scalar(select(func.count()).select_from(waiver)):
        rows = union(whole, one, about, inside)
        connection.execute(waiver_project.insert().from_select(["project_id", "waiver_id"], rows))


def holding(rows: Sequence[Mapping[str, Any]], day: int) -> frozenset[str]:
    """Which of these waivers, by id, hold on a day: the same expression, asked without a store."""
    with _apart(rows) as connection:
        return frozenset(connection.scalars(select(waiver.c.waiver).where(in_force(literal(day)))))


def to_announce(rows: Sequence[Mapping[str, Any]], day: int) -> dict[str, str]:
    """Which of these waivers are to be told on a day, by id: `ends` or `ended`."""
    with _apart(rows) as connection:
        state = announced(literal(day))
        return {name: told for name, told in connection.execute(select(waiver.c.waiver, state)) if told}


@contextmanager
def _apart(rows: Sequence[Mapping[str, Any]]) -> Iterator[Connection]:
    """A database in memory that holds these waivers."""
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            waiver.create(connection)
            keep_waivers(connection, rows)
            yield connection
    finally:
        engine.dispose()
