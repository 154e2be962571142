"""Custom fields of the sandbox's Asana: quiet or loud, offered here and not there, on tasks and projects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


def _flag(site: Site) -> dict[str, Any]:
    field: dict[str, Any] = site.write(
        "POST",
        "/custom_fields",
        workspace=WORKSPACE,
        name="PMO compliance",
        resource_subtype="enum",
        enum_options=[{"name": "OK", "color": "green"}, {"name": "Violation", "color": "red"}],
        has_notifications_enabled=False,
    )
    return field


def test_a_field_is_made_once_found_by_name_and_offered_in_a_project(site: Site) -> None:
    field = _flag(site)
    again = {"workspace": WORKSPACE, "name": "pmo COMPLIANCE", "resource_subtype": "text"}
    assert site.call("POST", "/custom_fields", data=again).status_code == 400
    assert field["gid"] in [f["gid"] for f in site.get(f"/workspaces/{WORKSPACE}/custom_fields")]
    path = f"/projects/{site.gids['project']}"
    site.write("POST", f"{path}/addCustomFieldSetting", custom_field=field["gid"], is_important=True)
    held = site.get(f"{path}/custom_field_settings", opt_fields="custom_field.name,is_important")
    assert held[-1]["custom_field"]["name"] == "PMO compliance"
    twice = site.call("POST", f"{path}/addCustomFieldSetting", data={"custom_field": field["gid"]})
    assert twice.status_code == 400


def test_a_quiet_field_mails_nobody_and_a_loud_one_mails_the_followers(site: Site) -> None:
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    site.write("PUT", task, custom_fields={gids["stage"]: gids["stages"]["Doing"]})
    assert site.control("GET", "mail") == []
    site.write("PUT", task, custom_fields={gids["loud"]: "look"})
    assert [m["recipient"] for m in site.control("GET", "mail")] == ["ann@acme.example"]


def test_a_written_value_leaves_a_story_a_modified_date_and_a_change_and_the_same_value_leaves_nothing(
    site: Site,
) -> None:
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    before = site.get(task)["modified_at"]
    site.write("PUT", task, custom_fields={gids["stage"]: gids["stages"]["Doing"]})
    after = site.get(task)["modified_at"]
    stories = site.get(f"{task}/stories", opt_fields="resource_subtype,new_enum_value.name,custom_field.name")
    assert after > before
    assert [(s["resource_subtype"], s["new_enum_value"]["name"]) for s in stories] == [
        ("enum_custom_field_changed", "Doing")
    ]
    site.write("PUT", task, custom_fields={gids["stage"]: gids["stages"]["Doing"]})
    assert site.get(task)["modified_at"] == after
    assert len(site.get(f"{task}/stories")) == 1
    assert len(site.control("GET", "changes")) == 1


def test_a_subtask_has_the_fields_of_its_parents_project(site: Site) -> None:
    gids = site.gids
    path = f"/tasks/{gids['grandchild']}"
    site.write("PUT", path, custom_fields={gids["stage"]: gids["stages"]["Waiting"]})
    fields = site.get(path, opt_fields="custom_fields.name,custom_fields.enum_value.name")["custom_fields"]
    assert {f["name"]: (f.get("enum_value") or {}).get("name") for f in fields}["Stage"] == "Waiting"


def test_a_field_taken_from_the_project_leaves_a_disabled_value_that_can_only_be_cleared(site: Site) -> None:
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    site.write("PUT", task, custom_fields={gids["stage"]: gids["stages"]["Doing"]})
    site.write("POST", f"/projects/{gids['project']}/removeCustomFieldSetting", custom_field=gids["stage"])
    held = {f["name"]: f for f in site.get(task)["custom_fields"]}["Stage"]
    assert held["enabled"] is False
    new = {"custom_fields": {gids["stage"]: gids["stages"]["Waiting"]}}
    assert site.call("PUT", task, data=new).status_code == 400
    site.write("PUT", task, custom_fields={gids["stage"]: None})
    assert "Stage" not in {f["name"] for f in site.get(task)["custom_fields"]}


@pytest.mark.parametrize(
    ("field", "value"), [("stage", "Doing"), ("stage", "1"), ("estimate", "soon"), ("loud", 7), ("loud", "x" * 1025)]
)
def test_a_value_of_the_wrong_kind_is_refused(site: Site, field: str, value: object) -> None:
    data = {"custom_fields": {site.gids[field]: value}}
    assert site.call("PUT", f"/tasks/{site.gids['tasks'][0]}", data=data).status_code == 400


def test_an_option_can_be_added_renamed_and_disabled_and_then_not_chosen(site: Site) -> None:
    field = _flag(site)
    option = site.write("POST", f"/custom_fields/{field['gid']}/enum_options", name="Waived", color="blue")
    first = field["enum_options"][0]["gid"]
    site.write("POST", f"/custom_fields/{field['gid']}/enum_options", name="Zero", insert_before=first)
    site.write("PUT", f"/enum_options/{option['gid']}", name="Waiver", enabled=False)
    found = site.get(f"/custom_fields/{field['gid']}")["enum_options"]
    assert [o["name"] for o in found] == ["Zero", "OK", "Violation", "Waiver"]
    site.write("POST", f"/projects/{site.gids['project']}/addCustomFieldSetting", custom_field=field["gid"])
    data = {"custom_fields": {field["gid"]: option["gid"]}}
    assert site.call("PUT", f"/tasks/{site.gids['tasks'][0]}", data=data).status_code == 400


def test_only_who_made_a_users_field_may_change_or_delete_it(site: Site) -> None:
    path = f"/custom_fields/{_flag(site)['gid']}"
    assert site.call("PUT", path, "ann", data={"name": "Mine"}).status_code == 403
    assert site.call("DELETE", path, "ann").status_code == 403
    site.write("DELETE", path)
    assert site.call("GET", path).status_code == 404


def test_a_project_takes_values_only_for_fields_of_a_portfolio_that_holds_it(site: Site) -> None:
    field = _flag(site)
    project, portfolio = f"/projects/{site.gids['project']}", f"/portfolios/{site.gids['portfolio']}"
    data = {"custom_fields": {field["gid"]: field["enum_options"][0]["gid"]}}
    assert site.call("PUT", project, data=data).status_code == 400
    site.write("POST", f"{portfolio}/addCustomFieldSetting", custom_field=field["gid"])
    site.write("PUT", project, **data)
    shown = site.get(project, opt_fields="custom_fields.name,custom_fields.display_value")["custom_fields"]
    assert [(f["name"], f["display_value"]) for f in shown] == [("PMO compliance", "OK")]
    site.write("POST", f"{portfolio}/removeItem", item=site.gids["project"])
    assert site.call("PUT", project, data={"custom_fields": {field["gid"]: None}}).status_code == 200
    assert site.get(project)["custom_fields"] == []


def test_only_own_portfolios_are_listed_and_an_owner_must_be_named(site: Site) -> None:
    query = {"workspace": WORKSPACE}
    assert [p["name"] for p in site.get("/portfolios", **query, owner="me")] == ["PMO portfolio"]
    assert site.get("/portfolios", "ann", **query, owner="me") == []
    assert site.call("GET", "/portfolios", query=query).status_code == 400
    assert site.call("GET", "/portfolios", "ann", query={**query, "owner": site.gids["bot"]}).status_code == 403
    assert site.call("GET", f"/portfolios/{site.gids['portfolio']}", "ann").status_code == 403
    assert [p["name"] for p in site.get(f"/portfolios/{site.gids['portfolio']}/items")] == ["Move"]


def test_a_free_plan_answers_402_to_fields_and_portfolios_and_still_has_tags(site: Site) -> None:
    site.control("POST", "asana", {"premium": "no"})
    assert site.call("GET", f"/workspaces/{WORKSPACE}/custom_fields").status_code == 402
    assert site.call("GET", f"/portfolios/{site.gids['portfolio']}").status_code == 402
    data = {"custom_fields": {site.gids["loud"]: "x"}}
    assert site.call("PUT", f"/tasks/{site.gids['tasks'][0]}", data=data).status_code == 402
    site.write("POST", f"/tasks/{site.gids['tasks'][0]}/addTag", tag=site.gids["tag"])


def test_the_values_of_a_locked_field_are_forbidden(site: Site) -> None:
    with site.state.transaction():
        site.state.db.execute("UPDATE asana_field SET locked = 1 WHERE gid = ?", (site.gids["loud"],))
    data = {"custom_fields": {site.gids["loud"]: "x"}}
    assert site.call("PUT", f"/tasks/{site.gids['tasks'][0]}", data=data).status_code == 403


def test_what_was_written_and_cleared_again_leaves_the_compared_state_as_it_was(site: Site) -> None:
    before = site.control("GET", "state")
    field, project, task = _flag(site), f"/projects/{site.gids['project']}", f"/tasks/{site.gids['tasks'][0]}"
    site.write("POST", f"{project}/addCustomFieldSetting", custom_field=field["gid"])
    site.write("PUT", task, custom_fields={field["gid"]: field["enum_options"][1]["gid"]})
    between = site.control("GET", "state")
    site.write("PUT", task, custom_fields={field["gid"]: None})
    site.write("POST", f"{project}/removeCustomFieldSetting", custom_field=field["gid"])
    site.write("DELETE", f"/custom_fields/{field['gid']}")
    assert between != before
    assert site.control("GET", "state") == before
