"""Says in time that the credentials of a site end, where anybody can know it.

It keeps the promise that a note names the day and the next step, and that a question which the site does not answer
troubles no run.
"""

from __future__ import annotations

import datetime as dt

from pmosync.errors import PmosyncError
from pmosync.http import Expiry, PoliteSession

ANNOUNCED_DAYS = 30
"""So long before its end a credential is announced."""


def expiry_of(session: PoliteSession, *, ask: bool) -> Expiry | None:
    """When the credentials of this session end; None: nobody knows.

    Args:
        ask: the site may be asked, which costs at most one call.
    """
    try:
        return session.expiry(ask)
    except PmosyncError:
        return None


def expiry_note(session: PoliteSession, today: dt.date, *, ask: bool) -> str:
    """A sentence about credentials that end soon; empty: nothing to tell."""
    found = expiry_of(session, ask=ask)
    if found is None or (found.on - today).days > ANNOUNCED_DAYS:
        return ""
    return f"{told(found, today)}; {found.next_step}"


def told(expiry: Expiry, today: dt.date) -> str:
    """What ends, and when."""
    days = (expiry.on - today).days
    if days < 0:
        return f"{expiry.what} ended on {expiry.on}"
    when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    return f"{expiry.what} ends on {expiry.on}, {when}"
