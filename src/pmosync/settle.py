"""Settle: turn verdicts that moved into findings with a life, each change with its causes.

| the verdict | the finding |
|---|---|
| became a failure | `new`, since today, or since the day that our own mark in the tool says |
| is a failure that is held back or told for the first time | `new`, then `open` |
| is a failure that reached the lead's step of the notice ladder | `escalated` |
| is a failure and a waiver holds | `waived` |
| is a failure that was accepted when its standard was first asked | `accepted` |
| stopped being a failure | `resolved`, or `cannot be judged` when a value that it needs is empty now |
| belongs to a subject that is gone | `resolved`, because it left the scope, and how, if that is known |

Causes are what changed between the last judging and this one, of what the standard depends on: the data of the subject
or its neighbours, the standard itself, the mapping, a waiver, the calendar, time; pmosync itself when nothing else did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from pmosync.ladder import FAILING, HELD, LEAD, Ladder, climb_now, mode_now, step_now
from pmosync.model import FIELDS, PASSING, Subject
from pmosync.standards import Standard
from pmosync.store import insert_all, upsert
from pmosync.store.people import SUBJECT_TABLES, account, person_week
from pmosync.store.tables import (
    acceptance,
    asked,
    container,
    event,
    finding,
    mark,
    project,
    record,
    site,
    task,
    task_project,
    touched,
)
from pmosync.waiving import waived_at

_AT_ONCE = 5000
"""Subjects whose findings are looked at together."""
ACTIVE = (*FAILING, "waived", "accepted")
FATES: Mapping[str, str] = {
    "deleted": "it was deleted",
    "archived": "it was archived",
    "moved": "it was moved to another project",
    "outside": "the mapping's filter leaves it out now",
    "hidden": "it was deleted or is no longer visible",
}
"""What a connector may say about a record that is gone, in words for people."""
ReadSince = Callable[[str], Mapping[str, int]]
"""Reads the `since` days back from a mark of ours, by standard."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What changed since the store was judged last."""

    standards: Collection[str] = ()
    mappings: Collection[str] = ()
    """Sites whose mapping changed."""
    calendar: bool = False
    days: Collection[str] = ()
    """Sites where a new day began."""
    asking: bool = False
    """Whether somebody changed how hard is asked."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A verdict that moved, as `judge` reports it."""

    subject: Subject
    subject_id: int
    standard: str
    failed: bool
    known: bool
    empty: tuple[str, ...] = ()
    """The fields without a value, when it cannot be judged any more."""


@dataclass(slots=True)
class Settled:
    """How many findings came and went."""

    new: int = 0
    resolved: int = 0
    waived: int = 0
    lapsed: int = 0
    causes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _About:
    site: str
    day: int
    data: bool
    alive: bool
    fate: str = ""


def settle(
    connection: Connection,
    moves: Iterable[Sequence[Moved]],
    standards: Mapping[str, Standard],
    inputs: Inputs,
    read_since: ReadSince,
    ladder: Ladder,
    *,
    everything: bool,
) -> Settled:
    """Bring the findings up to date; the evidence of touched ones is taken again by `show`.

    Args:
        moves: some thousand at a time, so that a first judging of everything holds few of them.
        everything: look at how all findings stand, else at those of touched subjects.
    """
    result = Settled()
    told = and_(finding.c.state == "new", func.coalesce(finding.c.step, LEAD) > HELD)
    connection.execute(update(finding).where(told).values(state="open"))
    for some in moves:
        _settle(connection, some, standards, inputs, read_since, result)
    _stand(connection, inputs, result, ladder, everything=everything)
    return result


def _settle(
    connection: Connection,
    moves: Sequence[Moved],
    standards: Mapping[str, Standard],
    inputs: Inputs,
    read_since: ReadSince,
    result: Settled,
) -> None:
    about = _about(connection, moves)
    stored = _stored(connection, moves)
    since = _read_back(connection, [move for move in moves if move.failed], read_since)
    today = connection.scalar(select(func.max(site.c.today))) or 0
    fates = _fates(connection, [move.subject_id for move in moves if (move.subject, move.subject_id) not in about])
    rows, events = [], []
    for move in moves:
        before = stored.get((move.subject, move.subject_id, move.standard))
        fate = fates.get(move.subject_id, "") if move.subject == "task" else ""
        place = about.get((move.subject, move.subject_id)) or _About("", today, False, False, fate)
        if move.failed or before in ACTIVE:
            causes = _causes(move, place, standards.get(move.standard), inputs)
            now = "new" if move.failed else "resolved"
            events.append(_event(move, place, str(before or "none"), now, causes))
            day = since.get((move.subject, move.subject_id), {}).get(move.standard, place.day)
            rows.append(_row(move, place, now, day, causes))
            result.new += move.failed
            result.resolved += not move.failed
            result.causes[causes] = result.causes.get(causes, 0) + 1
    _write(connection, rows)
    with_data = {key for key, place in about.items() if place.data}
    _grow(connection, [move for move in moves if (move.subject, move.subject_id) in with_data])
    insert_all(connection, event, events)


def _grow(connection: Connection, moves: Iterable[Moved]) -> None:
    """Let the sequence of every project grow in which people work of whom something else is found now."""
    persons = [move.subject_id for move in moves if move.subject == "person"]
    weeks = [move.subject_id for move in moves if move.subject == "person_week"]
    if not persons and not weeks:
        return
    theirs = or_(
        account.c.human_id.in_(persons),
        account.c.human_id.in_(select(person_week.c.human_id).where(person_week.c.id.in_(weeks))),
    )
    inside = (
        select(task_project.c.project_id)
        .join(task, task.c.id == task_project.c.task_id)
        .join(account, and_(account.c.site == task.c.site, account.c.rid == task.c.assignee))
        .where(theirs)
    )
    connection.execute(update(project).where(project.c.id.in_(inside)).values(seq=project.c.seq + 1))


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    fresh = [row for row in rows if row["state"] == "new"]
    upsert(connection, finding, fresh)
    ended = [
        {f"b_{name}": row[name] for name in ("subject", "subject_id", "standard", "resolved_on", "causes")}
        for row in rows
        if row["state"] == "resolved"
    ]
    if ended:
        connection.execute(
            update(finding)
            .where(
                finding.c.subject == bindparam("b_subject"),
                finding.c.subject_id == bindparam("b_subject_id"),
                finding.c.standard == bindparam("b_standard"),
            )
            .values(
                state="resolved",
                resolved_on=bindparam("b_resolved_on"),
                causes=bindparam("b_causes"),
                accepted_on=None,
                acceptance_ended=func.coalesce(finding.c.accepted_on, finding.c.acceptance_ended),
            ),
            ended,
        )


def _row(move: Moved, place: _About, state: str, since: int, causes: str) -> dict[str, Any]:
    return {
        "subject": move.subject,
        "subject_id": move.subject_id,
        "standard": move.standard,
        "site": place.site,
        "state": state,
        "since": since,
        "resolved_on": place.day if state == "resolved" else None,
        "waived_until": None,
        "causes": causes,
        "step": None,
        "accepted_on": None,
    }


def _event(move: Moved, place: _About, was: str, now: str, causes: str) -> dict[str, Any]:
    row = {"day": place.day, "subject": move.subject, "subject_id": move.subject_id, "standard": move.standard}
    return {**row, "was": was, "now": now, "causes": causes}


def _causes(move: Moved, place: _About, standard: Standard | None, inputs: Inputs) -> str:
    """The causes of one move, in the words of the glossary, separated by a comma."""
    passed = move.subject in PASSING and bool(inputs.days)  # a week ahead came into sight, or lies behind us now
    if not place.alive:
        if passed:
            return "time"
        return f"left the scope; {FATES[place.fate]}" if place.fate in FATES else "left the scope"
    found = []
    if place.data or not (move.known or passed):
        found.append("data")
    if passed and not move.known:
        found.append("time")
    if move.known:
        if move.standard in inputs.standards or standard is None:
            found.append("standard")
        if place.site in inputs.mappings:
            found.append("mapping")
        if inputs.calendar and standard is not None and standard.uses_calendar:
            found.append("calendar")
        if place.site in inputs.days and standard is not None and standard.uses_day:
            found.append("time")
    causes = ", ".join(found or ["pmosync"])
    return f"{causes}; cannot be judged: {' and '.join(move.empty)} is empty" if move.empty else causes


def _about(connection: Connection, moves: Iterable[Moved]) -> dict[tuple[str, int], _About]:
    found: dict[tuple[str, int], _About] = {}
    wanted: dict[Subject, list[int]] = {}
    for move in moves:
        wanted.setdefault(move.subject, []).append(move.subject_id)
    for subject, ids in wanted.items():
        own = SUBJECT_TABLES[subject]
        seen = and_(touched.c.subject == subject, touched.c.subject_id == own.c.id)
        rows = (
            select(own.c.id, own.c.site, site.c.today, func.coalesce(touched.c.data, 0))
            .join(site, site.c.name == own.c.site)
            .outerjoin(touched, seen)
        )
        for begin in range(0, len(ids), 5000):
            for number, name, day, data in connection.execute(rows.where(own.c.id.in_(ids[begin : begin + 5000]))):
                found[subject, number] = _About(name, day, bool(data), True)
    return found


def _fates(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """What became of tasks that are gone, as far as their connector knew."""
    found: dict[int, str] = {}
    for begin in range(0, len(ids), 5000):
        rows = select(record.c.id, record.c.fate).where(record.c.id.in_(ids[begin : begin + 5000]), record.c.gone == 1)
        found.update((number, fate) for number, fate in connection.execute(rows))
    return found


def _stored(connection: Connection, moves: Iterable[Moved]) -> dict[tuple[str, int, str], str]:
    ids = sorted({move.subject_id for move in moves})
    found: dict[tuple[str, int, str], str] = {}
    for begin in range(0, len(ids), 5000):
        rows = connection.execute(
            select(finding.c.subject, finding.c.subject_id, finding.c.standard, finding.c.state).where(
                finding.c.subject_id.in_(ids[begin : begin + 5000])
            )
        )
        found.update(((subject, number, standard), state) for subject, number, standard, state in rows)
    return found


def _read_back(
    connection: Connection, moves: Sequence[Moved], read_since: ReadSince
) -> dict[tuple[str, int], dict[str, int]]:
    """The `since` days that our own marks in the tools say, so that a rebuilt store does not begin anew."""
    found: dict[tuple[str, int], dict[str, int]] = {}
    ids: dict[Subject, list[int]] = {}
    for move in moves:
        if move.subject in ("task", "project"):  # of all others nothing is ever written to a tool
            ids.setdefault(move.subject, []).append(move.subject_id)
    for subject, numbers in ids.items():
        number, rows = _marks_of(subject)
        for begin in range(0, len(numbers), 5000):
            for one, text in connection.execute(rows.where(number.in_(numbers[begin : begin + 5000]))):
                found.setdefault((subject, one), {}).update(read_since(text))
    return found


def _marks_of(subject: Subject) -> tuple[ColumnElement[int], Select[Any]]:
    """The number of a subject, and what stands in its slots; a project's status issue may stand in another tool."""
    if subject == "task":
        same = and_(mark.c.site == task.c.site, mark.c.subject == subject, mark.c.rid == task.c.rid)
        return task.c.id, select(task.c.id, mark.c.there).join(mark, same).where(mark.c.there.is_not(None))
    on_it = and_(mark.c.site == container.c.site, mark.c.subject == subject, mark.c.rid == container.c.rid)
    page = and_(mark.c.subject == "rollup", mark.c.rid == literal("project/").concat(project.c.uid))
    places = project.outerjoin(container, container.c.project_id == project.c.id).join(mark, or_(on_it, page))
    return project.c.id, select(project.c.id, mark.c.there).select_from(places).where(mark.c.there.is_not(None))


# --- how they stand ---------------------------------------------------------------------------------------------------


def _stand(connection: Connection, inputs: Inputs, result: Settled, ladder: Ladder, *, everything: bool) -> None:
    """Let waivers begin and lapse, and findings climb the ladder as far as they are asked to."""
    found = connection.scalars(select(finding.c.subject).where(finding.c.state.in_(ACTIVE)).distinct()).all()
    for subject, own in SUBJECT_TABLES.items():
        if subject not in found:
            continue
        rows = _stands(subject, own, ladder, everything=everything)
        for here in _slices(connection, subject, everything):
            _move(connection, connection.execute(rows.where(here)).all(), inputs, result)


def _slices(connection: Connection, subject: Subject, everything: bool) -> Iterator[ColumnElement[bool]]:
    """Findings of some thousand subjects at a time where all are looked at: few of them are held at once."""
    if not everything:
        yield true()
        return
    last = -1
    mine = select(func.min(finding.c.subject_id)).where(finding.c.subject == subject)
    while (first := connection.scalar(mine.where(finding.c.subject_id > last))) is not None:
        last = first + _AT_ONCE
        yield finding.c.subject_id.between(first, last)


def _move(connection: Connection, rows: Sequence[Any], inputs: Inputs, result: Settled) -> None:
    """Let these findings stand as they should."""
    states = [_state(row) for row in rows]
    if rows:
        connection.execute(_MOVED, [_as_it_stands(row, now) for row, now in zip(rows, states, strict=True)])
    events = []
    for row, now in zip(rows, states, strict=True):
        causes = _why(row, inputs)
        if causes:
            events.append(_told(row, now, causes))
        result.waived += now == "waived" and row.state != "waived"
        result.lapsed += now != "waived" and row.state == "waived"
    insert_all(connection, event, events)


def _stands(subject: Subject, own: Table, ladder: Ladder, *, everything: bool) -> Select[Any]:
    """The active findings that stand otherwise than the store says, and how."""
    source = finding.join(own, own.c.id == finding.c.subject_id).join(site, site.c.name == own.c.site)
    if subject == "task":
        source = source.outerjoin(project, project.c.id == task.c.project_id)
    # What is about people, roles and portfolios is reported and never asked in a tool.
    policy = and_(asked.c.policy == project.c.policy, asked.c.standard == finding.c.standard)
    asked_there = subject in ("task", "project")
    source = source.outerjoin(asked, policy if asked_there else false())
    source = source.outerjoin(touched, and_(touched.c.subject == subject, touched.c.subject_id == own.c.id))
    name = and_(acceptance.c.site == task.c.site, acceptance.c.name == task.c.rid)
    taken = and_(
        acceptance.c.subject == subject,
        acceptance.c.standard == finding.c.standard,
        name if subject == "task" else acceptance.c.name == project.c.uid,
        acceptance.c.accepted_on > func.coalesce(finding.c.acceptance_ended, -1),
    )
    source = source.outerjoin(acceptance, taken if asked_there else false())
    climbs = (("mode", mode_now()), ("step", step_now(ladder)), ("climb_w", climb_now()))
    unseen = own.c.observed == 0 if "observed" in own.c else false()
    frozen = and_(unseen, finding.c.step.is_not(None))  # nobody is told more of what cannot be looked at
    now: dict[str, ColumnElement[Any]] = {"waived_until": waived_at(subject, finding.c.standard, site.c.today)}
    now["accepted_on"] = acceptance.c.accepted_on
    now |= {name: case((frozen, finding.c[name]), else_=value) for name, value in climbs}
    differs = or_(*(func.coalesce(value, -1) != func.coalesce(finding.c[name], -1) for name, value in now.items()))
    rows = (
        select(finding, site.c.today, touched.c.data, *(value.label(f"now_{name}") for name, value in now.items()))
        .select_from(source)
        .where(finding.c.subject == subject, finding.c.state.in_(ACTIVE), differs)
    )
    return rows if everything else rows.where(or_(touched.c.subject_id.is_not(None), finding.c.step.is_(None)))


def _state(row: Any) -> str:
    if row.now_waived_until is not None:
        return "waived"
    if row.now_accepted_on is not None:
        return "accepted"
    if row.now_step >= LEAD:
        return "escalated"
    return str(row.state) if row.state == "new" else "open"


def _why(row: Any, inputs: Inputs) -> str:
    """Why it stands otherwise; empty: nothing that is told changed, or the finding is told for the first time."""
    found = []
    if row.now_waived_until != row.waived_until:
        found.append("waiver")
    if row.now_accepted_on != row.accepted_on:
        found.append("acceptance")
    if row.step is not None and (row.now_mode, row.now_step) != (row.mode, row.step):
        found.append(_asked_otherwise(row, inputs))
    return ", ".join(found)


def _asked_otherwise(row: Any, inputs: Inputs) -> str:
    """Why it is asked harder or more softly, or stands on another step."""
    if row.now_mode != row.mode and row.data:
        return "data"
    if inputs.asking:
        return "standard"
    if inputs.calendar and row.site not in inputs.days:
        return "calendar"
    return "time"


_MOVED = (
    update(finding)
    .where(
        finding.c.subject == bindparam("b_subject"),
        finding.c.subject_id == bindparam("b_subject_id"),
        finding.c.standard == bindparam("b_standard"),
    )
    .values(
        state=bindparam("b_state"),
        waived_until=bindparam("b_until"),
        accepted_on=bindparam("b_accepted_on"),
        mode=bindparam("b_mode"),
        step=bindparam("b_step"),
        climb_w=bindparam("b_climb_w"),
    )
)


def _as_it_stands(row: Any, now: str) -> dict[str, Any]:
    same = {"b_subject": row.subject, "b_subject_id": row.subject_id, "b_standard": row.standard}
    climbs = {"b_mode": row.now_mode, "b_step": row.now_step, "b_climb_w": row.now_climb_w}
    return {**same, **climbs, "b_state": now, "b_until": row.now_waived_until, "b_accepted_on": row.now_accepted_on}


def _told(row: Any, now: str, causes: str) -> dict[str, Any]:
    about = {"day": row.today, "subject": row.subject, "subject_id": row.subject_id, "standard": row.standard}
    return {**about, "was": row.state, "now": now, "causes": causes}


# --- evidence ---------------------------------------------------------------------------------------------------------


def show(
    connection: Connection,
    subject: Subject,
    standards: Mapping[str, Standard],
    columns: Mapping[str, ColumnElement[Any]],
    source: Any,
    *,
    everything: bool,
) -> None:
    """Store the evidence of active findings: the values of the fields that the standard names.

    Args:
        columns: the model's columns by name, for all fields that any standard of this subject names.
        source: the tables they come from; its first column set holds the subject's id.
    """
    own = SUBJECT_TABLES[subject]
    wanted = [column.label(name) for name, column in columns.items()]
    rows = (
        select(finding.c.subject_id, finding.c.standard, finding.c.evidence, *wanted)
        .select_from(source.join(finding, finding.c.subject_id == own.c.id))
        .where(finding.c.subject == subject, finding.c.state.in_(ACTIVE))
    )
    if not everything:
        rows = rows.where(own.c.id.in_(select(touched.c.subject_id).where(touched.c.subject == subject)))
    for here in _slices(connection, subject, everything):
        _keep_evidence(connection, subject, standards, connection.execute(rows.where(here)))


def _keep_evidence(
    connection: Connection, subject: Subject, standards: Mapping[str, Standard], rows: Iterable[Any]
) -> None:
    changed = []
    for row in rows:
        standard = standards.get(row.standard)
        if standard is None:
            continue
        values = row._mapping
        text = orjson.dumps({name: values[name] for name in evidence_fields(standard)}).decode()
        if text != row.evidence:
            changed.append({"b_id": row.subject_id, "b_standard": row.standard, "b_text": text})
    if changed:
        connection.execute(
            update(finding)
            .where(
                finding.c.subject == subject,
                finding.c.subject_id == bindparam("b_id"),
                finding.c.standard == bindparam("b_standard"),
            )
            .values(evidence=bindparam("b_text")),
            changed,
        )


def evidence_fields(standard: Standard) -> list[str]:
    """The fields that show why a standard failed."""
    fields = FIELDS[standard.subject]
    names = sorted(standard.fields | {shown for name in standard.fields for shown in fields[name].shows})
    return [name for name in names if name in fields]
