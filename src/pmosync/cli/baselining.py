"""The verbs about where the counting begins: what was accepted when a standard was first asked, what was planned.

What they decide is appended to the decisions folder and never rewritten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from pmosync.cli.options import AsJson, common, configured
from pmosync.cli.terminal import give_json, say
from pmosync.config import Config, load_people
from pmosync.decisions import ACCEPTED, read_accepted
from pmosync.decisions.accepted import acceptable, append_accepted
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
    standards = standards_of(config)
    decided = read_accepted(config.decisions)
    if decided.unclear:
        raise together(list(decided.unclear), where=str(config.decisions / ACCEPTED))
    with stored(config) as store, store.reading() as connection:
        debts, refused, projects = acceptable(connection, decided, [one.id for one in standards])
    if not debts:
        what = f"all {refused} findings are of standards that were accepted before" if refused else "no findings"
        hint = "put them right, or waive them: `pmosync waivers add`" if refused else "run `pmosync sync` first"
        raise Misconfigured(f"there is nothing to accept: {what}", where="baseline accept", hint=hint)
    by = _decider(config, who, {one.standard for one in debts}, standards)
    today = options.clock()().astimezone(config.zone).date()
    asked = [one.id for one in standards]
    append_accepted(config.decisions, debts, asked, projects, by=by, reason=reason, on=today)
    if json:
        give_json({"accepted": len(debts), "refused": refused, "by": by, "on": today.isoformat()})
        return
    say(f"accepted: {len(debts)} findings, by {by}; the next run takes their flags away")
    if refused:
        say(f"{refused} findings stay: their standards were accepted before in their projects, and that may only fall")
    say(f"commit {config.decisions / ACCEPTED}")


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
