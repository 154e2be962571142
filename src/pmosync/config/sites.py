"""Opens the sites of a configuration: secrets resolved, one budget per credential, one polite session, the connector.

A secret lives in memory only, from here on; two sites that use the same credential share its limits.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from pmosync import mapping as mappings
from pmosync.config.load import Config, SiteConfig
from pmosync.config.secrets import follow, references, replaceable, replaced, rotating, rotating_paths
from pmosync.contract import Capabilities, Catalog, Clock, Connector
from pmosync.errors import Misconfigured
from pmosync.http import Limiter, PoliteSession
from pmosync.mapping import SiteMapping
from pmosync.site import Site
from pmosync.yamlfile import At, together

MAX_WAIT_S = 120.0
"""The patience of a one-shot run with one call."""

CONNECT_S, SILENT_S = 10.0, 60.0
"""How long to try to connect, and how long an answer may be silent, unless a site's `timeout_s` says otherwise."""

Limiters = dict[str, Limiter]
"""The budgets of this process, by a fingerprint of the credential."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open connector and its session. Closing closes both."""

    name: str
    connector: Connector
    capabilities: Capabilities
    session: PoliteSession

    def close(self) -> None:
        with ExitStack() as stack:
            stack.callback(self.session.close)
            self.connector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class OpenSite:
    """A site that is ready for a cycle: the open connector, and the mapping that gives its fields their meaning."""

    name: str
    connector: Connector
    capabilities: Capabilities
    session: PoliteSession
    zone: ZoneInfo
    mapping: SiteMapping
    lock_path: Path

    def for_cycle(self, homes: Mapping[str, str], rollups: Mapping[str, str]) -> Site:
        """The value that a cycle takes.

        Args:
            homes: where the rollups of its projects are written, by the tool's project id.
            rollups: where other rollups are written here, by rollup id.
        """
        return Site(
            self.name, self.connector, self.capabilities, self.mapping, self.zone, self.lock_path, homes, rollups
        )

    def close(self) -> None:
        Opened(self.name, self.connector, self.capabilities, self.session).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_connector(
    config: Config,
    name: str,
    *,
    clock: Clock,
    read_only: bool = False,
    max_wait_s: float = MAX_WAIT_S,
    limiters: Limiters | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Opened:
    """Open the connector of a site without its mapping, to look at what the site offers.

    Args:
        max_wait_s: the patience with one call; what the site's own `max_wait_s` says goes first.
        limiters: budgets shared with other sites of this process.
        sleep: waits; one that raises ends what is waiting.
    """
    site = config.site(name)
    secrets = _secrets(config, site)
    settings = _settings(config, site, secrets)
    base_url = str(settings.base_url)  # type: ignore[attr-defined]
    budgets = {} if limiters is None else limiters
    rotate = rotating_paths(site.module.Settings)
    lasting = [references(site.own)[at] if at in rotate else secret for at, secret in secrets.items()]
    credential = _fingerprint(site.connector, base_url, lasting)
    if credential not in budgets:
        budgets[credential] = Limiter(site.module.limits(settings), time.monotonic, sleep)
    session = _session(config, site, base_url, budgets[credential], clock, read_only, max_wait_s, sleep)
    for secret in secrets.values():
        session.keep_secret(secret)
    with ExitStack() as stack:
        stack.callback(session.close)  # when the connector cannot be opened
        connector = site.module.open(settings, session, clock)
        stack.pop_all()
    return Opened(name, connector, site.module.capabilities, session)


def open_site(
    config: Config,
    name: str,
    *,
    clock: Clock,
    read_only: bool = False,
    max_wait_s: float = MAX_WAIT_S,
    limiters: Limiters | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> OpenSite:
    """Open a site with its mapping. The caller closes it."""
    site = config.site(name)
    mapping = load_mapping(config, name)
    offered = site.module.capabilities
    if wrong := [*mappings.wrong_reads(mapping, offered), *mappings.wrong_slots(mapping, offered)]:
        raise together(wrong, where=str(site.mapping))
    opened = open_connector(
        config, name, clock=clock, read_only=read_only, max_wait_s=max_wait_s, limiters=limiters, sleep=sleep
    )
    return OpenSite(name, opened.connector, opened.capabilities, opened.session, site.zone, mapping, lock_path(site))


def open_sites(
    config: Config, names: Iterable[str], *, clock: Clock, read_only: bool = False, max_wait_s: float = MAX_WAIT_S
) -> list[OpenSite]:
    """Open several sites; when one cannot be opened the others are closed again. The caller closes them."""
    limiters: Limiters = {}
    with ExitStack() as stack:
        sites = [
            stack.enter_context(
                open_site(config, name, clock=clock, read_only=read_only, max_wait_s=max_wait_s, limiters=limiters)
            )
            for name in names
        ]
        stack.pop_all()
    return sites


def describe(config: Config, name: str, *, clock: Clock) -> tuple[Catalog, Capabilities]:
    """What a site offers, and what its connector can do; no mapping is needed for that."""
    with open_connector(config, name, clock=clock, read_only=True) as opened:
        return opened.connector.describe(), opened.capabilities


def load_mapping(config: Config, name: str) -> SiteMapping:
    """The mapping of a site with the pins of its lock file; one that was written for another site is refused."""
    site = config.site(name)
    if not site.mapping.is_file():
        raise config.wrong(
            ("sites", name, "mapping"),
            f"there is no mapping {site.mapping}",
            f"write one with `pmosync discover {name} > {site.mapping}`",
        )
    mapping = mappings.load(site.mapping, lock_path(site))
    if mapping.site != name:
        raise config.wrong(
            ("sites", name, "mapping"),
            f"the mapping {site.mapping} says that it is for the site '{mapping.site}'",
            f"write site: {name} there, or name another mapping here",
        )
    _refuse_links_to_nowhere(config, mapping, site.module.capabilities)
    return mapping


def _refuse_links_to_nowhere(config: Config, mapping: SiteMapping, capabilities: Capabilities) -> None:
    """A place that holds a link to the guidance needs to know where that is published."""
    links = {slot.name for slot in capabilities.slots if slot.form == "link"}
    used = [(n, name) for n, name in enumerate(mapping.write_task) if name in links]
    if used and not config.guidance:
        doc, ((position, name), *_) = mapping.file.doc, used
        at: At = ("write", "task", position)
        raise doc.wrong(
            at if at in doc.values else ("write", "task"),
            f"'{name}' leads to the page of a standard, and {config.path} does not say where the pages are published",
            "publish what `pmosync standards docs` writes and write guidance: https://... there, or remove it here",
        )


def lock_path(site: SiteConfig) -> Path:
    """Where names that were resolved once are pinned: beside the mapping."""
    return site.mapping.with_name(f"{site.name}.lock.yaml")


def credentials(config: Config, name: str) -> str:
    """A digest of the credentials of a site as they are now, to notice that somebody changed them."""
    site = config.site(name)
    try:
        secrets = _secrets(config, site)
    except Misconfigured:
        secrets = {}
    return hashlib.sha256(repr((site.connector, site.own, sorted(secrets.items()))).encode()).hexdigest()


def _secrets(config: Config, site: SiteConfig) -> dict[tuple[str, ...], str]:
    """The secrets of a site, by where their references stand."""
    found = {}
    for at, reference in references(site.own).items():
        place = config.place(("sites", site.name, *at))
        found[at] = follow(reference, config.environ, config.path.parent, place)
    return found


def _settings(config: Config, site: SiteConfig, secrets: Mapping[tuple[str, ...], str]) -> BaseModel:
    values: dict[tuple[str, ...], object] = dict(secrets)
    for path in rotating_paths(site.module.Settings) & secrets.keys():
        reference, place = references(site.own)[path], config.place(("sites", site.name, *path))
        replaceable(reference, config.path.parent, place)
        values[path] = rotating(reference, config.path.parent, place)
    try:
        return site.module.Settings.model_validate(replaced(site.own, values))
    except ValidationError as error:
        # the values are secrets by now: only where and what is told
        (first, *_) = error.errors(include_url=False, include_input=False, include_context=False)
        at = first["loc"]
        reference = references(site.own).get(tuple(str(part) for part in at), "")
        raise Misconfigured(
            f"{'.'.join(str(part) for part in at)} does not fit what the connector {site.connector} expects",
            where=config.place(("sites", site.name, *at)),
            hint=f"check what {reference} holds" if reference else "see the connector's keys in the documentation",
        ) from None


def _session(
    config: Config,
    site: SiteConfig,
    base_url: str,
    limiter: Limiter,
    clock: Clock,
    read_only: bool,
    max_wait_s: float,
    sleep: Callable[[float], None],
) -> PoliteSession:
    silent_s = site.timeout_s or SILENT_S
    try:
        return PoliteSession(
            base_url,
            site.module.ENDPOINTS,
            limiter,
            now=clock,
            max_wait_s=site.max_wait_s or max_wait_s,
            timeout_s=(min(CONNECT_S, silent_s), silent_s),
            read_only=read_only,
            sleep=sleep,
        )
    except Misconfigured as error:  # told without the line: there may be a password in the address
        place = config.place(("sites", site.name, "base_url"))
        raise Misconfigured(error.what, where=place, hint=error.hint) from None


def _fingerprint(connector: str, base_url: str, secrets: Iterable[str]) -> str:
    return hashlib.sha256("\0".join((connector, base_url, *secrets)).encode()).hexdigest()
