"""Checks what is written into a Data Center: single edits alone, wiki text that shows what was meant, no mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.connectors.jira_pile import SELECT, TEXT, TOKEN, Pile, fates, flag, push

from pmosync.contract import Change, Slot
from pmosync.sandbox.jira import datacenter

SINGLE = "PUT /rest/api/2/issue/{id}"
SAID = (
    "SCH201 Overdue [really] {now} *soon* |or| !not! _this_, since 2026-11-20, fix by 2026-11-27\nsee C:\\temp {code}"
)
SLOTS = ("property", "label", "field", "text_field", "comment", "remote_link")


@pytest.fixture
def jira(pile: Pile, open_jira: Any) -> Any:
    """A connector on the site as Data Center answers it, prepared for every slot of a task."""
    with pile.server.app.state.transaction():
        datacenter.switch_on(pile.server.app.state)
    desk = open_jira(pile.url, token=TOKEN, deployment="data_center", fields=("summary", "labels"))
    desk.scope = replace(desk.scope, slots=SLOTS, pins={"mail": "accept"})
    made = desk.connector.prepare(desk.scope, True)
    desk.limitations = made.limitations
    desk.scope = replace(desk.scope, pins={**desk.scope.pins, **made.pins})
    desk.connector.prepare(desk.scope, True)
    pile.server.app.log.clear()
    desk.session.calls.clear()
    return desk


def test_everything_of_an_issue_goes_in_one_edit_and_nothing_goes_in_bulk(pile: Pile, jira: Any) -> None:
    changes = [
        *pile.changes("BIG", "label", ["high"] * 60),
        *pile.changes("BIG", "field", ["high"] * 60),
        *pile.changes("BIG", "text_field", [SAID] * 60),
        *pile.changes("BIG", "property", [flag("high")] * 60),
    ]
    estimate = jira.connector.cost(changes)
    receipts = push(jira, *changes)
    assert fates(receipts) == {"done": 240}
    assert jira.session.calls == {SINGLE: 60} == estimate.calls
    assert pile.mails == 0
    issue = pile.ids("BIG")[0]
    assert (pile.fields(issue)[SELECT]["value"], pile.fields(issue)[TEXT]) == ("High", SAID)
    assert {one.value for one in jira.connector.read([Slot("task", issue, slot) for slot in SLOTS[:4]])} == {
        flag("high"), "high", SAID,
    }  # fmt: skip


def test_a_comment_shows_every_sign_and_is_edited_in_place(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", ["DAT101 No owner"])
    push(jira, change)
    (receipt,) = push(jira, replace(change, before="DAT101 No owner", after=SAID))
    assert (receipt.fate, receipt.value) == ("done", SAID)
    (row,) = pile.comments(change.slot.id)
    assert r"\[really\] \{now\} \*soon\* \|or\| \!not\! \_this\_" in orjson.loads(row["body"])
    assert [one.value for one in jira.connector.read([change.slot])] == [SAID]
    assert fates(push(jira, replace(change, before=SAID, after=None))) == {"done": 1}
    assert pile.comments(change.slot.id) == []


def test_a_link_is_set_and_cleared(pile: Pile, jira: Any) -> None:
    link = '{"title":"PMO: 1 finding: no owner","url":"https://pmo.acme.example/DAT101.html"}'
    (change,) = pile.changes("BIG", "remote_link", [link])
    assert fates(push(jira, change)) == {"done": 1}
    assert [one.value for one in jira.connector.read([change.slot])] == [link]
    assert fates(push(jira, Change(change.slot, link, None, change.project))) == {"done": 1}


def test_the_fields_are_told_where_they_are_not_on_the_edit_screen(pile: Pile, jira: Any) -> None:
    where = {(one.project, one.slot) for one in jira.limitations}
    assert where == {(pile.project("DESK"), slot) for slot in ("field", "text_field")}


def test_a_label_takes_the_right_to_administer_or_accepted_mail(pile: Pile, jira: Any) -> None:
    quiet = replace(jira.scope, slots=("property", "label"), pins={})
    told = jira.connector.prepare(quiet, False).limitations
    assert {(one.project, one.slot) for one in told} == {(pile.project("TEAM"), "label")}
    assert fates(push(jira, *pile.changes("TEAM", "label", ["high"]))) == {"refused": 1}
    jira.connector.prepare(jira.scope, False)
    assert fates(push(jira, *pile.changes("TEAM", "label", ["high"]))) == {"done": 1}
    assert pile.mails == 1
