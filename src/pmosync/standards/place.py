"""Finds the place in the file for a position in a text that YAML may have folded, quoted or indented.

So that a mistake inside a predicate of many lines is shown under the very word, whichever way the text was written.
"""

from __future__ import annotations

from pmosync.errors import Misconfigured
from pmosync.standards.scan import Mistake
from pmosync.yamlfile import At, Doc

_WIDEST = 110


def pointed(doc: Doc, at: At, value: str, mistake: Mistake) -> Misconfigured:
    """The mistake as an error that names file, line and column, with carets under the words at fault."""
    first = _index(doc, at, value, mistake.start)
    last = max(first, _index(doc, at, value, mistake.end - 1))
    line = doc.text.count("\n", 0, first) + 1
    begin = doc.text.rfind("\n", 0, first) + 1
    column = first - begin + 1
    shown = doc.text[begin:].split("\n", 1)[0]
    width = max(1, min(last, begin + len(shown) - 1) - first + 1)
    return Misconfigured(
        mistake.what,
        where=f"{doc.path}:{line}:{column}",
        hint=mistake.hint,
        excerpt=_excerpt(shown, line, column, width),
    )


def underlined(text: str, mistake: Mistake) -> str:
    """The text with carets under the words at fault, where there is no file."""
    before = text[: mistake.start]
    begin = before.rfind("\n") + 1
    shown = text[begin:].split("\n", 1)[0]
    column = mistake.start - begin + 1
    width = max(1, min(mistake.end - begin, len(shown)) - column + 1)
    return _excerpt(shown, before.count("\n") + 1, column, width)


def _excerpt(shown: str, line: int, column: int, width: int) -> str:
    cut = max(0, column - _WIDEST + 30)
    shown, offset = shown[cut : cut + _WIDEST], column - 1 - cut
    label = f"  {line} | "
    return f"{label}{shown}\n{' ' * (len(label) - 2)}| {' ' * offset}{'^' * min(width, max(1, len(shown) - offset))}"


def _index(doc: Doc, at: At, value: str, offset: int) -> int:
    """Where in the file the value's character stands: the same signs come in the same order, only blanks differ."""
    line, column = doc.values[at]
    text, here = doc.text, 0
    for _ in range(line - 1):
        here = text.index("\n", here) + 1
    start = here = here + column - 1
    style = text[here : here + 1]
    if style in ("|", ">"):
        here = text.find("\n", here) + 1
    elif style in ("'", '"'):
        here += 1
    left = len("".join(value[: offset + 1].split()))
    while left and here < len(text):
        if style == '"' and text[here] == "\\":
            here += 2 if text[here + 1 : here + 2] in ("n", "t") else 1
            continue
        if style == "'" and text[here : here + 2] == "''":
            here += 1
        left -= not text[here].isspace()
        here += 1
    return here - 1 if here > start else start
