"""Reads whole projects: every task, and subtasks to any depth.

It keeps the promise that the project's sync token is taken before its first page, so that what happens during the
crawl is heard afterwards, and that a project is complete only when every list of it was read to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Record
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import BATCH, PAGE, Api, Asked, chunks, many, next_offset, one, sync_token

Json = dict[str, Any]
Ask = Callable[[Sequence[Asked]], Iterable[Any]]
TROUBLE = (Refused, Unreadable)
"""What makes one project unobserved; anything else is trouble with the whole site."""


@dataclass(frozen=True, slots=True)
class Crawled:
    """One whole project, or why it could not be read."""

    project: str
    token: str = ""
    records: Sequence[Record] = ()
    why: str = ""


@dataclass(slots=True)
class Tree:
    """Subtasks on their way down, each once."""

    records: list[Record] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Tasks that are in none of our projects any more."""
    seen: set[str] = field(default_factory=set)


class Crawler:
    """Reads tasks of the projects in scope."""

    def __init__(self, api: Api, in_scope: Collection[str], pins: Mapping[str, str], tagged: bool = False) -> None:
        self.api, self.in_scope, self.pins, self.tagged = api, set(in_scope), pins, tagged

    def crawl(self, project: str, token: str = "") -> Crawled:
        """A whole project; with a token that was just given, the stream is not asked for another one."""
        try:
            token = token or self.handshake(project)
            found = self.api.pages(self.api.tasks.get_tasks, project=project, opt_fields=decode.TASK_FIELDS)
            inherited = self._inherited([task for task in found if task.get("parent")])
            here = {f"project:{project}"}
            roots = [(task, inherited.get(task["gid"], set()) | self.own(task) | here) for task in found]
            return Crawled(project, token, self.tree(roots, self._serially).records)
        except TROUBLE as trouble:
            return Crawled(project, why=str(trouble))

    def handshake(self, project: str) -> str:
        """A sync token from now on: Asana gives it with a 412."""
        answer = self.api.session.call("GET", "/events", params={"resource": project}, expect=(412,))
        return sync_token(answer.data)

    def _inherited(self, homed: Sequence[Json]) -> dict[str, set[str]]:
        """The scopes of subtasks that are in a project of their own: those of their parents count as well."""
        asked = [Asked(f"/tasks/{task['gid']}", decode.CHAIN) for task in homed]
        scopes: dict[str, set[str]] = {}
        for task, body in zip(homed, self._serially(asked), strict=True):
            if isinstance(body, Refused):
                raise body
            scopes[task["gid"]] = self.ours(decode.chain_gids(one(body))[0])
        return scopes

    def own(self, task: Json) -> set[str]:
        """The scopes of the projects that a task itself is in."""
        return self.ours(decode.project_gids(task))

    def ours(self, projects: Iterable[str]) -> set[str]:
        """The scopes of those projects that we look at."""
        return {f"project:{gid}" for gid in projects if gid in self.in_scope}

    # --- down the tree ----------------------------------------------------------------------------------------------

    def tree(self, roots: Sequence[tuple[Json, set[str]]], ask: Ask, tree: Tree | None = None) -> Tree:
        """Records of tasks with their scopes, and of all their subtasks, which inherit them."""
        tree = tree or Tree()
        level = list(roots)
        while level:
            fresh = [(task, scopes) for task, scopes in level if self.leaf(task, scopes, tree)]
            below = [(task["gid"], scopes) for task, scopes in fresh if task.get("num_subtasks")]
            children = self._children([gid for gid, _ in below], ask)
            level = [
                (child, self.own(child) | scopes)
                for (_, scopes), found in zip(below, children, strict=True)
                for child in found
            ]
        return tree

    def leaf(self, task: Json, scopes: set[str], tree: Tree) -> bool:
        """One task of a tree; tells whether it is seen for the first time."""
        gid = task["gid"]
        if gid in tree.seen:
            return False
        tree.seen.add(gid)
        if not scopes:
            tree.left.append(gid)
        elif not task.get("is_rendered_as_separator"):
            tree.records.append(decode.task(task, scopes, self.pins, self.tagged))
        return True

    def _children(self, parents: Sequence[str], ask: Ask) -> Iterator[list[Json]]:
        asked = [Asked(f"/tasks/{gid}/subtasks", decode.TASK_FIELDS, PAGE) for gid in parents]
        for gid, body in zip(parents, ask(asked), strict=True):
            if isinstance(body, Refused) and body.status == 404:
                yield []  # deleted since its parent was read; the stream will tell
            elif isinstance(body, Refused):
                raise body
            elif next_offset(body, many(body)):
                yield self.api.pages(self.api.tasks.get_subtasks_for_task, gid, opt_fields=decode.TASK_FIELDS)
            else:
                yield many(body)

    def _serially(self, asked: Sequence[Asked]) -> Iterator[Any]:
        """Inside one project: the projects themselves are read in parallel."""
        for some in chunks(asked, BATCH):
            yield from self.api.batch(some)
