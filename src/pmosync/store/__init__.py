"""The store: one SQLite file that holds what was pulled and what was made of it.

It can be deleted and rebuilt from the tools. It is opened with a write-ahead log and mode 0600, brings its own schema
up to date, and refuses a file that a newer pmosync has written.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Dialect, Engine, MetaData, Table, create_engine, event, select, text
from sqlalchemy.dialects.sqlite import dialect as SQLiteDialect
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from pmosync.errors import Locked, StoreTrouble
from pmosync.standards import fold
from pmosync.store import people, tables
from pmosync.store.migrations import MIGRATIONS
from pmosync.store.tables import meta, metadata, scratch

__all__ = ["Store", "insert_all", "people", "read_meta", "tables", "upsert", "write_meta"]


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """Settings that SQLite keeps per connection; transactions are begun by us, not by the driver."""
    connection.isolation_level = None
    connection.create_function("fold", 1, fold, deterministic=True)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=60000", "temp_store=2"):
        connection.execute(f"PRAGMA {pragma}")


class Store:
    """An open store. Use `with store.begin() as connection` for one transaction, all or nothing."""

    def __init__(self, path: Path, doing: str = "") -> None:
        self.path = path
        self.doing = doing
        """What this process is at, for those who find a lock held: `sync`, `daemon`."""
        self.engine: Engine = _open(path)
        self._migrate()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that takes the write lock at once, with empty scratch tables."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(writes=True)
            with connection.begin():
                _empty_scratch(connection)
                yield connection
            connection.info["scratch"] = True  # they live as long as the connection, unless this was rolled back

    @contextmanager
    def trial(self) -> Iterator[Connection]:
        """A transaction that is undone at its end, whatever was done in it."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(writes=True)
            transaction = connection.begin()
            try:
                _empty_scratch(connection)
                yield connection
            finally:
                transaction.rollback()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view without any lock on writers."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def lock(self, name: str, wait_s: float = 0.0) -> Iterator[None]:
        """Hold a lock across processes: a site's name, or `store`. It ends with the process, however that ends.

        Args:
            wait_s: how long to wait for another run to let go, in seconds.

        Raises:
            Locked: another run holds it; the message names that one.
        """
        folder = self.path.with_name(self.path.name + ".locks")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held, holder = FileLock(folder / f"{name}.lock", timeout=wait_s), folder / f"{name}.holder"
        try:
            held.acquire()
        except Timeout:
            told = f"{name}: another run holds the lock{_told(holder)}; let it finish, then run again"
            raise Locked(told) from None
        try:
            holder.write_text(f"{self.doing or 'run'}, process {os.getpid()}\n", encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)
            held.release()

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def _migrate(self) -> None:
        try:
            with self.begin() as connection:
                found = _version(connection)
                if found > len(MIGRATIONS):
                    raise StoreTrouble(
                        f"{self.path}: made by a newer pmosync (schema {found}, this one knows {len(MIGRATIONS)}); "
                        "use that version, or move the file away: it can be rebuilt from the tools"
                    )
                if not found:
                    _create(connection, metadata)
                for migrate in MIGRATIONS[found:] if found else ():
                    migrate(connection)
                if found < len(MIGRATIONS):
                    write_meta(connection, "schema", str(len(MIGRATIONS)))
        except DatabaseError as error:
            raise StoreTrouble(
                f"{self.path}: not a usable pmosync store ({error.orig}); move the file away and run again: "
                "everything in it is rebuilt from the tools and the decisions"
            ) from error


def _create(connection: Connection, tables: MetaData) -> None:
    for statement in _definitions(tables):
        connection.exec_driver_sql(statement)


@functools.cache
def _definitions(tables: MetaData) -> tuple[str, ...]:
    """The statements that make the tables and their indexes, where they are not there yet."""
    made: list[ExecutableDDLElement] = [CreateTable(table, if_not_exists=True) for table in tables.sorted_tables]
    made += [CreateIndex(index, if_not_exists=True) for table in tables.sorted_tables for index in table.indexes]
    return tuple(str(one.compile(dialect=SQLiteDialect())) for one in made)


def _empty_scratch(connection: Connection) -> None:
    if "scratch" not in connection.info:
        _create(connection, scratch)
    for table in scratch.sorted_tables:
        connection.execute(table.delete())


def _told(holder: Path) -> str:
    """Who holds a lock, as far as they said; the file's own date says since when."""
    try:
        who, since_s = holder.read_text(encoding="utf-8").strip(), holder.stat().st_mtime
    except OSError:  # let go just now
        return ""
    since = dt.datetime.fromtimestamp(since_s, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f" ({who}, since {since} UTC)"


def _begin(connection: Connection) -> None:
    """A writer takes the write lock at once: no upgrade can fail half-way."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open(path: Path) -> Engine:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.close(descriptor)
        path.chmod(0o600)
    except OSError as error:
        raise StoreTrouble(f"{path}: cannot be written ({error.strerror}); check `store:` and the rights") from error
    engine = create_engine(URL.create("sqlite", database=str(path)), max_overflow=-1)  # each site waits on its own
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _version(connection: Connection) -> int:
    exists = connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'meta'"))
    return int(read_meta(connection, "schema") or 0) if exists else 0


def read_meta(connection: Connection, key: str) -> str | None:
    """One remembered value."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == key))


def write_meta(connection: Connection, key: str, value: str) -> None:
    """Remember one value."""
    upsert(connection, meta, [{"key": key, "value": value}])


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, five thousand at a time."""
    _many(connection, table, rows, replace=False)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or update those whose primary key is there already, five thousand at a time."""
    _many(connection, table, rows, replace=True)


def _many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, replace: bool) -> None:
    """One prepared statement for all rows, which go to the driver as they are: texts, numbers and None.

    SQLAlchemy would build the parameters of each row anew, and that costs more than it costs SQLite to store them;
    multi-row VALUES is twenty times slower still.
    """
    if not rows:
        return
    statement, names = _prepared(connection.dialect, table, tuple(rows[0]), replace)
    for begin in range(0, len(rows), 5000):
        some = [tuple([row[name] for name in names]) for row in rows[begin : begin + 5000]]
        connection.exec_driver_sql(statement, some)


@functools.lru_cache(maxsize=256)
def _prepared(dialect: Dialect, table: Table, names: tuple[str, ...], replace: bool) -> tuple[str, list[str]]:
    """The text of a statement, and the columns in the order of its parameters."""
    statement = insert(table)
    if replace:
        keys = [column.name for column in table.primary_key if column.name in names]
        changed = {name: statement.excluded[name] for name in names if name not in keys}
        statement = (
            statement.on_conflict_do_update(index_elements=keys, set_=changed)
            if changed
            else statement.on_conflict_do_nothing(index_elements=keys)
        )
    compiled = statement.compile(dialect=dialect, column_keys=names)
    return str(compiled), list(compiled.positiontup or ())
