"""Reads what a comment asks of us: `/pmo waive`, `/pmo withdraw`, `/pmo approve`, `/pmo refuse`, `/pmo dispute`.

What comes in was written by anybody: it is cut to a length, freed of characters that nobody sees, and never more than
words. What is not a command becomes a sentence that says what to write instead.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pmosync.yamlfile import did_you_mean

PREFIX = "/pmo"
LONGEST = 4_000
"""So many characters of a comment are read."""
MOST = 10
"""So many commands of a comment are read."""
REASON = 500
"""Most characters of a reason."""
QUOTED = 60
"""So many characters of a command are shown to whoever wrote it."""
FORMS = {
    "waive": "/pmo waive SCH201 until 2026-12-15 because (your reason)",
    "withdraw": "/pmo withdraw W-1a2b3c4d",
    "dispute": "/pmo dispute SCH201 because (your reason)",
    "approve": "/pmo approve W-1a2b3c4d",
    "refuse": "/pmo refuse W-1a2b3c4d because (your reason)",
}
"""How each command is written."""

_STANDARD = re.compile(r"[A-Z][A-Z0-9_-]{2,19}")
_WAIVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Waive:
    """Somebody asks for a waiver."""

    standard: str
    until_on: dt.date
    reason: str


@dataclass(frozen=True, slots=True)
class Object:
    """Somebody disputes a standard."""

    standard: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decide:
    """Somebody decides about a request: `refuse` has a reason, `approve` has none."""

    waiver: str
    refused_because: str = ""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Somebody takes a request of their own back; a reason may be given."""

    waiver: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What cannot be understood, in a few of its own words, and what to write instead."""

    said: str
    instead: str


Command = Waive | Object | Decide | Withdraw | Unclear


class _NotSoError(Exception):
    """Carries what to write instead."""


def read_commands(text: str) -> tuple[Command, ...]:
    """What a comment asks: each line that begins with `/pmo`, with the lines below it.

    A request that names several standards is one command for each of them.
    """
    found: list[list[str]] = []
    for line in _visible(text[:LONGEST]).splitlines():
        words = line.split()
        if words and words[0].lower() == PREFIX:
            found.append(words[1:])
        elif found:
            found[-1] += words
    told: list[Command] = []
    for words in found:
        some = _commands(words)
        if len(told) + len(some) > MOST:
            told.append(Unclear(" ".join(words)[:QUOTED], f"at most {MOST} commands into one comment"))
            break
        told += some
    return tuple(told)


def _visible(text: str) -> str:
    """The text without control characters, direction marks and what else nobody sees; lines stay lines."""
    return "".join(
        sign if sign == "\n" else " " if sign.isspace() else sign
        for sign in unicodedata.normalize("NFC", text)
        if sign.isspace() or unicodedata.category(sign)[0] != "C"
    )


def _commands(words: Sequence[str]) -> Sequence[Command]:
    said = " ".join([PREFIX, *words])
    try:
        return _understood(words)
    except _NotSoError as error:
        return (Unclear(said if len(said) <= QUOTED else f"{said[: QUOTED - 1]}…", str(error)),)


def _understood(words: Sequence[str]) -> Sequence[Command]:
    verb = _plain(words[0]) if words else ""
    rest = words[1:]
    match verb:
        case "waive":
            asked, reason = _because(rest, verb)
            if len(asked) < 3 or _plain(asked[-2]) != "until":
                raise _NotSoError(FORMS[verb])
            named = " ".join(asked[:-2]).replace(",", " ").split()
            standards = dict.fromkeys(_standard(word, verb) for word in named if _plain(word) != "and")
            if not standards:
                raise _NotSoError(FORMS[verb])
            until_on = _day(asked[-1])
            return [Waive(standard, until_on, reason) for standard in standards]
        case "dispute":
            asked, reason = _because(rest, verb)
            return [Object(_standard(_only(asked, verb), verb), reason)]
        case "approve":
            return [Decide(_waiver(_only(rest, verb), verb))]
        case "refuse":
            asked, reason = _because(rest, verb)
            return [Decide(_waiver(_only(asked, verb), verb), reason)]
        case "withdraw":
            asked, reason = _because(rest, verb) if "because" in map(_plain, rest) else (rest, "")
            return [Withdraw(_waiver(_only(asked, verb), verb), reason)]
    near = did_you_mean(verb[:20], list(FORMS)) if verb else ""
    form = next((FORMS[name] for name in FORMS if f"'{name}'" in near), "")
    raise _NotSoError(form or " or ".join(FORMS.values()))


def _plain(word: str) -> str:
    return word.strip(":,;.").lower()


def _because(words: Sequence[str], verb: str) -> tuple[Sequence[str], str]:
    """What stands before the reason, and the reason."""
    place = next((n for n, word in enumerate(words) if _plain(word) == "because"), None)
    reason = "" if place is None else " ".join(words[place + 1 :])
    if not reason:
        raise _NotSoError(FORMS[verb])
    if len(reason) > REASON:
        raise _NotSoError(f"the same with a reason of at most {REASON} characters")
    return words[:place], reason


def _only(words: Sequence[str], verb: str) -> str:
    if len(words) != 1:
        raise _NotSoError(FORMS[verb])
    return words[0]


def _standard(word: str, verb: str) -> str:
    name = word.strip(":,;.").upper()
    if not _STANDARD.fullmatch(name):
        raise _NotSoError(FORMS[verb])
    return name


def _waiver(word: str, verb: str) -> str:
    name = word.strip(":,;.")
    if not _WAIVER.fullmatch(name):
        raise _NotSoError(FORMS[verb])
    return name


def _day(word: str) -> dt.date:
    text = word.strip(":,;.")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise _NotSoError("the last day as year, month and day: " + FORMS["waive"])
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise _NotSoError(f"a day that exists, for {text} does not: {FORMS['waive']}") from None
