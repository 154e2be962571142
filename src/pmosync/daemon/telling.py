"""Logs what the daemon does: one line for each finished cycle, one when something fails, one when it recovers.

In between nothing is repeated above debug, so that a site that is away for a day costs two lines. On a terminal lines
are coloured, elsewhere each one is a JSON object; the log of the rest of pmosync goes the same way.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

Event = MutableMapping[str, Any]

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)
log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("pmosync.daemon")


def start(level: int, stream: TextIO = sys.stderr) -> None:
    """Log to this stream from now on: for people on a terminal, for programs elsewhere."""
    to_people = stream.isatty()
    end = structlog.dev.ConsoleRenderer(colors=True) if to_people else structlog.processors.JSONRenderer(sort_keys=True)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _plain,
                end,
            ],
        )
    )
    ours = logging.getLogger("pmosync")
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # what goes wrong in a job is told by the daemon
    # Each wait for a site that is away would be a line of its own, job after job; the failing site is told once.
    logging.getLogger("pmosync.http").setLevel(level if level <= logging.DEBUG else logging.ERROR)


def _plain(_: Any, __: str, event: Event) -> Event:
    """Text that came from a tool cannot colour, move or clear anything."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = "".join(char if char.isprintable() or char == "\n" else " " for char in value)
    return event


class Told:
    """What is known to be wrong at the moment, by what it is about."""

    def __init__(self) -> None:
        self._wrong: dict[str, str] = {}
        self._lock = threading.Lock()

    def wrong(self, about: str, event: str, why: str, *, again_when_changed: bool = False, **values: Any) -> None:
        """Tell a failure, unless it was told before.

        Args:
            again_when_changed: tell it again when `why` is another one.
        """
        with self._lock:
            before = self._wrong.get(about)
            self._wrong[about] = why
        new = before is None or (again_when_changed and before != why)
        log.log(logging.WARNING if new else logging.DEBUG, event, why=why, **values)

    def right(self, about: str, event: str, **values: Any) -> None:
        """Tell a recovery, when a failure was told before."""
        with self._lock:
            was_wrong = self._wrong.pop(about, None) is not None
        if was_wrong:
            log.info(event, **values)

    def about(self, about: str) -> str | None:
        """Why something is wrong; None: it is not."""
        with self._lock:
            return self._wrong.get(about)
