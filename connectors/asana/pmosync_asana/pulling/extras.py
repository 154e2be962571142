"""Reads what a project's row in a list does not tell: its budget, its goals, and how people last said that it stands.

It keeps the promise that what a plan lacks is left out and asked for once only, and that a status update of ours is
never taken for how people say the project stands.

| Asana answers           | so                                                                                        |
|-------------------------|-------------------------------------------------------------------------------------------|
| 402, the plan lacks it  | the values are left out, and no other project is asked for them in this pull              |
| 403 or 404              | the values of this project are left out; where they could be read before, its `why` says  |
|                         | so: a right that was lost says nothing about the project                                  |
| any other refusal       | the project's `why` says so, and the values that were refused are left out                |

A project costs one call for its budget, one for its goals, one for its status updates (only where the newest one is
ours, or where ours are marks) and one for its brief (only where a part of it is a mark): ten of them in a round trip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pmosync.contract import Choice, Duration, Record, Scope, Value, canonical
from pmosync.errors import Refused, Unreadable

from .. import decode
from ..api import PAGE, Api, Asked, one
from ..writing import brief, status_update

Json = dict[str, Any]
What = Literal["budgets", "goals", "updates", "brief"]

LEFT_OUT = (402, 403, 404)
GOALS = "name,status"
UPDATES = f"{status_update.FIELDS},author.name"
BRIEF = "html_text"
BUDGET = ("budget_{}", "budget_{}_used", "budget_{}_estimated")
"""The values of a budget; `{}` is `time` or `cost`."""
CALLED: Mapping[What, str] = {
    "budgets": "budget",
    "goals": "goals",
    "updates": "status updates",
    "brief": "brief",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one project (or portfolio) has beside its row."""

    values: Mapping[str, Value] = field(default_factory=dict)
    marks: Mapping[str, str | None] = field(default_factory=dict)
    """What stands in our slots; only those that were read."""
    why: str = ""
    """What could not be read, in words for people; what a plan or a right never allowed is no trouble."""
    answered: tuple[What, ...] = ()
    """What could be read."""

    @property
    def version(self) -> str:
        """Changes with everything that was found; its last word tells what could be read."""
        told = decode.short({**self.values, "marks": canonical(dict(self.marks))})
        return f"{told} {'+'.join(sorted(self.answered)) or '-'}"


NOTHING = Found()


def joined(record: Record, found: Found = NOTHING) -> Record:
    """A project's record with what was found beside its row."""
    return replace(
        record,
        values={**record.values, **found.values},
        marks={**record.marks, **found.marks},
        version=f"{record.version} {found.version}",
    )


class Extras:
    """The extras of one pull: what a plan lacks is remembered while it lasts.

    Args:
        me: the gid of our account.
    """

    def __init__(self, api: Api, scope: Scope, me: str) -> None:
        self._api, self._scope, self._me = api, scope, me
        self._lacking: set[What] = set()

    def of(self, listed: Mapping[str, Json], stored: Mapping[str, str] | None = None) -> dict[str, Found]:
        """What these projects have beside their rows; the first is asked alone, for it may tell what the plan lacks.

        Args:
            listed: the rows as a list gave them, by gid.
            stored: the versions of the stored records, which tell what could be read before.
        """
        before = {gid: version.rpartition(" ")[2].split("+") for gid, version in (stored or {}).items()}
        gids = list(listed)
        found: dict[str, Found] = {}
        for some in (gids[:1], gids[1:]):
            found |= self._read(some, {gid: self._of_project(gid, listed[gid]) for gid in some}, listed, before)
        return found

    def of_portfolios(self, gids: Sequence[str]) -> dict[str, Found]:
        """The marks in the status updates of portfolios."""
        if "portfolio_update" not in self._scope.slots:
            return {}
        return self._read(gids, {gid: {"updates": _updates(gid)} for gid in gids}, {}, {})

    # --- what is asked ----------------------------------------------------------------------------------------------

    def _of_project(self, gid: str, row: Json) -> dict[What, Asked]:
        asked: dict[What, Asked] = {}
        if self._scope.budgets:
            asked["budgets"] = Asked("/budgets", query={"parent": gid})
        if self._scope.goals:
            asked["goals"] = Asked("/goals", GOALS, PAGE, {"project": gid})
        update = row.get("current_status_update")
        if update and ("status_update" in self._scope.slots or decode.by(update, self._me)):
            asked["updates"] = _updates(gid)
        if "brief" in self._scope.slots and row.get("project_brief"):
            asked["brief"] = Asked(f"/project_briefs/{row['project_brief']['gid']}", BRIEF)
        return {what: question for what, question in asked.items() if what not in self._lacking}

    # --- what is answered -------------------------------------------------------------------------------------------

    def _read(
        self,
        gids: Sequence[str],
        asked: Mapping[str, Mapping[What, Asked]],
        listed: Mapping[str, Json],
        before: Mapping[str, Sequence[str]],
    ) -> dict[str, Found]:
        questions = [(gid, what, question) for gid in gids for what, question in asked[gid].items()]
        answers: dict[str, dict[What, Any]] = {gid: {} for gid in gids}
        whys: dict[str, list[str]] = {gid: [] for gid in gids}
        bodies = self._api.each(question for _, _, question in questions)
        for (gid, what, question), body in zip(questions, bodies, strict=True):
            try:
                answers[gid][what] = self._whole(what, question, body)
            except (Refused, Unreadable) as no:
                status = no.status if isinstance(no, Refused) else 0
                if status == 402:
                    self._lacking.add(what)
                lost = status != 402 and what in before.get(gid, ())
                if lost or status not in LEFT_OUT:
                    whys[gid].append(f"its {CALLED[what]} cannot be read: {no}")
        return {
            gid: Found(
                dict(self._values(told) if gid in listed else ()),
                dict(self._marks(told, listed.get(gid))),
                "; ".join(whys[gid]),
                tuple(told),
            )
            for gid, told in answers.items()
        }

    def _whole(self, what: What, asked: Asked, body: Any) -> Any:
        """The answer, with all pages of a list."""
        if what == "brief" and not isinstance(body, Refused):
            return one(body)
        return self._api.to_its_end(asked, body)

    def _values(self, told: Mapping[What, Any]) -> Iterator[tuple[str, Value]]:
        if "budgets" in told:
            yield from budget(told["budgets"]).items()
        if "goals" in told:
            yield "goals", goals(told["goals"])
        if "updates" in told:
            yield from decode.status(status_update.newest_of_others(told["updates"], self._me)).items()

    def _marks(self, told: Mapping[What, Any], row: Json | None) -> Iterator[tuple[str, str | None]]:
        """What was read, and None where there is nothing to read: no update at all, no brief."""
        slots = self._scope.slots
        if row is None:
            if "updates" in told:
                yield "portfolio_update", status_update.standing(told["updates"], self._me)
            return
        if "status_update" in slots and ("updates" in told or row.get("current_status_update", row) is None):
            yield "status_update", status_update.standing(told.get("updates", ()), self._me)
        if "brief" in slots and "brief" in told:
            with suppress(brief.Unclear):
                yield "brief", brief.standing(told["brief"].get("html_text") or "")
        elif "brief" in slots and row.get("project_brief", row) is None:
            yield "brief", None


def _updates(gid: str) -> Asked:
    return Asked("/status_updates", UPDATES, PAGE, {"parent": gid})


# --- decoding -------------------------------------------------------------------------------------------------------


def budget(found: Sequence[Json]) -> dict[str, Value]:
    """The values of a project's budget, of which there is one at most, in time or in money; none: all are empty."""
    values: dict[str, Value] = {name.format(kind): None for kind in ("time", "cost") for name in BUDGET}
    for one_of in found:
        kind = one_of.get("budget_type")
        if kind in ("time", "cost"):
            for name, part in zip(BUDGET, ("total", "actual", "estimate"), strict=True):
                values[name.format(kind)] = _amount(one_of.get(part) or {}, kind)
    return values


def _amount(part: Json, kind: str) -> Value:
    """One number of a budget; what is switched off is not there, whatever Asana remembers of it."""
    number = part.get("value")
    if number is None or part.get("enabled") is False:
        return None
    return Duration(number * 60.0) if kind == "time" else float(number)


def goals(found: Sequence[Json]) -> tuple[Choice, ...]:
    """The goals that a project serves, with how each stands, in an order that does not move."""
    chosen = (Choice(goal["gid"], goal.get("name") or "", goal.get("status") or None) for goal in found)
    return tuple(sorted(chosen, key=lambda goal: (len(goal.id), goal.id)))
