"""Stored records as the tools brought them, a few thousand at a time, and model values as the store holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, select

from pmosync.contract import Event, Kind, Person, Record, Value, decode, decode_event
from pmosync.store.tables import record
from pmosync.workdays import day_number

CHUNK = 2000


def records(
    connection: Connection,
    name: str,
    kind: Kind,
    which: ColumnElement[bool],
    *,
    with_gone: bool = False,
    with_history: bool = False,
) -> Iterator[tuple[int, Any]]:
    """Stored records of a site; gone ones come as None when they are asked for."""
    last = 0
    while True:
        rows = connection.execute(
            select(record)
            .where(record.c.site == name, record.c.kind == kind, which, record.c.id > last)
            .order_by(record.c.id)
            .limit(CHUNK)
        ).all()
        for row in rows:
            last = row.id
            if not row.gone:
                told = _history(row.history) if with_history else None
                found = _values(row.body)
                yield row.id, Record(kind, row.rid, row.key, row.url, row.version, (), found, history=told)
            elif with_gone:
                yield row.id, None
        if len(rows) < CHUNK:
            return


def _values(body: str) -> dict[str, Value]:
    return {key: decode(value) for key, value in orjson.loads(body).items()}


def _history(text: str | None) -> tuple[Event, ...] | None:
    return None if text is None else tuple(decode_event(one) for one in orjson.loads(text))


def in_chunks(items: Iterable[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
    """What comes, a few thousand at a time."""
    some: list[tuple[int, Any]] = []
    for item in items:
        some.append(item)
        if len(some) == CHUNK:
            yield some
            some = []
    if some:
        yield some


def chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """The items, a few thousand at a time."""
    for begin in range(0, len(items), CHUNK):
        yield items[begin : begin + CHUNK]


def as_column(value: Any) -> Any:
    """A model value as its column holds it."""
    if value is None or isinstance(value, str | float):  # most of them
        return value
    match value:
        case dt.datetime():
            return int(value.timestamp() * 1_000_000)
        case dt.date():
            return day_number(value)
        case Person():
            return value.id
        case bool():
            return int(value)
        case _:
            return value
