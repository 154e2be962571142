"""The webhooks of the sandbox's Jira: who registers them, which events there are, and their delivery to this machine.

It keeps the promise that they cost nothing while none is registered, and that no answer of the API waits for one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from ...call import Call, Rule
from ...state import State, as_json, from_json
from .. import switches
from ..tables import milliseconds
from . import admin, capture, dynamic, events, sending, tables
from .apps import mark_app
from .courier import Courier
from .filters import Matcher
from .payloads import Payloads
from .tables import Row

__all__ = ["Webhooks", "mark_app"]

KEPT = 5000
VARIABLE = re.compile(r"\$?\{([a-z]+\.[A-Za-z]+)\}")


class Webhooks:
    """The webhooks of one sandbox."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._courier = Courier(state)
        self._known: tuple[int, bool] | None = None
        tables.prepare(state)

    def cloud_rules(self) -> list[Rule]:
        """What Cloud answers about webhooks."""
        return [self._noticing(rule) for rule in (*admin.cloud_rules(), *dynamic.cloud_rules())]

    def data_center_rules(self) -> list[Rule]:
        """What Data Center answers about webhooks."""
        return [self._noticing(rule) for rule in admin.data_center_rules()]

    def _noticing(self, rule: Rule) -> Rule:
        methods, path, handler = rule

        def handle(call: Call) -> Any:
            self._known = None
            return handler(call)

        return methods, path, handle

    # -- events ---------------------------------------------------------------------------------------------------

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Notice what a call changes, and queue the webhooks for it when it has ended well."""
        if not self._are_some():
            yield
            return
        with self._state.lock:
            start = capture.position(self._state)
            yield
            changes = capture.since(self._state, start)
            if changes:
                with self._state.transaction():
                    capture.forget(self._state)
                    self._queue(call, changes)
                self._courier.wake()

    def _are_some(self) -> bool:
        """Whether any webhook is registered; looked up after a registration and after a restored snapshot only."""
        restored = self._state.version[0]
        if self._known is None or self._known[0] != restored:
            with self._state.lock:
                tables.prepare(self._state)
                some = self._state.row("SELECT 1 FROM jira_webhook WHERE enabled") is not None
                (capture.switch_on if some else capture.switch_off)(self._state)
                self._known = (restored, some)
        return self._known[1]

    def _queue(self, call: Call, changes: list[capture.Change]) -> None:
        payloads = Payloads(call)
        matcher = Matcher(self._state, events.gone(changes).values())
        now = milliseconds(self._state.now())
        hooks = tables.hooks(self._state, "enabled AND (expires_ms IS NULL OR expires_ms > ?)", (now,))
        for event in events.events_of(self._state, changes, caller=call.user["id"], data_center=payloads.data_center):
            matched = [hook for hook in hooks if self._is_for(hook, event, matcher)]
            for hook in (one for one in matched if not one["app"]):
                self._post(hook, [hook["id"]], event, b"" if hook["exclude_body"] else payloads.body(event), now)
            for app in dict.fromkeys(one["app"] for one in matched if one["app"]):
                mine = [one for one in matched if one["app"] == app]
                ids = [one["id"] for one in mine]
                self._post(mine[0], ids, event, payloads.body(event, ids), now)
        last = self._state.tuples("SELECT coalesce(max(n), 0) FROM jira_webhook_delivery")[0][0]
        sql = "DELETE FROM jira_webhook_delivery WHERE n <= ? AND status != 'waiting'"
        self._state.db.execute(sql, (last - KEPT,))

    def _is_for(self, hook: Row, event: events.Event, matcher: Matcher) -> bool:
        if event.name not in hook["events"] or (hook["app"] and not dynamic.wants(hook, event.name, event.row)):
            return False
        return event.issue is None or event.name not in tables.OF_ISSUES or matcher.lets(hook, event.issue)

    def _post(self, hook: Row, ids: list[int], event: events.Event, body: bytes, now: int) -> None:
        """Put a delivery into the queue, as often and as late as the switches say."""
        identifier = secrets.token_hex(16)
        headers = {
            "Content-Type": "application/json; charset=UTF-8", "User-Agent": sending.USER_AGENT,
            "X-Atlassian-Webhook-Identifier": identifier,
            "X-Atlassian-Webhook-Flow": "Secondary" if event.secondary else "Primary",
        }  # fmt: skip
        if hook["secret"] and hook["app"]:
            headers["Authorization"] = f"Bearer {sending.token(hook['secret'], hook['app'], now // 1000)}"
        elif hook["secret"]:
            headers["X-Hub-Signature"] = sending.signature(hook["secret"], body)
        delays = switches.get(self._state, "webhook_delays_s")
        for _ in range(1 + int(switches.get(self._state, "webhook_duplicates"))):
            count = self._state.tuples("SELECT coalesce(max(n), 0) FROM jira_webhook_delivery")[0][0]
            delay_s = delays[count % len(delays)] if delays else 0
            row = {
                "key": secrets.token_hex(8), "identifier": identifier, "hooks": as_json(ids), "app": hook["app"],
                "event": event.name, "about": _about(event), "url": _filled(hook["url"], event),
                "headers": as_json(headers), "body": body.decode(), "created_ms": now,
                "due_ms": now + int(max(0, delay_s) * 1000), "retry": 0,
                "status": "lost" if delay_s < 0 else "waiting", "answers": "[]",
            }  # fmt: skip
            names = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            self._state.db.execute(f"INSERT INTO jira_webhook_delivery ({names}) VALUES ({marks})", row)

    # -- for whoever runs the sandbox -----------------------------------------------------------------------------

    def wake(self) -> None:
        """Look again at what is due: the clock was moved, or a snapshot restored."""
        if self._are_some():
            self._courier.wake()

    def wait(self, seconds: float = 10.0) -> Row:
        """Wait until nothing is due any longer, at most so long; retries that are due later do not count."""
        self._courier.wake()
        idle = self._courier.wait(seconds)
        sql = "SELECT count(*) FROM jira_webhook_delivery WHERE status = 'waiting'"
        return {"idle": idle, "waiting": self._state.tuples(sql)[0][0]}

    def report(self) -> Row:
        """The deliveries, without what proves to a receiver who sent them."""
        shown = []
        for row in self._state.rows("SELECT * FROM jira_webhook_delivery ORDER BY n"):
            headers = {
                name: value
                for name, value in from_json(row["headers"]).items()
                if name not in ("Authorization", "X-Hub-Signature")
            }
            lists = {name: from_json(row[name]) for name in ("hooks", "answers")}
            body = from_json(row["body"]) if row["body"] else None
            shown.append(
                {name: row[name] for name in row if name != "key"} | lists | {"headers": headers, "body": body}
            )
        return {"deliveries": shown}

    def stop(self) -> None:
        """End the delivery."""
        self._courier.stop()


def _about(event: events.Event) -> str:
    """What an event is about, in a word."""
    return str((event.issue or {}).get("key") or event.row.get("key") or event.row.get("name") or event.row["id"])


def _filled(url: str, event: events.Event) -> str:
    """A URL with the variables in it replaced: `${issue.key}`, or `{issue.key}` as Data Center 10 has it."""
    issue, family = event.issue or {}, event.name.removeprefix("jira:").partition("_")[0]
    project_id = issue.get("project_id") or event.row.get("project_id", "")
    values = {
        "issue.id": issue.get("id", ""), "issue.key": issue.get("key", ""), "project.id": project_id,
        "project.key": str(issue.get("key", "")).rpartition("-")[0], "modifiedUser.accountId": event.user_id or "",
        f"{family}.id": event.row["id"] if family in ("sprint", "version", "project") else issue.get("id", ""),
    }  # fmt: skip
    return VARIABLE.sub(lambda match: quote(str(values.get(match[1], "")), safe=""), url)
