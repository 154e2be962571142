"""Brings the time booked on tasks, entry by entry, by asking each task on which time is booked.

Asana's lists of entries over a whole workspace do not say which task an entry is booked on, so each of them would have
to be asked for by itself; a task says how much time is booked on it, so one without any is not asked.

It keeps the promise that entries come together with their task, that a deleted one is gone as soon as its task is read
again, and that a plan without time tracking makes the scope `worklogs` unobserved, never empty.

| what happens                              | so                                                             |
|-------------------------------------------|----------------------------------------------------------------|
| a task says that no time is booked on it  | it is not asked                                                |
| a task has fewer entries than are stored  | the rest is gone: entries are numbered by task, oldest first   |
| a task is gone, or in no project in scope | its entries are gone                                           |
| nothing is booked anywhere                | one call tells whether the plan has time tracking at all       |

A task with booked time costs one call, ten of them in a round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Batch, Duration, Kind, Known, Record, Reference, Value
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked, many, next_offset
from .portfolios import every

Json = dict[str, Any]

SCOPE = "worklogs"
FIELDS = decode.fields("duration_minutes,entered_on,created_by.name")
WINDOW = 20
"""So many numbers beyond the last entry of a task are looked up at a time in what is stored."""
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
        whole: everything is pulled, so that what is gone is concluded at the end.
    """

    def __init__(self, api: Api, known: Known, *, whole: bool) -> None:
        self._api, self._known, self._whole = api, known, whole
        self._trouble: Exception | None = None
        self._answered = False
        self._asked: set[str] = set()
        self._census: list[str] = []

    def of(self, tasks: Iterable[Record], gone: Iterable[str] = ()) -> Booked:
        """The entries on these tasks, and those that are there no more, also on tasks that are `gone`."""
        fresh = [task for task in tasks if task.id not in self._asked]
        self._asked.update(task.id for task in fresh)
        counts = {task.id: 0 for task in fresh} | dict.fromkeys(gone, 0)
        records: list[Record] = []
        try:
            for task, entries in self._entries([task.id for task in fresh if _booked(task)]):
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
        return Booked(records, [("worklog", one) for one in self._beyond(counts)])

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
                found = many(body)
                self._answered = True
                yield gid, decoded(gid, every(self._api, question) if next_offset(body, found) else found)

    def _not_in_plan(self, project: str) -> Refused | None:
        """Where nothing is booked: whether it could be. Only a plan or a right that lacks is an answer to that."""
        query = {"attributable_to": project, "limit": "1", "opt_fields": "duration_minutes"}
        try:
            self._api.session.call("GET", "/time_tracking_entries", params=query)
        except Refused as refusal:
            return refusal if refusal.status in (402, 403) else None
        return None

    def _beyond(self, counts: dict[str, int]) -> list[str]:
        """Stored entries of tasks that have only so many."""
        gone: list[str] = []
        at = counts
        while at:
            numbers = {_id(task, n): task for task, first in at.items() for n in range(first, first + WINDOW)}
            stored = self._known("worklog", list(numbers))
            gone += stored
            full = {numbers[one] for one in stored if _id(numbers[one], at[numbers[one]] + WINDOW - 1) == one}
            at = {task: at[task] + WINDOW for task in full}
        return gone


# --- decoding -------------------------------------------------------------------------------------------------------


def decoded(task: str, entries: Iterable[Json]) -> list[Record]:
    """The records of the entries of one task, oldest first: gids count up.

    The id is the task's with a number, the key is Asana's own gid: so what a task has no longer is found without
    looking through everything that is stored.
    """
    ordered = sorted(entries, key=lambda entry: (len(entry["gid"]), entry["gid"]))
    return [_record(task, n, entry) for n, entry in enumerate(ordered)]


def _record(task: str, number: int, entry: Json) -> Record:
    minutes = entry.get("duration_minutes")
    values: dict[str, Value] = {
        "task": Reference("task", task),
        "author": decode.person(entry.get("created_by")),
        "started": decode.day(entry.get("entered_on")),
        "spent": None if minutes is None else Duration(minutes * 60.0),
    }
    version = f"{entry['gid']} {decode.short(values)}"
    return Record("worklog", _id(task, number), entry["gid"], "", version, (SCOPE,), values)


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
