"""What one look at our own places collects: pins, limitations and what was or would be made.

It keeps the promise that the workspace is asked for only when a part of the look needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from pmosync.contract import Limitation, Scope
from pmosync.errors import Refused

from ..api import Api
from .places import SLOTS, own_pins

Json = dict[str, Any]
AGAIN = "Then remove the lines that begin with `{pin}` from the site's lock file, so that it is tried again."
OUTER = "put it into another portfolio that is a home in the register, and let the account edit it"
"""What to do about a portfolio that takes no values itself."""
(LEVELS,) = (slot.levels for slot in SLOTS if slot.name == "portfolio_fields")


class Look:
    """One look at our places in a workspace, with or without leave to make what is missing."""

    def __init__(self, api: Api, scope: Scope, write: bool) -> None:
        self.api, self.scope, self.write = api, scope, write
        self.pins = own_pins(scope.pins)
        self._limited: dict[tuple[str, str], Limitation] = {}
        self.writes: list[str] = []
        self.portfolios = portfolios(scope, "portfolio_fields")

    @cached_property
    def _who(self) -> tuple[str, str]:
        me, workspace = self.api.me()
        return me["gid"], workspace

    @property
    def me(self) -> str:
        """The gid of our account."""
        return self._who[0]

    @property
    def workspace(self) -> str:
        """The gid of the workspace."""
        return self._who[1]

    def seat(self) -> Json:
        """What kind of account this is in the workspace: `is_guest`, `is_view_only`; empty where that is not told."""
        try:
            found = self.api.pages(
                self.api.memberships.get_workspace_memberships_for_user,
                self.me,
                opt_fields="workspace,is_guest,is_view_only",
            )
        except Refused:
            return {}
        return next((one for one in found if (one.get("workspace") or {}).get("gid") == self.workspace), {})

    def limit(self, where: Iterable[str], slot: str, why: str, lacks: str = "") -> None:
        """Note that a slot may not be written there, and the first reason; portfolios have a slot of their own."""
        for gid in where:
            name = self._slot(gid, slot)
            self._limited.setdefault((gid, name), Limitation(gid, name, why, lacks))

    def forget(self, gid: str) -> None:
        """Let go of every pin about a field that is not there any more."""
        for key in [key for key, value in self.pins.items() if value == gid or key.endswith(f".{gid}")]:
            del self.pins[key]

    def kept(self) -> dict[str, str]:
        """The pins to keep; one that is let go of is kept empty, so that it is not taken from the lock file again."""
        return {**dict.fromkeys(own_pins(self.scope.pins), ""), **self.pins}

    def limited(self, gid: str, slot: str) -> bool:
        """Whether that was noted."""
        return (gid, self._slot(gid, slot)) in self._limited

    @property
    def limitations(self) -> tuple[Limitation, ...]:
        """Where we may not write."""
        return tuple(self._limited.values())

    def _slot(self, gid: str, slot: str) -> str:
        return "portfolio_fields" if gid in self.portfolios else slot


def portfolios(scope: Scope, *slots: str) -> tuple[str, ...]:
    """The portfolios that hold a rollup of their own; none when none of these slots is in use."""
    if not set(slots) & set(scope.slots):
        return ()
    homes = (home for rollup, home in scope.rollups.items() if rollup.partition("/")[0] in LEVELS)
    return tuple(dict.fromkeys(homes))


def why_refused(refusal: Refused, where: str) -> str:
    """A refusal to look at or to make custom fields, in words for people."""
    if refusal.status == 402:
        return "custom fields and portfolios need a paid plan of Asana"
    if refusal.status == 403:
        return f"the account has no right to custom fields in {where}"
    if refusal.status == 404:
        return f"{where} is not there any more, or not for this account: give the account access, or name another"
    return str(refusal)


def lacks(refusal: Refused) -> str:
    """The same in two or three words."""
    return {402: "a paid plan", 403: "editor access", 404: "access"}.get(refusal.status, "")
