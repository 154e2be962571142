"""Compares a plan with what people approved, so that the guard lets through what somebody looked at and no more.

An approval is an envelope: one site, one verb, the standards that the marks told of, so many changes, one day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pmosync.decisions import Approval
from pmosync.marks import read_since
from pmosync.plan import Line, Plan

VALID = dt.timedelta(hours=24)


def standards_in(lines: Sequence[Line]) -> tuple[str, ...]:
    """The standards that these changes tell of, before or after."""
    texts = [text for line in lines for text in (line.before, line.after) if text]
    return tuple(sorted({standard for text in texts for standard in read_since(text)}))


def envelopes(plan: Plan, reason: str, by: str, now: dt.datetime) -> list[Approval]:
    """The approvals that cover exactly this plan, one for each site and verb."""
    found = []
    for site, verb in sorted({(line.site, line.verb) for line in plan.changes}):
        lines = [line for line in plan.of(site) if line.verb == verb]
        found.append(
            Approval(
                at=now,
                site=site,
                verb=verb,
                standards=standards_in(lines),
                max_changes=len(lines),
                until_at=now + VALID,
                reason=reason,
                by=by,
            )
        )
    return found


def allowed(plan: Plan, approvals: Sequence[Approval], now: dt.datetime) -> dict[str, int]:
    """How many changes of this plan are approved, by site; none of a site where some change is not."""
    found: dict[str, int] = {}
    for site in {line.site for line in plan.changes}:
        lines = plan.of(site)
        verbs = {line.verb for line in lines}
        if all(_covered([line for line in lines if line.verb == verb], approvals, now) for verb in verbs):
            found[site] = len(lines)
    return found


def _covered(lines: Sequence[Line], approvals: Sequence[Approval], now: dt.datetime) -> bool:
    """Whether one approval covers all these changes of one site and verb."""
    told = set(standards_in(lines))
    return any(
        one.site == lines[0].site
        and one.verb == lines[0].verb
        and one.counts_at(now)
        and len(lines) <= one.max_changes
        and told <= set(one.standards)
        for one in approvals
    )
