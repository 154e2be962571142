"""Turn records into tasks, people and projects of the common model, as the mappings say.

Only what changed is read again; everything of a site when its mapping changed, without asking the tool. What a mapping
cannot read becomes a gap, never a guess. Leaves behind, in `touched`, the subjects whose facts and verdicts may move:
those that changed and their neighbours, as they stood before and as they stand after.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from pmosync.contract import Kind, Person, Record, Value, decode
from pmosync.mapping import Row
from pmosync.model import BIT, FIELDS, MODE_OF_PROFILE, MODES
from pmosync.register import Baseline, Register, RegisteredProject
from pmosync.site import Site
from pmosync.store import upsert
from pmosync.store.tables import (
    container,
    gap,
    link,
    person,
    project,
    record,
    record_scope,
    scope,
    site,
    task,
    task_project,
    touched,
)
from pmosync.workdays import day_number

CHUNK = 2000


@dataclass(slots=True)
class Normalised:
    """What was read again."""

    tasks: int = 0
    remapped: set[str] = field(default_factory=set)
    """Sites whose mapping is not the one that their tasks were made with."""
    links_changed: bool = False


def normalise(
    connection: Connection, sites: Sequence[Site], register: Register, profile: str, *, everything: bool = False
) -> Normalised:
    """Bring projects, people and tasks up to date with the records.

    A site whose mapping still has names to look up is left as it was: it could not be asked for them.

    Args:
        profile: the organisation's, for projects of which the register says nothing else.
        everything: read all records again, as after a change of the register.
    """
    result = Normalised()
    ready = [source for source in sites if not source.mapping.unresolved]
    for source in ready:
        stored = connection.scalar(select(site.c.mapping).where(site.c.name == source.name))
        if stored != source.mapping.hash:
            result.remapped.add(source.name)
    held = _held(connection, [source.name for source in sites if source not in ready])
    if not held:
        _projects(connection, ready, register, profile)
    for source in ready:
        _people(connection, source)
        again = everything or source.name in result.remapped
        _tasks(connection, source, result, again=again)
        connection.execute(update(site).where(site.c.name == source.name).values(mapping=source.mapping.hash))
    _memberships(connection)
    _observe(connection)
    _count_changes(connection)
    read = [] if held else [source.name for source in ready]  # what lacked its project is read again
    connection.execute(update(record).where(record.c.dirty == 1, record.c.site.in_(read)).values(dirty=0))
    return result


def _held(connection: Connection, names: Sequence[str]) -> bool:
    """Whether there are projects of sites whose mapping cannot be used now: what was made of them then stays."""
    held = select(func.count()).where(record.c.site.in_(names), record.c.kind == "project", record.c.gone == 0)
    return bool(connection.scalar(held))


def _count_changes(connection: Connection) -> None:
    """Let the sequence of every project grow in which data changed, so that its rollup can name that as a cause."""
    changed = select(touched.c.subject_id).where(touched.c.subject == "task", touched.c.data == 1)
    theirs = select(task_project.c.project_id).where(task_project.c.task_id.in_(changed))
    own = select(touched.c.subject_id).where(touched.c.subject == "project", touched.c.data == 1)
    moved = or_(project.c.id.in_(theirs), project.c.id.in_(own))
    connection.execute(update(project).where(moved).values(seq=project.c.seq + 1))


# --- projects ---------------------------------------------------------------------------------------------------------


def _projects(connection: Connection, sites: Sequence[Site], register: Register, profile: str) -> None:
    """Projects are few: all are read in every pass, and those that differ are touched."""
    containers: list[dict[str, Any]] = []
    rows: dict[str, dict[str, Any]] = {}
    for source in sites:
        for number, found in _records(connection, source.name, "project", record.c.gone == 0):
            entry = register.of(source.name, found.id, found.key)
            if entry is None and source.is_home(found.id, found.key):
                continue  # it is there to hold our status issues
            uid = entry.id if entry else f"{source.name}/{found.id}"
            containers.append({"record_id": number, "uid": uid, "site": source.name, "rid": found.id})
            fresh = _project_row(uid, source, found, entry, profile) | _place(register, entry)
            rows[uid] = _joined(rows[uid], fresh) if uid in rows else fresh
    ids = _store_projects(connection, rows)
    connection.execute(delete(container))
    if containers:
        connection.execute(container.insert(), [{**one, "project_id": ids[one.pop("uid")]} for one in containers])


def _project_row(
    uid: str, source: Site, found: Record, entry: RegisteredProject | None, profile: str
) -> dict[str, Any]:
    row = source.mapping.read_project(found, source.zone)
    mapped = ("title", "lead", "start_on", "due_on", "reported_health")
    values = {name: _column(row.values.get(name)) for name in mapped}
    offered = sum(BIT["project"][name] for name in row.offered if name in BIT["project"])
    told = ("phase", "sponsor", "charter_url")
    known = {name: getattr(entry, name) if entry else None for name in told}
    if entry and entry.reported_health:
        known["reported_health"] = entry.reported_health
    offered |= sum(BIT["project"].get(name, 0) for name, value in known.items() if value is not None)
    values["title"] = (entry.title if entry else None) or values["title"]
    mode = MODES.index(MODE_OF_PROFILE[(entry.profile if entry else None) or profile])
    archived = int(found.values.get("archived") is True)
    return {
        "uid": uid,
        "site": source.name,
        "key": found.key,
        "url": found.url,
        **values,
        **known,
        "archived": archived,
        "mode": mode,
        "offered": offered | BIT["project"]["archived"],
    }


def _place(register: Register, entry: RegisteredProject | None) -> dict[str, Any]:
    """Where the register puts a project, and what was approved for it."""
    baseline = entry.baseline if entry else Baseline()
    return {
        "program": entry.program if entry else None,
        "portfolio": register.portfolio_of(entry),
        "baseline_due_on": _column(baseline.due_on),
        "baseline_tasks": baseline.tasks,
        "baseline_effort_h": baseline.effort_h,
    }


def _joined(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """One project kept in several containers: the first answer wins, field by field."""
    joined = {name: value if value is not None else other[name] for name, value in first.items()}
    joined["offered"] = first["offered"] | other["offered"]
    joined["archived"] = min(first["archived"], other["archived"])
    return joined


def _store_projects(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    names = [column.name for column in project.c if column.name not in ("id", "task_offered", "observed", "seq")]
    before = {
        found.uid: (found.id, {name: getattr(found, name) for name in names})
        for found in connection.execute(select(project.c.id, *(project.c[name] for name in names)))
    }
    for uid, (number, _) in before.items():
        if uid not in rows:
            connection.execute(delete(project).where(project.c.id == number))
            _touch_ids(connection, "project", [number])
    for uid, row in rows.items():
        if uid not in before:
            connection.execute(project.insert(), row)
        elif before[uid][1] != row:
            connection.execute(update(project).where(project.c.id == before[uid][0]).values(**row))
    ids = {found.uid: found.id for found in connection.execute(select(project.c.uid, project.c.id))}
    moved = [ids[uid] for uid, row in rows.items() if uid not in before or before[uid][1] != row]
    _touch_ids(connection, "project", moved)
    return ids


# --- people -----------------------------------------------------------------------------------------------------------


def _people(connection: Connection, source: Site) -> None:
    rows: list[dict[str, Any]] = []
    for number, found in _records(connection, source.name, "person", record.c.dirty == 1):
        values = found.values
        active = values.get("active")
        row = {"id": number, "site": source.name, "rid": found.id}
        row |= {"name": values.get("name"), "email": values.get("email")}
        rows.append({**row, "active": None if active is None else int(bool(active))})
    if not rows:
        return
    upsert(connection, person, rows)
    for some in _chunks([row["rid"] for row in rows]):
        _touch(
            connection,
            select(literal("task"), task.c.id, literal(1)).where(task.c.site == source.name, task.c.assignee.in_(some)),
        )


# --- tasks ------------------------------------------------------------------------------------------------------------


def _tasks(connection: Connection, source: Site, result: Normalised, *, again: bool) -> None:
    """Read the site's changed tasks (all of them, with `again`), remembering neighbours before and after."""
    which = record.c.site == source.name if again else and_(record.c.site == source.name, record.c.dirty == 1)
    _touch(connection, select(literal("task"), record.c.id, record.c.dirty).where(which, record.c.kind == "task"))
    _touch_neighbours(connection, source.name)
    for some in _in_chunks(_records(connection, source.name, "task", which, with_gone=True)):
        _replace(connection, source, some, result)
    _touch_neighbours(connection, source.name)


def _replace(
    connection: Connection,
    source: Site,
    found: Sequence[tuple[int, Record | None]],
    result: Normalised,
) -> None:
    """Put what these records say now in place of what they said before; one that is gone (None) says nothing."""
    numbers = [number for number, _ in found]
    before = _links_of(connection, numbers)
    connection.execute(delete(link).where(link.c.owner_id.in_(numbers)))
    connection.execute(delete(gap).where(gap.c.record_id.in_(numbers)))
    rows, links, gaps = [], [], []
    for number, one in found:
        row = None if one is None else source.mapping.read_task(one, source.zone)
        if one is None or row is None:
            continue
        rows.append(_task_row(number, source, one, row))
        links += [
            {"owner_id": number, "site": source.name, "pred": pred, "succ": succ}
            for pred, succ in dict.fromkeys(row.links)
        ]
        gaps += [
            {"record_id": number, "field": g.field, "tool_field": g.tool_field, "value": g.value, "why": g.why}
            for g in row.gaps
        ]
    kept = {row["id"] for row in rows}
    connection.execute(delete(task).where(task.c.id.in_([number for number in numbers if number not in kept])))
    upsert(connection, task, rows)
    if links:
        connection.execute(link.insert(), links)
    if gaps:
        connection.execute(gap.insert(), gaps)
    result.tasks += len(rows)
    result.links_changed |= before != {(one["owner_id"], one["pred"], one["succ"]) for one in links}


def _links_of(connection: Connection, numbers: Sequence[int]) -> set[tuple[int, str, str]]:
    rows = connection.execute(select(link.c.owner_id, link.c.pred, link.c.succ).where(link.c.owner_id.in_(numbers)))
    return {(owner, pred, succ) for owner, pred, succ in rows}


_TASK_COLUMNS = tuple(name for name in FIELDS["task"] if name in task.c)


def _task_row(number: int, source: Site, found: Record, row: Row) -> dict[str, Any]:
    created = row.values.get("created_at")
    local = created.astimezone(source.zone).date() if isinstance(created, dt.datetime) else None
    bits = BIT["task"]
    return {
        "id": number,
        "site": source.name,
        "rid": found.id,
        "key": found.key,
        "url": found.url,
        **{name: _column(row.values.get(name)) for name in _TASK_COLUMNS},
        "created_day": None if local is None else day_number(local),
        "offered": sum(bits[name] for name in row.offered if name in bits) | bits["status_mapped"],
        "gaps": len(row.gaps),
    }


def _column(value: Any) -> Any:
    """A model value as its column holds it."""
    match value:
        case dt.datetime():
            return int(value.timestamp() * 1_000_000)
        case dt.date():
            return day_number(value)
        case Person():
            return value.id
        case bool():
            return int(value)
        case _:
            return value


def _memberships(connection: Connection) -> None:
    """Which project each touched task counts in: the strictest one judges it, every one counts it once."""
    here = select(touched.c.subject_id).where(touched.c.subject == "task")
    members = (
        select(record_scope.c.record_id.label("task_id"), container.c.project_id)
        .join(record, record.c.id == record_scope.c.record_id)
        .join(task, task.c.id == record.c.id)
        .join(
            container,
            and_(container.c.site == record.c.site, literal("project:") + container.c.rid == record_scope.c.scope),
        )
        .where(record.c.id.in_(here))
        .distinct()
    )
    leaving = select(literal("project"), task_project.c.project_id, literal(1)).where(task_project.c.task_id.in_(here))
    _touch(connection, leaving.distinct())
    connection.execute(delete(task_project).where(task_project.c.task_id.in_(here)))
    connection.execute(task_project.insert().from_select(["task_id", "project_id"], members))
    _touch(connection, leaving.distinct())
    strictest = (
        select(task_project.c.project_id)
        .join(project, project.c.id == task_project.c.project_id)
        .where(task_project.c.task_id == task.c.id)
        .order_by(project.c.mode.desc(), project.c.id)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(update(task).where(task.c.id.in_(here)).values(project_id=strictest))
    mode = select(func.coalesce(project.c.mode, 0)).where(project.c.id == task.c.project_id).scalar_subquery()
    connection.execute(update(task).values(mode=func.coalesce(mode, 0)).where(task.c.mode != func.coalesce(mode, 0)))


def _observe(connection: Connection) -> None:
    """A task is observed when its site is and one of its scopes is; a project, when what is in it is observed as well.

    What becomes observed again is touched.
    """
    calm = exists().where(site.c.name == record.c.site, func.coalesce(site.c.trouble, "") == "")
    seen = exists().where(
        record_scope.c.record_id == record.c.id,
        scope.c.site == record.c.site,
        scope.c.scope == record_scope.c.scope,
        scope.c.observed == 1,
    )
    now = select(case((and_(calm, seen), 1), else_=0)).where(record.c.id == task.c.id).scalar_subquery()
    flipped = select(literal("task"), task.c.id, literal(1)).where(task.c.observed != now)
    _touch(connection, flipped)
    connection.execute(update(task).values(observed=now).where(task.c.observed != now))
    for name in connection.scalars(select(site.c.name)).all():
        _touch_neighbours(connection, name)
    unread = exists().where(
        scope.c.site == record.c.site,
        scope.c.scope == literal("project:").concat(record.c.rid),
        scope.c.observed == 0,
    )
    all_seen = (
        select(func.min(case((and_(calm, seen, ~unread), 1), else_=0)))
        .select_from(container)
        .join(record, record.c.id == container.c.record_id)
        .where(container.c.project_id == project.c.id)
        .scalar_subquery()
    )
    theirs = func.coalesce(all_seen, 0)
    _touch(connection, select(literal("project"), project.c.id, literal(1)).where(project.c.observed != theirs))
    connection.execute(update(project).values(observed=theirs).where(project.c.observed != theirs))


# --- small parts ------------------------------------------------------------------------------------------------------


def _records(
    connection: Connection, name: str, kind: Kind, which: ColumnElement[bool], *, with_gone: bool = False
) -> Iterator[tuple[int, Any]]:
    """Stored records of a site; gone ones come as None when they are asked for."""
    last = 0
    while True:
        rows = connection.execute(
            select(record)
            .where(record.c.site == name, record.c.kind == kind, which, record.c.id > last)
            .order_by(record.c.id)
            .limit(CHUNK)
        ).all()
        for row in rows:
            last = row.id
            if not row.gone:
                yield row.id, Record(kind, row.rid, row.key, row.url, row.version, (), _values(row.body))
            elif with_gone:
                yield row.id, None
        if len(rows) < CHUNK:
            return


def _values(body: str) -> dict[str, Value]:
    return {key: decode(value) for key, value in orjson.loads(body).items()}


def _in_chunks(items: Iterable[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
    some: list[tuple[int, Any]] = []
    for item in items:
        some.append(item)
        if len(some) == CHUNK:
            yield some
            some = []
    if some:
        yield some


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(items), CHUNK):
        yield items[begin : begin + CHUNK]


def _touch(connection: Connection, rows: Select[Any], *, seed: bool = True) -> None:
    """Add (subject, id, data) rows to the touched ones; what is there already keeps the stronger reason."""
    source = rows.subquery()
    statement = insert(touched).from_select(
        ["subject", "subject_id", "data", "seed"], select(*source.c, literal(int(seed))).where(literal(True))
    )
    new = statement.excluded
    stronger = {
        name: case((new[name] > touched.c[name], new[name]), else_=touched.c[name]) for name in ("data", "seed")
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_=stronger))


def _touch_ids(connection: Connection, subject: str, ids: Sequence[int]) -> None:
    if ids:
        rows = [{"subject": subject, "subject_id": number, "data": 1, "seed": 1} for number in ids]
        connection.execute(insert(touched).on_conflict_do_nothing(), rows)


def _touch_neighbours(connection: Connection, name: str) -> None:
    """The parents and successors of touched tasks: the facts about them count the tasks that changed."""
    changed = task.alias("changed")
    parents = (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(changed, changed.c.id == touched.c.subject_id)
        .join(task, and_(task.c.site == changed.c.site, task.c.rid == changed.c.parent))
        .where(touched.c.subject == "task", touched.c.seed == 1, changed.c.site == name)
        .group_by(task.c.id)
    )
    successors = (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(changed, changed.c.id == touched.c.subject_id)
        .join(link, and_(link.c.site == changed.c.site, link.c.pred == changed.c.rid))
        .join(task, and_(task.c.site == link.c.site, task.c.rid == link.c.succ))
        .where(touched.c.subject == "task", touched.c.seed == 1, changed.c.site == name)
        .group_by(task.c.id)
    )
    both_ends = (
        select(literal("task"), task.c.id, func.max(touched.c.data))
        .select_from(touched)
        .join(link, link.c.owner_id == touched.c.subject_id)
        .join(task, and_(task.c.site == link.c.site, or_(task.c.rid == link.c.succ, task.c.rid == link.c.pred)))
        .where(touched.c.subject == "task", touched.c.seed == 1, link.c.site == name)
        .group_by(task.c.id)
    )
    for rows in (parents, successors, both_ends):
        _touch(connection, rows, seed=False)
