"""Takes a baseline: what the store knows of the plan of a project now, and whether it may become what was approved.

The first baseline needs nobody's leave. From then on it moves only by a gate, or by a change that is approved and has
moved no baseline before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, exists, func, or_, select

from pmosync.decisions.baselines.folder import Baselines
from pmosync.decisions.baselines.keeping import changes
from pmosync.decisions.baselines.text import Baseline, Planned
from pmosync.errors import Misconfigured
from pmosync.network import is_piece, is_planned
from pmosync.register import Register
from pmosync.store.tables import container, project, project_gate, task, task_project
from pmosync.workdays import date_of, day_number
from pmosync.yamlfile import did_you_mean


@dataclass(frozen=True, slots=True)
class Plan:
    """A project as it is planned now."""

    project: str
    """As the register calls it, else site/id."""
    key: str
    title: str
    containers: tuple[str, ...]
    totals: dict[str, Any]
    """`due_on`, `budget_h` and `budget_cost` of the project."""
    tasks: tuple[Planned, ...]
    """By site and key."""
    observed: bool = True
    """Whether all of it was read the last time."""


def plan_of(connection: Connection, name: str) -> Plan:
    """The plan of the project that is called so: by its id in the register, its key, site/key or site/id.

    Raises:
        Misconfigured: there is none, or there are several.
    """
    row = _project(connection, name)
    held = select(container.c.site, container.c.rid).where(container.c.project_id == row.id)
    totals = {
        "due_on": None if row.due_on is None else date_of(row.due_on),
        "budget_h": row.budget_h,
        "budget_cost": row.budget_cost,
    }
    containers = tuple(sorted(f"{site}/{rid}" for site, rid in connection.execute(held)))
    tasks = _tasks(connection, row.id)
    return Plan(row.uid, row.key, row.title or row.key, containers, totals, tasks, bool(row.observed))


def _project(connection: Connection, name: str) -> Any:
    called = (project.c.uid, project.c.key, project.c.site.concat("/").concat(project.c.key))
    of_tool = exists().where(
        container.c.project_id == project.c.id, container.c.site.concat("/").concat(container.c.rid) == name
    )
    found = connection.execute(select(project).where(or_(*(one == name for one in called), of_tool))).all()
    exact = [row for row in found if row.uid == name]
    found = exact or found
    if len(found) > 1:
        told = ", ".join(sorted(row.uid for row in found))
        raise Misconfigured(f"several projects are called '{name}'", where=name, hint=f"name one of {told}")
    if not found:
        known = [text for row in connection.execute(select(project.c.uid, project.c.key)) for text in row]
        hint = did_you_mean(name, known) or "`pmosync findings` lists the projects"
        raise Misconfigured(f"there is no project '{name}'", where=name, hint=hint)
    return found[0]


def _tasks(connection: Connection, number: int) -> tuple[Planned, ...]:
    child = task.alias("child")
    parent = exists().where(child.c.site == task.c.site, child.c.parent == task.c.rid)
    rows = (
        select(
            task,
            case((is_piece(task), 1), else_=0).label("work"),
            case((parent, 0), else_=1).label("leaf"),
        )
        .join(task_project, task_project.c.task_id == task.c.id)
        .where(task_project.c.project_id == number, is_planned(task))
        .order_by(task.c.site, func.length(task.c.key), task.c.key)
    )
    return tuple(
        Planned(
            row.site,
            row.key,
            row.rid,
            row.type or "",
            bool(row.work),
            bool(row.leaf),
            None if row.start_on is None else date_of(row.start_on),
            None if row.due_on is None else date_of(row.due_on),
            row.estimate_h,
        )
        for row in connection.execute(rows)
    )


# --- whether it may move ----------------------------------------------------------------------------------------------


def check_leave(
    connection: Connection, read: Baselines, plan: Plan, register: Register, *, gate: str, change: str
) -> Sequence[Baseline]:
    """The baselines that the project has, when it may be given another one.

    Raises:
        Misconfigured: it may not, with the next step.
    """
    if not plan.observed:
        what = f"{plan.project} was not read as a whole the last time: what is known of it may be old"
        raise Misconfigured(what, hint="`pmosync findings` tells why; run `pmosync reconcile`, then again")
    for one in read.unclear:
        if one.about(plan.project):
            raise one.error
    before = read.of(plan.project, plan.containers)
    if before and not (gate or change):
        last = before[-1]
        raise Misconfigured(
            f"{plan.project} has a baseline since {last.set_on} ({last.name}); it moves only by a decision",
            hint="name the approved change: --change acme-jira/PAY-99, or the gate: --gate G2",
        )
    if gate and register.gates:
        _check_gate(connection, before, plan, gate)
    if change:
        _check_change(connection, read, plan, register, change)
    return before


def _check_gate(connection: Connection, before: Sequence[Baseline], plan: Plan, gate: str) -> None:
    rows = select(project_gate).join(project, project.c.id == project_gate.c.project_id)
    theirs = {row.gate: row for row in connection.execute(rows.where(project.c.uid == plan.project))}
    if gate not in theirs:
        hint = did_you_mean(gate, theirs) or f"its gates are {', '.join(theirs) or 'none'}"
        raise Misconfigured(f"{plan.project} has no gate '{gate}'", where="--gate", hint=hint)
    found = theirs[gate]
    if found.decision != "approved":
        what = f"{gate} is {(found.decision or 'not decided').replace('_', ' ')} for {plan.project}"
        hint = f"`pmosync gates {plan.project}` shows what is missing; once it is approved, run `pmosync sync`"
        raise Misconfigured(what, where="--gate", hint=hint)
    since = found.decided_on
    used = next((one for one in before if one.gate == gate and since and day_number(one.set_on) >= since), None)
    if used is not None:
        hint = "name an approved change, or let the gate be decided anew"
        raise Misconfigured(f"{gate} moved the baseline already: {used.name}", where="--gate", hint=hint)


def _check_change(connection: Connection, read: Baselines, plan: Plan, register: Register, change: str) -> None:
    used = next((one for one in read.all if one.change == change), None)
    if used is not None:
        raise Misconfigured(
            f"{change} moved a baseline already: {used.name}", where="--change", hint="name the change that is new"
        )
    if "/" in change:
        approved = changes(connection, [change]).get(change)
        if approved is None:
            raise Misconfigured(
                f"there is no task {change}", where="--change", hint="write site/key, and run `pmosync sync` before"
            )
        if not approved:
            what = f"{change} is no approved change: that is a task of type change that is done"
            raise Misconfigured(what, where="--change", hint="let it be decided in the tool, then run `pmosync sync`")
        return
    entry = next((one for one in register.projects if one.id == plan.project), None)
    known = [one.id for one in entry.changes] if entry else []
    if change not in known:
        hint = did_you_mean(change, known) or "write site/key of a task, or list the change there with its approved_on"
        raise Misconfigured(f"the register lists no change '{change}' of {plan.project}", where="--change", hint=hint)
