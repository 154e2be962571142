"""The masks of many subjects in one SELECT: what thirty standards say of each, two bits for each of them.

What may not be concluded keeps the bits that it had. Only masks that differ from the stored ones come back, so that a
pass over a million subjects of which few moved writes little and holds little. SQLite takes each condition in jump
position and evaluates it once: there is no check that all rows would answer alike.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Select, and_, case, exists, func, literal, select

from pmosync.judge.columns import SubjectColumns
from pmosync.model import FIELDS
from pmosync.standards import Standard, fail_condition, scope_condition, verdict
from pmosync.store.tables import blind, fresh, touched
from pmosync.store.tables import verdict as verdicts

PASS, FAIL, UNKNOWN, OUT = 0, 1, 2, 3
PER_WORD = 30
"""Standards in one mask: two bits each stay clear of the sign of a 64-bit number."""


@dataclass(frozen=True)
class _Question:
    """What a statement is made from. Equal keys make equal statements."""

    key: tuple[Hashable, ...]
    columns: SubjectColumns = field(compare=False)
    word: int = field(compare=False)
    part: Mapping[int, Standard | None] = field(compare=False)
    everything: bool = field(compare=False)
    first: bool = field(compare=False)
    off: Collection[str] = field(compare=False)
    somewhere: Collection[str] = field(compare=False)
    dialect: Dialect = field(compare=False)


def fill(
    connection: Connection,
    columns: SubjectColumns,
    word: int,
    part: Mapping[int, Standard | None],
    everything: bool,
    off: Collection[str],
) -> None:
    """Put the masks into `fresh` that are other ones than the stored masks, or of subjects without any.

    Args:
        part: the standards of this mask by their bits; None: nobody asks it of such subjects.
        everything: all subjects, else the touched ones.
        off: standards that the database cannot run.
    """
    somewhere = frozenset(connection.scalars(select(blind.c.standard).distinct()))
    here = select(exists().where(verdicts.c.subject == columns.subject, verdicts.c.word == word))
    first = everything and not connection.scalar(here)
    asked = tuple((bit, one and (one.id, one.hash, one.id in somewhere)) for bit, one in part.items())
    key = (columns.subject, columns.everywhere, word, asked, everything, first, frozenset(off))
    question = _Question(key, columns, word, part, everything, first, off, somewhere, connection.dialect)
    connection.exec_driver_sql(*_statement(question))


@lru_cache(maxsize=512)
def _statement(question: _Question) -> tuple[str, tuple[Any, ...]]:
    """The text of a statement with its values: to make one takes longer than to judge a few changed subjects."""
    columns, word, first = question.columns, question.word, question.first
    mask = _mask(columns, question.part, first, question.off, question.somewhere)
    rows = _rows(columns, word, mask, question.everything, first)
    statement = fresh.insert().from_select(["subject", "subject_id", "word", "mask"], rows)
    compiled = statement.compile(dialect=question.dialect, compile_kwargs={"render_postcompile": True})
    return str(compiled), tuple(compiled.params[name] for name in compiled.positiontup or ())


def _rows(
    columns: SubjectColumns, word: int, mask: ColumnElement[int], everything: bool, first: bool
) -> Select[Any, Any, Any, Any]:
    """Kind, id, word and mask of each subject where it differs."""
    if first:
        return select(literal(columns.subject), columns.id, literal(word), mask).select_from(columns.source())
    same = and_(verdicts.c.subject == columns.subject, verdicts.c.word == word, verdicts.c.subject_id == columns.id)
    source = columns.source().outerjoin(verdicts, same)
    each = select(columns.id.label("id"), mask.label("mask"), verdicts.c.mask.label("old")).select_from(source)
    if not everything:
        each = each.where(columns.id.in_(select(touched.c.subject_id).where(touched.c.subject == columns.subject)))
    rows = each.subquery()
    differs = rows.c.mask.is_distinct_from(rows.c.old)
    return select(literal(columns.subject), rows.c.id, literal(word), rows.c.mask).where(differs)


def shift(bit: int) -> int:
    """Where the two bits of a standard begin in its mask."""
    return 2 * (bit % PER_WORD)


def _mask(
    columns: SubjectColumns,
    part: Mapping[int, Standard | None],
    first: bool,
    off: Collection[str],
    somewhere: Collection[str],
) -> ColumnElement[int]:
    """The sum of all bits. Standards whose facts were read from the same scopes are looked at together."""
    out = sum(OUT << shift(bit) for bit in part)
    old: ColumnElement[int] = literal(out) if first else func.coalesce(verdicts.c.mask, out)
    mask: ColumnElement[int] = literal(sum(OUT << shift(bit) for bit, one in part.items() if one is None))
    kept = sum(OUT << shift(bit) for bit, one in part.items() if one is not None and one.id in off)
    if kept:
        mask = mask + old.op("&")(kept)
    alike: dict[frozenset[str | None], dict[int, Standard]] = {}
    for bit, one in part.items():
        if one is not None and one.id not in off:
            companions = frozenset(FIELDS[columns.subject][name].observed for name in one.fields)
            alike.setdefault(companions - {None}, {})[bit] = one
    for group in alike.values():
        said: ColumnElement[int] = literal(0)
        for bit, one in group.items():
            said = said + value(columns, one, one.id in somewhere).op("<<")(shift(bit))
        fields = frozenset().union(*(one.fields for one in group.values()))
        before = old.op("&")(sum(OUT << shift(bit) for bit in group))
        mask = mask + case((columns.observed(fields), said), else_=before)
    return mask


def value(columns: SubjectColumns, standard: Standard, somewhere: bool = True) -> ColumnElement[int]:
    """What the standard says of each subject; `somewhere`: there are projects where it can never fail."""
    if not somewhere or columns.subject not in ("task", "project"):
        return answer(columns, standard)
    blind_here = select(blind.c.project_id).where(blind.c.standard == standard.id)
    own_project = columns.own.c.project_id if columns.subject == "task" else columns.id
    return answer(columns, standard, own_project.in_(blind_here))


def answer(
    columns: SubjectColumns, standard: Standard, blind_here: ColumnElement[bool] | None = None
) -> ColumnElement[int]:
    """What the standard says of each subject, as the two bits of a mask; where it is blind nobody is asked."""
    said: ColumnElement[int] = verdict(fail_condition(standard, columns))
    cases: list[tuple[ColumnElement[bool], Any]] = [] if blind_here is None else [(blind_here, OUT)]
    if (wanted := scope_condition(standard, columns)) is not None:
        return case(*cases, (wanted, said), else_=OUT)
    return case(*cases, else_=said) if cases else said
