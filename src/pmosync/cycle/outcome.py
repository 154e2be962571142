"""What a cycle takes, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync import commands, rollup, settle
from pmosync.decisions import Accepted, Baselines, Debt
from pmosync.decisions.accepted import Taken
from pmosync.errors import GuardRefused, SiteTrouble
from pmosync.ladder import USUAL, Ladder
from pmosync.modes import Modes, Said, modes_of
from pmosync.people import Staff
from pmosync.plan import Guard, Plan
from pmosync.pull import Pulled
from pmosync.push import Pushed
from pmosync.register import Register
from pmosync.site import Site
from pmosync.standards import Standard
from pmosync.workdays import Workdays

STORE_LOCK = "store"
STORE_WAIT_S = 60.0
"""Concluding takes seconds: a run that finds another one at it waits for its turn."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a cycle takes from the configuration, as values."""

    sites: Sequence[Site]
    organisation: str
    register: Register
    profile: str
    standards: Sequence[Standard]
    workdays: Workdays
    guard: Guard
    waivers: Sequence[Mapping[str, Any]] = ()
    """Rows of the store's `waiver` table, from the decisions folder."""
    baselines: Baselines = field(default_factory=Baselines)
    """What the projects were planned to be, from the decisions folder."""
    approved: Callable[[Plan], Mapping[str, int]] = lambda plan: {}
    """How many changes of a plan somebody approved, by site."""
    asked: frozenset[str] | None = None
    """The sites to read and write; the others are judged as they are stored. None: all."""
    guidance: str = ""
    """The address below which the page of each standard stands, with its slash; empty: they are not published."""
    desk: commands.Desk | None = None
    """Where commands in comments are entered; None: nobody hears them."""
    said: Sequence[Said] = ()
    """How hard is asked, beside the profiles of the organisation and the register."""
    ladder: Ladder = USUAL
    staff: Staff = field(default_factory=Staff)
    """How people work, for what is asked of their load."""
    accepted: Accepted = field(default_factory=Accepted)
    """The findings that were there when their standards were first asked."""
    end: Callable[[Sequence[Debt]], None] = lambda debts: None
    """Remembers in the decisions folder what of the accepted findings was put right."""

    @property
    def modes(self) -> Modes:
        """How hard everybody asks."""
        return modes_of(self.profile, self.register, self.said)

    def working(self) -> list[Site]:
        """The sites to read and write."""
        return [source for source in self.sites if self.asked is None or source.name in self.asked]


@dataclass(slots=True)
class SiteOutcome:
    """What became of one site."""

    pulled: Pulled | None = None
    pushed: Pushed | None = None
    locked: str = ""
    """Who holds the site, when another run does."""
    trouble: SiteTrouble | None = None
    notes: list[str] = field(default_factory=list)
    """What is worth telling once, e.g. a slot that may no longer be written."""
    unheard: bool = False
    """Whether a command in a comment could not be entered into the decisions; a note says why."""


@dataclass(slots=True)
class Outcome:
    """What a cycle did."""

    sites: dict[str, SiteOutcome] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    settled: settle.Settled = field(default_factory=settle.Settled)
    switched_off: dict[str, str] = field(default_factory=dict)
    """Standards and predicates of waivers that the database could not run, with the reason."""
    rollups: list[rollup.Rollup] = field(default_factory=list)
    refused: GuardRefused | None = None
    locked: str = ""
    """Who holds the store, when another run does: nothing was judged then."""
    ended: list[Debt] = field(default_factory=list)
    """What of the accepted findings was put right."""
    taken: Taken | None = None
    """What was accepted by this run, when somebody asked for that."""
