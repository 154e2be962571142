"""The generated organisation is sound but for the faults that were planted, and the same every day in both tools."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from pmosync.sandbox import organisation
from pmosync.sandbox.jira import access
from pmosync.sandbox.jira.tables import types_of
from pmosync.sandbox.organisation.plan import Organisation, sound
from pmosync.sandbox.organisation.portfolio import INACTIVE, PEOPLE, PROJECTS
from pmosync.sandbox.state import State, from_json

from .standards_by_hand import findings, project_findings

AS_OF = date(2026, 3, 2)
BOTH = {"DAT101", "DAT102", "DAT103", "DAT104", "DAT105", "SCH201", "SCH202", "SCH203", "LOG308", "LOG310", "FLW508"}


@pytest.fixture(scope="module")
def made() -> Organisation:
    return organisation.generate()


@pytest.fixture(scope="module")
def state() -> State:
    return _written(AS_OF)


def _written(as_of: date) -> State:
    state = State(as_of=as_of)
    organisation.write(state, as_of)
    return state


def test_it_has_the_size_that_was_asked_for(made: Organisation) -> None:
    assert Counter(project.tool for project in PROJECTS) == {"jira": 7, "asana": 5}
    assert len({project.program for project in PROJECTS}) == 3
    assert 850 <= len(made.tasks) <= 950
    assert (len(PEOPLE), len(INACTIVE)) == (40, 3)


def test_the_project_office_has_a_project_that_holds_nothing_and_where_the_bot_may_do_everything(state: State) -> None:
    office = state.row("SELECT * FROM jira_project WHERE key = 'PMO'")
    assert office is not None
    assert state.row("SELECT 1 FROM jira_issue WHERE project_id = ?", (office["id"],)) is None
    bot = "712020:00000000-0000-4000-8000-000000000000"
    assert all(access.may(state, bot, office["id"], one) for one in access.PROJECT_PERMISSIONS)
    assert [one["name"] for one in types_of(state, office)] == ["Task"]
    lead = from_json(office["document"])["lead"]
    assert lead["active"]


@pytest.mark.parametrize("seed", [1, 2, 20])
def test_before_faults_are_planted_no_task_breaks_any_standard(seed: int) -> None:
    made, _ = sound(seed)
    assert [(task.title, broken) for task, broken in findings(made) if broken] == []


def test_every_standard_is_broken_somewhere_in_every_tool_that_can_show_it(made: Organisation) -> None:
    broken = {(task.project.tool, standard) for task, standards in findings(made) for standard in standards}
    assert {("jira", s) for s in BOTH | {"SCH204", "FLW504", "DAT108"}} <= broken
    assert {("asana", s) for s in BOTH} <= broken
    assert project_findings(made) == [("ONB", "GOV603"), ("ONB", "GOV605"), ("ARC", "PRT906")]


def test_a_fifth_to_a_quarter_of_the_open_tasks_break_something_and_most_projects_are_fairly_sound(
    made: Organisation,
) -> None:
    shares = {}
    found = [(task, bool(broken)) for task, broken in findings(made) if task.open and task.kind != "separator"]
    for project in PROJECTS:
        mine = [broken for task, broken in found if task.project is project]
        shares[project.key] = sum(mine) / len(mine)
    assert 0.20 <= sum(broken for _, broken in found) / len(found) <= 0.25
    assert sum(share < 0.2 for share in shares.values()) >= 9


def test_the_same_day_gives_the_same_state(state: State) -> None:
    assert _written(AS_OF).dump() == state.dump()


def test_another_day_gives_the_same_work_with_every_date_moved(state: State) -> None:
    later = _written(AS_OF + timedelta(days=100))
    sql = "SELECT gid, name, start_on, due_on, completed, assignee FROM asana_task ORDER BY gid"
    moved = []
    for row in state.rows(sql):
        for name in ("start_on", "due_on"):
            if row[name]:
                row[name] = (date.fromisoformat(row[name]) + timedelta(days=100)).isoformat()
        moved.append(row)
    assert later.rows(sql) == moved


def test_nothing_was_made_or_changed_after_this_morning(state: State) -> None:
    morning = "2026-03-02T09:00:00.000Z"
    for column in ("created_at", "modified_at", "completed_at"):
        assert state.rows(f"SELECT gid FROM asana_task WHERE {column} > ?", (morning,)) == []
    assert state.rows("SELECT gid FROM asana_task WHERE created_at > modified_at") == []
    assert state.rows("SELECT id FROM jira_issue WHERE created_ms > updated_ms") == []


def test_asana_holds_no_dates_that_asana_refuses(state: State) -> None:
    assert state.rows("SELECT gid FROM asana_task WHERE start_on > due_on OR (start_on AND due_on IS NULL)") == []
    milestones = "SELECT gid FROM asana_task WHERE resource_subtype = 'milestone' AND start_on IS NOT NULL"
    assert state.rows(milestones) == []


def test_asana_has_deep_subtasks_tasks_in_two_projects_and_rows_that_are_no_tasks(state: State) -> None:
    depth = """WITH RECURSIVE line (gid, depth) AS (
      SELECT gid, 0 FROM asana_task WHERE parent IS NULL
      UNION ALL SELECT t.gid, line.depth + 1 FROM asana_task t JOIN line ON t.parent = line.gid)
      SELECT max(depth) FROM line"""
    assert state.tuples(depth) == [(3,)]
    twice = "SELECT task FROM asana_placement GROUP BY task HAVING count(*) > 1"
    assert len(state.rows(twice)) >= 4
    assert len(state.rows("SELECT gid FROM asana_task WHERE is_separator = 1")) == 1
    assert len(state.rows("SELECT gid FROM asana_task WHERE resource_subtype = 'approval'")) == 1
    held = "SELECT p.name, count(i.item) FROM asana_portfolio p JOIN asana_portfolio_item i ON i.portfolio = p.gid"
    assert state.tuples(f"{held} GROUP BY p.gid ORDER BY p.gid") == [
        ("PMO portfolio", 5), ("Digital banking", 1), ("Customer growth", 2), ("Operations renewal", 2),
    ]  # fmt: skip


def test_four_of_five_asana_projects_are_reported_and_the_worst_of_them_as_on_track(state: State) -> None:
    told = "SELECT p.name, s.status_type FROM asana_status_update s JOIN asana_project p ON p.gid = s.parent"
    assert dict(state.tuples(told)) == {
        "Brand refresh": "on_track",
        "Head office move": "on_track",
        "Annual customer conference": "at_risk",
        "Sustainability reporting": "on_track",
    }


def test_one_person_has_one_address_in_both_tools(state: State) -> None:
    jira = {row["email"] for row in state.rows("SELECT document ->> 'emailAddress' AS email FROM jira_user")}
    asana = {row["email"] for row in state.rows("SELECT email FROM asana_user")}
    assert jira == asana
    assert len(asana) == 41
    assert all(email.isascii() for email in asana)


def test_the_bot_and_the_people_can_sign_in_to_both_tools(state: State) -> None:
    assert (state.account("jira", "sandbox-jira-token") or {})["email"] == "pmo-bot@acme.example"
    assert (state.account("asana", "sandbox-asana-token") or {})["gid"] == "1208000000000001"
    for tool in ("jira", "asana"):
        assert (state.account(tool, "person-3") or {})["name"] == PEOPLE[2]
