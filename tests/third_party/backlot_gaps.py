"""What `backlot`, a Jira Cloud that others wrote, lacks of the calls that we make, and what is answered then."""

from __future__ import annotations

from typing import Any

from .gateway import Asked, Direct, Gap

API = "/rest/api/3"


def _absent(method: str, path: str, body: Any = None) -> Any:
    return lambda server: server.call(method, path, body).status_code in (404, 405)


def _issues(server: Direct) -> list[dict[str, Any]]:
    found: dict[str, Any] = server.data(
        "POST", f"{API}/search/jql", {"jql": "project is not empty", "maxResults": 5000}
    )
    rows: list[dict[str, Any]] = found["issues"]
    return rows


def _shown(name: str) -> Any:
    """A list of the site, made of what its issues show."""

    def fill(_: Asked, server: Direct) -> tuple[int, Any]:
        several = {one["fields"][name]["id"]: one["fields"][name] for one in _issues(server) if one["fields"][name]}
        return 200, list(several.values())

    return fill


def _people(server: Direct) -> list[dict[str, Any]]:
    several = [one["fields"][name] for one in _issues(server) for name in ("reporter", "assignee", "creator")]
    return list({who["accountId"]: who for who in several if who}.values())


def _users(asked: Asked, server: Direct) -> tuple[int, Any]:
    first, size = int(asked.one("startAt", "0")), int(asked.one("maxResults", "50"))
    return 200, _people(server)[first : first + size]


def _fetched(asked: Asked, server: Direct) -> tuple[int, Any]:
    found = [server.call("GET", f"{API}/issue/{one}") for one in asked.body["issueIdsOrKeys"]]
    return 200, {"issues": [answer.json() for answer in found if answer.ok], "issueErrors": []}


def _granted(asked: Asked, server: Direct) -> tuple[int, Any]:
    several = [
        {"permission": permission, "projects": one["projects"], "issues": []}
        for one in asked.body["projectPermissions"]
        for permission in one["permissions"]
    ]
    return 200, {"globalPermissions": [], "projectPermissions": several}


UNTOLD = {
    "duedate": {"type": "date"},
    "resolution": {"type": "resolution"},
    "resolutiondate": {"type": "datetime"},
    "components": {"type": "array", "items": "component"},
    "fixVersions": {"type": "array", "items": "version"},
}
"""Fields that its issues have and its list of fields does not."""


def _untold(server: Direct) -> bool:
    return not UNTOLD.keys() & {one["id"] for one in server.data("GET", f"{API}/field")}


def _fields(_: Asked, server: Direct) -> tuple[int, Any]:
    told: list[dict[str, Any]] = server.data("GET", f"{API}/field")
    return 200, told + [
        {"id": name, "name": name, "custom": False, "schema": schema | {"system": name}}
        for name, schema in UNTOLD.items()
    ]


GAPS = (
    Gap("GET /rest/api/3/field", "tells some of the fields that issues have", _untold, _fields),
    Gap("GET /rest/api/3/myself", "does not say whose token it is", _absent("GET", f"{API}/myself"),
        lambda _, server: (200, _people(server)[0])),
    Gap("GET /rest/api/3/status", "no list of statuses", _absent("GET", f"{API}/status"), _shown("status")),
    Gap("GET /rest/api/3/issuetype", "no list of types", _absent("GET", f"{API}/issuetype"), _shown("issuetype")),
    Gap("GET /rest/api/3/priority", "no list of priorities", _absent("GET", f"{API}/priority"), _shown("priority")),
    Gap("GET /rest/api/3/resolution", "no list of resolutions", _absent("GET", f"{API}/resolution"),
        _shown("resolution")),
    Gap("GET /rest/api/3/users/search", "no list of people", _absent("GET", f"{API}/users/search"), _users),
    Gap("GET /rest/agile/1.0/board", "no boards", _absent("GET", "/rest/agile/1.0/board"),
        lambda *_: (200, {"values": [], "isLast": True})),
    Gap("POST /rest/api/3/issue/bulkfetch", "issues one at a time only",
        _absent("POST", f"{API}/issue/bulkfetch", {"issueIdsOrKeys": ["PAY-1"]}), _fetched),
    Gap("POST /rest/api/3/permissions/check", "knows no permissions",
        _absent("POST", f"{API}/permissions/check", {"projectPermissions": []}), _granted),
)  # fmt: skip
"""What it lacks of the calls that we make."""


def _no_condition(server: Direct) -> bool:
    nothing = {"jql": "project = PAY AND updated >= 4102444800000 AND id in (1)", "maxResults": 5000}
    return len(server.data("POST", f"{API}/search/jql", nothing)["issues"]) == 240


def _no_lead(server: Direct) -> bool:
    return all("lead" not in one for one in server.data("GET", f"{API}/project/search", expand="lead")["values"])


def _no_custom_fields(server: Direct) -> bool:
    return not any(one["custom"] for one in server.data("GET", f"{API}/field"))


LESS = {
    "search/jql reads `project =` and `text ~` of a JQL text alone": _no_condition,
    "projects come without a lead, also when it is asked for": _no_lead,
    "there are no custom fields, and with them no sprints": _no_custom_fields,
}
"""What it answers with less than Jira does; nothing is answered in its place."""
