"""Worklogs of the sandbox's Jira: logging time is an edit of the issue, and two feeds tell what changed and went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pmosync.sandbox.jira import seed

ANN = ("ann@acme.example", "ann-token")
STARTED = "2026-02-27T10:00:00.000+0100"
LONG_AGO = datetime(2026, 1, 6, 10, tzinfo=UTC)


def send(site: Any, method: str, path: str, body: Any = None, who: Any = ANN) -> Any:
    return site.as_user(who).request(method, site.api(path), json=body)


def log(site: Any, key: str, time: str = "2h", **query: str) -> Any:
    address = site.api(f"/issue/{key}/worklog")
    return site.as_user(ANN).post(address, params=query, json={"timeSpent": time, "started": STARTED}).json()


def issue(site: Any, key: str) -> Any:
    return send(site, "GET", f"/issue/{key}").json()["fields"]


def feed(site: Any, name: str, since: int = 0) -> Any:
    return send(site, "GET", f"/worklog/{name}?since={since}").json()


def wait(site: Any, seconds: int = 61) -> None:
    site.control("POST", "clock", {"advance_s": seconds})


def test_logging_time_changes_the_sums_the_date_and_the_history(site: Any) -> None:
    site.as_user(ANN).put(
        site.api("/issue/PAY-3"),
        json={"fields": {"timetracking": {"originalEstimate": "1d", "remainingEstimate": "1d"}}},
    )
    before = issue(site, "PAY-3")["updated"]
    wait(site)
    made = log(site, "PAY-3")
    found = issue(site, "PAY-3")
    assert (made["timeSpentSeconds"], made["started"]) == (7200, "2026-02-27T09:00:00.000+0000")
    assert (found["timespent"], found["timeestimate"], found["worklog"]["total"]) == (7200, 21600, 1)
    assert found["updated"] > before
    last = send(site, "GET", "/issue/PAY-3/changelog").json()["values"][-1]["items"]
    assert {one["fieldId"]: (one["from"], one["to"]) for one in last} == {
        "timespent": (None, "7200"), "timeestimate": ("28800", "21600"),
    }  # fmt: skip


def test_a_changed_and_a_deleted_worklog_correct_the_sum(site: Any) -> None:
    made = log(site, "PAY-3")
    path = f"/issue/PAY-3/worklog/{made['id']}"
    assert send(site, "PUT", path, {"timeSpentSeconds": 3600}).json()["timeSpent"] == "1h"
    assert (issue(site, "PAY-3")["timespent"], send(site, "GET", path).status_code) == (3600, 200)
    assert send(site, "DELETE", path).status_code == 204
    assert (issue(site, "PAY-3")["timespent"], send(site, "GET", path).status_code) == (0, 404)


@pytest.mark.parametrize(
    ("query", "left"),
    [({"adjustEstimate": "leave"}, 28800), ({"adjustEstimate": "new", "newEstimate": "1h"}, 3600),
     ({"adjustEstimate": "manual", "reduceBy": "1h"}, 25200), ({}, 21600)],
)  # fmt: skip
def test_the_remaining_estimate_follows_as_asked(site: Any, query: Any, left: int) -> None:
    tracking = {"timetracking": {"remainingEstimate": "1d"}}
    send(site, "PUT", "/issue/PAY-3", {"fields": tracking})
    log(site, "PAY-3", **query)
    assert issue(site, "PAY-3")["timeestimate"] == left


def test_the_feeds_leave_out_the_last_minute_by_the_sites_own_clock(site: Any) -> None:
    made = log(site, "PAY-3")
    assert feed(site, "updated")["values"] == []
    wait(site)
    found = feed(site, "updated")
    assert [str(one["worklogId"]) for one in found["values"]] == [made["id"]]
    assert found["lastPage"] is True
    send(site, "DELETE", f"/issue/PAY-3/worklog/{made['id']}")
    assert feed(site, "deleted")["values"] == []
    wait(site)
    assert [str(one["worklogId"]) for one in feed(site, "deleted")["values"]] == [made["id"]]
    assert feed(site, "updated")["values"] == []


def test_a_feed_comes_by_pages_of_a_thousand_and_loses_none(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        for number in range(1205):
            seed.add_worklog(
                state, "PAY-3", "u-ann", 60, started_at=LONG_AGO + timedelta(seconds=number // 10), counted=False
            )
    found, since, pages = set(), 0, 0
    while True:
        page = feed(site, "updated", since)
        assert len(page["values"]) <= 1000
        found |= {one["worklogId"] for one in page["values"]}
        since, pages = page["until"], pages + 1
        if page["lastPage"]:
            break
    assert (len(found), pages) == (1205, 2)
    first = send(site, "GET", "/issue/PAY-3/worklog?maxResults=3&startAt=1200").json()
    assert (first["total"], len(first["worklogs"])) == (1205, 3)


def test_worklogs_are_listed_by_id_and_hidden_with_their_project_or_circle(site: Any) -> None:
    state, when = site.server.app.state, {"started_at": LONG_AGO}
    with state.transaction():
        hidden = seed.add_worklog(state, "SEC-1", "u-ann", 60, **when)
        role = {"type": "role", "value": "Administrators"}
        circle = seed.add_worklog(state, "PAY-3", "u-ann", 60, visibility=role, **when)
        seen = seed.add_worklog(state, "PAY-3", "u-ann", 60, **when)
    body = {"ids": [hidden, circle, seen, 1]}
    assert [one["id"] for one in send(site, "POST", "/worklog/list", body).json()] == [str(n) for n in body["ids"][:3]]
    bot = ("bot@acme.example", "bot-token")
    assert [one["id"] for one in send(site, "POST", "/worklog/list", body, bot).json()] == [str(seen)]
    assert send(site, "POST", "/worklog/list", {"ids": []}).status_code == 400
    assert send(site, "POST", "/worklog/list", {"ids": list(range(1001))}).status_code == 400


def test_a_seeded_worklog_looks_as_if_it_had_been_logged(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        seed.add_worklog(state, "PAY-3", "u-ann", 3600, started_at=LONG_AGO, comment="Seen to it")
    found = issue(site, "PAY-3")
    assert (found["timespent"], found["updated"]) == (3600, "2026-01-06T10:00:00.000+0000")
    assert found["worklog"]["worklogs"][0]["comment"]["type"] == "doc"
    assert send(site, "GET", "/issue/PAY-3/changelog").json()["values"][0]["created"] == "2026-01-06T10:00:00.000+0000"


def test_an_issue_takes_as_many_worklogs_as_the_switch_says(site: Any) -> None:
    site.control("POST", "switches", {"jira": {"worklogs_per_issue": 1}})
    body = {"timeSpentSeconds": 60, "started": STARTED}
    answers = [send(site, "POST", "/issue/PAY-3/worklog", body).status_code for _ in range(2)]
    assert answers == [201, 413]
    assert send(site, "POST", "/issue/PAY-4/worklog", {"started": STARTED}).status_code == 400
