"""The verbs about what was planned: baseline set, show and diff.

They ask no site: a baseline is what the last run read. What is set is one new file in the decisions folder, read back
as what it means before it is written; nothing that stands there is changed.
"""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from pmosync.cli.options import AsJson, common, configured
from pmosync.cli.terminal import give_json, say, table, warn
from pmosync.config import Config, load_people, load_register
from pmosync.decisions.baselines import (
    Baseline,
    Baselines,
    Plan,
    Planned,
    check_leave,
    plan_of,
    read_baselines,
    write_baseline,
)
from pmosync.errors import Misconfigured
from pmosync.opening import stored
from pmosync.reports import Row
from pmosync.yamlfile import did_you_mean

SHOWN = 20
LONGEST_TEXT = 1_000
NEXT = "commit the decisions folder; the next run measures against it"

Name = Annotated[str, typer.Argument(metavar="PROJECT", help="Its id in the register, its key, or site/key.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every verb looks at."""

    config: Config
    read: Baselines
    plan: Plan

    @property
    def theirs(self) -> Sequence[Baseline]:
        """The baselines of the project, the oldest first."""
        return self.read.of(self.plan.project, self.plan.containers)

    def newest(self) -> Baseline:
        """The baseline that counts."""
        if not self.theirs:
            hint = (
                f"set it once its dates and estimates are approved: pmosync baseline set {self.plan.project} --reason"
            )
            raise Misconfigured(f"{self.plan.project} has no baseline yet", hint=hint)
        return self.theirs[-1]


def _desk(config: Config, name: str) -> _Desk:
    with stored(config) as store, store.reading() as connection:
        desk = _Desk(config, read_baselines(config.decisions), plan_of(connection, name))
    for one in desk.read.unclear:
        warn(str(one.error))
    return desk


def set_(
    context: typer.Context,
    name: Name,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why this is the plan from now on.")],
    change: Annotated[
        str, typer.Option("--change", metavar="TASK", help="The approved change: site/key, or its id in the register.")
    ] = "",
    gate: Annotated[str, typer.Option("--gate", metavar="NAME", help="The gate that approved it.")] = "",
    who: Annotated[
        str, typer.Option("--as", metavar="PERSON", help="Who decides; somebody in people.yaml, where there is one.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Freeze dates and estimates of a project as they are now."""
    options = common(context)
    config = configured(options)
    for option, text in (("--reason", reason), ("--change", change), ("--gate", gate)):
        if len(text) > LONGEST_TEXT or ((text != text.strip() or not text) and (text or option == "--reason")):
            raise Misconfigured("a text of one to a thousand characters", where=option, hint="say it in a sentence")
    now = options.clock()()
    with stored(config) as store, store.reading() as connection:
        plan = plan_of(connection, name)
        read = read_baselines(config.decisions)
        before = check_leave(connection, read, plan, load_register(config), gate=gate, change=change)
    made = write_baseline(
        config.decisions,
        Baseline(
            project=plan.project,
            containers=plan.containers,
            set_at=now,
            set_on=now.astimezone(config.zone).date(),
            by=_person(config, who),
            reason=reason,
            gate=gate,
            change=change,
            replaces=before[-1].name if before else "",
            **plan.totals,
        ),
        plan.tasks,
    )
    if json:
        give_json(_row(made))
        return
    dated = sum(one.due_on is not None for one in plan.tasks)
    estimated = sum(one.estimate_h is not None for one in plan.tasks if one.leaf)
    say(f"set: {made.path}")
    say(
        f"  {made.tasks} tasks, {dated} with a due date, {estimated} with an estimate; due {made.due_on or 'on no day'}"
    )
    say(NEXT)


def _person(config: Config, who: str) -> str:
    people = load_people(config)
    if not who or people is None:
        return who or getpass.getuser()
    person = people.named(who)
    if person is None:
        raise Misconfigured(f"'{who}' is nobody in the people file", where="--as", hint=people.near(who))
    return person.email


def show(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """The baselines of a project: when, by whom, why."""
    desk = _desk(configured(common(context)), name)
    rows = [_row(one) for one in desk.theirs]
    if json:
        unclear = [
            {"where": one.error.where, "what": one.error.what, "hint": one.error.hint} for one in desk.read.unclear
        ]
        give_json({"project": desk.plan.project, "baselines": rows, "unclear": unclear})
        return
    desk.newest()
    say(f"{desk.plan.project}  {desk.plan.title}", "bold")
    table(
        ("set on", "by", "decided by", ">tasks", "due", "reason"),
        [
            (one["set_on"], one["by"], one["gate"] or one["change"], one["tasks"], one["due_on"], one["reason"])
            for one in rows
        ],
        fixed=(0, 3, 4),
    )
    say(f"the last one counts: {desk.newest().path}")


def _row(one: Baseline) -> Row:
    return {
        "file": one.name,
        "project": one.project,
        "set_on": one.set_on.isoformat(),
        "by": one.by,
        "reason": one.reason,
        "gate": one.gate or None,
        "change": one.change or None,
        "replaces": one.replaces or None,
        "due_on": one.due_on and one.due_on.isoformat(),
        "budget_h": one.budget_h,
        "budget_cost": one.budget_cost,
        "tasks": one.tasks,
    }


# --- diff -------------------------------------------------------------------------------------------------------------


def diff(
    context: typer.Context,
    name: Name,
    against: Annotated[
        str, typer.Option("--against", metavar="FILE", help="An earlier baseline, as `baseline show` names it.")
    ] = "",
    json: AsJson = False,
) -> None:
    """What differs between the plan of now and the baseline."""
    desk = _desk(configured(common(context)), name)
    one = desk.newest()
    if against:
        files = {each.name: each for each in desk.theirs}
        if against not in files:
            hint = did_you_mean(against, files) or f"there are {', '.join(files)}"
            raise Misconfigured(f"there is no baseline {against}", where="--against", hint=hint)
        one = files[against]
    found = _differences(list(one.rows()), desk.plan.tasks)
    totals = _totals(one, desk.plan.totals)
    if json:
        give_json({"project": desk.plan.project, "against": one.name, "totals": totals, "tasks": found})
        return
    say(f"{desk.plan.project} as it is planned now, against {one.name}", "bold")
    if not found and not totals:
        say("no differences")
        return
    rows = [*[("the project", "changed", _moves(each)) for each in totals], *[_line(each) for each in found]]
    table(("task", "", "baseline → now"), rows[:SHOWN], fixed=(1,))
    if len(rows) > SHOWN:
        say(f"… and {len(rows) - SHOWN} more; see --json")


def _differences(before: Sequence[Planned], now: Sequence[Planned]) -> list[dict[str, Any]]:
    """Task by task: what was added, what is gone, and what has another date or estimate."""
    keys = {(one.site, one.key): one for one in now}
    ids = {(one.site, one.rid): one for one in now}
    told: list[dict[str, Any]] = []
    seen = set()
    for one in before:
        match = ids.get((one.site, one.rid)) or keys.get((one.site, one.key))
        if match is None:
            told.append({"task": f"{one.site}/{one.key}", "change": "gone", "fields": _fields(one, None)})
            continue
        seen.add((match.site, match.rid))
        if moved := _fields(one, match):
            told.append({"task": f"{match.site}/{match.key}", "change": "changed", "fields": moved})
    told += [
        {"task": f"{one.site}/{one.key}", "change": "added", "fields": _fields(None, one)}
        for one in now
        if (one.site, one.rid) not in seen
    ]
    return told


def _fields(before: Planned | None, now: Planned | None) -> list[Row]:
    return [
        {"field": name, "baseline": _plain(was), "now": _plain(this)}
        for name in ("start_on", "due_on", "estimate_h")
        if (was := getattr(before, name, None)) != (this := getattr(now, name, None))
    ]


def _totals(one: Baseline, totals: Mapping[str, Any]) -> list[Row]:
    return [
        {"field": name, "baseline": _plain(getattr(one, name)), "now": _plain(value)}
        for name, value in totals.items()
        if getattr(one, name) != value
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _line(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["task"], one["change"], "; ".join(_moves(each) for each in one["fields"])


def _moves(one: Row) -> str:
    shown = ["none" if one[name] is None else str(one[name]) for name in ("baseline", "now")]
    return f"{one['field']} {' → '.join(shown)}"
