"""Brings the tasks that changed, as they are now: those that streams named, and those that a sweep by time came upon.

It keeps the promise that a task which does not answer is gone only when the project that named it does answer, and
that a sweep asks for little: which tasks differ is told by their versions, and only those are read whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Known, Record
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked
from .crawl import Crawler, Tree
from .streams import Told

Json = dict[str, Any]


@dataclass(slots=True)
class Swept:
    """What sweeps by time came upon."""

    changed: dict[str, set[str]] = field(default_factory=dict)
    """Tasks that differ from what is stored, with the projects that listed them."""
    new: set[str] = field(default_factory=set)
    """Those of them that are not stored at all."""
    troubled: dict[str, str] = field(default_factory=dict)
    """Projects whose sweep failed, and why."""


@dataclass(slots=True)
class Fetched:
    """Tasks as they are now, gone, or not readable."""

    records: list[Record] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    troubled: dict[str, str] = field(default_factory=dict)
    """Projects that could not be read after all, and why."""
    over: set[str] = field(default_factory=set)
    """Projects that lost a task out of our sight: what hung under it can only be told from the whole project."""


# --- sweeps ---------------------------------------------------------------------------------------------------------


def sweep_projects(api: Api, since: Mapping[str, dt.datetime], known: Known) -> Swept:
    """The tasks of projects that changed since a moment. Asana leaves out subtasks, and what is there no more."""
    asked = [_asked(at, decode.VERSION_FIELDS, project=gid) for gid, at in since.items()]
    return _differing(list(since), api.lists(asked), known)


def sweep_people(crawler: Crawler, workspace: str, people: Sequence[str], since: dt.datetime, known: Known) -> Swept:
    """The tasks of people that changed since a moment, subtasks among them, as far as they are or were in scope."""
    asked = [
        _asked(since, f"{decode.VERSION_FIELDS},{decode.CHAIN}", assignee=gid, workspace=workspace) for gid in people
    ]
    lists = (_in_scope(crawler, found, known) for found in crawler.api.lists(asked))
    swept = _differing(people, lists, known)
    return Swept({gid: set() for gid in swept.changed}, swept.new)


def _in_scope(
    crawler: Crawler, found: list[Json] | Refused | Unreadable, known: Known
) -> list[Json] | Refused | Unreadable:
    """Those tasks that are in our projects, may be, or were."""
    if not isinstance(found, list):
        return found
    stored = known("task", [task["gid"] for task in found]) if found else {}

    def ours(task: Json) -> bool:
        projects, whole = decode.chain_gids(task)
        return not whole or bool(crawler.ours(projects)) or task["gid"] in stored

    return [task for task in found if ours(task)]


def _asked(since: dt.datetime, fields: str, **query: str) -> Asked:
    moment = since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return Asked("/tasks", fields, PAGE, {**query, "modified_since": moment})


def _differing(names: Sequence[str], lists: Iterator[list[Json] | Refused | Unreadable], known: Known) -> Swept:
    swept = Swept()
    listed: dict[str, Json] = {}
    by_task: dict[str, set[str]] = {}
    for name, found in zip(names, lists, strict=True):
        if not isinstance(found, list):
            swept.troubled[name] = str(found)
            continue
        for task in found:
            listed[task["gid"]] = task
            by_task.setdefault(task["gid"], set()).add(name)
    stored = known("task", list(listed)) if listed else {}
    swept.changed = {
        gid: by_task[gid]
        for gid, task in listed.items()
        if not stored.get(gid, "").startswith(f"{decode.version(task)} ") and not task.get("is_rendered_as_separator")
    }
    swept.new = swept.changed.keys() - stored.keys()
    return swept


# --- fetching -------------------------------------------------------------------------------------------------------


def fetch(crawler: Crawler, heard: Sequence[Told], swept: Sequence[Swept]) -> Fetched:
    """What streams named and sweeps came upon, as it is now."""
    result = Fetched()
    by_task: dict[str, set[str]] = {}
    for told in heard:
        for gid in told.changed:
            by_task.setdefault(gid, set()).update([told.project] if told.project else ())
    named = set(by_task)
    for found in swept:
        for gid, projects in found.changed.items():
            by_task.setdefault(gid, set()).update(projects)
    moved = {gid for told in heard for gid in told.moved} | {gid for found in swept for gid in found.new}
    seen: set[str] = set()
    heads = [
        (task, gid in moved, Tree(roots=[(task, scopes)], seen=seen))
        for gid, task, scopes in _now(crawler, by_task, named, result)
    ]
    crawler.grow([tree for _, deep, tree in heads if deep])  # what moved takes its subtasks along
    for task, deep, tree in heads:
        if not deep:
            crawler.leaf(task, tree.roots[0][1], tree)
        elif tree.why:
            result.troubled.update(dict.fromkeys(by_task[task["gid"]], tree.why))
        result.records += tree.records
        result.gone |= set(tree.left)
    for gid in result.gone & moved:
        result.over |= by_task.get(gid, set())
    result.gone |= {gid for told in heard for gid in told.deleted} - by_task.keys()
    result.gone -= {record.id for record in result.records}
    return result


def _now(
    crawler: Crawler, by_task: Mapping[str, set[str]], named: Collection[str], result: Fetched
) -> Iterator[tuple[str, Json, set[str]]]:
    """Each task as it is now, with its scopes: its projects, its parents', and, where the answer does not reach the
    root, those that named it."""
    silent: dict[str, Refused] = {}
    for gid, task in crawler.lines(by_task, crawler.changed_fields).items():
        if isinstance(task, Refused):
            silent[gid] = task
            continue
        projects, whole = decode.chain_gids(task)
        if whole or by_task[gid]:  # else nobody says where it is: the next whole pull will
            yield gid, task, crawler.ours(projects if whole else projects | by_task[gid])
    _judge_silent(crawler, {gid: refusal for gid, refusal in silent.items() if gid in named}, by_task, result)


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
            result.troubled.update(dict.fromkeys(by_task[gid] or [""], str(refusal)))
        elif not by_task[gid] & result.troubled.keys():
            result.gone.add(gid)
