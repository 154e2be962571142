"""Checks what the Jira connector brings from the sandbox: everything, what changed, and what could not be seen."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from pmosync.contract import Batch, Choice, Duration, Link, Person, Reference
from pmosync.errors import Unauthorized, Unavailable, Unreadable

SEARCH, BULK, PROJECTS = "/rest/api/3/search/jql", "/rest/api/3/issue/bulkfetch", "/rest/api/3/project/search"
FIELD = "/rest/api/3/field"


def all_keys(sandbox: Any, jql: str = "project is not EMPTY") -> set[str]:
    """The keys that a plain search page by page finds."""
    found, token = set(), None
    while True:
        body = {"jql": f"{jql} ORDER BY key", "fields": ["key"], "maxResults": 1000}
        page = sandbox.jira("POST", "search/jql", body | ({"nextPageToken": token} if token else {}))
        found |= {issue["key"] for issue in page["issues"]}
        token = page.get("nextPageToken")
        if not token:
            return found


def unobserved(batches: list[Batch]) -> dict[str, str]:
    """The scopes that could not be read, with the reason."""
    return {scope: batch.why for batch in batches if batch.state == "unobserved" for scope in batch.scopes}


def completed(batches: list[Batch], kind: str) -> set[str]:
    """The scopes that were proven complete for a kind."""
    return {s for batch in batches if batch.state == "complete" and kind in batch.kinds for s in batch.scopes}


def test_a_full_pull_brings_every_issue_and_proves_every_project(sandbox: Any, jira: Any) -> None:
    batches = jira.pull()
    keys = {record.key for record in jira.records.values() if record.kind == "task"}
    assert keys == all_keys(sandbox, "project in (PAY, PLAT, MOB, CRM, DWH, ARC, LOAN)")
    projects = {f"project:{r.id}" for r in jira.records.values() if r.kind == "project"}
    assert completed(batches, "task") == completed(batches, "project") == projects
    assert completed(batches, "person") == {"people"}
    assert unobserved(batches) == {}
    assert [batch.cursor is not None for batch in batches] == [False] * (len(batches) - 1) + [True]


def test_values_have_the_types_of_the_contract(sandbox: Any, jira: Any) -> None:
    jira.pull()
    tasks = [record for record in jira.records.values() if record.kind == "task"]
    one = next(r for r in tasks if r.values["assignee"] and r.values["parent"] and r.values["duedate"])
    raw = sandbox.jira("GET", f"issue/{one.id}")["fields"]
    status, assignee = raw["status"], raw["assignee"]
    assert one.values["summary"] == raw["summary"]
    assert one.values["status"] == Choice(status["id"], status["name"], status["statusCategory"]["key"])
    assert one.values["issuetype"] == Choice(raw["issuetype"]["id"], raw["issuetype"]["name"], "0")
    assert one.values["assignee"] == Person(
        assignee["accountId"], assignee["displayName"], assignee["emailAddress"], assignee["active"]
    )
    assert one.values["duedate"] == dt.date.fromisoformat(raw["duedate"])
    assert one.values["parent"] == Reference("task", raw["parent"]["id"])
    assert one.values["created"] == dt.datetime.fromisoformat(raw["created"])
    assert any(isinstance(r.values["timeoriginalestimate"], Duration) for r in tasks)
    assert (one.version, one.url) == (raw["updated"], f"{sandbox.url}/browse/{one.key}")
    assert one.scopes == (f"project:{raw['project']['id']}",)
    assert one.marks == {"property": None, "label": None}


def test_a_link_is_seen_from_both_ends(jira: Any) -> None:
    jira.pull()
    tasks = {record.id: record for record in jira.records.values() if record.kind == "task"}
    outward = [(t.id, link) for t in tasks.values() for link in t.values["issuelinks"] if link.direction == "outward"]
    assert outward
    for carrier, link in outward:
        mirrored = Link(link.type, link.name, "inward", carrier)
        assert mirrored in tasks[link.other].values["issuelinks"]


def test_a_project_has_its_lead_and_its_rollup(sandbox: Any, jira: Any) -> None:
    sandbox.jira("PUT", "project/PAY/properties/pmosync.rollup", {"b": 1, "a": [2]})
    jira.pull()
    project = jira.by_key("PAY")
    assert project.marks == {"project_property": '{"a":[2],"b":1}'}
    assert isinstance(project.values["lead"], Person)
    assert (project.values["name"], project.values["archived"]) == ("Instant payments", False)


def test_people_come_with_the_site_and_inactive_ones_say_so(sandbox: Any, jira: Any) -> None:
    jira.pull()
    people = {record.id: record for record in jira.records.values() if record.kind == "person"}
    users = sandbox.jira("GET", "users/search", maxResults=1000)
    assert set(people) == {user["accountId"] for user in users}
    assert {p.id for p in people.values() if p.values["active"] is False} == {
        user["accountId"] for user in users if not user["active"]
    }


def test_when_users_may_not_be_listed_the_people_are_unobserved_and_the_mentioned_ones_known(
    sandbox: Any, jira: Any
) -> None:
    sandbox.fault({"kind": "status", "status": 403, "match": {"path": "/users/search"}, "times": None})
    batches = jira.pull()
    assert "Browse users and groups" in unobserved(batches)["people"]
    assert completed(batches, "person") == set()
    assert any(record.kind == "person" for record in jira.records.values())
    assert jira.cursor is not None


# --- call economy ---------------------------------------------------------------------------------------------------


def test_a_quiet_cycle_makes_two_requests(jira: Any) -> None:
    jira.pull()
    jira.calls()
    for _ in range(2):
        batches = jira.pull(jira.cursor)
        assert jira.calls() == {PROJECTS: 1, SEARCH: 1}
        assert not [r for batch in batches for r in batch.records if r.kind == "task"]


def test_a_quiet_cycle_of_a_new_process_makes_two_requests(sandbox: Any, jira: Any, open_jira: Any) -> None:
    jira.pull()
    fresh = open_jira(sandbox.url)
    fresh.records, cursor = jira.records, jira.cursor
    fresh.pull(cursor)
    assert fresh.calls() == {PROJECTS: 1, SEARCH: 1}


def test_a_changed_issue_costs_one_more_request_and_brings_only_it(sandbox: Any, jira: Any) -> None:
    sandbox.advance(40 * 86400)
    jira.pull()
    jira.calls()
    sandbox.advance(3600)
    sandbox.jira("PUT", "issue/PAY-3", {"fields": {"summary": "Another title"}}, token="person-1")
    batches = jira.pull(jira.cursor)
    assert jira.calls() == {PROJECTS: 1, SEARCH: 1, BULK: 1}
    assert [r.key for batch in batches for r in batch.records if r.kind == "task"] == ["PAY-3"]
    assert jira.by_key("PAY-3").values["summary"] == "Another title"
    jira.pull(jira.cursor)
    assert jira.calls() == {PROJECTS: 1, SEARCH: 1}


def test_our_own_property_does_not_come_back_as_a_change(sandbox: Any, jira: Any) -> None:
    jira.pull()
    list(jira.connector.push([jira.change("PAY-3", "property", '{"a":1}')]))
    jira.calls()
    jira.pull(jira.cursor)
    assert jira.calls() == {PROJECTS: 1, SEARCH: 1}


# --- what is gone, moved or hidden ----------------------------------------------------------------------------------


def test_a_deleted_issue_is_gone_after_the_next_full_pull_and_not_before(sandbox: Any, jira: Any) -> None:
    jira.pull()
    gone = next(
        r
        for r in jira.tasks_of("PAY")
        if not any(t.values["parent"] and t.values["parent"].id == r.id for t in jira.tasks_of("PAY"))
    )
    sandbox.jira("DELETE", f"issue/{gone.key}", deleteSubtasks="true")
    jira.pull(jira.cursor)
    assert ("task", gone.id) in jira.records
    jira.pull()
    assert ("task", gone.id) not in jira.records


def test_the_query_of_the_mapping_narrows_every_search(sandbox: Any, jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, projects=("PAY",), query="issuetype = Epic")
    jira.pull()
    keys = {record.key for record in jira.records.values() if record.kind == "task"}
    assert keys == all_keys(sandbox, "project = PAY AND issuetype = Epic")
    assert keys


def test_a_project_that_the_mapping_names_and_the_account_does_not_see_is_unobserved(jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, projects=("PAY", "NOPE"))
    batches = jira.pull()
    assert "Browse projects" in unobserved(batches)["project:NOPE"]
    assert jira.tasks_of("PAY")


def test_a_project_that_disappears_between_two_pulls_is_unobserved_under_its_id(sandbox: Any, jira: Any) -> None:
    jira.pull()
    mob = jira.by_key("MOB").id
    sandbox.fault({"kind": "missing", "project": "MOB", "times": None, "match": {"tool": "jira"}})
    assert set(unobserved(jira.pull(jira.cursor))) == {f"project:{mob}"}
    assert mob not in jira.cursor["projects"]


def test_only_a_whole_sweep_says_that_a_project_is_observed(sandbox: Any, jira: Any) -> None:
    batches = jira.pull()
    batches += jira.pull(jira.cursor)
    assert all(batch.state == "complete" for batch in batches if batch.scopes)


def test_a_query_that_jira_refuses_makes_every_project_unobserved_with_its_words(jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, query="nonsense = 1")
    batches = jira.pull()
    whys = unobserved(batches)
    assert len(whys) == 8
    assert all("nonsense" in why for why in whys.values())
    assert jira.cursor["projects"] == []


def test_a_question_that_changed_starts_over_inside_the_same_pull(jira: Any) -> None:
    jira.pull()
    jira.scope = dataclasses.replace(jira.scope, fields=("summary",))
    batches = jira.pull(jira.cursor)
    assert len(completed(batches, "task")) == 8


@pytest.mark.parametrize("kind", ["forbidden", "missing"])
@pytest.mark.parametrize("after", [0, 1, 2])  # its issues come in two pages, in any order: one page is always late
def test_a_project_that_closes_in_mid_run_is_unobserved_and_loses_nothing(
    sandbox: Any, jira: Any, kind: str, after: int
) -> None:
    jira.pull()
    before = {record.key for record in jira.tasks_of("MOB")}
    sandbox.fault({"kind": kind, "project": "MOB", "after": after, "times": None, "match": {"tool": "jira"}})
    batches = jira.pull()
    mob = jira.by_key("MOB").id
    assert f"project:{mob}" not in completed(batches, "task")
    assert {record.key for record in jira.tasks_of("MOB")} == before
    assert len(completed(batches, "task")) == 7
    assert mob not in jira.cursor["projects"]


def test_issues_that_a_search_lists_and_a_bulk_fetch_hides_are_no_proof_that_they_are_gone(
    sandbox: Any, jira: Any
) -> None:
    jira.pull()
    before = {record.key for record in jira.tasks_of("CRM")}
    sandbox.fault({"kind": "missing", "project": "CRM", "times": None, "match": {"path": "bulkfetch"}})
    batches = jira.pull()
    crm = jira.by_key("CRM").id
    assert "does not show" in unobserved(batches)[f"project:{crm}"]
    assert {record.key for record in jira.tasks_of("CRM")} == before


def test_a_project_that_was_unobserved_is_read_whole_when_it_is_back(sandbox: Any, jira: Any) -> None:
    sandbox.advance(40 * 86400)
    jira.pull()
    sandbox.fault({"kind": "missing", "project": "MOB", "times": None, "match": {"tool": "jira"}})
    jira.pull(jira.cursor)
    sandbox.heal()
    sandbox.jira("PUT", "issue/MOB-2", {"fields": {"summary": "While away"}}, token="person-1")
    sandbox.advance(86400)
    sandbox.jira("PUT", "issue/PAY-2", {"fields": {"summary": "Later"}}, token="person-1")
    batches = jira.pull(jira.cursor)
    assert completed(batches, "task") == {f"project:{jira.by_key('MOB').id}"}
    assert jira.by_key("MOB-2").values["summary"] == "While away"
    assert jira.by_key("PAY-2").values["summary"] == "Later"


# --- trouble with the whole site ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["repeat_token", "empty_page"])
def test_paging_that_does_not_end_makes_the_projects_unobserved_until_they_are_read_whole(
    sandbox: Any, jira: Any, kind: str
) -> None:
    jira.pull()
    before = set(jira.records)
    many = {**jira.cursor, "updated_ms": 1000}
    sandbox.fault({"kind": kind, "times": None, "match": {"path": "search/jql"}})
    batches = jira.pull(many)
    assert len(unobserved(batches)) == 8
    assert jira.cursor["projects"] == []
    assert set(jira.records) == before
    sandbox.heal()
    assert len(completed(jira.pull(jira.cursor), "task")) == 8


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 502}, {"kind": "cut_before"}, {"kind": "truncated"},
    {"kind": "retry_after", "value": "2"}, {"kind": "retry_after", "value": None},
])  # fmt: skip
def test_passing_trouble_leaves_no_trace(sandbox: Any, jira: Any, open_jira: Any, fault: dict[str, Any]) -> None:
    sandbox.fault({**fault, "after": 3, "times": 2})
    batches = jira.pull()
    twin = open_jira(sandbox.url)
    sandbox.heal()
    twin.pull()
    assert unobserved(batches) == {}
    assert jira.records == twin.records


def test_lasting_trouble_makes_the_site_unavailable_and_keeps_what_came_before(sandbox: Any, jira: Any) -> None:
    sandbox.fault({"kind": "status", "status": 503, "times": None, "match": {"path": "bulkfetch"}})
    with pytest.raises(Unavailable):
        jira.pull()
    assert jira.cursor is None
    assert jira.by_key("PAY")


def test_wrong_credentials_are_tried_once(sandbox: Any, open_jira: Any) -> None:
    with pytest.raises(Unauthorized, match="Check the user and the token"):
        open_jira(sandbox.url, token="wrong").pull()
    assert sandbox.requests()["total"] == 1


def test_a_login_page_is_unreadable(sandbox: Any, jira: Any) -> None:
    sandbox.fault({"kind": "not_json", "times": None})
    with pytest.raises(Unreadable, match="base_url"):
        jira.pull()


# --- describe -------------------------------------------------------------------------------------------------------


def test_describe_names_fields_with_their_kinds_and_options(sandbox: Any, jira: Any) -> None:
    catalog = jira.connector.describe()
    fields = {field.id: field for field in catalog.fields if field.subject == "task"}
    kinds = {name: fields[name].kind for name in ("summary", "status", "assignee", "duedate", "created", "parent")}
    assert kinds == {
        "summary": "text", "status": "choice", "assignee": "person", "duedate": "date", "created": "instant",
        "parent": "reference",
    }  # fmt: skip
    assert (fields["timespent"].kind, fields["issuelinks"].kind) == ("duration", "list")
    start = fields["customfield_10015"]
    assert (start.name, start.kind, start.custom) == ("Start date", "date", True)
    assert ("Done", "done") in {(option.name, option.category) for option in fields["status"].options}
    assert {p.key for p in catalog.projects} == {"PAY", "PLAT", "MOB", "CRM", "DWH", "ARC", "LOAN", "PMO"}
    assert Choice("10000", "Blocks", "blocks") in catalog.link_types
    assert (catalog.account.name, catalog.zone) == ("PMO bot", "Europe/Berlin")
    assert catalog.server.startswith("Jira Cloud 1001")
    assert sandbox.requests()["writes"] == 0


def test_a_read_only_session_is_enough_for_everything_but_pushing(sandbox: Any, open_jira: Any) -> None:
    desk = open_jira(sandbox.url, read_only=True)
    desk.pull()
    desk.connector.describe()
    desk.connector.prepare(desk.scope, False)
    assert sandbox.requests()["writes"] == 0
