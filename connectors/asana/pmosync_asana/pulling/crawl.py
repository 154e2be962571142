"""Reads whole projects: every task, and subtasks to any depth.

It keeps the promise that the project's sync token is taken before its first page, so that what happens during the
crawl is heard afterwards, and that a project is complete only when every list of it was read to its end. The lists of
subtasks of several projects travel together, ten in a round trip.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Record
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked, chunks, one, sync_token

Json = dict[str, Any]
PROJECTS_AT_ONCE = 5
"""So many whole projects are held in memory at a time."""
TROUBLE = (Refused, Unreadable)
"""What makes one project unobserved; anything else is trouble with the whole site."""


@dataclass(slots=True)
class Tree:
    """Tasks and what hangs under them, each once: of one project, or from one task on."""

    project: str = ""
    token: str = ""
    roots: list[tuple[Json, set[str]]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Tasks that are in none of our projects any more."""
    why: str = ""
    """Why it could not be read to its end."""
    seen: set[str] = field(default_factory=set)


class Crawler:
    """Reads tasks of the projects in scope."""

    def __init__(
        self,
        api: Api,
        in_scope: Collection[str],
        pins: Mapping[str, str],
        tagged: bool = False,
        also: Collection[str] = (),
    ) -> None:
        self.api, self.in_scope, self.pins, self.tagged = api, set(in_scope), pins, tagged
        self.fields, self.changed_fields = (
            ",".join((asked, *also)) for asked in (decode.TASK_FIELDS, decode.CHANGED_TASK_FIELDS)
        )
        """What is asked of tasks in lists, and of those that changed; `also` is asked of both."""

    def crawl(self, projects: Mapping[str, str | None]) -> Iterator[Tree]:
        """Whole projects, each with the token of its stream; None: it has no token yet, and gets one."""
        for some in chunks(list(projects), PROJECTS_AT_ONCE):
            trees = [Tree(gid, projects[gid] or "") for gid in some]
            self._handshakes([tree for tree in trees if projects[tree.project] is None])
            list(self.api.session.map(self._list, [tree for tree in trees if not tree.why]))
            self._inherit(trees)
            self.grow(trees)
            yield from trees

    def _handshakes(self, trees: Sequence[Tree]) -> None:
        """A sync token from now on: Asana gives it with a 412."""
        asked = [Asked("/events", query={"resource": tree.project}, expect=(412,)) for tree in trees]
        for tree, body in zip(trees, self.api.each(asked), strict=True):
            if isinstance(body, Refused):
                tree.why = str(body)
            else:
                tree.token = sync_token(body)

    def _list(self, tree: Tree) -> None:
        """The tasks that are in the project themselves."""
        try:
            found = self._tasks(tree.project)
        except TROUBLE as trouble:
            tree.why = str(trouble)
        else:
            tree.roots = [(task, self.own(task) | {f"project:{tree.project}"}) for task in found]

    def _tasks(self, project: str) -> list[Json]:
        """One list; where Asana does not bring so many to their end, by section: every task of a project is in one."""
        try:
            return self.api.pages(self.api.tasks.get_tasks, project=project, opt_fields=self.fields)
        except Refused as refusal:
            if refusal.status not in (400, 504):
                raise
        sections = self.api.pages(self.api.sections.get_sections_for_project, project, opt_fields="name")
        found = [
            task
            for section in sections
            for task in self.api.pages(self.api.tasks.get_tasks, section=section["gid"], opt_fields=self.fields)
        ]
        return list({task["gid"]: task for task in found}.values())

    def _inherit(self, trees: Sequence[Tree]) -> None:
        """Subtasks that are in a project of their own are in those of their parents as well."""
        homed = [(tree, task, scopes) for tree in trees for task, scopes in tree.roots if task.get("parent")]
        lines = self.lines([task["gid"] for _, task, _ in homed])
        for tree, task, scopes in homed:
            line = lines[task["gid"]]
            if isinstance(line, Refused):
                tree.why = tree.why or str(line)
            else:
                scopes |= self.ours(decode.chain_gids(line)[0])

    def lines(self, gids: Iterable[str], fields: str = decode.CHAIN) -> dict[str, Json | Refused]:
        """Tasks with their line of parents, however long it is: an answer holds a few, and the rest is asked for."""
        found = self._read(dict.fromkeys(gids), fields)
        above: dict[str, Json | Refused] = {}
        ends = [
            (end, {end["gid"]})
            for task in found.values()
            if not isinstance(task, Refused) and (end := decode.end(task))
        ]
        while ends:
            above |= self._read({end["gid"] for end, _ in ends} - above.keys(), decode.CHAIN)
            further = []
            for at, passed in ends:
                more = above[at["gid"]]
                if isinstance(more, Refused):
                    continue
                at.update({name: more[name] for name in ("memberships", "parent") if name in more})
                end = decode.end(at)
                if end is not None and end["gid"] not in passed:
                    further.append((end, passed | {end["gid"]}))
            ends = further
        return found

    def _read(self, gids: Collection[str], fields: str) -> dict[str, Json | Refused]:
        answers = self.api.each(Asked(f"/tasks/{gid}", fields) for gid in gids)
        return {gid: body if isinstance(body, Refused) else one(body) for gid, body in zip(gids, answers, strict=True)}

    def own(self, task: Json) -> set[str]:
        """The scopes of the projects that a task itself is in."""
        return self.ours(decode.project_gids(task))

    def ours(self, projects: Iterable[str]) -> set[str]:
        """The scopes of those projects that we look at."""
        return {f"project:{gid}" for gid in projects if gid in self.in_scope}

    # --- down the trees ---------------------------------------------------------------------------------------------

    def grow(self, trees: Sequence[Tree]) -> None:
        """Records of the roots of these trees with their scopes, and of all their subtasks, which inherit them."""
        level = [(tree, task, scopes) for tree in trees for task, scopes in tree.roots]
        while level:
            fresh = [(tree, task, scopes) for tree, task, scopes in level if self.leaf(task, scopes, tree)]
            below = [one for one in fresh if one[1].get("num_subtasks") and not one[0].why]
            children = self._children([task["gid"] for _, task, _ in below])
            level = []
            for (tree, _, scopes), found in zip(below, children, strict=True):
                if isinstance(found, str):
                    tree.why = tree.why or found
                else:
                    level += [(tree, child, self.own(child) | scopes) for child in found]

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

    def _children(self, parents: Sequence[str]) -> Iterator[list[Json] | str]:
        """The subtasks of each parent, or why they cannot be read."""
        asked = [Asked(f"/tasks/{gid}/subtasks", self.fields, PAGE) for gid in parents]
        for found in self.api.lists(asked):
            if isinstance(found, Refused) and found.status == 404:
                yield []  # deleted since its parent was read; the stream will tell
            else:
                yield found if isinstance(found, list) else str(found)
