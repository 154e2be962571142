"""Signs in to a Jira site: turns the `auth` of its settings into what travels with each call.

It keeps the promise that credentials go to the configured address and nowhere else, and that a refused credential is
answered with the next step for the way that was chosen, not with another try.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from pmosync.contract import Clock
from pmosync.errors import PmosyncError
from pmosync.http import Endpoint, Grant, Limits, Manners, PoliteSession, carrying, never_renewed

from .expiry import announced
from .oauth import terms
from .settings import GATEWAY, ApiToken, Bearer, OAuth, Settings, is_gateway, is_site_address, tenant_info
from .throttling import item_of, pause_of

TOKENS_PAGE = "https://id.atlassian.com/manage-profile/security/api-tokens"
SIGNED_OUT = ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")
"""In `X-Seraph-LoginReason`, when Jira goes on as if nobody had signed in: empty lists then mean nothing."""


def sign_in(settings: Settings, session: PoliteSession, clock: Clock) -> None:
    """Let every call of this session carry the credentials of the settings; nothing is sent yet.

    With OAuth the first call gets an access token. How Jira speaks of haste and of credentials comes with it.
    """
    auth = settings.auth
    renewed: Callable[[str], bool] = never_renewed
    if isinstance(auth, OAuth):
        grant = Grant(terms(auth.oauth), session, clock)
        session.auth = grant
        renewed = grant.renewed
    else:
        header = _header(auth)
        session.keep_secret(auth.token.get_secret_value())
        session.keep_secret(header.partition(" ")[2])
        session.auth = carrying(header)
    session.expiry = announced(settings, session, clock)
    session.manners = Manners(
        pause_of=pause_of, item_of=item_of, denial_of=_denial, advice_on=_adviser(settings, session), renewed=renewed
    )


def _header(auth: ApiToken | Bearer) -> str:
    token = auth.token.get_secret_value()
    if isinstance(auth, Bearer):
        return f"Bearer {token}"
    return f"Basic {base64.b64encode(f'{auth.user}:{token}'.encode()).decode()}"


# --- refused credentials ----------------------------------------------------------------------------------------------


def _denial(status: int, headers: Mapping[str, str]) -> str:
    """Jira may answer a refused credential as if nobody had signed in, with 200 and what everybody may see."""
    reason = headers.get("x-seraph-loginreason", "")
    if status == 401 or not any(word in reason for word in SIGNED_OUT):
        return ""
    return headers.get("x-authentication-denied-reason") or reason


def _adviser(settings: Settings, session: PoliteSession) -> Callable[[int, Mapping[str, str]], str]:
    """What to do when the site refuses the credentials, for the way in that was configured."""
    auth, base_url = settings.auth, settings.base_url

    def advise(status: int, headers: Mapping[str, str]) -> str:
        if "x-authentication-denied-reason" in headers:
            who = f" as {auth.user}" if isinstance(auth, ApiToken) else " with this account"
            return (
                f"Sign in once in a browser{who} and solve the CAPTCHA there, then run again: until then each try "
                "keeps the account locked."
            )
        if isinstance(auth, OAuth):
            return (
                "The app was authorized, but not for this site, or its leave was withdrawn: compare the cloud id in "
                "base_url with what https://api.atlassian.com/oauth/token/accessible-resources lists, and authorize "
                "the app anew."
            )
        if is_gateway(base_url):
            return (
                "Check that the token is not expired or revoked, that it has the scopes, and that the cloud id in "
                "base_url is the one of its site. A token without scopes is taken at the site's own address only."
            )
        if isinstance(auth, Bearer):
            return (
                "The personal access token may be expired or revoked: look in Jira under Profile > Personal Access "
                "Tokens, and make a new one."
            )
        if is_site_address(base_url):
            return (
                f"Check the user, and at {TOKENS_PAGE} that its token is not expired or revoked. If the token has "
                f"scopes or is a service account's, write base_url: {_gateway_of(base_url, session)}"
            )
        return (
            "Check the user and the token. A Data Center takes a personal access token, which names no user: "
            "auth: {token: ...}; Jira 11 takes nothing else unless its administrator allows it."
        )

    return advise


def _gateway_of(base_url: str, session: PoliteSession) -> str:
    """The gateway's address of a site; its cloud id is asked for without credentials, and told only."""
    host, _, path = tenant_info(base_url).rpartition("/_edge")
    known = Endpoint("GET", f"/_edge{path}", repeatable=False, reads=True)
    try:
        found = session.beside(host, (known,), Limits()).call("GET", known.template).data
        return GATEWAY.replace("<cloud id>", str(found["cloudId"]))
    except (PmosyncError, KeyError, TypeError):
        return f"{GATEWAY}, where the cloud id stands in {tenant_info(base_url)}"
