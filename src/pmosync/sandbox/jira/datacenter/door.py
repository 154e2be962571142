"""Decides who comes in to the Data Center site and how often, and signs its answers with Data Center's headers.

It keeps the promise that a login that was tried with wrong passwords too often stays shut until a person solves the
CAPTCHA, whatever password comes next; personal access tokens work meanwhile, as in Jira.
"""

from __future__ import annotations

import base64
import binascii
import math
import time
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from ...answers import json_answer
from ...state import State
from .. import switches
from . import people, tokens

TOO_MANY = (
    "<!doctype html><html lang='en'><head><title>HTTP Status 429 - Too Many Requests</title></head><body>"
    "<h1>HTTP Status 429 - Too Many Requests</h1><p><b>Message</b> Rate limit exceeded.</p></body></html>"
)
REASON, LOGIN = "X-Authentication-Denied-Reason", "X-Seraph-LoginReason"


def is_on(state: State) -> bool:
    """Whether the Jira site answers as Data Center."""
    return bool(switches.get(state, "deployment") == "data_center")


def problem_body(status: int, message: str) -> dict[str, Any]:
    """The body of an error before any resource was reached, as Data Center has it."""
    return {"message": message, "status-code": status}


def problem(status: int, message: str) -> Response:
    """Such an error as an answer."""
    return json_answer(problem_body(status, message), status)


class Door:
    """Sign-in and rate limits of the Data Center site."""

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._kind: tuple[Any, ...] = ()
        self._buckets: dict[str, tuple[float, float]] = {}

    # -- who comes in ---------------------------------------------------------------------------------------------

    def sign_in(self, request: Request, *, open_to_all: bool) -> tuple[dict[str, Any] | None, Response | None]:
        """The account of a request, or the refusal; both None: nobody in particular, where that is allowed."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            user = tokens.account(self._state, given.strip())
            return user, None if user else self._unknown()
        if scheme.lower() == "basic":
            return self._password(given)
        return None, None if open_to_all else self._unknown("AUTHENTICATED_FAILED")

    def _unknown(self, reason: str = "AUTHENTICATED_FAILED") -> Response:
        found = problem(401, "Client must be authenticated to access this resource.")
        found.headers["WWW-Authenticate"] = 'OAuth realm="pmosync-sandbox"'
        found.headers[LOGIN] = reason
        return found

    def _password(self, given: str) -> tuple[dict[str, Any] | None, Response | None]:
        if switches.get(self._state, "basic_auth") == "refused":
            return None, problem(401, "Basic authentication has been disabled on this instance.")
        try:
            name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, self._unknown()
        with self._state.transaction():
            return self._known(name, password)

    def _known(self, name: str, password: str) -> tuple[dict[str, Any] | None, Response | None]:
        most = switches.get(self._state, "captcha_after")
        row = self._state.row("SELECT failures FROM jira_login WHERE name = ?", (name.lower(),))
        failures = row["failures"] if row else 0
        user = tokens.account(self._state, password)
        account = people.account_called(self._state, name, by=("name", "emailAddress"))
        if not (most and failures >= most) and user and user["id"] == account:
            self._state.db.execute("DELETE FROM jira_login WHERE name = ?", (name.lower(),))
            return user, None
        if not user or user["id"] != account:
            failures += 1
            sql = "INSERT OR REPLACE INTO jira_login (name, failures) VALUES (?, ?)"
            self._state.db.execute(sql, (name.lower(), failures))
        if most and failures >= most:
            found = problem(403, "The login is denied: a CAPTCHA has to be solved.")
            found.headers[REASON] = "CAPTCHA_CHALLENGE; login-url=/login.jsp"
            found.headers[LOGIN] = "AUTHENTICATION_DENIED"
            return None, found
        return None, self._unknown()

    # -- how often ------------------------------------------------------------------------------------------------

    def refuse(self, user: dict[str, Any] | None) -> Response | None:
        """The 429 of an account whose bucket is empty, or None; takes a token."""
        limit = switches.get(self._state, "rate_limit")
        if not limit or user is None:
            return None
        with self._state.lock:
            left = self._left(user["id"], limit)
            if left >= 1:
                self._buckets[user["id"]] = (left - 1, self._clock())
                return None
        return Response(TOO_MANY, status=429, content_type="text/html;charset=utf-8")

    def _left(self, account: str, limit: int) -> float:
        fill, interval = switches.get(self._state, "rate_fill"), switches.get(self._state, "rate_interval_s")
        kind = (self._state.version[0], limit, fill, interval)
        if kind != self._kind:
            self._kind, self._buckets = kind, {}
        left, at = self._buckets.get(account, (float(limit), self._clock()))
        return float(min(limit, left + math.floor((self._clock() - at) / interval) * fill))

    def sign(self, found: Response, user: dict[str, Any] | None) -> None:
        """Put Data Center's own headers on an answer, and take away what only Cloud says."""
        found.headers.pop("RateLimit-Reason", None)
        if user is None:
            return
        found.headers.setdefault(LOGIN, "OK")
        found.headers["X-AUSERNAME"] = (people.People(self._state).shown(user["id"]) or user)["name"]
        limit = switches.get(self._state, "rate_limit")
        if not limit:
            return
        left, interval = math.floor(self._left(user["id"], limit)), switches.get(self._state, "rate_interval_s")
        exact = found.status_code == 429 and switches.get(self._state, "rate_retry_after") == "exact"
        found.headers["X-RateLimit-Limit"] = str(limit)
        found.headers["X-RateLimit-Remaining"] = str(left)
        found.headers["X-RateLimit-Interval-Seconds"] = str(math.ceil(interval))
        found.headers["X-RateLimit-FillRate"] = str(switches.get(self._state, "rate_fill"))
        found.headers["Retry-After"] = str(math.ceil(interval)) if exact else "0"
