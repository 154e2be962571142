"""Push: write a plan into the tools, the intention stored first, each receipt as soon as it is known.

A run that dies here leaves intentions behind; the next pull shows which of them landed. What the tool refuses is
reported and tried again when something changes; what got lost is looked at before anything is repeated; what the slot's
rest put off is planned again on another day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from pmosync.contract import Receipt, Record
from pmosync.errors import SiteTrouble
from pmosync.plan import DISPUTE_DAYS, Line
from pmosync.site import Site
from pmosync.store import Store, upsert
from pmosync.store.tables import limitation, mark, site

RECEIPTS_PER_COMMIT = 20

Keep = Callable[[Connection, Site, Sequence[Record]], None]
"""Stores records that came back with a write."""


@dataclass(slots=True)
class Pushed:
    """The fate of a push."""

    done: int = 0
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    """What was left for another day because its slot rests: nothing is amiss."""
    trouble: SiteTrouble | None = None
    moved: int = 0
    """Changes that were left out because another run or a person was there first."""


def push(
    store: Store, source: Site, lines: Sequence[Line], keep: Keep, now: dt.datetime, *, looked: bool = False
) -> Pushed:
    """Write the changes of one site, as far as their slots still hold what the plan was made from.

    A plan is concluded before its site's lock is taken for writing; another run may have written meanwhile. What moved
    is for the next cycle.

    Args:
        looked: whether the slots were read in the tool just now, so that the store need not be asked.
    """
    result = Pushed()
    with store.begin() as connection:
        known = _known(connection, source.name)
        due = [line for line in lines if looked or known.get(_slot(line), _NOTHING).there == line.before]
        result.moved = len(lines) - len(due)
        _intend(connection, due, now)
    by_slot = {_slot(line): line for line in due}
    changes = [line.change(known.get(_slot(line), _NOTHING).tried_at) for line in due]
    waiting: list[Receipt] = []
    try:
        for receipt in source.connector.push(changes):
            waiting.append(receipt)
            if len(waiting) >= RECEIPTS_PER_COMMIT:
                _settle(store, source, waiting, by_slot, keep, result)
                waiting = []
    except SiteTrouble as trouble:
        result.trouble = trouble
    _settle(store, source, waiting, by_slot, keep, result)
    return result


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of one slot."""

    there: str | None = None
    tried_at: dt.datetime | None = None


_NOTHING = _Known()


def _slot(line: Line) -> tuple[str, str, str]:
    return line.subject, line.rid, line.slot


def _known(connection: Connection, name: str) -> dict[tuple[str, str, str], _Known]:
    columns = (mark.c.subject, mark.c.rid, mark.c.slot, mark.c.there, mark.c.intent_at)
    found = {}
    for subject, rid, slot, there, at in connection.execute(select(*columns).where(mark.c.site == name)):
        tried_at = dt.datetime.fromtimestamp(at / 1_000_000, dt.UTC) if at else None
        found[subject, rid, slot] = _Known(there, tried_at)
    return found


def _intend(connection: Connection, lines: Iterable[Line], now: dt.datetime) -> None:
    at = int(now.timestamp() * 1_000_000)
    rows = [
        {
            "site": line.site,
            "subject": line.subject,
            "rid": line.rid,
            "slot": line.slot,
            "intent": line.after,
            "intent_at": at,
        }
        for line in lines
    ]
    upsert(connection, mark, rows)


def _settle(
    store: Store,
    source: Site,
    receipts: Sequence[Receipt],
    by_slot: dict[tuple[str, str, str], Line],
    keep: Keep,
    result: Pushed,
) -> None:
    if not receipts:
        return
    with store.begin() as connection:
        today = connection.scalar(select(site.c.today).where(site.c.name == source.name)) or 0
        records = {one.record.id: one.record for one in receipts if one.record is not None}
        keep(connection, source, list(records.values()))
        for receipt in receipts:
            slot = receipt.change.slot
            line = by_slot[slot.subject, slot.id, slot.name]
            if receipt.fate == "done":
                _done(connection, line, receipt, today)
                result.done += 1
            elif receipt.fate == "refused":
                _remember(connection, line, intent=None, intent_at=None)
                result.refused.append(f"{line.site} {line.key} {line.slot}: {receipt.why}")
            elif receipt.fate == "later":
                _put_off(connection, line, receipt, today)
                result.later.append(f"{line.site} {line.key} {line.slot}: {receipt.why}")
            else:
                result.unknown.append(f"{line.site} {line.key} {line.slot}: {receipt.why}")


def _done(connection: Connection, line: Line, receipt: Receipt, today: int) -> None:
    values: dict[str, Any] = {
        "there": receipt.value,
        "wrote": receipt.value,
        "intent": None,
        "intent_at": None,
        "written": 1,
        "why": "",
        "wrote_on": None if line.after is None else today,
        "later_on": None,
        "later": "",
        "event_id": line.event_id,
        "inputs": line.inputs,
    }
    if line.note:
        before = connection.execute(select(mark.c.contests, mark.c.contest_day).where(*_where(line))).one()
        recent = before.contest_day is not None and before.contest_day + DISPUTE_DAYS > today
        values["contests"] = before.contests + 1 if recent else 1
        values["contest_day"] = before.contest_day if recent else today
    _remember(connection, line, **values)


def _put_off(connection: Connection, line: Line, receipt: Receipt, today: int) -> None:
    """Nothing was written. What an earlier run began, and whose answer got lost, stays to be looked for."""
    tried_at = receipt.change.tried_at
    began = {"intent_at": int(tried_at.timestamp() * 1_000_000)} if tried_at else {"intent": None, "intent_at": None}
    _remember(connection, line, **began, later_on=today, later=receipt.why)


def _remember(connection: Connection, line: Line, **values: Any) -> None:
    connection.execute(update(mark).where(*_where(line)).values(**values))


def _where(line: Line) -> tuple[Any, ...]:
    return (
        mark.c.site == line.site,
        mark.c.subject == line.subject,
        mark.c.rid == line.rid,
        mark.c.slot == line.slot,
    )


def keep_limitations(connection: Connection, name: str, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Remember where we may not write; returns what is new since the last look, one sentence each."""
    stored = select(limitation.c.project, limitation.c.slot).where(limitation.c.site == name)
    known = {(row.project, row.slot) for row in connection.execute(stored)}
    connection.execute(limitation.delete().where(limitation.c.site == name))
    if rows:
        connection.execute(
            limitation.insert(),
            [{"site": name, "project": project, "slot": slot, "why": why} for project, slot, why in rows],
        )
    new: dict[tuple[str, str], list[str]] = {}
    for project, slot, why in rows:
        if (project, slot) not in known:
            new.setdefault((slot, why), []).append(project)
    return [f"{name} {slot} ({_projects(where)}): {why}" for (slot, why), where in new.items()]


def _projects(names: Sequence[str]) -> str:
    if names == ["*"]:
        return "everywhere"
    return f"project {names[0]}" if len(names) == 1 else f"{len(names)} projects"
