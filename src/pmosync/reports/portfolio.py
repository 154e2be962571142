"""The report of the portfolio as a value: the rollups, and beside each how old it is and what it does not know.

Figures are the rollups' own, never counted again here, so that every format tells the same as the marks. What was not
observed is named at every rollup that it touches.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from pmosync.errors import Misconfigured
from pmosync.reports.beside import Blind, Failing, Known, Unobserved
from pmosync.reports.load import Load
from pmosync.reports.waived import Row
from pmosync.rollup import Rollup
from pmosync.standards import Standard
from pmosync.store.tables import project
from pmosync.yamlfile import did_you_mean

TOP = 5
"""So many failing standards are told of each rollup; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One rollup as it is reported."""

    rollup: Rollup
    depth: int
    above: tuple[str, ...]
    """The titles of what it is in, the highest first."""
    key: str
    url: str
    phase: str | None
    sites: tuple[str, ...]
    read_at: dt.datetime | None
    """When the oldest of its sites was read; None: one of them never was."""
    standards: tuple[Failing, ...]
    """The worst that fail, at most `TOP`."""
    failing: int | None
    """How many standards fail; not counted between the top and the projects."""
    unobserved: tuple[Unobserved, ...]
    blind: tuple[Blind, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The sites, whole or in part, that its figures are made of and that were not observed."""
        whole = {one.site for one in self.unobserved if not one.scope}
        parts = {one.site for one in self.unobserved} - whole
        return (*sorted(whole), *(f"part of {name}" for name in sorted(parts)))


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report; entries stand in the order of the tree, each before its members."""

    organisation: str
    as_of: dt.datetime
    """In the organisation's zone."""
    entries: tuple[Entry, ...]
    unobserved: tuple[Unobserved, ...]
    waivers: tuple[Row, ...] = ()
    """Those that end soon, ended lately, or waive nothing; of the whole report alone."""
    load: Load | None = None
    """The weeks ahead; None where none is known."""

    @property
    def heads(self) -> tuple[Entry, ...]:
        """What the report is about: the portfolios, or the one program or project that was asked for."""
        return tuple(one for one in self.entries if one.depth == 0)

    @property
    def programs(self) -> tuple[Entry, ...]:
        """What stands between the top and the projects."""
        return tuple(one for one in self.entries if one.depth > 0 and one.rollup.level == "program")

    @property
    def projects(self) -> tuple[Entry, ...]:
        return tuple(one for one in self.entries if one.rollup.level == "project")


def narrowed(connection: Connection, rollups: Sequence[Rollup], level: str, word: str) -> list[Rollup]:
    """The rollup of this level that somebody named, and what is in it.

    Args:
        word: an id of the register, a title, or a key of the tool.
    """
    keys = {f"project/{uid}": key for uid, key in connection.execute(select(project.c.uid, project.c.key))}
    names = {
        one.id: {one.id.partition("/")[2], one.title, keys.get(one.id, one.title)}
        for one in rollups
        if one.level == level
    }
    found = [name for name, known in names.items() if word in known]
    where = f"--{level}"
    if len(found) > 1:
        ids = ", ".join(name.partition("/")[2] for name in found)
        raise Misconfigured(f"several are called '{word}'", where=where, hint=f"name one by its id: {ids}")
    if not found:
        known = sorted(name.partition("/")[2] for name in names)
        close = did_you_mean(word, sorted(set().union(*names.values())))
        hint = close or f"there are {', '.join(known)}" if known else "there is none in the store"
        raise Misconfigured(f"there is no {level} '{word}'", where=where, hint=hint)
    inside = set(found)
    for one in rollups:
        if one.parent in inside:
            inside.add(one.id)
    return [one for one in rollups if one.id in inside]


def report(
    connection: Connection,
    rollups: Sequence[Rollup],
    standards: Sequence[Standard],
    *,
    organisation: str,
    zone: ZoneInfo,
    now: dt.datetime,
    guidance: str = "",
    waivers: Sequence[Row] = (),
    load: Load | None = None,
) -> Report:
    """What is reported of these rollups.

    Args:
        rollups: as `rollup.tree` orders them, perhaps `narrowed`.
        guidance: the address below which the page of each standard stands; empty: they are not published.
        waivers: that are announced.
        load: of the people in it.
    """
    known = Known.read(connection, standards, guidance)
    by_id = {one.id: one for one in rollups}
    entries = tuple(_entry(connection, known, one, _above(one, by_id), zone) for one in rollups)
    told = {one for entry in entries for one in entry.unobserved}
    unobserved = tuple(one for one in known.unobserved if one in told)
    return Report(organisation, now.astimezone(zone), entries, unobserved, tuple(waivers), load)


def _entry(connection: Connection, known: Known, one: Rollup, above: Sequence[Rollup], zone: ZoneInfo) -> Entry:
    is_project = one.level == "project"
    counted = is_project or not above
    failing = known.failing(connection, one) if counted else []
    own = known.projects.get(one.numbers[0]) if is_project else None
    sites = sorted({name for number in one.numbers for name in known.sites.get(number, ())})
    return Entry(
        rollup=one,
        depth=len(above),
        above=tuple(each.title for each in above),
        key=own.key if own else "",
        url=own.url if own else "",
        phase=own.phase if own else None,
        sites=tuple(sites),
        read_at=_oldest([known.read_at.get(name) for name in sites], zone),
        standards=tuple(failing[:TOP]),
        failing=len(failing) if counted else None,
        unobserved=tuple(known.touching(one)),
        blind=tuple(known.blind.get(one.numbers[0], ())) if is_project else (),
    )


def _above(one: Rollup, by_id: Mapping[str, Rollup]) -> list[Rollup]:
    found: list[Rollup] = []
    while one.parent is not None and one.parent in by_id:
        one = by_id[one.parent]
        found.insert(0, one)
    return found


def _oldest(instants: Collection[int | None], zone: ZoneInfo) -> dt.datetime | None:
    read = [instant for instant in instants if instant is not None]
    if not read or len(read) < len(instants):
        return None
    return dt.datetime.fromtimestamp(min(read) // 1_000_000, dt.UTC).astimezone(zone)
