"""What the tests of the Data Center mode add to the small site: an initiative, a subtask, a board with two sprints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pmosync.sandbox.jira import planning, seed, tables
from pmosync.sandbox.state import State

WHEN: dict[str, Any] = {
    "created_at": datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
    "updated_at": datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
}
SPRINT = "customfield_10020"


@dataclass(frozen=True)
class Planted:
    """Keys and ids of what was added."""

    initiative: str
    epic: str
    story: str
    subtask: str
    board: int
    active: int
    future: int


def plant(state: State) -> Planted:
    """Add it; call before the site is switched to Data Center."""
    with state.transaction():
        kind = {"id": "10900", "name": "Initiative", "subtask": False, "hierarchyLevel": 2, "description": ""}
        tables.add_thing(state, "issuetype", "10900", "Initiative", kind)
        seed.add_field(state, SPRINT, "Sprint", planning.SPRINT_SCHEMA)
        board = planning.add_board(state, "OPS board", "OPS")
        begin, end = datetime(2026, 2, 23, 8, tzinfo=UTC), datetime(2026, 3, 9, 8, tzinfo=UTC)
        active = planning.add_sprint(state, board, "Sprint 1", "active", start_at=begin, end_at=end, goal="Ship, soon")
        future = planning.add_sprint(state, board, "Sprint 2")
        initiative = seed.add_issue(state, "OPS", "Initiative", "Grow", **WHEN)
        epic = seed.add_issue(state, "OPS", "Epic", "Open a branch", parent_key=initiative, **WHEN)
        sprints = {SPRINT: [{"id": active, "name": "Sprint 1"}]}
        story = seed.add_issue(state, "OPS", "Story", "Rent a room", parent_key=epic, fields=sprints, **WHEN)
        subtask = seed.add_issue(state, "OPS", "Sub-task", "Call the owner", parent_key=story, **WHEN)
    return Planted(initiative, epic, story, subtask, board, active, future)
