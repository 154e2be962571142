"""Names our own fields in Asana, tells them from everybody else's, and turns marks into their values and back.

It keeps the promise that a field is ours by its pinned gid, or, where nothing is pinned yet, by its name and its type
together: never by a name alone. Projects and portfolios share one set of fields. Health is a choice and no text: a
choice has colours, by which a portfolio's list is read, and its options are pinned by gid like those of the flag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pmosync.contract import Level, MarkedKind, SlotKind, SubjectKind, canonical

Json = dict[str, Any]

OF_PORTFOLIOS: tuple[Level, ...] = ("program", "portfolio")
SLOTS = (
    SlotKind("field", "task", "word", 0),
    SlotKind("text_field", "task", "text", 1024),
    SlotKind("tag", "task", "word", 255, instead_of="field"),
    SlotKind("comment", "task", "text", 8_000, opt_in=True),
    SlotKind("fields", "project", "measures", 1024),
    SlotKind("brief", "project", "page", 16_000, opt_in=True),
    SlotKind("status_update", "project", "update", 4_000, opt_in=True, rest_days=7),
    SlotKind("portfolio_fields", "rollup", "measures", 1024, levels=OF_PORTFOLIOS, home="itself"),
    SlotKind(
        "portfolio_update", "rollup", "update", 4_000, opt_in=True, rest_days=7, levels=OF_PORTFOLIOS, home="itself"
    ),
)
ROLLUPS = {"project": "fields", "rollup": "portfolio_fields"}
"""The slot that holds the measures of a project, and of a portfolio."""

WORDS = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue", "info": "cool-gray"}
"""The options of the flag, worst first, with their colours. An option's name is the word with a capital."""
HEALTHS = {"green": "green", "amber": "yellow-orange", "red": "red", "grey": "cool-gray"}
"""The options of the health."""


@dataclass(frozen=True, slots=True)
class Place:
    """One custom field of ours."""

    key: str
    """Where its gid is pinned."""
    slot: str
    """The slot that stands in it; `fields` for the measures of projects and of portfolios."""
    subject: SubjectKind
    name: str
    subtype: str
    description: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """What Asana needs besides to make it."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The words that it offers, with their colours."""

    @property
    def measure(self) -> str:
        """The key of the measure that stands in it; only in fields of projects and portfolios."""
        return self.key.rpartition(".")[2]


def _measured(measure: str, name: str, description: str, subtype: str = "number", **more: Any) -> Place:
    numbers = {"precision": 0} if subtype == "number" else {}
    options = more.pop("options", {})
    return Place(
        f"project.fields.{measure}", "fields", "project", name, subtype, description, {**numbers, **more}, options
    )


PLACES = (
    Place(
        "task.field",
        "field",
        "task",
        "PMO compliance",
        "enum",
        "The worst severity among the PMO's findings about this task; it goes away by itself when the work is fixed.",
        options=WORDS,
    ),
    Place(
        "task.text_field",
        "text_field",
        "task",
        "PMO reasons",
        "text",
        "What the PMO found about this task, and how to fix it.",
    ),
    _measured("open", "PMO tasks open", "Open tasks."),
    _measured("late", "PMO tasks late", "Open tasks that are late."),
    _measured("findings", "PMO findings", "Findings of the PMO about projects and their tasks."),
    _measured("compliance", "PMO compliance share", "Share of the tasks without a finding.", format="percentage"),
    _measured("worst", "PMO worst severity", "The worst severity among the findings.", "text"),
    _measured("health", "PMO health", "Health as the PMO computes it from the tasks.", "enum", options=HEALTHS),
    _measured("reason", "PMO health reason", "What decided the health.", "text"),
    _measured("progress", "PMO progress", "Share of the tasks that are done.", format="percentage"),
)
BY_KEY = {place.key: place for place in PLACES}


OWN_PREFIXES = (
    *(f"{place.key}.option." for place in PLACES if place.options),
    "tag.",
    "made.",
    "attached.",
    "member.",
    "own.",
    "refused.",
)


def own_pins(pins: Mapping[str, str]) -> dict[str, str]:
    """What is pinned of our own places, among everything that is pinned of a site; an empty pin was let go of."""
    return {key: gid for key, gid in pins.items() if gid and (key in BY_KEY or key.startswith(OWN_PREFIXES))}


def pinned(slot: str, pins: Mapping[str, str]) -> bool:
    """Whether anything is known of where a slot stands, or nothing need be: what has no field is found by itself."""
    if slot == "tag":
        return any(key.startswith("tag.") for key in pins)
    places = needed([slot])
    return not places or any(place.key in pins for place in places)


def option_key(place: Place, word: str) -> str:
    """Where the gid of an option of one of our fields is pinned."""
    return f"{place.key}.option.{word}"


def needed(slots: Iterable[str]) -> tuple[Place, ...]:
    """The fields behind these slots."""
    used = {"fields" if slot == "portfolio_fields" else slot for slot in slots}
    return tuple(place for place in PLACES if place.slot in used)


def subtype(entry: Mapping[str, Any]) -> str:
    """The type of a custom field as Asana stores it."""
    return str(entry.get("resource_subtype") or entry.get("type") or "")


def place_of(entry: Mapping[str, Any], subject: MarkedKind, pins: Mapping[str, str]) -> Place | None:
    """Which of our fields a custom field is, if it is one of ours."""
    for place in PLACES:
        if (place.subject == "task") != (subject == "task"):
            continue
        if place.key in pins:
            if pins[place.key] == entry.get("gid"):
                return place
        elif (place.name, place.subtype) == (entry.get("name"), subtype(entry)):
            return place
    return None


# --- reading --------------------------------------------------------------------------------------------------------


def marks(entries: Iterable[Mapping[str, Any]], subject: MarkedKind, pins: Mapping[str, str]) -> dict[str, str | None]:
    """What stands in our slots, from the custom fields of a task, project or portfolio.

    A rollup's mark tells every measure that has a field of ours here; it is None when nothing stands in any of them.
    """
    there = {}
    for entry in entries:
        place = place_of(entry, subject, pins)
        if place is not None:
            there[place.key] = _standing(place, entry, pins)
    if subject == "task":
        return {place.slot: there.get(place.key) for place in PLACES if place.subject == "task"}
    told = {p.measure: there.get(p.key) for p in needed(["fields"]) if p.key in pins or p.key in there}
    return {ROLLUPS[subject]: None if all(value is None for value in told.values()) else canonical(told)}


def _standing(place: Place, entry: Mapping[str, Any], pins: Mapping[str, str]) -> Any:
    """The value of one of our fields, in the words of the marks."""
    match place.subtype:
        case "text":
            return entry.get("text_value") or None
        case "number":
            number = entry.get("number_value")
            return None if number is None else _shaped(place, number)
    option = entry.get("enum_value")
    if not option:
        return None
    words = {gid: word for word in place.options if (gid := pins.get(option_key(place, word)))}
    return words.get(option["gid"]) or str(option.get("name", "")).lower()


def _shaped(place: Place, number: float) -> float | int:
    """A share is a number with two decimals, everything else a whole one where it can be."""
    if place.more.get("format") == "percentage":
        return round(float(number), 2)
    return int(number) if float(number).is_integer() else float(number)


# --- writing --------------------------------------------------------------------------------------------------------


class NoPlace(Exception):
    """A mark cannot be written because its field, option or tag is not known on this site."""


def values_for(slot: str, mark: str | None, pins: Mapping[str, str]) -> dict[str, Any]:
    """What to write into which custom fields so that the mark stands there; by gid. Clearing takes what is known."""
    places = needed([slot])
    if mark is None and (known := [place for place in places if place.key in pins]):
        places = tuple(known)
    if slot in ROLLUPS.values():
        wanted = orjson.loads(mark) if mark else {}
        return {_gid(place, pins): _value(place, wanted.get(place.measure), pins) for place in places}
    return {_gid(place, pins): _value(place, mark, pins) for place in places}


def _value(place: Place, wanted: Any, pins: Mapping[str, str]) -> Any:
    """What Asana is to store for a word, a number or a text."""
    if wanted is None:
        return None
    if place.subtype == "number":
        return _shaped(place, wanted)
    if not place.options:
        return wanted
    if option_key(place, wanted) not in pins:
        raise NoPlace(f"the option '{wanted}' of the field '{place.name}' is not known: run `pmosync reconcile`")
    return pins[option_key(place, wanted)]


def _gid(place: Place, pins: Mapping[str, str]) -> str:
    if place.key not in pins:
        raise NoPlace(f"the field '{place.name}' is not known on this site: run `pmosync reconcile`")
    return pins[place.key]
