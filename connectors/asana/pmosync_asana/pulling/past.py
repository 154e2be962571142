"""Reads the moves of a task's fields from its stories.

It keeps the promise that a move reads like the record, with the same types under the same names, and that no words are
interpreted: Asana says that they depend on the reader's language.

| a story                                     | tells                                                               |
|---------------------------------------------|---------------------------------------------------------------------|
| `marked_complete`, `marked_incomplete`      | `completed`                                                         |
| with `new_approval_status`                  | `approval_status`, and `completed`, which follows it                |
| `assigned`, `unassigned`                    | `assignee`; before is what the story before left                    |
| with `old_dates`, `new_dates`               | `due_on`, `due_at`, `start_on`                                      |
| with `old_section`, `new_section`           | `section`, in the project whose section the task shows              |
| `added_to_task`, `removed_from_task`        | `parent`; before is what the story before left                      |
| with `new_name`, `new_resource_subtype`     | `name`, `resource_subtype`                                          |
| with `custom_field` and an old or new value | that field, by gid                                                  |
| everything else                             | no move                                                             |

No story tells of `start_at`, of `custom_type`, of tags as a whole, or of the section that went with a project which the
task left. Such moves are missing, and then the value after the last event may differ from the present one: nothing is
made up to join the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Choice, Duration, Event, Record, Reference, Scope, Value, canonical

from .. import decode
from ..own.places import subtype
from .touch import UPDATED, at, field_of

Json = dict[str, Any]
Move = tuple[str, Value, Value]
"""A field, and its values before and after."""

COMPLETED = {"marked_complete": True, "marked_incomplete": False}
ASSIGNED = frozenset({"assigned", "reassigned"})
HELD_IN = {
    "text": "text_value",
    "number": "number_value",
    "enum": "enum_value",
    "multi_enum": "multi_enum_values",
    "date": "date_value",
    "people": "people_value",
}
"""Where a custom field of a type has its value; a story says `old_` and `new_` before it."""

_DATES = "(old_dates|new_dates).(due_on|due_at|start_on)"
_APPROVAL = "old_approval_status,new_approval_status"
_CUSTOM = (
    "old_text_value,new_text_value,old_number_value,new_number_value,(old_enum_value|new_enum_value).name,"
    "(old_multi_enum_values|new_multi_enum_values).name,old_date_value,new_date_value,"
    "(old_people_value|new_people_value).name"
)
TOLD_IN = {
    "completed": _APPROVAL,
    "approval_status": _APPROVAL,
    "assignee": "assignee.name",
    "due_on": _DATES,
    "due_at": _DATES,
    "start_on": _DATES,
    "section": "(old_section|new_section).name,project.name",
    "parent": "task.name",
    "name": "old_name,new_name",
    "resource_subtype": "old_resource_subtype,new_resource_subtype",
}
"""What to ask of stories for the moves of a field; custom fields share one answer."""


def fields_for(history: Collection[str]) -> list[str]:
    """What to ask of stories so that these fields' moves can be read."""
    told = (_CUSTOM if name.isdigit() else TOLD_IN.get(name, "") for name in sorted(history))
    return [path for path in dict.fromkeys(told) if path]


def question(scope: Scope) -> str:
    """A short name for what a scope asks of the past: a record that was read for another question lacks something."""
    if not scope.history:
        return ""
    asked = [sorted(scope.history), UPDATED in scope.fields]
    return hashlib.blake2b(canonical(asked).encode(), digest_size=4).hexdigest()


@dataclass(slots=True)
class Past:
    """Reads the moves of one site's tasks.

    Args:
        wanted: the fields whose moves become events.
        in_minutes: says of a custom number field whether it holds minutes; asked when no task at hand tells.
    """

    wanted: Collection[str]
    in_minutes: Callable[[str], bool]
    _minutes: dict[str, bool] = field(default_factory=dict)

    def events(self, stories: Iterable[Json], task: Record) -> tuple[Event, ...]:
        """Every move of the wanted fields, the oldest first."""
        found: list[Event] = []
        known: dict[str, Value] = {}
        told = in_order(stories)
        aside = _elsewhere(told, task)
        for story in told:
            for name, before, after in self._moves(story, task, known):
                if name == "section" and story["gid"] in aside:
                    continue
                known[name] = after
                if name in self.wanted and before != after:
                    by = decode.person(story.get("created_by"))
                    found.append(Event(story["gid"], at(story), by, name, before, after))
        return tuple(found)

    def _moves(self, story: Json, task: Record, known: Mapping[str, Value]) -> Iterator[Move]:
        """What one story tells; `known` holds what those before it left."""
        yield from _done(story, known)
        yield from _assigned(story, known)
        yield from _above(story, known)
        if sides := _both(story, "dates"):
            yield from _dates(sides, task)
        if sides := _both(story, "section"):
            before, after = (decode.option(side) if side else None for side in sides)
            yield "section", before, after
        if sides := _both(story, "name"):
            yield "name", sides[0] or "", sides[1] or ""
        if sides := _both(story, "resource_subtype"):
            yield "resource_subtype", _choice(sides[0]), _choice(sides[1])
        yield from self._custom(story, task)

    def _custom(self, story: Json, task: Record) -> Iterator[Move]:
        """A move of a custom field: decoded like the field itself, with the values of then in the place of today's."""
        entry = field_of(story)
        if entry is None or entry["gid"] not in self.wanted:
            return
        gid, kind = str(entry["gid"]), subtype(entry)
        held = HELD_IN.get(kind)
        sides = _both(story, held) if held else None
        if not held or sides is None:
            return
        if kind == "number" and self._in_minutes(gid, task.values.get(gid)):
            entry = {**entry, "asana_created_field": "estimated_time"}
        if kind == "date":
            sides = _day_or_time(sides[0]), _day_or_time(sides[1])
        before, after = (decode.custom({**entry, held: side}) for side in sides)
        yield gid, before, after

    def _in_minutes(self, gid: str, present: Value) -> bool:
        if isinstance(present, (Duration, float)):
            self._minutes[gid] = isinstance(present, Duration)
        elif gid not in self._minutes:
            self._minutes[gid] = self.in_minutes(gid)
        return self._minutes[gid]


def in_order(stories: Iterable[Json]) -> list[Json]:
    """The oldest first; of one moment, in the order in which they were made."""
    return sorted(stories, key=lambda story: (at(story), len(story["gid"]), story["gid"]))


def _both(story: Json, name: str) -> tuple[Any, Any] | None:
    """What was and what came; None where the story says neither, or has only words for it."""
    sides = story.get(f"old_{name}"), story.get(f"new_{name}")
    return None if sides == (None, None) else sides


def _done(story: Json, known: Mapping[str, Value]) -> Iterator[Move]:
    done = COMPLETED.get(str(story.get("resource_subtype")))
    if done is not None:
        yield "completed", known.get("completed", not done), done
    if sides := _both(story, "approval_status"):
        was, now = sides
        yield "approval_status", _choice(was), _choice(now)
        if now:
            yield "completed", known.get("completed", was not in (None, "pending")), now != "pending"


def _assigned(story: Json, known: Mapping[str, Value]) -> Iterator[Move]:
    kind, person = story.get("resource_subtype"), decode.person(story.get("assignee"))
    if kind in ASSIGNED and person:
        yield "assignee", known.get("assignee"), person
    elif kind == "unassigned":
        yield "assignee", known.get("assignee", person), None


def _above(story: Json, known: Mapping[str, Value]) -> Iterator[Move]:
    kind, told = story.get("resource_subtype"), story.get("task")
    above = Reference("task", told["gid"]) if told else None
    if kind == "added_to_task" and above:
        yield "parent", known.get("parent"), above
    elif kind == "removed_from_task":
        yield "parent", known.get("parent", above), None


def _choice(name: str | None) -> Value:
    return Choice(name, name) if name else None


def _dates(sides: tuple[Json | None, Json | None], task: Record) -> Iterator[Move]:
    was, now = (_dates_of(side or {}, task) for side in sides)
    for name in was:
        yield name, was[name], now[name]


def _dates_of(side: Json, task: Record) -> dict[str, Value]:
    day, time = decode.day(side.get("due_on")), decode.instant(side.get("due_at"))
    if day is None and time and task.values.get("due_at") and task.values.get("due_on"):
        day = time.date()  # this Asana shows a day beside a time; for then it is the one in UTC, as zones are not told
    return {"due_on": day, "due_at": time, "start_on": decode.day(side.get("start_on"))}


def _day_or_time(side: Json | None) -> Json | None:
    """The value of a date field, which in stories goes by the names that the dates of tasks have."""
    if not side:
        return None
    return {"date": side.get("date") or side.get("due_on"), "date_time": side.get("date_time") or side.get("due_at")}


@dataclass(slots=True)
class _Sections:
    """Sections of one project, as far as stories tell, and those stories."""

    places: set[str]
    stories: set[str]


def _elsewhere(stories: Iterable[Json], task: Record) -> set[str]:
    """Stories about sections of another project than the one whose section the task shows.

    Sections belong to one project when a task moved from one to the other, or when their stories name it.
    """
    groups: list[_Sections] = []
    aside: set[str] = set()
    for story in stories:
        places = {side["gid"] for side in _both(story, "section") or () if side}
        project = (story.get("project") or {}).get("gid")
        if project and f"project:{project}" not in task.scopes:
            aside.add(story["gid"])
        elif places:
            found = _Sections(places | ({f"project {project}"} if project else set()), {story["gid"]})
            for other in [one for one in groups if one.places & found.places]:
                groups.remove(other)
                found = _Sections(found.places | other.places, found.stories | other.stories)
            groups.append(found)
    shown = task.values.get("section")
    if len(groups) > 1 and isinstance(shown, Choice):
        aside.update(*(one.stories for one in groups if shown.id not in one.places))
    return aside
