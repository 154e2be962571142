"""Runs asynchronous tasks as Jira does: a call only submits one, and its work is done when it completes, later.

It keeps the promise that nothing of a task is visible before it completes, that it is done for the account that
submitted it, and that it is done once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..answers import Refused
from ..call import Call
from ..state import State, as_json, from_json
from . import access, issues, switches
from .access import refusal
from .tables import milliseconds

Document = dict[str, Any]

KEPT_MS = 14 * 24 * 3600 * 1000
PATIENCE_MS = 60_000
"""A task whose end waits for polls ends after this time all the same: nobody needs to ask for it."""


@dataclass(frozen=True)
class Work:
    """What a task has to do: how it works on some issues, and what it says of them at its end."""

    run: Callable[[Call, Document, list[int]], Document]
    """Given the issues it may work on; gives the failures, by issue id."""
    whole: bool
    """Whether one failure undoes everything."""


WORKS: dict[str, Work] = {}
"""The kinds of work there are, by name; each module that submits tasks adds its own."""


def submit(call: Call, queue: str, work: str, given: Document, numbers: Iterable[int], about: str) -> str:
    """Take a task in and return its id. `numbers` are the issues it works on, `given` what it needs besides."""
    state = call.state
    count = state.tuples("SELECT count(*) FROM jira_task")[0][0]
    task_id = str(10000 + count * 16 + secrets.randbelow(16))
    now = milliseconds(state.now())
    document: Document = {
        "queue": queue, "work": work, "given": given, "issues": list(dict.fromkeys(numbers)), "about": about,
        "owner": call.user, "version_2": call.request.path.startswith(("/rest/api/2/", "/rest/api/latest/")),
        "status": "ENQUEUED", "polls": 0, "created": now, "started": None, "updated": now, "done": [], "failed": {},
        "message": None,
    }  # fmt: skip
    document |= {name: switches.get(state, f"task_{name}") for name in ("seconds", "end", "applied", "failing")}
    document["until_polls"] = switches.get(state, "task_polls")
    if document["until_polls"] == 0 and document["seconds"] == 0:
        _finish(call, document)
    else:
        state.db.execute("INSERT INTO jira_task_open VALUES (?, ?)", (task_id, queue))
    state.db.execute("INSERT INTO jira_task (id, document) VALUES (?, ?)", (task_id, as_json(document)))
    return task_id


def running(state: State, queue: str) -> list[Document]:
    """The tasks of a queue (`bulk` or `task`) that are not at their end."""
    sql = "SELECT document FROM jira_task WHERE id IN (SELECT id FROM jira_task_open WHERE queue = ?)"
    return [from_json(row["document"]) for row in state.rows(sql, (queue,))]


def finish_due(call: Call) -> None:
    """Do the work of every task whose time has come although nobody asked for it."""
    sql = "SELECT * FROM jira_task WHERE id IN (SELECT id FROM jira_task_open) ORDER BY rowid"
    now = milliseconds(call.state.now())
    for row in call.state.rows(sql):
        document = from_json(row["document"])
        least = PATIENCE_MS if document["until_polls"] else 0
        if now - document["created"] >= max(least, document["seconds"] * 1000):
            _finish(call, document)
            _save(call.state, row["id"], document)


def poll(call: Call, queue: str) -> Document:
    """Where the task that the call asks for stands, one step on; or the refusal of one that is not there."""
    task_id = call.args["taskId"]
    row = call.state.row("SELECT document FROM jira_task WHERE id = ?", (task_id,))
    document: Document = from_json(row["document"]) if row else {}
    now = milliseconds(call.state.now())
    if row is None or document["queue"] != queue or now - document["created"] > KEPT_MS:
        raise Refused(404, refusal(f"The task with id {task_id} does not exist."))
    if document["owner"]["id"] != call.user["id"] and not access.is_admin(call.state, call.user["id"]):
        raise Refused(403, refusal("You do not have permission to see this task."))
    if document["status"] not in ("ENQUEUED", "RUNNING"):
        return document
    passed_s = (now - document["created"]) / 1000
    if document["polls"] >= document["until_polls"] and passed_s >= document["seconds"]:
        _finish(call, document)
    else:
        begun = document["polls"] > 0 or (document["until_polls"] == 0 and passed_s >= document["seconds"] / 4)
        document["status"] = "RUNNING" if begun else "ENQUEUED"
        document["started"] = document["started"] or (now if begun else None)
        document["updated"] = now
    document["polls"] += 1
    _save(call.state, task_id, document)
    return document


def percent(document: Document) -> int:
    """How far a task says it is."""
    if document["status"] == "ENQUEUED":
        return 0
    return min(99, 100 * document["polls"] // (document["until_polls"] + 1)) if document["status"] == "RUNNING" else 100


def _save(state: State, task_id: str, document: Document) -> None:
    state.db.execute("UPDATE jira_task SET document = ? WHERE id = ?", (as_json(document), task_id))
    if document["status"] not in ("ENQUEUED", "RUNNING"):
        state.db.execute("DELETE FROM jira_task_open WHERE id = ?", (task_id,))


def _finish(call: Call, document: Document) -> None:
    """Do the work, as far as the switches let it, in the name of the account that asked for it."""
    work = WORKS[document["work"]]
    owner = replace(call, user=document["owner"])
    rows = [issues.find(call.state, str(one)) for one in document["failing"]]
    named = {row["id"] for row in rows if row}
    broken = {number: "The operation failed for this issue." for number in document["issues"] if number in named}
    numbers = [number for number in document["issues"] if number not in broken]
    complete = document["end"] == "COMPLETE"
    if work.whole and (broken or not complete):
        complete, numbers = False, []
        document["message"] = "The task failed and nothing was changed."
    elif not complete:
        numbers = numbers[: int(document["applied"])]
        document["message"] = "The task ended before all issues were processed."
    failed = work.run(owner, document["given"], numbers)
    now = milliseconds(call.state.now())
    document["status"] = "COMPLETE" if complete else document["end"] if document["end"] != "COMPLETE" else "FAILED"
    document["failed"] = {str(number): [why] for number, why in (broken if complete else {}).items()} | failed
    document["done"] = [number for number in numbers if str(number) not in document["failed"]]
    document["started"], document["updated"] = document["started"] or now, now
