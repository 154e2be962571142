"""Says on each task what became of the commands in its comments, for as long as that is of use to anybody.

No answer holds the time of a run or names a person: it changes when a decision does, or a day that stands in it passes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from pmosync.commands.hearing import REPLY_DAYS, Desk, Heard
from pmosync.decisions import Dispute, Waiver
from pmosync.site import Site
from pmosync.store.tables import asked, finding, project, task, task_project
from pmosync.waiving import ANNOUNCED_DAYS

MOST = 10
"""So many answers are told on a task, the newest."""
REASON = 200
"""Most characters of the reason for a refusal."""
_SOME = 5000


@dataclass(frozen=True, slots=True)
class Answers:
    """What is told on one task."""

    lines: tuple[str, ...]
    inputs: str
    """What they are made from, as `cause=hash` words."""


def answers(
    connection: Connection, desk: Desk, heard: Heard, sites: Sequence[Site], now: dt.datetime
) -> Mapping[tuple[str, str], Answers]:
    """The answers by site and task, where the site's mapping reads commands and findings are told."""
    days = {one.name: now.astimezone(one.zone).date() for one in sites if one.answers}
    decided = _decided(connection, desk, heard, days)
    told = {place: lines for place, lines in heard.replies.items() if place[0] in days}
    shown = _shown(connection, decided.keys() | told.keys())
    found = {}
    for place in sorted(shown):
        lines = list(dict.fromkeys([*decided.get(place, ()), *told.get(place, ())]))
        words = {"waiver": decided.get(place), "data": told.get(place)}
        inputs = " ".join(f"{name}={_hash(some)}" for name, some in words.items() if some)
        found[place] = Answers(tuple(lines[-MOST:]), inputs)
    return found


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _shown(connection: Connection, places: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these tasks on which findings are told: whoever only observes tells nothing."""
    by_site: dict[str, list[str]] = defaultdict(list)
    for name, rid in sorted(places):
        by_site[name].append(rid)
    found: set[tuple[str, str]] = set()
    for name, rids in by_site.items():
        for first in range(0, len(rids), _SOME):
            some = task.c.rid.in_(rids[first : first + _SOME])
            rows = connection.scalars(select(task.c.rid).where(task.c.site == name, some, _told()))
            found.update((name, rid) for rid in rows)
    return found


def _told() -> ColumnElement[bool]:
    """Whether some project of a task asks something more than to be observed, in general or by one standard."""
    one = exists().where(asked.c.policy == project.c.policy, asked.c.mode > 0).correlate(project)
    inside = select(task_project.c.task_id).join(project, project.c.id == task_project.c.project_id)
    return exists(inside.where(task_project.c.task_id == task.c.id, or_(project.c.mode > 0, one)).correlate(task))


def _decided(
    connection: Connection, desk: Desk, heard: Heard, days: Mapping[str, dt.date]
) -> dict[tuple[str, str], list[str]]:
    """What the decisions say, on the tasks that they are about."""
    waivers = [one for one in heard.waivers.all if one.covers == "subject" and one.site in days]
    disputes = [one for one in heard.disputes if one.source and one.site in days]
    named = {*((one.site, one.key) for one in waivers), *((one.site, one.key) for one in disputes)}
    tasks = _tasks(connection, named)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for waiver in waivers:
        place = tasks.get((waiver.site, waiver.key))
        if place is None:
            continue
        named_here = waiver.id in heard.about.get(place, ())
        if (waiver.source or waiver.decided_in or named_here) and (line := _of_waiver(waiver, desk, days[waiver.site])):
            found[place].append(line)
    open_ones = _open(connection, {place for one in disputes if (place := tasks.get((one.site, one.key)))})
    for one in disputes:
        place = tasks.get((one.site, one.key))
        if place is not None and _is_of_use(one, days[one.site], (*place, one.standard) in open_ones):
            found[place].append(
                f"Dispute of {one.standard}: noted. The PMO sees it, and counts it against the standard"
            )
    return found


def _tasks(connection: Connection, named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """The task, as site and id, that a decision names by key or id."""
    by_site: dict[str, list[str]] = defaultdict(list)
    for name, key in sorted(set(named)):
        by_site[name].append(key)
    found = {}
    for name, keys in by_site.items():
        for first in range(0, len(keys), _SOME):
            some = keys[first : first + _SOME]
            here = and_(task.c.site == name, or_(task.c.key.in_(some), task.c.rid.in_(some)))
            for rid, key in connection.execute(select(task.c.rid, task.c.key).where(here)):
                found[name, key] = found[name, rid] = (name, rid)
    return found


def _open(connection: Connection, places: Iterable[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """The findings on these tasks that are not resolved: site, task and standard."""
    wanted = sorted({rid for _, rid in places})
    found: set[tuple[str, str, str]] = set()
    for first in range(0, len(wanted), _SOME):
        rows = connection.execute(
            select(task.c.site, task.c.rid, finding.c.standard)
            .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task.c.id))
            .where(task.c.rid.in_(wanted[first : first + _SOME]), finding.c.state != "resolved")
        )
        found.update((name, rid, standard) for name, rid, standard in rows)
    return found


def _is_of_use(one: Dispute, today: dt.date, is_open: bool) -> bool:
    return is_open or today - one.on <= dt.timedelta(days=REPLY_DAYS)


def _of_waiver(one: Waiver, desk: Desk, today: dt.date) -> str:
    """What became of a request; empty when nobody needs to know it any more."""
    name = f"Waiver {one.id} of {one.standard}"
    if one.revoked_by:
        if one.revoked_on is None or today - one.revoked_on > dt.timedelta(days=REPLY_DAYS):
            return ""
        because = " ".join(one.revoked_because.split())
        short = because if len(because) <= REASON else f"{because[: REASON - 1]}…"
        own, waits = one.revoked_by == one.requested_by, one.approved_on is None
        what = "withdrawn" if own else "refused" if waits else "revoked"
        return f"{name}: {what} on {one.revoked_on}: {short}"
    if one.approved_on is not None:
        if today <= one.until_on:
            return f"{name}: approved until {one.until_on}"
        lately = today - one.until_on <= dt.timedelta(days=ANNOUNCED_DAYS)
        return f"{name}: ended on {one.until_on}. Ask for a new one if you still need it" if lately else ""
    if today > one.until_on:
        return ""
    who = desk.deciders(desk.terms.severity(one.standard))
    how = f", here with /pmo approve {one.id} or /pmo refuse {one.id} because (reason)" if desk.terms.people else ""
    return f"{name} until {one.until_on}: asked for. {who[:1].upper()}{who[1:]} decides{how}"
