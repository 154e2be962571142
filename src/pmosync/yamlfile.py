"""YAML 1.2 files that people write, read so that every complaint can name the line.

Only plain data comes in: no tags, no anchors, no aliases, no duplicate keys, nothing larger than a person writes.
Whatever is wrong is told with file, line, column, the line itself and the next step; a literal secret is never shown.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
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

LARGEST_BYTES = 1_000_000
DEEPEST = 40

At = tuple[str | int, ...]
"""Where something stands in the data: keys and positions, e.g. `("task", "status", 0, "field")`."""

M = TypeVar("M", bound=BaseModel)

_NULL = {"", "~", "null", "Null", "NULL"}
_YES = {"true", "True", "TRUE"}
_NO = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECRET_KEY = re.compile(r"token|password|secret|api_?key|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"""((?:token|password|secret|api_?key|credential)s?["']?\s*:\s*)(?!["']?(?:env|file):)("[^"]*"?|'[^']*'?|[^\s,}\]][^,}\]]*)""",
    re.IGNORECASE,
)


def did_you_mean(word: str, options: Collection[str]) -> str:
    """`did you mean 'x'?` for the option that looks most like the word; empty when none does."""
    by_lower = {option.lower(): option for option in options}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[close[0]]}'?" if close else ""


def together(errors: Sequence[Misconfigured], where: str = "") -> Misconfigured:
    """One error that tells them all; a single one is returned as it is."""
    if len(errors) == 1:
        return errors[0]
    return Misconfigured(f"{len(errors)} mistakes", where=where, excerpt="\n".join(str(error) for error in errors))


@dataclass(frozen=True, slots=True)
class Doc:
    """One file: its data, and where each part of it stands.

    Keys are always text, as written; values are dict, list, str, int, float, bool, date or None.
    """

    path: Path
    data: Any
    text: str = field(repr=False)
    values: Mapping[At, tuple[int, int]] = field(repr=False)
    keys: Mapping[At, tuple[int, int]] = field(repr=False)

    def place(self, at: At) -> str:
        """`file:line:column` of the value; of the nearest thing around it when it is not there."""
        return self._where(self._position(at, key=False))

    def place_of_key(self, at: At) -> str:
        """`file:line:column` of the key (of the entry, in a list)."""
        return self._where(self._position(at, key=True))

    def wrong(self, at: At, what: str, hint: str = "", key: bool = False) -> Misconfigured:
        """The error to raise about what stands there, with the line and a caret under the place."""
        line, column = self._position(at, key)
        return Misconfigured(
            what, where=self._where((line, column)), hint=hint, excerpt=_excerpt(self.text, line, column)
        )

    def validated(self, model: type[M]) -> M:
        """The data as this model; everything that does not fit is told at once, each with its own place."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            raise self.explained(error, model) from None

    def explained(self, error: ValidationError, model: type[BaseModel]) -> Misconfigured:
        """What pydantic found, in words for people, with file and line."""
        told: dict[tuple[tuple[int, int], str], list[Misconfigured]] = {}
        for item in error.errors(include_url=False):
            at = self._at(item["loc"])
            alone = str(item["loc"]) if item["type"] in ("missing", "extra_forbidden") else ""
            place = self._position(at, key=item["type"] == "extra_forbidden")
            told.setdefault((place, alone), []).append(self._told(item, at, model))
        return together([_merged(told[place]) for place in sorted(told)], where=str(self.path))

    def _told(self, item: Any, at: At, model: type[BaseModel]) -> Misconfigured:
        kind, context = item["type"], item.get("ctx", {})
        name = ".".join(str(part) for part in at) or "the file"
        if kind == "missing":
            return self.wrong(at, f"{'.'.join(str(part) for part in item['loc'])} is missing", "add it", key=True)
        if kind == "extra_forbidden":
            known = _fields_at(model, item["loc"][:-1])
            hint = did_you_mean(str(at[-1]), known) or ("known here: " + ", ".join(sorted(known)) if known else "")
            return self.wrong(at, f"unknown key '{at[-1]}'", hint, key=True)
        if kind == "value_error":
            cause = context.get("error")
            if isinstance(cause, Misconfigured):
                return self.wrong(at, f"{name}: {cause.what}", cause.hint)
            return self.wrong(at, f"{name}: {item['msg'].removeprefix('Value error, ')}")
        options = re.findall(r"'([^']*)'", context.get("expected", ""))
        value = item["input"]
        secret = any(_SECRET_KEY.search(str(part)) for part in at)
        shown = "" if secret or isinstance(value, dict | list) else f", not {_shown(value)}"
        said = item["msg"].removeprefix("Input ").split(", unable to ")[0]
        hint = did_you_mean(str(value), options) if options and not secret else ""
        return self.wrong(at, f"{name}: {said}{shown}", hint)

    def _at(self, loc: Sequence[str | int]) -> At:
        """The part of a pydantic location that exists in the file; names of union members and the like are left out."""
        here: Any = self.data
        at: list[str | int] = []
        for part in loc:
            in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
            if in_list or (isinstance(here, dict) and part in here):
                here = here[part]
                at.append(part)
        return tuple(at)

    def _position(self, at: At, key: bool) -> tuple[int, int]:
        if key and at in self.keys:
            return self.keys[at]
        while at and at not in self.values:
            at = at[:-1]
        if key and at in self.keys:
            return self.keys[at]
        return self.values[at]

    def _where(self, position: tuple[int, int]) -> str:
        return f"{self.path}:{position[0]}:{position[1]}"


def load(path: Path, *, impossible_days: bool = False) -> Doc:
    """Read a file; anything but one document of plain YAML 1.2 data is refused with its place.

    Args:
        impossible_days: leave a day such as 2026-02-30 in the data as text, for a reader that complains by itself.
    """
    text = _text(path)
    builder = _Builder(path, text, impossible_days)
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


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None
    except FileNotFoundError:
        raise Misconfigured(
            "there is no such file", where=str(path), hint="create it, or correct the path that leads here"
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"cannot be read: {error.strerror}", where=str(path), hint="check the path and the permissions"
        ) from None
    if raw is None:
        raise Misconfigured(
            f"larger than {LARGEST_BYTES // 1_000_000} MB", where=f"{path}:1:1", hint="split it into several files"
        )
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise Misconfigured(
            "not UTF-8 text", where=f"{path}:{line}:{column}", hint="save the file with the encoding UTF-8"
        ) from None


def _excerpt(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return ""
    shown = _SECRET_VALUE.sub(r"\1***", lines[line - 1])
    start = max(0, column - 80)
    shown, offset = shown[start : start + 110], column - 1 - start
    label = f"  {line} | "
    shown = "".join(char if char.isprintable() or char == "\t" else "�" for char in shown)
    pad = "".join("\t" if char == "\t" else " " for char in shown[:offset]).ljust(min(offset, len(shown)))
    return f"{label}{shown}\n{' ' * (len(label) - 2)}| {pad}^"


def _merged(group: Sequence[Misconfigured]) -> Misconfigured:
    """What several members of a union said about one place, in one sentence."""
    first, texts = group[0], list(dict.fromkeys(one.what for one in group))
    hint = next((one.hint for one in group if one.hint), "")
    return Misconfigured(", or ".join(texts), where=first.where, hint=hint, excerpt=first.excerpt)


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


class _Builder:
    """Turns the parser's events into data and remembers where each part stands."""

    def __init__(self, path: Path, text: str, impossible_days: bool) -> None:
        self.path, self.text, self.impossible_days = path, text, impossible_days
        self.values: dict[At, tuple[int, int]] = {}
        self.keys: dict[At, tuple[int, int]] = {}

    def wrong(self, line: int, column: int, what: str, hint: str) -> Misconfigured:
        excerpt = _excerpt(self.text, line, column)
        return Misconfigured(what, where=f"{self.path}:{line}:{column}", hint=hint, excerpt=excerpt)

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
            raise self._at(
                event, f"nested deeper than {DEEPEST} levels", "no file of pmosync needs that: remove brackets"
            )
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


def _fields_at(model: type[BaseModel], loc: Sequence[str | int]) -> set[str]:
    """Names of the keys that the models at this location know."""
    here: list[Any] = [model]
    for part in loc:
        here = [inner for kind in here for inner in _inside(kind, part)] or here  # a union member's name: stay
    return {name for kind in here for name in _known(kind)}


def _known(kind: Any) -> Iterator[str]:
    for each in _alternatives(kind):
        if isinstance(each, type) and issubclass(each, BaseModel):
            for name, info in each.model_fields.items():
                yield info.alias or name


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    for each in _alternatives(kind):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield from (info.annotation for name, info in each.model_fields.items() if part in (name, info.alias))
        elif get_origin(each) is not None and get_args(each):
            mapping = isinstance(get_origin(each), type) and issubclass(get_origin(each), Mapping)
            if mapping == isinstance(part, str):
                yield get_args(each)[1 if mapping else 0]


def _alternatives(kind: Any) -> Iterator[Any]:
    origin = get_origin(kind)
    if origin is types.UnionType or str(origin) == "typing.Union":
        for each in get_args(kind):
            yield from _alternatives(each)
    elif hasattr(kind, "__metadata__"):  # Annotated
        yield from _alternatives(get_args(kind)[0])
    else:
        yield kind
