"""Keeps the access token of an OAuth app fresh with its refresh token, which some tools replace with each use.

It keeps the promise that a new refresh token is on the disk before the access token that came with it is used, and
that threads and programs which share it renew it one at a time.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest

from ..errors import Unauthorized, Unreadable
from .endpoints import Endpoint
from .limiter import Limits
from .reasons import decoded, said
from .rotating import RotatingSecret
from .session import PoliteSession

EARLY_S = 120.0
"""An access token is renewed so long before it ends."""
JUST_NOW_S = 60.0
"""A token that was got so recently is not refused for its age."""
REFUSED = (400, 401, 403)
"""What the token endpoint answers when it gives no token."""
HIDDEN = 8
"""Of many tokens that came and went, so many are still looked for in what is written."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a tool gives an app its access tokens."""

    url: str
    """The token endpoint."""
    client_id: str
    client_secret: str
    refresh_token: RotatingSecret
    step_on: Callable[[str, str], str]
    """The next step when no token is given, by the tool's error code and its words."""
    check: str
    """What to check when an answer has no token in it."""
    as_form: bool = False
    """Whether the request is a form; else it is JSON."""


def carrying(header: str) -> Callable[[PreparedRequest], PreparedRequest]:
    """A credential that stays as it is, as the `auth` of a session."""

    def carry(prepared: PreparedRequest) -> PreparedRequest:
        prepared.headers["Authorization"] = header
        return prepared

    return carry


class Grant:
    """What an app may do, as the `auth` of a session: it puts the access token of the moment into each call."""

    def __init__(self, terms: Terms, session: PoliteSession, clock: Callable[[], dt.datetime]) -> None:
        self._terms, self._site, self._clock = terms, session, clock
        parts = urlsplit(terms.url)
        # It changes nothing of anybody's work, so that a read-only run may sign in.
        self._endpoint = Endpoint("POST", parts.path, repeatable=True, reads=True)
        self._session = session.beside(f"{parts.scheme}://{parts.netloc}", (self._endpoint,), Limits(reads_in_flight=1))
        self._lock = threading.Lock()
        self._access, self._got_at, self._ends_at = "", dt.datetime.min.replace(tzinfo=dt.UTC), clock()
        self._hidden: deque[str] = deque()
        session.keep_secret(terms.client_secret)

    def __call__(self, prepared: PreparedRequest) -> PreparedRequest:
        """Put the access token of the moment into a call."""
        with self._lock:
            if self._clock() >= self._ends_at - dt.timedelta(seconds=EARLY_S):
                self._refresh()
            prepared.headers["Authorization"] = f"Bearer {self._access}"
        return prepared

    def renewed(self, sent: str) -> bool:
        """Whether there is another access token than the refused one; one that is not new any more is renewed."""
        with self._lock:
            if sent != f"Bearer {self._access}":
                return True
            if self._clock() - self._got_at < dt.timedelta(seconds=JUST_NOW_S):
                return False
            self._refresh()
            return True

    def _refresh(self) -> None:
        """Get an access token with the refresh token that stands in the file now, whoever wrote it there."""
        kept = self._terms.refresh_token
        with kept.held():
            old, asked_at = kept.read(), self._clock()
            self._hide(old)
            access, lasts_s, new = self._tokens(self._ask(old), old)
            self._hide(access)
            self._hide(new)
            if new != old:
                kept.replace(new)
        self._access, self._got_at = access, asked_at
        self._ends_at = asked_at + dt.timedelta(seconds=max(lasts_s, 2 * EARLY_S))

    def _ask(self, refresh_token: str) -> Mapping[str, Any]:
        body = {
            "grant_type": "refresh_token",
            "client_id": self._terms.client_id,
            "client_secret": self._terms.client_secret,
            "refresh_token": refresh_token,
        }
        sent = {"data": body} if self._terms.as_form else {"json": body}
        response = self._session.request(
            "POST", self._session.base_url + self._endpoint.template, expect=REFUSED, **sent
        )
        data = decoded(response.content)
        if response.status_code in REFUSED:
            raise self._refused(response.status_code, data)
        return data if isinstance(data, dict) else {}

    def _tokens(self, data: Mapping[str, Any], old: str) -> tuple[str, float, str]:
        """The access token, the seconds it lasts, and the refresh token for the next time."""
        access, new, lasts_s = data.get("access_token"), data.get("refresh_token") or old, data.get("expires_in")
        if not (isinstance(access, str) and access and isinstance(new, str) and isinstance(lasts_s, int | float)):
            raise Unreadable(f"{self._session.host} answered without an access token. {self._terms.check}")
        return access, float(lasts_s), new

    def _refused(self, status: int, data: Any) -> Unauthorized:
        code = str(data.get("error") or "") if isinstance(data, dict) else ""
        words = ": ".join(part for part in (code, said(data)) if part)
        what = f"{self._session.host} gave no access token ({status}{': ' if words else ''}{words})."
        return Unauthorized(f"{self._session.hidden(what)} {self._terms.step_on(code, words)}")

    def _hide(self, secret: str) -> None:
        """Hide a secret for as long as it can still be met."""
        if secret in self._hidden:
            return
        self._site.keep_secret(secret)
        self._hidden.append(secret)
        if len(self._hidden) > HIDDEN:
            self._site.forget_secret(self._hidden.popleft())
