"""Says who may do what on the Jira site, beyond the roles: single permissions, and issues hidden from an account.

It keeps the promise that a permission is named as Jira names it, and an unknown one is refused.
"""

from __future__ import annotations

from ..state import State
from . import issues
from .access import GLOBAL_PERMISSIONS, PROJECT_PERMISSIONS


def set_permission(
    state: State, account_id: str, permission: str, granted: bool | None = True, project_key: str | None = None
) -> None:
    """Grant an account a permission or take it away; None gives it back what its role has.

    `project_key` None is for the global ones, such as BULK_CHANGE.
    """
    known = GLOBAL_PERMISSIONS if project_key is None else PROJECT_PERMISSIONS
    if permission not in known:
        raise ValueError(f"permission {permission!r} is none of {', '.join(known)}")
    number = 0
    if project_key is not None:
        row = state.row("SELECT id FROM jira_project WHERE key = ?", (project_key,))
        if row is None:
            raise KeyError(f"no Jira project {project_key}: add_project first")
        number = row["id"]
    if granted is None:
        sql = "DELETE FROM jira_grant WHERE project_id = ? AND account_id = ? AND permission = ?"
        state.db.execute(sql, (number, account_id, permission))
        return
    sql = "INSERT OR REPLACE INTO jira_grant VALUES (?, ?, ?, ?)"
    state.db.execute(sql, (number, account_id, permission, int(granted)))


def hide_issue(state: State, issue_key: str, account_id: str, hidden: bool = True) -> None:
    """Hide an issue from an account as issue-level security does, or show it again."""
    row = issues.find(state, issue_key)
    if row is None:
        raise KeyError(f"no Jira issue {issue_key}: add_issue first")
    sql = "INSERT OR IGNORE INTO jira_hidden VALUES (?, ?)"
    if not hidden:
        sql = "DELETE FROM jira_hidden WHERE issue_id = ? AND account_id = ?"
    state.db.execute(sql, (row["id"], account_id))
