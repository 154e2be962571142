"""Finds the projects that a site is looked at in: named ones, those of portfolios, or all that are not archived.

It keeps the promise that a project which could not be read is told as such, and never taken for one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pmosync.contract import Scope
from pmosync.errors import Misconfigured, Refused

from .api import PAGE, Api, Asked, many, next_offset, one
from .decode import PROJECT_FIELDS

Json = dict[str, Any]

FEW = 10
"""Up to so many projects beyond the first page of a workspace are fetched one by one."""


@dataclass(slots=True)
class Listing:
    """The projects in scope by gid, and what could not be read, by scope name."""

    projects: dict[str, Json] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    portfolios: list[str] = field(default_factory=list)
    """The portfolios that were read."""

    @property
    def complete(self) -> bool:
        """Whether every project in scope is known, readable or not."""
        return not any(name.startswith("portfolio:") for name in self.refused)

    @property
    def read(self) -> list[str]:
        """The scopes that were read with this list. The site is one only when every project in scope is known."""
        return [*(["site"] if self.complete else []), *(f"portfolio:{gid}" for gid in self.portfolios)]

    def gids(self) -> list[str]:
        """Every project that is in scope, readable or not."""
        unread = (name.removeprefix("project:") for name in self.refused if name.startswith("project:"))
        return [*self.projects, *unread]


def listing(api: Api, workspace: str, scope: Scope, fields: str = PROJECT_FIELDS) -> Listing:
    """The projects in scope, in one list per workspace or portfolio."""
    found = Listing()
    for gid in dict.fromkeys((*scope.projects, *scope.portfolios)):
        if not gid.isdigit():
            raise Misconfigured(
                f"'{gid}' is not the gid of an Asana project or portfolio",
                where="scope",
                hint="take the long number from its address in the browser; `pmosync discover` lists the projects",
            )
    if not scope.projects and not scope.portfolios:
        every = api.pages(api.projects.get_projects, workspace=workspace, archived="false", opt_fields=fields)
        found.projects = {item["gid"]: item for item in every}
    for gid in scope.portfolios:
        _portfolio(api, gid, fields, found, set())
    missing = [gid for gid in dict.fromkeys(scope.projects) if gid not in found.projects]
    if missing:
        _named(api, workspace, missing, fields, found)
    return found


def _portfolio(api: Api, gid: str, fields: str, found: Listing, seen: set[str]) -> None:
    """The projects of a portfolio and of the portfolios in it."""
    if gid in seen:
        return
    seen.add(gid)
    try:
        items = api.pages(api.portfolios.get_items_for_portfolio, gid, opt_fields=f"resource_type,{fields}")
    except Refused as refusal:
        found.refused[f"portfolio:{gid}"] = str(refusal)
        return
    found.portfolios.append(gid)
    for item in items:
        if item.get("resource_type") == "portfolio":
            _portfolio(api, item["gid"], fields, found, seen)
        else:
            found.projects[item["gid"]] = item


def _named(api: Api, workspace: str, missing: list[str], fields: str, found: Listing) -> None:
    """Named projects: from the workspace's list, because one list costs less than one call each."""
    query = {"workspace": workspace, "opt_fields": fields}
    if len(missing) > 1:
        body = api.projects.get_projects({**query, "limit": PAGE})
        page = many(body)
        if next_offset(body, page) and len(missing) > FEW:
            page = api.pages(api.projects.get_projects, **query)
        found.projects |= {item["gid"]: item for item in page if item["gid"] in missing}
    fetch(api, [gid for gid in missing if gid not in found.projects], fields, found)


def fetch(api: Api, gids: Iterable[str], fields: str, found: Listing) -> None:
    """Projects one by one."""
    wanted = list(gids)
    for gid, body in zip(wanted, api.each(Asked(f"/projects/{gid}", fields) for gid in wanted), strict=True):
        if isinstance(body, Refused):
            found.refused[f"project:{gid}"] = str(body)
        else:
            found.projects[gid] = one(body)
