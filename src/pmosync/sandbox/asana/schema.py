"""What Asana keeps beside work itself: teams, templates, briefs, goals, budgets, allocations, time, types of tasks.

A state that an older sandbox saved gets the tables and columns that came later, empty, and is otherwise as it was.
"""

from __future__ import annotations

from pmosync.sandbox.state import State

TABLES = """
CREATE TABLE IF NOT EXISTS asana_team (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, visibility TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_team_member (team TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (team, user));
CREATE TABLE IF NOT EXISTS asana_template (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, team TEXT, owner TEXT, color TEXT);
CREATE TABLE IF NOT EXISTS asana_brief (
  gid TEXT PRIMARY KEY, project TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL, html_text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_budget (
  gid TEXT PRIMARY KEY, project TEXT NOT NULL UNIQUE, type TEXT NOT NULL, estimate_source TEXT NOT NULL,
  estimate_filter TEXT NOT NULL, estimate_enabled INTEGER NOT NULL, actual_filter TEXT NOT NULL,
  total_enabled INTEGER NOT NULL, total_time REAL, total_cost REAL);
CREATE TABLE IF NOT EXISTS asana_placeholder (gid TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_allocation (
  gid TEXT PRIMARY KEY, project TEXT NOT NULL, assignee TEXT NOT NULL, start_on TEXT NOT NULL, end_on TEXT NOT NULL,
  effort_type TEXT, effort REAL, created_by TEXT);
CREATE INDEX IF NOT EXISTS asana_allocation_project ON asana_allocation (project);
CREATE TABLE IF NOT EXISTS asana_time_entry (
  gid TEXT PRIMARY KEY, task TEXT NOT NULL, minutes INTEGER NOT NULL, entered_on TEXT NOT NULL, project TEXT,
  created_by TEXT NOT NULL, created_at TEXT NOT NULL, approval_status TEXT NOT NULL, billable_status TEXT NOT NULL,
  description TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS asana_time_entry_task ON asana_time_entry (task);
CREATE INDEX IF NOT EXISTS asana_time_entry_project ON asana_time_entry (project);
CREATE TABLE IF NOT EXISTS asana_time_period (
  gid TEXT PRIMARY KEY, period TEXT NOT NULL, start_on TEXT NOT NULL, end_on TEXT NOT NULL, name TEXT NOT NULL,
  parent TEXT);
CREATE TABLE IF NOT EXISTS asana_goal (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, notes TEXT NOT NULL, owner TEXT, team TEXT,
  workspace_level INTEGER NOT NULL, start_on TEXT, due_on TEXT, status TEXT, time_period TEXT, metric TEXT,
  privacy TEXT NOT NULL, created_by TEXT, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_goal_relationship (
  gid TEXT PRIMARY KEY, goal TEXT NOT NULL, item TEXT NOT NULL, item_kind TEXT NOT NULL, weight REAL NOT NULL,
  position INTEGER NOT NULL, UNIQUE (goal, item));
CREATE INDEX IF NOT EXISTS asana_goal_relationship_item ON asana_goal_relationship (item);
CREATE TABLE IF NOT EXISTS asana_custom_type (gid TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_custom_status (
  gid TEXT PRIMARY KEY, custom_type TEXT NOT NULL, name TEXT NOT NULL, completion_state TEXT NOT NULL,
  color TEXT NOT NULL, enabled INTEGER NOT NULL, position INTEGER NOT NULL);
"""

COLUMNS: dict[str, tuple[str, ...]] = {
    "user": ("view_only INTEGER NOT NULL DEFAULT 0",),
    "project": ("team TEXT", "template TEXT"),
    "portfolio": ("archived INTEGER NOT NULL DEFAULT 0",),
    "task": ("custom_type TEXT", "custom_type_status_option TEXT"),
    "field": ("representation TEXT", "id_prefix TEXT", "currency TEXT"),
}
"""Columns of older tables that came later."""

# The first digits of a gid, for the kinds of this module.
PREFIX = {
    "team": 1220,
    "template": 1221,
    "brief": 1222,
    "budget": 1223,
    "placeholder": 1224,
    "allocation": 1225,
    "time_entry": 1226,
    "time_period": 1227,
    "goal": 1228,
    "goal_relationship": 1229,
    "custom_type": 1230,
    "custom_status": 1231,
    "project_membership": 1232,
    "portfolio_membership": 1233,
    "goal_membership": 1234,
}

SWITCHES = {
    # what the plan has: 402 where it has not
    "budgets": "yes", "allocations": "yes", "goals": "yes", "time_tracking": "yes",
    # how far the index of searches is behind
    "search_lag_s": "0",
    # what is not documented: the day beside a time, and whether a subtask is in its parents' projects
    "due_on_with_due_at": "yes", "subtask_projects": "no",
}  # fmt: skip
CHOICES = {name: ("yes", "no") for name in SWITCHES if name != "search_lag_s"}


def prepare(state: State) -> None:
    """Create what is not there."""
    state.define(TABLES)
    for table, columns in COLUMNS.items():
        there = {row["name"] for row in state.rows(f"PRAGMA table_info(asana_{table})")}
        for column in columns:
            if column.split()[0] not in there:
                state.define(f"ALTER TABLE asana_{table} ADD COLUMN {column};")
