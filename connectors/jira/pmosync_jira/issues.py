"""Fetches issues whole: their fields, what stands in our slots, and their histories when these are asked for.

It keeps the promise that what was asked for and did not come is told by name, and that an issue comes with all of its
history or not at all.

A history costs no call per issue: Cloud gives those of a thousand issues together, Data Center sends each with its
issue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pmosync.contract import Record, Scope

from . import history, status_issues
from .beside import with_beside
from .comment_slot import Comments
from .deployment import FETCHED, Rows
from .history import Histories
from .planning import base_of
from .quiet import Quiet
from .records import Decoder, asked_fields
from .site import Site


class Came(NamedTuple):
    """What came of some issues that were asked for."""

    tasks: list[tuple[Mapping[str, Any], Record]]
    """Issues that are tasks, as Jira gave them and as records."""
    shown: set[str]
    """Ids of all that came, our status issues among them."""
    failed: set[str]
    """Ids that Jira says it cannot give just now."""
    missing: set[str]
    """Ids that were left out without a word."""


class _Job(NamedTuple):
    what: Literal["issues", "histories"]
    ids: Sequence[str]


@dataclass(slots=True)
class Issues:
    """Fetches for one pull."""

    site: Site
    decoder: Decoder
    scope: Scope
    everywhere_in: Collection[str] | None = ()
    """Projects where our property may stand without a label of ours, see `Deployment.fetch`."""
    ours: Collection[str] = ()
    """Ids of status issues that are known: Data Center shows only by their label that they are ours."""
    wanted: frozenset[str] = field(init=False)
    """The fields whose moves are asked for."""
    comments: Comments = field(init=False)

    def __post_init__(self) -> None:
        self.comments = Comments(self.site, Quiet(self.site))
        self.wanted = frozenset(map(base_of, self.scope.history))

    def fetch(self, ids: Sequence[str], *, links: bool = False) -> Iterator[Came]:
        """These issues, some at a time.

        Args:
            links: with our link and our comment among the marks, which cost a call for each issue that can have one.
        """
        waiting: list[tuple[Rows, set[str], Sequence[str]]] = []
        for job, answer in self.site.session.map(lambda job: (job, self._do(job)), self._jobs(ids)):
            if job.what == "issues":
                waiting.append((*answer, job.ids))
                if self._in_bulk:
                    continue
            told = answer if job.what == "histories" else {}
            for issues, failed, asked in waiting:
                yield self._came(issues, failed, asked, told, links=links)
            waiting.clear()

    @property
    def _in_bulk(self) -> bool:
        """Whether histories come by calls of their own."""
        return bool(self.wanted) and self.site.deployment.bulk

    @property
    def histories(self) -> Histories | None:
        """What decodes histories. It asks for the site's fields, so not before there is one to decode."""
        return self.decoder.histories(self.wanted) if self.wanted else None

    def _jobs(self, ids: Sequence[str]) -> Iterator[_Job]:
        for several in _chunks(ids, history.TOGETHER):
            yield from (_Job("issues", some) for some in _chunks(several, FETCHED))
            if self._in_bulk:
                yield _Job("histories", several)

    def _do(self, job: _Job) -> Any:
        if job.what == "histories":
            everything = "updated" in self.scope.fields
            fields = history.limited_to(self.wanted, everything=everything)
            return history.in_bulk(self.site.session, self.site.api, job.ids, fields)
        embedded = bool(self.wanted) and not self.site.deployment.bulk
        return self.site.fetch(job.ids, asked_fields(self.scope), self.everywhere_in, history=embedded)

    def _came(
        self, issues: Rows, failed: set[str], asked: Sequence[str], told: Mapping[str, history.Rows], *, links: bool
    ) -> Came:
        tasks = [one for one in issues if not status_issues.is_status_issue(one) and str(one["id"]) not in self.ours]
        records = [self._record(issue, told) for issue in tasks]
        if links:
            records = with_beside(records, self.scope, self.site, self.comments)
        shown = {str(issue["id"]) for issue in issues}
        return Came(list(zip(tasks, records, strict=True)), shown, failed, set(asked) - shown - failed)

    def _record(self, issue: Mapping[str, Any], told: Mapping[str, history.Rows]) -> Record:
        if self.histories is None:
            return self.decoder.task(issue, self.scope)
        rows = told.get(str(issue["id"]), []) if self._in_bulk else history.embedded(issue)
        if rows is None:
            rows = history.expanded(self.site.session, self.site.api, str(issue["id"]))
        return self.decoder.task(issue, self.scope, self.histories.read(rows))


def _chunks(ids: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (ids[first : first + size] for first in range(0, len(ids), size))
