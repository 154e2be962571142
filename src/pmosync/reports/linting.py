"""Looks standards over for what makes them lose their worth: that never or always fire, repeat each other, or grew old.

A note is advice and changes nothing. What the data says is said only from five subjects on: fewer prove nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pmosync.judge.asking import Answers, Asked, overlapping
from pmosync.standards import Standard, is_shipped

Check = Literal[
    "trouble", "never_asked", "never_fires", "always_fires", "overlap", "review", "family", "guidance", "disputed"
]

LEAST = 5
"""Subjects from which their answers say something about a standard."""
OFTEN = 0.6
"""The share of failures among the answers above which a standard finds the rule and not the exception."""
ALIKE = 0.9
"""The share of what breaks both among what breaks either of two standards, from which they find the same."""
DISPUTED = 0.1
"""The share of a standard's findings that people dispute, from which it is worth asking them."""
FEWEST_WORDS = 4
FAMILIES: Mapping[str, str] = {
    "DAT": "data quality",
    "EVM": "earned value",
    "FLW": "flow",
    "GOV": "governance",
    "LOG": "logic of the schedule",
    "PRT": "portfolio and adoption",
    "RES": "resources",
    "RSK": "risks, issues and changes",
    "SCH": "schedule",
}
"""The letters that ids of shipped standards begin with."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to think over, with where it stands and what to do."""

    check: Check
    standard: str
    place: str
    what: str
    next_step: str
    other: str = ""
    """The standard that it overlaps with."""


def lint(
    standards: Sequence[Standard],
    answers: Answers | None,
    today: dt.date,
    disputes: Mapping[str, tuple[int, int]] | None = None,
) -> list[Note]:
    """All notes, in the order of the standards.

    Args:
        answers: what the stored data says; None where nothing is stored yet.
        disputes: how many findings of a standard are disputed, and how many there are.
    """
    notes = [note for one in standards for note in _alone(one, today)]
    if answers is not None:
        notes += [note for one in standards for note in _answered(one, answers.asked[one.id])]
        notes += _overlaps({one.id: one for one in standards}, answers)
    notes += [note for one in standards for note in _disputed(one, *(disputes or {}).get(one.id, (0, 0)))]
    order = {one.id: position for position, one in enumerate(standards)}
    return sorted(notes, key=lambda note: order[note.standard])


def _alone(one: Standard, today: dt.date) -> Iterator[Note]:
    """What can be seen without any data."""
    if one.review_by is not None and one.review_by < today:
        what, step = f"was to be reviewed by {one.review_by}", "read it with those who are asked, then move review_by"
        yield Note("review", one.id, one.place, what, step)
    yield from _family(one)
    for key, text in (("why", one.why), ("fix", one.fix)):
        repeats = text.strip(" .!").casefold() == one.title.strip(" .!").casefold()
        if repeats or len(text.split()) < FEWEST_WORDS:
            said = "repeats the title" if repeats else "has hardly a word"
            step = {"why": "say what happens if it stays so", "fix": "say what the reader does next"}[key]
            yield Note("guidance", one.id, one.place, f"its '{key}' {said}", step)


def _family(one: Standard) -> Iterator[Note]:
    """Waivers and filters name a family by the letters before the number; shipped letters are taken."""
    letters = re.match(r"[A-Z]+", one.id)
    family = letters[0] if letters else ""
    if not re.fullmatch(r"[A-Z]+[0-9]+", one.id):
        what, step = "its id is not letters and a number: it belongs to no family", f"call it {family}101 or the like"
        yield Note("family", one.id, one.place, what, step)
    elif is_shipped(one) != (family in FAMILIES):
        what = f"the family {family} " + ("is none of pmosync's" if is_shipped(one) else "belongs to the shipped packs")
        step = "choose one of " + ", ".join(FAMILIES) if is_shipped(one) else "choose letters of your own: ACME101"
        yield Note("family", one.id, one.place, what, step)


def _answered(one: Standard, asked: Asked) -> Iterator[Note]:
    """What its answers on the stored data say."""
    known, things = asked.passed + asked.failed, f"{one.subject}s"
    if asked.trouble:
        step = "write its predicate more simply"
        yield Note("trouble", one.id, one.place, f"the database cannot run it: {asked.trouble}", step)
    elif not known and asked.unknown:
        what = f"is never answered: what it needs is empty in all {asked.unknown:,} {things}"
        yield Note("never_asked", one.id, one.place, what, "map the fields that it names, or leave it out until then")
    elif not known:
        what = "is asked of nothing: all is out of its scope, blind or not observed"
        step = "widen applies_to, or see what is blind with `pmosync findings`"
        yield Note("never_asked", one.id, one.place, what, step)
    elif known >= LEAST and not asked.failed:
        step = "check that it asks what you mean; tighten it, or leave it out"
        yield Note("never_fires", one.id, one.place, f"never fires: all {known:,} {things} meet it", step)
    elif known >= LEAST and asked.failed > OFTEN * known:
        what = f"fires on {asked.failed:,} of {known:,} {things} ({asked.failed / known:.0%})"
        step = "loosen it, narrow it with applies_to, or begin with mode: observe"
        yield Note("always_fires", one.id, one.place, what, step)


def _disputed(one: Standard, disputed: int, findings: int) -> Iterator[Note]:
    """What the people say who are asked."""
    if findings >= LEAST and disputed >= DISPUTED * findings:
        what = f"is disputed on {disputed:,} of {findings:,} findings ({disputed / findings:.0%})"
        step = "read why in decisions/disputes.yaml; change it, narrow it, or tell its readers why it stays"
        yield Note("disputed", one.id, one.place, what, step)


def _overlaps(standards: Mapping[str, Standard], answers: Answers) -> Iterator[Note]:
    for first, second, together in overlapping(answers, ALIKE, LEAST):
        one = standards[second]
        either = answers.asked[first].failed + answers.asked[second].failed - together
        what = f"finds what {first} finds: {together:,} of {either:,} {one.subject}s break both"
        yield Note("overlap", second, one.place, what, "make one of the two, or narrow one with applies_to", first)
