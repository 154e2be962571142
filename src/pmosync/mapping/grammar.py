"""The parts of a mapping: model fields, the tool fields they are read from, and the steps that find an option.

The whole grammar is small on purpose: a model field names one tool field or a list, and the first that answers wins; an
option field is a list of steps, and the first that matches wins. These are values only; nothing here reads or decides.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, get_args

from pmosync.contract import Extra, SubjectKind
from pmosync.model import FIELDS, Field
from pmosync.yamlfile import At, Doc

Outcome = str
"""An option of the model, or `empty` (nothing is set), `skip` (the record is left out), `report`, `stop`."""

IN_VALUES = ("empty", "skip")
IN_DEFAULT = ("report", "skip", "stop")
OF_TASKS = ("skip",)
"""Outcomes that a project cannot have: which projects are looked at is said by the scope."""
LINK_FIELD = "issuelinks"
READS: tuple[Extra, ...] = get_args(Extra)
NEEDS_HISTORY = "updated_at"
"""The model field that may be mapped only where histories are read: only they tell our own changes from others'."""


def _keys(subject: SubjectKind) -> dict[str, Field]:
    """Model fields by their key in the file; a unit is no part of the key, for the tool decides it, unless the same is

    told in another unit as well: `budget_h` and `budget_cost`.
    """
    names = FIELDS[subject]

    def key(name: str) -> str:
        stem = name.removesuffix("_h").removesuffix("_chars")
        return name if any(other.startswith(f"{stem}_") and other != name for other in names) else stem

    return {key(name): f for name, f in names.items() if f.source in ("mapped", "register")}


TASK_KEYS = _keys("task")
PROJECT_KEYS = _keys("project")


@functools.lru_cache(maxsize=1000)
def folded(name: str) -> str:
    """A name as it is compared: trimmed, upper and lower case alike."""
    return name.strip().casefold()


def own_name(name: str) -> str:
    """A name as it is compared with the model's own words: `In Progress` is in_progress, `Sub-task` is subtask."""
    return "".join(char for char in name.casefold() if char.isalnum())


@dataclass(frozen=True, slots=True)
class Ref:
    """A tool field as the file names it: by id, by name, or `{custom: name}`."""

    text: str
    custom: bool
    subject: SubjectKind
    at: At

    @property
    def pin(self) -> str:
        """Its key in the lock file."""
        return f"{self.subject}/{'custom/' if self.custom else ''}{self.text}"


@dataclass(frozen=True, slots=True)
class Plain:
    """A model field and the tool fields that may answer for it, in order."""

    model: Field
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value that stands for an outcome, and where the file says so."""

    outcome: Outcome
    value: str | bool
    category: bool
    at: At


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an option field: a tool field with the values that match, or (without a field) the default."""

    at: At
    ref: Ref | None = None
    wanted: tuple[Wanted, ...] | None = None
    """None: the tool's own names are compared with the model's options."""
    default: Outcome = ""


@dataclass(frozen=True, slots=True)
class Options:
    """A model field with a closed list of options, and the steps that find it."""

    model: Field
    steps: tuple[Step, ...]
    subject: SubjectKind = "task"


@dataclass(frozen=True, slots=True)
class LinkRule:
    """Which of the tool's links mean "the predecessor must be finished first", or are a link of another type.

    With a type, `direction` says from which side the carrying task is the predecessor; without one, the link itself
    does.
    """

    name: str
    ref: Ref
    at: At
    type: str = ""
    direction: Literal["outward", "inward"] = "outward"

    @property
    def pin(self) -> str:
        """The key of its type in the lock file."""
        return f"link/{self.type}"


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping as written, with nothing resolved."""

    doc: Doc
    site: str
    projects: tuple[str, ...]
    query: str
    portfolios: tuple[str, ...]
    reads: tuple[Extra, ...]
    project: tuple[Plain | Options, ...]
    task: tuple[Plain | Options, ...]
    links: tuple[LinkRule, ...]
    write_task: tuple[str, ...]
    write_project: tuple[str, ...]
    mail: Literal["never", "accept"]

    def refs(self) -> list[tuple[Ref, Field | None]]:
        """Every tool field that is named, with the model field it answers for (None: links)."""
        found: list[tuple[Ref, Field | None]] = []
        for entry in (*self.project, *self.task):
            if isinstance(entry, Plain):
                found += [(ref, entry.model) for ref in entry.refs]
            else:
                found += [(step.ref, entry.model) for step in entry.steps if step.ref]
        return found + [(rule.ref, None) for rule in self.links]
