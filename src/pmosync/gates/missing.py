"""Finds out what projects still miss for their gates: findings, what cannot be judged, and links that are not there.

Asked of all projects, or of the touched ones, by the same statements. What is waived is not missing; what cannot be
judged is, for nobody can say that it is met.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, case, func, or_, select, union_all, update

from pmosync.model import FIELDS
from pmosync.register import Gate, GateTold, Register
from pmosync.standards import Standard
from pmosync.store.tables import (
    blind,
    finding,
    place_of,
    project,
    project_gate,
    standard_bit,
    standard_state,
    task_project,
    touched,
    verdict,
)

MET = ("resolved", "waived")
"""States of a finding that hold no gate."""
_UNKNOWN = 2
"""As in `pmosync.judge`."""


def chosen(gate: Gate, standards: Collection[Standard]) -> list[Standard]:
    """The standards that a gate asks for."""
    return [one for one in standards if one.id.startswith(gate.standards)]


def keep_missing(
    connection: Connection, register: Register, standards: Sequence[Standard], *, everything: bool
) -> None:
    """Bring up to date what is missing for every gate that is not approved."""
    if not register.gates:
        return
    open_now = select(project_gate.c.project_id).where(func.coalesce(project_gate.c.decision, "") != "approved")
    if not everything:
        open_now = open_now.where(
            or_(
                project_gate.c.project_id.in_(select(touched.c.subject_id).where(touched.c.subject == "project")),
                project_gate.c.missing.is_(None),
            )
        )
    asked = {one.id: one for gate in register.gates for one in chosen(gate, standards)}
    counted = _counted(connection, asked, open_now)
    gates = {one.id: one for one in register.gates}
    told = {one.id: one.gates for one in register.projects}
    rows = (
        select(project, project_gate.c.gate.label("gate_id"), project_gate.c.void)
        .join(project_gate, project_gate.c.project_id == project.c.id)
        .where(project.c.id.in_(open_now), func.coalesce(project_gate.c.decision, "") != "approved")
    )
    for row in connection.execute(rows).all():
        gate = gates[row.gate_id]
        wanting = {
            "standards": [
                {"id": one.id, "title": one.title, **found}
                for one in chosen(gate, standards)
                if (found := counted.get((row.id, one.id)))
            ],
            "evidence": [
                name
                for name, link in evidence(gate, told.get(row.uid, {}).get(gate.id), row._asdict()).items()
                if not link
            ],
        }
        wanting |= {"void": row.void} if row.void else {}
        mine = and_(project_gate.c.project_id == row.id, project_gate.c.gate == gate.id)
        connection.execute(update(project_gate).where(mine).values(missing=orjson.dumps(wanting).decode()))


def evidence(gate: Gate, told: GateTold | None, row: Mapping[str, Any]) -> dict[str, str | None]:
    """The links that a gate asks for, as the register gives them for this gate, else as the project has them.

    Args:
        row: the project in the store.
    """
    given = told.evidence if told else {}
    own = FIELDS["project"]
    return {
        name: given.get(name) or (str(row[name]) if name in own and row.get(name) is not None else None)
        for name in gate.evidence
    }


def _counted(
    connection: Connection, asked: Mapping[str, Standard], projects: Select[Any]
) -> dict[tuple[int, str], dict[str, Any]]:
    """What holds a gate, by project and standard: how many fail, how many cannot be judged, and why none can."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for number, standard, count in connection.execute(_failing(asked, projects)):
        found.setdefault((number, standard), {})["failing"] = count
    for number, standard, count in _unknown(connection, asked, projects):
        found.setdefault((number, standard), {})["unknown"] = count
    here = select(blind).where(blind.c.standard.in_(asked), blind.c.project_id.in_(projects))
    for row in connection.execute(here):
        found.setdefault((row.project_id, row.standard), {})["blind"] = row.fields
    off = select(standard_state).where(standard_state.c.standard.in_(asked), standard_state.c.trouble != "")
    numbers = connection.scalars(projects.distinct()).all()
    for row in connection.execute(off):
        for number in numbers:
            found.setdefault((number, row.standard), {})["switched_off"] = True
    return found


def _failing(asked: Collection[str], projects: Select[Any]) -> Select[Any]:
    holds = and_(finding.c.state.not_in(MET), finding.c.standard.in_(asked))
    of_tasks = (
        select(task_project.c.project_id, finding.c.standard)
        .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task_project.c.task_id))
        .where(holds, task_project.c.project_id.in_(projects))
    )
    of_projects = select(finding.c.subject_id, finding.c.standard).where(
        holds, finding.c.subject == "project", finding.c.subject_id.in_(projects)
    )
    both = union_all(of_tasks, of_projects).subquery()
    return select(both.c.project_id, both.c.standard, func.count()).group_by(both.c.project_id, both.c.standard)


def _unknown(
    connection: Connection, asked: Mapping[str, Standard], projects: Select[Any]
) -> Iterator[tuple[int, str, int]]:
    bits = connection.execute(select(standard_bit).where(standard_bit.c.standard.in_(asked))).all()
    parts: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
    for name, bit in bits:
        part, mask, shift = place_of(bit)
        parts.setdefault((asked[name].subject, part), []).append((name, mask, shift))
    for (subject, part), places in parts.items():
        mine = and_(verdict.c.subject == subject, verdict.c.part == part)
        counts = [
            func.sum(case((verdict.c[mask].op(">>")(shift).op("&")(3) == _UNKNOWN, 1), else_=0))
            for _, mask, shift in places
        ]
        if subject == "task":
            rows = (
                select(task_project.c.project_id, *counts)
                .join(verdict, and_(mine, verdict.c.subject_id == task_project.c.task_id))
                .where(task_project.c.project_id.in_(projects))
                .group_by(task_project.c.project_id)
            )
        else:
            rows = (
                select(verdict.c.subject_id, *counts)
                .where(mine, verdict.c.subject_id.in_(projects))
                .group_by(verdict.c.subject_id)
            )
        for number, *found in connection.execute(rows):
            yield from ((number, name, count) for (name, _, _), count in zip(places, found, strict=True) if count)
