"""What people type who know JQL, SQL or Excel, and the spelling to use instead.

Used only when the grammar has already said no: it turns "unexpected token" into the sentence that helps. The order of
the table matters; the last resort says what may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from pmosync.standards.scan import Mistake, Piece


@dataclass(frozen=True, slots=True)
class _Refusal:
    """`before` must match up to the place, `after` from there on; both are asked without regard to capitals."""

    before: str
    after: str
    what: str
    hint: str


_OPENING = r"(?:^|\(|,|\bAND|\bOR|\bNOT)"
_TABLE = (
    _Refusal(r"\bIS(?: NOT)?", r"(NULL|NONE|NIL|BLANK)\b", "unexpected '{after}'", "write IS EMPTY or IS NOT EMPTY"),
    _Refusal(r"\bIS(?: NOT)?", r"", "IS asks only whether a field is empty", "write IS EMPTY, or compare with = or !="),
    _Refusal(
        r"(?:[=<>~])", r"EMPTY\b", "EMPTY is not a value to compare with", "write IS EMPTY or IS NOT EMPTY, without ="
    ),
    _Refusal(r"[(,]", r"EMPTY\b", "EMPTY cannot stand in a list", "write ... OR assignee IS EMPTY"),
    _Refusal(r"", r"EMPTY\b", "unexpected 'EMPTY'", "write assignee IS EMPTY"),
    _Refusal(r"\bIN", r"", "IN is followed by a list in brackets", "write status IN (todo, blocked)"),
    _Refusal(r"\bNOT", r"BETWEEN\b", "unexpected 'BETWEEN' after NOT", "write NOT estimate_h BETWEEN 1 AND 8"),
    _Refusal(r"\bNOT", r"(LIKE|CONTAINS)\b", "unexpected '{after}'", "write title !~ 'text'"),
    _Refusal(r"", r"(LIKE|ILIKE|CONTAINS)\b", "unexpected '{after}'", "write title ~ 'text'"),
    _Refusal(
        r"", r"(WAS|CHANGED|DURING|BEFORE|AFTER)\b", "unexpected '{after}'", "a predicate sees what is, not its history"
    ),
    _Refusal(r"", r"ORDER\s+BY\b", "unexpected 'ORDER BY'", "a standard has no order: leave it out"),
    _Refusal(r"", r"(THEN|ELSE|WHERE|SELECT)\b", "unexpected '{after}'", "write only the condition that must not hold"),
    _Refusal(_OPENING, r"(AND|OR)\s*\(", "unexpected '{word}'", "{word} stands between two conditions: a {word} b"),
    _Refusal(_OPENING, r"(AND|OR)\b", "a condition is missing before '{word}'", "remove one word or add the condition"),
    _Refusal(r"\d", r",\s*\d", "unexpected ','", "decimals are written with a point: 0.95"),
    _Refusal(
        r"(?:[=<>])\s*\S+",
        r"([=<>!]=?)",
        "comparisons cannot be chained",
        "write x >= a AND x <= b, or x BETWEEN a AND b",
    ),
    _Refusal(r"[=<>~]", r"([=<>!~]+)", "two signs in a row", "the signs are = != < <= > >= ~ !~"),
)


def explain(text: str, pieces: Collection[Piece], start: int | None, options: Collection[str]) -> Mistake:
    """Why the grammar stopped at `start` (None: at the end)."""
    if start is None:
        last = list(pieces)[-1]
        return Mistake(
            f"the predicate ends too early, after '{last.text}'",
            last.start,
            last.end,
            "say what comes next, or remove it",
        )
    here = next((piece for piece in pieces if piece.start <= start < piece.end), None)
    word = here.text if here else text[start]
    begin, end = (here.start, here.end) if here else (start, start + 1)
    before = " ".join(piece.text for piece in pieces if piece.end <= begin)
    if hint := _one_word(text, begin, options):
        return Mistake(f"unexpected '{word}'", begin, end, hint)
    for refusal in _TABLE:
        after = re.match(refusal.after, text[begin:], re.IGNORECASE)
        if after and re.search(refusal.before + r"$", before, re.IGNORECASE):
            said = {"after": after.group(), "word": word.upper()}
            return Mistake(refusal.what.format(**said), begin, end, refusal.hint.format(**said))
    if re.search(rf"{_OPENING}$|[=<>~+\-*/]$|\bBETWEEN$", before, re.IGNORECASE):
        hint = "here stands a field, a value or a bracket"
    else:
        hint = "here stands a comparison such as = or IN, or AND, OR, or the end"
    return Mistake(f"unexpected '{word}'", begin, end, hint)


def _one_word(text: str, begin: int, options: Collection[str]) -> str:
    """`in progress` and `in-progress` for in_progress."""
    for option in sorted(set(options), key=len, reverse=True):
        spelled = rf"\b{option.replace('_', '[ -]+')}\b"
        if "_" in option and any(run.start() <= begin < run.end() for run in re.finditer(spelled, text, re.IGNORECASE)):
            return f"an option is one word: {option}"
    return ""
