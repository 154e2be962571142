"""Tells from the stories of a task when anybody but us changed it last.

It keeps the promise that nothing that we wrote is evidence, and that our own writes are told from people's by what was
written, never by who wrote: people share accounts with programs.

| a story                                                             | is ours when                                   |
|---------------------------------------------------------------------|------------------------------------------------|
| about a custom field                                                | the field is one of ours                       |
| about a tag                                                         | the tag is one of ours                         |
| about a field or a tag that it does not show, e.g. one that is gone | our account is its author                      |
| a comment                                                           | our account is its author, and it has our form |
| about who follows the task                                          | it is about our account, which is its author   |

A story that the calendar wrote, or one about another task, is nobody's change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Record

from .. import decode
from ..own.places import place_of
from ..own.tags import word_of
from ..writing.comment_slot import text_of

Json = dict[str, Any]

UPDATED = "updated"
"""The field for the last change by anybody but us."""
SLACK = dt.timedelta(seconds=2)
"""How much later than its last story a task may say that it was modified: Asana takes the two times one by one."""
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


@dataclass(frozen=True, slots=True)
class Touch:
    """Knows us among those who touch tasks.

    Args:
        pins: of our own fields and tags.
        me: our account.
        commented: whether comments of ours are made, edited and removed on this site.
    """

    pins: Mapping[str, str]
    me: str
    commented: bool = False

    def last_change(self, stories: Sequence[Json], task: Record) -> dt.datetime | None:
        """When anybody but us changed a task last.

        That is the newest story that is not ours; else when it was made. A task that was modified later than its
        newest story of all was touched without one: that counts itself, unless we may have been the one.
        """
        created = task.values.get("created_at")
        times = [created] if isinstance(created, dt.datetime) else []
        newest = max([*times, *map(at, stories)], default=None)
        ours = [self.is_ours(story) for story in stories]
        times += [
            at(story)
            for story, our in zip(stories, ours, strict=True)
            if not our and story.get("resource_subtype") not in NO_CHANGE
        ]
        modified = decode.instant(task.version.partition(" ")[0])
        if modified and (newest is None or modified - newest > SLACK) and not self._silent(stories, ours, task):
            times.append(modified)
        return max(times, default=None)

    def _silent(self, stories: Sequence[Json], ours: Sequence[bool], task: Record) -> bool:
        """Whether we may have touched a task without a story: by a comment of ours that was edited or removed, or by
        marks, where they stand and none has left a story."""
        if not any(ours):
            return any(mark is not None for mark in task.marks.values())
        return self.commented or any(text_of(story, self.me) is not None for story in stories)

    def is_ours(self, story: Json) -> bool:
        """Whether a story tells of nothing but a write of ours."""
        entry, tag = story.get("custom_field"), story.get("tag")
        if entry:
            return place_of(entry, "task", self.pins) is not None
        if tag:
            return word_of(tag, self.pins) is not None
        if (story.get("created_by") or {}).get("gid") != self.me:
            return False
        kind = str(story.get("resource_subtype"))
        if "follower" in kind:
            return bool((story.get("follower") or {}).get("gid", self.me) == self.me)
        return text_of(story, self.me) is not None or "custom_field" in kind or kind.endswith("_tag")
