"""Brings the comments that may be a command to us: those that begin with `/pmo`.

It keeps the promise that a command has the account that wrote its words as its author, never a name, and that nothing
which we write is a command. In Asana nobody but the author can edit a comment, so whoever made it wrote what stands
there now.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from pmosync.contract import Record, Reference

from .. import decode
from .touch import at

Json = dict[str, Any]

SCOPE = "comments"
FIELDS = "text"
"""What to ask of stories beside who told them when."""
_COMMAND = re.compile(r"/pmo(?=\s|$)", re.IGNORECASE)


def commands(stories: Iterable[Json], task: str, url: str, me: str) -> list[Record]:
    """The commands among the stories of a task."""
    return [found for story in stories if (found := command(story, task, url, me))]


def command(story: Json, task: str, url: str, me: str) -> Record | None:
    """The record of a comment that may be a command; None for every other story."""
    text = str(story.get("text") or "").strip()
    if story.get("type") != "comment" or not _COMMAND.match(text):
        return None
    author = decode.person(story.get("created_by"))
    if author is not None and author.id == me:
        return None
    gid = str(story["gid"])
    words = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    return Record(
        kind="comment",
        id=gid,
        key=gid,
        url=f"{url}/comment/{gid}" if "/task/" in url else url,
        version=f"{story['created_at']} {words}",
        scopes=(SCOPE,),
        values={"task": Reference("task", task), "author": author, "created": at(story), "text": text},
    )
