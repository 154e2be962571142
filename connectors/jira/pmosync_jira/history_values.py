"""Finds out which field a row of an issue's history is about, and decodes its two texts to the values of that field.

It keeps the promise that a move reads like the record: a status is the same choice, a parent the same reference. What
cannot be read is odd, and the caller counts it; it is never guessed.

| in a row            | is                                                                                         |
|---------------------|--------------------------------------------------------------------------------------------|
| `fieldId`           | the field, when it is there; often it is not, and on Data Center never was for long        |
| `field`             | its untranslated name: `status`, `duedate`, `Fix Version`, `Epic Link`, or a custom name   |
| `from`, `to`        | an id, several with commas or in brackets, or nothing                                      |
| `fromString` ...    | what people saw then; the only value of texts, numbers and labels                          |

A row of versions or components tells of one that was added or removed, not of the whole list.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pmosync.contract import Choice, Duration, Person, Reference, Value

from .marks import LABELS

Options = Callable[[str], Mapping[str, Choice]]
"""The options of a field as the site has them now, by id; looked up when the first of them is met."""
Read = Callable[[str, str], Value]
"""Reads the id and the text of one side of a row; at least one of the two says something."""

_ALIASES = {
    "issue type": "issuetype",
    "fix version": "fixVersions",
    "fix version/s": "fixVersions",
    "version": "versions",
    "affects version/s": "versions",
    "component": "components",
    "component/s": "components",
    "key": "issuekey",
    "issueparentassociation": "parent",
    "parent issue": "parent",
    "due date": "duedate",
}
"""What Jira writes into histories for fields whose id differs from that."""

_UNTRANSLATED = {
    "com.pyxis.greenhopper.jira:gh-sprint": "sprint",
    "com.pyxis.greenhopper.jira:gh-epic-link": "epic link",
    "com.pyxis.greenhopper.jira:gh-lexo-rank": "rank",
    "com.atlassian.jpo:jpo-custom-field-parent": "parent link",
}
"""Fields that histories always call by these names, whatever people call them."""

_EPIC_OR_PARENT_LINK = frozenset(
    {"com.pyxis.greenhopper.jira:gh-epic-link", "com.atlassian.jpo:jpo-custom-field-parent"}
)
_SPRINT = "com.pyxis.greenhopper.jira:gh-sprint"
_CASCADE = re.compile(r"Parent values: (.*?)\((\d+)\)(?:\s*Level 1 values: (.*?)\((\d+)\))?\s*", re.DOTALL)


class Names:
    """The fields of a site as histories call them."""

    def __init__(self, fields: Iterable[Mapping[str, Any]]) -> None:
        self.fields = {str(raw["id"]): raw for raw in fields}
        self._by_id = {name.lower(): name for name in self.fields}
        self._system: dict[str, set[str]] = {}
        self._custom: dict[str, set[str]] = {}
        for name, raw in self.fields.items():
            kind = str((raw.get("schema") or {}).get("custom") or "")
            index = self._custom if kind or raw.get("custom") else self._system
            called = {str(raw.get(part) or "").lower() for part in ("name", "untranslatedName")}
            for one in {*called, _UNTRANSLATED.get(kind, "")} - {""}:
                index.setdefault(one, set()).add(name)

    def of(self, field_id: str, field: str, kind: str) -> tuple[str, ...]:
        """The fields that a row may mean: one, none, or several that are called alike.

        Args:
            kind: the row's `fieldtype`, `jira` or `custom`; it parts a custom field from one of Jira's own.
        """
        if found := self._by_id.get(field_id.lower()):
            return (found,)
        name = field.lower()
        own = _ALIASES.get(name) or self._by_id.get(name)
        candidates = [{own} if own else set(), self._system.get(name, set()), self._custom.get(name, set())]
        for some in reversed(candidates) if kind == "custom" else candidates:
            if some:
                return tuple(sorted(some))
        return ()

    def parent_links(self) -> frozenset[str]:
        """The custom fields that name a parent where `parent` does not."""
        return frozenset(
            name for name, raw in self.fields.items() if (raw.get("schema") or {}).get("custom") in _EPIC_OR_PARENT_LINK
        )


def reader(name: str, raw: Mapping[str, Any], options: Options) -> Read:
    """How the rows of a field are read, by Jira's description of it."""
    schema = raw.get("schema") or {}
    kind, items, custom = (str(schema.get(part) or "") for part in ("type", "items", "custom"))
    if name == "parent" or custom in _EPIC_OR_PARENT_LINK:
        return _parent
    if name in ("timeoriginalestimate", "timeestimate", "timespent"):
        return lambda ident, text: Duration(float(ident or text))
    if custom == _SPRINT:
        return lambda ident, text: _several(ident, text, {})
    if kind in ("version", "component") or (kind == "array" and items in ("version", "component")):
        known = options if not custom else (lambda _: {})
        return lambda ident, text: _several(ident, text, {}) if custom else _one(ident, text, known(name))
    if kind == "array" and items == "option":
        return lambda ident, text: _several(ident, text, options(name))
    if kind == "array" and items == "user":
        return _people
    if kind == "array" and items == "string":
        return lambda ident, text: tuple(word for word in (text or ident).split() if word not in LABELS)
    if kind in ("status", "issuetype", "priority", "resolution", "option", "securitylevel", "team"):
        return lambda ident, text: _one(ident, text, options(name))
    return _PLAIN.get(kind, _text)


def _text(ident: str, text: str) -> str:
    return text or ident


def _number(ident: str, text: str) -> float | int:
    raw = text or ident
    return int(raw) if raw.lstrip("-").isdigit() else float(raw)


def _date(ident: str, text: str) -> dt.date:
    """The id has the plain day; the text is `2026-05-01 00:00:00.0` or as people of that language write it."""
    return dt.date.fromisoformat((ident or text)[:10])


def _instant(ident: str, text: str) -> dt.datetime:
    when = dt.datetime.fromisoformat(ident or text)
    if when.tzinfo is None:
        raise ValueError("an instant without a zone")
    return when


def _person(ident: str, text: str) -> Person:
    if not ident:
        raise ValueError("a person without an id")
    return Person(ident, text)


def _parent(ident: str, text: str) -> Reference:
    if not ident.isdigit():
        raise ValueError("a parent without an id")
    return Reference("task", ident)


def _project(ident: str, text: str) -> Reference:
    if not ident.isdigit():
        raise ValueError("a project without an id")
    return Reference("project", ident)


def _one(ident: str, text: str, known: Mapping[str, Choice]) -> Choice:
    """An option: as the site has it now; one that was removed keeps id and name."""
    if not ident:
        named = [one for one in known.values() if one.name == text]
        if len(named) != 1:
            raise ValueError("an option without an id")
        return named[0]
    return known.get(ident) or Choice(ident, text or ident)


def _several(ident: str, text: str, known: Mapping[str, Choice]) -> tuple[Choice, ...]:
    """Options of a list: `34, 38` and `Sprint 1, Sprint 2`; `[10025, 10026]` in fields of several options."""
    ids = _split(ident)
    names = [text] if len(ids) == 1 else _split(text)
    if text and not ids:
        raise ValueError("options without ids")
    if len(names) != len(ids):  # a name with a comma in it
        names = ids
    return tuple(_one(one, name, known) for one, name in zip(ids, names, strict=True))


def _people(ident: str, text: str) -> tuple[Person, ...]:
    ids, names = _split(ident), _split(text)
    if text and not ids:
        raise ValueError("people without ids")
    if len(names) != len(ids):
        names = [""] * len(ids)
    return tuple(Person(one, name) for one, name in zip(ids, names, strict=True))


def _split(text: str) -> Sequence[str]:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return [one.strip() for one in bare.split(",") if one.strip()]


def _cascade(ident: str, text: str) -> Choice:
    found = _CASCADE.fullmatch(ident or text) or _CASCADE.fullmatch(text)
    if not found:
        raise ValueError("an option of two levels in another form")
    name, above, child, below = found.groups()
    return Choice(below, f"{name.strip()} / {child.strip()}") if child else Choice(above, name.strip())


_PLAIN: Mapping[str, Read] = {
    "number": _number,
    "date": _date,
    "datetime": _instant,
    "user": _person,
    "project": _project,
    "option-with-child": _cascade,
}
