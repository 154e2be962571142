"""The report for a terminal of 80 columns or more; nothing in it needs colour to be understood.

Figures are never folded or cut: where a table would be too wide, its columns go on in a second one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pmosync.model import SEVERITIES
from pmosync.reports import waived, words
from pmosync.reports.load import Load
from pmosync.reports.portfolio import Entry, Report
from pmosync.rollup import DIMENSIONS, LEVELS

STYLES = {"green": "green", "amber": "yellow", "red": "red", "grey": "dim"}
GROUPS = (
    ("health", "reported", "progress", "progress_effort", "compliance"),
    ("projects", "tasks", "open", "done", "blocked", "late"),
    ("findings", *SEVERITIES),
    words.APART,
    ("observed_tasks", "read_at"),
)
"""Columns that stay together."""

LEFT = ("health", "reported", "read_at")
NAME_FROM = 26
"""The least width of the column of names."""
BETWEEN = 2
BAR = 20


def render(report: Report, console: Console) -> None:
    """Print the report."""
    _line(console, f"{words.plain(report.organisation)}: portfolio report", "bold")
    _line(console, words.moment(report.as_of))
    for head in report.heads:
        console.print()
        _head(head, report.as_of, console)
    if len(report.entries) > 1:
        console.print()
        _line(console, "Programs and projects", "bold")
        for columns in packed(report, console.width):
            console.print()
            console.print(_tree(report, columns))
    for entry in report.programs:
        console.print()
        _program(entry, report.as_of, console)
    for entry in report.projects:
        console.print()
        _project(entry, report.as_of, console)
    if report.load is not None:
        console.print()
        _line(console, "Load of the weeks ahead", "bold")
        _line(console, words.load_known(report.load))
        _load(report.load, console)
    if report.unobserved:
        console.print()
        _line(console, "Not observed: these figures are as they were when it was last read", "bold")
        for one in report.unobserved:
            _line(console, words.unobserved(one), indent=2)
    if report.waivers:
        console.print()
        _line(console, "Waivers to look at", "bold")
        for row in report.waivers:
            _line(console, waived.told(row), indent=2)
    _guidance(report, console)
    console.print()
    _line(console, "How to read it", "bold")
    _pairs(console, [(name, Text(meaning)) for name, meaning in words.MEANINGS.items()])


# --- the top ----------------------------------------------------------------------------------------------------------


def _head(head: Entry, as_of: dt.datetime, console: Console) -> None:
    rollup, figures = head.rollup, head.rollup.figures
    _line(console, f"{words.plain(rollup.title)} ({rollup.level})", "bold")
    decided = _coloured(rollup.health.colour)
    decided.append(f"  {words.plain(words.reason(rollup))}")
    counts = "   ".join(f"{name} {getattr(figures, name)}" for name in words.COUNTS)
    without = f" ({words.missing(head)})" if head.missing else ""
    _pairs(
        console,
        [
            ("health", decided),
            ("", Text(words.difference(rollup))),
            ("counts", Text(counts + without)),
            ("progress", _bar(figures.progress, f"by count, {words.effort(rollup)}{without}")),
            ("compliance", _bar(figures.compliance, f"of tasks without an active finding{without}")),
            ("earned", Text(f"{words.earned(rollup)}{without}")),
            ("findings", Text(f"{words.by_severity(rollup)}; {words.apart(rollup)}{without}")),
            ("observed", Text(f"{words.coverage(rollup)} tasks{without}")),
            ("age", Text(words.read(head, as_of))),
        ],
    )
    if rollup.level != "project":
        _standards(head, console)


def _bar(share: float | None, told: str) -> Text:
    if share is None:
        return Text(f"not known: no tasks; {told}")
    full = round(share * BAR)
    return Text(f"{'█' * full}{'░' * (BAR - full)}  {words.percent(share)} {told}")


# --- the tree ---------------------------------------------------------------------------------------------------------


def packed(report: Report, width: int) -> Iterator[list[str]]:
    """The columns of each table, so that all fit beside the names."""
    columns: list[str] = []
    for group in GROUPS:
        if columns and NAME_FROM + _width(report, [*columns, *group]) > width:
            yield columns
            columns = []
        columns += group
    yield columns


def _width(report: Report, columns: Sequence[str]) -> int:
    return sum(
        BETWEEN + max(len(words.TITLES[name]), *(len(words.shown(one, name, report.as_of)) for one in report.entries))
        for name in columns
    )


def _tree(report: Report, columns: Sequence[str]) -> Table:
    made = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False)
    made.add_column("", overflow="fold", min_width=NAME_FROM - BETWEEN)
    for name in columns:
        made.add_column(
            words.TITLES[name], justify="left" if name in LEFT else "right", no_wrap=True, header_style="bold"
        )
    for entry in report.entries:
        made.add_row(_name(entry), *(_cell(entry, name, report.as_of) for name in columns))
    return made


def _name(entry: Entry) -> Padding:
    name = Text(words.plain(entry.rollup.title), style="bold" if entry.rollup.level == LEVELS[0] else "")
    if entry.missing:
        name.append(f"\n({words.plain(words.missing(entry))})", "italic")
    return Padding(name, (0, 0, 0, 2 * entry.depth))


def _cell(entry: Entry, name: str, as_of: dt.datetime) -> Text:
    told = words.shown(entry, name, as_of)
    style = ""
    if name == "health":
        style = STYLES[entry.rollup.health.colour]
    elif name == "reported" and entry.rollup.reported:
        style = STYLES[entry.rollup.reported]
    return Text(told, style=style)


# --- each program and project -----------------------------------------------------------------------------------------


def _program(entry: Entry, as_of: dt.datetime, console: Console) -> None:
    _line(console, f"{words.plain(entry.rollup.title)} (program)", "bold")
    _line(console, f"{words.path(entry.above)} · {words.read(entry, as_of)}", indent=2)
    decided = _coloured(entry.rollup.health.colour)
    decided.append(f"  {words.plain(words.reason(entry.rollup))}")
    _pairs(console, [("health", decided), ("", Text(words.difference(entry.rollup)))])
    _line(console, f"earned value: {words.earned(entry.rollup)}", indent=2)
    for one in entry.unobserved:
        _line(console, f"not observed: {words.unobserved(one)}", indent=2)


def _project(entry: Entry, as_of: dt.datetime, console: Console) -> None:
    rollup = entry.rollup
    _line(console, words.plain(rollup.title), "bold")
    about = [words.about(entry), words.read(entry, as_of)]
    _line(console, " · ".join(part for part in about if part), indent=2)
    _line(console, f"{words.decided(rollup)}; {words.difference(rollup)}", indent=2)
    made = Table(box=None, show_header=False, padding=(0, BETWEEN, 0, 0), pad_edge=False)
    for fold in (False, False, True):
        made.add_column(no_wrap=not fold, overflow="fold")
    made.add_row("health", _coloured(rollup.health.colour), "")
    for name in DIMENSIONS:
        why = Text(words.plain(words.dimension(rollup, name)))
        made.add_row(f"  {name}", _coloured(rollup.health.dimensions[name].colour), why)
    console.print(Padding(made, (0, 0, 0, 2)))
    _line(console, f"earned value: {words.earned(rollup)}", indent=2)
    for one in entry.unobserved:
        _line(console, f"not observed: {words.unobserved(one)}", indent=2)
    for told in words.blind(entry):
        _line(console, told, indent=2)
    _standards(entry, console)


def _load(load: Load, console: Console) -> None:
    """As many weeks in a table as fit, the rest in the next one."""
    rows, weeks = words.load_rows(load), [words.week(one) for one in load.weeks]
    wide = BETWEEN + max(len(cell) for cells in (weeks, *(cells for _, cells in rows)) for cell in cells)
    fit = max(1, (console.width - NAME_FROM) // wide)
    for begin in range(0, len(weeks), fit):
        made = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False)
        made.add_column("", overflow="fold", min_width=NAME_FROM - BETWEEN)
        for name in weeks[begin : begin + fit]:
            made.add_column(name, justify="right", no_wrap=True, header_style="bold")
        for name, cells in rows:
            made.add_row(Text(words.plain(name)), *(Text(cell) for cell in cells[begin : begin + fit]))
        console.print()
        console.print(made)


def _standards(entry: Entry, console: Console) -> None:
    if not entry.standards:
        return
    made = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False)
    for name in ("standard", "severity", "findings", "what is missing"):
        made.add_column(
            name,
            justify="right" if name == "findings" else "left",
            overflow="fold",
            no_wrap=name != "what is missing",
            header_style="bold",
        )
    for one in entry.standards:
        made.add_row(one.id, one.severity, words.findings(one), Text(words.plain(one.title)))
    if words.rest(entry):
        made.add_row("", "", "", words.rest(entry))
    console.print(Padding(made, (0, 0, 0, 2)))


def _guidance(report: Report, console: Console) -> None:
    """Where people read on about the standards, each once."""
    pages = {one.id: one.url for entry in report.entries for one in entry.standards if one.url}
    if pages:
        console.print()
        _line(console, "How to meet the standards", "bold")
        _pairs(console, [(name, Text(words.plain(pages[name]))) for name in sorted(pages)])


# --- small parts ------------------------------------------------------------------------------------------------------


def _coloured(name: str) -> Text:
    return Text().append(words.colour(name), STYLES[name])


def _line(console: Console, text: str, style: str = "", *, indent: int = 0) -> None:
    console.print(Padding(Text(words.plain(text), style=style), (0, 0, 0, indent)))


def _pairs(console: Console, rows: Sequence[tuple[str, Text]]) -> None:
    made = Table(box=None, show_header=False, padding=(0, BETWEEN, 0, 0), pad_edge=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, text in rows:
        made.add_row(name, text)
    console.print(Padding(made, (0, 0, 0, 2)))
