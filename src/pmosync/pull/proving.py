"""Concludes what is gone: from a complete pull alone, and after the tool was asked what became of it.

A scope that loses most of its records at once is not believed without the tool's word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, exists, func, or_, select, update

from pmosync.contract import Batch, Fallen, Kind, Record
from pmosync.pull.pulled import Missing, Pulled
from pmosync.pull.storing import ids_of, update_records
from pmosync.site import Site
from pmosync.store import insert_all, upsert
from pmosync.store.tables import census, record, record_scope, scope

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


def ask_after(source: Site, result: Pulled) -> Mapping[str, Fallen]:
    """Ask the tool what became of the tasks that did not come any more."""
    unknown = [rid for held in result.missing.values() if not held.fate for rid in held.rids.get("task", ())]
    asked = list(dict.fromkeys((*result.left, *unknown)))
    return source.connector.whereabouts(source.scope(), asked) if asked else {}


def conclude(connection: Connection, name: str, result: Pulled, fates: Mapping[str, Fallen]) -> None:
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
            forget(connection, name, gone, kind, result, scopes=(lost,))
        if held.doubted:
            upsert(connection, scope, [{"site": name, "scope": lost, "observed": 1, "why": ""}])
            del result.unobserved[lost]
    numbers = ids_of(connection, name, "task", list(told))
    rows = [{"number": numbers[rid], "new_fate": fate} for rid, fate in told.items() if rid in numbers]
    update_records(connection, rows, record.c.gone == 1)


def _unobserve(connection: Connection, name: str, result: Pulled, lost: str, why: str) -> None:
    upsert(connection, scope, [{"site": name, "scope": lost, "observed": 0, "why": why}])
    result.unobserved[lost] = why


def _suspicious(missing: float, total: int) -> bool:
    return total >= SUSPICIOUS_FROM and missing * 2 >= total


def found_again(result: Pulled, records: Sequence[Record]) -> None:
    """What was missing from a proof, and came after all, is not missing."""
    for held in result.missing.values():
        for kind, rids in held.rids.items():
            came = {found.id for found in records if found.kind == kind}
            held.rids[kind] = [rid for rid in rids if rid not in came]


def prove(connection: Connection, name: str, batch: Batch, result: Pulled) -> dict[str, str]:
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
            forget(connection, name, missing[kind], kind, result, scopes=(found,))
    return whys


def forget(
    connection: Connection,
    name: str,
    rids: Sequence[str],
    kind: Kind,
    result: Pulled,
    scopes: tuple[str, ...] = (),
) -> None:
    """Take records out of these scopes (out of all, without scopes); what is in none any more is gone."""
    ids = ids_of(connection, name, kind, list(rids))
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
