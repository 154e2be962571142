"""Takes everything that stands in recorded answers through the connector's decoders, and counts what came out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pmosync.contract import Choice, Scope
from pmosync_jira.adf import to_text
from pmosync_jira.decode import ODD, choice, person
from pmosync_jira.pages import to_page
from pmosync_jira.planning import SPRINT_FIELD, readers_of, sprint, version
from pmosync_jira.records import Decoder

from .recordings import Recorded, shapes

CUSTOM = "customfield_"
SLOTS = ("property", "label", "project_property")

STRUCTURES = frozenset({
    "aggregateprogress", "attachment", "comment", "issuerestriction", "progress", "project", "security", "thumbnail",
    "timetracking", "votes", "watches", "worklog",
})  # fmt: skip
"""Fields that are no single value and no list of values; `security` is never asked for."""


@dataclass
class Outcome:
    """What became of a set of recordings."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many of each shape."""
    odd: Counter[str] = field(default_factory=Counter)
    """How many values could not be read: by field of issues, by shape of everything else."""
    wordless: Counter[str] = field(default_factory=Counter)
    """Answers in which nothing was found, by what they are."""


def decoder(described: Iterable[Mapping[str, Any]]) -> Decoder:
    """A decoder for a site that describes its fields so."""
    readers = {name: reader for one in described for name, reader in readers_of(one).items()}
    session = SimpleNamespace(host="acme.example", base_url="https://acme.example")
    site = SimpleNamespace(session=session, links_at="https://acme.example", readers=readers)
    return Decoder(site)  # type: ignore[arg-type]


def described(answers: Iterable[Recorded], system: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The fields of a set of recordings: as it describes them itself; else the fields that every site has; and, for
    custom fields that nobody described, what their values look like."""
    found: dict[str, dict[str, Any]] = {str(one["id"]): dict(one) for one in system if not one.get("custom")}
    held: dict[str, list[Any]] = {}
    for answer in answers:
        for kind, raw in shapes(answer.data):
            if kind == "field":
                found[raw["id"]] = raw
            elif kind == "issue":
                for name, value in raw["fields"].items():
                    held.setdefault(name, []).append(value)
    for name, values in held.items():
        if name not in found and name.startswith(CUSTOM):
            found[name] = {"id": name, "name": name, "custom": True, "schema": _guessed(values)}
    return list(found.values())


def _guessed(values: list[Any]) -> dict[str, Any]:
    """The type of a field that nobody described; of nothing but lists and sprints something can be said."""
    full = [value for value in values if value is not None]
    if any(isinstance(value, list) and "greenhopper.service.sprint" in str(value) for value in full):
        return {"type": "array", "items": "string", "custom": SPRINT_FIELD}
    return {"type": "array", "items": "json"} if any(isinstance(value, list) for value in full) else {"type": "any"}


def _link_type(raw: Mapping[str, Any]) -> Choice:
    return Choice(str(raw["id"]), raw["name"], raw["outward"])


READ: Mapping[str, Callable[[Any], Any]] = {
    "field": readers_of,
    "person": person,
    "version": version,
    "sprint": sprint,
    "status": choice,
    "issue type": choice,
    "priority": choice,
    "resolution": choice,
    "component": choice,
    "other choice": choice,
    "link type": _link_type,
}
"""How everything is read that needs no site."""


def outcome(answers: Iterable[Recorded], described: Iterable[Mapping[str, Any]]) -> Outcome:
    """Decode everything in these answers. An issue or project that makes the decoder give up raises."""
    one, found = decoder(described), Outcome()
    scope = Scope(
        fields=tuple(name for name in one.site.readers if name not in STRUCTURES),
        project_fields=("name", "lead", "category", "description"),
        slots=SLOTS,
    )
    for answer in answers:
        several = list(shapes(answer.data))
        if not several:
            found.wordless[_what(answer)] += 1
        for kind, raw in several:
            found.counts[kind] += 1
            _decode(one, scope, kind, raw, found)
    found.odd += one.odd
    return found


def _decode(one: Decoder, scope: Scope, kind: str, raw: Any, found: Outcome) -> None:
    if kind == "issue":
        record = one.task(raw, scope)
        assert (record.id, record.key) == (str(raw["id"]), raw["key"])
        assert "created" in record.values
    elif kind == "project":
        record = one.project(raw, scope)
        assert (record.id, record.key, record.values["name"]) == (str(raw["id"]), raw["key"], raw["name"])
    elif kind == "document":
        text = to_text(raw)
        assert to_page(raw).split() or not text
    elif kind in READ:
        try:
            READ[kind](raw)
        except ODD:
            found.odd[kind] += 1


def _what(answer: Recorded) -> str:
    """What an answer without anything in it is."""
    body = answer.data
    if answer.status >= 300:
        return f"status {answer.status}"
    if body in (None, "", {}, []):
        return "nothing"
    if isinstance(body, dict) and set(body) & {"errorMessages", "errors"}:
        return "error"
    rows = [value for value in body.values() if isinstance(value, list)] if isinstance(body, dict) else []
    return "empty page" if rows and not any(rows) else "not ours"
