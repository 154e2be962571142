"""Turns what the Cloud site answers into Data Center's shapes: people by name and key, instants in the system's zone.

It keeps the promise that nothing that only Cloud knows (account ids, levels of types, styles of projects) gets out,
and that values of properties pass as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from ...call import Call
from ...state import State
from .. import render, switches
from .people import People

CLOUD_ONLY = frozenset({
    "hierarchyLevel", "entityId", "uuid", "simplified", "style", "isPrivate", "jsdPublic", "untranslatedName", "scope",
    "statuscategorychangedate", "accountId", "accountType", "location", "scopeId",
})  # fmt: skip
AS_THEY_ARE = frozenset({"properties"})
STAMP_LENGTH = len("2026-01-05T08:30:00.123+0000")


def zone_of(state: State) -> ZoneInfo:
    """The system's zone."""
    return ZoneInfo(switches.get(state, "system_zone"))


class Shapes:
    """Turns values of one request."""

    def __init__(self, state: State) -> None:
        self.zone = zone_of(state)
        self.people = People(state)
        self._stamps: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        """A value in Data Center's shape."""
        if isinstance(value, dict):
            if "accountId" in value:
                return self._person(value)
            return {
                name: one if name in AS_THEY_ARE else self.of(one)
                for name, one in value.items()
                if name not in CLOUD_ONLY
            }
        if isinstance(value, list):
            return [self.of(one) for one in value]
        if isinstance(value, str) and len(value) == STAMP_LENGTH and value[10] == "T" and value[23] in "+-":
            return self.instant(value)
        return value

    def instant(self, stamp: str) -> str:
        """An instant in the system's zone, with its offset at that time."""
        if stamp not in self._stamps:
            try:
                moment = datetime.fromisoformat(stamp).astimezone(self.zone)
            except ValueError:
                return stamp
            milliseconds = moment.microsecond // 1000
            self._stamps[stamp] = f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}{moment:%z}"
        return self._stamps[stamp]

    def _person(self, user: dict[str, Any]) -> dict[str, Any]:
        known = self.people.shown(str(user["accountId"]))
        gone = str(user["accountId"])
        return known or {"name": gone, "key": gone, "displayName": user.get("displayName") or gone, "active": False}


def answer(call: Call, body: Any, status: int = 200) -> Response:
    """An answer in Data Center's shape."""
    return render.answer(call, Shapes(call.state).of(body), status)
