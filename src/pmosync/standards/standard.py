"""One standard of the PMO: what is asked, of whom, how it is put to people, and how it is put to SQL.

Two hashes tell apart what changed: `hash` moves when a verdict could move, `wording` when only the text that people
read does.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.sql.elements import ColumnElement

from pmosync.contract import canonical
from pmosync.model import FIELDS, Subject
from pmosync.standards.compiler import Columns, condition_sql
from pmosync.standards.possible import outcomes
from pmosync.standards.syntax import Constant, Kind, Predicate

ExampleKind = Literal["fail", "pass", "unknown", "out_of_scope"]

FIX_WITHIN_D: Mapping[str, int] = {"critical": 1, "high": 5, "medium": 10, "low": 20, "info": 40}
"""Working days until it should be fixed, by severity, unless the standard says otherwise."""


@dataclass(frozen=True, slots=True)
class Param:
    """One number of a predicate that a PMO may tune; durations are in days."""

    name: str
    kind: Literal["number", "duration"]
    default: float
    min: float
    max: float
    meaning: str

    @property
    def value(self) -> float:
        return self.default

    @property
    def constant(self) -> Constant:
        if self.kind == "duration":
            return Constant(Kind.DAYS, int(self.value))
        return Constant(Kind.NUMBER, float(self.value))

    def __str__(self) -> str:
        return f"{self.value:g}d" if self.kind == "duration" else f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Example:
    """One made-up subject and the answer that the standard must give for it.

    Values are as the store holds them (day numbers, microseconds, 0 and 1). A field that is not named is empty.
    """

    kind: ExampleKind
    index: int
    values: Mapping[str, float | int | str | None]
    today: int
    not_provided: frozenset[str]
    place: str


@dataclass(frozen=True, slots=True)
class Standard:
    """One rule of the PMO, checked and ready to compile. `fix_within_d` counts working days."""

    id: str
    title: str
    subject: Subject
    severity: str
    when: Predicate
    applies_to: Predicate | None
    params: Mapping[str, Param] = field(hash=False)
    why: str
    fix: str
    serves: str
    phase: str
    fix_within_d: int
    mode: str | None
    """The hardest mode in which it is asked, however hard others are; None: any."""
    examples: tuple[Example, ...] = field(hash=False)
    pack: str
    place: str
    """`file:line:column`; says where it was read, and decides nothing."""
    version: int = 1
    """Raised by its authors when they ask something else; decides nothing."""
    since: dt.date | None = None
    """The day from which it is asked in this version, for those who read about it."""
    review_by: dt.date | None = None
    """The day until which its authors look at it again."""
    persist_d: int = 0
    """So many days a finding must have held before it is told in the tool; reports count it at once."""

    @property
    def page(self) -> str:
        """The file that its guidance page is written to, below the address that `guidance` names."""
        return f"{self.id}.html"

    @property
    def fields(self) -> frozenset[str]:
        """Every field it reads, to decide whom it is about and what to say."""
        return self.when.fields | (self.applies_to.fields if self.applies_to else frozenset())

    @property
    def hash(self) -> str:
        """Short hash of everything that decides verdicts."""
        scope = self.applies_to.text if self.applies_to else None
        values = {name: [param.kind, param.value] for name, param in self.params.items()}
        return _short([self.subject, self.when.text, scope, values])

    @property
    def wording(self) -> str:
        """Short hash of what people are told."""
        return _short([self.title, self.why, self.fix, self.severity, self.fix_within_d])

    @property
    def uses_day(self) -> bool:
        """Whether a new day alone can change a verdict."""
        predicates = [self.when, self.applies_to] if self.applies_to else [self.when]
        registry = FIELDS[self.subject]
        return any(each.uses_today for each in predicates) or any(registry[name].day for name in self.fields)

    @property
    def uses_calendar(self) -> bool:
        """Whether the organisation's working days can change a verdict."""
        return any(FIELDS[self.subject][name].calendar for name in self.fields)


def _short(data: object) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:16]


def fail_condition(standard: Standard, columns: Columns) -> ColumnElement[bool]:
    """True where the standard is broken, false where it is met, NULL where that cannot be known."""
    return condition_sql(standard.when.tree, columns)


def scope_condition(standard: Standard, columns: Columns) -> ColumnElement[bool] | None:
    """True where the standard applies, false where not, NULL where that cannot be known; None: everywhere."""
    return condition_sql(standard.applies_to.tree, columns) if standard.applies_to else None


def can_fail(standard: Standard, not_provided: frozenset[str]) -> bool:
    """Whether the standard can ever say "fail" where these fields are never provided; if not, it is blind there."""
    applies = standard.applies_to is None or "true" in outcomes(standard.applies_to.tree, not_provided)
    return applies and "true" in outcomes(standard.when.tree, not_provided)
