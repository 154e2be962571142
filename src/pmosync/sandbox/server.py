"""Takes requests from the socket to a handler and back: routing, sign-in, faults, limits, the request log.

It keeps the promise that requests are handled one at a time and whole: what a refused or failed one did is undone.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import queue
import socket
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from . import guidance, pages
from .answers import Refused, error_body, json_answer, refusal_answer
from .asana import oauth as asana_oauth
from .asana import rules as asana_rules
from .asana.webhooks import AsanaWebhooks
from .asana_limits import Passage
from .call import Action, Call, Handler
from .control import PREFIX, Control, RequestLog
from .faults import Asked, Fault, Faults, refuse, unauthorized
from .jira import credentials, datacenter
from .jira import rules as jira_rules
from .jira.datacenter.door import Door, is_on, problem_body
from .jira.webhooks import Webhooks
from .limits import Limits
from .state import State

READING_POSTS = ("/2/search", "/latest/search", "/search/jql", "/search/approximate-count", "/issue/bulkfetch",
                 "/changelog/bulkfetch", "/permissions/check", "/comment/list", "/worklog/list",
                 "/expression/evaluate", "/oauth/token")  # fmt: skip
OPEN_TO_ALL = ("/serverInfo", "/oauth/token", "/oauth/token/accessible-resources")


@dataclass(frozen=True)
class Outcome:
    """What goes to the socket: an answer, or None to close it without one; `truncated` sends half of the body."""

    answer: Response | None
    truncated: bool = False


@dataclass(frozen=True)
class Route:
    """A handler and the template it is logged under."""

    template: str
    handler: Handler


ANSWERED_S = 0.2
"""How long the answer to a last request may take to get out."""


class App:
    """The sandbox's sites over one state, and beside them the pages in `folder`, if there is one."""

    def __init__(self, state: State, folder: Path | None = None) -> None:
        self.state = state
        self.log = RequestLog()
        self.faults = Faults()
        self.limits = Limits(day=lambda: state.now().timestamp())
        self.stopping = threading.Event()
        self.asked_to_stop: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.webhooks, self.asana_webhooks = Webhooks(state), AsanaWebhooks(state)
        hooks = (self.webhooks, self.asana_webhooks)
        self.control = Control(state, self.log, self.faults, self.limits, self._stop_soon, *hooks)
        cloud = jira_rules(state)
        others = [
            *pages.rules(state, guidance.PREFIX if folder else ""),
            *asana_rules(state),
            *asana_oauth.rules(state),
        ]
        others += guidance.rules(folder) if folder else []
        self._map = _map([*others, *cloud, *self.webhooks.cloud_rules()])
        self._data_center = _map([*others, *datacenter.rules(cloud), *self.webhooks.data_center_rules()])
        self._door = Door(state)

    def ask_to_stop(self) -> None:
        """Wake up whoever waits for the end; safe in a signal handler, which an event is not: its lock may be held."""
        self.asked_to_stop.put(None)

    def _stop_soon(self) -> None:
        """Stop when whoever asked over the control API has got the answer."""
        threading.Timer(ANSWERED_S, self.ask_to_stop).start()

    def answer(self, request: Request) -> Outcome:
        """Answer one request."""
        request = credentials.enter(request)
        if request.path.startswith(PREFIX):
            return Outcome(self.control.answer(request))
        tool = tool_of(request.path)
        try:
            route, args = self._route(request.method, request.path)
        except Refused as refused:
            if is_api(request.path):
                self.log.trip()
                self.log.add(tool, request.method, "(none)", request.path, refused.status, False, "")
            return Outcome(refusal_answer(refused))
        if not is_api(request.path):
            return Outcome(self._handle(request, route, args, request.args.to_dict(), None, {}, []))
        try:
            body = orjson.loads(request.get_data() or b"null")
        except orjson.JSONDecodeError:
            message = "There was an error parsing JSON. Check that your request body is valid."
            return Outcome(json_answer(error_body(tool, message), 400))
        return self._answer_api(request, tool, route, args, body)

    def _answer_api(self, request: Request, tool: str, route: Route, args: dict[str, str], body: Any) -> Outcome:
        write = is_write(request.method, route.template) and not _only_asks(route.template, body)
        asked = Asked(tool, request.method, request.path, write, request.args.to_dict(), body, self.state)
        door = self._door if tool == "jira" and is_on(self.state) else None
        open_to_all = route.template.endswith(OPEN_TO_ALL)
        if door:
            user, denied = door.sign_in(request, open_to_all=open_to_all)
        else:
            user, denied = self._sign_in(tool, request, route.template)
            denied = None if open_to_all else denied
        name, app = str((user or {}).get("email") or ""), bool((user or {}).get("app"))
        with self.state.lock:
            sent = self.faults.resolve(asked)
            fault = self.faults.take(asked)
        actions: list[Action] = []
        answer = self._before(fault, asked)
        cut = fault is not None and fault.kind == "cut_before"
        if answer is None and not cut:
            answer = self.limits.refuse(tool, request.method, route.template, request.path, name, write, app)
        if answer is None and not cut and door:
            answer = door.refuse(user)
        if answer is None and not cut:
            with self._passing(asked, request, name) as passage:
                answer = passage.refused or denied
                answer = answer or self._handle(request, route, args, asked.query, asked.body, user or {}, actions)
                passage.answer = answer
            if tool == "asana" and write:
                self.asana_webhooks.wake()
            if not door:
                self.limits.account(tool, request.method, route.template, write, answer, app)
            if fault is not None:
                answer = self.faults.spoil(fault, asked, sent, answer)
                cut = fault.kind == "cut_after"
        if answer is not None and door:
            door.sign(answer, user)
        status = None if answer is None or cut else answer.status_code
        self.log.trip()
        for action in actions or [Action(request.method, route.template, status or 0, write)]:
            shown = action.status if actions else status
            self.log.add(tool, action.method, action.template, request.path, shown, action.write, name)
        return Outcome(None if cut else answer, truncated=fault is not None and fault.kind == "truncated")

    def _passing(self, asked: Asked, request: Request, user: str) -> AbstractContextManager[Passage]:
        """Count a call of Asana's against its limits."""
        known = asked.tool == "asana"
        return self.limits.asana.passing(asked, request, user) if known else contextlib.nullcontext(Passage())

    def _sign_in(self, tool: str, request: Request, template: str) -> tuple[dict[str, Any] | None, Response | None]:
        """The account that makes a call, or the answer to one that nobody makes."""
        user = sign_in(self.state, tool, request)
        if tool != "jira":
            return user, None if user else unauthorized(tool)
        found = credentials.sign_in(self.state, request, template, user)
        return found.account, found.denied

    def _before(self, fault: Fault | None, asked: Asked) -> Response | None:
        if fault is None:
            return None
        if fault.kind == "hang":
            self.stopping.wait(float(fault.options.get("seconds", 60)))
        return refuse(fault, asked)

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        tool = tool_of(path)
        data_center = tool == "jira" and is_on(self.state)
        try:
            routes = self._data_center if data_center else self._map
            route, args = routes.bind("sandbox").match(path, method)
        except NotFound:
            if data_center and is_api(path):
                raise Refused(404, problem_body(404, f"null for uri: {path}")) from None
            text = "No matching route for request" if tool == "asana" else f"null for uri: {path}"
            raise Refused(404, error_body(tool, text)) from None
        except MethodNotAllowed as error:
            allow = {"Allow": ", ".join(sorted(error.valid_methods or []))}
            raise Refused(405, error_body(tool, "Method Not Allowed"), allow) from None
        return route, dict(args)

    def _handle(
        self, request: Request, route: Route, args: dict[str, str], query: dict[str, str], body: Any,
        user: dict[str, Any], actions: list[Action],
    ) -> Response:  # fmt: skip
        def perform(method: str, path: str, inner_query: dict[str, str], inner_body: Any) -> Response:
            try:
                inner, inner_args = self._route(method, path)
            except Refused as refused:
                return refusal_answer(refused)
            write = is_write(method, inner.template)
            asked = Asked(tool_of(path), method, path, write, inner_query, inner_body, self.state)
            sent = self.faults.resolve(asked)
            fault = self.faults.take_inside(asked)
            answer = refuse(fault, asked) if fault else None
            if answer is None:
                answer = self._handle(request, inner, inner_args, asked.query, asked.body, user, [])
                answer = self.faults.spoil(fault, asked, sent, answer) if fault else answer
            actions.append(Action(method, inner.template, answer.status_code, write))
            return answer

        call = Call(request, args, query, body, user, self.state, route.template, perform, actions)
        try:
            with self.webhooks.watching(call), self.state.transaction():
                return route.handler(call)
        except Refused as refused:
            return refusal_answer(refused)


def _map(rules: Iterable[tuple[tuple[str, ...], str, Handler]]) -> Map:
    return Map(
        [
            Rule(path.replace("{", "<").replace("}", ">"), methods=list(methods), endpoint=Route(path, handler))
            for methods, path, handler in rules
        ],
        strict_slashes=False,
        merge_slashes=False,
    )


def tool_of(path: str) -> str:
    """Which tool's site a path belongs to."""
    return "asana" if path.startswith(("/api/1.0", "/0/", "/-/")) else "jira"


def is_api(path: str) -> bool:
    """Whether a path is a REST call (signed in, counted), not a page."""
    return path.startswith(("/api/1.0", "/rest/", "/oauth/"))


def is_write(method: str, template: str) -> bool:
    """Whether a call changes something or tries to: everything but GET, HEAD and the POSTs that only ask."""
    return method not in ("GET", "HEAD", "OPTIONS") and not (method == "POST" and template.endswith(READING_POSTS))


def _only_asks(template: str, body: Any) -> bool:
    """Whether a call is an Asana batch of nothing but reads."""
    data = body.get("data") if template.endswith("/batch") and isinstance(body, dict) else None
    actions = data.get("actions") if isinstance(data, dict) else None
    if not isinstance(actions, list):
        return False
    found = [str(action.get("method")).lower() for action in actions if isinstance(action, dict)]
    return bool(found) and set(found) == {"get"}


def sign_in(state: State, tool: str, request: Request) -> dict[str, Any] | None:
    """The account a request's Authorization header stands for."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = given.strip()
        return state.account(tool, token) or (asana_oauth.account(state, token) if tool == "asana" else None)
    if scheme.lower() != "basic" or tool == "asana":
        return None
    try:
        email, _, token = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    account = state.account(tool, token)
    return account if account and str(account.get("email")).lower() == email.lower() else None


class _Connection(BaseHTTPRequestHandler):
    """One client's connection: kept alive, without Nagle's delay, closed when a fault says so."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the request log is asked for over the control API."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        outcome = self.server.app.answer(Request(self._environ(self.rfile.read(length))))
        if outcome.answer is None:
            self._close()
            return
        body = outcome.answer.get_data()
        head = [f"HTTP/1.1 {outcome.answer.status}", f"Date: {self.date_time_string()}", "Server: pmosync-sandbox"]
        head += [f"{name}: {value}" for name, value in outcome.answer.headers if name != "Content-Length"]
        if outcome.answer.status_code not in (204, 304):
            head.append(f"Content-Length: {len(body)}")
        if outcome.truncated:
            body = body[: len(body) // 2]
        if self.command == "HEAD":
            body = b""
        self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        if outcome.truncated:
            self._close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = _serve

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command, "SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query, "SERVER_NAME": str(host), "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http", "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }  # fmt: skip
        for name, value in self.headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        return environ

    def _close(self) -> None:
        self.close_connection = True
        hang_up(self.connection)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news; anything else is the sandbox's own defect, so show it."""
        import sys

        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """A running sandbox on loopback. `port` 0 takes a free one; `folder` holds pages to serve as /guidance/."""

    def __init__(self, state: State, port: int = 0, folder: Path | None = None) -> None:
        self.app = App(state, folder)
        self._listener = _Listener(port, self.app)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def start(self) -> None:
        """Begin to answer, in a thread of its own, and deliver what a saved state still had to."""
        self._thread.start()
        self.app.webhooks.wake()
        self.app.asana_webhooks.wake()

    def wait(self) -> None:
        """Return when somebody asked it to stop.

        Looks up now and then: a signal that comes just before a thread falls asleep does not wake it.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                return self.app.asked_to_stop.get(timeout=0.5)

    def stop(self) -> None:
        """End: release what hangs, close every connection and the database."""
        self.app.stopping.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()
        for connection in list(self._listener.connections):
            hang_up(connection)
        self.app.webhooks.stop()
        self.app.asana_webhooks.stop()
        self.app.state.close()


def hang_up(connection: socket.socket) -> None:
    """Close a socket under whoever reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
