"""The masks of many subjects in one SELECT: what up to 120 standards say of each, two bits for each of them.

What may not be concluded keeps the bits that it had. Only rows that differ from the stored ones come back, so that a
pass over a million subjects of which few moved writes little and holds little. SQLite takes each condition in jump
position and evaluates it once: there is no check that all rows would answer alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Select,
    and_,
    case,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
)

from pmosync.judge.columns import SubjectColumns
from pmosync.model import FIELDS
from pmosync.standards import Standard, fail_condition, scope_condition
from pmosync.standards.compiler import condition_sql
from pmosync.standards.syntax import And, Condition
from pmosync.store.tables import MASKS, PER_MASK, fresh, place_of, project, touched
from pmosync.store.tables import verdict as verdicts

PASS, FAIL, UNKNOWN, OUT = 0, 1, 2, 3
ALL_OUT = sum(OUT << 2 * at for at in range(PER_MASK))
"""A mask of which nothing is asked, when it is one at all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one kind of subject in one row of verdicts."""

    columns: SubjectColumns
    part: int
    standards: Mapping[int, Standard]
    """By their bits."""
    hashes: Mapping[str, str]
    """By standard."""
    blind: Mapping[str, Collection[int]]
    """By standard: masks of the fields that projects offer with which it can never fail."""
    everything: bool
    """All subjects, else the touched ones."""
    first: bool
    """None of them was judged before."""


@dataclass(frozen=True)
class _Question:
    """What a statement is made from. Equal keys make equal statements."""

    key: tuple[Hashable, ...]
    asked: Asked = field(compare=False)
    off: Collection[str] = field(compare=False)
    dialect: Dialect = field(compare=False)


def fill(connection: Connection, asked: Asked, off: Collection[str]) -> None:
    """Put the rows into `fresh` that are other ones than the stored rows, or of subjects without any.

    Args:
        off: standards that the database cannot run.
    """
    told = tuple(
        (bit, one.id, asked.hashes[one.id], tuple(asked.blind.get(one.id, ()))) for bit, one in asked.standards.items()
    )
    about = (asked.columns.subject, asked.columns.everywhere, asked.part, asked.everything, asked.first)
    question = _Question((*about, told, frozenset(off)), asked, off, connection.dialect)
    connection.exec_driver_sql(*_statement(question))


@lru_cache(maxsize=512)
def _statement(question: _Question) -> tuple[str, tuple[Any, ...]]:
    """The text of a statement with its values: to make one takes longer than to judge a few changed subjects."""
    statement = fresh.insert().from_select([column.name for column in fresh.c], _rows(question))
    compiled = statement.compile(dialect=question.dialect, compile_kwargs={"render_postcompile": True})
    return _spelled_out(str(compiled), [compiled.params[name] for name in compiled.positiontup or ()])


def _spelled_out(text: str, values: list[Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement with its numbers in it: SQLite is faster with them than with parameters. Texts stay parameters."""
    pieces = text.split("?")
    assert len(pieces) == len(values) + 1
    left, told = [], [pieces[0]]
    for value, piece in zip(values, pieces[1:], strict=True):
        plain = type(value) in (int, float) and abs(value) < 2**63  # neither infinite nor more than SQLite takes
        told += [f"({value!r})" if plain else "?", piece]
        left += [] if plain else [value]
    return "".join(told), tuple(left)


def _rows(question: _Question) -> Select[Any]:
    """Kind, id, part and masks of each subject where they differ."""
    asked, columns = question.asked, question.asked.columns
    source = columns.source()
    masks = [_mask(asked, name, question.off).label(name) for name in MASKS]
    if asked.first:
        return select(literal(columns.subject), columns.id, literal(asked.part), *masks).select_from(source)
    same = and_(
        verdicts.c.subject == columns.subject, verdicts.c.subject_id == columns.id, verdicts.c.part == asked.part
    )
    before = [verdicts.c[name].label(f"old_{name}") for name in MASKS]
    each = select(columns.id.label("id"), verdicts.c.subject_id.label("known"), *masks, *before)
    each = each.select_from(source.outerjoin(verdicts, same))
    if not asked.everything:  # without the limit SQLite takes masks that differ twice, to compare and to store them
        here = select(touched.c.subject_id).where(touched.c.subject == columns.subject)
        each = each.where(columns.id.in_(here)).limit(-1)
    rows = each.subquery()
    differs = or_(rows.c.known.is_(None), *(rows.c[name].is_distinct_from(rows.c[f"old_{name}"]) for name in MASKS))
    found = (rows.c[name] for name in MASKS)
    return select(literal(columns.subject), rows.c.id, literal(asked.part), *found).where(differs)


def _mask(asked: Asked, name: str, off: Collection[str]) -> ColumnElement[Any]:
    """The sum of all bits. Standards whose facts were read from the same scopes are looked at together."""
    columns = asked.columns
    mine = {bit: one for bit, one in asked.standards.items() if place_of(bit)[1] == name}
    if not mine:
        return null()
    old: ColumnElement[int] = _number(ALL_OUT) if asked.first else func.coalesce(verdicts.c[name], _number(ALL_OUT))
    mask: ColumnElement[int] = _number(ALL_OUT - sum(OUT << shift(bit) for bit in mine))
    if kept := sum(OUT << shift(bit) for bit, one in mine.items() if one.id in off):
        mask = mask + old.op("&")(_number(kept))
    alike: dict[frozenset[str | None], dict[int, Standard]] = {}
    for bit, one in mine.items():
        if one.id not in off:
            companions = frozenset(FIELDS[columns.subject][field].observed for field in one.fields)
            alike.setdefault(companions - {None}, {})[bit] = one
    for group in alike.values():
        said = _said(asked, group)
        fields = frozenset().union(*(one.fields for one in group.values()))
        before = old.op("&")(_number(sum(OUT << shift(bit) for bit in group)))
        mask = mask + case((columns.observed(fields), said), else_=before)
    return mask


def _said(asked: Asked, group: Mapping[int, Standard]) -> ColumnElement[int]:
    """What the standards say, as the sum of their bits.

    Many ask for the same and for something else, mostly that the work is open. Where the same is false, all of them
    pass: it is looked at once, and the rest of them only where it is true or unknown.
    """
    total: ColumnElement[int] = _number(0)
    left = dict(group)
    while left:
        same = _most_common(one for one in left.values() if one.applies_to is None and one.id not in asked.blind)
        some = {bit: one for bit, one in left.items() if same is None or _asks(asked, one, same)}
        said: ColumnElement[int] = _number(0)
        for bit, one in some.items():
            said = said + value(asked.columns, one, asked.blind.get(one.id, ()), shift(bit))
            del left[bit]
        passed = None if same is None else not_(condition_sql(same, asked.columns))
        total = total + (said if passed is None else case((passed, _number(PASS)), else_=said))
    return total


def _asks(asked: Asked, standard: Standard, condition: Condition) -> bool:
    """Whether the standard passes wherever the condition is false."""
    return standard.applies_to is None and standard.id not in asked.blind and condition in _conditions(standard)


def _most_common(standards: Iterable[Standard]) -> Condition | None:
    """What most of them ask for; None where no two of them ask for the same."""
    counts = Counter(condition for one in standards for condition in dict.fromkeys(_conditions(one)))
    found = counts.most_common(1)
    return found[0][0] if found and found[0][1] > 1 else None


def _conditions(standard: Standard) -> tuple[Condition, ...]:
    """Those that must all be true before it fails."""
    tree = standard.when.tree
    return tree.conditions if isinstance(tree, And) else (tree,)


def _number(value: int) -> ColumnElement[int]:
    """A number of our own, spelled out: SQLite is faster with it than with a parameter."""
    return literal_column(str(value), Integer())


def shift(bit: int) -> int:
    """Where the two bits of a standard begin in its mask."""
    return place_of(bit)[2]


def value(
    columns: SubjectColumns, standard: Standard, blind: Collection[int] = (), shift: int = 0
) -> ColumnElement[int]:
    """What the standard says of each subject; `blind`: what projects offer where it can never fail."""
    if not blind:
        return answer(columns, standard, shift=shift)
    offered = project.c.task_offered if columns.subject == "task" else project.c.offered
    return answer(columns, standard, offered.in_(sorted(blind)), shift)


def answer(
    columns: SubjectColumns, standard: Standard, blind_here: ColumnElement[bool] | None = None, shift: int = 0
) -> ColumnElement[int]:
    """What the standard says of each subject, as the two bits of a mask; where it is blind nobody is asked."""
    fails = fail_condition(standard, columns)
    said: ColumnElement[int] = case(
        (fails, _number(FAIL << shift)), (not_(fails), _number(PASS)), else_=_number(UNKNOWN << shift)
    )
    cases: list[tuple[ColumnElement[bool], Any]] = [] if blind_here is None else [(blind_here, _number(OUT << shift))]
    if (wanted := scope_condition(standard, columns)) is not None:
        return case(*cases, (wanted, said), else_=_number(OUT << shift))
    return case(*cases, else_=said) if cases else said
