"""Listens to Asana's streams of events: one for each project, or one for the whole workspace where that is offered.

It keeps the promise that a stream is read to its end before anything is done about it, and that what we wrote ourselves
is no change. Events come at most once, so what they tell is a reason to look and never a proof.

The stream of a workspace is for service accounts of the plan Enterprise+: https://developers.asana.com/docs/workspace-events
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmosync.errors import Refused, Unreadable

from ..api import Api, Asked, many, sync_token
from .crawl import TROUBLE

Json = dict[str, Any]

MOVES = ("added", "removed", "undeleted")
"""Actions after which the subtasks may be in other projects than before."""
TIES = ("dependencies", "dependents")


@dataclass(slots=True)
class Told:
    """What one stream told."""

    project: str
    """Empty: it is the workspace's."""
    token: str
    expired: bool = False
    """The token was no longer good, and `token` is a fresh one: what it listens to has to be read anew."""
    over: set[str] = field(default_factory=set)
    """Projects in which something changed that no single task shows."""
    changed: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    why: str = ""
    """Why it could not be read to its end."""


def begin(api: Api, workspace: str) -> str:
    """A token for the stream of the whole workspace; empty where that is not offered to this account."""
    try:
        answer = api.session.call("GET", f"/workspaces/{workspace}/events", expect=(412,))
    except Refused:
        return ""
    return sync_token(answer.data)


def of_workspace(api: Api, workspace: str, token: str, me: str) -> Told:
    """The stream of the whole workspace, to its end; without a token when it is no longer offered."""
    told = Told("", token)
    path = f"/workspaces/{workspace}/events"
    try:
        body = api.session.call("GET", path, params={"sync": token}, expect=(412,)).data
        _listen(api, told, path, {}, body, me)
    except Refused:
        told.token, told.expired = "", True
    return told


def of_projects(api: Api, tokens: Mapping[str, str], me: str) -> Iterator[Told]:
    """The streams of projects, ten in a round trip, each to its end."""
    asked = [Asked("/events", query={"resource": gid, "sync": token}, expect=(412,)) for gid, token in tokens.items()]
    for (gid, token), body in zip(tokens.items(), api.each(asked), strict=True):
        told = Told(gid, token)
        if isinstance(body, Refused):
            told.why = str(body)
        else:
            try:
                _listen(api, told, "/events", {"resource": gid}, body, me)
            except TROUBLE as trouble:
                told.why = str(trouble)
        yield told


def _listen(api: Api, told: Told, path: str, query: Mapping[str, str], body: Any, me: str) -> None:
    """Read a stream on from an answer."""
    while True:
        before, told.token = told.token, sync_token(body)
        if "errors" in body:
            told.expired = True
            return
        for event in many(body):
            _take(told, event, me)
        if not body.get("has_more"):
            return
        if told.token == before:
            raise Unreadable(f"{api.session.host}: a stream of events came back to where it was. Try again.")
        body = api.session.call("GET", path, params={**query, "sync": told.token}, expect=(412,)).data


def _take(told: Told, event: Json, me: str) -> None:
    """Note what one event says; our own say nothing new."""
    if (event.get("user") or {}).get("gid") == me:
        return
    thing, action = event.get("resource") or {}, event.get("action")
    parent, change = event.get("parent") or {}, event.get("change") or {}
    kind, gid = thing.get("resource_type"), thing.get("gid")
    if kind == "story" and parent.get("resource_type") == "task":
        told.changed.add(parent["gid"])
    elif kind == "section" and action == "changed":
        # Its name stands on every task in it.
        told.over.add(told.project or (parent["gid"] if parent.get("resource_type") == "project" else ""))
    elif kind == "project" and change.get("field") == "custom_field_settings":
        told.over.add(told.project or str(gid))  # every task has got a field more or less
    elif kind == "task" and gid:
        _take_task(told, gid, str(action), change)


def _take_task(told: Told, gid: str, action: str, change: Json) -> None:
    if action == "deleted":
        told.deleted.add(gid)
        told.changed.discard(gid)
        told.moved.discard(gid)
        return
    told.changed.add(gid)
    if action == "undeleted":
        told.deleted.discard(gid)
    if action in MOVES or change.get("field") == "parent":
        told.moved.add(gid)
    if change.get("field") in TIES:
        others = (change.get(name) or {} for name in ("added_value", "removed_value", "new_value"))
        told.changed.update(other["gid"] for other in others if other.get("resource_type") == "task")
