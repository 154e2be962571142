"""Mappings: the YAML files that say what the fields of a site mean in the common project model.

A mapping reads, it never guesses: what it cannot read is a gap, told with the tool's own value; every name is resolved
once and pinned by id.
"""

from __future__ import annotations

from pathlib import Path

from pmosync.mapping.lockfile import read_lock, write_lock
from pmosync.mapping.moves import Move, due_moves, reopenings, started_at, status_since_at
from pmosync.mapping.reading import parse
from pmosync.mapping.resolving import check, resolve, wrong_reads, wrong_slots
from pmosync.mapping.sitemapping import Row, SiteMapping, compiled
from pmosync.mapping.steps import Gap

__all__ = [
    "Gap",
    "Move",
    "Row",
    "SiteMapping",
    "check",
    "due_moves",
    "load",
    "read_lock",
    "reopenings",
    "resolve",
    "started_at",
    "status_since_at",
    "with_pins",
    "write_lock",
    "wrong_reads",
    "wrong_slots",
]


def load(path: Path, lock: Path | None) -> SiteMapping:
    """A mapping with the pins of its lock file; what these do not cover stands in `unresolved`."""
    return compiled(parse(path), read_lock(lock) if lock else {})


def with_pins(mapping: SiteMapping, pins: dict[str, str]) -> SiteMapping:
    """The same mapping with more pins, e.g. those of the places that a connector has found or made; empty ones go."""
    return compiled(mapping.file, {name: pin for name, pin in {**mapping.pins, **pins}.items() if pin})
