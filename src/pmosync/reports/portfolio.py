"""The report of the portfolio as a value: the rollups, and beside each how old it is and what it does not know.

Figures are the rollups' own, never counted again here, so that every format tells the same as the marks. What was not
observed is named at every rollup that it touches.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, union_all

from pmosync.errors import Misconfigured
from pmosync.model import severity_rank
from pmosync.rollup import Rollup
from pmosync.standards import Standard
from pmosync.store.tables import blind, container, finding, project, record, scope, site, task_project
from pmosync.yamlfile import did_you_mean

ACTIVE = ("new", "open")
TOP = 5
"""So many failing standards are told of each rollup; the rest is counted."""

IN_A_PROJECT = "project:"
"""How scopes begin that hold what is in one project of a tool."""


@dataclass(frozen=True, slots=True)
class Failing:
    """One standard with active findings; `url` is empty where its guidance is not published."""

    id: str
    title: str
    severity: str
    findings: int
    url: str


@dataclass(frozen=True, slots=True)
class Unobserved:
    """What could not be read when it was looked at last; an empty scope is the whole site."""

    site: str
    scope: str
    title: str
    """What people call the scope; empty for the whole site."""
    why: str


@dataclass(frozen=True, slots=True)
class Blind:
    """Fields that are not provided in a project, and the standards that can say nothing there without them."""

    fields: str
    standards: tuple[str, ...]


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
) -> Report:
    """What is reported of these rollups.

    Args:
        rollups: as `rollup.tree` orders them, perhaps `narrowed`.
        guidance: the address below which the page of each standard stands; empty: they are not published.
    """
    known = _Known.read(connection, standards, guidance)
    by_id = {one.id: one for one in rollups}
    entries = tuple(_entry(connection, known, one, _above(one, by_id), zone) for one in rollups)
    told = {one for entry in entries for one in entry.unobserved}
    unobserved = tuple(one for one in known.unobserved if one in told)
    return Report(organisation, now.astimezone(zone), entries, unobserved)


def _entry(connection: Connection, known: _Known, one: Rollup, above: Sequence[Rollup], zone: ZoneInfo) -> Entry:
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


# --- what the store knows beside the figures --------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """What is read once for all rollups; projects by their number in the store."""

    by_id: Mapping[str, Standard]
    guidance: str
    projects: dict[int, Any] = field(default_factory=dict)
    sites: dict[int, set[str]] = field(default_factory=dict)
    read_at: dict[str, int | None] = field(default_factory=dict)
    unobserved: list[Unobserved] = field(default_factory=list)
    inside: dict[tuple[str, str], int] = field(default_factory=dict)
    """The project that a project of a tool counts in, by site and scope."""
    blind: dict[int, list[Blind]] = field(default_factory=dict)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection, standards: Sequence[Standard], guidance: str) -> _Known:
        known = cls({one.id: one for one in standards}, guidance)
        known.projects = {row.id: row for row in connection.execute(select(project))}
        known.read_at = {row.name: row.pulled_at for row in connection.execute(select(site.c.name, site.c.pulled_at))}
        titles = known._places(connection)
        known.unobserved = _unobserved(connection, titles)
        known.blind = _blind(connection)
        for number, standard, count in connection.execute(_counts_by_project()):
            known.counts.setdefault(number, {})[standard] = count
        return known

    def _places(self, connection: Connection) -> dict[tuple[str, str], str]:
        """Fill in which sites projects live in; returns what people call each scope."""
        rows = connection.execute(
            select(container.c.site, container.c.rid, container.c.project_id, record.c.key).join(
                record, record.c.id == container.c.record_id
            )
        )
        titles = {}
        for name, rid, number, key in rows:
            if number in self.projects:
                self.sites.setdefault(number, set()).add(name)
                self.inside[name, f"{IN_A_PROJECT}{rid}"] = number
                title = self.projects[number].title or key
                titles[name, f"{IN_A_PROJECT}{rid}"] = title if title == key or key == rid else f"{title} ({key})"
        return titles

    def touching(self, one: Rollup) -> Iterable[Unobserved]:
        """What was not observed of what this rollup is made of.

        A place that no known project lives in could belong to any portfolio, so it is told of all of them.
        """
        numbers = set(one.numbers)
        sites = {name for number in numbers for name in self.sites.get(number, ())}
        settled = {name for names in self.sites.values() for name in names}
        for part in self.unobserved:
            if part.scope.startswith(IN_A_PROJECT):
                number = self.inside.get((part.site, part.scope))
                touched = number in numbers if number is not None else one.level == "portfolio"
            else:
                touched = part.site in sites or (part.site not in settled and one.level == "portfolio")
            if touched:
                yield part

    def failing(self, connection: Connection, one: Rollup) -> list[Failing]:
        """The standards that fail in it, the worst first."""
        if one.level == "project":
            counts = self.counts.get(one.numbers[0], {})
        else:
            counts = {row[0]: row[1] for row in connection.execute(_counts_over(one.numbers))}
        found = [
            Failing(known.id, known.title, known.severity, counts[known.id], self._page(known))
            for known in self.by_id.values()
            if known.id in counts
        ]
        return sorted(found, key=lambda each: (-severity_rank(each.severity), -each.findings, each.id))

    def _page(self, standard: Standard) -> str:
        return self.guidance + standard.page if self.guidance else ""


def _unobserved(connection: Connection, titles: Mapping[tuple[str, str], str]) -> list[Unobserved]:
    whole = select(site.c.name, site.c.trouble).where(func.coalesce(site.c.trouble, "") != "").order_by(site.c.name)
    parts = select(scope.c.site, scope.c.scope, scope.c.why).where(scope.c.observed == 0)
    parts = parts.order_by(scope.c.site, scope.c.scope)
    found = [Unobserved(name, "", "", why) for name, why in connection.execute(whole)]
    for name, part, why in connection.execute(parts):
        title = titles.get((name, part), part.replace(IN_A_PROJECT, "project ", 1))
        found.append(Unobserved(name, part, title, why))
    return found


def _blind(connection: Connection) -> dict[int, list[Blind]]:
    rows = connection.execute(
        select(blind.c.project_id, blind.c.fields, blind.c.standard).order_by(blind.c.fields, blind.c.standard)
    )
    grouped: dict[tuple[int, str], list[str]] = {}
    for number, fields, standard in rows:
        grouped.setdefault((number, fields), []).append(standard)
    found: dict[int, list[Blind]] = {}
    for (number, fields), standards in grouped.items():
        found.setdefault(number, []).append(Blind(fields, tuple(standards)))
    return found


def _counts_by_project() -> Any:
    """Active findings by project and standard, those of its tasks and its own."""
    of_tasks = (
        select(task_project.c.project_id.label("number"), finding.c.standard)
        .join(finding, finding.c.subject_id == task_project.c.task_id)
        .where(finding.c.subject == "task", finding.c.state.in_(ACTIVE))
    )
    of_projects = select(finding.c.subject_id, finding.c.standard).where(
        finding.c.subject == "project", finding.c.state.in_(ACTIVE)
    )
    both = union_all(of_tasks, of_projects).subquery()
    return select(both.c.number, both.c.standard, func.count()).group_by(both.c.number, both.c.standard)


def _counts_over(numbers: Sequence[int]) -> Any:
    """Active findings by standard over several projects; a task that is in two of them counts once."""
    here = select(task_project.c.task_id).where(task_project.c.project_id.in_(numbers))
    of_tasks = (finding.c.subject == "task") & finding.c.subject_id.in_(here)
    of_projects = (finding.c.subject == "project") & finding.c.subject_id.in_(numbers)
    return (
        select(finding.c.standard, func.count())
        .where(finding.c.state.in_(ACTIVE), of_tasks | of_projects)
        .group_by(finding.c.standard)
    )
