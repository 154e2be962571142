"""What an account may change in the sandbox's Asana depends on its level, its seat and what was locked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmosync.sandbox.asana.tables import WORKSPACE

from .asana_site import Site, small_site


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _asked(site: Site, token: str) -> dict[str, int]:
    """What an account is answered that reads, comments, writes a field, customizes and deletes."""
    gids = site.gids
    task, project = f"/tasks/{gids['tasks'][0]}", f"/projects/{gids['project']}"
    spare = site.gids["estimate"]
    calls = {
        "read": ("GET", task, {}),
        "comment": ("POST", f"{task}/stories", {"text": "Hi"}),
        "write": ("PUT", task, {"custom_fields": {gids["stage"]: gids["stages"]["Doing"]}}),
        "report": ("POST", "/status_updates", {"parent": gids["project"], "status_type": "on_track", "text": "Fine"}),
        "customize": ("POST", f"{project}/removeCustomFieldSetting", {"custom_field": spare}),
        "delete": ("DELETE", project, {}),
    }
    return {
        name: site.call(method, path, token, **({"data": data} if method != "GET" else {})).status_code
        for name, (method, path, data) in calls.items()
    }


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        ("none", set()),
        ("viewer", {"read"}),
        ("commenter", {"read", "comment"}),
        ("editor", {"read", "comment", "write", "report", "customize"}),
        ("admin", {"read", "comment", "write", "report", "customize", "delete"}),
    ],
)
def test_a_level_in_a_project_says_what_may_be_done_there(site: Site, level: str, allowed: set[str]) -> None:
    site.control("POST", "asana", {"comment_follows": "no"})
    member = {"project": site.gids["project"], "user": "pmo-bot@acme.example", "access_level": level}
    private = {"project": site.gids["project"], "privacy": "private"}
    site.control("POST", "asana", {"set_member": member, "set_project": private})
    found = _asked(site, "bot")
    assert {name for name, status in found.items() if status < 300} == allowed
    assert {status for status in found.values() if status >= 300} <= {403}


def test_a_project_can_keep_its_fields_for_its_admins(site: Site) -> None:
    project, setting = site.gids["project"], f"/projects/{site.gids['project']}/addCustomFieldSetting"
    made = site.write("POST", "/custom_fields", workspace=WORKSPACE, name="PMO", resource_subtype="text")["gid"]
    site.control("POST", "asana", {"set_project": {"project": project, "customization": "admin"}})
    level = site.get(f"/projects/{project}", opt_fields="minimum_access_level_for_customization")
    assert level["minimum_access_level_for_customization"] == "admin"
    assert site.call("POST", setting, data={"custom_field": made}).status_code == 403
    assert site.call("POST", setting, "ann", data={"custom_field": made}).status_code == 200


def test_a_guest_sees_what_was_shared_and_neither_makes_nor_adds_fields(site: Site) -> None:
    gids = site.gids
    site.control("POST", "asana", {"set_user": {"user": gids["bot"], "guest": True}})
    field = {"workspace": WORKSPACE, "name": "PMO", "resource_subtype": "text"}
    assert site.call("POST", "/custom_fields", data=field).status_code == 403
    setting = f"/projects/{gids['project']}/addCustomFieldSetting"
    made = site.write("POST", "/custom_fields", "ann", **field)["gid"]
    assert site.call("POST", setting, data={"custom_field": made}).status_code == 403
    assert site.call("PUT", f"/tasks/{gids['tasks'][0]}", data={"name": "Shared"}).status_code == 200
    other = site.write("POST", f"/workspaces/{WORKSPACE}/projects", "ann", name="Public")["gid"]
    assert site.call("GET", f"/projects/{other}").status_code == 403
    assert other not in [one["gid"] for one in site.get("/projects", workspace=WORKSPACE)]


def test_a_seat_that_may_only_view_changes_nothing_not_even_by_batch(site: Site) -> None:
    site.control("POST", "asana", {"set_user": {"user": site.gids["ann"], "view_only": True}})
    before = site.control("GET", "state")
    found = _asked(site, "ann")
    assert {name for name, status in found.items() if status == 200} == {"read"}
    assert set(found.values()) == {200, 403}
    task = f"/tasks/{site.gids['tasks'][0]}"
    actions = [
        {"method": "GET", "relative_path": task},
        {"method": "PUT", "relative_path": task, "data": {"name": "No"}},
    ]
    results = site.write("POST", "/batch", "ann", actions=actions)
    assert [result["status_code"] for result in results] == [200, 403]
    assert site.control("GET", "state") == before
    seat = site.get(f"/users/{site.gids['ann']}/workspace_memberships", opt_fields="is_view_only")
    assert [one["is_view_only"] for one in seat] == [True]


def test_a_locked_field_keeps_its_value_and_the_rest_of_the_request_is_not_done(site: Site) -> None:
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    site.control("POST", "asana", {"lock_field": {"field": gids["stage"]}})
    data = {"name": "No", "custom_fields": {gids["stage"]: gids["stages"]["Doing"]}}
    assert site.call("PUT", task, data=data).status_code == 403
    assert site.get(task)["name"] == "Task 0"
    site.control("POST", "asana", {"lock_field": {"field": gids["stage"], "locked": False}})
    site.write("PUT", task, **data)


def test_a_field_beyond_the_cap_is_refused(site: Site) -> None:
    site.control("POST", "switches", {"asana": {"field_cap": 3}})
    setting = f"/projects/{site.gids['project']}/addCustomFieldSetting"
    wanted = {"name": "PMO", "resource_subtype": "text", "workspace": WORKSPACE}
    answer = site.call("POST", setting, data={"custom_field": wanted})
    assert (answer.status_code, "at most 3" in answer.json()["errors"][0]["message"]) == (400, True)
    site.control("POST", "switches", {"asana": {"field_cap": 4}})
    assert site.call("POST", setting, data={"custom_field": wanted}).status_code == 200


def test_an_order_or_switch_that_is_none_is_refused_by_name(site: Site) -> None:
    for path, body in (
        ("asana", {"set_role": {}}),
        ("asana", {"set_member": {"project": "1"}}),
        ("switches", {"asana": {"premum": "no"}}),
        ("switches", {"asana": {"event_loss": "much"}}),
    ):
        with pytest.raises(AssertionError, match="error"):
            site.control("POST", path, body)
