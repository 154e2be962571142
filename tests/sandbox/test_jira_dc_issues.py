"""The sandbox's Data Center mode shows and edits issues, projects, people and comments as Data Center does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pmosync.sandbox.jira import seed

from .data_center_by_hand import SPRINT, Planted, plant

EPIC_LINK, EPIC_NAME, PARENT_LINK = "customfield_10100", "customfield_10101", "customfield_10102"
CLOUD_WORDS = re.compile(r"accountId|hierarchyLevel|statuscategorychangedate|/rest/api/3|\"simplified\"|jsdPublic")


@pytest.fixture
def planted(site: Any) -> Planted:
    return plant(site.server.app.state)


def issue(site: Any, key: str, **query: str) -> dict[str, Any]:
    answer = site.as_user().get(site.api(f"/issue/{key}"), params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def edit(site: Any, key: str, body: dict[str, Any], status: int = 204) -> Any:
    answer = site.as_user().put(site.api(f"/issue/{key}"), json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def switch(site: Any, **switches: Any) -> None:
    site.control("POST", "switches", {"jira": switches})


# -- people -----------------------------------------------------------------------------------------------------------


def test_people_have_names_and_keys_and_no_account_ids(data_center: Any) -> None:
    get = data_center.as_user().get
    ann = get(data_center.api("/user"), params={"username": "ann"}).json()
    bot = get(data_center.api("/myself")).json()
    assert (ann["key"], ann["emailAddress"], ann["timeZone"]) == ("ann", "ann@acme.example", "America/New_York")
    assert re.fullmatch(r"JIRAUSER\d+", bot["key"])
    assert get(data_center.api("/user"), params={"key": bot["key"]}).json()["name"] == "bot"
    assert get(data_center.api("/user"), params={"key": "bot"}).status_code == 404
    assert issue(data_center, "PAY-2", fields="assignee")["fields"]["assignee"] == ann


def test_people_are_searched_by_a_part_of_a_name_and_the_inactive_ones_on_request(data_center: Any) -> None:
    def found(**query: Any) -> list[str]:
        answer = data_center.as_user().get(data_center.api("/user/search"), params=query)
        assert answer.status_code == 200, answer.text
        return [one["name"] for one in answer.json()]

    assert found(username="østergård") == ["ann"]
    assert found(username=".") == ["ann", "bot"]
    assert found(username=".", includeInactive="true") == ["ann", "ben", "bot"]
    assert found(username=".", includeInactive="true", includeActive="false") == ["ben"]
    assert found(username=".", includeInactive="true", startAt=1, maxResults=1) == ["ben"]
    assert data_center.as_user().get(data_center.api("/user/search")).status_code == 400


def test_all_people_are_listed_by_a_cursor(data_center: Any) -> None:
    found: list[str] = []
    url: str | None = data_center.api("/user/list?maxResults=2")
    while url:
        page = data_center.as_user().get(url).json()
        found += [one["name"] for one in page["values"]]
        url = page.get("nextPage")
        assert page["isLast"] == (url is None)
    assert found == ["bot", "ann", "ben"]


# -- issues -----------------------------------------------------------------------------------------------------------


def test_a_parent_is_told_by_the_field_of_its_level(planted: Planted, data_center: Any) -> None:
    def parents(key: str) -> tuple[Any, Any, Any]:
        fields = issue(data_center, key)["fields"]
        return fields.get("parent", {}).get("key"), fields[EPIC_LINK], fields[PARENT_LINK]

    assert parents(planted.initiative) == (None, None, None)
    assert parents(planted.epic) == (None, None, planted.initiative)
    assert parents(planted.story) == (None, planted.epic, None)
    assert parents(planted.subtask) == (planted.story, None, None)
    assert issue(data_center, planted.epic)["fields"][EPIC_NAME] == "Open a branch"
    assert issue(data_center, planted.story, fields=EPIC_LINK)["fields"] == {EPIC_LINK: planted.epic}
    switch(data_center, parent_link="object")
    above = issue(data_center, planted.epic, fields=PARENT_LINK)["fields"][PARENT_LINK]
    assert (above["data"]["key"], above["data"]["keyNum"]) == (planted.initiative, 7)


def test_the_list_of_fields_names_the_kinds_of_data_centers_own(planted: Planted, data_center: Any) -> None:
    found = {one["name"]: one for one in data_center.as_user().get(data_center.api("/field")).json()}
    assert found["Epic Link"]["schema"]["custom"] == "com.pyxis.greenhopper.jira:gh-epic-link"
    assert found["Parent Link"]["schema"]["custom"] == "com.atlassian.jpo:jpo-custom-field-parent"
    assert found["Epic Name"]["schema"]["custom"] == "com.pyxis.greenhopper.jira:gh-epic-label"
    assert found["Sprint"]["id"] == SPRINT
    assert not {"Parent", "Status Category Changed"} & found.keys()
    assert all("key" not in one for one in found.values())


def test_sprints_are_texts_of_java_or_objects_as_switched(planted: Planted, data_center: Any) -> None:
    (text,) = issue(data_center, planted.story)["fields"][SPRINT]
    assert re.fullmatch(r"com\.atlassian\.greenhopper\.service\.sprint\.Sprint@[0-9a-f]+\[id=1,.*\]", text)
    assert "rapidViewId=1,state=ACTIVE,name=Sprint 1,startDate=2026-02-23T09:00:00.000+01:00,endDate=" in text
    assert "goal=Ship, soon," in text
    assert "completeDate=<null>" in text
    switch(data_center, sprints="objects")
    (sprint,) = issue(data_center, planted.story)["fields"][SPRINT]
    assert (sprint["id"], sprint["state"], sprint["boardId"]) == (1, "active", 1)


def test_texts_are_wiki_texts_and_come_back_as_they_were_given(data_center: Any) -> None:
    wiki = "h3. Why\n\n* so\n* [there|https://pmo.example]"
    edit(data_center, "OPS-1", {"fields": {"description": wiki, "environment": "{code}x{code}"}})
    fields = issue(data_center, "OPS-1")["fields"]
    assert (fields["description"], fields["environment"]) == (wiki, "{code}x{code}")
    document = {"type": "doc", "version": 1, "content": []}
    assert "description" in edit(data_center, "OPS-1", {"fields": {"description": document}}, 400)["errors"]


def test_nothing_that_only_cloud_knows_gets_out(planted: Planted, data_center: Any) -> None:
    paths = ["/issue/PAY-2?expand=changelog", f"/issue/{planted.subtask}", "/project?expand=lead,issueTypes",
             "/project/PAY", "/issuetype", "/field", "/myself", "/user/list", "/issue/OPS-1/comment",
             "/issue/createmeta/PAY/issuetypes", "/issue/createmeta/PAY/issuetypes/10102"]  # fmt: skip
    data_center.as_user().post(data_center.api("/issue/OPS-1/comment"), json={"body": "Hello"})
    edit(data_center, "PAY-2", {"fields": {"assignee": None}})
    for path in paths:
        text = data_center.as_user().get(data_center.api(path)).text
        assert CLOUD_WORDS.findall(text) == [], path


def test_instants_come_in_the_systems_zone_whatever_the_account_has(data_center: Any) -> None:
    session = data_center.as_user(("", "ann-token"))
    fields = session.get(data_center.api("/issue/PAY-2")).json()["fields"]
    assert fields["created"] == "2026-01-05T09:30:00.123+0100"
    switch(data_center, system_zone="Asia/Kolkata")
    assert session.get(data_center.api("/issue/PAY-2")).json()["fields"]["created"] == "2026-01-05T14:00:00.123+0530"
    assert session.get(data_center.api("/serverInfo")).json()["serverTime"].endswith("+0530")


def test_an_edit_of_epic_link_moves_the_issue_and_its_history_says_so(planted: Planted, data_center: Any) -> None:
    edit(data_center, planted.story, {"fields": {EPIC_LINK: None}})
    edit(data_center, planted.story, {"update": {EPIC_LINK: [{"set": "PAY-1"}]}})
    found = issue(data_center, planted.story, expand="changelog")
    assert found["fields"][EPIC_LINK] == "PAY-1"
    items = [item for one in found["changelog"]["histories"] for item in one["items"]]
    assert [(one["field"], one["fieldtype"], one["fromString"], one["toString"]) for one in items] == [
        ("Epic Link", "custom", planted.epic, None), ("Epic Link", "custom", None, "PAY-1"),
    ]  # fmt: skip
    assert not any("fieldId" in one for one in items)


def test_what_cannot_be_a_parent_is_refused_under_the_name_the_caller_used(planted: Planted, data_center: Any) -> None:
    for fields in ({EPIC_LINK: "PAY-3"}, {EPIC_LINK: "NOPE-1"}, {PARENT_LINK: "PAY-3"}, {"parent": {"key": "PAY-1"}}):
        assert list(edit(data_center, planted.story, {"fields": fields}, 400)["errors"]) == list(fields)


def test_an_edit_takes_people_by_name_or_key_and_its_history_has_their_keys(data_center: Any) -> None:
    bot = data_center.as_user().get(data_center.api("/myself")).json()["key"]
    edit(data_center, "OPS-1", {"fields": {"assignee": {"name": "bot"}, "reporter": {"key": bot}}})
    found = issue(data_center, "OPS-1", expand="changelog")
    assert found["fields"]["reporter"]["name"] == found["fields"]["assignee"]["name"] == "bot"
    items = {one["field"]: one for one in found["changelog"]["histories"][0]["items"]}
    assert (items["assignee"]["from"], items["assignee"]["to"]) == ("ann", bot)
    assert "assignee" in edit(data_center, "OPS-1", {"fields": {"assignee": {"name": "nobody"}}}, 400)["errors"]
    assert "assignee" in edit(data_center, "OPS-1", {"fields": {"assignee": {"accountId": "u-ann"}}}, 400)["errors"]


def test_one_edit_takes_labels_a_property_and_its_reason_and_without_admin_it_cannot_be_quiet(data_center: Any) -> None:
    body = {
        "update": {"labels": [{"add": "pmo"}]}, "properties": [{"key": "p", "value": {"a": "2026-01-05"}}],
        "historyMetadata": {"type": "pmosync:flag"},
    }  # fmt: skip
    quiet = data_center.as_user().put(data_center.api("/issue/PAY-2?notifyUsers=false"), json=body)
    assert quiet.status_code == 403
    assert "properties" not in issue(data_center, "PAY-2")
    assert issue(data_center, "PAY-2", properties="*all")["properties"] == {}
    quiet = data_center.as_user().put(data_center.api("/issue/OPS-1?notifyUsers=false&returnIssue=true"), json=body)
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert data_center.control("GET", "mail") == []
    found = issue(data_center, "OPS-1", properties="p", expand="changelog")
    assert (found["fields"]["labels"], found["properties"]) == (["pmo"], {"p": {"a": "2026-01-05"}})
    assert found["changelog"]["histories"][0]["historyMetadata"] == {"type": "pmosync:flag"}
    switch(data_center, issue_properties="nested")
    assert issue(data_center, "OPS-1", properties="p")["properties"] == {"properties": {"p": {"a": "2026-01-05"}}}


def test_an_issue_and_its_subtasks_are_archived_out_of_searches_and_edits_and_restored(
    planted: Planted, data_center: Any
) -> None:
    def count() -> int:
        query = {"jql": "project = OPS", "maxResults": "0"}
        return int(data_center.as_user().get(data_center.api("/search"), params=query).json()["total"])

    put = data_center.as_user().put
    assert count() == 10
    assert put(data_center.api("/issue/PAY-2/archive")).status_code == 403
    assert put(data_center.api(f"/issue/{planted.subtask}/archive")).status_code == 400
    assert put(data_center.api(f"/issue/{planted.story}/archive")).status_code == 204
    assert count() == 8
    fields = issue(data_center, planted.subtask)["fields"]
    assert (fields["archivedby"]["name"], fields["archiveddate"][:10]) == ("bot", "2026-03-02")
    edit(data_center, planted.story, {"fields": {"summary": "x"}}, 400)
    assert put(data_center.api(f"/issue/{planted.story}/restore")).status_code == 204
    assert count() == 10
    edit(data_center, planted.story, {"fields": {"summary": "x"}})


# -- projects and comments --------------------------------------------------------------------------------------------


def test_an_archived_project_is_listed_on_request_only_and_to_a_query_it_is_unknown(data_center: Any) -> None:
    state = data_center.server.app.state
    with state.transaction():
        seed.add_user(state, "u-boss", "Boss", "boss@acme.example", admin=True)
        seed.add_token(state, "u-boss", "boss-token")
    boss, get = data_center.as_user(("", "boss-token")), data_center.as_user().get
    assert data_center.as_user().put(data_center.api("/project/OPS/archive")).status_code == 403
    assert boss.put(data_center.api("/project/OPS/archive")).status_code == 204
    assert [one["key"] for one in get(data_center.api("/project")).json()] == ["PAY"]
    listed = get(data_center.api("/project"), params={"includeArchived": "true", "expand": "lead"}).json()
    assert [(one["key"], one["archived"], one["lead"]["name"]) for one in listed] == [
        ("OPS", True, "bot"), ("PAY", False, "ann"),
    ]  # fmt: skip
    assert get(data_center.api("/project/OPS")).json()["archivedBy"]["name"] == "boss"
    assert get(data_center.api("/search"), params={"jql": "project = OPS"}).status_code == 400
    assert get(data_center.api("/search"), params={"jql": "key = OPS-1"}).json()["total"] == 0
    edit(data_center, "OPS-1", {"fields": {"summary": "x"}}, 403)
    assert boss.put(data_center.api("/project/OPS/restore")).status_code == 202
    assert get(data_center.api("/search"), params={"jql": "project = OPS"}).json()["total"] == 6


def test_permissions_come_all_at_once_and_are_those_of_the_project_or_issue(data_center: Any) -> None:
    def have(**query: str) -> dict[str, bool]:
        answer = data_center.as_user().get(data_center.api("/mypermissions"), params=query)
        assert answer.status_code == 200, answer.text
        return {name: one["havePermission"] for name, one in answer.json()["permissions"].items()}

    mine, theirs = have(projectKey="OPS"), have(issueKey="PAY-2", permissions="EDIT_ISSUES")
    assert (mine["ADMINISTER_PROJECTS"], theirs["ADMINISTER_PROJECTS"]) == (True, False)
    assert (theirs["EDIT_ISSUES"], theirs["EDIT_ISSUE"], theirs["ADMINISTER"]) == (True, True, False)
    assert have()["ADMINISTER_PROJECTS"] is True


def test_comments_are_wiki_texts_whose_properties_have_a_resource_of_their_own(data_center: Any) -> None:
    session, api = data_center.as_user(), data_center.api
    body = {"body": "h3. Late\n* since _March_", "properties": [{"key": "pmosync", "value": {"v": 1}}]}
    made = session.post(api("/issue/PAY-2/comment"), json=body).json()
    assert (made["body"], made["author"]["name"], "properties" in made) == (body["body"], "bot", False)
    listed = session.get(api("/issue/PAY-2/comment"), params={"expand": "properties"}).json()
    assert (listed["total"], listed["maxResults"], "properties" in listed["comments"][0]) == (1, 50, False)
    kept = api(f"/comment/{made['id']}/properties")
    assert [one["key"] for one in session.get(kept).json()["keys"]] == ["pmosync"]
    before = issue(data_center, "PAY-2")["fields"]["updated"]
    assert session.put(f"{kept}/pmosync", json={"v": 2}).status_code == 200
    assert session.put(f"{kept}/other", json=[1]).status_code == 201
    assert session.get(f"{kept}/pmosync").json() == {"key": "pmosync", "value": {"v": 2}}
    assert session.delete(f"{kept}/other").status_code == 204
    assert session.get(f"{kept}/other").status_code == 404
    assert issue(data_center, "PAY-2")["fields"]["updated"] == before
    assert data_center.as_user(("", "ann-token")).put(f"{kept}/x", json=1).status_code == 201
    address = api(f"/issue/PAY-2/comment/{made['id']}")
    assert session.put(address, json={"body": "Better"}).json()["body"] == "Better"
    assert session.post(api("/issue/PAY-2/comment"), json={"body": {"type": "doc"}}).status_code == 400
    shown_to = {"body": "x", "visibility": {"type": "role", "identifier": "10002"}}
    assert session.post(api("/issue/PAY-2/comment"), json=shown_to).status_code == 400


def test_comments_come_newest_first_when_asked(data_center: Any) -> None:
    session, address = data_center.as_user(), data_center.api("/issue/PAY-2/comment")
    for number in range(3):
        session.post(address, json={"body": f"Note {number}"})
    page = session.get(address, params={"orderBy": "-created", "maxResults": "2"}).json()
    assert ([one["body"] for one in page["comments"]], page["total"]) == (["Note 2", "Note 1"], 3)


def test_worklogs_are_told_by_their_feeds_a_minute_later_in_wiki_text_and_with_names(data_center: Any) -> None:
    session, api = data_center.as_user(), data_center.api
    body = {"timeSpent": "1h 30m", "comment": "Called *twice*", "started": "2026-03-02T09:00:00.000+0100"}
    made = session.post(api("/issue/OPS-1/worklog"), json=body).json()
    assert (made["comment"], made["author"]["name"], made["timeSpentSeconds"]) == ("Called *twice*", "bot", 5400)
    assert made["started"] == "2026-03-02T09:00:00.000+0100"
    assert session.get(api("/worklog/updated?since=0")).json()["values"] == []
    data_center.control("POST", "clock", {"advance_s": 61})
    feed = session.get(api("/worklog/updated?since=0")).json()
    assert [one["worklogId"] for one in feed["values"]] == [int(made["id"])]
    assert feed["self"].startswith(api("/worklog/updated"))
    listed = session.post(api("/worklog/list"), json={"ids": [int(made["id"]), 9999]}).json()
    assert [(one["issueId"], one["author"]["key"]) for one in listed] == [("10231", made["author"]["key"])]
    assert session.delete(api(f"/issue/OPS-1/worklog/{made['id']}")).status_code == 204
    data_center.control("POST", "clock", {"advance_s": 61})
    gone = session.get(api("/worklog/deleted?since=0")).json()["values"]
    assert [one["worklogId"] for one in gone] == [int(made["id"])]
