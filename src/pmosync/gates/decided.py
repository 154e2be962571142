"""Reads how the gates of projects were decided: what the register says, else what a task in the tool says.

A decision is never guessed: of several records that are about one gate the latest decision counts, and a record without
one decides nothing. Where a gate says who decides, what anybody else decided does not count, and is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, text
from sqlalchemy.dialects.sqlite import insert

from pmosync.register import Container, Gate, GateTold, Register
from pmosync.store import insert_all
from pmosync.store.tables import person, project, project_gate, task, task_move, task_project, touched
from pmosync.workdays import day_number

READ = ("position", "opens", "decision", "decided_on", "decided_by", "record", "url", "void")
"""What is read of a gate; the rest of its row is found out later in a cycle."""


def keep_decisions(connection: Connection, register: Register) -> None:
    """Bring the gates of all projects up to date; those of which something changed are touched."""
    before: dict[tuple[int, str], dict[str, Any]] = {
        (row.project_id, row.gate): dict(row._mapping) for row in connection.execute(select(project_gate))
    }
    if not register.gates and not before:
        return
    now = {(row["project_id"], row["gate"]): row for row in _rows(connection, register)}
    moved = [key for key in before.keys() | now.keys() if _read(before.get(key)) != _read(now.get(key))]
    if not moved:
        return
    for number, gate in moved:
        connection.execute(delete(project_gate).where(project_gate.c.project_id == number, project_gate.c.gate == gate))
    insert_all(connection, project_gate, [now[key] for key in moved if key in now])
    rows = [
        {"subject": "project", "subject_id": number, "data": 1, "seed": 1}
        for number in sorted({number for number, _ in moved})
    ]
    connection.execute(insert(touched).on_conflict_do_nothing(), rows)


def _read(row: Mapping[str, Any] | None) -> list[Any] | None:
    return None if row is None else [row[name] for name in READ]


def _rows(connection: Connection, register: Register) -> Iterator[dict[str, Any]]:
    entries = {one.id: one for one in register.projects}
    records = _records(connection, [*_named(register)])
    for found in connection.execute(select(project.c.id, project.c.uid, project.c.project_class)).all():
        entry = entries.get(found.uid)
        for position, gate in enumerate(register.gates_of(found.project_class)):
            told = (entry.gates.get(gate.id) if entry else None) or GateTold()
            row = {"project_id": found.id, "gate": gate.id, "position": position, "opens": gate.to_phase}
            yield {**row, **_decision(gate, told, records.get(found.id, []), records), "missing": None}


def _decision(
    gate: Gate, told: GateTold, of_project: Sequence[Any], records: Mapping[Any, Sequence[Any]]
) -> dict[str, Any]:
    """The decision about one gate, with where it was read."""
    if told.decision is not None:
        day = None if told.decided_on is None else day_number(told.decided_on)
        decided = {"decision": told.decision, "decided_on": day, "decided_by": told.decided_by or None}
        return {**decided, "record": None, "url": None, "void": None}
    fitting = records.get(told.record, []) if told.record else [one for one in of_project if about(gate, one.title)]
    chosen = max(fitting, key=lambda one: (counts(gate, one), *_later(one)), default=None)
    nothing = {"decision": None, "decided_on": None, "decided_by": None}
    if chosen is None:
        return {**nothing, "record": str(told.record) if told.record else None, "url": None, "void": None}
    place = {"record": f"{chosen.site}/{chosen.key}", "url": chosen.url}
    if counts(gate, chosen):
        found = {"decision": chosen.decision, "decided_on": chosen.decided_on, "decided_by": chosen.decided_by}
        return {**found, **place, "void": None}
    return {**nothing, **place, "void": _void(chosen)}


def _later(one: Any) -> tuple[bool, int, int]:
    return one.decision is not None, one.decided_on or 0, one.id


def counts(gate: Gate, record: Any) -> bool:
    """Whether a record holds a decision of somebody who decides this gate."""
    if record.decision is None:
        return False
    return not gate.deciders or f"{record.site}/{record.decider}" in gate.accounts


def _void(record: Any) -> str | None:
    """What somebody decided who does not decide this gate, in words."""
    if record.decision is None:
        return None
    by = f"by {record.decided_by}, who does not decide this gate" if record.decider else "and nobody knows by whom"
    return f"{record.decision.replace('_', ' ').capitalize()} {by}"


def about(gate: Gate, title: str | None) -> bool:
    """Whether a record is about a gate, by its title: it is called like it, or has its id in it as a word."""
    said = " ".join((title or "").split()).casefold()
    word = rf"(?<![^\W_]){re.escape(gate.id.casefold())}(?![^\W_])"
    return said == gate.title.casefold() or re.search(word, said) is not None


def _named(register: Register) -> Iterator[Container]:
    """The records that the register names."""
    for entry in register.projects:
        yield from (told.record for told in entry.gates.values() if told.record)


def _records(connection: Connection, named: Sequence[Container]) -> dict[Any, list[Any]]:
    """The records of gates: by the project that they are in, and those that the register names by their name."""
    found: dict[Any, list[Any]] = {}
    of_projects = _record().add_columns(task_project.c.project_id)
    of_projects = of_projects.join(task_project, task_project.c.task_id == task.c.id).where(text("task.type = 'gate'"))
    for row in connection.execute(of_projects):
        found.setdefault(row.project_id, []).append(row)
    for name in dict.fromkeys(named):
        one = _record().where(task.c.site == name.site, or_(task.c.rid == name.key, task.c.key == name.key))
        found[name] = list(connection.execute(one))
    return found


def _record() -> Any:
    """A record, with who decided it and on which day: as its fields say, else as its history does."""
    mover = (
        select(task_move.c.by)
        .where(task_move.c.task_id == task.c.id, task_move.c.field == "decision", task_move.c.after == task.c.decision)
        .order_by(task_move.c.at.desc(), task_move.c.id.desc())
        .limit(1)
    )
    who = func.coalesce(mover.scalar_subquery(), task.c.assignee)
    return (
        select(
            task.c.id,
            task.c.site,
            task.c.key,
            task.c.url,
            task.c.title,
            task.c.decision,
            func.coalesce(task.c.decided_on, task.c.done_on).label("decided_on"),
            func.coalesce(person.c.name, who).label("decided_by"),
            who.label("decider"),
        )
        .select_from(task)
        .outerjoin(person, and_(person.c.site == task.c.site, person.c.rid == who))
    )
