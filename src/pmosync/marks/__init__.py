"""Marks: what the findings and rollups look like in the tools, the same in every tool, before a connector writes them.

Nothing pushed contains the time of a run.

| form | a task's flag | a rollup |
|---|---|---|
| json | worst severity and each finding with id, title, severity, dates, guidance, page; answers | all measures |
| word | the worst severity | the worst severity |
| text | one line a finding: what, since when, until when, how to fix it; the page; answers | the measures in words |
| link | how many findings and what they are called, and the page of the worst | — |
| measures | — | health, reason, progress, open, late, findings, compliance, worst |
| page | — | title, health with its reason, figures, dimensions, what it is made of |
| update | — | title, health with its reason, reported health, figures; nothing while the health is not known |
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import Connection, and_, delete, func, select

from pmosync.contract import SlotKind
from pmosync.ladder import FAILING, HELD, Ladder, climb, told
from pmosync.marks.flags import ANSWERING, FORMAT, TEXT, Flagged, fix_by, flag, read_since
from pmosync.marks.rollups import Home, Told, rollup_rows
from pmosync.standards import Standard
from pmosync.store import upsert
from pmosync.store.tables import finding, limitation, record, record_scope, task, wanted
from pmosync.workdays import Workdays

__all__ = ["FORMAT", "TEXT", "Flagged", "fix_by", "flag", "read_since", "want"]

Slots = Callable[[str, str], Sequence[SlotKind]]
"""The slots in use: of a site, for tasks, projects or rollups."""


class Answered(Protocol):
    """What is told on a task about commands, e.g. `commands.Answers`."""

    @property
    def lines(self) -> tuple[str, ...]: ...
    @property
    def inputs(self) -> str: ...


def want(
    connection: Connection,
    standards: Mapping[str, Standard],
    rollups: Sequence[Told],
    workdays: Workdays,
    slots: Slots,
    home: Home,
    *,
    all_rollups: bool,
    ladder: Ladder,
    guidance: str = "",
    answers: Mapping[tuple[str, str], Answered] | None = None,
    for_answers: Callable[[str], Collection[str]] = lambda name: (),
) -> None:
    """Fill `wanted` with every mark that should stand.

    Args:
        rollups: of all levels.
        home: where the slots of rollups are.
        all_rollups: write every rollup anew (reconcile); else one that stands is kept until its health changes.
        guidance: the address below which the page of each standard stands; empty: they are not published.
        answers: to commands, by site and task.
        for_answers: the slots of a site that hold answers and no findings.
    """
    connection.execute(delete(wanted))
    rows: list[dict[str, Any]] = []
    barred: dict[str, set[tuple[str, str]]] = {}
    failing = _flagged_tasks(connection, standards, ladder, workdays)
    for name, rid, flagged, answered in _with_answers(failing, answers or {}):
        used = slots(name, "task")
        if name not in barred:
            barred[name] = _barred(connection, name, used)
        for slot in _in_place(used, rid, barred[name]):
            alone = slot.name in for_answers(name)
            lines = answered.lines if answered else ()
            text = flag([] if alone else flagged, slot.form, slot.limit, workdays, guidance, lines)
            if text is not None:
                row = {"site": name, "subject": "task", "rid": rid, "slot": slot.name, "value": text}
                rows.append({**row, "told": answered.inputs if answered and slot.form in ANSWERING else ""})
    upsert(connection, wanted, rows)
    about_projects = _about_projects(connection, standards, ladder, workdays)
    tops = rollup_rows(connection, about_projects, rollups, workdays, slots, home, all_rollups, guidance)
    upsert(connection, wanted, list(tops))


def _flagged_tasks(
    connection: Connection, standards: Mapping[str, Standard], ladder: Ladder, workdays: Workdays
) -> Iterator[tuple[str, str, list[Flagged]]]:
    """Tasks with findings that they are told of."""
    rows = connection.execute(
        select(task.c.site, task.c.rid, finding)
        .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task.c.id))
        .where(told(), finding.c.standard.in_(list(standards)))
        .order_by(task.c.site, task.c.rid)
    )
    for (name, rid), found in groupby(rows, key=lambda row: (row[0], row[1])):
        yield name, rid, [_flagged(row, standards, ladder, workdays) for row in found]


def _about_projects(
    connection: Connection, standards: Mapping[str, Standard], ladder: Ladder, workdays: Workdays
) -> dict[int, list[Flagged]]:
    """The findings about projects themselves, however hard they are asked: a rollup reports."""
    rows = connection.execute(
        select(finding).where(
            finding.c.subject == "project",
            finding.c.state.in_(FAILING),
            finding.c.step > HELD,
            finding.c.standard.in_(list(standards)),
        )
    )
    found: dict[int, list[Flagged]] = {}
    for row in rows:
        found.setdefault(row.subject_id, []).append(_flagged(row, standards, ladder, workdays))
    return found


def _flagged(row: Any, standards: Mapping[str, Standard], ladder: Ladder, workdays: Workdays) -> Flagged:
    return Flagged(standards[row.standard], row.since, row.step, climb(row.climb_w, row.since, ladder, workdays))


def _with_answers(
    found: Iterable[tuple[str, str, list[Flagged]]], answers: Mapping[tuple[str, str], Answered]
) -> Iterator[tuple[str, str, list[Flagged], Answered | None]]:
    """The flagged tasks, and behind them those where there is nothing but an answer to tell."""
    left = dict(answers)
    for name, rid, flagged in found:
        yield name, rid, flagged, left.pop((name, rid), None)
    for (name, rid), answered in left.items():
        yield name, rid, [], answered


def _barred(connection: Connection, name: str, used: Sequence[SlotKind]) -> set[tuple[str, str]]:
    """The (task, slot) pairs of a site where a slot with a stand-in may not be written."""
    replaced = [slot.instead_of for slot in used if slot.instead_of]
    if not replaced:
        return set()
    place = (
        select(func.replace(func.min(record_scope.c.scope), "project:", ""))
        .where(record_scope.c.record_id == record.c.id)
        .scalar_subquery()
    )
    here = and_(limitation.c.site == name, limitation.c.slot.in_(replaced), limitation.c.project.in_([place, "*"]))
    rows = select(record.c.rid, limitation.c.slot).select_from(record).join(limitation, here)
    return {(rid, slot) for rid, slot in connection.execute(rows.where(record.c.site == name, record.c.kind == "task"))}


def _in_place(used: Sequence[SlotKind], rid: str, barred: set[tuple[str, str]]) -> Iterator[SlotKind]:
    """The slots for one task: a stand-in only where the slot it stands in for may not be written."""
    stood_in = {slot.instead_of for slot in used if (rid, slot.instead_of) in barred}
    for slot in used:
        if slot.name not in stood_in and (not slot.instead_of or slot.instead_of in stood_in):
            yield slot
