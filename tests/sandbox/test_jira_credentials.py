"""Tokens of the sandbox's Jira: scoped and OAuth ones are good at the gateway only, for their scopes, for a time."""

from __future__ import annotations

from typing import Any

import pytest
import requests

EMAIL = "bot@acme.example"
SCOPES = ["read:jira-work", "write:jira-work"]


def order(site: Any, **wanted: Any) -> Any:
    return site.control("POST", "jira", wanted)


@pytest.fixture
def gateway(site: Any) -> str:
    """The address of the API at the gateway."""
    cloud_id = requests.get(f"{site.url}/_edge/tenant_info", timeout=10).json()["cloudId"]
    return f"{site.url}/ex/jira/{cloud_id}/rest/api/3"


@pytest.fixture
def scoped(site: Any) -> tuple[str, str]:
    order(site, add_scoped_token={"user": "u-bot", "token": "scoped", "granted": SCOPES})
    return EMAIL, "scoped"


def get(url: str, auth: Any = None, bearer: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return requests.get(url, auth=auth, headers=headers, timeout=10)


def exchange(site: Any, token: str, **more: Any) -> Any:
    body = {"grant_type": "refresh_token", "client_id": "client", "client_secret": "client-secret"}
    return requests.post(f"{site.url}/oauth/token", json=body | {"refresh_token": token} | more, timeout=10)


def pair(site: Any) -> dict[str, str]:
    found: dict[str, str] = order(site, add_app={"user": "u-bot", "granted": [*SCOPES, "offline_access"]})["add_app"]
    return found


def test_a_scoped_token_is_good_at_the_gateway_and_not_at_the_site(site: Any, gateway: str, scoped: Any) -> None:
    assert get(site.api("/issue/PAY-3"), scoped).status_code == 401
    found = get(f"{gateway}/issue/PAY-3", scoped)
    assert found.status_code == 200
    assert found.json()["self"] == f"{gateway}/issue/10003"
    assert get(f"{gateway}/issue/PAY-3", bearer="scoped").status_code == 200
    assert get(f"{gateway}/issue/PAY-3", ("ann@acme.example", "scoped")).status_code == 401
    assert get(f"{gateway}/issue/PAY-3", (EMAIL, "bot-token")).status_code == 200
    assert get(f"{gateway}/serverInfo", scoped).json()["baseUrl"] == site.url
    counted = site.control("GET", "requests")["by_endpoint"]
    assert counted["GET /rest/api/3/issue/{issueIdOrKey}"] == 5


def test_a_wrong_cloud_id_is_not_found(site: Any, scoped: Any) -> None:
    assert get(f"{site.url}/ex/jira/another/rest/api/3/issue/PAY-3", scoped).status_code == 404


@pytest.mark.parametrize(
    ("granted", "path", "status"),
    [
        (["read:jira-work"], "/issue/PAY-3", 200),
        (["read:issue:jira"], "/issue/PAY-3", 200),
        (["read:jira-user"], "/issue/PAY-3", 401),
        (["read:jira-work"], "/myself", 401),
        (["read:jira-user"], "/myself", 200),
        (["read:jira-work"], "/../../agile/1.0/board", 401),
        (["read:board-scope:jira-software"], "/../../agile/1.0/board", 200),
    ],
)
def test_a_call_needs_its_scope(site: Any, gateway: str, granted: list[str], path: str, status: int) -> None:
    order(site, add_scoped_token={"user": "u-bot", "token": "t", "granted": granted})
    answer = get(f"{gateway}{path}".replace("/api/3/../..", ""), (EMAIL, "t"))
    assert answer.status_code == status
    assert ("scope does not match" in answer.text) is (status == 401)


def test_a_reading_token_writes_nothing(site: Any, gateway: str) -> None:
    order(site, add_scoped_token={"user": "u-bot", "token": "t", "granted": ["read:jira-work"]})
    body = {"update": {"labels": [{"add": "x"}]}}
    assert requests.put(f"{gateway}/issue/PAY-3", json=body, auth=(EMAIL, "t"), timeout=10).status_code == 401
    search = requests.post(f"{gateway}/search/jql", json={"jql": "project = PAY"}, auth=(EMAIL, "t"), timeout=10)
    assert search.status_code == 200
    assert site.control("GET", "changes") == []


def test_an_access_token_ends_after_an_hour_and_names_its_sites(site: Any, gateway: str) -> None:
    tokens = pair(site)
    sites = get(f"{site.url}/oauth/token/accessible-resources", bearer=tokens["access_token"]).json()
    assert (f"/{sites[0]['id']}/" in gateway, sites[0]["url"], sites[0]["scopes"]) == (True, site.url, SCOPES)
    assert get(f"{gateway}/issue/PAY-3", bearer=tokens["access_token"]).status_code == 200
    assert get(site.api("/issue/PAY-3"), bearer=tokens["access_token"]).status_code == 401
    site.control("POST", "clock", {"advance_s": 3601})
    assert get(f"{gateway}/issue/PAY-3", bearer=tokens["access_token"]).status_code == 401
    assert get(f"{site.url}/oauth/token/accessible-resources", bearer=tokens["access_token"]).status_code == 401


def test_a_refresh_token_is_good_once_and_gives_the_next(site: Any, gateway: str) -> None:
    first = pair(site)
    second = exchange(site, first["refresh_token"]).json()
    assert second["expires_in"] == 3600
    assert get(f"{gateway}/issue/PAY-3", bearer=second["access_token"]).status_code == 200
    again = exchange(site, first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")
    assert exchange(site, second["refresh_token"], client_secret="wrong").status_code == 401
    assert exchange(site, second["refresh_token"]).status_code == 200
    assert exchange(site, "nonsense").status_code == 403
    assert exchange(site, "nonsense", grant_type="password").status_code == 400
    assert site.control("GET", "requests")["writes"] == 0


def test_a_refresh_token_may_have_a_leeway_and_ends_when_nobody_uses_it(site: Any) -> None:
    site.control("POST", "switches", {"jira": {"refresh_leeway_s": 60}})
    first = pair(site)
    assert [exchange(site, first["refresh_token"]).status_code for _ in range(2)] == [200, 200]
    site.control("POST", "clock", {"advance_s": 61})
    assert exchange(site, first["refresh_token"]).status_code == 403
    second = pair(site)
    site.control("POST", "clock", {"advance_s": 91 * 24 * 3600})
    assert exchange(site, second["refresh_token"]).status_code == 403


def test_points_are_those_of_the_app_and_not_of_the_token(site: Any, gateway: str, scoped: Any) -> None:
    tokens = pair(site)
    site.control("POST", "limits", {"jira_points": 1})
    statuses = [get(f"{gateway}/issue/PAY-3", bearer=tokens["access_token"]).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert get(f"{gateway}/issue/PAY-3", scoped).status_code == 200


def test_a_board_tells_what_it_estimates_by(site: Any) -> None:
    order(site, add_board=[
        {"name": "Team", "project_key": "PAY", "estimation": "customfield_10016"},
        {"name": "Flow", "project_key": "PAY", "kind": "kanban"}, {"name": "Plain", "project_key": "PAY"},
    ])  # fmt: skip
    found = [
        site.as_user().get(f"{site.url}/rest/agile/1.0/board/{number}/configuration").json() for number in (1, 2, 3)
    ]
    assert found[0]["estimation"]["field"]["fieldId"] == "customfield_10016"
    assert ("estimation" in found[1], found[2]["estimation"]) == (False, {"type": "issueCount"})
    assert [one["name"] for one in found[0]["columnConfig"]["columns"]] == ["To Do", "In Progress", "Done"]
