"""Holds everything the sandbox knows: one SQLite database, its clock, the mails sent and the changes made.

It keeps the promise that a request is applied whole or not at all: whoever handles one holds the lock and one
transaction, and a refusal rolls it back.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
import sqlite_utils

START_OF_DAY = time(9, 0, tzinfo=UTC)

SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (as_of TEXT, started TEXT, advance_s REAL);
CREATE TABLE IF NOT EXISTS token (tool TEXT, token TEXT, account TEXT, PRIMARY KEY (tool, token));
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY, tool TEXT, at TEXT, recipient TEXT, about TEXT, why TEXT);
CREATE TABLE IF NOT EXISTS change (
    id INTEGER PRIMARY KEY, tool TEXT, at TEXT, actor TEXT, item TEXT, what TEXT, before TEXT, after TEXT);
"""


class State:
    """The sandbox's memory: in a file when `path` is given, else in memory.

    `as_of` is the day the sandbox believes it started on, at 09:00 UTC. Its clock then runs in real time and can be
    advanced. A state that was saved in a file keeps the clock it had.
    """

    def __init__(self, path: str | None = None, as_of: date | None = None) -> None:
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self.db = sqlite_utils.Database(self._connection)
        self._left_out: dict[str, frozenset[str]] = {}
        self._restored = 0
        if path:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self.define(SCHEMA)
        if not self.rows("SELECT 1 FROM clock"):
            day = as_of or datetime.now(UTC).date()
            row = {"as_of": day.isoformat(), "started": datetime.now(UTC).isoformat(), "advance_s": 0.0}
            self.db.table("clock").insert(row)

    # -- reading and writing ------------------------------------------------------------------------------------

    def define(self, schema: str) -> None:
        """Create a tool's tables; every statement says IF NOT EXISTS and has no semicolon but the one at its end."""
        with self.lock:
            # one by one, because executescript would commit the transaction that somebody may have open
            for statement in schema.split(";"):
                self._connection.execute(statement)

    def rows(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT."""
        with self.lock:
            cursor = self._connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> dict[str, Any] | None:
        """The first row of a SELECT, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def tuples(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT as tuples: for the long lists of a search."""
        with self.lock:
            return self._connection.execute(sql, parameters).fetchall()

    @property
    def version(self) -> tuple[int, int]:
        """It moves whenever anything was written or restored, so that answers can be remembered until then."""
        return self._restored, self._connection.total_changes

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is applied, or, if an exception leaves it, nothing is."""
        with self.lock, self.db.atomic():
            yield

    # -- the clock ----------------------------------------------------------------------------------------------

    @property
    def as_of(self) -> date:
        """The day the sandbox's world was generated for."""
        row = self.row("SELECT as_of FROM clock")
        return date.fromisoformat(row["as_of"]) if row else datetime.now(UTC).date()

    def now(self) -> datetime:
        """The sandbox's present instant, in UTC."""
        row = self.row("SELECT * FROM clock")
        if row is None:
            return datetime.now(UTC)
        start = datetime.combine(date.fromisoformat(row["as_of"]), START_OF_DAY)
        elapsed = datetime.now(UTC) - datetime.fromisoformat(row["started"])
        return start + elapsed + timedelta(seconds=row["advance_s"])

    def advance(self, seconds: float) -> None:
        """Move the clock forward (or back, to rehearse a server whose clock was corrected)."""
        with self.lock:
            self.db.execute("UPDATE clock SET advance_s = advance_s + ?", (seconds,))

    # -- what people would notice -------------------------------------------------------------------------------

    def mail(self, tool: str, to: list[str], about: str, why: str) -> None:
        """Record that the tool would have sent a mail to each of `to`."""
        at = self.now().isoformat()
        for recipient in to:
            self.db.execute(
                "INSERT INTO mail (tool, at, recipient, about, why) VALUES (?, ?, ?, ?, ?)",
                (tool, at, recipient, about, why),
            )

    def changed(self, tool: str, actor: str, item: str, what: str, before: Any, after: Any) -> None:
        """Record that `actor` changed `what` of `item`."""
        self.db.execute(
            "INSERT INTO change (tool, at, actor, item, what, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (tool, self.now().isoformat(), actor, item, what, as_json(before), as_json(after)),
        )

    # -- who may call -------------------------------------------------------------------------------------------

    def add_token(self, tool: str, token: str, account: dict[str, Any]) -> None:
        """Let `token` stand for `account`, a dict with the tool's id of it (`id` or `gid`), `name` and `email`."""
        self.db.execute(
            "INSERT OR REPLACE INTO token (tool, token, account) VALUES (?, ?, ?)", (tool, token, as_json(account))
        )

    def account(self, tool: str, token: str) -> dict[str, Any] | None:
        """The account a token stands for."""
        row = self.row("SELECT account FROM token WHERE tool = ? AND token = ?", (tool, token))
        return from_json(row["account"]) if row else None

    # -- whole states -------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole database as bytes."""
        with self.lock:
            return self._connection.serialize()

    def restore(self, snapshot: bytes) -> None:
        """Make the database what it was when the snapshot was taken; the clock's advance included."""
        with self.lock:
            source = sqlite3.connect(":memory:")
            try:
                source.deserialize(snapshot)
                source.backup(self._connection)
                self._restored += 1
            finally:
                source.close()

    def leave_out(self, table: str, *names: str) -> None:
        """Name what `dump` leaves out of a table: columns, and keys at any depth of its JSON. No names: all of it."""
        self._left_out[table] = frozenset(names)

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """What every tool's tables hold, without what moves by itself: two equal dumps are two equal worlds."""
        with self.lock:
            tables = [name for name in sorted(self.db.table_names()) if name.startswith(("jira_", "asana_"))]
            return {name: self._content(name) for name in tables if self._left_out.get(name, {""})}

    def _content(self, table: str) -> list[dict[str, Any]]:
        names = self._left_out.get(table, frozenset())
        rows = [
            {column: _without(_readable(value), names) for column, value in row.items() if column not in names}
            for row in self.rows(f'SELECT * FROM "{table}"')
        ]
        return sorted(rows, key=lambda row: orjson.dumps(row, option=orjson.OPT_SORT_KEYS))

    def close(self) -> None:
        """Close the database; nothing can be read after."""
        with self.lock:
            self._connection.close()


def as_json(value: Any) -> str:
    """A value as the text of a JSON column."""
    return orjson.dumps(value).decode()


def from_json(text: str | bytes | None) -> Any:
    """The value of a JSON column."""
    return None if text is None else orjson.loads(text)


def _readable(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value
