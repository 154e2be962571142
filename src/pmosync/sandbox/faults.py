"""Makes chosen requests go wrong in the ways networks and vendors go wrong, so that a client's manners can be tested.

It keeps the promise that a fault hits exactly the requests it names, as often as it says, and that nobody else
notices: handlers know nothing of faults.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from werkzeug.wrappers import Response

from .answers import JSON, error_body, json_answer
from .state import State

KINDS = frozenset({
    "status", "retry_after", "cut_before", "cut_after", "truncated", "not_json", "repeat_token", "empty_page",
    "expired_offset", "expired_sync", "forbidden", "missing", "unauthorized", "hang",
})  # fmt: skip
NAMING = frozenset({"expired_offset", "expired_sync", "forbidden", "missing"})
"""Kinds that say themselves which requests they hit."""
ANSWERS = frozenset({"status", "retry_after", "repeat_token", "empty_page"})
"""Kinds that stand in an answer, whatever brings it."""
TOKENS = {"jira": "nextPageToken", "asana": "offset"}
LOGIN_PAGE = (
    b'<!DOCTYPE html><html lang="en"><head><title>Log in to continue</title></head><body><form action="/login" '
    b'method="post"><label>Email <input name="username"></label><button>Continue</button></form></body></html>'
)
MESSAGES = {
    "jira": {
        400: "The request is invalid.",
        403: "You do not have the permission to do this.",
        404: "Issue does not exist or you do not have permission to see it.",
        409: "Another change of this issue is under way.",
        429: "Rate limit exceeded.",
        500: "Internal server error",
        503: "The service is unavailable, please try again later.",
    },
    "asana": {
        400: "The request is invalid.",
        403: "Forbidden",
        404: "Not Found",
        429: "You have made too many requests recently. Please, be chill.",
        500: "Server Error",
        503: "Service Unavailable",
    },
}


class BadFault(Exception):
    """The control API was given a fault that cannot be; the text says what is wrong with it."""


@dataclass
class Fault:
    """One fault and how often it has met a request."""

    kind: str
    tool: str | None
    method: str | None
    path: re.Pattern[str] | None
    write: bool | None
    after: int
    times: int | None
    options: dict[str, Any]
    met: int = 0

    def hits(self, asked: Asked) -> bool:
        """Whether this request is one of its; counts those it meets."""
        if not self._matches(asked):
            return False
        self.met += 1
        return self.after < self.met and (self.times is None or self.met <= self.after + self.times)

    @property
    def reaches_inside(self) -> bool:
        """Whether it may hit the actions of a batch."""
        return self.kind in NAMING or (self.kind in ANSWERS and self.path is not None)

    def _matches(self, asked: Asked) -> bool:
        if self.tool not in (None, asked.tool) or self.method not in (None, asked.method):
            return False
        if self.write not in (None, asked.write) or (self.path and not self.path.search(asked.path)):
            return False
        if self.kind in ("forbidden", "missing"):
            return mentions(asked, str(self.options["project"])) or _is_bulk(asked)
        if self.kind == "expired_sync":
            return asked.path.endswith("/events") and "sync" in asked.query
        return self.kind != "expired_offset" or asked.token() is not None


@dataclass
class Asked:
    """What a fault sees of a request; `query` and `body` are its own copies and may be altered."""

    tool: str
    method: str
    path: str
    write: bool
    query: dict[str, str]
    body: Any
    state: State

    def token(self) -> str | None:
        """The page token the request carries."""
        name = TOKENS[self.tool]
        if name in self.query:
            return self.query[name]
        return self.body.get(name) if isinstance(self.body, dict) else None

    def put_token(self, token: str | None) -> None:
        """Replace the page token the request carries."""
        name = TOKENS[self.tool]
        place = self.query if name in self.query else self.body
        if token is None:
            place.pop(name, None)
        else:
            place[name] = token


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._aliases: dict[str, str | None] = {}

    def replace(self, wanted: list[dict[str, Any]]) -> None:
        """Put these in force in place of all others."""
        self._faults = [read_fault(one) for one in wanted]

    def take(self, asked: Asked) -> Fault | None:
        """The fault that hits this request: the first that does, but every fault counts the requests it matches."""
        hits = [fault for fault in self._faults if fault.hits(asked)]
        return hits[0] if hits else None

    def take_inside(self, asked: Asked) -> Fault | None:
        """The fault that hits one action of a batch: one that names such calls and is not about the connection."""
        hits = [fault for fault in self._faults if fault.reaches_inside and fault.hits(asked)]
        return hits[0] if hits else None

    def resolve(self, asked: Asked) -> str | None:
        """Let a token that an empty page gave out stand for the request it stood for; return the token as sent."""
        token = asked.token()
        if token in self._aliases:
            asked.put_token(self._aliases[token])
        return token

    def spoil(self, fault: Fault, asked: Asked, sent: str | None, answer: Response) -> Response:
        """The answer, as the fault alters it."""
        if answer.status_code != 200:
            return answer
        if fault.kind == "not_json":
            return Response(LOGIN_PAGE, content_type="text/html; charset=utf-8")
        if fault.kind == "repeat_token" and sent is not None:
            return _with_next(answer, asked.tool, sent)
        if fault.kind == "empty_page":
            alias = secrets.token_urlsafe(24)
            self._aliases[alias] = asked.token()
            return _with_next(answer, asked.tool, alias, empty=True)
        if fault.kind in ("forbidden", "missing") and _is_bulk(asked):
            return _without_project(answer, str(fault.options["project"]))
        return answer


def read_fault(given: dict[str, Any]) -> Fault:
    """A fault as the control API is given it."""
    rest = dict(given)
    kind = rest.pop("kind", None)
    if kind not in KINDS:
        raise BadFault(f"kind {kind!r} is none of: {', '.join(sorted(KINDS))}")
    match = dict(rest.pop("match", None) or {})
    unknown = set(match) - {"tool", "method", "path", "write"}
    if unknown:
        raise BadFault(f"match has no {', '.join(sorted(unknown))}: it has tool, method, path and write")
    if kind in ("forbidden", "missing") and "project" not in rest:
        raise BadFault(f"a fault of kind {kind} names its project: a key (Jira) or a gid (Asana)")
    if kind == "status" and not isinstance(rest.get("status"), int):
        raise BadFault("a fault of kind status names its status: a number such as 503")
    path = match.get("path")
    return Fault(
        kind=kind, tool=match.get("tool"), method=match.get("method"), path=re.compile(path) if path else None,
        write=match.get("write"), after=int(rest.pop("after", 0)), times=rest.pop("times", None), options=rest,
    )  # fmt: skip


def refuse(fault: Fault, asked: Asked) -> Response | None:
    """The answer that stands in place of handling the request, or None when it is to be handled."""
    tool, options = asked.tool, fault.options
    if fault.kind == "status":
        return status_answer(tool, int(options["status"]), options.get("headers"), options.get("body"))
    if fault.kind == "retry_after":
        value = options.get("value")
        headers = {} if value is None else {"Retry-After": str(value)}
        if tool == "jira" and value is not None:
            headers["RateLimit-Reason"] = str(options.get("reason", "jira-burst-based"))
        return status_answer(tool, 429, headers)
    if fault.kind == "unauthorized":
        return unauthorized(tool)
    if fault.kind == "expired_offset":
        return json_answer(error_body("asana", "offset: Your pagination token has expired."), 400)
    if fault.kind in ("forbidden", "missing") and not _is_bulk(asked):
        return _project_refused(fault, asked)
    if fault.kind == "expired_sync":
        # without its token Asana's own handshake answers: 412 and a fresh one
        asked.query.pop("sync", None)
    return None


def status_answer(tool: str, status: int, headers: Mapping[str, str] | None = None, body: Any = None) -> Response:
    """An answer with a status, with the vendor's own error body unless one is given."""
    if status == 401 and body is None:
        return unauthorized(tool)
    if isinstance(body, str):
        answer = Response(body, status=status, content_type="text/html; charset=utf-8")
        answer.headers.update(headers or {})
        return answer
    text = MESSAGES[tool].get(status, "The request failed.")
    return json_answer(error_body(tool, text) if body is None else body, status, headers)


def unauthorized(tool: str) -> Response:
    """The vendor's answer to unknown credentials."""
    if tool == "asana":
        return json_answer(error_body("asana", "Not Authorized"), 401, {"WWW-Authenticate": 'Bearer realm="asana"'})
    body = {"message": "Client must be authenticated to access this resource.", "status-code": 401}
    return json_answer(body, 401, {"WWW-Authenticate": 'OAuth realm="sandbox"', "X-Seraph-LoginReason": "OUT"})


def mentions(asked: Asked, project: str) -> bool:
    """Whether a request is about a project: names its key or gid, or an issue of it."""
    jql = asked.body.get("jql", "") if isinstance(asked.body, dict) else ""
    texts = [asked.path, *asked.query.values(), str(jql)]
    word = re.compile(rf"(?<![\w]){re.escape(project)}(?![\w])", re.IGNORECASE)
    if any(word.search(text) for text in texts):
        return True
    if asked.tool != "jira":
        return False
    named = re.search(r"/(issue|project)/(\d+)", asked.path)
    if named is None:
        return False
    own = "SELECT id FROM jira_project WHERE key = ?"
    if named[1] == "project":
        return asked.state.row(f"{own} AND id = ?", (project, int(named[2]))) is not None
    sql = f"SELECT 1 FROM jira_issue WHERE project_id = ({own}) AND id = ?"
    return asked.state.row(sql, (project, int(named[2]))) is not None


def _is_bulk(asked: Asked) -> bool:
    """Whether the answer may hold several projects' items: what cannot be seen is then left out of it."""
    if asked.tool != "jira":
        return False
    if asked.path.endswith(("/api/2/search", "/api/latest/search")):
        jql = asked.body.get("jql") if isinstance(asked.body, dict) else asked.query.get("jql")
        return "project" not in str(jql).lower()
    whole_lists = ("/issue/bulkfetch", "/project/search", "/api/2/project", "/api/latest/project")
    return asked.path.endswith(whole_lists)


def _project_refused(fault: Fault, asked: Asked) -> Response:
    project = str(fault.options["project"])
    if fault.kind == "forbidden":
        return status_answer(asked.tool, 403)
    if asked.tool == "asana":
        return json_answer(error_body("asana", f"project: Not a recognized ID: {project}"), 404)
    if asked.path.endswith(("/search/jql", "/search")):
        body = {"errorMessages": [f"The value '{project}' does not exist for the field 'project'."], "errors": {}}
        return json_answer(body, 400)
    if "/project/" in asked.path:
        return json_answer(error_body("jira", f"No project could be found with key '{project}'."), 404)
    return status_answer("jira", 404)


def _without_project(answer: Response, project: str) -> Response:
    body = orjson.loads(answer.get_data())
    if isinstance(body, list):
        return json_answer([one for one in body if one["key"] != project])
    if "issues" in body:
        kept = [one for one in body["issues"] if not one["key"].startswith(f"{project}-")]
        if "total" in body:
            body["total"] -= len(body["issues"]) - len(kept)
        body["issues"] = kept
    if "values" in body:
        body["values"] = [one for one in body["values"] if one["key"] != project]
    return json_answer(body)


def _with_next(answer: Response, tool: str, token: str, *, empty: bool = False) -> Response:
    if answer.content_type != JSON:
        return answer
    body = orjson.loads(answer.get_data())
    if tool == "jira" and "isLast" in body and "issues" in body:
        body |= {"nextPageToken": token, "isLast": False} | ({"issues": []} if empty else {})
    elif tool == "jira" and empty and "total" in body and "issues" in body:
        # Data Center has no tokens: its empty page contradicts the total
        body["issues"] = []
    elif tool == "asana" and isinstance(body.get("data"), list):
        body["next_page"] = (body.get("next_page") or {"path": "", "uri": ""}) | {"offset": token}
        body |= {"data": []} if empty else {}
    return json_answer(body)
