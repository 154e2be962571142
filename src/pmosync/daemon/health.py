"""Answers who asks how the daemon is: `/healthz`, `/readyz` and `/metrics`.

No answer waits for a lock or for a site; none shows more than counts, names of sites and sentences for people.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from pmosync.config.unattended import Address
from pmosync.errors import Misconfigured

Say = Callable[[], str]
"""Why something is not so; empty: it is."""


def application(not_alive: Say, not_ready: Say, metrics: Callable[[], bytes]) -> Callable[..., Iterable[bytes]]:
    """The three pages as a WSGI application."""

    def page(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("only GET is answered\n", 405, {"Allow": "GET, HEAD"})
        match request.path:
            case "/healthz":
                return _state(not_alive())
            case "/readyz":
                return _state(not_ready())
            case "/metrics":
                return Response(metrics(), content_type=CONTENT_TYPE_LATEST)
        return Response("there are /healthz, /readyz and /metrics\n", 404)

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return page(Request(environ))(environ, start)

    return answer


def _state(why_not: str) -> Response:
    return Response(f"{why_not}\n", 503) if why_not else Response("ok\n")


@contextmanager
def serving(address: Address, app: Callable[..., Iterable[bytes]]) -> Iterator[Address]:
    """Answer on this address while the block runs; yields the address, with the port that was taken.

    Raises:
        Misconfigured: it cannot be listened on.
    """
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no line per request
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(64)
    except OSError as error:
        raise Misconfigured(
            f"cannot listen on {address}: {error.strerror}",
            where="daemon",
            hint="is another daemon running? Name another port: `--listen HOST:PORT`, or `daemon: {listen: ...}`",
        ) from None
    with listener:
        server = make_server(address.host, address.port, app, threaded=True, fd=listener.fileno())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield Address(address.host, listener.getsockname()[1])
        finally:
            server.shutdown()
            thread.join(2)
            server.server_close()
