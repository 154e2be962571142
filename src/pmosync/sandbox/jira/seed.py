"""Fills the Jira site: users, projects, fields, issues and links, as a generated organisation or a test needs them.

It keeps the promise that what is seeded looks as if people had made it; nothing is recorded as a call or a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ..state import State, as_json, from_json
from . import issues, options
from .past import add_history, add_worklog
from .rights import hide_issue, set_permission
from .tables import CUSTOM_TYPES, SITE, milliseconds, prepare, stamp, thing, things

__all__ = [
    "add_field",
    "add_history",
    "add_issue",
    "add_link",
    "add_project",
    "add_token",
    "add_user",
    "add_watcher",
    "add_worklog",
    "hide_issue",
    "new_fields",
    "prepare",
    "set_permission",
    "set_role",
    "user_document",
]

ROLES = ("admin", "member", "viewer", "none")


def add_user(
    state: State, account_id: str, name: str, email: str, active: bool = True, admin: bool = False,
    time_zone: str = "Europe/Berlin",
) -> None:  # fmt: skip
    """Add an account. `admin` may administer Jira itself."""
    avatar = f"{SITE}/avatars/{account_id}"
    document = {
        "self": f"{SITE}/rest/api/3/user?accountId={account_id}",
        "accountId": account_id,
        "accountType": "atlassian",
        "emailAddress": email,
        "avatarUrls": {size: f"{avatar}-{size}.png" for size in ("48x48", "24x24", "16x16", "32x32")},
        "displayName": name,
        "active": active,
        "timeZone": time_zone,
    }
    state.db.execute(
        "INSERT OR REPLACE INTO jira_user (account_id, admin, document) VALUES (?, ?, ?)",
        (account_id, int(admin), as_json(document)),
    )


def add_token(state: State, user: str, token: str) -> None:
    """Let `token` sign in as the account `user`: as `email:token` (Basic) or as a bearer token."""
    document = user_document(state, user)
    if document is None:
        raise KeyError(f"no Jira user {user}: add_user first")
    account = {"id": user, "name": document["displayName"], "email": document.get("emailAddress")}
    state.add_token("jira", token, account)


def user_document(state: State, account_id: str | None) -> dict[str, Any] | None:
    """A user as issues embed it."""
    if account_id is None:
        return None
    row = state.row("SELECT document FROM jira_user WHERE account_id = ?", (account_id,))
    return from_json(row["document"]) if row else None


def add_field(
    state: State, id: str, name: str, schema: dict[str, Any], project_keys: Sequence[str] | None = None,
    choices: Sequence[str] = (),
) -> None:  # fmt: skip
    """Add a custom field, e.g. `("customfield_10015", "Start date", {"type": "date"})`.

    The schema's `custom` and `customId` are filled in when absent; its type may also be "text", a text of several
    lines. `project_keys` None: it is offered in every project. `choices` are the options of a select field.
    """
    if schema["type"] == "text":
        schema = {"type": "string", "custom": CUSTOM_TYPES["text"]}
    number = int(id.removeprefix("customfield_"))
    full = {"custom": CUSTOM_TYPES.get(schema["type"], CUSTOM_TYPES["any"]), "customId": number} | schema
    document = {
        "id": id,
        "key": id,
        "name": name,
        "custom": True,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": [f"cf[{number}]", name],
        "schema": full,
    }
    projects = None if project_keys is None else as_json(list(project_keys))
    state.db.execute(
        "INSERT OR REPLACE INTO jira_field (id, name, document, projects) VALUES (?, ?, ?, ?)",
        (id, name, as_json(document), projects),
    )
    options.add(state, id, choices)


def add_project(
    state: State, key: str, name: str, lead_account_id: str | None, style: str = "company",
    category: str | None = None, project_id: int | None = None, types: Sequence[str] = (), kind: str = "software",
) -> int:  # fmt: skip
    """Add a project (`style`: company or team) and return its id; its lead administers it.

    `kind` is software, business or service_desk.

    `types` are the names of the types of issue that can be made there; none: all that the site has.
    """
    last = state.row("SELECT max(id) AS last FROM jira_project")
    number = project_id or max(9999, (last and last["last"]) or 0) + 1
    document: dict[str, Any] = {
        "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
        "self": f"{SITE}/rest/api/3/project/{number}",
        "id": str(number),
        "key": key,
        "name": name,
        "avatarUrls": {"48x48": f"{SITE}/rest/api/3/universal_avatar/view/type/project/avatar/10400"},
        "projectTypeKey": kind,
        "simplified": style == "team",
        "style": "next-gen" if style == "team" else "classic",
        "isPrivate": False,
        "properties": {},
    }
    if types:
        document["types"] = list(types)
    if category:
        document["projectCategory"] = {
            "self": f"{SITE}/rest/api/3/projectCategory/{_number_of(category)}", "id": str(_number_of(category)),
            "name": category, "description": "",
        }  # fmt: skip
    lead = user_document(state, lead_account_id)
    if lead:
        document["lead"] = {name: value for name, value in lead.items() if name not in ("emailAddress", "timeZone")}
    state.db.execute(
        "INSERT INTO jira_project (id, key, name, document) VALUES (?, ?, ?, ?)", (number, key, name, as_json(document))
    )
    if lead_account_id:
        set_role(state, key, lead_account_id, "admin")
    return number


def set_role(state: State, project_key: str, account_id: str, role: str) -> None:
    """Say what an account is in a project: admin, member (everybody's default), viewer, or none (cannot see it)."""
    if role not in ROLES:
        raise ValueError(f"role {role!r} is none of {', '.join(ROLES)}")
    project = _project(state, project_key)
    state.db.execute(
        "INSERT OR REPLACE INTO jira_role (project_id, account_id, role) VALUES (?, ?, ?)",
        (project["id"], account_id, role),
    )


def add_watcher(state: State, issue_key: str, account_id: str) -> None:
    """Let an account watch an issue: it gets a mail for each edit that notifies."""
    row = _issue(state, issue_key)
    state.db.execute("INSERT OR IGNORE INTO jira_watcher VALUES (?, ?)", (row["id"], account_id))


def new_fields(state: State, project: dict[str, Any], issue_type: dict[str, Any], created_ms: int) -> issues.Fields:
    """The fields of an issue nobody has filled in yet."""
    document = from_json(project["document"])
    kept = ("self", "id", "key", "name", "projectTypeKey", "simplified", "avatarUrls", "projectCategory")
    return {
        "issuetype": issue_type,
        "project": {name: document[name] for name in kept if name in document},
        "summary": "", "description": None, "environment": None,
        "status": _first_status(state),
        "assignee": None, "reporter": None, "creator": None,
        "priority": thing(state, "priority", "Medium"),
        "labels": [], "components": [], "fixVersions": [], "versions": [],
        "duedate": None, "created": stamp(created_ms), "updated": stamp(created_ms),
        "resolution": None, "resolutiondate": None, "statuscategorychangedate": stamp(created_ms),
        "issuelinks": [], "subtasks": [],
        "timeoriginalestimate": None, "timeestimate": None, "timespent": None,
        "aggregatetimeoriginalestimate": None, "aggregatetimeestimate": None, "aggregatetimespent": None,
        "workratio": -1,
    }  # fmt: skip


def add_issue(
    state: State, project_key: str, type_name: str, summary: str, *, status: str = "To Do",
    assignee: str | None = None, reporter: str | None = None, priority: str | None = "Medium",
    due_on: date | None = None, start_on: date | None = None, estimate_s: int | None = None,
    spent_s: int | None = None, parent_key: str | None = None, labels: Sequence[str] = (),
    resolution: str | None = None, resolved_at: datetime | None = None, created_at: datetime,
    updated_at: datetime, fields: dict[str, Any] | None = None,
) -> str:  # fmt: skip
    """Add an issue and return its key. `fields` holds further values by field id, as Jira answers them."""
    project = _project(state, project_key)
    created_ms, updated_ms = milliseconds(created_at), milliseconds(updated_at)
    found = new_fields(state, project, _thing(state, "issuetype", type_name), created_ms)
    found |= {
        "summary": summary,
        "status": _thing(state, "status", status),
        "assignee": _user(state, assignee),
        "reporter": _user(state, reporter),
        "creator": _user(state, reporter),
        "priority": _thing(state, "priority", priority) if priority else None,
        "duedate": due_on.isoformat() if due_on else None,
        "labels": list(labels),
        "updated": stamp(updated_ms),
        "timeoriginalestimate": estimate_s,
        "timeestimate": None if estimate_s is None else max(0, estimate_s - (spent_s or 0)),
        "timespent": spent_s,
        "resolution": _thing(state, "resolution", resolution) if resolution else None,
        "resolutiondate": stamp(milliseconds(resolved_at)) if resolved_at else None,
        "statuscategorychangedate": stamp(updated_ms),
    }
    for name in ("timeoriginalestimate", "timeestimate", "timespent"):
        found[f"aggregate{name}"] = found[name]
    if parent_key:
        parent = _issue(state, parent_key)
        found["parent"] = {"id": str(parent["id"]), "key": parent["key"]}
    if start_on:
        found[_start_field(state)] = start_on.isoformat()
    found |= fields or {}
    key = f"{project_key}-{issues.next_number(state, project['id'])}"
    issues.insert(state, issues.next_id(state), key, project["id"], found, loaded=False)
    return key


def add_link(state: State, type_name: str, inward_key: str, outward_key: str) -> None:
    """Link two issues: with type Blocks, the inward one blocks the outward one."""
    state.db.execute(
        "INSERT OR IGNORE INTO jira_link (type_id, inward_id, outward_id) VALUES (?, ?, ?)",
        (
            _thing(state, "issueLinkType", type_name)["id"],
            _issue(state, inward_key)["id"],
            _issue(state, outward_key)["id"],
        ),
    )


def _first_status(state: State) -> dict[str, Any] | None:
    """Where a new issue starts: a loaded site has statuses of its own."""
    known = things(state, "status")
    started = [one for one in known if (one.get("statusCategory") or {}).get("key") == "new"]
    return next(iter([*started, *known]), None)


def _number_of(name: str) -> int:
    return 10000 + sum(name.encode()) % 1000


def _start_field(state: State) -> str:
    row = state.row("SELECT id FROM jira_field WHERE name = 'Start date'")
    if row is None:
        raise KeyError("no field 'Start date': add_field(state, 'customfield_10015', 'Start date', ...) first")
    return str(row["id"])


def _project(state: State, key: str) -> dict[str, Any]:
    row = state.row("SELECT * FROM jira_project WHERE key = ?", (key,))
    if row is None:
        raise KeyError(f"no Jira project {key}: add_project first")
    return row


def _issue(state: State, key: str) -> dict[str, Any]:
    row = issues.find(state, key)
    if row is None:
        raise KeyError(f"no Jira issue {key}: add_issue first")
    return row


def _thing(state: State, kind: str, name: str) -> dict[str, Any]:
    found = thing(state, kind, name)
    if found is None:
        raise KeyError(f"this Jira site has no {kind} {name!r}")
    return found


def _user(state: State, account_id: str | None) -> dict[str, Any] | None:
    if account_id is None:
        return None
    found = user_document(state, account_id)
    if found is None:
        raise KeyError(f"no Jira user {account_id}: add_user first")
    return found
