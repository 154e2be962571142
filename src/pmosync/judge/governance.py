"""What the government of a project is, as expressions over small tables: health, tolerances, gates and waivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select

from pmosync.store.tables import project, project_gate, project_health, site, waiver, waiver_project
from pmosync.waiving import in_force


def _of_health(name: str) -> ColumnElement[Any]:
    told = select(project_health.c[name]).where(project_health.c.project_id == project.c.id)
    return told.correlate(project).scalar_subquery()


def _approved_for() -> ColumnElement[Any]:
    """The phase that the last approved gate leads to."""
    return (
        select(project_gate.c.opens)
        .where(project_gate.c.project_id == project.c.id, project_gate.c.decision == "approved")
        .order_by(project_gate.c.position.desc())
        .limit(1)
        .correlate(project)
        .scalar_subquery()
    )


def _decided_on() -> ColumnElement[Any]:
    decided = select(func.max(project_gate.c.decided_on)).where(project_gate.c.project_id == project.c.id)
    return decided.correlate(project).scalar_subquery()


def _next_waiver_ends_on() -> ColumnElement[Any]:
    return (
        select(func.min(waiver.c.until))
        .join(waiver_project, waiver_project.c.waiver_id == waiver.c.id)
        .where(waiver_project.c.project_id == project.c.id, in_force(site.c.today))
        .correlate(project, site)
        .scalar_subquery()
    )


GOVERNANCE: Mapping[str, Callable[[], ColumnElement[Any]]] = {
    "computed_health": lambda: _of_health("computed_health"),
    "tolerance_breaches": lambda: _of_health("tolerance_breaches"),
    "breached": lambda: _of_health("breached"),
    "gate_approved_for": _approved_for,
    "gate_decision_on": _decided_on,
    "next_waiver_ends_on": _next_waiver_ends_on,
}
"""By the name of the field of a project."""
