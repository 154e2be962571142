"""Lets a run end early and cleanly when the daemon is asked to stop: at the next batch, receipt or wait.

What was stored stays, and what was written is recorded; everything else is as if the run had been killed there, which
the next run makes good.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, cast

from pmosync.contract import (
    Batch,
    Catalog,
    Change,
    Connector,
    Estimate,
    Fallen,
    Known,
    Prepared,
    Reading,
    Receipt,
    Scope,
    Slot,
)


class Stopped(Exception):
    """Raised where a run would wait or go on although it was asked to stop."""


class Stop:
    """A request to stop, shared by everything that may have to end early."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def ask(self) -> None:
        """Ask everything to end."""
        self._event.set()

    def check(self) -> None:
        """Go no further when asked to stop."""
        if self._event.is_set():
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """A wait that a request to stop ends."""
        if self._event.wait(seconds):
            raise Stopped

    def watch(self, name: str, connector: Connector) -> Connector:
        """The connector of a site, ending early when asked to."""
        return Interruptible(connector, self)


class Interruptible:
    """A connector that looks for a request to stop between any two things that it does."""

    def __init__(self, inner: Connector, stop: Stop) -> None:
        self.capabilities = inner.capabilities
        self._inner, self._stop = inner, stop

    def describe(self) -> Catalog:
        self._stop.check()
        return self._inner.describe()

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        self._stop.check()
        for batch in self._inner.pull(scope, since, known):
            yield batch
            self._stop.check()

    def whereabouts(self, scope: Scope, tasks: Sequence[str]) -> Mapping[str, Fallen]:
        self._stop.check()
        return self._inner.whereabouts(scope, tasks)

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        self._stop.check()
        return self._inner.prepare(scope, write)

    def release(self, scope: Scope) -> Sequence[str]:
        return self._inner.release(scope)

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        for reading in self._inner.read(slots):
            yield reading
            self._stop.check()

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Ends without an error, so that the receipts that came are recorded; for the rest intentions are stored."""
        if self._stop.asked:
            return
        # a connector writes in a generator; closing it waits for the calls that are on their way
        with closing(cast("Any", self._inner.push(changes))) as receipts:
            try:
                for receipt in receipts:
                    yield receipt
                    if self._stop.asked:
                        return
            except Stopped:
                return

    def cost(self, changes: Sequence[Change]) -> Estimate:
        return self._inner.cost(changes)

    def close(self) -> None:
        self._inner.close()
