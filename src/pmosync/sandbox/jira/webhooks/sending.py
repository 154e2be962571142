"""Sends one webhook: its headers, its signature, its one request, and only to this machine.

It keeps the promise that nothing leaves the machine: an address that is not loopback is refused when it is registered
and again when it is called.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson

from ...answers import Refused
from ..access import refusal

USER_AGENT = "Atlassian Webhook HTTP Client"
CONNECT_S = 5.0


def loopback(url: str) -> tuple[str, int, str]:
    """The address, port and path of a URL, or the refusal of one that does not lead back to this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise Refused(400, refusal(f"The URL '{url}' is not valid.")) from None
    address = "127.0.0.1" if host == "localhost" else host
    try:
        inside = ipaddress.ip_address(address).is_loopback
    except ValueError:
        inside = False
    if parts.scheme != "http" or not inside:
        message = (
            f"The sandbox delivers webhooks to this machine only, and '{url}' is elsewhere or not plain HTTP: give a "
            "URL such as http://127.0.0.1:8080/jira, and where a public address is needed put a forwarder in between."
        )
        raise Refused(400, refusal(message))
    return address, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


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


class Line:
    """One request at a time; whoever ends the sandbox can cut it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> int | str:
        """The status it was answered with, or why there was no answer."""
        host, port, path = loopback(url)
        connection = http.client.HTTPConnection(host, port, timeout=min(CONNECT_S, timeout_s))
        try:
            connection.connect()
            self._socket = connection.sock
            self._socket.settimeout(timeout_s)
            connection.request("POST", path, body, dict(headers))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self._socket = None
            connection.close()

    def cut(self) -> None:
        """End the request that is under way, if there is one."""
        open_socket = self._socket
        if open_socket is not None:
            try:
                open_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
