"""Knows what stands beside an issue's own fields, our link and our comment, which Jira shows for one issue at a time.

It keeps the promise that they cost no call where there can be none: they are written after our property and cleared
before it, so they are looked for where the property stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pmosync.contract import Record, Scope

from .comment_slot import SLOT as COMMENT
from .comment_slot import Comments, comments_of
from .remote_links import SLOT as LINK
from .remote_links import links_of
from .site import Site

BESIDE = (LINK, COMMENT)


def may_have(slot: str, records: Iterable[Record], scope: Scope) -> list[str]:
    """The issues to ask for a mark of ours: those that our property is on, or all when the property is not in use."""
    if slot not in scope.slots:
        return []
    indexed = "property" in scope.slots
    return [one.id for one in records if not indexed or one.marks.get("property") is not None]


def with_beside(records: list[Record], scope: Scope, site: Site, comments: Comments) -> list[Record]:
    """The records with our link and our comment among their marks, where one can be and could be read."""
    links = links_of(site, may_have(LINK, records, scope))
    said = comments_of(comments, may_have(COMMENT, records, scope))
    found = {LINK: links, COMMENT: said}
    return [
        replace(one, marks={**one.marks, **{slot: marks[one.id] for slot, marks in found.items() if one.id in marks}})
        if one.id in links or one.id in said
        else one
        for one in records
    ]
