"""Finds the portfolios that the account can list.

It keeps the promise that a portfolio which cannot be listed is no trouble: Asana lists to people their own portfolios
only, and a scope may name the others by gid.
"""

from __future__ import annotations

from typing import Any

from pmosync.errors import Refused

from ..api import Api, Asked

Json = dict[str, Any]

NOT_ALLOWED = (402, 403, 404)


def portfolios(api: Api, workspace: str) -> list[Json]:
    """The portfolios of the workspace: all for a service account, else those that the account owns."""
    query = {"workspace": workspace}
    try:
        return api.every(Asked("/portfolios", "name", query=query))
    except Refused as refusal:
        if refusal.status == 402:
            return []
    try:  # without an owner only a service account is answered
        return api.every(Asked("/portfolios", "name", query={**query, "owner": "me"}))
    except Refused as refusal:
        if refusal.status not in NOT_ALLOWED:
            raise
        return []
