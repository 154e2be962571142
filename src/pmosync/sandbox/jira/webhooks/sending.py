"""Says what one webhook carries, its signature and its token, and that it goes to this machine only.

It keeps the promise that nothing leaves the machine: an address that is not loopback is refused when it is registered
and again when it is called.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson

from ... import line
from ...answers import Refused
from ..access import refusal

USER_AGENT = "Atlassian Webhook HTTP Client"


def loopback(url: str) -> None:
    """Refuse a URL that does not lead back to this machine."""
    try:
        place = line.loopback(url)
    except ValueError:
        raise Refused(400, refusal(f"The URL '{url}' is not valid.")) from None
    if place is None:
        message = (
            f"The sandbox delivers webhooks to this machine only, and '{url}' is elsewhere or not plain HTTP: give a "
            "URL such as http://127.0.0.1:8080/jira, and where a public address is needed put a forwarder in between."
        )
        raise Refused(400, refusal(message))


def signature(secret: str, body: bytes) -> str:
    """What X-Hub-Signature says of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def token(secret: str, app: str, now_s: int) -> str:
    """The JSON web token that an app with a secret of its own is sent."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    claims = {"iss": app, "iat": now_s, "exp": now_s + 3600}
    text = f"{part(orjson.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{part(orjson.dumps(claims))}"
    return f"{text}.{part(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"
