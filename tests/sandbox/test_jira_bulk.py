"""Bulk operations of the sandbox's Jira: tasks that take their time, fail in part, and mail nobody when told so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmosync.sandbox.jira import seed

ANN = ("ann@acme.example", "ann-token")
SELECT, LINE, LONG = "customfield_10050", "customfield_10051", "customfield_10052"
TEXT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Why"}]}]}


@pytest.fixture
def fields(site: Any) -> Any:
    """The site with a select field and two texts of the PMO; the select is offered in OPS only."""
    state = site.server.app.state
    with state.transaction():
        choices = ("Compliant", "Watch")
        seed.add_field(state, SELECT, "PMO compliance", {"type": "option"}, ["OPS"], choices=choices)
        seed.add_field(state, LINE, "PMO line", {"type": "string"})
        seed.add_field(state, LONG, "PMO reasons", {"type": "text"})
    return site


def labelled(*edits: tuple[str, list[str]]) -> dict[str, Any]:
    wanted = [
        {"fieldId": "labels", "bulkEditMultiSelectFieldOption": verb, "labels": [{"name": one} for one in names]}
        for verb, names in edits
    ]
    return {"labelsFields": wanted}


def submit(site: Any, keys: list[str], edited: dict[str, Any], who: Any = None, **more: Any) -> Any:
    named = [one["fieldId"] for group in edited.values() for one in group]
    body = {"selectedIssueIdsOrKeys": keys, "selectedActions": sorted(set(named)), "editedFieldsInput": edited}
    session = site.as_user(who) if who else site.as_user()
    return session.post(site.api("/bulk/issues/fields"), json={"sendBulkNotification": False} | body | more)


def progress(site: Any, task: Any) -> Any:
    return site.as_user().get(site.api(f"/bulk/queue/{task.json()['taskId']}")).json()


def values(site: Any, key: str, *names: str) -> list[Any]:
    found = site.as_user(ANN).get(site.api(f"/issue/{key}")).json()["fields"]
    return [found.get(name) for name in names]


def switch(site: Any, **wanted: Any) -> None:
    site.control("POST", "switches", {"jira": wanted})


def test_the_work_of_a_task_shows_only_when_it_completes(site: Any) -> None:
    switch(site, task_polls=2)
    task = submit(site, ["PAY-3"], labelled(("ADD", ["pmo"])))
    assert task.status_code == 201
    seen = [(progress(site, task)["status"], values(site, "PAY-3", "labels")[0]) for _ in range(4)]
    assert seen == [("ENQUEUED", []), ("RUNNING", []), ("COMPLETE", ["pmo"]), ("COMPLETE", ["pmo"])]


def test_a_task_that_takes_seconds_completes_though_nobody_asks_for_it(site: Any) -> None:
    switch(site, task_seconds=30)
    task = submit(site, ["PAY-3"], labelled(("ADD", ["pmo"])))
    assert progress(site, task)["status"] == "ENQUEUED"
    site.control("POST", "clock", {"advance_s": 20})
    assert progress(site, task)["status"] == "RUNNING"
    site.control("POST", "clock", {"advance_s": 20})
    assert values(site, "PAY-3", "labels") == [["pmo"]]
    assert progress(site, task)["processedAccessibleIssues"] == [10003]


def test_several_edits_of_labels_are_one_edit_with_one_history_and_no_mail(site: Any) -> None:
    submit(site, ["PAY-7"], labelled(("REMOVE", ["team", "gone"]), ("ADD", ["b", "a"])))
    assert values(site, "PAY-7", "labels") == [["a", "b"]]
    log = site.as_user().get(site.api("/issue/PAY-7/changelog")).json()
    assert [item["toString"] for one in log["values"] for item in one["items"]] == ["a b"]
    assert site.control("GET", "mail") == []
    submit(site, ["PAY-7"], labelled(("REMOVE_ALL", [])), sendBulkNotification=True)
    assert values(site, "PAY-7", "labels") == [[]]
    assert [one["recipient"] for one in site.control("GET", "mail")] == ["ann@acme.example"]


def test_a_select_field_and_texts_are_set_and_cleared_where_they_are_on_offer(fields: Any) -> None:
    edited = {
        "singleSelectFields": [{"fieldId": SELECT, "option": {"optionId": 10101}}],
        "singleLineTextFields": [{"fieldId": LINE, "text": "one line"}],
        "richTextFields": [{"fieldId": LONG, "richText": {"adfValue": TEXT}}],
    }
    found = progress(fields, submit(fields, ["OPS-1", "PAY-3", "PAY-999"], edited))
    ops = int(fields.as_user().get(fields.api("/issue/OPS-1")).json()["id"])
    assert found["processedAccessibleIssues"] == [ops]
    assert "not available" in found["failedAccessibleIssues"]["10003"][0]
    assert found["invalidOrInaccessibleIssueCount"] == 1
    select, line, long = values(fields, "OPS-1", SELECT, LINE, LONG)
    assert (select["value"], select["id"], line, long) == ("Watch", "10101", "one line", TEXT)
    cleared = {
        "singleSelectFields": [{"fieldId": SELECT, "option": {"optionId": -1}}],
        "singleLineTextFields": [{"fieldId": LINE, "text": ""}],
        "richTextFields": [{"fieldId": LONG, "richText": {"adfValue": TEXT | {"content": []}}}],
    }
    submit(fields, ["OPS-1"], cleared)
    assert values(fields, "OPS-1", SELECT, LINE, LONG) == [None, None, None]


@pytest.mark.parametrize(
    "edited",
    [
        {"singleSelectFields": [{"fieldId": SELECT, "option": {"optionId": 99}}]},
        {"singleSelectFields": [{"fieldId": LINE, "option": {"optionId": 10101}}]},
        {"singleLineTextFields": [{"fieldId": LINE, "text": "two\nlines"}]},
        {"richTextFields": [{"fieldId": LONG, "richText": {"adfValue": {"type": "text"}}}]},
        {"datePickerFields": [{"fieldId": "duedate", "date": {"formattedDate": "01-02-2026"}}]},
        labelled(("ADD", ["two words"])),
        labelled(("APPEND", ["x"])),
    ],
)
def test_a_wrong_bulk_edit_is_refused_before_any_task(fields: Any, edited: Any) -> None:
    answer = submit(fields, ["OPS-1"], edited)
    assert (answer.status_code, list(answer.json())) == (400, ["errors"])
    assert fields.control("GET", "changes") == []


def test_a_bulk_edit_takes_at_most_a_thousand_issues_and_the_named_fields(site: Any) -> None:
    edited = labelled(("ADD", ["x"]))
    assert submit(site, [f"PAY-{number}" for number in range(1001)], edited).status_code == 400
    assert submit(site, [], edited).status_code == 400
    assert submit(site, ["PAY-3"], edited, selectedActions=["labels", "duedate"]).status_code == 400


def test_a_sixth_bulk_operation_waits_whoever_sends_it(site: Any) -> None:
    switch(site, task_polls=1)
    tasks = [submit(site, [f"PAY-{number}"], labelled(("ADD", ["x"]))) for number in range(3, 8)]
    assert submit(site, ["PAY-9"], labelled(("ADD", ["x"])), ANN).status_code == 429
    switch(site, bulk_busy_status=400)
    assert submit(site, ["PAY-9"], labelled(("ADD", ["x"])), ANN).status_code == 400
    assert [progress(site, tasks[0])["status"] for _ in range(2)] == ["ENQUEUED", "COMPLETE"]
    assert submit(site, ["PAY-9"], labelled(("ADD", ["x"]))).status_code == 201


def test_bulk_operations_need_their_global_permission(site: Any) -> None:
    state = site.server.app.state
    with state.transaction():
        seed.set_role(state, "OPS", "u-bot", "member")
    refused = submit(site, ["PAY-3"], labelled(("ADD", ["x"])))
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (
        403, "You do not have the global permission 'Make bulk changes'."
    )  # fmt: skip
    switch(site, bulk_denied_status=401)
    assert submit(site, ["PAY-3"], labelled(("ADD", ["x"]))).status_code == 401


@pytest.mark.parametrize("end", ["FAILED", "DEAD", "CANCELLED"])
def test_a_task_that_ends_badly_has_done_a_part(site: Any, end: str) -> None:
    switch(site, task_end=end, task_applied=1)
    found = progress(site, submit(site, ["PAY-3", "PAY-4"], labelled(("ADD", ["x"]))))
    assert (found["status"], found["processedAccessibleIssues"]) == (end, [10003])
    assert values(site, "PAY-3", "labels") + values(site, "PAY-4", "labels") == [["x"], []]


def test_single_issues_fail_in_a_task_that_completes(site: Any) -> None:
    switch(site, task_failing=["PAY-4"])
    found = progress(site, submit(site, ["PAY-3", "PAY-4"], labelled(("ADD", ["x"]))))
    assert (found["status"], found["processedAccessibleIssues"]) == ("COMPLETE", [10003])
    assert list(found["failedAccessibleIssues"]) == ["10004"]
    assert values(site, "PAY-4", "labels") == [[]]


# -- properties of many issues ----------------------------------------------------------------------------------------


def send(site: Any, method: str, path: str, body: Any) -> Any:
    return site.as_user().request(method, site.api(path), json=body, allow_redirects=False)


def ended(site: Any, moved: Any) -> Any:
    assert moved.status_code == 303
    return site.as_user().get(moved.headers["Location"]).json()


def holders(site: Any, key: str) -> dict[int, Any]:
    rows = site.control("GET", "state")["jira_property"]
    values = {row["entity_id"]: row["value"] for row in rows if row["key"] == key}
    return {number: json.loads(value) if isinstance(value, str) else value for number, value in values.items()}


def test_the_same_properties_are_set_on_many_issues_at_once(site: Any) -> None:
    switch(site, task_polls=1)
    body = {"entitiesIds": [10003, 10004, 99999], "properties": {"p": {"a": 1}}}
    moved = send(site, "POST", "/issue/properties", body)
    assert (ended(site, moved)["status"], holders(site, "p")) == ("ENQUEUED", {})
    assert ended(site, moved)["status"] == "COMPLETE"
    assert holders(site, "p") == {10003: {"a": 1}, 10004: {"a": 1}}
    assert site.control("GET", "mail") == []


def test_a_transactional_task_of_which_one_issue_fails_changes_nothing(site: Any) -> None:
    switch(site, task_failing=["10004"])
    found = ended(
        site, send(site, "POST", "/issue/properties", {"entitiesIds": [10003, 10004], "properties": {"p": 1}})
    )
    assert (found["status"], holders(site, "p")) == ("FAILED", {})


def test_two_tasks_over_one_issue_are_a_conflict(site: Any) -> None:
    switch(site, task_polls=1)
    first = send(site, "POST", "/issue/properties", {"entitiesIds": [10003], "properties": {"p": 1}})
    multi = {"issues": [{"issueID": 10003, "properties": {"p": 2}}]}
    assert send(site, "POST", "/issue/properties/multi", multi).status_code == 409
    assert [ended(site, first)["status"] for _ in range(2)] == ["ENQUEUED", "COMPLETE"]
    assert send(site, "POST", "/issue/properties/multi", multi).status_code == 303


def test_a_filter_chooses_the_issues_that_get_or_lose_a_property(site: Any) -> None:
    send(site, "POST", "/issue/properties", {"entitiesIds": [10003, 10004], "properties": {"p": 1}})
    chosen = {"entityIds": [10003, 10005], "hasProperty": False}
    ended(site, send(site, "PUT", "/issue/properties/p", {"value": 2, "filter": chosen}))
    assert holders(site, "p") == {10003: 1, 10004: 1, 10005: 2}
    ended(site, send(site, "DELETE", "/issue/properties/p", {"currentValue": 1}))
    assert holders(site, "p") == {10005: 2}
    assert (
        send(site, "PUT", "/issue/properties/p", {"value": 2, "filter": chosen | {"currentValue": 1}}).status_code
        == 400
    )


def test_a_task_is_seen_by_its_creator_only(site: Any) -> None:
    moved = send(site, "POST", "/issue/properties", {"entitiesIds": [10003], "properties": {"p": 1}})
    assert site.as_user(ANN).get(moved.headers["Location"]).status_code == 403
    assert site.as_user().get(site.api("/task/1")).status_code == 404
