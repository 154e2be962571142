"""Reads and writes our one link on an issue: a line under the issue's links that leads to the PMO's guidance.

It keeps the promise that nobody is mailed, that there is one such link at most, and that links of others are never
touched. Jira does not show links in bulk: they are read one issue at a time, so only where one of ours can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pmosync.contract import Change, canonical
from pmosync.errors import Refused

from .marks import LINK_ID
from .site import Site

SLOT = "remote_link"
RELATIONSHIP = "PMO"
"""The heading that Jira shows our link under."""


def read_link(site: Site, issue_id: str) -> str | None:
    """What our link on an issue says; None when there is none, or no such issue."""
    answer = site.session.call("GET", path(site, issue_id), params={"globalId": LINK_ID}, expect=(404,))
    return None if answer.status == 404 else _mark(answer.data)


def write_link(site: Site, change: Change) -> str | None:
    """Set or clear our link; returns what stands there then. What is not sent becomes empty, so all of it is sent."""
    if change.after is None:
        site.session.call("DELETE", path(site, change.slot.id), params={"globalId": LINK_ID}, expect=(404,))
        return None
    wanted = orjson.loads(change.after)
    target = {"url": wanted["url"], "title": wanted["title"], "status": {"resolved": False}}
    body = {"globalId": LINK_ID, "relationship": RELATIONSHIP, "object": target}
    site.session.call("POST", path(site, change.slot.id), json=body)
    return canonical(wanted)


def links_of(site: Site, issue_ids: Iterable[str]) -> dict[str, str | None]:
    """What our link on each of these issues says; those that Jira does not let us ask are left out."""

    def ask(issue_id: str) -> tuple[str, str | None, bool]:
        try:
            return issue_id, read_link(site, issue_id), True
        except Refused:
            return issue_id, None, False

    return {issue_id: mark for issue_id, mark, read in site.session.map(ask, issue_ids) if read}


def path(site: Site, issue_id: str) -> str:
    """The path of an issue's links to elsewhere."""
    return f"{site.issue_path(issue_id)}/remotelink"


def _mark(link: Mapping[str, Any] | list[Mapping[str, Any]]) -> str | None:
    """The link as our mark has it. Asked by its global id, Jira gives the one link; a list is searched for it."""
    if isinstance(link, list):
        return next((_mark(one) for one in link if one.get("globalId") == LINK_ID), None)
    target = link.get("object") or {}
    return canonical({"title": str(target.get("title") or ""), "url": str(target.get("url") or "")})
