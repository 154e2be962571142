"""The sandbox's Asana pages, selects, remembers and refuses as the vendor's does."""

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


def test_a_caller_without_a_known_token_is_told_not_authorized(site: Site) -> None:
    answer = site.call("GET", "/users/me", token="nobody")
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (401, "Not Authorized")


def test_a_list_is_told_in_pages_that_hold_everything_once(site: Site) -> None:
    seen, query = [], {"project": site.gids["project"], "limit": 2}
    while True:
        body = site.call("GET", "/tasks", query=query).json()
        seen += [task["gid"] for task in body["data"]]
        if body["next_page"] is None:
            break
        query = {**query, "offset": body["next_page"]["offset"]}
    assert seen == site.gids["tasks"]


def test_a_task_may_be_done_when_it_is_made(site: Site) -> None:
    data = {"name": "Sign off", "projects": [site.gids["project"]], "completed": True}
    made = site.call("POST", "/tasks", data=data)
    assert (made.status_code, made.json()["data"]["completed"]) == (201, True)


def test_a_list_without_a_limit_has_no_next_page_at_all(site: Site) -> None:
    assert "next_page" not in site.call("GET", "/tasks", query={"project": site.gids["project"]}).json()


@pytest.mark.parametrize("limit", ["0", "101", "many"])
def test_a_limit_outside_1_to_100_is_refused(site: Site, limit: str) -> None:
    assert site.call("GET", "/users", query={"limit": limit}).status_code == 400


def test_an_offset_of_another_list_is_refused(site: Site) -> None:
    first = site.call("GET", "/tasks", query={"project": site.gids["project"], "limit": 1}).json()
    answer = site.call("GET", "/users", query={"limit": 1, "offset": first["next_page"]["offset"]})
    assert answer.status_code == 400
    assert "offset" in answer.json()["errors"][0]["message"]


def test_an_offset_expires(site: Site) -> None:
    query = {"project": site.gids["project"], "limit": 1}
    offset = site.call("GET", "/tasks", query=query).json()["next_page"]["offset"]
    site.control("POST", "clock", {"advance_s": 3600})
    assert site.call("GET", "/tasks", query={**query, "offset": offset}).status_code == 400


def test_a_task_deleted_between_two_pages_hides_no_other(site: Site) -> None:
    query = {"project": site.gids["project"], "limit": 2}
    first = site.call("GET", "/tasks", query=query).json()
    site.write("DELETE", f"/tasks/{site.gids['tasks'][0]}")
    second = site.call("GET", "/tasks", query={**query, "offset": first["next_page"]["offset"]}).json()
    assert [task["gid"] for task in second["data"]] == site.gids["tasks"][2:4]


def test_nothing_is_answered_that_was_not_asked_for(site: Site) -> None:
    task = site.get(f"/tasks/{site.gids['tasks'][0]}", opt_fields="name,assignee.name,parent,nonsense,followers")
    assert task == {
        "gid": site.gids["tasks"][0],
        "name": "Task 0",
        "assignee": {"gid": site.gids["ann"], "name": "Ann"},
        "parent": None,
        "followers": [{"gid": site.gids["ann"], "resource_type": "user"}],
    }


def test_a_group_in_opt_fields_names_both_of_its_members(site: Site) -> None:
    task = site.get(f"/tasks/{site.gids['tasks'][0]}", opt_fields="memberships.(project|section).name")
    place = task["memberships"][0]
    assert (place["project"]["name"], place["section"]["name"]) == ("Move", "To do")


def test_what_is_on_request_only_is_absent_from_an_ordinary_record(site: Site) -> None:
    task = site.get(f"/tasks/{site.gids['tasks'][0]}")
    assert {"num_subtasks", "dependencies", "dependents", "is_rendered_as_separator"}.isdisjoint(task)
    assert task["assignee"]["name"] == "Ann"


def test_a_projects_tasks_leave_out_subtasks_of_any_depth(site: Site) -> None:
    listed = {task["gid"] for task in site.get("/tasks", project=site.gids["project"])}
    assert listed == set(site.gids["tasks"])
    assert site.get(f"/tasks/{site.gids['tasks'][0]}", opt_fields="num_subtasks")["num_subtasks"] == 1
    assert [task["name"] for task in site.get(f"/tasks/{site.gids['child']}/subtasks")] == ["Grandchild"]


def test_tasks_without_a_filter_are_refused(site: Site) -> None:
    assert site.call("GET", "/tasks").status_code == 400


def test_modified_since_takes_the_very_millisecond_and_not_the_next(site: Site) -> None:
    task = site.write("PUT", f"/tasks/{site.gids['tasks'][3]}", name="Renamed")
    at = task["modified_at"]
    later = at[:-4] + f"{int(at[-4:-1]) + 1:03d}Z" if at[-4:-1] != "999" else "2026-03-03T00:00:00.000Z"
    query = {"project": site.gids["project"]}
    assert [t["gid"] for t in site.get("/tasks", **query, modified_since=at)] == [task["gid"]]
    assert site.get("/tasks", **query, modified_since=later) == []


def test_a_change_of_a_subtask_does_not_modify_its_parent(site: Site) -> None:
    before = site.get(f"/tasks/{site.gids['tasks'][0]}")["modified_at"]
    site.write("PUT", f"/tasks/{site.gids['child']}", name="Changed")
    assert site.get(f"/tasks/{site.gids['tasks'][0]}")["modified_at"] == before


def test_a_move_into_a_project_shows_in_the_filter_and_not_in_modified_at(site: Site) -> None:
    task, other = site.gids["tasks"][1], site.write("POST", "/projects", "ann", workspace=WORKSPACE, name="Other")
    since = "2026-03-02T09:00:00.000Z"
    site.write("POST", f"/tasks/{task}/addProject", project=other["gid"])
    found = site.get(f"/projects/{other['gid']}/tasks", opt_fields="modified_at,memberships.project.name")
    assert found[0]["modified_at"] < since
    assert [place["project"]["name"] for place in found[0]["memberships"]] == ["Move", "Other"]
    assert [t["gid"] for t in site.get("/tasks", project=other["gid"], modified_since=since)] == [task]


def test_a_deleted_task_is_gone_from_lists_and_unknown_with_its_subtasks(site: Site) -> None:
    site.write("DELETE", f"/tasks/{site.gids['tasks'][0]}")
    assert len(site.get("/tasks", project=site.gids["project"])) == 4
    for gid in (site.gids["tasks"][0], site.gids["child"], site.gids["grandchild"]):
        assert site.call("GET", f"/tasks/{gid}").status_code == 404


def test_only_open_or_lately_completed_tasks_pass_completed_since(site: Site) -> None:
    site.write("PUT", f"/tasks/{site.gids['tasks'][0]}", completed=True)
    site.control("POST", "clock", {"advance_s": 60})
    query = {"project": site.gids["project"]}
    assert len(site.get("/tasks", **query, completed_since="now")) == 4
    assert len(site.get("/tasks", **query, completed_since="2026-03-02T09:00:00Z")) == 5


def test_a_private_project_is_forbidden_to_others_and_missing_from_their_lists(site: Site) -> None:
    assert [p["name"] for p in site.get("/projects", workspace=WORKSPACE)] == ["Move"]
    assert len(site.get("/projects", "ann", workspace=WORKSPACE)) == 2
    for path in (f"/projects/{site.gids['secret']}", f"/tasks?project={site.gids['secret']}"):
        assert site.call("GET", path).status_code == 403
    assert site.call("GET", f"/tasks/{site.gids['hidden']}").status_code == 403


def test_only_an_admin_of_a_project_may_delete_it(site: Site) -> None:
    assert site.call("DELETE", f"/projects/{site.gids['project']}").status_code == 403
    site.write("DELETE", f"/projects/{site.gids['project']}", "ann")
    assert site.call("GET", f"/projects/{site.gids['project']}").status_code == 404
    assert site.get(f"/tasks/{site.gids['tasks'][0]}", "ann")["projects"] == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"due_on": "tomorrow"}, "due_on"),
        ({"start_on": "2026-03-01"}, "start_on"),
        ({"start_on": "2026-03-20", "due_on": "2026-03-10"}, "start_on"),
        ({"completed": "yes"}, "completed"),
        ({"assignee": "999"}, "assignee"),
        ({"modified_at": "2026-03-01T00:00:00Z"}, "modified_at"),
        ({"custom_fields": {"999": "x"}}, "custom_fields"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_of_the_request_is_applied(site: Site, given: object, says: str) -> None:
    before = site.control("GET", "state")
    task = site.gids["tasks"][0]
    answer = site.call("PUT", f"/tasks/{task}", data={"name": "New name", **given})  # type: ignore[dict-item]
    assert 400 <= answer.status_code < 500
    assert says in answer.json()["errors"][0]["message"]
    assert site.control("GET", "state") == before


def test_a_person_who_left_shows_in_the_workspace_membership(site: Site) -> None:
    found = site.get(f"/workspaces/{WORKSPACE}/workspace_memberships", opt_fields="user.email,is_active")
    assert {m["user"]["email"]: m["is_active"] for m in found}["bob@acme.example"] is False


def test_dependencies_read_from_both_ends_and_a_thirty_first_is_refused(site: Site) -> None:
    first, second = site.gids["tasks"][:2]
    site.write("POST", f"/tasks/{second}/addDependencies", dependencies=[first])
    assert site.get(f"/tasks/{second}", opt_fields="dependencies")["dependencies"][0]["gid"] == first
    assert site.get(f"/tasks/{first}", opt_fields="dependents")["dependents"][0]["gid"] == second
    more = [site.write("POST", "/tasks", projects=[site.gids["project"]], name=f"P{n}")["gid"] for n in range(30)]
    assert site.call("POST", f"/tasks/{second}/addDependencies", data={"dependencies": more}).status_code == 400
    site.write("POST", f"/tasks/{second}/removeDependencies", dependencies=[first])
    assert site.get(f"/tasks/{second}/dependencies") == []


def test_a_tag_can_be_made_put_on_a_task_and_taken_off(site: Site) -> None:
    tag = site.write("POST", "/tags", workspace=WORKSPACE, name="pmo-high")["gid"]
    task = site.gids["tasks"][0]
    site.write("POST", f"/tasks/{task}/addTag", tag=tag)
    assert [t["name"] for t in site.get(f"/tasks/{task}", opt_fields="tags.name")["tags"]] == ["pmo-high"]
    site.write("POST", f"/tasks/{task}/removeTag", tag=tag)
    assert site.get(f"/tasks/{task}")["tags"] == []


def test_a_task_is_made_with_place_followers_tags_and_fields_at_once(site: Site) -> None:
    gids = site.gids
    task = site.write(
        "POST",
        "/tasks",
        name="New",
        memberships=[{"project": gids["project"], "section": gids["doing"]}],
        assignee="ann@acme.example",
        tags=[gids["tag"]],
        custom_fields={gids["stage"]: gids["stages"]["Doing"], gids["estimate"]: 90},
    )
    assert task["memberships"][0]["section"]["name"] == "In progress"
    assert {f["name"]: f["display_value"] for f in task["custom_fields"]} == {
        "Stage": "Doing",
        "Estimated time": "90",
        "Loud": None,
    }
    assert [m["recipient"] for m in site.control("GET", "mail")] == ["ann@acme.example"]


def test_a_comment_mails_the_followers_and_only_its_author_may_change_it(site: Site) -> None:
    task = site.gids["tasks"][0]
    story = site.write("POST", f"/tasks/{task}/stories", html_text="<body>Is it <strong>on time</strong>?</body>")
    assert (story["text"], story["type"]) == ("Is it on time?", "comment")
    assert [m["recipient"] for m in site.control("GET", "mail")] == ["ann@acme.example"]
    assert site.call("PUT", f"/stories/{story['gid']}", "ann", data={"text": "no"}).status_code == 403
    assert site.write("PUT", f"/stories/{story['gid']}", text="Is it?")["text"] == "Is it?"
    assert len(site.control("GET", "mail")) == 1
    site.write("DELETE", f"/stories/{story['gid']}")
    assert site.get(f"/tasks/{task}/stories") == []


@pytest.mark.parametrize("html", ["<body>a & b</body>", "<body><p>no</p></body>", "plain"])
def test_a_comment_that_is_not_asanas_xml_is_refused(site: Site, html: str) -> None:
    answer = site.call("POST", f"/tasks/{site.gids['tasks'][0]}/stories", data={"html_text": html})
    assert answer.status_code == 400


def test_a_page_shows_the_task_with_its_flag_and_escapes_what_people_wrote(site: Site) -> None:
    gids = site.gids
    site.write("PUT", f"/tasks/{gids['tasks'][0]}", name='<b>&"', custom_fields={gids["loud"]: "late <since> May"})
    page = site.session.get(f"{site.server.url}/0/{gids['project']}/{gids['tasks'][0]}", timeout=10)
    assert page.status_code == 200
    assert "&lt;b&gt;&amp;&#34;" in page.text
    assert "late &lt;since&gt; May" in page.text
    assert "<b>&" not in page.text
    assert "Task 1" in site.session.get(f"{site.server.url}/0/{gids['project']}", timeout=10).text
