"""Writes the marks of many issues with few calls, and looks afterwards what stands there.

It keeps the promise that a receipt says what Jira has, not what a task said: after its last task an issue is read, a
hundred at a time. What a task left out is refused with Jira's reason; of a task that failed or got lost, what stands
counts as done and the rest is unknown. Where Jira takes no bulk operation for some issues, they go in a smaller one, or
one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from pmosync.contract import Change, Receipt, Record
from pmosync.errors import Refused, SiteTrouble
from pmosync.http import PoliteSession

from .bulk import EDITED, PROPERTY, Fields, Item, Operation, blocks, each, stages
from .deployment import FETCHED
from .edits import Edits
from .marks import TASK_PROPERTY
from .own_fields import SELECT, OwnFields
from .receipts import refused, unknown, wanted
from .records import asked_fields
from .tasks import AT_ONCE, Ended, Tasks

NOT_SHOWN = "it does not exist any more, or the account may not see it."
NO_REASON = "Jira left it out of a bulk operation and gave no reason."
NO_OPTION = "its option of the field is not known yet: `pmosync reconcile` finds it."


Key = tuple[str, str]
"""An issue and a slot."""


@dataclass(slots=True)
class _Block:
    """What became of the issues of one block so far."""

    changes: dict[Key, Change]
    reasons: dict[Key, str] = field(default_factory=dict)
    """Jira left it as it was, and why."""
    doubts: dict[Key, str] = field(default_factory=dict)
    """Nobody knows, and why."""
    processed: set[Key] = field(default_factory=set)
    """Jira says that it did it, or says nothing else."""
    alone: list[Change] = field(default_factory=list)
    """Properties that are written one by one: few, or no bulk operation was taken for them."""
    singly: set[str] = field(default_factory=set)
    """Issues that no bulk edit was taken for."""

    def note(self, operation: Operation, ended: Ended) -> None:
        """Remember what a task said of its issues."""
        for issue in operation.issues:
            for slot in operation.slots:
                key = (issue, slot)
                if issue in ended.failed:
                    self.reasons[key] = ended.failed[issue]
                elif ended.end != "complete":
                    self.doubts[key] = ended.why
                elif ended.processed is None or issue in ended.processed:
                    self.processed.add(key)

    def still(self, operation: Operation) -> Operation | None:
        """An edit without the issues that an earlier one left in doubt: its task may not have ended."""
        if operation.kind != "edit":
            return operation
        stuck = self.singly | {issue for issue, slot in (*self.reasons, *self.doubts) if slot != PROPERTY}
        ids = tuple(one for one in operation.issues if one not in stuck)
        body = {**operation.body, "selectedIssueIdsOrKeys": list(ids)}
        return replace(operation, issues=ids, body=body) if ids else None


@dataclass(frozen=True, slots=True)
class BulkPush:
    """Bulk writing on one site."""

    edits: Edits
    tasks: Tasks

    def push(self, items: Sequence[Item]) -> Iterator[Receipt]:
        """Everything but links and comments, a block at a time; receipts as each block is done."""
        able: list[Item] = []
        for item in items:
            lacking = [change for change in item.changes if not self._knows(change)]
            yield from (refused(change, NO_OPTION) for change in lacking)
            able.append(replace(item, changes=tuple(one for one in item.changes if one not in lacking)))
        fields = fields_of(self.edits.own, able)
        for some in blocks(able, fields):
            yield from self._block(some, fields)

    def _knows(self, change: Change) -> bool:
        if change.slot.name != SELECT.slot or change.after is None:
            return self.edits.knows(change)
        return self.edits.knows(change) and self.edits.own.option(change.project, change.after) is not None

    def _block(self, items: Sequence[Item], fields: Fields) -> Iterator[Receipt]:
        written = [change for item in items for change in item.changes if change.slot.name in (PROPERTY, *EDITED)]
        planned = stages(items, fields)
        block = _Block({_key(change): change for change in written}, alone=list(planned.alone))
        told: set[Key] = set()
        try:
            for stage in planned.stages:
                self._stage(stage, block)
            for receipt in chain(self._alone(block.alone), self._singles(items, block), self._looked(block)):
                told.add(_key(receipt.change))
                yield receipt
        except SiteTrouble as trouble:
            yield from (unknown(change, str(trouble)) for key, change in block.changes.items() if key not in told)
            raise

    # --- operations -------------------------------------------------------------------------------------------------

    def _stage(self, operations: Iterable[Operation], block: _Block) -> None:
        """Run operations that touch no issue twice."""
        ready = [one for operation in operations if (one := block.still(operation))]
        again: list[Operation] = []
        for operation, ended in self._session.map(lambda one: (one, self._run(one)), ready, width=AT_ONCE):
            if isinstance(ended, Ended) and (ended.end != "failed" or operation.kind in ("each", "edit")):
                block.note(operation, ended)
            elif operation.kind == "edit":
                block.singly.update(operation.issues)
            elif operation.kind == "same":
                # All of them were changed or none, so none: in smaller ones each issue succeeds or fails by itself.
                again += each([block.changes[one, PROPERTY] for one in operation.issues])
            else:
                block.alone += [block.changes[one, PROPERTY] for one in operation.issues]
        if again:
            self._stage(again, block)

    def _run(self, operation: Operation) -> Ended | Refused:
        try:
            return self.tasks.run(operation)
        except Refused as no:
            if operation.kind == "edit" and (no.status == 403 or "permission" in str(no).lower()):
                self.edits.quiet.no_bulk()
            return no

    def _alone(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Properties that are written one by one."""

        def write(change: Change) -> Receipt:
            return self.edits.property(change, self.edits.site.issue_path(change.slot.id, TASK_PROPERTY))

        yield from self._session.map(write, changes, width=self._width)

    def _singles(self, items: Sequence[Item], block: _Block) -> Iterator[Receipt]:
        """Edits of issues that no bulk edit was taken for; their properties go as they went."""
        some = [replace(item, changes=item.edits) for item in items if item.id in block.singly]
        edited = self._session.map(lambda item: list(self.edits.write(item, bulk=False)), some, width=self._width)
        for receipts in edited:
            yield from receipts

    @property
    def _session(self) -> PoliteSession:
        return self.edits.site.session

    @property
    def _width(self) -> int:
        return self._session.limiter.limits.writes_in_flight

    # --- looking afterwards -----------------------------------------------------------------------------------------

    def _looked(self, block: _Block) -> Iterator[Receipt]:
        """The receipts by what stands there now, of what went in bulk."""
        edits = self.edits
        single = {_key(change) for change in block.alone}
        keys = [
            key for key in block.changes if key not in single and (key[1] == PROPERTY or key[0] not in block.singly)
        ]
        slots = {slot for _, slot in keys}
        of_issue: dict[str, list[Key]] = {}
        for key in keys:
            of_issue.setdefault(key[0], []).append(key)
        asked = asked_fields(edits.scope) if edits.scope else ["labels", *edits.own.ids_of(slots).values()]
        ids = list(of_issue)
        chunks = [ids[first : first + FETCHED] for first in range(0, len(ids), FETCHED)]
        for some, (rows, failed) in self._session.map(lambda c: (c, edits.site.fetch(c, asked)), chunks):
            by_id = {str(row["id"]): row for row in rows}
            for one in some:
                row = by_id.get(one)
                if row is None:
                    yield from (_unseen(block.changes[key], one in failed) for key in of_issue[one])
                    continue
                record, stands = edits.record(row), edits.marks(row, slots)
                yield from (_judged(key, block, stands, record) for key in of_issue[one])


def fields_of(own: OwnFields, items: Iterable[Item]) -> Fields:
    """Our own fields, as bulk edits of these issues name them."""
    slots = {change.slot.name for item in items for change in item.edits}
    return Fields(own.ids_of(slots), own.option, own.document)


def _judged(key: Key, block: _Block, stands: Mapping[str, str | None], record: Record | None) -> Receipt:
    change = block.changes[key]
    value = stands.get(key[1], wanted(change))
    if value == wanted(change):
        return Receipt(change, "done", value, record=record)
    if key in block.reasons:
        return refused(change, block.reasons[key])
    if key in block.doubts:
        return unknown(change, block.doubts[key])
    # Somebody may have changed it again since; what Jira has is what counts.
    return Receipt(change, "done", value, record=record) if key in block.processed else refused(change, NO_REASON)


def _unseen(change: Change, failed: bool) -> Receipt:
    if failed:
        return unknown(change, "Jira cannot show the issue just now; the next run looks.")
    return Receipt(change, "done", None) if change.after is None else refused(change, NOT_SHOWN)


def _key(change: Change) -> Key:
    return change.slot.id, change.slot.name
