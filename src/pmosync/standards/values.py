"""Reads the values of a predicate: which word is a field, which an option, and what can be calculated with what.

An instant that meets a date becomes its local day; everything else that does not fit is refused with the place in the
text and the spelling to use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from lark import Token, Tree

from pmosync.model import FIELDS, Field, Subject
from pmosync.standards import words
from pmosync.standards.scan import Mistake
from pmosync.standards.syntax import (
    Arithmetic,
    Coalesce,
    Constant,
    DayOf,
    FieldRef,
    Kind,
    Length,
    Today,
    Value,
    kind_of,
)

Raw = Tree[Token] | Token

EPOCH = dt.date(1970, 1, 1)
CONDITIONS = frozenset(
    ["any_of", "all_of", "negated", "compare", "contains", "among", "not_among", "between", "empty", "not_empty"]
)
"""Names of the grammar's rules that give a condition; the others give a value."""

_RESULT: Mapping[tuple[str, Kind, Kind], Kind] = {
    ("+", Kind.NUMBER, Kind.NUMBER): Kind.NUMBER,
    ("+", Kind.DATE, Kind.DAYS): Kind.DATE,
    ("+", Kind.DAYS, Kind.DATE): Kind.DATE,
    ("+", Kind.DAYS, Kind.DAYS): Kind.DAYS,
    ("-", Kind.NUMBER, Kind.NUMBER): Kind.NUMBER,
    ("-", Kind.DATE, Kind.DAYS): Kind.DATE,
    ("-", Kind.DATE, Kind.DATE): Kind.DAYS,
    ("-", Kind.DAYS, Kind.DAYS): Kind.DAYS,
    ("*", Kind.NUMBER, Kind.NUMBER): Kind.NUMBER,
    ("*", Kind.DAYS, Kind.NUMBER): Kind.DAYS,
    ("*", Kind.NUMBER, Kind.DAYS): Kind.DAYS,
    ("/", Kind.NUMBER, Kind.NUMBER): Kind.NUMBER,
    ("/", Kind.DAYS, Kind.NUMBER): Kind.DAYS,
    ("/", Kind.DAYS, Kind.DAYS): Kind.NUMBER,
}


def span(raw: Raw) -> tuple[int, int]:
    if isinstance(raw, Token):
        return cast(int, raw.start_pos), cast(int, raw.end_pos)
    return raw.meta.start_pos, raw.meta.end_pos


def day_number(text: str) -> int:
    """Days since 1970-01-01 of an ISO date."""
    return (dt.date.fromisoformat(text) - EPOCH).days


class Values:
    """Turns the grammar's values into typed ones, and remembers which fields were read."""

    def __init__(self, text: str, subject: Subject, params: Mapping[str, Constant]) -> None:
        self.text, self.subject, self.params = text, subject, params
        self.registry: Mapping[str, Field] = FIELDS[subject]
        self.fields: set[str] = set()
        self.uses_today = False

    def wrong(self, raw: Raw, what: str, hint: str = "") -> Mistake:
        return Mistake(what, *span(raw), hint)

    def said(self, raw: Raw) -> str:
        start, end = span(raw)
        return self.text[start:end]

    def pair(self, raw_left: Raw, raw_right: Raw) -> tuple[Value, Value]:
        """Both sides, brought to the same kind."""
        left = self.value(raw_left)
        right = self.value(raw_right, choice=left if kind_of(left) is Kind.OPTION else None)
        return self.alike(left, right, raw_left, raw_right)

    def alike(self, left: Value, right: Value, raw_left: Raw, raw_right: Raw) -> tuple[Value, Value]:
        kinds = kind_of(left), kind_of(right)
        if kinds[0] is kinds[1]:
            return left, right
        if set(kinds) == {Kind.INSTANT, Kind.DATE}:
            return self.day(left), self.day(right)
        if kinds == (Kind.DAYS, Kind.NUMBER) and isinstance(right, Constant):
            return left, Constant(Kind.DAYS, right.value)
        if kinds == (Kind.NUMBER, Kind.DAYS) and isinstance(left, Constant):
            return Constant(Kind.DAYS, left.value), right
        raise self.wrong(
            raw_right,
            f"{words.A[kinds[0]]} cannot be compared with {words.A[kinds[1]]}: "
            f"{self.said(raw_left)} is {words.A[kinds[0]]}",
            words.mismatch(kinds[0], kinds[1], self.said(raw_right)),
        )

    def day(self, value: Value) -> Value:
        """An instant as its local day; everything else as it is."""
        if kind_of(value) is not Kind.INSTANT:
            return value
        if isinstance(value, Coalesce):
            return Coalesce(Kind.DATE, tuple(self.day(each) for each in value.values))
        return DayOf(cast(FieldRef, value).name)

    def value(self, raw: Raw, choice: Value | None = None) -> Value:
        """A value; with `choice`, a bare word is one of the options of that choice."""
        if isinstance(raw, Token):
            return self._token(raw, choice)
        if raw.data in CONDITIONS:
            raise self.wrong(raw, "a condition stands where a value is needed", "put AND or OR between conditions")
        parts = cast("list[Any]", raw.children)
        match raw.data:
            case "call":
                return self._call(raw, parts[0], [part for part in parts[1:] if part is not None], choice)
            case "minus":
                return self._minus(raw, parts[1])
            case _:
                return self._arithmetic(raw, parts[0], str(parts[1]), parts[2])

    def _token(self, token: Token, choice: Value | None) -> Value:
        word = str(token)
        if choice is not None:
            return self._option(token, choice)
        match token.type:
            case "NUMBER":
                return Constant(Kind.NUMBER, float(word))
            case "DAYS":
                return Constant(Kind.DAYS, int(word[:-1]) * (7 if word[-1] in "wW" else 1))
            case "TRUE" | "FALSE":
                return Constant(Kind.YESNO, int(token.type == "TRUE"))
            case "DATE":
                try:
                    return Constant(Kind.DATE, day_number(word))
                except ValueError:
                    raise self.wrong(token, f"there is no day {word}", "check the month and the day") from None
            case "TEXT":
                if word in ("''", '""'):
                    raise self.wrong(token, "an empty text is the same as no text", "write IS EMPTY or IS NOT EMPTY")
                return Constant(Kind.TEXT, word[1:-1])
            case "PARAM":
                return self._param(token)
            case _:
                return self._field(token)

    def _param(self, token: Token) -> Value:
        if (name := str(token)[1:]) not in self.params:
            raise self.wrong(token, f"unknown parameter '${name}'", words.param_hint(name, self.params))
        return self.params[name]

    def _field(self, token: Token) -> Value:
        if (name := str(token)) not in self.registry:
            raise self.wrong(token, *words.unknown_field(name, self.subject))
        self.fields.add(name)
        return FieldRef(name, Kind(self.registry[name].type.value))

    def _option(self, token: Token, choice: Value) -> Value:
        name = self._choice_name(choice)
        field = self.registry[name]
        if token.type == "WORD" and str(token) in field.options:
            return Constant(Kind.OPTION, str(token))
        raise self.wrong(token, *words.unknown_option(str(token), token.type, field))

    def _choice_name(self, choice: Value) -> str:
        while isinstance(choice, Coalesce):
            choice = choice.values[0]
        return cast(FieldRef, choice).name

    def _call(self, raw: Raw, name: Token, arguments: Sequence[Raw], choice: Value | None) -> Value:
        if name == "today":
            if arguments:
                raise self.wrong(raw, "today() takes nothing in its brackets", "write today() - 3d")
            self.uses_today = True
            return Today()
        if name == "length":
            return self._length(raw, arguments)
        if name == "coalesce":
            return self._coalesce(raw, arguments, choice)
        raise self.wrong(name, *words.unknown_function(str(name)))

    def _length(self, raw: Raw, arguments: Sequence[Raw]) -> Value:
        values = [self.value(argument) for argument in arguments]
        if len(values) != 1 or kind_of(values[0]) is not Kind.TEXT:
            raise self.wrong(raw, "length() takes one text", "write length(title)")
        return Length(values[0])

    def _coalesce(self, raw: Raw, arguments: Sequence[Raw], choice: Value | None) -> Value:
        if len(arguments) < 2:
            raise self.wrong(raw, "coalesce() takes two values or more", "write coalesce(start_on, due_on)")
        first = self.value(arguments[0], choice)
        values = [first]
        for argument in arguments[1:]:
            value = self.value(argument, choice or (first if kind_of(first) is Kind.OPTION else None))
            first, value = self.alike(first, value, arguments[0], argument)
            values.append(value)
        values[0] = first
        return Coalesce(
            kind_of(first), tuple(self.day(each) if kind_of(first) is Kind.DATE else each for each in values)
        )

    def _minus(self, raw: Raw, inner: Raw) -> Value:
        value = self.value(inner)
        if kind_of(value) is Kind.DAYS:
            hint = f"write today() - {self.said(inner)}"
            raise self.wrong(raw, f"'{self.said(raw)}' says no day to count from", hint)
        if kind_of(value) is not Kind.NUMBER:
            raise self.wrong(raw, f"a minus before {words.A[kind_of(value)]}", "a minus stands before a number")
        if isinstance(value, Constant):
            return Constant(Kind.NUMBER, -float(value.value))
        return Arithmetic(Kind.NUMBER, "-", Constant(Kind.NUMBER, 0.0), value)

    def _arithmetic(self, raw: Raw, raw_left: Raw, sign: str, raw_right: Raw) -> Value:
        left, right = (self.day(self.value(part)) for part in (raw_left, raw_right))
        kinds = kind_of(left), kind_of(right)
        result = _RESULT.get((sign, *kinds))
        if result is None:
            raise self.wrong(
                raw,
                f"'{sign}' does not fit between {words.A[kinds[0]]} and {words.A[kinds[1]]}",
                words.sum_hint(kinds[0], kinds[1], self.said(raw_left), sign, self.said(raw_right)),
            )
        return Arithmetic(result, cast(Literal["+", "-", "*", "/"], sign), left, right)
