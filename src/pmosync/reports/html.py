"""The report as one HTML page: no script, nothing loaded from anywhere, light and dark, on paper too.

Every text is escaped, addresses that are no web pages become no links, and the page forbids itself to run or load
anything.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from pmosync import __version__
from pmosync.model import SEVERITIES
from pmosync.reports import waived, words
from pmosync.reports.portfolio import Entry, Report
from pmosync.rollup import DIMENSIONS

SEEN_FROM = 3.0
"""The least width of a piece of a bar, in hundredths."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar, in hundredths of its width."""

    name: str
    at: float
    width: float


def render(report: Report) -> str:
    """The whole page."""
    page = _pages().get_template("report.html.j2")
    return page.render(report=report, as_of=report.as_of) + "\n"


@cache
def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("pmosync.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_quiet,
    )
    pages.globals.update(
        words=words, announced=waived.told, severities=SEVERITIES, dimensions=DIMENSIONS, version=__version__
    )
    pages.filters.update(parts=parts, value=_value)
    return pages


def _quiet(value: Any) -> Any:
    """Text without characters that turn the text around them or hide in it."""
    return words.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def parts(entry: Entry) -> list[Part]:
    """The bar of the findings by severity; a severity that is there is wide enough to be seen."""
    total, findings = words.total(entry.rollup), entry.rollup.figures.findings
    widths = {name: max(SEEN_FROM, 100 * count / total) for name, count in findings.items()}
    found, at = [], 0.0
    for name, width in widths.items():
        share = 100 * width / sum(widths.values())
        found.append(Part(name, round(at, 2), round(share, 2)))
        at += share
    return found


def _value(entry: Entry, name: str, as_of: dt.datetime) -> str:
    """A figure as the table shows it."""
    return words.shown(entry, name, as_of)
