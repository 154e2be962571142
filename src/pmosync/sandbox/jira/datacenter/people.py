"""Shows the site's accounts as Data Center has them: a name to sign in with and a key, and no account id.

It keeps the promise that a person keeps name and key for good, whichever mode the site was filled in.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ...state import State, from_json
from ..tables import SITE

AVATARS = ("48x48", "24x24", "16x16", "32x32")


def name_of(user: dict[str, Any]) -> str:
    """The name an account signs in with: the one it came with, else the first part of its address."""
    if user.get("name"):
        return str(user["name"])
    email = user.get("emailAddress")
    return str(email).partition("@")[0] if email else re.sub(r"[^\w.-]", "-", str(user["accountId"]))


def key_of(user: dict[str, Any]) -> str:
    """The key of an account: `JIRAUSER12345`, or its old name for accounts from before there were such keys."""
    if user.get("key"):
        return str(user["key"])
    number = zlib.crc32(str(user["accountId"]).encode())
    return name_of(user) if number % 4 == 0 else f"JIRAUSER{10000 + number % 900000}"


def shown(user: dict[str, Any]) -> dict[str, Any]:
    """An account as Data Center embeds it."""
    name, key = name_of(user), key_of(user)
    small = f"{SITE}/secure/useravatar?ownerId={quote(key)}&avatarId=10334&size="
    found = {
        "self": f"{SITE}/rest/api/2/user?username={quote(name, safe='')}",
        "name": name,
        "key": key,
        "emailAddress": user.get("emailAddress"),
        "avatarUrls": {size: small + size.partition("x")[0] for size in AVATARS},
        "displayName": user.get("displayName") or name,
        "active": bool(user.get("active", True)),
        "timeZone": user.get("timeZone"),
    }
    return {field: value for field, value in found.items() if value is not None}


class People:
    """The accounts of a site, each read once for a request."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[str, dict[str, Any] | None] = {}

    def shown(self, account_id: str) -> dict[str, Any] | None:
        """An account as embedded, or None when there is none."""
        if account_id not in self._known:
            row = self._state.row("SELECT document FROM jira_user WHERE account_id = ?", (account_id,))
            self._known[account_id] = shown(from_json(row["document"])) if row else None
        return self._known[account_id]


def everybody(state: State) -> list[tuple[str, dict[str, Any]]]:
    """All accounts, each with its id in Cloud's terms, in the order they were added."""
    rows = state.rows("SELECT account_id, document FROM jira_user ORDER BY rowid")
    return [(row["account_id"], from_json(row["document"])) for row in rows]


def account_called(state: State, reference: Any, *, by: tuple[str, ...] = ("name", "key")) -> str | None:
    """The account id of whoever has this name or key; names know no capitals."""
    wanted = str(reference or "").lower()
    readers: dict[str, Callable[[dict[str, Any]], str]] = {
        "name": name_of,
        "key": key_of,
        "emailAddress": lambda user: str(user.get("emailAddress") or ""),
    }
    for account_id, user in everybody(state):
        if wanted and any(readers[one](user).lower() == wanted for one in by):
            return account_id
    return None
