"""Asana's answers as values: each type of field, and the vendor's document."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

import pmosync_asana
from pmosync.contract import Choice, Duration, Link, Person, Reference, Value
from pmosync.errors import Misconfigured
from pmosync.http import Limiter, PoliteSession
from pmosync_asana import api, decode, describe
from pmosync_asana.endpoints import ENDPOINTS
from pmosync_asana.own import defining, offering, tags
from pmosync_asana.pulling import streams
from pmosync_asana.pulling.crawl import Crawler

BASE = "https://asana.example/api/1.0"


@pytest.fixture
def connected() -> Iterator[api.Api]:
    """The official client on our session, with mocked answers."""
    settings = pmosync_asana.Settings.model_validate({"base_url": BASE, "auth": {"token": "very-secret-token"}})
    limiter = Limiter(pmosync_asana.limits(settings), lambda: 0.0, lambda _: None)
    session = PoliteSession(BASE, ENDPOINTS, limiter, now=lambda: dt.datetime.now(dt.UTC), sleep=lambda _: None)
    with responses.RequestsMock() as mocked:
        mocked.assert_all_requests_are_fired = False
        made = api.Api(settings, session)
        made.mocked = mocked  # type: ignore[attr-defined]
        yield made


def say(connected: api.Api, path: str, body: Any) -> None:
    connected.mocked.add("GET", f"{BASE}{path}", json=body)  # type: ignore[attr-defined]


# --- types ----------------------------------------------------------------------------------------------------------

OPTION = {"gid": "7", "name": "Doing"}


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ({"resource_subtype": "text", "text_value": "x"}, "x"),
        ({"resource_subtype": "text", "text_value": ""}, None),
        ({"resource_subtype": "number", "number_value": 3}, 3.0),
        ({"resource_subtype": "number", "number_value": None}, None),
        (
            {"resource_subtype": "number", "number_value": 90, "asana_created_field": "estimated_time"},
            Duration(5400.0),
        ),
        ({"resource_subtype": "number", "number_value": 0.29, "format": "percentage"}, 29.0),
        ({"resource_subtype": "number", "number_value": 0.00333333, "format": "percentage"}, 0.333333),
        ({"representation_type": "formula", "type": "number", "number_value": 1.5, "format": "percentage"}, 150.0),
        ({"resource_subtype": "number", "number_value": None, "format": "percentage"}, None),
        ({"resource_subtype": "number", "number_value": 0.29, "format": "currency"}, 0.29),
        ({"resource_subtype": "enum", "enum_value": OPTION}, Choice("7", "Doing")),
        ({"resource_subtype": "enum", "enum_value": None}, None),
        ({"resource_subtype": "multi_enum", "multi_enum_values": [OPTION]}, (Choice("7", "Doing"),)),
        ({"resource_subtype": "multi_enum", "multi_enum_values": []}, ()),
        ({"resource_subtype": "date", "date_value": {"date": "2026-03-01"}}, dt.date(2026, 3, 1)),
        (
            {"resource_subtype": "date", "date_value": {"date": None, "date_time": "2026-03-01T10:00:00.000Z"}},
            dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC),
        ),
        ({"resource_subtype": "date", "date_value": None}, None),
        ({"resource_subtype": "people", "people_value": [{"gid": "9", "name": "Ann"}]}, (Person("9", "Ann"),)),
        ({"representation_type": "formula", "resource_subtype": "number", "number_value": 2.5}, 2.5),
        ({"representation_type": "custom_id", "resource_subtype": "text", "display_value": "PAY-7"}, "PAY-7"),
        ({"resource_subtype": "reference", "display_value": "Brand refresh"}, "Brand refresh"),
        ({"resource_subtype": "something_new", "display_value": "as people see it"}, "as people see it"),
        ({"type": "text", "text_value": "by the old name of its type"}, "by the old name of its type"),
    ],
)
def test_a_custom_field_is_read_by_its_type(entry: dict[str, Any], value: Value) -> None:
    assert decode.custom({"gid": "1", "name": "Any", **entry}) == value


def test_a_field_that_is_not_in_the_answer_is_not_provided_and_an_empty_one_is_empty() -> None:
    fields = [
        {"gid": "1", "name": "Here", "resource_subtype": "text", "text_value": None, "enabled": True},
        {"gid": "2", "name": "Left over", "resource_subtype": "text", "text_value": "old", "enabled": False},
    ]
    found = decode.task({"gid": "5", "name": "T", "due_on": None, "custom_fields": fields}, {"project:3"}, {})
    assert dict(found.values) == {"name": "T", "due_on": None, "1": None}


def test_a_task_is_read_with_the_types_of_its_properties() -> None:
    given = {
        "gid": "5", "name": "T", "completed": False, "assignee": {"gid": "9", "name": "Ann"}, "parent": {"gid": "4"},
        "due_at": "2026-03-01T10:00:00.000Z", "actual_time_minutes": 30, "dependencies": [{"gid": "6"}],
        "dependents": [{"gid": "8"}], "resource_subtype": "milestone", "tags": [{"gid": "11", "name": "urgent"}],
        "memberships": [
            {},
            {"project": {"gid": "1"}, "section": {"gid": "20", "name": "Elsewhere"}},
            {"project": {"gid": "3"}, "section": {"gid": "21", "name": "Doing"}},
        ],
    }  # fmt: skip
    values = decode.task(given, {"project:3"}, {}).values
    assert values["assignee"] == Person("9", "Ann")
    assert values["parent"] == Reference("task", "4")
    assert values["due_at"] == dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)
    assert values["actual_time_minutes"] == Duration(1800.0)
    assert values["dependencies"] == (Link("dependency", "dependency", "inward", "6"),)
    assert values["dependents"] == (Link("dependency", "dependency", "outward", "8"),)
    assert values["section"] == Choice("21", "Doing")
    assert values["resource_subtype"] == Choice("milestone", "milestone")
    assert values["tags"] == (Choice("11", "urgent"),)


@pytest.mark.parametrize(
    "change",
    [
        {"memberships": [{"project": {"gid": "3"}, "section": {"gid": "22"}}]},
        {"num_subtasks": 1},
        {"parent": {"gid": "4"}},
        {"dependencies": [{"gid": "6"}]},
        {"modified_at": "2026-03-02T10:00:00.000Z"},
    ],
)
def test_the_version_moves_with_what_modified_at_does_not_show(change: dict[str, Any]) -> None:
    task = {"gid": "5", "modified_at": "2026-03-01T10:00:00.000Z", "memberships": [], "num_subtasks": 0}
    assert decode.version({**task, **change}) != decode.version(task)


def test_the_projects_of_parents_are_read_up_to_the_root_or_said_to_be_unknown() -> None:
    root = {"gid": "1", "memberships": [{"project": {"gid": "10"}}], "parent": None}
    middle = {"gid": "2", "memberships": [], "parent": root}
    assert decode.chain_gids({"gid": "3", "memberships": [], "parent": middle}) == ({"10"}, True)
    assert decode.chain_gids({"gid": "3", "memberships": [], "parent": {"gid": "2"}}) == (set(), False)


def heard(connected: api.Api) -> streams.Told:
    """What the stream of project 3 told us, who are 1, after the token t1."""
    (told,) = streams.of_projects(connected, {"3": "t1"}, "1")
    return told


def test_a_section_that_people_rename_makes_its_project_start_over(connected: api.Api) -> None:
    event = {"user": {"gid": "9"}, "action": "changed", "resource": {"gid": "20", "resource_type": "section"}}
    say(connected, "/events", {"data": [event], "sync": "t2", "has_more": False})
    told = heard(connected)
    assert (told.over, told.token, told.expired) == ({"3"}, "t2", False)


def test_our_own_events_are_passed_over_and_a_long_stream_is_read_to_its_end(connected: api.Api) -> None:
    task = {"gid": "5", "resource_type": "task"}
    ours = {"user": {"gid": "1"}, "action": "changed", "resource": task}
    story = {"user": {"gid": "9"}, "action": "added", "resource": {"gid": "70", "resource_type": "story"}}
    say(connected, "/events", {"data": [ours], "sync": "t2", "has_more": True})
    say(connected, "/events", {"data": [{**story, "parent": {**task, "gid": "6"}}], "sync": "t3", "has_more": False})
    told = heard(connected)
    assert (told.changed, told.token) == ({"6"}, "t3")


def test_a_stream_that_does_not_move_on_makes_its_project_unobserved(connected: api.Api) -> None:
    say(connected, "/events", {"data": [], "sync": "t1", "has_more": True})
    assert "came back to where it was" in heard(connected).why


def test_a_line_of_parents_that_leads_back_to_itself_ends(connected: api.Api) -> None:
    for gid, parent in (("5", "6"), ("6", "5")):
        task = {"gid": gid, "memberships": [{"project": {"gid": "3"}}], "parent": {"gid": parent}}
        say(connected, f"/tasks/{gid}", {"data": task})
    found = Crawler(connected, ["3"], {}).lines(["5"])
    assert decode.chain_gids(found["5"]) == ({"3"}, False)  # type: ignore[arg-type]


# --- the official client on our session -----------------------------------------------------------------------------


def test_texts_come_as_the_server_sent_them(connected: api.Api) -> None:
    say(connected, "/users/me", {"data": {"gid": "1", "name": "Ann\u00a0Lee", "workspaces": [{"gid": "2"}]}})
    me, workspace = connected.me()
    assert (me["name"], workspace) == ("Ann\u00a0Lee", "2")


def test_of_several_workspaces_one_must_be_named(connected: api.Api) -> None:
    visible = [{"gid": "2", "name": "Acme"}, {"gid": "3", "name": "Test"}]
    say(connected, "/users/me", {"data": {"gid": "1", "workspaces": visible}})
    with pytest.raises(Misconfigured, match=r"set workspace: to one of 2 \(Acme\), 3 \(Test\)"):
        connected.me()


def test_the_official_client_brings_no_threads_and_leaves_logging_alone(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name in ("asana", "urllib3"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
    threads = set(threading.enumerate())
    connected: api.Api = request.getfixturevalue("connected")
    assert not [thread for thread in set(threading.enumerate()) - threads if "_handle_tasks" in thread.name]
    assert not logging.getLogger("asana").handlers
    assert logging.getLogger("urllib3").level == logging.NOTSET
    assert "very-secret-token" not in repr(connected.session.headers.get("X-Asana-Client-Lib"))


# --- the vendor's document -------------------------------------------------------------------------------------------

NESTED = {
    "owner.name",
    "custom_fields.resource_subtype",
    "custom_fields.asana_created_field",
    "custom_fields.format",
    "custom_fields.people_value",
    "custom_fields.people_value.name",
    "current_status_update.status_type",
    "current_status_update.created_at",
    "current_status_update.author.name",
}
"""Not listed for projects, though the schemas of a person, of a custom field and of a status update have them."""


def test_of_a_project_comes_its_team_its_template_its_brief_and_who_says_how_it_stands() -> None:
    update = {
        "gid": "9", "status_type": "at_risk", "title": "Week 9", "created_at": "2026-03-01T23:30:00.000Z",
        "author": {"gid": "4", "name": "Ann"},
    }  # fmt: skip
    found = {
        "gid": "1", "name": "Move", "created_at": "2026-01-05T08:00:00.000Z", "team": {"gid": "2", "name": "Finance"},
        "created_from_template": {"gid": "3", "name": "PMO project"}, "project_brief": {"gid": "5"},
        "current_status_update": update,
    }  # fmt: skip
    assert decode.project(found, {}, "8").values == {
        "name": "Move", "created_at": dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC), "team": Choice("2", "Finance"),
        "template": Choice("3", "PMO project"), "brief": True, "status": Choice("at_risk", "at_risk"),
        "status_on": dt.date(2026, 3, 1), "status_by": Person("4", "Ann"), "status_title": "Week 9",
    }  # fmt: skip
    bare = found | {"team": None, "created_from_template": None, "project_brief": None, "current_status_update": None}
    values = decode.project(bare, {}, "8").values
    assert [values[name] for name in ("team", "template", "brief", "status_by", "status_title")] == [
        None, None, False, None, None,
    ]  # fmt: skip
    by_us = decode.project(found, {}, "4").values
    assert not set(by_us) & set(decode.STATUS), "what we wrote is not evidence, and what stood before is not known here"


def test_a_task_of_a_custom_type_tells_its_type_and_whether_its_status_is_complete() -> None:
    status = {"gid": "7", "name": "Solved"}
    found = {
        "gid": "1", "name": "x", "resource_subtype": "custom", "custom_type": {"gid": "6", "name": "Incident"},
        "custom_type_status_option": status, "created_by": {"gid": "4", "name": "Ann"}, "completed": True,
    }  # fmt: skip
    values = decode.task(found, {"project:1"}, {}).values
    assert values["custom_type"] == Choice("6", "Incident")
    assert values["custom_type_status"] == Choice("7", "Solved", "complete")
    assert values["created_by"] == Person("4", "Ann")
    still = decode.task(found | {"completed": False}, {"project:1"}, {}).values["custom_type_status"]
    assert still == Choice("7", "Solved", "incomplete")
    plain = decode.task(found | {"custom_type": None, "custom_type_status_option": None}, {"project:1"}, {}).values
    assert (plain["custom_type"], plain["custom_type_status"]) == (None, None)


def document(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((shared / "specs/asana_oas.json.gz").read_bytes()))
    return found


def test_every_endpoint_is_in_the_vendors_document(shared: Path) -> None:
    paths = document(shared)["paths"]
    unknown = [
        e.name for e in ENDPOINTS if e.method.lower() not in paths.get(e.template.replace("/me", "/{user_gid}"), {})
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/tasks", f"{decode.TASK_FIELDS},{decode.NOTES}"),
        ("/tasks/{task_gid}", decode.MARK_FIELDS),
        ("/tasks/{task_gid}/subtasks", f"{decode.TASK_FIELDS},{decode.NOTES}"),
        ("/projects", decode.PROJECT_FIELDS),
        ("/projects", describe.LISTED),
        ("/portfolios/{portfolio_gid}/items", decode.PROJECT_FIELDS),
        ("/workspaces/{workspace_gid}/custom_fields", defining.DEFINITION),
        ("/workspaces/{workspace_gid}/custom_fields", describe.DEFINITION),
        ("/projects/{project_gid}", offering.OFFERED),
        ("/portfolios/{portfolio_gid}", offering.OFFERED),
        ("/portfolios/{portfolio_gid}", offering.OWN),
        ("/portfolios/{portfolio_gid}", decode.ROLLUP_FIELDS),
        ("/workspaces/{workspace_gid}/tags", tags.DEFINITION),
        ("/tasks/{task_gid}", tags.FIELDS),
    ],
)
def test_no_field_that_is_asked_for_is_misspelt(shared: Path, path: str, asked: str) -> None:
    operation = document(shared)["paths"][path]["get"]
    (parameter,) = [p for p in operation["parameters"] if p.get("name") == "opt_fields"]
    known = set(parameter["schema"]["items"]["enum"])
    parts = {name.removesuffix(".gid") for name in asked.split(",")} - {"gid"}
    assert parts - known <= (NESTED if path.startswith(("/projects", "/portfolios")) else set())
