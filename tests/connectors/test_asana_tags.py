"""Tags that stand in for the flag where Asana's custom fields may not be used: made once, put right, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Prepared, Scope, Slot

from .asana_kit import Client, after_a_first_pull, client

WORDS = ("critical", "high", "medium", "low", "info")
NAMES = {f"pmo-{word}" for word in WORDS}


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


@pytest.fixture
def free(sandbox: Sandbox, asana: Client) -> Client:
    """The same on a free plan."""
    sandbox.control("POST", "switches", {"premium": "no"})
    return asana


def scope_of(asana: Client, pins: Mapping[str, str] | None = None) -> Scope:
    return Scope(tuple(asana.of("project")), slots=("field", "text_field", "tag"), pins=pins or {})


def made(sandbox: Sandbox, asana: Client) -> Prepared:
    found = asana.connector.prepare(scope_of(asana), True)
    assert not [one for one in found.limitations if one.slot == "tag"]
    asana.calls()
    sandbox.forget_requests()
    return found


def tags_of(sandbox: Sandbox, task: str) -> set[str]:
    return {tag["name"] for tag in sandbox.asana("GET", f"tasks/{task}/tags")["data"]}


def flags(asana: Client, count: int, before: str | None, after: str | None) -> list[Change]:
    return [Change(Slot("task", gid, "tag"), before, after) for gid in list(asana.of("task"))[:count]]


def workspace_of(sandbox: Sandbox) -> str:
    return str(sandbox.asana("GET", "workspaces")["data"][0]["gid"])


def make_tag(sandbox: Sandbox, name: str) -> str:
    data = {"data": {"workspace": workspace_of(sandbox), "name": name}}
    return str(sandbox.asana("POST", "tags", data, token="person-1")["data"]["gid"])


def put(sandbox: Sandbox, task: str, tag: str) -> None:
    sandbox.asana("POST", f"tasks/{task}/addTag", {"data": {"tag": tag}}, token="person-1")


# --- the tags themselves ----------------------------------------------------------------------------------------------


def test_without_custom_fields_five_tags_are_made_once(sandbox: Sandbox, free: Client) -> None:
    looked = free.connector.prepare(scope_of(free), False)
    assert "make the tag 'pmo-critical' in the workspace" in looked.writes
    assert sandbox.requests()["writes"] == 0
    found = made(sandbox, free)
    assert {one.slot for one in found.limitations} == {"field", "text_field"}
    tags = [tag for tag in sandbox.state()["asana_tag"] if tag["name"] in NAMES]
    assert {tag["name"] for tag in tags} == NAMES
    assert len(tags) == 5
    again = free.connector.prepare(scope_of(free, found.pins), True)
    assert (again.pins, again.writes) == (found.pins, ())
    assert "GET /workspaces/{workspace_gid}/tags" not in free.calls()


def test_where_the_field_may_be_written_no_tag_is_looked_for(sandbox: Sandbox, asana: Client) -> None:
    found = asana.connector.prepare(scope_of(asana), True)
    assert not found.limitations
    assert "GET /workspaces/{workspace_gid}/tags" not in asana.calls()
    assert not [tag for tag in sandbox.state()["asana_tag"] if tag["name"] in NAMES]


def test_one_project_that_refuses_the_field_is_enough_for_tags(sandbox: Sandbox, asana: Client) -> None:
    project = next(iter(asana.of("project")))
    refusal = {"path": f"/projects/{project}/addCustomFieldSetting"}
    sandbox.fault({"kind": "status", "status": 403, "match": refusal})
    found = asana.connector.prepare(scope_of(asana), True)
    assert {(one.project, one.slot) for one in found.limitations} == {(project, "field"), (project, "text_field")}
    assert {key for key in found.pins if key.startswith("tag.")} == {f"tag.{word}" for word in WORDS}


def test_with_the_pins_lost_the_same_tags_are_found_and_known_as_ours(sandbox: Sandbox, free: Client) -> None:
    first = made(sandbox, free)
    again = free.connector.prepare(scope_of(free), True)
    assert (again.pins, again.writes) == (first.pins, ())
    assert sandbox.requests()["writes"] == 0


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_tag_is_made_once_though_the_answer_gets_lost(sandbox: Sandbox, free: Client, kind: str) -> None:
    sandbox.fault({"kind": kind, "times": 1, "match": {"path": "/tags$", "method": "POST"}})
    made(sandbox, free)
    names = [tag["name"] for tag in sandbox.state()["asana_tag"]]
    assert {name: names.count(name) for name in NAMES} == dict.fromkeys(NAMES, 1)


def test_a_tag_that_may_not_be_made_is_a_limitation_and_not_tried_every_night(sandbox: Sandbox, free: Client) -> None:
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": "/tags$", "method": "POST"}})
    found = free.connector.prepare(scope_of(free), True)
    assert {one.project for one in found.limitations if one.slot == "tag"} == set(free.of("project"))
    assert len({(one.project, one.slot) for one in found.limitations}) == len(found.limitations)
    sandbox.heal()
    sandbox.forget_requests()
    again = free.connector.prepare(scope_of(free, found.pins), True)
    assert sandbox.requests()["writes"] == 0
    (why,) = {one.why for one in again.limitations if one.slot == "tag"}
    assert "make it by hand" in why
    for word in WORDS:
        make_tag(sandbox, f"pmo-{word}")
    after = free.connector.prepare(scope_of(free, again.pins), True)
    assert not [one for one in after.limitations if one.slot == "tag"]


# --- marks ------------------------------------------------------------------------------------------------------------


def test_tags_are_put_on_ten_tasks_at_a_time_read_back_and_mail_nobody(sandbox: Sandbox, free: Client) -> None:
    pins = made(sandbox, free).pins
    changes = flags(free, 13, None, "high")
    assert free.connector.cost(changes).calls == {
        "POST /tasks/{task_gid}/addTag": 13,
        "GET /tasks/{task_gid}": 13,
    }
    receipts = list(free.connector.push(changes))
    assert {(r.fate, r.value) for r in receipts} == {("done", "high")}
    assert free.calls() == {"POST /batch": 4}
    assert sandbox.mail() == []
    assert [reading.value for reading in free.connector.read([c.slot for c in changes])] == ["high"] * 13
    free.pull(scope_of(free, pins), full=True)
    flagged = {gid for gid, record in free.of("task").items() if record.marks["tag"]}
    assert flagged == {change.slot.id for change in changes}


def test_exactly_one_of_our_tags_stays_and_other_peoples_are_not_touched(sandbox: Sandbox, free: Client) -> None:
    pins = made(sandbox, free).pins
    (change,) = flags(free, 1, None, "critical")
    task, urgent = change.slot.id, make_tag(sandbox, "urgent")
    put(sandbox, task, urgent)
    list(free.connector.push([change]))
    put(sandbox, task, pins["tag.low"])
    slot = change.slot
    assert [reading.value for reading in free.connector.read([slot])] == ["critical,low"]
    (receipt,) = free.connector.push([Change(slot, "critical,low", "medium")])
    assert (receipt.fate, receipt.value) == ("done", "medium")
    assert tags_of(sandbox, task) == {"urgent", "pmo-medium"}
    put(sandbox, task, pins["tag.info"])
    (receipt,) = free.connector.push([Change(slot, "medium", None)])
    assert (receipt.fate, receipt.value) == ("done", None)
    assert tags_of(sandbox, task) == {"urgent"}


def test_our_tags_are_never_among_the_values(sandbox: Sandbox, free: Client) -> None:
    pins = made(sandbox, free).pins
    changes = flags(free, 3, None, "low")
    before = {gid: record.values for gid, record in free.of("task").items()}
    list(free.connector.push(changes))
    for scope in (scope_of(free, pins), Scope(), Scope(pins=pins)):
        free.pull(scope, full=True)
        assert {gid: record.values for gid, record in free.of("task").items()} == before
    assert all("tag" not in record.marks for record in free.of("task").values())


def test_somebodys_change_of_our_tag_is_seen_by_the_next_pull(sandbox: Sandbox, free: Client) -> None:
    pins = made(sandbox, free).pins
    scope = scope_of(free, pins)
    (change,) = flags(free, 1, None, "high")
    list(free.connector.push([change]))
    free.pull(scope)
    put(sandbox, change.slot.id, pins["tag.critical"])
    free.pull(scope)
    assert free.of("task")[change.slot.id].marks["tag"] == "critical,high"


def test_a_new_connector_finds_the_tags_without_pins(sandbox: Sandbox, free: Client) -> None:
    made(sandbox, free)
    changes = flags(free, 1, None, "medium")
    list(free.connector.push(changes))
    assert [r.value for r in client(sandbox).connector.read([c.slot for c in changes])] == ["medium"]


def test_without_its_tag_a_flag_is_refused_with_the_next_step(sandbox: Sandbox, free: Client) -> None:
    (receipt,) = free.connector.push(flags(free, 1, None, "high"))
    assert receipt.fate == "refused"
    assert "the tag 'pmo-high' is not known on this site: run `pmosync reconcile`" in receipt.why
    assert sandbox.requests()["writes"] == 0


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut_before"},
        {"kind": "cut_after"},
        {"kind": "truncated"},
        {"kind": "retry_after", "value": "0"},
        {"kind": "status", "status": 503},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_a_tag_is_changed_once_whatever_happens_to_the_answer(
    sandbox: Sandbox, free: Client, fault: dict[str, Any], count: int
) -> None:
    made(sandbox, free)
    list(free.connector.push(flags(free, count, None, "low")))
    changes = flags(free, count, "low", "high")
    start = sandbox.snapshot()
    list(free.connector.push(changes))
    undisturbed = sandbox.state()
    sandbox.restore(start)
    sandbox.fault({**fault, "times": 1, "match": {"path": r"/batch$|/tasks/\d+/(add|remove)Tag$"}})
    receipts = list(free.connector.push(changes))
    assert {(r.fate, r.value) for r in receipts} == {("done", "high")}
    assert sandbox.state() == undisturbed


@pytest.mark.parametrize("count", [1, 12])
def test_a_task_that_may_not_be_changed_refuses_only_its_own_tag(sandbox: Sandbox, free: Client, count: int) -> None:
    made(sandbox, free)
    changes = flags(free, count, None, "high")
    sandbox.asana("DELETE", f"tasks/{changes[0].slot.id}", token="person-1")
    trashed = {row["gid"] for row in sandbox.state()["asana_task"] if row["trashed"]}
    gone = trashed & {change.slot.id for change in changes}
    assert gone
    receipts = list(free.connector.push(changes))
    assert {r.change.slot.id for r in receipts if r.fate == "refused"} == gone
    assert {r.change.slot.id for r in receipts if r.fate == "done"} == {c.slot.id for c in changes} - gone
    cleared = list(free.connector.push([Change(Slot("task", gid, "tag"), "high", None) for gid in sorted(gone)]))
    assert {(r.fate, r.value) for r in cleared} == {("done", None)}


# --- taking them away -------------------------------------------------------------------------------------------------


def test_taking_everything_away_leaves_no_tag_of_ours_anywhere(sandbox: Sandbox, free: Client) -> None:
    before = sandbox.state()
    pins = made(sandbox, free).pins
    list(free.connector.push(flags(free, 3, None, "high")))
    told = free.connector.release(scope_of(free, pins))
    assert "deleted the tag 'pmo-high'" in told
    after = sandbox.state()
    for table in ("asana_tag", "asana_tagging"):
        assert after[table] == before[table]
    assert "the tag 'pmo-high' was deleted already" in free.connector.release(scope_of(free, pins))


def test_a_tag_of_our_name_that_somebody_else_made_is_used_and_stays(sandbox: Sandbox, free: Client) -> None:
    theirs = make_tag(sandbox, "pmo-high")
    pins = made(sandbox, free).pins
    assert pins["tag.high"] == theirs
    free.connector.release(scope_of(free, pins))
    assert {tag["name"] for tag in sandbox.state()["asana_tag"]} & NAMES == {"pmo-high"}
