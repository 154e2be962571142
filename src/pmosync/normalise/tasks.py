"""Reads tasks and people, and what the histories of tasks tell."""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, literal, select

from pmosync.contract import Person, Record
from pmosync.mapping import Move, Row, due_moves, reopenings, started_at, status_since_at
from pmosync.model import BIT, FIELDS, FINISH_TO_START, LEVELS, OTHER_LINKS
from pmosync.normalise.stored import as_column, chunks, in_chunks, records
from pmosync.normalise.touching import touch, touch_neighbours
from pmosync.site import Site
from pmosync.store import insert_all, upsert
from pmosync.store.tables import gap, link, other_link, person, record, task, task_move
from pmosync.workdays import day_number

BY_HISTORY = tuple(name for name, field in FIELDS["task"].items() if field.source == "history")
BY_WORKLOGS = frozenset(name for name, field in FIELDS["task"].items() if field.source == "worklogs")


def people(connection: Connection, source: Site) -> None:
    rows: list[dict[str, Any]] = []
    for number, found in records(connection, source.name, "person", record.c.dirty == 1):
        values = found.values
        active = values.get("active")
        row = {"id": number, "site": source.name, "rid": found.id}
        row |= {"name": values.get("name"), "email": values.get("email")}
        rows.append({**row, "active": None if active is None else int(bool(active))})
    if not rows:
        return
    upsert(connection, person, rows)
    for some in chunks([row["rid"] for row in rows]):
        touch(
            connection,
            select(literal("task"), task.c.id, literal(1)).where(task.c.site == source.name, task.c.assignee.in_(some)),
        )


@dataclass(slots=True)
class Read:
    """What was read again."""

    tasks: int = 0
    links_changed: bool = False


def tasks(connection: Connection, source: Site, *, again: bool) -> Read:
    """Read the site's changed tasks (all of them, with `again`), remembering neighbours before and after."""
    result = Read()
    which = record.c.site == source.name if again else and_(record.c.site == source.name, record.c.dirty == 1)
    touch(connection, select(literal("task"), record.c.id, record.c.dirty).where(which, record.c.kind == "task"))
    touch_neighbours(connection, source.name)
    told = "history" in source.mapping.reads
    for some in in_chunks(records(connection, source.name, "task", which, with_gone=True, with_history=told)):
        _replace(connection, source, some, result)
    touch_neighbours(connection, source.name)
    return result


def _replace(
    connection: Connection,
    source: Site,
    found: Sequence[tuple[int, Record | None]],
    result: Read,
) -> None:
    """Put what these records say now in place of what they said before; one that is gone (None) says nothing."""
    numbers = [number for number, _ in found]
    before = _links_of(connection, numbers)
    connection.execute(delete(link).where(link.c.owner_id.in_(numbers)))
    connection.execute(delete(other_link).where(other_link.c.owner_id.in_(numbers)))
    connection.execute(delete(gap).where(gap.c.record_id.in_(numbers)))
    connection.execute(delete(task_move).where(task_move.c.task_id.in_(numbers)))
    rows, links, others, gaps, moved = [], [], [], [], []
    for number, one in found:
        row = None if one is None else source.mapping.read_task(one, source.zone)
        if one is None or row is None:
            continue
        moves = source.mapping.read_moves(one, source.zone)
        rows.append(_task_row(number, source, one, row, moves))
        moved += [_move_row(number, move) for move in moves or ()]
        links += [
            {"owner_id": number, "site": source.name, "pred": pred, "succ": succ}
            for pred, succ in dict.fromkeys(row.links)
        ]
        others += [
            {"owner_id": number, "site": source.name, "type": kind, "pred": pred, "succ": succ}
            for kind, pred, succ in row.other_links
        ]
        gaps += [
            {"record_id": number, "field": g.field, "tool_field": g.tool_field, "value": g.value, "why": g.why}
            for g in row.gaps
        ]
    kept = {row["id"] for row in rows}
    connection.execute(delete(task).where(task.c.id.in_([number for number in numbers if number not in kept])))
    upsert(connection, task, rows)
    insert_all(connection, link, links)
    insert_all(connection, other_link, others)
    insert_all(connection, gap, gaps)
    insert_all(connection, task_move, moved)
    result.tasks += len(rows)
    result.links_changed |= before != {(one["owner_id"], one["pred"], one["succ"]) for one in links}


def _links_of(connection: Connection, numbers: Sequence[int]) -> set[tuple[int, str, str]]:
    rows = connection.execute(select(link.c.owner_id, link.c.pred, link.c.succ).where(link.c.owner_id.in_(numbers)))
    return {(owner, pred, succ) for owner, pred, succ in rows}


_TASK_COLUMNS = tuple(name for name in FIELDS["task"] if name in task.c and name not in BY_HISTORY)


def _task_row(number: int, source: Site, found: Record, row: Row, moves: Sequence[Move] | None) -> dict[str, Any]:
    told = {} if moves is None else _told_by(moves, row)
    followed = _following(source, row, moves)
    booked = BY_WORKLOGS if "worklogs" in source.mapping.reads else ()
    return {
        "id": number,
        "site": source.name,
        "rid": found.id,
        "key": found.key,
        "url": found.url,
        **{name: as_column(row.values.get(name)) for name in _TASK_COLUMNS},
        **{name: as_column(told.get(name)) for name in BY_HISTORY},
        **{name: as_column(value) for name, value in followed.items()},
        "created_day": _local_day(row.values.get("created_at"), source),
        "updated_day": _local_day(row.values.get("updated_at"), source),
        "status_since_day": _local_day(told.get("status_since_at"), source),
        "offered": _bits_of(frozenset((*row.offered, *told, *followed, *booked))),
        "gaps": len(row.gaps),
        "linkable": int(FINISH_TO_START in row.offered),
        "links_typed": int(any(name in row.offered for name in OTHER_LINKS)),
    }


@functools.lru_cache(maxsize=1000)
def _bits_of(offered: frozenset[str]) -> int:
    bits = BIT["task"]
    return sum(bits[name] for name in offered if name in bits)


def _local_day(value: Any, source: Site) -> int | None:
    return day_number(value.astimezone(source.zone).date()) if isinstance(value, dt.datetime) else None


def _told_by(moves: Sequence[Move], row: Row) -> dict[str, Any]:
    """What the history of a task says about it, as far as the site has the fields that it is about."""
    created = row.values.get("created_at")
    told: dict[str, Any] = {}
    if "status" in row.offered:
        entered = created if isinstance(created, dt.datetime) else None
        told["status_since_at"] = status_since_at(moves, row.values.get("status"), entered)
        told["reopenings"] = reopenings(moves)
    if "due_on" in row.offered:
        told["due_moves"] = due_moves(moves)
    return told


def _following(source: Site, row: Row, moves: Sequence[Move] | None) -> dict[str, Any]:
    """What follows from other fields where the tool has no answer of its own, as far as it has these fields."""
    found: dict[str, Any] = {}
    if row.values.get("started_on") is None and moves is not None and "status" in row.offered:
        created = row.values.get("created_at")
        entered = created if isinstance(created, dt.datetime) else None
        found["started_on"] = _local_day(started_at(moves, row.values.get("status"), entered), source)
    if row.values.get("risk_score") is None and {"risk_probability", "risk_impact"} <= row.offered:
        levels = [row.values.get(name) for name in ("risk_probability", "risk_impact")]
        points = [LEVELS.index(level) + 1 for level in levels if isinstance(level, str)]
        found["risk_score"] = float(math.prod(points)) if len(points) == len(levels) else None
    return found


def _move_row(number: int, move: Move) -> dict[str, Any]:
    return {
        "task_id": number,
        "at": as_column(move.at),
        "field": move.field,
        "before": _as_text(move.before),
        "after": _as_text(move.after),
        "by": move.by,
    }


def _as_text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case dt.date():
            return value.isoformat()
        case Person():
            return value.id
        case float():
            return f"{value:g}"
        case _:
            return str(value)
