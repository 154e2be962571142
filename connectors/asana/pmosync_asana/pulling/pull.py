"""Brings what a workspace has, or what changed in it since the cursor: which calls, and what each batch says.

It keeps the promise that a whole project comes in one batch with its census and its cursor, so that a run which dies
anywhere leaves every project either as it was or complete.

| what is asked                                               | when         | what it is good for               |
|-------------------------------------------------------------|--------------|-----------------------------------|
| everything                                                  | `reconcile`  | the proof                         |
| the list of projects, the streams of events                 | every `sync` | what people do, at once           |
| portfolios, definitions of fields, what else is read of     | once an hour | what no stream tells, and what it |
| projects; the changed tasks of each project and each person |              | lost                              |
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pmosync.contract import Batch, Clock, Known, Person, Record, Scope

from .. import decode
from ..api import Api
from ..listing import Listing
from ..listing import fetch as fetch_projects
from ..listing import listing as list_projects
from ..own.look import portfolios
from . import definitions, streams
from .allocations import allocations
from .around import people, rollups
from .changes import Fetched, Swept, fetch, sweep_people, sweep_projects
from .crawl import Crawler, Tree
from .extras import Extras, joined
from .stories import Stories
from .streams import Told
from .worklogs import Booked, Worklogs

HOURLY = dt.timedelta(hours=1)
OVERLAP = dt.timedelta(minutes=10)
"""Events are delivered at most once, so once an hour the tasks are asked for by time as well, from a little before."""

Json = dict[str, Any]
Cursor = dict[str, Any]


class Puller:
    """One pull of one workspace.

    The cursor holds who we are (`me`), the `workspace`, the token of each project's stream (`sync`) or of the
    workspace's (`stream`), when each project was swept (`swept_at`), when what is asked hourly was asked (`looked_at`),
    the `members` of the portfolios in scope, the `definitions` of the fields that are read, whom tasks are assigned to
    (`people`), and whose `stories` could not be read.
    """

    def __init__(
        self, api: Api, scope: Scope, pins: Mapping[str, str], clock: Clock, known: Known, *, repair: bool
    ) -> None:
        self.api, self.scope, self.pins, self.clock, self.known = api, scope, pins, clock, known
        self.repair = repair
        self.cursor: Cursor = {}

    def _begin(self, cursor: Cursor, *, whole: bool) -> None:
        """Go on from a cursor."""
        self.cursor, me = cursor, cursor["me"]
        self.people = set(cursor.get("people", ()))
        self.extras = Extras(self.api, self.scope, me)
        self.stories = Stories(self.api, self.scope, self.pins, me)
        self.stories.begin(cursor.get("stories"))
        self.worklogs = (
            Worklogs(self.api, self.known, cursor["workspace"], whole=whole) if self.scope.worklogs else None
        )

    def everything(self) -> Iterator[Batch]:
        """A pull that proves what is there."""
        me, workspace = self.api.me()
        began = {"me": me["gid"], "workspace": workspace, "sync": {}, "swept_at": {}, "looked_at": self._now()}
        self._begin(began, whole=True)
        self.cursor["stream"] = streams.begin(self.api, workspace)
        self.cursor["definitions"] = definitions.read(self.api, self.scope)
        yield people(self.api, workspace)
        if gids := portfolios(self.scope, "portfolio_fields", "portfolio_update"):
            yield rollups(self.api, self.extras, self.pins, gids)
        found = list_projects(self.api, workspace, self.scope)
        self.cursor["members"] = found.gids()
        records, odd = self._projects(found.projects, hourly=True)
        if found.complete:
            yield Batch(tuple(found.read), "complete", records, kinds=("project",), census=found.gids())
        else:
            yield Batch(tuple(found.read), "observed", records)
        yield from _unobserved(found.refused | odd)
        proven = found.complete and not found.refused and not odd
        readable = dict.fromkeys(gid for gid in found.projects if _name(gid) not in odd)
        for batch in self._crawl(self._crawler(found), readable):
            proven = proven and batch.state == "complete"
            yield batch
        yield from self._finish(list(found.projects), whole=proven)

    def changes(self, since: Mapping[str, Any]) -> Iterator[Batch]:
        """What changed since the cursor; projects without a good token start over."""
        self._begin({**since, "sync": dict(since["sync"]), "swept_at": dict(since["swept_at"])}, whole=False)
        hourly = self._since(self.cursor["looked_at"]) > HOURLY
        found = self._listing(hourly)
        yield from _unobserved(found.refused)
        yield from self._left(found)
        crawler = self._crawler(found)
        heard = self._hear(found)
        over = self._over(found, heard, hourly)
        swept, due = self._sweep(crawler, [gid for gid in found.projects if gid not in over], hourly)
        if hourly:
            self.cursor["looked_at"] = self._now()
        fetched = fetch(crawler, [told for told in heard if told.project not in over], swept)
        over |= fetched.over & found.projects.keys()
        projects, odd = self._projects(found.projects, hourly=hourly)
        came = self.stories.of(fetched.records)
        why = {gid: words for one in swept for gid, words in one.troubled.items()}
        why |= {name.removeprefix("project:"): words for name, words in (odd | came.troubled).items()}
        fetched = replace(fetched, troubled=fetched.troubled | why)
        yield from self._told(found, heard, fetched, [*projects, *came.records], over, due)
        tokens = {told.project: told.token for told in heard if not told.why}
        yield from self._crawl(crawler, {gid: tokens.get(gid) for gid in sorted(over)})
        yield from self._finish(list(found.projects), whole=False, hourly=hourly)

    # --- parts of both ----------------------------------------------------------------------------------------------

    def _now(self) -> str:
        return self.clock().isoformat()

    def _since(self, text: str) -> dt.timedelta:
        return self.clock() - dt.datetime.fromisoformat(text)

    def _crawler(self, found: Listing) -> Crawler:
        also = {decode.NOTES} & set(self.scope.fields)
        return Crawler(self.api, found.gids(), self.pins, "tag" in self.scope.slots, also)

    def _projects(self, listed: Mapping[str, Json], *, hourly: bool) -> tuple[list[Record], dict[str, str]]:
        """The projects that differ from what is stored, and why others cannot be read, by scope.

        What a row does not tell is asked for when the row changed, and once an hour.
        """
        rows = {gid: decode.project(item, self.pins, self.cursor["me"]) for gid, item in listed.items()}
        stored = self.known("project", list(rows))
        asked = [gid for gid, row in rows.items() if hourly or not stored.get(gid, "").startswith(f"{row.version} ")]
        found = self.extras.of({gid: listed[gid] for gid in asked}, stored)
        odd = {_name(gid): extra.why for gid, extra in found.items() if extra.why}
        whole = [joined(rows[gid], found[gid]) for gid in asked if _name(gid) not in odd]
        return [record for record in whole if stored.get(record.id) != record.version], odd

    def _crawl(self, crawler: Crawler, projects: Mapping[str, str | None]) -> Iterator[Batch]:
        """Whole projects; those whose stream was just heard go on from there, and the others get a token first."""
        began_at = self._now()
        for tree in crawler.crawl(dict.fromkeys(projects, "") if self.cursor["stream"] else projects):
            yield from self._whole(tree, began_at)

    def _whole(self, tree: Tree, began_at: str) -> Iterator[Batch]:
        """One whole project, with what came into scope with its tasks."""
        name = _name(tree.project)
        if tree.why:
            yield from _unobserved({name: tree.why})
            return
        came = self.stories.of(*self._differing(tree.records))
        yield from _unobserved(came.troubled)
        if name in came.troubled:
            return
        records = [*came.records, *self._booked(tree.records).records]
        census = [record.id for record in tree.records]
        cursor = self._moved_on({tree.project: tree.token}, {tree.project: began_at}, tree.records)
        yield Batch((name,), "complete", records, kinds=("task",), census=census, cursor=cursor)

    def _differing(self, records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
        """Tasks that are brought, and those that need not be: they, and all that is known of them, are stored already.

        A history is read for each task that is brought, so with histories only those that differ are.
        """
        if not self.scope.history:
            return list(records), []
        stored = self.known("task", [record.id for record in records])
        same = {record.id for record in records if stored.get(record.id) == self.stories.version(record)}
        return [one for one in records if one.id not in same], [one for one in records if one.id in same]

    def _booked(self, tasks: Sequence[Record], gone: Collection[str] = ()) -> Booked:
        return self.worklogs.of(tasks, gone) if self.worklogs else Booked()

    def _finish(self, projects: Sequence[str], *, whole: bool, hourly: bool = True) -> Iterator[Batch]:
        """What belongs to no single project, and what is proven now that all of them were read."""
        if self.scope.allocations and hourly:
            yield allocations(self.api, self.cursor["workspace"], projects)
        if self.worklogs:
            yield from self.worklogs.finish(projects, proven=whole)
        yield from self.stories.finish(whole=whole)
        if self.stories.cursor() != self.cursor.get("stories"):
            yield Batch((), "observed", cursor=self._moved_on({}, {}))

    def _moved_on(
        self, tokens: Mapping[str, str], swept_at: Mapping[str, str], records: Sequence[Record] = ()
    ) -> Cursor:
        self.cursor["sync"].update(tokens)
        self.cursor["swept_at"].update(swept_at)
        assignees = (record.values.get("assignee") for record in records)
        self.people.update(one.id for one in assignees if isinstance(one, Person))
        self.cursor |= {"people": sorted(self.people), "stories": self.stories.cursor()}
        return {**self.cursor, "sync": dict(self.cursor["sync"]), "swept_at": dict(self.cursor["swept_at"])}

    # --- what changed -----------------------------------------------------------------------------------------------

    def _listing(self, hourly: bool) -> Listing:
        """The projects in scope; what is in portfolios is asked once an hour."""
        scope = self.scope
        if scope.portfolios and not hourly:
            scope = replace(scope, projects=tuple(self.cursor["members"]), portfolios=())
        found = list_projects(self.api, self.cursor["workspace"], scope)
        self.cursor["members"] = found.gids()
        return found

    def _left(self, found: Listing) -> Iterator[Batch]:
        """Projects that we followed and that are not listed any more: out of scope if they answer, else unobserved."""
        gone = [gid for gid in self.cursor["sync"] if gid not in found.gids()]
        if not gone:
            return
        if not found.complete:
            why = "the portfolio that it belongs to could not be read; give the account access to the portfolio"
            yield from _unobserved({_name(gid): why for gid in gone})
            return
        asked = Listing()
        fetch_projects(self.api, gone, "name", asked)
        yield from _unobserved(asked.refused)
        for gid in asked.projects:
            del self.cursor["sync"][gid]
            self.cursor["swept_at"].pop(gid, None)
        names = tuple(_name(gid) for gid in asked.projects)
        if names:
            out = [("project", gid) for gid in asked.projects]
            yield Batch(names, "observed", gone=out, cursor=self._moved_on({}, {}))  # type: ignore[arg-type]

    def _hear(self, found: Listing) -> list[Told]:
        """What the streams told since."""
        me = self.cursor["me"]
        if self.cursor["stream"]:
            return [streams.of_workspace(self.api, self.cursor["workspace"], self.cursor["stream"], me)]
        tokens = {gid: token for gid, token in self.cursor["sync"].items() if gid in found.projects}
        return list(streams.of_projects(self.api, tokens, me))

    def _over(self, found: Listing, heard: Sequence[Told], hourly: bool) -> set[str]:
        """The projects that have to be read whole."""
        over = {gid for gid in found.projects if gid not in self.cursor["sync"]}
        over |= {gid for told in heard for gid in (told.over | ({told.project} if told.expired else set()))}
        everything = any(told.expired and not told.project for told in heard)
        if hourly and (now := definitions.read(self.api, self.scope)) != self.cursor["definitions"]:
            self.cursor["definitions"] = now  # an option's name stands on every task that has it
            everything = True
        return set(found.projects) if everything else over & found.projects.keys()

    def _sweep(self, crawler: Crawler, gids: Sequence[str], hourly: bool) -> tuple[list[Swept], list[str]]:
        """What streams may have lost, and the projects that were swept for it."""
        due = {
            gid: dt.datetime.fromisoformat(at) - OVERLAP
            for gid in gids
            if self._since(at := self.cursor["swept_at"][gid]) > HOURLY
        }
        swept = [sweep_projects(self.api, due, self.known)] if due else []
        if hourly and self.repair and self.people:
            since = dt.datetime.fromisoformat(self.cursor["looked_at"]) - OVERLAP
            swept.append(sweep_people(crawler, self.cursor["workspace"], sorted(self.people), since, self.known))
        return swept, list(due)

    def _told(
        self,
        found: Listing,
        heard: Sequence[Told],
        fetched: Fetched,
        records: Sequence[Record],
        over: set[str],
        swept: Sequence[str],
    ) -> Iterator[Batch]:
        """One batch for everything that the streams told, and for the projects themselves."""
        why = {told.project: told.why for told in heard if told.why} | fetched.troubled
        everywhere = why.pop("", "")
        why = {**dict.fromkeys(found.projects if everywhere else (), everywhere), **why}
        yield from _unobserved({_name(gid): words for gid, words in why.items()})
        good = [gid for gid in found.projects if gid not in why and gid not in over]
        for told in heard:
            if not told.project and not everywhere:
                self.cursor["stream"] = told.token
                over = over | why.keys()  # the stream goes on, so these can only be made good from the whole
        for gid in over:
            self.cursor["sync"].pop(gid, None)
        booked = self._booked(fetched.records, fetched.gone)
        yield Batch(
            (*found.read, *(_name(gid) for gid in good)),
            "observed",
            [*records, *booked.records],
            gone=[*(("task", gid) for gid in sorted(fetched.gone)), *booked.gone],
            cursor=self._moved_on(
                {told.project: told.token for told in heard if told.project in good},
                dict.fromkeys((gid for gid in swept if gid in good), self._now()),
                fetched.records,
            ),
        )


def _name(project: str) -> str:
    """The scope of what is in a project."""
    return f"project:{project}"


def _unobserved(why: Mapping[str, str]) -> Iterator[Batch]:
    for name, words in why.items():
        yield Batch((name,), "unobserved", why=words)
