"""Finds out what became of tasks that were in scope and that no list of a whole pull had.

It keeps the promise that a task is said to have moved only when Asana shows every project on its line of parents.

| Asana says                                              | so it is                                                 |
|---------------------------------------------------------|----------------------------------------------------------|
| not found, or no access                                 | `hidden`: deleted and out of our sight look the same     |
| it is in a project in scope                             | `there`: the list that was read did not have it          |
| all its projects are archived                           | `archived`                                               |
| it is in other projects, or in none                     | `moved`                                                  |
| it has a parent that is out of our sight                | `hidden`                                                 |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pmosync.contract import Fallen, Scope
from pmosync.errors import Refused

from .. import decode
from ..api import Api
from ..listing import listing
from .crawl import Crawler

Json = dict[str, Any]
FIELDS = ",".join(f"{path},{path.removesuffix('.gid')}.archived" for path in decode.CHAIN.split(","))


def whereabouts(api: Api, scope: Scope, tasks: Sequence[str]) -> dict[str, Fallen]:
    """What became of each of these tasks."""
    lines = Crawler(api, (), {}).lines(tasks, f"is_rendered_as_separator,{FIELDS}")
    found: dict[str, Fallen] = {gid: "hidden" for gid, task in lines.items() if isinstance(task, Refused)}
    shown = {gid: task for gid, task in lines.items() if not isinstance(task, Refused)}
    in_scope = set(listing(api, api.me()[1], scope, "name").gids()) if shown else set()
    return found | {gid: _fallen(task, in_scope) for gid, task in shown.items()}


def _fallen(task: Json, in_scope: set[str]) -> Fallen:
    projects, whole = decode.chain_gids(task)
    if projects & in_scope and not task.get("is_rendered_as_separator"):
        return "there"
    if not whole:
        return "hidden"
    if projects and all(_archived(task)):
        return "archived"
    return "moved"


def _archived(task: Json | None) -> list[bool]:
    """Whether each project on the line of a task is archived."""
    found = []
    while task:
        places = [(place or {}).get("project") or {} for place in task.get("memberships") or ()]
        found += [bool(place.get("archived")) for place in places]
        task = task.get("parent")
    return found
