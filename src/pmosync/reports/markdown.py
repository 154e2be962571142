"""The report as GitHub-flavoured Markdown, for a wiki or a repository.

Text that came from a tool stays text: it cannot become a heading, a link, a picture, a mention or HTML.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from pmosync.reports import waived, words
from pmosync.reports.portfolio import Entry, Report
from pmosync.rollup import DIMENSIONS, LEVELS

SPECIAL = re.compile(r"([\\`*_\[\]<>#|!~&$]|^[-+=]|^\d+(?=[.)])|:(?=\S)|(?<=www)\.)")
"""What means something: anywhere, at the beginning of a line, or in an address that would become a link."""

LEFT = ("health", "reported", "read_at")
MEMBER = "› "
"""In front of what is one level down."""


def escaped(text: str) -> str:
    """Text that means only itself; `@` gets a companion that nobody sees, so that nobody is mailed."""
    return SPECIAL.sub(_escape, words.plain(text)).replace("@", "@\u200b")


def _escape(found: re.Match[str]) -> str:
    return f"{found[0]}\u200b" if found[0].isdecimal() else f"\\{found[0]}"


def render(report: Report) -> str:
    """The whole report."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.organisation)}: portfolio report"
    yield ""
    yield words.moment(report.as_of)
    for head in report.heads:
        yield from _head(head, report.as_of)
    if len(report.entries) > 1:
        yield from ("", "## Programs and projects", "")
        yield from _tree(report)
    if report.programs:
        yield from ("", "## Programs", "")
        yield from _table(
            ("program", "health", "why", "reported", "earned value", "age"),
            [_program(one, report.as_of) for one in report.programs],
        )
    if report.projects:
        yield from ("", "## Projects")
    for entry in report.projects:
        yield from _project(entry, report.as_of)
    if report.load is not None:
        yield from ("", "## Load of the weeks ahead", "", words.load_known(report.load), "")
        weeks = [words.week(one) for one in report.load.weeks]
        rows = [(escaped(name), *cells) for name, cells in words.load_rows(report.load)]
        yield from _table(("", *weeks), rows, right=range(1, len(weeks) + 1))
    if report.unobserved:
        yield from ("", "## Not observed", "", "These figures are as they were when it was last read.", "")
        yield from (f"- {escaped(words.unobserved(one))}" for one in report.unobserved)
    if report.waivers:
        yield from ("", "## Waivers to look at", "")
        yield from (f"- {escaped(waived.told(row))}" for row in report.waivers)
    yield from ("", "## How to read it", "")
    yield from _table(("word", "meaning"), [(name, escaped(meaning)) for name, meaning in words.MEANINGS.items()])


def _head(head: Entry, as_of: dt.datetime) -> Iterator[str]:
    rollup, figures = head.rollup, head.rollup.figures
    yield from ("", f"## {escaped(rollup.title)}", "")
    yield f"**{words.colour(rollup.health.colour)}**: {escaped(words.reason(rollup))}"
    yield from ("", f"{words.difference(rollup).capitalize()}.", "")
    rows = [
        *((name, str(getattr(figures, name))) for name in words.COUNTS),
        ("progress", f"{words.percent(figures.progress)} by count, {words.effort(rollup)}"),
        ("compliance", f"{words.percent(figures.compliance)} of tasks without an active finding"),
        ("earned value", words.earned(rollup)),
        ("findings", words.by_severity(rollup)),
        *((name, str(getattr(figures, name))) for name in words.APART),
        ("observed", f"{words.coverage(rollup)} tasks"),
        ("age", words.read(head, as_of)),
    ]
    if head.missing:
        missing = escaped(words.missing(head))
        yield from _table((rollup.level, "", ""), [(name, told, missing) for name, told in rows])
    else:
        yield from _table((rollup.level, ""), rows)
    if rollup.level != "project":
        yield from _standards(head)


def _tree(report: Report) -> Iterator[str]:
    columns = list(words.TITLES)
    rows = [(_name(entry), *(words.shown(entry, name, report.as_of) for name in columns)) for entry in report.entries]
    right = [position for position, name in enumerate(columns, 1) if name not in LEFT]
    yield from _table(("", *words.TITLES.values()), rows, right=right)


def _name(entry: Entry) -> str:
    title = escaped(entry.rollup.title)
    named = f"**{title}**" if entry.rollup.level == LEVELS[0] else title
    without = f" ({escaped(words.missing(entry))})" if entry.missing else ""
    return f"{MEMBER * entry.depth}{named}{without}"


def _program(entry: Entry, as_of: dt.datetime) -> Sequence[str]:
    rollup = entry.rollup
    name = escaped(rollup.title) + (f" ({escaped(words.missing(entry))})" if entry.missing else "")
    health = words.colour(rollup.health.colour)
    why, reported = escaped(words.reason(rollup)), words.difference(rollup)
    return name, health, why, reported, words.earned(rollup), words.read(entry, as_of)


def _project(entry: Entry, as_of: dt.datetime) -> Iterator[str]:
    rollup = entry.rollup
    yield from ("", f"### {_linked(rollup.title, entry.url)}", "")
    about = [escaped(words.about(entry)), words.read(entry, as_of)]
    yield " · ".join(part for part in about if part)
    health = words.colour(rollup.health.colour)
    yield from ("", f"**{health}**, {words.decided(rollup)}; {words.difference(rollup)}", "")
    dimensions = rollup.health.dimensions
    rows = [
        (name, words.colour(dimensions[name].colour), escaped(words.dimension(rollup, name))) for name in DIMENSIONS
    ]
    yield from _table(("dimension", "colour", "why"), rows)
    yield from ("", f"Earned value: {words.earned(rollup)}.")
    yield from _standards(entry)
    told = [f"not observed: {words.unobserved(one)}" for one in entry.unobserved] + words.blind(entry)
    if told:
        yield ""
        yield from (f"- {escaped(each)}" for each in told)


def _standards(entry: Entry) -> Iterator[str]:
    if not entry.standards:
        return
    yield ""
    rows = [
        (_linked(one.id, one.url), one.severity, words.findings(one), escaped(one.title)) for one in entry.standards
    ]
    yield from _table(("standard", "severity", "findings", "what is missing"), rows, right=(2,))
    if words.rest(entry):
        yield from ("", words.rest(entry))


def _linked(text: str, url: str) -> str:
    """A text with a link, when its address is one that a browser opens as a page."""
    if not words.opens(url):
        return escaped(text)
    return f"[{escaped(text)}](<{re.sub('[<>|`]', _percented, words.plain(url))}>)"


def _percented(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if position in right else '---' for position in range(len(columns)))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
