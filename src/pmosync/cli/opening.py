"""Makes ready what a verb works with: configuration, standards, register, decisions, open sites and the store.

Everything is read and checked before a site is asked or the store is touched; whatever was opened is closed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from os import environ
from typing import Any

from pmosync.cli.approving import allowed
from pmosync.cli.options import Common
from pmosync.cli.terminal import warn
from pmosync.cli.watching import Steps, Watched
from pmosync.config import Config, OpenSite, load, load_register, open_sites
from pmosync.config.register import homes_of
from pmosync.contract import Clock
from pmosync.cycle import Setup
from pmosync.decisions import Approval, Waiver, read_approvals, read_waivers
from pmosync.errors import Misconfigured
from pmosync.register import Register
from pmosync.site import Site
from pmosync.standards import Standard, load_packs
from pmosync.store import Store
from pmosync.workdays import day_number


@dataclass(frozen=True, slots=True)
class Ready:
    """What a cycle takes, and the open sites that were asked for."""

    config: Config
    store: Store
    setup: Setup
    sites: Sequence[OpenSite]
    clock: Clock


def configured(options: Common) -> Config:
    """The configuration that the command line or the environment names."""
    return load(options.config, environ)


def standards_of(config: Config) -> tuple[Standard, ...]:
    """The standards that the configuration names."""
    return load_packs([str(name) for name in config.standards], config.path.parent)


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


@contextmanager
def ready(
    options: Common,
    names: Sequence[str] | None,
    *,
    read_only: bool = False,
    approvals: Sequence[Approval] = (),
) -> Iterator[Ready]:
    """Everything for a cycle.

    Args:
        names: of the sites to read and write; none: all. The others are judged as they are stored.
        read_only: on a transport that cannot write.
        approvals: given on this command line, beside those of the decisions.
    """
    config, clock = configured(options), options.clock()
    standards, register = standards_of(config), load_register(config)
    waivers = _waivers(config, clock)
    asked = chosen(config, names)
    with ExitStack() as stack:
        sites = open_sites(config, config.sites, clock=clock, read_only=read_only)
        for site in sites:
            stack.enter_context(site)
        known = (*approvals, *_approvals(config))
        store = Store(config.store)
        stack.callback(store.close)
        steps = stack.enter_context(Steps(quiet=options.quiet))
        setup = Setup(
            sites=[_site(site, register, steps) for site in sites],
            register=register,
            profile=config.profile,
            standards=standards,
            workdays=config.workdays,
            guard=config.guard,
            waivers=waivers,
            approved=lambda plan: allowed(plan, known, clock()),
            asked=frozenset(asked),
        )
        yield Ready(config, store, setup, [site for site in sites if site.name in asked], clock)


def _site(site: OpenSite, register: Register, steps: Steps) -> Site:
    opened = site.for_cycle(homes_of(register, site.name))
    return replace(opened, connector=Watched(site.name, opened.connector, steps))


def _waivers(config: Config, clock: Clock) -> list[Mapping[str, Any]]:
    """Rows of the store's table; a waiver that is not clear is told and does not count."""
    found, wrong = read_waivers(config.decisions, clock().astimezone(config.zone).date())
    for mistake in wrong:
        warn(str(mistake))
    return [_row(waiver) for waiver in found]


def _row(waiver: Waiver) -> Mapping[str, Any]:
    return {
        "site": waiver.site,
        "key": waiver.key,
        "whole_project": int(waiver.covers == "project"),
        "standard": waiver.standard,
        "until": day_number(waiver.until_on),
        "reason": waiver.reason,
        "approved_by": waiver.approved_by,
    }


def _approvals(config: Config) -> tuple[Approval, ...]:
    found, wrong = read_approvals(config.decisions)
    for mistake in wrong:
        warn(str(mistake))
    return found
