"""The tables behind what Asana tells of changes: notifications, webhooks and what is still to be delivered to them.

None of it is content of the site: two sites that hold the same are equal, whoever was told of what.
"""

from __future__ import annotations

from pmosync.sandbox.state import State

PREFIX = {"webhook": 1240}

SCHEMA = """
CREATE TABLE IF NOT EXISTS asana_notification (
  n INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, recipient TEXT NOT NULL, why TEXT NOT NULL,
  about TEXT NOT NULL, what TEXT NOT NULL, by TEXT);
CREATE INDEX IF NOT EXISTS asana_notification_recipient ON asana_notification (recipient);
CREATE TABLE IF NOT EXISTS asana_webhook (
  gid TEXT PRIMARY KEY, resource TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, filters TEXT NOT NULL,
  secret TEXT NOT NULL, owner TEXT NOT NULL, active INTEGER NOT NULL, created_at TEXT NOT NULL, last_failure_at TEXT,
  last_failure_content TEXT NOT NULL, last_success_at TEXT, retries INTEGER NOT NULL, next_attempt_after TEXT,
  failing_since TEXT, heartbeat_after TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_webhook_event (
  webhook TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (webhook, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asana_webhook_delivery (
  n INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, at TEXT NOT NULL, target TEXT NOT NULL,
  body TEXT NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_forgotten (resource TEXT PRIMARY KEY, at TEXT NOT NULL)
"""
"""`asana_forgotten`: sync tokens of a resource (`*`: of all) that were given out until then are expired."""


def prepare(state: State) -> None:
    """Create the tables, and the columns of older ones that came later."""
    state.define(SCHEMA)
    there = {row["name"] for row in state.rows("PRAGMA table_info(asana_project)")}
    if "customization" not in there:
        state.define("ALTER TABLE asana_project ADD COLUMN customization TEXT NOT NULL DEFAULT 'editor'")
    for table in ("notification", "webhook", "webhook_event", "webhook_delivery", "forgotten"):
        state.leave_out(f"asana_{table}")
