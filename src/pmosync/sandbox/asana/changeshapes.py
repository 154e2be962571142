"""How stories and webhooks look to a client: what a story tells of and may be done to it, how a webhook fares.

What a system story tells stands in fields of their own (`old_dates`, `new_section`, `assignee`): a client never has to
read the words, which nobody promises to keep.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.tables import Row
from pmosync.sandbox.asana.views import ABSENT, Getter, Ref, View, column, constant, to, yes_no
from pmosync.sandbox.state import from_json

TOLD = (
    "assignee", "custom_field", "dependency", "duplicate_of", "duplicated_from", "follower", "new_approval_status",
    "new_date_value", "new_dates", "new_enum_value", "new_multi_enum_values", "new_name", "new_number_value",
    "new_people_value", "new_resource_subtype", "new_section", "new_text_value", "old_approval_status",
    "old_date_value", "old_dates", "old_enum_value", "old_multi_enum_values", "old_name", "old_number_value",
    "old_people_value", "old_resource_subtype", "old_section", "old_text_value", "project", "tag", "task",
)  # fmt: skip
"""The fields that only stories of certain subtypes have."""


def _told(name: str) -> Getter:
    return lambda view, row: from_json(row["detail"]).get(name, ABSENT)


def _of_comments(getter: Getter) -> Getter:
    return lambda view, row: getter(view, row) if row["type"] == "comment" else ABSENT


def _editable(view: View, row: Row) -> bool:
    """Only one's own words can be changed."""
    return bool(row["type"] == "comment" and row["created_by"] == view.me)


NONE: list[Any] = []
STORY: dict[str, Getter] = {
    "created_at": column("created_at"),
    "created_by": to("user", "created_by"),
    "resource_subtype": column("resource_subtype"),
    "type": column("type"),
    "text": column("text"),
    "html_text": column("html_text"),
    "is_pinned": _of_comments(yes_no("is_pinned")),
    "is_edited": _of_comments(yes_no("is_edited")),
    "is_editable": _editable,
    "hearted": constant(False),
    "hearts": constant(NONE),
    "num_hearts": constant(0),
    "liked": constant(False),
    "likes": constant(NONE),
    "num_likes": constant(0),
    "previews": _of_comments(constant(NONE)),
    "source": constant("api"),
    "target": to("task", "task"),
    **{name: _told(name) for name in TOLD},
}


def _given_up(view: View, row: Row) -> str | None:
    """When a webhook that fails will be deleted."""
    return later(row["failing_since"], PATIENCE_S) if row["failing_since"] else None


def later(instant: str, seconds: float) -> str:
    """An instant of Asana's, so many seconds later."""
    return tables.instant(datetime.fromisoformat(instant) + timedelta(seconds=seconds))


PATIENCE_S = 24 * 3600
WEBHOOK: dict[str, Getter] = {
    "active": yes_no("active"),
    "resource": lambda view, row: Ref(row["kind"], row["resource"]),
    "target": column("target"),
    "created_at": column("created_at"),
    "last_failure_at": column("last_failure_at"),
    "last_failure_content": column("last_failure_content"),
    "last_success_at": column("last_success_at"),
    "delivery_retry_count": column("retries"),
    "next_attempt_after": column("next_attempt_after"),
    "failure_deletion_timestamp": _given_up,
    "filters": lambda view, row: from_json(row["filters"]),
}
