"""Sends status updates of ours on projects and portfolios: seldom, only with something new, in the owner's colour.

It keeps the promise that an update, which its followers are told of and nobody can edit, is sent once: all updates of
its parent are read before, also those of an earlier try whose answer got lost; one that says what the last one said is
not sent, nor one within seven days of it. The colour of the newest update by a person stays the colour of the project;
only where no person ever gave one it is that of our health, and where that is not known nothing is sent.

An update is ours by our account and by its first line, which tells the health: so the mark is read back whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import asana
import orjson

from pmosync.contract import Change, Clock, Reading, Receipt, Slot, canonical
from pmosync.errors import Refused, Unreadable
from pmosync.http import FateUnknown

from ..api import Api, one
from .markup import canonical_line, canonical_lines, defused

Json = dict[str, Any]
PARENTS = {"status_update": "project", "portfolio_update": "portfolio"}
"""The slots, and what their updates are about."""
FIELDS = "title,text,status_type,created_at,author.gid,created_by.gid"
"""What to ask of status updates, so that ours can be told from the others."""
REST = dt.timedelta(days=7)
LAG = dt.timedelta(minutes=1)
"""So long after a try whose answer got lost nothing is sent, in case a list shows an update late."""
TYPES = {"green": "on_track", "amber": "at_risk", "red": "off_track"}
_FIRST_LINE = "PMO health: "
_HEALTHS = (*TYPES, "grey")


# --- reading --------------------------------------------------------------------------------------------------------


def is_ours(update: Mapping[str, Any], me: str) -> bool:
    """Whether our account sent it, and it tells a health of ours in its first line."""
    author = update.get("author") or update.get("created_by") or {}
    return author.get("gid") == me and _health(update) is not None


def standing(updates: Iterable[Mapping[str, Any]], me: str) -> str | None:
    """The mark in the slot: our newest update among all of a project or portfolio."""
    found = _newest(update for update in updates if is_ours(update, me))
    return None if found is None else _mark(found)


def newest_of_others(updates: Iterable[Mapping[str, Any]], me: str) -> Mapping[str, Any] | None:
    """The newest update that is not ours: the only one that says how the work stands."""
    return _newest(update for update in updates if not is_ours(update, me))


def all_of(api: Api, parent: str) -> list[Json]:
    """Every status update of a project or portfolio.

    Raises:
        Refused: the parent may not be read.
        Unreadable: the list could not be read to its end.
    """
    return api.pages(asana.StatusUpdatesApi(api.tasks.api_client).get_statuses_for_object, parent, opt_fields=FIELDS)


def read(api: Api, me: str, parents: Iterable[str]) -> dict[str, str | Refused | None]:
    """What stands on these projects or portfolios; a refusal where the updates cannot be read."""

    def ask(parent: str) -> tuple[str, str | Refused | None]:
        try:
            return parent, standing(all_of(api, parent), me)
        except Refused as refusal:
            return parent, refusal
        except Unreadable as odd:
            return parent, Refused(str(odd), status=0)

    return dict(api.session.map(ask, list(parents)))


def readings(api: Api, me: str, slots: Sequence[Slot]) -> Iterator[Reading]:
    """What stands in these slots now."""
    found = read(api, me, [slot.id for slot in slots])
    for slot in slots:
        value = found[slot.id]
        yield Reading(slot, None, str(value)) if isinstance(value, Refused) else Reading(slot, value)


def _newest(updates: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return max(updates, key=lambda one: (one.get("created_at") or "", len(one["gid"]), one["gid"]), default=None)


def _health(update: Mapping[str, Any]) -> str | None:
    first = next(iter(canonical_lines(update.get("text") or "")), "")
    health = first.removeprefix(_FIRST_LINE).rstrip(".")
    return health if first.startswith(_FIRST_LINE) and health in _HEALTHS else None


def _mark(update: Mapping[str, Any]) -> str:
    lines = canonical_lines(update.get("text") or "")[1:]
    return canonical({"health": _health(update), "lines": lines, "title": canonical_line(update.get("title") or "")})


# --- writing --------------------------------------------------------------------------------------------------------


class Updates:
    """One push of status updates, seen from our account."""

    def __init__(self, api: Api, me: str, clock: Clock) -> None:
        self.api, self.me, self.clock = api, me, clock
        self._statuses = asana.StatusUpdatesApi(api.tasks.api_client)

    def push(self, changes: Sequence[Change]) -> Iterator[Receipt]:
        """Send or take away; every refusal is a receipt."""
        return self.api.session.map(self._write, list(changes))

    def _write(self, change: Change) -> Receipt:
        looked_at = self.clock()
        try:
            updates = all_of(self.api, change.slot.id)
            if change.after is None:
                return self._clear(change, [update for update in updates if is_ours(update, self.me)])
            return self._send(change, orjson.loads(change.after), updates, looked_at)
        except Refused as refusal:
            return _refused(change, refusal)
        except Unreadable as odd:
            return Receipt(change, "refused", why=f"{_named(change)}: {odd}")

    def _clear(self, change: Change, ours: Sequence[Json]) -> Receipt:
        """Every update of ours goes; none of anybody else."""
        for update in ours:
            self.api.session.call("DELETE", f"/status_updates/{update['gid']}", expect=(404,))
        return Receipt(change, "done")

    def _send(self, change: Change, wanted: Json, updates: Sequence[Json], looked_at: dt.datetime) -> Receipt:
        last = _newest(update for update in updates if is_ours(update, self.me))
        if last is not None:
            said, told = orjson.loads(_mark(last)), _told(wanted)
            if said == told:  # also what an earlier try sent
                return Receipt(change, "done", _mark(last))
            if (said["title"], said["lines"]) == (told["title"], told["lines"]):
                return Receipt(change, "later", why="the last update says the same; nothing is sent")
            since = dt.datetime.fromisoformat(last["created_at"])
            if looked_at - since < REST:
                why = f"the last update is of {since:%Y-%m-%d}; the next one may be sent on {since + REST:%Y-%m-%d}"
                return Receipt(change, "later", why=why)
        if wanted["health"] not in TYPES:
            return Receipt(change, "later", why="the health is not known; nothing is sent until it is")
        if change.tried_at is not None and looked_at - change.tried_at < LAG:
            why = "an earlier try got no answer a moment ago: the next run looks."
            return Receipt(change, "unknown", why=f"{_named(change)}: {why}")
        return self._post(change, _body(change, wanted, newest_of_others(updates, self.me)))

    def _post(self, change: Change, body: Json) -> Receipt:
        try:
            made = one(self._statuses.create_status_for_object({"data": body}, {"opt_fields": FIELDS}))
        except FateUnknown as lost:
            # Often it has arrived: a look now saves the next run one.
            last = _newest(update for update in all_of(self.api, change.slot.id) if is_ours(update, self.me))
            if last is not None and orjson.loads(_mark(last)) == _told(orjson.loads(change.after or "{}")):
                return Receipt(change, "done", _mark(last))
            return Receipt(change, "unknown", why=f"{_named(change)}: {lost}")
        return Receipt(change, "done", _mark(made))


def _told(wanted: Mapping[str, Any]) -> Json:
    """A wanted update as it comes back."""
    lines = canonical_lines("\n".join(wanted["lines"]))
    return {"health": wanted["health"], "lines": lines, "title": canonical_line(wanted["title"])}


def _body(change: Change, wanted: Json, person: Mapping[str, Any] | None) -> Json:
    """As plain text: nothing in it can be taken for mark-up, and no line needs any."""
    told = _told(wanted)
    kept = (person or {}).get("status_type")
    return {
        "parent": change.slot.id,
        "status_type": kept or TYPES[wanted["health"]],
        "title": told["title"],
        "text": "\n".join([f"{_FIRST_LINE}{told['health']}", *(defused(line) for line in told["lines"])]),
    }


def cost(change: Change) -> Iterator[str]:
    """The calls for one update."""
    yield "GET /status_updates"
    yield "DELETE /status_updates/{status_update_gid}" if change.after is None else "POST /status_updates"


def _named(change: Change) -> str:
    return change.key or change.slot.id


def _refused(change: Change, refusal: Refused) -> Receipt:
    """What Asana did not take; to clear what is on something gone is done."""
    if change.after is None and refusal.status == 404:
        return Receipt(change, "done")
    kind = PARENTS[change.slot.name]
    steps = {
        402: f"Status updates of a {kind} need a paid plan of Asana: leave `{change.slot.name}` out of `write`.",
        403: f"Make the account an editor of the {kind}, or leave `{change.slot.name}` out of `write`.",
    }
    return Receipt(change, "refused", why=f"{_named(change)}: {refusal} {steps.get(refusal.status, '')}".rstrip())
