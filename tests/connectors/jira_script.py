"""A Jira of a few prepared answers, for connector functions that take a session; and the sandbox behind a session."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

import pmosync_jira
from pmosync.errors import Refused
from pmosync.http import Endpoint, Limiter, Limits, PoliteSession

API = "/rest/api/3"
SERVER = "/rest/api/2"
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
READS = (
    ("POST", "/changelog/bulkfetch"),
    ("GET", "/issue/{id}/changelog"),
    ("GET", "/worklog/updated"),
    ("GET", "/worklog/deleted"),
    ("POST", "/worklog/list"),
    ("GET", "/issue/{id}/worklog"),
    ("GET", "/issue/{id}/comment"),
)


@dataclass
class Said:
    """The data of an answer."""

    data: Any
    status: int = 200


@dataclass
class Script:
    """Answers calls by what a test prepared for `METHOD /path`: data, a list of data one after the other, or a function
    of what was asked."""

    answers: Mapping[str, Any]
    host: str = "acme.example"
    base_url: str = "https://acme.example"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def call(
        self, method: str, path: str, *, params: Any = None, json: Any = None, expect: tuple[int, ...] = ()
    ) -> Said:
        name = f"{method} {path.removeprefix(API)}"
        self.asked.append((name, dict(params or json or {})))
        answer = self.answers[name]
        if isinstance(answer, list):
            answer = answer.pop(0)
        elif callable(answer):
            answer = answer(dict(params or json or {}))
        if isinstance(answer, Refused):
            raise answer
        return answer if isinstance(answer, Said) else Said(answer)

    def map(self, fn: Callable[[Any], Any], items: Iterable[Any], *, width: int | None = None) -> Iterator[Any]:
        return map(fn, items)

    def calls(self) -> list[str]:
        """The calls in their order."""
        return [name for name, _ in self.asked]


def session_on(sandbox: Any) -> PoliteSession:
    """A session on the sandbox, Cloud or Data Center, that may make every call of these tests."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = "Bearer sandbox-jira-token"
        return request

    more = [
        Endpoint(method, api + path, repeatable=True, reads=True) for method, path in READS for api in (API, SERVER)
    ]
    limits = Limits(per_second=100, reads_in_flight=4, writes_in_flight=4)
    limiter = Limiter(limits, time.monotonic, time.sleep)
    session = PoliteSession(sandbox.url, [*pmosync_jira.ENDPOINTS, *more], limiter, now=lambda: NOON)
    session.auth = sign
    return session
