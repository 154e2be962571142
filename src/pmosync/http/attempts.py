"""One call on its way: what it carries, what came back, and how long to wait before the next attempt.

It keeps the promise that the wait a site asks for is a minimum, never shortened by jitter.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import tenacity

from ..errors import PmosyncError
from .endpoints import Endpoint
from .limiter import EVERYBODY

ATTEMPTS = 5

LOST = (
    requests.exceptions.Timeout,
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What `requests` raises when there is no answer, or half of one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site answered: lower-case header names, the body as data (None when it is empty)."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(slots=True)
class Outgoing:
    """One call with everything that an attempt needs."""

    endpoint: Endpoint
    url: str
    options: Mapping[str, Any]
    expect: tuple[int, ...]
    weight: int
    item: str = EVERYBODY
    """What it changes, where the tool counts by item."""
    renewed: bool = False
    """Whether it was sent again with a new credential: that happens once."""
    first_sent_s: float | None = None
    """Patience is counted from here, so that waiting for our own limits costs none."""


class Again(Exception):
    """An attempt failed, and the call may be sent again.

    Args:
        trouble: what to raise when patience ends.
        wait_s: what the site asked for.
        key: who waits besides this call, as the limiter knows it; None: nobody.
    """

    def __init__(self, trouble: PmosyncError, wait_s: float | None = None, *, key: str | None = None) -> None:
        self.trouble, self.wait_s, self.key = trouble, wait_s, key
        super().__init__(str(trouble))


def wait_s(state: tenacity.RetryCallState) -> float:
    """1, 2, 4, 8 seconds with jitter; what the site asked for is the minimum."""
    trouble = state.outcome.exception() if state.outcome else None
    asked_s = trouble.wait_s if isinstance(trouble, Again) else None
    return max(2.0 ** (state.attempt_number - 1) * random.uniform(0.7, 1.3), asked_s or 0.0)
