"""The sandbox's Data Center mode searches as Data Center does: by offset, with a total, capped, and up to a window."""

from __future__ import annotations

from typing import Any

import pytest

from .data_center_by_hand import plant


def search(site: Any, jql: str, status: int = 200, **others: Any) -> dict[str, Any]:
    answer = site.as_user().post(site.api("/search"), json={"jql": jql, "fields": ["key"], **others})
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def keys(site: Any, jql: str, **others: Any) -> list[str]:
    return [one["key"] for one in search(site, jql, maxResults=1000, **others)["issues"]]


def switch(site: Any, **switches: Any) -> None:
    site.control("POST", "switches", {"jira": switches})


def test_pages_by_offset_hold_everything_once_and_say_how_many_there_are(data_center: Any) -> None:
    found: list[str] = []
    while True:
        page = search(data_center, "project = PAY ORDER BY key ASC", startAt=len(found), maxResults=100)
        found += [one["key"] for one in page["issues"]]
        assert (page["startAt"], page["maxResults"], page["total"]) == (len(found) - len(page["issues"]), 100, 230)
        if len(found) == page["total"]:
            break
    assert found == [f"PAY-{number}" for number in range(1, 231)]
    assert data_center.control("GET", "requests")["by_endpoint"] == {"POST /rest/api/2/search": 3}
    assert data_center.control("GET", "requests")["writes"] == 0


def test_a_page_is_cut_to_the_servers_cap_and_says_so(data_center: Any) -> None:
    assert search(data_center, "project = PAY", maxResults=5000)["maxResults"] == 1000
    switch(data_center, page_cap=20)
    page = search(data_center, "project = PAY", maxResults=100)
    assert (page["maxResults"], len(page["issues"]), page["total"]) == (20, 20, 230)
    assert search(data_center, "project = PAY", maxResults=0)["issues"] == []


@pytest.mark.parametrize("status", [400, 500])
def test_a_page_that_ends_beyond_the_window_fails(data_center: Any, status: int) -> None:
    assert search(data_center, "project = PAY", startAt=9990, maxResults=10)["issues"] == []
    switch(data_center, result_window_status=status)
    refused = search(data_center, "project = PAY", status, startAt=9990, maxResults=11)
    assert "requests 10,001 results which exceeded the search platform limit of 10,000" in refused["errorMessages"][0]
    switch(data_center, result_window=100)
    search(data_center, "project = PAY", status, startAt=60)
    assert len(search(data_center, "project = PAY", startAt=60, maxResults=40)["issues"]) == 40


def test_the_keys_after_an_id_are_those_of_its_project_only(data_center: Any) -> None:
    assert keys(data_center, "id > 10228 ORDER BY id ASC") == ["PAY-229", "PAY-230"]
    assert keys(data_center, "key >= OPS-5 ORDER BY key") == ["OPS-5", "OPS-6"]
    assert keys(data_center, "project = OPS AND id > 10228") == []


def test_an_id_that_is_gone_makes_a_query_wrong_or_empty_as_the_caller_wants(data_center: Any) -> None:
    refused = search(data_center, "project = PAY AND id > 99999", 400)
    assert refused["errorMessages"] == ["A value with ID '99999' does not exist for field 'id'."]
    assert keys(data_center, "project = PAY AND id > 99999", validateQuery=False) == []
    search(data_center, "id in (10001, 99999)", 400)
    assert keys(data_center, "id in (10001, 99999, 10003)", validateQuery=False) == ["PAY-3", "PAY-1"]
    assert keys(data_center, "key in (SEC-1, PAY-4)", validateQuery=False) == ["PAY-4"]
    assert keys(data_center, "flavour = sweet OR key = PAY-4", validateQuery=False) == ["PAY-4"]


def test_a_thousand_ids_fit_into_one_query(data_center: Any) -> None:
    listed = ", ".join(str(number) for number in range(10001, 11501))
    assert len(keys(data_center, f"id in ({listed})", validateQuery=False)) == 236


def test_a_query_may_be_unbounded_and_a_hidden_project_is_unknown(data_center: Any) -> None:
    assert search(data_center, "")["total"] == 236
    assert search(data_center, "ORDER BY key")["total"] == 236
    search(data_center, "project = SEC", 400)
    assert search(data_center, "project = SEC", validateQuery=False)["total"] == 0


def test_people_are_found_by_name_and_by_key(data_center: Any) -> None:
    bot = data_center.as_user().get(data_center.api("/myself")).json()
    assert search(data_center, "project = OPS AND assignee = ann")["total"] == 6
    assert search(data_center, "assignee = currentUser()")["total"] == 0
    data_center.as_user().put(data_center.api("/issue/OPS-1/assignee"), json={"key": bot["key"]})
    assert keys(data_center, f"assignee = {bot['key']}") == keys(data_center, "assignee = bot") == ["OPS-1"]
    search(data_center, "assignee = nobody", 400)


def test_parents_are_found_by_the_field_that_tells_them(site: Any, data_center: Any) -> None:
    site.control("POST", "switches", {"jira": {"deployment": "cloud"}})
    made = plant(site.server.app.state)
    switch(site, deployment="data_center")
    assert keys(data_center, f'"Epic Link" = {made.epic}') == [made.story]
    assert keys(data_center, f'"Parent Link" = {made.initiative}') == [made.epic]
    assert keys(data_center, f"parent = {made.story}") == [made.subtask]
    assert keys(data_center, f'"Epic Link" in ({made.epic}, PAY-1) AND project = OPS') == [made.story]
    without = keys(data_center, 'project = OPS AND "Epic Link" is EMPTY ORDER BY key')
    assert without == [*[f"OPS-{number}" for number in range(1, 9)], made.subtask]
    assert keys(data_center, "cf[10100] is not EMPTY AND key >= OPS-1") == [made.story]


def test_milliseconds_in_queries_are_taken_or_refused_as_switched(data_center: Any) -> None:
    assert search(data_center, "updated >= 1767601800123")["total"] == 236
    assert search(data_center, "updated > 1767601800123")["total"] == 0
    switch(data_center, epoch_jql="refused")
    refused = search(data_center, "updated >= 1767601800123", 400)
    assert "Date value '1767601800123' for field 'updated' is invalid." in refused["errorMessages"][0]
    assert search(data_center, "updated >= '2026/01/05 09:30'")["total"] == 236
    assert search(data_center, "updated >= '2026/01/05 09:31'")["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"jql": "project = PAY", "properties": ["x"]},
        {"jql": "project = PAY", "nextPageToken": "x"},
        {"jql": "project = PAY", "expand": "changelog"},
        {"jql": "project = PAY", "fields": "summary"},
        {"jql": "project = PAY", "maxResults": "10"},
        {"jql": "project = PAY", "startAt": True},
        {"jql": "project = PAY", "validateQuery": "false"},
        ["project = PAY"],
    ],
)
def test_a_body_that_the_document_does_not_know_is_refused(data_center: Any, body: Any) -> None:
    assert data_center.as_user().post(data_center.api("/search"), json=body).status_code == 400


def test_a_search_gives_no_properties_of_issues(data_center: Any) -> None:
    data_center.as_user().put(data_center.api("/issue/PAY-3/properties/p"), json={"a": 1})
    query = {"jql": "key = PAY-3", "properties": "p", "fields": "summary,labels", "expand": "names,schema"}
    found = data_center.as_user().get(data_center.api("/search"), params=query).json()
    assert set(found["issues"][0]) == {"expand", "id", "self", "key", "fields"}
    assert found["issues"][0]["fields"] == {"summary": "Step 3", "labels": []}
    assert found["names"] == {"summary": "Summary", "labels": "Labels"}
    assert found["schema"]["labels"]["items"] == "string"


def test_the_whole_changelog_of_each_issue_comes_oldest_first(data_center: Any) -> None:
    session = data_center.as_user()
    for number in range(45):
        session.put(data_center.api("/issue/PAY-3"), json={"fields": {"summary": f"Step {number}"}})
    page = search(data_center, "key in (PAY-3, PAY-4) ORDER BY key", expand=["changelog"])["issues"]
    log = page[0]["changelog"]
    assert (log["startAt"], log["maxResults"], log["total"]) == (0, 45, 45)
    assert [one["items"][0]["toString"] for one in log["histories"]] == [f"Step {number}" for number in range(45)]
    assert page[1]["changelog"]["histories"] == []


def test_a_fault_of_one_project_leaves_it_out_of_lists_and_refuses_it_by_name(data_center: Any) -> None:
    data_center.fault("missing", project="OPS")
    projects = data_center.as_user().get(data_center.api("/project")).json()
    assert [one["key"] for one in projects] == ["PAY"]
    search(data_center, "project = OPS", 400)
    assert search(data_center, "id in (10001, 10231)")["total"] == 1


def test_a_page_can_be_empty_though_the_total_says_otherwise(data_center: Any) -> None:
    data_center.fault("empty_page", match={"path": "/search"})
    page = search(data_center, "project = PAY")
    assert (page["issues"], page["total"]) == ([], 230)


def test_a_late_index_finds_issues_as_they_were_and_one_asked_for_is_as_it_is(data_center: Any) -> None:
    switch(data_center, index_lag_s=60)
    session, address = data_center.as_user(), data_center.api("/issue/PAY-3")
    assert session.put(address, json={"fields": {"summary": "Moved on"}}).status_code == 204
    late = search(data_center, "key = PAY-3", fields=["summary"])["issues"][0]["fields"]
    assert (late["summary"], session.get(address).json()["fields"]["summary"]) == ("Step 3", "Moved on")
    data_center.control("POST", "clock", {"advance_s": 61})
    assert search(data_center, "key = PAY-3", fields=["summary"])["issues"][0]["fields"] == {"summary": "Moved on"}
