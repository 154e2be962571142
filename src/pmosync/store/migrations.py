"""How the store's schema grew: one function a version, never edited once it was released.

They run by themselves when a store is opened, all in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from pmosync.store.tables import metadata


def _first(connection: Connection) -> None:
    """Version 1: every table as the first release has it."""
    metadata.create_all(connection)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first,)
