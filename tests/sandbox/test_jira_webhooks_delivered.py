"""Webhooks of the sandbox's Jira come again when they were not taken; late, lost or doubled where a switch says so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from pmosync.sandbox.jira import seed
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

from .webhook_desk import OLD, ROOT, TASK, TEXT, Desk, Receiver, at_desk, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def desk(site: Any, receiver: Receiver) -> Desk:
    return at_desk(site, receiver)


def test_a_delivery_that_is_not_taken_comes_again_five_times_within_half_an_hour(desk: Desk) -> None:
    desk.receiver.statuses = [503, 408, 409, 425, 429, 500]
    desk.hook("jira:issue_updated")
    desk.edit()
    assert desk.wait()["waiting"] == 1
    assert len(desk.receiver.got) == 1
    desk.later(61)
    assert desk.receiver.got[1].headers["X-Atlassian-Webhook-Retry"] == "1"
    desk.later(1740)
    assert [one.headers.get("X-Atlassian-Webhook-Retry") for one in desk.receiver.got] == [None, *"12345"]
    assert len({one.headers["X-Atlassian-Webhook-Identifier"] for one in desk.receiver.got}) == 1
    assert len({one.raw for one in desk.receiver.got}) == 1
    (line,) = desk.log()
    assert (line["status"], line["answers"]) == ("failed", [503, 408, 409, 425, 429, 500])
    desk.later(3600)
    assert len(desk.receiver.got) == 6


def test_a_delivery_is_late_but_taken_when_the_receiver_comes_back(desk: Desk) -> None:
    desk.receiver.statuses = [502]
    desk.hook("jira:issue_updated")
    desk.edit("PAY-3")
    desk.edit("PAY-4")
    desk.later(60)
    keys = [(one.body["issue"]["key"], one.headers.get("X-Atlassian-Webhook-Retry")) for one in desk.receiver.got]
    assert keys == [("PAY-3", None), ("PAY-4", None), ("PAY-3", "1")]
    assert [line["status"] for line in desk.log()] == ["delivered", "delivered"]


def test_a_refusal_is_final_and_a_closed_port_is_not(desk: Desk) -> None:
    desk.receiver.statuses = [404]
    desk.hook("jira:issue_updated")
    desk.edit()
    desk.wait()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        desk.hook("comment_created", url=f"http://127.0.0.1:{nobody.getsockname()[1]}/closed")
    desk.do("POST", "/rest/api/3/issue/PAY-3/comment", {"body": TEXT})
    assert desk.wait()["waiting"] == 1
    refused, closed = desk.log()
    assert (refused["status"], refused["answers"]) == ("refused", [404])
    assert (closed["status"], closed["retry"]) == ("waiting", 1)
    assert "ConnectionRefusedError" in closed["answers"][0]


def test_what_waits_for_a_webhook_that_was_removed_is_dropped(desk: Desk) -> None:
    desk.receiver.statuses = [503]
    path = urlsplit(desk.hook("jira:issue_updated")["self"]).path
    desk.edit()
    desk.wait()
    desk.do("DELETE", path)
    desk.later(60)
    assert [line["status"] for line in desk.log()] == ["dropped"]


def test_deliveries_are_doubled_late_out_of_order_and_lost_where_the_switches_say_so(desk: Desk) -> None:
    desk.site.control("POST", "switches", {"jira": {"webhook_delays_s": [30, 0, -1, 0]}})
    desk.hook("jira:issue_updated")
    for number in (3, 4, 5):
        desk.edit(f"PAY-{number}")
    desk.site.control("POST", "switches", {"jira": {"webhook_delays_s": [], "webhook_duplicates": 1}})
    desk.edit("PAY-6")
    desk.later(31)
    assert [one.body["issue"]["key"] for one in desk.receiver.got] == ["PAY-4", "PAY-6", "PAY-6", "PAY-3"]
    first, second = desk.receiver.got[1:3]
    name = "X-Atlassian-Webhook-Identifier"
    assert first.headers[name] == second.headers[name] != desk.receiver.got[0].headers[name]
    assert [line["status"] for line in desk.log()].count("lost") == 1


def test_a_receiver_that_hangs_holds_up_no_call(desk: Desk) -> None:
    desk.hook("jira:issue_updated")
    desk.receiver.hold.clear()
    begun = time.monotonic()
    for number in range(3, 13):
        desk.edit(f"PAY-{number}")
    assert desk.site.control("POST", "webhooks/wait", {"seconds": 0.05}) == {"idle": False, "waiting": 10}
    assert time.monotonic() - begun < 5, "the receiver holds each for ten seconds"
    desk.receiver.hold.set()
    desk.wait()
    assert len(desk.receiver.got) == 10


def test_a_receiver_that_answers_too_late_is_tried_again(desk: Desk) -> None:
    desk.site.control("POST", "switches", {"jira": {"webhook_timeout_s": 0.1}})
    desk.hook("jira:issue_updated")
    desk.receiver.hold.clear()
    desk.edit()
    desk.wait()
    assert "imeout" in desk.log()[0]["answers"][0]
    desk.receiver.hold.set()
    desk.site.control("POST", "switches", {"jira": {"webhook_timeout_s": None}})
    desk.later(60)
    assert desk.log()[0]["status"] == "delivered"


def couriers() -> int:
    """How many threads deliver webhooks."""
    return sum(one.name == "jira-webhooks" for one in threading.enumerate())


def test_the_end_of_the_sandbox_waits_for_no_receiver(receiver: Receiver) -> None:
    state = State(as_of=date(2026, 3, 2))
    seed.prepare(state)
    with state.transaction():
        seed.add_user(state, "u-root", "Root", ROOT[0], admin=True)
        seed.add_token(state, "u-root", ROOT[1])
        seed.add_project(state, "PAY", "Payments", "u-root")
    before = couriers()
    server = Server(state)
    server.start()
    receiver.hold.clear()
    hook = {"name": "x", "url": receiver.url, "events": ["jira:issue_created"]}
    requests.post(server.url + OLD, json=hook, auth=ROOT, timeout=10).raise_for_status()
    requests.post(server.url + "/rest/api/3/issue", json={"fields": TASK}, auth=ROOT, timeout=10).raise_for_status()
    assert couriers() == before + 1
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 2
    assert couriers() == before


def test_what_a_saved_state_still_had_to_deliver_is_delivered_after_its_restart(
    receiver: Receiver, tmp_path: Path
) -> None:
    path = str(tmp_path / "sandbox.db")
    state = State(path, as_of=date(2026, 3, 2))
    seed.prepare(state)
    with state.transaction():
        seed.add_user(state, "u-root", "Root", ROOT[0], admin=True)
        seed.add_token(state, "u-root", ROOT[1])
        seed.add_project(state, "PAY", "Payments", "u-root")
    switch = {"jira": {"webhook_delays_s": [60]}}
    for step in ("told", "delivered"):
        server = Server(state)
        server.start()
        control = f"{server.url}/__sandbox__"
        if step == "told":
            hook = {"name": "x", "url": receiver.url, "events": ["jira:issue_created"]}
            requests.post(f"{control}/switches", json=switch, timeout=10).raise_for_status()
            requests.post(server.url + OLD, json=hook, auth=ROOT, timeout=10).raise_for_status()
            made = requests.post(server.url + "/rest/api/3/issue", json={"fields": TASK}, auth=ROOT, timeout=10)
            made.raise_for_status()
        requests.post(f"{control}/clock", json={"advance_s": 31}, timeout=10).raise_for_status()
        requests.post(f"{control}/webhooks/wait", timeout=20).raise_for_status()
        assert len(receiver.got) == (0 if step == "told" else 1)
        server.stop()
        state = State(path)
        seed.prepare(state)
    state.close()
