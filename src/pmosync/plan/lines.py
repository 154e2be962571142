"""What a plan is: a value of lines, one for each change or for a slot that is left alone for a reason worth telling."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from pmosync.contract import Change, MarkedKind, Slot


@dataclass(frozen=True, slots=True)
class Line:
    """One change, or one slot that is left alone for a reason worth telling (`verb` empty)."""

    site: str
    subject: str
    rid: str
    key: str
    project: str
    slot: str
    verb: str
    before: str | None
    after: str | None
    causes: str = ""
    note: str = ""
    event_id: int = 0
    inputs: str = ""
    title: str = ""
    """What the item is called, for people."""

    def change(self, tried_at: dt.datetime | None = None) -> Change:
        """As the connector takes it.

        Args:
            tried_at: when it was begun before and its fate got lost.
        """
        return Change(self.place, self.before, self.after, self.project, self.key, tried_at)

    @property
    def place(self) -> Slot:
        """The slot, as connectors name it."""
        subject: MarkedKind = "task" if self.subject == "task" else "project" if self.subject == "project" else "rollup"
        return Slot(subject, self.rid, self.slot)


@dataclass(slots=True)
class Plan:
    """What would be written. `basis` holds the hashes of what it was made from."""

    changes: list[Line] = field(default_factory=list)
    left: list[Line] = field(default_factory=list)
    """Slots left alone: somebody else's, disputed, frozen, or not writable."""
    basis: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    """Subjects in scope, by site: what the guard compares with."""
    setup: list[str] = field(default_factory=list)
    """What would be made once on the sites before the first mark is written, one sentence each."""

    def of(self, name: str) -> list[Line]:
        """The changes of one site."""
        return [line for line in self.changes if line.site == name]

    def counts(self) -> dict[str, int]:
        """Changes by verb."""
        found: dict[str, int] = {}
        for line in self.changes:
            found[line.verb] = found.get(line.verb, 0) + 1
        return found
