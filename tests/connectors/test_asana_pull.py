"""Pulling from Asana: complete, then only what changed; and what is said when something could not be read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.conftest import Sandbox

from pmosync import mapping as mappings
from pmosync.contract import Choice, Reference, Scope
from pmosync.errors import Misconfigured, Refused, Unauthorized, Unavailable, Unreadable

from .asana_kit import Client, after_a_first_pull, client, pulled, truth


@pytest.fixture
def asana(sandbox: Sandbox) -> Client:
    """A client that has pulled everything once."""
    return after_a_first_pull(sandbox)


def project_of(asana: Client, name: str) -> str:
    return next(gid for gid, record in asana.of("project").items() if record.values["name"] == name)


def parents(asana: Client) -> set[str]:
    """The tasks that have subtasks."""
    above = (record.values["parent"] for record in asana.of("task").values())
    return {parent.id for parent in above if isinstance(parent, Reference)}


def test_a_first_pull_brings_every_task_at_any_depth_with_all_its_projects(sandbox: Sandbox, asana: Client) -> None:
    there = truth(sandbox)
    assert pulled(asana) == there.scopes()
    assert any(len(scopes) > 1 for scopes in pulled(asana).values())
    by_gid = {task["gid"]: task for task in there.tables["asana_task"]}
    depths = [1 for gid in pulled(asana) if (up := by_gid[gid]["parent"]) and by_gid[up]["parent"]]
    assert depths
    assert any(task["is_separator"] for task in there.tables["asana_task"])
    assert not asana.unobserved


def test_a_subtask_in_a_project_of_its_own_has_its_parents_projects_too(sandbox: Sandbox) -> None:
    asana = client(sandbox)
    asana.pull()
    child = next(record for record in asana.of("task").values() if record.values["parent"])
    others = [gid for gid in asana.of("project") if f"project:{gid}" not in child.scopes]
    sandbox.asana("POST", f"tasks/{child.id}/addProject", {"data": {"project": others[0]}})
    asana.pull(full=True)
    assert set(asana.of("task")[child.id].scopes) == {*child.scopes, f"project:{others[0]}"}
    assert pulled(asana) == truth(sandbox).scopes()


def test_values_have_the_types_of_their_fields(asana: Client) -> None:
    names = {info.name: info.id for info in asana.connector.describe().fields}
    tasks = asana.of("task").values()
    assert {"Stage", "Priority", "Estimated time"} <= set(names)
    assert {record.values["resource_subtype"].id for record in tasks} == {"default_task", "milestone", "approval"}  # type: ignore[union-attr]
    assert any(isinstance(record.values[names["Stage"]], Choice) for record in tasks)
    estimates = [record.values.get(names["Estimated time"]) for record in tasks]
    assert {found.seconds % 3600 for found in estimates if found} == {0.0}  # type: ignore[union-attr]
    assert {type(record.values["due_on"]) for record in tasks} == {dt.date, type(None)}
    assert all(record.values["created_at"].tzinfo is dt.UTC for record in tasks)  # type: ignore[union-attr]
    assert any(isinstance(record.values["parent"], Reference) for record in tasks)
    assert {record.values["section"].name for record in tasks if record.values["section"]} == {  # type: ignore[union-attr]
        "To do", "In progress", "Waiting", "Done",
    }  # fmt: skip


def test_a_description_is_read_only_where_a_mapping_names_it(sandbox: Sandbox, asana: Client, tmp_path: Path) -> None:
    assert not any("notes" in record.values for record in asana.of("task").values())
    scope = Scope(fields=("name", "notes"))
    asana.pull(scope, full=True)
    told = {gid: record.values["notes"] for gid, record in asana.of("task").items()}
    assert {gid: notes or "" for gid, notes in told.items()} == {
        task["gid"]: task["notes"] for task in truth(sandbox).tables["asana_task"] if task["gid"] in told
    }
    assert {type(notes) for notes in told.values()} == {str, type(None)}, "some have one, and some have none"
    child = next(record for record in asana.of("task").values() if record.values["parent"])
    sandbox.asana("PUT", f"tasks/{child.id}", {"data": {"notes": "Bring the forms."}}, token="person-1")
    asana.pull(scope)
    found = asana.of("task")[child.id]
    assert found.values["notes"] == "Bring the forms."
    path = tmp_path / "asana.yaml"
    path.write_text("site: asana\ntask: {title: name, status: {field: completed}, description: notes}\n", "utf-8")
    mapping = mappings.resolve(mappings.load(path, None), asana.connector.describe())
    row = mapping.read_task(found, dt.UTC)  # type: ignore[arg-type]
    assert row is not None
    assert row.values["description_chars"] == len("Bring the forms.")
    assert "description_chars" in row.offered


def test_a_percentage_is_the_number_that_people_see(sandbox: Sandbox, asana: Client) -> None:
    given = {"name": "% complete", "resource_subtype": "number", "format": "percentage", "precision": 0}
    field = sandbox.asana("POST", "custom_fields", {"data": given | {"workspace": "1200000000000001"}})["data"]["gid"]
    task = next(record for record in asana.of("task").values() if not record.values["parent"])
    project = task.scopes[0].removeprefix("project:")
    sandbox.asana("POST", f"projects/{project}/addCustomFieldSetting", {"data": {"custom_field": field}})
    stored = sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"custom_fields": {field: 0.29}}}, token="person-1")
    shown = {entry["gid"]: entry["display_value"] for entry in stored["data"]["custom_fields"]}
    asana.pull()
    assert (shown[field], asana.of("task")[task.id].values[field]) == ("29%", 29.0)


def test_dependencies_are_told_from_both_sides(asana: Client) -> None:
    tasks = asana.of("task")
    waits = {(gid, link.other) for gid, t in tasks.items() for link in t.values["dependencies"]}  # type: ignore[union-attr]
    holds = {(link.other, gid) for gid, t in tasks.items() for link in t.values["dependents"]}  # type: ignore[union-attr]
    assert waits
    assert waits == holds


def test_people_come_with_whether_they_are_still_active(asana: Client) -> None:
    people = asana.of("person").values()
    assert sum(record.values["active"] is False for record in people) == 3
    assert all("@" in str(record.values["email"]) for record in people)


def test_a_quiet_cycle_costs_one_list_and_one_call_per_project(sandbox: Sandbox, asana: Client) -> None:
    sandbox.forget_requests()
    batches = asana.pull()
    asked = sandbox.requests()
    assert asked["total"] == 1 + len(asana.of("project"))
    assert asked["writes"] == 0
    assert [(batch.state, batch.records, batch.gone) for batch in batches] == [("observed", [], [])]


def test_a_changed_task_costs_one_read_more(sandbox: Sandbox, asana: Client) -> None:
    task = next(record for record in asana.of("task").values() if record.values["parent"])
    sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"name": "Renamed"}}, token="person-1")
    sandbox.forget_requests()
    asana.pull()
    assert sandbox.requests()["total"] == 1 + len(asana.of("project")) + 1
    assert asana.of("task")[task.id].values["name"] == "Renamed"
    assert asana.of("task")[task.id].scopes == task.scopes


def test_after_many_changes_the_store_is_what_a_new_pull_brings(sandbox: Sandbox, asana: Client) -> None:
    first, second = list(asana.of("project"))[:2]
    roots = [r for r in asana.of("task").values() if r.scopes == (f"project:{first}",) and not r.values["parent"]]
    family = next(root for root in roots if root.id in parents(asana))
    tell = {"token": "person-1"}
    new = sandbox.asana("POST", "tasks", {"data": {"name": "New", "projects": [first]}}, **tell)["data"]["gid"]
    child = sandbox.asana("POST", f"tasks/{new}/subtasks", {"data": {"name": "Child"}}, **tell)["data"]["gid"]
    sandbox.asana("POST", f"tasks/{child}/subtasks", {"data": {"name": "Grandchild"}}, **tell)
    sandbox.asana("POST", f"tasks/{family.id}/addProject", {"data": {"project": second}}, **tell)
    free = next(r for r in roots if not (r.values["dependencies"] or r.values["dependents"] or r.id in parents(asana)))
    roots.remove(free)
    sandbox.asana("DELETE", f"tasks/{free.id}", **tell)
    sandbox.asana("POST", f"tasks/{roots[-1].id}/setParent", {"data": {"parent": new}}, **tell)
    sandbox.asana("POST", f"tasks/{new}/addDependencies", {"data": {"dependencies": [roots[-2].id]}}, **tell)
    sandbox.asana("PUT", f"tasks/{roots[-2].id}", {"data": {"completed": True}}, **tell)
    asana.pull()
    fresh = client(sandbox)
    fresh.pull()
    assert asana.of("task") == fresh.of("task")
    assert set(asana.named("Grandchild").scopes) == {f"project:{first}"}
    child = next(r for r in fresh.of("task").values() if r.values["parent"] == Reference("task", family.id))
    sandbox.asana("PUT", f"tasks/{child.id}", {"data": {"name": "Below two projects"}}, **tell)
    asana.pull()
    assert set(asana.named("Below two projects").scopes) == {f"project:{first}", f"project:{second}"}


def test_what_we_write_ourselves_is_no_change(sandbox: Sandbox, asana: Client) -> None:
    task = next(iter(asana.of("task").values()))
    sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"due_on": "2031-01-01"}})
    sandbox.forget_requests()
    assert [batch.records for batch in asana.pull()] == [[]]
    assert sandbox.requests()["total"] == 1 + len(asana.of("project"))


def test_a_task_taken_out_of_the_last_project_is_gone_with_its_subtasks(sandbox: Sandbox, asana: Client) -> None:
    tasks = asana.of("task")
    root = next(r for r in tasks.values() if r.id in parents(asana) and not r.values["parent"] and len(r.scopes) == 1)
    below = {gid for gid, record in tasks.items() if record.values["parent"] == Reference("task", root.id)}
    project = root.scopes[0].removeprefix("project:")
    sandbox.asana("POST", f"tasks/{root.id}/removeProject", {"data": {"project": project}}, token="person-1")
    asana.pull()
    assert below
    assert not ({root.id} | below) & set(asana.of("task"))


def test_a_deleted_task_is_gone_without_a_read(sandbox: Sandbox, asana: Client) -> None:
    task = next(r for r in asana.of("task").values() if r.id not in parents(asana))
    sandbox.asana("DELETE", f"tasks/{task.id}", token="person-1")
    sandbox.forget_requests()
    (batch,) = asana.pull()
    assert ("task", task.id) in batch.gone
    assert sandbox.requests()["total"] == 1 + len(asana.of("project"))


def test_a_project_with_a_token_too_old_starts_over_in_the_same_pull(sandbox: Sandbox, asana: Client) -> None:
    task = next(iter(asana.of("task").values()))
    sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"name": "Renamed"}}, token="person-1")
    sandbox.fault({"kind": "expired_sync", "times": 1, "match": {"path": "/events"}})
    batches = asana.pull()
    assert [batch.state for batch in batches] == ["observed", "complete"]
    sandbox.heal()
    asana.pull()
    assert asana.of("task")[task.id].values["name"] == "Renamed"
    assert pulled(asana) == truth(sandbox).scopes()


@pytest.mark.parametrize("kind", ["forbidden", "missing"])
def test_a_project_that_is_refused_is_unobserved_and_the_others_go_on(
    sandbox: Sandbox, asana: Client, kind: str
) -> None:
    refused, other = list(asana.of("project"))[:2]
    before = pulled(asana)
    mine = [r for r in asana.of("task").values() if not r.values["parent"]]
    hidden, seen = (next(r for r in mine if r.scopes == (f"project:{gid}",)) for gid in (refused, other))
    for task in (hidden, seen):
        sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"name": "Renamed"}}, token="person-1")
    sandbox.fault({"kind": kind, "project": refused})
    asana.pull()
    assert set(asana.unobserved) == {f"project:{refused}"}
    assert pulled(asana) == before
    names = [asana.of("task")[task.id].values["name"] for task in (hidden, seen)]
    assert names == [hidden.values["name"], "Renamed"]
    sandbox.heal()
    asana.pull()
    assert not asana.unobserved
    assert asana.of("task")[hidden.id].values["name"] == "Renamed"


def test_a_task_that_does_not_answer_stays_when_its_project_does_not_either(sandbox: Sandbox, asana: Client) -> None:
    task = next(r for r in asana.of("task").values() if len(r.scopes) == 1)
    project = task.scopes[0].removeprefix("project:")
    sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"name": "Renamed"}}, token="person-1")
    sandbox.fault(
        {"kind": "status", "status": 404, "match": {"path": r"/tasks/\d+$"}},
        {"kind": "missing", "project": project, "match": {"path": "/projects/"}},
    )
    asana.pull()
    assert task.id in asana.of("task")
    assert set(asana.unobserved) == {f"project:{project}"}


def test_a_first_pull_says_which_project_it_could_not_read(sandbox: Sandbox) -> None:
    asana = client(sandbox)
    project = sandbox.asana("GET", "projects")["data"][0]["gid"]
    sandbox.fault({"kind": "forbidden", "project": project})
    asana.pull()
    assert set(asana.unobserved) == {f"project:{project}"}
    assert project in asana.of("project")
    sandbox.heal()
    asana.pull()
    assert pulled(asana) == truth(sandbox).scopes()


@pytest.mark.parametrize("kind", ["repeat_token", "empty_page"])
def test_a_list_that_is_not_read_to_its_end_proves_nothing(
    sandbox: Sandbox, asana: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("pmosync_asana.api.PAGE", 20)
    before = pulled(asana)
    sandbox.fault({"kind": kind, "match": {"path": "/tasks$"}})
    batches = asana.pull(full=True)
    assert not [batch for batch in batches if batch.state == "complete" and "task" in batch.kinds]
    assert set(asana.unobserved) == {f"project:{gid}" for gid in asana.of("project")}
    assert pulled(asana) == before


def test_a_list_of_projects_that_makes_no_sense_is_trouble_with_the_site(sandbox: Sandbox, asana: Client) -> None:
    sandbox.fault({"kind": "empty_page", "match": {"path": "/projects$"}})
    with pytest.raises(Unreadable, match="empty page"):
        asana.pull()


def test_a_list_whose_offset_expired_is_begun_again(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pmosync_asana.api.PAGE", 20)
    sandbox.fault({"kind": "expired_offset", "times": 2, "after": 3, "match": {"tool": "asana", "path": "/tasks$"}})
    asana = client(sandbox)
    asana.pull()
    assert not asana.unobserved
    assert pulled(asana) == truth(sandbox).scopes()


def test_wrong_credentials_are_told_at_once_and_never_with_the_token(sandbox: Sandbox) -> None:
    asana = client(sandbox, token="not-a-token-at-all")
    with pytest.raises(Unauthorized) as caught:
        asana.pull()
    assert "not-a-token-at-all" not in str(caught.value)
    assert sum(asana.calls().values()) == 1


def lose_events(sandbox: Sandbox) -> None:
    """From now on no stream tells of anything."""
    sandbox.control("POST", "switches", {"event_delay_s": "8640000"})


def test_a_sweep_finds_what_the_stream_did_not_tell(sandbox: Sandbox) -> None:
    asana = after_a_first_pull(sandbox, repair="off")
    mine = [r for r in asana.of("task").values() if not r.values["parent"] and len(r.scopes) == 1]
    task = mine[0]
    lose_events(sandbox)
    sandbox.asana("PUT", f"tasks/{task.id}", {"data": {"name": "Renamed"}}, token="person-1")
    project = task.scopes[0].removeprefix("project:")
    new = sandbox.asana("POST", "tasks", {"data": {"name": "New", "projects": [project]}}, token="person-1")["data"]
    sandbox.asana("POST", f"tasks/{new['gid']}/subtasks", {"data": {"name": "Below new"}}, token="person-1")
    asana.now[0] += dt.timedelta(minutes=50)
    asana.pull()
    assert asana.of("task")[task.id].values["name"] == task.values["name"]
    asana.now[0] += dt.timedelta(minutes=20)
    sandbox.forget_requests()
    asana.pull()
    assert asana.of("task")[task.id].values["name"] == "Renamed"
    assert pulled(asana) == truth(sandbox).scopes()
    asked = sandbox.requests()["by_endpoint"]
    assert asked["GET /api/1.0/tasks"] == len(asana.of("project"))
    assert asked["GET /api/1.0/tasks/{task_gid}"] == 2
    sandbox.forget_requests()
    asana.pull()
    assert "GET /api/1.0/tasks" not in sandbox.requests()["by_endpoint"]


def test_once_an_hour_each_persons_changed_tasks_are_asked_for_and_subtasks_are_among_them(
    sandbox: Sandbox, asana: Client
) -> None:
    child = next(r for r in asana.of("task").values() if r.values["parent"] and r.values["assignee"])
    lose_events(sandbox)
    sandbox.asana("PUT", f"tasks/{child.id}", {"data": {"name": "Renamed"}}, token="person-1")
    asana.pull()
    assert asana.of("task")[child.id].values["name"] == child.values["name"]
    asana.now[0] += dt.timedelta(minutes=61)
    asana.pull()
    assert asana.of("task")[child.id].values["name"] == "Renamed"
    assert asana.of("task")[child.id].scopes == child.scopes
    sandbox.forget_requests()
    asana.pull()
    assert sandbox.requests()["total"] == 1 + len(asana.of("project"))


def test_what_people_do_outside_our_projects_is_not_read(sandbox: Sandbox) -> None:
    asana = client(sandbox)
    first = sandbox.asana("GET", "projects")["data"][0]["gid"]
    asana.pull(Scope(projects=(first,)))
    people = {r.values["assignee"].id for r in asana.of("task").values() if r.values["assignee"]}  # type: ignore[union-attr]
    before = dict(asana.of("task"))
    lose_events(sandbox)
    elsewhere = next(
        task["gid"] for task in sandbox.state()["asana_task"]
        if task["assignee"] in people and task["gid"] not in before and not task["trashed"] and not task["is_separator"]
    )  # fmt: skip
    sandbox.asana("PUT", f"tasks/{elsewhere}", {"data": {"name": "Renamed"}})
    asana.now[0] += dt.timedelta(minutes=61)
    sandbox.forget_requests()
    asana.pull(Scope(projects=(first,)))
    asked = sandbox.requests()["by_endpoint"]
    assert asked["GET /api/1.0/tasks"] == len(people) + 1
    assert "GET /api/1.0/tasks/{task_gid}" not in asked
    assert asana.of("task") == before


def test_nesting_deeper_than_one_answer_shows_keeps_its_projects(sandbox: Sandbox, asana: Client) -> None:
    first, second = list(asana.of("project"))[:2]
    tell = {"token": "person-1"}
    above = sandbox.asana("POST", "tasks", {"data": {"name": "0", "projects": [first]}}, **tell)["data"]["gid"]
    line = [above]
    for depth in range(1, 15):
        made = sandbox.asana("POST", f"tasks/{line[-1]}/subtasks", {"data": {"name": str(depth)}}, **tell)
        line.append(made["data"]["gid"])
    asana.pull()
    sandbox.asana("POST", f"tasks/{line[-1]}/addProject", {"data": {"project": second}}, **tell)
    asana.pull()
    both = {f"project:{first}", f"project:{second}"}
    assert set(asana.of("task")[line[-1]].scopes) == both
    fresh = client(sandbox)
    fresh.pull()
    assert pulled(asana) == pulled(fresh) == truth(sandbox).scopes()
    assert set(fresh.of("task")[line[-1]].scopes) == both


@pytest.mark.parametrize("status", [400, 504])
def test_a_list_of_tasks_that_asana_does_not_bring_forth_is_read_by_section(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("pmosync_asana.api.PAGE", 20)
    asana = client(sandbox)
    project = sandbox.asana("GET", "projects")["data"][0]["gid"]
    real = asana.session.call

    def call(method: str, path: str, **given: object) -> object:
        params = given.get("params") or {}
        if path == "/tasks" and params.get("project") == project and (status == 504 or "offset" in params):  # type: ignore[attr-defined]
            if status == 504:
                raise Unavailable("GET /tasks: 504")
            raise Refused("GET /tasks: the result is too large", 400)
        return real(method, path, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(asana.session, "call", call)
    asana.pull()
    assert not asana.unobserved
    assert pulled(asana) == truth(sandbox).scopes()
    assert asana.calls()["GET /projects/{project_gid}/sections"] == 1


def test_what_became_of_tasks_that_no_list_had(sandbox: Sandbox, asana: Client) -> None:
    free = [r for r in asana.of("task").values() if len(r.scopes) == 1 and not r.values["parent"]]
    first = free[0].scopes[0].removeprefix("project:")
    ours = [r.id for r in free if r.scopes == (f"project:{first}",)]
    elsewhere = next(r.id for r in free if r.scopes != (f"project:{first}",))
    archived = next(gid for gid in asana.of("project") if f"project:{gid}" not in free[0].scopes)
    stored = next(r.id for r in free if r.scopes == (f"project:{archived}",))
    tell = {"token": "person-1"}
    sandbox.asana("DELETE", f"tasks/{ours[0]}", **tell)
    scope = Scope(projects=(first,))
    found = asana.connector.whereabouts(scope, [ours[0], ours[1], elsewhere])
    assert found == {ours[0]: "hidden", ours[1]: "there", elsewhere: "moved"}
    sandbox.asana("PUT", f"projects/{archived}", {"data": {"archived": True}})
    assert asana.connector.whereabouts(Scope(), [stored]) == {stored: "archived"}


def test_an_option_that_somebody_renames_is_noticed_within_the_hour(sandbox: Sandbox, asana: Client) -> None:
    info = next(f for f in asana.connector.describe().fields if f.name == "Stage" and f.subject == "task")
    scope = Scope(fields=(info.id,))
    asana.pull(scope, full=True)
    option = info.options[0]
    sandbox.asana("PUT", f"enum_options/{option.id}", {"data": {"name": "Called otherwise"}}, token="person-1")
    asana.pull(scope)
    asana.now[0] += dt.timedelta(minutes=61)
    asana.pull(scope)
    names = {r.values[info.id].name for r in asana.of("task").values() if r.values.get(info.id)}  # type: ignore[union-attr]
    assert "Called otherwise" in names
    assert option.name not in names


def test_an_archived_project_leaves_the_scope(sandbox: Sandbox, asana: Client) -> None:
    project = next(iter(asana.of("project")))
    sandbox.asana("PUT", f"projects/{project}", {"data": {"archived": True}})
    asana.pull()
    assert project not in asana.of("project")
    assert not asana.unobserved
    asana.calls()
    asana.pull()
    assert asana.calls() == {"GET /projects": 1, "POST /batch": 1}


def test_a_project_that_is_not_listed_any_more_and_does_not_answer_is_unobserved(
    sandbox: Sandbox, asana: Client
) -> None:
    project = next(iter(asana.of("project")))
    before = pulled(asana)
    sandbox.asana("PUT", f"projects/{project}", {"data": {"archived": True}})
    sandbox.fault({"kind": "missing", "project": project})
    asana.pull()
    assert set(asana.unobserved) == {f"project:{project}"}
    assert project in asana.of("project")
    assert pulled(asana) == before


def test_a_portfolio_in_scope_is_listed_once_an_hour(sandbox: Sandbox, asana: Client) -> None:
    workspace = sandbox.asana("GET", "workspaces")["data"][0]["gid"]
    portfolio = sandbox.asana("GET", "portfolios", workspace=workspace, owner="me")["data"][0]["gid"]
    scope = Scope(portfolios=(portfolio,))
    asana.pull(scope, full=True)
    asana.calls()
    asana.pull(scope)
    assert asana.calls() == {"GET /projects": 1, "POST /batch": 1}
    hour = dt.timedelta(minutes=61)
    asana.now[0] += hour
    asana.pull(scope)
    assert asana.calls()["GET /portfolios/{portfolio_gid}/items"] == 1
    sandbox.fault({"kind": "status", "status": 404, "match": {"path": "/portfolios/"}})
    before = pulled(asana)
    asana.now[0] += hour
    asana.pull(scope)
    assert set(asana.unobserved) == {f"portfolio:{portfolio}", *(f"project:{gid}" for gid in asana.of("project"))}
    sandbox.heal()
    asana.now[0] += hour
    asana.pull(scope)
    assert not asana.unobserved
    assert pulled(asana) == before


def test_named_projects_are_pulled_alone_and_one_that_is_not_there_is_told(sandbox: Sandbox) -> None:
    asana = client(sandbox)
    first, second = [item["gid"] for item in sandbox.asana("GET", "projects")["data"]][:2]
    asana.pull(Scope(projects=(first, second, "1202999999999999")))
    assert set(asana.of("project")) == {first, second}
    assert set(asana.unobserved) == {"project:1202999999999999"}
    mine = {f"project:{first}", f"project:{second}"}
    assert pulled(asana) == {gid: seen & mine for gid, seen in truth(sandbox).scopes().items() if seen & mine}


def test_a_name_in_place_of_a_gid_is_refused_with_the_next_step(sandbox: Sandbox) -> None:
    with pytest.raises(Misconfigured, match="'Brand refresh' is not the gid"):
        client(sandbox).pull(Scope(projects=("Brand refresh",)))


def test_a_session_that_may_only_read_can_pull_everything(sandbox: Sandbox) -> None:
    asana = client(sandbox, read_only=True)
    asana.pull()
    assert pulled(asana) == truth(sandbox).scopes()
    assert sandbox.requests()["writes"] == 0


def test_a_workspace_that_the_account_does_not_see_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Misconfigured, match="does not see workspace 42"):
        client(sandbox, workspace="42").pull()
