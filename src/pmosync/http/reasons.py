"""Puts into words what a site answered, and reads how long it asks us to wait.

It keeps the promise that every message names the site, the endpoint, the tool's own words and the next step, and that
none carries a secret.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import orjson
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ..errors import PmosyncError

_LONGEST = 400

NEXT_STEP = {
    400: "The call does not fit this site: compare the names in the mapping with `pmosync discover`.",
    401: "The token lacks a scope that this call needs: make one that has it.",
    403: "Ask an administrator of the site for the permission, or take this part out of the scope.",
    404: "It does not exist, or the account may not see it: check the name, and what the account may see.",
    410: "The tool has removed this call: update pmosync.",
    413: "The tool has a size limit there: make room, or write less.",
}


class FateUnknown(PmosyncError):
    """A write was sent and its answer got lost: it may have been applied or not, and repeating it is not safe."""


class Secrets:
    """Texts that must not be told. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: tuple[str, ...] = ()

    def keep(self, text: str) -> None:
        """Hide this text, also in the form it has in a URL."""
        if text:
            with self._lock:
                every = {*self._texts, text, quote(text, safe="")}
                self._texts = tuple(sorted(every, key=len, reverse=True))

    def forget(self, text: str) -> None:
        """This text is no secret any more."""
        with self._lock:
            gone = {text, quote(text, safe="")}
            self._texts = tuple(kept for kept in self._texts if kept not in gone)

    def hide(self, text: str) -> str:
        """The text with every secret replaced."""
        for secret in self._texts:
            text = text.replace(secret, "***")
        return text


def is_html(content: bytes, content_type: str) -> bool:
    """Whether a body is a web page."""
    start = content[:200].lstrip().lower()
    return "html" in content_type.lower() or start.startswith((b"<!doctype", b"<html"))


def decoded(content: bytes) -> Any:
    """The body as data; None when it is empty, the text itself when it is no JSON."""
    if not content.strip():
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "replace")


def said(body: Any) -> str:
    """The tool's own words in an error body, in one line."""
    words = " ".join(" ".join(_words(body)).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def ended(words: str) -> str:
    """Words of a tool as a sentence, so that ours may follow."""
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _words(body: Any) -> list[str]:
    if isinstance(body, str):
        return [] if is_html(body.encode(), "") else [body]
    if not isinstance(body, dict):
        return []
    found: list[str] = []
    messages = body.get("errorMessages")
    found += [str(m) for m in messages] if isinstance(messages, list) else []
    found += [str(body[key]) for key in ("errorMessage", "message", "error_description", "detail") if body.get(key)]
    errors = body.get("errors")
    if isinstance(errors, dict):
        found += [f"{name}: {text}" for name, text in errors.items()]
    elif isinstance(errors, list):
        found += [_one(e) if isinstance(e, dict) else str(e) for e in errors]
    return found


def _one(error: dict[str, Any]) -> str:
    """One error of a list; with the words by which the tool's support finds it again, where there are some."""
    text, phrase = str(error.get("message") or ("" if "phrase" in error else error)), error.get("phrase")
    return " ".join(part for part in (text, f"(for its support: {phrase})" if phrase else "") if part)


def retry_after_s(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """The seconds that `Retry-After` asks for (integer, decimal or HTTP date); None when it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = _http_date(text)
        if until is None:
            return None
        seconds = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _http_date(text: str) -> dt.datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=dt.UTC)


def local_time(now: dt.datetime, seconds: float) -> str:
    """The local time in so many seconds, for people: `14:32`, with the day when it is not today."""
    here = now.astimezone()
    then = (now + dt.timedelta(seconds=seconds)).astimezone()
    return then.strftime("%H:%M" if then.date() == here.date() else "%Y-%m-%d %H:%M")


def never_sent(error: Exception) -> bool:
    """Whether the connection was never made, so that nothing can have been applied."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        reason, (NewConnectionError, ConnectTimeoutError)
    )


def why_lost(error: Exception) -> str:
    """The innermost cause of a lost connection in a few words, without addresses of objects."""
    cause: Any = error
    while isinstance(cause, BaseException):
        inner = getattr(cause, "reason", None) or (cause.args[-1] if cause.args else None)
        if not isinstance(inner, BaseException):
            break
        cause = inner
    return str(cause).rpartition(": ")[2].strip("()'\" ")[:200] or type(error).__name__
