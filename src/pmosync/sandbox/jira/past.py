"""Writes what people did before a test began: hours logged, fields moved; with the dates it is told.

It keeps the promise that such a past looks as if it had come over the API: histories, sums and dates agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..state import State, as_json
from . import issues, log
from .tables import milliseconds, stamp


def add_history(
    state: State, issue_key: str, author: str, at: datetime, field: str, before: Any, after: Any, *,
    metadata: dict[str, Any] | None = None, bump: bool = True,
) -> int:  # fmt: skip
    """Say that `author` moved a field at an instant; returns the entry's id. The issue's own value stays as it is.

    `field` is an id such as `duedate` or `status`, or a name that has no id such as `Link`. Values are as the issue
    shows them (a status or a person as a document, a parent as `{"id", "key"}`); of a name without an id they are
    texts. With `bump` the issue's `updated` is not older than the entry.
    """
    row = _issue(state, issue_key)
    items = (
        [log.plain(field, (before, before), (after, after))]
        if field in log.WITHOUT_ID
        else log.moved(state, field, before, after)
    )
    created_ms = milliseconds(at)
    log.add(state, row["id"], author, created_ms, items, metadata)
    if bump:
        _bump(state, row["id"], {}, created_ms)
    last = state.row("SELECT max(id) AS last FROM jira_history")
    return int(last["last"]) if last else 0


def add_worklog(
    state: State, issue_key: str, author: str, seconds: int, *, started_at: datetime,
    logged_at: datetime | None = None, comment: str | None = None, counted: bool = True,
    visibility: dict[str, Any] | None = None,
) -> int:  # fmt: skip
    """Log time on an issue; returns the worklog's id. `logged_at` (default: `started_at`) is when it was entered.

    `counted` False leaves the issue's own sums, dates and history alone: they were seeded with it already.
    """
    row = _issue(state, issue_key)
    now = milliseconds(logged_at or started_at)
    number = insert_worklog(state, row["id"], author, seconds, milliseconds(started_at), now, comment, visibility)
    if counted:
        fields = issues.fields_of(row)
        changes = spent(fields, seconds)
        items = [item for name, value in changes.items() if not name.startswith("aggregate")
                 for item in log.moved(state, name, fields.get(name), value)]  # fmt: skip
        log.add(state, row["id"], author, now, items)
        _bump(state, row["id"], changes, now)
    return number


def insert_worklog(
    state: State, issue_id: int, author: str, seconds: int, started_ms: int, now: int, comment: Any,
    visibility: Any = None, properties: Any = None, number: int | None = None,
) -> int:  # fmt: skip
    """Add a worklog's row and return its id."""
    if number is None:
        last = state.row("SELECT max(id) AS last FROM jira_worklog")
        number = max(9999, (last and last["last"]) or 0) + 1
    state.db.execute(
        "INSERT INTO jira_worklog VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number, issue_id, author, author, now, now, started_ms, seconds, as_json(comment), as_json(visibility),
            as_json(properties or []),
        ),
    )  # fmt: skip
    return int(number)


def spent(fields: issues.Fields, seconds: int, estimate: int | None = None) -> issues.Fields:
    """What logging time changes in an issue: the time spent, and the remaining estimate unless one is given."""
    left = fields.get("timeestimate")
    if estimate is None and left is not None:
        estimate = max(0, left - seconds)
    changes: issues.Fields = {"timespent": max(0, (fields.get("timespent") or 0) + seconds)}
    if estimate is not None and estimate != left:
        changes["timeestimate"] = estimate
    return changes | {f"aggregate{name}": value for name, value in changes.items()}


def _bump(state: State, issue_id: int, changes: issues.Fields, at_ms: int) -> None:
    row = issues.find(state, str(issue_id))
    if row:
        fields = issues.fields_of(row) | changes
        if at_ms > (row["updated_ms"] or 0):
            fields["updated"] = stamp(at_ms)
        issues.save(state, issue_id, fields)


def _issue(state: State, key: str) -> dict[str, Any]:
    row = issues.find(state, key)
    if row is None:
        raise KeyError(f"no Jira issue {key}: add_issue first")
    return row
