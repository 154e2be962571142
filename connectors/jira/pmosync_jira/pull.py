"""Brings what changed in Jira, or everything, as batches that say what is proven.

It keeps the promise that a gap is never read as an absence: whatever could not be read to its end makes its projects
unobserved, and the cursor moves on only for projects that were read whole. A project that was unobserved is observed
again only by a sweep that reads all of it, so batches that merely bring records name no scope.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Batch, Clock, Known, Record, Scope, canonical
from pmosync.errors import Refused, Unreadable

from . import status_issues
from .decode import ODD, instant
from .extras import Extras, extras
from .issues import Issues
from .marks import PROJECT_PROPERTY, ROLLUP_SLOT, STATUS_PROPERTY
from .people import People
from .records import ARCHIVED, Decoder, project_scope
from .rights import without_label
from .site import IDS, NAMES, PAGE, RECONCILED, BrokenPaging, Site, where
from .watch import Kept, Key, Watch

log = logging.getLogger("pmosync.jira")

OVERLAP_MS = 5 * 60 * 1000
"""How far an incremental pull looks back: Jira's index may lag behind its data."""
LOOK_BACK_MS = 60 * 60 * 1000
"""How far it looks back once in a while: after bulk edits the index may lag for much longer."""

FORMAT = 3
"""Of the cursor; one of another format starts over."""

Step = Callable[[list[str]], Iterator[Batch]]

_IN_TRASH = "is in Jira's trash. Restore it there within 60 days, or take it out of the mapping: then its findings end."
_NOT_VISIBLE = (
    "is not visible to the account that pmosync uses. It may have been deleted or restricted: give the account the "
    "permission Browse projects there, or correct the name in the mapping, or take it out: then its findings end."
)
_RENAMED = "%s: project %s is called %s now. It is read as before; write its new key where the old one stands."


@dataclass(slots=True)
class Pull:
    """One pull; everything that its steps learn on the way."""

    site: Site
    decoder: Decoder
    scope: Scope
    known: Known
    clock: Clock
    watch: Watch
    status: status_issues.Known
    look_back_every_s: float
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    unobserved: set[str] = field(default_factory=set)
    people: People = field(init=False)
    issues: Issues = field(init=False)
    extras: Extras = field(init=False)
    from_ms: int = 0
    """Since when changes are asked for."""
    newest_ms: int = 0
    """The latest `updated` of any issue: the cursor comes from Jira's dates, never from our clock."""

    def batches(self, since: Mapping[str, Any] | None) -> Iterator[Batch]:
        """All batches of this pull; the last one carries the cursor."""
        started_at = self.clock()
        asked = _asked(self.scope)
        self.site.remember(since and since.get("deployment"))
        if since is not None and (since.get("format") != FORMAT or since.get("asked") != asked):
            since = None
        covered = set(since["projects"]) if since else set()
        yield from self._list_projects(covered, full=since is None)
        live = [one for one, raw in self.projects.items() if not raw.get("archived")]
        self.people = People(self.site, self.decoder)
        self.issues = self._fetching(live, full=since is None)
        self.watch.begin(self.scope.fields, since and since["planning"], started_at)
        covered -= self.watch.ask(started_at)
        self.newest_ms = since_ms = int(since["updated_ms"]) if since else 0
        looked_back_s = self._look_back(since, since_ms, started_at)
        fresh = [one for one in live if one not in covered]
        seen_before = [one for one in live if one in covered]
        options: dict[str, Any] = {"every_s": self.watch.every_s, "more": bool(fresh)}
        self.extras = extras(self.site, self.scope, self.known, self.clock, since, **options)
        if fresh:
            yield from self._guarded(self._everything, fresh)
        if seen_before:
            yield from self._guarded(self._changed, seen_before)
        yield from self._moved([one for one in live if one not in self.unobserved])
        if since is None and status_issues.SLOT in self.scope.slots:
            stored = self.known("rollup", ()).values()
            yield from status_issues.pull(self.site, stored, self.status)
        whole = [one for one in live if one not in self.unobserved]
        for batch in self.extras.finish(self.newest_ms, proven=whole == live):
            for record in batch.records:
                self.people.saw(record)
            yield batch
        yield from self.people.everybody() if since is None else self.people.mentioned()
        # A change made while this pull was running may be older than the newest that it saw.
        took_ms = int((self.clock() - started_at).total_seconds() * 1000)
        newest_ms = max(since_ms, self.newest_ms - took_ms)
        # Jira's clock may have been ahead for a while: what is dated after now is not behind us.
        newest_ms = min(newest_ms, int(started_at.timestamp() * 1000))
        # Also when no project is left in it: each of them is then read whole next time, and observed again.
        cursor = {
            "format": FORMAT,
            "deployment": self.site.deployment.name,
            "updated_ms": newest_ms,
            "looked_back_s": looked_back_s,
            "projects": sorted(whole),
            "asked": asked,
            "planning": self.watch.cursor(),
            **self.extras.cursor(),
        }
        yield Batch((), "observed", cursor=cursor)

    def _fetching(self, live: Sequence[str], *, full: bool) -> Issues:
        """What fetches the issues. Where no bulk call gives our property, a full pull asks wherever it may be."""
        if self.site.deployment.bulk:
            return Issues(self.site, self.decoder, self.scope)
        seek = full and "property" in self.scope.slots
        everywhere = list(without_label(self.site, self.scope, live)) if seek else []
        return Issues(self.site, self.decoder, self.scope, everywhere, tuple(self.known("rollup", ()).values()))

    # --- projects ---------------------------------------------------------------------------------------------------

    def _list_projects(self, covered: set[str], *, full: bool) -> Iterator[Batch]:
        """The projects themselves; and those that the mapping names or that were there before, and are not visible."""
        cheap = full or self.site.deployment.bulk  # else our property costs a call for each project
        found = self.site.projects(
            self.scope.projects,
            description="description" in self.scope.project_fields,
            prop=PROJECT_PROPERTY if cheap and ROLLUP_SLOT in self.scope.slots else "",
        )
        self.projects = {str(raw["id"]): raw for raw in found}
        yield Batch((), "observed", [self.decoder.project(raw, self.scope) for raw in found])
        names = {str(raw[one]) for raw in found for one in NAMES}
        for raw in found:
            if raw["asked_as"] not in ("", str(raw["id"]), raw["key"]):
                log.warning(_RENAMED, self.site.session.host, raw["asked_as"], raw["key"])
        if settled := [project_scope(name) for name in self.scope.projects if name in names]:
            yield Batch(tuple(settled), "observed")
        if archived := tuple(project_scope(one) for one, raw in self.projects.items() if raw.get("archived")):
            # Nobody can do anything there any more, and Jira does not list what is in it.
            yield Batch(archived, "complete", kinds=("task",), fate="archived")
        named = [name for name in self.scope.projects if name not in names]
        lost = list(dict.fromkeys((*named, *sorted(covered - set(self.projects)))))
        trashed = self.site.deployment.trashed(lost) if lost else ()
        for name in lost:
            why = _IN_TRASH if name in trashed else _NOT_VISIBLE
            yield Batch((project_scope(name),), "unobserved", why=f"Project {name} {why}")

    def _guarded(self, step: Step, ids: list[str]) -> Iterator[Batch]:
        """A step over all projects at once; when Jira refuses, over each alone, so that only the failing are lost."""
        try:
            yield from step(ids)
        except Refused as no:
            if no.status not in (400, 403, 404):
                raise Unreadable(str(no)) from no
            if len(ids) == 1:
                yield self._lose(ids, f"Jira did not let its issues be read: {no}")
            else:
                for one in ids:
                    yield from self._guarded(step, [one])
        except BrokenPaging as broken:
            yield self._lose(ids, f"{broken}. The next run tries again.")

    def _lose(self, ids: Sequence[str], why: str) -> Batch:
        self.unobserved.update(ids)
        names = ", ".join(str(self.projects[one]["key"]) for one in ids)
        return Batch(tuple(project_scope(one) for one in ids), "unobserved", why=f"{names}: {why}")

    # --- issues -----------------------------------------------------------------------------------------------------

    def _everything(self, ids: list[str]) -> Iterator[Batch]:
        """Every issue of the projects, and the proof that there are no others."""
        listed = self._census(ids)
        found = yield from self._fetched(listed, ids, links=True)
        if found.missing or found.failed:
            yield from self._contradicted(ids, found)
        whole = [one for one in ids if one not in self.unobserved]
        if whole:
            census = set(listed) - found.missing - found.aside
            scopes = tuple(project_scope(one) for one in whole)
            yield Batch(scopes, "complete", kinds=("project",), census=tuple(whole))
            yield Batch(scopes, "complete", kinds=("task",), census=census)

    def _look_back(self, since: Mapping[str, Any] | None, since_ms: int, now: dt.datetime) -> float:
        """How far back this pull asks; returns when that was last far, for the cursor."""
        looked_back_s = float(since["looked_back_s"]) if since else now.timestamp()
        due = not 0 <= now.timestamp() - looked_back_s < self.look_back_every_s
        self.from_ms = max(0, since_ms - (LOOK_BACK_MS if due else OVERLAP_MS))
        return now.timestamp() if due else looked_back_s

    def _changed(self, ids: list[str]) -> Iterator[Batch]:
        """Issues that Jira says were updated, fetched when they differ from what is stored."""
        differ: dict[str, str] = {}
        query = where(self.scope.query, self.site.deployment.changed_since(self.from_ms) if self.from_ms else "")
        for page in self.site.search(query, ["updated", "project"], PAGE, [STATUS_PROPERTY], projects=ids):
            rows = {str(row["id"]): row["fields"] for row in page if not status_issues.is_status_issue(row)}
            stored = self.known("task", rows.keys())
            for issue_id, fields in rows.items():
                self._saw(fields["updated"])
                if stored.get(issue_id) != fields["updated"]:
                    differ[issue_id] = str(fields["project"]["id"])
        found = yield from self._fetched(list(differ), ids)
        lost = {differ[one] for one in found.missing | found.failed} & set(ids)
        if lost:
            yield self._lose(
                sorted(lost), "Jira listed issues as changed and then did not show them. The next run looks again."
            )

    def _moved(self, ids: Sequence[str]) -> Iterator[Batch]:
        """Issues whose versions or sprints moved, read anew: Jira does not say that they changed.

        Where that does not succeed, their projects are read whole.
        """
        moved = self.watch.take_moved()
        everywhere = {project_id for kept in moved.values() for project_id in kept.projects}
        listed: dict[str, None] = {}
        try:
            whole = self._in_moved(ids, moved, listed) if ids else set()
            found = yield from self._fetched(list(listed), ids)
        except (Refused, BrokenPaging):
            whole = everywhere
        else:
            whole |= everywhere if found.missing or found.failed else set()
        if again := sorted(whole & set(ids)):
            yield from self._guarded(self._everything, again)

    def _in_moved(self, ids: Sequence[str], moved: Mapping[Key, Kept], listed: dict[str, None]) -> set[str]:
        """List the issues in what moved; returns the projects of what Jira does not know any more."""
        unknown: set[str] = set()
        for condition, keys in self.watch.conditions(moved):
            try:
                listed.update(dict.fromkeys(self._census(ids, condition)))
            except Refused:
                if len(keys) == 1:
                    unknown |= moved[keys[0]].projects
                else:
                    for key in keys:
                        unknown |= self._in_moved(ids, {key: moved[key]}, listed)
        return unknown

    def _census(self, ids: Sequence[str], condition: str = "") -> list[str]:
        query = where(self.scope.query, condition)
        return [str(row["id"]) for page in self.site.search(query, ["id"], IDS, projects=ids) for row in page]

    def _fetched(
        self, listed: Sequence[str], ids: Sequence[str], *, links: bool = False
    ) -> Generator[Batch, None, _Found]:
        """Records of these issues as they come; what Jira left out is asked for once more."""
        first = yield from self._fetch(listed, ids, links)
        if not first.missing and not first.failed:
            return first
        second = yield from self._fetch(sorted(first.missing | first.failed), ids, links)
        return _Found(second.missing, second.failed, first.aside | second.aside)

    def _fetch(self, listed: Sequence[str], ids: Sequence[str], links: bool) -> Generator[Batch, None, _Found]:
        found, inside = _Found(set(), set(), set()), set(ids)
        for came in self.issues.fetch(listed, links=links):
            here = [
                (issue, record)
                for issue, record in came.tasks
                if self.scope_id(record) in inside and not issue["fields"].get(ARCHIVED)
            ]
            found.aside.update(came.shown - {record.id for _, record in here})
            found.failed.update(came.failed)
            found.missing.update(came.missing)
            for issue, record in here:
                self.watch.saw(issue)
                self._saw(record.version)
                self.people.saw(record)
            yield Batch((), "observed", [*(record for _, record in here), *self.extras.of(here)])
        return found

    def _contradicted(self, ids: Sequence[str], found: _Found) -> Iterator[Batch]:
        """Issues were listed and then left out: deleted meanwhile, or out of sight together with their project?"""
        visible = {str(raw["id"]) for raw in self.site.projects(self.scope.projects, prop="")}
        lost = [one for one in ids if one not in visible]
        if lost:
            yield self._lose(lost, "it stopped being visible to the account while it was read.")
        rest = [one for one in ids if one in visible]
        doubtful = sorted((found.missing & set(self._census(rest))) | found.failed) if rest else []
        unsure: set[str] = set()
        for first in range(0, len(doubtful), RECONCILED):
            unsure |= self._projects_of(doubtful[first : first + RECONCILED])
        unsure &= set(rest)
        if unsure:
            yield self._lose(sorted(unsure), "Jira lists issues of it that it does not show. The next run looks again.")

    def _projects_of(self, issue_ids: Sequence[str]) -> set[str]:
        """Where a search finds these issues, looking at them as they are now. Jira refuses to look for an issue that
        does not exist."""
        query = f"id in ({', '.join(issue_ids)})"
        try:
            pages = list(self.site.search(query, ["project"], PAGE, fresh=issue_ids))
        except Refused as no:
            if no.status != 400:
                raise
            if len(issue_ids) == 1:
                return set()
            half = len(issue_ids) // 2
            return self._projects_of(issue_ids[:half]) | self._projects_of(issue_ids[half:])
        return {str(row["fields"]["project"]["id"]) for page in pages for row in page}

    def _saw(self, updated: str) -> None:
        try:
            self.newest_ms = max(self.newest_ms, int(instant(updated).timestamp() * 1000))
        except ODD as error:
            raise Unreadable(f"{self.site.session.host}: {updated!r} is not a date of Jira's ({error}).") from None

    @staticmethod
    def scope_id(record: Record) -> str:
        """The id of the project that a task is in."""
        return record.scopes[0].partition(":")[2]


@dataclass(slots=True)
class _Found:
    """What a fetch did not bring, by id."""

    missing: set[str]
    """Listed, then left out without a word."""
    failed: set[str]
    """Jira says that it cannot give them just now."""
    aside: set[str]
    """No tasks of these projects: meanwhile in one that is not looked at, in the archive, or a status issue of ours."""


def _asked(scope: Scope) -> str:
    """A short name for what is asked: a cursor serves only the question that it was made for."""
    data = [
        sorted(scope.projects),
        scope.query,
        sorted(scope.fields),
        sorted(scope.project_fields),
        sorted(scope.slots),
        sorted(scope.history),
        scope.worklogs,
        scope.comments,
    ]
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:16]
