"""Checks our one link on an issue: what people see, who is mailed, and how it is found again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from pmosync.contract import Receipt, Slot, canonical

LINKS = "/rest/api/3/issue/{id}/remotelink"
BULK = "/rest/api/3/issue/bulkfetch"
URL = "https://pmo.acme.example/standards/SCH201.html"
ONE = canonical({"title": "PMO: 2 findings: no owner; overdue", "url": URL})
OTHER = canonical({"title": "PMO: 1 finding: overdue", "url": URL})
FLAG = '{"findings":[{"standard":"DAT101"}],"severity":"high"}'


@pytest.fixture
def jira(sandbox: Any, open_jira: Any) -> Any:
    """A connector that may put links on issues of PAY."""
    desk = open_jira(sandbox.url)
    desk.scope = dataclasses.replace(desk.scope, projects=("PAY",), slots=("property", "remote_link"))
    return desk


def push(jira: Any, *changes: Any) -> list[Receipt]:
    """Push, and count the calls of the push alone."""
    jira.session.calls.clear()
    return list(jira.connector.push(list(changes)))


def links(sandbox: Any, key: str) -> list[dict[str, Any]]:
    """The links to elsewhere that stand on an issue."""
    found: list[dict[str, Any]] = sandbox.jira("GET", f"issue/{key}/remotelink")
    return found


def test_a_link_leads_from_the_issue_to_the_guidance_and_mails_nobody(sandbox: Any, jira: Any) -> None:
    jira.pull()
    mails = len(sandbox.mail())
    (receipt,) = push(jira, jira.change("PAY-4", "remote_link", ONE))
    assert (receipt.fate, receipt.value) == ("done", ONE)
    (link,) = links(sandbox, "PAY-4")
    assert (link["relationship"], link["object"]["title"], link["object"]["url"]) == (
        "PMO",
        "PMO: 2 findings: no owner; overdue",
        URL,
    )
    assert link["object"]["status"] == {"resolved": False}
    assert len(sandbox.mail()) == mails


def test_another_title_replaces_the_link_and_nobody_elses(sandbox: Any, jira: Any) -> None:
    sandbox.jira("POST", "issue/PAY-4/remotelink", {"object": {"title": "Wiki", "url": URL}}, token="person-1")
    jira.pull()
    push(jira, jira.change("PAY-4", "remote_link", ONE))
    push(jira, jira.change("PAY-4", "remote_link", OTHER, ONE))
    assert [link["object"]["title"] for link in links(sandbox, "PAY-4")] == ["Wiki", "PMO: 1 finding: overdue"]


def test_clearing_removes_our_link_alone_and_one_that_is_gone_is_cleared(sandbox: Any, jira: Any) -> None:
    sandbox.jira("POST", "issue/PAY-4/remotelink", {"object": {"title": "Wiki", "url": URL}}, token="person-1")
    jira.pull()
    push(jira, jira.change("PAY-4", "remote_link", ONE))
    for _ in range(2):
        (receipt,) = push(jira, jira.change("PAY-4", "remote_link", None, ONE))
        assert (receipt.fate, receipt.value) == ("done", None)
    assert [link["object"]["title"] for link in links(sandbox, "PAY-4")] == ["Wiki"]


def test_it_is_written_after_what_makes_it_findable_and_cleared_before_it(sandbox: Any, jira: Any) -> None:
    jira.pull()
    push(jira, jira.change("PAY-4", "remote_link", ONE), jira.change("PAY-4", "property", FLAG))
    push(jira, jira.change("PAY-4", "property", None, FLAG), jira.change("PAY-4", "remote_link", None, ONE))
    written = [(one["method"], one["template"].rpartition("/")[2]) for one in sandbox.requests()["log"] if one["write"]]
    prop = "{propertyKey}"
    assert written == [("PUT", prop), ("POST", "remotelink"), ("DELETE", "remotelink"), ("DELETE", prop)]


def test_a_refused_link_fails_no_other_mark(sandbox: Any, jira: Any) -> None:
    jira.pull()
    sandbox.fault({"kind": "status", "status": 403, "times": None, "match": {"path": "remotelink"}})
    receipts = push(jira, jira.change("PAY-4", "remote_link", ONE), jira.change("PAY-4", "property", FLAG))
    assert {(r.change.slot.name, r.fate) for r in receipts} == {("property", "done"), ("remote_link", "refused")}
    refused = next(r for r in receipts if r.fate == "refused")
    assert "PAY-4" in refused.why
    assert "Link issues" in refused.why


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "truncated"])
def test_a_link_whose_answer_got_lost_is_sent_again_and_stands_once(sandbox: Any, jira: Any, kind: str) -> None:
    jira.pull()
    sandbox.fault({"kind": kind, "times": 1, "match": {"write": True}})
    (receipt,) = push(jira, jira.change("PAY-4", "remote_link", ONE))
    assert receipt.fate == "done"
    assert len(links(sandbox, "PAY-4")) == 1


# --- finding it again -------------------------------------------------------------------------------------------------


def flagged(jira: Any) -> Any:
    """Two issues with a property and a link, seen by a connector that knows nothing of them."""
    jira.pull()
    for key in ("PAY-4", "PAY-5"):
        push(jira, jira.change(key, "property", FLAG), jira.change(key, "remote_link", ONE))
    jira.calls()
    return jira


def test_a_full_pull_asks_for_links_only_where_our_property_stands(jira: Any) -> None:
    flagged(jira).pull()
    assert jira.calls()[LINKS] == 2
    assert jira.by_key("PAY-4").marks == {"property": FLAG, "remote_link": ONE}
    assert jira.by_key("PAY-6").marks == {"property": None}


def test_a_full_pull_tells_a_link_that_was_edited_and_one_that_was_removed(sandbox: Any, jira: Any) -> None:
    flagged(jira)
    edited = {"globalId": "pmosync.compliance", "object": {"title": "Nothing to see", "url": URL}}
    sandbox.jira("POST", "issue/PAY-4/remotelink", edited, token="person-1")
    (link,) = links(sandbox, "PAY-5")
    sandbox.jira("DELETE", f"issue/PAY-5/remotelink/{link['id']}", token="person-1")
    jira.pull()
    assert json.loads(jira.by_key("PAY-4").marks["remote_link"])["title"] == "Nothing to see"
    assert jira.by_key("PAY-5").marks["remote_link"] is None


def test_a_pull_of_what_changed_reads_no_link(sandbox: Any, jira: Any) -> None:
    flagged(jira)
    sandbox.advance(60)
    sandbox.jira("PUT", "issue/PAY-4", {"fields": {"summary": "Another title"}}, token="person-1")
    jira.pull(jira.cursor)
    assert LINKS not in jira.calls()
    assert "remote_link" not in jira.by_key("PAY-4").marks


def test_without_our_property_every_issue_is_asked(jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, slots=("remote_link",))
    jira.pull()
    push(jira, jira.change("PAY-4", "remote_link", ONE))
    jira.calls()
    jira.pull()
    assert jira.calls()[LINKS] == len(jira.tasks_of("PAY"))
    assert jira.by_key("PAY-4").marks == {"remote_link": ONE}
    assert jira.by_key("PAY-5").marks == {"remote_link": None}


def test_where_the_slot_is_not_in_use_no_link_is_read(jira: Any) -> None:
    flagged(jira)
    jira.scope = dataclasses.replace(jira.scope, slots=("property",))
    jira.pull()
    assert LINKS not in jira.calls()


def test_a_link_that_jira_does_not_show_is_left_out_and_costs_nothing_else(sandbox: Any, jira: Any) -> None:
    flagged(jira)
    before = len(jira.tasks_of("PAY"))
    sandbox.fault({"kind": "status", "status": 403, "times": None, "match": {"path": "remotelink"}})
    batches = jira.pull()
    assert jira.by_key("PAY-4").marks == {"property": FLAG}
    assert len(jira.tasks_of("PAY")) == before
    assert not [batch for batch in batches if batch.state == "unobserved"]


def test_reading_tells_what_stands_there(sandbox: Any, jira: Any) -> None:
    flagged(jira)
    ids = [jira.by_key(key).id for key in ("PAY-4", "PAY-6")]
    slots = [Slot("task", issue_id, "remote_link") for issue_id in ids] + [Slot("task", ids[0], "property")]
    readings = {(r.slot.id, r.slot.name): (r.value, r.why) for r in jira.connector.read(slots)}
    assert readings == {
        (ids[0], "remote_link"): (ONE, ""),
        (ids[1], "remote_link"): (None, ""),
        (ids[0], "property"): (FLAG, ""),
    }


# --- rights and cost --------------------------------------------------------------------------------------------------


def test_prepare_tells_where_links_may_not_be_set(sandbox: Any, jira: Any) -> None:
    body = {"globalPermissions": [], "projectPermissions": []}
    sandbox.fault({"kind": "status", "status": 200, "body": body, "times": 1, "match": {"path": "permissions/check"}})
    (one,) = [one for one in jira.connector.prepare(jira.scope, False).limitations if one.slot == "remote_link"]
    assert "PAY: the account lacks the permission Link issues" in one.why
    assert [one.slot for one in jira.connector.prepare(jira.scope, False).limitations] == []


def test_the_cost_is_what_a_push_then_makes(jira: Any) -> None:
    jira.pull()
    changes = [
        jira.change("PAY-4", "remote_link", ONE),
        jira.change("PAY-4", "property", FLAG),
        jira.change("PAY-5", "remote_link", None, ONE),
    ]
    estimate = jira.connector.cost(changes)
    push(jira, *changes)
    assert estimate.calls == jira.session.calls
