"""What Prometheus is told: how old and how long cycles are, what they cost, what they found, what goes wrong.

Everything is put here when a cycle ends; a scrape only reads it, so it is cheap and waits for nothing. The ages alone
are computed when they are asked for.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter as Counts
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import requests
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from pmosync import __version__
from pmosync.config import OpenSite
from pmosync.config.unattended import Verb
from pmosync.contract import Clock
from pmosync.daemon.figures import figures
from pmosync.http import PoliteSession
from pmosync.runs import LastRuns
from pmosync.standards import Standard
from pmosync.store import Store

disable_created_metrics()  # type: ignore[no-untyped-call]

DURATIONS_S = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
TOLD = ("X-RateLimit-Remaining", "X-Beta-RateLimit-Remaining", "RateLimit-Remaining")
"""Headers in which a tool says how many calls are left."""


class Metrics:
    """All metrics of one daemon. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self.registry = registry = CollectorRegistry()
        self._clock = clock
        self._lock = threading.Lock()
        self._aged: set[tuple[str, str]] = set()
        self._seen: WeakKeyDictionary[PoliteSession, Counts[str]] = WeakKeyDictionary()

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"pmosync_{name}", what, labels, registry=registry)

        gauge("build_info", "Which pmosync this is.", "version").labels(__version__).set(1)
        self._age = gauge(
            "cycle_age_seconds", "Since the last run that read something of the site began.", "site", "verb"
        )
        self._duration = Histogram(
            "pmosync_cycle_duration_seconds",
            "How long cycles took.",
            ("site", "verb"),
            buckets=DURATIONS_S,
            registry=registry,
        )
        self._cycles = Counter("pmosync_cycles", "Cycles by exit code.", ("site", "verb", "exit"), registry=registry)
        self._requests = Counter("pmosync_requests", "Calls to a site.", ("site", "endpoint"), registry=registry)
        self._budget = gauge("budget_remaining", "Calls that may be made at once, by limit.", "site", "limit")
        self._items = gauge("items", "Records, by kind.", "site", "kind")
        self._verdicts = gauge("verdicts", "Answers of standards.", "answer")
        self._findings = gauge("findings", "Findings.", "severity", "state")
        self._gaps = gauge("gaps", "Values that the mapping could not read.", "site")
        self._unobserved = gauge("unobserved_scopes", "Scopes that could not be read.", "site")
        self._failing = gauge("site_failing", "1 while the site fails.", "site")
        self._refused = gauge("edit_refused", "1 while an edit of the files is refused.")
        self._errors = Counter("pmosync_errors", "Errors by class.", ("class",), registry=registry)

    def ran(self, name: str, last: LastRuns) -> None:
        """When a site was last synced and reconciled; a reconcile counts as both."""
        for verb, at in (("sync", last.any), ("reconcile", last.reconcile)):
            if at is not None:
                with self._lock:
                    self._aged.add((name, verb))
                self._age.labels(name, verb).set_function(lambda at=at: self._since(at))  # type: ignore[misc]

    def _since(self, at: dt.datetime) -> float:
        return (self._clock() - at).total_seconds()

    def keep(self, names: Collection[str]) -> None:
        """Tell nothing any more that grows with time about sites that the configuration no longer names."""
        with self._lock:
            for name, verb in [one for one in self._aged if one[0] not in names]:
                self._age.remove(name, verb)
                self._aged.discard((name, verb))
                with suppress(KeyError):
                    self._failing.remove(name)

    def cycle(self, name: str, verb: Verb, code: int, took_s: float) -> None:
        """A cycle came to its end."""
        self._duration.labels(name, verb).observe(took_s)
        self._cycles.labels(name, verb, str(code)).inc()

    def error(self, kind: str) -> None:
        """An error of this class happened."""
        self._errors.labels(kind).inc()

    def failing(self, name: str, fails: bool) -> None:
        """Whether a site fails at the moment."""
        self._failing.labels(name).set(int(fails))

    def refused(self, is_refused: bool) -> None:
        """Whether an edit of the files is refused at the moment."""
        self._refused.set(int(is_refused))

    def count_requests(self, name: str, opened: OpenSite | None) -> int:
        """Count what a site's session sent since it was last asked, and what is left of its limits."""
        if opened is None:
            return 0
        session, made = opened.session, 0
        with self._lock:
            if session not in self._seen:
                self._seen[session] = Counts()
                session.hooks["response"].append(self._told(name))
            seen = self._seen[session]
            for endpoint, count in sorted(session.calls.items()):
                made += count - seen[endpoint]
                self._requests.labels(name, endpoint).inc(count - seen[endpoint])
                seen[endpoint] = count
        for limit, left in session.limiter.left().items():
            self._budget.labels(name, limit).set(left)
        return made

    def _told(self, name: str) -> Any:
        """Notes what the site itself says about its limit."""

        def look(response: requests.Response, *_: Any, **__: Any) -> None:
            left = next((response.headers[header] for header in TOLD if header in response.headers), "")
            if left.isascii() and left.isdigit():
                self._budget.labels(name, "told").set(int(left))

        return look

    def look(self, store: Store, names: Iterable[str], standards: Sequence[Standard]) -> None:
        """Count what stands in the store."""
        with store.reading() as connection:
            now = figures(connection, {standard.id: standard.severity for standard in standards})
        none = {(name,): 0 for name in names}
        with self._lock:
            _set(self._items, now.items)
            _set(self._verdicts, {(answer,): count for answer, count in now.verdicts.items()})
            _set(self._findings, now.findings)
            _set(self._gaps, none | {(name,): count for name, count in now.gaps.items()})
            _set(self._unobserved, none | {(name,): count for name, count in now.unobserved.items()})

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


def _set(gauge: Gauge, values: Mapping[tuple[str], int] | Mapping[tuple[str, str], int]) -> None:
    """What is no longer there is not told any more."""
    gauge.clear()
    for labels, count in values.items():
        gauge.labels(*labels).set(count)
