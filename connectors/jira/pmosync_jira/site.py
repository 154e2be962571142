"""One Jira Cloud site through its calls: searches, bulk fetches, projects, users, permissions.

It keeps the promise that paging either reaches its proven end or says that it did not: a repeated token, an empty page
with a token and a page that is not the last but names no next one are no end.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from jira import JIRA

from pmosync.errors import Misconfigured, Refused, Unreadable
from pmosync.http import PoliteSession

from .decode import Reader
from .endpoints import AGILE, API, BULK_FETCH, PERMISSIONS, PROJECTS, SEARCH, USERS
from .marks import PROJECT_PROPERTY, STATUS_PROPERTY, TASK_PROPERTY
from .planning import Planned, planned, readers_of

FETCHED = 100
"""Issues per bulk fetch: Jira's limit."""
PAGE = 100
"""Rows per page where Jira caps pages that carry fields."""
IDS = 5000
"""Rows per page of a search for ids alone."""
LISTED = 50
"""Projects that can be named in one listing."""
CHECKED = 1000
"""Projects per permission check."""


class BrokenPaging(Exception):
    """A list could not be read to its end; the text says what came instead."""


class Site:
    """The calls; `session` is ours, `package` is the official client riding on it."""

    def __init__(self, session: PoliteSession, package: JIRA) -> None:
        self.session, self.package = session, package
        self._lock = threading.Lock()
        self._readers: dict[str, Reader] = {}
        self._planned: dict[str, Planned] = {}
        self._links_at = ""

    @property
    def readers(self) -> dict[str, Reader]:
        """How each field of the site is read, and each part of a field, asked once."""
        with self._lock:
            if not self._readers:
                for field in self.package.fields():
                    self._readers |= readers_of(field)
                    if found := planned(field):
                        self._planned[found.id] = found
            return self._readers

    @property
    def planned(self) -> dict[str, Planned]:
        """The fields that hold versions or sprints."""
        return self._planned if self.readers else {}

    @property
    def links_at(self) -> str:
        """Where people open the site: behind Atlassian's gateway the site itself says."""
        if not self._links_at:
            base_url = self.session.base_url
            self._links_at = self.server()["baseUrl"].rstrip("/") if "/ex/jira/" in base_url else base_url
        return self._links_at

    def server(self) -> dict[str, Any]:
        """What the site says about itself; a Data Center is refused, because its calls are others."""
        found = self.package.server_info()
        if found.get("deploymentType") != "Cloud":
            raise Misconfigured(
                f"{self.session.host} is Jira {found.get('deploymentType') or 'Server'} {found.get('version', '')}: "
                "this version of pmosync speaks Jira Cloud only",
                hint="take the site out of pmosync.yaml until pmosync supports Data Center",
            )
        return found

    # --- lists ------------------------------------------------------------------------------------------------------

    def projects(self, named: Sequence[str] = (), *, description: bool = False) -> list[dict[str, Any]]:
        """Projects with lead and our property: those named by key or id, or all that the account sees."""
        params: dict[str, Any] = {
            "expand": "lead,description" if description else "lead",
            "properties": PROJECT_PROPERTY,
            "status": ["live", "archived"],
            "orderBy": "key",
            "maxResults": PAGE,
        }
        if 0 < len(named) <= LISTED and len({name.isdigit() for name in named}) == 1:
            params["id" if named[0].isdigit() else "keys"] = list(named)
        found: list[dict[str, Any]] = []
        while True:
            page = self._read("GET", PROJECTS, params=params | {"startAt": len(found)})
            values = _rows(page, "values", self.session.host)
            found += values
            if page.get("isLast") is True:
                break
            if not values:
                raise Unreadable(
                    f"{self.session.host}: the list of projects did not come to its end. Run again; if it stays, "
                    "ask the site's support."
                )
        wanted = set(named)
        return [p for p in found if not wanted or str(p["key"]) in wanted or str(p["id"]) in wanted]

    def search(
        self, jql: str, fields: Sequence[str], size: int, properties: Sequence[str] = ()
    ) -> Iterator[list[dict[str, Any]]]:
        """The pages of a search."""
        body: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": size}
        if properties:
            body["properties"] = list(properties)
        seen: set[str] = set()
        while True:
            page = self.session.call("POST", SEARCH, json=body).data
            issues = _rows(page, "issues", self.session.host)
            token, last = page.get("nextPageToken"), page.get("isLast")
            if last is True or (last is None and not token):
                yield issues
                return
            if not token or token in seen or not issues:
                what = "no next page" if not token else "an empty page" if not issues else "the same page again"
                raise BrokenPaging(f"the search did not come to its end: Jira gave {what} instead of the rest")
            yield issues
            seen.add(token)
            body["nextPageToken"] = token

    def fetch(self, ids: Sequence[str], fields: Sequence[str]) -> tuple[list[dict[str, Any]], set[str]]:
        """Up to 100 issues with our properties, and the ids that Jira cannot give just now. Hidden ones lack."""
        properties = [TASK_PROPERTY, STATUS_PROPERTY]
        body = {"issueIdsOrKeys": list(ids), "fields": list(fields), "properties": properties}
        page = self.session.call("POST", BULK_FETCH, json=body).data
        issues = _rows(page, "issues", self.session.host)
        return issues, {str(one.get("id")) for one in page.get("issueErrors") or []}

    def versions(self, project_id: str) -> Iterator[dict[str, Any]]:
        """Every version of a project, the archived ones, too."""
        seen = 0
        while True:
            params = {"startAt": seen, "maxResults": PAGE}
            page = self.session.call("GET", f"{API}/project/{project_id}/version", params=params).data
            rows = _rows(page, "values", self.session.host)
            yield from rows
            seen += len(rows)
            if page.get("isLast") is True:
                return
            if not rows:
                raise BrokenPaging("the list of versions did not come to its end: Jira gave an empty page")

    def sprint(self, sprint_id: str) -> dict[str, Any]:
        """One sprint; it can be seen by whoever sees its board or one of its issues."""
        found: dict[str, Any] = self.session.call("GET", f"{AGILE}/sprint/{sprint_id}").data
        return found

    def users(self) -> Iterator[list[dict[str, Any]]]:
        """Pages of everybody who has an account."""
        seen: set[str] = set()
        while True:
            page = self.session.call("GET", USERS, params={"startAt": len(seen), "maxResults": 1000}).data
            if not isinstance(page, list):
                raise Unreadable(f"{self.session.host}: the list of users is no list. Check base_url.")
            fresh = {str(user.get("accountId")) for user in page} - seen
            if not page:
                return
            if len(fresh) < len(page):
                raise BrokenPaging("the list of users did not come to its end: Jira gave the same page again")
            seen |= fresh
            yield page

    def granted(self, permissions: Sequence[str], project_ids: Sequence[str]) -> tuple[set[str], dict[str, set[str]]]:
        """The global permissions that the account has, and the projects where it has each of `permissions`."""
        everywhere: set[str] = set()
        where: dict[str, set[str]] = {permission: set() for permission in permissions}
        for first in range(0, len(project_ids), CHECKED):
            some = [int(project_id) for project_id in project_ids[first : first + CHECKED]]
            asked = [{"permissions": list(permissions), "projects": some}]
            body = {"globalPermissions": ["ADMINISTER"], "projectPermissions": asked}
            answer = self._read("POST", PERMISSIONS, json=body)
            everywhere |= set(answer.get("globalPermissions") or [])
            for grant in _rows(answer, "projectPermissions", self.session.host):
                where.setdefault(grant["permission"], set()).update(str(one) for one in grant["projects"])
        return everywhere, where

    def _read(self, method: str, path: str, **options: Any) -> Any:
        """A call without which nothing of the site can be read; a 404 may mean that it is no Jira Cloud."""
        try:
            return self.session.call(method, path, **options).data
        except Refused as no:
            if no.status == 0:
                raise
            if no.status == 404:
                self.server()
            raise Unreadable(str(no)) from no


def issue_path(issue_id: str, prop: str = "") -> str:
    """The path of an issue, or of one of its properties."""
    return f"{API}/issue/{issue_id}" + (f"/properties/{prop}" if prop else "")


def project_path(project_id: str, prop: str) -> str:
    """The path of a project's property."""
    return f"{API}/project/{project_id}/properties/{prop}"


def jql(project_ids: Collection[str], query: str, since_ms: int | None = None) -> str:
    """A bounded search over projects, in a stable order; instants are epoch milliseconds, which have no zone."""
    parts = [f"project in ({', '.join(project_ids)})"]
    if query.strip():
        parts.append(f"({query.strip()})")
    if since_ms is not None:
        parts.append(f"updated >= {since_ms}")
    return " AND ".join(parts) + " ORDER BY id ASC"


def _rows(page: Any, name: str, host: str) -> list[dict[str, Any]]:
    rows = page.get(name) if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise Unreadable(f"{host}: an answer came without its {name}. Check that base_url is a Jira Cloud site.")
    return rows
