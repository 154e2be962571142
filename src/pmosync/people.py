"""The people of the PMO: their e-mails and tool accounts, what they may decide, and when they work.

The file that lists them is YAML, or a table that was saved as CSV; both are held to the same rules.
A person is who an account or an e-mail says, never who a display name says: anybody can change theirs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, Strict, StrictInt, StrictStr, StringConstraints

from pmosync.errors import Misconfigured
from pmosync.model import severity_rank
from pmosync.workdays import Workdays
from pmosync.yamlfile import At, Doc, Sheet, did_you_mean, load, load_sheet, together

Role = Literal["viewer", "lead", "analyst", "manager", "director"]

APPROVES: Mapping[str, str] = {"analyst": "low", "manager": "critical", "director": "critical"}
"""The worst severity that a role may waive, unless the configuration says otherwise; a role without one waives none."""
_EMAIL = re.compile(r"[^\s@/]+@[^\s@/]+")


@dataclass(frozen=True, slots=True)
class Person:
    """One person; `accounts` holds the id of the account on each site."""

    email: str
    role: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    works_as: str | None = None
    hours_per_week: float | None = None
    """None: as the configuration says for everybody."""
    absences: tuple[tuple[dt.date, dt.date], ...] = ()
    """First and last days, in their order; no two of them overlap."""
    training_valid_until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class People:
    """All persons of the people file, and what their roles may waive."""

    persons: tuple[Person, ...]
    approves: Mapping[str, str] = field(default_factory=lambda: APPROVES)

    def named(self, who: str) -> Person | None:
        """The person of this e-mail, or of this account (`acme-jira/5b10ac8d`)."""
        site, slash, account = who.partition("/")
        if slash:
            return next((one for one in self.persons if one.accounts.get(site) == account), None)
        return next((one for one in self.persons if one.email == who.lower()), None)

    def may_waive(self, person: Person, severity: str) -> bool:
        """Whether the role of a person goes as far as this severity."""
        worst = self.approves.get(person.role)
        return worst is not None and severity_rank(severity) <= severity_rank(worst)

    def near(self, who: str) -> str:
        """What to write instead of somebody who is not there."""
        known = [one.email for one in self.persons]
        return did_you_mean(who, known) or "write the e-mail, or site/account, of somebody in the people file"


_Day = Annotated[dt.date, Strict()]


class _AbsenceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    from_: Annotated[_Day, Field(alias="from")]
    to: _Day


@dataclass(frozen=True, slots=True)
class Staff:
    """How everybody works, as far as the people file and the configuration say."""

    persons: tuple[Person, ...] = ()
    hours_per_week: float | None = None
    """Of everybody else; None: nobody knows."""
    days_per_week: int = 5
    """Working days of a week without holidays."""

    @property
    def hash(self) -> str:
        """Moves when anything of it does that load could be computed from."""
        told = [
            (one.email, *sorted(one.accounts.items()), one.works_as, one.hours_per_week, one.absences,
             one.training_valid_until)
            for one in self.persons
        ]  # fmt: skip
        return hashlib.sha256(repr((told, self.hours_per_week, self.days_per_week)).encode()).hexdigest()[:16]


def staff_of(persons: Iterable[Person], hours_per_week: float | None, workdays: Workdays) -> Staff:
    """How everybody works in this calendar."""
    return Staff(tuple(persons), hours_per_week, len(workdays.weekdays))


class _PersonEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    email: Annotated[StrictStr, StringConstraints(strip_whitespace=True)]
    role: Role = "viewer"
    accounts: dict[str, StrictStr | StrictInt] = {}
    works_as: Annotated[StrictStr, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] | None = None
    hours_per_week: Annotated[float, Strict(), Field(ge=0, le=168)] | None = None
    absences: tuple[_AbsenceEntry, ...] = ()
    training_valid_until: _Day | None = None


class _PeopleEntries(RootModel[list[_PersonEntry]]):
    model_config = ConfigDict(frozen=True)


def read_people(path: Path, approves: Mapping[str, str], sites: Mapping[str, object]) -> People:
    """The people file; anything that is wrong in it refuses it whole.

    Args:
        approves: the worst severity by role.
        sites: what the configuration calls its sites.
    """
    if path.suffix.lower() in _OFFICE:
        raise Misconfigured("this is no text", where=str(path), hint="save it as CSV UTF-8, and name that file")
    doc = _listed(load_sheet(path), sites) if path.suffix.lower() == ".csv" else load(path)
    if not isinstance(doc.data, list):
        raise doc.wrong((), f"{path.name} is a list of people", "start every entry with a hyphen: - email: ...")
    entries = doc.validated(_PeopleEntries).root
    wrong: list[Misconfigured] = []
    taken: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        if not _EMAIL.fullmatch(entry.email):
            wrong.append(doc.wrong((number, "email"), f"'{entry.email}' is no e-mail address", "write name@host"))
        for site in entry.accounts.keys() - sites.keys():
            hint = did_you_mean(site, list(sites)) or f"sites are {', '.join(sites)}"
            wrong.append(doc.wrong((number, "accounts", site), f"there is no site '{site}'", hint, key=True))
        places = {("", entry.email.lower()): "email", **{(s, str(a)): s for s, a in entry.accounts.items()}}
        for name, key in places.items():
            if name in taken:
                at = (number, key) if key == "email" else (number, "accounts", key)
                what = f"'{name[1]}' stands twice: here and in entry {taken[name] + 1}"
                wrong.append(doc.wrong(at, what, "an e-mail or account is one person: keep one"))
            taken.setdefault(name, number)
        wrong += _unclear(doc, number, entry)
    if wrong:
        raise together(wrong, str(path))
    return People(tuple(_person(one) for one in entries), approves)


# --- a table ---------------------------------------------------------------------------------------------------------

_OFFICE = (".xlsx", ".xls", ".ods")
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_ROUNDED = re.compile(r"\d[.,]?\d*E\+\d+", re.IGNORECASE)


def _listed(sheet: Sheet, sites: Mapping[str, object]) -> Doc:
    """The entries that the rows of a table stand for, each part with its place."""
    columns = {name.lower(): name for name in (*sites, *_CELLS)}
    unknown = [
        sheet.wrong(cell, f"there is no column '{name}'", did_you_mean(name, list(columns.values())) or _known(sites))
        for name, cell in sheet.columns.items()
        if name.lower() not in columns
    ]
    entries: list[dict[str, object]] = []
    values: dict[At, tuple[int, int]] = {(): (1, 1)}
    wrong = list(unknown)
    for number, row in enumerate(sheet.rows):
        entry: dict[str, object] = {}
        accounts: dict[str, object] = {}
        values[number,] = min((cell.line, cell.column) for cell in row.values())
        for told, cell in row.items():
            name = columns.get(told.lower())
            if name is None or not cell.text:
                continue
            holder, read, at = (entry, _CELLS[name], ()) if name in _CELLS else (accounts, _account, ("accounts",))
            values[number, *at, name] = cell.line, cell.column
            try:
                holder[name] = read(cell.text)
            except Misconfigured as error:
                wrong.append(sheet.wrong(cell, f"{name}: {error.what}", error.hint))
        entries.append({**entry, "accounts": accounts} if accounts else entry)
    if wrong:
        raise together(wrong, str(sheet.path))
    return Doc(sheet.path, entries, sheet.text, values, {})


def _known(sites: Mapping[str, object]) -> str:
    return f"columns are {', '.join(_CELLS)}, and for accounts the sites: {', '.join(sites)}"


def _hours(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Misconfigured(f"'{text}' is no number", hint="write hours like 32 or 32.5") from None


def _day(text: str) -> dt.date:
    """A day as the standard writes it, or with points: there the day comes first everywhere."""
    german = _GERMAN_DAY.fullmatch(text)
    try:
        return dt.date(int(german[3]), int(german[2]), int(german[1])) if german else dt.date.fromisoformat(text)
    except ValueError:
        hint = "write it like 2026-11-20 or 20.11.2026; format the column as text, so that Excel leaves it so"
        raise Misconfigured(f"'{text}' is no day that is clear to everybody", hint=hint) from None


def _absences(text: str) -> list[dict[str, dt.date]]:
    """First and last days of each absence, or single days."""
    found = []
    for one in filter(None, (part.strip() for part in re.split(r"[;,\n]", text))):
        first, _, last = (part.strip() for part in one.partition(" to "))
        found.append({"from": _day(first), "to": _day(last or first)})
    return found


def _account(text: str) -> str:
    if _ROUNDED.fullmatch(text):
        what = f"'{text}' is a number that Excel has rounded"
        raise Misconfigured(what, hint="format the column as text, then enter the account again")
    return text


_CELLS: Mapping[str, Callable[[str], object]] = {
    "email": str,
    "role": str.lower,
    "works_as": str,
    "hours_per_week": _hours,
    "absences": _absences,
    "training_valid_until": _day,
}
"""The columns of a table and how a cell is read; every other column is called like a site and holds accounts."""


# --- entries ---------------------------------------------------------------------------------------------------------


def _unclear(doc: Doc, number: int, entry: _PersonEntry) -> Iterator[Misconfigured]:
    """Absences that end before they begin, or overlap."""
    for at, one in enumerate(entry.absences):
        if one.to < one.from_:
            what = f"an absence from {one.from_} to {one.to} ends before it begins"
            yield doc.wrong((number, "absences", at), what, "write the first day under from, the last one under to")
        for first in entry.absences[:at]:
            if one.from_ <= first.to and first.from_ <= one.to:
                what = f"this absence overlaps the one from {first.from_} to {first.to}"
                yield doc.wrong((number, "absences", at), what, "write them as one")


def _person(entry: _PersonEntry) -> Person:
    return Person(
        email=entry.email.lower(),
        role=entry.role,
        accounts={site: str(account) for site, account in entry.accounts.items()},
        works_as=entry.works_as,
        hours_per_week=entry.hours_per_week,
        absences=tuple(sorted((one.from_, one.to) for one in entry.absences)),
        training_valid_until=entry.training_valid_until,
    )
