"""Tells from the stories of a task when anybody but us changed it last.

It keeps the promise that nothing that we wrote is evidence, and that our own writes are told from people's by what was
written, never by who wrote: people share accounts with programs.

| a story                                                             | is ours when                                   |
|---------------------------------------------------------------------|------------------------------------------------|
| about a custom field or a tag                                       | that is one of ours                            |
| about one that is called like ours, e.g. one that we had before     | our account is its author                      |
| about one that it does not show, e.g. because that is gone          | our account is its author                      |
| a comment                                                           | our account is its author, and it has our form |
| about who follows the task                                          | it is about our account, which is its author   |

A story that the calendar wrote, or one about another task, is nobody's change.

`modified_at` says nothing here. It moves with our writes, too, and then nobody knows any more what it was before: a
date taken from it would change by what we write, and after a lost store. People's comments are stories themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Record

from ..own.places import place_of, subtype
from ..own.tags import word_of
from ..writing.comment_slot import text_of

Json = dict[str, Any]

UPDATED = "updated"
"""The field for the last change by anybody but us."""
BASE = "created_at,created_by.name,resource_subtype,type"
"""What to ask of every story."""
OURS = "custom_field.(name|type|representation_type),tag.name,follower.name,text"
"""What tells a story about a mark of ours."""
NO_CHANGE = frozenset(
    {
        "due_today",
        "dependency_marked_complete",
        "dependency_marked_incomplete",
        "dependency_due_date_changed",
        "dependency_duplicated",
    }
)


def at(story: Json) -> dt.datetime:
    """When it was told."""
    return dt.datetime.fromisoformat(story["created_at"]).astimezone(dt.UTC)


def field_of(story: Json) -> Json | None:
    """The custom field that it is about, with the field's type, which the story's own may have to tell."""
    entry = story.get("custom_field")
    if not entry:
        return None
    kind = subtype(entry) or str(story.get("resource_subtype")).removesuffix("_custom_field_changed")
    return {**entry, "type": kind}


@dataclass(frozen=True, slots=True)
class Touch:
    """Knows us among those who touch tasks.

    Args:
        pins: of our own fields and tags.
        me: our account.
    """

    pins: Mapping[str, str]
    me: str

    def last_change(self, stories: Iterable[Json], task: Record) -> dt.datetime | None:
        """When anybody but us changed a task last: the newest story that is not ours, else when it was made."""
        created = task.values.get("created_at")
        theirs = [at(one) for one in stories if one.get("resource_subtype") not in NO_CHANGE and not self.is_ours(one)]
        return max([*theirs, *([created] if isinstance(created, dt.datetime) else [])], default=None)

    def is_ours(self, story: Json) -> bool:
        """Whether a story tells of nothing but a write of ours."""
        entry, tag = field_of(story), story.get("tag")
        by_us = (story.get("created_by") or {}).get("gid") == self.me
        known: list[Mapping[str, str]] = [self.pins, {}] if by_us else [self.pins]
        if entry:
            return any(place_of(entry, "task", pins) for pins in known)
        if tag:
            return any(word_of(tag, pins) for pins in known)
        kind = str(story.get("resource_subtype"))
        if "follower" in kind:
            return by_us and (story.get("follower") or {}).get("gid", self.me) == self.me
        return by_us and (text_of(story, self.me) is not None or "custom_field" in kind or kind.endswith("_tag"))
