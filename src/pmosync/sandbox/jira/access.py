"""Decides what an account may see and do on the Jira site, and refuses in Jira's words.

It keeps the promise that what an account cannot see looks to it exactly like what does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..answers import Refused
from ..call import Call
from ..state import State
from . import issues, switches

PROJECT_PERMISSIONS = {
    "BROWSE_PROJECTS": "Browse Projects",
    "CREATE_ISSUES": "Create Issues",
    "EDIT_ISSUES": "Edit Issues",
    "DELETE_ISSUES": "Delete Issues",
    "LINK_ISSUES": "Link Issues",
    "ADD_COMMENTS": "Add Comments",
    "EDIT_OWN_COMMENTS": "Edit Own Comments",
    "EDIT_ALL_COMMENTS": "Edit All Comments",
    "DELETE_OWN_COMMENTS": "Delete Own Comments",
    "DELETE_ALL_COMMENTS": "Delete All Comments",
    "ASSIGN_ISSUES": "Assign Issues",
    "TRANSITION_ISSUES": "Transition Issues",
    "SCHEDULE_ISSUES": "Schedule Issues",
    "MOVE_ISSUES": "Move Issues",
    "MANAGE_SPRINTS_PERMISSION": "Manage sprints",
    "WORK_ON_ISSUES": "Work On Issues",
    "EDIT_OWN_WORKLOGS": "Edit Own Worklogs",
    "EDIT_ALL_WORKLOGS": "Edit All Worklogs",
    "DELETE_OWN_WORKLOGS": "Delete Own Worklogs",
    "DELETE_ALL_WORKLOGS": "Delete All Worklogs",
    "ADMINISTER_PROJECTS": "Administer Projects",
}
GLOBAL_PERMISSIONS = {
    "ADMINISTER": "Administer Jira",
    "BULK_CHANGE": "Make bulk changes",
    "USER_PICKER": "Browse users and groups",
}
FOR_ADMINS = {
    "ADMINISTER_PROJECTS", "MANAGE_SPRINTS_PERMISSION", "DELETE_ISSUES",
    "EDIT_ALL_WORKLOGS", "DELETE_ALL_WORKLOGS", "EDIT_ALL_COMMENTS",
    "DELETE_ALL_COMMENTS",
}  # fmt: skip
MEMBERS = frozenset(PROJECT_PERMISSIONS) - FOR_ADMINS
IN_AN_ARCHIVE = frozenset({"BROWSE_PROJECTS", "ADMINISTER_PROJECTS"})
BY_ROLE = {
    "admin": frozenset(PROJECT_PERMISSIONS),
    "member": MEMBERS,
    "viewer": frozenset({"BROWSE_PROJECTS"}),
    "none": frozenset(),
}


def is_admin(state: State, account_id: str) -> bool:
    """Whether an account administers Jira itself."""
    row = state.row("SELECT admin FROM jira_user WHERE account_id = ?", (account_id,))
    return bool(row and row["admin"])


def may(state: State, account_id: str, project_id: int, permission: str) -> bool:
    """Whether an account has a project permission. Who administers Jira administers every project it may see.

    A permission granted or taken away singly counts more than the role; a project in the trash nobody sees, and of an
    archived one nobody changes anything.
    """
    names = {"project": project_id, "account": account_id, "permission": permission}
    row = state.row(_RIGHTS, names) or {}
    if row["status"] == "deleted" or (row["status"] == "archived" and permission not in IN_AN_ARCHIVE):
        return False
    return _may(state, account_id, project_id, permission, row)


def may_when_live(state: State, account_id: str, project_id: int, permission: str) -> bool:
    """Whether an account has a project permission, were the project neither archived nor in the trash."""
    row = state.row(_RIGHTS, {"project": project_id, "account": account_id, "permission": permission}) or {}
    return _may(state, account_id, project_id, permission, row)


def _may(state: State, account_id: str, project_id: int, permission: str, row: dict[str, Any]) -> bool:
    if row["granted"] is not None:
        return bool(row["granted"])
    if _withdrawn(state, account_id, permission, project_id):
        return False
    role = row["role"] or "member"
    if permission == "ADMINISTER_PROJECTS" and role != "none" and is_admin(state, account_id):
        return True
    return permission in BY_ROLE[role]


_RIGHTS = """
SELECT (SELECT role FROM jira_role WHERE project_id = :project AND account_id = :account) AS role,
    (SELECT status FROM jira_project_state WHERE project_id = :project) AS status,
    (SELECT granted FROM jira_grant
        WHERE project_id = :project AND account_id = :account AND permission = :permission) AS granted
"""


def may_globally(state: State, account_id: str, permission: str) -> bool:
    """Whether an account has a global permission: making bulk changes is granted to whoever administers a project."""
    sql = "SELECT granted FROM jira_grant WHERE project_id = 0 AND account_id = ? AND permission = ?"
    if granted := state.row(sql, (account_id, permission)):
        return bool(granted["granted"])
    if permission == "USER_PICKER" or is_admin(state, account_id):
        return permission in GLOBAL_PERMISSIONS
    if _withdrawn(state, account_id, permission):
        return False
    administers = "SELECT 1 FROM jira_role WHERE account_id = ? AND role = 'admin'"
    return permission == "BULK_CHANGE" and state.row(administers, (account_id,)) is not None


def _withdrawn(state: State, account_id: str, permission: str, project_id: int | None = None) -> bool:
    """Whether a switch takes a permission from everybody who does not administer Jira."""
    names = switches.get(state, "withdrawn")
    if not names or is_admin(state, account_id):
        return False
    project = state.row("SELECT key FROM jira_project WHERE id = ?", (project_id,))
    return permission in names or (project is not None and f"{project['key']} {permission}" in names)


def hidden_projects(state: State, account_id: str) -> list[int]:
    """The projects an account cannot see."""
    rows = state.rows("SELECT id FROM jira_project")
    return [row["id"] for row in rows if not may(state, account_id, row["id"], "BROWSE_PROJECTS")]


def hidden_issues(state: State, account_id: str) -> set[int]:
    """The issues that issue-level security hides from an account in projects it sees."""
    return {row["issue_id"] for row in state.rows("SELECT issue_id FROM jira_hidden WHERE account_id = ?",
                                                  (account_id,))}  # fmt: skip


def sees(state: State, account_id: str, row: dict[str, Any]) -> bool:
    """Whether an account sees an issue, by its row."""
    if not may(state, account_id, row["project_id"], "BROWSE_PROJECTS"):
        return False
    sql = "SELECT 1 FROM jira_hidden WHERE issue_id = ? AND account_id = ?"
    return state.row(sql, (row["id"], account_id)) is None


def finds_project(state: State, account_id: str, project_id: int) -> bool:
    """Whether a query of an account may name a project: it is visible and, but for a switch, not archived."""
    archived = "SELECT 1 FROM jira_project_state WHERE project_id = ? AND status = 'archived'"
    if not switches.get(state, "archived_in_search") and state.row(archived, (project_id,)):
        return False
    return may(state, account_id, project_id, "BROWSE_PROJECTS")


def searchable(state: State, account_id: str) -> str:
    """The condition under which an issue's row is found by the account: visible, and not archived."""
    hidden = set(hidden_projects(state, account_id))
    conditions = []
    if not switches.get(state, "archived_in_search"):
        archived = "SELECT project_id FROM jira_project_state WHERE status = 'archived'"
        hidden |= {row["project_id"] for row in state.rows(archived)}
        conditions = ["id NOT IN (SELECT issue_id FROM jira_archived)"]
    for column, numbers in (("project_id", hidden), ("id", hidden_issues(state, account_id))):
        if numbers:
            conditions.append(f"{column} NOT IN ({', '.join(map(str, sorted(numbers)))})")
    return " AND ".join(conditions) or "1"


def seen_project(call: Call, reference: str) -> dict[str, Any]:
    """The row of a project by id or key, or the refusal of an invisible one."""
    column = "id" if reference.isdigit() else "key"
    row = call.state.row(f"SELECT * FROM jira_project WHERE {column} = ?", (reference,))
    if row is None and column == "key":
        old = "SELECT number FROM jira_old_key WHERE key = ? AND kind = 'project'"
        row = call.state.row(f"SELECT * FROM jira_project WHERE id = ({old})", (reference,))
    if row is None or not may(call.state, call.user["id"], row["id"], "BROWSE_PROJECTS"):
        what = "id" if reference.isdigit() else "key"
        raise Refused(404, refusal(f"No project could be found with {what} '{reference}'."))
    return row


def visible_issue(call: Call, reference: str) -> dict[str, Any] | None:
    """The row of an issue by id or key, if the account sees it."""
    row = issues.find(call.state, reference)
    return row if row and sees(call.state, call.user["id"], row) else None


def visible_issues(call: Call, references: Iterable[Any]) -> list[dict[str, Any] | None]:
    """The rows of many issues by ids or keys: None for each that the account does not see."""
    hidden = hidden_issues(call.state, call.user["id"])
    seen: dict[int, bool] = {}
    found: list[dict[str, Any] | None] = []
    for reference in references:
        row = issues.find(call.state, str(reference))
        if row and row["project_id"] not in seen:
            seen[row["project_id"]] = may(call.state, call.user["id"], row["project_id"], "BROWSE_PROJECTS")
        found.append(row if row and seen[row["project_id"]] and row["id"] not in hidden else None)
    return found


def seen_issue(call: Call, reference: str) -> dict[str, Any]:
    """The row of an issue by id or key, or the refusal of an invisible one."""
    row = visible_issue(call, reference)
    if row is None:
        raise Refused(404, refusal("Issue does not exist or you do not have permission to see it."))
    archived = "SELECT 1 FROM jira_archived WHERE issue_id = ?"
    changes = call.request.method not in ("GET", "HEAD") and not call.template.endswith(("/archive", "/restore"))
    if changes and call.state.row(archived, (row["id"],)):
        raise Refused(400, refusal("This issue is archived. Restore it to make changes."))
    return row


def in_circle(state: State, account_id: str, project_id: int, visibility: Any) -> bool:
    """Whether an account is among those that a comment or worklog is restricted to: here a role in the project.

    The role Administrators is that of who administers the project; every other role, and every group, has all members.
    """
    if not visibility:
        return True
    name = str(visibility.get("value") or visibility.get("identifier") or "")
    needed = "ADMINISTER_PROJECTS" if name == "Administrators" else "EDIT_ISSUES"
    return may(state, account_id, project_id, needed)


def need(call: Call, project_id: int, permission: str) -> None:
    """Refuse with 403 unless the account has a project permission."""
    if not may(call.state, call.user["id"], project_id, permission):
        name = PROJECT_PERMISSIONS[permission]
        raise Refused(403, refusal(f"You do not have the permission '{name}' in this project."))


def refusal(message: str | None = None, **errors: str) -> dict[str, Any]:
    """Jira's error body."""
    return {"errorMessages": [] if message is None else [message], "errors": errors}


def page_asked(call: Call, usual: int, most: int) -> tuple[int, int]:
    """Where the asked page starts and how long it may be: `startAt` and `maxResults`."""
    given = (call.query.get("startAt", "0"), call.query.get("maxResults", str(usual)))
    if not all(number.isdigit() for number in given):
        raise Refused(400, refusal("The parameters startAt and maxResults must be whole numbers and not negative."))
    return int(given[0]), min(most, int(given[1]))
