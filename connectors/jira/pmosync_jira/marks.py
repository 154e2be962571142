"""The places that we own in Jira, and the form of what stands there.

It keeps the promise that ownership is told by the name alone: one property key per kind of item, a closed list of five
labels, one id of a link, so that everything of ours is found again without a store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pmosync.contract import SlotKind, canonical

TASK_PROPERTY = "pmosync.compliance"
PROJECT_PROPERTY = "pmosync.rollup"
ROLLUP_SLOT = "project_property"
STATUS_PROPERTY = "pmosync.status"
"""On a status issue: whose rollup it tells (`id`), and the page as we wrote it (`text`). It makes the issue ours."""
STATUS_LABEL = "pmosync-status"
"""Finds status issues in a search, which knows no properties."""
LINK_ID = "pmosync.compliance"
"""The global id of our link to elsewhere: one on an issue, and written again it replaces itself."""

_PREFIX = "pmo-"
WORDS = ("critical", "high", "medium", "low", "info")
"""Worst first."""
LABELS = tuple(_PREFIX + word for word in WORDS)

PROPERTY_LIMIT = 32_000
"""Jira takes 32,768 characters; the rest is margin for how Jira counts."""
TITLE_LIMIT = 255
"""Of the title of a link, and of the summary of an issue."""
PAGE_LIMIT = 30_000
"""A page also stands in a property, quoted."""
TEXT_LIMIT = 8_000
"""Of a text for people: in a comment it also stands in a property, quoted, and nobody reads more."""

SLOTS = (
    SlotKind("property", "task", "json", PROPERTY_LIMIT, shown=False),
    SlotKind("label", "task", "word", 255),
    SlotKind("field", "task", "word", 255, opt_in=True),
    SlotKind("text_field", "task", "text", TEXT_LIMIT, opt_in=True),
    SlotKind("remote_link", "task", "link", TITLE_LIMIT),
    SlotKind("comment", "task", "text", TEXT_LIMIT, opt_in=True),
    SlotKind(ROLLUP_SLOT, "project", "json", PROPERTY_LIMIT, shown=False),
    SlotKind("status_issue", "rollup", "page", PAGE_LIMIT, levels=("project", "program", "portfolio")),
)


def history_metadata(kind: str, what: str) -> dict[str, Any]:
    """Stands in an issue's history beside an edit of ours, so that everybody can tell it from people's."""
    return {
        "type": f"pmosync:{kind}",
        "description": what,
        "activityDescription": f"{what} updated by pmosync",
        "generator": {"id": "pmosync", "type": "application", "displayName": "pmosync"},
    }


def label_of(word: str) -> str:
    """Our label for a severity."""
    return _PREFIX + word


def label_mark(labels: Iterable[Any]) -> str | None:
    """What stands in the label slot: the severity, or several joined worst first when somebody added one of ours."""
    there = set(labels)
    return ",".join(word for word in WORDS if _PREFIX + word in there) or None


def label_edit(after: str | None) -> list[dict[str, str]]:
    """The operations that leave exactly one of our labels, or none; removing one that is not there changes nothing."""
    wanted = label_of(after) if after else None
    removed = [{"remove": label} for label in LABELS if label != wanted]
    return removed + ([{"add": wanted}] if wanted else [])


def property_mark(properties: Mapping[str, Any], key: str) -> str | None:
    """What stands in a property, as canonical JSON; None when it is not set."""
    value = properties.get(key)
    return None if value is None else canonical(value)


def task_marks(issue: Mapping[str, Any], slots: Collection[str]) -> dict[str, str | None]:
    """What stands in our slots of an issue, of those that the answer tells about."""
    marks: dict[str, str | None] = {}
    labels = issue["fields"].get("labels")
    if "label" in slots and labels is not None:
        marks["label"] = label_mark(labels)
    if "property" in slots and isinstance(issue.get("properties"), dict):
        marks["property"] = property_mark(issue["properties"], TASK_PROPERTY)
    return marks
