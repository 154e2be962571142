"""Writes the guidance pages into a folder: each in one piece, those that are as they should be not at all.

A folder may hold other things. Only pages that carry our mark are replaced, and only those of standards that are no
longer asked are removed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pmosync.decisions import Waiver
from pmosync.errors import Misconfigured
from pmosync.standards import Standard
from pmosync.standards.pages import MARKER

_PAGE = re.compile(r"[A-Z][A-Z0-9_-]{2,19}\.html")
"""The page of a standard, for every id that a pack may give."""
_HEAD = 2_000
"""Characters of a page within which our mark stands."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the pages, by the names of their files."""

    written: Sequence[str]
    unchanged: Sequence[str]
    removed: Sequence[str]


def publish(pages: Mapping[str, str], folder: Path) -> Published:
    """Make the folder hold exactly these pages of ours; nothing is touched when another file is in the way."""
    standing: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in pages:
            if (path := folder / name).exists() or path.is_symlink():
                standing[name] = _ours(path)
        written = [name for name, text in pages.items() if standing.get(name) != text]
        for name in written:
            _write(folder / name, pages[name])
        removed = [path.name for path in sorted(folder.iterdir()) if path.name not in pages and _left_over(path)]
        for name in removed:
            (folder / name).unlink()
    except OSError as error:
        raise Misconfigured(
            f"cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="name a folder that you may write",
        ) from None
    return Published(written, [name for name in pages if name not in written], removed)


def _ours(path: Path) -> str:
    """The text of a page that stands there; a file of somebody else is in the way."""
    try:
        text = path.read_bytes().decode() if path.is_file() and not path.is_symlink() else ""
    except UnicodeDecodeError:
        text = ""
    if MARKER not in text[:_HEAD]:
        raise Misconfigured(
            "this is no page that pmosync wrote, and would be replaced; nothing was written",
            where=str(path),
            hint="name another folder with --out, or move the file away",
        )
    return text


def _left_over(path: Path) -> bool:
    """Whether it is our page of a standard that is asked no more."""
    if not _PAGE.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        return False
    return MARKER.encode() in path.read_bytes()[:_HEAD]


def _write(path: Path, text: str) -> None:
    """In one step: whoever reads the page finds the old one or the new one."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def approvers(waivers: Sequence[Waiver], standards: Sequence[Standard]) -> dict[str, list[str]]:
    """Who approved exceptions so far, by the standard's id; a waiver of `SCH` is one of each of that family."""
    found: dict[str, list[str]] = {}
    for one in standards:
        named = (one.id, one.id.rstrip("0123456789"))
        found[one.id] = [waiver.approved_by for waiver in waivers if waiver.standard in named]
    return found
