"""One Jira site through its calls, whichever deployment it is.

It keeps the promise that what was looked up once is not asked again, and that the deployment is what the site says it
is, unless the configuration says otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from jira import JIRA

from pmosync.http import PoliteSession

from .cloud import Cloud
from .data_center import DataCenter
from .decode import Reader
from .deployment import FETCHED, PAGE, RECONCILED, BrokenPaging, Deployment, Name, Rows, must_read, rows_of
from .endpoints import AGILE, CLOUD_API, SERVER_API
from .marks import PROJECT_PROPERTY, STATUS_PROPERTY, TASK_PROPERTY
from .planning import Planned, planned, readers_of

__all__ = ["FETCHED", "IDS", "NAMES", "PAGE", "RECONCILED", "BrokenPaging", "Site"]

NAMES = ("id", "key", "asked_as")
"""What a project may be called by: `asked_as` is the key that it had before, where it was asked for by that."""
IDS = 5000
"""Rows per page of a search for ids alone; Data Center caps it lower."""
PARENT = {"id": "parent", "name": "Parent", "custom": False, "schema": {"type": "issuelink", "system": "parent"}}
CLOUD_HOSTS = (".atlassian.net", "api.atlassian.com")


class Site:
    """The calls; `session` is ours, `package` is the official client riding on it."""

    def __init__(self, session: PoliteSession, deployment: Name | None = None) -> None:
        self.session = session
        self._lock = threading.RLock()
        self._name = deployment
        self._deployment: Deployment | None = None
        self._package: JIRA | None = None
        self._server: dict[str, Any] = {}
        self._fields: list[dict[str, Any]] = []
        self._readers: dict[str, Reader] = {}
        self._planned: dict[str, Planned] = {}
        self._links_at = ""
        self._renamed: dict[str, str] = {}
        """Ids of projects by the keys that they had before."""
        self._unheard: set[str] = set()
        """Names that no project answers to."""

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def deployment(self) -> Deployment:
        """Cloud or Data Center: as configured, as remembered, by the address, or as the site says."""
        with self._lock:
            if self._deployment is None:
                found = self._known or self._asked()
                self._deployment = (
                    Cloud(self.session) if found == "cloud" else DataCenter(self.session, lambda: self.fields)
                )
            return self._deployment

    @property
    def _known(self) -> Name | None:
        return self._name or ("cloud" if self.session.host.endswith(CLOUD_HOSTS) else None)

    def remember(self, name: Any) -> None:
        """What an earlier run found out; the configuration goes first."""
        if self._name is None and name in ("cloud", "data_center"):
            self._name = name

    def _asked(self) -> Name:
        return "cloud" if self.server().get("deploymentType") == "Cloud" else "data_center"

    def server(self) -> Mapping[str, Any]:
        """What the site says about itself."""
        with self._lock:
            if not self._server:
                api = CLOUD_API if self._known == "cloud" else SERVER_API
                self._server = must_read(self.session, "GET", f"{api}/serverInfo") or {}
            return self._server

    @property
    def api(self) -> str:
        """Where the platform's calls are."""
        return self.deployment.api

    @property
    def package(self) -> JIRA:
        """The official client, for the lists that every Jira has; it travels on our session, with its manners."""
        with self._lock:
            if self._package is None:
                version = self.api.rpartition("/")[2]
                options: dict[str, Any] = {"server": self.session.base_url, "rest_api_version": version}
                self._package = JIRA(options=options, get_server_info=False, max_retries=0)
                self._package._session = self.session  # type: ignore[assignment]
            return self._package

    @property
    def fields(self) -> Sequence[Mapping[str, Any]]:
        """Jira's description of every field. `parent` is one everywhere, though Data Center does not list it."""
        with self._lock:
            if not self._fields:
                listed = self.package.fields()
                self._fields = listed if any(raw["id"] == "parent" for raw in listed) else [*listed, PARENT]
            return self._fields

    @property
    def readers(self) -> dict[str, Reader]:
        """How each field of the site is read, and each part of a field."""
        with self._lock:
            if not self._readers:
                for field in self.fields:
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
            self._links_at = str(self.server()["baseUrl"]).rstrip("/") if "/ex/jira/" in base_url else base_url
        return self._links_at

    # --- what is in it ----------------------------------------------------------------------------------------------

    def projects(self, named: Sequence[str] = (), *, description: bool = False, prop: str = PROJECT_PROPERTY) -> Rows:
        """Projects with lead and our property: those named by key or id, or all that the account sees.

        A project that was renamed is found by the key that it had; it says under `asked_as` how it was named.
        """
        with self._lock:
            called = {self._renamed.get(name, name): name for name in named}
            found = self._projects(list(called), description=description, prop=prop)
            lost = called.keys() - {str(p[one]) for p in found for one in ("key", "id")} - self._unheard
            if lost := {name for name in lost if not name.isdigit()}:  # an id never changes
                ids = {name: self.deployment.renamed(name) for name in sorted(lost)}
                self._renamed |= {name: one for name, one in ids.items() if one}
                self._unheard |= {name for name, one in ids.items() if not one}
                if any(ids.values()):
                    return self.projects(named, description=description, prop=prop)
        for p in found:
            p["asked_as"] = called.get(str(p["id"])) or called.get(str(p["key"])) or ""
        return found

    def _projects(self, named: Sequence[str], *, description: bool, prop: str) -> Rows:
        found = self.deployment.projects(named, description=description, prop=prop)
        wanted = set(named)
        return [p for p in found if not wanted or str(p["key"]) in wanted or str(p["id"]) in wanted]

    def search(
        self, where: str, fields: Sequence[str], size: int, properties: Sequence[str] = (), *,
        projects: Sequence[str] = (), fresh: Sequence[str] = (),
    ) -> Iterator[Rows]:  # fmt: skip
        """The pages of a search, see `Deployment.search`."""
        return self.deployment.search(where, fields, projects=projects, size=size, properties=properties, fresh=fresh)

    def fetch(
        self,
        ids: Sequence[str],
        fields: Sequence[str],
        everywhere_in: Collection[str] | None = None,
        *,
        history: bool = False,
    ) -> tuple[Rows, set[str]]:
        """Up to 100 issues with our properties, and the ids that Jira cannot give just now. Hidden ones lack."""
        ours = (TASK_PROPERTY, STATUS_PROPERTY)
        return self.deployment.fetch(ids, fields, ours, everywhere_in, history=history)

    def versions(self, project_id: str) -> Iterator[dict[str, Any]]:
        """Every version of a project, the archived ones, too."""
        seen = 0
        while True:
            params = {"startAt": seen, "maxResults": PAGE}
            page = self.session.call("GET", f"{self.api}/project/{project_id}/version", params=params).data
            rows = rows_of(page, "values", self.session.host)
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

    # --- paths ------------------------------------------------------------------------------------------------------

    def issue_path(self, issue_id: str, prop: str = "") -> str:
        """The path of an issue, or of one of its properties."""
        return f"{self.api}/issue/{issue_id}" + (f"/properties/{prop}" if prop else "")

    def project_path(self, project_id: str, prop: str) -> str:
        """The path of a project's property."""
        return f"{self.api}/project/{project_id}/properties/{prop}"


def where(query: str, *conditions: str) -> str:
    """A mapping's filter and further conditions as one."""
    return " AND ".join([*([f"({query.strip()})"] if query.strip() else []), *filter(None, conditions)])
