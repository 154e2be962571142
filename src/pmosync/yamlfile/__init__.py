"""YAML 1.2 files that people write, read so that every complaint can name the line.

Only plain data comes in: no tags, no anchors, no aliases, no duplicate keys, nothing larger than a person writes.
A table that was saved as CSV is read as strictly.
Whatever is wrong is told with file, line, column, the line itself and the next step; a literal secret is never shown.
"""

from __future__ import annotations

from pmosync.yamlfile.doc import MOST_TOLD, At, Doc, did_you_mean, together
from pmosync.yamlfile.reading import dump, load, parse
from pmosync.yamlfile.sheet import Cell, Sheet, load_sheet

__all__ = [
    "MOST_TOLD",
    "At",
    "Cell",
    "Doc",
    "Sheet",
    "did_you_mean",
    "dump",
    "load",
    "load_sheet",
    "parse",
    "together",
]
