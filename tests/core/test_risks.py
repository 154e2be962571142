"""What a mapping tells about risks, issues, changes, sprints and descriptions, and what is counted from it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pmosync.contract import Person
from pmosync.judge.columns import SubjectColumns
from pmosync.model import LEVELS, Subject
from pmosync.standards import load_packs
from pmosync.store.tables import blind, finding, project_fact, record, task_fact
from tests.core.memory import World

OURS = ("RSK801", "RSK802", "RSK803", "RSK804", "RSK805", "DAT107", "SCH206", "SCH216")
ASKED = tuple(one for one in load_packs(["full"], Path()) if one.id in OURS)
MAPPED = """  risk_response: answer
  risk_score: score
  risk_probability: {{field: likely, values: {{very_low: [1], low: [2], medium: [3], high: [4], very_high: [5]}}}}
  risk_impact: {{field: costly, values: {{very_low: [1], low: [2], medium: [3], high: [4], very_high: [5]}}}}
  reviewed_on: reviewed
  decided_on: decided
  description: words
  sprint_state: {{field: sprint, values: {{future: [F], active: [A], closed: [C]}}}}
  blocked_reason: why
"""
KINDS = {
    "answer": "text", "score": "number", "likely": "number", "costly": "number", "reviewed": "date", "decided": "date",
    "words": "text", "sprint": "text", "why": "text",
}  # fmt: skip
EMPTY: dict[str, Any] = dict.fromkeys(KINDS)


@pytest.fixture
def world(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> World:
    """A tool with fields for the records of a PMO, and one sound task."""
    from tests.core import memory

    monkeypatch.setattr(memory, "FIELDS", memory.FIELDS | KINDS)
    monkeypatch.setitem(memory.OPTIONS, "type", (*memory.OPTIONS["type"], "Issue", "Change"))
    made = make_world(standards=ASKED)
    made.mapping = made.mapping.replace("  assignee: assignee\n", f"  assignee: assignee\n{MAPPED}")
    made.mapping = made.mapping.replace("risk: [Risk]", "risk: [Risk], issue: [Issue]")
    made.tool.put("1", **EMPTY, name="A piece of work")
    return made


def told(world: World, subject: Subject, *names: str) -> dict[str, tuple[Any, ...]]:
    columns = SubjectColumns(subject)
    with world.store.reading() as connection:
        rows = connection.execute(
            select(columns.own.c.key, *(columns.column(name) for name in names)).select_from(columns.source())
        )
        return {key.removeprefix("T-"): tuple(values) for key, *values in rows}


def failing(world: World) -> set[tuple[str, str]]:
    rows = (
        select(record.c.rid, finding.c.standard)
        .join(record, record.c.id == finding.c.subject_id)
        .where(finding.c.state.in_(("new", "open")), finding.c.subject == "task")
    )
    with world.store.reading() as connection:
        return {(rid, standard) for rid, standard in connection.execute(rows)}


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


def test_a_score_is_what_the_tool_says_or_the_product_of_the_two_levels(world: World) -> None:
    put = world.tool.put
    put("10", **EMPTY | {"score": 7.0, "likely": 5.0, "costly": 5.0}, type="Risk")
    put("11", **EMPTY | {"likely": 5.0, "costly": 3.0}, type="Risk")
    put("12", **EMPTY | {"likely": 5.0}, type="Risk")
    put("13", **EMPTY | {"likely": 5.0, "costly": 9.0}, type="Risk")
    world.run()
    found = told(world, "task", "risk_score", "risk_probability")
    assert [found[number] for number in ("10", "11", "12", "13")] == [
        (7, "very_high"), (15, "very_high"), (None, "very_high"), (None, "very_high"),
    ]  # fmt: skip
    assert ("11", "RSK803") in failing(world)
    assert LEVELS.index("very_high") == 4


def test_risks_issues_and_changes_are_asked_what_their_kind_is_asked(world: World) -> None:
    put, sound = world.tool.put, EMPTY | {"answer": "reduce", "score": 16.0, "reviewed": day(11, 2)}
    put("10", **sound, type="Risk", name="A risk in good hands")
    put("11", **sound, name="What makes it smaller", parent="10")
    put("20", **sound | {"answer": " "}, type="Risk")
    put("21", **sound | {"score": 4.0}, type="Risk", assignee=None)
    put("22", **sound | {"score": 4.0, "reviewed": None}, type="Risk")
    put(
        "23",
        **sound | {"score": 4.0, "reviewed": None},
        type="Risk",
        created_at=dt.datetime(2026, 11, 9, tzinfo=dt.UTC),
    )
    put("30", **EMPTY, type="Issue", due=day(11, 19))
    put("31", **EMPTY, type="Issue", due=day(11, 20))
    put("40", **EMPTY, type="Change")
    put("41", **EMPTY | {"decided": day(11, 19)}, type="Change")
    world.run()
    assert failing(world) == {
        ("20", "RSK801"), ("20", "RSK803"), ("21", "RSK801"), ("22", "RSK802"), ("30", "RSK804"), ("40", "RSK805"),
    }  # fmt: skip
    world.tool.put("11", status="Done")
    world.run()
    assert ("10", "RSK803") in failing(world), "the last open action is done, and the risk is still high"
    world.tool.put("10", waits_for=("1",))
    world.run()
    assert ("10", "RSK803") not in failing(world), "what it waits for is done about it, too"


def test_a_description_is_measured_and_an_empty_one_has_no_characters(world: World) -> None:
    world.tool.put("10", **EMPTY | {"words": "  " + "x" * 39 + " "}, status="Doing")
    world.tool.put("11", **EMPTY | {"words": "x" * 40}, status="Doing")
    world.tool.put("12", **EMPTY, status="Doing")
    world.tool.put("13", **EMPTY | {"words": ""}, status="Open")
    world.tool.put("14", **EMPTY | {"sprint": "C"})
    world.tool.put("15", **EMPTY | {"sprint": "A"})
    world.run()
    found = told(world, "task", "description_chars", "sprint_state")
    assert [found[number] for number in ("10", "11", "12", "13")] == [(39, None), (40, None), (0, None), (0, None)]
    assert failing(world) == {("10", "DAT107"), ("12", "DAT107"), ("14", "SCH216")}


def test_where_the_tool_has_no_such_fields_nobody_is_asked_for_them(world: World) -> None:
    world.mapping = world.mapping.replace(MAPPED, "")
    world.tool.put("10", type="Risk", assignee=None)
    world.tool.put("11", type="Change")
    world.tool.put("12", status="Doing")
    world.run()
    assert failing(world) == {("10", "RSK801")}, "a risk without an owner is one, whatever else is known"
    with world.store.reading() as connection:
        silent = set(connection.scalars(select(blind.c.standard)))
    assert silent >= {"RSK802", "RSK803", "RSK805", "DAT107", "SCH216", "SCH206"}


def test_records_of_a_project_are_counted_as_a_plain_reading_counts_them_in_part_and_in_full(world: World) -> None:
    dice = random.Random(4)
    world.tool.projects = {name: {"name": name, "lead": Person("ana")} for name in ("p1", "p2")}
    for turn in range(4):
        for _ in range(25):
            number = str(dice.randint(10, 60))
            values = EMPTY | {"score": dice.choice((None, 1.0, 6.0, 25.0))}
            if number in world.tool.tasks:
                world.tool.put(number, status=dice.choice(("Open", "Doing", "Done", "Dropped")), score=values["score"])
            else:
                kind = dice.choice(("Risk", "Risk", "Issue", "Change", "Task"))
                parent = dice.choice((None, *list(world.tool.tasks)[-8:]))
                waits = tuple(dice.sample(list(world.tool.tasks), 1)) if dice.random() < 0.3 else ()
                project = dice.choice(("p1", "p2"))
                world.tool.put(number, project=project, **values, type=kind, parent=parent, waits_for=waits)
        world.run(full=turn == 0)
        held = world.tool.tasks
        still = {number for number, one in held.items() if one["status"] not in ("Done", "Dropped")}
        counts = {}
        for name in world.tool.projects:
            inside = {number for number in still if name in held[number]["projects"]}
            kinds = [sum(held[number]["type"] == kind for number in inside) for kind in ("Risk", "Issue", "Change")]
            scores = [held[n]["score"] for n in inside if held[n]["type"] == "Risk" and held[n]["score"] is not None]
            counts[name] = (*kinds, max(scores, default=None), sum(scores) if scores else None)
        names = ("open_risks", "open_issues", "open_changes", "top_risk_score", "risk_exposure")
        assert told(world, "project", *names) == counts
        actions = {
            number: (len({n for n in still if held[n]["parent"] == number or n in one["waits_for"]}),)
            if one["type"] == "Risk" else (None,)
            for number, one in held.items()
        }  # fmt: skip
        assert told(world, "task", "mitigations_open") == actions
        assert {found for (found,) in actions.values()} >= {None, 0, 1}
    with world.store.reading() as connection:
        parts = [sorted(map(repr, connection.execute(select(one)).all())) for one in (task_fact, project_fact)]
    world.run(full=True)
    with world.store.reading() as connection:
        assert [sorted(map(repr, connection.execute(select(one)).all())) for one in (task_fact, project_fact)] == parts
