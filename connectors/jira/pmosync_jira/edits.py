"""Edits one issue with one call: label, fields and property together, with the reason in the issue's history.

It keeps the promise that a label is changed by adding and removing ours, never by setting the list, and that nobody is
mailed unless the mapping accepts mail.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pmosync.contract import Change, Receipt, Record, Scope
from pmosync.errors import Refused

from .bulk import PROPERTY, Item
from .marks import TASK_PROPERTY, history_metadata, label_edit, task_marks
from .own_fields import OWN_SLOTS, OwnFields
from .quiet import Quiet, Way
from .receipts import refusal, refused, wanted
from .records import ALWAYS, Decoder
from .site import Site

HISTORY = history_metadata("flag", "PMO compliance flag")
WOULD_MAIL = (
    "it would mail people. An issue can be edited without mail by an account that administers the project, and on Jira "
    "Cloud by one with the global permission Make bulk changes: grant one of them, or accept mail in the mapping "
    "(`write: {mail: accept}`), or leave the slot out of `write`."
)
NO_FIELD = "there is no field of ours for it on this site: `pmosync doctor` says what an administrator of Jira makes."


class GoesInBulk(Exception):
    """A single edit would mail where a bulk edit need not; nothing was written."""


@dataclass(frozen=True, slots=True)
class Edits:
    """Single edits on one site."""

    site: Site
    quiet: Quiet
    own: OwnFields
    decoder: Callable[[], Decoder]
    scope: Scope | None

    @property
    def accepted(self) -> bool:
        """Whether the mapping accepts mail where it cannot be avoided."""
        return bool(self.scope and self.scope.pins.get("mail") == "accept")

    def way(self, project: str, *, bulk: bool = True) -> Way:
        """How to edit an issue of a project, see `Quiet.way`."""
        return self.quiet.way(project, accepted=self.accepted, bulk=bulk)

    # --- an issue ---------------------------------------------------------------------------------------------------

    def write(self, item: Item, *, bulk: bool = True) -> Iterator[Receipt]:
        """Everything that is to be edited on an issue. When Jira refuses a field, the rest goes without it; when it
        refuses the edit, the property goes alone.

        Args:
            bulk: raise `GoesInBulk` where only a bulk edit would be quiet.
        """
        prop, left = item.of(PROPERTY), []
        for change in item.edits:
            if self.knows(change):
                left.append(change)
            else:
                yield refused(change, NO_FIELD)
        together = prop if prop and prop.after is not None else None
        while left:
            try:
                issue = self.put(item.id, item.project, self._body(left, together), bulk=bulk)
            except Refused as no:
                blamed = self._blamed(no, left)
                yield from (refusal(change, no) for change in blamed)
                left = [change for change in left if change not in blamed]
            else:
                yield from self._done(issue, [*left, *([together] if together else [])])
                if together:
                    return
                left = []
        if prop:
            yield self.property(prop, self.site.issue_path(prop.slot.id, TASK_PROPERTY))

    def knows(self, change: Change) -> bool:
        """Whether there is a place for a change."""
        return change.slot.name not in OWN_SLOTS or self.own.id_of(change.slot.name) is not None

    def put(self, issue_id: str, project: str, body: dict[str, Any], *, bulk: bool = False) -> Any:
        """One edit, without mail; with mail only where the mapping accepts it and it cannot be avoided."""
        way = self.way(project, bulk=bulk)
        if way == "single":
            try:
                return self._send(issue_id, body, loud=False)
            except Refused as no:
                if no.status != 403 or "notification" not in str(no).lower():
                    raise
                self.quiet.refused(project)
            way = self.way(project, bulk=bulk)
        if way == "bulk":
            raise GoesInBulk
        if not project:
            raise Refused("the issue is deleted, or no longer visible to the account.", status=404)
        if way == "none":
            raise Refused(WOULD_MAIL, status=403)
        return self._send(issue_id, body, loud=True)

    def _send(self, issue_id: str, body: dict[str, Any], *, loud: bool) -> Any:
        shown = {"returnIssue": True} if self.site.deployment.name == "cloud" else {}
        params = {"notifyUsers": loud, **shown}
        return self.site.session.call("PUT", self.site.issue_path(issue_id), params=params, json=body).data

    def _body(self, changes: Sequence[Change], prop: Change | None) -> dict[str, Any]:
        body: dict[str, Any] = {"historyMetadata": HISTORY}
        ids = self.own.ids_of([change.slot.name for change in changes])
        for change in changes:
            if change.slot.name == "label":
                body["update"] = {"labels": label_edit(change.after)}
            else:
                value = self.own.value(change.slot.name, change.project, change.after)
                body.setdefault("fields", {})[ids[change.slot.name]] = value
        if prop and prop.after is not None:
            body["properties"] = [{"key": TASK_PROPERTY, "value": orjson.loads(prop.after)}]
        return body

    def _blamed(self, no: Refused, changes: Sequence[Change]) -> list[Change]:
        """The changes that a refusal is about: the fields that it names, or all of them."""
        errors = no.body.get("errors") if no.status == 400 and isinstance(no.body, dict) else None
        ids = {"label": "labels", **self.own.ids_of([change.slot.name for change in changes])}
        blamed = [change for change in changes if ids.get(change.slot.name) in (errors or ())]
        return blamed or list(changes)

    def _done(self, issue: Any, changes: Sequence[Change]) -> Iterator[Receipt]:
        """The receipts, with the values as they came back, where they did."""
        record, stands = self.record(issue), self.marks(issue, [change.slot.name for change in changes])
        for change in changes:
            yield Receipt(change, "done", stands.get(change.slot.name, wanted(change)), record=record)

    def marks(self, issue: Any, slots: Collection[str]) -> dict[str, str | None]:
        """What stands in these slots of an issue, of those that the answer tells about."""
        if not isinstance(issue, dict) or "fields" not in issue:
            return {}
        return task_marks(issue, slots) | self.own.marks(issue["fields"], slots)

    def record(self, issue: Any) -> Record | None:
        """The issue as it came back with the write, when all of it came back and we know what is asked of it."""
        if self.scope is None or not isinstance(issue, dict) or not set(ALWAYS) <= set(issue.get("fields") or {}):
            return None
        return self.decoder().task(issue, self.scope)

    # --- a property -------------------------------------------------------------------------------------------------

    def property(self, change: Change, path: str) -> Receipt:
        """One property by itself: mails nobody and leaves the item's dates alone."""
        try:
            if change.after is None:
                self.site.session.call("DELETE", path)
            else:
                self.site.session.call("PUT", path, json=orjson.loads(change.after))
        except Refused as no:
            return refusal(change, no)
        return Receipt(change, "done", wanted(change))
