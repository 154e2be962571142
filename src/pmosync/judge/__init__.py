"""Judge: what each standard says about each task, project, person and so on: one SQL statement for thirty standards.

A verdict is two bits of a mask: 0 pass, 1 fail, 2 unknown, 3 out of scope. A verdict whose facts were read from a scope
that is not observed keeps the bits it had. A standard that the database cannot run is switched off and named; its
verdicts stay as they were, and the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Column, Connection, and_, delete, exists, func, literal, or_, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from pmosync.judge.columns import SubjectColumns
from pmosync.judge.covering import cover
from pmosync.judge.masks import FAIL, OUT, PASS, PER_WORD, UNKNOWN, answer, fill, value
from pmosync.model import BIT, FIELDS, Subject
from pmosync.standards import Standard, can_fail
from pmosync.store import upsert
from pmosync.store.tables import blind, fresh, project, standard_bit, standard_state, touched
from pmosync.store.tables import verdict as verdicts

__all__ = [
    "FAIL",
    "OUT",
    "PASS",
    "PER_WORD",
    "SUBJECTS",
    "UNKNOWN",
    "Judged",
    "Move",
    "answer",
    "changed_standards",
    "cover",
    "judge",
]

SUBJECTS: tuple[Subject, ...] = tuple(FIELDS)


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


@dataclass(slots=True)
class Judged:
    """What judging found: the failures that came and went, and what could not be judged."""

    moves: list[Move] = field(default_factory=list)
    switched_off: dict[str, str] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    """Standards that are not what they were when the store was judged last, new and removed ones among them."""


def changed_standards(connection: Connection, standards: Sequence[Standard]) -> frozenset[str]:
    """Which standards differ from those that the store was judged by."""
    stored = {row.standard: row.hash for row in connection.execute(select(standard_state))}
    now = {standard.id: standard.hash for standard in standards}
    return frozenset(name for name in stored.keys() | now.keys() if stored.get(name) != now.get(name))


def judge(connection: Connection, standards: Sequence[Standard], *, everything: bool) -> Judged:
    """Judge all subjects, or the touched ones, and return what moved."""
    result = Judged(changed=changed_standards(connection, standards))
    bits = _bits(connection, standards)
    _find_blind(connection, standards)
    asked = [subject for subject in SUBJECTS if _is_asked(connection, subject, standards)]
    for subject in asked:
        mine = {bits[one.id]: one for one in standards if one.subject == subject}
        columns = SubjectColumns(subject, everywhere(connection, subject))
        for word in range(max(bits.values(), default=-1) // PER_WORD + 1):
            part = {bit: mine.get(bit) for bit in bits.values() if bit // PER_WORD == word}
            _judge_word(connection, columns, word, part, everything, result)
    names = {bit: name for name, bit in bits.items()}
    result.moves = _explain(
        connection, _moves(connection, names, asked, everything), {one.id: one for one in standards}
    )
    _keep(connection)
    _remember(connection, standards, result)
    return result


def _is_asked(connection: Connection, subject: Subject, standards: Sequence[Standard]) -> bool:
    """Whether a standard is about such subjects, or one was when they were judged last."""
    now = any(one.subject == subject for one in standards)
    return now or bool(connection.scalar(select(exists().where(verdicts.c.subject == subject))))


def _bits(connection: Connection, standards: Sequence[Standard]) -> dict[str, int]:
    known = {row.standard: row.bit for row in connection.execute(select(standard_bit))}
    for standard in sorted(standards, key=lambda one: one.id):
        if standard.id not in known:
            known[standard.id] = max(known.values(), default=-1) + 1
            connection.execute(standard_bit.insert(), {"standard": standard.id, "bit": known[standard.id]})
    return known


def everywhere(connection: Connection, subject: Subject) -> list[str]:
    """Fields of tasks or projects that every project offers."""
    if subject not in ("task", "project"):
        return []
    mask = project.c.task_offered if subject == "task" else project.c.offered
    masks = connection.scalars(select(mask).distinct()).all()
    return [name for name, bit in BIT[subject].items() if masks and all(one & bit for one in masks)]


def _find_blind(connection: Connection, standards: Sequence[Standard]) -> None:
    """Where a standard can never fail because the project does not offer what it asks about."""
    connection.execute(delete(blind))
    offers: dict[Subject, Column[int]] = {"task": project.c.task_offered, "project": project.c.offered}
    for subject, offered in offers.items():
        masks = connection.scalars(select(offered).distinct()).all()
        for standard in (one for one in standards if one.subject == subject):
            for mask in masks:  # there are few different ones, however many projects
                missing = frozenset(name for name in standard.fields if lacks(subject, name, mask))
                if not can_fail(standard, missing):
                    told = literal(standard.id), literal(", ".join(sorted(missing)))
                    rows = select(project.c.id, *told).where(offered == mask)
                    connection.execute(blind.insert().from_select(["project_id", "standard", "fields"], rows))


def lacks(subject: Subject, name: str, mask: int) -> bool:
    """Whether a project with this mask of fields offers neither the field nor, for a fact, what it is made from."""
    field = FIELDS[subject][name]
    needed = field.needs if field.source in ("fact", "core") else (name,)
    return any(not mask & BIT[subject][one] for one in needed)


def _judge_word(
    connection: Connection,
    columns: SubjectColumns,
    word: int,
    part: Mapping[int, Standard | None],
    everything: bool,
    result: Judged,
) -> None:
    """Judge the standards of one mask. Those that the database cannot run are found one by one and switched off."""
    try:
        _fill(connection, columns, word, part, everything, result.switched_off)
    except DatabaseError:
        for standard in filter(None, part.values()):
            if why := trouble(connection, columns, standard):
                result.switched_off[standard.id] = why
        _fill(connection, columns, word, part, everything, result.switched_off)


def _fill(connection: Connection, *asked: Any) -> None:
    with connection.begin_nested():
        fill(connection, *asked)


def trouble(connection: Connection, columns: SubjectColumns, standard: Standard) -> str:
    """Why the database cannot run this standard; empty when it can."""
    tried = select(func.max(value(columns, standard))).select_from(columns.source())
    try:
        with connection.begin_nested():
            connection.execute(tried)
    except DatabaseError as error:
        return str(error.orig)
    return ""


def _moves(connection: Connection, names: Mapping[int, str], asked: Sequence[Subject], everything: bool) -> list[Move]:
    same = and_(
        verdicts.c.subject == fresh.c.subject,
        verdicts.c.subject_id == fresh.c.subject_id,
        verdicts.c.word == fresh.c.word,
    )
    differing = connection.execute(
        select(fresh, verdicts.c.mask.label("old"))
        .outerjoin(verdicts, same)
        .where(or_(verdicts.c.mask.is_(None), verdicts.c.mask != fresh.c.mask))
    )
    moves = [
        move for row in differing for move in _explode(names, row.subject, row.subject_id, row.word, row.old, row.mask)
    ]
    for subject in asked:
        gone = and_(verdicts.c.subject == subject, verdicts.c.subject_id.not_in(select(SubjectColumns(subject).id)))
        if subject == "task" and not everything:  # one that went is touched
            gone = and_(
                gone, verdicts.c.subject_id.in_(select(touched.c.subject_id).where(touched.c.subject == subject))
            )
        lost = connection.execute(select(verdicts).where(gone)).all()
        for row in lost:
            out = sum(OUT << 2 * offset for offset in range(PER_WORD))
            moves += _explode(names, subject, row.subject_id, row.word, row.mask, out)
        if lost:
            connection.execute(delete(verdicts).where(gone))
    return moves


def _explode(
    names: Mapping[int, str], subject: Subject, number: int, word: int, old: int | None, new: int
) -> list[Move]:
    """The standards whose bits differ, as far as a failure is involved."""
    moves = []
    for offset in range(PER_WORD):
        name = names.get(word * PER_WORD + offset)
        was = OUT if old is None else old >> 2 * offset & 3
        now = new >> 2 * offset & 3
        if name is not None and was != now and FAIL in (was, now):
            moves.append(Move(subject, number, name, was, now, old is not None))
    return moves


def _explain(connection: Connection, moves: list[Move], standards: Mapping[str, Standard]) -> list[Move]:
    """Name the empty fields of those that cannot be judged any more."""
    told = []
    for move in moves:
        if move.now == UNKNOWN and move.standard in standards:
            columns = SubjectColumns(move.subject)
            names = sorted(standards[move.standard].fields)
            values = select(*(columns.column(name) for name in names)).select_from(columns.source())
            row = connection.execute(values.where(columns.id == move.subject_id)).one()
            told.append(replace(move, empty=tuple(n for n, value in zip(names, row, strict=True) if value is None)))
        else:
            told.append(move)
    return told


def _keep(connection: Connection) -> None:
    rows = select(fresh)
    statement = insert(verdicts).from_select([column.name for column in fresh.c], rows.where(literal(True)))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["subject", "subject_id", "word"],
            set_={"mask": statement.excluded.mask},
            where=verdicts.c.mask != statement.excluded.mask,
        )
    )


def _remember(connection: Connection, standards: Sequence[Standard], result: Judged) -> None:
    ids = [standard.id for standard in standards]
    connection.execute(delete(standard_state).where(standard_state.c.standard.not_in(ids)))
    rows = [
        {"standard": one.id, "hash": one.hash, "wording": one.wording, "trouble": result.switched_off.get(one.id, "")}
        for one in standards
    ]
    upsert(connection, standard_state, rows)
