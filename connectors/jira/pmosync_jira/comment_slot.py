"""Keeps one comment of ours on an issue: found again by its property, edited in place, never a second one.

It keeps the promise that before a comment is made all comments of the issue were looked at. Such a look reads the issue
itself and no index, so it shows what an earlier try made, however shortly ago. A comment is ours by our property and
our account together: a copy that somebody made is theirs.

Whom Jira mails: whoever watches, when the comment is made; nobody when it is edited, where the account administers the
project. In service projects the comment is internal from the first moment on; the property that makes it so means
nothing elsewhere, so it is always sent and no customer ever sees a flag, also when an issue is moved.

When there is nothing to say any more, the comment is deleted: it is ours, and what people answered stays. Where the
account may not delete its own comments, one sentence stays instead, and counts as cleared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Change, Receipt
from pmosync.errors import Refused
from pmosync.http import FateUnknown

from .deployment import BrokenPaging, rows_of
from .endpoints import COMMENT_PROPERTY, COMMENTS
from .pages import alike
from .quiet import Quiet
from .site import Site

SLOT = "comment"
PROPERTY = "pmosync.comment"
"""Makes a comment ours, and holds its text (`text`) as we wrote it; without a text the comment counts as cleared."""
INTERNAL = {"key": "sd.public.comment", "value": {"internal": True}}
CLEARED = "PMO: nothing is open here any more."
PAGE = 100


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of ours."""

    id: str
    text: str | None
    """What stands there: the text as we wrote it while the comment still shows it, else what it shows; None: nothing,
    for it counts as cleared."""


@dataclass(slots=True)
class Comments:
    """The comments of one site, seen from our account."""

    site: Site
    quiet: Quiet
    _account: set[str] = field(default_factory=set)

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, issue_id: str) -> str | None:
        """What our comment on an issue says; None when there is none, or no such issue."""
        return next((one.text for one in self._ours(issue_id)), None)

    def _ours(self, issue_id: str) -> list[Comment]:
        """Every comment of ours on an issue, the oldest first; there is one at most, unless two runs raced."""
        return [one for raw in self._all(issue_id) if (one := self._comment(raw))]

    def _all(self, issue_id: str) -> Iterator[Mapping[str, Any]]:
        """All comments of an issue. Raises `BrokenPaging` when the end is not proven."""
        seen = 0
        while True:
            params = {"startAt": seen, "maxResults": PAGE, "orderBy": "created", "expand": "properties"}
            answer = self.site.session.call("GET", self._path(issue_id), params=params, expect=(404,))
            if answer.status == 404:
                return
            rows = rows_of(answer.data, "comments", self.site.session.host)
            yield from rows
            seen += len(rows)
            if seen >= int(answer.data.get("total", 0)):
                return
            if not rows:
                raise BrokenPaging("the list of comments did not come to its end: Jira gave an empty page")

    def _us(self) -> set[str]:
        if not self._account:
            self._account = _names(self.site.package.myself())
        return self._account

    def _comment(self, raw: Mapping[str, Any]) -> Comment | None:
        if not self._us() & _names(raw.get("author") or {}):
            return None
        ours = self._property(raw)
        if not isinstance(ours, dict):
            return None
        text, shown = str(ours.get("text") or ""), self.site.deployment.page(raw.get("body"))
        if not text:
            return Comment(str(raw["id"]), None)
        # Compared as it would be written: what the form cannot hold apart does not count as an edit.
        as_written = self.site.deployment.page(self.site.deployment.document(text))
        return Comment(str(raw["id"]), text if alike(shown, as_written) else shown)

    def _property(self, raw: Mapping[str, Any]) -> Any:
        """Our property on a comment; asked for singly where Jira does not show properties in the list."""
        if isinstance(raw.get("properties"), list):
            return next((one.get("value") for one in raw["properties"] if one.get("key") == PROPERTY), None)
        path = self.site.api + COMMENT_PROPERTY.format(id=raw["id"], key=PROPERTY)
        answer = self.site.session.call("GET", path, expect=(404,))
        return answer.data.get("value") if answer.status == 200 else None

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self, change: Change) -> Receipt:
        """Make, edit or clear; every refusal is a receipt."""
        issue = change.slot.id
        try:
            ours = self._ours(issue)
            if change.after is None:
                for one in ours:
                    self._clear(change, one)
                return Receipt(change, "done", None)
            if ours:
                if ours[0].text != change.after:
                    self._edit(change, ours[0], change.after)
                for double in ours[1:]:
                    self._clear(change, double)
                return Receipt(change, "done", change.after)
            return self._make(change, change.after)
        except BrokenPaging as broken:
            return Receipt(change, "refused", why=_why(change, f"{broken}. The next run looks again."))
        except Refused as no:
            return Receipt(change, "refused", why=_why(change, _told(no)))

    def _make(self, change: Change, text: str) -> Receipt:
        body = self._body(text) | {"properties": [_marker(text), INTERNAL]}
        try:
            self.site.session.call("POST", self._path(change.slot.id), json=body)
        except FateUnknown as lost:
            # Often it has arrived: a look now saves the next run one. It says nothing where there is none yet.
            if any(one.text == text for one in self._ours(change.slot.id)):
                return Receipt(change, "done", text)
            return Receipt(change, "unknown", why=_why(change, str(lost)))
        return Receipt(change, "done", text)

    def _edit(self, change: Change, one: Comment, text: str, *, marker: Mapping[str, Any] | None = None) -> None:
        """Put another text into a comment of ours, without mail where that can be."""
        path = f"{self._path(change.slot.id)}/{one.id}"
        body = self._body(text) | {"properties": [marker or _marker(text), INTERNAL]}
        if self.quiet.single(change.project):
            answer = self.site.session.call("PUT", path, params={"notifyUsers": False}, json=body, expect=(403,))
            if answer.status != 403:
                return
            self.quiet.refused(change.project)
        self.site.session.call("PUT", path, json=body)

    def _clear(self, change: Change, one: Comment) -> None:
        path = f"{self._path(change.slot.id)}/{one.id}"
        answer = self.site.session.call("DELETE", path, expect=(400, 403, 404))
        if answer.status in (400, 403) and one.text is not None:
            self._edit(change, one, CLEARED, marker={"key": PROPERTY, "value": {}})

    def _body(self, text: str) -> dict[str, Any]:
        return {"body": self.site.deployment.document(text)}

    def _path(self, issue_id: str) -> str:
        return self.site.api + COMMENTS.format(id=issue_id)


def comments_of(comments: Comments, issue_ids: Iterable[str]) -> dict[str, str | None]:
    """What our comment on each of these issues says; those that Jira does not let us ask are left out."""

    def ask(issue_id: str) -> tuple[str, str | None, bool]:
        try:
            return issue_id, comments.read(issue_id), True
        except (Refused, BrokenPaging):
            return issue_id, None, False

    return {issue_id: mark for issue_id, mark, read in comments.site.session.map(ask, issue_ids) if read}


def _marker(text: str) -> dict[str, Any]:
    return {"key": PROPERTY, "value": {"text": text}}


def _names(author: Mapping[str, Any]) -> set[str]:
    """Every id that an account may have: Data Center knows it by key and by name."""
    return {str(author[name]) for name in ("accountId", "key", "name") if author.get(name)}


def _why(change: Change, why: str) -> str:
    return f"{change.key or change.slot.id}: {why}"


def _told(no: Refused) -> str:
    if no.status == 413:
        return (
            f"{no} The issue has as many comments as Jira allows: leave `comment` out of `write`, or close the issue."
        )
    if no.status == 403:
        return f"{no} The permissions Add comments, Edit own comments and Delete own comments let pmosync write it."
    return str(no)
