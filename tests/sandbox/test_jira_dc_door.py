"""The sandbox's Data Center mode lets people in, slows them down and switches as Data Center does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from pmosync.sandbox.jira import datacenter
from pmosync.sandbox.jira.datacenter import tokens


def myself(site: Any, **headers: str) -> requests.Response:
    return requests.get(site.api("/myself"), headers=headers, timeout=10)


def login(site: Any, name: str, password: str) -> requests.Response:
    return requests.get(site.api("/myself"), auth=(name, password), timeout=10)


def switch(site: Any, **switches: Any) -> None:
    site.control("POST", "switches", {"jira": switches})


def test_the_control_api_switches_the_mode_and_back_and_a_snapshot_keeps_it(site: Any) -> None:
    assert site.as_user().get(f"{site.url}/rest/api/3/serverInfo").json()["deploymentType"] == "Cloud"
    switch(site, deployment="data_center")
    info = requests.get(f"{site.url}/rest/api/2/serverInfo", timeout=10).json()
    assert (info["deploymentType"], info["version"], info["versionNumbers"]) == ("Server", "10.3.15", [10, 3, 15])
    kept = site.control("POST", "snapshot")
    switch(site, deployment="cloud", version="11.3.1")
    assert site.as_user().get(f"{site.url}/rest/api/3/myself").status_code == 200
    site.control("POST", "restore", kept)
    assert site.as_user().get(f"{site.url}/rest/api/3/myself").status_code == 404


def test_switching_twice_adds_no_field_twice_and_a_mode_that_is_not_there_is_refused(data_center: Any) -> None:
    before = data_center.as_user().get(data_center.api("/field")).json()
    datacenter.switch_on(data_center.server.app.state)
    assert data_center.as_user().get(data_center.api("/field")).json() == before
    body = {"jira": {"deployment": "server"}}
    answer = requests.post(f"{data_center.url}/__sandbox__/switches", json=body, timeout=10)
    assert answer.status_code == 400
    assert "cloud or data_center" in answer.json()["error"]


def test_a_personal_access_token_signs_in_as_a_bearer_and_an_unknown_one_does_not(data_center: Any) -> None:
    found = myself(data_center, Authorization="Bearer bot-token")
    assert (found.json()["name"], found.headers["X-AUSERNAME"], found.headers["X-Seraph-LoginReason"]) == (
        "bot", "bot", "OK",
    )  # fmt: skip
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        refused = myself(data_center, **headers)
        assert refused.status_code == 401
        message = "Client must be authenticated to access this resource."
        assert refused.json() == {"message": message, "status-code": 401}


def test_only_the_servers_own_description_is_open_to_everybody(data_center: Any) -> None:
    assert requests.get(data_center.api("/serverInfo"), timeout=10).status_code == 200
    assert requests.get(data_center.api("/field"), timeout=10).status_code == 401
    headers = {"Authorization": "Bearer wrong"}
    assert requests.get(data_center.api("/serverInfo"), headers=headers, timeout=10).status_code == 401


def test_a_password_signs_in_by_name_or_address_until_jira_11_refuses_it(data_center: Any) -> None:
    assert login(data_center, "ann", "ann-token").json()["name"] == "ann"
    assert login(data_center, "ann@acme.example", "ann-token").status_code == 200
    assert login(data_center, "bot", "ann-token").status_code == 401
    switch(data_center, basic_auth="refused", version="11.3.1")
    assert login(data_center, "ann", "ann-token").status_code == 401
    assert myself(data_center, Authorization="Bearer ann-token").status_code == 200


def test_the_third_wrong_password_locks_a_login_behind_a_captcha(data_center: Any) -> None:
    assert [login(data_center, "ann", "wrong").status_code for _ in range(3)] == [401, 401, 403]
    locked = login(data_center, "ann", "ann-token")
    assert locked.status_code == 403
    assert locked.headers["X-Authentication-Denied-Reason"].startswith("CAPTCHA_CHALLENGE")
    assert locked.headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
    assert myself(data_center, Authorization="Bearer ann-token").status_code == 200
    assert login(data_center, "bot", "bot-token").status_code == 200


def test_a_right_password_in_between_forgets_the_wrong_ones(data_center: Any) -> None:
    tried = ["wrong", "wrong", "ann-token", "wrong", "wrong", "ann-token"]
    assert [login(data_center, "ann", one).status_code for one in tried] == [401, 401, 200, 401, 401, 200]


def test_people_list_their_own_tokens_and_when_each_expires(data_center: Any) -> None:
    state = data_center.server.app.state
    begin, end = datetime(2026, 2, 1, 9, tzinfo=UTC), datetime(2026, 3, 12, 9, tzinfo=UTC)
    tokens.add(state, "u-bot", "nightly-token", "nightly", created_at=begin, expires_at=end)
    session = data_center.as_user(("", "nightly-token"))
    found = session.get(f"{data_center.url}/rest/pat/latest/tokens").json()
    assert found[1] == {
        "id": found[1]["id"], "name": "nightly", "createdAt": "2026-02-01T10:00:00.000+0100",
        "expiringAt": "2026-03-12T10:00:00.000+0100",
    }  # fmt: skip
    assert "expiringAt" not in found[0]
    data_center.control("POST", "clock", {"advance_s": 11 * 86400})
    assert session.get(data_center.api("/myself")).status_code == 401


def test_a_token_is_made_shown_once_and_revoked(data_center: Any) -> None:
    address, session = f"{data_center.url}/rest/pat/latest/tokens", data_center.as_user()
    assert session.post(address, json={"name": ""}).status_code == 400
    made = session.post(address, json={"name": "new", "expirationDuration": 90}).json()
    assert made["expiringAt"].startswith("2026-05-31T")
    assert "rawToken" not in str(session.get(address).json())
    other = data_center.as_user(("", made["rawToken"]))
    assert other.get(data_center.api("/myself")).json()["name"] == "bot"
    assert data_center.as_user(("", "ann-token")).delete(f"{address}/{made['id']}").status_code == 404
    assert session.delete(f"{address}/{made['id']}").status_code == 204
    assert other.get(data_center.api("/myself")).status_code == 401


def test_no_limits_are_told_until_they_are_switched_on(data_center: Any) -> None:
    assert not any("RateLimit" in name for name in myself(data_center, Authorization="Bearer bot-token").headers)


@pytest.mark.parametrize(("how", "wait"), [("exact", "3600"), ("zero", "0")])
def test_an_empty_bucket_answers_429_and_each_account_has_its_own(data_center: Any, how: str, wait: str) -> None:
    switch(data_center, rate_limit=2, rate_fill=1, rate_interval_s=3600, rate_retry_after=how)
    answers = [myself(data_center, Authorization="Bearer bot-token") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    told = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Interval-Seconds", "X-RateLimit-FillRate",
            "Retry-After")  # fmt: skip
    assert [answers[0].headers[name] for name in told] == ["2", "1", "3600", "1", "0"]
    assert [answers[2].headers[name] for name in told] == ["2", "0", "3600", "1", wait]
    assert answers[2].headers["Content-Type"].startswith("text/html")
    assert myself(data_center, Authorization="Bearer ann-token").status_code == 200


def test_a_bucket_fills_again(data_center: Any) -> None:
    switch(data_center, rate_limit=1, rate_fill=1, rate_interval_s=0.001)
    assert [myself(data_center, Authorization="Bearer bot-token").status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.slow
def test_the_verb_starts_a_site_as_data_center() -> None:
    verb = "import sys; from pmosync.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", verb, "sandbox", "--jira", "data-center", "--as-of", "2026-03-02"]
    # the verb starts a process of its own, which tells its address on the first line
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        try:
            headers = {"Authorization": "Bearer sandbox-jira-token"}
            assert requests.get(f"{url}/rest/api/2/myself", headers=headers, timeout=10).json()["name"] == "pmo-bot"
            assert requests.get(f"{url}/rest/api/3/myself", headers=headers, timeout=10).status_code == 404
            query = {"jql": "'Epic Link' is not EMPTY", "maxResults": "1"}
            found = requests.get(f"{url}/rest/api/2/search", params=query, headers=headers, timeout=10).json()
            assert found["total"] > 100
            (issue,) = found["issues"]
            assert set(issue["fields"]) >= {"summary", "customfield_10020", "customfield_10100"}
        finally:
            requests.post(f"{url}/__sandbox__/stop", timeout=10)
