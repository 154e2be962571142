"""The first half of a cycle: make each mapping ready, find our own places, pull; site by site, under its lock."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sqlalchemy import select

from pmosync import mapping as mappings
from pmosync import marks
from pmosync.contract import Clock, canonical
from pmosync.cycle.outcome import Outcome, Setup, SiteOutcome
from pmosync.errors import Locked, Misconfigured, SiteTrouble
from pmosync.pull import pull
from pmosync.push import keep_limitations
from pmosync.site import Site
from pmosync.store import Store, read_meta, upsert, write_meta
from pmosync.store.tables import site


def pulled(store: Store, setup: Setup, outcome: Outcome, *, full: bool, clock: Clock) -> Setup:
    """Pull the sites that were asked for; returns the setup with their mappings made ready."""
    sites = [
        _pull(store, source, outcome.sites[source.name], full=full, clock=clock)
        if source.name in outcome.sites
        else source
        for source in setup.sites
    ]
    return replace(setup, sites=sites)


def _pull(store: Store, source: Site, outcome: SiteOutcome, *, full: bool, clock: Clock) -> Site:
    try:
        with store.lock(source.name):
            return _pull_locked(store, source, outcome, full=full, clock=clock)
    except Locked as held:
        outcome.locked = str(held)
    return source


def _pull_locked(store: Store, source: Site, outcome: SiteOutcome, *, full: bool, clock: Clock) -> Site:
    """Make the mapping ready, find our own places when that is due, then pull."""
    with store.reading() as connection:
        stored = connection.scalar(select(site.c.mapping).where(site.c.name == source.name))
        asked = set((read_meta(connection, f"asked {source.name}") or "").split("\n"))
        prepared = read_meta(connection, f"prepared {source.name}")
    try:
        if source.mapping.unresolved or stored != source.mapping.hash:
            source = resolved(source)
        everything = full or not set(source.mapping.asked()) <= asked
        wanted = _places(source)
        if everything or prepared != wanted:
            source = prepare(store, source, outcome, write=False)
    except SiteTrouble as trouble:
        outcome.trouble = trouble
        with store.begin() as connection:
            upsert(connection, site, [{"name": source.name, "trouble": str(trouble)}])
        return source
    outcome.pulled = pull(store, source, full=everything, now=clock())
    outcome.trouble = outcome.pulled.trouble
    if outcome.trouble is None:
        with store.begin() as connection:
            write_meta(connection, f"asked {source.name}", "\n".join(source.mapping.asked()))
    return source


def resolved(source: Site) -> Site:
    """The site with every name of its mapping pinned by id, checked against what the site offers.

    Raises:
        Misconfigured: with everything that is wrong in the mapping.
    """
    catalog = source.connector.describe()
    mapping = mappings.resolve(source.mapping, catalog)
    wrong = mappings.check(mapping, catalog, source.capabilities)
    if wrong:
        raise Misconfigured("\n".join(str(one) for one in wrong))
    mappings.write_lock(source.lock_path, mapping.pins)
    return replace(source, mapping=mapping)


def _places(source: Site) -> str:
    """What our own places on a site depend on: asked for anew when it changes."""
    scope = source.scope()
    places = [dict(scope.homes), dict(scope.rollups)]
    text = canonical([scope.projects, scope.portfolios, scope.slots, places, source.mapping.mail, marks.FORMAT])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def prepare(store: Store, source: Site, outcome: SiteOutcome, *, write: bool) -> Site:
    """Find our own places (make them, with `write`) and remember where we may not write."""
    prepared = source.connector.prepare(source.scope(), write)
    mapping = mappings.with_pins(source.mapping, dict(prepared.pins))
    if dict(mapping.pins) != dict(source.mapping.pins):
        mappings.write_lock(source.lock_path, mapping.pins)
    limits = [(one.project, one.slot, one.why) for one in prepared.limitations]
    with store.begin() as connection:
        outcome.notes += keep_limitations(connection, source.name, limits)
        missing = () if write else prepared.writes
        write_meta(connection, f"prepared {source.name}", "" if missing else _places(source))
        write_meta(connection, f"setup {source.name}", "\n".join(missing))
    return replace(source, mapping=mapping)
