"""Tasks of the sandbox's Asana are found by search, by person, section and tag, as deep as they lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pmosync.sandbox.asana.tables import WORKSPACE

from .asana_site import Sent, Site, disagreements, small_site

SEARCH = f"/workspaces/{WORKSPACE}/tasks/search"


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _found(site: Site, token: str = "bot", **query: Any) -> list[str]:
    filters = {name.replace("__", "."): value for name, value in query.items()}
    return [task["name"] for task in site.get(SEARCH, token, **filters)]


def test_a_search_filters_by_place_person_time_and_ties_and_leaves_out_what_cannot_be_seen(site: Site) -> None:
    gids, tasks = site.gids, site.gids["tasks"]
    everything = {f"Task {n}" for n in range(5)} | {"Child", "Grandchild"}
    assert set(_found(site)) == everything
    assert set(_found(site, "ann")) == everything | {"Hidden"}
    site.control("POST", "clock", {"advance_s": 60})
    site.write("PUT", f"/tasks/{tasks[3]}", name="Carry the piano", completed=True)
    site.write("PUT", f"/tasks/{tasks[2]}", custom_fields={gids["stage"]: gids["stages"]["Doing"]}, assignee=None)
    site.write("POST", f"/tasks/{tasks[1]}/addDependencies", dependencies=[tasks[0]])
    site.write("POST", f"/tasks/{tasks[4]}/addTag", tag=gids["tag"])
    assert set(_found(site, modified_at__after="2026-03-01T00:00:00Z")) == everything - {
        "Child", "Grandchild", "Task 3"} | {"Carry the piano"}  # fmt: skip
    assert _found(site, text="PIANO") == _found(site, completed="true") == ["Carry the piano"]
    assert set(_found(site, is_subtask="true")) == {"Child", "Grandchild"}
    assert _found(site, is_blocked="true") == ["Task 1"]
    assert _found(site, is_blocking="true") == ["Task 0"]
    assert _found(site, tags__any=gids["tag"]) == ["Task 4"]
    assert _found(site, **{f"custom_fields__{gids['stage']}__value": gids["stages"]["Doing"]}) == ["Task 2"]
    assert len(_found(site, projects__any=gids["project"])) == len(_found(site, portfolios__any=gids["portfolio"])) == 5
    assert len(_found(site, assignee__any="ann@acme.example", due_on__before="2026-03-10")) == 4
    assert set(_found(site, assignee__not=gids["ann"])) == {"Task 2", "Child", "Grandchild"}
    assert len(_found(site, due_on="null", resource_subtype="default_task")) == 2


def test_a_search_is_one_page_sorted_as_asked_and_its_index_is_behind_as_the_switch_says(site: Site) -> None:
    newest = _found(site, sort_by="created_at", limit=1)
    assert newest == ["Grandchild"]
    assert _found(site, sort_by="created_at", sort_ascending="true", limit=2) == ["Task 0", "Task 1"]
    for wrong in ({"limit": 101}, {"sort_by": "name"}):
        assert site.call("GET", SEARCH, query=wrong).status_code == 400
    assert "next_page" not in site.call("GET", SEARCH, query={"limit": 1}).json()
    site.control("POST", "asana", {"search_lag_s": 30})
    site.write("PUT", f"/tasks/{site.gids['tasks'][0]}", name="Changed")
    assert len(_found(site)) == 6
    site.control("POST", "clock", {"advance_s": 31})
    assert "Changed" in _found(site)
    site.control("POST", "asana", {"premium": "no"})
    assert site.call("GET", SEARCH).status_code == 402


def test_the_tasks_of_a_person_include_subtasks_and_only_what_changed_since(site: Site) -> None:
    gids = site.gids
    of_ann = {"assignee": gids["ann"], "workspace": WORKSPACE}
    assert len(site.get("/tasks", **of_ann)) == 5
    site.control("POST", "clock", {"advance_s": 60})
    site.write("PUT", f"/tasks/{gids['grandchild']}", assignee=gids["ann"])
    changed = site.get("/tasks", **of_ann, modified_since="2026-03-01T00:00:00Z")
    assert [task["gid"] for task in changed] == [gids["grandchild"]]
    assert site.get("/tasks", assignee=gids["bob"], workspace=WORKSPACE) == []
    for wrong in ({"assignee": gids["ann"]}, of_ann | {"project": gids["project"]}, {"workspace": WORKSPACE}):
        assert site.call("GET", "/tasks", query=wrong).status_code == 400
    assert len(site.get("/tasks", section=gids["todo"])) == 5
    site.write("POST", f"/tasks/{gids['child']}/addTag", tag=gids["tag"])
    assert [task["gid"] for task in site.get("/tasks", tag=gids["tag"])] == [gids["child"]]


def test_subtasks_lie_deep_and_are_many_and_come_in_pages(site: Site) -> None:
    parent, made_at = site.gids["tasks"][0], "2026-02-10T08:00:00+00:00"
    deep = {"parent": parent, "number": 1, "depth": 8, "created_at": made_at}
    line = site.control("POST", "asana", {"add_subtasks": deep})["add_subtasks"]
    wide = {"parent": line[-1], "number": 1200, "created_at": made_at}
    assert len(site.control("POST", "asana", {"add_subtasks": wide})["add_subtasks"]) == 1200
    assert site.get(f"/tasks/{line[-1]}", opt_fields="num_subtasks")["num_subtasks"] == 1200
    path, query, seen = f"/tasks/{line[-1]}/subtasks", {"limit": 100}, set()
    assert site.call("GET", path).status_code == 400
    for pages in range(1, 13):
        answer = site.call("GET", path, query=query).json()
        seen |= {task["gid"] for task in answer["data"]}
        query["offset"] = (answer["next_page"] or {}).get("offset")
        assert (query["offset"] is None) == (pages == 12)
    assert len(seen) == 1200
    sync = site.sync(site.gids["project"])
    site.write("PUT", f"/tasks/{min(seen)}", completed=True)
    heard = site.events(site.gids["project"], sync)["data"]
    assert {event["resource"]["gid"] for event in heard if event["type"] == "task"} == {min(seen)}
    site.call("DELETE", f"/tasks/{line[0]}")
    assert site.call("GET", f"/tasks/{max(seen)}").status_code == 404
    site.control("POST", "asana", {"restore_task": {"task": line[0]}})
    assert site.get(f"/tasks/{max(seen)}")["parent"]["gid"] == line[-1]


def test_what_is_not_documented_about_days_and_subtasks_is_answered_either_way(site: Site) -> None:
    gids = site.gids
    task, child = f"/tasks/{gids['tasks'][0]}", f"/tasks/{gids['grandchild']}"
    site.write("PUT", task, due_at="2026-03-20T15:00:00.000Z")
    site.control("POST", "asana", {"add_subtasks": {"parent": gids["child"], "number": 1, "created_at": "2026-02-10"}})
    days, places = "due_on,due_at", "projects,memberships.project,memberships.section"
    assert site.get(task, opt_fields=days)["due_on"] == "2026-03-20"
    assert site.get(child, opt_fields=places) == {"gid": gids["grandchild"], "projects": [], "memberships": []}
    site.control("POST", "switches", {"asana": {"due_on_with_due_at": "no", "subtask_projects": "yes"}})
    found = site.get(task, opt_fields=days)
    assert (found["due_on"], found["due_at"]) == (None, "2026-03-20T15:00:00.000Z")
    found = site.get(child, opt_fields=places)
    assert [project["gid"] for project in found["projects"]] == [gids["project"]]
    assert [place["section"]["gid"] for place in found["memberships"]] == [gids["todo"]]
    assert [place["gid"] for place in site.get(task, opt_fields="projects")["projects"]] == [gids["project"]]


@pytest.mark.shared
def test_searches_and_lists_agree_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    gids = site.gids
    fields = "opt_fields=name,modified_at,parent.name,memberships.project.name"
    since = "modified_since=2026-01-01T00:00:00.000Z"
    calls: list[Sent] = [
        ("GET", f"{SEARCH}?projects.any={gids['project']}&sort_by=created_at&sort_ascending=true&{fields}", None),
        ("GET", f"{SEARCH}?modified_at.after=2026-01-01T00:00:00.000Z&is_subtask=true&completed=false", None),
        ("GET", f"/tasks?assignee={gids['ann']}&workspace={WORKSPACE}&{since}&limit=2&{fields}", None),
        ("GET", f"/tasks?section={gids['todo']}&limit=2", None),
        ("GET", f"/tags/{gids['tag']}/tasks?limit=2", None),
        ("GET", f"/projects/{gids['project']}/task_counts?opt_fields=num_tasks,num_completed_milestones", None),
        ("DELETE", f"/portfolios/{gids['portfolio']}", None),
    ]
    assert disagreements(site, asana_spec, calls) == []
    assert site.call("GET", f"/portfolios/{gids['portfolio']}").status_code == 404
