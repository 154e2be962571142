"""The sandbox as a process of its own, shared by all tests of a worker and put back to its beginning before each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import settings

from tests import statements

statements.share()
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")  # a busy machine is no defect

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Reference data beside the project; tests that need it skip when it is absent."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With MEASURE=once coverage is measured of one case of each test, and not of those that hypothesis repeats: what
    these reach, all of them reach, and to measure takes longer than to test."""
    if os.environ.get("MEASURE") != "once":
        return
    seen: set[str] = set()
    for item in items:
        name = item.nodeid.split("[")[0]
        if name in seen or getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)
        seen.add(name)


@dataclass
class Sandbox:
    """A running sandbox: its address, and its control calls."""

    url: str
    process: subprocess.Popen[str]
    api: str = "/rest/api/3"
    """Where the calls of Jira's API go that a test makes itself."""

    def be_data_center(self, **switches: Any) -> None:
        """Let the Jira site answer as Data Center from now on, until the sandbox is put back."""
        self.control("POST", "switches", {"jira": {"deployment": "data_center", **switches}})
        self.api = "/rest/api/2"

    def control(self, method: str, name: str, body: Any = None) -> Any:
        """One control call; its answer as data."""
        answer = requests.request(method, f"{self.url}/__sandbox__/{name}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def state(self) -> dict[str, Any]:
        """What both tools hold, without volatile columns."""
        found: dict[str, Any] = self.control("GET", "state")
        return found

    def snapshot(self) -> int:
        """Remember the whole state; the number is for `restore`."""
        return int(self.control("POST", "snapshot", {})["id"])

    def restore(self, number: int) -> None:
        """Go back to a remembered state, on Cloud."""
        self.api = "/rest/api/3"
        self.control("POST", "restore", {"id": number})

    def requests(self) -> dict[str, Any]:
        """What was asked since the last `forget_requests`: total, reads, writes, by_endpoint, log."""
        found: dict[str, Any] = self.control("GET", "requests")
        return found

    def forget_requests(self) -> None:
        """Count from nothing again."""
        self.control("DELETE", "requests")

    def mail(self) -> list[dict[str, Any]]:
        """Everybody who was mailed."""
        found: list[dict[str, Any]] = self.control("GET", "mail")
        return found

    def fault(self, *faults: dict[str, Any]) -> None:
        """Let these go wrong, in place of all faults before."""
        self.control("POST", "faults", list(faults))

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.control("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self.control("POST", "clock", {"advance_s": seconds})

    def jira(
        self, method: str, path: str, body: Any = None, *, token: str = "sandbox-jira-token", **params: Any
    ) -> Any:
        """One call of Jira's API as the bot, or as a person with their token."""
        answer = requests.request(
            method,
            f"{self.url}{self.api}/{path}",
            json=body,
            params=params,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def asana(
        self, method: str, path: str, body: Any = None, *, token: str = "sandbox-asana-token", **params: Any
    ) -> Any:
        """One call of Asana's API as the bot, or as a person with their token."""
        answer = requests.request(
            method,
            f"{self.url}/api/1.0/{path}",
            json=body,
            params=params,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def start_sandbox(*arguments: str) -> Sandbox:
    """A new sandbox process that answers; `stop_sandbox` ends it. Its coverage is that of its own tests."""
    command = [sys.executable, "-m", "pmosync.sandbox", "--port", "0", *arguments]
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_"))}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=unmeasured)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the sandbox did not start"
    return Sandbox(json.loads(line)["url"], process)


def stop_sandbox(sandbox: Sandbox) -> None:
    """End a sandbox process."""
    sandbox.process.terminate()
    try:
        sandbox.process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        sandbox.process.kill()
        sandbox.process.wait(timeout=10)
    if sandbox.process.stdout:
        sandbox.process.stdout.close()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[tuple[Sandbox, int]]:
    """The process of this worker, and the number of its first snapshot."""
    running = start_sandbox()
    try:
        yield running, running.snapshot()
    finally:
        stop_sandbox(running)


@pytest.fixture
def sandbox(sandbox_process: tuple[Sandbox, int]) -> Sandbox:
    """A sandbox with the generated organisation, as if nobody had been there."""
    running, beginning = sandbox_process
    running.heal()
    running.restore(beginning)
    running.forget_requests()
    return running


@pytest.fixture
def shared() -> Path:
    """The reference data, or a skip that says why."""
    if not SHARED.is_dir():
        pytest.skip("the reference data beside the project is absent")
    return SHARED
