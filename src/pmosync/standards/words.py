"""The sentences of the checker: what is wrong with a word, and which word to use.

They are the part of the language that most people meet first, so they name the fields, options and functions that
exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pmosync.model import FIELDS, Field, Subject
from pmosync.standards.syntax import Kind
from pmosync.yamlfile import did_you_mean

A: Mapping[Kind, str] = {
    Kind.TEXT: "a text",
    Kind.NUMBER: "a number",
    Kind.DATE: "a date",
    Kind.INSTANT: "an instant",
    Kind.YESNO: "a yes/no",
    Kind.OPTION: "a choice",
    Kind.PERSON: "a person",
    Kind.TASK: "a task",
    Kind.DAYS: "a duration",
}

FUNCTIONS = ("today", "coalesce", "length")

_OTHER_NAMES = {
    "duedate": "due_on",
    "deadline": "due_on",
    "startdate": "start_on",
    "resolutiondate": "done_on",
    "issuetype": "type",
    "summary": "title",
    "name": "title",
    "owner": "assignee",
    "timespent": "spent_h",
    "originalestimate": "estimate_h",
    "manager": "lead",
}
_OTHER_FUNCTIONS = {
    "now": "the clock has no part in a verdict, only the day: write today()",
    "currentuser": "a standard reads the same whoever looks: name no user",
    "membersof": "a standard knows no groups",
    "startofday": "write today()",
    "startofweek": "write today() - 7d",
    "startofmonth": "write today() - 30d",
    "lower": "~ and !~ make no difference between small and capital letters: leave it out",
    "upper": "~ and !~ make no difference between small and capital letters: leave it out",
    "isblank": "write assignee IS EMPTY",
    "isempty": "write assignee IS EMPTY",
    "len": "write length(title)",
    "ifnull": "write coalesce(start_on, due_on)",
    "nvl": "write coalesce(start_on, due_on)",
    "if": "write only the condition that must not hold",
    "networkdays": "working days are facts: workdays, workdays_late",
    "workdays": "working days are facts: workdays, workdays_late",
    "days": "write a duration: 3d, 2w",
    "abs": "write both sides: x > 5 OR x < -5",
}


def unknown_field(word: str, subject: Subject) -> tuple[str, str]:
    """What to say about a word that should be a field."""
    fields = FIELDS[subject]
    low = word.lower()
    if low in ("null", "none", "nil", "blank"):
        return f"'{word}' is not a value to compare with", "write IS EMPTY or IS NOT EMPTY"
    if low in ("yes", "no", "y", "n"):
        return f"'{word}' is not a value", "write TRUE or FALSE"
    for name, field in fields.items():
        if word in field.options:
            return f"'{word}' is an option, and options stand to the right of their field", f"write {name} = {word}"
    for other, others in FIELDS.items():
        if other != subject and word in others:
            return f"unknown field '{word}': it belongs to a {other}", f"this standard is about a {subject}"
    alias = _OTHER_NAMES.get(low.replace("_", ""))
    hint = f"did you mean '{alias}'?" if alias in fields else did_you_mean(word, fields)
    return f"unknown field '{word}'", hint or "a text stands in quotes; fields are: " + ", ".join(fields)


def unknown_option(word: str, token: str, field: Field) -> tuple[str, str]:
    """What to say about something that should be an option of this field."""
    known = f"{field.name} is one of {', '.join(field.options)}"
    if word.lower() in ("null", "none", "nil", "blank"):
        return f"'{word}' is not a value to compare with", f"write {field.name} IS EMPTY"
    if token == "TEXT":
        close = did_you_mean(word[1:-1].replace(" ", "_"), field.options)
        return f"{word} is a text: an option of {field.name} stands without quotes", f"{close} {known}".strip()
    if token == "WORD":
        return f"'{word}' is not an option of {field.name}", f"{did_you_mean(word, field.options)} {known}".strip()
    return f"'{word}' is not an option of {field.name}", known


def unknown_function(name: str) -> tuple[str, str]:
    """What to say about a function that the language does not have."""
    low = name.lower()
    if low in FUNCTIONS:
        return f"unknown function '{name}'", f"write {low}()"
    hint = _OTHER_FUNCTIONS.get(low.replace("_", "")) or did_you_mean(name, FUNCTIONS)
    return f"unknown function '{name}'", hint or "there are only today(), coalesce(a, b) and length(text)"


def param_hint(name: str, params: Collection[str]) -> str:
    """Which parameter may have been meant."""
    return did_you_mean(name, params) or (
        f"write it under params: {name}: {{default: 3, min: 0, max: 10, meaning: ...}}"
        if not params
        else "parameters here: " + ", ".join(f"${each}" for each in params)
    )


def mismatch(left: Kind, right: Kind, said: str) -> str:
    """What to write when the two sides of a comparison don't fit."""
    if left in (Kind.DATE, Kind.INSTANT):
        if right is Kind.TEXT:
            return f"write {said[1:-1]} without quotes" if said[1:5].isdigit() else "a date looks like 2026-12-31"
        if right is Kind.DAYS:
            return f"count from a day: today() - {said}"
        if right is Kind.NUMBER:
            return "a date looks like 2026-12-31, or is counted from today() - 3d"
    if left in (Kind.PERSON, Kind.TASK):
        return "a standard asks only whether there is one: IS EMPTY or IS NOT EMPTY"
    if left is Kind.YESNO:
        return "write = TRUE or = FALSE"
    if left is Kind.NUMBER and right is Kind.DAYS:
        return "write a plain number; its unit is the one of the field"
    if left is Kind.NUMBER and right is Kind.TEXT:
        return "numbers stand without quotes"
    if left is Kind.TEXT:
        return "a text stands in quotes: 'text'"
    return "compare values of the same kind"


def sum_hint(left: Kind, right: Kind, said_left: str, sign: str, said_right: str) -> str:
    """What to write when a calculation does not fit."""
    if left is Kind.DATE and right is Kind.NUMBER and sign in ("+", "-"):
        if said_right.isdigit():
            return f"say what the number counts: {said_left} {sign} {said_right}d"
        return "a date moves by a duration, such as 3d or 2w; a parameter is one with `default: 3d`"
    if left is right is Kind.DATE:
        return "two dates can only be subtracted"
    return "numbers are calculated with numbers, dates with durations such as 3d"
