"""What is stored of Asana equals what Asana has, though streams lose events, tokens expire and people work on."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from tests.conftest import Sandbox

from pmosync.contract import Record

from .asana_kit import Client, client, pulled, truth

ROUNDS, EDITS = 14, 6
PEOPLE = [f"person-{number}" for number in range(1, 6)]


class Team:
    """People who work in Asana, each time in the same way; what one of them may not do, they leave."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox, self.chance = sandbox, random.Random(seed)
        self.done = 0

    def works(self, edits: int) -> None:
        """Some edits by some people."""
        tables = truth(self.sandbox).tables
        self.tasks = [t for t in tables["asana_task"] if not t["trashed"] and not t["is_separator"]]
        self.projects = [p["gid"] for p in tables["asana_project"]]
        self.sections = tables["asana_section"]
        self.users = [u["gid"] for u in tables["asana_user"]]
        ways: list[Callable[[str], tuple[str, str, Any]]] = [
            self.renames, self.completes, self.assigns, self.moves, self.adds, self.adds_below, self.homes,
            self.takes_out, self.deletes, self.hangs, self.waits, self.comments,
        ]  # fmt: skip
        for _ in range(edits):
            task = self.chance.choice(self.tasks)["gid"]
            method, path, data = self.chance.choice(ways)(task)
            answer = requests.request(
                method,
                f"{self.sandbox.url}/api/1.0/{path}",
                json=None if data is None else {"data": data},
                headers={"Authorization": f"Bearer {self.chance.choice(PEOPLE)}"},
                timeout=30,
            )
            assert answer.status_code < 500, answer.text
            self.done += answer.ok

    def renames(self, task: str) -> tuple[str, str, Any]:
        return "PUT", f"tasks/{task}", {"name": f"Renamed {self.chance.random():.6f}"}

    def completes(self, task: str) -> tuple[str, str, Any]:
        return "PUT", f"tasks/{task}", {"completed": self.chance.random() < 0.7}

    def assigns(self, task: str) -> tuple[str, str, Any]:
        return "PUT", f"tasks/{task}", {"assignee": self.chance.choice([*self.users, None])}

    def moves(self, task: str) -> tuple[str, str, Any]:
        day = dt.date(2026, 12, 1) + dt.timedelta(days=self.chance.randrange(60))
        return "PUT", f"tasks/{task}", {"due_on": day.isoformat()}

    def adds(self, task: str) -> tuple[str, str, Any]:
        return "POST", "tasks", {"name": "Added", "projects": [self.chance.choice(self.projects)]}

    def adds_below(self, task: str) -> tuple[str, str, Any]:
        return "POST", f"tasks/{task}/subtasks", {"name": "Added below", "assignee": self.chance.choice(self.users)}

    def homes(self, task: str) -> tuple[str, str, Any]:
        return "POST", f"tasks/{task}/addProject", {"project": self.chance.choice(self.projects)}

    def takes_out(self, task: str) -> tuple[str, str, Any]:
        return "POST", f"tasks/{task}/removeProject", {"project": self.chance.choice(self.projects)}

    def deletes(self, task: str) -> tuple[str, str, Any]:
        return "DELETE", f"tasks/{task}", None

    def hangs(self, task: str) -> tuple[str, str, Any]:
        return "POST", f"tasks/{task}/setParent", {"parent": self.chance.choice(self.tasks)["gid"]}

    def waits(self, task: str) -> tuple[str, str, Any]:
        return "POST", f"tasks/{task}/addDependencies", {"dependencies": [self.chance.choice(self.tasks)["gid"]]}

    def comments(self, task: str) -> tuple[str, str, Any]:
        return "POST", f"tasks/{task}/stories", {"text": "How is it going?"}


def a_day(sandbox: Sandbox, asana: Client, seed: int) -> Team:
    """People work, and we pull, some times."""
    asana.pull()
    team = Team(sandbox, seed)
    for _ in range(ROUNDS):
        team.works(EDITS)
        sandbox.advance(1200)
        asana.now[0] += dt.timedelta(seconds=1200)
        asana.pull()
    assert team.done > ROUNDS * EDITS / 3
    return team


def living(client: Client, record: Record) -> Record:
    """A task without its links to what is gone."""
    there = client.of("task")
    ties = {
        name: tuple(link for link in record.values[name] if link.other in there)  # type: ignore[union-attr]
        for name in ("dependencies", "dependents")
    }
    return replace(record, values={**record.values, **ties})


def differing(one: Client, other: Client) -> dict[str, Any]:
    """Where two clients do not hold the same of a task.

    Nobody is told that a task which others waited for was deleted: its links lead nowhere then, and count nowhere.
    """
    found = {}
    for gid, record in one.of("task").items():
        record, twin = (living(client, client.of("task")[gid]) for client in (one, other))
        if (record.values, record.marks) != (twin.values, twin.marks):
            names = record.values.keys() | twin.values.keys()
            odd = {
                n: (record.values.get(n), twin.values.get(n))
                for n in names
                if record.values.get(n) != twin.values.get(n)
            }
            found[gid] = odd or (record, twin)
    return found


def same(asana: Client, sandbox: Sandbox) -> None:
    """The store holds what a new pull brings, and that is what the sandbox says itself."""
    fresh = client(sandbox)
    fresh.pull()
    assert pulled(asana) == pulled(fresh) == truth(sandbox).scopes()
    assert differing(asana, fresh) == {}
    assert asana.of("project") == fresh.of("project")
    assert not asana.unobserved


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["projects", "workspace"])
def test_with_streams_that_tell_everything_the_store_is_the_truth_after_every_sync(
    sandbox: Sandbox, stream: str
) -> None:
    sandbox.control("POST", "switches", {"asana": {"service_account": "yes" if stream == "workspace" else "no"}})
    asana = client(sandbox, repair="off")
    a_day(sandbox, asana, 5)
    assert bool(asana.cursor and asana.cursor["stream"]) == (stream == "workspace")
    same(asana, sandbox)


@pytest.mark.parametrize("repair", ["hourly", pytest.param("off", marks=pytest.mark.slow)])
def test_with_lossy_streams_and_expiring_tokens_the_store_is_the_truth_after_the_next_reconcile(
    sandbox: Sandbox, repair: str
) -> None:
    sandbox.control("POST", "switches", {"asana": {"event_loss": "0.3", "event_ttl_s": "3600"}})
    asana = client(sandbox, repair=repair)
    a_day(sandbox, asana, 7)
    before = dict(asana.of("task"))
    asana.pull(full=True)
    assert asana.of("task") != before, "nothing was lost on the way, so nothing was made good"
    same(asana, sandbox)
