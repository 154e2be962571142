"""Does the daemon's jobs in a process of its own, on orders: days pass in seconds, and its memory can be weighed.

Each order names the instant; the process's clock goes on from there. One order may end the process in the middle of a
job, as an operating system kills: right after the servers have taken a number of writes.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from pmosync.cycle import Outcome
from pmosync.daemon import telling
from pmosync.daemon.stopping import Stop
from pmosync.daemon.work import Work
from tests.acceptance.office import Office

HURRY = 200
"""So many times shorter are the waits before a failed call is tried again."""


# --- in the test ------------------------------------------------------------------------------------------------------


class Resident:
    """The process that does the daemon's jobs of one office; its log is a file beside the office."""

    def __init__(self, office: Office) -> None:
        self.log = office.folder.parent / f"{office.folder.name}.log"
        self._url = office.sandbox.url
        self._stream = self.log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.resident", str(office.folder), office.sandbox.url, office.now()],
            env={**os.environ, **office.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stream,
            text=True,
        )
        assert self._answer() is not None, f"the process did not start: {self.log.read_text('utf-8')[-2000:]}"

    def ask(self, **order: Any) -> dict[str, Any] | None:
        """Have something done; None: the process was killed on the way."""
        assert self._process.stdin
        now = requests.post(f"{self._url}/__sandbox__/clock", json={"advance_s": 0}, timeout=30).json()["now"]
        self._process.stdin.write(json.dumps({**order, "now": now}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any] | None:
        assert self._process.stdout
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def events(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind that it logged."""
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def close(self) -> int:
        """End the process; its exit code, or minus the signal that ended it."""
        self._process.communicate(timeout=30)
        self._stream.close()
        return self._process.returncode


# --- in the process ---------------------------------------------------------------------------------------------------


class _Hurried(Stop):
    """Waits for a failed call are simulated, too."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / HURRY)


class _Clock:
    """The instant of the last order, and the time since then."""

    def __init__(self, now: str) -> None:
        self.set(now)

    def set(self, now: str) -> None:
        self._at, self._set_s = dt.datetime.fromisoformat(now), time.monotonic()

    def __call__(self) -> dt.datetime:
        return self._at + dt.timedelta(seconds=time.monotonic() - self._set_s)


def kill_after(url: str, writes: int) -> None:
    """End this process as soon as the servers have taken so many more writes, before anybody learns of the last one."""
    send: Callable[..., Any] = HTTPAdapter.send
    lock = threading.Lock()

    def taken() -> int:
        with urllib.request.urlopen(f"{url}/__sandbox__/requests", timeout=30) as answer:
            return int(json.load(answer)["writes"])

    enough = taken() + writes

    def watched(*args: Any, **options: Any) -> Any:
        answer = send(*args, **options)
        with lock:
            if taken() >= enough:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

    HTTPAdapter.send = watched  # type: ignore[method-assign]


def told(name: str, outcome: Outcome | None) -> dict[str, Any]:
    """What came of a job, in the words of the test."""
    if outcome is None:
        return {"site": name, "failed": True}
    ended = outcome.sites[name]
    pushed = ended.pushed
    return {
        "site": name,
        "failed": ended.trouble is not None,
        "planned": len([line for line in outcome.plan.changes if line.site == name]),
        "written": pushed.done if pushed else 0,
        "refused": [*pushed.refused, *pushed.unknown] if pushed else [],
    }


def rss_kb() -> int:
    """The memory of this process that is in use, after everything that nobody needs was let go of."""
    gc.collect()
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def obey(work: Work, url: str, order: dict[str, Any]) -> dict[str, Any]:
    """Do what one order asks for."""
    if order["do"] == "memory":
        return {"rss_kb": rss_kb()}
    if "kill_after" in order:
        kill_after(url, order["kill_after"])
    jobs = []
    for name in order.get("sites") or work.desks.names():
        began_s = time.process_time()
        verb = work.due(name) if order["do"] == "due" else order["do"]
        if verb is not None:
            jobs.append({"verb": verb, **told(name, work.run(verb, name)), "cpu_s": time.process_time() - began_s})
    return {"jobs": jobs}


def serve(folder: Path, url: str, now: str) -> None:
    """One order per line on standard input; one line of answer for each."""
    telling.start(logging.INFO)
    clock = _Clock(now)
    with Work(folder / "pmosync.yaml", dict(os.environ), clock, stop=_Hurried()) as work:
        print("{}", flush=True)
        for text in sys.stdin:
            order = json.loads(text)
            clock.set(order["now"])
            print(json.dumps(obey(work, url, order)), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
