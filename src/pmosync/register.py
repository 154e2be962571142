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
KEPT = ("phase", "sponsor", "charter_url")
"""Fields of the model that the register holds for its projects."""


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

    def of(self, site: str, *names: str) -> RegisteredProject | None:
        """The registered project that a project of a tool belongs to, by any of its names (key, id)."""
        wanted = {Container(site, name) for name in names}
        return next((project for project in self.projects if wanted & set(project.containers)), None)

    @property
    def keeps(self) -> tuple[str, ...]:
        """The fields that the PMO keeps here: those that it has filled in for one project at least."""
        return tuple(name for name in KEPT if any(getattr(one, name) is not None for one in self.projects))

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
