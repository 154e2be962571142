"""A connector on the sandbox's Asana, and a store as simple as can be: what it would hold after every batch."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Sandbox

import pmosync_asana
from pmosync.contract import Batch, Kind, Record, Scope
from pmosync.http import Limiter, PoliteSession


@dataclass
class Client:
    """One connector with what it brought."""

    connector: pmosync_asana.AsanaConnector
    session: PoliteSession
    now: list[dt.datetime]
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    scopes: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    unobserved: dict[str, str] = field(default_factory=dict)
    cursor: Mapping[str, Any] | None = None

    def known(self, kind: Kind, ids: Collection[str]) -> Mapping[str, str]:
        return {gid: self.records[kind, gid].version for gid in ids if (kind, gid) in self.records}

    def pull(self, scope: Scope | None = None, *, full: bool = False) -> list[Batch]:
        """Pull and store; the batches for a closer look."""
        batches = []
        for batch in self.connector.pull(scope or Scope(), None if full else self.cursor, self.known):
            self._store(batch)
            batches.append(batch)
        return batches

    def _store(self, batch: Batch) -> None:
        for record in batch.records:
            self.records[record.kind, record.id] = record
            self.scopes[record.kind, record.id] = set(record.scopes)
        for kind, gid in batch.gone:
            self.records.pop((kind, gid), None)
        if batch.state == "complete":
            for key, record in list(self.records.items()):
                if record.kind in batch.kinds and record.id not in batch.census:
                    self.scopes[key] -= set(batch.scopes)
                    if not self.scopes[key]:
                        del self.records[key]
        for name in batch.scopes:
            self.unobserved.pop(name, None)
            if batch.state == "unobserved":
                self.unobserved[name] = batch.why
        self.cursor = batch.cursor or self.cursor

    def of(self, kind: Kind) -> dict[str, Record]:
        return {gid: record for (found, gid), record in self.records.items() if found == kind}

    def named(self, name: str) -> Record:
        """The one task of this name."""
        (found,) = (record for record in self.of("task").values() if record.values["name"] == name)
        return found

    def calls(self) -> Counter[str]:
        """Calls since the last time this was asked."""
        found = Counter(self.session.calls)
        self.session.calls.clear()
        return found


def client(sandbox: Sandbox, *, token: str = "sandbox-asana-token", read_only: bool = False, **settings: Any) -> Client:
    """A connector that does not really sleep, on a clock that stands still at the sandbox's time until it is moved."""
    given = {"base_url": f"{sandbox.url}/api/1.0", "auth": {"token": token}, **settings}
    known = pmosync_asana.Settings.model_validate(given)
    told = sandbox.control("POST", "clock", {"advance_s": 0})
    now = [dt.datetime.fromisoformat(told["now"])]
    slept_s = [0.0]

    def monotonic() -> float:
        return time.monotonic() + slept_s[0]

    def sleep(seconds: float) -> None:
        slept_s[0] += seconds

    limiter = Limiter(pmosync_asana.limits(known), monotonic, sleep)
    session = PoliteSession(
        known.base_url,
        pmosync_asana.ENDPOINTS,
        limiter,
        now=lambda: now[0],
        read_only=read_only,
        monotonic=monotonic,
        sleep=sleep,
    )
    return Client(pmosync_asana.open(known, session, lambda: now[0]), session, now)


_FIRST: dict[str, Client] = {}
"""The first pull of each sandbox process: it begins each test in the same state, so it is pulled once."""


def after_a_first_pull(sandbox: Sandbox, **settings: Any) -> Client:
    """A client that has pulled everything, as the sandbox is at the beginning of a test."""
    if sandbox.url not in _FIRST:
        _FIRST[sandbox.url] = client(sandbox)
        _FIRST[sandbox.url].pull()
    first, found = _FIRST[sandbox.url], client(sandbox, **settings)
    found.records, found.cursor = dict(first.records), first.cursor
    found.scopes = {key: set(scopes) for key, scopes in first.scopes.items()}
    sandbox.forget_requests()
    return found


@dataclass(frozen=True)
class Truth:
    """What the sandbox itself says is there."""

    tables: Mapping[str, list[dict[str, Any]]]

    def scopes(self) -> dict[str, set[str]]:
        """The projects of every task that counts, its own and those of its parents."""
        parents = {task["gid"]: task["parent"] for task in self.tables["asana_task"]}
        own: dict[str, set[str]] = {}
        for place in self.tables["asana_placement"]:
            own.setdefault(place["task"], set()).add(f"project:{place['project']}")
        found = {}
        for task in self.tables["asana_task"]:
            if not task["trashed"] and not task["is_separator"]:
                line, at = set(), task["gid"]
                while at:
                    line |= own.get(at, set())
                    at = parents[at]
                found[task["gid"]] = line
        return {gid: line for gid, line in found.items() if line}


def truth(sandbox: Sandbox) -> Truth:
    """What is there now."""
    return Truth(sandbox.state())


def pulled(client: Client) -> dict[str, set[str]]:
    """What the client holds, in the same words."""
    return {gid: set(record.scopes) for gid, record in client.of("task").items()}
