"""How the store's schema grew: one function a version, never edited once it was released.

They run by themselves when a store is opened, all in one transaction. A new store is made as it is now, without them.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateColumn

from pmosync.store.tables import MASKS, metadata


def _first(connection: Connection) -> None:
    """Version 1: every table as the first release has it."""
    metadata.create_all(connection)


def _second(connection: Connection) -> None:
    """Version 2: rollups of programs and portfolios, reported health and baselines of projects."""
    _add_columns(connection, "project", "wanted", "mark")


def _third(connection: Connection) -> None:
    """Version 3: histories and worklogs of tasks, and what became of records that are gone."""
    metadata.create_all(connection)
    _add_columns(connection, "site", "record", "task", "task_fact")


def _fourth(connection: Connection) -> None:
    """Version 4: time promised to projects, booked time of which only the day is known, slots that rest."""
    connection.exec_driver_sql("DROP TABLE worklog")  # a column may be empty now; it is made of the records again
    metadata.create_all(connection)
    _add_columns(connection, "site", "project", "project_fact", "mark")
    connection.exec_driver_sql("UPDATE record SET dirty = 1 WHERE kind = 'worklog'")


def _fifth(connection: Connection) -> None:
    """Version 5: waivers of programs, portfolios and what a predicate is true of, from the day of their approval."""
    connection.exec_driver_sql("DROP TABLE waiver")  # made of the decisions file in every cycle
    metadata.create_all(connection)


def _sixth(connection: Connection) -> None:
    """Version 6: the network of linked work. Whether links are read is told when tasks are read again."""
    metadata.create_all(connection)
    _add_columns(connection, "site", "task", "task_fact", "project_fact")
    connection.exec_driver_sql("UPDATE record SET dirty = 1 WHERE kind = 'task'")


def _seventh(connection: Connection) -> None:
    """Version 7: what the facts, standards and decisions of this version need. Later additions of it belong here.

    Fields have other bits than before: all tasks are made anew.
    """
    narrow = "word" in {column["name"] for column in inspect(connection).get_columns("verdict")}
    if narrow:
        connection.exec_driver_sql("ALTER TABLE verdict RENAME TO verdict_of_one_mask")
    metadata.create_all(connection)
    if narrow:
        _widen_verdicts(connection)
    _add_columns(connection, *metadata.tables)
    for table in metadata.tables.values():
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    for name, table in metadata.tables.items():
        for column in inspect(connection).get_columns(name):
            if column["name"] not in table.c:
                connection.exec_driver_sql(f"ALTER TABLE {name} DROP COLUMN {column['name']}")
    connection.exec_driver_sql("UPDATE record SET dirty = 1 WHERE kind = 'task'")


def _widen_verdicts(connection: Connection) -> None:
    """Masks that were rows of their own become columns of one row."""
    masks = ", ".join(f"max(CASE WHEN word % {len(MASKS)} = {at} THEN mask END)" for at in range(len(MASKS)))
    connection.exec_driver_sql(
        f"INSERT INTO verdict SELECT subject, subject_id, word / {len(MASKS)}, {masks} FROM verdict_of_one_mask "
        f"GROUP BY subject, subject_id, word / {len(MASKS)}"
    )
    connection.exec_driver_sql("DROP TABLE verdict_of_one_mask")


def _add_columns(connection: Connection, *tables: str) -> None:
    """Give these tables the columns that they do not have yet."""
    for name in tables:
        there = {column["name"] for column in inspect(connection).get_columns(name)}
        for column in metadata.tables[name].c:
            if column.name not in there:
                told = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {told}")


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first, _second, _third, _fourth, _fifth, _sixth, _seventh)
