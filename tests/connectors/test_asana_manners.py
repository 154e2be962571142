"""How the Asana connector behaves towards Asana: its limits, what it learns, what it is told, how it signs in."""

from __future__ import annotations

import datetime as dt
import logging
import time as real_time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import responses
from pydantic import ValidationError
from tests.conftest import Sandbox
from tests.connectors.asana_kit import Client, client, pulled, truth
from tests.connectors.conftest import QuickTime

import pmosync_asana
from pmosync.config import load
from pmosync.config.secrets import rotating
from pmosync.errors import Misconfigured, Refused, Unauthorized, Unavailable
from pmosync.http import Limiter, PoliteSession
from pmosync.sandbox.asana import oauth as sandbox_oauth
from pmosync.sandbox.asana import seed
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State
from pmosync_asana.manners import announced

SITE = "https://app.asana.com/api/1.0"
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TOKEN = {"token": "secret-token"}


@pytest.fixture
def site() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def settings_of(**keys: Any) -> pmosync_asana.Settings:
    return pmosync_asana.Settings.model_validate({"auth": TOKEN, **keys})


def session_of(quick: QuickTime | None = None, **keys: Any) -> PoliteSession:
    """The session of an Asana site after its connector was opened."""
    settings, quick = settings_of(**keys), quick or QuickTime()
    limiter = Limiter(pmosync_asana.limits(settings), quick.monotonic, quick.sleep)
    made = PoliteSession(
        settings.base_url, pmosync_asana.ENDPOINTS, limiter, monotonic=quick.monotonic, sleep=quick.sleep,
        now=lambda: NOON,
    )  # fmt: skip
    pmosync_asana.open(settings, made, lambda: NOON)
    return made


def errors(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "help": "For more information on API status codes ..."}]}


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"auth": {}}, "not said how to sign in; write {token: ...}"),
        ({"auth": {"token": "t", "oauth": {}}}, "'oauth' and 'token' are two ways to sign in"),
        ({"auth": {"oauth": {"client_id": "c", "client_secret": "s", "refresh_token": "r"}}}, "keep it in a file"),
        ({"plan": "gold"}, "'auto', 'free' or 'paid'"),
        ({"enable": ["a", "b"], "disable": ["b"]}, "b stands below 'enable' as well"),
        ({"disable": ["two\r\nHeaders: x"]}, "pattern"),
    ],
)
def test_a_mistake_in_the_keys_of_a_site_is_told(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of(**keys)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        ("{user: a, token: env:T}", ["unknown key 'user'", "known here: oauth, token"]),
        ("{tokn: env:T}", ["unknown key 'tokn'", "did you mean 'token'?"]),
        ("{oauth: {client_id: a, client_secret: env:T}}", ["auth.oauth.refresh_token is missing"]),
        ("{oauth: {client_id: a, client_secret: env:T, refresh_token: env:T}}", ["write it into a file"]),
    ],
)
def test_a_mistake_in_the_way_to_sign_in_is_told_with_its_line(tmp_path: Path, auth: str, told: list[str]) -> None:
    path = tmp_path / "pmosync.yaml"
    keys = f"connector: asana, auth: {auth}, mapping: m.yaml"
    path.write_text(f"organisation: Acme\ntimezone: UTC\nsites:\n  acme-asana: {{{keys}}}\n")
    with pytest.raises(Misconfigured) as caught:
        load(path, environ={"T": "x"})
    assert all(words in str(caught.value) for words in [*told, "pmosync.yaml:4:"])


@pytest.mark.parametrize(
    ("keys", "per_minute", "learns"),
    [
        ({}, 1500, True),
        ({"plan": "paid"}, 1500, False),
        ({"plan": "free"}, 150, False),
        ({"calls_per_minute": 600}, 600, False),
        ({"plan": "free", "calls_per_minute": 40}, 40, False),
    ],
)
def test_the_limits_follow_the_plan_and_what_is_written_goes_first(
    keys: dict[str, Any], per_minute: float, learns: bool
) -> None:
    settings = settings_of(**keys)
    found = pmosync_asana.limits(settings)
    assert (found.per_minute, found.reads_in_flight, found.writes_in_flight) == (per_minute, 50, 15)
    assert found.groups["search"] == 60
    assert settings.learns_plan is learns


def test_wanted_and_unwanted_changes_travel_with_every_call(site: responses.RequestsMock) -> None:
    site.add("GET", f"{SITE}/users/me", json={"data": {}})
    session_of(enable=["new_a", "new_b"], disable=["new_c"]).call("GET", "/users/me")
    session_of().call("GET", "/users/me")
    sent = [call.request.headers for call in site.calls]
    assert (sent[0]["Asana-Enable"], sent[0]["Asana-Disable"]) == ("new_a,new_b", "new_c")
    assert not {"Asana-Enable", "Asana-Disable"} & set(sent[1])
    assert {one["Authorization"] for one in sent} == {"Bearer secret-token"}


# --- announced changes ------------------------------------------------------------------------------------------------


def test_announced_changes_are_read_in_every_form() -> None:
    text = (
        'name=teamless;info=https://asana.com/a,b?c=d;affected=true, affected=false;name=quiet;info="https://x",'
        "info=https://nameless, name=bare"
    )
    found = {notice.name: notice for notice in announced({"asana-change": text})}
    assert {name: notice.urgent for name, notice in found.items()} == {"teamless": True, "quiet": False, "bare": False}
    assert found["teamless"].what.endswith("our calls are affected. See https://asana.com/a,b?c=d.")
    assert found["teamless"].next_step == "Until pmosync knows it, `disable: [teamless]` for this site puts it off."
    assert found["quiet"].what.endswith("quiet: our calls are not affected. See https://x.")
    assert list(announced({})) == []


def test_a_change_that_asana_announces_is_told_once_by_name_also_within_a_batch(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    changes = [
        {"name": "new_teams", "info": "https://asana.com/teams", "affected": True},
        {"name": "new_hearts", "info": "https://asana.com/hearts"},
    ]
    caplog.set_level(logging.INFO, "pmosync.http")
    with limits(sandbox, asana_changes=changes):
        first = client(sandbox)
        first.session.call("GET", "/users/me")
        first.session.call("GET", "/users/me")
        second = client(sandbox, disable=["new_teams"])
        second.session.call("GET", "/users/me")
    told = [
        (one.levelname, one.getMessage().partition(": ")[2])
        for one in caplog.records
        if "announces" in one.msg % one.args
    ]
    assert [level for level, _ in told] == ["WARNING", "INFO"]
    assert told[0][1].startswith("Asana announces a change of its API, new_teams: our calls are affected. See https://")
    assert list(first.session.notices) == ["new_teams", "new_hearts"]
    assert list(second.session.notices) == ["new_hearts"], "what we decided is not announced"


# --- the plan ---------------------------------------------------------------------------------------------------------


def spent(session: PoliteSession, calls: int) -> None:
    """So many calls were made just now."""
    endpoint = next(one for one in pmosync_asana.ENDPOINTS if one.template == "/users/me")
    with session.limiter.pass_(endpoint, weight=calls):
        pass


def asked(session: PoliteSession, path: str = "/users/me") -> None:
    with suppress(Refused):
        session.call("GET", path)


PAY: dict[str, Any] = {"status": 402, "json": errors("Custom fields are not available for your plan")}
HASTE: dict[str, Any] = {"status": 429, "headers": {"Retry-After": "5"}}
FIELDS = "/workspaces/1/custom_fields"


@pytest.mark.parametrize(
    ("before", "path", "answer", "keys", "allowed"),
    [
        (0, FIELDS, PAY, {}, 150),
        (0, "/workspaces/1/tasks/search", PAY, {}, 150),
        (0, "/portfolios/1", PAY, {}, 1500),
        (0, FIELDS, PAY, {"plan": "paid"}, 1500),
        (0, FIELDS, PAY, {"calls_per_minute": 700}, 700),
        (149, "/users/me", HASTE, {}, 150),
        (160, "/users/me", HASTE, {}, 150),
        (40, "/users/me", HASTE, {}, 1500),
        (220, "/users/me", HASTE, {}, 1500),
        (149, "/users/me", HASTE, {"plan": "paid"}, 1500),
    ],
)
def test_a_free_plan_shows_in_what_needs_a_paid_one_and_in_a_refusal_at_its_own_number_of_calls(
    site: responses.RequestsMock, before: int, path: str, answer: dict[str, Any], keys: dict[str, Any], allowed: int
) -> None:
    quick = QuickTime()
    session = session_of(quick, **keys)
    site.add("GET", SITE + path, **answer)
    site.add("GET", SITE + path, json={"data": {}})
    spent(session, before)
    asked(session, path)
    quick.sleep(3600)
    assert session.limiter.left()["60 s"] == allowed
    assert ("plan" in session.notices) is (allowed == 150)
    if allowed == 150:
        assert "write `plan: free` for this site, if not `plan: paid`" in session.notices["plan"].next_step


def test_a_plan_that_proved_to_be_paid_is_never_taken_for_a_free_one(site: responses.RequestsMock) -> None:
    quick = QuickTime()
    session = session_of(quick)
    site.add("GET", SITE + "/users/me", json={"data": {}})
    spent(session, 215)
    asked(session)
    quick.sleep(3600)
    spent(session, 149)
    site.replace("GET", SITE + "/users/me", **HASTE)
    with pytest.raises(Unavailable, match="too many requests"):
        asked(session)
    quick.sleep(3600)
    assert session.limiter.left()["60 s"] == 1500


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "message", "told"),
    [
        ("/projects/1", 403, "Forbidden", "Give the account access: as an editor"),
        ("/projects/1", 403, "This app is not allowed in your workspace", "An administrator of the workspace blocks"),
        ("/projects/1", 404, "project: Unknown object: 1", "It is deleted, or the account does not see it"),
        ("/projects/1", 451, "Unavailable", "legal reasons"),
        ("/projects/1", 400, "offset: Your token has expired", "compare the names in the mapping"),
        ("/portfolios/1", 402, "Payment Required", "The plan of this workspace lacks portfolios: leave that out"),
        (FIELDS, 402, "Payment Required", "lacks custom fields"),
        ("/tasks/1", 402, "Payment Required", "lacks a feature"),
    ],
)
def test_a_refusal_is_told_in_asanas_words_with_the_next_step(
    site: responses.RequestsMock, path: str, status: int, message: str, told: str
) -> None:
    site.add("GET", SITE + path, status=status, json=errors(message))
    with pytest.raises(Refused) as caught:
        session_of().call("GET", path)
    assert caught.value.status == status
    assert f"({status}): {message}. " in str(caught.value)
    assert told in str(caught.value)
    assert "For more information" not in str(caught.value)


def test_a_refused_token_is_not_sent_again_and_the_place_to_make_a_new_one_is_told(
    site: responses.RequestsMock,
) -> None:
    site.add("GET", f"{SITE}/users/me", status=401, json=errors("Not Authorized"))
    session = session_of()
    for _ in range(2):
        with pytest.raises(Unauthorized, match=r"Not Authorized.* https://app\.asana\.com/0/my-apps") as caught:
            session.call("GET", "/users/me")
    assert "secret-token" not in str(caught.value)
    assert len(site.calls) == 1


# --- the sandbox's limits ---------------------------------------------------------------------------------------------


class limits:
    """Limits of the sandbox while a block runs."""

    def __init__(self, sandbox: Sandbox, **wanted: Any) -> None:
        self.sandbox, self.wanted = sandbox, wanted

    def __enter__(self) -> None:
        self.sandbox.control("POST", "limits", self.wanted)

    def __exit__(self, *_: Any) -> None:
        self.sandbox.control("POST", "limits", {})


def in_step(sandbox: Sandbox, **keys: Any) -> Client:
    """A connector whose sleeping moves the sandbox's clock, so that a minute passes there as well."""
    found = client(sandbox, **keys)
    slept = [0.0]

    def sleep(seconds: float) -> None:
        """Let time pass when nothing is on its way: a call must not arrive in a later minute than it started in."""
        while True:
            with limiter._lock:
                if (limiter._reads._free, limiter._writes._free) == (50, 15):
                    sandbox.advance(seconds)
                    slept[0] += seconds
                    return
            real_time.sleep(0.001)

    def monotonic() -> float:
        return real_time.monotonic() + slept[0]

    known = pmosync_asana.Settings.model_validate({"auth": {"token": "sandbox-asana-token"}, **keys})
    session, limiter = found.session, Limiter(pmosync_asana.limits(known), monotonic, sleep)
    session.limiter, session._sleep, session._monotonic = limiter, sleep, monotonic
    found.connector = pmosync_asana.open(known, session, lambda: found.now[0])
    session._max_wait_s = 1e6  # threads that sleep side by side move this clock one after the other
    return found


def refused(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The calls that were refused for haste."""
    return [one for one in sandbox.requests()["log"] if one["status"] == 429]


def test_a_full_pull_within_the_limits_is_never_refused(sandbox: Sandbox) -> None:
    with limits(sandbox, asana_per_minute=30, asana_reads_in_flight=50, asana_writes_in_flight=15):
        asana = in_step(sandbox, calls_per_minute=30)
        asana.pull()
    assert asana.unobserved == {}
    assert pulled(asana) == truth(sandbox).scopes()
    assert len(sandbox.requests()["log"]) > 30
    assert refused(sandbox) == []


@pytest.mark.parametrize(("allowed", "ever"), [(50, False), (20, True)])
def test_batches_of_reads_side_by_side_stay_within_what_may_be_in_flight(
    sandbox: Sandbox, allowed: int, ever: bool
) -> None:
    with limits(sandbox, asana_reads_in_flight=allowed, asana_takes_s=0.1):
        asana = in_step(sandbox, plan="paid")
        ask = [{"method": "get", "relative_path": "/users/me"}] * 10
        answers = asana.session.map(
            lambda _: asana.session.call("POST", "/batch", json={"data": {"actions": ask}}, read_as="batch"), range(12)
        )
        assert {one["status_code"] for answer in answers for one in answer.data["data"]} == {200}
    assert bool(refused(sandbox)) is ever


def test_an_unknown_plan_is_learned_from_the_first_refusals_and_kept_to(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmosync.http.session._TOLD", set())
    caplog.set_level(logging.WARNING, "pmosync.http")
    with limits(sandbox, asana_plan="free"):
        asana = in_step(sandbox)
        answers = asana.session.map(lambda _: asana.session.call("GET", "/users/me").status, range(400))
        assert list(answers) == [200] * 400
    haste = [one["n"] for one in refused(sandbox)]
    assert 0 < len(haste) <= 16, "only what was on its way together"
    assert max(haste) < 200
    assert asana.session.notices["plan"].urgent
    assert len([one for one in caplog.records if "looks like a free one" in one.getMessage()]) == 1


def test_a_batch_with_one_action_too_many_is_refused_whole_and_sent_again_whole_and_nothing_is_made_twice(
    sandbox: Sandbox,
) -> None:
    with limits(sandbox, asana_per_minute=15):
        asana = in_step(sandbox, plan="paid")
        workspace = asana.session.call("GET", "/users/me", params={"opt_fields": "workspaces"}).data["data"]
        spent_first = [asana.session.call("GET", "/users/me").status for _ in range(6)]
        path = f"/workspaces/{workspace['workspaces'][0]['gid']}/tags"
        wanted = [f"tag {number}" for number in range(10)]
        made = [{"method": "post", "relative_path": path, "data": {"name": name}} for name in wanted]
        answer = asana.session.call("POST", "/batch", json={"data": {"actions": made}}, read_as="batch")
    assert spent_first == [200] * 6
    assert {one["status_code"] for one in answer.data["data"]} == {201}
    tags = [tag["name"] for tag in sandbox.asana("GET", path.lstrip("/"))["data"]]
    assert [name for name in tags if name in wanted] == wanted
    assert [one["template"] for one in refused(sandbox)] == ["/api/1.0/batch"]
    assert asana.calls()["POST /batch"] == 2


def test_a_debt_of_costly_answers_is_waited_for(sandbox: Sandbox) -> None:
    with limits(sandbox, asana_cost=200):
        asana = in_step(sandbox)
        me, workspace = "/users/me", sandbox.asana("GET", "users/me")["data"]["workspaces"][0]["gid"]
        wide = {"workspace": workspace, "opt_fields": "name,email,photo,workspaces", "limit": 100}
        for _ in range(20):
            asana.session.call("GET", "/users", params=wide)
        assert asana.session.call("GET", me).status == 200
    assert refused(sandbox)
    assert "plan" not in asana.session.notices, "a debt says nothing about the plan"


# --- apps -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _apps() -> Iterator[tuple[Server, bytes]]:
    """A sandbox in this process with one person, who gave two apps leave."""
    state = State()
    server = Server(state)
    with state.transaction():
        user = seed.add_user(state, "Ann", "ann@acme.example")
        seed.add_token(state, user, "ann-token")
        sandbox_oauth.add_app(state, "ann-token", refresh="staying")
        sandbox_oauth.add_app(state, "ann-token", refresh="turning", rotates=True)
    server.start()
    yield server, state.snapshot()
    server.stop()


@pytest.fixture
def apps(_apps: tuple[Server, bytes]) -> Server:
    """The same in every test."""
    server, beginning = _apps
    server.app.state.restore(beginning)
    return server


class App:
    """The session of an app, on a clock that goes with the sandbox's."""

    def __init__(self, server: Server, folder: Path, refresh: str = "staying", secret: str = "client-secret") -> None:
        self.server, self.file = server, folder / "refresh"
        self.file.write_text(refresh)
        kept = rotating("file:refresh", folder, "pmosync.yaml:7")
        auth = {"oauth": {"client_id": "client", "client_secret": secret, "refresh_token": kept}}
        self.ahead_s = 0.0
        settings = settings_of(auth=auth, base_url=f"{server.url}/api/1.0")
        quick = QuickTime()
        limiter = Limiter(pmosync_asana.limits(settings), quick.monotonic, quick.sleep)
        self.session = PoliteSession(
            settings.base_url, pmosync_asana.ENDPOINTS, limiter,
            monotonic=quick.monotonic, sleep=quick.sleep, now=self.now, read_only=True,
        )  # fmt: skip
        pmosync_asana.open(settings, self.session, self.now)

    def now(self) -> dt.datetime:
        return self.server.app.state.now() + dt.timedelta(seconds=self.ahead_s)

    def name(self) -> str:
        return str(self.session.call("GET", "/users/me").data["data"]["name"])

    def signed_in(self) -> int:
        return self.session.calls["POST /-/oauth_token"]


def test_an_app_signs_in_once_an_hour_also_in_a_run_that_only_reads(apps: Server, tmp_path: Path) -> None:
    app = App(apps, tmp_path)
    assert [app.name(), app.name()] == ["Ann", "Ann"]
    assert app.signed_in() == 1
    apps.app.state.advance(3500)
    assert app.name() == "Ann"
    assert app.signed_in() == 2, "renewed before it ends"
    apps.app.state.advance(7200)
    app.ahead_s = -7000
    assert app.name() == "Ann"
    assert app.signed_in() == 3, "our clock was behind, and the refusal said so"
    assert app.file.read_text() == "staying", "as it was"


def test_a_new_refresh_token_is_written_back_and_used_the_next_time(apps: Server, tmp_path: Path) -> None:
    app = App(apps, tmp_path, refresh="turning")
    app.name()
    second = app.file.read_text().strip()
    assert second.startswith("refresh-")
    apps.app.state.advance(4000)
    assert app.name() == "Ann"
    assert app.file.read_text().strip() not in (second, "turning")


@pytest.mark.parametrize(
    ("refresh", "secret", "told"),
    [
        ("withdrawn", "client-secret", "invalid_grant.*The refresh token of file:refresh is not taken any more"),
        ("staying", "wrong-secret", "invalid_client.*Check client_id and client_secret"),
    ],
)
def test_an_app_that_is_not_let_in_is_told_why_and_asked_once(
    apps: Server, tmp_path: Path, refresh: str, secret: str, told: str
) -> None:
    app = App(apps, tmp_path, refresh, secret)
    for _ in range(2):
        with pytest.raises(Unauthorized, match=told) as caught:
            app.name()
    assert not any(word in str(caught.value) for word in ("withdrawn", "wrong-secret"))
    assert app.signed_in() == 1
