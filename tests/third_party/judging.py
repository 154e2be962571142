"""Reads along what goes over a session, and judges it by the documents of the vendor whose tool it is."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

JUDGED = 4
"""All requests are judged; of the answers of one operation and status these, for they are alike."""
Finding = tuple[str, str, str]
"""The operation, what kind of thing is wrong, and where."""


@dataclass(frozen=True)
class Exchange:
    """One call and its answer."""

    method: str
    url: str
    """Path and query."""
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    content: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.url).path


def exchanged(answer: requests.Response) -> Exchange:
    """What went over the wire."""
    sent, target = answer.request, urlsplit(str(answer.request.url))
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    url = f"{target.path}?{target.query}" if target.query else target.path
    told = dict(answer.headers)
    return Exchange(str(sent.method), url, dict(sent.headers), body, answer.status_code, told, answer.content)


def alone(exchange: Exchange) -> Iterable[Exchange]:
    """An exchange in which there are no others."""
    return (exchange,)


@dataclass
class Judge:
    """A hook for the answers that a session gets."""

    specs: Mapping[str, Any]
    """The document for calls below a path."""
    apart: Callable[[Exchange], Iterable[Exchange]] = alone
    """Takes an exchange apart that has others in it."""
    most: int = JUDGED
    """So many answers of one operation and status are judged."""
    wire: int = 0
    """How many answers came."""
    asked: Counter[str] = field(default_factory=Counter)
    """Calls by operation."""
    paths: set[tuple[str, str]] = field(default_factory=set)
    """The method and path of each call."""
    wrong: set[Finding] = field(default_factory=set)
    """What was asked otherwise than the document says."""
    answered: set[Finding] = field(default_factory=set)
    """What was answered otherwise than the document says."""
    words: dict[Finding, str] = field(default_factory=dict)
    """The same in the words of the judge."""
    _seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    _told: dict[tuple[str, str], tuple[str | None, Any, list[dict[str, Any]]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        """Judge an answer and what was asked."""
        with self._lock:
            self.wire += 1
            for exchange in self.apart(exchanged(answer)):
                self.judge(exchange)

    def judge(self, call: Exchange) -> None:
        """Judge one exchange."""
        spec = next(one for path, one in self.specs.items() if call.path.startswith(path))
        name, operation, found = self._request(spec, call)
        where = name or f"{call.method} {call.path}"
        self.asked[where] += 1
        self.paths.add((call.method, call.path))
        self.wrong |= {self._finding(where, one) for one in found if one["severity"] != "info"}
        self._seen[where, call.status] += 1
        if name is not None and self._seen[where, call.status] <= self.most:
            found = spec.check_response(name, operation, call.status, call.answer_headers, call.content)
            self.answered |= {self._finding(where, one) for one in found if one["severity"] == "error"}

    def _request(self, spec: Any, call: Exchange) -> tuple[str | None, Any, list[dict[str, Any]]]:
        """What the document says to a call; two without a body that differ in numbers alone are alike."""
        alike = call.method, re.sub(r"\d+", "*", call.url)
        if call.body or alike not in self._told:
            found: tuple[str | None, Any, list[dict[str, Any]]]
            found = spec.check_request(call.method, call.url, call.headers, call.body)
            if call.body:
                return found
            self._told[alike] = found
        return self._told[alike]

    def _finding(self, operation: str, one: dict[str, Any]) -> Finding:
        """What is wrong and where, whichever of many alike it is."""
        where = re.sub(r"/\d+", "/*", one["where"])
        if where == "query/opt_fields/*":  # which of many fields is not one of those that there are
            where = where.replace("*", one["message"].split("'")[1])
        found = operation, one["kind"], where
        self.words[found] = one["message"]
        return found
