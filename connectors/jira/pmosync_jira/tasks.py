"""Starts Jira's bulk operations and waits for the tasks that they become.

It keeps the promise that a site is not crowded: a few of our tasks at a time, questions that become rarer the longer a
task takes, and a busy Jira is waited for. A task that does not end in time is told as such: nobody knows what it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pmosync.errors import Refused
from pmosync.http import PoliteSession

from .bulk import Kind, Operation
from .endpoints import BULK_EDIT, BULK_QUEUE, PROPERTIES, PROPERTIES_EACH, PROPERTIES_GONE, TASK
from .marks import TASK_PROPERTY

AT_ONCE = 3
"""Jira runs five bulk operations at a time for everybody on the site: two are left to people."""
FIRST_S, LONGEST_S = 0.5, 10.0
PATIENCE_S = 600.0
"""For a task to end, and for a busy Jira to take one in."""

_BUSY = re.compile(r"at a time|concurrent|too many|in progress", re.IGNORECASE)
_STARTS: Mapping[Kind, tuple[str, str]] = {
    "same": ("POST", PROPERTIES),
    "each": ("POST", PROPERTIES_EACH),
    "delete": ("DELETE", PROPERTIES_GONE.format(key=TASK_PROPERTY)),
    "edit": ("POST", BULK_EDIT),
}

End = Literal["complete", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: `complete`; `failed`, so it does nothing any more; `lost`: it may still be at work."""

    end: End
    why: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why Jira left an issue as it was, by id."""
    processed: frozenset[str] | None = None
    """The issues that Jira says it has done; None: it does not say."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """The bulk operations of one site."""

    session: PoliteSession
    api: str

    def run(self, operation: Operation) -> Ended:
        """Start an operation and wait for its end. Raises `Refused` when Jira does not take it."""
        where = self._start(operation)
        if where is None:
            return Ended("lost", f"Jira was busy with other bulk operations for {PATIENCE_S:.0f} s.")
        for pause_s in pauses():
            answer = self.session.call("GET", where, expect=(400, 403, 404))
            if answer.status != 200:
                return Ended("lost", f"Jira does not show the task any more that it began ({answer.status}).")
            if ended := _ended(answer.data):
                return ended
            self.session.wait(pause_s)
        return Ended("lost", f"Jira's task has not ended within {PATIENCE_S:.0f} s.")

    def _start(self, operation: Operation) -> str | None:
        """Where the task's progress is told; None: Jira was busy all the time."""
        method, path = _STARTS[operation.kind]
        for pause_s in pauses():
            try:
                answer = self.session.call(method, self.api + path, json=operation.body, expect=(303, 409, 429))
            except Refused as no:
                if no.status != 400 or not _BUSY.search(str(no)):
                    raise
                self.session.wait(pause_s)
                continue
            if answer.status in (409, 429):
                self.session.wait(max(pause_s, _asked_s(answer.headers)))
                continue
            if operation.kind == "edit":
                return self.api + BULK_QUEUE.format(id=answer.data["taskId"])
            return self.api + TASK.format(id=answer.headers.get("location", "").rstrip("/").rpartition("/")[2])
        return None


def pauses() -> Iterator[float]:
    """How long to wait before the next question: doubling, up to ten seconds, until patience ends."""
    waited_s, pause_s = 0.0, FIRST_S
    while waited_s < PATIENCE_S:
        yield pause_s
        waited_s, pause_s = waited_s + pause_s, min(2 * pause_s, LONGEST_S)


def _asked_s(headers: Mapping[str, str]) -> float:
    asked = headers.get("retry-after", "")
    return min(float(asked), PATIENCE_S) if asked.replace(".", "", 1).isdigit() else 0.0


def _ended(told: Any) -> Ended | None:
    """What a task says, once it has ended."""
    status = str(told.get("status"))
    if status in ("ENQUEUED", "RUNNING", "CANCEL_REQUESTED"):
        return None
    if status == "COMPLETE":
        done = told.get("processedAccessibleIssues")
        processed = None if done is None else frozenset(str(one) for one in done)
        return Ended("complete", failed=_reasons(told), processed=processed)
    message = str(told.get("message") or "").rstrip(".")
    why = f"Jira's task ended as {status}{f' ({message})' if message else ''}."
    # One that is dead may have been killed with a part done; none of them goes on.
    return Ended("failed", why, _reasons(told))


def _reasons(told: Mapping[str, Any]) -> dict[str, str]:
    """Why single issues were left out. Of properties Jira documents no form: whatever names an issue is taken."""
    result = told.get("result")
    found = told.get("failedAccessibleIssues") or (result.get("errors") if isinstance(result, dict) else None)
    if not isinstance(found, dict):
        return {}
    return {str(one): _words(reasons) for one, reasons in found.items()}


def _words(reasons: Any) -> str:
    several = reasons if isinstance(reasons, list) else [reasons]
    return "; ".join(str(one) for one in several) or "Jira gives no reason"
