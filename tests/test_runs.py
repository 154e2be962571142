"""How a run ended, in one line, and what is remembered of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pmosync.cycle import Outcome, SiteOutcome
from pmosync.errors import GuardRefused, Unavailable
from pmosync.pull import Pulled
from pmosync.push import Pushed
from pmosync.runs import LastRuns, last_runs, one_line, remember
from pmosync.settle import Settled
from pmosync.store import Store

BEGAN = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
DOWN = Unavailable("the site does not answer")


def test_the_line_says_what_was_read_and_written_and_what_else_happened() -> None:
    sites = {"acme-jira": SiteOutcome(Pulled(12, 3), Pushed(2)), "acme-asana": SiteOutcome(Pulled(5))}
    outcome = Outcome(sites, settled=Settled(new=5, resolved=1))
    assert one_line(outcome, 11, 1.23, 0) == (
        "acme-jira: 12 read, 3 changed, 2 written; acme-asana: 5 read, 0 changed; "
        "findings 5 new, 1 resolved; 11 requests; 1.2 s; exit 0"
    )


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome({"a": SiteOutcome(locked="held")}), "a: held by another run; findings 0 new"),
        (Outcome({"a": SiteOutcome(trouble=DOWN)}), "a: in trouble; findings 0 new"),
        (Outcome({"a": SiteOutcome()}), "a: nothing to do; "),
        (Outcome({"a": SiteOutcome(Pulled(1))}, locked="held"), "a: 1 read, 0 changed; not judged; "),
        (Outcome({"a": SiteOutcome(Pulled(1))}, refused=GuardRefused("no")), "held back by the guard; "),
        (Outcome({"a": SiteOutcome(Pulled(1, unobserved={"project:1": "403"}))}), "0 changed, 1 unobserved; "),
        (Outcome({"a": SiteOutcome(Pulled(1), Pushed(0, ["no"], ["lost"]))}), "0 written, 1 refused, 1 unknown; "),
    ],
)
def test_what_went_wrong_is_in_the_line(outcome: Outcome, told: str) -> None:
    assert told in one_line(outcome, 1, 0.1, 11)


def test_a_run_is_remembered_for_the_sites_that_it_reached(tmp_path: Path) -> None:
    store = Store(tmp_path / "pmosync.db")
    try:
        sites = {
            "done": SiteOutcome(Pulled(1)),
            "held": SiteOutcome(locked="held"),
            "down": SiteOutcome(trouble=DOWN),
            "partly": SiteOutcome(Pulled(1, trouble=DOWN), trouble=DOWN),
        }
        remember(store, Outcome(sites), "sync", BEGAN)
        remember(store, Outcome({"done": SiteOutcome(Pulled(1))}), "reconcile", BEGAN + dt.timedelta(hours=1))
        remember(store, Outcome({"held": SiteOutcome(Pulled(1))}, locked="held"), "sync", BEGAN)
        assert last_runs(store, "done") == LastRuns(BEGAN, BEGAN + dt.timedelta(hours=1))
        assert last_runs(store, "done").any == BEGAN + dt.timedelta(hours=1)
        assert last_runs(store, "partly") == LastRuns(BEGAN)
        for name in ("held", "down"):
            assert last_runs(store, name) == LastRuns()
            assert last_runs(store, name).any is None
    finally:
        store.close()
