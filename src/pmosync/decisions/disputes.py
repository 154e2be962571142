"""Disputes: somebody says that a standard is wrong about an item, in `decisions/disputes.yaml`.

A dispute waives nothing: the finding stays, and what is disputed is counted against the standard. One that is not clear
does not count; it is told with file and line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmosync.decisions.files import Entry, each, listed
from pmosync.errors import Misconfigured
from pmosync.yamlfile import Doc

DISPUTES = "disputes.yaml"
_KEYS = ("id", "standard", "subject", "reason", "by", "on", "source")


@dataclass(frozen=True, slots=True)
class Dispute:
    """One standard disputed for one task or project."""

    id: str
    standard: str
    site: str
    key: str
    """The subject's key or id as the tool shows it."""
    reason: str
    by: str
    on: dt.date
    source: str = ""
    """The comment that it was made in: `site/id`."""

    def row(self) -> Mapping[str, Any]:
        """The row of the store's table."""
        return {
            "dispute": self.id,
            "standard": self.standard,
            "site": self.site,
            "key": self.key,
            "reason": self.reason,
        }


def read_disputes(folder: Path) -> tuple[tuple[Dispute, ...], tuple[Misconfigured, ...]]:
    """The disputes of a decisions folder, and those that do not count with the reason why."""
    return disputes_in(listed(folder / DISPUTES))


def disputes_in(doc: Doc | None) -> tuple[tuple[Dispute, ...], tuple[Misconfigured, ...]]:
    """The disputes of a file that was read."""
    found: dict[str, Dispute] = {}
    wrong: list[Misconfigured] = []
    for one in each(doc, _dispute, lambda data: _KEYS):
        if isinstance(one, Misconfigured):
            wrong.append(one)
        else:
            found.setdefault(one.id, one)
    return tuple(found.values()), tuple(wrong)


def _dispute(entry: Entry) -> Dispute:
    site, slash, key = entry.text("subject").partition("/")
    if not (site and slash and key):
        raise entry.wrong("subject", f"'{entry.text('subject')}' names no subject", "write site/key: acme-jira/PAY-12")
    on = entry.data.get("on")
    if not isinstance(on, dt.date):
        raise entry.wrong("on", "on is no day; the dispute does not count", "write on: 2026-11-20")
    return Dispute(
        id=entry.text("id"),
        standard=entry.text("standard"),
        site=site,
        key=key,
        reason=entry.text("reason"),
        by=entry.text("by"),
        on=on,
        source=entry.optional("source"),
    )
