"""The sandbox counts, remembers, restores, keeps its clock, signs people in and stops when it is asked."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from pmosync.sandbox.asana import tables
from pmosync.sandbox.jira import seed
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

ROOT = Path(__file__).resolve().parents[2]
BOT = ("pmo-bot@acme.example", "sandbox-jira-token")


def test_reads_and_writes_are_counted_apart_by_endpoint_and_a_search_is_a_read(site: Any) -> None:
    bot = site.as_user()
    site.search("project = OPS")
    bot.get(site.api("/issue/OPS-1"))
    bot.put(site.api("/issue/OPS-1/properties/a"), json=1)
    bot.put(site.api("/issue/NOPE-1/properties/a"), json=1)
    bot.get(site.api("/nowhere"))
    bot.get(f"{site.url}/browse/OPS-1")
    site.asana("/users/me")
    report = site.control("GET", "requests")
    assert (report["total"], report["reads"], report["writes"]) == (6, 4, 2)
    assert report["by_tool"] == {"jira": 5, "asana": 1}
    assert report["by_endpoint"]["PUT /rest/api/3/issue/{issueIdOrKey}/properties/{propertyKey}"] == 2
    assert [one["status"] for one in report["log"]] == [200, 200, 201, 404, 404, 200]
    assert report["log"][2]["user"] == "bot@acme.example"
    site.control("DELETE", "requests")
    assert site.control("GET", "requests")["total"] == 0


def test_a_batch_counts_as_its_actions(site: Any) -> None:
    actions = [
        {"method": "get", "relative_path": "/users/me"},
        {"method": "get", "relative_path": "/projects/1"},
    ]
    headers = {"Authorization": "Bearer asana-token"}
    answer = requests.post(
        f"{site.url}/api/1.0/batch", json={"data": {"actions": actions}}, headers=headers, timeout=10
    )
    assert [one["status_code"] for one in answer.json()["data"]] == [200, 404]
    report = site.control("GET", "requests")
    assert (report["reads"], report["writes"], report["round_trips"]) == (2, 0, 1)
    assert "POST /api/1.0/batch" not in report["by_endpoint"]


def test_a_restored_snapshot_is_the_same_world_again(site: Any) -> None:
    before, snapshot = site.control("GET", "state"), site.control("POST", "snapshot")
    site.as_user().put(site.api("/issue/PAY-3"), json={"update": {"labels": [{"add": "x"}]}})
    assert len(site.search("labels = x")) == 1
    assert site.control("GET", "state") != before
    site.control("POST", "restore", snapshot)
    assert site.control("GET", "state") == before
    assert site.search("labels = x") == []


def test_two_worlds_that_differ_in_dates_and_histories_only_are_the_same(site: Any) -> None:
    before = site.control("GET", "state")
    for verb in ("add", "remove"):
        site.control("POST", "clock", {"advance_s": 60})
        site.as_user().put(site.api("/issue/PAY-3"), json={"update": {"labels": [{verb: "x"}]}})
    assert site.control("GET", "state") == before
    assert len(site.control("GET", "changes")) == 2


def test_the_clock_starts_at_nine_on_its_day_and_can_be_moved(site: Any) -> None:
    def now() -> datetime:
        return datetime.fromisoformat(site.as_user().get(site.api("/serverInfo")).json()["serverTime"])

    started = now()
    assert timedelta(0) <= started - datetime(2026, 3, 2, 9, tzinfo=UTC) < timedelta(minutes=5)
    site.control("POST", "clock", {"advance_s": 86400})
    assert timedelta(days=1) <= now() - started < timedelta(days=1, minutes=1)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic !!!",
        "Basic " + base64.b64encode(b"bot@acme.example:wrong").decode(),
        "Basic " + base64.b64encode(b"ann@acme.example:bot-token").decode(),
        "Bearer wrong",
        "Bearer asana-token",
    ],
)
def test_unknown_credentials_are_refused(site: Any, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert requests.get(site.api("/myself"), headers=headers, timeout=10).status_code == 401
    assert requests.get(site.api("/serverInfo"), headers=headers, timeout=10).status_code == 200


def test_a_token_signs_in_as_basic_and_as_bearer(site: Any) -> None:
    bearer = requests.get(site.api("/myself"), headers={"Authorization": "Bearer ann-token"}, timeout=10)
    assert bearer.json()["accountId"] == "u-ann"
    assert site.as_user().get(site.api("/myself")).json()["accountId"] == "u-bot"


def test_a_body_that_is_no_json_is_refused_in_the_tools_words(site: Any) -> None:
    answer = site.as_user().post(site.api("/search/jql"), data=b"{")
    assert answer.status_code == 400
    assert "parsing JSON" in answer.json()["errorMessages"][0]


def test_an_unknown_control_call_names_those_there_are(site: Any) -> None:
    answer = requests.get(f"{site.url}/__sandbox__/nothing", timeout=10)
    assert answer.status_code == 404
    assert "POST faults" in answer.json()["error"]


def test_many_calls_share_one_connection(site: Any) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    request = f"GET /rest/api/3/serverInfo HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for _ in range(3):
            connection.sendall(request)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert b"Content-Length: " in answer


def test_what_a_failed_request_did_is_undone() -> None:
    state = State(as_of=date(2026, 3, 2))

    def fail() -> None:
        with state.transaction():
            state.mail("jira", ["a@acme.example"], "PAY-1", "x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert state.rows("SELECT * FROM mail") == []


def test_stopping_releases_who_hangs_and_closes_who_waits() -> None:
    state = State()
    seed.prepare(state)
    tables.prepare(state)
    server = Server(state)
    server.start()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /rest/api/3/serverInfo HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536)
        server.stop()
        assert connection.recv(65536) == b""
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=2)


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox in a process of its own, and its address."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "pmosync.sandbox", "--port", "0", *options]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert started.stdout is not None
        yield started, json.loads(started.stdout.readline())["url"]
    finally:
        started.kill()
        started.wait()
        if started.stdout:
            started.stdout.close()


def test_a_process_keeps_its_state_in_a_file_and_ends_cleanly_both_ways(tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "state.db"), "--as-of", "2026-03-02", "--ready-file", str(tmp_path / "ready"))
    with process(*options) as (running, url):
        assert json.loads((tmp_path / "ready").read_text()) == {"url": url, "pid": running.pid}
        project = requests.get(f"{url}/rest/api/3/project/search", auth=BOT, timeout=10).json()["values"][0]["key"]
        address = f"/rest/api/3/issue/{project}-1/properties/kept"
        assert requests.put(url + address, json={"a": 1}, auth=BOT, timeout=10).status_code == 201
        assert requests.post(f"{url}/__sandbox__/stop", timeout=10).status_code == 204
        assert running.wait(10) == 0
    with process(*options) as (running, url):
        assert requests.get(url + address, auth=BOT, timeout=10).json()["value"] == {"a": 1}
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


def test_a_switch_of_the_jira_site_that_does_not_exist_is_refused_by_name(site: Any) -> None:
    address = f"{site.url}/__sandbox__/switches"
    answer = requests.post(address, json={"jira": {"task_poles": 2}}, timeout=10)
    assert (answer.status_code, "task_poles" in answer.json()["error"]) == (400, True)
    assert requests.post(address, json={"jira": {"task_polls": "two"}}, timeout=10).status_code == 400
    assert requests.post(address, json={"jira": {"task_polls": 2}, "premium": "yes"}, timeout=10).status_code == 204
