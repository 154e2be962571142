"""Holds calls back so that a credential stays within its limits: per second, per minute, per group, and in flight.

It keeps the promise that all threads of one credential share one budget, that a heavy call is not overtaken for ever by
light ones, and that a site which asks for a pause gets it from whom it meant: everybody, the calls of one endpoint, or
the changes of one item.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from .endpoints import Endpoint
from .places import Lane, Window

EVERYBODY = ""
"""The key of a pause that holds for the whole credential; others are names of endpoints, and items."""
SLOW_FOR_S = 60.0
"""So long after the last complaint the calls of an endpoint stay spaced."""
MINUTE_S = 60.0
USUAL_RATE = 16.0
"""Calls per second of an endpoint that a complaint halves, where no limit is configured."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one credential may do. None: no such limit."""

    per_second: float | None = None
    per_minute: float | None = None
    reads_in_flight: int = 5
    """A batch of ten reads is ten of them; of one that is heavier than this there is one at a time."""
    writes_in_flight: int = 5
    slack_s: float = 0.0
    """So much longer than a minute calls are counted: they arrive some time after they started."""
    at_once: int | None = None
    """How many threads `map` uses when nobody says otherwise; None: as many as reads may be in flight."""
    groups: Mapping[str, float] = field(default_factory=dict)
    """Calls per minute of the endpoints of a group; they count in the other limits as well."""


class WaitTooLong(Exception):
    """The site asked for a pause that is longer than the caller is patient."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"{wait_s:.0f} s")


@dataclass(slots=True)
class _Spaced:
    """An endpoint whose calls are spaced because the site complained."""

    rate: float
    window: Window
    until: float
    halved_at: float


class Limiter:
    """The shared budget of one credential. Thread-safe; the clock and the sleep are arguments."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.limits = limits
        self._monotonic, self._sleep = monotonic, sleep
        self._lock = threading.Lock()
        self._paused: dict[str, float] = {}
        self._spaced: dict[str, _Spaced] = {}
        self._second = Window(limits.per_second, 1.0) if limits.per_second is not None else None
        self._minute = self._per_minute(limits.per_minute) if limits.per_minute is not None else None
        self._groups = {name: self._per_minute(count) for name, count in limits.groups.items()}
        self._reads, self._writes = Lane(limits.reads_in_flight), Lane(limits.writes_in_flight)

    @contextmanager
    def pass_(
        self, endpoint: Endpoint, *, item: str = EVERYBODY, weight: int = 1, patience_s: float = math.inf
    ) -> Iterator[None]:
        """Hold the caller back until the call may go; then count it as in flight while the block runs.

        Args:
            item: what the call changes, where the tool counts by item.
            weight: how many calls it is for the tool, e.g. the actions of a batch.
            patience_s: raise `WaitTooLong` rather than sit out a longer pause; our own limits are always obeyed.
        """
        lane, claim = self._reads if endpoint.reads else self._writes, object()
        try:
            while True:
                with lane.taken(weight):  # let go of while waiting: a pause of one endpoint must not hold up the others
                    wait_s = self._wait_or_take(endpoint, item, weight, patience_s, claim)
                    if wait_s == 0.0:
                        yield
                        return
                self._sleep(wait_s)
        finally:
            self._withdraw(claim)

    def pause(self, seconds: float, key: str = EVERYBODY) -> None:
        """Nobody of this credential calls for so long; with a key only who calls that endpoint or changes that item."""
        with self._lock:
            now = self._monotonic()
            self._paused = {one: until for one, until in self._paused.items() if until > now}
            self._paused[key] = max(self._paused.get(key, -math.inf), now + seconds)

    def space(self, endpoint: Endpoint, *, more: bool = True) -> None:
        """Halve the rate of an endpoint for a minute from now.

        Args:
            more: halve it again if it is halved; without this it stays as it is for another minute.
        """
        with self._lock:
            now, found = self._monotonic(), self._spaced.get(endpoint.name)
            current = found if found is not None and found.until > now else None
            if current is not None and (not more or now - current.halved_at < 1.0):
                current.until = now + SLOW_FOR_S  # complaints about calls that were on their way together count once
                return
            rate = max(1.0, (current.rate if current else self.limits.per_second or USUAL_RATE) / 2)
            self._spaced[endpoint.name] = _Spaced(rate, Window(rate, 1.0), now + SLOW_FOR_S, now)

    def left(self) -> dict[str, int]:
        """How many more calls may start at once, by limit: `1 s`, `60 s`, and each group."""
        with self._lock:
            now = self._monotonic()
            named = {f"{window.period_s:g} s": window for window in self._windows} | self._groups
            paused = now < self._paused.get(EVERYBODY, -math.inf)
            return {name: 0 if paused else window.room(now) for name, window in named.items()}

    def lower(self, per_minute: float) -> bool:
        """From now on at most so many calls a minute, those of the last one included. False: that is so already."""
        with self._lock:
            found, fewer = self._minute, self._per_minute(per_minute)
            if found is not None and found.count <= per_minute:
                return False
            if found is not None:
                fewer.take_over(found)
            self._minute = fewer
            return True

    def started(self) -> int:
        """How many calls started in the last minute; 0 where there is no limit for it, and nothing is counted."""
        with self._lock:
            return 0 if self._minute is None else self._minute.recent(self._monotonic())

    def _per_minute(self, count: float) -> Window:
        return Window(count, MINUTE_S, self.limits.slack_s)

    @property
    def _windows(self) -> list[Window]:
        """The limits of all calls."""
        return [window for window in (self._second, self._minute) if window is not None]

    def _withdraw(self, claim: object) -> None:
        """Who gave up, or has gone, needs no room kept."""
        with self._lock:
            for window in (*self._windows, *self._groups.values(), *(one.window for one in self._spaced.values())):
                window.withdraw(claim)

    def _wait_or_take(self, endpoint: Endpoint, item: str, weight: int, patience_s: float, claim: object) -> float:
        """The seconds to wait; 0 when the call may go, and then it is counted."""
        with self._lock:
            now = self._monotonic()
            paused_s = max(self._paused.get(key, -math.inf) for key in (EVERYBODY, endpoint.name, item)) - now
            if paused_s > patience_s:
                raise WaitTooLong(paused_s)
            windows = self._windows + ([self._groups[endpoint.group]] if endpoint.group in self._groups else [])
            if (spaced := self._spaced.get(endpoint.name)) is not None and spaced.until > now:
                windows = [*windows, spaced.window]
            wait_s = max(0.0, paused_s, *(w.wait_s(now, weight, claim) for w in windows))
            if wait_s == 0.0:
                for window in windows:
                    window.take(now, weight, claim)
            return wait_s
