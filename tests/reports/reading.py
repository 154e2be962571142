"""Reads the figures back out of a report in any format, as texts: by rollup id and figure."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html.parser import HTMLParser

from rich.console import Console

from pmosync.model import SEVERITIES
from pmosync.reports import text, words
from pmosync.reports.portfolio import Report

Told = dict[str, dict[str, str]]
FIGURES = (*words.COUNTS, *words.SHARES, "findings", *SEVERITIES, *words.APART, "observed_tasks")
VOID = {"meta", "img", "br", "link", "input"}


def printed(report: Report, width: int) -> str:
    """The report as a terminal of this width shows it, without colours."""
    page = io.StringIO()
    text.render(report, Console(file=page, width=width, color_system=None, highlight=False, emoji=False))
    return page.getvalue()


def from_text(page: str, ids: Sequence[str]) -> Told:
    """The tables of the tree: every row begins with a name and holds its figures in its first line."""
    names = {title: name for name, title in words.TITLES.items()}
    told: Told = {one: {} for one in ids}
    lines = iter(page.split("Programs and projects", 1)[1].splitlines())
    for line in lines:
        columns = line.split()
        joined = re.sub(r"\bby effort\b", "by_effort", line).split()
        if "by_effort" in joined:
            columns = ["by effort" if one == "by_effort" else one for one in joined]
        if not columns or not set(columns) <= set(names):
            continue
        rows = [row for row in _table(lines) if _cells(row, len(columns))]
        assert len(rows) == len(ids), page
        for one, row in zip(ids, rows, strict=True):
            told[one] |= {names[column]: cell for column, cell in zip(columns, _cells(row, len(columns)), strict=True)}
    return told


def _table(lines: object) -> list[str]:
    found = []
    for line in lines:  # type: ignore[attr-defined]
        if not line.strip():
            break
        found.append(line)
    return found


CELL = r"(?:[●▲■○] \w+|\d+ of \d+|\d+ \w+ ago|just now|never|\d+%|\d+|–)"


def _cells(row: str, count: int) -> list[str]:
    found = re.search(rf"((?:(?<=\s){CELL}\s+){{{count - 1}}}{CELL})\s*$", row)
    return re.findall(CELL, found[1]) if found else []


def from_markdown(page: str, ids: Sequence[str]) -> Told:
    """The one table of the tree."""
    names = {title: name for name, title in words.TITLES.items()}
    section = page.split("## Programs and projects", 1)[1].split("\n#", 1)[0]
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    columns = rows[0]
    assert len(rows) - 2 == len(ids)
    return {
        one: {names[column]: cell for column, cell in zip(columns[1:], row[1:], strict=True)}
        for one, row in zip(ids, rows[2:], strict=True)
    }


class Page(HTMLParser):
    """A page taken apart: its figures (of the top and of the tree), its tags, its addresses, its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.top: Told = {}
        self.tree: Told = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self._into: list[tuple[Told, str]] = []
        self.feed(page)
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag in VOID:
            return
        self._open.append((tag, found.get("data-figure")))
        if found.get("data-rollup"):
            self._into.append((self.top if tag == "section" else self.tree, str(found["data-rollup"])))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        if tag in ("tr", "section") and self._into:
            self._into = self._into[:-1]

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        figure = next((name for _, name in reversed(self._open) if name), None)
        if figure and self._into and data.strip():
            told, one = self._into[-1]
            told.setdefault(one, {}).setdefault(figure, data.strip())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
