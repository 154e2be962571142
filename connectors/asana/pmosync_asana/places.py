"""Names our own fields in Asana, tells them from everybody else's, and turns marks into their values and back.

It keeps the promise that a field is ours by its pinned gid, or, where nothing is pinned yet, by its name and its type
together: never by a name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pmosync.contract import SlotKind, SubjectKind, canonical

Json = dict[str, Any]

SLOTS = (
    SlotKind("field", "task", "word", 0),
    SlotKind("text_field", "task", "text", 1024),
    SlotKind("fields", "project", "measures", 1024),
)

WORDS = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue", "info": "cool-gray"}
"""The options of the flag, worst first, with their colours. An option's name is the word with a capital."""


@dataclass(frozen=True, slots=True)
class Place:
    """One custom field of ours."""

    key: str
    """Where its gid is pinned."""
    slot: str
    subject: SubjectKind
    name: str
    subtype: str
    description: str
    more: Mapping[str, Any]
    """What Asana needs besides to make it."""

    @property
    def measure(self) -> str:
        """The key of the measure that stands in it; only in project fields."""
        return self.key.rpartition(".")[2]


def _number(measure: str, name: str, description: str, **more: Any) -> Place:
    more = {"precision": 0, **more}
    return Place(f"project.fields.{measure}", "fields", "project", name, "number", description, more)


PLACES = (
    Place(
        "task.field",
        "field",
        "task",
        "PMO compliance",
        "enum",
        "The worst severity among the PMO's findings about this task; it goes away by itself when the work is fixed.",
        {"enum_options": [{"name": word.capitalize(), "color": color} for word, color in WORDS.items()]},
    ),
    Place(
        "task.text_field",
        "text_field",
        "task",
        "PMO reasons",
        "text",
        "What the PMO found about this task, and how to fix it.",
        {},
    ),
    _number("open", "PMO tasks open", "Open tasks of this project."),
    _number("late", "PMO tasks late", "Open tasks of this project that are late."),
    _number("findings", "PMO findings", "Findings of the PMO about this project and its tasks."),
    _number("compliance", "PMO compliance share", "Share of its tasks without a finding.", format="percentage"),
    Place(
        "project.fields.worst",
        "fields",
        "project",
        "PMO worst severity",
        "text",
        "The worst severity among the findings of this project.",
        {},
    ),
)
BY_KEY = {place.key: place for place in PLACES}


OWN_PREFIXES = ("task.field.option.", "made.", "attached.", "member.", "refused.")


def own_pins(pins: Mapping[str, str]) -> dict[str, str]:
    """What is pinned of our own places, among everything that is pinned of a site."""
    return {key: gid for key, gid in pins.items() if key in BY_KEY or key.startswith(OWN_PREFIXES)}


def option_key(word: str) -> str:
    """Where the gid of an option of the flag is pinned."""
    return f"task.field.option.{word}"


def needed(slots: Iterable[str]) -> tuple[Place, ...]:
    """The fields behind these slots."""
    used = set(slots)
    return tuple(place for place in PLACES if place.slot in used)


def subtype(entry: Mapping[str, Any]) -> str:
    """The type of a custom field as Asana stores it."""
    return str(entry.get("resource_subtype") or entry.get("type") or "")


def place_of(entry: Mapping[str, Any], subject: SubjectKind, pins: Mapping[str, str]) -> Place | None:
    """Which of our fields a custom field is, if it is one of ours."""
    for place in PLACES:
        if place.subject != subject:
            continue
        if place.key in pins:
            if pins[place.key] == entry.get("gid"):
                return place
        elif (place.name, place.subtype) == (entry.get("name"), subtype(entry)):
            return place
    return None


# --- reading --------------------------------------------------------------------------------------------------------


def marks(entries: Iterable[Mapping[str, Any]], subject: SubjectKind, pins: Mapping[str, str]) -> dict[str, str | None]:
    """What stands in our slots, from the custom fields of a task or project."""
    found: dict[str, str | None] = {slot.name: None for slot in SLOTS if slot.subject == subject}
    measures: dict[str, Any] = {}
    for entry in entries:
        place = place_of(entry, subject, pins)
        if place is None:
            continue
        if place.slot == "fields":
            measures[place.measure] = _measure(place, entry)
        else:
            found[place.slot] = _mark(place, entry, pins)
    if "fields" in found:
        found["fields"] = measures_text(measures)
    return found


def _mark(place: Place, entry: Mapping[str, Any], pins: Mapping[str, str]) -> str | None:
    if place.slot == "text_field":
        return entry.get("text_value") or None
    option = entry.get("enum_value")
    if not option:
        return None
    words = {gid: word for word in WORDS if (gid := pins.get(option_key(word)))}
    return words.get(option["gid"]) or str(option.get("name", "")).lower()


def _measure(place: Place, entry: Mapping[str, Any]) -> float | int | str | None:
    if place.subtype == "text":
        return entry.get("text_value") or None
    number = entry.get("number_value")
    return None if number is None else _shaped(place.measure, number)


def _shaped(measure: str, number: float) -> float | int:
    """A share is a number with two decimals, everything else a whole one where it can be."""
    if measure == "compliance":
        return round(float(number), 2)
    return int(number) if float(number).is_integer() else float(number)


def measures_text(measures: Mapping[str, Any]) -> str | None:
    """The mark of a project: every measure that has a field of ours; None when nothing stands in any of them."""
    told = {place.measure: measures.get(place.measure) for place in needed(["fields"])}
    return None if all(value is None for value in told.values()) else canonical(told)


# --- writing --------------------------------------------------------------------------------------------------------


class NoPlace(Exception):
    """A mark cannot be written because its field or option is not known on this site."""


def values_for(slot: str, mark: str | None, pins: Mapping[str, str]) -> dict[str, Any]:
    """What to write into which custom fields so that the mark stands there; by gid."""
    if slot == "fields":
        wanted = orjson.loads(mark) if mark else {}
        return {_gid(place, pins): _number_or_text(place, wanted.get(place.measure)) for place in needed(["fields"])}
    place = next(iter(needed([slot])))
    gid = _gid(place, pins)
    if slot == "text_field" or mark is None:
        return {gid: mark}
    if option_key(mark) not in pins:
        raise NoPlace(f"the option '{mark}' of the field '{place.name}' is not known: run `pmosync reconcile`")
    return {gid: pins[option_key(mark)]}


def _number_or_text(place: Place, value: Any) -> Any:
    return _shaped(place.measure, value) if place.subtype == "number" and value is not None else value


def _gid(place: Place, pins: Mapping[str, str]) -> str:
    if place.key not in pins:
        raise NoPlace(f"the field '{place.name}' is not known on this site: run `pmosync reconcile`")
    return pins[place.key]
