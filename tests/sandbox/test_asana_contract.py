"""The sandbox's Asana agrees with the vendor's document, and the vendor's own Python package reads and writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asana
import pytest
from asana.rest import ApiException

from pmosync.sandbox.asana.tables import WORKSPACE

from .asana_site import Sent, Site, disagreements, small_site

TASK_FIELDS = (
    "name,resource_subtype,approval_status,completed,completed_at,completed_by,created_at,modified_at,created_by,"
    "assignee,assignee.name,start_on,start_at,due_on,due_at,parent,num_subtasks,is_rendered_as_separator,"
    "memberships.project.name,memberships.section.name,tags.name,dependencies,dependents,"
    "actual_time_minutes,custom_fields,custom_fields.name,custom_fields.display_value,custom_fields.enum_value.name,"
    "custom_fields.number_value,custom_fields.asana_created_field,followers,permalink_url,workspace,projects,notes"
)


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _calls(site: Site) -> Iterator[Sent]:
    """One call of every operation that is offered, in an order in which each finds what it needs."""
    gids = site.gids
    project, portfolio, task = f"/projects/{gids['project']}", f"/portfolios/{gids['portfolio']}", gids["tasks"][0]
    page = "limit=2"
    yield "GET", "/users/me", None
    yield "GET", f"/users/{gids['ann']}?opt_fields=name,email,workspaces.name", None
    yield "GET", f"/users?workspace={WORKSPACE}&{page}", None
    yield "GET", f"/workspaces?{page}", None
    yield "GET", f"/workspaces/{WORKSPACE}", None
    yield "GET", f"/workspaces/{WORKSPACE}/users", None
    yield "GET", f"/workspaces/{WORKSPACE}/workspace_memberships?opt_fields=is_active,user.name&{page}", None
    yield "GET", f"/users/{gids['bob']}/workspace_memberships", None
    yield "GET", f"/projects?workspace={WORKSPACE}&archived=false&{page}", None
    yield "GET", f"/workspaces/{WORKSPACE}/projects?opt_fields=name,owner,due_on,archived&{page}", None
    yield "GET", project, None
    yield "PUT", project, {"notes": "Noted", "due_on": "2026-06-01"}
    yield "GET", f"{project}/sections?{page}", None
    yield "POST", f"{project}/sections", {"name": "Waiting"}
    yield "GET", f"/sections/{gids['todo']}", None
    yield "PUT", f"/sections/{gids['doing']}", {"name": "Doing"}
    yield "DELETE", f"/sections/{gids['todo']}", None
    yield "DELETE", f"/sections/{site.write('POST', f'{project}/sections', name='Spare')['gid']}", None
    yield "GET", f"{project}/custom_field_settings?{page}", None
    yield "GET", f"{project}/task_counts?opt_fields=num_tasks,num_incomplete_tasks", None
    yield "GET", f"/tasks?project={gids['project']}&{page}&opt_fields={TASK_FIELDS}", None
    yield "GET", f"{project}/tasks?completed_since=2026-01-01T00:00:00.000Z", None
    yield "GET", f"/sections/{gids['todo']}/tasks", None
    yield "POST", "/tasks", {"name": "New", "projects": [gids["project"]], "due_on": "2026-04-01"}
    yield "GET", f"/tasks/{task}", None
    yield "PUT", f"/tasks/{task}", {"name": "Renamed", "completed": True, "custom_fields": {gids["loud"]: "x"}}
    yield "POST", f"/tasks/{task}/subtasks", {"name": "Step"}
    yield "GET", f"/tasks/{task}/subtasks?{page}", None
    yield "POST", f"/tasks/{task}/stories", {"text": "Hello"}
    yield "GET", f"/tasks/{task}/stories?{page}&opt_fields=text,html_text,created_by.name,is_editable", None
    yield "POST", f"/tasks/{task}/addDependencies", {"dependencies": [gids["tasks"][1]]}
    yield "GET", f"/tasks/{task}/dependencies", None
    yield "GET", f"/tasks/{gids['tasks'][1]}/dependents", None
    yield "POST", f"/tasks/{task}/removeDependencies", {"dependencies": [gids["tasks"][1]]}
    yield "POST", f"/tasks/{task}/addTag", {"tag": gids["tag"]}
    yield "GET", f"/tasks/{task}/tags", None
    yield "POST", f"/tasks/{task}/removeTag", {"tag": gids["tag"]}
    yield "GET", f"/workspaces/{WORKSPACE}/tags?opt_fields=name,color", None
    yield "GET", f"/tags/{gids['tag']}", None
    yield "POST", f"/tasks/{task}/addFollowers", {"followers": [gids["bot"]]}
    yield "POST", f"/tasks/{task}/removeFollowers", {"followers": [gids["bot"]]}
    yield "POST", f"/tasks/{gids['tasks'][4]}/setParent", {"parent": task}
    yield "POST", f"/sections/{gids['doing']}/addTask", {"task": gids["tasks"][2]}
    yield "POST", f"/tasks/{gids['tasks'][3]}/addProject", {"project": gids["project"], "section": gids["doing"]}
    yield "POST", f"/tasks/{gids['tasks'][3]}/removeProject", {"project": gids["project"]}
    yield "GET", f"/workspaces/{WORKSPACE}/custom_fields?{page}", None
    yield "GET", f"/custom_fields/{gids['stage']}", None
    yield "GET", f"/portfolios?workspace={WORKSPACE}&owner=me&{page}", None
    yield "GET", portfolio, None
    yield "POST", f"{portfolio}/addCustomFieldSetting", {"custom_field": gids["estimate"]}
    yield "GET", f"{portfolio}/custom_field_settings", None
    yield "PUT", project, {"custom_fields": {gids["estimate"]: "12"}}
    yield "PUT", portfolio, {"custom_fields": {gids["estimate"]: "40"}}
    yield "GET", f"{portfolio}/items?{page}", None
    yield "POST", f"{portfolio}/removeCustomFieldSetting", {"custom_field": gids["estimate"]}
    status = {"parent": gids["project"], "status_type": "at_risk", "title": "March", "text": "Late"}
    yield "POST", "/status_updates", status
    yield "POST", "/status_updates", {**status, "parent": gids["portfolio"], "status_type": "dropped"}
    yield "GET", f"/status_updates?parent={gids['project']}&{page}&opt_fields=status_type,created_at,author.name", None
    yield "GET", "/status_updates/1212000000000001", None
    yield "GET", f"{project}?opt_fields=current_status_update,current_status_update.title", None
    yield "GET", f"{portfolio}?opt_fields=name,permalink_url,custom_fields.name,current_status_update", None
    yield "DELETE", "/status_updates/1212000000000001", None
    yield "POST", "/portfolios", {"workspace": WORKSPACE, "name": "Program", "color": "light-green", "public": False}
    yield "POST", f"{portfolio}/addItem", {"item": "1201000000000002"}
    yield "GET", f"{portfolio}/items?opt_fields=name&{page}", None
    yield "POST", f"/workspaces/{WORKSPACE}/tags", {"name": "pmo-high", "color": "dark-orange", "notes": "The PMO's"}
    yield "GET", f"/workspaces/{WORKSPACE}/tags?opt_fields=name,notes&{page}", None
    yield "DELETE", "/tags/1209000000000002", None
    yield "POST", "/batch", {"actions": [{"method": "get", "relative_path": f"/tasks/{task}"}]}
    yield "GET", f"/events?resource={gids['project']}", None
    yield "GET", f"/events?resource={gids['project']}&sync={site.sync(gids['project'])}", None
    yield "DELETE", f"/tasks/{task}", None
    yield "GET", f"/tasks/{task}", None
    yield "GET", f"/projects/{gids['secret']}", None
    yield "DELETE", project, None


@pytest.mark.shared
def test_every_answer_agrees_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    assert disagreements(site, asana_spec, _calls(site)) == []


@pytest.mark.shared
def test_a_made_field_and_option_agree_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    data: dict[str, Any] = {"workspace": WORKSPACE, "name": "PMO", "resource_subtype": "enum", "type": "enum"}
    data["enum_options"] = [{"name": "OK", "color": "green"}]
    answer = site.call("POST", "/custom_fields", data=data)
    field = answer.json()["data"]
    option = site.call("POST", f"/custom_fields/{field['gid']}/enum_options", data={"name": "Bad", "color": "red"})
    renamed = site.call("PUT", f"/enum_options/{option.json()['data']['gid']}", data={"name": "Worse"})
    offered = site.call(
        "POST", f"/projects/{site.gids['project']}/addCustomFieldSetting", data={"custom_field": field["gid"]}
    )
    for checked in (answer, option, renamed, offered):
        path = checked.request.path_url
        name, operation, _ = asana_spec.check_request(checked.request.method, path, checked.request.headers, b"")
        found = asana_spec.check_response(name, operation, checked.status_code, checked.headers, checked.content)
        assert checked.status_code in (200, 201)
        assert [f for f in found if f["severity"] == "error"] == []


@pytest.fixture
def client(site: Site) -> asana.ApiClient:
    configuration = asana.Configuration()
    configuration.host = f"{site.server.url}/api/1.0"
    configuration.access_token = "bot"
    return asana.ApiClient(configuration)


def test_the_official_package_reads_pages_of_tasks_with_their_fields(site: Site, client: asana.ApiClient) -> None:
    opts = {"project": site.gids["project"], "limit": 2, "opt_fields": "name,assignee.name,custom_fields.name"}
    tasks = list(asana.TasksApi(client).get_tasks(opts))
    assert [task["name"] for task in tasks] == [f"Task {n}" for n in range(5)]
    assert asana.UsersApi(client).get_user("me", {})["email"] == "pmo-bot@acme.example"
    portfolios = list(asana.PortfoliosApi(client).get_portfolios(WORKSPACE, {"owner": "me"}))
    assert [p["name"] for p in portfolios] == ["PMO portfolio"]


def test_the_official_package_makes_a_field_and_writes_it(site: Site, client: asana.ApiClient) -> None:
    fields, settings = asana.CustomFieldsApi(client), asana.CustomFieldSettingsApi(client)
    data = {
        "workspace": WORKSPACE, "name": "PMO compliance", "resource_subtype": "enum",
        "enum_options": [{"name": "OK", "color": "green"}], "has_notifications_enabled": False,
    }  # fmt: skip
    field = fields.create_custom_field({"data": data}, {})
    projects, tasks = asana.ProjectsApi(client), asana.TasksApi(client)
    body = {"data": {"custom_field": field["gid"]}}
    projects.add_custom_field_setting_for_project(body, site.gids["project"], {})
    held = settings.get_custom_field_settings_for_project(site.gids["project"], {"opt_fields": "custom_field.name"})
    assert [s["custom_field"]["name"] for s in held][-1] == "PMO compliance"
    value = {"data": {"custom_fields": {field["gid"]: field["enum_options"][0]["gid"]}}}
    task = tasks.update_task(value, site.gids["tasks"][0], {"opt_fields": "custom_fields.display_value"})
    assert "OK" in [f["display_value"] for f in task["custom_fields"]]


def test_the_official_package_comments_batches_listens_and_is_refused(site: Site, client: asana.ApiClient) -> None:
    task, stories = site.gids["tasks"][0], asana.StoriesApi(client)
    events = asana.EventsApi(client).get_events(site.gids["project"], {})
    assert list(events) == []
    stories.create_story_for_task({"data": {"text": "Hello"}}, task, {})
    assert [s["text"] for s in stories.get_stories_for_task(task, {})] == ["Hello"]
    actions = [{"method": "get", "relative_path": f"/tasks/{task}"}]
    results = asana.BatchAPIApi(client).create_batch_request({"data": {"actions": actions}}, {})
    assert [result["status_code"] for result in results] == [200]
    with pytest.raises(ApiException) as missing:
        asana.TasksApi(client).get_task("99", {})
    assert missing.value.status == 404
