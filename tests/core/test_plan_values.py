"""The plan as a value, without a store: the guard's edges, the file it is saved in, and what it is compared with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pmosync.contract import Change, Slot
from pmosync.errors import GuardRefused, Misconfigured, PlanMoved
from pmosync.plan import Guard, Line, Plan, digest, load, same_basis, save

LINE = Line(
    site="acme",
    subject="task",
    rid="1",
    key="T-1",
    project="p1",
    slot="label",
    verb="write",
    before=None,
    after="high",
    causes="data",
    note="somebody removed it",
    event_id=7,
    inputs="mapping=a",
    title="Deliver",
)


def plan_of(items: int, *, subjects: int, slots: int = 1) -> Plan:
    lines = [replace(LINE, rid=str(rid), slot=f"slot{slot}") for rid in range(items) for slot in range(slots)]
    return Plan(lines, subjects={"acme": subjects})


# --- the guard ------------------------------------------------------------------------------------------------------


def test_the_guard_lets_as_many_changes_through_as_it_names_and_not_one_more() -> None:
    guard = Guard(1.0, 5)
    guard.check(plan_of(5, subjects=1000), {})
    with pytest.raises(GuardRefused) as refused:
        guard.check(plan_of(6, subjects=1000), {})
    assert str(refused.value) == (
        "acme: 6 changes, more than 5. Nothing was written. Look at it with `pmosync plan --out FILE`, "
        'then `pmosync apply FILE --approve "why this is right"`'
    )


def test_the_guard_lets_as_large_a_share_through_as_it_names_and_not_more() -> None:
    guard = Guard(0.25, 1000)
    guard.check(plan_of(10, subjects=40), {})
    with pytest.raises(GuardRefused) as refused:
        guard.check(plan_of(11, subjects=40), {})
    assert str(refused.value).startswith("acme: 11 of 40 items would change: 28%, more than 25%. Nothing was written.")


def test_the_share_counts_items_and_not_their_slots() -> None:
    Guard(0.25, 1000).check(plan_of(10, subjects=40, slots=3), {})
    mixed = plan_of(10, subjects=40)
    mixed.changes.append(replace(LINE, subject="project", rid="1"))
    with pytest.raises(GuardRefused, match="11 of 40"):
        Guard(0.25, 1000).check(mixed, {})


def test_the_share_counts_from_twenty_subjects_on() -> None:
    Guard(0.1, 1000).check(plan_of(19, subjects=19), {})
    with pytest.raises(GuardRefused):
        Guard(0.1, 1000).check(plan_of(19, subjects=20), {})


def test_a_site_with_nothing_in_scope_is_held_to_the_number_alone() -> None:
    plan = plan_of(5, subjects=0)
    Guard(0.1, 5).check(plan, {})
    plan.subjects = {}
    Guard(0.1, 5).check(plan, {})
    with pytest.raises(GuardRefused, match="5 changes, more than 4"):
        Guard(0.1, 4).check(plan, {})


def test_an_approval_covers_its_site_up_to_its_number() -> None:
    guard, plan = Guard(1.0, 1), plan_of(6, subjects=6)
    guard.check(plan, {"acme": 6})
    for approved in ({"acme": 5}, {"other": 6}, {}):
        with pytest.raises(GuardRefused):
            guard.check(plan, approved)


def test_each_site_is_guarded_for_itself() -> None:
    plan = plan_of(3, subjects=100)
    plan.changes += [replace(LINE, site="beta", rid=str(rid)) for rid in range(3)]
    Guard(1.0, 3).check(plan, {})
    plan.changes.append(replace(LINE, site="beta", rid="9"))
    with pytest.raises(GuardRefused, match=r"^beta: 4 changes"):
        Guard(1.0, 3).check(plan, {"acme": 9})


# --- the plan as a file ---------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    plan = Plan(
        [LINE, replace(LINE, rid="2", before="low", after=None, verb="clear")],
        basis={"standards": "abc"},
        subjects={"acme": 12},
        setup=["acme: make the field"],
    )
    path = tmp_path / "plan.jsonl"
    assert save(plan, path) == digest(plan.changes)
    return path


def test_a_saved_plan_reads_back_as_it_was(saved: Path) -> None:
    plan = load(saved)
    assert plan.changes == [LINE, replace(LINE, rid="2", before="low", after=None, verb="clear")]
    assert (plan.left, plan.basis, plan.subjects) == ([], {"standards": "abc"}, {"acme": 12})
    assert plan.setup == ["acme: make the field"]


def test_a_saved_plan_is_lines_of_json_with_the_count_and_the_checksum_last(saved: Path) -> None:
    head, first, second, tail = (orjson.loads(line) for line in saved.read_bytes().splitlines())
    assert set(head) == {"basis", "subjects", "setup"}
    assert (first["rid"], second["rid"]) == ("1", "2")
    assert tail == {"changes": 2, "sha256": digest(load(saved).changes)}
    assert saved.read_bytes().endswith(b"\n")
    assert [path.name for path in saved.parent.iterdir()] == ["plan.jsonl"], "nothing half-written stays behind"


def refused(path: Path) -> str:
    """What is wrong with the file, told with its place before it and the next step after it."""
    with pytest.raises(Misconfigured) as caught:
        load(path)
    place, _, rest = str(caught.value).partition(": ")
    what, _, step = rest.partition("\n")
    assert (place, step) == (str(path), "  → make it anew with `pmosync plan --out FILE`")
    return what


def test_a_plan_that_is_not_there_is_refused_with_its_place_and_the_next_step(saved: Path) -> None:
    assert refused(saved.with_name("other.jsonl")) == "cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "not json\n{}\n",
        "{}\n{}\n",
        '{"basis": {}, "subjects": {}, "setup": []}\n{"changes": 0}\n',
        '{"basis": {}, "subjects": {}, "setup": []}\n{"wrong": 1}\n{"changes": 1, "sha256": ""}\n',
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_its_place_and_the_next_step(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_text(text)
    assert refused(path) == "is no saved plan"


def test_a_plan_whose_change_was_taken_out_is_refused(saved: Path) -> None:
    head, first, _, tail = saved.read_bytes().splitlines()
    saved.write_bytes(b"\n".join([head, first, tail]))
    assert refused(saved) == "was changed or cut off after it was saved"


def test_a_plan_whose_count_was_edited_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes().replace(b'"changes":2', b'"changes":3'))
    assert refused(saved) == "was changed or cut off after it was saved"


@pytest.mark.parametrize("name", ["site", "subject", "rid", "slot", "before", "after"])
def test_the_checksum_moves_with_every_slot_and_value(name: str) -> None:
    other: dict[str, Any] = {name: "another"}
    assert digest([replace(LINE, **other)]) != digest([LINE])


@pytest.mark.parametrize("name", ["causes", "note", "inputs", "title", "key"])
def test_the_checksum_does_not_move_with_words_that_age(name: str) -> None:
    other: dict[str, Any] = {name: "another"}
    assert digest([replace(LINE, **other)]) == digest([LINE])


def test_the_checksum_is_over_all_changes_in_their_order() -> None:
    other = replace(LINE, rid="2")
    assert len({digest([]), digest([LINE]), digest([other]), digest([LINE, other]), digest([other, LINE])}) == 5


def test_a_basis_that_moved_is_named_and_one_that_stands_is_let_through() -> None:
    same_basis({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    with pytest.raises(PlanMoved) as moved:
        same_basis(
            {"waivers": "1", "calendar": "1", "old": "1", "same": "1"}, {"waivers": "2", "same": "1", "new": "1"}
        )
    assert str(moved.value) == (
        "the plan was made from another calendar, new, old, waivers: nothing was written. "
        "Make it anew with `pmosync plan`"
    )


# --- reading a plan -------------------------------------------------------------------------------------------------


def test_changes_are_counted_by_verb_and_told_by_site() -> None:
    other = replace(LINE, site="beta", verb="clear")
    plan = Plan([LINE, replace(LINE, rid="2"), other])
    assert plan.counts() == {"write": 2, "clear": 1}
    assert plan.of("beta") == [other]
    assert plan.of("gamma") == []


def test_a_line_reaches_the_connector_as_a_change_of_its_slot() -> None:
    assert LINE.change() == Change(Slot("task", "1", "label"), None, "high", "p1", "T-1")
    project = replace(LINE, subject="project", before="a", after=None)
    assert project.change() == Change(Slot("project", "1", "label"), "a", None, "p1", "T-1")
