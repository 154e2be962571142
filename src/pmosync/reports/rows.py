"""What the store knows, as plain rows for people and programs: findings, projects, gaps, and what was not observed.

Nothing is decided here and nothing is written. Days are dates, instants have a zone, and every key stands in
docs/json.md.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, case, func, literal, null, or_, select

from pmosync import rollup
from pmosync.ladder import FAILING, STEPS, Ladder, climb, told
from pmosync.marks import Flagged, fix_by
from pmosync.model import ABOUT_PEOPLE, FIELDS, MODES, SEVERITIES, Subject, Type, severity_rank
from pmosync.standards import Standard
from pmosync.store.people import SUBJECT_TABLES
from pmosync.store.tables import blind, finding, gap, limitation, project, record, scope, site, task, task_project
from pmosync.waiving import disputed
from pmosync.workdays import Workdays, date_of

ACTIVE = FAILING
STATES = (*FAILING, "waived", "accepted", "resolved")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings; empty: all that are active."""

    sites: Sequence[str] = ()
    standards: Sequence[str] = ()
    """Ids, or the letters that ids start with."""
    projects: Sequence[str] = ()
    """Keys or names in the register."""
    severities: Sequence[str] = ()
    states: Sequence[str] = ACTIVE
    persons: bool = False
    """Whether findings about persons are told one by one; they are always counted."""


def by_standard(connection: Connection, standards: Sequence[Standard], wanted: Wanted) -> list[Row]:
    """Findings counted by standard, the worst first, with how many of them somebody disputes."""
    counts: Counter[str] = Counter()
    disputes: Counter[str] = Counter()
    for found in _found(connection, wanted):
        counts[found.standard] += 1
        disputes[found.standard] += found.disputed
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "severity": one.severity,
            "subject": one.subject,
            "findings": counts[one.id],
            "disputed": disputes[one.id],
            "disputed_share": disputes[one.id] / counts[one.id],
        }
        for one in standards
        if one.id in counts and _severe(one, wanted)
    ]
    return sorted(rows, key=lambda row: (-severity_rank(row["severity"]), -row["findings"], row["id"]))


def items(
    connection: Connection, standards: Sequence[Standard], workdays: Workdays, ladder: Ladder, wanted: Wanted
) -> Iterator[Row]:
    """Findings one by one, in the order of their items."""
    by_id = {one.id: one for one in standards}
    for found in _found(connection, wanted):
        standard = by_id.get(found.standard)
        if standard is None or not _severe(standard, wanted):
            continue
        climbs = climb(found.climb_w, found.since, ladder, workdays)
        if found.subject in ABOUT_PEOPLE and not wanted.persons:
            continue
        yield {
            "site": found.site,
            "subject": found.subject,
            "key": found.key,
            "title": found.title,
            "url": found.url,
            "project": found.project,
            "standard": standard.id,
            "asks": standard.title,
            "severity": standard.severity,
            "state": found.state,
            "since": date_of(found.since).isoformat(),
            "fix_by": fix_by(Flagged(standard, found.since), workdays).isoformat(),
            "mode": MODES[found.mode],
            "step": None if found.step is None else STEPS[found.step],
            "lead_on": climbs and climbs.lead_on.isoformat(),
            "gate_on": climbs and climbs.gate_on.isoformat(),
            "resolved_on": _day(found.resolved_on),
            "waived_until": _day(found.waived_until),
            "disputed": bool(found.disputed),
            "accepted_on": _day(found.accepted_on),
            "causes": found.causes,
            "evidence": evidence(found.subject, orjson.loads(found.evidence)),
        }


def _severe(standard: Standard, wanted: Wanted) -> bool:
    return not wanted.severities or standard.severity in wanted.severities


def _found(connection: Connection, wanted: Wanted) -> Iterator[Any]:
    within: dict[str, Any] = {"task": _project_of(), "project": project.c.uid}
    for subject, own in SUBJECT_TABLES.items():
        if wanted.projects and subject not in within:
            continue
        belongs = within.get(subject, null())
        doubted = case((disputed(subject, finding.c.standard), 1), else_=0) if subject in within else literal(0)
        rows = select(
            finding,
            own.c.key,
            own.c.title,
            own.c.url,
            belongs.label("project"),
            doubted.label("disputed"),
        ).join(own, own.c.id == finding.c.subject_id)
        yield from connection.execute(
            _narrowed(rows, subject, own, wanted).order_by(own.c.site, own.c.id, finding.c.standard)
        )


def _project_of() -> Any:
    return select(project.c.uid).where(project.c.id == task.c.project_id).scalar_subquery()


def _narrowed(rows: Select[Any], subject: str, own: Any, wanted: Wanted) -> Select[Any]:
    rows = rows.where(finding.c.subject == subject, finding.c.state.in_(list(wanted.states)))
    if wanted.sites:
        rows = rows.where(own.c.site.in_(list(wanted.sites)))
    if wanted.standards:
        named = list(wanted.standards)
        rows = rows.where(or_(finding.c.standard.in_(named), func.rtrim(finding.c.standard, "0123456789").in_(named)))
    if wanted.projects:
        asked = or_(project.c.uid.in_(list(wanted.projects)), project.c.key.in_(list(wanted.projects)))
        if subject == "project":
            return rows.where(asked)
        inside = select(task_project.c.task_id).join(project, project.c.id == task_project.c.project_id).where(asked)
        rows = rows.where(task.c.id.in_(inside))
    return rows


def projects(connection: Connection, standards: Sequence[Standard], wanted: Wanted) -> list[Row]:
    """The figures of each project."""
    figures = rollup.count(connection, "project", {one.id: one.severity for one in standards})
    rows = select(project).order_by(project.c.portfolio, project.c.program, project.c.site, project.c.key)
    return [
        {
            "project": row.uid,
            "site": row.site,
            "key": row.key,
            "title": row.title,
            "url": row.url,
            "program": row.program,
            "phase": row.phase,
            "observed": bool(row.observed),
            **figures[str(row.id)].measures(),
        }
        for row in connection.execute(rows)
        if (not wanted.sites or row.site in wanted.sites)
        and (not wanted.projects or {row.uid, row.key} & set(wanted.projects))
    ]


def unobserved(connection: Connection, sites: Sequence[str] = ()) -> list[Row]:
    """What was not observed when it was looked at last, and why; `scope` is empty for a whole site."""
    whole = select(site.c.name, site.c.trouble).where(func.coalesce(site.c.trouble, "") != "")
    parts = select(scope.c.site, scope.c.scope, scope.c.why).where(scope.c.observed == 0)
    found = [{"site": name, "scope": "", "why": why} for name, why in connection.execute(whole)]
    found += [{"site": name, "scope": part, "why": why} for name, part, why in connection.execute(parts)]
    return [row for row in found if not sites or row["site"] in sites]


def freshness(connection: Connection, sites: Sequence[str] = ()) -> list[Row]:
    """When each site was read last, and when it was last proven complete; UTC, None for never."""
    rows = connection.execute(select(site.c.name, site.c.pulled_at, site.c.proven_at).order_by(site.c.name))
    return [
        {"site": row.name, "read_at": _instant(row.pulled_at), "proven_at": _instant(row.proven_at)}
        for row in rows
        if not sites or row.name in sites
    ]


def _instant(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    return dt.datetime.fromtimestamp(microseconds // 1_000_000, dt.UTC).isoformat()


def blind_standards(connection: Connection) -> list[Row]:
    """Standards that can never find anything in some projects, because fields are not provided there."""
    rows = (
        select(blind.c.standard, blind.c.fields, func.count().label("projects"))
        .group_by(blind.c.standard, blind.c.fields)
        .order_by(blind.c.standard, blind.c.fields)
    )
    return [
        {"standard": row.standard, "fields": row.fields, "projects": row.projects} for row in connection.execute(rows)
    ]


def gaps(connection: Connection, sites: Sequence[str] = ()) -> list[Row]:
    """What the mappings could not read, counted by field and value."""
    rows = (
        select(record.c.site, gap.c.field, gap.c.tool_field, gap.c.value, gap.c.why, func.count().label("records"))
        .join(record, record.c.id == gap.c.record_id)
        .group_by(record.c.site, gap.c.field, gap.c.tool_field, gap.c.value, gap.c.why)
        .order_by(record.c.site, func.count().desc(), gap.c.field)
    )
    return [_plain(row) for row in connection.execute(rows) if not sites or row.site in sites]


def limitations(connection: Connection, sites: Sequence[str] = ()) -> list[Row]:
    """Slots that may not be written, with what would have to be granted."""
    rows = select(limitation).order_by(limitation.c.site, limitation.c.slot, limitation.c.project)
    return [_plain(row) for row in connection.execute(rows) if not sites or row.site in sites]


def at_least(connection: Connection, standards: Sequence[Standard], severity: str, sites: Sequence[str]) -> int:
    """How many active findings are of this severity or worse."""
    worse = SEVERITIES[: SEVERITIES.index(severity) + 1]
    rows = by_standard(connection, standards, Wanted(sites=sites, severities=worse))
    return sum(row["findings"] for row in rows)


def flagged_pages(connection: Connection) -> list[tuple[str, str, str]]:
    """One task for each site that is worth looking at: (site, key, url) of the one with most findings."""
    counts = (
        select(task.c.site, task.c.key, task.c.url, func.count().label("n"))
        .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task.c.id))
        .where(told())
        .group_by(task.c.id)
        .order_by(func.count().desc(), task.c.id)
    )
    best: dict[str, tuple[str, str, str]] = {}
    for row in connection.execute(counts):
        best.setdefault(row.site, (row.site, row.key, row.url))
    return [best[name] for name in sorted(best)]


def evidence(subject: Subject, values: Mapping[str, Any]) -> Row:
    """The values that show why, as people write them: dates as dates, yes/no as true and false."""
    fields = FIELDS[subject]
    return {name: _value(fields[name].type if name in fields else Type.TEXT, value) for name, value in values.items()}


def _value(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind is Type.DATE:
        return _day(value)
    if kind is Type.INSTANT:
        return _instant(value)
    return bool(value) if kind is Type.YESNO else value


def _day(number: int | None) -> str | None:
    return None if number is None else date_of(number).isoformat()


def _plain(row: Any) -> Row:
    """A row under plain names: the database's own are a kind of text that not every writer of JSON takes."""
    return {str(name): value for name, value in row._mapping.items()}
