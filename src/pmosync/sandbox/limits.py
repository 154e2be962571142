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

import orjson
from werkzeug.wrappers import Response

from . import asana_limits
from .answers import JSON
from .faults import status_answer

SETTINGS = frozenset({
    "jira_per_second", "jira_per_second_of", "jira_issue_writes", "jira_issue_writes_window_s",
    "jira_issue_writes_long", "jira_issue_writes_long_window_s", "jira_documented", "jira_points",
    "jira_points_window_s", "jira_points_reason", "jira_points_for_all", "jira_headers", "jira_bare",
}) | asana_limits.SETTINGS  # fmt: skip
DOCUMENTED: dict[str, Any] = {
    "jira_issue_writes": 20, "jira_issue_writes_window_s": 2, "jira_issue_writes_long": 100,
    "jira_issue_writes_long_window_s": 30,
    "jira_per_second_of": {
        "GET": 100, "POST": 100, "PUT": 50, "DELETE": 50, "GET /rest/api/3/issue/{issueIdOrKey}": 150,
        "GET /rest/api/3/issue/{issueIdOrKey}/changelog": 200, "POST /rest/api/3/search/approximate-count": 150,
    },
}  # fmt: skip
POLICY = "global-app-quota"
NEAR = 0.2
LISTS = ("issues", "values", "comments", "worklogs", "issueChangeLogs")
DEAR = ("/user", "/users", "/group", "/role", "/permissions", "/mypermissions", "/myself")
"""Resources whose objects cost two points each."""


class BadLimit(Exception):
    """The control API was given a limit that does not exist; the text names those that do."""


class Limits:
    """The limits in force: none until `replace` sets some.

    `jira_per_second`: calls of one endpoint and method in a second, by everybody; `jira_per_second_of` names them for
    single endpoints ("GET /rest/api/3/issue/{issueIdOrKey}") or methods ("PUT"). `jira_issue_writes`: writes of one
    issue within `jira_issue_writes_window_s` (2 by default), and `jira_issue_writes_long` within its own (30).
    `jira_documented` puts all of these in force as the vendor documents them. `jira_points`: the points that apps
    signed in by OAuth share within `jira_points_window_s` (3600), refused with `jira_points_reason`; an API token
    costs none unless `jira_points_for_all`. `jira_headers`: "enforced" or "beta" headers on every answer.
    `jira_bare`: a refusal says nothing but 429. Those of Asana are explained with `AsanaLimits`.

    Args:
        day: the sandbox's own clock in seconds, which can be advanced: Asana's minutes pass by it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, day: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.asana = asana_limits.AsanaLimits(day)
        self._settings: dict[str, Any] = {}
        self._seen: dict[str, deque[float]] = {}
        self._began = clock()
        self._points: tuple[int, float] = (0, 0.0)

    def replace(self, settings: dict[str, Any]) -> None:
        """Put these limits in force in place of all others; an empty dict switches them off."""
        unknown = set(settings) - SETTINGS
        if unknown:
            raise BadLimit(f"no limit {', '.join(sorted(unknown))}: there are {', '.join(sorted(SETTINGS))}")
        told = {name: value for name, value in settings.items() if value is not None}
        try:
            self.asana.replace({name: value for name, value in told.items() if name in asana_limits.SETTINGS})
        except asana_limits.BadPlan as error:
            raise BadLimit(str(error)) from None
        given = {name: value for name, value in told.items() if name not in asana_limits.SETTINGS}
        for name, value in given.items():
            if name not in ("jira_per_second_of", "jira_points_reason", "jira_headers"):
                given[name] = float(value)
        self._settings = (DOCUMENTED if given.get("jira_documented") else {}) | given
        self._seen = {}
        self._began, self._points = self._clock(), (0, 0.0)

    def refuse(
        self, tool: str, method: str, template: str, path: str, user: str, write: bool, app: bool = False
    ) -> Response | None:
        """The 429 for a call that is beyond a limit, or None. `app`: it was signed in by OAuth."""
        if tool != "jira" or not self._settings:
            return None
        issue = re.search(r"/issue/([^/]+)", path)
        if write and issue:
            for name, usual in (("jira_issue_writes", 2.0), ("jira_issue_writes_long", 30.0)):
                window, allowed = self._settings.get(f"{name}_window_s", usual), self._settings.get(name)
                wait = self._wait(f"{name} {issue[1]}", allowed, window)
                if wait is not None:
                    return self._jira(wait, allowed, "jira-per-issue-on-write")
        allowed = self._burst(method, template)
        wait = self._wait(f"jira {method} {template}", allowed, 1.0)
        if wait is not None:
            return self._jira(wait, allowed, "jira-burst-based")
        if self._counts(app) and self._spent() >= self._settings["jira_points"]:
            reason = str(self._settings.get("jira_points_reason", "jira-quota-global-based"))
            return self._jira(self._until_reset(), self._settings["jira_points"], reason)
        return None

    def account(self, tool: str, method: str, template: str, write: bool, answer: Response, app: bool = False) -> None:
        """Count what an answer cost, and say on it how much is left."""
        if tool != "jira" or not self._settings or answer.status_code == 429:
            return
        if self._counts(app):
            window = self._window()
            self._points = (window, self._spent() + (1 if write else 1 + _objects(template, answer)))
        if "jira_headers" in self._settings:
            answer.headers.update(self._told(method, template, app))

    # -- what was used ------------------------------------------------------------------------------------------

    def _burst(self, method: str, template: str) -> float | None:
        """The calls a second that an endpoint allows."""
        of: dict[str, float] = self._settings.get("jira_per_second_of", {})
        name = f"{method} {template.replace('/rest/api/2/', '/rest/api/3/')}"
        found = of.get(name, of.get(method, self._settings.get("jira_per_second")))
        return None if found is None else float(found)

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

    def _counts(self, app: bool) -> bool:
        """Whether a call costs points."""
        return "jira_points" in self._settings and (app or bool(self._settings.get("jira_points_for_all")))

    def _length(self) -> float:
        return float(self._settings.get("jira_points_window_s", 3600.0))

    def _window(self) -> int:
        return int((self._clock() - self._began) // self._length())

    def _spent(self) -> float:
        """The points used in this window."""
        window, spent = self._points
        return spent if window == self._window() else 0.0

    def _until_reset(self) -> float:
        return self._began + (self._window() + 1) * self._length() - self._clock()

    # -- what is told of it -------------------------------------------------------------------------------------

    def _told(self, method: str, template: str, app: bool) -> dict[str, str]:
        """The headers of an answer that was not refused."""
        found: dict[str, str] = {}
        allowed = self._burst(method, template)
        if allowed is not None:
            left = max(0, int(allowed) - len(self._seen.get(f"jira {method} {template}", ())))
            found = {"X-RateLimit-Limit": str(int(allowed)), "X-RateLimit-Remaining": str(left)}
            found |= {"X-RateLimit-NearLimit": "true"} if left < NEAR * allowed else {}
        if self._counts(app):
            most = self._settings["jira_points"]
            left = max(0, int(most - self._spent()))
            found["RateLimit-Policy"] = f'"{POLICY}";q={int(most)};w={int(self._length())}'
            if left < NEAR * most:
                found["RateLimit"] = f'"{POLICY}";r={left};t={math.ceil(self._until_reset())}'
        beta = self._settings["jira_headers"] == "beta"
        return {f"Beta-{name}" if beta and name.startswith("RateLimit") else name: told for name, told in found.items()}

    def _jira(self, wait_s: float, allowed: float | None, reason: str) -> Response:
        if self._settings.get("jira_bare"):
            return status_answer("jira", 429)
        seconds = max(1, math.ceil(wait_s))
        reset = datetime.now(UTC) + timedelta(seconds=seconds)
        headers = {
            "Retry-After": str(seconds),
            "X-RateLimit-Limit": str(int(allowed or 0)),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": reset.strftime("%Y-%m-%dT%H:%MZ"),
            "RateLimit-Reason": reason,
        }
        if reason.startswith("jira-quota"):
            headers["RateLimit-Policy"] = f'"{POLICY}";q={int(allowed or 0)};w={int(self._length())}'
            headers["RateLimit"] = f'"{POLICY}";r=0;t={seconds}'
        return status_answer("jira", 429, headers)


def _objects(template: str, answer: Response) -> int:
    """The points that the objects of an answer cost."""
    if answer.status_code >= 300 or answer.content_type != JSON:
        return 0
    body = orjson.loads(answer.get_data())
    lists = [body] if isinstance(body, list) else [body[name] for name in LISTS if name in (body or {})]
    count = sum(len(one) for one in lists if isinstance(one, list)) if lists else 1
    return count * (2 if any(f"/3{name}" in template or f"/2{name}" in template for name in DEAR) else 1)
