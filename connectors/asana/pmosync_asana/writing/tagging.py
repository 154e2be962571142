"""Writes flags as tags: takes our other tags from a task, puts the wanted one on it, and reads back what stands there.

It keeps the promise that exactly one of our tags stays on a flagged task and none on a sound one, that nobody else's
tag is touched, and that a receipt says `done` only with what Asana shows afterwards: a change of tags by itself answers
with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pmosync.contract import Change, Receipt
from pmosync.errors import Refused

from ..api import BATCH, Api, Asked, chunks, one, said
from ..own.places import WORDS
from ..own.tags import FIELDS, PREFIX, tag_key, tag_mark

Json = dict[str, Any]
ROUNDS = 3
"""How often a task is looked at and put right; somebody may change its tags between two looks."""
Edit = tuple[str, str, str]
"""Task, verb and word."""


def push(api: Api, changes: Sequence[Change], pins: Mapping[str, str]) -> Iterator[Receipt]:
    """Put the tags of these tasks right; receipts come with each ten."""
    known = []
    for change in changes:
        if change.after and tag_key(change.after) not in pins:
            why = f"the tag '{PREFIX}{change.after}' is not known on this site: run `pmosync reconcile`"
            yield Receipt(change, "refused", why=why)
        else:
            known.append(change)
    for some in chunks(known, BATCH):
        yield from _Tasks(api, pins, some).put_right()


class _Tasks:
    """A few tasks whose tags are changed together."""

    def __init__(self, api: Api, pins: Mapping[str, str], changes: Sequence[Change]) -> None:
        self.api, self.pins = api, pins
        self.left = {change.slot.id: change for change in changes}
        self.there = {change.slot.id: change.before for change in changes}
        self.refused: dict[str, str] = {}

    def put_right(self) -> Iterator[Receipt]:
        for _ in range(ROUNDS):
            self._write([edit for change in self.left.values() for edit in edits(change, self.there[change.slot.id])])
            yield from self._look()
            if not self.left:
                return
        yield from (Receipt(change, "done", self.there[gid]) for gid, change in self.left.items())

    def _look(self) -> Iterator[Receipt]:
        """The receipts of the tasks that are as wanted, or never will be."""
        asked = [Asked(f"/tasks/{gid}", FIELDS) for gid in self.left]
        for (gid, change), body in zip(list(self.left.items()), self.api.batch(asked), strict=True):
            if isinstance(body, Refused):
                gone = change.after is None and body.status == 404
                yield Receipt(change, "done") if gone else Receipt(change, "refused", why=str(body))
            elif (mark := tag_mark(one(body).get("tags") or (), self.pins)) == change.after:
                yield Receipt(change, "done", mark)
            elif gid in self.refused:
                yield Receipt(change, "refused", why=self.refused[gid])
            else:
                self.there[gid] = mark
                continue
            del self.left[gid]

    def _write(self, wanted: Sequence[Edit]) -> None:
        for some in chunks([edit for edit in wanted if tag_key(edit[2]) in self.pins], BATCH):
            if len(some) == 1:
                self._singly(some[0])
                continue
            actions = [
                {"relative_path": f"/tasks/{gid}/{verb}", "method": "post", "data": self._data(word)}
                for gid, verb, word in some
            ]
            for edit, result in zip(some, self.api.act(actions), strict=True):
                status = result["status_code"]
                if status == 429 or status >= 500:
                    self._singly(edit)
                elif status != 200:
                    self.refused[edit[0]] = said(result.get("body"), status)

    def _singly(self, edit: Edit) -> None:
        gid, verb, word = edit
        call = self.api.tasks.add_tag_for_task if verb == "addTag" else self.api.tasks.remove_tag_for_task
        try:
            call({"data": self._data(word)}, gid)
        except Refused as refusal:
            self.refused[gid] = str(refusal)

    def _data(self, word: str) -> Json:
        return {"tag": self.pins[tag_key(word)]}


def edits(change: Change, there: str | None) -> list[Edit]:
    """What leads from what stands there to what is wanted, one tag at a time."""
    words = (there or "").split(",")
    removed: list[Edit] = [
        (change.slot.id, "removeTag", word) for word in WORDS if word in words and word != change.after
    ]
    added: list[Edit] = [(change.slot.id, "addTag", change.after)] if change.after and change.after not in words else []
    return removed + added
