"""Finds our own custom fields and tags in a workspace or makes them once, and offers the fields where they are needed.

It keeps the promise that a field or tag is made only after a look has not found it, that what we made is known as ours
by its creator (a tag: by its description) even when the pins are lost, and that a place that was refused is not tried
again every night. Tags are looked for only when some project may not have the field that they stand in for.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pmosync.contract import Prepared, Scope
from pmosync.errors import Refused

from ..api import Api, one, surely
from ..decode import fields
from ..listing import listing
from . import tags
from .look import AGAIN, Look, why_refused
from .offering import Offerer
from .places import Place, needed, option_key, place_of

Json = dict[str, Any]

DEFINITION = fields(
    "name,type,resource_subtype,has_notifications_enabled,created_by.gid,enum_options.(gid|name|enabled)"
)


class Preparer:
    """Everything of ours in a workspace, with or without leave to make what is missing."""

    def __init__(self, api: Api, scope: Scope, write: bool) -> None:
        self.api, self.scope = api, scope
        self.look = Look(api, scope, write)
        self.places = needed(scope.slots)

    def run(self) -> Prepared:
        """Everything that is missing, or nothing at all without a call when all of it is pinned."""
        if self.places:
            projects = self._projects()
            offerer = Offerer(self.look, self.places)
            homes = offerer.homes(projects)
            missing = [place for place in self.places if not self._pinned(place) and (homes or place.slot != "fields")]
            if missing:
                self._find(missing, projects)
            offerer.offer(projects, homes)
            without = [project for project in projects if self.look.limited(project, "field")]
            if without and "tag" in self.scope.slots:
                tags.find(self.look, without)
        return Prepared(self.look.pins, self.look.limitations, tuple(self.look.writes))

    def find(self) -> Mapping[str, str]:
        """The pins of our fields and tags as they are, by name and type; makes nothing and looks at no project."""
        if self.places:
            self._find(self.places, [])
        if "tag" in self.scope.slots:
            tags.find(self.look, [])
        return self.look.pins

    def _projects(self) -> list[str]:
        """The projects in scope; named ones are known without a call."""
        if self.scope.projects and not self.scope.portfolios:
            return list(dict.fromkeys(self.scope.projects))
        return list(listing(self.api, self.look.workspace, self.scope, "name").projects)

    def _pinned(self, place: Place) -> bool:
        return all(key in self.look.pins for key in (place.key, *(option_key(place, word) for word in place.options)))

    # --- the fields themselves --------------------------------------------------------------------------------------

    def _find(self, missing: Sequence[Place], projects: Sequence[str]) -> None:
        try:
            there = self._defined()
        except Refused as refusal:
            for place in missing:
                self._limit(place, projects, why_refused(refusal, "the workspace"))
            return
        for place in missing:
            pin = f"refused.{place.key}"
            try:
                self._settle(place, there, projects)
            except Refused as refusal:
                self.look.pins[pin] = str(refusal.status)
                why = f"{why_refused(refusal, 'the workspace')}. {_again(place)}"
                self._limit(place, projects, why)

    def _limit(self, place: Place, projects: Sequence[str], why: str) -> None:
        """A field that the workspace does not have is missing in every project and portfolio."""
        if place.slot in self.scope.slots:
            self.look.limit(projects, place.slot, why)
        if place.slot == "fields":
            self.look.limit(self.look.portfolios, "portfolio_fields", why)

    def _defined(self) -> list[Json]:
        return self.api.pages(
            self.api.fields.get_custom_fields_for_workspace, self.look.workspace, opt_fields=DEFINITION
        )

    def _settle(self, place: Place, there: Sequence[Json], projects: Sequence[str]) -> None:
        """Pin one field with its options; make what is not there."""
        found = _named(place, there)
        namesake = any(str(entry.get("name", "")).lower() == place.name.lower() for entry in there)
        if found is None and namesake:
            why = f"a custom field '{place.name}' of another type is there: rename it (ours is of type {place.subtype})"
            self._limit(place, projects, why)
        elif found is None and (pin := f"refused.{place.key}") in self.look.pins:
            why = f"Asana refused to make the custom field '{place.name}' ({self.look.pins[pin]})"
            self._limit(place, projects, f"{why}: give the account the right to. {_again(place)}")
        elif found is None:
            self.look.writes.append(f"make the custom field '{place.name}' in the workspace, with notifications off")
            if self.look.write:
                made = surely(functools.partial(self._make, place), lambda: _named(place, self._defined()))
                self._pin(place, made)
        elif found.get("has_notifications_enabled"):
            why = f"changes of the custom field '{place.name}' notify people: switch that off in the field's settings"
            self._limit(place, projects, why)
        else:
            self._pin(place, found)
            if place.options:
                self._options(place, found)

    def _pin(self, place: Place, found: Json) -> None:
        gid, pins = found["gid"], self.look.pins
        pins[place.key] = gid
        pins.pop(f"refused.{place.key}", None)
        if (found.get("created_by") or {}).get("gid") == self.look.me:
            pins[f"made.{gid}"] = "1"
        for option in found.get("enum_options") or ():
            if (word := str(option.get("name", "")).lower()) in place.options and option.get("enabled") is not False:
                pins[option_key(place, word)] = option["gid"]

    def _make(self, place: Place) -> Json:
        options = [{"name": word.capitalize(), "color": color} for word, color in place.options.items()]
        data = {
            "workspace": self.look.workspace,
            "name": place.name,
            "resource_subtype": place.subtype,
            "description": place.description,
            "has_notifications_enabled": False,
            "default_access_level": "user",
            **place.more,
            **({"enum_options": options} if options else {}),
        }
        return one(self.api.fields.create_custom_field({"data": data}, {"opt_fields": DEFINITION}))

    def _options(self, place: Place, found: Json) -> None:
        """Every word needs an option that can be chosen."""
        options = {str(o.get("name", "")).lower(): o for o in found.get("enum_options") or ()}
        for word, color in place.options.items():
            key = option_key(place, word)
            if key in self.look.pins:
                continue
            verb = "enable" if word in options else "add"
            self.look.writes.append(f"{verb} the option '{word.capitalize()}' of the custom field '{place.name}'")
            if not self.look.write:
                continue
            if word in options:
                change = {"body": {"data": {"enabled": True}}, "opt_fields": "name"}
                option = one(self.api.fields.update_enum_option(options[word]["gid"], change))
            else:
                option = surely(
                    functools.partial(self._add, found["gid"], word, color),
                    lambda word=word: _option(place, word, self._defined()),  # type: ignore[misc]
                )
            self.look.pins[key] = option["gid"]

    def _add(self, field: str, word: str, color: str) -> Json:
        body = {"data": {"name": word.capitalize(), "color": color}}
        return one(self.api.fields.create_enum_option_for_custom_field(field, {"body": body, "opt_fields": "name"}))


def _again(place: Place) -> str:
    return AGAIN.format(pin=f"refused.{place.key.rpartition('.')[0]}.")


def _named(place: Place, there: Iterable[Json]) -> Json | None:
    """Our field among those of the workspace, by name and type."""
    return next((entry for entry in there if place_of(entry, place.subject, {}) is place), None)


def _option(place: Place, word: str, there: Iterable[Json]) -> Json | None:
    options = (_named(place, there) or {}).get("enum_options") or ()
    return next((option for option in options if str(option.get("name", "")).lower() == word), None)
