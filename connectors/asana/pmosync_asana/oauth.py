"""Says on what terms Asana gives an OAuth app its access tokens, which last an hour; the refresh token usually stays.

https://developers.asana.com/docs/oauth
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pmosync.http import Terms

from .settings import OAuthApp

TOKEN_PATH = "/-/oauth_token"


def terms(app: OAuthApp, base_url: str) -> Terms:
    """The terms of the Asana that answers at `base_url`."""
    parts = urlsplit(base_url)

    def step_on(error: str, words: str) -> str:
        if error == "invalid_grant":
            return (
                f"The refresh token of {app.refresh_token.reference} is not taken any more: authorize the app anew, "
                "with full permissions, and write the new refresh token into the file."
            )
        return "Check client_id and client_secret in the app's settings at https://app.asana.com/0/my-apps."

    return Terms(
        f"{parts.scheme}://{parts.netloc}{TOKEN_PATH}",
        app.client_id,
        app.client_secret.get_secret_value(),
        app.refresh_token,
        step_on,
        check="Check base_url, then try again.",
        as_form=True,
    )
