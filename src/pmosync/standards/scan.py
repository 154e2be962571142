"""The first look at a predicate, before any grammar: is it short and flat enough, and is every sign one that we know?

Spellings that people bring from JQL, SQL, Excel or a word processor are refused here with the spelling to use. One pass
over the text with no recursion, so a hostile text costs no more than a long one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pmosync.errors import PmosyncError

LONGEST = 4_000
DEEPEST = 12
"""Open brackets, NOTs and arithmetic signs that may stand above one value. SQLite's parser holds 100 symbols, a level
takes up to five of them, and the judge's own statement needs the rest: from 14 on it says "parser stack overflow"."""
MOST_DIGITS = 12


_LONG_WORD = re.compile(r"(\S{60})\S+")
"""Nobody reads a word of so many signs in a message."""


class Mistake(PmosyncError):
    """A predicate that does not fit the language; `start` and `end` are positions in its text."""

    def __init__(self, what: str, start: int, end: int, hint: str = "") -> None:
        self.what, self.hint = (_LONG_WORD.sub(r"\1…", said) for said in (what, hint))
        self.start, self.end = start, max(end, start + 1)
        super().__init__(f"{self.what} → {self.hint}" if hint else self.what)


@dataclass(frozen=True, slots=True)
class Piece:
    """One word, sign, number or text of a predicate."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


_PIECE = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<text>'[^'\n]*'|"[^"\n]*")
  | (?P<number>\d{4}-\d{2}-\d{2}(?![\w.]) | \d(?:[\w.]*\w)?)
  | (?P<word>\$?[^\W\d]\w*)
  | (?P<foreign>&&|\|\||==|<>|=>|=<|!(?![=~]))
  | (?P<sign>[<>!]=|!~|[=<>~+\-*/(),])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_USE = {
    "&&": "write AND",
    "||": "write OR",
    "==": "write =",
    "<>": "write !=",
    "=>": "write >=",
    "=<": "write <=",
    "!": "write NOT",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "–": "write a plain minus -",
    "—": "write a plain minus -",
    "−": "write a plain minus -",
    "×": "write *",
    "÷": "write /",
    "[": "lists stand in round brackets: IN (todo, blocked)",
    "]": "lists stand in round brackets: IN (todo, blocked)",
    "{": "lists stand in round brackets: IN (todo, blocked)",
    "}": "lists stand in round brackets: IN (todo, blocked)",
    ";": "separate with a comma",
    "%": "write a share as a number: 5 % is 0.05",
    "$": "a parameter is $ and its name: $grace",
    ".": "decimals start with a digit: 0.5",
} | dict.fromkeys("“”„‟‘’‚«»", "use straight quotes: 'text'")

_WEIGHS = {"+", "-", "*", "/"}


def scan(text: str) -> tuple[Piece, ...]:
    """The pieces of a text that is short and flat enough and uses no foreign sign; raises `Mistake` otherwise."""
    if len(text) > LONGEST:
        raise Mistake(
            f"the predicate has {len(text):,} characters, more than {LONGEST:,}",
            LONGEST,
            LONGEST + 1,
            "split it into several standards: one for each thing that the team can fix",
        )
    pieces = []
    for match in _PIECE.finditer(text):
        group, word = match.lastgroup, match.group()
        if group == "space":
            continue
        if group == "number":
            _check_number(word, match.start())
        elif group in ("foreign", "other"):
            raise _foreign(word, match.start(), text)
        pieces.append(Piece(word, match.start()))
    if not pieces:
        raise Mistake("the predicate is empty", 0, 1, "write a condition, e.g. assignee IS EMPTY")
    _check_depth(pieces)
    return tuple(pieces)


def _foreign(sign: str, start: int, text: str) -> Mistake:
    if sign in "'\"":
        return Mistake("a text that never ends", start, len(text), f"close it with {sign} on the same line")
    return Mistake(
        f"unexpected '{sign}'", start, start + len(sign), _USE.get(sign, "this sign is not part of the language")
    )


def _check_number(word: str, start: int) -> None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d+(\.\d+)?|\d+[dwDW]", word):
        if len(re.sub(r"\D", "", word)) <= MOST_DIGITS:
            return
        what, hint = f"{word} has more than {MOST_DIGITS} digits", "use a smaller number"
    elif re.fullmatch(r"\d+\.\d+\.\d+", word):
        what, hint = f"'{word}' is not a date", "dates are written year-month-day: 2026-12-31"
    elif re.fullmatch(r"[\d.]+[A-Za-z]+", word):
        what, hint = f"'{word}' is not a duration", "durations are whole days or weeks: 3d, 2w"
    else:
        what, hint = f"'{word}' is not a number", "write digits with a point for decimals: 0.95"
    raise Mistake(what, start, start + len(word), hint)


def _check_depth(pieces: list[Piece]) -> None:
    """Each open bracket is one deeper, and so is each NOT and each arithmetic sign of the condition at hand."""
    opened: list[Piece] = []
    weights = [0]
    depth = 0
    for piece in pieces:
        word = piece.text.upper()
        if word == "(":
            opened.append(piece)
            weights.append(0)
            depth += 1
        elif word == ")":
            if not opened:
                raise Mistake("a bracket is closed that was never opened", piece.start, piece.end, "remove it")
            opened.pop()
            depth -= 1 + weights.pop()
        elif word in ("AND", "OR", ","):
            depth -= weights[-1]
            weights[-1] = 0
        elif word in _WEIGHS or word == "NOT":
            weights[-1] += 1
            depth += 1
        if depth > DEEPEST:
            raise Mistake(
                f"nested deeper than {DEEPEST} levels", piece.start, piece.end, "take brackets, NOTs or sums apart"
            )
    if opened:
        raise Mistake("a bracket is never closed", opened[-1].start, opened[-1].end, "add the closing bracket")
