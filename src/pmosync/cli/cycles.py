"""The verbs that run a cycle: sync, reconcile, plan, apply, check, retract.

Only sync, reconcile, apply and a confirmed retract write to a tool; plan and check have no way to.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy import Connection

from pmosync import plan as plans
from pmosync import reports
from pmosync.approving import envelopes
from pmosync.cli import documents
from pmosync.cli.baselining import taker, tell_taken
from pmosync.cli.looking import looked, one_of, tell_ahead, tell_standards
from pmosync.cli.options import AsJson, AsOf, Common, SiteNames, common, configured, day_of
from pmosync.cli.telling import (
    tell,
    tell_calls,
    tell_changes,
    tell_cost,
    tell_findings,
    tell_left,
    tell_plan,
    tell_sites,
)
from pmosync.cli.terminal import give_json, say
from pmosync.cli.watching import ready
from pmosync.config import expiry_note
from pmosync.config.unattended import Verb
from pmosync.cycle import Outcome, apply, cycle, retract
from pmosync.decisions import ACCEPTED, append_approval
from pmosync.decisions.accepted import Take
from pmosync.errors import Misconfigured
from pmosync.exits import exit_code
from pmosync.model import SEVERITIES
from pmosync.opening import Ready, chosen, standards_of
from pmosync.plan import Plan
from pmosync.runs import one_line, remember
from pmosync.standards import Standard

AcceptExisting = Annotated[
    bool,
    typer.Option(
        "--accept-existing",
        help="Accept what is found where a standard is asked for the first time, and flag none of it.",
    ),
]
Decider = Annotated[str, typer.Option("--as", metavar="PERSON", help="With --accept-existing: who decides.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="With --accept-existing: why.")]
NOT_ASKED = "write --accept-existing beside it, or leave it out"
AS_IT_WAS = "there when its standard was first asked"


def sync(
    context: typer.Context,
    site: SiteNames = None,
    accept_existing: AcceptExisting = False,
    who: Decider = "",
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Read what changed, judge it, and write the marks that differ."""
    _run(common(context), site, _accepting(accept_existing, who, reason), full=False, json=json)


def reconcile(
    context: typer.Context,
    site: SiteNames = None,
    accept_existing: AcceptExisting = False,
    who: Decider = "",
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Read everything, prove it complete, judge it, and write the marks that differ."""
    _run(common(context), site, _accepting(accept_existing, who, reason), full=True, json=json)


def _accepting(asked: bool, who: str, reason: str) -> tuple[str, str] | None:
    """Who accepts what is there, and why; None: nobody asked for that."""
    for option, text in (("--as", who), ("--reason", reason)):
        if text and not asked:
            raise Misconfigured(f"{option} says of whom or why something is accepted", where=option, hint=NOT_ASKED)
    return (who or getpass.getuser(), reason or AS_IT_WAS) if asked else None


def _taker(made: Ready, accepting: tuple[str, str] | None, *, trial: bool = False) -> Take | None:
    if accepting is None:
        return None
    today = made.clock().astimezone(made.config.zone).date()
    return taker(made.config, *accepting, today, trial=trial)


def _run(
    options: Common, names: list[str] | None, accepting: tuple[str, str] | None, *, full: bool, json: bool
) -> None:
    verb: Verb = "reconcile" if full else "sync"
    began_s = time.monotonic()
    with ready(options, names, doing=verb) as made:
        began_at = made.clock()
        take = _taker(made, accepting)
        outcome = cycle(made.store, made.setup, made.clock, full=full, write=made.config.push, take=take)
        code = exit_code(outcome)
        remember(made.store, outcome, verb, began_at)
        today = began_at.astimezone(made.config.zone).date()
        for one in made.sites:
            if ends := expiry_note(one.session, today, ask=full):
                outcome.sites[one.name].notes.append(ends)
        if json:
            give_json(documents.run(outcome, made, code))
        elif not options.quiet or code:
            tell(outcome, made)
            if outcome.taken is not None:
                tell_taken(outcome.taken, f"; commit {made.config.decisions / ACCEPTED}")
            requests = sum(site.session.calls.total() for site in made.sites)
            say(one_line(outcome, requests, time.monotonic() - began_s, code), "bold")
    raise typer.Exit(code)


def plan(
    context: typer.Context,
    site: SiteNames = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan for `pmosync apply`.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything first, as reconcile does.")] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 10 when there is something to change.")
    ] = False,
    accept_existing: Annotated[
        bool, typer.Option("--accept-existing", help="Show what is left if what is there is accepted. Accepts nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what would be written, and why. Writes nothing to any tool."""
    if accept_existing and out is not None:
        hint = "run `pmosync sync --accept-existing` with push: off, then `pmosync plan --out`"
        raise Misconfigured("what is only tried cannot be saved", where="--out and --accept-existing", hint=hint)
    with ready(common(context), site, read_only=True, doing="plan") as made:
        take = _taker(made, ("", "") if accept_existing else None, trial=True)
        outcome = cycle(made.store, made.setup, made.clock, full=full, take=take, trial=accept_existing)
        code = exit_code(outcome, changes=detailed_exitcode and bool(outcome.plan.changes))
        if out is not None:
            plans.save(outcome.plan, out)
        if json:
            cost = documents.cost(outcome.plan, made.sites)
            give_json({**documents.run(outcome, made, code), **documents.lines(outcome.plan), "cost": cost})
        else:
            tell_sites(outcome)
            tell_findings(outcome)
            if outcome.taken is not None:
                tell_taken(outcome.taken)
            tell_plan(outcome.plan)
            tell_cost(documents.cost(outcome.plan, made.sites))
            if out is not None:
                say(f"saved: push exactly this with `pmosync apply {out}`")
            tell_calls(made.sites)
    raise typer.Exit(code)


def apply_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `pmosync plan --out FILE` saved it.")],
    approve: Annotated[
        str | None, typer.Option("--approve", metavar="REASON", help="Let the guard pass, and record why.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Push exactly a saved plan, or refuse it because something it touches moved."""
    options = common(context)
    saved = plans.load(file)
    if approve is not None and not approve.strip():
        raise Misconfigured("an approval needs a reason", where="--approve", hint='write --approve "why this is right"')
    names = sorted({line.site for line in saved.changes})
    given = envelopes(saved, approve.strip(), getpass.getuser(), options.clock()()) if approve else []
    with ready(options, names, approvals=given, doing="apply") as made:
        for approval in given:
            append_approval(made.config.decisions, approval)
        outcome = apply(made.store, made.setup, saved, made.clock)
        code = exit_code(outcome)
        if json:
            give_json(documents.run(outcome, made, code))
        else:
            tell_sites(outcome)
            tell_changes(saved)
            tell_calls(made.sites)
    raise typer.Exit(code)


def check(
    context: typer.Context,
    site: SiteNames = None,
    fail_on: Annotated[
        str | None, typer.Option("--fail-on", metavar="SEVERITY", help="Exit 14 when there are findings so severe.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything first, as reconcile does.")] = False,
    as_of: AsOf = None,
    json: AsJson = False,
) -> None:
    """Judge on a transport that cannot write, for pipelines and gates."""
    if fail_on is not None:
        one_of(SEVERITIES, fail_on, "severity", "--fail-on")
    if as_of is not None:
        if full:
            raise Misconfigured(
                "--as-of judges what is stored, and --full reads everything", hint="leave one of them out"
            )
        _check_ahead(common(context), site, fail_on, as_of, json=json)
    with ready(common(context), site, read_only=True, doing="check") as made:
        outcome = cycle(made.store, made.setup, made.clock, full=full)
        names = [one.name for one in made.sites]
        with made.store.reading() as connection:
            rows, failing = _failing(connection, made.setup.standards, names, fail_on)
        code = exit_code(outcome, found=failing > 0)
        if json:
            found = {"as_of": None, "standards": rows, "failing": failing}
            give_json({**documents.run(outcome, made, code), **found})
        else:
            tell_sites(outcome)
            tell_findings(outcome)
            _tell_failing(rows, failing, fail_on)
            tell_calls(made.sites)
    raise typer.Exit(code)


def _check_ahead(options: Common, names: list[str] | None, fail_on: str | None, as_of: str, *, json: bool) -> NoReturn:
    """Judge the stored data as of another day: no site is asked."""
    config = configured(options)
    standards, sites = standards_of(config), chosen(config, names)
    day = day_of(as_of, options.clock()().astimezone(config.zone).date())
    with looked(config, standards, day) as (connection, outcome):
        rows, failing = _failing(connection, standards, sites, fail_on)
    outcome = outcome or Outcome()
    code = exit_code(outcome, found=failing > 0)
    if json:
        give_json({**documents.judged(outcome, code), "as_of": day.isoformat(), "standards": rows, "failing": failing})
    else:
        tell_ahead(day, outcome)
        _tell_failing(rows, failing, fail_on)
    raise typer.Exit(code)


def _failing(
    connection: Connection, standards: Sequence[Standard], sites: Sequence[str], fail_on: str | None
) -> tuple[list[reports.Row], int]:
    """Active findings by standard, and how many are as severe as that or worse."""
    rows = reports.by_standard(connection, standards, reports.Wanted(sites=sites))
    return rows, reports.at_least(connection, standards, fail_on, sites) if fail_on else 0


def _tell_failing(rows: Sequence[reports.Row], failing: int, fail_on: str | None) -> None:
    tell_standards(rows)
    if failing:
        say(f"{failing} findings are {fail_on} or worse", "bold")


def retract_(
    context: typer.Context,
    site: SiteNames = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this the plan is shown and nothing is done.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Remove every mark and every field of ours, also of what left the scope."""
    options = common(context)
    with ready(options, site, read_only=not yes, doing="retract") as made:
        outcome = retract(made.store, made.setup, made.clock, write=yes)
        code = exit_code(outcome)
        if json:
            give_json(documents.run(outcome, made, code))
        else:
            tell_sites(outcome)
            tell_changes(outcome.plan)
            tell_left(outcome.plan)
            _advise(made, outcome.plan, yes)
            tell_calls(made.sites)
    raise typer.Exit(code)


def _advise(made: Ready, plan: Plan, yes: bool) -> None:
    if not yes:
        say(f"nothing was removed yet: {len(plan.changes)} marks would be; do it with `pmosync retract --yes`", "bold")
    elif made.config.push:
        say(f"now set push: off in {made.config.path}, or the next run writes the marks again", "bold")
