"""Asana's status updates: how a manager reports a project, a portfolio or a goal.

An update is sent to everybody who follows its parent, and cannot be changed afterwards, only deleted; the newest one
is what the parent shows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from werkzeug.wrappers import Response

from pmosync.sandbox.asana import access, edits, events, fields, goals, notifications, stories, tables, taskedit
from pmosync.sandbox.asana.access import me, see_portfolio, see_project
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.state import State

OF_WORK = ("on_track", "at_risk", "off_track", "on_hold", "complete", "dropped")
TYPES = {
    "project": OF_WORK,
    "portfolio": OF_WORK,
    "goal": ("on_track", "at_risk", "off_track", "achieved", "partial", "missed", "dropped"),
}
WRITABLE = frozenset({"parent", "status_type", "title", "text", "html_text"})

See = Callable[[Call, str, str], Row]


PARENTS: dict[str, See] = {"project": see_project, "portfolio": see_portfolio, "goal": goals.see_goal}


def _parent(call: Call, gid: object, wanted: str) -> tuple[str, Row]:
    """What an update is about, and whether it is a project, a portfolio or a goal."""
    checked = access.checked("parent", gid)
    for kind, see in PARENTS.items():
        if tables.get(call.state, kind, checked):
            return kind, see(call, checked, wanted)
    raise unknown("parent", checked)


def _see(call: Call, wanted: str = "viewer") -> Row:
    gid = access.checked("status_update", call.args["status_update_gid"])
    update = tables.get(call.state, "status_update", gid)
    if update is None:
        raise unknown("status_update", gid)
    _parent(call, update["parent"], wanted)
    return update


def list_updates(call: Call) -> Response:
    """The updates of one parent, the newest first."""
    parent = call.query.get("parent")
    if not parent:
        raise bad("parent: Missing input")
    _, found = _parent(call, parent, "viewer")
    since = call.query.get("created_since")
    oldest = str(taskedit.moment("created_since", since)) if since else ""
    sql = "SELECT gid FROM asana_status_update WHERE parent = ? AND created_at >= ? ORDER BY created_at DESC, gid DESC"
    return listing(call, "status_update", [update["gid"] for update in rows(call.state, sql, found["gid"], oldest)])


def get_update(call: Call) -> Response:
    return one(call, "status_update", _see(call)["gid"])


def create_update(call: Call) -> Response:
    given = data(call)
    kind, parent = _parent(call, required(call, "parent"), "editor")
    if kind == "portfolio":
        edits.premium(call, "Portfolios")
    status = required(call, "status_type")
    if status not in TYPES[kind]:
        raise bad(f"status_type: {status} is not one of {', '.join(TYPES[kind])}")
    wrong = sorted(set(given) - WRITABLE)
    if wrong:
        raise bad(f"{wrong[0]}: Cannot write this property")
    text, html = stories.texts(call, given, "status_update")
    title = str(given.get("title") or "")
    gid = add_status_update(
        call.state, kind, parent["gid"], me(call), status, title, text, created_at=call.state.now(), html=html
    )
    _tell(call, kind, parent, gid, "added")
    call.state.changed("asana", str(call.user["name"]), parent["gid"], "status", None, status)
    people = notifications.hear_of_updates(call.state, kind, parent)
    notifications.tell(call, people, parent["gid"], "status_update", "status update")
    mentioned = [gid for gid in notifications.mentioned(call.state, html) if gid not in people]
    notifications.tell(call, mentioned, parent["gid"], "mention", "you were mentioned")
    return one(call, "status_update", gid, 201)


def delete_update(call: Call) -> Response:
    """By its author only."""
    update = _see(call)
    if update["author"] != me(call):
        raise forbidden("status_update: You can only delete your own status updates.")
    kind, parent = _parent(call, update["parent"], "viewer")
    _tell(call, kind, parent, update["gid"], "deleted")
    run(call.state, "DELETE FROM asana_status_update WHERE gid = ?", update["gid"])
    call.state.changed("asana", str(call.user["name"]), parent["gid"], "status", update["status_type"], None)
    return nothing()


def _tell(call: Call, kind: str, parent: Row, gid: str, action: str) -> None:
    resource = {"gid": gid, "resource_type": "status_update", "resource_subtype": f"{kind}_status_update"}
    above = events.named(call.state, kind, parent["gid"])
    events.record(call.state, me(call), resource, action, [parent["gid"]], parent=above)


def add_status_update(
    state: State,
    parent_kind: str,
    parent: str,
    author: str,
    status_type: str,
    title: str,
    text: str,
    *,
    created_at: datetime,
    html: str | None = None,
) -> str:
    """How somebody reported a project or portfolio; the newest one counts."""
    gid = tables.new_gid(state, "status_update")
    tables.insert(
        state,
        "status_update",
        {
            "gid": gid,
            "parent": parent,
            "parent_kind": parent_kind,
            "status_type": status_type,
            "title": title,
            "text": text,
            "html_text": html or f"<body>{fields.escaped(text)}</body>",
            "author": author,
            "created_at": tables.instant(created_at),
        },
    )
    return gid


RULES: list[Rule] = [
    (("GET",), "/api/1.0/status_updates", list_updates),
    (("POST",), "/api/1.0/status_updates", create_update),
    (("GET",), "/api/1.0/status_updates/{status_update_gid}", get_update),
    (("DELETE",), "/api/1.0/status_updates/{status_update_gid}", delete_update),
]
