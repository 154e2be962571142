"""Knows when the credential of a Jira site ends, as far as anybody can know.

It keeps the promise that a date is never guessed: it stands in the configuration, follows from the day of a consent, or
is the server's own word about a token that cannot be another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from pmosync.contract import Clock
from pmosync.errors import Refused, Unreadable
from pmosync.http import Endpoint, Expiry, PoliteSession

from .settings import ApiToken, Bearer, OAuth, Settings, is_gateway

TOKENS = "/rest/pat/latest/tokens"
ENDPOINT = Endpoint("GET", TOKENS, repeatable=True, reads=True)
CONSENT_DAYS = 365
"""A consent ends so long after it was given, however often its tokens are renewed."""


def announced(settings: Settings, session: PoliteSession, clock: Clock) -> Callable[[bool], Expiry | None]:
    """What the session says about its credential; with True a Data Center is asked, too."""
    auth = settings.auth

    def expiry(ask: bool) -> Expiry | None:
        if isinstance(auth, OAuth):
            given_on = auth.oauth.authorized_on
            if given_on is None:
                return None
            step = "authorize the app anew, and write the new refresh token into its file, and authorized_on"
            return Expiry("the consent that was given to the app", given_on + dt.timedelta(days=CONSENT_DAYS), step)
        if auth.expires_on is not None:
            what = f"the API token of {auth.user}" if isinstance(auth, ApiToken) else "the token"
            return Expiry(what, auth.expires_on, "make a new one, write it where its reference points, and expires_on")
        if not ask or not isinstance(auth, Bearer) or settings.deployment == "cloud" or is_gateway(settings.base_url):
            return None
        return _own_token(auth, session, clock())

    return expiry


def _own_token(auth: Bearer, session: PoliteSession, now: dt.datetime) -> Expiry | None:
    """The token among those of its account. Its text names none of them, so it is known by name, or by being alone."""
    try:
        answer = session.call("GET", TOKENS, expect=(401, 403, 404))
    except (Refused, Unreadable):
        return None
    known = answer.status == 200 and isinstance(
        answer.data, list
    )  # not by an older server, or one that lets nobody ask
    listed = [one for one in answer.data if isinstance(one, dict)] if known else []
    if auth.token_name:
        listed = [one for one in listed if one.get("name") == auth.token_name]
    if len(listed) != 1 or (at := _instant(listed[0])) is None or at <= now:
        return None
    step = "make a new one in Jira under Profile > Personal Access Tokens, and write it where its reference points"
    return Expiry(f"the personal access token '{listed[0].get('name')}'", at.date(), step)


def _instant(token: dict[str, Any]) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(str(token.get("expiringAt")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
