"""Checks the polite session against mocked answers: naming, counting, retries, waiting, errors and secrets."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from pmosync.errors import Misconfigured, Refused, Unauthorized, Unavailable, Unreadable
from pmosync.http import Endpoint, FateUnknown, Limiter, Limits, PoliteSession

SITE = "https://acme.example/ctx"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
ENDPOINTS = (
    Endpoint("GET", "/issue/{id}", repeatable=True, reads=True),
    Endpoint("GET", "/issue/recent", repeatable=True, reads=True),
    Endpoint("POST", "/search", repeatable=True, reads=True, group="search"),
    Endpoint("PUT", "/issue/{id}", repeatable=True, reads=False),
    Endpoint("POST", "/issue", repeatable=False, reads=False),
    Endpoint("POST", "/batch", repeatable=False, reads=False),
)


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


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def make_session(time: FakeTime, limits: Limits | None = None, base_url: str = SITE, **options: Any) -> PoliteSession:
    limiter = Limiter(limits or Limits(), time.monotonic, time.sleep)
    return PoliteSession(
        base_url, ENDPOINTS, limiter, monotonic=time.monotonic, sleep=time.sleep, now=lambda: NOW, **options
    )


def answers(
    mocked: responses.RequestsMock, *several: dict[str, Any], method: str = "GET", path: str = "/issue/1"
) -> None:
    for one in several:
        mocked.add(method, SITE + path, **one)


def test_a_call_returns_status_lower_case_headers_and_data(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"json": {"id": 1}, "headers": {"X-Thing": "a"}})
    answer = make_session(time).call("GET", "/issue/1", params={"notify": False, "none": None})
    assert (answer.status, answer.headers["x-thing"], answer.data) == (200, "a", {"id": 1})
    assert mocked.calls[0].request.url == SITE + "/issue/1?notify=false"


def test_every_attempt_is_counted_under_its_most_literal_endpoint(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    answers(mocked, {"status": 500}, {"json": {}})
    answers(mocked, {"json": []}, path="/issue/recent")
    session = make_session(time)
    session.call("GET", "/issue/1")
    session.call("GET", "/issue/recent")
    assert session.calls == {"GET /issue/{id}": 2, "GET /issue/recent": 1}


def test_a_call_that_no_table_names_is_refused_before_it_is_sent(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    session = make_session(time)
    with pytest.raises(Refused, match="ENDPOINTS"):
        session.call("GET", "/issue/1/comment")
    assert len(mocked.calls) == 0


@pytest.mark.parametrize("path", ["/issue/..", "/issue/%2e%2e", "/../issue/1"])
def test_a_path_that_climbs_out_is_refused(time: FakeTime, path: str) -> None:
    with pytest.raises(Refused, match="outside"):
        make_session(time).call("GET", path)


def test_an_address_on_another_host_gets_nothing_from_us(time: FakeTime, mocked: responses.RequestsMock) -> None:
    session = make_session(time)
    with pytest.raises(Refused, match="nothing was sent"):
        session.get("https://evil.example/ctx/issue/1")
    assert len(mocked.calls) == 0


@pytest.mark.parametrize("method_path", [("PUT", "/issue/1"), ("POST", "/issue")])
def test_the_read_only_twin_lets_no_write_through(
    time: FakeTime, mocked: responses.RequestsMock, method_path: tuple[str, str]
) -> None:
    session = make_session(time, read_only=True)
    with pytest.raises(Refused, match="may only read"):
        session.call(*method_path, json={})
    assert len(mocked.calls) == 0


def test_the_read_only_twin_lets_a_post_that_reads_through(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"json": {"issues": []}}, method="POST", path="/search")
    assert make_session(time, read_only=True).call("POST", "/search", json={}).data == {"issues": []}


def batch_of(*actions: tuple[str, str]) -> dict[str, Any]:
    return {"data": {"actions": [{"method": m, "relative_path": p} for m, p in actions]}}


def test_a_batch_of_reads_passes_the_read_only_twin_and_may_be_repeated(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    answers(mocked, {"status": 502}, {"json": []}, method="POST", path="/batch")
    body = batch_of(("get", "/issue/1?opt_fields=name"), ("GET", "/issue/2"))
    assert make_session(time, read_only=True).call("POST", "/batch", json=body, read_as="batch").data == []
    assert len(mocked.calls) == 2


def test_a_batch_with_one_write_does_not_pass_the_read_only_twin(time: FakeTime) -> None:
    body = batch_of(("GET", "/issue/1"), ("PUT", "/issue/1"))
    with pytest.raises(Refused, match="may only read"):
        make_session(time, read_only=True).call("POST", "/batch", json=body, read_as="batch")


def test_a_batch_with_an_unrepeatable_action_is_not_repeated(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"status": 502}, method="POST", path="/batch")
    with pytest.raises(FateUnknown):
        make_session(time).call("POST", "/batch", json=batch_of(("POST", "/issue")), read_as="batch")
    assert len(mocked.calls) == 1


def test_the_actions_of_a_batch_count_one_by_one_in_the_limits(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"json": []}, method="POST", path="/batch")
    session = make_session(time, Limits(per_minute=10))
    body = batch_of(*[("GET", "/issue/1")] * 6)
    session.call("POST", "/batch", json=body, read_as="batch")
    session.call("POST", "/batch", json=body, read_as="batch")
    assert sum(time.slept) == pytest.approx(60.0)


# --- retries --------------------------------------------------------------------------------------------------------


def test_a_repeatable_call_is_sent_again_with_growing_waits(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, *[{"status": s} for s in (500, 502, 503, 504)], {"json": 1})
    assert make_session(time).call("GET", "/issue/1").data == 1
    for slept, base in zip(time.slept, (1, 2, 4, 8), strict=True):
        assert base * 0.7 <= slept <= base * 1.3


def test_after_five_attempts_the_site_is_unavailable_and_the_message_says_what_to_do(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    answers(mocked, {"status": 502, "json": {"errorMessages": ["upstream is away"]}})
    with pytest.raises(
        Unavailable, match=r"acme\.example: GET /issue/\{id\} answered 502: upstream is away\. Try again"
    ):
        make_session(time).call("GET", "/issue/1")
    assert len(mocked.calls) == 5


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_may_not_be_repeated_has_an_unknown_fate_after_a_server_error(
    time: FakeTime, mocked: responses.RequestsMock, status: int
) -> None:
    answers(mocked, {"status": status}, method="POST", path="/issue")
    with pytest.raises(FateUnknown, match="not known"):
        make_session(time).call("POST", "/issue", json={})
    assert len(mocked.calls) == 1


def test_a_write_that_sets_a_value_is_repeated(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"body": requests.ConnectionError("reset")}, {"status": 204}, method="PUT")
    assert make_session(time).call("PUT", "/issue/1", json={}).data is None


@pytest.mark.parametrize(
    "first",
    [{"status": 429}, {"status": 503, "headers": {"Retry-After": "1"}}, {"body": requests.ConnectTimeout("no")}],
)
def test_any_verb_is_sent_again_when_the_first_call_was_not_executed(
    time: FakeTime, mocked: responses.RequestsMock, first: dict[str, Any]
) -> None:
    answers(mocked, first, {"json": {"id": 7}}, method="POST", path="/issue")
    assert make_session(time).call("POST", "/issue", json={}).data == {"id": 7}


@pytest.mark.parametrize(
    ("value", "least"), [("2", 2.0), ("30", 30.0), ("1.5", 1.5), ("Sat, 21 Nov 2026 12:00:40 GMT", 40.0), ("0", 0.7)]
)
def test_retry_after_is_obeyed_in_full(
    time: FakeTime, mocked: responses.RequestsMock, value: str, least: float
) -> None:
    answers(mocked, {"status": 429, "headers": {"Retry-After": value}}, {"json": 1})
    make_session(time).call("GET", "/issue/1")
    assert least <= sum(time.slept) <= max(least, 1.3)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "nan"}])
def test_a_429_without_a_usable_retry_after_waits_as_we_would(
    time: FakeTime, mocked: responses.RequestsMock, headers: dict[str, str]
) -> None:
    answers(mocked, {"status": 429, "headers": headers}, {"json": 1})
    make_session(time).call("GET", "/issue/1")
    assert 0.7 <= sum(time.slept) <= 1.3


def test_a_wait_beyond_patience_is_not_slept_but_told_with_the_time(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    answers(mocked, {"status": 429, "headers": {"Retry-After": "1847"}})
    session = make_session(time)
    until = (NOW + dt.timedelta(seconds=1847)).astimezone().strftime("%H:%M")
    with pytest.raises(Unavailable, match=f"may go on at {until}") as caught:
        session.call("GET", "/issue/1")
    assert caught.value.retry_after_s == 1847
    with pytest.raises(Unavailable, match="asks us to wait 1847 s"):
        session.call("GET", "/issue/2")
    assert (time.slept, len(mocked.calls)) == ([], 1)


def test_patience_is_for_the_whole_call(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"status": 503, "headers": {"Retry-After": "50"}})
    with pytest.raises(Unavailable, match="asks us to wait 50 s"):
        make_session(time).call("GET", "/issue/1")
    assert sum(time.slept) == 100


def test_waiting_for_our_own_limits_costs_no_patience(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"json": 1})
    session = make_session(time, Limits(per_minute=0.2))
    session.call("GET", "/issue/1")
    assert session.call("GET", "/issue/1").data == 1
    assert sum(time.slept) == pytest.approx(300)


def test_a_long_wait_is_told_in_the_log(
    time: FakeTime, mocked: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    answers(mocked, {"status": 429, "headers": {"Retry-After": "12"}}, {"json": 1})
    with caplog.at_level(logging.WARNING, "pmosync.http"):
        make_session(time).call("GET", "/issue/1")
    assert "acme.example: waiting 12 s before GET /issue/{id}" in caplog.text


# --- answers that are none ------------------------------------------------------------------------------------------


def test_wrong_credentials_are_tried_once_and_never_again(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"status": 401, "json": {"errorMessages": ["Client must be authenticated"]}})
    session = make_session(time)
    for _ in range(2):
        with pytest.raises(Unauthorized, match="Check the user and the token"):
            session.call("GET", "/issue/1")
    assert len(mocked.calls) == 1


def test_a_captcha_counts_as_wrong_credentials(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"status": 403, "headers": {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE"}})
    with pytest.raises(Unauthorized, match="CAPTCHA_CHALLENGE"):
        make_session(time).call("GET", "/issue/1")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errorMessages": ["No such issue"], "errors": {}}, "No such issue"),
        ({"errorMessages": [], "errors": {"labels": "blank in it"}}, "labels: blank in it"),
        ({"errors": [{"message": "task: Unknown object: 12", "help": "long"}]}, "task: Unknown object: 12"),
        ({"message": "Not here"}, "Not here"),
    ],
)
def test_a_refusal_carries_the_tools_own_words(
    time: FakeTime, mocked: responses.RequestsMock, body: dict[str, Any], words: str
) -> None:
    answers(mocked, {"status": 404, "json": body})
    with pytest.raises(Refused, match=r"refused \(404\)") as caught:
        make_session(time).call("GET", "/issue/1")
    assert words in str(caught.value)
    assert (caught.value.status, caught.value.body) == (404, body)
    assert len(mocked.calls) == 1


def test_a_status_that_the_caller_expects_is_an_answer(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"status": 412, "json": {"sync": "abc"}})
    answer = make_session(time).call("GET", "/issue/1", expect=(412,))
    assert (answer.status, answer.data) == (412, {"sync": "abc"})


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_web_page_instead_of_data_is_unreadable(time: FakeTime, mocked: responses.RequestsMock, status: int) -> None:
    answers(mocked, {"status": status, "body": "<!DOCTYPE html><title>Log in</title>", "content_type": "text/html"})
    with pytest.raises(Unreadable, match="base_url"):
        make_session(time).call("GET", "/issue/1")


@pytest.mark.parametrize("body", ['{"issues": [{"id"', ""])
def test_broken_json_is_asked_for_again_and_then_unreadable(
    time: FakeTime, mocked: responses.RequestsMock, body: str
) -> None:
    answers(mocked, {"body": body})
    with pytest.raises(Unreadable, match="broken JSON"):
        make_session(time).call("GET", "/issue/1")
    assert len(mocked.calls) == 5


def test_broken_json_after_an_unrepeatable_write_leaves_its_fate_unknown(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    answers(mocked, {"body": '{"id": '}, method="POST", path="/issue")
    with pytest.raises(FateUnknown):
        make_session(time).call("POST", "/issue", json={})


def test_a_redirect_is_not_followed(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"status": 302, "headers": {"Location": "https://login.example/in?token=1"}})
    with pytest.raises(Unreadable, match=r"to login\.example\)"):
        make_session(time).call("GET", "/issue/1")
    assert len(mocked.calls) == 1


# --- secrets --------------------------------------------------------------------------------------------------------


def test_secrets_are_hidden_in_messages_bodies_and_headers(time: FakeTime, mocked: responses.RequestsMock) -> None:
    echo = "token s3cr3t/x or s3cr3t%2Fx is bad"
    answers(mocked, {"status": 400, "json": {"errorMessages": [echo]}, "headers": {"X-Echo": echo}})
    session = make_session(time)
    session.keep_secret("s3cr3t/x")
    with pytest.raises(Refused) as caught:
        session.call("GET", "/issue/1")
    told = f"{caught.value} {caught.value.body} {caught.value.headers}"
    assert "s3cr3t" not in told
    assert "token *** or *** is bad" in str(caught.value)


def test_a_netrc_file_does_not_replace_our_credentials(
    time: FakeTime, mocked: responses.RequestsMock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine acme.example login eve password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answers(mocked, {"json": 1})
    session = make_session(time)
    session.headers["Authorization"] = "Bearer ours"
    session.call("GET", "/issue/1")
    assert mocked.calls[0].request.headers["Authorization"] == "Bearer ours"


@pytest.mark.parametrize("base_url", ["acme.example", "ftp://acme.example", "https://user:pw@acme.example", "https://"])
def test_a_base_url_that_is_no_plain_site_is_misconfigured(time: FakeTime, base_url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        make_session(time, base_url=base_url)
    assert "pw" not in str(caught.value)


# --- limits and threads ---------------------------------------------------------------------------------------------


def test_the_rate_per_second_is_never_exceeded_in_any_second(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"json": 1})
    session = make_session(time, Limits(per_second=5))
    starts = []
    for _ in range(23):
        session.call("GET", "/issue/1")
        starts.append(time.at)
    assert all(later - earlier >= 1.0 for earlier, later in zip(starts, starts[5:], strict=False))
    assert starts[-1] - starts[0] == pytest.approx(4.0)


def test_a_group_has_its_own_rate(time: FakeTime, mocked: responses.RequestsMock) -> None:
    answers(mocked, {"json": 1}, method="POST", path="/search")
    answers(mocked, {"json": 1})
    session = make_session(time, Limits(groups={"search": 1}))
    session.call("POST", "/search", json={})
    session.call("GET", "/issue/1")
    assert time.slept == []
    session.call("POST", "/search", json={})
    assert time.slept == [60.0]


def test_a_429_holds_back_everybody_of_the_credential(time: FakeTime, mocked: responses.RequestsMock) -> None:
    limiter = Limiter(Limits(), time.monotonic, time.sleep)
    limiter.pause(7)
    with limiter.pass_(ENDPOINTS[0]):
        assert time.slept == [7]


def test_reads_and_writes_in_flight_are_bounded_apart(time: FakeTime) -> None:
    limiter = Limiter(Limits(reads_in_flight=2, writes_in_flight=1), time.monotonic, time.sleep)
    read, write = ENDPOINTS[0], ENDPOINTS[3]
    entered = threading.Event()

    def enter() -> None:
        with limiter.pass_(read):
            entered.set()

    with limiter.pass_(read), limiter.pass_(read), limiter.pass_(write):
        third = threading.Thread(target=enter)
        third.start()
        assert not entered.wait(0.05)
    third.join(5)
    assert entered.is_set()


def test_map_keeps_the_order_and_runs_no_further_ahead_than_its_width(time: FakeTime) -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    results = make_session(time).map(lambda n: n * n, source(), width=4)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(taken) <= 3 + 4
    assert list(results) == [n * n for n in range(3, 100)]


def test_the_first_error_stops_the_rest_of_a_map(time: FakeTime) -> None:
    seen: list[int] = []

    def fail_at_five(n: int) -> int:
        seen.append(n)
        if n == 5:
            raise Refused("no", status=403)
        return n

    results = make_session(time).map(fail_at_five, iter(range(1000)), width=2)
    with pytest.raises(Refused):
        list(results)
    assert len(seen) < 20


@pytest.mark.shared
def test_error_bodies_seen_in_the_wild_are_told_in_the_tools_own_words(
    time: FakeTime, mocked: responses.RequestsMock, shared: Path
) -> None:
    lines = (shared / "data/errors/quoted_errors.jsonl").read_text().splitlines()
    assert lines
    for number, line in enumerate(lines):
        seen = json.loads(line)
        body, headers = seen["body"], {k: v for k, v in seen.get("headers", {}).items() if k.lower() != "content-type"}
        answers(mocked, {"status": seen["status"], "body": body, "headers": headers}, path=f"/issue/{number}")
        with pytest.raises((Refused, Unavailable)) as caught:
            make_session(time).call("GET", f"/issue/{number}")
        assert "<" not in str(caught.value)
        if body.startswith("{"):
            data = json.loads(body)
            first = data["errorMessages"][0] if "errorMessages" in data else data["errors"][0]["message"]
            assert first[:60] in str(caught.value)
