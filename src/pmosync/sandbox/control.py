"""Answers the sandbox's own control calls under `/__sandbox__/`: what was asked, what is there, faults, clock, stop.

It keeps the promise that a control call is never counted as a call and never meets a fault or a limit.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from werkzeug.wrappers import Request, Response

from .answers import empty_answer, json_answer
from .asana import notifications as asana_notifications
from .asana import orders as asana_orders
from .asana import tables as asana_tables
from .asana.webhooks import AsanaWebhooks
from .faults import BadFault, Faults
from .jira import datacenter as jira_data_center
from .jira import orders as jira_orders
from .jira.webhooks import Webhooks
from .limits import BadLimit, Limits
from .state import State, from_json

PREFIX = "/__sandbox__/"


class RequestLog:
    """Every call that was made, counted, and the last 5000 of them one by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Begin again at nothing."""
        with self._lock:
            self._n = 0
            self._trips = 0
            self._writes = 0
            self._by_endpoint: Counter[str] = Counter()
            self._by_tool: Counter[str] = Counter()
            self._last: deque[dict[str, Any]] = deque(maxlen=5000)

    def add(self, tool: str, method: str, template: str, path: str, status: int | None, write: bool, user: str) -> None:
        """Count one call. `status` None: the connection was cut without an answer."""
        with self._lock:
            self._n += 1
            self._writes += write
            self._by_endpoint[f"{method} {template}"] += 1
            self._by_tool[tool] += 1
            line = {"n": self._n, "tool": tool, "method": method, "template": template, "path": path}
            self._last.append(line | {"status": status, "write": write, "user": user})

    def trip(self) -> None:
        """Count one request that came over the wire: a batch is one, however many calls it holds."""
        with self._lock:
            self._trips += 1

    def report(self) -> dict[str, Any]:
        """The counts and the last calls."""
        with self._lock:
            return {
                "total": self._n,
                "round_trips": self._trips,
                "reads": self._n - self._writes,
                "writes": self._writes,
                "by_endpoint": dict(self._by_endpoint),
                "by_tool": dict(self._by_tool),
                "log": list(self._last),
            }


@dataclass
class Control:
    """The control API over one sandbox."""

    state: State
    log: RequestLog
    faults: Faults
    limits: Limits
    stop: Callable[[], None]
    webhooks: Webhooks
    asana_webhooks: AsanaWebhooks
    snapshots: list[bytes] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        """The answer to a control call."""
        name = f"{request.method} {request.path.removeprefix(PREFIX)}"
        action = self._actions().get(name)
        if action is None:
            known = ", ".join(sorted(self._actions()))
            return json_answer({"error": f"no control call {name}; there are: {known}"}, 404)
        try:
            body = orjson.loads(request.get_data() or b"null")
            if action == self._wait:
                # who delivers needs the lock
                return action(body)
            with self.state.lock:
                return action(body)
        except orjson.JSONDecodeError as error:
            return json_answer({"error": f"the body is no JSON: {error}"}, 400)
        except (BadFault, BadLimit, re.error) as error:
            return json_answer({"error": str(error)}, 400)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            return json_answer({"error": f"{name}: the body does not fit ({type(error).__name__}: {error})"}, 400)

    def _actions(self) -> dict[str, Callable[[Any], Response]]:
        return {
            "GET state": lambda _: json_answer(self.state.dump()),
            "POST snapshot": self._snapshot,
            "POST restore": self._restore,
            "GET requests": lambda _: json_answer(self.log.report()),
            "DELETE requests": self._clear_requests,
            "GET mail": lambda _: json_answer(self.state.rows("SELECT * FROM mail ORDER BY id")),
            "GET changes": self._changes,
            "POST faults": self._replace_faults,
            "DELETE faults": self._clear_faults,
            "POST limits": self._replace_limits,
            "POST switches": self._switch,
            "POST clock": self._advance,
            "POST asana": self._order_asana,
            "GET asana/notifications": lambda _: json_answer(asana_notifications.report(self.state)),
            "GET asana/webhooks": lambda _: json_answer({"deliveries": self.asana_webhooks.report()}),
            "POST jira": self._order_jira,
            "GET webhooks": lambda _: json_answer(self.webhooks.report()),
            "POST webhooks/wait": self._wait,
            "POST stop": self._stop,
        }

    def _snapshot(self, _: Any) -> Response:
        self.snapshots.append(self.state.snapshot())
        return json_answer({"id": len(self.snapshots) - 1})

    def _restore(self, body: Any) -> Response:
        self.state.restore(self.snapshots[int(body["id"])])
        self._wake()
        return empty_answer()

    def _clear_requests(self, _: Any) -> Response:
        self.log.clear()
        return empty_answer()

    def _changes(self, _: Any) -> Response:
        rows = self.state.rows("SELECT * FROM change ORDER BY id")
        return json_answer(
            [row | {"before": from_json(row["before"]), "after": from_json(row["after"])} for row in rows]
        )

    def _replace_faults(self, body: Any) -> Response:
        self.faults.replace([body] if isinstance(body, dict) else body)
        return empty_answer()

    def _clear_faults(self, _: Any) -> Response:
        self.faults.replace([])
        return empty_answer()

    def _replace_limits(self, body: Any) -> Response:
        self.limits.replace(body or {})
        return empty_answer()

    def _switch(self, body: Any) -> Response:
        """The switches of the Jira site under `jira`, those of Asana under `asana` or by themselves."""
        rest = dict(body)
        with self.state.transaction():
            if "jira" in rest:
                jira_data_center.switch(self.state, **rest.pop("jira"))
            asana_tables.set_switches(self.state, rest.pop("asana", {}) | rest)
        return empty_answer()

    def _advance(self, body: Any) -> Response:
        self.state.advance(float(body["advance_s"]))
        self._wake()
        return json_answer({"now": self.state.now().isoformat()})

    def _wake(self) -> None:
        self.webhooks.wake()
        self.asana_webhooks.wake()

    def _order_asana(self, body: Any) -> Response:
        """Asana's switches, and what people did there, e.g. `{"set_member": {"project": "1202...", ...}}`."""
        given = dict(body)
        switches = {name: given.pop(name) for name in list(given) if name in asana_tables.SWITCHES}
        with self.state.transaction():
            asana_tables.set_switches(self.state, switches)
            done = asana_orders.obey(self.state, given)
        self.asana_webhooks.wake()
        return json_answer(done)

    def _order_jira(self, body: Any) -> Response:
        """What people did at the Jira site, e.g. `{"set_role": {"project_key": "PAY", ...}}`."""
        with self.state.transaction():
            return json_answer(jira_orders.obey(self.state, body))

    def _wait(self, body: Any) -> Response:
        """Answer when no webhook is due any longer, at the latest after so many `seconds`."""
        seconds = float((body or {}).get("seconds", 10))
        jira, asana = self.webhooks.wait(seconds), self.asana_webhooks.wait(seconds)
        return json_answer({"idle": jira["idle"] and asana["idle"], "waiting": jira["waiting"] + asana["waiting"]})

    def _stop(self, _: Any) -> Response:
        self.stop()
        return empty_answer()
