"""What a pull brought, and what it did not have any more."""

from __future__ import annotations

from dataclasses import dataclass, field

from pmosync.contract import Fallen, Kind
from pmosync.errors import SiteTrouble


@dataclass(slots=True)
class Missing:
    """What a proof did not have any more of a scope; nothing is concluded before the tool was asked about it."""

    rids: dict[Kind, list[str]]
    total: int
    """How much there was."""
    doubted: bool
    """So much that it is not believed without the tool's word."""
    fate: Fallen | None
    """What became of all of it, where the proof says so."""


@dataclass(slots=True)
class Pulled:
    """What a pull brought."""

    records: int = 0
    changed: int = 0
    gone: int = 0
    trouble: SiteTrouble | None = None
    unobserved: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Scopes that some batch said something about."""
    left: list[str] = field(default_factory=list)
    """Tasks that the tool named as gone."""
    missing: dict[str, Missing] = field(default_factory=dict)
    """By scope."""
