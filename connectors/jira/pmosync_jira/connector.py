"""The Jira Cloud connector: what the core may ask of one site.

It keeps the promise that a new connector over the same site behaves the same: what one remembers, it can look up again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jira import JIRA

from pmosync.contract import (
    Batch,
    Capabilities,
    Catalog,
    Change,
    Clock,
    Estimate,
    Known,
    Limitation,
    Prepared,
    Reading,
    Receipt,
    Scope,
    Slot,
)
from pmosync.http import PoliteSession

from .describe import describe
from .marks import SLOTS
from .pull import Pull
from .push import Push, cost
from .records import Decoder
from .settings import Settings
from .site import Site
from .watch import Watch

capabilities = Capabilities(slots=SLOTS, query=True)

EDIT, ADMINISTER_PROJECT, ADMINISTER_JIRA = "EDIT_ISSUES", "ADMINISTER_PROJECTS", "ADMINISTER"


class JiraConnector:
    """One Jira Cloud site."""

    capabilities = capabilities

    def __init__(self, site: Site, clock: Clock, planning_every_s: float) -> None:
        self._site, self._clock, self._planning_every_s = site, clock, planning_every_s
        self._scope: Scope | None = None
        self._quiet_in: set[str] | None = None
        self._decoder: Decoder | None = None

    def describe(self) -> Catalog:
        """Fields, options, projects and link types of this site, and who we are."""
        return describe(self._site)

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        """What changed since the cursor, or everything."""
        self._scope = scope
        watch = Watch(self._site, self._planning_every_s)
        return Pull(self._site, self._decode_with(), scope, known, self._clock, watch).batches(since)

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        """Find out where we may not write. Jira needs nothing made: labels and properties come into being when set."""
        self._scope = scope
        projects = self._site.projects(scope.projects)
        ids = [str(raw["id"]) for raw in projects]
        everywhere, where = self._site.granted((EDIT, ADMINISTER_PROJECT), ids)
        administered = set(ids) if ADMINISTER_JIRA in everywhere else where[ADMINISTER_PROJECT]
        self._quiet_in = administered
        found: list[Limitation] = []
        for raw in projects:
            project_id, key = str(raw["id"]), str(raw["key"])
            found += _limitations(scope, project_id, key, project_id in where[EDIT], project_id in administered)
        return Prepared(limitations=tuple(found))

    def release(self, scope: Scope) -> Sequence[str]:
        """Nothing: clearing the values leaves no trace in Jira."""
        return ()

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now."""
        return self._push().read(slots)

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Write; each receipt as soon as its item is done."""
        return self._push().push(changes)

    def cost(self, changes: Sequence[Change]) -> Estimate:
        """The calls that `push` would make."""
        return cost(changes)

    def close(self) -> None:
        """Let go of connections."""
        self._site.session.close()

    def _push(self) -> Push:
        return Push(self._site, self._decode_with, self._scope, self._quiet_in)

    def _decode_with(self) -> Decoder:
        if self._decoder is None:
            self._decoder = Decoder(self._site)
        return self._decoder


def open(settings: Settings, session: PoliteSession, clock: Clock) -> JiraConnector:
    """A connector for this site on this session; nothing is sent yet."""
    user, token = settings.auth.user, settings.auth.token.get_secret_value()
    session.keep_secret(token)
    session.keep_secret(base64.b64encode(f"{user}:{token}".encode()).decode())
    package = JIRA(
        options={"server": session.base_url, "rest_api_version": "3"},
        basic_auth=(user, token),
        get_server_info=False,
        max_retries=0,
    )
    # The official client builds the authentication and the requests; they travel on our session, with its manners.
    session.auth = package._session.auth
    package._session = session  # type: ignore[assignment]
    return JiraConnector(Site(session, package), clock, settings.planning_every_s)


def _limitations(scope: Scope, project_id: str, key: str, edits: bool, administers: bool) -> Iterator[Limitation]:
    """Where the account may not write in one project, and what would have to be granted."""
    for slot in scope.slots:
        if slot in ("property", "label") and not edits:
            yield Limitation(project_id, slot, f"{key}: the account lacks the permission Edit issues there.")
        elif slot == "label" and not administers and scope.pins.get("mail") != "accept":
            yield Limitation(
                project_id,
                slot,
                f"{key}: a label set by the account would mail people. Grant it Administer projects there, or accept "
                "mail in the mapping (`write: {mail: accept}`).",
            )
        elif slot == "project_property" and not administers:
            yield Limitation(project_id, slot, f"{key}: the account lacks the permission Administer projects there.")
