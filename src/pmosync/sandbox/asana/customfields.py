"""Asana's custom fields: the workspace's definitions, their options, and where they are offered.

A name is there once in a workspace, a type never changes, and taking a field from a project leaves its values there,
disabled.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.asana import access, edits, events, fields, seed, tables
from pmosync.sandbox.asana.access import me, see_portfolio, see_project
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run, scalar
from pmosync.sandbox.call import Call, Handler, Rule

TYPES = ("text", "enum", "multi_enum", "number", "date", "people", "reference")
MAX_SETTINGS = {"project": 100, "portfolio": 20}
MAX_OPTIONS = 500


def _see(call: Call, gid: str) -> Row:
    field = tables.get(call.state, "field", access.checked("custom_field", gid))
    if field is None:
        raise unknown("custom_field", gid)
    return field


def list_fields(call: Call) -> Response:
    access.see_workspace(call.args["workspace_gid"])
    edits.premium(call, "Custom fields")
    found = rows(call.state, "SELECT gid FROM asana_field WHERE is_global = 1 ORDER BY gid")
    return listing(call, "custom_field", [field["gid"] for field in found])


def get_field(call: Call) -> Response:
    return one(call, "custom_field", _see(call, call.args["custom_field_gid"])["gid"])


def create_field(call: Call) -> Response:
    access.see_workspace(str(required(call, "workspace")))
    return one(call, "custom_field", _create(call, data(call), is_global=True), 201)


def _create(call: Call, given: Row, *, is_global: bool) -> str:
    edits.premium(call, "Custom fields")
    person = tables.get(call.state, "user", me(call)) or {}
    if person.get("guest"):
        raise forbidden("custom_field: Guests cannot create custom fields.")
    kind = given.get("resource_subtype") or given.get("type")
    if kind not in TYPES:
        raise bad(f"resource_subtype: {kind} is not one of {', '.join(TYPES)}")
    options = given.get("enum_options") or []
    if options and kind not in ("enum", "multi_enum"):
        raise bad("enum_options: Only custom fields of type enum or multi_enum have options.")
    gid = seed.add_field(
        call.state,
        _free_name(call, given.get("name"), is_global=is_global),
        kind,
        options=[(str(option.get("name") or ""), _color(option.get("color"))) for option in options],
        description=given.get("description") or "",
        precision=given.get("precision"),
        number_format=given.get("format"),
        notifications=bool(given.get("has_notifications_enabled", False)),
        created_by=me(call),
        is_global=is_global,
        currency=given.get("currency_code"),
        default_access=given.get("default_access_level") or "user",
        privacy=given.get("privacy_setting") or "public",
    )
    call.state.changed("asana", str(call.user["name"]), gid, "custom field", None, given["name"])
    return gid


def _free_name(call: Call, name: object, *, is_global: bool, field: str | None = None) -> str:
    if not isinstance(name, str) or not name.strip():
        raise bad("name: Missing input")
    taken = scalar(
        call.state,
        "SELECT gid FROM asana_field WHERE is_global = 1 AND lower(name) = lower(?) AND gid IS NOT ?",
        name,
        field,
    )
    if is_global and taken:
        raise bad(f"name: A custom field with the name {name} already exists in this workspace.")
    return name


def _color(color: object) -> str:
    if color in (None, ""):
        return "none"
    if color not in fields.COLORS:
        raise bad(f"color: {color} is not one of {', '.join(fields.COLORS)}")
    return str(color)


def update_field(call: Call) -> Response:
    field = _editable(call, call.args["custom_field_gid"])
    given = data(call)
    columns = {"name": "name", "description": "description", "has_notifications_enabled": "notifications",
               "precision": "numeric_precision", "default_access_level": "default_access",
               "privacy_setting": "privacy"}  # fmt: skip
    new: Row = {}
    for name, value in given.items():
        if name in ("workspace", "gid"):
            continue
        if name not in columns:
            raise bad(f"{name}: Cannot write this property")
        new[columns[name]] = int(value) if isinstance(value, bool) else value
    if "name" in new:
        _free_name(call, new["name"], is_global=bool(field["is_global"]), field=field["gid"])
    tables.update(call.state, "field", field["gid"], new)
    for name, value in new.items():
        if value != field[name]:
            call.state.changed("asana", str(call.user["name"]), field["gid"], name, field[name], value)
    return one(call, "custom_field", field["gid"])


def _editable(call: Call, gid: str) -> Row:
    field = _see(call, gid)
    if field["default_access"] == "user" and field["created_by"] != me(call):
        raise forbidden("custom_field: You do not have access to change this custom field.")
    return field


def delete_field(call: Call) -> Response:
    field = _editable(call, call.args["custom_field_gid"])
    for sql in (
        "DELETE FROM asana_value WHERE field = ?",
        "DELETE FROM asana_setting WHERE field = ?",
        "DELETE FROM asana_option WHERE field = ?",
        "DELETE FROM asana_field WHERE gid = ?",
    ):
        run(call.state, sql, field["gid"])
    call.state.changed("asana", str(call.user["name"]), field["gid"], "custom field", field["name"], None)
    return nothing()


def create_option(call: Call) -> Response:
    field = _editable(call, call.args["custom_field_gid"])
    given = data(call)
    if field["type"] not in ("enum", "multi_enum"):
        raise bad("custom_field: This custom field has no options.")
    if scalar(call.state, "SELECT count(*) FROM asana_option WHERE field = ?", field["gid"]) >= MAX_OPTIONS:
        raise bad(f"custom_field: A custom field can have at most {MAX_OPTIONS} options.")
    gid = seed.add_option(call.state, field["gid"], str(required(call, "name")), _color(given.get("color")))
    _move_option(call, field["gid"], gid, given.get("insert_before"), given.get("insert_after"))
    call.state.changed("asana", str(call.user["name"]), field["gid"], "option", None, given["name"])
    return _option(call, gid, 201)


def _move_option(call: Call, field: str, gid: str, before: str | None, after: str | None) -> None:
    if before is None and after is None:
        return
    found = rows(call.state, "SELECT gid FROM asana_option WHERE field = ? ORDER BY position", field)
    order = [option["gid"] for option in found if option["gid"] != gid]
    anchor = before or after
    if anchor not in order:
        raise bad(f"insert_before: {anchor} is not an option of this custom field.")
    order.insert(order.index(anchor) + (0 if before else 1), gid)
    for position, option in enumerate(order, 1):
        tables.update(call.state, "option", option, {"position": position})


def update_option(call: Call) -> Response:
    gid = access.checked("enum_option", call.args["enum_option_gid"])
    option = tables.get(call.state, "option", gid)
    if option is None:
        raise unknown("enum_option", gid)
    _editable(call, option["field"])
    new: Row = {}
    for name, value in data(call).items():
        if name not in ("name", "color", "enabled"):
            raise bad(f"{name}: Cannot write this property")
        new[name] = _color(value) if name == "color" else int(value) if name == "enabled" else value
    tables.update(call.state, "option", gid, new)
    call.state.changed("asana", str(call.user["name"]), option["field"], "option", option["name"], new)
    return _option(call, gid, 200)


def _option(call: Call, gid: str, status: int) -> Response:
    option = tables.get(call.state, "option", gid) or {}
    return json_answer({"data": fields.option_record(option)}, status)


# -- where fields are offered ------------------------------------------------------------------------------------


def list_settings(kind: str) -> Handler:
    def handler(call: Call) -> Response:
        parent = _parent(call, kind, "viewer")
        found = rows(call.state, "SELECT gid FROM asana_setting WHERE parent = ? ORDER BY position", parent["gid"])
        return listing(call, "custom_field_setting", [setting["gid"] for setting in found])

    return handler


def _parent(call: Call, kind: str, wanted: str) -> Row:
    gid = call.args[f"{kind}_gid"]
    if kind == "portfolio":
        return see_portfolio(call, gid, wanted)
    return see_project(call, gid) if wanted == "viewer" else access.see_customizable(call, gid)


def add_setting(kind: str) -> Handler:
    """Offer a field that the workspace has, or make one for this place only."""

    def handler(call: Call) -> Response:
        edits.premium(call, "Custom fields")
        parent = _parent(call, kind, "editor")
        if access.is_guest(call.state, me(call)):
            raise forbidden("custom_field: Guests cannot add custom fields.")
        given = required(call, "custom_field")
        field = _create(call, given, is_global=False) if isinstance(given, dict) else _see(call, str(given))["gid"]
        held = rows(call.state, "SELECT field FROM asana_setting WHERE parent = ?", parent["gid"])
        if field in [setting["field"] for setting in held]:
            raise bad(f"custom_field: Custom field with ID {field} is already on this {kind}.")
        most = int(float(tables.switch(call.state, "field_cap"))) or MAX_SETTINGS[kind]
        if len(held) >= most:
            raise bad(f"custom_field: A {kind} can have at most {most} custom fields.")
        important = bool(data(call).get("is_important", False))
        gid = seed.add_setting(call.state, kind, parent["gid"], field, important=important)
        _tell(call, kind, parent, field, "added")
        return one(call, "custom_field_setting", gid)

    return handler


def remove_setting(kind: str) -> Handler:
    def handler(call: Call) -> Response:
        parent = _parent(call, kind, "editor")
        field = _see(call, str(required(call, "custom_field")))["gid"]
        if not run(call.state, "DELETE FROM asana_setting WHERE parent = ? AND field = ?", parent["gid"], field):
            raise bad(f"custom_field: Custom field with ID {field} is not on this {kind}.")
        _tell(call, kind, parent, field, "removed")
        return nothing()

    return handler


def _tell(call: Call, kind: str, parent: Row, field: str, action: str) -> None:
    short = events.named(call.state, "custom_field", field)
    change = {"field": "custom_field_settings", "action": action, f"{action}_value": short}
    resource = events.named(call.state, kind, parent["gid"])
    events.record(call.state, me(call), resource, "changed", [parent["gid"]], change=change)
    before, after = (None, short.get("name")) if action == "added" else (short.get("name"), None)
    call.state.changed("asana", str(call.user["name"]), parent["gid"], "custom field setting", before, after)
    if kind == "project":
        tables.update(call.state, "project", parent["gid"], {"modified_at": tables.now(call.state)})


RULES: list[Rule] = [
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/custom_fields", list_fields),
    (("POST",), "/api/1.0/custom_fields", create_field),
    (("GET",), "/api/1.0/custom_fields/{custom_field_gid}", get_field),
    (("PUT",), "/api/1.0/custom_fields/{custom_field_gid}", update_field),
    (("DELETE",), "/api/1.0/custom_fields/{custom_field_gid}", delete_field),
    (("POST",), "/api/1.0/custom_fields/{custom_field_gid}/enum_options", create_option),
    (("PUT",), "/api/1.0/enum_options/{enum_option_gid}", update_option),
    (("GET",), "/api/1.0/projects/{project_gid}/custom_field_settings", list_settings("project")),
    (("POST",), "/api/1.0/projects/{project_gid}/addCustomFieldSetting", add_setting("project")),
    (("POST",), "/api/1.0/projects/{project_gid}/removeCustomFieldSetting", remove_setting("project")),
    (("GET",), "/api/1.0/portfolios/{portfolio_gid}/custom_field_settings", list_settings("portfolio")),
    (("POST",), "/api/1.0/portfolios/{portfolio_gid}/addCustomFieldSetting", add_setting("portfolio")),
    (("POST",), "/api/1.0/portfolios/{portfolio_gid}/removeCustomFieldSetting", remove_setting("portfolio")),
]
