"""The session that every call of every connector goes through, also those of the tools' official packages.

It keeps the promise that each attempt is named, counted, within the limits and under a time-out; that only what is safe
is repeated; and that credentials go to the configured site and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import requests
import tenacity
from requests.adapters import HTTPAdapter

from .. import __version__
from ..errors import Misconfigured, Refused, Unauthorized, Unavailable, Unreadable
from .attempts import ATTEMPTS, LOST, Again, Answer, Outgoing, wait_s
from .endpoints import Endpoint, Table
from .limiter import EVERYBODY, Limiter, Limits, WaitTooLong
from .manners import Expiry, Manners, Notice, Pause
from .parallel import Item, Result, in_order
from .reasons import (
    FateUnknown,
    Secrets,
    decoded,
    ended,
    is_html,
    local_time,
    never_sent,
    retry_after_s,
    said,
    why_lost,
)

log = logging.getLogger("pmosync.http")

TOLD_FROM_S = 5.0
"""Waits longer than this are told in the log."""

_TELLING, _TOLD = threading.Lock(), set[tuple[str, str]]()
"""The notices that were told, by site and name."""


class PoliteSession(requests.Session):
    """One credential's way to one site.

    Args:
        base_url: the site, with the path that the endpoint templates are relative to.
        endpoints: every call that may be made.
        limiter: shared by all sessions of the credential.
        max_wait_s: the most patience per call, all waits together.
        timeout_s: seconds to connect, and between two pieces of an answer.
        read_only: lets only calls through that change nothing.
        now: the clock, for the time of day in messages and for dates in `Retry-After`.
    """

    def __init__(
        self,
        base_url: str,
        endpoints: Sequence[Endpoint],
        limiter: Limiter,
        *,
        now: Callable[[], dt.datetime],
        max_wait_s: float = 120.0,
        timeout_s: tuple[float, float] = (10.0, 60.0),
        read_only: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise Misconfigured(
                f"base_url {parts.hostname or base_url!r} is not the address of a site",
                hint="write it like https://acme.atlassian.net, without a user or a password in it",
            )
        self.base_url = base_url.rstrip("/")
        self.host = parts.netloc
        self.limiter = limiter
        self.read_only = read_only
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        """Those of the calls that may change something."""
        self.manners = Manners()
        """How the tool speaks of haste and of credentials; a connector sets its own."""
        self.expiry: Callable[[bool], Expiry | None] = _not_known
        """When the credential ends, as far as it is known; with True the tool may be asked. A connector sets it."""
        self.notices: dict[str, Notice] = {}
        """What the site said beside its answers, by name."""
        self._table = Table(endpoints)
        self._others: list[PoliteSession] = []
        self._max_wait_s, self._timeout_s = max_wait_s, timeout_s
        self._monotonic, self._sleep, self._now = monotonic, sleep, now
        self._secrets = Secrets()
        self._lock = threading.Lock()
        self._denied: str | None = None
        self.held = False
        """Whether it was told from the beginning to send nothing."""
        self.let_in = False
        """Whether the site has answered these credentials well."""
        self.auth = _headers_as_they_are
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers.update({"User-Agent": f"pmosync/{__version__}", "Accept": "application/json"})
        width = limiter.limits.reads_in_flight + limiter.limits.writes_in_flight
        self.mount(f"{parts.scheme}://{parts.netloc}", HTTPAdapter(pool_connections=1, pool_maxsize=width))

    def keep_secret(self, text: str) -> None:
        """Never tell this text in a message or a log."""
        self._secrets.keep(text)

    @property
    def denied(self) -> str:
        """Why nothing more is sent with these credentials; empty: they were not refused."""
        return self._denied or ""

    def refuse(self, why: str) -> None:
        """Send nothing at all: the credentials were refused before, and the account is left in peace."""
        self._denied, self.held = why, True

    def hidden(self, text: str) -> str:
        """A text without the secrets of this session."""
        return self._secrets.hide(text)

    def forget_secret(self, text: str) -> None:
        """A secret that is worth nothing any more need not be looked for in every text."""
        self._secrets.forget(text)

    def beside(self, base_url: str, endpoints: Sequence[Endpoint], limits: Limits) -> PoliteSession:
        """A session to another address for the same site, such as its token endpoint; closed with this one.

        It has the same patience, keeps the same secrets and counts into the same numbers. It has no credentials.
        """
        other = PoliteSession(
            base_url,
            endpoints,
            Limiter(limits, self._monotonic, self._sleep),
            now=self._now,
            max_wait_s=self._max_wait_s,
            timeout_s=self._timeout_s,
            read_only=self.read_only,
            monotonic=self._monotonic,
            sleep=self._sleep,
        )
        other._secrets, other._lock, other.calls, other.writes = self._secrets, self._lock, self.calls, self.writes
        self._others.append(other)
        return other

    def close(self) -> None:
        """Let go of all connections."""
        for other in self._others:
            other.close()
        super().close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        read_as: str | None = None,
        expect: tuple[int, ...] = (),
    ) -> Answer:
        """Make one call; 2xx and the statuses in `expect` are answers, everything else raises.

        Args:
            path: relative to `base_url`, without a query.
            params: the query; booleans become `true` and `false`, None is left out.
            read_as: `batch` when the body is a batch: then it is judged by its actions.
        """
        sent = dict(headers or {})
        data = None
        if json is not None:
            data = orjson.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        query = {k: str(v).lower() if isinstance(v, bool) else v for k, v in (params or {}).items()}
        batch = json if read_as == "batch" else None
        response, body = self._exchange(
            method, self.base_url + path, {"params": query, "data": data, "headers": sent}, expect=expect, batch=batch
        )
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        """Make the call of an official package: the same rules as for `call`."""
        if args:
            options = {**dict(zip(("params", "data", "headers"), args, strict=False)), **options}
        expect = tuple(options.pop("expect", ()))
        response, _ = self._exchange(method, url, options, expect=expect)
        return response

    def hear(self, method: str, path: str, status: int, headers: Mapping[str, Any]) -> None:
        """Look for notices in what one action of a batch was answered; the batch's own answer was looked at."""
        named = {str(name).lower(): str(value) for name, value in headers.items()}
        self._hear(self._table.find(method.upper(), path), status, named)

    def wait(self, seconds: float) -> None:
        """Let time pass between two looks at something that the tool is still doing."""
        self._sleep(seconds)

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item], *, width: int | None = None) -> Iterator[Result]:
        """`fn` of every item, in order, at most `width` at a time. The first error stops the rest."""
        return in_order(fn, items, width or self.limiter.limits.at_once or self.limiter.limits.reads_in_flight)

    # --- one call ---------------------------------------------------------------------------------------------------

    def _exchange(
        self, method: str, url: str, options: Mapping[str, Any], *, expect: tuple[int, ...], batch: Any = None
    ) -> tuple[requests.Response, Any]:
        """One call with all its attempts: the response and its decoded body."""
        method = method.upper()
        endpoint, weight = self._table.find(method, self._relative(url)), 1
        if batch is not None:
            endpoint, weight = self._table.find_batch(endpoint, batch)
        if self.read_only and not endpoint.reads:
            raise Refused(f"{self.host}: {endpoint.name} would change something, and this run may only read.", status=0)
        if self._denied:
            raise Unauthorized(self._denied)
        item = self.manners.item_of(endpoint, self._relative(url))
        call = Outgoing(endpoint, url, options, expect, weight, item)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            wait=wait_s,
            stop=functools.partial(self._out_of_patience, call),
            sleep=self._sleep,
            before_sleep=functools.partial(self._before_sleep, call),
            reraise=True,
        )
        try:
            return retrying(self._attempt, call)
        except Again as again:
            raise again.trouble from None

    def _attempt(self, call: Outgoing) -> tuple[requests.Response, Any]:
        try:
            with self.limiter.pass_(call.endpoint, item=call.item, weight=call.weight, patience_s=self._left_s(call)):
                response = self._send(call)
        except WaitTooLong as wait:
            raise self._asked_to_wait(wait.wait_s) from None
        except Unauthorized as no:  # signing in was refused before anything was sent
            self._denied = str(no)
            raise
        status = response.status_code
        headers = {k.lower(): v for k, v in response.headers.items()}
        self._hear(call.endpoint, status, headers)
        if why := self.manners.denial_of(status, headers):
            raise self._deny(status, headers, why)
        pause = self.manners.pause_of(status, headers, retry_after_s(headers, self._now()), self._now())
        if status < 400 and pause is not None:
            self._hold(call, pause, refused=False)
        if status in call.expect:
            return response, decoded(response.content)
        if 200 <= status < 300:
            self.let_in = True
            return response, self._body(call, response)
        return self._raise_for(call, response, pause)

    def _hear(self, endpoint: Endpoint, status: int, headers: Mapping[str, str]) -> None:
        """Keep the notices of an answer, and log each the first time that this process meets it at this site."""
        for notice in self.manners.notices_of(endpoint, status, headers):
            with _TELLING:
                self.notices.setdefault(notice.name, notice)
                told = (self.host, notice.name) in _TOLD
                _TOLD.add((self.host, notice.name))
            if not told:
                level = logging.WARNING if notice.urgent else logging.INFO
                log.log(level, "%s: %s", self.host, self.hidden(f"{notice.what} {notice.next_step}".rstrip()))

    def _send(self, call: Outgoing) -> requests.Response:
        """One attempt on the wire, counted."""
        endpoint = call.endpoint
        with self._lock:
            self.calls[endpoint.name] += 1
            if not endpoint.reads:
                self.writes[endpoint.name] += 1
        started_s = self._monotonic()
        if call.first_sent_s is None:
            call.first_sent_s = started_s
        options = {"timeout": self._timeout_s, **call.options, "allow_redirects": False}
        try:
            response: requests.Response = super().request(endpoint.method, call.url, **options)
        except LOST as error:
            raise self._lost(call, error) from None
        took_ms = (self._monotonic() - started_s) * 1000
        log.debug("%s %s -> %d in %.0f ms", self.host, endpoint.name, response.status_code, took_ms)
        return response

    def _lost(self, call: Outgoing, error: Exception) -> Exception:
        """No answer, or half of one: repeated when that is safe or when nothing was sent."""
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Unreadable(
                f"{self.host}: the site's certificate is not accepted. "
                "Check base_url, and that this machine trusts the certificate's issuer."
            )
        if isinstance(error, requests.exceptions.ReadTimeout):
            what = f"gave no answer within {self._timeout_s[1]:g} s"
        elif never_sent(error):
            what = "could not be reached"
        else:
            what = "cut the connection before its answer was complete"
        return self._again(call, f"{what} ({why_lost(error)})", sent=not never_sent(error))

    def _body(self, call: Outgoing, response: requests.Response) -> Any:
        """The body of a good answer. A page or broken JSON is no answer."""
        content = response.content
        if not content.strip() and not (call.endpoint.reads and response.status_code == 200):
            return None
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            if is_html(content, response.headers.get("Content-Type", "")):
                raise self._not_json(call, response.status_code) from None
            words = f"{self.host}: {call.endpoint.name} answered with broken JSON. "
            if not call.endpoint.repeatable:
                raise FateUnknown(words + "Whether it was applied is not known; the next run looks.") from None
            raise Again(Unreadable(words + "Try again; if it stays, check what stands between us and it.")) from None

    def _raise_for(
        self, call: Outgoing, response: requests.Response, pause: Pause | None
    ) -> tuple[requests.Response, Any]:
        """Turn a status that is no answer into the error that says what happens next.

        Once, after a 401, that is another attempt: when there is a newer credential.
        """
        status = response.status_code
        headers = {k.lower(): self._secrets.hide(v) for k, v in response.headers.items()}
        body = decoded(self._secrets.hide(response.content.decode("utf-8", "replace")).encode())
        words = said(body)
        where = f"{self.host}: {call.endpoint.name}"
        asked_s = retry_after_s(headers, self._now())
        denied = headers.get("x-authentication-denied-reason", "")
        # Atlassian's gateway says 401 also to good credentials whose scopes do not cover one call.
        narrow = "scope does not match" in words.lower()
        if (status == 401 and not narrow) or (status == 403 and denied):
            if status == 401 and not denied and not call.renewed and self._renewed(call, response):
                return self._attempt(call)
            raise self._deny(status, headers, denied or words)
        if status == 429 or (status == 503 and asked_s is not None):
            raise self._asked_again(call, status, pause or Pause(wait_s=asked_s), words)
        if status >= 500:
            log.info("%s answered %d%s", where, status, f": {words}" if words else "")
            raise self._again(call, f"answered {status}{f': {words}' if words else ''}", sent=True)
        if 300 <= status < 400:
            raise Unreadable(
                f"{where} was sent elsewhere ({status} to {urlsplit(headers.get('location', '')).netloc or 'a page'}). "
                "Credentials are not sent there: set base_url to the site's real address."
            )
        if is_html(response.content, headers.get("content-type", "")):
            raise self._not_json(call, status)
        step = self.manners.step_on(call.endpoint, status, words)
        raise Refused(
            f"{where} was refused ({status}){f': {ended(words)}' if words else '.'}{f' {step}' if step else ''}",
            status=status,
            body=body,
            headers=headers,
        )

    # --- credentials ------------------------------------------------------------------------------------------------

    def _deny(self, status: int, headers: Mapping[str, str], why: str) -> Unauthorized:
        """Nothing more is sent with these credentials: more tries could lock the account."""
        what = f"{self.host} does not accept the credentials ({status}{': ' if why else ''}{why})."
        self._denied = self._secrets.hide(f"{what} {self.manners.advice_on(status, headers)}")
        return Unauthorized(self._denied)

    def _renewed(self, call: Outgoing, response: requests.Response) -> bool:
        """Whether the call may be sent once more with another credential."""
        call.renewed = True
        try:
            return self.manners.renewed(str(response.request.headers.get("Authorization", "")))
        except Unauthorized as no:
            self._denied = str(no)
            raise

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _again(self, call: Outgoing, what: str, *, sent: bool) -> Exception:
        """Send once more if that is safe; otherwise the fate is unknown, and we say so."""
        words = f"{self.host}: {call.endpoint.name} {self._secrets.hide(what)}. "
        if sent and not call.endpoint.repeatable:
            return FateUnknown(words + "Whether it was applied is not known; the next run looks.")
        return Again(Unavailable(words + "Try again later; if it stays, check the network and the site's status page."))

    def _asked_again(self, call: Outgoing, status: int, pause: Pause, words: str) -> Exception:
        """The site did not execute the call and asks for time."""
        key, asked_s = self._hold(call, pause, refused=True), pause.wait_s
        if asked_s is not None and asked_s > self._left_s(call):
            return self._asked_to_wait(asked_s)
        what = f"{self.host}: {call.endpoint.name} answered {status} ({words or 'too many requests'}) again and again. "
        trouble = Unavailable(what + "Try again later, or lower the limits of this site.", asked_s)
        return Again(trouble, asked_s, key=key)

    def _hold(self, call: Outgoing, pause: Pause, *, refused: bool) -> str:
        """Make wait whom the site meant, and say who that is."""
        keys = {"credential": EVERYBODY, "endpoint": call.endpoint.name, "item": call.item or call.endpoint.name}
        self.limiter.pause(pause.wait_s or 0.0, keys[pause.reach])
        if pause.slower:
            self.limiter.space(call.endpoint, more=refused)
        return keys[pause.reach]

    def _asked_to_wait(self, wait_s: float) -> Unavailable:
        return Unavailable(
            f"{self.host} asks us to wait {wait_s:.0f} s, longer than this run waits ({self._max_wait_s:.0f} s). "
            f"It may go on at {local_time(self._now(), wait_s)}: run again then.",
            retry_after_s=wait_s,
        )

    def _before_sleep(self, call: Outgoing, state: tenacity.RetryCallState) -> None:
        upcoming_s = state.upcoming_sleep
        trouble = state.outcome.exception() if state.outcome else None
        if isinstance(trouble, Again) and trouble.key is not None:
            self.limiter.pause(upcoming_s, trouble.key)
        if upcoming_s > TOLD_FROM_S:
            log.warning("%s: waiting %.0f s before %s is sent again", self.host, upcoming_s, call.endpoint.name)

    def _left_s(self, call: Outgoing) -> float:
        """How much patience this call has left."""
        if call.first_sent_s is None:
            return self._max_wait_s
        return max(0.0, call.first_sent_s + self._max_wait_s - self._monotonic())

    def _out_of_patience(self, call: Outgoing, state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= ATTEMPTS or state.upcoming_sleep > self._left_s(call)

    # --- addresses --------------------------------------------------------------------------------------------------

    def _relative(self, url: str) -> str:
        """The path below `base_url`; an address elsewhere is refused, so credentials cannot leave."""
        path = url[len(self.base_url) :].partition("?")[0]
        if not url.startswith(self.base_url + "/") or ".." in unquote(path).split("/"):
            raise Refused(f"An address outside {self.base_url} was asked for: nothing was sent.", status=0)
        return path

    def _not_json(self, call: Outgoing, status: int) -> Unreadable:
        return Unreadable(
            f"{self.host}: {call.endpoint.name} answered with a web page instead of data ({status}). "
            "Check base_url; a login page or a proxy may stand in between."
        )


def _headers_as_they_are(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps `requests` from taking credentials out of a netrc file."""
    return prepared


def _not_known(ask: bool) -> Expiry | None:
    """Nobody said when the credential ends."""
    return None
