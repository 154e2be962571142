"""Keeps personal access tokens: whom a token stands for, until when, and the caller's own list of them.

It keeps the promise that a token's text is told only in the answer that creates it.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, time, timedelta
from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused, empty_answer
from ...call import Call, Rule
from ...state import State
from .. import seed
from ..access import refusal
from ..tables import milliseconds, stamp
from . import shapes

PATHS = ("/rest/pat/latest/tokens", "/rest/pat/1.0/tokens")
LISTED = "SELECT rowid AS id, token, json_extract(account, '$.id') AS owner FROM token WHERE tool = 'jira'"


def rules() -> list[Rule]:
    """The resource of personal access tokens, which the official document leaves out."""
    found: list[Rule] = []
    for path in PATHS:
        found += [(("GET",), path, _list), (("POST",), path, _create), (("DELETE",), f"{path}/{{id}}", _revoke)]
    return found


def add(state: State, user: str, token: str, name: str, *, created_at: datetime, expires_at: datetime | None) -> None:
    """Let `token` sign in as the account `user` until it expires; None: for good."""
    seed.add_token(state, user, token)
    end = milliseconds(expires_at) if expires_at else None
    sql = "INSERT OR REPLACE INTO jira_pat (token, name, created_ms, expires_ms) VALUES (?, ?, ?, ?)"
    state.db.execute(sql, (token, name, milliseconds(created_at), end))


def account(state: State, token: str) -> dict[str, Any] | None:
    """The account a token stands for; an expired one stands for nobody, nor does one of somebody who has left."""
    found = state.account("jira", token)
    row = state.row("SELECT expires_ms FROM jira_pat WHERE token = ?", (token,))
    if row and row["expires_ms"] is not None and row["expires_ms"] <= milliseconds(state.now()):
        return None
    user = seed.user_document(state, found["id"]) if found else None
    return found if user and user.get("active", True) else None


def _mine(call: Call) -> list[dict[str, Any]]:
    rows = call.state.rows(f"{LISTED} ORDER BY rowid")
    return [row for row in rows if row["owner"] == call.user["id"]]


def _document(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    about = call.state.row("SELECT * FROM jira_pat WHERE token = ?", (row["token"],)) or {}
    long_ago = milliseconds(datetime.combine(call.state.as_of, time.min, UTC)) - 30 * 86_400_000
    found = {
        "id": row["id"],
        "name": about.get("name", "sandbox"),
        "createdAt": stamp(about.get("created_ms", long_ago)),
    }
    if about.get("expires_ms") is not None:
        found["expiringAt"] = stamp(about["expires_ms"])
    return found


def _list(call: Call) -> Response:
    return shapes.answer(call, [_document(call, row) for row in _mine(call)])


def _create(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    name, days = str(given.get("name") or "").strip(), given.get("expirationDuration")
    if not name or not (days is None or (isinstance(days, int) and days > 0)):
        raise Refused(400, refusal("A token needs a name, and expirationDuration in days greater than 0, or none."))
    now, token = call.state.now(), secrets.token_urlsafe(33)
    add(call.state, call.user["id"], token, name, created_at=now,
        expires_at=now + timedelta(days=days) if days else None)  # fmt: skip
    row = next(one for one in _mine(call) if one["token"] == token)
    return shapes.answer(call, _document(call, row) | {"rawToken": token}, 201)


def _revoke(call: Call) -> Response:
    row = next((one for one in _mine(call) if str(one["id"]) == call.args["id"]), None)
    if row is None:
        raise Refused(404, refusal("There is no such token."))
    call.state.db.execute("DELETE FROM token WHERE tool = 'jira' AND token = ?", (row["token"],))
    call.state.db.execute("DELETE FROM jira_pat WHERE token = ?", (row["token"],))
    return empty_answer()
