"""Brings the time booked on tasks, entry by entry, by asking each task on which time is booked.

Asana's list of all entries of a workspace does not say which task an entry is booked on, so it cannot bring them; but
it tells a reconcile which of those that are stored are still as they were, a hundred in a call. A task says how much
time is booked on it, so one without any is not asked.

It keeps the promise that entries come together with their task, that a deleted one is gone as soon as its task is read
again, and that a plan without time tracking makes the scope `worklogs` unobserved, never empty.

| what happens                              | so                                                             |
|-------------------------------------------|----------------------------------------------------------------|
| a task says that no time is booked on it  | it is not asked                                                |
| a reconcile knows a task's entries, the   | it is not asked                                                |
| list has them all alike, and they add up  |                                                                |
| to the time that the task tells           |                                                                |
| a task has fewer entries than are stored  | the rest is gone: entries are numbered by task, oldest first   |
| a task is gone, or in no project in scope | its entries are gone                                           |
| nothing is booked anywhere                | one call tells whether the plan has time tracking at all       |

A task that is asked costs one call, ten of them in a round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Batch, Duration, Kind, Known, Record, Reference, Value
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked

Json = dict[str, Any]

SCOPE = "worklogs"
FIELDS = decode.fields("duration_minutes,entered_on,created_by.name")
SINCE = "2000-01-01"
"""Asana wants a first or a last day with a whole workspace."""
WINDOW = 20
"""So many numbers of a task's entries are looked up at a time in what is stored."""
NOT_IN_PLAN = (
    "Asana's answer is that this workspace has no time tracking: it takes a higher plan. Take `worklogs` out of `read` "
    "in the mapping, or change the plan"
)


@dataclass(frozen=True, slots=True)
class Booked:
    """What is booked on some tasks: it belongs into the batch of these tasks."""

    records: Sequence[Record] = ()
    gone: Sequence[tuple[Kind, str]] = ()


class Worklogs:
    """The worklogs of one pull: `of` with each batch of tasks, `finish` behind the last.

    Args:
        workspace: its gid.
        whole: everything is pulled, so that what is gone is concluded at the end.
    """

    def __init__(self, api: Api, known: Known, workspace: str, *, whole: bool) -> None:
        self._api, self._known, self._workspace, self._whole = api, known, workspace, whole
        self._trouble: Exception | None = None
        self._answered = False
        self._listed: Mapping[str, float] | None = None
        self._seen: set[str] = set()
        self._census: list[str] = []

    def of(self, tasks: Iterable[Record], gone: Iterable[str] = ()) -> Booked:
        """The entries on these tasks, and those that are there no more, also on tasks that are `gone`."""
        fresh = [task for task in tasks if task.id not in self._seen]
        self._seen.update(task.id for task in fresh)
        counts = {task.id: 0 for task in fresh} | dict.fromkeys(gone, 0)
        records: list[Record] = []
        booked = [task for task in fresh if _booked(task)]
        try:
            asked = self._differing(booked) if self._whole else booked
            for task, entries in self._entries([one.id for one in asked]):
                if entries is None:
                    del counts[task]
                    continue
                counts[task] = len(entries)
                records += entries
        except (Refused, Unreadable) as no:
            self._trouble = no
            return Booked(records)
        if self._whole:
            self._census += [record.id for record in records]
            return Booked(records)
        rest = self._stored(counts).values()
        return Booked(records, [("worklog", one) for entries in rest for one in entries])

    def finish(self, projects: Sequence[str], *, proven: bool) -> Iterator[Batch]:
        """What is proven, and what could not be read.

        Args:
            proven: every project in scope was read whole.
        """
        if self._whole and not self._trouble and not self._answered and projects:
            self._trouble = self._not_in_plan(projects[0])
        if self._trouble:
            yield Batch((SCOPE,), "unobserved", why=_why(self._trouble))
        elif self._whole and proven:
            yield Batch((SCOPE,), "complete", kinds=("worklog",), census=self._census)
        elif self._whole:
            yield Batch((SCOPE,), "observed")

    # --- what is stored ---------------------------------------------------------------------------------------------

    def _stored(self, counts: Mapping[str, int]) -> dict[str, dict[str, str]]:
        """The stored entries of tasks from a number on, with their versions, by task."""
        found: dict[str, dict[str, str]] = {}
        at, width = dict(counts), 1  # most tasks have none
        while at:
            numbers = {_id(task, n): task for task, first in at.items() for n in range(first, first + width)}
            stored = self._known("worklog", list(numbers))
            for one, version in stored.items():
                found.setdefault(numbers[one], {})[one] = version
            at = {task: first + width for task, first in at.items() if _id(task, first + width - 1) in stored}
            width = WINDOW
        return found

    def _differing(self, tasks: Sequence[Record]) -> list[Record]:
        """The tasks whose entries are not all stored as they are; the entries of the others are there still."""
        if self._trouble:
            return list(tasks)
        stored = self._stored({task.id: 0 for task in tasks})
        if stored and self._listed is None:
            self._listed = self._of_workspace()
        differing = []
        for task in tasks:
            entries = stored.get(task.id, {})
            if entries and self._adds_up(task, entries.values()):
                self._census += entries
            else:
                differing.append(task)
        return differing

    def _adds_up(self, task: Record, versions: Iterable[str]) -> bool:
        minutes = [(self._listed or {}).get(version) for version in versions]
        spent = task.values.get("actual_time_minutes")
        told = spent.seconds / 60 if isinstance(spent, Duration) else None
        return told == sum(found for found in minutes if found is not None) and None not in minutes

    # --- the calls --------------------------------------------------------------------------------------------------

    def _entries(self, gids: Sequence[str]) -> Iterator[tuple[str, list[Record] | None]]:
        """The entries of each task; None for a task that is no longer there."""
        if self._trouble:
            raise self._trouble
        first = 0 if self._answered else 1  # the first of all is asked alone: it may tell that the plan has none
        for some in (gids[:first], gids[first:]):
            asked = [Asked(f"/tasks/{gid}/time_tracking_entries", FIELDS, PAGE) for gid in some]
            for gid, question, body in zip(some, asked, self._api.each(asked), strict=True):
                if isinstance(body, Refused):
                    if body.status != 404:
                        raise body
                    yield gid, None
                    continue
                self._answered = True
                yield gid, decoded(gid, self._api.to_its_end(question, body))

    def _of_workspace(self) -> Mapping[str, float]:
        """The minutes of every entry by its version; nothing where that list cannot be read: then tasks are asked."""
        query = {"workspace": self._workspace, "entered_on_start_date": SINCE}
        try:
            entries = self._api.every(Asked("/time_tracking_entries", FIELDS, query=query))
        except (Refused, Unreadable):
            return {}
        self._answered = True
        return {_version(entry): entry.get("duration_minutes") or 0 for entry in entries}

    def _not_in_plan(self, project: str) -> Refused | None:
        """Where nothing is booked: whether it could be. Only a plan or a right that lacks is an answer to that."""
        query = {"attributable_to": project, "limit": "1", "opt_fields": "duration_minutes"}
        try:
            self._api.session.call("GET", "/time_tracking_entries", params=query)
        except Refused as refusal:
            return refusal if refusal.status in (402, 403) else None
        return None


# --- decoding -------------------------------------------------------------------------------------------------------


def decoded(task: str, entries: Iterable[Json]) -> list[Record]:
    """The records of the entries of one task, oldest first: gids count up.

    The id is the task's with a number, the key is Asana's own gid: so what a task has no longer is found without
    looking through everything that is stored.
    """
    ordered = sorted(entries, key=lambda entry: (len(entry["gid"]), entry["gid"]))
    return [_record(task, n, entry) for n, entry in enumerate(ordered)]


def _record(task: str, number: int, entry: Json) -> Record:
    values = {"task": Reference("task", task), **_values(entry)}
    return Record("worklog", _id(task, number), entry["gid"], "", _version(entry), (SCOPE,), values)


def _values(entry: Json) -> dict[str, Value]:
    minutes = entry.get("duration_minutes")
    return {
        "author": decode.person(entry.get("created_by")),
        "started": decode.day(entry.get("entered_on")),
        "spent": None if minutes is None else Duration(minutes * 60.0),
    }


def _version(entry: Json) -> str:
    return f"{entry['gid']} {decode.short(_values(entry))}"


def _id(task: str, number: int) -> str:
    return f"{task}/{number}"


def _booked(task: Record) -> bool:
    """Whether time may be booked on a task; one that does not say is asked."""
    spent = task.values.get("actual_time_minutes", Duration(1))
    return isinstance(spent, Duration) and spent.seconds > 0


def _why(no: Exception) -> str:
    if isinstance(no, Refused) and no.status == 402:
        return f"The worklogs could not be read: {NOT_IN_PLAN}."
    step = "let the account see time tracking, or take `worklogs` out of `read` in the mapping"
    return (
        f"The worklogs could not be read: {str(no).rstrip('.')}. The next reconcile tries again; if it stays, {step}."
    )
