"""The parts of a mapping made ready for many records: every name is an id, and every way to match is one look-up.

Reading never crashes on what a site sends and never guesses: what matches nothing is told to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pmosync.contract import Choice, SubjectKind, Value
from pmosync.mapping.grammar import folded, own_name
from pmosync.mapping.values import Mismatch, ModelValue, convert, shown
from pmosync.model import Field


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the mapping could not read."""

    field: str
    tool_field: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class ReadyPlain:
    """A model field and the ids of the tool fields that may answer for it."""

    model: Field
    ids: tuple[str, ...]

    def offered(self, values: Mapping[str, Value]) -> bool:
        """Whether a record with these values has any of the fields."""
        return not values.keys().isdisjoint(self.ids)

    def answer(self, values: Mapping[str, Value], zone: ZoneInfo, gaps: list[Gap]) -> tuple[ModelValue, str]:
        """The first answer and the id of the field that gave it; none is (None, ""), and the length of none is 0."""
        for tool_field in self.ids:
            value = values.get(tool_field)
            if value is None:
                continue
            try:
                answer = convert(value, self.model, zone)
            except Mismatch as mismatch:
                gaps.append(Gap(self.model.name, tool_field, shown(value), str(mismatch)))
                return None, tool_field
            if answer is not None:
                return answer, tool_field
        return (0.0 if self.model.measured and self.offered(values) else None), ""


@dataclass(frozen=True, slots=True)
class ReadyStep:
    """A step: the outcomes by name, by category and by yes or no."""

    id: str
    names: Mapping[str, str]
    categories: Mapping[str, str]
    answers: Mapping[bool, str]
    own: bool

    def outcome(self, value: Value) -> str | None:
        """What the value stands for; None when this step does not know it."""
        if isinstance(value, tuple):
            return next((found for item in value if (found := self.outcome(item))), None)
        if isinstance(value, bool):
            return self.answers.get(value)
        if isinstance(value, Choice):
            return self._named(value.name) or self._named(value.id) or self.categories.get(folded(value.category or ""))
        return self._named(value) if isinstance(value, str) else self._named(shown(value))

    def _named(self, name: str) -> str | None:
        return self.names.get(own_name(name) if self.own else folded(name))


@dataclass(frozen=True, slots=True)
class ReadyOptions:
    """A model field with a closed list of options, and its steps."""

    model: Field
    steps: tuple[ReadyStep, ...]
    default: str
    subject: SubjectKind
    ids: tuple[str, ...] = field(init=False)
    """The ids of the tool fields that the steps look at."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(step.id for step in self.steps))

    def offered(self, values: Mapping[str, Value]) -> bool:
        """Whether a record with these values has any of the fields; without a step nothing is needed."""
        return not self.steps or not values.keys().isdisjoint(self.ids)

    def matched(self, values: Mapping[str, Value]) -> tuple[str | None, tuple[str, Value] | None]:
        """The outcome of the first step that matches; else None, and the first value that none of them knew."""
        unmatched: tuple[str, Value] | None = None
        for step in self.steps:
            value = values.get(step.id)
            if _empty(value):
                continue
            found = step.outcome(value)
            if found:
                return found, None
            unmatched = unmatched or (step.id, value)
        return None, unmatched


Ready = ReadyPlain | ReadyOptions


def _empty(value: Value) -> bool:
    return value is None or value == () or (isinstance(value, str) and not value.strip())
