"""The official `asana` package, with its own HTTP, drives the sandbox's Asana as its users would."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import asana
import pytest
from asana.rest import ApiException

from pmosync.sandbox.asana import planseed, seed, tables
from pmosync.sandbox.asana.tables import WORKSPACE
from tests.sandbox.asana_site import Site, small_site
from tests.sandbox.webhook_desk import listening

from . import asana_gaps


class Desk:
    """The package signed in as Ann, and the site."""

    def __init__(self, site: Site) -> None:
        self.site, self.gids = site, site.gids
        self.client, self.plain = (self._client(iterating) for iterating in (True, False))

    def _client(self, iterating: bool) -> asana.ApiClient:
        configuration = asana.Configuration()
        configuration.host, configuration.access_token = f"{self.site.server.url}/api/1.0", "ann"
        configuration.return_page_iterator = iterating
        return asana.ApiClient(configuration)

    def row(self, table: str, gid: str) -> dict[str, Any]:
        """What the sandbox keeps of something."""
        found = tables.get(self.site.state, table, gid)
        assert found is not None
        return dict(found)

    def close(self) -> None:
        """End the threads that every client of the package has."""
        for client in (self.client, self.plain):
            client.pool.terminate()
            client.pool.join()


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    with small_site() as site:
        gids, state = site.gids, site.state
        with state.transaction():
            gids["team"] = planseed.add_team(state, "Removals", members=[gids["ann"]])
            planseed.share_with_team(state, gids["project"], gids["team"])
            gids["template"] = planseed.add_template(state, "Any move", owner=gids["ann"])
            gids["type"] = planseed.add_custom_type(state, gids["project"], "Crate")
            gids["periods"] = planseed.add_time_periods(state, 2026)
            seed.add_portfolio_item(state, gids["portfolio"], gids["secret"])
        site.start = state.snapshot()
        desk = Desk(site)
        yield desk
        desk.close()


@pytest.fixture
def desk(running: Desk) -> Desk:
    running.site.begin_again()
    return running


def names(found: Any) -> list[str]:
    return [one["name"] for one in found]


def data(**given: Any) -> dict[str, Any]:
    return {"data": given}


# --- who and where --------------------------------------------------------------------------------------------------


def test_it_finds_people_workspaces_teams_and_who_may_what(desk: Desk) -> None:
    gids, users = desk.gids, asana.UsersApi(desk.client)
    me = users.get_user("me", {"opt_fields": "name,email,workspaces.name"})
    assert (me["gid"], me["email"], names(me["workspaces"])) == (gids["ann"], "ann@acme.example", ["Acme"])
    assert names(users.get_users({"workspace": WORKSPACE, "limit": 2})) == ["PMO bot", "Ann", "Bob"], "two pages"
    assert names(users.get_users_for_team(gids["team"], {})) == ["Ann"]
    workspaces = asana.WorkspacesApi(desk.client)
    assert names(workspaces.get_workspaces({})) == [workspaces.get_workspace(WORKSPACE, {})["name"]] == ["Acme"]
    memberships = asana.WorkspaceMembershipsApi(desk.client)
    opts = {"opt_fields": "is_active,user.name,workspace.name"}
    (bob,) = memberships.get_workspace_memberships_for_user(gids["bob"], opts)
    assert (bob["is_active"], bob["user"]["name"], bob["workspace"]["name"]) == (False, "Bob", "Acme")
    teams = asana.TeamsApi(desk.client)
    assert names(teams.get_teams_for_user("me", WORKSPACE, {})) == names(teams.get_teams_for_workspace(WORKSPACE, {}))
    held = asana.MembershipsApi(desk.client).get_memberships({"parent": gids["project"]})
    assert gids["ann"] in {one["member"]["gid"] for one in held}


def test_it_makes_edits_lists_and_deletes_projects_and_sections(desk: Desk) -> None:
    gids, projects, sections = desk.gids, asana.ProjectsApi(desk.client), asana.SectionsApi(desk.client)
    made = projects.create_project(data(name="Roof", workspace=WORKSPACE, due_on="2026-06-30"), {})
    project = made["gid"]
    projects.update_project(data(name="New roof", start_on="2026-06-01", due_on="2026-06-30"), project, {})
    kept = desk.row("project", project)
    assert [kept[name] for name in ("name", "start_on", "due_on")] == ["New roof", "2026-06-01", "2026-06-30"]
    assert names(projects.get_projects({"workspace": WORKSPACE, "limit": 1})) == ["Move", "Board", "New roof"]
    assert names(projects.get_projects_for_team(gids["team"], {})) == ["Move"]
    section = sections.create_section_for_project(project, {"body": data(name="Tiles")})
    task = asana.TasksApi(desk.client).create_task(data(name="Order tiles", projects=[project]), {})
    sections.add_task_for_section(section["gid"], {"body": data(task=task["gid"])})
    assert "Tiles" in names(sections.get_sections_for_project(project, {"limit": 1}))
    (found,) = asana.TasksApi(desk.client).get_tasks_for_section(section["gid"], {})
    assert found["gid"] == task["gid"]
    sections.update_section(section["gid"], {"body": data(name="Tiling")})
    assert sections.get_section(section["gid"], {})["name"] == "Tiling"
    with pytest.raises(ApiException) as refused:
        sections.delete_section(section["gid"])
    assert refused.value.status == 400, "there is a task in it"
    spare = sections.create_section_for_project(project, {"body": data(name="Spare")})
    sections.delete_section(spare["gid"])
    assert names(sections.get_sections_for_project(project, {})) == ["Untitled section", "Tiling"]
    counts = projects.get_task_counts_for_project(project, {"opt_fields": "num_tasks,num_incomplete_tasks"})
    assert (counts["num_tasks"], counts["num_incomplete_tasks"]) == (1, 1)
    assert names(asana.ProjectTemplatesApi(desk.client).get_project_templates({"workspace": WORKSPACE})) == ["Any move"]
    projects.delete_project(project)
    with pytest.raises(ApiException) as missing:
        projects.get_project(project, {})
    assert missing.value.status == 404


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_it_makes_edits_ties_tags_and_deletes_tasks(desk: Desk) -> None:
    gids, tasks = desk.gids, asana.TasksApi(desk.client)
    stage, doing = gids["stage"], gids["stages"]["Doing"]
    given = {"name": "Carry", "projects": [gids["project"]], "assignee": "me", "due_on": "2026-04-01"}
    task = tasks.create_task(data(**given, custom_fields={stage: doing, gids["loud"]: "x"}), {})["gid"]
    opts = {"opt_fields": "assignee.name,due_on,completed,completed_at,parent.name,custom_fields.display_value,tags"}
    found = tasks.get_task(task, opts)
    assert (found["assignee"]["name"], found["due_on"]) == ("Ann", "2026-04-01")
    assert {one["display_value"] for one in found["custom_fields"]} == {"Doing", None, "x"}
    tasks.update_task(data(completed=True, name="Carried"), task, {})
    assert (desk.row("task", task)["name"], desk.row("task", task)["completed"]) == ("Carried", 1)
    step = tasks.create_subtask_for_task(data(name="Lift"), task, {})
    assert names(tasks.get_subtasks_for_task(task, {})) == ["Lift"]
    tasks.set_parent_for_task(data(parent=None), step["gid"], {})
    assert list(tasks.get_subtasks_for_task(task, {})) == []
    tasks.add_dependencies_for_task(data(dependencies=[gids["tasks"][1]]), task)
    assert names(tasks.get_dependencies_for_task(task, {"opt_fields": "name"})) == ["Task 1"]
    assert names(tasks.get_dependents_for_task(gids["tasks"][1], {"opt_fields": "name"})) == ["Carried"]
    tasks.remove_dependencies_for_task(data(dependencies=[gids["tasks"][1]]), task)
    assert list(tasks.get_dependencies_for_task(task, {})) == []
    tasks.add_project_for_task(data(project=gids["secret"]), task)
    assert {one["name"] for one in asana.ProjectsApi(desk.client).get_projects_for_task(task, {})} == {"Move", "Board"}
    tasks.remove_project_for_task(data(project=gids["secret"]), task)
    followers = tasks.add_followers_for_task(data(followers=[gids["bot"]]), task, {"opt_fields": "followers.name"})
    assert "PMO bot" in names(followers["followers"])
    tasks.remove_follower_for_task(data(followers=[gids["bot"]]), task, {})
    listed = list(tasks.get_tasks({"project": gids["project"], "limit": 2, "opt_fields": "name"}))
    assert names(listed) == [*(f"Task {n}" for n in range(5)), "Carried"], "three pages"
    tasks.delete_task(task)
    with pytest.raises(ApiException) as missing:
        tasks.get_task(task, {})
    assert missing.value.status == 404


def test_it_makes_tags_fields_and_options_and_puts_them_on_tasks(desk: Desk) -> None:
    gids, task = desk.gids, desk.gids["tasks"][0]
    tags, tasks, fields = asana.TagsApi(desk.client), asana.TasksApi(desk.client), asana.CustomFieldsApi(desk.client)
    tag = tags.create_tag_for_workspace(data(name="pmo-high", color="dark-orange"), WORKSPACE, {})["gid"]
    tasks.add_tag_for_task(data(tag=tag), task)
    assert names(tags.get_tags_for_task(task, {})) == ["pmo-high"]
    assert names(tasks.get_tasks_for_tag(tag, {})) == ["Task 0"]
    tasks.remove_tag_for_task(data(tag=tag), task)
    tags.delete_tag(tag)
    assert names(tags.get_tags_for_workspace(WORKSPACE, {})) == ["urgent"]
    options = [{"name": "High", "color": "orange"}]
    body = data(workspace=WORKSPACE, name="PMO compliance", resource_subtype="enum", enum_options=options)
    field = fields.create_custom_field(body, {})
    low = fields.create_enum_option_for_custom_field(field["gid"], {"body": data(name="Low", color="blue")})
    fields.update_enum_option(low["gid"], {"body": data(name="Lower", enabled=False)})
    kept = fields.get_custom_field(field["gid"], {})
    assert [(one["name"], one["enabled"]) for one in kept["enum_options"]] == [("High", True), ("Lower", False)]
    projects = asana.ProjectsApi(desk.client)
    projects.add_custom_field_setting_for_project(data(custom_field=field["gid"]), gids["project"], {})
    high = field["enum_options"][0]["gid"]
    found = tasks.update_task(data(custom_fields={field["gid"]: high}), task, {"opt_fields": "custom_fields.name"})
    assert names(found["custom_fields"]) == ["Stage", "Estimated time", "Loud", "PMO compliance"]
    assert tables.scalar(
        desk.site.state, "SELECT value FROM asana_value WHERE item = ? AND field = ?", task, field["gid"]
    ) == f'"{high}"'  # fmt: skip
    with pytest.raises(ApiException) as refused:
        tasks.update_task(data(custom_fields={field["gid"]: low["gid"]}), task, {})
    assert refused.value.status == 400, "an option that is switched off"
    fields.delete_custom_field(field["gid"])
    assert "PMO compliance" not in names(fields.get_custom_fields_for_workspace(WORKSPACE, {"limit": 1}))


def test_it_reads_what_happened_and_writes_edits_and_deletes_comments(desk: Desk) -> None:
    task, stories = desk.gids["tasks"][0], asana.StoriesApi(desk.client)
    asana.TasksApi(desk.client).update_task(data(due_on="2026-05-01"), task, {})
    said = stories.create_story_for_task(data(html_text="<body>Two &lt; three, <strong>sure</strong></body>"), task, {})
    stories.update_story(data(text="Three", is_pinned=True), said["gid"], {})
    found = list(stories.get_stories_for_task(task, {"limit": 1, "opt_fields": "text,type,resource_subtype,is_pinned"}))
    assert [one["resource_subtype"] for one in found] == ["due_date_changed", "comment_added"]
    assert (found[1]["text"], found[1]["is_pinned"]) == ("Three", True)
    with pytest.raises(ApiException) as refused:
        stories.create_story_for_task(data(html_text="<body><p>No</p></body>"), task, {})
    assert refused.value.status == 400
    stories.delete_story(said["gid"])
    assert len(list(stories.get_stories_for_task(task, {}))) == 1


def test_it_searches_and_sends_batches(desk: Desk) -> None:
    gids, (one, other, *_) = desk.gids, desk.gids["tasks"]
    tasks = asana.TasksApi(desk.client)
    desk.site.control("POST", "clock", {"advance_s": 60})
    actions = [
        {"method": "put", "relative_path": f"/tasks/{one}", "data": {"name": "Piano"}, "options": {"fields": ["name"]}},
        {"method": "get", "relative_path": f"/tasks/{other}", "options": {"fields": ["due_on"]}},
        {"method": "get", "relative_path": "/tasks/99"},
    ]
    results = list(asana.BatchAPIApi(desk.client).create_batch_request(data(actions=actions), {}))
    assert [result["status_code"] for result in results] == [200, 200, 404]
    assert [results[0]["body"]["data"]["name"], results[1]["body"]["data"]["due_on"]] == ["Piano", "2026-03-10"]
    assert desk.row("task", one)["name"] == "Piano"
    desk.site.control("POST", "clock", {"advance_s": 60})
    opts = {"text": "piano", "projects.any": gids["project"], "opt_fields": "name"}
    assert names(tasks.search_tasks_for_workspace(WORKSPACE, opts)) == ["Piano"]
    desk.site.control("POST", "switches", {"asana": {"premium": "no"}})
    with pytest.raises(ApiException) as refused:
        list(tasks.search_tasks_for_workspace(WORKSPACE, {"text": "piano"}))
    assert refused.value.status == 402


# --- what is told of changes ----------------------------------------------------------------------------------------


def begun(desk: Desk) -> str:
    """The first token of the project's stream, which comes with a refusal."""
    with pytest.raises(ApiException) as first:
        asana.EventsApi(desk.plain).get_events(desk.gids["project"], {})
    assert first.value.status == 412
    return str(json.loads(first.value.body)["sync"])


def test_it_listens_to_a_stream_token_by_token(desk: Desk) -> None:
    project, events = desk.gids["project"], asana.EventsApi(desk.plain)
    token = begun(desk)
    asana.TasksApi(desk.client).update_task(data(name="Louder"), desk.gids["grandchild"], {})
    desk.site.control("POST", "clock", {"advance_s": 120})
    told = events.get_events(project, {"sync": token})
    heard = {(one["action"], one["resource"]["gid"]) for one in told["data"]}
    assert ("changed", desk.gids["grandchild"]) in heard, "of a subtask of a subtask"
    again = events.get_events(project, {"sync": told["sync"]})
    assert (again["data"], again["has_more"]) == ([], False)


def test_its_own_iterator_gives_a_long_stream_twice_so_nobody_may_rely_on_it(desk: Desk) -> None:
    token, task = begun(desk), desk.gids["tasks"][0]
    for number in range(101):
        desk.site.write("POST", f"/tasks/{task}/stories", "ann", text=f"Word {number}")
    desk.site.control("POST", "clock", {"advance_s": 120})
    told = asana.EventsApi(desk.client).get_events(desk.gids["project"], {"sync": token})
    seen = [one["resource"]["gid"] for one in islice(told, 200)]
    assert seen[:100] == seen[100:]
    assert len(set(seen)) > 90


def test_it_makes_a_webhook_that_is_shaken_hands_with_and_delivers(desk: Desk) -> None:
    hooks = asana.WebhooksApi(desk.client)
    with listening() as receiver:
        filters = [{"resource_type": "task", "action": "changed", "fields": ["name"]}]
        body = data(resource=desk.gids["project"], target=receiver.url, filters=filters)
        made = hooks.create_webhook(body, {})
        assert (made["active"], made["target"]) == (True, receiver.url)
        assert receiver.got[0].headers["X-Hook-Secret"]
        asana.TasksApi(desk.client).update_task(data(name="Louder"), desk.gids["tasks"][0], {})
        desk.site.control("POST", "clock", {"advance_s": 120})
        desk.site.control("POST", "webhooks/wait", {"seconds": 10})
        events = [one for got in receiver.got[1:] for one in got.body["events"]]
        assert {(one["action"], one["resource"]["gid"]) for one in events} == {("changed", desk.gids["tasks"][0])}
        assert receiver.got[-1].headers["X-Hook-Signature"]
        hooks.update_webhook(data(filters=[{"resource_type": "story"}]), made["gid"], {})
        assert [one["gid"] for one in hooks.get_webhooks(WORKSPACE, {})] == [made["gid"]]
        hooks.delete_webhook(made["gid"])
        assert list(hooks.get_webhooks(WORKSPACE, {})) == []


# --- portfolios, reports, goals, money and time -----------------------------------------------------------------------


def test_it_fills_portfolios_and_reports_on_projects_and_portfolios(desk: Desk) -> None:
    gids, portfolios = desk.gids, asana.PortfoliosApi(desk.client)
    made = portfolios.create_portfolio(data(workspace=WORKSPACE, name="Program", color="light-green"), {})["gid"]
    for project in (gids["project"], gids["secret"]):
        portfolios.add_item_for_portfolio(data(item=project), made)
    portfolios.remove_item_for_portfolio(data(item=gids["secret"]), made)
    assert names(portfolios.get_items_for_portfolio(made, {"limit": 1})) == ["Move"]
    assert names(portfolios.get_portfolios(WORKSPACE, {"owner": "me"})) == ["Program"]
    portfolios.add_custom_field_setting_for_portfolio(data(custom_field=gids["estimate"]), made)
    settings = asana.CustomFieldSettingsApi(desk.client)
    (held,) = settings.get_custom_field_settings_for_portfolio(made, {"opt_fields": "custom_field.name"})
    assert held["custom_field"]["name"] == "Estimated time"
    opts = {"opt_fields": "custom_fields.number_value,name"}
    values = data(name="Programme", custom_fields={gids["estimate"]: 40})
    found = portfolios.update_portfolio(values, made, opts)
    assert (found["name"], [one["number_value"] for one in found["custom_fields"]]) == ("Programme", [40])
    updates = asana.StatusUpdatesApi(desk.client)
    for parent in (gids["project"], made):
        body = data(parent=parent, status_type="at_risk", title="March", text="Late")
        sent = updates.create_status_for_object(body, {})
        assert [one["gid"] for one in updates.get_statuses_for_object(parent, {})] == [sent["gid"]]
        assert updates.get_status(sent["gid"], {"opt_fields": "status_type"})["status_type"] == "at_risk"
        updates.delete_status(sent["gid"])
        assert list(updates.get_statuses_for_object(parent, {})) == []
    portfolios.delete_portfolio(made)
    assert list(portfolios.get_portfolios(WORKSPACE, {"owner": "me"})) == []


def test_it_sets_goals_and_what_supports_them(desk: Desk) -> None:
    gids, goals, ties = desk.gids, asana.GoalsApi(desk.client), asana.GoalRelationshipsApi(desk.client)
    body = data(workspace=WORKSPACE, name="Moved by spring", time_period=gids["periods"]["Q1"], owner="me")
    goal = goals.create_goal(body, {})["gid"]
    sub = goals.create_goal(data(workspace=WORKSPACE, name="Boxes", team=gids["team"]), {})["gid"]
    ties.add_supporting_relationship(data(supporting_resource=gids["project"]), goal, {})
    ties.add_supporting_relationship(data(supporting_resource=sub), goal, {})
    assert len(list(ties.get_goal_relationships(goal, {}))) == 2
    assert names(goals.get_goals({"project": gids["project"]})) == ["Moved by spring"]
    assert names(goals.get_parent_goals_for_goal(sub, {})) == ["Moved by spring"]
    asana.StatusUpdatesApi(desk.client).create_status_for_object(
        data(parent=goal, status_type="partial", text="Half"), {}
    )
    found = goals.get_goal(goal, {"opt_fields": "status,owner.name,time_period.display_name"})
    assert (found["status"], found["owner"]["name"]) == ("partial", "Ann")
    assert "Q1" in found["time_period"]["display_name"]
    assert len(list(asana.TimePeriodsApi(desk.client).get_time_periods(WORKSPACE, {}))) == len(gids["periods"])
    ties.remove_supporting_relationship(data(supporting_resource=sub), goal)
    goals.update_goal(data(name="Moved"), goal, {})
    assert desk.row("goal", goal)["name"] == "Moved"
    goals.delete_goal(goal)
    assert names(goals.get_goals({"workspace": WORKSPACE})) == ["Boxes"]


def test_it_budgets_promises_and_books_time(desk: Desk) -> None:
    gids, project, task = desk.gids, desk.gids["project"], desk.gids["tasks"][0]
    budgets, entries = asana.BudgetsApi(desk.client), asana.TimeTrackingEntriesApi(desk.client)
    given = {"parent": project, "budget_type": "time", "total": {"enabled": True, "value": 600}}
    budget = budgets.create_budget(data(**given))["gid"]
    opts = {"opt_fields": "actual_time_minutes"}
    body = data(duration_minutes=90, entered_on="2026-03-01", attributable_to=project)
    entry = entries.create_time_tracking_entry(body, task, {})["gid"]
    assert asana.TasksApi(desk.client).get_task(task, opts)["actual_time_minutes"] == 90
    entries.update_time_tracking_entry(data(duration_minutes=60), entry, {})
    (found,) = entries.get_time_tracking_entries_for_task(task, {"opt_fields": "duration_minutes,created_by.name"})
    assert (found["duration_minutes"], found["created_by"]["name"]) == (60, "Ann")
    assert [one["gid"] for one in entries.get_time_tracking_entries({"attributable_to": project})] == [entry]
    (listed,) = budgets.get_budgets(project)
    assert listed["gid"] == budget
    told = budgets.get_budget(budget, {"opt_fields": "total.value,actual.value,budget_type"})
    assert (told["budget_type"], told["total"]["value"], told["actual"]["value"]) == ("time", 600, 60)
    budgets.update_budget(data(total={"value": 700}), budget, {})
    assert desk.row("budget", budget)["total_time"] == 700
    allocations = asana.AllocationsApi(desk.client)
    days = {"start_date": "2026-03-02", "end_date": "2026-03-13", "effort": {"type": "percent", "value": 50}}
    made = allocations.create_allocation(data(parent=project, assignee=gids["ann"], **days), {})["gid"]
    allocations.update_allocation(data(end_date="2026-03-20"), made, {})
    (promised,) = allocations.get_allocations({"parent": project, "opt_fields": "end_date,effort.value"})
    assert (promised["end_date"], promised["effort"]["value"]) == ("2026-03-20", 50)
    allocations.delete_allocation(made)
    entries.delete_time_tracking_entry(entry)
    budgets.delete_budget(budget)
    assert asana.TasksApi(desk.client).get_task(task, opts)["actual_time_minutes"] in (0, None)
    assert list(budgets.get_budgets(project)) == list(allocations.get_allocations({"parent": project})) == []


def test_it_writes_briefs_and_gives_tasks_types(desk: Desk) -> None:
    project, briefs = desk.gids["project"], asana.ProjectBriefsApi(desk.client)
    made = briefs.create_project_brief(data(title="Why", html_text="<body><h1>Why</h1></body>"), project, {})["gid"]
    briefs.update_project_brief(data(text="Because a < b"), made, {})
    found = briefs.get_project_brief(made, {"opt_fields": "text,html_text,title"})
    assert (found["title"], found["text"]) == ("Why", "Because a < b")
    assert "a &lt; b" in found["html_text"]
    opts = {"opt_fields": "project_brief"}
    assert asana.ProjectsApi(desk.client).get_project(project, opts)["project_brief"]["gid"] == made
    briefs.delete_project_brief(made)
    assert asana.ProjectsApi(desk.client).get_project(project, opts)["project_brief"] is None
    kinds = asana.CustomTypesApi(desk.client)
    (listed,) = kinds.get_custom_types({"project": project, "opt_fields": "name,status_options.name"})
    assert (listed["name"], names(listed["status_options"])) == ("Crate", ["Open", "Closed"])
    body = data(custom_type=listed["gid"], custom_type_status_option=listed["status_options"][1]["gid"])
    opts = {"opt_fields": "resource_subtype,completed,custom_type_status_option.name"}
    task = asana.TasksApi(desk.client).update_task(body, desk.gids["tasks"][0], opts)
    assert (task["resource_subtype"], task["completed"]) == ("custom", True)
    assert task["custom_type_status_option"]["name"] == "Closed"


# --- what is not there ----------------------------------------------------------------------------------------------


def test_what_the_sandbox_lacks_of_the_package_is_listed(desk: Desk) -> None:
    told, had = set(), set()
    for area, name, method, path in asana_gaps.calls():
        answer = desk.site.call(
            method, re.sub(r"\{[^}]*\}", "1", path), "ann", **({} if method == "GET" else {"data": {}})
        )
        assert answer.status_code < 500
        unknown = answer.status_code == 405 or "No matching route" in answer.text
        (told if unknown else had).add((area, name))
    everything = told | had
    assert len(everything) == 251
    assert told == {one for one in everything if asana_gaps.is_gap(*one)}
    assert {area for area, _ in everything} >= asana_gaps.AREAS.keys() | asana_gaps.PARTS.keys()
