"""Counts requests against the vendors' rate limits, when a test switches them on, and refuses those beyond.

It keeps the promise that a refusal carries the headers the vendor sends, and that the allowance really comes back
after the time the refusal names.
"""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from .faults import status_answer

SETTINGS = frozenset({"jira_per_second", "jira_issue_writes", "jira_issue_writes_window_s", "asana_per_minute"})


class BadLimit(Exception):
    """The control API was given a limit that does not exist; the text names those that do."""


class Limits:
    """The limits in force: none until `replace` sets some.

    `jira_per_second`: calls of one endpoint and method in a second, by everybody. `jira_issue_writes`: writes of one
    issue within `jira_issue_writes_window_s` (2 by default). `asana_per_minute`: calls of one account in a minute.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._settings: dict[str, float] = {}
        self._seen: dict[str, deque[float]] = {}

    def replace(self, settings: dict[str, Any]) -> None:
        """Put these limits in force in place of all others; an empty dict switches them off."""
        unknown = set(settings) - SETTINGS
        if unknown:
            raise BadLimit(f"no limit {', '.join(sorted(unknown))}: there are {', '.join(sorted(SETTINGS))}")
        self._settings = {name: float(value) for name, value in settings.items() if value is not None}
        self._seen = {}

    def refuse(self, tool: str, method: str, template: str, path: str, user: str, write: bool) -> Response | None:
        """The 429 for a call that is beyond a limit, or None."""
        if not self._settings:
            return None
        if tool == "asana":
            wait = self._wait(f"asana {user}", self._settings.get("asana_per_minute"), 60.0)
            return None if wait is None else status_answer("asana", 429, {"Retry-After": str(math.ceil(wait))})
        issue = re.search(r"/issue/([^/]+)", path)
        if write and issue:
            window = self._settings.get("jira_issue_writes_window_s", 2.0)
            allowed = self._settings.get("jira_issue_writes")
            wait = self._wait(f"issue {issue[1]}", allowed, window)
            if wait is not None:
                return self._jira(wait, allowed or 0, "jira-per-issue-on-write")
        allowed = self._settings.get("jira_per_second")
        wait = self._wait(f"jira {method} {template}", allowed, 1.0)
        return None if wait is None else self._jira(wait, allowed or 0, "jira-burst-based")

    def _wait(self, name: str, allowed: float | None, window_s: float) -> float | None:
        """Seconds until this call would be allowed; None: it is, and is counted."""
        if allowed is None:
            return None
        now = self._clock()
        seen = self._seen.setdefault(name, deque())
        while seen and seen[0] <= now - window_s:
            seen.popleft()
        if len(seen) < allowed:
            seen.append(now)
            return None
        return (seen[0] if seen else now) + window_s - now

    @staticmethod
    def _jira(wait_s: float, allowed: float, reason: str) -> Response:
        seconds = max(1, math.ceil(wait_s))
        reset = datetime.now(UTC) + timedelta(seconds=seconds)
        headers = {
            "Retry-After": str(seconds),
            "X-RateLimit-Limit": str(int(allowed)),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": reset.strftime("%Y-%m-%dT%H:%MZ"),
            "RateLimit-Reason": reason,
        }
        return status_answer("jira", 429, headers)
