"""What people decided: waivers of standards, and approvals of plans that the guard held back.

Decisions are text under version control, in files that only grow: pmosync appends whole entries and never rewrites what
stands there. A waiver that is not clear does not count; it is reported with file and line, and the run goes on.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pmosync.errors import Misconfigured
from pmosync.yamlfile import At, Doc, did_you_mean, dump, load

WAIVERS = "waivers.yaml"
APPROVALS = "approvals.yaml"
LONGEST_DAYS = 365
"""A waiver that ends later than this from today does not count: it would be the standard's end, not an exception."""

_STANDARD = re.compile(r"[A-Z][A-Z0-9_-]{1,19}")
"""An id that a pack may give, or the letters that ids begin with."""
_WAIVER_KEYS = ("standard", "subject", "project", "reason", "requested_by", "approved_by", "until")
_APPROVAL_KEYS = ("at", "site", "verb", "standards", "max_changes", "until", "reason", "by")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A written, approved, expiring exception: one standard (or a family such as SCH) for one subject."""

    standard: str
    site: str
    covers: Literal["subject", "project"]
    """`subject`: what is called `key`, be it a task or a project; `project`: that project and every task in it."""
    key: str
    """The subject's key or id, as the tool shows it."""
    until_on: dt.date
    """The last day on which it counts."""
    reason: str
    approved_by: str
    requested_by: str = ""
    place: str = ""
    """`file:line:column`, for messages."""

    def counts_on(self, day: dt.date) -> bool:
        return day <= self.until_on


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


def read_waivers(folder: Path, today: dt.date) -> tuple[tuple[Waiver, ...], tuple[Misconfigured, ...]]:
    """The waivers, lapsed ones too, and those that do not count with the reason why.

    Args:
        today: what the longest term is counted from.
    """
    return _read(folder / WAIVERS, _WAIVER_KEYS, lambda entry: _waiver(entry, today))


def read_approvals(folder: Path) -> tuple[tuple[Approval, ...], tuple[Misconfigured, ...]]:
    """The approvals, lapsed ones too, and those that do not count with the reason why."""
    return _read(folder / APPROVALS, _APPROVAL_KEYS, _approval)


def append_approval(folder: Path, approval: Approval) -> None:
    """Write an approval to the end of its file, in one piece; it has reached the disk when this returns."""
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
    path = folder / APPROVALS
    indent = _indent(path)
    _append(path, textwrap.indent(textwrap.dedent(dump([entry])), indent))


def _indent(path: Path) -> str:
    """How far the entries of the file are indented; a file that cannot be appended to is refused."""
    doc = _list(path)
    first = doc and re.search(r"^( *)- ", doc.text, re.MULTILINE)
    if doc and not first:
        raise doc.wrong((), "the list is written in brackets", "start every entry on its own line with a hyphen")
    return first[1] if first else ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a file, and how to complain about it."""

    doc: Doc
    at: At
    data: Mapping[str, Any]

    def wrong(self, key: str, what: str, hint: str) -> Misconfigured:
        return self.doc.wrong((*self.at, key), what, hint)

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
            problem = f"{key} is missing" if value is None else f"{key} is not a text"
            raise self.wrong(key, problem, f"write {key}: and a text")
        return str(value).strip()

    def instant(self, key: str) -> dt.datetime:
        try:
            instant = dt.datetime.fromisoformat(self.text(key))
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise self.wrong(key, f"{key} is no instant", "write it as 2026-05-20T14:30:00+00:00")
        return instant


def _read(path: Path, keys: Collection[str], read: Any) -> tuple[tuple[T, ...], tuple[Misconfigured, ...]]:
    """Every entry that can be read, and what is wrong with the others."""
    doc = _list(path)
    found, wrong = [], []
    for position, data in enumerate(doc.data if doc else ()):
        try:
            found.append(read(_entry(doc, (position,), data, keys)))
        except Misconfigured as error:
            wrong.append(error)
    return tuple(found), tuple(wrong)


def _list(path: Path) -> Doc | None:
    """The file, when there is one with anything but comments in it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        lines = ["unreadable"]  # load says why
    if all(not line.strip() or line.lstrip().startswith("#") for line in lines):
        return None
    doc = load(path, impossible_days=True)
    if not isinstance(doc.data, list):
        raise doc.wrong((), f"{path.name} is a list of decisions", "start every entry with a hyphen")
    return doc


def _entry(doc: Doc | None, at: At, data: Any, keys: Collection[str]) -> _Entry:
    assert doc is not None
    if not isinstance(data, dict):
        raise doc.wrong(at, "an entry has keys", f"write {', '.join(keys)}")
    for key in data:
        if key not in keys:
            hint = did_you_mean(key, keys) or f"known: {', '.join(keys)}"
            raise doc.wrong((*at, key), f"unknown key '{key}'", hint, key=True)
    return _Entry(doc, at, data)


def _waiver(entry: _Entry, today: dt.date) -> Waiver:
    standard = entry.text("standard")
    if not _STANDARD.fullmatch(standard):
        raise entry.wrong(
            "standard", f"'{standard}' is no standard", "write an id such as SCH201, or SCH for all of it"
        )
    covers: Literal["subject", "project"] = "project" if "project" in entry.data else "subject"
    if len({"subject", "project"} & entry.data.keys()) != 1:
        raise entry.doc.wrong(
            entry.at,
            "a waiver names one subject or one project, never everything",
            "write subject: acme-jira/PAY-12 or project: acme-jira/PAY",
        )
    site, slash, key = entry.text(covers).partition("/")
    if not (site and slash and key):
        raise entry.wrong(covers, f"'{entry.text(covers)}' names no {covers}", "write site/key: acme-jira/PAY-12")
    return Waiver(
        standard=standard,
        site=site,
        covers=covers,
        key=key,
        until_on=_until(entry, today),
        reason=entry.text("reason"),
        approved_by=entry.text("approved_by"),
        requested_by=entry.text("requested_by") if "requested_by" in entry.data else "",
        place=entry.doc.place(entry.at),
    )


def _until(entry: _Entry, today: dt.date) -> dt.date:
    """The last day; what is no day counts as lapsed."""
    value = entry.data.get("until")
    if not isinstance(value, dt.date):
        problem = "until is missing" if value is None else f"until is no day: {value}"
        raise entry.wrong("until", f"{problem}; the waiver counts as lapsed", "write until: 2026-12-31")
    if (value - today).days > LONGEST_DAYS:
        what = f"until {value} is more than {LONGEST_DAYS} days ahead"
        raise entry.wrong("until", f"{what}; the waiver does not count", "write a nearer day, and decide again then")
    return value


def _approval(entry: _Entry) -> Approval:
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


def _append(path: Path, entry: str) -> None:
    """One write to the end, so that two runs cannot mix their entries; then wait for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # the newline in front ends a last line that somebody left open
            os.write(descriptor, f"\n{entry}".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Misconfigured(
            f"cannot be written: {error.strerror}", where=str(path), hint="check who may write"
        ) from None
