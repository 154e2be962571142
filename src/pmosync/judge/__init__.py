"""Judge: what each standard says about each task, project, person and so on: one SQL statement for 120 standards.

A verdict is two bits of a mask: 0 pass, 1 fail, 2 unknown, 3 out of scope. A verdict whose facts were read from a scope
that is not observed keeps the bits it had. A standard that the database cannot run is switched off and named; its
verdicts stay as they were, and the others go on.

`judge` finds the rows that are other ones now, `moves` tells what became a failure or stopped being one, some thousand
subjects at a time, and `keep` stores the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from pmosync.judge.columns import SubjectColumns
from pmosync.judge.covering import cover
from pmosync.judge.masks import ALL_OUT, FAIL, OUT, PASS, UNKNOWN, Asked, answer, fill, value
from pmosync.model import BIT, FIELDS, Subject
from pmosync.standards import Standard, can_fail
from pmosync.store import upsert
from pmosync.store.tables import MASKS, PER_MASK, blind, fresh, place_of, project, standard_bit, standard_state, touched
from pmosync.store.tables import verdict as verdicts

__all__ = [
    "FAIL",
    "OUT",
    "PASS",
    "SUBJECTS",
    "UNKNOWN",
    "Judged",
    "Move",
    "answer",
    "changed_standards",
    "cover",
    "judge",
    "keep",
    "moves",
]

SUBJECTS: tuple[Subject, ...] = tuple(FIELDS)
_OFFERED: Mapping[Subject, Column[int]] = {"task": project.c.task_offered, "project": project.c.offered}
_OF_OLD = ""
"""The subject of a standard in a store whose older version did not say it."""
_AT_ONCE = 5000
"""Subjects whose moves are told together."""
_FIRST_BITS = sum(1 << 2 * at for at in range(PER_MASK))


@dataclass(frozen=True, slots=True)
class Move:
    """A verdict that became a failure, or stopped being one. `known`: the subject was judged before."""

    subject: Subject
    subject_id: int
    standard: str
    was: int
    now: int
    known: bool
    empty: tuple[str, ...] = ()
    """For an unknown verdict: the fields without a value, which is why it cannot be judged."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging found: what could not be judged, and what is needed to tell what moved."""

    standards: Mapping[str, Standard]
    names: Mapping[int, str]
    """The standards by their bits, those that are asked no more among them."""
    asked: tuple[Subject, ...]
    """What is judged, or was the last time."""
    everything: bool
    changed: frozenset[str]
    """Standards that are not what they were when the store was judged last, new and removed ones among them."""
    switched_off: dict[str, str] = field(default_factory=dict)
    gone: set[Subject] = field(default_factory=set)
    """Of which kinds some are there no more; known when all moves were told."""


def changed_standards(connection: Connection, standards: Sequence[Standard]) -> frozenset[str]:
    """Which standards differ from those that the store was judged by."""
    return _changed(_states(connection), _hashes(standards))


def _states(connection: Connection) -> dict[str, dict[str, Any]]:
    """The standards that the store was judged by."""
    return {row["standard"]: dict(row) for row in connection.execute(select(standard_state)).mappings()}


def _changed(stored: Mapping[str, Any], now: Mapping[str, str]) -> frozenset[str]:
    return frozenset(
        name for name in stored.keys() | now.keys() if name not in stored or stored[name]["hash"] != now.get(name)
    )


def _hashes(standards: Sequence[Standard]) -> dict[str, str]:
    return {standard.id: standard.hash for standard in standards}


def judge(connection: Connection, standards: Sequence[Standard], *, everything: bool) -> Judged:
    """Judge all subjects, or the touched ones."""
    stored = _states(connection)
    hashes = _hashes(standards)
    bits = _bits(connection, standards)
    now, before = {one.subject for one in standards}, {row["subject"] for row in stored.values()}
    if _OF_OLD in before:
        before = set(connection.scalars(select(verdicts.c.subject).distinct()))
    asked = tuple(one for one in SUBJECTS if one in now or one in before)
    names = {bit: name for name, bit in bits.items()}
    result = Judged({one.id: one for one in standards}, names, asked, everything, _changed(stored, hashes))
    offered = {subject: _offered(connection, subject) for subject in asked if subject in _OFFERED}
    blinded = _find_blind(connection, standards, hashes, offered)
    parts = range(place_of(max(bits.values(), default=-1))[0] + 1)
    for subject in asked:
        columns = SubjectColumns(subject, _everywhere(subject, offered.get(subject, ())))
        mine = {bits[one.id]: one for one in standards if one.subject == subject}
        first = everything and subject not in before
        for part in parts:
            here = {bit: one for bit, one in mine.items() if place_of(bit)[0] == part}
            _judge_part(connection, Asked(columns, part, here, hashes, blinded, everything, first), result.switched_off)
    _remember(connection, standards, stored, result)
    return result


def _bits(connection: Connection, standards: Sequence[Standard]) -> dict[str, int]:
    known = {row.standard: row.bit for row in connection.execute(select(standard_bit))}
    for standard in sorted(standards, key=lambda one: one.id):
        if standard.id not in known:
            known[standard.id] = max(known.values(), default=-1) + 1
            connection.execute(standard_bit.insert(), {"standard": standard.id, "bit": known[standard.id]})
    return known


def everywhere(connection: Connection, subject: Subject) -> list[str]:
    """Fields of tasks or projects that every project offers."""
    return _everywhere(subject, _offered(connection, subject)) if subject in _OFFERED else []


def _everywhere(subject: Subject, masks: Collection[int]) -> list[str]:
    return [name for name, bit in BIT[subject].items() if all(one & bit for one in masks)] if masks else []


def _offered(connection: Connection, subject: Subject) -> list[int]:
    """What projects offer, as masks: there are few different ones, however many projects."""
    return list(connection.scalars(select(_OFFERED[subject]).distinct().order_by(_OFFERED[subject])))


def _find_blind(
    connection: Connection,
    standards: Sequence[Standard],
    hashes: Mapping[str, str],
    offered: Mapping[Subject, Collection[int]],
) -> dict[str, list[int]]:
    """Where a standard can never fail because the project does not offer what it asks about.

    Returns:
        By standard, the masks of what such projects offer.
    """
    connection.execute(delete(blind))
    found: dict[str, list[int]] = {}
    for subject, masks in offered.items():
        rows = []
        for standard in (one for one in standards if one.subject == subject):
            for mask in masks:
                missing = _missing(_Needs((standard.id, hashes[standard.id], mask), standard))
                if missing is not None:
                    rows.append((standard.id, missing, mask))
                    found.setdefault(standard.id, []).append(mask)
        if rows:
            connection.exec_driver_sql(
                "INSERT INTO blind (project_id, standard, fields) "
                f"SELECT id, ?, ? FROM project WHERE {_OFFERED[subject].name} = ?",
                rows,
            )
    return found


@dataclass(frozen=True)
class _Needs:
    """A standard where projects offer the fields of a mask. Equal keys have equal answers."""

    key: tuple[str, str, int]
    standard: Standard = field(compare=False)


@lru_cache(maxsize=10_000)
def _missing(asked: _Needs) -> str | None:
    """The fields for want of which it can never fail; None where it can."""
    standard, mask = asked.standard, asked.key[-1]
    missing = frozenset(name for name in standard.fields if lacks(standard.subject, name, mask))
    return None if can_fail(standard, missing) else ", ".join(sorted(missing))


def lacks(subject: Subject, name: str, mask: int) -> bool:
    """Whether a project with this mask of fields offers neither the field nor, for a fact, what it is made from."""
    field = FIELDS[subject][name]
    needed = field.needs if field.source in ("fact", "core") else (name,)
    return any(not mask & BIT[subject][one] for one in needed)


def _judge_part(connection: Connection, asked: Asked, off: dict[str, str]) -> None:
    """Judge the standards of one row. Those that the database cannot run are found one by one and switched off."""
    try:
        _fill(connection, asked, off)
    except DatabaseError:
        for standard in asked.standards.values():
            if why := trouble(connection, asked.columns, standard):
                off[standard.id] = why
        _fill(connection, asked, off)


def _fill(connection: Connection, asked: Asked, off: Collection[str]) -> None:
    with connection.begin_nested():
        fill(connection, asked, off)


def trouble(connection: Connection, columns: SubjectColumns, standard: Standard) -> str:
    """Why the database cannot run this standard; empty when it can."""
    tried = select(func.max(value(columns, standard))).select_from(columns.source())
    try:
        with connection.begin_nested():
            connection.execute(tried)
    except DatabaseError as error:
        return str(error.orig)
    return ""


def _remember(connection: Connection, standards: Sequence[Standard], stored: Mapping[str, Any], result: Judged) -> None:
    if gone := stored.keys() - result.standards.keys():
        connection.execute(delete(standard_state).where(standard_state.c.standard.in_(gone)))
    rows = [
        {
            "standard": one.id,
            "hash": one.hash,
            "wording": one.wording,
            "trouble": result.switched_off.get(one.id, ""),
            "subject": one.subject,
        }
        for one in standards
    ]
    upsert(connection, standard_state, [row for row in rows if stored.get(row["standard"]) != row])


# --- what moved -------------------------------------------------------------------------------------------------------


def moves(connection: Connection, judged: Judged) -> Iterator[list[Move]]:
    """The verdicts that became a failure or stopped being one, some thousand subjects at a time."""
    for rows in connection.execute(_DIFFERING).partitions(_AT_ONCE):
        found = [move for row in rows for move in _moved(judged.names, row)]
        if found:
            yield _explain(connection, found, judged.standards)
    if judged.asked:
        for rows in connection.execute(_all_gone(judged.asked, judged.everything)).partitions(_AT_ONCE):
            judged.gone.update(row.subject for row in rows)
            if found := [move for row in rows for move in _moved(judged.names, row)]:
                yield found


def keep(connection: Connection, judged: Judged) -> None:
    """Store the rows that `judge` found, when all moves were told."""
    connection.execute(_KEEP)
    connection.execute(delete(fresh))
    for subject in judged.gone:
        connection.execute(delete(verdicts).where(_gone(subject, judged.everything)))


def _differing() -> Select[Any]:
    """What is in `fresh`, what stands there now, and whether the subject was judged before."""
    first = verdicts.alias("first")
    own = and_(first.c.subject == fresh.c.subject, first.c.subject_id == fresh.c.subject_id, first.c.part == 0)
    same = and_(verdicts.c.subject == fresh.c.subject, verdicts.c.subject_id == fresh.c.subject_id)
    before = [verdicts.c[name].label(f"old_{name}") for name in MASKS]
    return select(fresh, exists().where(own).label("known"), *before).select_from(
        fresh.outerjoin(verdicts, and_(same, verdicts.c.part == fresh.c.part))
    )


_DIFFERING = _differing()
_NEW = insert(verdicts).from_select([column.name for column in fresh.c], select(fresh).where(literal(True)))
_KEEP = _NEW.on_conflict_do_update(
    index_elements=["subject", "subject_id", "part"], set_={name: _NEW.excluded[name] for name in MASKS}
)


def _gone(subject: Subject, everything: bool) -> ColumnElement[bool]:
    """The rows of subjects that are there no more. A task that went is touched."""
    gone = and_(verdicts.c.subject == subject, verdicts.c.subject_id.not_in(select(SubjectColumns(subject).id)))
    if subject != "task" or everything:
        return gone
    here = select(touched.c.subject_id).where(touched.c.subject == subject)
    return and_(gone, verdicts.c.subject_id.in_(here))


@lru_cache(maxsize=100)
def _all_gone(subjects: tuple[Subject, ...], everything: bool) -> CompoundSelect[Any]:
    """They, as rows that moved out of the scope."""
    nothing = [null().label(name) for name in MASKS]
    before = [verdicts.c[name].label(f"old_{name}") for name in MASKS]
    number = (verdicts.c.subject, verdicts.c.subject_id, verdicts.c.part)
    return union_all(
        *(
            select(*number, *nothing, true().label("known"), *before).where(_gone(subject, everything))
            for subject in subjects
        )
    )


def _moved(names: Mapping[int, str], row: Row[Any]) -> Iterator[Move]:
    """The standards whose bits differ, as far as a failure is involved."""
    masks = row[3 : 3 + len(MASKS)]
    for at, (was, now) in enumerate(zip(row[4 + len(MASKS) :], masks, strict=True), row.part * len(MASKS)):
        if was == now:
            continue
        was, now = ALL_OUT if was is None else was, ALL_OUT if now is None else now
        involved = (_failing(was) | _failing(now)) & (was ^ now | (was ^ now) >> 1)
        while involved:
            shift = involved.bit_length() - 1
            involved ^= 1 << shift
            standard = names.get(at * PER_MASK + shift // 2)
            if standard is not None:
                said = was >> shift & 3, now >> shift & 3
                yield Move(row.subject, row.subject_id, standard, *said, bool(row.known))


def _failing(mask: int) -> int:
    """The first bit of each standard that fails."""
    return mask & ~(mask >> 1) & _FIRST_BITS


def _explain(connection: Connection, moves: list[Move], standards: Mapping[str, Standard]) -> list[Move]:
    """Name the empty fields of those that cannot be judged any more."""
    ids: dict[str, list[int]] = {}
    for move in moves:
        if move.now == UNKNOWN and move.standard in standards:
            ids.setdefault(move.standard, []).append(move.subject_id)
    empty: dict[tuple[str, int], tuple[str, ...]] = {}
    for name, numbers in ids.items():
        fields = sorted(standards[name].fields)
        columns = SubjectColumns(standards[name].subject)
        values = select(columns.id, *(columns.column(one) for one in fields)).select_from(columns.source())
        for number, *found in connection.execute(values.where(columns.id.in_(numbers))):
            empty[name, number] = tuple(one for one, value in zip(fields, found, strict=True) if value is None)
    return [replace(move, empty=empty.get((move.standard, move.subject_id), ())) for move in moves] if ids else moves
