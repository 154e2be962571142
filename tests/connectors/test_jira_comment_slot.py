"""Checks the one comment of ours on an issue: edited in place, never a second one, internal, and gone when cleared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import orjson
import pytest
import requests
from tests.connectors.jira_pile import TOKEN, Pile, fates, flag, prepared, push

from pmosync.contract import Slot

TEXT = (
    "DAT101 No owner, since 2026-11-20, fix by 2026-11-27: Give it one.\nGuidance: https://pmo.acme.example/DAT101.html"
)
LATER = "SCH201 Overdue [really] {now} *soon* |or| !not!, since 2026-11-20, fix by 2026-11-27"
SLOTS = ("property", "comment")
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def jira(pile: Pile, open_jira: Any) -> Any:
    """A connector that has prepared, for a mapping that accepts mail."""
    return prepared(pile, open_jira, *SLOTS, pins={"mail": "accept"})


def say(pile: Pile, issue: str, text: str, token: str = "ann-token", **more: Any) -> None:
    """Somebody comments on an issue."""
    url = f"{pile.url}/rest/api/2/issue/{issue}/comment"
    answer = requests.post(url, json={"body": text, **more}, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.ok, answer.text


def shown(pile: Pile, issue: str) -> list[str]:
    """The comments of an issue as plain text."""
    url = f"{pile.url}/rest/api/2/issue/{issue}/comment"
    answer = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    return [one["body"] for one in answer.json()["comments"]]


def test_a_comment_is_made_once_and_then_edited_in_place_without_mail(pile: Pile, jira: Any) -> None:
    (first,) = pile.changes("BIG", "comment", [TEXT])
    assert [(one.fate, one.value) for one in push(jira, first)] == [("done", TEXT)]
    assert pile.mails == 1, "Jira cannot make a comment without mail"
    say(pile, first.slot.id, "Thank you")
    mails = pile.mails
    assert [(one.fate, one.value) for one in push(jira, replace(first, before=TEXT, after=LATER))] == [("done", LATER)]
    made, answer = shown(pile, first.slot.id)
    assert (made, answer) == (LATER, "Thank you")
    assert pile.mails == mails
    (reading,) = jira.connector.read([first.slot])
    assert reading.value == LATER


def test_a_comment_that_says_it_already_is_left_as_it_is(pile: Pile, jira: Any) -> None:
    (first,) = pile.changes("BIG", "comment", [TEXT])
    push(jira, first)
    pile.server.app.log.clear()
    assert fates(push(jira, replace(first, tried_at=NOON))) == {"done": 1}
    assert pile.writes() == {}


def test_it_is_made_only_where_mail_is_accepted(pile: Pile, open_jira: Any) -> None:
    jira = prepared(pile, open_jira, *SLOTS)
    assert {one.slot for one in jira.limitations} == {"comment"}
    assert all("mail: accept" in one.why for one in jira.limitations)
    (receipt,) = push(jira, *pile.changes("BIG", "comment", [TEXT]))
    assert (receipt.fate, "mail" in receipt.why) == ("refused", True)
    assert shown(pile, receipt.change.slot.id) == []


@pytest.mark.parametrize("project", ["BIG", "DESK"])
def test_it_is_internal_from_the_first_moment_wherever_customers_could_read_it(
    pile: Pile, jira: Any, project: str
) -> None:
    (change,) = pile.changes(project, "comment", [TEXT])
    push(jira, change)
    push(jira, replace(change, before=TEXT, after=LATER))
    (row,) = pile.comments(change.slot.id)
    properties = {one["key"]: one["value"] for one in orjson.loads(row["properties"])}
    assert properties == {"pmosync.comment": {"text": LATER}, "sd.public.comment": {"internal": True}}


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncated"])
def test_an_answer_that_got_lost_never_makes_a_second_comment(pile: Pile, jira: Any, kind: str) -> None:
    pile.fault({"kind": kind, "times": 1, "match": {"method": "POST", "path": "comment$"}})
    (change,) = pile.changes("BIG", "comment", [TEXT])
    (receipt,) = push(jira, change)
    assert receipt.fate == ("unknown" if kind == "cut_before" else "done")
    (receipt,) = push(jira, replace(change, tried_at=NOON))
    assert (receipt.fate, len(pile.comments(change.slot.id))) == ("done", 1)


def test_a_comment_that_somebody_edited_reads_as_it_is_shown_and_is_put_right(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", [TEXT])
    push(jira, change)
    (row,) = pile.comments(change.slot.id)
    url = f"{pile.url}/rest/api/2/issue/{change.slot.id}/comment/{row['id']}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.put(url, json={"body": "never mind"}, headers=headers, timeout=10).ok
    (reading,) = jira.connector.read([change.slot])
    assert reading.value == "never mind"
    push(jira, replace(change, before="never mind"))
    assert [reading.value for reading in jira.connector.read([change.slot])] == [TEXT]


def test_a_comment_of_somebody_else_with_our_property_is_theirs(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", [TEXT])
    copied = [{"key": "pmosync.comment", "value": {"text": "a copy"}}]
    say(pile, change.slot.id, "a copy", properties=copied)
    assert [reading.value for reading in jira.connector.read([change.slot])] == [None]
    assert fates(push(jira, change)) == {"done": 1}
    assert len(shown(pile, change.slot.id)) == 2
    push(jira, replace(change, before=TEXT, after=None))
    assert shown(pile, change.slot.id) == ["a copy"]


def test_clearing_takes_it_away_and_leaves_what_people_answered(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", [TEXT])
    push(jira, change)
    say(pile, change.slot.id, "Thank you")
    assert fates(push(jira, replace(change, before=TEXT, after=None))) == {"done": 1}
    assert shown(pile, change.slot.id) == ["Thank you"]
    assert fates(push(jira, replace(change, before=TEXT, after=None))) == {"done": 1}


def test_where_it_may_not_be_deleted_a_sentence_stays_and_is_used_again(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", [TEXT])
    push(jira, change)
    pile.switch(withdrawn=["DELETE_OWN_COMMENTS"])
    refused = {"errorMessages": ["You do not have permission to delete this comment."]}
    pile.fault({"kind": "status", "status": 400, "body": refused, "match": {"method": "DELETE", "path": "comment/"}})
    assert fates(push(jira, replace(change, before=TEXT, after=None))) == {"done": 1}
    assert shown(pile, change.slot.id) == ["PMO: nothing is open here any more."]
    assert [reading.value for reading in jira.connector.read([change.slot])] == [None]
    assert fates(push(jira, replace(change, after=LATER))) == {"done": 1}
    assert shown(pile, change.slot.id) == [LATER]


def test_of_two_comments_that_two_runs_made_the_first_stays(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", [LATER])
    for _ in range(2):
        say(pile, change.slot.id, TEXT, token=TOKEN, properties=[{"key": "pmosync.comment", "value": {"text": TEXT}}])
    assert fates(push(jira, replace(change, before=TEXT))) == {"done": 1}
    assert shown(pile, change.slot.id) == [LATER]


def test_an_issue_with_as_many_comments_as_jira_takes_says_what_to_do(pile: Pile, jira: Any) -> None:
    pile.switch(comments_per_issue=1)
    (change,) = pile.changes("BIG", "comment", [TEXT])
    say(pile, change.slot.id, "first")
    (receipt,) = push(jira, change)
    assert (receipt.fate, "as many comments as Jira allows" in receipt.why) == ("refused", True)


@pytest.mark.parametrize(
    ("permission", "name"), [("ADD_COMMENTS", "Add comments"), ("EDIT_OWN_COMMENTS", "Edit own comments")]
)
def test_prepare_names_the_permission_that_a_comment_lacks(
    pile: Pile, open_jira: Any, permission: str, name: str
) -> None:
    pile.switch(withdrawn=[f"TEAM {permission}"])
    jira = prepared(pile, open_jira, *SLOTS, pins={"mail": "accept"})
    (limitation,) = jira.limitations
    assert limitation.project == pile.project("TEAM")
    assert limitation.why == f"TEAM: the account lacks the permission {name} there."


def test_it_is_looked_for_only_where_the_property_is_and_only_by_a_full_pull(pile: Pile, jira: Any) -> None:
    changes = [*pile.changes("DESK", "comment", [TEXT]), *pile.changes("DESK", "property", [flag("high")] * 2)]
    assert fates(push(jira, *changes)) == {"done": 3}
    jira.scope = replace(jira.scope, projects=("DESK",))
    jira.session.calls.clear()
    jira.pull()
    marks = {one.key: one.marks.get("comment", "not asked") for one in jira.tasks_of("DESK")}
    assert marks == {"DESK-1": TEXT, "DESK-2": None, "DESK-3": "not asked"}
    assert jira.session.calls["GET /rest/api/3/issue/{id}/comment"] == 2
    jira.session.calls.clear()
    jira.pull(jira.cursor)
    assert jira.session.calls["GET /rest/api/3/issue/{id}/comment"] == 0


def test_no_comment_is_written_while_the_property_that_finds_it_again_is_not(pile: Pile, jira: Any) -> None:
    pile.fault({"kind": "status", "status": 400, "body": {}, "match": {"path": "properties/pmosync.compliance"}})
    changes = [*pile.changes("BIG", "property", [flag("high")]), *pile.changes("BIG", "comment", [TEXT])]
    assert fates(push(jira, *changes)) == {"refused": 2}
    assert shown(pile, changes[0].slot.id) == []


def test_a_list_that_does_not_come_to_its_end_makes_no_comment(pile: Pile, jira: Any) -> None:
    body = {"startAt": 0, "maxResults": 100, "total": 5, "comments": []}
    pile.fault({"kind": "status", "status": 200, "body": body, "match": {"method": "GET", "path": "comment$"}})
    (receipt,) = push(jira, *pile.changes("BIG", "comment", [TEXT]))
    assert receipt.fate == "refused"
    (reading,) = jira.connector.read([receipt.change.slot])
    assert reading.why
    pile.fault()
    assert shown(pile, receipt.change.slot.id) == []


def test_where_jira_shows_no_properties_in_the_list_each_comment_of_ours_is_asked(pile: Pile, jira: Any) -> None:
    (change,) = pile.changes("BIG", "comment", [TEXT])
    push(jira, change)
    listed = requests.get(
        f"{pile.url}/rest/api/3/issue/{change.slot.id}/comment",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    ).json()
    assert all("properties" not in one for one in listed["comments"])
    pile.fault({"kind": "status", "status": 200, "body": listed, "match": {"method": "GET", "path": r"\d/comment$"}})
    assert [reading.value for reading in jira.connector.read([Slot("task", change.slot.id, "comment")])] == [TEXT]


def test_many_comments_are_made_once_each_whatever_goes_wrong_on_the_way(pile: Pile, jira: Any) -> None:
    where = {"method": "POST", "path": "comment$"}
    kinds: list[dict[str, Any]] = [{"kind": "cut_after"}, {"kind": "cut_before"}, {"kind": "status", "status": 503}]
    faults = [kinds[n % 3] | {"after": 10 * n, "times": 1, "match": where} for n in range(30)]
    lost = [{"kind": kinds[n % 2]["kind"], "after": 25 * n, "times": 1, "match": {"method": "GET"}} for n in range(10)]
    left = wanted = pile.changes("BIG", "comment", [f"{TEXT} {number}" for number in range(300)])
    rounds = 0
    while left and rounds < 4:
        pile.fault(*faults, *lost)
        left = [replace(one.change, tried_at=NOON) for one in push(jira, *left) if one.fate != "done"]
        rounds += 1
    assert not left
    assert rounds > 1
    pile.fault()
    assert {len(pile.comments(one.slot.id)) for one in wanted} == {1}
