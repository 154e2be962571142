"""Writes our marks into Jira, one call per item where that is possible, and reads back what stands there now.

It keeps the promise that a label is changed by adding and removing ours, never by setting the list, and that nobody is
mailed unless the mapping accepts mail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pmosync.contract import Change, Clock, Estimate, Reading, Receipt, Record, Scope, Slot, canonical
from pmosync.errors import Refused, SiteTrouble

from .cloud import LISTED
from .deployment import Deployment
from .endpoints import (
    BULK_FETCH,
    ISSUE,
    ISSUE_PROPERTY,
    ISSUE_TYPES,
    ISSUES,
    PROJECT_PROPERTY,
    REMOTE_LINK,
    SEARCH,
    SEARCH_BY_OFFSET,
)
from .marks import PROJECT_PROPERTY as ROLLUP
from .marks import TASK_PROPERTY, label_edit, label_mark, property_mark, task_marks
from .records import ALWAYS, Decoder
from .remote_links import SLOT as LINK
from .remote_links import read_link, write_link
from .site import FETCHED, Site
from .status_issues import Known
from .status_push import StatusPush

HISTORY = {
    "type": "pmosync:flag",
    "description": "PMO compliance flag",
    "activityDescription": "PMO compliance flag updated by pmosync",
    "generator": {"id": "pmosync", "type": "application", "displayName": "pmosync"},
}
"""Stands in the issue's history beside our edits, so that everybody can tell them from people's."""

Write = Callable[[list[Change]], Iterable[Receipt]]
"""Writes all changes of one item."""


@dataclass(slots=True)
class Push:
    """Writes for one site, with the scope and the permissions that were last looked up."""

    site: Site
    decoder: Callable[[], Decoder]
    scope: Scope | None
    clock: Clock
    index_lag_s: float
    status: Known
    quiet_in: set[str] | None = None
    """Ids of the projects where mail can be switched off; None: not looked up."""

    # --- writing ----------------------------------------------------------------------------------------------------

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """All changes, a few items at a time; receipts as each item is done.

        When the site fails for good, what was on its way has an unknown fate, is told as such, and the trouble raised.
        """
        rollups = [[change] for change in changes if change.slot.subject == "rollup"]
        yield from self._all(self._marks, _by_item([c for c in changes if c.slot.subject != "rollup"]))
        if rollups:
            status = self._status_push()
            try:
                status.look()
            except SiteTrouble as trouble:
                yield from (Receipt(change, "unknown", why=str(trouble)) for (change,) in rollups)
                raise
            yield from self._all(lambda some: map(status.write, some), rollups)

    def _all(self, write: Write, items: Sequence[list[Change]]) -> Iterator[Receipt]:
        width = self.site.session.limiter.limits.writes_in_flight
        for receipts, trouble in self.site.session.map(lambda item: _item(write, item), items, width=width):
            yield from receipts
            if trouble:
                raise trouble

    def _marks(self, changes: list[Change]) -> Iterator[Receipt]:
        """Every mark of one issue or project.

        A link goes after what makes the issue ours and is cleared before it: so there is none that is not found again.
        """
        if changes[0].slot.subject == "project":
            yield from self._project(changes)
            return
        links = [change for change in changes if change.slot.name == LINK]
        yield from (self._link(change) for change in links if change.after is None)
        yield from self._issue([change for change in changes if change.slot.name != LINK])
        yield from (self._link(change) for change in links if change.after is not None)

    def _link(self, change: Change) -> Receipt:
        try:
            return Receipt(change, "done", write_link(self.site, change))
        except Refused as no:
            return _refused(change, no)

    def _status_push(self) -> StatusPush:
        return StatusPush(self.site, self.clock, self.index_lag_s, self._put_issue, self.status)

    def _project(self, changes: list[Change]) -> Iterator[Receipt]:
        for change in changes:
            yield self._property(change, self.site.project_path(change.slot.id, ROLLUP))

    def _issue(self, changes: list[Change]) -> Iterator[Receipt]:
        by_slot = {change.slot.name: change for change in changes}
        label, prop = by_slot.get("label"), by_slot.get("property")
        if label:
            together = prop if prop and prop.after is not None else None
            receipts = self._edit(label, together)
            yield from receipts
            if together and len(receipts) == 2:
                return
        if prop:
            yield self._property(prop, self.site.issue_path(prop.slot.id, TASK_PROPERTY))

    def _edit(self, label: Change, prop: Change | None) -> list[Receipt]:
        """The label, and the property with it. When Jira refuses, only the label is told: the property goes alone."""
        body: dict[str, Any] = {"update": {"labels": label_edit(label.after)}, "historyMetadata": HISTORY}
        if prop and prop.after is not None:
            body["properties"] = [{"key": TASK_PROPERTY, "value": orjson.loads(prop.after)}]
        try:
            issue = self._put_issue(label.slot.id, label.project, body)
        except Refused as no:
            return [_refused(label, no)]
        record = self._record(issue)
        labels = issue["fields"].get("labels") if isinstance(issue, dict) and "fields" in issue else None
        value = label_mark(labels) if isinstance(labels, list) else label.after
        receipts = [Receipt(label, "done", value, record=record)]
        if prop:
            stands = property_mark(issue.get("properties") or {}, TASK_PROPERTY) if isinstance(issue, dict) else None
            receipts.append(Receipt(prop, "done", stands or _canonical(prop), record=record))
        return receipts

    def _put_issue(self, issue_id: str, project: str, body: dict[str, Any]) -> Any:
        """The edit without mail; with mail only where the mapping accepts it and Jira does not let us switch it off."""
        path, accepted = self.site.issue_path(issue_id), bool(self.scope and self.scope.pins.get("mail") == "accept")
        loud = accepted and self.quiet_in is not None and project not in self.quiet_in
        params = {"notifyUsers": loud} | ({"returnIssue": True} if self.site.deployment.bulk else {})
        try:
            return self.site.session.call("PUT", path, params=params, json=body).data
        except Refused as no:
            if no.status != 403 or loud or not accepted:
                raise
        return self.site.session.call("PUT", path, params=params | {"notifyUsers": True}, json=body).data

    def _property(self, change: Change, path: str) -> Receipt:
        """One property by itself: mails nobody and leaves the item's dates alone."""
        try:
            if change.after is None:
                self.site.session.call("DELETE", path)
            else:
                self.site.session.call("PUT", path, json=orjson.loads(change.after))
        except Refused as no:
            return _refused(change, no)
        return Receipt(change, "done", _canonical(change))

    def _record(self, issue: Any) -> Record | None:
        """The issue as it came back with the write, when all of it came back and we know what is asked of it."""
        if self.scope is None or not isinstance(issue, dict) or not set(ALWAYS) <= set(issue.get("fields") or {}):
            return None
        return self.decoder().task(issue, self.scope)

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now."""
        tasks = list(dict.fromkeys(slot.id for slot in slots if slot.subject == "task" and slot.name != LINK))
        chunks = [tasks[first : first + FETCHED] for first in range(0, len(tasks), FETCHED)]
        for some, (issues, failed) in self.site.session.map(lambda c: (c, self.site.fetch(c, ["labels"])), chunks):
            marks = {str(issue["id"]): task_marks(issue, ("label", "property")) for issue in issues}
            for slot in slots:
                if slot.subject == "task" and slot.name != LINK and slot.id in set(some):
                    yield _reading(slot, marks.get(slot.id), failed)
        projects = list(dict.fromkeys(slot.id for slot in slots if slot.subject == "project"))
        for first in range(0, len(projects), LISTED):
            some = projects[first : first + LISTED]
            rollups = {
                str(raw["id"]): {"project_property": property_mark(raw.get("properties") or {}, ROLLUP)}
                for raw in self.site.projects(some)
            }
            for slot in slots:
                if slot.subject == "project" and slot.id in some:
                    yield _reading(slot, rollups.get(slot.id), set())
        yield from self.site.session.map(self._read_link, [slot for slot in slots if slot.name == LINK])
        if status := [slot for slot in slots if slot.subject == "rollup"]:
            yield from self._status_push().read(status)

    def _read_link(self, slot: Slot) -> Reading:
        try:
            return Reading(slot, read_link(self.site, slot.id))
        except Refused as no:
            return Reading(slot, None, str(no))


def cost(changes: Sequence[Change], deployment: Deployment, status: Collection[str] = ()) -> Estimate:
    """The calls that pushing these changes makes when nothing is refused.

    Args:
        status: the rollups that have a status issue, as far as that is known.
    """
    calls = _cost_of_rollups([change for change in changes if change.slot.subject == "rollup"], deployment, status)
    for change in (one for one in changes if one.slot.name == LINK):
        calls[f"{'DELETE' if change.after is None else 'POST'} {REMOTE_LINK}"] += 1
    for item in _by_item([c for c in changes if c.slot.subject != "rollup" and c.slot.name != LINK]):
        label = any(change.slot.name == "label" for change in item)
        calls[f"PUT {ISSUE}"] += label
        for change in item:
            if change.slot.name == "label" or (label and change.after is not None):
                continue
            template = PROJECT_PROPERTY if change.slot.subject == "project" else ISSUE_PROPERTY
            calls[f"{'DELETE' if change.after is None else 'PUT'} {template}"] += 1
    counted = {name: count for name, count in calls.items() if count}
    return Estimate({name.replace(" ", f" {deployment.api}"): count for name, count in counted.items()})


def _cost_of_rollups(changes: Sequence[Change], deployment: Deployment, status: Collection[str]) -> Counter[str]:
    """One look for all of them; to clear one is also to see whether people wrote there."""
    calls: Counter[str] = Counter()
    if not changes:
        return calls
    there = {change.slot.id for change in changes if change.before is not None} | set(status)
    made = [change for change in changes if change.after is not None and change.slot.id not in there]
    calls[f"POST {SEARCH if deployment.bulk else SEARCH_BY_OFFSET}"] = 1
    calls[f"POST {BULK_FETCH if deployment.bulk else SEARCH_BY_OFFSET}"] += -(-len(there) // FETCHED)
    calls[f"GET {ISSUE_TYPES}"] = len({change.project for change in made})
    calls[f"POST {ISSUES}"] = len(made)
    for change in changes:
        if change.slot.id in there:
            calls[f"PUT {ISSUE}"] += change.after is not None
            calls[f"GET {ISSUE}"] += change.after is None
            calls[f"DELETE {ISSUE}"] += change.after is None
    return calls


def _item(write: Write, changes: list[Change]) -> tuple[list[Receipt], SiteTrouble | None]:
    """Every change of one item, with what stopped the rest of the site."""
    receipts: list[Receipt] = []
    try:
        for receipt in write(changes):
            receipts.append(receipt)
    except SiteTrouble as trouble:
        told = {receipt.change.slot for receipt in receipts}
        receipts += [Receipt(c, "unknown", why=str(trouble)) for c in changes if c.slot not in told]
        return receipts, trouble
    return receipts, None


def _by_item(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes of each item together, in the order in which the items come first."""
    items: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        items.setdefault((change.slot.subject, change.slot.id), []).append(change)
    return list(items.values())


def _reading(slot: Slot, marks: dict[str, str | None] | None, failed: set[str]) -> Reading:
    if marks is not None and slot.name in marks:
        return Reading(slot, marks[slot.name])
    if slot.id in failed:
        return Reading(slot, None, "Jira cannot give the item just now; the next run looks again.")
    return Reading(slot, None, "It does not exist any more, or the account may not see it.")


def _canonical(change: Change) -> str | None:
    return None if change.after is None else canonical(orjson.loads(change.after))


def _refused(change: Change, no: Refused) -> Receipt:
    """A write that Jira did not take; to clear a mark on what is gone is done: nothing of it stands there."""
    if change.after is None and no.status == 404:
        return Receipt(change, "done", None)
    why = str(no)
    if change.slot.name == LINK and no.status == 403:
        why += " The permission Link issues lets pmosync set it."
    if change.slot.name == "label" and no.status == 403:
        why += (
            " A label can be set without mailing people only by somebody who administers the project: grant that, or "
            "accept mail in the mapping (`write: {mail: accept}`), or leave the label out of `write`."
        )
    return Receipt(change, "refused", why=f"{change.key or change.slot.id}: {why}")
