"""Reads the histories of issues: who moved which field when, and when anybody but us touched an issue last.

It keeps the promise that our own moves are told from people's by what was written, never by who wrote, and that half a
history is none: what could not be read to its end is said to be so.

| a row                                                          | is ours when                                        |
|----------------------------------------------------------------|-----------------------------------------------------|
| labels                                                         | before and after differ in our labels alone         |
| `RemoteIssueLink`, `RemoteWorkItemLink`                        | it is about a link with the title that ours have    |
| a field that is ours                                           | always                                              |
| `Comment`                                                      | a comment of ours stands on the issue               |

An entry counts as somebody's change unless every row of it is ours. The metadata that our edits carry decides nothing:
bulk edits and undo do not keep it.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pmosync.contract import Event, Person, Value
from pmosync.http import PoliteSession

from .decode import ODD
from .deployment import BrokenPaging, rows_of
from .history_values import Names, Options, Read, reader
from .marks import LABELS, STATUS_LABEL

log = logging.getLogger("pmosync.jira")

TOGETHER = 1000
"""Issues whose histories are asked for in one call."""
FILTERED = 10
"""Fields that such a call can be limited to."""
PAGE = 10_000
"""Entries per page of such a call."""
SLACK = dt.timedelta(seconds=2)
"""How much later than its last entry an issue may say that it was updated: Jira takes the two times one by one."""

Rows = list[Mapping[str, Any]]
Whose = Literal["somebody", "ours", "comment"]

_OUR_LABELS = frozenset((*LABELS, STATUS_LABEL))
_OUR_LINK = re.compile(r"(?:^|[\"“«„])PMO: \d+ findings?: ")
"""The title that our links have, in Jira's sentence about it: `This issue links to "PMO: 1 finding: no owner (...)"`"""
_LINKS = frozenset({"remoteissuelink", "remoteworkitemlink"})
_WITHOUT_ID = frozenset({"parent"})
"""Fields whose rows name no field id, so that a call limited by ids would leave them out."""
_SECONDS = 10**11
"""A larger number of a date counts milliseconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One save of an issue: everything that moved in it."""

    id: str
    at: dt.datetime
    whose: Whose
    """`comment`: nothing but a comment was edited or removed; whether that is ours, the issue's marks tell."""


@dataclass(frozen=True, slots=True)
class History:
    """What the history of one issue says, oldest first."""

    events: tuple[Event, ...] = ()
    """The moves of the fields that were asked for."""
    entries: tuple[Entry, ...] = ()
    """Every save, also of other fields and of ours."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What rows of one kind are about."""

    judged: str
    """`ours`, `somebody`, `comment`; `labels` and `link` are judged by what stands in the row."""
    name: str | None
    """The field whose event a row becomes; None: of none that was asked for."""
    read: Read | None
    """None: several fields are called like that."""

    def value(self, item: Mapping[str, Any], side: Literal["from", "to"]) -> Value:
        """One side of a row."""
        if self.read is None:
            raise ValueError("several fields are called like that")
        account = item.get("tmpFromAccountId" if side == "from" else "tmpToAccountId")
        ident, text = _said(account or item.get(side)), _said(item.get(f"{side}String"))
        if not ident and not text:
            return () if self.name == "labels" else None
        return self.read(ident, text)


@dataclass(slots=True)
class Histories:
    """Decodes the histories of one site.

    Args:
        names: the site's fields.
        wanted: the fields whose moves become events.
        options: the options of a field as they are now, by id.
        ours: ids of the fields that are slots of ours.
    """

    names: Names
    wanted: Collection[str]
    options: Options
    ours: Collection[str] = ()
    host: str = ""
    odd: Counter[str] = field(default_factory=Counter)
    """How many rows could not be read, by field."""
    _meanings: dict[tuple[Any, Any, Any], _Meaning] = field(default_factory=dict)
    _people: dict[Any, Person | None] = field(default_factory=dict)

    def read(self, rows: Iterable[Mapping[str, Any]]) -> History:
        """The history of one issue from Jira's entries, in whatever order they come."""
        found: dict[str, tuple[Entry, list[Event]]] = {}
        for row in rows:
            try:
                entry_id, at = str(row["id"]), moment(row["created"])
                items = [(item, self._meaning(item)) for item in row.get("items") or ()]
                whose = [_whose(item, meaning) for item, meaning in items]
            except ODD as error:
                self._report("history", error)
                continue
            moved = [one for one, kind in zip(items, whose, strict=True) if one[1].name and kind != "ours"]
            entry = Entry(entry_id, at, _together(whose))
            found[entry_id] = entry, self._events(moved, entry, row) if moved else []
        ordered = sorted(found.values(), key=lambda one: (one[0].at, len(one[0].id), one[0].id))
        told: dict[tuple[Any, ...], Event] = {}
        for _, events in ordered:
            for event in events:  # some sites tell an epic twice, as the parent and as the Epic Link
                told.setdefault((event.at, event.field, event.before, event.after), event)
        return History(tuple(told.values()), tuple(entry for entry, _ in ordered))

    def _events(
        self, moved: Iterable[tuple[Mapping[str, Any], _Meaning]], entry: Entry, row: Mapping[str, Any]
    ) -> list[Event]:
        by, events = self._by(row.get("author")), []
        for item, meaning in moved:
            name = str(meaning.name)
            try:
                before, after = meaning.value(item, "from"), meaning.value(item, "to")
            except ODD as error:
                self._report(name, error)
                continue
            if before != after:
                events.append(Event(entry.id, entry.at, by, name, before, after))
        return events

    def _by(self, raw: Any) -> Person | None:
        if not isinstance(raw, dict):
            return None
        key = (raw.get("accountId"), raw.get("key"), raw.get("name"))
        if key not in self._people:
            self._people[key] = author(raw)
        return self._people[key]

    def _meaning(self, item: Mapping[str, Any]) -> _Meaning:
        key = (item.get("fieldId"), item["field"], item.get("fieldtype"))
        if key not in self._meanings:
            self._meanings[key] = self._found_out(*(str(one or "") for one in key))
        return self._meanings[key]

    def _found_out(self, field_id: str, called: str, kind: str) -> _Meaning:
        means = self.names.of(field_id, called, kind)
        special = called.lower() if kind != "custom" else ""
        if special == "comment" or special in _LINKS or special == "labels":
            judged = "comment" if special == "comment" else "labels" if special == "labels" else "link"
        else:
            judged = "ours" if len(means) == 1 and means[0] in self.ours else "somebody"
        fed = self.names.parent_links() if "parent" in self.wanted else frozenset()
        sought = next((one for one in means if one in self.wanted or one in fed), None)
        if sought is None:
            return _Meaning(judged, None, None)
        name = sought if sought in self.wanted else "parent"
        read = reader(sought, self.names.fields.get(sought, {}), self.options) if len(means) == 1 else None
        return _Meaning(judged, name, read)

    def _report(self, name: str, error: Exception) -> None:
        self.odd[name] += 1
        if self.odd[name] == 1:
            log.warning("%s: moves of field %s in histories cannot be read: %s", self.host, name, error)


def _whose(item: Mapping[str, Any], meaning: _Meaning) -> Whose:
    if meaning.judged not in ("labels", "link"):
        return meaning.judged  # type: ignore[return-value]
    before, after = _said(item.get("fromString")), _said(item.get("toString"))
    if meaning.judged == "link":
        return "ours" if all(_OUR_LINK.search(one) for one in (before, after) if one) else "somebody"
    was, now = set(before.split()), set(after.split())
    return "ours" if was != now and was - _OUR_LABELS == now - _OUR_LABELS else "somebody"


def _together(whose: Sequence[Whose]) -> Whose:
    if not whose or "somebody" in whose:
        return "somebody"
    return "comment" if "comment" in whose else "ours"


def last_change(
    updated: dt.datetime, created: dt.datetime, entries: Sequence[Entry], marks: Mapping[str, str | None]
) -> dt.datetime:
    """When anybody but us changed an issue last.

    That is the newest entry that is not ours; else when it was made. An issue that was updated later than its newest
    entry of all was touched without one, by a comment say: that counts itself, unless a comment or a link of ours
    stands there, for those come without an entry, too.

    Args:
        updated: as the issue says.
        marks: what stands on it.
    """
    commented = marks.get("comment") is not None
    silent = commented or marks.get("remote_link") is not None
    newest = max((entry.at for entry in entries), default=created)
    if updated - newest > SLACK and not silent:
        return updated
    theirs = (one.at for one in entries if one.whose == "somebody" or (one.whose == "comment" and not commented))
    return max(theirs, default=created)


def author(raw: Mapping[str, Any] | None) -> Person | None:
    """Who made an entry, a comment or a worklog: on Cloud by account id, on Data Center by key; None: not said."""
    who = str(raw.get("accountId") or raw.get("key") or raw.get("name") or "") if raw else ""
    if not raw or not who:
        return None
    active = raw.get("active")
    return Person(
        who,
        str(raw.get("displayName") or ""),
        raw.get("emailAddress") or None,
        active if isinstance(active, bool) else None,
    )


def moment(raw: Any) -> dt.datetime:
    """An instant: a text with a zone, or seconds or milliseconds since 1970, as bulk answers may have it."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return dt.datetime.fromtimestamp(raw / 1000 if raw > _SECONDS else raw, dt.UTC)
    when = dt.datetime.fromisoformat(raw)
    if when.tzinfo is None:
        raise ValueError("an instant without a zone")
    return when


def _said(raw: Any) -> str:
    return "" if raw is None else str(raw).strip()


# --- the calls ------------------------------------------------------------------------------------------------------


def limited_to(wanted: Collection[str], *, everything: bool) -> tuple[str, ...]:
    """The field ids that a bulk call is limited to; none: no limit, because every entry is needed or may be."""
    if everything or len(wanted) > FILTERED or not _WITHOUT_ID.isdisjoint(wanted):
        return ()
    return tuple(sorted(wanted))


def in_bulk(session: PoliteSession, api: str, issue_ids: Sequence[str], fields: Sequence[str] = ()) -> dict[str, Rows]:
    """The entries of up to 1,000 issues, by id; an issue without any has none. Cloud only."""
    body: dict[str, Any] = {"issueIdsOrKeys": list(issue_ids), "maxResults": PAGE}
    if fields:
        body["fieldIds"] = list(fields)
    found: dict[str, Rows] = {issue_id: [] for issue_id in issue_ids}
    seen: set[str] = set()
    while True:
        page = session.call("POST", f"{api}/changelog/bulkfetch", json=body).data
        logs = rows_of(page, "issueChangeLogs", session.host)
        for one in logs:
            found.setdefault(str(one["issueId"]), []).extend(one.get("changeHistories") or [])
        token = page.get("nextPageToken")
        if not token:
            return found
        if token in seen or not logs:
            what = "an empty page" if not logs else "the same page again"
            raise BrokenPaging(f"the histories did not come to their end: Jira gave {what} instead of the rest")
        seen.add(token)
        body["nextPageToken"] = token


def embedded(issue: Mapping[str, Any]) -> Rows | None:
    """The entries that came with an issue (`expand=changelog`); None when they are not all there."""
    page = issue.get("changelog")
    if not isinstance(page, dict) or not isinstance(page.get("histories"), list):
        return None
    rows: Rows = page["histories"]
    total = page.get("total")
    return rows if isinstance(total, int) and total <= len(rows) else None


def expanded(session: PoliteSession, api: str, issue_id: str) -> Rows:
    """Every entry of one issue, where it can only be had with the issue: Data Center."""
    params = {"fields": "updated", "expand": "changelog"}
    issue = session.call("GET", f"{api}/issue/{issue_id}", params=params).data or {}
    rows = embedded(issue)
    if rows is None:
        page = issue.get("changelog") or {}
        shown, total = len(page.get("histories") or ()), page.get("total", "its")
        raise BrokenPaging(f"the history of issue {issue_id} is not whole: Jira shows {shown} of {total} entries")
    return rows
