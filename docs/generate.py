"""Writes docs/standards.md from the shipped packs, and the fields in docs/language.md: `python docs/generate.py`.

These say nothing that the packs and the model do not say, so they cannot differ from what is judged; a test compares
them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from pmosync.model import FIELDS, Field, Subject
from pmosync.standards import Standard, load_packs
from pmosync.standards.pages import bounded, needed_fields, spelled

PAGE = Path(__file__).with_name("standards.md")
MANUAL = Path(__file__).with_name("language.md")
BEGIN, END = (
    "<!-- Written by docs/generate.py from the model, up to the next such line. -->\n",
    "<!-- Up to here. -->\n",
)
PACKS = ("starter", "history", "standard", "dcma-14", "earned-value", "full")
WIDTH = 118

HEAD = """\
# The standards

What the PMO asks of work, as the shipped packs say it.

| pack | is for | asks for as well |
|---|---|---|
| `starter` | what a plan needs before anybody can steer by it; what `pmosync init` begins with | two of `history` |
| `history` | what happened to work; needs [`read: [history]`](mappings.md#what-happened-to-work) | nothing |
| `standard` | plans to steer by, and projects that can be decided about | `starter`, some of `history` and `dcma-14` |
| `dcma-14` | plans with links, as the DCMA assesses schedules: see [the network](network.md) | two of `starter` |
| `gao-schedule` | plans by the [GAO's practices](network.md#the-ten-best-practices-of-the-gao) | some of `full` |
| `flow` | teams that pull work: age, pace and forecast, explained in [how work flows](flow.md) | some of `full` |
| `earned-value` | projects with a [baseline](baselines.md): see [earned value](earned-value.md) | nothing |
| `full` | teams that want a plan tidy to the last detail | all of these |

`standards: [standard]` in `pmosync.yaml` asks for a pack and for what it includes. Packs are named together in any
order, and one that is asked for twice is read once. Begin with `starter`, and go on when little is found any more.

Each standard says what is broken, why that matters to you, and how to meet it. *Fix within* counts working days from
the day on which it was found. A parameter is a number that your PMO may tune within its bounds, in a pack of its own.
Where a project does not provide what a standard needs, it is *blind*: it finds nothing there, and `pmosync findings`
says so.

<!-- Written by docs/generate.py from the packs. Edit a pack, then run it again. -->
"""

SOURCES = {
    "mapped": "the mapping",
    "register": "the register, else the mapping",
    "people": "the people file",
    "history": "`read: [history]`",
    "worklogs": "`read: [worklogs]`",
    "allocations": "`read: [allocations]`",
    "governance": "what the PMO [governs by](register.md)",
    "fact": "computed",
    "core": "always there",
}

BESIDE = {
    "reported_health": "the mapping or the register",
    "started_on": "the mapping, or `read: [history]`",
    "risk_score": "the mapping, or the two fields above",
    "milestones_open": "computed, where a type of the mapping is milestone",
    "longest_milestone_gap_d": "computed, where a type of the mapping is milestone",
}
"""Fields that may come from more than one place."""


def manual() -> str:
    """The text of the manual, with its tables of fields made anew."""
    head, _, rest = MANUAL.read_text(encoding="utf-8").partition(BEGIN)
    tables = (line for subject in FIELDS for line in _fields(subject))
    return "".join([head, BEGIN, "\n".join(["", *tables, ""]), END, rest.partition(END)[2]])


def _fields(subject: Subject) -> Iterator[str]:
    yield from (f"| field of a {subject} | holds | what it is | comes from |", "|---|---|---|---|")
    for field in FIELDS[subject].values():
        yield f"| `{field.name}` | {_holds(field)} | {field.meaning} | {_comes_from(field)} |"
    yield ""


def _holds(field: Field) -> str:
    options = f": {', '.join(field.options)}" if field.options else ""
    return f"{field.type}{options}{f' ({field.unit})' if field.unit else ''}"


def _comes_from(field: Field) -> str:
    where = BESIDE.get(field.name) or SOURCES[field.source]
    return f"{where}; in some tools with `read: [{field.read}]`" if field.read else where


def page() -> str:
    """The text of the page."""
    packs = {name: [one for one in load_packs([name], Path()) if one.pack == name] for name in PACKS}
    rows = [
        f"| [{one.id}](#{_anchor(one)}) | {one.title} | {one.severity} | {one.subject} | {name} |"
        for name, standards in packs.items()
        for one in standards
    ]
    table = ["| id | asks | severity | of a | pack |", "|---|---|---|---|---|", *rows]
    sections = (line for standards in packs.values() for one in standards for line in _section(one))
    return "\n".join([HEAD, *table, *sections]) + "\n"


def _section(one: Standard) -> Iterator[str]:
    days = f"{one.fix_within_d} working day{'' if one.fix_within_d == 1 else 's'}"
    yield from ("", f"## {_heading(one)}", "", _paragraph(one.why), "")
    yield from (_paragraph(f"**How to meet it.** {one.fix}"), "")
    yield f"- Severity {one.severity}; fix within {days}. About a {one.subject}."
    yield f"- Fails when `{spelled(one.when.text)}`"
    if one.applies_to:
        yield f"- Asked only where `{spelled(one.applies_to.text)}`"
    for param in one.params.values():
        yield f"- `${param.name}` = {bounded(param)}: {param.meaning}."
    for name in sorted(one.fields):
        yield f"- `{name}`: {FIELDS[one.subject][name].meaning}."
    if blind := needed_fields(one):
        yield f"- Blind where the mapping does not provide {' or '.join(f'`{name}`' for name in blind)}."
    yield f"- Serves: {one.serves}. Phase: {one.phase}."


def _heading(one: Standard) -> str:
    return f"{one.id} {one.title}"


def _anchor(one: Standard) -> str:
    return _heading(one).lower().replace(" ", "-")


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    MANUAL.write_text(manual(), encoding="utf-8")
