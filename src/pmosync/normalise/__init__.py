"""Turn records into tasks, people and projects of the common model, as the mappings say.

Only what changed is read again; everything of a site when its mapping changed, without asking the tool. What a mapping
cannot read becomes a gap, never a guess. Leaves behind, in `touched`, the subjects whose facts and verdicts may move:
those that changed and their neighbours, as they stood before and as they stand after.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Executable, and_, case, delete, exists, func, literal, or_, select, update

from pmosync.modes import Modes
from pmosync.normalise.allocations import ALLOCATIONS
from pmosync.normalise.humans import humans
from pmosync.normalise.projects import projects
from pmosync.normalise.stored import CHUNK
from pmosync.normalise.tasks import people, tasks
from pmosync.normalise.touching import touch_neighbours, touching
from pmosync.normalise.worklogs import WORKLOGS
from pmosync.people import Staff
from pmosync.register import Register
from pmosync.site import Site
from pmosync.store.tables import container, project, record, record_scope, scope, site, task, task_project, touched

__all__ = ["Normalised", "normalise"]


@dataclass(slots=True)
class Normalised:
    """What was read again."""

    tasks: int = 0
    remapped: set[str] = field(default_factory=set)
    """Sites whose mapping is not the one that their tasks were made with."""
    links_changed: bool = False


def normalise(
    connection: Connection,
    sites: Sequence[Site],
    register: Register,
    modes: Modes,
    staff: Staff,
    *,
    everything: bool = False,
) -> Normalised:
    """Bring projects, people and tasks up to date with the records.

    A site whose mapping still has names to look up is left as it was: it could not be asked for them.

    Args:
        modes: how hard is asked, to find the strictest project of a task.
        staff: how people work.
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
        projects(connection, ready, register, modes)
    for source in ready:
        people(connection, source)
    humans(connection, staff)
    for source in ready:
        again = everything or source.name in result.remapped
        read = tasks(connection, source, again=again)
        result.tasks += read.tasks
        result.links_changed |= read.links_changed
        WORKLOGS.read(connection, source, again=again)
        ALLOCATIONS.read(connection, source, again=again)
        connection.execute(update(site).where(site.c.name == source.name).values(mapping=source.mapping.hash))
    _memberships(connection)
    for source in ready:
        WORKLOGS.observe(connection, source)
        ALLOCATIONS.observe(connection, source)
    _observe(connection)
    _count_changes(connection)
    settled = [] if held else [source.name for source in ready]  # what lacked its project is read again
    _settle(connection, settled)
    return result


def _settle(connection: Connection, names: Sequence[str]) -> None:
    """Mark the records of these sites as read, a few thousand at a time: SQLite keeps what one statement overwrites in
    memory, and that would be the pages of all of them."""
    while True:
        some = select(record.c.id).where(record.c.dirty == 1, record.c.site.in_(names)).limit(CHUNK)
        if not connection.execute(update(record).where(record.c.id.in_(some)).values(dirty=0)).rowcount:
            return


def _held(connection: Connection, names: Sequence[str]) -> bool:
    """Whether there are projects of sites whose mapping cannot be used now: what was made of them then stays."""
    held = select(func.count()).where(record.c.site.in_(names), record.c.kind == "project", record.c.gone == 0)
    return bool(connection.scalar(held))


def _count_changes(connection: Connection) -> None:
    """Let the sequence of every project grow in which data changed, so that its rollup can name that as a cause."""
    connection.execute(_counting())


@functools.cache
def _counting() -> Executable:
    changed = select(touched.c.subject_id).where(touched.c.subject == "task", touched.c.data == 1)
    theirs = select(task_project.c.project_id).where(task_project.c.task_id.in_(changed))
    own = select(touched.c.subject_id).where(touched.c.subject == "project", touched.c.data == 1)
    moved = or_(project.c.id.in_(theirs), project.c.id.in_(own))
    return update(project).where(moved).values(seq=project.c.seq + 1)


@functools.cache
def _observing_sites() -> tuple[Executable, ...]:
    """Remember of each site whether all its projects are observed; where that turns, the tasks whose parent is not
    there are looked at again: it may stand in one that was not read."""
    unread = and_(scope.c.site == site.c.name, scope.c.scope.startswith("project:"), scope.c.observed == 0)
    now = case((exists().where(unread), 0), else_=1)
    turned = select(site.c.name).where(site.c.projects_observed != now)
    parent = task.alias("parent")
    there = exists().where(parent.c.site == task.c.site, parent.c.rid == task.c.parent)
    lost = and_(task.c.site.in_(turned), task.c.parent.is_not(None), ~there)
    return (
        touching(select(literal("task"), task.c.id, literal(1)).where(lost), seed=False),
        update(site).values(projects_observed=now).where(site.c.projects_observed != now),
    )


def _memberships(connection: Connection) -> None:
    """Which project each touched task counts in: the strictest one judges it, every one counts it once."""
    for statement in _belonging():
        connection.execute(statement)


@functools.cache
def _belonging() -> tuple[Executable, ...]:
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
    strictest = (
        select(task_project.c.project_id)
        .join(project, project.c.id == task_project.c.project_id)
        .where(task_project.c.task_id == task.c.id)
        .order_by(project.c.mode.desc(), project.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return (
        touching(leaving.distinct()),
        delete(task_project).where(task_project.c.task_id.in_(here)),
        task_project.insert().from_select(["task_id", "project_id"], members),
        touching(leaving.distinct()),
        update(task).where(task.c.id.in_(here)).values(project_id=strictest),
    )


def _observe(connection: Connection) -> None:
    """A task is observed when its site is and one of its scopes is; a project, when what is in it is observed as well.

    What becomes observed again is touched.
    """
    of_tasks, of_projects = _observing()
    for statement in of_tasks:
        connection.execute(statement)
    for name in connection.scalars(select(site.c.name)).all():
        touch_neighbours(connection, name)
    for statement in (*_observing_sites(), *of_projects):
        connection.execute(statement)


@functools.cache
def _observing() -> tuple[Sequence[Executable], Sequence[Executable]]:
    """What is done for tasks, and for projects."""
    calm = exists().where(site.c.name == record.c.site, func.coalesce(site.c.trouble, "") == "")
    seen = exists().where(
        record_scope.c.record_id == record.c.id,
        scope.c.site == record.c.site,
        scope.c.scope == record_scope.c.scope,
        scope.c.observed == 1,
    )
    now = select(case((and_(calm, seen), 1), else_=0)).where(record.c.id == task.c.id).scalar_subquery()
    flipped = select(literal("task"), task.c.id, literal(1)).where(task.c.observed != now)
    of_tasks = touching(flipped), update(task).values(observed=now).where(task.c.observed != now)
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
    turned = project.c.observed != theirs
    of_projects = (
        touching(select(literal("project"), project.c.id, literal(1)).where(turned)),
        update(project).values(observed=theirs).where(turned),
    )
    return of_tasks, of_projects
