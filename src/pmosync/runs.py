"""Says how a run ended, in one line, and remembers with the store that it ran.

What is remembered is when the run began: what people changed while it read is for the next one. A run that another one
kept out, or that could not begin with a site, is not remembered: it is still to be done.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from pmosync.config.unattended import Verb
from pmosync.cycle import Outcome, SiteOutcome
from pmosync.exits import fate
from pmosync.store import Store, write_meta
from pmosync.store.tables import meta


@dataclass(frozen=True, slots=True)
class LastRuns:
    """When the last runs of a site began that did something; None: never."""

    sync: dt.datetime | None = None
    reconcile: dt.datetime | None = None

    @property
    def any(self) -> dt.datetime | None:
        """The last run of either kind: a reconcile does all that a sync does."""
        return max((one for one in (self.sync, self.reconcile) if one), default=None)


def remember(store: Store, outcome: Outcome, verb: Verb, began_at: dt.datetime) -> None:
    """Note with every site that this run reached when it began."""
    if outcome.locked:
        return
    with store.begin() as connection:
        for name, site in outcome.sites.items():
            if fate(site) in ("done", "partly"):
                write_meta(connection, f"ran {verb} {name}", began_at.isoformat())


def last_runs(store: Store, name: str) -> LastRuns:
    """When a site was synced and reconciled last, by whichever process."""
    keys = {f"ran {verb} {name}": verb for verb in ("sync", "reconcile")}
    with store.reading() as connection:
        rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.in_(list(keys)))).all()
    return LastRuns(**{keys[key]: dt.datetime.fromisoformat(value) for key, value in rows})


def numbers(site: SiteOutcome) -> dict[str, int]:
    """What was read from a site and written to it; what is not told did not happen."""
    pulled, pushed = site.pulled, site.pushed
    read = {"read": pulled.records, "changed": pulled.changed} if pulled else {}
    seldom = {"gone": pulled.gone, "unobserved": len(pulled.unobserved)} if pulled else {}
    written = {"written": pushed.done} if pushed else {}
    if pushed:
        seldom |= {"refused": len(pushed.refused), "unknown": len(pushed.unknown), "moved": pushed.moved}
        seldom |= {"later": len(pushed.later)}
    return {**read, **written, **{name: count for name, count in seldom.items() if count}}


def found(outcome: Outcome) -> dict[str, int]:
    """What became of findings."""
    settled = outcome.settled
    seldom = {"waived": settled.waived, "lapsed": settled.lapsed}
    always = {"new": settled.new, "resolved": settled.resolved}
    return always | {name: count for name, count in seldom.items() if count}


def one_line(outcome: Outcome, requests: int, took_s: float, code: int) -> str:
    """The whole run in one line."""
    parts = [f"{name}: {_site(site)}" for name, site in outcome.sites.items()]
    parts.append("not judged" if outcome.locked else f"findings {_listed(found(outcome))}")
    if outcome.refused is not None:
        parts.append("held back by the guard")
    return "; ".join([*parts, f"{requests} requests", f"{took_s:.1f} s", f"exit {code}"])


def _site(site: SiteOutcome) -> str:
    states = [("held by another run", bool(site.locked)), ("in trouble", site.trouble is not None)]
    parts = [_listed(numbers(site)), *(state for state, holds in states if holds)]
    return ", ".join(filter(None, parts)) or "nothing to do"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
