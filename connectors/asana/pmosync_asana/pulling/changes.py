"""Finds out what changed since the last pull: one call to each project's stream of events, then the tasks it names.

It keeps the promise that a project's token moves on only when everything it told is stored, that a task which does not
answer is gone only when its project does, and that what we wrote ourselves is no change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Record
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import Asked, many, one, sync_token
from .crawl import TROUBLE, Crawler, Tree

Json = dict[str, Any]

MOVES = ("added", "removed", "undeleted")
"""Actions after which the subtasks may be in other projects than before."""
TIES = ("dependencies", "dependents")


@dataclass(slots=True)
class Told:
    """What the stream of one project told."""

    project: str
    token: str = ""
    start_over: bool = False
    """The token is no longer good (then `token` is a fresh one), or something changed that no single task shows."""
    changed: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    was_swept: bool = False
    swept: Sequence[Json] = ()
    """What a sweep found, as it is now."""
    why: str = ""


@dataclass(slots=True)
class Fetched:
    """The tasks that the streams named: as they are now, gone, or not readable."""

    records: list[Record] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    troubled: dict[str, str] = field(default_factory=dict)
    """Projects that could not be read after all, and why."""
    start_over: set[str] = field(default_factory=set)
    """Projects that lost a task out of our sight: what hung under it can only be told from the whole project."""


def hear(crawler: Crawler, project: str, token: str, me: str, swept_from: dt.datetime | None) -> Told:
    """Read the stream of a project to its end, and sweep it when it is time."""
    told = Told(project, token)
    session = crawler.api.session
    try:
        more = True
        while more:
            query = {"resource": project, "sync": told.token}
            answer = session.call("GET", "/events", params=query, expect=(412,))
            before, told.token = told.token, sync_token(answer.data)
            if answer.status == 412:
                told.start_over = True
                return told
            for event in many(answer.data):
                _take(told, event, me)
            more = bool(answer.data.get("has_more"))
            if more and told.token == before:
                raise Unreadable(f"{session.host}: a stream of events came back to where it was. Try again.")
        if told.start_over:
            told.token = ""
        elif swept_from is not None:
            since = swept_from.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            told.was_swept = True
            told.swept = crawler.api.pages(
                crawler.api.tasks.get_tasks, project=project, modified_since=since, opt_fields=decode.TASK_FIELDS
            )
    except TROUBLE as trouble:
        told.why = str(trouble)
    return told


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
        told.start_over = True  # its name stands on every task in it
    elif kind == "project" and change.get("field") == "custom_field_settings":
        told.start_over = True  # every task has got a field more or less
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


# --- fetching -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Head:
    """A task as it is now, with its scopes; `deep` when its subtasks must be read again as well."""

    task: Json
    scopes: set[str]
    named_by: set[str]
    deep: bool


def fetch(crawler: Crawler, heard: Sequence[Told], known: Mapping[str, str]) -> Fetched:
    """What the streams named, as it is now; `known` holds the stored versions of what was swept."""
    result = Fetched()
    swept = {task["gid"]: (task, told.project) for told in heard for task in told.swept}
    by_task: dict[str, set[str]] = {}
    for told in heard:
        homed = {gid for gid, (task, _) in swept.items() if task.get("parent") and _differs(task, known)}
        for gid in told.changed | (homed & {task["gid"] for task in told.swept}):
            by_task.setdefault(gid, set()).add(told.project)
    moved = {gid for told in heard for gid in told.moved}
    heads = [
        _Head(task, scopes, by_task[task["gid"]], task["gid"] in moved)
        for task, scopes in _now(crawler, by_task, result)
    ]
    heads += [
        _Head(task, crawler.own(task) | crawler.ours([project]), {project}, gid not in known)
        for gid, (task, project) in swept.items()
        if gid not in by_task and not task.get("parent") and _differs(task, known)
    ]
    tree = Tree()
    for head in sorted(heads, key=lambda head: not head.deep):
        _plant(crawler, head, tree, result)
    deleted = {gid for told in heard for gid in told.deleted}
    result.records = tree.records
    for gid in result.gone & moved:
        result.start_over |= by_task[gid]
    result.gone |= set(tree.left) | (deleted - by_task.keys())
    return result


def _differs(task: Json, known: Mapping[str, str]) -> bool:
    return decode.version(task) != known.get(task["gid"])


def _now(crawler: Crawler, by_task: Mapping[str, set[str]], result: Fetched) -> Iterator[tuple[Json, set[str]]]:
    """Each task as it is now, with its scopes: its projects, its parents', and, where the answer does not reach the
    root, those that named it."""
    silent: dict[str, Refused] = {}
    answers = crawler.api.each(Asked(f"/tasks/{gid}", decode.CHANGED_TASK_FIELDS) for gid in by_task)
    for gid, body in zip(by_task, answers, strict=True):
        if isinstance(body, Refused):
            silent[gid] = body
            continue
        task = one(body)
        projects, whole = decode.chain_gids(task)
        yield task, crawler.ours(projects if whole else projects | by_task[gid])
    _judge_silent(crawler, silent, by_task, result)


def _judge_silent(
    crawler: Crawler, silent: Mapping[str, Refused], by_task: Mapping[str, set[str]], result: Fetched
) -> None:
    """A task that is refused is gone only if the projects that named it are readable still."""
    projects = sorted({project for gid in silent for project in by_task[gid]})
    answers = crawler.api.each(Asked(f"/projects/{gid}", "name") for gid in projects)
    for project, body in zip(projects, answers, strict=True):
        if isinstance(body, Refused):
            result.troubled[project] = str(body)
    for gid, refusal in silent.items():
        if refusal.status not in (403, 404):
            result.troubled.update(dict.fromkeys(by_task[gid], str(refusal)))
        elif not by_task[gid] & result.troubled.keys():
            result.gone.add(gid)


def _plant(crawler: Crawler, head: _Head, tree: Tree, result: Fetched) -> None:
    """Add a task to what was fetched; what moved takes its subtasks along."""
    if not head.deep:
        crawler.leaf(head.task, head.scopes, tree)
        return
    try:
        crawler.tree([(head.task, head.scopes)], crawler.api.each, tree)
    except Refused as refusal:
        result.troubled.update(dict.fromkeys(head.named_by, str(refusal)))
