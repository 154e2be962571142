"""The verbs about where the counting begins: what was accepted when a standard was first asked, what was planned.

What they decide is appended to the decisions folder and never rewritten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Annotated

import typer
from sqlalchemy import Connection

from pmosync.cli.options import AsJson, common, configured
from pmosync.cli.terminal import give_json, say
from pmosync.config import Config, load_people
from pmosync.decisions import ACCEPTED, Accepted, read_accepted
from pmosync.decisions.accepted import Take, Taken, acceptable, append_accepted, taken
from pmosync.decisions.waivers import not_allowed
from pmosync.errors import Misconfigured
from pmosync.model import severity_rank
from pmosync.opening import standards_of, stored
from pmosync.standards import Standard
from pmosync.yamlfile import together

baseline_app = typer.Typer(
    no_args_is_help=True, help="What was accepted as it was, and what was planned.", rich_markup_mode=None
)


@baseline_app.command("accept")
def accept(
    context: typer.Context,
    who: Annotated[str, typer.Option("--as", metavar="PERSON", help="Who decides.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is taken over as it is.")],
    json: AsJson = False,
) -> None:
    """Accept what the last run found: only what fails anew is flagged. Each standard once in each project."""
    options = common(context)
    config = configured(options)
    today = options.clock()().astimezone(config.zone).date()
    with stored(config) as store, store.reading() as connection:
        _, done = taker(config, who, reason, today)(connection)
    if not done.findings:
        refused = done.refused
        what = f"all {refused} findings are of standards that were accepted before" if refused else "no findings"
        hint = "put them right, or waive them: `pmosync waivers add`" if refused else "run `pmosync sync` first"
        raise Misconfigured(f"there is nothing to accept: {what}", where="baseline accept", hint=hint)
    if json:
        give_json({"accepted": done.findings, "refused": done.refused, "by": done.by, "on": today.isoformat()})
        return
    tell_taken(done, "; the next run takes their flags away")
    say(f"commit {config.decisions / ACCEPTED}")


def taker(config: Config, who: str, reason: str, on: dt.date, *, trial: bool = False) -> Take:
    """Accepts what the store holds, and writes it into the decisions.

    Args:
        trial: only look what would be accepted.
    """

    def take(connection: Connection) -> tuple[Accepted, Taken]:
        standards, decided = standards_of(config), read_accepted(config.decisions)
        if decided.unclear:
            raise together(list(decided.unclear), where=str(config.decisions / ACCEPTED))
        asked = [one.id for one in standards]
        debts, refused, projects = acceptable(connection, decided, asked)
        if not debts:
            return decided, Taken(0, refused, "", on)
        by = "" if trial else _decider(config, who, {one.standard for one in debts}, standards)
        if not trial:
            append_accepted(config.decisions, debts, asked, projects, by=by, reason=reason, on=on)
        return taken(decided, debts, asked, projects, on), Taken(len(debts), refused, by, on)

    return take


def tell_taken(done: Taken, then: str = "") -> None:
    """What was accepted, or would be, and what stays."""
    if done.by:
        say(f"accepted: {done.findings} findings, by {done.by}{then}")
    else:
        say(f"to accept: {done.findings or 'no'} findings")
    if done.refused:
        why = "their standards were accepted before in their projects, and that may only fall"
        say(f"{done.refused} findings stay: {why}")


def _decider(config: Config, who: str, ids: Collection[str], standards: Sequence[Standard]) -> str:
    """Somebody whose role goes as far as the worst of it; without a people file, whoever is named."""
    people = load_people(config)
    if people is None:
        return who
    worst = max((one for one in standards if one.id in ids), key=lambda one: severity_rank(one.severity))
    if trouble := not_allowed(who, worst.severity, worst.id, people):
        raise Misconfigured(trouble[0], where="--as", hint=trouble[1])
    person = people.named(who)
    assert person is not None
    return person.email
