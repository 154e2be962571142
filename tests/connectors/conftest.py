"""Connectors on the sandbox, with sleeps that take no time."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.connectors.jira_pile import Pile, a_pile

import pmosync_jira
from pmosync.contract import Batch, Change, Clock, Kind, Record, Scope, Slot
from pmosync.http import Limiter, PoliteSession

TASK_FIELDS = (
    "summary", "status", "issuetype", "priority", "assignee", "duedate", "timeoriginalestimate", "timespent", "parent",
    "issuelinks", "labels", "resolution", "resolutiondate", "customfield_10015",
)  # fmt: skip
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SLOTS = ("property", "label", "project_property")


@dataclass
class JiraDesk:
    """A Jira connector and what a core would remember: records, cursor and proven ids."""

    url: str
    session: PoliteSession
    connector: Any
    scope: Scope
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    cursor: Mapping[str, Any] | None = None

    def pull(self, since: Mapping[str, Any] | None = None) -> list[Batch]:
        """One pull; its batches are kept as a core keeps them."""
        batches = []
        for batch in self.connector.pull(self.scope, since, self.known):
            batches.append(batch)
            self.keep(batch)
        return batches

    def keep(self, batch: Batch) -> None:
        """Store one batch."""
        for record in batch.records:
            self.records[record.kind, record.id] = record
        if batch.state == "complete":
            for (kind, name), record in list(self.records.items()):
                if kind in batch.kinds and set(record.scopes) & set(batch.scopes) and name not in batch.census:
                    del self.records[kind, name]
        if batch.cursor is not None:
            self.cursor = batch.cursor

    def known(self, kind: Kind, ids: Collection[str]) -> Mapping[str, str]:
        """The stored versions; of rollups all when none is named."""
        if kind == "rollup" and not ids:
            ids = [name for one, name in self.records if one == kind]
        return {name: self.records[kind, name].version for name in ids if (kind, name) in self.records}

    def by_key(self, key: str) -> Record:
        """The stored record of a task or project, by key."""
        return next(record for record in self.records.values() if record.key == key)

    def tasks_of(self, project: str) -> list[Record]:
        """The stored tasks of a project, by its key."""
        return [r for r in self.records.values() if r.kind == "task" and r.key.startswith(f"{project}-")]

    def change(self, key: str, slot: str, after: str | None, before: str | None = None) -> Change:
        """A change of one slot."""
        record = self.by_key(key)
        project = record.scopes[0].partition(":")[2]
        subject = "project" if record.kind == "project" else "task"
        return Change(Slot(subject, record.id, slot), before, after, project, key)  # type: ignore[arg-type]

    def calls(self) -> dict[str, int]:
        """The calls since the last time this was asked."""
        made = {name.removeprefix("GET ").removeprefix("POST "): n for name, n in self.session.calls.items()}
        self.session.calls.clear()
        return made


OpenJira = Callable[..., JiraDesk]


class QuickTime:
    """A clock that sleeping moves, and nothing else."""

    def __init__(self) -> None:
        self._lock, self._at = threading.Lock(), 0.0

    def monotonic(self) -> float:
        return self._at

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._at += seconds


@pytest.fixture
def open_jira() -> OpenJira:
    """Opens a Jira connector at an address."""

    def open_it(
        url: str,
        *,
        token: str = "sandbox-jira-token",
        fields: Sequence[str] = TASK_FIELDS,
        clock: Clock = lambda: NOON,
        deployment: str = "cloud",
        **options: Any,
    ) -> JiraDesk:
        user = {"user": "pmo-bot@acme.example"} if deployment == "cloud" else {}
        given = {"base_url": url, "auth": {**user, "token": token}, "deployment": deployment}
        settings = pmosync_jira.Settings.model_validate(given | {"limits": {"per_second": 100}})
        quick = QuickTime()
        limiter = Limiter(pmosync_jira.limits(settings), quick.monotonic, quick.sleep)
        session = PoliteSession(
            url,
            pmosync_jira.ENDPOINTS,
            limiter,
            monotonic=quick.monotonic,
            sleep=quick.sleep,
            now=clock,
            **options,
        )
        connector = pmosync_jira.open(settings, session, clock)
        return JiraDesk(url, session, connector, Scope(fields=tuple(fields), slots=SLOTS))

    return open_it


@pytest.fixture(scope="session")
def _pile() -> Iterator[tuple[Pile, bytes]]:
    with a_pile() as found:
        yield found


@pytest.fixture
def pile(_pile: tuple[Pile, bytes]) -> Pile:
    """A Jira site with many issues, in this process, as it was made."""
    site, snapshot = _pile
    app = site.server.app
    app.state.restore(snapshot)
    app.faults.replace([])
    app.limits.replace({})
    app.log.clear()
    return site


@pytest.fixture
def jira(sandbox: Any, open_jira: OpenJira) -> JiraDesk:
    """A Jira connector on the sandbox."""
    return open_jira(sandbox.url)
