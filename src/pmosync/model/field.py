"""What is told of a field or fact: its type, its meaning, where it comes from and what it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Type(StrEnum):
    """What kind of value a field holds; it decides what it can be compared with."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    YESNO = "yes/no"
    OPTION = "option"
    PERSON = "person"
    TASK = "task"


Source = Literal["mapped", "register", "history", "worklogs", "allocations", "governance", "people", "fact", "core"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field or fact of a subject.

    `observed` names the fact that says whether everything this one was computed from was observed; without a name it
    depends on the subject's own scopes alone. `day` marks what changes with the calendar day alone.
    """

    name: str
    type: Type
    meaning: str
    source: Source = "mapped"
    unit: str = ""
    options: tuple[str, ...] = ()
    observed: str | None = None
    day: bool = False
    calendar: bool = False
    """Whether the organisation's working days decide the value."""
    needs: tuple[str, ...] = ()
    """Mapped fields without which a project cannot have this fact."""
    shows: tuple[str, ...] = ()
    """Other fields that stand beside it in the evidence of a finding."""
    counted: bool = False
    """Whether a list that is mapped to it is counted; of any other list the first entry is the value."""
    measured: bool = False
    """Whether a text is mapped to it, and how long that is is the value."""
    read: str = ""
    """What a mapping has to `read:` for it where the tool itself holds it, and not a custom field."""


NETWORK = "network_observed"
LOGGED = "worklogs_observed"
ALLOCATED = "allocations_observed"
BASELINED = "baseline_observed"
"""Facts that say whether what others were computed from was observed."""
