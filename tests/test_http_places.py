"""Checks that a batch counts by its actions and is not starved by single calls, and that notices are told once."""

from __future__ import annotations

import logging
import threading
import time as real_time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import responses

from pmosync.errors import Refused, Unavailable
from pmosync.http import Endpoint, FateUnknown, Limiter, Limits, Manners, Notice, PoliteSession
from pmosync.http.endpoints import Table
from pmosync.http.limiter import WaitTooLong
from tests.test_http import NOW, FakeTime

SITE = "https://acme.example/ctx"
READ = Endpoint("GET", "/task/{id}", repeatable=True, reads=True)
SEARCH = Endpoint("GET", "/search", repeatable=True, reads=True, group="search")
WRITE = Endpoint("PUT", "/task/{id}", repeatable=True, reads=False)
MAKE = Endpoint("POST", "/task", repeatable=False, reads=False)
BATCH = Endpoint("POST", "/batch", repeatable=False, reads=False)
ALL = (READ, SEARCH, WRITE, MAKE, BATCH)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def limiter_of(time: FakeTime, **limits: Any) -> Limiter:
    return Limiter(Limits(**limits), time.monotonic, time.sleep)


def session_of(time: FakeTime, manners: Manners | None = None, host: str = SITE, **limits: Any) -> PoliteSession:
    limiter = limiter_of(time, **limits)
    made = PoliteSession(host, ALL, limiter, monotonic=time.monotonic, sleep=time.sleep, now=lambda: NOW)
    made.manners = manners or Manners()
    return made


def go(limiter: Limiter, endpoint: Endpoint = READ, **options: Any) -> None:
    with limiter.pass_(endpoint, **options):
        pass


# --- in flight --------------------------------------------------------------------------------------------------------


class Crowd:
    """Threads in flight at once, by weight, and the most there ever were."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter, self.lock = limiter, threading.Lock()
        self.now, self.most = {True: 0, False: 0}, {True: 0, False: 0}

    def fly(self, endpoint: Endpoint, weight: int, seconds: float = 0.002) -> None:
        with self.limiter.pass_(endpoint, weight=weight):
            with self.lock:
                self.now[endpoint.reads] += weight
                self.most[endpoint.reads] = max(self.most[endpoint.reads], self.now[endpoint.reads])
            real_time.sleep(seconds)
            with self.lock:
                self.now[endpoint.reads] -= weight


def test_a_batch_takes_a_place_for_each_of_its_actions_and_all_of_many_threads_get_through(time: FakeTime) -> None:
    crowd = Crowd(limiter_of(time, reads_in_flight=50, writes_in_flight=15))
    work = [(READ, 10), (READ, 1), (WRITE, 10), (READ, 3), (WRITE, 1), (READ, 10), (WRITE, 4)] * 20
    with ThreadPoolExecutor(48) as pool:
        list(pool.map(lambda one: crowd.fly(*one), work))
    assert 40 < crowd.most[True] <= 50
    assert 10 <= crowd.most[False] <= 15
    assert crowd.now == {True: 0, False: 0}


def test_a_call_heavier_than_the_lane_goes_alone(time: FakeTime) -> None:
    crowd = Crowd(limiter_of(time, reads_in_flight=4))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda weight: crowd.fly(READ, weight), [9, 1, 1, 9, 1, 1]))
    assert crowd.most[True] == 9


def test_a_batch_that_waits_for_places_is_not_overtaken_by_single_calls(time: FakeTime) -> None:
    limiter, order = limiter_of(time, writes_in_flight=15), list[str]()

    def single(name: str) -> None:
        with limiter.pass_(WRITE):
            order.append(name)

    def batch() -> None:
        with limiter.pass_(WRITE, weight=10):
            order.append("batch")

    with limiter.pass_(WRITE, weight=8):
        threads = [threading.Thread(target=batch)]
        threads[0].start()
        real_time.sleep(0.03)
        for number in range(5):
            threads.append(threading.Thread(target=single, args=(f"single {number}",)))
            threads[-1].start()
        real_time.sleep(0.05)
        assert order == [], "seven places are free, and the batch of ten is first in line"
    for thread in threads:
        thread.join(5)
    assert order[0] == "batch"
    assert len(order) == 6


def test_who_is_interrupted_in_the_line_leaves_it(time: FakeTime) -> None:
    limiter = limiter_of(time, reads_in_flight=2, per_minute=1)
    limiter.pause(100)
    with pytest.raises(WaitTooLong):
        go(limiter, weight=2, patience_s=1)
    time.at += 100
    go(limiter, weight=2)
    assert time.slept == []


# --- by the minute ----------------------------------------------------------------------------------------------------


def test_single_calls_leave_a_batch_the_room_that_it_waits_for(time: FakeTime) -> None:
    went: list[str] = []
    nested: list[threading.Thread] = []

    def single() -> None:
        with limiter.pass_(READ):
            went.append("single")

    def sleep(seconds: float) -> None:
        """While the batch sleeps five places come free, and somebody else would like one of them."""
        if not nested:
            nested.append(threading.Thread(target=single))
            time.at += seconds - 1
            nested[0].start()
            real_time.sleep(0.03)
            assert went == [], "one place of the ten is not free: it is kept for the batch"
            time.at += 1
        elif threading.current_thread() is nested[0]:
            while "batch" not in went:
                real_time.sleep(0.005)

    limiter = Limiter(Limits(per_minute=10), time.monotonic, sleep)
    go(limiter, weight=5)
    time.at += 30
    go(limiter, weight=5)
    time.at += 29
    with limiter.pass_(READ, weight=10):
        went.append("batch")
    time.at += 60
    nested[0].join(5)
    assert went == ["batch", "single"]


def test_a_search_that_waits_for_its_group_holds_back_nobody_else(time: FakeTime) -> None:
    limiter = limiter_of(time, per_minute=10, groups={"search": 1})
    go(limiter, SEARCH)
    with pytest.raises(RuntimeError, match="asleep"):
        _go_interrupted(limiter)
    go(limiter)
    assert time.slept == []
    go(limiter, SEARCH)
    assert time.slept == [60.0], "who gave up keeps no room"


def _go_interrupted(limiter: Limiter) -> None:
    def stop(seconds: float) -> None:
        raise RuntimeError("stopped while asleep")

    calm, limiter._sleep = limiter._sleep, stop
    try:
        go(limiter, SEARCH)
    finally:
        limiter._sleep = calm


def test_a_lowered_limit_counts_what_was_started_before(time: FakeTime) -> None:
    limiter = limiter_of(time, per_minute=10)
    go(limiter, weight=6)
    assert limiter.started() == 6
    assert limiter.lower(4)
    assert not limiter.lower(4), "it is so already"
    assert not limiter.lower(9), "lowering never raises"
    go(limiter)
    assert time.slept == [60.0]
    assert limiter.left() == {"60 s": 3}
    unlimited = limiter_of(time)
    assert unlimited.started() == 0
    assert unlimited.lower(1)
    go(unlimited)
    go(unlimited)
    assert time.slept == [60.0, 60.0]


def test_slack_makes_a_minute_longer_for_all_and_for_groups(time: FakeTime) -> None:
    limiter = limiter_of(time, per_minute=1, slack_s=1.5)
    go(limiter)
    go(limiter)
    assert time.slept == [61.5]
    assert limiter.left() == {"60 s": 0}
    grouped = limiter_of(time, groups={"search": 1}, slack_s=2)
    go(grouped, SEARCH)
    go(grouped, SEARCH)
    assert time.slept == [61.5, 62.0]


def test_a_map_uses_the_threads_that_the_limits_name(time: FakeTime) -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    session = session_of(time, reads_in_flight=50, at_once=3)
    assert next(session.map(str, source())) == "0"
    assert len(taken) == 3


# --- batches ----------------------------------------------------------------------------------------------------------


def actions(*some: tuple[str, str]) -> dict[str, Any]:
    return {"data": {"actions": [{"method": method, "relative_path": path} for method, path in some]}}


def test_a_batch_with_one_search_counts_among_the_searches() -> None:
    table = Table(ALL)
    joined, weight = table.find_batch(BATCH, actions(("get", "/task/1"), ("get", "/search?text=x")))
    assert (joined.group, joined.reads, weight) == ("search", True, 2)
    assert table.find_batch(BATCH, actions(("get", "/task/1")))[0].group == ""


def test_a_batch_that_was_refused_for_haste_is_sent_again_whole_though_it_may_not_be_repeated(
    time: FakeTime, mocked: responses.RequestsMock
) -> None:
    made = actions(("post", "/task"), ("post", "/task"))
    mocked.add("POST", SITE + "/batch", status=429, headers={"Retry-After": "7.5"})
    mocked.add("POST", SITE + "/batch", json={"data": [{"status_code": 201}, {"status_code": 201}]})
    session = session_of(time, per_minute=4)
    assert session.call("POST", "/batch", json=made, read_as="batch").status == 200
    assert time.slept == [7.5]
    bodies = [call.request.body for call in mocked.calls]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert session.limiter.started() == 4, "what was refused counts at the site"


def test_a_batch_whose_answer_got_lost_is_not_sent_again(time: FakeTime, mocked: responses.RequestsMock) -> None:
    mocked.add("POST", SITE + "/batch", status=502)
    with pytest.raises(FateUnknown):
        session_of(time).call("POST", "/batch", json=actions(("post", "/task")), read_as="batch")
    assert len(mocked.calls) == 1


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("12", 12.0), ("0.25", None), (None, None), ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0)],
)
def test_a_wait_is_obeyed_in_every_form_and_holds_back_the_whole_credential(
    time: FakeTime, mocked: responses.RequestsMock, asked: str | None, waited: float | None
) -> None:
    mocked.add("GET", SITE + "/task/1", status=429, headers={"Retry-After": asked} if asked else {})
    mocked.add("GET", SITE + "/task/1", json={})
    session = session_of(time)
    session.call("GET", "/task/1")
    (slept,) = time.slept
    assert slept == waited if waited else 0.7 <= slept <= 1.3


# --- notices ----------------------------------------------------------------------------------------------------------


def announcing(endpoint: Endpoint, status: int, headers: Mapping[str, str]) -> Sequence[Notice]:
    name = headers.get("x-news", "")
    return [Notice(name, f"{name} comes, seen at {endpoint.name} ({status})", urgent="urgent" in name)] if name else ()


def test_a_notice_is_logged_once_per_process_and_kept_by_every_session(
    time: FakeTime, mocked: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    site = "https://news.example"
    for path, news in (("/task/1", "urgent-a"), ("/task/1", "urgent-a"), ("/task/1", "calm-b")):
        mocked.add("GET", site + path, json={}, headers={"X-News": news})
    caplog.set_level(logging.INFO, "pmosync.http")
    first, second = (session_of(time, Manners(notices_of=announcing), host=site) for _ in range(2))
    first.call("GET", "/task/1")
    second.call("GET", "/task/1")
    second.call("GET", "/task/1")
    second.hear("put", "/task/2", 200, {"X-News": "calm-c"})
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "news.example: urgent-a comes, seen at GET /task/{id} (200)"),
        ("INFO", "news.example: calm-b comes, seen at GET /task/{id} (200)"),
        ("INFO", "news.example: calm-c comes, seen at PUT /task/{id} (200)"),
    ]
    assert list(first.notices) == ["urgent-a"]
    assert list(second.notices) == ["urgent-a", "calm-b", "calm-c"]


def test_a_refusal_may_announce_something_as_well(time: FakeTime, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/task/1", status=404, headers={"X-News": "gone"})
    session = session_of(time, Manners(notices_of=announcing))
    with pytest.raises(Refused):
        session.call("GET", "/task/1")
    assert list(session.notices) == ["gone"]


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_phrase_of_a_breakdown_is_told_and_logged_and_the_help_is_left_out(
    time: FakeTime, mocked: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    error = {"message": "Server Error", "phrase": "6 sad squid snuggle softly", "help": "For more information on ..."}
    mocked.add("GET", SITE + "/task/1", status=500, json={"errors": [error]})
    mocked.add("GET", SITE + "/task/2", status=500, json={"errors": [{"phrase": "7 glad cats"}]})
    caplog.set_level(logging.INFO, "pmosync.http")
    with pytest.raises(Unavailable, match=r"Server Error \(for its support: 6 sad squid snuggle softly\)") as told:
        session_of(time).call("GET", "/task/1")
    assert "For more" not in str(told.value)
    assert "6 sad squid" in caplog.text
    with pytest.raises(Unavailable, match=r"500: \(for its support: 7 glad cats\)"):
        session_of(time).call("GET", "/task/2")


def test_a_tool_may_name_its_own_next_steps(time: FakeTime, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", SITE + "/task/1", status=402, json={"message": "Pay"})

    def step(endpoint: Endpoint, status: int, words: str) -> str:
        return f"Buy {endpoint.template} for {status}, as it says {words!r}."

    with pytest.raises(Refused, match=r"\(402\): Pay\. Buy /task/\{id\} for 402, as it says 'Pay'\.$"):
        session_of(time, Manners(step_on=step)).call("GET", "/task/1")
