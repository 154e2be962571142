"""What the core may ask of one site of one tool.

It keeps the promise that trouble has one shape: with the site it is raised, with a project it is an unobserved batch,
with a write it is a receipt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .catalog import Catalog
from .marks import Change, Estimate, Prepared, Reading, Receipt, Slot, SlotKind
from .records import Batch, Extra, Fallen, Known, Scope


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
