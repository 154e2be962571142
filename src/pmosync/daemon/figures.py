"""Counts what stands in the store, for the metrics: items, verdicts, findings, gaps, unobserved scopes.

Each count is one statement over one table, made after a cycle and never while somebody waits for an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from pmosync.judge import FAIL, PASS, UNKNOWN
from pmosync.store.tables import MASKS, finding, gap, place_of, record, scope, standard_bit, verdict

ANSWERS = {PASS: "pass", FAIL: "fail", UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands in the store."""

    items: Mapping[tuple[str, str], int]
    """By site and kind."""
    verdicts: Mapping[str, int]
    """By answer."""
    findings: Mapping[tuple[str, str], int]
    """By severity and state."""
    gaps: Mapping[str, int]
    """By site."""
    unobserved: Mapping[str, int]
    """Scopes, by site."""


def figures(connection: Connection, severities: Mapping[str, str]) -> Figures:
    """The counts as they are now.

    Args:
        severities: of the standards in use.
    """
    items = connection.execute(
        select(record.c.site, record.c.kind, func.count())
        .where(record.c.gone == 0)
        .group_by(record.c.site, record.c.kind)
    )
    gaps = connection.execute(
        select(record.c.site, func.count().label("amount"))
        .join_from(gap, record, gap.c.record_id == record.c.id)
        .group_by(record.c.site)
    )
    unobserved = connection.execute(
        select(scope.c.site, func.count().label("amount")).where(scope.c.observed == 0).group_by(scope.c.site)
    )
    return Figures(
        items={(site, kind): count for site, kind, count in items},
        verdicts=_verdicts(connection, severities),
        findings=_findings(connection, severities),
        gaps={row.site: row.amount for row in gaps},
        unobserved={row.site: row.amount for row in unobserved},
    )


def _verdicts(connection: Connection, severities: Mapping[str, str]) -> dict[str, int]:
    """Equal rows are counted in the database, and taken apart once each."""
    used = [place_of(row.bit) for row in connection.execute(select(standard_bit)) if row.standard in severities]
    masks = [verdict.c[name] for name in MASKS]
    rows = connection.execute(select(func.count(), verdict.c.part, *masks).group_by(verdict.c.part, *masks))
    counts: Counter[str] = Counter(dict.fromkeys(ANSWERS.values(), 0))
    for count, part, *found in rows:
        by_name = dict(zip(MASKS, found, strict=True))
        for place, name, shift in used:
            mask = by_name[name] if place == part else None
            answer = None if mask is None else ANSWERS.get(mask >> shift & 3)
            if answer is not None:
                counts[answer] += count
    return dict(counts)


def _findings(connection: Connection, severities: Mapping[str, str]) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        select(finding.c.standard, finding.c.state, func.count()).group_by(finding.c.standard, finding.c.state)
    )
    counts: Counter[tuple[str, str]] = Counter()
    for standard, state, count in rows:
        if standard in severities:
            counts[severities[standard], state] += count
    return dict(counts)
