"""Random predicates about every field of the model, and rows that stand at the edges of what a field can hold.

Both are made from the registry of fields alone, so that a new field or subject is asked about as soon as it is there.
What is written is a text, as an author writes it; each seed gives the same texts and rows for good.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.standards.reading import DAY_US, HOUR_US, Rows

from pmosync.model import FIELDS, Subject, Type
from pmosync.standards import Mistake, parse_predicate
from pmosync.standards.syntax import Constant, Kind, Predicate

TODAY = 20_777
PARAMS: Mapping[str, Constant] = {
    "few": Constant(Kind.NUMBER, 0.05),
    "many": Constant(Kind.NUMBER, 44.0),
    "grace": Constant(Kind.DAYS, 3),
    "none": Constant(Kind.DAYS, 0),
}
PARTS = ("ä", "ß", "SS", "TBD", "100%", "_", "x", "σ", "ς", "i", "ı", "ﬁ", "\\", "🚀", "it's", " ")

_TEXTS = (
    *(None, "", "x", "tbd", " ", "Fixed", "Straße ÄÖ", "STRAẞE", "ΤΊΤΛΟΣ", "τίτλος", "İstanbul", "ısı", "ﬁn", "100%_"),
    *("C:\\temp", 'it\'s "done"', "a\u0301bc", "🚀🚀", "two\nlines\tand more", "long " * 60),
)
_DAYS = (None, TODAY, TODAY - 1, TODAY + 1, TODAY - 7, TODAY - 30, TODAY + 14, 0, -1, 60_000)
_INSTANTS = (None, TODAY * DAY_US, TODAY * DAY_US - 1, (TODAY + 1) * DAY_US - 1, TODAY * DAY_US + 5 * HOUR_US, -1, 0)
_WHOLE = (None, 0, 1, 2, 3, 5, 10, 44, 45, -1, 100, 46_341, 2_000_000_000, -2_000_000_000)
_NUMBERS = (None, 0.0, 1.0, -1.0, 0.5, 0.05, 0.1, 0.3, 1 / 3, 10.0, 44.0, 1e-9, 1e9, 999_999_999_999.0, 1e15, -1e15)
_EDGES: Mapping[Type, tuple[Any, ...]] = {
    Type.TEXT: _TEXTS,
    Type.NUMBER: _NUMBERS,
    Type.DATE: _DAYS,
    Type.INSTANT: _INSTANTS,
    Type.YESNO: (None, 0, 1),
    Type.PERSON: (None, "p1", "p2"),
    Type.TASK: (None, "7"),
}


def edge_rows(subject: Subject, whole: frozenset[str], dice: random.Random, count: int) -> Rows:
    """So many rows. The first is empty; in the second nothing is provided; `whole` hold whole numbers."""
    values: dict[str, list[Any]] = {}
    provided: dict[str, list[bool]] = {}
    for name, field in FIELDS[subject].items():
        edges = (None, *field.options) if field.type is Type.OPTION else _EDGES[field.type]
        edges = _WHOLE if name in whole else edges
        values[name] = [None if number < 2 else dice.choice(edges) for number in range(count)]
        provided[name] = [
            each is not None or (number != 1 and dice.random() < 0.7) for number, each in enumerate(values[name])
        ]
    today = [TODAY + dice.choice((0, 0, 1)) for _ in range(count)]
    return Rows(values, provided, today, [dice.choice((0, 0, 2, -8, 14)) for _ in range(count)])


class Author:
    """Writes predicates of every shape that the language has; half of what is compared stands at an edge of a row."""

    def __init__(self, subject: Subject, dice: random.Random) -> None:
        self.subject, self.dice = subject, dice
        self.named: dict[Type, list[str]] = {}
        for name, field in FIELDS[subject].items():
            self.named.setdefault(field.type, []).append(name)
        self.leaves = self._leaves()

    def predicate(self) -> Predicate:
        """One that names a field: the others are refused."""
        while True:
            text = self.condition(self.dice.choice((0, 0, 0, 0, 1, 1, 1, 2, 3)))
            try:
                return parse_predicate(text, self.subject, PARAMS)
            except Mistake as mistake:
                if not mistake.what.startswith("no field is read"):
                    raise

    def condition(self, depth: int) -> str:
        pick = self.dice.random()
        if depth == 0 or pick < 0.2:
            return self.dice.choice(self.leaves)()
        if pick < 0.35:
            return f"NOT ({self.condition(depth - 1)})"
        word = self.dice.choice((" AND ", " OR "))
        return "(" + word.join(self.condition(depth - 1) for _ in range(self.dice.choice((2, 2, 3)))) + ")"

    def _leaves(self) -> list[Callable[[], str]]:
        there: dict[Type, list[Callable[[], str]]] = {
            Type.NUMBER: [
                lambda: f"{self.number(2)} {self.sign()} {self.number(1)}",
                lambda: f"{self.number(1)} BETWEEN {self.number(1)} AND {self.number(1)}",
                lambda: f"{self.number(1)} {self.within()} ({self.number(1)}, {self.number(1)})",
            ],
            Type.DATE: [
                lambda: f"{self.date(2)} {self.sign()} {self.date(1)}",
                lambda: f"{self.days(1)} {self.sign()} {self.dice.choice((self.days(1), '3', '0.5', '$many'))}",
                lambda: f"{self.date(1)} BETWEEN {self.date(1)} AND {self.date(1)}",
                lambda: f"{self.date(1)} {self.within()} ({self.date(1)}, {self.date(1)}, {self.date(0)})",
            ],
            Type.INSTANT: [
                lambda: f"{self.instant()} {self.sign()} {self.dice.choice((self.instant(), self.date(1)))}",
                lambda: f"{self.instant()} {self.within()} ({self.date(1)}, {self.instant()})",
                lambda: f"{self.instant()} BETWEEN {self.date(1)} AND {self.instant()}",
            ],
            Type.TEXT: [
                lambda: f"{self.text()} {self.dice.choice(('~', '!~'))} {self.quoted(PARTS)}",
                lambda: f"{self.text()} {self.equal()} {self.text()}",
                lambda: f"{self.text()} {self.within()} ({self.quoted()}, {self.text()})",
            ],
            Type.OPTION: [self.choice, self.choice, self.choice],
            Type.YESNO: [lambda: f"{self.yesno()} {self.equal()} {self.yesno()}"],
            Type.PERSON: [lambda: f"{self.name(Type.PERSON)} {self.equal()} {self.name(Type.PERSON)}"],
        }
        anything = list(FIELDS[self.subject])
        empty = [lambda: f"{self.dice.choice(anything)} IS {self.dice.choice(('', 'NOT '))}EMPTY"] * 3
        return [leaf for kind, leaves in there.items() if kind in self.named for leaf in leaves] + empty

    # --- words

    def name(self, kind: Type) -> str:
        return self.dice.choice(self.named[kind])

    def sign(self) -> str:
        return self.dice.choice(("=", "!=", "<", "<=", ">", ">="))

    def equal(self) -> str:
        return self.dice.choice(("=", "!="))

    def within(self) -> str:
        return self.dice.choice(("IN", "NOT IN"))

    def quoted(self, among: tuple[str, ...] = ()) -> str:
        texts = among or tuple(each for each in _TEXTS if each and "\n" not in each)
        text = self.dice.choice(texts)
        return f"'{text}'" if "'" not in text else '"' + text.replace('"', "") + '"'

    # --- values by their kind

    def text(self) -> str:
        if self.dice.random() < 0.6:
            return self.name(Type.TEXT)
        return f"coalesce({self.name(Type.TEXT)}, {self.dice.choice((self.name(Type.TEXT), self.quoted()))})"

    def choice(self) -> str:
        name = self.name(Type.OPTION)
        options = FIELDS[self.subject][name].options
        left = self.dice.choice((name, name, f"coalesce({name}, {self.dice.choice(options)})"))
        if self.dice.random() < 0.5:
            return f"{left} {self.equal()} {self.dice.choice(options)}"
        return f"{left} {self.within()} ({', '.join(self.dice.choices(options, k=self.dice.choice((1, 2, 3))))})"

    def yesno(self) -> str:
        plain = (self.name(Type.YESNO), self.name(Type.YESNO), "TRUE", "FALSE")
        return self.dice.choice((*plain, f"coalesce({plain[0]}, {self.dice.choice(plain)})"))

    def instant(self) -> str:
        names = self.name(Type.INSTANT), self.name(Type.INSTANT)
        return self.dice.choice((names[0], names[0], f"coalesce({', '.join(names)})"))

    def number(self, depth: int) -> str:
        if depth == 0 or self.dice.random() < 0.5:
            literal = self.dice.choice(
                ("0", "1", "2", "0.5", "0.05", "0.1", "-1", "10", "44", "$few", "$many", "3000000000")
            )
            longest = f"length({self.text()})" if Type.TEXT in self.named else literal
            names = [self.name(Type.NUMBER)] * 3 if Type.NUMBER in self.named else []
            return self.dice.choice((literal, longest, *names))
        made = [
            f"({self.number(depth - 1)} {self.dice.choice('+-*/')} {self.number(depth - 1)})",
            f"({self.number(depth - 1)} {self.dice.choice('+-*/')} {self.number(depth - 1)})",
            f"coalesce({self.number(depth - 1)}, {self.number(depth - 1)})",
            f"-({self.number(depth - 1)})",
        ]
        return self.dice.choice([*made, f"({self.days(0)} / {self.days(0)})"] if Type.DATE in self.named else made)

    def date(self, depth: int) -> str:
        if depth == 0 or self.dice.random() < 0.5:
            return self.dice.choice((self.name(Type.DATE), self.name(Type.DATE), "today()", "2026-11-20"))
        others = [self.date(0), *([self.instant()] if Type.INSTANT in self.named else [])]
        return self.dice.choice(
            (
                f"({self.dice.choice(others)} {self.dice.choice('+-')} {self.days(depth - 1)})",
                f"({self.days(depth - 1)} + {self.date(depth - 1)})",
                f"coalesce({self.date(depth - 1)}, {self.dice.choice(others)}, {self.date(0)})",
            )
        )

    def days(self, depth: int) -> str:
        if depth == 0 or self.dice.random() < 0.4:
            plain = ("0d", "1d", "2w", "30d", "$grace", "$none", "999999d")
            return self.dice.choice((*plain, *[f"({self.name(Type.DATE)} - {self.date(0)})"] * 4))
        return self.dice.choice(
            (
                f"({self.days(depth - 1)} {self.dice.choice('+-')} {self.days(depth - 1)})",
                f"({self.days(depth - 1)} {self.dice.choice('*/')} {self.number(0)})",
                f"({self.number(0)} * {self.days(depth - 1)})",
            )
        )
