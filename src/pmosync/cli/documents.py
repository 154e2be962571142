"""Turns outcomes into the JSON documents that docs/json.md describes.

A key that stands there stays there: programs read these documents without a person watching.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pmosync.cli.telling import summary
from pmosync.config import OpenSite
from pmosync.cycle import Outcome, SiteOutcome
from pmosync.decisions.accepted import Taken
from pmosync.opening import Ready
from pmosync.plan import Line, Plan

Document = dict[str, Any]


def run(outcome: Outcome, ready: Ready, code: int) -> Document:
    """What sync, reconcile, apply, check and retract did."""
    sessions = {site.name: site for site in ready.sites}
    return {
        **judged(outcome, code),
        "sites": {name: _site(site, sessions[name]) for name, site in outcome.sites.items()},
        "accepted": outcome.taken and _taken(outcome.taken),
        "plan": counted(outcome.plan),
        "push": ready.config.push,
        "guard": None if outcome.refused is None else str(outcome.refused),
        "store_locked": bool(outcome.locked),
    }


def _taken(done: Taken) -> Document:
    """What was accepted, or would be."""
    return {"findings": done.findings, "refused": done.refused, "by": done.by or None, "on": done.on.isoformat()}


def judged(outcome: Outcome, code: int) -> Document:
    """What judging found, whether or not any site was asked."""
    return {
        "exit": code,
        "findings": {
            "new": outcome.settled.new,
            "resolved": outcome.settled.resolved,
            "waived": outcome.settled.waived,
            "lapsed": outcome.settled.lapsed,
            "causes": outcome.settled.causes,
        },
        "switched_off": outcome.switched_off,
    }


def counted(plan: Plan) -> Document:
    """A plan by its counts."""
    left = Counter((line.site, line.slot, line.note) for line in plan.left)
    return {
        "changes": len(plan.changes),
        "by_kind": summary(plan),
        "left": [{"site": s, "slot": t, "note": n, "slots": count} for (s, t, n), count in sorted(left.items())],
        "setup": plan.setup,
    }


def lines(plan: Plan) -> Document:
    """A plan line by line."""
    return {"lines": [_line(line) for line in plan.changes], "left_lines": [_line(line) for line in plan.left]}


def cost(plan: Plan, sites: Sequence[OpenSite]) -> dict[str, dict[str, int]]:
    """The requests that pushing a plan takes, by site and endpoint."""
    changes = {site.name: [line.change() for line in plan.of(site.name)] for site in sites}
    return {site.name: dict(site.connector.cost(changes[site.name]).calls) for site in sites if changes[site.name]}


def _line(line: Line) -> Document:
    return {
        "site": line.site,
        "subject": line.subject,
        "id": line.rid,
        "key": line.key,
        "title": line.title,
        "project": line.project,
        "slot": line.slot,
        "verb": line.verb,
        "before": line.before,
        "after": line.after,
        "causes": line.causes,
        "note": line.note,
    }


def _site(site: SiteOutcome, opened: OpenSite) -> Document:
    pulled, pushed = site.pulled, site.pushed
    calls, writes = opened.session.calls, opened.session.writes
    return {
        "pulled": pulled
        and {
            "records": pulled.records,
            "changed": pulled.changed,
            "gone": pulled.gone,
            "unobserved": pulled.unobserved,
        },
        "pushed": pushed
        and {"done": pushed.done, "refused": pushed.refused, "unknown": pushed.unknown, "later": pushed.later},
        "locked": bool(site.locked),
        "trouble": None if site.trouble is None else str(site.trouble),
        "notes": site.notes,
        "requests": {
            "reads": calls.total() - writes.total(),
            "writes": writes.total(),
            "by_endpoint": dict(sorted(calls.items())),
        },
    }
