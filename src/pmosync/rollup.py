"""Roll up: what is said of a project as a whole, from its tasks and findings.

| measure | meaning |
|---|---|
| tasks | its tasks, each counted once |
| open, done, blocked, cancelled | tasks of that status; open is neither done nor cancelled |
| late | open tasks whose due_on lies before today |
| progress | done / (tasks - cancelled), 0 to 1, two decimals; empty without tasks |
| findings, by severity | active findings of the project and its tasks, waived ones apart |
| compliance | share of tasks (not cancelled) without an active finding, 0 to 1, two decimals; empty without tasks |
| worst | the worst severity among active findings |

A multi-homed task counts once in each of its projects. Nothing here contains the time of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal, select, union_all

from pmosync.model import SEVERITIES
from pmosync.store.tables import finding, project, site, task, task_project

FAILING = ("new", "open")


@dataclass(slots=True)
class Rollup:
    """The measures of one project."""

    project_id: int
    tasks: int = 0
    open: int = 0
    done: int = 0
    blocked: int = 0
    late: int = 0
    cancelled: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    """Active findings by severity, worst first; severities without findings are left out."""
    waived: int = 0
    failing_tasks: int = 0
    observed_tasks: int = 0

    @property
    def progress(self) -> float | None:
        """Share of the work that is done."""
        counted = self.tasks - self.cancelled
        return round(self.done / counted, 2) if counted else None

    @property
    def compliance(self) -> float | None:
        """Share of tasks without an active finding."""
        counted = self.tasks - self.cancelled
        return round(1 - min(self.failing_tasks, counted) / counted, 2) if counted else None

    @property
    def worst(self) -> str | None:
        """The worst severity among the active findings."""
        return next(iter(self.findings), None)

    def measures(self) -> dict[str, Any]:
        """Everything that is said of the project, as plain data."""
        told = asdict(self)
        del told["project_id"], told["failing_tasks"]
        return {**told, "progress": self.progress, "compliance": self.compliance, "worst": self.worst}


def summarise(connection: Connection, severities: Mapping[str, str]) -> dict[int, Rollup]:
    """The rollup of every project.

    Args:
        severities: severity by standard id.
    """
    rollups = {number: Rollup(number) for number in connection.scalars(select(project.c.id))}
    open_now = func.coalesce(task.c.status.not_in(("done", "cancelled")), True)
    counts = (
        select(
            task_project.c.project_id,
            func.count(),
            _count(open_now),
            _count(task.c.status == "done"),
            _count(task.c.status == "blocked"),
            _count(and_(open_now, task.c.due_on < site.c.today)),
            _count(task.c.status == "cancelled"),
            _count(task.c.observed == 1),
        )
        .join(task, task.c.id == task_project.c.task_id)
        .join(site, site.c.name == task.c.site)
        .group_by(task_project.c.project_id)
    )
    for number, tasks, open_, done, blocked, late, cancelled, observed in connection.execute(counts):
        one = rollups[number]
        one.tasks, one.open, one.done, one.blocked, one.late = tasks, open_, done, blocked, late
        one.cancelled, one.observed_tasks = cancelled, observed
    _findings(connection, rollups, severities)
    return rollups


def _findings(connection: Connection, rollups: Mapping[int, Rollup], severities: Mapping[str, str]) -> None:
    of_tasks = select(task_project.c.project_id, finding.c.standard, finding.c.state).join(
        finding, and_(finding.c.subject == "task", finding.c.subject_id == task_project.c.task_id)
    )
    of_projects = select(finding.c.subject_id, finding.c.standard, finding.c.state).where(
        finding.c.subject == "project"
    )
    both = union_all(of_tasks, of_projects).subquery()
    rows = select(both.c.project_id, both.c.standard, both.c.state, func.count()).group_by(
        both.c.project_id, both.c.standard, both.c.state
    )
    found: dict[int, dict[str, int]] = {}
    for number, standard, state, count in connection.execute(rows):
        if number not in rollups or standard not in severities:
            continue
        if state == "waived":
            rollups[number].waived += count
        elif state in FAILING:
            by_severity = found.setdefault(number, {})
            by_severity[severities[standard]] = by_severity.get(severities[standard], 0) + count
    for number, by_severity in found.items():
        rollups[number].findings = {name: by_severity[name] for name in SEVERITIES if name in by_severity}
    failing = (
        select(task_project.c.project_id, func.count(task_project.c.task_id.distinct()))
        .join(task, task.c.id == task_project.c.task_id)
        .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task.c.id))
        .where(
            finding.c.state.in_(FAILING),
            finding.c.standard.in_(list(severities)),
            func.coalesce(task.c.status, literal("")) != "cancelled",
        )
        .group_by(task_project.c.project_id)
    )
    for number, count in connection.execute(failing):
        rollups[number].failing_tasks = count


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
