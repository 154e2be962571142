"""The end of a cycle: push a plan, a saved one, or the one that takes everything away."""

from __future__ import annotations

from pmosync import mapping as mappings
from pmosync import plan
from pmosync.contract import Clock
from pmosync.cycle.concluding import basis_of, conclude, decided, slots_of
from pmosync.cycle.outcome import STORE_LOCK, STORE_WAIT_S, Outcome, Setup, SiteOutcome
from pmosync.cycle.pulling import prepare, pulled
from pmosync.errors import GuardRefused, Locked, PlanMoved, SiteTrouble
from pmosync.plan import Plan
from pmosync.pull import store_echoes
from pmosync.push import push
from pmosync.site import Site
from pmosync.store import Store, read_meta, write_meta


def push_all(store: Store, setup: Setup, outcome: Outcome, clock: Clock) -> None:
    """Push the plan of a cycle to the sites that it read, unless the guard refuses it."""
    try:
        setup.guard.check(outcome.plan, setup.approved(outcome.plan))
    except GuardRefused as refused:
        outcome.refused = refused
        return
    for source in setup.working():
        told = outcome.sites[source.name]
        if told.trouble is None and not told.locked:
            push_site(store, source, outcome.plan, told, clock)


def push_site(
    store: Store, source: Site, wanted: Plan, outcome: SiteOutcome, clock: Clock, *, looked: bool = False
) -> None:
    """Push one site's part of a plan under its lock, after making our own places there.

    Args:
        looked: whether the slots were read in the tool just now.
    """
    lines = wanted.of(source.name)
    if not lines:
        return
    try:
        with store.lock(source.name):
            with store.reading() as connection:
                missing = read_meta(connection, f"setup {source.name}")
            if missing:
                source = prepare(store, source, outcome, write=True)
            outcome.pushed = push(store, source, lines, store_echoes, clock(), looked=looked)
            outcome.trouble = outcome.pushed.trouble
    except SiteTrouble as trouble:
        outcome.trouble = trouble
    except Locked as held:
        outcome.locked = str(held)


def apply(store: Store, setup: Setup, saved: Plan, clock: Clock) -> Outcome:
    """Push exactly a saved plan.

    Raises:
        PlanMoved: what it was made from, or a slot that it touches, is not what it was; nothing is written.
        GuardRefused: it changes too much and nobody approved it.
    """
    plan.same_basis(saved.basis, {**basis_of(setup), **decided(setup)})
    setup.guard.check(saved, setup.approved(saved))
    outcome = Outcome({source.name: SiteOutcome() for source in setup.working()}, saved)
    for source in setup.working():
        lines = saved.of(source.name)
        expected = {line.change().slot: line for line in lines}
        for reading in source.connector.read(list(expected)):
            line = expected[reading.slot]
            if reading.why or reading.value != line.before:
                raise PlanMoved(
                    f"{source.name} {line.key}: the slot {line.slot} is not what it was when the plan was made"
                    f"{f' ({reading.why})' if reading.why else ''}. Nothing was written; make the plan anew"
                )
    for source in setup.working():
        push_site(store, source, saved, outcome.sites[source.name], clock, looked=True)
    return outcome


def retract(store: Store, setup: Setup, clock: Clock, *, write: bool) -> Outcome:
    """Remove every mark and every place that we made, also on items that left the scope.

    Args:
        write: do it; without it only the plan is made.
    """
    outcome = Outcome({source.name: SiteOutcome() for source in setup.working()})
    setup = pulled(store, setup, outcome, full=True, clock=clock)
    slots = slots_of(setup)
    with store.lock(STORE_LOCK, STORE_WAIT_S), store.begin() as connection:
        conclude(connection, setup, clock(), outcome, full=True)
        outcome.plan = plan.clear_all(connection, slots)
        for source in setup.working():
            write_meta(connection, f"setup {source.name}", "")  # nothing is made only to be taken away
    if not write:
        return outcome
    for source in setup.working():
        told = outcome.sites[source.name]
        if told.trouble is not None or told.locked:
            continue
        push_site(store, source, outcome.plan, told, clock)
        # What was refused stands where we may not write: taking our places away is all that can still clear it.
        if told.trouble is None and not (told.pushed and told.pushed.unknown):
            _release(store, source, told)
    return outcome


def _release(store: Store, source: Site, outcome: SiteOutcome) -> None:
    """Remove the places that we made, and forget their pins."""
    before = source.scope()
    outcome.notes += source.connector.release(before)
    kept = {name: value for name, value in source.mapping.pins.items() if not _ours(name)}
    mappings.write_lock(source.lock_path, kept)
    with store.begin() as connection:
        write_meta(connection, f"prepared {source.name}", "")


def _ours(pin: str) -> bool:
    """Whether a pin names a place of ours; the names that a mapping uses have a slash (`task/Start date`)."""
    return "/" not in pin
