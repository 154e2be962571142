"""One comment of ours on a task: made once whatever happens, edited in place, taken away, and quiet about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Receipt, Scope, Slot
from pmosync_asana.writing import comment_slot

from .asana_kit import Client, after_a_first_pull, client

SAID = 'SCH201 <Overdue> & "late", since 2026-11-20\nGuidance: https://pmo.acme.example/standards/SCH201.html?a=1&b=2'
OTHER = "SCH202 No owner, since 2026-11-21"


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def followed(sandbox: Sandbox, gids: Sequence[str]) -> set[str]:
    """Which of these tasks our account follows."""
    me = sandbox.asana("GET", "users/me")["data"]["gid"]
    tasks = [sandbox.asana("GET", f"tasks/{gid}", opt_fields="followers.gid")["data"] for gid in gids]
    return {task["gid"] for task in tasks if me in [one["gid"] for one in task["followers"]]}


def tasks_of(sandbox: Sandbox, asana: Client, count: int) -> list[str]:
    """Tasks that our account does not follow."""
    some = list(asana.of("task"))[: count + 3]
    ours = followed(sandbox, some)
    return [gid for gid in some if gid not in ours][:count]


def told(gids: Sequence[str], after: str | None, before: str | None = None) -> list[Change]:
    return [Change(Slot("task", gid, "comment"), before, after, "", "the task") for gid in gids]


def push(asana: Client, changes: Sequence[Change]) -> list[Receipt]:
    return list(asana.connector.push(changes))


def ours(sandbox: Sandbox, task: str) -> list[dict[str, Any]]:
    """The comments by our account on a task."""
    me = sandbox.asana("GET", "users/me")["data"]["gid"]
    fields = "type,created_by.gid,text,html_text"
    stories = sandbox.asana("GET", f"tasks/{task}/stories", limit=100, opt_fields=fields)["data"]
    return [story for story in stories if (story["type"], story["created_by"]["gid"]) == ("comment", me)]


@pytest.mark.parametrize("count", [1, 12])
def test_comments_are_made_edited_and_deleted_and_nobody_follows_or_is_told_twice(
    sandbox: Sandbox, asana: Client, count: int
) -> None:
    gids = tasks_of(sandbox, asana, count)
    before = sandbox.state()
    assert {(r.fate, r.value) for r in push(asana, told(gids, SAID))} == {("done", SAID)}
    assert [len(ours(sandbox, gid)) for gid in gids] == [1] * count
    assert not followed(sandbox, gids)
    assert f"<strong>{comment_slot.HEADING}</strong>" in ours(sandbox, gids[0])[0]["html_text"]
    assert "&lt;Overdue&gt; &amp;" in ours(sandbox, gids[0])[0]["html_text"]
    heard = sandbox.control("GET", "asana/notifications")
    assert {row["why"] for row in heard} <= {"comment"}
    sandbox.forget_requests()
    assert {(r.fate, r.value) for r in push(asana, told(gids, SAID))} == {("done", SAID)}
    assert sandbox.requests()["writes"] == 0, "what stands already is not written"
    assert {(r.fate, r.value) for r in push(asana, told(gids, OTHER, SAID))} == {("done", OTHER)}
    assert [len(ours(sandbox, gid)) for gid in gids] == [1] * count
    readings = client(sandbox).connector.read([change.slot for change in told(gids, None)])
    assert {reading.value for reading in readings} == {OTHER}
    assert sandbox.control("GET", "asana/notifications") == heard
    sandbox.asana("POST", f"tasks/{gids[0]}/stories", {"data": {"text": "Who says so?"}}, token="person-1")
    assert {(r.fate, r.value) for r in push(asana, told(gids, None, OTHER))} == {("done", None)}
    after = sandbox.state()
    new = [row["text"] for row in after["asana_comment"] if row not in before["asana_comment"]]
    assert new == ["Who says so?"]
    follow = [row["item"] for row in after["asana_follower"] if row not in before["asana_follower"]]
    assert follow in ([], [gids[0]]), "only who wrote the answer"


def test_ten_comments_cost_four_round_trips(sandbox: Sandbox, asana: Client) -> None:
    gids = tasks_of(sandbox, asana, 21)
    push(asana, told(gids[:1], SAID))
    asana.calls()
    push(asana, told(gids[1:], SAID))
    # A look at the comments, one at the followers, and twice five comments, no longer following at the same time; the
    # first time another look.
    assert asana.calls() == {"POST /batch": 9}
    estimate = asana.connector.cost(told(gids, SAID)).calls
    assert estimate["POST /tasks/{task_gid}/stories"] == estimate["GET /tasks/{task_gid}/stories"] == 21


def test_an_account_that_followed_before_or_does_not_follow_by_commenting_is_left_as_it_is(
    sandbox: Sandbox, asana: Client
) -> None:
    first, second = tasks_of(sandbox, asana, 2)
    sandbox.asana("POST", f"tasks/{first}/addFollowers", {"data": {"followers": ["me"]}})
    push(asana, told([first, second], SAID))
    assert followed(sandbox, [first, second]) == {first}
    sandbox.control("POST", "switches", {"asana": {"comment_follows": "no"}})
    third = tasks_of(sandbox, asana, 3)[2]
    quiet = client(sandbox)
    push(quiet, told([third], SAID))
    assert not [name for name in quiet.calls() if "removeFollowers" in name]


def test_in_whatever_order_a_batch_is_carried_out_we_follow_nothing(sandbox: Sandbox, asana: Client) -> None:
    gids = tasks_of(sandbox, asana, 12)
    sandbox.control("POST", "switches", {"asana": {"batch_order": "reversed"}})
    assert {r.fate for r in push(asana, told(gids, SAID))} == {"done"}
    assert not followed(sandbox, gids)


def test_where_asana_takes_no_mark_up_the_lines_go_as_plain_text_and_it_is_asked_once(
    sandbox: Sandbox, asana: Client
) -> None:
    sandbox.control("POST", "switches", {"asana": {"html": "plain-only"}})
    gids = tasks_of(sandbox, asana, 12)
    assert {(r.fate, r.value) for r in push(asana, told(gids, SAID))} == {("done", SAID)}
    refused = [line for line in sandbox.requests()["log"] if line["status"] == 400]
    assert len(refused) <= 11, "ten in the first batch, one more alone"
    assert ours(sandbox, gids[0])[0]["text"] == f"{comment_slot.HEADING}\n{SAID}"
    assert {(r.fate, r.value) for r in push(asana, told(gids, OTHER, SAID))} == {("done", OTHER)}


@pytest.mark.parametrize(
    ("kind", "count", "times"),
    [
        ("cut_before", 1, 1),
        ("cut_after", 1, 1),
        ("status", 1, 2),
        ("cut_after", 3, 1),
        ("truncated", 3, 2),
        ("status", 3, 1),
    ],
)  # fmt: skip
def test_a_lost_answer_never_makes_a_second_comment(
    sandbox: Sandbox, asana: Client, kind: str, count: int, times: int
) -> None:
    gids = tasks_of(sandbox, asana, count)
    # Where there are several, the looks before it are batches, too: the third one makes the comments.
    skip = {"after": 2} if count > 1 else {}
    sandbox.fault({"kind": kind, "status": 503, "times": times, **skip, "match": {"path": "/batch$"}})
    changes = told(gids, SAID)
    receipts = push(asana, changes)
    sandbox.heal()
    assert {r.fate for r in receipts} <= {"done", "unknown"}
    assert all(r.value == SAID for r in receipts if r.fate == "done")
    again = [replace(change, tried_at=asana.now[0]) for change in changes]
    assert {(r.fate, r.value) for r in push(client(sandbox), again)} == {("done", SAID)}
    assert [len(ours(sandbox, gid)) for gid in gids] == [1] * count
    assert not followed(sandbox, gids)


def test_what_others_say_and_what_our_account_says_otherwise_is_no_comment_of_ours(
    sandbox: Sandbox, asana: Client
) -> None:
    (gid,) = tasks_of(sandbox, asana, 1)
    copy = {"data": {"text": f"{comment_slot.HEADING}\n{SAID}"}}
    sandbox.asana("POST", f"tasks/{gid}/stories", copy, token="person-1")
    sandbox.asana("POST", f"tasks/{gid}/stories", {"data": {"text": "I had a look."}})
    assert [r.value for r in asana.connector.read([Slot("task", gid, "comment")])] == [None]
    before = sandbox.state()["asana_comment"]
    push(asana, told([gid], SAID))
    push(asana, told([gid], None, SAID))
    assert sandbox.state()["asana_comment"] == before


def test_doubles_go_and_the_oldest_is_edited(sandbox: Sandbox, asana: Client) -> None:
    (gid,) = tasks_of(sandbox, asana, 1)
    for text in (SAID, OTHER):
        sandbox.advance(60)
        sandbox.asana("POST", f"tasks/{gid}/stories", {"data": {"text": f"{comment_slot.HEADING}\n{text}"}})
    first = ours(sandbox, gid)[0]["gid"]
    assert [(r.fate, r.value) for r in push(asana, told([gid], "New", SAID))] == [("done", "New")]
    assert [row["gid"] for row in ours(sandbox, gid)] == [first]


def test_a_task_that_is_gone_or_closed_to_us_refuses_only_its_own_comment(sandbox: Sandbox, asana: Client) -> None:
    gone, shut, fine = tasks_of(sandbox, asana, 3)
    sandbox.asana("DELETE", f"tasks/{gone}")
    fault = {"kind": "status", "status": 403, "match": {"path": f"/tasks/{shut}/stories", "method": "POST"}}
    sandbox.fault(fault)
    receipts = {r.change.slot.id: r for r in push(asana, told([gone, shut, fine], SAID))}
    assert (receipts[gone].fate, receipts[fine].value) == ("refused", SAID)
    cleared = {r.change.slot.id: r.fate for r in push(asana, told([gone, shut], None, SAID))}
    assert cleared == {gone: "done", shut: "done"}


def test_at_a_pull_comments_are_looked_for_only_where_a_flag_stands(sandbox: Sandbox, asana: Client) -> None:
    gids = tasks_of(sandbox, asana, 2)
    push(asana, told(gids, SAID))
    records = [asana.of("task")[gid] for gid in gids]
    flagged = [replace(records[0], marks={"field": "high"}), replace(records[1], marks={"field": None})]
    scope = Scope(slots=("field", "comment"))
    assert comment_slot.may_have(flagged, scope) == gids[:1]
    assert comment_slot.may_have(flagged, replace(scope, slots=("comment",))) == gids
    assert comment_slot.may_have(flagged, replace(scope, slots=("field",))) == []
