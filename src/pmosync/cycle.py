"""One cycle, as function calls: the file to read first.

    pull        connector -> records      page by page                        per site, under its lock
    normalise   records -> tasks ...      only what changed                   ┐
    hear        commands -> decisions     what people ask of us in comments   │
    derive      tasks -> facts                                                │
    judge       facts -> verdicts         each standard is one SQL predicate  │ over all sites, one transaction,
    settle      verdicts -> findings      with the causes                     │ under the store's lock
    summarise   tasks, findings -> rollups                                    │
    plan        marks wanted vs marks known -> plan                           ┘
    guard       refuse a plan that changes too much
    push        plan -> receipts          intention stored first              per site, under its lock

Every cycle starts from what is there; a cycle that dies is made good by the next one. A site in trouble or under
another run's lock delays no other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from sqlalchemy import Connection, select, update

from pmosync import commands, facts, gates, judge, marks, normalise, plan, rollup, settle
from pmosync import mapping as mappings
from pmosync.contract import Clock, MarkedKind, SlotKind, canonical
from pmosync.decisions import Accepted, Baselines, Debt, keep_accepted, keep_baselines, put_right
from pmosync.decisions.accepted import Take, Taken
from pmosync.errors import GuardRefused, Locked, Misconfigured, PlanMoved, SiteTrouble
from pmosync.judge import SUBJECTS
from pmosync.judge.columns import SubjectColumns
from pmosync.ladder import USUAL, Ladder
from pmosync.modes import Modes, Said, digest, keep_modes, modes_of
from pmosync.people import Staff
from pmosync.plan import Guard, Plan
from pmosync.pull import Pulled, pull, store_echoes
from pmosync.push import Pushed, keep_limitations, push
from pmosync.register import Register
from pmosync.site import Site
from pmosync.standards import Standard
from pmosync.store import Store, read_meta, upsert, write_meta
from pmosync.store.tables import site
from pmosync.waiving import keep_disputes, keep_reach, keep_waivers
from pmosync.workdays import Workdays, day_number

STORE_LOCK = "store"
STORE_WAIT_S = 60.0
"""Concluding takes seconds: a run that finds another one at it waits for its turn."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a cycle takes from the configuration, as values."""

    sites: Sequence[Site]
    organisation: str
    register: Register
    profile: str
    standards: Sequence[Standard]
    workdays: Workdays
    guard: Guard
    waivers: Sequence[Mapping[str, Any]] = ()
    """Rows of the store's `waiver` table, from the decisions folder."""
    baselines: Baselines = field(default_factory=Baselines)
    """What the projects were planned to be, from the decisions folder."""
    approved: Callable[[Plan], Mapping[str, int]] = lambda plan: {}
    """How many changes of a plan somebody approved, by site."""
    asked: frozenset[str] | None = None
    """The sites to read and write; the others are judged as they are stored. None: all."""
    guidance: str = ""
    """The address below which the page of each standard stands, with its slash; empty: they are not published."""
    desk: commands.Desk | None = None
    """Where commands in comments are entered; None: nobody hears them."""
    said: Sequence[Said] = ()
    """How hard is asked, beside the profiles of the organisation and the register."""
    ladder: Ladder = USUAL
    staff: Staff = field(default_factory=Staff)
    """How people work, for what is asked of their load."""
    accepted: Accepted = field(default_factory=Accepted)
    """The findings that were there when their standards were first asked."""
    end: Callable[[Sequence[Debt]], None] = lambda debts: None
    """Remembers in the decisions folder what of the accepted findings was put right."""

    @property
    def modes(self) -> Modes:
        """How hard everybody asks."""
        return modes_of(self.profile, self.register, self.said)

    def working(self) -> list[Site]:
        """The sites to read and write."""
        return [source for source in self.sites if self.asked is None or source.name in self.asked]


@dataclass(slots=True)
class SiteOutcome:
    """What became of one site."""

    pulled: Pulled | None = None
    pushed: Pushed | None = None
    locked: str = ""
    """Who holds the site, when another run does."""
    trouble: SiteTrouble | None = None
    notes: list[str] = field(default_factory=list)
    """What is worth telling once, e.g. a slot that may no longer be written."""
    unheard: bool = False
    """Whether a command in a comment could not be entered into the decisions; a note says why."""


@dataclass(slots=True)
class Outcome:
    """What a cycle did."""

    sites: dict[str, SiteOutcome] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    settled: settle.Settled = field(default_factory=settle.Settled)
    switched_off: dict[str, str] = field(default_factory=dict)
    """Standards and predicates of waivers that the database could not run, with the reason."""
    rollups: list[rollup.Rollup] = field(default_factory=list)
    refused: GuardRefused | None = None
    locked: str = ""
    """Who holds the store, when another run does: nothing was judged then."""
    ended: list[Debt] = field(default_factory=list)
    """What of the accepted findings was put right."""
    taken: Taken | None = None
    """What was accepted by this run, when somebody asked for that."""


def cycle(
    store: Store,
    setup: Setup,
    clock: Clock,
    *,
    full: bool = False,
    write: bool = False,
    take: Take | None = None,
    trial: bool = False,
) -> Outcome:
    """Run one cycle.

    Args:
        full: pull everything and prove it complete (reconcile); else what changed (sync).
        write: push the plan; without it the cycle stops at the plan.
        take: accepts what is found before anything is planned.
        trial: plan as if it were accepted, and leave the store as it is without that.
    """
    outcome = Outcome({source.name: SiteOutcome() for source in setup.working()})
    setup = _pulled(store, setup, outcome, full=full, clock=clock)
    try:
        with store.lock(STORE_LOCK, STORE_WAIT_S):
            found = None if take is None else _found(store, setup, clock(), full=full)
            with store.trial() if trial else store.begin() as connection:
                if take is not None:
                    accepted, outcome.taken = take(connection)
                    setup = replace(setup, accepted=accepted)
                conclude(connection, setup, clock(), outcome, full=full, write=write)
            outcome.settled = found or outcome.settled
    except Locked as held:
        outcome.locked = str(held)
        return outcome
    if outcome.ended:
        setup.end(outcome.ended)
    if write:
        _push_all(store, setup, outcome, clock)
    return outcome


def _found(store: Store, setup: Setup, now: dt.datetime, *, full: bool) -> settle.Settled:
    """Judge before anything is accepted; what came and went."""
    before = Outcome({source.name: SiteOutcome() for source in setup.working()})
    with store.begin() as connection:
        conclude(connection, setup, now, before, full=full)
    return before.settled


# --- pull -------------------------------------------------------------------------------------------------------------


def _pulled(store: Store, setup: Setup, outcome: Outcome, *, full: bool, clock: Clock) -> Setup:
    """Pull the sites that were asked for; returns the setup with their mappings made ready."""
    sites = [
        _pull(store, source, outcome.sites[source.name], full=full, clock=clock)
        if source.name in outcome.sites
        else source
        for source in setup.sites
    ]
    return replace(setup, sites=sites)


def _pull(store: Store, source: Site, outcome: SiteOutcome, *, full: bool, clock: Clock) -> Site:
    try:
        with store.lock(source.name):
            return _pull_locked(store, source, outcome, full=full, clock=clock)
    except Locked as held:
        outcome.locked = str(held)
    return source


def _pull_locked(store: Store, source: Site, outcome: SiteOutcome, *, full: bool, clock: Clock) -> Site:
    """Make the mapping ready, find our own places when that is due, then pull."""
    with store.reading() as connection:
        stored = connection.scalar(select(site.c.mapping).where(site.c.name == source.name))
        asked = set((read_meta(connection, f"asked {source.name}") or "").split("\n"))
        prepared = read_meta(connection, f"prepared {source.name}")
    try:
        if source.mapping.unresolved or stored != source.mapping.hash:
            source = resolved(source)
        everything = full or not set(source.mapping.asked()) <= asked
        wanted = _places(source)
        if everything or prepared != wanted:
            source = _prepare(store, source, outcome, write=False)
    except SiteTrouble as trouble:
        outcome.trouble = trouble
        with store.begin() as connection:
            upsert(connection, site, [{"name": source.name, "trouble": str(trouble)}])
        return source
    outcome.pulled = pull(store, source, full=everything, now=clock())
    outcome.trouble = outcome.pulled.trouble
    if outcome.trouble is None:
        with store.begin() as connection:
            write_meta(connection, f"asked {source.name}", "\n".join(source.mapping.asked()))
    return source


def resolved(source: Site) -> Site:
    """The site with every name of its mapping pinned by id, checked against what the site offers.

    Raises:
        Misconfigured: with everything that is wrong in the mapping.
    """
    catalog = source.connector.describe()
    mapping = mappings.resolve(source.mapping, catalog)
    wrong = mappings.check(mapping, catalog, source.capabilities)
    if wrong:
        raise Misconfigured("\n".join(str(one) for one in wrong))
    mappings.write_lock(source.lock_path, mapping.pins)
    return replace(source, mapping=mapping)


def _places(source: Site) -> str:
    """What our own places on a site depend on: asked for anew when it changes."""
    scope = source.scope()
    places = [dict(scope.homes), dict(scope.rollups)]
    text = canonical([scope.projects, scope.portfolios, scope.slots, places, source.mapping.mail, marks.FORMAT])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _prepare(store: Store, source: Site, outcome: SiteOutcome, *, write: bool) -> Site:
    """Find our own places (make them, with `write`) and remember where we may not write."""
    prepared = source.connector.prepare(source.scope(), write)
    mapping = mappings.with_pins(source.mapping, dict(prepared.pins))
    if dict(mapping.pins) != dict(source.mapping.pins):
        mappings.write_lock(source.lock_path, mapping.pins)
    limits = [(one.project, one.slot, one.why) for one in prepared.limitations]
    with store.begin() as connection:
        outcome.notes += keep_limitations(connection, source.name, limits)
        missing = () if write else prepared.writes
        write_meta(connection, f"prepared {source.name}", "" if missing else _places(source))
        write_meta(connection, f"setup {source.name}", "\n".join(missing))
    return replace(source, mapping=mapping)


# --- from records to a plan -------------------------------------------------------------------------------------------


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
    basis = _basis(setup)
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


def _basis(setup: Setup) -> dict[str, str]:
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


def _decisions(setup: Setup) -> dict[str, str]:
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
    made = plan.make(connection, slots, _inputs(connection, setup, basis), {**basis, **_decisions(setup)})
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


# --- push -------------------------------------------------------------------------------------------------------------


def _push_all(store: Store, setup: Setup, outcome: Outcome, clock: Clock) -> None:
    try:
        setup.guard.check(outcome.plan, setup.approved(outcome.plan))
    except GuardRefused as refused:
        outcome.refused = refused
        return
    for source in setup.working():
        told = outcome.sites[source.name]
        if told.trouble is None and not told.locked:
            push_site(store, source, outcome.plan, told, clock)


def push_site(
    store: Store, source: Site, wanted: Plan, outcome: SiteOutcome, clock: Clock, *, looked: bool = False
) -> None:
    """Push one site's part of a plan under its lock, after making our own places there.

    Args:
        looked: whether the slots were read in the tool just now.
    """
    lines = wanted.of(source.name)
    if not lines:
        return
    try:
        with store.lock(source.name):
            with store.reading() as connection:
                missing = read_meta(connection, f"setup {source.name}")
            if missing:
                source = _prepare(store, source, outcome, write=True)
            outcome.pushed = push(store, source, lines, store_echoes, clock(), looked=looked)
            outcome.trouble = outcome.pushed.trouble
    except SiteTrouble as trouble:
        outcome.trouble = trouble
    except Locked as held:
        outcome.locked = str(held)


def apply(store: Store, setup: Setup, saved: Plan, clock: Clock) -> Outcome:
    """Push exactly a saved plan.

    Raises:
        PlanMoved: what it was made from, or a slot that it touches, is not what it was; nothing is written.
        GuardRefused: it changes too much and nobody approved it.
    """
    plan.same_basis(saved.basis, {**_basis(setup), **_decisions(setup)})
    setup.guard.check(saved, setup.approved(saved))
    outcome = Outcome({source.name: SiteOutcome() for source in setup.working()}, saved)
    for source in setup.working():
        lines = saved.of(source.name)
        expected = {line.change().slot: line for line in lines}
        for reading in source.connector.read(list(expected)):
            line = expected[reading.slot]
            if reading.why or reading.value != line.before:
                raise PlanMoved(
                    f"{source.name} {line.key}: the slot {line.slot} is not what it was when the plan was made"
                    f"{f' ({reading.why})' if reading.why else ''}. Nothing was written; make the plan anew"
                )
    for source in setup.working():
        push_site(store, source, saved, outcome.sites[source.name], clock, looked=True)
    return outcome


def retract(store: Store, setup: Setup, clock: Clock, *, write: bool) -> Outcome:
    """Remove every mark and every place that we made, also on items that left the scope.

    Args:
        write: do it; without it only the plan is made.
    """
    outcome = Outcome({source.name: SiteOutcome() for source in setup.working()})
    setup = _pulled(store, setup, outcome, full=True, clock=clock)
    slots = slots_of(setup)
    with store.lock(STORE_LOCK, STORE_WAIT_S), store.begin() as connection:
        conclude(connection, setup, clock(), outcome, full=True)
        outcome.plan = plan.clear_all(connection, slots)
        for source in setup.working():
            write_meta(connection, f"setup {source.name}", "")  # nothing is made only to be taken away
    if not write:
        return outcome
    for source in setup.working():
        told = outcome.sites[source.name]
        if told.trouble is not None or told.locked:
            continue
        push_site(store, source, outcome.plan, told, clock)
        # What was refused stands where we may not write: taking our places away is all that can still clear it.
        if told.trouble is None and not (told.pushed and told.pushed.unknown):
            _release(store, source, told)
    return outcome


def _release(store: Store, source: Site, outcome: SiteOutcome) -> None:
    """Remove the places that we made, and forget their pins."""
    before = source.scope()
    outcome.notes += source.connector.release(before)
    kept = {name: value for name, value in source.mapping.pins.items() if not _ours(name)}
    mappings.write_lock(source.lock_path, kept)
    with store.begin() as connection:
        write_meta(connection, f"prepared {source.name}", "")


def _ours(pin: str) -> bool:
    """Whether a pin names a place of ours; the names that a mapping uses have a slash (`task/Start date`)."""
    return "/" not in pin
