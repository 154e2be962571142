"""Delivers webhooks, in a thread of its own: when they are due, again when they were not taken, for half an hour.

It keeps the promise that no call of the API waits for a receiver, and that a retry is the same delivery: the same
identifier, the same body.
"""

from __future__ import annotations

from typing import Any

from ...line import Line, Reply
from ...rounds import Rounds
from ...state import State, as_json, from_json
from .. import switches
from ..tables import milliseconds
from .tables import Row

RETRIES_AFTER_S = (60, 120, 240, 480, 900)
"""How long after each attempt the next one is due, by the sandbox's clock: five of them, half an hour in all."""
AGAIN = (408, 409, 425, 429)


class Courier:
    """The deliveries; they begin with the first webhook."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._line = Line()
        self._rounds = Rounds("jira-webhooks", self._deliver, lambda: self._next() is not None, self._line.cut)
        self.wake, self.wait, self.stop = self._rounds.wake, self._rounds.wait, self._rounds.stop

    def _deliver(self) -> bool:
        """Attempt the delivery that has been due for longest; tells whether there was one."""
        row = self._next()
        if row is None:
            return False
        if not self._is_wanted(row):
            self._end(row, "dropped", from_json(row["answers"]))
            return True
        timeout_s = float(switches.get(self._state, "webhook_timeout_s"))
        headers = from_json(row["headers"])
        if row["retry"]:
            headers["X-Atlassian-Webhook-Retry"] = str(row["retry"])
        reply = self._line.post(row["url"], headers, row["body"].encode(), timeout_s)
        if not self._rounds.ended:
            self._settle(row, reply.status if isinstance(reply, Reply) else reply)
        return True

    def _next(self) -> Row | None:
        """The delivery that has been due for longest."""
        with self._state.lock:
            sql = "SELECT * FROM jira_webhook_delivery WHERE status = 'waiting' AND due_ms <= ? ORDER BY due_ms, n"
            return self._state.row(f"{sql} LIMIT 1", (milliseconds(self._state.now()),))

    def _is_wanted(self, row: Row) -> bool:
        """Whether the webhook is still registered."""
        ids = ", ".join(str(int(one)) for one in from_json(row["hooks"]))
        return self._state.row(f"SELECT 1 FROM jira_webhook WHERE enabled AND id IN ({ids})") is not None

    def _settle(self, row: Row, answer: int | str) -> None:
        """Note how an attempt ended, and when the next one is due."""
        answers = [*from_json(row["answers"]), answer]
        if isinstance(answer, int) and answer < 500 and answer not in AGAIN:
            self._end(row, "delivered" if answer < 300 else "refused", answers)
        elif row["retry"] >= len(RETRIES_AFTER_S):
            self._end(row, "failed", answers)
        else:
            due_ms = row["due_ms"] + RETRIES_AFTER_S[row["retry"]] * 1000
            changes = {"retry": row["retry"] + 1, "due_ms": due_ms, "answers": as_json(answers), "key": row["key"]}
            self._write("retry = :retry, due_ms = :due_ms, answers = :answers", changes)

    def _end(self, row: Row, status: str, answers: list[Any]) -> None:
        now = milliseconds(self._state.now())
        changes = {"status": status, "answers": as_json(answers), "ended_ms": now, "key": row["key"]}
        self._write("status = :status, answers = :answers, ended_ms = :ended_ms", changes)

    def _write(self, assigned: str, changes: Row) -> None:
        with self._state.transaction():
            self._state.db.execute(f"UPDATE jira_webhook_delivery SET {assigned} WHERE key = :key", changes)
