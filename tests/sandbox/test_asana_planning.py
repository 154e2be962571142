"""The sandbox's Asana has budgets, allocations, goals, booked time, briefs, teams, templates and types of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asana
import pytest

from pmosync.sandbox.asana import seed, tables
from pmosync.sandbox.asana.tables import WORKSPACE
from pmosync.sandbox.state import State

from .asana_site import Sent, Site, disagreements, small_site


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    """Beside what a small site has: a team that owns the project, a template it came from, a type of tasks, a year."""
    with small_site() as started:
        order, gids = started.control, started.gids
        gids |= order("POST", "asana", {
            "add_team": {"name": "Removals", "members": [gids["ann"]]},
            "add_template": {"name": "Any move", "owner": gids["ann"]},
            "add_custom_type": {"project": gids["project"], "name": "Crate"},
            "add_placeholder": {"name": "Driver"},
            "add_time_periods": {"year": 2026},
        })  # fmt: skip
        order("POST", "asana", {"share_with_team": {"project": gids["project"], "team": gids["add_team"]}})
        of = {"project": gids["project"], "template": gids["add_template"]}
        order("POST", "asana", {"make_from_template": of})
        started.start = started.state.snapshot()
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _calls(site: Site) -> Iterator[Sent]:
    """One call of every operation, in an order in which each finds what it needs; the first gid of a kind ends in 1."""
    gids, page = site.gids, "limit=2"
    project, task = gids["project"], gids["tasks"][0]
    estimate = {"source": "tasks", "enabled": True, "billable_status_filter": "any"}
    budget = {"parent": project, "budget_type": "time", "total": {"enabled": True, "value": 600}, "estimate": estimate}
    yield "POST", "/budgets", budget
    yield "GET", f"/budgets?parent={project}", None
    yield "PUT", "/budgets/1223000000000001", {"budget_type": "cost", "total": {"value": 500}}
    yield "GET", "/budgets/1223000000000001", None
    days = {"start_date": "2026-03-02", "end_date": "2026-03-13"}
    effort = {"type": "percent", "value": 50}
    yield "POST", "/allocations", {"parent": project, "assignee": gids["ann"], "effort": effort, **days}
    yield "POST", "/allocations", {"parent": project, "assignee": gids["add_placeholder"], **days}
    yield "GET", f"/allocations?workspace={WORKSPACE}&{page}", None
    yield "GET", f"/allocations?parent={project}&assignee={gids['ann']}&opt_fields=assignee.name,effort,end_date", None
    yield "PUT", "/allocations/1225000000000001", {"end_date": "2026-03-20", "effort": {"type": "hours", "value": 12}}
    yield "GET", "/allocations/1225000000000001", None
    entry = {"duration_minutes": 90, "entered_on": "2026-03-01", "description": "Packed"}
    yield "POST", f"/tasks/{task}/time_tracking_entries", {**entry, "attributable_to": project}
    yield "GET", f"/tasks/{task}/time_tracking_entries?{page}", None
    yield "GET", f"/time_tracking_entries?attributable_to={project}&{page}&opt_fields=created_by.name,entered_on", None
    yield "GET", f"/time_tracking_entries?workspace={WORKSPACE}&entered_on_start_date=2026-02-01", None
    yield "PUT", "/time_tracking_entries/1226000000000001", {"duration_minutes": 60, "billable_status": "nonBillable"}
    yield "GET", "/time_tracking_entries/1226000000000001", None
    yield "POST", f"/projects/{project}/project_briefs", {"title": "Why", "html_text": "<body><h1>Why</h1></body>"}
    yield "PUT", "/project_briefs/1222000000000001", {"text": "Because a < b"}
    yield "GET", "/project_briefs/1222000000000001?opt_fields=text,html_text,title,project.name", None
    yield "GET", f"/projects/{project}?opt_fields=project_brief,created_from_template.name,team.name", None
    yield "GET", f"/workspaces/{WORKSPACE}/teams?{page}", None
    yield "GET", f"/teams/{gids['add_team']}", None
    yield "GET", f"/teams/{gids['add_team']}/users", None
    yield "GET", f"/teams/{gids['add_team']}/projects?{page}", None
    yield "GET", f"/users/{gids['ann']}/teams?organization={WORKSPACE}", None
    yield "GET", f"/users?team={gids['add_team']}", None
    yield "GET", f"/projects?workspace={WORKSPACE}&team={gids['add_team']}", None
    yield "GET", f"/project_templates?workspace={WORKSPACE}&{page}", None
    yield "GET", f"/teams/{gids['add_team']}/project_templates", None
    yield "GET", f"/project_templates/{gids['add_template']}", None
    yield "GET", f"/memberships?parent={project}&{page}", None
    yield "GET", f"/memberships?member={gids['add_team']}&resource_subtype=project_membership", None
    yield "GET", "/memberships/1232000001000002", None
    yield "GET", f"/memberships?parent={gids['portfolio']}&member=me", None
    goal = {"workspace": WORKSPACE, "name": "Moved by spring", "time_period": gids["add_time_periods"]["Q1"]}
    yield "POST", "/goals", {**goal, "owner": gids["ann"], "is_workspace_level": True, "html_notes": "<body>x</body>"}
    yield "POST", "/goals", {"workspace": WORKSPACE, "name": "Boxes", "team": gids["add_team"]}
    tie = "/goals/1228000000000001/addSupportingRelationship"
    yield "POST", tie, {"supporting_resource": project, "contribution_weight": 0.5}
    yield "POST", tie, {"supporting_resource": "1228000000000002"}
    yield "GET", f"/goals?project={project}&opt_fields=name,status,owner.name,current_status_update.title", None
    yield "GET", f"/goals?workspace={WORKSPACE}&is_workspace_level=true&{page}", None
    yield "GET", "/goal_relationships?supported_goal=1228000000000001&resource_subtype=subgoal", None
    yield "PUT", "/goal_relationships/1229000000000001", {"contribution_weight": 1}
    yield "GET", "/goal_relationships/1229000000000001", None
    yield "GET", "/goals/1228000000000002/parentGoals", None
    yield "GET", "/memberships?parent=1228000000000001", None
    yield "PUT", "/goals/1228000000000001", {"notes": "All of it", "due_on": "2026-06-30"}
    yield "POST", "/status_updates", {"parent": "1228000000000001", "status_type": "achieved", "text": "Done"}
    yield "GET", "/goals/1228000000000001", None
    remove = {"supporting_resource": project}
    yield "POST", "/goals/1228000000000001/removeSupportingRelationship", remove
    yield "GET", f"/time_periods?workspace={WORKSPACE}&start_on=2026-01-01&end_on=2026-03-31&{page}", None
    yield "GET", f"/time_periods/{gids['add_time_periods']['Q1']}", None
    yield "GET", f"/custom_types?project={project}&{page}&opt_fields=name,status_options.completion_state", None
    yield "GET", f"/custom_types/{gids['add_custom_type']}", None
    yield "PUT", f"/tasks/{task}", {"custom_type": gids["add_custom_type"]}
    yield "PUT", f"/tasks/{task}", {"custom_type_status_option": "1231000000000002"}
    yield "GET", f"/tasks/{task}?opt_fields=resource_subtype,custom_type.name,custom_type_status_option.name", None
    for path in ("budgets/1223", "allocations/1225", "time_tracking_entries/1226", "project_briefs/1222", "goals/1228"):
        yield "DELETE", f"/{path}000000000001", None
        yield "GET", f"/{path}000000000001", None
    yield "GET", f"/tasks/{task}", None
    yield "GET", f"/projects/{project}", None


@pytest.mark.shared
def test_every_answer_about_planning_agrees_with_the_vendors_document(site: Site, asana_spec: Any) -> None:
    made: list[Sent] = []

    def noted() -> Iterator[Sent]:
        for sent in _calls(site):
            made.append(sent)
            yield sent

    assert disagreements(site, asana_spec, noted()) == []
    log = site.control("GET", "requests")["log"][-len(made) :]
    refused = [(line["method"], line["path"]) for line in log if line["status"] >= 400]
    # what was deleted is unknown afterwards, and nothing else was refused
    assert [method for method, _ in refused] == ["GET"] * 5


def test_a_budget_counts_estimates_allocations_and_booked_time_in_minutes_or_in_money(site: Site) -> None:
    gids, project = site.gids, site.gids["project"]
    estimate = {"source": "tasks", "enabled": True}
    made = site.write("POST", "/budgets", parent=project, budget_type="time", estimate=estimate)["gid"]
    site.write("PUT", f"/tasks/{gids['tasks'][0]}", custom_fields={gids["estimate"]: 120})
    site.write("PUT", f"/tasks/{gids['grandchild']}", custom_fields={gids["estimate"]: 60})
    entries = f"/tasks/{gids['grandchild']}/time_tracking_entries"
    site.write("POST", entries, duration_minutes=30)
    site.write("POST", entries, duration_minutes=15, billable_status="nonBillable")
    found = site.get(f"/budgets/{made}")
    assert (found["estimate"]["value"], found["actual"]["value"]) == (180, 30)
    assert found["total"] == {"enabled": True, "units": "minutes", "value": None}
    days = {"start_date": "2026-03-06", "end_date": "2026-03-09", "effort": {"type": "percent", "value": 50}}
    site.write("POST", "/allocations", parent=project, assignee=gids["ann"], **days)
    new = {"budget_type": "cost", "actual": {"billable_status_filter": "any"}, "total": {"value": 1000}}
    site.write("PUT", f"/budgets/{made}", **new, estimate={"source": "capacity_plans"})
    found = site.get(f"/budgets?parent={project}")[0]
    # Friday and Monday, four hours each, at 100 an hour; 45 minutes were booked
    assert [found[part]["value"] for part in ("estimate", "actual", "total")] == [800, 75, 1000]
    assert {found[part]["units"] for part in ("estimate", "actual", "total")} == {"EUR"}
    for wrong in ({"parent": project, "budget_type": "time"}, {"parent": gids["secret"]}, {"budget_type": "time"}):
        assert site.call("POST", "/budgets", data=wrong).status_code in (400, 403)
    nothing_to_show = {"estimate": {"source": "none", "enabled": True}}
    assert site.call("PUT", f"/budgets/{made}", data=nothing_to_show).status_code == 400


def test_booked_time_adds_up_on_its_task_and_is_changed_by_who_booked_it(site: Site) -> None:
    gids, task = site.gids, site.gids["tasks"][1]
    site.control("POST", "asana", {"place": {"task": task, "project": gids["secret"], "section": "1204000000000003"}})
    sync = site.sync(gids["project"])
    first = site.write("POST", f"/tasks/{task}/time_tracking_entries", duration_minutes=50, entered_on="2026-02-20")
    second = site.write("POST", f"/tasks/{task}/time_tracking_entries", "ann", duration_minutes=10)
    assert (first["attributable_to"]["gid"], second["entered_on"]) == (gids["project"], "2026-03-02")
    site.write("PUT", f"/time_tracking_entries/{first['gid']}", duration_minutes=20)
    assert site.get(f"/tasks/{task}", opt_fields="actual_time_minutes")["actual_time_minutes"] == 30
    heard = {event["change"]["field"] for event in site.events(gids["project"], sync)["data"] if "change" in event}
    assert heard == {"actual_time_minutes"}
    assert site.call("DELETE", f"/time_tracking_entries/{second['gid']}").status_code == 403

    def entries(**query: str) -> list[int]:
        return [entry["duration_minutes"] for entry in site.get("/time_tracking_entries", **query)]

    assert entries(workspace=WORKSPACE, entered_on_start_date="2026-02-01", entered_on_end_date="2026-02-28") == [20]
    assert entries(portfolio=gids["portfolio"]) == entries(attributable_to=gids["project"]) == [20, 10]
    assert entries(user=gids["ann"], task=task) == [10]
    assert site.get("/time_tracking_entries", task=task, opt_fields="task,entered_on")[0].keys() == {
        "gid",
        "entered_on",
    }
    for query in ({}, {"workspace": WORKSPACE}):
        assert site.call("GET", "/time_tracking_entries", query=query).status_code == 400
    wrong = [{"duration_minutes": 0}, {"duration_minutes": 5, "attributable_to": gids["hidden"]}]
    assert {site.call("POST", f"/tasks/{task}/time_tracking_entries", data=one).status_code for one in wrong} == {
        400,
        404,
    }
    site.call("DELETE", f"/time_tracking_entries/{first['gid']}")
    assert site.get(f"/tasks/{task}", opt_fields="actual_time_minutes")["actual_time_minutes"] == 10
    site.control("POST", "asana", {"time_tracking": "no"})
    assert site.get(f"/tasks/{task}", opt_fields="actual_time_minutes")["actual_time_minutes"] is None


def test_goals_are_found_by_what_supports_them_and_show_what_was_reported_last(site: Site) -> None:
    gids, periods = site.gids, site.gids["add_time_periods"]
    spring = site.write("POST", "/goals", workspace=WORKSPACE, name="Spring", time_period=periods["Q1"])["gid"]
    boxes = site.write("POST", "/goals", workspace=WORKSPACE, name="Boxes", team=gids["add_team"])["gid"]
    hidden = {"name": "Sell", "owner": gids["ann"], "privacy": "members_only", "created_at": "2026-02-01T00:00:00Z"}
    secret = site.control("POST", "asana", {"add_goal": hidden})["add_goal"]
    for goal, supporter in ((spring, "project"), (spring, "portfolio"), (boxes, "child")):
        site.write("POST", f"/goals/{goal}/addSupportingRelationship", supporting_resource=gids[supporter])
    site.write("POST", f"/goals/{spring}/addSupportingRelationship", supporting_resource=boxes)

    def goals(**query: str) -> list[str]:
        return [goal["name"] for goal in site.get("/goals", **query)]

    assert goals(project=gids["project"]) == goals(portfolio=gids["portfolio"]) == ["Spring"]
    assert goals(task=gids["child"]) == goals(team=gids["add_team"]) == ["Boxes"]
    assert goals(workspace=WORKSPACE) == ["Spring", "Boxes"]
    assert goals(workspace=WORKSPACE, time_periods=f"{periods['Q1']},{periods['Q2']}") == ["Spring"]
    assert goals(workspace=WORKSPACE, is_workspace_level="false") == ["Boxes"]
    assert [goal["name"] for goal in site.get("/goals", "ann", workspace=WORKSPACE)] == ["Spring", "Boxes", "Sell"]
    assert site.call("GET", f"/goals/{secret}").status_code == 403
    for wrong in ({}, {"is_workspace_level": "true"}):
        assert site.call("GET", "/goals", query=wrong).status_code == 400
    circle = {"supporting_resource": spring}
    assert site.call("POST", f"/goals/{boxes}/addSupportingRelationship", data=circle).status_code == 400
    found = site.get(f"/goals/{spring}")
    assert (found["status"], found["start_on"], found["due_on"]) == (None, "2026-01-01", "2026-03-31")
    for status, shown in (("at_risk", "yellow"), ("missed", "missed")):
        site.write("POST", "/status_updates", parent=spring, status_type=status, text="So it is")
        site.control("POST", "clock", {"advance_s": 60})
        assert site.get(f"/goals/{spring}", opt_fields="status")["status"] == shown
    assert site.call("PUT", f"/goals/{spring}", data={"status": "green"}).status_code == 400
    site.write("DELETE", f"/goals/{boxes}")
    assert len(site.get("/goal_relationships", supported_goal=spring)) == 2


def test_what_a_plan_lacks_is_answered_with_402_and_by_itself(site: Site) -> None:
    gids = site.gids
    paths = {
        "budgets": f"/budgets?parent={gids['project']}",
        "allocations": f"/allocations?parent={gids['project']}",
        "goals": f"/goals?project={gids['project']}",
        "time_tracking": f"/time_tracking_entries?task={gids['tasks'][0]}",
    }
    for lacking in paths:
        site.control("POST", "asana", {lacking: "no"})
        assert [name for name, path in paths.items() if site.call("GET", path).status_code == 402] == [lacking]
        site.control("POST", "asana", {lacking: "yes"})
    site.control("POST", "asana", {"premium": "no"})
    assert {site.call("GET", path).status_code for path in paths.values()} == {402}
    assert site.call("POST", f"/projects/{gids['project']}/project_briefs", data={"text": "x"}).status_code == 402


def test_a_brief_is_written_whole_once_for_a_project_and_only_as_valid_xml(site: Site) -> None:
    project = site.gids["project"]
    html = "<body><h1>Why</h1>Rooms &amp; rent\n<table><tr><td>Floor</td><td>2</td></tr></table></body>"
    made = site.write("POST", f"/projects/{project}/project_briefs", html_text=html)["gid"]
    assert site.call("POST", f"/projects/{project}/project_briefs", data={"text": "x"}).status_code == 400
    for wrong in (
        {"html_text": "<body><p>x</p></body>"},
        {"html_text": "<body>a & b</body>"},
        {"text": "a", "html_text": html},
    ):
        assert site.call("PUT", f"/project_briefs/{made}", data=wrong).status_code == 400
    found = site.get(f"/project_briefs/{made}", opt_fields="html_text,text")
    assert found["html_text"] == html
    assert "Rooms & rent" in found["text"]
    assert site.get(f"/projects/{project}", opt_fields="project_brief")["project_brief"]["gid"] == made
    assert site.call("POST", f"/projects/{site.gids['secret']}/project_briefs", data={"text": "x"}).status_code == 403


def test_a_task_of_a_custom_type_is_completed_by_its_status_and_its_status_by_the_tick(site: Site) -> None:
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    shown = "resource_subtype,completed,custom_type.name,custom_type_status_option.name"
    opened, closed = site.get(f"/custom_types/{gids['add_custom_type']}")["status_options"]
    both = {"custom_type_status_option": closed["gid"], "custom_type": gids["add_custom_type"]}
    found = site.write("PUT", f"{task}?opt_fields={shown}", **both)
    assert (found["resource_subtype"], found["completed"], found["custom_type"]["name"]) == ("custom", True, "Crate")
    found = site.write("PUT", f"{task}?opt_fields={shown}", completed=False)
    assert found["custom_type_status_option"]["name"] == opened["name"] == "Open"
    found = site.write("PUT", f"{task}?opt_fields={shown}", resource_subtype="milestone")
    assert (found["custom_type"], found["custom_type_status_option"]) == (None, None)
    wrong = {"custom_type_status_option": closed["gid"]}
    assert site.call("PUT", task, data=wrong).status_code == 400
    site.control("POST", "asana", {"set_subtype": {"task": gids["tasks"][1], "resource_subtype": "incident"}})
    assert site.get(f"/tasks/{gids['tasks'][1]}")["resource_subtype"] == "incident"


def test_the_official_package_plans_books_and_reads_it_back(site: Site) -> None:
    gids, project, task = site.gids, site.gids["project"], site.gids["tasks"][0]
    configuration = asana.Configuration()
    configuration.host = f"{site.server.url}/api/1.0"
    configuration.access_token = "bot"
    client = asana.ApiClient(configuration)
    budgets, entries = asana.BudgetsApi(client), asana.TimeTrackingEntriesApi(client)
    budgets.create_budget({"data": {"parent": project, "budget_type": "time", "total": {"value": 60}}})
    entries.create_time_tracking_entry({"data": {"duration_minutes": 25}}, task, {})
    assert [one["actual"]["value"] for one in budgets.get_budgets(project)] == [25]
    assert [one["duration_minutes"] for one in entries.get_time_tracking_entries_for_task(task, {})] == [25]
    days = {"start_date": "2026-03-02", "end_date": "2026-03-13"}
    allocations = asana.AllocationsApi(client)
    allocations.create_allocation({"data": {"parent": project, "assignee": gids["ann"], **days}}, {})
    assert [one["assignee"]["name"] for one in allocations.get_allocations({"parent": project})] == ["Ann"]
    goal = asana.GoalsApi(client).create_goal({"data": {"workspace": WORKSPACE, "name": "Moved"}}, {})
    tie = {"data": {"supporting_resource": project}}
    asana.GoalRelationshipsApi(client).add_supporting_relationship(tie, goal["gid"], {})
    assert [one["name"] for one in asana.GoalsApi(client).get_goals({"project": project})] == ["Moved"]
    brief = asana.ProjectBriefsApi(client).create_project_brief({"data": {"text": "Why"}}, project, {})
    found = asana.ProjectsApi(client).get_project(project, {"opt_fields": "project_brief,team.name"})
    assert (found["project_brief"]["gid"], found["team"]["name"]) == (brief["gid"], "Removals")
    assert [one["name"] for one in asana.TeamsApi(client).get_teams_for_workspace(WORKSPACE, {})] == ["Removals"]


def test_a_state_that_an_older_sandbox_saved_gets_the_columns_that_came_later() -> None:
    state = State()
    tables.prepare(state)
    seed.add_workspace(state, "Acme")
    kept = seed.add_user(state, "Ann", "ann@acme.example")
    for table, column in (("user", "view_only"), ("task", "custom_type"), ("portfolio", "archived")):
        state.db.execute(f"ALTER TABLE asana_{table} DROP COLUMN {column}")
    tables.prepare(state)
    seed.add_user(state, "Gil", "gil@acme.example", view_only=True)
    found = state.rows("SELECT gid, view_only FROM asana_user ORDER BY gid")
    assert [(user["gid"] == kept, user["view_only"]) for user in found] == [(True, 0), (False, 1)]
