"""Takes the Cloud mode's handlers for the calls that both have, and puts Data Center's shapes before and behind them.

It keeps the promise that what a handler answers passes in Data Center's shape, refusals included, and that query
parameters which only Cloud knows do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

import orjson
from werkzeug.wrappers import Response

from ...answers import Refused
from ...call import Call, Handler, Rule
from ..tables import SITE
from .shapes import Shapes

API = "/rest/api/2"
OF_CLOUD_ONLY = frozenset({
    "returnIssue", "overrideScreenSecurity", "overrideEditableFlag", "expand", "properties", "notifyUsers",
})  # fmt: skip
# Of the Cloud mode's calls: these, with their methods; what only one of the two has is not here.
SHARED: dict[str, tuple[str, ...]] = {
    "/configuration": ("GET",),
    "/status": ("GET",),
    "/issuetype": ("GET",),
    "/priority": ("GET",),
    "/resolution": ("GET",),
    "/issueLinkType": ("GET",),
    "/issueLink": ("POST",),
    "/issueLink/{}": ("GET", "DELETE"),
    "/project/{}/statuses": ("GET",),
    "/project/{}/version": ("GET",),
    "/project/{}/versions": ("GET",),
    "/version": ("POST",),
    "/version/{}": ("GET", "PUT"),
    "/issue/{}": ("DELETE",),
    "/issue/{}/transitions": ("GET", "POST"),
    "/issue/{}/editmeta": ("GET",),
    "/issue/{}/watchers": ("GET", "POST", "DELETE"),
    "/issue/{}/properties": ("GET",),
    "/issue/{}/properties/{}": ("PUT", "DELETE"),
    "/project/{}/properties": ("GET",),
    "/project/{}/properties/{}": ("PUT", "DELETE"),
    "/issue/{}/comment/{}": ("GET", "DELETE"),
    "/comment/{}/properties": ("GET",),
    "/comment/{}/properties/{}": ("PUT", "DELETE"),
    "/issue/{}/remotelink": ("GET", "POST", "DELETE"),
    "/issue/{}/remotelink/{}": ("GET", "PUT", "DELETE"),
    "/issue/{}/worklog": ("GET", "POST"),
    "/issue/{}/worklog/{}": ("GET", "PUT", "DELETE"),
    "/worklog/updated": ("GET",),
    "/worklog/deleted": ("GET",),
    "/worklog/list": ("POST",),
}
# Values of properties pass as they are.
VERBATIM = ("/issue/{}/properties/{}", "/project/{}/properties/{}", "/comment/{}/properties/{}")


class Cloud:
    """The Cloud mode's handlers, by method and path."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[tuple[str, str], Rule] = {}
        for rule in rules:
            for method in rule[0]:
                self._rules.setdefault((method, _shape(rule[1])), rule)

    def handler(self, method: str, path: str) -> Handler | None:
        """The handler of a call of version 3, e.g. ("PUT", "/issue/{}")."""
        rule = self._rules.get((method, f"/rest/api/3{path}"))
        return rule[2] if rule else None

    def shared(self) -> list[Rule]:
        """The calls that both modes have, in Data Center's shapes."""
        found: list[Rule] = []
        for shape, methods in SHARED.items():
            for method in methods:
                rule = self._rules.get((method, f"/rest/api/3{shape}"))
                if rule:
                    path = rule[1].replace("/rest/api/3", API, 1)
                    found.append(((method,), path, rule[2] if shape in VERBATIM else shaped(rule[2])))
        for shape in VERBATIM:
            rule = self._rules.get(("GET", f"/rest/api/3{shape}"))
            if rule:
                found.append((("GET",), rule[1].replace("/rest/api/3", API, 1), rule[2]))
        return found

    def agile(self) -> list[Rule]:
        """The agile API: the same calls in both modes."""
        rules = {(rule[0], rule[1]): rule for (_, path), rule in self._rules.items() if path.startswith("/rest/agile/")}
        return [(methods, path, shaped(handler)) for methods, path, handler in rules.values()]


def shaped(handler: Handler, *, keep: Collection[str] = ()) -> Handler:
    """A handler with answers in Data Center's shape; of the query parameters that Cloud has only `keep` count."""

    def handle(call: Call) -> Response:
        query = {name: value for name, value in call.query.items() if name not in OF_CLOUD_ONLY or name in keep}
        return in_shape(call, handler(replace(call, query=query)))

    return handle


def in_shape(call: Call, found: Response) -> Response:
    """An answer of the Cloud mode in Data Center's shape."""
    data = found.get_data()
    if data:
        base = call.request.host_url.rstrip("/").encode()
        text = orjson.dumps(Shapes(call.state).of(orjson.loads(data)))
        found.set_data(text.replace(SITE.encode(), base))
    return found


def renamed(refused: Refused, names: dict[str, str]) -> Refused:
    """A refusal that names fields as the caller named them."""
    body = refused.body
    if isinstance(body, dict) and isinstance(body.get("errors"), dict):
        body = body | {"errors": {names.get(name, name): told for name, told in body["errors"].items()}}
    return Refused(refused.status, body, refused.headers)


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)
