"""Plan: what would be written, decided by one table and kept as a value that can be shown, saved and checked.

| wanted | there | slot | so |
|---|---|---|---|
| x | x | ours | nothing |
| x | x | shared, not ours | nothing; claim it only if an intention for x is stored |
| x | empty | never written | write x |
| x | empty | ours | write x once more; removed again by a person within 7 days: leave it, report a dispute |
| x | y | ours | write x, report the edit; third time within 7 days: leave it, report a dispute |
| x | y | not ours | leave it, report it |
| nothing | x | ours | clear it |
| nothing | y | ours | clear it if the slot is ours by name, else leave it, report it |
| nothing | anything | not ours | leave it |
| any | unreadable or unobserved | any | freeze, report once |

A slot is ours *by name* when nobody else writes there, or *by receipt* when what stands there is what we wrote last or
were about to write. `_decision` is this table as one CASE.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union,
    update,
)

from pmosync.contract import Change, MarkedKind, Slot, SlotKind
from pmosync.errors import GuardRefused, Misconfigured, PlanMoved
from pmosync.store.tables import (
    container,
    event,
    limitation,
    mark,
    project,
    record,
    record_scope,
    scope,
    site,
    task,
    wanted,
)

DISPUTE_DAYS = 7
REMOVALS, EDITS = 1, 2
"""So often we write again what somebody removed or changed within seven days; then it is a dispute."""

Verb = Literal["write", "clear"]


@dataclass(frozen=True, slots=True)
class Line:
    """One change, or one slot that is left alone for a reason worth telling (`verb` empty)."""

    site: str
    subject: str
    rid: str
    key: str
    project: str
    slot: str
    verb: str
    before: str | None
    after: str | None
    causes: str = ""
    note: str = ""
    event_id: int = 0
    inputs: str = ""
    title: str = ""
    """What the item is called, for people."""

    def change(self, tried_at: dt.datetime | None = None) -> Change:
        """As the connector takes it.

        Args:
            tried_at: when it was begun before and its fate got lost.
        """
        return Change(self.place, self.before, self.after, self.project, self.key, tried_at)

    @property
    def place(self) -> Slot:
        """The slot, as connectors name it."""
        subject: MarkedKind = "task" if self.subject == "task" else "project" if self.subject == "project" else "rollup"
        return Slot(subject, self.rid, self.slot)


@dataclass(slots=True)
class Plan:
    """What would be written. `basis` holds the hashes of what it was made from."""

    changes: list[Line] = field(default_factory=list)
    left: list[Line] = field(default_factory=list)
    """Slots left alone: somebody else's, disputed, frozen, or not writable."""
    basis: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, int] = field(default_factory=dict)
    """Subjects in scope, by site: what the guard compares with."""
    setup: list[str] = field(default_factory=list)
    """What would be made once on the sites before the first mark is written, one sentence each."""

    def of(self, name: str) -> list[Line]:
        """The changes of one site."""
        return [line for line in self.changes if line.site == name]

    def counts(self) -> dict[str, int]:
        """Changes by verb."""
        found: dict[str, int] = {}
        for line in self.changes:
            found[line.verb] = found.get(line.verb, 0) + 1
        return found


def make(
    connection: Connection,
    slots: Mapping[str, Sequence[SlotKind]],
    inputs: Mapping[str, str],
    basis: Mapping[str, str],
) -> Plan:
    """Compare the marks wanted with the marks known.

    Args:
        slots: the slots in use, by site.
        inputs: what the marks of each site are made from, as `cause=hash` words: what differs from the words that were
            stored with a mark is a cause of its change.
    """
    plan = Plan(basis=dict(basis))
    plan.subjects = {name: _in_scope(connection, name) for name in slots}
    for name, kinds in slots.items():
        for kind in kinds:
            for row in connection.execute(_comparison(name, kind)):
                _place(plan, row, inputs.get(name, ""))
    order = {"task": 0, "project": 1, "rollup": 2}
    plan.changes.sort(key=lambda line: (line.site, order[line.subject], line.rid, line.slot))
    return plan


def _place(plan: Plan, row: Any, inputs: str) -> None:
    if row.decision in ("", "claim"):
        return
    line = Line(
        site=row.site,
        subject=row.subject,
        rid=row.rid,
        key=row.key or row.rid,
        project=row.project or "",
        slot=row.slot,
        verb="",
        before=row.there,
        after=row.value,
        title=row.title or "",
    )
    if row.decision in ("write", "again", "edited", "clear", "clear edited"):
        verb = "clear" if row.decision.startswith("clear") else "write"
        by_people = row.decision in ("again", "edited", "clear edited")
        note = {"again": "somebody removed it", "edited": "somebody changed it"}.get(row.decision, "")
        causes = "edited by somebody" if by_people else _causes(row, inputs)
        told = f"{inputs} data={row.seq}" if row.seq is not None else inputs
        plan.changes.append(
            replace(line, verb=verb, causes=causes, note=note, event_id=row.last_event or 0, inputs=told)
        )
    else:
        plan.left.append(replace(line, note=row.decision if not row.limit_why else row.limit_why))


def _causes(row: Any, inputs: str) -> str:
    """The causes of the findings' changes since this slot was written last; for a rollup, and where no finding

    changed, also those of the inputs that differ from the ones that the mark was made from.
    """
    told = [part.split(";")[0].strip() for part in (row.causes or "").split(",")]
    found = dict.fromkeys(part for part in told if part)
    if row.seq is not None or not found:
        before = _words(row.inputs or "")
        now = _words(inputs) | ({} if row.seq is None else {"data": str(row.seq)})
        found |= dict.fromkeys(name for name, value in now.items() if before and before.get(name) != value)
    return ", ".join(found) or "data"


def _words(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split())


def _comparison(name: str, kind: SlotKind) -> Any:
    """One row for every item with something wanted or something there in this slot, with the decision."""
    here = and_(mark.c.site == name, mark.c.subject == kind.subject, mark.c.slot == kind.name)
    asked = and_(wanted.c.site == name, wanted.c.subject == kind.subject, wanted.c.slot == kind.name)
    items = union(
        select(mark.c.rid).where(here, or_(mark.c.there.is_not(None), mark.c.written == 1)),
        select(wanted.c.rid).where(asked),
    ).subquery()
    first_scope = (
        select(func.min(record_scope.c.scope))
        .where(record_scope.c.record_id == record.c.id)
        .correlate(record)
        .scalar_subquery()
    )
    place = func.coalesce(
        func.nullif(wanted.c.place, ""),
        case((record.c.kind == "project", record.c.rid), else_=func.replace(first_scope, "project:", "")),
    )
    limited = (
        select(limitation.c.why)
        .where(limitation.c.site == name, limitation.c.slot == kind.name, limitation.c.project.in_([place, "*"]))
        .limit(1)
        .correlate(record)
        .scalar_subquery()
    )
    since = func.coalesce(mark.c.event_id, 0)
    events = and_(event.c.subject == kind.subject, event.c.subject_id == _subject_id(kind), event.c.id > since)
    causes = select(func.group_concat(event.c.causes.distinct())).where(events).scalar_subquery()
    last = select(func.max(event.c.id)).where(events).scalar_subquery()
    return (
        select(
            literal(name).label("site"),
            literal(kind.subject).label("subject"),
            items.c.rid,
            record.c.key,
            _title(kind).label("title"),
            place.label("project"),
            literal(kind.name).label("slot"),
            mark.c.there,
            wanted.c.value,
            mark.c.inputs,
            causes.label("causes"),
            func.coalesce(last, since).label("last_event"),
            _sequence(kind).label("seq"),
            limited.label("limit_why"),
            _decision(name, kind, _frozen(name, kind), limited).label("decision"),
        )
        .select_from(items)
        .outerjoin(mark, and_(here, mark.c.rid == items.c.rid))
        .outerjoin(wanted, and_(asked, wanted.c.rid == items.c.rid))
        .outerjoin(record, and_(record.c.site == name, record.c.kind == kind.subject, record.c.rid == items.c.rid))
        .order_by(items.c.rid)
    )


def _subject_id(kind: SlotKind) -> ColumnElement[Any]:
    """The number of the task or project that events name; a rollup has none."""
    if kind.subject == "task":
        return record.c.id
    if kind.subject == "rollup":
        return null()
    return (
        select(container.c.project_id)
        .where(container.c.site == record.c.site, container.c.rid == record.c.rid)
        .scalar_subquery()
    )


def _title(kind: SlotKind) -> ColumnElement[Any]:
    if kind.subject == "rollup":
        return wanted.c.title
    if kind.subject == "task":
        return select(task.c.title).where(task.c.id == record.c.id).scalar_subquery()
    return (
        select(project.c.title)
        .join(container, container.c.project_id == project.c.id)
        .where(container.c.record_id == record.c.id)
        .scalar_subquery()
    )


def _sequence(kind: SlotKind) -> ColumnElement[Any]:
    """When the data of a project or rollup changed last; tasks have their events for that."""
    if kind.subject == "task":
        return null()
    if kind.subject == "rollup":
        return func.coalesce(wanted.c.seq, 0)
    return (
        select(project.c.seq)
        .join(container, container.c.project_id == project.c.id)
        .where(container.c.record_id == record.c.id)
        .scalar_subquery()
    )


def _frozen(name: str, kind: SlotKind) -> ColumnElement[bool]:
    """Whether the item could not be observed; what is gone or left out by the mapping is not frozen.

    Of a rollup: whether its place could not be looked at. What it tells waits in `wanted` until all of it is observed.
    """
    if kind.subject == "rollup":
        return exists().where(scope.c.site == name, scope.c.scope == "rollups", scope.c.observed == 0)
    if kind.subject == "task":
        return exists().where(task.c.id == record.c.id, task.c.observed == 0)
    return exists().where(
        container.c.record_id == record.c.id, project.c.id == container.c.project_id, project.c.observed == 0
    )


def _decision(
    name: str, kind: SlotKind, frozen: ColumnElement[bool], limited: ColumnElement[Any]
) -> ColumnElement[str]:
    """The table of this module as one CASE. Empty: nothing to do, nothing to tell."""
    want, there, wrote, intent = wanted.c.value, mark.c.there, mark.c.wrote, mark.c.intent
    written = func.coalesce(mark.c.written, 0) == 1
    today = select(func.coalesce(site.c.today, 0)).where(site.c.name == name).scalar_subquery()
    recent = func.coalesce(mark.c.contest_day + DISPUTE_DAYS > today, False)
    contests = case((recent, func.coalesce(mark.c.contests, 0)), else_=0)
    as_we_left_it = or_(there == wrote, there == intent)
    by_name = kind.ours == "name"
    ours = literal(True) if by_name else func.coalesce(as_we_left_it, False)
    edited = and_(written, ~func.coalesce(as_we_left_it, False))
    foreign = "somebody else's value: left as it is"
    nothing_to_do = or_(want == there, and_(want.is_(None), there.is_(None)))
    return case(
        (nothing_to_do, case((and_(want == intent, ~written), "claim"), else_="")),
        (func.coalesce(mark.c.why, "") != "", "cannot be read: left as it is"),
        (frozen, "not observed: left as it is"),
        (limited.is_not(None), "may not be written"),
        (
            and_(want.is_not(None), there.is_(None)),
            case(
                (or_(~written, wrote.is_(None)), "write"),
                (contests >= REMOVALS, "dispute: removed again within 7 days"),
                else_="again",
            ),
        ),
        (
            want.is_not(None),
            case(
                (~ours & ~written, foreign),
                (~edited, "write"),
                (contests >= EDITS, "dispute: changed again within 7 days"),
                (literal(by_name), "edited"),
                else_=foreign,
            ),
        ),
        (ours, case((edited, "clear edited"), else_="clear")),
        else_=case((written, foreign), else_=""),
    )


def clear_all(connection: Connection, slots: Mapping[str, Sequence[SlotKind]]) -> Plan:
    """A plan that takes every mark away: what is wanted is nothing."""
    connection.execute(delete(wanted))
    plan = make(connection, slots, {}, {})
    plan.changes = [replace(line, causes="retract") for line in plan.changes]
    return plan


def _in_scope(connection: Connection, name: str) -> int:
    rows = select(func.count()).select_from(task).where(task.c.site == name)
    return connection.scalar(rows) or 0


def adopt(connection: Connection, slots: Mapping[str, Sequence[SlotKind]]) -> None:
    """Recognise what is ours: by name after a rebuild, or what we were about to write when a run died."""
    for name, kinds in slots.items():
        for kind in kinds:
            if kind.ours == "name":
                here = and_(mark.c.site == name, mark.c.subject == kind.subject, mark.c.slot == kind.name)
                new = and_(here, mark.c.written == 0, mark.c.there.is_not(None))
                connection.execute(update(mark).where(new).values(written=1, wrote=mark.c.there))
    landed = and_(mark.c.intent.is_not(None), mark.c.there == mark.c.intent)
    connection.execute(update(mark).where(landed).values(wrote=mark.c.there, written=1, intent=None, intent_at=None))


# --- the guard --------------------------------------------------------------------------------------------------------

GUARD_FROM = 20
"""The share counts from this many subjects on."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How much one plan may change on one site without a person's approval."""

    max_share: float
    max_changes: int

    def check(self, plan: Plan, approved: Mapping[str, int]) -> None:
        """Refuse a plan that changes too much.

        Args:
            approved: changes that somebody approved, by site.

        Raises:
            GuardRefused: with the numbers and the way to approve.
        """
        for name in sorted({line.site for line in plan.changes}):
            lines = plan.of(name)
            items = len({(line.subject, line.rid) for line in lines})
            total = plan.subjects.get(name, 0)
            share = items / total if total else 1.0
            too_many = len(lines) > self.max_changes
            too_much = total >= GUARD_FROM and share > self.max_share
            if (too_many or too_much) and len(lines) > approved.get(name, 0):
                reason = (
                    f"{len(lines)} changes, more than {self.max_changes}"
                    if too_many
                    else (f"{items} of {total} items would change: {share:.0%}, more than {self.max_share:.0%}")
                )
                raise GuardRefused(
                    f"{name}: {reason}. Nothing was written. Look at it with `pmosync plan --out FILE`, "
                    'then `pmosync apply FILE --approve "why this is right"`'
                )


# --- the plan as a file -----------------------------------------------------------------------------------------------


def save(plan: Plan, path: Path) -> str:
    """Write the plan as JSON lines: basis, changes in order, and a checksum over slots and values; returns it."""
    checksum = digest(plan.changes)
    lines = [orjson.dumps({"basis": plan.basis, "subjects": plan.subjects, "setup": plan.setup})]
    lines += [orjson.dumps(asdict(line)) for line in plan.changes]
    lines.append(orjson.dumps({"changes": len(plan.changes), "sha256": checksum}))
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
    temporary.replace(path)
    return checksum


def load(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        Misconfigured: it is no plan, was cut off, or was edited.
    """
    again = "make it anew with `pmosync plan --out FILE`"
    try:
        head, *body, tail = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        changes = [Line(**line) for line in body]
        end = (tail["changes"], tail["sha256"])
        plan = Plan(changes, [], head["basis"], head["subjects"], head["setup"])
    except OSError as error:
        raise Misconfigured(f"cannot be read ({error.strerror})", where=str(path), hint=again) from error
    except (ValueError, TypeError, KeyError, orjson.JSONDecodeError) as error:
        raise Misconfigured("is no saved plan", where=str(path), hint=again) from error
    if end != (len(changes), digest(changes)):
        raise Misconfigured("was changed or cut off after it was saved", where=str(path), hint=again)
    return plan


def digest(lines: Iterable[Line]) -> str:
    """SHA-256 over slot, before and after of every change; not over causes, which age."""
    found = hashlib.sha256()
    for line in lines:
        found.update(orjson.dumps([line.site, line.subject, line.rid, line.slot, line.before, line.after]))
    return found.hexdigest()


def same_basis(saved: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse a saved plan that was made from other standards, mappings, waivers or another calendar.

    Raises:
        PlanMoved: naming what moved.
    """
    moved = sorted(name for name in saved.keys() | now.keys() if saved.get(name) != now.get(name))
    if moved:
        raise PlanMoved(
            f"the plan was made from another {', '.join(moved)}: nothing was written. Make it anew with `pmosync plan`"
        )
