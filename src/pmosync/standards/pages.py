"""Puts standards into words for the people whose work they are asked of: one page each, and one that lists them all.

The pages say nothing that the pack does not say, need nothing but themselves (no script, no other file, no other
address), and are the same bytes for the same input. Whatever a pack says is shown as text, never as markup.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from pmosync.model import FIELDS, SEVERITIES, Field, Type, severity_rank
from pmosync.standards.standard import Example, Param, Standard, can_fail
from pmosync.standards.values import EPOCH

INDEX = "index.html"
MARKER = '<meta name="generator" content="pmosync standards docs">'
"""Stands near the top of every page, and tells our pages from all others."""

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_TEMPLATES.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
_NOON = dt.time(12)


@dataclass(frozen=True, slots=True)
class Examples:
    """Made-up subjects with the same answer, as a table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pages(
    standards: Sequence[Standard], *, organisation: str = "", approvers: Mapping[str, Sequence[str]] | None = None
) -> dict[str, str]:
    """The text of every page, by the name of its file.

    Args:
        organisation: whose PMO asks; empty where nobody said.
        approvers: who has approved exceptions so far, by the standard's id; None where no decisions were looked at.
    """
    ordered = sorted(standards, key=lambda one: (-severity_rank(one.severity), one.id))
    pmo = f"the PMO of {organisation}" if organisation else "the PMO"
    made = {one.page: _page(one, pmo, _approved(one, approvers)) for one in ordered}
    return {**made, INDEX: _render("index.html", pmo=pmo, standards=ordered, severities=SEVERITIES, days=working_days)}


def _page(one: Standard, pmo: str, approved: str) -> str:
    registry = FIELDS[one.subject]
    return _render(
        "standard.html",
        pmo=pmo,
        one=one,
        index=INDEX,
        days=working_days(one.fix_within_d),
        approved=approved,
        when=_in_lines(spelled(one.when.text)),
        applies_to=_in_lines(spelled(one.applies_to.text)) if one.applies_to else "",
        params=list(one.params.values()),
        fields=[registry[name] for name in registry if name in one.fields],
        needed=needed_fields(one),
        amount=_amount,
        either=_either,
        fails=_examples(one, "fail"),
        passes=_examples(one, "pass"),
    )


def _approved(one: Standard, approvers: Mapping[str, Sequence[str]] | None) -> str:
    if approvers is None:
        return ""
    people = ", ".join(sorted(set(approvers.get(one.id, ()))))
    return f"So far they were approved by {people}." if people else "Nobody has approved one so far."


def _render(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(template).render(marker=MARKER, **values)


# --- in words ---------------------------------------------------------------------------------------------------------


def spelled(predicate: str) -> str:
    """A predicate as people write it: the language's own form has a space around every sign."""
    tight = " ".join(predicate.split()).replace("( ", "(").replace(" )", ")").replace(" ,", ",")
    return re.sub(r"\b([a-z_]+) \(", r"\1(", tight)


def _in_lines(predicate: str) -> str:
    """One condition a line, where the words between conditions stand outside of parentheses and quotes."""
    text, depth, quote, at = "", 0, "", 0
    while at < len(predicate):
        sign = predicate[at]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            depth += (sign == "(") - (sign == ")")
        if not quote and not depth and re.match(r" (AND|OR) ", predicate[at : at + 5]):
            sign = "\n"
        text += sign
        at += 1
    return text


def working_days(count: int) -> str:
    """A number of working days."""
    return "on the same day" if count == 0 else f"within {count} working day{'' if count == 1 else 's'}"


def bounded(param: Param) -> str:
    """The value of a parameter and how far it may be tuned."""
    unit = "d" if param.kind == "duration" else ""
    return f"{param} ({param.min:g}{unit} to {param.max:g}{unit})"


def _amount(param: Param, value: float) -> str:
    if param.kind == "number":
        return f"{value:g}"
    return f"{value:g} day{'' if value == 1 else 's'}"


def _either(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def needed_fields(one: Standard) -> list[str]:
    """What of the mapping the standard can never fail without: where one of these is missing it finds nothing."""
    registry = FIELDS[one.subject]
    asked_for = ("history", "worklogs", "allocations")
    told = {"mapped": "{}"} | {source: f"read: [{source}]" for source in asked_for}

    def gone(name: str) -> frozenset[str]:
        return frozenset({name, *(fact for fact, field in registry.items() if name in field.needs)})

    lacking = [field for name, field in registry.items() if field.source in told and not can_fail(one, gone(name))]
    return list(dict.fromkeys(told[field.source].format(field.name) for field in lacking))


# --- examples ---------------------------------------------------------------------------------------------------------


def _examples(one: Standard, kind: str) -> Examples:
    """The examples of one kind; a column for each field that the standard reads or that some example gives."""
    chosen = [example for example in one.examples if example.kind == kind]
    registry = FIELDS[one.subject]
    given = {name for example in chosen for name in example.values}
    fields = [field for name, field in registry.items() if name in one.fields or name in given]
    day = ("today",) if one.uses_day else ()
    rows = [(*(_cell(field, example) for field in fields), *(_date(example.today) for _ in day)) for example in chosen]
    return Examples((*(field.name for field in fields), *day), tuple(rows))


def _cell(field: Field, example: Example) -> str:
    value = example.values.get(field.name)
    match field.type:
        case _ if field.name in example.not_provided:
            return "not provided"
        case _ if value is None or value == "":
            return "empty"
        case Type.YESNO:
            return "yes" if value else "no"
        case Type.NUMBER:
            return f"{value:g}"
        case Type.DATE:
            return _date(int(value))
        case Type.INSTANT:
            return _instant(int(value))
        case _:
            return str(value)


def _date(day: int) -> str:
    return (EPOCH + dt.timedelta(days=day)).isoformat()


def _instant(microseconds: int) -> str:
    """A date that stands for its noon is shown as the date that somebody wrote."""
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)
    return moment.date().isoformat() if moment.time() == _NOON else f"{moment:%Y-%m-%d %H:%M} UTC"
