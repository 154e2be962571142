"""Marks: what the findings and rollups look like in the tools, the same in every tool, before a connector writes them.

Nothing pushed contains the time of a run: the dates in a mark (`since`, `fix by`) change only when a finding does.

| form | a task's flag | a project's rollup |
|---|---|---|
| json | worst severity and each finding with id, title, severity, since, fix by, guidance and its page | all measures |
| word | the worst severity | the worst severity |
| text | one line a finding: what, since when, until when, how to fix it; then the page | the measures in words |
| link | how many findings and what they are called, and the page of the worst | — |
| measures | — | open, late, findings, compliance, worst |
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, delete, select

from pmosync.contract import SlotKind, canonical
from pmosync.model import severity_rank
from pmosync.standards import Standard
from pmosync.store import upsert
from pmosync.store.tables import container, finding, mark, project, task, wanted
from pmosync.workdays import Workdays, date_of, day_number

FORMAT = 2
"""Grows when the text of marks changes, so that `pmosync` can be named as the cause."""

Slots = Callable[[str, str], Sequence[SlotKind]]
"""The slots in use: of a site, for tasks or projects."""

_SINCE = re.compile(r"^([A-Z][A-Z0-9_-]{2,19})(?: .*?,)? since (\d{4}-\d\d-\d\d)(?=, fix by |$)", re.MULTILINE)
"""The beginning of a line of a text flag, for every id that a pack may give."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """One active finding as it is shown to the team."""

    standard: Standard
    since: int


def want(
    connection: Connection,
    standards: Mapping[str, Standard],
    rollups: Mapping[int, Any],
    workdays: Workdays,
    slots: Slots,
    *,
    all_rollups: bool,
    guidance: str = "",
) -> None:
    """Fill `wanted` with every mark that should stand.

    Args:
        rollups: by project id; each offers `measures()` and `worst`.
        all_rollups: write every rollup anew (reconcile); else one that stands is kept until its worst severity changes.
        guidance: the address below which the page of each standard stands; empty: they are not published.
    """
    connection.execute(delete(wanted))
    rows: list[dict[str, Any]] = []
    for name, rid, flagged in _flagged_tasks(connection, standards):
        for slot in slots(name, "task"):
            text = flag(flagged, slot.form, slot.limit, workdays, guidance)
            if text is not None:
                rows.append({"site": name, "subject": "task", "rid": rid, "slot": slot.name, "value": text})
    upsert(connection, wanted, rows)
    upsert(connection, wanted, _rollup_rows(connection, standards, rollups, workdays, slots, all_rollups))


def _flagged_tasks(
    connection: Connection, standards: Mapping[str, Standard]
) -> Iterable[tuple[str, str, list[Flagged]]]:
    """Tasks with active findings whose project asks (advise, require) and not only observes."""
    rows = connection.execute(
        select(task.c.site, task.c.rid, finding.c.standard, finding.c.since)
        .join(finding, and_(finding.c.subject == "task", finding.c.subject_id == task.c.id))
        .where(finding.c.state.in_(("new", "open")), task.c.mode > 0)
        .order_by(task.c.site, task.c.rid)
    )
    current: tuple[str, str] | None = None
    flagged: list[Flagged] = []
    for name, rid, standard, since in rows:
        if current is not None and current != (name, rid):
            if flagged:
                yield (*current, flagged)
            flagged = []
        current = (name, rid)
        if standard in standards and standards[standard].mode != "observe":
            flagged.append(Flagged(standards[standard], since))
    if current is not None and flagged:
        yield (*current, flagged)


def flag(flagged: Sequence[Flagged], form: str, limit: int, workdays: Workdays, guidance: str = "") -> str | None:
    """The flag of one task in one form; None when this form has nothing to say."""
    ordered = sorted(flagged, key=lambda one: (-severity_rank(one.standard.severity), one.standard.id))
    match form:
        case "word":
            return ordered[0].standard.severity
        case "json":
            return _json_flag(ordered, limit, workdays, guidance)
        case "text":
            return _text_flag(ordered, limit, workdays, guidance)
        case "link":
            return _link_flag(ordered, limit, guidance)
        case _:
            return None


def fix_by(one: Flagged, workdays: Workdays) -> dt.date:
    """The day until which a finding is to be fixed: its days to fix, in working days after `since`."""
    goal = workdays.at(one.since) + one.standard.fix_within_d
    day = one.since + one.standard.fix_within_d
    while workdays.at(day) < goal:
        day += max(1, goal - workdays.at(day))
    while workdays.at(day - 1) >= goal:
        day -= 1
    return date_of(day)


def _json_flag(ordered: Sequence[Flagged], limit: int, workdays: Workdays, guidance: str = "") -> str:
    told = [
        {
            "id": one.standard.id,
            "title": one.standard.title,
            "severity": one.standard.severity,
            "since": date_of(one.since).isoformat(),
            "fix_by": fix_by(one, workdays).isoformat(),
            "fix": one.standard.fix,
            **({"url": guidance + one.standard.page} if guidance else {}),
        }
        for one in ordered
    ]
    body: dict[str, Any] = {"format": FORMAT, "worst": ordered[0].standard.severity, "findings": told}
    text = canonical(body)
    if len(text) > limit:
        short = [{key: one[key] for key in ("id", "severity", "since")} for one in told]
        text = canonical({**body, "findings": short})
    return text


def _text_flag(ordered: Sequence[Flagged], limit: int, workdays: Workdays, guidance: str) -> str:
    """One line a finding; what does not fit goes: the page, how to fix it, then titles, so that ids and dates stay."""
    heads = [
        f"{one.standard.id} {one.standard.title}, since {date_of(one.since)}, fix by {fix_by(one, workdays)}"
        for one in ordered
    ]
    full = "\n".join(f"{head}: {one.standard.fix}" for head, one in zip(heads, ordered, strict=True))
    if len(full) <= limit:
        page = f"\nGuidance: {guidance}{ordered[0].standard.page}" if guidance else ""
        return full + page if len(full + page) <= limit else full
    plain = "\n".join(heads)
    if len(plain) <= limit:
        return plain
    return "\n".join(f"{one.standard.id} since {date_of(one.since)}" for one in ordered)[:limit]


def _link_flag(ordered: Sequence[Flagged], limit: int, guidance: str) -> str | None:
    """Where to read on about the worst finding, under a title that names them all; nothing without published pages."""
    if not guidance:
        return None
    count = f"{len(ordered)} finding{'s' if len(ordered) > 1 else ''}"
    names = "; ".join(_inside_a_sentence(one.standard.title) for one in ordered)
    title = f"PMO: {count}: {names}"
    if len(title) > limit:
        whole_words = title[:limit].rpartition(" ")[0]
        title = f"{whole_words.rstrip(' ;:,')}…"
    return canonical({"title": title, "url": guidance + ordered[0].standard.page})


def _inside_a_sentence(title: str) -> str:
    """The title as it stands behind other words; `WBS is missing` keeps its capitals."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def read_since(text: str) -> dict[str, int]:
    """The `since` days that a mark of ours says, by standard; empty for anything else."""
    if text.startswith("{"):
        try:
            told = orjson.loads(text).get("findings", [])
            pairs = [(one["id"], one["since"]) for one in told if "since" in one]
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
            return {}
    else:
        pairs = _SINCE.findall(text)
    found = {}
    for standard, since in pairs:
        try:
            found[standard] = day_number(dt.date.fromisoformat(since))
        except (TypeError, ValueError):
            continue
    return found


# --- rollups ----------------------------------------------------------------------------------------------------------


def _rollup_rows(
    connection: Connection,
    standards: Mapping[str, Standard],
    rollups: Mapping[int, Any],
    workdays: Workdays,
    slots: Slots,
    all_rollups: bool,
) -> list[dict[str, Any]]:
    own = _project_findings(connection, standards)
    standing = {
        (row.site, row.rid, row.slot): row.there
        for row in connection.execute(select(mark).where(mark.c.subject == "project", mark.c.there.is_not(None)))
    }
    places = connection.execute(
        select(container.c.site, container.c.rid, container.c.project_id, project.c.observed)
        .join(project, project.c.id == container.c.project_id)
        .order_by(container.c.record_id)
    ).all()
    rows = []
    for name, rid, number, observed in places:
        rollup = rollups[number]
        flagged = own.get(number, [])
        for slot in slots(name, "project"):
            there = standing.get((name, rid, slot.name))
            text = _rollup(rollup, flagged, slot, workdays)
            keep = there is not None and (not observed or (not all_rollups and _worst(there) == rollup.worst))
            value = there if keep else text if observed else None
            if value is not None:
                rows.append({"site": name, "subject": "project", "rid": rid, "slot": slot.name, "value": value})
    return rows


def _project_findings(connection: Connection, standards: Mapping[str, Standard]) -> dict[int, list[Flagged]]:
    rows = connection.execute(
        select(finding.c.subject_id, finding.c.standard, finding.c.since)
        .join(project, project.c.id == finding.c.subject_id)
        .where(finding.c.subject == "project", finding.c.state.in_(("new", "open")))
    )
    found: dict[int, list[Flagged]] = {}
    for number, standard, since in rows:
        if standard in standards:
            found.setdefault(number, []).append(Flagged(standards[standard], since))
    return found


def _rollup(rollup: Any, flagged: Sequence[Flagged], slot: SlotKind, workdays: Workdays) -> str | None:
    told = rollup.measures()
    match slot.form:
        case "json":
            findings = orjson.loads(_json_flag(flagged, slot.limit, workdays))["findings"] if flagged else []
            return canonical({"format": FORMAT, "measures": told, "findings": findings})
        case "word":
            return rollup.worst  # type: ignore[no-any-return]
        case "text":
            return _in_words(told)[: slot.limit]
        case _:
            return canonical(
                {
                    "open": told["open"],
                    "late": told["late"],
                    "findings": sum(told["findings"].values()),
                    "compliance": told["compliance"],
                    "worst": rollup.worst or "none",
                }
            )


def _in_words(told: Mapping[str, Any]) -> str:
    parts = [f"{told['open']} open, {told['late']} late, {told['done']} done of {told['tasks']} tasks"]
    parts += [f"{count} {severity}" for severity, count in told["findings"].items()]
    return "; ".join(parts)


def _worst(there: str) -> str | None:
    """The worst severity that a standing rollup tells."""
    try:
        told = orjson.loads(there)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict):
        return None
    found = told.get("worst", told.get("measures", {}).get("worst"))
    return None if found == "none" else found
