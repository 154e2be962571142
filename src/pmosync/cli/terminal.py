"""The terminal: results go to standard output, progress and warnings to standard error, tables into 80 columns.

Text that came from a tool is shown as plain text: it cannot colour, move or clear anything.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

RIGHT = ">"
"""In front of a column's name: numbers, set to the right."""


@cache
def out() -> Console:
    """Where results go."""
    return Console(highlight=False, markup=False, emoji=False)


@cache
def err() -> Console:
    """Where progress and warnings go; one for all, so that a line does not run into a progress bar."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str, style: str = "") -> None:
    """One paragraph of a result."""
    out().print(Text(plain(text), style=style))


def warn(text: str) -> None:
    """One warning or error."""
    err().print(Text(plain(text)))


def plain(text: str) -> str:
    """The text without characters that a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", fixed: Sequence[int] = ()
) -> None:
    """A table of a result, folded so that it fits the terminal.

    Args:
        fixed: the columns that are never folded, by position.
    """
    made = Table(
        box=None,
        padding=(0, 2, 0, 0),
        title=Text(title) if title else None,
        title_justify="left",
        pad_edge=False,
        show_header=any(columns),
    )
    for position, name in enumerate(columns):
        made.add_column(
            name.removeprefix(RIGHT),
            justify="right" if name.startswith(RIGHT) else "left",
            overflow="fold",
            no_wrap=position in fixed,
            header_style="bold",
        )
    for row in rows:
        made.add_row(*(Text(plain(shown(cell))) for cell in row))
    out().print(made)


def shown(value: object) -> str:
    """A value in a table."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def give_json(data: Any) -> None:
    """A result for programs: one JSON document, keys in a fixed order."""
    sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n")
