"""Credentials that were refused rest between runs, longer each time."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from pmosync.denials import hold_back, remember_denial
from pmosync.errors import Unauthorized, Unavailable
from pmosync.http import Endpoint, Limiter, Limits, PoliteSession
from pmosync.store import Store

URL = "https://acme.example"
ME = Endpoint("GET", "/me", repeatable=True, reads=True)
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr("pmosync.denials.ROUNDS", 1)
    made = Store(tmp_path / "store.db")
    yield made
    made.close()


def run(store: Store, now: dt.datetime, status: int, digest: str = "one", verb: str = "sync") -> tuple[int, str]:
    """One run: the calls that reached the site, and what was told."""
    limiter = Limiter(Limits(), lambda: 0.0, lambda _: None)
    session = PoliteSession(URL, [ME], limiter, now=lambda: now, monotonic=lambda: 0.0, sleep=lambda _: None)
    told = ""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as site:
        site.get(f"{URL}/me", status=status, json={})
        if verb != "reconcile":
            hold_back(store, "acme", session, lambda: digest, now)
        try:
            session.call("GET", "/me")
        except (Unauthorized, Unavailable) as no:
            told = str(no)
        remember_denial(store, "acme", session, lambda: digest, lambda: now)
        return len(site.calls), told


def later(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def test_refused_credentials_are_tried_ever_more_seldom_and_at_most_once_a_day_in_the_end(store: Store) -> None:
    tried = []
    for minutes in range(0, 5 * 24 * 60, 15):
        calls, told = run(store, later(minutes), 401)
        assert told
        if calls:
            tried.append(minutes)
    pauses = [second - first for first, second in itertools.pairwise(tried)]
    assert pauses[:6] == [30, 60, 120, 240, 480, 960]
    assert set(pauses[6:]) == {24 * 60}


def test_who_is_held_back_is_told_why_and_when_it_goes_on(store: Store) -> None:
    run(store, NOON, 401)
    calls, told = run(store, later(5), 401)
    assert calls == 0
    until = later(30).astimezone().strftime("%Y-%m-%d %H:%M")
    assert f"not tried again before {until}" in told
    assert "does not accept the credentials (401)" in told


def test_other_credentials_are_tried_at_once(store: Store) -> None:
    run(store, NOON, 401)
    assert run(store, later(5), 200, digest="two") == (1, "")
    assert run(store, later(10), 200, digest="one") == (1, ""), "the site let us in, so all is forgotten"


def test_a_reconcile_tries_at_once_and_what_lets_it_in_ends_the_rest(store: Store) -> None:
    run(store, NOON, 401)
    assert run(store, later(5), 200, verb="reconcile") == (1, "")
    assert run(store, later(10), 200) == (1, "")


def test_a_site_that_is_away_has_not_let_anybody_in(store: Store) -> None:
    run(store, NOON, 401)
    assert run(store, later(30), 503)[0] == 5
    run(store, later(31), 401)
    assert run(store, later(90), 401)[0] == 0, "the second refusal in a row rests for an hour"


def test_nothing_of_the_credentials_stands_in_the_store(store: Store, tmp_path: Path) -> None:
    run(store, NOON, 401, digest="a-digest-of-a-secret")
    store.close()
    assert not any(b"a-digest-of-a-secret" in path.read_bytes() for path in tmp_path.iterdir())
