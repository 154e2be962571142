"""Tells how projects stand before their gates: in words for people, and as plain data.

The words are those of every place where a gate is told, and never name a person's finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, and_, select

from pmosync.gates.missing import MET, chosen, evidence
from pmosync.model import PHASES
from pmosync.register import Gate, Register
from pmosync.standards import Standard
from pmosync.store.tables import finding, project, project_gate, task, task_project
from pmosync.workdays import date_of


def ahead(connection: Connection, register: Register) -> dict[int, dict[str, Any]]:
    """The next gate of each project that has one ahead: the first that is not approved and does not lie behind its
    phase."""
    gates = {one.id: one for one in register.gates}
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(_gates()):
        gate = gates.get(row.gate)
        if gate is None or row.project_id in found or row.decision == "approved" or behind(gate, row.phase):
            continue
        state = state_of(row.decision, row.missing)
        told = {"id": gate.id, "title": gate.title, "state": state, "decides": gate.decides}
        found[row.project_id] = {**told, "missing": waits_for(row.missing)}
    return found


def behind(gate: Gate, phase: str | None) -> bool:
    """Whether a project in this phase has left the gate behind it."""
    return phase is not None and PHASES.index(gate.from_phase) < PHASES.index(phase)


def state_of(decision: str | None, missing: str | None) -> str:
    """How a gate stands: the decision, else `ready` to be decided, or `missing` something."""
    return decision or ("missing" if waits_for(missing) else "ready")


def waits_for(missing: str | None) -> list[str]:
    """What is missing for a gate, one line each."""
    wanting = orjson.loads(missing) if missing else {"standards": [], "evidence": []}
    lines = [f"{one['id']} {one['title']}: {_held(one)}" for one in wanting["standards"]]
    lines += [wanting["void"]] if "void" in wanting else []
    return lines + [f"No link to the {name.removesuffix('_url').replace('_', ' ')}" for name in wanting["evidence"]]


def _held(one: Mapping[str, Any]) -> str:
    if one.get("switched_off"):
        return "cannot be judged, it is switched off"
    parts = [f"{one['failing']} found"] if one.get("failing") else []
    parts += [f"{one['unknown']} cannot be judged"] if one.get("unknown") else []
    parts += ["cannot be judged here, what it needs is not provided"] if one.get("blind") else []
    return ", ".join(parts)


def rows(connection: Connection, register: Register, standards: Sequence[Standard]) -> list[dict[str, Any]]:
    """Every gate of every project, in order."""
    gates, told = {one.id: one for one in register.gates}, {one.id: one.gates for one in register.projects}
    next_up = ahead(connection, register)
    found = []
    for row in connection.execute(_gates()).all():
        if row.gate not in gates:
            continue
        gate = gates[row.gate]
        links = evidence(gate, told.get(row.uid, {}).get(gate.id), row._asdict())
        open_now = row.decision != "approved"
        found.append(
            {
                "project": row.uid,
                "key": row.key,
                "title": row.title,
                "phase": row.phase,
                "observed": bool(row.observed),
                "gate": gate.id,
                "name": gate.title,
                "from": gate.from_phase,
                "to": gate.to_phase,
                "next": next_up.get(row.project_id, {}).get("id") == gate.id,
                "state": state_of(row.decision, row.missing),
                "decides": gate.decides or None,
                "decision": row.decision,
                "decided_on": None if row.decided_on is None else date_of(row.decided_on).isoformat(),
                "decided_by": row.decided_by,
                "record": row.record,
                "url": row.gate_url,
                "evidence": links,
                "missing": waits_for(row.missing) if open_now else [],
                "findings": _findings(connection, row.project_id, gate, standards) if open_now else {},
            }
        )
    return found


def _gates() -> Any:
    told = [
        project_gate.c[name]
        for name in ("project_id", "gate", "decision", "decided_on", "decided_by", "record", "missing")
    ]
    return (
        select(project, *told, project_gate.c.url.label("gate_url"))
        .join(project_gate, project_gate.c.project_id == project.c.id)
        .order_by(project.c.title, project.c.id, project_gate.c.position)
    )


def _findings(connection: Connection, number: int, gate: Gate, standards: Sequence[Standard]) -> dict[str, list[str]]:
    """The keys of what breaks the standards of a gate, by standard."""
    names = [one.id for one in chosen(gate, standards)]
    holds = and_(finding.c.state.not_in(MET), finding.c.standard.in_(names))
    of_tasks = (
        select(finding.c.standard, task.c.key)
        .join(task_project, and_(finding.c.subject == "task", finding.c.subject_id == task_project.c.task_id))
        .join(task, task.c.id == task_project.c.task_id)
        .where(holds, task_project.c.project_id == number)
        .order_by(finding.c.standard, task.c.id)
    )
    of_project = (
        select(finding.c.standard, project.c.key)
        .join(project, and_(finding.c.subject == "project", finding.c.subject_id == project.c.id))
        .where(holds, project.c.id == number)
        .order_by(finding.c.standard)
    )
    found: dict[str, list[str]] = {}
    for standard, key in [*connection.execute(of_project), *connection.execute(of_tasks)]:
        found.setdefault(standard, []).append(key)
    return found
