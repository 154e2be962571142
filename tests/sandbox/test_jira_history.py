"""Histories of the sandbox's Jira: every move of a field is told, as Jira tells it, also those seeded in the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pmosync.sandbox.jira import planning, seed

ANN = ("ann@acme.example", "ann-token")
LONG_AGO = datetime(2026, 1, 6, 10, tzinfo=UTC)


def put(site: Any, key: str, **fields: Any) -> None:
    assert site.as_user(ANN).put(site.api(f"/issue/{key}"), json={"fields": fields}).status_code == 204


def told(site: Any, key: str) -> list[Any]:
    found = site.as_user(ANN).get(site.api(f"/issue/{key}/changelog")).json()["values"]
    return [item for one in found for item in one["items"]]


def test_the_fields_a_pmo_asks_about_are_told_with_ids_and_texts(site: Any) -> None:
    put(site, "PAY-3", duedate="2026-05-01", labels=["a", "b"], assignee=None)
    put(site, "PAY-3", duedate="2026-05-08")
    moves = site.as_user(ANN).get(site.api("/issue/PAY-3/transitions")).json()["transitions"]
    done = next(one for one in moves if one["name"] == "Done")
    site.as_user(ANN).post(site.api("/issue/PAY-3/transitions"), json={"transition": {"id": done["id"]}})
    found = {(one["fieldId"], one["to"], one["toString"]) for one in told(site, "PAY-3")}
    assert found >= {
        ("duedate", "2026-05-01", "2026-05-01 00:00:00.0"), ("duedate", "2026-05-08", "2026-05-08 00:00:00.0"),
        ("labels", None, "a b"), ("assignee", None, None), ("status", done["to"]["id"], "Done"),
    }  # fmt: skip


def test_a_moved_parent_and_a_link_name_no_field(site: Any) -> None:
    put(site, "PAY-3", parent={"key": "PAY-2"})
    item = told(site, "PAY-3")[-1]
    assert (item["field"], "fieldId" in item) == ("IssueParentAssociation", False)
    assert (item["from"], item["fromString"], item["to"], item["toString"]) == ("10001", "PAY-1", "10002", "PAY-2")
    link = {"type": {"name": "Blocks"}, "inwardIssue": {"key": "PAY-3"}, "outwardIssue": {"key": "PAY-4"}}
    site.as_user(ANN).post(site.api("/issueLink"), json=link)
    ends = [told(site, key)[-1] for key in ("PAY-3", "PAY-4")]
    assert [(one["field"], one["to"], one["toString"], "fieldId" in one) for one in ends] == [
        ("Link", "PAY-4", "This work item blocks PAY-4", False),
        ("Link", "PAY-3", "This work item is blocked by PAY-3", False),
    ]
    number = site.as_user(ANN).get(site.api("/issue/PAY-3?fields=issuelinks")).json()["fields"]["issuelinks"][0]["id"]
    assert site.as_user(ANN).delete(site.api(f"/issueLink/{number}")).status_code == 204
    assert (told(site, "PAY-4")[-1]["from"], told(site, "PAY-4")[-1]["to"]) == ("PAY-3", None)


def test_a_sprint_is_told_by_id_and_name(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        seed.add_field(state, "customfield_10020", "Sprint", planning.SPRINT_SCHEMA)
        board = planning.add_board(state, "Pay board", "PAY")
        sprint = planning.add_sprint(state, board, "Sprint 7")
    put(site, "PAY-3", customfield_10020=sprint)
    item = told(site, "PAY-3")[-1]
    assert (item["field"], item["fieldId"], item["to"], item["toString"]) == (
        "Sprint", "customfield_10020", str(sprint), "Sprint 7"
    )  # fmt: skip


@pytest.mark.parametrize("told_of", [False, True])
def test_a_remote_link_is_told_where_the_switch_says_so(site: Any, told_of: bool) -> None:
    site.control("POST", "switches", {"jira": {"remote_link_history": told_of}})
    link = {"globalId": "g", "object": {"url": "https://pmo.example/a", "title": "PMO"}}
    site.as_user().post(site.api("/issue/PAY-3/remotelink"), json=link)
    assert [one["field"] for one in told(site, "PAY-3")] == (["RemoteIssueLink"] if told_of else [])


def test_an_edit_of_a_machine_is_told_with_what_it_said_of_itself(site: Any) -> None:
    metadata = {"type": "pmosync:flag", "generator": {"id": "pmosync", "type": "application"}}
    body = {"update": {"labels": [{"add": "x"}]}, "historyMetadata": metadata}
    site.as_user().put(site.api("/issue/PAY-3"), json=body)
    one = site.as_user().get(site.api("/issue/PAY-3/changelog")).json()["values"][-1]
    many = site.as_user().post(site.api("/changelog/bulkfetch"), json={"issueIdsOrKeys": ["PAY-3"]}).json()
    assert one["historyMetadata"] == metadata
    assert many["issueChangeLogs"][0]["changeHistories"][-1]["historyMetadata"] == metadata


def test_a_seeded_past_comes_oldest_first_over_all_issues_by_page(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        for number in (3, 1, 2, 0):
            at = LONG_AGO + timedelta(days=number)
            key = "PAY-4" if number % 2 else "PAY-3"
            seed.add_history(state, key, "u-ann", at, "duedate", f"2026-05-0{number + 1}", f"2026-05-0{number + 2}")
        seed.add_history(state, "PAY-4", "u-ann", LONG_AGO, "Key", "OLD-1", "PAY-4", bump=False)
    assert site.as_user().get(site.api("/issue/PAY-4")).json()["fields"]["updated"] == "2026-01-09T10:00:00.000+0000"
    body = {"issueIdsOrKeys": ["PAY-4", "PAY-3"], "fieldIds": ["duedate"], "maxResults": 3}
    first = site.as_user().post(site.api("/changelog/bulkfetch"), json=body).json()
    rest = site.as_user().post(
        site.api("/changelog/bulkfetch"), json=body | {"nextPageToken": first["nextPageToken"]}
    ).json()  # fmt: skip
    pages = [
        [(one["issueId"], item["to"]) for one in page["issueChangeLogs"] for history in one["changeHistories"]
         for item in history["items"]] for page in (first, rest)
    ]  # fmt: skip
    assert pages == [[("10003", "2026-05-02"), ("10003", "2026-05-04"), ("10004", "2026-05-03")],
                     [("10004", "2026-05-05")]]  # fmt: skip
    assert "nextPageToken" not in rest
    for wrong in ({"maxResults": 10_001}, {"fieldIds": ["a"] * 11}, {"issueIdsOrKeys": []}):
        assert site.as_user().post(site.api("/changelog/bulkfetch"), json=body | wrong).status_code == 400
