"""Waivers: written, approved, expiring exceptions, in `decisions/waivers.yaml`.

| an entry | says |
|---|---|
| `standard: SCH201, subject: acme-jira/PAY-12, reason, until, approved_by, approved_on` | a waiver |
| the same without `approved_by` and `approved_on` | a request: it counts for nothing yet |
| `approve: W-1a2b3c, by, on` | somebody approves a request |
| `revoke: W-1a2b3c, by, on, reason` | the waiver counts no more, whatever stands there otherwise |

Each may have a `source`: the comment in a tool that it was made in.

A waiver that is not clear, that nobody approved, or that was approved by somebody whose role does not go so far, counts
as lapsed; it is told with file and line, and the others go on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pmosync.decisions.files import Entry, each, listed
from pmosync.errors import Misconfigured
from pmosync.model import FIELDS, Subject, severity_rank
from pmosync.people import People
from pmosync.register import ORGANISATION
from pmosync.standards import Mistake, Predicate, parse_predicate
from pmosync.standards.place import pointed
from pmosync.workdays import day_number
from pmosync.yamlfile import Doc, did_you_mean

WAIVERS = "waivers.yaml"
LONGEST_DAYS = 180
"""A waiver may end so many days after its approval: later it would be the standard's end, not an exception."""

Covers = Literal["subject", "project", "program", "portfolio", "where"]
SCOPES: tuple[Covers, ...] = ("subject", "project", "program", "portfolio")
WAIVER_KEYS = (
    "id", "standard", *SCOPES, "where", "about", "reason", "requested_by", "approved_by", "approved_on", "until",
    "source",
)  # fmt: skip
APPROVE_KEYS = ("approve", "by", "on", "source")
REVOKE_KEYS = ("revoke", "by", "on", "reason", "source")

_STANDARD = re.compile(r"[A-Z][A-Z0-9_-]{1,19}")
"""An id that a pack may give, or the letters that ids begin with."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a waiver is measured by."""

    longest_days: int = LONGEST_DAYS
    severities: Mapping[str, str] | None = None
    """Of the standards that are asked; None: whatever a waiver names is taken as it is."""
    people: People | None = None
    """Who may approve what; None: whoever is written there."""

    def severity(self, standard: str) -> str | None:
        """The severity of a standard, the worst of a family; None: no standard that is asked is called so."""
        found = [
            severity
            for name, severity in (self.severities or {}).items()
            if standard in (name, name.rstrip("0123456789"))
        ]
        return max(found, key=severity_rank, default=None)


@dataclass(frozen=True, slots=True)
class Waiver:
    """One standard (or a family such as SCH) waived for what it covers."""

    id: str
    standard: str
    covers: Covers
    """`subject`: what is called `key`, be it a task or a project; `project`: that project and every task in it;
    `program`, `portfolio`: every project in it with its tasks; `where`: all that the predicate is true of."""
    site: str
    """Of a subject or project."""
    key: str
    """The subject's or project's key or id as the tool shows it; the program's or portfolio's id in the register."""
    reason: str
    until_on: dt.date
    """The last day on which it counts."""
    where: Predicate | None = None
    about: Subject = "task"
    """What kind of subject the predicate is about."""
    requested_by: str = ""
    approved_by: str = ""
    approved_on: dt.date | None = None
    revoked_by: str = ""
    revoked_on: dt.date | None = None
    revoked_because: str = ""
    source: str = ""
    """The comment that it was asked for in, `site/id`; empty: it was not asked for inside a tool."""
    decided_in: str = ""
    """The same of the comment that approved or revoked it."""
    place: str = field(default="", compare=False)
    """`file:line:column`, for messages."""

    @property
    def approved(self) -> bool:
        """Whether somebody approved it, and nobody revoked it."""
        return self.approved_on is not None and not self.revoked_by

    @property
    def scope(self) -> str:
        """Whom it is about, as it is written on the command line."""
        name = f"{self.site}/{self.key}" if self.site else self.key
        kind = "" if self.covers == "subject" else f"{self.about}s" if self.covers == "where" else f"{self.covers}:"
        return f"{kind}{name}{f' where {self.where.text}' if self.where else ''}"

    def row(self) -> dict[str, Any]:
        """The row of the store's table, of one that is approved."""
        assert self.approved_on is not None
        return {
            "waiver": self.id,
            "covers": self.covers,
            "site": self.site,
            "key": self.key,
            "predicate": self.where.text if self.where else "",
            "about": self.about,
            "standard": self.standard,
            "approved_on": day_number(self.approved_on),
            "until": day_number(self.until_on),
            "reason": self.reason,
            "approved_by": self.approved_by,
            "scope": self.scope,
        }


@dataclass(frozen=True, slots=True)
class Waivers:
    """What the file says."""

    all: tuple[Waiver, ...] = ()
    """Those that are clear, in their order: lapsed ones, revoked ones and requests too."""
    unclear: tuple[Misconfigured, ...] = ()
    """Why others count as lapsed."""

    @property
    def approved(self) -> tuple[Waiver, ...]:
        return tuple(one for one in self.all if one.approved)

    @property
    def requests(self) -> tuple[Waiver, ...]:
        """Those that wait for somebody to approve them."""
        return tuple(one for one in self.all if one.approved_on is None and not one.revoked_by)

    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The rows of the store's table."""
        return tuple(one.row() for one in self.approved)

    def get(self, name: str) -> Waiver | None:
        """The one of this id."""
        return next((one for one in self.all if one.id == name), None)


@dataclass(frozen=True, slots=True)
class _Decision:
    """An entry that approves or revokes a waiver."""

    kind: Literal["approve", "revoke"]
    of: str
    by: str
    on: dt.date | None
    entry: Entry

    def word(self, key: str) -> str:
        """The text of a key, in whatever form it stands there."""
        return str(self.entry.data.get(key) or "")


def read_waivers(folder: Path, terms: Terms) -> Waivers:
    """The waivers of a decisions folder."""
    return waivers_in(listed(folder / WAIVERS), terms)


def waivers_in(doc: Doc | None, terms: Terms) -> Waivers:
    """The waivers of a file that was read."""
    read = each(doc, _entry, _keys)
    unclear = [one for one in read if isinstance(one, Misconfigured)]
    decisions = [one for one in read if isinstance(one, _Decision)]
    found: dict[str, tuple[Waiver, Entry]] = {}
    for one in read:
        if isinstance(one, tuple):
            waiver, entry = one
            if waiver.id in found:
                unclear.append(entry.wrong("id", f"the id {waiver.id} stands twice", "give each waiver its own id"))
            else:
                found[waiver.id] = one
    for decision in decisions:
        try:
            _decide(found, decision)
        except Misconfigured as error:
            unclear.append(error)
    clear = []
    for waiver, entry in found.values():
        try:
            _measure(waiver, entry, terms)
        except Misconfigured as error:
            unclear.append(error)
        else:
            clear.append(waiver)
    return Waivers(tuple(clear), tuple(sorted(unclear, key=lambda one: _line(one.where))))


def _line(where: str) -> int:
    numbers = where.rsplit(":", 2)[1:]
    return int(numbers[0]) if numbers and numbers[0].isdecimal() else 0


def _keys(data: Any) -> Collection[str]:
    if isinstance(data, dict) and "approve" in data:
        return APPROVE_KEYS
    if isinstance(data, dict) and "revoke" in data:
        return (*REVOKE_KEYS, *data)  # looked at when it has revoked
    return WAIVER_KEYS


def _entry(entry: Entry) -> tuple[Waiver, Entry] | _Decision:
    if "approve" in entry.data:
        return _Decision("approve", entry.text("approve"), entry.text("by"), entry.day("on"), entry)
    if "revoke" in entry.data:  # what is wrong in the rest of it must not keep a waiver alive
        by, on = entry.data.get("by"), entry.data.get("on")
        return _Decision("revoke", entry.text("revoke"), str(by or "?"), on if isinstance(on, dt.date) else None, entry)
    return _waiver(entry), entry


def _decide(found: dict[str, tuple[Waiver, Entry]], decision: _Decision) -> None:
    """Put a decision to its waiver; the first approval counts."""
    if decision.of not in found:
        hint = did_you_mean(decision.of, list(found)) or "`pmosync waivers list --all` shows the ids"
        raise decision.entry.wrong(decision.kind, f"there is no waiver '{decision.of}'", hint)
    waiver, entry = found[decision.of]
    if decision.kind == "revoke":
        revoked = replace(waiver, revoked_by=decision.by, revoked_on=decision.on, decided_in=decision.word("source"))
        found[decision.of] = replace(revoked, revoked_because=decision.word("reason")), entry
        _check_revoked(decision.entry)
    elif waiver.approved_on is None:
        approved = replace(waiver, approved_by=decision.by, approved_on=decision.on)
        found[decision.of] = replace(approved, decided_in=decision.word("source")), decision.entry


def _check_revoked(entry: Entry) -> None:
    for key in entry.data:
        if key not in REVOKE_KEYS:
            raise entry.doc.wrong((*entry.at, key), f"unknown key '{key}'", did_you_mean(key, REVOKE_KEYS), key=True)
    entry.text("by")
    entry.day("on")
    entry.text("reason")


def _waiver(entry: Entry) -> Waiver:
    standard = entry.text("standard")
    if not _STANDARD.fullmatch(standard):
        raise entry.wrong(
            "standard", f"'{standard}' is no standard", "write an id such as SCH201, or SCH for all of it"
        )
    covers, site, key = _scope(entry)
    about = _about(entry)
    return Waiver(
        id=_id(entry),
        standard=standard,
        covers=covers,
        site=site,
        key=key,
        where=_where(entry, about),
        about=about,
        reason=entry.text("reason"),
        until_on=entry.day("until"),
        requested_by=entry.optional("requested_by"),
        approved_by=entry.optional("approved_by"),
        approved_on=_approved_on(entry),
        source=entry.optional("source"),
        place=entry.place,
    )


def _id(entry: Entry) -> str:
    """The id that stands there; of an entry without one, made of what it says."""
    if "id" not in entry.data:
        return made_id(entry.data)
    if not _ID.fullmatch(name := entry.text("id")):
        raise entry.wrong("id", f"'{name}' cannot be an id", "write letters, digits and hyphens, such as W-17")
    return name


def made_id(data: Mapping[str, Any]) -> str:
    """An id made of what an entry says: the same words have the same id."""
    text = json.dumps(dict(data), sort_keys=True, default=str)
    return f"W-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _scope(entry: Entry) -> tuple[Covers, str, str]:
    named = [key for key in SCOPES if key in entry.data]
    if len(named) > 1 or ("subject" in named and "where" in entry.data) or not (named or "where" in entry.data):
        raise entry.doc.wrong(
            entry.at,
            "a waiver names one subject, project, program or portfolio, or a predicate; never everything",
            "write subject: acme-jira/PAY-12, project: acme-jira/PAY, program: core, or where: type = risk",
        )
    if not named:
        return "where", "", ""
    covers = named[0]
    if covers == "portfolio" and entry.text(covers) == ORGANISATION and "where" not in entry.data:
        what = f"the portfolio {ORGANISATION} is everything that the register puts into no other"
        raise entry.wrong(covers, what, "say with where: what of it")
    if covers in ("program", "portfolio"):
        return covers, "", entry.text(covers)
    site, slash, key = entry.text(covers).partition("/")
    if not (site and slash and key):
        raise entry.wrong(covers, f"'{entry.text(covers)}' names no {covers}", "write site/key: acme-jira/PAY-12")
    return covers, site, key


def _about(entry: Entry) -> Subject:
    word = entry.optional("about") or "task"
    subject = next((one for one in FIELDS if one == word), None)
    if subject is None or ("about" in entry.data and "where" not in entry.data):
        what = f"'{word}' is nothing that a predicate is about" if subject is None else "about stands without where"
        raise entry.wrong("about", what, f"write {' or '.join(FIELDS)} beside a predicate")
    return subject


def _where(entry: Entry, about: Subject) -> Predicate | None:
    if "where" not in entry.data:
        return None
    text = entry.text("where")
    try:
        return parse_predicate(text, about)
    except Mistake as mistake:
        raise pointed(entry.doc, (*entry.at, "where"), str(entry.data["where"]), mistake) from None


def _approved_on(entry: Entry) -> dt.date | None:
    given = [key for key in ("approved_by", "approved_on") if key in entry.data]
    if not given:
        return None
    entry.text("approved_by")
    return entry.day("approved_on")


# --- what it is measured by -------------------------------------------------------------------------------------------


def _measure(waiver: Waiver, decided: Entry, terms: Terms) -> None:
    """Refuse a waiver that is longer, or approved by somebody else, than the PMO allows.

    Args:
        decided: the entry that approves it: its own, or one that names it.
    """
    severity = terms.severity(waiver.standard)
    if terms.severities is not None and severity is None:
        families = {name.rstrip("0123456789") for name in terms.severities}
        hint = did_you_mean(waiver.standard, [*terms.severities, *families]) or "`pmosync standards list` shows them"
        raise Misconfigured(f"no standard that is asked is called {waiver.standard}", where=waiver.place, hint=hint)
    if waiver.approved_on is None or waiver.revoked_by:
        return
    days = (waiver.until_on - waiver.approved_on).days
    key = "until" if "until" in decided.data else "on"
    if days > terms.longest_days:
        what = f"until {waiver.until_on} is more than {terms.longest_days} days after the approval"
        raise decided.wrong(key, f"{what}; the waiver does not count", "write a nearer day, and decide again then")
    if days < 0:
        what = f"it was approved on {waiver.approved_on}, after its last day; the waiver does not count"
        raise decided.wrong(key, what, "ask for a new one")
    if terms.people is not None:
        key = "approved_by" if "approved_by" in decided.data else "by"
        if trouble := not_allowed(waiver.approved_by, severity, waiver.standard, terms.people):
            raise decided.wrong(key, f"{trouble[0]}; the waiver does not count", trouble[1])


def not_allowed(who: str, severity: str | None, standard: str, people: People) -> tuple[str, str] | None:
    """Why somebody may not waive a standard, and the next step; None: they may."""
    person = people.named(who)
    if person is None:
        return f"'{who}' is nobody in the people file", people.near(who)
    if severity is not None and not people.may_waive(person, severity):
        able = sorted({one.role for one in people.persons if people.may_waive(one, severity)})
        hint = f"ask a {' or '.join(able)}" if able else "nobody in the people file may: give somebody the role manager"
        return f"{person.email} is {person.role}, which does not waive {severity} findings ({standard})", hint
    return None
