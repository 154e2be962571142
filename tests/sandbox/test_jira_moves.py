"""Moves, renames, archives and the trash on the sandbox's Jira: ids stay, old keys lead on, lists tell which."""

from __future__ import annotations

from typing import Any

import pytest

from pmosync.sandbox.jira import planning, seed

ANN = ("ann@acme.example", "ann-token")
BOT = ("bot@acme.example", "bot-token")
ROOT = ("root@acme.example", "root-token")


@pytest.fixture
def owned(site: Any) -> Any:
    """The site with an administrator of Jira."""
    state = site.server.app.state
    with state.transaction():
        seed.add_user(state, "u-root", "Root", ROOT[0], admin=True)
        seed.add_token(state, "u-root", ROOT[1])
    return site


def send(site: Any, method: str, path: str, body: Any = None, who: Any = BOT) -> Any:
    return site.as_user(who).request(method, site.api(path), json=body)


def order(site: Any, **wanted: Any) -> Any:
    return site.control("POST", "jira", wanted)


def keys(site: Any, jql: str) -> list[str]:
    return [one["key"] for one in site.search(jql)]


def listed(site: Any, status: str, who: Any = BOT) -> list[str]:
    return [one["key"] for one in send(site, "GET", f"/project/search?status={status}", who=who).json()["values"]]


def test_a_moved_issue_keeps_its_id_and_is_found_by_its_old_key(site: Any) -> None:
    before = send(site, "GET", "/issue/PAY-3").json()
    move = {"issue_key": "PAY-3", "project_key": "OPS", "actor": "u-ann"}
    assert order(site, move_issue=move)["move_issue"] == "OPS-7"
    after = send(site, "GET", "/issue/PAY-3").json()
    assert (after["id"], after["key"], after["fields"]["project"]["key"]) == (before["id"], "OPS-7", "OPS")
    assert after["fields"]["updated"] > before["fields"]["updated"]
    fetched = send(site, "POST", "/issue/bulkfetch", {"issueIdsOrKeys": ["PAY-3", "PAY-4"]}).json()["issues"]
    assert [one["key"] for one in fetched] == ["OPS-7", "PAY-4"]
    assert ("OPS-7" in keys(site, "project = OPS"), keys(site, "key = PAY-3")) == (True, ["OPS-7"])
    items = send(site, "GET", "/issue/OPS-7/changelog").json()["values"][-1]["items"]
    assert [(one["field"], one["fromString"], one["toString"]) for one in items] == [
        ("Key", "PAY-3", "OPS-7"), ("project", "Project PAY", "Project OPS"),
    ]  # fmt: skip
    assert order(site, move_issue={**move, "issue_key": "OPS-7", "project_key": "PAY"})["move_issue"] == "PAY-231"


def test_a_renamed_project_and_its_issues_are_found_by_their_old_keys(owned: Any) -> None:
    before = send(owned, "GET", "/issue/OPS-1").json()
    assert send(owned, "PUT", "/project/OPS", {"key": "RUN"}).status_code == 403
    assert send(owned, "PUT", "/project/OPS", {"key": "RUN"}, ROOT).json()["key"] == "RUN"
    after = send(owned, "GET", "/issue/OPS-1").json()
    assert (after["id"], after["key"], after["fields"]["project"]["key"]) == (before["id"], "RUN-1", "RUN")
    assert after["fields"]["updated"] == before["fields"]["updated"]
    assert send(owned, "GET", "/project/OPS").json()["key"] == "RUN"
    assert keys(owned, "project = OPS") == keys(owned, "project = RUN")
    assert send(owned, "PUT", "/project/RUN", {"key": "PAY"}, ROOT).status_code == 400


def test_archived_issues_leave_searches_and_take_no_edit(owned: Any) -> None:
    body = {"issueIdsOrKeys": ["OPS-1", "NO-1"]}
    assert send(owned, "PUT", "/issue/archive", body).status_code == 403
    found = send(owned, "PUT", "/issue/archive", body, ROOT).json()
    assert (found["numberOfIssuesUpdated"], found["errors"]["issuesNotFound"]["count"]) == (1, 1)
    assert "OPS-1" not in keys(owned, "project = OPS")
    assert send(owned, "GET", "/issue/OPS-1").json()["fields"]["archivedby"]["accountId"] == "u-root"
    assert send(owned, "PUT", "/issue/OPS-1", {"update": {"labels": [{"add": "x"}]}}).status_code == 400
    owned.control("POST", "switches", {"jira": {"archived_in_search": True}})
    assert "OPS-1" in keys(owned, "project = OPS")
    owned.control("POST", "switches", {"jira": {"archived_in_search": False}})
    assert send(owned, "PUT", "/issue/unarchive", body, ROOT).status_code == 200
    assert "OPS-1" in keys(owned, "project = OPS")
    assert send(owned, "PUT", "/issue/archive", {"issueIdsOrKeys": ["NO-1"]}, ROOT).status_code == 400


def test_a_project_is_in_one_list_live_archived_or_deleted(owned: Any) -> None:
    assert send(owned, "POST", "/project/OPS/archive").status_code == 403
    assert send(owned, "POST", "/project/OPS/archive", who=ROOT).status_code == 204
    assert (listed(owned, "live"), listed(owned, "archived"), listed(owned, "deleted")) == (["PAY"], ["OPS"], [])
    assert send(owned, "POST", "/search/jql", {"jql": "project = OPS"}).status_code == 400
    assert send(owned, "GET", "/issue/OPS-1").status_code == 200
    assert send(owned, "PUT", "/issue/OPS-1", {"update": {"labels": [{"add": "x"}]}}).status_code == 403
    archived = send(owned, "GET", "/project/search?status=archived").json()["values"][0]
    assert (archived["archived"], archived["archivedBy"]["accountId"]) == (True, "u-root")
    assert send(owned, "POST", "/project/OPS/restore", who=ROOT).json()["key"] == "OPS"
    assert send(owned, "DELETE", "/project/OPS", who=ROOT).status_code == 204
    assert (listed(owned, "live"), listed(owned, "deleted"), listed(owned, "live&status=deleted")) == (
        ["PAY"], ["OPS"], ["OPS", "PAY"],
    )  # fmt: skip
    assert (send(owned, "GET", "/project/OPS").status_code, send(owned, "GET", "/issue/OPS-1").status_code) == (
        404,
        404,
    )
    assert send(owned, "POST", "/project/OPS/restore", who=ROOT).status_code == 200
    assert len(keys(owned, "project = OPS")) == 6


def test_a_project_deleted_for_good_is_in_no_list(owned: Any) -> None:
    assert send(owned, "DELETE", "/project/OPS?enableUndo=false", who=ANN).status_code == 404
    assert send(owned, "DELETE", "/project/OPS?enableUndo=false", who=ROOT).status_code == 204
    assert (listed(owned, "live"), listed(owned, "deleted")) == (["PAY"], [])
    assert send(owned, "GET", "/issue/OPS-1", who=ROOT).status_code == 404


def test_access_lost_looks_like_deletion_but_for_others(site: Any) -> None:
    order(site, set_role={"project_key": "OPS", "account_id": "u-bot", "role": "none"})
    assert (listed(site, "live"), listed(site, "deleted")) == (["PAY"], [])
    assert (send(site, "GET", "/issue/OPS-1").status_code, send(site, "GET", "/issue/OPS-1", who=ANN).status_code) == (
        404, 200,
    )  # fmt: skip


def test_a_project_lists_its_components(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        for name in ("Ledger", "Cards"):
            planning.add_component(state, "PAY", name, lead="u-ann")
    page = send(site, "GET", "/project/PAY/component?maxResults=1").json()
    assert ([one["name"] for one in page["values"]], page["total"], page["isLast"]) == (["Cards"], 2, False)
    whole = send(site, "GET", "/project/PAY/components").json()
    assert [(one["name"], one["lead"]["accountId"]) for one in whole] == [("Cards", "u-ann"), ("Ledger", "u-ann")]
