"""The register: the PMO's list of its projects, and what no tool holds about them.

A container (a Jira or Asana project) belongs to one registered project at most, so nothing is counted twice. What is
not in the register stays what it is by default: one project for each project of a tool.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from pmosync.contract import Level

ORGANISATION = "organisation"
"""The id of the portfolio that holds what the register puts into no other."""
ANY = "*"
"""In homes: every rollup that names no home of its own."""
KEPT = (
    "phase",
    "phase_due_on",
    "project_class",
    "sponsor",
    "charter_url",
    "lessons_url",
    "closure_url",
    "benefits_owner",
    "strategic_goal",
    "priority_score",
    "priority_scored_on",
    "funded",
    "spent",
    "path_to_green",
    "exception_url",
)
"""Fields of the model that the register holds for its projects."""
DEFAULT_CLASS = "default"
"""The class of projects that are of no other."""


@dataclass(frozen=True, slots=True)
class Container:
    """A project of a tool: `acme-jira/PAY`. `key` is what the register says: a key, or an id."""

    site: str
    key: str

    def __str__(self) -> str:
        return f"{self.site}/{self.key}"


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a project's baseline that the register gives, for one that was never set. None: it does not say."""

    due_on: dt.date | None = None
    tasks: int | None = None
    effort_h: float | None = None


@dataclass(frozen=True, slots=True)
class ApprovedChange:
    """A change of what was approved, decided outside of the tools, and what it adds."""

    id: str
    approved_on: dt.date
    tasks: int = 0
    effort_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far a project may leave its baseline before somebody above decides. None: nothing was agreed."""

    time_d: int | None = None
    """Working days that open work may end after the planned end."""
    cost_share: float | None = None
    """Share of the planned effort that the expected one may exceed it by."""
    scope_share: float | None = None
    """The same of tasks."""

    def told(self) -> str | None:
        """What was agreed, in words."""
        said = [f"time {self.time_d} working days"] if self.time_d is not None else []
        said += [f"cost {self.cost_share:.0%}"] if self.cost_share is not None else []
        said += [f"scope {self.scope_share:.0%}"] if self.scope_share is not None else []
        return ", ".join(said) or None


@dataclass(frozen=True, slots=True)
class ProjectClass:
    """What the PMO wants to know of projects of one kind, and how far they may leave their baselines."""

    name: str
    mandatory: tuple[str, ...] = ()
    """Fields of a project that must have a value."""
    tolerances: Tolerances = Tolerances()


@dataclass(frozen=True, slots=True)
class Gate:
    """What has to be met before a project goes from one phase into another, and who then decides."""

    id: str
    title: str
    from_phase: str
    to_phase: str
    standards: tuple[str, ...] = ()
    """Ids, or the letters and digits that ids begin with."""
    evidence: tuple[str, ...] = ()
    """Names of links that must be there: fields of a project, or what the register gives under that name."""
    classes: tuple[str, ...] = ()
    """The classes of projects that it is for; none: all."""
    decides: str = ""
    """Who decides, in words."""
    places: tuple[str, ...] = ()
    """`file:line:column` of each entry of `standards`, for messages."""
    deciders: tuple[str, ...] = ()
    """Roles and persons of the people file; none: whoever decides is believed."""
    accounts: tuple[str, ...] = ()
    """Their accounts, as site/id."""


@dataclass(frozen=True, slots=True)
class GateTold:
    """What the register says of one gate of one project."""

    record: Container | None = None
    """The task that holds the decision, when no rule finds it."""
    decision: str | None = None
    """The decision itself, where it is kept in the register."""
    decided_on: dt.date | None = None
    decided_by: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EarnedValue:
    """How earned value is counted."""

    hour_cost: float | None = None
    """What an hour of the baseline costs; None: it is counted in hours."""
    half_when_begun: bool = False
    """Whether begun work counts half where nobody tells its share; else it counts nothing until it is done."""


@dataclass(frozen=True, slots=True)
class Group:
    """A program or a portfolio."""

    level: Level
    id: str
    title: str
    portfolio: str | None = None
    """Of a program: the portfolio it belongs to, by id."""
    home: Mapping[str, str] = field(default_factory=dict)
    """Where its rollup is written, by site."""
    profile: str | None = None
    """How hard is asked in it; None: as above."""
    place: str = ""
    """`file:line:column`, for messages."""


@dataclass(frozen=True, slots=True)
class RegisteredProject:
    """One project of the PMO. None: the register does not say."""

    id: str
    containers: tuple[Container, ...]
    title: str | None = None
    phase: str | None = None
    sponsor: str | None = None
    charter_url: str | None = None
    phase_due_on: dt.date | None = None
    project_class: str | None = None
    lessons_url: str | None = None
    closure_url: str | None = None
    benefits_owner: str | None = None
    strategic_goal: str | None = None
    priority_score: float | None = None
    priority_scored_on: dt.date | None = None
    funded: float | None = None
    spent: float | None = None
    path_to_green: str | None = None
    exception_url: str | None = None
    tolerances: Tolerances = Tolerances()
    gates: Mapping[str, GateTold] = field(default_factory=dict)
    """By the id of the gate."""
    reported_health: str | None = None
    baseline: Totals = Totals()
    changes: tuple[ApprovedChange, ...] = ()
    program: str | None = None
    """The id of its program."""
    portfolio: str | None = None
    """The id of its portfolio, when it has no program."""
    profile: str | None = None
    home: Mapping[str, str] = field(default_factory=dict)
    """Where the rollup is written, by site."""
    earned_value: EarnedValue | None = None
    """Where it is counted otherwise than by the register's own rule."""
    place: str = ""
    """`file:line:column`, for messages."""


@dataclass(frozen=True, slots=True)
class Register:
    """All registered projects, programs and portfolios; `hash` changes when anything of them changes."""

    projects: tuple[RegisteredProject, ...]
    hash: str
    groups: tuple[Group, ...] = ()
    home: Mapping[str, str] = field(default_factory=dict)
    """By site: where the rollup of everything is written that names no home of its own there."""
    classes: tuple[ProjectClass, ...] = ()
    gates: tuple[Gate, ...] = ()
    """In the order in which a project passes them."""
    earned_value: EarnedValue = EarnedValue()
    """How earned value is counted, of every project that has no rule of its own."""

    def of(self, site: str, *names: str) -> RegisteredProject | None:
        """The registered project that a project of a tool belongs to, by any of its names (key, id)."""
        wanted = {Container(site, name) for name in names}
        return next((project for project in self.projects if wanted & set(project.containers)), None)

    @property
    def keeps(self) -> tuple[str, ...]:
        """The fields that the PMO keeps here: those that it has filled in for one project at least."""
        return tuple(name for name in KEPT if any(getattr(one, name) is not None for one in self.projects))

    def class_of(self, name: str | None) -> ProjectClass | None:
        """The class of this name, upper and lower case alike; of none, or one that the register does not describe, the
        one that is for all others."""
        by_name = {one.name.casefold(): one for one in self.classes}
        return by_name.get((name or "").strip().casefold()) or by_name.get(DEFAULT_CLASS)

    def gates_of(self, name: str | None) -> tuple[Gate, ...]:
        """The gates for projects of this class, in their order."""
        mine = (name or "").strip().casefold()
        return tuple(one for one in self.gates if not one.classes or mine in map(str.casefold, one.classes))

    def tolerances_of(self, project: RegisteredProject | None, name: str | None) -> Tolerances:
        """What was agreed for a project, else for its class."""
        own = project.tolerances if project else Tolerances()
        ours = found.tolerances if (found := self.class_of(name)) else Tolerances()

        return Tolerances(
            ours.time_d if own.time_d is None else own.time_d,
            ours.cost_share if own.cost_share is None else own.cost_share,
            ours.scope_share if own.scope_share is None else own.scope_share,
        )

    def group(self, level: Level, name: str, title: str = "") -> Group:
        """The program or portfolio of this id.

        Args:
            title: of one that the register does not describe.
        """
        found = next((one for one in self.groups if one.level == level and one.id == name), None)
        return found or Group(level, name, title or name)

    def portfolio_of(self, project: RegisteredProject | None) -> str:
        """The id of the portfolio that a project counts in."""
        if project is None:
            return ORGANISATION
        above = self.group("program", project.program).portfolio if project.program else None
        return above or project.portfolio or ORGANISATION

    def rollup_homes(self, site: str) -> dict[str, str]:
        """Where rollups are written on a site, by rollup id; `*` for all others."""
        homes = {f"{one.level}/{one.id}": one.home[site] for one in self.groups if site in one.home}
        homes |= {f"project/{one.id}": one.home[site] for one in self.projects if site in one.home}
        return homes | ({ANY: self.home[site]} if site in self.home else {})


def slug(title: str) -> str:
    """An id made of a title: lower-case letters, digits and hyphens; of one without any of these a short hash."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return found or hashlib.sha256(title.encode()).hexdigest()[:8]
