"""Rights on the sandbox's Jira: single permissions beyond the roles, and issues that security hides from an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pmosync.sandbox.jira.orders import ORDERS
from pmosync.sandbox.limits import SETTINGS

ANN = ("ann@acme.example", "ann-token")
BOT = ("bot@acme.example", "bot-token")
TEXT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}]}
LINK = {"object": {"url": "https://pmo.example", "title": "PMO"}}


def order(site: Any, **wanted: Any) -> Any:
    return site.control("POST", "jira", wanted)


def permit(site: Any, permission: str, granted: bool | None, project: str | None = "PAY") -> None:
    order(site, set_permission={"account_id": "u-bot", "permission": permission, "granted": granted,
                                "project_key": project})  # fmt: skip


def send(site: Any, method: str, path: str, body: Any = None, who: Any = BOT) -> Any:
    return site.as_user(who).request(method, site.api(path), json=body)


@pytest.mark.parametrize(
    ("permission", "method", "path", "body", "status"),
    [
        ("LINK_ISSUES", "POST", "/issue/PAY-3/remotelink", LINK, 403),
        ("EDIT_ISSUES", "PUT", "/issue/PAY-3", {"update": {"labels": [{"add": "x"}]}}, 403),
        ("ADD_COMMENTS", "POST", "/issue/PAY-3/comment", {"body": TEXT}, 400),
        ("WORK_ON_ISSUES", "POST", "/issue/PAY-3/worklog", {"timeSpent": "1h"}, 400),
        ("BROWSE_PROJECTS", "GET", "/issue/PAY-3", None, 404),
    ],
)
def test_a_single_permission_is_taken_away_in_one_project(
    site: Any, permission: str, method: str, path: str, body: Any, status: int
) -> None:
    permit(site, permission, False)
    assert send(site, method, path, body).status_code == status
    assert send(site, method, path.replace("PAY-", "OPS-"), body).status_code < 300
    assert send(site, method, path, body, ANN).status_code < 300
    permit(site, permission, None)
    assert send(site, method, path, body).status_code < 300


def test_the_permission_resources_tell_what_was_granted_and_taken(site: Any) -> None:
    permit(site, "ADMINISTER_PROJECTS", True)
    permit(site, "EDIT_OWN_COMMENTS", False)
    permit(site, "BULK_CHANGE", False, None)
    wanted = "ADMINISTER_PROJECTS,EDIT_OWN_COMMENTS,LINK_ISSUES,BULK_CHANGE"
    mine = send(site, "GET", f"/mypermissions?permissions={wanted}&projectKey=PAY").json()["permissions"]
    assert {name: one["havePermission"] for name, one in mine.items()} == {
        "ADMINISTER_PROJECTS": True, "EDIT_OWN_COMMENTS": False, "LINK_ISSUES": True, "BULK_CHANGE": False,
    }  # fmt: skip
    names = ["ADMINISTER_PROJECTS", "EDIT_OWN_COMMENTS"]
    body = {"projectPermissions": [{"permissions": names, "projects": [10000, 10001], "issues": []}],
            "globalPermissions": ["BULK_CHANGE"]}  # fmt: skip
    found = send(site, "POST", "/permissions/check", body).json()
    assert [one["projects"] for one in found["projectPermissions"]] == [[10000, 10001], [10001]]
    assert found["globalPermissions"] == []


def test_an_issue_hidden_by_security_is_as_if_it_did_not_exist(site: Any) -> None:
    before = len(site.search("project = PAY"))
    order(site, hide_issue={"issue_key": "PAY-2", "account_id": "u-bot"})
    assert send(site, "GET", "/issue/PAY-2").status_code == 404
    assert send(site, "GET", "/issue/10002/changelog").status_code == 404
    assert len(site.search("project = PAY")) == before - 1
    assert send(site, "POST", "/search/jql", {"jql": "key = PAY-2"}).status_code == 400
    fetched = send(site, "POST", "/issue/bulkfetch", {"issueIdsOrKeys": ["PAY-2", "PAY-3"]}).json()["issues"]
    assert [one["key"] for one in fetched] == ["PAY-3"]
    assert send(site, "GET", "/issue/OPS-1?fields=issuelinks").json()["fields"]["issuelinks"] == []
    body = {"projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [], "issues": [10002, 10003]}]}
    assert send(site, "POST", "/permissions/check", body).json()["projectPermissions"][0]["issues"] == [10003]
    assert send(site, "GET", "/issue/PAY-2", who=ANN).status_code == 200
    order(site, hide_issue={"issue_key": "PAY-2", "account_id": "u-bot", "hidden": False})
    assert send(site, "GET", "/issue/PAY-2").status_code == 200


def test_an_order_writes_a_past_and_an_unknown_one_is_refused(site: Any) -> None:
    worklog = {"issue_key": "PAY-3", "author": "u-ann", "seconds": 60, "started_at": "2026-01-06T10:00:00+00:00"}
    assert order(site, add_worklog=[worklog, worklog])["add_worklog"] == [10000, 10001]
    history = {"issue_key": "PAY-3", "author": "u-ann", "at": "2026-01-07T10:00:00+00:00", "field": "duedate",
               "before": None, "after": "2026-05-01"}  # fmt: skip
    order(site, add_history=history)
    told = send(site, "GET", "/issue/PAY-3/changelog").json()["values"][-1]
    assert (told["created"], told["items"][0]["to"]) == ("2026-01-07T10:00:00.000+0000", "2026-05-01")
    for wrong in ({"add_castle": {}}, {"set_permission": {"account_id": "u-bot", "permission": "FLY"}}):
        answer = site.as_user().post(f"{site.url}/__sandbox__/jira", json=wrong)
        assert answer.status_code == 400


def test_the_page_about_the_sandbox_names_every_order_and_every_limit_of_jira() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/sandbox.md").read_text("utf-8")
    limits = {name for name in SETTINGS if name.startswith("jira") and not name.endswith("writes_window_s")}
    limits -= {"jira_issue_writes_long_window_s"}
    assert [name for name in sorted({*ORDERS, *limits}) if name not in text] == []
