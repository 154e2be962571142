"""The report for programs: one JSON document of numbers, dates and words, as docs/json.md describes it.

Figures have the names that they have in the marks; what is not known is null.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pmosync.reports import words
from pmosync.reports.portfolio import Entry, Report
from pmosync.reports.rows import Row


def document(report: Report) -> Row:
    """The whole report as plain data."""
    return {
        "organisation": report.organisation,
        "as_of": report.as_of.isoformat(timespec="seconds"),
        "day": report.as_of.date().isoformat(),
        "rollups": [_rollup(entry, report) for entry in report.entries],
        "unobserved": [asdict(one) for one in report.unobserved],
        "waivers": list(report.waivers),
        "load": report.load and report.load.document(),
    }


def _rollup(entry: Entry, report: Report) -> dict[str, Any]:
    rollup = entry.rollup
    return {
        **rollup.measures(),
        "earned": rollup.figures.earned and rollup.figures.earned.measures(),
        "level": rollup.level,
        "title": rollup.title,
        "parent": rollup.parent,
        "key": entry.key or None,
        "url": entry.url or None,
        "phase": entry.phase,
        "sites": list(entry.sites),
        "read_at": entry.read_at and entry.read_at.isoformat(timespec="seconds"),
        "age_min": words.age_min(entry.read_at, report.as_of),
        "standards": [asdict(one) | {"url": one.url or None} for one in entry.standards],
        "failing_standards": entry.failing,
        "unobserved": [asdict(one) for one in entry.unobserved],
        "blind": [{"fields": one.fields, "standards": list(one.standards)} for one in entry.blind],
    }
