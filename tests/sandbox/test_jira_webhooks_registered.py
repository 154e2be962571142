"""Webhooks of the sandbox's Jira are registered by administrators, on Cloud and on Data Center; none costs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from pmosync.sandbox.jira.webhooks import sending, tables

from .webhook_desk import LINK, NEW, OLD, ROOT, SECRET, TASK, TEXT, Desk, Receiver, at_desk, bearer, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def desk(site: Any, receiver: Receiver) -> Desk:
    return at_desk(site, receiver)


def test_only_who_administers_jira_sees_and_changes_webhooks(desk: Desk) -> None:
    path = urlsplit(desk.hook()["self"]).path
    someone = ("ann@acme.example", "ann-token")
    for method, where in (("GET", OLD), ("POST", OLD), ("GET", path), ("PUT", path), ("DELETE", path)):
        assert desk.ask(method, where, {"name": "x"}, someone).status_code == 403
    assert desk.ask("GET", path, None, ("root@acme.example", "wrong")).status_code == 401
    assert desk.ask("GET", f"{OLD}/77").status_code == 404


def test_a_secret_is_taken_and_never_shown_again(desk: Desk) -> None:
    made = desk.hook("jira:issue_updated")
    path = urlsplit(made["self"]).path
    desk.edit()
    desk.wait()
    shown = [made, desk.do("GET", OLD), desk.do("GET", path), desk.do("PUT", path, {"name": "Renamed"}), desk.log()]
    shown += [desk.site.control("GET", "state"), desk.site.control("GET", "requests")]
    signature = desk.receiver.got[0].headers["X-Hub-Signature"]
    assert all(SECRET not in json.dumps(one) and signature not in json.dumps(one) for one in shown)
    assert desk.do("GET", path) | {"lastUpdated": 0} == {
        "name": "Renamed", "url": desk.receiver.url, "excludeBody": False, "filters": {}, "enabled": True,
        "events": ["jira:issue_updated"], "self": made["self"], "lastUpdatedUser": "u-root", "isSigned": True,
        "lastUpdatedDisplayName": "Root", "lastUpdated": 0,
    }  # fmt: skip
    desk.edit("PAY-4")
    desk.wait()
    assert "X-Hub-Signature" in desk.receiver.got[1].headers, "a change that names no secret keeps it"
    assert desk.do("PUT", path, {"secret": ""})["isSigned"] is False
    desk.edit("PAY-5")
    desk.wait()
    assert "X-Hub-Signature" not in desk.receiver.got[2].headers


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "https://hooks.example/jira"}, "http://127.0.0.1:8080/jira"),
        ({"url": "http://192.0.2.7/jira"}, "this machine only"),
        ({"url": "https://127.0.0.1:8080/jira"}, "this machine only"),
        ({"url": "http://127.0.0.1.example/"}, "this machine only"),
        ({"url": "nonsense"}, "this machine only"),
        ({"events": ["jira:issue_exploded"]}, "There is no event 'jira:issue_exploded'."),
        ({"events": []}, "at least one event"),
        ({"name": " "}, "A webhook needs a name."),
        ({"filters": {"issue-related-events-section": "project = NOPE"}}, "NOPE"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_with_the_reason(desk: Desk, given: dict[str, Any], told: str) -> None:
    wanted = {"name": "PMO", "url": desk.receiver.url, "events": ["jira:issue_updated"]} | given
    answer = desk.ask("POST", OLD, wanted)
    assert answer.status_code == 400
    assert told in answer.text
    assert desk.do("GET", OLD) == []


def test_jql_lets_through_what_it_finds_and_a_deleted_issue_as_it_was(desk: Desk) -> None:
    jql = 'project = PAY AND status = "To Do" AND labels = watched'
    events = ("jira:issue_updated", "jira:issue_deleted", "comment_created", "issuelink_created")
    desk.hook(*events, filters={"issue-related-events-section": jql})
    desk.edit("OPS-1")
    desk.edit("PAY-2")
    desk.do("PUT", "/rest/api/3/issue/PAY-2", {"update": {"labels": [{"add": "watched"}]}})
    desk.do("POST", "/rest/api/3/issue/PAY-2/comment", {"body": TEXT})
    desk.do("POST", "/rest/api/3/issue/PAY-3/comment", {"body": TEXT})
    desk.do("DELETE", "/rest/api/3/issue/PAY-2")
    desk.do("DELETE", "/rest/api/3/issue/PAY-4")
    desk.do("POST", "/rest/api/3/issueLink", LINK | {"outwardIssue": {"key": "PAY-5"}})
    desk.wait()
    assert desk.receiver.names == ["jira:issue_updated", "comment_created", "jira:issue_deleted", "issuelink_created"]


def test_without_a_webhook_nothing_is_noticed(desk: Desk) -> None:
    state = desk.site.server.app.state
    triggers = "SELECT count(*) FROM sqlite_temp_master WHERE type = 'trigger'"
    desk.edit()
    assert state.tuples(triggers) == [(0,)]
    path = urlsplit(desk.hook()["self"]).path
    desk.edit("PAY-4")
    desk.wait()
    assert state.tuples(triggers)[0][0] > 10
    assert state.tuples("SELECT count(*) FROM temp.webhook_raw") == [(0,)], "what was noticed is kept no longer"
    desk.do("PUT", path, {"enabled": False})
    desk.edit("PAY-5")
    assert state.tuples(triggers) == [(0,)]
    desk.do("PUT", path, {"enabled": True})
    desk.do("DELETE", path)
    desk.edit("PAY-6")
    desk.wait()
    assert state.tuples(triggers) == [(0,)]
    assert [one.body["issue"]["key"] for one in desk.receiver.got] == ["PAY-4"]


def test_a_restored_snapshot_has_the_webhooks_it_was_taken_with(desk: Desk) -> None:
    before = desk.site.control("POST", "snapshot")["id"]
    desk.hook("jira:issue_updated")
    after = desk.site.control("POST", "snapshot")["id"]
    desk.site.control("POST", "restore", {"id": before})
    desk.edit()
    desk.site.control("POST", "restore", {"id": after})
    desk.edit("PAY-4")
    desk.wait()
    assert [one.body["issue"]["key"] for one in desk.receiver.got] == ["PAY-4"]


@pytest.fixture
def centre(desk: Desk, data_center: Any) -> Desk:
    desk.site = data_center
    return desk


def test_data_center_tells_in_its_own_shapes(centre: Desk) -> None:
    hook = {"name": "PMO", "url": centre.receiver.url, "events": tables.FOR_ADMINS,
            "configuration": {"SECRET": SECRET, "FILTERS": "project = PAY"}}  # fmt: skip
    made = bearer(centre, NEW, method="POST", json=hook)
    shown = {"EXCLUDE_BODY": "false", "FILTERS": "project = PAY"}
    assert (made.status_code, made.json()["configuration"]) == (201, shown)
    issue = "/rest/api/2/issue/PAY-3"
    bearer(centre, issue, method="PUT", json={"fields": {"summary": "Edited"}})
    bearer(centre, issue.replace("PAY", "OPS"), method="PUT", json={"fields": {"summary": "Edited"}})
    bearer(centre, f"{issue}/comment", method="POST", json={"body": "Seen"})
    bearer(centre, "/rest/api/2/issue", method="POST", json={"fields": TASK}).raise_for_status()
    centre.wait()
    edited, comment, commented, created = centre.receiver.got
    assert all("fieldId" not in item for item in created.body["changelog"]["items"])
    assert "summary" in [item["field"] for item in created.body["changelog"]["items"]]
    assert edited.headers["X-Hub-Signature"] == sending.signature(SECRET, edited.raw)
    assert (edited.body["user"]["name"], edited.body["user"]["emailAddress"]) == ("root", ROOT[0])
    assert "accountId" not in edited.raw.decode()
    assert edited.body["changelog"]["items"][0].keys() == {"field", "fieldtype", "from", "fromString", "to", "toString"}
    assert edited.body["issue"]["fields"]["updated"].endswith("+0100"), "instants are in the system's zone"
    assert comment.body.keys() == {"timestamp", "webhookEvent", "comment"}
    assert (commented.name, commented.body["issue_event_type_name"]) == ("jira:issue_updated", "issue_commented")
    assert commented.body["comment"]["body"] == "Seen"


def test_data_center_10_overlooks_jql_and_secret_where_older_ones_had_them(centre: Desk) -> None:
    hook = {"name": "PMO", "url": centre.receiver.url, "events": ["jira:issue_updated"], "secret": SECRET,
            "filters": {"issue-related-events-section": "project = PAY"}}  # fmt: skip
    new = bearer(centre, NEW, method="POST", json=hook).json()
    bearer(centre, "/rest/api/2/issue/OPS-1", method="PUT", json={"fields": {"summary": "Edited"}})
    centre.wait()
    (got,) = centre.receiver.got
    assert "X-Hub-Signature" not in got.headers
    assert bearer(centre, f"{NEW}/{new['id']}", method="DELETE").status_code == 204
    old = bearer(centre, OLD, method="POST", json=hook).json()
    assert (old["isSigned"], old["filters"]) == (True, hook["filters"])


@pytest.mark.parametrize(("paths", "there"), [("both", (200, 200)), ("new", (404, 200)), ("old", (200, 404)),
                                              ("none", (404, 404))])  # fmt: skip
def test_data_center_has_webhooks_where_a_switch_says(centre: Desk, paths: str, there: tuple[int, int]) -> None:
    centre.site.control("POST", "switches", {"jira": {"webhook_paths": paths}})
    assert (bearer(centre, OLD).status_code, bearer(centre, NEW).status_code) == there


def test_each_kind_of_site_has_its_own_paths(desk: Desk, receiver: Receiver) -> None:
    assert desk.ask("GET", NEW).status_code == 404
    desk.site.control("POST", "switches", {"jira": {"deployment": "data_center"}})
    assert bearer(desk, "/rest/api/2/webhook").status_code == 404
