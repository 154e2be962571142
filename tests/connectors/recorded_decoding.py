"""Takes everything that stands in recorded answers through the connector's decoders, and counts what came out of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from pmosync.contract import Choice, Duration, Event, Scope
from pmosync_jira.adf import to_text
from pmosync_jira.comments import Comments, words
from pmosync_jira.decode import ODD, choice, person
from pmosync_jira.history import Histories
from pmosync_jira.history_values import Names
from pmosync_jira.pages import to_page
from pmosync_jira.planning import SPRINT_FIELD, readers_of, sprint, version
from pmosync_jira.records import Decoder
from pmosync_jira.worklogs import Worklogs

from .recordings import Recorded, shapes

CUSTOM = "customfield_"
SLOTS = ("property", "label", "project_property")

PARENT_LINK = "com.atlassian.jpo:jpo-custom-field-parent"

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
    moves: Counter[str] = field(default_factory=Counter)
    """How many events of each field the histories have."""


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
    """The type of a field that nobody described; of lists, sprints and parents something can be said."""
    full = [value for value in values if value is not None]
    if any(isinstance(value, list) and "greenhopper.service.sprint" in str(value) for value in full):
        return {"type": "array", "items": "string", "custom": SPRINT_FIELD, "customId": 1}
    if any(isinstance(value, dict) and "hasEpicLinkFieldDependency" in value for value in full):
        return {"type": "any", "custom": PARENT_LINK}
    return {"type": "array", "items": "json"} if any(isinstance(value, list) for value in full) else {"type": "any"}


def _link_type(raw: Mapping[str, Any]) -> Choice:
    return Choice(str(raw["id"]), raw["name"], raw["outward"])


def _of_screen(raw: Mapping[str, Any]) -> Any:
    """A field as it stands on a screen: whatever may be chosen in it can be read as its value."""
    name = str(raw.get("fieldId") or raw.get("key") or "nameless")
    reader = readers_of({"id": name, **raw})[name]
    several = raw["schema"]["type"] == "array"
    return [reader.read([one] if several else one) for one in raw.get("allowedValues") or ()]


READ: Mapping[str, Callable[[Any], Any]] = {
    "field": readers_of,
    "screen field": _of_screen,
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


def histories(described: Sequence[Mapping[str, Any]]) -> Histories:
    """What reads the histories of a site that describes its fields so; every move is wanted."""
    names = Names(described)
    return Histories(names, tuple(names.fields), lambda _: {}, host="acme.example")


def told(data: Any) -> dict[str, Any] | None:
    """The history entry of a webhook's payload, in the shape of any other; None when nothing moved."""
    if not isinstance(data, dict) or not isinstance(data.get("changelog"), dict) or "webhookEvent" not in data:
        return None
    return {**data["changelog"], "created": data["timestamp"], "author": data.get("user")}


def outcome(answers: Iterable[Recorded], described: Sequence[Mapping[str, Any]]) -> Outcome:
    """Decode everything in these answers. An issue or project that makes the decoder give up raises."""
    one, past, found = decoder(described), histories(described), Outcome()
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
            if kind == "change":
                _count(past.read([raw]).events, found)
        if (entry := told(answer.data)) is not None:
            found.counts["told change"] += 1
            _count(past.read([entry]).events, found)
    found.odd += one.odd
    found.odd += Counter({f"moves of {name}": count for name, count in past.odd.items()})
    return found


def _count(events: Iterable[Event], found: Outcome) -> None:
    for event in events:
        assert event.before != event.after
        found.moves[event.field] += 1


def _decode(one: Decoder, scope: Scope, kind: str, raw: Any, found: Outcome) -> None:
    if kind == "issue":
        record = one.task(raw, scope)
        assert (record.id, record.key) == (str(raw["id"]), raw["key"])
        assert "created" in record.values
    elif kind == "project":
        record = one.project(raw, scope)
        assert (record.id, record.key, record.values["name"]) == (str(raw["id"]), raw["key"], raw["name"])
    elif kind == "worklog":
        if "issueId" not in raw:
            found.odd["worklog"] += 1
            return
        booked = Worklogs(one.site.session, "/rest/api/3", "https://acme.example", lambda *_: {})
        record = booked.record(raw)
        found.odd += Counter({f"{name} of a worklog": count for name, count in booked.odd.items()})
        assert record.values["spent"] == Duration(raw["timeSpentSeconds"])
    elif kind == "comment":
        said = words(raw["body"])
        commands = Comments(one.site.session, "/rest/api/3", "https://acme.example", lambda _: (), lambda: "us")
        assert commands.record(raw, "1", "PAY-1") is None, "nobody gave a command"
        command = commands.record(raw | {"body": f"/pmo waive {said}"}, "1", "PAY-1")
        assert command is not None
        assert command.values["author"] is not None
        assert isinstance(command.values["created"], dt.datetime)
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
