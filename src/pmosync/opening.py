"""Makes ready what a cycle works with: configuration, standards, register, decisions, open sites and the store.

Everything is read and checked before a site is asked or the store is touched; whatever was opened is closed again. How
a run is watched (progress bars, a request to stop) is handed in as a function over connectors.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pmosync.approving import allowed
from pmosync.commands import Desk
from pmosync.config import Config, OpenSite, credentials, load_people, load_register, open_sites, terms_of
from pmosync.config.governing import check_gates
from pmosync.config.modes import load_modes, persisting
from pmosync.config.register import homes_of
from pmosync.contract import Clock, Connector
from pmosync.cycle import Setup
from pmosync.decisions import (
    Accepted,
    Approval,
    Baselines,
    Debt,
    Waivers,
    read_accepted,
    read_approvals,
    read_baselines,
    read_disputes,
    read_waivers,
)
from pmosync.decisions.accepted import append_ended
from pmosync.denials import hold_back, remember_denial
from pmosync.errors import Misconfigured
from pmosync.modes import Modes, Said, modes_of
from pmosync.people import Person, staff_of
from pmosync.register import Register
from pmosync.site import Site
from pmosync.standards import Standard, load_packs
from pmosync.store import Store

log = logging.getLogger("pmosync.decisions")

Watch = Callable[[str, Connector], Connector]
"""Puts something between a cycle and the connector of a site that looks on, e.g. a progress bar."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of an organisation say, beside its mappings."""

    config: Config
    standards: tuple[Standard, ...]
    register: Register
    said: tuple[Said, ...]
    """How hard is asked, beside the profiles."""
    people: Sequence[Person] = ()
    """Those of the people file."""

    @property
    def modes(self) -> Modes:
        """How hard everybody asks."""
        return modes_of(self.config.profile, self.register, self.said)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What people decided, as far as it is clear."""

    waivers: Waivers
    approvals: tuple[Approval, ...]
    baselines: Baselines
    accepted: Accepted
    unclear: tuple[Misconfigured, ...]
    """What is not clear: it is told and does not count."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a cycle takes, and the open sites that were asked for."""

    config: Config
    store: Store
    setup: Setup
    sites: Sequence[OpenSite]
    clock: Clock


def standards_of(config: Config) -> tuple[Standard, ...]:
    """The standards that the configuration names."""
    return persisting(config, load_packs([str(name) for name in config.standards], Path()))


def chosen(config: Config, names: Sequence[str] | None) -> list[str]:
    """The sites that were asked for: those that were named, in the order of the configuration, else all."""
    asked = {config.site(name).name for name in names or ()}
    return [name for name in config.sites if not asked or name in asked]


@contextmanager
def stored(config: Config) -> Iterator[Store]:
    """The store as an earlier run left it."""
    if not config.store.exists():
        raise Misconfigured(f"there is no store {config.store} yet", hint="run `pmosync sync` first")
    store = Store(config.store)
    try:
        yield store
    finally:
        store.close()


def read_files(config: Config) -> Files:
    """Everything that has to be right before anything is opened."""
    standards, register = standards_of(config), load_register(config)
    check_gates(register, standards)
    people = load_people(config)
    said = load_modes(config, register, standards)
    return Files(config, standards, register, said, people.persons if people else ())


def read_decisions(config: Config, standards: Sequence[Standard]) -> Decisions:
    """The decisions folder as it stands now."""
    waivers = read_waivers(config.decisions, terms_of(config, standards))
    approvals, unclear = read_approvals(config.decisions)
    baselines = read_baselines(config.decisions)
    accepted = read_accepted(config.decisions)
    _, disputes = read_disputes(config.decisions)
    mistakes = (*waivers.unclear, *unclear, *disputes, *(one.error for one in baselines.unclear), *accepted.unclear)
    return Decisions(waivers, tuple(approvals), baselines, accepted, mistakes)


def setup_of(files: Files, decisions: Decisions, sites: Iterable[Site], asked: Iterable[str], clock: Clock) -> Setup:
    """The value that a cycle takes.

    Args:
        sites: all of the configuration.
        asked: the names of those to read and write; the others are judged as they are stored.
    """
    return Setup(
        sites=list(sites),
        organisation=files.config.organisation,
        register=files.register,
        profile=files.config.profile,
        standards=files.standards,
        workdays=files.config.workdays,
        guard=files.config.guard,
        waivers=decisions.waivers.rows(),
        baselines=decisions.baselines,
        approved=lambda plan: allowed(plan, decisions.approvals, clock()),
        asked=frozenset(asked),
        guidance=files.config.guidance,
        desk=Desk(files.config.decisions, terms_of(files.config, files.standards), files.config.askers),
        said=files.said,
        ladder=files.config.ladder,
        staff=staff_of(files.people, files.config.hours_per_week, files.config.workdays),
        accepted=decisions.accepted,
        end=lambda debts: _end(files.config, debts, clock()),
    )


def _end(config: Config, debts: Sequence[Debt], now: dt.datetime) -> None:
    """Write down what was put right; where that cannot be written the next run tries again."""
    try:
        append_ended(config.decisions, debts, now.astimezone(config.zone).date())
    except Misconfigured as error:
        log.warning("%s", error)


@contextmanager
def ready(
    config: Config,
    names: Sequence[str] | None,
    *,
    clock: Clock,
    watch: Watch,
    warn: Callable[[str], None],
    doing: str,
    read_only: bool = False,
    approvals: Sequence[Approval] = (),
) -> Iterator[Ready]:
    """Everything for one cycle.

    Args:
        names: of the sites to read and write; none: all. The others are judged as they are stored.
        warn: told of decisions that are not clear.
        doing: the verb, for those who find a lock held.
        read_only: on a transport that cannot write.
        approvals: given for this run, beside those of the decisions.
    """
    files, asked = read_files(config), chosen(config, names)
    decisions = read_decisions(config, files.standards)
    for mistake in decisions.unclear:
        warn(str(mistake))
    decisions = replace(decisions, approvals=(*approvals, *decisions.approvals))
    with ExitStack() as stack:
        opened = open_sites(config, config.sites, clock=clock, read_only=read_only)
        for site in opened:
            stack.enter_context(site)
        store = Store(config.store, doing)
        stack.callback(store.close)
        for site in opened:
            known = partial(credentials, config, site.name)
            if doing != "reconcile":  # somebody who asks for everything is not kept waiting
                hold_back(store, site.name, site.session, known, clock())
            stack.callback(remember_denial, store, site.name, site.session, known, clock)
        sites = [site_of(site, files.register, watch) for site in opened]
        setup = setup_of(files, decisions, sites, asked, clock)
        if read_only:
            setup = replace(setup, end=lambda debts: None)
        yield Ready(config, store, setup, [site for site in opened if site.name in asked], clock)


def site_of(opened: OpenSite, register: Register, watch: Watch) -> Site:
    """An open site as a cycle takes it, with somebody looking on."""
    site = opened.for_cycle(homes_of(register, opened.name), register.rollup_homes(opened.name))
    return replace(site, connector=watch(opened.name, opened.connector))
