"""Keeps which webhooks are registered, by whom, which accounts are apps, and what is still to be delivered.

It keeps the promise that a webhook's secret is written once and shown to nobody, and that a restored snapshot has the
webhooks and the waiting deliveries it was taken with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...state import State, as_json, from_json

Row = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS jira_app (account_id TEXT PRIMARY KEY, kind TEXT NOT NULL, secret TEXT);
CREATE TABLE IF NOT EXISTS jira_webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT, owner TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL,
    events TEXT NOT NULL, jql TEXT NOT NULL, exclude_body INTEGER NOT NULL, secret TEXT, enabled INTEGER NOT NULL,
    field_ids TEXT, property_keys TEXT, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, expires_ms INTEGER);
CREATE TABLE IF NOT EXISTS jira_webhook_delivery (
    n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, identifier TEXT NOT NULL, hooks TEXT NOT NULL,
    app TEXT, event TEXT NOT NULL, about TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL,
    created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, retry INTEGER NOT NULL, status TEXT NOT NULL,
    answers TEXT NOT NULL, ended_ms INTEGER);
CREATE INDEX IF NOT EXISTS jira_webhook_delivery_due ON jira_webhook_delivery (status, due_ms);
"""

ISSUE = ("jira:issue_created", "jira:issue_updated", "jira:issue_deleted")
PROPERTY = ("issue_property_set", "issue_property_deleted")
COMMENT = ("comment_created", "comment_updated", "comment_deleted")
WORKLOG = ("worklog_created", "worklog_updated", "worklog_deleted")
SPRINT = ("sprint_created", "sprint_updated", "sprint_started", "sprint_closed", "sprint_deleted")
VERSION = (
    "jira:version_created", "jira:version_updated", "jira:version_released", "jira:version_unreleased",
    "jira:version_moved", "jira:version_merged", "jira:version_deleted",
)  # fmt: skip
PROJECT = (
    "project_created", "project_updated", "project_deleted", "project_soft_deleted", "project_restored_deleted",
    "project_archived", "project_restored_archived",
)  # fmt: skip
OTHERS = (
    "attachment_created", "attachment_deleted", "issuetype_created", "issuetype_updated", "issuetype_deleted",
    "filter_created", "filter_updated", "filter_deleted", "user_created", "user_updated", "user_deleted",
    "option_voting_changed", "option_watching_changed", "option_unassigned_issues_changed", "option_subtasks_changed",
    "option_attachments_changed", "option_issuelinks_changed", "option_timetracking_changed",
    "option_timetracking_provider_changed", "board_created", "board_updated", "board_deleted",
    "board_configuration_changed",
)  # fmt: skip
"""Events that can be asked for and that nothing in this site ever causes."""
OF_ISSUES = (*ISSUE, *PROPERTY, *COMMENT, *WORKLOG)
"""Events that JQL narrows down."""
FOR_APPS = (*ISSUE, *COMMENT, *PROPERTY, *SPRINT, *VERSION)
FOR_ADMINS = (*OF_ISSUES, "issuelink_created", "issuelink_deleted", *SPRINT, *VERSION, *PROJECT, *OTHERS)


def prepare(state: State) -> None:
    """Create the tables; what was delivered when, and the secrets, are no part of the site's content."""
    state.define(SCHEMA)
    state.leave_out("jira_webhook_delivery")
    state.leave_out("jira_webhook", "secret", "created_ms", "updated_ms", "expires_ms")
    state.leave_out("jira_app", "secret")


def hooks(state: State, where: str = "1", parameters: tuple[Any, ...] = ()) -> list[Row]:
    """Registered webhooks, in the order they were registered, with their lists read."""
    found = []
    for row in state.rows(f"SELECT * FROM jira_webhook WHERE {where} ORDER BY id", parameters):
        lists = {name: from_json(row[name]) for name in ("events", "field_ids", "property_keys")}
        found.append(row | lists)
    return found


def insert(state: State, row: Mapping[str, Any]) -> int:
    """Add a webhook and return its id."""
    stored = _stored(row)
    names, marks = ", ".join(stored), ", ".join(f":{name}" for name in stored)
    cursor = state.db.execute(f"INSERT INTO jira_webhook ({names}) VALUES ({marks})", stored)
    return int(cursor.lastrowid or 0)


def update(state: State, number: int, changes: Mapping[str, Any]) -> None:
    """Change a webhook."""
    stored = _stored(changes)
    assigned = ", ".join(f"{name} = :{name}" for name in stored)
    state.db.execute(f"UPDATE jira_webhook SET {assigned} WHERE id = :id", stored | {"id": number})


def _stored(row: Mapping[str, Any]) -> Row:
    return {name: as_json(value) if isinstance(value, list | tuple) else value for name, value in row.items()}
