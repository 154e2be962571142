"""The comparison of marks wanted with marks known, and the table of this package as one CASE."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, null, or_, select, union

from pmosync.contract import SlotKind
from pmosync.store.tables import (
    container,
    event,
    limitation,
    mark,
    project,
    record,
    record_scope,
    scope,
    site,
    task,
    wanted,
)

DISPUTE_DAYS = 7
REMOVALS, EDITS = 1, 2
"""So often we write again what somebody removed or changed within seven days; then it is a dispute."""
RESTS, PUT_OFF = "rests", "put off for today"
"""Decisions whose words depend on the slot: until when, and what its connector said."""


@functools.lru_cache(maxsize=256)
def comparison(name: str, kind: SlotKind, *, retract: bool = False) -> Any:
    """One row for every item with something wanted or something there in this slot, with the decision.

    Args:
        retract: everything is to be taken away, also what is history.
    """
    here = and_(mark.c.site == name, mark.c.subject == kind.subject, mark.c.slot == kind.name)
    asked = and_(wanted.c.site == name, wanted.c.subject == kind.subject, wanted.c.slot == kind.name)
    items = union(
        select(mark.c.rid).where(here, or_(mark.c.there.is_not(None), mark.c.written == 1)),
        select(wanted.c.rid).where(asked),
    ).subquery()
    first_scope = (
        select(func.min(record_scope.c.scope))
        .where(record_scope.c.record_id == record.c.id)
        .correlate(record)
        .scalar_subquery()
    )
    place = func.coalesce(
        func.nullif(wanted.c.place, ""),
        case((record.c.kind == "project", record.c.rid), else_=func.replace(first_scope, "project:", "")),
    )
    limited = (
        select(limitation.c.why)
        .where(limitation.c.site == name, limitation.c.slot == kind.name, limitation.c.project.in_([place, "*"]))
        .limit(1)
        .correlate(record)
        .scalar_subquery()
    )
    since = func.coalesce(mark.c.event_id, 0)
    events = and_(event.c.subject == kind.subject, event.c.subject_id == _subject_id(kind), event.c.id > since)
    causes = select(func.group_concat(event.c.causes.distinct())).where(events).scalar_subquery()
    last = select(func.max(event.c.id)).where(events).scalar_subquery()
    return (
        select(
            literal(name).label("site"),
            literal(kind.subject).label("subject"),
            items.c.rid,
            record.c.key,
            _title(kind).label("title"),
            place.label("project"),
            literal(kind.name).label("slot"),
            mark.c.there,
            wanted.c.value,
            mark.c.inputs,
            wanted.c.told,
            mark.c.wrote_on,
            mark.c.later,
            causes.label("causes"),
            func.coalesce(last, since).label("last_event"),
            _sequence(kind).label("seq"),
            limited.label("limit_why"),
            _decision(name, kind, _frozen(name, kind), limited, retract=retract).label("decision"),
        )
        .select_from(items)
        .outerjoin(mark, and_(here, mark.c.rid == items.c.rid))
        .outerjoin(wanted, and_(asked, wanted.c.rid == items.c.rid))
        .outerjoin(record, and_(record.c.site == name, record.c.kind == kind.subject, record.c.rid == items.c.rid))
        .order_by(items.c.rid)
    )


def _subject_id(kind: SlotKind) -> ColumnElement[Any]:
    """The number of the task or project that events name; a rollup has none."""
    if kind.subject == "task":
        return record.c.id
    if kind.subject == "rollup":
        return null()
    return (
        select(container.c.project_id)
        .where(container.c.site == record.c.site, container.c.rid == record.c.rid)
        .scalar_subquery()
    )


def _title(kind: SlotKind) -> ColumnElement[Any]:
    if kind.subject == "rollup":
        return wanted.c.title
    if kind.subject == "task":
        return select(task.c.title).where(task.c.id == record.c.id).scalar_subquery()
    return (
        select(project.c.title)
        .join(container, container.c.project_id == project.c.id)
        .where(container.c.record_id == record.c.id)
        .scalar_subquery()
    )


def _sequence(kind: SlotKind) -> ColumnElement[Any]:
    """When the data of a project or rollup changed last; tasks have their events for that."""
    if kind.subject == "task":
        return null()
    if kind.subject == "rollup":
        return func.coalesce(wanted.c.seq, 0)
    return (
        select(project.c.seq)
        .join(container, container.c.project_id == project.c.id)
        .where(container.c.record_id == record.c.id)
        .scalar_subquery()
    )


def _frozen(name: str, kind: SlotKind) -> ColumnElement[bool]:
    """Whether the item could not be observed; what is gone or left out by the mapping is not frozen.

    Of a rollup: whether its place could not be looked at. What it tells waits in `wanted` until all of it is observed.
    """
    if kind.subject == "rollup":
        return exists().where(scope.c.site == name, scope.c.scope == "rollups", scope.c.observed == 0)
    if kind.subject == "task":
        return exists().where(task.c.id == record.c.id, task.c.observed == 0)
    return exists().where(
        container.c.record_id == record.c.id, project.c.id == container.c.project_id, project.c.observed == 0
    )


def _halfway(kind: SlotKind) -> list[ColumnElement[bool]]:
    """A run that died between adding a word and taking the one before away left both of ours, and nobody edited."""
    if kind.form != "word":
        return []
    comma = literal(",")
    both = (mark.c.wrote.concat(comma).concat(mark.c.intent), mark.c.intent.concat(comma).concat(mark.c.wrote))
    return [mark.c.there == one for one in both]


def _decision(
    name: str, kind: SlotKind, frozen: ColumnElement[bool], limited: ColumnElement[Any], *, retract: bool
) -> ColumnElement[str]:
    """The table of this module as one CASE. Empty: nothing to do, nothing to tell."""
    want, there, wrote, intent = wanted.c.value, mark.c.there, mark.c.wrote, mark.c.intent
    written = func.coalesce(mark.c.written, 0) == 1
    today = select(func.coalesce(site.c.today, 0)).where(site.c.name == name).scalar_subquery()
    recent = func.coalesce(mark.c.contest_day + DISPUTE_DAYS > today, False)
    contests = case((recent, func.coalesce(mark.c.contests, 0)), else_=0)
    as_we_left_it = or_(there == wrote, there == intent, *_halfway(kind))
    by_name = kind.ours == "name"
    ours = literal(True) if by_name else func.coalesce(as_we_left_it, False)
    edited = and_(written, ~func.coalesce(as_we_left_it, False))
    foreign = "somebody else's value: left as it is"
    nothing_to_do = or_(want == there, and_(want.is_(None), there.is_(None)))
    history: ColumnElement[bool] = literal(False)
    resting: ColumnElement[bool] = literal(False)
    if kind.rest_days and not retract:
        history = want.is_(None)
        resting = func.coalesce(mark.c.wrote_on + kind.rest_days > today, False)
    return case(
        (history, ""),
        (nothing_to_do, case((and_(want == intent, ~written), "claim"), else_="")),
        (func.coalesce(mark.c.why, "") != "", "cannot be read: left as it is"),
        (frozen, "not observed: left as it is"),
        (and_(record.c.gone == 1, record.c.fate == "archived"), "in the archive: left as it is until it is restored"),
        (limited.is_not(None), "may not be written"),
        (resting, RESTS),
        (and_(literal(kind.rest_days > 0), func.coalesce(mark.c.later_on == today, False)), PUT_OFF),
        (
            and_(want.is_not(None), there.is_(None)),
            case(
                (or_(~written, wrote.is_(None)), "write"),
                (contests >= REMOVALS, "dispute: removed again within 7 days"),
                else_="again",
            ),
        ),
        (
            want.is_not(None),
            case(
                (~ours & ~written, foreign),
                (~edited, "write"),
                (contests >= EDITS, "dispute: changed again within 7 days"),
                (literal(by_name), "edited"),
                else_=foreign,
            ),
        ),
        (ours, case((edited, "clear edited"), else_="clear")),
        else_=case((written, foreign), else_=""),
    )
