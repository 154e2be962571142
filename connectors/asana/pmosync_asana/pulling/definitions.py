"""Watches the definitions of the custom fields that are read: no task tells that an option of one was renamed.

It keeps the promise that a definition which cannot be read is no change.
"""

from __future__ import annotations

from pmosync.contract import Scope, canonical
from pmosync.errors import Refused

from ..api import Api, Asked, one
from ..decode import fields

WATCHED = fields("name,type,resource_subtype,representation_type,enum_options.(gid|name|enabled)")


def read(api: Api, scope: Scope) -> dict[str, str]:
    """The definitions of the custom fields in scope, by gid; a field that does not answer is left out."""
    gids = sorted({name for name in (*scope.fields, *scope.project_fields) if name.isdigit()})
    answers = api.each(Asked(f"/custom_fields/{gid}", WATCHED) for gid in gids)
    return {gid: canonical(one(body)) for gid, body in zip(gids, answers, strict=True) if not isinstance(body, Refused)}
