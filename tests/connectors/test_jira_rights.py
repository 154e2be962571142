"""Checks what is told before anything is written: missing permissions, missing fields, and where to get them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.connectors.jira_pile import SELECT, TEXT, Pile, fates, prepared, push

from pmosync.sandbox.jira import options, seed

ALL = ("property", "label", "field", "text_field", "remote_link", "comment", "project_property")
LOUD = {"mail": "accept"}


def told(pile: Pile, jira: Any, slot: str = "") -> dict[str, str]:
    """The limitations by `PROJECT slot`, or by project for one slot."""
    keys = {pile.project(key): key for key in ("BIG", "TEAM", "DESK")} | {"*": "*"}
    rows = [one for one in jira.limitations if slot in ("", one.slot)]
    return {keys[one.project] if slot else f"{keys[one.project]} {one.slot}": one.why for one in rows}


@pytest.mark.parametrize(
    ("permission", "slots", "name"),
    [
        ("EDIT_ISSUES", {"property", "label", "field", "text_field"}, "Edit issues"),
        ("LINK_ISSUES", {"remote_link"}, "Link issues"),
        ("ADD_COMMENTS", {"comment"}, "Add comments"),
        ("EDIT_OWN_COMMENTS", {"comment"}, "Edit own comments"),
    ],
)
def test_each_missing_permission_is_named_for_its_project_and_its_slots_alone(
    pile: Pile, open_jira: Any, permission: str, slots: set[str], name: str
) -> None:
    pile.switch(withdrawn=[f"BIG {permission}"])
    jira = prepared(pile, open_jira, *ALL, pins=LOUD)
    here = {key.partition(" ")[2]: why for key, why in told(pile, jira).items() if key.startswith("BIG ")}
    assert here.keys() == slots
    assert set(here.values()) == {f"BIG: the account lacks the permission {name} there."}


def test_the_right_to_administer_is_missing_for_the_rollup_where_the_account_is_a_member(
    pile: Pile, open_jira: Any
) -> None:
    jira = prepared(pile, open_jira, "project_property")
    assert told(pile, jira) == {
        "TEAM project_property": "TEAM: the account lacks the permission Administer projects there."
    }


@pytest.mark.parametrize(
    ("withdrawn", "pins", "limited"),
    [
        ([], {}, set()),
        (["BULK_CHANGE"], {}, {"TEAM"}),
        (["BULK_CHANGE"], LOUD, set()),
    ],
)
def test_a_label_needs_one_of_three_things_to_be_quiet_or_accepted(
    pile: Pile, open_jira: Any, withdrawn: list[str], pins: dict[str, str], limited: set[str]
) -> None:
    pile.switch(withdrawn=withdrawn)
    jira = prepared(pile, open_jira, "property", "label", "field", pins=pins)
    assert told(pile, jira, "label").keys() == limited
    for why in told(pile, jira, "label").values():
        assert "Administer projects" in why
        assert "Make bulk changes" in why
        assert "mail: accept" in why


def test_before_an_edit_whose_mail_nobody_looked_into_the_permissions_are_looked_at(pile: Pile, open_jira: Any) -> None:
    """Jira's document says that `notifyUsers=false` is ignored where the account does not administer the project: a
    site that does so would mail."""
    pile.switch(withdrawn=["BULK_CHANGE"])
    fresh = open_jira(pile.url, token="bot-token", fields=("summary",))
    fresh.scope = replace(fresh.scope, slots=("label",))
    (receipt,) = push(fresh, *pile.changes("TEAM", "label", ["high"]))
    assert (receipt.fate, "it would mail people" in receipt.why) == ("refused", True)
    assert fresh.session.calls == {"POST /rest/api/3/permissions/check": 1}
    assert pile.writes() == {}


# --- our own fields -------------------------------------------------------------------------------------------------


def test_our_fields_are_found_by_name_and_type_and_pinned_with_their_options(pile: Pile, open_jira: Any) -> None:
    jira = prepared(pile, open_jira, "field", "text_field")
    pins = jira.scope.pins
    assert (pins["task.field"], pins["task.text_field"]) == (SELECT, TEXT)
    assert {pins[f"task.field.option.{word}"] for word in ("critical", "high", "medium", "low", "info")} == {
        str(row["id"]) for row in options.of(pile.server.app.state, SELECT)
    }
    assert {pins[f"offered.{pile.project(key)}.{one}"] for key in ("BIG", "TEAM") for one in (SELECT, TEXT)} == {"1"}
    why = told(pile, jira, "field")
    assert why.keys() == {"DESK"}
    assert why["DESK"] == (
        "DESK: the field 'PMO compliance' cannot be edited there. An administrator of Jira puts it on the edit screen "
        "of the project, and into the field's context if that names projects; the account needs the permission Edit "
        "issues."
    )


def test_what_is_pinned_is_not_asked_again(pile: Pile, open_jira: Any) -> None:
    jira = prepared(pile, open_jira, "field", "text_field", projects=("BIG", "TEAM"))
    jira.session.calls.clear()
    jira.connector.prepare(jira.scope, False)
    assert jira.session.calls == {"GET /rest/api/3/project/search": 1, "POST /rest/api/3/permissions/check": 1}


def test_a_field_that_is_missing_says_what_an_administrator_makes(pile: Pile, open_jira: Any) -> None:
    pile.server.app.state.db.execute("DELETE FROM jira_field WHERE id IN (?, ?)", (SELECT, TEXT))
    jira = prepared(pile, open_jira, "property", "field", "text_field")
    assert told(pile, jira) == {
        "* field": "Jira has no field 'PMO compliance' of the type Select List (single choice). An administrator of "
        "Jira makes it once with the options Critical, High, Medium, Low, Info, and puts it on the edit screens of the "
        "projects.",
        "* text_field": "Jira has no field 'PMO reasons' of the type Paragraph (supports rich text). An administrator "
        "of Jira makes it once, and puts it on the edit screens of the projects.",
    }
    receipts = push(jira, *pile.changes("BIG", "field", ["high"]), *pile.changes("BIG", "property", ['{"a":1}']))
    assert [one.fate for one in receipts] == ["refused", "done"]


def test_a_field_of_another_type_with_the_name_is_told(pile: Pile, open_jira: Any) -> None:
    state = pile.server.app.state
    state.db.execute("DELETE FROM jira_field WHERE id = ?", (TEXT,))
    seed.add_field(state, "customfield_10060", "PMO reasons", {"type": "string"})
    jira = prepared(pile, open_jira, "text_field")
    assert "customfield_10060 has the name, and another type" in told(pile, jira, "text_field")["*"]


def test_two_fields_of_one_name_are_told_and_neither_is_written(pile: Pile, open_jira: Any) -> None:
    seed.add_field(pile.server.app.state, "customfield_10060", "PMO reasons", {"type": "text"})
    jira = prepared(pile, open_jira, "text_field")
    assert (
        "2 fields are called 'PMO reasons' (customfield_10052, customfield_10060)" in told(pile, jira)["* text_field"]
    )
    assert fates(push(jira, *pile.changes("BIG", "text_field", ["DAT101 No owner"]))) == {"refused": 1}


def test_an_option_that_is_missing_is_named(pile: Pile, open_jira: Any) -> None:
    options.disable(pile.server.app.state, SELECT, "Info")
    options.disable(pile.server.app.state, SELECT, "Low")
    jira = prepared(pile, open_jira, "field")
    assert "lacks the options Low, Info" in told(pile, jira, "field")["BIG"]


def test_a_field_that_jira_refuses_costs_the_rest_of_the_edit_nothing(pile: Pile, open_jira: Any) -> None:
    jira = prepared(pile, open_jira, "property", "label", "field")
    changes = [
        *pile.changes("DESK", "label", ["high"]),
        *pile.changes("DESK", "field", ["high"]),
        *pile.changes("DESK", "property", ['{"a":1}']),
    ]
    receipts = {one.change.slot.name: one for one in push(jira, *changes)}
    assert {name: one.fate for name, one in receipts.items()} == {
        "label": "done",
        "field": "refused",
        "property": "done",
    }
    assert "screen" in receipts["field"].why


def test_our_fields_are_no_evidence(pile: Pile, open_jira: Any) -> None:
    jira = prepared(pile, open_jira, "field", "text_field", fields=("summary", SELECT))
    assert not {SELECT, TEXT} & {one.id for one in jira.connector.describe().fields}
    push(jira, *pile.changes("BIG", "field", ["high"]), *pile.changes("BIG", "text_field", ["DAT101 No owner"]))
    jira.scope = replace(jira.scope, projects=("BIG",))
    jira.pull()
    record = jira.by_key("BIG-1")
    assert (record.marks["field"], record.marks["text_field"]) == ("high", "DAT101 No owner")
