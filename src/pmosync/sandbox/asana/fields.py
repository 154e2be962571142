"""Custom fields of the sandbox's Asana: which are offered where, what a value may be, and how it reads back.

A value is stored as Asana takes it (option gid, number, text, date, gids) and checked before it is stored; a wrong
one is refused and nothing of the request is applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from markupsafe import escape

from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.state import State, from_json

MAX_TEXT = 1024
COLORS = ("none", "red", "orange", "yellow-orange", "yellow", "yellow-green", "green", "blue-green", "aqua", "blue",
          "indigo", "purple", "magenta", "hot-pink", "pink", "cool-gray")  # fmt: skip
REFERRED = ("task", "project", "portfolio", "goal")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def escaped(text: str) -> str:
    return str(escape(text)).replace("&#34;", '"').replace("&#39;", "'")


def offered_to_task(state: State, task: str) -> list[str]:
    """The fields of the task's projects; a subtask has those of its parents' projects too."""
    found: dict[str, None] = {}
    for project in tables.projects_of(state, task, inherited=True):
        for setting in rows(state, "SELECT field FROM asana_setting WHERE parent = ? ORDER BY position", project):
            found.setdefault(setting["field"])
    return list(found)


def offered_to_project(state: State, project: str) -> list[str]:
    """A project has values for the fields of the portfolios that it is in."""
    found = rows(
        state,
        "SELECT DISTINCT s.field, s.rowid FROM asana_setting s JOIN asana_portfolio_item i ON i.portfolio = s.parent"
        " WHERE i.item = ? ORDER BY s.rowid",
        project,
    )
    return list(dict.fromkeys(setting["field"] for setting in found))


def offered_to_portfolio(state: State, portfolio: str) -> list[str]:
    """A portfolio has values for the fields of the portfolios that it is in, and (as the switch says) for its own."""
    if tables.switch(state, "portfolio_values") == "parent":
        return offered_to_project(state, portfolio)
    own = rows(state, "SELECT field FROM asana_setting WHERE parent = ? ORDER BY position", portfolio)
    return list(dict.fromkeys([*(s["field"] for s in own), *offered_to_project(state, portfolio)]))


def offered_to_goal(state: State, goal: str) -> list[str]:
    """A goal has values for the fields that it offers."""
    return [s["field"] for s in rows(state, "SELECT field FROM asana_setting WHERE parent = ? ORDER BY position", goal)]


def option_record(option: Row) -> Row:
    return {
        "gid": option["gid"],
        "resource_type": "enum_option",
        "name": option["name"],
        "color": option["color"],
        "enabled": bool(option["enabled"]),
    }


def definition(state: State, gid: str) -> Row:
    """A custom field as the workspace has it, without a value."""
    stored = tables.get(state, "field", gid)
    if stored is None:
        raise bad(f"custom_field: Unknown object: {gid}")
    record: Row = {
        "gid": gid,
        "resource_type": "custom_field",
        "name": stored["name"],
        "resource_subtype": stored["type"],
        "type": stored["type"],
        "representation_type": stored["representation"] or stored["type"],
        "description": stored["description"],
        "enabled": True,
        "is_formula_field": stored["representation"] == "formula",
        "is_value_read_only": bool(stored["locked"] or stored["representation"]),
        "is_global_to_workspace": bool(stored["is_global"]),
        "has_notifications_enabled": bool(stored["notifications"]),
        "asana_created_field": stored["asana_created_field"],
        "privacy_setting": stored["privacy"],
        "default_access_level": stored["default_access"],
        "id_prefix": stored["id_prefix"],
        "created_by": _person(state, stored["created_by"]),
    }
    if stored["type"] in ("enum", "multi_enum"):
        options = rows(state, "SELECT * FROM asana_option WHERE field = ? ORDER BY position", gid)
        record["enum_options"] = [option_record(option) for option in options]
    if stored["type"] == "number":
        record["precision"] = stored["numeric_precision"]
        record["format"] = stored["format"]
    if stored["currency"]:
        record["currency_code"] = stored["currency"]
    return record


def _person(state: State, gid: str | None) -> Row | None:
    found = tables.get(state, "user", gid) if gid else None
    return {"gid": found["gid"], "resource_type": "user", "name": found["name"]} if found else None


def _named(state: State, gid: str) -> Row | None:
    """What a reference field may point at, in short."""
    for kind in REFERRED:
        found = tables.get(state, kind, gid)
        if found:
            return {"gid": gid, "resource_type": kind, "name": found["name"]}
    return None


def entries(state: State, item: str, offered: list[str], define: Callable[[str], Row]) -> list[Row]:
    """The custom fields of an item with their values; a value left from a field no longer offered is disabled."""
    held = rows(state, "SELECT field, value FROM asana_value WHERE item = ? ORDER BY rowid", item)
    values = {found["field"]: from_json(found["value"]) for found in held}
    names = [*offered, *(field for field in values if field not in offered)]
    return [_entry(state, define(field), values.get(field), field in offered) for field in names]


def _entry(state: State, record: Row, value: Any, enabled: bool) -> Row:
    kind = record["type"]
    entry = {**record, "enabled": enabled, "display_value": display(state, record, value)}
    if kind == "enum":
        entry["enum_value"] = next((o for o in record["enum_options"] if o["gid"] == value), None)
    elif kind == "multi_enum":
        entry["multi_enum_values"] = [o for o in record["enum_options"] if o["gid"] in (value or ())]
    elif kind == "date":
        entry["date_value"] = {"date": value[:10], "date_time": value if len(value) > 10 else None} if value else None
    elif kind == "people":
        entry["people_value"] = [_person(state, gid) for gid in value or ()]
    elif kind == "reference":
        entry["reference_value"] = [named for named in (_named(state, gid) for gid in value or ()) if named]
    else:
        entry[f"{kind}_value"] = value
    return entry


def display(state: State, record: Row, value: Any) -> str | None:
    """The value as a person reads it."""
    if value is None:
        return None
    kind = record["type"]
    if kind in ("enum", "multi_enum"):
        wanted = [value] if kind == "enum" else value
        return ", ".join(o["name"] for o in record["enum_options"] if o["gid"] in wanted) or None
    if kind == "number":
        if record["format"] == "percentage":
            return f"{value:.{record['precision'] or 0}%}"
        return f"{value:.{record['precision'] or 0}f}"
    if kind == "people":
        return ", ".join(str(scalar(state, "SELECT name FROM asana_user WHERE gid = ?", gid)) for gid in value)
    if kind == "reference":
        found = [_named(state, gid) for gid in value]
        return ", ".join(str(named["name"]) for named in found if named) or None
    return str(value)


def accepted(state: State, field: Row, value: Any, old: Any) -> Any:
    """The value to store for what a client sent, or a refusal that says what is wrong with it."""
    if field["representation"]:
        raise bad(f"custom_fields: {field['gid']}: The value of this custom field is computed and cannot be written.")
    if value is None or value in ("", []):
        return None
    checks: dict[str, Callable[[State, Row, Any, Any], Any]] = {
        "text": _text,
        "number": _number,
        "enum": _option,
        "multi_enum": _options,
        "date": _date,
        "people": _people,
        "reference": _references,
    }
    return checks[field["type"]](state, field, value, old)


def _text(state: State, field: Row, value: Any, old: Any) -> str:
    if not isinstance(value, str):
        raise bad(f"custom_fields: {field['gid']}: Not a string: {value}")
    if len(value) > MAX_TEXT:
        raise bad(f"custom_fields: {field['gid']}: Text is longer than {MAX_TEXT} characters.")
    return value


def _number(state: State, field: Row, value: Any, old: Any) -> float | int:
    try:
        number = round(float(value), _digits(field, field["numeric_precision"]))
    except (TypeError, ValueError) as error:
        raise bad(f"custom_fields: {field['gid']}: Not a number: {value}") from error
    return int(number) if number == int(number) else number


def _digits(field: Row, precision: int | None) -> int:
    """A percentage of precision 0 is a whole per cent, so it is kept with two decimals."""
    return (precision or 0) + (2 if field["format"] == "percentage" else 0)


def _option(state: State, field: Row, value: Any, old: Any) -> str:
    enabled = scalar(state, "SELECT enabled FROM asana_option WHERE gid = ? AND field = ?", value, field["gid"])
    if enabled is None or not isinstance(value, str):
        raise bad(f"custom_fields: {field['gid']}: {value} is not a valid enum option of this custom field.")
    if not enabled and value != old:
        raise bad(f"custom_fields: {field['gid']}: enum option {value} is disabled.")
    return value


def _options(state: State, field: Row, value: Any, old: Any) -> list[str]:
    wanted = value if isinstance(value, list) else str(value).split(",")
    return [_option(state, field, option, option if option in (old or ()) else None) for option in wanted]


def _date(state: State, field: Row, value: Any, old: Any) -> str:
    given = (value.get("date_time") or value.get("date")) if isinstance(value, dict) else value
    if not isinstance(given, str) or not DATE.match(given):
        raise bad(f"custom_fields: {field['gid']}: Not a valid date: {value}")
    try:
        date.fromisoformat(given[:10])
    except ValueError as error:
        raise bad(f"custom_fields: {field['gid']}: Not a valid date: {value}") from error
    return given


def _people(state: State, field: Row, value: Any, old: Any) -> list[str]:
    wanted = value if isinstance(value, list) else str(value).split(",")
    for gid in wanted:
        if not scalar(state, "SELECT 1 FROM asana_user WHERE gid = ?", gid):
            raise bad(f"custom_fields: {field['gid']}: Unknown object: {gid}")
    return list(wanted)


def _references(state: State, field: Row, value: Any, old: Any) -> list[str]:
    wanted = value if isinstance(value, list) else str(value).split(",")
    for gid in wanted:
        if _named(state, str(gid)) is None:
            raise bad(f"custom_fields: {field['gid']}: Unknown object: {gid}")
    return [str(gid) for gid in wanted]
