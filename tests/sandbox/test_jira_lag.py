"""Index lag of the sandbox's Jira: searches and counts come after what was written; reads by id or key do not."""

from __future__ import annotations

from typing import Any

import pytest

ANN = ("ann@acme.example", "ann-token")
LATE = {"jira": {"index_lag_s": 60}}


@pytest.fixture
def late(site: Any) -> Any:
    """The site with an index that is a minute behind."""
    site.control("POST", "switches", LATE)
    return site


def send(site: Any, method: str, path: str, body: Any = None) -> Any:
    return site.as_user(ANN).request(method, site.api(path), json=body)


def keys(site: Any, jql: str, **more: Any) -> list[str]:
    found = send(site, "POST", "/search/jql", {"jql": jql, "fields": ["key"], **more}).json()
    return [one["key"] for one in found["issues"]]


def count(site: Any, jql: str) -> int:
    return int(send(site, "POST", "/search/approximate-count", {"jql": jql}).json()["count"])


def wait(site: Any, seconds: int = 61) -> None:
    site.control("POST", "clock", {"advance_s": seconds})


def test_an_edit_is_searched_only_after_the_lag_and_read_at_once(late: Any) -> None:
    send(late, "PUT", "/issue/PAY-3", {"update": {"labels": [{"add": "pmo"}]}})
    assert send(late, "GET", "/issue/PAY-3").json()["fields"]["labels"] == ["pmo"]
    fetched = send(late, "POST", "/issue/bulkfetch", {"issueIdsOrKeys": ["PAY-3"], "fields": ["labels"]}).json()
    assert fetched["issues"][0]["fields"]["labels"] == ["pmo"]
    body = {"jql": "id = 10003", "fields": ["labels"]}
    assert send(late, "POST", "/search/jql", body).json()["issues"][0]["fields"]["labels"] == []
    assert (keys(late, "labels = pmo"), count(late, "labels = pmo")) == ([], 0)
    wait(late)
    assert (keys(late, "labels = pmo"), count(late, "labels = pmo")) == (["PAY-3"], 1)


def test_each_of_several_edits_shows_after_its_own_lag(late: Any) -> None:
    for label in ("a", "b"):
        send(late, "PUT", "/issue/PAY-3", {"update": {"labels": [{"set": [label]}]}})
        wait(late, 40)
    assert (keys(late, "labels = a"), keys(late, "labels = b")) == (["PAY-3"], [])
    wait(late, 25)
    assert (keys(late, "labels = a"), keys(late, "labels = b")) == ([], ["PAY-3"])


def test_reconciled_issues_are_searched_as_they_are(late: Any) -> None:
    send(late, "PUT", "/issue/PAY-3", {"update": {"labels": [{"add": "pmo"}]}})
    send(late, "PUT", "/issue/PAY-4", {"update": {"labels": [{"add": "pmo"}]}})
    assert keys(late, "labels = pmo", reconcileIssues=[10003]) == ["PAY-3"]
    got = send(late, "GET", "/search/jql?jql=labels%20%3D%20pmo&fields=key&reconcileIssues=10004").json()
    assert [one["key"] for one in got["issues"]] == ["PAY-4"]
    body = {"jql": "labels = pmo", "reconcileIssues": list(range(51))}
    assert send(late, "POST", "/search/jql", body).status_code == 400


def test_a_new_and_a_deleted_issue_appear_and_vanish_after_the_lag(late: Any) -> None:
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "New"}
    made = send(late, "POST", "/issue", {"fields": fields}).json()["key"]
    late.control("POST", "jira", {"set_role": {"project_key": "OPS", "account_id": "u-ann", "role": "admin"}})
    assert send(late, "DELETE", "/issue/OPS-1").status_code == 204
    assert send(late, "GET", "/issue/OPS-1").status_code == 404
    before = keys(late, "project = OPS")
    assert ("OPS-1" in before, made in before) == (True, False)
    wait(late)
    after = keys(late, "project = OPS")
    assert ("OPS-1" in after, made in after) == (False, True)


def test_a_property_in_a_search_lags_too(late: Any) -> None:
    send(late, "PUT", "/issue/PAY-3/properties/p", {"a": 1})
    body = {"jql": "id = 10003", "fields": ["key"], "properties": ["p"]}
    assert send(late, "POST", "/search/jql", body).json()["issues"][0]["properties"] == {}
    assert send(late, "GET", "/issue/PAY-3?properties=p").json()["properties"] == {"p": {"a": 1}}
    wait(late)
    assert send(late, "POST", "/search/jql", body).json()["issues"][0]["properties"] == {"p": {"a": 1}}
