"""Verdicts as they are stored: two bits a standard in masks of thirty, whatever was added, taken out or put back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select

from pmosync.contract import Person
from pmosync.judge import FAIL, OUT, PASS, UNKNOWN, changed_standards
from pmosync.standards import Standard, parse_predicate
from pmosync.store.migrations import MIGRATIONS
from pmosync.store.tables import (
    MASKS,
    PER_MASK,
    event,
    finding,
    place_of,
    record,
    standard_bit,
    standard_state,
    verdict,
)
from tests.core.memory import World, starter


def standard(name: str, when: str = "assignee IS EMPTY", applies_to: str | None = None) -> Standard:
    one = next(one for one in starter() if one.id == "DAT102")
    scope = parse_predicate(applies_to, "task", {}) if applies_to else None
    return replace(one, id=name, when=parse_predicate(when, "task", {}), applies_to=scope)


def verdicts(world: World, key: str) -> dict[str, int]:
    """The verdicts of one item by standard, read out of the masks as their documentation says."""
    with world.store.reading() as connection:
        number = connection.scalar(select(record.c.id).where(record.c.key == key))
        bits = {row.standard: row.bit for row in connection.execute(select(standard_bit))}
        mine = select(verdict).where(verdict.c.subject_id == number, verdict.c.subject == "task")
        rows = {row.part: row._mapping for row in connection.execute(mine)}
    places = {name: place_of(bit) for name, bit in bits.items()}
    return {name: rows[part][mask] >> shift & 3 for name, (part, mask, shift) in places.items()}


def open_findings(world: World) -> set[str]:
    with world.store.reading() as connection:
        rows = connection.execute(select(finding.c.standard).where(finding.c.state != "resolved"))
        return {row.standard for row in rows}


def test_a_verdict_is_pass_fail_unknown_or_out_of_scope(make_world: Callable[..., World]) -> None:
    several = (
        standard("A1", "assignee IS EMPTY"),
        standard("A2", "due_on < start_on"),
        standard("A3", "assignee IS EMPTY", "type = epic"),
        standard("A4", "assignee IS EMPTY", "due_on > start_on"),
    )
    world = make_world(standards=several)
    world.tool.put("1", assignee=None)
    world.tool.put("2", type="Epic", start=dt.date(2026, 12, 1))
    world.tool.put("3", type="Epic", start=dt.date(2026, 12, 31), assignee=None)
    world.run()
    assert verdicts(world, "T-1") == {"A1": FAIL, "A2": UNKNOWN, "A3": OUT, "A4": OUT}
    assert verdicts(world, "T-2") == {"A1": PASS, "A2": PASS, "A3": PASS, "A4": PASS}
    assert verdicts(world, "T-3") == {"A1": FAIL, "A2": FAIL, "A3": FAIL, "A4": OUT}


def test_an_empty_field_that_no_task_offers_is_unknown_and_an_offered_one_is_empty(
    make_world: Callable[..., World],
) -> None:
    world = make_world(standards=(standard("A", "assignee IS EMPTY OR done_on IS EMPTY"),))
    world.tool.put("1")
    world.tool.put("2", assignee=None)
    world.run()
    assert (verdicts(world, "T-1"), verdicts(world, "T-2")) == ({"A": FAIL}, {"A": FAIL})
    for number in ("1", "2"):
        del world.tool.tasks[number]["done"]
        world.tool.put(number)
    world.run()
    assert (verdicts(world, "T-1"), verdicts(world, "T-2")) == ({"A": UNKNOWN}, {"A": FAIL})


def test_more_standards_than_one_mask_holds_are_all_judged_raised_and_resolved(
    make_world: Callable[..., World],
) -> None:
    names = [f"X{number:02}" for number in range(2 * PER_MASK + 1)]
    world = make_world(standards=tuple(standard(name) for name in names))
    world.tool.put("1", assignee=None)
    world.tool.put("2")
    world.run()
    assert verdicts(world, "T-1") == dict.fromkeys(names, FAIL)
    assert verdicts(world, "T-2") == dict.fromkeys(names, PASS)
    assert open_findings(world) == set(names)
    world.tool.put("1", assignee=Person("ana"))
    world.run()
    assert verdicts(world, "T-1") == dict.fromkeys(names, PASS)
    assert open_findings(world) == set()


def test_a_change_moves_the_verdicts_of_its_own_standard_alone(make_world: Callable[..., World]) -> None:
    several = [standard(f"X{number:02}", "due_on IS EMPTY") for number in range(PER_MASK + 3)]
    for place in (0, 7, PER_MASK - 1, PER_MASK, PER_MASK + 2):
        several[place] = replace(several[place], when=parse_predicate("assignee IS EMPTY", "task", {}))
    world = make_world(standards=tuple(several))
    world.tool.put("1")
    world.tool.put("2", due=None)
    world.run()
    assert open_findings(world) == {one.id for one in several if one.when.text == "due_on IS EMPTY"}
    world.tool.put("2", due=dt.date(2026, 12, 11), assignee=None)
    world.run()
    expected = {one.id: FAIL if "assignee" in one.fields else PASS for one in several}
    assert verdicts(world, "T-2") == expected
    assert open_findings(world) == {name for name, value in expected.items() if value == FAIL}


def test_a_standard_that_is_taken_out_and_put_back_keeps_its_bits_and_new_ones_get_others(
    make_world: Callable[..., World],
) -> None:
    world = make_world(standards=(standard("C"), standard("A")))
    world.tool.put("1", assignee=None)
    world.run()

    def bits() -> dict[str, int]:
        with world.store.reading() as connection:
            return {row.standard: row.bit for row in connection.execute(select(standard_bit))}

    assert bits() == {"A": 0, "C": 1}
    world.standards = (standard("B"), standard("C"))
    world.run()
    assert bits() == {"A": 0, "C": 1, "B": 2}
    assert verdicts(world, "T-1") == {"A": OUT, "B": FAIL, "C": FAIL}
    assert open_findings(world) == {"B", "C"}
    world.standards = (standard("A"), standard("B"), standard("C"))
    world.run()
    assert bits() == {"A": 0, "C": 1, "B": 2}
    assert open_findings(world) == {"A", "B", "C"}


def test_a_task_that_is_gone_loses_its_verdicts_and_its_findings(make_world: Callable[..., World]) -> None:
    world = make_world(standards=(standard("A"),))
    world.tool.put("1", assignee=None)
    world.tool.put("2", assignee=None)
    world.tool.put("3")
    world.run(full=True)
    del world.tool.tasks["1"]
    world.run(full=True)
    with world.store.reading() as connection:
        left = connection.execute(select(verdict.c.subject_id).where(verdict.c.subject == "task")).all()
        states = sorted(connection.scalars(select(finding.c.state)))
    assert len(left) == 2
    assert states == ["open", "resolved"]


def test_standards_differ_by_what_decides_their_verdicts_and_new_and_old_ones_count(
    make_world: Callable[..., World],
) -> None:
    world = make_world(standards=(standard("A"), standard("B"), standard("C")))
    world.tool.put("1")
    world.run()
    now = (standard("A"), standard("B", "due_on IS EMPTY"), standard("D"))
    with world.store.reading() as connection:
        assert changed_standards(connection, world.standards) == frozenset()
        assert changed_standards(connection, now) == {"B", "C", "D"}
    world.standards = now
    world.run()
    with world.store.reading() as connection:
        rows = {row.standard: row for row in connection.execute(select(standard_state))}
        assert changed_standards(connection, now) == frozenset()
    assert {name: (row.hash, row.wording, row.trouble) for name, row in rows.items()} == {
        one.id: (one.hash, one.wording, "") for one in now
    }


def test_a_standard_whose_bits_begin_another_row_is_new_and_the_tasks_are_not(make_world: Callable[..., World]) -> None:
    full = len(MASKS) * PER_MASK
    several = [standard(f"X{number:03}", "due_on IS EMPTY") for number in range(full)]
    world = make_world(standards=tuple(several))
    world.tool.put("1", assignee=None)
    world.run()
    world.standards = (*several, standard("Y"))
    world.run()
    assert verdicts(world, "T-1") == {one.id: PASS for one in several} | {"Y": FAIL}
    with world.store.reading() as connection:
        assert connection.scalars(select(event.c.causes)).all() == ["standard"]


def test_standards_that_ask_for_the_same_and_for_something_else_each_get_their_own_answer(
    make_world: Callable[..., World],
) -> None:
    same = "start_on < due_on AND {}"
    several = (
        standard("A", same.format("assignee IS EMPTY")),
        standard("B", same.format("priority = high")),
        standard("C", same.format("estimate_h > 8"), "type = task"),
        standard("D", "start_on < due_on"),
    )
    world = make_world(standards=several)
    early, late = dt.date(2026, 12, 1), dt.date(2026, 12, 31)
    world.tool.put("1", start=late, due=early, assignee=None, estimate=None)
    world.tool.put("2", start=early, due=late, assignee=None, estimate=None)
    world.tool.put("3", start=None, due=late, estimate=None)
    world.tool.put("4", start=late, due=early, assignee=None, type="Epic")
    world.run()
    assert verdicts(world, "T-1") == {"A": PASS, "B": PASS, "C": PASS, "D": PASS}
    assert verdicts(world, "T-2") == {"A": FAIL, "B": PASS, "C": UNKNOWN, "D": FAIL}
    assert verdicts(world, "T-3") == {"A": PASS, "B": PASS, "C": UNKNOWN, "D": UNKNOWN}
    assert verdicts(world, "T-4") == {"A": PASS, "B": PASS, "C": OUT, "D": PASS}


def test_verdicts_of_an_older_store_are_kept_in_their_new_rows(make_world: Callable[..., World]) -> None:
    world = make_world(standards=tuple(standard(f"X{number:02}") for number in range(PER_MASK + 2)))
    world.tool.put("1", assignee=None)
    world.tool.put("2")
    world.run()
    with world.store.begin() as connection:
        rows = connection.execute(select(verdict)).all()
        connection.exec_driver_sql("DROP TABLE verdict")
        connection.exec_driver_sql(
            "CREATE TABLE verdict (subject TEXT, subject_id INTEGER, word INTEGER, mask BIGINT, "
            "PRIMARY KEY (subject, subject_id, word))"
        )
        masks = [(row.subject, row.subject_id, at, row[3 + at]) for row in rows for at in (0, 1)]
        connection.exec_driver_sql("INSERT INTO verdict VALUES (?, ?, ?, ?)", masks)
        connection.exec_driver_sql("ALTER TABLE standard_state DROP COLUMN subject")
        MIGRATIONS[-1](connection)
        assert connection.execute(select(verdict)).all() == rows
    world.run(full=True)
    with world.store.reading() as connection:
        assert connection.execute(select(verdict)).all() == rows
        assert set(connection.scalars(select(event.c.causes))) == {"data"}, "nothing moved since the first run"
