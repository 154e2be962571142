"""Looks whether everything is in place before anything is written: files, secrets, sites, rights, the store, standards.

The doctor reads and changes nothing, not even the store. Each check says what was found and, where something is
missing, the next step; one that cannot be made because an earlier one failed is left out.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pmosync import mapping as mappings
from pmosync.config.deciding import load_people, terms_of
from pmosync.config.expiry import ANNOUNCED_DAYS, expiry_of, told
from pmosync.config.load import Config
from pmosync.config.register import homes_of, load_register
from pmosync.config.sites import Opened, OpenSite, load_mapping, lock_path, open_connector
from pmosync.contract import Catalog, Clock, Limitation
from pmosync.decisions import read_approvals, read_waivers
from pmosync.errors import Misconfigured, PmosyncError
from pmosync.mapping import SiteMapping
from pmosync.standards import Standard, load_packs
from pmosync.waiving import holding
from pmosync.workdays import day_number

LARGEST_SKEW_S = 60.0
"""Clocks further apart are told: `Retry-After` dates and the day of a run depend on them."""
GRANT = "grant it, or leave the slot out of the mapping's `write`"
NAMED = 8
"""Projects that are named in one line."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "bad"]
    what: str
    next_step: str = ""


def doctor(config: Config, *, clock: Clock, standards: Callable[[], str]) -> list[Check]:
    """All checks, in the order in which one would set things right.

    Args:
        standards: loads the standards and runs their examples; says in a few words what there is, or raises.
    """
    checks = [_configuration(config), *_asked("register", lambda: _register(config)), *_store(config)]
    today = clock().astimezone(config.zone).date()
    checks += _asked("decisions", lambda: _decisions(config, today))
    checks += _asked("standards", lambda: [Check("standards", "ok", standards())])
    for name in config.sites:
        checks += _asked(name, lambda name=name: _site(config, name, clock))  # type: ignore[misc]
    return checks


def _asked(name: str, look: Callable[[], Any]) -> Iterator[Check]:
    """What a look finds; what goes wrong in it becomes the last check."""
    try:
        yield from look()
    except Misconfigured as error:
        what = f"{error.where}: {error.what}" if error.where else error.what
        yield Check(name, "bad", "\n".join((what, error.excerpt)) if error.excerpt else what, error.hint)
    except PmosyncError as error:
        yield Check(name, "bad", str(error), "then run `pmosync doctor` again")


def _configuration(config: Config) -> Check:
    push = "on" if config.push else "off: sync and reconcile write nothing"
    return Check("configuration", "ok", f"{config.path}: {len(config.sites)} site(s), push is {push}")


def _register(config: Config) -> Iterator[Check]:
    projects = load_register(config).projects
    yield Check("register", "ok", f"{len(projects)} project(s)" if config.register else "none is named")


def _decisions(config: Config, today: dt.date) -> Iterator[Check]:
    people = load_people(config)
    if people is not None:
        yield Check("people", "ok", f"{len(people.persons)} person(s)")
    read = read_waivers(config.decisions, terms_of(config, _standards(config)))
    _, unclear = read_approvals(config.decisions)
    for error in (*read.unclear, *unclear):
        yield Check("decisions", "warn", f"{error.where}: {error.what}", error.hint)
    for one in read.requests:
        what = f"{one.place}: waiver {one.id} of {one.standard} for {one.scope} waits for an approval"
        yield Check("decisions", "warn", what, f"pmosync waivers approve {one.id} --as PERSON, or waivers revoke")
    current = len(holding(read.rows(), day_number(today)))
    lapsed = len(read.all) - len(read.requests) - current
    yield Check("decisions", "ok", f"{current} waiver(s) count today, {lapsed} lapsed or revoked")


def _standards(config: Config) -> tuple[Standard, ...] | None:
    """Those that the configuration names; None: they cannot be read, which their own check tells."""
    try:
        return load_packs([str(name) for name in config.standards], Path())
    except Misconfigured:
        return None


# --- the store ------------------------------------------------------------------------------------------------------


def _store(config: Config) -> Iterator[Check]:
    path = config.store
    if not path.exists():
        if path.parent.is_dir() and os.access(path.parent, os.W_OK):
            yield Check("store", "ok", f"{path} is made by the first run")
        else:
            yield Check("store", "bad", f"{path} cannot be made", f"create the folder {path.parent}, writable for us")
        return
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK)):
        yield Check("store", "bad", f"{path} is not writable", "let this account write the file and its folder")
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        yield Check("store", "bad", f"{path} is no store: {error}", "move it away; the next run builds it again")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Check("store", "warn", f"{path} can be read by others (mode {mode:o})", f"chmod 600 {path}")
    else:
        yield Check("store", "ok", f"{path} is writable, for this account only")


# --- a site ---------------------------------------------------------------------------------------------------------


def _site(config: Config, name: str, clock: Clock) -> Iterator[Check]:
    with open_connector(config, name, clock=clock, read_only=True) as opened:
        yield Check(name, "ok", "its secret is there")
        yield from _transport(opened, name)
        dates: list[str] = []
        opened.session.hooks["response"].append(lambda response, **_: dates.append(response.headers.get("Date", "")))
        catalog = opened.connector.describe()
        server = f"{catalog.server}, " if catalog.server else ""
        yield Check(name, "ok", f"reached: {server}as {catalog.account.name or catalog.account.id}")
        yield from _expiry(config, opened, clock())
        yield from _clock(name, dates, clock())
        yield from _zone(config, name, catalog)
        mapping = load_mapping(config, name)
        wrong = mappings.check(mapping, catalog, opened.capabilities)
        for error in wrong:
            yield Check(name, "bad", f"{error.where}: {error.what}", error.hint)
        if not wrong:
            yield from _scope(config, opened, mappings.resolve(mapping, catalog), catalog)
        yield from _notices(opened)


def _transport(opened: Opened, name: str) -> Iterator[Check]:
    address = urlsplit(opened.session.base_url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        yield Check(name, "warn", "the secret travels unprotected: base_url is http", "write https")


def _expiry(config: Config, opened: Opened, now: dt.datetime) -> Iterator[Check]:
    """When the credentials end, if anybody knows."""
    found, today = expiry_of(opened.session, ask=True), now.astimezone(config.zone).date()
    if found is not None:
        soon = (found.on - today).days <= ANNOUNCED_DAYS
        yield Check(opened.name, "warn" if soon else "ok", told(found, today), found.next_step if soon else "")


def _notices(opened: Opened) -> Iterator[Check]:
    """What the site said beside its answers while we looked, such as that its interface will change."""
    for notice in opened.session.notices.values():
        yield Check(opened.name, "warn" if notice.urgent else "ok", notice.what, notice.next_step)


def _clock(name: str, dates: list[str], now: dt.datetime) -> Iterator[Check]:
    """The tool's clock, as its last answer told it."""
    try:
        there = parsedate_to_datetime(dates[-1]) if dates else None
    except ValueError:
        there = None
    if there is None or there.tzinfo is None:
        return
    skew_s = (there - now).total_seconds()
    if abs(skew_s) > LARGEST_SKEW_S:
        side = "ahead of" if skew_s > 0 else "behind"
        what = f"the site's clock is {abs(skew_s):.0f} s {side} this machine's"
        yield Check(name, "warn", what, "set this machine's clock by a time server")


def _zone(config: Config, name: str, catalog: Catalog) -> Iterator[Check]:
    ours = config.site(name).zone.key
    if catalog.zone and catalog.zone != ours:
        what = f"days are counted in {ours}; the account works in {catalog.zone}"
        yield Check(name, "warn", what, f"write timezone: {catalog.zone} for the site if its people live there")
    else:
        yield Check(name, "ok", f"days are counted in {ours}")


def _scope(config: Config, opened: Opened, mapping: SiteMapping, catalog: Catalog) -> Iterator[Check]:
    name = opened.name
    seen = len(mapping.projects) or len([project for project in catalog.projects if not project.archived])
    if not seen and not mapping.portfolios:
        yield Check(name, "bad", "the account sees no project", "let it browse the projects, then run this again")
        return
    limits = f" and {len(mapping.portfolios)} portfolio(s)" if mapping.portfolios else ""
    yield Check(name, "ok", f"the mapping fits the site; {seen} project(s){limits} in scope")
    site = config.site(name)
    ready = OpenSite(
        name, opened.connector, opened.capabilities, opened.session, site.zone, mapping, lock_path(site)
    ).for_cycle(*_homes(config, name))
    prepared = opened.connector.prepare(ready.scope(), write=False)
    keys = {project.id: project.key if project.key != project.id else project.name for project in catalog.projects}
    yield from _limitations(name, prepared.limitations, keys)
    if prepared.writes:
        yield Check(name, "ok", "\n  ".join(("the first push makes this:", *prepared.writes)))
    if not prepared.limitations:
        yield Check(name, "ok", "every slot of the mapping can be written")


def _limitations(name: str, limitations: Sequence[Limitation], keys: Mapping[str, str]) -> Iterator[Check]:
    """Where a slot may not be written: a table when there is more than one such place, then each reason once."""
    where: dict[tuple[str, str], list[str]] = {}
    cells: dict[str, dict[str, str]] = {}
    for one in limitations:
        key = "everywhere" if one.project == "*" else keys.get(one.project, one.project)
        where.setdefault((one.slot, one.why.removeprefix(f"{key}: ")), []).append(key)
        cells.setdefault(key, {})[one.slot] = one.lacks or "see below"
    if len(limitations) > 1:
        slots = list(dict.fromkeys(one.slot for one in limitations))
        rows = [["project", *slots], *([key, *(row.get(slot, "-") for slot in slots)] for key, row in cells.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
        told = "\n    ".join(line.rstrip() for line in lines)
        yield Check(name, "warn", f"what is missing where a slot cannot be written:\n    {told}", GRANT)
    for (slot, why), projects in where.items():
        named = ", ".join(projects[:NAMED]) + (f" and {len(projects) - NAMED} more" if len(projects) > NAMED else "")
        yield Check(name, "warn", f"{named}: {slot} cannot be written: {why}", GRANT)


def _homes(config: Config, site: str) -> tuple[dict[str, str], dict[str, str]]:
    try:
        register = load_register(config)
    except Misconfigured:  # told by the register's own check
        return {}, {}
    return homes_of(register, site), register.rollup_homes(site)
