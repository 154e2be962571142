"""Brings what a workspace has, or what changed in it since the cursor: which calls, and what each batch says.

It keeps the promise that a whole project comes in one batch with its census and its cursor, so that a run which dies
anywhere leaves every project either as it was or complete.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pmosync.contract import Batch, Clock, Known, Record, Scope
from pmosync.errors import Refused

from .. import decode
from ..api import Api, Asked, one
from ..listing import Listing
from ..listing import fetch as fetch_projects
from ..listing import listing as list_projects
from ..own.look import portfolios
from .changes import Fetched, Told, fetch, hear
from .crawl import Crawled, Crawler

PROJECTS_AT_ONCE = 4
"""So many whole projects are held in memory at a time."""
SWEEP_AFTER = dt.timedelta(hours=6)
OVERLAP = dt.timedelta(minutes=10)
"""Events are delivered at most once, so now and then the tasks are asked for by time as well."""

Cursor = dict[str, Any]


class Puller:
    """One pull of one workspace."""

    def __init__(self, api: Api, scope: Scope, pins: Mapping[str, str], clock: Clock, known: Known) -> None:
        self.api, self.scope, self.pins, self.clock, self.known = api, scope, pins, clock, known
        self.cursor: Cursor = {}

    def everything(self) -> Iterator[Batch]:
        """A pull that proves what is there."""
        me, workspace = self.api.me()
        self.cursor = {"me": me["gid"], "workspace": workspace, "sync": {}, "swept_at": {}}
        yield self._people(workspace)
        if "portfolio_fields" in self.scope.slots:
            yield self._rollups(portfolios(self.scope))
        found = list_projects(self.api, workspace, self.scope)
        records = [decode.project(item, self.pins) for item in found.projects.values()]
        if found.complete:
            yield Batch(tuple(found.read), "complete", records, kinds=("project",), census=found.gids())
        else:
            yield Batch(tuple(found.read), "observed", records)
        yield from self._refused(found)
        yield from self._crawl(self._crawler(found), dict.fromkeys(found.projects, ""))

    def changes(self, since: Mapping[str, Any]) -> Iterator[Batch]:
        """What changed since the cursor; projects without a good token start over."""
        self.cursor = {**since, "sync": dict(since["sync"]), "swept_at": dict(since["swept_at"])}
        found = list_projects(self.api, self.cursor["workspace"], self.scope)
        yield from self._refused(found)
        yield from self._left(found)
        crawler = self._crawler(found)
        heard = self._hear(crawler, [gid for gid in found.projects if gid in self.cursor["sync"]])
        fresh = {gid: "" for gid in found.projects if gid not in self.cursor["sync"]}
        fresh |= {told.project: told.token for told in heard if told.start_over}
        heard = [told for told in heard if not told.start_over]
        swept = [task["gid"] for told in heard for task in told.swept]
        fetched = fetch(crawler, heard, self.known("task", swept) if swept else {})
        yield from self._told(found, heard, fetched)
        yield from self._crawl(crawler, {**dict.fromkeys(fetched.start_over, ""), **fresh})

    # --- parts of both ----------------------------------------------------------------------------------------------

    def _crawler(self, found: Listing) -> Crawler:
        return Crawler(self.api, found.gids(), self.pins, "tag" in self.scope.slots)

    def _people(self, workspace: str) -> Batch:
        """Everybody in the workspace; whether somebody is still active stands in another list than the names."""
        try:
            users = self.api.pages(self.api.users.get_users, workspace=workspace, opt_fields="name,email")
            memberships = self.api.pages(
                self.api.memberships.get_workspace_memberships_for_workspace, workspace, opt_fields="user.gid,is_active"
            )
        except Refused as refusal:
            return Batch(("people",), "unobserved", why=str(refusal))
        active = {(m.get("user") or {}).get("gid"): m.get("is_active") for m in memberships}
        records = [decode.member(user, active.get(user["gid"])) for user in users]
        return Batch(("people",), "complete", records, kinds=("person",), census=[record.id for record in records])

    def _rollups(self, gids: Sequence[str]) -> Batch:
        """The portfolios that hold our rollups on themselves."""
        records = []
        answers = self.api.each(Asked(f"/portfolios/{gid}", decode.ROLLUP_FIELDS) for gid in gids)
        for gid, body in zip(gids, answers, strict=True):
            if isinstance(body, Refused):
                why = f"portfolio {gid} cannot be read ({body}): give the account access, or correct the register"
                return Batch(("rollups",), "unobserved", why=why)
            records.append(decode.rollup(one(body), self.pins))
        return Batch(("rollups",), "complete", records, kinds=("rollup",), census=gids)

    def _refused(self, found: Listing) -> Iterator[Batch]:
        for name, why in found.refused.items():
            yield Batch((name,), "unobserved", why=why)

    def _crawl(self, crawler: Crawler, projects: Mapping[str, str]) -> Iterator[Batch]:
        """Whole projects, several at a time; those whose stream gave a fresh token go on from there."""
        began_at = self.clock().isoformat()
        gids = list(projects)
        crawls = self.api.session.map(lambda gid: crawler.crawl(gid, projects[gid]), gids, width=PROJECTS_AT_ONCE)
        for crawled in crawls:
            yield self._whole(crawled, began_at)

    def _whole(self, crawled: Crawled, began_at: str) -> Batch:
        name = f"project:{crawled.project}"
        if crawled.why:
            return Batch((name,), "unobserved", why=crawled.why)
        census = [record.id for record in crawled.records]
        cursor = self._moved_on({crawled.project: crawled.token}, {crawled.project: began_at})
        return Batch((name,), "complete", crawled.records, kinds=("task",), census=census, cursor=cursor)

    def _moved_on(self, tokens: Mapping[str, str], swept_at: Mapping[str, str]) -> Cursor:
        self.cursor["sync"].update(tokens)
        self.cursor["swept_at"].update(swept_at)
        return {**self.cursor, "sync": dict(self.cursor["sync"]), "swept_at": dict(self.cursor["swept_at"])}

    # --- what changed -----------------------------------------------------------------------------------------------

    def _left(self, found: Listing) -> Iterator[Batch]:
        """Projects that we followed and that are not listed any more: out of scope if they answer, else unobserved."""
        gone = [gid for gid in self.cursor["sync"] if gid not in found.gids()]
        if not gone:
            return
        if not found.complete:
            why = "the portfolio that it belongs to could not be read; give the account access to the portfolio"
            for gid in gone:
                yield Batch((f"project:{gid}",), "unobserved", why=why)
            return
        asked = Listing()
        fetch_projects(self.api, gone, "name", asked)
        yield from self._refused(asked)
        for gid in asked.projects:
            del self.cursor["sync"][gid]
            self.cursor["swept_at"].pop(gid, None)
        names = tuple(f"project:{gid}" for gid in asked.projects)
        if names:
            out = [("project", gid) for gid in asked.projects]
            yield Batch(names, "observed", gone=out, cursor=self._moved_on({}, {}))  # type: ignore[arg-type]

    def _hear(self, crawler: Crawler, gids: Sequence[str]) -> list[Told]:
        now = self.clock()
        me, tokens = self.cursor["me"], self.cursor["sync"]

        def ask(gid: str) -> Told:
            swept_at = dt.datetime.fromisoformat(self.cursor["swept_at"][gid])
            return hear(crawler, gid, tokens[gid], me, swept_at - OVERLAP if now - swept_at > SWEEP_AFTER else None)

        return list(self.api.session.map(ask, gids))

    def _told(self, found: Listing, heard: Sequence[Told], fetched: Fetched) -> Iterator[Batch]:
        """One batch for everything that the streams told, and for the projects themselves."""
        now = self.clock().isoformat()
        why = {told.project: told.why for told in heard if told.why} | fetched.troubled
        for gid, words in why.items():
            yield Batch((f"project:{gid}",), "unobserved", why=words)
        good = [told for told in heard if told.project not in why and told.project not in fetched.start_over]
        records: list[Record] = [*self._projects(found.projects), *fetched.records]
        gone: Collection[str] = fetched.gone - {record.id for record in fetched.records}
        yield Batch(
            (*found.read, *(f"project:{told.project}" for told in good)),
            "observed",
            records,
            gone=[("task", gid) for gid in sorted(gone)],
            cursor=self._moved_on(
                {told.project: told.token for told in good}, {told.project: now for told in good if told.was_swept}
            ),
        )

    def _projects(self, listed: Mapping[str, Any]) -> list[Record]:
        """The projects that differ from what is stored."""
        records = [decode.project(item, self.pins) for item in listed.values()]
        stored = self.known("project", [record.id for record in records])
        return [record for record in records if stored.get(record.id) != record.version]
