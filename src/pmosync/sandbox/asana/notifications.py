"""Keeps whom Asana would tell of what: a line in somebody's inbox and a mail, for each follower who is not the author.

Everything that makes a noise goes through here, so what a quiet way of writing costs people can be counted, and where
the vendor's documents leave open whether something is told, a switch decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from pmosync.sandbox.asana import access, tables
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.call import Call
from pmosync.sandbox.state import State


def tell(call: Call, people: Iterable[str], about: str, why: str, what: str) -> None:
    """Tell active people something about an item; whoever did it is not told. `why` is a word, `what` a phrase."""
    state, author = call.state, access.me(call)
    found = [_active(state, gid) for gid in dict.fromkeys(people) if gid != author]
    told = [person for person in found if person]
    for person in told:
        line = {"at": tables.now(state), "recipient": person["gid"], "why": why, "about": about, "what": what}
        tables.insert(state, "notification", line | {"by": author})
    if told:
        state.mail("asana", sorted(person["email"] for person in told), about, what)


def _active(state: State, gid: str) -> Row | None:
    return tables.row(state, "SELECT gid, email FROM asana_user WHERE gid = ? AND active = 1", gid)


def followers(state: State, item: str) -> list[str]:
    """Who follows a task, project, portfolio or goal."""
    return [
        found["user"] for found in rows(state, "SELECT user FROM asana_follower WHERE item = ? ORDER BY rowid", item)
    ]


def hear_of_updates(state: State, kind: str, item: Row) -> list[str]:
    """Who is sent the status updates of a project, portfolio or goal."""
    found = followers(state, item["gid"])
    if kind == "project":
        members = rows(state, "SELECT user FROM asana_member WHERE project = ? ORDER BY rowid", item["gid"])
        found += [member["user"] for member in members]
    return [*found, *([item["owner"]] if item.get("owner") else [])]


def mentioned(state: State, html: str | None) -> list[str]:
    """The people that a rich text names, in order; it has been checked."""
    if not html:
        return []
    gids = [element.get("data-asana-gid") for element in ElementTree.fromstring(html).iter("a")]
    return [gid for gid in gids if gid and scalar(state, "SELECT 1 FROM asana_user WHERE gid = ?", gid)]


def report(state: State) -> list[Row]:
    """Every notification with the names of those concerned, in order."""
    return rows(
        state,
        "SELECT n.*, r.name AS recipient_name, a.name AS by_name FROM asana_notification n"
        " LEFT JOIN asana_user r ON r.gid = n.recipient LEFT JOIN asana_user a ON a.gid = n.by ORDER BY n.n",
    )
