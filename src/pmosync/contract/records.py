"""What a connector brings: records and their histories, in batches that say what is proven, and what is asked for.

It keeps the promise that silence proves nothing: only a complete batch says that something is gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .values import Kind, Person, Value, decode, encode


@dataclass(frozen=True, slots=True)
class Event:
    """One move of one field in the history of a task; moves of our own marks are no events."""

    id: str
    """The tool's id of the entry; several fields may have moved in one."""
    at: dt.datetime
    by: Person | None
    """None: the tool does not say, e.g. an account that was removed."""
    field: str
    """The tool's field id, as in a record's values."""
    before: Value
    after: Value


def encode_event(event: Event) -> list[Any]:
    """One event as plain JSON data."""
    return [event.id, event.at.isoformat(), encode(event.by), event.field, encode(event.before), encode(event.after)]


def decode_event(data: Sequence[Any]) -> Event:
    """The opposite of `encode_event`."""
    name, at, by, moved, before, after = data
    return Event(name, dt.datetime.fromisoformat(at), decode(by), moved, decode(before), decode(after))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Record:
    """A project, task, person, worklog, comment or allocation as the tool has it.

    A *worklog* has the values `task` (reference), `author` (person or None), `started` (instant or local day), `spent`
    (duration); a *comment*, of which only those that may be a command to us are brought, has `task`, `author`,
    `created` (instant) and `text`; an *allocation*, a person's time promised to a project, has `project` (reference),
    `person` (person or None), `start_on` and `end_on` (local days, both included), and either `share` (of the person's
    working time, 0 to 1 and more) or `weekly` (duration per week); the other one is None.

    Marks of ours are never among the values: our labels, properties and fields stand in `marks` alone, so that nothing
    that we wrote is evidence.
    """

    kind: Kind
    id: str
    """The tool's stable id, never a key that changes when the item moves."""
    key: str
    """What people see and type: `PAY-12`; the id where the tool has nothing better."""
    url: str
    """Where people open it in the tool."""
    version: str
    """Changes whenever the tool says that the record changed, e.g. its `updated` text."""
    scopes: tuple[str, ...]
    """The scopes that it was seen in; several for a task in several projects. What is in a project is in the scope
    `project:<its id>`: nothing is said about a project as a whole while that one is not observed."""
    values: Mapping[str, Value]
    """Typed values under the tool's field ids."""
    marks: Mapping[str, str | None] = field(default_factory=dict)
    """What stands in our slots, by slot name, in the canonical form of that slot; only those that were read."""
    history: tuple[Event, ...] | None = None
    """Of a task: every move of the fields in `Scope.history`, oldest first; None when no history was asked for."""


State = Literal["observed", "unobserved", "complete"]

Fallen = Literal["deleted", "archived", "moved", "outside", "hidden", "there"]
"""Why a task is no longer in a scope. `moved`: it is in a project now that is not looked at; `outside`: the mapping's
filter leaves it out; `hidden`: deleted, or no longer visible to the account, and the tool does not say which.
`there`: it is in the scope all the same, and only the list that was read did not have it."""
Extra = Literal["history", "worklogs", "comments", "budgets", "allocations", "goals"]
"""What may be read beside the fields of tasks and projects; each costs requests of its own. `budgets` and `goals` come
as values of the projects."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of a pull brought. Records and cursor are stored in one transaction.

    * `observed`: these records are as the tool has them; nothing is said about others.
    * `unobserved`: the scopes could not be read, and `why` says so in words for people: their findings and marks stay.
    * `complete`: everything in these scopes was seen; what is stored of `kinds` there and not in `census` is gone.
    """

    scopes: tuple[str, ...]
    state: State
    records: Sequence[Record] = ()
    why: str = ""
    kinds: tuple[Kind, ...] = ()
    census: Collection[str] = ()
    """Ids of every record of `kinds` in the scopes; with `complete` only."""
    fate: Fallen | None = None
    """What became of everything that is not in the census, where that is known; with `complete` only."""
    gone: Sequence[tuple[Kind, str]] = ()
    """Records that the tool itself named as deleted or removed from the scope."""
    cursor: Mapping[str, Any] | None = None
    """Where the next pull may start, once everything so far is stored; None: as before."""


Known = Callable[[Kind, Collection[str]], Mapping[str, str]]
"""Looks up the stored `version` of records by id, so that only what differs is fetched.

Of the kind `rollup` no ids mean all of the site: the scope may name one home for every rollup, and none of them.
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a site is looked at, and with which eyes."""

    projects: tuple[str, ...] = ()
    """Keys or ids of projects as the mapping names them; empty: all that the account sees."""
    query: str = ""
    """The tool's own filter, e.g. JQL without ORDER BY; empty: everything."""
    portfolios: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Tool field ids that the mapping reads of tasks."""
    project_fields: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    """Names of the slots in use, task slots and project slots."""
    pins: Mapping[str, str] = field(default_factory=dict)
    """What was found or made once and is kept by id in `<site>.lock.yaml`."""
    homes: Mapping[str, str] = field(default_factory=dict)
    """Where the rollup of a project is written, by project id, when the register names a place."""
    history: tuple[str, ...] = ()
    """Tool field ids whose moves are wanted with each task. Then `updated`, if it is among the fields, is the last
    change by anybody but us."""
    worklogs: bool = False
    """Whether the time booked on the tasks is wanted, entry by entry."""
    comments: bool = False
    """Whether comments that may be a command to us (`/pmo ...`) are wanted, from tasks that a mark of ours is on."""
    budgets: bool = False
    """Whether the budgets of the projects are wanted."""
    allocations: bool = False
    """Whether the time of people that is promised to the projects is wanted."""
    goals: bool = False
    """Whether the goals that the projects serve are wanted."""
    rollups: Mapping[str, str] = field(default_factory=dict)
    """The homes of the rollups that slots of subject `rollup` hold, by rollup id (`project/pay`, `program/cards`)."""
