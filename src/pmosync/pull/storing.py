"""Puts records into the store as they were pulled, with the scopes they were seen in and what stands in our slots.

What people changed becomes dirty, and is read again; our own marks change nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from pmosync.contract import Kind, Record, encode, encode_event
from pmosync.pull.pulled import Pulled
from pmosync.site import Site
from pmosync.store import insert_all, upsert
from pmosync.store.tables import mark, record, record_scope


def store_records(connection: Connection, name: str, records: Sequence[Record], result: Pulled) -> None:
    """Store records as pulled; those that people changed become dirty, our own marks change nothing else."""
    latest = {(found.kind, found.id): found for found in records}
    by_kind: dict[Kind, list[Record]] = {}
    for found in latest.values():
        by_kind.setdefault(found.kind, []).append(found)
    for kind, group in by_kind.items():
        _store_kind(connection, name, kind, group, result)
    _store_marks(connection, name, latest.values())


def store_echoes(connection: Connection, source: Site, records: Sequence[Record]) -> None:
    """Store records that came back with our own writes.

    They come without their history. Of a task that has one, only the marks are taken: what somebody did to it just
    before our write stands in the history alone, and the next pull brings it whole.
    """
    told = select(record.c.rid).where(
        record.c.site == source.name, record.c.kind == "task", record.c.history.is_not(None), record.c.gone == 0
    )
    ids = [found.id for found in records if found.kind == "task" and found.history is None]
    half = set(connection.scalars(told.where(record.c.rid.in_(ids))))
    whole: list[Record] = []
    known: list[Record] = []
    for found in records:
        (known if found.kind == "task" and found.id in half else whole).append(found)
    _store_marks(connection, source.name, known)
    store_records(connection, source.name, whole, Pulled())


def _store_kind(connection: Connection, name: str, kind: Kind, group: list[Record], result: Pulled) -> None:
    stored = {
        rid: (number, digest, gone, version)
        for begin in range(0, len(group), 5000)
        for number, rid, digest, gone, version in connection.execute(
            select(record.c.id, record.c.rid, record.c.hash, record.c.gone, record.c.version).where(
                record.c.site == name,
                record.c.kind == kind,
                record.c.rid.in_([found.id for found in group[begin : begin + 5000]]),
            )
        )
    }
    new, changed, seen = [], [], []
    for found in group:
        body = orjson.dumps({key: encode(value) for key, value in found.values.items()}, option=orjson.OPT_SORT_KEYS)
        history = None if found.history is None else orjson.dumps([encode_event(one) for one in found.history])
        digest = _digest(found, body, history)
        before = stored.get(found.id)
        if before is not None and before[1] == digest and not before[2]:
            if before[3] != found.version:
                seen.append({"number": before[0], "new_version": found.version})
            continue
        row: dict[str, Any] = {
            "key": found.key,
            "url": found.url,
            "version": found.version,
            "hash": digest,
            "body": body.decode(),
            "history": None if history is None else history.decode(),
        }
        row |= {"gone": 0, "dirty": 1, "fate": ""}
        if before is None:
            new.append({"site": name, "kind": kind, "rid": found.id, **row})
        else:
            changed.append({"number": before[0], **{f"new_{key}": value for key, value in row.items()}})
    insert_all(connection, record, new)
    update_records(connection, changed)
    update_records(connection, seen)
    result.records += len(group)
    result.changed += len(new) + len(changed)
    if new or changed:
        _store_scopes(connection, name, kind, group, {rid: number for rid, (number, *_) in stored.items()})


def update_records(connection: Connection, rows: list[dict[str, Any]], *only: ColumnElement[bool]) -> None:
    if rows:
        values: dict[str, Any] = {key.removeprefix("new_"): bindparam(key) for key in rows[0] if key != "number"}
        connection.execute(update(record).where(record.c.id == bindparam("number"), *only).values(**values), rows)


def _digest(found: Record, body: bytes, history: bytes | None) -> str:
    rest = f"{found.key}\n{found.url}\n{sorted(found.scopes)}\n".encode()
    return hashlib.blake2b(rest + body + (history or b""), digest_size=12).hexdigest()


def _store_scopes(
    connection: Connection, name: str, kind: Kind, group: list[Record], stored: Mapping[str, int]
) -> None:
    """Note where these records were seen, in place of what was noted of those that were `stored` before."""
    before = list(stored.values())
    for begin in range(0, len(before), 5000):
        some = before[begin : begin + 5000]
        connection.execute(delete(record_scope).where(record_scope.c.record_id.in_(some)))
    ids = {**stored, **ids_of(connection, name, kind, [found.id for found in group if found.id not in stored])}
    rows = [{"record_id": ids[found.id], "scope": one} for found in group for one in dict.fromkeys(found.scopes)]
    insert_all(connection, record_scope, rows)


def ids_of(connection: Connection, name: str, kind: Kind, rids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for begin in range(0, len(rids), 5000):
        rows = connection.execute(
            select(record.c.rid, record.c.id).where(
                record.c.site == name, record.c.kind == kind, record.c.rid.in_(rids[begin : begin + 5000])
            )
        )
        found.update((rid, number) for rid, number in rows)
    return found


def _store_marks(connection: Connection, name: str, records: Collection[Record]) -> None:
    """Remember what stands in our slots. A slot that is empty and never was ours needs no row."""
    there: list[dict[str, Any]] = []
    empty: list[dict[str, Any]] = []
    for found in records:
        for slot, value in found.marks.items():
            row = {"site": name, "subject": found.kind, "rid": found.id, "slot": slot, "there": value, "why": ""}
            (empty if value is None else there).append(row)
    known = _known_marks(connection, name, {(row["subject"], row["rid"]) for row in empty})
    cleared = [row for row in empty if (row["subject"], row["rid"], row["slot"]) in known]
    upsert(connection, mark, [*there, *cleared])


def _known_marks(connection: Connection, name: str, items: Collection[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """The slots of these items (subject, id) of which the store remembers something."""
    found: set[tuple[str, str, str]] = set()
    for subject in {subject for subject, _ in items}:
        rids = [rid for one, rid in items if one == subject]
        for begin in range(0, len(rids), 5000):
            some = mark.c.rid.in_(rids[begin : begin + 5000])
            rows = connection.execute(
                select(mark.c.rid, mark.c.slot).where(mark.c.site == name, mark.c.subject == subject, some)
            )
            found.update((subject, rid, slot) for rid, slot in rows)
    return found
