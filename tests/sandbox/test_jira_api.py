"""The sandbox's Jira does what Jira is documented, or was measured, to do."""

from __future__ import annotations

from typing import Any

import pytest

ANN = ("ann@acme.example", "ann-token")
PROPERTY = "/issue/PAY-3/properties/pmosync.compliance"


def issue(site: Any, key: str, **query: str) -> dict[str, Any]:
    answer = site.as_user().get(site.api(f"/issue/{key}"), params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_search_pages_through_everything_once_and_in_order(site: Any) -> None:
    found = site.search("project = PAY ORDER BY id ASC", ["summary"])
    assert [one["key"] for one in found] == [f"PAY-{number}" for number in range(1, 231)]
    assert site.control("GET", "requests")["by_endpoint"] == {"POST /rest/api/3/search/jql": 5}


def test_a_page_with_fields_holds_at_most_100_issues_and_one_with_ids_alone_up_to_5000(site: Any) -> None:
    post = site.as_user().post
    heavy = post(site.api("/search/jql"), json={"jql": "project = PAY", "fields": ["summary"], "maxResults": 5000})
    light = post(site.api("/search/jql"), json={"jql": "project = PAY", "fields": ["id"], "maxResults": 5000})
    assert len(heavy.json()["issues"]) == 100
    assert heavy.json()["isLast"] is False
    assert len(light.json()["issues"]) == 230
    assert light.json()["isLast"] is True
    assert "nextPageToken" not in light.json()


def test_a_page_token_serves_only_the_query_it_was_given_for(site: Any) -> None:
    post = site.as_user().post
    token = post(site.api("/search/jql"), json={"jql": "project = PAY"}).json()["nextPageToken"]
    other = post(site.api("/search/jql"), json={"jql": "project = OPS", "nextPageToken": token})
    forged = post(site.api("/search/jql"), json={"jql": "project = PAY", "nextPageToken": "abc"})
    assert (other.status_code, forged.status_code) == (400, 400)


def test_a_page_begins_after_the_last_one_though_an_issue_was_deleted_in_between(site: Any) -> None:
    body = {"jql": "project = PAY ORDER BY id", "fields": ["key"], "maxResults": 50}
    first = site.as_user().post(site.api("/search/jql"), json=body).json()
    assert site.as_user(ANN).delete(site.api("/issue/PAY-10")).status_code == 204
    body["nextPageToken"] = first["nextPageToken"]
    second = site.as_user().post(site.api("/search/jql"), json=body).json()
    assert second["issues"][0]["key"] == "PAY-51"


@pytest.mark.parametrize(
    ("jql", "count"),
    [
        ("project = PAY", 230),
        ('project = "Project OPS" OR key = PAY-1', 7),
        ("project in (PAY, OPS) AND status != 'In Progress'", 160),
        ("statusCategory = indeterminate", 76),
        ("project = PAY AND assignee IS EMPTY", 47),
        ("assignee = currentUser()", 0),
        ("reporter = ann@acme.example AND project = OPS", 6),
        ("project = PAY AND duedate < 2026-03-05", 17),
        ("due is not empty", 114),
        ("labels = team", 1),
        ("project = PAY AND NOT labels = team", 229),
        ("parent = PAY-1 AND issuetype = Task", 229),
        ("issuetype NOT IN (Task, Bug)", 1),
        ("updated >= 1767601800123", 236),
        ("updated > 1767601800123", 0),
        ("created >= '2026/01/05 03:30'", 236),
        ('summary ~ "operate 3"', 1),
        ("resolution = Unresolved AND priority >= Medium AND id > 10225", 11),
        ("cf[10015] is empty and 'Story point estimate' is empty and project = OPS", 6),
        ("created > -60d", 236),
        ("created > startOfDay(-7d)", 0),
    ],
)
def test_jql_finds_exactly_what_it_says(site: Any, jql: str, count: int) -> None:
    assert len(site.search(jql, ["id"], 5000)) == count


def test_dates_in_jql_are_read_in_the_zone_of_the_person_who_asks(site: Any) -> None:
    query = "created >= '2026/01/05 09:00'"
    assert len(site.search(query, ["id"], 5000)) == 236
    assert site.search(query, ["id"], 5000, ANN) == []


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("", "Unbounded JQL queries are not allowed here"),
        ("ORDER BY key", "Unbounded JQL queries are not allowed here"),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("project = SEC", "The value 'SEC' does not exist for the field 'project'."),
        ("flavour = sweet", "Field 'flavour' does not exist or you do not have permission to view it."),
        ("status = Tood", "The value 'Tood' does not exist for the field 'status'."),
        ("key = PAY-9999", "An issue with key 'PAY-9999' does not exist for field 'key'."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("project = PAY AND", "Error in the JQL Query"),
        ("project PAY", "Error in the JQL Query: Expecting operator"),
        ("updated > yesterday", "Date value 'yesterday' for field 'updated' is invalid."),
        ("project = PAY ORDER BY a, b, c, d, e, f, g, h", "The maximum number of fields in ORDER BY is 7."),
    ],
)
def test_jql_that_cannot_be_answered_is_refused_in_jiras_words(site: Any, jql: str, message: str) -> None:
    answer = site.as_user().post(site.api("/search/jql"), json={"jql": jql})
    assert answer.status_code == 400
    assert message in answer.json()["errorMessages"][0]


def test_the_old_search_is_gone_and_says_where_to_go(site: Any) -> None:
    answer = site.as_user().get(site.api("/search"), params={"jql": "project = PAY"})
    assert answer.status_code == 410
    assert "CHANGE-2046" in answer.text


def test_an_answer_holds_the_asked_fields_and_no_others(site: Any) -> None:
    found = site.search("key = PAY-2", ["summary", "customfield_10015", "nonsense"])[0]
    assert found["fields"] == {"summary": "Step 2", "customfield_10015": None}


def test_a_field_that_a_project_does_not_have_is_absent_there_and_null_elsewhere(site: Any) -> None:
    assert issue(site, "PAY-2")["fields"]["customfield_10016"] is None
    assert "customfield_10016" not in issue(site, "OPS-1")["fields"]


def test_bulk_fetch_answers_by_id_drops_what_cannot_be_seen_and_takes_at_most_100(site: Any) -> None:
    post = site.as_user().post
    answer = post(
        site.api("/issue/bulkfetch"),
        json={"issueIdsOrKeys": ["OPS-2", "PAY-9", "SEC-1", "NOPE-1"], "fields": ["summary"], "properties": ["x"]},
    ).json()
    assert [one["key"] for one in answer["issues"]] == ["PAY-9", "OPS-2"]
    assert answer["issueErrors"] == []
    assert answer["issues"][0]["properties"] == {}
    many = post(site.api("/issue/bulkfetch"), json={"issueIdsOrKeys": [f"PAY-{n}" for n in range(1, 102)]})
    assert many.status_code == 400


def test_a_link_shows_each_end_the_other_one(site: Any) -> None:
    inward, outward = (issue(site, key, fields="issuelinks")["fields"]["issuelinks"] for key in ("PAY-2", "OPS-1"))
    assert inward[0]["outwardIssue"]["key"] == "OPS-1"
    assert inward[0]["type"]["outward"] == "blocks"
    assert outward[0]["inwardIssue"]["key"] == "PAY-2"


def test_a_property_write_moves_no_date_makes_no_history_and_mails_nobody(site: Any) -> None:
    before = issue(site, "PAY-3")["fields"]["updated"]
    bot = site.as_user()
    assert bot.put(site.api(PROPERTY), json={"v": 1}).status_code == 201
    assert bot.put(site.api(PROPERTY), json={"v": 2}).status_code == 200
    assert bot.get(site.api(PROPERTY)).json() == {"key": "pmosync.compliance", "value": {"v": 2}}
    keys = bot.get(site.api("/issue/PAY-3/properties")).json()["keys"]
    assert [one["key"] for one in keys] == ["pmosync.compliance"]
    assert issue(site, "PAY-3")["fields"]["updated"] == before
    assert bot.get(site.api("/issue/PAY-3/changelog")).json()["total"] == 0
    assert bot.delete(site.api(PROPERTY)).status_code == 204
    assert bot.get(site.api(PROPERTY)).status_code == 404
    assert site.control("GET", "mail") == []
    assert [one["what"] for one in site.control("GET", "changes")] == ["property pmosync.compliance"] * 3


def test_an_edit_moves_the_date_makes_history_and_mails_assignee_reporter_and_watchers(site: Any) -> None:
    before = issue(site, "PAY-3")["fields"]["updated"]
    metadata = {"type": "pmosync", "description": "flag"}
    body = {"update": {"labels": [{"add": "pmo-major"}]}, "historyMetadata": metadata}
    assert site.as_user().put(site.api("/issue/PAY-3"), json=body).status_code == 204
    found = issue(site, "PAY-3", expand="changelog")
    assert found["fields"]["labels"] == ["pmo-major"]
    assert found["fields"]["updated"] > before
    history = found["changelog"]["histories"][0]
    assert history["historyMetadata"] == metadata
    assert (history["items"][0]["field"], history["items"][0]["toString"]) == ("labels", "pmo-major")
    assert [one["recipient"] for one in site.control("GET", "mail")] == ["ann@acme.example"]


def test_an_edit_that_changes_nothing_leaves_no_trace(site: Any) -> None:
    before = site.control("GET", "state")
    answer = site.as_user().put(site.api("/issue/PAY-7"), json={"update": {"labels": [{"add": "team"}]}})
    assert answer.status_code == 204
    assert site.control("GET", "changes") == []
    assert issue(site, "PAY-7")["fields"]["updated"].startswith("2026-01-05")
    assert site.control("GET", "state") == before


def test_an_edit_without_mail_is_refused_whole_where_the_caller_is_no_project_admin(site: Any) -> None:
    body = {"update": {"labels": [{"add": "pmo"}]}, "properties": [{"key": "p", "value": 1}]}
    refused = site.as_user().put(site.api("/issue/PAY-3"), params={"notifyUsers": "false"}, json=body)
    assert refused.status_code == 403
    assert "To discard the user notification" in refused.json()["errorMessages"][0]
    assert site.control("GET", "changes") == []
    allowed = site.as_user().put(site.api("/issue/OPS-3"), params={"notifyUsers": "false"}, json=body)
    assert allowed.status_code == 204
    assert issue(site, "OPS-3")["fields"]["labels"] == ["pmo"]
    assert site.control("GET", "mail") == []


def test_one_request_writes_label_and_property_and_reads_both_back(site: Any) -> None:
    body = {"update": {"labels": [{"add": "pmo"}]}, "properties": [{"key": "p", "value": {"a": [1]}}]}
    query = {"returnIssue": "true"}
    found = site.as_user().put(site.api("/issue/PAY-3"), params=query, json=body).json()
    assert found["fields"]["labels"] == ["pmo"]
    assert found["properties"] == {"p": {"a": [1]}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"update": {"labels": [{"add": "two words"}]}}, "labels"),
        ({"fields": {"customfield_99999": 1}}, "customfield_99999"),
        ({"fields": {"status": {"name": "Done"}}}, "status"),
        ({"fields": {"summary": "a\nb"}}, "summary"),
        ({"fields": {"duedate": "tomorrow"}}, "duedate"),
        ({"fields": {"assignee": {"accountId": "u-ben"}}}, "assignee"),
        ({"fields": {"description": "text in version 3"}}, "description"),
        ({"fields": {"customfield_10016": "5"}}, "customfield_10016"),
    ],
)
def test_a_wrong_value_is_refused_under_its_field_and_nothing_is_applied(site: Any, body: Any, field: str) -> None:
    body = body | {"properties": [{"key": "p", "value": 1}]}
    answer = site.as_user().put(site.api("/issue/PAY-3"), json=body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert site.control("GET", "changes") == []


def test_what_a_person_may_not_see_looks_like_what_does_not_exist(site: Any) -> None:
    hidden = site.as_user().get(site.api("/issue/SEC-1"))
    absent = site.as_user().get(site.api("/issue/SEC-9"))
    assert (hidden.status_code, hidden.text) == (404, absent.text)
    assert site.as_user(ANN).get(site.api("/issue/SEC-1")).status_code == 200
    keys = [one["key"] for one in site.as_user().get(site.api("/project/search")).json()["values"]]
    assert keys == ["OPS", "PAY"]


def test_projects_come_by_page_with_the_lead_only_when_it_is_asked_for(site: Any) -> None:
    first = site.as_user(ANN).get(site.api("/project/search"), params={"maxResults": 2, "expand": "lead"}).json()
    assert (first["total"], first["isLast"], len(first["values"])) == (3, False, 2)
    assert first["values"][1]["lead"]["accountId"] == "u-ann"
    plain = site.as_user(ANN).get(site.api("/project/search")).json()["values"]
    assert "lead" not in plain[0]
    rest = site.as_user(ANN).get(first["nextPage"]).json()
    assert [one["key"] for one in rest["values"]] == ["SEC"]


def test_a_page_that_cannot_be_is_refused(site: Any) -> None:
    for path in ("/users/search?startAt=x", "/project/search?maxResults=-1", "/issue/PAY-2/comment?maxResults=many"):
        assert site.as_user().get(site.api(path)).status_code == 400
    answer = site.as_user().post(site.api("/search/jql"), json={"jql": "project = PAY", "maxResults": 5001})
    assert answer.status_code == 400


def test_a_project_property_takes_a_project_administrator(site: Any) -> None:
    bot = site.as_user()
    assert bot.put(site.api("/project/PAY/properties/pmosync"), json={"h": 1}).status_code == 403
    assert bot.put(site.api("/project/OPS/properties/pmosync"), json={"h": 1}).status_code == 201
    found = bot.get(site.api("/project/search"), params={"properties": "pmosync"}).json()["values"]
    assert [one["properties"] for one in found] == [{"pmosync": {"h": 1}}, {}]
    assert bot.delete(site.api("/project/OPS/properties/pmosync")).status_code == 204


def test_permissions_are_told_for_many_projects_and_issues_at_once(site: Any) -> None:
    ids = {one["key"]: int(one["id"]) for one in site.as_user(ANN).get(site.api("/project/search")).json()["values"]}
    body = {
        "projectPermissions": [
            {"permissions": ["ADMINISTER_PROJECTS", "EDIT_ISSUES"], "projects": list(ids.values()), "issues": [10002]}
        ],
        "globalPermissions": ["ADMINISTER", "BULK_CHANGE"],
    }
    found = site.as_user().post(site.api("/permissions/check"), json=body).json()
    granted = {one["permission"]: one for one in found["projectPermissions"]}
    assert granted["ADMINISTER_PROJECTS"]["projects"] == [ids["OPS"]]
    assert sorted(granted["EDIT_ISSUES"]["projects"]) == sorted([ids["OPS"], ids["PAY"]])
    assert granted["EDIT_ISSUES"]["issues"] == [10002]
    assert found["globalPermissions"] == ["BULK_CHANGE"]
    mine = site.as_user().get(site.api("/mypermissions"), params={"permissions": "ADMINISTER", "projectKey": "OPS"})
    assert mine.json()["permissions"]["ADMINISTER"]["havePermission"] is False


def test_a_permission_can_be_withdrawn_everywhere_or_in_one_project(site: Any) -> None:
    withdrawn = {"jira": {"withdrawn": ["BULK_CHANGE", "OPS EDIT_ISSUES"]}}
    site.control("POST", "switches", withdrawn)
    ids = {one["key"]: int(one["id"]) for one in site.as_user(ANN).get(site.api("/project/search")).json()["values"]}
    body = {
        "projectPermissions": [{"permissions": ["EDIT_ISSUES", "ADD_COMMENTS"], "projects": list(ids.values())}],
        "globalPermissions": ["BULK_CHANGE"],
    }
    found = site.as_user().post(site.api("/permissions/check"), json=body).json()
    granted = {one["permission"]: sorted(one["projects"]) for one in found["projectPermissions"]}
    assert granted == {"EDIT_ISSUES": [ids["PAY"]], "ADD_COMMENTS": sorted([ids["OPS"], ids["PAY"]])}
    assert found["globalPermissions"] == []


def test_a_person_creates_moves_links_and_deletes_an_issue(site: Any) -> None:
    ann = site.as_user(ANN)
    fields = {
        "project": {"key": "PAY"},
        "issuetype": {"name": "Sub-task"},
        "summary": "New",
        "parent": {"key": "PAY-2"},
    }
    made = ann.post(site.api("/issue"), json={"fields": fields})
    assert (made.status_code, made.json()["key"]) == (201, "PAY-231")
    assert [one["key"] for one in issue(site, "PAY-2")["fields"]["subtasks"]] == ["PAY-231"]
    moves = ann.get(site.api("/issue/PAY-231/transitions")).json()["transitions"]
    done = next(one["id"] for one in moves if one["name"] == "Done")
    assert ann.post(site.api("/issue/PAY-231/transitions"), json={"transition": {"id": done}}).status_code == 204
    after = issue(site, "PAY-231")["fields"]
    assert (after["status"]["name"], after["resolution"]["name"]) == ("Done", "Done")
    link = {"type": {"name": "Blocks"}, "inwardIssue": {"key": "PAY-3"}, "outwardIssue": {"key": "PAY-4"}}
    assert ann.post(site.api("/issueLink"), json=link).status_code == 201
    assert issue(site, "PAY-4")["fields"]["issuelinks"][0]["inwardIssue"]["key"] == "PAY-3"
    assert ann.delete(site.api("/issue/PAY-2")).status_code == 400
    assert ann.delete(site.api("/issue/PAY-231")).status_code == 204
    assert site.as_user().delete(site.api("/issue/PAY-4")).status_code == 403


def test_a_remote_link_is_replaced_by_the_next_one_with_its_global_id(site: Any) -> None:
    bot, path = site.as_user(), site.api("/issue/PAY-3/remotelink")
    link = {"globalId": "pmosync:1", "object": {"url": "https://pmo.example/a", "title": "PMO: 1 finding"}}
    assert bot.post(path, json=link).status_code == 201
    link["object"] = {"url": "https://pmo.example/a", "title": "PMO: 2 findings"}
    assert bot.post(path, json=link).status_code == 200
    assert [one["object"]["title"] for one in bot.get(path).json()] == ["PMO: 2 findings"]
    assert bot.delete(path, params={"globalId": "pmosync:1"}).status_code == 204
    assert bot.get(path).json() == []


def test_labels_of_many_issues_are_edited_without_mail_and_the_task_names_what_was_done(site: Any) -> None:
    body = {
        "selectedIssueIdsOrKeys": ["PAY-3", "PAY-7", "SEC-1"],
        "selectedActions": ["labels"],
        "sendBulkNotification": False,
        "editedFieldsInput": {
            "labelsFields": [
                {"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD", "labels": [{"name": "pmo"}]}
            ]
        },
    }
    task = site.as_user().post(site.api("/bulk/issues/fields"), json=body).json()["taskId"]
    progress = site.as_user().get(site.api(f"/bulk/queue/{task}")).json()
    assert (progress["status"], progress["processedAccessibleIssues"]) == ("COMPLETE", [10003, 10007])
    assert progress["invalidOrInaccessibleIssueCount"] == 1
    assert issue(site, "PAY-7")["fields"]["labels"] == ["pmo", "team"]
    assert site.control("GET", "mail") == []


def test_properties_of_many_issues_are_set_by_a_task_that_names_those_it_could_not_set(site: Any) -> None:
    wanted = [{"issueID": number, "properties": {"p": number}} for number in (10003, 10004, 99999)]
    moved = site.as_user().post(site.api("/issue/properties/multi"), json={"issues": wanted}, allow_redirects=False)
    assert moved.status_code == 303
    assert list(site.as_user().get(moved.headers["Location"]).json()["result"]["errors"]) == ["99999"]
    found = site.as_user().post(
        site.api("/search/jql"),
        json={"jql": "id IN (10003, 10004) ORDER BY id", "fields": ["key"], "properties": ["p"]},
    )
    assert [one["properties"] for one in found.json()["issues"]] == [{"p": 10003}, {"p": 10004}]


def test_histories_of_many_issues_come_by_page_and_by_field(site: Any) -> None:
    for key in ("PAY-3", "PAY-4"):
        site.as_user().put(site.api(f"/issue/{key}"), json={"update": {"labels": [{"add": "x"}]}})
        site.as_user().put(site.api(f"/issue/{key}"), json={"fields": {"duedate": "2026-05-01"}})
    body = {"issueIdsOrKeys": ["PAY-3", "PAY-4", "SEC-1"], "fieldIds": ["labels"], "maxResults": 1}
    first = site.as_user().post(site.api("/changelog/bulkfetch"), json=body).json()
    rest = (
        site.as_user()
        .post(site.api("/changelog/bulkfetch"), json=body | {"nextPageToken": first["nextPageToken"]})
        .json()
    )
    assert [page["issueChangeLogs"][0]["issueId"] for page in (first, rest)] == ["10003", "10004"]
    assert [item["fieldId"] for item in first["issueChangeLogs"][0]["changeHistories"][0]["items"]] == ["labels"]
    assert "nextPageToken" not in rest


def test_text_reads_as_a_document_in_version_3_and_as_text_in_version_2(site: Any) -> None:
    ann, old = site.as_user(ANN), f"{site.url}/rest/api/2/issue/PAY-3"
    assert ann.put(old, json={"fields": {"description": "One\n\nThree"}}).status_code == 204
    assert ann.get(old).json()["fields"]["description"] == "One\n\nThree"
    document = issue(site, "PAY-3")["fields"]["description"]
    assert [block["type"] for block in document["content"]] == ["paragraph"] * 3
    assert ann.put(site.api("/issue/PAY-3"), json={"fields": {"description": document}}).status_code == 204
    assert ann.get(old).json()["fields"]["description"] == "One\n\nThree"
    assert ann.post(f"{old}/comment", json={"body": "Seen"}).status_code == 201
    assert ann.get(f"{old}/comment").json()["comments"][0]["body"] == "Seen"


def test_a_page_shows_what_was_written_and_escapes_it(site: Any) -> None:
    bot = site.as_user()
    value = {"worst": "major", "findings": [{"id": "SCH201", "title": "Overdue <i>"}]}
    bot.put(site.api("/issue/OPS-3/properties/pmosync.compliance"), json=value)
    bot.put(site.api("/issue/OPS-3"), json={"update": {"labels": [{"add": "pmo-major"}]}})
    text = bot.get(f"{site.url}/browse/OPS-3").text
    assert '<span class="chip pmo">pmo-major</span>' in text
    assert "Overdue &lt;i&gt;" in text
    assert "Operate 3 &lt;b&gt;&amp;" in text
    assert "<i>" not in text
    assert 'href="/browse/OPS-3"' in bot.get(f"{site.url}/projects/OPS").text
    assert 'href="/projects/PAY"' in bot.get(site.url).text
