"""Finds what the predicates of waivers are true of, by the very compiler that judges standards.

Only what is true counts: where a predicate is false or unknown the waiver covers nothing. On a subject that is not
observed the answer stays as it was. A predicate that the database cannot run covers nothing, and its waivers are named.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, exists, literal, not_, or_, select
from sqlalchemy.exc import DatabaseError

from pmosync.judge.columns import SubjectColumns
from pmosync.model import Subject
from pmosync.standards import parse_predicate
from pmosync.standards.compiler import condition_sql
from pmosync.store.tables import touched, waiver, waiver_subject


def cover(connection: Connection, *, everything: bool) -> dict[str, str]:
    """Bring `waiver_subject` up to date for the predicates of the stored waivers.

    Returns:
        The waivers whose predicate the database cannot run, with the reason.
    """
    used = exists().where(waiver.c.about == waiver_subject.c.about, waiver.c.predicate == waiver_subject.c.predicate)
    connection.execute(delete(waiver_subject).where(not_(used)))
    asked = select(waiver.c.about, waiver.c.predicate).where(waiver.c.predicate != "").distinct()
    off: dict[str, str] = {}
    for about, text in connection.execute(asked).all():
        if why := _find(connection, about, text, everything):
            same = and_(waiver.c.about == about, waiver.c.predicate == text)
            off |= dict.fromkeys(connection.scalars(select(waiver.c.waiver).where(same)), why)
    return off


def _find(connection: Connection, about: Subject, text: str, everything: bool) -> str:
    """Find the subjects anew that may have changed; why that cannot be done, if so."""
    columns, predicate = SubjectColumns(about), parse_predicate(text, about)
    mine = and_(waiver_subject.c.about == about, waiver_subject.c.predicate == text)
    looked_at = select(columns.id).select_from(columns.source()).where(columns.observed(predicate.fields))
    if not everything:
        looked_at = looked_at.where(columns.id.in_(select(touched.c.subject_id).where(touched.c.subject == about)))
    gone = waiver_subject.c.subject_id.not_in(select(columns.own.c.id))
    true = looked_at.where(condition_sql(predicate.tree, columns)).with_only_columns(
        literal(about), literal(text), columns.id
    )
    try:
        with connection.begin_nested():
            connection.execute(
                delete(waiver_subject).where(mine, or_(gone, waiver_subject.c.subject_id.in_(looked_at)))
            )
            connection.execute(waiver_subject.insert().from_select(["about", "predicate", "subject_id"], true))
    except DatabaseError as error:
        connection.execute(delete(waiver_subject).where(mine))
        return str(error.orig)
    return ""
