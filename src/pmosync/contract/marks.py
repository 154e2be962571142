"""What we write: the places, the changes, and the fate of each.

It keeps the promise that a lost answer is no answer: a fate is known or it is said to be unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .catalog import Limitation
from .records import Record
from .values import MarkedKind

Form = Literal["json", "word", "text", "measures", "link", "page", "update"]
"""How a mark is written into a slot, the same in every tool:

* `json`: canonical JSON, machine-readable;
* `word`: the worst severity of the findings: critical, high, medium, low, info;
* `text`: lines of plain text for people;
* `measures`: canonical JSON object of numbers and short texts, one tool field each;
* `link`: canonical JSON object with `title` and `url`;
* `update`: canonical JSON object with `health` (green, amber, red, grey), `title` (one line) and `lines` (plain text);
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
    rest_days: int = 0
    """So many days must pass after one writing before the next; and then it is written only when the health or its
    reason changed. For what cannot be edited in place and tells its followers."""
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


Fate = Literal["done", "refused", "unknown", "later"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The fate of one change: written, refused by the tool, not known (the answer got lost), or left for a later day
    because the slot rests, which is no trouble."""

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
