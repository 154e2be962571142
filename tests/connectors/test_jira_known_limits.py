"""Shows what docs/connectors/jira.md says of scopes, of what is noticed late or never, and of what Jira denies us."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest
from tests.connectors.conftest import NOON
from tests.connectors.jira_pile import Pile, fates, flag, prepared, push

from pmosync.sandbox.jira import moves, seed
from pmosync.sandbox.jira.credentials import CLOUD_ID, add_scoped_token

READ, USER, WRITE, PROJECT = "read:jira-work", "read:jira-user", "write:jira-work", "manage:jira-project"
BOARD_LIST = "GET /rest/agile/1.0/board"
SCREEN = "GET /rest/api/3/issue/{id}/editmeta"
EDIT = "POST /rest/api/3/bulk/issues/fields"

AtGateway = Callable[[Collection[str]], Any]


@pytest.fixture
def at_gateway(pile: Pile, open_jira: Any) -> AtGateway:
    """Opens a connector at Atlassian's gateway, with a token of these scopes."""

    def opened(scopes: Collection[str]) -> Any:
        state = pile.server.app.state
        with state.transaction():
            add_scoped_token(state, "u-bot", "narrow", list(scopes))
        desk = open_jira(f"{pile.url}/ex/jira/{CLOUD_ID}", token="narrow", fields=("summary", "labels"))
        desk.scope = replace(desk.scope, projects=("TEAM",), slots=("property", "label", "project_property"))
        return desk

    return opened


# --- tokens with scopes -----------------------------------------------------------------------------------------------


def test_with_four_classic_scopes_all_is_read_and_written(pile: Pile, at_gateway: AtGateway) -> None:
    jira = at_gateway((READ, USER, WRITE, PROJECT))
    jira.scope = replace(jira.scope, projects=("BIG",), worklogs=True, comments=True, history=("status",))
    jira.scope = replace(jira.scope, fields=("summary", "status"))
    assert jira.connector.describe().projects
    assert [batch.why for batch in jira.pull() if batch.state == "unobserved"] == []
    jira.connector.prepare(jira.scope, True)
    changes = [jira.change("BIG-1", "label", "high"), jira.change("BIG-1", "property", flag("high"))]
    receipts = push(jira, *changes, jira.change("BIG", "project_property", flag("high")))
    assert fates(receipts) == {"done": 3}


def test_a_service_accounts_token_names_no_user(pile: Pile, open_jira: Any, at_gateway: AtGateway) -> None:
    at_gateway((READ, USER))
    desk = open_jira(f"{pile.url}/ex/jira/{CLOUD_ID}", token="narrow", deployment="auto", fields=("summary",))
    desk.scope = replace(desk.scope, projects=("DESK",))
    desk.pull()
    assert len(desk.tasks_of("DESK")) == 3
    assert desk.connector.describe().server.startswith("Jira Cloud")


def test_two_scopes_are_enough_to_look(at_gateway: AtGateway) -> None:
    jira = at_gateway((READ, USER))
    jira.scope = replace(jira.scope, worklogs=True, comments=True, history=("labels",))
    assert jira.connector.describe().account
    assert [batch.why for batch in jira.pull() if batch.state == "unobserved"] == []
    jira.connector.prepare(jira.scope, False)


def test_without_the_scope_for_boards_only_the_field_of_estimates_is_not_known(at_gateway: AtGateway) -> None:
    jira = at_gateway((READ, USER))
    assert jira.connector.describe().estimated_with == ()
    assert jira.session.calls[BOARD_LIST] >= 1


def test_a_scope_that_a_write_lacks_is_not_foreseen_and_refuses_that_write_alone(at_gateway: AtGateway) -> None:
    jira = at_gateway((READ, USER, WRITE))
    jira.scope = replace(jira.scope, projects=("BIG",))
    jira.pull()
    assert [one.slot for one in jira.connector.prepare(jira.scope, True).limitations] == []
    mark, rollup = jira.change("BIG-2", "property", flag("high")), jira.change("BIG", "project_property", flag("high"))
    refused, done = sorted(push(jira, rollup, mark), key=lambda one: one.change.slot.subject)
    assert (refused.fate, done.fate) == ("refused", "done")
    assert "scope does not match" in refused.why


# --- histories and bulk edits -----------------------------------------------------------------------------------------


def reasons(pile: Pile, issue: str) -> list[Any]:
    """What stands beside the entries of an issue's history."""
    sql = "SELECT metadata FROM jira_history WHERE issue_id = ? ORDER BY id"
    return [row["metadata"] for row in pile.server.app.state.rows(sql, (issue,))]


@pytest.fixture
def jira(pile: Pile, open_jira: Any) -> Any:
    """A connector that has prepared."""
    return prepared(pile, open_jira)


def test_a_bulk_edit_leaves_no_reason_in_the_history_and_a_single_one_does(pile: Pile, jira: Any) -> None:
    changes = pile.changes("BIG", "label", ["high"] * 61)
    assert fates([*push(jira, changes[60]), *push(jira, *changes[:60])]) == {"done": 61}
    ids = pile.ids("BIG")
    assert [len(reasons(pile, one)) for one in (ids[0], ids[60])] == [1, 1]
    assert reasons(pile, ids[0]) == [None]
    assert "pmosync" in reasons(pile, ids[60])[0]


def test_no_more_than_three_bulk_operations_of_ours_run_at_a_time(pile: Pile, jira: Any) -> None:
    pile.switch(task_polls=2, bulk_at_once=3)
    words = [word for word in ("critical", "high", "medium", "low", "info") for _ in range(20)]
    assert fates(push(jira, *pile.changes("BIG", "label", words))) == {"done": 100}
    assert pile.writes() == {EDIT: 5}, "one more each time that Jira was busy"


# --- our own fields ---------------------------------------------------------------------------------------------------


def test_whether_a_field_can_be_edited_is_judged_by_one_open_issue_of_each_project(pile: Pile, open_jira: Any) -> None:
    jira = prepared(pile, open_jira)
    assert {one.slot for one in jira.limitations} == {"field", "text_field"}
    assert {one.project for one in jira.limitations} == {pile.project("DESK")}
    jira.connector.prepare(replace(jira.scope, pins={}), True)
    assert jira.session.calls[SCREEN] == 3


def test_of_a_project_without_an_open_issue_nothing_is_said(pile: Pile, open_jira: Any) -> None:
    state = pile.server.app.state
    with state.transaction():
        state.db.execute("DELETE FROM jira_issue WHERE key LIKE 'DESK-%'")
    assert prepared(pile, open_jira).limitations == ()


# --- what became of issues --------------------------------------------------------------------------------------------


@pytest.fixture
def looked(pile: Pile, open_jira: Any) -> Any:
    """A connector that has pulled the two small projects."""
    desk = open_jira(pile.url, token="bot-token", fields=("summary",))
    desk.scope = replace(desk.scope, projects=("TEAM", "DESK"))
    desk.pull()
    return desk


def test_what_was_deleted_and_what_is_hidden_are_told_alike(pile: Pile, looked: Any) -> None:
    gone, hidden = pile.ids("TEAM")[:2]
    state = pile.server.app.state
    with state.transaction():
        state.db.execute("DELETE FROM jira_issue WHERE id = ?", (gone,))
        seed.hide_issue(state, "TEAM-2", "u-bot")
    looked.pull()
    assert ("task", gone) not in looked.records
    assert ("task", hidden) not in looked.records
    assert looked.connector.whereabouts(looked.scope, [gone, hidden]) == {gone: "hidden", hidden: "hidden"}


def test_an_archived_issue_leaves_the_tasks_and_is_told_as_archived(pile: Pile, looked: Any) -> None:
    kept = pile.ids("TEAM")[0]
    with pile.server.app.state.transaction():
        moves.archive_issue(pile.server.app.state, "TEAM-1", "u-ann")
    looked.pull()
    assert ("task", kept) not in looked.records
    assert looked.connector.whereabouts(looked.scope, [kept]) == {kept: "archived"}


def test_a_moved_issue_keeps_its_id_and_one_that_left_the_projects_is_told_as_moved(pile: Pile, looked: Any) -> None:
    inside, outside = pile.ids("TEAM")[:2]
    with pile.server.app.state.transaction():
        new = moves.move_issue(pile.server.app.state, "TEAM-1", "DESK", "u-ann")
        moves.move_issue(pile.server.app.state, "TEAM-2", "BIG", "u-ann")
    looked.pull()
    assert looked.records["task", inside].key == new
    assert ("task", outside) not in looked.records
    assert looked.connector.whereabouts(looked.scope, [outside]) == {outside: "moved"}


def test_a_project_in_the_trash_is_unobserved_and_said_to_be_there(pile: Pile, looked: Any) -> None:
    with pile.server.app.state.transaction():
        moves.set_project_status(pile.server.app.state, "DESK", "deleted", "u-ann")
    told = [batch.why for batch in looked.pull(looked.cursor) if batch.state == "unobserved"]
    assert told
    assert all("is in Jira's trash" in why for why in told)


# --- when changes are noticed -----------------------------------------------------------------------------------------


def asked_since_s(desk: Any, at: dt.datetime) -> float:
    """How far back a pull from the cursor looks, at this hour."""
    said: list[str] = []
    call = desk.session.call

    def listening(method: str, path: str, **options: Any) -> Any:
        said.append(str((options.get("json") or {}).get("jql", "")))
        return call(method, path, **options)

    desk.session.call, desk.connector._clock = listening, lambda: at
    try:
        desk.pull(desk.cursor)
    finally:
        del desk.session.call
    (since_ms,) = {int(found[1]) for one in said if (found := re.search(r"updated >= (\d+)", one))}
    return float(desk.cursor["updated_ms"] - since_ms) / 1000


def test_a_sync_looks_five_minutes_back_and_once_in_a_quarter_of_an_hour_an_hour(pile: Pile, looked: Any) -> None:
    backs = [asked_since_s(looked, NOON + dt.timedelta(minutes=minute)) for minute in (5, 16, 20)]
    assert backs == [300, 3600, 300]


def test_no_field_tells_when_a_version_starts_and_the_release_date_is_one(open_jira: Any, sandbox: Any) -> None:
    fields = {one.id for one in open_jira(sandbox.url).connector.describe().fields}
    assert "fixVersions.latest.releaseDate" in fields
    assert not [name for name in fields if name.startswith("fixVersions") and "startDate" in name]


def test_a_data_center_reads_properties_only_where_a_label_of_ours_stands(sandbox: Any, open_jira: Any) -> None:
    sandbox.be_data_center()
    desk = open_jira(sandbox.url, deployment="data_center", fields=("summary",))
    desk.scope = replace(desk.scope, projects=("PAY",))
    desk.pull()
    marks = [desk.change("PAY-2", "label", "high"), desk.change("PAY-2", "property", flag("high"))]
    desk.connector.prepare(desk.scope, True)
    assert fates(push(desk, *marks)) == {"done": 2}
    desk.session.calls.clear()
    desk.pull()
    assert desk.session.calls["GET /rest/api/2/issue/{id}"] == 1
    desk.scope = replace(desk.scope, slots=("property",))
    desk.session.calls.clear()
    desk.pull()
    assert desk.session.calls["GET /rest/api/2/issue/{id}"] == len(desk.tasks_of("PAY"))
