"""Hears the commands in comments: what somebody may ask is written to the decisions, all else gets a reply.

What is decided stands in the decisions folder before anybody is answered, and is known there by its comment: a run that
dies, and a store that is built anew, never make a second entry of one command. An edited comment that asks something
else is another command; one that was deleted takes nothing back. A command that came to nothing is forgotten after
`REPLY_DAYS`, so that nobody's old words take effect because their role grew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection

from pmosync.commands.comments import Account, Said, said
from pmosync.commands.parsing import Command, Decide, Object, Unclear, Waive, Withdraw, read_commands
from pmosync.decisions import DISPUTES, WAIVERS, Dispute, Terms, Waiver, Waivers
from pmosync.decisions.disputes import disputes_in
from pmosync.decisions.files import append, listed
from pmosync.decisions.waivers import made_id, not_allowed, waivers_in
from pmosync.errors import Misconfigured
from pmosync.model import severity_rank
from pmosync.people import Person, Role
from pmosync.site import Site
from pmosync.standards import Standard
from pmosync.yamlfile import Doc, did_you_mean

REPLY_DAYS = 30
"""So long after a comment was made it may still be entered, and what came to nothing is replied to."""
ROOM = 200_000
"""Most characters of a decisions file that comments may fill: some 800 entries. What people write goes on behind it."""
WITHDRAWN = "no longer needed"
"""The reason of whoever withdraws a request and gives none."""
Asker = Literal["assignee", "project_lead"] | Role
ASKERS: tuple[Asker, ...] = ("assignee", "project_lead", "lead", "analyst", "manager", "director")
"""Who may ask for waivers and dispute, unless the configuration says otherwise; roles are those of people.yaml."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where commands are entered, and by which rules."""

    folder: Path
    terms: Terms
    askers: Collection[str] = ASKERS

    def digest(self) -> str:
        """What the decisions say now, as a hash: what was answered before is answered anew when it moves."""
        parts = [repr(doc.data) if (doc := listed(self.folder / name)) else "" for name in (WAIVERS, DISPUTES)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def named(self, account: Account) -> Person | None:
        """The person in people.yaml whose account this is."""
        return self.terms.people.named(str(account)) if self.terms.people else None

    def deciders(self, severity: str | None) -> str:
        """Who may approve a waiver of this severity, in words."""
        if self.terms.people is None:
            return "the PMO"
        rank = severity_rank(severity) if severity else 0
        roles = [role for role, worst in self.terms.people.approves.items() if severity_rank(worst) >= rank]
        return f"a {' or '.join(roles)}" if roles else "the PMO"


@dataclass(slots=True)
class Heard:
    """What the decisions say after all commands were heard, and what came to nothing."""

    waivers: Waivers
    disputes: tuple[Dispute, ...]
    replies: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """What is told on a task, by site and id, about commands that were not entered."""
    about: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """The waivers that somebody named on a task."""
    entered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What was written to the decisions, by site, in words."""
    waiting: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How many commands of a site a run that writes would enter."""
    trouble: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What could not be written to the decisions, by site, and why."""


def hear(
    connection: Connection,
    desk: Desk,
    sites: Sequence[Site],
    standards: Mapping[str, Standard],
    now: dt.datetime,
    *,
    enter: bool,
) -> Heard:
    """Hear every command in the stored comments.

    Args:
        enter: write to the decisions; without it nothing is written, and what would be is counted.
    """
    hearing = _Hearing(desk, standards, enter)
    zones = {source.name: source.zone for source in sites}
    comments = list(said(connection, sites))
    while True:
        before = hearing.anew()
        for one in comments:
            hearing.comment(one, now, now.astimezone(zones[one.site]).date())
        if hearing.written == before:  # what is replied follows from the decisions as they stand in the end
            return hearing.heard


class _Hearing:
    """One hearing: the decisions as they stand, read again whenever something was added."""

    def __init__(self, desk: Desk, standards: Mapping[str, Standard], enter: bool) -> None:
        self.desk, self.standards, self.enter = desk, standards, enter
        self._known: set[tuple[str, ...]] = set()
        self.heard = Heard(Waivers(), ())
        self._read()

    def _read(self) -> None:
        waivers, disputes = listed(self.desk.folder / WAIVERS), listed(self.desk.folder / DISPUTES)
        self.heard.waivers = waivers_in(waivers, self.desk.terms)
        self.heard.disputes = disputes_in(disputes)[0]
        entries = [*(waivers.data if waivers else ()), *(disputes.data if disputes else ())]
        self._known = {mark for one in entries if isinstance(one, dict) for mark in _marks(one)}

    @property
    def written(self) -> int:
        """How many entries were written so far."""
        return sum(map(len, self.heard.entered.values()))

    def anew(self) -> int:
        """Hear everything anew; returns how many entries were written before."""
        for told in (self.heard.replies, self.heard.about, self.heard.waiting, self.heard.trouble):
            told.clear()
        return self.written

    # --- one comment --------------------------------------------------------------------------------------------------

    def comment(self, one: Said, now: dt.datetime, today: dt.date) -> None:
        """Hear what one comment asks."""
        for command in read_commands(one.text):
            if isinstance(command, Decide | Withdraw):
                self.heard.about[one.site, one.rid].add(command.waiver)
            if self._stands(one, command):
                told = self._unclear(one, command)
            elif now - one.made_at > dt.timedelta(days=REPLY_DAYS):
                continue
            else:
                told = self._told(one, command, today)
            if told:
                self.heard.replies[one.site, one.rid].append(told)

    def _stands(self, one: Said, command: Command) -> bool:
        """Whether this was entered before: then the decisions say what became of it."""
        match command:
            case Waive():
                return (_waiver_id(one, command),) in self._known
            case Object():
                return (_dispute_id(one, command),) in self._known
            case Decide(waiver=name, refused_because=refused):
                return ("revoke" if refused else "approve", name, one.source) in self._known
            case Withdraw(waiver=name):
                return ("revoke", name, one.source) in self._known
        return False

    def _unclear(self, one: Said, command: Command) -> str:
        """What to reply about an entry that does not count as it stands there; empty: it does."""
        name = _waiver_id(one, command) if isinstance(command, Waive) else getattr(command, "waiver", "")
        if not name or self.heard.waivers.get(name) is not None:
            return ""
        return f"Answer about {name}: it is noted, and does not count as it stands. Ask the PMO"

    def _told(self, one: Said, command: Command, today: dt.date) -> str:
        """Enter a command; what to reply when that cannot be."""
        match command:
            case Unclear():
                return f'Answer to "{command.said}": it is not understood. Write {command.instead}'
            case Waive():
                return self._waive(one, command, today)
            case Object():
                return self._object(one, command, today)
            case Decide():
                return self._decide(one, command, today)
            case Withdraw():
                return self._withdraw(one, command, today)

    def _enter(self, one: Said, name: str, entry: Mapping[str, Any], meant: Callable[[Doc], bool], told: str) -> str:
        """Write one entry, when the file will then say what is meant."""
        if not self.enter:
            self.heard.waiting[one.site] += 1
            return ""

        def check(future: Doc) -> None:
            if len(future.text) > ROOM:
                what, hint = "no room for what is asked in comments", "take entries out that lapsed long ago"
                raise Misconfigured(what, where=str(future.path), hint=hint)
            if not meant(future):
                raise Misconfigured("the entry would not mean what was asked", where=str(future.path))

        try:
            append(self.desk.folder / name, entry, check)
        except Misconfigured as error:
            self.heard.trouble[one.site].append(f"{told}: not entered: {error}")
            return ""
        self.heard.entered[one.site].append(told)
        self._read()
        return ""

    # --- asking -------------------------------------------------------------------------------------------------------

    def _waive(self, one: Said, command: Waive, today: dt.date) -> str:
        name, longest = command.standard, self.desk.terms.longest_days
        if no := self._asking(one, name):
            return f"Answer about {name}: {no}"
        if not today <= command.until_on <= today + dt.timedelta(days=longest):
            last = today + dt.timedelta(days=longest)
            return f"Answer about {name}: {command.until_on} has passed or is too far. Name a day until {last}"
        number = _waiver_id(one, command)
        entry = {
            "id": number,
            "standard": name,
            "subject": f"{one.site}/{one.key}",
            "reason": command.reason,
            "requested_by": self._name(one),
            "until": command.until_on,
            "source": one.source,
        }
        wanted = (number, command.reason, one.source)

        def meant(future: Doc) -> bool:
            requests = waivers_in(future, self.desk.terms).requests
            return wanted in {(waiver.id, waiver.reason, waiver.source) for waiver in requests}

        return self._enter(one, WAIVERS, entry, meant, f"{one.key}: waiver {number} of {name} asked for")

    def _object(self, one: Said, command: Object, today: dt.date) -> str:
        name, number = command.standard, _dispute_id(one, command)
        if no := self._asking(one, name):
            return f"Answer about {name}: {no}"
        entry = {
            "id": number,
            "standard": name,
            "subject": f"{one.site}/{one.key}",
            "reason": command.reason,
            "by": self._name(one),
            "on": today,
            "source": one.source,
        }

        def meant(future: Doc) -> bool:
            return (number, command.reason) in {(made.id, made.reason) for made in disputes_in(future)[0]}

        return self._enter(one, DISPUTES, entry, meant, f"{one.key}: {name} disputed ({number})")

    def _asking(self, one: Said, name: str) -> str:
        """Why this cannot be asked here by this person; empty: it can."""
        if not self._may_ask(one):
            return "only the task's assignee, the lead of its project and the PMO may ask here. Ask one of them"
        standard = self.standards.get(name)
        if standard is None:
            near = did_you_mean(name, list(self.standards))
            return (
                f"no such standard is asked. {f'{near[:1].upper()}{near[1:]}' if near else 'Take the id from the flag'}"
            )
        if standard.subject != "task":
            return f"it is asked of a {standard.subject}, not of this task. Ask the PMO"
        return ""

    def _may_ask(self, one: Said) -> bool:
        if one.by is None:
            return False
        person = self.desk.named(one.by)
        if person is not None and person.role in self.desk.askers:
            return True
        spoken = [("assignee", one.assignee), *(("project_lead", lead) for lead in one.leads)]
        return any(word in self.desk.askers and self._same(one.by, who, person) for word, who in spoken)

    def _same(self, by: Account, other: Account | None, person: Person | None) -> bool:
        """Whether two accounts are one person: the same account, or both of one person in people.yaml."""
        return by == other or (person is not None and other is not None and self.desk.named(other) == person)

    def _name(self, one: Said) -> str:
        """Who asks, as the decisions name people."""
        assert one.by is not None
        person = self.desk.named(one.by)
        return person.email if person else str(one.by)

    # --- deciding -----------------------------------------------------------------------------------------------------

    def _decide(self, one: Said, command: Decide, today: dt.date) -> str:
        waiver = self.heard.waivers.get(command.waiver)
        if waiver is None or not is_about(waiver, one):
            return _nobody_asked(command.waiver)
        if waiver.approved_on is not None or waiver.revoked_by:
            return ""  # what it is now is told beside its id
        if waiver.until_on < today:
            return f"Answer about {waiver.id}: it was asked for until {waiver.until_on}. Ask for a new one"
        severity = self.desk.terms.severity(waiver.standard)
        person = self.desk.named(one.by) if one.by else None
        if self.desk.terms.people is None:
            return f"Answer about {waiver.id}: it is decided by the PMO, not here"
        if person is None or not_allowed(person.email, severity, waiver.standard, self.desk.terms.people):
            return f"Answer about {waiver.id}: only {self.desk.deciders(severity)} may decide about it"
        return self._decided(one, waiver, person, command, today)

    def _decided(self, one: Said, waiver: Waiver, person: Person, command: Decide, today: dt.date) -> str:
        verb = "revoke" if command.refused_because else "approve"
        because = {"reason": command.refused_because} if command.refused_because else {}
        entry = {verb: waiver.id, "by": person.email, "on": today, **because, "source": one.source}

        def meant(future: Doc) -> bool:
            after = waivers_in(future, self.desk.terms).get(waiver.id)
            return after is not None and bool(after.revoked_by if command.refused_because else after.approved)

        told = "refused" if command.refused_because else "approved"
        return self._enter(one, WAIVERS, entry, meant, f"{one.key}: waiver {waiver.id} of {waiver.standard} {told}")

    def _withdraw(self, one: Said, command: Withdraw, today: dt.date) -> str:
        waiver = self.heard.waivers.get(command.waiver)
        if waiver is None or not is_about(waiver, one):
            return _nobody_asked(command.waiver)
        if waiver.revoked_by or waiver.until_on < today:
            return ""  # what it is now is told beside its id
        if not self._asked_for(one, waiver):
            who = self.desk.deciders(self.desk.terms.severity(waiver.standard))
            return f"Answer about {waiver.id}: only who asked for it may withdraw it. Ask {who} to refuse or revoke it"
        because, by = command.reason or WITHDRAWN, waiver.requested_by
        entry = {"revoke": waiver.id, "by": by, "on": today, "reason": because, "source": one.source}

        def meant(future: Doc) -> bool:
            after = waivers_in(future, self.desk.terms).get(waiver.id)
            return after is not None and (after.revoked_by, after.revoked_because) == (by, because)

        return self._enter(one, WAIVERS, entry, meant, f"{one.key}: waiver {waiver.id} of {waiver.standard} withdrawn")

    def _asked_for(self, one: Said, waiver: Waiver) -> bool:
        """Whether who wrote this comment asked for this waiver."""
        person = self.desk.named(one.by) if one.by else None
        by_account = one.by is not None and waiver.requested_by == str(one.by)
        return by_account or (person is not None and waiver.requested_by.lower() == person.email)


def _nobody_asked(name: str) -> str:
    return f"Answer about {name}: nobody asked for such a waiver here. Take the id from the answer above"


def is_about(waiver: Waiver, one: Said) -> bool:
    """Whether a waiver is about the task of this comment alone."""
    return waiver.covers == "subject" and waiver.site == one.site and waiver.key in (one.key, one.rid)


def _marks(entry: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What an entry is known by, also one that is not clear."""
    source = str(entry.get("source") or "")
    decided = [(verb, str(entry[verb]), source) for verb in ("approve", "revoke") if verb in entry and source]
    return [*decided, *([(str(entry["id"]),)] if "id" in entry else [])]


def _waiver_id(one: Said, command: Waive) -> str:
    """The same comment that asks the same again has the same id."""
    return made_id({"source": one.source, "standard": command.standard, "until": command.until_on})


def _dispute_id(one: Said, command: Object) -> str:
    made = made_id({"source": one.source, "standard": command.standard, "dispute": True})
    return f"D{made.removeprefix('W')}"
