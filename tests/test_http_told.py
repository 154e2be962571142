"""Checks what the polite session sends and says, word for word: people act on these sentences."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from pmosync import __version__
from pmosync.errors import Misconfigured, PmosyncError, Refused, Unauthorized, Unavailable, Unreadable
from pmosync.http import Endpoint, FateUnknown, Limiter, Limits, PoliteSession

SITE = "https://acme.example/ctx"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
ENDPOINTS = (
    Endpoint("GET", "/issue/{id}", repeatable=True, reads=True),
    Endpoint("PUT", "/issue/{id}", repeatable=True, reads=False),
    Endpoint("POST", "/issue", repeatable=False, reads=False),
)


class Clock:
    """Only sleeping moves it."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def session_of(clock: Clock, base_url: str = SITE, limits: Limits | None = None, **options: Any) -> PoliteSession:
    limiter = Limiter(limits or Limits(), lambda: clock.at, clock.sleep)
    return PoliteSession(
        base_url, ENDPOINTS, limiter, monotonic=lambda: clock.at, sleep=clock.sleep, now=lambda: NOW, **options
    )


def trouble(clock: Clock, mocked: responses.RequestsMock, method: str = "GET", **answer: Any) -> PmosyncError:
    """What the session raises when the site answers so, however often it is asked."""
    path = "/issue" if method == "POST" else "/issue/1"
    mocked.add(method, SITE + path, **answer)
    with pytest.raises(PmosyncError) as caught:
        session_of(clock).call(method, path)
    return caught.value


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_a_call_says_who_we_are_and_that_we_speak_json(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("PUT", SITE + "/issue/1", json={})
    session_of(clock, SITE + "/").call("put", "/issue/1", json={"a": [1]}, headers={"X-Mine": "1"})
    sent = mocked.calls[0].request
    assert (sent.url, sent.body) == (SITE + "/issue/1", b'{"a":[1]}')
    told = {name: sent.headers[name] for name in ("User-Agent", "Accept", "Content-Type", "X-Mine")}
    json = "application/json"
    assert told == {"User-Agent": f"pmosync/{__version__}", "Accept": json, "Content-Type": json, "X-Mine": "1"}


def test_a_body_of_another_type_keeps_it_and_a_call_without_a_body_has_no_type(
    clock: Clock, mocked: responses.RequestsMock
) -> None:
    mocked.add("PUT", SITE + "/issue/1", json={})
    mocked.add("GET", SITE + "/issue/1", json={})
    session = session_of(clock)
    session.call("PUT", "/issue/1", json={}, headers={"Content-Type": "application/merge+json"})
    session.call("GET", "/issue/1")
    first, second = (call.request for call in mocked.calls)
    assert first.headers["Content-Type"] == "application/merge+json"
    assert (second.body, second.headers.get("Content-Type")) == (None, None)


def test_a_query_has_its_booleans_in_lower_case_and_its_words_as_they_are(
    clock: Clock, mocked: responses.RequestsMock
) -> None:
    mocked.add("GET", SITE + "/issue/1", json={})
    session_of(clock).call("GET", "/issue/1", params={"a": True, "b": "True", "c": 3, "d": None})
    assert mocked.calls[0].request.url == SITE + "/issue/1?a=true&b=True&c=3"


def test_an_official_package_may_give_query_body_and_headers_by_place(
    clock: Clock, mocked: responses.RequestsMock
) -> None:
    mocked.add("PUT", SITE + "/issue/1", json={})
    session_of(clock).request("PUT", SITE + "/issue/1", {"q": "1"}, "body", {"X-Mine": "1"})
    sent = mocked.calls[0].request
    assert (sent.url, sent.body, sent.headers["X-Mine"]) == (SITE + "/issue/1?q=1", "body", "1")
    session_of(clock).request("PUT", SITE + "/issue/1", {"q": "1"}, params={"q": "named wins"})
    assert mocked.calls[1].request.url == SITE + "/issue/1?q=named+wins"


def test_an_official_package_gets_a_status_that_it_expects(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/issue/1", status=404, json={"a": 1})
    response = session_of(clock).request("GET", SITE + "/issue/1", expect=[404])
    assert (response.status_code, response.json()) == (404, {"a": 1})


def test_every_attempt_has_our_time_outs_and_follows_no_redirect(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def sent(self: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
        seen.append(options)
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b"{}"
        return answer

    monkeypatch.setattr(requests.Session, "request", sent)
    session_of(clock).request("GET", SITE + "/issue/1", allow_redirects=True)
    session_of(clock, timeout_s=(1.0, 2.0)).call("PUT", "/issue/1")
    assert [(one["timeout"], one["allow_redirects"]) for one in seen] == [((10.0, 60.0), False), ((1.0, 2.0), False)]


def test_calls_that_change_something_are_counted_apart(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("PUT", SITE + "/issue/1", json={})
    mocked.add("GET", SITE + "/issue/1", json={})
    session = session_of(clock)
    for method in ("GET", "PUT", "GET", "PUT"):
        session.call(method, "/issue/1")
    assert session.writes == {"PUT /issue/{id}": 2}
    assert session.calls == {"PUT /issue/{id}": 2, "GET /issue/{id}": 2}


def test_there_is_a_connection_for_every_call_in_flight(clock: Clock) -> None:
    adapter: Any = session_of(clock, limits=Limits(reads_in_flight=3, writes_in_flight=4)).get_adapter(SITE)
    assert adapter.poolmanager.connection_pool_kw["maxsize"] == 7


def test_a_map_is_as_wide_as_reads_may_be_in_flight(clock: Clock) -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    session = session_of(clock, limits=Limits(reads_in_flight=3, writes_in_flight=9))
    assert next(session.map(str, source())) == "0"
    assert len(taken) == 3


# --- what is said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 401, "json": {"message": "Who are you?"}}, "(401: Who are you?)"),
        ({"status": 401}, "(401)"),
        ({"status": 403, "headers": {"X-Authentication-Denied-Reason": "CAPTCHA"}}, "(403: CAPTCHA)"),
        (
            {"status": 401, "json": {"message": "no"}, "headers": {"X-Authentication-Denied-Reason": "CAPTCHA"}},
            "(401: CAPTCHA)",
        ),
    ],
)
def test_wrong_credentials(clock: Clock, mocked: responses.RequestsMock, answer: dict[str, Any], words: str) -> None:
    told = trouble(clock, mocked, **answer)
    assert isinstance(told, Unauthorized)
    assert str(told) == (
        f"acme.example does not accept the credentials {words}. "
        "Check the user and the token of this site: they may be wrong, revoked or expired."
    )


def test_a_call_after_wrong_credentials_is_told_the_same(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/issue/1", status=401)
    session, told = session_of(clock), []
    for _ in range(2):
        with pytest.raises(Unauthorized) as caught:
            session.call("GET", "/issue/1")
        told.append(str(caught.value))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"status": 403, "json": {"message": "No."}},
            (
                "acme.example: GET /issue/{id} was refused (403): No. "
                "Ask an administrator of the site for the permission, or take this part out of the scope."
            ),
        ),
        ({"status": 418}, "acme.example: GET /issue/{id} was refused (418)."),
        ({"status": 499, "json": {"message": "Odd"}}, "acme.example: GET /issue/{id} was refused (499): Odd."),
        ({"status": 199}, "acme.example: GET /issue/{id} was refused (199)."),
    ],
)
def test_a_refusal(clock: Clock, mocked: responses.RequestsMock, answer: dict[str, Any], words: str) -> None:
    told = trouble(clock, mocked, headers={"X-Echo": "a"}, **answer)
    assert isinstance(told, Refused)
    assert str(told) == words
    assert (told.status, told.headers["x-echo"]) == (answer["status"], "a")


def test_a_refusal_in_no_known_encoding_is_told_all_the_same(clock: Clock, mocked: responses.RequestsMock) -> None:
    assert "(400): caf\ufffd" in str(trouble(clock, mocked, status=400, body=b"caf\xe9"))


@pytest.mark.parametrize(
    ("status", "headers", "to"),
    [
        (300, {}, "a page"),
        (302, {"Location": "https://login.example/in?token=1"}, "login.example"),
        (399, {"Location": "/elsewhere"}, "a page"),
    ],
)
def test_a_redirect(
    clock: Clock, mocked: responses.RequestsMock, status: int, headers: dict[str, str], to: str
) -> None:
    told = trouble(clock, mocked, status=status, headers=headers)
    assert isinstance(told, Unreadable)
    assert str(told) == (
        f"acme.example: GET /issue/{{id}} was sent elsewhere ({status} to {to}). "
        "Credentials are not sent there: set base_url to the site's real address."
    )


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize(
    ("body", "content_type"), [("<html>", "application/json"), ("Sign in", "text/html"), ("<!doctype html>", "")]
)
def test_a_web_page(clock: Clock, mocked: responses.RequestsMock, status: int, body: str, content_type: str) -> None:
    told = trouble(clock, mocked, status=status, body=body, content_type=content_type)
    assert isinstance(told, Unreadable)
    assert str(told) == (
        f"acme.example: GET /issue/{{id}} answered with a web page instead of data ({status}). "
        "Check base_url; a login page or a proxy may stand in between."
    )


def test_broken_json_that_stays(clock: Clock, mocked: responses.RequestsMock) -> None:
    told = trouble(clock, mocked, body="{", content_type="application/json")
    assert isinstance(told, Unreadable)
    assert str(told) == (
        "acme.example: GET /issue/{id} answered with broken JSON. "
        "Try again; if it stays, check what stands between us and it."
    )


def test_broken_json_after_a_write_that_may_not_be_repeated(clock: Clock, mocked: responses.RequestsMock) -> None:
    told = trouble(clock, mocked, "POST", body="{", content_type="application/json")
    assert isinstance(told, FateUnknown)
    assert str(told) == (
        "acme.example: POST /issue answered with broken JSON. Whether it was applied is not known; the next run looks."
    )


@pytest.mark.parametrize(("status", "body"), [(200, " "), (201, ""), (204, ""), (299, "\n")])
def test_an_empty_answer_to_a_write_is_an_answer(
    clock: Clock, mocked: responses.RequestsMock, status: int, body: str
) -> None:
    mocked.add("PUT", SITE + "/issue/1", status=status, body=body)
    assert session_of(clock).call("PUT", "/issue/1").data is None


def test_an_empty_answer_to_a_read_is_none_unless_it_says_so(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/issue/1", status=204)
    assert session_of(clock).call("GET", "/issue/1").data is None
    mocked.add("GET", SITE + "/issue/2", status=200)
    with pytest.raises(Unreadable, match="broken JSON"):
        session_of(clock).call("GET", "/issue/2")


LATER = "Try again later; if it stays, check the network and the site's status page."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 500}, "answered 500. "),
        ({"status": 599, "json": {"message": "It is away"}}, "answered 599: It is away. "),
        ({"body": requests.ConnectTimeout("no")}, "could not be reached (no). "),
        ({"body": requests.ReadTimeout("no")}, "gave no answer within 60 s (no). "),
        (
            {"body": requests.ConnectionError("it: reset")},
            "cut the connection before its answer was complete (reset). ",
        ),
    ],
)
def test_a_site_that_stays_away(
    clock: Clock, mocked: responses.RequestsMock, answer: dict[str, Any], words: str
) -> None:
    told = trouble(clock, mocked, **answer)
    assert isinstance(told, Unavailable)
    assert str(told) == f"acme.example: GET /issue/{{id}} {words}{LATER}"
    assert (len(mocked.calls), len(clock.slept)) == (5, 4)


def test_a_write_of_unknown_fate(clock: Clock, mocked: responses.RequestsMock) -> None:
    told = trouble(clock, mocked, "POST", body=requests.ReadTimeout("late"))
    assert isinstance(told, FateUnknown)
    assert str(told) == (
        "acme.example: POST /issue gave no answer within 60 s (late). "
        "Whether it was applied is not known; the next run looks."
    )


def test_a_certificate_that_is_not_accepted_is_not_tried_again(clock: Clock, mocked: responses.RequestsMock) -> None:
    told = trouble(clock, mocked, body=requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    assert isinstance(told, Unreadable)
    assert str(told) == (
        "acme.example: the site's certificate is not accepted. "
        "Check base_url, and that this machine trusts the certificate's issuer."
    )
    assert len(mocked.calls) == 1


@pytest.mark.parametrize(
    ("answer", "words", "asked_s"),
    [
        ({"status": 429}, "answered 429 (too many requests)", None),
        ({"status": 429, "json": {"message": "Slow down"}}, "answered 429 (Slow down)", None),
        ({"status": 503, "headers": {"Retry-After": "3"}}, "answered 503 (too many requests)", 3.0),
    ],
)
def test_a_site_that_asks_for_time_again_and_again(
    clock: Clock, mocked: responses.RequestsMock, answer: dict[str, Any], words: str, asked_s: float | None
) -> None:
    told = trouble(clock, mocked, **answer)
    assert isinstance(told, Unavailable)
    assert str(told) == (
        f"acme.example: GET /issue/{{id}} {words} again and again. Try again later, or lower the limits of this site."
    )
    assert told.retry_after_s == asked_s


def test_a_wait_beyond_patience(clock: Clock, mocked: responses.RequestsMock) -> None:
    told = trouble(clock, mocked, status=429, headers={"Retry-After": "121"})
    assert isinstance(told, Unavailable)
    until = (NOW + dt.timedelta(seconds=121)).astimezone()
    assert str(told) == (
        f"acme.example asks us to wait 121 s, longer than this run waits (120 s). "
        f"It may go on at {until:%H:%M}: run again then."
    )


def test_a_wait_as_long_as_the_patience_is_sat_out(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/issue/1", status=429, headers={"Retry-After": "120"})
    mocked.add("GET", SITE + "/issue/1", json=1)
    assert session_of(clock).call("GET", "/issue/1").data == 1
    assert clock.slept == [120.0]


def test_a_pause_of_the_credential_holds_back_the_next_call(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/issue/1", status=429, headers={"Retry-After": "200"})
    mocked.add("GET", SITE + "/issue/2", json=2)
    session = session_of(clock, max_wait_s=100.0)
    with pytest.raises(Unavailable):
        session.call("GET", "/issue/1")
    clock.at += 150
    assert session.call("GET", "/issue/2").data == 2
    assert clock.slept == [50.0]


def test_our_own_wait_after_a_429_holds_back_everybody_of_the_credential(
    clock: Clock, mocked: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    mocked.add("GET", SITE + "/issue/1", status=429)
    mocked.add("GET", SITE + "/issue/1", json=1)
    limiter = Limiter(Limits(), lambda: clock.at, clock.sleep)
    waits: list[float] = []
    session = PoliteSession(SITE, ENDPOINTS, limiter, monotonic=lambda: clock.at, sleep=waits.append, now=lambda: NOW)
    session.call("GET", "/issue/1")
    assert waits == [0.7]
    assert clock.slept == pytest.approx([0.7]), "whoever does not sleep itself is held back as long"


def test_without_patience_no_wait_is_sat_out(clock: Clock, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/issue/1", status=429, headers={"Retry-After": "0.5"})
    with pytest.raises(Unavailable, match=r"asks us to wait 0 s, longer than this run waits \(0 s\)"):
        session_of(clock, max_wait_s=0.0).call("GET", "/issue/1")
    assert (len(mocked.calls), clock.slept) == (1, [])


# --- what is logged and refused -------------------------------------------------------------------------------------


def test_the_log_tells_each_answer_with_its_time_and_waits_of_more_than_five_seconds(
    clock: Clock, mocked: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    for asked_s in ("5", "6"):
        mocked.add("GET", SITE + "/issue/1", status=429, headers={"Retry-After": asked_s})

    def slow(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        clock.at += 2
        return 200, {}, "1"

    mocked.add_callback("GET", SITE + "/issue/1", slow)
    with caplog.at_level(logging.DEBUG, "pmosync.http"):
        session_of(clock).call("GET", "/issue/1")
    told = [record.getMessage() for record in caplog.records if record.name == "pmosync.http"]
    assert told == [
        "acme.example GET /issue/{id} -> 429 in 0 ms",
        "acme.example GET /issue/{id} -> 429 in 0 ms",
        "acme.example: waiting 6 s before GET /issue/{id} is sent again",
        "acme.example GET /issue/{id} -> 200 in 2000 ms",
    ]


@pytest.mark.parametrize(
    ("base_url", "told"), [("acme.example", "'acme.example'"), ("https://user:pw@acme.example", "'acme.example'")]
)
def test_an_address_that_is_no_site(clock: Clock, base_url: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        session_of(clock, base_url)
    assert f"base_url {told} is not the address of a site" in str(caught.value)
    assert "write it like https://acme.atlassian.net, without a user or a password in it" in str(caught.value)


@pytest.mark.parametrize("url", ["https://acme.example/ctx", "https://acme.example/ctxt/issue/1", SITE + "/issue/../x"])
def test_an_address_outside_the_site(clock: Clock, url: str) -> None:
    with pytest.raises(Refused) as caught:
        session_of(clock).get(url)
    assert str(caught.value) == f"An address outside {SITE} was asked for: nothing was sent."
    assert caught.value.status == 0


def test_a_path_may_have_two_dots_in_a_word_and_anything_in_its_query(
    clock: Clock, mocked: responses.RequestsMock
) -> None:
    mocked.add("GET", SITE + "/issue/a..b", json=1)
    assert session_of(clock).get(SITE + "/issue/a..b?next=/..").json() == 1


def test_a_write_on_the_read_only_twin(clock: Clock) -> None:
    with pytest.raises(Refused) as caught:
        session_of(clock, read_only=True).call("PUT", "/issue/1")
    assert str(caught.value) == ("acme.example: PUT /issue/{id} would change something, and this run may only read.")
    assert caught.value.status == 0
