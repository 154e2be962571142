"""Every answer that was recorded from a real Asana becomes values that an independent reading of its JSON has, too."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses

import pmosync_asana
from pmosync.contract import Choice, Duration, Person, Reference, Scope
from pmosync.errors import PmosyncError, Refused, Unauthorized
from pmosync.http import Limiter, PoliteSession
from pmosync_asana import api, decode
from pmosync_asana.endpoints import ENDPOINTS
from pmosync_asana.manners import sign_in
from pmosync_asana.own.look import Look
from pmosync_asana.pulling import commands, streams
from pmosync_asana.pulling.touch import Touch, at

from . import recordings
from .recordings import Recorded

pytestmark = pytest.mark.shared

BASE = "https://asana.example/api/1.0"
ANSWERS = {"nango": 56, "har_jupiterone": 20}
RECORDS = {
    "task": 29, "project": 36, "user": 34, "story": 5, "tag": 22, "workspace": 16, "team": 25, "attachment": 1,
}  # fmt: skip


def recorded(shared: Path) -> Iterator[Recorded]:
    """Every answer."""
    folder = shared / "data" / "asana"
    yield from recordings.nango(folder / "nango")
    yield from recordings.har(folder / "har_jupiterone")


def records(shared: Path, kind: str = "") -> list[dict[str, Any]]:
    """Everything of a kind that answers have in `data`, by itself or in a list."""
    return [raw for found, raw in _records(shared) if not kind or found == kind]


def _records(shared: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for answer in recorded(shared):
        data = answer.data["data"]
        of = [part for part in urlsplit(answer.url).path.split("/") if part.isalpha() and part != "api"][-1]
        for raw in data if isinstance(data, list) else [data]:
            if "gid" in raw:
                yield raw.get("resource_type") or of.removesuffix("s"), raw


def test_every_recorded_answer_is_one_record_or_a_list_that_ends(shared: Path) -> None:
    answers = list(recorded(shared))
    assert Counter("har_jupiterone" if one.file.endswith(".har") else "nango" for one in answers) == ANSWERS
    assert {one.status for one in answers} == {200}, "none of them is an error"
    for answer in answers:
        data = answer.data["data"]
        if isinstance(data, list):
            assert api.many(answer.data) == data
            assert api.next_offset(answer.data, data) is None
        else:
            assert api.one(answer.data) == data
    assert Counter(kind for kind, _ in _records(shared)) == RECORDS


# --- values ---------------------------------------------------------------------------------------------------------


def day(text: str | None) -> dt.date | None:
    return dt.datetime.strptime(text, "%Y-%m-%d").date() if text else None


def moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC) if text else None


def who(raw: dict[str, Any] | None) -> Person | None:
    return Person(raw["gid"], raw["name"]) if raw else None


def what(raw: dict[str, Any] | None) -> Choice | None:
    return Choice(raw["gid"], raw["name"]) if raw else None


def same(raw: Any) -> Any:
    return raw


OF_TASKS: dict[str, Any] = {
    "name": same, "completed": same, "due_on": day, "start_on": day, "due_at": moment, "start_at": moment,
    "created_at": moment, "completed_at": moment, "assignee": who,
    "resource_subtype": lambda raw: Choice(raw, raw),
    "parent": lambda raw: Reference("task", raw["gid"]) if raw else None,
    "tags": lambda raw: tuple(what(one) for one in raw),
    "notes": lambda raw: raw or None,
    "actual_time_minutes": lambda raw: None if raw is None else Duration(60.0 * raw),
}  # fmt: skip
OF_PROJECTS: dict[str, Any] = {
    "name": same, "archived": same, "completed": same, "due_on": day, "start_on": day, "created_at": moment,
    "owner": who, "team": what,
}  # fmt: skip
NOT_READ = {
    "task": {
        "gid", "resource_type", "modified_at", "num_hearts", "num_likes", "assignee_status", "workspace",
        "hearted", "liked", "hearts", "likes", "followers", "permalink_url", "assignee_section", "projects",
        "memberships", "html_notes",
    },
    "project": {
        "gid", "resource_type", "modified_at", "due_date", "notes", "default_view", "default_access_level",
        "minimum_access_level_for_customization", "minimum_access_level_for_sharing", "color", "completed_at",
        "completed_by", "public", "privacy_setting", "icon", "permalink_url", "workspace", "members", "followers",
        "current_status", "current_status_update", "custom_fields",
    },
}  # fmt: skip
"""What no value comes of; what is in `memberships` and `current_status_update` is looked at apart."""


def test_every_recorded_task_has_the_values_of_its_json_and_no_others(shared: Path) -> None:
    filled: Counter[str] = Counter()
    for raw in records(shared, "task"):
        found = decode.task(raw, {"project:1211440849237745"}, {})
        wanted = {name: read(raw[name]) for name, read in OF_TASKS.items() if name in raw}
        if "memberships" in raw:
            assert raw["memberships"] in ([], [{}]), "projects that the account may not see"
            wanted["section"] = None
        assert dict(found.values) == wanted
        assert raw.keys() - OF_TASKS.keys() <= NOT_READ["task"]
        assert (found.id, found.url) == (raw["gid"], raw.get("permalink_url", ""))
        assert found.version.startswith(f"{raw.get('modified_at', '')} ")
        filled.update(name for name, value in wanted.items() if value not in (None, ()))
    assert filled == {
        "name": 29, "completed": 26, "created_at": 26, "resource_subtype": 24, "due_on": 9, "assignee": 6, "parent": 3,
        "start_on": 1, "completed_at": 1, "actual_time_minutes": 3, "notes": 1,
    }  # fmt: skip


def test_every_recorded_project_has_the_values_of_its_json_and_no_others(shared: Path) -> None:
    filled: Counter[str] = Counter()
    for raw in records(shared, "project"):
        found = decode.project(raw, {}, "1212418544711336")
        wanted = {name: read(raw[name]) for name, read in OF_PROJECTS.items() if name in raw}
        if "current_status_update" in raw:
            assert raw["current_status_update"] is None
            wanted |= dict.fromkeys(decode.STATUS)
        assert dict(found.values) == wanted
        assert raw.keys() - OF_PROJECTS.keys() <= NOT_READ["project"]
        assert found.marks == ({"fields": None} if "custom_fields" in raw else {})
        filled.update(name for name, value in wanted.items() if value is not None)
    assert filled == {
        "name": 36, "archived": 22, "created_at": 22, "owner": 22, "team": 13, "completed": 14,
    }  # fmt: skip


def test_every_recorded_person_has_a_name_and_the_address_that_was_asked_for(shared: Path) -> None:
    people = records(shared, "user")
    for raw in people:
        found = decode.member(raw, {"user": {"gid": raw["gid"]}, "is_active": False, "is_guest": True})
        wanted = {"name": raw["name"], "email": raw.get("email"), "active": False, "guest": True}
        assert dict(found.values) == wanted
        assert decode.member(raw, None).values["active"] is None, "not told is not gone"
    assert Counter("email" in raw for raw in people)[True] == 34


def test_the_recorded_stories_of_a_task_tell_when_people_changed_it_and_command_nothing(shared: Path) -> None:
    stories = [one for one in records(shared, "story") if "target" not in one]
    assert [one["resource_subtype"] for one in stories] == [
        "added_to_project", "due_date_changed", "due_today", "comment_added",
    ]  # fmt: skip
    assert [at(one) for one in stories] == [moment(one["created_at"]) for one in stories]
    (task,) = [raw for raw in records(shared, "task") if "assignee_section" in raw]
    record = decode.task(task, {"project:1"}, {})
    for me in ("1", stories[0]["created_by"]["gid"]):
        assert Touch({}, me).last_change(stories, record) == moment(stories[3]["created_at"])
        assert Touch({}, me).last_change(stories[:3], record) == moment(stories[1]["created_at"]), (
            "a due day is no edit"
        )
        assert list(commands.commands(stories, task["gid"], "", me)) == []
    told = commands.commands([{**stories[3], "text": "/pmo waive SCH201"}], task["gid"], "", "1")
    assert [one.values["author"] for one in told] == [who(stories[3]["created_by"])]


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def connected() -> Iterator[tuple[api.Api, responses.RequestsMock]]:
    """Our calls with Asana's manners, and what answers them."""
    settings = pmosync_asana.Settings.model_validate({"base_url": BASE, "auth": {"token": "very-secret-token"}})
    limiter = Limiter(pmosync_asana.limits(settings), lambda: 0.0, lambda _: None)
    session = PoliteSession(BASE, ENDPOINTS, limiter, now=lambda: dt.datetime.now(dt.UTC), sleep=lambda _: None)
    sign_in(settings, session, lambda: dt.datetime.now(dt.UTC))
    with responses.RequestsMock() as mocked:
        yield api.Api(settings, session), mocked


def quoted(shared: Path) -> dict[str, Any]:
    """The one error of Asana's that was seen and quoted."""
    lines = (shared / "data/errors/quoted_errors.jsonl").read_text().splitlines()
    (found,) = [one for line in lines if (one := json.loads(line))["system"] == "asana"]
    return dict(found)


def test_the_quoted_412_is_a_fresh_token_to_a_stream(
    shared: Path, connected: tuple[api.Api, responses.RequestsMock]
) -> None:
    asana, mocked = connected
    answer = quoted(shared)
    token = json.loads(answer["body"])["sync"]
    mocked.add("GET", f"{BASE}/events", answer["body"], status=412, content_type="application/json")
    (told,) = streams.of_projects(asana, {"3": "old"}, "1")
    assert (told.token, told.expired, told.why, told.changed) == (token, True, "", set())
    assert len(mocked.calls) == 1
    mocked.add("GET", f"{BASE}/workspaces/2/events", answer["body"], status=412, content_type="application/json")
    assert streams.begin(asana, "2") == token


def test_the_quoted_412_anywhere_else_is_a_refusal_in_asanas_words(
    shared: Path, connected: tuple[api.Api, responses.RequestsMock]
) -> None:
    asana, mocked = connected
    mocked.add("GET", f"{BASE}/projects/3", quoted(shared)["body"], status=412, content_type="application/json")
    with pytest.raises(Refused, match=r"GET /projects/{project_gid}.*412.*Sync token invalid") as refused:
        asana.session.call("GET", "/projects/3")
    assert refused.value.status == 412


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Unauthorized, "app.asana.com/0/my-apps"),
        (402, Refused, "The plan of this workspace lacks project budgets"),
        (403, Refused, "Give the account access"),
        (404, Refused, "the account does not see it"),
        (451, Refused, "legal reasons"),
    ],
)
def test_every_refusal_that_the_document_shows_has_its_class_and_a_next_step(
    shared: Path, connected: tuple[api.Api, responses.RequestsMock], status: int, kind: type[PmosyncError], words: str
) -> None:
    asana, mocked = connected
    body = {"errors": [{"message": "project: Missing input", "help": "For more information, read the documentation"}]}
    mocked.add("GET", f"{BASE}/budgets", json=body, status=status)
    with pytest.raises(kind) as refused:
        asana.session.call("GET", "/budgets", params={"parent": "3"})
    said = str(refused.value)
    assert "asana.example" in said
    assert "project: Missing input" in said
    assert words in said
    assert "very-secret-token" not in said


def test_of_several_seats_the_one_in_the_workspace_at_hand_counts(
    connected: tuple[api.Api, responses.RequestsMock],
) -> None:
    asana, mocked = connected
    visible = [{"gid": "2", "name": "Acme"}]
    mocked.add("GET", f"{BASE}/users/me", json={"data": {"gid": "1", "name": "PMO", "workspaces": visible}})
    seats = [
        {"gid": "10", "workspace": {"gid": "3"}, "is_view_only": True},
        {"gid": "11", "workspace": {"gid": "2"}, "is_view_only": False},
    ]
    mocked.add("GET", f"{BASE}/users/1/workspace_memberships", json={"data": seats, "next_page": None})
    assert Look(asana, Scope(), write=False).seat() == seats[1]
