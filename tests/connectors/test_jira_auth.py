"""Every way to sign in to Jira: what the configuration may say, what is sent where, and what a refusal says."""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from tests.conftest import Sandbox
from tests.connectors.conftest import QuickTime

import pmosync_jira
from pmosync.config import expiry_note, load, open_connector
from pmosync.config.secrets import rotating
from pmosync.errors import Misconfigured, Unauthorized, Unavailable
from pmosync.http import Limiter, PoliteSession

CLOUD_ID = "1324a887-45db-1bf4-1e99-ef0ff456d421"
SITE = "https://acme.atlassian.net"
GATEWAY = f"https://api.atlassian.com/ex/jira/{CLOUD_ID}"
CENTER = "https://jira.acme.example"
TOKEN_URL = "https://auth.atlassian.com/oauth/token"
BASIC = "Basic " + base64.b64encode(b"bot@acme.example:t-1").decode()
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ME = "/rest/api/3/myself"


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> dt.datetime:
        return self.at

    def passes(self, **length: float) -> None:
        self.at += dt.timedelta(**length)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def site() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def signed_in(base_url: str, auth: Any, now: Callable[[], dt.datetime], **keys: Any) -> PoliteSession:
    """A session of a Jira site after its connector was opened."""
    settings = pmosync_jira.Settings.model_validate({"base_url": base_url, "auth": auth, **keys})
    quick = QuickTime()
    limiter = Limiter(pmosync_jira.limits(settings), quick.monotonic, quick.sleep)
    session = PoliteSession(
        base_url, pmosync_jira.ENDPOINTS, limiter, monotonic=quick.monotonic, sleep=quick.sleep, now=now
    )
    pmosync_jira.open(settings, session, now)
    return session


# --- what the configuration may say -----------------------------------------------------------------------------------

CONFIG = """\
organisation: Acme
timezone: Europe/Berlin
sites:
  acme-jira:
    connector: jira
    base_url: {base_url}
    auth: {auth}
    mapping: m.yaml
"""


@pytest.mark.parametrize(
    ("base_url", "auth", "told"),
    [
        (SITE, "{user: bot@acme.example, tokn: env:T}", ["unknown key 'tokn'", "did you mean 'token'?", ":7:"]),
        (SITE, "{user: bot@acme.example}", ["auth.token is missing", ":7:"]),
        (SITE, "{user: bot@acme.example, password: env:T}", ["takes no password", "{user: ..., token: ...}"]),
        (SITE, "{}", ["not said how to sign in", "personal access token", "oauth"]),
        (
            SITE,
            "{token: env:T}",
            ["a token without a user", "api.atlassian.com/ex/jira/<cloud id>", "/_edge/tenant_info"],
        ),
        (CENTER, "{token: env:T, oauth: {client_id: a}}", ["'oauth' and 'token' are two ways to sign in"]),
        (GATEWAY, "{client_id: a, client_secret: env:T}", ["'client_id' belongs below 'oauth'"]),
        (GATEWAY, "{oauth: {client_id: a, client_secret: env:T}}", ["auth.oauth.refresh_token is missing"]),
        (
            SITE,
            "{oauth: {client_id: a, client_secret: env:T, refresh_token: file:r}}",
            ["an app does not sign in at a site's own address", "write base_url: https://api.atlassian.com/ex/jira/"],
        ),
        (
            GATEWAY,
            "{oauth: {client_id: a, client_secret: env:T, refresh_token: file:r, token_url: http://evil.example/t}}",
            ["secrets travel unprotected there"],
        ),
        (GATEWAY, "{token: env:T, expires_on: soon}", ["auth.expires_on", "date"]),
    ],
)
def test_a_mistake_in_the_way_to_sign_in_is_told_with_its_line_and_the_fix(
    tmp_path: Path, base_url: str, auth: str, told: list[str]
) -> None:
    path = tmp_path / "pmosync.yaml"
    path.write_text(CONFIG.format(base_url=base_url, auth=auth))
    with pytest.raises(Misconfigured) as caught:
        load(path, {"T": "hush-hush"})
    text = str(caught.value)
    assert [part for part in told if part not in text] == []
    assert "hush-hush" not in text


@pytest.mark.parametrize("key", ["auth: ATATT3xFfGF0", "auth: {token: ATATT3xFfGF0}"])
def test_a_token_that_is_written_out_is_refused_and_the_usual_way_is_shown(tmp_path: Path, key: str) -> None:
    path = tmp_path / "pmosync.yaml"
    path.write_text(CONFIG.format(base_url=CENTER, auth="X").replace("auth: X", key))
    with pytest.raises(Misconfigured, match="token: env:NAME") as caught:
        load(path, {})
    assert "ATATT3xFfGF0" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "auth", "header"),
    [
        (SITE, {"user": "bot@acme.example", "token": "t-1"}, BASIC),
        (GATEWAY, {"user": "bot@acme.example", "token": "t-1"}, BASIC),
        (GATEWAY, {"token": "t-1"}, "Bearer t-1"),
        (CENTER, {"token": "t-1"}, "Bearer t-1"),
        (CENTER, {"user": "bött", "token": "t-1"}, "Basic " + base64.b64encode("bött:t-1".encode()).decode()),
    ],
    ids=["api token", "scoped token", "service account", "personal access token", "a name with an umlaut"],
)
def test_each_way_sends_its_own_header(
    now: Now, site: responses.RequestsMock, base_url: str, auth: dict[str, str], header: str
) -> None:
    site.get(base_url + ME, json={})
    session = signed_in(base_url, auth, now)
    session.call("GET", ME)
    assert site.calls[0].request.headers["Authorization"] == header
    for secret in (auth["token"], header.partition(" ")[2]):
        assert secret not in session.hidden(f"what is {secret}?")


# --- what a refusal says ----------------------------------------------------------------------------------------------


def refusal(session: PoliteSession) -> str:
    with pytest.raises(Unauthorized) as caught:
        session.call("GET", ME)
    return str(caught.value)


def test_a_token_with_scopes_at_the_sites_address_is_told_the_whole_address_to_write(
    now: Now, site: responses.RequestsMock
) -> None:
    site.get(SITE + ME, status=401, body="Client must be authenticated to access this resource.")
    site.get(f"{SITE}/_edge/tenant_info", json={"cloudId": CLOUD_ID})
    session = signed_in(SITE, {"user": "bot@acme.example", "token": "t-1"}, now)
    told = refusal(session)
    assert f"If the token has scopes or is a service account's, write base_url: {GATEWAY}" in told
    assert [call.request.headers.get("Authorization") for call in site.calls][1:] == [None], "asked without credentials"
    assert refusal(session) == told
    assert len(site.calls) == 2, "nothing more is sent"


def test_where_the_cloud_id_cannot_be_asked_for_the_message_says_where_it_stands(
    now: Now, site: responses.RequestsMock
) -> None:
    site.get(SITE + ME, status=401)
    site.get(f"{SITE}/_edge/tenant_info", status=404)
    told = refusal(signed_in(SITE, {"user": "bot@acme.example", "token": "t-1"}, now))
    assert (
        f"https://api.atlassian.com/ex/jira/<cloud id>, where the cloud id stands in {SITE}/_edge/tenant_info" in told
    )


@pytest.mark.parametrize(
    ("base_url", "auth", "told"),
    [
        (GATEWAY, {"token": "t-1"}, "that the cloud id in base_url is the one of its site"),
        (CENTER, {"token": "t-1"}, "The personal access token may be expired or revoked"),
        (CENTER, {"user": "bot", "token": "t-1"}, "which names no user: auth: {token: ...}"),
    ],
)
def test_each_way_has_its_own_next_step(
    now: Now, site: responses.RequestsMock, base_url: str, auth: dict[str, str], told: str
) -> None:
    site.get(base_url + ME, status=401)
    assert told in refusal(signed_in(base_url, auth, now))
    assert len(site.calls) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_captcha_stops_at_once_and_says_who_has_to_sign_in(
    now: Now, site: responses.RequestsMock, status: int
) -> None:
    headers = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://acme.example/login.jsp"}
    site.get(SITE + ME, status=status, headers=headers)
    session = signed_in(SITE, {"user": "bot@acme.example", "token": "t-1"}, now)
    told = refusal(session)
    assert "CAPTCHA_CHALLENGE" in told
    assert "Sign in once in a browser as bot@acme.example and solve the CAPTCHA there" in told
    refusal(session)
    assert len(site.calls) == 1


def test_an_empty_list_for_nobody_in_particular_is_a_refusal_and_no_list(
    now: Now, site: responses.RequestsMock
) -> None:
    site.get(SITE + ME, json=[], headers={"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"})
    site.get(f"{SITE}/_edge/tenant_info", json={"cloudId": CLOUD_ID})
    assert "AUTHENTICATED_FAILED" in refusal(signed_in(SITE, {"user": "bot@acme.example", "token": "t-1"}, now))


# --- an app whose refresh token rotates -------------------------------------------------------------------------------


class Atlassian:
    """A token endpoint and a site behind it, with rotation, reuse within ten minutes, and access tokens that end."""

    def __init__(self, mock: responses.RequestsMock, now: Now) -> None:
        self.now, self.current = now, "refresh-0"
        self.asked: list[str] = []
        self.served: list[str] = []
        self.replaced_at: dict[str, dt.datetime] = {}
        self.access: dict[str, dt.datetime] = {}
        self.number, self.lasts = 0, dt.timedelta(hours=1)
        self.lock = threading.Lock()
        mock.add_callback("POST", TOKEN_URL, self.token)
        mock.add_callback("GET", GATEWAY + ME, self.me)

    def token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body or "{}")
        with self.lock:
            self.asked.append(body["refresh_token"])
            assert body["grant_type"] == "refresh_token"
            if (body["client_id"], body["client_secret"]) != ("app", "app-secret"):
                return 401, {}, json.dumps({"error": "access_denied", "error_description": "Unauthorized app-secret"})
            late = self.replaced_at.get(body["refresh_token"], NOON - dt.timedelta(days=1))
            if body["refresh_token"] != self.current and self.now() - late > dt.timedelta(minutes=10):
                return (
                    403,
                    {},
                    json.dumps({"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}),
                )
            self.replaced_at.setdefault(self.current, self.now())
            self.number += 1
            self.current, access = f"refresh-{self.number}", f"access-{self.number}"
            self.access[access] = self.now() + self.lasts
        return 200, {}, json.dumps({"access_token": access, "refresh_token": self.current, "expires_in": 3600})

    def me(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        given = str(request.headers["Authorization"]).removeprefix("Bearer ")
        self.served.append(given)
        if self.access.get(given, NOON - dt.timedelta(days=1)) <= self.now():
            return 401, {}, json.dumps({"code": 401, "message": f"Unauthorized {given}"})
        return 200, {}, "{}"


@pytest.fixture
def atlassian(site: responses.RequestsMock, now: Now) -> Atlassian:
    return Atlassian(site, now)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "refresh"
    path.write_text("refresh-0\n")
    return path


def app(file: Path, now: Now, **keys: Any) -> PoliteSession:
    kept = rotating(f"file:{file}", Path(), "")
    oauth = {"client_id": "app", "client_secret": "app-secret", "refresh_token": kept, **keys}
    return signed_in(GATEWAY, {"oauth": oauth}, now)


def test_the_first_call_gets_an_access_token_and_the_new_refresh_token_is_kept(
    atlassian: Atlassian, file: Path, now: Now
) -> None:
    session = app(file, now)
    assert atlassian.asked == [], "opening sends nothing"
    session.call("GET", ME)
    session.call("GET", ME)
    assert (atlassian.asked, atlassian.served) == (["refresh-0"], ["access-1", "access-1"])
    assert file.read_text() == "refresh-1\n"
    assert session.calls == {"POST /oauth/token": 1, f"GET {ME}": 2}
    assert not session.writes, "signing in changes nobody's work"


def test_an_access_token_is_renewed_shortly_before_it_ends(atlassian: Atlassian, file: Path, now: Now) -> None:
    session = app(file, now)
    session.call("GET", ME)
    now.passes(minutes=57)
    session.call("GET", ME)
    now.passes(minutes=2)
    session.call("GET", ME)
    assert atlassian.served == ["access-1", "access-1", "access-2"]
    assert file.read_text() == "refresh-2\n"


def test_the_new_refresh_token_is_on_the_disk_before_the_access_token_is_used(
    atlassian: Atlassian, file: Path, now: Now
) -> None:
    seen: list[str] = []
    serve = atlassian.me

    def me(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        seen.append(file.read_text().strip())
        return serve(request)

    with responses.RequestsMock() as mock:
        mock.add_callback("POST", TOKEN_URL, atlassian.token)
        mock.add_callback("GET", GATEWAY + ME, me)
        app(file, now).call("GET", ME)
    assert seen == ["refresh-1"]


def test_an_access_token_that_is_refused_although_it_should_last_is_renewed_once(
    atlassian: Atlassian, file: Path, now: Now
) -> None:
    session = app(file, now)
    session.call("GET", ME)
    now.passes(minutes=5)
    atlassian.access.clear()  # withdrawn
    session.call("GET", ME)
    assert atlassian.served == ["access-1", "access-1", "access-2"]


def test_an_access_token_that_was_just_got_and_is_refused_ends_it(atlassian: Atlassian, file: Path, now: Now) -> None:
    atlassian.lasts = dt.timedelta()
    session = app(file, now)
    told = refusal(session)
    assert "accessible-resources" in told
    assert "access-1" not in told, "the site repeated it in its error"
    assert refusal(session) == told
    assert (len(atlassian.asked), len(atlassian.served)) == (1, 1)


def test_what_another_run_put_into_the_file_is_used(atlassian: Atlassian, file: Path, now: Now) -> None:
    one, other = app(file, now), app(file, now)
    for _ in range(3):
        one.call("GET", ME)
        other.call("GET", ME)
        now.passes(minutes=59)
    assert atlassian.asked == [f"refresh-{n}" for n in range(6)], "each once, always the newest"


def test_threads_that_find_the_token_ended_renew_it_once(atlassian: Atlassian, file: Path, now: Now) -> None:
    session = app(file, now)
    session.call("GET", ME)
    now.passes(minutes=5)
    atlassian.access.clear()
    assert len(list(session.map(lambda _: session.call("GET", ME), range(8), width=8))) == 8
    assert len(atlassian.asked) == 2


def test_a_run_that_is_killed_before_the_disk_goes_on_within_ten_minutes(
    atlassian: Atlassian, file: Path, now: Now
) -> None:
    class Killed(BaseException):
        """What no program catches."""

    def dies(_: str) -> None:
        raise Killed

    kept = rotating(f"file:{file}", Path(), "")
    mortal = app(file, now, refresh_token=replace(kept, replace=dies))
    with pytest.raises(Killed):
        mortal.call("GET", ME)
    assert atlassian.served == [], "an access token whose refresh token is not kept is not used"
    now.passes(minutes=9)
    app(file, now).call("GET", ME)
    assert (atlassian.asked, file.read_text()) == (["refresh-0", "refresh-0"], "refresh-2\n")


def test_a_refresh_token_that_is_used_up_says_how_to_sign_in_again_and_is_not_tried_again(
    atlassian: Atlassian, file: Path, now: Now
) -> None:
    file.write_text("refresh-old\n")
    session = app(file, now)
    told = refusal(session)
    assert "auth.atlassian.com gave no access token (403: invalid_grant: Unknown or invalid refresh token.)" in told
    assert "Authorize the app anew with the scope offline_access" in told
    assert str(file) in told
    assert refusal(session) == told
    assert (len(atlassian.asked), atlassian.served) == (1, [])
    assert file.read_text() == "refresh-old\n"


def test_a_wrong_client_secret_is_told_apart_from_a_used_up_token(atlassian: Atlassian, file: Path, now: Now) -> None:
    told = refusal(app(file, now, client_secret="app-secret-with-a-typo"))
    assert "Check client_id and client_secret" in told
    assert "Authorize the app anew" not in told


def test_no_secret_of_an_app_is_ever_told(
    atlassian: Atlassian, file: Path, now: Now, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = app(file, now)
    session.call("GET", ME)
    now.passes(minutes=5)
    atlassian.access.clear()
    session.call("GET", ME)
    for secret in ("app-secret", "refresh-0", "refresh-1", "refresh-2", "access-1", "access-2"):
        assert secret not in caplog.text + repr(session.auth)
        assert session.hidden(secret) == "***"


def test_of_many_tokens_that_came_and_went_the_last_ones_are_still_hidden(
    atlassian: Atlassian, file: Path, now: Now
) -> None:
    session = app(file, now)
    for _ in range(20):
        session.call("GET", ME)
        now.passes(hours=1)
    assert session.hidden("access-20 refresh-20 access-19 refresh-19") == "*** *** *** ***"
    assert session.hidden("app-secret") == "***"
    assert len(session._secrets._texts) < 20


def test_a_token_endpoint_that_is_away_is_trouble_and_no_refusal(file: Path, now: Now) -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, status=503)
        with pytest.raises(Unavailable, match=r"auth\.atlassian\.com: POST /oauth/token"):
            app(file, now).call("GET", ME)
    assert file.read_text() == "refresh-0\n"


def test_an_app_signs_in_as_the_configuration_says(atlassian: Atlassian, tmp_path: Path, now: Now) -> None:
    (tmp_path / "refresh").write_text("refresh-0")
    auth = "{oauth: {client_id: app, client_secret: env:S, refresh_token: file:refresh}}"
    path = tmp_path / "pmosync.yaml"
    path.write_text(CONFIG.format(base_url=GATEWAY, auth=auth))
    with open_connector(load(path, {"S": "app-secret"}), "acme-jira", clock=now, read_only=True) as opened:
        opened.session.call("GET", ME)
    assert (tmp_path / "refresh").read_text() == "refresh-1\n"


# --- when it ends -----------------------------------------------------------------------------------------------------


def note(session: PoliteSession, *, ask: bool = True) -> str:
    return expiry_note(session, NOON.date(), ask=ask)


@pytest.mark.parametrize(
    ("ends_on", "told"),
    [
        ("2026-12-23", ""),
        ("2026-12-22", "the API token of bot@acme.example ends on 2026-12-22, in 30 days; make a new one"),
        ("2026-11-23", "ends on 2026-11-23, tomorrow;"),
        ("2026-11-22", "ends on 2026-11-22, today;"),
        ("2026-11-21", "the API token of bot@acme.example ended on 2026-11-21;"),
    ],
)
def test_a_token_whose_day_is_written_beside_it_is_announced_thirty_days_ahead(
    now: Now, site: responses.RequestsMock, ends_on: str, told: str
) -> None:
    found = note(signed_in(SITE, {"user": "bot@acme.example", "token": "t-1", "expires_on": ends_on}, now))
    assert found.startswith(told) if told.startswith("the") else told in found
    assert bool(found) == bool(told)
    assert len(site.calls) == 0


def test_a_consent_ends_a_year_after_it_was_given(now: Now, file: Path) -> None:
    assert note(app(file, now)) == ""
    told = note(app(file, now, authorized_on="2025-12-01"))
    assert told.startswith(
        "the consent that was given to the app ends on 2026-12-01, in 9 days; authorize the app anew"
    )


@pytest.mark.parametrize(
    ("tokens", "named", "told"),
    [
        (
            [("bot", "2026-12-01T10:00:00.000+0000")],
            "",
            "the personal access token 'bot' ends on 2026-12-01, in 9 days",
        ),
        ([("bot", "2026-12-01T10:00:00Z")], "", "the personal access token 'bot' ends on 2026-12-01"),
        ([("bot", None)], "", ""),
        ([("bot", "2026-12-01T10:00:00Z"), ("other", "2026-11-30T10:00:00Z")], "", ""),
        ([("bot", "2026-12-01T10:00:00Z"), ("old", "2026-11-20T10:00:00Z")], "", ""),
        ([("bot", "2026-12-01T10:00:00Z"), ("other", "2026-11-30T10:00:00Z")], "bot", "'bot' ends on 2026-12-01"),
        ([("bot", "2026-12-01T10:00:00Z")], "another", ""),
    ],
)
def test_a_personal_access_token_is_announced_when_it_cannot_be_another_one(
    now: Now, site: responses.RequestsMock, tokens: list[tuple[str, str | None]], named: str, told: str
) -> None:
    listed = [{"id": n, "name": name, **({"expiringAt": at} if at else {})} for n, (name, at) in enumerate(tokens)]
    site.get(f"{CENTER}/rest/pat/latest/tokens", json=listed)
    session = signed_in(CENTER, {"token": "t-1", "token_name": named}, now)
    found = note(session)
    assert told in found
    assert bool(found) == bool(told)
    assert note(session, ask=False) == "", "a sync does not ask"
    assert len(site.calls) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_does_not_list_tokens_is_no_trouble(now: Now, site: responses.RequestsMock, status: int) -> None:
    site.get(f"{CENTER}/rest/pat/latest/tokens", status=status)
    site.get(CENTER + ME, json={})
    session = signed_in(CENTER, {"token": "t-1"}, now)
    assert note(session) == ""
    session.call("GET", ME)


# --- haste ------------------------------------------------------------------------------------------------------------

ISSUE, EDIT = "/rest/api/3/issue/10001", "/rest/api/3/issue/10001/properties/pmosync.compliance"


@pytest.mark.parametrize(
    ("headers", "held"),
    [
        ({"Retry-After": "300", "RateLimit-Reason": "jira-burst-based"}, {f"PUT {EDIT}"}),
        ({"Retry-After": "300", "RateLimit-Reason": "jira-per-issue-on-write"}, {f"PUT {EDIT}", f"PUT {ISSUE}"}),
        ({"Retry-After": "300", "RateLimit-Reason": "jira-quota-tenant-based"}, {"all"}),
        ({"X-RateLimit-Reset": "2026-11-22T13:00Z", "RateLimit-Reason": "jira-quota-global-based"}, {"all"}),
        ({"Retry-After": "300", "RateLimit-Reason": "jira-cost-based"}, {"all"}),
        ({"Retry-After": "300"}, {"all"}),
        ({"Retry-After": "0", "X-RateLimit-Interval-Seconds": "600", "X-RateLimit-FillRate": "1"}, {"all"}),
        ({"RateLimit": '"hour";r=0;t=900, "second";r=40;t=1'}, {"all"}),
    ],
)
def test_a_refusal_for_haste_holds_back_whom_its_reason_names(
    now: Now, site: responses.RequestsMock, headers: dict[str, str], held: set[str]
) -> None:
    other_edit, other_issue = EDIT.replace("10001", "10002"), ISSUE.replace("10001", "10002")
    calls = [f"PUT {EDIT}", f"PUT {ISSUE}", f"PUT {other_edit}", f"PUT {other_issue}", f"GET {ISSUE}", f"GET {ME}"]
    for call in calls:
        method, path = call.split()
        site.add(method, SITE + path, json={})
    session = signed_in(SITE, {"user": "bot", "token": "t-1"}, now)
    with responses.RequestsMock() as refusing:
        refusing.put(SITE + EDIT, status=429, headers=headers)
        with pytest.raises(Unavailable, match="asks us to wait"):
            session.call("PUT", EDIT)
    waiting = set()
    for call in calls:
        try:
            session.call(*call.split())
        except Unavailable:
            waiting.add(call)
    endpoint = {f"PUT {EDIT}", f"PUT {other_edit}"}
    expected = set(calls) if held == {"all"} else endpoint if held == {f"PUT {EDIT}"} else held
    assert waiting == expected


def test_a_refusal_without_any_header_backs_off_for_everybody(now: Now, site: responses.RequestsMock) -> None:
    site.get(SITE + ME, status=429)
    site.get(SITE + ME, status=429, headers={"Retry-After": "0"})
    site.get(SITE + ME, json={})
    session = signed_in(SITE, {"user": "bot", "token": "t-1"}, now)
    began = session._monotonic()
    session.call("GET", ME)
    assert session._monotonic() - began > 2, "one second, then two, more or less"


def test_a_bucket_that_is_empty_after_a_good_answer_is_waited_for_without_asking(
    now: Now, site: responses.RequestsMock
) -> None:
    """Data Center."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Interval-Seconds": "5", "X-RateLimit-FillRate": "1"}
    site.get(CENTER + ME, json={}, headers={**headers, "Retry-After": "0"})
    session = signed_in(CENTER, {"token": "t-1"}, now)
    session.call("GET", ME)
    began = session._monotonic()
    session.call("GET", ME)
    assert session._monotonic() - began >= 5


@pytest.mark.parametrize(
    ("headers", "slower"),
    [
        ({"X-RateLimit-NearLimit": "true"}, True),
        ({"X-RateLimit-NearLimit": "false"}, False),
        ({"Beta-RateLimit": '"hour";r=0;t=900', "Beta-RateLimit-Policy": '"hour";q=65000;w=3600'}, False),
        ({"RateLimit-Policy": '"hour";q=65000;w=3600', "RateLimit": '"hour";r=12000;t=900'}, False),
    ],
)
def test_a_limit_that_is_near_slows_the_endpoint_and_one_that_is_announced_does_not(
    now: Now, site: responses.RequestsMock, headers: dict[str, str], slower: bool
) -> None:
    site.get(SITE + ME, json={}, headers=headers)
    session = signed_in(SITE, {"user": "bot", "token": "t-1"}, now, limits={"per_second": 4})
    began = session._monotonic()
    for _ in range(4):
        session.call("GET", ME)
    assert (session._monotonic() - began >= 1) == slower


# --- on a Data Center of the sandbox ----------------------------------------------------------------------------------


def on_the_sandbox(sandbox: Sandbox, auth: dict[str, str]) -> PoliteSession:
    session = signed_in(sandbox.url, auth, lambda: NOON)
    session.call("GET", "/rest/api/2/myself")
    return session


def test_a_data_center_takes_a_personal_access_token_and_says_when_it_ends(sandbox: Sandbox) -> None:
    sandbox.be_data_center()
    session = on_the_sandbox(sandbox, {"token": "sandbox-jira-token"})
    made = requests.post(
        f"{sandbox.url}/rest/pat/latest/tokens",
        headers={"Authorization": "Bearer sandbox-jira-token"},
        json={"name": "pmosync", "expirationDuration": 20},
        timeout=30,
    ).json()
    ends_on = dt.datetime.fromisoformat(made["expiringAt"]).date()
    token = {"token": made["rawToken"], "token_name": "pmosync"}
    told = expiry_note(on_the_sandbox(sandbox, token), ends_on - dt.timedelta(days=20), ask=True)
    assert told.startswith(f"the personal access token 'pmosync' ends on {ends_on}, in 20 days")
    assert expiry_note(session, ends_on, ask=True) == "", "two tokens, and nobody can tell which one is ours"


def test_a_login_that_a_data_center_has_shut_is_not_tried_again(sandbox: Sandbox) -> None:
    sandbox.be_data_center(captcha_after=1)
    sandbox.control("DELETE", "requests")
    session = signed_in(sandbox.url, {"user": "pmo-bot@acme.example", "token": "wrong"}, lambda: NOON)
    for _ in range(3):
        with pytest.raises(Unauthorized, match="solve the CAPTCHA there"):
            session.call("GET", "/rest/api/2/myself")
    assert session.calls.total() == 1


def test_an_account_with_a_small_bucket_is_never_refused_twice_in_a_row(sandbox: Sandbox) -> None:
    sandbox.be_data_center(rate_limit=3, rate_fill=3, rate_interval_s=1)
    settings = {"base_url": sandbox.url, "auth": {"token": "sandbox-jira-token"}}
    made = pmosync_jira.Settings.model_validate(settings)
    session = PoliteSession(
        sandbox.url,
        pmosync_jira.ENDPOINTS,
        Limiter(pmosync_jira.limits(made), time.monotonic, time.sleep),
        now=lambda: NOON,
    )
    pmosync_jira.open(made, session, lambda: NOON)
    for _ in range(7):
        session.call("GET", "/rest/api/2/myself")
    assert session.calls.total() == 7, "no call was refused: an empty bucket is waited for"
