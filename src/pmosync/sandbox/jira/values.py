"""Reads the values that an edit sends for fields, and refuses under each field's name what Jira would refuse.

It keeps the promise that a value is either stored as Jira answers it or reported in `errors`, never both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..answers import Refused
from ..call import Call
from ..state import State, from_json
from . import issues, options, planning, render, seed, text
from .access import refusal
from .tables import thing

LABEL_LENGTH = 255
SUMMARY_LENGTH = 255
LINE_LENGTH = 255
NO_SUCH_FIELD = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."
Errors = dict[str, str]


def set_field(call: Call, fields: issues.Fields, name: str, value: Any, errors: Errors) -> None:
    """Set one field as `fields` of a request asks."""
    if name in ("created", "updated", "creator", "resolutiondate", "status", "issuelinks", "subtasks", "project"):
        errors[name] = NO_SUCH_FIELD.format(name)
        return
    readers: dict[str, Callable[[Call, Any, str, Errors], Any]] = {
        "summary": _summary, "labels": read_labels, "assignee": _user, "reporter": _user, "duedate": _date,
        "priority": _thing, "resolution": _thing, "issuetype": _thing, "description": _text, "environment": _text,
    }  # fmt: skip
    if name == "parent":
        if value is None:
            fields.pop("parent", None)
        else:
            fields["parent"] = parent_reference(call, value)
        return
    if name == "timetracking":
        _set_time(fields, value or {}, errors)
        return
    if name in planning.VERSION_FIELDS:
        asked = planning.versions_asked(call, fields, value, name, errors)
        fields[name] = fields.get(name) if name in errors else asked
        return
    row = call.state.row("SELECT document FROM jira_field WHERE id = ?", (name,))
    if name in readers:
        read = readers[name]
    elif row and name.startswith("customfield_") and is_offered(call.state, name, fields["project"]["key"]):
        read = _custom
    else:
        errors[name] = NO_SUCH_FIELD.format(name)
        return
    if row and from_json(row["document"])["schema"].get("custom") == planning.SPRINT_TYPE:
        found = planning.sprint_asked(call, fields.get(name), value, name, errors)
    else:
        found = read(call, value, name, errors)
    if name not in errors:
        fields[name] = found


def is_offered(state: State, field_id: str, project_key: str) -> bool:
    """Whether issues of a project have a field."""
    row = state.row("SELECT projects FROM jira_field WHERE id = ?", (field_id,))
    projects = from_json(row["projects"]) if row else None
    return row is not None and (projects is None or project_key in projects)


def operate(call: Call, fields: issues.Fields, name: str, operations: Any, errors: Errors) -> None:
    """Apply `update` of a request to one field."""
    for operation in operations if isinstance(operations, list) else [operations]:
        ((verb, value),) = operation.items()
        if verb == "set":
            set_field(call, fields, name, value, errors)
        elif name == "labels" and verb in ("add", "remove"):
            label = read_labels(call, [value], "labels", errors)
            present = list(fields.get("labels") or [])
            if verb == "add" and "labels" not in errors and value not in present:
                fields["labels"] = sorted([*present, *label])
            elif verb == "remove" and value in present:
                fields["labels"] = [one for one in present if one != value]
        elif name in planning.VERSION_FIELDS and verb in ("add", "remove"):
            asked = planning.versions_asked(call, fields, [value], name, errors)
            present = fields.get(name) or []
            left = [one for one in present if one not in asked]
            fields[name] = left if verb == "remove" else present if left != present else [*present, *asked]
        elif name == "comment" and verb == "add":
            errors[name] = "This sandbox takes comments at the comment resource only."
        else:
            errors[name] = f"Field '{name}' does not support operation '{verb}'."


def _summary(call: Call, value: Any, name: str, errors: Errors) -> Any:
    if not isinstance(value, str) or not value.strip():
        errors[name] = "You must specify a summary of the issue."
    elif "\n" in value:
        errors[name] = "The summary is invalid because it contains newline characters."
    elif len(value) > SUMMARY_LENGTH:
        errors[name] = f"Summary can't exceed {SUMMARY_LENGTH} characters."
    return value


def read_labels(call: Call, value: Any, name: str, errors: Errors) -> Any:
    """Labels, each once, in their order."""
    labels = value if isinstance(value, list) else []
    if not isinstance(value, list) or not all(isinstance(label, str) for label in labels):
        errors[name] = "data was not an array" if not isinstance(value, list) else "expected a string"
        return []
    for label in labels:
        if not label or re.search(r"\s", label):
            errors[name] = f"The label '{label}' contains spaces which is invalid."
        elif len(label) > LABEL_LENGTH:
            errors[name] = f"The label '{label}' is longer than the allowed maximum of {LABEL_LENGTH} characters."
    return sorted(set(labels))


def read_line(call: Call, value: Any, name: str, errors: Errors) -> Any:
    """A text of one line."""
    if not isinstance(value, str):
        errors[name] = "Operation value must be a string"
    elif "\n" in value:
        errors[name] = f"The field {name} takes a single line of text."
    elif len(value) > LINE_LENGTH:
        errors[name] = f"The entered text is too long. It exceeds the allowed limit of {LINE_LENGTH} characters."
    return value


def _user(call: Call, value: Any, name: str, errors: Errors) -> Any:
    if value is None:
        return None
    account_id = value.get("accountId") or value.get("id") if isinstance(value, dict) else None
    found = seed.user_document(call.state, str(account_id)) if account_id else None
    if found is None or (name == "assignee" and not found["active"]):
        errors[name] = (
            f"User '{account_id}' cannot be assigned issues." if found else "Specify a valid value for " + name
        )
    return found


def _date(call: Call, value: Any, name: str, errors: Errors) -> Any:
    if value is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        errors[name] = f"Error parsing date string: {value}"
    return value


def _thing(call: Call, value: Any, name: str, errors: Errors) -> Any:
    if value is None and name != "issuetype":
        return None
    found = named_thing(call.state, name, value)
    if found is None:
        errors[name] = f"Specify a valid '{'id' if isinstance(value, dict) and 'id' in value else 'name'}' for {name}"
    return found


def _text(call: Call, value: Any, name: str, errors: Errors) -> Any:
    """Version 3 takes a document and version 2 text; what the version cannot read it refuses."""
    if value is None or (isinstance(value, str) if render.is_version_2(call) else text.is_document(value)):
        return value
    errors[name] = "Operation value must be a string" if render.is_version_2(call) else (
        "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    )  # fmt: skip
    return None


def _custom(call: Call, value: Any, name: str, errors: Errors) -> Any:
    row = call.state.row("SELECT document FROM jira_field WHERE id = ?", (name,))
    schema = from_json(row["document"])["schema"] if row else {}
    kind = schema.get("type")
    if value is None:
        return None
    if schema.get("custom", "").endswith(":textarea"):
        return _text(call, value, name, errors)
    if kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        errors[name] = "Operation value must be a number"
    elif kind == "date":
        return _date(call, value, name, errors)
    elif kind == "user":
        return _user(call, value, name, errors)
    elif kind == "string":
        return read_line(call, value, name, errors)
    elif kind == "option":
        found = options.asked(call.state, name, value)
        if found is None:
            errors[name] = f"Specify a valid 'id' or 'value' of an option for {name}"
        return found
    elif kind == "number":
        return float(value)
    elif kind == "array" and schema.get("items") == "string":
        return read_labels(call, value, name, errors)
    return value


def _set_time(fields: issues.Fields, value: dict[str, Any], errors: Errors) -> None:
    names = {"originalEstimate": "timeoriginalestimate", "remainingEstimate": "timeestimate"}
    for name, field in names.items():
        if name in value:
            seconds = seconds_of(str(value[name]))
            if seconds is None:
                errors[f"timetracking_{name.lower()}"] = "Original Estimate is invalid."
            fields[field] = fields[f"aggregate{field}"] = seconds


def seconds_of(written: str) -> int | None:
    """A duration such as `1w 2d 3h` in seconds; weeks have 5 days and days 8 hours."""
    lengths = {"w": 144000, "d": 28800, "h": 3600, "m": 60}
    parts = re.findall(r"(\d+)([wdhm])", written)
    if not parts or re.sub(r"(\d+)([wdhm])|\s", "", written):
        return None
    return sum(int(count) * lengths[unit] for count, unit in parts)


def parent_reference(call: Call, value: Any) -> dict[str, str]:
    reference = str((value or {}).get("key") or (value or {}).get("id") or "") if isinstance(value, dict) else ""
    row = issues.find(call.state, reference) if reference else None
    if row is None:
        raise Refused(400, refusal(parent="Could not find issue by id or key."))
    return {"id": str(row["id"]), "key": row["key"]}


def named_thing(state: State, kind: str, value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    reference = value.get("id") or value.get("name")
    return thing(state, kind, str(reference)) if reference else None
