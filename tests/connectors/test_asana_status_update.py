"""Status updates of ours: sent once, seldom, with something new, in the colour that a person gave; and taken away."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Receipt, Slot, canonical
from pmosync_asana.writing import status_update

from .asana_kit import Client, client

TITLE = "PMO status: Onboarding: amber"
LINES = ["Time: 3 of 12 tasks are <late> & nobody says why.", "Guidance: https://pmo.acme.example/x"]


def mark(health: str = "amber", title: str = TITLE, lines: list[str] | None = None) -> str:
    return canonical({"health": health, "title": title, "lines": LINES if lines is None else lines})


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client; nothing has to be pulled for this."""
    return client(sandbox)


def project(sandbox: Sandbox, name: str = "New employee onboarding") -> str:
    """A project; this one has no status update yet."""
    return next(str(row["gid"]) for row in sandbox.state()["asana_project"] if row["name"] == name)


def change(gid: str, after: str | None, before: str | None = None, slot: str = "status_update") -> Change:
    subject: Any = "project" if slot == "status_update" else "rollup"
    return Change(Slot(subject, gid, slot), before, after, gid, "Onboarding")


def send(asana: Client, *changes: Change) -> Receipt:
    (receipt,) = asana.connector.push(changes)
    return receipt


def updates(sandbox: Sandbox, parent: str) -> list[dict[str, Any]]:
    """The newest first."""
    fields = "title,text,status_type,created_at,author.gid"
    return list(sandbox.asana("GET", "status_updates", parent=parent, opt_fields=fields)["data"])


def later(sandbox: Sandbox, asana: Client, days: float) -> None:
    """Let time pass, for both."""
    sandbox.advance(days * 86_400)
    asana.now[0] += dt.timedelta(days=days)


def test_an_update_is_sent_once_rests_for_a_week_and_says_only_what_is_new(sandbox: Sandbox, asana: Client) -> None:
    gid = project(sandbox)
    before = updates(sandbox, gid)
    assert (send(asana, change(gid, mark())).value, len(updates(sandbox, gid))) == (mark(), len(before) + 1)
    sent = updates(sandbox, gid)[0]
    assert (sent["status_type"], sent["title"]) == ("at_risk", TITLE)
    assert sent["text"] == "PMO health: amber\n" + "\n".join(LINES)
    heard = {row["why"] for row in sandbox.control("GET", "asana/notifications")}
    assert heard <= {"status_update"}
    sandbox.forget_requests()
    assert send(asana, change(gid, mark())).value == mark()
    worse = change(gid, mark("red", "PMO status: Onboarding: red"), mark())
    receipt = send(asana, worse)
    assert (receipt.fate, receipt.value) == ("later", None)
    ready = (asana.now[0] + dt.timedelta(days=7)).date()
    assert f"the next one may be sent on {ready}" in receipt.why
    assert sandbox.requests()["writes"] == 0
    later(sandbox, asana, 7.01)
    assert send(asana, change(gid, mark("red"), mark())).fate == "later", "title and lines are as they stand"
    assert send(asana, worse).fate == "done"
    assert [one["status_type"] for one in updates(sandbox, gid)[:2]] == ["off_track", "at_risk"]
    assert [r.value for r in client(sandbox).connector.read([worse.slot])] == [worse.after]


def test_the_colour_of_a_person_stays(sandbox: Sandbox, asana: Client) -> None:
    gid = project(sandbox)
    for sent in ("complete", "on_hold"):
        sandbox.advance(60)
        data = {"parent": gid, "status_type": sent, "text": "PMO health: what do they know?"}
        sandbox.asana("POST", "status_updates", {"data": data}, token="person-1")
    asana.now[0] += dt.timedelta(minutes=3)
    sandbox.advance(60)
    assert send(asana, change(gid, mark("red"))).fate == "done"
    assert updates(sandbox, gid)[0]["status_type"] == "on_hold"
    later(sandbox, asana, 8)
    assert send(asana, change(gid, mark("green", "Better"), mark("red"))).fate == "done"
    assert updates(sandbox, gid)[0]["status_type"] == "on_hold", "our own colour is nobody's"


def test_nothing_is_sent_while_the_health_is_not_known(sandbox: Sandbox, asana: Client) -> None:
    receipt = send(asana, change(project(sandbox), mark("grey")))
    assert (receipt.fate, receipt.why) == ("later", "the health is not known; nothing is sent until it is")
    assert sandbox.requests()["writes"] == 0


@pytest.mark.parametrize(("kind", "times"), [("cut_before", 1), ("cut_after", 1), ("truncated", 2), ("status", 1)])
def test_a_lost_answer_never_sends_a_second_update(sandbox: Sandbox, asana: Client, kind: str, times: int) -> None:
    gid = project(sandbox)
    before = len(updates(sandbox, gid))
    match = {"path": "/status_updates$", "method": "POST"}
    sandbox.fault({"kind": kind, "status": 503, "times": times, "match": match})
    first = send(asana, change(gid, mark()))
    sandbox.heal()
    assert first.fate in ("done", "unknown")
    again = replace(change(gid, mark()), tried_at=asana.now[0])
    second = send(asana, again)
    if first.fate == "unknown":
        assert second.fate == "unknown", "a list could be late: too early to send it again"
    asana.now[0] += dt.timedelta(minutes=2)
    assert (send(asana, again).value, len(updates(sandbox, gid))) == (mark(), before + 1)


def test_taking_it_away_deletes_all_of_ours_and_nobody_elses(sandbox: Sandbox, asana: Client) -> None:
    gid = project(sandbox)
    ours_by_hand = {"parent": gid, "status_type": "on_track", "text": "Written with the account of the PMO."}
    sandbox.asana("POST", "status_updates", {"data": ours_by_hand})
    before = updates(sandbox, gid)
    send(asana, change(gid, mark()))
    later(sandbox, asana, 8)
    send(asana, change(gid, mark("red", "Worse"), mark()))
    assert len(updates(sandbox, gid)) == len(before) + 2
    assert send(asana, change(gid, None, mark())).fate == "done"
    assert updates(sandbox, gid) == before


def test_a_portfolio_has_updates_too_and_what_asana_refuses_is_told_with_the_next_step(
    sandbox: Sandbox, asana: Client
) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    gid = sandbox.asana("GET", "portfolios", workspace=workspace, owner="me")["data"][0]["gid"]
    told = change(gid, mark("green", "PMO status: Cards: green"), slot="portfolio_update")
    assert send(asana, told).value == told.after
    assert [r.value for r in asana.connector.read([told.slot])] == [told.after]
    for status, step in ((402, "paid plan"), (403, "editor of the project")):
        sandbox.fault({"kind": "status", "status": status, "match": {"path": "/status_updates$", "method": "POST"}})
        refused = send(asana, change(project(sandbox), mark()))
        assert (refused.fate, step in refused.why) == ("refused", True)
    sandbox.fault({"kind": "status", "status": 404, "match": {"path": "/status_updates$"}})
    assert send(asana, change("4711", None, mark())).fate == "done"
    assert asana.connector.cost([told]).calls == {"GET /status_updates": 1, "POST /status_updates": 1}


def test_the_newest_update_by_a_person_is_found_beside_ours() -> None:
    def update(gid: str, author: str, text: str, day: int, **more: Any) -> dict[str, Any]:
        return {
            "gid": gid,
            "author": {"gid": author},
            "text": text,
            "created_at": f"2026-11-{day:02}T09:00:00Z",
            **more,
        }

    found = [
        update("1", "9", "PMO health: amber\nOld", 1, title="Old"),
        update("2", "5", "Fine", 2),
        update("3", "9", " PMO health: red. \n\n a  b ", 3, title="New "),
        update("4", "5", "PMO health: green\nA copy", 1),
    ]
    assert status_update.standing(found, "9") == canonical({"health": "red", "lines": ["a b"], "title": "New"})
    newest = status_update.newest_of_others(found, "9")
    assert newest
    assert newest["gid"] == "2"
    assert status_update.standing(found, "7") is None
