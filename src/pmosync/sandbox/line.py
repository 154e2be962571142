"""Makes one request to a receiver of webhooks, and only on this machine.

It keeps the promise that nothing leaves the machine: an address that is not loopback is never called.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_S = 5.0
KEPT_CHARACTERS = 2000


@dataclass(frozen=True)
class Place:
    """Where a request goes."""

    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Reply:
    """How a receiver answered: its status, its headers by their names in small letters, the beginning of its words."""

    status: int
    headers: Mapping[str, str]
    text: str


def loopback(url: str) -> Place | None:
    """Where a URL leads if it is plain HTTP and leads back to this machine, else None; ValueError if it is no URL."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    address = "127.0.0.1" if host == "localhost" else host
    try:
        inside = ipaddress.ip_address(address).is_loopback
    except ValueError:
        inside = False
    if parts.scheme != "http" or not inside:
        return None
    return Place(address, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


class Line:
    """One request at a time; whoever ends the sandbox can cut it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply | str:
        """The answer, or why there was none."""
        place = loopback(url)
        if place is None:
            return f"not called: {url} is not on this machine"
        connection = http.client.HTTPConnection(place.host, place.port, timeout=min(CONNECT_S, timeout_s))
        try:
            connection.connect()
            self._socket = connection.sock
            self._socket.settimeout(timeout_s)
            connection.request("POST", place.path, body, dict(headers))
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, told, answer.read(KEPT_CHARACTERS).decode("utf-8", "replace"))
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
