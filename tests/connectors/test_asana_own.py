"""Our fields as people treat them: renamed, switched off, deleted, locked, made private, taken away; each told once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.conftest import Sandbox

from pmosync.contract import Change, Prepared, Scope, Slot

from .asana_kit import Client, after_a_first_pull, client

FLAG, REASONS = "task.field", "task.text_field"


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def scope_of(asana: Client, pins: Mapping[str, str] | None = None) -> Scope:
    return Scope(tuple(asana.of("project")), slots=("field", "text_field"), pins=pins or {})


def made(sandbox: Sandbox, asana: Client) -> dict[str, str]:
    found = asana.connector.prepare(scope_of(asana), True)
    assert not found.limitations
    sandbox.forget_requests()
    return dict(found.pins)


def look(asana: Client, pins: Mapping[str, str], *, write: bool = False) -> Prepared:
    return asana.connector.prepare(scope_of(asana, pins), write)


def edit(sandbox: Sandbox, table: str, where: str, **values: Any) -> None:
    """Somebody with every right changed something of ours."""
    sandbox.asana("PUT", f"{table}/{where}", {"data": values})


def flagged(asana: Client, word: str | None, before: str | None = None) -> Any:
    task = next(iter(asana.of("task")))
    (receipt,) = asana.connector.push([Change(Slot("task", task, "field"), before, word)])
    return receipt


def limited(found: Prepared) -> set[tuple[str, str]]:
    """Slots and what is lacking; told for every project in the same words."""
    return {(one.slot, one.lacks) for one in found.limitations}


def test_a_field_and_an_option_with_new_names_are_still_ours(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    edit(sandbox, "custom_fields", pins[FLAG], name="Compliance of the PMO")
    edit(sandbox, "enum_options", pins[f"{FLAG}.option.high"], name="Important")
    found = look(asana, pins)
    assert (found.pins, found.writes, found.limitations) == (pins, (), ())
    assert (flagged(asana, "high").fate, flagged(asana, "high").value) == ("done", "high")


def test_an_option_that_was_switched_off_is_switched_on_again_once(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    edit(sandbox, "enum_options", pins[f"{FLAG}.option.high"], enabled=False)
    looked = look(asana, pins)
    assert looked.writes == ("enable the option 'High' of the custom field 'PMO compliance'",)
    assert sandbox.requests()["writes"] == 1, "the edit itself"
    found = look(asana, looked.pins, write=True)
    assert (flagged(asana, "high").value, found.pins) == ("high", pins)
    assert look(asana, found.pins).writes == ()


def test_a_field_that_was_deleted_is_made_anew_and_what_was_pinned_of_it_goes(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    sandbox.asana("DELETE", f"custom_fields/{pins[FLAG]}")
    looked = look(asana, pins)
    assert "make the custom field 'PMO compliance' in the workspace, with notifications off" in looked.writes
    gone = {key for key, value in looked.pins.items() if not value}
    assert {FLAG, f"made.{pins[FLAG]}", f"{FLAG}.option.high"} < gone
    assert len([key for key in gone if key.startswith("attached.")]) == len(asana.of("project"))
    assert not [key for key in looked.pins if key not in pins]
    kept = {key: value for key, value in looked.pins.items() if value}
    found = look(asana, kept, write=True)
    assert found.pins[FLAG] != pins[FLAG]
    assert not found.limitations
    assert flagged(asana, "high").value == "high"
    assert look(asana, found.pins).writes == ()


def test_a_field_of_ours_that_somebody_made_after_it_was_deleted_is_taken(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    sandbox.asana("DELETE", f"custom_fields/{pins[REASONS]}")
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    given = {"workspace": workspace, "name": "PMO reasons", "resource_subtype": "text"}
    other = sandbox.asana("POST", "custom_fields", {"data": given}, token="person-1")["data"]["gid"]
    found = look(asana, pins, write=True)
    assert found.pins[REASONS] == other
    assert f"made.{other}" not in found.pins


def test_notifications_that_somebody_switches_on_stop_us_until_they_are_off(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    edit(sandbox, "custom_fields", pins[REASONS], has_notifications_enabled=True)
    found = look(asana, pins, write=True)
    assert limited(found) == {("text_field", "notifications off")}
    assert len(found.limitations) == len(asana.of("project"))
    assert "switch that off" in found.limitations[0].why
    edit(sandbox, "custom_fields", pins[REASONS], has_notifications_enabled=False)
    assert look(asana, found.pins).limitations == ()


def test_a_project_that_gave_our_field_away_is_told_and_left_in_peace(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    project = next(iter(asana.of("project")))
    sandbox.asana("POST", f"projects/{project}/removeCustomFieldSetting", {"data": {"custom_field": pins[FLAG]}})
    sandbox.forget_requests()
    found = look(asana, pins, write=True)
    assert sandbox.requests()["writes"] == 0
    assert [(one.project, one.slot) for one in found.limitations] == [(project, "field")]
    assert "somebody took the field 'PMO compliance' from project" in found.limitations[0].why
    again = look(asana, found.pins, write=True)
    assert (again.pins, again.limitations) == ({k: v for k, v in found.pins.items() if v}, found.limitations)
    sandbox.asana("POST", f"projects/{project}/addCustomFieldSetting", {"data": {"custom_field": pins[FLAG]}})
    assert look(asana, again.pins).limitations == ()


@pytest.mark.parametrize(
    ("fault", "lacks", "step"),
    [
        ({"status": 403, "match": {"path": "addCustomFieldSetting"}}, "editor access", "make the account an editor"),
        ({"status": 400, "match": {"path": "addCustomFieldSetting"}}, "room for a field", "take a field that nobody"),
        ({"status": 402, "match": {"path": r"workspaces/\d+/custom_fields"}}, "a paid plan", "need a paid plan"),
        ({"status": 403, "match": {"path": "custom_fields$", "method": "POST"}}, "editor access", "no right to"),
    ],
)  # fmt: skip
def test_what_asana_does_not_allow_is_one_limitation_and_not_tried_again(
    sandbox: Sandbox, asana: Client, fault: dict[str, Any], lacks: str, step: str
) -> None:
    sandbox.fault({"kind": "status", **fault})
    found = look(asana, {}, write=True)
    assert limited(found) == {("field", lacks), ("text_field", lacks)}
    assert all(step in one.why for one in found.limitations)
    sandbox.heal() if fault["status"] != 402 else None
    sandbox.forget_requests()
    again = look(asana, found.pins, write=True)
    assert sandbox.requests()["writes"] == 0
    assert {(one.project, one.slot) for one in again.limitations} == {(o.project, o.slot) for o in found.limitations}


def test_a_view_only_seat_a_locked_field_and_a_lapsed_plan_are_told_before_anything_is_tried(
    sandbox: Sandbox, asana: Client
) -> None:
    pins = made(sandbox, asana)
    me = sandbox.asana("GET", "users/me")["data"]["gid"]
    for order, lacks in (
        ({"set_user": {"user": me, "view_only": True}}, {("field", "a full seat"), ("text_field", "a full seat")}),
        ({"lock_field": {"field": pins[FLAG], "locked": True}}, {("field", "an unlocked field")}),
    ):
        start = sandbox.snapshot()
        sandbox.control("POST", "asana", order)
        sandbox.forget_requests()
        found = look(asana, pins, write=True)
        assert (limited(found), found.pins) == (lacks, pins)
        assert sandbox.requests()["writes"] == 0
        sandbox.restore(start)
    sandbox.control("POST", "switches", {"premium": "no"})
    found = look(asana, pins, write=True)
    assert limited(found) == {("field", "a paid plan"), ("text_field", "a paid plan")}
    assert found.pins == pins


def test_an_option_that_may_not_be_added_is_asked_of_a_person(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    edit(sandbox, "enum_options", pins[f"{FLAG}.option.low"], enabled=False)
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": "enum_options", "method": "PUT"}})
    found = look(asana, pins, write=True)
    assert limited(found) == {("field", "an option")}
    assert "refused to enable the option 'Low'" in found.limitations[0].why
    sandbox.heal()
    sandbox.forget_requests()
    again = look(asana, found.pins, write=True)
    assert (sandbox.requests()["writes"], limited(again)) == (0, limited(found))
    edit(sandbox, "enum_options", pins[f"{FLAG}.option.low"], enabled=True)
    healed = look(asana, again.pins, write=True)
    assert (healed.limitations, {k: v for k, v in healed.pins.items() if v}) == ((), pins)


def test_pins_of_what_is_no_more_do_no_harm(sandbox: Sandbox, asana: Client) -> None:
    pins = made(sandbox, asana)
    odd = {**pins, f"attached.404.{pins[FLAG]}": "1", "member.404.405": "1", "own.404.406": "1", "refused.404.1": "403"}
    found = look(asana, odd)
    assert (found.limitations, found.writes) == ((), ())
    told = client(sandbox).connector.release(scope_of(asana, odd))
    assert "the custom field 'PMO compliance' was gone from project 404 already" in told
    assert not [field for field in sandbox.state()["asana_field"] if field["name"].startswith("PMO")]
