"""Writes texts and pages of ours as Asana's XML, and reads them back out of whatever Asana makes of it.

It keeps the promise that no text of anybody breaks out of its place: it is escaped, characters that XML cannot hold are
left out, only tags that are allowed in that place are used, and an address in Asana is never written as a link, because
Asana tells the person or the task behind such a link.

Asana may add blanks, line breaks, attributes and entities to what it stores; so what is read is compared and kept in
the canonical form: each line with single blanks, no line empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import escape
from html.parser import HTMLParser
from itertools import groupby

HEADING, ITEM = "# ", "- "
ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:[/?#][^\s<>\"]*)?")
_TRAILING = ".,;:!?)]'"
_IN_ASANA = re.compile(r"(https?://)(?=(?:[a-z0-9-]+\.)*asana\.com\b)", re.IGNORECASE)
_GAP = "\u200b"
"""Stands between `https://` and an address in Asana, unseen: so it is no link."""
_BLOCK = re.compile("body|h[1-6]|ul|ol|li|hr|br|p|div|blockquote|pre|table|t[rdh]|object")
"""Tags that begin a new line and end one."""


# --- the canonical form ---------------------------------------------------------------------------------------------


def canonical_line(text: str) -> str:
    """One line with single blanks, without characters that XML cannot hold."""
    kept = "".join(_kept(" ".join(text.split())))
    return re.sub(f"://{_GAP}+", "://", " ".join(kept.split()))


def canonical_lines(text: str) -> list[str]:
    """The lines of a text, none of them empty."""
    return [line for raw in text.split("\n") if (line := canonical_line(raw))]


def canonical_text(text: str) -> str:
    """A text as it comes back from Asana."""
    return "\n".join(canonical_lines(text))


def _kept(text: str) -> Iterator[str]:
    """Everything but control characters, halves of characters and what is no character at all."""
    return (sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs") and ord(sign) & 0xFFFE != 0xFFFE)


# --- writing --------------------------------------------------------------------------------------------------------


def note(heading: str, text: str) -> str:
    """A comment: a heading in bold, then a list with one item a line. No headings of Asana's: comments have none."""
    items = "".join(f"<li>{inline(line)}</li>" for line in canonical_lines(text))
    return f"<body><strong>{escape(heading)}</strong>\n{f'<ul>{items}</ul>' if items else ''}</body>"


def plain(heading: str, text: str) -> str:
    """The same without any mark-up."""
    return "\n".join([heading, *(defused(line) for line in canonical_lines(text))])


def page(text: str) -> str:
    """A page for a brief, without a body around it: its title in bold, headings, lists and lines of text."""
    title, *lines = canonical_lines(text) or [""]
    parts = [f"<strong>{inline(title)}</strong>\n"]
    for kind, some in groupby(lines, _kind):
        shown = [inline(line.removeprefix(kind)) for line in some]
        if kind == ITEM:
            parts.append(f"<ul>{''.join(f'<li>{one}</li>' for one in shown)}</ul>")
        elif kind == HEADING:
            parts += [f"<h2>{one}</h2>" for one in shown]
        else:
            parts.append("\n".join(shown) + "\n")
    return "".join(parts)


def inline(text: str) -> str:
    """One line with its addresses as links."""
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(_TRAILING)
        if _IN_ASANA.match(address):
            continue
        parts += [escape(defused(text[end : found.start()]), quote=False), _link(address)]
        end = found.start() + len(address)
    return "".join([*parts, escape(defused(text[end:]), quote=False)])


def _link(address: str) -> str:
    return f'<a href="{escape(address)}">{escape(address, quote=False)}</a>'


def defused(text: str) -> str:
    """Plain text whose addresses in Asana are no links."""
    return _IN_ASANA.sub(rf"\1{_GAP}", text)


def _kind(line: str) -> str:
    return next((mark for mark in (HEADING, ITEM) if line.startswith(mark)), "")


# --- reading --------------------------------------------------------------------------------------------------------


def lines_of(xml: str, *, marked: bool = False) -> list[str]:
    """The lines that somebody reads; with `marked` headings and items bear their marks, as in a page of ours."""
    reader = _Reader()
    reader.feed(xml)
    reader.close()
    return [
        (mark if marked else "") + line
        for mark, text in reader.lines()
        if (line := canonical_line(text))
    ]  # fmt: skip


class _Reader(HTMLParser):
    """Takes Asana's XML, and anything like it, apart into lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[tuple[str, str]] = []
        self._mark, self._text = "", ""
        self._address: str | None = None

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        if _BLOCK.fullmatch(tag):
            self._end_line()
            self._mark = ITEM if tag == "li" else HEADING if re.fullmatch("h[1-6]", tag) else ""
        if tag == "a":
            self._address = dict(attrs).get("href")

    def handle_endtag(self, tag: str) -> None:
        if _BLOCK.fullmatch(tag):
            self._end_line()
        if tag == "a":
            self._text += self._address or ""  # a link without a text shows where it leads to
            self._address = None

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._address = None
        first, *more = data.split("\n")
        self._text += first
        for line in more:
            self._end_line()
            self._text = line

    def lines(self) -> list[tuple[str, str]]:
        """What was read, with the mark of each line."""
        self._end_line()
        return self._found

    def _end_line(self) -> None:
        if self._text.strip():
            self._found.append((self._mark, self._text))
            self._mark = ""
        self._text = ""
