"""Writes marks: custom fields here, one call per task, project or portfolio; what stands elsewhere, by its own module.

It keeps the promise that a receipt says `done` only with the value that Asana gave back, and that nothing is written
twice: to set a field again to the same value changes nothing, so the session may repeat a write whose answer got lost.
Comments are written after the flags of their tasks and cleared before them, so that they are looked for where a flag
stands. Of several fields that Asana refuses together each is tried alone: one that is locked or gone stops no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pmosync.contract import Change, Clock, Estimate, Reading, Receipt, Slot
from pmosync.errors import Refused

from ..api import BATCH, Api, Asked, chunks, one, said
from ..decode import MARK_FIELDS
from ..own import tags
from ..own.look import OUTER
from ..own.places import NoPlace, marks, values_for
from . import brief, comment_slot, status_update, tagging
from .following import FOLLOWERS, Watch

Json = dict[str, Any]
KINDS = {"task": "task", "project": "project", "rollup": "portfolio"}
"""What Asana calls the things that carry marks."""
ELSEWHERE = ("tag", comment_slot.SLOT, brief.SLOT, *status_update.PARENTS)
"""Slots that are no custom fields."""


@dataclass(frozen=True, slots=True)
class _Item:
    """Everything that is written to one task, project or portfolio."""

    subject: Any
    id: str
    changes: tuple[Change, ...]
    values: Mapping[str, Mapping[str, Any]]
    """By slot, what to write into which field."""

    @property
    def path(self) -> str:
        return _path(self.subject, self.id)

    @property
    def data(self) -> Json:
        return {"custom_fields": {gid: value for some in self.values.values() for gid, value in some.items()}}

    @property
    def fields(self) -> str:
        """What to answer with."""
        return f"{MARK_FIELDS},{FOLLOWERS}" if self.subject == "task" else MARK_FIELDS

    def divides(self, status: int) -> bool:
        """Whether only a part of it may have been the reason for a refusal."""
        return status in (400, 403) and len(self.changes) > 1

    def apart(self) -> Iterator[_Item]:
        """Each change by itself."""
        for change in self.changes:
            yield replace(self, changes=(change,), values={change.slot.name: self.values[change.slot.name]})


class Writer:
    """Writes and reads marks through the pinned fields and the other slots; `me` tells the gid of our account."""

    def __init__(self, api: Api, pins: Mapping[str, str], me: Callable[[], str], clock: Clock) -> None:
        self.api, self.pins, self.me, self.clock = api, pins, me, clock
        self._watch: Watch | None = None

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now; the fields and tags of one item cost one read."""
        yield from self._read_fields([slot for slot in slots if slot.name == "tag" or slot.name not in ELSEWHERE])
        yield from self._read_comments([slot for slot in slots if slot.name == comment_slot.SLOT])
        if briefs := [slot for slot in slots if slot.name == brief.SLOT]:
            yield from brief.readings(self.api, briefs)
        if updates := [slot for slot in slots if slot.name in status_update.PARENTS]:
            yield from status_update.readings(self.api, self.me(), updates)

    def _read_comments(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        found = comment_slot.read(self.api, self.me(), [slot.id for slot in slots]) if slots else {}
        for slot in slots:
            value = found[slot.id]
            yield Reading(slot, None, str(value)) if isinstance(value, Refused) else Reading(slot, value)

    def _read_fields(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        by_item: dict[tuple[Any, str], list[Slot]] = {}
        for slot in slots:
            by_item.setdefault((slot.subject, slot.id), []).append(slot)
        asked = [
            Asked(_path(subject, gid), f"{MARK_FIELDS},{tags.FIELDS}" if _tagged(group) else MARK_FIELDS)
            for (subject, gid), group in by_item.items()
        ]
        for (subject, _), group, body in zip(by_item, by_item.values(), self.api.each(asked), strict=True):
            if isinstance(body, Refused):
                yield from (Reading(slot, None, str(body)) for slot in group)
                continue
            there = marks(one(body).get("custom_fields") or (), subject, self.pins)
            there["tag"] = tags.tag_mark(one(body).get("tags") or (), self.pins)
            yield from (Reading(slot, there.get(slot.name)) for slot in group)

    # --- writing ----------------------------------------------------------------------------------------------------

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Write; receipts come with each call."""
        comments = [change for change in changes if change.slot.name == comment_slot.SLOT]
        if comments:
            slot = comment_slot.Comments(self.api, self.me())
            yield from slot.push([change for change in comments if change.after is None])
        yield from self._push_fields(changes)
        yield from tagging.push(self.api, [change for change in changes if change.slot.name == "tag"], self.pins)
        if comments:
            yield from slot.push([change for change in comments if change.after is not None])
        if briefs := [change for change in changes if change.slot.name == brief.SLOT]:
            yield from brief.Briefs(self.api).push(briefs)
        if updates := [change for change in changes if change.slot.name in status_update.PARENTS]:
            yield from status_update.Updates(self.api, self.me(), self.clock).push(updates)

    def _push_fields(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        items: list[_Item] = []
        for (subject, gid), group in _grouped(_in_fields(changes)).items():
            values: dict[str, Mapping[str, Any]] = {}
            good: list[Change] = []
            for change in group:
                try:
                    values[change.slot.name] = values_for(change.slot.name, change.after, self.pins)
                    good.append(change)
                except NoPlace as missing:
                    if change.after is None:
                        yield Receipt(change, "done")  # where our field is gone, nothing stands in it
                    else:
                        yield Receipt(change, "refused", why=str(missing))
            if good:
                items.append(_Item(subject, gid, tuple(good), values))
        self._watch = Watch(self.api, self.me()) if any(item.subject == "task" for item in items) else None
        for some in chunks(items, BATCH):
            if self._watch:
                self._watch.before([item.id for item in some if item.subject == "task"])
            yield from self._singly(some[0]) if len(some) == 1 else self._together(some)
            if self._watch:
                self._watch.after()

    def _together(self, items: Sequence[_Item]) -> Iterator[Receipt]:
        """Ten items in one round trip."""
        actions = [
            {"relative_path": i.path, "method": "put", "data": i.data, "options": {"fields": i.fields.split(",")}}
            for i in items
        ]
        for item, result in zip(items, self.api.act(actions), strict=True):
            status = result["status_code"]
            if status == 200:
                yield from self._done(item, result["body"])
            elif status == 429 or status >= 500 or item.divides(status):
                yield from self._singly(item)
            else:
                yield from _refused(item, said(result.get("body"), status), status)

    def _singly(self, item: _Item) -> Iterator[Receipt]:
        puts = {
            "task": self.api.tasks.update_task,
            "project": self.api.projects.update_project,
            "rollup": self.api.portfolios.update_portfolio,
        }
        try:
            body = puts[item.subject]({"data": item.data}, item.id, {"opt_fields": item.fields})
        except Refused as refusal:
            if item.divides(refusal.status):
                for part in item.apart():
                    yield from self._singly(part)
            else:
                yield from _refused(item, str(refusal), refusal.status)
        else:
            yield from self._done(item, body)

    def _done(self, item: _Item, body: Any) -> Iterator[Receipt]:
        if self._watch and item.subject == "task":
            self._watch.wrote(one(body))
        there = marks(one(body).get("custom_fields") or (), item.subject, self.pins)
        yield from (Receipt(change, "done", there.get(change.slot.name)) for change in item.changes)


def _path(subject: str, gid: str) -> str:
    return f"/{KINDS[subject]}s/{gid}"


def _tagged(slots: Iterable[Slot]) -> bool:
    return any(slot.name == "tag" for slot in slots)


def _in_fields(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.slot.name not in ELSEWHERE]


def _grouped(changes: Iterable[Change]) -> dict[tuple[Any, str], list[Change]]:
    by_item: dict[tuple[Any, str], list[Change]] = {}
    for change in changes:
        by_item.setdefault((change.slot.subject, change.slot.id), []).append(change)
    return by_item


_OTHERS: Mapping[str, Callable[[Change], Iterator[str]]] = {
    comment_slot.SLOT: comment_slot.cost,
    brief.SLOT: brief.cost,
    **dict.fromkeys(status_update.PARENTS, status_update.cost),
}


def cost(changes: Sequence[Change]) -> Estimate:
    """The calls that `push` would make; for Asana each action of a batch counts as one."""
    calls = Counter(f"PUT /{KINDS[subject]}s/{{{KINDS[subject]}_gid}}" for subject, _ in _grouped(_in_fields(changes)))
    for change in changes:
        if change.slot.name == "tag":
            calls.update(f"POST /tasks/{{task_gid}}/{verb}" for _, verb, _ in tagging.edits(change, change.before))
            calls["GET /tasks/{task_gid}"] += 1
        elif change.slot.name in ELSEWHERE:
            calls.update(_OTHERS[change.slot.name](change))
    return Estimate(dict(calls))


def _refused(item: _Item, why: str, status: int) -> Iterator[Receipt]:
    """What Asana did not take; to clear a mark on what is gone is done: nothing of it stands where we can see."""
    for change in item.changes:
        if change.after is None and status == 404:
            yield Receipt(change, "done", None)
        else:
            nowhere = f". If Asana has no place for values of this portfolio: {OUTER}"
            step = nowhere if item.subject == "rollup" and status == 400 else ""
            yield Receipt(change, "refused", why=why + step)
