"""Names the calls that a connector may make, and finds the name of a call from its method and path.

It keeps the promise that no call leaves without a name: whether it may be repeated, whether it only reads and which
limit it falls under are decided in one table per connector, never at the place of the call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Refused

_PLACEHOLDER = re.compile(r"\{[^/{}]*\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of a tool. `template` is relative to the path of the session's `base_url`."""

    method: str
    template: str
    """`/rest/api/3/issue/{id}`: a placeholder matches one path segment."""
    repeatable: bool
    """May be sent again when its fate is unknown: reads, PUTs that set a value, DELETEs."""
    reads: bool
    """Changes nothing: the only calls that a read-only session lets through."""
    group: str = ""
    """The limiter's bucket, e.g. `search`; empty: no special one."""

    @property
    def name(self) -> str:
        """The endpoint in messages and counts: `GET /rest/api/3/field`."""
        return f"{self.method} {self.template}"


class Table:
    """The endpoints of a connector, found by method and path; what is more literal wins."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        ordered = sorted(endpoints, key=lambda e: [part.startswith("{") for part in e.template.split("/")])
        self._rules = [(endpoint, _pattern(endpoint.template)) for endpoint in ordered]

    def find(self, method: str, path: str) -> Endpoint:
        """The endpoint of a call; refused when the table lacks it: nobody said whether it may be repeated."""
        plain = path.partition("?")[0]
        for endpoint, pattern in self._rules:
            if endpoint.method == method and pattern.fullmatch(plain):
                return endpoint
        raise Refused(
            f"{method} {plain} is not among the endpoints of this connector. "
            "Add it to the connector's ENDPOINTS, saying whether it may be repeated and whether it only reads.",
            status=0,
        )

    def find_batch(self, outer: Endpoint, body: Any) -> tuple[Endpoint, int]:
        """What a batch is: its actions taken together, and how many they are.

        The body is `{"data": {"actions": [{"method", "relative_path"}, ...]}}`. It reads when all its actions read, and
        may be repeated when all of them may.
        """
        actions: list[Mapping[str, Any]] = body["data"]["actions"]
        found = [self.find(str(a["method"]).upper(), str(a["relative_path"])) for a in actions]
        joined = Endpoint(
            outer.method,
            outer.template,
            repeatable=all(e.repeatable for e in found),
            reads=all(e.reads for e in found),
            group=next((e.group for e in found if e.group), outer.group),
        )
        return joined, len(found)


def _pattern(template: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in _PLACEHOLDER.split(template)]
    return re.compile("[^/]+".join(parts))
