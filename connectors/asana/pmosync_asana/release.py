"""Takes our custom fields away again: from where we had them offered, and those that we made altogether.

It keeps the promise that a field which somebody else made or offered stays where it is.
"""

from __future__ import annotations

from pmosync.contract import Scope
from pmosync.errors import Refused

from .api import Api
from .places import PLACES, Place, own_pins


def release(api: Api, scope: Scope) -> list[str]:
    """Take our fields from where we had them offered, and delete those that we made."""
    pins = own_pins(scope.pins)
    names = {pins[place.key]: place for place in PLACES if place.key in pins}
    told = []
    for pin, value in sorted(pins.items()):
        if pin.startswith("attached.") and value == "1":
            _, gid, field = pin.split(".")
            told.append(_detach(api, gid, field, names.get(field)))
    for pin in sorted(pins):
        if pin.startswith("made."):
            field = pin.removeprefix("made.")
            told.append(_delete(api, field, names.get(field)))
    return told


def _detach(api: Api, gid: str, field: str, place: Place | None) -> str:
    kind = "portfolio" if place and place.subject == "project" else "project"
    name = f"the custom field '{place.name if place else field}'"
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


def _delete(api: Api, field: str, place: Place | None) -> str:
    name = f"the custom field '{place.name if place else field}'"
    try:
        api.fields.delete_custom_field(field)
    except Refused as refusal:
        if refusal.status == 404:
            return f"{name} was deleted already"
        return f"{name} stays: {refusal}"
    return f"deleted {name}"
