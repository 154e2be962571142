"""Says what a handler is given: one call of one account, with its path variables, query, body and the state.

It keeps the promise that handlers see requests only through this: they know nothing of sockets, faults and limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from .state import State


@dataclass(frozen=True)
class Action:
    """One action inside a call, for the request log: an Asana batch has several."""

    method: str
    template: str
    status: int
    write: bool


@dataclass(frozen=True)
class Call:
    """One call. `user` is the account making it: at least `id` or `gid`, `name` and `email`.

    `template` is the path pattern with `{}` placeholders. `perform(method, path, query, body)` handles another call
    of the same tool by the same user within this one (for a batch), all or nothing by itself; when used, the log
    counts those actions in place of this call.
    """

    request: Request
    args: dict[str, str]
    query: dict[str, str]
    body: Any
    user: dict[str, Any]
    state: State
    template: str
    perform: Callable[[str, str, dict[str, str], Any], Response]
    actions: list[Action] = field(default_factory=list)


Handler = Callable[[Call], Response]
Rule = tuple[tuple[str, ...], str, Handler]
"""Methods, path pattern such as `/api/1.0/tasks/{task_gid}`, handler."""
