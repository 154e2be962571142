"""The Jira connector: what the core may ask of one site.

It keeps the promise that a new connector over the same site behaves the same: what one remembers, it can look up again.
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

from .auth import sign_in
from .comment_slot import Comments
from .describe import describe
from .marks import SLOTS
from .own_fields import Finder
from .pull import Pull
from .push import Push
from .quiet import Quiet
from .reading import read
from .records import Decoder
from .rights import limitations, look_up
from .settings import Settings
from .site import Site
from .status_issues import Known as Status
from .watch import Watch
from .whereabouts import whereabouts

capabilities = Capabilities(slots=SLOTS, query=True, reads=("history", "worklogs", "comments"))


class JiraConnector:
    """One Jira site."""

    capabilities = capabilities

    def __init__(self, site: Site, clock: Clock, settings: Settings) -> None:
        self._site, self._clock, self._settings = site, clock, settings
        self._scope: Scope | None = None
        self._quiet = Quiet(site)
        self._comments = Comments(site, self._quiet)
        self._status = Status()
        self._decoder: Decoder | None = None

    def describe(self) -> Catalog:
        """Fields, options, projects and link types of this site, and who we are."""
        return describe(self._site)

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        """What changed since the cursor, or everything."""
        self._scope = scope
        watch = Watch(self._site, self._settings.planning_every_s)
        every_s = self._settings.look_back_every_s
        pull = Pull(self._site, self._decode_with(), scope, known, self._clock, watch, self._status, every_s)
        return pull.batches(since)

    def whereabouts(self, scope: Scope, tasks: Sequence[str]) -> Mapping[str, Fallen]:
        """What became of issues that a complete pull did not bring."""
        return whereabouts(self._site, scope, tasks)

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        """Find our own fields, and out where we may not write. Nothing is made: labels and properties come into being
        when set, and fields are an administrator's to make."""
        self._scope = scope
        rights = look_up(self._site, scope)
        self._quiet.learn(rights.looked_at, rights.administered, bulk_change=rights.bulk_change)
        finder = Finder(self._site, scope)
        finder.run(rights.projects)
        return Prepared(finder.pins, tuple(limitations(rights, scope, finder.limitations)))

    def release(self, scope: Scope) -> Sequence[str]:
        """Nothing: clearing the values leaves no trace in Jira."""
        return ()

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now."""
        return read(self._push(), slots)

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Write; each receipt as soon as its item is done."""
        return self._push().push(changes)

    def cost(self, changes: Sequence[Change]) -> Estimate:
        """The calls that `push` would make."""
        return self._push().cost(changes)

    def close(self) -> None:
        """Let go of connections."""
        self._site.session.close()

    def _push(self) -> Push:
        lag_s = self._settings.index_lag_s
        known = self._status, self._quiet, self._comments
        return Push(self._site, self._decode_with, self._scope, self._clock, lag_s, *known)

    def _decode_with(self) -> Decoder:
        if self._decoder is None:
            self._decoder = Decoder(self._site)
        return self._decoder


def open(settings: Settings, session: PoliteSession, clock: Clock) -> JiraConnector:
    """A connector for this site on this session; nothing is sent yet."""
    sign_in(settings, session, clock)
    deployment = None if settings.deployment == "auto" else settings.deployment
    return JiraConnector(Site(session, deployment), clock, settings)
