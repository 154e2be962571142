"""Finds the two custom fields that an administrator of Jira may give us, and reads and writes what stands in them.

It keeps the promise that a field is ours by its name and its type together, found once and pinned by id; that we never
make or change a field; and that where one is missing it is told exactly what an administrator would have to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Limitation, Scope
from pmosync.errors import Refused

from .endpoints import EDIT_SCREEN
from .marks import WORDS
from .site import BrokenPaging, Site

_TYPES = "com.atlassian.jira.plugin.system.customfieldtypes:"


@dataclass(frozen=True, slots=True)
class OwnField:
    """One field of ours, as an administrator makes it."""

    slot: str
    pin: str
    """Where its id is pinned."""
    name: str
    type: str
    title: str
    """What Jira calls its type."""
    options: tuple[str, ...] = ()


SELECT = OwnField(
    "field", "task.field", "PMO compliance", f"{_TYPES}select", "Select List (single choice)",
    tuple(word.capitalize() for word in WORDS),
)  # fmt: skip
TEXT = OwnField("text_field", "task.text_field", "PMO reasons", f"{_TYPES}textarea", "Paragraph (supports rich text)")
OWN_FIELDS = (SELECT, TEXT)
OWN_SLOTS = tuple(one.slot for one in OWN_FIELDS)
_BY_SLOT = {one.slot: one for one in OWN_FIELDS}
EVERYWHERE = "*"
OPEN = "statusCategory != Done"


def is_ours(raw: Mapping[str, Any]) -> bool:
    """Whether a field, as `GET /field` describes it, is one that we write: no mapping may read it as evidence."""
    return any(_named(raw, one) for one in OWN_FIELDS)


def used(slots: Collection[str]) -> tuple[OwnField, ...]:
    """The fields behind these slots."""
    return tuple(one for one in OWN_FIELDS if one.slot in slots)


def pinned(slots: Collection[str], pins: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of our fields that are in use and pinned, to ask for with an issue."""
    return tuple(pins[one.pin] for one in used(slots) if one.pin in pins)


@dataclass(frozen=True, slots=True)
class OwnFields:
    """Our fields on one site: pinned by id, or, where nothing is pinned yet, found by name."""

    site: Site
    pins: Mapping[str, str]

    def id_of(self, slot: str) -> str | None:
        """The id of the field behind a slot; None: there is none, or several have the name."""
        one = _BY_SLOT[slot]
        named = [str(raw["id"]) for raw in self.site.fields if _named(raw, one)] if one.pin not in self.pins else []
        return self.pins.get(one.pin) or (named[0] if len(named) == 1 else None)

    def ids_of(self, slots: Collection[str]) -> dict[str, str]:
        """The ids of the fields behind these slots, as far as they are known."""
        return {one.slot: found for one in used(slots) if (found := self.id_of(one.slot))}

    def marks(self, fields: Mapping[str, Any], slots: Collection[str]) -> dict[str, str | None]:
        """What stands in our fields of an issue, of those that the answer tells about."""
        found: dict[str, str | None] = {}
        for slot, field_id in self.ids_of(slots).items():
            if field_id in fields:
                raw = fields[field_id]
                found[slot] = None if raw is None else _word(raw) if slot == SELECT.slot else self._text(raw)
        return found

    def value(self, slot: str, project: str, mark: str | None) -> Any:
        """What an edit of one issue sends, so that a mark stands there."""
        if mark is None:
            return None
        if slot != SELECT.slot:
            return self.document(mark)
        known = self.option(project, mark)
        return {"id": known} if known else {"value": mark.capitalize()}

    def option(self, project: str, word: str) -> str | None:
        """The id of the option for a word; a field can have options of its own in some projects."""
        pin = f"{SELECT.pin}.option"
        return self.pins.get(f"{pin}.{project}.{word}") or self.pins.get(f"{pin}.{word}")

    def document(self, text: str) -> Any:
        """A text as our field takes it. On Data Center such a field is plain text unless an administrator said
        otherwise: there the lines go as they are."""
        return self.site.deployment.document(text) if self.site.deployment.name == "cloud" else text

    def _text(self, raw: Any) -> str | None:
        if self.site.deployment.name == "cloud":
            return self.site.deployment.page(raw) or None
        return "\n".join(line.rstrip() for line in str(raw).splitlines() if line.strip()) or None


def _word(raw: Any) -> str | None:
    return str(raw.get("value") or "").lower() or None


# --- finding them ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Finder:
    """One look for our fields: where they are pinned, and where they are missing."""

    site: Site
    scope: Scope
    pins: dict[str, str] = field(default_factory=dict)
    limitations: list[Limitation] = field(default_factory=list)

    def run(self, projects: Sequence[Mapping[str, Any]]) -> None:
        """Find the fields by name and type, then each project that offers them. What is pinned is not asked again."""
        wanted = used(self.scope.slots)
        self.pins = {name: one for name, one in self.scope.pins.items() if name.startswith(("task.", "offered."))}
        there = [one for one in wanted if self._found(one)]
        if not there:
            return
        live = [raw for raw in projects if not raw.get("archived")]
        asked = [raw for raw in live if any(self._offered(raw, one) not in self.pins for one in there)]
        for raw, shown in self.site.session.map(lambda raw: (raw, self._edit_screen(raw)), asked):
            for one in there:
                if shown is not None and self._offered(raw, one) not in self.pins:
                    self._judge(raw, one, shown)

    def _found(self, one: OwnField) -> bool:
        named = [raw for raw in self.site.fields if _named(raw, one)]
        if any(str(raw["id"]) == self.pins.get(one.pin) for raw in self.site.fields):
            return True
        if len(named) == 1:
            self.pins[one.pin] = str(named[0]["id"])
            return True
        self.limitations.append(Limitation(EVERYWHERE, one.slot, _missing(one, named, self.site.fields), "the field"))
        return False

    def _offered(self, raw: Mapping[str, Any], one: OwnField) -> str:
        return f"offered.{raw['id']}.{self.pins[one.pin]}"

    def _edit_screen(self, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The fields that can be edited in a project, by the example of one open issue (closed ones may be locked);
        None: it has none, or Jira does not say."""
        try:
            page = next(iter(self.site.search(OPEN, ["id"], 1, projects=[str(raw["id"])])), [])
            if not page:
                return None
            found = self.site.session.call("GET", self.site.api + EDIT_SCREEN.format(id=page[0]["id"])).data
        except (Refused, BrokenPaging):
            return None
        shown: Mapping[str, Any] = found.get("fields") or {}
        return shown

    def _judge(self, raw: Mapping[str, Any], one: OwnField, shown: Mapping[str, Any]) -> None:
        project, key = str(raw["id"]), str(raw["key"])
        here = shown.get(self.pins[one.pin])
        if here is None:
            why = (
                f"{key}: the field '{one.name}' cannot be edited there. An administrator of Jira puts it on the edit "
                "screen of the project, and into the field's context if that names projects; the account needs the "
                "permission Edit issues."
            )
            self.limitations.append(Limitation(project, one.slot, why, "the field"))
            return
        options = {str(o.get("value", "")).lower(): str(o["id"]) for o in here.get("allowedValues") or () if "id" in o}
        lacking = [name for name in one.options if name.lower() not in options]
        if lacking:
            why = (
                f"{key}: the field '{one.name}' lacks the option{'s' if len(lacking) > 1 else ''} "
                f"{', '.join(lacking)}. An administrator of Jira adds what is missing to the field."
            )
            self.limitations.append(Limitation(project, one.slot, why, "options"))
            return
        for word in (name.lower() for name in one.options):
            common = self.pins.setdefault(f"{one.pin}.option.{word}", options[word])
            if common != options[word]:
                self.pins[f"{one.pin}.option.{project}.{word}"] = options[word]
        self.pins[self._offered(raw, one)] = "1"


def _named(raw: Mapping[str, Any], one: OwnField) -> bool:
    """A field of one team-managed project alone is none of ours, whatever its name."""
    kind = (raw.get("schema") or {}).get("custom")
    names = (raw.get("name"), raw.get("untranslatedName"))
    return kind == one.type and one.name in names and not (raw.get("scope") or {}).get("project")


def _missing(one: OwnField, named: Sequence[Mapping[str, Any]], fields: Sequence[Mapping[str, Any]]) -> str:
    if named:
        ids = ", ".join(str(raw["id"]) for raw in named)
        return f"{len(named)} fields are called '{one.name}' ({ids}): an administrator of Jira renames all but one."
    with_options = f" with the options {', '.join(one.options)}" if one.options else ""
    others = [str(raw["id"]) for raw in fields if raw.get("name") == one.name]
    other = f" {others[0]} has the name, and another type or one project alone: rename it." if others else ""
    return (
        f"Jira has no field '{one.name}' of the type {one.title}.{other} An administrator of Jira makes it once"
        f"{with_options}, and puts it on the edit screens of the projects."
    )
