"""Keeps what the figures of projects say before anything is judged, so that standards can ask for it.

The same figures and the same bands as in a rollup: a standard never sees another health than people do. They depend on
the day, and are computed anew whenever the day or something in a project changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, delete, select

from pmosync.rollup.figures import Figures, measured
from pmosync.rollup.health import of_project
from pmosync.store import insert_all
from pmosync.store.tables import project, project_health, touched
from pmosync.workdays import Workdays


def keep_health(connection: Connection, workdays: Workdays, *, everything: bool) -> None:
    """Bring the health of all projects, or of the touched ones, up to date, and what it says of their tolerances."""
    only = None if everything else select(touched.c.subject_id).where(touched.c.subject == "project")
    stale = delete(project_health)
    connection.execute(stale if only is None else stale.where(project_health.c.project_id.in_(only)))
    found = measured(connection, workdays, only)
    agreed = select(
        project.c.id, project.c.tolerance_time_d, project.c.tolerance_cost_share, project.c.tolerance_scope_share
    ).where(project.c.id.in_([int(number) for number in found]))
    insert_all(connection, project_health, [_row(one, found[str(one.id)]) for one in connection.execute(agreed)])


def _row(agreed: Any, figures: Figures) -> dict[str, Any]:
    colour = of_project(figures).colour
    judged = list(_judged(agreed, figures))
    broken = [told for told in judged if told]
    known = broken or (judged and None not in judged)  # what is not known may be exceeded or not
    return {
        "project_id": agreed.id,
        "computed_health": None if colour == "grey" else colour,
        "tolerance_breaches": len(broken) if known else None,
        "breached": "; ".join(broken) or None,
    }


def _judged(agreed: Any, figures: Figures) -> Iterator[str | None]:
    """Of each tolerance that was agreed: how it is exceeded, in words; empty when it is kept, None when not known."""
    evidence = figures.evidence
    if (most := agreed.tolerance_time_d) is not None:
        late = evidence.slip
        told = f"time: open work ends {late} working days after the planned end, {most} agreed"
        yield None if late is None else told if late > most else ""
    if (share := agreed.tolerance_cost_share) is not None:
        yield _exceeded("cost", evidence.expected_h, evidence.planned_effort_h, share)
    if (share := agreed.tolerance_scope_share) is None:
        return
    if (growth := evidence.growth) is None:
        yield _exceeded("scope", figures.tasks - figures.cancelled, evidence.planned_tasks, share)
    else:
        yield f"scope: {growth:.0%} added to the baseline, {share:.0%} agreed" if growth > share else ""


def _exceeded(name: str, expected: float, planned: float | None, share: float) -> str | None:
    if not planned:
        return None
    unit = " h" if name == "cost" else " tasks"
    told = f"{name}: {expected:.0f}{unit} expected, {planned:.0f} planned, {share:.0%} more agreed"
    return told if round(expected / planned - 1, 6) > share else ""
