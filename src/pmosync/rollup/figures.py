"""Figures: the counts of a project, a program or a portfolio, each as one SELECT over its tasks.

| figure | meaning |
|---|---|
| projects | the projects in it |
| tasks | its tasks, each counted once |
| open, done, blocked, cancelled | tasks of that status; open is neither done nor cancelled |
| late | open tasks whose due_on lies before today |
| due, due_done | tasks (not cancelled) whose due_on lies before today, and those of them that are done |
| progress | done / (tasks - cancelled), 0 to 1; empty without tasks |
| effort_h, effort_done_h | estimated hours of its leaf tasks (not cancelled, nobody's parent), and of the done ones |
| progress_effort | effort_done_h / effort_h, 0 to 1; empty unless half of the leaf tasks have an estimate |
| findings, by severity | active ones of projects, tasks and people with open work in it; waived and accepted apart |
| escalated, blocking | those of them that have the lead's attention, and those of these that block the gate |
| compliance | share of tasks (not cancelled) without an active finding, 0 to 1; empty without tasks |
| worst | the worst severity among active findings |
| observed_tasks | tasks that were observed when their site was read last |

Shares have two decimals.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
)

from pmosync.contract import Level
from pmosync.earned import DAILY
from pmosync.ladder import FAILING, blocks_gate
from pmosync.model import SEVERITIES
from pmosync.rollup.earned import INDEX, Earned
from pmosync.rollup.people import people_findings
from pmosync.store.tables import (
    finding,
    project,
    project_baseline,
    project_earned,
    project_fact,
    site,
    task,
    task_fact,
    task_project,
)
from pmosync.workdays import Workdays

EARNED_FROM = 0.1
"""Indices of earned value jump while a smaller share of the budget is planned or earned."""
COVERED_FROM = 0.95
"""The hours of a baseline say nothing while fewer of its leaf tasks have an estimate."""
ESTIMATED_FROM = 0.5
"""Progress by effort says nothing while fewer of the leaf tasks have an estimate."""


@dataclass(slots=True)
class Figures:
    """The figures of one rollup."""

    projects: int = 0
    tasks: int = 0
    open: int = 0
    done: int = 0
    blocked: int = 0
    late: int = 0
    cancelled: int = 0
    observed_tasks: int = 0
    effort_h: float = 0.0
    effort_done_h: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)
    """Active findings by severity, worst first; severities without findings are left out."""
    waived: int = 0
    accepted: int = 0
    escalated: int = 0
    blocking: int = 0
    failing_tasks: int = 0
    evidence: Evidence = field(default_factory=lambda: Evidence())
    earned: Earned | None = None
    """Earned value; None without a baseline. Its numbers move with the day, so they stand in reports and no mark."""

    @property
    def progress(self) -> float | None:
        """Share of the tasks that is done."""
        return share(self.done, self.tasks - self.cancelled)

    @property
    def progress_effort(self) -> float | None:
        """Share of the estimated work that is done."""
        evidence = self.evidence
        known = evidence.leaves and evidence.estimated / evidence.leaves >= ESTIMATED_FROM
        return share(self.effort_done_h, self.effort_h) if known else None

    @property
    def compliance(self) -> float | None:
        """Share of tasks without an active finding."""
        counted = self.tasks - self.cancelled
        return share(counted - min(self.failing_tasks, counted), counted)

    @property
    def worst(self) -> str | None:
        """The worst severity among the active findings."""
        return next(iter(self.findings), None)

    def measures(self) -> dict[str, Any]:
        """The figures that are told, as plain data."""
        return {
            "projects": self.projects,
            "tasks": self.tasks,
            "open": self.open,
            "done": self.done,
            "blocked": self.blocked,
            "late": self.late,
            "cancelled": self.cancelled,
            "observed_tasks": self.observed_tasks,
            "progress": self.progress,
            "effort_h": self.effort_h,
            "effort_done_h": self.effort_done_h,
            "progress_effort": self.progress_effort,
            "findings": self.findings,
            "waived": self.waived,
            "accepted": self.accepted,
            "escalated": self.escalated,
            "blocking": self.blocking,
            "compliance": self.compliance,
            "worst": self.worst,
        }


@dataclass(slots=True)
class Evidence:
    """What the health of a project is judged by, beside its figures."""

    dated: int = 0
    """Tasks (not cancelled) that have a due_on."""
    due: int = 0
    due_done: int = 0
    leaves: int = 0
    """Tasks (not cancelled) that are nobody's parent."""
    estimated: int = 0
    """Those of them that have an estimate."""
    booked: int = 0
    """Done leaf tasks with both an estimate and booked hours."""
    earned_h: float = 0.0
    spent_h: float = 0.0
    """Estimated and booked hours of the booked tasks."""
    expected_h: float = 0.0
    """Hours booked on all leaf tasks, and what is left of the estimates of the open ones."""
    risks: int = 0
    """Tasks of type risk, whatever their status."""
    top_risk: int = 0
    """The highest priority among open risks: 2 critical, 1 high, 0 lower or none."""
    slip: int | None = None
    """Working days from the planned end to the latest due_on of open work (today, when that is late); None without
    a planned end, or with nothing open."""
    spi_t: float | None = None
    """These three from a tenth of the budget on: of the planned one for the time, of the earned one for the cost."""
    cpi: float | None = None
    vac_share: float | None = None
    planned_tasks: int | None = None
    planned_effort_h: float | None = None
    """Of its baseline, else as the register says."""
    baselined: bool = False
    """Whether it has a baseline: then its scope is measured against that, task by task."""
    growth: float | None = None
    """What was added to its baseline, as a share of it."""


def share(part: float, whole: float) -> float | None:
    """A part of a whole, 0 to 1 with two decimals; None where there is no whole."""
    return round(part / whole, 2) if whole else None


def count(connection: Connection, level: Level, severities: Mapping[str, str]) -> dict[str, Figures]:
    """The figures of everything on one level, by its name there (of projects: the number in the store).

    Args:
        severities: severity by standard id.
    """
    group = _group(level)
    found: dict[str, Figures] = {}
    for name, projects in connection.execute(select(group, func.count()).where(group.is_not(None)).group_by(group)):
        found[str(name)] = Figures(projects=projects)
    if not found:
        return found
    _tasks(connection, found, _counts(_inside(level)))
    _findings(connection, found, level, severities)
    return found


@functools.cache
def _inside(level: Level) -> Subquery:
    """Which tasks count where on this level, each once."""
    group = _group(level)
    return (
        select(group.label("name"), task_project.c.task_id)
        .join(project, project.c.id == task_project.c.project_id)
        .where(group.is_not(None))
        .distinct()
        .subquery()
    )


def measured(connection: Connection, workdays: Workdays, only: Select[Any] | None) -> dict[str, Figures]:
    """What the health of projects is judged by, with the counts of their tasks, by their number in the store.

    Args:
        only: the numbers of the projects to look at; None: all.
    """
    rows, mine = select(project.c.id), select(task_project.c.project_id.label("name"), task_project.c.task_id)
    if only is not None:
        rows, mine = rows.where(project.c.id.in_(only)), mine.where(task_project.c.project_id.in_(only))
    found = {str(number): Figures(projects=1) for number in connection.scalars(rows)}
    _tasks(connection, found, _counts(mine.subquery()))
    plans(connection, found, workdays)
    earned(connection, found)
    return found


def _group(level: Level) -> ColumnElement[Any]:
    columns: dict[Level, ColumnElement[Any]] = {
        "project": project.c.id,
        "program": project.c.program,
        "portfolio": project.c.portfolio,
    }
    return columns[level]


@functools.lru_cache(maxsize=8)
def _counts(inside: Subquery) -> Select[Any]:
    """What is counted of the tasks in there, by the names there."""
    status = func.coalesce(task.c.status, "")
    open_now, counted = status.not_in(("done", "cancelled")), status != "cancelled"
    past = task.c.due_on < site.c.today
    leaf = and_(counted, func.coalesce(task_fact.c.children, 0) == 0)
    estimate, spent = func.coalesce(task.c.estimate_h, 0.0), func.coalesce(task.c.spent_h, 0.0)
    booked = and_(leaf, status == "done", estimate > 0, spent > 0)
    left = case((and_(open_now, estimate > spent), estimate - spent), else_=0.0)
    risk = and_(open_now, task.c.type == "risk")
    return (
        select(
            inside.c.name,
            func.count().label("tasks"),
            _count(open_now).label("open"),
            _count(status == "done").label("done"),
            _count(status == "blocked").label("blocked"),
            _count(and_(open_now, past)).label("late"),
            _count(status == "cancelled").label("cancelled"),
            _count(task.c.observed == 1).label("observed_tasks"),
            _sum(leaf, estimate).label("effort_h"),
            _sum(and_(leaf, status == "done"), estimate).label("effort_done_h"),
            _count(and_(counted, task.c.due_on.is_not(None))).label("dated"),
            _count(and_(counted, past)).label("due"),
            _count(and_(status == "done", past)).label("due_done"),
            _count(leaf).label("leaves"),
            _count(and_(leaf, estimate > 0)).label("estimated"),
            _count(booked).label("booked"),
            _sum(booked, estimate).label("earned_h"),
            _sum(booked, spent).label("spent_h"),
            _sum(leaf, spent + left).label("expected_h"),
            _count(task.c.type == "risk").label("risks"),
            func.max(case((and_(risk, task.c.priority == "critical"), 2), (and_(risk, task.c.priority == "high"), 1),
                          else_=0)).label("top_risk"),
        )
        .join(task, task.c.id == inside.c.task_id)
        .join(site, site.c.name == task.c.site)
        .outerjoin(task_fact, task_fact.c.task_id == task.c.id)
        .group_by(inside.c.name)
    )  # fmt: skip


def _tasks(connection: Connection, found: Mapping[str, Figures], counts: Select[Any]) -> None:
    for row in connection.execute(counts):
        one = found[str(row.name)]
        for name, value in row._mapping.items():
            if name in Figures.__dataclass_fields__:
                setattr(one, name, value)
            elif name in Evidence.__dataclass_fields__:
                setattr(one.evidence, name, value)


@functools.cache
def _found(level: Level) -> tuple[Select[Any], Select[Any]]:
    """How many findings of which standard are in which state, and how many tasks have one, by the names of a level."""
    group, inside = _group(level), _inside(level)
    blocking = case((blocks_gate(), 1), else_=0).label("blocking")
    of_tasks = select(inside.c.name, finding.c.standard, finding.c.state, blocking).join(
        finding, and_(finding.c.subject == "task", finding.c.subject_id == inside.c.task_id)
    )
    of_projects = (
        select(group.label("name"), finding.c.standard, finding.c.state, blocking)
        .join(finding, and_(finding.c.subject == "project", finding.c.subject_id == project.c.id))
        .where(group.is_not(None))
    )
    both = union_all(of_tasks, of_projects, _of_people(group)).subquery()
    what = (both.c.name, both.c.standard, both.c.state)
    rows = select(*what, func.count(), func.sum(both.c.blocking)).group_by(*what)
    failing = (
        select(inside.c.name, func.count(task.c.id.distinct()))
        .join(task, task.c.id == inside.c.task_id)
        .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task.c.id))
        .where(
            finding.c.state.in_(FAILING),
            finding.c.standard.in_(bindparam("standards", expanding=True)),
            func.coalesce(task.c.status, literal("")) != "cancelled",
        )
        .group_by(inside.c.name)
    )
    return rows, failing


def _findings(
    connection: Connection, found: Mapping[str, Figures], level: Level, severities: Mapping[str, str]
) -> None:
    rows, failing = _found(level)
    by_name: dict[str, dict[str, int]] = {}
    for name, standard, state, number, blocked in connection.execute(rows):
        if standard not in severities:
            continue
        if state == "waived":
            found[str(name)].waived += number
        elif state == "accepted":
            found[str(name)].accepted += number
        elif state in FAILING:
            counts = by_name.setdefault(str(name), {})
            counts[severities[standard]] = counts.get(severities[standard], 0) + number
            found[str(name)].escalated += number if state == "escalated" else 0
            found[str(name)].blocking += blocked
    for name, counts in by_name.items():
        found[name].findings = {severity: counts[severity] for severity in SEVERITIES if severity in counts}
    for name, number in connection.execute(failing, {"standards": list(severities)}):
        found[str(name)].failing_tasks = number


def _of_people(group: ColumnElement[Any]) -> Select[Any]:
    """Findings about people, each person once for a standard in everything on one level."""
    about = people_findings().subquery("about")
    name = about.c[{"id": "number", "program": "program", "portfolio": "portfolio"}[str(group.key)]]
    each = select(name.label("name"), about.c.standard, about.c.state, about.c.human_id)
    once = each.where(name.is_not(None)).distinct().subquery("once")
    return select(once.c.name, once.c.standard, once.c.state, literal(0))


def plans(connection: Connection, found: Mapping[str, Figures], workdays: Workdays) -> None:
    """Add what each project was planned to be: by its baseline, else by the register's, or (its end) by the tool."""
    base = project_baseline.c
    baselined = base.tasks.is_not(None)
    open_now = func.coalesce(task.c.status, "").not_in(("done", "cancelled"))
    last = (
        select(func.max(case((task.c.due_on < site.c.today, site.c.today), else_=task.c.due_on)))
        .select_from(
            task_project.join(task, task.c.id == task_project.c.task_id).join(site, site.c.name == task.c.site)
        )
        .where(task_project.c.project_id == project.c.id, open_now)
        .scalar_subquery()
    )
    end = func.coalesce(base.due_on, project.c.baseline_due_on, project.c.due_on)
    whole = and_(base.leaves > 0, base.estimated >= COVERED_FROM * base.leaves)
    rows = (
        select(
            project.c.id,
            baselined.label("baselined"),
            case((baselined, None), else_=project.c.baseline_tasks).label("planned_tasks"),
            case((whole, base.effort_h), (baselined, None), else_=project.c.baseline_effort_h).label(
                "planned_effort_h"
            ),
            case((baselined, project_fact.c.scope_growth)).label("growth"),
            end.label("end"),
            last.label("last"),
        )
        .outerjoin(project_baseline, base.project_id == project.c.id)
        .outerjoin(project_fact, project_fact.c.project_id == project.c.id)
    )
    for row in connection.execute(rows.where(project.c.id.in_([int(number) for number in found]))):
        evidence = found[str(row.id)].evidence
        evidence.planned_tasks, evidence.planned_effort_h = row.planned_tasks, row.planned_effort_h
        evidence.baselined, evidence.growth = bool(row.baselined), row.growth
        if row.end is not None and row.last is not None:
            evidence.slip = max(0, workdays.at(row.last) - workdays.at(row.end))


def earned(connection: Connection, found: Mapping[str, Figures]) -> None:
    """Add what each project earned against its baseline, once that says something."""
    pv, spi_t = DAILY["pv"](), DAILY["spi_t"]()
    least = project_earned.c.bac * EARNED_FROM
    rows = (
        select(
            project.c.id,
            case((pv >= least, spi_t)).label("spi_t"),
            case((project_earned.c.ev >= least, project_earned.c.cpi)).label("cpi"),
            case((project_earned.c.ev >= least, project_earned.c.vac_share)).label("vac_share"),
            spi_t.label("spi_t_now"),
            DAILY["sv_t_weeks"]().label("sv_t_weeks"),
            *(project_earned.c[name] for name in ("unit", "bac", "ev", "ac", "eac", "vac", "es_weeks")),
            project_earned.c.cpi.label("cpi_now"),
        )
        .join(site, site.c.name == project.c.site)
        .join(project_earned, project_earned.c.project_id == project.c.id)
    )
    for row in connection.execute(rows):
        one = found.get(str(row.id))
        if one is None:
            continue
        one.evidence.spi_t, one.evidence.cpi, one.evidence.vac_share = row.spi_t, row.cpi, row.vac_share
        amounts = {name: getattr(row, name) for name in ("unit", "bac", "ev", "ac", "eac", "vac", "es_weeks")}
        indices = {"spi_t": _index(row.spi_t_now), "cpi": _index(row.cpi_now), "sv_t_weeks": row.sv_t_weeks}
        one.earned = Earned(forecast=int(row.eac is not None), **amounts, **indices)


def _index(value: float | None) -> float | None:
    return None if value is None else round(value, INDEX)


def _count(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _sum(condition: Any, value: Any) -> Any:
    return func.round(func.coalesce(func.sum(case((condition, value), else_=0.0)), 0.0), 2)
