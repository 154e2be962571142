"""Turns Atlassian's document format into plain text.

It keeps the promise that every word of the document is there, also inside nodes that this version does not know.
"""

from __future__ import annotations

from typing import Any

_LINES = frozenset({
    "paragraph", "heading", "codeBlock", "blockquote", "rule", "panel", "listItem", "taskItem", "decisionItem",
    "tableRow", "mediaSingle", "expand", "nestedExpand", "blockCard",
})  # fmt: skip
"""Nodes that stand on lines of their own."""

_WORDS = ("text", "shortName", "url", "alt", "timestamp")
"""Attributes that a leaf shows, in order of preference."""


def to_text(document: Any) -> str:
    """The text of a document, one line per paragraph, item or row; text that is already plain stays as it is."""
    if isinstance(document, str):
        return document
    if not isinstance(document, dict) or document.get("type") != "doc":
        raise ValueError("neither text nor a document")
    lines = "".join(_pieces(document)).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


def _pieces(node: dict[str, Any]) -> list[str]:
    kind, content = node.get("type"), node.get("content") or []
    if kind == "text":
        return [str(node.get("text", ""))]
    if kind == "hardBreak":
        return ["\n"]
    if kind in ("tableCell", "tableHeader"):
        return [" ".join("".join(_inside(content)).split()), " | "]
    inside = _inside(content) if content else _leaf(node)
    return ["\n", *inside, "\n"] if kind in _LINES else inside


def _inside(content: list[Any]) -> list[str]:
    return [piece for child in content if isinstance(child, dict) for piece in _pieces(child)]


def _leaf(node: dict[str, Any]) -> list[str]:
    attributes = node.get("attrs") or {}
    return next(([str(attributes[name])] for name in _WORDS if attributes.get(name)), [])
