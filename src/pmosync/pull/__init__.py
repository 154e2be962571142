"""Bring what the tools have into the store, page by page.

Records and cursor travel in one transaction, so a run that dies anywhere goes on where it was. Nothing is concluded
from a page that did not come: only a proven complete pull says that something is gone, and a scope that loses most of
its records at once is not believed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, and_, delete, exists, select, update

from pmosync.contract import Batch, Extra, Fallen, Kind
from pmosync.errors import SiteTrouble
from pmosync.pull.proving import ask_after, conclude, forget, found_again, prove
from pmosync.pull.pulled import Pulled
from pmosync.pull.storing import store_echoes, store_records
from pmosync.site import Site
from pmosync.store import Store, upsert
from pmosync.store.tables import mark, record, record_scope, scope, site

__all__ = ["Pulled", "pull", "store_echoes"]

WORKLOGS: Extra = "worklogs"
COMMENTS: Extra = "comments"
ALLOCATIONS: Extra = "allocations"
"""The scopes of records of these kinds are called like what a mapping asks for."""


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
        fates = ask_after(source, result)
    except SiteTrouble as trouble:
        result.trouble = trouble
    with store.begin() as connection:
        if result.trouble is None:
            conclude(connection, source.name, result, fates)
        if since is None and result.trouble is None:
            _leave(connection, source, result)
        _close(connection, source.name, result, proven=since is None, now=now)
    return result


def _leave(connection: Connection, source: Site, result: Pulled) -> None:
    """After a full pull, decide about the scopes that it did not mention.

    A project that the mapping names no longer has left: its items are gone from the scope. Any other one that the site
    does not list any more is unobserved, for nobody proved that it is gone. A scope without records needs no row.
    """
    mapping = source.mapping
    listed = {f"project:{name}" for name in mapping.projects}
    stored = connection.execute(select(scope.c.scope).where(scope.c.site == source.name)).scalars().all()
    keys = _project_keys(connection, source.name)
    unread = {WORKLOGS, COMMENTS, ALLOCATIONS} - set(mapping.reads)
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
            forget(connection, source.name, some, kind, result, scopes=(found,))
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
        found_again(result, batch.records)
    for kind, rid in batch.gone:
        forget(connection, name, [rid], kind, result)
    whys = dict.fromkeys(batch.scopes, batch.why) if batch.state == "unobserved" else {}
    if batch.state == "complete":
        whys = prove(connection, name, batch, result)
    result.unobserved.update(whys)
    rows = [
        {"site": name, "scope": found, "observed": int(found not in whys), "why": whys.get(found, "")}
        for found in batch.scopes
    ]
    upsert(connection, scope, rows)
    if batch.cursor is not None:
        text = orjson.dumps(batch.cursor).decode()
        connection.execute(update(site).where(site.c.name == name).values(cursor=text))
