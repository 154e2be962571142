"""Starts `pmosync` in child processes that cost milliseconds: a warm process that forks one child per command.

Each child is a process of its own, with its own exit code, and can be killed as an operating system kills: at the nth
point of a run, which is before or after a request, or before or after a commit.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asana  # noqa: F401 - loaded once, so that no child has to
import jira  # noqa: F401
from requests.adapters import HTTPAdapter
from sqlalchemy.engine.default import DefaultDialect

import pmosync_asana  # noqa: F401
import pmosync_jira  # noqa: F401
from pmosync.cli import main
from pmosync.config.connectors import installed
from pmosync.config.values import holiday_dates
from tests import statements
from tests.core.memory import World

LONGEST_S = 100
"""A child that takes longer is ended."""


class Points:
    """Counts the points of a run, tells them to a file, and ends the process at one of them."""

    def __init__(self, trace: Path, kill_at: int | None) -> None:
        self._trace = trace.open("a", encoding="utf-8", buffering=1)
        self._kill_at, self._passed = kill_at, 0
        self._lock = threading.Lock()

    def pass_(self, what: str) -> None:
        """One point; the process may end here."""
        with self._lock:
            self._passed += 1
            self._trace.write(f"{what}\n")
            if self._passed == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, fn: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        """The function with a point before and a point after it."""

        @functools.wraps(fn)
        def watched(*args: Any, **options: Any) -> Any:
            self.pass_(f"before {name(*args, **options)}")
            found = fn(*args, **options)
            self.pass_(f"after {name(*args, **options)}")
            return found

        return watched


def watch(trace: Path, kill_at: int | None) -> None:
    """Put a point around every request and every commit of this process."""
    points = Points(trace, kill_at)
    HTTPAdapter.send = points.around(  # type: ignore[method-assign]
        HTTPAdapter.send, lambda _, request, *args, **options: f"{request.method} {request.path_url}"
    )
    DefaultDialect.do_commit = points.around(DefaultDialect.do_commit, lambda *_: "commit")  # type: ignore[method-assign]


def child(order: dict[str, Any]) -> int:
    """Run one command as a new process would."""
    signal.alarm(LONGEST_S)
    os.chdir(order["folder"])
    os.environ.update(order["environ"])
    for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
        target = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(target, stream.fileno())
    if order["trace"]:
        watch(Path(order["trace"]), order["kill_at"])
    code = main(order["line"])
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def warm_up() -> None:
    """Run some cycles, so that no child has to put together and compile the statements that every cycle runs; and look
    for what stands beside the program: holidays, connectors."""
    statements.share()
    holiday_dates("DE")
    installed()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for number in range(3):
            world.tool.put(str(number))
            world.run()
        world.run(full=True)
        world.store.close()


def serve() -> None:
    """One order per line on standard input; one line with the exit code for each."""
    warm_up()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    for text in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = child(json.loads(text))
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")


if __name__ == "__main__":
    serve()
