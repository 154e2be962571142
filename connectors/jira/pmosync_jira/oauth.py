"""Keeps an OAuth access token fresh with a refresh token that each use replaces.

It keeps the promise that the new refresh token is on the disk before the access token that came with it is used, and
that threads and programs which share it renew it one at a time. A run that is killed between the answer and the disk
leaves the old one there, which Atlassian takes once more for ten minutes; so a call for a token may be repeated, too.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from urllib.parse import urlsplit

from requests import PreparedRequest

from pmosync.contract import Clock
from pmosync.errors import Unauthorized, Unreadable
from pmosync.http import Answer, Endpoint, Limits, PoliteSession
from pmosync.http.reasons import said

from .settings import TOKEN_URL, OAuthApp

EARLY_S = 120
"""An access token is renewed so long before it ends."""
JUST_NOW_S = 60
"""A token that was got so recently is not refused for its age."""
REFUSED = (400, 401, 403)
"""What the token endpoint answers when it gives no token."""


class Grant:
    """What an app may do, as the `auth` of a session: it puts the access token of the moment into each call."""

    def __init__(self, app: OAuthApp, session: PoliteSession, clock: Clock) -> None:
        self._app, self._site, self._clock = app, session, clock
        parts = urlsplit(app.token_url)
        # It changes nothing of anybody's work, so that a read-only run may sign in.
        self._endpoint = Endpoint("POST", parts.path, repeatable=True, reads=True)
        self._session = session.beside(f"{parts.scheme}://{parts.netloc}", (self._endpoint,), Limits(reads_in_flight=1))
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
            old = kept.read()
            self._hide(old)
            asked_at = self._clock()
            answer = self._ask(old)
            if answer.status in REFUSED:
                raise self._refused(answer)
            access, ends_in_s, new = self._tokens(answer, old)
            self._hide(access)
            self._hide(new)
            if new != old:
                kept.replace(new)
        self._access, self._got_at = access, asked_at
        self._ends_at = asked_at + dt.timedelta(seconds=max(ends_in_s, 2.0 * EARLY_S))

    def _ask(self, refresh_token: str) -> Answer:
        body = {
            "grant_type": "refresh_token",
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret.get_secret_value(),
            "refresh_token": refresh_token,
        }
        return self._session.call("POST", self._endpoint.template, json=body, expect=REFUSED)

    def _tokens(self, answer: Answer, old: str) -> tuple[str, float, str]:
        """The access token, the seconds it lasts, and the refresh token for the next time."""
        data = answer.data if isinstance(answer.data, dict) else {}
        access, new, ends_in_s = data.get("access_token"), data.get("refresh_token", old), data.get("expires_in")
        if not isinstance(access, str) or not isinstance(new, str) or not isinstance(ends_in_s, int | float):
            raise Unreadable(
                f"{self._session.host} answered without an access token. Check token_url: the usual one is {TOKEN_URL}"
            )
        return access, float(ends_in_s), new

    def _refused(self, answer: Answer) -> Unauthorized:
        data = answer.data if isinstance(answer.data, dict) else {}
        words = ": ".join(part for part in (str(data.get("error") or ""), said(answer.data)) if part)
        dead = data.get("error") == "invalid_grant" or "refresh_token" in words
        step = (
            f"The refresh token of {self._app.refresh_token.reference} is used up: a consent ends after 365 days, "
            "after 90 days without a run, with a changed password, and when an older token is used again, as after a "
            "run that was killed while it signed in. Authorize the app anew with the scope offline_access, and write "
            "the new refresh token into the file."
            if dead
            else "Check client_id and client_secret in the app's settings at https://developer.atlassian.com/console."
        )
        what = f"{self._session.host} gave no access token ({answer.status}: {words})."
        return Unauthorized(f"{self._session.hidden(what)} {step}")

    def _hide(self, secret: str) -> None:
        """Hide a secret; of many that came and went only the last are still looked for."""
        if secret in self._hidden:
            return
        self._site.keep_secret(secret)
        self._hidden.append(secret)
        if len(self._hidden) > 8:
            self._site.forget_secret(self._hidden.popleft())
