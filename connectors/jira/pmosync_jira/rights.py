"""Finds out what the account may do in each project, and says what would have to be granted for a slot that it may not
write.

It keeps the promise that a missing right is told before anything is tried, once for every project at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmosync.contract import Limitation, Scope

from .remote_links import SLOT as LINK
from .site import Site
from .status_issues import SLOT as STATUS

EDIT, CREATE, LINK_ISSUES = "EDIT_ISSUES", "CREATE_ISSUES", "LINK_ISSUES"
ADMINISTER_PROJECT, ADMINISTER_JIRA = "ADMINISTER_PROJECTS", "ADMINISTER"

_NEEDED = {EDIT: "Edit issues", CREATE: "Create issues"}


@dataclass(frozen=True, slots=True)
class Rights:
    """The projects, and where the account has which permission, by project id."""

    projects: tuple[Mapping[str, Any], ...]
    """Those that are looked at."""
    homes: Mapping[str, Mapping[str, Any] | None]
    """The projects that status issues live in, as the register names them; None: not visible."""
    where: Mapping[str, set[str]]
    administered: set[str]


def look_up(site: Site, scope: Scope) -> Rights:
    """The rights in the projects of a scope, and in the homes of its rollups."""
    projects = site.projects(scope.projects, prop="")
    wanted = set(scope.rollups.values()) if STATUS in scope.slots else set()
    named = {name: raw for raw in projects for name in (str(raw["id"]), str(raw["key"]))}
    if others := sorted(wanted - named.keys()) if scope.projects else []:
        named |= {name: raw for raw in site.projects(others, prop="") for name in (str(raw["id"]), str(raw["key"]))}
    homes = {home: named.get(home) for home in sorted(wanted)}
    ids = list(dict.fromkeys(str(raw["id"]) for raw in (*projects, *homes.values()) if raw))
    asked = (EDIT, ADMINISTER_PROJECT, *((LINK_ISSUES,) if LINK in scope.slots else ()), *((CREATE,) if wanted else ()))
    everywhere, where = site.deployment.granted(asked, (ADMINISTER_JIRA,), ids)
    administered = set(ids) if ADMINISTER_JIRA in everywhere else where[ADMINISTER_PROJECT]
    return Rights(tuple(projects), homes, where, administered)


def without_label(site: Site, scope: Scope, project_ids: Sequence[str]) -> Iterator[str]:
    """The projects where our property may stand on an issue and no label of ours beside it."""
    if "label" not in scope.slots:
        yield from project_ids
    elif scope.pins.get("mail") != "accept":
        everywhere, where = site.deployment.granted((ADMINISTER_PROJECT,), (ADMINISTER_JIRA,), project_ids)
        administered = set(project_ids) if ADMINISTER_JIRA in everywhere else where[ADMINISTER_PROJECT]
        yield from (one for one in project_ids if one not in administered)


def limitations(rights: Rights, scope: Scope) -> Iterator[Limitation]:
    """Where the account may not write, and what would have to be granted."""
    accepted = scope.pins.get("mail") == "accept"
    for raw in rights.projects:
        project_id, key = str(raw["id"]), str(raw["key"])
        administers = project_id in rights.administered
        for slot in scope.slots:
            if slot in ("property", "label") and project_id not in rights.where[EDIT]:
                yield Limitation(project_id, slot, f"{key}: the account lacks the permission Edit issues there.")
            elif slot == LINK and project_id not in rights.where[LINK_ISSUES]:
                yield Limitation(project_id, slot, f"{key}: the account lacks the permission Link issues there.")
            elif slot == "label" and not administers and not accepted:
                yield Limitation(project_id, slot, _mails(key, "a label set by the account would mail people"))
            elif slot == "project_property" and not administers:
                yield Limitation(
                    project_id, slot, f"{key}: the account lacks the permission Administer projects there."
                )
    for home, found in rights.homes.items():
        if why := _no_home(rights, home, found, accepted):
            yield Limitation(home, STATUS, why)


def _no_home(rights: Rights, home: str, found: Mapping[str, Any] | None, accepted: bool) -> str:
    """Why status issues cannot live in a project; empty when they can."""
    if found is None:
        return (
            f"{home}: the account sees no such project. Correct the home in the register, or give the account the "
            "permissions Browse projects, Create issues and Edit issues there."
        )
    project_id = str(found["id"])
    if found.get("archived"):
        return f"{home}: the project is archived. Name another home in the register."
    lacking = [name for permission, name in _NEEDED.items() if project_id not in rights.where[permission]]
    if lacking:
        several = "permissions" if len(lacking) > 1 else "permission"
        return f"{home}: the account lacks the {several} {' and '.join(lacking)} there."
    if project_id not in rights.administered and not accepted:
        return _mails(home, "each edit of a status issue by the account would mail people")
    return ""


def _mails(key: str, what: str) -> str:
    return (
        f"{key}: {what}. Grant it Administer projects there, or accept mail in the mapping (`write: {{mail: accept}}`)."
    )
