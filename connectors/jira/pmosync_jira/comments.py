"""Brings the comments that may be a command to us: those that begin with `/pmo`, on tasks that bear a mark of ours.

It keeps the promise that a command has the account that wrote its words as its author, never a name, and that nothing
which we write is a command. Comments of tasks without a mark are not asked for, and no other comment is kept.

| Jira says                                                    | so                                                |
|--------------------------------------------------------------|---------------------------------------------------|
| the comments of an issue, all of them                        | they are read                                     |
| some of them, and how many there are                         | the issue is asked for all, page by page          |
| somebody else edited the comment last                        | that one is the author of what stands there now   |
| no                                                           | the scope `comments` is unobserved, and the next  |
|                                                              | pull asks for these tasks again                   |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Batch, Record, Reference
from pmosync.errors import Refused
from pmosync.http import PoliteSession

from . import wiki
from .adf import to_text
from .decode import ODD
from .deployment import FETCHED, BrokenPaging, rows_of
from .history import author, moment

SCOPE = "comments"
FIELD = "comment"
PAGE = 100
_COMMAND = re.compile(r"/pmo(?=\s|$)", re.IGNORECASE)

Row = Mapping[str, Any]


@dataclass(slots=True)
class Comments:
    """The commands of one pull: `begin`, then `of` with each batch of tasks, then `finish`, then `cursor`.

    Args:
        fetch: gives issues by id with their field `comment`, at most a hundred.
        me: our own account's id; asked only when there is a command.
    """

    session: PoliteSession
    api: str
    links_at: str
    fetch: Callable[[Sequence[str]], Sequence[Row]]
    me: Callable[[], str]
    _before: Mapping[str, str] = field(default_factory=dict)
    """Tasks whose comments the last pull could not read, with their keys."""
    _again: dict[str, str] = field(default_factory=dict)
    """Those that this one could not read."""
    _census: set[str] = field(default_factory=set)
    _why: str = ""

    def begin(self, kept: Mapping[str, Any] | None) -> None:
        """Start where the last pull ended; None: with everything."""
        self._before = dict(kept["again"]) if kept else {}

    def cursor(self) -> dict[str, Any]:
        """What the next pull needs to know."""
        return {"again": self._again}

    def of(self, tasks: Iterable[Record], issues: Iterable[Row] = ()) -> list[Record]:
        """The commands on those of the tasks that bear a mark; they belong into the batch of the tasks.

        Args:
            issues: the answers that the tasks came from; one that has the field `comment` costs no call.
        """
        marked = {one.id: one.key for one in tasks if any(mark is not None for mark in one.marks.values())}
        return self._read(marked, {str(raw["id"]): raw for raw in issues})

    def finish(self, *, whole: bool) -> Iterator[Batch]:
        """What was asked in vain before, and what is proven now.

        Args:
            whole: every task of every project went through `of`.
        """
        before = [] if whole else list(self._before.items())
        for first in range(0, len(before), FETCHED):
            yield Batch((), "observed", self._read(dict(before[first : first + FETCHED]), {}))
        if self._again:
            named = ", ".join(sorted(self._again.values())[:5]) + (" and others" if len(self._again) > 5 else "")
            why = f"The comments of {named} could not be read: {self._why.rstrip('.')}. The next run tries again."
            yield Batch((SCOPE,), "unobserved", why=why)
        elif whole:
            yield Batch((SCOPE,), "complete", kinds=("comment",), census=self._census)
        elif self._before:
            yield Batch((SCOPE,), "observed")

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self, keys: Mapping[str, str], at_hand: Mapping[str, Row]) -> list[Record]:
        pages = {one: _page(at_hand[one]) for one in keys if one in at_hand and _page(at_hand[one]) is not None}
        missing = [one for one in keys if one not in pages]
        try:
            for first in range(0, len(missing), FETCHED):
                found = self.fetch(missing[first : first + FETCHED])
                pages |= {str(raw["id"]): _page(raw) for raw in found}
        except (Refused, BrokenPaging, *ODD) as no:
            self._fail({one: keys[one] for one in missing}, no)
        records: list[Record] = []
        shown = [(one, page) for one, page in pages.items() if one in keys]
        for task_id, rows, trouble in self.session.map(lambda one: self._all(*one), shown):
            try:
                if trouble is not None:
                    raise trouble
                commands = [record for row in rows if (record := self.record(row, task_id, keys[task_id]))]
            except (Refused, BrokenPaging, *ODD) as no:
                self._fail({task_id: keys[task_id]}, no)
                continue
            records += commands
        self._census.update(record.id for record in records)
        return records

    def _fail(self, keys: Mapping[str, str], no: Exception) -> None:
        if isinstance(no, Refused) and no.status == 0:
            raise no
        self._again |= keys
        self._why = str(no) if isinstance(no, (Refused, BrokenPaging)) else f"{type(no).__name__}: {no}"

    def _all(self, task_id: str, page: Row | None) -> tuple[str, Sequence[Row], Exception | None]:
        """Every comment of a task: those that came with it, when these are all."""
        if page is not None and len(page["comments"]) >= page["total"]:
            return task_id, page["comments"], None
        found: list[Row] = []
        try:
            while True:
                params = {"startAt": len(found), "maxResults": PAGE, "orderBy": "-created"}
                path = f"{self.api}/issue/{task_id}/comment"
                answer = self.session.call("GET", path, params=params, expect=(404,))
                if answer.status == 404:
                    return task_id, found, None
                rows = rows_of(answer.data, "comments", self.session.host)
                found += rows
                if len(found) >= int(answer.data["total"]):
                    return task_id, found, None
                if not rows:
                    raise BrokenPaging("the list of comments did not come to its end: Jira gave an empty page")
        except (Refused, BrokenPaging, *ODD) as no:
            return task_id, found, no

    def record(self, row: Row, task_id: str, key: str) -> Record | None:
        """The record of a comment that may be a command; None for every other one."""
        text = words(row.get("body")).strip()
        if not _COMMAND.match(text):
            return None
        who = author(row.get("updateAuthor")) or author(row.get("author"))
        if who is not None and who.id == self.me():
            return None
        comment_id = str(row["id"])
        return Record(
            kind="comment",
            id=comment_id,
            key=comment_id,
            url=f"{self.links_at}/browse/{key}?focusedCommentId={comment_id}",
            version=str(row.get("updated") or row["created"]),
            scopes=(SCOPE,),
            values={
                "task": Reference("task", task_id),
                "author": who,
                "created": moment(row["created"]),
                "text": text,
            },
        )


def words(body: Any) -> str:
    """The plain text of a comment: a document on Cloud, wiki markup on Data Center."""
    if body is None:
        return ""
    return wiki.to_page(body) if isinstance(body, str) else to_text(body)


def _page(issue: Row) -> Row | None:
    """The comments that came with an issue; None when it was not asked for them."""
    page = (issue.get("fields") or {}).get(FIELD)
    usable = isinstance(page, dict) and isinstance(page.get("comments"), list) and isinstance(page.get("total"), int)
    return page if usable else None
