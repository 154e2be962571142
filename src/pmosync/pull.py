"""Bring what the tools have into the store, page by page.

Records and cursor travel in one transaction, so a run that dies anywhere goes on where it was. Nothing is concluded
from a page that did not come: only a proven complete pull says that something is gone, and a scope that loses most of
its records at once is not believed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, or_, select, update

from pmosync.contract import (
    Batch,
    Extra,
    Fallen,
    Kind,
    Record,
    encode,
    encode_event,
)
from pmosync.errors import SiteTrouble
from pmosync.site import Site
from pmosync.store import Store, insert_all, upsert
from pmosync.store.tables import census, mark, record, record_scope, scope, site

WORKLOGS: Extra = "worklogs"
COMMENTS: Extra = "comments"
"""The scopes of records of these kinds are called like what a mapping asks for."""
SUSPICIOUS_FROM = 20
"""A scope with at least this many records that loses half of them or more at once is unobserved, not empty."""
_VANISHED = (
    "{} of {} items vanished at once: the account may have lost access. Nothing is concluded from that; check the "
    "account's rights, or take the project out of the mapping"
)
_UNLISTED = (
    "{} of {} items are not in the site's list any more, although it shows each of them: its search index may be "
    "behind or is being rebuilt. Nothing is concluded from that; run again later"
)


@dataclass(slots=True)
class Missing:
    """What a proof did not have any more of a scope; nothing is concluded before the tool was asked about it."""

    rids: dict[Kind, list[str]]
    total: int
    """How much there was."""
    doubted: bool
    """So much that it is not believed without the tool's word."""
    fate: Fallen | None
    """What became of all of it, where the proof says so."""


@dataclass(slots=True)
class Pulled:
    """What a pull brought."""

    records: int = 0
    changed: int = 0
    gone: int = 0
    trouble: SiteTrouble | None = None
    unobserved: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Scopes that some batch said something about."""
    left: list[str] = field(default_factory=list)
    """Tasks that the tool named as gone."""
    missing: dict[str, Missing] = field(default_factory=dict)
    """By scope."""


def pull(store: Store, source: Site, *, full: bool, now: dt.datetime) -> Pulled:
    """Pull one site; trouble with the whole site is remembered with it and returned, not raised.

    Args:
        full: everything, with a proof of completeness; else what changed since the stored cursor, if there is one.
    """
    result = Pulled()
    with store.begin() as connection:
        upsert(connection, site, [{"name": source.name}])
        cursor = connection.scalar(select(site.c.cursor).where(site.c.name == source.name))
    since = None if full or cursor is None else orjson.loads(cursor)

    def known(kind: Kind, ids: Collection[str]) -> Mapping[str, str]:
        with store.reading() as connection:
            every = _stored(connection, source.name, kind) if kind == "rollup" and not ids else list(ids)
            return _versions(connection, source.name, kind, every)

    fates: Mapping[str, Fallen] = {}
    try:
        for batch in source.connector.pull(source.scope(), since, known):
            with store.begin() as connection:
                store_batch(connection, source.name, batch, result)
                if "rollup" in batch.kinds and not result.unobserved.keys() & set(batch.scopes):
                    _miss(connection, source)
        fates = _ask_after(source, result)
    except SiteTrouble as trouble:
        result.trouble = trouble
    with store.begin() as connection:
        if result.trouble is None:
            _conclude(connection, source.name, result, fates)
        if since is None and result.trouble is None:
            _leave(connection, source, result)
        _close(connection, source.name, result, proven=since is None, now=now)
    return result


def _ask_after(source: Site, result: Pulled) -> Mapping[str, Fallen]:
    """Ask the tool what became of the tasks that did not come any more."""
    unknown = [rid for held in result.missing.values() if not held.fate for rid in held.rids.get("task", ())]
    asked = list(dict.fromkeys((*result.left, *unknown)))
    return source.connector.whereabouts(source.scope(), asked) if asked else {}


def _conclude(connection: Connection, name: str, result: Pulled, fates: Mapping[str, Fallen]) -> None:
    """Let go of what is gone, and remember what became of it.

    What the tool still shows where it was is not gone: its list was behind. A scope that lost so much at once that it
    is in doubt is believed after all when the tool shows where most of it went.
    """
    told = dict(fates)
    for lost, held in result.missing.items():
        tasks = held.rids.get("task", [])
        if held.fate:
            told |= dict.fromkeys(tasks, held.fate)
        count = sum(map(len, held.rids.values()))
        still = [rid for rid in tasks if told.get(rid) == "there"]
        known = [told[rid] for rid in tasks if rid in told]  # of very many the tool may have been asked about some
        explained = len(tasks) * sum(fate not in ("hidden", "there") for fate in known) / max(1, len(known))
        if held.doubted and _suspicious(count - explained, held.total):
            if len(still) * 2 >= count:
                _unobserve(connection, name, result, lost, _UNLISTED.format(len(still), held.total))
            continue
        for kind, rids in held.rids.items():
            gone = [rid for rid in rids if kind != "task" or told.get(rid) != "there"]
            _forget(connection, name, gone, kind, result, scopes=(lost,))
        if held.doubted:
            upsert(connection, scope, [{"site": name, "scope": lost, "observed": 1, "why": ""}])
            del result.unobserved[lost]
    numbers = _ids(connection, name, "task", list(told))
    rows = [{"number": numbers[rid], "new_fate": fate} for rid, fate in told.items() if rid in numbers]
    _update(connection, rows, record.c.gone == 1)


def _unobserve(connection: Connection, name: str, result: Pulled, lost: str, why: str) -> None:
    upsert(connection, scope, [{"site": name, "scope": lost, "observed": 0, "why": why}])
    result.unobserved[lost] = why


def _suspicious(missing: float, total: int) -> bool:
    return total >= SUSPICIOUS_FROM and missing * 2 >= total


def _leave(connection: Connection, source: Site, result: Pulled) -> None:
    """After a full pull, decide about the scopes that it did not mention.

    A project that the mapping names no longer has left: its items are gone from the scope. Any other one that the site
    does not list any more is unobserved, for nobody proved that it is gone. A scope without records needs no row.
    """
    mapping = source.mapping
    listed = {f"project:{name}" for name in mapping.projects}
    stored = connection.execute(select(scope.c.scope).where(scope.c.site == source.name)).scalars().all()
    keys = _project_keys(connection, source.name)
    unread = {WORKLOGS, COMMENTS} - set(mapping.reads)
    for found in sorted(set(stored) - result.named):
        held = (
            select(record.c.kind, record.c.rid)
            .join(record_scope, record_scope.c.record_id == record.c.id)
            .where(record.c.site == source.name, record.c.gone == 0, record_scope.c.scope == found)
        )
        rows = connection.execute(held).all()
        left = bool(listed) and not mapping.portfolios and not {found, keys.get(found, found)} & listed
        left |= found == "rollups" or found in unread  # no slot of ours is there any more, nobody asks for it
        if rows and not left:
            why = (
                f"{keys.get(found, found).removeprefix('project:')}: the site does not list it any more: access may be "
                "lost. Check the account's rights on it, or name the projects that count in the mapping's scope"
            )
            upsert(connection, scope, [{"site": source.name, "scope": found, "observed": 0, "why": why}])
            continue
        for kind in {kind for kind, _ in rows}:
            some = [rid for one, rid in rows if one == kind]
            _forget(connection, source.name, some, kind, result, scopes=(found,))
        connection.execute(delete(scope).where(scope.c.site == source.name, scope.c.scope == found))


def _miss(connection: Connection, source: Site) -> None:
    """After a proof about rollups: in a thing that we made for one, and that is no more, stands nothing."""
    made = [slot.name for slot in source.slots("rollup") if slot.home == "container"]
    left = exists().where(
        record.c.site == source.name, record.c.kind == "rollup", record.c.gone == 0, record.c.rid == mark.c.rid
    )
    here = and_(mark.c.site == source.name, mark.c.subject == "rollup", mark.c.slot.in_(made))
    connection.execute(update(mark).where(here, mark.c.there.is_not(None), ~left).values(there=None))


def _project_keys(connection: Connection, name: str) -> dict[str, str]:
    """The scope of each stored project, by id, with the scope as a mapping may name it, by key."""
    rows = connection.execute(
        select(record.c.rid, record.c.key).where(record.c.site == name, record.c.kind == "project")
    )
    return {f"project:{rid}": f"project:{key}" for rid, key in rows}


def _close(connection: Connection, name: str, result: Pulled, *, proven: bool, now: dt.datetime) -> None:
    at = int(now.timestamp() * 1_000_000)
    row: dict[str, Any] = {"trouble": str(result.trouble) if result.trouble else ""}
    if result.trouble is None:
        row["pulled_at"] = at
        if proven and not result.unobserved:
            row["proven_at"] = at
    connection.execute(update(site).where(site.c.name == name).values(**row))
    _one_line_each(connection, name)
    rows = connection.execute(select(scope.c.scope, scope.c.why).where(scope.c.site == name, scope.c.observed == 0))
    result.unobserved = {row.scope: row.why for row in rows}


def _one_line_each(connection: Connection, name: str) -> None:
    """A project that is unobserved under its id and under the key that the mapping names is told once, by the words
    for the key: these are of the tool, and name the project as people do."""
    rows = connection.execute(select(scope.c.scope, scope.c.why).where(scope.c.site == name, scope.c.observed == 0))
    whys = {row.scope: row.why for row in rows}
    for by_id, by_key in _project_keys(connection, name).items():
        if by_id != by_key and by_id in whys and by_key in whys:
            connection.execute(
                update(scope).where(scope.c.site == name, scope.c.scope == by_id).values(why=whys[by_key])
            )
            connection.execute(delete(scope).where(scope.c.site == name, scope.c.scope == by_key))


def _stored(connection: Connection, name: str, kind: Kind) -> list[str]:
    found = select(record.c.rid).where(record.c.site == name, record.c.kind == kind, record.c.gone == 0)
    return list(connection.execute(found).scalars())


def _versions(connection: Connection, name: str, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for begin in range(0, len(ids), 5000):
        rows = connection.execute(
            select(record.c.rid, record.c.version).where(
                record.c.site == name,
                record.c.kind == kind,
                record.c.gone == 0,
                record.c.rid.in_(ids[begin : begin + 5000]),
            )
        )
        found.update((rid, version) for rid, version in rows)
    return found


def store_batch(connection: Connection, name: str, batch: Batch, result: Pulled) -> None:
    """Store one batch: its records, what it says about its scopes, and the cursor."""
    result.named.update(batch.scopes)
    store_records(connection, name, batch.records, result)
    if result.missing:
        _found_again(result, batch.records)
    for kind, rid in batch.gone:
        _forget(connection, name, [rid], kind, result)
    whys = dict.fromkeys(batch.scopes, batch.why) if batch.state == "unobserved" else {}
    if batch.state == "complete":
        whys = _prove(connection, name, batch, result)
    result.unobserved.update(whys)
    rows = [
        {"site": name, "scope": found, "observed": int(found not in whys), "why": whys.get(found, "")}
        for found in batch.scopes
    ]
    upsert(connection, scope, rows)
    if batch.cursor is not None:
        text = orjson.dumps(batch.cursor).decode()
        connection.execute(update(site).where(site.c.name == name).values(cursor=text))


def _found_again(result: Pulled, records: Sequence[Record]) -> None:
    """What was missing from a proof, and came after all, is not missing."""
    for held in result.missing.values():
        for kind, rids in held.rids.items():
            came = {found.id for found in records if found.kind == kind}
            held.rids[kind] = [rid for rid in rids if rid not in came]


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
    known = [found for found in records if found.kind == "task" and found.id in half]
    _store_marks(connection, source.name, known)
    store_records(connection, source.name, [found for found in records if found not in known], Pulled())


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
    _update(connection, changed)
    _update(connection, seen)
    result.records += len(group)
    result.changed += len(new) + len(changed)
    if new or changed:
        _store_scopes(connection, name, kind, group, {rid: number for rid, (number, *_) in stored.items()})


def _update(connection: Connection, rows: list[dict[str, Any]], *only: ColumnElement[bool]) -> None:
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
    ids = {**stored, **_ids(connection, name, kind, [found.id for found in group if found.id not in stored])}
    rows = [{"record_id": ids[found.id], "scope": one} for found in group for one in dict.fromkeys(found.scopes)]
    insert_all(connection, record_scope, rows)


def _ids(connection: Connection, name: str, kind: Kind, rids: list[str]) -> dict[str, int]:
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


def _prove(connection: Connection, name: str, batch: Batch, result: Pulled) -> dict[str, str]:
    """Conclude from a complete pull what is gone; returns the scopes in which it is not believed, with the reason."""
    connection.execute(delete(census))
    if batch.census:
        insert_all(connection, census, [{"rid": rid} for rid in dict.fromkeys(batch.census)])
    here = (
        select(record_scope.c.scope, record.c.rid, record.c.kind)
        .join(record, record_scope.c.record_id == record.c.id)
        .where(
            record.c.site == name,
            record.c.kind.in_(batch.kinds),
            record.c.gone == 0,
            record_scope.c.scope.in_(batch.scopes),
        )
        .subquery()
    )
    counted = select(here.c.scope, func.count()).group_by(here.c.scope)
    totals: dict[str, int] = {row[0]: row[1] for row in connection.execute(counted)}
    lost: dict[str, dict[Kind, list[str]]] = {}
    for found, rid, kind in connection.execute(select(here).where(here.c.rid.not_in(select(census.c.rid)))):
        lost.setdefault(found, {}).setdefault(kind, []).append(rid)
    whys: dict[str, str] = {}
    for found, missing in lost.items():
        count = sum(map(len, missing.values()))
        doubted = batch.fate is None and _suspicious(count, totals[found])
        held = {kind: rids for kind, rids in missing.items() if doubted or kind == "task"}
        if doubted:
            whys[found] = _VANISHED.format(count, totals[found])
        if held:
            result.missing[found] = Missing(held, totals[found], doubted, batch.fate)
        for kind in missing.keys() - held.keys():
            _forget(connection, name, missing[kind], kind, result, scopes=(found,))
    return whys


def _forget(
    connection: Connection,
    name: str,
    rids: Sequence[str],
    kind: Kind,
    result: Pulled,
    scopes: tuple[str, ...] = (),
) -> None:
    """Take records out of these scopes (out of all, without scopes); what is in none any more is gone."""
    ids = _ids(connection, name, kind, list(rids))
    numbers = list(ids.values())
    for begin in range(0, len(numbers), 5000):
        some = numbers[begin : begin + 5000]
        drop = delete(record_scope).where(record_scope.c.record_id.in_(some))
        connection.execute(drop.where(record_scope.c.scope.in_(scopes)) if scopes else drop)
        left = exists().where(record_scope.c.record_id == record.c.id)
        gone = connection.execute(
            update(record).where(record.c.id.in_(some), record.c.gone == 0, ~left).values(gone=1, dirty=1)
        )
        result.gone += gone.rowcount
        connection.execute(
            update(record).where(record.c.id.in_(some), or_(record.c.gone == 0, record.c.dirty == 1)).values(dirty=1)
        )
    if kind == "task":
        result.left += ids
