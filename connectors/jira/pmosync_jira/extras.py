"""Brings what a mapping may ask for beside the tasks themselves: booked time, and comments that may be a command.

It keeps the promise that they cost nothing when nobody asks for them, and that a task and what came into scope with it
are stored together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Batch, Clock, Known, Record, Scope

from .comments import FIELD, Comments
from .decode import person
from .site import Site
from .worklogs import Worklogs

Task = tuple[Mapping[str, Any], Record]
"""An issue as Jira gave it, and as a record."""


@dataclass(slots=True)
class Extras:
    """What one pull brings beside the tasks: `of` with each batch of them, `finish` behind the last, then `cursor`."""

    worklogs: Worklogs | None
    comments: Comments | None
    known: Known
    whole: bool
    """Whether everything is pulled."""
    clock: Clock
    touched: bool = False
    """Whether an issue was updated since the last pull."""

    def of(self, tasks: Sequence[Task]) -> list[Record]:
        """What belongs into the batch of these tasks."""
        self.touched |= bool(tasks)
        found: list[Record] = []
        if self.worklogs and tasks and not self.whole:
            stored = self.known("task", [record.id for _, record in tasks])
            found += self.worklogs.of_arrivals([issue for issue, record in tasks if record.id not in stored])
        if self.comments:
            found += self.comments.of([record for _, record in tasks])
        return found

    def finish(self, newest_ms: int, *, proven: bool) -> Iterator[Batch]:
        """The rest, and what is proven.

        Args:
            newest_ms: the latest `updated` of any issue.
            proven: every project was read whole.
        """
        if self.worklogs:
            yield from self.worklogs.pull(now=self.clock(), newest_ms=newest_ms, touched=self.touched)
        if self.comments:
            yield from self.comments.finish(whole=self.whole and proven)

    def cursor(self) -> dict[str, Any]:
        """What the next pull needs to know."""
        return {
            "worklogs": self.worklogs.cursor() if self.worklogs else None,
            "comments": self.comments.cursor() if self.comments else None,
        }


def extras(
    site: Site, scope: Scope, known: Known, clock: Clock, kept: Mapping[str, Any] | None, *, every_s: float, more: bool
) -> Extras:
    """What a scope asks for, from where the last pull ended; None: everything.

    Args:
        every_s: how long lists of worklogs are left alone while nothing changes.
        more: whether projects are read whole: then the lists of worklogs are cheaper than each of their tasks.
    """
    session, api, links_at = site.session, site.api, site.links_at
    worklogs = Worklogs(session, api, links_at, known, every_s) if scope.worklogs else None
    comments = Comments(session, api, links_at, _with_comments(site), _me(site)) if scope.comments else None
    if worklogs:
        worklogs.begin(None if more else kept and kept["worklogs"])
    if comments:
        comments.begin(kept and kept["comments"])
    return Extras(worklogs, comments, known, whole=kept is None, clock=clock)


def _with_comments(site: Site) -> Callable[[Sequence[str]], Sequence[Mapping[str, Any]]]:
    return lambda ids: site.deployment.fetch(ids, [FIELD], (), ())[0]


def _me(site: Site) -> Callable[[], str]:
    return functools.cache(lambda: person(site.package.myself()).id)
