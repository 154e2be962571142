"""Takes our custom fields and tags away again: from where we had them offered, and those that we made altogether.

It keeps the promise that a field or tag which somebody else made, or a field that somebody else offered, stays where
it is.
"""

from __future__ import annotations

from collections.abc import Callable

from pmosync.contract import Scope
from pmosync.errors import Refused

from ..api import Api
from .places import PLACES, WORDS, Place, own_pins
from .tags import PREFIX, tag_key


def release(api: Api, scope: Scope) -> list[str]:
    """Take our fields from where we had them offered, and delete the fields and tags that we made."""
    pins = own_pins(scope.pins)
    names = {pins[place.key]: place for place in PLACES if place.key in pins}
    tags = {pins[tag_key(word)]: PREFIX + word for word in WORDS if tag_key(word) in pins}
    told = []
    for pin, value in sorted(pins.items()):
        if pin.startswith("attached.") and value == "1":
            _, gid, field = pin.split(".")
            told.append(_detach(api, gid, field, names.get(field)))
    for pin in sorted(pins):
        if pin.startswith("made."):
            gid = pin.removeprefix("made.")
            if gid in tags:
                told.append(_delete(api.tags.delete_tag, gid, f"the tag '{tags[gid]}'"))
            else:
                told.append(_delete(api.fields.delete_custom_field, gid, _named(gid, names.get(gid))))
    return told


def _detach(api: Api, gid: str, field: str, place: Place | None) -> str:
    kind = "portfolio" if place and place.subject == "project" else "project"
    name = _named(field, place)
    body = {"data": {"custom_field": field}}
    try:
        if kind == "project":
            api.projects.remove_custom_field_setting_for_project(body, gid)
        else:
            api.portfolios.remove_custom_field_setting_for_portfolio(body, gid)
    except Refused as refusal:
        if refusal.status in (400, 404):
            return f"{name} was gone from {kind} {gid} already"
        return f"{name} stays in {kind} {gid}: {refusal}"
    return f"took {name} from {kind} {gid}"


def _named(field: str, place: Place | None) -> str:
    return f"the custom field '{place.name if place else field}'"


def _delete(delete: Callable[[str], object], gid: str, name: str) -> str:
    try:
        delete(gid)
    except Refused as refusal:
        if refusal.status == 404:
            return f"{name} was deleted already"
        return f"{name} stays: {refusal}"
    return f"deleted {name}"
