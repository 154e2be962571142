"""What a site offers: its fields, options, projects and link types, who we are there, and where we may not write.

It keeps the promise that what is missing is told with what would have to be granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .values import Choice, Person, SubjectKind


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of the site: `kind` is the type of value that the connector decodes it to."""

    id: str
    name: str
    kind: Literal[
        "text", "number", "duration", "date", "instant", "yes/no", "choice", "person", "reference", "list", "other"
    ]
    options: tuple[Choice, ...] = ()
    projects: tuple[str, ...] = ()
    """Ids of the projects that offer it; empty: all of them, or not known."""
    subject: SubjectKind = "task"
    custom: bool = False


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """One project as the site lists it."""

    id: str
    key: str
    name: str
    url: str = ""
    lead: Person | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Limitation:
    """A slot that we may not write in a project, and what would have to be granted."""

    project: str
    slot: str
    why: str
    lacks: str = ""
    """The same in two or three words, for a table: the names of the permissions, or what else is missing."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The fields, options, projects and link types of a site, and who we are there."""

    account: Person
    fields: tuple[FieldInfo, ...]
    projects: tuple[ProjectInfo, ...]
    link_types: tuple[Choice, ...] = ()
    """`id`, `name`; `category` holds the outward wording, e.g. `blocks`."""
    zone: str | None = None
    server: str = ""
    """Name and version for people, e.g. `Jira Cloud 1001.0.0`."""
    estimated_with: tuple[str, ...] = ()
    """Ids of the fields that the teams' boards estimate with, the most used first; mostly points, which are no time."""
    portfolios: tuple[Choice, ...] = ()
    """Those that the account can list: others may be there, and a scope may name them by id all the same."""
