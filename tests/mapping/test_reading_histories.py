"""Histories read with a mapping: the moves of the model, and only those that the history really tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pmosync.contract import Choice, Event, Person, Record, Value
from pmosync.mapping import Move, due_moves, load, reopenings, status_since_at

Write = Callable[[str], Path]
BERLIN = ZoneInfo("Europe/Berlin")
HEAD = "site: acme\nread: [history]\ntask:\n  title: summary\n"
STATUS = HEAD + (
    "  status:\n"
    "    - {field: status, values: {blocked: [Hold], skip: [Junk], empty: [Nothing]}}\n"
    "    - {field: status, values: {todo: category=new, in_progress: category=active, done: category=done}}\n"
)
OPEN, DOING, DONE = Choice("1", "Open", "new"), Choice("2", "Doing", "active"), Choice("3", "Done", "done")
HOLD, OLD = Choice("4", "Hold"), Choice("9", "Of long ago")


def at(day: int) -> dt.datetime:
    return dt.datetime(2026, 11, day, 9, tzinfo=dt.UTC)


def record(values: dict[str, Value], *moves: tuple[int, str, Value, Value], save: str = "") -> Record:
    """A record with these values of today and these moves; with `save`, all of them happened in one."""
    history = tuple(
        Event(save or f"e{number}", at(day), Person("ana"), name, before, after)
        for number, (day, name, before, after) in enumerate(moves)
    )
    return Record("task", "1", "T-1", "x:/1", "1", (), values, history=history)


def read(write: Write, text: str, found: Record) -> list[tuple[str, object, object]]:
    moves = load(write(text), None).read_moves(found, BERLIN)
    assert moves is not None
    return [(move.field, move.before, move.after) for move in moves]


def test_a_status_of_then_is_read_with_the_steps_of_today(write: Write) -> None:
    found = record({"status": DONE}, (1, "status", OPEN, HOLD), (2, "status", HOLD, DOING), (3, "status", DOING, DONE))
    assert read(write, STATUS, found) == [
        ("status", "todo", "blocked"),
        ("status", "blocked", "in_progress"),
        ("status", "in_progress", "done"),
    ]


def test_a_status_that_the_mapping_does_not_know_is_an_unknown_one(write: Write) -> None:
    found = record({"status": DONE}, (1, "status", OPEN, OLD), (2, "status", OLD, DONE))
    assert read(write, STATUS, found) == [("status", "todo", None), ("status", None, "done")]


@pytest.mark.parametrize("name", ["Junk", "Nothing"])
def test_a_status_of_what_is_left_out_or_empty_is_an_unknown_one(write: Write, name: str) -> None:
    found = record({"status": OPEN}, (1, "status", Choice("5", name, "new"), OPEN))
    assert read(write, STATUS, found) == [("status", None, "todo")]


def test_a_move_between_two_names_of_one_option_is_no_move_of_the_model(write: Write) -> None:
    found = record({"status": OPEN}, (1, "status", Choice("7", "Backlog", "new"), OPEN))
    assert read(write, STATUS, found) == []


def test_the_class_of_a_status_is_taken_from_the_record_where_the_history_does_not_say_it(write: Write) -> None:
    found = record({"status": DONE}, (1, "status", DOING, Choice("3", "Done")))
    assert read(write, STATUS, found) == [("status", "in_progress", "done")]


def test_a_default_option_stands_in_the_past_as_well(write: Write) -> None:
    text = HEAD + "  status: [{field: completed, values: {done: true}}, {default: todo}]\n"
    found = record({"completed": False}, (1, "completed", False, True), (2, "completed", True, False))
    assert read(write, text, found) == [("status", "todo", "done"), ("status", "done", "todo")]


def test_several_fields_behind_one_status_are_read_together(write: Write) -> None:
    text = HEAD + (
        "  status:\n"
        "    - {field: completed, values: {done: true}}\n"
        "    - {field: section, values: {blocked: [Hold], todo: [Open]}}\n"
    )
    values: dict[str, Value] = {"completed": True, "section": HOLD}
    told = ((1, "section", OPEN, HOLD), (2, "completed", False, True))
    assert read(write, text, record(values, *told)) == [("status", "todo", "blocked"), ("status", "blocked", "done")]
    assert read(write, text, record(values, *told, save="one")) == [("status", "todo", "done")]


def test_of_several_dates_the_first_that_answered_then_counts(write: Write) -> None:
    text = HEAD + "  status: status\n  due_on: [committed, due]\n"
    first, second, third = dt.date(2026, 12, 1), dt.date(2026, 12, 8), dt.date(2026, 12, 15)
    hidden = record({"committed": first, "due": third}, (1, "due", second, third))
    assert read(write, text, hidden) == [], "the committed date stood before it all the time"
    switched = record({"committed": first, "due": third}, (1, "due", second, third), (2, "committed", None, first))
    assert read(write, text, switched) == [("due_on", second, third), ("due_on", third, first)]


def test_a_date_that_has_no_history_of_its_own_is_not_taken_for_one_of_then(write: Write) -> None:
    text = HEAD + "  status: status\n  due_on: [duedate, fixVersions.latest.releaseDate]\n"
    values: dict[str, Value] = {
        "duedate": dt.date(2026, 12, 1),
        "fixVersions.latest.releaseDate": dt.date(2026, 12, 24),
    }
    found = record(values, (1, "duedate", None, dt.date(2026, 12, 1)))
    assert read(write, text, found) == [("due_on", None, dt.date(2026, 12, 1))]


def test_an_instant_is_its_day_in_the_zone_of_the_site(write: Write) -> None:
    text = HEAD + "  status: status\n  due_on: due_at\n"
    late, later = dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
    assert read(write, text, record({"due_at": later}, (1, "due_at", late, later))) == []


def test_moves_of_fields_that_mean_nothing_here_are_left_out(write: Write) -> None:
    found = record({"status": OPEN, "summary": "b"}, (1, "summary", "a", "b"), (2, "rank", "1", "2"))
    assert read(write, STATUS, found) == []


def test_without_a_history_there_are_no_moves_and_not_none_of_them(write: Write) -> None:
    mapping = load(write(STATUS), None)
    bare = Record("task", "1", "T-1", "", "1", (), {"status": OPEN})
    assert mapping.read_moves(bare, BERLIN) is None
    assert mapping.read_moves(record({"status": OPEN}), BERLIN) == ()
    silent = load(write(STATUS.replace("read: [history]\n", "")), None)
    assert silent.read_moves(record({"status": OPEN}, (1, "status", DONE, OPEN)), BERLIN) is None


# --- what follows ---------------------------------------------------------------------------------------------------


def moved(field: str, *values: object) -> list[Move]:
    return [
        Move(at(day), field, before, after, None)  # type: ignore[arg-type]
        for day, (before, after) in enumerate(pairwise(values), start=1)
    ]


def test_the_present_status_began_with_the_last_move_to_it() -> None:
    there = moved("status", "todo", "done", "todo")
    assert status_since_at(there, "todo", at(1)) == at(2)
    assert status_since_at([], "todo", at(1)) == at(1)
    assert status_since_at(moved("due_on", None, dt.date(2026, 1, 1)), "todo", None) is None
    assert status_since_at(there, "blocked", at(1)) is None, "the history does not lead to where it stands"


@pytest.mark.parametrize(
    ("dates", "count"),
    [((), 0), ((None, 1), 0), ((1, None), 0), ((None, 1, None, 2), 0), ((1, 2), 1), ((None, 1, 2, 3, None), 2)],
)
def test_only_from_one_date_to_another_a_due_date_is_moved(dates: tuple[int | None, ...], count: int) -> None:
    assert due_moves(moved("due_on", *(day and dt.date(2026, 12, day) for day in dates))) == count


@pytest.mark.parametrize(
    ("stood", "count"),
    [
        (("todo", "done"), 0),
        (("todo", "done", "todo"), 1),
        (("done", "cancelled", "done", "in_progress"), 2),
        (("done", None, "done"), 0),
        (("done", None, "todo"), 1),
        (("done", None), 0),
    ],
)
def test_work_is_opened_again_when_it_was_done_and_then_is_known_not_to_be(
    stood: tuple[str | None, ...], count: int
) -> None:
    assert reopenings(moved("status", *stood)) == count
    assert reopenings(moved("due_on", *stood)) == 0
