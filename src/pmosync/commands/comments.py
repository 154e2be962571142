"""Finds the comments that hold commands, with the task that each is on and who may speak for it.

A person is the tool account that wrote the words, never a name; whoever is the assignee or leads the project is so by
the id of an account.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select

from pmosync.contract import Person, Reference, decode
from pmosync.site import Site
from pmosync.store.tables import project, record, task, task_project

READ = "comments"
"""What a mapping reads so that commands are heard."""
_SOME = 5000


@dataclass(frozen=True, slots=True)
class Account:
    """One account of one site."""

    site: str
    id: str

    def __str__(self) -> str:
        return f"{self.site}/{self.id}"


@dataclass(frozen=True, slots=True)
class Said:
    """One comment with commands, and the task that it is on."""

    site: str
    id: str
    """The comment's."""
    by: Account | None
    """None: the tool does not tell."""
    made_at: dt.datetime
    text: str
    rid: str
    """The task's."""
    key: str
    assignee: Account | None
    leads: tuple[Account, ...]

    @property
    def source(self) -> str:
        """What the decisions call it."""
        return f"{self.site}/{self.id}"


def said(connection: Connection, sites: Sequence[Site]) -> Iterator[Said]:
    """Every stored comment with commands, the oldest first, of the sites whose mapping reads them."""
    for source in sites:
        if READ in source.mapping.reads:
            yield from _of_site(connection, source.name)


def _of_site(connection: Connection, name: str) -> Iterator[Said]:
    rows = connection.execute(
        select(record.c.rid, record.c.body).where(record.c.site == name, record.c.kind == "comment", record.c.gone == 0)
    )
    found = [(rid, {key: decode(value) for key, value in orjson.loads(body).items()}) for rid, body in rows]
    on = {values["task"].id for _, values in found if isinstance(values["task"], Reference)}
    tasks = _tasks(connection, name, on)
    leads = _leads(connection, [row.id for row in tasks.values()])
    told = []
    for rid, values in found:
        about, by, made_at = values["task"], values["author"], values["created"]
        row = tasks.get(about.id) if isinstance(about, Reference) else None
        if row is None or not isinstance(made_at, dt.datetime):
            continue  # the task left the scope
        told.append(
            Said(
                site=name,
                id=rid,
                by=Account(name, by.id) if isinstance(by, Person) else None,
                made_at=made_at,
                text=str(values["text"]),
                rid=row.rid,
                key=row.key,
                assignee=Account(name, row.assignee) if row.assignee else None,
                leads=tuple(leads[row.id]),
            )
        )
    yield from sorted(told, key=lambda one: (one.made_at, one.id))


@dataclass(frozen=True, slots=True)
class _Task:
    id: int
    rid: str
    key: str
    assignee: str | None


def _tasks(connection: Connection, name: str, rids: Iterable[str]) -> dict[str, _Task]:
    wanted = sorted(rids)
    found: dict[str, _Task] = {}
    for first in range(0, len(wanted), _SOME):
        rows = connection.execute(
            select(task.c.id, task.c.rid, task.c.key, task.c.assignee).where(
                task.c.site == name, task.c.rid.in_(wanted[first : first + _SOME])
            )
        )
        found.update((row.rid, _Task(row.id, row.rid, row.key, row.assignee)) for row in rows)
    return found


def _leads(connection: Connection, ids: Sequence[int]) -> dict[int, list[Account]]:
    """Who leads the projects that these tasks are in."""
    found: dict[int, list[Account]] = defaultdict(list)
    for first in range(0, len(ids), _SOME):
        rows = connection.execute(
            select(task_project.c.task_id, project.c.site, project.c.lead)
            .join(project, project.c.id == task_project.c.project_id)
            .where(task_project.c.task_id.in_(ids[first : first + _SOME]), project.c.lead.is_not(None))
        )
        for number, name, lead in rows:
            found[number].append(Account(name, lead))
    return found
