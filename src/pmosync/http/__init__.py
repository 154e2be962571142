"""Speaks HTTP with every tool: one session that is polite, patient within bounds, and careful with secrets.

It keeps the promise that a call is repeated only when repeating is safe, that a site which asks us to wait is obeyed in
full or left alone, and that a read-only run cannot write.
"""

from __future__ import annotations

from .attempts import Answer
from .endpoints import Endpoint
from .grants import Grant, Terms, carrying
from .limiter import Limiter, Limits
from .manners import Expiry, Manners, Notice, Pause, never_renewed
from .reasons import FateUnknown
from .rotating import RotatingSecret
from .session import PoliteSession

__all__ = [
    "Answer",
    "Endpoint",
    "Expiry",
    "FateUnknown",
    "Grant",
    "Limiter",
    "Limits",
    "Manners",
    "Notice",
    "Pause",
    "PoliteSession",
    "RotatingSecret",
    "Terms",
    "carrying",
    "never_renewed",
]
