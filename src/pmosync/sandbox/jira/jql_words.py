"""Reads the words of a JQL query: restrictions joined by AND, OR and NOT, and the order asked for.

It keeps the promise that a query it does not understand whole is refused, with the place where it stopped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from ..answers import Refused

TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<op>!=|!~|<=|>=|[=<>~(),])"""
    r"""|(?P<word>cf\[\d+\]|[^\s=<>~!(),"']+))"""
)
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Value:
    """An operand: its text, and whether it was a function call."""

    text: str
    function: bool = False
    argument: str = ""


class Meaning(Protocol):
    """What turns one restriction at a time into SQL."""

    def empty(self, name: str) -> str:
        """Whether a field is empty."""

    def listed(self, name: str, values: list[Value], *, negated: bool) -> str:
        """Whether a field is one of the values."""

    def compared(self, name: str, operator: str, value: Value) -> str:
        """Whether a field compares so with a value."""


def wrong(message: str) -> Refused:
    """The refusal of a query."""
    return Refused(400, {"errorMessages": [message], "errors": {}})


class Words:
    """Walks the words of a query."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = TOKEN.match(text, position)
            if match is None:
                raise wrong(
                    f"Error in the JQL Query: The character '{text[position:].strip()[:1]}' is a reserved JQL "
                    f"character. You must enclose it in a string or use the escape. (line 1, character {position + 1})"
                )
            self._words.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()
        self._at = 0

    def peek_word(self) -> str:
        """The next word in capitals when it is a bare word or an operator, else what a string is: never a keyword."""
        if self._at >= len(self._words):
            return ""
        kind, text = self._words[self._at]
        return text if kind == "op" else text.upper() if kind == "word" else '"'

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._words):
            raise wrong("Error in the JQL Query: Expecting more at the end of the query.")
        self._at += 1
        return self._words[self._at - 1]

    def _accept(self, *words: str) -> bool:
        if [self._peek(number) for number in range(len(words))] != list(words):
            return False
        self._at += len(words)
        return True

    def _peek(self, ahead: int) -> str:
        kept, self._at = self._at, self._at + ahead
        found = self.peek_word()
        self._at = kept
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            got = self._words[self._at][1] if self._at < len(self._words) else "the end of the query"
            raise wrong(f"Error in the JQL Query: Expecting '{word}' but got '{got}'.")

    def either(self, meaning: Meaning) -> str:
        """One or more restrictions joined by OR."""
        parts = [self._both(meaning)]
        while self._accept("OR"):
            parts.append(self._both(meaning))
        return " OR ".join(f"({part})" for part in parts)

    def _both(self, meaning: Meaning) -> str:
        parts = [self._one(meaning)]
        while self._accept("AND"):
            parts.append(self._one(meaning))
        return " AND ".join(f"({part})" for part in parts)

    def _one(self, meaning: Meaning) -> str:
        if self._accept("NOT"):
            return f"NOT coalesce(({self._one(meaning)}), 0)"
        if self._accept("("):
            inner = self.either(meaning)
            self._expect(")")
            return inner
        field = self._name()
        if self._accept("IS", "NOT"):
            self._empty()
            return f"NOT ({meaning.empty(field)})"
        if self._accept("IS"):
            self._empty()
            return meaning.empty(field)
        if self._accept("NOT", "IN"):
            return meaning.listed(field, self._values(), negated=True)
        if self._accept("IN"):
            return meaning.listed(field, self._values(), negated=False)
        operator = self.peek_word()
        if operator not in (*COMPARISONS, "~", "!~"):
            got = operator or "the end of the query"
            raise wrong(
                f"Error in the JQL Query: Expecting operator but got '{got}'. The valid operators are '=', '!=', '<', "
                "'>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
            )
        self._take()
        if operator in ("=", "!=") and self.peek_word() in ("EMPTY", "NULL"):
            self._take()
            return meaning.empty(field) if operator == "=" else f"NOT ({meaning.empty(field)})"
        return meaning.compared(field, operator, self._value())

    def _name(self) -> str:
        kind, text = self._take()
        if kind == "op":
            raise wrong(f"Error in the JQL Query: Expecting either a value, list or function but got '{text}'.")
        return unquoted(text) if kind == "string" else text

    def _empty(self) -> None:
        if not (self._accept("EMPTY") or self._accept("NULL")):
            raise wrong("Error in the JQL Query: Expecting 'EMPTY' or 'NULL' after 'IS'.")

    def _values(self) -> list[Value]:
        if self.peek_word() != "(" and self._peek(1) == "(":
            return [self._value()]
        self._expect("(")
        found = [self._value()]
        while self._accept(","):
            found.append(self._value())
        self._expect(")")
        return found

    def _value(self) -> Value:
        text = self._name()
        if not self._accept("("):
            return Value(text)
        argument = "" if self.peek_word() == ")" else self._name()
        self._expect(")")
        return Value(text, function=True, argument=argument)

    def order(self) -> list[tuple[str, bool]]:
        """The ORDER BY terms at the end of the query."""
        found: list[tuple[str, bool]] = []
        if self._accept("ORDER", "BY"):
            found.append(self._term())
            while self._accept(","):
                found.append(self._term())
        if self._at < len(self._words):
            raise wrong(f"Error in the JQL Query: Expecting 'AND', 'OR' or 'ORDER BY' but got "
                        f"'{self._words[self._at][1]}'.")  # fmt: skip
        if len(found) > 7:
            raise wrong("The maximum number of fields in ORDER BY is 7.")
        return found

    def _term(self) -> tuple[str, bool]:
        name = self._name()
        if self._accept("DESC"):
            return name, True
        self._accept("ASC")
        return name, False


def unquoted(text: str) -> str:
    """A quoted string's text."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])
