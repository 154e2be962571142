"""What standards would say of the stored data: how often they fire, what two packs differ in; and nothing is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pmosync.judge import masks
from pmosync.judge.asking import Affected, Asked, ask, differences
from pmosync.reports.linting import Note, lint
from pmosync.standards import Standard, load_packs
from pmosync.store.tables import metadata
from tests.core.memory import World

TODAY = dt.date(2026, 11, 20)
ONE = """\
  - id: {id}
    title: {id} is asked
    subject: {subject}
    severity: high
    when: {when}
    why: Somebody waits for this and cannot go on.
    fix: Say until when it will be done.
    serves: monitoring
    phase: any
    {more}
    examples:
      fail: [{fail}]
      pass: [{ok}]
"""


@pytest.fixture
def pack(tmp_path: Path) -> Any:
    """Makes standards of predicates by id; `more` are further lines of one."""

    def make(subject: str = "task", /, more: str = "mode: advise", **asked: str) -> tuple[Standard, ...]:
        row = {"subject": subject, "more": more, "fail": "{title: a}", "ok": "{title: b}"}
        text = "".join(ONE.format(id=name, when=when, **row) for name, when in asked.items())
        (tmp_path / "asked.yaml").write_text(f"pack: asked\ntoday: 2026-11-20\nstandards:\n{text}")
        return load_packs(["./asked.yaml"], tmp_path)

    return make


def told(world: World, standards: Sequence[Standard], today: dt.date = TODAY) -> list[Note]:
    with world.store.reading() as connection:
        return lint(standards, ask(connection, standards), today)


def content(world: World) -> dict[str, list[Any]]:
    """Every row of every table."""
    with world.store.reading() as connection:
        return {table.name: sorted(map(str, connection.execute(select(table)))) for table in metadata.sorted_tables}


def test_what_is_asked_agrees_with_what_the_judge_stored(world: World) -> None:
    for number in range(100, 110):
        world.tool.put(str(number), due=dt.date(2026, 11, 12), priority="High")
    world.tool.put("110", due=None)
    world.run()
    with world.store.reading() as connection:
        answers = ask(connection, world.standards)
    assert answers.asked["SCH201"] == Asked(passed=19, failed=10, unknown=1)
    assert answers.asked["DAT104"] == Asked(passed=29, failed=1)
    assert answers.asked["GOV603"] == Asked(passed=1)
    assert answers.asked["FLW504"].passed == 30


def test_many_standards_are_asked_at_once_and_pairs_are_found_across_them(world: World, pack: Any) -> None:
    wanted = {f"ACME{number}": f"title ~ 'part' AND children < {number}" for number in range(1, 66)}
    standards = pack(**wanted)
    world.run()
    with world.store.reading() as connection:
        answers = ask(connection, standards)
    assert {one.failed for one in answers.asked.values()} == {30}
    assert len(answers.both) == 65 * 64 / 2
    assert set(answers.both.values()) == {30}


def test_never_always_and_twice_are_told_with_place_and_next_step(world: World, pack: Any) -> None:
    world.run()
    standards = pack(
        ACME1="title = 'nothing is called so'",
        ACME2="assignee IS NOT EMPTY",
        ACME3="priority = medium",
        ACME4="start_on < today()",
    )
    notes = told(world, standards)
    assert [(one.standard, one.check, one.other) for one in notes] == [
        ("ACME1", "never_fires", ""),
        ("ACME2", "always_fires", ""),
        ("ACME3", "always_fires", ""),
        ("ACME3", "overlap", "ACME2"),
        ("ACME4", "never_asked", ""),
    ]
    assert [one.what for one in notes] == [
        "never fires: all 30 tasks meet it",
        "fires on 30 of 30 tasks (100%)",
        "fires on 30 of 30 tasks (100%)",
        "finds what ACME2 finds: 30 of 30 tasks break both",
        "is never answered: what it needs is empty in all 30 tasks",
    ]
    assert all(one.next_step and one.place.endswith(":5") for one in notes)


def test_few_subjects_prove_nothing(make_world: Any, pack: Any) -> None:
    world = make_world()
    for number in range(4):
        world.tool.put(str(number))
    world.run()
    assert told(world, pack(ACME1="assignee IS EMPTY", ACME2="assignee IS NOT EMPTY")) == []
    world.tool.put("4")
    world.run()
    assert [one.check for one in told(world, pack(ACME1="assignee IS EMPTY", ACME2="assignee IS NOT EMPTY"))] == [
        "never_fires",
        "always_fires",
    ]


def test_sixty_per_cent_is_not_yet_always(make_world: Any, pack: Any) -> None:
    world = make_world()
    for number in range(10):
        world.tool.put(str(number), priority="High" if number < 6 else "Low")
    world.run()
    assert told(world, pack(ACME1="priority = high")) == []
    world.tool.put("9", priority="High")
    world.run()
    assert [one.what for one in told(world, pack(ACME1="priority = high"))] == ["fires on 7 of 10 tasks (70%)"]


def test_what_is_not_observed_or_out_of_scope_is_not_asked(world: World, pack: Any) -> None:
    world.run()
    world.tool.hidden.add("p1")
    world.run(full=True)
    (note,) = told(world, pack(ACME1="assignee IS NOT EMPTY"))
    assert note.what == "is asked of nothing: all is out of its scope, blind or not observed"
    world.tool.hidden.clear()
    world.run(full=True)
    (note,) = told(world, pack("task", "applies_to: type = risk", ACME1="assignee IS NOT EMPTY"))
    assert note.check == "never_asked"


def test_a_standard_grows_old_after_its_day_of_review(world: World, pack: Any) -> None:
    (standard,) = pack(ACME1="due_moves > 2", more="review_by: 2026-11-20")
    assert lint([standard], None, TODAY) == []
    (note,) = lint([standard], None, TODAY + dt.timedelta(days=1))
    assert (note.check, note.what) == ("review", "was to be reviewed by 2026-11-20")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ACME-LATE", "belongs to no family"),
        ("ACME", "belongs to no family"),
        ("SCH901", "the family SCH belongs to the shipped packs"),
        ("ACME901", ""),
    ],
)
def test_an_id_out_of_family_is_told(pack: Any, name: str, said: str) -> None:
    notes = lint(pack(**{name: "due_moves > 2"}), None, TODAY)
    assert [one.check for one in notes] == (["family"] if said else [])
    assert all(said in one.what for one in notes)


def test_guidance_that_says_nothing_is_told(pack: Any) -> None:
    (one,) = pack(ACME1="due_moves > 2")
    bare = replace(one, why="acme1 is asked.", fix="Fix it.")
    assert [note.what for note in lint([bare], None, TODAY)] == [
        "its 'why' repeats the title",
        "its 'fix' has hardly a word",
    ]


def test_the_shipped_packs_have_nothing_that_can_be_seen_without_data() -> None:
    for name in ("starter", "history"):
        assert lint(load_packs([name], Path()), None, TODAY) == []


def test_a_standard_that_the_database_cannot_run_is_named_and_the_others_are_asked(
    world: World, pack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    sound = masks.fail_condition

    def condition(standard: Standard, columns: Any) -> Any:
        return func.no_such_function(1) == 1 if standard.id == "ACME1" else sound(standard, columns)

    monkeypatch.setattr(masks, "fail_condition", condition)
    monkeypatch.setattr(masks, "_statement", masks._statement.__wrapped__)
    notes = told(world, pack(ACME1="children > 99", ACME2="assignee IS NOT EMPTY"))
    assert [(one.standard, one.check) for one in notes] == [("ACME1", "trouble"), ("ACME2", "always_fires")]
    assert notes[0].what == "the database cannot run it: no such function: no_such_function"


# --- two packs --------------------------------------------------------------------------------------------------------


def test_two_packs_differ_by_what_appears_and_what_vanishes_and_nothing_is_written(world: World, pack: Any) -> None:
    for number in range(100, 108):
        world.tool.put(str(number), due=dt.date(2026, 11, 20 - (number - 99)))
    world.run()
    before = pack(ACME1="due_on < today() - 3d", ACME2="priority = medium", ACME3="in_cycle = TRUE")
    after = pack(
        ACME1="due_on < today() - 6d AND title !~ '107' OR title ~ '120'", ACME4="title ~ '11'", ACME3="in_cycle = TRUE"
    )
    stored = content(world)
    with world.store.reading() as connection:
        found = list(differences(connection, before, after, first=2))
    assert [(one.one.id, one.change, one.appear, one.vanish) for one in found] == [
        ("ACME1", "changed", 1, 4),
        ("ACME4", "new", 10, 0),
        ("ACME2", "removed", 0, 30),
    ]
    changed = found[0]
    assert changed.first_appear == (Affected("acme", "T-120", "Deliver part 120"),)
    assert [one.key for one in changed.first_vanish] == ["T-103", "T-104"]
    assert content(world) == stored


def test_the_differences_are_those_that_a_run_with_the_other_pack_settles(world: World, pack: Any) -> None:
    for number in range(100, 108):
        world.tool.put(str(number), due=dt.date(2026, 11, 20 - (number - 99)))
    before, after = pack(ACME1="due_on < today() - 3d"), pack(ACME1="due_on < today() - 5d OR title ~ '12'")
    world.standards = before
    world.run()
    with world.store.reading() as connection:
        (told_before,) = differences(connection, before, after, first=0)
    world.standards = after
    settled = world.run().settled
    assert (told_before.appear, told_before.vanish) == (settled.new, settled.resolved) == (11, 2)


def test_what_is_not_observed_neither_appears_nor_vanishes(world: World, pack: Any) -> None:
    world.run()
    world.tool.hidden.add("p1")
    world.run(full=True)
    with world.store.reading() as connection:
        (one,) = differences(connection, (), pack(ACME1="assignee IS NOT EMPTY"), first=5)
    assert (one.appear, one.first_appear) == (0, ())


def test_a_standard_about_another_kind_of_subject_is_another_standard(world: World, pack: Any) -> None:
    world.run()
    before, after = pack(ACME1="assignee IS NOT EMPTY"), pack("project", ACME1="lead IS NOT EMPTY")
    with world.store.reading() as connection:
        found = [
            (one.change, one.one.subject, one.appear, one.vanish)
            for one in differences(connection, before, after, first=1)
        ]
    assert found == [("removed", "task", 0, 30), ("new", "project", 1, 0)]
