"""Keeps how the Jira site behaves where real ones differ or can be slow: settings that the control API switches.

It keeps the promise that an unknown switch or a value of the wrong kind is refused by name, and that a restored
snapshot brings back the switches it was taken with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..state import State, as_json, from_json

SCHEMA = "CREATE TABLE IF NOT EXISTS jira_switch (name TEXT PRIMARY KEY, value TEXT NOT NULL);"

DEFAULTS: dict[str, Any] = {
    # "cloud", or "data_center": the same site as Data Center answers it
    "deployment": "cloud",
    # how often an asynchronous task is asked for before it is done, and how many seconds (by our clock) it takes
    "task_polls": 0,
    "task_seconds": 0.0,
    # how tasks end (COMPLETE, FAILED, CANCELLED or DEAD), and how many issues one that does not complete has done
    "task_end": "COMPLETE",
    "task_applied": 0,
    # ids or keys of issues that fail in every task
    "task_failing": [],
    # how many seconds searches and counts are behind
    "index_lag_s": 0.0,
    # how long an access token of OAuth is good, and how long after its use a refresh token still is
    "access_token_s": 3600,
    "refresh_leeway_s": 0.0,
    # whether searches find archived issues: it depends on the plan
    "archived_in_search": False,
    # whether a history tells of links to elsewhere: recorded sites do, and there are reports of some that do not
    "remote_link_history": False,
    # how many worklogs and comments an issue takes; 0: any number
    "worklogs_per_issue": 0,
    "comments_per_issue": 0,
    # permissions that nobody has who does not administer Jira: "BULK_CHANGE", or in one project "PAY ADD_COMMENTS"
    "withdrawn": [],
    # whether a comment is changed without mail only by who administers the project, as an issue is
    "quiet_comment_needs_admin": False,
    # whether the search answers that was removed in 2025, for programs that never moved off it
    "old_search": False,
    # how many bulk operations run at a time, what one more is answered, and what an account without permission is
    "bulk_at_once": 5,
    "bulk_busy_status": 429,
    "bulk_denied_status": 403,
    # webhooks: how often each is sent again although it was taken; how many seconds (by our clock) each is late, in
    # turn (below 0: it is lost); how long a receiver may take; how many an app may register
    "webhook_duplicates": 0,
    "webhook_delays_s": [],
    "webhook_timeout_s": 20.0,
    "webhooks_per_app": 100,
    # -- Data Center only: its version, and the system's zone, in which it writes every instant
    "version": "10.3.15",
    "system_zone": "Europe/Berlin",
    # "text": sprints in issues as the Java texts of older servers, or "objects"; Parent Link as "key" or "object";
    # issue properties "flat" ({key: value}), or "nested" as the official document has them ({properties: {...}})
    "sprints": "text",
    "parent_link": "key",
    "issue_properties": "flat",
    # how long a page of a search may be, the row beyond which a search fails, and with what status
    "page_cap": 1000,
    "result_window": 10000,
    "result_window_status": 500,
    # whether JQL takes epoch milliseconds as dates ("accepted" or "refused"), and sign-in a password (Jira 11: refused)
    "epoch_jql": "accepted",
    "basic_auth": "allowed",
    # after how many wrong passwords a login is asked for a CAPTCHA; 0: never
    "captcha_after": 3,
    # the token bucket of each account (0: off): its size, what comes back each interval, and Retry-After when it is
    # empty: "exact", or "zero" as it was also seen
    "rate_limit": 0,
    "rate_fill": 1,
    "rate_interval_s": 1.0,
    "rate_retry_after": "exact",
    # under which paths it has webhooks: "new" (10 and later), "old" (before), "both" or "none"
    "webhook_paths": "both",
}
CHOICES = {
    "deployment": ("cloud", "data_center"), "sprints": ("text", "objects"), "parent_link": ("key", "object"),
    "issue_properties": ("flat", "nested"), "epoch_jql": ("accepted", "refused"), "basic_auth": ("allowed", "refused"),
    "rate_retry_after": ("exact", "zero"), "webhook_paths": ("both", "new", "old", "none"),
}  # fmt: skip


class BadSwitch(ValueError):
    """The control API was given a switch that does not exist or a value that does not fit; the text says which."""


def get(state: State, name: str) -> Any:
    """How a switch stands."""
    row = state.row("SELECT value FROM jira_switch WHERE name = ?", (name,))
    return from_json(row["value"]) if row else DEFAULTS[name]


def put(state: State, wanted: Mapping[str, Any]) -> None:
    """Set some switches and leave the others; null gives one its default back."""
    for name, value in wanted.items():
        if name not in DEFAULTS:
            raise BadSwitch(f"no switch {name!r} of the Jira site; there are: {', '.join(sorted(DEFAULTS))}")
        if value is None:
            state.db.execute("DELETE FROM jira_switch WHERE name = ?", (name,))
            continue
        kind = type(DEFAULTS[name])
        fits = isinstance(value, int | float) and not isinstance(value, bool) if kind in (int, float) else (
            isinstance(value, kind)
        )  # fmt: skip
        if not fits:
            raise BadSwitch(f"switch {name} takes a {kind.__name__} such as {DEFAULTS[name]!r}, not {value!r}")
        if name in CHOICES and value not in CHOICES[name]:
            raise BadSwitch(f"switch {name} is {' or '.join(CHOICES[name])}, not {value!r}")
        state.db.execute("INSERT OR REPLACE INTO jira_switch (name, value) VALUES (?, ?)", (name, as_json(value)))
