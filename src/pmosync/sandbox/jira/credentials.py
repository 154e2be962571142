"""Signs callers of the Cloud site in: API tokens, scoped tokens, OAuth's access tokens; at the site or the gateway.

It keeps the promise that a scoped or an OAuth token is good only at the gateway and for what its scopes name, and that
a refresh token is good once.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from ..answers import Refused, json_answer
from ..call import Call, Rule
from ..faults import unauthorized
from ..state import State, as_json, from_json
from . import scopes, seed, switches
from .render import GATEWAY
from .tables import milliseconds

CLOUD_ID = "11223344-a1b2-4b33-8444-def123456789"
INACTIVE_MS = 90 * 24 * 3600 * 1000


@dataclass(frozen=True)
class SignedIn:
    """Who calls, or why nobody does."""

    account: dict[str, Any] | None
    denied: Response | None = None


def rules(state: State) -> list[Rule]:
    """The authorization server's part, and what tells the cloud id of a site."""
    return [
        (("POST",), "/oauth/token", _exchange),
        (("GET",), "/oauth/token/accessible-resources", _resources),
        (("GET",), "/_edge/tenant_info", lambda _: json_answer({"cloudId": CLOUD_ID})),
    ]


# -- as a test gives them out -----------------------------------------------------------------------------------------


def add_scoped_token(
    state: State, user: str, token: str, granted: Sequence[str], expires_at: datetime | None = None
) -> None:
    """Let `token` sign in as `user` at the gateway, for these scopes: as Basic, or bearer as service accounts do."""
    _keep(state, token, "scoped", user, granted, "", milliseconds(expires_at) if expires_at else None)


def add_app(
    state: State, user: str, granted: Sequence[str], client_id: str = "client", client_secret: str = "client-secret"
) -> dict[str, Any]:
    """Let an app act as `user`, as if the person had just consented; gives its first pair of tokens."""
    return _pair(state, user, granted, f"{client_id}:{client_secret}")


def _keep(
    state: State, token: str, kind: str, user: str, granted: Sequence[str], client: str, expires_ms: int | None
) -> None:
    if seed.user_document(state, user) is None:
        raise KeyError(f"no Jira user {user}: add_user first")
    sql = "INSERT OR REPLACE INTO jira_credential VALUES (?, ?, ?, ?, ?, ?, NULL)"
    state.db.execute(sql, (token, kind, user, as_json(list(granted)), client, expires_ms))


def _pair(state: State, user: str, granted: Sequence[str], client: str) -> dict[str, Any]:
    now, lives_s = milliseconds(state.now()), int(switches.get(state, "access_token_s"))
    access, refresh = f"access-{secrets.token_hex(12)}", f"refresh-{secrets.token_hex(12)}"
    _keep(state, access, "access", user, granted, client, now + lives_s * 1000)
    _keep(state, refresh, "refresh", user, granted, client, now + INACTIVE_MS)
    return {
        "access_token": access, "refresh_token": refresh, "expires_in": lives_s, "token_type": "Bearer",
        "scope": " ".join(granted),
    }  # fmt: skip


# -- signing in -------------------------------------------------------------------------------------------------------


def enter(request: Request) -> Request:
    """A request as the site sees it: one to the gateway without the gateway's part of the path."""
    parts = request.path.split("/", 4)
    if parts[1:3] != ["ex", "jira"] or len(parts) < 5:
        return request
    environ = dict(request.environ) | {"PATH_INFO": f"/{parts[4]}", GATEWAY: f"/ex/jira/{parts[3]}"}
    return Request(environ)


def sign_in(state: State, request: Request, template: str, usual: dict[str, Any] | None) -> SignedIn:
    """Who makes a call; `usual` is the account that the site's own API tokens make it."""
    gateway = str(request.environ.get(GATEWAY, ""))
    if gateway and not gateway.endswith(f"/{CLOUD_ID}"):
        message = "The requested cloud id does not exist or you have no access to it."
        return SignedIn(None, json_answer({"code": 404, "message": message}, 404))
    scheme, token, email = _given(request)
    row = state.row("SELECT * FROM jira_credential WHERE token = ? AND kind != 'refresh'", (token,))
    if row is None:
        return SignedIn(usual, None if usual else _unknown(gateway))
    document = seed.user_document(state, row["account_id"]) or {}
    account = {"id": row["account_id"], "name": document.get("displayName"), "email": document.get("emailAddress")}
    wrong_way = scheme == "basic" and (
        row["kind"] == "access" or str(document.get("emailAddress")).lower() != email.lower()
    )
    expired = row["expires_ms"] is not None and milliseconds(state.now()) >= row["expires_ms"]
    if not gateway or wrong_way or expired:
        return SignedIn(None, _unknown(gateway))
    if not scopes.suffice(from_json(row["scopes"]), request.method, template):
        body = {"code": 401, "message": "Unauthorized; scope does not match"}
        return SignedIn(None, json_answer(body, 401))
    return SignedIn(account | {"app": row["kind"] == "access"})


def _given(request: Request) -> tuple[str, str, str]:
    """The scheme, the token and the address of a request's Authorization header."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return scheme.lower(), given.strip(), ""
    try:
        email, _, token = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "basic", "", ""
    return "basic", token, email


def _unknown(gateway: str) -> Response:
    """The answer to unknown credentials: the gateway has its own."""
    return json_answer({"code": 401, "message": "Unauthorized"}, 401) if gateway else unauthorized("jira")


# -- the authorization server -----------------------------------------------------------------------------------------


def _exchange(call: Call) -> Response:
    """Give a new pair of tokens for a refresh token, which is spent by it."""
    given = call.body if isinstance(call.body, dict) else {}
    if given.get("grant_type") != "refresh_token":
        raise Refused(400, _problem("unsupported_grant_type", "This sandbox exchanges refresh tokens only."))
    state, token = call.state, str(given.get("refresh_token"))
    row = state.row("SELECT * FROM jira_credential WHERE token = ? AND kind = 'refresh'", (token,))
    now = milliseconds(state.now())
    leeway_ms = float(switches.get(state, "refresh_leeway_s")) * 1000
    if row is None or now >= row["expires_ms"] or (row["spent_ms"] is not None and now >= row["spent_ms"] + leeway_ms):
        raise Refused(403, _problem("invalid_grant", "Unknown or invalid refresh token."))
    if row["client"] != f"{given.get('client_id')}:{given.get('client_secret')}":
        raise Refused(401, _problem("access_denied", "Unauthorized"))
    if row["spent_ms"] is None:
        state.db.execute("UPDATE jira_credential SET spent_ms = ? WHERE token = ?", (now, token))
    return json_answer(_pair(state, row["account_id"], from_json(row["scopes"]), row["client"]))


def _problem(name: str, description: str) -> dict[str, str]:
    return {"error": name, "error_description": description}


def _resources(call: Call) -> Response:
    """The sites that an access token is good for."""
    _, token, _ = _given(call.request)
    row = call.state.row("SELECT * FROM jira_credential WHERE token = ? AND kind = 'access'", (token,))
    if row is None or milliseconds(call.state.now()) >= row["expires_ms"]:
        raise Refused(401, {"code": 401, "message": "Unauthorized"})
    host = call.request.host_url.rstrip("/")
    granted = [one for one in from_json(row["scopes"]) if one != "offline_access"]
    site = {"id": CLOUD_ID, "url": host, "name": "sandbox", "scopes": granted, "avatarUrl": f"{host}/avatar.png"}
    return json_answer([site])
