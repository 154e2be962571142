"""One cycle, as function calls: the file to read first.

    pull        connector -> records      page by page                        per site, under its lock
    normalise   records -> tasks ...      only what changed                   ┐
    hear        commands -> decisions     what people ask of us in comments   │
    derive      tasks -> facts                                                │
    judge       facts -> verdicts         each standard is one SQL predicate  │ over all sites, one transaction,
    settle      verdicts -> findings      with the causes                     │ under the store's lock
    summarise   tasks, findings -> rollups                                    │
    plan        marks wanted vs marks known -> plan                           ┘
    guard       refuse a plan that changes too much
    push        plan -> receipts          intention stored first              per site, under its lock

Every cycle starts from what is there; a cycle that dies is made good by the next one. A site in trouble or under
another run's lock delays no other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from pmosync import settle
from pmosync.contract import Clock
from pmosync.cycle.concluding import conclude, keep_health, verdicts
from pmosync.cycle.outcome import STORE_LOCK, STORE_WAIT_S, Outcome, Setup, SiteOutcome
from pmosync.cycle.pulling import pulled, resolved
from pmosync.cycle.pushing import apply, push_all, retract
from pmosync.decisions.accepted import Take
from pmosync.errors import Locked
from pmosync.store import Store

__all__ = ["Outcome", "Setup", "SiteOutcome", "apply", "cycle", "keep_health", "resolved", "retract", "verdicts"]


def cycle(
    store: Store,
    setup: Setup,
    clock: Clock,
    *,
    full: bool = False,
    write: bool = False,
    take: Take | None = None,
    trial: bool = False,
) -> Outcome:
    """Run one cycle.

    Args:
        full: pull everything and prove it complete (reconcile); else what changed (sync).
        write: push the plan; without it the cycle stops at the plan.
        take: accepts what is found before anything is planned.
        trial: plan as if it were accepted, and leave the store as it is without that.
    """
    outcome = Outcome({source.name: SiteOutcome() for source in setup.working()})
    setup = pulled(store, setup, outcome, full=full, clock=clock)
    try:
        with store.lock(STORE_LOCK, STORE_WAIT_S):
            found = None if take is None else _found(store, setup, clock(), full=full)
            with store.trial() if trial else store.begin() as connection:
                if take is not None:
                    accepted, outcome.taken = take(connection)
                    setup = replace(setup, accepted=accepted)
                conclude(connection, setup, clock(), outcome, full=full, write=write)
            outcome.settled = found or outcome.settled
    except Locked as held:
        outcome.locked = str(held)
        return outcome
    if outcome.ended:
        setup.end(outcome.ended)
    if write:
        push_all(store, setup, outcome, clock)
    return outcome


def _found(store: Store, setup: Setup, now: dt.datetime, *, full: bool) -> settle.Settled:
    """Judge before anything is accepted; what came and went."""
    before = Outcome({source.name: SiteOutcome() for source in setup.working()})
    with store.begin() as connection:
        conclude(connection, setup, now, before, full=full)
    return before.settled
