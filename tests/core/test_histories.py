"""Histories and worklogs over a whole cycle: what they tell is judged, and what was not read is never judged."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table, inspect, select, text

from pmosync.contract import Capabilities, Person, Slot
from pmosync.cycle import apply, cycle
from pmosync.errors import Misconfigured
from pmosync.standards import Standard, load_packs
from pmosync.store.tables import event, finding, project, project_fact, record, task, task_fact, task_move, worklog
from pmosync.workdays import day_number
from tests.core.memory import SLOTS, World

STANDARD = """
  - id: {id}
    title: It is about {id}
    subject: task
    severity: high
    when: {when}
    why: Others rely on it.
    fix: Say how it stands.
    serves: monitoring
    phase: any
    examples: {{fail: [{{{fail}}}], pass: [{{{good}}}]}}
"""
UPDATED = "  updated_at: updated\n"
STANDARDS = (
    ("OWN1", "updated_at < today() - 14d", "updated_at: 2026-11-01", "updated_at: 2026-11-19"),
    ("OWN2", "status_since_at < today() - 30d", "status_since_at: 2026-10-01", "status_since_at: 2026-11-19"),
    ("OWN3", "due_moves > 1", "due_moves: 2", "due_moves: 1"),
    ("OWN4", "reopenings > 0", "reopenings: 1", "reopenings: 0"),
    ("OWN5", "logged_h > estimate_h", "logged_h: 2, estimate_h: 1", "logged_h: 1, estimate_h: 1"),
    ("OWN6", "logged_on > today()", "logged_on: 2026-11-21", "logged_on: 2026-11-20"),
)


def at(month: int, day: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Standard, ...]:
    path = tmp_path_factory.mktemp("packs") / "own.yaml"
    told = [STANDARD.format(id=one, when=when, fail=fail, good=good) for one, when, fail, good in STANDARDS]
    path.write_text("pack: own\ntoday: 2026-11-20\nstandards:" + "".join(told))
    return load_packs([str(path)], path.parent)


@pytest.fixture
def world(world: World, own: tuple[Standard, ...]) -> World:
    """Thirty tasks in a PMO that reads histories and worklogs; everything in them happened lately."""
    world.standards = own
    world.reads = "history, worklogs"
    world.mapping = world.mapping.replace("  assignee: assignee\n", f"  assignee: assignee\n{UPDATED}")
    for number in world.tool.tasks:
        world.tool.put(number, at=at(11, 18), created_at=at(11, 10), due=dt.date(2026, 12, 11))
    return world


def row(world: World, number: str) -> Any:
    with world.store.reading() as connection:
        told = select(task, task_fact).join(task_fact, task_fact.c.task_id == task.c.id)
        return connection.execute(told.where(task.c.rid == number)).one()


def failing(world: World) -> set[tuple[str, str]]:
    with world.store.reading() as connection:
        found = select(task.c.rid, finding.c.standard).join(finding, finding.c.subject_id == task.c.id)
        return {tuple(one) for one in connection.execute(found.where(finding.c.state.in_(("new", "open"))))}


def last_event(world: World) -> tuple[str, str, str]:
    with world.store.reading() as connection:
        rows = connection.execute(select(event.c.standard, event.c.now, event.c.causes).order_by(event.c.id)).all()
        return tuple(rows[-1])


def table(world: World, one: Table) -> list[tuple[Any, ...]]:
    """The rows of a table without the numbers that only the store gives."""
    own = ("seq", "id") if one is task_move else ("seq",)
    names = [column for column in one.c if column.name not in own]
    with world.store.reading() as connection:
        return sorted((tuple(found) for found in connection.execute(select(*names))), key=repr)


def micros(when: dt.datetime) -> int:
    return int(when.timestamp() * 1_000_000)


# --- what a history tells -------------------------------------------------------------------------------------------


def test_a_history_tells_since_when_how_often_and_how_often_again(world: World) -> None:
    put = world.tool.put
    put("100", at=at(11, 3), status="Doing", due=dt.date(2026, 12, 18))
    put("100", at=at(11, 4), due=None)
    put("100", at=at(11, 5), due=dt.date(2027, 1, 8), status="Done")
    put("100", at=at(11, 6, 23), status="Doing", due=dt.date(2027, 1, 15))
    world.run()
    told = row(world, "100")
    assert told.status_since_at == micros(at(11, 6, 23))
    assert told.status_since_day == day_number(dt.date(2026, 11, 7)), "its day is that of the site"
    assert (told.due_moves, told.reopenings) == (2, 1)
    assert told.updated_at == micros(at(11, 6, 23))
    assert row(world, "101").status_since_at == row(world, "101").created_at == micros(at(11, 10))
    with world.store.reading() as connection:
        columns = (task_move.c.field, task_move.c.before, task_move.c.after, task_move.c.by)
        found = connection.execute(select(*columns).where(task_move.c.task_id == told.id).order_by(task_move.c.id))
        assert [tuple(one) for one in found] == [
            ("status", "todo", "in_progress", "ana"),
            ("due_on", "2026-12-11", "2026-12-18", "ana"),
            ("due_on", "2026-12-18", None, "ana"),
            ("status", "in_progress", "done", "ana"),
            ("due_on", None, "2027-01-08", "ana"),
            ("status", "done", "in_progress", "ana"),
            ("due_on", "2027-01-08", "2027-01-15", "ana"),
        ]


def test_a_changed_history_alone_changes_the_verdict_and_is_the_data(world: World) -> None:
    world.run()
    assert failing(world) == set()
    for day in (19, 20):
        world.tool.put("100", at=at(11, day), due=dt.date(2026, 12, day))
    world.tool.put("100", at=at(11, 20, 10), due=dt.date(2026, 12, 11))
    before = row(world, "100")
    outcome = world.run()
    assert row(world, "100").due_on == before.due_on, "the values are what they were"
    assert failing(world) == {("100", "OWN3")}
    assert last_event(world) == ("OWN3", "new", "data")
    assert {line.causes for line in outcome.plan.changes if line.slot == "label"} == {"data"}


def test_work_that_nothing_happened_to_grows_stale_by_time_alone(world: World) -> None:
    world.run()
    world.now += dt.timedelta(days=13)
    world.run()
    assert {standard for _, standard in failing(world)} == {"OWN1"}
    assert last_event(world) == ("OWN1", "new", "time")


def test_a_write_of_ours_is_no_change_and_moves_no_date(world: World) -> None:
    world.tool.echoes = True
    world.tool.put("100", at=at(11, 5), status="Done")
    world.tool.put("100", at=at(11, 6), status="Doing")
    world.run()
    assert {change.slot.id for change in world.tool.writes if change.slot.subject == "task"} == {"100"}
    told = row(world, "100")
    assert world.run().plan.changes == []
    assert row(world, "100") == told
    world.now += dt.timedelta(days=10)
    world.run()
    assert ("100", "OWN1") in failing(world), "our flag did not make the work look alive"
    assert world.run().plan.changes == []
    with world.store.reading() as connection:
        stored = connection.execute(select(record.c.version, record.c.history).where(record.c.rid == "100")).one()
    assert stored.version == world.tool.tasks["100"]["version"]
    assert stored.history is not None


def test_what_somebody_did_just_before_our_write_is_brought_by_the_next_pull(world: World) -> None:
    world.tool.echoes = True
    world.tool.put("100", at=at(11, 5), status="Done")
    world.tool.put("100", at=at(11, 6), status="Doing")
    prepared = world.run(write=False).plan
    world.tool.put("100", at=at(11, 19), status="Done")
    setup = world.setup()
    apply(world.store, setup, prepared, lambda: world.now)
    assert world.tool.writes
    assert row(world, "100").status == "in_progress"
    world.run()
    told = row(world, "100")
    assert (told.status, told.status_since_at) == ("done", micros(at(11, 19)))


# --- worklogs -------------------------------------------------------------------------------------------------------


def test_booked_time_is_added_up_and_has_a_latest_day(world: World) -> None:
    world.tool.log("w1", "100", 0.5, at(11, 9))
    world.tool.log("w2", "100", 0.25, at(11, 10, 23))
    world.run()
    told = row(world, "100")
    assert (told.logged_h, told.logged_on) == (0.75, day_number(dt.date(2026, 11, 11)))
    assert (row(world, "101").logged_h, row(world, "101").logged_on) == (0.0, None)
    assert failing(world) == set()


def test_a_new_a_changed_a_moved_and_a_removed_worklog_are_noticed(world: World) -> None:
    world.run()
    world.tool.log("w1", "100", 2, at(11, 9))
    assert {line.causes for line in world.run().plan.changes if line.slot == "label"} == {"data"}
    assert failing(world) == {("100", "OWN5")}
    world.tool.log("w1", "100", 1, at(11, 9))
    world.run()
    assert failing(world) == set()
    world.tool.log("w1", "101", 3, at(11, 9))
    world.run()
    assert failing(world) == {("101", "OWN5")}
    assert row(world, "100").logged_h == 0
    del world.tool.worklogs["w1"]
    world.run(full=True)
    assert failing(world) == set()
    assert last_event(world) == ("OWN5", "resolved", "data")


def test_time_that_cannot_be_read_freezes_the_verdicts_that_use_it_and_no_others(world: World) -> None:
    world.tool.log("w1", "100", 2, at(11, 9))
    world.run(full=True)
    assert failing(world) == {("100", "OWN5")}
    world.tool.hidden.add("worklogs")
    del world.tool.worklogs["w1"]
    world.tool.put("100", at=at(11, 19), estimate=None, status="Done")
    world.tool.put("100", at=at(11, 20), status="Doing")
    world.run(full=True)
    assert failing(world) == {("100", "OWN5"), ("100", "OWN4")}
    world.tool.hidden.clear()
    world.tool.put("100", estimate=world.tool.tasks["101"]["estimate"])
    world.run(full=True)
    assert failing(world) == {("100", "OWN4")}


def test_time_that_comes_to_light_again_without_a_change_is_judged_again(world: World) -> None:
    world.tool.hidden.add("worklogs")
    world.run(full=True)
    world.tool.log("w1", "100", 2, at(11, 9))
    world.tool.hidden.clear()
    world.run()
    assert failing(world) == {("100", "OWN5")}


# --- sync, reconcile, rebuild -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_a_sync_derives_a_reconcile_and_a_rebuilt_store_derive_as_well(world: World) -> None:
    derived = (task, task_fact, task_move, worklog, project, project_fact)
    world.run(full=True)
    world.tool.put("100", at=at(11, 18), status="Done", due=dt.date(2026, 12, 18))
    world.tool.put("100", at=at(11, 19), status="Doing")
    world.tool.put("101", at=at(11, 19), parent="100", assignee=Person("bob"))
    world.tool.log("w1", "100", 2, at(11, 9))
    world.tool.log("w2", "101", 0.5, at(11, 9))
    world.run()
    world.tool.log("w2", "102", 0.5, at(11, 9))
    world.tool.put("102", at=at(11, 20), status="Waiting")
    world.run()
    synced = {one.name: table(world, one) for one in derived}
    world.run(full=True)
    assert {one.name: table(world, one) for one in derived} == synced
    found = failing(world)
    world.rebuild()
    outcome = world.run(full=True)
    assert outcome.plan.changes == []
    assert failing(world) == found == {("100", "OWN4"), ("100", "OWN5")}


@pytest.mark.parametrize("full", [False, True])
def test_a_second_run_with_histories_and_worklogs_writes_nothing(world: World, full: bool) -> None:
    world.tool.echoes = True
    world.tool.log("w1", "100", 2, at(11, 9))
    assert world.run(full=full).plan.changes
    for _ in range(2):
        world.run(full=full)
        assert world.tool.writes == []


# --- what was not read ------------------------------------------------------------------------------------------------


def test_where_neither_is_read_every_standard_about_them_is_blind(world: World) -> None:
    world.tool.log("w1", "100", 2, at(11, 9))
    world.tool.put("100", at=at(11, 18), status="Done")
    world.tool.put("100", at=at(11, 19), status="Doing")
    world.run()
    assert failing(world) == {("100", "OWN4"), ("100", "OWN5")}
    read, world.reads = world.reads, ""
    mapped, world.mapping = world.mapping, world.mapping.replace(UPDATED, "")
    world.run()
    told = row(world, "100")
    assert failing(world) == set()
    assert (told.status_since_at, told.due_moves, told.reopenings, told.logged_h, told.logged_on) == (None,) * 5
    assert table(world, task_move) == table(world, worklog) == []
    world.now += dt.timedelta(days=40)
    world.run(full=True)
    assert failing(world) == set()
    world.now -= dt.timedelta(days=40)
    world.reads, world.mapping = read, mapped
    world.run()
    assert failing(world) == {("100", "OWN4"), ("100", "OWN5")}, "what was not asked for is pulled again"


def test_worklogs_that_nobody_asks_for_any_more_are_no_scope_that_got_lost(world: World) -> None:
    world.tool.log("w1", "100", 2, at(11, 9))
    world.run(full=True)
    world.reads = "history"
    outcome = world.run(full=True)
    pulled = outcome.sites["acme"].pulled
    assert pulled is not None
    assert pulled.unobserved == {}
    assert failing(world) == set()


def test_a_connector_that_reads_no_history_refuses_the_mapping(world: World) -> None:
    setup = world.setup()
    bare = replace(setup, sites=[replace(setup.sites[0], capabilities=Capabilities(SLOTS))])
    with pytest.raises(Misconfigured, match="this connector cannot read the history of tasks"):
        cycle(world.store, bare, lambda: world.now)


# --- what became of it ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("deleted", "left the scope; it was deleted"),
        ("moved", "left the scope; it was moved to another project"),
        ("outside", "left the scope; the mapping's filter leaves it out now"),
        ("hidden", "left the scope; it was deleted or is no longer visible"),
        (None, "left the scope"),
    ],
)
def test_a_finding_that_ends_because_the_work_left_says_how(world: World, fate: str | None, told: str) -> None:
    world.tool.log("w1", "100", 2, at(11, 9))
    world.run(full=True)
    del world.tool.tasks["100"]
    world.tool.fates = {"100": fate} if fate else {}
    outcome = world.run(full=True)
    assert last_event(world) == ("OWN5", "resolved", told)
    assert {line.causes for line in outcome.plan.changes if line.slot == "label"} == {"left the scope"}
    assert Slot("task", "100", "label") not in world.tool.marks


def test_the_marks_of_what_was_archived_stay_because_nobody_can_write_there(world: World) -> None:
    world.tool.log("w1", "100", 2, at(11, 9))
    world.run(full=True)
    marked = dict(world.tool.marks)
    held = world.tool.tasks.pop("100")
    world.tool.fates = {"100": "archived"}
    outcome = world.run(full=True)
    assert last_event(world) == ("OWN5", "resolved", "left the scope; it was archived")
    assert {line.rid for line in outcome.plan.changes} == {"p1"}
    assert {line.note for line in outcome.plan.left if line.rid == "100"} == {
        "in the archive: left as it is until it is restored"
    }
    world.tool.tasks["100"] = held
    assert {line.rid for line in world.run(full=True).plan.changes} == {"p1"}
    assert (last_event(world)[1], world.tool.marks) == ("new", marked)


def test_what_a_list_lacks_and_the_tool_still_shows_is_not_gone(world: World) -> None:
    world.run(full=True)
    del world.tool.tasks["100"]
    world.tool.fates = {"100": "there"}
    outcome = world.run(full=True)
    assert outcome.plan.changes == []
    with world.store.reading() as connection:
        assert connection.scalar(select(record.c.gone).where(record.c.rid == "100")) == 0


def test_work_that_came_back_has_no_fate_any_more(world: World) -> None:
    world.run(full=True)
    held = world.tool.tasks.pop("100")
    world.tool.fates = {"100": "archived"}
    world.run(full=True)
    world.tool.tasks["100"] = held
    world.run(full=True)
    with world.store.reading() as connection:
        told = connection.execute(select(record.c.gone, record.c.fate).where(record.c.rid == "100")).one()
    assert tuple(told) == (0, "")


# --- the store --------------------------------------------------------------------------------------------------------


def test_a_store_of_the_version_before_is_brought_up_to_date_and_used(world: World) -> None:
    world.reads = ""
    world.mapping = world.mapping.replace(UPDATED, "")
    world.run(full=True)
    with world.store.begin() as connection:
        for name, columns in (
            ("site", ["worklogs_observed"]),
            ("record", ["history", "fate"]),
            ("task", ["updated_at", "updated_day", "status_since_at", "status_since_day", "due_moves", "reopenings"]),
            ("task_fact", ["logged_h", "logged_on"]),
        ):
            for column in columns:
                connection.execute(text(f"ALTER TABLE {name} DROP COLUMN {column}"))
        connection.execute(text("DROP TABLE task_move"))
        connection.execute(text("DROP TABLE worklog"))
        connection.execute(text("UPDATE meta SET value = '2' WHERE key = 'schema'"))
    world.store.close()
    world.open()
    with world.store.reading() as connection:
        assert {"task_move", "worklog"} <= set(inspect(connection).get_table_names())
    assert world.run().plan.changes == []
    world.reads = "history, worklogs"
    world.tool.log("w1", "100", 2, at(11, 9))
    world.run()
    assert failing(world) == {("100", "OWN5")}
