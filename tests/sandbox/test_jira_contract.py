"""The sandbox's Jira keeps the vendor's documented contract, and the vendor's own Python package works with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import jira
import pytest

from pmosync.sandbox.jira import planning, seed

ANN = ("ann@acme.example", "ann-token")
BOT = ("bot@acme.example", "bot-token")
ROOT = ("root@acme.example", "root-token")
STARTED = "2026-02-27T10:00:00.000+01:00"
SELECT, LONG = "customfield_10050", "customfield_10052"
FIELDS = {"project": {"key": "PAY"}, "issuetype": {"name": "Task"}, "summary": "New"}
TEXT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}]}
LINK = {"type": {"name": "Relates"}, "inwardIssue": {"key": "PAY-3"}, "outwardIssue": {"key": "PAY-4"}}
CHECK = {"projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [10000], "issues": [10002]}]}
REMOTE = {
    "globalId": "g",
    "relationship": "PMO",
    "object": {"url": "https://pmo.example", "title": "PMO", "status": {"resolved": False}},
}
STATUS = {"summary": "All is well", "description": TEXT}
LIST = {"type": "bulletList", "content": [{"type": "listItem", "content": TEXT["content"]}]}
HEADED = {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": "Why"}]}
ROLE = {"type": "role", "value": "Users"}
OURS = [{"key": "pmosync.status", "value": {"id": "program/cards", "text": "All is well"}}]
HISTORY = {"type": "pmosync:rollup", "generator": {"id": "pmosync", "type": "application"}}
BULK = {
    "selectedIssueIdsOrKeys": ["PAY-4", "SEC-1"],
    "selectedActions": ["labels"],
    "sendBulkNotification": False,
    "editedFieldsInput": {
        "labelsFields": [{"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD", "labels": [{"name": "pmo"}]}]
    },
}
BULK_FIELDS = {
    "selectedIssueIdsOrKeys": ["OPS-1"],
    "selectedActions": [SELECT, LONG],
    "editedFieldsInput": {
        "singleSelectFields": [{"fieldId": SELECT, "option": {"optionId": -1}}],
        "richTextFields": [{"fieldId": LONG, "richText": {"adfValue": TEXT}}],
    },
}
CALLS: list[tuple[str, str, Any, int]] = [
    ("GET", "/serverInfo", None, 200),
    ("GET", "/myself", None, 200),
    ("GET", "/configuration", None, 200),
    ("GET", "/field", None, 200),
    ("GET", "/status", None, 200),
    ("GET", "/issuetype", None, 200),
    ("GET", "/priority", None, 200),
    ("GET", "/resolution", None, 200),
    ("GET", "/issueLinkType", None, 200),
    ("GET", "/users/search?maxResults=2", None, 200),
    ("GET", "/user?accountId=u-ann", None, 200),
    ("GET", "/project/search?expand=lead&maxResults=1", None, 200),
    ("GET", "/project/PAY", None, 200),
    ("GET", "/project/PAY/statuses", None, 200),
    ("GET", "/project/PAY/version", None, 200),
    ("GET", "/project/PAY/component", None, 200),
    ("GET", "/project/NOPE", None, 404),
    ("GET", "/issue/createmeta/PAY/issuetypes?maxResults=2", None, 200),
    ("GET", "/search/jql?jql=project%20%3D%20PAY&fields=summary&maxResults=3", None, 200),
    ("POST", "/search/jql", {"jql": "project = PAY", "fields": ["*all"], "properties": ["x"], "maxResults": 5}, 200),
    ("POST", "/search/jql", {"jql": "project = NOPE"}, 400),
    ("POST", "/search/approximate-count", {"jql": "project = PAY"}, 200),
    ("POST", "/issue/bulkfetch", {"issueIdsOrKeys": ["PAY-2", "OPS-1"], "expand": ["changelog"]}, 200),
    ("GET", "/issue/PAY-2?properties=*all&expand=changelog", None, 200),
    ("GET", "/issue/PAY-2/changelog", None, 200),
    ("GET", "/issue/PAY-2/transitions", None, 200),
    ("GET", "/issue/PAY-2/editmeta", None, 200),
    ("PUT", "/issue/PAY-2", {"update": {"labels": [{"add": "x"}]}, "historyMetadata": {"type": "t"}}, 204),
    ("PUT", "/issue/PAY-2?notifyUsers=false", {"update": {"labels": [{"add": "y"}]}}, 403),
    ("PUT", "/issue/PAY-2?returnIssue=true", {"properties": [{"key": "p", "value": {"a": 1}}]}, 200),
    ("PUT", "/issue/PAY-2/properties/q", {"b": 2}, 201),
    ("GET", "/issue/PAY-2/properties", None, 200),
    ("GET", "/issue/PAY-2/properties/q", None, 200),
    ("DELETE", "/issue/PAY-2/properties/q", None, 204),
    ("PUT", "/project/OPS/properties/q", {"b": 2}, 201),
    ("GET", "/project/OPS/properties", None, 200),
    ("GET", "/project/OPS/properties/q", None, 200),
    ("DELETE", "/project/OPS/properties/q", None, 204),
    ("POST", "/permissions/check", CHECK, 200),
    ("GET", "/mypermissions?permissions=EDIT_ISSUES", None, 200),
    ("POST", "/issue", {"fields": FIELDS}, 201),
    ("POST", "/issue", {"fields": {"summary": "no project"}}, 400),
    (
        "POST",
        "/issue",
        {
            "fields": FIELDS | {"labels": ["pmosync-status"], "description": TEXT | {"content": [HEADED, LIST]}},
            "properties": OURS,
            "historyMetadata": HISTORY,
        },
        201,
    ),
    (
        "PUT",
        "/issue/OPS-1?notifyUsers=false&returnIssue=true",
        {"fields": STATUS, "update": {"labels": [{"add": "x"}]}, "properties": OURS, "historyMetadata": HISTORY},
        200,
    ),
    ("GET", "/issue/OPS-1?fields=comment,worklog,attachment,subtasks", None, 200),
    ("POST", "/issue/PAY-2/transitions", {"transition": {"id": "12"}}, 204),
    ("POST", "/issue/PAY-2/comment", {"body": TEXT, "properties": OURS}, 201),
    ("POST", "/comment/list?expand=properties", {"ids": [1]}, 200),
    ("PUT", "/issue/PAY-2/comment/1?notifyUsers=false", {"body": TEXT, "visibility": ROLE}, 200),
    ("PUT", "/comment/1/properties/p", {"a": 1}, 201),
    ("GET", "/comment/1/properties", None, 200),
    ("GET", "/comment/1/properties/p", None, 200),
    ("DELETE", "/comment/1/properties/p", None, 204),
    ("GET", "/issue/PAY-2/comment/1?expand=properties", None, 200),
    ("POST", "/issue/PAY-2/comment", {"body": {}}, 400),
    ("GET", "/issue/PAY-2/comment?expand=properties", None, 200),
    ("POST", "/issueLink", LINK, 201),
    ("POST", "/issue/PAY-2/remotelink", REMOTE, 201),
    ("GET", "/issue/PAY-2/remotelink", None, 200),
    ("GET", "/issue/PAY-2/remotelink?globalId=g", None, 200),
    ("GET", "/issue/PAY-2/remotelink?globalId=h", None, 404),
    ("DELETE", "/issue/PAY-2/remotelink?globalId=g", None, 204),
    ("POST", "/changelog/bulkfetch", {"issueIdsOrKeys": ["PAY-2", "OPS-1"], "maxResults": 1}, 200),
    ("POST", "/bulk/issues/fields", BULK, 201),
    ("POST", "/issue/PAY-2/worklog", {"timeSpent": "1h", "started": STARTED, "comment": TEXT}, 201),
    ("POST", "/issue/PAY-2/worklog", {"started": STARTED}, 400),
    ("GET", "/issue/PAY-2/worklog?expand=properties", None, 200),
    ("GET", "/issue/PAY-2/worklog/10000", None, 200),
    ("PUT", "/issue/PAY-2/worklog/10000?notifyUsers=false", {"timeSpentSeconds": 60}, 200),
    ("GET", "/issue/PAY-2?fields=worklog", None, 200),
    ("POST", "/worklog/list?expand=properties", {"ids": [10000]}, 200),
    ("DELETE", "/issue/PAY-2/worklog/10000", None, 204),
    ("GET", "/worklog/updated?since=0", None, 200),
    ("GET", "/worklog/deleted?since=0", None, 200),
    ("POST", "/issue/properties", {"entitiesIds": [10003], "properties": {"p": {"boolean": True}}}, 303),
    ("POST", "/issue/properties/multi", {"issues": [{"issueID": 10003, "properties": {"p": {"boolean": True}}}]}, 303),
    ("PUT", "/issue/properties/p", {"value": 1, "filter": {"entityIds": [10003]}}, 303),
    ("DELETE", "/issue/properties/p", {"entityIds": [10003]}, 303),
    ("DELETE", "/issue/OPS-2", None, 204),
    ("DELETE", "/issue/OPS-2", None, 404),
]


ADMIN_CALLS: list[tuple[str, str, Any, int]] = [
    ("GET", f"/field/{SELECT}/context", None, 200),
    ("GET", f"/field/{SELECT}/context/20050/option", None, 200),
    ("GET", f"/field/{SELECT}/context/1/option", None, 404),
    ("GET", "/issue/OPS-1/editmeta", None, 200),
    ("GET", "/issue/createmeta/OPS/issuetypes/10102", None, 200),
    ("GET", "/bulk/issues/fields?issueIdsOrKeys=OPS-1&searchText=labels", None, 200),
    ("PUT", "/issue/OPS-1", {"fields": {SELECT: {"id": "10100"}, LONG: TEXT}}, 204),
    ("POST", "/bulk/issues/fields", BULK_FIELDS, 201),
    ("PUT", "/issue/archive", {"issueIdsOrKeys": ["OPS-2", "NO-1"]}, 200),
    ("GET", "/issue/OPS-2", None, 200),
    ("PUT", "/issue/unarchive", {"issueIdsOrKeys": ["OPS-2"]}, 200),
    ("PUT", "/project/OPS", {"key": "RUN"}, 200),
    ("POST", "/project/RUN/archive", None, 204),
    ("GET", "/project/search?status=archived&expand=lead", None, 200),
    ("POST", "/project/RUN/restore", None, 200),
    ("DELETE", "/project/RUN?enableUndo=true", None, 204),
    ("GET", "/project/search?status=deleted", None, 200),
    ("GET", "/project/PAY/components", None, 200),
    ("GET", "/project/PAY/component?query=a", None, 200),
]


def violations(site: Any, jira_spec: Any, calls: Any, who: Any) -> list[Any]:
    """What the vendor's document has against these calls and their answers."""
    wrong = []
    for method, path, body, status in calls:
        answer = site.as_user(who).request(method, site.api(path), json=body, allow_redirects=False)
        sent, target = answer.request, urlsplit(answer.request.url)
        name, operation, asked = jira_spec.check_request(
            method, f"{target.path}?{target.query}", dict(sent.headers), sent.body or b""
        )
        assert name is not None, asked
        found = jira_spec.check_response(name, operation, answer.status_code, dict(answer.headers), answer.content)
        wrong += [(method, path, dict(one)) for one in [*asked, *found] if one["severity"] == "error"]
        wrong += [(method, path, answer.status_code, answer.text)] if answer.status_code != status else []
    return wrong


@pytest.mark.shared
def test_what_an_administrator_is_answered_agrees_with_the_vendors_document(site: Any, jira_spec: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        seed.add_user(state, "u-root", "Root", ROOT[0], admin=True)
        seed.add_token(state, "u-root", ROOT[1])
        seed.add_field(state, SELECT, "PMO compliance", {"type": "option"}, choices=("Compliant", "Watch"))
        seed.add_field(state, LONG, "PMO reasons", {"type": "text"})
        planning.add_component(state, "PAY", "Cards", lead="u-ann")
    assert violations(site, jira_spec, ADMIN_CALLS, ROOT) == []


@pytest.mark.shared
def test_every_answer_agrees_with_the_vendors_document(site: Any, jira_spec: Any) -> None:
    assert violations(site, jira_spec, CALLS, BOT) == []


@pytest.mark.shared
@pytest.mark.parametrize("polls", [0, 2])
def test_what_a_task_says_of_itself_agrees_with_the_vendors_document(site: Any, jira_spec: Any, polls: int) -> None:
    bot = site.as_user()
    site.control("POST", "switches", {"jira": {"task_polls": polls}})
    queued = bot.post(site.api("/bulk/issues/fields"), json=BULK).json()["taskId"]
    multi = {"issues": [{"issueID": 10003, "properties": {"p": {}}}]}
    moved = bot.post(site.api("/issue/properties/multi"), json=multi, allow_redirects=False).headers["Location"]
    for url in (site.api(f"/bulk/queue/{queued}"), moved):
        answer = bot.get(url)
        name, operation, _ = jira_spec.check_request("GET", urlsplit(url).path, dict(answer.request.headers), b"")
        found = jira_spec.check_response(name, operation, answer.status_code, dict(answer.headers), answer.content)
        assert [dict(one) for one in found if one["severity"] == "error"] == []


@pytest.fixture
def client(site: Any) -> jira.JIRA:
    """The package as anybody would open it; it finds out by itself that this is a Cloud site."""
    return jira.JIRA(site.url, basic_auth=ANN)


def test_the_python_package_finds_and_reads_issues(client: jira.JIRA) -> None:
    assert client.server_info()["deploymentType"] == "Cloud"
    assert client.myself()["displayName"] == "Ann Østergård"
    found = client.enhanced_search_issues("project = PAY ORDER BY id", maxResults=False, fields="summary,assignee")
    assert len(found) == 230
    assert found[1].fields.assignee.displayName == "Ann Østergård"
    assert {one.key for one in client.projects()} == {"OPS", "PAY", "SEC"}
    assert any(one["name"] == "Start date" for one in client.fields())
    assert client.issue("PAY-2").fields.issuelinks[0].outwardIssue.key == "OPS-1"


def test_the_python_package_creates_edits_comments_links_and_moves_issues(client: jira.JIRA) -> None:
    made = client.create_issue(project="PAY", summary="Made", issuetype={"name": "Task"}, description="Plain")
    made.update(fields={"summary": "Made better", "duedate": "2026-04-01"}, update={"labels": [{"add": "x"}]})
    assert (made.fields.summary, made.fields.duedate, made.fields.labels) == ("Made better", "2026-04-01", ["x"])
    assert made.fields.description == "Plain"
    assert client.add_comment(made, "Seen").body == "Seen"
    client.create_issue_link("Blocks", made.key, "PAY-3")
    client.transition_issue(made, "In Progress")
    client.assign_issue(made, "u-ann")
    again = client.issue(made.key)
    assert again.fields.status.name == "In Progress"
    assert again.fields.issuelinks[0].outwardIssue.key == "PAY-3"
    assert [one.body for one in client.comments(made.key)] == ["Seen"]
    client.add_issue_property(made.key, "pmosync", {"a": 1})
    assert client.issue_property(made.key, "pmosync").value.a == 1
    made.delete()
    with pytest.raises(jira.JIRAError) as gone:
        client.issue(made.key)
    assert gone.value.status_code == 404
