"""The flags of tasks: their findings in every form that a slot may have, and the days read back from them.

The dates in a flag (`since`, `fix by`, `lead from`, `gate from`) change only when a finding does, and its words when a
step of the notice ladder is reached.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pmosync.contract import canonical
from pmosync.ladder import FLAG, GATE, LEAD, REMINDER, STEPS, Climb
from pmosync.model import severity_rank
from pmosync.standards import Standard
from pmosync.workdays import Workdays, date_of, day_number

FORMAT = 2
"""Of what programs read: grows when what stood there before is no longer there."""
TEXT = 3
"""Grows when the text of marks changes, so that `pmosync` can be named as the cause."""

ANSWERING = ("json", "text")
"""The forms that hold answers to commands, too."""
_SINCE = re.compile(r"^(?:- )?([A-Z][A-Z0-9_-]{2,19})(?: .*?,)? since (\d{4}-\d\d-\d\d)(?=, fix by |$)", re.MULTILINE)
"""The beginning of a line of a text flag or of a page, for every id that a pack may give."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """One active finding as it is shown to the team."""

    standard: Standard
    since: int
    step: int = FLAG
    """Of the notice ladder."""
    climb: Climb | None = None
    """Of one that is required: when it reaches the lead and the gate."""


def flag(
    flagged: Sequence[Flagged],
    form: str,
    limit: int,
    workdays: Workdays,
    guidance: str = "",
    answers: Sequence[str] = (),
) -> str | None:
    """The flag of one task in one form, with the answers to commands there; None when this form has nothing to say."""
    ordered = sorted(flagged, key=lambda one: (-severity_rank(one.standard.severity), one.standard.id))
    if not ordered:
        return _only_answers(form, limit, answers)
    match form:
        case "word":
            return ordered[0].standard.severity
        case "json":
            return json_flag(ordered, limit, workdays, guidance, answers)
        case "text":
            told = _fitting(answers, limit // 2)
            text = _text_flag(ordered, limit - len(told) - bool(told), workdays, guidance)
            return f"{text}\n{told}" if told else text
        case "link":
            return _link_flag(ordered, limit, guidance)
        case _:
            return None


def fix_by(one: Flagged, workdays: Workdays) -> dt.date:
    """The day until which a finding is to be fixed: its days to fix, in working days after it is told."""
    told = one.since + one.standard.persist_d
    return date_of(max(told, workdays.reaching(workdays.at(told) + one.standard.fix_within_d)))


def _only_answers(form: str, limit: int, answers: Sequence[str]) -> str | None:
    """What is told where nothing is found."""
    if not answers or form not in ANSWERING:
        return None
    if form == "json":
        return canonical({"format": FORMAT, "findings": [], "answers": list(answers)})
    return _fitting(answers, limit)


def _fitting(answers: Sequence[str], limit: int) -> str:
    """The answers, one a line; of more than fit the newest."""
    kept: list[str] = []
    for line in reversed([_line(one)[:limit] for one in answers]):
        if len("\n".join([line, *kept])) > limit:
            break
        kept.insert(0, line)
    return "\n".join(kept)


def json_flag(
    ordered: Sequence[Flagged], limit: int, workdays: Workdays, guidance: str = "", answers: Sequence[str] = ()
) -> str:
    told = [
        {
            "id": one.standard.id,
            "title": one.standard.title,
            "severity": one.standard.severity,
            "since": date_of(one.since).isoformat(),
            "fix_by": fix_by(one, workdays).isoformat(),
            "fix": one.standard.fix,
            **_climbing(one),
            **({"url": guidance + one.standard.page} if guidance else {}),
        }
        for one in ordered
    ]
    body: dict[str, Any] = {"format": FORMAT, "worst": ordered[0].standard.severity, "findings": told}
    body |= {"answers": list(answers)} if answers else {}
    text = canonical(body)
    if len(text) > limit:
        short = [{key: one[key] for key in ("id", "severity", "since")} for one in told]
        text = canonical({**body, "findings": short})
    return text


def _climbing(one: Flagged) -> dict[str, str]:
    """What programs are told of a finding that is required."""
    if one.climb is None:
        return {}
    dates = {"lead_on": one.climb.lead_on.isoformat(), "gate_on": one.climb.gate_on.isoformat()}
    return {"step": STEPS[one.step], **dates}


def dated(one: Flagged, workdays: Workdays) -> str:
    """What a finding is called, with its dates: when it was found, until when it is to be fixed, who is told then."""
    text = f"{one.standard.id} {one.standard.title}, since {date_of(one.since)}, fix by {fix_by(one, workdays)}"
    if one.climb is not None:
        lead = "for the project lead" if one.step >= LEAD else "lead"
        gate = "blocks the gate" if one.step == GATE else "gate"
        reminder = ", reminder" if one.step == REMINDER else ""
        text += f"{reminder}, {lead} from {one.climb.lead_on}, {gate} from {one.climb.gate_on}"
    return _line(text)


def _text_flag(ordered: Sequence[Flagged], limit: int, workdays: Workdays, guidance: str) -> str:
    """One line a finding; what does not fit goes: the page, how to fix it, then titles, so that ids and dates stay."""
    heads = [dated(one, workdays) for one in ordered]
    full = "\n".join(f"{head}: {_line(one.standard.fix)}" for head, one in zip(heads, ordered, strict=True))
    if len(full) <= limit:
        page = f"\nGuidance: {guidance}{ordered[0].standard.page}" if guidance else ""
        return full + page if len(full + page) <= limit else full
    plain = "\n".join(heads)
    if len(plain) <= limit:
        return plain
    return "\n".join(f"{one.standard.id} since {date_of(one.since)}" for one in ordered)[:limit]


def _line(text: str) -> str:
    """One line with single blanks, whatever the words of a standard hold: so it comes back from every tool."""
    return " ".join(text.split())


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
