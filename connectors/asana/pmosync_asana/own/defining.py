"""Finds the definitions of our custom fields in the workspace, holds them against what is pinned, or makes them once.

It keeps the promise that a field is made only after a look has not found it, that one which people renamed stays ours
by its gid, and that what somebody switched off, deleted or took from us is put right once or told with one next step,
never tried again every night.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from pmosync.errors import Refused

from ..api import one, surely
from ..decode import fields
from .look import AGAIN, Look, lacks, why_refused
from .places import Place, option_key, place_of, subtype

Json = dict[str, Any]

DEFINITION = fields(
    "name,type,resource_subtype,has_notifications_enabled,is_value_read_only,created_by.gid,"
    "enum_options.(gid|name|enabled)"
)


class Definer:
    """The definitions of our fields; `projects` are limited where one is not as it should be."""

    def __init__(self, look: Look, projects: Sequence[str]) -> None:
        self.look, self.api, self.projects = look, look.api, projects

    def settle(self, places: Sequence[Place]) -> None:
        """All of them, with one listing of the workspace's fields."""
        try:
            there = self._defined()
        except Refused as refusal:
            for place in places:
                # Where it is trouble for once, what is known stays as it was.
                if lacks(refusal) or place.key not in self.look.pins:
                    self._limit(place, why_refused(refusal, "the workspace"), lacks(refusal))
            return
        for place in places:
            try:
                self._settle(place, there)
            except Refused as refusal:
                self.look.pins[f"refused.{place.key}"] = str(refusal.status)
                self._limit(place, f"{why_refused(refusal, 'the workspace')}. {_again(place)}", lacks(refusal))

    def _defined(self) -> list[Json]:
        return self.api.pages(
            self.api.fields.get_custom_fields_for_workspace, self.look.workspace, opt_fields=DEFINITION
        )

    def _limit(self, place: Place, why: str, lacking: str = "the field") -> None:
        """A field that is not right in the workspace is not right in any project and portfolio."""
        if place.slot in self.look.scope.slots:
            self.look.limit(self.projects, place.slot, why, lacking)
        if place.slot == "fields":
            self.look.limit(self.look.portfolios, "portfolio_fields", why, lacking)

    # --- one field --------------------------------------------------------------------------------------------------

    def _settle(self, place: Place, there: Sequence[Json]) -> None:
        """Pin one field with its options; make what is not there."""
        named, refused = f"the custom field '{place.name}'", f"refused.{place.key}"
        found = self._pinned(place, there)
        if found is None and place.key in self.look.pins:
            why = f"{named} is private, and this account is none of those who may use it: give it access in the field's"
            self._limit(place, f"{why} settings", "access to the field")
        elif found is None and any(str(entry.get("name", "")).lower() == place.name.lower() for entry in there):
            why = f"a custom field '{place.name}' of another type is there: rename it (ours is of type {place.subtype})"
            self._limit(place, why)
        elif found is None and refused in self.look.pins:
            why = f"Asana refused to make {named} ({self.look.pins[refused]})"
            self._limit(place, f"{why}: give the account the right to. {_again(place)}")
        elif found is None:
            self.look.writes.append(f"make {named} in the workspace, with notifications off")
            if self.look.write:
                made = surely(functools.partial(self._make, place), lambda: _named(place, self._defined()))
                self._pin(place, made)
                self._options(place, made)
        elif found.get("has_notifications_enabled"):
            why = f"changes of {named} notify people: switch that off in the field's settings"
            self._limit(place, why, "notifications off")
        else:
            self._pin(place, found)
            self._options(place, found)
            if found.get("is_value_read_only"):
                why = f"the values of {named} are locked: let this account edit them, in the field's settings"
                self._limit(place, why, "an unlocked field")

    def _pinned(self, place: Place, there: Sequence[Json]) -> Json | None:
        """Our field by its pin, whatever it is called now; where nothing is pinned or it was deleted, by name and type.

        None with the pin still there: it is hidden from us.
        """
        gid = self.look.pins.get(place.key)
        if gid is None:
            return _named(place, there)
        found = next((entry for entry in there if entry["gid"] == gid and subtype(entry) == place.subtype), None)
        if found is not None:
            return found
        try:
            return one(self.api.fields.get_custom_field(gid, {"opt_fields": DEFINITION}))
        except Refused as refusal:
            if refusal.status == 403:
                return None
            if refusal.status != 404:
                raise
        self.look.forget(gid)
        for word in place.options:
            self.look.pins.pop(option_key(place, word), None)
        return _named(place, there)

    def _pin(self, place: Place, found: Json) -> None:
        gid, pins = found["gid"], self.look.pins
        pins[place.key] = gid
        pins.pop(f"refused.{place.key}", None)
        if (found.get("created_by") or {}).get("gid") == self.look.me:
            pins[f"made.{gid}"] = "1"

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

    # --- its options ------------------------------------------------------------------------------------------------

    def _options(self, place: Place, found: Json) -> None:
        """Every word needs an option that can be chosen; one that people renamed is known by its gid."""
        options = list(found.get("enum_options") or ())
        by_gid = {option["gid"]: option for option in options}
        pinned = {word: by_gid.get(self.look.pins.get(option_key(place, word), "")) for word in place.options}
        taken = {option["gid"] for option in pinned.values() if option}
        for word, color in place.options.items():
            option = pinned[word] or next(
                (o for o in options if str(o.get("name", "")).lower() == word and o["gid"] not in taken), None
            )
            if option is not None and option.get("enabled") is not False:
                self._pin_option(place, word, option)
            else:
                self._put_right(place, found["gid"], word, color, option)

    def _pin_option(self, place: Place, word: str, option: Json) -> None:
        key = option_key(place, word)
        self.look.pins[key] = option["gid"]
        self.look.pins.pop(f"refused.{key}", None)

    def _put_right(self, place: Place, field: str, word: str, color: str, option: Json | None) -> None:
        """Enable an option that was switched off, or add one that is not there; once."""
        key, verb = option_key(place, word), "add" if option is None else "enable"
        what = f"{verb} the option '{word.capitalize()}' of the custom field '{place.name}'"
        self.look.pins.pop(key, None)
        if f"refused.{key}" in self.look.pins:
            self._refused(place, key, what)
            return
        self.look.writes.append(what)
        if not self.look.write:
            return
        try:
            if option is None:
                made = surely(
                    functools.partial(self._add, field, word, color), lambda: _option(place, word, self._defined())
                )
            else:
                made = self._said("PUT", f"/enum_options/{option['gid']}", {"enabled": True})
        except Refused as refusal:
            self.look.pins[f"refused.{key}"] = str(refusal.status)
            self._refused(place, key, what)
        else:
            self._pin_option(place, word, made)

    def _refused(self, place: Place, key: str, what: str) -> None:
        why = f"Asana refused to {what} ({self.look.pins[f'refused.{key}']}): do it by hand, in the field's settings"
        self._limit(place, f"{why}.", "an option")

    def _add(self, field: str, word: str, color: str) -> Json:
        data = {"name": word.capitalize(), "color": color}
        return self._said("POST", f"/custom_fields/{field}/enum_options", data)

    def _said(self, method: str, path: str, data: Json) -> Json:
        """About an option. The official package would send the body in the query as well."""
        return one(self.api.session.call(method, path, params={"opt_fields": "name"}, json={"data": data}).data)


def _again(place: Place) -> str:
    return AGAIN.format(pin=f"refused.{place.key.rpartition('.')[0]}.")


def _named(place: Place, there: Iterable[Json]) -> Json | None:
    """Our field among those of the workspace, by name and type."""
    return next((entry for entry in there if place_of(entry, place.subject, {}) is place), None)


def _option(place: Place, word: str, there: Iterable[Json]) -> Json | None:
    options = (_named(place, there) or {}).get("enum_options") or ()
    return next((option for option in options if str(option.get("name", "")).lower() == word), None)
