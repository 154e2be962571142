"""Notices what a call changes in the Jira site, whichever handler does it: triggers that exist while they are needed.

It keeps the promise that no handler has to tell of its changes, that what a refused call did is not noticed, and that
without a webhook there is no trigger and no cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...state import State, from_json
from .tables import Row

WATCHED: dict[str, tuple[str, ...]] = {
    "jira_issue": ("INSERT", "DELETE"),
    "jira_history": ("INSERT",),
    "jira_comment": ("INSERT", "UPDATE", "DELETE"),
    "jira_worklog": ("INSERT", "UPDATE", "DELETE"),
    "jira_link": ("INSERT", "DELETE"),
    "jira_property": ("INSERT", "UPDATE", "DELETE"),
    "jira_version": ("INSERT", "UPDATE", "DELETE"),
    "jira_sprint": ("INSERT", "UPDATE", "DELETE"),
    "jira_project": ("INSERT", "UPDATE", "DELETE"),
    "jira_project_state": ("INSERT", "UPDATE", "DELETE"),
    "jira_task": ("INSERT", "UPDATE"),
}
RAW = """
CREATE TEMP TABLE IF NOT EXISTS webhook_raw (
    n INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, verb TEXT NOT NULL, old TEXT, new TEXT)
"""


@dataclass(frozen=True)
class Change:
    """One row that came, changed or went."""

    source: str
    verb: str
    """INSERT, UPDATE or DELETE."""
    old: Row
    new: Row

    @property
    def row(self) -> Row:
        """The row as it is now, or as it was last."""
        return self.new or self.old


def switch_on(state: State) -> None:
    """Create the triggers where they are missing."""
    if state.tuples("SELECT 1 FROM sqlite_temp_master WHERE name = 'webhook_jira_issue_insert'"):
        return
    state.db.execute(RAW)
    for table, verbs in WATCHED.items():
        columns = [row["name"] for row in state.rows("SELECT name FROM pragma_table_info(?)", (table,))]
        for verb in verbs if columns else ():
            state.db.execute(_trigger(table, verb, columns))


def switch_off(state: State) -> None:
    """Take the triggers away."""
    for (name,) in state.tuples("SELECT name FROM sqlite_temp_master WHERE type = 'trigger' AND name LIKE 'webhook_%'"):
        state.db.execute(f"DROP TRIGGER temp.{name}")


def position(state: State) -> int:
    """Where the changes to come will begin."""
    return int(state.tuples("SELECT coalesce(max(seq), 0) FROM temp.sqlite_sequence")[0][0])


def since(state: State, start: int) -> list[Change]:
    """What changed since a position, in order."""
    rows = state.rows("SELECT * FROM temp.webhook_raw WHERE n > ? ORDER BY n", (start,))
    return [
        Change(row["source"], row["verb"], from_json(row["old"]) or {}, from_json(row["new"]) or {}) for row in rows
    ]


def forget(state: State) -> None:
    """Throw away what was noticed so far."""
    state.db.execute("DELETE FROM temp.webhook_raw")


def _trigger(table: str, verb: str, columns: Iterable[str]) -> str:
    def whole(side: str) -> str:
        return f"json_object({', '.join(f'{name!r}, {side}.{name}' for name in columns)})"

    old = "NULL" if verb == "INSERT" else whole("OLD")
    new = "NULL" if verb == "DELETE" else whole("NEW")
    name = f"webhook_{table}_{verb.lower()}"
    into = f"INSERT INTO webhook_raw (source, verb, old, new) VALUES ({table!r}, {verb!r}, {old}, {new});"
    return f"CREATE TEMP TRIGGER IF NOT EXISTS {name} AFTER {verb} ON main.{table} BEGIN {into} END"
