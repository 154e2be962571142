"""Findings and marks of work that is moved, renamed, archived, hidden or listed late, over whole cycles."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.office import JIRA, Office
from tests.acceptance.settled import Person, findings, flagged, opened

pytestmark = pytest.mark.slow

Settled = Callable[..., Office]
BOT = "712020:00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=["jira", "server"] if os.environ.get("EVERY_POINT") else ["jira"])
def office(request: pytest.FixtureRequest, settled: Settled) -> Office:
    """An office of three Jira projects that has settled; with EVERY_POINT=1 on Data Center, too, of which
    tests/connectors/test_jira_truth.py holds the same without whole cycles."""
    return settled(str(request.param))


def order(office: Office, **wanted: Any) -> Any:
    """What somebody did at the site."""
    return office.sandbox.control("POST", "jira", wanted)


def boss(office: Office) -> str:
    """The account of whoever administers Jira."""
    return next(str(row["account_id"]) for row in office.sandbox.state()["jira_user"] if row["admin"])


def key_of(office: Office, rid: str) -> str:
    """What people call an issue."""
    return next(row["key"] for row in office.sandbox.state()["jira_issue"] if str(row["id"]) == rid)


def one_of(office: Office, project: str) -> str:
    """The id of an issue of a project that has exactly one finding, and a label of ours."""
    rows = {str(row["id"]): row for row in office.sandbox.state()["jira_issue"]}
    return next(
        rid
        for rid in flagged(office, JIRA)
        if rows[rid]["key"].startswith(f"{project}-") and any(map(_ours, rows[rid]["fields"]["labels"]))
    )


def _ours(label: str) -> bool:
    return label.startswith("pmo-")


def marks(office: Office, rid: str) -> set[str]:
    """Our marks on an issue."""
    state = office.sandbox.state()
    row = next(row for row in state["jira_issue"] if str(row["id"]) == rid)
    labels = {label for label in row["fields"]["labels"] if _ours(label)}
    held = {one["key"] for one in state["jira_property"] if one["entity"] == "issue" and str(one["entity_id"]) == rid}
    return labels | held


def ended(office: Office, rid: str) -> set[str]:
    """Why the findings of an issue ended."""
    with opened(office) as store:
        rows = store.execute(
            "SELECT f.causes FROM finding f JOIN record r ON f.subject = 'task' AND r.id = f.subject_id"
            " WHERE r.rid = ? AND f.state = 'resolved'",
            (rid,),
        )
        return {causes for (causes,) in rows}


def active(office: Office, rid: str) -> set[str]:
    """The standards that an issue has findings of."""
    return {standard for _, item, standard in findings(office) if item == f"task {rid}"}


def quiet(office: Office) -> None:
    """Nothing is left to do, and nothing goes wrong."""
    for verb in ("sync", "reconcile"):
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), run


@pytest.mark.slow
def test_a_move_inside_the_scope_takes_findings_and_marks_along(office: Office) -> None:
    rid = one_of(office, "PAY")
    before, there = active(office, rid), marks(office, rid)
    order(office, move_issue={"issue_key": key_of(office, rid), "project_key": "PLAT", "actor": boss(office)})
    for verb in ("sync", "reconcile"):
        assert office.run(verb).code == 0
    assert (active(office, rid), marks(office, rid), ended(office, rid)) == (before, there, set())
    with opened(office) as store:
        assert store.execute("SELECT count(*) FROM task WHERE rid = ?", (rid,)).fetchone() == (1,)
    quiet(office)


@pytest.mark.slow
def test_a_move_out_of_the_scope_ends_findings_and_takes_marks_away(office: Office) -> None:
    rid = one_of(office, "PAY")
    order(office, move_issue={"issue_key": key_of(office, rid), "project_key": "MOB", "actor": boss(office)})
    assert office.run("reconcile").code == 0
    assert ended(office, rid) == {"left the scope; it was moved to another project"}
    assert marks(office, rid) == set()
    quiet(office)


@pytest.mark.slow
def test_a_renamed_project_changes_no_finding_and_no_mark(office: Office) -> None:
    before = findings(office)
    order(office, rename_project={"project_key": "PAY", "new_key": "MONEY"})
    run = office.run("sync")
    assert (run.code, run.writes) == (0, 0), run
    quiet(office)
    assert findings(office) == before
    office.edit(f"mappings/{JIRA}.yaml", '"PAY"', '"MONEY"')
    office.edit("projects.yaml", f"{JIRA}/PAY]", f"{JIRA}/MONEY]")
    quiet(office)
    assert findings(office) == before


@pytest.mark.slow
def test_an_archived_issue_is_left_alone_and_its_finding_comes_back_with_it(office: Office) -> None:
    rid = one_of(office, "PAY")
    before, there = active(office, rid), marks(office, rid)
    archive = {"issue_key": key_of(office, rid), "actor": boss(office)}
    order(office, archive_issue=archive)
    assert office.run("reconcile").code == 0
    assert ended(office, rid) == {"left the scope; it was archived"}
    assert marks(office, rid) == there
    quiet(office)
    order(office, archive_issue=archive | {"archived": False})
    assert office.run("reconcile").code == 0
    assert (active(office, rid), marks(office, rid)) == (before, there)
    quiet(office)


@pytest.mark.slow
def test_an_archived_project_ends_its_findings_also_for_a_new_store(office: Office) -> None:
    order(office, set_project_status={"project_key": "PAY", "status": "archived", "actor": boss(office)})
    run = office.run("sync")
    assert run.code == 0, run
    assert "left the scope; it was archived" in run.text
    assert office.run("reconcile").code == 0
    quiet(office)


def test_most_of_a_project_hidden_at_once_is_not_believed_and_says_what_to_do(office: Office) -> None:
    issues = [row["key"] for row in office.sandbox.state()["jira_issue"] if row["key"].startswith("CRM-")]
    before, rid = findings(office), one_of(office, "PAY" if office.data_center else "CRM")
    there = marks(office, rid)
    hidden = sorted(issues)[: len(issues) * 6 // 10]
    order(office, hide_issue=[{"issue_key": key, "account_id": BOT} for key in hidden])
    run = office.run("reconcile")
    assert run.code == 11, run
    assert "items vanished at once: the account may have lost access" in run.text
    assert "check the account's rights" in run.text
    assert (findings(office), marks(office, rid)) == (before, there)
    order(office, hide_issue=[{"issue_key": key, "account_id": BOT, "hidden": False} for key in hidden])
    run = office.run("reconcile")
    assert (run.code, run.writes) == (0, 0), run
    assert findings(office) == before


@pytest.mark.slow
def test_a_narrower_filter_that_loses_as_much_is_believed(office: Office) -> None:
    scope = '"projects": ["PAY", "PLAT", "CRM"]'
    office.edit(f"mappings/{JIRA}.yaml", scope, f'{scope}, "query": "issuetype = Epic"')
    run = office.run("reconcile")
    assert run.code == 0, run
    assert "the mapping's filter leaves it out now" in run.text
    with opened(office) as store:
        assert store.execute("SELECT DISTINCT type FROM task WHERE site = ?", (JIRA,)).fetchall() == [("epic",)]


def test_a_late_index_ends_no_finding_and_takes_no_mark_away(settled: Settled) -> None:
    office = settled("jira")
    person = Person(office.sandbox)
    fields: dict[str, Any] = {"project": {"key": "PAY"}, "issuetype": {"name": "Task"}, "summary": "Long overdue"}
    fields["duedate"] = "2020-01-31"

    def switch(lag_s: int) -> None:
        office.sandbox.control("POST", "switches", {"jira": {"index_lag_s": lag_s}})

    switch(120)
    made = person.jira("POST", "issue", {"fields": fields})["id"]
    switch(0)
    office.sandbox.advance(10)
    assert office.run("sync").code == 0
    before, there = findings(office), marks(office, made)
    assert active(office, made)
    switch(120)  # another replica of the index, which has not seen the new issue
    for verb in ("reconcile", "sync"):
        run = office.run(verb)
        assert (run.code, run.writes) == (0, 0), run
    assert (findings(office), marks(office, made)) == (before, there)
    office.sandbox.advance(130)
    quiet(office)


@pytest.mark.slow
def test_what_becomes_of_a_predecessor_is_judged_with_its_successor(office: Office) -> None:
    person = Person(office.sandbox)
    with opened(office) as store:
        found = store.execute(
            "SELECT p.rid, s.rid FROM link l JOIN task p ON p.site = l.site AND p.rid = l.pred"
            " JOIN task s ON s.site = l.site AND s.rid = l.succ WHERE p.status = 'todo' AND s.status = 'todo'"
        ).fetchall()
    pred, succ = found[0]

    def go(rid: str, name: str) -> None:
        moves = person.jira("GET", f"issue/{rid}/transitions")["transitions"]
        number = next(one["id"] for one in moves if one["to"]["name"] == name)
        person.jira("POST", f"issue/{rid}/transitions", {"transition": {"id": number}})

    def waiting() -> int:
        with opened(office) as store:
            sql = "SELECT k.open_preds FROM task_fact k JOIN task t ON t.id = k.task_id WHERE t.rid = ?"
            return int(store.execute(sql, (succ,)).fetchone()[0])

    before = waiting()
    go(pred, "Done")
    assert office.run("sync").code == 0
    assert waiting() == before - 1
    go(pred, "To Do")
    assert office.run("sync").code == 0
    assert waiting() == before


@pytest.mark.slow
def test_booked_time_reaches_the_facts_as_it_was_edited_and_deleted(office: Office) -> None:
    office.edit(f"mappings/{JIRA}.yaml", "\nproject:\n", "\nread: [worklogs]\n\nproject:\n")
    assert office.run("reconcile").code == 0
    rid, person = one_of(office, "PAY"), Person(office.sandbox)

    def logged() -> float:
        office.sandbox.advance(90)  # Jira leaves the last minute out
        assert office.run("sync").code == 0
        with opened(office) as store:
            sql = "SELECT k.logged_h FROM task_fact k JOIN task t ON t.id = k.task_id WHERE t.rid = ?"
            return float(store.execute(sql, (rid,)).fetchone()[0] or 0)

    before = logged()
    made = person.jira("POST", f"issue/{rid}/worklog", {"timeSpent": "2h"})["id"]
    assert logged() == before + 2
    person.jira("PUT", f"issue/{rid}/worklog/{made}", {"timeSpent": "30m"})
    assert logged() == before + 0.5
    person.jira("DELETE", f"issue/{rid}/worklog/{made}")
    assert logged() == before
