"""Turns the JSON of Jira's fields into typed values, by the schema that Jira itself gives for each field.

It keeps the promise that nothing is guessed: a value of an unexpected shape is *not provided*, and never costs the rest
of the issue.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pmosync.contract import Choice, Duration, Link, Person, Reference, Scalar, Value

from .adf import to_text
from .marks import LABELS

Kind = Literal[
    "text", "number", "duration", "date", "instant", "yes/no", "choice", "person", "reference", "list", "other"
]

ODD = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What a reader raises for a value that is not of the shape it knows."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How one field is read; `read` gets any value but null."""

    kind: Kind
    read: Callable[[Any], Value]


def choice(raw: Mapping[str, Any]) -> Choice:
    """A status, type, priority, resolution, option, version, component, sprint or team."""
    name = raw.get("value", raw.get("name", raw.get("title")))
    child = raw.get("child")
    if child:
        return Choice(str(child["id"]), f"{name} / {child['value']}")
    if name is None:
        raise ValueError("an option without a name")
    category = raw.get("state")
    if "statusCategory" in raw:
        category = raw["statusCategory"]["key"]
    elif "hierarchyLevel" in raw:
        category = str(raw["hierarchyLevel"])
    elif isinstance(raw.get("subtask"), bool):  # Data Center has no levels
        category = "-1" if raw["subtask"] else "1" if str(name).lower() == "epic" else "0"
    return Choice(str(raw["id"]), str(name), category)


def person(raw: Mapping[str, Any]) -> Person:
    """A person as Jira embeds them, by account id (Cloud) or key (Data Center); a hidden address is None."""
    active = raw.get("active")
    who = str(raw["accountId"] if "accountId" in raw else raw.get("key") or raw["name"])
    if not who:
        raise ValueError("a person without an id")
    return Person(
        who,
        str(raw["displayName"] if "accountId" not in raw else raw.get("displayName") or ""),
        raw.get("emailAddress") or None,
        active if isinstance(active, bool) else None,
    )


def instant(raw: Any) -> dt.datetime:
    """An instant; one without a zone is odd."""
    when = dt.datetime.fromisoformat(raw)
    if when.tzinfo is None:
        raise ValueError("an instant without a zone")
    return when


def date(raw: Any) -> dt.date:
    """A local day."""
    return dt.date.fromisoformat(raw)


def _number(raw: Any) -> float | int:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise TypeError("not a number")
    return raw


def _duration(raw: Any) -> Duration:
    return Duration(float(_number(raw)))


def _issue(raw: Mapping[str, Any]) -> Reference:
    return Reference("task", str(raw["id"]))


def _parent_link(raw: Any) -> Scalar | None:
    """The issue above, in an object that may also say no more than why there is none; old servers give its key."""
    if isinstance(raw, str):
        return raw
    above = raw.get("data", raw)
    return _issue(above) if "id" in above else None


def _project(raw: Mapping[str, Any]) -> Reference:
    return Reference("project", str(raw["id"]))


def _link(raw: Mapping[str, Any]) -> Link:
    kind = raw["type"]
    if "outwardIssue" in raw:
        return Link(str(kind["id"]), str(kind["name"]), "outward", str(raw["outwardIssue"]["id"]))
    return Link(str(kind["id"]), str(kind["name"]), "inward", str(raw["inwardIssue"]["id"]))


def _plain(raw: Any) -> Scalar:
    """A value of a field whose schema says little: by its own shape, or odd."""
    if isinstance(raw, (str, int, float, bool)):
        return raw
    return person(raw) if "accountId" in raw or "displayName" in raw else choice(raw)


def _labels(raw: Any) -> Value:
    return tuple(str(label) for label in listed(raw) if label not in LABELS)


def listed(raw: Any) -> list[Any]:
    """The items of a list; anything else is odd."""
    if not isinstance(raw, list):
        raise TypeError("not a list")
    return raw


def _list_of(read: Callable[[Any], Scalar]) -> Reader:
    return Reader("list", lambda raw: tuple(read(item) for item in listed(raw)))


_CHOICE = Reader("choice", choice)

_BY_ID: Mapping[str, Reader] = {
    "parent": Reader("reference", _issue),
    "subtasks": _list_of(_issue),
    "issuelinks": _list_of(_link),
    "labels": Reader("list", _labels),
    "timeoriginalestimate": Reader("duration", _duration),
    "timeestimate": Reader("duration", _duration),
    "timespent": Reader("duration", _duration),
    "aggregatetimeoriginalestimate": Reader("duration", _duration),
    "aggregatetimeestimate": Reader("duration", _duration),
    "aggregatetimespent": Reader("duration", _duration),
}

_BY_CUSTOM: Mapping[str, Reader] = {
    "com.atlassian.jpo:jpo-custom-field-parent": Reader("reference", _parent_link),
}

_BY_TYPE: Mapping[str, Reader] = {
    "string": Reader("text", to_text),
    "number": Reader("number", _number),
    "date": Reader("date", date),
    "datetime": Reader("instant", instant),
    "user": Reader("person", person),
    "issuelink": Reader("reference", _issue),
    "project": Reader("reference", _project),
    **dict.fromkeys(
        (
            "status", "issuetype", "priority", "resolution", "option", "option-with-child", "version", "component",
            "securitylevel", "statusCategory", "team",
        ),
        _CHOICE,
    ),
}  # fmt: skip

_BY_ITEMS: Mapping[str, Reader] = {
    "string": _list_of(str),
    "number": _list_of(_number),
    "date": _list_of(date),
    "datetime": _list_of(instant),
    "user": _list_of(person),
    "issuelinks": _list_of(_link),
    "issue": _list_of(_issue),
    "option": _list_of(choice),
    "version": _list_of(choice),
    "component": _list_of(choice),
    "json": _list_of(_plain),
}


def reader_of(field: Mapping[str, Any]) -> Reader:
    """How Jira's description of a field (from `GET /field`) says that it is read."""
    schema = field.get("schema") or {}
    known = _BY_ID.get(field["id"]) or _BY_CUSTOM.get(schema.get("custom") or "")
    if known:
        return known
    if schema.get("type") == "array":
        return _BY_ITEMS.get(schema.get("items") or "json", _list_of(_plain))
    return _BY_TYPE.get(schema.get("type") or "", Reader("other", _plain))
