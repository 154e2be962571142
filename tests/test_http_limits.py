"""Checks the limiter, the table of endpoints and the waits one by one, on a clock that only sleeping moves."""

from __future__ import annotations

import random
import threading
import time as real_time
from typing import Any

import pytest

from pmosync.errors import Refused, Unavailable
from pmosync.http import Endpoint, Limiter, Limits
from pmosync.http.attempts import Again, wait_s
from pmosync.http.endpoints import Table
from pmosync.http.limiter import WaitTooLong
from pmosync.http.parallel import in_order

READ = Endpoint("GET", "/issue/{id}", repeatable=True, reads=True)
SEARCH = Endpoint("POST", "/search", repeatable=True, reads=True, group="search")
WRITE = Endpoint("PUT", "/issue/{id}", repeatable=True, reads=False)


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limiter_of(clock: Clock, **limits: Any) -> Limiter:
    return Limiter(Limits(**limits), lambda: clock.at, clock.sleep)


def go(limiter: Limiter, endpoint: Endpoint = READ, **options: Any) -> None:
    with limiter.pass_(endpoint, **options):
        pass


# --- rates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limits", "slept"), [({"per_second": 2}, [1.0]), ({"per_minute": 2}, [60.0])])
def test_a_rate_lets_its_number_through_at_once_and_the_next_after_its_period(
    clock: Clock, limits: dict[str, float], slept: list[float]
) -> None:
    limiter = limiter_of(clock, **limits)
    go(limiter)
    go(limiter)
    assert clock.slept == []
    go(limiter)
    assert clock.slept == slept


def test_a_rate_is_over_the_last_period_and_not_from_the_first_call_on(clock: Clock) -> None:
    limiter = limiter_of(clock, per_minute=2)
    go(limiter)
    clock.at += 20
    go(limiter)
    clock.at += 30
    go(limiter)
    go(limiter)
    assert clock.slept == [10.0, 20.0]


def test_a_rate_of_less_than_one_call_spreads_the_calls(clock: Clock) -> None:
    limiter = limiter_of(clock, per_second=0.25)
    go(limiter)
    go(limiter)
    assert clock.slept == [4.0]


@pytest.mark.parametrize(("per_second", "whole"), [(1.5, 1), (2.9, 2)])
def test_a_fraction_of_a_call_is_not_made(clock: Clock, per_second: float, whole: int) -> None:
    limiter = limiter_of(clock, per_second=per_second)
    for _ in range(whole + 1):
        go(limiter)
    assert clock.slept == [1.0]


def test_a_heavy_call_waits_for_room_for_all_of_its_parts(clock: Clock) -> None:
    limiter = limiter_of(clock, per_minute=4)
    go(limiter, weight=2)
    clock.at += 10
    go(limiter)
    clock.at += 10
    go(limiter, weight=3)
    assert clock.slept == [40.0], "two of the four have to be a minute old"
    go(limiter)
    assert clock.slept == [40.0, 10.0]


def test_a_call_heavier_than_the_limit_waits_for_an_empty_window_and_then_goes(clock: Clock) -> None:
    limiter = limiter_of(clock, per_minute=2)
    go(limiter)
    go(limiter, weight=9)
    assert clock.slept == [60.0]


def test_a_group_is_limited_for_itself_and_counts_in_the_whole(clock: Clock) -> None:
    limiter = limiter_of(clock, per_second=2, groups={"search": 1, "other": 1})
    go(limiter, SEARCH)
    go(limiter)
    go(limiter)
    assert clock.slept == [1.0]
    go(limiter, SEARCH)
    assert clock.slept == [1.0, 59.0]


# --- pauses ---------------------------------------------------------------------------------------------------------


def test_the_longest_pause_counts(clock: Clock) -> None:
    limiter = limiter_of(clock)
    limiter.pause(30)
    limiter.pause(5)
    go(limiter)
    assert clock.slept == [30.0]


def test_a_pause_as_long_as_the_patience_is_sat_out_and_a_longer_one_is_told(clock: Clock) -> None:
    limiter = limiter_of(clock)
    limiter.pause(30)
    with pytest.raises(WaitTooLong, match=r"^30 s$") as told:
        go(limiter, patience_s=29.9)
    assert told.value.wait_s == 30
    assert clock.slept == []
    go(limiter, patience_s=30)
    assert clock.slept == [30.0]


def test_a_call_that_was_not_let_through_is_not_counted(clock: Clock) -> None:
    limiter = limiter_of(clock, per_minute=1)
    limiter.pause(30)
    with pytest.raises(WaitTooLong):
        go(limiter, patience_s=1)
    go(limiter)
    assert clock.slept == [30.0]


@pytest.mark.parametrize(("endpoint", "other"), [(READ, WRITE), (WRITE, READ)])
def test_what_is_in_flight_holds_back_its_own_kind_alone(clock: Clock, endpoint: Endpoint, other: Endpoint) -> None:
    limiter = limiter_of(clock, reads_in_flight=1, writes_in_flight=1)
    entered = threading.Event()

    def enter() -> None:
        go(limiter, endpoint)
        entered.set()

    with limiter.pass_(endpoint):
        go(limiter, other)
        second = threading.Thread(target=enter)
        second.start()
        assert not entered.wait(0.05)
    second.join(5)
    assert entered.is_set()


# --- endpoints ------------------------------------------------------------------------------------------------------


def test_a_placeholder_stands_for_one_segment_and_the_rest_is_literal() -> None:
    table = Table([Endpoint("GET", "/a.b/{id}/x", repeatable=True, reads=True)])
    assert table.find("GET", "/a.b/17/x?next=/a").template == "/a.b/{id}/x"
    for path in ("/aXb/17/x", "/a.b/1/7/x", "/a.b//x", "/a.b/17/x/more", "/more/a.b/17/x"):
        with pytest.raises(Refused):
            table.find("GET", path)


def test_an_unnamed_call_is_refused_with_its_name_and_what_to_do() -> None:
    with pytest.raises(Refused) as refused:
        Table([READ]).find("PUT", "/issue/1?secret=x")
    assert str(refused.value) == (
        "PUT /issue/1 is not among the endpoints of this connector. "
        "Add it to the connector's ENDPOINTS, saying whether it may be repeated and whether it only reads."
    )
    assert refused.value.status == 0


@pytest.mark.parametrize("turned", [False, True])
def test_the_more_literal_endpoint_wins_wherever_it_stands(turned: bool) -> None:
    several = [
        Endpoint("GET", template, repeatable=True, reads=True)
        for template in ("/{a}/recent", "/issue/{id}", "/issue/recent")
    ]
    table = Table(several[::-1] if turned else several)
    assert table.find("GET", "/issue/recent").template == "/issue/recent"
    assert table.find("GET", "/issue/7").template == "/issue/{id}"
    assert table.find("GET", "/task/recent").template == "/{a}/recent"


def test_a_batch_is_what_all_of_its_actions_are() -> None:
    outer = Endpoint("POST", "/batch", repeatable=False, reads=False, group="batch")
    post = Endpoint("POST", "/issue", repeatable=False, reads=False)
    table = Table([READ, WRITE, post, outer])

    def joined(*methods: tuple[str, str]) -> tuple[Endpoint, int]:
        actions = [{"method": method, "relative_path": path} for method, path in methods]
        return table.find_batch(outer, {"data": {"actions": actions}})

    get, put, create = ("get", "/issue/1"), ("PUT", "/issue/2"), ("post", "/issue")
    name, group = ("POST", "/batch"), "batch"
    assert joined(get, get) == (Endpoint(*name, repeatable=True, reads=True, group=group), 2)
    assert joined(get, put, get) == (Endpoint(*name, repeatable=True, reads=False, group=group), 3)
    assert joined(get, create) == (Endpoint(*name, repeatable=False, reads=False, group=group), 2)


# --- waits and threads ----------------------------------------------------------------------------------------------


class Failed:
    """What tenacity tells about an attempt."""

    def __init__(self, attempt: int, trouble: Exception) -> None:
        self.attempt_number = attempt
        self.outcome = self
        self._trouble = trouble

    def exception(self) -> Exception:
        return self._trouble


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0)])
def test_waits_double_and_what_the_site_asked_for_is_the_least(
    monkeypatch: pytest.MonkeyPatch, attempt: int, seconds: float
) -> None:
    spread: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        spread.append((low, high))
        return 0.5

    monkeypatch.setattr(random, "uniform", uniform)
    trouble = Unavailable("away")

    def waited(error: Exception) -> float:
        return wait_s(Failed(attempt, error))  # type: ignore[arg-type]

    assert waited(Again(trouble)) == seconds
    assert waited(ValueError("no answer of a site")) == seconds
    assert waited(Again(trouble, 100.0)) == 100.0
    assert waited(Again(trouble, 0.1)) == seconds
    assert set(spread) == {(0.7, 1.3)}


def test_a_failed_attempt_says_what_to_raise_when_patience_ends() -> None:
    trouble = Unavailable("away")
    again = Again(trouble, 3.0, key="GET /issue/{id}")
    assert (again.trouble, again.wait_s, again.key, str(again)) == (trouble, 3.0, "GET /issue/{id}", "away")
    assert Again(trouble).key is None


def test_results_come_in_order_from_so_many_threads_at_most() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(number: int) -> tuple[int, str]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        real_time.sleep(0.01 if number % 2 else 0.002)
        with lock:
            running -= 1
        return number, threading.current_thread().name

    results = list(in_order(work, range(12), 3))
    assert [number for number, _ in results] == list(range(12))
    assert most <= 3
    assert len({name for _, name in results}) > 1
    assert all(name.startswith("pmosync-http") for _, name in results)


def test_with_a_width_of_one_nothing_is_taken_ahead() -> None:
    taken: list[int] = []

    def source() -> Any:
        for number in range(5):
            taken.append(number)
            yield number

    results = in_order(str, source(), 1)
    assert (next(results), taken) == ("0", [0])
    assert (next(results), taken) == ("1", [0, 1])


def test_no_thread_is_at_work_any_more_when_an_error_comes_out() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            begun.wait(5)
            raise ValueError("first")
        begun.set()
        real_time.sleep(0.1)
        ended.set()

    with pytest.raises(ValueError, match="first"):
        list(in_order(work, range(2), 2))
    assert ended.is_set()
