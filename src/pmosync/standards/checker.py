"""Gives a predicate its meaning: which word is a field, which an option, and what can be compared with what.

Nothing that could silently never fire gets past here: an unknown field, an unknown option, values that don't compare
are refused with the place in the text and the spelling to use.

| left | with the same kind | with another kind |
|---|---|---|
| date, instant | = != < <= > >= IN BETWEEN | an instant with a date: its local day |
| number, duration | = != < <= > >= IN BETWEEN | a duration with a plain number: days |
| text | = != IN ~ !~ | – |
| choice, yes/no | = != IN | a bare word to the right of a choice is one of its options |
| person, task | = != | – (IS EMPTY asks whether there is one) |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, cast

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pmosync.model import FIELDS, Subject
from pmosync.standards import words
from pmosync.standards.refusals import explain
from pmosync.standards.scan import Mistake, scan
from pmosync.standards.syntax import (
    Among,
    And,
    Comparison,
    Condition,
    Constant,
    Contains,
    Empty,
    FieldRef,
    Kind,
    Not,
    Or,
    Predicate,
    kind_of,
)
from pmosync.standards.values import CONDITIONS, Raw, Values, span

Sign = Literal["=", "!=", "<", "<=", ">", ">="]

_ORDERED = {Kind.NUMBER, Kind.DATE, Kind.INSTANT, Kind.DAYS}


def parse_predicate(text: str, subject: Subject, params: Mapping[str, Constant] | None = None) -> Predicate:
    """Read and check one predicate about this subject; raises `Mistake` with the place in the text."""
    pieces = scan(text)
    options = [option for field in FIELDS[subject].values() for option in field.options]
    try:
        raw = _grammar().parse(text)
    except UnexpectedCharacters as error:
        raise explain(text, pieces, error.pos_in_stream, options) from None
    except UnexpectedToken as error:
        start = None if error.token.type == "$END" else error.token.start_pos
        raise explain(text, pieces, start, options) from None
    except UnexpectedInput:
        raise explain(text, pieces, None, options) from None
    values = Values(text, subject, params or {})
    tree = _Conditions(values).condition(raw)
    if not values.fields:
        raise Mistake("no field is read: every subject would get the same answer", 0, len(text), "name a field")
    return Predicate(" ".join(piece.text for piece in pieces), tree, frozenset(values.fields), values.uses_today)


def params_in(text: str) -> frozenset[str]:
    """Names of the parameters that a text uses, without the dollar sign."""
    return frozenset(piece.text[1:] for piece in scan(text) if piece.text.startswith("$"))


@cache
def _grammar() -> Lark:
    return Lark.open("language.lark", rel_to=__file__, parser="lalr", propagate_positions=True)


class _Conditions:
    """Walks the grammar's conditions once, with a reader for the values in them."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.value, self.wrong, self.said, self.pair = values.value, values.wrong, values.said, values.pair

    def condition(self, raw: Raw) -> Condition:
        if isinstance(raw, Token) or raw.data not in CONDITIONS:
            raise self._not_a_condition(raw)
        parts = raw.children
        match raw.data:
            case "any_of":
                return Or(tuple(self.condition(part) for part in parts))
            case "all_of":
                return And(tuple(self.condition(part) for part in parts))
            case "negated":
                return Not(self.condition(parts[0]))
            case "compare":
                return self._compare(parts[0], str(parts[1]), parts[2])
            case "contains":
                return self._contains(parts[0], str(parts[1]), parts[2])
            case "between":
                return self._between(parts[0], parts[1], parts[2])
            case "among" | "not_among":
                among = self._among(parts[0], parts[1:])
                return Not(among) if raw.data == "not_among" else among
            case _:
                empty = self._empty(parts[0])
                return Not(empty) if raw.data == "not_empty" else empty

    def _not_a_condition(self, raw: Raw) -> Mistake:
        value = self.value(raw)
        said = self.said(raw)
        hint = f"write {said} = TRUE" if kind_of(value) is Kind.YESNO else "compare it with something, or ask IS EMPTY"
        return self.wrong(raw, f"'{said}' alone is {words.A[kind_of(value)]}, not a condition", hint)

    def _compare(self, raw_left: Raw, sign: str, raw_right: Raw) -> Condition:
        left, right = self.pair(raw_left, raw_right)
        kind = kind_of(left)
        if sign not in ("=", "!=") and kind not in _ORDERED:
            said = self.said(raw_left)
            raise Mistake(
                f"{words.A[kind]} has no order: {said} cannot be compared with {sign}",
                span(raw_left)[0],
                span(raw_right)[1],
                f"list what you mean: {said} IN (...)" if kind is Kind.OPTION else "use = or !=",
            )
        return Comparison(cast(Sign, sign), left, right)

    def _contains(self, raw_text: Raw, sign: str, raw_part: Raw) -> Condition:
        text = self.value(raw_text)
        if kind_of(text) is not Kind.TEXT:
            raise self.wrong(
                raw_text, f"{sign} looks into texts, and {self.said(raw_text)} is {words.A[kind_of(text)]}", "use ="
            )
        if not (isinstance(raw_part, Token) and raw_part.type == "TEXT"):
            hint = f"write {self.said(raw_text)} {sign} 'word'"
            raise self.wrong(raw_part, f"{sign} is followed by a text in quotes", hint)
        part = str(raw_part)[1:-1]
        if not part or part.startswith(("*", "%")) or part.endswith("*"):
            raise self.wrong(raw_part, f"{sign} looks for the text as it stands", "leave out * and %, and name a text")
        found = Contains(text, Constant(Kind.TEXT, part))
        return Not(found) if sign == "!~" else found

    def _between(self, raw: Raw, raw_low: Raw, raw_high: Raw) -> Condition:
        low = self._compare(raw, ">=", raw_low)
        return And((low, self._compare(raw, "<=", raw_high)))

    def _among(self, raw: Raw, raw_items: Sequence[Raw]) -> Among:
        pairs = [self.pair(raw, item) for item in raw_items]
        if len({left for left, _ in pairs}) > 1:  # an instant compared with both dates and instants: as dates
            pairs = [(self.values.day(left), self.values.day(right)) for left, right in pairs]
        if kind_of(pairs[0][0]) in (Kind.PERSON, Kind.TASK):
            raise self.wrong(raw, f"{words.A[kind_of(pairs[0][0])]} has no list", "ask IS EMPTY or IS NOT EMPTY")
        return Among(pairs[0][0], tuple(right for _, right in pairs))

    def _empty(self, raw: Raw) -> Empty:
        value = self.value(raw)
        if not isinstance(value, FieldRef):
            raise self.wrong(raw, f"IS EMPTY asks about a field, and '{self.said(raw)}' is none", "name one field")
        return Empty(value)
