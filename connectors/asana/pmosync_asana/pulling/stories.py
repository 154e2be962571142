"""Reads the stories of tasks, once for all that is wanted of them: histories, commands to us, and our own comment.

It keeps the promise that half a history is none: a task whose stories could not be read to their end is left out, and
its projects are told as not observed.

| wanted                            | asked                                                                         |
|-----------------------------------|-------------------------------------------------------------------------------|
| histories                         | every task that is new or changed                                             |
| commands                          | those that bear a mark of ours; of a whole pull also those that did not change |
| our comment, as the slot is in use | in a whole pull those that may bear one                                        |
| nothing                           | none                                                                          |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pmosync.contract import Batch, Record, Scope
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked, chunks
from ..api import one as record_of
from ..writing import comment_slot
from . import commands
from .past import Past, fields_for, question
from .touch import BASE, OURS, UPDATED, Touch

Json = dict[str, Any]
Told = list[Json] | Refused | Unreadable | None
TROUBLE = (Refused, Unreadable, KeyError, TypeError, ValueError, AttributeError)
"""A list that was refused or did not come to its end, and what a story that is not as documented leads to."""
TOGETHER = 200
"""Lists of stories that are held in memory at a time."""
COMMENT_FIELDS = "text,html_text"
"""What to ask of stories to read our own comment."""
NAMED = 5
"""So many tasks are named where something is said about several."""


class Came(NamedTuple):
    """What belongs into the batch of some tasks."""

    records: list[Record]
    """The tasks, with their histories where these are wanted, and the commands on them."""
    troubled: dict[str, str]
    """Scopes with a task whose history could not be read, and why: they are not observed."""


@dataclass(slots=True)
class Stories:
    """The stories of one pull: `begin`, then `of` with each batch of tasks, then `finish`, then `cursor`."""

    api: Api
    scope: Scope
    pins: Mapping[str, str]
    me: str
    """The gid of our account."""
    _fields: str = field(init=False)
    """What to ask of stories; nothing: they are not wanted."""
    _question: str = field(init=False)
    _past: Past = field(init=False)
    _touch: Touch = field(init=False)
    _before: Mapping[str, str] = field(default_factory=dict)
    """Tasks whose comments the last pull could not read, with their addresses."""
    _again: dict[str, str] = field(default_factory=dict)
    """Those that this one could not read."""
    _asked: set[str] = field(default_factory=set)
    """Tasks whose comments were read."""
    _shared: dict[str, Record] = field(default_factory=dict)
    """Tasks in several projects, as they were brought with the first of these."""
    _whole: bool = False
    """Whether everything is pulled."""
    _census: set[str] = field(default_factory=set)
    _why: str = ""

    def __post_init__(self) -> None:
        self._question = question(self.scope)
        self._past = Past(frozenset(self.scope.history), self._in_minutes)
        self._touch = Touch(self.pins, self.me)
        told = [OURS, *fields_for(self.scope.history)] if self.scope.history else []
        told += [commands.FIELDS] if self.scope.comments else []
        told += [COMMENT_FIELDS] if self._commenting else []
        paths = decode.fields(",".join([BASE, *told])).split(",") if told else []
        self._fields = ",".join(dict.fromkeys(paths))

    @property
    def _commenting(self) -> bool:
        return comment_slot.SLOT in self.scope.slots

    def begin(self, kept: Mapping[str, Any] | None) -> None:
        """Start where the last pull ended; None: with everything."""
        self._before, self._whole = dict(kept["again"]) if kept else {}, kept is None

    def cursor(self) -> dict[str, Any]:
        """What the next pull needs to know."""
        return {"again": dict(self._again)}

    def version(self, task: Record) -> str:
        """The version that a task is brought with: it says as well what was asked of the past, so that a task that is
        stored without what is wanted now differs from the one that would be brought."""
        return f"{task.version} {self._question}" if self._question else task.version

    def of(self, tasks: Sequence[Record], unchanged: Iterable[Record] = ()) -> Came:
        """What belongs into the batch of these tasks; without calls when nothing is wanted of their stories.

        Args:
            tasks: new and changed ones, also those that only a story was told of.
            unchanged: the others of a whole pull; of these come the commands, and the tasks that may bear our comment.
        """
        if not self._fields:
            return Came(list(tasks), {})
        others = list(unchanged)
        bearing = set(comment_slot.may_have([*tasks, *others], self.scope)) if self._whole else set()
        brought = {task.id: task for task in [*tasks, *(one for one in others if one.id in bearing)]}
        done: dict[str, Record | None] = {gid: one for gid, task in brought.items() if (one := self._remembered(task))}
        wanted = {
            task.id: task
            for task in [*tasks, *others]
            if task.id not in done and (task.id in bearing or self._wants(task, history=task.id in brought))
        }
        found_commands: list[Record] = []
        troubled: dict[str, str] = {}
        for task, told in self._read(wanted.values()):
            if task.id in brought:
                done[task.id] = self._joined(task, told, troubled)
            if self._may_have_commands(task):
                found_commands += self._commands(task.id, task.url, told)
        whole = [found for gid, task in brought.items() if (found := done.get(gid, task)) is not None]
        return Came(whole + found_commands, troubled)

    def finish(self, *, whole: bool) -> Iterator[Batch]:
        """What was asked in vain before, and what is proven now.

        Args:
            whole: every task of every project went through `of`.
        """
        if not self.scope.comments:
            return
        met = self._asked | self._again.keys()
        before = {} if whole else {gid: url for gid, url in self._before.items() if gid not in met}
        if before:
            told = zip(before.items(), self._lists(list(before)), strict=True)
            records = [record for (gid, url), stories in told for record in self._commands(gid, url, stories)]
            yield Batch((), "observed", records)
        if self._again:
            named = ", ".join(sorted(self._again)[:NAMED]) + (" and others" if len(self._again) > NAMED else "")
            why = f"The comments of task {named} could not be read: {self._why}. The next run tries again."
            yield Batch((commands.SCOPE,), "unobserved", why=why)
        elif whole:
            yield Batch((commands.SCOPE,), "complete", kinds=("comment",), census=self._census)
        elif self._before:
            yield Batch((commands.SCOPE,), "observed")

    # --- reading ----------------------------------------------------------------------------------------------------

    def _wants(self, task: Record, *, history: bool) -> bool:
        return (history and bool(self.scope.history)) or self._may_have_commands(task)

    def _may_have_commands(self, task: Record) -> bool:
        marked = any(mark is not None for mark in task.marks.values())
        return self.scope.comments and marked and task.id not in self._asked

    def _read(self, tasks: Iterable[Record]) -> Iterator[tuple[Record, Told]]:
        for some in chunks(list(tasks), TOGETHER):
            yield from zip(some, self._lists([task.id for task in some]), strict=True)

    def _lists(self, gids: Sequence[str]) -> list[Told]:
        """The stories of each task, why they cannot be read, or None where the task itself is gone."""
        found: list[Told] = list(self.api.lists([Asked(f"/tasks/{gid}/stories", self._fields, PAGE) for gid in gids]))
        missing = [n for n, told in enumerate(found) if isinstance(told, Refused) and told.status == 404]
        looks = self.api.each(Asked(f"/tasks/{gids[n]}", "name") for n in missing)
        for n, look in zip(missing, looks, strict=True):
            if isinstance(look, Refused) and look.status == 404:
                found[n] = None
        return found

    def _joined(self, task: Record, told: Told, troubled: dict[str, str]) -> Record | None:
        """A task with what its stories tell; None when its history could not be read, or the task is gone."""
        if told is None:
            return None
        try:
            stories = _believed(told)
            events = self._past.events(stories, task) if self.scope.history else None
            values, marks = dict(task.values), dict(task.marks)
            if self.scope.history and UPDATED in self.scope.fields:
                values[UPDATED] = self._touch.last_change(stories, task)
            if self._commenting:
                marks[comment_slot.SLOT] = comment_slot.standing(stories, self.me)
        except TROUBLE as trouble:
            if not self.scope.history:
                return task
            why = f"The history of task {task.id} could not be read: {_words(trouble)}. The next run tries again."
            troubled.update(dict.fromkeys(task.scopes, why))
            return None
        found = replace(task, version=self.version(task), values=values, marks=marks, history=events)
        if len(task.scopes) > 1:
            self._shared[task.id] = found
        return found

    def _remembered(self, task: Record) -> Record | None:
        """A task that another of its projects brought already in this pull."""
        found = self._shared.get(task.id)
        return found if found and found.version == self.version(task) else None

    def _commands(self, gid: str, url: str, told: Told) -> list[Record]:
        try:
            found = commands.commands(_believed(told or []), gid, url, self.me)
        except TROUBLE as trouble:
            self._again[gid], self._why = url, _words(trouble)
            return []
        self._asked.add(gid)
        self._census.update(record.id for record in found)
        return found

    def _in_minutes(self, gid: str) -> bool:
        """Whether a custom field is Asana's own for estimated time, which counts minutes."""
        (body,) = self.api.each([Asked(f"/custom_fields/{gid}", "asana_created_field")])
        return not isinstance(body, Refused) and record_of(body).get("asana_created_field") == "estimated_time"


def _believed(told: list[Json] | Refused | Unreadable) -> list[Json]:
    if isinstance(told, list):
        return told
    raise told


def _words(trouble: Exception) -> str:
    if isinstance(trouble, (Refused, Unreadable)):
        return str(trouble).rstrip(".")
    return f"a story is not as Asana documents it ({type(trouble).__name__}: {trouble})"
