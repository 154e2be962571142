"""Starts the daemon, waits for a signal, and ends it within ten seconds.

On SIGTERM or SIGINT no job begins any more, and running ones end at their next batch, receipt or wait. What hangs is
left where it is: killing it anywhere is safe. A second signal leaves at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from pmosync import __version__
from pmosync.config.unattended import Address
from pmosync.contract import Clock
from pmosync.daemon import telling
from pmosync.daemon.health import application, serving
from pmosync.daemon.schedule import Scheduler
from pmosync.daemon.telling import log
from pmosync.daemon.work import Work
from pmosync.exits import DONE, STOPPED

GRACE_S = 8.0
"""How long running jobs have to end; with the rest of stopping it is less than ten seconds."""
LOOK_S = 0.05

Signals = SimpleQueue[int]


def serve(path: Path | None, environ: Mapping[str, str], clock: Clock, listen: Address | None, level: int) -> int:
    """Run until a signal comes; returns the exit code.

    Args:
        path: of pmosync.yaml; None: where the environment says, else here.
        listen: instead of what the configuration says.
        level: of the log.

    Raises:
        Misconfigured: the files cannot be used, or the address cannot be listened on.
        StoreTrouble: the store cannot be used.
    """
    telling.start(level, sys.stderr)
    with _signals() as signals, Work(path, environ, clock) as work:
        scheduler = Scheduler(work)
        app = application(scheduler.not_alive, work.not_ready, work.metrics.text)
        with serving(listen or work.desks.edition.config.listen, app) as address:
            log.info("started", version=__version__, listen=str(address), process=os.getpid())
            scheduler.start()
            log.info("stopping", signal=signal.Signals(signals.get()).name)
            work.stop.ask()
            scheduler.stop()
            left = _ended(work, signals)
    if left:
        log.warning("left while it hung; nothing is lost, the next run goes on", sites=left)
        _leave(DONE)
    log.info("stopped")
    return DONE


@contextmanager
def _signals() -> Iterator[Signals]:
    """The signals that ask to stop, one by one."""
    found: Signals = SimpleQueue()
    before = {
        number: signal.signal(number, lambda got, _: found.put(got)) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ended(work: Work, signals: Signals) -> list[str]:
    """Wait for running jobs; returns the sites whose job did not end."""
    until_s = time.monotonic() + GRACE_S
    while (left := work.desks.busy()) and time.monotonic() < until_s:
        try:
            signals.get(timeout=LOOK_S)
        except Empty:
            continue
        log.warning("left at once; nothing is lost, the next run goes on", sites=left)
        _leave(STOPPED)
    return left


def _leave(code: int) -> None:
    """End the process whatever its threads do."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
