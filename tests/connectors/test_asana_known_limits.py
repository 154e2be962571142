"""What the page about Asana says of reading and of what nobody knows yet, where no other test shows it."""

from __future__ import annotations

import datetime as dt

from tests.conftest import Sandbox

from pmosync.contract import Choice, Person, Reference, Scope
from pmosync_asana import decode

from .asana_kit import Client, after_a_first_pull, client, pulled, truth


def with_subtasks(asana: Client) -> set[str]:
    """The tasks that have subtasks."""
    above = (record.values["parent"] for record in asana.of("task").values())
    return {parent.id for parent in above if isinstance(parent, Reference)}


def test_a_first_pull_asks_for_each_task_with_subtasks_and_a_few_times_for_each_project(sandbox: Sandbox) -> None:
    asana = client(sandbox)
    sandbox.forget_requests()
    asana.pull()
    asked = sandbox.requests()["by_endpoint"]
    below = len(with_subtasks(asana))
    assert below <= asked["GET /api/1.0/tasks/{task_gid}/subtasks"] <= below + 5, "a parent of separators counts, too"
    assert asked["GET /api/1.0/tasks"] == asked["GET /api/1.0/events"] == len(asana.of("project"))
    assert sum(asked.values()) <= asked["GET /api/1.0/tasks/{task_gid}/subtasks"] + 8 * len(asana.of("project"))
    assert sandbox.requests()["round_trips"] < sum(asked.values()) / 2


def test_people_who_may_not_be_listed_are_unobserved(sandbox: Sandbox) -> None:
    asana = after_a_first_pull(sandbox)
    before = dict(asana.of("person"))
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": "/users$"}})
    asana.pull(full=True)
    assert set(asana.unobserved) == {"people"}
    assert asana.of("person") == before
    assert pulled(asana) == truth(sandbox).scopes()


def test_the_portfolios_in_a_portfolio_are_in_scope_with_it(sandbox: Sandbox) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    first, second = [item["gid"] for item in sandbox.asana("GET", "projects")["data"]][:2]
    inside, line = first, []
    for name in ("Inner", "Middle", "Outer"):
        data = {"workspace": workspace, "name": name, "color": "light-green"}
        line.append(sandbox.asana("POST", "portfolios", {"data": data})["data"]["gid"])
        sandbox.asana("POST", f"portfolios/{line[-1]}/addItem", {"data": {"item": inside}})
        inside = line[-1]
    sandbox.asana("POST", f"portfolios/{line[-1]}/addItem", {"data": {"item": second}})
    asana = client(sandbox)
    asana.pull(Scope(portfolios=(line[-1],)))
    assert set(asana.of("project")) == {first, second}
    assert not asana.unobserved


def test_a_type_of_task_that_nobody_knows_yet_is_a_task_all_the_same(sandbox: Sandbox) -> None:
    asana = after_a_first_pull(sandbox)
    task = next(r for r in asana.of("task").values() if not r.values["parent"])
    sandbox.control("POST", "asana", {"set_subtype": {"task": task.id, "resource_subtype": "wish"}})
    asana.pull(full=True)
    assert asana.of("task")[task.id].values["resource_subtype"] == Choice("wish", "wish")
    assert not asana.unobserved


def test_a_row_of_a_project_is_read_with_the_types_of_its_fields() -> None:
    given = {
        "gid": "1", "name": "Move", "owner": {"gid": "4", "name": "Ann"}, "start_on": "2026-01-05",
        "due_on": None, "archived": False, "completed": True,
    }  # fmt: skip
    assert decode.project(given, {}).values == {
        "name": "Move", "owner": Person("4", "Ann"), "start_on": dt.date(2026, 1, 5), "due_on": None,
        "archived": False, "completed": True,
    }  # fmt: skip
    assert decode.project({"gid": "1", "name": "Move", "owner": None}, {}).values["owner"] is None
