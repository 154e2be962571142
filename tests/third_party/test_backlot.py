"""Our connector, unchanged, reads `backlot`: a Jira Cloud that others wrote and measured against the real one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import backlot
import pytest

from pmosync.contract import Choice, Link, Person, Reference, Scope
from pmosync.errors import Unauthorized, Unreadable

from .backlot_gaps import API, GAPS, LESS
from .gateway import Direct, Gateway, before

pytestmark = pytest.mark.slow

PEOPLE = ("ann.ostergaard@acme.example", "ben.iyer@acme.example", "chen.wei@acme.example")
STATUSES = ("To Do", "In Progress", "Done")
FIELDS = (
    "summary", "description", "status", "issuetype", "priority", "assignee", "reporter", "duedate", "labels",
    "components", "fixVersions", "resolution", "resolutiondate", "parent", "issuelinks", "subtasks",
)  # fmt: skip


def corpus() -> list[dict[str, Any]]:
    """Two projects: PAY with 240 issues, the second of them a sub-task and the third linked; OPS with 5."""
    several = []
    for number in range(1, 246):
        project, key = ("pay", f"PAY-{number}") if number <= 240 else ("ops", f"OPS-{number - 240}")
        status = STATUSES[number % 3]
        one: dict[str, Any] = {
            "source_type": "jira", "doc_id": key, "key": key, "project": project, "title": f"Step {number} <b>&",
            "content": f"First line of {number}\n\nSecond line", "issuetype": "Task", "status": status,
            "priority": "High", "created": "2026-02-17T02:20:00Z", "updated": f"2026-03-{number % 28 + 1:02}T03:40:00Z",
            "author_email": PEOPLE[0], "reporter": PEOPLE[1], "visibility": "public", "labels": ["team"],
            "components": ["ingest"], "fix_versions": ["1.0"],
        }  # fmt: skip
        if number % 5:
            one["assignee"] = PEOPLE[number % 3]
        if number % 2:
            one["duedate"] = f"2026-04-{number % 28 + 1:02}"
        if status == "Done":
            one |= {"resolution": "Done", "resolutiondate": "2026-03-10T09:00:00Z"}
        several.append(one)
    several[1] |= {"issuetype": "Sub-task", "parent": "PAY-1"}
    other = {"id": "1", "key": "PAY-1", "fields": {"summary": "Step 1"}}
    blocks = {"id": "10000", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    several[2]["issuelinks"] = [{"id": "5", "type": blocks, "outwardIssue": other}]
    return several


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Direct, str]]:
    """The server with its own address below Atlassian's part, and the token of its administrator."""
    with backlot.serve(corpus(), telemetry=False) as server:
        yield Direct(f"{server.base_url}/atlassian", {"Authorization": f"Bearer {server.token}"}), server.token


@pytest.fixture
def cloud(running: tuple[Direct, str]) -> Iterator[Gateway]:
    with before(running[0], GAPS) as gateway:
        yield gateway


@pytest.fixture
def desk(cloud: Gateway, running: tuple[Direct, str], open_jira: Any) -> Any:
    one = open_jira(cloud.url, token=running[1], deployment="auto", fields=FIELDS)
    one.scope = Scope(fields=FIELDS, slots=("property", "label"))
    return one


def test_what_it_lacks_it_still_lacks(running: tuple[Direct, str]) -> None:
    assert [gap.call for gap in GAPS if not gap.still(running[0])] == []
    assert [what for what, still in LESS.items() if not still(running[0])] == []


def test_its_catalog_is_read(desk: Any, cloud: Gateway) -> None:
    catalog = desk.connector.describe()
    assert {(one.key, one.name) for one in catalog.projects} == {("PAY", "pay"), ("OPS", "ops")}
    assert {one.id for one in catalog.fields} >= set(FIELDS)
    (status,) = [one for one in catalog.fields if one.id == "status"]
    assert {(one.name, one.category) for one in status.options} == {
        ("To Do", "new"), ("In Progress", "indeterminate"), ("Done", "done"),
    }  # fmt: skip
    assert ("10000", "Blocks", "blocks") in {(one.id, one.name, one.category) for one in catalog.link_types}
    assert catalog.server.startswith("Jira Cloud 1001")
    assert all(status == 200 for _, status in cloud.passed)


def test_a_whole_pull_brings_every_issue_with_its_values_and_proves_that_there_are_no_others(
    desk: Any, cloud: Gateway
) -> None:
    batches = desk.pull()
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    assert (len(desk.tasks_of("PAY")), len(desk.tasks_of("OPS"))) == (240, 5)
    (census,) = [batch.census for batch in batches if batch.state == "complete" and "task" in batch.kinds]
    assert len(census) == 245
    assert sum(1 for kind, _ in desk.records if kind == "person") == 3
    assert all(status == 200 for _, status in cloud.passed)
    assert {call for call, _ in cloud.passed} >= {f"GET {API}/project/search", f"POST {API}/search/jql"}
    _check_values(desk)


def _check_values(desk: Any) -> None:
    first, second, third = (desk.by_key(f"PAY-{number}") for number in (1, 2, 3))
    values = first.values
    assert (values["summary"], values["description"]) == ("Step 1 <b>&", "First line of 1\nSecond line")
    assert isinstance(values["status"], Choice)
    assert (values["status"].name, values["status"].category) == ("In Progress", "indeterminate")
    assert isinstance(values["assignee"], Person)
    assert (values["assignee"].name, values["assignee"].email) == ("Ben Iyer", PEOPLE[1])
    assert values["duedate"] == dt.date(2026, 4, 2)
    assert values["created"] == dt.datetime(2026, 2, 17, 2, 20, tzinfo=dt.UTC)
    assert values["subtasks"] == (Reference("task", second.id),)
    assert second.values["parent"] == Reference("task", first.id)
    assert second.values["duedate"] is None
    assert third.values["issuelinks"] == (Link("10000", "Blocks", "outward", "1"),)
    assert first.marks["label"] is None


def test_a_pull_of_one_project_keeps_to_it_though_the_server_lists_others_too(desk: Any) -> None:
    desk.scope = Scope(projects=("OPS",), fields=FIELDS)
    batches = desk.pull()
    assert [batch.why for batch in batches if batch.state == "unobserved"] == []
    assert {record.key for record in desk.records.values() if record.kind == "task"} == {
        f"OPS-{number}" for number in range(1, 6)
    }


def test_a_second_pull_fetches_nothing_again_though_the_server_ignores_since_when(desk: Any, cloud: Gateway) -> None:
    desk.pull()
    desk.calls()
    batches = desk.pull(desk.cursor)
    assert [record for batch in batches for record in batch.records if record.kind == "task"] == []
    assert "/rest/api/3/issue/bulkfetch" not in desk.calls()


def test_where_we_may_write_is_found_out(desk: Any) -> None:
    assert desk.connector.prepare(Scope(slots=("property",)), write=False).limitations == ()


def test_a_wrong_token_is_told_though_the_server_answers_as_if_nobody_had_signed_in(
    cloud: Gateway, open_jira: Any
) -> None:
    desk = open_jira(cloud.url, token="wrong")
    assert cloud.server.call("GET", f"{API}/project/search").json()["total"] == 2
    with pytest.raises(Unauthorized, match=r"does not accept the credentials \(200: AUTHENTICATED_FAILED\)"):
        desk.pull()
    assert cloud.passed == [(f"GET {API}/project/search", 200)], "nothing more is sent with it"


def test_what_the_server_says_of_a_call_that_it_lacks_is_passed_on(running: tuple[Direct, str], open_jira: Any) -> None:
    desk = open_jira(running[0].base_url, token=running[1])
    with pytest.raises(Unreadable, match=r"was refused \(404\): No endpoint GET /rest/api/3/myself\. It does not"):
        desk.connector.describe()
