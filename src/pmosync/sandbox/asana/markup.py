"""Checks the rich text that a client sends as Asana does: XML in one `<body>`, with the tags that its place allows.

What is wrong anywhere in it refuses the whole request with `XML is invalid`, so a client that forgets to escape what
people wrote, or uses a tag of the wrong place, meets the refusal here and not at the vendor's.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from pmosync.sandbox.answers import Refused
from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.problems import bad
from pmosync.sandbox.state import State

INLINE = frozenset({"strong", "em", "u", "s", "code", "a"})
NEWER = frozenset({"blockquote", "pre"})
"""Tags of which it is not known since when and where they are taken: the switch `html` set to `narrow` refuses them."""
SAFE = INLINE | NEWER | {"ol", "ul", "li"}
HEADED = SAFE | {"h1", "h2", "hr"}
ALLOWED = {
    "comment": SAFE,
    "status_update": SAFE,
    "task": HEADED,
    "project": HEADED,
    "brief": HEADED | {"table", "tr", "td", "img", "object"},
}
"""The tags of each place; the only one around all of them is `body`."""
WITHIN = {"li": ("ol", "ul"), "tr": ("table",), "td": ("tr",)}
"""What stands in nothing but this."""
HOLDS = {"ol": ("li", "ol", "ul"), "ul": ("li", "ol", "ul"), "table": ("tr",), "tr": ("td",)}
"""What holds nothing but this, and no text."""
EMPTY = frozenset({"hr", "img"})
BLOCKS = frozenset({"li", "ol", "ul", "h1", "h2", "hr", "blockquote", "pre", "table", "tr"})
ATTRIBUTES = {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "style", "width", "height"}),
    "object": frozenset({"type", "data"}),
    "td": frozenset({"colspan", "rowspan"}),
}
"""What may be said on a tag, beside `data-...` on the same ones; on every other tag nothing."""
MAX_CHARACTERS = 65_000


def check(html: object, where: str, state: State | None = None) -> str:
    """The plain text that Asana shows of rich text, or the refusal; `where` is one of `ALLOWED`.

    With the state given, the switch `html` counts too: `plain-only` refuses every rich text.
    """
    mode = "strict" if state is None else tables.switch(state, "html")
    if not isinstance(html, str) or mode == "plain-only" or len(html) > MAX_CHARACTERS:
        raise _invalid()
    if re.search(r"<[!?]", html):
        # no comments, no CDATA, no definitions: Asana takes elements and text
        raise _invalid()
    try:
        root = ElementTree.fromstring(html)
    except ElementTree.ParseError:
        raise _invalid() from None
    if root.tag != "body" or root.attrib:
        raise _invalid()
    _look(root, ALLOWED[where] - (NEWER if mode == "narrow" else frozenset()))
    return _plain(root).strip("\n")


def _invalid() -> Refused:
    return bad("XML is invalid")


def _look(element: ElementTree.Element, allowed: frozenset[str]) -> None:
    """Refuse what does not belong into an element, at any depth."""
    holds = HOLDS.get(element.tag)
    for child in element:
        misplaced = element.tag not in WITHIN.get(child.tag, (element.tag,)) or child.tag not in (holds or (child.tag,))
        if child.tag not in allowed or misplaced or not _said(child):
            raise _invalid()
        if element.tag in INLINE and child.tag not in INLINE:
            raise _invalid()
        _look(child, allowed)
    texts = [element.text, *(child.tail for child in element)]
    if (holds or element.tag in EMPTY) and any((text or "").strip() for text in texts):
        raise _invalid()


def _said(element: ElementTree.Element) -> bool:
    """Whether the attributes of an element are ones that it may have."""
    if element.tag not in ATTRIBUTES:
        return not element.attrib
    return all(name in ATTRIBUTES[element.tag] or name.startswith("data-") for name in element.attrib)


def _plain(element: ElementTree.Element) -> str:
    """The text of an element: a block stands on lines of its own, a link without words is its address."""
    words = (element.text or "") if element.tag not in HOLDS else ""
    if element.tag == "a" and not words and not len(element):
        words = element.get("href") or element.get("data-asana-gid") or ""
    for child in element:
        inner = _plain(child)
        if child.tag in BLOCKS:
            words = f"{words}\n" if words and not words.endswith("\n") else words
            inner = inner if not inner or inner.endswith("\n") else f"{inner}\n"
        words += inner
        words += (child.tail or "") if element.tag not in HOLDS else ""
    return words
