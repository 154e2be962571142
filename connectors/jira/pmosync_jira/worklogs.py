"""Brings the time booked on tasks, entry by entry, from Jira's own lists of what was changed and what was deleted.

It keeps the promise that a deleted entry is gone and an unread one is not: only a list that was read to its end proves
anything, and whatever hinders makes the scope `worklogs` unobserved.

| what happens                                         | so                                                          |
|------------------------------------------------------|-------------------------------------------------------------|
| Jira leaves out what was changed in the last minute  | the next pull goes on from Jira's own date, with an overlap |
| an entry is named as changed and then not shown      | the account may not see it any more: it is gone             |
| an entry belongs to no task that is looked at        | it is left out                                              |
| a task with older entries came in from elsewhere     | the task is asked for them                                  |
| no issue was updated since the lists were last asked | nothing is asked, but once in `every_s`: booking time       |
|                                                      | updates the issue                                           |

The entries of one thousand worklogs cost two calls, in Cloud and in Data Center.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Batch, Duration, Known, Record, Reference, Value
from pmosync.errors import Refused
from pmosync.http import PoliteSession

from .decode import ODD
from .deployment import BrokenPaging, rows_of
from .history import author, moment

log = logging.getLogger("pmosync.jira")

SCOPE = "worklogs"
OVERLAP_MS = 5 * 60 * 1000
"""How far each pull looks back behind the date that Jira gave."""
SETTLED_S = 120
"""After the last change of an issue, the lists must be asked once that much later: they leave out the last minute."""
TOGETHER = 1000
"""Entries that are shown in one call."""

Row = Mapping[str, Any]
Step = Generator[Batch, None, dict[str, int]]
"""Batches, and how far the lists were read."""


@dataclass(slots=True)
class Worklogs:
    """The worklogs of one pull: `begin`, then `of_arrivals` while issues come, then `pull`, then `cursor`."""

    session: PoliteSession
    api: str
    links_at: str
    known: Known
    every_s: float = 3600
    odd: Counter[str] = field(default_factory=Counter)
    """How many values could not be read, by name."""
    _kept: Mapping[str, Any] | None = None
    _trouble: Exception | None = None
    _until_ms: int = 0

    def begin(self, kept: Mapping[str, Any] | None) -> None:
        """Start where the last pull ended; None: everything, with a proof."""
        self._kept = kept

    def cursor(self) -> Mapping[str, Any] | None:
        """Where the next pull may start; None: with everything."""
        return self._kept

    def of_arrivals(self, issues: Iterable[Mapping[str, Any]]) -> list[Record]:
        """The worklogs of issues that were not stored before, as far as the lists will not tell them.

        They belong into the batch of the issues, so that a run that dies behind it has lost none. An issue that says
        that no time is booked on it is not asked.
        """
        if self._kept is None:
            return []
        since_ms = self._since("updated")
        asked = [
            str(issue["id"])
            for issue in issues
            if moment(issue["fields"]["created"]).timestamp() * 1000 < since_ms and issue["fields"].get("timespent", 1)
        ]
        try:
            return [self.record(raw) for raws in self.session.map(self._of_task, asked) for raw in raws]
        except (Refused, BrokenPaging, *ODD) as no:
            self._trouble = no
            return []

    def pull(self, *, now: dt.datetime, newest_ms: int, touched: bool) -> Iterator[Batch]:
        """The worklogs of all tasks that are stored by now, or what changed in them.

        Args:
            newest_ms: the latest `updated` of any issue, by Jira's dates.
            touched: whether this pull found an issue that was updated.
        """
        kept = self._kept
        if kept is not None and not self._trouble and not self._due(kept, now, touched):
            return
        try:
            if self._trouble:
                raise self._trouble
            read_to = yield from self._everything() if kept is None else self._changed(kept)
        except (Refused, BrokenPaging, *ODD) as no:
            if isinstance(no, Refused) and no.status == 0:
                raise
            self._kept = None if kept is None or self._trouble else {**kept, "lost": True}
            yield Batch((SCOPE,), "unobserved", why=_why(no))
            return
        # Jira's date is no later than now, wherever its clock stands; what was touched just now may be a minute old.
        seen_s = min(now.timestamp(), newest_ms / 1000) if kept is None else float(kept["touched_s"])
        touched_s = now.timestamp() if kept is not None and touched else seen_s
        self._kept = {**read_to, "asked_s": now.timestamp(), "touched_s": touched_s}
        if kept is not None and kept.get("lost"):
            yield Batch((SCOPE,), "observed")

    def _due(self, kept: Mapping[str, Any], now: dt.datetime, touched: bool) -> bool:
        asked_s, since_s = float(kept["asked_s"]), now.timestamp() - float(kept["asked_s"])
        settled = asked_s >= float(kept["touched_s"]) + SETTLED_S
        return touched or not settled or bool(kept.get("lost")) or not 0 <= since_s < self.every_s

    # --- steps ------------------------------------------------------------------------------------------------------

    def _everything(self) -> Step:
        """Every worklog that the account sees, of tasks that are looked at, and the proof that there are no others."""
        census: set[str] = set()
        pages = (page for page in self._feed("updated", 0) if page)
        for _, raws in self.session.map(self._shown, pages):
            records = self._of_known_tasks(raws)
            census.update(record.id for record in records)
            yield Batch((), "observed", records)
        yield Batch((SCOPE,), "complete", kinds=("worklog",), census=census)
        # What was deleted before the newest change is not among them; so the list of deletions is needed from there on.
        return {"updated_ms": self._until_ms, "deleted_ms": self._until_ms}

    def _changed(self, kept: Mapping[str, Any]) -> Step:
        """What was changed or deleted."""
        pages = (fresh for page in self._feed("updated", self._since("updated")) if (fresh := self._unread(page)))
        for asked, raws in self.session.map(self._shown, pages):
            records = self._of_known_tasks(raws)
            lost = set(asked) - {record.id for record in records}
            gone = [("worklog", one) for one in sorted(self.known("worklog", lost))] if lost else []
            yield Batch((), "observed", records, gone=gone)  # type: ignore[arg-type]
        updated_ms = max(int(kept["updated_ms"]), self._until_ms)
        for page in self._feed("deleted", self._since("deleted")):
            if stored := self.known("worklog", list(page)):
                yield Batch((), "observed", gone=[("worklog", one) for one in sorted(stored)])
        deleted_ms = max(int(kept["deleted_ms"]), self._until_ms)
        return {"updated_ms": updated_ms, "deleted_ms": deleted_ms}

    def _since(self, what: str) -> int:
        return max(0, int((self._kept or {})[f"{what}_ms"]) - OVERLAP_MS)

    def _unread(self, page: Mapping[str, int]) -> dict[str, int]:
        """What of a page is not stored as it is now; the overlap brings most of it again."""
        stored = self.known("worklog", list(page)) if page else {}
        return {one: at_ms for one, at_ms in page.items() if _ms(stored.get(one)) != at_ms}

    # --- the calls --------------------------------------------------------------------------------------------------

    def _feed(self, what: str, since_ms: int) -> Iterator[dict[str, int]]:
        """Pages of worklog ids with the dates of their change or deletion, oldest first.

        The next page is asked from just before the last date on: several entries may have that one, and whether Jira
        means `since` to be inside is not documented.
        """
        before: Mapping[str, int] = {}
        self._until_ms, at_ms = 0, since_ms
        while True:
            page = self.session.call("GET", f"{self.api}/worklog/{what}", params={"since": at_ms}).data
            told = rows_of(page, "values", self.session.host)
            rows = {str(row["worklogId"]): int(row["updatedTime"]) for row in told}
            self._until_ms = max([self._until_ms, int(page.get("until") or 0), *rows.values()])
            fresh = {one: told_ms for one, told_ms in rows.items() if before.get(one) != told_ms}
            yield fresh
            last = page.get("lastPage")
            if last is True or (last is None and not page.get("nextPage")):
                return
            newest_ms = max(rows.values(), default=at_ms)
            if not fresh and (newest_ms <= at_ms or len(set(rows.values())) == 1):
                came = "the same page again" if rows else "an empty page"
                raise BrokenPaging(f"the list of {what} worklogs did not come to its end: Jira gave {came}")
            before, at_ms = rows, newest_ms - 1 if fresh else newest_ms

    def _shown(self, page: Mapping[str, int]) -> tuple[Mapping[str, int], list[Row]]:
        """What Jira shows of these worklogs, with what it was asked for; hidden ones lack."""
        raws: list[Row] = []
        ids = [int(one) for one in page]
        for first in range(0, len(ids), TOGETHER):
            body = {"ids": ids[first : first + TOGETHER]}
            found = self.session.call("POST", f"{self.api}/worklog/list", json=body).data
            if not isinstance(found, list):
                raise BrokenPaging("the worklogs could not be read: the answer is no list")
            raws += found
        return page, raws

    def _of_task(self, task_id: str) -> list[Row]:
        found: list[Row] = []
        while True:
            # Cloud gives 5,000 at once, and Data Center, which has no pages here, gives all.
            params = {"startAt": len(found)} if found else {}
            answer = self.session.call("GET", f"{self.api}/issue/{task_id}/worklog", params=params, expect=(404,))
            if answer.status == 404:
                return found
            rows = rows_of(answer.data, "worklogs", self.session.host)
            found += rows
            if len(found) >= int(answer.data["total"]):
                return found
            if not rows:
                raise BrokenPaging(
                    f"the worklogs of issue {task_id} did not come to their end: Jira gave an empty page"
                )

    # --- records ----------------------------------------------------------------------------------------------------

    def _of_known_tasks(self, raws: Sequence[Row]) -> list[Record]:
        tasks = self.known("task", {str(raw["issueId"]) for raw in raws}) if raws else {}
        return [self.record(raw) for raw in raws if str(raw["issueId"]) in tasks]

    def record(self, raw: Row) -> Record:
        """The record of a worklog; a value that cannot be read is not provided."""
        worklog_id, task_id = str(raw["id"]), str(raw["issueId"])
        readers: Mapping[str, Callable[[], Value]] = {
            "author": lambda: author(raw.get("author")),
            "started": lambda: moment(raw["started"]),
            "spent": lambda: Duration(float(raw["timeSpentSeconds"])),
        }
        return Record(
            kind="worklog",
            id=worklog_id,
            key=worklog_id,
            url=f"{self.links_at}/secure/ViewIssue.jspa?id={task_id}&focusedWorklogId={worklog_id}",
            version=str(raw["updated"]),
            scopes=(SCOPE,),
            values={"task": Reference("task", task_id), **dict(self._values(readers.items()))},
        )

    def _values(self, readers: Iterable[tuple[str, Callable[[], Value]]]) -> Iterator[tuple[str, Value]]:
        for name, read in readers:
            try:
                yield name, read()
            except ODD as error:
                self.odd[name] += 1
                if self.odd[name] == 1:
                    log.warning("%s: %s of worklogs cannot be read: %s", self.session.host, name, error)


def _ms(version: str | None) -> int | None:
    """When a stored worklog was changed last, as the list of changes says it."""
    if version is None:
        return None
    try:
        return round(moment(version).timestamp() * 1000)
    except ODD:
        return None


def _why(no: Exception) -> str:
    what = str(no).rstrip(".") if isinstance(no, (Refused, BrokenPaging)) else f"{type(no).__name__}: {no}"
    return (
        f"The worklogs could not be read: {what}. The next run tries again; if it stays, see that time tracking is on "
        "in Jira, or take `worklogs` out of `read` in the mapping."
    )
