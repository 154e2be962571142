"""The `jira` package, as anybody would use it, reads and writes the sandbox: as a Cloud site and as a Data Center."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import jira
import pytest

from pmosync.sandbox.jira import planning, seed
from tests.sandbox.conftest import ANN, Site, _server, data_center, site

__all__ = ["_server", "data_center", "site"]

REPORT = {"url": "https://pmo.example/report", "title": "PMO: 1 finding: no owner"}


@dataclass
class Desk:
    """A client of the package, and the site that it speaks to."""

    name: str
    site: Site
    client: jira.JIRA

    @property
    def me(self) -> dict[str, str]:
        """How the package names Ann."""
        return {"accountId": "u-ann"} if self.name == "cloud" else {"name": "ann"}

    def searched(self, jql: str, **options: Any) -> list[Any]:
        """All issues of a search, page by page, as the package pages on that kind of site."""
        search = self.client.enhanced_search_issues if self.name == "cloud" else self.client.search_issues
        return list(search(jql, maxResults=False, **options))

    def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for one in self.site.control("GET", "requests")["log"] if one["path"].endswith(path))


@pytest.fixture(params=["cloud", "data_center"])
def desk(request: pytest.FixtureRequest, site: Site) -> Desk:
    """The package finds out by itself what it speaks to; on Data Center it signs in with a personal access token."""
    if request.param == "cloud":
        return Desk("cloud", site, jira.JIRA(site.url, basic_auth=ANN))
    there = request.getfixturevalue("data_center")
    return Desk("data_center", there, jira.JIRA(there.url, token_auth=ANN[1]))


def test_it_finds_out_what_it_speaks_to(desk: Desk) -> None:
    assert desk.client._is_cloud is (desk.name == "cloud")
    assert desk.client.server_info()["deploymentType"] == ("Cloud" if desk.name == "cloud" else "Server")
    assert desk.client.myself()["displayName"] == "Ann Østergård"


def test_it_reads_three_pages_of_issues(desk: Desk) -> None:
    found = desk.searched("project = PAY ORDER BY id", fields="summary,assignee,status")
    assert [one.key for one in found] == [f"PAY-{number}" for number in range(1, 231)]
    assert desk.asked("/search/jql" if desk.name == "cloud" else "/search") >= 3
    second = found[1]
    assert (second.fields.summary, second.fields.status.name) == ("Step 2", "To Do")
    assert second.fields.assignee.displayName == "Ann Østergård"


def test_it_reads_lists(desk: Desk) -> None:
    client = desk.client
    assert {one.key for one in client.projects()} == {"PAY", "OPS", "SEC"}
    assert {one.name for one in client.issue_types()} >= {"Epic", "Task"}
    assert {one.name for one in client.statuses()} >= {"To Do", "In Progress", "Done"}
    assert any(one["name"] == "Start date" for one in client.fields())
    assert {one.name for one in client.issue_link_types()} >= {"Blocks"}
    assert client.priorities()
    assert client.resolutions()
    assert client.project("PAY").lead.displayName == "Ann Østergård"


def test_it_makes_edits_moves_links_and_deletes_issues(desk: Desk) -> None:
    client = desk.client
    made = client.create_issue(project="PAY", summary="Made", issuetype={"name": "Task"}, description="Plain")
    made.update(fields={"summary": "Made better", "duedate": "2026-04-01"}, update={"labels": [{"add": "x"}]})
    assert (made.fields.summary, made.fields.duedate, made.fields.labels) == ("Made better", "2026-04-01", ["x"])
    assert made.fields.description == "Plain"
    made.update(fields={"labels": ["y", "z"]})
    made.update(update={"labels": [{"remove": "y"}]})
    assert made.fields.labels == ["z"]
    client.create_issue_link("Blocks", made.key, "PAY-3")
    client.transition_issue(made, "In Progress")
    made.update(assignee=desk.me)
    again = client.issue(made.key)
    assert again.fields.status.name == "In Progress"
    assert again.fields.assignee.displayName == "Ann Østergård"
    assert again.fields.issuelinks[0].outwardIssue.key == "PAY-3"
    again.delete()
    with pytest.raises(jira.JIRAError) as refused:
        client.issue(made.key)
    assert refused.value.status_code == 404


def test_it_sets_reads_and_removes_properties(desk: Desk) -> None:
    client = desk.client
    client.add_issue_property("PAY-2", "pmosync.compliance", {"worst": "high", "findings": [1, 2]})
    assert [one.key for one in client.issue_properties("PAY-2")] == ["pmosync.compliance"]
    found = client.issue_property("PAY-2", "pmosync.compliance")
    assert (found.value.worst, found.value.findings) == ("high", [1, 2])
    found.delete()
    assert client.issue_properties("PAY-2") == []


def test_it_writes_edits_and_removes_comments(desk: Desk) -> None:
    client = desk.client
    said = client.add_comment("PAY-2", "Two findings.\nNo owner.")
    assert said.body == "Two findings.\nNo owner."
    said.update(body="One finding.")
    assert [(one.body, one.author.displayName) for one in client.comments("PAY-2")] == [
        ("One finding.", "Ann Østergård")
    ]
    said.delete()
    assert client.comments("PAY-2") == []


def test_it_sets_reads_and_removes_remote_links(desk: Desk) -> None:
    client = desk.client
    link = client.add_simple_link("PAY-2", REPORT)
    (found,) = client.remote_links("PAY-2")
    assert (found.id, found.object.title, found.object.url) == (link.id, REPORT["title"], REPORT["url"])
    found.delete()
    assert client.remote_links("PAY-2") == []


def test_it_books_reads_edits_and_removes_time(desk: Desk) -> None:
    client = desk.client
    started = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
    booked = client.add_worklog("PAY-2", timeSpentSeconds=5400, started=started)
    (found,) = client.worklogs("PAY-2")
    assert (found.id, found.timeSpentSeconds, found.author.displayName) == (booked.id, 5400, "Ann Østergård")
    assert client.issue("PAY-2").fields.timespent == 5400
    found.update(fields={"timeSpentSeconds": 3600})
    assert client.worklog("PAY-2", booked.id).timeSpentSeconds == 3600
    found.delete()
    assert client.worklogs("PAY-2") == []


def test_it_makes_versions(desk: Desk) -> None:
    client = desk.client
    version = client.create_version("Launch", "PAY", releaseDate="2026-05-01")
    version.update(released=True)
    assert [(one.name, one.released) for one in client.project_versions("PAY")] == [("Launch", True)]
    client.issue("PAY-2").update(fields={"fixVersions": [{"name": "Launch"}]})
    assert client.issue("PAY-2").fields.fixVersions[0].releaseDate == "2026-05-01"


def test_it_reads_boards_and_makes_starts_and_fills_sprints(desk: Desk) -> None:
    client = desk.client
    board_id = _board(desk.site)
    (board,) = client.boards()
    assert (board.id, board.name) == (board_id, "PAY board")
    sprint = client.create_sprint("Sprint 1", board.id)
    assert [(one.name, one.state) for one in client.sprints(board.id)] == [("Sprint 1", "future")]
    client.add_issues_to_sprint(sprint.id, ["PAY-2", "PAY-3"])
    dates = {"startDate": "2026-03-02T09:00:00.000+0000", "endDate": "2026-03-16T09:00:00.000+0000"}
    client.update_sprint(sprint.id, state="active", **dates)
    assert client.sprint(sprint.id).state == "active"
    assert {one.key for one in desk.searched(f"sprint = {sprint.id}")} == {"PAY-2", "PAY-3"}


def _board(site: Site) -> int:
    state = site.server.app.state
    with state.lock, state.transaction():
        seed.add_field(state, "customfield_10020", "Sprint", planning.SPRINT_SCHEMA)
        return planning.add_board(state, "PAY board", "PAY")


def test_it_hears_a_no_in_the_vendors_words(desk: Desk) -> None:
    with pytest.raises(jira.JIRAError, match="does not exist for the field 'project'") as refused:
        desk.searched("project = NOPE")
    assert refused.value.status_code == 400
    with pytest.raises(jira.JIRAError, match="summary") as refused:
        desk.client.create_issue(project="PAY", issuetype={"name": "Task"})
    assert refused.value.status_code == 400
