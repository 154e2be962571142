"""What Asana's catalogue offers to a mapping: fields, options, projects, portfolios; and how little it asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.connectors.asana_small import PAST, WORKSPACE, Small, fields_that, small

from pmosync.contract import Catalog, Choice, FieldInfo, Scope
from pmosync.errors import Misconfigured
from pmosync.sandbox.asana import planseed, seed
from pmosync_asana import Settings, decode, describe
from pmosync_asana.api import Api
from pmosync_asana.pulling.extras import Extras
from pmosync_asana.pulling.portfolios import portfolios


@pytest.fixture(scope="module")
def running() -> Iterator[Small]:
    with small() as started:
        yield started


@pytest.fixture
def asana(running: Small) -> Small:
    running.begin_again()
    return running


def field(catalog: Catalog, name: str, subject: str = "task") -> FieldInfo:
    (found,) = [info for info in catalog.fields if info.subject == subject and name in (info.id, info.name)]
    return found


def test_custom_types_offer_their_statuses_with_whether_they_complete_a_task(asana: Small) -> None:
    statuses = (("New", "Incomplete"), ("Solved", "Complete"))
    gid = asana.have(planseed.add_custom_type, asana.gids["project"], "Incident", statuses=statuses)
    catalog = describe.describe(asana.api)
    assert field(catalog, "custom_type").options == (Choice(gid, "Incident"),)
    offered = field(catalog, "custom_type_status").options
    assert [(option.name, option.category) for option in offered] == [("New", "incomplete"), ("Solved", "complete")]
    task = asana.gids["tasks"][0]
    asana.site.write("PUT", f"/tasks/{task}", "ann", custom_type=gid)
    asana.site.write("PUT", f"/tasks/{task}", "ann", custom_type_status_option=offered[1].id)
    values = asana.task(task).values
    assert (values["custom_type"], values["custom_type_status"]) == (Choice(gid, "Incident"), offered[1])


def test_a_plan_without_custom_types_is_asked_once(asana: Small) -> None:
    for n in range(12):
        asana.have(seed.add_project, f"More {n}", asana.gids["ann"], created_at=PAST)
    asana.fail(402, "/custom_types$")
    asana.forget()
    assert field(describe.describe(asana.api), "custom_type").options == ()
    assert asana.asked()["/custom_types"] == 1


def test_teams_and_templates_that_projects_have_are_options(asana: Small) -> None:
    project = asana.gids["project"]
    team = asana.have(planseed.add_team, "Finance")
    template = asana.have(planseed.add_template, "PMO project")
    asana.have(planseed.share_with_team, project, team)
    asana.have(planseed.make_from_template, project, template)
    catalog = describe.describe(asana.api)
    assert field(catalog, "team", "project").options == (Choice(team, "Finance"),)
    assert field(catalog, "template", "project").options == (Choice(template, "PMO project"),)
    values = decode.project(asana.rows(project)[project], {}).values
    assert (values["team"], values["template"]) == (Choice(team, "Finance"), Choice(template, "PMO project"))


def test_the_estimated_time_is_a_duration_wherever_it_is_offered(asana: Small) -> None:
    found = field(describe.describe(asana.api), "Estimated time")
    assert (found.id, found.kind, found.projects) == (asana.gids["estimate"], "duration", (asana.gids["project"],))


def test_archived_projects_are_told_as_such_and_offer_nothing(asana: Small) -> None:
    asana.have(seed.add_project, "Done long ago", asana.gids["ann"], created_at=PAST)
    old = next(gid for gid, row in asana.rows().items() if row["name"] == "Done long ago")
    asana.site.write("PUT", f"/projects/{old}", "ann", archived=True)
    asana.api.me()
    asana.forget()
    catalog = describe.describe(asana.api)
    assert {project.id: project.archived for project in catalog.projects} == {asana.gids["project"]: False, old: True}
    assert asana.asked() == {
        "/projects": 2, "/projects/{project_gid}/sections": 1, "/custom_types": 1,
        "/workspaces/{workspace_gid}/custom_fields": 1, "/portfolios": 2, "trips": 7,
    }  # fmt: skip


def test_portfolios_are_those_that_the_account_may_list(asana: Small) -> None:
    hers = asana.have(seed.add_portfolio, "Ann's own", asana.gids["ann"], created_at=PAST)
    own = Choice(asana.gids["portfolio"], "PMO portfolio")
    assert describe.describe(asana.api).portfolios == (own,)
    asana.lack(service_account="yes")
    asana.forget()
    assert describe.describe(asana.api).portfolios == (own, Choice(hers, "Ann's own"))
    assert asana.asked()["/portfolios"] == 1


@pytest.mark.parametrize("status", [402, 403])
def test_where_portfolios_may_not_be_listed_there_are_none_to_offer(asana: Small, status: int) -> None:
    asana.fail(status, "/portfolios$")
    assert portfolios(asana.api, WORKSPACE) == []


def test_every_value_that_a_pull_brings_is_a_field_that_a_mapping_may_name(asana: Small) -> None:
    catalog = describe.describe(asana.api)
    offered = {(info.subject, info.id) for info in catalog.fields}
    project, task = asana.gids["project"], asana.gids["tasks"][0]
    row = asana.rows(project)
    beside = Extras(asana.api, Scope(budgets=True, goals=True), asana.gids["bot"]).of(row)[project]
    brought = {("project", name) for name in {**decode.project(row[project], {}).values, **beside.values}}
    brought |= {("task", name) for name in asana.task(task).values}
    assert brought <= offered
    assert {"budget_time", "goals", "team", "brief", "status_by", "created_at"} <= {name for _, name in brought}


def test_an_account_that_sees_several_workspaces_is_asked_to_choose(asana: Small) -> None:
    settings = Settings.model_validate({"auth": {"token": "bot"}, "workspace": "77"})
    with pytest.raises(Misconfigured, match="the account does not see workspace 77"):
        describe.describe(Api(settings, asana.api.session))


def test_people_come_with_whether_they_are_guests_or_may_only_look() -> None:
    user = {"gid": "1", "name": "Ann", "email": None}
    told = {"user": {"gid": "1"}, "is_active": True, "is_guest": True, "is_view_only": False}
    assert decode.member(user, told).values == {
        "name": "Ann", "email": None, "active": True, "guest": True, "view_only": False,
    }  # fmt: skip
    assert decode.member(user, None).values == {"name": "Ann", "email": None, "active": None}
    assert decode.member(user, told).version != decode.member(user, told | {"is_guest": False}).version


def test_the_fields_of_custom_types_and_memberships_are_those_of_the_vendors_document() -> None:
    assert fields_that("/custom_types", describe.TYPES) == set()
    path = "/workspaces/{workspace_gid}/workspace_memberships"
    assert fields_that(path, decode.MEMBERSHIP_FIELDS) == set()
