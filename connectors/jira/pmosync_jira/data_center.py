"""Jira Data Center's own calls: version 2 of the API, searches by offset, one issue at a time where Cloud takes many.

It keeps the promise that a search reaches its proven end on a server that fails beyond ten thousand rows: it goes on
from the last id inside a project, and what it saw is counted against what Jira says there is.

| Data Center                                                   | so                                                 |
|---------------------------------------------------------------|----------------------------------------------------|
| pages are capped by the server, and end at row 10,000         | one page, or each project by `id > <last id>`      |
| `id > N` compares inside the project of N, and fails when N   | an earlier id of the page is tried; the count      |
| was deleted meanwhile                                         | decides whether anything is missing                |
| dates in JQL are read in the account's zone, by the minute    | they are written in it, earlier when its clocks    |
|                                                               | are changed that day                               |
| a search gives no properties                                  | each issue that bears a label of ours is asked     |
| `parent` is only for subtasks                                 | Epic Link and Parent Link fill it                  |
| permissions of one project at a time                          | `mypermissions` for each                           |
| no search finds an archived issue                             | it is asked for by itself, to know what became of  |
|                                                               | it                                                 |
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pmosync.errors import Refused, Unreadable
from pmosync.http import PoliteSession

from . import wiki
from .deployment import FETCHED, PAGE, BrokenPaging, Name, Rows, must_read, project_of_old_key, rows_of
from .endpoints import SERVER_API
from .marks import LABELS, STATUS_LABEL, STATUS_PROPERTY, TASK_PROPERTY

WINDOW = 10_000
"""The row after which Jira's search fails (max_result_window)."""
EPIC_LINK = "com.pyxis.greenhopper.jira:gh-epic-link"
PARENT_LINK = "com.atlassian.jpo:jpo-custom-field-parent"
BESIDE: Mapping[str, Collection[str]] = {TASK_PROPERTY: LABELS, STATUS_PROPERTY: (STATUS_LABEL,)}
"""The labels that stand where a property of ours does."""
CLOCK_CHANGE = dt.timedelta(days=1)
STEP_BACK = 20
"""How many ids of a page are tried to go on from."""


class DataCenter:
    """Jira Data Center 10 and 11."""

    name: Name = "data_center"
    title = "Jira Data Center"
    api = SERVER_API
    bulk = False

    def __init__(self, session: PoliteSession, fields: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._session, self._fields = session, fields
        self._lock = threading.Lock()
        self._zone: ZoneInfo | None = None
        self._links: tuple[str, ...] | None = None
        self._ids: dict[str, str] = {}
        """Ids of the parents that were named by key."""

    # --- projects ---------------------------------------------------------------------------------------------------

    def projects(self, named: Sequence[str], *, description: bool, prop: str) -> Rows:
        params = {"expand": "lead,description" if description else "lead", "includeArchived": True}
        found = must_read(self._session, "GET", f"{self.api}/project", params=params)
        if not isinstance(found, list):
            raise Unreadable(f"{self._session.host}: the list of projects is no list. Check base_url.")
        wanted = set(named)
        found = sorted(
            (raw for raw in found if not wanted or {str(raw["id"]), str(raw["key"])} & wanted),
            key=lambda raw: str(raw["key"]),
        )
        if prop:
            for raw, value in self._session.map(lambda raw: (raw, self._project_property(raw, prop)), found):
                raw["properties"] = {} if value is None else {prop: value}
        return found

    def _project_property(self, raw: Mapping[str, Any], prop: str) -> Any:
        path = f"{self.api}/project/{raw['id']}/properties/{prop}"
        answer = self._session.call("GET", path, expect=(403, 404))
        return answer.data.get("value") if answer.status == 200 else None

    def renamed(self, name: str) -> str | None:
        return project_of_old_key(self._session, self.api, name)

    def trashed(self, named: Sequence[str]) -> Collection[str]:
        return ()

    # --- issues -----------------------------------------------------------------------------------------------------

    def search(
        self, where: str, fields: Sequence[str], *, projects: Sequence[str] = (), size: int = PAGE,
        properties: Sequence[str] = (), fresh: Sequence[str] = (),
    ) -> Iterator[Rows]:  # fmt: skip
        asked = [*fields, *(["labels"] if properties and "labels" not in fields else [])]
        for page in self._pages(where, asked, list(projects), size):
            yield self._with_properties(page, properties, ())

    def _pages(self, where: str, fields: Sequence[str], projects: list[str], size: int) -> Iterator[Rows]:
        """All in one page when they fit; else project by project."""
        condition = _joined(f"project in ({', '.join(projects)})" if projects else "", where)
        first, total = self._page(condition, fields, 0, size)
        if total <= len(first):
            yield first
        elif not projects:
            yield first
            yield from self._by_offset(condition, fields, len(first), total, size)
        elif len(projects) == 1:
            yield first
            yield from self._by_id(condition, fields, first, total, size)
        else:
            for project in projects:
                yield from self._pages(where, fields, [project], size)

    def _by_offset(self, condition: str, fields: Sequence[str], start: int, total: int, size: int) -> Iterator[Rows]:
        while start < total:
            if start + size > WINDOW:
                raise BrokenPaging(f"the search did not come to its end: Jira gives no rows beyond {WINDOW:,}")
            page, total = self._page(condition, fields, start, size)
            if not page and start < total:
                raise BrokenPaging("the search did not come to its end: Jira gave an empty page")
            yield page
            start += len(page)

    def _by_id(self, condition: str, fields: Sequence[str], page: Rows, total: int, size: int) -> Iterator[Rows]:
        """On from the last id of each page; at the end as many must have been seen as Jira says there are."""
        seen = {str(issue["id"]) for issue in page}
        while page:
            page = self._after(condition, fields, page, size)
            fresh = [issue for issue in page if str(issue["id"]) not in seen]
            if page and not fresh:
                raise BrokenPaging("the search did not come to its end: Jira gave the same page again")
            seen.update(str(issue["id"]) for issue in fresh)
            yield fresh
        if len(seen) < total and len(seen) < self._page(condition, ["id"], 0, 1)[1]:
            raise BrokenPaging(f"the search did not come to its end: Jira gave {len(seen)} of {total} issues")

    def _after(self, condition: str, fields: Sequence[str], page: Rows, size: int) -> Rows:
        """The page after this one. Its last issue may be gone by now: then from the one before."""
        ids = [str(issue["id"]) for issue in page]
        for last in ids[: -STEP_BACK - 1 : -1]:
            try:
                found, total = self._page(_joined(condition, f"id > {last}"), fields, 0, size)
            except Refused as no:
                if no.status != 400:
                    raise
                continue
            if found or not total:
                return found
        raise BrokenPaging("the search did not come to its end: the issues that it would go on from are gone")

    def _page(self, jql: str, fields: Sequence[str], start: int, size: int, **more: Any) -> tuple[Rows, int]:
        body = {"jql": f"{jql} ORDER BY id ASC", "fields": list(fields), "startAt": start, "maxResults": size, **more}
        answer = self._session.call("POST", f"{self.api}/search", json=body).data
        rows = rows_of(answer, "issues", self._session.host)
        total = answer.get("total")
        if not isinstance(total, int):
            raise Unreadable(f"{self._session.host}: a search came without its total. Check that base_url is a Jira.")
        return rows, total

    def fetch(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str],
        everywhere_in: Collection[str] | None = None, *, history: bool = False,
    ) -> tuple[Rows, set[str]]:  # fmt: skip
        asked = list(
            dict.fromkeys((*fields, "labels", "project", *(self._parent_fields() if "parent" in fields else ())))
        )
        expand = {"expand": ["changelog"]} if history else {}
        found = self._named(f"id in ({', '.join(ids)})", asked, **expand)
        self._fill_parents(found)
        return self._with_properties(found, properties, everywhere_in), set()

    def shown(self, ids: Sequence[str], fields: Sequence[str]) -> Rows:
        found = self._named(f"id in ({', '.join(ids)})", fields)
        lacking = sorted(set(ids) - {str(issue["id"]) for issue in found})
        return [*found, *(one for one in self._session.map(lambda name: self._alone(name, fields), lacking) if one)]

    def _alone(self, issue_id: str, fields: Sequence[str]) -> dict[str, Any] | None:
        """An issue that no search finds: an archived one is shown all the same."""
        params = {"fields": ",".join(fields)}
        answer = self._session.call("GET", f"{self.api}/issue/{issue_id}", params=params, expect=(403, 404))
        return dict(answer.data) if answer.status == 200 else None

    def _named(self, jql: str, fields: Sequence[str], **more: Any) -> Rows:
        """Up to 100 issues that are named one by one; those that are gone are left out. The server may cap pages."""
        found: Rows = []
        while True:
            page, total = self._page(jql, fields, len(found), FETCHED, validateQuery=False, **more)
            found += page
            if not page or len(found) >= total:
                return found

    def _with_properties(self, issues: Rows, properties: Sequence[str], everywhere_in: Collection[str] | None) -> Rows:
        """The issues; those that our properties can be on with what stands there."""
        ours = {label for name in properties for label in BESIDE[name]}

        def sought(issue: Mapping[str, Any]) -> bool:
            fields = issue.get("fields") or {}
            project = str((fields.get("project") or {}).get("id") or "")
            return bool(ours & set(fields.get("labels") or ())) or everywhere_in is None or project in everywhere_in

        wanted = [issue for issue in issues if properties and sought(issue)]
        for issue, found in self._session.map(lambda one: (one, self.properties(str(one["id"]), properties)), wanted):
            if found is not None:
                issue["properties"] = found
        return issues

    def properties(self, issue_id: str, properties: Sequence[str]) -> dict[str, Any] | None:
        """Our properties of one issue; None when it is gone."""
        params = {"fields": "project", "properties": ",".join(properties)}
        answer = self._session.call("GET", f"{self.api}/issue/{issue_id}", params=params, expect=(404,))
        if answer.status != 200:
            return None
        found = answer.data.get("properties") or {}
        return dict(found.get("properties", found))  # the official document has them one floor deeper

    # --- parents ----------------------------------------------------------------------------------------------------

    def _parent_fields(self) -> tuple[str, ...]:
        """The fields that name a parent where `parent` does not: the epic, then the initiative above an epic."""
        if self._links is None:
            by_kind = {(raw.get("schema") or {}).get("custom"): str(raw["id"]) for raw in self._fields()}
            self._links = tuple(by_kind[kind] for kind in (EPIC_LINK, PARENT_LINK) if kind in by_kind)
        return self._links

    def _fill_parents(self, issues: Rows) -> None:
        """Put an epic or an initiative where Cloud has it: Jira names them by key here, and identity is the id."""
        links = self._parent_fields()
        named: dict[str, list[dict[str, Any]]] = {}
        for issue in issues:
            fields = issue["fields"]
            raw = next((fields[name] for name in links if fields.get(name)), None)
            if fields.get("parent") or raw is None:
                continue
            data = raw.get("data", raw) if isinstance(raw, dict) else {"key": raw}
            if isinstance(data, dict) and data.get("id"):
                fields["parent"] = {"id": str(data["id"]), "key": str(data.get("key") or data["id"])}
            elif isinstance(data, dict) and data.get("key"):
                named.setdefault(str(data["key"]), []).append(fields)
        self._look_up(sorted(named.keys() - self._ids.keys()))
        for key, several in named.items():
            for fields in several:
                if key in self._ids:
                    fields["parent"] = {"id": self._ids[key], "key": key}

    def _look_up(self, keys: Sequence[str]) -> None:
        for first in range(0, len(keys), FETCHED):
            some = ", ".join(f'"{key}"' for key in keys[first : first + FETCHED])
            self._ids |= {str(issue["key"]): str(issue["id"]) for issue in self._named(f"key in ({some})", ["id"])}

    # --- dates ------------------------------------------------------------------------------------------------------

    def changed_since(self, at_ms: int) -> str:
        zone = self._zone_of_account()
        at = dt.datetime.fromtimestamp(at_ms // 1000, zone)
        around = {(at + shift).utcoffset() for shift in (-CLOCK_CHANGE, dt.timedelta(0), CLOCK_CHANGE)}
        if len(around) > 1:  # an hour may come twice or not at all: a day earlier is unmistakable
            at = (at.astimezone(dt.UTC) - CLOCK_CHANGE).astimezone(zone)
        return f'updated >= "{at:%Y/%m/%d %H:%M}"'

    def _zone_of_account(self) -> ZoneInfo:
        with self._lock:
            if self._zone is None:
                me = must_read(self._session, "GET", f"{self.api}/myself")
                try:
                    self._zone = ZoneInfo(str(me["timeZone"]))
                except (KeyError, TypeError, ValueError, OSError):
                    raise Unreadable(
                        f"{self._session.host}: the account's time zone is not one that this machine knows. "
                        "Set another one in the account's profile."
                    ) from None
            return self._zone

    # --- people and rights ------------------------------------------------------------------------------------------

    def users(self) -> Iterator[Rows]:
        cursor: str | None = None
        while True:
            params = {"maxResults": 1000, **({"cursor": cursor} if cursor else {})}
            page = self._session.call("GET", f"{self.api}/user/list", params=params).data
            values = rows_of(page, "values", self._session.host)
            yield values
            before, cursor = cursor, str(page.get("nextCursor") or "")
            if page.get("isLast") is True:
                return
            if not values or not cursor or cursor == before:
                raise BrokenPaging("the list of users did not come to its end: Jira names no next page")

    def granted(
        self, permissions: Sequence[str], everywhere: Sequence[str], project_ids: Sequence[str]
    ) -> tuple[set[str], dict[str, set[str]]]:
        where: dict[str, set[str]] = {permission: set() for permission in permissions}
        globally: set[str] = set()

        def ask(project_id: str) -> tuple[str, Mapping[str, Any]]:
            answer = must_read(self._session, "GET", f"{self.api}/mypermissions", params={"projectId": project_id})
            return project_id, answer.get("permissions") or {}

        for project_id, found in self._session.map(ask, project_ids):
            has = {name for name, one in found.items() if one.get("havePermission")}
            globally |= has & set(everywhere)
            for permission in has & where.keys():
                where[permission].add(project_id)
        return globally, where

    # --- text -------------------------------------------------------------------------------------------------------

    def document(self, page: str) -> Any:
        return wiki.to_wiki(page)

    def page(self, document: Any) -> str:
        return wiki.to_page(str(document or ""))


def _joined(*conditions: str) -> str:
    return " AND ".join(one if one.startswith("project in") else f"({one})" for one in conditions if one)
