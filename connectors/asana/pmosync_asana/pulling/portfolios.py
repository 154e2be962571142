"""Reads whole lists that the official package need not ask for, and finds the portfolios that the account can list.

It keeps the promise that a list is read to its end or not believed, and that a portfolio which cannot be listed is no
trouble: Asana lists to people their own portfolios only, and a scope may name the others by gid.
"""

from __future__ import annotations

from typing import Any

from pmosync.errors import Refused

from ..api import Api, Asked

Json = dict[str, Any]

NOT_ALLOWED = (402, 403, 404)


def every(api: Api, asked: Asked) -> list[Json]:
    """All pages of a list."""
    fields = {"opt_fields": asked.fields} if asked.fields else {}
    return api.pages(lambda query: api.session.call("GET", asked.path, params=query).data, **{**asked.query, **fields})


def portfolios(api: Api, workspace: str) -> list[Json]:
    """The portfolios of the workspace: all for a service account, else those that the account owns."""
    query = {"workspace": workspace}
    try:
        return every(api, Asked("/portfolios", "name", query=query))
    except Refused as refusal:
        if refusal.status == 402:
            return []
    try:  # without an owner only a service account is answered
        return every(api, Asked("/portfolios", "name", query={**query, "owner": "me"}))
    except Refused as refusal:
        if refusal.status not in NOT_ALLOWED:
            raise
        return []
