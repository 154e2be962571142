"""Remembers between runs that a site refused its credentials, so that no schedule locks the account by trying on.

It keeps the promise that the same credentials are tried again ever more seldom, at most once a day in the end; that
other ones are tried at once; and that a person who asks for a reconcile is not kept waiting.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import orjson
from sqlalchemy import delete

from pmosync.http import PoliteSession
from pmosync.store import Store, read_meta, write_meta
from pmosync.store.tables import meta

FIRST_REST = dt.timedelta(minutes=30)
"""After the first refusal; each further one doubles it."""
LONGEST_REST = dt.timedelta(days=1)
ROUNDS = 200_000
"""Make a fingerprint slow to guess from."""

Credentials = Callable[[], str]
"""A digest of a site's credentials; asked for only when there was a refusal."""


def hold_back(store: Store, name: str, session: PoliteSession, credentials: Credentials, now: dt.datetime) -> None:
    """Send nothing in this session if these credentials were refused and have not rested since."""
    with store.reading() as connection:
        text = read_meta(connection, _key(name))
    if text is None:
        return
    noted = orjson.loads(text)
    until_at = dt.datetime.fromisoformat(noted["until_at"])
    if now >= until_at or noted["credentials"] != _fingerprint(name, credentials()):
        return
    session.refuse(
        f"{noted['why']} They are not tried again before {until_at.astimezone():%Y-%m-%d %H:%M}: more tries could lock "
        "the account. Other credentials are taken at once, and `pmosync reconcile` tries these."
    )


def remember_denial(
    store: Store, name: str, session: PoliteSession, credentials: Credentials, clock: Callable[[], dt.datetime]
) -> None:
    """Remember that this session was refused, or forget it when it was let in."""
    if session.held or not session.calls:
        return
    with store.reading() as connection:
        text = read_meta(connection, _key(name))
    if not session.denied:
        if text is not None and session.let_in:
            with store.begin() as connection:
                connection.execute(delete(meta).where(meta.c.key == _key(name)))
        return
    fingerprint = _fingerprint(name, credentials())
    before = orjson.loads(text) if text is not None else {}
    times = before["times"] + 1 if before.get("credentials") == fingerprint else 1
    rest = min(FIRST_REST * 2 ** min(times - 1, 10), LONGEST_REST)
    noted = {
        "times": times,
        "until_at": (clock() + rest).isoformat(),
        "why": session.denied,
        "credentials": fingerprint,
    }
    with store.begin() as connection:
        write_meta(connection, _key(name), orjson.dumps(noted).decode())


def _key(name: str) -> str:
    return f"denied {name}"


def _fingerprint(name: str, credentials: str) -> str:
    """Tells whether credentials changed, and nothing else."""
    return hashlib.pbkdf2_hmac("sha256", credentials.encode(), name.encode(), ROUNDS, 16).hex()
