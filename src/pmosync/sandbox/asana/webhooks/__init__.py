"""The deliveries of the sandbox's Asana to webhooks: events, heartbeats, retries, and giving up after a day.

No call of the API waits for a receiver (but the one that makes a webhook), and an event that was taken or given up is
never sent again: at most once, as the vendor says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson

from pmosync.sandbox.asana import access, outbox, tables
from pmosync.sandbox.asana.changeshapes import PATIENCE_S, later
from pmosync.sandbox.asana.tables import Row, rows, run, scalar
from pmosync.sandbox.asana.webhooks import api, signing
from pmosync.sandbox.line import Line, Reply
from pmosync.sandbox.rounds import Rounds
from pmosync.sandbox.state import State, from_json

__all__ = ["AsanaWebhooks"]

RULES = api.RULES
EVENTS_PER_DELIVERY = 100
FIRST_RETRY_S = 30.0
"""How long after a failure comes the next attempt; each further one waits twice as long, at most an hour."""
LONGEST_RETRY_S = 3600.0
TIMEOUT_S = 10.0
KEPT = 5000


class AsanaWebhooks:
    """The webhooks of one sandbox."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._line = Line()
        self._rounds = Rounds("asana-webhooks", self._deliver, lambda: self._next() is not None, self._line.cut)
        self.stop = self._rounds.stop

    def wake(self) -> None:
        """Look again at what is due; costs next to nothing while there is no webhook."""
        if scalar(self._state, "SELECT 1 FROM asana_webhook LIMIT 1"):
            self._rounds.wake()

    def wait(self, seconds: float) -> Row:
        """Wait until nothing is due any longer, at most so long; what is due later does not count."""
        self.wake()
        idle = self._rounds.wait(seconds)
        waiting = scalar(self._state, "SELECT count(DISTINCT webhook) FROM asana_webhook_event")
        return {"idle": idle, "waiting": int(waiting)}

    def report(self) -> list[Row]:
        """The requests that were made, with how each was answered."""
        found = rows(self._state, "SELECT * FROM asana_webhook_delivery ORDER BY n")
        return [{**row, "body": from_json(row["body"]), "answer": from_json(row["answer"])} for row in found]

    # -- the thread -----------------------------------------------------------------------------------------------

    def _next(self) -> Row | None:
        """The webhook that is to be called: it has events or a heartbeat due, and is not waiting after a failure."""
        with self._state.lock:
            now = tables.now(self._state)
            until = tables.instant(self._state.now() - self._delay())
            return tables.row(
                self._state,
                "SELECT h.* FROM asana_webhook h WHERE coalesce(h.next_attempt_after, '') <= ?"
                " AND (h.heartbeat_after <= ? OR EXISTS ("
                "SELECT 1 FROM asana_webhook_event o JOIN asana_event e ON e.n = o.n"
                " WHERE o.webhook = h.gid AND e.created_at <= ?)) ORDER BY h.gid LIMIT 1",
                now,
                now,
                until,
            )

    def _delay(self) -> timedelta:
        return timedelta(seconds=float(tables.switch(self._state, "event_delay_s")))

    def _deliver(self) -> bool:
        """Call the webhook that is due, if one is."""
        with self._state.lock:
            hook = self._next()
            if hook is None:
                return False
            told = self._told(hook)
            if self._is_dead(hook, told):
                with self._state.transaction():
                    api.forget(self._state, hook["gid"])
                return True
        body = orjson.dumps({"events": [event for _, event in told]})
        headers = {
            "Content-Type": "application/json", signing.SIGNATURE: signing.signature(hook["secret"], body),
        }  # fmt: skip
        reply = self._line.post(hook["target"], headers, body, TIMEOUT_S)
        if not self._rounds.ended:
            with self._state.transaction():
                self._settle(hook, told, body, reply)
        return True

    def _is_dead(self, hook: Row, told: list[tuple[int, Row]]) -> bool:
        """Whether its owner may not see the resource any more, or the resource is gone and all was told of it."""
        active = scalar(self._state, "SELECT active FROM asana_user WHERE gid = ?", hook["owner"])
        found = tables.get(self._state, hook["kind"], hook["resource"])
        if found is None or found.get("trashed"):
            return not told
        if hook["kind"] == "project":
            return not active or access.project_level(self._state, found, hook["owner"]) == "none"
        return not active

    def _told(self, hook: Row) -> list[tuple[int, Row]]:
        """The events of one delivery; none: it is a heartbeat."""
        found = rows(
            self._state,
            "SELECT e.n, e.body FROM asana_webhook_event o JOIN asana_event e ON e.n = o.n"
            " WHERE o.webhook = ? AND e.created_at <= ? ORDER BY e.n LIMIT ?",
            hook["gid"],
            tables.instant(self._state.now() - self._delay()),
            EVENTS_PER_DELIVERY,
        )
        return [(event["n"], outbox.compact(from_json(event["body"]))) for event in found]

    def _settle(self, hook: Row, told: list[tuple[int, Row]], body: bytes, reply: Reply | str) -> None:
        """Note how a call ended; after a day of failures the webhook is gone."""
        state, now = self._state, tables.now(self._state)
        answer: Any = reply.status if isinstance(reply, Reply) else reply
        line = {"webhook": hook["gid"], "at": now, "target": hook["target"], "body": body.decode()}
        tables.insert(state, "webhook_delivery", {**line, "answer": orjson.dumps(answer).decode()})
        last = scalar(state, "SELECT max(n) FROM asana_webhook_delivery")
        run(state, "DELETE FROM asana_webhook_delivery WHERE n <= ?", last - KEPT)
        if isinstance(reply, Reply) and 200 <= reply.status < 300:
            for n, _ in told:
                run(state, "DELETE FROM asana_webhook_event WHERE webhook = ? AND n = ?", hook["gid"], n)
            well: Row = {"last_success_at": now, "retries": 0, "next_attempt_after": None, "failing_since": None}
            beat = {} if told else {"heartbeat_after": api.next_heartbeat(now)}
            tables.update(state, "webhook", hook["gid"], well | beat)
            return
        since = hook["failing_since"] or now
        wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** hook["retries"])
        end = later(since, PATIENCE_S)
        if now >= end:
            api.forget(state, hook["gid"])
            return
        failed = {
            "last_failure_at": now, "last_failure_content": reply.text if isinstance(reply, Reply) else reply,
            "retries": hook["retries"] + 1, "next_attempt_after": min(later(now, wait_s), end), "failing_since": since,
        }  # fmt: skip
        tables.update(state, "webhook", hook["gid"], failed)
