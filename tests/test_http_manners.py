"""Checks what a connector may teach its session: for whom a pause is meant, and what a refused credential is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
import responses

from pmosync.errors import Unauthorized, Unavailable
from pmosync.http import Endpoint, Limiter, Limits, Manners, Pause, PoliteSession
from pmosync.http.manners import plain_pause

SITE = "https://acme.example"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
READ = Endpoint("GET", "/issue/{id}", repeatable=True, reads=True)
WRITE = Endpoint("PUT", "/issue/{id}", repeatable=True, reads=False)
OTHER = Endpoint("GET", "/project/{id}", repeatable=True, reads=True)


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def session_of(time: FakeTime, manners: Manners, **limits: Any) -> PoliteSession:
    limiter = Limiter(Limits(**limits), time.monotonic, time.sleep)
    made = PoliteSession(
        SITE, (READ, WRITE, OTHER), limiter, monotonic=time.monotonic, sleep=time.sleep, now=lambda: NOW
    )
    made.manners = manners
    return made


def go(limiter: Limiter, endpoint: Endpoint, item: str = "") -> None:
    with limiter.pass_(endpoint, item=item):
        pass


# --- the limiter ------------------------------------------------------------------------------------------------------


def test_a_pause_with_a_key_holds_back_that_endpoint_or_item_only(time: FakeTime) -> None:
    limiter = Limiter(Limits(), time.monotonic, time.sleep)
    limiter.pause(5, READ.name)
    limiter.pause(7, "issue 1")
    go(limiter, OTHER)
    go(limiter, WRITE, "issue 2")
    assert time.slept == []
    go(limiter, READ)
    assert time.slept == [5.0]
    go(limiter, WRITE, "issue 1")
    assert time.slept == [5.0, 2.0]


def test_who_waits_for_an_endpoint_leaves_its_place_to_others(time: FakeTime) -> None:
    passed: list[str] = []

    def sleep(seconds: float) -> None:
        go(limiter, OTHER)  # another thread, with the only place there is
        passed.append("other")
        time.sleep(seconds)

    limiter = Limiter(Limits(reads_in_flight=1), time.monotonic, sleep)
    limiter.pause(5, READ.name)
    go(limiter, READ)
    assert passed == ["other"]


def test_an_endpoint_that_was_complained_about_goes_at_half_its_rate_for_a_minute(time: FakeTime) -> None:
    limiter = Limiter(Limits(per_second=8), time.monotonic, time.sleep)
    limiter.space(READ)
    for _ in range(5):
        go(limiter, READ)
    assert time.slept == [1.0], "four in a second"
    time.at += 1
    for _ in range(8):
        go(limiter, OTHER)
    assert time.slept == [1.0], "others go as before"
    time.at += 60
    for _ in range(8):
        go(limiter, READ)
    assert time.slept == [1.0], "it is over"


def test_complaints_that_come_together_count_once_and_later_ones_halve_again_down_to_one(time: FakeTime) -> None:
    limiter = Limiter(Limits(per_second=8), time.monotonic, time.sleep)

    def burst() -> int:
        """How many calls go at once."""
        time.at += 2
        before, count = len(time.slept), 0
        while len(time.slept) == before:
            go(limiter, READ)
            count += 1
        return count - 1

    limiter.space(READ)
    limiter.space(READ)
    assert burst() == 4
    limiter.space(READ)
    assert burst() == 2
    limiter.space(READ, more=False)
    assert burst() == 2
    for _ in range(4):
        time.at += 2
        limiter.space(READ)
    assert burst() == 1


# --- whom a refusal is meant for --------------------------------------------------------------------------------------


def by_header(status: int, headers: Mapping[str, str], asked_s: float | None, now: dt.datetime) -> Pause | None:
    reach: Any = headers.get("reach")
    return Pause(reach, asked_s, slower="slower" in headers) if reach else plain_pause(status, headers, asked_s, now)


def item_of(endpoint: Endpoint, path: str) -> str:
    return "" if endpoint.reads else path


PACED = Manners(pause_of=by_header, item_of=item_of)


@pytest.mark.parametrize(
    ("reach", "waiting"),
    [
        ("credential", {"GET /issue/1", "PUT /issue/1", "PUT /issue/2", "GET /project/1"}),
        ("endpoint", {"PUT /issue/1", "PUT /issue/2"}),
        ("item", {"PUT /issue/1"}),
    ],
)
def test_a_refusal_makes_those_wait_whom_it_is_meant_for(time: FakeTime, reach: str, waiting: set[str]) -> None:
    found = set()
    for call in ("GET /issue/1", "PUT /issue/1", "PUT /issue/2", "GET /project/1"):
        with responses.RequestsMock() as site:
            site.put(f"{SITE}/issue/1", status=429, headers={"Retry-After": "200", "reach": reach})
            session = session_of(time, PACED)
            with pytest.raises(Unavailable, match="asks us to wait 200 s"):
                session.call("PUT", "/issue/1")
        method, path = call.split()
        with responses.RequestsMock(assert_all_requests_are_fired=False) as site:
            site.add(method, SITE + path, json={})
            try:
                session.call(method, path)
            except Unavailable:
                found.add(call)
    assert found == waiting


def test_an_item_that_nobody_names_is_its_endpoint(time: FakeTime) -> None:
    with responses.RequestsMock() as site:
        site.get(f"{SITE}/issue/1", status=429, headers={"Retry-After": "200", "reach": "item"})
        session = session_of(time, PACED)
        with pytest.raises(Unavailable):
            session.call("GET", "/issue/1")
        with pytest.raises(Unavailable):
            session.call("GET", "/issue/2")
        site.get(f"{SITE}/project/1", json={})
        session.call("GET", "/project/1")


def test_a_good_answer_may_ask_for_a_pause_and_for_slower_calls(time: FakeTime) -> None:
    with responses.RequestsMock() as site:
        site.get(f"{SITE}/issue/1", json={}, headers={"reach": "credential"})
        site.get(f"{SITE}/issue/2", json={}, headers={"reach": "endpoint", "slower": "yes"})
        for n in (3, 4, 5):
            site.get(f"{SITE}/issue/{n}", json={})
        session = session_of(time, PACED, per_second=4)
        for n in (1, 2, 3, 4, 5):
            session.call("GET", f"/issue/{n}")
    assert time.slept == [1.0], "two in a second from now on"


# --- credentials ------------------------------------------------------------------------------------------------------


def test_a_newer_credential_is_tried_once_at_once_also_for_a_write(time: FakeTime) -> None:
    asked: list[str] = []

    def renewed(sent: str) -> bool:
        asked.append(sent)
        session.headers["Authorization"] = "Bearer new"
        return True

    session = session_of(time, Manners(renewed=renewed))
    session.headers["Authorization"] = "Bearer old"
    with responses.RequestsMock() as site:
        site.put(f"{SITE}/issue/1", status=401)
        site.put(f"{SITE}/issue/1", json={})
        assert session.call("PUT", "/issue/1").status == 200
        assert [call.request.headers["Authorization"] for call in site.calls] == ["Bearer old", "Bearer new"]
    assert asked == ["Bearer old"]
    assert time.slept == []


def test_a_newer_credential_that_is_refused_as_well_ends_it(time: FakeTime) -> None:
    asked: list[str] = []
    session = session_of(time, Manners(renewed=lambda sent: not asked.append(sent)))  # type: ignore[func-returns-value]
    with responses.RequestsMock() as site:
        site.get(f"{SITE}/issue/1", status=401)
        for _ in range(2):
            with pytest.raises(Unauthorized):
                session.call("GET", "/issue/1")
        assert len(site.calls) == 2
    assert len(asked) == 1


def test_a_renewal_that_is_refused_is_the_reason_from_then_on(time: FakeTime) -> None:
    def renewed(sent: str) -> bool:
        raise Unauthorized("auth.example gave nothing")

    session = session_of(time, Manners(renewed=renewed))
    with responses.RequestsMock() as site:
        site.get(f"{SITE}/issue/1", status=401)
        for _ in range(2):
            with pytest.raises(Unauthorized, match=r"auth\.example gave nothing"):
                session.call("GET", "/issue/1")
        assert len(site.calls) == 1
    assert session.denied == "auth.example gave nothing"


def test_an_account_that_has_to_solve_a_captcha_is_not_renewed(time: FakeTime) -> None:
    session = session_of(time, Manners(renewed=lambda sent: pytest.fail("it was asked for")))
    with responses.RequestsMock() as site:
        site.get(f"{SITE}/issue/1", status=401, headers={"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE"})
        with pytest.raises(Unauthorized, match="CAPTCHA_CHALLENGE"):
            session.call("GET", "/issue/1")


def test_a_good_answer_that_is_a_denial_is_not_believed_and_ends_it(time: FakeTime) -> None:
    manners = Manners(
        denial_of=lambda status, headers: headers.get("x-signed-out", ""),
        advice_on=lambda status, headers: "Ask Ann.",
    )
    session = session_of(time, manners)
    with responses.RequestsMock() as site:
        site.get(f"{SITE}/issue/1", json=[], headers={"X-Signed-Out": "FAILED"})
        for _ in range(2):
            with pytest.raises(Unauthorized) as caught:
                session.call("GET", "/issue/1", expect=(200,))
            assert str(caught.value) == "acme.example does not accept the credentials (200: FAILED). Ask Ann."
        assert len(site.calls) == 1


def test_a_session_that_was_told_to_send_nothing_sends_nothing(time: FakeTime) -> None:
    session = session_of(time, Manners())
    assert (session.denied, session.held) == ("", False)
    session.refuse("refused an hour ago")
    with responses.RequestsMock(), pytest.raises(Unauthorized, match="refused an hour ago"):
        session.call("GET", "/issue/1")
    assert session.held
    assert not session.calls


# --- another address --------------------------------------------------------------------------------------------------


def test_a_session_beside_shares_secrets_and_counts_and_no_credentials(time: FakeTime) -> None:
    session = session_of(time, Manners())
    session.auth = lambda prepared: pytest.fail("the credentials went elsewhere")  # type: ignore[assignment]
    session.keep_secret("hush-hush")
    ask = Endpoint("POST", "/token", repeatable=True, reads=True)
    other = session.beside("https://auth.example", (ask,), Limits())
    with responses.RequestsMock() as site:
        site.post("https://auth.example/token", status=400, body="hush-hush is wrong")
        answer = other.call("POST", "/token", expect=(400,))
        assert "Authorization" not in site.calls[0].request.headers
    assert other.hidden(str(answer.data)) == "*** is wrong"
    assert session.calls == {"POST /token": 1}
    session.forget_secret("hush-hush")
    assert other.hidden("hush-hush") == "hush-hush"


def test_closing_closes_what_is_beside(time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(time, Manners())
    other = session.beside("https://auth.example", (), Limits())
    closed: list[str] = []
    monkeypatch.setattr(other, "close", lambda: closed.append("beside"))
    session.close()
    assert closed == ["beside"]
