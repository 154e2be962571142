"""The sandbox's Asana keeps to the vendor's limits: by action, refused calls too, whole batches, debts, in flight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.asana_limits import AsanaLimits
from pmosync.sandbox.faults import Asked
from pmosync.sandbox.limits import BadLimit, Limits
from pmosync.sandbox.state import State


class Desk:
    """Limits on a clock that a test moves."""

    def __init__(self, state: State, **settings: Any) -> None:
        self.now, self.state = 1000.0, state
        self.limits = AsanaLimits(lambda: self.now)
        self.limits.replace(settings)

    def ask(self, method: str, path: str, body: Any, query: dict[str, str]) -> Asked:
        return Asked("asana", method, f"/api/1.0{path}", method != "GET", query, body, self.state)

    def call(
        self, path: str = "/users/me", method: str = "GET", body: Any = None, found: Any = None, user: str = "bot",
        headers: dict[str, str] | None = None, **query: str,
    ) -> Any:  # fmt: skip
        """One call; its refusal, or the answer as it leaves."""
        request = Request(EnvironBuilder(headers=list((headers or {}).items())).get_environ())
        with self.limits.passing(self.ask(method, path, body, query), request, user) as passage:
            passage.answer = passage.refused or json_answer({"data": found if found is not None else {}})
        return passage.answer

    def batch(self, *paths: str, method: str = "get") -> Any:
        made = [{"method": method, "relative_path": path} for path in paths]
        return self.call("/batch", "POST", {"data": {"actions": made}})


@pytest.fixture
def state() -> Iterator[State]:
    found = State()
    yield found
    found.close()


def wait_s(answer: Any) -> int:
    assert answer.status_code == 429
    return int(answer.headers["Retry-After"])


def test_the_plan_says_how_many_calls_an_account_has_and_refused_ones_count(state: State) -> None:
    desk = Desk(state, asana_plan="free")
    assert [desk.call().status_code for _ in range(150)] == [200] * 150
    assert wait_s(desk.call()) == 60
    assert desk.call(user="ann").status_code == 200, "somebody else's minute"
    desk.now += 59
    assert wait_s(desk.call()) == 1
    desk.now += 1
    assert [desk.call().status_code for _ in range(149)] == [200] * 149, "the one refused a second ago counts"
    assert wait_s(desk.call()) == 60, "and so does this one"


def test_a_batch_counts_its_actions_and_is_refused_whole(state: State) -> None:
    desk = Desk(state, asana_per_minute=12)
    assert desk.batch(*["/users/me"] * 10).status_code == 200
    assert wait_s(desk.batch("/users/me", "/users/me", "/users/me")) == 60
    desk.now += 60
    assert desk.batch(*["/users/me"] * 10).status_code == 200
    assert desk.batch("/users/me").status_code == 200


def test_searches_have_a_limit_of_their_own_also_within_a_batch(state: State) -> None:
    desk = Desk(state, asana_search_per_minute=2)
    search = "/workspaces/1/tasks/search?text=a"
    assert desk.call("/workspaces/1/tasks/search").status_code == 200
    assert wait_s(desk.batch(search, "/users/me", search)) == 60
    assert desk.call().status_code == 200
    desk.now += 60
    assert desk.batch(search, search).status_code == 200


def test_reads_and_writes_in_flight_are_counted_apart_until_they_end(state: State) -> None:
    desk = Desk(state, asana_reads_in_flight=10, asana_writes_in_flight=2)
    ten = {"data": {"actions": [{"method": "get", "relative_path": "/users/me"}] * 10}}
    request = Request(EnvironBuilder().get_environ())
    with desk.limits.passing(desk.ask("POST", "/batch", ten, {}), request, "bot") as passage:
        assert passage.refused is None
        assert wait_s(desk.call()) == 1
        assert desk.call(method="PUT").status_code == 200
        assert wait_s(desk.batch("/tasks/1", "/tasks/2", "/tasks/3", method="put")) == 1
    assert desk.call().status_code == 200


def test_an_answer_is_paid_for_afterwards_and_a_debt_is_waited_out(state: State) -> None:
    desk = Desk(state, asana_cost=600)
    rows = [{"gid": str(number)} for number in range(100)]
    assert desk.call("/tasks", found=rows, opt_fields="a,b,c,d,e,f,g,h").status_code == 200, "800 of 600 are spent"
    owed_s = wait_s(desk.call())
    assert 20 <= owed_s <= 21
    desk.now += owed_s
    assert desk.call().status_code == 200


def test_each_answer_of_a_batch_is_paid_for_by_its_own_fields(state: State) -> None:
    desk = Desk(state, asana_cost=60)
    made = [
        {"method": "get", "relative_path": "/tasks/1", "options": {"fields": ["a", "b"]}},
        {"method": "get", "relative_path": "/tasks/2"},
    ]
    found = [{"status_code": 200, "body": {"data": {}}}, {"status_code": 200, "body": {"data": [{}] * 20}}]
    assert desk.call("/batch", "POST", {"data": {"actions": made}}, found=found).status_code == 200
    assert wait_s(desk.call()) == 3, "2 and 3 x 20 are 62: 2 beyond, and one to go on with"


def test_a_change_is_announced_to_who_has_not_decided(state: State) -> None:
    changes = [{"name": "a", "info": "https://x", "affected": True}, {"name": "b", "info": "https://y"}]
    desk = Desk(state, asana_changes=changes)
    assert desk.call().headers.getlist("Asana-Change") == [
        "name=a;info=https://x;affected=true", "name=b;info=https://y;affected=false",
    ]  # fmt: skip
    told = desk.call(headers={"Asana-Disable": "x, a"}).headers.getlist("Asana-Change")
    assert told == ["name=b;info=https://y;affected=false"]


def test_a_plan_that_does_not_exist_is_refused_and_the_limits_stay() -> None:
    limits = Limits()
    with pytest.raises(BadLimit, match="no asana_plan 'gold': there are free, paid"):
        limits.replace({"asana_plan": "gold"})
