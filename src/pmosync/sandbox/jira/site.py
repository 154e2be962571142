"""Serves what a Jira site says about itself: server, account, fields, projects, users, statuses, permissions.

It keeps the promise that lists are paged and filtered to what the caller may see, as Jira's are.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ..answers import Refused
from ..call import Call, Handler, Rule
from ..state import State, from_json
from . import access, issues, render, seed
from .access import GLOBAL_PERMISSIONS, PROJECT_PERMISSIONS, refusal
from .tables import SITE, milliseconds, stamp, things


def rules(state: State) -> list[Rule]:
    """The site's own part of the API."""
    api = "/rest/api/3"
    return [
        (("GET",), f"{api}/serverInfo", _server_info),
        (("GET",), f"{api}/myself", _myself),
        (("GET",), f"{api}/configuration", _configuration),
        (("GET",), f"{api}/status", _listing("status")),
        (("GET",), f"{api}/issuetype", _listing("issuetype")),
        (("GET",), f"{api}/priority", _listing("priority")),
        (("GET",), f"{api}/resolution", _listing("resolution")),
        (("GET",), f"{api}/users/search", _users),
        (("GET",), f"{api}/user", _user),
        (("GET",), f"{api}/user/search", _find_users),
        (("POST",), f"{api}/permissions/check", _check_permissions),
        (("GET",), f"{api}/mypermissions", _my_permissions),
    ]


def _server_info(call: Call) -> Response:
    body = {
        "baseUrl": SITE,
        "displayUrl": SITE,
        "version": "1001.0.0-SNAPSHOT",
        "versionNumbers": [1001, 0, 0],
        "deploymentType": "Cloud",
        "buildNumber": 100302,
        "buildDate": "2026-11-02T09:00:00.000+0000",
        "serverTime": stamp(milliseconds(call.state.now())),
        "scmInfo": "0" * 40,
        "serverTitle": "Jira",
        "serverTimeZone": "Etc/UTC",
    }
    return render.answer(call, body)


def _myself(call: Call) -> Response:
    document = seed.user_document(call.state, call.user["id"]) or {}
    extra = {
        "locale": "en_GB",
        "groups": {"size": 0, "items": []},
        "applicationRoles": {"size": 1, "items": []},
        "expand": "groups,applicationRoles",
    }
    return render.answer(call, document | extra)


def _configuration(call: Call) -> Response:
    body = {
        "votingEnabled": True,
        "watchingEnabled": True,
        "unassignedIssuesAllowed": True,
        "subTasksEnabled": True,
        "issueLinkingEnabled": True,
        "timeTrackingEnabled": True,
        "attachmentsEnabled": True,
        "timeTrackingConfiguration": {
            "workingHoursPerDay": 8.0, "workingDaysPerWeek": 5.0, "timeFormat": "pretty", "defaultUnit": "minute",
        },
    }  # fmt: skip
    return render.answer(call, body)


def _listing(kind: str) -> Handler:
    def listing(call: Call) -> Response:
        return render.answer(call, things(call.state, kind))

    return listing


def _users(call: Call) -> Response:
    """Users by page: the inactive ones too, as Jira lists them."""
    start, size = access.page_asked(call, 50, 1000)
    rows = call.state.rows("SELECT document FROM jira_user ORDER BY rowid LIMIT ? OFFSET ?", (size, start))
    return render.answer(call, [from_json(row["document"]) for row in rows])


def _user(call: Call) -> Response:
    found = seed.user_document(call.state, call.query.get("accountId", ""))
    if found is None:
        raise Refused(404, refusal("Specified user does not exist or you do not have required permissions"))
    return render.answer(call, found)


def _find_users(call: Call) -> Response:
    """Active users whose name, address or id contains the query."""
    start, size = access.page_asked(call, 50, 1000)
    wanted = call.query.get("accountId") or call.query.get("query", "")
    rows = call.state.rows("SELECT document FROM jira_user ORDER BY rowid")
    users = [from_json(row["document"]) for row in rows]
    names = ("accountId", "displayName", "emailAddress")
    found = [
        user
        for user in users
        if user["active"] and any(wanted.lower() in str(user.get(name, "")).lower() for name in names)
    ]
    return render.answer(call, found[start : start + size])


def page_of(values: list[Any], start: int, size: int, total: int, address: str) -> dict[str, Any]:
    """A page of a list, as the platform's API answers it."""
    body: dict[str, Any] = {
        "self": f"{address}?maxResults={size}&startAt={start}", "maxResults": size, "startAt": start, "total": total,
        "isLast": start + size >= total, "values": values,
    }  # fmt: skip
    if not body["isLast"]:
        body["nextPage"] = f"{address}?maxResults={size}&startAt={start + size}"
    return body


# -- permissions ------------------------------------------------------------------------------------------------------


def _check_permissions(call: Call) -> Response:
    given = call.body if isinstance(call.body, dict) else {}
    account_id = given.get("accountId") or call.user["id"]
    if account_id != call.user["id"] and not access.is_admin(call.state, call.user["id"]):
        raise Refused(403, refusal("You do not have permission to check another user's permissions."))
    granted: list[dict[str, Any]] = []
    for asked in given.get("projectPermissions") or []:
        projects, wanted = asked.get("projects") or [], asked.get("issues") or []
        if len(projects) > 1000 or len(wanted) > 1000:
            raise Refused(400, refusal("At most 1000 projects and 1000 issues can be checked at once."))
        for permission in asked["permissions"]:
            if permission not in PROJECT_PERMISSIONS:
                raise Refused(400, refusal(f"Unrecognized permission: {permission}"))
            granted.append(
                {
                    "permission": permission,
                    "issues": [one for one in wanted if _issue_grants(call, account_id, one, permission)],
                    "projects": [one for one in projects if _grants(call, account_id, int(one), permission)],
                }
            )
    known = [one for one in given.get("globalPermissions") or [] if one in GLOBAL_PERMISSIONS]
    if len(known) != len(given.get("globalPermissions") or []):
        raise Refused(400, refusal("Unrecognized global permission."))
    allowed = [one for one in known if access.may_globally(call.state, account_id, one)]
    return render.answer(call, {"projectPermissions": granted, "globalPermissions": allowed})


def _grants(call: Call, account_id: str, project_id: int, permission: str) -> bool:
    known = call.state.row("SELECT 1 FROM jira_project WHERE id = ?", (project_id,))
    return known is not None and access.may(call.state, account_id, project_id, permission)


def _issue_grants(call: Call, account_id: str, issue_id: Any, permission: str) -> bool:
    row = issues.find(call.state, str(issue_id))
    return (
        row is not None
        and access.sees(call.state, account_id, row)
        and access.may(call.state, account_id, row["project_id"], permission)
    )


def _my_permissions(call: Call) -> Response:
    wanted = [one for one in call.query.get("permissions", "").split(",") if one]
    if not wanted:
        message = "The 'permissions' query parameter is required."
        raise Refused(400, refusal(message))
    unknown = [one for one in wanted if one not in PROJECT_PERMISSIONS and one not in GLOBAL_PERMISSIONS]
    if unknown:
        raise Refused(400, refusal(f"Unrecognized permission: {unknown[0]}"))
    project_id = _project_asked(call)
    found = {}
    for number, name in enumerate((*PROJECT_PERMISSIONS, *GLOBAL_PERMISSIONS), 1):
        if name in wanted:
            local = name in PROJECT_PERMISSIONS
            found[name] = {
                "id": str(number), "key": name, "name": PROJECT_PERMISSIONS.get(name) or GLOBAL_PERMISSIONS[name],
                "type": "PROJECT" if local else "GLOBAL", "description": "",
                "havePermission": _have(call, name, project_id),
            }  # fmt: skip
    return render.answer(call, {"permissions": found})


def _have(call: Call, permission: str, project_id: int | None) -> bool:
    if permission in GLOBAL_PERMISSIONS:
        return access.may_globally(call.state, call.user["id"], permission)
    if project_id is not None:
        return access.may(call.state, call.user["id"], project_id, permission)
    return any(access.may(call.state, call.user["id"], row["id"], permission) for row in _live(call))


def _live(call: Call) -> list[dict[str, Any]]:
    return call.state.rows("SELECT id FROM jira_project WHERE id NOT IN (SELECT project_id FROM jira_project_state)")


def _project_asked(call: Call) -> int | None:
    query = call.query
    if query.get("projectKey") or query.get("projectId"):
        return int(access.seen_project(call, query.get("projectKey") or query["projectId"])["id"])
    if query.get("issueKey") or query.get("issueId"):
        return int(access.seen_issue(call, query.get("issueKey") or query["issueId"])["project_id"])
    return None
