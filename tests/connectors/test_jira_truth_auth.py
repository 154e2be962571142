"""Signing in to a Jira that answers as Jira does: at the gateway, with tokens that rotate, end, or lack a scope."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.conftest import JiraDesk, QuickTime

import pmosync_jira
from pmosync.config.secrets import rotating
from pmosync.contract import Scope
from pmosync.errors import Unauthorized
from pmosync.http import Limiter, PoliteSession

CLOUD_ID = "11223344-a1b2-4b33-8444-def123456789"
BOT, EMAIL = "712020:00000000-0000-4000-8000-000000000000", "pmo-bot@acme.example"
SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user", "manage:jira-project"]
FLAG = '{"findings":[{"standard":"DAT101"}],"severity":"high"}'
GRANT = "POST /oauth/token"


class Gate:
    """The sandbox's gateway, and connectors that come through it."""

    def __init__(self, sandbox: Any, folder: Path) -> None:
        self.sandbox, self.file = sandbox, folder / "refresh"
        self.address = f"{sandbox.url}/ex/jira/{CLOUD_ID}"

    def clock(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.sandbox.control("POST", "clock", {"advance_s": 0})["now"])

    def switch(self, **switches: Any) -> None:
        self.sandbox.control("POST", "switches", {"jira": switches})

    def consent(self) -> None:
        """Somebody gives the app leave; what it gets stands in the file."""
        order = {"add_app": {"user": BOT, "granted": [*SCOPES, "offline_access"]}}
        self.file.write_text(self.sandbox.control("POST", "jira", order)["add_app"]["refresh_token"])

    def scoped(self, *granted: str) -> dict[str, str]:
        order = {"add_scoped_token": {"user": BOT, "token": "scoped", "granted": list(granted)}}
        self.sandbox.control("POST", "jira", order)
        return {"user": EMAIL, "token": "scoped"}

    def app(self) -> JiraDesk:
        kept = rotating(f"file:{self.file}", Path(), "")
        secret = {"client_id": "client", "client_secret": "client-secret"}
        oauth = secret | {"refresh_token": kept, "token_url": f"{self.sandbox.url}/oauth/token"}
        return self.open({"oauth": oauth})

    def open(self, auth: Any, address: str = "") -> JiraDesk:
        url, quick = address or self.address, QuickTime()
        settings = pmosync_jira.Settings.model_validate({"base_url": url, "auth": auth, "deployment": "cloud"})
        limiter = Limiter(pmosync_jira.limits(settings), quick.monotonic, quick.sleep)
        session = PoliteSession(
            url, pmosync_jira.ENDPOINTS, limiter, monotonic=quick.monotonic, sleep=quick.sleep, now=self.clock
        )
        scope = Scope(projects=("PAY",), fields=("summary", "labels"), slots=("property", "label"))
        return JiraDesk(url, session, pmosync_jira.open(settings, session, self.clock), scope)

    def asked(self, template: str) -> int:
        return int(self.sandbox.requests()["by_endpoint"].get(template, 0))

    def answered(self, status: int) -> list[str]:
        return [row["template"] for row in self.sandbox.requests()["log"] if row["status"] == status]


@pytest.fixture
def gate(sandbox: Any, tmp_path: Path) -> Gate:
    return Gate(sandbox, tmp_path)


def during(desk: JiraDesk, path: str, deed: Callable[[], Any]) -> None:
    """Let something happen once, after the first call of a path."""
    plain, left = desk.session.call, [deed]

    def call(method: str, template: str, **options: Any) -> Any:
        answer = plain(method, template, **options)
        if template.endswith(path) and left:
            left.pop()()
        return answer

    desk.session.call = call  # type: ignore[method-assign]


# --- an app -----------------------------------------------------------------------------------------------------------


def test_an_app_pulls_and_writes_through_the_gateway_and_keeps_its_new_refresh_token(gate: Gate) -> None:
    gate.consent()
    first, desk = gate.file.read_text(), gate.app()
    desk.pull()
    assert len(desk.tasks_of("PAY")) > 50
    assert desk.by_key("PAY-7").url == f"{gate.sandbox.url}/browse/PAY-7", "people go to the site, not to the gateway"
    assert [one.fate for one in desk.connector.push([desk.change("PAY-7", "property", FLAG)])] == ["done"]
    assert gate.file.read_text().strip() != first
    assert (gate.asked(GRANT), gate.answered(401)) == (1, [])
    again = gate.app()
    again.pull()
    assert again.by_key("PAY-7").marks["property"] == FLAG


def test_an_access_token_that_ends_during_a_pull_is_renewed_and_nothing_is_missing(gate: Gate) -> None:
    gate.consent()
    desk = gate.app()
    during(desk, "/search/jql", lambda: gate.sandbox.advance(3700))
    batches = desk.pull()
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    assert len(desk.tasks_of("PAY")) > 50
    assert (gate.asked(GRANT), gate.answered(401)) == (2, [])


def test_an_access_token_that_ends_earlier_than_it_said_is_renewed_after_one_refusal(gate: Gate) -> None:
    gate.consent()
    desk = gate.app()
    desk.pull()
    gate.switch(access_token_s=3600)
    desk.session.auth._ends_at += dt.timedelta(days=1)  # as if Jira had promised more than it kept
    gate.sandbox.advance(3700)
    desk.pull(desk.cursor)
    assert (gate.asked(GRANT), len(gate.answered(401))) == (2, 1)


def test_two_connectors_with_one_file_of_a_token_renew_it_one_after_the_other(gate: Gate) -> None:
    gate.consent()
    desks = [gate.app(), gate.app()]
    for _ in range(2):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda desk: desk.pull(), desks))
        gate.sandbox.advance(3700)
    assert (gate.asked(GRANT), gate.answered(403), gate.answered(401)) == (4, [], [])
    assert all(len(desk.tasks_of("PAY")) > 50 for desk in desks)


@pytest.mark.parametrize("leeway_s", [600, 0])
def test_a_run_that_was_killed_between_the_answer_and_the_disk(gate: Gate, leeway_s: float) -> None:
    gate.switch(refresh_leeway_s=leeway_s)
    gate.consent()
    shutil.copy(gate.file, gate.file.with_suffix(".old"))
    gate.app().pull()
    shutil.copy(gate.file.with_suffix(".old"), gate.file)  # the new one never got to the disk
    gate.sandbox.advance(60)
    desk = gate.app()
    if leeway_s:
        desk.pull()
        assert len(desk.tasks_of("PAY")) > 50
        return
    asked = gate.asked(GRANT)
    for _ in range(2):
        with pytest.raises(Unauthorized, match="Authorize the app anew with the scope offline_access"):
            desk.pull()
    assert gate.asked(GRANT) == asked + 1, "a token that is used up is not tried again"


# --- tokens with scopes -----------------------------------------------------------------------------------------------


def test_a_scoped_token_at_the_sites_own_address_is_refused_once(gate: Gate) -> None:
    desk = gate.open(gate.scoped(*SCOPES), gate.sandbox.url)
    for _ in range(2):
        with pytest.raises(Unauthorized):
            desk.pull()
    assert len(gate.answered(401)) == 1


@pytest.mark.parametrize("bearer", [False, True])
def test_a_scoped_token_and_a_service_accounts_are_taken_at_the_gateway(gate: Gate, bearer: bool) -> None:
    auth = gate.scoped(*SCOPES)
    desk = gate.open({"token": auth["token"]} if bearer else auth)
    desk.pull()
    assert len(desk.tasks_of("PAY")) > 50
    marks = [desk.change("PAY-7", "property", FLAG), desk.change("PAY-7", "label", "high")]
    assert {one.fate for one in desk.connector.push(marks)} == {"done"}


def test_a_token_that_may_only_read_has_each_write_refused_with_what_it_lacks(gate: Gate) -> None:
    desk = gate.open(gate.scoped("read:jira-work", "read:jira-user"))
    desk.pull()
    receipts = list(desk.connector.push([desk.change("PAY-7", "property", FLAG)]))
    assert [one.fate for one in receipts] == ["refused"]
    assert "lacks a scope" in receipts[0].why
    assert len(gate.answered(401)) == 1, "a refusal is not tried again"
    desk.pull(desk.cursor)


def test_without_the_scope_for_people_they_alone_are_unobserved(gate: Gate) -> None:
    desk = gate.open(gate.scoped("read:jira-work", "write:jira-work"))
    batches = desk.pull()
    assert {scope for b in batches if b.state == "unobserved" for scope in b.scopes} == {"people"}
    assert len(desk.tasks_of("PAY")) > 50


# --- refusals and limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_call_is_made_once(sandbox: Any, jira: Any, status: int) -> None:
    jira.pull()
    sandbox.forget_requests()
    sandbox.fault({"kind": "status", "status": status, "times": None, "match": {"write": True}})
    change = jira.change("PAY-7", "property", FLAG)
    if status == 401:
        with pytest.raises(Unauthorized):
            list(jira.connector.push([change]))
    else:
        assert [one.fate for one in jira.connector.push([change])] == ["refused"]
    assert sandbox.requests()["writes"] == 1


def test_writes_of_one_issue_that_come_too_fast_are_waited_for_and_all_are_done(sandbox: Any, jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, projects=("PAY",))
    jira.pull()
    sandbox.fault(
        {"kind": "status", "status": 429, "times": 2, "match": {"path": f"/issue/{jira.by_key('PAY-7').id}/"},
         "headers": {"Retry-After": "30", "RateLimit-Reason": "jira-per-issue-on-write"}}
    )  # fmt: skip
    changes = [jira.change(f"PAY-{number}", "property", FLAG) for number in range(5, 12)]
    assert {one.fate for one in jira.connector.push(changes)} == {"done"}
    log = [row["status"] for row in sandbox.requests()["log"] if row["write"]]
    assert (log.count(429), len(log)) == (2, 9)
    assert log[-1] != 429
    assert jira.session._monotonic() >= 60, "each refusal is waited for as long as it says"


def test_a_first_pull_and_its_writes_pass_under_the_documented_limits(sandbox: Any, jira: Any) -> None:
    sandbox.control("POST", "limits", {"jira_documented": True})
    try:
        jira.scope = dataclasses.replace(jira.scope, projects=("PAY", "PLAT"))
        jira.pull()
        keys = [record.key for record in jira.tasks_of("PAY")]
        changes = [
            jira.change(key, slot, mark) for key in keys for slot, mark in (("label", "high"), ("property", FLAG))
        ]
        receipts = list(jira.connector.push(changes))
    finally:
        sandbox.control("POST", "limits", {})
    assert {one.fate for one in receipts} == {"done"}
    refused = [row for row in sandbox.requests()["log"] if row["status"] == 429]
    assert len(refused) <= 3
