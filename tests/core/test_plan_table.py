"""The table of `plan`, line by line: what is wanted, what is there, whose slot it is, and what follows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import update

from pmosync.contract import Person, Slot
from pmosync.plan import Plan
from pmosync.store.tables import mark
from tests.core.memory import World

LABEL = Slot("task", "1", "label")
SHARED = Slot("task", "1", "choice")


@pytest.fixture
def flagged(tmp_path: Path) -> World:
    """A world in which one task is to be flagged `high`, with one slot of ours and one shared with people."""
    world = World(tmp_path, slots="label, choice")
    world.tool.put("1", status="Doing", assignee=None, created_at=dt.datetime(2026, 11, 19, tzinfo=dt.UTC))
    return world


def line(plan: Plan, slot: Slot) -> tuple[str, str]:
    for one in [*plan.changes, *plan.left]:
        if one.rid == slot.id and one.slot == slot.name:
            return one.verb, one.note
    return "", ""


def fixed(world: World) -> None:
    world.tool.put("1", assignee=Person("ana"))


def flagged_again(world: World) -> None:
    world.tool.put("1", assignee=None)


def test_wanted_and_there_in_our_slot_needs_nothing(flagged: World) -> None:
    flagged.run()
    assert line(flagged.run(full=True).plan, LABEL) == ("", "")


def test_wanted_and_never_written_is_written(flagged: World) -> None:
    assert line(flagged.run().plan, LABEL) == ("write", "")
    assert flagged.tool.marks[LABEL] == "high"


def test_what_people_chose_themselves_is_not_claimed(flagged: World) -> None:
    flagged.tool.marks[SHARED] = "high"
    assert line(flagged.run().plan, SHARED) == ("", "")
    fixed(flagged)
    assert line(flagged.run().plan, SHARED) == ("", "")
    assert flagged.tool.marks[SHARED] == "high"


def test_what_we_were_about_to_write_is_claimed_when_it_stands(flagged: World) -> None:
    flagged.tool.lose = True
    flagged.run()
    flagged.tool.lose = False
    flagged.run(full=True)
    fixed(flagged)
    assert line(flagged.run().plan, SHARED) == ("clear", "")
    assert SHARED not in flagged.tool.marks


def test_somebody_who_edits_after_a_lost_receipt_owns_the_shared_slot(flagged: World) -> None:
    flagged.tool.lose = True
    flagged.run()
    flagged.tool.lose = False
    flagged.tool.marks[SHARED] = "low"
    flagged.run(full=True)
    assert flagged.tool.marks[SHARED] == "low"


def test_another_value_in_a_slot_that_is_ours_by_name_is_replaced_after_a_rebuild(flagged: World) -> None:
    flagged.tool.marks[LABEL] = "low"
    assert line(flagged.run().plan, LABEL) == ("write", "")
    assert flagged.tool.marks[LABEL] == "high"


def test_another_value_in_a_shared_slot_is_left_and_reported(flagged: World) -> None:
    flagged.tool.marks[SHARED] = "theirs"
    verb, note = line(flagged.run().plan, SHARED)
    assert (verb, note) == ("", "somebody else's value: left as it is")
    assert flagged.tool.marks[SHARED] == "theirs"


def test_nothing_wanted_and_our_value_there_is_cleared(flagged: World) -> None:
    flagged.run()
    fixed(flagged)
    assert line(flagged.run().plan, SHARED) == ("clear", "")


def test_nothing_wanted_and_another_value_in_our_own_slot_is_cleared(flagged: World) -> None:
    flagged.tool.marks[LABEL] = "low"
    fixed(flagged)
    assert line(flagged.run().plan, LABEL) == ("clear", "")


def test_nothing_wanted_and_an_edited_shared_slot_is_left_and_reported(flagged: World) -> None:
    flagged.run()
    flagged.tool.marks[SHARED] = "theirs"
    fixed(flagged)
    verb, note = line(flagged.run(full=True).plan, SHARED)
    assert (verb, note) == ("", "somebody else's value: left as it is")


def test_a_removed_mark_is_written_once_more_and_then_left_as_a_dispute(flagged: World) -> None:
    flagged.run()
    del flagged.tool.marks[LABEL]
    assert line(flagged.run(full=True).plan, LABEL) == ("write", "somebody removed it")
    del flagged.tool.marks[LABEL]
    assert line(flagged.run(full=True).plan, LABEL) == ("", "dispute: removed again within 7 days")
    assert LABEL not in flagged.tool.marks
    flagged.now += dt.timedelta(days=7)
    assert line(flagged.run(full=True).plan, LABEL) == ("write", "somebody removed it")


def test_a_changed_mark_is_written_twice_more_and_then_left_as_a_dispute(flagged: World) -> None:
    flagged.run()
    for _ in range(2):
        flagged.tool.marks[LABEL] = "low"
        assert line(flagged.run(full=True).plan, LABEL) == ("write", "somebody changed it")
    flagged.tool.marks[LABEL] = "low"
    assert line(flagged.run(full=True).plan, LABEL) == ("", "dispute: changed again within 7 days")
    assert flagged.tool.marks[LABEL] == "low"


@pytest.mark.parametrize("both", ["high,low", "low,high"])
def test_a_run_that_died_between_two_words_of_ours_is_nobodys_edit(flagged: World, both: str) -> None:
    flagged.run()
    with flagged.store.begin() as connection:
        connection.execute(update(mark).where(mark.c.slot == "label").values(wrote="low", intent="high"))
    flagged.tool.marks[LABEL] = both
    assert line(flagged.run(full=True).plan, LABEL) == ("write", "")
    assert flagged.tool.marks[LABEL] == "high"


def test_a_value_in_a_slot_that_we_cleared_was_put_there_by_somebody(flagged: World) -> None:
    flagged.run()
    fixed(flagged)
    flagged.run()
    flagged.tool.marks[LABEL] = "low"
    plan = flagged.run(full=True).plan
    assert [(one.verb, one.causes) for one in plan.changes if one.slot == "label"] == [("clear", "edited by somebody")]


def test_a_frozen_item_is_left_and_reported(flagged: World) -> None:
    flagged.run()
    flagged.tool.marks[LABEL] = "low"
    flagged.tool.hidden.add("p1")
    flagged.slots = "label, choice, note"
    verb, note = line(flagged.run(full=True).plan, Slot("task", "1", "note"))
    assert (verb, note) == ("", "not observed: left as it is")


def test_the_same_task_flagged_again_is_written_again(flagged: World) -> None:
    flagged.run()
    fixed(flagged)
    flagged.run()
    flagged_again(flagged)
    assert line(flagged.run().plan, LABEL) == ("write", "")
