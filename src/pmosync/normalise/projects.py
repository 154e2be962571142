"""Reads projects, as their tools and the register have them: few, so all of them in every pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, literal, select, update

from pmosync.contract import Record
from pmosync.model import BIT, FIELDS
from pmosync.modes import Modes, ask
from pmosync.normalise.governing import governed
from pmosync.normalise.stored import as_column, records
from pmosync.normalise.touching import touch, touch_ids
from pmosync.register import KEPT, Register, RegisteredProject, Totals
from pmosync.site import Site
from pmosync.store.tables import container, project, record, site, task, task_project

MAPPED = tuple(name for name, field in FIELDS["project"].items() if field.source in ("mapped", "register"))
BY_ALLOCATIONS = sum(BIT["project"][name] for name, one in FIELDS["project"].items() if one.source == "allocations")
TOGETHER = (
    ("reported_health", "reported_on"),
    ("budget_h", "budget_used_h"),
    ("budget_cost", "budget_used_cost"),
    ("funded", "spent"),
    ("priority_score", "priority_scored_on"),
)
"""What of several containers comes from one: the day is that of the report, what is used is of that budget."""


def projects(connection: Connection, sites: Sequence[Site], register: Register, modes: Modes) -> None:
    """Projects are few: all are read in every pass, and those that differ are touched."""
    days: dict[str, int] = {row.name: row.today for row in connection.execute(select(site.c.name, site.c.today))}
    containers: list[dict[str, Any]] = []
    rows: dict[str, dict[str, Any]] = {}
    entries: dict[str, RegisteredProject | None] = {}
    for source in sites:
        for number, found in records(connection, source.name, "project", record.c.gone == 0):
            entry = register.of(source.name, found.id, found.key)
            if entry is None and "asked_as" in found.values:  # it was renamed, and the files still have its old key
                entry = register.of(source.name, found.id, str(found.values["asked_as"]))
            if entry is None and source.is_home(found.id, found.key):
                continue  # it is there to hold our status issues
            uid = entry.id if entry else f"{source.name}/{found.id}"
            containers.append({"record_id": number, "uid": uid, "site": source.name, "rid": found.id})
            fresh = _project_row(uid, source, found, register, entry) | _place(register, entry)
            chain = modes.chain(fresh["portfolio"], fresh["program"], uid)
            fresh["mode"] = ask(chain, "", days[source.name] or 0).mode
            rows[uid] = _joined(rows[uid], fresh) if uid in rows else fresh
            entries[uid] = entry
    for uid, row in rows.items():
        row |= governed(row, register, entries[uid])
    ids = _store_projects(connection, rows)
    connection.execute(delete(container))
    if containers:
        connection.execute(container.insert(), [{**one, "project_id": ids[one.pop("uid")]} for one in containers])


def _project_row(
    uid: str, source: Site, found: Record, register: Register, entry: RegisteredProject | None
) -> dict[str, Any]:
    row = source.mapping.read_project(found, source.zone)
    values = {name: as_column(row.values.get(name)) for name in MAPPED}
    offered = sum(BIT["project"][name] for name in row.offered if name in BIT["project"])
    known = {name: as_column(value) for name in KEPT if entry and (value := getattr(entry, name)) is not None}
    if entry and entry.reported_health:  # and of what the register says nobody knows the day
        known |= {"reported_health": entry.reported_health, "reported_on": None}
        offered &= ~BIT["project"]["reported_on"]
    if "allocations" in source.mapping.reads:
        offered |= BY_ALLOCATIONS
    if source.mapping.tells("type", "exception"):
        offered |= BIT["project"]["exception_reports_open"]
    if source.mapping.tells("type", "milestone"):
        offered |= BIT["project"]["milestones_open"] | BIT["project"]["longest_milestone_gap_d"]
    if source.mapping.tells("phase", "execution"):
        offered |= BIT["project"]["execution_tasks_started"]
    if entry:
        offered |= sum(BIT["project"][name] for name in register.keeps)
    values["title"] = (entry.title if entry else None) or values["title"]
    archived = int(found.values.get("archived") is True)
    return {
        "uid": uid,
        "site": source.name,
        "key": found.key,
        "url": found.url,
        **values,
        **known,
        "archived": archived,
        "offered": offered,
    }


def _place(register: Register, entry: RegisteredProject | None) -> dict[str, Any]:
    """Where the register puts a project, what was approved for it, and how its earned value is counted."""
    baseline = entry.baseline if entry else Totals()
    rule = (entry.earned_value if entry else None) or register.earned_value
    return {
        "program": entry.program if entry else None,
        "portfolio": register.portfolio_of(entry),
        "baseline_due_on": as_column(baseline.due_on),
        "baseline_tasks": baseline.tasks,
        "baseline_effort_h": baseline.effort_h,
        "hour_cost": rule.hour_cost,
        "half_when_begun": int(rule.half_when_begun),
    }


def _joined(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """One project kept in several containers: the first answer wins, field by field, or by what belongs together."""
    joined = {name: value if value is not None else other[name] for name, value in first.items()}
    for leading, follower in TOGETHER:
        if joined[leading] is not None:
            joined[follower] = (first if first[leading] is not None else other)[follower]
    joined["offered"] = first["offered"] | other["offered"]
    joined["archived"] = min(first["archived"], other["archived"])
    return joined


def _store_projects(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    names = [
        column.name
        for column in project.c
        if column.name not in ("id", "policy", "task_offered", "has_epics", "observed", "seq")
    ]
    before = {
        found.uid: (found.id, {name: getattr(found, name) for name in names})
        for found in connection.execute(select(project.c.id, *(project.c[name] for name in names)))
    }
    for uid, (number, _) in before.items():
        if uid not in rows:
            connection.execute(delete(project).where(project.c.id == number))
            touch_ids(connection, "project", [number])
    for uid, row in rows.items():
        if uid not in before:
            connection.execute(project.insert(), row)
        elif before[uid][1] != row:
            connection.execute(update(project).where(project.c.id == before[uid][0]).values(**row))
    ids = {found.uid: found.id for found in connection.execute(select(project.c.uid, project.c.id))}
    moved = [ids[uid] for uid, row in rows.items() if uid not in before or before[uid][1] != row]
    touch_ids(connection, "project", moved)
    stricter = [ids[uid] for uid, row in rows.items() if uid in before and before[uid][1]["mode"] != row["mode"]]
    _touch_shared(connection, stricter)
    return ids


def _touch_shared(connection: Connection, numbers: Sequence[int]) -> None:
    """Touch the tasks that these projects share with others: another of them may be the strictest now."""
    if numbers:
        here = select(task_project.c.task_id).where(task_project.c.project_id.in_(numbers))
        shared = select(task_project.c.task_id).group_by(task_project.c.task_id).having(func.count() > 1)
        where = task.c.id.in_(here), task.c.id.in_(shared)
        touch(connection, select(literal("task"), task.c.id, literal(0)).where(*where))
