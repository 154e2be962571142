"""What the sandbox's Asana lists depends on who asks: owners, service accounts, guests, teams; fields of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pmosync.sandbox.asana.tables import WORKSPACE

from .asana_site import Sent, Site, disagreements, small_site


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def test_portfolios_are_listed_by_their_owner_and_by_a_service_account_all_of_them(site: Site) -> None:
    gids = site.gids
    inner = site.write("POST", "/portfolios", "ann", workspace=WORKSPACE, name="Ann's", public=True)["gid"]
    mine = {"workspace": WORKSPACE, "owner": "me"}
    assert [found["gid"] for found in site.get("/portfolios", **mine)] == [gids["portfolio"]]
    for query, status in (
        ({"workspace": WORKSPACE}, 400),
        (mine | {"owner": gids["ann"]}, 403),
        ({"owner": "me"}, 400),
    ):
        assert site.call("GET", "/portfolios", query=query).status_code == status
    assert site.get(f"/portfolios/{inner}")["name"] == "Ann's"
    site.control("POST", "asana", {"service_account": "yes"})
    assert [found["gid"] for found in site.get("/portfolios", workspace=WORKSPACE)] == [gids["portfolio"], inner]
    assert [found["gid"] for found in site.get("/portfolios", **mine | {"owner": gids["ann"]})] == [inner]
    assert site.call("GET", "/portfolios", "ann", query={"workspace": WORKSPACE}).status_code == 400


def test_a_portfolio_is_never_in_itself_however_deep_and_leaves_what_was_in_it(site: Site) -> None:
    outer = site.gids["portfolio"]
    line = [outer]
    for n in range(3):
        line.append(site.write("POST", "/portfolios", workspace=WORKSPACE, name=f"Level {n}")["gid"])
        site.write("POST", f"/portfolios/{line[-2]}/addItem", item=line[-1])
    for upper in line:
        assert site.call("POST", f"/portfolios/{line[-1]}/addItem", data={"item": upper}).status_code == 400
    site.write("PUT", f"/portfolios/{outer}", archived=True, due_on="2026-12-31")
    assert site.get(f"/portfolios/{outer}")["archived"] is True
    assert site.call("DELETE", f"/portfolios/{line[1]}", "ann").status_code == 403
    site.write("DELETE", f"/portfolios/{line[1]}")
    assert [item["name"] for item in site.get(f"/portfolios/{outer}/items")] == ["Move"]
    assert site.get(f"/portfolios/{line[2]}")["name"] == "Level 1"


def test_a_project_is_some_teams_or_nobodys_and_its_members_are_listed_with_it(site: Site) -> None:
    gids, project = site.gids, site.gids["project"]
    assert site.get(f"/projects/{project}")["team"] is None
    team = site.control("POST", "asana", {"add_team": {"name": "Removals", "members": [gids["ann"]]}})["add_team"]
    site.control("POST", "asana", {"share_with_team": {"project": project, "team": team}})
    assert site.get(f"/projects/{project}")["team"]["name"] == "Removals"
    assert [one["gid"] for one in site.get(f"/teams/{team}/projects")] == [project]
    assert [one["gid"] for one in site.get(f"/teams/{team}/projects", archived="true")] == []
    members = {one["member"]["name"]: one["access_level"] for one in site.get("/memberships", parent=project)}
    assert members == {"PMO bot": "editor", "Ann": "admin", "Removals": "editor"}
    of_team = site.get("/memberships", member=team, resource_subtype="project_membership")
    assert [one["parent"]["gid"] for one in of_team] == [project]
    assert site.get(f"/memberships/{of_team[0]['gid']}")["member"]["resource_type"] == "team"
    made = site.write("POST", "/projects", workspace=WORKSPACE, name="New", team=team)["gid"]
    assert site.get(f"/projects/{made}")["team"]["gid"] == team
    for query in ({}, {"member": team}, {"parent": gids["tasks"][0]}):
        assert site.call("GET", "/memberships", query=query).status_code in (400, 404)
    assert site.call("GET", "/memberships", query={"parent": gids["secret"]}).status_code == 403
    site.write("PUT", f"/projects/{made}", archived=True)
    listed = site.get(f"/workspaces/{WORKSPACE}/projects", archived="false")
    assert made not in [one["gid"] for one in listed]


def test_a_task_is_in_at_most_twenty_projects_and_listed_in_each(site: Site) -> None:
    task, made_at = site.gids["tasks"][0], "2026-02-01T00:00:00+00:00"
    wanted = [{"name": f"Copy {n}", "owner": site.gids["bot"], "created_at": made_at} for n in range(20)]
    more = site.control("POST", "asana", {"add_project": wanted})["add_project"]
    site.control("POST", "asana", {"add_section": [{"project": p, "name": "All", "created_at": made_at} for p in more]})
    for project in more[:19]:
        site.write("POST", f"/tasks/{task}/addProject", project=project)
    assert site.call("POST", f"/tasks/{task}/addProject", data={"project": more[19]}).status_code == 400
    everywhere = [site.gids["project"], *more]
    assert site.call("POST", "/tasks", data={"name": "Too much", "projects": everywhere}).status_code == 400
    assert [one["gid"] for one in site.get("/tasks", project=more[18])] == [task]
    assert len(site.get(f"/tasks/{task}", opt_fields="memberships.section")["memberships"]) == 20


def test_who_left_is_a_guest_or_may_only_view_shows_in_the_workspace_membership(site: Site) -> None:
    guest = {"name": "Gil", "email": "gil@elsewhere.example", "guest": True, "view_only": True}
    gid = site.control("POST", "asana", {"add_user": guest})["add_user"]
    assert gid in [user["gid"] for user in site.get("/users", workspace=WORKSPACE)]
    shown = site.get(f"/users/{gid}/workspace_memberships", opt_fields="is_guest,is_view_only,is_active")[0]
    assert (shown["is_guest"], shown["is_view_only"], shown["is_active"]) == (True, True, True)
    site.control("POST", "asana", {"set_user": {"user": gid, "active": False, "guest": False}})
    shown = site.get(f"/users/{gid}/workspace_memberships", opt_fields="is_guest,is_active")[0]
    assert (shown["is_guest"], shown["is_active"]) == (False, False)


def _fields(site: Site) -> dict[str, Any]:
    """A field of every kind on the project, and values of those that nobody can write."""
    wanted = {
        "text": {"field_type": "text"},
        "number": {"field_type": "number", "precision": 1},
        "money": {"field_type": "number", "precision": 2, "number_format": "currency", "currency": "EUR"},
        "enum": {"field_type": "enum", "options": [["Low", "green"], ["High", "red"]]},
        "multi_enum": {"field_type": "multi_enum", "options": [["North", "none"], ["South", "none"]]},
        "date": {"field_type": "date"},
        "people": {"field_type": "people"},
        "reference": {"field_type": "reference"},
        "formula": {"field_type": "number", "representation": "formula"},
        "custom_id": {"field_type": "text", "representation": "custom_id", "id_prefix": "MOVE"},
    }
    made = site.control("POST", "asana", {"add_field": [{"name": name, **one} for name, one in wanted.items()]})
    gids = dict(zip(wanted, made["add_field"], strict=True))
    offers = [{"parent_kind": "project", "parent": site.gids["project"], "field": gid} for gid in gids.values()]
    task = site.gids["tasks"][0]
    values = [
        {"item": task, "field": gids["formula"], "value": 42},
        {"item": task, "field": gids["custom_id"], "value": "MOVE-7"},
    ]
    site.control("POST", "asana", {"add_setting": offers, "set_value": values})
    return gids


def test_a_task_has_a_field_of_every_representation_and_computed_ones_cannot_be_written(site: Site) -> None:
    gids, task = _fields(site), f"/tasks/{site.gids['tasks'][0]}"
    high = site.get(f"/custom_fields/{gids['enum']}")["enum_options"][1]["gid"]
    south = site.get(f"/custom_fields/{gids['multi_enum']}")["enum_options"][1]["gid"]
    given = {
        "text": "x", "number": 1.5, "money": 9.99, "enum": high, "multi_enum": [south],
        "date": {"date_time": "2026-03-20T15:00:00.000Z"}, "people": [site.gids["ann"]],
        "reference": [site.gids["portfolio"], site.gids["child"]],
    }  # fmt: skip
    site.write("PUT", task, custom_fields={gids[name]: value for name, value in given.items()})
    held = {one["name"]: one for one in site.get(task, opt_fields="custom_fields")["custom_fields"]}
    assert {name: held[name]["representation_type"] for name in gids} == {
        "text": "text", "number": "number", "money": "number", "enum": "enum", "multi_enum": "multi_enum",
        "date": "date", "people": "people", "reference": "reference", "formula": "formula", "custom_id": "custom_id",
    }  # fmt: skip
    assert {name: held[name]["display_value"] for name in gids} == {
        "text": "x", "number": "1.5", "money": "9.99", "enum": "High", "multi_enum": "South",
        "date": "2026-03-20T15:00:00.000Z", "people": "Ann", "reference": "PMO portfolio, Child", "formula": "42",
        "custom_id": "MOVE-7",
    }  # fmt: skip
    assert held["date"]["date_value"] == {"date": "2026-03-20", "date_time": "2026-03-20T15:00:00.000Z"}
    assert [one["resource_type"] for one in held["reference"]["reference_value"]] == ["portfolio", "task"]
    assert (held["money"]["currency_code"], held["custom_id"]["id_prefix"]) == ("EUR", "MOVE")
    assert [held[name]["is_value_read_only"] for name in ("formula", "custom_id", "text")] == [True, True, False]
    for name, value in (("formula", 1), ("custom_id", "MOVE-8"), ("reference", ["9"]), ("formula", None)):
        assert site.call("PUT", task, data={"custom_fields": {gids[name]: value}}).status_code == 400


@pytest.mark.shared
def test_fields_of_every_kind_agree_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    gids = _fields(site)
    task, project = f"/tasks/{site.gids['tasks'][0]}", f"/projects/{site.gids['project']}"
    reference = {"workspace": WORKSPACE, "name": "Twin", "resource_subtype": "reference"}
    calls: list[Sent] = [
        ("PUT", task, {"custom_fields": {gids["reference"]: site.gids["child"], gids["date"]: "2026-03-20"}}),
        ("GET", task, None),
        ("GET", f"{project}/custom_field_settings?limit=20", None),
        ("GET", f"/workspaces/{WORKSPACE}/custom_fields?limit=20", None),
        *(("GET", f"/custom_fields/{gid}", None) for gid in gids.values()),
        ("POST", "/custom_fields", reference),
    ]
    assert disagreements(site, asana_spec, calls) == []
