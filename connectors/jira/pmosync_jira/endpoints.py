"""Every call that this connector makes to Jira, and whether it may be repeated.

It keeps the promise that no write appends: each sets or removes a value, so each may be sent again.
"""

from __future__ import annotations

from pmosync.http import Endpoint

API = "/rest/api/3"
AGILE = "/rest/agile/1.0"
SEARCH = f"{API}/search/jql"
BULK_FETCH = f"{API}/issue/bulkfetch"
PERMISSIONS = f"{API}/permissions/check"
PROJECTS = f"{API}/project/search"
USERS = f"{API}/users/search"
ISSUE = f"{API}/issue/{{id}}"
ISSUE_PROPERTY = f"{API}/issue/{{id}}/properties/{{key}}"
PROJECT_PROPERTY = f"{API}/project/{{id}}/properties/{{key}}"
VERSIONS = f"{API}/project/{{id}}/version"
SPRINT = f"{AGILE}/sprint/{{id}}"

_LISTS = ("serverInfo", "myself", "field", "status", "issuetype", "priority", "resolution", "issueLinkType")

ENDPOINTS: tuple[Endpoint, ...] = (
    *(Endpoint("GET", f"{API}/{name}", repeatable=True, reads=True) for name in _LISTS),
    Endpoint("GET", PROJECTS, repeatable=True, reads=True),
    Endpoint("GET", USERS, repeatable=True, reads=True),
    Endpoint("GET", VERSIONS, repeatable=True, reads=True),
    Endpoint("GET", SPRINT, repeatable=True, reads=True),
    Endpoint("POST", SEARCH, repeatable=True, reads=True),
    Endpoint("POST", BULK_FETCH, repeatable=True, reads=True),
    Endpoint("POST", PERMISSIONS, repeatable=True, reads=True),
    Endpoint("PUT", ISSUE, repeatable=True, reads=False),
    Endpoint("PUT", ISSUE_PROPERTY, repeatable=True, reads=False),
    Endpoint("DELETE", ISSUE_PROPERTY, repeatable=True, reads=False),
    Endpoint("PUT", PROJECT_PROPERTY, repeatable=True, reads=False),
    Endpoint("DELETE", PROJECT_PROPERTY, repeatable=True, reads=False),
)
