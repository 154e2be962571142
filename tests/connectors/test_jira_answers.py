"""Checks the Jira connector against answers that are mocked one by one: many issues, odd paging, other servers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

import pmosync_jira
from pmosync.errors import Unreadable

SITE = "https://acme.atlassian.net"
NEWEST_MS = 1_795_165_200_000
"""When every mocked issue was updated."""
FIELDS = [
    {"id": "summary", "name": "Summary", "schema": {"type": "string"}},
    {"id": "duedate", "name": "Due date", "schema": {"type": "date"}},
]


class ManyIssues:
    """A Jira that has issues without end, mocked in a few lines; every answer can be bent by a test."""

    def __init__(self, count: int, projects: int = 12) -> None:
        self.projects: list[dict[str, Any]] = [
            {"id": str(100 + n), "key": f"P{n}", "name": f"Project {n}"} for n in range(projects)
        ]
        self.ids = [str(10_000 + n) for n in range(count)]
        self.calls: Counter[str] = Counter()
        self.errors: set[str] = set()
        self.hidden: set[str] = set()
        self.refused_projects: set[str] = set()

    def project_of(self, issue_id: str) -> dict[str, Any]:
        return self.projects[int(issue_id) % len(self.projects)]

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = str(request.url).split("/rest/api/3/")[1].split("?")[0]
        self.calls[path] += 1
        body = json.loads(request.body) if request.body else {}
        data: Any
        match path:
            case "project/search":
                data = {"values": self.projects, "isLast": True}
            case "field":
                data = FIELDS
            case "users/search":
                data = []
            case "search/jql":
                return self._search(body)
            case "issue/bulkfetch":
                wanted = [one for one in body["issueIdsOrKeys"] if one not in self.hidden | self.errors]
                errors = [
                    {"id": one, "errorMessage": "try later"} for one in body["issueIdsOrKeys"] if one in self.errors
                ]
                assert len(body["issueIdsOrKeys"]) <= 100
                data = {"issues": [self.issue(one) for one in wanted], "issueErrors": errors}
            case _:
                return 404, {}, json.dumps({"errorMessages": [f"no {path}"]})
        return 200, {}, json.dumps(data)

    def _search(self, body: dict[str, Any]) -> tuple[int, dict[str, str], str]:
        listed = set(re.findall(r"\d+", body["jql"].split(")")[0]))
        bad = listed & self.refused_projects
        if bad:
            message = f"The value '{bad.pop()}' does not exist for the field 'project'."
            return 400, {}, json.dumps({"errorMessages": [message], "errors": {}})
        by_id = body["jql"].startswith("id in")
        found = [one for one in self.ids if (one in listed if by_id else self.project_of(one)["id"] in listed)]
        size = min(body["maxResults"], 5000 if body["fields"] == ["id"] else 100)
        start = int(body.get("nextPageToken", "0"))
        rows = found[start : start + size]
        more = start + size < len(found)
        issues = [{"id": one} if body["fields"] == ["id"] else self.issue(one) for one in rows]
        page: dict[str, Any] = {"issues": issues, "isLast": not more}
        return 200, {}, json.dumps(page | ({"nextPageToken": str(start + size)} if more else {}))

    def issue(self, issue_id: str) -> dict[str, Any]:
        stamp = "2026-11-20T10:00:00.000+0100"
        fields = {"project": self.project_of(issue_id), "created": stamp, "updated": stamp, "summary": issue_id}
        return {"id": issue_id, "key": f"{self.project_of(issue_id)['key']}-{issue_id}", "fields": fields}


def serve(site: ManyIssues, mocked: responses.RequestsMock, base_url: str = SITE) -> ManyIssues:
    """Let a mocked Jira answer everything under an address."""
    for method in ("GET", "POST"):
        mocked.add_callback(method, re.compile(re.escape(base_url) + "/rest/api/3/.*"), site.answer)
    return site


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def unobserved(batches: list[Any]) -> set[str]:
    """The scopes that could not be read."""
    return {scope for batch in batches if batch.state == "unobserved" for scope in batch.scopes}


def test_ten_thousand_issues_take_at_most_150_requests(mocked: responses.RequestsMock, open_jira: Any) -> None:
    site = serve(ManyIssues(10_000), mocked)
    desk = open_jira(SITE, fields=("summary", "duedate"))
    batches = desk.pull()
    assert sum(1 for kind, _ in desk.records if kind == "task") == 10_000
    assert unobserved(batches) == set()
    assert site.calls.total() <= 110


def test_batches_come_while_the_rest_is_still_being_fetched(mocked: responses.RequestsMock, open_jira: Any) -> None:
    site = serve(ManyIssues(5_000), mocked)
    desk = open_jira(SITE, fields=("summary",))
    batches = desk.connector.pull(desk.scope, None, desk.known)
    next(batch for batch in batches if batch.records and batch.records[0].kind == "task")
    assert site.calls["issue/bulkfetch"] <= 10
    batches.close()


def test_one_project_that_jira_refuses_costs_only_itself(mocked: responses.RequestsMock, open_jira: Any) -> None:
    site = serve(ManyIssues(300, projects=4), mocked)
    site.refused_projects = {"102"}
    desk = open_jira(SITE, fields=("summary",))
    batches = desk.pull()
    assert unobserved(batches) == {"project:102"}
    assert sum(1 for kind, _ in desk.records if kind == "task") == 225
    assert desk.cursor["projects"] == ["100", "101", "103"]
    (why,) = [batch.why for batch in batches if batch.state == "unobserved"]
    assert why.startswith("P2: ")
    assert "does not exist for the field" in why


def test_an_issue_that_jira_cannot_give_makes_its_project_unobserved_and_no_other(
    mocked: responses.RequestsMock, open_jira: Any
) -> None:
    site = serve(ManyIssues(300, projects=4), mocked)
    site.errors = {"10001"}
    batches = open_jira(SITE, fields=("summary",)).pull()
    assert unobserved(batches) == {f"project:{site.project_of('10001')['id']}"}


def test_an_issue_that_stays_hidden_though_it_is_listed_makes_its_project_unobserved(
    mocked: responses.RequestsMock, open_jira: Any
) -> None:
    site = serve(ManyIssues(300, projects=4), mocked)
    site.hidden = {"10001", "10005"}
    batches = open_jira(SITE, fields=("summary",)).pull()
    assert unobserved(batches) == {"project:101"}


def test_an_issue_that_is_no_longer_listed_is_left_out_of_the_census(
    mocked: responses.RequestsMock, open_jira: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve(ManyIssues(300, projects=4), mocked)
    desk = open_jira(SITE, fields=("summary",))
    site.hidden = {"10001"}
    listing = site._search

    def search(body: dict[str, Any]) -> Any:
        answer = listing(body)
        if "10001" in site.ids:
            site.ids.remove("10001")
        return answer

    monkeypatch.setattr(site, "_search", search)
    batches = desk.pull()
    assert unobserved(batches) == set()
    (census,) = [batch.census for batch in batches if batch.state == "complete" and batch.kinds == ("task",)]
    assert "10001" not in census
    assert len(census) == 299


def test_a_page_that_is_not_the_last_but_names_no_next_one_is_no_end(
    mocked: responses.RequestsMock, open_jira: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve(ManyIssues(10, projects=2), mocked)
    monkeypatch.setattr(site, "_search", lambda _: (200, {}, json.dumps({"issues": [{"id": "1"}], "isLast": False})))
    desk = open_jira(SITE)
    assert unobserved(desk.pull()) == {"project:100", "project:101"}
    assert desk.cursor["projects"] == [], "the next pull reads both whole"


def test_an_archived_project_is_shown_as_such_and_its_issues_are_gone_with_it(
    mocked: responses.RequestsMock, open_jira: Any
) -> None:
    site = serve(ManyIssues(40, projects=2), mocked)
    site.projects[1]["archived"] = True
    desk = open_jira(SITE, fields=("summary",))
    batches = desk.pull()
    assert desk.records["project", "101"].values["archived"] is True
    told = [(b.state, b.fate, list(b.census)) for b in batches if b.scopes == ("project:101",) and "task" in b.kinds]
    assert told == [("complete", "archived", [])]
    assert unobserved(batches) == set()


def test_an_incremental_search_looks_back_from_jiras_own_dates_and_has_no_upper_bound(
    mocked: responses.RequestsMock, open_jira: Any
) -> None:
    serve(ManyIssues(40, projects=2), mocked)
    desk = open_jira(SITE, fields=("summary",))
    desk.pull()
    desk.pull(desk.cursor)
    asked = [str(call.request.body) for call in mocked.calls if "search/jql" in str(call.request.url)]
    assert f"updated >= {NEWEST_MS - 300_000} ORDER BY id" in asked[-1]
    assert "<" not in asked[-1]


def test_the_cursor_stays_behind_by_as_long_as_the_pull_took(
    mocked: responses.RequestsMock, open_jira: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(ManyIssues(40, projects=2), mocked)
    desk = open_jira(SITE, fields=("summary",))
    started_at = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    times = iter([started_at, started_at + dt.timedelta(minutes=7)])
    monkeypatch.setattr(desk.connector, "_clock", lambda: next(times))
    desk.pull()
    assert desk.cursor["updated_ms"] == NEWEST_MS - 7 * 60_000


def test_a_data_center_that_is_said_to_be_cloud_is_told_so(mocked: responses.RequestsMock, open_jira: Any) -> None:
    mocked.get(f"{SITE}/rest/api/3/project/search", status=404, json={"message": "null for uri", "status-code": 404})
    with pytest.raises(Unreadable, match="Check that base_url is a Jira site, and `deployment` if it is set"):
        open_jira(SITE).pull()


def test_a_site_that_is_no_jira_is_unreadable(mocked: responses.RequestsMock, open_jira: Any) -> None:
    mocked.get(re.compile(SITE + ".*"), json={"hello": "world"})
    with pytest.raises(Unreadable, match="base_url"):
        open_jira(SITE).pull()


def test_behind_the_gateway_links_point_to_the_site_itself(mocked: responses.RequestsMock, open_jira: Any) -> None:
    gateway = "https://api.atlassian.com/ex/jira/0777"
    info = {"deploymentType": "Cloud", "baseUrl": SITE, "version": "1001.0.0"}
    mocked.get(f"{gateway}/rest/api/3/serverInfo", json=info)
    serve(ManyIssues(3, projects=1), mocked, gateway)
    desk = open_jira(gateway, fields=("summary",))
    desk.pull()
    assert desk.records["task", "10001"].url == f"{SITE}/browse/P0-10001"


def test_the_token_is_sent_as_basic_auth_and_never_told(
    mocked: responses.RequestsMock, open_jira: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mocked.get(re.compile(SITE + ".*"), status=400, json={"errorMessages": ["bad token hush-hush"]})
    caplog.set_level("DEBUG")
    with pytest.raises(Unreadable) as caught:
        open_jira(SITE, token="hush-hush").pull()
    assert str(mocked.calls[0].request.headers["Authorization"]).startswith("Basic ")
    assert "hush-hush" not in f"{caught.value}{caplog.text}"


def test_of_all_calls_only_the_making_of_an_issue_or_a_comment_may_not_be_repeated() -> None:
    once = {each.name for each in pmosync_jira.ENDPOINTS if not each.repeatable}
    made = ("issue", "issue/{id}/comment")
    assert once == {f"POST /rest/api/{version}/{what}" for version in (2, 3) for what in made}


def test_the_settings_refuse_what_they_do_not_know() -> None:
    given = {"base_url": SITE, "auth": {"user": "a@acme.example", "token": "t"}}
    settings = pmosync_jira.Settings.model_validate(given)
    assert "'t'" not in repr(settings)
    assert dataclasses.asdict(pmosync_jira.limits(settings))["per_second"] == 40
    for wrong in ({"deployment": "datacenter"}, {"tokn": "x"}, {"limits": {"per_second": 0}}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            pmosync_jira.Settings.model_validate(given | wrong)
