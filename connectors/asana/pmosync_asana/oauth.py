"""Keeps the access token of an OAuth app fresh, which lasts an hour, with a refresh token that usually stays as it is.

It keeps the promise that threads which share a token renew it one at a time, and that a new refresh token, should
Asana send one, is on the disk before the access token that came with it is used.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest

from pmosync.contract import Clock
from pmosync.errors import Unauthorized, Unreadable
from pmosync.http import Endpoint, Limits, PoliteSession
from pmosync.http.reasons import decoded, said

from .settings import OAuthApp

# It changes nothing of anybody's work, so that a read-only run may sign in.
TOKEN = Endpoint("POST", "/-/oauth_token", repeatable=True, reads=True)
EARLY_S = 120.0
"""An access token is renewed so long before it ends."""
JUST_NOW_S = 60.0
"""A token that was got so recently is not refused for its age."""
REFUSED = (400, 401, 403)
"""What the token endpoint answers when it gives no token."""


class Grant:
    """What an app may do, as the `auth` of a session: it puts the access token of the moment into each call."""

    def __init__(self, app: OAuthApp, session: PoliteSession, clock: Clock) -> None:
        self._app, self._site, self._clock = app, session, clock
        parts = urlsplit(session.base_url)
        self._session = session.beside(f"{parts.scheme}://{parts.netloc}", (TOKEN,), Limits(reads_in_flight=1))
        self._lock = threading.Lock()
        self._access, self._got_at, self._ends_at = "", dt.datetime.min.replace(tzinfo=dt.UTC), clock()
        self._hidden: deque[str] = deque()
        session.keep_secret(app.client_secret.get_secret_value())

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
        kept = self._app.refresh_token
        with kept.held():
            old, asked_at = kept.read(), self._clock()
            self._hide(old)
            access, lasts_s, new = self._ask(old)
            self._hide(access)
            self._hide(new)
            if new != old:
                kept.replace(new)
        self._access, self._got_at = access, asked_at
        self._ends_at = asked_at + dt.timedelta(seconds=max(lasts_s, 2 * EARLY_S))

    def _ask(self, refresh_token: str) -> tuple[str, float, str]:
        """The access token, the seconds it lasts, and the refresh token for the next time."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret.get_secret_value(),
            "refresh_token": refresh_token,
        }
        url = self._session.base_url + TOKEN.template
        response = self._session.request("POST", url, data=form, expect=REFUSED)
        body = decoded(response.content)
        data: dict[str, Any] = body if isinstance(body, dict) else {}
        if response.status_code in REFUSED:
            raise self._refused(response.status_code, data)
        access, new, lasts_s = data.get("access_token"), data.get("refresh_token"), data.get("expires_in")
        if not isinstance(access, str) or not access or not isinstance(lasts_s, int | float):
            raise Unreadable(f"{self._session.host} answered without an access token. Check base_url, then try again.")
        return access, float(lasts_s), new if isinstance(new, str) and new else refresh_token

    def _refused(self, status: int, data: dict[str, Any]) -> Unauthorized:
        words = ": ".join(part for part in (str(data.get("error") or ""), said(data)) if part)
        step = (
            f"The refresh token of {self._app.refresh_token.reference} is not taken any more: authorize the app anew, "
            "with full permissions, and write the new refresh token into the file."
            if data.get("error") == "invalid_grant"
            else "Check client_id and client_secret in the app's settings at https://app.asana.com/0/my-apps."
        )
        what = f"{self._session.host} gave no access token ({status}{': ' if words else ''}{words})."
        return Unauthorized(f"{self._session.hidden(what)} {step}")

    def _hide(self, secret: str) -> None:
        """Hide a secret; of many that came and went only the last are still looked for."""
        if secret in self._hidden:
            return
        self._site.keep_secret(secret)
        self._hidden.append(secret)
        if len(self._hidden) > 8:
            self._site.forget_secret(self._hidden.popleft())
