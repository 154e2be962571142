"""Reads the history of a task in the words of the model: which status it had when, how often its date was moved.

A move is read with the same steps as the field itself, so that a status of last year means what it would mean today. A
value that the mapping does not know is an unknown one, never a gap: nobody can correct the past. What the history does
not tell is never counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from pmosync.contract import Choice, Person, Record, Value
from pmosync.mapping.steps import Gap, Ready, ReadyPlain
from pmosync.mapping.values import ModelValue

HISTORY = ("status", "due_on", "assignee", "start_on", "estimate_h", "parent", "type", "priority", "decision")
"""Model fields of a task whose moves are kept, the most telling first."""


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one field of the model; None is empty, or not known."""

    at: dt.datetime
    field: str
    before: ModelValue
    after: ModelValue
    by: str | None
    """The id of the person who did it."""


def moves(entries: Iterable[Ready], record: Record, zone: ZoneInfo) -> tuple[Move, ...]:
    """Every move that changed something in the model, oldest first."""
    if not record.history:
        return ()
    moved = {event.field for event in record.history}
    found = [
        move
        for entry in entries
        if entry.model.name in HISTORY and not moved.isdisjoint(entry.ids)
        for move in _moves_of(entry, record, zone)
    ]
    return tuple(sorted(found, key=lambda move: (move.at, HISTORY.index(move.field))))


def _moves_of(entry: Ready, record: Record, zone: ZoneInfo) -> Iterator[Move]:
    """The moves of one field, by walking back from the values of today; what moved in one save is one move."""
    events = [event for event in record.history or () if event.field in entry.ids]
    told = {event.field for event in events}
    values = {name: record.values.get(name) for name in entry.ids}
    before = _read(entry, values, zone)
    found: list[Move] = []
    for _, save in groupby(reversed(events), key=lambda event: event.id):
        some = list(save)
        after = before
        for event in reversed(some):
            if _same(values[event.field]) != _same(event.after):
                values[event.field] = event.after
                after = _read(entry, values, zone)
        for event in some:
            values[event.field] = event.before
        before = _read(entry, values, zone)
        if before == after:
            continue
        # A field without moves of its own may still have had another value then: parts of versions have none.
        was, now = (value if not source or source in told else None for value, source in (before, after))
        if was != now:
            found.append(Move(some[0].at, entry.model.name, was, now, some[0].by.id if some[0].by else None))
    yield from reversed(found)


def _read(entry: Ready, values: Mapping[str, Value], zone: ZoneInfo) -> tuple[ModelValue, str]:
    """The value in the model, and which field it came from where that matters."""
    if isinstance(entry, ReadyPlain):
        unread: list[Gap] = []
        return entry.answer(values, zone, unread)
    outcome, _ = entry.matched(values)
    known = outcome or entry.default
    return known if known in entry.model.options else None, ""


def _same(value: Value) -> object:
    """What makes two values the same: options and people are, when their ids are."""
    match value:
        case Choice() | Person():
            return value.id
        case tuple():
            return tuple(map(_same, value))
        case _:
            return value


# --- what follows from them -----------------------------------------------------------------------------------------


def status_since_at(found: Sequence[Move], status: ModelValue, created_at: dt.datetime | None) -> dt.datetime | None:
    """When the task came to stand in this status; None when its history does not lead there."""
    of_status = [move for move in found if move.field == "status"]
    if not of_status:
        return created_at
    return of_status[-1].at if of_status[-1].after == status else None


def started_at(found: Sequence[Move], status: ModelValue, created_at: dt.datetime | None) -> dt.datetime | None:
    """When the task first came to be in progress; what was never seen in progress has no start."""
    of_status = [move for move in found if move.field == "status"]
    if (of_status[0].before if of_status else status) == "in_progress":
        return created_at
    return next((move.at for move in of_status if move.after == "in_progress"), None)


def due_moves(found: Sequence[Move]) -> int:
    """How often a due date was moved to another one; setting the first and clearing it are no moves."""
    return sum(move.field == "due_on" and move.before is not None and move.after is not None for move in found)


def reopenings(found: Sequence[Move]) -> int:
    """How often the task was done and then was not; what it was in between, if that is not known, does not count."""
    known: list[ModelValue] = []
    for move in found:
        if move.field == "status":
            known += [value for value in (move.before, move.after) if value is not None]
    return sum(was == "done" and now != "done" for was, now in pairwise(known))
