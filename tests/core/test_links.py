"""What links and dates say of a plan over whole cycles: leads and lags, types of links, fixed dates, milestones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pmosync.judge.columns import SubjectColumns
from pmosync.standards import Standard, load_packs
from pmosync.store.tables import finding, project_fact, task_fact
from tests.core.memory import World

MONDAY = dt.date(2026, 11, 23)
ASKED = ("SCH211", "LOG302", "LOG303", "LOG304", "LOG305")
DUE = "lead: lead, due_on: status_on}}"
TYPED = "links: {{blocks: waits_for, start_to_start: joins}}"
HELD = """\
  date_constraint:
    - {{field: held, values: {{not_before: [Not before], not_after: [Not after], fixed: [Fixed]}}}}
    - {{default: none}}
"""
LINKS = ("leads", "lag_share", "non_fs_share", "hard_constraint_share")
MILESTONES = ("milestones_open", "longest_milestone_gap_d")


@pytest.fixture(scope="module")
def asked() -> tuple[Standard, ...]:
    return tuple(one for one in load_packs(["full"], Path()) if one.id in ASKED)


@pytest.fixture
def planned(world: World, asked: tuple[Standard, ...]) -> World:
    """Work of one week each, from Monday to Friday: 2 right behind 1, and 3 right behind 2."""
    world.standards = asked
    world.now = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    world.mapping = world.mapping.replace("lead: lead}}", DUE)
    world.tool.tasks.clear()
    for number, before in (("1", ()), ("2", ("1",)), ("3", ("2",))):
        begin = MONDAY + dt.timedelta(weeks=int(number) - 1)
        world.tool.put(number, start=begin, due=begin + dt.timedelta(days=4), waits_for=before)
    return world


def facts(world: World, *names: str) -> tuple[Any, ...]:
    columns = SubjectColumns("project")
    with world.store.reading() as connection:
        asked = select(*(columns.column(name) for name in names)).select_from(columns.source())
        return tuple(connection.execute(asked).one())


def failing(world: World) -> set[str]:
    with world.store.reading() as connection:
        return set(connection.scalars(select(finding.c.standard).where(finding.c.state.in_(("new", "open")))))


def tables(world: World) -> list[Any]:
    with world.store.reading() as connection:
        return [sorted(map(repr, connection.execute(select(one)).all())) for one in (task_fact, project_fact)]


def test_work_that_begins_too_early_is_a_lead_and_a_gap_of_working_days_is_a_lag(planned: World) -> None:
    planned.run(full=True)
    assert facts(planned, *LINKS) == (0, 0, None, None), "a weekend between two weeks of work is no lag"
    planned.tool.put("2", start=MONDAY + dt.timedelta(days=4))
    planned.tool.put("3", start=MONDAY + dt.timedelta(days=15))
    planned.run()
    assert facts(planned, "leads", "lag_share") == (1, 0.5)
    assert failing(planned) == {"LOG302", "LOG303"}
    planned.tool.put("3", waits_for=("1", "2"))
    planned.run()
    assert facts(planned, "leads", "lag_share") == (1, pytest.approx(1 / 3)), "of two the later one alone decides"
    planned.tool.put("2", due=None)
    planned.run()
    assert facts(planned, "leads", "lag_share") == (1, 0), "nobody knows whether it waits for the undated one"
    planned.tool.put("1", status="Done")
    planned.run()
    assert facts(planned, "leads", "lag_share") == (None, None), "no link between open tasks has both dates"


def test_links_of_other_types_are_counted_and_move_no_date_where_a_mapping_reads_them(planned: World) -> None:
    planned.mapping = planned.mapping.replace("links: {{blocks: waits_for}}", TYPED)
    for number in "123":
        planned.tool.put(number, joins=())
    planned.run(full=True)
    assert facts(planned, "non_fs_share") == (0,)
    planned.tool.put("3", joins=("1",))
    planned.run()
    assert facts(planned, "non_fs_share", "leads") == (pytest.approx(1 / 3), 0)
    assert failing(planned) == {"LOG304"}
    planned.tool.put("3", waits_for=())
    planned.run()
    partly = tables(planned)
    with planned.store.reading() as connection:
        lacks = connection.execute(select(task_fact.c.missing_pred, task_fact.c.missing_succ)).all()
    assert sorted(map(tuple, lacks)) == [(0, 1), (0, 1), (1, 0)], "it stands in for what 3 waits for, not for 2"
    planned.tool.put("1", status="Dropped")
    planned.run()
    assert facts(planned, "non_fs_share") == (None,)
    after = tables(planned)
    planned.run(full=True)
    assert tables(planned) == after != partly


def test_dates_that_may_not_be_later_are_hard_and_others_are_not(planned: World) -> None:
    planned.mapping = planned.mapping.replace("  priority: priority\n", f"  priority: priority\n{HELD}")
    for number, held in zip("123", ("Fixed", "Not before", None), strict=True):
        planned.tool.put(number, held=held)
    planned.run(full=True)
    assert facts(planned, "hard_constraint_share") == (pytest.approx(1 / 3),)
    assert failing(planned) == {"LOG305"}
    planned.tool.put("2", held="Not after")
    planned.tool.put("1", status="Done")
    planned.run()
    assert facts(planned, "hard_constraint_share") == (0.5,)


def test_a_time_without_milestones_begins_today_or_at_one_and_ends_at_the_next_or_with_the_project(
    planned: World,
) -> None:
    today = planned.now.date()
    planned.run(full=True)
    assert failing(planned) == set(), "no type of the tool means a milestone"
    planned.mapping = planned.mapping.replace("task: [Task],", "task: [Task], milestone: [Milestone],")
    planned.run(full=True)
    assert facts(planned, *MILESTONES) == (0, None)
    assert failing(planned) == {"SCH211"}, "no milestone and no end"
    planned.tool.put("a", type="Milestone", due=today + dt.timedelta(days=20))
    planned.tool.put("b", type="Milestone", due=today + dt.timedelta(days=62))
    planned.tool.put("c", type="Milestone", due=today - dt.timedelta(days=50))
    planned.run()
    assert facts(planned, *MILESTONES) == (3, 42), "what is overdue lies behind"
    assert failing(planned) == set()
    planned.tool.put("a", status="Done")
    planned.run()
    assert facts(planned, *MILESTONES) == (2, 62)
    assert failing(planned) == {"SCH211"}
    planned.now += dt.timedelta(days=30)
    planned.run()
    assert facts(planned, *MILESTONES) == (2, 32), "days go by"
    planned.tool.projects["p1"]["status_on"] = today + dt.timedelta(days=62 + 43)
    planned.run(full=True)
    assert facts(planned, *MILESTONES) == (2, 43)
    assert failing(planned) == {"SCH211"}
