"""Writes pages of ours in Jira's wiki markup, for Data Center, and reads such a page back.

It keeps the promise that a page comes back as it was written, line by line, and that a sign which would be markup
stands there as itself.
"""

from __future__ import annotations

import re

from .pages import ADDRESS, HEADING, ITEM

_LEVEL = "h3. "
_BULLET = "* "
_MARKUP = re.compile(r"[\\{}\[\]*_+^~|!?\-]")
_ESCAPED = re.compile(r"\\([{}\[\]*_+^~|!?\-#hb])|&#92;")
_BACKSLASH = "&#92;"
"""Two backslashes would be a line break."""
_LINE = re.compile(r"^(#|h[1-6]\.|bq\.)")
"""What makes a list, a heading or a quotation at the beginning of a line, beside what is markup anywhere."""


def to_wiki(page: str) -> str:
    """A page as markup: `# ` begins a heading, `- ` an item of a list, every other line is a paragraph."""
    lines = [_line(line) for line in page.split("\n") if line]
    joined: list[str] = []
    for line in lines:
        listed = line.startswith(_BULLET) and bool(joined) and joined[-1].startswith(_BULLET)
        joined += [line] if listed or not joined else ["", line]
    return "\n".join(joined)


def to_page(text: str) -> str:
    """The page that a text in markup shows; markup that no page of ours has stays as it is."""
    return "\n".join(_shown(line.strip()) for line in text.replace("\r\n", "\n").split("\n") if line.strip())


def escaped(text: str) -> str:
    """Plain text, so that none of its signs is markup; addresses stay whole, for Jira makes links of them."""
    pieces, end = [], 0
    for found in ADDRESS.finditer(text):
        pieces += [_bare(text[end : found.start()]), found[0]]
        end = found.end()
    line = "".join([*pieces, _bare(text[end:])])
    return f"\\{line}" if _LINE.match(line) else line


def _bare(text: str) -> str:
    return _MARKUP.sub(lambda sign: _BACKSLASH if sign[0] == "\\" else f"\\{sign[0]}", text)


def _line(line: str) -> str:
    if line.startswith(HEADING) and line != HEADING:
        return _LEVEL + escaped(line.removeprefix(HEADING))
    if line.startswith(ITEM) and line != ITEM:
        return _BULLET + escaped(line.removeprefix(ITEM))
    return escaped(line)


def _shown(line: str) -> str:
    if line.startswith(_LEVEL):
        return HEADING + _unescaped(line.removeprefix(_LEVEL))
    if line.startswith(_BULLET):
        return ITEM + _unescaped(line.removeprefix(_BULLET))
    return _unescaped(line)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: found[1] or "\\", text)
