"""Names the tags that stand in for the flag where custom fields may not be used, and finds or makes them once.

It keeps the promise that a tag is ours by its pinned gid, or, where nothing is pinned yet, by a closed list of names;
that only tags with our own description are known as made by us; and that other people's tags are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pmosync.errors import Refused

from ..api import one, surely
from .look import AGAIN, Look
from .places import WORDS

Json = dict[str, Any]

PREFIX = "pmo-"
COLORS = {
    "critical": "dark-red",
    "high": "dark-orange",
    "medium": "light-orange",
    "low": "light-blue",
    "info": "light-warm-gray",
}
NOTES = "The worst severity among the PMO's findings about the task; it goes away by itself when the work is fixed."
DEFINITION = "name,notes"
FIELDS = "tags.name"
"""What to ask of a task to read the mark."""


def tag_key(word: str) -> str:
    """Where the gid of the tag for a severity is pinned."""
    return f"tag.{word}"


def word_of(tag: Mapping[str, Any], pins: Mapping[str, str]) -> str | None:
    """The severity that a tag of ours stands for; None for everybody else's."""
    for word in WORDS:
        pin = pins.get(tag_key(word))
        if pin == tag.get("gid") if pin else tag.get("name") == PREFIX + word:
            return word
    return None


def tag_mark(tags: Iterable[Mapping[str, Any]], pins: Mapping[str, str]) -> str | None:
    """What stands in the slot: the severity, or several joined worst first when somebody added one of ours."""
    return joined({word_of(tag, pins) for tag in tags})


def joined(words: Collection[str | None]) -> str | None:
    """Severities as a mark, worst first."""
    return ",".join(word for word in WORDS if word in words) or None


# --- finding and making them ----------------------------------------------------------------------------------------


def find(look: Look, projects: Sequence[str]) -> None:
    """Pin the five tags; with leave to write, make those that are not there. `projects` are limited when that fails."""
    missing = [word for word in WORDS if tag_key(word) not in look.pins]
    if not missing:
        return
    try:
        there = _defined(look)
    except Refused as refusal:
        look.limit(projects, "tag", f"the tags of the workspace cannot be read: {refusal}", "the tag")
        return
    for word in missing:
        _settle(look, word, there, projects)


def _defined(look: Look) -> list[Json]:
    return look.api.pages(look.api.tags.get_tags_for_workspace, look.workspace, opt_fields=DEFINITION)


def _settle(look: Look, word: str, there: Sequence[Json], projects: Sequence[str]) -> None:
    name, refused = PREFIX + word, f"refused.{tag_key(word)}"
    found = _named(word, there)
    if found is not None:
        _pin(look, word, found)
    elif refused in look.pins:
        why = f"Asana refused to make the tag '{name}' ({look.pins[refused]}): make it by hand."
        look.limit(projects, "tag", f"{why} {AGAIN.format(pin='refused.tag.')}", "the tag")
    else:
        look.writes.append(f"make the tag '{name}' in the workspace")
        if not look.write:
            return
        try:
            made = surely(lambda: _make(look, word), lambda: _named(word, _defined(look)))
        except Refused as refusal:
            look.pins[refused] = str(refusal.status)
            look.limit(
                projects,
                "tag",
                f"{refusal}: make the tag '{name}' by hand. {AGAIN.format(pin='refused.tag.')}",
                "the tag",
            )
        else:
            _pin(look, word, made)


def _make(look: Look, word: str) -> Json:
    body = {"data": {"name": PREFIX + word, "color": COLORS[word], "notes": NOTES}}
    return one(look.api.tags.create_tag_for_workspace(body, look.workspace, {"opt_fields": DEFINITION}))


def _named(word: str, there: Iterable[Json]) -> Json | None:
    """The tag of this name; of several, the one that we made, else the oldest."""
    found = [tag for tag in there if tag.get("name") == PREFIX + word]
    return min(found, key=lambda tag: (tag.get("notes") != NOTES, len(tag["gid"]), tag["gid"]), default=None)


def _pin(look: Look, word: str, found: Json) -> None:
    look.pins[tag_key(word)] = found["gid"]
    look.pins.pop(f"refused.{tag_key(word)}", None)
    if found.get("notes") == NOTES:
        look.pins[f"made.{found['gid']}"] = "1"
