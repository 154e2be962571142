"""Asks the stored data what standards would say of it, for the people who write standards. It keeps nothing.

The day is the one that was judged last. Nothing is concluded about what is not observed: such work counts as not asked.
Each question is one SELECT over all subjects of a kind that gives back counts, never the subjects themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, case, false, func, literal, or_, select

from pmosync.judge import FAIL, OUT, PASS, SUBJECTS, UNKNOWN, answer, everywhere, lacks, trouble
from pmosync.judge.columns import SubjectColumns
from pmosync.model import ABOUT_PEOPLE
from pmosync.standards import Standard, can_fail
from pmosync.store.tables import PER_MASK, project

Change = Literal["new", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Asked:
    """How many subjects gave each answer to one standard."""

    passed: int = 0
    failed: int = 0
    unknown: int = 0
    trouble: str = ""
    """Why the database cannot run it; then nobody was asked."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a set of standards says of the stored data."""

    asked: Mapping[str, Asked]
    both: Mapping[tuple[str, str], int]
    """How many subjects break two standards at once, by the two ids in the order of the standards; never 0."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A subject whose answer would be another one."""

    site: str
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What one standard would find anew, and what no more."""

    before: Standard | None
    after: Standard | None
    appear: int
    vanish: int
    first_appear: tuple[Affected, ...]
    first_vanish: tuple[Affected, ...]

    @property
    def one(self) -> Standard:
        """The standard as it would be, or as it was."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def change(self) -> Change:
        return "removed" if self.after is None else "new" if self.before is None else "changed"


def ask(connection: Connection, standards: Sequence[Standard]) -> Answers:
    """How each standard is answered, and which are broken together."""
    asked: dict[str, Asked] = {}
    both: Counter[tuple[str, str]] = Counter()
    for subject in SUBJECTS:
        columns = SubjectColumns(subject, everywhere(connection, subject))
        mine = []
        for one in (each for each in standards if each.subject == subject):
            if why := trouble(connection, columns, one):
                asked[one.id] = Asked(trouble=why)
            else:
                mine.append(one)
        if mine:
            _ask(connection, columns, mine, asked, both)
    return Answers(asked, both)


def _ask(
    connection: Connection,
    columns: SubjectColumns,
    standards: Sequence[Standard],
    asked: dict[str, Asked],
    both: Counter[tuple[str, str]],
) -> None:
    """Group the subjects by all of their answers at once: there are few different rows, however many subjects."""
    parts = [standards[begin : begin + PER_MASK] for begin in range(0, len(standards), PER_MASK)]
    words = [_word(connection, columns, part).label(f"word_{number}") for number, part in enumerate(parts)]
    each = select(*words).select_from(columns.source()).subquery()
    rows = select(func.count(), each).group_by(*each.c)
    counts: dict[str, Counter[int]] = {one.id: Counter() for one in standards}
    for subjects, *masks in connection.execute(rows):
        answers = {
            one.id: mask >> 2 * at & 3 for part, mask in zip(parts, masks, strict=True) for at, one in enumerate(part)
        }
        for name, said in answers.items():
            counts[name][said] += subjects
        for pair in combinations([name for name, said in answers.items() if said == FAIL], 2):
            both[pair] += subjects
    asked.update({name: Asked(found[PASS], found[FAIL], found[UNKNOWN]) for name, found in counts.items()})


def _word(connection: Connection, columns: SubjectColumns, standards: Sequence[Standard]) -> ColumnElement[int]:
    mask: ColumnElement[int] = literal(0)
    for at, one in enumerate(standards):
        mask = mask + _answer(connection, columns, one).op("<<")(2 * at)
    return mask


def _answer(connection: Connection, columns: SubjectColumns, standard: Standard) -> ColumnElement[int]:
    """The answer now, out of scope where something that it needs is not observed."""
    said = answer(columns, standard, _blind(connection, standard))
    return case((columns.observed(standard.fields), said), else_=OUT)


def _blind(connection: Connection, standard: Standard) -> ColumnElement[bool]:
    """Whether the project of a subject offers too little for the standard to ever fail."""
    if standard.subject not in ("task", "project"):
        return false()
    offered = project.c.task_offered if standard.subject == "task" else project.c.offered
    masks = connection.scalars(select(offered).distinct()).all()
    missing = {
        mask: frozenset(name for name in standard.fields if lacks(standard.subject, name, mask)) for mask in masks
    }
    return offered.in_([mask for mask, names in missing.items() if not can_fail(standard, names)])


# --- two packs --------------------------------------------------------------------------------------------------------


def differences(
    connection: Connection, before: Sequence[Standard], after: Sequence[Standard], *, first: int
) -> Iterator[Difference]:
    """What each standard that is new, changed or removed would find, in the order of `after`, removed ones at the end.

    Args:
        first: so many subjects are named.
    """
    old, new = ({one.id: one for one in standards} for standards in (before, after))
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        if was is not None and now is not None and was.subject != now.subject:
            yield _difference(connection, was, None, first)
            yield _difference(connection, None, now, first)
        elif was is None or now is None or was.hash != now.hash:
            yield _difference(connection, was, now, first)


def _difference(connection: Connection, before: Standard | None, after: Standard | None, first: int) -> Difference:
    there = [one for one in (before, after) if one is not None]
    subject = there[0].subject
    columns = SubjectColumns(subject, everywhere(connection, subject))
    was, now = (literal(OUT) if one is None else _answer(connection, columns, one) for one in (before, after))
    judged = and_(*(columns.observed(one.fields) for one in there))
    appear, vanish = and_(judged, now == FAIL, was != FAIL), and_(judged, was == FAIL, now != FAIL)
    counts = select(func.count().filter(appear), func.count().filter(vanish)).select_from(columns.source())
    appears, vanishes = connection.execute(counts.where(or_(was == FAIL, now == FAIL))).one()
    found = [_first(connection, columns, which, first) for which in (appear, vanish)]
    return Difference(before, after, appears, vanishes, *found)


def _first(
    connection: Connection, columns: SubjectColumns, which: ColumnElement[bool], most: int
) -> tuple[Affected, ...]:
    own = columns.own
    if columns.subject in ABOUT_PEOPLE:
        return ()  # how many there are is told, and not who
    rows = select(own.c.site, own.c.key, own.c.title).select_from(columns.source()).where(which)
    ordered = connection.execute(rows.order_by(own.c.site, own.c.id).limit(most))
    return tuple(Affected(row.site, row.key, row.title or "") for row in ordered)


def overlapping(answers: Answers, share: float, least: int) -> list[tuple[str, str, int]]:
    """Pairs of standards that are broken by nearly the same subjects, with how many break both.

    Args:
        share: both over either, 0 to 1, from which it is nearly the same.
        least: subjects that break both, from which it says something.
    """
    found = []
    for (one, other), together in answers.both.items():
        either = answers.asked[one].failed + answers.asked[other].failed - together
        if together >= least and together >= share * either:
            found.append((one, other, together))
    return sorted(found)
