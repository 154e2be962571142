"""Adds to a sandbox's state file what the exports of the trackers lack, made from their own dates and people.

* A history for every issue: it was given to whom it is assigned now, got its versions, went to work and to its present
  status, on days between its creation and its last update. Deterministic, three to five entries each.
* A worklog for every issue with time spent and no worklog of its own.
* An empty page of comments where the export has none: every real Jira gives one, and `tap-jira` relies on it.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NO_COMMENTS = {"comments": [], "startAt": 0, "maxResults": 0, "total": 0}
BOT = "pmo-bot"
Row = tuple[Any, ...]


def add(state: Path) -> dict[str, int]:
    """Add everything, in a process of its own, so that this one stays small; says how many rows of each."""
    done = subprocess.run([sys.executable, __file__, str(state)], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def _add(state: Path) -> dict[str, int]:
    database = sqlite3.connect(state)
    with database:
        made = database.execute(
            "UPDATE jira_issue SET fields = json_set(fields, '$.comment', json(?)) "
            "WHERE json_extract(fields, '$.comment') IS NULL",
            (json.dumps(NO_COMMENTS),),
        ).rowcount
        told = {int(one) for (one,) in database.execute("SELECT DISTINCT issue_id FROM jira_history")}
        logged = {int(one) for (one,) in database.execute("SELECT DISTINCT issue_id FROM jira_worklog")}
        issues = database.execute("SELECT id, created_ms, updated_ms, fields FROM jira_issue ORDER BY id").fetchall()
        histories: list[Row] = []
        worklogs: list[Row] = []
        for issue_id, created_ms, updated_ms, text in issues:
            fields = json.loads(text)
            if issue_id not in told:
                histories += _history(issue_id, created_ms, updated_ms, fields)
            if fields.get("timespent") and issue_id not in logged:
                worklogs.append(_worklog(issue_id, updated_ms, fields))
        columns = "issue_id, author, created_ms, items"
        database.executemany(f"INSERT INTO jira_history ({columns}) VALUES (?, ?, ?, ?)", histories)
        columns = (
            "issue_id, author, editor, created_ms, updated_ms, started_ms, seconds, comment, visibility, properties"
        )
        database.executemany(f"INSERT INTO jira_worklog ({columns}) VALUES ({', '.join('?' * 10)})", worklogs)
    database.close()
    return {"histories": len(histories), "worklogs": len(worklogs), "empty comments": made}


def thin(state: Path, count: int) -> None:
    """Keep so many issues, evenly spread."""
    database = sqlite3.connect(state)
    with database:
        (have,) = database.execute("SELECT count(*) FROM jira_issue").fetchone()
        kept_ids = (
            "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM jira_issue) "
            f"WHERE n * {count} / {have} > (n - 1) * {count} / {have}"
        )
        database.execute(f"DELETE FROM jira_issue WHERE id NOT IN ({kept_ids})")
        for name in ("jira_history", "jira_worklog"):
            database.execute(f"DELETE FROM {name} WHERE issue_id NOT IN (SELECT id FROM jira_issue)")
    database.close()


def _history(issue_id: int, created_ms: int, updated_ms: int, fields: dict[str, Any]) -> list[Row]:
    moves = list(_moves(fields))
    step = max(1, (updated_ms - created_ms) // (len(moves) + 1))
    author = _person(fields.get("reporter"))
    return [
        (issue_id, author, created_ms + step * number, json.dumps([move])) for number, move in enumerate(moves, start=1)
    ]


def _moves(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    status = fields["status"]
    if fields.get("assignee"):
        who = fields["assignee"]
        yield _move("assignee", None, None, _person(who), who.get("displayName") or _person(who))
    for version in (fields.get("fixVersions") or [])[:1]:
        yield _move("fixVersions", None, None, version["id"], version["name"])
    yield _move("priority", "3", "Medium", "2", "High")
    yield _move("status", "1", "Open", "3", "In Progress")
    yield _move("status", "3", "In Progress", status["id"], status["name"])


def _move(field: str, before: str | None, shown: str | None, after: str, name: str) -> dict[str, Any]:
    return {
        "field": field, "fieldtype": "jira", "fieldId": field,
        "from": before, "fromString": shown, "to": after, "toString": name,
    }  # fmt: skip


def _worklog(issue_id: int, updated_ms: int, fields: dict[str, Any]) -> Row:
    who = _person(fields.get("assignee") or fields.get("reporter"))
    return (issue_id, who, who, updated_ms, updated_ms, updated_ms, fields["timespent"], '""', "null", "[]")


def _person(user: dict[str, Any] | None) -> str:
    return str((user or {}).get("accountId") or BOT)


if __name__ == "__main__":
    print(json.dumps(_add(Path(sys.argv[1]))))
