"""What a connector is: the values it decodes, the records it brings, the marks it writes.

Connectors decode types, mappings give meaning: a connector turns the tool's JSON into records under the tool's own
field ids and never learns what "blocked" means. Everything here is a value; the only behaviour is the `Connector`
protocol.

Words: a *scope* is a part of a site that can be observed or not (`project:10001`, `people`); a *slot* is a place that
we may write; a *reading* is what stands in a slot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import orjson

Clock = Callable[[], dt.datetime]
"""Says what time it is, in UTC with a zone. Always an argument."""

Kind = Literal["project", "task", "person", "worklog", "comment", "rollup"]
"""`rollup`: a place that holds nothing but a rollup of ours, e.g. a status issue; never evidence."""
SubjectKind = Literal["task", "project"]
MarkedKind = Literal["task", "project", "rollup"]


# --- values ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a list: a status, a type, a priority, a select field, a section."""

    id: str
    name: str
    category: str | None = None
    """The tool's own class of the option, e.g. Jira's status category `new`, `indeterminate`, `done`."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as another record mentions them; `active` is None where the tool does not say."""

    id: str
    name: str = ""
    email: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Another record of the same site, by the tool's stable id."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in seconds, whatever unit the tool uses."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Link:
    """A link from the record that carries it to another task of the same site."""

    type: str
    """The tool's stable id of the link type, e.g. `10000`; `dependency` in Asana."""
    name: str
    """The tool's name of the link type, e.g. `Blocks`."""
    direction: Literal["outward", "inward"]
    """`outward`: the carrying record does it to the other (A blocks B, seen from A)."""
    other: str
    """The other record's id."""


Scalar = str | float | int | bool | dt.date | dt.datetime | Choice | Person | Reference | Duration | Link
Value = Scalar | tuple[Scalar, ...] | None
"""None: observed and empty. A field that is missing from a record's values was *not provided*.
A `datetime` is an instant and always has a zone; a `date` is a local day; text is plain text."""


def encode(value: Value) -> Any:
    """One value as plain JSON data, with the type kept."""
    match value:
        case None | bool() | str() | int() | float():
            return value
        case dt.datetime():
            return {"i": value.astimezone(dt.UTC).isoformat()}
        case dt.date():
            return {"d": value.isoformat()}
        case Choice():
            return {"c": [value.id, value.name, value.category]}
        case Person():
            return {"p": [value.id, value.name, value.email, value.active]}
        case Reference():
            return {"r": [value.kind, value.id]}
        case Duration():
            return {"s": value.seconds}
        case Link():
            return {"l": [value.type, value.name, value.direction, value.other]}
        case tuple():
            return [encode(item) for item in value]


def decode(data: Any) -> Value:
    """The opposite of `encode`."""
    if isinstance(data, dict):
        ((tag, body),) = data.items()
        return _DECODERS[tag](body)
    if isinstance(data, list):
        return tuple(decode(item) for item in data)  # type: ignore[misc]
    return data  # type: ignore[no-any-return]


_DECODERS: Mapping[str, Callable[[Any], Scalar]] = {
    "i": dt.datetime.fromisoformat,
    "d": dt.date.fromisoformat,
    "c": lambda body: Choice(*body),
    "p": lambda body: Person(*body),
    "r": lambda body: Reference(*body),
    "l": lambda body: Link(*body),
    "s": Duration,
}


def canonical(data: Any) -> str:
    """JSON text with sorted keys: equal data gives equal text, whoever wrote it."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()


# --- records --------------------------------------------------------------------------------------------------------


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
    """A project, task, person, worklog or comment as the tool has it.

    A *worklog* has the values `task` (reference), `author` (person or None), `started` (instant), `spent` (duration); a
    *comment*, of which only those that may be a command to us are brought, has `task`, `author`, `created` (instant)
    and `text`.

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

Fallen = Literal["deleted", "archived", "moved", "outside", "hidden"]
"""Why a task is no longer in a scope. `moved`: it is in a project now that is not looked at; `outside`: the mapping's
filter leaves it out; `hidden`: deleted, or no longer visible to the account, and the tool does not say which."""
Extra = Literal["history", "worklogs", "comments"]
"""What may be read beside the fields of tasks; each costs requests of its own."""


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
    rollups: Mapping[str, str] = field(default_factory=dict)
    """The homes of the rollups that slots of subject `rollup` hold, by rollup id (`project/pay`, `program/cards`)."""


# --- what the site offers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of the site: `kind` is the type of value that the connector decodes it to."""

    id: str
    name: str
    kind: Literal[
        "text", "number", "duration", "date", "instant", "yes/no", "choice", "person", "reference", "list", "other"
    ]
    options: tuple[Choice, ...] = ()
    projects: tuple[str, ...] = ()
    """Ids of the projects that offer it; empty: all of them, or not known."""
    subject: SubjectKind = "task"
    custom: bool = False


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """One project as the site lists it."""

    id: str
    key: str
    name: str
    url: str = ""
    lead: Person | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Limitation:
    """A slot that we may not write in a project, and what would have to be granted."""

    project: str
    slot: str
    why: str
    lacks: str = ""
    """The same in two or three words, for a table: the names of the permissions, or what else is missing."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The fields, options, projects and link types of a site, and who we are there."""

    account: Person
    fields: tuple[FieldInfo, ...]
    projects: tuple[ProjectInfo, ...]
    link_types: tuple[Choice, ...] = ()
    """`id`, `name`; `category` holds the outward wording, e.g. `blocks`."""
    zone: str | None = None
    server: str = ""
    """Name and version for people, e.g. `Jira Cloud 1001.0.0`."""
    estimated_with: tuple[str, ...] = ()
    """Ids of the fields that the teams' boards estimate with, the most used first; mostly points, which are no time."""


# --- marks ----------------------------------------------------------------------------------------------------------

Form = Literal["json", "word", "text", "measures", "link", "page"]
"""How a mark is written into a slot, the same in every tool:

* `json`: canonical JSON, machine-readable;
* `word`: the worst severity of the findings: critical, high, medium, low, info;
* `text`: lines of plain text for people;
* `measures`: canonical JSON object of numbers and short texts, one tool field each;
* `link`: canonical JSON object with `title` and `url`;
* `page`: a title in the first line, then lines of text: `# ` begins a heading, `- ` an item of a list, all else a
  paragraph; no empty lines.
"""


Level = Literal["project", "program", "portfolio"]
"""Of what a rollup tells."""


@dataclass(frozen=True, slots=True)
class SlotKind:
    """A place that this connector can write."""

    name: str
    subject: MarkedKind
    form: Form
    limit: int
    """Most characters that fit; `word` ignores it."""
    ours: Literal["name", "receipt"] = "name"
    """`name`: nobody else writes there (found again after a rebuild). `receipt`: ours only if we wrote what stands."""
    shown: bool = True
    """Whether people see it in the tool."""
    opt_in: bool = False
    """Whether nobody wants it unasked: it mails people, or an administrator has to make something for it first."""
    instead_of: str = ""
    """The slot that this one stands in for, in projects where that one may not be written (a limitation says so)."""
    levels: tuple[Level, ...] = ()
    """Whose rollups it takes; of subject `rollup` only."""
    home: Literal["container", "itself"] = "container"
    """Of subject `rollup` only. `container`: the home holds a thing of ours for each rollup, whose slot has the id of
    the rollup (`program/cards`). `itself`: the home is the thing, and the slot has the id of the home."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place on one item."""

    subject: MarkedKind
    id: str
    """The record's id."""
    name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in a slot now; `why` when it could not be read (then `value` means nothing)."""

    slot: Slot
    value: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One slot to write. `after` None clears it. `project` is the item's (first) project id; a rollup's home."""

    slot: Slot
    before: str | None
    after: str | None
    project: str = ""
    key: str = ""
    """For messages to people."""
    tried_at: dt.datetime | None = None
    """When this was begun before and its fate got lost. An append is then repeated only after a complete look, begun
    later than the tool's index lag, has not found it."""


Fate = Literal["done", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The fate of one change: written, refused by the tool, or not known (the answer got lost)."""

    change: Change
    fate: Fate
    value: str | None = None
    """As the tool has it afterwards, where it told us; with `done` only."""
    why: str = ""
    record: Record | None = None
    """The whole record as the tool returned it with the write: our own echo then costs no read."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Our own places on a site: what stands for them in `<site>.lock.yaml`, and where we may not write."""

    pins: Mapping[str, str] = field(default_factory=dict)
    limitations: tuple[Limitation, ...] = ()
    writes: tuple[str, ...] = ()
    """What was made, or (without leave to write) would be made: one sentence each, for the plan."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls that a push would make, by endpoint template."""

    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the core may ask of this connector."""

    slots: tuple[SlotKind, ...]
    query: bool = False
    """Whether `scope.query` means anything."""
    reads: tuple[Extra, ...] = ()
    """What it can bring beside the fields of tasks, when the mapping asks for it."""


class Connector(Protocol):
    """One site of one tool.

    Trouble with the whole site raises (`Unauthorized`, `Unavailable`, `Unreadable`); trouble with one project is an
    unobserved batch; one refused write is a receipt. A connector keeps nothing that a new one could not find again.
    """

    capabilities: Capabilities

    def describe(self) -> Catalog:
        """Fields, options, projects and link types of this site, and who we are. Reads only."""
        ...

    def pull(self, scope: Scope, since: Mapping[str, Any] | None, known: Known) -> Iterator[Batch]:
        """What changed since the cursor; with None everything, ending in a `complete` batch per proven scope.

        A record may come more than once; the last one counts. A cursor that the tool no longer accepts makes the scope
        start over inside the same pull: that is no error.
        """
        ...

    def whereabouts(self, scope: Scope, tasks: Sequence[str]) -> Mapping[str, Fallen]:
        """What became of tasks that a complete pull of this scope did not bring, as far as the tool tells. Reads."""
        ...

    def prepare(self, scope: Scope, write: bool) -> Prepared:
        """Find (or, with `write`, make once) our own fields, and find out where we may not write."""
        ...

    def release(self, scope: Scope) -> Sequence[str]:
        """Remove what `prepare` made and `scope.pins` says that we made; one sentence for each. For `retract`."""
        ...

    def read(self, slots: Sequence[Slot]) -> Iterator[Reading]:
        """What stands in these slots now."""
        ...

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Write; each receipt as soon as its fate is known. Changes of one item may travel in one call."""
        ...

    def cost(self, changes: Sequence[Change]) -> Estimate:
        """The calls that `push` would make."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
