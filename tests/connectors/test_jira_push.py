"""Checks what the Jira connector writes into the sandbox: our marks, nobody else's, and without mail."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pmosync.contract import Receipt, Slot
from pmosync.errors import Unavailable

ISSUE, ISSUE_PROPERTY = "PUT /rest/api/3/issue/{id}", "/rest/api/3/issue/{id}/properties/{key}"
PROJECT_PROPERTY = "/rest/api/3/project/{id}/properties/{key}"
FLAG = '{"findings":[{"standard":"DAT101"}],"severity":"high"}'


@pytest.fixture
def jira(sandbox: Any, open_jira: Any) -> Any:
    """A connector that looked at three projects: the bot administers PAY, neither PLAT nor DWH, and makes no bulk
    changes."""
    sandbox.control("POST", "switches", {"jira": {"withdrawn": ["BULK_CHANGE"]}})
    desk = open_jira(sandbox.url)
    desk.scope = dataclasses.replace(desk.scope, projects=("PAY", "PLAT", "DWH"))
    desk.connector.prepare(desk.scope, True)
    desk.session.calls.clear()
    return desk


def push(jira: Any, *changes: Any) -> list[Receipt]:
    """Push, and count the calls of the push alone."""
    jira.session.calls.clear()
    return list(jira.connector.push(list(changes)))


def labels(sandbox: Any, key: str) -> list[str]:
    """The labels that stand on an issue."""
    found: list[str] = sandbox.jira("GET", f"issue/{key}", fields="labels")["fields"]["labels"]
    return found


def test_label_and_property_go_in_one_edit_that_mails_nobody(sandbox: Any, jira: Any) -> None:
    jira.pull()
    mails, before = len(sandbox.mail()), labels(sandbox, "PAY-4")
    receipts = push(jira, jira.change("PAY-4", "label", "high"), jira.change("PAY-4", "property", FLAG))
    assert jira.session.calls == {ISSUE: 1}
    assert [(r.change.slot.name, r.fate, r.value) for r in receipts] == [
        ("label", "done", "high"),
        ("property", "done", FLAG),
    ]
    assert labels(sandbox, "PAY-4") == sorted([*before, "pmo-high"])
    assert sandbox.jira("GET", "issue/PAY-4/properties/pmosync.compliance")["value"]["severity"] == "high"
    assert len(sandbox.mail()) == mails


def test_the_record_in_the_receipt_is_what_the_next_pull_would_bring(jira: Any) -> None:
    jira.pull()
    (receipt,) = push(jira, jira.change("PAY-4", "label", "high"))
    assert receipt.record is not None
    jira.records["task", receipt.record.id] = receipt.record
    jira.calls()
    jira.pull(jira.cursor)
    assert jira.calls() == {"/rest/api/3/project/search": 1, "/rest/api/3/search/jql": 1}
    jira.pull()
    assert jira.by_key("PAY-4") == receipt.record
    assert receipt.record.values["labels"] == ()


def test_a_connector_that_was_asked_nothing_before_promises_no_record(sandbox: Any, jira: Any, open_jira: Any) -> None:
    jira.pull()
    (receipt,) = open_jira(sandbox.url).connector.push([jira.change("PAY-4", "label", "high")])
    assert (receipt.fate, receipt.value, receipt.record) == ("done", "high", None)


def test_labels_that_people_add_meanwhile_stay_and_only_ours_is_exchanged(sandbox: Any, jira: Any) -> None:
    jira.pull()
    push(jira, jira.change("PAY-4", "label", "high"))
    body = {"update": {"labels": [{"add": "keep-me"}, {"add": "pmo-low"}, {"add": "pmo-board"}]}}
    sandbox.jira("PUT", "issue/PAY-4", body, token="person-1")
    (receipt,) = push(jira, jira.change("PAY-4", "label", "medium", "high"))
    assert receipt.value == "medium"
    assert {"keep-me", "pmo-board", "pmo-medium"} <= set(labels(sandbox, "PAY-4"))
    assert not {"pmo-high", "pmo-low"} & set(labels(sandbox, "PAY-4"))


def test_several_of_our_labels_read_as_all_of_them_worst_first(sandbox: Any, jira: Any) -> None:
    body = {"update": {"labels": [{"add": "pmo-low"}, {"add": "pmo-critical"}]}}
    sandbox.jira("PUT", "issue/PAY-4", body, token="person-1")
    jira.pull()
    assert jira.by_key("PAY-4").marks["label"] == "critical,low"


def test_clearing_leaves_the_state_as_if_we_had_never_been_there(sandbox: Any, jira: Any) -> None:
    jira.pull()
    before = sandbox.state()
    push(
        jira,
        jira.change("PAY-4", "label", "high"),
        jira.change("PAY-4", "property", FLAG),
        jira.change("PAY", "project_property", '{"health":"amber"}'),
    )
    assert sandbox.state() != before
    receipts = push(
        jira,
        jira.change("PAY-4", "label", None, "high"),
        jira.change("PAY-4", "property", None, FLAG),
        jira.change("PAY", "project_property", None, '{"health":"amber"}'),
    )
    assert [receipt.fate for receipt in receipts] == ["done"] * 3
    assert jira.session.calls == {ISSUE: 1, f"DELETE {ISSUE_PROPERTY}": 1, f"DELETE {PROJECT_PROPERTY}": 1}
    assert without_history(sandbox.state()) == without_history(before)


def without_history(state: dict[str, Any]) -> dict[str, Any]:
    """A state without the record of who did what, which nobody can take back."""
    return {name: rows for name, rows in state.items() if not name.endswith(("change", "history"))}


def test_clearing_a_property_that_is_not_there_is_done(jira: Any) -> None:
    jira.pull()
    (receipt,) = push(jira, jira.change("PAY-4", "property", None))
    assert (receipt.fate, receipt.value) == ("done", None)


def test_a_property_alone_leaves_the_dates_of_the_issue_alone(sandbox: Any, jira: Any) -> None:
    jira.pull()
    updated = sandbox.jira("GET", "issue/PAY-4")["fields"]["updated"]
    (receipt,) = push(jira, jira.change("PAY-4", "property", '{"b": 1, "a": 2}'))
    assert (receipt.fate, receipt.value) == ("done", '{"a":2,"b":1}')
    assert jira.session.calls == {f"PUT {ISSUE_PROPERTY}": 1}
    assert sandbox.jira("GET", "issue/PAY-4")["fields"]["updated"] == updated


def test_our_edits_can_be_told_from_peoples_in_the_history(sandbox: Any, jira: Any) -> None:
    jira.pull()
    push(jira, jira.change("PAY-4", "label", "high"))
    last = sandbox.jira("GET", "issue/PAY-4/changelog")["values"][-1]
    assert last["historyMetadata"]["generator"]["id"] == "pmosync"


# --- permissions ----------------------------------------------------------------------------------------------------


def test_prepare_tells_where_a_label_would_mail_and_a_rollup_is_not_allowed(jira: Any) -> None:
    jira.pull()
    prepared = jira.connector.prepare(jira.scope, False)
    where = {(jira.records["project", one.project].key, one.slot) for one in prepared.limitations}
    assert where == {(key, slot) for key in ("PLAT", "DWH") for slot in ("label", "project_property")}
    assert all("Administer projects" in one.why for one in prepared.limitations)
    assert all("Make bulk changes" in one.why for one in prepared.limitations if one.slot == "label")


def test_where_mail_is_accepted_only_the_rollup_is_limited(jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, pins={"mail": "accept"})
    assert {one.slot for one in jira.connector.prepare(jira.scope, False).limitations} == {"project_property"}


def test_prepare_costs_two_calls(jira: Any) -> None:
    jira.connector.prepare(jira.scope, True)
    assert jira.calls() == {"/rest/api/3/project/search": 1, "/rest/api/3/permissions/check": 1}


def test_a_label_that_would_mail_is_refused_and_the_property_is_written_alone(sandbox: Any, jira: Any) -> None:
    jira.pull()
    before, mails = labels(sandbox, "DWH-4"), len(sandbox.mail())
    label, prop = push(jira, jira.change("DWH-4", "label", "high"), jira.change("DWH-4", "property", FLAG))
    assert (label.fate, prop.fate) == ("refused", "done")
    assert "DWH-4" in label.why
    assert "accept mail" in label.why
    assert labels(sandbox, "DWH-4") == before
    assert len(sandbox.mail()) == mails


@pytest.mark.parametrize("prepared", [True, False])
def test_where_mail_is_accepted_and_cannot_be_avoided_the_label_is_set_with_mail(
    sandbox: Any, jira: Any, open_jira: Any, prepared: bool
) -> None:
    scope = dataclasses.replace(jira.scope, pins={"mail": "accept"})
    jira = jira if prepared else open_jira(sandbox.url)
    jira.scope = scope
    jira.pull()
    loud = next(r for r in jira.tasks_of("DWH") if r.values["assignee"] and r.values["assignee"].active)
    mails = len(sandbox.mail())
    (receipt,) = push(jira, jira.change(loud.key, "label", "high"))
    assert receipt.fate == "done"
    assert len(sandbox.mail()) > mails
    assert jira.session.calls == {ISSUE: 1} | ({} if prepared else {"POST /rest/api/3/permissions/check": 1})


def test_mail_that_can_be_avoided_is_avoided_even_where_it_is_accepted(sandbox: Any, jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, pins={"mail": "accept"})
    jira.pull()
    jira.connector.prepare(jira.scope, True)
    mails = len(sandbox.mail())
    push(jira, *[jira.change(record.key, "label", "high") for record in jira.tasks_of("PAY")[:5]])
    assert len(sandbox.mail()) == mails


def test_a_rollup_without_the_right_to_administer_is_a_refused_receipt(jira: Any) -> None:
    jira.pull()
    (receipt,) = push(jira, jira.change("PLAT", "project_property", '{"health":"red"}'))
    assert (receipt.fate, receipt.value) == ("refused", None)
    assert "PLAT" in receipt.why


def test_an_issue_that_is_gone_refuses_every_slot(sandbox: Any, jira: Any) -> None:
    jira.pull()
    changes = [jira.change("PAY-4", "label", "high"), jira.change("PAY-4", "property", FLAG)]
    sandbox.jira("DELETE", "issue/PAY-4", deleteSubtasks="true")
    assert [receipt.fate for receipt in push(jira, *changes)] == ["refused", "refused"]


# --- trouble --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncated"])
def test_a_write_whose_answer_got_lost_is_sent_again_and_done_once(sandbox: Any, jira: Any, kind: str) -> None:
    jira.pull()
    history = sandbox.jira("GET", "issue/PAY-4/changelog")["total"]
    sandbox.fault({"kind": kind, "times": 1, "match": {"write": True}})
    receipts = push(jira, jira.change("PAY-4", "label", "high"), jira.change("PAY-4", "property", FLAG))
    assert [receipt.fate for receipt in receipts] == ["done", "done"]
    assert labels(sandbox, "PAY-4").count("pmo-high") == 1
    assert sandbox.jira("GET", "issue/PAY-4/changelog")["total"] == history + 1


def test_when_the_site_fails_for_good_the_fate_of_what_was_on_its_way_is_unknown(sandbox: Any, jira: Any) -> None:
    jira.pull()
    sandbox.fault({"kind": "status", "status": 502, "times": None, "match": {"write": True}})
    receipts = jira.connector.push([jira.change("PAY-4", "label", "high")])
    assert next(receipts).fate == "unknown"
    with pytest.raises(Unavailable):
        next(receipts)


# --- reading and counting -------------------------------------------------------------------------------------------


def test_reading_tells_what_stands_in_each_slot_and_why_one_cannot_be_read(sandbox: Any, jira: Any) -> None:
    jira.pull()
    push(
        jira,
        jira.change("PAY-4", "label", "low"),
        jira.change("PAY-4", "property", FLAG),
        jira.change("PAY", "project_property", '{"health":"green"}'),
    )
    jira.calls()
    issue, project = jira.by_key("PAY-4").id, jira.by_key("PAY").id
    slots = [
        Slot("task", issue, "label"),
        Slot("task", issue, "property"),
        Slot("task", "999999", "label"),
        Slot("project", project, "project_property"),
        Slot("project", "888888", "project_property"),
    ]
    readings = {(r.slot.id, r.slot.name): r for r in jira.connector.read(slots)}
    assert len(readings) == 5
    assert readings[issue, "label"].value == "low"
    assert readings[issue, "property"].value == FLAG
    assert readings[project, "project_property"].value == '{"health":"green"}'
    assert readings["999999", "label"].why
    assert readings["888888", "project_property"].why
    assert sum(jira.calls().values()) == 2


def test_the_cost_is_what_a_push_then_makes(jira: Any) -> None:
    jira.pull()
    changes = [
        jira.change("PAY-4", "label", "high"),
        jira.change("PAY-4", "property", FLAG),
        jira.change("PAY-5", "property", FLAG),
        jira.change("PAY-6", "label", None, "low"),
        jira.change("PAY-6", "property", None, FLAG),
        jira.change("PAY", "project_property", '{"health":"green"}'),
    ]
    estimate = jira.connector.cost(changes)
    push(jira, *changes)
    assert estimate.calls == jira.session.calls
