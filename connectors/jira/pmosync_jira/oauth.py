"""Says on what terms Atlassian gives an OAuth app its access tokens: each use replaces the refresh token.

A run that is killed between the answer and the disk leaves the old one there, which Atlassian takes once more for ten
minutes; so a call for a token may be repeated.
"""

from __future__ import annotations

from pmosync.http import Terms

from .settings import TOKEN_URL, OAuthApp


def terms(app: OAuthApp) -> Terms:
    """The terms for this app."""

    def step_on(error: str, words: str) -> str:
        if error == "invalid_grant" or "refresh_token" in words:
            return (
                f"The refresh token of {app.refresh_token.reference} is used up: a consent ends after 365 days, "
                "after 90 days without a run, with a changed password, and when an older token is used again, as after "
                "a run that was killed while it signed in. Authorize the app anew with the scope offline_access, and "
                "write the new refresh token into the file."
            )
        return "Check client_id and client_secret in the app's settings at https://developer.atlassian.com/console."

    return Terms(
        app.token_url,
        app.client_id,
        app.client_secret.get_secret_value(),
        app.refresh_token,
        step_on,
        check=f"Check token_url: the usual one is {TOKEN_URL}",
    )
