"""The sandbox's Asana tells what happened to a task, in fields of its own for each kind, and whom it tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .asana_site import Site, small_site

DUE = "old_dates.(due_on|start_on|due_at),new_dates.(due_on|start_on|due_at)"


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with small_site() as started:
        yield started


@pytest.fixture
def site(running: Site) -> Site:
    running.begin_again()
    return running


def _told(site: Site, task: str, fields: str = "", token: str = "bot") -> list[dict[str, Any]]:
    """The system stories of a task, in order, with the fields asked for."""
    asked = f"type,resource_subtype,created_by.gid,{fields}"
    found = site.get(f"/tasks/{task}/stories", token, opt_fields=asked, limit=100)
    return [story for story in found if story["type"] == "system"]


def _noise(site: Site) -> list[tuple[str, str]]:
    """Whom Asana told of what."""
    return [(line["recipient_name"], line["why"]) for line in site.control("GET", "asana/notifications")]


def test_every_change_of_a_task_is_told_with_what_it_was_before_and_is_now(site: Site) -> None:
    gids, task = site.gids, site.gids["tasks"][0]
    path = f"/tasks/{task}"
    site.write("PUT", path, name="Renamed", assignee=None, due_on="2026-03-20")
    site.write("PUT", path, assignee=gids["ann"], start_on="2026-03-16", due_on="2026-03-20")
    site.write("PUT", path, custom_fields={gids["stage"]: gids["stages"]["Doing"], gids["estimate"]: 90})
    site.write("POST", f"/sections/{gids['doing']}/addTask", task=task)
    site.write("POST", f"{path}/addDependencies", dependencies=[gids["tasks"][1]])
    site.write("POST", f"{path}/addTag", tag=gids["tag"])
    site.write("PUT", path, completed=True)
    site.write("PUT", path, completed=False, resource_subtype="approval")
    site.write("PUT", path, approval_status="rejected")
    site.write("POST", f"{path}/removeProject", project=gids["project"])
    names = (
        "assignee.gid,old_section.name,new_section.name,old_enum_value.name,new_enum_value.name,old_number_value,"
        "new_number_value,custom_field.name,dependency.gid,tag.name,project.name,old_name,new_name,target.gid,"
        f"old_approval_status,new_approval_status,old_resource_subtype,new_resource_subtype,{DUE}"
    )
    told = _told(site, task, names, "ann")
    by_kind = {story["resource_subtype"]: story for story in told}
    assert [story["resource_subtype"] for story in told] == [
        "name_changed", "unassigned", "due_date_changed", "assigned", "start_date_changed",
        "enum_custom_field_changed", "number_custom_field_changed", "section_changed", "dependency_added",
        "added_to_tag", "marked_complete", "marked_incomplete", "resource_subtype_changed", "marked_complete",
        "approval_status_changed", "removed_from_project",
    ]  # fmt: skip
    assert {(story["created_by"]["gid"], story["target"]["gid"]) for story in told} == {(gids["bot"], task)}
    assert (by_kind["name_changed"]["old_name"], by_kind["name_changed"]["new_name"]) == ("Task 0", "Renamed")
    assert by_kind["unassigned"]["assignee"]["gid"] == by_kind["assigned"]["assignee"]["gid"] == gids["ann"]
    due = by_kind["due_date_changed"]
    assert (due["old_dates"]["due_on"], due["new_dates"]["due_on"]) == ("2026-03-10", "2026-03-20")
    start = by_kind["start_date_changed"]
    assert (start["old_dates"]["start_on"], start["new_dates"]["start_on"]) == (None, "2026-03-16")
    enum, number = by_kind["enum_custom_field_changed"], by_kind["number_custom_field_changed"]
    assert (enum["custom_field"]["name"], enum["old_enum_value"], enum["new_enum_value"]["name"]) == (
        "Stage", None, "Doing"
    )  # fmt: skip
    assert (number["old_number_value"], number["new_number_value"]) == (None, 90)
    section = by_kind["section_changed"]
    assert (section["old_section"]["name"], section["new_section"]["name"]) == ("To do", "In progress")
    assert by_kind["dependency_added"]["dependency"]["gid"] == gids["tasks"][1]
    assert by_kind["added_to_tag"]["tag"]["name"] == "urgent"
    assert by_kind["resource_subtype_changed"]["new_resource_subtype"] == "approval"
    approval = by_kind["approval_status_changed"]
    assert (approval["old_approval_status"], approval["new_approval_status"]) == ("pending", "rejected")
    assert by_kind["removed_from_project"]["project"]["name"] == "Move"
    assert [story["resource_subtype"] for story in _told(site, gids["tasks"][1])] == ["dependent_added"]
    assert "dependency" not in by_kind["section_changed"]


def test_a_new_task_and_one_that_gets_another_parent_tell_where_they_came_from(site: Site) -> None:
    gids = site.gids
    made = site.write("POST", "/tasks", name="New", projects=[gids["project"]], assignee=gids["ann"])["gid"]
    inner = site.write("POST", f"/tasks/{made}/subtasks", name="Inner")["gid"]
    sync = site.sync(gids["project"])
    site.write("POST", f"/tasks/{inner}/setParent", parent=gids["tasks"][0])
    site.write("POST", f"/tasks/{inner}/setParent", parent=None)
    assert [story["resource_subtype"] for story in _told(site, made)] == ["added_to_project", "assigned"]
    told = [(story["resource_subtype"], story["task"]["gid"]) for story in _told(site, inner, "task.gid")]
    assert told == [
        ("added_to_task", made),
        ("removed_from_task", made),
        ("added_to_task", gids["tasks"][0]),
        ("removed_from_task", gids["tasks"][0]),
    ]
    heard = [event for event in site.events(gids["project"], sync)["data"] if event["type"] == "task"]
    assert [(event["action"], (event["parent"] or {}).get("gid")) for event in heard] == [
        ("changed", None), ("removed", made), ("added", gids["tasks"][0]), ("changed", None),
        ("removed", gids["tasks"][0]),
    ]  # fmt: skip


def test_a_comment_can_be_edited_and_deleted_by_its_author_only_and_pinned_by_others(site: Site) -> None:
    task = site.gids["tasks"][0]
    made = site.write("POST", f"/tasks/{task}/stories", html_text="<body>1 &lt; 2</body>", is_pinned=True)
    assert (made["text"], made["is_pinned"], made["is_edited"], made["is_editable"]) == ("1 < 2", True, False, True)
    path = f"/stories/{made['gid']}"
    assert site.get(path, "ann", opt_fields="is_editable")["is_editable"] is False
    assert site.call("PUT", path, "ann", data={"text": "Mine"}).status_code == 403
    assert site.call("DELETE", path, "ann").status_code == 403
    assert site.write("PUT", path, "ann", is_pinned=False)["is_pinned"] is False
    edited = site.write("PUT", path, html_text="<body><strong>2</strong> &gt; 1</body>")
    assert (edited["text"], edited["is_edited"], edited["created_at"]) == ("2 > 1", True, made["created_at"])
    assert site.call("PUT", path, data={"task": task}).status_code == 400
    site.write("PUT", f"/tasks/{task}", name="Other")
    system = _told(site, task)[-1]["gid"]
    for method in ("PUT", "DELETE"):
        assert site.call(method, f"/stories/{system}", data={"text": "x"}).status_code == 403
    site.write("DELETE", path)
    assert site.call("GET", path).status_code == 404


def test_the_stories_of_a_task_come_in_pages(site: Site) -> None:
    path = f"/tasks/{site.gids['tasks'][0]}/stories"
    for n in range(5):
        site.write("POST", path, text=f"Comment {n}")
    found, query = [], {"limit": 2}
    while True:
        body = site.call("GET", path, query=query).json()
        found += [story["text"] for story in body["data"]]
        if body["next_page"] is None:
            break
        query["offset"] = body["next_page"]["offset"]
    assert found == [f"Comment {n}" for n in range(5)]


def test_a_comment_moves_modified_at_and_an_edit_of_it_does_not(site: Site) -> None:
    task = f"/tasks/{site.gids['tasks'][0]}"
    before = site.get(task, opt_fields="modified_at")["modified_at"]
    story = site.write("POST", f"{task}/stories", text="Hello")["gid"]
    commented = site.get(task, opt_fields="modified_at")["modified_at"]
    site.write("PUT", f"/stories/{story}", text="Goodbye")
    assert before < commented == site.get(task, opt_fields="modified_at")["modified_at"]


def test_a_comment_is_told_to_followers_and_to_whom_it_names_and_its_author_follows(site: Site) -> None:
    gids, task = site.gids, site.gids["tasks"][0]
    followers = f"/tasks/{task}?opt_fields=followers"
    before = site.get(followers)["followers"]
    site.write("POST", f"/tasks/{task}/stories", text="Hello")
    assert _noise(site) == [("Ann", "comment")]
    assert [one["gid"] for one in site.get(followers)["followers"]] == [*(one["gid"] for one in before), gids["bot"]]
    site.write("POST", f"/tasks/{task}/removeFollowers", followers=["me"])
    assert site.get(followers)["followers"] == before
    site.control("POST", "asana", {"comment_follows": "no"})
    child = gids["child"]
    html = f'<body><a data-asana-gid="{gids["ann"]}"/> please look</body>'
    story = site.write("POST", f"/tasks/{child}/stories", html_text=html)["gid"]
    assert _noise(site)[1:] == [("Ann", "mention")]
    assert [one["gid"] for one in site.get(f"/tasks/{child}?opt_fields=followers")["followers"]] == [gids["ann"]]
    site.write("PUT", f"/stories/{story}", html_text=html.replace("look", "listen"))
    assert len(_noise(site)) == 2
    site.control("POST", "asana", {"edits_notify": "yes"})
    site.write("PUT", f"/stories/{story}", html_text=html.replace("look", "speak"))
    assert _noise(site)[2:] == [("Ann", "edited")]


def test_fields_and_tags_are_as_loud_as_they_are_set_and_an_assignee_always_hears(site: Site) -> None:
    gids, task = site.gids, f"/tasks/{site.gids['tasks'][0]}"
    site.write("PUT", task, custom_fields={gids["estimate"]: 5})
    site.write("POST", f"{task}/addTag", tag=gids["tag"])
    assert _noise(site) == []
    site.write("PUT", task, custom_fields={gids["loud"]: "Listen"})
    assert _noise(site) == [("Ann", "field")]
    site.control("POST", "switches", {"asana": {"tags_notify": "yes", "fields_follow": "yes"}})
    site.write("POST", f"{task}/removeTag", tag=gids["tag"])
    site.write("PUT", task, custom_fields={gids["estimate"]: 6})
    assert _noise(site)[1:] == [("Ann", "tag")]
    assert gids["bot"] in [one["gid"] for one in site.get(task, opt_fields="followers")["followers"]]
    site.write("PUT", f"/tasks/{gids['tasks'][1]}", assignee=None)
    site.write("PUT", f"/tasks/{gids['tasks'][1]}", assignee="ann@acme.example")
    site.write("POST", f"/tasks/{gids['child']}/addFollowers", followers=["ann@acme.example", gids["bob"]])
    assert _noise(site)[2:] == [("Ann", "assigned"), ("Ann", "followed")]


def test_a_past_can_be_ordered_and_is_read_like_any_other(site: Site) -> None:
    gids, task = site.gids, site.gids["tasks"][0]
    modified = site.get(f"/tasks/{task}", opt_fields="modified_at")["modified_at"]
    told = {"old_dates": {"due_on": "2026-02-01"}, "new_dates": {"due_on": "2026-03-10"}}
    story = {"task": task, "actor": "ann@acme.example", "subtype": "due_date_changed", "text": "changed the due date"}
    comment = {"task": task, "actor": gids["ann"], "text": "Hi", "at": "2026-02-11T09:00:00+00:00"}
    orders = {"add_story": [{**story, "at": "2026-02-10T09:00:00+00:00", **told}], "add_comment": comment}
    done = site.control("POST", "asana", orders)
    first = site.get(f"/stories/{done['add_story'][0]}", opt_fields=f"created_at,text,{DUE}")
    assert (first["text"], first["created_at"]) == ("Ann changed the due date", "2026-02-10T09:00:00.000Z")
    assert {name: first[name] for name in told} == told
    assert [story["type"] for story in site.get(f"/tasks/{task}/stories")] == ["system", "comment"]
    assert site.get(f"/tasks/{task}", opt_fields="modified_at")["modified_at"] == modified
