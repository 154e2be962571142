"""The baseline of debt, in `decisions/accepted.yaml`: findings that were there when a standard was first asked.

| an entry | says |
|---|---|
| `accepted_on, by, reason, standards, projects, findings` | who accepted which findings, and what was looked at |
| `ended_on, findings` | these were put right: what fails there again is new |

A finding is accepted once at most, and only the first time that its standard is looked at in its project: so the number
of what is accepted only falls. Subjects are named by the ids of their tool, which stay when an issue moves.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.scalarstring import LiteralScalarString
from sqlalchemy import Connection, and_, delete, exists, func, or_, select

from pmosync.contract import canonical
from pmosync.decisions.files import Entry, append, each, listed
from pmosync.errors import Misconfigured
from pmosync.ladder import FAILING
from pmosync.model import FIELDS, Subject
from pmosync.store import read_meta, write_meta
from pmosync.store.tables import acceptance, asked, finding, project, record, scope, site, task
from pmosync.workdays import day_number

ACCEPTED = "accepted.yaml"
LARGEST_BYTES = 8_000_000
"""About a million findings."""
_KEYS = ("accepted_on", "by", "reason", "standards", "projects", "findings")
_ENDED = ("ended_on", "findings")


@dataclass(frozen=True, slots=True, order=True)
class Debt:
    """One finding."""

    subject: Subject
    site: str
    """Of a task; a project is named across all of them."""
    name: str
    """The tool's id of the task, or the project's id in findings and plans."""
    standard: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the file says."""

    debts: tuple[tuple[Debt, int], ...] = ()
    """What is accepted and was never put right, with the day of its acceptance."""
    looked: frozenset[tuple[str, str]] = frozenset()
    """The standards with the projects in which they were looked at for it."""
    unclear: tuple[Misconfigured, ...] = ()

    @property
    def hash(self) -> str:
        """Changes with what is accepted; empty while nothing ever was."""
        if not self.debts and not self.looked:
            return ""
        told = [(*(one.subject, one.site, one.name, one.standard), day) for one, day in self.debts]
        return hashlib.sha256(canonical(told).encode()).hexdigest()[:16]


def read_accepted(folder: Path) -> Accepted:
    """What the decisions folder says is accepted."""
    found: dict[Debt, int] = {}
    looked: set[tuple[str, str]] = set()
    unclear = []
    for one in each(listed(folder / ACCEPTED, LARGEST_BYTES), _entry, _keys):
        if isinstance(one, Misconfigured):
            unclear.append(one)
            continue
        day, debts, pairs = one
        looked |= pairs
        for debt in debts:
            if day is None:
                found.pop(debt, None)
            else:
                found.setdefault(debt, day)
    return Accepted(tuple(sorted(found.items())), frozenset(looked), tuple(unclear))


def append_accepted(
    folder: Path,
    debts: Iterable[Debt],
    standards: Collection[str],
    projects: Collection[str],
    *,
    by: str,
    reason: str,
    on: dt.date,
) -> None:
    """Accept findings.

    Args:
        standards, projects: all that were looked at: there nothing is accepted a second time.
    """
    about = {"accepted_on": on, "by": by, "reason": reason}
    entry = {**about, "standards": sorted(standards), "projects": sorted(projects), "findings": _listed(debts)}
    append(folder / ACCEPTED, entry, largest_bytes=LARGEST_BYTES)


def append_ended(folder: Path, debts: Iterable[Debt], on: dt.date) -> None:
    """Remember that these were put right."""
    append(folder / ACCEPTED, {"ended_on": on, "findings": _listed(debts)}, largest_bytes=LARGEST_BYTES)


def _listed(debts: Iterable[Debt]) -> list[dict[str, Any]]:
    """The ids of a standard and site together, as few lines of text."""
    groups: dict[tuple[str, Subject, str], list[str]] = {}
    for one in sorted(debts):
        groups.setdefault((one.standard, one.subject, one.site), []).append(one.name)
    return [
        {
            "standard": standard,
            "subject": subject,
            **({"site": name} if name else {}),
            "ids": LiteralScalarString(textwrap.fill(" ".join(ids), 100, break_on_hyphens=False) + "\n"),
        }
        for (standard, subject, name), ids in sorted(groups.items())
    ]


def _keys(data: Any) -> Collection[str]:
    return _ENDED if isinstance(data, dict) and "ended_on" in data else _KEYS


def _entry(entry: Entry) -> tuple[int | None, list[Debt], set[tuple[str, str]]]:
    """The day of an acceptance (None: these ended), its findings, and what was looked at."""
    debts = [debt for one in _list(entry, "findings") for debt in _debts(entry, one)]
    if "ended_on" in entry.data:
        entry.day("ended_on")
        return None, debts, set()
    entry.text("by")
    entry.text("reason")
    pairs = {(str(standard), str(name)) for standard in _list(entry, "standards") for name in _list(entry, "projects")}
    return day_number(entry.day("accepted_on")), debts, pairs


def _list(entry: Entry, key: str) -> list[Any]:
    found = entry.data.get(key)
    if not isinstance(found, list):
        raise entry.wrong(key, f"{key} is no list", "pmosync writes these entries: take it back from version control")
    return found


def _debts(entry: Entry, one: Any) -> Iterable[Debt]:
    subject = next((name for name in FIELDS if isinstance(one, dict) and one.get("subject") == name), None)
    if subject is None or not isinstance(one.get("ids"), str | int) or not isinstance(one.get("standard"), str):
        hint = "pmosync writes these entries: take it back from version control"
        raise entry.wrong("findings", "a finding has standard, subject and ids", hint)
    return [Debt(subject, str(one.get("site", "")), name, one["standard"]) for name in str(one["ids"]).split()]


# --- in the store -----------------------------------------------------------------------------------------------------


def keep_accepted(connection: Connection, accepted: Accepted) -> None:
    """Store what is accepted, when it is not what is stored."""
    if (read_meta(connection, "accepted") or "") == accepted.hash:
        return
    connection.execute(delete(acceptance))
    rows = [
        {"subject": one.subject, "site": one.site, "name": one.name, "standard": one.standard, "accepted_on": day}
        for one, day in accepted.debts
    ]
    if rows:
        connection.execute(acceptance.insert(), rows)
    write_meta(connection, "accepted", accepted.hash)


def put_right(connection: Connection) -> list[Debt]:
    """What is accepted and fails no more, as far as that is proven."""
    if connection.scalar(select(acceptance.c.name).limit(1)) is None:
        return []
    found: list[Debt] = []
    calm = and_(
        ~exists().where(scope.c.observed == 0), ~exists().where(func.coalesce(site.c.trouble, "") != "")
    )  # else a verdict may be frozen that a rebuilt store has never seen
    for subject, own in (("task", task), ("project", project)):
        same = acceptance.c.name == own.c.rid if subject == "task" else acceptance.c.name == own.c.uid
        here = and_(same, acceptance.c.site == own.c.site) if subject == "task" else same
        fails = and_(
            finding.c.subject == subject,
            finding.c.subject_id == own.c.id,
            finding.c.standard == acceptance.c.standard,
        )
        holds = finding.c.state.in_((*FAILING, "waived", "accepted"))
        judged = and_(own.c.observed == 1, calm, exists().where(asked.c.standard == acceptance.c.standard))
        rows = (
            select(acceptance)
            .join(own, here)
            .outerjoin(finding, fails)
            .where(
                acceptance.c.subject == subject,
                or_(
                    finding.c.acceptance_ended == acceptance.c.accepted_on,
                    and_(judged, or_(finding.c.state.is_(None), ~holds)),
                ),
            )
        )
        found += [Debt(row.subject, row.site, row.name, row.standard) for row in connection.execute(rows)]
    return sorted(found + _gone(connection))


def _gone(connection: Connection) -> list[Debt]:
    """What was accepted of subjects that are gone for good: their findings are resolved."""
    rows = (
        select(acceptance)
        .where(acceptance.c.subject == "task")
        .join(
            record, and_(record.c.site == acceptance.c.site, record.c.kind == "task", record.c.rid == acceptance.c.name)
        )
    )
    return [
        Debt(row.subject, row.site, row.name, row.standard)
        for row in connection.execute(rows.where(record.c.gone == 1))
    ]


@dataclass(frozen=True, slots=True)
class Taken:
    """What somebody accepted, or would."""

    findings: int
    refused: int
    """Findings that stay: their standards were accepted before in their projects."""
    by: str
    """Empty when it was only tried."""
    on: dt.date


Take = Callable[[Connection], tuple[Accepted, Taken]]
"""Accepts what a run has just found: what is accepted from then on, and what of it is new."""


def taken(
    accepted: Accepted, debts: Iterable[Debt], standards: Collection[str], projects: Collection[str], on: dt.date
) -> Accepted:
    """What the file says when these are accepted, too."""
    day = day_number(on)
    pairs = {(standard, name) for standard in standards for name in projects}
    return Accepted(
        tuple(sorted({**dict.fromkeys(debts, day), **dict(accepted.debts)}.items())), accepted.looked | pairs
    )


def acceptable(
    connection: Connection, accepted: Accepted, standards: Sequence[str]
) -> tuple[list[Debt], int, list[str]]:
    """The failing findings that may be accepted now, how many may not, and the projects that were looked at."""
    debts, refused = [], 0
    seen = list(connection.scalars(select(project.c.uid).where(project.c.observed == 1).order_by(project.c.uid)))
    of_tasks = select(finding.c.standard, task.c.site, task.c.rid, project.c.uid).select_from(
        finding.join(task, task.c.id == finding.c.subject_id).join(project, project.c.id == task.c.project_id)
    )
    of_projects = select(finding.c.standard, project.c.uid).select_from(
        finding.join(project, project.c.id == finding.c.subject_id)
    )
    failing = and_(finding.c.state.in_(FAILING), finding.c.standard.in_(list(standards)), project.c.observed == 1)
    found = [
        (Debt("task", row.site, row.rid, row.standard), row.uid)
        for row in connection.execute(of_tasks.where(failing, finding.c.subject == "task"))
    ]
    found += [
        (Debt("project", "", row.uid, row.standard), row.uid)
        for row in connection.execute(of_projects.where(failing, finding.c.subject == "project"))
    ]
    for debt, uid in found:
        if (debt.standard, uid) in accepted.looked:
            refused += 1
        else:
            debts.append(debt)
    return debts, refused, seen
