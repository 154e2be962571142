"""Makes calls to Asana: the official package builds the requests, our polite session carries them.

It keeps the promise that a list is either read to its end or not believed at all: an offset that comes again, an empty
page in the middle or a body without data is no answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asana

from pmosync.errors import Misconfigured, Refused, Unavailable, Unreadable
from pmosync.http import Answer, FateUnknown, PoliteSession

from .settings import READS_IN_FLIGHT, Settings

PAGE = 100
SMALL_PAGE = 20
"""For a list whose pages Asana cannot put together in time."""
BATCH = 10
TRIES = 3
"""How often a list is begun whose offset expires on the way, and something is made whose answer gets lost."""
Json = dict[str, Any]
Item = TypeVar("Item")
Made = TypeVar("Made")


class _Rest:
    """What the official package calls instead of its own HTTP client: our session, with our rules."""

    def __init__(self, session: PoliteSession) -> None:
        self._session = session

    def _send(self, method: str, url: str, query_params: Any = None, headers: Any = None, **given: Any) -> Answer:
        return self._session.call(
            method,
            url.removeprefix(self._session.base_url),
            params=dict(query_params or ()),
            json=given.get("body"),
            headers=headers,
        )

    def GET(self, url: str, **given: Any) -> Answer:
        return self._send("GET", url, **given)

    def POST(self, url: str, **given: Any) -> Answer:
        return self._send("POST", url, **given)

    def PUT(self, url: str, **given: Any) -> Answer:
        return self._send("PUT", url, **given)

    def DELETE(self, url: str, **given: Any) -> Answer:
        return self._send("DELETE", url, **given)


_configuring = threading.Lock()


def _configuration() -> Any:
    """The package's settings, without what it does to everybody's logging on the way."""
    with _configuring:
        loggers = [logging.getLogger(name) for name in ("asana", "urllib3")]
        before = [(list(logger.handlers), logger.level) for logger in loggers]
        configuration = asana.Configuration()
        for logger, (handlers, level) in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers
            logger.setLevel(level)
    return configuration


def client(session: PoliteSession) -> Any:
    """The official client on our session: without its own connections, threads, retries and rewriting of texts.

    The session carries the credentials.
    """
    configuration = _configuration()
    configuration.host = session.base_url
    configuration.return_page_iterator = False
    made = asana.ApiClient(configuration)
    made.pool.close()
    made.pool.join()
    del made.pool
    made.rest_client = _Rest(session)
    made.user_agent = session.headers["User-Agent"]
    # The package would read the JSON again and turn no-break spaces into spaces; the session has read it already.
    made.deserialize = lambda answer, _type: answer.data
    return made


@dataclass(frozen=True, slots=True)
class Asked:
    """One reading action of a batch."""

    path: str
    fields: str = ""
    limit: int | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    expect: tuple[int, ...] = ()
    """Statuses that are answers, beside 200."""

    @property
    def action(self) -> Json:
        """As a part of a batch."""
        options: Json = {"fields": self.fields.split(",")} if self.fields else {}
        options |= {"limit": self.limit} if self.limit else {}
        return {"relative_path": self.path, "method": "get", "data": dict(self.query), "options": options}

    @property
    def params(self) -> Json:
        """As the query of a call of its own."""
        fields = {"opt_fields": self.fields} if self.fields else {}
        return {**self.query, **fields, **({"limit": self.limit} if self.limit else {})}


class Api:
    """The calls that the connector makes, page by page or ten at a time."""

    def __init__(self, settings: Settings, session: PoliteSession) -> None:
        self.session = session
        made = client(session)
        self.users = asana.UsersApi(made)
        self.memberships = asana.WorkspaceMembershipsApi(made)
        self.projects = asana.ProjectsApi(made)
        self.portfolios = asana.PortfoliosApi(made)
        self.sections = asana.SectionsApi(made)
        self.tasks = asana.TasksApi(made)
        self.fields = asana.CustomFieldsApi(made)
        self.tags = asana.TagsApi(made)
        self._wanted_workspace = settings.workspace
        self._me: tuple[Json, str] | None = None

    def me(self) -> tuple[Json, str]:
        """Who we are, and the gid of the workspace that this site is; asked once."""
        if self._me is None:
            self._me = self._who()
        return self._me

    def _who(self) -> tuple[Json, str]:
        found = one(self.users.get_user("me", {"opt_fields": "name,email,workspaces.name"}))
        visible = {w["gid"]: w.get("name", "") for w in found.get("workspaces") or ()}
        wanted = self._wanted_workspace
        if wanted is None and len(visible) == 1:
            return found, next(iter(visible))
        if wanted in visible:
            return found, str(wanted)
        named = ", ".join(f"{gid} ({name})" for gid, name in visible.items()) or "none"
        what = f"the account does not see workspace {wanted}" if wanted else "the account sees several workspaces"
        if not visible:
            what = "the account sees no workspace"
        hint = f"set workspace: to one of {named}" if visible else "invite the account to the workspace"
        raise Misconfigured(f"{self.session.host}: {what}", where="workspace", hint=hint)

    def pages(self, call: Callable[..., Any], *path: str, **query: Any) -> list[Json]:
        """A whole list through a method of the official package.

        All pages are read before anything else is done with them, because offsets expire; a list whose offset expired
        is begun again, and one whose pages Asana cannot put together in time is read in smaller ones.
        """
        begun, size = 1, PAGE
        while True:
            try:
                return [item for page in self._each_page(call, path, {**query, "limit": size}) for item in page]
            except _Expired as expired:
                if begun == TRIES:
                    raise expired.refusal from None
                begun += 1
            except Unavailable as silent:
                if size == SMALL_PAGE:
                    raise self.alone(silent) from None
                self.alone(silent)
                size = SMALL_PAGE

    def alone(self, silent: Unavailable) -> Refused:
        """One list or record that Asana does not bring forth, while the site answers; else the trouble is the site's.

        Raises:
            Unavailable: nothing is answered.
        """
        try:
            self.session.call("GET", "/users/me", params={"opt_fields": "name"})
        except Unavailable:
            raise silent from None
        return Refused(f"{silent} The site itself answers.", status=504)

    def _each_page(
        self, call: Callable[..., Any], path: tuple[str, ...], query: Mapping[str, Any]
    ) -> Iterator[list[Json]]:
        seen: set[str] = set()
        offset: str | None = None
        while True:
            # The package writes into the mapping that it is given, so each call gets its own.
            given = {**query, **({"offset": offset} if offset else {})}
            try:
                body = call(*path, given)
            except Refused as refusal:
                if offset and refusal.status == 400:
                    raise _Expired(refusal) from None
                raise
            page = many(body)
            offset = next_offset(body, page)
            yield page
            if offset is None:
                return
            if offset in seen:
                raise Unreadable(f"{self.session.host}: a list came back to a page that was read already. Try again.")
            seen.add(offset)

    def batch(self, asked: Sequence[Asked]) -> list[Any]:
        """Up to ten reads in one round trip: each the body of its answer, or the refusal it met."""
        if len(asked) < 2:
            return [self._singly(one) for one in asked]
        results = self.act([a.action for a in asked])
        return [
            found["body"] if found["status_code"] in (200, *a.expect) else self._singly(a)
            for a, found in zip(asked, results, strict=True)
        ]

    def _singly(self, asked: Asked) -> Any:
        """One read by itself, with the session's retries and its words for a refusal."""
        try:
            return self.session.call("GET", asked.path, params=asked.params, expect=asked.expect).data
        except Refused as refusal:
            return refusal
        except Unavailable as silent:
            return self.alone(silent)

    def act(self, actions: list[Json]) -> list[Json]:
        """Send a batch; the answers in the order of the actions."""
        answer = self.session.call("POST", "/batch", json={"data": {"actions": actions}}, read_as="batch")
        results = many(answer.data)
        if len(results) != len(actions):
            raise Unreadable(f"{self.session.host}: a batch of {len(actions)} had {len(results)} answers. Try again.")
        for action, found in zip(actions, results, strict=True):
            path = action["relative_path"]
            self.session.hear(action["method"], path, int(found["status_code"]), found.get("headers") or {})
        return results

    def each(self, asked: Iterable[Asked]) -> Iterator[Any]:
        """Many reads, ten at a time, as many batches in parallel as may be in flight; one outcome each, in order."""
        for found in self.session.map(self.batch, chunks(list(asked), BATCH), width=READS_IN_FLIGHT // BATCH):
            yield from found

    def lists(self, asked: Sequence[Asked]) -> Iterator[list[Json] | Refused | Unreadable]:
        """Many lists, their first pages ten at a time; each to its end, or why it cannot be read."""
        for a, body in zip(asked, self.each(asked), strict=True):
            try:
                yield self.to_its_end(a, body)
            except (Refused, Unreadable) as trouble:
                yield trouble

    def to_its_end(self, asked: Asked, body: Any) -> list[Json]:
        """A list from the answer to its first page."""
        if isinstance(body, Refused) and body.status != 504:
            raise body
        if isinstance(body, Refused) or next_offset(body, many(body)):
            return self.every(asked)
        return many(body)

    def every(self, asked: Asked) -> list[Json]:
        """A whole list whose calls the official package need not build."""
        query = {name: value for name, value in asked.params.items() if name != "limit"}
        return self.pages(lambda given: self.session.call("GET", asked.path, params=given).data, **query)


def surely(make: Callable[[], Made], look: Callable[[], Made | None]) -> Made:
    """Make something; when the answer gets lost, look before making it again."""
    tries = 1
    while True:
        try:
            return make()
        except FateUnknown:
            found = look()
            if found is not None:
                return found
            if tries == TRIES:
                raise
            tries += 1


class _Expired(Exception):
    """The offset of a list is no longer good."""

    def __init__(self, refusal: Refused) -> None:
        self.refusal = refusal
        super().__init__(str(refusal))


def one(body: Any) -> Json:
    """The record of an answer."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise Unreadable("Asana answered without data where one record was expected. Try again; then check base_url.")
    return dict(body["data"])


def many(body: Any) -> list[Json]:
    """The records of an answer."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise Unreadable("Asana answered without data where a list was expected. Try again; then check base_url.")
    return list(body["data"])


def sync_token(body: Any) -> str:
    """Where a stream of events goes on."""
    if not isinstance(body, dict) or not body.get("sync"):
        raise Unreadable("Asana answered without a sync token where events were asked for. Try again.")
    return str(body["sync"])


def next_offset(body: Json, page: list[Json]) -> str | None:
    """Where the list goes on; None at its end. An empty page that is not the last proves nothing."""
    following = body.get("next_page")
    if not following:
        return None
    if not page or not following.get("offset"):
        raise Unreadable("Asana sent an empty page in the middle of a list, so the list is not complete. Try again.")
    return str(following["offset"])


def said(body: Any, status: int) -> str:
    """Asana's own words for a refused action."""
    errors = body.get("errors") if isinstance(body, dict) else None
    words = "; ".join(str(error.get("message", "")) for error in errors or ())
    step = {403: ": the field is locked or the account may not edit this item", 404: ": it is gone or out of our sight"}
    return f"{words or 'Asana refused the write'} ({status}){step.get(status, '')}"


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items, `size` at a time."""
    return (items[begin : begin + size] for begin in range(0, len(items), size))
