"""Finds out what became of issues that a search does not list any more.

It keeps the promise that nothing is called deleted: Jira answers alike for what is deleted and for what the account may
not see. What it still shows by id was moved, archived, or is left out by the mapping's own filter; or it is there as
before, and the search came too late or too early for it: its index is behind, or the issue moved from one project to
another between two pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pmosync.contract import Fallen, Scope
from pmosync.errors import Refused

from .deployment import FETCHED, RECONCILED, BrokenPaging
from .records import ARCHIVED
from .site import PAGE, Site, where

MOST = 1000
"""Issues that are asked about: where more vanished at once, these tell whether the rest can be believed to be gone."""


def whereabouts(site: Site, scope: Scope, issue_ids: Sequence[str]) -> dict[str, Fallen]:
    """What became of these issues; of those that Jira does not want to tell about, nothing is said."""
    archived = {str(raw["id"]): bool(raw.get("archived")) for raw in site.projects(scope.projects, prop="")}
    issue_ids = issue_ids if site.deployment.bulk else issue_ids[:MOST]
    found: dict[str, Fallen] = {}
    for some, rows in site.session.map(lambda chunk: (chunk, _shown(site, chunk)), _chunks(issue_ids, FETCHED)):
        if rows is not None:
            found |= dict.fromkeys(some, "hidden")
            found |= {str(issue["id"]): _where(issue, archived) for issue in rows}
    if scope.query:
        doubtful = [one for one, fate in found.items() if fate == "there"]
        for some, listed in site.session.map(
            lambda chunk: (chunk, _listed(site, scope, chunk)), _chunks(doubtful, RECONCILED)
        ):
            found |= {one: "outside" for one in some if listed is not None and one not in listed}
    return found


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[first : first + size] for first in range(0, len(ids), size))


def _shown(site: Site, issue_ids: Sequence[str]) -> list[dict[str, Any]] | None:
    try:
        return site.deployment.shown(issue_ids, ["project", ARCHIVED])
    except Refused:
        return None


def _listed(site: Site, scope: Scope, issue_ids: Sequence[str]) -> set[str] | None:
    """Which of these the mapping's filter finds; None: it cannot be told."""
    query = where(scope.query, f"id in ({', '.join(issue_ids)})")
    try:
        return {str(row["id"]) for page in site.search(query, ["id"], PAGE, fresh=issue_ids) for row in page}
    except (Refused, BrokenPaging):
        return None


def _where(issue: Mapping[str, Any], archived: Mapping[str, bool]) -> Fallen:
    project = str(issue["fields"]["project"]["id"])
    if issue["fields"].get(ARCHIVED) or archived.get(project):
        return "archived"
    return "there" if project in archived else "moved"
