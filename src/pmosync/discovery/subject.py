"""The fields of tasks or of projects that a site offers, as a suggestion names and quotes them.

A field is found by its whole id or name, and what is written can be read back as it stands, whatever a tool sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pmosync.contract import Catalog, Choice, FieldInfo, SubjectKind
from pmosync.mapping.grammar import PROJECT_KEYS, TASK_KEYS, folded, own_name
from pmosync.model import Field

CATEGORY = "category="
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _-]*[A-Za-z0-9])?")
_WORDS_OF_YAML = ("true", "false", "null", "yes", "no", "on", "off")
_COLUMN = 44


@dataclass(slots=True)
class Subject:
    """The fields of tasks or of projects, and which of them the suggestion uses."""

    catalog: Catalog
    subject: SubjectKind
    used: set[str] = field(default_factory=set)

    @property
    def fields(self) -> list[FieldInfo]:
        return [info for info in self.catalog.fields if info.subject == self.subject]

    @property
    def keys(self) -> Mapping[str, Field]:
        """What a mapping can say of it, by the key in the file."""
        return TASK_KEYS if self.subject == "task" else PROJECT_KEYS

    def called(self, name: str, kinds: Sequence[str]) -> list[FieldInfo]:
        """The field with this id, else those with this name; custom fields before built-in ones."""
        fields = [info for info in self.fields if info.kind in kinds]
        by_id = [info for info in fields if info.id == name]
        named = [info for info in fields if folded(info.name) == folded(name)]
        return by_id or [info for info in named if info.custom] or named

    def ref(self, info: FieldInfo) -> str:
        """How a mapping names this field: custom ones by name where only one is called so."""
        self.used.add(info.id)
        twins = [other for other in self.fields if other.custom and folded(other.name) == folded(info.name)]
        if info.custom and len(twins) == 1 and info.name.strip() and not self._is_id(info.name):
            return f"{{custom: {text(info.name.strip())}}}"
        return text(info.id)

    def _is_id(self, name: str) -> bool:
        return any(info.id == name.strip() for info in self.fields)


def unique(options: Sequence[Choice]) -> list[Choice]:
    """Options that a mapping can name: teams and projects repeat names, and a name may be empty."""
    by_name = {folded(option.name): option for option in options if own_name(option.name)}
    return [option for name, option in by_name.items() if not name.startswith(CATEGORY)]


def text(name: str) -> str:
    """A text in YAML, quoted where it could be read as something else."""
    if _PLAIN.fullmatch(name) and name.lower() not in _WORDS_OF_YAML:
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())


def said(name: str) -> str:
    """A name in a comment: on one line, whatever the tool sent."""
    return "'" + "".join(char if char.isprintable() else " " for char in name).strip() + "'"


def commented(line: str, why: str) -> str:
    return f"{line.ljust(_COLUMN - 1)} # {why}"
