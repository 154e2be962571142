"""Writes our marks into Jira: many issues in bulk, few of them one by one, then what only goes singly.

It keeps the promise that an issue gets one write at a time and several marks in one edit, and that a link or a comment
of ours stands only where the mark stands by which it is found again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pmosync.contract import Change, Clock, Estimate, Receipt, Scope
from pmosync.errors import Refused, SiteTrouble

from .beside import BESIDE
from .bulk import PROPERTY, Item, divide
from .bulk_push import BulkPush, fields_of
from .comment_slot import SLOT as COMMENT
from .comment_slot import Comments
from .costing import cost
from .edits import Edits, GoesInBulk
from .marks import PROJECT_PROPERTY
from .own_fields import OwnFields
from .quiet import Quiet
from .receipts import all_of, by_item, refusal, refused
from .records import Decoder
from .remote_links import SLOT as LINK
from .remote_links import write_link
from .site import FETCHED, Site
from .status_issues import Known
from .status_push import StatusPush
from .tasks import Tasks

NO_INDEX = "the property beside it, by which it would be found again, was not written."
WOULD_MAIL = (
    "making a comment mails whoever watches the issue, and Jira cannot do it without: accept mail in the mapping "
    "(`write: {mail: accept}`), or leave the comment out of `write`."
)


@dataclass(slots=True)
class Push:
    """Writes for one site, with the scope and the permissions that were last looked up."""

    site: Site
    decoder: Callable[[], Decoder]
    scope: Scope | None
    clock: Clock
    index_lag_s: float
    status: Known
    quiet: Quiet
    comments: Comments
    edits: Edits = field(init=False)
    _late: list[Item] = field(default_factory=list)
    """Issues that turned out to need a bulk edit, because a single one would mail."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        own = OwnFields(self.site, self.scope.pins if self.scope else {})
        self.edits = Edits(self.site, self.quiet, own, self.decoder, self.scope)

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """All changes: of issues, of projects, of rollups; receipts as each is done."""
        rollups = [[change] for change in changes if change.slot.subject == "rollup"]
        yield from self._issues([change for change in changes if change.slot.subject == "task"])
        projects = by_item(change for change in changes if change.slot.subject == "project")
        yield from all_of(self.site.session, self._project, projects)
        if rollups:
            status = self.status_push()
            try:
                status.look()
            except SiteTrouble as trouble:
                yield from (Receipt(change, "unknown", why=str(trouble)) for (change,) in rollups)
                raise
            self.quiet.look({one.project for one in status.found.by_rollup.values()})
            yield from all_of(self.site.session, lambda some: map(status.write, some), rollups)

    def cost(self, changes: Sequence[Change]) -> Estimate:
        """The calls that `push` would make when nothing is refused. A site that does not tell the permissions just now
        makes it an estimate of single edits, and costs no plan."""
        tasks = [change for change in changes if change.slot.subject == "task"]
        try:
            single, together = self._divided(tasks)
        except (Refused, SiteTrouble):
            single, together = [_item(some) for some in by_item(tasks)], []
        fields = fields_of(self.edits.own, together)
        return cost(changes, single, together, fields, self.site.deployment, self.status.ids)

    def status_push(self) -> StatusPush:
        """The writer of status issues."""
        return StatusPush(self.site, self.clock, self.index_lag_s, self.edits.put, self.status)

    # --- issues -----------------------------------------------------------------------------------------------------

    def _issues(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        if not changes:
            return
        changes = self._placed(changes)
        single, together = self._divided(changes)
        yield from all_of(self.site.session, self._marks, [list(item.changes) for item in single])
        if together or self._late:
            yield from self._together([*together, *self._late])

    def _placed(self, changes: Sequence[Change]) -> Sequence[Change]:
        """The changes with the project of each issue: of one that left the scope only Jira knows where it is now, and
        what may be written there without mail depends on it."""
        lost = sorted({change.slot.id for change in changes if not change.project})
        where: dict[str, str] = {}
        for first in range(0, len(lost), FETCHED):
            for issue in self.site.deployment.shown(lost[first : first + FETCHED], ["project"]):
                where[str(issue["id"])] = str(issue["fields"]["project"]["id"])
        return [one if one.project else replace(one, project=where.get(one.slot.id, "")) for one in changes]

    def _divided(self, changes: Sequence[Change]) -> tuple[list[Item], list[Item]]:
        """The issues that are edited one by one, and those that go in bulk."""
        items = [_item(some) for some in by_item(changes)]
        self.quiet.look({item.project for item in items if item.edits or item.of(COMMENT)})
        fields = fields_of(self.edits.own, items)
        bulk = self.site.deployment.bulk
        return divide(
            items, fields, lambda project: self.edits.way(project) != "bulk", bulk=bulk, edits=self.quiet.bulk_change
        )

    def _marks(self, changes: list[Change]) -> Iterator[Receipt]:
        """Every mark of one issue."""
        item = _item(changes)
        yield from self._beside(_beside(item, clear=True))
        lost = None
        try:
            for receipt in self.edits.write(item):
                if receipt.change.slot.name == PROPERTY and receipt.fate != "done":
                    lost = receipt
                yield receipt
        except GoesInBulk:
            left = tuple(one for one in changes if one.slot.name not in BESIDE or one.after is not None)
            with self._lock:
                self._late.append(Item(item.id, item.project, left))
            return
        yield from self._beside(_beside(item, clear=False), lost)

    def _together(self, items: Sequence[Item]) -> Iterator[Receipt]:
        """Many issues: what stands beside them is cleared first, and written last."""
        session = self.site.session
        yield from all_of(session, self._beside, _besides(items, clear=True))
        lost: dict[str, Receipt] = {}
        for receipt in BulkPush(self.edits, Tasks(session, self.site.api)).push(items):
            if receipt.change.slot.name == PROPERTY and receipt.fate != "done":
                lost[receipt.change.slot.id] = receipt
            yield receipt
        setting = _besides(items, clear=False)
        yield from all_of(session, lambda some: self._beside(some, lost.get(some[0].slot.id)), setting)

    def _beside(self, changes: Iterable[Change], lost: Receipt | None = None) -> Iterator[Receipt]:
        """Link and comment of an issue, unless the property that finds them again was not written."""
        for change in changes:
            if lost:
                yield Receipt(change, lost.fate, why=refused(change, NO_INDEX).why)
            elif change.slot.name == LINK:
                yield self._link(change)
            else:
                yield self._comment(change)

    def _link(self, change: Change) -> Receipt:
        try:
            return Receipt(change, "done", write_link(self.site, change))
        except Refused as no:
            return refusal(change, no)

    def _comment(self, change: Change) -> Receipt:
        if change.after is not None and not self.edits.accepted:
            return refused(change, WOULD_MAIL)
        return self.comments.write(change)

    def _project(self, changes: list[Change]) -> Iterator[Receipt]:
        for change in changes:
            yield self.edits.property(change, self.site.project_path(change.slot.id, PROJECT_PROPERTY))


def _item(changes: Sequence[Change]) -> Item:
    return Item(changes[0].slot.id, changes[0].project, tuple(changes))


def _beside(item: Item, *, clear: bool) -> list[Change]:
    """What is to be cleared, or written, beside an issue's own fields."""
    return [change for change in item.changes if change.slot.name in BESIDE and (change.after is None) == clear]


def _besides(items: Iterable[Item], *, clear: bool) -> list[list[Change]]:
    return [found for item in items if (found := _beside(item, clear=clear))]
