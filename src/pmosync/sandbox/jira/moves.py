"""Moves issues between projects, renames projects, and puts issues and projects aside: archive, trash, end.

It keeps the promise that an issue and a project keep their ids for ever, and that an old key leads to what had it.
"""

from __future__ import annotations

from typing import Any

from ..state import State, as_json, from_json
from . import issues, lag, log
from .tables import milliseconds, stamp

STATUSES = ("live", "archived", "deleted")
OF_THE_PROJECT = ("fixVersions", "versions", "components")
"""Fields whose values belong to a project, so that a moved issue loses them."""
SHOWN = ("self", "id", "key", "name", "projectTypeKey", "simplified", "avatarUrls", "projectCategory")


def move_issue(state: State, issue_key: str, project_key: str, actor: str) -> str:
    """Move an issue and its subtasks to another project, as the account `actor`; returns its new key."""
    row, project = issues.find(state, issue_key), _project(state, project_key)
    if row is None:
        raise KeyError(f"no Jira issue {issue_key}: add_issue first")
    fields, now = issues.fields_of(row), milliseconds(state.now())
    key = f"{project['key']}-{issues.next_number(state, project['id'])}"
    shown = {name: value for name, value in from_json(project["document"]).items() if name in SHOWN}
    changes: issues.Fields = {"project": shown} | {name: [] for name in OF_THE_PROJECT if fields.get(name)}
    items = [log.plain("Key", (None, row["key"]), (None, key))]
    items += [item for name, value in changes.items() for item in log.moved(state, name, fields.get(name), value)]
    _rename(state, row, key, project["id"])
    issues.save(state, row["id"], fields | changes | {"updated": stamp(now)})
    log.add(state, row["id"], actor, now, items)
    state.changed("jira", actor, key, "moved", row["key"], key)
    for child in state.rows("SELECT * FROM jira_issue WHERE parent_id = ?", (row["id"],)):
        if issues.fields_of(child)["issuetype"].get("subtask"):
            move_issue(state, child["key"], project_key, actor)
    return key


def rename_project(state: State, project_key: str, new_key: str) -> None:
    """Give a project another key: every issue of it gets one too, and no date and no history says so."""
    project = _project(state, project_key)
    document = from_json(project["document"]) | {"key": new_key}
    sql = "UPDATE jira_project SET key = ?, document = ? WHERE id = ?"
    state.db.execute(sql, (new_key, as_json(document), project["id"]))
    state.db.execute("DELETE FROM jira_old_key WHERE key = ?", (new_key,))
    sql = "INSERT OR REPLACE INTO jira_old_key VALUES (?, 'project', ?)"
    state.db.execute(sql, (project["key"], project["id"]))
    for row in state.rows("SELECT * FROM jira_issue WHERE project_id = ?", (project["id"],)):
        _rename(state, row, f"{new_key}-{row['number']}", project["id"])
        fields = issues.fields_of(row)
        if fields.get("project"):
            fields["project"]["key"] = new_key
            issues.save(state, row["id"], fields)
    for row in state.rows("SELECT id, projects FROM jira_field WHERE projects IS NOT NULL"):
        keys = [new_key if key == project["key"] else key for key in from_json(row["projects"])]
        state.db.execute("UPDATE jira_field SET projects = ? WHERE id = ?", (as_json(keys), row["id"]))
    state.changed("jira", "", f"project {project['id']}", "key", project["key"], new_key)


def archive_issue(state: State, issue_key: str, actor: str, archived: bool = True) -> int:
    """Put an issue and its subtasks into the archive, or take them out; returns how many issues these were."""
    row = issues.find(state, issue_key)
    if row is None:
        raise KeyError(f"no Jira issue {issue_key}: add_issue first")
    children = state.rows("SELECT * FROM jira_issue WHERE parent_id = ?", (row["id"],))
    family = [row, *(one for one in children if issues.fields_of(one)["issuetype"].get("subtask"))]
    for one in family:
        if archived:
            sql = "INSERT OR IGNORE INTO jira_archived (issue_id, at_ms, actor) VALUES (?, ?, ?)"
            state.db.execute(sql, (one["id"], milliseconds(state.now()), actor))
        else:
            state.db.execute("DELETE FROM jira_archived WHERE issue_id = ?", (one["id"],))
    state.changed("jira", actor, row["key"], "archived", not archived, archived)
    return len(family)


def is_archived(state: State, issue_id: int) -> bool:
    """Whether an issue is in the archive."""
    return state.row("SELECT 1 FROM jira_archived WHERE issue_id = ?", (issue_id,)) is not None


def set_project_status(state: State, project_key: str, status: str, actor: str) -> None:
    """Archive a project, put it into the trash (`deleted`), or bring it back (`live`)."""
    if status not in STATUSES:
        raise ValueError(f"status {status!r} is none of {', '.join(STATUSES)}")
    project = _project(state, project_key)
    state.db.execute("DELETE FROM jira_project_state WHERE project_id = ?", (project["id"],))
    if status != "live":
        sql = "INSERT INTO jira_project_state (project_id, status, at_ms, actor) VALUES (?, ?, ?, ?)"
        state.db.execute(sql, (project["id"], status, milliseconds(state.now()), actor))
    state.changed("jira", actor, f"project {project['key']}", "status", None, status)


def _rename(state: State, row: dict[str, Any], key: str, project_id: int) -> None:
    """Give an issue a key, and let the one it had lead to it."""
    number = row["id"]
    lag.remember(state, number)
    sql = "UPDATE jira_issue SET key = ?, number = ?, project_id = ? WHERE id = ?"
    state.db.execute(sql, (key, int(key.rpartition("-")[2]), project_id, number))
    state.db.execute("DELETE FROM jira_old_key WHERE key = ?", (key,))
    state.db.execute("INSERT OR REPLACE INTO jira_old_key VALUES (?, 'issue', ?)", (row["key"], number))


def _project(state: State, key: str) -> dict[str, Any]:
    row = state.row("SELECT * FROM jira_project WHERE key = ?", (key,))
    if row is None:
        raise KeyError(f"no Jira project {key}: add_project first")
    return row
