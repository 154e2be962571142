"""The sandbox's Data Center mode keeps the vendor's documented contract, and the Python package works with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jira
import pytest
import requests

from .data_center_by_hand import Planted, plant

SHARED = Path(__file__).resolve().parents[3] / "shared"
FIELDS = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "New"}
HISTORY = {"type": "pmosync:rollup", "generator": {"id": "pmosync", "type": "application"}}
OURS = [{"key": "pmosync.status", "value": {"id": "program/cards"}}]
REMOTE = {"globalId": "g", "relationship": "PMO", "object": {"url": "https://pmo.example", "title": "PMO"}}
LOGGED = {"timeSpent": "1h", "comment": "Called *twice*", "started": "2026-03-02T09:00:00.000+0100"}
LINK = {"type": {"name": "Relates"}, "inwardIssue": {"key": "PAY-3"}, "outwardIssue": {"key": "PAY-4"}}
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
    ("GET", "/user?key=ann", None, 200),
    ("GET", "/user?username=bot", None, 200),
    ("GET", "/user?username=nobody", None, 404),
    ("GET", "/user/search?username=acme&includeInactive=true&maxResults=2", None, 200),
    ("GET", "/user/list?maxResults=2", None, 200),
    ("GET", "/mypermissions?projectKey=PAY", None, 200),
    ("GET", "/mypermissions?issueKey=NOPE-1", None, 404),
    ("GET", "/project?expand=lead,description&includeArchived=true", None, 200),
    ("GET", "/project/PAY", None, 200),
    ("GET", "/project/SEC", None, 404),
    ("GET", "/project/PAY/statuses", None, 200),
    ("GET", "/project/PAY/components", None, 200),
    ("POST", "/version", {"name": "1.0", "project": "OPS", "releaseDate": "2026-05-01"}, 201),
    ("GET", "/project/OPS/version?maxResults=5", None, 200),
    ("GET", "/project/OPS/versions", None, 200),
    ("GET", "/version/10000", None, 200),
    ("PUT", "/version/10000", {"released": True}, 200),
    ("GET", "/issue/createmeta/PAY/issuetypes?maxResults=2", None, 200),
    ("GET", "/issue/createmeta/PAY/issuetypes/10102", None, 200),
    ("GET", "/issue/createmeta/NOPE/issuetypes", None, 400),
    ("GET", "/search?jql=project%20%3D%20PAY&maxResults=3", None, 200),
    ("POST", "/search", {"jql": "project = PAY", "fields": ["*all"], "maxResults": 5, "expand": ["changelog"]}, 200),
    ("POST", "/search", {"jql": "project = NOPE"}, 400),
    ("POST", "/issue", {"fields": FIELDS}, 201),
    ("POST", "/issue", {"fields": {"summary": "no project"}}, 400),
    ("POST", "/issue", {"fields": FIELDS | {"description": "h3. Why\n* so"}, "properties": OURS,
                        "historyMetadata": HISTORY}, 201),
    ("PUT", "/issue/OPS-1?notifyUsers=false", {"fields": {"summary": "All is well"},
     "update": {"labels": [{"add": "x"}]}, "properties": OURS, "historyMetadata": HISTORY}, 204),
    ("PUT", "/issue/PAY-2?notifyUsers=false", {"update": {"labels": [{"add": "y"}]}}, 403),
    ("PUT", "/issue/PAY-2", {"fields": {"summary": ""}}, 400),
    ("PUT", "/issue/PAY-2/assignee", {"name": "ann"}, 204),
    ("GET", "/issue/OPS-1?expand=changelog&properties=*all", None, 200),
    ("GET", "/issue/NOPE-1", None, 404),
    ("PUT", "/issue/PAY-2/properties/q", {"b": 2}, 201),
    ("GET", "/issue/PAY-2/properties", None, 200),
    ("GET", "/issue/PAY-2/properties/q", None, 200),
    ("GET", "/issue/PAY-2/properties/none", None, 404),
    ("DELETE", "/issue/PAY-2/properties/q", None, 204),
    ("PUT", "/project/OPS/properties/q", {"b": 2}, 201),
    ("GET", "/project/OPS/properties", None, 200),
    ("GET", "/project/OPS/properties/q", None, 200),
    ("DELETE", "/project/OPS/properties/q", None, 204),
    ("PUT", "/project/PAY/properties/q", {"b": 2}, 403),
    ("GET", "/issue/PAY-2/transitions", None, 200),
    ("POST", "/issue/PAY-2/transitions", {"transition": {"id": "12"}}, 204),
    ("GET", "/issue/PAY-2/editmeta", None, 200),
    ("POST", "/issue/PAY-2/comment", {"body": "h3. Why\n* so", "properties": OURS}, 201),
    ("GET", "/issue/PAY-2/comment", None, 200),
    ("PUT", "/issue/PAY-2/comment/1", {"body": "Better"}, 200),
    ("GET", "/issue/PAY-2/comment/1", None, 200),
    ("GET", "/comment/1/properties", None, 200),
    ("GET", "/comment/1/properties/pmosync.status", None, 200),
    ("PUT", "/comment/1/properties/q", {"a": 1}, 201),
    ("DELETE", "/comment/1/properties/q", None, 204),
    ("DELETE", "/issue/PAY-2/comment/1", None, 204),
    ("POST", "/issueLink", LINK, 201),
    ("GET", "/issueLink/1", None, 200),
    ("POST", "/issue/PAY-2/remotelink", REMOTE, 201),
    ("GET", "/issue/PAY-2/remotelink", None, 200),
    ("GET", "/issue/PAY-2/remotelink?globalId=g", None, 200),
    ("GET", "/issue/PAY-2/remotelink?globalId=h", None, 404),
    ("DELETE", "/issue/PAY-2/remotelink?globalId=g", None, 204),
    ("POST", "/issue/OPS-4/worklog?adjustEstimate=leave", LOGGED, 201),
    ("POST", "/issue/OPS-4/worklog", {"comment": "no time"}, 400),
    ("GET", "/issue/OPS-4/worklog", None, 200),
    ("GET", "/issue/OPS-4/worklog/{made}", None, 200),
    ("PUT", "/issue/OPS-4/worklog/{made}", {"timeSpentSeconds": 7200}, 200),
    ("POST", "/worklog/list", {"ids": [10000, 99]}, 200),
    ("GET", "/worklog/updated?since=0", None, 200),
    ("DELETE", "/issue/OPS-4/worklog/{made}", None, 204),
    ("GET", "/worklog/deleted?since=0", None, 200),
    ("PUT", "/issue/OPS-2/archive", None, 204),
    ("PUT", "/issue/OPS-2/restore", None, 204),
    ("PUT", "/project/PAY/archive", None, 403),
    ("DELETE", "/issue/OPS-3", None, 204),
    ("DELETE", "/issue/OPS-3", None, 404),
    ("GET", "/rest/agile/1.0/board", None, 200),
    ("GET", "/rest/agile/1.0/board/1", None, 200),
    ("GET", "/rest/agile/1.0/board/1/sprint?state=active,future", None, 200),
    ("GET", "/rest/agile/1.0/sprint/1", None, 200),
    ("POST", "/rest/agile/1.0/sprint", {"name": "Sprint 3", "originBoardId": 1}, 201),
    ("POST", "/rest/agile/1.0/sprint/2", {"goal": "More"}, 200),
]  # fmt: skip


CLOUD_ONLY = [
    ("GET", "/search/jql"),
    ("POST", "/search/approximate-count"),
    ("POST", "/issue/bulkfetch"),
    ("POST", "/changelog/bulkfetch"),
    ("POST", "/bulk/issues/fields"),
    ("POST", "/issue/properties"),
    ("POST", "/issue/properties/multi"),
    ("POST", "/comment/list"),
    ("GET", "/webhook"),
    ("POST", "/permissions/check"),
    ("GET", "/project/search"),
    ("GET", "/issue/PAY-2/changelog"),
    ("GET", "/users/search"),
]
# What the official document says wrongly, as every real answer of a Data Center shows; nothing else is let pass.
# These answer a list of what the document declares:
LISTS = (
    "/api/2/field", "/api/2/status", "/api/2/issuetype", "/api/2/priority", "/api/2/resolution", "/api/2/user/search",
    "/api/2/project", "/api/2/project/{projectIdOrKey}/statuses", "/api/2/project/{projectIdOrKey}/components",
    "/api/2/project/{projectIdOrKey}/versions", "/api/2/issue/{issueIdOrKey}/remotelink", "/api/2/worklog/list",
)  # fmt: skip
# These answer a page with the declared thing in its `values`:
PAGES = (
    "/api/2/issue/createmeta/{projectIdOrKey}/issuetypes",
    "/api/2/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}", "/agile/1.0/board",
    "/agile/1.0/board/{boardId}/sprint",
)  # fmt: skip
# The value of a property is any JSON, not a text:
PROPERTIES = (
    "/api/2/issue/{issueIdOrKey}/properties/{propertyKey}", "/api/2/project/{projectIdOrKey}/properties/{propertyKey}",
    "/api/2/comment/{commentId}/properties/{propertyKey}",
)  # fmt: skip


def mended(document: Any) -> Any:
    """The official document without the mistakes that are listed here."""
    schemas, paths = document["components"]["schemas"], document["paths"]
    for name in LISTS + PAGES:
        for operation in paths[name].values():
            media = operation["responses"].get("200", {}).get("content", {}).get("application/json")
            if media and operation is paths[name].get("get", paths[name].get("post")):
                listed = {"type": "array", "items": media["schema"]}
                media["schema"] = listed if name in LISTS else {"type": "object", "properties": {"values": listed}}
    links = paths["/api/2/issue/{issueIdOrKey}/remotelink"]["get"]["responses"]["200"]["content"]["application/json"]
    # asked for by its global id, one link comes by itself
    links["schema"] = {"anyOf": [links["schema"], links["schema"]["items"]]}
    for name in PROPERTIES:
        paths[name]["put"]["requestBody"]["content"]["application/json"] = {"schema": {"nullable": True}}
    schemas["EntityPropertyBean"]["properties"]["value"] = {}
    for name in ("IssueBean", "IssueUpdateBean"):
        # a field holds texts, numbers and lists, not only objects
        schemas[name]["properties"]["fields"]["additionalProperties"] = {}
    # properties of an issue come by key, see the switch `issue_properties` for the document's own form
    schemas["IssueBean"]["properties"]["properties"] = {"type": "object"}
    for name in ("startDate", "releaseDate"):
        # a day, not an instant
        schemas["VersionBean"]["properties"][name] = {"type": "string", "format": "date"}
    # lists in a query are texts with commas
    schemas["StringList"] = {"type": "string"}
    return document


@pytest.fixture(scope="module")
def spec(specproxy: Any) -> Any:
    """The vendor's document of Data Center 10.3 as a checker of requests and answers."""
    return specproxy.Spec(mended(specproxy.load_document(str(SHARED / "specs/jira-dc-10.3.json.gz"))))


@pytest.fixture
def planted(site: Any) -> Planted:
    """What the walk needs beside the small site, before it is switched."""
    return plant(site.server.app.state)


def check(spec: Any, answer: requests.Response) -> list[dict[str, Any]]:
    """What the document finds wrong with a call and its answer."""
    sent, target = answer.request, urlsplit(str(answer.request.url))
    url = f"{target.path}?{target.query}"
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    name, operation, asked = spec.check_request(sent.method, url, dict(sent.headers), body)
    assert name is not None, asked
    found = spec.check_response(name, operation, answer.status_code, dict(answer.headers), answer.content)
    return [dict(one) for one in [*asked, *found] if one["severity"] == "error"]


@pytest.mark.shared
def test_every_answer_agrees_with_the_vendors_document(planted: Planted, data_center: Any, spec: Any) -> None:
    wrong: list[Any] = []
    session, made = data_center.as_user(), ""
    for method, template, body, status in CALLS:
        path = template.replace("{made}", made)
        url = data_center.url + path if path.startswith("/rest/") else data_center.api(path)
        answer = session.request(method, url, json=body, allow_redirects=False)
        wrong += [(method, path, one) for one in check(spec, answer)]
        wrong += [(method, path, answer.status_code, answer.text)] if answer.status_code != status else []
        made = str(answer.json()["id"]) if answer.status_code == 201 and b'"id"' in answer.content else made
    assert wrong == []


@pytest.mark.shared
def test_calls_that_the_document_lacks_are_not_there(data_center: Any, spec: Any) -> None:
    session = data_center.as_user()
    for method, path in CLOUD_ONLY:
        answer = session.request(method, data_center.api(path), json={} if method != "GET" else None)
        assert (path, answer.status_code) == (path, 404)
        name, _, _ = spec.check_request(method, f"/rest/api/2{path}", {}, b"")
        # `project/search` and `issue/bulkfetch` would be a project and an issue of that name
        assert name in (None, "getProject")


def test_version_3_of_the_api_is_not_there(data_center: Any) -> None:
    for path in ("/rest/api/3/serverInfo", "/rest/api/3/myself", "/rest/api/3/search/jql?jql=project=PAY"):
        assert data_center.as_user().get(data_center.url + path).status_code == 404
    assert data_center.as_user().get(f"{data_center.url}/rest/api/latest/myself").json()["name"] == "bot"


def test_the_python_package_reads_and_writes_with_a_token(planted: Planted, data_center: Any) -> None:
    client = jira.JIRA(data_center.url, token_auth="bot-token")
    assert client.server_info()["deploymentType"] == "Server"
    assert client.myself()["name"] == "bot"
    found = client.search_issues("project = PAY ORDER BY key", maxResults=False, fields="summary,assignee")
    assert len(found) == 230
    assert found[1].fields.assignee.displayName == "Ann Østergård"
    assert [one.name for one in client.search_users("østergård")] == ["ann"]
    assert {one.key for one in client.projects()} == {"OPS", "PAY"}
    assert [one.name for one in client.project_issue_types("OPS")][:2] == ["Epic", "Story"]
    assert [one.name for one in client.sprints(planted.board)] == ["Sprint 1", "Sprint 2"]
    made = client.create_issue(project="OPS", summary="Made", issuetype={"name": "Task"}, description="*Wiki*")
    made.update(fields={"summary": "Made better", "customfield_10100": planted.epic}, update={"labels": [{"add": "x"}]})
    assert (made.fields.summary, made.fields.labels, made.fields.description) == ("Made better", ["x"], "*Wiki*")
    assert made.fields.customfield_10100 == planted.epic
    client.assign_issue(made, "ann")
    client.transition_issue(made, "In Progress")
    client.create_issue_link("Blocks", made.key, "OPS-1")
    assert client.add_comment(made, "h3. Seen").body == "h3. Seen"
    client.add_issue_property(made.key, "pmosync", {"a": 1})
    assert client.issue_property(made.key, "pmosync").value.a == 1
    again = client.issue(made.key, expand="changelog")
    assert (again.fields.assignee.name, again.fields.status.name) == ("ann", "In Progress")
    told = [item.field for one in again.changelog.histories for item in one.items]
    assert {"summary", "labels", "Epic Link", "assignee", "status"} <= set(told)
    made.delete()
    with pytest.raises(jira.JIRAError) as gone:
        client.issue(made.key)
    assert gone.value.status_code == 404
