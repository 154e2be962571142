"""Apps register webhooks of their own at the sandbox's Jira, which end after 30 days."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from pmosync.sandbox.jira import seed
from pmosync.sandbox.jira.credentials import CLOUD_ID

from .webhook_desk import DYNAMIC, Desk, Receiver, at_desk, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def desk(site: Any, receiver: Receiver) -> Desk:
    return at_desk(site, receiver)


PLAIN = {"jqlFilter": "project = PAY", "events": ["jira:issue_updated"]}


def test_webhooks_of_apps_are_for_apps_only(desk: Desk) -> None:
    wanted = {"url": desk.receiver.url, "webhooks": [PLAIN]}
    for method, path, body in (
        ("POST", DYNAMIC, wanted), ("GET", DYNAMIC, None), ("DELETE", DYNAMIC, {"webhookIds": [1]}),
        ("PUT", f"{DYNAMIC}/refresh", {"webhookIds": [1]}), ("GET", f"{DYNAMIC}/failed", None),
    ):  # fmt: skip
        answer = desk.ask(method, path, body)
        assert answer.status_code == 403
        assert "Only" in answer.text or "only" in answer.text


def test_an_access_token_of_oauth_makes_an_app(desk: Desk) -> None:
    granted = ["read:jira-work", "write:jira-work", "manage:jira-webhook"]
    tokens = desk.site.control("POST", "jira", {"add_app": {"user": "u-ann", "granted": granted}})["add_app"]
    url = f"{desk.site.url}/ex/jira/{CLOUD_ID}{DYNAMIC}"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    wanted = {"url": desk.receiver.url, "webhooks": [PLAIN]}
    answer = requests.post(url, json=wanted, headers=headers, timeout=10)
    number = answer.json()["webhookRegistrationResult"][0]["createdWebhookId"]
    desk.edit()
    desk.wait()
    (got,) = desk.receiver.got
    assert got.body["matchedWebhookIds"] == [number]
    assert got.body["issue"]["self"].startswith(f"{desk.site.url}/rest/api/2/issue/")
    scheme, _, token = got.headers["Authorization"].partition(" ")
    signed, _, signature = token.rpartition(".")
    wanted_signature = hmac.new(b"client-secret", signed.encode(), hashlib.sha256).digest()
    assert scheme == "Bearer"
    assert base64.urlsafe_b64decode(signature + "=") == wanted_signature
    assert "X-Hub-Signature" not in got.headers


def test_of_several_webhooks_each_is_registered_or_refused_by_itself(desk: Desk) -> None:
    results = desk.register(
        PLAIN,
        {"jqlFilter": "watchers = 3", "events": ["jira:issue_updated"]},
        {"jqlFilter": "summary ~ pay", "events": ["jira:issue_updated"]},
        {"jqlFilter": "assignee IS EMPTY", "events": ["jira:issue_updated"]},
        {"jqlFilter": "project = PAY ORDER BY key", "events": ["jira:issue_updated"]},
        {"jqlFilter": "project = PAY", "events": ["worklog_created", "project_created"]},
        {"jqlFilter": "project IN (PAY, OPS) AND status != Done", "events": ["comment_created"]},
        {"jqlFilter": "issue.property[pmosync.compliance].worst = major", "events": ["issue_property_set"]},
    )
    assert [("createdWebhookId" in one) for one in results] == [True, False, False, False, False, False, True, True]
    assert results[1] == {"errors": ["The clause watchers is unsupported"]}
    assert results[5] == {
        "errors": ["The event worklog_created is unsupported", "The event project_created is unsupported"]
    }
    page = desk.do("GET", DYNAMIC)
    assert page["values"][0]["jqlFilter"] == "project = PAY"
    assert (page["total"], page["isLast"]) == (3, True)


def test_an_app_has_one_address_and_at_most_a_hundred_webhooks(desk: Desk) -> None:
    results = desk.register(*[PLAIN] * 101)
    assert [("errors" in one) for one in results] == [False] * 100 + [True]
    other = {"url": desk.receiver.url + "/other", "webhooks": [PLAIN]}
    answer = desk.ask("POST", DYNAMIC, other)
    assert answer.status_code == 400
    assert "Only a single URL per app" in answer.text
    desk.do("DELETE", DYNAMIC, {"webhookIds": [one["createdWebhookId"] for one in results[:100]]})
    assert desk.do("GET", DYNAMIC)["total"] == 0
    assert "createdWebhookId" in desk.do("POST", DYNAMIC, other)["webhookRegistrationResult"][0]
    elsewhere = desk.ask("POST", DYNAMIC, {"url": "https://app.example/hook", "webhooks": [PLAIN]})
    assert (elsewhere.status_code, "this machine only" in elsewhere.text) == (400, True)


def test_webhooks_of_apps_end_after_thirty_days_unless_they_are_refreshed(desk: Desk) -> None:
    first, second = (one["createdWebhookId"] for one in desk.register(PLAIN, PLAIN))
    desk.later(20 * 86400)
    desk.do("PUT", f"{DYNAMIC}/refresh", {"webhookIds": [second, 4711]})
    desk.later(11 * 86400)
    assert [one["id"] for one in desk.do("GET", DYNAMIC)["values"]] == [second]
    desk.edit()
    desk.wait()
    assert [one.body["matchedWebhookIds"] for one in desk.receiver.got] == [[second]]
    desk.later(20 * 86400)
    desk.edit("PAY-4")
    desk.wait()
    assert len(desk.receiver.got) == 1
    assert first != second


def test_one_change_is_one_delivery_to_an_app_however_many_webhooks_match(desk: Desk) -> None:
    only = {"fieldIdsFilter": ["duedate"], "issuePropertyKeysFilter": ["pmosync.compliance"]}
    both = ["jira:issue_updated", "issue_property_set"]
    results = desk.register({"jqlFilter": "", "events": both}, {"jqlFilter": "", "events": both} | only)
    all_of_them = [one["createdWebhookId"] for one in results]
    desk.edit()
    desk.do("PUT", "/rest/api/3/issue/PAY-3", {"fields": {"duedate": "2026-05-01"}})
    desk.do("PUT", "/rest/api/3/issue/PAY-3/properties/other", 1)
    desk.do("PUT", "/rest/api/3/issue/PAY-3/properties/pmosync.compliance", 1)
    desk.wait()
    matched = [one.body["matchedWebhookIds"] for one in desk.receiver.got]
    assert matched == [all_of_them[:1], all_of_them, all_of_them[:1], all_of_them]


def test_an_app_is_told_of_issues_its_account_sees_and_its_jql_finds(desk: Desk) -> None:
    state = desk.site.server.app.state
    with state.transaction():
        seed.hide_issue(state, "PAY-4", "u-root")
    clauses = "issue.property[pmosync].worst = major AND issue.property[pmosync].worst != minor"
    marked = {"jqlFilter": clauses, "events": ["issue_property_set"], "issuePropertyKeysFilter": ["pmosync"]}
    other = {"jqlFilter": "issue.property[pmosync].best != minor", "events": ["issue_property_set"]}
    desk.register({"jqlFilter": "status = 'To Do'", "events": ["jira:issue_updated"]}, marked, other)
    someone = ("ann@acme.example", "ann-token")
    for number in (2, 3, 4):
        change = {"fields": {"summary": "Changed"}}
        assert desk.ask("PUT", f"/rest/api/3/issue/PAY-{number}", change, someone).status_code == 204
    for worst in ("minor", "major"):
        desk.do("PUT", "/rest/api/3/issue/PAY-5/properties/pmosync", {"worst": worst})
    desk.do("PUT", "/rest/api/3/issue/PAY-5/properties/other", 1)
    desk.wait()
    assert [(one.name, one.body["issue"]["key"]) for one in desk.receiver.got] == [
        ("jira:issue_updated", "PAY-2"), ("issue_property_set", "PAY-5"),
    ]  # fmt: skip


def test_what_was_never_delivered_is_told_to_connect_apps_only(desk: Desk) -> None:
    desk.register(PLAIN, kind="oauth")
    assert desk.ask("GET", f"{DYNAMIC}/failed").status_code == 403
    assert desk.ask("GET", DYNAMIC).status_code == 200


def test_a_connect_app_can_ask_what_was_never_delivered_for_three_days(desk: Desk) -> None:
    desk.register(PLAIN, kind="connect")
    desk.receiver.statuses = [500] * 12
    desk.edit("PAY-3")
    desk.later(1800)
    desk.edit("PAY-4")
    desk.later(1800)
    page = desk.do("GET", f"{DYNAMIC}/failed?maxResults=1")
    (one,) = page["values"]
    assert one["id"] == desk.receiver.got[0].headers["X-Atlassian-Webhook-Identifier"]
    assert json.loads(one["body"])["issue"]["key"] == "PAY-3"
    rest = desk.do("GET", urlsplit(page["next"]).path + "?" + urlsplit(page["next"]).query)["values"]
    assert [json.loads(two["body"])["issue"]["key"] for two in rest] == ["PAY-4"]
    desk.later(3 * 86400)
    assert desk.do("GET", f"{DYNAMIC}/failed") == {"values": [], "maxResults": 100}


@pytest.mark.shared
def test_what_apps_ask_and_are_answered_agrees_with_the_vendors_document(desk: Desk, jira_spec: Any) -> None:
    desk.register(PLAIN | {"fieldIdsFilter": ["summary"]}, kind="connect")
    desk.receiver.statuses = [500] * 6
    desk.edit()
    desk.later(1800)
    calls = [
        ("POST", DYNAMIC, {"url": desk.receiver.url, "webhooks": [PLAIN, {"jqlFilter": "x = 1", "events": []}]}, 200),
        ("POST", DYNAMIC, {"url": desk.receiver.url + "2", "webhooks": [PLAIN]}, 400),
        ("GET", f"{DYNAMIC}?startAt=0&maxResults=1", None, 200),
        ("PUT", f"{DYNAMIC}/refresh", {"webhookIds": [1, 2]}, 200),
        ("GET", f"{DYNAMIC}/failed?maxResults=5&after=0", None, 200),
        ("DELETE", DYNAMIC, {"webhookIds": [1, 2]}, 202),
    ]
    wrong: list[Any] = []
    for method, path, body, status in calls:
        answer = desk.ask(method, path, body)
        sent, target = answer.request, urlsplit(str(answer.request.url))
        name, operation, asked = jira_spec.check_request(
            method, f"{target.path}?{target.query}", dict(sent.headers), sent.body or b""
        )
        found = jira_spec.check_response(name, operation, answer.status_code, dict(answer.headers), answer.content)
        wrong += [(method, path, dict(one)) for one in [*asked, *found] if one["severity"] == "error"]
        wrong += [(method, path, answer.status_code, answer.text)] if answer.status_code != status else []
    assert wrong == []
