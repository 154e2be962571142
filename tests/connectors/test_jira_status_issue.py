"""Checks the status issues that rollups live in: made once, edited in place, found again, and never taken for tasks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmosync.contract import Batch, Change, Receipt, Record, Slot
from pmosync.errors import Unavailable
from pmosync_jira.pages import alike, to_adf, to_page

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SEARCH, BULK = "POST /rest/api/3/search/jql", "POST /rest/api/3/issue/bulkfetch"
ISSUES, ISSUE = "POST /rest/api/3/issue", "/rest/api/3/issue/{id}"
TYPES = "GET /rest/api/3/issue/createmeta/{id}/issuetypes"
ROLLUPS = {"project/pay": "PMO", "program/cards": "PMO", "portfolio/acme": "PMO"}
PAGE = (
    "PMO status: Cards is amber\n# Why\nThree tasks are late, see https://pmo.acme.example/cards.\n"
    "# Figures\n- 12 open\n- 3 late"
)
LATER = PAGE.replace("amber", "red").replace("3 late", "7 late")


@pytest.fixture
def jira(sandbox: Any, open_jira: Any) -> Any:
    """A connector that looks at two projects and writes status issues into the project office's own."""
    desk = open_jira(sandbox.url)
    slots = ("property", "project_property", "status_issue")
    desk.scope = dataclasses.replace(desk.scope, projects=("PAY", "PMO"), slots=slots, rollups=ROLLUPS)
    return desk


def change(after: str | None, before: str | None = None, rollup: str = "program/cards", **more: Any) -> Change:
    """A change of one rollup."""
    return Change(Slot("rollup", rollup, "status_issue"), before, after, "PMO", rollup, **more)


def push(jira: Any, *changes: Any) -> list[Receipt]:
    """Push, and count the calls of the push alone."""
    jira.session.calls.clear()
    return list(jira.connector.push(list(changes)))


def made(jira: Any, page: str = PAGE) -> Record:
    """A status issue that was just made."""
    (receipt,) = push(jira, change(page))
    assert receipt.fate == "done", receipt.why
    assert receipt.record is not None
    return receipt.record


def rollups(jira: Any) -> dict[str, Record]:
    """The stored rollups."""
    return {name: record for (kind, name), record in jira.records.items() if kind == "rollup"}


def in_office(sandbox: Any) -> list[str]:
    """The keys of all issues in the project office's project."""
    body = {"jql": "project = PMO ORDER BY id ASC", "fields": ["key"], "maxResults": 1000}
    return [issue["key"] for issue in sandbox.jira("POST", "search/jql", body)["issues"]]


# --- pages ------------------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n"), min_size=1)
LINES = st.builds(
    lambda mark, text: mark + text, st.sampled_from(["", "# ", "- ", "#", "see https://a.example/x? "]), WORDS
)


@given(st.lists(LINES))
def test_a_page_comes_back_from_its_document_as_it_was_written(lines: list[str]) -> None:
    page = "\n".join(lines)
    assert to_page(to_adf(page)) == page


def test_a_page_of_somebody_elses_making_loses_no_words() -> None:
    def text(words: str) -> dict[str, Any]:
        return {"type": "paragraph", "content": [{"type": "text", "text": words}]}

    nested = {"type": "bulletList", "content": [{"type": "listItem", "content": [text("below")]}]}
    document = {
        "type": "doc",
        "content": [
            {"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "Why"}]},
            {"type": "orderedList", "content": [{"type": "listItem", "content": [text("first"), nested]}]},
            {"type": "panel", "content": [text("noted")]},
            {"type": "paragraph", "content": [{"type": "text", "text": "a"}, {"type": "hardBreak"}, text("b")]},
            {"type": "paragraph", "content": []},
        ],
    }
    assert to_page(document) == "# Why\n- first\n- below\nnoted\na\nb"
    assert to_page(None) == ""


def test_addresses_in_a_page_become_links_without_the_full_stop_behind_them() -> None:
    (paragraph,) = to_adf("See https://pmo.acme.example/a?b=1.")["content"]
    assert [(node["text"], "marks" in node) for node in paragraph["content"]] == [
        ("See ", False),
        ("https://pmo.acme.example/a?b=1", True),
        (".", False),
    ]


def test_blanks_make_no_difference_and_words_do() -> None:
    assert alike("One  two\n\n- three ", "One two\n- three")
    assert not alike("One two\n- three", "One two\nthree")


# --- making, editing, clearing ----------------------------------------------------------------------------------------


def test_a_rollup_becomes_an_issue_that_people_read_and_programs_find(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    issue = sandbox.jira("GET", f"issue/{record.key}", properties="*all")
    fields = issue["fields"]
    assert record.key == "PMO-1"
    assert (fields["summary"], fields["issuetype"]["name"]) == ("PMO status: Cards is amber", "Task")
    assert fields["labels"] == ["pmosync-status"]
    assert to_page(fields["description"]) == PAGE.partition("\n")[2]
    assert issue["properties"] == {"pmosync.status": {"id": "program/cards", "text": PAGE}}
    assert record == Record(
        "rollup", "program/cards", "PMO-1", f"{sandbox.url}/browse/PMO-1", issue["id"], ("rollups",), {},
        {"status_issue": PAGE},
    )  # fmt: skip


def test_one_push_makes_several_after_a_single_look(sandbox: Any, jira: Any) -> None:
    receipts = push(jira, *(change(PAGE, rollup=rollup) for rollup in ROLLUPS))
    assert [receipt.fate for receipt in receipts] == ["done"] * 3
    assert jira.session.calls == {SEARCH: 1, TYPES: 1, ISSUES: 3}
    assert len(in_office(sandbox)) == 3


def test_it_is_edited_in_place_without_mail_and_our_edits_can_be_told_from_peoples(sandbox: Any, jira: Any) -> None:
    jira.connector.prepare(jira.scope, True)
    record = made(jira)
    sandbox.jira("POST", f"issue/{record.key}/watchers", "712020:00000000-0000-4000-8000-000000000003")
    mails = len(sandbox.mail())
    (receipt,) = push(jira, change(LATER, PAGE))
    assert (receipt.fate, receipt.value) == ("done", LATER)
    assert receipt.record == dataclasses.replace(record, marks={"status_issue": LATER})
    assert jira.session.calls == {SEARCH: 1, BULK: 1, f"PUT {ISSUE}": 1}
    assert in_office(sandbox) == [record.key]
    assert len(sandbox.mail()) == mails
    last = sandbox.jira("GET", f"issue/{record.key}/changelog")["values"][-1]
    assert last["historyMetadata"]["type"] == "pmosync:rollup"


def test_a_title_that_is_too_long_for_a_summary_is_cut_there_alone(sandbox: Any, jira: Any) -> None:
    page = "PMO status: " + "very " * 60 + "long\nText"
    record = made(jira, page)
    assert len(sandbox.jira("GET", f"issue/{record.key}")["fields"]["summary"]) == 255
    jira.pull()
    assert rollups(jira)["program/cards"].marks == {"status_issue": page}


def test_clearing_deletes_the_issue_and_leaves_the_state_as_it_was(sandbox: Any, jira: Any) -> None:
    before = sandbox.state()
    made(jira)
    (receipt,) = push(jira, change(None, PAGE))
    assert (receipt.fate, receipt.value) == ("done", None)
    after = sandbox.state()
    assert {name: rows for name, rows in after.items() if name != "change"} == {
        name: rows for name, rows in before.items() if name != "change"
    }


def test_clearing_one_that_somebody_deleted_is_done_after_a_full_pull(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    sandbox.jira("DELETE", f"issue/{record.key}")
    (receipt,) = push(jira, change(None, PAGE))
    assert receipt.fate == "refused"
    assert "pmosync reconcile" in receipt.why
    jira.pull()
    (receipt,) = push(jira, change(None, PAGE))
    assert receipt.fate == "done"


def test_what_somebody_commented_is_not_deleted_with_it(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    words = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "?"}]}],
    }
    sandbox.jira("POST", f"issue/{record.key}/comment", {"body": words}, token="person-1")
    (receipt,) = push(jira, change(None, PAGE))
    assert receipt.fate == "refused"
    assert "PMO-1 holds comments, which would be lost" in receipt.why
    assert in_office(sandbox) == [record.key]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"worklog": {"total": 1, "worklogs": [{"author": {"accountId": "ann"}}]}}, "logged work"),
        ({"attachment": [{"author": {"accountId": "ann"}}]}, "attachments"),
        ({"subtasks": [{"key": "PMO-2"}]}, "subtasks"),
        ({"comment": {"total": 21, "comments": []}}, "comments"),
    ],
)
def test_nor_is_anything_else_of_theirs(sandbox: Any, jira: Any, fields: dict[str, Any], words: str) -> None:
    record = made(jira)
    body = {"id": record.version, "key": record.key, "fields": fields}
    fault = {"kind": "status", "status": 200, "body": body, "times": 1}
    sandbox.fault(fault | {"match": {"method": "GET", "path": f"issue/{record.version}"}})
    (receipt,) = push(jira, change(None, PAGE))
    assert (receipt.fate, words in receipt.why) == ("refused", True)
    assert in_office(sandbox) == [record.key]


def test_without_the_right_to_delete_the_refusal_names_it(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    sandbox.fault({"kind": "status", "status": 403, "times": None, "match": {"method": "DELETE"}})
    (receipt,) = push(jira, change(None, PAGE))
    assert receipt.fate == "refused"
    assert "Delete issues" in receipt.why
    assert in_office(sandbox) == [record.key]


# --- the answer that got lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "there"), [("cut_before", 0), ("cut_after", 1), ("truncated", 1)])
def test_a_lost_answer_is_told_as_unknown_and_never_repeated_blindly(
    sandbox: Any, jira: Any, kind: str, there: int
) -> None:
    sandbox.fault({"kind": kind, "times": 1, "match": {"method": "POST", "path": r"/issue$"}})
    (receipt,) = push(jira, change(PAGE))
    assert (receipt.fate, receipt.record) == ("unknown", None)
    assert len(in_office(sandbox)) == there


def test_soon_after_a_lost_answer_nothing_is_made_because_the_search_may_lag(sandbox: Any, jira: Any) -> None:
    (receipt,) = push(jira, change(PAGE, tried_at=NOON - dt.timedelta(seconds=59)))
    assert receipt.fate == "unknown"
    assert "the next run looks" in receipt.why
    assert in_office(sandbox) == []


def test_when_the_search_had_time_and_found_nothing_it_is_made(sandbox: Any, jira: Any) -> None:
    (receipt,) = push(jira, change(PAGE, tried_at=NOON - dt.timedelta(seconds=60)))
    assert receipt.fate == "done"
    assert in_office(sandbox) == ["PMO-1"]


def test_what_the_look_finds_is_taken_over_without_a_write(sandbox: Any, jira: Any, open_jira: Any) -> None:
    record = made(jira)
    other = open_jira(sandbox.url)
    for tried_at in (None, NOON, NOON - dt.timedelta(hours=1)):
        (receipt,) = push(other, change(PAGE, tried_at=tried_at))
        assert (receipt.fate, receipt.value, receipt.record) == ("done", PAGE, record)
    assert not [name for name in other.session.calls if not name.endswith(("jql", "bulkfetch"))]
    (receipt,) = push(other, change(LATER))
    assert receipt.fate == "done"
    assert in_office(sandbox) == [record.key]


def test_where_the_look_fails_nothing_is_written(sandbox: Any, jira: Any) -> None:
    sandbox.fault({"kind": "status", "status": 400, "times": None, "match": {"path": "search/jql"}})
    receipts = push(jira, change(PAGE), change(None, PAGE, "project/pay"))
    assert [receipt.fate for receipt in receipts] == ["refused", "refused"]
    assert jira.session.calls == {SEARCH: 1}


def test_when_the_site_fails_during_the_look_every_fate_is_unknown(sandbox: Any, jira: Any) -> None:
    sandbox.fault({"kind": "status", "status": 502, "times": None, "match": {"path": "search/jql"}})
    receipts = jira.connector.push([change(PAGE)])
    assert next(receipts).fate == "unknown"
    with pytest.raises(Unavailable):
        next(receipts)


def test_one_that_vanished_since_the_plan_is_not_made_again_by_the_way(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    sandbox.jira("DELETE", f"issue/{record.key}")
    (receipt,) = push(jira, change(LATER, PAGE))
    assert receipt.fate == "refused"
    assert "pmosync reconcile" in receipt.why
    assert in_office(sandbox) == []


def test_a_home_that_lets_nothing_be_made_is_a_refusal(sandbox: Any, jira: Any) -> None:
    (receipt,) = push(jira, dataclasses.replace(change(PAGE), project="NOPE"))
    assert receipt.fate == "refused"
    sandbox.fault({"kind": "status", "status": 200, "body": {"issueTypes": []}, "match": {"path": "issuetypes"}})
    (receipt,) = push(jira, change(PAGE))
    assert "offers no type of issue" in receipt.why


# --- finding it again -------------------------------------------------------------------------------------------------


def test_a_full_pull_finds_them_without_a_store_and_takes_none_for_a_task(
    sandbox: Any, jira: Any, open_jira: Any
) -> None:
    record = made(jira)
    fresh = open_jira(sandbox.url)
    fresh.scope = dataclasses.replace(jira.scope, rollups={})
    batches = fresh.pull()
    assert rollups(fresh) == {"program/cards": record}
    assert fresh.tasks_of("PMO") == []
    complete = [batch for batch in batches if batch.state == "complete"]
    assert all(record.version not in batch.census for batch in complete if batch.kinds == ("task",))
    (proof,) = [batch for batch in complete if batch.kinds == ("rollup",)]
    assert (proof.scopes, tuple(proof.census)) == (("rollups",), ("program/cards",))


def test_they_are_found_outside_of_the_scope_too(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    jira.scope = dataclasses.replace(jira.scope, projects=("PAY",))
    jira.pull()
    assert rollups(jira) == {"program/cards": record}


def test_a_pull_of_what_changed_takes_none_for_a_task_either(sandbox: Any, jira: Any) -> None:
    sandbox.advance(40 * 86400)
    jira.pull()
    sandbox.advance(3600)
    record = made(jira)
    jira.calls()
    batches = jira.pull(jira.cursor)
    assert [one.key for batch in batches for one in batch.records if one.kind == "task"] == []
    assert not [batch for batch in batches if "rollups" in batch.scopes]
    assert BULK.removeprefix("POST ") not in jira.calls(), "the search alone says that it is none"
    assert record.key in in_office(sandbox)


def test_where_the_slot_is_not_in_use_they_are_no_tasks_and_nothing_is_searched(sandbox: Any, jira: Any) -> None:
    made(jira)
    jira.scope = dataclasses.replace(jira.scope, slots=("property",))
    jira.pull()
    assert jira.tasks_of("PMO") == []
    assert rollups(jira) == {}


def test_one_that_somebody_edited_reads_as_what_it_says_now(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    sandbox.jira("PUT", f"issue/{record.key}", {"fields": {"summary": "All is well"}}, token="person-1")
    jira.pull()
    edited = rollups(jira)["program/cards"].marks["status_issue"]
    assert edited == "All is well\n" + PAGE.partition("\n")[2]
    push(jira, change(PAGE, edited))
    jira.pull()
    assert rollups(jira) == {"program/cards": record}


def test_one_that_lost_its_label_is_found_by_its_id_and_gets_it_back(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    jira.pull()
    body = {"update": {"labels": [{"remove": "pmosync-status"}]}}
    sandbox.jira("PUT", f"issue/{record.key}", body, token="person-1")
    jira.pull()
    there = rollups(jira)["program/cards"].marks["status_issue"]
    assert there == f"{PAGE}\n(the label pmosync-status is missing)"
    (receipt,) = push(jira, change(PAGE, there))
    assert receipt.fate == "done"
    assert sandbox.jira("GET", f"issue/{record.key}")["fields"]["labels"] == ["pmosync-status"]
    assert in_office(sandbox) == [record.key]


def test_an_issue_that_bears_our_label_alone_is_somebodys(sandbox: Any, jira: Any) -> None:
    fields = {"project": {"key": "PMO"}, "issuetype": {"name": "Task"}, "summary": PAGE.partition("\n")[0]}
    theirs = sandbox.jira("POST", "issue", {"fields": fields | {"labels": ["pmosync-status"]}}, token="person-1")
    record = made(jira)
    jira.pull()
    assert rollups(jira) == {"program/cards": record}
    assert [one.key for one in jira.tasks_of("PMO")] == [theirs["key"]]
    push(jira, change(None, PAGE))
    assert in_office(sandbox) == [theirs["key"]]


def test_of_two_for_one_rollup_the_older_is_kept_up_to_date_and_the_other_is_told(
    sandbox: Any, jira: Any, caplog: pytest.LogCaptureFixture
) -> None:
    record = made(jira)
    fields = {"project": {"key": "PMO"}, "issuetype": {"name": "Task"}, "summary": "Copy"}
    second = sandbox.jira("POST", "issue", {"fields": fields | {"labels": ["pmosync-status"]}})
    ours = {"id": "program/cards", "text": PAGE}
    sandbox.jira("PUT", f"issue/{second['key']}/properties/pmosync.status", ours)
    jira.pull()
    assert rollups(jira) == {"program/cards": record}
    assert "PMO-1 and PMO-2 both hold the rollup program/cards" in caplog.text
    push(jira, change(LATER, PAGE))
    assert sandbox.jira("GET", "issue/PMO-2")["fields"]["summary"] == "Copy"
    push(jira, change(None, LATER))
    assert in_office(sandbox) == []


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 400, "match": {"path": "search/jql"}},
    {"kind": "status", "status": 200, "body": {"issues": [], "isLast": False}, "match": {"path": "search/jql"}},
    {"kind": "status", "status": 200, "body": {"issues": [], "issueErrors": [{"id": "1"}]}, "match": {"path": "bulk"}},
    {"kind": "missing", "project": "PMO", "match": {"path": "bulkfetch"}},
])  # fmt: skip
def test_what_cannot_be_looked_up_is_unobserved_and_stays(sandbox: Any, jira: Any, fault: dict[str, Any]) -> None:
    jira.scope = dataclasses.replace(jira.scope, projects=("PMO",))
    record = made(jira)
    jira.pull()
    sandbox.fault(fault | {"times": None})
    batches = jira.pull()
    whys = {scope: batch.why for batch in batches if batch.state == "unobserved" for scope in batch.scopes}
    assert "status issues could not be read" in whys["rollups"]
    assert rollups(jira) == {"program/cards": record}
    assert not [batch for batch in batches if batch.state == "complete" and "rollup" in batch.kinds]


def test_one_that_somebody_deleted_is_missing_from_the_proof(sandbox: Any, jira: Any) -> None:
    record = made(jira)
    jira.pull()
    sandbox.jira("DELETE", f"issue/{record.key}")
    jira.pull()
    assert rollups(jira) == {}


def test_reading_tells_what_stands_there(jira: Any) -> None:
    made(jira)
    slots = [Slot("rollup", name, "status_issue") for name in ("program/cards", "project/pay")]
    readings = [(reading.value, reading.why) for reading in jira.connector.read(slots)]
    assert readings == [(PAGE, ""), (None, "")]


# --- rights and cost --------------------------------------------------------------------------------------------------


def told(jira: Any) -> dict[str, str]:
    """The limitations of the slot, by home."""
    return {
        one.project: one.why
        for one in jira.connector.prepare(jira.scope, False).limitations
        if one.slot == "status_issue"
    }


def test_prepare_tells_of_each_home_why_it_cannot_be_one(jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, rollups={"a": "PMO", "b": "PLAT", "c": "NOPE", "d": "PLAT"})
    assert told(jira).keys() == {"PLAT", "NOPE"}
    assert "would mail people" in told(jira)["PLAT"]
    assert "the account sees no such project" in told(jira)["NOPE"]
    jira.scope = dataclasses.replace(jira.scope, pins={"mail": "accept"})
    assert told(jira).keys() == {"NOPE"}


def test_an_archived_project_is_no_home(sandbox: Any, jira: Any) -> None:
    archive = {"project_key": "PMO", "status": "archived", "actor": "somebody"}
    sandbox.control("POST", "jira", {"set_project_status": archive})
    assert told(jira)["PMO"] == "PMO: the project is archived. Name another home in the register."


def test_prepare_names_the_permissions_that_a_home_lacks(sandbox: Any, jira: Any) -> None:
    body = {"globalPermissions": [], "projectPermissions": []}
    sandbox.fault({"kind": "status", "status": 200, "body": body, "match": {"path": "permissions/check"}})
    assert "the permissions Edit issues and Create issues" in told(jira)["PMO"]


def test_a_home_in_the_scope_costs_no_call_and_another_one_a_single_one(jira: Any) -> None:
    jira.connector.prepare(jira.scope, False)
    assert sum(jira.calls().values()) == 2
    jira.scope = dataclasses.replace(jira.scope, projects=("PAY",))
    jira.connector.prepare(jira.scope, False)
    assert sum(jira.calls().values()) == 3


def test_an_edit_mails_only_where_mail_is_accepted_and_cannot_be_avoided(sandbox: Any, jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, projects=("PLAT",), pins={"mail": "accept"}, rollups={"p": "PLAT"})
    home = dataclasses.replace(change(PAGE, rollup="p"), project="PLAT")
    jira.connector.prepare(jira.scope, False)
    (receipt,) = push(jira, home)
    sandbox.jira("POST", f"issue/{receipt.record.key}/watchers", "712020:00000000-0000-4000-8000-000000000003")
    mails = len(sandbox.mail())
    (receipt,) = push(jira, dataclasses.replace(home, before=PAGE, after=LATER))
    assert (receipt.fate, len(sandbox.mail()) > mails) == ("done", True)


def test_the_cost_is_what_a_push_then_makes(jira: Any) -> None:
    jira.connector.prepare(jira.scope, True)
    first = [change(PAGE, rollup=rollup) for rollup in ROLLUPS]
    second = [change(LATER, PAGE), change(None, PAGE, "project/pay")]
    for changes in (first, second):
        estimate = jira.connector.cost(changes)
        push(jira, *changes)
        assert {name: n for name, n in estimate.calls.items() if n} == jira.session.calls


def batches_of(jira: Any, kind: str) -> list[Batch]:
    """The batches of a full pull that prove something of a kind."""
    return [batch for batch in jira.pull() if kind in batch.kinds]


def test_a_second_full_pull_finds_the_same_and_writes_nothing(sandbox: Any, jira: Any) -> None:
    made(jira)
    first = batches_of(jira, "rollup")
    sandbox.forget_requests()
    assert batches_of(jira, "rollup") == first
    assert sandbox.requests()["writes"] == 0
