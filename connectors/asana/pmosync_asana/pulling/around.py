"""Brings what is read once with a whole pull beside the projects: people, and portfolios that hold rollups of ours.

It keeps the promise that a list which cannot be read leaves what is known of people and rollups as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pmosync.contract import Batch
from pmosync.errors import Refused

from .. import decode
from ..api import Api, Asked, one
from .extras import NOTHING, Extras, joined


def people(api: Api, workspace: str) -> Batch:
    """Everybody in the workspace; whether somebody is still active stands in another list than the names."""
    try:
        users = api.pages(api.users.get_users, workspace=workspace, opt_fields="name,email")
        memberships = api.pages(
            api.memberships.get_workspace_memberships_for_workspace, workspace, opt_fields=decode.MEMBERSHIP_FIELDS
        )
    except Refused as refusal:
        return Batch(("people",), "unobserved", why=str(refusal))
    by_user = {(one.get("user") or {}).get("gid"): one for one in memberships}
    records = [decode.member(user, by_user.get(user["gid"])) for user in users]
    return Batch(("people",), "complete", records, kinds=("person",), census=[record.id for record in records])


def rollups(api: Api, extras: Extras, pins: Mapping[str, str], gids: Sequence[str]) -> Batch:
    """The portfolios that hold our rollups on themselves."""
    records = []
    found = extras.of_portfolios(gids)
    answers = api.each(Asked(f"/portfolios/{gid}", decode.ROLLUP_FIELDS) for gid in gids)
    for gid, body in zip(gids, answers, strict=True):
        extra = found.get(gid, NOTHING)
        why = str(body) if isinstance(body, Refused) else extra.why
        if why:
            why = f"portfolio {gid} cannot be read ({why}): give the account access, or correct the register"
            return Batch(("rollups",), "unobserved", why=why)
        records.append(joined(decode.rollup(one(body), pins), extra))
    return Batch(("rollups",), "complete", records, kinds=("rollup",), census=gids)
