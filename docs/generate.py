"""Writes docs/standards.md from the shipped packs: `python docs/generate.py`.

The page says nothing that the packs do not say, so it cannot differ from what is judged; a test compares the two.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from pmosync.model import FIELDS
from pmosync.standards import Standard, load_packs
from pmosync.standards.pages import bounded, needed_fields, spelled

PAGE = Path(__file__).with_name("standards.md")
PACKS = ("starter", "history")
WIDTH = 118

HEAD = """\
# The standards

What the PMO asks of work, as the shipped packs say it: `starter`, and `history` for what happened to work, which needs
`read: [history]` in the [mapping](mappings.md#what-happened-to-work). Each standard says what is broken, why that
matters to you, and how to meet it. *Fix within* counts working days from the day on which it was found. A parameter is
a number that your PMO may tune within its bounds, in a pack of its own. Where a project does not provide what a
standard needs, it is *blind*: it finds nothing there, and `pmosync findings` says so.

<!-- Written by docs/generate.py from the packs. Edit a pack, then run it again. -->
"""


def page() -> str:
    """The text of the page."""
    packs = {name: load_packs([name], Path()) for name in PACKS}
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
