"""Writes pages of ours as Atlassian documents, and reads such a page back out of any document.

It keeps the promise that a page comes back as it was written, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from .adf import to_text

HEADING, ITEM = "# ", "- "
_HEADING_LEVEL = 3
ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")


def to_adf(page: str) -> dict[str, Any]:
    """A page as a document: `# ` begins a heading, `- ` an item of a list, every other line is a paragraph."""
    content: list[dict[str, Any]] = []
    for kind, lines in groupby((line for line in page.split("\n") if line), _kind):
        if kind == ITEM:
            items = [{"type": "listItem", "content": [_paragraph(line.removeprefix(ITEM))]} for line in lines]
            content.append({"type": "bulletList", "content": items})
        elif kind == HEADING:
            content += [_heading(line.removeprefix(HEADING)) for line in lines]
        else:
            content += [_paragraph(line) for line in lines]
    return {"type": "doc", "version": 1, "content": content}


def to_page(document: Any) -> str:
    """The page that a document shows; what no page of ours has is there as plain lines."""
    if isinstance(document, dict) and document.get("type") == "doc":
        return "\n".join(line for block in document.get("content") or [] for line in _lines(block))
    return to_text(document) if document else ""


def alike(one: str, other: str) -> bool:
    """Whether two pages say the same; blanks that a tool adds or takes away make no difference."""
    return _bare(one) == _bare(other)


def _bare(page: str) -> list[str]:
    return [" ".join(line.split()) for line in page.split("\n") if line.strip()]


def _kind(line: str) -> str:
    return next((mark for mark in (HEADING, ITEM) if line.startswith(mark) and line != mark), "")


def _heading(text: str) -> dict[str, Any]:
    return {"type": "heading", "attrs": {"level": _HEADING_LEVEL}, "content": list(_inline(text))}


def _paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(_inline(text))}


def _inline(text: str) -> Iterator[dict[str, Any]]:
    """The text, with addresses as links: Jira makes none of them by itself."""
    end = 0
    for found in ADDRESS.finditer(text):
        if found.start() > end:
            yield {"type": "text", "text": text[end : found.start()]}
        link = {"type": "link", "attrs": {"href": found[0]}}
        yield {"type": "text", "text": found[0], "marks": [link]}
        end = found.end()
    if text[end:]:
        yield {"type": "text", "text": text[end:]}


def _lines(block: dict[str, Any]) -> list[str]:
    kind, content = block.get("type"), block.get("content") or []
    if kind == "heading":
        return [HEADING + line for line in _plain(block)]
    if kind in ("bulletList", "orderedList"):
        return [line for item in content for line in _item(item)]
    return _plain(block)


def _item(item: dict[str, Any]) -> list[str]:
    """An item's first line bears the mark, what belongs to it follows."""
    lines = [line for block in item.get("content") or [] for line in _lines(block)]
    return [ITEM + lines[0], *lines[1:]] if lines else []


def _plain(block: dict[str, Any]) -> list[str]:
    """The lines of a block. Text alone is taken as it is, blanks included."""
    content = block.get("content") or []
    if content and all(node.get("type") == "text" for node in content):
        return ["".join(str(node.get("text", "")) for node in content)]
    return [line for line in to_text({"type": "doc", "content": [block]}).split("\n") if line]
