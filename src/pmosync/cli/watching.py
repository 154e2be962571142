"""Shows how far a run is: a progress bar on a terminal, one log line for each finished step elsewhere.

It looks over the shoulder of the connectors and changes nothing of what they say or do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pmosync.cli.options import Common, configured
from pmosync.cli.terminal import err, warn
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
from pmosync.decisions import Approval
from pmosync.opening import Ready
from pmosync.opening import ready as opened

log = logging.getLogger("pmosync.cli")

Advance = Callable[[int], None]


class Steps:
    """The steps of one run, as a person or a log sees them."""

    def __init__(self, *, quiet: bool) -> None:
        self._bars: Progress | None = None
        if err().is_terminal and not quiet:
            self._bars = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=err(),
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    @contextmanager
    def step(self, name: str, doing: str, things: str, total: int | None = None) -> Iterator[Advance]:
        """One step; what it yields counts the things that are done."""
        began_s, count = time.monotonic(), 0
        bar = self._bars.add_task(f"{name}: {doing}", total=total) if self._bars else None

        def advance(number: int) -> None:
            nonlocal count
            count += number
            if self._bars and bar is not None:
                self._bars.advance(bar, number)

        try:
            yield advance
        finally:
            if self._bars and bar is not None:
                self._bars.remove_task(bar)
            else:
                log.info("%s: %s, %d %s in %.1f s", name, doing, count, things, time.monotonic() - began_s)


class Watched:
    """A connector whose pulls and pushes are counted while they go on."""

    def __init__(self, name: str, inner: Connector, steps: Steps) -> None:
        self.capabilities = inner.capabilities
        self._name, self._inner, self._steps = name, inner, steps

    def describe(self) -> Catalog:
        return self._inner.describe()

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        doing = "reading everything" if since is None else "reading what changed"
        with self._steps.step(self._name, doing, "records") as advance:
            for batch in self._inner.pull(scope, since, known):
                advance(len(batch.records))
                yield batch

    def whereabouts(self, scope: Scope, tasks: Sequence[str]) -> Mapping[str, Fallen]:
        return self._inner.whereabouts(scope, tasks)

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        return self._inner.prepare(scope, write)

    def release(self, scope: Scope) -> Sequence[str]:
        return self._inner.release(scope)

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        with self._steps.step(self._name, "looking at marks", "marks", len(slots)) as advance:
            for reading in self._inner.read(slots):
                advance(1)
                yield reading

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        with self._steps.step(self._name, "writing", "marks", len(changes)) as advance:
            for receipt in self._inner.push(changes):
                advance(1)
                yield receipt

    def cost(self, changes: Sequence[Change]) -> Estimate:
        return self._inner.cost(changes)

    def close(self) -> None:
        self._inner.close()


@contextmanager
def ready(
    options: Common,
    names: Sequence[str] | None,
    *,
    doing: str,
    read_only: bool = False,
    approvals: Sequence[Approval] = (),
) -> Iterator[Ready]:
    """Everything for one cycle of a verb, which shows how far it is. The arguments are those of `opening.ready`."""
    with (
        Steps(quiet=options.quiet) as steps,
        opened(
            configured(options),
            names,
            clock=options.clock(),
            watch=lambda name, connector: Watched(name, connector, steps),
            warn=warn,
            doing=doing,
            read_only=read_only,
            approvals=approvals,
        ) as made,
    ):
        yield made
