"""A table that people keep in Excel and save as CSV, read so that every complaint can name its row and column.

Cells are text; what one means is for its reader to say. The separator is a comma, a semicolon or a tab, whichever
stands most often between the names of the columns: Excel writes what the computer's language has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pmosync.errors import Misconfigured
from pmosync.yamlfile.doc import excerpt_of
from pmosync.yamlfile.reading import LARGEST_BYTES, text_of

_SEPARATORS = ",;\t"
_NAME_IT = "write its name into the first line, or clear it"
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')


@dataclass(frozen=True, slots=True)
class Cell:
    """The trimmed text of a cell, and where it begins."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns by name, and the rows that hold anything, each with its cells by column."""

    path: Path
    text: str = field(repr=False)
    columns: Mapping[str, Cell]
    rows: tuple[Mapping[str, Cell], ...]

    def wrong(self, cell: Cell, what: str, hint: str = "") -> Misconfigured:
        """The error to raise about what stands there, with the line and a caret under the place."""
        return _wrong(self.path, self.text, cell.line, cell.column, what, hint)


def load_sheet(path: Path) -> Sheet:
    """Read a file; what is no table with a name above every column is refused with its place."""
    text = text_of(path, LARGEST_BYTES)
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    lines = _lines(path, text, separator)
    columns: dict[str, Cell] = {}
    named = next(lines, [])
    for cell in named:
        if cell.text.lower() in (name.lower() for name in columns):
            what = f"two columns are called '{cell.text}'"
            raise _wrong(path, text, cell.line, cell.column, what, "keep one, or give the other another name")
        if cell.text:
            columns[cell.text] = cell
    if not columns:
        raise _wrong(path, text, 1, 1, "there are no names of columns", "write them into the first line")
    rows = []
    for cells in lines:
        for at, cell in enumerate(cells):
            if cell.text and (at >= len(named) or not named[at].text):
                what = f"'{cell.text}' stands in a column without a name"
                raise _wrong(path, text, cell.line, cell.column, what, _NAME_IT)
        row = {name.text: cell for name, cell in zip(named, cells, strict=False) if name.text}
        if any(cell.text for cell in row.values()):
            rows.append(row)
    return Sheet(path, text, columns, tuple(rows))


def _lines(path: Path, text: str, separator: str) -> Iterator[list[Cell]]:
    """The cells of each row; a cell in quotes may hold the separator and ends of lines."""
    plain = re.compile(rf"[^{separator}\n]*")
    at, line, begun = 0, 1, 0
    cells: list[Cell] = []
    while at < len(text):
        place = line, at - begun + 1
        if text[at] == '"':
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                raise _wrong(path, text, *place, "this quotation mark is not closed", 'write " at the end of the cell')
            told, at = quoted[1].replace('""', '"'), quoted.end()
            if at < len(text) and text[at] not in (separator, "\n"):
                what = "something stands behind the closing quotation mark"
                raise _wrong(path, text, *place, what, 'write a quotation mark inside a cell twice: ""')
            if "\n" in told:
                line, begun = line + told.count("\n"), text.rfind("\n", 0, at) + 1
        else:
            found = plain.match(text, at)
            told, at = (found[0], found.end()) if found else ("", at)
        cells.append(Cell(told.strip(), *place))
        if at == len(text) or text[at] == "\n":
            yield cells
            cells, line, begun = [], line + 1, at + 1
        at += 1
    if cells:
        yield cells


def _wrong(path: Path, text: str, line: int, column: int, what: str, hint: str) -> Misconfigured:
    return Misconfigured(what, where=f"{path}:{line}:{column}", hint=hint, excerpt=excerpt_of(text, line, column))
