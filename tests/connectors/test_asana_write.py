"""Writing into Asana: our own fields found or made once, marks written and read back, and all of it taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Prepared, Scope, Slot, canonical
from pmosync.errors import Refused

from .asana_kit import Client, after_a_first_pull, client

SLOTS = ("field", "text_field", "fields")
A_LOOK = {
    "GET /users/{user_gid}/workspace_memberships": 1,
    "GET /workspaces/{workspace_gid}/custom_fields": 1,
    "GET /projects": 1,
}
"""What it costs to see that all our places are as they were, however many there are."""
MEASURES = {
    "compliance": 0.85,
    "findings": 4,
    "health": "amber",
    "late": 1,
    "open": 3,
    "progress": 0.4,
    "reason": "5 of 12 tasks are late",
    "worst": "high",
}


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def portfolio(sandbox: Sandbox) -> str:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    return str(sandbox.asana("GET", "portfolios", workspace=workspace, owner="me")["data"][0]["gid"])


def scope_of(sandbox: Sandbox, asana: Client, pins: Mapping[str, str] | None = None) -> Scope:
    projects = tuple(asana.of("project"))
    return Scope(projects, slots=SLOTS, homes=dict.fromkeys(projects, portfolio(sandbox)), pins=pins or {})


def prepared(sandbox: Sandbox, asana: Client) -> Prepared:
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert not found.limitations
    asana.calls()
    sandbox.forget_requests()
    return found


def flags(asana: Client, count: int, word: str | None, reasons: str | None) -> list[Change]:
    tasks = list(asana.of("task"))[:count]
    fields = [Change(Slot("task", gid, "field"), None, word) for gid in tasks]
    return [*fields, *(Change(Slot("task", gid, "text_field"), None, reasons) for gid in tasks)]


def by_name(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in sandbox.state()["asana_field"]}


# --- our fields -----------------------------------------------------------------------------------------------------


def test_a_look_makes_nothing_and_tells_what_would_be_made(sandbox: Sandbox, asana: Client) -> None:
    before = sandbox.state()
    found = asana.connector.prepare(scope_of(sandbox, asana), False)
    assert sandbox.requests()["writes"] == 0
    assert sandbox.state() == before
    assert "make the custom field 'PMO compliance' in the workspace, with notifications off" in found.writes
    assert "add the custom field 'PMO reasons' to project 'Brand refresh'" in found.writes


def test_our_fields_are_made_once_and_quietly(sandbox: Sandbox, asana: Client) -> None:
    first = prepared(sandbox, asana)
    ours = {name: field for name, field in by_name(sandbox).items() if name.startswith("PMO ")}
    assert len(ours) == 10
    assert {field["notifications"] for field in ours.values()} == {0}
    again = asana.connector.prepare(scope_of(sandbox, asana, first.pins), True)
    assert asana.calls() == A_LOOK
    assert (again.pins, again.writes) == (first.pins, ())


def test_with_the_pins_lost_the_same_fields_are_found_and_known_as_ours(sandbox: Sandbox, asana: Client) -> None:
    first = prepared(sandbox, asana)
    again = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert sandbox.requests()["writes"] == 0
    assert again.writes == ()
    without_places = {key: value for key, value in first.pins.items() if not key.startswith("attached.")}
    assert {key: again.pins[key] for key in without_places} == without_places


def test_a_field_of_our_name_with_another_type_is_left_alone(sandbox: Sandbox, asana: Client) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    given = {"workspace": workspace, "name": "PMO compliance", "resource_subtype": "number"}
    foreign = sandbox.asana("POST", "custom_fields", {"data": given}, token="person-1")["data"]["gid"]
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert {limitation.slot for limitation in found.limitations} == {"field"}
    assert "of another type is there" in found.limitations[0].why
    assert foreign not in found.pins.values()
    assert "task.text_field" in found.pins


def test_a_field_that_notifies_people_is_not_written(sandbox: Sandbox, asana: Client) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    given = {"workspace": workspace, "name": "PMO reasons", "resource_subtype": "text"}
    sandbox.asana("POST", "custom_fields", {"data": {**given, "has_notifications_enabled": True}}, token="person-1")
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert {limitation.slot for limitation in found.limitations} == {"text_field"}
    assert "notify people" in found.limitations[0].why


def test_missing_options_are_added_and_disabled_ones_enabled(sandbox: Sandbox, asana: Client) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    options = [{"name": "High"}, {"name": "Low"}, {"name": "Somebody's own"}]
    given = {"workspace": workspace, "name": "PMO compliance", "resource_subtype": "enum", "enum_options": options}
    made = sandbox.asana("POST", "custom_fields", {"data": given})["data"]
    high = made["enum_options"][0]["gid"]
    sandbox.asana("PUT", f"enum_options/{high}", {"data": {"enabled": False}})
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    stored = [o for o in sandbox.state()["asana_option"] if o["field"] == made["gid"]]
    assert {o["name"]: o["enabled"] for o in stored} == {
        "High": 1, "Low": 1, "Somebody's own": 1, "Critical": 1, "Medium": 1, "Info": 1,
    }  # fmt: skip
    assert found.pins["task.field.option.high"] == high


def test_a_free_plan_is_a_limitation_and_nothing_is_tried(sandbox: Sandbox, asana: Client) -> None:
    scope = scope_of(sandbox, asana)
    sandbox.control("POST", "switches", {"premium": "no"})
    found = asana.connector.prepare(scope, True)
    assert sandbox.requests()["writes"] == 0
    assert {(one.project, one.slot) for one in found.limitations} == {
        (project, slot) for project in asana.of("project") for slot in SLOTS
    }
    assert "paid plan" in found.limitations[0].why


def test_a_place_that_was_refused_is_not_tried_every_night(sandbox: Sandbox, asana: Client) -> None:
    project = next(iter(asana.of("project")))
    path = f"/projects/{project}/addCustomFieldSetting"
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": path}})
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert {(one.project, one.slot) for one in found.limitations} == {(project, "field"), (project, "text_field")}
    assert "make the account an editor there" in found.limitations[0].why
    sandbox.forget_requests()
    again = asana.connector.prepare(scope_of(sandbox, asana, found.pins), True)
    assert sandbox.requests()["writes"] == 0
    assert {(one.project, one.slot) for one in again.limitations} == {(project, "field"), (project, "text_field")}
    sandbox.heal()
    for key in ("task.field", "task.text_field"):
        data = {"data": {"custom_field": found.pins[key]}}
        sandbox.asana("POST", f"projects/{project}/addCustomFieldSetting", data, token="person-1")
    assert not asana.connector.prepare(scope_of(sandbox, asana, again.pins), True).limitations


def test_a_project_without_a_portfolio_has_no_place_for_its_rollup(sandbox: Sandbox, asana: Client) -> None:
    first, second = list(asana.of("project"))[:2]
    home = portfolio(sandbox)
    sandbox.asana("POST", f"portfolios/{home}/removeItem", {"data": {"item": first}})
    scope = Scope((first, second), slots=("fields",), homes={first: home})
    found = asana.connector.prepare(scope, True)
    why = {one.project: one.why for one in found.limitations}
    assert "not in portfolio" in why[first]
    assert "home in the register" in why[second]


def test_where_no_project_has_a_portfolio_no_field_is_made_for_rollups(sandbox: Sandbox, asana: Client) -> None:
    found = asana.connector.prepare(Scope(tuple(asana.of("project")), slots=SLOTS), True)
    assert {limitation.slot for limitation in found.limitations} == {"fields"}
    assert [name for name in by_name(sandbox) if name.startswith("PMO")] == ["PMO compliance", "PMO reasons"]


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_field_is_made_once_though_the_answer_gets_lost(sandbox: Sandbox, asana: Client, kind: str) -> None:
    sandbox.fault({"kind": kind, "times": 1, "match": {"path": "/custom_fields$", "method": "POST"}})
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert not found.limitations
    names = [field["name"] for field in sandbox.state()["asana_field"]]
    assert names.count("PMO compliance") == 1


# --- marks ----------------------------------------------------------------------------------------------------------


def test_marks_are_written_ten_at_a_time_read_back_and_mail_nobody(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    changes = flags(asana, 13, "high", "No owner: ask for one & tell <us>")
    receipts = list(asana.connector.push(changes))
    assert {(r.fate, r.value == r.change.after) for r in receipts} == {("done", True)}
    assert asana.calls() == {"POST /batch": 3}
    assert asana.connector.cost(changes).calls == {"PUT /tasks/{task_gid}": 13}
    looked = {"GET /api/1.0/tasks/{task_gid}": 10}
    assert sandbox.requests()["by_endpoint"] == {**looked, "PUT /api/1.0/tasks/{task_gid}": 13}
    assert sandbox.mail() == []
    asana.pull(scope_of(sandbox, asana, pins), full=True)
    flagged = [record for record in asana.of("task").values() if record.marks["field"]]
    assert {(r.marks["field"], r.marks["text_field"]) for r in flagged} == {("high", changes[-1].after)}
    assert len(flagged) == 13


@pytest.mark.parametrize("makes_follow", ["no", "yes"])
def test_writing_fields_makes_no_follower_of_us_and_leaves_those_whom_somebody_made(
    sandbox: Sandbox, asana: Client, makes_follow: str
) -> None:
    prepared(sandbox, asana)
    me = sandbox.asana("GET", "users/me")["data"]["gid"]
    asked_to = list(asana.of("task"))[3]
    sandbox.asana("POST", f"tasks/{asked_to}/addFollowers", {"data": {"followers": [me]}}, token="person-1")
    before = sandbox.state()["asana_follower"]
    sandbox.control("POST", "switches", {"asana": {"fields_follow": makes_follow}})
    asana.calls()
    receipts = list(asana.connector.push(flags(asana, 23, "high", "No owner")))
    assert {receipt.fate for receipt in receipts} == {"done"}
    assert asana.calls() == {"POST /batch": 4 if makes_follow == "no" else 9}
    assert {row["item"] for row in before if row["user"] == me} == {asked_to}
    assert sandbox.state()["asana_follower"] == before


def test_nothing_that_we_wrote_is_among_the_values(sandbox: Sandbox, asana: Client) -> None:
    before = {gid: record.values for gid, record in asana.of("task").items()}
    pins = prepared(sandbox, asana).pins
    list(asana.connector.push(flags(asana, 3, "low", "Late")))
    asana.pull(scope_of(sandbox, asana, pins), full=True)
    assert {gid: record.values for gid, record in asana.of("task").items()} == before
    asana.pull(full=True)
    assert {gid: record.values for gid, record in asana.of("task").items()} == before
    assert not [info for info in asana.connector.describe().fields if info.name.startswith("PMO")]


def test_our_own_echo_costs_nothing(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    list(asana.connector.push(flags(asana, 12, "low", "Late")))
    asana.calls()
    batches = asana.pull(scope_of(sandbox, asana, pins))
    assert asana.calls() == {"GET /projects": 1, "POST /batch": 1}
    assert [record for batch in batches for record in batch.records if record.kind == "task"] == []


def test_no_default_slot_tells_anybody_of_anything(sandbox: Sandbox, asana: Client) -> None:
    sandbox.control("POST", "switches", {"asana": {"edits_notify": "yes", "tags_notify": "yes"}})
    prepared(sandbox, asana)
    project = next(iter(asana.of("project")))
    rollup = [Change(Slot("project", project, "fields"), None, canonical(MEASURES))]
    for word, reasons in (("high", "Late"), ("low", "No owner"), (None, None)):
        assert {r.fate for r in asana.connector.push([*flags(asana, 12, word, reasons), *rollup])} == {"done"}
    assert sandbox.control("GET", "asana/notifications") == []


def test_a_mark_that_somebody_edits_is_read_as_it_stands(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    changes = flags(asana, 1, "high", "No owner")
    list(asana.connector.push(changes))
    gid = changes[0].slot.id
    edit = {pins["task.field"]: pins["task.field.option.low"], pins["task.text_field"]: "nonsense"}
    sandbox.asana("PUT", f"tasks/{gid}", {"data": {"custom_fields": edit}}, token="person-1")
    assert [r.value for r in asana.connector.read([c.slot for c in changes])] == ["low", "nonsense"]
    asana.pull(scope_of(sandbox, asana, pins))
    assert asana.of("task")[gid].marks == {"field": "low", "text_field": "nonsense"}


def test_clearing_a_mark_leaves_the_field_empty(sandbox: Sandbox, asana: Client) -> None:
    prepared(sandbox, asana)
    values = sandbox.state()["asana_value"]
    list(asana.connector.push(flags(asana, 11, "info", "Late")))
    receipts = list(asana.connector.push(flags(asana, 11, None, None)))
    assert {(r.fate, r.value) for r in receipts} == {("done", None)}
    assert sandbox.state()["asana_value"] == values


def test_the_measures_of_a_project_come_back_as_they_were_written(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    first, second, third = list(asana.of("project"))[:3]
    wanted = {
        first: canonical(MEASURES),
        second: canonical({**MEASURES, "compliance": 1.0, "worst": "none", "health": "grey"}),
        third: canonical({**MEASURES, "compliance": None, "progress": None, "health": "red", "reason": None}),
    }
    changes = [Change(Slot("project", gid, "fields"), None, text) for gid, text in wanted.items()]
    assert [(r.fate, r.value) for r in asana.connector.push(changes)] == [("done", text) for text in wanted.values()]
    asana.pull(scope_of(sandbox, asana, pins))
    assert {gid: asana.of("project")[gid].marks["fields"] for gid in wanted} == wanted


def test_a_measure_that_asana_has_no_field_for_is_left_out(sandbox: Sandbox, asana: Client) -> None:
    prepared(sandbox, asana)
    slot = Slot("project", next(iter(asana.of("project"))), "fields")
    (receipt,) = asana.connector.push([Change(slot, None, canonical({**MEASURES, "cancelled": 5}))])
    assert (receipt.fate, receipt.value) == ("done", canonical(MEASURES))


def test_a_new_connector_finds_the_places_without_pins(sandbox: Sandbox, asana: Client) -> None:
    prepared(sandbox, asana)
    changes = flags(asana, 1, "medium", "Late")
    list(asana.connector.push(changes))
    readings = client(sandbox).connector.read([change.slot for change in changes])
    assert [reading.value for reading in readings] == ["medium", "Late"]


def test_without_a_field_a_write_is_refused_with_the_next_step(sandbox: Sandbox, asana: Client) -> None:
    receipts = list(asana.connector.push(flags(asana, 1, "high", "Late")))
    assert {receipt.fate for receipt in receipts} == {"refused"}
    assert "pmosync reconcile" in receipts[0].why
    assert sandbox.requests()["writes"] == 0


@pytest.mark.parametrize("count", [1, 12])
def test_a_write_that_the_plan_does_not_allow_is_refused_in_asanas_words(
    sandbox: Sandbox, asana: Client, count: int
) -> None:
    prepared(sandbox, asana)
    changes = flags(asana, count, "high", "Late")
    sandbox.control("POST", "switches", {"premium": "no"})
    receipts = list(asana.connector.push(changes))
    assert {receipt.fate for receipt in receipts} == {"refused"}
    assert all("only available to premium users" in receipt.why for receipt in receipts)


@pytest.mark.parametrize("count", [1, 12])
def test_a_task_without_one_of_our_fields_refuses_that_one_alone(sandbox: Sandbox, asana: Client, count: int) -> None:
    pins = prepared(sandbox, asana).pins
    changes = flags(asana, count, "high", "Late")
    project = asana.of("task")[changes[0].slot.id].scopes[0].removeprefix("project:")
    data = {"data": {"custom_field": pins["task.field"]}}
    sandbox.asana("POST", f"projects/{project}/removeCustomFieldSetting", data)
    outside = {c.slot.id for c in changes if asana.of("task")[c.slot.id].scopes == (f"project:{project}",)}
    receipts = list(asana.connector.push(changes))
    refused = {(r.change.slot.id, r.change.slot.name) for r in receipts if r.fate == "refused"}
    assert refused == {(gid, "field") for gid in outside}
    done = {(r.change.slot.id, r.change.slot.name): r.value for r in receipts if r.fate == "done"}
    assert done == {(c.slot.id, c.slot.name): c.after for c in changes if (c.slot.id, c.slot.name) not in refused}
    assert all("is not on given object" in r.why for r in receipts if r.fate == "refused")


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
def test_a_write_is_done_once_whatever_happens_to_its_answer(
    sandbox: Sandbox, asana: Client, fault: dict[str, Any], count: int
) -> None:
    prepared(sandbox, asana)
    changes = flags(asana, count, "high", "Late")
    start = sandbox.snapshot()
    list(asana.connector.push(changes))
    undisturbed = sandbox.state()
    sandbox.restore(start)
    sandbox.fault({**fault, "times": 1, "match": {"path": r"/batch$|/tasks/\d+$"}})
    receipts = list(asana.connector.push(changes))
    assert {(r.fate, r.value == r.change.after) for r in receipts} == {("done", True)}
    assert sandbox.state() == undisturbed


def test_a_run_that_may_only_read_writes_nothing(sandbox: Sandbox, asana: Client) -> None:
    prepared(sandbox, asana)
    reader = client(sandbox, read_only=True).connector
    with pytest.raises(Refused, match="may only read"):
        list(reader.push(flags(asana, 12, "high", "Late")))
    assert sandbox.requests()["writes"] == 0


def test_taking_everything_away_leaves_the_workspace_as_it_was(sandbox: Sandbox, asana: Client) -> None:
    before = sandbox.state()
    pins = prepared(sandbox, asana).pins
    list(asana.connector.push(flags(asana, 3, "high", "Late")))
    scope = scope_of(sandbox, asana, pins)
    told = asana.connector.release(scope)
    assert "deleted the custom field 'PMO compliance'" in told
    after = sandbox.state()
    tools = [table for table in before if table.startswith("asana_") and table != "asana_story"]
    assert {table: after[table] for table in tools} == {table: before[table] for table in tools}
    assert any("already" in sentence for sentence in asana.connector.release(scope))


def test_a_field_that_somebody_else_made_is_not_deleted(sandbox: Sandbox, asana: Client) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    given = {"workspace": workspace, "name": "PMO reasons", "resource_subtype": "text"}
    sandbox.asana("POST", "custom_fields", {"data": given}, token="person-1")
    pins = prepared(sandbox, asana).pins
    asana.connector.release(scope_of(sandbox, asana, pins))
    assert [name for name in by_name(sandbox) if name.startswith("PMO")] == ["PMO reasons"]
    assert pins["task.text_field"] not in {setting["field"] for setting in sandbox.state()["asana_setting"]}
