"""Turns plain text into Atlassian's document format and back, for version 3 and version 2 of the API.

It keeps the promise that text comes back as it was given, whichever version wrote and reads it.
"""

from __future__ import annotations

from typing import Any


def is_document(value: Any) -> bool:
    """Whether a value is an Atlassian document."""
    return isinstance(value, dict) and value.get("type") == "doc" and isinstance(value.get("content"), list)


def document_of(text: str) -> dict[str, Any]:
    """Text as a document: one paragraph for each line."""
    lines = text.replace("\r\n", "\n").split("\n")
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]} if line else {"type": "paragraph"}
        for line in lines
    ]
    return {"type": "doc", "version": 1, "content": [one | {"content": one.get("content", [])} for one in paragraphs]}


def text_of(value: Any) -> str:
    """A document as text: each block on a line of its own."""
    return "\n".join(line for _, line in blocks_of(value)).strip("\n")


def blocks_of(node: dict[str, Any], kind: str = "paragraph") -> list[tuple[str, str]]:
    """Each block of a document with its text: a `heading`, an `item` of a list, or a `paragraph`."""
    children = node.get("content", [])
    if node.get("type") in ("paragraph", "heading", "codeBlock"):
        block = "heading" if node["type"] == "heading" else kind
        return [(block, "".join(_inline(child) for child in children))]
    inside = "item" if node.get("type") == "listItem" else kind
    return [block for child in children for block in blocks_of(child, inside)]


def _inline(node: dict[str, Any]) -> str:
    kind, attributes = node.get("type"), node.get("attrs", {})
    if kind == "text":
        return str(node.get("text", ""))
    if kind == "hardBreak":
        return "\n"
    if kind in ("mention", "emoji", "status"):
        return str(attributes.get("text", ""))
    if kind == "inlineCard":
        return str(attributes.get("url", ""))
    return "".join(_inline(child) for child in node.get("content", []))
