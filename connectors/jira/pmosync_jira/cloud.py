"""Jira Cloud's own calls: searches with page tokens, bulk fetches, permission checks, Atlassian documents.

It keeps the promise that paging either reaches its proven end or says that it did not: a repeated token, an empty page
with a token and a page that is not the last but names no next one are no end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pmosync.errors import Refused, Unreadable
from pmosync.http import PoliteSession

from .deployment import PAGE, BrokenPaging, Name, Rows, must_read, project_of_old_key, rows_of
from .endpoints import CLOUD_API
from .pages import to_adf, to_page

LISTED = 50
"""Projects that can be named in one listing."""
CHECKED = 1000
"""Projects per permission check."""


class Cloud:
    """Jira Cloud, version 3 of its API."""

    name: Name = "cloud"
    title = "Jira Cloud"
    api = CLOUD_API
    bulk = True

    def __init__(self, session: PoliteSession) -> None:
        self._session = session

    def projects(self, named: Sequence[str], *, description: bool, prop: str) -> Rows:
        params: dict[str, Any] = {
            "expand": "lead,description" if description else "lead",
            "status": ["live", "archived"],
            "orderBy": "key",
            "maxResults": PAGE,
        }
        if prop:
            params["properties"] = prop
        if 0 < len(named) <= LISTED and len({name.isdigit() for name in named}) == 1:
            params["id" if named[0].isdigit() else "keys"] = list(named)
        return self._listed(params)

    def renamed(self, name: str) -> str | None:
        return project_of_old_key(self._session, self.api, name)

    def trashed(self, named: Sequence[str]) -> Collection[str]:
        try:
            found = self._listed({"status": ["deleted"], "orderBy": "key", "maxResults": PAGE})
        except (Refused, Unreadable):
            return ()
        return {str(raw[name]) for raw in found for name in ("id", "key")} & set(named)

    def _listed(self, params: dict[str, Any]) -> Rows:
        host = self._session.host
        found: Rows = []
        while True:
            asked = params | {"startAt": len(found)}
            page = must_read(self._session, "GET", f"{self.api}/project/search", params=asked)
            values = rows_of(page, "values", host)
            found += values
            if page.get("isLast") is True:
                return found
            if not values:
                raise Unreadable(
                    f"{host}: the list of projects did not come to its end. Run again; if it stays, ask the site's "
                    "support."
                )

    def search(
        self, where: str, fields: Sequence[str], *, projects: Sequence[str] = (), size: int = PAGE,
        properties: Sequence[str] = (), fresh: Sequence[str] = (),
    ) -> Iterator[Rows]:  # fmt: skip
        jql = " AND ".join(
            [*([f"project in ({', '.join(projects)})"] if projects else []), *([where] if where else [])]
        )
        body: dict[str, Any] = {"jql": f"{jql} ORDER BY id ASC", "fields": list(fields), "maxResults": size}
        if properties:
            body["properties"] = list(properties)
        if fresh:
            body["reconcileIssues"] = [int(one) for one in fresh]
        seen: set[str] = set()
        while True:
            page = self._session.call("POST", f"{self.api}/search/jql", json=body).data
            issues = rows_of(page, "issues", self._session.host)
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

    def fetch(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str],
        everywhere_in: Collection[str] | None = None, *, history: bool = False,
    ) -> tuple[Rows, set[str]]:  # fmt: skip
        body = {"issueIdsOrKeys": list(ids), "fields": list(fields), "properties": list(properties)}
        page = self._session.call("POST", f"{self.api}/issue/bulkfetch", json=body).data
        issues = rows_of(page, "issues", self._session.host)
        return issues, {str(one.get("id")) for one in page.get("issueErrors") or []}

    def shown(self, ids: Sequence[str], fields: Sequence[str]) -> Rows:
        return self.fetch(ids, fields, ())[0]

    def changed_since(self, at_ms: int) -> str:
        return f"updated >= {at_ms}"  # epoch milliseconds have no zone

    def users(self) -> Iterator[Rows]:
        seen: set[str] = set()
        while True:
            params = {"startAt": len(seen), "maxResults": 1000}
            page = self._session.call("GET", f"{self.api}/users/search", params=params).data
            if not isinstance(page, list):
                raise Unreadable(f"{self._session.host}: the list of users is no list. Check base_url.")
            if not page:
                return
            fresh = {str(user.get("accountId")) for user in page} - seen
            if len(fresh) < len(page):
                raise BrokenPaging("the list of users did not come to its end: Jira gave the same page again")
            seen |= fresh
            yield page

    def granted(
        self, permissions: Sequence[str], everywhere: Sequence[str], project_ids: Sequence[str]
    ) -> tuple[set[str], dict[str, set[str]]]:
        globally: set[str] = set()
        where: dict[str, set[str]] = {permission: set() for permission in permissions}
        for first in range(0, len(project_ids), CHECKED):
            some = [int(project_id) for project_id in project_ids[first : first + CHECKED]]
            asked = [{"permissions": list(permissions), "projects": some}]
            body = {"globalPermissions": list(everywhere), "projectPermissions": asked}
            answer = must_read(self._session, "POST", f"{self.api}/permissions/check", json=body)
            globally |= set(answer.get("globalPermissions") or [])
            for grant in rows_of(answer, "projectPermissions", self._session.host):
                where.setdefault(grant["permission"], set()).update(str(one) for one in grant["projects"])
        return globally, where

    def document(self, page: str) -> Any:
        return to_adf(page)

    def page(self, document: Any) -> str:
        return to_page(document)
