"""How each figure of the report is written, once for all formats, so that they cannot tell different things.

Shares are whole percents, instants stand in the organisation's zone, and what is not known says what is missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from pmosync.model import SEVERITIES
from pmosync.reports.beside import Failing, Unobserved
from pmosync.reports.load import Load
from pmosync.reports.portfolio import Entry
from pmosync.rollup import Rollup

SHAPES: Mapping[str, str] = {"green": "●", "amber": "▲", "red": "■", "grey": "○"}
"""A colour is never told by colour alone."""

NOTHING = "–"
NOT_KNOWN = "not known"

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
COUNTS = ("projects", "tasks", "open", "done", "blocked", "late")
APART = ("waived", "accepted", "escalated")
"""Findings that are told apart: two kinds that are not active, and the active ones that have the lead's attention."""
SHARES = ("progress", "progress_effort", "compliance")

TITLES: Mapping[str, str] = {
    "health": "computed",
    "reported": "reported",
    "progress": "progress",
    "progress_effort": "by effort",
    "compliance": "comply",
    **{name: name for name in COUNTS},
    "findings": "findings",
    **{name: name for name in SEVERITIES},
    **{name: name for name in APART},
    "observed_tasks": "observed",
    "read_at": "read",
}
"""The columns of the tables, in their order."""

MEANINGS: Mapping[str, str] = {
    "computed": "health from time, cost, scope and risk: the worst that is known decides; grey: too little is known",
    "reported": "health as the register says; of a program or portfolio the worst that its projects report",
    "progress": "done tasks / (tasks - cancelled)",
    "by effort": "estimated hours of the done tasks / of all; – unless half of the tasks have an estimate",
    "comply": "share of tasks (not cancelled) without an active finding",
    "tasks": "each counted once in each rollup, cancelled ones too",
    "open": "neither done nor cancelled",
    "late": "open, and the due date has passed",
    "findings": "active findings of projects and tasks, by severity; waived and accepted ones apart",
    "escalated": "required findings that were not put right in time: they have the lead's attention",
    "SPI(t), CPI": "how fast and how dear the baseline is earned: 1 is as planned, less is later or dearer",
    "EAC, VAC": "the forecast at completion against the budget (BAC), and what is left of the budget then",
    "observed": "tasks that were observed when they were read last; the others keep their last figures",
    "read": "when the oldest of its sites was read",
}


def colour(name: str) -> str:
    """A colour with its shape."""
    return f"{SHAPES[name]} {name}"


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.0%}"


def shown(entry: Entry, name: str, as_of: dt.datetime) -> str:
    """One figure of a rollup, as every table shows it."""
    rollup, figures = entry.rollup, entry.rollup.figures
    match name:
        case "health":
            return colour(rollup.health.colour)
        case "reported":
            return colour(rollup.reported) if rollup.reported else NOTHING
        case "findings":
            return str(total(rollup))
        case "observed_tasks":
            return coverage(rollup)
        case "read_at":
            return age(entry.read_at, as_of)
        case _ if name in SEVERITIES:
            return str(figures.findings.get(name, 0))
        case _ if name in SHARES:
            return percent(getattr(figures, name))
        case _:
            return str(getattr(figures, name))


def apart(rollup: Rollup) -> str:
    """Findings that are told apart, those that there are; waived ones always."""
    counts = {name: int(getattr(rollup.figures, name)) for name in APART}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "waived")


def total(rollup: Rollup) -> int:
    """All active findings."""
    return sum(rollup.figures.findings.values())


def coverage(rollup: Rollup) -> str:
    return f"{rollup.figures.observed_tasks} of {rollup.figures.tasks}"


def by_severity(rollup: Rollup) -> str:
    """`12: 2 critical, 10 high`, or `none`."""
    told = ", ".join(f"{count} {name}" for name, count in rollup.figures.findings.items())
    return f"{total(rollup)}: {told}" if told else "none"


def effort(rollup: Rollup) -> str:
    """Progress by effort with the hours it is made of, or what is missing to know it."""
    figures = rollup.figures
    if figures.progress_effort is None:
        return "not known by effort: fewer than half of the tasks have an estimate"
    return f"{percent(figures.progress_effort)} by effort ({figures.effort_done_h:.0f} of {figures.effort_h:.0f} h)"


def earned(rollup: Rollup) -> str:
    """Earned value: the indices, and the forecast beside its budget; what is not known says so."""
    found = rollup.figures.earned
    if found is None:
        return "not known: no baseline" if rollup.level == "project" else "not known: no project in it has a baseline"
    parts = [f"{name} {NOT_KNOWN if value is None else f'{value:.2f}'}" for name, value in
             (("SPI(t)", found.spi_t), ("CPI", found.cpi))]  # fmt: skip
    if found.eac is None or found.bac is None or found.vac is None:
        mixed = found.forecast > 1
        parts.append("EAC not added up: some count in hours, others in money" if mixed else f"EAC {NOT_KNOWN}")
    else:
        unit = " h" if found.unit == "h" else ""
        parts.append(f"EAC {found.eac:,.0f}{unit} (BAC {found.bac:,.0f}{unit}, VAC {found.vac:+,.0f}{unit})")
    told = ", ".join(parts)
    if rollup.level == "project":
        return told
    return f"{told}; the forecast of {found.forecast} of {found.projects} projects with a baseline"


def load_rows(load: Load) -> list[tuple[str, list[str]]]:
    """The table of the weeks ahead: everybody, how many have too much, and each person who was asked for."""
    rows = [
        ("everybody", [hours(one.allocated_h, one.capacity_h) for one in load.totals]),
        ("over capacity", [f"{one.over} of {one.people}" for one in load.totals]),
    ]
    for person in load.persons or ():
        name = f"{person.name} ({person.role})" if person.role else person.name
        rows.append((name, [hours(one.allocated_h, one.capacity_h) for one in person.weeks]))
    return rows


def hours(allocated_h: float | None, capacity_h: float | None) -> str:
    """`38/40`; what is more than can be done has a shape before it."""
    if allocated_h is None and capacity_h is None:
        return NOTHING
    over = allocated_h is not None and capacity_h is not None and allocated_h > capacity_h
    told = "/".join(NOTHING if value is None else f"{value:.0f}" for value in (allocated_h, capacity_h))
    return f"{SHAPES['amber']} {told}" if over else told


def load_known(load: Load) -> str:
    """Of how many people the hours are."""
    known = max(one.people for one in load.totals)
    told = f"Hours to do / hours that can be worked, of {known} of {load.people} people"
    return f"{told}; of the others one of the two is not known" if known < load.people else told


def week(day: dt.date) -> str:
    """`16 Nov`"""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def difference(rollup: Rollup) -> str:
    """The reported health beside the computed one."""
    if rollup.reported is None:
        return f"not reported, computed {rollup.health.colour}"
    both = f"reported {rollup.reported}, computed {rollup.health.colour}"
    match rollup.difference:
        case "better":
            return f"{both}: reported better than the data says"
        case "worse":
            return f"{both}: reported worse than the data says"
        case "same":
            return f"reported and computed {rollup.reported}"
        case _:
            return both


def reason(rollup: Rollup) -> str:
    """Why the health is what it is."""
    return rollup.health.reason


def decided(rollup: Rollup) -> str:
    """What decides the health of a project; its dimensions tell the rest."""
    return f"decided by {rollup.health.decided_by}" if rollup.health.decided_by else "too little is known"


def dimension(rollup: Rollup, name: str) -> str:
    """Why a dimension has its colour; of a grey one, what is missing."""
    found = rollup.health.dimensions[name]
    return f"not known: {found.reason}" if found.colour == "grey" else found.reason


def about(entry: Entry) -> str:
    """Where a project belongs, and its phase."""
    parts = [path(entry.above), f"phase {entry.phase}" if entry.phase else ""]
    return " · ".join(part for part in parts if part)


def missing(entry: Entry) -> str:
    """The sites of which something was not observed, for a place beside the figures; empty when all was."""
    return f"{', '.join(entry.missing)} not observed" if entry.missing else ""


def unobserved(one: Unobserved) -> str:
    """What was not observed, and why."""
    return f"{one.site}{f', {one.title}' if one.title else ''}: {one.why}"


def blind(entry: Entry) -> list[str]:
    """What cannot be judged in a project, because its fields are not provided there."""
    return [f"{', '.join(one.standards)} cannot be judged: {one.fields} not provided here" for one in entry.blind]


def findings(one: Failing) -> str:
    """How many findings a standard has, and how many of them somebody disputes."""
    return f"{one.findings} ({one.disputed} disputed)" if one.disputed else str(one.findings)


def rest(entry: Entry) -> str:
    """How many more standards fail than are told."""
    more = (entry.failing or 0) - len(entry.standards)
    return f"and {more} more {'standards' if more > 1 else 'standard'}" if more else ""


# --- time -------------------------------------------------------------------------------------------------------------


def day(instant: dt.datetime) -> str:
    """`Sunday 22 November 2026`, in English whatever the machine speaks."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"{days[instant.weekday()]} {instant.day} {MONTHS[instant.month - 1]} {instant.year}"


def moment(instant: dt.datetime) -> str:
    """`Sunday 22 November 2026, 02:10 UTC+1`"""
    return f"{day(instant)}, {instant:%H:%M} {offset(instant)}"


def clock(instant: dt.datetime) -> str:
    """`2026-11-22 02:10 UTC+1`"""
    return f"{instant:%Y-%m-%d %H:%M} {offset(instant)}"


def offset(instant: dt.datetime) -> str:
    """`UTC`, `UTC+1`, `UTC+5:30`"""
    seconds = int((instant.utcoffset() or dt.timedelta()).total_seconds())
    hours, rest_s = divmod(abs(seconds), 3600)
    minutes = f":{rest_s // 60:02}" if rest_s else ""
    return "UTC" + (f"{'-' if seconds < 0 else '+'}{hours}{minutes}" if seconds else "")


def age_min(read_at: dt.datetime | None, as_of: dt.datetime) -> int | None:
    """Whole minutes since a site was read; None: never."""
    return None if read_at is None else max(0, int((as_of - read_at).total_seconds() // 60))


def age(read_at: dt.datetime | None, as_of: dt.datetime) -> str:
    """`12 minutes ago`"""
    minutes = age_min(read_at, as_of)
    if minutes is None:
        return "never"
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} minute{'s' if minutes > 1 else ''} ago"
    return f"{minutes // 60} hours ago" if minutes < 2880 else f"{minutes // 1440} days ago"


def read(entry: Entry, as_of: dt.datetime) -> str:
    """`read 12 minutes ago (2026-11-22 02:10 UTC+1)`"""
    if entry.read_at is None:
        return "never read completely" if entry.sites else "not read from any site"
    return f"read {age(entry.read_at, as_of)} ({clock(entry.read_at)})"


# --- text that came from elsewhere ------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """One line, without characters that a terminal or a browser would obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def path(titles: Sequence[str]) -> str:
    return " › ".join(plain(title) for title in titles)


def opens(url: str) -> bool:
    """Whether an address is one that a browser opens as a page, and does not run."""
    return url.startswith(("https://", "http://")) and not any(char.isspace() for char in url)
