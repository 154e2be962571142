"""Holds calls back so that a credential stays within its limits: per second, per minute, per group, and in flight.

It keeps the promise that all threads of one credential share one budget, and that one 429 makes all of them wait.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from .endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Limits:
    """What one credential may do. None: no such limit."""

    per_second: float | None = None
    per_minute: float | None = None
    reads_in_flight: int = 5
    writes_in_flight: int = 5
    groups: Mapping[str, float] = field(default_factory=dict)
    """Calls per minute of the endpoints of a group; they count in the other limits as well."""


class WaitTooLong(Exception):
    """The site asked for a pause that is longer than the caller is patient."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"{wait_s:.0f} s")


class _Window:
    """At most `count` calls in any `period_s` seconds, exactly."""

    def __init__(self, count: float, period_s: float) -> None:
        whole = max(1, math.floor(count))
        self.period_s = period_s if count >= 1 else period_s / count
        self._starts: deque[float] = deque(maxlen=whole)

    def wait_s(self, now: float, weight: int) -> float:
        room = (self._starts.maxlen or 1) - len(self._starts)
        missing = min(weight, self._starts.maxlen or 1) - room
        if missing <= 0:
            return 0.0
        return max(0.0, self._starts[missing - 1] + self.period_s - now)

    def room(self, now: float) -> int:
        """How many calls may start now."""
        recent = sum(1 for start in self._starts if start + self.period_s > now)
        return (self._starts.maxlen or 1) - recent

    def take(self, now: float, weight: int) -> None:
        self._starts.extend([now] * weight)


class Limiter:
    """The shared budget of one credential. Thread-safe; the clock and the sleep are arguments."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.limits = limits
        self._monotonic, self._sleep = monotonic, sleep
        self._lock = threading.Lock()
        self._paused_until = -math.inf
        self._windows = [
            _Window(count, period_s)
            for count, period_s in ((limits.per_second, 1.0), (limits.per_minute, 60.0))
            if count is not None
        ]
        self._groups = {name: _Window(count, 60.0) for name, count in limits.groups.items()}
        self._reads = threading.BoundedSemaphore(limits.reads_in_flight)
        self._writes = threading.BoundedSemaphore(limits.writes_in_flight)

    @contextmanager
    def pass_(self, endpoint: Endpoint, *, weight: int = 1, patience_s: float = math.inf) -> Iterator[None]:
        """Hold the caller back until the call may go; then count it as in flight while the block runs.

        Args:
            weight: how many calls it is for the tool, e.g. the actions of a batch.
            patience_s: raise `WaitTooLong` rather than sit out a longer pause; our own limits are always obeyed.
        """
        with self._reads if endpoint.reads else self._writes:
            while wait_s := self._wait_or_take(endpoint, weight, patience_s):
                self._sleep(wait_s)
            yield

    def pause(self, seconds: float) -> None:
        """Nobody of this credential calls for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    def left(self) -> dict[str, int]:
        """How many more calls may start at once, by limit: `1 s`, `60 s`, and each group."""
        with self._lock:
            now = self._monotonic()
            named = {f"{window.period_s:g} s": window for window in self._windows} | self._groups
            return {name: 0 if now < self._paused_until else window.room(now) for name, window in named.items()}

    def _wait_or_take(self, endpoint: Endpoint, weight: int, patience_s: float) -> float:
        """The seconds to wait; 0 when the call may go, and then it is counted."""
        with self._lock:
            now = self._monotonic()
            if self._paused_until - now > patience_s:
                raise WaitTooLong(self._paused_until - now)
            windows = self._windows + ([self._groups[endpoint.group]] if endpoint.group in self._groups else [])
            wait_s = max(0.0, self._paused_until - now, *(w.wait_s(now, weight) for w in windows))
            if wait_s == 0.0:
                for window in windows:
                    window.take(now, weight)
            return wait_s
