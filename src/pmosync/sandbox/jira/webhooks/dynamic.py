"""Serves the webhooks that apps register for themselves, which end after 30 days unless they are refreshed.

It keeps the promise that only apps come in, each to its own webhooks, and that of several webhooks in one request each
is registered or refused by itself.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused, empty_answer
from ...call import Call, Rule
from ...state import from_json
from .. import access, render, switches
from ..access import refusal
from ..site import page_of
from ..tables import SITE, milliseconds
from . import apps, filters, sending, tables
from .tables import Row

DAY_MS = 24 * 3600 * 1000
LIFE_MS = 30 * DAY_MS
FAILED_MS = 3 * DAY_MS
PAGE = 100


def cloud_rules() -> list[Rule]:
    """The resource, in every version of the API."""
    return [
        (methods, f"/rest/api/{version}/webhook{path}", handler)
        for version in ("3", "2", "latest")
        for methods, path, handler in (
            (("GET",), "", _all), (("POST",), "", _register), (("DELETE",), "", _delete),
            (("PUT",), "/refresh", _refresh), (("GET",), "/failed", _failed),
        )
    ]  # fmt: skip


def _mine(call: Call, app: str) -> list[Row]:
    """An app's webhooks; those that ended are gone."""
    now = milliseconds(call.state.now())
    return tables.hooks(call.state, "app = ? AND expires_ms > ?", (app, now))


def _show(row: Row) -> Row:
    found = {
        "id": row["id"], "jqlFilter": row["jql"], "events": row["events"], "url": row["url"],
        "expirationDate": row["expires_ms"],
    }  # fmt: skip
    found |= {"fieldIdsFilter": row["field_ids"]} if row["field_ids"] else {}
    return found | ({"issuePropertyKeysFilter": row["property_keys"]} if row["property_keys"] else {})


def _all(call: Call) -> Response:
    found = [_show(row) for row in _mine(call, apps.calling(call))]
    start, size = access.page_asked(call, PAGE, PAGE)
    page = page_of(found[start : start + size], start, size, len(found), f"{SITE}/rest/api/3/webhook")
    return render.answer(call, page)


# -- registering ------------------------------------------------------------------------------------------------------


def _register(call: Call) -> Response:
    app = apps.calling(call)
    given = call.body if isinstance(call.body, dict) else {}
    url, wanted = given.get("url"), given.get("webhooks")
    if not isinstance(url, str) or not isinstance(wanted, list) or not wanted:
        raise Refused(400, refusal("The url and at least one webhook are required."))
    sending.loopback(url)
    mine = _mine(call, app)
    if any(row["url"] != url for row in mine):
        raise Refused(400, refusal(f"Only a single URL per app is allowed to be registered: it is {mine[0]['url']}."))
    room = int(switches.get(call.state, "webhooks_per_app")) - len(mine)
    results: list[Row] = []
    for one in wanted:
        problems = _problems(call, one)
        if not problems and room <= 0:
            problems = ["The maximum number of webhooks for this app has been reached."]
        if problems:
            results.append({"errors": problems})
            continue
        room -= 1
        results.append({"createdWebhookId": tables.insert(call.state, _row(call, app, url, one))})
    return render.answer(call, {"webhookRegistrationResult": results})


def _problems(call: Call, one: Any) -> list[str]:
    """Why a webhook cannot be registered."""
    if not isinstance(one, dict) or not isinstance(one.get("jqlFilter"), str) or not one.get("events"):
        return ["A webhook needs a jqlFilter and at least one event."]
    found = [f"The event {name} is unsupported" for name in one["events"] if name not in tables.FOR_APPS]
    try:
        filters.condition(call.state, call.user["id"], one["jqlFilter"], subset=True)
    except Refused as refused:
        found += refused.body["errorMessages"]
    return found


def _row(call: Call, app: str, url: str, one: Row) -> Row:
    now = milliseconds(call.state.now())
    return {
        "app": app, "owner": call.user["id"], "name": "", "url": url, "events": one["events"], "jql": one["jqlFilter"],
        "exclude_body": 0, "secret": apps.secret_of(call), "enabled": 1, "field_ids": one.get("fieldIdsFilter"),
        "property_keys": one.get("issuePropertyKeysFilter"), "created_ms": now, "updated_ms": now,
        "expires_ms": now + LIFE_MS,
    }  # fmt: skip


# -- keeping and ending -----------------------------------------------------------------------------------------------


def _named(call: Call, app: str) -> list[int]:
    """The ids of a request that are of the app's webhooks; others are overlooked."""
    ids = (call.body if isinstance(call.body, dict) else {}).get("webhookIds")
    if not isinstance(ids, list) or not ids:
        raise Refused(400, refusal("The list of webhook IDs is missing."))
    return [row["id"] for row in _mine(call, app) if row["id"] in ids]


def _refresh(call: Call) -> Response:
    ends_ms = milliseconds(call.state.now()) + LIFE_MS
    for number in _named(call, apps.calling(call)):
        tables.update(call.state, number, {"expires_ms": ends_ms})
    return render.answer(call, {"expirationDate": ends_ms})


def _delete(call: Call) -> Response:
    for number in _named(call, apps.calling(call)):
        call.state.db.execute("DELETE FROM jira_webhook WHERE id = ?", (number,))
    return empty_answer(202)


def _failed(call: Call) -> Response:
    """What could not be delivered in the last 72 hours, oldest first; one instant is never split over two pages."""
    app = apps.calling(call, kinds=("connect",))
    after, size = (call.query.get(name) for name in ("failedAfter" if "failedAfter" in call.query else "after",
                                                     "maxResults"))  # fmt: skip
    if not all(number is None or number.isdigit() for number in (after, size)):
        raise Refused(400, refusal("after and maxResults must be whole numbers."))
    since = max(int(after or 0), milliseconds(call.state.now()) - FAILED_MS)
    sql = (
        "SELECT * FROM jira_webhook_delivery WHERE app = ? AND status = 'failed' AND ended_ms > ? ORDER BY ended_ms, n"
    )
    rows, most = call.state.rows(sql, (app, since)), min(PAGE, int(size or PAGE))
    page = [row for row in rows if row["ended_ms"] <= rows[min(most, len(rows)) - 1]["ended_ms"]]
    values = [
        {"id": row["identifier"], "url": row["url"], "failureTime": row["ended_ms"]}
        | ({"body": row["body"]} if row["body"] else {})
        for row in page
    ]
    body: Row = {"values": values, "maxResults": most}
    if page:
        last = page[-1]["ended_ms"]
        body["next"] = f"{SITE}/rest/api/3/webhook/failed?failedAfter={last}&maxResults={most}"
    return render.answer(call, body)


def wants(hook: Row, event: str, row: Row) -> bool:
    """Whether an app's webhook is for this field or property, where it names some."""
    if event == "jira:issue_updated" and hook["field_ids"]:
        items = from_json(row["items"]) if "items" in row else []
        return any(item.get("fieldId", item["field"]) in hook["field_ids"] for item in items)
    return not (event in tables.PROPERTY and hook["property_keys"]) or row["key"] in hook["property_keys"]
