"""Holds the Jira connector to one contract on Cloud and on Data Center: what it brings, proves, writes, takes back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from typing import Any

import pytest

from pmosync.contract import Batch, Change, Choice, Record, Reference, Scope, Slot
from pmosync.errors import Unauthorized

FLAG = '{"findings":[{"standard":"DAT101"}],"severity":"high"}'
LINK = '{"title":"PMO: 1 finding: no owner (high)","url":"https://pmo.acme.example/DAT101.html"}'
PAGE = "Instant payments: amber\n# Findings\n- 3 high, [see *here*]\nAs of {today}: 12 of 40 done."
DEPLOYMENTS = ("cloud", "data_center")


@pytest.fixture(params=DEPLOYMENTS)
def jira(request: pytest.FixtureRequest, sandbox: Any, open_jira: Any) -> Any:
    """A connector on three projects of each deployment; the bot administers PAY, and neither PLAT nor DWH."""
    if request.param == "data_center":
        sandbox.be_data_center(page_cap=60)
    desk = open_jira(sandbox.url, deployment=request.param)
    slots = (*desk.scope.slots, "remote_link")
    desk.scope = dataclasses.replace(desk.scope, projects=("PAY", "PLAT", "DWH"), slots=slots)
    return desk


@pytest.fixture
def both(sandbox: Any, open_jira: Any) -> tuple[Any, Any]:
    """The same three projects as each deployment shows them, pulled whole."""
    scope = Scope(projects=("PAY", "PLAT", "DWH"), fields=("summary", "status", "duedate", "parent", "labels"))
    desks = []
    for deployment in DEPLOYMENTS:
        if deployment == "data_center":
            sandbox.be_data_center()
        desk = open_jira(sandbox.url, deployment=deployment)
        desk.scope = scope
        desk.pull()
        desks.append(desk)
    return desks[0], desks[1]


def completed(batches: list[Batch]) -> set[str]:
    """The scopes whose tasks were proven complete."""
    return {s for batch in batches if batch.state == "complete" and "task" in batch.kinds for s in batch.scopes}


def tasks(desk: Any) -> dict[str, Record]:
    """The stored tasks by id."""
    return {record.id: record for record in desk.records.values() if record.kind == "task"}


def edit(sandbox: Any, key: str, **fields: Any) -> None:
    """Somebody's edit of an issue."""
    sandbox.jira("PUT", f"issue/{key}", {"fields": fields}, token="person-1")


# --- reading --------------------------------------------------------------------------------------------------------


def test_both_bring_the_same_tasks_with_the_same_values(both: tuple[Any, Any]) -> None:
    cloud, server = (tasks(desk) for desk in both)
    assert cloud.keys() == server.keys()
    assert len(cloud) > 200
    for name, record in cloud.items():
        assert record.key == server[name].key
        assert record.values == {**server[name].values, "created": record.values["created"]}


def test_every_project_is_proven_over_several_pages(jira: Any) -> None:
    batches = jira.pull()
    wanted = {f"project:{jira.by_key(key).id}" for key in ("PAY", "PLAT", "DWH")}
    assert completed(batches) == wanted
    assert not [batch.why for batch in batches if batch.state == "unobserved"]
    assert len(tasks(jira)) > 3 * 60


def test_levels_and_parents_reach_from_subtask_to_epic(jira: Any) -> None:
    jira.pull()
    found = tasks(jira)
    pairs = Counter(
        (record.values["issuetype"].category, found[record.values["parent"].id].values["issuetype"].category)
        for record in found.values()
        if record.values["parent"] is not None
    )
    assert {("-1", "0"), ("0", "1")} <= pairs.keys()
    assert all(isinstance(record.values["parent"], Reference | None) for record in found.values())


def test_only_what_changed_is_fetched_and_a_quiet_pull_fetches_nothing(sandbox: Any, jira: Any) -> None:
    jira.pull()
    jira.calls()
    assert not [r for batch in jira.pull(jira.cursor) for r in batch.records if r.kind == "task"]
    assert sum(jira.calls().values()) <= 3
    edit(sandbox, "PAY-7", summary="Another title")
    fetched = [r.key for batch in jira.pull(jira.cursor) for r in batch.records if r.kind == "task"]
    assert fetched == ["PAY-7"]


def test_no_zone_of_an_account_loses_a_change(sandbox: Any, jira: Any) -> None:
    jira.pull()
    for hours in (1, 5, 9, 13):
        sandbox.advance(hours * 3600)
        edit(sandbox, "PAY-7", summary=f"After {hours} more hours")
        jira.pull(jira.cursor)
        assert jira.by_key("PAY-7").values["summary"] == f"After {hours} more hours"


def test_a_deleted_issue_is_gone_after_a_proof_and_only_then(sandbox: Any, jira: Any) -> None:
    jira.pull()
    gone = jira.by_key("PAY-9").id
    sandbox.jira("DELETE", f"issue/{gone}", deleteSubtasks="true")
    jira.pull(jira.cursor)
    assert gone in tasks(jira)
    jira.pull()
    assert gone not in tasks(jira)


def test_wrong_credentials_are_said_once_and_not_tried_again(jira: Any, sandbox: Any, open_jira: Any) -> None:
    deployment = "data_center" if sandbox.api.endswith("2") else "cloud"
    stranger = open_jira(sandbox.url, token="not-it", deployment=deployment)
    for _ in range(3):
        with pytest.raises(Unauthorized):
            stranger.pull()
    assert sum(stranger.session.calls.values()) == 1


def test_the_catalog_names_fields_people_and_projects(jira: Any) -> None:
    catalog = jira.connector.describe()
    kinds = {field.id: field.kind for field in catalog.fields}
    assert kinds["duedate"] == "date"
    assert kinds["parent"] == "reference"
    assert kinds["assignee"] == "person"
    assert {"PAY", "PLAT", "DWH"} <= {project.key for project in catalog.projects}
    assert catalog.account.name == "PMO bot"
    assert catalog.server.startswith(("Jira Cloud 1001", "Jira Data Center 10.3"))
    assert catalog.zone


def test_histories_tell_the_same_moves(sandbox: Any, jira: Any) -> None:
    jira.scope = dataclasses.replace(jira.scope, history=("status", "duedate"), fields=(*jira.scope.fields, "updated"))
    edit(sandbox, "PAY-7", duedate="2027-01-15")
    edit(sandbox, "PAY-7", duedate="2027-02-15")
    moves = sandbox.jira("GET", "issue/PAY-8/transitions", token="person-1")["transitions"]
    sandbox.jira("POST", "issue/PAY-8/transitions", {"transition": {"id": moves[-1]["id"]}}, token="person-1")
    jira.pull()
    dates = [(e.before, e.after) for e in jira.by_key("PAY-7").history if e.field == "duedate"][-2:]
    assert [after for _, after in dates] == [dt.date(2027, 1, 15), dt.date(2027, 2, 15)]
    statuses = [e for record in tasks(jira).values() for e in record.history if e.field == "status"]
    assert statuses
    assert all(isinstance(e.after, Choice) and e.after.category for e in statuses)
    changed_at = jira.by_key("PAY-7").values["updated"]
    list(jira.connector.push([jira.change("PAY-7", "label", "high"), jira.change("PAY-7", "property", FLAG)]))
    jira.pull(jira.cursor)
    assert jira.by_key("PAY-7").values["updated"] == changed_at


# --- writing --------------------------------------------------------------------------------------------------------


def flags(desk: Any, key: str) -> list[Change]:
    """Every mark of a task."""
    marks = {"label": "high", "property": FLAG, "remote_link": LINK}
    return [desk.change(key, slot, after) for slot, after in marks.items()]


def test_marks_are_written_found_again_without_a_store_and_taken_back(sandbox: Any, jira: Any) -> None:
    jira.pull()
    mails = len(sandbox.mail())
    receipts = list(jira.connector.push(flags(jira, "PAY-7")))
    assert [(r.change.slot.name, r.fate) for r in receipts] == [
        ("label", "done"), ("property", "done"), ("remote_link", "done")
    ]  # fmt: skip
    jira.records.clear()
    jira.pull()
    marks = {"label": "high", "property": FLAG, "remote_link": LINK}
    assert {slot: jira.by_key("PAY-7").marks[slot] for slot in marks} == marks
    slots = [Slot("task", jira.by_key("PAY-7").id, slot) for slot in marks]
    assert {r.slot.name: r.value for r in jira.connector.read(slots)} == marks
    clearing = [jira.change("PAY-7", slot, None, before) for slot, before in marks.items()]
    assert {r.fate for r in jira.connector.push(clearing)} == {"done"}
    assert {r.value for r in jira.connector.read(slots)} == {None}
    assert len(sandbox.mail()) == mails


def test_our_own_marks_are_no_evidence(jira: Any) -> None:
    jira.pull()
    before = jira.by_key("PAY-7").values
    list(jira.connector.push(flags(jira, "PAY-7")))
    jira.pull()
    assert jira.by_key("PAY-7").values == before


def test_where_a_label_would_mail_people_it_is_told_beforehand(jira: Any) -> None:
    jira.pull()
    limited = {(one.project, one.slot) for one in jira.connector.prepare(jira.scope, False).limitations}
    plat, pay = jira.by_key("PLAT").id, jira.by_key("PAY").id
    assert (pay, "label") not in limited
    assert (plat, "project_property") in limited


def test_a_project_property_comes_back_as_written(jira: Any) -> None:
    jira.pull()
    change = jira.change("PAY", "project_property", '{"health":"amber"}')
    assert [r.fate for r in jira.connector.push([change])] == ["done"]
    jira.pull()
    assert jira.by_key("PAY").marks["project_property"] == '{"health":"amber"}'
    assert [r.value for r in jira.connector.read([change.slot])] == ['{"health":"amber"}']


def test_a_status_issue_is_made_once_and_says_what_we_wrote(sandbox: Any, jira: Any) -> None:
    slots = (*jira.scope.slots, "status_issue")
    jira.scope = dataclasses.replace(jira.scope, slots=slots, rollups={"project/pay": "PMO"})
    jira.pull()
    slot = Slot("rollup", "project/pay", "status_issue")
    assert [r.fate for r in jira.connector.push([Change(slot, None, PAGE, "PMO")])] == ["done"]
    again = PAGE.replace("amber", "green")
    assert [r.fate for r in jira.connector.push([Change(slot, PAGE, again, "PMO")])] == ["done"]
    jira.records.clear()
    jira.pull()
    assert jira.records["rollup", "project/pay"].marks["status_issue"] == again
    assert not [record for record in tasks(jira).values() if record.key.startswith("PMO-")]
    assert [r.value for r in jira.connector.read([slot])] == [again]


def test_a_flag_of_a_task_without_a_label_is_found_where_labels_would_mail(jira: Any) -> None:
    jira.pull()
    plat = next(record.key for record in tasks(jira).values() if record.key.startswith("PLAT-"))
    assert [r.fate for r in jira.connector.push([jira.change(plat, "property", FLAG)])] == ["done"]
    jira.records.clear()
    jira.pull()
    assert jira.by_key(plat).marks["property"] == FLAG
