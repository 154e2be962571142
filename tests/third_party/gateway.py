"""Stands before a server that others wrote and answers what it is known to lack; everything else is really its own.

A gap says what the server lacks, how to see that it still does, and what is answered in its place, made of the server's
own data where it has any. A call that no gap names goes through untouched, and what came back is remembered.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

NOT_SENT_ON = {"host", "content-length", "connection", "accept-encoding"}
NOT_GIVEN_BACK = {"content-length", "transfer-encoding", "connection", "content-encoding", "date", "server"}


class Direct:
    """The server itself."""

    def __init__(self, base_url: str, headers: dict[str, str] | None = None) -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> requests.Response:
        """One call, by its path below the address."""
        return self._session.request(
            method, self.base_url + path, json=body, params=params, timeout=30, allow_redirects=False
        )

    def data(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The answer to a call that succeeds."""
        answer = self.call(method, path, body, **params)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None


@dataclass
class Asked:
    """One call on its way through."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    found: tuple[str, ...]
    """What the gap's pattern found in the path."""

    def one(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.query.get(name, [default])[0]


Fill = Callable[[Asked, Direct], tuple[int, Any]]


@dataclass(frozen=True)
class Gap:
    """Something that a server lacks."""

    call: str
    """Method and path, where `{}` is any one part of the path."""
    lacks: str
    still: Callable[[Direct], bool]
    """Whether the server, asked directly, still lacks it."""
    fill: Fill
    """The status and data to answer in its place."""

    def matches(self, method: str, path: str) -> tuple[str, ...] | None:
        """What stands in the places of `{}`; None when it is another call."""
        wanted, template = self.call.split()
        found = re.fullmatch(re.escape(template).replace(r"\{\}", "([^/]+)"), path)
        return found.groups() if found and method == wanted else None


@dataclass
class Gateway:
    """The way to a server, with its gaps filled."""

    server: Direct
    gaps: Sequence[Gap]
    path_of: Callable[[str], str] = str
    """A path as the server knows it."""
    url: str = ""
    passed: list[tuple[str, int]] = field(default_factory=list)
    """Calls that the server itself answered, with the status."""
    filled: set[str] = field(default_factory=set)
    """Gaps that were met."""

    def __call__(self, environ: Any, start: Any) -> Any:
        """Answer one call (WSGI)."""
        environ["PATH_INFO"] = self.path_of(environ["PATH_INFO"])
        request = Request(environ)
        response = self._filled(request) or self._through(request)
        return response(environ, start)

    def _filled(self, request: Request) -> Response | None:
        for gap in self.gaps:
            found = gap.matches(request.method, request.path)
            if found is not None:
                self.filled.add(gap.call)
                body = json.loads(request.get_data()) if request.get_data() else None
                asked = Asked(request.method, request.path, request.args.to_dict(flat=False), body, found)
                status, data = gap.fill(asked, self.server)
                text = b"" if data is None else json.dumps(data).encode()
                return Response(text, status, content_type="application/json")
        return None

    def _through(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_SENT_ON}
        query = request.query_string.decode()
        answer = requests.request(
            request.method, self.server.base_url + request.path + (f"?{query}" if query else ""),
            data=request.get_data(), headers=headers, timeout=30, allow_redirects=False,
        )  # fmt: skip
        self.passed.append((f"{request.method} {request.path}", answer.status_code))
        back = {name: value for name, value in answer.headers.items() if name.lower() not in NOT_GIVEN_BACK}
        return Response(answer.content, answer.status_code, back)


@contextmanager
def before(server: Direct, gaps: Sequence[Gap], path_of: Callable[[str], str] = str) -> Iterator[Gateway]:
    """A gateway on loopback."""
    gateway = Gateway(server, gaps, path_of)
    listening = make_server("127.0.0.1", 0, gateway, threaded=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    gateway.url = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield gateway
    finally:
        listening.shutdown()
        thread.join(timeout=10)
        listening.server_close()
