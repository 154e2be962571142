"""Lets searches see issues as they were a while ago, because a search index comes after what was written.

It keeps the promise that only searches and counts lag: whoever reads an issue by its id or key sees it as it is.
"""

from __future__ import annotations

from collections.abc import Collection

from ..state import State, as_json, from_json
from . import switches
from .tables import milliseconds

COLUMNS = (
    "id, key, number, project_id, type_id, status_id, priority_id, resolution_id, assignee, reporter, parent_id, due, "
    "created_ms, updated_ms, resolved_ms, loaded, fields"
)


def remember(state: State, issue_id: int) -> None:
    """Keep how an issue is, because it is about to change; while the index does not lag, nothing is kept."""
    lag_s = switches.get(state, "index_lag_s")
    if not lag_s:
        return
    now = milliseconds(state.now())
    state.db.execute("DELETE FROM jira_before WHERE seen_ms < ?", (now - lag_s * 1000,))
    rows = state.rows("SELECT key, value FROM jira_property WHERE entity = 'issue' AND entity_id = ?", (issue_id,))
    kept = as_json({row["key"]: from_json(row["value"]) for row in rows})
    cursor = state.db.execute(
        f"INSERT INTO jira_before (seen_ms, there, properties, {COLUMNS}) "
        f"SELECT ?, 1, ?, {COLUMNS} FROM jira_issue WHERE id = ?",
        (now, kept, issue_id),
    )
    if cursor.rowcount == 0:
        sql = "INSERT INTO jira_before (seen_ms, there, properties, id) VALUES (?, 0, '{}', ?)"
        state.db.execute(sql, (now, issue_id))


def source(state: State, reconciled: Collection[int] = ()) -> str:
    """What a search selects from: issues as the index has them, and the `reconciled` ones as they are."""
    lag_s = switches.get(state, "index_lag_s")
    rows = []
    if lag_s:
        since = milliseconds(state.now()) - lag_s * 1000
        rows = state.rows("SELECT id, min(n) AS n FROM jira_before WHERE seen_ms > ? GROUP BY id", (since,))
    old = {row["id"]: row["n"] for row in rows if row["id"] not in reconciled}
    if not old:
        return "jira_issue"
    ids, numbers = (", ".join(map(str, numbers)) for numbers in (old, old.values()))
    return (
        f"(SELECT {COLUMNS}, NULL AS old_properties FROM jira_issue WHERE id NOT IN ({ids}) UNION ALL "
        f"SELECT {COLUMNS}, properties AS old_properties FROM jira_before WHERE n IN ({numbers}) AND there) "
        "AS jira_issue"
    )
