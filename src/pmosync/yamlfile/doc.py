"""A file that was read: its data, where each part of it stands, and how to complain about a part.

Every complaint names file, line and column and shows the line; what looks like a literal secret is left out of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pmosync.errors import Misconfigured
from pmosync.yamlfile.models import keys_at

At = tuple[str | int, ...]
"""Where something stands in the data: keys and positions, e.g. `("task", "status", 0, "field")`."""

M = TypeVar("M", bound=BaseModel)

MOST_TOLD = 50
"""Mistakes of one file that are told at once: nobody corrects more in one go."""

_STEPS = {
    "date": "write it like 2026-11-20",
    "int": "write a whole number, without quotes",
    "float": "write a number, without quotes",
    "bool": "write true or false",
    "list": "write a list: [one, two]",
    "dict": "write key: value",
    "model": "write key: value",
    "literal": "write one of these",
    "greater": "write a larger number",
    "less": "write a smaller number",
    "string_too_long": "say it in fewer words",
    "string_too_short": "write a text, or remove the key",
    "too_short": "add one",
    "too_long": "take some out",
}
"""The next step by the beginning of the kind that pydantic gives a mistake."""

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


def together(errors: Sequence[Misconfigured], where: str = "", *, more: bool = False) -> Misconfigured:
    """One error that tells them all; a single one is returned as it is.

    Args:
        more: there are more than these.
    """
    if len(errors) == 1 and not more:
        return errors[0]
    count = f"the first {len(errors)}" if more else f"{len(errors)}"
    return Misconfigured(f"{count} mistakes", where=where, excerpt="\n".join(str(error) for error in errors))


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
            what, where=self._where((line, column)), hint=hint, excerpt=excerpt_of(self.text, line, column)
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
        found = error.errors(include_url=False)
        for item in _without_twins(found[:MOST_TOLD]):
            at = self._at(item["loc"])
            alone = str(item["loc"]) if item["type"] in ("missing", "extra_forbidden") else ""
            place = self._position(at, key=item["type"] == "extra_forbidden")
            told.setdefault((place, alone), []).append(self._told(item, at, model))
        mistakes = [_merged(told[place]) for place in sorted(told)]
        return together(mistakes, where=str(self.path), more=len(found) > MOST_TOLD)

    def _told(self, item: Any, at: At, model: type[BaseModel]) -> Misconfigured:
        kind, context = item["type"], item.get("ctx", {})
        name = ".".join(str(part) for part in at) or "the file"
        if kind == "missing":
            missing = ".".join(str(part) for part in (*at, item["loc"][-1]))
            return self.wrong(at, f"{missing} is missing", "add it", key=True)
        if kind == "extra_forbidden":
            known = keys_at(model, item["loc"][:-1])
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
        return self.wrong(at, f"{name}: {said}{shown}", hint or _next_step(kind, value))

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


def excerpt_of(text: str, line: int, column: int) -> str:
    """The line with a caret under the column."""
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


def _without_twins(items: Sequence[Any]) -> list[Any]:
    """A misspelt key is one mistake: what is missing is left out where the unknown key beside it looks like it."""
    unknown = [item["loc"] for item in items if item["type"] == "extra_forbidden"]

    def meant(item: Any) -> bool:
        around, name = item["loc"][:-1], str(item["loc"][-1])
        return any(one[:-1] == around and did_you_mean(str(one[-1]), [name]) for one in unknown)

    return [item for item in items if item["type"] != "missing" or not meant(item)]


def _next_step(kind: str, value: object) -> str:
    """What to write, by the kind of mistake; empty where the sentence itself says it."""
    if kind == "string_type":
        return "write a text" if value is None or isinstance(value, dict | list) else "put it in quotes"
    return next((step for begins, step in _STEPS.items() if kind.startswith(begins)), "")


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
