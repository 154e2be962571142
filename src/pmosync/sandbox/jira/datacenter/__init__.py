"""The sandbox's Jira site as Data Center 10.3 answers it: version 2 of the API over the same issues as the Cloud mode.

It keeps the promise that what only Cloud has is not there: version 3, searches by token, bulk calls.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from ...answers import Refused
from ...call import Call, Rule
from ...state import State
from .. import switches
from . import comments, issues, projects, search, site, tokens
from .door import problem_body
from .fields import prepare
from .reuse import API, Cloud

__all__ = ["rules", "switch", "switch_on"]


def rules(cloud_rules: list[Rule]) -> list[Rule]:
    """Everything the site answers in this mode, from the Cloud mode's own rules and those that differ."""
    cloud = Cloud(cloud_rules)
    own = [*site.rules(cloud), *projects.rules(), *search.rules(), *issues.rules(cloud), *comments.rules(cloud)]
    taken = {(method, path) for methods, path, _ in own for method in methods}
    shared = [rule for rule in cloud.shared() if (rule[0][0], rule[1]) not in taken]
    api = [*own, *shared]
    latest = [(methods, path.replace(API, "/rest/api/latest", 1), handler) for methods, path, handler in api]
    pages = [rule for rule in cloud_rules if not rule[1].startswith("/rest/")]
    gone = [(("POST",), f"{API}{path}", _not_there) for path in ("/issue/bulkfetch", "/issue/properties")]
    return [*api, *latest, *gone, *cloud.agile(), *tokens.rules(), *pages]


def _not_there(call: Call) -> Response:
    """A call of Cloud's whose path would else be taken for an issue's."""
    raise Refused(404, problem_body(404, f"null for uri: {call.request.path}"))


def switch(state: State, **wanted: Any) -> None:
    """Set switches of the Jira site, e.g. `deployment="data_center", page_cap=100`; see `switches.py` for all."""
    with state.transaction():
        switches.put(state, wanted)
        if switches.get(state, "deployment") == "data_center":
            prepare(state)


def switch_on(state: State, **others: Any) -> None:
    """Make the Jira site answer as Data Center; `others` are further switches."""
    switch(state, deployment="data_center", **others)
