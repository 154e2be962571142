"""Every call that this connector makes to Jira, and whether it may be repeated.

It keeps the promise that what appends (a status issue, a comment) is never sent again blindly; each of the other writes
sets or removes a value, so it may be.
"""

from __future__ import annotations

from pmosync.http import Endpoint

CLOUD_API = "/rest/api/3"
SERVER_API = "/rest/api/2"
AGILE = "/rest/agile/1.0"

# Relative to the platform's API of the deployment.
ISSUE = "/issue/{id}"
ISSUES = "/issue"
REMOTE_LINK = "/issue/{id}/remotelink"
ISSUE_TYPES = "/issue/createmeta/{id}/issuetypes"
ISSUE_PROPERTY = "/issue/{id}/properties/{key}"
PROJECT_PROPERTY = "/project/{id}/properties/{key}"
PROJECT = "/project/{id}"
VERSIONS = "/project/{id}/version"
SEARCH = "/search/jql"
SEARCH_BY_OFFSET = "/search"
BULK_FETCH = "/issue/bulkfetch"
HISTORIES = "/changelog/bulkfetch"
WORKLOGS = "/issue/{id}/worklog"
EDIT_SCREEN = "/issue/{id}/editmeta"
COMMENTS = "/issue/{id}/comment"
COMMENT = "/issue/{id}/comment/{comment}"
COMMENT_PROPERTY = "/comment/{id}/properties/{key}"
PERMISSIONS = "/permissions/check"

# Bulk operations, of Cloud alone.
BULK_EDIT = "/bulk/issues/fields"
BULK_QUEUE = "/bulk/queue/{id}"
PROPERTIES = "/issue/properties"
PROPERTIES_EACH = "/issue/properties/multi"
PROPERTIES_GONE = "/issue/properties/{key}"
TASK = "/task/{id}"

_LISTS = ("serverInfo", "myself", "field", "status", "issuetype", "priority", "resolution", "issueLinkType")


def _read(method: str, template: str) -> Endpoint:
    return Endpoint(method, template, repeatable=True, reads=True)


def _write(method: str, template: str, *, repeatable: bool = True) -> Endpoint:
    return Endpoint(method, template, repeatable=repeatable, reads=False)


def _on_both(api: str) -> tuple[Endpoint, ...]:
    """The calls that Cloud and Data Center have alike."""
    return (
        *(_read("GET", f"{api}/{name}") for name in _LISTS),
        _read("GET", api + PROJECT),
        _read("GET", api + VERSIONS),
        _read("GET", api + ISSUE),
        _read("GET", api + ISSUE_TYPES),
        _read("GET", api + REMOTE_LINK),
        _write("POST", api + ISSUES, repeatable=False),
        _write("PUT", api + ISSUE),
        _write("DELETE", api + ISSUE),
        _write("POST", api + REMOTE_LINK),
        _write("DELETE", api + REMOTE_LINK),
        _write("PUT", api + ISSUE_PROPERTY),
        _write("DELETE", api + ISSUE_PROPERTY),
        _write("PUT", api + PROJECT_PROPERTY),
        _write("DELETE", api + PROJECT_PROPERTY),
        _read("GET", api + EDIT_SCREEN),
        _read("GET", api + WORKLOGS),
        _read("GET", f"{api}/worklog/updated"),
        _read("GET", f"{api}/worklog/deleted"),
        _read("POST", f"{api}/worklog/list"),
        _read("GET", api + COMMENTS),
        _read("GET", api + COMMENT_PROPERTY),
        _write("POST", api + COMMENTS, repeatable=False),
        _write("PUT", api + COMMENT),
        _write("DELETE", api + COMMENT),
    )


_CLOUD = (
    _read("GET", f"{CLOUD_API}/project/search"),
    _read("GET", f"{CLOUD_API}/users/search"),
    _read("POST", CLOUD_API + SEARCH),
    _read("POST", CLOUD_API + BULK_FETCH),
    _read("POST", CLOUD_API + HISTORIES),
    _read("POST", CLOUD_API + PERMISSIONS),
    _read("GET", CLOUD_API + BULK_QUEUE),
    _read("GET", CLOUD_API + TASK),
    _write("POST", CLOUD_API + BULK_EDIT),
    _write("POST", CLOUD_API + PROPERTIES),
    _write("POST", CLOUD_API + PROPERTIES_EACH),
    _write("DELETE", CLOUD_API + PROPERTIES_GONE),
)
_SERVER = (
    _read("GET", f"{SERVER_API}/project"),
    _read("GET", SERVER_API + PROJECT_PROPERTY),
    _read("GET", f"{SERVER_API}/user/list"),
    _read("GET", f"{SERVER_API}/mypermissions"),
    _read("POST", SERVER_API + SEARCH_BY_OFFSET),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *_on_both(CLOUD_API),
    *_on_both(SERVER_API),
    *_CLOUD,
    *_SERVER,
    _read("GET", f"{AGILE}/sprint/{{id}}"),
    _read("GET", f"{AGILE}/board"),
    _read("GET", f"{AGILE}/board/{{id}}/configuration"),
)
