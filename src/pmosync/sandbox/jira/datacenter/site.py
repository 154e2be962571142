"""Serves what a Data Center site says about itself: server, account, fields, users, permissions.

It keeps the promise that people are found by name, key and address only, as this API finds them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from werkzeug.wrappers import Response

from ...answers import Refused
from ...call import Call, Handler, Rule
from .. import access, seed, switches
from ..access import refusal
from ..tables import SITE, milliseconds, stamp
from . import fields, people, shapes
from .reuse import API, Cloud, in_shape

OLD_NAMES = {
    "BROWSE": "BROWSE_PROJECTS", "CREATE_ISSUE": "CREATE_ISSUES", "EDIT_ISSUE": "EDIT_ISSUES",
    "DELETE_ISSUE": "DELETE_ISSUES", "LINK_ISSUE": "LINK_ISSUES", "COMMENT_ISSUE": "ADD_COMMENTS",
    "ASSIGN_ISSUE": "ASSIGN_ISSUES", "PROJECT_ADMIN": "ADMINISTER_PROJECTS",
}  # fmt: skip
BUILT_AT = datetime(2025, 11, 3, tzinfo=UTC)
MOST_USERS = 1000
STREAMED = 2000


def rules(cloud: Cloud) -> list[Rule]:
    """The site's own part of the API."""
    found: list[Rule] = [
        (("GET",), f"{API}/serverInfo", _server_info),
        (("GET",), f"{API}/myself", _myself),
        (("GET",), f"{API}/field", _fields),
        (("GET",), f"{API}/user", _user),
        (("GET",), f"{API}/user/search", _find_users),
        (("GET",), f"{API}/user/list", _list_users),
    ]
    permissions = cloud.handler("GET", "/mypermissions")
    if permissions:
        found.append((("GET",), f"{API}/mypermissions", _my_permissions(permissions)))
    return found


def _server_info(call: Call) -> Response:
    version = str(switches.get(call.state, "version"))
    numbers = [int(part) for part in version.split(".") if part.isdigit()]
    body = {
        "baseUrl": SITE,
        "version": version,
        "versionNumbers": numbers,
        "deploymentType": "Server",
        "buildNumber": 10_000_000 + numbers[0] * 10_000 + sum(numbers[1:]),
        "buildDate": stamp(milliseconds(BUILT_AT)),
        "databaseBuildNumber": 10_000_000 + numbers[0] * 10_000 + sum(numbers[1:]),
        "serverTime": stamp(milliseconds(call.state.now())),
        "scmInfo": "0" * 40,
        "serverTitle": "Jira",
    }
    return shapes.answer(call, body)


def _myself(call: Call) -> Response:
    found = people.shown(seed.user_document(call.state, call.user["id"]) or {"accountId": call.user["id"]})
    extra = {
        "deleted": False,
        "locale": "en_GB",
        "groups": {"size": 1, "items": []},
        "applicationRoles": {"size": 1, "items": []},
        "expand": "groups,applicationRoles",
    }
    return shapes.answer(call, found | extra)


def _fields(call: Call) -> Response:
    return shapes.answer(call, fields.listed(call.state))


# -- users ------------------------------------------------------------------------------------------------------------


def _user(call: Call) -> Response:
    by = "key" if "key" in call.query else "name"
    wanted = call.query.get("key") or call.query.get("username")
    if not wanted:
        raise Refused(400, refusal("Either the 'username' or the 'key' query parameters need to be provided"))
    account_id = people.account_called(call.state, wanted, by=(by,))
    if account_id is None:
        what = "key" if by == "key" else "username"
        raise Refused(404, refusal(f"The user with the {what} '{wanted}' does not exist"))
    return shapes.answer(call, people.shown(seed.user_document(call.state, account_id) or {}))


def _find_users(call: Call) -> Response:
    """Users whose name, address or any word of their displayed name begins with, or contains, what is asked."""
    wanted = call.query.get("username", "").lower()
    if not wanted:
        raise Refused(400, refusal("The username query parameter was not provided"))
    start, size = access.page_asked(call, 50, MOST_USERS)
    given = {True: call.query.get("includeActive", "true"), False: call.query.get("includeInactive", "false")}
    kept = {active for active, text in given.items() if text.lower() == "true"}
    everybody = [people.shown(user) for _, user in people.everybody(call.state)]
    found = [
        user
        for user in everybody
        if user["active"] in kept
        and any(wanted in str(user.get(name, "")).lower() for name in ("name", "displayName", "emailAddress"))
    ]
    found.sort(key=lambda user: str(user["displayName"]).lower())
    return shapes.answer(call, found[start : start + size])


def _list_users(call: Call) -> Response:
    """All users as a stream: a cursor leads from page to page, and nobody says how many there are."""
    cursor, size = call.query.get("cursor", "0"), call.query.get("maxResults", str(STREAMED))
    if not size.isdigit() or not 0 < int(size) <= STREAMED:
        raise Refused(400, refusal(f"maxResults must be between 1 and {STREAMED}."))
    after = int(cursor) if cursor.isdigit() else 0
    sql = "SELECT rowid AS place, document FROM jira_user WHERE rowid > ? ORDER BY rowid LIMIT ?"
    rows = call.state.rows(sql, (after, int(size) + 1))
    page, last = rows[: int(size)], len(rows) <= int(size)
    address = f"{SITE}{API}/user/list?maxResults={size}"
    body: dict[str, Any] = {
        "self": address + (f"&cursor={cursor}" if after else ""), "maxResults": int(size), "isLast": last,
        "values": [people.shown(orjson.loads(row["document"])) for row in page],
    }  # fmt: skip
    if not last:
        body |= {"nextCursor": str(page[-1]["place"]), "nextPage": f"{address}&cursor={page[-1]['place']}"}
    return shapes.answer(call, body)


# -- permissions ------------------------------------------------------------------------------------------------------


def _my_permissions(cloud: Handler) -> Handler:
    """All permissions there are, asked for or not, some under their old names too."""

    def handle(call: Call) -> Response:
        names = (*access.PROJECT_PERMISSIONS, *access.GLOBAL_PERMISSIONS)
        found = cloud(replace(call, query=call.query | {"permissions": ",".join(names)}))
        body = orjson.loads(found.get_data())
        known = body["permissions"]
        for old, name in OLD_NAMES.items():
            known[old] = known[name] | {"key": old, "deprecatedKey": True}
        found.set_data(orjson.dumps(body))
        return in_shape(call, found)

    return handle
