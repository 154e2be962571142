"""The register: the PMO's list of its projects, and what no tool holds about them.

A container (a Jira or Asana project) belongs to one registered project at most, so nothing is counted twice. What is
not in the register stays what it is by default: one project for each project of a tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Container:
    """A project of a tool: `acme-jira/PAY`. `key` is what the register says: a key, or an id."""

    site: str
    key: str

    def __str__(self) -> str:
        return f"{self.site}/{self.key}"


@dataclass(frozen=True, slots=True)
class RegisteredProject:
    """One project of the PMO. None: the register does not say."""

    id: str
    containers: tuple[Container, ...]
    title: str | None = None
    phase: str | None = None
    sponsor: str | None = None
    charter_url: str | None = None
    program: str | None = None
    portfolio: str | None = None
    profile: str | None = None
    home: Mapping[str, str] = field(default_factory=dict)
    """Where the rollup is written, by site."""
    place: str = ""
    """`file:line:column`, for messages."""


@dataclass(frozen=True, slots=True)
class Register:
    """All registered projects; `hash` changes when anything of them changes."""

    projects: tuple[RegisteredProject, ...]
    hash: str

    def of(self, site: str, *names: str) -> RegisteredProject | None:
        """The registered project that a project of a tool belongs to, by any of its names (key, id)."""
        wanted = {Container(site, name) for name in names}
        return next((project for project in self.projects if wanted & set(project.containers)), None)
