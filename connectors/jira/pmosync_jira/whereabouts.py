"""Finds out what became of issues that a search does not list any more.

It keeps the promise that nothing is called deleted: Jira answers alike for what is deleted and for what the account may
not see. What it still shows by id was moved, archived, or is left out by the mapping's own filter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pmosync.contract import Fallen, Scope
from pmosync.errors import Refused

from .deployment import FETCHED
from .site import Site

ARCHIVED = "archiveddate"
"""Stands on an archived issue where Jira still shows it."""


def whereabouts(site: Site, scope: Scope, issue_ids: Sequence[str]) -> dict[str, Fallen]:
    """What became of these issues; of those that Jira does not want to tell about, nothing is said."""
    chunks = [issue_ids[first : first + FETCHED] for first in range(0, len(issue_ids), FETCHED)]
    found: dict[str, Fallen] = {}
    for some, rows in site.session.map(lambda chunk: (chunk, _shown(site, chunk)), chunks):
        if rows is not None:
            found |= dict.fromkeys(some, "hidden")
            found |= {str(issue["id"]): _where(issue, scope) for issue in rows}
    return found


def _shown(site: Site, issue_ids: Sequence[str]) -> list[dict[str, Any]] | None:
    try:
        return site.deployment.fetch(issue_ids, ["project", ARCHIVED], (), ())[0]
    except Refused:
        return None


def _where(issue: Mapping[str, Any], scope: Scope) -> Fallen:
    fields = issue["fields"]
    project = fields["project"]
    if fields.get(ARCHIVED) or project.get("archived"):
        return "archived"
    looked_at = not scope.projects or {str(project["id"]), str(project["key"])} & set(scope.projects)
    return "outside" if looked_at else "moved"
