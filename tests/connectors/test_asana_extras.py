"""What stands beside a project's row in Asana: budget, goals, updates of people, and our own words in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.connectors.asana_small import PAST, Small, fields_that, small

from pmosync.contract import Choice, Duration, Person, Scope, canonical
from pmosync.sandbox.asana import planseed, seed
from pmosync_asana import decode
from pmosync_asana.pulling import extras
from pmosync_asana.pulling.extras import Extras, Found, joined

EMPTY = dict.fromkeys(
    ("budget_time", "budget_time_used", "budget_time_estimated", "budget_cost", "budget_cost_used",
     "budget_cost_estimated")
)  # fmt: skip
OURS = canonical({"health": "amber", "lines": ["3 tasks are late"], "title": "Late"})


@pytest.fixture(scope="module")
def running() -> Iterator[Small]:
    with small() as started:
        yield started


@pytest.fixture
def asana(running: Small) -> Small:
    running.begin_again()
    return running


def read(asana: Small, *slots: str, budgets: bool = False, goals: bool = False, **row: Any) -> Found:
    """What the project has; `row` overrides what its row says."""
    project = asana.gids["project"]
    rows = asana.rows(project)
    asana.forget()
    reading = Extras(asana.api, Scope(slots=slots, budgets=budgets, goals=goals), asana.gids["bot"])
    return reading.of({project: rows[project] | row})[project]


def more_projects(asana: Small, count: int) -> None:
    for n in range(count):
        asana.have(seed.add_project, f"More {n}", asana.gids["ann"], created_at=PAST)


def say(asana: Small, who: str, status: str, title: str, text: str, parent: str = "") -> None:
    """A status update, a minute after the one before."""
    asana.site.control("POST", "clock", {"advance_s": 60})
    told = {"parent": parent or asana.gids["project"], "status_type": status, "title": title, "text": text}
    asana.site.write("POST", "/status_updates", who, **told)


# --- budgets and goals ----------------------------------------------------------------------------------------------


def test_a_time_budget_comes_as_durations_and_leaves_the_money_empty(asana: Small) -> None:
    project, task = asana.gids["project"], asana.gids["tasks"][0]
    asana.have(planseed.add_budget, project, "time", total=600, estimate_enabled=False, estimate_source="none")
    asana.have(
        planseed.add_time_entry, task, asana.gids["ann"], 90, dt.date(2026, 2, 3), created_at=PAST, project=project
    )
    found = read(asana, budgets=True)
    assert found.values == EMPTY | {"budget_time": Duration(36000.0), "budget_time_used": Duration(5400.0)}
    assert asana.asked() == {"/budgets": 1, "trips": 1}


def test_a_cost_budget_comes_as_numbers_and_no_budget_as_empty_values(asana: Small) -> None:
    assert read(asana, budgets=True).values == EMPTY
    asana.have(planseed.add_budget, asana.gids["project"], "cost", total=2500)
    values = read(asana, budgets=True).values
    assert values["budget_cost"] == 2500.0
    assert values["budget_time"] is None


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ({"enabled": True, "value": 90}, Duration(5400.0)),
        ({"enabled": False, "value": 90}, None),
        ({"value": 0}, Duration(0.0)),
        ({"enabled": False, "value": None}, None),
        (None, None),
    ],
)
def test_what_is_switched_off_in_a_budget_is_not_there(part: Mapping[str, Any] | None, value: object) -> None:
    assert extras.budget([{"budget_type": "time", "total": part}])["budget_time"] == value


def test_goals_that_a_project_serves_come_with_how_each_stands(asana: Small) -> None:
    supported = {"created_at": PAST, "supported_by": [("project", asana.gids["project"])]}
    one = asana.have(planseed.add_goal, "Fewer tickets", asana.gids["ann"], status="yellow", **supported)
    two = asana.have(planseed.add_goal, "No debts", None, **supported)
    asana.have(planseed.add_goal, "Another one", None, created_at=PAST)
    assert read(asana, goals=True).values == {
        "goals": (Choice(one, "Fewer tickets", "yellow"), Choice(two, "No debts"))
    }
    assert asana.asked() == {"/goals": 1, "trips": 1}


def test_what_a_plan_lacks_is_asked_for_once_and_left_out(asana: Small) -> None:
    more_projects(asana, 12)
    asana.lack(budgets="no")
    rows = asana.rows()
    reading = Extras(asana.api, Scope(budgets=True, goals=True), asana.gids["bot"])
    asana.forget()
    found = reading.of(rows)
    assert len(found) == len(rows) >= 13
    assert {tuple(one.values) for one in found.values()} == {("goals",)}
    assert {one.why for one in found.values()} == {""}
    asked = asana.asked()
    assert asked["/goals"] == len(rows)
    assert asked["/budgets"] <= 2, "the refusal in the batch, and Asana's words for it"
    asana.forget()
    reading.of(rows)
    assert "/budgets" not in asana.asked()


def test_a_project_whose_budget_may_not_be_seen_has_none_and_another_refusal_is_told(asana: Small) -> None:
    asana.fail(403, "/budgets$")
    assert read(asana, budgets=True) == Found()
    asana.fail(400, "/budgets$")
    found = read(asana, budgets=True, goals=True)
    assert found.values == {"goals": ()}
    assert found.why.startswith("its budget cannot be read: ")


def test_a_right_that_was_lost_is_told_and_a_plan_that_lacks_it_is_not(asana: Small) -> None:
    project = asana.gids["project"]
    row = asana.rows(project)
    wanted = Scope(budgets=True, goals=True)
    record = joined(decode.project(row[project], {}), Extras(asana.api, wanted, "").of(row)[project])
    stored = {project: record.version}
    for status, why in ((403, "its goals cannot be read: "), (404, "its goals cannot be read: "), (402, "")):
        asana.fail(status, "/goals$")
        found = Extras(asana.api, wanted, "").of(row, stored)[project]
        assert "goals" not in found.values
        assert found.why.startswith(why)
        assert bool(found.why) == bool(why)


def test_the_version_of_a_record_moves_with_what_stands_beside_its_row(asana: Small) -> None:
    row = asana.rows(asana.gids["project"])[asana.gids["project"]]
    record = decode.project(row, {})
    before, same = joined(record, read(asana, budgets=True)), joined(record, read(asana, budgets=True))
    assert before.version == same.version
    asana.have(planseed.add_budget, asana.gids["project"], "cost", total=1)
    after = joined(record, read(asana, budgets=True))
    assert after.version != before.version
    assert after.values["name"] == record.values["name"]
    assert after.values["budget_cost"] == 1.0
    assert joined(record, Found(marks={"brief": "x"})).version != joined(record, Found(marks={"brief": "y"})).version


# --- status updates -------------------------------------------------------------------------------------------------


def test_behind_an_update_of_ours_stands_what_a_person_said_last(asana: Small) -> None:
    say(asana, "ann", "off_track", "Week 8", "Bad.")
    say(asana, "ann", "at_risk", "Week 9", "Better.")
    assert read(asana) == Found(), "a person's update stands in the row and costs no call"
    assert asana.asked() == {"trips": 0}
    say(asana, "bot", "at_risk", "Late", "PMO health: amber\n3 tasks are late")
    row = asana.rows(asana.gids["project"])[asana.gids["project"]]
    assert "status" not in decode.project(row, {}, asana.gids["bot"]).values
    found = read(asana)
    assert asana.asked() == {"/status_updates": 1, "trips": 1}
    assert found.values["status"] == Choice("at_risk", "at_risk")
    assert found.values["status_by"] == Person(asana.gids["ann"], "Ann")
    assert found.values["status_title"] == "Week 9"
    assert isinstance(found.values["status_on"], dt.date)
    assert found.marks == {}, "what stands in a slot that is not in use is not asked for"


def test_where_only_we_said_something_nobody_did(asana: Small) -> None:
    say(asana, "bot", "at_risk", "Late", "PMO health: amber\n3 tasks are late")
    found = read(asana, "status_update")
    assert found.values == dict.fromkeys(decode.STATUS)
    assert found.marks == {"status_update": OURS}


def test_an_update_of_ours_is_found_behind_those_of_people(asana: Small) -> None:
    assert read(asana, "status_update").marks == {"status_update": None}
    assert asana.asked() == {"trips": 0}, "a project without any update is not asked"
    say(asana, "bot", "at_risk", "Late", "PMO health: amber\n3 tasks are late")
    for week in range(101):
        say(asana, "ann", "on_track", f"Week {week}", "Fine.")
    found = read(asana, "status_update")
    assert found.marks == {"status_update": OURS}
    assert found.values["status_title"] == "Week 100"


def test_updates_of_portfolios_are_read_where_that_slot_is_in_use(asana: Small) -> None:
    portfolio = asana.gids["portfolio"]
    say(asana, "bot", "at_risk", "Late", "PMO health: amber\n3 tasks are late", parent=portfolio)
    wanted = Extras(asana.api, Scope(slots=("portfolio_update",)), asana.gids["bot"])
    assert wanted.of_portfolios([portfolio])[portfolio].marks == {"portfolio_update": OURS}
    assert Extras(asana.api, Scope(), asana.gids["bot"]).of_portfolios([portfolio]) == {}
    asana.fail(403, "/status_updates$")
    assert wanted.of_portfolios([portfolio])[portfolio] == Found(), "what was not read is no mark, not an empty one"


# --- briefs ---------------------------------------------------------------------------------------------------------


def test_our_section_of_a_brief_is_read_without_the_owners_text(asana: Small) -> None:
    assert read(asana, "brief").marks == {"brief": None}
    section = "<h1>PMO status</h1>Green: on plan\n<em>End of PMO status. The rest is yours.</em>"
    html = f"<body>The owner's words\n{section}</body>"
    asana.have(planseed.add_brief, asana.gids["project"], "Brief", "The owner's words", html)
    found = read(asana, "brief")
    assert "Green: on plan" in str(found.marks["brief"])
    assert "owner" not in str(found.marks["brief"])
    assert asana.asked() == {"/project_briefs/{project_brief_gid}": 1, "trips": 1}


def test_a_brief_in_which_nobody_can_tell_what_is_ours_gives_no_mark(asana: Small) -> None:
    html = "<body><h1>PMO status</h1>Green</body>"
    asana.have(planseed.add_brief, asana.gids["project"], "Brief", "", html)
    assert read(asana, "brief").marks == {}


def test_the_fields_that_are_asked_for_are_those_of_the_vendors_document() -> None:
    assert fields_that("/goals", extras.GOALS) == set()
    assert fields_that("/status_updates", extras.UPDATES) == set()
    assert fields_that("/project_briefs/{project_brief_gid}", extras.BRIEF) == set()
