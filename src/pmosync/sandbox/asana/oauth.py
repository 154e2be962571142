"""Lets an app of the sandbox's Asana sign in: an access token for an hour, for a refresh token that stays as it is.

It keeps the promise that an access token which ended, or whose app was taken its leave, signs nobody in.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.state import State, as_json, from_json

PATH = "/-/oauth_token"
LASTS_S = 3600
SCHEMA = """
CREATE TABLE IF NOT EXISTS asana_app (refresh TEXT PRIMARY KEY, client TEXT, account TEXT, rotates INTEGER);
CREATE TABLE IF NOT EXISTS asana_access (token TEXT PRIMARY KEY, refresh TEXT, ends TEXT);
"""


def rules(state: State) -> list[Rule]:
    """The authorization server's part."""
    state.define(SCHEMA)
    state.leave_out("asana_access")
    return [(("POST",), PATH, _exchange)]


def add_app(
    state: State,
    token: str,
    refresh: str = "refresh",
    client_id: str = "client",
    client_secret: str = "client-secret",
    *,
    rotates: bool = False,
) -> None:
    """Let an app act as the account of `token`, as if that person had just consented.

    `rotates`: each exchange gives another refresh token, as Asana does not do today.
    """
    account = state.account("asana", token)
    if account is None:
        raise ValueError(f"no Asana account with the token {token}")
    row = {
        "refresh": refresh,
        "client": f"{client_id}:{client_secret}",
        "account": as_json(account),
        "rotates": int(rotates),
    }
    state.db.table("asana_app").insert(row)


def account(state: State, token: str) -> dict[str, Any] | None:
    """Whom an access token signs in."""
    sql = "SELECT account, ends FROM asana_access JOIN asana_app USING (refresh) WHERE token = ?"
    row = state.row(sql, (token,))
    if row is None or state.now() >= datetime.fromisoformat(row["ends"]):
        return None
    found: dict[str, Any] = from_json(row["account"])
    return found


def _exchange(call: Call) -> Response:
    """Give an access token for a refresh token; the form is the one of RFC 6749, JSON is not taken."""
    given, state = call.request.form, call.state
    if given.get("grant_type") != "refresh_token":
        return _problem("unsupported_grant_type", "This sandbox exchanges refresh tokens only.")
    row = state.row("SELECT * FROM asana_app WHERE refresh = ?", (given.get("refresh_token", ""),))
    if row is None:
        return _problem("invalid_grant", "The refresh token is unknown, or the app's leave was taken back.")
    if row["client"] != f"{given.get('client_id')}:{given.get('client_secret')}":
        return _problem("invalid_client", "The client_id or the client_secret is wrong.", 401)
    access, refresh = f"access-{secrets.token_hex(12)}", row["refresh"]
    if row["rotates"]:
        refresh = f"refresh-{secrets.token_hex(12)}"
        state.db.execute("UPDATE asana_app SET refresh = ? WHERE refresh = ?", (refresh, row["refresh"]))
    ends = state.now() + timedelta(seconds=LASTS_S)
    state.db.table("asana_access").insert({"token": access, "refresh": refresh, "ends": ends.isoformat()})
    told = {"access_token": access, "token_type": "bearer", "expires_in": LASTS_S, "data": from_json(row["account"])}
    return json_answer(told | ({"refresh_token": refresh} if row["rotates"] else {}))


def _problem(name: str, description: str, status: int = 400) -> Response:
    return json_answer({"error": name, "error_description": description}, status)
