"""Does one job of the daemon: reads the files, runs the cycle of one site, tells and counts what came of it.

It knows nothing of schedulers and takes its clock as an argument: `work.run("sync", "acme-jira")` is one job, here and
now. A job that fails is told and counted; what is there keeps running.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import select

from pmosync.config import credentials, expiry_note
from pmosync.config.unattended import Cron, Verb
from pmosync.contract import Clock
from pmosync.cycle import Outcome, Setup, SiteOutcome, cycle
from pmosync.daemon.desks import Desk, Desks, Edition
from pmosync.daemon.metrics import Metrics
from pmosync.daemon.stopping import Stop, Stopped
from pmosync.daemon.telling import Told, log
from pmosync.denials import hold_back, remember_denial
from pmosync.errors import PmosyncError, Unauthorized
from pmosync.exits import exit_code, fate
from pmosync.opening import setup_of
from pmosync.runs import found, last_runs, numbers, remember
from pmosync.store import Store
from pmosync.store.tables import site


class Work:
    """What there is to do, and doing it. Threads may call it, one job for a site at a time.

    Args:
        path: of pmosync.yaml; None: where the environment says, else here.

    Raises:
        Misconfigured: the files cannot be used; only here, later edits are refused and told.
        StoreTrouble: the store cannot be used.
    """

    def __init__(
        self,
        path: Path | None,
        environ: Mapping[str, str],
        clock: Clock,
        *,
        stop: Stop | None = None,
        metrics: Metrics | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stop = stop or Stop()
        self.metrics = metrics or Metrics(clock)
        self.told = Told()
        self._clock, self._monotonic = clock, monotonic
        self.desks = Desks(path, environ, clock, self.stop, self.told)
        self.store = Store(self.desks.edition.config.store, "daemon")
        for name in self.desks.names():
            self.metrics.ran(name, last_runs(self.store, name))
        self.finished: set[str] = set()
        """Sites that had a job which came to an end, good or told."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of sites and store."""
        self.desks.close()
        self.store.close()

    # --- what is due --------------------------------------------------------------------------------------------------

    def due(self, name: str) -> Verb | None:
        """What a site's schedules ask for now, whichever process ran last; None: nothing.

        A schedule that was missed, however often, is due once. A reconcile serves for a sync; so does one of another
        process. A new day in the site's zone asks for a sync.
        """
        now, of_site = self._clock(), self.desks.edition.config.site(name)
        last = last_runs(self.store, name)
        if _missed(of_site.schedule.reconcile, last.reconcile, now, of_site.zone):
            return "reconcile"
        ran = last.any
        new_day = ran is not None and ran.astimezone(of_site.zone).date() < now.astimezone(of_site.zone).date()
        return "sync" if new_day or _missed(of_site.schedule.sync, ran, now, of_site.zone) else None

    def run_due(self, name: str) -> Outcome | None:
        """Run what is due of a site."""
        if self.stop.asked or name not in self.desks.names():
            return None
        verb = self.due(name)
        return None if verb is None else self.run(verb, name)

    def look(self, *, again: bool = True) -> Edition:
        """Look whether files changed, and take over what is good."""
        edition = self.desks.refresh(again=again)
        about = ["files", *(f"mapping {name}" for name in edition.config.sites)]
        self.metrics.keep(edition.config.sites)
        self.metrics.refused(any(self.told.about(one) is not None for one in about))
        return edition

    def not_ready(self) -> str:
        """Why the daemon is not ready; empty: every site had a job that ended, or one whose trouble was told."""
        missing = [
            name for name in self.desks.names() if name not in self.finished and self.told.about(f"held {name}") is None
        ]
        return f"waiting for the first cycle of {', '.join(missing)}" if missing else ""

    # --- a job --------------------------------------------------------------------------------------------------------

    def run(self, verb: Verb, name: str) -> Outcome | None:
        """Run one job now; None: it failed, was stopped, or could not begin (which is told)."""
        edition = self.look()
        if name not in edition.config.sites:
            return None
        desk = self.desks.desk(name)
        with desk.busy:
            if self.stop.asked:
                return None
            began_at, began_s = self._clock(), self._monotonic()
            try:
                outcome = self._cycle(desk, edition, verb)
            except Stopped:
                log.info("stopped on the way, the next run goes on", site=name, verb=verb)
                return None
            except PmosyncError as error:
                self.failed(name, error)
                return None
            finally:
                requests = self.metrics.count_requests(name, desk.site)
            if self.stop.asked:  # a push may have been cut short
                log.info(
                    "stopped on the way, the next run goes on", site=name, verb=verb, **numbers(outcome.sites[name])
                )
                return outcome
            self._conclude(edition, desk, outcome, verb, began_at, self._monotonic() - began_s, requests)
            return outcome

    def _cycle(self, desk: Desk, edition: Edition, verb: Verb) -> Outcome:
        schedule, zone = edition.config.site(desk.name).schedule, edition.config.site(desk.name).zone
        if desk.denied_at is not None and (
            _missed(schedule.reconcile, desk.denied_at, self._clock(), zone)
            or desk.denied_with != credentials(edition.config, desk.name)
        ):
            self.desks.reopen(desk.name)
        setup = self._setup(desk, edition)
        if desk.site is not None and desk.denied_at is None and verb != "reconcile":
            hold_back(self.store, desk.name, desk.site.session, self._credentials(edition, desk), self._clock())
        return cycle(self.store, setup, self._clock, full=verb == "reconcile", write=edition.config.push)

    @staticmethod
    def _credentials(edition: Edition, desk: Desk) -> Callable[[], str]:
        return lambda: credentials(edition.config, desk.name)

    def _setup(self, desk: Desk, edition: Edition) -> Setup:
        mine = self.desks.take_over(desk, edition)
        with self.store.reading() as connection:
            rows = connection.execute(select(site.c.name, site.c.mapping)).all()
        known = {row.name: row.mapping for row in rows}
        all_sites = [
            mine if name == desk.name else self.desks.bystander(name, edition, known.get(name))
            for name in edition.config.sites
        ]
        sites = [one for one in all_sites if one is not None]
        return setup_of(edition.files, edition.decisions, sites, [desk.name], self._clock)

    def failed(self, name: str, error: Exception) -> None:
        """Tell and count a job that ended with an error."""
        self.metrics.error(type(error).__name__)
        self.metrics.failing(name, True)
        self.told.wrong(f"site {name}", "the site fails", str(error), site=name, error=type(error).__name__)
        self.finished.add(name)
        if not isinstance(error, PmosyncError):
            log.debug("where the defect is", site=name, exc_info=error)

    def _conclude(
        self,
        edition: Edition,
        desk: Desk,
        outcome: Outcome,
        verb: Verb,
        began_at: dt.datetime,
        took_s: float,
        requests: int,
    ) -> None:
        name, code = desk.name, exit_code(outcome)
        remember(self.store, outcome, verb, began_at)
        self.metrics.cycle(name, verb, code, took_s)
        self.metrics.ran(name, last_runs(self.store, name))
        self.metrics.look(self.store, edition.config.sites, edition.files.standards)
        ended = outcome.sites[name]
        if ended.locked and ended.pulled is None:
            self.told.wrong(f"held {name}", "another run works on the site, it is left to that one", "", site=name)
            return
        self.told.right(f"held {name}", "the site is free again", site=name)
        self.finished.add(name)
        self._tell_trouble(outcome, ended, desk)
        self._note_credentials(edition, desk, verb)
        values = {"site": name, "verb": verb, **numbers(ended), **found(outcome)}
        level = log.debug if ended.trouble is not None and fate(ended) == "trouble" else log.info
        level("cycle", **values, requests=requests, took_s=round(took_s, 3), exit=code)

    def _tell_trouble(self, outcome: Outcome, ended: SiteOutcome, desk: Desk) -> None:
        name = desk.name
        if ended.trouble is not None:
            self.failed(name, ended.trouble)
            if isinstance(ended.trouble, Unauthorized) and desk.denied_at is None:
                desk.denied_at = self._clock()
                log.warning("they are tried again when they change, or when the next reconcile comes", site=name)
        else:
            self.metrics.failing(name, False)
            self.told.right(f"site {name}", "the site works again", site=name)
            self._tell_unwritten(ended, name)
        if outcome.refused is not None:
            self.metrics.error(type(outcome.refused).__name__)
            self.told.wrong(f"guard {name}", "the guard holds the plan back", str(outcome.refused), site=name)
        else:
            self.told.right(f"guard {name}", "the guard lets the plan through again", site=name)
        if outcome.locked:
            self.metrics.error("Locked")
            self.told.wrong("store", "another run holds the store, nothing was judged", "", site=name)
        else:
            self.told.right("store", "the store is free again", site=name)
        for standard, why in outcome.switched_off.items():
            self.told.wrong(f"standard {standard}", "a standard could not be run and is off", why, standard=standard)
        for note in ended.notes:
            log.warning("note", site=name, what=note)

    def _note_credentials(self, edition: Edition, desk: Desk, verb: Verb) -> None:
        """Remember credentials that were refused, for other runs as well; tell those that end soon, once a day."""
        assert desk.site is not None
        session = desk.site.session
        if desk.denied_at is None or not desk.denied_with:
            remember_denial(self.store, desk.name, session, self._credentials(edition, desk), self._clock)
        desk.denied_with = credentials(edition.config, desk.name) if desk.denied_at is not None else ""
        if session.denied or verb != "reconcile":
            return
        today = self._clock().astimezone(edition.config.zone).date()
        if ends := expiry_note(session, today, ask=True):
            self.told.wrong(f"end {desk.name}", "the credentials end", ends, again_when_changed=True, site=desk.name)
        else:
            self.told.right(f"end {desk.name}", "the credentials are good for longer", site=desk.name)

    def _tell_unwritten(self, ended: SiteOutcome, name: str) -> None:
        """Say which marks the site did not take, by the first of them; they are tried with every job."""
        pushed = ended.pushed
        left = [*pushed.refused, *pushed.unknown] if pushed else []
        if left:
            event = "the site did not take every mark, the next job tries again"
            self.told.wrong(f"marks {name}", event, min(left), again_when_changed=True, site=name, marks=len(left))
        else:
            self.told.right(f"marks {name}", "the site takes every mark again", site=name)


def _missed(cron: Cron, last: dt.datetime | None, now: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether a schedule came since the last run. One that began in the future tells of a clock that went back."""
    if last is None or last > now:
        return True
    following = cron.next_after(last, zone)
    return following is not None and following <= now
