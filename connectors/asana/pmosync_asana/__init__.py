"""The connector for Asana: brings tasks, projects and people, and writes the PMO's marks into custom fields or tags.

It keeps the promise that only a list read to its end proves anything, and that nothing is written but into our own
fields and tags.
"""

from __future__ import annotations

from pmosync.contract import Clock
from pmosync.http import PoliteSession

from .connector import CAPABILITIES as capabilities
from .connector import AsanaConnector
from .endpoints import ENDPOINTS
from .manners import sign_in
from .settings import Settings, limits

__all__ = ["ENDPOINTS", "AsanaConnector", "Settings", "capabilities", "limits", "open"]


def open(settings: Settings, session: PoliteSession, clock: Clock) -> AsanaConnector:
    """One Asana workspace behind a polite session; no call is made yet."""
    sign_in(settings, session, clock)
    return AsanaConnector(settings, session, clock)
