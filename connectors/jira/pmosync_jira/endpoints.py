"""Every call that this connector makes to Jira, and whether it may be repeated.

It keeps the promise that one write alone appends, the one that makes a status issue, and that it is never sent again
blindly; each of the others sets or removes a value, so it may be.
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
ISSUES = f"{API}/issue"
REMOTE_LINK = f"{API}/issue/{{id}}/remotelink"
ISSUE_TYPES = f"{API}/issue/createmeta/{{id}}/issuetypes"
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
    Endpoint("GET", ISSUE, repeatable=True, reads=True),
    Endpoint("GET", ISSUE_TYPES, repeatable=True, reads=True),
    Endpoint("GET", REMOTE_LINK, repeatable=True, reads=True),
    Endpoint("POST", ISSUES, repeatable=False, reads=False),
    Endpoint("PUT", ISSUE, repeatable=True, reads=False),
    Endpoint("DELETE", ISSUE, repeatable=True, reads=False),
    Endpoint("POST", REMOTE_LINK, repeatable=True, reads=False),
    Endpoint("DELETE", REMOTE_LINK, repeatable=True, reads=False),
    Endpoint("PUT", ISSUE_PROPERTY, repeatable=True, reads=False),
    Endpoint("DELETE", ISSUE_PROPERTY, repeatable=True, reads=False),
    Endpoint("PUT", PROJECT_PROPERTY, repeatable=True, reads=False),
    Endpoint("DELETE", PROJECT_PROPERTY, repeatable=True, reads=False),
)
