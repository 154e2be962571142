"""Approvals of plans that the guard held back, in `decisions/approvals.yaml`.

An approval that is not clear lets nothing through; it is told with file and line.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from pmosync.decisions.files import Entry, append, each, listed
from pmosync.errors import Misconfigured

APPROVALS = "approvals.yaml"
_KEYS = ("at", "site", "verb", "standards", "max_changes", "until", "reason", "by")


@dataclass(frozen=True, slots=True)
class Approval:
    """The envelope of changes that a person allowed the guard to let through."""

    at: dt.datetime
    site: str
    verb: str
    standards: tuple[str, ...]
    max_changes: int
    until_at: dt.datetime
    reason: str
    by: str

    def counts_at(self, now: dt.datetime) -> bool:
        return self.at <= now < self.until_at


def read_approvals(folder: Path) -> tuple[tuple[Approval, ...], tuple[Misconfigured, ...]]:
    """The approvals, lapsed ones too, and those that do not count with the reason why."""
    found = each(listed(folder / APPROVALS), _approval, lambda data: _KEYS)
    return (
        tuple(one for one in found if isinstance(one, Approval)),
        tuple(one for one in found if isinstance(one, Misconfigured)),
    )


def append_approval(folder: Path, approval: Approval) -> None:
    """Write an approval to the end of its file."""
    entry = {
        "at": approval.at.astimezone(dt.UTC).isoformat(),
        "site": approval.site,
        "verb": approval.verb,
        "standards": list(approval.standards),
        "max_changes": approval.max_changes,
        "until": approval.until_at.astimezone(dt.UTC).isoformat(),
        "reason": approval.reason,
        "by": approval.by,
    }
    append(folder / APPROVALS, entry)


def _approval(entry: Entry) -> Approval:
    standards = entry.data.get("standards", [])
    if not isinstance(standards, list):
        raise entry.wrong("standards", "standards is a list", "write standards: [SCH201]")
    most = entry.data.get("max_changes")
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise entry.wrong("max_changes", "max_changes is no number of changes", "write max_changes: 500")
    return Approval(
        at=entry.instant("at"),
        site=entry.text("site"),
        verb=entry.text("verb"),
        standards=tuple(str(standard) for standard in standards),
        max_changes=most,
        until_at=entry.instant("until"),
        reason=entry.text("reason"),
        by=entry.text("by"),
    )
