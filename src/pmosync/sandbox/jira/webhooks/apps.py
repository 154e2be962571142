"""Says which accounts of the Jira site are apps: only these register webhooks that live for 30 days.

It keeps the promise that an account is an ordinary one until it is marked, as anybody's API token is on Cloud.
"""

from __future__ import annotations

from typing import Any

from ...answers import Refused
from ...call import Call
from ...state import State
from .. import seed
from ..access import refusal
from . import tables

KINDS = ("oauth", "connect")
NO_APP = "The caller is not an app: only Connect and OAuth 2.0 apps can use this operation."


def mark_app(state: State, account_id: str, kind: str = "oauth", secret: str | None = None) -> None:
    """Make an account one of an app, as if every token of it had been given to an OAuth (or Connect) app.

    With `secret`, the app's own, each webhook it is sent carries a JSON web token that is signed with it.
    """
    if kind not in KINDS:
        raise ValueError(f"an app is of the kind {' or '.join(KINDS)}, not {kind!r}")
    if seed.user_document(state, account_id) is None:
        raise KeyError(f"no Jira user {account_id}: add_user first")
    tables.prepare(state)
    state.db.execute("INSERT OR REPLACE INTO jira_app VALUES (?, ?, ?)", (account_id, kind, secret))


def calling(call: Call, *, kinds: tuple[str, ...] = KINDS) -> str:
    """The app that makes a call, or the refusal of whoever is none."""
    row = _app(call)
    if row is None or row["kind"] not in kinds:
        raise Refused(403, refusal(NO_APP))
    return str(row["account_id"])


def secret_of(call: Call) -> str | None:
    """The secret that the calling app shares with the site."""
    row = call.state.row("SELECT secret FROM jira_app WHERE account_id = ?", (call.user["id"],))
    if row:
        return str(row["secret"]) if row["secret"] else None
    sql = "SELECT client FROM jira_credential WHERE account_id = ? AND kind = 'access' ORDER BY rowid DESC"
    found = call.state.row(sql, (call.user["id"],))
    return str(found["client"]).partition(":")[2] or None if found else None


def _app(call: Call) -> dict[str, Any] | None:
    if call.user.get("app"):
        return {"account_id": call.user["id"], "kind": "oauth"}
    return call.state.row("SELECT * FROM jira_app WHERE account_id = ?", (call.user["id"],))
