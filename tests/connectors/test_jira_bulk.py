"""Checks how many issues of Jira are written with few calls: done, done once, done quietly, and told true."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.connectors.jira_pile import MANY, SELECT, TEXT, TOKEN, WORDS, Pile, fates, flag, prepared, push

from pmosync.contract import Receipt
from pmosync.errors import Unavailable

EDIT, SAME = "POST /rest/api/3/bulk/issues/fields", "POST /rest/api/3/issue/properties"
EACH, GONE = f"{SAME}/multi", "DELETE /rest/api/3/issue/properties/{propertyKey}"
SINGLE, SINGLE_OF_OURS = "PUT /rest/api/3/issue/{issueIdOrKey}", "PUT /rest/api/3/issue/{id}"


@pytest.fixture
def jira(pile: Pile, open_jira: Any) -> Any:
    """A connector that has prepared."""
    return prepared(pile, open_jira)


def test_a_thousand_identical_flags_take_two_writes(pile: Pile, jira: Any) -> None:
    changes = [*pile.changes("BIG", "label", ["high"] * MANY), *pile.changes("BIG", "property", [flag("high")] * MANY)]
    receipts = push(jira, *changes)
    assert pile.writes() == {EDIT: 1, SAME: 1}
    assert fates(receipts) == {"done": 2 * MANY}
    assert {receipt.value for receipt in receipts} == {"high", flag("high")}
    assert all(pile.flag_on(one) == flag("high") for one in pile.ids("BIG"))
    assert [pile.fields(one)["labels"] for one in pile.ids("BIG")[:2]] == [["pmo-high"], ["pmo-high", "theirs"]]
    assert pile.mails == 0


def test_a_thousand_different_flags_take_at_most_twenty_writes(pile: Pile, jira: Any) -> None:
    words = [WORDS[number % 5] for number in range(MANY)]
    was = [WORDS[(number + 1) % 5] for number in range(MANY)]
    push(jira, *pile.changes("BIG", "label", was))
    pile.server.app.log.clear()
    labels = [
        dataclasses.replace(one, before=before)
        for one, before in zip(pile.changes("BIG", "label", words), was, strict=True)
    ]
    flags = [flag(word, number) for number, word in enumerate(words)]
    receipts = push(jira, *labels, *pile.changes("BIG", "property", flags))
    assert pile.writes() == {EACH: 10, EDIT: 10}
    assert fates(receipts) == {"done": 2 * MANY}
    ids = pile.ids("BIG")
    assert [pile.flag_on(one) for one in ids] == flags
    assert [[name for name in pile.fields(one)["labels"] if name != "theirs"] for one in ids] == [
        [f"pmo-{word}"] for word in words
    ]
    assert pile.mails == 0


def test_a_thousand_flags_are_cleared_with_two_writes_and_nothing_else_goes(pile: Pile, jira: Any) -> None:
    push(jira, *pile.changes("BIG", "label", ["low"] * MANY), *pile.changes("BIG", "property", [flag("low")] * MANY))
    pile.server.app.log.clear()
    none: list[str | None] = [None] * MANY
    labels = pile.changes("BIG", "label", none, before="low")
    receipts = push(jira, *labels, *pile.changes("BIG", "property", none, before=flag("low")))
    assert pile.writes() == {EDIT: 1, GONE: 1}
    assert fates(receipts) == {"done": 2 * MANY}
    assert {tuple(pile.fields(one)["labels"]) for one in pile.ids("BIG")} == {(), ("theirs",)}
    assert not any(pile.flag_on(one) for one in pile.ids("BIG"))


def test_a_field_goes_with_the_label_in_one_bulk_edit(pile: Pile, jira: Any) -> None:
    changes = [*pile.changes("BIG", "label", ["high"] * 60), *pile.changes("BIG", "field", ["high"] * 60)]
    receipts = push(jira, *changes, *pile.changes("BIG", "text_field", ["DAT101 No owner"] * 60))
    assert pile.writes() == {EDIT: 1}
    assert fates(receipts) == {"done": 180}
    shown = pile.fields(pile.ids("BIG")[0])
    assert (shown[SELECT]["value"], shown["labels"]) == ("High", ["pmo-high"])
    assert shown[TEXT]["content"][0]["content"][0]["text"] == "DAT101 No owner"
    assert {receipt.value for receipt in receipts if receipt.change.slot.name == "text_field"} == {"DAT101 No owner"}
    assert fates(push(jira, *pile.changes("BIG", "field", [None] * 60, before="high"))) == {"done": 60}
    assert pile.fields(pile.ids("BIG")[0])[SELECT] is None
    pile.server.app.log.clear()
    cleared = push(jira, *pile.changes("BIG", "text_field", [None] * 60, before="DAT101 No owner"))
    assert (fates(cleared), pile.writes()) == ({"done": 60}, {EDIT: 1})
    assert pile.fields(pile.ids("BIG")[0])[TEXT] is None


def test_texts_that_differ_go_with_everything_else_of_their_issue_in_one_edit_each(pile: Pile, jira: Any) -> None:
    texts = [f"DAT101 No owner, since 2026-11-{1 + number % 28:02}\nDAT1{number}" for number in range(60)]
    changes = [*pile.changes("BIG", "label", ["high"] * 60), *pile.changes("BIG", "text_field", texts)]
    receipts = push(jira, *changes, *pile.changes("BIG", "property", [flag("high")] * 60))
    assert pile.writes() == {SINGLE: 60}
    assert fates(receipts) == {"done": 180}
    assert [receipt.value for receipt in receipts if receipt.change.slot.name == "text_field"] == texts
    assert pile.mails == 0


def test_a_small_push_stays_single_edits_that_say_why_in_the_history(pile: Pile, jira: Any) -> None:
    changes = [*pile.changes("BIG", "label", ["high"] * 3), *pile.changes("BIG", "property", [flag("high")] * 3)]
    assert fates(push(jira, *changes)) == {"done": 6}
    assert pile.writes() == {SINGLE: 3}
    assert jira.session.calls.total() == 3


def test_where_the_account_administers_nothing_one_change_is_a_quiet_bulk_edit_of_one(pile: Pile, jira: Any) -> None:
    changes = [*pile.changes("TEAM", "label", ["high"]), *pile.changes("TEAM", "property", [flag("high")])]
    assert fates(push(jira, *changes)) == {"done": 2}
    assert pile.writes() == {EDIT: 1, "PUT /rest/api/3/issue/{issueIdOrKey}/properties/{propertyKey}": 1}
    assert pile.mails == 0
    assert not [one for one in jira.limitations if one.slot == "label"]


def test_a_site_that_refuses_to_be_quiet_is_written_in_bulk_from_then_on(pile: Pile, jira: Any) -> None:
    body = {
        "errorMessages": ["To discard the user notification either admin or project admin permissions are required."]
    }
    pile.fault({"kind": "status", "status": 403, "body": body, "match": {"method": "PUT", "path": r"issue/\d+$"}})
    assert fates(push(jira, *pile.changes("BIG", "label", ["high"] * 3))) == {"done": 3}
    assert pile.writes()[EDIT] == 1
    assert fates(push(jira, *pile.changes("BIG", "label", ["low"], before="high"))) == {"done": 1}
    assert SINGLE_OF_OURS not in jira.session.calls
    assert pile.mails == 0


def test_a_permission_that_was_taken_away_since_turns_bulk_edits_into_single_ones(pile: Pile, jira: Any) -> None:
    pile.switch(withdrawn=["BULK_CHANGE"])
    changes = [*pile.changes("BIG", "label", ["high"] * 60), *pile.changes("BIG", "property", [flag("high")] * 60)]
    assert fates(push(jira, *changes)) == {"done": 120}
    assert pile.writes() == {EACH: 1, EDIT: 1, SINGLE: 60}
    assert pile.mails == 0
    assert fates(push(jira, *pile.changes("TEAM", "label", ["high"]))) == {"refused": 1}


@pytest.mark.parametrize("status", [400, 403])
def test_without_the_permission_properties_still_go_in_bulk(pile: Pile, open_jira: Any, status: int) -> None:
    pile.switch(withdrawn=["BULK_CHANGE"], bulk_denied_status=status)
    jira = prepared(pile, open_jira, "property")
    assert fates(push(jira, *pile.changes("BIG", "property", [flag("high")] * 200))) == {"done": 200}
    assert pile.writes() == {SAME: 1}


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_a_task_is_asked_for_ever_more_rarely_until_it_ends(pile: Pile, jira: Any) -> None:
    pile.switch(task_polls=6)
    assert fates(push(jira, *pile.changes("BIG", "label", ["high"] * 60))) == {"done": 60}
    assert jira.session.calls["GET /rest/api/3/bulk/queue/{id}"] == 7


@pytest.mark.parametrize("status", [429, 400])
def test_a_busy_site_is_waited_for(pile: Pile, jira: Any, status: int) -> None:
    busy = {"errors": [{"message": "At most 5 bulk operations can run at a time."}]}
    pile.fault({"kind": "status", "status": status, "body": busy, "times": 3, "match": {"path": "bulk/issues/fields"}})
    assert fates(push(jira, *pile.changes("BIG", "label", ["high"] * 60))) == {"done": 60}
    assert pile.mails == 0


def test_what_a_task_left_out_is_refused_with_its_reason_and_the_rest_is_done(pile: Pile, jira: Any) -> None:
    ids = pile.ids("BIG")
    pile.switch(task_failing=ids[:2])
    receipts = push(jira, *pile.changes("BIG", "label", ["high"] * 60))
    assert fates(receipts) == {"done": 58, "refused": 2}
    assert {one.why for one in receipts if one.fate == "refused"} == {
        f"BIG-{number}: The operation failed for this issue." for number in (1, 2)
    }


def test_one_bad_issue_does_not_cost_the_others_their_property(pile: Pile, jira: Any) -> None:
    pile.switch(task_failing=pile.ids("BIG")[:1])
    receipts = push(jira, *pile.changes("BIG", "property", [flag("high")] * 250))
    assert fates(receipts) == {"done": 249, "refused": 1}
    assert pile.writes() == {SAME: 1, EACH: 3}


def test_an_issue_that_is_gone_is_refused_and_one_without_the_permission_too(pile: Pile, jira: Any) -> None:
    changes = pile.changes("BIG", "label", ["high"] * 60)
    gone = pile.ids("BIG")[0]
    pile.server.app.state.db.execute("DELETE FROM jira_issue WHERE id = ?", (gone,))
    receipts = push(jira, *changes)
    (lost,) = [one for one in receipts if one.fate == "refused"]
    assert lost.why == "BIG-1: it does not exist any more, or the account may not see it."
    pile.switch(withdrawn=["BIG EDIT_ISSUES"])
    receipts = push(jira, *changes[1:], *pile.changes("TEAM", "label", ["high"] * 60))
    assert {one.why for one in receipts if one.fate == "refused"} == set()  # they stand there already
    receipts = push(jira, *(dataclasses.replace(one, before="high", after="low") for one in changes[1:]))
    assert fates(receipts) == {"refused": 59}


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED", "DEAD"])
def test_of_a_task_that_broke_off_what_stands_is_done_and_the_rest_unknown(pile: Pile, jira: Any, end: str) -> None:
    pile.switch(task_end=end, task_applied=20)
    changes = pile.changes("BIG", "label", ["high"] * 60)
    receipts = push(jira, *changes)
    assert fates(receipts) == {"done": 20, "unknown": 40}
    assert end in next(one.why for one in receipts if one.fate == "unknown")
    pile.switch(task_end="COMPLETE")
    rest = [one.change for one in receipts if one.fate == "unknown"]
    assert fates(push(jira, *rest[:40])) == {"done": 40}
    assert all(pile.fields(one)["labels"].count("pmo-high") == 1 for one in pile.ids("BIG")[:60])


def test_a_task_that_never_ends_is_given_up_and_nothing_more_is_written_on_its_issues(pile: Pile, jira: Any) -> None:
    push(jira, *pile.changes("BIG", "label", ["low"] * 60))
    pile.server.app.log.clear()
    pile.switch(task_polls=100_000)
    receipts = push(jira, *pile.changes("BIG", "label", ["high"] * 60, before="low"))
    assert fates(receipts) == {"unknown": 60}
    assert pile.writes() == {EDIT: 1}, "the others of our labels are not taken away while the first task may be at work"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncated"])
def test_an_operation_whose_answer_got_lost_is_sent_again_and_changes_nothing_twice(
    pile: Pile, jira: Any, kind: str
) -> None:
    pile.fault({"kind": kind, "times": 1, "match": {"write": True}})
    changes = [*pile.changes("BIG", "label", ["high"] * 60), *pile.changes("BIG", "property", [flag("high")] * 60)]
    assert fates(push(jira, *changes)) == {"done": 120}
    rows = pile.server.app.state.rows("SELECT issue_id, count(*) AS n FROM jira_history GROUP BY issue_id")
    assert {row["n"] for row in rows} == {1}


@pytest.mark.parametrize("after", range(5))
def test_a_push_that_died_anywhere_is_made_good_by_the_next_one(pile: Pile, jira: Any, after: int) -> None:
    push(jira, *pile.changes("BIG", "label", ["low"] * 60), *pile.changes("BIG", "property", [flag("low")] * 60))
    pile.server.app.log.clear()
    words = ["high" if number % 2 else "critical" for number in range(60)]
    changes = [
        *pile.changes("BIG", "label", words, before="low"),
        *pile.changes("BIG", "property", [flag(word, n) for n, word in enumerate(words)], before=flag("low")),
    ]
    pile.fault({"kind": "status", "status": 502, "after": after, "times": None, "match": {"write": True}})
    receipts: list[Receipt] = []
    with pytest.raises(Unavailable):
        receipts.extend(jira.connector.push(changes))
    pile.fault()
    known = {one.slot: one.value for one in jira.connector.read([change.slot for change in changes])}
    left = [dataclasses.replace(one, before=known[one.slot]) for one in changes if known[one.slot] != one.after]
    assert fates(push(jira, *left)) == {"done": len(left)}
    stands = {one.slot: one.value for one in jira.connector.read([change.slot for change in changes])}
    assert stands == {change.slot: change.after for change in changes}
    assert {len([x for x in pile.fields(one)["labels"] if x != "theirs"]) for one in pile.ids("BIG")[:60]} == {1}
    assert pile.mails == 0


def test_when_the_site_fails_for_good_what_was_on_its_way_is_unknown(pile: Pile, jira: Any) -> None:
    pile.fault({"kind": "status", "status": 502, "times": None, "match": {"path": "bulk/queue"}})
    receipts = []
    with pytest.raises(Unavailable):
        receipts.extend(jira.connector.push(pile.changes("BIG", "label", ["high"] * 60)))
    assert fates(receipts) in ({"unknown": 60}, {})


def test_the_cost_is_what_a_push_then_makes(pile: Pile, jira: Any) -> None:
    words = [WORDS[number % 3] for number in range(300)]
    changes = [
        *pile.changes("BIG", "label", words, before="info"),
        *pile.changes("BIG", "property", [flag(word, n % 7) for n, word in enumerate(words)]),
        *pile.changes("TEAM", "label", ["high"]),
    ]
    estimate = jira.connector.cost(changes)
    push(jira, *changes)
    assert estimate.calls == jira.session.calls


def test_a_site_that_does_not_tell_the_permissions_costs_no_plan(pile: Pile, open_jira: Any) -> None:
    fresh = open_jira(pile.url, token=TOKEN, fields=("summary",))
    pile.fault({"kind": "status", "status": 502, "times": None, "match": {"path": "permissions"}})
    assert fresh.connector.cost(pile.changes("BIG", "label", ["high"] * 60)).calls == {SINGLE_OF_OURS: 60}


def test_the_record_in_a_receipt_is_what_the_next_pull_would_bring(pile: Pile, jira: Any) -> None:
    receipts = push(jira, *pile.changes("BIG", "label", ["high"] * 60))
    jira.pull()
    for receipt in receipts:
        assert receipt.record == jira.records["task", receipt.change.slot.id]
