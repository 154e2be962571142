"""Finds out what the account may do in each project, and says what would have to be granted for a slot that it may not
write.

It keeps the promise that a missing right is told before anything is tried, once for every project at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pmosync.contract import Limitation, Scope

from .bulk import EDITED, PROPERTY
from .comment_slot import SLOT as COMMENT
from .own_fields import EVERYWHERE
from .quiet import ADMINISTER_JIRA, ADMINISTER_PROJECT, BULK_CHANGE
from .remote_links import SLOT as LINK
from .site import NAMES as CALLED
from .site import Site
from .status_issues import SLOT as STATUS

EDIT, CREATE, LINK_ISSUES = "EDIT_ISSUES", "CREATE_ISSUES", "LINK_ISSUES"
ADD_COMMENTS, EDIT_COMMENTS = "ADD_COMMENTS", "EDIT_OWN_COMMENTS"

NAMES = {
    EDIT: "Edit issues",
    CREATE: "Create issues",
    LINK_ISSUES: "Link issues",
    ADD_COMMENTS: "Add comments",
    EDIT_COMMENTS: "Edit own comments",
    ADMINISTER_PROJECT: "Administer projects",
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    PROPERTY: (EDIT,),
    **dict.fromkeys(EDITED, (EDIT,)),
    LINK: (LINK_ISSUES,),
    COMMENT: (ADD_COMMENTS, EDIT_COMMENTS),
    "project_property": (ADMINISTER_PROJECT,),
}
"""What a slot cannot do without, in each project. A comment that may not be deleted is emptied instead."""
HOME = (EDIT, CREATE)
QUIET = "Administer projects"
"""What most often makes an edit quiet; the other ways stand in the full reason."""


class Why(NamedTuple):
    """A reason as a sentence, and in a few words."""

    sentence: str
    lacks: str


@dataclass(frozen=True, slots=True)
class Rights:
    """The projects, and where the account has which permission, by project id."""

    projects: tuple[Mapping[str, Any], ...]
    """Those that are looked at."""
    homes: Mapping[str, Mapping[str, Any] | None]
    """The projects that status issues live in, as the register names them; None: not visible."""
    where: Mapping[str, set[str]]
    administered: set[str]
    bulk_change: bool = False
    """Whether the account has the global permission Make bulk changes, on a site that has such changes."""

    @property
    def looked_at(self) -> set[str]:
        """Every project whose permissions are known."""
        return {str(raw["id"]) for raw in (*self.projects, *self.homes.values()) if raw}


def look_up(site: Site, scope: Scope) -> Rights:
    """The rights in the projects of a scope, and in the homes of its rollups."""
    projects = site.projects(scope.projects)
    wanted = set(scope.rollups.values()) if STATUS in scope.slots else set()
    named = {str(raw[name]): raw for raw in projects for name in CALLED}
    if others := sorted(wanted - named.keys()) if scope.projects else []:
        named |= {str(raw[name]): raw for raw in site.projects(others) for name in CALLED}
    homes = {home: named.get(home) for home in sorted(wanted)}
    ids = list(dict.fromkeys(str(raw["id"]) for raw in (*projects, *homes.values()) if raw))
    needed = [one for slot in scope.slots for one in NEEDED.get(slot, ())]
    asked = tuple(dict.fromkeys((EDIT, ADMINISTER_PROJECT, *needed, *((CREATE,) if wanted else ()))))
    globally = (ADMINISTER_JIRA, *((BULK_CHANGE,) if site.deployment.bulk else ()))
    everywhere, where = site.deployment.granted(asked, globally, ids)
    administered = set(ids) if ADMINISTER_JIRA in everywhere else where[ADMINISTER_PROJECT]
    where = {**where, ADMINISTER_PROJECT: administered}
    return Rights(tuple(projects), homes, where, administered, BULK_CHANGE in everywhere)


def without_label(site: Site, scope: Scope, project_ids: Sequence[str]) -> Iterator[str]:
    """The projects where our property may stand on an issue and no label of ours beside it."""
    if "label" not in scope.slots:
        yield from project_ids
    elif scope.pins.get("mail") != "accept":
        everywhere, where = site.deployment.granted((ADMINISTER_PROJECT,), (ADMINISTER_JIRA,), project_ids)
        administered = set(project_ids) if ADMINISTER_JIRA in everywhere else where[ADMINISTER_PROJECT]
        yield from (one for one in project_ids if one not in administered)


def limitations(rights: Rights, scope: Scope, fields: Sequence[Limitation] = ()) -> Iterator[Limitation]:
    """Where the account may not write, and what would have to be granted; the first reason for each place.

    Args:
        fields: where one of our own fields is missing.
    """
    accepted = scope.pins.get("mail") == "accept"
    missing = {(one.project, one.slot): one for one in fields}
    yield from (one for one in fields if one.project == EVERYWHERE)
    for raw in rights.projects:
        project_id, key = str(raw["id"]), str(raw["key"])
        for slot in scope.slots:
            if (EVERYWHERE, slot) in missing:
                continue
            if why := _why_not(rights, project_id, slot, accepted=accepted):
                yield Limitation(project_id, slot, f"{key}: {why[0]}", why[1])
            elif (project_id, slot) in missing:
                yield missing[project_id, slot]
    for home, found in rights.homes.items():
        if why := _no_home(rights, home, found, accepted):
            yield Limitation(home, STATUS, f"{home}: {why[0]}", why[1])


def _why_not(rights: Rights, project_id: str, slot: str, *, accepted: bool) -> Why | None:
    """Why a slot may not be written in a project; None when it may."""
    if lacking := [one for one in NEEDED.get(slot, ()) if project_id not in rights.where[one]]:
        return _lacks(lacking)
    if slot in EDITED and project_id not in rights.administered and not rights.bulk_change and not accepted:
        return Why(
            f"a {_WORDS[slot]} set by the account would mail people. Grant it Administer projects there, or, on Jira "
            "Cloud, the global permission Make bulk changes; or accept mail in the mapping (`write: {mail: accept}`).",
            QUIET,
        )
    if slot == COMMENT and not accepted:
        return Why(
            "making a comment mails whoever watches the issue, which Jira cannot avoid. Accept mail in the mapping "
            "(`write: {mail: accept}`), or leave `comment` out of `write` (and `comments` out of `read`).",
            "mail: accept",
        )
    return None


_WORDS = {"label": "label", "field": "field", "text_field": "field"}


def _lacks(permissions: Sequence[str]) -> Why:
    names = [NAMES[one] for one in permissions]
    several = "s" if len(names) > 1 else ""
    return Why(f"the account lacks the permission{several} {' and '.join(names)} there.", ", ".join(names))


def _no_home(rights: Rights, home: str, found: Mapping[str, Any] | None, accepted: bool) -> Why | None:
    """Why status issues cannot live in a project; None when they can."""
    if found is None:
        return Why(
            "the account sees no such project. Correct the home in the register, or give the account the permissions "
            "Browse projects, Create issues and Edit issues there.",
            "Browse projects",
        )
    project_id = str(found["id"])
    if found.get("archived"):
        return Why("the project is archived. Name another home in the register.", "it is archived")
    if lacking := [one for one in HOME if project_id not in rights.where[one]]:
        return _lacks(lacking)
    if project_id not in rights.administered and not accepted:
        return Why(
            "each edit of a status issue by the account would mail people. Grant it Administer projects there, or "
            "accept mail in the mapping (`write: {mail: accept}`).",
            QUIET,
        )
    return None
