"""The middle of a cycle: from records to a plan, over all sites, in one transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Connection, select, update

from pmosync import commands, facts, gates, judge, marks, normalise, plan, rollup, settle
from pmosync.contract import MarkedKind, SlotKind, canonical
from pmosync.cycle.outcome import Outcome, Setup
from pmosync.decisions import keep_accepted, keep_baselines, put_right
from pmosync.judge import SUBJECTS
from pmosync.judge.columns import SubjectColumns
from pmosync.ladder import Ladder
from pmosync.modes import digest, keep_modes
from pmosync.plan import Plan
from pmosync.standards import Standard
from pmosync.store import read_meta, upsert, write_meta
from pmosync.store.tables import site
from pmosync.waiving import keep_disputes, keep_reach, keep_waivers
from pmosync.workdays import Workdays, day_number


def conclude(
    connection: Connection, setup: Setup, now: dt.datetime, outcome: Outcome, *, full: bool, write: bool = False
) -> None:
    """Normalise, hear, derive, judge, settle, summarise and plan, in one transaction.

    Args:
        write: enter commands into the decisions, before anything is answered.
    """
    standards = {standard.id: standard for standard in setup.standards}
    first = read_meta(connection, "judged") is None
    for source in setup.sites:
        upsert(connection, site, [{"name": source.name}])
    calendar = facts.keep_calendar(connection, setup.workdays)
    days = _new_days(connection, setup, now)
    register_moved = read_meta(connection, "basis register") != setup.register.hash
    read = normalise.normalise(
        connection,
        setup.sites,
        setup.register,
        setup.modes,
        setup.staff,
        everything=register_moved and not first,
    )
    setup, heard = _hear(connection, setup, standards, now, outcome, write=write)
    basis = basis_of(setup)
    moved = {name for name, value in basis.items() if read_meta(connection, f"basis {name}") != value}
    asking = keep_modes(connection, setup.modes, setup.standards, setup.ladder.hash)
    changed = judge.changed_standards(connection, setup.standards)
    again = full or first or calendar or bool(days or changed or read.remapped or moved)
    gates.keep_decisions(connection, setup.register)
    keep_baselines(connection, setup.baselines, setup.register, everything=again)
    facts.derive(connection, everything=again, links_changed=read.links_changed)
    keep_health(connection, setup.standards, setup.workdays, everything=again)
    keep_accepted(connection, setup.accepted)
    inputs = settle.Inputs(mappings=read.remapped, calendar=calendar, days=days, asking=asking)
    moves = None if first else inputs
    verdicts(connection, setup.standards, setup.waivers, outcome, moves, setup.ladder, everything=again)
    outcome.ended = put_right(connection)
    severities = {standard.id: standard.severity for standard in setup.standards}
    gates.keep_missing(connection, setup.register, setup.standards, everything=again)
    outcome.rollups = rollup.tree(
        connection,
        severities,
        setup.register,
        setup.organisation,
        setup.workdays,
        gates.ahead(connection, setup.register),
    )
    told = commands.answers(connection, setup.desk, heard, setup.sites, now) if setup.desk and heard else {}
    outcome.plan = _plan(connection, setup, standards, outcome, basis, told, all_rollups=full)
    for name, value in basis.items():
        write_meta(connection, f"basis {name}", value)
    write_meta(connection, "judged", "1")


def _hear(
    connection: Connection,
    setup: Setup,
    standards: Mapping[str, Standard],
    now: dt.datetime,
    outcome: Outcome,
    *,
    write: bool,
) -> tuple[Setup, commands.Heard | None]:
    """What people ask in comments; the setup has the waivers as they stand afterwards."""
    if setup.desk is None:
        return setup, None
    heard = commands.hear(connection, setup.desk, setup.sites, standards, now, enter=write)
    keep_disputes(connection, [one.row() for one in heard.disputes])
    for name, told in outcome.sites.items():
        told.notes += [*heard.entered[name], *heard.trouble[name][:1]]
        told.unheard = bool(heard.trouble[name])
        if count := heard.waiting[name]:
            told.notes.append(f"commands in comments that wait: {count}; a run that writes enters and answers them")
    return replace(setup, waivers=heard.waivers.rows()), heard


def verdicts(
    connection: Connection,
    standards: Sequence[Standard],
    waivers: Sequence[Mapping[str, Any]],
    outcome: Outcome,
    inputs: settle.Inputs | None,
    ladder: Ladder,
    *,
    everything: bool,
) -> None:
    """Judge and settle.

    Args:
        inputs: what changed, beside standards, since the store was judged last; None: it never was.
        everything: all subjects, else what was touched.
    """
    keep_waivers(connection, waivers)
    uncovered = judge.cover(connection, everything=everything)
    if "next_waiver_ends_on" in asked(standards):
        keep_reach(connection)
    judged = judge.judge(connection, standards, everything=everything)
    told = (
        [
            settle.Moved(one.subject, one.subject_id, one.standard, one.now == judge.FAIL, one.known, one.empty)
            for one in moved
        ]
        for moved in judge.moves(connection, judged)
    )
    by_id = {standard.id: standard for standard in standards}
    causes = settle.Inputs() if inputs is None else replace(inputs, standards=judged.changed)
    outcome.settled = settle.settle(connection, told, by_id, causes, marks.read_since, ladder, everything=everything)
    judge.keep(connection, judged)
    outcome.switched_off = judged.switched_off | {f"waiver {name}": why for name, why in uncovered.items()}
    _show(connection, by_id, everything=everything)


def keep_health(connection: Connection, standards: Sequence[Standard], workdays: Workdays, *, everything: bool) -> None:
    """Bring the health of projects up to date before it is judged, where a standard asks for it."""
    if not asked(standards).isdisjoint(("computed_health", "tolerance_breaches", "breached")):
        rollup.keep_health(connection, workdays, everything=everything)


def asked(standards: Sequence[Standard]) -> frozenset[str]:
    """The fields that standards look at."""
    return frozenset(name for one in standards for name in one.fields)


def _new_days(connection: Connection, setup: Setup, now: dt.datetime) -> set[str]:
    """Give each site its local day; returns where a new one began."""
    begun = set()
    for source in setup.sites:
        today = day_number(now.astimezone(source.zone).date())
        before = connection.scalar(select(site.c.today).where(site.c.name == source.name))
        if before != today:
            begun.add(source.name)
        values = {
            "today": today,
            "today_w": facts.working_day(connection, today),
            "yesterday_w": facts.working_day(connection, today - 1),
        }
        connection.execute(update(site).where(site.c.name == source.name).values(**values))
    return begun


def _show(connection: Connection, standards: Mapping[str, Standard], *, everything: bool) -> None:
    for subject in SUBJECTS:
        columns = SubjectColumns(subject)
        names = {
            name
            for standard in standards.values()
            if standard.subject == subject
            for name in settle.evidence_fields(standard)
        }
        if not names:
            continue
        settle.show(
            connection,
            subject,
            standards,
            {name: columns.column(name) for name in sorted(names)},
            columns.source(),
            everything=everything,
        )


def basis_of(setup: Setup) -> dict[str, str]:
    """The hashes of what a plan is made from; a saved plan is refused when one of them moved."""
    standards = sorted((one.id, one.hash, one.wording) for one in setup.standards)
    asked = digest(setup.modes, setup.standards, setup.ladder.hash)
    planned = {"baselines": setup.baselines.hash} if setup.baselines.hash else {}
    planned |= {"accepted": setup.accepted.hash} if setup.accepted.hash else {}
    pages = [setup.guidance] if setup.guidance else []  # where people read about a standard is a part of its wording
    return {
        "standards": _hash([standards, asked, *pages]),
        "register": setup.register.hash,
        "waivers": _hash([dict(row) for row in setup.waivers]),
        "calendar": setup.workdays.hash,
        **planned,
        "people": setup.staff.hash,
        **{f"mapping of {source.name}": source.mapping.hash for source in setup.sites},
    }


def decided(setup: Setup) -> dict[str, str]:
    """What a saved plan is made from, too: its answers say what was decided."""
    return {"decisions": setup.desk.digest()} if setup.desk else {}


def _hash(data: Any) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:16]


def slots_of(setup: Setup) -> dict[str, list[SlotKind]]:
    """The slots in use, by site."""
    marked: tuple[MarkedKind, ...] = get_args(MarkedKind)
    return {source.name: [kind for subject in marked for kind in source.slots(subject)] for source in setup.working()}


def _plan(
    connection: Connection,
    setup: Setup,
    standards: Mapping[str, Standard],
    outcome: Outcome,
    basis: Mapping[str, str],
    answers: Mapping[tuple[str, str], commands.Answers],
    *,
    all_rollups: bool,
) -> Plan:
    by_name = {source.name: source for source in setup.sites}
    slots = slots_of(setup)
    marks.want(
        connection,
        standards,
        outcome.rollups,
        setup.workdays,
        lambda name, subject: by_name[name].slots(subject) if name in by_name else (),
        lambda name, slot, told: by_name[name].home(slot, told),
        all_rollups=all_rollups,
        ladder=setup.ladder,
        guidance=setup.guidance,
        answers=answers,
        for_answers=lambda name: by_name[name].for_answers if name in by_name else (),
    )
    plan.adopt(connection, slots)
    made = plan.make(connection, slots, _inputs(connection, setup, basis), {**basis, **decided(setup)})
    for source in setup.sites:
        steps = (read_meta(connection, f"setup {source.name}") or "").split("\n")
        if made.of(source.name):
            made.setup += [f"{source.name}: {step}" for step in steps if step]
    return made


def _inputs(connection: Connection, setup: Setup, basis: Mapping[str, str]) -> dict[str, str]:
    """What the marks of each site are made from, as `cause=hash` words, to name the cause when only that differs."""
    told = {}
    for source in setup.sites:
        today = connection.scalar(select(site.c.today).where(site.c.name == source.name))
        words = {
            "standard": _hash([basis["standards"], basis["register"]]),
            "mapping": source.mapping.hash,
            "calendar": basis["calendar"],
            "waiver": basis["waivers"],
            "time": str(today),
            "pmosync": f"{marks.FORMAT}.{marks.TEXT}",
        }
        told[source.name] = " ".join(f"{name}={value}" for name, value in words.items())
    return told
