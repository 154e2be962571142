"""Turns Asana's JSON into records: every field with its type, under Asana's own names and gids.

It keeps the promise that a field which is not in the answer is not provided, that one which is there without a
value is empty, and that our own fields are never among the values.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from pmosync.contract import Choice, Duration, Link, Person, Record, Reference, Value, canonical, encode

from .own.places import marks, place_of, subtype
from .own.tags import tag_mark, word_of

Json = dict[str, Any]

CUSTOM = (
    "custom_fields.(gid|name|type|resource_subtype|representation_type|enabled|display_value|asana_created_field"
    "|format|number_value|text_value),custom_fields.(enum_value|multi_enum_values|people_value).(gid|name),custom_fields.date_value"
)
PLAIN_TASK = (
    "name,resource_subtype,approval_status,completed,completed_at,created_at,modified_at,assignee.name,"
    "start_on,start_at,due_on,due_at,num_subtasks,is_rendered_as_separator,memberships.(project|section).gid,"
    "memberships.section.name,tags.name,dependencies.gid,dependents.gid,actual_time_minutes,permalink_url,"
    "created_by,custom_type.name,custom_type_status_option.name"
)
TASK = f"{PLAIN_TASK},parent.gid,{CUSTOM}"
PROJECT = (
    "name,owner.name,start_on,due_on,archived,completed,created_at,modified_at,permalink_url,team.name,"
    "created_from_template.name,project_brief.gid,current_status_update.(status_type|created_at|title),"
    f"current_status_update.author.name,{CUSTOM}"
)
STATUS = ("status", "status_on", "status_by", "status_title")
"""What the newest status update of a project gives."""
_DIGITS = 6
"""After the point: the most that Asana shows of a number."""
LEVELS = 5
"""How deep Asana lets subtasks be nested."""
CHAIN = ",".join(f"{'parent.' * level}memberships.project.gid" for level in range(LEVELS + 1))
"""The projects of a task and of its parents, in one call."""


def fields(text: str) -> str:
    """`a.(b|c).d` written out, for places where Asana wants plain paths."""
    return ",".join(plain for path in text.split(",") for plain in _plain(path))


def _plain(path: str) -> list[str]:
    before, opened, rest = path.partition("(")
    if not opened:
        return [path]
    names, _, after = rest.partition(")")
    return [plain for name in names.split("|") for plain in _plain(before + name + after)]


TASK_FIELDS = fields(TASK)
CHANGED_TASK_FIELDS = f"{TASK_FIELDS},{CHAIN}"
NOTES = "notes"
"""The description of a task. It is long, so it is asked for only where a mapping names it."""
VERSION_FIELDS = fields(
    "modified_at,num_subtasks,actual_time_minutes,is_rendered_as_separator,parent.gid,memberships.(project|section).gid,"
    "tags.gid,dependencies.gid,dependents.gid"
)
"""What a version is made of: enough to see which tasks differ."""
PROJECT_FIELDS = fields(PROJECT)
MARK_FIELDS = fields(CUSTOM)
ROLLUP_FIELDS = f"name,permalink_url,{MARK_FIELDS}"


# --- records --------------------------------------------------------------------------------------------------------


def task(found: Json, scopes: Collection[str], pins: Mapping[str, str], tagged: bool = False) -> Record:
    """A task, milestone, approval or subtask; `tagged` when our tags are marks on this site."""
    entries = found.get("custom_fields") or ()
    values = {**_built_in(found, scopes, pins), **_custom(entries, "task", pins)}
    seen = marks(entries, "task", pins) if "custom_fields" in found else {}
    if tagged and "tags" in found:
        seen["tag"] = tag_mark(found["tags"] or (), pins)
    gid, url, ordered = found["gid"], found.get("permalink_url") or "", tuple(sorted(scopes))
    told = f"{version(found)} {short({**values, 'scopes': ordered})}"
    return Record("task", gid, gid, url, told, ordered, values, seen)


def project(found: Json, pins: Mapping[str, str], me: str = "") -> Record:
    """A project, as its row in a list tells it; a status update by `me` says nothing."""
    entries = found.get("custom_fields") or ()
    values: dict[str, Value] = {"name": found.get("name", "")}
    readers: tuple[tuple[str, Callable[[Any], Value]], ...] = (
        ("owner", person), ("start_on", day), ("due_on", day), ("created_at", instant), ("team", maybe)
    )  # fmt: skip
    values |= {name: read(found[name]) for name, read in readers if name in found}
    values |= {name: bool(found[name]) for name in ("archived", "completed") if name in found}
    if "created_from_template" in found:
        values["template"] = maybe(found["created_from_template"])
    if "project_brief" in found:
        values["brief"] = bool(found["project_brief"])
    if "current_status_update" in found and not by(found["current_status_update"], me):
        values |= status(found["current_status_update"])
    values |= _custom(entries, "project", pins)
    seen = marks(entries, "project", pins) if "custom_fields" in found else {}
    told = {"values": {name: encode(value) for name, value in values.items()}, "marks": seen}
    version = f"{found.get('modified_at', '')} {_short(told)}"
    gid = found["gid"]
    return Record("project", gid, gid, found.get("permalink_url") or "", version, ("site",), values, seen)


def rollup(found: Json, pins: Mapping[str, str]) -> Record:
    """A portfolio, of which nothing counts but our own fields on it."""
    seen = marks(found.get("custom_fields") or (), "rollup", pins)
    gid, url = found["gid"], found.get("permalink_url") or ""
    return Record("rollup", gid, found.get("name") or gid, url, _short(seen), ("rollups",), {}, seen)


def status(update: Mapping[str, Any] | None) -> dict[str, Value]:
    """What a status update says, who says so, and its day in UTC: Asana tells nobody's time zone."""
    if not update:
        return dict.fromkeys(STATUS)
    values: dict[str, Value] = {}
    if "status_type" in update:
        values["status"] = Choice(update["status_type"], update["status_type"]) if update["status_type"] else None
    if "created_at" in update:
        at = instant(update["created_at"])
        values["status_on"] = at.date() if at else None
    if "author" in update:
        values["status_by"] = person(update["author"])
    if "title" in update:
        values["status_title"] = update["title"] or None
    return values


def by(update: Mapping[str, Any] | None, me: str) -> bool:
    """Whether a status update is by this account."""
    return bool(update and me) and ((update or {}).get("author") or {}).get("gid") == me


MEMBERSHIP_FIELDS = "user.gid,is_active,is_guest,is_view_only"


def member(found: Json, membership: Json | None) -> Record:
    """A person of the workspace, with what the membership tells: still active, a guest, allowed to look only."""
    told = membership or {}
    values: dict[str, Value] = {
        "name": found.get("name", ""), "email": found.get("email"), "active": told.get("is_active")
    }  # fmt: skip
    values |= {name: bool(told[f"is_{name}"]) for name in ("guest", "view_only") if told.get(f"is_{name}") is not None}
    gid = found["gid"]
    return Record("person", gid, gid, "", short(values), ("people",), values)


def project_gids(found: Json) -> list[str]:
    """The projects that a task itself is in; a membership without rights to see it has no gid."""
    places = [(membership or {}).get("project") or {} for membership in found.get("memberships") or ()]
    return [place["gid"] for place in places if "gid" in place]


def chain_gids(found: Json) -> tuple[set[str], bool]:
    """The projects that a task or one of its parents is in, and whether the answer tells them up to the root."""
    gids: set[str] = set()
    at: Json | None = found
    while at:
        if "memberships" not in at or "parent" not in at:
            return gids | set(project_gids(at)), False
        gids.update(project_gids(at))
        at = at["parent"]
    return gids, True


def end(found: Json) -> Json | None:
    """The furthest parent in an answer whose own parent it does not tell; None: the answer reaches the root."""
    at: Json | None = found
    while at:
        if "parent" not in at:
            return None if at is found else at
        at = at["parent"]
    return None


def version(found: Json) -> str:
    """The first part of a task's version, told by few fields (`VERSION_FIELDS`); the second one is of all values.

    `modified_at` does not move with the container, the parent, subtasks, ties or booked time: they are folded in.
    """
    parent = (found.get("parent") or {}).get("gid")
    ties = [_gids(found.get(name) or ()) for name in ("dependencies", "dependents", "tags")]
    places = [
        [((place or {}).get(name) or {}).get("gid") for name in ("project", "section")]
        for place in found.get("memberships") or ()
    ]
    counted = [found.get("num_subtasks"), found.get("actual_time_minutes")]
    return f"{found.get('modified_at', '')} {_short([places, parent, counted, ties])}"


def _gids(found: Iterable[Json]) -> list[str]:
    return sorted(item["gid"] for item in found)


def short(values: Mapping[str, Value]) -> str:
    """A few letters that change with any of these values."""
    return _short({name: encode(value) for name, value in values.items()})


def _short(data: Any) -> str:
    return hashlib.blake2b(canonical(data).encode(), digest_size=6).hexdigest()


# --- values ---------------------------------------------------------------------------------------------------------


def _built_in(found: Json, scopes: Collection[str], pins: Mapping[str, str]) -> dict[str, Value]:
    values: dict[str, Value] = {"name": found.get("name", "")}
    for name in ("start_on", "due_on"):
        if name in found:
            values[name] = day(found[name])
    for name in ("start_at", "due_at", "created_at", "completed_at"):
        if name in found:
            values[name] = instant(found[name])
    for name in ("resource_subtype", "approval_status"):
        if name in found:
            values[name] = Choice(found[name], found[name]) if found[name] else None
    if NOTES in found:
        values[NOTES] = found[NOTES] or None
    if "completed" in found:
        values["completed"] = bool(found["completed"])
    for name in ("assignee", "created_by"):
        if name in found:
            values[name] = person(found[name])
    if "custom_type" in found:
        values["custom_type"] = maybe(found["custom_type"])
    if "custom_type_status_option" in found:
        values["custom_type_status"] = type_status(found["custom_type_status_option"], found.get("completed"))
    if "parent" in found:
        values["parent"] = Reference("task", found["parent"]["gid"]) if found["parent"] else None
    if "memberships" in found:
        values["section"] = _section(found["memberships"] or (), scopes)
    for name, direction in (("dependencies", "inward"), ("dependents", "outward")):
        if name in found:
            values[name] = tuple(
                Link("dependency", "dependency", direction, other["gid"])  # type: ignore[arg-type]
                for other in found[name] or ()
            )
    if "tags" in found:
        values["tags"] = tuple(option(tag) for tag in found["tags"] or () if word_of(tag, pins) is None)
    if "actual_time_minutes" in found:
        minutes = found["actual_time_minutes"]
        values["actual_time_minutes"] = None if minutes is None else Duration(minutes * 60.0)
    return values


def _section(memberships: Sequence[Json], scopes: Collection[str]) -> Choice | None:
    """The section in the first project that we look at."""
    for place in memberships:
        at, section = (place or {}).get("project") or {}, (place or {}).get("section") or {}
        if f"project:{at.get('gid')}" in scopes and "gid" in section:
            return option(section)
    return None


def _custom(entries: Iterable[Json], subject: Any, pins: Mapping[str, str]) -> dict[str, Value]:
    """Other people's custom fields; one that is no longer offered to the item is not provided."""
    return {
        entry["gid"]: custom(entry)
        for entry in entries
        if entry.get("enabled") is not False and place_of(entry, subject, pins) is None
    }


def custom(entry: Json) -> Value:
    """The value of a custom field, by what people see it as, else by how Asana stores it."""
    for kind in (entry.get("representation_type"), subtype(entry)):
        match kind:
            case "text":
                return entry.get("text_value") or None
            case "number":
                return _number(entry)
            case "enum":
                return option(entry["enum_value"]) if entry.get("enum_value") else None
            case "multi_enum":
                return tuple(option(found) for found in entry.get("multi_enum_values") or ())
            case "date":
                return _date(entry.get("date_value") or {})
            case "custom_id":
                break
            case "people":
                return tuple(p for found in entry.get("people_value") or () if (p := person(found)))
    return entry.get("display_value") or None


def _number(entry: Json) -> Value:
    """A number as people see it: Asana keeps 25 % as 0.25."""
    number = entry.get("number_value")
    if number is None:
        return None
    if entry.get("asana_created_field") == "estimated_time":
        return Duration(number * 60.0)
    if entry.get("format") == "percentage":
        return round(float(number) * 100, _DIGITS)
    return float(number)


def _date(found: Json) -> Value:
    return day(found["date"]) if found.get("date") else instant(found.get("date_time"))


def option(found: Json) -> Choice:
    """An option, section or tag."""
    return Choice(found["gid"], found.get("name") or "")


def maybe(found: Json | None) -> Choice | None:
    """A team, a template, a custom type: what is chosen, if anything is."""
    return option(found) if found else None


def type_status(found: Json | None, completed: bool | None = None) -> Choice | None:
    """A status of a custom type, with its category `complete` or `incomplete`.

    Only the list of types tells the category; a task in a status of a type is completed where its status is complete.
    """
    if not found:
        return None
    told = None if completed is None else "complete" if completed else "incomplete"
    return Choice(
        found["gid"], found.get("name") or "", str(found.get("completion_state") or told or "").lower() or None
    )


def person(found: Json | None) -> Person | None:
    """A person as another record mentions them."""
    return Person(found["gid"], found.get("name") or "") if found else None


def day(text: str | None) -> dt.date | None:
    """A local day."""
    return dt.date.fromisoformat(text) if text else None


def instant(text: str | None) -> dt.datetime | None:
    """A moment, in UTC."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC) if text else None
