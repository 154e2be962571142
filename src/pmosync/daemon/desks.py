"""Keeps what the files say, and the sites open as they say, while people edit the files.

An edit that is good is taken over before the next job. One that is not, because a file cannot be read or because a site
does not offer what its mapping names, is refused with its sentence, and what was there before keeps running.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from pmosync import mapping as mappings
from pmosync.config import Config, OpenSite, load, open_site
from pmosync.config.secrets import references, rotating_paths
from pmosync.config.sites import Limiters
from pmosync.contract import Clock
from pmosync.cycle import resolved
from pmosync.daemon.stopping import Stop
from pmosync.daemon.telling import Told, log
from pmosync.decisions import APPROVALS, WAIVERS
from pmosync.decisions.baselines import FOLDER
from pmosync.errors import Misconfigured, SiteTrouble
from pmosync.opening import Decisions, Files, read_decisions, read_files, site_of
from pmosync.site import Site
from pmosync.waiving import to_announce
from pmosync.workdays import day_number


@dataclass(frozen=True, slots=True)
class Edition:
    """What the files said when they were last good."""

    files: Files
    decisions: Decisions
    digest: str
    """Of all files together."""
    sites: Mapping[str, str]
    """The same of what concerns one site alone, by site."""

    @property
    def config(self) -> Config:
        """What pmosync.yaml says."""
        return self.files.config


@dataclass(slots=True)
class Desk:
    """One site of this process."""

    name: str
    busy: threading.Lock = field(default_factory=threading.Lock)
    """Held while somebody works on the site."""
    site: OpenSite | None = None
    waiting: OpenSite | None = None
    """The site as a newer edition wants it, until its next job takes it over."""
    digest: str = ""
    """Of what it was opened with last."""
    denied_at: dt.datetime | None = None
    """When the site refused the credentials: the session never tries them again, so that no account is locked."""
    denied_with: str = ""
    """A digest of the credentials that were refused, to notice when somebody changes them."""

    def close(self) -> None:
        """Let go of the site's connections."""
        for opened in (self.site, self.waiting):
            if opened is not None:
                opened.close()
        self.site = self.waiting = None


class Desks:
    """All sites of this process, and the edition of the files that they work by.

    Raises:
        Misconfigured: the files cannot be used, and nothing is there to keep running.
    """

    def __init__(self, path: Path | None, environ: Mapping[str, str], clock: Clock, stop: Stop, told: Told) -> None:
        self._path, self._environ, self._clock, self._stop, self._told = path, environ, clock, stop, told
        self._lock = threading.Lock()
        self._limiters: Limiters = {}
        self._desks: dict[str, Desk] = {}
        self._refused = ""
        self.edition = self._read()

    def refresh(self, *, again: bool = True) -> Edition:
        """The files as they are now when they are good, else as they were.

        Args:
            again: read also what was refused before and did not change since: what it lacked may be there now.
        """
        with self._lock:
            config = self.edition.config
            digest = _digest(config, _content(config.path), self._clock)
            if digest == self.edition.digest and not self._refused:
                return self.edition
            if digest == self._refused and not again:
                return self.edition
            try:
                edition = self._read(self.edition)
            except Misconfigured as wrong:
                self._refused = digest
                self._told.wrong(
                    "files", "an edit is refused, the old files stay in use", str(wrong), again_when_changed=True
                )
                return self.edition
            self._refused = ""
            self._told.right("files", "the files are in order again")
            if _of_files(edition.digest) != _of_files(self.edition.digest):
                log.info("the files changed and are in use from now on")
            self.edition = edition
            return edition

    def names(self) -> list[str]:
        """The sites, in the order of the configuration."""
        return list(self.edition.config.sites)

    def desk(self, name: str) -> Desk:
        """One site's place. The caller holds `busy` while working on it."""
        with self._lock:
            return self._desks[name]

    def busy(self) -> list[str]:
        """The sites that somebody works on at the moment."""
        with self._lock:
            return [name for name, desk in self._desks.items() if desk.busy.locked()]

    def reopen(self, name: str) -> None:
        """Open a site anew for its next job: a session whose credentials were refused never tries them again."""
        with self._lock:
            try:
                opened = self._open(self.edition.config, name)
            except Misconfigured as wrong:  # an edit that is told elsewhere
                log.debug("the site could not be opened anew", site=name, why=str(wrong))
                return
            self._wait(self._desks[name], opened)

    def close(self) -> None:
        """Close every site that nobody works on."""
        with self._lock:
            for desk in self._desks.values():
                self._leave(desk)

    # --- the files ----------------------------------------------------------------------------------------------------

    def _read(self, before: Edition | None = None) -> Edition:
        """Read everything, and open anew the sites whose part of it changed."""
        config = load(self._path, self._environ)
        if before is not None:
            _refuse_restarts(before.config, config)
        digest = _digest(config, config.doc.text.encode(), self._clock)
        files = read_files(config)
        decisions = read_decisions(config, files.standards)
        sites = {name: _site_digest(config, name) for name in config.sites}
        changed = [name for name in sites if name not in self._desks or self._desks[name].digest != sites[name]]
        if before is not None and before.config.doc.text != config.doc.text:
            self._limiters = {}  # limits may have changed
        with ExitStack() as stack:
            opened = {name: stack.enter_context(self._open(config, name)) for name in changed}
            stack.pop_all()
        for mistake in decisions.unclear:
            self._told.wrong(f"decision {mistake}", "a decision is not clear and does not count", str(mistake))
        self._announce(decisions, config)
        self._seat(sites, opened)
        return Edition(files, decisions, digest, sites)

    def _announce(self, decisions: Decisions, config: Config) -> None:
        """Tell the waivers that end soon, and those that ended; each once."""
        today = day_number(self._clock().astimezone(config.zone).date())
        for name, state in to_announce(decisions.waivers.rows(), today).items():
            one = decisions.waivers.get(name)
            assert one is not None
            what = "a waiver ends soon" if state == "ends" else "a waiver has ended"
            why = f"{one.standard} for {one.scope}: the last day is {one.until_on}, approved by {one.approved_by}"
            self._told.wrong(f"waiver {name} {state}", what, why, waiver=name)

    def _open(self, config: Config, name: str) -> OpenSite:
        return open_site(config, name, clock=self._clock, limiters=self._limiters, sleep=self._stop.sleep)

    def _seat(self, sites: Mapping[str, str], opened: Mapping[str, OpenSite]) -> None:
        for name, site in opened.items():
            desk = self._desks.setdefault(name, Desk(name))
            self._wait(desk, site)
            desk.digest = sites[name]
        for name in [name for name in self._desks if name not in sites]:
            self._leave(self._desks.pop(name))

    @staticmethod
    def _wait(desk: Desk, opened: OpenSite) -> None:
        if desk.waiting is not None:
            desk.waiting.close()
        desk.waiting = opened

    @staticmethod
    def _leave(desk: Desk) -> None:
        """Close a site; one that is being worked on is left to the end of the process, or of the work."""
        if desk.busy.acquire(blocking=False):
            desk.close()
            desk.busy.release()

    # --- one site -----------------------------------------------------------------------------------------------------

    def take_over(self, desk: Desk, edition: Edition) -> Site:
        """The site to work on, by the newest mapping that it accepts. The caller holds the desk.

        Raises:
            Misconfigured: its lock file cannot be read.
        """
        with self._lock:
            waiting = desk.waiting
        about = f"mapping {desk.name}"
        if waiting is not None and (desk.site is None or self._accepted(desk, waiting, edition, about)):
            with self._lock:
                old, desk.site, desk.denied_at = desk.site, waiting, None
                desk.waiting = None if desk.waiting is waiting else desk.waiting
            if old is not None:
                old.close()
            self._told.right(about, "the mapping is in order again", site=desk.name)
        assert desk.site is not None
        return self._site(desk.site, edition)

    def _site(self, opened: OpenSite, edition: Edition) -> Site:
        """As a cycle takes it, with what its lock file says by now."""
        pins = mappings.read_lock(opened.lock_path)
        current = replace(opened, mapping=mappings.with_pins(opened.mapping, pins))
        return site_of(current, edition.files.register, self._stop.watch)

    def _accepted(self, desk: Desk, waiting: OpenSite, edition: Edition, about: str) -> bool:
        """Whether the site offers all that its new mapping names; a mapping that did not change needs no look."""
        assert desk.site is not None
        if waiting.mapping.hash == desk.site.mapping.hash and not waiting.mapping.unresolved:
            return True
        try:
            resolved(site_of(waiting, edition.files.register, self._stop.watch))
        except Misconfigured as wrong:
            event = "the site does not offer what its mapping names, the old mapping stays in use"
            self._told.wrong(about, event, str(wrong), again_when_changed=True, site=desk.name)
            return False
        except SiteTrouble:
            return False  # the job with the old mapping tells it
        return True

    def bystander(self, name: str, edition: Edition, known: str | None) -> Site | None:
        """A site that is judged as it is stored, in the job of another one.

        Args:
            known: the hash of the mapping that its tasks were made with, if there are any. What another one would make
                of them is for its own job to find out, which asks the site first; until then it is left as it was.
        """
        with self._lock:
            desk = self._desks.get(name)
            opened = None if desk is None else desk.site or desk.waiting
        if opened is None:
            return None
        site = self._site(opened, edition)
        if known != site.mapping.hash and not site.mapping.unresolved:
            return replace(site, mapping=replace(site.mapping, unresolved=("not asked yet",)))
        return site


def _refuse_restarts(before: Config, now: Config) -> None:
    for at, old, new in ((("store",), before.store, now.store), (("daemon", "listen"), before.listen, now.listen)):
        if old != new:
            raise now.wrong(at, f"{'.'.join(at)} cannot change while the daemon runs", "start the daemon anew")


def _paths(config: Config) -> Iterator[Path]:
    """Every file that matters beside pmosync.yaml; lock files are ours and do not."""
    yield from (name for name in config.standards if isinstance(name, Path))
    yield from (path for path in (config.register, config.gates, config.people) if path is not None)
    yield from (config.decisions / name for name in (WAIVERS, APPROVALS))
    yield from sorted((config.decisions / FOLDER).glob("*.yaml"))
    for name in config.sites:
        yield from _site_paths(config, name)


def _site_paths(config: Config, name: str) -> Iterator[Path]:
    site = config.site(name)
    yield site.mapping
    ours = rotating_paths(site.module.Settings)  # what is replaced with each use is no edit
    for at, reference in references(site.own).items():
        kind, _, path = reference.partition(":")
        if kind == "file" and at not in ours:
            yield config.path.parent / path


def _digest(config: Config, written: bytes, clock: Clock) -> str:
    """Of all files, and of the day, on which it depends which waivers are told to end.

    Args:
        written: what stands in pmosync.yaml.
    """
    return f"{_hash(written, _paths(config))} {clock().astimezone(config.zone).date()}"


def _of_files(digest: str) -> str:
    """The part that a new day leaves as it is."""
    return digest.partition(" ")[0]


def _site_digest(config: Config, name: str) -> str:
    return _hash(repr(config.site(name)).encode(), _site_paths(config, name))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b"\0"


def _hash(beginning: bytes, paths: Iterator[Path]) -> str:
    found = hashlib.sha256(beginning)
    for path in paths:
        content = _content(path)
        found.update(f"\n{path}\n{len(content)}\n".encode() + content)
    return found.hexdigest()
