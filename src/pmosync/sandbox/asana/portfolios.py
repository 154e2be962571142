"""Asana's portfolios: the caller's own, what is in them and the values they hold.

With a person's token only the portfolios that this person owns are listed, with a service account's all, as the vendor
has it.
"""

from __future__ import annotations

from werkzeug.wrappers import Response

from pmosync.sandbox.answers import Refused
from pmosync.sandbox.asana import access, edits, events, fields, seed, tables, taskedit
from pmosync.sandbox.asana.access import me, see_portfolio, see_project
from pmosync.sandbox.asana.problems import bad, forbidden
from pmosync.sandbox.asana.select import data, listing, nothing, one, required
from pmosync.sandbox.asana.tables import Row, rows, run
from pmosync.sandbox.call import Call, Rule

WRITABLE = ("name", "color", "due_on", "start_on", "public", "archived")
FLAGS = ("public", "archived")
MAX_ITEMS = 1500


def list_portfolios(call: Call) -> Response:
    edits.premium(call, "Portfolios")
    workspace, owner = call.query.get("workspace"), call.query.get("owner")
    if not workspace:
        raise bad("workspace: Missing input")
    access.see_workspace(workspace)
    service = access.is_service_account(call)
    if not owner and not service:
        raise bad("owner: Missing input")
    person = access.see_user(call, owner, "owner")["gid"] if owner else None
    if person != me(call) and not service:
        raise forbidden("owner: You can only list portfolios that you own.")
    sql = "SELECT gid FROM asana_portfolio WHERE ? IS NULL OR owner = ? ORDER BY gid"
    found = rows(call.state, sql, person, person)
    return listing(call, "portfolio", [portfolio["gid"] for portfolio in found])


def get_portfolio(call: Call) -> Response:
    edits.premium(call, "Portfolios")
    return one(call, "portfolio", see_portfolio(call, call.args["portfolio_gid"])["gid"])


def create_portfolio(call: Call) -> Response:
    edits.premium(call, "Portfolios")
    access.see_workspace(str(required(call, "workspace")))
    given = data(call)
    color = given.get("color") or "dark-blue"
    gid = seed.add_portfolio(
        call.state, str(required(call, "name")), me(call), created_at=call.state.now(), color=color
    )
    days = {name: taskedit.day(name, given.get(name)) for name in ("start_on", "due_on")}
    tables.update(call.state, "portfolio", gid, {"public": int(bool(given.get("public")))} | days)
    call.state.changed("asana", str(call.user["name"]), gid, "portfolio", None, given["name"])
    return one(call, "portfolio", gid, 201)


def update_portfolio(call: Call) -> Response:
    portfolio = see_portfolio(call, call.args["portfolio_gid"], "editor")
    given = data(call)
    values = given.pop("custom_fields", None)
    new: Row = {}
    for name, value in given.items():
        if name not in WRITABLE:
            raise bad(f"{name}: Cannot write this property")
        new[name] = taskedit.day(name, value) if name.endswith("_on") else int(bool(value)) if name in FLAGS else value
    tables.update(call.state, "portfolio", portfolio["gid"], new)
    for name, value in new.items():
        if value != portfolio[name]:
            call.state.changed("asana", str(call.user["name"]), portfolio["gid"], name, portfolio[name], value)
    if values is not None:
        offered = fields.offered_to_portfolio(call.state, portfolio["gid"])
        edits.write_values(call, "portfolio", portfolio["gid"], values, offered)
    return one(call, "portfolio", portfolio["gid"])


def delete_portfolio(call: Call) -> Response:
    """Only the portfolio: what was in it stays."""
    portfolio = see_portfolio(call, call.args["portfolio_gid"], "admin")
    for sql in (
        "DELETE FROM asana_portfolio_item WHERE ? IN (portfolio, item)",
        "DELETE FROM asana_goal_relationship WHERE item = ?",
        "DELETE FROM asana_status_update WHERE parent = ?",
        "DELETE FROM asana_setting WHERE parent = ?",
        "DELETE FROM asana_value WHERE item = ?",
        "DELETE FROM asana_portfolio WHERE gid = ?",
    ):
        run(call.state, sql, portfolio["gid"])
    call.state.changed("asana", str(call.user["name"]), portfolio["gid"], "portfolio", portfolio["name"], None)
    return nothing()


def list_items(call: Call) -> Response:
    """The projects and portfolios in it that the caller can see."""
    portfolio = see_portfolio(call, call.args["portfolio_gid"])
    held = rows(
        call.state, "SELECT item FROM asana_portfolio_item WHERE portfolio = ? ORDER BY position", portfolio["gid"]
    )
    seen = [item["item"] for item in held if _visible(call, item["item"])]
    inner = {gid: "portfolio" for gid in seen if tables.get(call.state, "portfolio", gid)}
    return listing(call, "project", seen, inner)


def _visible(call: Call, gid: str) -> bool:
    try:
        _item(call, gid)
    except Refused:
        return False
    return True


def _item(call: Call, gid: str) -> tuple[str, Row]:
    """What may be in a portfolio: a project, or another portfolio."""
    if tables.get(call.state, "portfolio", access.checked("item", gid)):
        return "portfolio", see_portfolio(call, gid)
    return "project", see_project(call, gid, "viewer", "item")


def add_item(call: Call) -> Response:
    portfolio = see_portfolio(call, call.args["portfolio_gid"], "editor")
    kind, item = _item(call, str(required(call, "item")))
    held = rows(call.state, "SELECT item FROM asana_portfolio_item WHERE portfolio = ?", portfolio["gid"])
    if len(held) >= MAX_ITEMS:
        raise bad(f"item: A portfolio can hold at most {MAX_ITEMS} items.")
    if portfolio["gid"] in (item["gid"], *below(call, item["gid"])):
        raise bad("item: A portfolio cannot be in itself.")
    if item["gid"] not in [each["item"] for each in held]:
        seed.add_portfolio_item(call.state, portfolio["gid"], item["gid"])
        _tell(call, portfolio, kind, item, "added")
    return nothing()


def below(call: Call, gid: str) -> list[str]:
    """Everything in a portfolio, however deep."""
    found = [gid]
    for upper in found:
        held = rows(call.state, "SELECT item FROM asana_portfolio_item WHERE portfolio = ?", upper)
        found += [inner["item"] for inner in held if inner["item"] not in found]
    return found


def remove_item(call: Call) -> Response:
    portfolio = see_portfolio(call, call.args["portfolio_gid"], "editor")
    kind, item = _item(call, str(required(call, "item")))
    sql = "DELETE FROM asana_portfolio_item WHERE portfolio = ? AND item = ?"
    if not run(call.state, sql, portfolio["gid"], item["gid"]):
        raise bad(f"item: This {kind} is not in the portfolio.")
    _tell(call, portfolio, kind, item, "removed")
    return nothing()


def _tell(call: Call, portfolio: Row, kind: str, item: Row, action: str) -> None:
    resource = events.named(call.state, kind, item["gid"])
    parent = events.named(call.state, "portfolio", portfolio["gid"])
    events.record(call.state, me(call), resource, action, [portfolio["gid"], item["gid"]], parent=parent)
    before, after = (None, item["name"]) if action == "added" else (item["name"], None)
    call.state.changed("asana", str(call.user["name"]), portfolio["gid"], "item", before, after)


RULES: list[Rule] = [
    (("GET",), "/api/1.0/portfolios", list_portfolios),
    (("POST",), "/api/1.0/portfolios", create_portfolio),
    (("GET",), "/api/1.0/portfolios/{portfolio_gid}", get_portfolio),
    (("PUT",), "/api/1.0/portfolios/{portfolio_gid}", update_portfolio),
    (("DELETE",), "/api/1.0/portfolios/{portfolio_gid}", delete_portfolio),
    (("GET",), "/api/1.0/portfolios/{portfolio_gid}/items", list_items),
    (("POST",), "/api/1.0/portfolios/{portfolio_gid}/addItem", add_item),
    (("POST",), "/api/1.0/portfolios/{portfolio_gid}/removeItem", remove_item),
]
