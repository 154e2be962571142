"""Keeps for each webhook which events it is still to be sent.

A webhook on a portfolio, a team or the workspace hears of projects and what is like them, never of tasks and stories;
one on a task or project hears everything under it. While no webhook is registered nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pmosync.sandbox.asana import tables
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.state import State, from_json

WIDE = frozenset({"portfolio", "team", "workspace"})
"""Resources whose webhooks hear nothing of what is inside of projects."""
INSIDE = frozenset({"task", "story", "section", "attachment"})


def keep(state: State, n: int, event: Row, heard_by: Iterable[str], lost: Callable[[str], bool]) -> None:
    """Put an event into the queue of each webhook that is to hear of it."""
    if not scalar(state, "SELECT 1 FROM asana_webhook LIMIT 1"):
        return
    wide = event["type"] not in INSIDE
    listeners = {*heard_by, *(_around(state, heard_by) if wide else ())}
    for hook in rows(state, "SELECT * FROM asana_webhook"):
        if hook["resource"] not in listeners or (hook["kind"] in WIDE and not wide):
            continue
        if passes(from_json(hook["filters"]), event) and not lost(hook["gid"]):
            tables.insert(state, "webhook_event", {"webhook": hook["gid"], "n": n})


def passes(filters: list[Row], event: Row) -> bool:
    """Whether an event is one that the filters of a webhook let through; none let all."""
    return not filters or any(_fits(one, event) for one in filters)


def _fits(wanted: Row, event: Row) -> bool:
    told = {
        "resource_type": event["type"],
        "resource_subtype": event["resource"].get("resource_subtype"),
        "action": event["action"],
    }
    if any(told[name] != value for name, value in wanted.items() if name in told and value is not None):
        return False
    return not wanted.get("fields") or (event.get("change") or {}).get("field") in wanted["fields"]


def _around(state: State, items: Iterable[str]) -> list[str]:
    """The portfolios that items are in, the portfolios these are in, the teams of projects, and the workspace."""
    found: dict[str, None] = {tables.WORKSPACE: None}
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        outer = [row["portfolio"] for row in rows(
            state, "SELECT portfolio FROM asana_portfolio_item WHERE item = ?", item)]  # fmt: skip
        team = scalar(state, "SELECT team FROM asana_project WHERE gid = ?", item)
        waiting += [gid for gid in outer if gid not in found]
        found |= dict.fromkeys([*outer, *([team] if team else [])])
    return list(found)


def compact(event: Row) -> Row:
    """An event as a webhook carries it: things by gid and type, without names."""

    def short(value: object) -> object:
        if isinstance(value, dict) and "gid" in value:
            return {name: value[name] for name in ("gid", "resource_type", "resource_subtype") if name in value}
        return value

    found = {name: short(event[name]) for name in ("user", "created_at", "action", "resource", "parent")}
    if "change" in event:
        found["change"] = {name: short(value) for name, value in event["change"].items()}
    return found
