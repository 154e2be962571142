"""Serves the webhooks that administrators register, which never end: of Cloud, of Data Center, and its older path.

It keeps the promise that a secret is taken and never shown, and that Data Center 10 looks for the JQL and the secret
only where it does: in the configuration; elsewhere in a request they are overlooked, as administrators have found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused, empty_answer
from ...call import Call, Handler, Rule
from .. import access, render, seed, switches
from ..access import refusal
from ..datacenter.door import problem_body
from ..tables import SITE, milliseconds
from . import filters, sending, tables
from .tables import Row

OLD = "/rest/webhooks/1.0/webhook"
NEW = "/rest/jira-webhook/1.0/webhooks"
SECTION = "issue-related-events-section"


@dataclass(frozen=True)
class Shape:
    """One of the two forms in which webhooks are asked for and shown."""

    path: str
    show: Callable[[Call, Row], Row]
    read: Callable[[Row], Row]


def cloud_rules() -> list[Rule]:
    """The path of Cloud."""
    return _rules(Shape(OLD, _show_old, _read_old))


def data_center_rules() -> list[Rule]:
    """Both paths of Data Center: which of them answers is a switch, because servers differ."""
    shapes = {"old": Shape(OLD, _show_old, _read_old), "new": Shape(NEW, _show_new, _read_new)}
    return [
        (methods, path, _where_there(kind, handler))
        for kind, shape in shapes.items()
        for methods, path, handler in _rules(shape)
    ]


def _where_there(kind: str, handler: Handler) -> Handler:
    def handle(call: Call) -> Response:
        if switches.get(call.state, "webhook_paths") not in (kind, "both"):
            raise Refused(404, problem_body(404, f"null for uri: {call.request.path}"))
        return handler(call)

    return handle


def _rules(shape: Shape) -> list[Rule]:
    def listed(call: Call) -> Response:
        _need_admin(call)
        return render.answer(call, [shape.show(call, hook) for hook in tables.hooks(call.state, "app IS NULL")])

    def get(call: Call) -> Response:
        return render.answer(call, shape.show(call, _found(call)))

    def create(call: Call) -> Response:
        _need_admin(call)
        row = _checked(call, _blank(call) | shape.read(_given(call)))
        number = tables.insert(call.state, row)
        return render.answer(call, shape.show(call, row | {"id": number}), 201)

    def change(call: Call) -> Response:
        row = _found(call)
        row |= shape.read(_given(call)) | {"updated_ms": milliseconds(call.state.now()), "owner": call.user["id"]}
        tables.update(call.state, row["id"], _checked(call, row))
        return render.answer(call, shape.show(call, row))

    one = f"{shape.path}/{{id}}"
    return [
        (("GET",), shape.path, listed), (("POST",), shape.path, create), (("GET",), one, get), (("PUT",), one, change),
        (("DELETE",), one, _delete),
    ]  # fmt: skip


def _delete(call: Call) -> Response:
    call.state.db.execute("DELETE FROM jira_webhook WHERE id = ?", (_found(call)["id"],))
    return empty_answer()


def _need_admin(call: Call) -> None:
    if not access.is_admin(call.state, call.user["id"]):
        raise Refused(403, refusal("Only administrators of Jira can see and change webhooks."))


def _found(call: Call) -> Row:
    _need_admin(call)
    given = call.args["id"]
    found = tables.hooks(call.state, "app IS NULL AND id = ?", (int(given) if given.isdigit() else -1,))
    if not found:
        raise Refused(404, refusal(f"There is no webhook with the id {given}."))
    return found[0]


def _given(call: Call) -> Row:
    if not isinstance(call.body, dict):
        raise Refused(400, refusal("Invalid request payload. Refer to the REST API documentation and try again."))
    return call.body


def _blank(call: Call) -> Row:
    now = milliseconds(call.state.now())
    return {
        "app": None, "owner": call.user["id"], "name": "", "url": "", "events": [], "jql": "", "exclude_body": 0,
        "secret": None, "enabled": 1, "created_ms": now, "updated_ms": now,
    }  # fmt: skip


def _checked(call: Call, row: Row) -> Row:
    for name in ("name", "url"):
        if not isinstance(row[name], str) or not row[name].strip():
            raise Refused(400, refusal(**{name: f"A webhook needs a {name}."}))
    events = row["events"]
    if not isinstance(events, list) or not events:
        raise Refused(400, refusal(events="A webhook needs at least one event."))
    unknown = [one for one in events if one not in tables.FOR_ADMINS]
    if unknown:
        raise Refused(400, refusal(events=f"There is no event '{unknown[0]}'."))
    sending.loopback(row["url"])
    filters.condition(call.state, call.user["id"], row["jql"])
    return row


# -- the form of Cloud, and of Data Center before 10 ------------------------------------------------------------------


def _read_old(given: Row) -> Row:
    """What a request says; what it leaves out stays, the secret too."""
    found: Row = {name: given[name] for name in ("name", "url", "events") if name in given}
    found |= {"jql": str((given["filters"] or {}).get(SECTION) or "")} if "filters" in given else {}
    found |= {"exclude_body": int(bool(given["excludeBody"]))} if "excludeBody" in given else {}
    found |= {"enabled": int(bool(given["enabled"]))} if "enabled" in given else {}
    return found | ({"secret": given["secret"] or None} if "secret" in given else {})


def _show_old(call: Call, row: Row) -> Row:
    owner = seed.user_document(call.state, row["owner"]) or {}
    return {
        "name": row["name"], "url": row["url"], "excludeBody": bool(row["exclude_body"]),
        "filters": {SECTION: row["jql"]} if row["jql"] else {}, "events": row["events"],
        "enabled": bool(row["enabled"]), "self": f"{SITE}{OLD}/{row['id']}", "lastUpdatedUser": row["owner"],
        "lastUpdatedDisplayName": owner.get("displayName"), "lastUpdated": row["updated_ms"],
        "isSigned": bool(row["secret"]),
    }  # fmt: skip


# -- the form of Data Center from 10 on -------------------------------------------------------------------------------


def _read_new(given: Row) -> Row:
    """What a request says: JQL, secret and the body's absence only in its configuration, all of them texts."""
    found: Row = {name: given[name] for name in ("name", "url", "events") if name in given}
    found |= {"enabled": int(_is_true(given["active"]))} if "active" in given else {}
    configuration = given.get("configuration") or {}
    found |= {"jql": str(configuration["FILTERS"] or "")} if "FILTERS" in configuration else {}
    found |= {"exclude_body": int(_is_true(configuration["EXCLUDE_BODY"]))} if "EXCLUDE_BODY" in configuration else {}
    return found | ({"secret": configuration["SECRET"] or None} if "SECRET" in configuration else {})


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _show_new(call: Call, row: Row) -> Row:
    configuration = {"EXCLUDE_BODY": str(bool(row["exclude_body"])).lower()}
    configuration |= {"FILTERS": row["jql"]} if row["jql"] else {}
    return {
        "id": row["id"], "name": row["name"], "createdDate": row["created_ms"], "updatedDate": row["updated_ms"],
        "events": row["events"], "configuration": configuration, "url": row["url"], "active": bool(row["enabled"]),
        "scopeType": "global", "sslVerificationRequired": True,
    }  # fmt: skip
