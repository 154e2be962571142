"""What recorded answers say comes out right: which deployment it is, who may do what, what moved, and who is there."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import responses

import pmosync_jira
from pmosync.contract import Choice, Person, Scope
from pmosync.http import Limiter, Limits, PoliteSession
from pmosync_jira.data_center import DataCenter
from pmosync_jira.site import Site

from . import recordings
from .recorded_decoding import decoder, described, histories, told
from .recordings import Recorded, shapes

pytestmark = pytest.mark.shared

SITE = "https://jira.acme.example"
Told = list[tuple[str, Any, Any]]

TO_DO, WORKING, DONE = Choice("10001", "To Do"), Choice("3", "In Progress"), Choice("10002", "Done")
RESOLVED, ADMIN = Choice("10000", "Done"), Person("admin", "Bopai Kroubei")
MOVED: dict[str, Told] = {
    "issue-updated-started-working": [("status", TO_DO, WORKING)],
    "issue-updated-resolved": [("resolution", None, RESOLVED), ("status", WORKING, DONE)],
    "issue-updated-reopened": [("resolution", RESOLVED, None), ("status", DONE, TO_DO)],
    "issue-updated-assigned": [("assignee", None, ADMIN)],
    "issue-updated-assigned-nobody": [("assignee", ADMIN, None)],
    "issue-updated-assigned-on-server": [("assignee", None, ADMIN)],
    "issue-updated-labels": [("labels", ("bad", "test-label"), ("sad", "test-label"))],
    "issue-updated-fix-version": [("fixVersions", Choice("10000", "v1"), Choice("10001", "v2"))],
    "issue-updated-issue-type": [("issuetype", Choice("10002", "Task"), Choice("10004", "Bug"))],
    "issue-updated-raised-priority": [("priority", Choice("4", "Low"), Choice("2", "High"))],
    "issue-updated-renamed": [("summary", "Unit test summary", "Unit test summary 1")],
    "issue-updated-rank": [],
    "issue-updated-sprint": [],
    "issue-assigned-empty-changelog": [],
}
"""What payloads of webhooks tell: field, before, after. The rank is no field of ours, and old servers name sprints
without ids."""


def webhooks(shared: Path) -> list[Recorded]:
    """The recorded payloads."""
    return list(recordings.documents(shared / "data/jira/webhooks_mattermost"))


def test_the_payload_of_a_webhook_tells_the_moves_that_were_made(shared: Path) -> None:
    payloads = webhooks(shared)
    past = histories(described(payloads, _system(shared)))
    found: dict[str, Told] = {}
    for answer in payloads:
        name = answer.file.removeprefix("webhook-").removesuffix(".json")
        if name in MOVED:
            entry = told(answer.data)
            assert entry is not None
            events = past.read([entry]).events
            found[name] = [(event.field, event.before, event.after) for event in events]
            assert all(event.at.year == 2019 and event.by is not None for event in events)
    assert found == MOVED


def test_the_issue_in_a_payload_is_one_that_can_be_fetched_or_a_whole_record(shared: Path) -> None:
    payloads = webhooks(shared)
    one = decoder(described(payloads, _system(shared)))
    whole, named = 0, 0
    for answer in payloads:
        raw = answer.data.get("issue")
        if raw is None:
            continue
        assert raw["id"].isdigit()
        kinds = {kind for kind, inner in shapes(raw) if inner is raw}
        whole += "issue" in kinds
        named += "mention" in kinds
        if "issue" in kinds:
            record = one.task(raw, _scope())
            assert record.id == raw["id"]
            assert isinstance(record.values["status"], Choice)
    assert (whole, named) == (30, 5)


def _scope() -> Scope:
    return Scope(fields=("status", "assignee"))


def _system(shared: Path) -> list[dict[str, Any]]:
    answers = recordings.nango(shared / "data/jira/nango_cloud_v3")
    return [raw for answer in answers for kind, raw in shapes(answer.data) if kind == "field"]


# --- answers to our own calls ---------------------------------------------------------------------------------------


def session() -> PoliteSession:
    """A session for the site."""
    return PoliteSession(
        SITE, pmosync_jira.ENDPOINTS, Limiter(Limits(), lambda: 0.0, lambda _: None),
        now=lambda: dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC),
    )  # fmt: skip


def test_each_recorded_server_is_told_for_what_it_is(shared: Path) -> None:
    jira, found = shared / "data" / "jira", []
    several = [*recordings.har(jira / "har_jupiterone"), *recordings.cassettes(jira / "vcr_redhat_osidb")]
    for answer in several:
        if answer.call.endswith("/serverInfo") and answer.status == 200:
            with responses.RequestsMock() as mocked:
                mocked.add("GET", f"{SITE}/rest/api/2/serverInfo", json=answer.data)
                found.append(Site(session()).deployment.name)
    assert found == ["cloud"] * 21, "the site of the cassettes moved to Cloud before that call was recorded"


def test_recorded_permissions_of_a_data_center_say_what_the_account_may(shared: Path) -> None:
    answers = recordings.cassettes(shared / "data/jira/vcr_redhat_osidb")
    recorded = [one for one in answers if one.call == "GET /rest/api/2/mypermissions" and one.status == 200]
    assert len(recorded) == 12
    makers = 0
    for answer in recorded:
        with responses.RequestsMock() as mocked:
            mocked.add("GET", re.compile(f"{SITE}/rest/api/2/mypermissions"), json=answer.data)
            globally, where = DataCenter(session(), list).granted(
                ["CREATE_ISSUES", "EDIT_ISSUES", "ADMINISTER_PROJECTS"], ["ADMINISTER"], ["10000"]
            )
        has = {name for name, one in answer.data["permissions"].items() if one["havePermission"]}
        assert globally == has & {"ADMINISTER"}
        assert {name for name, projects in where.items() if projects == {"10000"}} == has & set(where)
        makers += "CREATE_ISSUES" in has
    assert makers == 11, "one project is for reading only"


def test_the_recorded_list_of_apaches_projects_becomes_records(shared: Path) -> None:
    (listed,) = [
        one.data
        for one in recordings.documents(shared / "data/jira/go_jira_mock_data")
        if one.file == "all_projects.json"
    ]
    with responses.RequestsMock() as mocked:
        mocked.add("GET", re.compile(f"{SITE}/rest/api/2/project"), json=listed)
        rows = DataCenter(session(), list).projects((), description=False, prop="")
    one = decoder(())
    records = [one.project(raw, _scope()) for raw in rows]
    assert len(records) == len(listed) == 567
    assert [record.key for record in records] == sorted(record.key for record in records)
    assert all(record.values["archived"] is False for record in records)


def test_the_recorded_list_of_a_clouds_users_is_read_to_its_end(shared: Path) -> None:
    pages = [
        one.data
        for one in recordings.har(shared / "data/jira/har_jupiterone")
        if one.file.startswith("steps") and one.call == "GET /rest/api/3/users"
    ]
    assert [len(page) for page in pages] == [12, 0]
    with responses.RequestsMock() as mocked:
        for page in pages:
            mocked.add("GET", re.compile(f"{SITE}/rest/api/3/users/search"), json=page)
        site = Site(session(), "cloud")
        people = [raw for page in site.deployment.users() for raw in page]
    assert len({raw["accountId"] for raw in people}) == 12
