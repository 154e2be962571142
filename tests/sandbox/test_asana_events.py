"""The sandbox's Asana tells what happened since a token, and runs ten actions in one call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .asana_site import Site, small_site


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def test_the_first_call_is_a_412_whose_token_hears_what_comes_after(site: Site) -> None:
    project = site.gids["project"]
    site.write("PUT", f"/tasks/{site.gids['tasks'][0]}", name="Before")
    token = site.sync(project)
    assert site.events(project, token)["data"] == []
    site.write("PUT", f"/tasks/{site.gids['tasks'][1]}", name="After")
    body = site.events(project, token)
    assert [(e["type"], e["action"], e["resource"]["gid"]) for e in body["data"] if e["type"] == "task"] == [
        ("task", "changed", site.gids["tasks"][1])
    ]
    assert body["has_more"] is False
    assert site.events(project, body["sync"])["data"] == []


def test_a_subtasks_change_and_its_comment_reach_the_project_and_every_parent(site: Site) -> None:
    listeners = [site.gids["project"], site.gids["tasks"][0], site.gids["child"], site.gids["grandchild"]]
    tokens = {gid: site.sync(gid) for gid in listeners}
    other = site.sync(site.gids["tasks"][1])
    site.write("POST", f"/tasks/{site.gids['grandchild']}/stories", text="Hello")
    for gid, token in tokens.items():
        found = site.events(gid, token)["data"]
        assert [(e["type"], e["action"], e["parent"]["gid"]) for e in found] == [
            ("story", "added", site.gids["grandchild"])
        ]
    assert site.events(site.gids["tasks"][1], other)["data"] == []


def test_a_written_field_makes_an_event_of_the_task_and_one_of_its_story_with_the_writer(site: Site) -> None:
    gids = site.gids
    token = site.sync(gids["project"])
    site.write("PUT", f"/tasks/{gids['tasks'][0]}", custom_fields={gids["stage"]: gids["stages"]["Doing"]})
    found = site.events(gids["project"], token)["data"]
    assert [(e["type"], e["action"]) for e in found] == [("task", "changed"), ("story", "added")]
    assert found[0]["change"]["field"] == "custom_fields"
    assert {e["user"]["gid"] for e in found} == {gids["bot"]}


def test_more_than_a_hundred_events_come_in_parts(site: Site) -> None:
    project, task = site.gids["project"], f"/tasks/{site.gids['tasks'][0]}"
    token = site.sync(project)
    for n in range(60):
        site.write("PUT", task, name=f"Name {n}")
    first = site.events(project, token)
    second = site.events(project, first["sync"])
    assert (len(first["data"]), first["has_more"]) == (100, True)
    assert (len(second["data"]), second["has_more"]) == (20, False)


def test_a_token_expires_after_a_day_and_the_412_brings_a_new_one(site: Site) -> None:
    project = site.gids["project"]
    token = site.sync(project)
    site.control("POST", "clock", {"advance_s": 24 * 3600 + 1})
    answer = site.call("GET", "/events", query={"resource": project, "sync": token})
    assert answer.status_code == 412
    assert site.events(project, answer.json()["sync"])["data"] == []


def test_a_token_of_another_resource_or_of_nobody_is_no_token(site: Site) -> None:
    token = site.sync(site.gids["tasks"][0])
    for sync in (token, "de4774f6915eae04714ca93bb2f5ee81"):
        answer = site.call("GET", "/events", query={"resource": site.gids["project"], "sync": sync})
        assert answer.status_code == 412


def test_deleting_removing_and_adding_a_task_are_told_to_the_project(site: Site) -> None:
    gids = site.gids
    token = site.sync(gids["project"])
    site.write("DELETE", f"/tasks/{gids['tasks'][0]}")
    site.write("POST", f"/tasks/{gids['tasks'][1]}/removeProject", project=gids["project"])
    made = site.write("POST", "/tasks", name="New", projects=[gids["project"]])["gid"]
    found = {(e["resource"]["gid"], e["action"]) for e in site.events(gids["project"], token)["data"]}
    assert {(gids["tasks"][0], "deleted"), (gids["child"], "deleted")} <= found
    assert {(gids["tasks"][1], "removed"), (made, "added")} <= found


def test_a_stream_that_runs_behind_tells_an_event_later_and_not_never(site: Site) -> None:
    project = site.gids["project"]
    token = site.sync(project)
    site.control("POST", "asana", {"event_delay_s": 60})
    site.write("PUT", f"/tasks/{site.gids['tasks'][0]}", name="Late news")
    body = site.events(project, token)
    assert body["data"] == []
    site.control("POST", "clock", {"advance_s": 61})
    assert len(site.events(project, body["sync"])["data"]) == 2


def test_a_batch_answers_each_action_by_itself_and_counts_each(site: Site) -> None:
    gids = site.gids
    site.control("DELETE", "requests")
    task = f"/tasks/{gids['tasks'][0]}"
    actions = [
        {"method": "get", "relative_path": task, "options": {"fields": ["name"]}},
        {"method": "put", "relative_path": task, "data": {"name": "By batch", "due_on": "never"}},
        {"method": "put", "relative_path": f"/tasks/{gids['tasks'][1]}", "data": {"name": "By batch"}},
        {"method": "get", "relative_path": "/tasks", "data": {"project": gids["project"]}, "options": {"limit": 2}},
    ]
    results = site.write("POST", "/batch", actions=actions)
    assert [result["status_code"] for result in results] == [200, 400, 200, 200]
    assert results[0]["body"]["data"] == {"gid": gids["tasks"][0], "name": "Task 0"}
    assert results[3]["body"]["next_page"]["path"].startswith("/tasks?")
    assert site.get(task)["name"] == "Task 0"
    counted = site.control("GET", "requests")
    assert (counted["reads"], counted["writes"]) == (3, 2)


@pytest.mark.parametrize(
    "actions",
    [
        [],
        [{"method": "GET", "relative_path": "/users/me"}] * 11,
        [{"method": "FETCH", "relative_path": "/users/me"}],
        [{"method": "GET"}],
    ],
)
def test_a_batch_that_is_empty_too_long_or_malformed_is_refused(site: Site, actions: list[object]) -> None:
    assert site.call("POST", "/batch", data={"actions": actions}).status_code == 400


def test_what_a_batch_cannot_do_is_refused_by_action_and_the_others_are_done(site: Site) -> None:
    task = f"/tasks/{site.gids['tasks'][0]}"
    actions = [
        {"method": "POST", "relative_path": "/batch", "data": {"actions": []}},
        {"method": "POST", "relative_path": f"{task}/attachments"},
        {"method": "GET", "relative_path": "/organization_exports/1"},
        {"method": "PATCH", "relative_path": task},
        {"method": "PUT", "relative_path": task, "data": {"name": "Done"}},
    ]
    results = site.write("POST", "/batch", actions=actions)
    assert [result["status_code"] for result in results] == [400, 400, 400, 405, 200]
    assert "batch API" in results[0]["body"]["errors"][0]["message"]


def test_nothing_depends_on_the_order_in_which_a_batch_is_carried_out(site: Site) -> None:
    site.control("POST", "switches", {"asana": {"batch_order": "reversed"}})
    task = f"/tasks/{site.gids['tasks'][0]}"
    actions = [{"method": "PUT", "relative_path": task, "data": {"name": name}} for name in ("First", "Second")]
    results = site.write("POST", "/batch", actions=actions)
    assert [result["body"]["data"]["name"] for result in results] == ["First", "Second"]
    assert site.get(task)["name"] == "First"
