"""A store that an earlier pmosync made is brought up to what a new one is."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pmosync.errors import StoreTrouble
from pmosync.store import Store

SIXTH = Path(__file__).with_name("schema_6.sql")
"""The definitions of version 6, as that version wrote them."""


def shape(path: Path) -> dict[str, Any]:
    """Of each table its columns, in any order, and its indexes."""
    with sqlite3.connect(path) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: (
                sorted((row[1], row[2], row[3], row[5]) for row in connection.execute(f"PRAGMA table_info({name})")),
                sorted(row[1] for row in connection.execute(f"PRAGMA index_list({name})")),
            )
            for name in tables
        }


def older(path: Path, version: int) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(SIXTH.read_text(encoding="utf-8"))
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(version),))
        connection.execute("INSERT INTO record (site, kind, rid, key, url, version, hash, body, dirty) "
                           "VALUES ('cards', 'task', '1', 'A-1', '', '', '', '{}', 0)")  # fmt: skip
    return path


def test_an_older_store_becomes_what_a_new_one_is_and_reads_its_tasks_again(tmp_path: Path) -> None:
    path = older(tmp_path / "older.db", 6)
    Store(path).close()
    Store(tmp_path / "new.db").close()
    assert shape(path) == shape(tmp_path / "new.db")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT rid, dirty FROM record").fetchall() == [("1", 1)]


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = older(tmp_path / "newer.db", 99)
    before = shape(path)
    with pytest.raises(StoreTrouble, match="made by a newer pmosync"):
        Store(path)
    assert shape(path) == before
