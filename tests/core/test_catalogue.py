"""What the catalogue asks about comes from parents, namesakes, predecessors and the calendar, in full or in part."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from pmosync.contract import Person
from pmosync.register import Container, Register, RegisteredProject
from pmosync.standards import load_packs
from pmosync.store.tables import finding, project, project_fact, record, site, task, task_fact, verdict
from pmosync.workdays import day_number
from tests.core.memory import World

FULL = load_packs(["full"], Path())
TWO = {"p1": {"name": "One", "lead": Person("ana")}, "p2": {"name": "Two", "lead": Person("ana")}}


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Two projects that are asked for everything; the Friday of the clock's week is a holiday of next month."""
    made = make_world(standards=FULL, holidays=(day(12, 4),))
    made.tool.projects = {name: dict(one) for name, one in TWO.items()}
    made.tool.put("1", type="Epic", name="A whole deliverable", due=day(12, 18))
    for number in ("2", "3", "4"):
        made.tool.put(number, name=f"One part of it: {number}", parent="1")
    made.tool.put("8", project="p2", name="Work of the other team")
    return made


def fact(world: World, number: str, *names: str) -> list[Any]:
    with world.store.reading() as connection:
        found = connection.execute(
            select(task_fact).join(task, task.c.id == task_fact.c.task_id).where(task.c.rid == number)
        )
        row = found.one()
        return [getattr(row, name) for name in names]


def failing(world: World) -> set[tuple[str, str]]:
    """The rid of each item, and the standards of the two packs that it breaks."""
    names = {one.id for one in FULL if one.pack in ("standard", "full")}
    rows = (
        select(record.c.rid, finding.c.standard)
        .join(record, record.c.id == finding.c.subject_id)
        .where(finding.c.state != "resolved", finding.c.subject == "task")
    )
    with world.store.reading() as connection:
        return {(rid, standard) for rid, standard in connection.execute(rows) if standard in names}


def test_durations_and_due_days_follow_the_calendar_and_are_unknown_outside_of_it(world: World) -> None:
    both = ("workdays", "due_is_workday")
    for number, start, due in (
        ("10", day(11, 30), day(12, 4)),  # Monday to the Friday that is free
        ("11", day(12, 5), day(12, 6)),
        ("12", day(12, 7), day(12, 7)),
        ("13", day(12, 8), day(12, 7)),
        ("14", day(12, 9), day(12, 7)),
        ("15", None, day(12, 5)),
        ("16", day(12, 7), None),
        ("17", day(12, 7), dt.date(2050, 1, 3)),
    ):
        world.tool.put(number, start=start, due=due)
    world.run()
    told = {number: tuple(fact(world, number, *both)) for number in map(str, range(10, 18))}
    assert told == {
        "10": (4, 0), "11": (0, 0), "12": (1, 1), "13": (None, 1), "14": (None, 1), "15": (None, 0), "16": (None, None),
        "17": (None, None),
    }  # fmt: skip
    world.holidays = ()
    world.run()
    assert fact(world, "10", *both) == [5, 1]


def test_a_part_knows_its_whole_and_the_whole_its_last_finished_part(world: World) -> None:
    world.tool.put("2", due=day(12, 21))
    world.tool.put("3", status="Done", done=day(11, 10))
    world.tool.put("4", status="Done", done=day(11, 12))
    world.run()
    assert fact(world, "2", "parent_found", "parent_due_on") == [1, day_number(day(12, 18))]
    assert fact(world, "1", "parent_found", "last_child_done_on") == [None, day_number(day(11, 12))]
    assert ("2", "SCH213") in failing(world)
    world.tool.put("2", status="Dropped")
    world.run()
    assert ("1", "FLW509") in failing(world)
    world.tool.put("1", due=day(12, 31))
    world.run()
    assert fact(world, "2", "parent_due_on") == [day_number(day(12, 31))], "a part is touched with its whole"
    world.tool.put("2", status="Parked")
    world.run()
    assert ("1", "FLW509") not in failing(world), "a status that nobody can read is not done"


def test_a_parent_is_missing_only_once_everything_was_read(world: World) -> None:
    world.tool.put("20", parent="21")
    world.tool.hidden = {"p2"}
    world.run(full=True)
    assert ("20", "DAT112") not in failing(world), "it may stand where nobody could look"
    world.tool.hidden = set()
    world.run(full=True)
    assert ("20", "DAT112") in failing(world)
    world.tool.put("21", project="p2", name="What was missing")
    world.run()
    assert ("20", "DAT112") not in failing(world)
    world.tool.hidden = {"p2"}
    world.run(full=True)
    assert ("20", "DAT112") not in failing(world)
    world.tool.hidden = set()
    del world.tool.tasks["21"]
    world.run(full=True)
    assert ("20", "DAT112") in failing(world)
    world.tool.hidden = {"p2"}
    world.run()
    world.tool.put("20", parent="1")
    world.run()
    assert ("20", "DAT112") not in failing(world)


def test_a_project_that_can_be_read_again_makes_missing_parents_known_without_a_full_pass(world: World) -> None:
    world.tool.put("20", parent="21")
    world.tool.hidden = {"p2"}
    world.run()
    world.tool.hidden = set()
    world.run()
    assert ("20", "DAT112") in failing(world)


def test_namesakes_are_open_and_stand_beside_each_other(world: World) -> None:
    for number, more in {
        "30": {}, "31": {}, "32": {"parent": "1"}, "33": {"project": "p2"}, "34": {"status": "Done"},
        "35": {"name": "draft the contract"},
    }.items():  # fmt: skip
        world.tool.put(number, **{"name": "Draft the contract", **more})
    world.run()
    same = {number: fact(world, number, "dup_titles")[0] for number in map(str, range(30, 36))}
    assert same == {"30": 1, "31": 1, "32": 0, "33": 0, "34": 2, "35": 0}
    assert {one for one in failing(world) if one[1] == "DAT110"} == {("30", "DAT110"), ("31", "DAT110")}
    world.tool.put("31", name="Draft the other contract")
    world.run()
    assert {one for one in failing(world) if one[1] == "DAT110"} == set()
    world.tool.put("34", status="Open")
    world.run()
    assert {one[0] for one in failing(world) if one[1] == "DAT110"} == {"30", "34"}


def test_undated_work_counts_where_it_is_open_and_of_another_project(world: World) -> None:
    world.tool.put("8", due=None)
    world.tool.put("40", waits_for=("8", "2"))
    world.tool.put("41", project="p2", waits_for=("8",))
    world.run()
    assert [fact(world, number, "undated_external_preds")[0] for number in ("40", "41")] == [1, 0]
    assert {one for one in failing(world) if one[1] == "LOG311"} == {("40", "LOG311")}
    world.tool.put("8", status="Done")
    world.run()
    assert fact(world, "40", "undated_external_preds") == [0]


def test_work_without_a_place_is_asked_only_where_a_project_has_deliverables(world: World) -> None:
    world.tool.put("50")
    world.tool.put("51", project="p2")
    world.run()
    assert {one[0] for one in failing(world) if one[1] == "DAT111"} == {"50"}
    world.tool.put("52", project="p2", type="Epic", name="The first deliverable")
    world.run()
    assert {one[0] for one in failing(world) if one[1] == "DAT111"} == {"50", "51", "8"}, "all of it is touched"


def test_what_the_register_keeps_for_one_project_is_empty_for_the_others_in_it(world: World) -> None:
    def entry(number: str, **told: str) -> RegisteredProject:
        return RegisteredProject(number, (Container("acme", number),), **told)

    def found() -> set[tuple[str, str]]:
        rows = select(project.c.uid, finding.c.standard).join(project, project.c.id == finding.c.subject_id)
        with world.store.reading() as connection:
            told = connection.execute(rows.where(finding.c.subject == "project", finding.c.state != "resolved"))
            return {(uid, standard) for uid, standard in told if standard.startswith("GOV60")}

    world.register = Register((entry("p1"), entry("p2")), "none")
    world.run()
    assert found() == set()
    world.register = Register((entry("p1"), entry("p2", sponsor="Hanna")), "one")
    world.run()
    assert found() == {("p1", "GOV602")}
    world.register = Register((entry("p2", sponsor="Hanna"),), "only")
    world.run()
    assert found() == set(), "what is not in the register is not asked"


DERIVED = (task_fact, project_fact, verdict)


def derived(world: World) -> dict[str, list[Any]]:
    with world.store.reading() as connection:
        told = {one.name: sorted(map(tuple, connection.execute(select(one))), key=str) for one in DERIVED}
        epics = connection.execute(select(project.c.uid, project.c.has_epics, project.c.task_offered)).all()
        return {**told, "project": sorted(map(tuple, epics))}


@pytest.mark.parametrize("seed", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 3, 4))])
def test_after_any_edits_a_partial_pass_leaves_what_a_full_pass_makes(world: World, seed: int) -> None:
    dice = random.Random(seed)
    numbers = [str(number) for number in range(1, 15)]
    edits: dict[str, list[Any]] = {
        "status": ["Open", "Doing", "Done", "Dropped", "Parked"],
        "name": ["Draft the contract", "Sign the contract", "Misc"],
        "parent": [None, "1", "2", "99"],
        "due": [None, day(12, 4), day(12, 5), day(12, 18)],
        "start": [None, day(11, 20)],
        "type": ["Epic", "Task", "Sub"],
        "waits_for": [(), ("8",), ("2", "9")],
        "done": [None, day(11, 10)],
    }
    for number in numbers:
        first = {name: dice.choice(values) for name, values in edits.items() if name != "type"}
        world.tool.put(number, project=dice.choice(["p1", "p2"]), **first)
    world.run(full=True)
    for _ in range(6):
        for number in dice.sample(numbers, 3):
            name = dice.choice(list(edits))
            world.tool.put(number, project=dice.choice(["p1", "p2"]), **{name: dice.choice(edits[name])})
        moved = dice.choice(list(world.tool.tasks))
        world.tool.tasks[moved]["projects"] = dice.choice([("p1",), ("p2",), ("p1", "p2")])
        world.tool.put(moved)
        if len(world.tool.tasks) > 8 and dice.random() < 0.3:
            del world.tool.tasks[dice.choice(list(world.tool.tasks))]
        world.run()
        before = derived(world)
        with world.store.begin() as connection:
            connection.execute(
                text("UPDATE site SET today = NULL")
            )  # as on a new day: everything is derived and judged
        world.run()
        assert derived(world) == before


def test_a_store_of_version_five_is_brought_up_to_date_and_used(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.tool.put("1", type="Epic", name="A whole deliverable")
    world.tool.put("2", parent="99", name="Misc")
    world.run()
    added = {
        "site": ["projects_observed"],
        "project": ["has_epics"],
        "project_fact": ["max_task_due_on"],
        "task_fact": ["parent_found", "parent_due_on", "parent_observed", "last_child_done_on", "dup_titles",
                      "undated_external_preds", "titles_observed", "workdays", "due_is_workday"],
    }  # fmt: skip
    with world.store.begin() as connection:
        connection.execute(text("DROP INDEX task_title"))
        for name, columns in added.items():
            for column in columns:
                connection.execute(text(f"ALTER TABLE {name} DROP COLUMN {column}"))
        connection.execute(text("UPDATE meta SET value = '5' WHERE key = 'schema'"))
    world.store.close()
    world.open()
    assert world.run().plan.changes == []
    world.standards = FULL
    world.run()
    assert failing(world) == {("2", "DAT106"), ("2", "DAT112")}
    with world.store.reading() as connection:
        assert connection.scalar(select(site.c.projects_observed)) == 1
