"""A daemon as a process of its own in an office, as an operator would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.office import Office

PATIENCE_S = 60.0
START = "import sys; from pmosync.cli import main; sys.exit(main())"


@dataclass
class Daemon:
    """A running daemon."""

    process: subprocess.Popen[bytes]
    errors: Path

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it logged so far; lines that are not whole yet are left out."""
        text = self.errors.read_text("utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.startswith("{")]

    def events(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind."""
        return [line for line in self.log if line["event"] == event]

    def get(self, page: str) -> requests.Response:
        """One of its pages."""
        (started,) = self.events("started")
        return requests.get(f"http://{started['listen']}{page}", timeout=10)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to stop: its exit code, and how long that took."""
        began_s = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(20), time.monotonic() - began_s


@contextmanager
def running(office: Office, name: str = "daemon", *more: str) -> Iterator[Daemon]:
    """A daemon that has started; killed in the end if it still lives."""
    errors = office.folder.parent / f"{office.folder.name}.{name}.log"
    line = [sys.executable, "-c", START, "daemon", "--listen", "127.0.0.1:0", "--now", office.now(), *more]
    with errors.open("wb") as stream:
        process = subprocess.Popen(line, cwd=office.folder, env={**os.environ, **office.environ}, stderr=stream)
    made = Daemon(process, errors)
    try:
        until(lambda: bool(made.events("started")), lambda: errors.read_text("utf-8"))
        yield made
    finally:
        process.kill()
        process.wait(20)


def until(holds: Callable[[], bool], told: Callable[[], str] = str, patience_s: float = PATIENCE_S) -> float:
    """Wait until something holds; how long that took."""
    began_s = time.monotonic()
    while not holds():
        assert time.monotonic() - began_s < patience_s, told()
        time.sleep(0.1)
    return time.monotonic() - began_s
