"""Reads what stands in our slots now: a hundred issues at a time, and links and comments one by one.

It keeps the promise that what cannot be read says why, and is never taken for empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pmosync.contract import Reading, Slot
from pmosync.errors import Refused

from .beside import BESIDE
from .cloud import LISTED
from .comment_slot import SLOT as COMMENT
from .deployment import FETCHED, BrokenPaging
from .marks import PROJECT_PROPERTY, property_mark
from .push import Push
from .remote_links import SLOT as LINK
from .remote_links import read_link
from .site import Site

NOT_SHOWN = "It does not exist any more, or the account may not see it."
NOT_NOW = "Jira cannot give the item just now; the next run looks again."


def read(push: Push, slots: Sequence[Slot]) -> Iterator[Reading]:
    """What stands in these slots now."""
    site = push.site
    own = [slot for slot in slots if slot.subject == "task" and slot.name not in BESIDE]
    yield from _issues(push, own)
    yield from _projects(site, [slot for slot in slots if slot.subject == "project"])
    links = [slot for slot in slots if slot.name == LINK]
    yield from site.session.map(lambda slot: _one(slot, lambda one: read_link(site, one)), links)
    comments = [slot for slot in slots if slot.name == COMMENT]
    yield from site.session.map(lambda slot: _one(slot, push.comments.read), comments)
    if status := [slot for slot in slots if slot.subject == "rollup"]:
        yield from push.status_push().read(status)


def _issues(push: Push, slots: Sequence[Slot]) -> Iterator[Reading]:
    of_issue: dict[str, list[Slot]] = {}
    for slot in slots:
        of_issue.setdefault(slot.id, []).append(slot)
    names = {slot.name for slot in slots}
    asked = ["labels", *push.edits.own.ids_of(names).values()]
    ids = list(of_issue)
    chunks = [ids[first : first + FETCHED] for first in range(0, len(ids), FETCHED)]
    for some, (rows, failed) in push.site.session.map(lambda chunk: (chunk, push.site.fetch(chunk, asked)), chunks):
        marks = {str(row["id"]): push.edits.marks(row, names) for row in rows}
        for one in some:
            for slot in of_issue[one]:
                yield _reading(slot, marks.get(one), NOT_NOW if one in failed else NOT_SHOWN)


def _projects(site: Site, slots: Sequence[Slot]) -> Iterator[Reading]:
    ids = list(dict.fromkeys(slot.id for slot in slots))
    for first in range(0, len(ids), LISTED):
        some = ids[first : first + LISTED]
        rollups = {
            str(raw["id"]): {"project_property": property_mark(raw.get("properties") or {}, PROJECT_PROPERTY)}
            for raw in site.projects(some)
        }
        for slot in slots:
            if slot.id in some:
                yield _reading(slot, rollups.get(slot.id), NOT_SHOWN)


def _one(slot: Slot, look: Callable[[str], str | None]) -> Reading:
    try:
        return Reading(slot, look(slot.id))
    except (Refused, BrokenPaging) as no:
        return Reading(slot, None, str(no))


def _reading(slot: Slot, marks: Mapping[str, str | None] | None, why: str) -> Reading:
    if marks is not None and slot.name in marks:
        return Reading(slot, marks[slot.name])
    return Reading(slot, None, why)
