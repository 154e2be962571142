"""Holds an Asana account to the vendor's limits: calls a minute, calls in flight, searches, and what answers cost.

It keeps the promise that limits act as the vendor's do: the actions of a batch count one by one, a batch with one
action too many is refused whole, a refused call counts as well, and a costly answer is paid for after it was given.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from werkzeug.wrappers import Request, Response

from .answers import JSON
from .faults import Asked, status_answer

PLANS = {"free": 150.0, "paid": 1500.0}
SETTINGS = frozenset({
    "asana_plan", "asana_per_minute", "asana_reads_in_flight", "asana_writes_in_flight", "asana_search_per_minute",
    "asana_cost", "asana_changes", "asana_takes_s",
})  # fmt: skip
MINUTE_S = 60.0
COMPACT = 3
"""Fields of an object that nobody asked to have more of."""


class BadPlan(Exception):
    """A plan that Asana does not have."""


@dataclass
class Passage:
    """One call on its way: refused, or answered with what its handler said."""

    refused: Response | None = None
    answer: Response | None = None


@dataclass(frozen=True)
class Action:
    """One call, or one action of a batch."""

    reads: bool
    path: str


class AsanaLimits:
    """The limits in force: none until `replace` sets some.

    `asana_plan`: "free" or "paid", 150 or 1,500 calls of an account in a minute, or `asana_per_minute` of them.
    `asana_reads_in_flight` and `asana_writes_in_flight`: at a time; each call takes `asana_takes_s` longer.
    `asana_search_per_minute`: searches of tasks. `asana_cost`: objects times fields in a minute; what an answer costs
    is taken afterwards, so that the account may be in debt. `asana_changes`: `[{"name", "info", "affected"}]`,
    announced on every answer to a call that does not say in `Asana-Enable` or `Asana-Disable` which way it wants.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self.replace({})

    def replace(self, settings: Mapping[str, Any]) -> None:
        """Put these in force in place of all others."""
        plan = settings.get("asana_plan")
        if plan is not None and plan not in PLANS:
            raise BadPlan(f"no asana_plan {plan!r}: there are {', '.join(PLANS)}")
        given = {"asana_per_minute": PLANS[plan]} if plan else {}
        self._settings: dict[str, Any] = {**given, **settings}
        self._seen: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._flying: defaultdict[tuple[str, bool], int] = defaultdict(int)
        self._balance: dict[str, tuple[float, float]] = {}

    @contextmanager
    def passing(self, asked: Asked, request: Request, user: str) -> Iterator[Passage]:
        """Count a call as in flight while the block runs; the block says what the answer was."""
        if not self._settings:
            yield Passage()
            return
        settings, actions, now = self._settings, _actions(asked), self._clock()
        with self._lock:
            passage = Passage(self._refusal(user, actions, now))
            if passage.refused is None:
                self._fly(user, actions, 1)
        try:
            if passage.refused is None:
                time.sleep(float(settings.get("asana_takes_s", 0)))
            yield passage
        finally:
            if passage.refused is None and settings is self._settings:
                with self._lock:
                    self._fly(user, actions, -1)
                    if passage.answer is not None and "asana_cost" in settings:
                        self._pay(user, _cost(asked, passage.answer))
        for change in settings.get("asana_changes") or () if passage.answer is not None else ():
            if passage.answer is not None and not _decided(request, str(change["name"])):
                passage.answer.headers.add("Asana-Change", _told(change))

    # -- each limit ---------------------------------------------------------------------------------------------

    def _refusal(self, user: str, actions: list[Action], now: float) -> Response | None:
        waits = [
            self._rate((user, "all"), "asana_per_minute", len(actions), now),
            self._rate((user, "search"), "asana_search_per_minute", sum(map(_searches, actions)), now),
            self._in_flight(user, actions),
            self._debt(user, now),
        ]
        wait_s = max((wait for wait in waits if wait is not None), default=None)
        return None if wait_s is None else status_answer("asana", 429, {"Retry-After": str(max(1, math.ceil(wait_s)))})

    def _rate(self, name: tuple[str, str], setting: str, count: int, now: float) -> float | None:
        """Seconds until so many would be allowed; None: they are. They count either way."""
        allowed = self._settings.get(setting)
        if allowed is None or not count:
            return None
        seen = self._seen[name]
        while seen and seen[0] <= now - MINUTE_S:
            seen.popleft()
        seen.extend([now] * count)
        if len(seen) <= allowed:
            return None
        gone_before = min(len(seen) + count - int(allowed), len(seen))
        return seen[gone_before - 1] + MINUTE_S - now

    def _in_flight(self, user: str, actions: list[Action]) -> float | None:
        for reads, setting in ((True, "asana_reads_in_flight"), (False, "asana_writes_in_flight")):
            wanted = sum(one.reads is reads for one in actions)
            if wanted and self._flying[user, reads] + wanted > self._settings.get(setting, math.inf):
                return 1.0
        return None

    def _fly(self, user: str, actions: list[Action], by: int) -> None:
        for one in actions:
            self._flying[user, one.reads] += by

    def _debt(self, user: str, now: float) -> float | None:
        """Seconds until the account has something to spend again; None: it has."""
        allowed = self._settings.get("asana_cost")
        if allowed is None:
            return None
        left, at = self._balance.get(user, (float(allowed), now))
        left = min(float(allowed), left + (now - at) * float(allowed) / MINUTE_S)
        self._balance[user] = left, now
        return None if left > 0 else (1 - left) * MINUTE_S / float(allowed)

    def _pay(self, user: str, cost: int) -> None:
        left, at = self._balance[user]
        self._balance[user] = left - cost, at


def _actions(asked: Asked) -> list[Action]:
    """What a call counts as."""
    data = asked.body.get("data") if asked.path.endswith("/batch") and isinstance(asked.body, dict) else None
    actions = data.get("actions") if isinstance(data, dict) else None
    found = [
        Action(str(one.get("method")).lower() == "get", str(one.get("relative_path")).partition("?")[0])
        for one in (actions if isinstance(actions, list) else ())
        if isinstance(one, dict)
    ]
    return found or [Action(asked.method == "GET", asked.path)]


def _searches(action: Action) -> bool:
    return action.path.endswith("/tasks/search")


def _cost(asked: Asked, answer: Response) -> int:
    """Objects times fields of an answer, or of every answer of a batch."""
    if answer.content_type != JSON:
        return 1
    body = orjson.loads(answer.get_data())
    data = body.get("data") if isinstance(body, dict) else None
    if not asked.path.endswith("/batch") or not isinstance(data, list):
        return _objects(body) * _fields(asked.query.get("opt_fields"))
    options = [action.get("options") or {} for action in asked.body["data"]["actions"]]
    return sum(
        _objects(one["body"]) * _fields(option.get("fields")) for one, option in zip(data, options, strict=False)
    )


def _objects(body: Any) -> int:
    data = body.get("data") if isinstance(body, dict) else None
    return max(1, len(data)) if isinstance(data, list) else 1


def _fields(asked: Any) -> int:
    if not asked:
        return COMPACT
    return len(asked.split(",") if isinstance(asked, str) else asked)


def _decided(request: Request, name: str) -> bool:
    """Whether a call says which way it wants a change."""
    said = ",".join(request.headers.get(header, "") for header in ("Asana-Enable", "Asana-Disable"))
    return name in [one.strip() for one in said.split(",")]


def _told(change: Mapping[str, Any]) -> str:
    return f"name={change['name']};info={change['info']};affected={'true' if change.get('affected') else 'false'}"
