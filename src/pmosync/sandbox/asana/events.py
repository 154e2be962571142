"""Asana's event stream: what happened to a project or a task since a sync token.

An event of a task, a subtask or a story reaches every project and parent above it. A token is good for a day and for
100 events; without a good one the answer is 412 with a fresh token, which is how a client starts. Nobody promises that
every event arrives: with the switch `event_loss` a share of them never does, the same ones each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import Refused, json_answer
from pmosync.sandbox.asana import access, outbox, tables
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import Tree, read_token, seal_token, wanted
from pmosync.sandbox.asana.tables import Row, rows, scalar
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.state import State, as_json, from_json

EVENTS_PER_TOKEN = 100
OF_WORKSPACE_PER_TOKEN = 1000
TOO_OLD = (
    "Sync token invalid or too old. If you are attempting to keep resources in sync, you must fetch the full dataset "
    "for this query now and use the new sync token for the next sync."
)


def named(state: State, kind: str, gid: str) -> Row:
    """A thing as events name it."""
    table = {"custom_field": "field", "enum_option": "option"}.get(kind, kind)
    found = tables.get(state, table, gid) or {}
    record: Row = {"gid": gid, "resource_type": kind}
    for name in ("resource_subtype", "name"):
        if name in found:
            record[name] = found[name]
    return record


def scopes(state: State, task: str) -> list[str]:
    """Whoever listens to one of these hears what happens to the task."""
    return [task, *tables.ancestors(state, task), *tables.projects_of(state, task, inherited=True)]


def record(
    state: State,
    actor: str | None,
    resource: Row,
    action: str,
    heard_by: Iterable[str],
    *,
    parent: Row | None = None,
    change: Row | None = None,
) -> None:
    """Keep one event for everybody who listens to one of `heard_by`."""
    at = tables.now(state)
    body: Row = {
        "user": named(state, "user", actor) if actor else None,
        "created_at": at,
        "type": resource["resource_type"],
        "action": action,
        "resource": resource,
        "parent": parent,
    }
    if change is not None:
        body["change"] = change
    tables.insert(state, "event", {"created_at": at, "user": actor, "body": as_json(body)})
    n = scalar(state, "SELECT max(n) FROM asana_event")
    heard = list(dict.fromkeys(heard_by))
    loss = float(tables.switch(state, "event_loss"))
    for listener in (*heard, tables.WORKSPACE):
        if not _lost(n, listener, loss):
            tables.insert(state, "event_scope", {"resource": listener, "n": n})
    outbox.keep(state, n, body, heard, lambda hook: _lost(n, hook, loss))


def _lost(n: int, listener: str, share: float) -> bool:
    """Whether a listener never hears an event: by lot, and the lot is the same for the same history."""
    if not share:
        return False
    lot = int.from_bytes(hashlib.blake2b(f"{n} {listener}".encode(), digest_size=4).digest())
    return lot < share * 2**32


def fresh_token(state: State, resource: str) -> str:
    """A token from which a client hears what happens from now on."""
    return _token(state, resource, _newest(state))


def _token(state: State, resource: str, n: int) -> str:
    return seal_token([resource, n, state.now().isoformat()])


def _newest(state: State) -> int:
    """The vendor's stream runs behind; the switch `event_delay_s` rehearses that."""
    delay = timedelta(seconds=float(tables.switch(state, "event_delay_s")))
    until = tables.instant(state.now() - delay)
    return int(scalar(state, "SELECT coalesce(max(n), 0) FROM asana_event WHERE created_at <= ?", until))


def list_events(call: Call) -> Response:
    resource = call.query.get("resource")
    if not resource:
        raise bad("resource: Missing input")
    _see(call, resource)
    return _answer(call, resource, EVENTS_PER_TOKEN)


def list_workspace_events(call: Call) -> Response:
    """What happened anywhere in the workspace, to a service account; it hears of what it cannot see, too."""
    workspace = access.see_workspace(call.args["workspace_gid"])
    if not access.is_service_account(call):
        raise forbidden("workspace: Only service accounts can read the events of a workspace.")
    return _answer(call, workspace, OF_WORKSPACE_PER_TOKEN)


def _answer(call: Call, resource: str, most: int) -> Response:
    """The events since the token that was sent, at most so many, and the next token."""
    after = _heard_until(call, resource)
    newest = _newest(call.state)
    found = rows(
        call.state,
        "SELECT e.n, e.body FROM asana_event_scope s JOIN asana_event e ON e.n = s.n"
        " WHERE s.resource = ? AND s.n > ? AND s.n <= ? ORDER BY s.n LIMIT ?",
        resource,
        after,
        newest,
        most + 1,
    )
    more = len(found) > most
    told = found[:most]
    until = told[-1]["n"] if more else newest
    names = wanted(call)
    bodies = [from_json(event["body"]) for event in told]
    return json_answer(
        {
            "data": [body if names is None else _chosen(body, names) for body in bodies],
            "sync": _token(call.state, resource, until),
            "has_more": more,
        }
    )


def _see(call: Call, gid: str) -> None:
    if tables.get(call.state, "task", access.checked("resource", gid)):
        access.see_task(call, gid, kind="resource")
    elif tables.get(call.state, "project", gid):
        access.see_project(call, gid, kind="resource")
    elif tables.get(call.state, "goal", gid):
        return
    else:
        raise unknown("resource", gid)


def _heard_until(call: Call, resource: str) -> int:
    refusal = Refused(412, {"errors": [{"message": TOO_OLD}], "sync": fresh_token(call.state, resource)})
    try:
        about, n, issued = read_token(call.query.get("sync", ""))
        too_old = _expired(call.state, resource, datetime.fromisoformat(issued))
    except (ValueError, TypeError):
        raise refusal from None
    if about != resource or too_old or n > scalar(call.state, "SELECT coalesce(max(n), 0) FROM asana_event"):
        raise refusal
    return int(n)


def _expired(state: State, resource: str, issued: datetime) -> bool:
    """Whether a token is older than tokens live, or was given out before all were made invalid."""
    if state.now() - issued > timedelta(seconds=float(tables.switch(state, "event_ttl_s"))):
        return True
    sql = "SELECT max(at) FROM asana_forgotten WHERE resource IN (?, '*')"
    until = scalar(state, sql, resource)
    return until is not None and issued <= datetime.fromisoformat(until)


def forget(state: State, resource: str = "*") -> None:
    """Make every token of a resource invalid that was given out until now; `*`: of all resources."""
    sql = "INSERT OR REPLACE INTO asana_forgotten (resource, at) VALUES (?, ?)"
    tables.run(state, sql, resource, state.now().isoformat())


def _chosen(value: Any, names: Tree) -> Any:
    if not isinstance(value, dict) or not names:
        return value
    out = {"gid": value["gid"]} if "gid" in value else {}
    return {**out, **{name: _chosen(value[name], below) for name, below in names.items() if name in value}}


RULES: list[Rule] = [
    (("GET",), "/api/1.0/events", list_events),
    (("GET",), "/api/1.0/workspaces/{workspace_gid}/events", list_workspace_events),
]
