"""What Asana's API answers about webhooks: made with a handshake in the middle of the call, listed, changed, deleted.

A target that does not give the secret back gets no webhook, and a secret is shown in the answer to its making only.
"""

from __future__ import annotations

import secrets

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import json_answer
from pmosync.sandbox.asana import access, outbox, tables
from pmosync.sandbox.asana.access import me
from pmosync.sandbox.asana.changeshapes import later
from pmosync.sandbox.asana.problems import bad, forbidden, unknown
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run, scalar
from pmosync.sandbox.asana.webhooks import signing
from pmosync.sandbox.call import Call, Rule
from pmosync.sandbox.line import Line, Reply, loopback
from pmosync.sandbox.state import State, as_json

HEARTBEAT_S = 8 * 3600
HANDSHAKE_S = 10.0
PER_RESOURCE = 1000
FILTER = ("resource_type", "resource_subtype", "action", "fields")
ACTIONS = ("added", "changed", "deleted", "removed", "undeleted")
ELSEWHERE = (
    "target: The sandbox sends webhooks to this machine only, over plain HTTP: give a URL such as "
    "http://127.0.0.1:8080/asana. (The vendor refuses localhost in the same way.)"
)


def list_webhooks(call: Call) -> Response:
    """The caller's own."""
    workspace = call.query.get("workspace")
    if not workspace:
        raise bad("workspace: Missing input")
    access.see_workspace(workspace)
    sql = "SELECT gid FROM asana_webhook WHERE owner = ? AND resource = coalesce(?, resource) ORDER BY gid"
    found = rows(call.state, sql, me(call), call.query.get("resource"))
    return listing(call, "webhook", [hook["gid"] for hook in found])


def get_webhook(call: Call) -> Response:
    return one(call, "webhook", _see(call)["gid"])


def create_webhook(call: Call) -> Response:
    """The handshake is a request to the target while this call is under way: the target must answer it at once."""
    given = data(call)
    kind, resource = _resource(call, str(required(call, "resource")))
    target = _target(required(call, "target"))
    filters = _filters(given.get("filters"), kind)
    if scalar(call.state, "SELECT count(*) FROM asana_webhook WHERE resource = ?", resource) >= PER_RESOURCE:
        raise forbidden(f"resource: There can be at most {PER_RESOURCE} webhooks and event streams on a resource.")
    secret = secrets.token_hex(32)
    _shake(target, secret)
    at = tables.now(call.state)
    gid = tables.new_gid(call.state, "webhook")
    row = {
        "gid": gid, "resource": resource, "kind": kind, "target": target, "filters": as_json(filters),
        "secret": secret, "owner": me(call), "active": 1, "created_at": at, "last_failure_content": "",
        "retries": 0, "heartbeat_after": at,
    }  # fmt: skip
    tables.insert(call.state, "webhook", row)
    return json_answer({**one(call, "webhook", gid).get_json(), signing.SECRET: secret}, 201)


def _shake(target: str, secret: str) -> None:
    reply = Line().post(target, {signing.SECRET: secret, "Content-Type": "application/json"}, b"{}", HANDSHAKE_S)
    if not isinstance(reply, Reply):
        raise bad(f"target: The remote server did not respond to the handshake request ({reply}).")
    if reply.status not in (200, 204):
        raise bad(f"target: The remote server answered the handshake request with status {reply.status}.")
    if reply.headers.get(signing.SECRET.lower()) != secret:
        raise bad("target: The remote server did not respond with the handshake secret.")


def update_webhook(call: Call) -> Response:
    """Only the filters can be changed, all of them at once."""
    hook, given = _see(call), data(call)
    wrong = sorted(set(given) - {"filters"})
    if wrong:
        raise bad(f"{wrong[0]}: Cannot write this property")
    filters = _filters(given.get("filters"), hook["kind"])
    tables.update(call.state, "webhook", hook["gid"], {"filters": as_json(filters)})
    return one(call, "webhook", hook["gid"])


def delete_webhook(call: Call) -> Response:
    forget(call.state, _see(call)["gid"])
    return nothing()


def forget(state: State, gid: str) -> None:
    """Take a webhook away with everything that it was still to be sent."""
    run(state, "DELETE FROM asana_webhook_event WHERE webhook = ?", gid)
    run(state, "DELETE FROM asana_webhook WHERE gid = ?", gid)


def next_heartbeat(at: str) -> str:
    """When the next heartbeat after one is due."""
    return later(at, HEARTBEAT_S)


def _see(call: Call) -> Row:
    gid = access.checked("webhook", call.args["webhook_gid"])
    hook = tables.get(call.state, "webhook", gid)
    if hook is None or hook["owner"] != me(call):
        raise unknown("webhook", gid)
    return hook


def _resource(call: Call, gid: str) -> tuple[str, str]:
    """What a webhook is to listen to, as far as the caller sees it."""
    state = call.state
    if access.checked("resource", gid) == tables.WORKSPACE:
        return "workspace", gid
    if tables.get(state, "task", gid):
        return "task", str(access.see_task(call, gid, kind="resource")["gid"])
    if tables.get(state, "project", gid):
        return "project", str(access.see_project(call, gid, kind="resource")["gid"])
    if tables.get(state, "portfolio", gid):
        return "portfolio", str(access.see_portfolio(call, gid)["gid"])
    for kind in ("goal", "team"):
        if tables.get(state, kind, gid):
            return kind, gid
    raise unknown("resource", gid)


def _target(target: object) -> str:
    try:
        place = loopback(str(target))
    except ValueError:
        raise bad(f"target: Not a valid URL: {target}") from None
    if place is None:
        raise forbidden(ELSEWHERE)
    return str(target)


def _filters(given: object, kind: str) -> list[Row]:
    if given is None:
        given = []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise bad("filters: Must be a list of filters.")
    if kind in outbox.WIDE and not given:
        raise bad(f"filters: Webhooks on a {kind} must have filters.")
    for wanted in given:
        wrong = sorted(set(wanted) - set(FILTER))
        if wrong:
            raise bad(f"filters: {wrong[0]} is none of {', '.join(FILTER)}")
        if not wanted.get("resource_type"):
            raise bad("filters: resource_type: Missing input")
        if wanted.get("action") not in (None, *ACTIONS):
            raise bad(f"filters: action: {wanted['action']} is not one of {', '.join(ACTIONS)}")
        if wanted.get("fields") and (wanted.get("action") != "changed" or kind in outbox.WIDE):
            raise bad("filters: fields is for the action changed, and not on higher-level resources.")
        if kind in outbox.WIDE and wanted["resource_type"] in outbox.INSIDE:
            raise bad(f"filters: Webhooks on a {kind} do not get events of a {wanted['resource_type']}.")
    return given


RULES: list[Rule] = [
    (("GET",), "/api/1.0/webhooks", list_webhooks),
    (("POST",), "/api/1.0/webhooks", create_webhook),
    (("GET",), "/api/1.0/webhooks/{webhook_gid}", get_webhook),
    (("PUT",), "/api/1.0/webhooks/{webhook_gid}", update_webhook),
    (("DELETE",), "/api/1.0/webhooks/{webhook_gid}", delete_webhook),
]
