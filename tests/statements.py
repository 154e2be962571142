"""Lets the stores of all tests of a worker share their compiled statements: each test has a store of its own, and to
compile the same few hundred statements for each of them would take longer than most tests.

SQLAlchemy keys its cache by the dialect object. All stores here speak to SQLite in the same way, so one cache serves.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.base import Engine
from sqlalchemy.util import LRUCache

_COMPILED: Any = LRUCache(20_000)


def share() -> None:
    """From now on, for every engine that is made."""
    dialect: Any = SQLiteDialect_pysqlite
    dialect.__hash__ = lambda self: hash(type(self))
    dialect.__eq__ = lambda self, other: type(self) is type(other)
    made: Any = Engine.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        self._compiled_cache = _COMPILED

    Engine.__init__ = init  # type: ignore[method-assign]
