"""Tells the fate of a write in words that help, and gathers what is written on one issue.

It keeps the promise that every refusal names the item, and what would have to be granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import orjson

from pmosync.contract import Change, Receipt, canonical
from pmosync.errors import Refused, SiteTrouble
from pmosync.http import PoliteSession

from .remote_links import SLOT as LINK

Write = Callable[[list[Change]], Iterable[Receipt]]
"""Writes all changes of one item."""


def all_of(session: PoliteSession, write: Write, items: Sequence[list[Change]]) -> Iterator[Receipt]:
    """Write many items, a few at a time, one write at a time on each; receipts as each item is done.

    When the site fails for good, what was on its way has an unknown fate, is told as such, and the trouble raised.
    """
    width = session.limiter.limits.writes_in_flight
    for receipts, trouble in session.map(lambda item: _item(write, item), items, width=width):
        yield from receipts
        if trouble:
            raise trouble


def _item(write: Write, changes: list[Change]) -> tuple[list[Receipt], SiteTrouble | None]:
    """Every change of one item, with what stopped the rest of the site."""
    receipts: list[Receipt] = []
    try:
        for receipt in write(changes):
            receipts.append(receipt)
    except SiteTrouble as trouble:
        told = {receipt.change.slot for receipt in receipts}
        receipts += [unknown(c, str(trouble)) for c in changes if c.slot not in told]
        return receipts, trouble
    return receipts, None


def by_item(changes: Iterable[Change]) -> list[list[Change]]:
    """The changes of each item together, in the order in which the items come first."""
    items: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        items.setdefault((change.slot.subject, change.slot.id), []).append(change)
    return list(items.values())


def wanted(change: Change) -> str | None:
    """The mark as it reads once it stands there."""
    if change.after is None or not change.after.startswith("{"):
        return change.after
    return canonical(orjson.loads(change.after))


def unknown(change: Change, why: str) -> Receipt:
    """A write whose fate got lost."""
    return Receipt(change, "unknown", why=named(change, why))


def refused(change: Change, why: str) -> Receipt:
    """A write that did not happen."""
    return Receipt(change, "refused", why=named(change, why))


def refusal(change: Change, no: Refused) -> Receipt:
    """A write that Jira did not take; to clear a mark on what is gone is done: nothing of it stands there."""
    if change.after is None and no.status == 404:
        return Receipt(change, "done", None)
    why = str(no)
    if change.slot.name == LINK and no.status == 403:
        why += " The permission Link issues lets pmosync set it."
    return refused(change, why)


def named(change: Change, why: str) -> str:
    """A reason with the item that it is about."""
    return f"{change.key or change.slot.id}: {why}"
