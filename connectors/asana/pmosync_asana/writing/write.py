"""Writes marks into our custom fields, one call per task, project or portfolio, and reads back what stands there.

It keeps the promise that a receipt says `done` only with the value that Asana gave back, and that nothing is written
twice: to set a field again to the same value changes nothing, so the session may repeat a write whose answer got lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Change, Estimate, Reading, Receipt, Slot
from pmosync.errors import Refused

from ..api import BATCH, Api, Asked, chunks, one, said
from ..decode import MARK_FIELDS
from ..own import tags
from ..own.look import OUTER
from ..own.places import NoPlace, marks, values_for
from . import tagging

Json = dict[str, Any]
KINDS = {"task": "task", "project": "project", "rollup": "portfolio"}
"""What Asana calls the things that carry marks."""


@dataclass(frozen=True, slots=True)
class _Item:
    """Everything that is written to one task, project or portfolio."""

    subject: Any
    id: str
    changes: tuple[Change, ...]
    values: Mapping[str, Any]

    @property
    def path(self) -> str:
        return _path(self.subject, self.id)

    @property
    def data(self) -> Json:
        return {"custom_fields": dict(self.values)}


class Writer:
    """Writes and reads marks through the pinned fields."""

    def __init__(self, api: Api, pins: Mapping[str, str]) -> None:
        self.api, self.pins = api, pins

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now; slots of one item cost one read."""
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
        items: list[_Item] = []
        for (subject, gid), group in _grouped(_without_tags(changes)).items():
            values: dict[str, Any] = {}
            good: list[Change] = []
            for change in group:
                try:
                    values |= values_for(change.slot.name, change.after, self.pins)
                    good.append(change)
                except NoPlace as missing:
                    if change.after is None:
                        yield Receipt(change, "done")  # where our field is gone, nothing stands in it
                    else:
                        yield Receipt(change, "refused", why=str(missing))
            if good:
                items.append(_Item(subject, gid, tuple(good), values))
        for some in chunks(items, BATCH):
            yield from self._singly(some[0]) if len(some) == 1 else self._together(some)
        yield from tagging.push(self.api, [change for change in changes if change.slot.name == "tag"], self.pins)

    def _together(self, items: Sequence[_Item]) -> Iterator[Receipt]:
        """Ten items in one round trip."""
        actions = [
            {"relative_path": i.path, "method": "put", "data": i.data, "options": {"fields": MARK_FIELDS.split(",")}}
            for i in items
        ]
        for item, result in zip(items, self.api.act(actions), strict=True):
            status = result["status_code"]
            if status == 200:
                yield from self._done(item, result["body"])
            elif status == 429 or status >= 500:
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
            body = puts[item.subject]({"data": item.data}, item.id, {"opt_fields": MARK_FIELDS})
        except Refused as refusal:
            yield from _refused(item, str(refusal), refusal.status)
        else:
            yield from self._done(item, body)

    def _done(self, item: _Item, body: Any) -> Iterator[Receipt]:
        there = marks(one(body).get("custom_fields") or (), item.subject, self.pins)
        yield from (Receipt(change, "done", there.get(change.slot.name)) for change in item.changes)


def _path(subject: str, gid: str) -> str:
    return f"/{KINDS[subject]}s/{gid}"


def _tagged(slots: Iterable[Slot]) -> bool:
    return any(slot.name == "tag" for slot in slots)


def _without_tags(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.slot.name != "tag"]


def _grouped(changes: Iterable[Change]) -> dict[tuple[Any, str], list[Change]]:
    by_item: dict[tuple[Any, str], list[Change]] = {}
    for change in changes:
        by_item.setdefault((change.slot.subject, change.slot.id), []).append(change)
    return by_item


def cost(changes: Sequence[Change]) -> Estimate:
    """The calls that `push` would make; for Asana each action of a batch counts as one."""
    calls = Counter(
        f"PUT /{KINDS[subject]}s/{{{KINDS[subject]}_gid}}" for subject, _ in _grouped(_without_tags(changes))
    )
    for change in changes:
        if change.slot.name == "tag":
            calls.update(f"POST /tasks/{{task_gid}}/{verb}" for _, verb, _ in tagging.edits(change, change.before))
            calls["GET /tasks/{task_gid}"] += 1
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
