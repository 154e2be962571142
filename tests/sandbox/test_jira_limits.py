"""Rate limits of the sandbox's Jira: each refuses with its reason, tells the headers Jira tells, and comes back."""

from __future__ import annotations

from typing import Any

import pytest

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.limits import Limits

ISSUE = "/rest/api/3/issue/{issueIdOrKey}"
SEARCH = "/rest/api/3/search/jql"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limits_of(clock: Clock, **settings: Any) -> Limits:
    found = Limits(clock)
    found.replace(settings)
    return found


def call(limits: Limits, method: str = "GET", template: str = ISSUE, key: str = "PAY-1", app: bool = False) -> Any:
    """One call as the server makes it: refused, or answered and accounted for."""
    path, write = template.replace("{issueIdOrKey}", key), method in ("PUT", "DELETE")
    refused = limits.refuse("jira", method, template, path, "bot", write, app)
    if refused is not None:
        return refused
    answer = json_answer({"issues": [{}] * 9} if template == SEARCH else {"id": "1"})
    limits.account("jira", method, template, write, answer, app)
    return answer


def test_each_endpoint_and_method_has_its_own_burst(clock: Clock) -> None:
    limits = limits_of(clock, jira_documented=True)
    statuses = [call(limits).status_code for _ in range(151)]
    assert (statuses.count(200), statuses[-1]) == (150, 429)
    refused = call(limits)
    assert (refused.headers["RateLimit-Reason"], refused.headers["Retry-After"]) == ("jira-burst-based", "1")
    assert call(limits, "POST", SEARCH).status_code == 200
    clock.at += 1.1
    assert call(limits).status_code == 200


def test_one_issue_takes_twenty_writes_in_two_seconds_and_a_hundred_in_thirty(clock: Clock) -> None:
    limits = limits_of(clock, jira_documented=True)
    statuses = [call(limits, "PUT").status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert call(limits, "PUT").headers["RateLimit-Reason"] == "jira-per-issue-on-write"
    assert call(limits, "PUT", key="PAY-2").status_code == 200
    done = 20
    for _ in range(4):
        clock.at += 2.1
        done += sum(call(limits, "PUT").status_code == 200 for _ in range(20))
    clock.at += 2.1
    refused = call(limits, "PUT")
    assert (done, refused.status_code, int(refused.headers["Retry-After"]) > 15) == (100, 429, True)
    clock.at += 30
    assert call(limits, "PUT").status_code == 200


def test_points_are_counted_for_apps_by_what_an_answer_holds_until_the_window_ends(clock: Clock) -> None:
    limits = limits_of(clock, jira_points=21, jira_points_window_s=60, jira_headers="enforced")
    first = call(limits, "POST", SEARCH, app=True)
    assert first.headers["RateLimit-Policy"] == '"global-app-quota";q=21;w=60'
    assert "RateLimit" not in first.headers
    assert call(limits, "POST", SEARCH, app=True).headers["RateLimit"] == '"global-app-quota";r=1;t=60'
    assert call(limits, "PUT", app=True).status_code == 200
    clock.at += 20
    refused = call(limits, app=True)
    assert (refused.status_code, refused.headers["RateLimit-Reason"], refused.headers["Retry-After"]) == (
        429, "jira-quota-global-based", "40",
    )  # fmt: skip
    assert call(limits).status_code == 200
    clock.at += 41
    assert call(limits, app=True).status_code == 200


def test_an_api_token_costs_points_only_when_a_test_says_so(clock: Clock) -> None:
    limits = limits_of(clock, jira_points=1, jira_points_for_all=True, jira_points_reason="jira-quota-tenant-based")
    assert call(limits).status_code == 200
    assert call(limits).headers["RateLimit-Reason"] == "jira-quota-tenant-based"


def test_answers_say_how_much_is_left_and_when_it_is_little(clock: Clock) -> None:
    limits = limits_of(clock, jira_per_second=5, jira_points=10, jira_points_for_all=1, jira_headers="beta")
    found = [call(limits).headers for _ in range(5)]
    assert [one["X-RateLimit-Remaining"] for one in found] == ["4", "3", "2", "1", "0"]
    assert ["X-RateLimit-NearLimit" in one for one in found] == [False, False, False, False, True]
    assert "Beta-RateLimit-Policy" in found[0]
    assert "RateLimit-Policy" not in found[0]


def test_a_bare_refusal_says_nothing_but_429(site: Any) -> None:
    site.control("POST", "limits", {"jira_per_second": 1, "jira_bare": True})
    answers = [site.as_user().get(site.api("/myself")) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    told = {"Retry-After", "RateLimit-Reason", "X-RateLimit-Limit", "X-RateLimit-Reset", "RateLimit"}
    assert told & set(answers[1].headers) == set()


def test_an_endpoint_is_limited_by_name_over_the_control_api(site: Any) -> None:
    of = {"GET /rest/api/3/myself": 1}
    site.control("POST", "limits", {"jira_per_second_of": of, "jira_headers": "enforced"})
    answers = [site.as_user().get(site.api("/myself")) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 429]
    assert answers[0].headers["X-RateLimit-Remaining"] == "0"
    assert site.as_user().get(site.api("/status")).status_code == 200
