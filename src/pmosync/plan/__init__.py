"""Plan: what would be written, decided by one table and kept as a value that can be shown, saved and checked.

| wanted | there | slot | so |
|---|---|---|---|
| x | x | ours | nothing |
| x | x | shared, not ours | nothing; claim it only if an intention for x is stored |
| x | empty | never written | write x |
| x | empty | ours | write x once more; removed again by a person within 7 days: leave it, report a dispute |
| x | y | ours | write x, report the edit; third time within 7 days: leave it, report a dispute |
| x | y | not ours | leave it, report it |
| nothing | x | ours | clear it |
| nothing | y | ours | clear it if the slot is ours by name, else leave it, report it |
| nothing | anything | not ours | leave it |
| any | unreadable or unobserved | any | freeze, report once |
| x | empty or y | resting | leave it until its days of rest are over |
| nothing | anything | of those that rest | leave it: what was told is history; only `retract` takes it away |

A slot is ours *by name* when nobody else writes there, or *by receipt* when what stands there is what we wrote last or
were about to write. A slot that rests is one that cannot be edited in place: what we write there tells its followers.
The module `table` holds this as one CASE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update

from pmosync.contract import SlotKind
from pmosync.plan.guard import Guard
from pmosync.plan.lines import Line, Plan
from pmosync.plan.saved import digest, load, same_basis, save
from pmosync.plan.table import DISPUTE_DAYS, PUT_OFF, RESTS, comparison
from pmosync.store.tables import mark, task, wanted
from pmosync.workdays import date_of

__all__ = [
    "DISPUTE_DAYS",
    "Guard",
    "Line",
    "Plan",
    "adopt",
    "clear_all",
    "digest",
    "load",
    "make",
    "same_basis",
    "save",
]

DAY_US = 86_400_000_000


def make(
    connection: Connection,
    slots: Mapping[str, Sequence[SlotKind]],
    inputs: Mapping[str, str],
    basis: Mapping[str, str],
    *,
    retract: bool = False,
) -> Plan:
    """Compare the marks wanted with the marks known.

    Args:
        slots: the slots in use, by site.
        inputs: what the marks of each site are made from, as `cause=hash` words: what differs from the words that were
            stored with a mark is a cause of its change.
        retract: nothing is wanted because everything is to be taken away, history included.
    """
    plan = Plan(basis=dict(basis))
    plan.subjects = {name: _in_scope(connection, name) for name in slots}
    for name, kinds in slots.items():
        for kind in kinds:
            for row in connection.execute(comparison(name, kind, retract=retract)):
                _place(plan, row, inputs.get(name, ""), kind)
    order = {"task": 0, "project": 1, "rollup": 2}
    plan.changes.sort(key=lambda line: (line.site, order[line.subject], line.rid, line.slot))
    return plan


def _place(plan: Plan, row: Any, inputs: str, kind: SlotKind) -> None:
    if row.decision in ("", "claim"):
        return
    if row.told:  # answers are made of more than all marks of the site are
        inputs = " ".join(f"{name}={value}" for name, value in (_words(inputs) | _words(row.told)).items())
    line = Line(
        site=row.site,
        subject=row.subject,
        rid=row.rid,
        key=row.key or row.rid,
        project=row.project or "",
        slot=row.slot,
        verb="",
        before=row.there,
        after=row.value,
        title=row.title or "",
    )
    if row.decision in ("write", "again", "edited", "clear", "clear edited"):
        verb = "clear" if row.decision.startswith("clear") else "write"
        by_people = row.decision in ("again", "edited", "clear edited")
        note = {"again": "somebody removed it", "edited": "somebody changed it"}.get(row.decision, "")
        causes = "edited by somebody" if by_people else _causes(row, inputs)
        told = f"{inputs} data={row.seq}" if row.seq is not None else inputs
        plan.changes.append(
            replace(line, verb=verb, causes=causes, note=note, event_id=row.last_event or 0, inputs=told)
        )
    else:
        plan.left.append(replace(line, note=_why(row, kind)))


def _why(row: Any, kind: SlotKind) -> str:
    """Why a slot is left alone."""
    if row.decision == RESTS:
        return f"rests until {date_of(row.wrote_on + kind.rest_days)}"
    return row.limit_why or (row.later if row.decision == PUT_OFF else row.decision)  # type: ignore[no-any-return]


def _causes(row: Any, inputs: str) -> str:
    """The causes of the findings' changes since this slot was written last; for a rollup, and where no finding

    changed, also those of the inputs that differ from the ones that the mark was made from.
    """
    told = [part.split(";")[0].strip() for part in (row.causes or "").split(",")]
    found = dict.fromkeys(part for part in told if part)
    if row.seq is not None or not found:
        before = _words(row.inputs or "")
        now = _words(inputs) | ({} if row.seq is None else {"data": str(row.seq)})
        found |= dict.fromkeys(name for name, value in now.items() if before and before.get(name) != value)
    return ", ".join(found) or "data"


def _words(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split())


def clear_all(connection: Connection, slots: Mapping[str, Sequence[SlotKind]]) -> Plan:
    """A plan that takes every mark away: what is wanted is nothing."""
    connection.execute(delete(wanted))
    plan = make(connection, slots, {}, {}, retract=True)
    plan.changes = [replace(line, causes="retract") for line in plan.changes]
    return plan


def _in_scope(connection: Connection, name: str) -> int:
    rows = select(func.count()).select_from(task).where(task.c.site == name)
    return connection.scalar(rows) or 0


def adopt(connection: Connection, slots: Mapping[str, Sequence[SlotKind]]) -> None:
    """Recognise what is ours: by name after a rebuild, or what we were about to write when a run died."""
    for name, kinds in slots.items():
        for kind in kinds:
            if kind.ours == "name":
                here = and_(mark.c.site == name, mark.c.subject == kind.subject, mark.c.slot == kind.name)
                new = and_(here, mark.c.written == 0, mark.c.there.is_not(None))
                connection.execute(update(mark).where(new).values(written=1, wrote=mark.c.there))
    landed = and_(mark.c.intent.is_not(None), mark.c.there == mark.c.intent)
    day = func.coalesce(mark.c.intent_at // DAY_US, mark.c.wrote_on)
    found = {"wrote": mark.c.there, "written": 1, "intent": None, "intent_at": None, "wrote_on": day}
    connection.execute(update(mark).where(landed).values(**found))
