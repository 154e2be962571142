"""A Jira site with many issues, in this process, for tests of what is written to many of them or to none."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from pmosync.contract import Change, Receipt, Slot, canonical
from pmosync.sandbox.asana import tables as asana_tables
from pmosync.sandbox.jira import seed
from pmosync.sandbox.jira import switches as jira_switches
from pmosync.sandbox.server import Server
from pmosync.sandbox.state import State

BOT, TOKEN = "pmo-bot@acme.example", "bot-token"
SELECT, TEXT = "customfield_10050", "customfield_10052"
WORDS = ("critical", "high", "medium", "low", "info")
LONG_AGO = dt.datetime(2026, 1, 5, 8, 30, tzinfo=dt.UTC)
MANY = 1000


@dataclass
class Pile:
    """BIG has 1,000 issues and the bot administers it; TEAM has 70 and the bot is a member; DESK has 3 and lacks the
    PMO's fields. Somebody watches every issue, so an edit that is not quiet mails."""

    server: Server

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url

    def switch(self, **switches: Any) -> None:
        """Let the site behave otherwise."""
        with self.server.app.state.transaction():
            jira_switches.put(self.server.app.state, switches)

    def fault(self, *faults: dict[str, Any]) -> None:
        """Let these go wrong, in place of all before."""
        self.server.app.faults.replace(list(faults))

    def ids(self, key: str) -> list[str]:
        """The issues of a project."""
        rows = self.server.app.state.rows("SELECT id FROM jira_issue WHERE key LIKE ? ORDER BY id", (f"{key}-%",))
        return [str(row["id"]) for row in rows]

    def project(self, key: str) -> str:
        """The id of a project."""
        row = self.server.app.state.row("SELECT id FROM jira_project WHERE key = ?", (key,))
        assert row
        return str(row["id"])

    def fields(self, issue: str) -> dict[str, Any]:
        """The fields of an issue."""
        row = self.server.app.state.row("SELECT fields FROM jira_issue WHERE id = ?", (issue,))
        assert row
        found: dict[str, Any] = orjson.loads(row["fields"])
        return found

    def flag_on(self, issue: str) -> str | None:
        """Our property on an issue."""
        sql = "SELECT value FROM jira_property WHERE entity = 'issue' AND entity_id = ? AND key = 'pmosync.compliance'"
        row = self.server.app.state.row(sql, (issue,))
        return canonical(orjson.loads(row["value"])) if row else None

    def comments(self, issue: str) -> list[dict[str, Any]]:
        """The comments of an issue."""
        return self.server.app.state.rows("SELECT * FROM jira_comment WHERE issue_id = ? ORDER BY id", (issue,))

    @property
    def mails(self) -> int:
        """How many mails were sent."""
        return len(self.server.app.state.rows("SELECT * FROM mail"))

    def writes(self) -> dict[str, int]:
        """The writes since the log was cleared, as the server counts them."""
        log = self.server.app.log.report()["log"]
        return dict(Counter(f"{row['method']} {row['template']}" for row in log if row["write"]))

    def changes(self, key: str, slot: str, values: Sequence[str | None], before: str | None = None) -> list[Change]:
        """A change of one slot of as many issues of a project as there are values."""
        project, ids = self.project(key), self.ids(key)
        return [
            Change(Slot("task", one, slot), before, value, project, f"{key}-{number}")
            for number, (one, value) in enumerate(zip(ids, values, strict=False), 1)
        ]


def flag(word: str, number: int = 0) -> str:
    """A property for an issue; with a number one of its own."""
    return canonical({"format": 2, "worst": word, "findings": [{"id": f"DAT{100 + number}", "severity": word}]})


def fates(receipts: Sequence[Receipt]) -> dict[str, int]:
    """How many receipts have which fate."""
    return dict(Counter(receipt.fate for receipt in receipts))


def prepared(pile: Pile, open_jira: Any, *slots: str, **options: Any) -> Any:
    """A connector that has prepared for these slots."""
    desk = open_jira(pile.url, token=TOKEN, fields=("summary", "labels"))
    used = slots or ("property", "label", "field", "text_field")
    desk.scope = replace(desk.scope, slots=used, **options)
    made = desk.connector.prepare(desk.scope, True)
    desk.limitations = made.limitations
    desk.scope = replace(desk.scope, pins={**desk.scope.pins, **made.pins})
    desk.connector.prepare(desk.scope, True)
    pile.server.app.log.clear()
    desk.session.calls.clear()
    return desk


def push(jira: Any, *changes: Any) -> list[Receipt]:
    """Push, and count the calls of the push alone."""
    jira.session.calls.clear()
    return list(jira.connector.push(list(changes)))


@contextmanager
def a_pile() -> Iterator[tuple[Pile, bytes]]:
    """A running site and its first snapshot."""
    state = State(as_of=dt.date(2026, 11, 21))
    seed.prepare(state)
    asana_tables.prepare(state)
    with state.transaction():
        _fill(state)
    server = Server(state)
    server.start()
    try:
        yield Pile(server), state.snapshot()
    finally:
        server.stop()


def _fill(state: State) -> None:
    seed.add_user(state, "u-bot", "PMO bot", BOT)
    seed.add_user(state, "u-ann", "Ann", "ann@acme.example")
    seed.add_token(state, "u-bot", TOKEN)
    seed.add_token(state, "u-ann", "ann-token")
    for key, lead in (("BIG", "u-bot"), ("TEAM", "u-ann"), ("DESK", "u-bot")):
        kind = "service_desk" if key == "DESK" else "software"
        seed.add_project(state, key, f"Project {key}", lead, kind=kind)
    options = [word.capitalize() for word in WORDS]
    seed.add_field(state, SELECT, "PMO compliance", {"type": "option"}, ["BIG", "TEAM"], choices=options)
    seed.add_field(state, TEXT, "PMO reasons", {"type": "text"}, ["BIG", "TEAM"])
    when: dict[str, Any] = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    for key, count in (("BIG", MANY), ("TEAM", 70), ("DESK", 3)):
        for number in range(count):
            labels = ["theirs"] if number % 2 else []
            seed.add_issue(
                state, key, "Task", f"Step {number}", assignee="u-ann", reporter="u-ann", labels=labels, **when
            )
