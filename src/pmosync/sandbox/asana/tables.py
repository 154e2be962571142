"""What the sandbox's Asana remembers: one table per kind of thing, and the few ways to read and write them.

Every write goes through this module, so gids are handed out in one place and are the same for the same history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pmosync.sandbox.asana import changetables, schema
from pmosync.sandbox.state import State

Row = dict[str, Any]

WORKSPACE = "1200000000000001"

# The first digits of a gid say what it names, which makes a log readable; clients must treat it as opaque text.
PREFIX = {
    "workspace": 1200,
    "portfolio": 1201,
    "project": 1202,
    "task": 1203,
    "section": 1204,
    "field": 1205,
    "option": 1206,
    "story": 1207,
    "user": 1208,
    "tag": 1209,
    "setting": 1210,
    "membership": 1211,
    "status_update": 1212,
    **schema.PREFIX,
    **changetables.PREFIX,
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS asana_counter (kind TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS asana_switch (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_workspace (gid TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_user (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, active INTEGER NOT NULL, guest INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS asana_project (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, notes TEXT NOT NULL, owner TEXT, archived INTEGER NOT NULL, color TEXT,
  privacy TEXT NOT NULL, default_access TEXT NOT NULL, start_on TEXT, due_on TEXT,
  completed INTEGER NOT NULL, completed_at TEXT,
  created_at TEXT NOT NULL, modified_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_member (
  project TEXT NOT NULL, user TEXT NOT NULL, access TEXT NOT NULL, PRIMARY KEY (project, user));
CREATE TABLE IF NOT EXISTS asana_section (
  gid TEXT PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_task (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, notes TEXT NOT NULL, resource_subtype TEXT NOT NULL, approval_status TEXT,
  parent TEXT, position INTEGER NOT NULL, assignee TEXT, completed INTEGER NOT NULL, completed_at TEXT,
  completed_by TEXT, start_on TEXT, start_at TEXT, due_on TEXT, due_at TEXT, is_separator INTEGER NOT NULL,
  actual_minutes REAL, trashed INTEGER NOT NULL DEFAULT 0,
  created_by TEXT, created_at TEXT NOT NULL, modified_at TEXT NOT NULL, touched_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS asana_task_parent ON asana_task (parent, position);
CREATE TABLE IF NOT EXISTS asana_placement (
  task TEXT NOT NULL, project TEXT NOT NULL, section TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (task, project));
CREATE INDEX IF NOT EXISTS asana_placement_project ON asana_placement (project, position);
CREATE TABLE IF NOT EXISTS asana_dependency (
  task TEXT NOT NULL, depends_on TEXT NOT NULL, PRIMARY KEY (task, depends_on));
CREATE INDEX IF NOT EXISTS asana_dependency_reverse ON asana_dependency (depends_on);
CREATE TABLE IF NOT EXISTS asana_follower (item TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (item, user));
CREATE TABLE IF NOT EXISTS asana_tag (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, color TEXT, notes TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_tagging (task TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (task, tag));
CREATE TABLE IF NOT EXISTS asana_field (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL, is_global INTEGER NOT NULL,
  notifications INTEGER NOT NULL, numeric_precision INTEGER, format TEXT, asana_created_field TEXT,
  default_access TEXT NOT NULL, privacy TEXT NOT NULL, locked INTEGER NOT NULL, created_by TEXT);
CREATE TABLE IF NOT EXISTS asana_option (
  gid TEXT PRIMARY KEY, field TEXT NOT NULL, name TEXT NOT NULL, color TEXT NOT NULL, enabled INTEGER NOT NULL,
  position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS asana_setting (
  gid TEXT PRIMARY KEY, parent TEXT NOT NULL, parent_kind TEXT NOT NULL, field TEXT NOT NULL,
  is_important INTEGER NOT NULL, position INTEGER NOT NULL, UNIQUE (parent, field));
CREATE TABLE IF NOT EXISTS asana_value (
  item TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (item, field));
CREATE TABLE IF NOT EXISTS asana_portfolio (
  gid TEXT PRIMARY KEY, name TEXT NOT NULL, color TEXT NOT NULL, owner TEXT NOT NULL, public INTEGER NOT NULL,
  start_on TEXT, due_on TEXT, created_by TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_portfolio_item (
  portfolio TEXT NOT NULL, item TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (portfolio, item));
CREATE TABLE IF NOT EXISTS asana_status_update (
  gid TEXT PRIMARY KEY, parent TEXT NOT NULL, parent_kind TEXT NOT NULL, status_type TEXT NOT NULL,
  title TEXT NOT NULL, text TEXT NOT NULL, html_text TEXT NOT NULL, author TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS asana_status_update_parent ON asana_status_update (parent, created_at);
CREATE TABLE IF NOT EXISTS asana_comment (
  gid TEXT PRIMARY KEY, task TEXT NOT NULL, type TEXT NOT NULL, resource_subtype TEXT NOT NULL, text TEXT NOT NULL,
  html_text TEXT NOT NULL, created_by TEXT, is_pinned INTEGER NOT NULL, is_edited INTEGER NOT NULL,
  detail TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS asana_comment_task ON asana_comment (task);
CREATE TABLE IF NOT EXISTS asana_system_story (
  gid TEXT PRIMARY KEY, task TEXT NOT NULL, type TEXT NOT NULL, resource_subtype TEXT NOT NULL, text TEXT NOT NULL,
  html_text TEXT NOT NULL, created_by TEXT, is_pinned INTEGER NOT NULL, is_edited INTEGER NOT NULL,
  detail TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS asana_system_story_task ON asana_system_story (task);
CREATE VIEW IF NOT EXISTS asana_story AS SELECT * FROM asana_comment UNION ALL SELECT * FROM asana_system_story;
CREATE TABLE IF NOT EXISTS asana_event (
  n INTEGER PRIMARY KEY AUTOINCREMENT, created_at TEXT NOT NULL, user TEXT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asana_event_scope (
  resource TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (resource, n)) WITHOUT ROWID;
"""

# What a comparison of whole states leaves out: it depends on the moment or on the number of attempts.
LEFT_OUT: dict[str, tuple[str, ...]] = {
    "asana_counter": (),
    "asana_switch": (),
    "asana_event": (),
    "asana_event_scope": (),
    "asana_task": ("modified_at", "touched_at"),
    "asana_project": ("modified_at",),
    "asana_comment": ("gid", "created_at"),
    "asana_system_story": (),
}


def prepare(state: State) -> None:
    """Create the tables if they are not there, and say what a comparison leaves out."""
    state.define(SCHEMA)
    schema.prepare(state)
    changetables.prepare(state)
    for table, columns in LEFT_OUT.items():
        state.leave_out(table, *columns)


def instant(moment: datetime) -> str:
    """An instant as Asana writes it: UTC, milliseconds, Z. Texts of this form sort as the instants do."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def now(state: State) -> str:
    return instant(state.now())


def rows(state: State, sql: str, *params: Any) -> list[Row]:
    return state.rows(sql, params)


def row(state: State, sql: str, *params: Any) -> Row | None:
    return state.row(sql, params)


def run(state: State, sql: str, *params: Any) -> int:
    return int(state.db.execute(sql, params).rowcount)


def scalar(state: State, sql: str, *params: Any) -> Any:
    found = state.tuples(sql, params)
    return found[0][0] if found else None


def insert(state: State, table: str, values: Mapping[str, Any]) -> None:
    columns = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    state.db.execute(f"INSERT INTO asana_{table} ({columns}) VALUES ({marks})", tuple(values.values()))


def update(state: State, table: str, gid: str, values: Mapping[str, Any]) -> None:
    if values:
        sets = ", ".join(f"{column} = ?" for column in values)
        state.db.execute(f"UPDATE asana_{table} SET {sets} WHERE gid = ?", (*values.values(), gid))


def get(state: State, table: str, gid: str) -> Row | None:
    return row(state, f"SELECT * FROM asana_{table} WHERE gid = ?", gid)


def new_gid(state: State, kind: str) -> str:
    """The next gid of a kind; a deleted thing's gid is never used again."""
    return new_gids(state, kind, 1)[0]


def new_gids(state: State, kind: str, count: int) -> list[str]:
    """The next gids of a kind."""
    sql = "INSERT INTO asana_counter (kind, n) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET n = n + excluded.n"
    state.db.execute(sql, (kind, count))
    last = int(scalar(state, "SELECT n FROM asana_counter WHERE kind = ?", kind))
    return [f"{PREFIX[kind]}{n:012d}" for n in range(last - count + 1, last + 1)]


def next_position(state: State, table: str, column: str, value: str | None) -> int:
    return int(scalar(state, f"SELECT coalesce(max(position), 0) + 1 FROM asana_{table} WHERE {column} IS ?", value))


SWITCHES = {
    "premium": "yes", "event_delay_s": "0", "portfolio_values": "own",
    # events: the share that no stream ever tells, and how long a token is good
    "event_loss": "0", "event_ttl_s": "86400",
    # notifications: of edited comments and of tags; whether who writes a comment or a field becomes a follower
    "edits_notify": "no", "tags_notify": "no", "comment_follows": "yes", "fields_follow": "no",
    # rich text: all that is documented, without the newer tags (`narrow`), or none (`plain-only`)
    "html": "strict",
    # how many custom fields a project or portfolio takes (0: what is documented); in which order a batch is carried out
    "field_cap": "0", "batch_order": "given",
    # whether the bot is a service account, which hears the whole workspace's events
    "service_account": "no",
    **schema.SWITCHES,
}  # fmt: skip
"""What can be set for the whole Asana: whether the plan is paid; how far the event stream runs behind; whether a
portfolio has values for the fields that it offers itself (`own`) or only for those of portfolios that it is in
(`parent`): the vendor's document leaves that open; and the ones explained above."""
CHOICES = {
    "premium": ("yes", "no"), "portfolio_values": ("own", "parent"), "edits_notify": ("no", "yes"),
    "tags_notify": ("no", "yes"), "comment_follows": ("yes", "no"), "fields_follow": ("no", "yes"),
    "html": ("strict", "narrow", "plain-only"), "batch_order": ("given", "reversed"), "service_account": ("no", "yes"),
    **schema.CHOICES,
}  # fmt: skip


def switch(state: State, name: str) -> str:
    found = scalar(state, "SELECT value FROM asana_switch WHERE name = ?", name)
    return SWITCHES[name] if found is None else str(found)


def set_switches(state: State, values: Row) -> None:
    """Set some switches, e.g. `{"premium": "no"}`; None gives one its default back."""
    unknown = sorted(set(values) - set(SWITCHES))
    if unknown:
        raise ValueError(f"no switch {unknown[0]}; there are: {', '.join(SWITCHES)}")
    for name, given in values.items():
        value = SWITCHES[name] if given is None else str(given)
        if isinstance(given, bool):
            value = "yes" if given else "no"
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"switch {name} is {' or '.join(CHOICES[name])}, not {value!r}")
        if name not in CHOICES:
            float(value)
        run(state, "INSERT OR REPLACE INTO asana_switch (name, value) VALUES (?, ?)", name, value)


def ancestors(state: State, task: str) -> list[str]:
    """The parents of a task, nearest first."""
    found: list[str] = []
    parent = scalar(state, "SELECT parent FROM asana_task WHERE gid = ?", task)
    while parent and parent not in found:
        found.append(parent)
        parent = scalar(state, "SELECT parent FROM asana_task WHERE gid = ?", parent)
    return found


def projects_of(state: State, task: str, *, inherited: bool) -> list[str]:
    """The projects a task is in; with `inherited` those of its parents too, which lend it their fields and access."""
    line: Sequence[str] = [task, *ancestors(state, task)] if inherited else [task]
    found: dict[str, None] = {}
    for gid in line:
        for placed in rows(state, "SELECT project FROM asana_placement WHERE task = ? ORDER BY rowid", gid):
            found.setdefault(placed["project"])
    return list(found)


def follow(state: State, item: str, users: Iterable[str | None]) -> None:
    for user in users:
        if user:
            run(state, "INSERT OR IGNORE INTO asana_follower (item, user) VALUES (?, ?)", item, user)
