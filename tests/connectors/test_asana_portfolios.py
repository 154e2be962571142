"""Rollups on Asana's portfolios themselves, in both ways in which Asana may take their values; and reported health."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Choice, Prepared, Record, Scope, Slot, canonical

from .asana_kit import Client, after_a_first_pull, client
from .test_asana_write import A_LOOK

TOLD = canonical(
    {
        "compliance": 0.85,
        "findings": 4,
        "health": "red",
        "late": 1,
        "open": 3,
        "progress": 0.4,
        "reason": "Head office move is red: 12 of 40 tasks are late",
        "worst": "high",
    }
)
OTHER = TOLD.replace("red", "amber")


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def portfolios(sandbox: Sandbox) -> dict[str, str]:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    found = sandbox.asana("GET", "portfolios", workspace=workspace, owner="me")["data"]
    return {one["name"]: one["gid"] for one in found}


def scope_of(sandbox: Sandbox, asana: Client, pins: Mapping[str, str] | None = None) -> Scope:
    gids = portfolios(sandbox)
    rollups = {
        "portfolio/acme": gids["PMO portfolio"],
        "portfolio/change": gids["PMO portfolio"],
        "program/growth": gids["Customer growth"],
        "project/pay": "1202999999999999",
    }
    return Scope(tuple(asana.of("project")), slots=("portfolio_fields",), rollups=rollups, pins=pins or {})


def prepared(sandbox: Sandbox, asana: Client) -> Prepared:
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    assert not found.limitations
    asana.calls()
    sandbox.forget_requests()
    return found


def changes(sandbox: Sandbox, before: str | None, after: str | None) -> list[Change]:
    gids = portfolios(sandbox)
    chosen = (gids["PMO portfolio"], gids["Customer growth"])
    return [Change(Slot("rollup", gid, "portfolio_fields"), before, after, gid) for gid in chosen]


def rollups(asana: Client) -> dict[str, Record]:
    return {record.key: record for record in asana.of("rollup").values()}


# --- our places -------------------------------------------------------------------------------------------------------


def test_the_fields_of_projects_are_offered_by_each_portfolio_once(sandbox: Sandbox, asana: Client) -> None:
    looked = asana.connector.prepare(scope_of(sandbox, asana), False)
    assert sandbox.requests()["writes"] == 0
    assert "add the custom field 'PMO health' to portfolio 'Customer growth'" in looked.writes
    found = prepared(sandbox, asana)
    state = sandbox.state()
    ours = {row["gid"]: row["name"] for row in state["asana_field"] if row["name"].startswith("PMO")}
    assert sorted(ours.values()) == [
        "PMO compliance share", "PMO findings", "PMO health", "PMO health reason", "PMO progress", "PMO tasks late",
        "PMO tasks open", "PMO worst severity",
    ]  # fmt: skip
    offered = [row["parent"] for row in state["asana_setting"] if row["field"] in ours]
    gids = portfolios(sandbox)
    assert {gid: offered.count(gid) for gid in offered} == {gids["PMO portfolio"]: 8, gids["Customer growth"]: 8}
    again = asana.connector.prepare(scope_of(sandbox, asana, found.pins), True)
    assert asana.calls() == A_LOOK
    assert (again.pins, again.writes) == (found.pins, ())


def test_a_site_that_has_the_five_old_fields_gets_the_new_ones(sandbox: Sandbox, asana: Client) -> None:
    first = prepared(sandbox, asana).pins
    new = ("project.fields.health", "project.fields.reason", "project.fields.progress")
    for key in new:
        sandbox.asana("DELETE", f"custom_fields/{first[key]}")
    lost = {first[key] for key in new}
    old = {key: gid for key, gid in first.items() if not key.startswith(new) and not set(key.split(".")) & lost}
    looked = asana.connector.prepare(scope_of(sandbox, asana, old), False)
    assert len([step for step in looked.writes if step.startswith("make the custom field")]) == 3
    found = asana.connector.prepare(scope_of(sandbox, asana, old), True)
    assert not found.limitations
    assert set(found.pins) >= set(new)
    assert {found.pins[key] for key in old if key.startswith("project.fields.")} <= set(first.values())
    receipts = list(asana.connector.push(changes(sandbox, None, TOLD)))
    assert {(r.fate, r.value) for r in receipts} == {("done", TOLD)}


def test_measures_without_a_field_of_ours_are_not_told(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    list(asana.connector.push(changes(sandbox, None, TOLD)))
    new = ("project.fields.health", "project.fields.reason", "project.fields.progress")
    for key in new:
        sandbox.asana("DELETE", f"custom_fields/{pins[key]}")
    old = {key: gid for key, gid in pins.items() if not key.startswith(new)}
    asana.pull(scope_of(sandbox, asana, old), full=True)
    slim = canonical({"compliance": 0.85, "findings": 4, "late": 1, "open": 3, "worst": "high"})
    older = client(sandbox)
    older.pull(scope_of(sandbox, asana, old), full=True)
    assert {record.marks["portfolio_fields"] for record in rollups(older).values()} == {slim}
    older.connector.prepare(scope_of(sandbox, asana, old), False)
    assert {receipt.fate for receipt in older.connector.push(changes(sandbox, slim, TOLD))} == {"refused"}
    cleared = list(older.connector.push(changes(sandbox, slim, None)))
    assert {(receipt.fate, receipt.value) for receipt in cleared} == {("done", None)}
    assert not [row for row in sandbox.state()["asana_value"] if row["item"] in asana.of("rollup")]


def test_a_new_connector_that_wrote_other_slots_first_finds_the_fields_of_portfolios(
    sandbox: Sandbox, asana: Client
) -> None:
    scope = replace(scope_of(sandbox, asana), slots=("field", "text_field", "portfolio_fields"))
    asana.connector.prepare(scope, True)
    later = client(sandbox).connector
    flag = Change(Slot("task", asana.named("Approve the final budget").id, "field"), None, "high", "")
    assert [receipt.fate for receipt in later.push([flag])] == ["done"]
    assert {receipt.fate for receipt in later.push(changes(sandbox, None, TOLD))} == {"done"}
    sandbox.forget_requests()
    list(later.push([replace(flag, before="high", after="low"), *changes(sandbox, TOLD, OTHER)]))
    asked = sandbox.requests()["by_endpoint"]
    assert not [endpoint for endpoint in asked if "custom_fields" in endpoint], "what is known is not looked for again"


def test_where_only_an_outer_portfolio_gives_a_place_the_inner_one_is_written(sandbox: Sandbox, asana: Client) -> None:
    sandbox.control("POST", "switches", {"portfolio_values": "parent"})
    gids = portfolios(sandbox)
    sandbox.asana("POST", f"portfolios/{gids['PMO portfolio']}/addItem", {"data": {"item": gids["Customer growth"]}})
    found = asana.connector.prepare(scope_of(sandbox, asana), True)
    (limit,) = found.limitations
    assert (limit.project, limit.slot) == (gids["PMO portfolio"], "portfolio_fields")
    assert "Asana has no place for values of portfolio 'PMO portfolio' itself" in limit.why
    assert "put it into another portfolio that is a home in the register" in limit.why
    top, inner = asana.connector.push(changes(sandbox, None, TOLD))
    assert (top.fate, inner.fate, inner.value) == ("refused", "done", TOLD)
    assert "put it into another portfolio that is a home" in top.why
    sandbox.forget_requests()
    again = asana.connector.prepare(scope_of(sandbox, asana, found.pins), True)
    assert [(one.project, one.slot) for one in again.limitations] == [(limit.project, limit.slot)]
    assert sandbox.requests()["writes"] == 0
    outermost = sandbox.asana(
        "POST", "portfolios", {"data": {"workspace": _workspace(sandbox), "name": "All", "color": "light-green"}}
    )["data"]["gid"]
    sandbox.asana("POST", f"portfolios/{outermost}/addItem", {"data": {"item": gids["PMO portfolio"]}})
    wider = scope_of(sandbox, asana, again.pins)
    wider = replace(wider, rollups={**wider.rollups, "portfolio/all": outermost})
    last = asana.connector.prepare(wider, True)
    assert [one.project for one in last.limitations] == [outermost]


def _workspace(sandbox: Sandbox) -> str:
    return str(sandbox.asana("GET", "workspaces")["data"][0]["gid"])


def test_a_portfolio_that_we_may_not_edit_or_that_is_none_is_told(sandbox: Sandbox, asana: Client) -> None:
    gid = portfolios(sandbox)["Customer growth"]
    path = f"/portfolios/{gid}/addCustomFieldSetting"
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": path}})
    scope = scope_of(sandbox, asana)
    scope = replace(scope, rollups={**scope.rollups, "program/digital": "PAY"})
    found = asana.connector.prepare(scope, True)
    assert {(one.project, one.slot) for one in found.limitations} == {
        (gid, "portfolio_fields"),
        ("PAY", "portfolio_fields"),
    }
    assert len(found.limitations) == 2
    why = {one.project: one.why for one in found.limitations}
    assert "make the account an editor there" in why[gid]
    assert f"remove the lines that begin with `refused.{gid}.`" in why[gid]
    assert "'PAY' is not the gid of an Asana portfolio" in why["PAY"]
    sandbox.heal()
    kept = {key: value for key, value in found.pins.items() if not key.startswith(f"refused.{gid}.")}
    assert not asana.connector.prepare(scope_of(sandbox, asana, kept), True).limitations


def test_a_free_plan_is_a_limitation_of_every_portfolio(sandbox: Sandbox, asana: Client) -> None:
    scope = scope_of(sandbox, asana)
    sandbox.control("POST", "switches", {"premium": "no"})
    found = asana.connector.prepare(scope, True)
    assert sandbox.requests()["writes"] == 0
    assert {(one.project, one.slot) for one in found.limitations} == {
        (gid, "portfolio_fields") for name, gid in scope.rollups.items() if not name.startswith("project/")
    }


# --- marks ------------------------------------------------------------------------------------------------------------


def test_a_rollup_is_written_read_back_pulled_and_cleared(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    values = sandbox.state()["asana_value"]
    wanted = changes(sandbox, None, TOLD)
    assert asana.connector.cost(wanted).calls == {"PUT /portfolios/{portfolio_gid}": 2}
    assert {(r.fate, r.value) for r in asana.connector.push(wanted)} == {("done", TOLD)}
    assert asana.calls() == {"POST /batch": 1}
    assert [r.value for r in asana.connector.read([change.slot for change in wanted])] == [TOLD, TOLD]
    assert sandbox.mail() == []
    batches = asana.pull(scope_of(sandbox, asana, pins), full=True)
    (batch,) = [batch for batch in batches if "rollups" in batch.scopes]
    assert (batch.state, batch.kinds, set(batch.census)) == ("complete", ("rollup",), set(asana.of("rollup")))
    held = rollups(asana)
    assert set(held) == {"PMO portfolio", "Customer growth"}
    assert {(one.marks["portfolio_fields"], len(one.values), one.scopes) for one in held.values()} == {
        (TOLD, 0, ("rollups",))
    }
    assert all(one.url.startswith(sandbox.url) for one in held.values())
    (receipt,) = asana.connector.push(changes(sandbox, TOLD, OTHER)[:1])
    assert (receipt.fate, receipt.value) == ("done", OTHER)
    cleared = list(asana.connector.push(changes(sandbox, OTHER, None)))
    assert {(r.fate, r.value) for r in cleared} == {("done", None)}
    assert sandbox.state()["asana_value"] == values


def test_a_pull_of_what_changed_and_a_mapping_without_the_slot_read_no_portfolio(
    sandbox: Sandbox, asana: Client
) -> None:
    pins = prepared(sandbox, asana).pins
    asana.pull(scope_of(sandbox, asana, pins))
    asana.pull(full=True)
    assert not asana.of("rollup")
    assert not [name for name in asana.calls() if "portfolios" in name]


def test_a_mapping_that_wants_no_more_of_portfolios_than_their_updates_reads_what_stands_there(
    sandbox: Sandbox, asana: Client
) -> None:
    scope = replace(scope_of(sandbox, asana), slots=("portfolio_update",))
    asana.pull(scope, full=True)
    assert {gid: record.marks["portfolio_update"] for gid, record in asana.of("rollup").items()} == dict.fromkeys(
        {*scope.rollups.values()} - {"1202999999999999"}
    )


def test_a_portfolio_that_cannot_be_read_leaves_the_rollups_unobserved(sandbox: Sandbox, asana: Client) -> None:
    pins = prepared(sandbox, asana).pins
    scope = scope_of(sandbox, asana, pins)
    asana.pull(scope, full=True)
    data = {"workspace": _workspace(sandbox), "name": "Somebody's own", "color": "light-green"}
    gid = sandbox.asana("POST", "portfolios", {"data": data}, token="person-1")["data"]["gid"]
    asana.pull(replace(scope, rollups={**scope.rollups, "program/own": gid}), full=True)
    assert f"portfolio {gid} cannot be read" in asana.unobserved["rollups"]
    assert len(asana.of("rollup")) == 2
    assert not [name for name in asana.unobserved if name.startswith("project:")]


def test_taking_everything_away_leaves_the_portfolios_as_they_were(sandbox: Sandbox, asana: Client) -> None:
    before = sandbox.state()
    pins = prepared(sandbox, asana).pins
    list(asana.connector.push(changes(sandbox, None, TOLD)))
    told = asana.connector.release(scope_of(sandbox, asana, pins))
    assert "deleted the custom field 'PMO health'" in told
    after = sandbox.state()
    tools = [table for table in before if table.startswith("asana_") and table != "asana_story"]
    assert {table: after[table] for table in tools} == {table: before[table] for table in tools}


# --- how managers report ----------------------------------------------------------------------------------------------


def test_the_last_status_update_is_a_projects_status(sandbox: Sandbox, asana: Client) -> None:
    told = {record.values["name"]: record.values for record in asana.of("project").values()}
    assert told["Annual customer conference"]["status"] == Choice("at_risk", "at_risk")
    assert told["New employee onboarding"]["status"] is told["New employee onboarding"]["status_on"] is None
    project = next(gid for gid, one in asana.of("project").items() if one.values["name"] == "Head office move")
    assert isinstance(asana.of("project")[project].values["status_on"], dt.date)
    data = {"parent": project, "status_type": "off_track", "text": "The lease fell through."}
    sandbox.asana("POST", "status_updates", {"data": data}, token="person-1")
    asana.calls()
    asana.pull()
    assert asana.of("project")[project].values["status"] == Choice("off_track", "off_track")
    assert asana.calls() == {"GET /projects": 1, "POST /batch": 1}
