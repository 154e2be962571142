"""Checks how hard is asked: every entry names something that there is, and nobody below asks more softly than allowed.

A mistake is told with file and line, and with what to write instead, before anything is read from a tool.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from pmosync.config.load import Config
from pmosync.config.schema import ModeKeys
from pmosync.errors import Misconfigured
from pmosync.model import MODE_OF_PROFILE, MODES
from pmosync.modes import LEVELS, REQUIRE, AskingLevel, Chain, Modes, Said, ask, hardest, modes_of
from pmosync.register import ORGANISATION, Register
from pmosync.standards import Standard
from pmosync.workdays import date_of, day_number
from pmosync.yamlfile import MOST_TOLD, did_you_mean, together

ALWAYS = 0
"""The first day that is looked at."""


def persisting(config: Config, standards: Sequence[Standard]) -> tuple[Standard, ...]:
    """The standards with the time that the configuration says they are held back."""
    told = {one.standard: one.persist for one in config.modes if one.standard and one.persist is not None}
    return tuple(replace(one, persist_d=told[one.id]) if one.id in told else one for one in standards)


def load_modes(config: Config, register: Register, standards: Sequence[Standard]) -> tuple[Said, ...]:
    """What the configuration says about how hard is asked, beside the profiles."""
    mistakes = list(_mistakes(config, register, standards))
    if not mistakes:
        said = tuple(_said(one, config.doc.place(("modes", n))) for n, one in enumerate(config.modes) if one.mode)
        mistakes = list(_softer(modes_of(config.profile, register, said), register, standards))
    if mistakes:
        raise together(mistakes[:MOST_TOLD], where=str(config.path), more=len(mistakes) > MOST_TOLD)
    return said


def _level(entry: ModeKeys) -> tuple[AskingLevel, str]:
    """Whom an entry is about: the organisation, unless it names another level."""
    return next(((level, name) for level in LEVELS[1:] if (name := getattr(entry, level))), ("organisation", ""))


def _said(entry: ModeKeys, place: str) -> Said:
    level, name = _level(entry)
    return Said(
        level=level,
        name=name,
        mode=MODES.index(entry.mode or ""),
        standard=entry.standard or "",
        least=MODES.index(entry.least) if entry.least else None,
        from_on=day_number(entry.from_) if entry.from_ else None,
        place=place,
    )


# --- what an entry says by itself -------------------------------------------------------------------------------------


def _mistakes(config: Config, register: Register, standards: Sequence[Standard]) -> Iterator[Misconfigured]:
    names = {
        "portfolio": [*(one.id for one in register.groups if one.level == "portfolio"), ORGANISATION],
        "program": [one.id for one in register.groups if one.level == "program"],
        "project": [one.id for one in register.projects],
    }
    first: dict[object, int] = {}
    for n, entry in enumerate(config.modes):
        at = ("modes", n)
        named = [level for level in LEVELS[1:] if getattr(entry, level)]
        if len(named) > 1:
            yield config.wrong(at, f"an entry is about one level, not {' and '.join(named)}", "write an entry for each")
        for level in named:
            if (name := getattr(entry, level)) not in names[level]:
                hint = did_you_mean(name, names[level]) or f"the register has: {', '.join(names[level]) or 'none'}"
                yield config.wrong((*at, level), f"there is no {level} '{name}' in the register", hint)
        yield from _about_standards(config, n, entry, standards)
        same = (*_level(entry), entry.standard, entry.from_)
        if (twin := first.setdefault(same, n)) != n:
            what = f"the same is said in line {config.doc.place(('modes', twin)).rsplit(':', 2)[1]} already"
            yield config.wrong(at, what, "keep one of them, or give this one another day: from: 2026-12-01")


def _about_standards(config: Config, n: int, entry: ModeKeys, standards: Sequence[Standard]) -> Iterator[Misconfigured]:
    at = ("modes", n)
    level, _ = _level(entry)
    by_id = {one.id: one for one in standards}
    if entry.standard and not any(Said("organisation", "", 0, entry.standard).covers(name) for name in by_id):
        hint = did_you_mean(entry.standard, _words(by_id)) or "`pmosync standards list` shows them"
        yield config.wrong((*at, "standard"), f"no standard that is asked is called {entry.standard}", hint)
    if entry.persist is not None and (level != "organisation" or entry.standard not in by_id):
        what = "persist is said of one standard, for the whole organisation"
        yield config.wrong((*at, "persist"), what, "write {standard: SCH201, persist: 2d}")
    if entry.mode is None and (entry.persist is None or entry.least or entry.from_):
        yield config.wrong(at, "the entry does not say how hard is asked", f"add mode: {', '.join(MODES)}")
    if entry.mode is None:
        return
    if entry.least and MODES.index(entry.least) > MODES.index(entry.mode):
        what = f"levels below may ask no softer than {entry.least}, and here {entry.mode} is asked"
        yield config.wrong((*at, "least"), what, f"write least: {entry.mode}, or something softer")
    usual = MODE_OF_PROFILE[config.profile]
    if level == "organisation" and not entry.standard and not entry.from_ and entry.mode != usual:
        what = f"the profile {config.profile} of the organisation asks {usual}, from the first day on"
        yield config.wrong(
            (*at, "mode"), what, "change the profile, or say from which day this holds: from: 2026-12-01"
        )
    one = by_id.get(entry.standard or "")
    if one is not None and MODES.index(entry.mode) > hardest(one):
        what = f"{one.id} is never asked harder than {one.mode}, as {one.place} says"
        yield config.wrong((*at, "mode"), what, "correct it there, if it is your pack, or ask more softly here")


def _words(ids: Collection[str]) -> list[str]:
    """Ids, and the letters that they begin with."""
    return [*ids, *sorted({name.rstrip("0123456789") for name in ids})]


# --- who may ask more softly ------------------------------------------------------------------------------------------


def _softer(modes: Modes, register: Register, standards: Sequence[Standard]) -> Iterator[Misconfigured]:
    """What a level says that is softer than what the levels above allow of the same, on any day."""
    most = {one.id: hardest(one) for one in standards}
    told: set[str] = set()
    for chain in _chains(modes, register):
        for depth, level in enumerate(chain[1:], 1):
            for one in level:
                found = _against(chain[:depth], level, one, most.get(one.standard, REQUIRE))
                if found and str(found) not in told:
                    told.add(str(found))
                    yield found


def _chains(modes: Modes, register: Register) -> list[Chain]:
    """Every chain of levels of which one says something; projects that say nothing themselves share theirs."""
    found: dict[Chain, None] = {}
    for project in register.projects:
        found[modes.chain(register.portfolio_of(project), project.program, project.id)] = None
    for group in register.groups:
        if group.level == "program":
            found[modes.chain(group.portfolio or ORGANISATION, group.id, None)] = None
        else:
            found[modes.chain(group.id, None, None)] = None
    found[modes.chain(ORGANISATION, None, None)] = None
    return list(found)


def _against(above: Chain, level: tuple[Said, ...], one: Said, most: int) -> Misconfigured | None:
    """The first day on which this is what its level says, and is softer than allowed.

    Args:
        most: the mode beyond which the standard is never asked anyway.
    """
    first = one.from_on or ALWAYS
    days = {other.from_on for said in (*above, level) for other in said if other.from_on is not None}
    for day in sorted({first, *(day for day in days if day > first)}):
        allowed = ask(above, one.standard, day)
        if ask((level,), one.standard, day).by is one and one.mode < min(allowed.floor, most):
            assert allowed.by is not None
            return _too_soft(one, day, allowed.floor, allowed.by)
    return None


def _too_soft(one: Said, day: int, floor: int, by: Said) -> Misconfigured:
    whom, whose = (f"the {each.level} {each.name}".strip() for each in (one, by))
    what = f" of {one.standard}" if one.standard else ""
    since = f" from {date_of(day)} on" if day != ALWAYS else ""
    where = f"at {by.place}" if by.place else "in an entry of modes that names nothing else"
    return Misconfigured(
        f"{whom} asks {MODES[one.mode]}{what}, and {whose} allows nothing softer than {MODES[floor]}{since}",
        where=one.place,
        hint=f"ask {MODES[floor]} or harder here; or write least: {MODES[one.mode]} {where}",
    )
