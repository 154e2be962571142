"""Tells what a cycle did: by site, by finding, by change, and what it cost in calls.

Numbers are the outcome's own; nothing is added up in a way that could hide a scope that was not observed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pmosync.approving import standards_in
from pmosync.cli.terminal import say, table
from pmosync.config import OpenSite
from pmosync.cycle import Outcome, SiteOutcome
from pmosync.opening import Ready
from pmosync.plan import Line, Plan

SHOWN = 10
"""So many lines of a list are shown; the rest is counted."""


def tell(outcome: Outcome, ready: Ready) -> None:
    """Everything about a run of sync or reconcile."""
    tell_sites(outcome)
    tell_findings(outcome)
    tell_changes(outcome.plan)
    tell_left(outcome.plan)
    if outcome.refused is not None:
        say(str(outcome.refused), "bold")
    elif not ready.config.push and outcome.plan.changes:
        say(
            f"push is off: {len(outcome.plan.changes)} changes not written; look at `pmosync plan`, then set push: on",
            "bold",
        )
    tell_calls(ready.sites)


def tell_sites(outcome: Outcome) -> None:
    """One paragraph per site: what was read, what was not, what was written."""
    for name, site in outcome.sites.items():
        say(f"{name}: {'; '.join(_told(name, site)) or 'nothing to do'}")
        if site.pulled is not None:
            for scope, why in first(sorted(site.pulled.unobserved.items())):
                say(f"  not observed, left as it was: {scope}: {why}")
            rest(len(site.pulled.unobserved), "scopes not observed")
        for note in first(site.notes):
            say(f"  {note}")
        rest(len(site.notes), "notes")
        if site.trouble is not None:
            say(f"  in trouble: {site.trouble}", "bold")
        if site.pushed is not None:
            fates = {"refused": site.pushed.refused, "not known": site.pushed.unknown, "later": site.pushed.later}
            for kind, lines in fates.items():
                for line in first(lines):
                    say(f"  {kind}: {line}")
                rest(len(lines), f"changes {kind}")
    if outcome.locked:
        say(f"{outcome.locked}: nothing was judged; what was read is kept")
    for name, why in outcome.switched_off.items():
        say(f"{name if ' ' in name else f'standard {name}'} could not be run and was switched off: {why}", "bold")


def _told(name: str, site: SiteOutcome) -> list[str]:
    parts = []
    if site.locked:
        parts.append(f"left out, {site.locked.removeprefix(f'{name}: ')}")
    if site.pulled is not None:
        parts.append(f"{site.pulled.records} records read, {site.pulled.changed} changed, {site.pulled.gone} gone")
    if site.pushed is not None:
        pushed = site.pushed
        parts.append(f"{pushed.done} marks written, {len(pushed.refused)} refused, {len(pushed.unknown)} not known")
        if pushed.later:
            parts.append(f"{len(pushed.later)} left for later")
    return parts


def tell_findings(outcome: Outcome) -> None:
    """One line of findings."""
    settled = outcome.settled
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(settled.causes.items(), key=lambda one: -one[1]))
    lapsed = f", {settled.lapsed} waivers lapsed" if settled.lapsed else ""
    say(
        f"findings: {settled.new} new, {settled.resolved} resolved, {settled.waived} waived{lapsed}"
        f"{f' (because of: {causes})' if causes else ''}"
    )


def tell_changes(plan: Plan) -> None:
    """The changes of a plan, counted by site, slot, verb and cause."""
    if not plan.changes:
        say("plan: nothing to change")
        return
    grouped = summary(plan)
    say(f"plan: {len(plan.changes)} changes")
    table(
        ("site", "slot", "verb", "because of", ">changes"),
        [(row["site"], row["slot"], row["verb"], row["causes"], row["changes"]) for row in grouped[:SHOWN]],
    )
    rest(len(grouped), "kinds of changes")


def tell_left(plan: Plan) -> None:
    """The slots that were left alone, counted by reason."""
    reasons = Counter((line.site, line.slot, line.note) for line in plan.left)
    for (site, slot, note), count in first(reasons.most_common()):
        say(f"left alone: {site} {slot}: {note} ({count})")
    rest(len(reasons), "reasons to leave slots alone")


def summary(plan: Plan) -> list[dict[str, Any]]:
    """The changes of a plan, counted by site, slot, verb and cause."""
    counts = Counter((line.site, line.subject, line.slot, line.verb, line.causes) for line in plan.changes)
    return [
        {"site": site, "subject": subject, "slot": slot, "verb": verb, "causes": causes, "changes": count}
        for (site, subject, slot, verb, causes), count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def tell_calls(sites: Sequence[OpenSite]) -> None:
    """The call economy: requests by site and endpoint, reads and writes apart."""
    for site in sites:
        calls, writes = site.session.calls, site.session.writes
        say(f"requests to {site.name}: {calls.total() - writes.total()} reads, {writes.total()} writes")
        if calls:
            table((">requests", "endpoint"), [(count, name) for name, count in sorted(calls.items())], fixed=(0,))


def tell_plan(plan: Plan) -> None:
    """Every change of a plan, what is left alone, and what is made once before."""
    for step in plan.setup:
        say(f"first: {step}")
    if plan.changes:
        table(("item", "what", "slots", "because of"), [_item(group) for group in by_item(plan.changes)])
    tell_left(plan)
    counts = ", ".join(f"{count} to {verb}" for verb, count in sorted(plan.counts().items()))
    say(f"plan: {len(plan.changes)} changes ({counts})" if plan.changes else "plan: nothing to change")


def tell_cost(cost: Mapping[str, Mapping[str, int]]) -> None:
    """What pushing the plan would cost."""
    for site, calls in cost.items():
        say(f"pushing it takes {sum(calls.values())} requests to {site}")


def by_item(changes: Sequence[Line]) -> list[list[Line]]:
    """The changes of each item together, apart where verb, cause or note differ."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in changes:
        same = (line.site, line.subject, line.rid, line.verb, line.causes, line.note)
        groups.setdefault(same, []).append(line)
    return list(groups.values())


def _item(group: Sequence[Line]) -> tuple[str, str, str, str]:
    line = group[0]
    name = line.key if line.key != line.rid else line.title or line.key
    note = f" ({line.note})" if line.note else ""
    return shortened(name, 25), f"{line.verb} {what(group)}{note}", ", ".join(one.slot for one in group), line.causes


def what(group: Sequence[Line]) -> str:
    """Changes of one item in a few words: the standards that the marks tell of, else the mark itself."""
    told = ", ".join(standards_in(group))
    value = group[0].after if group[0].after is not None else group[0].before
    return told or shortened(value or "", 40)


def shortened(text: str, most: int) -> str:
    """A text that is cut where it would take too much room."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def first(rows: Sequence[Any]) -> Sequence[Any]:
    """What is shown of a list."""
    return rows[:SHOWN]


def rest(total: int, things: str) -> None:
    """Say how many more there are."""
    if total > SHOWN:
        say(f"  … and {total - SHOWN} more {things}")
