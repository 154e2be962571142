"""Faults and limits hit exactly the requests they name, the way networks and vendors fail."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from pmosync.sandbox.limits import Limits

SEARCH = {"jql": "project = PAY ORDER BY id", "fields": ["key"], "maxResults": 100}
LABEL = {"update": {"labels": [{"add": "x"}]}}


def page(site: Any, token: str | None = None) -> requests.Response:
    body = SEARCH | ({"nextPageToken": token} if token else {})
    answer: requests.Response = site.as_user().post(site.api("/search/jql"), json=body, timeout=10)
    return answer


def labels(site: Any, key: str = "PAY-3") -> Any:
    return site.as_user().get(site.api(f"/issue/{key}")).json()["fields"]["labels"]


def move(site: Any) -> str:
    return next(one["gid"] for one in site.asana("/projects").json()["data"] if one["name"] == "Move")


def test_a_status_fault_skips_and_counts_as_it_was_told(site: Any) -> None:
    match = {"tool": "jira", "method": "POST", "path": "/search/jql$"}
    site.fault("status", status=503, headers={"Retry-After": "1"}, match=match, after=1, times=2)
    assert site.as_user().get(site.api("/myself")).status_code == 200
    answers = [page(site) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "1"
    assert answers[1].json()["errorMessages"]


def test_a_fault_may_hit_writes_only_and_is_gone_when_it_is_taken_back(site: Any) -> None:
    site.fault("status", status=500, match={"write": True})
    assert page(site).status_code == 200
    assert site.as_user().put(site.api("/issue/PAY-3"), json=LABEL).status_code == 500
    assert labels(site) == []
    site.control("DELETE", "faults")
    assert site.as_user().put(site.api("/issue/PAY-3"), json=LABEL).status_code == 204


@pytest.mark.parametrize("value", ["2", "0", "1847", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", None])
def test_too_many_requests_says_when_to_come_back_in_every_form_that_was_seen(site: Any, value: str | None) -> None:
    site.fault("retry_after", value=value)
    answers = [page(site), site.asana("/users/me")]
    assert [one.status_code for one in answers] == [429, 429]
    assert [one.headers.get("Retry-After") for one in answers] == [value, value]
    assert "errors" in answers[1].json()


def test_a_connection_cut_before_the_answer_applied_nothing_and_one_cut_after_applied_all(site: Any) -> None:
    site.fault("cut_before", match={"write": True}, times=1)
    with pytest.raises(requests.ConnectionError):
        site.as_user().put(site.api("/issue/PAY-3"), json=LABEL)
    assert labels(site) == []
    site.fault("cut_after", match={"write": True}, times=1)
    with pytest.raises(requests.ConnectionError):
        site.as_user().put(site.api("/issue/PAY-3"), json=LABEL)
    assert labels(site) == ["x"]
    writes = [one for one in site.control("GET", "requests")["log"] if one["write"]]
    assert [one["status"] for one in writes] == [None, None]


def test_a_truncated_answer_promises_more_than_it_sends(site: Any) -> None:
    site.fault("truncated", times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        page(site)
    assert page(site).status_code == 200


def test_an_answer_that_is_no_json_is_a_login_page_with_status_200(site: Any) -> None:
    site.fault("not_json", times=1)
    answer = page(site)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Log in" in answer.text


def test_a_repeated_token_comes_back_again_and_again_in_both_tools(site: Any) -> None:
    site.fault("repeat_token")
    first = page(site).json()["nextPageToken"]
    second = page(site, first).json()
    assert second["nextPageToken"] == first
    assert page(site, first).json() == second
    tasks = site.asana("/tasks", project=move(site), limit=2).json()
    offset = tasks["next_page"]["offset"]
    assert site.asana("/tasks", project=move(site), limit=2, offset=offset).json()["next_page"]["offset"] == offset


def test_an_empty_page_has_a_token_and_the_rest_comes_with_it_in_both_tools(site: Any) -> None:
    match = {"path": "/search/jql|/tasks"}
    site.fault("empty_page", after=1, times=1, match=match)
    first = page(site).json()
    empty = page(site, first["nextPageToken"]).json()
    assert (empty["issues"], empty["isLast"]) == ([], False)
    assert empty["nextPageToken"] != first["nextPageToken"]
    assert page(site, empty["nextPageToken"]).json()["issues"][0]["key"] == "PAY-101"
    site.fault("empty_page", times=1, match=match)
    blank = site.asana("/tasks", project=move(site), limit=2).json()
    assert blank["data"] == []
    offset = blank["next_page"]["offset"]
    rest = site.asana("/tasks", project=move(site), limit=2, offset=offset).json()
    assert [one["name"] for one in rest["data"]] == ["Box 0", "Box 1"]


def test_an_expired_offset_is_asanas_400(site: Any) -> None:
    site.fault("expired_offset", match={"path": "/tasks"})
    tasks = site.asana("/tasks", project=move(site), limit=2)
    assert tasks.status_code == 200
    offset = tasks.json()["next_page"]["offset"]
    answer = site.asana("/tasks", project=move(site), limit=2, offset=offset)
    assert answer.status_code == 400
    assert "pagination token has expired" in answer.json()["errors"][0]["message"]


def test_an_expired_sync_token_is_a_412_with_a_fresh_one(site: Any) -> None:
    first = site.asana("/events", resource=move(site)).json()["sync"]
    assert site.asana("/events", resource=move(site), sync=first).status_code == 200
    site.fault("expired_sync", times=1)
    answer = site.asana("/events", resource=move(site), sync=first)
    assert answer.status_code == 412
    assert answer.json()["sync"]


@pytest.mark.parametrize(("kind", "status", "on_search"), [("forbidden", 403, 403), ("missing", 404, 400)])
def test_one_projects_trouble_leaves_the_others_alone(site: Any, kind: str, status: int, on_search: int) -> None:
    site.fault(kind, project="PAY")
    bot = site.as_user()
    for path in ("/project/PAY", "/issue/PAY-3", "/issue/10003", "/issue/PAY-3/properties/x"):
        assert bot.get(site.api(path)).status_code == status
    assert page(site).status_code == on_search
    assert bot.get(site.api("/issue/OPS-1")).status_code == 200
    fetched = bot.post(site.api("/issue/bulkfetch"), json={"issueIdsOrKeys": ["PAY-3", "OPS-1"], "fields": ["summary"]})
    assert [one["key"] for one in fetched.json()["issues"]] == ["OPS-1"]


def test_one_asana_projects_trouble_leaves_the_others_alone(site: Any) -> None:
    gids = {one["name"]: one["gid"] for one in site.asana("/projects").json()["data"]}
    site.fault("forbidden", project=gids["Move"])
    assert site.asana("/tasks", project=gids["Move"]).status_code == 403
    assert site.asana(f"/projects/{gids['Move']}").status_code == 403
    assert site.asana("/tasks", project=gids["Rest"]).status_code == 200


def test_revoked_credentials_are_the_vendors_401_everywhere(site: Any) -> None:
    site.fault("unauthorized")
    assert page(site).status_code == 401
    assert page(site).json()["status-code"] == 401
    assert site.asana("/users/me").json()["errors"][0]["message"] == "Not Authorized"


def test_a_hanging_answer_comes_after_its_time(site: Any) -> None:
    site.fault("hang", seconds=0.3, times=1)
    with pytest.raises(requests.ReadTimeout):
        site.as_user().get(site.api("/myself"), timeout=0.1)
    assert site.control("GET", "requests")["total"] == 0
    while site.control("GET", "requests")["total"] == 0:
        time.sleep(0.02)
    started = time.monotonic()
    site.fault("hang", seconds=0.2, times=1)
    assert page(site).status_code == 200
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "flood"},
        {"kind": "missing"},
        {"kind": "hang", "match": {"verb": "PUT"}},
        {"kind": "status", "status": 500, "match": {"path": "("}},
        {"kind": "status"},
    ],
)
def test_a_fault_that_cannot_be_is_refused_and_says_why(site: Any, fault: dict[str, Any]) -> None:
    answer = requests.post(f"{site.url}/__sandbox__/faults", json=[fault], timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert page(site).status_code == 200


def test_jiras_burst_limit_holds_each_endpoint_apart(site: Any) -> None:
    site.control("POST", "limits", {"jira_per_second": 2})
    answers = [page(site) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].headers["RateLimit-Reason"] == "jira-burst-based"
    assert answers[2].headers["Retry-After"] == "1"
    assert answers[2].headers["X-RateLimit-Remaining"] == "0"
    assert site.as_user().get(site.api("/myself")).status_code == 200
    site.control("POST", "limits", {})
    assert page(site).status_code == 200


def test_jiras_limit_on_writes_of_one_issue_holds_that_issue_only(site: Any) -> None:
    site.control("POST", "limits", {"jira_issue_writes": 1})
    put = site.as_user().put
    answers = [put(site.api(f"/issue/{key}/properties/x"), json=1) for key in ("PAY-3", "PAY-3", "PAY-4")]
    assert [one.status_code for one in answers] == [201, 429, 201]
    assert answers[1].headers["RateLimit-Reason"] == "jira-per-issue-on-write"


def test_asanas_quota_is_one_account_s_for_a_minute(site: Any) -> None:
    site.control("POST", "limits", {"asana_per_minute": 1})
    assert [site.asana("/users/me").status_code for _ in range(2)] == [200, 429]
    assert 0 < int(site.asana("/users/me").headers["Retry-After"]) <= 60
    assert page(site).status_code == 200


def test_an_allowance_comes_back_after_the_time_the_refusal_named() -> None:
    now = [100.0]
    limits = Limits(clock=lambda: now[0])
    limits.replace({"jira_per_second": 1})
    ask = ("jira", "GET", "/rest/api/3/myself", "/rest/api/3/myself", "bot", False)
    assert limits.refuse(*ask) is None
    refused = limits.refuse(*ask)
    assert refused is not None
    now[0] += float(refused.headers["Retry-After"])
    assert limits.refuse(*ask) is None


def test_a_limit_that_does_not_exist_is_refused(site: Any) -> None:
    answer = requests.post(f"{site.url}/__sandbox__/limits", json={"jira_per_day": 1}, timeout=10)
    assert answer.status_code == 400
    assert "jira_per_second" in answer.json()["error"]
