"""Reads and appends the files of the decisions folder: lists of entries that only grow.

Nothing that stands there is ever rewritten; an entry that is appended was read back as what it means before.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import textwrap
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pmosync.errors import Misconfigured
from pmosync.yamlfile import At, Doc, did_you_mean, dump, load, parse
from pmosync.yamlfile.reading import LARGEST_BYTES

T = TypeVar("T")
LARGEST_CHARACTERS = 250_000
"""A file of fewer characters is surely small enough to be read, however many bytes they take."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a file, and how to complain about it."""

    doc: Doc
    at: At
    data: Mapping[str, Any]

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return self.doc.place(self.at)

    def wrong(self, key: str, what: str, hint: str) -> Misconfigured:
        return self.doc.wrong((*self.at, key), what, hint)

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
            problem = f"{key} is missing" if value is None else f"{key} is not a text"
            raise self.wrong(key, problem, f"write {key}: and a text")
        return str(value).strip()

    def optional(self, key: str) -> str:
        """The text of a key that may be left out."""
        return self.text(key) if key in self.data else ""

    def day(self, key: str) -> dt.date:
        value = self.data.get(key)
        if not isinstance(value, dt.date):
            problem = f"{key} is missing" if value is None else f"{key} is no day: {value}"
            raise self.wrong(key, f"{problem}; the waiver counts as lapsed", f"write {key}: 2026-12-31")
        return value

    def instant(self, key: str) -> dt.datetime:
        try:
            instant = dt.datetime.fromisoformat(self.text(key))
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise self.wrong(key, f"{key} is no instant", "write it as 2026-05-20T14:30:00+00:00")
        return instant


def each(
    doc: Doc | None, read: Callable[[Entry], T], keys: Callable[[Any], Collection[str]]
) -> list[T | Misconfigured]:
    """Every entry in its order: what it says, or what is wrong with it.

    Args:
        keys: those that an entry may have.
    """
    found: list[T | Misconfigured] = []
    for position, data in enumerate(doc.data if doc else ()):
        assert doc is not None
        try:
            found.append(read(_entry(doc, (position,), data, keys(data))))
        except Misconfigured as error:
            found.append(error)
    return found


def listed(path: Path, largest_bytes: int = LARGEST_BYTES) -> Doc | None:
    """The file, when there is one with anything but comments in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        text = "unreadable"  # load says why
    if _only_comments(text):
        return None
    return _entries(
        _parsed(path, text)
        if len(text) < LARGEST_CHARACTERS
        else load(path, impossible_days=True, largest_bytes=largest_bytes)
    )


@lru_cache(maxsize=8)
def _parsed(path: Path, text: str) -> Doc:
    """The file with this text: a run looks at it several times, and parsing takes a second for 150 kB."""
    return parse(path, text, impossible_days=True)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _only_comments(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _entries(doc: Doc) -> Doc:
    if not isinstance(doc.data, list):
        raise doc.wrong((), f"{doc.path.name} is a list of decisions", "start every entry with a hyphen")
    return doc


def _entry(doc: Doc, at: At, data: Any, keys: Collection[str]) -> Entry:
    if not isinstance(data, dict):
        raise doc.wrong(at, "an entry has keys", f"write {', '.join(keys)}")
    for key in data:
        if key not in keys:
            hint = did_you_mean(key, keys) or f"known: {', '.join(keys)}"
            raise doc.wrong((*at, key), f"unknown key '{key}'", hint, key=True)
    return Entry(doc, at, data)


def append(
    path: Path,
    entry: Mapping[str, Any],
    check: Callable[[Doc], None] = lambda doc: None,
    largest_bytes: int = LARGEST_BYTES,
) -> None:
    """Write an entry to the end of a file, in one piece; it has reached the disk when this returns.

    Args:
        check: of the file as it will be; what it raises leaves the file as it is.
    """
    doc = listed(path, largest_bytes)
    text = textwrap.indent(textwrap.dedent(dump([dict(entry)])), _indent(doc))
    check(_entries(_parsed(path, f"{_text(path)}\n{text}")))
    _write(path, text)


def _indent(doc: Doc | None) -> str:
    """How far the entries of the file are indented; a file that cannot be appended to is refused."""
    first = doc and re.search(r"^( *)- ", doc.text, re.MULTILINE)
    if doc and not first:
        raise doc.wrong((), "the list is written in brackets", "start every entry on its own line with a hyphen")
    return first[1] if first else ""


def _write(path: Path, entry: str) -> None:
    """One write to the end, so that two runs cannot mix their entries; then wait for the disk."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # the newline in front ends a last line that somebody left open
            os.write(descriptor, f"\n{entry}".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Misconfigured(
            f"cannot be written: {error.strerror}", where=str(path), hint="check who may write"
        ) from None
