"""Turns the text of a YAML file into plain data and remembers the place of every part; writes files, too.

What a person does not write on purpose is refused: tags, anchors, duplicate keys, a second document, days that do not
exist.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pmosync.errors import Misconfigured
from pmosync.yamlfile.doc import At, Doc, excerpt_of

LARGEST_BYTES = 1_000_000
LONGEST_LINE = 20_000
DEEPEST = 40

_BRACKET = re.compile(r"[\[\]{}]")
_FLATTER = "no file of pmosync needs that: remove brackets"
_NULL = {"", "~", "null", "Null", "NULL"}
_YES = {"true", "True", "TRUE"}
_NO = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def load(
    path: Path, *, impossible_days: bool = False, largest_bytes: int = LARGEST_BYTES, most_entries: int | None = None
) -> Doc:
    """Read a file; anything but one document of plain YAML 1.2 data is refused with its place.

    Size, length of lines and depth are checked before the parser sees the text: it takes a second for 150 kB.

    Args:
        impossible_days: leave a day such as 2026-02-30 in the data as text, for a reader that complains by itself.
        largest_bytes: what is larger is refused.
        most_entries: what has more lines, commas and colons together is refused; None: they are not counted.
    """
    text = text_of(path, largest_bytes)
    return parse(path, text, impossible_days=impossible_days, most_entries=most_entries)


def parse(path: Path, text: str, *, impossible_days: bool = False, most_entries: int | None = None) -> Doc:
    """The same of a text that stands, or will stand, in this file."""
    builder = _Builder(path, text, impossible_days)
    builder.refuse_too_much(most_entries)
    builder.refuse_tabs()
    try:
        data = builder.document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.context_mark and mark.index >= len(text.rstrip()):  # ran to the end: say where it was opened
            mark = error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        context = f" ({error.context})" if error.context else ""
        raise builder.wrong(
            line,
            column,
            f"not valid YAML: {error.problem}{context}",
            "check the indentation here and the line before; quote text that holds ': ' or starts with one of @`%*&![{",
        ) from None
    except YAMLError as error:
        before = text[: getattr(error, "position", 0)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise builder.wrong(line, column, "a control character stands in the file", "remove it") from None
    return Doc(path, data, text, builder.values, builder.keys)


def dump(data: Any, comment: str = "") -> str:
    """The text of a file that pmosync writes: block style, in the order of the data, the comment on top."""
    yaml = YAML(typ="rt", pure=True)
    yaml.version = None
    yaml.width = 120
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(data, stream)
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return head + stream.getvalue()


def text_of(path: Path, largest_bytes: int) -> str:
    """The text of a file in UTF-8, with plain ends of lines."""
    try:
        with path.open("rb") as file:
            raw = file.read(largest_bytes + 1)
    except FileNotFoundError:
        raise Misconfigured(
            "there is no such file", where=str(path), hint="create it, or correct the path that leads here"
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"cannot be read: {error.strerror}", where=str(path), hint="check the path and the permissions"
        ) from None
    if len(raw) > largest_bytes:
        largest = f"{largest_bytes // 1_000} kB" if largest_bytes < 1_000_000 else f"{largest_bytes // 1_000_000} MB"
        raise Misconfigured(f"larger than {largest}", where=f"{path}:1:1", hint="split it into several files")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise Misconfigured(
            "not UTF-8 text",
            where=f"{path}:{line}:{column}",
            hint="save the file with the encoding UTF-8; in Excel: CSV UTF-8",
        ) from None


class _Builder:
    """Turns the parser's events into data and remembers where each part stands."""

    def __init__(self, path: Path, text: str, impossible_days: bool) -> None:
        self.path, self.text, self.impossible_days = path, text, impossible_days
        self.values: dict[At, tuple[int, int]] = {}
        self.keys: dict[At, tuple[int, int]] = {}

    def wrong(self, line: int, column: int, what: str, hint: str) -> Misconfigured:
        excerpt = excerpt_of(self.text, line, column)
        return Misconfigured(what, where=f"{self.path}:{line}:{column}", hint=hint, excerpt=excerpt)

    def refuse_too_much(self, most_entries: int | None) -> None:
        """Refuse what would keep the parser busy, by counting alone."""
        entries = 0
        for number, line in enumerate(self.text.split("\n"), 1):
            if len(line) > LONGEST_LINE:
                what = f"a line of {len(line):,} characters, more than {LONGEST_LINE:,}"
                raise self.wrong(number, LONGEST_LINE, what, "break it into several lines")
            opened = 0
            for sign in _BRACKET.finditer(line):
                opened += 1 if sign[0] in "[{" else -1
                if opened > DEEPEST:
                    raise self.wrong(number, sign.start() + 1, f"nested deeper than {DEEPEST} levels", _FLATTER)
            entries += 1 + line.count(",") + line.count(":")
            if most_entries is not None and entries > most_entries:
                what = f"more than {most_entries:,} lines, commas and colons"
                raise self.wrong(number, 1, what, "split it into several files")

    def refuse_tabs(self) -> None:
        for number, line in enumerate(self.text.split("\n"), 1):
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            if "\t" in indent and line.strip():
                raise self.wrong(number, indent.index("\t") + 1, "a tab in the indentation", "indent with spaces")

    def document(self) -> Any:
        events = iter(YAML(typ="safe", pure=True).parse(self.text))
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._at(event, "a second document", "keep one document per file: remove the line ---")
            elif isinstance(event, AliasEvent | ScalarEvent | MappingStartEvent | SequenceStartEvent):
                data = self._node(event, events, ())
        if data is None:
            raise self.wrong(1, 1, "the file is empty", "write its keys, or remove the file and what refers to it")
        return data

    def _at(self, event: Any, what: str, hint: str) -> Misconfigured:
        return self.wrong(event.start_mark.line + 1, event.start_mark.column + 1, what, hint)

    def _node(self, event: Any, events: Iterator[Any], at: At) -> Any:
        if isinstance(event, AliasEvent) or event.anchor:
            raise self._at(
                event, "anchors (&) and aliases (*) are not accepted", "write the value out, or quote the text"
            )
        if event.tag is not None:
            raise self._at(event, f"tags are not accepted: {event.tag}", "remove the tag, or quote the text")
        if len(at) > DEEPEST:
            raise self._at(event, f"nested deeper than {DEEPEST} levels", _FLATTER)
        self.values[at] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, ScalarEvent):
            if event.value == "" and event.implicit[0]:  # the parser's mark of a value left out is the next token
                self.values[at] = self.keys.get(at, self.values[at])
            return self._scalar(event)
        if isinstance(event, SequenceStartEvent):
            return self._list(events, at)
        return self._mapping(events, at)

    def _list(self, events: Iterator[Any], at: At) -> list[Any]:
        data: list[Any] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            data.append(self._node(event, events, (*at, len(data))))
        return data

    def _mapping(self, events: Iterator[Any], at: At) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.anchor or event.tag is not None:
                raise self._at(event, "a key must be plain text", "write key: value")
            if event.value in data:
                first = self.keys[(*at, event.value)][0]
                raise self._at(event, f"the key '{event.value}' stands here twice (first in line {first})", "keep one")
            self.keys[(*at, event.value)] = (event.start_mark.line + 1, event.start_mark.column + 1)
            data[event.value] = self._node(next(events), events, (*at, event.value))
        return data

    def _scalar(self, event: ScalarEvent) -> object:
        text = event.value
        if not event.implicit[0]:
            return text
        if text in _NULL:
            return None
        if text in _YES or text in _NO:
            return text in _YES
        if _DATE.fullmatch(text):
            try:
                return dt.date.fromisoformat(text)
            except ValueError:
                if self.impossible_days:
                    return text
                raise self._at(
                    event, f"there is no such day: {text}", "correct the date; quote it if it is text"
                ) from None
        return _number(text)


def _number(text: str) -> str | int | float:
    if len(text) > 40:  # longer than any number: an identifier
        return text
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and math.isfinite(float(text)) else text
