"""Writes rollups into status issues: made once in the PMO's own project, then edited in place.

It keeps the promise that no rollup gets a second issue: before one is made, a complete look must have found none, and
when an answer got lost that look must have begun later than Jira's index lags. Edits mail nobody. Making an issue mails
whom the notification scheme of its project names: that is the project which the PMO chose for its status issues, and
Jira cannot make an issue without it.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Change, Clock, Reading, Receipt, Slot
from pmosync.errors import Refused
from pmosync.http import FateUnknown

from .decode import person
from .endpoints import ISSUES
from .marks import STATUS_LABEL, STATUS_PROPERTY, history_metadata
from .site import BrokenPaging, Site
from .status_issues import Found, Known, StatusIssue, look, record, summary_of

HISTORY = history_metadata("rollup", "PMO status")
GONE = (
    "its status issue is not found any more: it was deleted, or its label or our rights on it were taken away. "
    "`pmosync reconcile` looks for it and makes a new one if it is gone."
)

Edit = Callable[[str, str, dict[str, Any]], Any]
"""Edits an issue (its id, its project, the body) without mail, where that is possible or mail is accepted."""


@dataclass(slots=True)
class StatusPush:
    """One push of rollups: a single look, then the writes."""

    site: Site
    clock: Clock
    index_lag_s: float
    edit: Edit
    known: Known
    found: Found = field(default_factory=lambda: Found({}))
    looked_at: dt.datetime | None = None
    why_not: str = ""
    """Why the look failed; then nothing is written."""
    types: dict[str, str] = field(default_factory=dict)
    """The type of issue to make, by home."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> None:
        """Find what there is: once, before the first write."""
        self.looked_at = self.clock()
        try:
            self.found = look(self.site, self.known.ids.values())
        except (Refused, BrokenPaging) as no:
            self.why_not = f"the status issues could not be looked up, so none was written: {no}"

    def read(self, slots: Sequence[Slot]) -> list[Reading]:
        """What stands in these slots."""
        self.look()
        here = self.found.by_rollup
        return [Reading(s, here[s.id].page if s.id in here else None, self.why_not) for s in slots]

    def write(self, change: Change) -> Receipt:
        """One rollup; every refusal is a receipt."""
        if self.why_not:
            return _refused(change, self.why_not)
        here = self.found.by_rollup.get(change.slot.id)
        try:
            if change.after is None:
                return self._clear(change)
            if here is None:
                return self._make(change, change.after)
            return self._edit(change, here, change.after)
        except Refused as no:
            return _refused(change, str(no))
        except FateUnknown as lost:
            return Receipt(change, "unknown", why=_why(change, str(lost)))

    # --- making and editing -----------------------------------------------------------------------------------------

    def _edit(self, change: Change, here: StatusIssue, page: str) -> Receipt:
        """Bring the issue up to date. One that says it already, made by a run whose answer got lost, is taken over."""
        if here.page != page:
            body = {
                "fields": self._fields(page),
                "update": {"labels": [{"add": STATUS_LABEL}]},
                "properties": [_property(change.slot.id, page)],
                "historyMetadata": HISTORY,
            }
            self.edit(here.id, here.project, body)
        return self._done(change, here.id, here.key, page)

    def _make(self, change: Change, page: str) -> Receipt:
        if change.before is not None:
            return _refused(change, GONE)
        if self._too_early(change):
            why = "an earlier try got no answer, and Jira's search may not show it yet: the next run looks."
            return Receipt(change, "unknown", why=_why(change, why))
        home = change.project
        kind = self._type_in(home)
        if not kind:
            return _refused(change, f"the project {home} offers no type of issue that is no subtask")
        where = {"id": home} if home.isdigit() else {"key": home}
        fields = {"project": where, "issuetype": {"id": kind}, "labels": [STATUS_LABEL], **self._fields(page)}
        body = {"fields": fields, "properties": [_property(change.slot.id, page)], "historyMetadata": HISTORY}
        made = self.site.session.call("POST", self.site.api + ISSUES, json=body).data
        self.known.ids[change.slot.id] = str(made["id"])
        return self._done(change, str(made["id"]), str(made["key"]), page)

    def _too_early(self, change: Change) -> bool:
        """Whether a try, whose fate got lost, was made so recently that the look could not have found its issue."""
        if change.tried_at is None or self.looked_at is None:
            return False
        return (self.looked_at - change.tried_at).total_seconds() < self.index_lag_s

    def _type_in(self, home: str) -> str:
        """The first standard type that a project offers: no subtask, and nothing above a task where there is a choice.

        Looked up once per home.
        """
        with self._lock:
            if home not in self.types:
                path = f"{self.site.api}/issue/createmeta/{home}/issuetypes"
                answer = self.site.session.call("GET", path, params={"maxResults": 200}).data
                rows = answer.get("issueTypes") or answer.get("values") or []  # Data Center calls them values
                offered = [one for one in rows if not one.get("subtask")]
                standard = [one for one in offered if one.get("hierarchyLevel", 0) == 0]
                self.types[home] = next((str(one["id"]) for one in (*standard, *offered)), "")
            return self.types[home]

    def _fields(self, page: str) -> dict[str, Any]:
        title, _, rest = page.partition("\n")
        return {"summary": summary_of(title), "description": self.site.deployment.document(rest)}

    def _done(self, change: Change, issue_id: str, key: str, page: str) -> Receipt:
        return Receipt(change, "done", page, record=record(self.site, change.slot.id, issue_id, key, page))

    # --- clearing ---------------------------------------------------------------------------------------------------

    def _clear(self, change: Change) -> Receipt:
        """Delete the rollup's issue, and any second one of ours, unless people wrote there."""
        ours = self.found.all_of(change.slot.id)
        if not ours and change.before is not None and not self.known.whole:
            return _refused(change, GONE)
        for one in ours:
            if theirs := self._theirs(one):
                return _refused(
                    change,
                    f"{one.key} holds {theirs}, which would be lost with it. Keep what is needed, then delete the "
                    "issue in Jira by hand.",
                )
            try:
                self.site.session.call("DELETE", self.site.issue_path(one.id), expect=(404,))
            except Refused as no:
                granted = " The permission Delete issues lets pmosync remove it." if no.status == 403 else ""
                return _refused(change, f"{one.key}: {no}{granted}")
        return Receipt(change, "done", None)

    def _theirs(self, one: StatusIssue) -> str:
        """What people put on an issue of ours, in words; empty when there is nothing."""
        asked = "comment,worklog,attachment,subtasks"
        answer = self.site.session.call("GET", self.site.issue_path(one.id), params={"fields": asked}, expect=(404,))
        fields = answer.data["fields"] if answer.status != 404 else {}
        found = []
        for name, rows_in, words in (("comment", "comments", "comments"), ("worklog", "worklogs", "logged work")):
            page = fields.get(name) or {}
            rows = page.get(rows_in) or []
            # More than were shown: those that were not may be anybody's.
            if page.get("total", len(rows)) > len(rows) or _by_others(rows, one.creator):
                found.append(words)
        if _by_others(fields.get("attachment") or [], one.creator):
            found.append("attachments")
        if fields.get("subtasks"):
            found.append("subtasks")
        return " and ".join(found)


def _by_others(rows: Sequence[dict[str, Any]], creator: str) -> bool:
    return any(not row.get("author") or person(row["author"]).id != creator for row in rows)


def _property(rollup: str, page: str) -> dict[str, Any]:
    return {"key": STATUS_PROPERTY, "value": {"id": rollup, "text": page}}


def _why(change: Change, why: str) -> str:
    return f"{change.key or change.slot.id}: {why}"


def _refused(change: Change, why: str) -> Receipt:
    return Receipt(change, "refused", why=_why(change, why))
