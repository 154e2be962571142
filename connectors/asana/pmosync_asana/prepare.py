"""Finds our own custom fields in a workspace or makes them once, and offers them where they are needed.

It keeps the promise that a field is made only after a look has not found it, that what we made is known as ours by its
creator even when the pins are lost, and that a place that was refused is not tried again every night.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pmosync.contract import Limitation, Prepared, Scope
from pmosync.errors import Refused
from pmosync.http import FateUnknown

from .api import Api, Asked, one
from .decode import fields
from .listing import listing
from .places import WORDS, Place, needed, option_key, own_pins, place_of

Json = dict[str, Any]
Made = TypeVar("Made")

DEFINITION = fields(
    "name,type,resource_subtype,has_notifications_enabled,created_by.gid,enum_options.(gid|name|enabled)"
)
OFFERED = "name,custom_field_settings.custom_field.gid"
TRIES = 3
AGAIN = "Then remove the line `{pin}` from the site's lock file, so that it is tried again."


class Preparer:
    """One look at our places in a workspace, with or without leave to make what is missing."""

    def __init__(self, api: Api, scope: Scope, write: bool) -> None:
        self.api, self.scope, self.write = api, scope, write
        self.pins = own_pins(scope.pins)
        self.limitations: list[Limitation] = []
        self.writes: list[str] = []
        self.places = needed(scope.slots)
        self._who: tuple[str, str] | None = None

    def run(self) -> Prepared:
        """Everything that is missing, or nothing at all without a call when all of it is pinned."""
        if self.places:
            projects = self._projects()
            homes = self._homes(projects)
            missing = [place for place in self.places if not self._pinned(place) and (homes or place.slot != "fields")]
            if missing:
                self._find(missing, projects)
            for project in projects:
                self._offer("project", project, [place for place in self.places if place.subject == "task"], [project])
            self._rollups(homes)
        return Prepared(self.pins, tuple(self.limitations), tuple(self.writes))

    def find(self) -> Mapping[str, str]:
        """The pins of our fields as they are, by name and type; makes nothing and looks at no project."""
        self._find(self.places, [])
        return self.pins

    def _projects(self) -> list[str]:
        """The projects in scope; named ones are known without a call."""
        if self.scope.projects and not self.scope.portfolios:
            return list(dict.fromkeys(self.scope.projects))
        _, workspace = self._me()
        return list(listing(self.api, workspace, self.scope, "name").projects)

    def _me(self) -> tuple[str, str]:
        """Our account and the workspace, by gid."""
        if self._who is None:
            me, workspace = self.api.me()
            self._who = me["gid"], workspace
        return self._who

    def _pinned(self, place: Place) -> bool:
        options = [option_key(word) for word in WORDS] if place.slot == "field" else []
        return all(key in self.pins for key in (place.key, *options))

    def _limit(self, projects: Iterable[str], slot: str, why: str) -> None:
        for project in projects:
            limitation = Limitation(project, slot, why)
            if limitation not in self.limitations:
                self.limitations.append(limitation)

    # --- the fields themselves --------------------------------------------------------------------------------------

    def _find(self, missing: Sequence[Place], projects: Sequence[str]) -> None:
        me, workspace = self._me()
        try:
            there = self._defined(workspace)
        except Refused as refusal:
            for place in missing:
                self._limit(projects, place.slot, _why(refusal, "the workspace"))
            return
        for place in missing:
            pin = f"refused.{place.key}"
            try:
                self._settle(place, there, me, workspace, projects)
            except Refused as refusal:
                self.pins[pin] = str(refusal.status)
                self._limit(projects, place.slot, f"{_why(refusal, 'the workspace')}. {AGAIN.format(pin=pin)}")

    def _defined(self, workspace: str) -> list[Json]:
        return self.api.pages(self.api.fields.get_custom_fields_for_workspace, workspace, opt_fields=DEFINITION)

    def _settle(self, place: Place, there: Sequence[Json], me: str, workspace: str, projects: Sequence[str]) -> None:
        """Pin one field with its options; make what is not there."""
        found = _named(place, there)
        namesake = any(str(entry.get("name", "")).lower() == place.name.lower() for entry in there)
        if found is None and namesake:
            why = f"a custom field '{place.name}' of another type is there: rename it (ours is of type {place.subtype})"
            self._limit(projects, place.slot, why)
        elif found is None and (pin := f"refused.{place.key}") in self.pins:
            why = f"Asana refused to make the custom field '{place.name}' ({self.pins[pin]})"
            self._limit(projects, place.slot, f"{why}: give the account the right to. {AGAIN.format(pin=pin)}")
        elif found is None:
            self.writes.append(f"make the custom field '{place.name}' in the workspace, with notifications off")
            if self.write:
                looked = functools.partial(self._defined, workspace)
                self._pin(
                    place, self._surely(lambda: self._make(place, workspace), lambda: _named(place, looked())), me
                )
        elif found.get("has_notifications_enabled"):
            why = f"changes of the custom field '{place.name}' notify people: switch that off in the field's settings"
            self._limit(projects, place.slot, why)
        else:
            self._pin(place, found, me)
            if place.slot == "field":
                self._options(place, found, workspace)

    def _pin(self, place: Place, found: Json, me: str) -> None:
        gid = found["gid"]
        self.pins[place.key] = gid
        self.pins.pop(f"refused.{place.key}", None)
        if (found.get("created_by") or {}).get("gid") == me:
            self.pins[f"made.{gid}"] = "1"
        for option in found.get("enum_options") or ():
            if (word := str(option.get("name", "")).lower()) in WORDS and option.get("enabled") is not False:
                self.pins[option_key(word)] = option["gid"]

    def _make(self, place: Place, workspace: str) -> Json:
        data = {
            "workspace": workspace,
            "name": place.name,
            "resource_subtype": place.subtype,
            "description": place.description,
            "has_notifications_enabled": False,
            "default_access_level": "user",
            **place.more,
        }
        return one(self.api.fields.create_custom_field({"data": data}, {"opt_fields": DEFINITION}))

    def _options(self, place: Place, found: Json, workspace: str) -> None:
        """Every word needs an option that can be chosen."""
        options = {str(o.get("name", "")).lower(): o for o in found.get("enum_options") or ()}
        for word, color in WORDS.items():
            key = option_key(word)
            if key in self.pins:
                continue
            verb = "enable" if word in options else "add"
            self.writes.append(f"{verb} the option '{word.capitalize()}' of the custom field '{place.name}'")
            if not self.write:
                continue
            if word in options:
                change = {"body": {"data": {"enabled": True}}, "opt_fields": "name"}
                option = one(self.api.fields.update_enum_option(options[word]["gid"], change))
            else:
                option = self._surely(
                    lambda word=word, color=color: self._add(found["gid"], word, color),  # type: ignore[misc]
                    lambda word=word: _option(place, word, self._defined(workspace)),  # type: ignore[misc]
                )
            self.pins[key] = option["gid"]

    def _add(self, field: str, word: str, color: str) -> Json:
        body = {"data": {"name": word.capitalize(), "color": color}}
        return one(self.api.fields.create_enum_option_for_custom_field(field, {"body": body, "opt_fields": "name"}))

    def _surely(self, make: Callable[[], Made], look: Callable[[], Made | None]) -> Made:
        """Make something; when the answer gets lost, look before making it again."""
        tries = 1
        while True:
            try:
                return make()
            except FateUnknown:
                found = look()
                if found is not None:
                    return found
                if tries == TRIES:
                    raise
                tries += 1

    # --- where they are offered -------------------------------------------------------------------------------------

    def _homes(self, projects: Sequence[str]) -> dict[str, list[str]]:
        """The projects by the portfolio that holds their rollup; one without a portfolio is limited."""
        homes: dict[str, list[str]] = {}
        if "fields" not in self.scope.slots:
            return homes
        for project in projects:
            home = self.scope.homes.get(project, "")
            if home.isdigit():
                homes.setdefault(home, []).append(project)
            else:
                why = "no portfolio is named for it: give the gid of an Asana portfolio as its home in the register"
                self._limit([project], "fields", why)
        return homes

    def _rollups(self, homes: Mapping[str, Sequence[str]]) -> None:
        """A project's own fields come through a portfolio that it is in."""
        places = [place for place in self.places if place.slot == "fields"]
        for portfolio, members in homes.items():
            self._offer("portfolio", portfolio, places, members)
            self._members(portfolio, members)

    def _members(self, portfolio: str, projects: Sequence[str]) -> None:
        """Asana has no place for the values of a project that is not in the portfolio."""
        asked = [project for project in projects if f"member.{portfolio}.{project}" not in self.pins]
        if not asked:
            return
        try:
            items = self.api.pages(self.api.portfolios.get_items_for_portfolio, portfolio, opt_fields="name")
        except Refused as refusal:
            self._limit(asked, "fields", _why(refusal, f"portfolio {portfolio}"))
            return
        inside = {item["gid"] for item in items}
        for project in asked:
            if project in inside:
                self.pins[f"member.{portfolio}.{project}"] = "1"
            else:
                why = f"the project is not in portfolio {portfolio}: add it there, or name another home in the register"
                self._limit([project], "fields", why)

    def _offer(self, kind: str, gid: str, places: Sequence[Place], projects: Sequence[str]) -> None:
        """Have these fields offered by a project to its tasks, or by a portfolio to its projects."""
        missing = [
            place
            for place in places
            if f"attached.{gid}.{self.pins.get(place.key, '')}" not in self.pins
            and (place.key in self.pins or not self._limited(place, projects))
        ]
        if not missing:
            return
        (body,) = self.api.batch([Asked(f"/{kind}s/{gid}", OFFERED)])
        if isinstance(body, Refused):
            for place in missing:
                self._limit(projects, place.slot, _why(body, f"{kind} {gid}"))
            return
        found = one(body)
        for place in missing:
            self._offer_one(kind, found, place, projects)

    def _offer_one(self, kind: str, found: Json, place: Place, projects: Sequence[str]) -> None:
        gid, field = found["gid"], self.pins.get(place.key)
        refused = f"refused.{gid}.{field}"
        where = f"{kind} '{found.get('name', gid)}'"
        if field and _offers(found, field):
            self.pins[f"attached.{gid}.{field}"] = "0"
            self.pins.pop(refused, None)
        elif refused in self.pins:
            why = f"Asana refused to add the field '{place.name}' to {where} ({self.pins[refused]})"
            self._limit(projects, place.slot, f"{why}: {_step(place)} {AGAIN.format(pin=refused)}")
        else:
            self.writes.append(f"add the custom field '{place.name}' to {where}")
            if field and self.write:
                self._attach(kind, gid, field, place, projects)

    def _limited(self, place: Place, projects: Sequence[str]) -> bool:
        limited = {(limitation.project, limitation.slot) for limitation in self.limitations}
        return all((project, place.slot) in limited for project in projects)

    def _attach(self, kind: str, gid: str, field: str, place: Place, projects: Sequence[str]) -> None:
        body = {"data": {"custom_field": field, "is_important": True}}
        try:
            if kind == "project":
                self.api.projects.add_custom_field_setting_for_project(body, gid, {"opt_fields": "custom_field.gid"})
            else:
                self.api.portfolios.add_custom_field_setting_for_portfolio(body, gid)
        except Refused as refusal:
            if refusal.status == 400 and self._offered_now(kind, gid, field):
                self.pins[f"attached.{gid}.{field}"] = "1"  # sent again after a lost answer
                return
            pin = f"refused.{gid}.{field}"
            self.pins[pin] = str(refusal.status)
            why = f"{_why(refusal, f'{kind} {gid}')}: {_step(place)} {AGAIN.format(pin=pin)}"
            self._limit(projects, place.slot, why)
            return
        self.pins[f"attached.{gid}.{field}"] = "1"

    def _offered_now(self, kind: str, gid: str, field: str) -> bool:
        (body,) = self.api.batch([Asked(f"/{kind}s/{gid}", OFFERED)])
        return not isinstance(body, Refused) and _offers(one(body), field)


def _offers(found: Json, field: str) -> bool:
    return any((s.get("custom_field") or {}).get("gid") == field for s in found.get("custom_field_settings") or ())


def _named(place: Place, there: Iterable[Json]) -> Json | None:
    """Our field among those of the workspace, by name and type."""
    return next((entry for entry in there if place_of(entry, place.subject, {}) is place), None)


def _option(place: Place, word: str, there: Iterable[Json]) -> Json | None:
    options = (_named(place, there) or {}).get("enum_options") or ()
    return next((option for option in options if str(option.get("name", "")).lower() == word), None)


def _step(place: Place) -> str:
    return f"make the account an editor there, or add the field '{place.name}' by hand."


def _why(refusal: Refused, where: str) -> str:
    if refusal.status == 402:
        return "custom fields and portfolios need a paid plan of Asana"
    if refusal.status == 403:
        return f"the account has no right to custom fields in {where}"
    return str(refusal)
