"""Reads what comes entry by entry beside tasks and projects, such as booked time, where the mapping asks for it.

What an entry is about is looked at again when the entry is new, changed, moved to something else, or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, delete, select, update

from pmosync.contract import Extra, Kind, Record
from pmosync.normalise.stored import in_chunks, records
from pmosync.normalise.touching import touch
from pmosync.site import Site
from pmosync.store import upsert
from pmosync.store.tables import record, scope, site

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entries:
    """One kind of entries."""

    kind: Kind
    scope: Extra
    """What a mapping calls them; it is also the scope that says whether they are observed."""
    table: Table
    row: Callable[[int, Record, Site], Row | None]
    """An entry as a row; None: it does not say enough."""
    about: Callable[[], Sequence[Select[Any]]]
    """What the entries are about, to be touched: joined from `record` and the table."""
    whole: Callable[[str], Sequence[Select[Any]]]
    """Everything of a site that such entries may be about."""
    seed: bool
    """Whether the neighbours of what is touched count as well."""

    def read(self, connection: Connection, source: Site, *, again: bool) -> None:
        """Read the site's changed entries (all of them, with `again`); forget them where nobody asks for them."""
        if self.scope not in source.mapping.reads:
            connection.execute(delete(self.table).where(self.table.c.site == source.name))
            return
        self._touch(connection, source.name)
        which = record.c.site == source.name if again else and_(record.c.site == source.name, record.c.dirty == 1)
        for some in in_chunks(records(connection, source.name, self.kind, which, with_gone=True)):
            rows = [row for number, found in some if found is not None and (row := self.row(number, found, source))]
            kept = {row["id"] for row in rows}
            gone = [number for number, _ in some if number not in kept]
            connection.execute(delete(self.table).where(self.table.c.id.in_(gone)))
            upsert(connection, self.table, rows)
        self._touch(connection, source.name)

    def _touch(self, connection: Connection, name: str) -> None:
        """Touch what changed entries are about, as the table has it now."""
        changed = and_(record.c.site == name, record.c.kind == self.kind, record.c.dirty == 1)
        for rows in self.about():
            touch(connection, rows.where(changed).distinct(), seed=self.seed)

    def observe(self, connection: Connection, source: Site) -> None:
        """Remember whether the site's entries are observed; when that turns, all they may be about is looked at."""
        here = and_(scope.c.site == source.name, scope.c.scope == self.scope)
        seen = connection.scalar(select(scope.c.observed).where(here)) or 0
        now = seen if self.scope in source.mapping.reads else 1
        column = site.c[f"{self.scope}_observed"]
        if now != connection.scalar(select(column).where(site.c.name == source.name)):
            for rows in self.whole(source.name):
                touch(connection, rows, seed=self.seed)
            connection.execute(update(site).where(site.c.name == source.name).values({column: now}))
