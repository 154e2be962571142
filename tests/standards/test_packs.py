"""Packs: what the shipped one holds, and how a wrong one is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pytest

from pmosync.errors import Misconfigured
from pmosync.model import FIELDS
from pmosync.standards import Standard, can_fail, load_packs, shipped_packs
from pmosync.standards.syntax import And, Coalesce, Comparison, Constant, Empty, FieldRef, Kind

STARTER = [
    *("FLW501", "FLW503", "DAT101", "DAT102", "DAT103", "DAT104", "DAT105", "DAT108"),
    *("SCH201", "SCH202", "SCH203", "SCH204", "SCH205", "LOG308", "LOG310", "RES401"),
    *("FLW504", "FLW508", "GOV601", "GOV602", "GOV603", "GOV605", "GOV606", "PRT906"),
]

CATALOGUE = [
    f"{family}{first + number}"
    for family, first, count in (
        *(("DAT", 101, 13), ("SCH", 201, 16), ("LOG", 301, 15), ("RES", 401, 8), ("FLW", 501, 11)),
        *(("GOV", 601, 13), ("EVM", 701, 6), ("RSK", 801, 7), ("PRT", 901, 7)),
    )
    for number in range(count)
]

PACK = """\
pack: acme
today: 2026-11-20
standards:
  - id: ACME1
    title: Late
    subject: task
    severity: high
    when: status = todo AND due_on < today() - $grace
    params:
      grace: {default: 3d, min: 0d, max: 2w, meaning: how late it may be}
    why: It is late.
    fix: Finish it.
    serves: monitoring
    phase: execution
    examples:
      fail: [{status: todo, due_on: 2026-11-16}]
      pass: [{status: done}]
"""


@pytest.fixture(scope="module")
def starter() -> tuple[Standard, ...]:
    return load_packs(["starter"], Path())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str) -> tuple[Standard, ...]:
    Path("acme.yaml").write_text(text)
    return load_packs(["acme.yaml"], Path())


def refused(text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        load(text)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in PACK
    return PACK.replace(old, new)


def test_the_starter_pack_asks_for_exactly_twenty_four_standards(starter: tuple[Standard, ...]) -> None:
    assert [standard.id for standard in starter] == STARTER


@pytest.mark.parametrize("pack", shipped_packs())
def test_every_number_in_a_shipped_pack_is_a_parameter_with_bounds_and_a_meaning(pack: str) -> None:
    for standard in load_packs([pack], Path()):
        assert not re.search(r"(?<![\w$])\d", standard.when.text), standard.id
        assert all(param.min <= param.default <= param.max and param.meaning for param in standard.params.values())


@pytest.mark.parametrize("pack", shipped_packs())
def test_guidance_is_at_most_two_sentences_each_and_names_no_field_of_the_model(pack: str) -> None:
    for standard in load_packs([pack], Path()):
        for text in (standard.why, standard.fix):
            assert 1 <= len(re.findall(r"[.?!](?:\s|$)", text)) <= 2, (standard.id, text)
            assert "_" not in text, (standard.id, text)


def test_the_shipped_packs_can_be_asked_together_and_full_asks_for_all_of_them() -> None:
    together = load_packs(shipped_packs(), Path())
    assert {one.id for one in together} == {one.id for one in load_packs(["full"], Path())}
    assert Counter(one.pack for one in together)["starter"] == len(STARTER) - 2, "two are of the pack about histories"


def test_of_the_points_about_plans_a_new_day_and_a_new_calendar_change_those_about_float() -> None:
    pack = [one for one in load_packs(["dcma-14"], Path()) if one.subject == "project" and one.id.startswith("LOG3")]
    by_plan = {"LOG306", "LOG307", "LOG313", "LOG314"}
    assert {one.id for one in pack if one.uses_day} >= {"LOG306", "LOG307", "LOG314"}
    assert {one.id for one in pack if one.uses_calendar} >= by_plan


def test_a_pack_comes_with_what_it_includes_each_once_and_in_order() -> None:
    standard = [one.id for one in load_packs(["standard"], Path())]
    assert standard[:24] == STARTER
    assert {"SCH205", "SCH207", "LOG301"} <= set(standard)
    assert "LOG306" not in standard
    assert [one.id for one in load_packs(["starter", "standard"], Path())] == standard
    everything = [one.id for one in load_packs(["full"], Path())]
    assert everything[: len(standard)] == standard
    assert len(everything) == len(set(everything))


def test_the_shipped_packs_ask_for_the_whole_catalogue() -> None:
    asked = {pack: {one.id for one in load_packs([pack], Path())} for pack in shipped_packs()}
    assert asked["full"] == set(CATALOGUE)
    assert {pack: len(ids) for pack, ids in asked.items()} == {
        "starter": 24,
        "history": 5,
        "standard": 60,
        "dcma-14": 15,
        "gao-schedule": 23,
        "earned-value": 5,
        "flow": 7,
        "full": 96,
    }


def test_of_an_included_pack_only_what_is_named_is_asked(folder: Path) -> None:
    chosen = load("includes: [{pack: starter, only: [SCH203, DAT101]}]\n" + PACK)
    assert [one.id for one in chosen] == ["SCH203", "DAT101", "ACME1"]
    message = refused("includes: [{pack: starter, only: [SCH2O3]}]\n" + PACK)
    assert "acme.yaml:1:35: starter does not ask for 'SCH2O3'" in message
    assert "SCH203" in message


def test_a_pack_may_be_made_of_others_alone_but_not_of_nothing(folder: Path) -> None:
    assert len(load("pack: ours\ntoday: 2026-11-20\nincludes: [starter]\n")) == len(STARTER)
    assert "this pack asks for nothing" in refused("pack: ours\ntoday: 2026-11-20\n")


def test_a_pack_of_ones_own_may_include_others_even_one_that_includes_it(folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "more.yaml").write_text("includes: [../acme.yaml]\n" + PACK.replace("ACME1", "ACME2"))
    both = load("includes: [history, own/more.yaml]\n" + PACK)
    assert [one.id for one in both][-2:] == ["ACME2", "ACME1"]
    assert len(both) == 7


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("startr", "acme.yaml:1:12: there is no pack 'startr'"),
        ("more.yaml", "acme.yaml:1:12: there is no file more.yaml"),
    ],
)
def test_a_pack_that_includes_what_there_is_not_is_refused_at_that_word(folder: Path, entry: str, said: str) -> None:
    message = refused(f"includes: [{entry}]\n{PACK}")
    assert said in message
    assert "→" in message


def test_the_pack_about_what_happened_is_blind_where_no_history_is_read() -> None:
    read = {"history", "worklogs"}
    unread = {name for name, field in FIELDS["task"].items() if field.source in read} | {"updated_at", "blocked_reason"}
    assert not any(can_fail(one, frozenset(unread)) for one in load_packs(["history"], Path()))
    blind = {one.id for one in load_packs(["starter"], Path()) if not can_fail(one, frozenset(unread))}
    assert blind == {"FLW501", "FLW503"}


def test_the_time_to_fix_follows_the_severity(starter: tuple[Standard, ...]) -> None:
    days = {standard.severity: standard.fix_within_d for standard in starter}
    assert days == {"critical": 1, "high": 5, "medium": 10}


def test_what_a_new_day_or_a_new_calendar_can_change_is_known(starter: tuple[Standard, ...]) -> None:
    assert {one.id for one in starter if one.uses_day} == {
        *("DAT101", "DAT104", "DAT105", "SCH201", "SCH202", "SCH203"),
        *("SCH205", "RES401", "FLW501", "FLW503", "GOV605", "GOV606"),
    }
    assert {one.id for one in starter if one.uses_calendar} == {"SCH201", "SCH202", "RES401", "GOV606"}


def test_a_project_whose_phase_nobody_recorded_still_needs_a_manager(starter: tuple[Standard, ...]) -> None:
    standard = next(one for one in starter if one.id == "GOV603")
    assert can_fail(standard, frozenset({"phase"}))
    assert not can_fail(standard, frozenset({"lead"}))


def test_a_standard_is_blind_exactly_where_it_can_never_fail(starter: tuple[Standard, ...]) -> None:
    blind = {
        field: {one.id for one in starter if not can_fail(one, frozenset({field}))}
        for field in ("due_on", "start_on", "estimate_h", "resolution", "priority")
    }
    assert blind == {
        "due_on": {"DAT104", "SCH201", "SCH204"},
        "start_on": {"SCH203", "SCH204", "LOG308"},
        "estimate_h": {"DAT105"},
        "resolution": set(),
        "priority": {"SCH202"},
    }
    assert not any(can_fail(one, frozenset({"done_on", "resolution"})) for one in starter if one.id == "FLW504")


def test_a_pack_of_ones_own_is_read_from_the_folder_it_is_named_from(folder: Path) -> None:
    (folder / "standards").mkdir()
    (folder / "standards" / "acme.yaml").write_text(PACK)
    standards = load_packs(["starter", "standards/acme.yaml"], folder)
    assert [standard.id for standard in standards] == [*STARTER, "ACME1"]
    assert standards[-1].params["grace"].constant == Constant(Kind.DAYS, 3)
    assert standards[-1].place.endswith("standards/acme.yaml:4:5")


def test_the_hash_moves_with_what_decides_verdicts_and_the_wording_with_what_people_read(folder: Path) -> None:
    (before,) = load(PACK)
    (reflowed,) = load(changed("when: status = todo AND due_on", "when: >\n      status   = todo\n      AND due_on"))
    (tuned,) = load(changed("default: 3d", "default: 4d").replace("2026-11-16", "2026-11-15"))
    (asked,) = load(changed("status = todo AND", "status != done AND"))
    (scoped,) = load(changed("    when:", "    applies_to: type = task\n    when:"))
    (told,) = load(changed("It is late.", "It is very late."))
    (sooner,) = load(changed("    phase:", "    fix_within_d: 2\n    phase:"))
    assert reflowed.hash == before.hash
    assert len({before.hash, tuned.hash, asked.hash, scoped.hash}) == 4
    assert {told.hash, sooner.hash} == {before.hash}
    assert tuned.wording == asked.wording == before.wording
    assert len({before.wording, told.wording, sooner.wording}) == 3


def test_what_a_standard_says_of_its_own_age_decides_nothing(folder: Path) -> None:
    (before,) = load(PACK)
    (after,) = load(changed("    why:", "    version: 3\n    since: 2026-10-01\n    review_by: 2027-10-01\n    why:"))
    assert (before.version, before.since, before.review_by) == (1, None, None)
    assert (after.version, after.since, after.review_by) == (3, dt.date(2026, 10, 1), dt.date(2027, 10, 1))
    assert (after.hash, after.wording) == (before.hash, before.wording)


def test_an_id_that_stands_twice_is_refused_with_both_places(folder: Path) -> None:
    (folder / "a.yaml").write_text(PACK)
    (folder / "b.yaml").write_text(PACK)
    with pytest.raises(Misconfigured, match=r"b\.yaml:4:5: the id ACME1 stands twice: here and at a\.yaml:4:5"):
        load_packs(["a.yaml", "b.yaml"], Path())
    twice = PACK + PACK.split("standards:\n")[1]
    assert "acme.yaml:18:9: the id ACME1 stands twice: here and at acme.yaml:4:5" in refused(twice)


def test_an_unknown_pack_is_answered_with_the_shipped_ones() -> None:
    with pytest.raises(Misconfigured, match="did you mean 'starter'"):
        load_packs(["startr"], Path())
    with pytest.raises(Misconfigured, match=r"shipped are: dcma-14, .*, starter; a file of your own ends in \.yaml"):
        load_packs(["acme"], Path())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    why:", "    rollup: {}\n    why:", "'rollup' comes with a later version of pmosync"),
        ("subject: task", "subject: program", "acme.yaml:6:14: standards about a program come with a later version"),
        ("subject: task", "entity: task", "acme.yaml:6:5: unknown key 'entity'"),
        ("severity: high", "severity: hihg", "did you mean 'high'?"),
        ("    why:", "    sevrity: x\n    why:", "acme.yaml:11:5: unknown key 'sevrity'"),
        ("    fix: Finish it.\n", "", "acme.yaml:4:5: standards.0.fix is missing"),
        ("id: ACME1", "id: acme 1", "acme.yaml:4:9: 'acme 1' cannot be an id"),
        ("default: 3d", "default: 15d", "acme.yaml:10:24: $grace is 15d, outside of 0d to 14d"),
        ("default: 3d", "default: 3", "acme.yaml:10:7: $grace mixes numbers and durations"),
        ("default: 3d", "default: 3h", "acme.yaml:10:24: '3h' is neither a number nor a duration"),
        (" - $grace", "", "acme.yaml:10:7: no predicate uses $grace"),
        ("$grace", "$grce", "did you mean 'grace'?"),
        ("pass: [{status: done}]", "pass: []", "acme.yaml:17:7: no example of kind pass"),
        ("{status: done}", "{statsu: done}", "acme.yaml:17:15: unknown field 'statsu'"),
        ("{status: done}", "{status: dnoe}", "acme.yaml:17:23: status cannot be 'dnoe'"),
        ("{status: done}", "{due_on: soon}", "due_on cannot be 'soon'"),
        ("{status: done}", "{created_at: 2026-11-20T09:00:00}", "created_at cannot be"),
        ("{status: done}", "{in_cycle: 1}", "in_cycle cannot be 1"),
        ("{status: done}", "{children: true}", "children cannot be True"),
        ("{status: done}", "{title: 7}", "title cannot be 7"),
        ("{status: done}", "{not_provided: [deu_on]}", "did you mean 'due_on'?"),
        ("{status: done}", "{due_on: 2026-11-20, not_provided: [due_on]}", "has a value and is not provided"),
        ("    why:", "    version: 0\n    why:", "11:14: standards.0.version: should be greater than or equal to 1"),
        ("    why:", "    version: 'two'\n    why:", "standards.0.version: should be a valid integer, not 'two'"),
        ("    why:", "    since: soon\n    why:", "11:12: standards.0.since: should be a valid date, not 'soon'"),
        (
            "    why:",
            "    since: 2026-11-01\n    review_by: 2026-11-01\n    why:",
            "acme.yaml:12:16: it is to be reviewed by 2026-11-01, and holds since 2026-11-01",
        ),
        ("today: 2026-11-20", "today: 20261120", "acme.yaml:2:8: today: should be a valid date, not 20261120"),
        ("{status: done}", "{today: soon}", "acme.yaml:17:22: today is not a date"),
        ("      pass:", "      out_of_scope: [{}]\n      pass:", "without applies_to nothing is out of scope"),
    ],
)
def test_a_wrong_pack_is_refused_with_file_line_and_what_to_do(folder: Path, old: str, new: str, said: str) -> None:
    message = refused(changed(old, new))
    assert said in message
    assert "→" in message


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("when: status = tood", 8, 20),
        ("when: 'status = tood'", 8, 21),
        ("when: 'title ~ ''x'' OR status = tood'", 8, 38),
        ('when: "title ~ \\"x\\" OR status = tood"', 8, 38),
        ("when: status\n      =\n      tood", 10, 7),
        ("when: >\n      in_cycle = TRUE AND\n      status = tood", 10, 16),
        ("when: >-\n\n      in_cycle = TRUE AND\n\n        status = tood", 12, 18),
        ("when: |\n      in_cycle = TRUE\n      AND status = tood", 10, 20),
    ],
)
def test_a_wrong_word_is_marked_in_its_own_line_however_yaml_writes_the_text(
    folder: Path, written: str, line: int, column: int
) -> None:
    message = refused(changed("when: status = todo AND due_on < today() - $grace", written))
    assert f"acme.yaml:{line}:{column}: 'tood' is not an option of status" in message
    shown, carets = message.splitlines()[1:3]
    assert shown[carets.index("^") : carets.index("^") + 4] == "tood"
    assert carets.count("^") == 4


def test_all_wrong_standards_of_a_pack_are_told_at_once(folder: Path) -> None:
    second = PACK.split("standards:\n")[1].replace("ACME1", "ACME2")
    message = refused((PACK + second).replace("status = todo AND", "status = tood AND"))
    assert "2 mistakes" in message
    assert "acme.yaml:8:20" in message
    assert "acme.yaml:22:20" in message


def test_a_bare_word_inside_coalesce_is_an_option_of_the_choice_before_it(starter: tuple[Standard, ...]) -> None:
    tree = next(one for one in starter if one.id == "GOV603").when.tree
    phase = Coalesce(Kind.OPTION, (FieldRef("phase", Kind.OPTION), Constant(Kind.OPTION, "initiation")))
    manager = Empty(FieldRef("lead", Kind.PERSON))
    assert tree == And((manager, Comparison("!=", phase, Constant(Kind.OPTION, "closed"))))
