"""The Asana connector as the core knows it: each part of the contract, done by the module that is about it.

It keeps the promise that nothing is kept here that a new connector could not find again: without pins it looks for our
fields by name and type, for our tags by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pmosync.contract import (
    Batch,
    Capabilities,
    Catalog,
    Change,
    Clock,
    Estimate,
    Fallen,
    Known,
    Prepared,
    Reading,
    Receipt,
    Scope,
    Slot,
)
from pmosync.http import PoliteSession

from . import describe
from .api import Api
from .own import prepare, release
from .own.places import SLOTS, own_pins, pinned
from .pulling import whereabouts
from .pulling.pull import Puller
from .settings import Settings
from .writing import write

CAPABILITIES = Capabilities(
    SLOTS, query=False, reads=("history", "worklogs", "comments", "budgets", "allocations", "goals")
)


class AsanaConnector:
    """One Asana workspace."""

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, session: PoliteSession, clock: Clock) -> None:
        self._api = Api(settings, session)
        self._settings, self._session, self._clock = settings, session, clock
        self._pins: Mapping[str, str] = {}

    def describe(self) -> Catalog:
        """Fields, options, projects of the workspace, and who we are."""
        return describe.describe(self._api)

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        """What changed since the cursor, or everything."""
        pins = {**self._pins, **own_pins(scope.pins)}
        puller = Puller(self._api, scope, pins, self._clock, known, repair=self._settings.repair == "hourly")
        return puller.everything() if since is None else puller.changes(since)

    def whereabouts(self, scope: Scope, tasks: Sequence[str]) -> Mapping[str, Fallen]:
        """What became of tasks that a complete pull did not bring."""
        return whereabouts.whereabouts(self._api, scope, tasks)

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        """Find our fields, or make and offer them once."""
        prepared = prepare.Preparer(self._api, scope, write).run()
        self._pins = own_pins(prepared.pins)
        return prepared

    def release(self, scope: Scope) -> Sequence[str]:
        """Take away what we made."""
        self._pins = {}
        return release.release(self._api, scope)

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now."""
        return self._writer(slots).read(slots)

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Write marks, one call per task, project or portfolio for its fields; the others as each slot needs."""
        return self._writer([change.slot for change in changes]).push(changes)

    def _writer(self, slots: Sequence[Slot]) -> write.Writer:
        missing = tuple(dict.fromkeys(slot.name for slot in slots if not pinned(slot.name, self._pins)))
        if missing:
            self._pins = {**prepare.Preparer(self._api, Scope(slots=missing), write=False).find(), **self._pins}
        return write.Writer(self._api, self._pins, self._me, self._clock)

    def _me(self) -> str:
        """The gid of our account."""
        return str(self._api.me()[0]["gid"])

    def cost(self, changes: Sequence[Change]) -> Estimate:
        """The calls that `push` would make."""
        return write.cost(changes)

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()
