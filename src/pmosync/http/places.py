"""Counts the places that calls take: in a stretch of time, and in flight. A batch takes one for each of its actions.

It keeps the promise that who came first finds room first: a heavy call that has to wait for many places is not
overtaken for ever by light ones that need only one.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Window:
    """At most `count` calls in any `period_s` seconds and the slack, exactly. Whoever uses it holds a lock."""

    def __init__(self, count: float, period_s: float, slack_s: float = 0.0) -> None:
        self.count = count
        self.period_s = period_s if count >= 1 else period_s / count
        self._counted_s = self.period_s + slack_s
        self._whole = max(1, math.floor(count))
        self._starts: deque[float] = deque(maxlen=self._whole)
        self._claims: dict[object, int] = {}

    def wait_s(self, now: float, weight: int, claim: object) -> float:
        """Seconds until there is room for so many. Who has to wait has a claim: later ones leave it that room."""
        wanted = weight
        for other, places in self._claims.items():
            if other is claim:
                break
            wanted += places
        missing = min(wanted, self._whole) - (self._whole - len(self._starts))
        wait_s = 0.0 if missing <= 0 else max(0.0, self._starts[missing - 1] + self._counted_s - now)
        if wait_s > 0:
            self._claims.setdefault(claim, weight)
        return wait_s

    def take(self, now: float, weight: int, claim: object) -> None:
        """So many start now."""
        self.withdraw(claim)
        self._starts.extend([now] * weight)

    def withdraw(self, claim: object) -> None:
        """Nobody keeps room for this one any longer."""
        self._claims.pop(claim, None)

    def take_over(self, other: Window) -> None:
        """Count what another window has counted."""
        self._starts.extend(other._starts)
        self._claims.update(other._claims)

    def recent(self, now: float) -> int:
        """How many calls started in the last period."""
        return sum(1 for start in self._starts if start + self._counted_s > now)

    def room(self, now: float) -> int:
        """How many calls may start now."""
        return self._whole - self.recent(now)


class Lane:
    """So many calls may be in flight at a time; who waits is let in in the order of coming. Thread-safe."""

    def __init__(self, places: int) -> None:
        self._places = self._free = places
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, weight: int) -> Iterator[None]:
        """Hold so many places while the block runs; all there are for a call that is heavier."""
        wanted, me = min(weight, self._places), object()
        with self._changed:
            self._line.append(me)
            try:
                self._changed.wait_for(lambda: self._line[0] is me and self._free >= wanted)
                self._free -= wanted
            finally:
                self._line.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()
